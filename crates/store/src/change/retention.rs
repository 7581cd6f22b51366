//! What is forgotten: changes that ended, by their age and by the room that all take, oldest first.
//! What an undo needs goes with its change.

use std::time::SystemTime;

use crate::write::Write;
use crate::{ChangeRetention, Store, StoreError, interrupted, sql, time};

/// So many are forgotten in one transaction, so that others write between.
const AT_ONCE: i64 = 500;

impl Store {
    /// Forgets changes that are too old, and the oldest where all take too much room, as the store
    /// was opened with; those that have not ended stay. Answers how many.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; some may be forgotten then.
    pub async fn forget_old_changes(&self, now: SystemTime) -> Result<u64, StoreError> {
        let ChangeRetention { age, bytes } = *self.change_retention();
        let oldest = time::text_before(now, age);
        let mut count = self
            .forget(async |write| {
                sqlx::query(sql::CHANGE_FORGET_OLD)
                    .bind(&oldest)
                    .bind(AT_ONCE)
                    .execute(&mut **write)
                    .await
                    .map(|done| done.rows_affected())
            })
            .await?;
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
        count += self
            .forget(async |write| {
                let total: i64 = sqlx::query_scalar(sql::CHANGE_BYTES)
                    .fetch_one(&mut **write)
                    .await?;
                if total <= bytes {
                    return Ok(0);
                }
                sqlx::query(sql::CHANGE_FORGET_LARGE)
                    .bind(total - bytes)
                    .bind(AT_ONCE)
                    .execute(&mut **write)
                    .await
                    .map(|done| done.rows_affected())
            })
            .await?;
        Ok(count)
    }

    /// Forgets some, again and again, until there are no more.
    async fn forget(
        &self,
        some: impl AsyncFn(&mut Write) -> Result<u64, sqlx::Error>,
    ) -> Result<u64, StoreError> {
        let mut count = 0;
        loop {
            let mut write = self.begin_write().await?;
            let forgotten = some(&mut write).await?;
            if forgotten == 0 {
                write.undo().await;
                return Ok(count);
            }
            write.commit().await?;
            count += forgotten;
        }
    }

    /// Notes of changes whose process ended while they were sent that nobody knows how they ended,
    /// and answers how many. Opening a store does so too.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn settle_interrupted_changes(&self, now: SystemTime) -> Result<u64, StoreError> {
        let mut write = self.begin_write().await?;
        let settled = interrupted::settle(&mut write, self.file().path(), now).await?;
        match settled {
            0 => write.undo().await,
            _ => write.commit().await?,
        }
        Ok(settled)
    }
}
