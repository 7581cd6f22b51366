//! The way of a request through the layers of its endpoint: each around the next, behind a fence
//! of its own, and the innermost work, which is handed in.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{
    CarriedOutcome, EndpointRequest, LayerFunction, OutcomeFuture, RequestFacts, RequestOutcome,
};
use crate::call::{Pause, Pauses};
use crate::endpoint::Identity;
use crate::endpoint::fence::{Clock, Fenced, Stopped};
use crate::limits;
use crate::protocol_error::ProtocolError;

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
        let Self { mut inside } = self;
        let way = Arc::clone(&inside.way);
        let mut pause: Option<Pause<'_>> = None;
        // The clock of the layer stands still while what it goes around waits.
        poll_fn(|context| {
            let polled = inside.poll(context);
            if polled.is_pending() && pause.is_none() && inside.begun.is_some() {
                pause = way.clock(inside.place).map(Pauses::begin);
            }
            polled
        })
        .await
    }
}

impl std::fmt::Debug for Next {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Next").finish_non_exhaustive()
    }
}

/// What a layer goes around: its place, and the work within it once that has begun.
struct Inside {
    way: Arc<dyn InnerWay>,
    place: usize,
    begun: Option<OutcomeFuture>,
    has_ended: bool,
}

impl Inside {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<RequestOutcome> {
        if self.begun.is_none() {
            match Arc::clone(&self.way).enter(self.place, context) {
                Entered::Begun(work) => self.begun = Some(work),
                Entered::Ended(outcome) => {
                    self.has_ended = true;
                    return Poll::Ready(outcome);
                }
                Entered::NotYet => return Poll::Pending,
            }
        }
        match &mut self.begun {
            Some(work) => work.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

impl Drop for Inside {
    /// Nobody goes on any more, unless the work has begun.
    fn drop(&mut self) {
        if self.begun.is_none() && !self.has_ended {
            self.way.leave();
        }
    }
}

/// What a layer finds where it goes on.
enum Entered {
    Begun(OutcomeFuture),
    Ended(RequestOutcome),
    /// It is about to be handed in; whoever asked is woken.
    NotYet,
}

/// A request without the type of its caller, as what goes on in it sees it.
trait InnerWay: Send + Sync {
    fn enter(self: Arc<Self>, place: usize, context: &Context<'_>) -> Entered;
    fn leave(&self);
    fn clock(&self, place: usize) -> Option<&Pauses>;
}

/// The layers of a request, and what they go around.
pub(super) struct LayerPath<C> {
    identity: Arc<Identity<C>>,
    innermost: Mutex<Innermost>,
    /// The pauses of each layer, once there are any.
    clocks: OnceLock<Box<[Pauses]>>,
}

/// What all layers go around.
pub(crate) enum Innermost {
    /// Not handed in, and nobody has asked for it.
    Unasked,
    Asked(Waker),
    Begun(OutcomeFuture),
    Ended(RequestOutcome),
    /// Taken, or nobody will ask for it.
    Gone,
}

impl<C> LayerPath<C> {
    pub(super) fn new(identity: &Arc<Identity<C>>) -> Self {
        Self {
            identity: Arc::clone(identity),
            innermost: Mutex::new(Innermost::Unasked),
            clocks: OnceLock::new(),
        }
    }

    fn layers(&self) -> &[LayerFunction<C>] {
        &self.identity.profile.layers
    }

    fn innermost(&self) -> MutexGuard<'_, Innermost> {
        self.innermost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Send + Sync + 'static> InnerWay for RequestFacts<C> {
    fn enter(self: Arc<Self>, place: usize, context: &Context<'_>) -> Entered {
        if place < self.way.layers().len() {
            return Entered::Begun(Box::pin(within(EndpointRequest(self), place)));
        }
        let mut innermost = self.way.innermost();
        match std::mem::replace(&mut *innermost, Innermost::Gone) {
            Innermost::Unasked | Innermost::Asked(_) => {
                *innermost = Innermost::Asked(context.waker().clone());
                Entered::NotYet
            }
            Innermost::Begun(work) => Entered::Begun(work),
            Innermost::Ended(outcome) => Entered::Ended(outcome),
            Innermost::Gone => Entered::Ended(RequestOutcome {
                request: self.number,
                carried: CarriedOutcome::Error(ProtocolError::internal()),
            }),
        }
    }

    fn leave(&self) {
        let left = std::mem::replace(&mut *self.way.innermost(), Innermost::Gone);
        drop(left);
    }

    fn clock(&self, place: usize) -> Option<&Pauses> {
        let layers = self.way.layers();
        let clocks = self
            .way
            .clocks
            .get_or_init(|| layers.iter().map(|_| Pauses::default()).collect());
        clocks.get(place.checked_sub(1)?)
    }
}

impl<C> EndpointRequest<C> {
    /// Whether the layers have asked for what they go around; `None` when they never will.
    pub(crate) fn has_gone_on(&self) -> Option<bool> {
        match &*self.0.way.innermost() {
            Innermost::Unasked => Some(false),
            Innermost::Asked(_) => Some(true),
            Innermost::Begun(_) | Innermost::Ended(_) | Innermost::Gone => None,
        }
    }

    /// Hands in what the layers go around, once.
    pub(crate) fn hand_in(&self, work: Innermost) {
        let mut innermost = self.0.way.innermost();
        if matches!(*innermost, Innermost::Unasked | Innermost::Asked(_)) {
            let before = std::mem::replace(&mut *innermost, work);
            drop(innermost);
            if let Innermost::Asked(waker) = before {
                waker.wake();
            }
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
        let clocks = self.request.0.way.clocks.get();
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
        },
    };
    let work: Pin<Box<dyn Future<Output = _> + Send>> = match request.0.way.layers().get(place) {
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
