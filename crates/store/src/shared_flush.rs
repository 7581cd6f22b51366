//! The writer of the journal: takes all that wait into one transaction, each behind a savepoint of
//! its own, and tells each its end once the disk has it.
//!
//! It is a task of its own, so that a call that is dropped takes nothing of others with it: what it
//! queued is written or left out whole.

use tokio::runtime::Handle;

use crate::joined_text::JoinedValues;
use crate::journal::{Journal, JournalTurn, QueuedWrite, SharedWrite};
use crate::write::Write;
use crate::write_transaction::StatementStep;
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

/// The writes of one transaction, whose ends hang on its own.
#[derive(Default)]
struct WrittenTogether {
    writes: Vec<Box<dyn QueuedWrite>>,
    is_anything_kept: bool,
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
    let mut written = WrittenTogether::default();
    while written.writes.len() < MOST_TOGETHER && !write.is_kept() {
        let next = turn.next(MOST_TOGETHER - written.writes.len());
        if next.is_empty() {
            break;
        }
        // The only one of a transaction is isolated by that.
        let is_apart = next.len() > 1 || !written.writes.is_empty() || turn.has_more();
        if let Err(error) = write_next(&mut write, next, is_apart, store, &mut written).await {
            let mut writes = written.writes;
            if !write.has_begun() {
                // Those that wait would wait as long for the same.
                writes.append(&mut turn.take_all());
            }
            let error = write.give_up(error).await;
            return fail(writes, &error);
        }
        if !is_apart && !written.is_anything_kept {
            break;
        }
    }
    if !written.is_anything_kept {
        write.undo().await;
    } else if let Err(error) = write.commit().await {
        return fail(written.writes, &error);
    }
    for one in written.writes {
        one.tell();
    }
    store.journal().was_kept();
}

/// Writes some with the same known texts together, or one; and each by itself where they do not
/// all get through together. After an error all of them are among the writes of the transaction.
async fn write_next(
    write: &mut Write,
    mut next: Vec<Box<dyn QueuedWrite>>,
    is_apart: bool,
    store: &Store,
    written: &mut WrittenTogether,
) -> Result<(), StoreError> {
    if next.len() > 1 {
        let joined = write_joined(write, &mut next, store.journal()).await;
        if !matches!(joined, Ok(false)) {
            written.is_anything_kept = true;
            written.writes.append(&mut next);
            return joined.map(drop);
        }
    }
    let mut next = next.into_iter();
    while let Some(mut one) = next.next() {
        match is_apart {
            true => write.divide(),
            false => write.end_with_last(),
        }
        match write_one(write, one.as_mut(), is_apart).await {
            Ok(Written::Kept) => {
                written.is_anything_kept = true;
                written.writes.push(one);
            }
            Ok(Written::Refused) => written.writes.push(one),
            Ok(Written::Failed(error)) => one.fail(error),
            Err(error) => {
                written.writes.push(one);
                written.writes.extend(next);
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Writes some with the same known texts by one text; false where one of them did not get through,
/// and nothing of any is kept then.
async fn write_joined(
    write: &mut Write,
    together: &mut [Box<dyn QueuedWrite>],
    journal: &Journal,
) -> Result<bool, StoreError> {
    let mut values = JoinedValues::new(write.audit_end().cloned());
    for one in together.iter() {
        if !matches!(one.bind_known(&mut values), Ok(true)) {
            return Ok(false);
        }
    }
    let texts = together.first().map(|one| one.known_texts());
    let text = journal.texts.of(texts.unwrap_or_default(), together.len());
    write.divide();
    let given = write.run_joined(text, values).await;
    let heard = given.and_then(|given| hear_joined(together, &given));
    match heard.map_err(|error| write.told(error)) {
        Ok(true) => return Ok(true),
        Ok(false) => {}
        // A statement of one of them that does not work, which is told to that one alone.
        Err(StoreError::Failed(_)) if write.has_begun() => {}
        Err(shared) => return Err(shared),
    }
    let taken_back = write.take_back().await;
    taken_back.map_err(|error| write.told(error))?;
    Ok(false)
}

/// Gives each what its own statements gave; false when one of them did not do what it had to.
fn hear_joined(
    together: &mut [Box<dyn QueuedWrite>],
    given: &[StatementStep],
) -> Result<bool, sqlx::Error> {
    let ends = given.iter().filter(|step| step.is_left()).count();
    let of_each = ends / together.len().max(1);
    let mut seen = 0;
    let mut parts = given.split_inclusive(|step| {
        seen += usize::from(step.is_left());
        step.is_left() && seen.is_multiple_of(of_each)
    });
    for one in together {
        if !one.hear_known(parts.next().unwrap_or_default())? {
            return Ok(false);
        }
    }
    Ok(true)
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
