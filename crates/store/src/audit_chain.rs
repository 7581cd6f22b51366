//! The chain of the audit: an entry written behind the last one, in whatever transaction it belongs
//! to. Each row holds the digest of the one before, so that a row that was changed, taken out or
//! moved is found.

use std::fmt;
use std::time::SystemTime;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{FromRow, Row as _, Sqlite, SqliteExecutor};

use crate::audit_mark::AuditMark;
use crate::write_transaction::WriteTransaction;
use crate::{sql, time};

mod of_change;

pub(crate) use of_change::{AuditedStep, NAMED_RECORDS};

/// Bytes of the detail of an entry; of a longer one the beginning is kept.
pub const MAX_AUDIT_DETAIL: usize = 16 << 10;
/// Characters that are kept of one that is too long.
const CUT_TO: usize = 2000;

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

    pub(crate) fn parse(word: &str) -> Option<AuditKind> {
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

/// The digest of a row.
pub(crate) fn digest_of(
    sequence: i64,
    at: &str,
    kind: &str,
    detail: &str,
    previous: &str,
) -> String {
    let text = json!([sequence, at, kind, detail, previous]).to_string();
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl AuditEntry {
    /// Writes it at the end of the chain, in the last statement of its write or before that.
    pub(crate) async fn append(
        &self,
        transaction: &mut WriteTransaction,
        now: SystemTime,
        is_last: bool,
    ) -> Result<AuditMark, sqlx::Error> {
        let last = sqlx::query_as(sql::AUDIT_LAST)
            .fetch_optional(&mut *transaction)
            .await?;
        self.append_after(transaction, last, now, is_last).await
    }

    /// Writes it behind the last row, which was read in the same transaction; none where there is
    /// none.
    pub(crate) async fn append_after(
        &self,
        transaction: &mut WriteTransaction,
        last: Option<AuditMark>,
        now: SystemTime,
        is_last: bool,
    ) -> Result<AuditMark, sqlx::Error> {
        let last = match last {
            Some(last) => last,
            None => anchor(&mut *transaction).await?,
        };
        let row = self.row_after(&last, now);
        row.bound(sqlx::query(sql::AUDIT_ADD))
            .execute(transaction.last(is_last))
            .await?;
        transaction.audit_ends_at(Some(row.mark.clone()));
        Ok(row.mark)
    }

    /// The row that it is behind this one.
    pub(crate) fn row_after(&self, last: &AuditMark, now: SystemTime) -> NewAuditRow<'_> {
        let (at, kind) = (time::text_of(now), self.kind.as_str());
        let sequence = last.sequence + 1;
        let digest = digest_of(sequence, &at, kind, &self.detail, &last.digest);
        NewAuditRow {
            mark: AuditMark { sequence, digest },
            at,
            entry: self,
            previous: last.digest.clone(),
        }
    }
}

/// An entry at its place in the chain.
pub(crate) struct NewAuditRow<'a> {
    pub(crate) mark: AuditMark,
    at: String,
    entry: &'a AuditEntry,
    previous: String,
}

impl NewAuditRow<'_> {
    /// Binds its columns behind what is bound.
    pub(crate) fn bound<'q>(
        &'q self,
        query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        query
            .bind(self.mark.sequence)
            .bind(&self.at)
            .bind(self.entry.kind.as_str())
            .bind(&self.entry.detail)
            .bind(&self.previous)
            .bind(&self.mark.digest)
    }
}

/// The last row that was forgotten.
pub(crate) async fn anchor<'c>(
    executor: impl SqliteExecutor<'c>,
) -> Result<AuditMark, sqlx::Error> {
    let anchor = sqlx::query_as(sql::AUDIT_ANCHOR)
        .fetch_optional(executor)
        .await?;
    Ok(anchor.unwrap_or_else(AuditMark::origin))
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
