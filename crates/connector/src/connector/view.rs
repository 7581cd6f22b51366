//! Views of a connector, settled: how a page shows what a tool gives, and what of it the tool's
//! result lacks. Asks nothing (see `backend::view_columns`).

mod drawing;

use serde_json::{Map, Value};

use crate::jq::Glue;
pub use drawing::{Drawing, DrawnKind};

/// Arguments that say how much is read, not what.
const HOW_MUCH: [&str; 3] = ["fields", "limit", "all"];

/// How a page shows what a tool gives.
#[derive(Debug)]
pub struct ConnectorView {
    /// Its name, one of a connector's.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// The tool whose result it shows.
    pub tool: String,
    /// Arguments without which it is not whole.
    pub arguments: Map<String, Value>,
    /// What a person chooses first.
    pub choices: Vec<ViewChoice>,
    /// As what it is shown.
    pub shown_as: ViewForm,
    /// Where the rows may stand in the result; the first that is there counts.
    pub(crate) rows: Vec<Vec<String>>,
}

/// As what a view is shown.
#[derive(Debug)]
pub enum ViewForm {
    /// Cards in columns.
    Board(Box<BoardView>),
    /// Lines or bars.
    Chart(ChartView),
}

/// An argument that a person chooses, of what a tool lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewChoice {
    /// The argument; dots lead into an object.
    pub argument: String,
    /// The view's tool takes it; else only tools of later choices do.
    pub is_argument: bool,
    /// Arguments chosen before that the listing tool takes too.
    pub takes: Vec<String>,
    /// The tool that lists what there is, under `items`.
    pub tool: String,
    /// The field of a row that the argument takes.
    pub id: String,
    /// The field of a row that a person reads.
    pub name: String,
}

/// A board: where a row says what it is, and what can be done with it.
#[derive(Debug)]
pub struct BoardView {
    /// The field that tells a card from all others.
    pub id: String,
    /// The field whose value is the card's column.
    pub group: String,
    /// The field with the column's id, where `group` has its name.
    pub group_id: Option<String>,
    /// What a card shows; first its title.
    pub card: Vec<String>,
    /// The tool that puts a card into another column.
    pub mover: Option<MoveTool>,
    /// The tool that reads a card.
    pub opener: Option<OpenTool>,
    /// The tool that changes a card.
    pub editor: Option<FormTool>,
    /// The tool that makes one.
    pub maker: Option<FormTool>,
    pub(crate) columns: ColumnsPlan,
}

/// The tool that puts a card into another column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveTool {
    /// Its name.
    pub tool: String,
    /// The argument that takes the card's id.
    pub id: String,
    /// The argument that takes the column.
    pub column: String,
    /// The field by whose number cards stand in a column, and the argument that takes it.
    pub order: Option<String>,
}

/// The tool that reads a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTool {
    /// Its name.
    pub tool: String,
    /// The argument that takes the card's id.
    pub id: String,
    /// Its other arguments.
    pub arguments: Map<String, Value>,
}

/// A tool that a person fills in as a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormTool {
    /// Its name.
    pub tool: String,
    /// The argument that takes the card's id; none for a tool that makes a card.
    pub id: Option<String>,
    /// What may be filled in, each with its JSON Schema.
    pub fields: Map<String, Value>,
    /// Of these, what must be.
    pub required: Vec<String>,
    /// What it takes from the call that read the board: its argument, and where the call has it.
    pub taken: Vec<(String, String)>,
    /// The argument that takes the column, of a tool that makes a card.
    pub column: Option<String>,
}

/// Where the columns of a board come from.
#[derive(Debug)]
pub(crate) struct ColumnsPlan {
    /// Place of the lookup in the connector.
    pub(crate) lookup: usize,
    /// The scope of the lookup, where it has one.
    pub(crate) within: Option<Glue>,
    pub(crate) limit: Option<Glue>,
    pub(crate) closed: Option<Glue>,
}

/// A column as the backend has it now.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewColumn {
    /// Its id.
    pub id: Value,
    /// Its name.
    pub name: String,
    /// The most cards that it should hold.
    pub limit: Option<u64>,
    /// Whether what is in it is done.
    pub is_closed: Option<bool>,
}

/// The columns of a board, or why they are not known.
pub type ViewColumns = Result<Vec<ViewColumn>, String>;

/// A chart: where a row says what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartView {
    /// The field on the horizontal axis.
    pub x: String,
    /// The numbers on the vertical axis, each a series.
    pub y: Vec<String>,
    /// Bars, not lines.
    pub is_bars: bool,
    /// Lines across it: the name of each, and where the result has its `x`.
    pub marks: Vec<(String, Vec<String>)>,
}

impl ConnectorView {
    /// How many of its arguments a call has, where it has all of them. Those that say how much is
    /// read do not count: a call with other fields is about the same.
    pub(crate) fn fit(&self, call: &Map<String, Value>) -> Option<usize> {
        let names = || {
            self.arguments
                .iter()
                .filter(|(name, _)| !HOW_MUCH.contains(&name.as_str()))
        };
        let fits = |(name, wanted): (&String, &Value)| match wanted {
            Value::Bool(_) => call.get(name) == Some(wanted),
            _ => call.get(name).is_some_and(|value| !value.is_null()),
        };
        names().all(fits).then(|| names().count())
    }

    /// The call with the arguments of the view: it gives all that the view needs.
    pub fn whole(&self, call: &Map<String, Value>) -> Map<String, Value> {
        let mut whole = call.clone();
        for (name, value) in &self.arguments {
            if HOW_MUCH.contains(&name.as_str()) || !whole.contains_key(name) {
                whole.insert(name.clone(), value.clone());
            }
        }
        whole
    }

    /// The board, where it is one.
    pub fn board(&self) -> Option<&BoardView> {
        match &self.shown_as {
            ViewForm::Board(board) => Some(board),
            ViewForm::Chart(_) => None,
        }
    }
}
