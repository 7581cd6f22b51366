//! The calls that wait on one connection: counted, found again by their id to be cancelled. Knows nothing of what they answer.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::output::Outbox;
use crate::limits;

/// The calls under way.
#[derive(Debug, Default)]
pub(super) struct Calls {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    running: HashMap<String, Running>,
    /// How many calls were started. A cancelled call may still be at its end when another takes over its id; this tells the two apart.
    started: u64,
    /// The reading thread has taken lines whose answers are not queued yet.
    reading: bool,
    closed: bool,
}

#[derive(Debug)]
struct Running {
    number: u64,
    task: AbortHandle,
}

/// Why a call was not started.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    IdInUse,
    TooMany,
    Closed,
}

impl State {
    fn is_idle(&self) -> bool {
        self.running.is_empty() && !self.reading
    }

    /// Takes out the call with this id, if it is the one of this number.
    fn take(&mut self, id: &str, number: u64) -> bool {
        self.running.get(id).is_some_and(|running| running.number == number) && self.running.remove(id).is_some()
    }
}

impl Calls {
    /// Whether a call with this id may start now. Only the reading thread starts calls, so no other takes its place until it does.
    pub(super) fn check(&self, id: &str) -> Result<(), Refused> {
        let state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.running.contains_key(id) {
            return Err(Refused::IdInUse);
        }
        if state.running.len() >= limits::CALLS_IN_FLIGHT { Err(Refused::TooMany) } else { Ok(()) }
    }

    /// Runs a call to its end and sends what it says. It was admitted by [`Calls::check`] and may have done work already, so it is not refused here.
    pub(super) fn spawn(
        self: &Arc<Self>,
        runtime: &Handle,
        id: &str,
        task: impl Future<Output = Vec<u8>> + Send + 'static,
        outbox: Arc<Outbox>,
    ) {
        let mut state = self.lock();
        state.started += 1;
        let number = state.started;
        let calls = Arc::clone(self);
        let key = id.to_owned();
        // The lock is held until the handle is stored, so a call that ends at once finds itself.
        let task = runtime.spawn(async move {
            let mut bytes = task.await;
            let mut state = calls.lock();
            // A cancelled call is no longer here and says nothing. Queued under the lock, so that whoever sees no calls sees all answers.
            if state.take(&key, number) {
                outbox.push_now(&mut bytes);
            }
            drop(state);
            calls.changed.notify_waiters();
        });
        state.running.insert(id.to_owned(), Running { number, task: task.abort_handle() });
    }

    /// Stops the call with this id, if it still runs; it will not be answered.
    pub(super) fn cancel(&self, id: &str) {
        let running = self.lock().running.remove(id);
        if let Some(running) = running {
            running.task.abort();
        }
        self.changed.notify_waiters();
    }

    /// The reading thread has new lines. What it takes before the end is announced is waited for.
    pub(super) fn begin_reading(&self) {
        let mut state = self.lock();
        state.reading = !state.closed;
    }

    /// The reading thread has queued all its answers.
    pub(super) fn end_reading(&self) {
        let mut state = self.lock();
        state.reading = false;
        if state.closed {
            drop(state);
            self.changed.notify_waiters();
        }
    }

    /// Lets no more calls start.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    pub(super) fn abort_all(&self) {
        for (_, running) in self.lock().running.drain() {
            running.task.abort();
        }
        self.changed.notify_waiters();
    }

    /// Completes when no call is under way and every answer is queued. Only after [`Calls::close`].
    pub(super) async fn idle(&self) {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if self.lock().is_idle() {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;

    use tokio::runtime::Handle;

    use super::{Calls, Outbox, Refused};

    /// The cancellation came too late to stop the first call, and its id was taken over at once.
    #[tokio::test]
    async fn a_cancelled_call_at_its_end_does_not_speak_for_the_next_of_its_id() {
        let (calls, outbox) = (Arc::new(Calls::default()), Arc::new(Outbox::default()));
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let (said, heard) = tokio::sync::oneshot::channel::<()>();
        let first = async move {
            gone.await.unwrap();
            drop(said);
            b"first\n".to_vec()
        };
        calls.spawn(&Handle::current(), "1", first, Arc::clone(&outbox));
        drop(calls.lock().running.remove("1").unwrap());
        calls.spawn(&Handle::current(), "1", pending(), Arc::clone(&outbox));
        go.send(()).unwrap();
        heard.await.unwrap_err();
        tokio::task::yield_now().await;
        assert_eq!(calls.check("1"), Err(Refused::IdInUse));
        outbox.close();
        let mut written = Vec::new();
        outbox.write_all_to(&mut written);
        assert_eq!(written, b"");
    }

    #[tokio::test]
    async fn nothing_starts_after_the_end() {
        let calls = Calls::default();
        calls.close();
        calls.begin_reading();
        assert_eq!(calls.check("1"), Err(Refused::Closed));
        calls.idle().await;
    }

    /// Lines that were taken before the end may have done work, so their answers are waited for.
    #[tokio::test]
    async fn what_was_taken_before_the_end_is_waited_for() {
        let (calls, outbox) = (Arc::new(Calls::default()), Arc::new(Outbox::default()));
        calls.begin_reading();
        assert_eq!(calls.check("1"), Ok(()));
        calls.close();
        let mut idle = Box::pin(calls.idle());
        assert!(futures_util::poll!(&mut idle).is_pending(), "the answer is not queued yet");
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let call = async move {
            gone.await.unwrap();
            b"late\n".to_vec()
        };
        calls.spawn(&Handle::current(), "1", call, Arc::clone(&outbox));
        calls.end_reading();
        assert!(futures_util::poll!(&mut idle).is_pending(), "the call still runs");
        go.send(()).unwrap();
        idle.await;
        outbox.close();
        let mut written = Vec::new();
        outbox.write_all_to(&mut written);
        assert_eq!(written, b"late\n");
    }
}
