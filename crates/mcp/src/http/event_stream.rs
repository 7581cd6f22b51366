//! An answer that begins with other messages: server-sent events, the answer last. The body itself
//! drives the call; dropping it cancels the call.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::future::Either;
use tokio::time::{Instant, Sleep};

use crate::dispatch::MessageAnswer;
use crate::limits;
use crate::outlet::EventQueue;

/// A call under way.
pub(super) type AnswerFuture = Pin<Box<dyn Future<Output = MessageAnswer> + Send>>;

/// The first thing that a call brings.
pub(super) enum First<W> {
    /// Its answer: the reply is plain JSON.
    Answer(MessageAnswer),
    /// Another message: the reply is a stream, and the call goes on in it.
    Event(Either<W, Ready<MessageAnswer>>),
}

impl<W: Future<Output = MessageAnswer> + Unpin> First<W> {
    pub(super) async fn of(answering: W, events: &EventQueue) -> Self {
        let mut answering = Some(answering);
        std::future::poll_fn(|context| {
            let Some(call) = &mut answering else {
                return Poll::Pending;
            };
            events.listen(context);
            let polled = Pin::new(call).poll(context);
            match (polled, events.is_empty()) {
                (Poll::Ready(answer), true) => Poll::Ready(Self::Answer(answer)),
                // What was said before the answer is sent before it.
                (Poll::Ready(answer), false) => {
                    Poll::Ready(Self::Event(Either::Right(ready(answer))))
                }
                (Poll::Pending, true) => Poll::Pending,
                (Poll::Pending, false) => answering.take().map_or(Poll::Pending, |call| {
                    Poll::Ready(Self::Event(Either::Left(call)))
                }),
            }
        })
        .await
    }
}

/// The events of one reply.
pub(super) struct AnswerEvents {
    answering: Option<AnswerFuture>,
    /// The answer, while messages before it are still to be sent.
    answer: Option<Bytes>,
    events: Arc<EventQueue>,
    /// The answer is out, and nothing comes after it.
    ended: bool,
    quiet: Pin<Box<Sleep>>,
}

impl AnswerEvents {
    pub(super) fn new(answering: AnswerFuture, events: Arc<EventQueue>) -> Self {
        let quiet = Box::pin(tokio::time::sleep(limits::KEEP_ALIVE_TIME));
        Self {
            answering: Some(answering),
            answer: None,
            events,
            ended: false,
            quiet,
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// The next piece of the body; `None` after the answer.
    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(answering) = &mut self.answering
            && let Poll::Ready(answer) = answering.as_mut().poll(context)
        {
            self.answering = None;
            self.answer = answer.reply.map(|reply| {
                let mut bytes = Vec::with_capacity(reply.len());
                reply.append_to(&mut bytes);
                Bytes::from(bytes)
            });
        }
        if let Poll::Ready(message) = self.events.poll_next(context) {
            self.keep_alive_later();
            return Poll::Ready(Some(event(&message)));
        }
        if self.answering.is_none() {
            self.ended = true;
            return Poll::Ready(self.answer.take().map(|answer| event(&answer)));
        }
        match self.quiet.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                self.keep_alive_later();
                Poll::Ready(Some(Bytes::from_static(b":\n\n")))
            }
        }
    }

    fn keep_alive_later(&mut self) {
        self.quiet
            .as_mut()
            .reset(Instant::now() + limits::KEEP_ALIVE_TIME);
    }
}

impl std::fmt::Debug for AnswerEvents {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("EventStream")
            .field("ended", &self.is_ended())
            .finish_non_exhaustive()
    }
}

/// One message as an event. JSON has no line breaks of its own.
fn event(message: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(message.len() + 24);
    bytes.put_slice(b"event: message\ndata: ");
    bytes.put_slice(message);
    bytes.put_slice(b"\n\n");
    bytes.freeze()
}
