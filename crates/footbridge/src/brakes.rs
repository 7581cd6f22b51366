//! The brakes of writing: how much a caller may write in a minute and an hour, and how many writes
//! run at one backend at once. They count by a clock that does not jump.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use footbridge_store::CallerRate;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::caller::{Caller, ResultReader, account_name};
use crate::change_store::ChangeStore;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * 60;
/// How long a write waits for others at its backend before it is refused.
const PATIENCE: Duration = Duration::from_secs(10);

/// The limits of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WriteLimits {
    /// Writes of one caller in a minute.
    pub(crate) per_minute: u32,
    /// Writes of one caller in an hour.
    pub(crate) per_hour: u32,
    /// Writes at one backend at once.
    pub(crate) at_once: u32,
}

/// The brakes of all callers and backends of this process. Cheap to clone; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Brakes(Arc<BrakeState>);

#[derive(Debug)]
struct BrakeState {
    limits: WriteLimits,
    changes: ChangeStore,
    /// Since when it counts.
    began: Instant,
    callers: Mutex<HashMap<String, Arc<CallerWrites>>>,
    backends: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// What one caller wrote lately.
#[derive(Debug, Default)]
struct CallerWrites {
    /// What was written before this process counted is looked up once.
    is_seeded: OnceCell<()>,
    window: Mutex<WriteWindow>,
}

/// Writes by the second in which they were made.
#[derive(Debug, Default)]
struct WriteWindow {
    seconds: VecDeque<(u64, u32)>,
}

/// A write that may run. Dropped when it ended.
#[derive(Debug)]
pub(crate) struct WritePermit {
    _place: Option<OwnedSemaphorePermit>,
}

/// Why a write may not run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrakeRefusal {
    what: String,
    /// Seconds after which it may.
    pub(crate) wait: u64,
}

impl fmt::Display for BrakeRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, wait } = self;
        write!(
            f,
            "{what}. Nothing was done: try again in {wait} s, and find out first why so much is \
             written."
        )
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Brakes {
    pub(crate) fn new(limits: WriteLimits, changes: ChangeStore) -> Self {
        Self(Arc::new(BrakeState {
            limits,
            changes,
            began: Instant::now(),
            callers: Mutex::default(),
            backends: Mutex::default(),
        }))
    }

    /// Lets a write of this caller at this backend run, once there is a place, and counts it. A
    /// person at the terminal is not held.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) async fn pass(
        &self,
        caller: Caller,
        backend: &str,
    ) -> Result<WritePermit, BrakeRefusal> {
        if caller.reader() == ResultReader::Person {
            return Ok(WritePermit { _place: None });
        }
        let writers = format!("Callers over {}", caller.door());
        self.pass_as(caller.name(), &writers, backend).await
    }

    /// The same for an account of the board, by whichever door it comes.
    pub(crate) async fn pass_account(
        &self,
        account: &str,
        backend: &str,
    ) -> Result<WritePermit, BrakeRefusal> {
        let writers = format!("Whoever writes as {account}");
        let name = account_name(account);
        self.pass_as(&name, &writers, backend).await
    }

    /// The same for whoever is on record under this name, and is called so at the beginning of a
    /// sentence.
    async fn pass_as(
        &self,
        name: &str,
        writers: &str,
        backend: &str,
    ) -> Result<WritePermit, BrakeRefusal> {
        let place = self.place(backend).await?;
        self.count(name, writers).await?;
        Ok(WritePermit {
            _place: Some(place),
        })
    }

    async fn place(&self, backend: &str) -> Result<OwnedSemaphorePermit, BrakeRefusal> {
        let at_once = self.0.limits.at_once;
        let places = {
            let mut backends = locked(&self.0.backends);
            match backends.get(backend) {
                Some(places) => Arc::clone(places),
                None => {
                    let most = usize::try_from(at_once).unwrap_or(Semaphore::MAX_PERMITS);
                    let places = Arc::new(Semaphore::new(most));
                    backends.insert(backend.to_owned(), Arc::clone(&places));
                    places
                }
            }
        };
        match timeout(PATIENCE, places.acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            // it is never closed
            Ok(Err(_)) | Err(_) => Err(BrakeRefusal {
                what: format!("{at_once} writes run at {backend} already, as many as may at once"),
                wait: PATIENCE.as_secs(),
            }),
        }
    }

    async fn count(&self, name: &str, writers: &str) -> Result<(), BrakeRefusal> {
        let writes = Arc::clone(locked(&self.0.callers).entry(name.to_owned()).or_default());
        let seed = || async {
            let Ok(store) = self.0.changes.store().await else {
                // nothing is written then anyway
                return;
            };
            if let Ok(rate) = store.caller_rate(name, SystemTime::now()).await {
                locked(&writes.window).seed(rate, self.second());
            }
        };
        writes.is_seeded.get_or_init(seed).await;
        let WriteLimits {
            per_minute,
            per_hour,
            ..
        } = self.0.limits;
        let now = self.second();
        let mut window = locked(&writes.window);
        for (span, span_name, most) in [(MINUTE, "minute", per_minute), (HOUR, "hour", per_hour)] {
            if let Some(wait) = window.wait(span, most, now) {
                return Err(BrakeRefusal {
                    what: format!(
                        "{writers} made {most} writes in the last {span_name}, as many as may be"
                    ),
                    wait,
                });
            }
        }
        window.add(now, 1);
        Ok(())
    }

    /// Seconds of its own clock, an hour ahead, so that there is a before.
    fn second(&self) -> u64 {
        HOUR + self.0.began.elapsed().as_secs()
    }
}

