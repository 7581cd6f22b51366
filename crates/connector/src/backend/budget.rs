//! What one call may spend, whatever it is made of: requests, bytes of answers, time of filters.
//! What one filter run may spend is `jq::budget`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::Inner;
use crate::failure::BackendError;

/// Bytes of answers after which a call sends no more requests.
pub(super) const MAX_BYTES: usize = 64 << 20;
/// Time of filters after which a call runs no more of them.
pub(super) const FILTER_TIME: Duration = Duration::from_secs(10);

/// What several calls may spend together: what the largest of them may spend alone. Cheap to clone;
/// clones are the same budget.
#[derive(Clone, Default)]
pub struct SharedBudget(Arc<CallBudget>);

impl SharedBudget {
    /// The budget of a call that may send so many requests when it is made alone.
    pub(super) fn of_call(&self, requests: usize) -> Arc<CallBudget> {
        self.0.requests.fetch_max(requests, Ordering::Relaxed);
        Arc::clone(&self.0)
    }
}

impl std::fmt::Debug for SharedBudget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedBudget").finish_non_exhaustive()
    }
}

/// What a call has spent, and the requests that it may send.
#[derive(Default)]
pub(super) struct CallBudget {
    requests: AtomicUsize,
    sent: AtomicUsize,
    bytes: AtomicUsize,
    filter_nanos: AtomicU64,
}

impl CallBudget {
    pub(super) fn new(requests: usize) -> Self {
        Self {
            requests: AtomicUsize::new(requests),
            sent: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            filter_nanos: AtomicU64::new(0),
        }
    }

    /// One request more. A login is sent in any case, because other calls may wait for it: one
    /// request has two at most.
    pub(super) fn send(&self, inner: &Inner, logs_in: bool) -> Result<(), BackendError> {
        let sent = self.sent.fetch_add(1, Ordering::Relaxed);
        if logs_in {
            return Ok(());
        }
        let title = &inner.compiled().title;
        let requests = self.requests.load(Ordering::Relaxed);
        if sent >= requests {
            return Err(spent(format!(
                "This call has sent {requests} requests to {title}, which is the most for one call."
            )));
        }
        let bytes = self.bytes.load(Ordering::Relaxed);
        if bytes >= MAX_BYTES {
            return Err(spent(format!(
                "{title} has answered this call with {} MiB, which is the most for one call.",
                bytes >> 20
            )));
        }
        Ok(())
    }

    /// An answer came.
    pub(super) fn answered(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A filter is about to run.
    pub(super) fn filter(&self) -> Result<(), BackendError> {
        if Duration::from_nanos(self.filter_nanos.load(Ordering::Relaxed)) < FILTER_TIME {
            return Ok(());
        }
        Err(spent(format!(
            "This call has worked for {} s on what came, which is the most for one call.",
            FILTER_TIME.as_secs()
        )))
    }

    /// A filter ran for so long.
    pub(super) fn filtered(&self, time: Duration) {
        self.filter_nanos.fetch_add(
            u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }
}

fn spent(what: String) -> BackendError {
    BackendError::caller(format!(
        "{what} It was ended there: ask for less, with a smaller limit, fewer items or a filter, and in parts."
    ))
}

#[cfg(test)]
mod tests {
    use super::{CallBudget, Duration, FILTER_TIME};

    #[test]
    fn filters_run_until_their_time_is_spent() {
        let budget = CallBudget::new(1);
        budget.filtered(FILTER_TIME - Duration::from_nanos(1));
        assert!(budget.filter().is_ok());
        budget.filtered(Duration::from_nanos(1));
        let error = budget.filter().unwrap_err();
        assert!(
            error
                .message()
                .starts_with("This call has worked for 10 s on what came"),
            "{error}"
        );
    }
}
