//! The check whether the store can be read and written now, tried rather than supposed.

use std::sync::atomic::Ordering;

use sqlx::Row as _;

use crate::{Store, StoreError, sql};

impl Store {
    /// Answers whether the database can be read and written now: that it is the file that was
    /// opened and has room, that no page was found to be damaged, that a write can begin, and, when
    /// the last one was not kept, that one is. Each time some rows more are read, so that in time
    /// all are.
    ///
    /// # Errors
    /// The [`StoreError`] that a write would get.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let mut next_row = self.next_row().lock().await;
        if self.file().is_damaged() {
            return Err(StoreError::Damaged(
                "a page was found to be damaged before".into(),
            ));
        }
        let mut reader = self.readers().lend().await?;
        let read = sqlx::query(sql::READ_SOME)
            .bind(*next_row)
            .fetch_one(&mut *reader)
            .await;
        let last: Option<i64> = reader.finish(read)?.try_get("last")?;
        *next_row = last.unwrap_or_default();

        if self.last_write_failed().load(Ordering::Relaxed) {
            return self.write_probe().await;
        }
        let mut write = self.begin_write().await?;
        sqlx::query(sql::WRITABLE).execute(&mut *write).await?;
        write.undo().await;
        Ok(())
    }
}
