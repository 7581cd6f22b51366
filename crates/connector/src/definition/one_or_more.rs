//! One text, or a list of them, each with its place.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::place::Placed;

/// One text, or a list of them.
#[derive(Debug, Default)]
pub(crate) struct OneOrMore(pub(crate) Vec<Placed<String>>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        enum OneOrSeveral {
            One(String),
            Several(Vec<Placed<String>>),
        }
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = OneOrSeveral;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a list of them")
            }
            fn visit_str<E>(self, name: &str) -> Result<OneOrSeveral, E> {
                Ok(OneOrSeveral::One(name.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrSeveral, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrSeveral::Several)
            }
        }
        struct TextsSeen(OneOrSeveral);
        impl<'de> Deserialize<'de> for TextsSeen {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextsVisitor).map(TextsSeen)
            }
        }
        let placed = Placed::<TextsSeen>::deserialize(deserializer)?;
        Ok(Self(match placed.value.0 {
            OneOrSeveral::One(value) => vec![Placed {
                value,
                place: placed.place,
            }],
            OneOrSeveral::Several(texts) => texts,
        }))
    }
}

impl JsonSchema for OneOrMore {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OneOrMore".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "One, or a list of them.", "type": ["string", "array"], "items": {"type": "string"}, "minItems": 1})
    }
}
