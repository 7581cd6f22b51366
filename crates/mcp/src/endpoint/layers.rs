//! Layers: functions of the application's own around every request of a client and every call of
//! the program, with what they see of it and how it ended.

mod facts;
mod outcome;
mod way;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde_json::{Map, Value};

use super::fence::Stopped;
use super::running::failed;
use crate::client::Client;
use crate::output::{Failure, Output};
use crate::protocol_error::ProtocolError;
use crate::request_meta::{KeptParams, Params};
use crate::revision::Revision;
pub(crate) use facts::{Innermost, RequestOrigin};
use facts::{ProgramCall, RequestFacts, RequestSender};
pub use outcome::RequestOutcome;
pub(crate) use outcome::UnwrittenOutcome;
pub use way::Next;
pub(crate) use way::{InnerWork, ProgramFuture, Settled, Within, ask, within};

/// A layer as it is kept, without the type of its future.
pub(crate) trait RequestLayer<C>: Send + Sync {
    /// Begins it around a request and asks it, before anybody waits for it.
    fn begin(
        &self,
        request: EndpointRequest<C>,
        next: Next,
        context: &mut Context<'_>,
    ) -> BegunLayer;
}

/// A layer that was asked once.
pub(crate) enum BegunLayer {
    Ended(Result<RequestOutcome, Stopped>),
    Waiting(LayerFuture),
}

pub(crate) type LayerFuture = Pin<Box<dyn Future<Output = Result<RequestOutcome, Failure>> + Send>>;

impl<C, F, R> RequestLayer<C> for F
where
    F: Fn(EndpointRequest<C>, Next) -> R + Send + Sync,
    R: Future<Output = Result<RequestOutcome, Failure>> + Send + 'static,
{
    fn begin(
        &self,
        request: EndpointRequest<C>,
        next: Next,
        context: &mut Context<'_>,
    ) -> BegunLayer {
        let mut layer = Box::pin(self(request, next));
        match layer.as_mut().poll(context) {
            Poll::Ready(ended) => BegunLayer::Ended(ended.map_err(Stopped::Failed)),
            Poll::Pending => BegunLayer::Waiting(layer),
        }
    }
}

/// The layers of an endpoint, the outermost first.
pub(crate) type Layers<C> = Arc<[Arc<dyn RequestLayer<C>>]>;

/// A request of a client, or a call of the program with [`crate::Endpoint::call`], as a layer sees
/// it. Cheap to clone.
///
/// What it was sent with is read only when a layer asks for it.
pub struct EndpointRequest<C> {
    facts: Arc<RequestFacts>,
    caller: Arc<C>,
}

impl<C> EndpointRequest<C> {
    /// The request of a client. The work may be there already, or is handed in later.
    pub(crate) fn of_client(
        method: Cow<'static, str>,
        caller: &Arc<C>,
        origin: RequestOrigin,
        params: KeptParams,
        innermost: Innermost,
    ) -> Self {
        Self {
            facts: RequestFacts::begin(method, origin, params, innermost),
            caller: Arc::clone(caller),
        }
    }

    /// A call of the program, with its work.
    pub(crate) fn of_program(
        tool: &str,
        arguments: Value,
        caller: &Arc<C>,
        work: ProgramFuture,
    ) -> Self {
        let call = ProgramCall {
            tool: tool.to_owned(),
            arguments,
        };
        let innermost = Innermost::There(InnerWork::Calling(work));
        Self {
            facts: RequestFacts::of_program(Cow::Borrowed(CALL), call, innermost),
            caller: Arc::clone(caller),
        }
    }

    /// The method, such as `tools/call`, `tools/list`, `resources/read` or `initialize`; that of a
    /// call from within the program is `tools/call`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.facts.method
    }

    /// What it is about: the name of a tool or a prompt, the address of a resource, the id of a
    /// task. As it was sent: nobody has looked yet whether there is such a thing.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        if let Some(call) = self.facts.program() {
            return Some(&call.tool);
        }
        match self.facts.params.name()? {
            Cow::Borrowed(name) => Some(name),
            Cow::Owned(name) => Some(self.facts.read().name.get_or_init(|| name)),
        }
    }

    /// The arguments as they were sent, before they are coerced and checked; null when there are
    /// none. They may hold what your user would not want kept.
    #[must_use]
    pub fn arguments(&self) -> &Value {
        if let Some(call) = self.facts.program() {
            return &call.arguments;
        }
        self.facts.read().arguments.get_or_init(|| {
            let arguments = self.params().arguments;
            arguments
                .and_then(|arguments| serde_json::from_str(arguments.get()).ok())
                .unwrap_or_default()
        })
    }

    /// Who is asking.
    #[must_use]
    pub fn caller(&self) -> &Arc<C> {
        &self.caller
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
        match self.facts.params.traceparent()? {
            Cow::Borrowed(trace) => Some(trace),
            Cow::Owned(trace) => Some(self.facts.read().trace.get_or_init(|| trace)),
        }
    }

    /// Whether the program itself called, with [`crate::Endpoint::call`].
    #[must_use]
    pub fn is_from_program(&self) -> bool {
        self.facts.program().is_some()
    }

    /// An outcome of the layer's own: this result, a JSON object, in place of that of the method.
    /// What every result of the client's revision has beside is added, where it is not in there.
    #[must_use]
    pub fn answered(&self, result: Map<String, Value>) -> RequestOutcome {
        self.ended(UnwrittenOutcome::Result(result))
    }

    /// An outcome of the layer's own: this output, in place of that of the tool that was called.
    #[must_use]
    pub fn with_output(&self, output: Output) -> RequestOutcome {
        self.ended(UnwrittenOutcome::Call(Ok(output)))
    }

    fn ended(&self, outcome: UnwrittenOutcome) -> RequestOutcome {
        RequestOutcome::unwritten(&self.facts, outcome)
    }

    fn sender(&self) -> &RequestSender {
        self.facts
            .read()
            .sender
            .get_or_init(|| match self.facts.program() {
                None => RequestSender::of(&self.params(), &self.facts.origin),
                Some(_) => RequestSender::default(),
            })
    }

    /// The parameters of a client's request, as JSON; empty where there are none.
    pub(crate) fn json(&self) -> &[u8] {
        self.facts.params.json()
    }

    /// The same, as they were sent.
    fn params(&self) -> Params<'_> {
        Params::of_json(self.json())
    }

    /// What becomes of a request whose layer stopped.
    fn stopped(&self, stopped: Stopped) -> UnwrittenOutcome {
        match stopped {
            Stopped::Failed(failure) if self.method() == CALL => {
                UnwrittenOutcome::Call(failed(self.name().unwrap_or_default(), failure))
            }
            Stopped::Late(limit) => {
                tracing::error!(method = self.method(), ?limit, "a layer was stopped");
                UnwrittenOutcome::Error(ProtocolError::too_slow(limit))
            }
            stopped => {
                let not_found = ProtocolError::invalid_params("there is nothing of that name");
                UnwrittenOutcome::Error(stopped.into_error("a layer", self.method(), not_found))
            }
        }
    }
}

/// The method of calls.
const CALL: &str = "tools/call";

impl<C> Clone for EndpointRequest<C> {
    fn clone(&self) -> Self {
        Self {
            facts: Arc::clone(&self.facts),
            caller: Arc::clone(&self.caller),
        }
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
