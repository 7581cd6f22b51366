//! The beginning of a change: recorded before anything is sent, unless its caller's key is known.

use std::time::{Duration, SystemTime};

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Row as _, Sqlite};

use super::audited::AuditedChange;
use super::keys::{self, KeyRow};
use super::records::{self, KeptRecord};
use super::transition::ChangeStep;
use super::{
    ChangeError, ChangeId, KnownCall, MAX_CHANGE_ARGUMENTS, MAX_CHANGED_RECORDS, MAX_REQUEST,
    NewChange, OpenChange,
};
use crate::joined_text::{JoinedValues, KnownTexts};
use crate::journal::SharedWrite;
use crate::write_transaction::{StatementStep, WriteTransaction};
use crate::{ChangeState, Store, StoreError, sql, time};

/// What to do with a change.
#[derive(Debug)]
pub enum BegunChange {
    /// It is recorded: send it, and say how it ended.
    Open(OpenChange),
    /// A call under its key was made before.
    Known(KnownCall),
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProposedChange {
    /// It waits for a decision.
    Waiting(ChangeId),
    /// A call under its key was made before.
    Known(KnownCall),
}

/// What a change has while it waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// How long it waits.
    pub life: Duration,
    /// What carrying it out needs, whole. It is dropped when the change is carried out or ends.
    pub request: String,
}

impl Store {
    /// Records that a change is about to be sent, unless its key is known. When this answers, that
    /// survives a crash of the process and of the machine.
    ///
    /// # Errors
    /// [`ChangeError`]: nothing is to be sent then.
    pub async fn begin_change(
        &self,
        change: NewChange,
        now: SystemTime,
    ) -> Result<BegunChange, ChangeError> {
        check(&change)?;
        let begun = self.share_write(BeginChange {
            store: self.clone(),
            process: self.process_name(),
            change,
            now,
        });
        let mut begun = begun.await?;
        if let BegunChange::Open(open) = &mut begun {
            open.was_handed_out();
        }
        Ok(begun)
    }

    /// Records a change that waits for a decision, unless its key is known.
    ///
    /// # Errors
    /// [`ChangeError`]; nothing waits then.
    pub async fn propose_change(
        &self,
        change: NewChange,
        proposal: Proposal,
        now: SystemTime,
    ) -> Result<ProposedChange, ChangeError> {
        check(&change)?;
        limit(
            "the bytes of the proposal",
            proposal.request.len(),
            MAX_REQUEST,
        )?;
        self.share_write(ProposeChange {
            key_calls: self.kept_calls(),
            change,
            proposal,
            now,
        })
        .await
    }
}

/// Adds a change that is done with the transaction that it is added in; nobody sees it before.
pub(crate) async fn add_done_change(
    transaction: &mut WriteTransaction,
    change: &NewChange,
) -> Result<(), StoreError> {
    let refused = |error: ChangeError| match error {
        ChangeError::Store(error) => error,
        other => StoreError::Failed(other.into()),
    };
    check(change).map_err(refused)?;
    let now = SystemTime::now();
    let insertion = Insertion {
        change,
        now,
        key_calls: 0,
        process: None,
        proposal: None,
        is_all: false,
    };
    match insertion.insert(transaction).await? {
        Inserted::New(id) => {
            let done = ChangeStep::new(id, ChangeState::Done, now);
            let records = records::within_limits(&change.records);
            if let Some(stepped) = done.make(transaction).await? {
                stepped.audit(transaction, &records, false).await?;
            }
            Ok(())
        }
        Inserted::Known(_) => Ok(()),
        Inserted::Refused(error) => Err(refused(error)),
    }
}

struct BeginChange {
    store: Store,
    process: String,
    change: NewChange,
    now: SystemTime,
}

impl SharedWrite for BeginChange {
    type Answer = BegunChange;
    type Error = ChangeError;

    /// Whoever does not wait for it sends nothing.
    const IS_LEFT_OUT_WHEN_DROPPED: bool = true;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<BegunChange, ChangeError>, sqlx::Error> {
        Ok(match self.insertion().insert(transaction).await? {
            Inserted::New(id) => Ok(self.begun(id)),
            Inserted::Known(known) => Ok(BegunChange::Known(known)),
            Inserted::Refused(error) => Err(error),
        })
    }

