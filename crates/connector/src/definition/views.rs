//! The `views:` section as written: how a page shows what a tool gives.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::one_or_more::OneOrMore;
use super::text_or::{self, LongerForm, TextOr};
use crate::place::{Placed, Table};

/// How a page shows what a tool gives: as a board or as a chart. A list without a view is shown as
/// a table, an object as a record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "View")]
pub(crate) struct ViewRules {
    /// The tool that reads the cards of a board.
    pub(crate) board: Option<Placed<String>>,
    /// The tool that reads what a chart shows.
    pub(crate) chart: Option<Placed<String>>,
    /// Name for people; the tool's title.
    pub(crate) title: Option<String>,
    /// Arguments of the tool without which the view is not whole. Of several views of one tool that
    /// one is shown whose arguments here the call has, `fields`, `limit` and `all` aside; of those,
    /// the one with the most.
    #[serde(default)]
    pub(crate) with: Table<Placed<Value>>,
    /// Arguments that a person chooses first, in this order, each with the tool that lists what there
    /// is. Dots lead into an object: `filter.board_id`. One that only a later one's tool takes is
    /// passed to that.
    #[serde(default)]
    pub(crate) ask: Table<Placed<String>>,
    /// Path to the rows in the result, such as `.cards`; of several, the first that is there. A
    /// board's are `.items` without it.
    pub(crate) rows: Option<OneOrMore>,
    /// Board: the field that says what tells a card from all others; `id`.
    pub(crate) id: Option<Placed<String>>,
    /// Board: the field whose value is the card's column, and the argument of `move` that puts it
    /// into another.
    pub(crate) group: Option<Placed<String>>,
    /// Board: the field with the column's id, where `group` has its name: two columns may be called
    /// the same.
    pub(crate) group_id: Option<Placed<String>>,
    /// Board: the lookup whose choices are the columns, in its order.
    pub(crate) columns: Option<BoardColumnRules>,
    /// Board: the fields that a card shows; the first is its title.
    #[serde(default)]
    pub(crate) card: Vec<Placed<String>>,
    /// Board: the tool that changes a card, and puts it into another column.
    #[serde(rename = "move")]
    pub(crate) mover: Option<Placed<String>>,
    /// Board: the field by whose number cards stand in their column, the least first and those without
    /// one before all, and the argument of `move` that sets it.
    pub(crate) order: Option<Placed<String>>,
    /// Board: the tool that reads one card.
    pub(crate) open: Option<OpenRules>,
    /// Chart: the field of a row that stands on the horizontal axis.
    pub(crate) x: Option<Placed<String>>,
    /// Chart: the number that stands on the vertical axis; of several, each is a series of its own.
    pub(crate) y: Option<OneOrMore>,
    /// Chart: bars in the place of a line.
    #[serde(default)]
    pub(crate) bars: bool,
    /// Chart: lines across it, each with the path to its value of `x` in the result.
    #[serde(default)]
    pub(crate) marks: Table<Placed<String>>,
}

/// The columns of a board: the name of a lookup alone, or a map.
#[derive(Debug)]
pub(crate) struct BoardColumnRules {
    pub(crate) lookup: Placed<String>,
    pub(crate) within: Option<Placed<String>>,
    pub(crate) limit: Option<Placed<String>>,
    pub(crate) closed: Option<Placed<String>>,
}

/// The columns of a board.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenColumns {
    /// The lookup whose choices they are.
    lookup: Placed<String>,
    /// jq filter: the scope of the lookup; that of the tool's argument with this lookup.
    within: Option<Placed<String>>,
    /// jq filter over a row of the lookup: the most cards that the column should hold.
    limit: Option<Placed<String>>,
    /// jq filter over a row of the lookup: whether what is in the column is done.
    closed: Option<Placed<String>>,
}

/// The tool that reads one card: its name alone, or a map.
#[derive(Debug)]
pub(crate) struct OpenRules {
    pub(crate) tool: Placed<String>,
    pub(crate) id: Option<Placed<String>>,
    pub(crate) with: Table<Placed<Value>>,
}

/// The tool that reads one card.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenOpen {
    /// Its name.
    tool: Placed<String>,
    /// The argument that takes the card's id; `id`.
    id: Option<Placed<String>>,
    /// Its other arguments.
    #[serde(default)]
    with: Table<Placed<Value>>,
}

/// The schema of a name alone, or else of the map `M`.
fn named_schema<M: JsonSchema>(generator: &mut SchemaGenerator, description: &str) -> Schema {
    let map = generator.subschema_for::<M>();
    json_schema!({"description": description, "if": {"type": "string"}, "then": {"type": "string"}, "else": map})
}

impl TextOr for BoardColumnRules {
    type Longer = WrittenColumns;
    const FORM: LongerForm = LongerForm::Map;
    const EXPECTED: &'static str = "a name, or a map";

    fn of_text(lookup: Placed<String>) -> Self {
        Self {
            lookup,
            within: None,
            limit: None,
            closed: None,
        }
    }

    fn of_longer(map: WrittenColumns) -> Result<Self, &'static str> {
        let WrittenColumns {
            lookup,
            within,
            limit,
            closed,
        } = map;
        Ok(Self {
            lookup,
            within,
            limit,
            closed,
        })
    }
}

impl TextOr for OpenRules {
    type Longer = WrittenOpen;
    const FORM: LongerForm = LongerForm::Map;
    const EXPECTED: &'static str = "a name, or a map";

    fn of_text(tool: Placed<String>) -> Self {
        Self {
            tool,
            id: None,
            with: Table::default(),
        }
    }

    fn of_longer(map: WrittenOpen) -> Result<Self, &'static str> {
        let WrittenOpen { tool, id, with } = map;
        Ok(Self { tool, id, with })
    }
}

impl<'de> Deserialize<'de> for BoardColumnRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or::read(deserializer)
    }
}

impl<'de> Deserialize<'de> for OpenRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or::read(deserializer)
    }
}

impl JsonSchema for BoardColumnRules {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ViewColumns".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        named_schema::<WrittenColumns>(
            generator,
            "The columns of a board: the name of a lookup alone, or a map.",
        )
    }
}

impl JsonSchema for OpenRules {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ViewOpen".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        named_schema::<WrittenOpen>(
            generator,
            "The tool that reads one card: its name alone, or a map.",
        )
    }
}
