//! The audit: what was done and refused, in one chain that all processes on a file write.
//!
//! What the chain proves: that no row between two that are known was changed since it was written.
//! What it does not: whoever may write the file can make all digests anew, or take away the last
//! rows; that is found by a mark (sequence and digest) that was kept elsewhere.

use std::time::SystemTime;

use jiff::Timestamp;
use sqlx::Sqlite;
use sqlx::query::QueryAs;
use sqlx::sqlite::SqliteArguments;

use crate::audit_chain::{AuditEntry, AuditRow};
use crate::audit_mark::AuditMark;
use crate::journal::SharedWrite;
use crate::write_transaction::WriteTransaction;
use crate::{AuditRetention, Store, StoreError, sql, time};

mod check;

pub use check::{AuditBreak, AuditCheck};

/// Rows that are read, or forgotten, at once.
const AT_ONCE: i64 = 1000;

impl Store {
    /// Writes an entry at the end of the chain. When this answers, it is on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; then nothing was written.
    pub async fn append_audit(
        &self,
        entry: AuditEntry,
        now: SystemTime,
    ) -> Result<AuditMark, StoreError> {
        self.share_write(AppendAudit { entry, now }).await
    }

    /// Writes an entry soon, for those who do not wait for it; a failure is logged.
    pub fn append_audit_later(&self, entry: AuditEntry, now: SystemTime) {
        self.write_later(AppendAudit { entry, now });
    }

    /// Some rows after this one, in their order; where a time is named those since then.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn audit_rows(
        &self,
        after: i64,
        since: Option<SystemTime>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let mut reader = self.scanners().lend().await?;
        let rows = sqlx::query_as(sql::AUDIT_ROWS)
            .bind(after)
            .bind(since.map(time::text_of).unwrap_or_default())
            .bind(AT_ONCE)
            .fetch_all(&mut *reader)
            .await;
        reader.finish(rows)
    }

    /// When the last row was written; none where there is none. For the upkeep: it is looked up by
    /// the connection that is open from the start.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn last_audit_time(&self) -> Result<Option<SystemTime>, StoreError> {
        let mut writer = self.writer().lend().await?;
        let last = sqlx::query_scalar(sql::AUDIT_LAST_TIME)
            .fetch_optional(&mut *writer)
            .await;
        let last: Option<String> = writer.finish(last)?;
        let last = last.map(|at| at.parse::<Timestamp>()).transpose();
        let last = last.map_err(StoreError::damaged)?;
        Ok(last.map(SystemTime::from))
    }

    /// Forgets the rows that are too old, and the oldest where there are too many, as the store was
    /// opened with, and leaves the last of them as an anchor, so that the chain goes on from there.
    /// Answers how many.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; some may be forgotten then.
    pub async fn forget_old_audit(&self, now: SystemTime) -> Result<u64, StoreError> {
        let AuditRetention { age, rows } = *self.audit_retention();
        let oldest = time::text_before(now, age);
        let most = i64::try_from(rows).unwrap_or(i64::MAX);
        let old = || sqlx::query_as(sql::AUDIT_LAST_OLD).bind(oldest.clone());
        let beyond = || sqlx::query_as(sql::AUDIT_LAST_BEYOND).bind(most);
        let count = self.forget_audit_up_to(old, now).await?;
        Ok(count + self.forget_audit_up_to(beyond, now).await?)
    }

    /// Forgets up to the row that a statement finds, again and again until it finds none.
    async fn forget_audit_up_to(
        &self,
        last: impl Fn() -> QueryAs<'static, Sqlite, AuditMark, SqliteArguments>,
        now: SystemTime,
    ) -> Result<u64, StoreError> {
        let mut count = 0;
        loop {
            let mut write = self.begin_write().await?;
            let last: Option<AuditMark> = last().bind(AT_ONCE).fetch_optional(&mut *write).await?;
            let Some(last) = last else {
                write.undo().await;
                return Ok(count);
            };
            sqlx::query(sql::AUDIT_ANCHOR_SET)
                .bind(last.sequence)
                .bind(&last.digest)
                .bind(time::text_of(now))
                .execute(&mut *write)
                .await?;
            let forgotten = sqlx::query(sql::AUDIT_FORGET)
                .bind(last.sequence)
                .execute(&mut *write)
                .await?;
            write.commit().await?;
            count += forgotten.rows_affected();
        }
    }
}

struct AppendAudit {
    entry: AuditEntry,
    now: SystemTime,
}

impl SharedWrite for AppendAudit {
    type Answer = AuditMark;
    type Error = StoreError;

    const IS_LEFT_OUT_WHEN_DROPPED: bool = false;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<AuditMark, StoreError>, sqlx::Error> {
        self.entry.append(transaction, self.now, true).await.map(Ok)
    }
}
