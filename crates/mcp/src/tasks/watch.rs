//! The watch of whoever waits for news of tasks: which ones changed since the last look, however
//! often. The state of a task is not kept here.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// The tasks with news that one listener has not seen. Bounded by the tasks it watches.
#[derive(Default)]
pub(crate) struct Watch {
    changed: Mutex<BTreeSet<String>>,
    news: Notify,
}

impl Watch {
    pub(super) fn mark(&self, task: &str) {
        self.changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(task.to_owned());
        self.news.notify_one();
    }

    /// Waits for news and gives the id of a task that has some.
    pub(crate) async fn next(&self) -> String {
        loop {
            let next = self
                .changed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_first();
            if let Some(task) = next {
                return task;
            }
            self.news.notified().await;
        }
    }
}
