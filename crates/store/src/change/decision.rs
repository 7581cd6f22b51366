//! What becomes of a proposal: it is carried out, withdrawn or declined, or its time is over.

use std::time::SystemTime;

use super::records::{self, KeptRecord};
use super::transition::{ChangeStep, not_allowed};
use super::{ChangeError, ChangeId, ChangedRecord, OpenChange, keys};
use crate::journal::SharedWrite;
use crate::write_transaction::WriteTransaction;
use crate::{ChangeState, Store, StoreError, sql, time};

impl Store {
    /// Records that a proposal is about to be sent, decided by somebody, with its records as they
    /// are now. Of two who decide at once one is told so.
    ///
    /// # Errors
    /// [`ChangeError::NotAllowed`] when it waits no more, [`ChangeError::TooLate`] when its time is
    /// over: nothing is to be sent then.
    pub async fn begin_proposed_change(
        &self,
        id: ChangeId,
        decided_by: &str,
        records: Vec<ChangedRecord>,
        now: SystemTime,
    ) -> Result<OpenChange, ChangeError> {
        let begun = self.share_write(BeginProposed {
            store: self.clone(),
            process: self.process_name(),
            id,
            decided_by: decided_by.to_owned(),
            records,
            now,
        });
        let mut open = begun.await?;
        open.was_handed_out();
        Ok(open)
    }

    /// Records that a proposal is not to be, by whom and why; a key that it had is free again.
    ///
    /// # Errors
    /// [`ChangeError::NotAllowed`] when it waits no more.
    pub async fn withdraw_change(
        &self,
        id: ChangeId,
        decided_by: &str,
        reason: Option<&str>,
        now: SystemTime,
    ) -> Result<(), ChangeError> {
        self.share_write(Withdraw {
            id,
            decided_by: decided_by.to_owned(),
            reason: reason.map(str::to_owned),
            now,
        })
        .await
    }

    /// Ends the proposals whose time is over, and answers how many.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn expire_proposals(&self, now: SystemTime) -> Result<u64, StoreError> {
        // by the connection that is open from the start, which what follows needs anyway
        let mut writer = self.writer().lend().await?;
        let ended = sqlx::query_scalar(sql::CHANGES_EXPIRED)
            .bind(time::text_of(now))
            .fetch_all(&mut *writer)
            .await;
        let ended: Vec<i64> = writer.finish(ended)?;
        let mut count = 0;
        for id in ended.into_iter().map(ChangeId) {
            match self.share_write(Expire { id, now }).await {
                Ok(()) => count += 1,
                // Somebody decided it at the last moment.
                Err(ChangeError::NotAllowed { .. } | ChangeError::Missing(_)) => {}
                Err(ChangeError::Store(error)) => return Err(error),
                Err(other) => return Err(StoreError::Failed(other.into())),
            }
        }
        Ok(count)
    }
}

struct BeginProposed {
    store: Store,
    process: String,
    id: ChangeId,
    decided_by: String,
    records: Vec<ChangedRecord>,
    now: SystemTime,
}

impl SharedWrite for BeginProposed {
    type Answer = OpenChange;
    type Error = ChangeError;

    /// Whoever does not wait for it sends nothing.
    const IS_LEFT_OUT_WHEN_DROPPED: bool = true;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<OpenChange, ChangeError>, sqlx::Error> {
        let records = records::within_limits(&self.records);
        let transition = ChangeStep {
            bytes: records.iter().map(KeptRecord::bytes).sum(),
            decided_by: Some(&self.decided_by),
            process: Some(&self.process),
            ..ChangeStep::new(self.id, ChangeState::Sent, self.now)
        };
        let Some(stepped) = transition.make(transaction).await? else {
            return not_allowed(transaction, &transition).await.map(Err);
        };
        if let Some(at) = stepped.expires_at()?
            && at <= time::text_of(self.now)
        {
            return Ok(Err(ChangeError::TooLate { id: self.id, at }));
        }
        for record in &records {
            let connector = stepped.connector()?;
            record
                .insert(transaction, self.id, connector, false)
                .await?;
        }
        stepped.audit(transaction, &records, true).await?;
        Ok(Ok(OpenChange::new(self.store.clone(), self.id, true, None)))
    }

    fn was_kept(answer: &mut OpenChange) {
        answer.was_kept();
    }
}

struct Withdraw {
    id: ChangeId,
    decided_by: String,
    reason: Option<String>,
    now: SystemTime,
}

impl SharedWrite for Withdraw {
    type Answer = ();
    type Error = ChangeError;

    const IS_LEFT_OUT_WHEN_DROPPED: bool = false;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<(), ChangeError>, sqlx::Error> {
        let transition = ChangeStep {
            message: self.reason.as_deref(),
            decided_by: Some(&self.decided_by),
            ..ChangeStep::new(self.id, ChangeState::Withdrawn, self.now)
        };
        end_proposal(transaction, &transition).await
    }
}

struct Expire {
    id: ChangeId,
    now: SystemTime,
}

impl SharedWrite for Expire {
    type Answer = ();
    type Error = ChangeError;

    const IS_LEFT_OUT_WHEN_DROPPED: bool = true;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<(), ChangeError>, sqlx::Error> {
        let transition = ChangeStep::new(self.id, ChangeState::Expired, self.now);
        end_proposal(transaction, &transition).await
    }
}

async fn end_proposal(
    transaction: &mut WriteTransaction,
    proposal: &ChangeStep<'_>,
) -> Result<Result<(), ChangeError>, sqlx::Error> {
    let Some(stepped) = proposal.make(transaction).await? else {
        return not_allowed(transaction, proposal).await.map(Err);
    };
    keys::free(transaction, proposal.id, false).await?;
    stepped.audit(transaction, &[], true).await?;
    Ok(Ok(()))
}
