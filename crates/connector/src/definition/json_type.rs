//! The type of a JSON value, as arguments and the fields of shapes are declared. Fields of models
//! have a kind of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// JSON type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JsonType {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}
