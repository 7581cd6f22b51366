//! The fence around what an application's function does: a time limit, and a panic that ends this
//! work and nothing else.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::call::RequestContext;
use crate::output::Failure;
use crate::protocol_error::ProtocolError;

type Work<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// Polls work without a clock.
pub(crate) fn poll<T>(work: &mut Work<T>, context: &mut Context<'_>) -> Poll<Result<T, Stopped>> {
    match hold(|| work.as_mut().poll(context)) {
        Ok(polled) => polled.map_err(Stopped::Failed),
        Err(stopped) => Poll::Ready(Err(stopped)),
    }
}

/// Does a piece of work in which the application's function may panic.
pub(crate) fn hold<T>(work: impl FnOnce() -> T) -> Result<T, Stopped> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Stopped::Panicked(text(&*panic)))
}

/// A clock that stands still now and then.
pub(crate) trait Clock {
    /// How long it stood still; `None` while it does, and then the task is woken at the end of that.
    fn paused(&self, context: &Context<'_>) -> Option<Duration>;
}

/// The time of a request does not run while it waits for its user.
impl Clock for Arc<RequestContext> {
    fn paused(&self, context: &Context<'_>) -> Option<Duration> {
        self.pauses.past(context)
    }
}

/// Work behind the fence.
pub(crate) struct Fenced<T, K = Arc<RequestContext>> {
    work: Work<T>,
    /// How long it may take, by its clock.
    limit: Duration,
    clock: K,
    started: Option<Instant>,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// The reason why there is no result.
pub(crate) enum Stopped {
    Failed(Failure),
    Panicked(String),
    Late(Duration),
}

impl Stopped {
    /// The error that the client gets; what failed inside is told to the log.
    pub(crate) fn into_error(
        self,
        who: &str,
        method: &str,
        not_found: ProtocolError,
    ) -> ProtocolError {
        match self {
            Self::Failed(Failure::NotFound) => not_found,
            Self::Failed(Failure::MissingCapability(capabilities)) => {
                ProtocolError::missing_capability(&capabilities)
            }
            Self::Failed(Failure::Forbidden(message)) => ProtocolError::forbidden(message),
            Self::Failed(Failure::Told(message)) => ProtocolError::invalid_params(message),
            Self::Failed(Failure::Internal(error)) => {
                tracing::error!(%method, error = &*error, "{who} failed");
                ProtocolError::internal()
            }
            Self::Failed(Failure::InputRequired(_)) => ProtocolError::internal(),
            Self::Late(limit) => ProtocolError::too_slow(limit),
            Self::Panicked(panic) => {
                tracing::error!(%method, panic, "{who} panicked");
                ProtocolError::internal()
            }
        }
    }
}

impl<T> Fenced<T> {
    pub(crate) fn new(work: Work<T>, limit: Duration, request: &Arc<RequestContext>) -> Self {
        Self::within(work, limit, Arc::clone(request))
    }
}

impl<T, K: Clock> Fenced<T, K> {
    pub(crate) fn within(work: Work<T>, limit: Duration, clock: K) -> Self {
        Self {
            work,
            limit,
            clock,
            started: None,
            deadline: None,
        }
    }

    pub(crate) fn clock(&self) -> &K {
        &self.clock
    }

    /// Ready once the time is over.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let started = *self.started.get_or_insert_with(Instant::now);
        let Some(paused) = self.clock.paused(context) else {
            self.deadline = None;
            return Poll::Pending;
        };
        let Some(end) = started
            .checked_add(self.limit)
            .and_then(|end| end.checked_add(paused))
        else {
            return Poll::Pending;
        };
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        if deadline.deadline() != end {
            deadline.as_mut().reset(end);
        }
        deadline.as_mut().poll(context)
    }

    /// Another limit, from now on.
    pub(crate) fn limit(&mut self, limit: Duration) {
        (self.limit, self.started, self.deadline) = (limit, None, None);
    }
}

impl<T, K: Clock + Unpin> Future for Fenced<T, K> {
    type Output = Result<T, Stopped>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let fenced = self.get_mut();
        // The clock is asked only for work that really waits.
        match poll(&mut fenced.work, context) {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => fenced
                .poll_end(context)
                .map(|()| Err(Stopped::Late(fenced.limit))),
        }
    }
}

pub(crate) fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
