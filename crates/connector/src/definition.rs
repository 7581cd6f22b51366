//! The connector file as written: types that only read. What they mean is settled by `compile`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::place::{Placed, Table};

/// A connector: one REST backend, described as data.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    /// Version of this format; 1.
    pub(crate) format: Placed<u32>,
    /// Name of the connector.
    pub(crate) connector: Placed<String>,
    /// Name of the backend, for people and messages.
    pub(crate) title: String,
    /// What a model should know before it uses the tools; the first 512 characters stand alone.
    pub(crate) instructions: String,
    /// Values from outside, by the names users have.
    #[serde(default)]
    pub(crate) settings: Table<Setting>,
    /// The REST API.
    pub(crate) upstream: Upstream,
    /// Tables of records; each makes up to five tools.
    #[serde(default)]
    pub(crate) models: Table<Model>,
    /// Tools described one by one.
    #[serde(default)]
    pub(crate) tools: Vec<Tool>,
}

/// A value from outside: a variable, a file or the settings file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setting {
    /// Kind of value.
    #[serde(default, rename = "is")]
    pub(crate) kind: SettingKind,
    /// Used when nothing is set.
    pub(crate) default: Option<Placed<Value>>,
    /// Without it nothing can be called.
    #[serde(default)]
    pub(crate) required: bool,
    /// Never printed, never seen by a filter; may also come from the file that `NAME_FILE` names.
    #[serde(default)]
    pub(crate) secret: bool,
    /// What it is for.
    pub(crate) description: Option<String>,
}

/// Kind of a setting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// Any text.
    #[default]
    Text,
    /// An `http` or `https` address.
    Url,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// How the REST API is reached.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upstream {
    /// Origin and path prefix; nothing else is ever called.
    pub(crate) base: Placed<String>,
    /// Time for one request, such as `30s` or `500ms`; 30s.
    pub(crate) timeout: Option<Placed<String>>,
    /// Headers of every request; one whose setting is unset is not sent.
    #[serde(default)]
    pub(crate) headers: Table<Placed<String>>,
    /// Ways of paging by name; models use `list`.
    #[serde(default)]
    pub(crate) paging: Table<Paging>,
    /// jq filters over an error body; the first that gives a text wins.
    #[serde(default)]
    pub(crate) error: Vec<Placed<String>>,
    /// What to do about an HTTP status.
    #[serde(default)]
    pub(crate) hints: Table<String>,
}

/// One way of paging.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// Kind of paging.
    pub(crate) kind: PagingKind,
    /// Parameter that names the last row of the page before.
    pub(crate) after: String,
    /// Parameter for the rows a page.
    pub(crate) size: String,
    /// Parameter for the rows to skip.
    pub(crate) offset: String,
    /// Path to the rows, such as `.data`.
    pub(crate) rows: Placed<String>,
    /// Path to the boolean that says whether more rows follow.
    pub(crate) more: Placed<String>,
    /// Rows of one walk; 5,000, and never more than that.
    pub(crate) cap: Option<Placed<u32>>,
}

/// Kind of paging.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PagingKind {
    /// A page starts after the row that the request names by id.
    After,
}

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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
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

/// What a tool does to the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Creates or changes something.
    Write,
    /// Removes something.
    Destroy,
}

/// One tool: arguments, a few requests, a result.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    /// Name: a letter, then letters, digits and `_`, in lower case, at most 40.
    pub(crate) name: Placed<String>,
    /// Other names that a call may use; they are not listed.
    #[serde(default)]
    pub(crate) aliases: Vec<Placed<String>>,
    /// Name for people.
    pub(crate) title: String,
    /// What it does, for the model that calls it.
    pub(crate) description: String,
    /// What it does to the backend; a tool described here reads.
    pub(crate) effect: Placed<Effect>,
    /// Its arguments.
    #[serde(default)]
    pub(crate) input: Table<Argument>,
    /// What it does, in order.
    pub(crate) steps: Vec<Placed<Step>>,
    /// jq filter over the last step's value; without it that value is the result.
    pub(crate) result: Option<Placed<String>>,
}

/// An argument of a tool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Argument {
    /// JSON type.
    #[serde(rename = "type")]
    pub(crate) kind: ArgumentKind,
    /// What it is, for the model that fills it in.
    pub(crate) description: String,
    /// A call without it is refused.
    #[serde(default)]
    pub(crate) required: bool,
    /// Used when a call leaves it out.
    pub(crate) default: Option<Value>,
    /// The texts it may be.
    #[serde(rename = "enum")]
    pub(crate) choices: Option<Vec<String>>,
    /// Least number.
    pub(crate) minimum: Option<f64>,
    /// Greatest number.
    pub(crate) maximum: Option<f64>,
    /// Characters that a text may have.
    #[serde(rename = "maxLength")]
    pub(crate) max_length: Option<u32>,
}

/// JSON type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ArgumentKind {
    String,
    Integer,
    Number,
    Boolean,
}

/// One step of a tool: exactly one of `get` and `let`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Path under `base`, an RFC 6570 template over arguments, `settings.NAME` and `steps.NAME.key`.
    pub(crate) get: Option<Placed<String>>,
    /// Query parameters, each a jq filter; null is not sent, a list repeats the key.
    #[serde(default)]
    pub(crate) query: Table<Placed<String>>,
    /// jq filter over the value of the step before: a value computed without a request.
    #[serde(rename = "let")]
    pub(crate) value: Option<Placed<String>>,
    /// Name of the step's value in `$steps`.
    #[serde(rename = "as")]
    pub(crate) name: Option<Placed<String>>,
}

/// The JSON Schema of a connector file (`connectors/schema.json`), for editors and for the structural check.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Definition).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), "Footbridge connector".into());
    }
    schema
}
