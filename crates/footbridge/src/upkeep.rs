//! The upkeep of the store, at the start and every hour while the program serves: changes that were
//! interrupted are settled, proposals whose time is over end, and what is old is forgotten. Nobody
//! waits for it.

use std::time::{Duration, SystemTime};

use footbridge_store::{Store, StoreError};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::audit_trail::AuditTrail;
use crate::change_store::ChangeStore;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// By how much the clock may be ahead of what was last written and still be believed about what is
/// old.
const SILENCE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Looks after one store.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    last: Option<ClockReading>,
}

/// The time by the clock of the system, which may jump, and by one that does not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockReading {
    pub(crate) wall: SystemTime,
    pub(crate) steady: Instant,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct UpkeepReport {
    /// Changes whose process ended while they were sent.
    pub(crate) settled: u64,
    /// Proposals that ended.
    pub(crate) expired: u64,
    /// Changes, and rows of the audit, that were forgotten; none where the clock jumped.
    pub(crate) forgotten: Option<(u64, u64)>,
}

impl ClockReading {
    fn now() -> Self {
        Self {
            wall: SystemTime::now(),
            steady: Instant::now(),
        }
    }

    /// The clock of the system went on by much more than the other one. A machine that slept looks
    /// the same.
    fn jumped_since(self, last: Self) -> bool {
        let by_wall = self.wall.duration_since(last.wall).unwrap_or_default();
        by_wall > self.steady.duration_since(last.steady) + HOUR
    }
}

impl Upkeep {
    /// Does what is due.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; the next time does the rest.
    pub(crate) async fn run(
        &mut self,
        store: &Store,
        now: ClockReading,
    ) -> Result<UpkeepReport, StoreError> {
        let has_jumped = self.last.is_some_and(|last| now.jumped_since(last));
        self.last = Some(now);
        let mut report = UpkeepReport {
            settled: store.settle_interrupted_changes(now.wall).await?,
            expired: store.expire_proposals(now.wall).await?,
            forgotten: None,
        };
        if has_jumped {
            tracing::warn!("the clock jumped: nothing that is old by it is forgotten in this hour");
            return Ok(report);
        }
        let written = store.last_audit_time().await?;
        let believed = written.and_then(|at| at.checked_add(SILENCE));
        let now = believed.map_or(now.wall, |believed| now.wall.min(believed));
        report.forgotten = Some((
            store.forget_old_changes(now).await?,
            store.forget_old_audit(now).await?,
        ));
        Ok(report)
    }
}