    fn known_texts(&self) -> KnownTexts {
        let change = &self.change;
        let asks_first = change.key.is_some() || change.undoes.is_some();
        match change.records.as_slice() {
            _ if asks_first => &[],
            [] => &[sql::CHANGE_ADD],
            [_] => &[sql::CHANGE_ADD_WITH_RECORD],
            // The others need the number of the change.
            [..] => &[],
        }
    }

    fn bind_known(&self, values: &mut JoinedValues) -> Result<bool, sqlx::Error> {
        let records = records::within_limits(&self.change.records);
        let insertion = self.insertion();
        values.bind(|query| insertion.bound(query, &records))?;
        Ok(true)
    }

    fn known_answer(&self, given: &[StatementStep]) -> Result<Option<BegunChange>, sqlx::Error> {
        let row = given.iter().find_map(|step| step.as_ref().right());
        let id = row.map(|row| row.try_get(0)).transpose()?;
        Ok(id.map(|id| self.begun(ChangeId(id))))
    }

    fn was_kept(answer: &mut BegunChange) {
        if let BegunChange::Open(open) = answer {
            open.was_kept();
        }
    }
}

impl BeginChange {
    fn insertion(&self) -> Insertion<'_> {
        Insertion {
            change: &self.change,
            now: self.now,
            key_calls: self.store.kept_calls(),
            process: Some(&self.process),
            proposal: None,
            is_all: true,
        }
    }

    fn begun(&self, id: ChangeId) -> BegunChange {
        let audited = AuditedChange::of(&self.change).with_records(&self.change);
        BegunChange::Open(OpenChange::new(
            self.store.clone(),
            id,
            self.change.key.is_some(),
            Some(Box::new(audited)),
        ))
    }
}

struct ProposeChange {
    key_calls: u32,
    change: NewChange,
    proposal: Proposal,
    now: SystemTime,
}

impl SharedWrite for ProposeChange {
    type Answer = ProposedChange;
    type Error = ChangeError;

    const IS_LEFT_OUT_WHEN_DROPPED: bool = true;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<ProposedChange, ChangeError>, sqlx::Error> {
        let insertion = Insertion {
            change: &self.change,
            now: self.now,
            key_calls: self.key_calls,
            process: None,
            proposal: Some(&self.proposal),
            is_all: true,
        };
        Ok(match insertion.insert(transaction).await? {
            Inserted::New(id) => Ok(ProposedChange::Waiting(id)),
            Inserted::Known(known) => Ok(ProposedChange::Known(known)),
            Inserted::Refused(error) => Err(error),
        })
    }
}

/// A row that is to be.
struct Insertion<'a> {
    change: &'a NewChange,
    now: SystemTime,
    key_calls: u32,
    process: Option<&'a str>,
    proposal: Option<&'a Proposal>,
    /// Whether nothing else is written in its write.
    is_all: bool,
}

enum Inserted {
    New(ChangeId),
    Known(KnownCall),
    Refused(ChangeError),
}

