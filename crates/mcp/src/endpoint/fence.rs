//! The fence around what an application's function does: a time limit, and a panic that ends this
//! work and nothing else.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::call::RequestContext;
use crate::output::Failure;
use crate::protocol_error::ProtocolError;

type Work<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// Work behind the fence.
pub(crate) struct Fenced<T> {
    work: Work<T>,
    /// How long it may take, without the pauses of its request.
    limit: Duration,
    request: Arc<RequestContext>,
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
        Self {
            work,
            limit,
            request: Arc::clone(request),
            started: None,
            deadline: None,
        }
    }

    /// Ready once the time is over.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let started = *self.started.get_or_insert_with(Instant::now);
        let Some(paused) = self.request.pauses.past(context) else {
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

impl<T> Future for Fenced<T> {
    type Output = Result<T, Stopped>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let fenced = self.get_mut();
        match std::panic::catch_unwind(AssertUnwindSafe(|| fenced.work.as_mut().poll(context))) {
            Ok(Poll::Ready(ended)) => Poll::Ready(ended.map_err(Stopped::Failed)),
            Err(panic) => Poll::Ready(Err(Stopped::Panicked(text(&*panic)))),
            // The clock is asked only for work that really waits.
            Ok(Poll::Pending) => fenced
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
