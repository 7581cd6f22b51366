//! A place in the chain of the audit, and what it was then.

use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

/// A place in the chain, and what it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditMark {
    /// The sequence of a row.
    pub sequence: i64,
    /// Its digest.
    pub digest: String,
}

impl AuditMark {
    /// Reads what [`Self::text`] gives.
    pub(crate) fn parse(text: &str) -> Option<AuditMark> {
        let (sequence, digest) = text.split_once(':')?;
        Some(AuditMark {
            sequence: sequence.parse().ok()?,
            digest: digest.to_owned(),
        })
    }

    /// The text for it in statements: `SEQUENCE:DIGEST`.
    pub(crate) fn text(&self) -> String {
        format!("{}:{}", self.sequence, self.digest)
    }

    /// Before the first row.
    pub(crate) fn origin() -> AuditMark {
        AuditMark {
            sequence: 0,
            digest: "0".repeat(64),
        }
    }
}

impl FromRow<'_, SqliteRow> for AuditMark {
    fn from_row(row: &SqliteRow) -> Result<AuditMark, sqlx::Error> {
        Ok(AuditMark {
            sequence: row.try_get("sequence")?,
            digest: row.try_get("digest")?,
        })
    }
}
