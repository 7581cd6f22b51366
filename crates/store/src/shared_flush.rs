//! The writer of the journal: takes all that wait into one transaction, each behind a savepoint of
//! its own, and tells each its end once the disk has it.
//!
//! It is a task of its own, so that a call that is dropped takes nothing of others with it: what it
//! queued is written or left out whole.

use tokio::runtime::Handle;

use crate::journal::{JournalTurn, QueuedWrite, SharedWrite};
use crate::write::Write;
use crate::{Store, StoreError};

/// So many writes share a transaction at most.
const MOST_TOGETHER: usize = 64;

/// What became of one write inside the transaction.
enum Written {
    Kept,
    Refused,
    /// The database refused it; the others are not touched by that.
    Failed(StoreError),
}

impl Store {
    /// Writes together with others that wait. When this answers, it is on the disk.
    pub(crate) async fn share_write<W: SharedWrite>(
        &self,
        write: W,
    ) -> Result<W::Answer, W::Error> {
        let answer = self.journal().push(write);
        self.write_what_waits();
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::Failed("the writer ended before its work".into()).into()),
        }
    }

    /// Writes together with others, without anybody who waits for it. A failure is logged.
    pub(crate) fn write_later<W: SharedWrite>(&self, write: W) {
        if !self.journal().push_unattended(write) {
            tracing::error!("too many notes wait for the database: one was not kept");
        }
        self.write_what_waits();
    }

    /// Outside of a runtime it waits for the next that writes.
    fn write_what_waits(&self) {
        if let Ok(runtime) = Handle::try_current()
            && let Some(turn) = self.journal().take_turn()
        {
            runtime.spawn(write_all(self.clone(), turn));
        }
    }
}

async fn write_all(store: Store, mut turn: JournalTurn) {
    while !turn.is_over() {
        match store.begin_write().await {
            Ok(write) => write_together(&store, write, &turn).await,
            Err(error) => fail(turn.take_all(), &error),
        }
        // Those who were told their ends may have more to write, which is written together then.
        tokio::task::yield_now().await;
    }
}

/// What waits when its transaction begins, and what comes while the others are written.
async fn write_together(store: &Store, mut write: Write, turn: &JournalTurn) {
    let mut written = Vec::new();
    let mut is_anything_kept = false;
    while written.len() < MOST_TOGETHER && !write.is_kept() {
        let Some(mut next) = turn.next() else { break };
        // The only one of a transaction is isolated by that.
        let is_apart = !written.is_empty() || turn.has_more();
        match is_apart {
            true => write.divide(),
            false => write.end_with_last(),
        }
        match write_one(&mut write, next.as_mut(), is_apart).await {
            Ok(Written::Kept) => {
                is_anything_kept = true;
                written.push(next);
            }
            Ok(Written::Refused) => written.push(next),
            Ok(Written::Failed(error)) => next.fail(error),
            Err(error) => {
                written.push(next);
                if !write.has_begun() {
                    // Those that wait would wait as long for the same.
                    written.append(&mut turn.take_all());
                }
                let error = write.give_up(error).await;
                return fail(written, &error);
            }
        }
        if !is_apart && !is_anything_kept {
            break;
        }
    }
    if !is_anything_kept {
        write.undo().await;
    } else if let Err(error) = write.commit().await {
        return fail(written, &error);
    }
    for one in written {
        one.tell();
    }
    store.journal().was_kept();
}

/// Writes one; of one that is not kept nothing stays, where it is apart from others.
async fn write_one(
    write: &mut Write,
    one: &mut dyn QueuedWrite,
    is_apart: bool,
) -> Result<Written, StoreError> {
    let outcome = match one.write(write).await {
        Ok(true) => Written::Kept,
        Ok(false) | Err(_) if write.is_kept() => {
            let defect = "a write was refused, or failed, behind its last statement";
            Written::Failed(StoreError::Undecided(defect.into()))
        }
        Ok(false) => Written::Refused,
        Err(error) => match write.told(error) {
            // A statement that does not work; the rest fails the transaction.
            own @ StoreError::Failed(_) if write.has_begun() => Written::Failed(own),
            shared => return Err(shared),
        },
    };
    if is_apart && !matches!(outcome, Written::Kept) {
        let taken_back = write.take_back().await;
        taken_back.map_err(|error| write.told(error))?;
    }
    Ok(outcome)
}

fn fail(waiting: Vec<Box<dyn QueuedWrite>>, error: &StoreError) {
    for one in waiting {
        one.fail(error.told_again());
    }
}

#[cfg(test)]
mod tests;
