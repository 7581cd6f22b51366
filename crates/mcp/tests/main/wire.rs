//! One conversation with a server, held to the JSON schemas while it goes on: whoever reads through
//! this cannot forget the check. Not a client.
//!
//! A client tells it what it sends and what it receives. Each answer must belong to a request that
//! was sent, and be what the revision of that request says of the answer to its method; each
//! request and notification of the server must be one that the revision has.

use std::collections::HashMap;
use std::sync::Arc;

use footbridge_mcp::Endpoint;
use footbridge_mcp::testing::TestClient;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::schemas::{self, LEGACY, MODERN};

/// What was asked, what was agreed.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// The revision of the handshake, once there was one, or of a header.
    agreed: Option<String>,
    /// What an HTTP header says of the era, for messages that do not say it themselves.
    is_modern: bool,
    /// Whether anything that was sent belongs to 2026-07-28.
    heard_modern: bool,
    /// By its id as JSON, all that was asked under it.
    asked: HashMap<String, Vec<Asked>>,
}

#[derive(Debug, Clone)]
struct Asked {
    method: String,
    era: Era,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Era {
    Legacy,
    Modern,
    /// It says neither, or both, or names a revision that does not exist.
    Unclear,
}

impl Wire {
    /// A conversation over HTTP of which a header says the revision.
    pub(crate) fn with_header(version: Option<&str>) -> Self {
        let agreed = version
            .filter(|version| LEGACY.contains(version))
            .map(str::to_owned);
        Self {
            agreed,
            is_modern: version == Some(MODERN),
            ..Self::default()
        }
    }

    /// A conversation about which nothing is known, so that a message must be one of any revision.
    pub(crate) fn anything() -> Self {
        Self {
            heard_modern: true,
            ..Self::default()
        }
    }

    /// What the client sends, message or batch. What is not JSON need not be told.
    pub(crate) fn sent(&mut self, message: &Value) {
        if let Value::Array(batch) = message {
            return batch.iter().for_each(|message| self.sent(message));
        }
        let version = message["params"]["_meta"].get("io.modelcontextprotocol/protocolVersion");
        let era = match (version, message["method"].as_str()) {
            (Some(version), _) if version == MODERN => Era::Modern,
            (Some(_), _) => Era::Unclear,
            (None, Some("initialize")) if !self.is_modern => Era::Legacy,
            (None, _) if self.is_modern => Era::Modern,
            // Without a word about its era it is of the legacy one; where it has no method, or none
            // that can be read, that cannot be said.
            (None, Some(_)) => Era::Legacy,
            (None, None) => Era::Unclear,
        };
        self.heard_modern |= era != Era::Legacy;
        let is_answer = message.get("method").is_none()
            && (message.get("result").is_some() || message.get("error").is_some());
        if let Some(id) = message.get("id").filter(|_| !is_answer) {
            let method = message["method"].as_str().unwrap_or_default().to_owned();
            self.asked
                .entry(id.to_string())
                .or_default()
                .push(Asked { method, era });
        }
    }

    /// What the client sends, if it is a message at all: also one that is too deep, or holds half a
    /// character, somewhere in its parameters.
    pub(crate) fn sent_text(&mut self, text: &[u8]) {
        if let Ok(message) = serde_json::from_slice(text) {
            return self.sent(&message);
        }
        let members =
            |text| serde_json::from_slice::<HashMap<String, &RawValue>>(text).unwrap_or_default();
        let mut message = json!({});
        for (name, value) in members(text) {
            message[&name] = match &*name {
                "params" => json!({"_meta": members(value.get().as_bytes()).get("_meta")}),
                _ => serde_json::from_str(value.get()).unwrap_or_default(),
            };
        }
        self.sent(&message);
    }

    /// The same, a message a line.
    pub(crate) fn sent_lines(&mut self, bytes: &[u8]) {
        bytes
            .split(|byte| *byte == b'\n')
            .for_each(|line| self.sent_text(line));
    }

