//! A change that comes into another state: the one statement that does so, where the table of
//! states allows it.

use std::time::SystemTime;

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite};

use super::records::KeptRecord;
use super::{ChangeError, ChangeId};
use crate::audit_chain::{AuditEntry, AuditedStep, NewAuditRow};
use crate::audit_mark::AuditMark;
use crate::write_transaction::WriteTransaction;
use crate::{ChangeState, sql, time};

/// A step of one change.
pub(super) struct ChangeStep<'a> {
    pub(super) id: ChangeId,
    pub(super) to: ChangeState,
    pub(super) now: SystemTime,
    pub(super) message: Option<&'a str>,
    /// Bytes that are kept of it beside those that were.
    pub(super) bytes: usize,
    /// Who decided it.
    pub(super) decided_by: Option<&'a str>,
    /// The process that carries it out from now on.
    pub(super) process: Option<&'a str>,
    /// What undoing it needs beside its records.
    pub(super) undo_values: Option<&'a str>,
}

/// A change that came into another state, which the audit is still to say.
pub(super) struct Stepped {
    row: SqliteRow,
    at: SystemTime,
}

impl ChangeStep<'_> {
    pub(super) fn new(id: ChangeId, to: ChangeState, now: SystemTime) -> Self {
        ChangeStep {
            id,
            to,
            now,
            message: None,
            bytes: 0,
            decided_by: None,
            process: None,
            undo_values: None,
        }
    }

    /// Makes the step; none when it is not allowed.
    pub(super) async fn make(
        &self,
        transaction: &mut WriteTransaction,
    ) -> Result<Option<Stepped>, sqlx::Error> {
        let row = self
            .bound(sqlx::query(sql::CHANGE_STEP))
            .fetch_optional(transaction)
            .await?;
        Ok(row.map(|row| Stepped { row, at: self.now }))
    }

    /// Makes the step with its entry of the audit, by one text, where the end of the audit is the
    /// one that was seen last; false where nothing is changed, as the audit ends elsewhere or the
    /// step is not allowed.
    pub(super) async fn make_with(
        &self,
        entry: &AuditEntry,
        transaction: &mut WriteTransaction,
        is_last: bool,
    ) -> Result<bool, sqlx::Error> {
        let Some(end) = transaction.audit_end() else {
            return Ok(false);
        };
        let row = entry.row_after(end, self.now);
        let query = self.bound_with(&row, end, sqlx::query(sql::CHANGE_STEP_AUDITED));
        let changed = query.execute(transaction.last(is_last)).await?;
        if changed.rows_affected() == 0 {
            transaction.begin_again();
            return Ok(false);
        }
        transaction.audit_ends_at(Some(row.mark));
        Ok(true)
    }

    /// Binds it with its row of the audit, which goes behind this end.
    pub(super) fn bound_with<'q>(
        &'q self,
        row: &'q NewAuditRow<'_>,
        end: &AuditMark,
        query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        row.bound(self.bound(query).bind(end.text()))
    }

    fn bound<'q>(
        &'q self,
        query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        let mut from = self.to.comes_from().iter().map(|state| state.as_str());
        let first = from.next();
        let now = time::text_of(self.now);
        query
            .bind(self.id.number())
            .bind(self.to.as_str())
            .bind((self.to != ChangeState::Sent).then(|| now.clone()))
            .bind(self.message)
            .bind(i64::try_from(self.bytes).unwrap_or(i64::MAX))
            .bind(first)
            .bind(from.next().or(first))
            .bind(self.decided_by)
            .bind(self.decided_by.map(|_| now))
            .bind(self.process)
            .bind(self.undo_values)
    }
}

impl Stepped {
    pub(super) fn connector(&self) -> Result<&str, sqlx::Error> {
        self.row.try_get("connector")
    }

    /// When it ends, or would have ended, as a proposal.
    pub(super) fn expires_at(&self) -> Result<Option<String>, sqlx::Error> {
        self.row.try_get("expires_at")
    }

    /// Writes the step into the audit with the records that it is about, in the last statement of
    /// its write or before that. The audit must have got no other entry since the step.
    pub(super) async fn audit(
        self,
        transaction: &mut WriteTransaction,
        records: &[KeptRecord<'_>],
        is_last: bool,
    ) -> Result<(), sqlx::Error> {
        let named = records.iter().map(KeptRecord::kind_and_id);
        let step = AuditedStep::of_row(&self.row)?;
        step.append(transaction, named, self.at, is_last).await
    }
}

/// Why a step was not allowed.
pub(super) async fn not_allowed(
    transaction: &mut WriteTransaction,
    transition: &ChangeStep<'_>,
) -> Result<ChangeError, sqlx::Error> {
    let (id, to) = (transition.id, transition.to);
    let state: Option<String> = sqlx::query_scalar(sql::CHANGE_STATE)
        .bind(id.number())
        .fetch_optional(transaction)
        .await?;
    Ok(match state {
        None => ChangeError::Missing(id),
        Some(state) => ChangeError::NotAllowed {
            id,
            from: ChangeState::decode(&state)?,
            to,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_has_a_place_for_every_state_before() {
        for state in ChangeState::ALL {
            assert!(state.comes_from().len() <= 2, "{state}");
        }
    }
}
