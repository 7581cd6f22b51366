//! The `models:` section as written: tables of records and what may be done with them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::place::{Placed, Table};

/// A table of records with its fields and what may be done with it.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    /// Path of the collection under `base`.
    pub(crate) path: Placed<String>,
    /// Operations that exist.
    pub(crate) ops: Vec<Placed<Operation>>,
    /// The fields, in the order in which they are shown.
    pub(crate) fields: Table<Field>,
    /// Fields that a create takes; all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) create: Option<Vec<Placed<String>>>,
    /// Fields that an update takes; all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) update: Option<Vec<Placed<String>>>,
    /// Filter keys as the backend knows them: `data__` and a field, or a column of the row.
    #[serde(default)]
    pub(crate) filters: Vec<Placed<String>>,
    /// Sort keys as the backend knows them.
    #[serde(default)]
    pub(crate) sorts: Vec<Placed<String>>,
    /// The backend's own order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_sort: Option<Placed<String>>,
    /// Rows that one page may have; 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_limit: Option<Placed<u32>>,
}

/// What may be done with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Operation {
    List,
    Read,
    Create,
    Update,
    Delete,
}

/// A field of a model.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    /// Type of its value.
    #[serde(rename = "type")]
    pub(crate) kind: FieldKind,
    /// Characters that a `string` or `url` may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_len: Option<Placed<u32>>,
    /// Values that an `enum` may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) values: Option<Placed<Vec<String>>>,
    /// The model whose ids it holds.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<Reference>,
    /// A create must have it; it cannot be cleared.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) required: bool,
    /// What it is, for the model that fills it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FieldKind {
    String,
    Integer,
    Number,
    #[serde(alias = "bool")]
    Boolean,
    Enum,
    Dict,
    Tags,
    Url,
    Columns,
    Any,
}

/// A field that holds the id of another model's record.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    /// The other model.
    pub(crate) model: Placed<String>,
    /// The record must belong to the same account.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) owned: bool,
    /// May be absent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) optional: bool,
}