    /// What the server says, message or batch.
    pub(crate) fn received(&mut self, message: &Value) {
        match message {
            Value::Array(batch) => {
                assert!(!batch.is_empty(), "a batch of nothing");
                let revision = self.agreed.as_deref().unwrap_or("2025-03-26");
                assert_eq!(
                    revision, "2025-03-26",
                    "no other revision has batches: {message}"
                );
                // What a handshake in the batch agrees on holds after the batch, not in it: an error
                // that names no request is looked at first.
                let names_none = |message: &&Value| message["id"].is_null();
                let (unnamed, named): (Vec<_>, Vec<_>) = batch.iter().partition(names_none);
                unnamed
                    .into_iter()
                    .chain(named)
                    .for_each(|message| self.received_one(message));
            }
            message => self.received_one(message),
        }
    }

    fn received_one(&mut self, message: &Value) {
        match (message.get("method"), message.get("id")) {
            (Some(method), Some(_)) => {
                assert!(
                    !self.is_modern,
                    "2026-07-28 has no requests of a server: {message}"
                );
                let definition = request(method);
                one_holds(&self.legacy(), message, |revision| {
                    [
                        schemas::problems(revision, "JSONRPCRequest", message),
                        schemas::problems(revision, definition, message),
                    ]
                    .concat()
                });
            }
            (Some(method), None) => {
                let definitions = notification(method, message);
                // The tag of a subscription is a word of 2026-07-28 alone.
                let is_tagged = message["params"]["_meta"]
                    .get("io.modelcontextprotocol/subscriptionId")
                    .is_some();
                let revisions = if is_tagged {
                    vec![MODERN.to_owned()]
                } else {
                    self.spoken()
                };
                one_holds(&revisions, message, |revision| {
                    let envelope = schemas::problems(revision, "JSONRPCNotification", message);
                    match definitions[usize::from(revision == MODERN)] {
                        "" => vec![format!("{revision} has no such notification")],
                        definition => {
                            [envelope, schemas::problems(revision, definition, message)].concat()
                        }
                    }
                });
            }
            (None, _) => self.answered(message),
        }
    }

