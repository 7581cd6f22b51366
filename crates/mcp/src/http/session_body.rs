//! A session's stream as the body of a reply: events with ids, so that the client can come back to
//! it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use crate::ending::Ending;
use crate::limits;
use crate::session::{ClientSession, StreamReading};

/// The events of one connection to a session's stream.
pub(super) struct SessionBody {
    reading: Option<StreamReading>,
    first: Option<Bytes>,
    /// Whether events carry ids; those of HTTP+SSE do not.
    numbered: bool,
    quiet: Pin<Box<Sleep>>,
    /// What happens once the server ends.
    ending: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl SessionBody {
    /// `primed`: begin with an empty event that carries an id, so that the client can come back
    /// even before the first message (revision 2025-11-25; older clients would take it for a
    /// message).
    pub(super) fn new(reading: StreamReading, primed: bool, after: u64) -> Self {
        let number = reading.stream.number();
        let retry = limits::RETRY_TIME.as_millis();
        let first = primed
            .then(|| Bytes::from(format!("id: {number}-{after}\nretry: {retry}\ndata: \n\n")));
        Self {
            reading: Some(reading),
            first,
            numbered: true,
            quiet: Box::pin(tokio::time::sleep(limits::KEEP_ALIVE_TIME)),
            ending: None,
        }
    }

    /// Has the session stop listening once its server ends: its own stream ends then, after the
    /// calls that are answered on it.
    pub(super) fn until(
        mut self,
        ending: Option<&Arc<Ending>>,
        session: &Arc<ClientSession>,
    ) -> Self {
        let (ending, session) = (ending.cloned(), Arc::downgrade(session));
        self.ending = ending.map(|ending| -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(async move {
                ending.wait().await;
                if let Some(session) = session.upgrade() {
                    session.end_listening();
                }
            })
        });
        self
    }

    /// A channel of HTTP+SSE: its first event tells where messages go.
    pub(super) fn channel(reading: StreamReading, messages: &str) -> Self {
        let first = Some(Bytes::from(format!(
            "event: endpoint\ndata: {messages}\n\n"
        )));
        Self {
            first,
            numbered: false,
            ..Self::new(reading, false, 0)
        }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.reading.is_none() && self.first.is_none()
    }

    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        if let Some(ending) = &mut self.ending
            && ending.as_mut().poll(context).is_ready()
        {
            self.ending = None;
        }
        let Some(reading) = &self.reading else {
            return Poll::Ready(None);
        };
        match reading.poll_next(context) {
            Poll::Ready(Some((number, message))) => {
                self.quiet
                    .as_mut()
                    .reset(Instant::now() + limits::KEEP_ALIVE_TIME);
                let mut event = match self.numbered {
                    true => format!(
                        "id: {}-{number}\nevent: message\ndata: ",
                        reading.stream.number()
                    )
                    .into_bytes(),
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
                self.quiet
                    .as_mut()
                    .reset(Instant::now() + limits::KEEP_ALIVE_TIME);
                Some(Bytes::from_static(b":\n\n"))
            }),
        }
    }
}

impl std::fmt::Debug for SessionBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SessionBody")
            .field("ended", &self.is_ended())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::time::Instant;

    use super::SessionBody;
    use crate::limits::KEEP_ALIVE_TIME;
    use crate::outlet::Outlet as _;
    use crate::session::{ClientSession, StreamReading};

    async fn next(body: &mut SessionBody) -> String {
        let piece = std::future::poll_fn(|context| body.poll_piece(context)).await;
        String::from_utf8(piece.unwrap().to_vec()).unwrap()
    }

    /// On a stopped clock, so that the limit is the real one and the test takes no time.
    #[tokio::test(start_paused = true)]
    async fn a_quiet_channel_is_kept_open_by_comments() {
        let session = Arc::new(ClientSession::channel(
            "c".to_owned(),
            None,
            0,
            &Arc::default(),
        ));
        let stream = session.own_stream();
        let (reader, _) = stream.begin_reading(None);
        let mut body = SessionBody::channel(
            StreamReading {
                stream: Arc::clone(&stream),
                reader,
                until: None,
            },
            "/m?session_id=c",
        );
        assert_eq!(
            next(&mut body).await,
            "event: endpoint\ndata: /m?session_id=c\n\n"
        );
        for _ in 0..2 {
            let from = Instant::now();
            assert_eq!(
                (next(&mut body).await.as_str(), from.elapsed()),
                (":\n\n", KEEP_ALIVE_TIME)
            );
        }
        tokio::time::advance(KEEP_ALIVE_TIME - Duration::from_secs(1)).await;
        assert!(stream.try_send(Bytes::from_static(b"{}")));
        assert_eq!(next(&mut body).await, "event: message\ndata: {}\n\n");
        let from = Instant::now();
        assert_eq!(
            (next(&mut body).await.as_str(), from.elapsed()),
            (":\n\n", KEEP_ALIVE_TIME),
            "a message is a sign of life too"
        );
    }
}
