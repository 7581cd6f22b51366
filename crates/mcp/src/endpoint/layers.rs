//! Layers: functions of the application's own around every request of a client and every call of
//! the program, with what they see of it and how it ended.

mod way;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::fence::Stopped;
use super::running::failed;
use super::{CallError, Identity};
use crate::client::Client;
use crate::conversation::Conversation;
use crate::output::{ErrorKind, Failure, Output};
use crate::protocol_error::ProtocolError;
use crate::reply::{self, MessageAnswer, OutcomeKind, Reply};
use crate::request_meta::{
    ParamPlaces, Params, SentMeta, known_method, may_have_traceparent, traceparent_in,
};
use crate::revision::Revision;
use way::LayerPassage;
pub use way::Next;
pub(crate) use way::{InnerWork, Innermost, Within, within};

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
    method: Cow<'static, str>,
    caller: Arc<C>,
    origin: RequestOrigin,
    sent: SentParams,
    read: OnceLock<Box<ReadParams>>,
    identity: Arc<Identity<C>>,
    passage: LayerPassage,
}

/// What a layer asked for of the parameters.
#[derive(Default)]
struct ReadParams {
    sender: OnceLock<RequestSender>,
    name: OnceLock<String>,
    arguments: OnceLock<Value>,
    trace: OnceLock<Option<String>>,
}

/// What the place that a request came from knows of who sent it, before the request is read.
#[derive(Default)]
pub(crate) struct RequestOrigin {
    pub(crate) revision: Option<Revision>,
    pub(crate) conversation: Option<Arc<Conversation>>,
}

/// Who sent a request, as far as its place and its metadata tell.
#[derive(Default)]
struct RequestSender {
    revision: Option<Revision>,
    client: Arc<Client>,
    meta: SentMeta,
}

/// What a request was sent with.
pub(crate) enum SentParams {
    /// The parameters of a client's request, as JSON, and the places of some of them in it.
    Client {
        json: Option<Bytes>,
        places: ParamPlaces,
    },
    /// The tool and the arguments of a program's call.
    Program(String, Value),
}

/// The numbers of requests, by which an outcome is known to be of one.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

impl<C> EndpointRequest<C> {
    pub(crate) fn of_client(
        method: &str,
        caller: &Arc<C>,
        origin: RequestOrigin,
        sent: SentParams,
        identity: &Arc<Identity<C>>,
    ) -> Self {
        Self::new(known_method(method), caller, origin, sent, identity)
    }

    pub(crate) fn of_program(
        tool: &str,
        arguments: Value,
        caller: &Arc<C>,
        identity: &Arc<Identity<C>>,
    ) -> Self {
        let sent = SentParams::Program(tool.to_owned(), arguments);
        Self::new(
            CALL.into(),
            caller,
            RequestOrigin::default(),
            sent,
            identity,
        )
    }

    fn new(
        method: Cow<'static, str>,
        caller: &Arc<C>,
        origin: RequestOrigin,
        sent: SentParams,
        identity: &Arc<Identity<C>>,
    ) -> Self {
        Self(Arc::new(RequestFacts {
            method,
            caller: Arc::clone(caller),
            origin,
            sent,
            read: OnceLock::new(),
            identity: Arc::clone(identity),
            passage: LayerPassage::new(
                REQUESTS.fetch_add(1, Ordering::Relaxed),
                identity.profile.layers.len(),
            ),
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
        match &self.0.sent {
            SentParams::Program(tool, _) => Some(tool),
            SentParams::Client { json, places } => match places.name(json.as_deref()?)? {
                Cow::Borrowed(name) => Some(name),
                Cow::Owned(name) => Some(self.read().name.get_or_init(|| name)),
            },
        }
    }

    /// The arguments as they were sent, before they are coerced and checked; null when there are
    /// none. They may hold what your user would not want kept.
    #[must_use]
    pub fn arguments(&self) -> &Value {
        if let SentParams::Program(_, arguments) = &self.0.sent {
            return arguments;
        }
        self.read().arguments.get_or_init(|| {
            let arguments = self.params().arguments;
            arguments
                .and_then(|arguments| serde_json::from_str(arguments.get()).ok())
                .unwrap_or_default()
        })
    }

    /// Who is asking.
    #[must_use]
    pub fn caller(&self) -> &Arc<C> {
        &self.0.caller
    }

    /// What the client says of itself.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.sender().client
    }

    /// The revision of the protocol that the client speaks; `None` for a call from within the
    /// program, and of a client that has not said yet.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.sender().revision
    }

    /// The `_meta` of the request, as it was sent.
    #[must_use]
    pub fn meta(&self) -> &Map<String, Value> {
        self.sender().meta.read()
    }

    /// The trace that the request is part of, as [`crate::Call::traceparent`].
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        let SentParams::Client { json, places } = &self.0.sent else {
            return None;
        };
        let meta = places.meta(json.as_deref()?)?;
        if !may_have_traceparent(meta) {
            return None;
        }
        let read = || traceparent_in(meta);
        self.read().trace.get_or_init(read).as_deref()
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
        RequestOutcome::of(self.number(), carried)
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.passage.number
    }

