//! A call under way: bounded in time, fenced against panics, cancelled by dropping it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;

use super::CallError;
use super::fence::{Fenced, Stopped};
use crate::call::RequestContext;
use crate::output::{ErrorKind, Failure, Output};
use crate::tool::ToolFuture;

/// A call that was started; a future of its result.
pub struct Running {
    state: RunningState,
}

enum RunningState {
    /// The answer was known without asking the tool.
    Known(Option<Result<Output, CallError>>),
    /// The arguments do not fit: the tool, and what is wrong with them.
    Unfit(String, Output),
    Tool {
        name: String,
        work: Fenced<Output>,
    },
    /// Within the layers of the endpoint.
    Layered(Pin<Box<dyn Future<Output = Result<Output, CallError>> + Send>>),
}

impl Running {
    pub(super) fn refused(error: CallError) -> Self {
        Self::ended(Err(error))
    }

    /// A call that the tool's own rule does not admit.
    pub(super) fn refused_by_rule(tool: &str, failure: Failure) -> Self {
        Self::ended(failed(tool, failure))
    }

    /// A call whose arguments do not fit its tool, with what is wrong with them.
    pub(super) fn unfit(tool: &str, problems: String) -> Self {
        let problems = Output::text(problems).of_kind(ErrorKind::Arguments);
        Self {
            state: RunningState::Unfit(tool.to_owned(), problems),
        }
    }

    /// A call that has ended.
    pub(crate) fn ended(result: Result<Output, CallError>) -> Self {
        Self {
            state: RunningState::Known(Some(result)),
        }
    }

    /// Takes it from a place where nobody will wait for it any more.
    pub(crate) fn take(&mut self) -> Self {
        let gone = RunningState::Known(None);
        Self {
            state: std::mem::replace(&mut self.state, gone),
        }
    }

    /// Whether it has ended without asking the tool.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, RunningState::Known(_) | RunningState::Unfit(..))
    }

    /// Gives the tool another time limit, from now on.
    pub(crate) fn limit(&mut self, limit: Duration) {
        if let RunningState::Tool { work, .. } = &mut self.state {
            work.limit(limit);
        }
    }

    pub(super) fn layered(
        work: Pin<Box<dyn Future<Output = Result<Output, CallError>> + Send>>,
    ) -> Self {
        Self {
            state: RunningState::Layered(work),
        }
    }

    pub(super) fn tool(
        name: &str,
        future: ToolFuture,
        limit: Duration,
        request: &Arc<RequestContext>,
    ) -> Self {
        Self {
            state: RunningState::Tool {
                name: name.to_owned(),
                work: Fenced::new(future, limit, request),
            },
        }
    }
}

impl Future for Running {
    type Output = Result<Output, CallError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let state = &mut self.get_mut().state;
        match state {
            RunningState::Unfit(tool, problems) => {
                tracing::info!(%tool, outcome = "refused", by = "Arguments", "a call was refused");
                let problems = std::mem::take(problems);
                *state = RunningState::Known(None);
                Poll::Ready(Ok(problems))
            }
            RunningState::Known(answer) => Poll::Ready(
                answer
                    .take()
                    .unwrap_or_else(|| Ok(broken("a call was polled after its end"))),
            ),
            RunningState::Layered(work) => work.as_mut().poll(context),
            RunningState::Tool { name, work } => {
                work.poll_unpin(context).map(|ended| match ended {
                    Ok(output) => Ok(output),
                    Err(Stopped::Failed(failure)) => failed(name, failure),
                    Err(Stopped::Late(limit)) => Ok(late(name, limit)),
                    Err(Stopped::Panicked(panic)) => {
                        tracing::error!(tool = %name, panic, "a tool panicked");
                        Ok(broken(name))
                    }
                })
            }
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Running").finish_non_exhaustive()
    }
}

pub(super) fn failed(tool: &str, failure: Failure) -> Result<Output, CallError> {
    Ok(match failure {
        Failure::Told(message) => Output::error(message),
        Failure::NotFound => Output::error(format!("{tool}: there is nothing of that name")),
        Failure::Forbidden(message) => return Err(CallError::Forbidden(message)),
        Failure::InputRequired(questions) => return Err(CallError::InputRequired(questions)),
        Failure::MissingCapability(capabilities) => {
            return Err(CallError::MissingCapability(capabilities));
        }
        Failure::Internal(error) => {
            tracing::error!(%tool, error = &*error, "a tool failed");
            broken(tool)
        }
    })
}

fn broken(tool: &str) -> Output {
    Output::text(format!(
        "{tool} failed inside the server; its log has the details. The arguments were not at fault."
    ))
    .of_kind(ErrorKind::Internal)
}

fn late(tool: &str, limit: Duration) -> Output {
    Output::text(format!(
        "{tool} was stopped after {} s, its time limit. It may have done part of its work: look before you repeat it.",
        limit.as_secs_f64()
    ))
    .of_kind(ErrorKind::Time)
}
