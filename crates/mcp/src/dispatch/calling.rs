//! A request that is being answered: its work under way, and the answer that the work becomes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::layered::WithinLayers;
use super::task_driving::{self, Followed};
use super::{MessageAnswer, custom, refusal};
use crate::asking::SealedState;
use crate::asking::sealed_state::{self, RequestIdentity};
use crate::call::RequestContext;
use crate::endpoint::fence::{Fenced, Stopped};
use crate::endpoint::{CacheScope, CallError, Catalog, Running};
use crate::method::Method;
use crate::output::Failure;
use crate::protocol_error::ProtocolError;
use crate::question::InputRequired;
use crate::reply::{self, Reply};
use crate::revision::Revision;

/// A request under way, a future of its answer. Owns all it needs.
pub(crate) enum Calling<C> {
    /// In a box from its beginning on: it is handed from one to the other.
    Direct(Box<DirectCalling<C>>),
    /// Within the layers of its endpoint, in a box for all others to be small: few layers wait.
    Layered(Box<WithinLayers<C>>),
}

/// The work of a request, without what goes around it.
pub(crate) struct DirectCalling<C> {
    pub(super) id: Arc<str>,
    pub(super) work: StartedWork<C>,
    pub(super) waiting: Option<SealContext>,
    /// What the work may say until it is answered.
    pub(super) voice: Voice,
    pub(super) catalog: Arc<Catalog<C>>,
}

/// The work that is under way.
pub(super) enum StartedWork<C> {
    /// A tool.
    Tool { running: Running, structured: bool },
    /// A call that became a task at its beginning: the answer that hands it out.
    Task(Reply),
    /// Another method.
    Method {
        name: String,
        work: Fenced<OpenResult>,
        keep: Keep,
        not_found: ProtocolError,
    },
    /// A method of the application's own; its result is a JSON object.
    Custom {
        method: Arc<Method<C>>,
        work: Fenced<Map<String, Value>>,
    },
    /// A subscription; its result is whole.
    Subscription(Pin<Box<dyn Future<Output = Bytes> + Send>>),
    /// None any more: it was answered.
    Ended,
}

/// A JSON object without its closing brace, and the entries of `_meta` that go into it.
pub(super) struct OpenResult {
    pub(super) json: String,
    pub(super) meta: Map<String, Value>,
}

/// The time for which a client may keep a result.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keep {
    No,
    For(Duration),
}

/// The things sealed when work waits for answers: which request it is, and the state it came
/// with.
pub(super) struct SealContext {
    pub(super) request: RequestIdentity,
    pub(super) before: Option<SealedState>,
}

/// Takes the word from a request once it is answered or dropped, whoever still holds its call.
pub(super) struct Voice(pub(super) Arc<RequestContext>);

impl Voice {
    fn end(&self) {
        self.0.answered.store(true, Ordering::Relaxed);
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.end();
    }
}

impl<C> Calling<C> {
    /// The JSON of the id of its request.
    pub(crate) fn id(&self) -> &Arc<str> {
        match self {
            Self::Direct(calling) => &calling.id,
            Self::Layered(within) => within.id(),
        }
    }

    /// The answer to a call that may not begin.
    pub(super) fn refused(&self, error: &ProtocolError) -> MessageAnswer {
        let revision = match self {
            Self::Direct(calling) => calling.voice.0.revision,
            Self::Layered(within) => within.revision(),
        };
        refusal(Some(self.id()), revision, error)
    }
}

impl<C: Send + Sync + 'static> Future for Calling<C> {
    type Output = MessageAnswer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<MessageAnswer> {
        match self.get_mut() {
            Self::Direct(calling) => Pin::new(&mut **calling).poll(context),
            Self::Layered(within) => Pin::new(within).poll(context),
        }
    }
}