    pub(crate) fn sent(&self) -> &SentParams {
        &self.0.sent
    }

    fn read(&self) -> &ReadParams {
        self.0.read.get_or_init(Box::default)
    }

    fn sender(&self) -> &RequestSender {
        self.read().sender.get_or_init(|| match &self.0.sent {
            SentParams::Client { .. } => RequestSender::of(&self.params(), &self.0.origin),
            SentParams::Program(..) => RequestSender::default(),
        })
    }

    /// The parameters of a client's request, as they were sent.
    fn params(&self) -> Params<'_> {
        match &self.0.sent {
            SentParams::Client {
                json: Some(json), ..
            } => Params::of_json(json),
            SentParams::Client { json: None, .. } | SentParams::Program(..) => Params::default(),
        }
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

impl RequestSender {
    fn of(params: &Params<'_>, origin: &RequestOrigin) -> Self {
        let read = params.meta().unwrap_or_default();
        let meta = SentMeta::of(read.json());
        let mut revision = origin.revision;
        if read.is_modern() {
            revision = revision
                .filter(|revision| revision.carries_metadata())
                .or(Some(Revision::NEWEST_MODERN));
        }
        let client = if revision.is_some_and(Revision::carries_metadata) {
            Arc::new(Client::of_meta(&meta))
        } else if params.client_info.is_some() {
            // The first word of a client of the legacy era.
            let capabilities = params.capabilities.map(RawValue::get);
            Arc::new(Client::new(
                params.client_info.map(RawValue::get),
                capabilities,
            ))
        } else {
            let conversation = origin.conversation.as_ref();
            conversation.map(|known| known.client()).unwrap_or_default()
        };
        Self {
            revision,
            client,
            meta,
        }
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

/// The end of a request, as a layer sees it.
pub struct RequestOutcome {
    /// The number of the request.
    request: u64,
    /// Boxed once: it goes through every layer.
    pub(crate) carried: Box<CarriedOutcome>,
}

pub(crate) enum CarriedOutcome {
    /// What goes to the client, as it is.
    Message(MessageAnswer),
    /// How a call ended that is still to be written, or of the program.
    Call(Result<Output, CallError>),
    /// A result of a layer's own.
    Result(Map<String, Value>),
    Error(ProtocolError),
}

impl RequestOutcome {
    pub(crate) fn of(request: u64, carried: CarriedOutcome) -> Self {
        Self {
            request,
            carried: Box::new(carried),
        }
    }

    /// How it ended, in one word.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        match &*self.carried {
            CarriedOutcome::Message(answer) => {
                let reply = answer.reply.as_ref();
                reply.map(|reply| reply.kind).unwrap_or_default()
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
        match &*self.carried {
            CarriedOutcome::Message(answer) => answer.reply.as_ref().map_or(0, Reply::len),
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
        match &*self.carried {
            CarriedOutcome::Message(answer) => {
                let mut json = Vec::new();
                answer.reply.as_ref()?.append_to(&mut json);
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
        match *self.carried {
            CarriedOutcome::Call(ended) => ended,
            CarriedOutcome::Result(result) => Ok(serde_json::value::to_raw_value(&result)
                .map_or_else(|error| broken(error.to_string()), Output::json)),
            CarriedOutcome::Error(error) => Ok(broken(error.message.into_owned())),
            CarriedOutcome::Message(_) => {
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
