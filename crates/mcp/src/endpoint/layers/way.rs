//! The way of a request through the layers of its endpoint: each around the next, behind a fence
//! of its own, and the innermost work, which is handed in.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{CarriedOutcome, EndpointRequest, OutcomeFuture, RequestFacts, RequestOutcome};
use crate::call::Pauses;
use crate::endpoint::fence::{Clock, Fenced, Stopped};
use crate::limits;
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
    pub async fn run(self) -> RequestOutcome {
        self.inside.await
    }
}

impl std::fmt::Debug for Next {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Next").finish_non_exhaustive()
    }
}

/// What a layer goes around, a future of its outcome: its place, and the work within it once that
/// has begun.
struct Inside {
    way: Arc<dyn InnerWay>,
    place: usize,
    begun: Option<InnerWork>,
    has_ended: bool,
    /// The clock of the layer stands still while what it goes around waits.
    has_paused: bool,
}

impl Future for Inside {
    type Output = RequestOutcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RequestOutcome> {
        let inside = self.get_mut();
        let passage = inside.way.passage();
        let work = match &mut inside.begun {
            Some(work) => work,
            None if inside.place < passage.layers => {
                let layer = Arc::clone(&inside.way).layer(inside.place);
                inside.begun.insert(InnerWork::Going(layer))
            }
            None => match passage.ask(context) {
                Entered::Begun(work) => inside.begun.insert(work),
                Entered::Ended(outcome) => {
                    inside.has_ended = true;
                    return Poll::Ready(outcome);
                }
                Entered::NotYet => return Poll::Pending,
            },
        };
        let polled = match work {
            InnerWork::Going(work) => work.as_mut().poll(context),
            InnerWork::Answering(work) => work
                .as_mut()
                .poll(context)
                .map(|answer| RequestOutcome::of(passage.number, CarriedOutcome::Message(answer))),
        };
        if polled.is_pending()
            && !inside.has_paused
            && let Some(clock) = passage.clock(inside.place)
        {
            clock.open();
            inside.has_paused = true;
        }
        polled
    }
}

impl Drop for Inside {
    /// Nobody goes on any more, unless the work has begun.
    fn drop(&mut self) {
        let passage = self.way.passage();
        if self.begun.is_none() && !self.has_ended {
            passage.leave();
        }
        if self.has_paused
            && let Some(clock) = passage.clock(self.place)
        {
            clock.close();
        }
    }
}

/// What a layer finds where it goes on.
enum Entered {
    Begun(InnerWork),
    Ended(RequestOutcome),
    /// It is about to be handed in; whoever asked is woken.
    NotYet,
}

/// A request without the type of its caller, as what goes on in it sees it.
trait InnerWay: Send + Sync {
    fn passage(&self) -> &LayerPassage;
    /// Begins the layer at a place.
    fn layer(self: Arc<Self>, place: usize) -> OutcomeFuture;
}

/// The passage of a request through its layers to what they go around.
pub(super) struct LayerPassage {
    /// The number of the request.
    pub(super) number: u64,
    /// How many layers there are.
    layers: usize,
    innermost: Mutex<Innermost>,
    /// The pauses of each layer, once there are any.
    clocks: OnceLock<Box<[Pauses]>>,
}

/// What all layers go around.
pub(crate) enum Innermost {
    /// Not handed in, and nobody has asked for it.
    Unasked,
    Asked(Waker),
    Begun(InnerWork),
    Ended(RequestOutcome),
    /// Taken, or nobody will ask for it.
    Gone,
}

/// Work within a layer.
pub(crate) enum InnerWork {
    /// The request of a client, without layers.
    Answering(Pin<Box<dyn Future<Output = MessageAnswer> + Send>>),
    /// The next layer, or the call of a program.
    Going(OutcomeFuture),
}

impl LayerPassage {
    pub(super) fn new(number: u64, layers: usize) -> Self {
        Self {
            number,
            layers,
            innermost: Mutex::new(Innermost::Unasked),
            clocks: OnceLock::new(),
        }
    }

