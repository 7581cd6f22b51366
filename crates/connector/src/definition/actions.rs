//! The `actions:` section as written: calls of tools under REST paths of their own.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::place::Placed;

/// A call of a tool by HTTP, with an envelope of its own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestAction {
    /// HTTP method.
    pub(crate) method: Placed<ActionMethod>,
    /// The tool that is called.
    pub(crate) tool: Placed<String>,
    /// What it does, for the OpenAPI document; the tool's description.
    pub(crate) description: Option<String>,
    /// jq filter over `{query: {name: [values]}, body}`: the arguments of the one call. `error("...")` refuses the request.
    pub(crate) args: Option<Placed<String>>,
    /// jq filter over the same: the arguments of each of several calls. One of `args` and `calls`.
    pub(crate) calls: Option<Placed<String>>,
    /// jq filter over the record that the call gave, before any shape; with `calls`, over `[{args, result}]`.
    pub(crate) result: Option<Placed<String>>,
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
