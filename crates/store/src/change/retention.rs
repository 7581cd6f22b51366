//! What is forgotten: changes that ended, by their age and by the room that all take, oldest first.
//! What an undo needs goes with its change.

use std::time::SystemTime;

use crate::write::Write;
use crate::{ChangeRetention, Store, StoreError, interrupted, sql, time};

/// So many are forgotten in one transaction, so that others write between.
const AT_ONCE: i64 = 500;

impl Store {
    /// Forgets changes that are too old, and the oldest where all take too much room, as the store
    /// was opened with; those that have not ended stay. Changes do not take too much room in a file
    /// that does not. Answers how many.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; some may be forgotten then.
    pub async fn forget_old_changes(&self, now: SystemTime) -> Result<u64, StoreError> {
        let ChangeRetention { age, bytes } = *self.change_retention();
        let count = self.forget_older(time::text_before(now, age)).await?;
        if self.file().bytes().is_some_and(|whole| whole <= bytes) {
            return Ok(count);
        }
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        // A look at all rows, which others need not wait for.
        let mut reader = self.scanners().lend().await?;
        let total = sqlx::query_scalar(sql::CHANGE_BYTES)
            .fetch_one(&mut *reader)
            .await;
        let total: i64 = reader.finish(total)?;
        if total <= bytes {
            return Ok(count);
        }
        Ok(count + self.forget_beyond(bytes).await?)
    }

    /// Forgets some that are older, again and again, until there are no more.
    async fn forget_older(&self, oldest: String) -> Result<u64, StoreError> {
        let mut count = 0;
        loop {
            let mut write = self.begin_write().await?;
            let forgotten = sqlx::query(sql::CHANGE_FORGET_OLD)
                .bind(&oldest)
                .bind(AT_ONCE)
                .execute(&mut *write)
                .await?;
            if !keep(write, forgotten.rows_affected()).await? {
                return Ok(count);
            }
            count += forgotten.rows_affected();
        }
    }

    /// Forgets some of the oldest, again and again, until all take so much.
    async fn forget_beyond(&self, bytes: i64) -> Result<u64, StoreError> {
        let mut count = 0;
        loop {
            let mut write = self.begin_write().await?;
            let total: i64 = sqlx::query_scalar(sql::CHANGE_BYTES)
                .fetch_one(&mut *write)
                .await?;
            let forgotten = if total > bytes {
                let forgotten = sqlx::query(sql::CHANGE_FORGET_LARGE)
                    .bind(total - bytes)
                    .bind(AT_ONCE)
                    .execute(&mut *write)
                    .await?;
                forgotten.rows_affected()
            } else {
                0
            };
            if !keep(write, forgotten).await? {
                return Ok(count);
            }
            count += forgotten;
        }
    }

    /// Notes of changes whose process ended while they were sent that nobody knows how they ended,
    /// and answers how many. Opening a store does so too.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn settle_interrupted_changes(&self, now: SystemTime) -> Result<u64, StoreError> {
        // by the connection that is open from the start; mostly there are none
        let mut writer = self.writer().lend().await?;
        let is_any = sqlx::query_scalar(sql::CHANGE_PROCESSES)
            .fetch_optional(&mut *writer)
            .await;
        let is_any: Option<String> = writer.finish(is_any)?;
        if is_any.is_none() {
            return Ok(0);
        }
        let mut write = self.begin_write().await?;
        let settled = interrupted::settle(&mut write, self.file().path(), now).await?;
        match settled {
            0 => write.undo().await,
            _ => write.commit().await?,
        }
        Ok(settled)
    }
}

/// Keeps a write that forgot something; false for one that did not.
async fn keep(write: Write, forgotten: u64) -> Result<bool, StoreError> {
    if forgotten == 0 {
        write.undo().await;
        return Ok(false);
    }
    write.commit().await?;
    Ok(true)
}
