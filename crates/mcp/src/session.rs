//! A session of the legacy era over HTTP: what is remembered of one client, and the streams it can come back to. Data in a map, not a task.

mod calls;
mod stream;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::task::AbortHandle;

use crate::changes::{Change, Listener};
use crate::conversation::Conversation;
use crate::limits;
use calls::Calls;
pub(crate) use calls::UnderWay;
pub(crate) use stream::{Reading, SessionStream};

/// The number of the stream that a client opens with GET; those of its requests follow.
const OWN_STREAM: u64 = 0;

/// One session.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) conversation: Arc<Conversation>,
    /// Whose session it is, where the endpoint tells callers apart.
    pub(crate) principal: Option<String>,
    /// Seconds on the map's clock.
    used: AtomicU64,
    next_stream: AtomicU64,
    streams: Mutex<BTreeMap<u64, Arc<SessionStream>>>,
    /// Calls whose answers go to the requests that brought them.
    under_way: Arc<Calls>,
    /// Calls whose answers go to the session's own stream, by the JSON of their ids (HTTP+SSE).
    calls: Mutex<HashMap<String, AbortHandle>>,
}

impl Session {
    pub(crate) fn new(id: String, conversation: Arc<Conversation>, principal: Option<String>, now: u64) -> Self {
        Self {
            id,
            conversation,
            principal,
            used: AtomicU64::new(now),
            next_stream: AtomicU64::new(OWN_STREAM + 1),
            streams: Mutex::default(),
            under_way: Arc::default(),
            calls: Mutex::default(),
        }
    }

    pub(crate) fn touch(&self, now: u64) {
        self.used.store(now, Ordering::Relaxed);
    }

    /// When it was last used; a session with an open stream is in use.
    pub(crate) fn last_used(&self, now: u64) -> u64 {
        let is_read = self.lock().values().any(|stream| stream.is_read());
        if is_read { now } else { self.used.load(Ordering::Relaxed) }
    }

    /// A stream for one request. It can be come back to once it is kept.
    pub(crate) fn new_stream(&self) -> Arc<SessionStream> {
        Arc::new(SessionStream::new(self.next_stream.fetch_add(1, Ordering::Relaxed)))
    }

    /// Keeps a stream, so that a client can come back to it. The oldest ones that have ended give way.
    pub(crate) fn keep(&self, stream: &Arc<SessionStream>) {
        let mut streams = self.lock();
        streams.insert(stream.number(), Arc::clone(stream));
        let ended: Vec<u64> = streams.values().filter(|stream| stream.has_ended()).map(|stream| stream.number()).collect();
        for number in ended.iter().take(ended.len().saturating_sub(limits::ENDED_STREAMS)) {
            streams.remove(number);
        }
    }

    /// The stream that the client opens with GET.
    pub(crate) fn own_stream(&self) -> Arc<SessionStream> {
        Arc::clone(self.lock().entry(OWN_STREAM).or_insert_with(|| Arc::new(SessionStream::new(OWN_STREAM))))
    }

    /// Says something that belongs to no request, if the client listens or has listened. Never waits: the oldest unread message gives way.
    fn announce(&self, message: Bytes) {
        if let Some(stream) = self.lock().get(&OWN_STREAM) {
            stream.push_or_replace(message);
        }
    }

    /// The stream and the place in it after an event that the client names as its last one.
    pub(crate) fn after(&self, event_id: &str) -> Option<(Arc<SessionStream>, u64)> {
        let (stream, event) = event_id.split_once('-')?;
        let stream = self.lock().get(&stream.parse().ok()?).map(Arc::clone)?;
        Some((stream, event.parse().ok()?))
    }

    /// Begins a call with this id; `None` when too many are under way.
    pub(crate) fn begin_call(&self, id: &str) -> Option<UnderWay> {
        self.under_way.begin(id)
    }

    /// Stops the call with this id, if it is still under way; it is not answered.
    pub(crate) fn cancel(&self, id: &str) {
        self.under_way.cancel(id);
        if let Some(task) = self.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(id) {
            task.abort();
        }
    }

    /// Ends what would go on for ever: questions, and the stream that belongs to no request.
    pub(crate) fn end_listening(&self) {
        self.conversation.end();
        if let Some(stream) = self.lock().get(&OWN_STREAM) {
            stream.abandon();
        }
    }

    /// Runs a call whose answer goes to the session's own stream. False when too many run, or one with this id does.
    pub(crate) fn start(self: &Arc<Self>, id: &str, call: impl Future<Output = ()> + Send + 'static) -> bool {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() >= limits::CALLS_IN_FLIGHT || calls.contains_key(id) {
            return false;
        }
        let (session, key) = (Arc::clone(self), id.to_owned());
        // The lock is held until the handle is stored, so a call that ends at once finds itself.
        let task = tokio::spawn(async move {
            call.await;
            session.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        });
        calls.insert(id.to_owned(), task.abort_handle());
        true
    }

    /// Ends every stream and every call that answers to the session.
    pub(crate) fn end(&self) {
        for (_, task) in self.calls.lock().unwrap_or_else(PoisonError::into_inner).drain() {
            task.abort();
        }
        self.conversation.end();
        for stream in self.lock().values() {
            stream.abandon();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<SessionStream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Session {
    fn tell(&self, change: &Change) {
        if self.conversation.hears_of(change) {
            self.announce(change.notification(None));
        }
    }
}