impl<C: Send + Sync + 'static> DirectCalling<C> {
    fn poll_work(&mut self, context: &mut Context<'_>) -> Poll<MessageAnswer> {
        let Self {
            id,
            work,
            waiting,
            voice,
            catalog,
        } = self;
        let identity = &catalog.identity;
        let revision = voice.0.revision;
        let error = match work {
            StartedWork::Ended => return Poll::Pending,
            StartedWork::Subscription(listening) => {
                let polled = listening.as_mut().poll(context);
                return polled.map(|result| ok(Reply::ready(id, result)));
            }
            StartedWork::Task(reply) => return Poll::Ready(ok(std::mem::take(reply))),
            StartedWork::Tool {
                running,
                structured,
            } => match ready!(task_driving::poll_followed(running, &voice.0, context)) {
                Followed::Became(task, running) => {
                    let reply = Reply::created_task(id, &task.seed(), &identity.modern_meta);
                    if task_driving::go_on(&task, running, *structured, catalog) {
                        return Poll::Ready(ok(reply));
                    }
                    ProtocolError::internal()
                }
                Followed::Ended(Ok(output)) => {
                    let tail = identity.tail(revision);
                    return Poll::Ready(ok(Reply::output(id, &output, *structured, tail)));
                }
                Followed::Ended(Err(CallError::InputRequired(required))) => {
                    return Poll::Ready(ask(id, *required, waiting.take(), revision, catalog));
                }
                Followed::Ended(Err(error)) => error.into(),
            },
            StartedWork::Method {
                name,
                work,
                keep,
                not_found,
            } => match ready!(Pin::new(work).poll(context)) {
                Ok(OpenResult { json, meta }) => {
                    let tail = identity.tail(revision);
                    let result = match (tail, *keep) {
                        (Some(_), Keep::For(ttl)) => {
                            identity.cacheable(json, ttl, CacheScope::Private)
                        }
                        _ => reply::closed(json, Some(&meta), tail),
                    };
                    return Poll::Ready(ok(Reply::ready(id, result)));
                }
                Err(Stopped::Failed(Failure::InputRequired(required))) => {
                    return Poll::Ready(ask(id, *required, waiting.take(), revision, catalog));
                }
                Err(stopped) => stopped.into_error("a method", name, not_found.clone()),
            },
            StartedWork::Custom { method, work } => match ready!(Pin::new(work).poll(context)) {
                Ok(result) => {
                    let result = custom::result(method.ttl, result, identity, revision);
                    return Poll::Ready(ok(Reply::ready(id, result.into())));
                }
                Err(stopped) => stopped.into_error(
                    "a method",
                    &method.name,
                    ProtocolError::unknown_method(&method.name),
                ),
            },
        };
        Poll::Ready(refusal(Some(id), revision, &error))
    }
}

/// Its answer. The work is polled where it lies: what waits for a call holds it as it is.
impl<C: Send + Sync + 'static> Future for DirectCalling<C> {
    type Output = MessageAnswer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<MessageAnswer> {
        let calling = self.get_mut();
        let answer = ready!(calling.poll_work(context));
        calling.work = StartedWork::Ended;
        calling.voice.end();
        Poll::Ready(answer)
    }
}

fn ok(reply: Reply) -> MessageAnswer {
    MessageAnswer {
        status: StatusCode::OK,
        reply: Some(reply),
    }
}

/// The result that asks the client, with the state sealed.
fn ask<C>(
    id: &str,
    required: InputRequired,
    waiting: Option<SealContext>,
    revision: Option<Revision>,
    catalog: &Catalog<C>,
) -> MessageAnswer {
    let InputRequired { questions, answers } = required;
    let sealed = waiting.and_then(|SealContext { request, before }| {
        SealedState::next(
            request.digest(),
            sealed_state::now(),
            before.as_ref(),
            answers,
        )
        .seal(&catalog.identity.state_key)
    });
    match sealed {
        Some(state) => ok(Reply::input_required(
            id,
            &questions,
            &state,
            &catalog.identity.modern_meta,
        )),
        None => refusal(Some(id), revision, &ProtocolError::internal()),
    }
}
