//! A kind of row as plain values, which nobody has checked yet.

/// One kind of row, for [`Models::new`](super::Models::new).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardModel {
    /// Its name: lower-case letters, digits and underscores.
    pub name: String,
    /// The path of its rows, `/data/` and its name.
    pub path: String,
    /// What may be done with its rows.
    pub operations: Vec<RowOperation>,
    /// Its fields, in the order in which they are shown.
    pub fields: Vec<BoardField>,
    /// The names of the fields that a create may set, in order.
    pub create: Vec<String>,
    /// The names of the fields that an update may set, in order.
    pub update: Vec<String>,
    /// What a list may be filtered by: `data__` and a field, `status`, `is_archived`, `owned_by`.
    pub filters: Vec<String>,
    /// What a list may be sorted by: `data__` and a field, `created_at`, `updated_at`.
    pub sorts: Vec<String>,
    /// One of the sorts; `created_at` when none is given.
    pub default_sort: Option<String>,
    /// Rows that a page may have, 1 to 1000.
    pub max_limit: u32,
}

impl BoardModel {
    /// The rows a page may have of a model that says nothing of it.
    const MAX_LIMIT: u32 = 100;

    /// A model whose fields can all be set, listed by the time of creation.
    pub fn new(name: &str, operations: &[RowOperation], fields: Vec<BoardField>) -> BoardModel {
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        BoardModel {
            name: name.to_owned(),
            path: format!("/data/{name}"),
            operations: operations.to_vec(),
            create: names.clone(),
            update: names,
            fields,
            filters: Vec::new(),
            sorts: vec!["created_at".to_owned()],
            default_sort: None,
            max_limit: BoardModel::MAX_LIMIT,
        }
    }
}

/// What may be done with a model's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOperation {
    /// Pages of rows.
    List,
    /// One row by its id.
    Read,
    /// A new row.
    Create,
    /// Other values in a row.
    Update,
    /// A row that is no longer shown.
    Delete,
}

/// One field of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardField {
    /// Its name: lower-case letters, digits and underscores.
    pub name: String,
    /// What it holds.
    pub kind: BoardFieldKind,
    /// A create must have it; it cannot be cleared.
    pub is_required: bool,
    /// The model of the row that its value, a text, must name.
    pub reference: Option<String>,
    /// What it is, for the API's own description.
    pub description: Option<String>,
}

impl BoardField {
    /// A field that may be absent.
    pub fn new(name: &str, kind: BoardFieldKind) -> BoardField {
        BoardField {
            name: name.to_owned(),
            kind,
            is_required: false,
            reference: None,
            description: None,
        }
    }
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoardFieldKind {
    /// Text.
    Text {
        /// The longest, in characters.
        max_characters: usize,
    },
    /// An absolute http or https URL.
    Url {
        /// The longest, in characters.
        max_characters: usize,
    },
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// One of these texts; their order is their rank.
    Choice(Vec<String>),
    /// A JSON object.
    Object,
    /// A list of short texts.
    Tags,
    /// A board's columns: `{key, title, wip_limit?}` in order.
    Columns,
    /// Any JSON value.
    Any,
}

impl BoardFieldKind {
    /// The length of a text that is given none, in characters.
    const TEXT_CHARACTERS: usize = 10_000;
    /// The length of a URL that is given none, in characters.
    const URL_CHARACTERS: usize = 2_048;

    /// Text of at most so many characters, or of 10,000.
    pub fn text(max_characters: Option<u32>) -> BoardFieldKind {
        BoardFieldKind::Text {
            max_characters: characters(max_characters, BoardFieldKind::TEXT_CHARACTERS),
        }
    }

    /// A URL of at most so many characters, or of 2,048.
    pub fn url(max_characters: Option<u32>) -> BoardFieldKind {
        BoardFieldKind::Url {
            max_characters: characters(max_characters, BoardFieldKind::URL_CHARACTERS),
        }
    }
}

fn characters(limit: Option<u32>, default: usize) -> usize {
    limit.map_or(default, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}
