//! The calls of one connection that could not be answered at once: some run, further ones wait for
//! a place. Knows nothing of what they answer.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};

use super::output::Outbox;
use crate::limits;
use crate::under_way::{self, UnderWay};

/// The calls of one connection.
#[derive(Debug)]
pub(super) struct ConnectionCalls {
    /// By their ids, the members of batches too.
    pub(super) by_id: Arc<under_way::CallsUnderWay>,
    /// Places for calls that run. They are handed on in the order of the calls that wait.
    places: Arc<Semaphore>,
    state: Mutex<ConnectionLoad>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct ConnectionLoad {
    /// Calls that run or wait.
    tasks: usize,
    waiting: usize,
    /// The bytes of their messages.
    waiting_bytes: usize,
    /// The reading thread has taken lines whose answers are not queued yet.
    reading: bool,
    closed: bool,
}

/// The reason why a call was not started.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CallRefusal {
    IdInUse,
    TooMany,
    Closed,
}

/// The place where a call may go, or the calls of a batch: to places that are free, or among those
/// that wait for them.
#[derive(Debug)]
pub(super) struct CallPlace {
    calls: u32,
    waiting: Option<WaitingCalls>,
}

impl CallPlace {
    pub(super) fn is_free(&self) -> bool {
        self.waiting.is_none()
    }
}

impl Default for ConnectionCalls {
    fn default() -> Self {
        // Those of a batch are entered before it is known whether there is a place for it.
        let most = limits::CALLS_IN_FLIGHT + limits::CALLS_WAITING + limits::BATCH_MESSAGES;
        Self {
            by_id: Arc::new(under_way::CallsUnderWay::at_most(most)),
            places: Arc::new(Semaphore::new(limits::CALLS_IN_FLIGHT)),
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }
}

impl ConnectionCalls {
    /// Where a call with this id may go now, or a batch of so many calls, which has none. Only the
    /// reading thread starts calls, so no other takes its place until it does.
    pub(super) fn place(
        self: &Arc<Self>,
        id: Option<&str>,
        calls: u32,
        bytes: usize,
    ) -> Result<CallPlace, CallRefusal> {
        let mut state = self.lock();
        if state.closed {
            return Err(CallRefusal::Closed);
        }
        if id.is_some_and(|id| self.by_id.has(id)) {
            return Err(CallRefusal::IdInUse);
        }
        // Calls that wait take each place that becomes free, so there is none while one waits.
        let count = calls as usize;
        if self.places.available_permits() >= count {
            return Ok(CallPlace {
                calls,
                waiting: None,
            });
        }
        let is_too_much = state.waiting_bytes.saturating_add(bytes) > limits::CALLS_WAITING_BYTES;
        if state.waiting + count > limits::CALLS_WAITING || is_too_much {
            return Err(CallRefusal::TooMany);
        }
        state.waiting += count;
        state.waiting_bytes += bytes;
        Ok(CallPlace {
            calls,
            waiting: Some(WaitingCalls {
                calls: Arc::clone(self),
                count,
                bytes,
            }),
        })
    }

    /// Runs a call to its end, from the time it has a place, and sends what it says.
    pub(super) fn spawn(
        self: &Arc<Self>,
        runtime: &Handle,
        under_way: Option<UnderWay>,
        place: CallPlace,
        call: impl Future<Output = Vec<u8>> + Send + 'static,
        outbox: Arc<Outbox>,
    ) {
        self.lock().tasks += 1;
        let task = CountedCall(Arc::clone(self));
        let mut turn = Box::pin(Arc::clone(&self.places).acquire_many_owned(place.calls));
        // Asked for once here, where calls come in their order: that is the order of their turns.
        let begun = match turn.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(place) => place.ok(),
            Poll::Pending => None,
        };
        runtime.spawn(async move {
            let turn = async move {
                let turn = match begun {
                    Some(turn) => Some(turn),
                    None => turn.await.ok(),
                };
                drop(place);
                turn
            };
            // The place is held until the answer is queued, or until the call waits aside.
            match under_way {
                None => {
                    let _held = turn.await;
                    let mut bytes = call.await;
                    outbox.push_now(&mut bytes);
                }
                Some(under_way) => {
                    let work = async {
                        if let Some(turn) = turn.await {
                            under_way.hold(turn);
                        }
                        call.await
                    };
                    if let Some(mut bytes) = under_way.run(work).await {
                        under_way.conclude(|| outbox.push_now(&mut bytes));
                    }
                }
            }
            // Last of all, so that whoever sees no calls sees all answers.
            drop(task);
        });
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

