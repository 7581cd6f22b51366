//! The `resources:` section as written: what a client may read by an address.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Answer;
use crate::place::{Placed, Table};

/// What a client may read by an address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Resource")]
pub(crate) struct ResourceDefinition {
    /// Its address, or a template of one such as `notes://{id}`: a name stands for one segment
    /// without `/`.
    pub(crate) uri: Placed<String>,
    /// Name: as that of a tool.
    pub(crate) name: Placed<String>,
    /// Name for people.
    pub(crate) title: String,
    /// What it holds, for the model.
    pub(crate) description: String,
    /// Media type; `application/json`, or `text/plain` where the answer is read as text.
    pub(crate) mime: Option<Placed<String>>,
    /// Regular expression for the whole of each name of the address; an address that does not fit
    /// is none of this resource.
    #[serde(default, rename = "match")]
    pub(crate) patterns: Table<Placed<String>>,
    /// Path under `base`, a template over the names of the address and `settings.NAME`.
    pub(crate) get: Placed<String>,
    /// Query parameters, each a jq filter; the names of the address are in `$args`.
    #[serde(default)]
    pub(crate) query: Table<Placed<String>>,
    /// How the answer is read; json.
    #[serde(default)]
    pub(crate) answer: Answer,
    /// Nobody published this path: `footbridge doctor` names it first when the backend differs.
    #[serde(default)]
    pub(crate) assumed: bool,
    /// jq filter over the answer: what is handed out, a text as it is and anything else as JSON.
    pub(crate) result: Option<Placed<String>>,
}
