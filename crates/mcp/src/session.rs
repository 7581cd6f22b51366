//! A session of the legacy era over HTTP: what is remembered of one client, its calls, and the
//! streams it can come back to. Data in a map, not a task.

mod backlog;
mod ledger;
mod stream;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::changes::{Change, Listener};
use crate::conversation::Conversation;
use crate::limits;
use crate::outlet::Outlet as _;
use crate::under_way::CallsUnderWay;
pub(crate) use ledger::Ledger;
pub(crate) use stream::{SessionStream, StreamReading};

/// The number of the stream that a client opens with GET; those of its requests follow.
const OWN_STREAM: u64 = 0;

/// One session.
pub(crate) struct ClientSession {
    pub(crate) id: String,
    pub(crate) conversation: Arc<Conversation>,
    /// Whose session it is, where the endpoint tells callers apart.
    pub(crate) principal: Option<String>,
    /// Seconds on the map's clock.
    used: AtomicU64,
    next_stream: AtomicU64,
    streams: Mutex<BTreeMap<u64, Arc<SessionStream>>>,
    /// What all sessions' streams hold together.
    ledger: Arc<Ledger>,
    pub(crate) calls: Arc<CallsUnderWay>,
    /// A channel of HTTP+SSE: all that the server says goes to one stream, which nobody can come
    /// back to.
    is_channel: bool,
    /// How many messages of a channel are being answered. Changed under the lock of the streams.
    answering: AtomicUsize,
}

impl ClientSession {
    pub(crate) fn new(
        id: String,
        conversation: Arc<Conversation>,
        principal: Option<String>,
        now: u64,
        ledger: &Arc<Ledger>,
    ) -> Self {
        Self {
            id,
            conversation,
            principal,
            used: AtomicU64::new(now),
            next_stream: AtomicU64::new(OWN_STREAM + 1),
            streams: Mutex::default(),
            ledger: Arc::clone(ledger),
            calls: Arc::new(CallsUnderWay::at_most(limits::SESSION_CALLS_IN_FLIGHT)),
            is_channel: false,
            answering: AtomicUsize::new(0),
        }
    }

    pub(crate) fn channel(
        id: String,
        principal: Option<String>,
        now: u64,
        ledger: &Arc<Ledger>,
    ) -> Self {
        Self {
            is_channel: true,
            ..Self::new(id, Arc::default(), principal, now, ledger)
        }
    }

    pub(crate) fn touch(&self, now: u64) {
        self.used.store(now, Ordering::Relaxed);
    }

    /// When it was last used; a session with an open stream is in use.
    pub(crate) fn last_used(&self, now: u64) -> u64 {
        let is_read = self.lock().values().any(|stream| stream.is_read());
        if is_read {
            now
        } else {
            self.used.load(Ordering::Relaxed)
        }
    }

    /// A stream for one request. It can be come back to once it is kept.
    pub(crate) fn new_stream(&self) -> Arc<SessionStream> {
        Arc::new(SessionStream::new(
            self.next_stream.fetch_add(1, Ordering::Relaxed),
            &self.ledger,
        ))
    }

    /// Keeps a stream, so that a client can come back to it.
    pub(crate) fn keep(&self, stream: &Arc<SessionStream>) {
        self.lock().insert(stream.number(), Arc::clone(stream));
    }

    /// Ends the stream of a request with its answer. The oldest streams that have ended give way:
    /// of this session, and of all where they hold too much together.
    pub(crate) fn end_stream(self: &Arc<Self>, stream: &Arc<SessionStream>, answer: Option<Bytes>) {
        stream.end_with(answer);
        self.forget_ended(stream);
        self.ledger.ended(self, stream);
    }

    /// Forgets the oldest streams that have ended, where there are too many.
    fn forget_ended(&self, stream: &SessionStream) {
        let mut streams = self.lock();
        let ended: Vec<(u64, usize)> = streams
            .values()
            .filter(|stream| stream.number() != OWN_STREAM && stream.has_ended())
            .map(|stream| (stream.number(), stream.bytes()))
            .collect();
        let (mut count, mut bytes) = (0, 0);
        for (number, size) in ended.into_iter().rev() {
            (count, bytes) = (count + 1, bytes + size);
            if count > limits::ENDED_STREAMS
                || (bytes > limits::ENDED_STREAM_BYTES && number != stream.number())
            {
                streams.remove(&number);
            }
        }
    }

    /// Forgets a stream that has ended.
    fn forget(&self, stream: &SessionStream) {
        self.lock().remove(&stream.number());
    }

    /// The stream that the client opens with GET. After the end it has ended too, once nothing more
    /// is to be answered on it.
    pub(crate) fn own_stream(&self) -> Arc<SessionStream> {
        let mut streams = self.lock();
        let stream = streams.entry(OWN_STREAM).or_insert_with(|| {
            Arc::new(if self.is_channel {
                SessionStream::channel(OWN_STREAM, &self.ledger)
            } else {
                SessionStream::new(OWN_STREAM, &self.ledger)
            })
        });
        // Looked at under the lock: whoever ends the session afterwards finds the stream.
        if self.conversation.has_ended() && !self.is_answering() {
            stream.abandon();
        }
        Arc::clone(stream)
    }

    /// Answers on the channel, until the guard is dropped.
    pub(crate) fn answering(self: &Arc<Self>) -> AnsweringMessage {
        let _streams = self.lock();
        self.answering.fetch_add(1, Ordering::Relaxed);
        AnsweringMessage(Arc::clone(self))
    }

    fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed) > 0
    }

    /// Says something that belongs to no request, if the client listens or has listened. Never
    /// waits: the oldest unread message gives way, or on a channel, where that may be an answer,
    /// the new one.
    fn announce(&self, message: Bytes) {
        let streams = self.lock();
        let Some(stream) = streams.get(&OWN_STREAM) else {
            return;
        };
        if self.is_channel {
            let _told = stream.try_send(message);
        } else {
            stream.push_or_replace(message);
        }
    }

    /// The stream and the place in it after an event that the client names as its last one; `None`
    /// when what followed it is gone.
    pub(crate) fn after(&self, event_id: &str) -> Option<(Arc<SessionStream>, u64)> {
        let (stream, event) = event_id.split_once('-')?;
        let stream = self.lock().get(&stream.parse().ok()?).map(Arc::clone)?;
        let event = event.parse().ok()?;
        stream
            .can_be_followed_from(event)
            .then_some((stream, event))
    }

    /// Ends what would go on for ever: questions, and the stream that belongs to no request, once
    /// nothing more is to be answered on it.
    pub(crate) fn end_listening(&self) {
        self.conversation.end();
        self.end_own_stream(&self.lock());
    }

    fn end_own_stream(&self, streams: &BTreeMap<u64, Arc<SessionStream>>) {
        if let Some(stream) = streams.get(&OWN_STREAM).filter(|_| !self.is_answering()) {
            stream.abandon();
        }
    }

    /// Ends every stream. Calls whose requests wait for their answers go on; nobody waits for those
    /// of a channel.
    pub(crate) fn end(&self) {
        self.conversation.end();
        if self.is_channel {
            self.calls.close();
        }
        for stream in self.lock().values() {
            stream.abandon();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<SessionStream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message of a channel that is being answered.
pub(crate) struct AnsweringMessage(Arc<ClientSession>);

impl Drop for AnsweringMessage {
    fn drop(&mut self) {
        let streams = self.0.lock();
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
        if self.0.conversation.has_ended() {
            self.0.end_own_stream(&streams);
        }
    }
}

impl Listener for ClientSession {
    fn tell(&self, change: &Change) {
        if self.conversation.hears_of(change) {
            self.announce(change.notification(None));
        }
    }

    fn wants(&self, change: &Change) -> bool {
        self.conversation.wants(change)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::{ClientSession, SessionStream};
    use crate::limits::{ENDED_STREAM_BYTES, ENDED_STREAMS, WAITING_MESSAGES};
    use crate::outlet::Outlet as _;

    fn session() -> Arc<ClientSession> {
        Arc::new(ClientSession::new(
            "s".to_owned(),
            Arc::default(),
            None,
            0,
            &Arc::default(),
        ))
    }

    /// The session was found for a GET, and ended before its stream was opened.
    #[test]
    fn a_stream_that_is_opened_after_the_end_has_ended() {
        let ways: [fn(&ClientSession); 2] = [ClientSession::end, ClientSession::end_listening];
        for end in ways {
            let session = session();
            end(&session);
            assert!(session.own_stream().has_ended());
        }
    }

    fn answered(session: &Arc<ClientSession>, bytes: usize) -> Arc<SessionStream> {
        let stream = session.new_stream();
        session.keep(&stream);
        session.end_stream(&stream, Some(Bytes::from(vec![b'x'; bytes])));
        stream
    }

    fn is_kept(session: &ClientSession, stream: &SessionStream) -> bool {
        session.after(&format!("{}-0", stream.number())).is_some()
    }

    #[test]
    fn ended_streams_are_bounded_in_number_and_those_under_way_are_not_touched() {
        let session = session();
        session.own_stream();
        let under_way = session.new_stream();
        session.keep(&under_way);
        let ended: Vec<_> = (0..=ENDED_STREAMS)
            .map(|_| answered(&session, 10))
            .collect();
        let kept: Vec<_> = ended
            .iter()
            .map(|stream| is_kept(&session, stream))
            .collect();
        assert_eq!(kept.iter().filter(|kept| **kept).count(), ENDED_STREAMS);
        assert!(!kept[0] && is_kept(&session, &under_way));
    }

    #[test]
    fn ended_streams_are_bounded_in_bytes_and_the_newest_is_always_kept() {
        let session = session();
        let (one, other) = (
            answered(&session, 10),
            answered(&session, ENDED_STREAM_BYTES - 10),
        );
        assert!(
            is_kept(&session, &one) && is_kept(&session, &other),
            "at the limit"
        );
        let third = answered(&session, 1);
        assert!(
            !is_kept(&session, &one) && is_kept(&session, &other) && is_kept(&session, &third),
            "over it, the oldest goes"
        );
        let huge = answered(&session, ENDED_STREAM_BYTES + 1);
        assert!(!is_kept(&session, &third) && is_kept(&session, &huge));
    }

    /// On a channel an answer may be what is unread.
    #[test]
    fn an_announcement_never_takes_the_place_of_an_answer_on_a_channel() {
        let session = ClientSession::channel("c".to_owned(), None, 0, &Arc::default());
        let stream = session.own_stream();
        for _ in 0..WAITING_MESSAGES {
            assert!(stream.try_send(Bytes::from_static(b"answer")));
        }
        session.announce(Bytes::from_static(b"news"));
        assert_eq!(stream.bytes(), WAITING_MESSAGES * "answer".len());
    }
}
