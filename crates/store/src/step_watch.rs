//! The look for steps of changes that other processes made: at most once a second for all who wait
//! together, by SQLite's own count of what others committed. Nobody looks while nobody waits.

use std::sync::Arc;
use std::time::Duration;

use sqlx::SqliteConnection;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::connections::Connections;
use crate::{StoreError, sql};

/// How often those who wait look for what other processes wrote.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is known of the steps, shared by all who wait.
pub(crate) struct StepWatch {
    /// One, as SQLite counts for each connection of its own.
    connections: Arc<Connections>,
    seen: Mutex<Option<SeenSteps>>,
    last_step: watch::Sender<i64>,
}

/// What the last look found.
#[derive(Clone, Copy)]
struct SeenSteps {
    /// SQLite's count of what others committed.
    version: i64,
    /// How many transactions this process had kept.
    kept: u64,
    at: Instant,
    last_step: i64,
}

/// What is known now.
pub(crate) struct StepLook {
    pub(crate) last_step: i64,
    /// When to look again.
    pub(crate) next: Instant,
}

impl StepWatch {
    /// Looks by the only connection of these.
    pub(crate) fn new(connections: Arc<Connections>) -> StepWatch {
        StepWatch {
            connections,
            seen: Mutex::new(None),
            last_step: watch::Sender::new(0),
        }
    }

    pub(crate) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// Hears of each step that somebody's look finds.
    pub(crate) fn follow(&self) -> watch::Receiver<i64> {
        self.last_step.subscribe()
    }

    /// Looks, unless somebody did within the second and this process kept nothing since.
    pub(crate) async fn look(&self, kept: u64) -> Result<StepLook, StoreError> {
        let mut seen = self.seen.lock().await;
        let last = seen.filter(|last| last.kept == kept && last.at.elapsed() < LOOK_EVERY);
        let now_seen = match last {
            Some(last) => last,
            None => {
                let at = Instant::now();
                // Whoever is taken away meanwhile leaves nothing behind: its connection is closed,
                // and another one counts anew.
                let before = seen.take();
                let mut connection = self.connections.lend().await?;
                let read = read(&mut connection, before).await;
                let (version, last_step) = connection.finish(read)?;
                *seen.insert(SeenSteps {
                    version,
                    kept,
                    at,
                    last_step,
                })
            }
        };
        self.last_step.send_if_modified(|last_told| {
            let is_new = *last_told < now_seen.last_step;
            *last_told = now_seen.last_step.max(*last_told);
            is_new
        });
        Ok(StepLook {
            last_step: now_seen.last_step,
            next: now_seen.at + LOOK_EVERY,
        })
    }
}

/// The count comes first: what is committed between the two is found again by the next look.
async fn read(
    connection: &mut SqliteConnection,
    before: Option<SeenSteps>,
) -> Result<(i64, i64), sqlx::Error> {
    let version = sqlx::query_scalar(sql::DATA_VERSION)
        .fetch_one(&mut *connection)
        .await?;
    let last_step = match before.filter(|before| before.version == version) {
        Some(before) => before.last_step,
        None => {
            sqlx::query_scalar(sql::CHANGE_LAST_STEP)
                .fetch_one(connection)
                .await?
        }
    };
    Ok((version, last_step))
}