impl WriteWindow {
    /// Takes in what was written before. When exactly is not known: it counts for as long as it
    /// may.
    fn seed(&mut self, rate: CallerRate, now: u64) {
        let lately = u32::try_from(rate.minute).unwrap_or(u32::MAX);
        let before = rate.hour.saturating_sub(rate.minute);
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        let added = std::mem::take(&mut self.seconds);
        self.add(now.saturating_sub(MINUTE), before);
        self.add(now, lately);
        self.seconds.extend(added);
    }

    fn add(&mut self, now: u64, count: u32) {
        match self.seconds.back_mut() {
            _ if count == 0 => {}
            Some((second, writes)) if *second == now => *writes = writes.saturating_add(count),
            _ => self.seconds.push_back((now, count)),
        }
    }

    /// The seconds until one more may be made; none when it may be now.
    fn wait(&mut self, span: u64, most: u32, now: u64) -> Option<u64> {
        while self
            .seconds
            .front()
            .is_some_and(|(second, _)| second + HOUR <= now)
        {
            self.seconds.pop_front();
        }
        let within = || {
            let seconds = self.seconds.iter();
            seconds.filter(|(second, _)| second + span > now)
        };
        let count: u64 = within().map(|(_, writes)| u64::from(*writes)).sum();
        let mut over = (count + 1)
            .checked_sub(u64::from(most))
            .filter(|n| *n > 0)?;
        for (second, writes) in within() {
            over = over.saturating_sub(u64::from(*writes));
            if over == 0 {
                return Some(second + span - now);
            }
        }
        Some(span)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use footbridge_store::{CallerRate, NewChange, Store};

    use super::{Brakes, PATIENCE, WriteLimits, WriteWindow};
    use crate::caller::Caller;
    use crate::change_store::ChangeStore;

    fn brakes(per_minute: u32, per_hour: u32, at_once: u32) -> Brakes {
        let limits = WriteLimits {
            per_minute,
            per_hour,
            at_once,
        };
        Brakes::new(limits, ChangeStore::nowhere("no folder".to_owned()))
    }

    async fn waits(brakes: &Brakes, caller: Caller) -> Option<u64> {
        let passed = brakes.pass(caller, "board").await;
        passed.err().map(|refusal| refusal.wait)
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_writes_so_much_in_a_minute_and_an_hour() {
        let brakes = brakes(2, 3, 10);
        let caller = Caller::HttpClient(None);
        assert_eq!(waits(&brakes, caller).await, None);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(waits(&brakes, caller).await, None);
        assert_eq!(waits(&brakes, caller).await, Some(50));
        assert_eq!(waits(&brakes, Caller::LocalUser).await, None, "of its own");
        for _ in 0..10 {
            assert_eq!(waits(&brakes, Caller::Terminal).await, None, "a person");
        }
        tokio::time::advance(Duration::from_secs(50)).await;
        assert_eq!(waits(&brakes, caller).await, None);
        assert_eq!(waits(&brakes, caller).await, Some(10));
        tokio::time::advance(Duration::from_secs(100)).await;
        let refused = brakes.pass(caller, "board").await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Callers over http made 3 writes in the last hour, as many as may be. Nothing was \
             done: try again in 3440 s, and find out first why so much is written."
        );
        tokio::time::advance(Duration::from_secs(3440)).await;
        assert_eq!(waits(&brakes, caller).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_write_at_one_backend_at_once() {
        let brakes = brakes(100, 100, 2);
        let caller = Caller::LocalUser;
        let first = brakes.pass(caller, "taiga").await.unwrap();
        let _second = brakes.pass(caller, "taiga").await.unwrap();
        brakes.pass(caller, "board").await.unwrap();
        let refused = brakes.pass(caller, "taiga").await.unwrap_err();
        assert_eq!(refused.wait, PATIENCE.as_secs());
        assert!(refused.to_string().starts_with("2 writes run at taiga"));
        drop(first);
        brakes.pass(caller, "taiga").await.unwrap();
    }

    /// What was written before a restart counts, but not what a clock that was ahead wrote.
    #[tokio::test]
    async fn what_was_written_before_counts_whatever_the_clock_did() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        let now = SystemTime::now();
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        for at in [now, now + year, now - year] {
            let change = NewChange {
                caller: Caller::LocalUser.name().to_owned(),
                ..NewChange::default()
            };
            drop(store.begin_change(change, at).await.unwrap());
        }
        let limits = WriteLimits {
            per_minute: 2,
            per_hour: 2,
            at_once: 1,
        };
        let brakes = Brakes::new(limits, ChangeStore::of(store.clone()));
        assert_eq!(waits(&brakes, Caller::LocalUser).await, None);
        assert!(waits(&brakes, Caller::LocalUser).await.is_some());
        store.close().await;
    }

    #[test]
    fn the_wait_is_until_enough_are_old() {
        let mut window = WriteWindow::default();
        window.seed(CallerRate { minute: 2, hour: 5 }, 3600);
        assert_eq!(window.wait(60, 3, 3600), None);
        assert_eq!(window.wait(60, 2, 3600), Some(60));
        assert_eq!(window.wait(3600, 5, 3600), Some(3540));
        window.add(3650, 4);
        assert_eq!(window.wait(60, 2, 3655), Some(55));
        assert_eq!(window.wait(60, 2, 3709), Some(1));
        assert_eq!(window.wait(60, 2, 3710), None);
        assert_eq!(window.wait(3600, 100, 100_000), None);
        assert!(window.seconds.is_empty());
    }
}
