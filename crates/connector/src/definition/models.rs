//! The `models:` section as written: tables of records and what may be done with them.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use crate::place::{Placed, Table};

/// A table of records with its fields and what may be done with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Model")]
pub(crate) struct ModelDefinition {
    /// Path of the collection under `base`.
    pub(crate) path: Placed<String>,
    /// Operations that exist.
    pub(crate) ops: Vec<Placed<ModelOperation>>,
    /// The fields, in the order in which they are shown.
    pub(crate) fields: Table<Field>,
    /// Fields that a create takes; all.
    pub(crate) create: Option<Vec<Placed<String>>>,
    /// Fields that an update takes; all.
    pub(crate) update: Option<Vec<Placed<String>>>,
    /// Filter keys as the backend knows them: `data__` and a field, or a column of the row.
    #[serde(default)]
    pub(crate) filters: Vec<Placed<String>>,
    /// Sort keys as the backend knows them.
    #[serde(default)]
    pub(crate) sorts: Vec<Placed<String>>,
    /// The backend's own order.
    pub(crate) default_sort: Option<Placed<String>>,
    /// Rows that one page may have; 100.
    pub(crate) max_limit: Option<Placed<u32>>,
    /// The field that a record may be called by in the place of its id, wherever a call names one:
    /// a text that the list can be filtered by.
    pub(crate) goes_by: Option<Placed<String>>,
    /// The group that its tools belong to; without one they are listed.
    pub(crate) group: Option<Placed<String>>,
    /// Names of its tools for people.
    #[serde(default)]
    pub(crate) titles: ModelTitles,
    /// Picture that clients show beside its tools, as that of a tool.
    pub(crate) icon: Option<Placed<String>>,
}

/// Names of a model's tools for people, by what each does.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Titles")]
pub(crate) struct ModelTitles {
    /// Of the list.
    pub(crate) list: Option<String>,
    /// Of reading one.
    pub(crate) read: Option<String>,
    /// Of making one.
    pub(crate) create: Option<String>,
    /// Of changing one.
    pub(crate) update: Option<String>,
    /// Of deleting one.
    pub(crate) delete: Option<String>,
}

/// What may be done with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Operation")]
#[expect(
    missing_docs,
    reason = "the schema of the format lists the words alone"
)]
pub enum ModelOperation {
    List,
    Read,
    Create,
    Update,
    Delete,
}

/// A field of a model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    /// Type of its value.
    #[serde(rename = "type")]
    pub(crate) kind: FieldKind,
    /// Characters that a `string` or `url` may have.
    pub(crate) max_len: Option<Placed<u32>>,
    /// Values that an `enum` may have.
    pub(crate) values: Option<Placed<Vec<String>>>,
    /// The model whose ids it holds.
    #[serde(rename = "ref")]
    pub(crate) reference: Option<Reference>,
    /// The field that holds the id of a board: where that has columns, the value is the key of one
    /// of them. A call may say a column's title too; without a value, a record comes into the first.
    pub(crate) column_of: Option<Placed<String>>,
    /// A create must have it; it cannot be cleared.
    #[serde(default)]
    #[schemars(transform = without_default)]
    pub(crate) required: bool,
    /// What it is, for the model that fills it in.
    pub(crate) description: Option<String>,
}

/// An editor has no need to fill in what is false when it is left out.
fn without_default(schema: &mut Schema) {
    schema.remove("default");
}

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "the schema of the format lists the words alone"
)]
pub enum FieldKind {
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
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    /// The other model.
    pub(crate) model: Placed<String>,
    /// The record must belong to the same account.
    #[serde(default)]
    #[schemars(transform = without_default)]
    pub(crate) owned: bool,
    /// May be absent.
    #[serde(default)]
    #[schemars(transform = without_default)]
    pub(crate) optional: bool,
}