    /// Completes when no call runs or waits and every answer is queued. Only after
    /// [`ConnectionCalls::close`].
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

    fn lock(&self) -> MutexGuard<'_, ConnectionLoad> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionLoad {
    fn is_idle(&self) -> bool {
        self.tasks == 0 && !self.reading
    }
}

/// A call that runs or waits, until this is dropped.
struct CountedCall(Arc<ConnectionCalls>);

impl Drop for CountedCall {
    fn drop(&mut self) {
        self.0.lock().tasks -= 1;
        self.0.changed.notify_waiters();
    }
}

/// A call that waits for a place, or a batch that waits for all of its places, until this is
/// dropped.
#[derive(Debug)]
pub(super) struct WaitingCalls {
    calls: Arc<ConnectionCalls>,
    count: usize,
    bytes: usize,
}

impl Drop for WaitingCalls {
    fn drop(&mut self) {
        let mut state = self.calls.lock();
        state.waiting -= self.count;
        state.waiting_bytes -= self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Arc;

    use tokio::runtime::Handle;

    use super::{CallRefusal, ConnectionCalls, Outbox};
    use crate::limits::{CALLS_IN_FLIGHT, CALLS_WAITING, CALLS_WAITING_BYTES};

    fn spawn(
        calls: &Arc<ConnectionCalls>,
        id: &str,
        bytes: usize,
        outbox: &Arc<Outbox>,
        call: impl Future<Output = Vec<u8>> + Send + 'static,
    ) {
        let place = calls.place(Some(id), 1, bytes).unwrap();
        calls.spawn(
            &Handle::current(),
            calls.by_id.begin(id),
            place,
            call,
            Arc::clone(outbox),
        );
    }

    fn written(outbox: &Outbox) -> Vec<u8> {
        outbox.close();
        let mut written = Vec::new();
        outbox.write_all_to(&mut written);
        written
    }

    /// The cancellation came too late to stop the first call, and its id was taken over at once.
    #[tokio::test]
    async fn a_cancelled_call_at_its_end_does_not_speak_for_the_next_of_its_id() {
        let (calls, outbox) = (
            Arc::new(ConnectionCalls::default()),
            Arc::new(Outbox::default()),
        );
        let taken_back = Arc::clone(&calls);
        let first = async move {
            taken_back.by_id.take_back("1");
            b"first\n".to_vec()
        };
        spawn(&calls, "1", 0, &outbox, first);
        while calls.by_id.has("1") {
            tokio::task::yield_now().await;
        }
        spawn(&calls, "1", 0, &outbox, pending());
        while calls.lock().tasks > 1 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(
            calls.place(Some("1"), 1, 0),
            Err(CallRefusal::IdInUse)
        ));
        assert_eq!(written(&outbox), b"");
    }

    #[tokio::test]
    async fn nothing_starts_after_the_end() {
        let calls = Arc::new(ConnectionCalls::default());
        calls.close();
        calls.begin_reading();
        assert!(matches!(
            calls.place(Some("1"), 1, 0),
            Err(CallRefusal::Closed)
        ));
        calls.idle().await;
    }

