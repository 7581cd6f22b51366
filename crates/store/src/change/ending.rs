//! The end of a change that was sent: told by whoever sent it, or for one that was dropped, or
//! found out later.

use std::time::SystemTime;

use super::audited::AuditedChange;
use super::records::{self, KeptRecord};
use super::transition::{ChangeStep, not_allowed};
use super::{ChangeError, ChangeId, ChangedRecord, MAX_CHANGED_RECORDS, MAX_IMAGE, keys};
use crate::audit_chain::AuditEntry;
use crate::joined_text::{JoinedValues, KnownTexts};
use crate::journal::SharedWrite;
use crate::write_transaction::{StatementStep, WriteTransaction};
use crate::{ChangeOutcome, Store, sql};

/// The texts of an end by which several may go together: the step, and each of its records. An end
/// with more records is a text for each by itself.
const KNOWN_ENDING: KnownTexts = &[
    sql::CHANGE_STEP_AUDITED,
    sql::CHANGE_RECORD_ADD,
    sql::CHANGE_RECORD_ADD,
];

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeEnd {
    /// What became of it.
    pub outcome: ChangeOutcome,
    /// Why it failed, or why nobody knows.
    pub message: Option<String>,
    /// What is answered when the same call is made again under its key.
    pub answer: Option<String>,
    /// The records as they are now, as far as that is known.
    pub records: Vec<ChangedRecord>,
    /// What undoing it needs beside its records; larger than an image, it is left out.
    pub undo_values: Option<String>,
}

impl ChangeEnd {
    /// Leaves out the records beyond those that a change may have, and says so.
    fn leave_out_too_many(&mut self) {
        let more = self.records.len().saturating_sub(MAX_CHANGED_RECORDS);
        self.records.truncate(MAX_CHANGED_RECORDS);
        if more > 0 {
            let message = self.message.get_or_insert_default();
            message.push_str(&format!(" ({more} more records are not kept)"));
        }
    }
}

/// A change that is being sent. Dropped before its end is told, as when its call is cancelled, it
/// is recorded that nobody knows how it ended.
#[derive(Debug)]
pub struct OpenChange {
    store: Store,
    id: ChangeId,
    has_key: bool,
    stage: Stage,
    /// What the audit will say of it; none where that is to be read.
    audited: Option<Box<AuditedChange>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// It is written, but not yet on the disk.
    Written,
    /// It is on the disk; nobody has it yet, so nothing is sent.
    Kept,
    /// Whoever sends it has it.
    HandedOut,
    /// Its end was told.
    Ended,
}

impl OpenChange {
    pub(super) fn new(
        store: Store,
        id: ChangeId,
        has_key: bool,
        audited: Option<Box<AuditedChange>>,
    ) -> OpenChange {
        OpenChange {
            store,
            id,
            has_key,
            stage: Stage::Written,
            audited,
        }
    }

    pub(super) fn was_kept(&mut self) {
        self.stage = Stage::Kept;
    }

    pub(super) fn was_handed_out(&mut self) {
        self.stage = Stage::HandedOut;
    }

    /// The number of the change.
    pub fn id(&self) -> ChangeId {
        self.id
    }

    /// Records how it ended. That is written even if the call is dropped meanwhile.
    ///
    /// # Errors
    /// [`ChangeError`] when it could not be recorded; the change then stays `sent`, and is
    /// `unknown` once this process ended.
    pub async fn end(mut self, end: ChangeEnd, now: SystemTime) -> Result<(), ChangeError> {
        self.stage = Stage::Ended;
        let write = EndChange {
            id: self.id,
            may_have_key: self.has_key,
            end,
            now,
            audited: self.audited.take(),
        };
        self.store.share_write(write).await
    }
}

impl Drop for OpenChange {
    fn drop(&mut self) {
        let (outcome, message) = match self.stage {
            Stage::Written | Stage::Ended => return,
            Stage::Kept => (
                ChangeOutcome::Failed,
                "the call was taken back before anything was sent",
            ),
            Stage::HandedOut => (
                ChangeOutcome::Unknown,
                "the call was taken back before its end was known",
            ),
        };
        self.store.write_later(EndChange {
            id: self.id,
            may_have_key: self.has_key,
            end: ChangeEnd {
                outcome,
                message: Some(message.to_owned()),
                answer: None,
                records: Vec::new(),
                undo_values: None,
            },
            now: SystemTime::now(),
            audited: self.audited.take(),
        });
    }
}

