//! The test client, in memory, for the tests of an application: real requests of 2026-07-28 through
//! the dispatcher, without a socket.
//!
//! ```
//! use footbridge_mcp::{Call, Elicited, Endpoint, Failure, Run, Tool};
//! use serde_json::json;
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Sure;
//!
//! /// Erase everything.
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct EraseAll;
//!
//! impl Run<bool> for EraseAll {
//!     type Output = &'static str;
//!     async fn run(self, call: &Call<bool>) -> Result<&'static str, Failure> {
//!         match call.ask::<Sure>("Erase everything?").await? {
//!             Elicited::Accepted(Sure) => Ok("erased"),
//!             Elicited::Declined | Elicited::Cancelled => Ok("kept"),
//!         }
//!     }
//!     fn allowed_for(call: &Call<bool>) -> bool {
//!         *call.caller
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let endpoint = Endpoint::builder("eraser", "1.0.0").tool(Tool::of::<EraseAll>()).build()?;
//! // A client is one caller, and answers what it is asked.
//! let staff = endpoint.test(true).answer("sure", json!({"action": "decline"}));
//! assert_eq!(staff.call("erase_all", json!({})).await?.text(), "kept");
//! // To who may not see it, a tool does not exist.
//! let guest = endpoint.test(false);
//! assert_eq!(guest.call("erase_all", json!({})).await.unwrap_err().code, -32601);
//! # Ok(())
//! # }
//! ```

mod following;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::dispatch::{self, Arrival, MessageOrigin};
use crate::endpoint::Endpoint;
use crate::outlet::Outlet;
use crate::revision::Revision;

/// The times a client comes back with answers before it gives a call up.
const ROUNDS: usize = 16;

/// The code of a method that the endpoint does not have.
const UNKNOWN_METHOD: i64 = -32601;

/// A client of one endpoint, as one caller. Made by [`Endpoint::test`].
pub struct TestClient<C> {
    endpoint: Endpoint<C>,
    caller: Arc<C>,
    capabilities: Value,
    answers: Map<String, Value>,
    follows_tasks: bool,
    watcher: Option<Watcher>,
}

/// Looks at a message, beside the request that it came of.
type Watcher = Box<dyn Fn(&Value, &Value) + Send + Sync>;

/// The answer of an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    result: Value,
    messages: Vec<Value>,
}

/// The refusal of an endpoint: a JSON-RPC error.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message} ({code})")]
#[non_exhaustive]
pub struct TestError {
    /// The JSON-RPC code, such as -32602.
    pub code: i64,
    /// The sentence.
    pub message: String,
    /// What goes with it.
    pub data: Option<Value>,
}

impl<C: Send + Sync + 'static> Endpoint<C> {
    /// A client for tests that is this caller and declares elicitation, sampling and roots.
    ///
    /// Its requests pass everything that a client's requests pass except the transport: visibility,
    /// validation, time limits, the form of results.
    #[must_use]
    pub fn test(&self, caller: impl Into<Arc<C>>) -> TestClient<C> {
        TestClient {
            endpoint: self.clone(),
            caller: caller.into(),
            capabilities: json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} }),
            answers: Map::new(),
            follows_tasks: false,
            watcher: None,
        }
    }
}

