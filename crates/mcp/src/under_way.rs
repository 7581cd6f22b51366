//! The calls of one client that are under way: bounded in number, found by the client's id to be
//! taken back. Knows no transport.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::own_place::{self, HeldPlace};

/// The calls under way.
#[derive(Debug)]
pub(crate) struct CallsUnderWay {
    most: usize,
    state: Mutex<CallRegister>,
}

#[derive(Debug, Default)]
struct CallRegister {
    begun: u64,
    calls: Vec<EnteredCall>,
    closed: bool,
}

#[derive(Debug)]
struct EnteredCall {
    number: u64,
    id: String,
    taken_back: Arc<Notify>,
    /// It waits aside and takes no place.
    is_aside: bool,
}

impl CallsUnderWay {
    pub(crate) fn at_most(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
        }
    }

    /// How many there may be.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Begins a call with the JSON of its id; `None` when there are as many as there may be, or
    /// after the end. Clients that use an id twice are served.
    pub(crate) fn begin(self: &Arc<Self>, id: &str) -> Option<UnderWay> {
        let mut state = self.lock();
        if state.closed || !state.has_room(self.most) {
            return None;
        }
        state.begun += 1;
        let (number, taken_back) = (state.begun, Arc::new(Notify::new()));
        state.calls.push(EnteredCall {
            number,
            id: id.to_owned(),
            taken_back: Arc::clone(&taken_back),
            is_aside: false,
        });
        let place = Arc::new(CountedPlace {
            calls: Arc::clone(self),
            number,
            permit: Mutex::default(),
        });
        Some(UnderWay { place, taken_back })
    }

    /// Whether a call with this id is under way.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.lock().calls.iter().any(|call| call.id == id)
    }

    /// Stops every call with this id.
    pub(crate) fn take_back(&self, id: &str) {
        self.stop(|call| call.id == id);
    }

    /// Stops every call and lets none begin.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.stop(|_| true);
    }

    fn stop(&self, is_meant: impl Fn(&EnteredCall) -> bool) {
        self.lock().calls.retain(|call| {
            let is_meant = is_meant(call);
            if is_meant {
                call.taken_back.notify_one();
            }
            !is_meant
        });
    }

    fn lock(&self) -> MutexGuard<'_, CallRegister> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallRegister {
    fn has_room(&self, most: usize) -> bool {
        self.calls.len() < most || self.calls.iter().filter(|call| !call.is_aside).count() < most
    }
}

/// A call under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay {
    place: Arc<CountedPlace>,
    taken_back: Arc<Notify>,
}

/// The place that a call takes among those of its client.
#[derive(Debug)]
struct CountedPlace {
    calls: Arc<CallsUnderWay>,
    number: u64,
    /// Its place among those that run, where these are counted too.
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl HeldPlace for CountedPlace {
    fn give(&self) {
        let mut state = self.calls.lock();
        let mut calls = state.calls.iter_mut();
        if let Some(call) = calls.find(|call| call.number == self.number) {
            call.is_aside = true;
        }
        drop(state);
        self.hold(None);
    }
}

impl CountedPlace {
    fn hold(&self, permit: Option<OwnedSemaphorePermit>) {
        let mut held = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
        drop(std::mem::replace(&mut *held, permit));
    }
}

impl UnderWay {
    /// Works until the end; `None` when the client takes the request back first.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.taken_back.notified() => None,
            done = own_place::within(Arc::clone(&self.place) as _, work) => Some(done),
        }
    }

    /// Holds a place among those that run, until the call ends or gives it to others.
    pub(crate) fn hold(&self, permit: OwnedSemaphorePermit) {
        self.place.hold(Some(permit));
    }

    /// Says the answer, unless the call was taken back at its very end: its id may belong to
    /// another call by then. Whoever has heard the answer finds the id free.
    pub(crate) fn conclude(self, say: impl FnOnce()) {
        let mut state = self.place.calls.lock();
        let before = state.calls.len();
        state.calls.retain(|call| call.number != self.place.number);
        if state.calls.len() < before {
            say();
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let (calls, number) = (&self.place.calls, self.place.number);
        calls.lock().calls.retain(|call| call.number != number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::CallsUnderWay;
    use crate::own_place;

    #[tokio::test]
    async fn calls_are_bounded_and_taken_back_by_their_id() {
        let calls = Arc::new(CallsUnderWay::at_most(3));
        let under_way: Vec<_> = ["0", "1", "1"].map(|id| calls.begin(id).unwrap()).into();
        assert!(calls.begin("more").is_none());
        calls.take_back("1");
        assert!(
            calls.has("0") && !calls.has("1"),
            "an id that was taken back is free"
        );
        for (number, one) in under_way.iter().enumerate() {
            assert_eq!(
                one.run(std::future::ready(number)).await,
                (number == 0).then_some(0)
            );
        }
        assert!(calls.begin("more").is_some());
        drop(under_way);
        assert_eq!(calls.lock().calls.len(), 0);
    }

    #[tokio::test]
    async fn a_call_that_waits_aside_leaves_its_place_to_others_and_is_found_all_the_same() {
        let calls = Arc::new(CallsUnderWay::at_most(1));
        let places = Arc::new(Semaphore::new(1));
        let waiting = calls.begin("waits").unwrap();
        waiting.hold(Arc::clone(&places).acquire_owned().await.unwrap());
        assert!(calls.begin("other").is_none() && places.available_permits() == 0);
        let mut work = Box::pin(waiting.run(async {
            own_place::give();
            std::future::pending::<()>().await;
        }));
        assert!(futures_util::poll!(&mut work).is_pending());
        assert_eq!(places.available_permits(), 1);
        let other = calls.begin("other").unwrap();
        assert!(calls.begin("third").is_none(), "it is the only one");
        calls.take_back("waits");
        assert_eq!(work.await, None);
        drop((waiting, other));
        assert_eq!(calls.lock().calls.len(), 0);
        own_place::give();
    }

    #[tokio::test]
    async fn a_call_that_was_taken_back_at_its_end_is_not_answered() {
        let calls = Arc::new(CallsUnderWay::at_most(2));
        let (kept, late) = (calls.begin("kept").unwrap(), calls.begin("late").unwrap());
        assert_eq!(late.run(std::future::ready(())).await, Some(()));
        calls.take_back("late");
        let mut answers = Vec::new();
        late.conclude(|| answers.push("late"));
        kept.conclude(|| {
            assert!(
                calls.state.try_lock().is_err(),
                "nobody looks between the answer and the end of its call"
            );
            answers.push("kept");
        });
        assert!(!calls.has("kept") && answers == ["kept"]);
    }

    #[tokio::test]
    async fn the_end_stops_all_and_lets_none_begin() {
        let calls = Arc::new(CallsUnderWay::at_most(2));
        let one = calls.begin("1").unwrap();
        calls.close();
        assert_eq!(one.run(std::future::pending::<()>()).await, None);
        assert!(calls.begin("2").is_none());
    }
}
