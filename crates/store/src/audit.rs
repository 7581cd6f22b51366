//! The audit: what was done and refused, in one chain that all processes on a file write. Each row
//! holds the digest of the one before, so that a row that was changed, taken out or moved is found.
//!
//! What the chain proves: that no row between two that are known was changed since it was written.
//! What it does not: whoever may write the file can make all digests anew, or take away the last
//! rows; that is found by a mark (sequence and digest) that was kept elsewhere.

use std::fmt;
use std::time::SystemTime;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _, SqliteConnection};

use crate::journal::SharedWrite;
use crate::{Store, StoreError, sql, time};

mod check;

pub use check::{AuditBreak, AuditCheck};

/// Bytes of the detail of an entry; of a longer one the beginning is kept.
pub const MAX_AUDIT_DETAIL: usize = 16 << 10;
/// Characters that are kept of one that is too long.
const CUT_TO: usize = 2000;
/// Rows that are read, or forgotten, at once.
const AT_ONCE: i64 = 1000;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditKind {
    /// A call that was carried out, or failed.
    Call,
    /// A call that was refused.
    Refusal,
    /// A login, or a try at one.
    Login,
    /// The program started.
    Start,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    kind: AuditKind,
    detail: String,
}

/// A row of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place, from 1 on, without a gap.
    pub sequence: i64,
    /// When, RFC 3339 UTC.
    pub at: String,
    /// What it is about.
    pub kind: AuditKind,
    /// What happened, as JSON text.
    pub detail: String,
    /// The digest of the row before.
    pub previous: String,
    /// The SHA-256 digest, in hexadecimal digits, of the JSON text
    /// `[sequence,at,kind,detail,previous]` without blanks.
    pub digest: String,
}

/// A place in the chain, and what it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditMark {
    /// The sequence of a row.
    pub sequence: i64,
    /// Its digest.
    pub digest: String,
}

impl AuditKind {
    /// Every kind.
    pub const ALL: [AuditKind; 4] = [
        AuditKind::Call,
        AuditKind::Refusal,
        AuditKind::Login,
        AuditKind::Start,
    ];

    /// The word for it, as it is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            AuditKind::Call => "call",
            AuditKind::Refusal => "refusal",
            AuditKind::Login => "login",
            AuditKind::Start => "start",
        }
    }

    fn parse(word: &str) -> Option<AuditKind> {
        AuditKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for AuditKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl AuditEntry {
    /// An entry with this detail; a detail that is too long is kept as its beginning and its size.
    pub fn new(kind: AuditKind, detail: &Value) -> AuditEntry {
        let text = detail.to_string();
        let detail = match text.len() > MAX_AUDIT_DETAIL {
            false => text,
            true => {
                let beginning: String = text.chars().take(CUT_TO).collect();
                json!({ "beginning": beginning, "bytes": text.len() }).to_string()
            }
        };
        AuditEntry { kind, detail }
    }
}

impl AuditMark {
    /// Before the first row.
    fn origin() -> AuditMark {
        AuditMark {
            sequence: 0,
            digest: "0".repeat(64),
        }
    }
}

/// The digest of a row.
fn digest_of(sequence: i64, at: &str, kind: &str, detail: &str, previous: &str) -> String {
    let text = json!([sequence, at, kind, detail, previous]).to_string();
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

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

    /// Forgets the rows that are older than the store was opened with, and leaves the last of them
    /// as an anchor, so that the chain goes on from there. Answers how many.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; some may be forgotten then.
    pub async fn forget_old_audit(&self, now: SystemTime) -> Result<u64, StoreError> {
        let oldest = time::text_before(now, self.audit_age());
        let mut count = 0;
        loop {
            let mut write = self.begin_write().await?;
            let last: Option<AuditMark> = sqlx::query_as(sql::AUDIT_LAST_OLD)
                .bind(&oldest)
                .bind(AT_ONCE)
                .fetch_optional(&mut *write)
                .await?;
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
        connection: &mut SqliteConnection,
    ) -> Result<Result<AuditMark, StoreError>, sqlx::Error> {
        let last: Option<AuditMark> = sqlx::query_as(sql::AUDIT_LAST)
            .fetch_optional(&mut *connection)
            .await?;
        let last = match last {
            Some(last) => last,
            None => anchor(connection).await?,
        };
        let (at, kind) = (time::text_of(self.now), self.entry.kind.as_str());
        let sequence = last.sequence + 1;
        let digest = digest_of(sequence, &at, kind, &self.entry.detail, &last.digest);
        sqlx::query(sql::AUDIT_ADD)
            .bind(sequence)
            .bind(at)
            .bind(kind)
            .bind(&self.entry.detail)
            .bind(&last.digest)
            .bind(&digest)
            .execute(connection)
            .await?;
        Ok(Ok(AuditMark { sequence, digest }))
    }
}

/// The last row that was forgotten.
async fn anchor(connection: &mut SqliteConnection) -> Result<AuditMark, sqlx::Error> {
    let anchor = sqlx::query_as(sql::AUDIT_ANCHOR)
        .fetch_optional(connection)
        .await?;
    Ok(anchor.unwrap_or_else(AuditMark::origin))
}

impl FromRow<'_, SqliteRow> for AuditMark {
    fn from_row(row: &SqliteRow) -> Result<AuditMark, sqlx::Error> {
        Ok(AuditMark {
            sequence: row.try_get("sequence")?,
            digest: row.try_get("digest")?,
        })
    }
}

impl FromRow<'_, SqliteRow> for AuditRow {
    fn from_row(row: &SqliteRow) -> Result<AuditRow, sqlx::Error> {
        let kind: &str = row.try_get("kind")?;
        Ok(AuditRow {
            sequence: row.try_get("sequence")?,
            at: row.try_get("at")?,
            kind: AuditKind::parse(kind)
                .ok_or_else(|| sqlx::Error::Decode(format!("no kind {kind:?}").into()))?,
            detail: row.try_get("detail")?,
            previous: row.try_get("previous")?,
            digest: row.try_get("digest")?,
        })
    }
}