impl<C: Send + Sync + 'static> TestClient<C> {
    /// The capabilities that the client declares.
    #[must_use]
    pub fn capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Has the client know tasks. A call that becomes one is waited for, its questions are
    /// answered, and its result is the call's; a task that failed is the error that it failed with.
    #[must_use]
    pub fn follow_tasks(mut self) -> Self {
        self.capabilities = following::with_tasks(self.capabilities);
        self.follows_tasks = true;
        self
    }

    /// What the client answers to the question of this name, such as `{"action": "accept",
    /// "content": {…}}` to an elicitation. A question of [`crate::Call::ask`] has the name of its
    /// type in `snake_case`.
    #[must_use]
    pub fn answer(mut self, question: impl Into<String>, answer: Value) -> Self {
        self.answers.insert(question.into(), answer);
        self
    }

    /// Has every message looked at as it would go over the wire: first the request, then, one by
    /// one, what came of it: progress and log messages, and the answer. For tests of the form
    /// itself, such as a comparison with a schema; the function may panic.
    #[must_use]
    pub fn watch(mut self, look: impl Fn(&Value, &Value) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Box::new(look));
        self
    }

    /// Calls a tool. A failure of the tool is a result with [`TestResult::is_error`].
    ///
    /// # Errors
    /// What the endpoint refuses: a tool that the caller cannot see, a question without an answer.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<TestResult, TestError> {
        self.request(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        )
        .await
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// What the endpoint refuses: an address at which the caller sees nothing.
    pub async fn read(&self, uri: &str) -> Result<TestResult, TestError> {
        self.request("resources/read", json!({ "uri": uri })).await
    }

    /// Gets a prompt.
    ///
    /// # Errors
    /// What the endpoint refuses: a prompt that the caller cannot see, arguments that do not fit.
    pub async fn get(&self, prompt: &str, arguments: Value) -> Result<TestResult, TestError> {
        self.request(
            "prompts/get",
            json!({ "name": prompt, "arguments": arguments }),
        )
        .await
    }

    /// The tools that the caller sees, as listed, over all pages.
    ///
    /// # Errors
    /// None that an endpoint is known to give.
    pub async fn tools(&self) -> Result<Vec<Value>, TestError> {
        self.list("tools/list", "tools").await
    }

    /// The resources that the caller sees, without templates.
    ///
    /// # Errors
    /// None that an endpoint is known to give.
    pub async fn resources(&self) -> Result<Vec<Value>, TestError> {
        self.list("resources/list", "resources").await
    }

    /// The resource templates that the caller sees.
    ///
    /// # Errors
    /// None that an endpoint is known to give.
    pub async fn templates(&self) -> Result<Vec<Value>, TestError> {
        self.list("resources/templates/list", "resourceTemplates")
            .await
    }

    /// The prompts that the caller sees.
    ///
    /// # Errors
    /// None that an endpoint is known to give.
    pub async fn prompts(&self) -> Result<Vec<Value>, TestError> {
        self.list("prompts/list", "prompts").await
    }

    async fn list(&self, method: &str, key: &str) -> Result<Vec<Value>, TestError> {
        let (mut entries, mut cursor) = (Vec::new(), None);
        loop {
            let params =
                cursor.map_or_else(|| json!({}), |cursor: Value| json!({ "cursor": cursor }));
            let mut page = match self.request(method, params).await {
                Ok(page) => page.result,
                // A caller who sees nothing of the kind is not offered its list.
                Err(error) if error.code == UNKNOWN_METHOD => return Ok(entries),
                Err(error) => return Err(error),
            };
            if let Some(Value::Array(more)) = page.get_mut(key).map(Value::take) {
                entries.extend(more);
            }
            cursor = page.get_mut("nextCursor").map(Value::take);
            if cursor.is_none() {
                return Ok(entries);
            }
        }
    }

    /// Any request; questions are answered with what [`TestClient::answer`] gave. Not for
    /// `subscriptions/listen`, which never ends.
    ///
    /// # Errors
    /// What the endpoint refuses.
    pub async fn request(&self, method: &str, params: Value) -> Result<TestResult, TestError> {
        let mut params = match params {
            Value::Object(params) => params,
            Value::Null => Map::new(),
            other => {
                return Err(TestError {
                    code: -32602,
                    message: "`params` must be an object".to_owned(),
                    data: Some(other),
                });
            }
        };
        params.insert("_meta".to_owned(), self.meta());
        let messages = Arc::new(Collected::default());
        for _ in 0..ROUNDS {
            let mut result = self.round_trip(method, &params, &messages).await?;
            if self.follows_tasks && result.get("resultType") == Some(&json!("task")) {
                result = self.outcome(&result, &messages).await?;
            }
            let Some(Value::Object(questions)) = result.get("inputRequests") else {
                let messages =
                    std::mem::take(&mut *messages.0.lock().unwrap_or_else(PoisonError::into_inner));
                return Ok(TestResult { result, messages });
            };
            params.insert("inputResponses".to_owned(), self.answers_to(questions)?);
            if let Some(state) = result.get("requestState") {
                params.insert("requestState".to_owned(), state.clone());
            }
        }
        Err(TestError {
            code: -32603,
            message: format!("asked more than {ROUNDS} times"),
            data: None,
        })
    }

    fn answers_to(&self, questions: &Map<String, Value>) -> Result<Value, TestError> {
        let mut answers = Map::new();
        for (name, question) in questions {
            // The name of a question that is a type ends in a mark of what it asks.
            let unmarked = name.rsplit_once('-').map(|(name, _)| name);
            let known = self.answers.get(name);
            let known = known.or_else(|| self.answers.get(unmarked?));
            let Some(answer) = known else {
                let message =
                    format!("the endpoint asks {name:?}, and the test gave no answer to it");
                return Err(TestError {
                    code: -32603,
                    message,
                    data: Some(question.clone()),
                });
            };
            answers.insert(name.clone(), answer.clone());
        }
        Ok(Value::Object(answers))
    }

    fn meta(&self) -> Value {
        json!({
            "io.modelcontextprotocol/protocolVersion": Revision::NEWEST_MODERN.as_str(),
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "0" },
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
            "io.modelcontextprotocol/logLevel": "debug",
            "progressToken": "test"
        })
    }

    async fn round_trip(
        &self,
        method: &str,
        params: &Map<String, Value>,
        messages: &Arc<Collected>,
    ) -> Result<Value, TestError> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let heard = messages
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        let origin = MessageOrigin::new(None, None);
        let outlet = Some(Arc::clone(messages) as Arc<dyn Outlet>);
        let arrival = Arrival {
            origin,
            caller: &self.caller,
            body: None,
            outlet,
            opening: None,
            ending: None,
        };
        let step = dispatch::take(&self.endpoint, request.to_string().as_bytes(), &arrival);
        drop(arrival);
        let mut bytes = Vec::new();
        if let Some(reply) = step.finish().await.reply {
            reply.append_to(&mut bytes);
        }
        let mut reply: Value = serde_json::from_slice(&bytes).map_err(|error| TestError {
            code: -32603,
            message: format!("the endpoint answered what is not JSON: {error}"),
            data: None,
        })?;
        if let Some(look) = &self.watcher {
            // Not as each comes, which is while the tool runs: what panics there is the tool's.
            let messages = messages.0.lock().unwrap_or_else(PoisonError::into_inner);
            messages
                .iter()
                .skip(heard)
                .chain([&reply])
                .for_each(|message| look(&request, message));
        }
        match reply.get_mut("error") {
            None => Ok(reply.get_mut("result").map(Value::take).unwrap_or_default()),
            Some(error) => Err(TestError::of(error.take())),
        }
    }
}

