//! What happened since: the steps of all changes in their order, told to this process at once and
//! to others soon, and how much a caller wrote lately.

use std::time::{Duration, SystemTime};

use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::{RecordedChange, selection};
use crate::{Store, StoreError, sql, time};

/// How often somebody who waits looks for what other processes wrote.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// How many changes a caller made lately, proposals included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerRate {
    /// In the last minute.
    pub minute: u64,
    /// In the last hour.
    pub hour: u64,
}

impl Store {
    /// The changes that took a step after this one, in the order of their last steps. A change is
    /// there once, as it is now.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn changes_since(
        &self,
        step: i64,
        limit: u32,
    ) -> Result<Vec<RecordedChange>, StoreError> {
        let mut statement = QueryBuilder::<Sqlite>::new("SELECT ");
        statement
            .push(selection::COLUMNS)
            .push(" FROM change WHERE change.step > ")
            .push_bind(step)
            .push(" ORDER BY change.step, change.id LIMIT ")
            .push_bind(i64::from(limit));
        self.read_changes(statement).await
    }

    /// The last step of all changes, 0 when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn last_change_step(&self) -> Result<i64, StoreError> {
        let mut reader = self.readers().lend().await?;
        let last = sqlx::query_scalar(sql::CHANGE_LAST_STEP)
            .fetch_one(&mut *reader)
            .await;
        reader.finish(last)
    }

    /// Waits until there is a step after this one, and answers the last. What this process records
    /// is told at once, what others record within half a second.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn change_step_after(&self, step: i64) -> Result<i64, StoreError> {
        let mut kept = self.journal().follow();
        loop {
            kept.mark_unchanged();
            let last = self.last_change_step().await?;
            if last > step {
                return Ok(last);
            }
            drop(tokio::time::timeout(LOOK_EVERY, kept.changed()).await);
        }
    }

    /// How many changes a caller made in the last minute and hour.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn caller_rate(
        &self,
        caller: &str,
        now: SystemTime,
    ) -> Result<CallerRate, StoreError> {
        let mut reader = self.readers().lend().await?;
        let counted = sqlx::query(sql::CHANGE_RATE)
            .bind(caller)
            .bind(time::text_before(now, HOUR))
            .bind(time::text_before(now, MINUTE))
            .bind(time::text_of(now))
            .fetch_one(&mut *reader)
            .await;
        let row = reader.finish(counted)?;
        let count = |column| -> Result<u64, StoreError> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or_default())
        };
        Ok(CallerRate {
            minute: count("minute")?,
            hour: count("hour")?,
        })
    }
}
