//! The `views:` section as written: how a page shows what a tool gives.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::one_or_more::OneOrMore;
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
struct WrittenColumns {
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
struct WrittenOpen {
    /// Its name.
    tool: Placed<String>,
    /// The argument that takes the card's id; `id`.
    id: Option<Placed<String>>,
    /// Its other arguments.
    #[serde(default)]
    with: Table<Placed<Value>>,
}

/// What may be written as a name alone.
trait NameAlone: Sized {
    /// The map that it may be too.
    type Map: for<'de> Deserialize<'de> + JsonSchema;
    const EXPECTED: &'static str;
    const SCHEMA: &'static str;

    fn of_name(name: Placed<String>) -> Self;
    fn of_map(map: Self::Map) -> Self;
}

enum NameOrMap<M> {
    Name(String),
    Map(M),
}

impl<'de, M: Deserialize<'de>> Deserialize<'de> for NameOrMap<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrMapVisitor<M>(std::marker::PhantomData<M>);
        impl<'de, M: Deserialize<'de>> Visitor<'de> for NameOrMapVisitor<M> {
            type Value = NameOrMap<M>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or a map")
            }
            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(NameOrMap::Name(name.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                M::deserialize(MapAccessDeserializer::new(map)).map(NameOrMap::Map)
            }
        }
        deserializer.deserialize_any(NameOrMapVisitor(std::marker::PhantomData))
    }
}

fn read_named<'de, N: NameAlone, D: Deserializer<'de>>(deserializer: D) -> Result<N, D::Error> {
    let placed = Placed::<NameOrMap<N::Map>>::deserialize(deserializer)?;
    Ok(match placed.value {
        NameOrMap::Name(value) => N::of_name(Placed {
            value,
            place: placed.place,
        }),
        NameOrMap::Map(map) => N::of_map(map),
    })
}

fn named_schema<N: NameAlone>(generator: &mut SchemaGenerator) -> Schema {
    let map = generator.subschema_for::<N::Map>();
    json_schema!({"description": N::EXPECTED, "if": {"type": "string"}, "then": {"type": "string"}, "else": map})
}

impl NameAlone for BoardColumnRules {
    type Map = WrittenColumns;
    const EXPECTED: &'static str = "The columns of a board: the name of a lookup alone, or a map.";
    const SCHEMA: &'static str = "ViewColumns";

    fn of_name(lookup: Placed<String>) -> Self {
        Self {
            lookup,
            within: None,
            limit: None,
            closed: None,
        }
    }

    fn of_map(map: WrittenColumns) -> Self {
        let WrittenColumns {
            lookup,
            within,
            limit,
            closed,
        } = map;
        Self {
            lookup,
            within,
            limit,
            closed,
        }
    }
}

impl NameAlone for OpenRules {
    type Map = WrittenOpen;
    const EXPECTED: &'static str = "The tool that reads one card: its name alone, or a map.";
    const SCHEMA: &'static str = "ViewOpen";

    fn of_name(tool: Placed<String>) -> Self {
        Self {
            tool,
            id: None,
            with: Table::default(),
        }
    }

    fn of_map(map: WrittenOpen) -> Self {
        let WrittenOpen { tool, id, with } = map;
        Self { tool, id, with }
    }
}

impl<'de> Deserialize<'de> for BoardColumnRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_named(deserializer)
    }
}

impl<'de> Deserialize<'de> for OpenRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_named(deserializer)
    }
}

impl JsonSchema for BoardColumnRules {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Self::SCHEMA.into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        named_schema::<Self>(generator)
    }
}

impl JsonSchema for OpenRules {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Self::SCHEMA.into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        named_schema::<Self>(generator)
    }
}
