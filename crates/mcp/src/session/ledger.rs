//! The ledger of what the streams of all sessions hold together: counted, and bounded by letting go
//! of what ended first. Messages are not known here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{ClientSession, SessionStream};
use crate::limits;

/// Ended streams that are listed before those are looked for that are gone.
const LISTED: usize = 1024;

/// The bytes that streams hold together.
pub(crate) struct Ledger {
    most: usize,
    bytes: AtomicUsize,
    ended: Mutex<Ended>,
}

/// Streams that a client can still come back to, in the order in which they ended; some of them are
/// gone.
#[derive(Default)]
struct Ended {
    streams: VecDeque<(Weak<ClientSession>, Weak<SessionStream>)>,
    /// How many there were after the last look, and as many more as may be listed before the next.
    look_at: usize,
}

impl Ledger {
    pub(crate) fn at_most(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            most: bytes,
            bytes: AtomicUsize::new(0),
            ended: Mutex::default(),
        })
    }

    pub(super) fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn remove(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether so many bytes more would be too many.
    pub(super) fn is_full_for(&self, bytes: usize) -> bool {
        self.bytes.load(Ordering::Relaxed).saturating_add(bytes) > self.most
    }

    /// Lists a stream that has ended. While there is too much, the streams that ended first give
    /// way, this one last of all: it stays.
    pub(super) fn ended(&self, session: &Arc<ClientSession>, stream: &Arc<SessionStream>) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.list(session, stream);
        while self.is_full_for(0) && ended.streams.len() > 1 {
            let Some((session, stream)) = ended.streams.pop_front() else {
                break;
            };
            // The last handle of a stream takes its bytes out of the count.
            if let (Some(session), Some(stream)) = (session.upgrade(), stream.upgrade()) {
                session.forget(&stream);
            }
        }
    }
}

impl Ended {
    fn list(&mut self, session: &Arc<ClientSession>, stream: &Arc<SessionStream>) {
        if self.streams.len() >= self.look_at.max(LISTED) {
            self.streams.retain(|(_, stream)| stream.strong_count() > 0);
            self.look_at = self.streams.len() * 2;
        }
        self.streams
            .push_back((Arc::downgrade(session), Arc::downgrade(stream)));
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            most: limits::ALL_STREAM_BYTES,
            bytes: AtomicUsize::new(0),
            ended: Mutex::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::{LISTED, Ledger};
    use crate::limits::{ENDED_STREAMS, WAITING_MESSAGES};
    use crate::outlet::Outlet as _;
    use crate::session::{ClientSession, SessionStream};

    const BYTES: usize = 1000;

    fn session(ledger: &Arc<Ledger>) -> Arc<ClientSession> {
        Arc::new(ClientSession::new(
            "s".to_owned(),
            Arc::default(),
            None,
            0,
            ledger,
        ))
    }

    fn answered(session: &Arc<ClientSession>, bytes: usize) -> Arc<SessionStream> {
        let stream = session.new_stream();
        session.keep(&stream);
        session.end_stream(&stream, Some(Bytes::from(vec![b'x'; bytes])));
        stream
    }

    /// Whether its session still has it; drops the handle.
    fn is_kept(session: &ClientSession, stream: u64) -> bool {
        session.after(&format!("{stream}-0")).is_some()
    }

    #[test]
    fn streams_that_ended_first_give_way_whosever_they_are() {
        let ledger = Ledger::at_most(BYTES);
        let (ada, eve) = (session(&ledger), session(&ledger));
        let first = answered(&ada, 400).number();
        let second = answered(&eve, 600).number();
        assert!(
            is_kept(&ada, first) && is_kept(&eve, second),
            "at the limit"
        );
        let third = answered(&eve, 1).number();
        assert!(
            !is_kept(&ada, first) && is_kept(&eve, second) && is_kept(&eve, third),
            "one byte over it"
        );
        let huge = answered(&ada, BYTES + 1).number();
        assert!(
            is_kept(&ada, huge) && !is_kept(&eve, second) && !is_kept(&eve, third),
            "the newest is kept whatever its size"
        );
        assert!(ledger.is_full_for(0));
        drop(ada);
        assert!(
            !ledger.is_full_for(BYTES) && ledger.is_full_for(BYTES + 1),
            "a session that is gone holds nothing"
        );
    }

    #[test]
    fn a_stream_keeps_what_was_read_only_where_there_is_room() {
        let ledger = Ledger::at_most(BYTES);
        let session = session(&ledger);
        let stream = session.own_stream();
        let (reader, _) = stream.begin_reading(None);
        let context = std::task::Context::from_waker(std::task::Waker::noop());
        let push = |bytes| {
            assert!(stream.try_send(Bytes::from(vec![b'x'; bytes])));
            stream.next(reader, &context);
        };
        push(BYTES - 1);
        push(1);
        assert!(
            stream.can_be_followed_from(0) && stream.bytes() == BYTES,
            "at the limit"
        );
        push(1);
        assert_eq!(stream.bytes(), 2, "the oldest gave way");
        drop(answered(&session, BYTES - 1));
        push(1);
        assert!(stream.bytes() <= 1);
    }

    #[test]
    fn who_speaks_waits_while_there_is_too_much_unless_everything_is_read() {
        let ledger = Ledger::at_most(BYTES);
        let (full, other) = (session(&ledger), session(&ledger));
        let stream = full.own_stream();
        assert!(stream.try_send(Bytes::from(vec![b'x'; BYTES - 2])));
        let speaking = other.own_stream();
        let word = || Bytes::from_static(b"x");
        assert!(
            speaking.try_send(word()) && speaking.try_send(word()),
            "at the limit"
        );
        assert!(!speaking.try_send(word()), "over it");
        speaking.push_or_replace(word());
        assert_eq!(
            speaking.bytes(),
            2,
            "an announcement takes the place of another"
        );
        let silent = session(&ledger).new_stream();
        assert!(
            silent.try_send(Bytes::from_static(b"xyz")),
            "a single message is never too much"
        );
        assert!(!silent.try_send(word()));
    }

    #[test]
    fn what_is_gone_is_not_listed_for_ever() {
        let ledger = Ledger::at_most(BYTES * LISTED);
        let session = session(&ledger);
        (0..LISTED * 4).for_each(|_| drop(answered(&session, 1)));
        assert!(ledger.ended.lock().unwrap().streams.len() <= LISTED + ENDED_STREAMS);
        let all: Vec<_> = (0..WAITING_MESSAGES)
            .map(|_| self::session(&ledger))
            .collect();
        let streams: Vec<_> = all
            .iter()
            .cycle()
            .take(LISTED * 2)
            .map(|session| answered(session, 1))
            .collect();
        assert!(
            ledger.ended.lock().unwrap().streams.len() >= LISTED,
            "those that are there stay listed"
        );
        drop(streams);
    }
}
