//! The sessions of one endpoint over HTTP, found by their id, bounded in number and idle time.
//! Source: specification 2025-11-25, "Session Management".

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::conversation::Conversation;
use crate::limits;
use crate::session::{ClientSession, Ledger};

/// How many sessions there may be, for how long, and how much their streams may hold.
#[derive(Debug, Clone)]
pub struct SessionLimits {
    sessions: usize,
    idle_time: Duration,
    stream_bytes: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            sessions: limits::SESSIONS,
            idle_time: limits::SESSION_IDLE_TIME,
            stream_bytes: limits::ALL_STREAM_BYTES,
        }
    }
}

impl SessionLimits {
    /// Most sessions at the same time.
    #[must_use]
    pub fn sessions(mut self, sessions: usize) -> Self {
        self.sessions = sessions;
        self
    }

    /// How long a session may be idle before it may be ended.
    #[must_use]
    pub fn idle_time(mut self, idle_time: Duration) -> Self {
        self.idle_time = idle_time;
        self
    }

    /// Most bytes of messages that the streams of all sessions hold together, unread or kept for a
    /// client that comes back. Beyond it the streams that ended first are forgotten, what was read
    /// is not kept, and who has something unread waits. A stream that has nothing else holds one
    /// message all the same.
    #[must_use]
    pub fn stream_bytes(mut self, stream_bytes: usize) -> Self {
        self.stream_bytes = stream_bytes;
        self
    }
}

/// The sessions.
pub(super) struct Sessions {
    limits: SessionLimits,
    ledger: Arc<Ledger>,
    clock: Instant,
    sessions: RwLock<HashMap<String, Arc<ClientSession>>>,
    /// The server stops: what would go on for ever ends as soon as it begins.
    is_ending: AtomicBool,
    /// When the operator was last told that there are as many as there may be, in seconds of the
    /// clock from 1 on.
    told_full: AtomicU64,
}

/// The least time between two words to the operator about that.
const TOLD_AGAIN_AFTER: u64 = 60;

impl Sessions {
    pub(super) fn new(limits: SessionLimits) -> Self {
        let ledger = Ledger::at_most(limits.stream_bytes);
        Self {
            limits,
            ledger,
            clock: Instant::now(),
            sessions: RwLock::default(),
            is_ending: AtomicBool::new(false),
            told_full: AtomicU64::new(0),
        }
    }

    /// Opens a session; `None` when there are as many as there may be and none of them is idle, or
    /// there is no randomness.
    pub(super) fn open(
        &self,
        conversation: Arc<Conversation>,
        principal: Option<String>,
    ) -> Option<Arc<ClientSession>> {
        self.insert(|id, now| ClientSession::new(id, conversation, principal, now, &self.ledger))
    }

    /// The same for a channel of HTTP+SSE.
    pub(super) fn open_channel(&self, principal: Option<String>) -> Option<Arc<ClientSession>> {
        self.insert(|id, now| ClientSession::channel(id, principal, now, &self.ledger))
    }

    fn insert(
        &self,
        session: impl FnOnce(String, u64) -> ClientSession,
    ) -> Option<Arc<ClientSession>> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes).ok()?;
        let now = self.now();
        let session = Arc::new(session(URL_SAFE_NO_PAD.encode(bytes), now));
        let mut sessions = self
            .sessions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= self.limits.sessions {
            sessions.retain(|_, session| {
                let is_in_use =
                    now.saturating_sub(session.last_used(now)) < self.limits.idle_time.as_secs();
                if !is_in_use {
                    session.end();
                }
                is_in_use
            });
        }
        if sessions.len() >= self.limits.sessions {
            return None;
        }
        sessions.insert(session.id.clone(), Arc::clone(&session));
        drop(sessions);
        // Looked at once it can be found: whoever ends all afterwards finds it.
        if self.is_ending.load(Ordering::Relaxed) {
            session.end_listening();
        }
        Some(session)
    }

    /// The session with this id, if it is this caller's and was not idle for too long.
    pub(super) fn find(&self, id: &str, principal: Option<&str>) -> Option<Arc<ClientSession>> {
        let now = self.now();
        let session = self
            .sessions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .map(Arc::clone)?;
        if now.saturating_sub(session.last_used(now)) >= self.limits.idle_time.as_secs() {
            self.remove(&session);
            return None;
        }
        if session.principal.as_deref() != principal {
            return None;
        }
        session.touch(now);
        Some(session)
    }

    /// Whether the operator is to be told that there was no room for one: once a minute, however
    /// many clients come.
    pub(super) fn is_worth_telling(&self) -> bool {
        let now = self.now().saturating_add(1);
        let last_told = self.told_full.load(Ordering::Relaxed);
        let is_due = last_told == 0 || now.saturating_sub(last_told) >= TOLD_AGAIN_AFTER;
        is_due
            && self
                .told_full
                .compare_exchange(last_told, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Ends a session.
    pub(super) fn remove(&self, session: &ClientSession) {
        self.sessions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&session.id);
        session.end();
    }

    /// Ends what every session would do for ever; calls under way are still answered.
    pub(super) fn end_all(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
        self.sessions
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .for_each(|session| session.end_listening());
    }

    fn now(&self) -> u64 {
        self.clock.elapsed().as_secs()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{SessionLimits, Sessions};

    #[test]
    fn sessions_are_found_by_their_caller_only_and_end_once() {
        let sessions = Sessions::new(SessionLimits::default());
        let session = sessions
            .open(Arc::default(), Some("ada".to_owned()))
            .unwrap();
        assert!(sessions.find(&session.id, Some("ada")).is_some());
        assert!(
            sessions.find(&session.id, Some("eve")).is_none()
                && sessions.find(&session.id, None).is_none()
        );
        sessions.remove(&session);
        assert!(sessions.find(&session.id, Some("ada")).is_none());
    }

    #[test]
    fn a_session_that_is_opened_after_the_end_has_no_stream_to_wait_for() {
        let sessions = Sessions::new(SessionLimits::default());
        let early = sessions.open(Arc::default(), None).unwrap();
        sessions.end_all();
        for session in [
            early,
            sessions.open(Arc::default(), None).unwrap(),
            sessions.open_channel(None).unwrap(),
        ] {
            assert!(session.own_stream().has_ended());
        }
    }

    /// A line for each client over the cap would fill the disk with the log.
    #[test]
    fn the_operator_is_told_once_a_minute_that_there_is_no_room() {
        let mut sessions = Sessions::new(SessionLimits::default().sessions(0));
        let told = |sessions: &Sessions| (0..1000).filter(|_| sessions.is_worth_telling()).count();
        assert_eq!(told(&sessions), 1);
        sessions.clock = sessions.clock.checked_sub(Duration::from_secs(59)).unwrap();
        assert_eq!(told(&sessions), 0);
        sessions.clock = sessions.clock.checked_sub(Duration::from_secs(1)).unwrap();
        assert_eq!(told(&sessions), 1);
    }

    #[test]
    fn as_many_as_may_be_and_no_more_unless_some_are_idle() {
        let sessions = Sessions::new(SessionLimits::default().sessions(2));
        assert!(
            sessions.open(Arc::default(), None).is_some()
                && sessions.open(Arc::default(), None).is_some()
        );
        assert!(sessions.open(Arc::default(), None).is_none());
        let idle = Sessions::new(
            SessionLimits::default()
                .sessions(1)
                .idle_time(Duration::ZERO),
        );
        let first = idle.open(Arc::default(), None).unwrap();
        assert!(idle.open(Arc::default(), None).is_some());
        assert!(idle.find(&first.id, None).is_none());
    }
}
