//! The `prompts:` section as written: messages that a person picks to begin with.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::place::{Placed, Table};

/// A message that a person picks to begin with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Prompt")]
pub(crate) struct PromptDefinition {
    /// Name: as that of a tool.
    pub(crate) name: Placed<String>,
    /// Name for people.
    pub(crate) title: String,
    /// What it is for.
    pub(crate) description: String,
    /// What a person types in; always text.
    #[serde(default)]
    pub(crate) input: Table<PromptArgumentDefinition>,
    /// The message; `{name}` stands for an argument, and for nothing when that is left out.
    pub(crate) text: Placed<String>,
}

/// Something that a person types in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PromptArgument")]
pub(crate) struct PromptArgumentDefinition {
    /// What it is.
    pub(crate) description: String,
    /// The prompt cannot do without it.
    #[serde(default)]
    pub(crate) required: bool,
}
