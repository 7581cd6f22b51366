//! Layers: functions of the application's own around every request of a client and every call of
//! the program, with what they see of it and how it ended.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ::http::StatusCode;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::CallError;
use super::fence::{Fenced, Stopped};
use super::running::failed;
use crate::call::RequestContext;
use crate::client::Client;
use crate::limits;
use crate::output::{ErrorKind, Failure, Output};
use crate::protocol_error::ProtocolError;
use crate::reply::{self, OutcomeKind, Reply};
use crate::request_meta::{Params, SentMeta, traceparent};
use crate::revision::Revision;

pub(crate) type LayerFuture = Pin<Box<dyn Future<Output = Result<RequestOutcome, Failure>> + Send>>;
pub(crate) type LayerFunction<C> =
    Arc<dyn Fn(EndpointRequest<C>, Next) -> LayerFuture + Send + Sync>;
pub(crate) type OutcomeFuture = Pin<Box<dyn Future<Output = RequestOutcome> + Send>>;

/// A request of a client, or a call of the program with [`crate::Endpoint::call`], as a layer sees
/// it. Cheap to clone.
///
/// What it was sent with is read only when a layer asks for it.
pub struct EndpointRequest<C>(Arc<RequestFacts<C>>);

struct RequestFacts<C> {
    number: u64,
    method: Box<str>,
    caller: Arc<C>,
    revision: Option<Revision>,
    client: Arc<Client>,
    meta: SentMeta,
    sent: SentParams,
    read: OnceLock<ReadParams>,
}

/// What a request was sent with.
pub(crate) enum SentParams {
    /// The parameters of a client's request.
    Client(Option<Box<RawValue>>),
    /// The tool and the arguments of a program's call.
    Program(String, Value),
}

struct ReadParams {
    name: Option<String>,
    arguments: Value,
}

/// The numbers of requests, by which an outcome is known to be of one.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

impl<C> EndpointRequest<C> {
    pub(crate) fn of_client(
        method: &str,
        caller: &Arc<C>,
        (revision, client, meta): (Option<Revision>, Arc<Client>, SentMeta),
        params: Option<&RawValue>,
    ) -> Self {
        Self(Arc::new(RequestFacts {
            number: REQUESTS.fetch_add(1, Ordering::Relaxed),
            method: method.into(),
            caller: Arc::clone(caller),
            revision,
            client,
            meta,
            sent: SentParams::Client(params.map(ToOwned::to_owned)),
            read: OnceLock::new(),
        }))
    }

    pub(crate) fn of_program(tool: &str, arguments: Value, caller: &Arc<C>) -> Self {
        Self(Arc::new(RequestFacts {
            number: REQUESTS.fetch_add(1, Ordering::Relaxed),
            method: CALL.into(),
            caller: Arc::clone(caller),
            revision: None,
            client: Arc::default(),
            meta: SentMeta::default(),
            sent: SentParams::Program(tool.to_owned(), arguments),
            read: OnceLock::new(),
        }))
    }

