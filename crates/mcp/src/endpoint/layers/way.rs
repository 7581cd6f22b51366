//! The way of a request through the layers of its endpoint: each around the next, behind a fence
//! of its own, and what they all go around innermost.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use super::facts::{Innermost, RequestFacts};
use super::{BegunLayer, EndpointRequest, LayerFuture, Layers, RequestOutcome, UnwrittenOutcome};
use crate::endpoint::CallError;
use crate::endpoint::fence::{self, Clock, Fenced, Stopped};
use crate::limits;
use crate::output::Output;
use crate::protocol_error::ProtocolError;
use crate::reply::MessageAnswer;

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
    inside: Inside,
}

impl Next {
    /// Goes on with the request, to its end. A request is carried out once: this takes the whole
    /// of it. Dropping what it returns cancels the request.
    pub fn run(self) -> impl Future<Output = RequestOutcome> + Send + 'static {
        self.inside
    }
}

impl std::fmt::Debug for Next {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Next").finish_non_exhaustive()
    }
}

/// What a layer goes around, a future of its outcome.
struct Inside {
    facts: Arc<RequestFacts>,
    /// The place of the layer, and how many there are.
    place: usize,
    layers: usize,
    /// The work, once it has begun.
    begun: Option<InnerWork>,
    has_ended: bool,
    /// The clock of the layer stands still while what it goes around waits.
    has_paused: bool,
}

/// Work within a layer.
pub(crate) enum InnerWork {
    /// The request of a client, without layers.
    Answering(Pin<Box<dyn Future<Output = MessageAnswer> + Send>>),
    /// The next layer.
    Going(Pin<Box<dyn Future<Output = RequestOutcome> + Send>>),
    /// The call of a program.
    Calling(ProgramFuture),
}

pub(crate) type ProgramFuture = Pin<Box<dyn Future<Output = Result<Output, CallError>> + Send>>;

impl Future for Inside {
    type Output = RequestOutcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RequestOutcome> {
        let inside = self.get_mut();
        let polled = inside.poll_work(context);
        if polled.is_ready() {
            inside.has_ended = true;
        } else if inside.begun.is_some() && !inside.has_paused {
            let clocks = inside.facts.begun_clocks(inside.layers);
            if let Some(clock) = clocks.get(inside.place) {
                clock.open();
                inside.has_paused = true;
            }
        }
        polled
    }
}

impl Inside {
    fn poll_work(&mut self, context: &mut Context<'_>) -> Poll<RequestOutcome> {
        let begun = match &mut self.begun {
            Some(begun) => begun,
            None => match ready!(self.facts.ask(context)) {
                Some(work) => self.begun.insert(work),
                // The answer is there.
                None => return Poll::Ready(self.message()),
            },
        };
        match begun {
            InnerWork::Answering(work) => {
                let answer = ready!(work.as_mut().poll(context));
                self.facts.answered(answer);
                Poll::Ready(self.message())
            }
            InnerWork::Going(layer) => layer.as_mut().poll(context),
            InnerWork::Calling(call) => {
                let ended = UnwrittenOutcome::Call(ready!(call.as_mut().poll(context)));
                Poll::Ready(RequestOutcome::unwritten(&self.facts, ended))
            }
        }
    }

    fn message(&self) -> RequestOutcome {
        RequestOutcome::message(Arc::clone(&self.facts))
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        if !self.has_ended {
            self.facts.leave();
        }
        if self.has_paused
            && let Some(clock) = self.facts.clock(self.place)
        {
            clock.close();
        }
    }
}

impl<C> EndpointRequest<C> {
    /// Whether the layers have asked for what they go around; `None` when they have it or never
    /// will.
    pub(crate) fn has_gone_on(&self) -> Option<bool> {
        self.facts.has_gone_on()
    }

    /// Takes back what was there before and nobody asked for.
    pub(crate) fn take_back(&self) -> Option<InnerWork> {
        self.facts.take_back()
    }

    /// Hands in what the layers go around, in place of what was there before and nobody took.
    pub(crate) fn hand_in(&self, innermost: Innermost) {
        self.facts.hand_in(innermost);
    }

    /// The outcome of the request, as a layer ended with it.
    fn outcome(&self, ended: Result<RequestOutcome, Stopped>) -> RequestOutcome {
        match ended {
            Ok(outcome) if outcome.is_of(&self.facts) => outcome,
            ended => self.ended(self.broken_by(ended)),
        }
    }

