//! The `actions:` section as written: calls of tools under REST paths of their own.

use schemars::JsonSchema;
use serde::Deserialize;

use super::JsonType;
use crate::place::{Placed, Table};

/// A call of a tool by HTTP, with an envelope of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RestAction")]
pub(crate) struct RestActionDefinition {
    /// HTTP method.
    pub(crate) method: Placed<ActionMethod>,
    /// The tool that is called.
    pub(crate) tool: Placed<String>,
    /// What it does, for the OpenAPI document; the tool's description.
    pub(crate) description: Option<String>,
    /// Name of its command in `footbridge actions`; its own name, with hyphens.
    pub(crate) command: Option<Placed<String>>,
    /// What a request may carry, for the OpenAPI document and the command: parameters of a `get`,
    /// keys of the body otherwise.
    #[serde(default)]
    pub(crate) input: Table<ActionInputDefinition>,
    /// jq filter over `{query: {name: [values]}, body}`: the arguments of the one call.
    /// `error("...")` refuses the request.
    pub(crate) args: Option<Placed<String>>,
    /// jq filter over the same: the arguments of each of several calls. One of `args` and `calls`.
    pub(crate) calls: Option<Placed<String>>,
    /// jq filter over the record that the call gave, before any shape; with `calls`, over `[{args,
    /// result}]`.
    pub(crate) result: Option<Placed<String>>,
    /// What the keys of the result are, for the OpenAPI document, where its filter does not say:
    /// `string`, `integer`, `number`, `boolean`, `array`, `object`, or several with `or`, such as
    /// `integer or null`.
    #[serde(default)]
    pub(crate) types: Table<Placed<String>>,
}

/// What a request of an action may carry. What it does not say is as the tool's argument of the
/// same name says.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ActionInput")]
pub(crate) struct ActionInputDefinition {
    /// The tool's argument that it stands for, when that has another name.
    pub(crate) argument: Option<Placed<String>>,
    /// What it is; a list is one of texts. Without it, as the argument: a whole number too, where
    /// the argument is looked up by name.
    #[serde(rename = "type")]
    pub(crate) kind: Option<JsonType>,
    /// What it is for.
    pub(crate) description: Option<String>,
    /// A request without it is refused; the filter says so, too.
    #[serde(default)]
    pub(crate) required: bool,
    /// Null is a value: it clears the field. As the tool's argument.
    pub(crate) clear: Option<bool>,
}

/// HTTP method of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ActionMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}
