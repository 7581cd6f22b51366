//! An end that many wait for and that comes once. Says nothing of what ends.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// An end, announced or not.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    has_come: AtomicBool,
    announced: Notify,
}

impl Ending {
    /// Announces the end.
    pub(crate) fn announce(&self) {
        self.has_come.store(true, Ordering::Relaxed);
        self.announced.notify_waiters();
    }

    pub(crate) fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Relaxed)
    }

    /// Completes at the end; at once when it has come.
    pub(crate) async fn wait(&self) {
        let mut announced = std::pin::pin!(self.announced.notified());
        // Listened to before the look, so that an end between the two is not missed.
        announced.as_mut().enable();
        if !self.has_come() {
            announced.await;
        }
    }
}
