//! The outlet of messages that precede an answer: a bounded queue of whole JSON-RPC messages, which
//! the transports read.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

use crate::limits;

/// A way for a running request to send messages before its answer.
pub(crate) trait Outlet: Send + Sync {
    /// Sends one message; waits while the client leaves too much unread. Messages to a client that
    /// is gone are dropped.
    fn send(&self, message: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Sends one message unless the client leaves too much unread; says whether it was sent.
    fn try_send(&self, message: Bytes) -> bool;

    /// Ends the connection that carries the messages, where the client can come back for the rest;
    /// nothing elsewhere.
    fn pause(&self) {}
}

/// The messages of one HTTP request that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    waiting: Mutex<WaitingMessages>,
    reader: AtomicWaker,
    room: Notify,
}

#[derive(Debug, Default)]
struct WaitingMessages {
    messages: VecDeque<Bytes>,
    bytes: usize,
}

impl EventQueue {
    /// The next message, if there is one; otherwise the task is woken when there is.
    pub(crate) fn poll_next(&self, context: &Context<'_>) -> Poll<Bytes> {
        // Registered first: a message that comes after the look wakes the task.
        self.listen(context);
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// Has the task woken when a message comes.
    pub(crate) fn listen(&self, context: &Context<'_>) {
        self.reader.register(context.waker());
    }

    /// Whether no messages wait.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().messages.is_empty()
    }

    fn take(&self) -> Option<Bytes> {
        let mut waiting = self.lock();
        let message = waiting.messages.pop_front()?;
        waiting.bytes -= message.len();
        drop(waiting);
        self.room.notify_waiters();
        Some(message)
    }

    fn try_put(&self, message: &Bytes) -> bool {
        let mut waiting = self.lock();
        let is_too_large = waiting.bytes + message.len() > limits::WAITING_MESSAGE_BYTES;
        if waiting.messages.len() >= limits::WAITING_MESSAGES
            || (is_too_large && !waiting.messages.is_empty())
        {
            return false;
        }
        waiting.bytes += message.len();
        waiting.messages.push_back(message.clone());
        drop(waiting);
        self.reader.wake();
        true
    }

    fn lock(&self) -> MutexGuard<'_, WaitingMessages> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for EventQueue {
    fn send(&self, message: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let mut room = std::pin::pin!(self.room.notified());
                room.as_mut().enable();
                if self.try_put(&message) {
                    return;
                }
                room.await;
            }
        })
    }

    fn try_send(&self, message: Bytes) -> bool {
        self.try_put(&message)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;

    use super::{EventQueue, Outlet as _};
    use crate::limits::{WAITING_MESSAGE_BYTES, WAITING_MESSAGES};

    #[tokio::test]
    async fn a_full_queue_makes_the_sender_wait_and_loses_nothing() {
        let queue = Arc::new(EventQueue::default());
        for number in 0..WAITING_MESSAGES {
            queue.send(Bytes::from(number.to_string())).await;
        }
        let mut context = Context::from_waker(Waker::noop());
        let mut sending = queue.send(Bytes::from_static(b"last"));
        assert!(sending.as_mut().poll(&mut context).is_pending());
        assert_eq!(
            queue.poll_next(&context),
            Poll::Ready(Bytes::from_static(b"0"))
        );
        assert!(sending.as_mut().poll(&mut context).is_ready());
        let mut rest = 0;
        while queue.poll_next(&context).is_ready() {
            rest += 1;
        }
        assert_eq!(rest, WAITING_MESSAGES);
    }

    #[test]
    fn the_bytes_of_a_queue_are_bounded_unless_a_single_message_has_more() {
        let queue = EventQueue::default();
        let context = Context::from_waker(Waker::noop());
        assert!(
            queue.try_send(vec![b'x'; WAITING_MESSAGE_BYTES - 1].into())
                && queue.try_send(Bytes::from_static(b"y"))
        );
        assert!(!queue.try_send(Bytes::from_static(b"z")));
        assert!(queue.poll_next(&context).is_ready() && queue.poll_next(&context).is_ready());
        assert!(queue.try_send(vec![b'x'; WAITING_MESSAGE_BYTES + 1].into()));
        assert!(!queue.try_send(Bytes::from_static(b"z")));
        assert!(queue.poll_next(&context).is_ready() && queue.is_empty());
    }
}