    /// The method, such as `tools/call`, `tools/list`, `resources/read` or `initialize`; that of a
    /// call from within the program is `tools/call`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.0.method
    }

    /// What it is about: the name of a tool or a prompt, the address of a resource, the id of a
    /// task. As it was sent: nobody has looked yet whether there is such a thing.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.params().name.as_deref()
    }

    /// The arguments as they were sent, before they are coerced and checked; null when there are
    /// none. They may hold what your user would not want kept.
    #[must_use]
    pub fn arguments(&self) -> &Value {
        &self.params().arguments
    }

    /// Who is asking.
    #[must_use]
    pub fn caller(&self) -> &Arc<C> {
        &self.0.caller
    }

    /// What the client says of itself.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The revision of the protocol that the client speaks; `None` for a call from within the
    /// program, and of a client that has not said yet.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.0.revision
    }

    /// The `_meta` of the request, as it was sent.
    #[must_use]
    pub fn meta(&self) -> &Map<String, Value> {
        self.0.meta.read()
    }

    /// The trace that the request is part of, as [`crate::Call::traceparent`].
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        traceparent(self.meta())
    }

    /// Whether the program itself called, with [`crate::Endpoint::call`].
    #[must_use]
    pub fn is_from_program(&self) -> bool {
        matches!(self.0.sent, SentParams::Program(..))
    }

    /// An outcome of the layer's own: this result, a JSON object, in place of that of the method.
    /// What every result of the client's revision has beside is added, where it is not in there.
    #[must_use]
    pub fn answered(&self, result: Map<String, Value>) -> RequestOutcome {
        self.ended(CarriedOutcome::Result(result))
    }

    /// An outcome of the layer's own: this output, in place of that of the tool that was called.
    #[must_use]
    pub fn with_output(&self, output: Output) -> RequestOutcome {
        self.ended(CarriedOutcome::Call(Ok(output)))
    }

    pub(crate) fn ended(&self, carried: CarriedOutcome) -> RequestOutcome {
        RequestOutcome {
            request: self.0.number,
            carried,
        }
    }

    pub(crate) fn sent(&self) -> &SentParams {
        &self.0.sent
    }

    fn params(&self) -> &ReadParams {
        self.0.read.get_or_init(|| match &self.0.sent {
            SentParams::Program(tool, arguments) => ReadParams {
                name: Some(tool.clone()),
                arguments: arguments.clone(),
            },
            SentParams::Client(params) => {
                let params = Params::read(params.as_deref()).unwrap_or_default();
                let name = params.named_by(self.method());
                ReadParams {
                    name: name.and_then(|name| serde_json::from_str(name.get()).ok()),
                    arguments: params
                        .arguments
                        .and_then(|arguments| serde_json::from_str(arguments.get()).ok())
                        .unwrap_or_default(),
                }
            }
        })
    }

    /// What becomes of a request whose layer stopped.
    fn stopped(&self, stopped: Stopped) -> RequestOutcome {
        let carried = match stopped {
            Stopped::Failed(failure) if self.method() == CALL => {
                CarriedOutcome::Call(failed(self.name().unwrap_or_default(), failure))
            }
            Stopped::Late(limit) => {
                tracing::error!(method = self.method(), ?limit, "a layer was stopped");
                CarriedOutcome::Error(ProtocolError::too_slow(limit))
            }
            stopped => {
                let not_found = ProtocolError::invalid_params("there is nothing of that name");
                CarriedOutcome::Error(stopped.into_error("a layer", self.method(), not_found))
            }
        };
        self.ended(carried)
    }
}

/// The method of calls.
const CALL: &str = "tools/call";

impl<C> Clone for EndpointRequest<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Names only: arguments may be secret.
impl<C> std::fmt::Debug for EndpointRequest<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EndpointRequest")
            .field("method", &self.method())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// The inside of a layer: the layers within it, and the endpoint itself.
///
/// ```
/// use footbridge_mcp::{EndpointBuilder, EndpointRequest, Next};
/// use tracing::Instrument as _;
///
/// /// A span around every request, with the trace of its client.
/// fn traced<C: Send + Sync + 'static>(endpoint: EndpointBuilder<C>) -> EndpointBuilder<C> {
///     endpoint.layer(|request: EndpointRequest<C>, next: Next| async move {
///         let span = tracing::info_span!(
///             "mcp", method = request.method(), name = request.name(), traceparent = request.traceparent(),
///         );
///         Ok(next.run().instrument(span).await)
///     })
/// }
/// ```
pub struct Next {
    work: Box<dyn FnOnce() -> OutcomeFuture + Send>,
    /// The clock of the layer, which stands still meanwhile.
    clock: Arc<RequestContext>,
}

impl Next {
    /// Goes on with the request, to its end. A request is carried out once: this takes the whole
    /// of it. Dropping what it returns cancels the request.
    pub async fn run(self) -> RequestOutcome {
        let _pause = self.clock.pauses.begin();
        (self.work)().await
    }
}

impl std::fmt::Debug for Next {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Next").finish_non_exhaustive()
    }
}

/// The end of a request, as a layer sees it.
pub struct RequestOutcome {
    /// The number of the request.
    request: u64,
    pub(crate) carried: CarriedOutcome,
}

pub(crate) enum CarriedOutcome {
    /// What goes to the client, as it is.
    Message(StatusCode, Option<Reply>),
    /// How a call ended that is still to be written, or of the program.
    Call(Result<Output, CallError>),
    /// A result of a layer's own.
    Result(Map<String, Value>),
    Error(ProtocolError),
}

