//! The `shapes:` and `text:` sections as written: what is kept of a record, and which of its texts
//! are not to be trusted.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
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
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
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
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Column, A::Error> {
                let ColumnRules {
                    kind,
                    from,
                    description,
                    text,
                    on_request,
                } = ColumnRules::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Column {
                    kind,
                    from,
                    description,
                    text,
                    on_request,
                })
            }
        }
        deserializer.deserialize_any(Either)
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
