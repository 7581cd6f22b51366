//! A write: one transaction that no other comes between, and what became of it in one word. Does
//! not know what is written.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;

use sqlx::SqliteConnection;

use crate::connections::LentConnection;
use crate::{Store, StoreError, sql, time};

/// A write that is under way. Dropped before it is committed, nothing of it is kept and its
/// connection is closed.
pub(crate) struct Write {
    lease: LentConnection,
    store: Store,
}

impl Store {
    /// Begins a write that no other write can come between, where one can be kept.
    pub(crate) async fn begin_write(&self) -> Result<Write, StoreError> {
        let mut lease = self.writer().lend().await?;
        if let Err(error) = self.file().check_may_be_written() {
            lease.give_back();
            return Err(error);
        }
        let begun = sqlx::query(sql::BEGIN_WRITE).execute(&mut *lease).await;
        if let Err(error) = begun {
            lease.heard(&error);
            return Err(error.into());
        }
        Ok(Write {
            lease,
            store: self.clone(),
        })
    }

    /// Writes something that nobody reads. Where the disk takes that, what a write before left in
    /// the log without being kept is gone.
    pub(crate) async fn write_probe(&self) -> Result<(), StoreError> {
        let mut write = self.begin_write().await?;
        sqlx::query(sql::WRITE_PROBE)
            .bind(time::now())
            .execute(&mut *write)
            .await?;
        write.keep().await
    }
}

impl Write {
    /// Keeps what was written: on success it is on the disk.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let store = self.store.clone();
        match self.keep().await {
            Err(StoreError::Undecided(cause)) => Err(match store.write_probe().await {
                Ok(()) => StoreError::InputOutput(cause),
                Err(_) => StoreError::Undecided(cause),
            }),
            kept => kept,
        }
    }

    async fn keep(mut self) -> Result<(), StoreError> {
        let committed = sqlx::query(sql::COMMIT).execute(&mut *self.lease).await;
        self.store
            .last_write_failed()
            .store(committed.is_err(), Ordering::Relaxed);
        match committed {
            Ok(_) => {
                self.lease.give_back();
                Ok(())
            }
            Err(error) => {
                self.lease.heard(&error);
                Err(StoreError::of_commit(error))
            }
        }
    }

    /// Ends a write that changes nothing, and keeps its connection.
    pub(crate) async fn undo(mut self) {
        if sqlx::query(sql::ROLLBACK)
            .execute(&mut *self.lease)
            .await
            .is_ok()
        {
            self.lease.give_back();
        }
    }
}

impl Deref for Write {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.lease
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.lease
    }
}
