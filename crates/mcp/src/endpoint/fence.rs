//! The fence around what an application's function does: a time limit, and a panic that ends this work and nothing else.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use crate::output::Failure;

type Work<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;

/// Work behind the fence.
pub(crate) struct Fenced<T> {
    work: Work<T>,
    limit: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Why there is no result.
pub(crate) enum Stopped {
    Failed(Failure),
    Panicked(String),
    Late(Duration),
}

impl<T> Fenced<T> {
    pub(crate) fn new(work: Work<T>, limit: Duration) -> Self {
        Self { work, limit, deadline: None }
    }
}

impl<T> Future for Fenced<T> {
    type Output = Result<T, Stopped>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { work, limit, deadline } = self.get_mut();
        match std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Ready(ended)) => Poll::Ready(ended.map_err(Stopped::Failed)),
            Err(panic) => Poll::Ready(Err(Stopped::Panicked(text(&*panic)))),
            // The clock is asked only for work that really waits.
            Ok(Poll::Pending) => {
                let deadline = deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(*limit)));
                deadline.as_mut().poll(context).map(|()| Err(Stopped::Late(*limit)))
            }
        }
    }
}

pub(crate) fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