impl Store {
    /// Records how a change ended of which nobody knew.
    ///
    /// # Errors
    /// [`ChangeError::NotAllowed`] when it is not `unknown`, or its end is not known now either.
    pub async fn resolve_change(
        &self,
        id: ChangeId,
        end: ChangeEnd,
        now: SystemTime,
    ) -> Result<(), ChangeError> {
        self.share_write(EndChange {
            id,
            may_have_key: true,
            end,
            now,
            audited: None,
        })
        .await
    }
}

struct EndChange {
    id: ChangeId,
    may_have_key: bool,
    end: ChangeEnd,
    now: SystemTime,
    audited: Option<Box<AuditedChange>>,
}

impl SharedWrite for EndChange {
    type Answer = ();
    type Error = ChangeError;

    const IS_LEFT_OUT_WHEN_DROPPED: bool = false;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<(), ChangeError>, sqlx::Error> {
        self.end.leave_out_too_many();
        let records = records::within_limits(&self.end.records);
        let transition = self.transition(&records);
        let is_all = records.is_empty() && !self.may_have_key;
        let audited = match &self.audited {
            Some(audited) => {
                let entry = self.entry(audited, &records);
                let is_made = transition.make_with(&entry, transaction, is_all).await?;
                is_made.then_some(audited)
            }
            None => None,
        };
        if let Some(audited) = audited {
            self.add_rest(transaction, &records, &audited.connector, true)
                .await?;
            return Ok(Ok(()));
        }
        let Some(stepped) = transition.make(transaction).await? else {
            return not_allowed(transaction, &transition).await.map(Err);
        };
        self.add_rest(transaction, &records, stepped.connector()?, false)
            .await?;
        stepped.audit(transaction, &records, true).await?;
        Ok(Ok(()))
    }

    fn known_texts(&self) -> KnownTexts {
        match self.audited.is_some() && !self.may_have_key {
            true => KNOWN_ENDING.get(..=self.end.records.len()),
            false => None,
        }
        .unwrap_or_default()
    }

    fn bind_known(&self, values: &mut JoinedValues) -> Result<bool, sqlx::Error> {
        let (Some(audited), Some(end)) = (&self.audited, values.audit_end.take()) else {
            return Ok(false);
        };
        let records = records::within_limits(&self.end.records);
        let transition = self.transition(&records);
        let entry = self.entry(audited, &records);
        let row = entry.row_after(&end, self.now);
        values.bind(|query| transition.bound_with(&row, &end, query))?;
        for record in &records {
            values.bind(|query| record.bound_to(self.id, &audited.connector, query))?;
        }
        values.audit_end = Some(row.mark);
        Ok(true)
    }

    fn known_answer(&self, given: &[StatementStep]) -> Result<Option<()>, sqlx::Error> {
        let step = given.first().and_then(|step| step.as_ref().left());
        let is_made = step.is_some_and(|step| step.rows_affected() == 1);
        Ok(is_made.then_some(()))
    }
}

impl EndChange {
    fn transition(&self, records: &[KeptRecord<'_>]) -> ChangeStep<'_> {
        let end = &self.end;
        let undo_values = end
            .undo_values
            .as_deref()
            .filter(|values| values.len() <= MAX_IMAGE);
        let images: usize = records.iter().map(KeptRecord::bytes).sum();
        ChangeStep {
            message: end.message.as_deref(),
            undo_values,
            bytes: images + undo_values.map_or(0, str::len),
            ..ChangeStep::new(self.id, end.outcome.into(), self.now)
        }
    }

    fn entry(&self, audited: &AuditedChange, records: &[KeptRecord<'_>]) -> AuditEntry {
        let message = self.end.message.as_deref();
        let step = audited.step(self.id, self.end.outcome.into(), message);
        step.entry(records.iter().map(KeptRecord::kind_and_id))
    }

    /// Adds its records, and what is remembered under its key.
    async fn add_rest(
        &self,
        transaction: &mut WriteTransaction,
        records: &[KeptRecord<'_>],
        connector: &str,
        is_last: bool,
    ) -> Result<(), sqlx::Error> {
        let is_last_record = is_last && !self.may_have_key;
        for (place, record) in records.iter().enumerate() {
            let is_last = is_last_record && place + 1 == records.len();
            record
                .insert(transaction, self.id, connector, is_last)
                .await?;
        }
        if !self.may_have_key {
            return Ok(());
        }
        match self.end.outcome {
            ChangeOutcome::Done => {
                keys::answer(transaction, self.id, self.end.answer.as_deref(), is_last).await
            }
            ChangeOutcome::Failed => keys::free(transaction, self.id, is_last).await,
            ChangeOutcome::Unknown => Ok(()),
        }
    }
}