/// Looks after the store until the other end of `ended` is gone. One that nobody opened is opened
/// when the program may write, and left alone otherwise.
pub(crate) async fn keep_up(
    changes: ChangeStore,
    trail: AuditTrail,
    may_write: bool,
    mut ended: oneshot::Receiver<()>,
) {
    let mut upkeep = Upkeep::default();
    loop {
        let store = match changes.opened() {
            None if may_write => match changes.store().await {
                Ok(store) => Some(store),
                Err(why) => {
                    tracing::warn!(%why, "changes cannot be recorded, so no change will be sent");
                    None
                }
            },
            opened => opened,
        };
        if let Some(store) = store {
            match upkeep.run(&store, ClockReading::now()).await {
                Ok(report) => tracing::debug!(?report, "looked after the store"),
                Err(error) => tracing::warn!(%error, "the store was not looked after"),
            }
            trail.write_start(&store);
        }
        if tokio::time::timeout(HOUR, &mut ended).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use footbridge_store::{
        AuditRetention, BegunChange, ChangeEnd, ChangeOutcome, ChangeRetention, NewChange,
        Proposal, Store, StoreOptions,
    };
    use tokio::time::Instant;

    use super::{ClockReading, HOUR, SILENCE, Upkeep, UpkeepReport};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    struct Clocks {
        began: ClockReading,
    }

    impl Clocks {
        fn new() -> Self {
            Self {
                began: ClockReading {
                    wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
                    steady: Instant::now(),
                },
            }
        }

        /// Both went on by so much, and that of the system by more.
        fn after(&self, span: Duration, jump: Duration) -> ClockReading {
            ClockReading {
                wall: self.began.wall + span + jump,
                steady: self.began.steady + span,
            }
        }
    }

    async fn opened(directory: &std::path::Path) -> Store {
        let options = StoreOptions {
            changes: ChangeRetention {
                age: DAY * 90,
                bytes: 20_000,
            },
            audit: AuditRetention {
                age: DAY * 365,
                rows: 1_000,
            },
            ..StoreOptions::default()
        };
        Store::open_with(directory, options).await.unwrap()
    }

    async fn record(store: &Store, at: SystemTime, bytes: usize) {
        let change = NewChange {
            arguments: "x".repeat(bytes),
            ..NewChange::default()
        };
        let BegunChange::Open(open) = store.begin_change(change, at).await.unwrap() else {
            panic!("it has no key");
        };
        let end = ChangeEnd {
            outcome: ChangeOutcome::Done,
            message: None,
            answer: None,
            records: vec![],
            undo_values: None,
        };
        open.end(end, at).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_due_is_done() {
        let directory = tempfile::tempdir().unwrap();
        let (store, clocks) = (opened(directory.path()).await, Clocks::new());
        let start = clocks.began.wall;
        let mut upkeep = Upkeep::default();
        let nothing = UpkeepReport {
            forgotten: Some((0, 0)),
            ..UpkeepReport::default()
        };
        assert_eq!(upkeep.run(&store, clocks.began).await.unwrap(), nothing);
        record(&store, start, 1).await;
        record(&store, start + DAY * 89, 1).await;
        let proposal = Proposal {
            life: DAY * 7,
            request: "{}".to_owned(),
        };
        let proposed = NewChange::default();
        store
            .propose_change(proposed, proposal, start + DAY * 89)
            .await
            .unwrap();
        // by age
        let now = clocks.after(DAY * 91, Duration::ZERO);
        let report = upkeep.run(&store, now).await.unwrap();
        assert_eq!((report.expired, report.forgotten), (0, Some((1, 0))));
        let now = clocks.after(DAY * 97, Duration::ZERO);
        let report = upkeep.run(&store, now).await.unwrap();
        assert_eq!((report.expired, report.forgotten), (1, Some((0, 0))));
        // by size
        for day in 98..104 {
            record(&store, start + DAY * day, 5_000).await;
        }
        let now = clocks.after(DAY * 104, Duration::ZERO);
        let (changes, _) = upkeep.run(&store, now).await.unwrap().forgotten.unwrap();
        assert!(changes >= 3, "{changes}");
        // the audit too, with its anchor
        record(&store, start + DAY * 400, 1).await;
        let now = clocks.after(DAY * 400, Duration::ZERO);
        let (_, rows) = upkeep.run(&store, now).await.unwrap().forgotten.unwrap();
        assert_eq!(rows, 1);
        let check = store.verify_audit(None).await.unwrap();
        assert_eq!((check.anchor.sequence, check.broken), (1, None));
    }

    #[tokio::test]
    async fn a_clock_that_jumps_lets_nothing_be_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let (store, clocks) = (opened(directory.path()).await, Clocks::new());
        let start = clocks.began.wall;
        record(&store, start, 1).await;
        let mut upkeep = Upkeep::default();
        upkeep.run(&store, clocks.began).await.unwrap();
        // ahead while it serves, whatever was written since
        let ahead = DAY * 1_000;
        record(&store, start + ahead, 1).await;
        let jumped = upkeep.run(&store, clocks.after(HOUR, ahead)).await.unwrap();
        assert_eq!(jumped.forgotten, None);
        // and back
        let now = clocks.after(HOUR * 2, Duration::ZERO);
        let report = upkeep.run(&store, now).await.unwrap();
        assert_eq!(report.forgotten, Some((0, 0)));
    }

    /// A program that starts with a clock that is far ahead has no other to hold it against.
    #[tokio::test]
    async fn at_the_start_the_clock_is_held_against_what_was_last_written() {
        let directory = tempfile::tempdir().unwrap();
        let (store, clocks) = (opened(directory.path()).await, Clocks::new());
        record(&store, clocks.began.wall, 1).await;
        let now = clocks.after(DAY * 10_000, Duration::ZERO);
        let report = Upkeep::default().run(&store, now).await.unwrap();
        assert_eq!(report.forgotten, Some((0, 0)));
        assert!(SILENCE < DAY * 90);
    }
}
