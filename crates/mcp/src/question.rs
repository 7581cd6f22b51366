//! Questions for a client: the three kinds, what an answer to each must look like, and the
//! questions that a call still needs answered. Sends none.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::validator::Validator;

/// A form for the user, or a page. A form that is a struct is [`crate::Call::ask`]. Source:
/// specification 2026-07-28, Elicitation.
///
/// ```
/// use footbridge_mcp::{Call, Elicitation, Elicited, Failure};
/// use serde_json::json;
///
/// async fn colour(call: &Call<()>) -> Result<Option<String>, Failure> {
///     let schema = json!({"type": "object", "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}}});
///     let form = Elicitation::form("Which colour?", schema);
///     Ok(match call.elicit("colour", form).await? {
///         Elicited::Accepted(content) => content.get("colour").and_then(|colour| colour.as_str()).map(str::to_owned),
///         Elicited::Declined | Elicited::Cancelled => None,
///     })
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Elicitation {
    message: String,
    kind: ElicitationKind,
}

#[derive(Debug, Clone, PartialEq)]
enum ElicitationKind {
    Form(Value),
    Page(String),
}

impl Elicitation {
    /// A form with a message and a schema: an object whose properties are strings, numbers,
    /// booleans or enums. Never for passwords and their like, which would pass through the client:
    /// those are for [`Elicitation::url`].
    #[must_use]
    pub fn form(message: impl Into<String>, schema: Value) -> Self {
        Self {
            message: message.into(),
            kind: ElicitationKind::Form(schema),
        }
    }

    /// A page for the user to open, `https` outside of development, for what the client must not
    /// see: a password, a payment, another service's consent. Only clients of 2025-11-25 and later
    /// that declare `elicitation.url` open pages.
    ///
    /// Accepted means that the user agreed to open the page, and holds nothing. What became of it
    /// the application knows, as it knows whether the one who opened it is the one who asked: it
    /// must check that itself. Put no secret into the address.
    #[must_use]
    pub fn url(message: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: ElicitationKind::Page(url.into()),
        }
    }
}

/// The response of the user to a form or a page. The content is a `T`: of [`crate::Call::ask`] the type
/// that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Elicited<T = Map<String, Value>> {
    /// Filled it in; the content fits the form's schema. Agreed to open the page; there is no
    /// content.
    Accepted(T),
    /// Said no.
    Declined,
    /// Closed it.
    Cancelled,
}

impl<T> Elicited<T> {
    /// What the user filled in; nothing where the answer was no, or none.
    #[must_use]
    pub fn accepted(self) -> Option<T> {
        match self {
            Self::Accepted(content) => Some(content),
            Self::Declined | Self::Cancelled => None,
        }
    }
}

/// A request to the client's language model. Source: specification 2026-07-28, Sampling.
///
/// ```
/// use footbridge_mcp::{Call, Failure, Sampling};
///
/// async fn summary(call: &Call<()>, text: &str) -> Result<String, Failure> {
///     let question = Sampling::text(format!("Summarise: {text}"), 200).system_prompt("One sentence.");
///     Ok(call.sample("summary", question).await?.text())
/// }
/// ```
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

    /// What the language model should know before the message.
    #[must_use]
    pub fn system_prompt(mut self, prompt: impl Into<String>) -> Self {
        self.params
            .insert("systemPrompt".to_owned(), Value::from(prompt.into()));
        self
    }

    /// The parameters as they are, for what the other methods do not cover.
    #[must_use]
    pub fn params(params: Map<String, Value>) -> Self {
        Self { params }
    }
}

/// The answer of the client's language model to a [`Sampling`]: a `CreateMessageResult`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampled {
    result: Value,
}

impl Sampled {
    pub(crate) fn new(result: Value) -> Self {
        Self { result }
    }

