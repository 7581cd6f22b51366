//! The driving of calls and tasks: a call runs until it is answered, by its result or by becoming a
//! task, and a task runs to its end.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::call::RequestContext;
use crate::endpoint::{CallError, Catalog, Running};
use crate::output::Output;
use crate::reply;
use crate::tasks::Task;

/// The point that a call reached.
pub(crate) enum Followed {
    /// It ended as a call.
    Ended(Result<Output, CallError>),
    /// It became a task, with this left to run.
    Became(Arc<Task>, Running),
}

/// Runs a call until it ends or becomes a task.
pub(crate) fn poll_followed(
    running: &mut Running,
    request: &RequestContext,
    context: &mut Context<'_>,
) -> Poll<Followed> {
    // Nothing became of a call whose tool was not asked.
    let may_become = !running.has_ended();
    let polled = Pin::new(&mut *running).poll(context);
    match (polled, request.task().filter(|_| may_become)) {
        (Poll::Ready(ended), None) => Poll::Ready(Followed::Ended(ended)),
        (Poll::Ready(ended), Some(task)) => {
            Poll::Ready(Followed::Became(Arc::clone(task), Running::ended(ended)))
        }
        (Poll::Pending, Some(task)) => {
            Poll::Ready(Followed::Became(Arc::clone(task), running.take()))
        }
        (Poll::Pending, None) => Poll::Pending,
    }
}

/// Runs a task to its end, beside whatever else runs. False when there is nothing to run it on.
pub(crate) fn go_on<C: Send + Sync + 'static>(
    task: &Arc<Task>,
    mut running: Running,
    structured: bool,
    catalog: &Arc<Catalog<C>>,
) -> bool {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return false;
    };
    running.limit(task.time_left());
    let (ending, catalog) = (Arc::clone(task), Arc::clone(catalog));
    let work = runtime.spawn(async move {
        let ended = running.await;
        finish(&ending, ended, structured, &catalog);
    });
    task.runs_as(work.abort_handle());
    true
}

/// Keeps what a call ended with.
fn finish<C: Send + Sync + 'static>(
    task: &Task,
    ended: Result<Output, CallError>,
    structured: bool,
    catalog: &Catalog<C>,
) {
    match ended {
        Ok(output) => task.complete(reply::tool_result(
            &output,
            structured,
            &catalog.identity.modern_tail,
        )),
        // A task asks without ending, so a question that ends it was put before it became one and
        // handed on after: that is an error inside.
        Err(error) => task.fail(&error.into()),
    }
}