    /// What becomes of a request whose layer stopped, or gave what it may not.
    #[cold]
    fn broken_by(&self, ended: Result<RequestOutcome, Stopped>) -> UnwrittenOutcome {
        match ended {
            Ok(_) => {
                let method = self.method();
                tracing::error!(method, "a layer gave the outcome of another request");
                UnwrittenOutcome::Error(ProtocolError::internal())
            }
            Err(stopped) => self.stopped(stopped),
        }
    }

    /// The end of the request, as its outermost layer ended with it.
    pub(crate) fn settle(self, ended: Result<RequestOutcome, Stopped>) -> Settled<C> {
        let outcome = match ended {
            Ok(outcome) if outcome.is_of(&self.facts) => outcome,
            ended => {
                let outcome = Box::new(self.broken_by(ended));
                return Settled::Unwritten(self, outcome);
            }
        };
        let (facts, unwritten) = outcome.into_parts();
        match unwritten {
            Some(outcome) => Settled::Unwritten(self, outcome),
            None => {
                drop(self);
                Settled::Answered(facts.end())
            }
        }
    }
}

/// A request that has ended.
pub(crate) enum Settled<C> {
    /// The answer goes to the client as it is; none where nothing came.
    Answered(Option<MessageAnswer>),
    Unwritten(EndpointRequest<C>, Box<UnwrittenOutcome>),
}

impl BegunLayer {
    /// Asks it once more, where it waits.
    pub(crate) fn again(self) -> Self {
        let Self::Waiting(mut layer) = self else {
            return self;
        };
        match fence::poll(&mut layer, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(ended) => Self::Ended(ended),
            Poll::Pending => Self::Waiting(layer),
        }
    }
}

/// Begins the outermost layer and asks it before anybody waits for it: its clock has not begun to
/// run.
pub(crate) fn ask<C: Send + Sync + 'static>(
    request: &EndpointRequest<C>,
    layers: &Layers<C>,
) -> BegunLayer {
    begin(request, layers, 0, &mut Context::from_waker(Waker::noop()))
}

/// A request within its layers from one place on, to its outcome.
pub(crate) async fn within<C: Send + Sync + 'static>(
    request: EndpointRequest<C>,
    layers: Layers<C>,
    place: usize,
) -> RequestOutcome {
    let begin = |context: &mut Context<'_>| Poll::Ready(begin(&request, &layers, place, context));
    match poll_fn(begin).await {
        BegunLayer::Ended(ended) => request.outcome(ended),
        BegunLayer::Waiting(layer) => Within::waiting(layer, request, place).await,
    }
}

/// Begins the layer at a place, the first one outermost.
fn begin<C: Send + Sync + 'static>(
    request: &EndpointRequest<C>,
    layers: &Layers<C>,
    place: usize,
    context: &mut Context<'_>,
) -> BegunLayer {
    let next = place + 1;
    let begun = (next < layers.len())
        .then(|| InnerWork::Going(Box::pin(within(request.clone(), Arc::clone(layers), next))));
    let inside = Inside {
        facts: Arc::clone(&request.facts),
        place,
        layers: layers.len(),
        begun,
        has_ended: false,
        has_paused: false,
    };
    let next = Next { inside };
    let Some(layer) = layers.get(place) else {
        return BegunLayer::Waiting(Box::pin(async move { Ok(next.run().await) }));
    };
    fence::hold(|| layer.begin(request.clone(), next, context))
        .unwrap_or_else(|stopped| BegunLayer::Ended(Err(stopped)))
}

/// The wait for a layer: a future of the outcome of its request. A layer that panics, or takes more
/// time than it may beside what it goes around, ends the request.
pub(crate) struct Within<C> {
    layer: Fenced<RequestOutcome, LayerClock<C>>,
}

/// The clock of the layer at a place.
struct LayerClock<C> {
    request: EndpointRequest<C>,
    place: usize,
}

impl<C> Clock for LayerClock<C> {
    fn paused(&self, context: &Context<'_>) -> Option<Duration> {
        let clock = self.request.facts.clock(self.place);
        clock.map_or(Some(Duration::ZERO), |pauses| pauses.past(context))
    }
}

impl<C> Within<C> {
    /// The wait for a layer that has begun.
    pub(crate) fn waiting(layer: LayerFuture, request: EndpointRequest<C>, place: usize) -> Self {
        Self {
            layer: Fenced::within(layer, limits::LAYER_TIME, LayerClock { request, place }),
        }
    }

    pub(crate) fn request(&self) -> &EndpointRequest<C> {
        &self.layer.clock().request
    }
}

impl<C> Future for Within<C> {
    type Output = RequestOutcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RequestOutcome> {
        let within = self.get_mut();
        let polled = Pin::new(&mut within.layer).poll(context);
        polled.map(|ended| within.request().outcome(ended))
    }
}
