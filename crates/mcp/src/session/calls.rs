//! The calls of a session that are under way: bounded in number, found by the client's id to be cancelled. A lost connection is no cancellation.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::limits;

/// The calls under way.
#[derive(Default)]
pub(super) struct Calls {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    begun: u64,
    under_way: Vec<(u64, String, Arc<Notify>)>,
}

impl Calls {
    /// Begins a call; `None` when too many are under way. Clients that use an id twice are served.
    pub(super) fn begin(self: &Arc<Self>, id: &str) -> Option<UnderWay> {
        let mut state = self.lock();
        if state.under_way.len() >= limits::SESSION_CALLS_IN_FLIGHT {
            return None;
        }
        state.begun += 1;
        let (number, cancelled) = (state.begun, Arc::new(Notify::new()));
        state.under_way.push((number, id.to_owned(), Arc::clone(&cancelled)));
        Some(UnderWay { calls: Arc::clone(self), number, cancelled })
    }

    /// Stops every call with this id.
    pub(super) fn cancel(&self, id: &str) {
        let state = self.lock();
        state.under_way.iter().filter(|(_, known, _)| known == id).for_each(|(_, _, cancelled)| cancelled.notify_one());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way, until this is dropped.
pub(crate) struct UnderWay {
    calls: Arc<Calls>,
    number: u64,
    cancelled: Arc<Notify>,
}

impl UnderWay {
    /// Works until the end; `None` when the client takes the request back first.
    pub(crate) async fn run<T>(self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.cancelled.notified() => None,
            done = work => Some(done),
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.calls.lock().under_way.retain(|(number, _, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Calls;
    use crate::limits::SESSION_CALLS_IN_FLIGHT;

    #[tokio::test]
    async fn calls_are_bounded_and_cancelled_by_their_id() {
        let calls = Arc::new(Calls::default());
        let under_way: Vec<_> = (0..SESSION_CALLS_IN_FLIGHT).map(|id| calls.begin(&id.to_string()).unwrap()).collect();
        assert!(calls.begin("more").is_none());
        calls.cancel("1");
        for (number, one) in under_way.into_iter().enumerate().take(3) {
            assert_eq!(one.run(std::future::ready(number)).await, (number != 1).then_some(number));
        }
        assert!(calls.begin("more").is_some());
        assert_eq!(calls.lock().under_way.len(), 0);
    }
}
