//! Resources and prompts of a connector as a client may see them. Reads nothing (see `backend`).

use crate::jq::Glue;
use crate::template::Template;

use super::Request;

/// What a client may read by an address.
#[derive(Debug)]
pub struct ConnectorResource {
    /// Its address, or a template of one (RFC 6570 level 1) such as `notes://{id}`.
    pub uri: String,
    /// The address has names to fill in.
    pub is_template: bool,
    /// Its name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What it holds, for a model.
    pub description: String,
    /// Its media type.
    pub mime_type: String,
    pub(crate) patterns: Vec<(String, jsonschema::Validator)>,
    pub(crate) request: Request,
    pub(crate) result: Option<Glue>,
}

impl ConnectorResource {
    /// True when every value of the address fits the pattern of its name; an address where one does
    /// not is none of this resource.
    pub fn admits(&self, values: &serde_json::Map<String, serde_json::Value>) -> bool {
        self.patterns.iter().all(|(name, pattern)| {
            values
                .get(name)
                .is_some_and(|value| pattern.is_valid(value))
        })
    }
}

/// A message that a person picks to begin with.
#[derive(Debug)]
pub struct ConnectorPrompt {
    /// Its name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What a person types in.
    pub arguments: Vec<ConnectorPromptArgument>,
    pub(crate) text: Template,
}

impl ConnectorPrompt {
    /// The message, with what was typed in; an argument that was left out stands for nothing.
    pub fn message(&self, arguments: &serde_json::Map<String, serde_json::Value>) -> String {
        let value = |name: &str| {
            arguments
                .get(name)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        };
        self.text.text(|name| Some(value(name))).unwrap_or_default()
    }
}

/// Something that a person types in; always text.
#[derive(Debug)]
pub struct ConnectorPromptArgument {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The prompt cannot do without it.
    pub required: bool,
}
