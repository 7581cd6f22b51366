//! One text, or a list of them, each with its place.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::text_or::{self, LongerForm, TextOr};
use crate::place::Placed;

/// One text, or a list of them.
#[derive(Debug, Default)]
pub(crate) struct OneOrMore(pub(crate) Vec<Placed<String>>);

impl TextOr for OneOrMore {
    type Longer = Vec<Placed<String>>;
    const FORM: LongerForm = LongerForm::List;
    const EXPECTED: &'static str = "a text, or a list of them";

    fn of_text(text: Placed<String>) -> Self {
        Self(vec![text])
    }

    fn of_longer(texts: Vec<Placed<String>>) -> Result<Self, &'static str> {
        Ok(Self(texts))
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or::read(deserializer)
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
