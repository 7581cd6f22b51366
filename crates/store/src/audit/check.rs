//! The check of the chain: every digest computed again, and every row held against the one before.

use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::AT_ONCE;
use crate::audit_chain::{anchor, digest_of};
use crate::audit_mark::AuditMark;
use crate::{Store, StoreError, sql};

/// What a check of the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// The last row that was forgotten for its age, from which the chain goes on; sequence 0 when
    /// none was.
    pub anchor: AuditMark,
    /// Rows that were found to be as they were written.
    pub rows: u64,
    /// The last of them: kept elsewhere, it proves later that none was taken away.
    pub last: AuditMark,
    /// Where the chain breaks first.
    pub broken: Option<AuditBreak>,
}

/// Where a chain breaks, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditBreak {
    /// The row.
    pub sequence: i64,
    /// What is wrong with it.
    pub why: String,
}

impl Store {
    /// Looks whether the chain is whole, and whether it still holds a row that is known from
    /// before. Writes go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn verify_audit(&self, known: Option<&AuditMark>) -> Result<AuditCheck, StoreError> {
        let mut reader = self.scanners().lend().await?;
        let checked = check(&mut reader, known).await;
        reader.finish(checked)
    }
}

async fn check(
    connection: &mut SqliteConnection,
    known: Option<&AuditMark>,
) -> Result<AuditCheck, sqlx::Error> {
    // All statements see the same rows.
    sqlx::query(sql::BEGIN_READ)
        .execute(&mut *connection)
        .await?;
    let anchor = anchor(&mut *connection).await?;
    let mut check = AuditCheck {
        last: anchor.clone(),
        anchor,
        rows: 0,
        broken: None,
    };
    check.compare(known);
    while check.broken.is_none() {
        let rows = sqlx::query(sql::AUDIT_ROWS)
            .bind(check.last.sequence)
            .bind("")
            .bind(AT_ONCE)
            .fetch_all(&mut *connection)
            .await?;
        if rows.is_empty() {
            check.expect_known(known);
            break;
        }
        for row in rows {
            check.next(&row)?;
            check.compare(known);
            if check.broken.is_some() {
                break;
            }
        }
    }
    sqlx::query(sql::COMMIT).execute(&mut *connection).await?;
    Ok(check)
}

impl AuditCheck {
    fn breaks(&mut self, sequence: i64, why: impl Into<String>) {
        self.broken.get_or_insert(AuditBreak {
            sequence,
            why: why.into(),
        });
    }

    /// Holds the next row against the one before.
    fn next(&mut self, row: &SqliteRow) -> Result<(), sqlx::Error> {
        let sequence: i64 = row.try_get("sequence")?;
        let expected = self.last.sequence + 1;
        let previous: &str = row.try_get("previous")?;
        let digest: &str = row.try_get("digest")?;
        let computed = digest_of(
            sequence,
            row.try_get("at")?,
            row.try_get("kind")?,
            row.try_get("detail")?,
            previous,
        );
        if sequence != expected {
            self.breaks(sequence, format!("row {expected} is missing before it"));
        } else if computed != digest {
            self.breaks(sequence, "it is not as it was written");
        } else if previous != self.last.digest {
            self.breaks(sequence, "it does not follow the row before it");
        } else {
            self.rows += 1;
            self.last = AuditMark {
                sequence,
                digest: digest.to_owned(),
            };
        }
        Ok(())
    }

    /// Holds the row that was reached against what is known of it.
    fn compare(&mut self, known: Option<&AuditMark>) {
        if let Some(known) = known
            && known.sequence == self.last.sequence
            && known.digest != self.last.digest
        {
            self.breaks(
                known.sequence,
                "it is another one than the one that is known",
            );
        }
    }

    fn expect_known(&mut self, known: Option<&AuditMark>) {
        if let Some(known) = known
            && known.sequence > self.last.sequence
        {
            let why = format!("the rows after {} are missing", self.last.sequence);
            self.breaks(known.sequence, why);
        }
    }
}
