//! Connections to the database, lent one at a time. One that was not given back is closed, and what
//! it was doing is stopped: a call that was dropped, a statement that failed and a transaction that
//! did not end leave nothing behind.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::StoreError;
use crate::database_file::DatabaseFile;
use crate::store_error::is_damage;

/// Steps of SQLite's machine between two looks at whether the statement is still wanted: well under
/// a millisecond.
const STEPS: i32 = 1000;

/// How long a connection that is in use is waited for at the end.
const CLOSING: Duration = Duration::from_secs(1);

/// At most so many connections, each opened when it is first needed.
pub(crate) struct Connections {
    file: Arc<DatabaseFile>,
    options: SqliteConnectOptions,
    most: u32,
    wait: Duration,
    /// What is said when none was free in time.
    crowded: fn() -> StoreError,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<MarkedConnection>>,
}

/// An open connection. The mark is dropped first, so that what the connection does is stopped
/// before it is closed.
struct MarkedConnection {
    mark: Mark,
    sqlite: SqliteConnection,
}

/// The flag that stops what a connection does, and its place in the count.
struct Mark {
    is_unwanted: Arc<AtomicBool>,
    file: Arc<DatabaseFile>,
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.is_unwanted.store(true, Ordering::Relaxed);
        self.file.connection_closed();
    }
}

/// A connection on loan. It is used again only when it is given back.
pub(crate) struct LentConnection {
    connection: MarkedConnection,
    lender: Arc<Connections>,
    permit: OwnedSemaphorePermit,
}

impl Connections {
    pub(crate) fn new(
        file: &Arc<DatabaseFile>,
        options: &SqliteConnectOptions,
        most: u32,
        wait: Duration,
        crowded: fn() -> StoreError,
    ) -> Arc<Connections> {
        Arc::new(Connections {
            file: Arc::clone(file),
            options: options.clone(),
            most,
            wait,
            crowded,
            permits: Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(1))),
            idle: Mutex::new(Vec::new()),
        })
    }

    /// A connection to the file that was opened; waits while all are in use.
    pub(crate) async fn lend(self: &Arc<Self>) -> Result<LentConnection, StoreError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => tokio::time::timeout(self.wait, Arc::clone(&self.permits).acquire_owned())
                .await
                .map_err(|_| (self.crowded)())?
                .map_err(|closed| StoreError::Failed(closed.into()))?,
        };
        self.file.check_is_the_opened_one()?;
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open().await?,
        };
        Ok(LentConnection {
            connection,
            lender: Arc::clone(self),
            permit,
        })
    }

    async fn open(&self) -> Result<MarkedConnection, sqlx::Error> {
        self.marked(self.options.connect().await?).await
    }

    async fn marked(&self, mut sqlite: SqliteConnection) -> Result<MarkedConnection, sqlx::Error> {
        self.file.connection_opened();
        let is_unwanted = Arc::new(AtomicBool::new(false));
        let mark = Mark {
            is_unwanted: Arc::clone(&is_unwanted),
            file: Arc::clone(&self.file),
        };
        sqlite
            .lock_handle()
            .await?
            .set_progress_handler(STEPS, move || !is_unwanted.load(Ordering::Relaxed));
        Ok(MarkedConnection { mark, sqlite })
    }

    /// Takes in a connection to the file that is open already.
    pub(crate) async fn take_in(&self, sqlite: SqliteConnection) -> Result<(), sqlx::Error> {
        let connection = self.marked(sqlite).await?;
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        Ok(())
    }

    /// Closes all; whoever asks for one afterwards is refused. One that is in use is not waited for
    /// for long.
    pub(crate) async fn close(&self) {
        drop(tokio::time::timeout(CLOSING, self.permits.acquire_many(self.most)).await);
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for MarkedConnection { mark, sqlite } in idle {
            if let Err(error) = sqlite.close().await {
                tracing::debug!(%error, "a connection to the database was not closed in order");
            }
            drop(mark);
        }
    }
}

impl LentConnection {
    /// Gives it back when what was done succeeded; after a failure it is closed.
    pub(crate) fn finish<T>(self, done: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        match done {
            Ok(value) => {
                self.give_back();
                Ok(value)
            }
            Err(error) => {
                self.heard(&error);
                Err(error.into())
            }
        }
    }

    /// Remembers that the file is damaged, when that is what a failure says.
    pub(crate) fn heard(&self, error: &sqlx::Error) {
        if is_damage(error) {
            self.lender.file.found_damaged();
        }
    }

    /// Gives it back: no statement is under way, and no transaction is open.
    pub(crate) fn give_back(self) {
        let LentConnection {
            connection,
            lender,
            permit,
        } = self;
        lender
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        drop(permit);
    }
}

impl Deref for LentConnection {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection.sqlite
    }
}

impl DerefMut for LentConnection {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection.sqlite
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use crate::{AccountId, DATABASE_FILE, Store, StoreError, StoreOptions};

    /// Never ends, and keeps the log from being emptied while it runs.
    const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n, account WHERE i < 0 OR name = 'local'";

    #[tokio::test]
    async fn a_statement_whose_call_was_dropped_is_stopped() {
        use sqlx::ConnectOptions as _;
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        let mut reader = store.readers().lend().await.unwrap();
        let endless = sqlx::query(ENDLESS).fetch_all(&mut *reader);
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(20), endless)
                .await
                .is_err()
        );
        store.write_probe().await.unwrap();
        let mut other = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(directory.path().join(DATABASE_FILE))
            .connect()
            .await
            .unwrap();
        let mut is_busy = async || -> bool {
            let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&mut other)
                .await
                .unwrap();
            row.get::<i64, _>(0) == 1
        };
        assert!(is_busy().await, "it runs although nobody waits for it");
        drop(reader);
        while is_busy().await {}
        store.close().await;
    }

    #[tokio::test]
    async fn long_lists_are_in_nobody_s_way_and_one_too_many_is_told_so() {
        let directory = tempfile::tempdir().unwrap();
        let options = StoreOptions {
            busy_time: std::time::Duration::from_millis(50),
            ..StoreOptions::default()
        };
        let store = Store::open_with(directory.path(), options).await.unwrap();
        let mut long = Vec::new();
        for _ in 0..crate::store::SCANNERS {
            long.push(store.scanners().lend().await.unwrap());
        }
        let mut running: Vec<_> = long
            .iter_mut()
            .map(|lease| Box::pin(sqlx::query(ENDLESS).fetch_all(&mut **lease)))
            .collect();
        for statement in &mut running {
            assert!(
                tokio::time::timeout(std::time::Duration::from_millis(1), statement)
                    .await
                    .is_err()
            );
        }
        assert!(store.account(AccountId::local()).await.unwrap().is_some());
        let refused = store.scanners().lend().await.err().unwrap();
        assert!(
            matches!(refused, StoreError::Crowded)
                && refused.to_string().contains("lists and searches"),
            "{refused}"
        );
        // The end does not wait for them, whether somebody still waits for what they find or not.
        store.close().await;
        drop(running);
        drop(long);
        assert!(store.account(AccountId::local()).await.is_err());
    }
}
