//! One call as its handler sees it: the arguments, who is asking, and the ways to speak to the
//! client before the answer.

mod pauses;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use ::http::Extensions;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::lazy;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::arguments::Arguments;
use crate::client::Client;
use crate::conversation::Conversation;
use crate::log_level::LogLevel;
use crate::outlet::Outlet;
use crate::output::{Failure, fail};
use crate::own_place;
use crate::request_meta::{SentMeta, traceparent};
use crate::revision::Revision;
use crate::tasks::{Prospect, Task};
pub(crate) use pauses::Pauses;

/// One request, as the function that serves it receives it.
///
/// ```
/// use footbridge_mcp::{Call, Endpoint, Output, Tool};
/// use serde_json::json;
///
/// /// The caller of this application.
/// struct User {
///     name: &'static str,
/// }
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let count = Tool::new("count", "Count up.", json!({"type": "object", "properties": {"to": {"type": "integer"}}}),
///     |call: Call<User>| async move {
///         let to = call.arguments.get("to").and_then(|to| to.as_f64()).unwrap_or(3.0);
///         call.progress(1.0, Some(to), Some("one")).await;
///         Ok(Output::text(format!("{} counts to {to} for {:?}", call.caller.name, call.client().name())))
///     });
/// let endpoint = Endpoint::builder("counter", "1.0.0").tool(count).build()?;
/// let counted = endpoint.test(User { name: "Ada" }).call("count", json!({"to": "2"})).await?;
/// assert_eq!(counted.text(), r#"Ada counts to 2 for Some("test")"#);
/// assert_eq!(counted.messages()[0]["params"]["message"], "one");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
/// ```
pub struct Call<C> {
    /// The arguments: of a tool, coerced to its schema and valid against it; of a resource
    /// template, its parameters; of a prompt, its arguments.
    pub arguments: Arguments,
    /// Who is asking.
    pub caller: Arc<C>,
    pub(crate) request: Arc<RequestContext>,
}

/// The way in which the client of a request can be asked.
#[derive(Default)]
pub(crate) enum Asking {
    /// It cannot.
    #[default]
    Impossible,
    /// By an input-required result; these are the answers that came so far.
    ByResult(Map<String, Value>),
    /// By a request of ours, on the stream that answers the client's.
    ByRequest(Arc<Conversation>),
}

/// The request around a call, as far as it is known.
pub(crate) struct RequestContext {
    pub(crate) revision: Option<Revision>,
    pub(crate) client: Arc<Client>,
    /// The request's own metadata.
    pub(crate) meta: SentMeta,
    /// The JSON of the token under which the client wants to hear of progress.
    pub(crate) progress_token: Option<Box<str>>,
    /// The least severe messages that the client wants.
    pub(crate) log_level: Option<LogLevel>,
    pub(crate) outlet: Option<Arc<dyn Outlet>>,
    pub(crate) asking: Asking,
    /// When it waited for its user.
    pub(crate) pauses: Pauses,
    /// Set once the request is answered: nothing may be said of it any more.
    pub(crate) answered: AtomicBool,
    /// Set for a call that may become a task.
    pub(crate) prospect: OnceLock<Box<Prospect>>,
    /// What the program sent along, when the call is its own.
    pub(crate) extensions: Extensions,
}

/// A function of the application as it is kept: nothing of it runs before what it returns is
/// polled, within whatever goes around that.
pub(crate) fn begun_when_polled<C, F, R>(
    function: F,
) -> impl Fn(Call<C>) -> Pin<Box<dyn Future<Output = R::Output> + Send>>
where
    C: Send + Sync + 'static,
    F: Fn(Call<C>) -> R + Send + Sync + 'static,
    R: Future + Send + 'static,
{
    let function = Arc::new(function);
    move |call| {
        let function = Arc::clone(&function);
        Box::pin(lazy(move |_| function(call)).flatten())
    }
}

impl Default for RequestContext {
    fn default() -> Self {
        Self::of(Arc::default())
    }
}

impl RequestContext {
    /// That of a client of which nothing else is known.
    pub(crate) fn of(client: Arc<Client>) -> Self {
        Self {
            revision: None,
            client,
            meta: SentMeta::default(),
            progress_token: None,
            log_level: None,
            outlet: None,
            asking: Asking::default(),
            pauses: Pauses::default(),
            answered: AtomicBool::default(),
            prospect: OnceLock::new(),
            extensions: Extensions::new(),
        }
    }

    /// The task that the call became.
    pub(crate) fn task(&self) -> Option<&Arc<Task>> {
        self.prospect.get().and_then(|prospect| prospect.task())
    }

    /// Whether anything may be said of the request but its answer. Of a task nothing may: it is
    /// asked.
    fn may_speak(&self) -> bool {
        !self.answered.load(Ordering::Relaxed) && self.task().is_none()
    }
}

impl<C> Call<C> {
    /// The revision of the protocol that the client speaks; `None` for a call from within the
    /// program.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.request.revision
    }

    /// A number that tells the session of this call from others of this process, where it has one:
    /// of the legacy era each stdio connection and each HTTP session is one.
    #[must_use]
    pub fn session(&self) -> Option<u64> {
        match &self.request.asking {
            Asking::ByRequest(conversation) => Some(conversation.number()),
            Asking::ByResult(_) | Asking::Impossible => None,
        }
    }

    /// What the client says of itself.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.request.client
    }

    /// The `_meta` of the request, as the client sent it: its own entries and those that the
    /// protocol has. Empty for a call from within the program.
    ///
    /// ```
    /// use footbridge_mcp::Call;
    ///
    /// fn tenant(call: &Call<()>) -> Option<&str> {
    ///     call.meta().get("example.org/tenant")?.as_str()
    /// }
    /// ```
    #[must_use]
    pub fn meta(&self) -> &Map<String, Value> {
        self.request.meta.read()
    }

    /// The value of this type that the program sent along with [`crate::Endpoint::call_with`];
    /// nothing for a call of a client.
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.request.extensions.get()
    }

    /// The trace that the request is part of, as W3C Trace Context writes it; `tracestate` and
    /// `baggage` stand beside it in [`Call::meta`].
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        traceparent(self.meta())
    }

    /// Whether the client wants to hear of progress; [`Call::progress`] costs nothing when it does
    /// not.
    #[must_use]
    pub fn wants_progress(&self) -> bool {
        self.request.task().is_some()
            || (self.request.progress_token.is_some() && self.request.outlet.is_some())
    }

    /// Tells the client how far the work is: `progress` must grow from call to call; `total` is
    /// known or not.
    ///
    /// In a task it is what the task says of itself, for the client to read when it asks: the
    /// message, or the numbers without one.
    ///
    /// Source: specification 2026-07-28, Progress. Waits while the client leaves earlier messages
    /// unread.
    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        if let Some(task) = self.request.task() {
            let numbers = || {
                total.map_or_else(
                    || progress.to_string(),
                    |total| format!("{progress} of {total}"),
                )
            };
            return task.say(message.map_or_else(numbers, str::to_owned));
        }
        let Some(token) = &self.request.progress_token else {
            return;
        };
        let Ok(token) = serde_json::from_str::<&RawValue>(token) else {
            return;
        };
        self.notify(
            "notifications/progress",
            &ProgressParams {
                progress_token: token,
                progress,
                total,
                message,
            },
        )
        .await;
    }

    /// Sends a message to the client's log, when the client wants messages of that level.
    ///
    /// Source: specification 2026-07-28, Logging. Never put a secret into it.
    pub async fn log(&self, level: LogLevel, logger: Option<&str>, data: Value) {
        if self.request.log_level.is_some_and(|least| level >= least) {
            self.notify(
                "notifications/message",
                &LogParams {
                    level,
                    logger,
                    data,
                },
            )
            .await;
        }
    }

    /// Lets the client go while the work takes long: it comes back for the answer. Does nothing
    /// where it could not.
    ///
    /// Source: specification 2025-11-25, Streamable HTTP, "Sending Messages to the Server", which
    /// lets a server end the connection before the answer once the client has an event id.
    pub fn release_client(&self) {
        // Where a stream does not begin with an event id, the client would have nothing to come
        // back with.
        let can_return = self
            .request
            .revision
            .is_some_and(Revision::streams_begin_with_id);
        if let (Some(outlet), true) = (&self.request.outlet, can_return) {
            outlet.pause();
        }
    }

    /// Waits for something that happens elsewhere, without a place among the calls of its client:
    /// others begin meanwhile as if it were not there. Its own time limit runs, and how many may
    /// wait at once is for the tool to say. A call of a batch keeps its place.
    pub async fn wait_aside<T>(&self, wait: impl Future<Output = T>) -> T {
        // Until a call waits for the first time it has no place to give.
        tokio::task::yield_now().await;
        own_place::give();
        wait.await
    }

    /// Makes this call a task: the client is answered with the task's id at once and asks later how
    /// it stands; questions from here on wait for its answers without a connection. For tools that
    /// say [`crate::Tool::begins_task`]; does nothing where the call cannot become a task or is one
    /// already, so the same function serves every client.
    ///
    /// Put questions that decide whether to begin at all before it. Source: extension Tasks, "Task
    /// Creation".
    ///
    /// # Errors
    /// A [`Failure`] to hand on with `?` when there are as many tasks as there may be.
    pub async fn begin_task(&self) -> Result<(), Failure> {
        match self.request.prospect.get() {
            Some(prospect) if prospect.task().is_none() => {
                prospect.begin().map_err(|error| fail(error.message))?
            }
            _ => return Ok(()),
        }
        // Whoever runs this call looks up when it waits.
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn notify(&self, method: &'static str, params: &impl Serialize) {
        let Some(outlet) = self
            .request
            .outlet
            .as_ref()
            .filter(|_| self.request.may_speak())
        else {
            return;
        };
        #[derive(Serialize)]
        struct Notification<'a, P> {
            jsonrpc: &'static str,
            method: &'static str,
            params: &'a P,
        }
        if let Ok(message) = serde_json::to_vec(&Notification {
            jsonrpc: "2.0",
            method,
            params,
        }) {
            outlet.send(Bytes::from(message)).await;
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProgressParams<'a> {
    progress_token: &'a RawValue,
    progress: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

#[derive(Serialize)]
struct LogParams<'a> {
    level: LogLevel,
    #[serde(skip_serializing_if = "Option::is_none")]
    logger: Option<&'a str>,
    data: Value,
}

impl<C: std::fmt::Debug> std::fmt::Debug for Call<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Call")
            .field("caller", &self.caller)
            .field("revision", &self.request.revision)
            .finish_non_exhaustive()
    }
}