    fn innermost(&self) -> MutexGuard<'_, Innermost> {
        self.innermost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, context: &Context<'_>) -> Entered {
        let mut innermost = self.innermost();
        if let Innermost::Unasked | Innermost::Asked(_) = *innermost {
            *innermost = Innermost::Asked(context.waker().clone());
            return Entered::NotYet;
        }
        match std::mem::replace(&mut *innermost, Innermost::Gone) {
            Innermost::Begun(work) => Entered::Begun(work),
            Innermost::Ended(outcome) => Entered::Ended(outcome),
            Innermost::Unasked | Innermost::Asked(_) | Innermost::Gone => {
                let carried = CarriedOutcome::Error(ProtocolError::internal());
                Entered::Ended(RequestOutcome::of(self.number, carried))
            }
        }
    }

    fn leave(&self) {
        let left = std::mem::replace(&mut *self.innermost(), Innermost::Gone);
        drop(left);
    }

    /// The clock of the layer around what is at a place.
    fn clock(&self, place: usize) -> Option<&Pauses> {
        let begin = || (0..self.layers).map(|_| Pauses::default()).collect();
        self.clocks.get_or_init(begin).get(place.checked_sub(1)?)
    }
}

impl<C: Send + Sync + 'static> InnerWay for RequestFacts<C> {
    fn passage(&self) -> &LayerPassage {
        &self.passage
    }

    fn layer(self: Arc<Self>, place: usize) -> OutcomeFuture {
        Box::pin(within(EndpointRequest(self), place))
    }
}

impl<C> EndpointRequest<C> {
    /// Whether the layers have asked for what they go around; `None` when they have it or never
    /// will.
    pub(crate) fn has_gone_on(&self) -> Option<bool> {
        match &*self.0.passage.innermost() {
            Innermost::Unasked | Innermost::Ended(_) => Some(false),
            Innermost::Asked(_) => Some(true),
            Innermost::Begun(_) | Innermost::Gone => None,
        }
    }

    /// Hands in what the layers go around, in place of what was handed in before and nobody took.
    pub(crate) fn hand_in(&self, work: Innermost) {
        let mut innermost = self.0.passage.innermost();
        if matches!(*innermost, Innermost::Gone) {
            return;
        }
        let before = std::mem::replace(&mut *innermost, work);
        drop(innermost);
        if let Innermost::Asked(waker) = before {
            waker.wake();
        }
    }
}

/// A request within its layers from this place on: a future of its outcome. A layer that panics, or
/// takes more time than it may beside what it goes around, ends the request.
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
        let clocks = self.request.0.passage.clocks.get();
        let clock = clocks.and_then(|clocks| clocks.get(self.place));
        clock.map_or(Some(Duration::ZERO), |pauses| pauses.past(context))
    }
}

/// Begins the layer at this place, the first one outermost.
pub(crate) fn within<C: Send + Sync + 'static>(
    request: EndpointRequest<C>,
    place: usize,
) -> Within<C> {
    let next = Next {
        inside: Inside {
            way: Arc::clone(&request.0) as Arc<dyn InnerWay>,
            place: place + 1,
            begun: None,
            has_ended: false,
            has_paused: false,
        },
    };
    let work: Pin<Box<dyn Future<Output = _> + Send>> =
        match request.0.identity.profile.layers.get(place) {
            // The function itself may panic before it returns its future.
            Some(layer) => catch_unwind(AssertUnwindSafe(|| layer(request.clone(), next)))
                .unwrap_or_else(|panic| Box::pin(async move { resume_unwind(panic) })),
            None => Box::pin(async move { Ok(next.run().await) }),
        };
    Within {
        layer: Fenced::within(work, limits::LAYER_TIME, LayerClock { request, place }),
    }
}

impl<C> Within<C> {
    /// Asks the layers before anybody waits for them: their clock has not begun to run.
    pub(crate) fn poll_early(&mut self) -> Poll<RequestOutcome> {
        let polled = self
            .layer
            .poll_early(&mut Context::from_waker(Waker::noop()));
        polled.map(|ended| self.outcome(ended))
    }

    fn outcome(&self, ended: Result<RequestOutcome, Stopped>) -> RequestOutcome {
        let request = self.request();
        match ended {
            Ok(outcome) if outcome.request == request.number() => outcome,
            Ok(_) => {
                let method = request.method();
                tracing::error!(method, "a layer gave the outcome of another request");
                request.ended(CarriedOutcome::Error(ProtocolError::internal()))
            }
            Err(stopped) => request.stopped(stopped),
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
        polled.map(|ended| within.outcome(ended))
    }
}