impl Insertion<'_> {
    async fn insert(&self, transaction: &mut WriteTransaction) -> Result<Inserted, sqlx::Error> {
        let change = self.change;
        if let Some(key) = &change.key {
            keys::forget_old(transaction, self.now).await?;
            let known = keys::known(
                &mut *transaction,
                &change.caller,
                key,
                &change.fingerprint,
                self.now,
            )
            .await?;
            if let Some(known) = known {
                return Ok(Inserted::Known(known));
            }
            if !keys::has_room(transaction, &key.room, self.key_calls).await? {
                return Ok(Inserted::Refused(ChangeError::KeysFull(self.key_calls)));
            }
        }
        if let Some(by) = self.undone_meanwhile(transaction).await? {
            return Ok(Inserted::Refused(by));
        }
        let records = records::within_limits(&change.records);
        let is_last_row = self.is_all && self.proposal.is_none() && change.key.is_none();
        let is_last = is_last_row && records.len() <= 1;
        let id = self.insert_row(transaction, &records, is_last).await?;
        for (place, record) in records.iter().enumerate().skip(1) {
            let is_last = is_last_row && place + 1 == records.len();
            record
                .insert(transaction, id, &change.connector, is_last)
                .await?;
        }
        if self.proposal.is_some() {
            let audited = AuditedChange::of(change);
            let step = audited.step(id, ChangeState::Proposed, None);
            let named = records.iter().map(KeptRecord::kind_and_id);
            let is_last = self.is_all && change.key.is_none();
            step.append(transaction, named, self.now, is_last).await?;
        }
        if let Some(key) = &change.key {
            let row = KeyRow {
                caller: &change.caller,
                fingerprint: &change.fingerprint,
                key,
                change: id,
            };
            row.insert(transaction, self.now, self.is_all).await?;
        }
        Ok(Inserted::New(id))
    }

    /// Two that undo the same at once would make it again twice.
    async fn undone_meanwhile(
        &self,
        transaction: &mut WriteTransaction,
    ) -> Result<Option<ChangeError>, sqlx::Error> {
        let (Some(undone), Some(planned)) = (self.change.undoes, &self.change.planned) else {
            return Ok(None);
        };
        let by: Vec<i64> = sqlx::query_scalar(sql::CHANGE_UNDONE_SINCE)
            .bind(undone.number())
            .bind(planned.step)
            .fetch_all(transaction)
            .await?;
        let mut by = by.into_iter().map(ChangeId);
        let by = by.find(|by| !planned.own.contains(by));
        Ok(by.map(|by| ChangeError::UndoneMeanwhile { undone, by }))
    }

    async fn insert_row(
        &self,
        transaction: &mut WriteTransaction,
        records: &[KeptRecord<'_>],
        is_last: bool,
    ) -> Result<ChangeId, sqlx::Error> {
        let statement = match records.first() {
            Some(_) => sql::CHANGE_ADD_WITH_RECORD,
            None => sql::CHANGE_ADD,
        };
        let query = self.bound(sqlx::query(statement), records);
        // All rows of both statements: the number of the change is the only one.
        let rows = query.fetch_all(transaction.last(is_last)).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(ChangeId(row.try_get(0)?))
    }

    /// Binds its row, with the first of these records where there is one.
    fn bound<'q>(
        &'q self,
        query: Query<'q, Sqlite, SqliteArguments>,
        records: &'q [KeptRecord<'_>],
    ) -> Query<'q, Sqlite, SqliteArguments> {
        let change = self.change;
        let state = match self.proposal {
            Some(_) => ChangeState::Proposed,
            None => ChangeState::Sent,
        };
        let ends = self
            .proposal
            .map(|proposal| time::text_after(self.now, proposal.life));
        let images: usize = records.iter().map(KeptRecord::bytes).sum();
        let request = self.proposal.map(|proposal| proposal.request.as_str());
        let size = change.arguments.len() + images + request.map_or(0, str::len);
        let query = query
            .bind(time::text_of(self.now))
            .bind(state.as_str())
            .bind(&change.door)
            .bind(&change.caller)
            .bind(&change.client)
            .bind(&change.client_version)
            .bind(&change.connector)
            .bind(&change.address)
            .bind(&change.account)
            .bind(&change.tool)
            .bind(&change.effect)
            .bind(&change.fingerprint)
            .bind(change.undoes.map(ChangeId::number))
            .bind(ends)
            .bind(self.process)
            .bind(i64::try_from(size).unwrap_or(i64::MAX))
            .bind(&change.arguments)
            .bind(request);
        match records.first() {
            Some(record) => record.bound(query),
            None => query,
        }
    }
}

fn check(change: &NewChange) -> Result<(), ChangeError> {
    limit(
        "the bytes of its arguments",
        change.arguments.len(),
        MAX_CHANGE_ARGUMENTS,
    )?;
    limit("its records", change.records.len(), MAX_CHANGED_RECORDS)
}

fn limit(what: &'static str, size: usize, most: usize) -> Result<(), ChangeError> {
    match size > most {
        true => Err(ChangeError::TooLarge { what, size, most }),
        false => Ok(()),
    }
}