    /// Lines that were taken before the end may have done work, so their answers are waited for.
    #[tokio::test]
    async fn what_was_taken_before_the_end_is_waited_for() {
        let (calls, outbox) = (
            Arc::new(ConnectionCalls::default()),
            Arc::new(Outbox::default()),
        );
        calls.begin_reading();
        let place = calls.place(Some("1"), 1, 0).unwrap();
        calls.close();
        let mut idle = Box::pin(calls.idle());
        assert!(
            futures_util::poll!(&mut idle).is_pending(),
            "the answer is not queued yet"
        );
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let call = async move {
            gone.await.unwrap();
            b"late\n".to_vec()
        };
        calls.spawn(
            &Handle::current(),
            calls.by_id.begin("1"),
            place,
            call,
            Arc::clone(&outbox),
        );
        calls.end_reading();
        assert!(
            futures_util::poll!(&mut idle).is_pending(),
            "the call still runs"
        );
        go.send(()).unwrap();
        idle.await;
        assert_eq!(written(&outbox), b"late\n");
    }

    #[tokio::test]
    async fn calls_beyond_the_places_wait_up_to_a_number_and_a_number_of_bytes() {
        let (calls, outbox) = (
            Arc::new(ConnectionCalls::default()),
            Arc::new(Outbox::default()),
        );
        for number in 0..CALLS_IN_FLIGHT {
            spawn(&calls, &number.to_string(), 1, &outbox, pending());
        }
        for number in 0..CALLS_WAITING {
            let place = calls.place(None, 1, 1).unwrap();
            assert!(!place.is_free());
            calls.spawn(
                &Handle::current(),
                calls.by_id.begin(&format!("w{number}")),
                place,
                async { b"x".to_vec() },
                Arc::clone(&outbox),
            );
        }
        assert!(matches!(calls.place(None, 1, 0), Err(CallRefusal::TooMany)));
        calls.by_id.take_back("w7");
        while calls.lock().waiting == CALLS_WAITING {
            tokio::task::yield_now().await;
        }
        let most = CALLS_WAITING_BYTES - (CALLS_WAITING - 1);
        assert!(matches!(
            calls.place(None, 1, most + 1),
            Err(CallRefusal::TooMany)
        ));
        let last = calls.place(None, 1, most).unwrap();
        assert!(!last.is_free());
        drop(last);
        calls.by_id.take_back("0");
        while calls.lock().tasks > CALLS_IN_FLIGHT - 1 {
            tokio::task::yield_now().await;
        }
        assert!(
            calls.place(None, 1, usize::MAX).unwrap().is_free(),
            "all that waited had the one place in turn"
        );
        assert_eq!(written(&outbox).len(), CALLS_WAITING - 1);
    }

    /// As many as its calls, so that a batch is no way to run more of them.
    #[tokio::test]
    async fn a_batch_takes_as_many_places_as_it_has_calls() {
        let (calls, outbox) = (
            Arc::new(ConnectionCalls::default()),
            Arc::new(Outbox::default()),
        );
        let batch = u32::try_from(CALLS_IN_FLIGHT - 1).unwrap();
        let place = calls.place(None, batch, 0).unwrap();
        assert!(place.is_free());
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let call = async move {
            gone.await.unwrap();
            b"batch\n".to_vec()
        };
        calls.spawn(&Handle::current(), None, place, call, Arc::clone(&outbox));
        assert!(calls.place(None, 1, 0).unwrap().is_free(), "one is left");
        assert!(
            !calls.place(None, 2, 0).unwrap().is_free(),
            "and no second one"
        );
        let most = u32::try_from(CALLS_WAITING).unwrap();
        assert!(matches!(
            calls.place(None, most + 1, 0),
            Err(CallRefusal::TooMany)
        ));
        let waiting = calls.place(None, most, 0).unwrap();
        assert!(
            matches!(calls.place(None, 2, 0), Err(CallRefusal::TooMany)),
            "they wait as many, too"
        );
        drop(waiting);
        go.send(()).unwrap();
        while calls.lock().tasks > 0 {
            tokio::task::yield_now().await;
        }
        assert!(calls.place(None, batch + 1, 0).unwrap().is_free());
        assert_eq!(written(&outbox), b"batch\n");
    }
}
