//! The model table: which kinds of rows there are, their fields, filters and sorts. Checks no
//! values.

use std::sync::Arc;

use footbridge_store::{FieldName, SortKey};
use indexmap::IndexMap;
use serde::Deserialize;

mod written;

pub use written::ModelsError;

/// The models that a board serves. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Models {
    pub(crate) by_name: Arc<IndexMap<String, BoardModel>>,
}

impl Models {
    /// Reads the `models:` section of a connector file, handed over as data.
    ///
    /// # Errors
    /// [`ModelsError`] lists every problem at once.
    pub fn from_json(section: &serde_json::Value) -> Result<Models, ModelsError> {
        Ok(Models {
            by_name: Arc::new(written::read(section)?),
        })
    }

    /// The models' names, in the order of the table.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// One kind of row.
#[derive(Debug)]
pub(crate) struct BoardModel {
    pub(crate) name: String,
    pub(crate) operations: Vec<RowOperation>,
    pub(crate) fields: IndexMap<String, BoardField>,
    /// The fields that a create and an update may set, in order.
    pub(crate) create: Vec<String>,
    pub(crate) update: Vec<String>,
    pub(crate) filters: Vec<BoardFilter>,
    pub(crate) sorts: Vec<(String, SortKey)>,
    pub(crate) default_sort: String,
    pub(crate) max_limit: u32,
    /// The text fields, which a search looks into.
    pub(crate) searched: Vec<FieldName>,
}

impl BoardModel {
    /// The filter that a key means. A field's own name wins over a column of the same name, so
    /// `status` on a card is the card's status; where no field has the name it is the row's column.
    pub(crate) fn filter(&self, key: &str) -> Option<&BoardFilter> {
        let by_wire = self
            .filters
            .iter()
            .find(|filter| filter.wire == key && filter.wire != filter.friendly);
        by_wire.or_else(|| self.filters.iter().find(|filter| filter.friendly == key))
    }

    /// The keys to filter by as people say them, each once.
    pub(crate) fn filter_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::with_capacity(self.filters.len());
        for filter in &self.filters {
            if !keys.contains(&&*filter.friendly) {
                keys.push(&filter.friendly);
            }
        }
        keys
    }

    pub(crate) fn sort(&self, key: &str) -> Option<&SortKey> {
        self.sorts
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, sort)| sort)
    }
}

/// What may be done with a model's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RowOperation {
    List,
    Read,
    Create,
    Update,
    Delete,
}

/// One field of a model.
#[derive(Debug)]
pub(crate) struct BoardField {
    pub(crate) name: FieldName,
    pub(crate) kind: BoardFieldKind,
    pub(crate) is_required: bool,
    /// The model of the row that the value must name.
    pub(crate) reference: Option<String>,
    pub(crate) description: Option<String>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BoardFieldKind {
    /// Text of at most so many characters.
    Text {
        max_characters: usize,
    },
    /// An absolute http or https URL of at most so many characters.
    Url {
        max_characters: usize,
    },
    Integer,
    Number,
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

/// A key of a list's query that filters.
#[derive(Debug)]
pub(crate) struct BoardFilter {
    /// As the table has it, `data__status` or `status`.
    pub(crate) wire: String,
    /// As people say it, `status`.
    pub(crate) friendly: String,
    pub(crate) target: FilterTarget,
}

/// What a filter compares.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FilterTarget {
    Status,
    IsArchived,
    OwnedBy,
    Field(FieldName, BoardFieldKind),
}
