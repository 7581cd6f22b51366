//! A request that is being answered: its work under way, and the answer that the work becomes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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

/// Work under way. Owns all it needs.
pub(crate) struct Calling<C> {
    pub(crate) id: String,
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
    /// A request within the layers of its endpoint.
    Layered(WithinLayers<C>),
    /// A subscription; its result is whole.
    Subscription(Pin<Box<dyn Future<Output = Bytes> + Send>>),
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

impl Drop for Voice {
    fn drop(&mut self) {
        self.0.answered.store(true, Ordering::Relaxed);
    }
}

impl<C: Send + Sync + 'static> Calling<C> {
    /// The answer to a call that may not begin.
    pub(super) fn refused(&self, error: &ProtocolError) -> MessageAnswer {
        refusal(Some(&self.id), self.voice.0.revision, error)
    }

    /// Its work within layers, if that is what it is.
    #[allow(
        clippy::result_large_err,
        reason = "either is the call itself, moved once"
    )]
    pub(super) fn in_layers(self) -> Result<impl Future<Output = MessageAnswer> + Send, Self> {
        match self {
            Self {
                id,
                work: StartedWork::Layered(work),
                voice,
                catalog,
                ..
            } => Ok(async move {
                let answer = work.finish(&id, &catalog).await;
                drop(voice);
                answer
            }),
            calling => Err(calling),
        }
    }

    /// Waits for the work and writes its answer.
    pub(crate) async fn finish(self) -> MessageAnswer {
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
            StartedWork::Subscription(listening) => return ok(Reply::ready(&id, listening.await)),
            StartedWork::Task(reply) => return ok(reply),
            StartedWork::Layered(work) => return work.finish(&id, &catalog).await,
            StartedWork::Tool {
                running,
                structured,
            } => match task_driving::follow(running, &voice.0).await {
                Followed::Became(task, running) => {
                    let reply = Reply::created_task(&id, &task.seed(), &identity.modern_meta);
                    if task_driving::go_on(&task, running, structured, &catalog) {
                        return ok(reply);
                    }
                    ProtocolError::internal()
                }
                Followed::Ended(Ok(output)) => {
                    let tail = identity.tail(revision);
                    return ok(Reply::output(&id, &output, structured, tail));
                }
                Followed::Ended(Err(CallError::InputRequired(required))) => {
                    return ask(&id, *required, waiting, revision, &catalog);
                }
                Followed::Ended(Err(error)) => error.into(),
            },
            StartedWork::Method {
                name,
                work,
                keep,
                not_found,
            } => match work.await {
                Ok(OpenResult { json, meta }) => {
                    let tail = identity.tail(revision);
                    let result = match (tail, keep) {
                        (Some(_), Keep::For(ttl)) => {
                            identity.cacheable(json, ttl, CacheScope::Private)
                        }
                        _ => reply::closed(json, Some(&meta), tail),
                    };
                    return ok(Reply::ready(&id, result));
                }
                Err(Stopped::Failed(Failure::InputRequired(required))) => {
                    return ask(&id, *required, waiting, revision, &catalog);
                }
                Err(stopped) => stopped.into_error("a method", &name, not_found),
            },
            StartedWork::Custom { method, work } => match work.await {
                Ok(result) => {
                    return ok(Reply::ready(
                        &id,
                        custom::result(method.ttl, result, identity, revision).into(),
                    ));
                }
                Err(stopped) => stopped.into_error(
                    "a method",
                    &method.name,
                    ProtocolError::unknown_method(&method.name),
                ),
            },
        };
        refusal(Some(&id), revision, &error)
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
