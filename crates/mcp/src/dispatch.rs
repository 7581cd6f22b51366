//! The one dispatcher of both eras: it makes of a message and the place it came from an answer, or
//! a call under way. Knows no sockets and no threads.

mod calling;
mod custom;
mod layered;
mod listening;
mod request;
mod skills;
mod task_driving;
mod tasking;
mod working;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde_json::value::RawValue;

use crate::conversation::Conversation;
use crate::ending::Ending;
use crate::endpoint::Endpoint;
use crate::envelope::{self, Arrived, JsonRpcMessage, Malformed};
use crate::limits;
use crate::mirrored_headers;
use crate::outlet::Outlet;
use crate::protocol_error::ProtocolError;
pub(crate) use crate::reply::MessageAnswer;
use crate::reply::Reply;
use crate::request_meta::Params;
use crate::revision::Revision;
use crate::under_way::{CallsUnderWay, UnderWay};
pub(crate) use calling::Calling;
use request::RequestDispatch;

/// The place a message came from, and what that place knows of the conversation.
pub(crate) struct Arrival<'a, C> {
    pub(crate) origin: MessageOrigin<'a>,
    pub(crate) caller: &'a Arc<C>,
    /// The bytes it came in, where a call may keep a part of them.
    pub(crate) body: Option<&'a Bytes>,
    /// Where messages go that precede the answer; none when the client takes nothing but the
    /// answer.
    pub(crate) outlet: Option<Arc<dyn Outlet>>,
    /// Where an `initialize` outside of any conversation begins one.
    pub(crate) opening: Option<&'a OnceLock<Arc<Conversation>>>,
    /// The end of the server, where the place knows it.
    pub(crate) ending: Option<&'a Arc<Ending>>,
}

/// The origin of a message: the headers of one HTTP request, and the conversation of a session or a
/// stdio connection.
#[derive(Clone, Copy)]
pub(crate) struct MessageOrigin<'a> {
    pub(crate) headers: Option<&'a HeaderMap>,
    /// The revision that the headers name, as written.
    named: Option<&'a str>,
    pub(crate) conversation: Option<&'a Arc<Conversation>>,
}

impl<'a> MessageOrigin<'a> {
    pub(crate) fn new(
        headers: Option<&'a HeaderMap>,
        conversation: Option<&'a Arc<Conversation>>,
    ) -> Self {
        Self {
            headers,
            named: headers.and_then(mirrored_headers::protocol_version),
            conversation,
        }
    }

    /// One HTTP request, in a session or outside of any.
    pub(crate) fn http(
        headers: &'a HeaderMap,
        conversation: Option<&'a Arc<Conversation>>,
    ) -> Self {
        Self::new(Some(headers), conversation)
    }

    /// A channel that all messages of a conversation share: stdio, or HTTP+SSE.
    pub(crate) fn channel(conversation: &'a Arc<Conversation>) -> Self {
        Self::new(None, Some(conversation))
    }

    /// Whether it is an HTTP request outside of any session. Its work is polled where it is taken,
    /// without a place among other calls.
    fn is_alone(self) -> bool {
        self.headers.is_some() && self.conversation.is_none()
    }

    /// The revision that the place speaks of, before or without reading the message.
    fn revision(self) -> Option<Revision> {
        let named = self.named.and_then(Revision::parse);
        named.or_else(|| {
            self.conversation
                .and_then(|conversation| conversation.revision())
        })
    }
}

/// The outcome of a message.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one step for each message; a box would cost each call an allocation"
)]
pub(crate) enum Dispatched<C> {
    /// The answer is known.
    Answered(MessageAnswer),
    /// The work was done where it was taken: the answer, and before it whatever the work has said.
    Done(MessageAnswer),
    /// Work was started, which is a future of its answer.
    Calling(Calling<C>),
    /// The same, found by its id until it is answered.
    Entered(Calling<C>, UnderWay),
    /// The client takes back a request, by the JSON of its id (stdio and sessions).
    Cancel(String),
    /// A batch of messages.
    Batch(Vec<Dispatched<C>>),
}

