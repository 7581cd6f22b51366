//! A write: one transaction that no other comes between, and what became of it in one word. Does
//! not know what is written.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;

use crate::write_transaction::WriteTransaction;
use crate::{Store, StoreError, sql, time};

/// A write that is under way. Dropped before it is committed, nothing of it is kept and its
/// connection is closed.
pub(crate) struct Write {
    transaction: WriteTransaction,
    store: Store,
}

impl Store {
    /// A write that no other write can come between, where one can be kept. It begins with its
    /// first statement.
    pub(crate) async fn begin_write(&self) -> Result<Write, StoreError> {
        let lent = self.writer().lend().await?;
        if let Err(error) = self.file().check_may_be_written() {
            lent.give_back();
            return Err(error);
        }
        Ok(Write {
            transaction: WriteTransaction::on(lent, self.audit_end().clone()),
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

    /// What an error of the last step of a write says, once it was tried whether the disk takes
    /// another one. The write is dropped by then.
    async fn settled(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Undecided(cause) => match self.write_probe().await {
                Ok(()) => StoreError::InputOutput(cause),
                Err(_) => StoreError::Undecided(cause),
            },
            error => error,
        }
    }
}

impl Write {
    /// Keeps what was written: on success it is on the disk.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let store = self.store.clone();
        match self.keep().await {
            Err(error) => Err(store.settled(error).await),
            kept => kept,
        }
    }

    async fn keep(mut self) -> Result<(), StoreError> {
        let committed = self.transaction.commit().await;
        let committed = committed.map_err(|error| self.told(error));
        if committed.is_ok() {
            self.note_last(true);
            *self.store.audit_end() = self.transaction.audit_end().cloned();
            self.transaction.give_back();
        }
        committed
    }

    /// What an error of a statement says. Where the commit went along with it, it may be of that.
    pub(crate) fn told(&self, error: sqlx::Error) -> StoreError {
        match self.transaction.is_ending() {
            true => {
                self.note_last(false);
                StoreError::of_commit(error)
            }
            false => error.into(),
        }
    }

    /// Ends a write after an error that is not of one statement alone, and its connection with it;
    /// answers what is to be said of what was written.
    pub(crate) async fn give_up(self, error: StoreError) -> StoreError {
        let store = self.store.clone();
        drop(self);
        store.settled(error).await
    }

    fn note_last(&self, was_kept: bool) {
        self.store
            .last_write_failed()
            .store(!was_kept, Ordering::Relaxed);
    }

    /// Ends a write that changes nothing, and keeps its connection.
    pub(crate) async fn undo(self) {
        self.transaction.undo().await;
    }
}

impl Deref for Write {
    type Target = WriteTransaction;

    fn deref(&self) -> &WriteTransaction {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut WriteTransaction {
        &mut self.transaction
    }
}
