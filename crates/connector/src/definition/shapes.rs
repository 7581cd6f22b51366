//! The `shapes:` and `text:` sections as written: what is kept of a record, and which of its texts
//! are not to be trusted.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::JsonType;
use crate::place::{Placed, Table};

/// A field table.
pub(crate) type Shape = Table<Column>;

/// A field of a shape: its type alone, or a map.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) kind: JsonType,
    pub(crate) from: Option<Placed<String>>,
    pub(crate) description: Option<String>,
    pub(crate) text: bool,
    pub(crate) on_request: bool,
    pub(crate) each: Option<Placed<EachItem>>,
    pub(crate) only_true: bool,
    pub(crate) at_least: Option<u32>,
}

/// What is kept of each item of a list: `first`, its first value where it is a list itself; or the
/// names of the keys that are kept of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EachItem {
    First,
    Keys(Vec<String>),
}

impl<'de> Deserialize<'de> for EachItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EachItemVisitor;
        impl<'de> Visitor<'de> for EachItemVisitor {
            type Value = EachItem;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`first`, or a list of keys")
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<EachItem, E> {
                match word {
                    "first" => Ok(EachItem::First),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut keys: A) -> Result<EachItem, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = keys.next_element()? {
                    names.push(name);
                }
                Ok(EachItem::Keys(names))
            }
        }
        deserializer.deserialize_any(EachItemVisitor)
    }
}

impl JsonSchema for EachItem {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EachItem".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What is kept of each item of a list: `first`, its first value where it is a list itself; or the names of the keys that are kept of an object.",
            "if": {"type": "string"},
            "then": {"enum": ["first"]},
            "else": {"type": "array", "items": {"type": "string"}, "minItems": 1}
        })
    }
}

/// A field of a shape.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ColumnRules {
    /// JSON type.
    #[serde(rename = "type")]
    kind: JsonType,
    /// jq filter over the record; the field's own name.
    from: Option<Placed<String>>,
    /// What it is.
    description: Option<String>,
    /// A text that nobody vouches for: fenced, and cut at `text.limit`.
    #[serde(default)]
    text: bool,
    /// Only there when `fields` names it.
    #[serde(default)]
    on_request: bool,
    /// What is kept of each item of the list that `from` leads to, without jq.
    each: Option<Placed<EachItem>>,
    /// Only there when it is true.
    #[serde(default)]
    only_true: bool,
    /// Only there when the list that `from` leads to has so many items.
    at_least: Option<u32>,
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ColumnVisitor;
        impl<'de> Visitor<'de> for ColumnVisitor {
            type Value = Column;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a type such as `string`, or a map with `type`")
            }
            fn visit_str<E: serde::de::Error>(self, kind: &str) -> Result<Column, E> {
                let kind = JsonType::deserialize(serde::de::value::StrDeserializer::new(kind))?;
                Ok(Column {
                    kind,
                    from: None,
                    description: None,
                    text: false,
                    on_request: false,
                    each: None,
                    only_true: false,
                    at_least: None,
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Column, A::Error> {
                let ColumnRules {
                    kind,
                    from,
                    description,
                    text,
                    on_request,
                    each,
                    only_true,
                    at_least,
                } = ColumnRules::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Column {
                    kind,
                    from,
                    description,
                    text,
                    on_request,
                    each,
                    only_true,
                    at_least,
                })
            }
        }
        deserializer.deserialize_any(ColumnVisitor)
    }
}

impl JsonSchema for Column {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Column".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let short = generator.subschema_for::<JsonType>();
        let long = generator.subschema_for::<ColumnRules>();
        json_schema!({"description": "A field of a shape: its type alone, or a map.", "if": {"type": "string"}, "then": short, "else": long})
    }
}

/// Texts of records that nobody vouches for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    /// Keys whose texts are fenced in every result.
    #[serde(default)]
    pub(crate) untrusted: Vec<String>,
    /// Characters after which such a text is cut; 2,000.
    pub(crate) limit: Option<Placed<u32>>,
}