    /// The text of the answer; of several blocks of text, one after another.
    #[must_use]
    pub fn text(&self) -> String {
        let content = self.result.get("content").unwrap_or(&Value::Null);
        let blocks = content
            .as_array()
            .map_or(std::slice::from_ref(content), Vec::as_slice);
        let text = |block: &Value| {
            let text = block.get("text").and_then(Value::as_str);
            text.map(str::to_owned)
        };
        blocks.iter().filter_map(text).collect()
    }

    /// Which language model it was, by the client's word.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.result.get("model").and_then(Value::as_str)
    }

    /// Why it stopped, such as `endTurn` or `maxTokens`.
    #[must_use]
    pub fn stop_reason(&self) -> Option<&str> {
        self.result.get("stopReason").and_then(Value::as_str)
    }

    /// The whole answer.
    #[must_use]
    pub fn as_json(&self) -> &Value {
        &self.result
    }
}

/// A directory that the client works in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// Its address, a `file://` URI.
    pub uri: String,
    /// Its name for people.
    pub name: Option<String>,
}

/// What ids of questions begin with, so that they are not taken for the client's own.
pub(crate) const QUESTION_PREFIX: &str = "ask-";

/// Questions by their names.
pub(crate) type Questions = BTreeMap<String, ClientQuestion>;

/// The questions that a call still needs answered, and the answers it has.
#[derive(Debug, Clone, PartialEq)]
pub struct InputRequired {
    pub(crate) questions: Questions,
    pub(crate) answers: Map<String, Value>,
}

impl InputRequired {
    /// The names of the questions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.questions.keys().map(String::as_str)
    }
}

/// A question as it goes to the client.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "method", content = "params")]
pub(crate) enum ClientQuestion {
    #[serde(rename = "elicitation/create")]
    Elicit(Map<String, Value>),
    #[serde(rename = "sampling/createMessage")]
    Sample(Map<String, Value>),
    #[serde(rename = "roots/list")]
    Roots(Map<String, Value>),
}

/// The schema of a form without what generators of schemas put at their root, which is nothing that
/// a client shows. Source: specification 2026-07-28, schema, `ElicitRequestFormParams`.
fn as_form(mut schema: Value) -> Value {
    if let Some(root) = schema.as_object_mut() {
        root.shift_remove("$schema");
        root.shift_remove("title");
    }
    schema
}

impl ClientQuestion {
    pub(crate) fn elicit(elicitation: Elicitation) -> Self {
        let (mode, key, value) = match elicitation.kind {
            ElicitationKind::Form(schema) => ("form", "requestedSchema", as_form(schema)),
            ElicitationKind::Page(url) => ("url", "url", Value::from(url)),
        };
        let mut params = Map::new();
        params.insert("mode".to_owned(), Value::from(mode));
        params.insert("message".to_owned(), Value::from(elicitation.message));
        params.insert(key.to_owned(), value);
        Self::Elicit(params)
    }