impl RequestOutcome {
    /// How it ended, in one word.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        match &self.carried {
            CarriedOutcome::Message(_, reply) => {
                reply.as_ref().map(|reply| reply.kind).unwrap_or_default()
            }
            CarriedOutcome::Call(Ok(output)) => OutcomeKind::of(output),
            CarriedOutcome::Call(Err(CallError::InputRequired(_))) => OutcomeKind::InputRequired,
            CarriedOutcome::Call(Err(error)) => {
                OutcomeKind::Refused(ProtocolError::from(error.clone()).code)
            }
            CarriedOutcome::Result(_) => OutcomeKind::Answered,
            CarriedOutcome::Error(error) => OutcomeKind::Refused(error.code),
        }
    }

    /// Whether it is an error, of the tool or of the protocol.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(
            self.kind(),
            OutcomeKind::ToolFailed(_) | OutcomeKind::Refused(_)
        )
    }

    /// How many bytes of JSON it has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.carried {
            CarriedOutcome::Message(_, reply) => reply.as_ref().map_or(0, Reply::len),
            CarriedOutcome::Call(Ok(output)) => reply::tool_result(output, true, "}").len(),
            CarriedOutcome::Result(result) => {
                serde_json::to_vec(result).map_or(0, |json| json.len())
            }
            CarriedOutcome::Call(Err(error)) => ProtocolError::from(error.clone())
                .to_json()
                .to_string()
                .len(),
            CarriedOutcome::Error(error) => error.to_json().to_string().len(),
        }
    }

    /// The result as JSON; nothing where it is an error of the protocol. It is read each time it is
    /// asked for. Put another in its place with [`EndpointRequest::answered`].
    #[must_use]
    pub fn result(&self) -> Option<Map<String, Value>> {
        match &self.carried {
            CarriedOutcome::Message(_, reply) => {
                let mut json = Vec::new();
                reply.as_ref()?.append_to(&mut json);
                let mut message: Map<String, Value> = serde_json::from_slice(&json).ok()?;
                match message.get_mut("result")?.take() {
                    Value::Object(result) => Some(result),
                    _ => None,
                }
            }
            CarriedOutcome::Call(Ok(output)) => {
                serde_json::from_slice(&reply::tool_result(output, true, "}")).ok()
            }
            CarriedOutcome::Result(result) => Some(result.clone()),
            CarriedOutcome::Call(Err(_)) | CarriedOutcome::Error(_) => None,
        }
    }

    /// The end of a call of the program.
    pub(super) fn into_call(self) -> Result<Output, CallError> {
        let broken = |message: String| Output::text(message).of_kind(ErrorKind::Internal);
        match self.carried {
            CarriedOutcome::Call(ended) => ended,
            CarriedOutcome::Result(result) => Ok(serde_json::value::to_raw_value(&result)
                .map_or_else(|error| broken(error.to_string()), Output::json)),
            CarriedOutcome::Error(error) => Ok(broken(error.message.into_owned())),
            CarriedOutcome::Message(..) => {
                Ok(broken(ProtocolError::internal().message.into_owned()))
            }
        }
    }
}

/// What it is, without what is in it.
impl std::fmt::Debug for RequestOutcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RequestOutcome")
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

/// Carries out a request within its layers, the first one outermost. Each is behind a fence of its
/// own: a panic, or more time than it may take beside what it goes around, ends the request.
pub(crate) fn around<C: Send + Sync + 'static>(
    layers: &Arc<[LayerFunction<C>]>,
    place: usize,
    request: EndpointRequest<C>,
    innermost: Box<dyn FnOnce() -> OutcomeFuture + Send>,
) -> OutcomeFuture {
    let Some(layer) = layers.get(place) else {
        return innermost();
    };
    let clock = Arc::<RequestContext>::default();
    let next = Next {
        work: Box::new({
            let (layers, request) = (Arc::clone(layers), request.clone());
            move || around(&layers, place + 1, request, innermost)
        }),
        clock: Arc::clone(&clock),
    };
    // The function itself may panic before it returns its future.
    let work = catch_unwind(AssertUnwindSafe(|| layer(request.clone(), next)))
        .unwrap_or_else(|panic| Box::pin(async move { resume_unwind(panic) }));
    let fenced = Fenced::new(work, limits::LAYER_TIME, &clock);
    Box::pin(async move {
        match fenced.await {
            Ok(outcome) if outcome.request == request.0.number => outcome,
            Ok(_) => {
                let method = request.method();
                tracing::error!(method, "a layer gave the outcome of another request");
                request.ended(CarriedOutcome::Error(ProtocolError::internal()))
            }
            Err(stopped) => request.stopped(stopped),
        }
    })
}