    fn answered(&mut self, message: &Value) {
        let Some(id) = message.get("id").filter(|id| !id.is_null()) else {
            assert!(
                message.get("error").is_some(),
                "a result of no request: {message}"
            );
            return one_holds(&self.spoken(), message, |revision| {
                schemas::error_problems(revision, message)
            });
        };
        let asked = self
            .asked
            .get(&id.to_string())
            .unwrap_or_else(|| panic!("nobody asked this: {message}"))
            .clone();
        let mut revisions = Vec::new();
        for Asked { method, era } in asked {
            let known = match era {
                Era::Modern => vec![MODERN.to_owned()],
                Era::Unclear => self.any(),
                Era::Legacy if method == "initialize" && message.get("result").is_some() => {
                    let agreed = message["result"]["protocolVersion"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned();
                    assert!(
                        LEGACY.contains(&&*agreed),
                        "{agreed:?} has no handshake: {message}"
                    );
                    self.agreed = Some(agreed.clone());
                    vec![agreed]
                }
                Era::Legacy => self.legacy(),
            };
            revisions.extend(known.into_iter().map(|revision| (revision, method.clone())));
        }
        let tried: Vec<Vec<String>> = revisions
            .iter()
            .map(|(revision, method)| {
                schemas::answer_problems(
                    revision,
                    result(method, revision, &message["result"]),
                    message,
                )
            })
            .collect();
        assert!(tried.iter().any(Vec::is_empty), "{tried:#?}\n{message:#}");
    }

    /// The legacy revisions that this may be.
    fn legacy(&self) -> Vec<String> {
        self.agreed
            .clone()
            .map_or_else(|| LEGACY.map(str::to_owned).to_vec(), |agreed| vec![agreed])
    }

    /// All that are spoken here.
    fn spoken(&self) -> Vec<String> {
        if self.is_modern {
            return vec![MODERN.to_owned()];
        }
        self.legacy()
            .into_iter()
            .chain(self.heard_modern.then(|| MODERN.to_owned()))
            .collect()
    }

    fn any(&self) -> Vec<String> {
        self.legacy()
            .into_iter()
            .chain([MODERN.to_owned()])
            .collect()
    }
}

/// Clients in memory that are held to the schemas.
pub(crate) trait InMemory<C> {
    /// [`Endpoint::test`], and each message looked at.
    fn client(&self, caller: impl Into<Arc<C>>) -> TestClient<C>;
}

impl<C: Send + Sync + 'static> InMemory<C> for Endpoint<C> {
    fn client(&self, caller: impl Into<Arc<C>>) -> TestClient<C> {
        self.test(caller).watch(|request, message| {
            let mut wire = Wire::default();
            wire.sent(request);
            wire.received(message);
        })
    }
}

fn one_holds(revisions: &[String], message: &Value, problems: impl Fn(&str) -> Vec<String>) {
    let tried: Vec<Vec<String>> = revisions
        .iter()
        .map(|revision| problems(revision))
        .collect();
    assert!(tried.iter().any(Vec::is_empty), "{tried:#?}\n{message:#}");
}

/// What the answer to a method is called.
fn result(method: &str, revision: &str, result: &Value) -> &'static str {
    let is_modern = revision == MODERN;
    match (method, result["resultType"].as_str()) {
        ("tools/call" | "prompts/get" | "resources/read", Some("input_required")) if is_modern => {
            "InputRequiredResult"
        }
        ("tools/call", Some("task")) if is_modern => "CreateTaskResult",
        ("tools/call", _) => "CallToolResult",
        ("prompts/get", _) => "GetPromptResult",
        ("resources/read", _) => "ReadResourceResult",
        ("tools/list", _) => "ListToolsResult",
        ("prompts/list", _) => "ListPromptsResult",
        ("resources/list", _) => "ListResourcesResult",
        ("resources/templates/list", _) => "ListResourceTemplatesResult",
        ("completion/complete", _) => "CompleteResult",
        ("initialize", _) if !is_modern => "InitializeResult",
        ("ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe", _)
            if !is_modern =>
        {
            "EmptyResult"
        }
        ("server/discover", _) if is_modern => "DiscoverResult",
        ("subscriptions/listen", _) if is_modern => "SubscriptionsListenResult",
        ("tasks/get", _) if is_modern => "GetTaskResult",
        ("tasks/update" | "tasks/cancel", _) if is_modern => "TaskAcknowledgement",
        // A method of the application's own.
        _ => "Result",
    }
}

/// What a request of the server is called.
fn request(method: &Value) -> &'static str {
    match method.as_str() {
        Some("elicitation/create") => "ElicitRequest",
        Some("sampling/createMessage") => "CreateMessageRequest",
        Some("roots/list") => "ListRootsRequest",
        Some("ping") => "PingRequest",
        other => panic!("{other:?} is no request of a server"),
    }
}

/// What a notification of the server is called, in the legacy revisions and in the modern one.
fn notification(method: &Value, message: &Value) -> [&'static str; 2] {
    let both = |name| [name, name];
    match method.as_str() {
        Some("notifications/progress") => both("ProgressNotification"),
        Some("notifications/message") => both("LoggingMessageNotification"),
        Some("notifications/cancelled") => both("CancelledNotification"),
        Some("notifications/resources/updated") => both("ResourceUpdatedNotification"),
        Some("notifications/resources/list_changed") => both("ResourceListChangedNotification"),
        Some("notifications/tools/list_changed") => both("ToolListChangedNotification"),
        Some("notifications/prompts/list_changed") => both("PromptListChangedNotification"),
        Some("notifications/subscriptions/acknowledged")
            if message["params"]["notifications"].get("taskIds").is_some() =>
        {
            ["", "TasksAcknowledgedNotification"]
        }
        Some("notifications/subscriptions/acknowledged") => {
            ["", "SubscriptionsAcknowledgedNotification"]
        }
        Some("notifications/tasks") => ["", "TaskStatusNotification"],
        other => panic!("{other:?} is no notification of a server"),
    }
}
