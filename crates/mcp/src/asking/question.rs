//! The three kinds of question and what an answer to each must look like.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::Client;

/// A form for the user. Source: specification 2026-07-28, Elicitation.
#[derive(Debug, Clone, PartialEq)]
pub struct Elicitation {
    message: String,
    schema: Value,
}

impl Elicitation {
    /// A form with a message and a schema: an object whose properties are strings, numbers, booleans or enums.
    #[must_use]
    pub fn form(message: impl Into<String>, schema: Value) -> Self {
        Self { message: message.into(), schema }
    }
}

/// What the user did with a form.
#[derive(Debug, Clone, PartialEq)]
pub enum Elicited {
    /// Filled it in; the content fits the form's schema.
    Accepted(Map<String, Value>),
    /// Said no.
    Declined,
    /// Closed it.
    Cancelled,
}

/// A request to the client's model. Source: specification 2026-07-28, Sampling.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    params: Map<String, Value>,
}

impl Sampling {
    /// One message of the user, and the most tokens that the answer may have.
    #[must_use]
    pub fn text(text: impl Into<String>, max_tokens: u32) -> Self {
        let message = json!({ "role": "user", "content": { "type": "text", "text": text.into() } });
        let mut params = Map::new();
        params.insert("messages".to_owned(), json!([message]));
        params.insert("maxTokens".to_owned(), Value::from(max_tokens));
        Self { params }
    }

    /// What the model should know before the message.
    #[must_use]
    pub fn system_prompt(mut self, prompt: impl Into<String>) -> Self {
        self.params.insert("systemPrompt".to_owned(), Value::from(prompt.into()));
        self
    }

    /// The parameters as they are, for what the other methods do not cover.
    #[must_use]
    pub fn params(params: Map<String, Value>) -> Self {
        Self { params }
    }
}

/// A directory that the client works in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Root {
    /// Its address, a `file://` URI.
    pub uri: String,
    /// Its name for people.
    pub name: Option<String>,
}

/// A question as it goes to the client.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "method", content = "params")]
pub(crate) enum Question {
    #[serde(rename = "elicitation/create")]
    Elicit(Map<String, Value>),
    #[serde(rename = "sampling/createMessage")]
    Sample(Map<String, Value>),
    #[serde(rename = "roots/list")]
    Roots(Map<String, Value>),
}

impl Question {
    pub(super) fn elicit(elicitation: Elicitation) -> Self {
        let mut params = Map::new();
        params.insert("mode".to_owned(), Value::from("form"));
        params.insert("message".to_owned(), Value::from(elicitation.message));
        params.insert("requestedSchema".to_owned(), elicitation.schema);
        Self::Elicit(params)
    }

    pub(super) fn sample(sampling: Sampling) -> Self {
        Self::Sample(sampling.params)
    }

    /// The capability that the client would have to declare, if it did not. One that only opens pages for its user shows no forms.
    pub(super) fn missing_capability(&self, client: &Client) -> Option<(&'static str, Value)> {
        let name = match self {
            Self::Elicit(_) => "elicitation",
            Self::Sample(_) => "sampling",
            Self::Roots(_) => "roots",
        };
        if !client.can(name) {
            return Some((name, json!({})));
        }
        let declares = |part: &str| client.capabilities().pointer(&format!("/{name}/{part}")).is_some_and(|part| !part.is_null());
        let shows_no_forms = matches!(self, Self::Elicit(_)) && declares("url") && !declares("form");
        shows_no_forms.then(|| (name, json!({"form": {}})))
    }

    /// The question as a JSON-RPC request, for the legacy era.
    pub(crate) fn as_request(&self, number: u64) -> Option<Vec<u8>> {
        #[derive(Serialize)]
        struct Request<'a> {
            jsonrpc: &'static str,
            id: String,
            #[serde(flatten)]
            question: &'a Question,
        }
        let id = format!("{}{number}", crate::conversation::QUESTION_PREFIX);
        serde_json::to_vec(&Request { jsonrpc: "2.0", id, question: self }).ok()
    }

    /// Whether an answer is one to this question; one that is not is asked for again.
    pub(crate) fn admits(&self, answer: &Value) -> bool {
        match self {
            Self::Elicit(params) => match answer.get("action").and_then(Value::as_str) {
                Some("accept") => {
                    let schema = params.get("requestedSchema").unwrap_or(&Value::Bool(true));
                    let content = answer.get("content").unwrap_or(&Value::Null);
                    content.is_object() && jsonschema::is_valid(schema, content)
                }
                Some("decline" | "cancel") => true,
                _ => false,
            },
            Self::Sample(_) => answer.get("role").is_some_and(Value::is_string) && answer.get("content").is_some(),
            Self::Roots(_) => answer.get("roots").is_some_and(Value::is_array),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::{Elicitation, Question, Sampling};

    #[test]
    fn only_fitting_answers_are_answers() {
        let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
        let form = Question::elicit(Elicitation::form("Who?", schema));
        assert!(form.admits(&json!({"action": "accept", "content": {"name": "Ada"}})));
        assert!(form.admits(&json!({"action": "decline"})) && form.admits(&json!({"action": "cancel"})));
        for bad in [
            json!({}),
            json!(null),
            json!("x"),
            json!({"action": "accept"}),
            json!({"action": "accept", "content": {"name": 1}}),
            json!({"action": "maybe"}),
        ] {
            assert!(!form.admits(&bad), "{bad}");
        }
        let sample = Question::sample(Sampling::text("?", 1));
        assert!(sample.admits(&json!({"role": "assistant", "content": {"type": "text", "text": "x"}, "model": "m"})));
        assert!(!sample.admits(&json!({"role": "assistant"})));
        assert!(Question::Roots(Map::new()).admits(&json!({"roots": []})));
        assert!(!Question::Roots(Map::new()).admits(&json!({"roots": 1})));
    }
}