impl TestError {
    /// From the error of a message.
    fn of(mut error: Value) -> Self {
        Self {
            code: error
                .get("code")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            message: error
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            data: error.get_mut("data").map(Value::take),
        }
    }
}

impl TestResult {
    /// Whether a tool says that it failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.result.get("isError") == Some(&Value::Bool(true))
    }

    /// All text in it, of a tool's content, a resource's contents or a prompt's messages, one piece
    /// a line.
    #[must_use]
    pub fn text(&self) -> String {
        let pieces = |key| {
            self.result
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        let messages = pieces("messages").filter_map(|message| message.get("content"));
        let pieces_with_text = pieces("content").chain(pieces("contents")).chain(messages);
        let texts: Vec<&str> = pieces_with_text
            .filter_map(|piece| piece.get("text").and_then(Value::as_str))
            .collect();
        texts.join("\n")
    }

    /// A tool's structured content.
    #[must_use]
    pub fn structured(&self) -> Option<&Value> {
        self.result.get("structuredContent")
    }

    /// The whole result.
    #[must_use]
    pub fn result(&self) -> &Value {
        &self.result
    }

    /// The notifications that came before it: progress and log messages.
    #[must_use]
    pub fn messages(&self) -> &[Value] {
        &self.messages
    }
}

impl<C> std::fmt::Debug for TestClient<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TestClient")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// The messages of one request, in memory.
#[derive(Default)]
struct Collected(Mutex<Vec<Value>>);

impl Outlet for Collected {
    fn send(&self, message: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.try_send(message);
        Box::pin(std::future::ready(()))
    }

    fn try_send(&self, message: Bytes) -> bool {
        let message = serde_json::from_slice(&message).unwrap_or_default();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(message);
        true
    }
}
