//! A session's stream as the body of a reply: events with ids, so that the client can come back to it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use crate::limits;
use crate::session::Reading;

/// The events of one connection to a session's stream.
pub(super) struct SessionBody {
    reading: Option<Reading>,
    first: Option<Bytes>,
    /// Whether events carry ids; those of HTTP+SSE do not.
    numbered: bool,
    quiet: Pin<Box<Sleep>>,
}

impl SessionBody {
    /// `primed`: begin with an empty event that carries an id, so that the client can come back even before the first message
    /// (revision 2025-11-25; older clients would take it for a message).
    pub(super) fn new(reading: Reading, primed: bool, after: u64) -> Self {
        let number = reading.stream.number();
        let retry = limits::RETRY_TIME.as_millis();
        let first = primed.then(|| Bytes::from(format!("id: {number}-{after}\nretry: {retry}\ndata: \n\n")));
        Self { reading: Some(reading), first, numbered: true, quiet: Box::pin(tokio::time::sleep(limits::KEEP_ALIVE_TIME)) }
    }

    /// A channel of HTTP+SSE: its first event tells where messages go.
    pub(super) fn channel(reading: Reading, messages: &str) -> Self {
        let first = Some(Bytes::from(format!("event: endpoint\ndata: {messages}\n\n")));
        Self { first, numbered: false, ..Self::new(reading, false, 0) }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.reading.is_none() && self.first.is_none()
    }

    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        let Some(reading) = &self.reading else { return Poll::Ready(None) };
        match reading.poll_next(context) {
            Poll::Ready(Some((number, message))) => {
                self.quiet.as_mut().reset(Instant::now() + limits::KEEP_ALIVE_TIME);
                let mut event = match self.numbered {
                    true => format!("id: {}-{number}\nevent: message\ndata: ", reading.stream.number()).into_bytes(),
                    false => b"event: message\ndata: ".to_vec(),
                };
                event.extend_from_slice(&message);
                event.extend_from_slice(b"\n\n");
                Poll::Ready(Some(Bytes::from(event)))
            }
            Poll::Ready(None) => {
                self.reading = None;
                Poll::Ready(None)
            }
            Poll::Pending => self.quiet.as_mut().poll(context).map(|()| {
                self.quiet.as_mut().reset(Instant::now() + limits::KEEP_ALIVE_TIME);
                Some(Bytes::from_static(b":\n\n"))
            }),
        }
    }
}

impl std::fmt::Debug for SessionBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SessionBody").field("ended", &self.is_ended()).finish_non_exhaustive()
    }
}