impl<C: Send + Sync + 'static> Dispatched<C> {
    /// Enters its calls among those of their client, those of a batch one by one, and takes back
    /// those that the client names. A call too many is refused.
    pub(crate) fn enter(self, calls: &Arc<CallsUnderWay>) -> Self {
        match self {
            Self::Calling(calling) => match calls.begin(calling.id()) {
                Some(under_way) => Self::Entered(calling, under_way),
                None => Self::Answered(calling.refused(&ProtocolError::busy(calls.most()))),
            },
            Self::Cancel(id) => {
                calls.take_back(&id);
                Self::Answered(accepted())
            }
            Self::Batch(steps) => {
                Self::Batch(steps.into_iter().map(|step| step.enter(calls)).collect())
            }
            known => known,
        }
    }

    /// How many calls are under way in it.
    pub(crate) fn calls(&self) -> u32 {
        match self {
            Self::Answered(_) | Self::Done(_) | Self::Cancel(_) => 0,
            Self::Calling(_) | Self::Entered(..) => 1,
            Self::Batch(steps) => steps.iter().map(Self::calls).sum(),
        }
    }

    /// The same as a future of its own, which holds on to what it is given until the answer is known.
    pub(crate) fn answering(
        self,
        held: impl Send + 'static,
    ) -> Pin<Box<dyn Future<Output = MessageAnswer> + Send>> {
        match self {
            Self::Calling(calling) => Box::pin(calling.inspect(move |_| drop(held))),
            Self::Entered(calling, under_way) => Box::pin(async move {
                let answered = under_way.run(calling).await;
                drop(held);
                answered.unwrap_or_else(accepted)
            }),
            step => Box::pin(async move {
                let answer = step.finish().await;
                drop(held);
                answer
            }),
        }
    }

    /// Waits for whatever is still under way.
    pub(crate) async fn finish(self) -> MessageAnswer {
        match self {
            Self::Answered(answer) | Self::Done(answer) => answer,
            Self::Calling(calling) => calling.await,
            // A request that was taken back is not answered.
            Self::Entered(calling, under_way) => {
                under_way.run(calling).await.unwrap_or_else(accepted)
            }
            Self::Cancel(_) => accepted(),
            Self::Batch(steps) => {
                let answers = join_all(steps.into_iter().map(|step| Box::pin(step.finish()))).await;
                let replies: Vec<Reply> = answers
                    .into_iter()
                    .filter_map(|answer| answer.reply)
                    .collect();
                if replies.is_empty() {
                    return accepted();
                }
                MessageAnswer {
                    status: StatusCode::OK,
                    reply: Some(Reply::batch(&replies)),
                }
            }
        }
    }
}

/// Takes one HTTP body or one line.
pub(crate) fn take<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    bytes: &[u8],
    arrival: &Arrival<'_, C>,
) -> Dispatched<C> {
    match envelope::read(bytes) {
        Arrived::One(message) => take_message(endpoint, message, arrival),
        Arrived::Batch(batch) => take_batch(endpoint, &batch, arrival),
    }
}

/// Only 2025-03-26 has batches; over HTTP that is also the revision of a client that names none.
fn take_batch<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    batch: &[&RawValue],
    arrival: &Arrival<'_, C>,
) -> Dispatched<C> {
    let revision = arrival.origin.revision();
    let refused = |message: String| {
        Dispatched::Answered(refusal(
            None,
            revision,
            &ProtocolError::invalid_request(message),
        ))
    };
    let may_batch = match arrival.origin {
        MessageOrigin {
            headers: Some(_),
            named,
            conversation: None,
        } => named.is_none_or(|named| Revision::parse(named).is_some_and(Revision::has_batches)),
        _ => revision.is_some_and(Revision::has_batches),
    };
    if !may_batch {
        return refused(
            "a batch is part of revision 2025-03-26 only; send one message at a time".to_owned(),
        );
    }
    if batch.is_empty() || batch.len() > limits::BATCH_MESSAGES {
        return refused(format!(
            "a batch has 1 to {} messages, not {}",
            limits::BATCH_MESSAGES,
            batch.len()
        ));
    }
    let take_one =
        |raw: &&RawValue| take_message(endpoint, envelope::read_message(raw.get()), arrival);
    Dispatched::Batch(batch.iter().map(take_one).collect())
}

fn take_message<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    message: Result<JsonRpcMessage<'_>, Malformed<'_>>,
    arrival: &Arrival<'_, C>,
) -> Dispatched<C> {
    match message {
        Ok(JsonRpcMessage::Request { id, method, params }) => {
            if endpoint.has_layers() {
                layered::take(endpoint, id.get(), method, params, arrival)
            } else {
                let asked = (id.get(), arrival.origin.revision());
                RequestDispatch::new(endpoint, endpoint.catalog(), asked, method, arrival)
                    .take(params)
            }
        }
        Ok(JsonRpcMessage::Notification { method, params }) => {
            take_notification(&method, params, arrival.origin)
        }
        Ok(JsonRpcMessage::Response { id, result }) => {
            if let (Some(id), Some(conversation)) = (id, arrival.origin.conversation) {
                conversation.answered(
                    id.get(),
                    result.and_then(|result| serde_json::from_str(result.get()).ok()),
                );
            }
            Dispatched::Answered(accepted())
        }
        Err(Malformed { id, error }) => Dispatched::Answered(refusal(
            id.map(RawValue::get),
            arrival.origin.revision(),
            &error,
        )),
    }
}

/// Notifications are never answered. A request outside of any conversation is cancelled by closing
/// its connection, so `notifications/cancelled` means nothing there.
fn take_notification<C>(
    method: &str,
    params: Option<&RawValue>,
    origin: MessageOrigin<'_>,
) -> Dispatched<C> {
    if method == "notifications/cancelled"
        && origin.conversation.is_some()
        && let Ok(Params {
            request_id: Some(id),
            ..
        }) = Params::read(params)
    {
        return Dispatched::Cancel(id.get().to_owned());
    }
    Dispatched::Answered(accepted())
}

fn refusal(id: Option<&str>, revision: Option<Revision>, error: &ProtocolError) -> MessageAnswer {
    MessageAnswer {
        status: error.http_status(revision),
        reply: Some(Reply::error(id, revision, error)),
    }
}

fn accepted() -> MessageAnswer {
    MessageAnswer {
        status: StatusCode::ACCEPTED,
        reply: None,
    }
}