    /// Why it cannot be asked, in one sentence for the developer.
    pub(crate) fn problem(&self) -> Option<String> {
        let Self::Elicit(params) = self else {
            return None;
        };
        if let Some(url) = params.get("url").and_then(Value::as_str) {
            let page = url
                .parse::<http::Uri>()
                .ok()
                .filter(|page| matches!(page.scheme_str(), Some("https" | "http")));
            return page.is_none().then(|| {
                format!("{url:?} is not the address of a page: write it in full, such as https://…")
            });
        }
        let schema = params.get("requestedSchema").unwrap_or(&Value::Null);
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Some("the schema of a form must have `type: object` at its root".to_owned());
        }
        Validator::of(schema)
            .err()
            .map(|why| format!("the schema of the form is not valid: {why}"))
    }

    fn is_page(&self) -> bool {
        matches!(self, Self::Elicit(params) if params.contains_key("url"))
    }

    pub(crate) fn sample(sampling: Sampling) -> Self {
        Self::Sample(sampling.params)
    }

    /// The capability that the client would have to declare, if it did not, and the part of it. One
    /// that opens pages says so; one that only opens pages shows no forms.
    pub(crate) fn missing_capability(
        &self,
        client: &Client,
    ) -> Option<(&'static str, Option<&'static str>)> {
        let name = match self {
            Self::Elicit(_) => "elicitation",
            Self::Sample(_) => "sampling",
            Self::Roots(_) => "roots",
        };
        let declares = |part: &str| {
            client
                .capabilities()
                .pointer(&format!("/{name}/{part}"))
                .is_some_and(|part| !part.is_null())
        };
        match self {
            Self::Elicit(_) if self.is_page() => (!declares("url")).then_some((name, Some("url"))),
            _ if !client.can(name) => Some((name, None)),
            Self::Elicit(_) if declares("url") && !declares("form") => Some((name, Some("form"))),
            _ => None,
        }
    }

    /// The question as a JSON-RPC request, for the legacy era, in which a page has an id of its
    /// own. Source: specification 2025-11-25, Elicitation, "URL Mode Elicitation Requests".
    pub(crate) fn as_request(&self, number: u64) -> Option<Vec<u8>> {
        #[derive(Serialize)]
        struct QuestionRequest<'a> {
            jsonrpc: &'static str,
            id: String,
            #[serde(flatten)]
            question: &'a ClientQuestion,
        }
        let id = format!("{}{number}", QUESTION_PREFIX);
        let mut question = Cow::Borrowed(self);
        if self.is_page()
            && let Self::Elicit(params) = question.to_mut()
        {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).ok()?;
            params.insert(
                "elicitationId".to_owned(),
                Value::from(URL_SAFE_NO_PAD.encode(bytes)),
            );
        }
        serde_json::to_vec(&QuestionRequest {
            jsonrpc: "2.0",
            id,
            question: &question,
        })
        .ok()
    }

    /// Whether an answer is one to this question; one that is not is asked for again.
    pub(crate) fn admits(&self, answer: &Value) -> bool {
        match self {
            Self::Elicit(params) => match answer.get("action").and_then(Value::as_str) {
                Some("accept") if self.is_page() => true,
                Some("accept") => {
                    let schema = params.get("requestedSchema").unwrap_or(&Value::Bool(true));
                    let content = answer.get("content").unwrap_or(&Value::Null);
                    content.is_object()
                        && Validator::default()
                            .built(|| Cow::Borrowed(schema))
                            .is_ok_and(|form| form.is_valid(content))
                }
                Some("decline" | "cancel") => true,
                _ => false,
            },
            Self::Sample(_) => {
                answer.get("role").is_some_and(Value::is_string) && answer.get("content").is_some()
            }
            Self::Roots(_) => answer.get("roots").is_some_and(Value::is_array),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::{ClientQuestion, Elicitation, Sampling};

    #[test]
    fn a_form_has_nothing_that_its_generator_put_at_its_root() {
        #[derive(schemars::JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Colour {
            colour: String,
        }
        let schema = schemars::schema_for!(Colour).to_value();
        assert!(schema.get("$schema").is_some() && schema.get("title").is_some());
        let ClientQuestion::Elicit(params) =
            ClientQuestion::elicit(Elicitation::form("Which?", schema))
        else {
            unreachable!()
        };
        let expected = json!({"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]});
        assert_eq!(params["requestedSchema"], expected);
    }

    #[test]
    fn only_fitting_answers_are_answers() {
        let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
        let form = ClientQuestion::elicit(Elicitation::form("Who?", schema));
        assert!(form.admits(&json!({"action": "accept", "content": {"name": "Ada"}})));
        assert!(
            form.admits(&json!({"action": "decline"})) && form.admits(&json!({"action": "cancel"}))
        );
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
        let sample = ClientQuestion::sample(Sampling::text("?", 1));
        assert!(sample.admits(
            &json!({"role": "assistant", "content": {"type": "text", "text": "x"}, "model": "m"})
        ));
        assert!(!sample.admits(&json!({"role": "assistant"})));
        assert!(ClientQuestion::Roots(Map::new()).admits(&json!({"roots": []})));
        assert!(!ClientQuestion::Roots(Map::new()).admits(&json!({"roots": 1})));
    }
}
