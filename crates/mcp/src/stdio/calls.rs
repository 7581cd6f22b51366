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
    running: Mutex<HashMap<String, AbortHandle>>,
    changed: Notify,
}

/// Why a call was not started.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    IdInUse,
    TooMany,
}

impl Calls {
    /// Whether a call with this id may start now. Only the reading thread starts calls, so the answer holds until it does.
    pub(super) fn check(&self, id: &str) -> Result<(), Refused> {
        let running = self.lock();
        if running.contains_key(id) {
            return Err(Refused::IdInUse);
        }
        if running.len() >= limits::STDIO_CALLS_IN_FLIGHT { Err(Refused::TooMany) } else { Ok(()) }
    }

    /// Runs a call to its end and sends what it says.
    pub(super) fn spawn(
        self: &Arc<Self>,
        runtime: &Handle,
        id: &str,
        task: impl Future<Output = Vec<u8>> + Send + 'static,
        outbox: Arc<Outbox>,
    ) {
        let mut running = self.lock();
        let calls = Arc::clone(self);
        let key = id.to_owned();
        // The lock is held until the handle is stored, so a call that ends at once finds itself.
        let task = runtime.spawn(async move {
            let mut bytes = task.await;
            let mut running = calls.lock();
            // A cancelled call is no longer here and says nothing. Queued under the lock, so that whoever sees no calls sees all answers.
            if running.remove(&key).is_some() {
                outbox.push_now(&mut bytes);
            }
            drop(running);
            calls.changed.notify_waiters();
        });
        running.insert(id.to_owned(), task.abort_handle());
    }

    /// Stops the call with this id, if it still runs; it will not be answered.
    pub(super) fn cancel(&self, id: &str) {
        if let Some(task) = self.lock().remove(id) {
            task.abort();
        }
        self.changed.notify_waiters();
    }

    pub(super) fn abort_all(&self) {
        for (_, task) in self.lock().drain() {
            task.abort();
        }
        self.changed.notify_waiters();
    }

    /// Completes when no call is under way.
    pub(super) async fn idle(&self) {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if self.lock().is_empty() {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, AbortHandle>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
