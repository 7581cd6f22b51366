//! The queue of writes that share a transaction, and so a flush: each is isolated from the failure
//! of another, and told its own end.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

use crate::StoreError;
use crate::joined_text::{JoinedTexts, JoinedValues, KnownTexts, joined_size};
use crate::write_transaction::{StatementStep, WriteTransaction};

/// Writes that wait without anybody to wait for them; more are refused.
const MOST_UNATTENDED: usize = 10_000;

/// A future on the heap.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A write that may share a transaction with others.
pub(crate) trait SharedWrite: Send + 'static {
    /// What is answered once it is on the disk.
    type Answer: Send + 'static;
    /// Why it alone is refused; nothing of it is kept then.
    type Error: From<StoreError> + Send + 'static;

    /// Whether it is left out when nobody waits for it any more before its turn comes.
    const IS_LEFT_OUT_WHEN_DROPPED: bool;

    /// Writes. An error of the database ends it, and the whole transaction where the failure is not
    /// its own. With [`WriteTransaction::last`] it says which statement is its last, and is not
    /// refused behind that.
    fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> impl Future<Output = Result<Result<Self::Answer, Self::Error>, sqlx::Error>> + Send;

    /// The texts that [`Self::write`] runs, where they are known before it begins: those of several
    /// writes may be run as one. None where what it runs depends on what it finds.
    fn known_texts(&self) -> KnownTexts {
        &[]
    }

    /// Binds what the known texts need; false where that is not known now.
    fn bind_known(&self, _values: &mut JoinedValues) -> Result<bool, sqlx::Error> {
        Ok(false)
    }

    /// The answer, from what the known texts gave; none where one of them did not do what it had to.
    fn known_answer(&self, _given: &[StatementStep]) -> Result<Option<Self::Answer>, sqlx::Error> {
        Ok(None)
    }

    /// Hears that the answer is on the disk, before it is given.
    fn was_kept(_answer: &mut Self::Answer) {}
}

/// A write in the queue, whatever it is.
pub(crate) trait QueuedWrite: Send {
    /// Whether it is still to be written.
    fn is_wanted(&self) -> bool;
    /// Writes it; false when it was refused.
    fn write<'a>(
        &'a mut self,
        transaction: &'a mut WriteTransaction,
    ) -> Boxed<'a, Result<bool, sqlx::Error>>;
    /// As [`SharedWrite::known_texts`].
    fn known_texts(&self) -> KnownTexts;
    /// As [`SharedWrite::bind_known`].
    fn bind_known(&self, values: &mut JoinedValues) -> Result<bool, sqlx::Error>;
    /// Hears what its known texts gave; false when one of them did not do what it had to.
    fn hear_known(&mut self, given: &[StatementStep]) -> Result<bool, sqlx::Error>;
    /// Tells that what it wrote is kept, or why it was refused.
    fn tell(self: Box<Self>);
    /// Tells that nothing was kept.
    fn fail(self: Box<Self>, error: StoreError);
}

/// Whoever waits for a write.
type Waiter<W> = oneshot::Sender<Result<<W as SharedWrite>::Answer, <W as SharedWrite>::Error>>;

struct Attended<W: SharedWrite> {
    write: W,
    outcome: Option<Result<W::Answer, W::Error>>,
    waiter: Option<Waiter<W>>,
}

impl<W: SharedWrite> QueuedWrite for Attended<W> {
    fn is_wanted(&self) -> bool {
        let is_left = self.waiter.as_ref().is_some_and(oneshot::Sender::is_closed);
        !(W::IS_LEFT_OUT_WHEN_DROPPED && is_left)
    }

    fn write<'a>(
        &'a mut self,
        transaction: &'a mut WriteTransaction,
    ) -> Boxed<'a, Result<bool, sqlx::Error>> {
        Box::pin(async {
            let outcome = self.write.write(transaction).await?;
            let is_kept = outcome.is_ok();
            self.outcome = Some(outcome);
            Ok(is_kept)
        })
    }

    fn known_texts(&self) -> KnownTexts {
        self.write.known_texts()
    }

    fn bind_known(&self, values: &mut JoinedValues) -> Result<bool, sqlx::Error> {
        self.write.bind_known(values)
    }

    fn hear_known(&mut self, given: &[StatementStep]) -> Result<bool, sqlx::Error> {
        self.outcome = self.write.known_answer(given)?.map(Ok);
        Ok(self.outcome.is_some())
    }

    fn tell(self: Box<Self>) {
        let Some(mut outcome) = self.outcome else {
            return;
        };
        if let Ok(answer) = &mut outcome {
            W::was_kept(answer);
        }
        if let Some(waiter) = self.waiter {
            // Whoever left is told nothing; the answer is dropped.
            drop(waiter.send(outcome));
        }
    }

    fn fail(self: Box<Self>, error: StoreError) {
        match self.waiter {
            Some(waiter) => drop(waiter.send(Err(error.into()))),
            None => tracing::error!(
                error = &error as &dyn std::error::Error,
                "a note that nobody waited for was not kept"
            ),
        }
    }
}

/// The writes that wait, and whether somebody is at them.
pub(crate) struct Journal {
    queue: Mutex<WriteQueue>,
    /// For writes that are run as one text.
    pub(crate) texts: JoinedTexts,
    is_busy: watch::Sender<bool>,
    /// Counts the transactions that were kept.
    kept: watch::Sender<u64>,
}

#[derive(Default)]
struct WriteQueue {
    waiting: VecDeque<Box<dyn QueuedWrite>>,
    is_flushing: bool,
}

impl Journal {
    pub(crate) fn new() -> Journal {
        Journal {
            queue: Mutex::default(),
            texts: JoinedTexts::default(),
            is_busy: watch::Sender::new(false),
            kept: watch::Sender::new(0),
        }
    }

    fn queue(&self) -> MutexGuard<'_, WriteQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a write into the queue.
    pub(crate) fn push<W: SharedWrite>(
        &self,
        write: W,
    ) -> oneshot::Receiver<Result<W::Answer, W::Error>> {
        let (waiter, answer) = oneshot::channel();
        self.queue().waiting.push_back(Box::new(Attended {
            write,
            outcome: None,
            waiter: Some(waiter),
        }));
        answer
    }

    /// Puts a write into the queue that nobody waits for; false when too many wait.
    pub(crate) fn push_unattended<W: SharedWrite>(&self, write: W) -> bool {
        let mut queue = self.queue();
        let has_room = queue.waiting.len() < MOST_UNATTENDED;
        if has_room {
            queue.waiting.push_back(Box::new(Attended {
                write,
                outcome: None,
                waiter: None,
            }));
        }
        has_room
    }

    /// The right to write what waits, unless somebody has it.
    pub(crate) fn take_turn(self: &Arc<Self>) -> Option<JournalTurn> {
        let mut queue = self.queue();
        if queue.is_flushing || queue.waiting.is_empty() {
            return None;
        }
        queue.is_flushing = true;
        self.is_busy.send_replace(true);
        Some(JournalTurn {
            journal: Arc::clone(self),
            is_over: false,
        })
    }

    /// Waits until nobody is at it.
    pub(crate) async fn idle(&self) {
        drop(self.is_busy.subscribe().wait_for(|is_busy| !is_busy).await);
    }

    /// Tells those who follow that something was kept.
    pub(crate) fn was_kept(&self) {
        self.kept
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Hears of what is kept from now on.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.kept.subscribe()
    }
}

/// The right to write what waits. Dropped, somebody else may take it.
pub(crate) struct JournalTurn {
    journal: Arc<Journal>,
    is_over: bool,
}

impl JournalTurn {
    /// The next write that is still wanted and, of the first that wait, those with the same known
    /// texts, as many as go into one text. None when nothing waits.
    pub(crate) fn next(&self, most: usize) -> Vec<Box<dyn QueuedWrite>> {
        let mut queue = self.journal.queue();
        let first = loop {
            match queue.waiting.pop_front() {
                Some(next) if next.is_wanted() => break next,
                Some(_) => {}
                None => return Vec::new(),
            }
        };
        let texts = first.known_texts();
        let mut next = vec![first];
        if texts.is_empty() {
            return next;
        }
        let is_alike = |one: &dyn QueuedWrite| one.is_wanted() && one.known_texts() == texts;
        let among = most.min(queue.waiting.len());
        let waiting = queue.waiting.iter().take(among);
        let alike = waiting.filter(|one| is_alike(one.as_ref())).count();
        let size = joined_size(most.min(1 + alike));
        let mut others = Vec::new();
        for one in queue.waiting.drain(..among) {
            match next.len() < size && is_alike(one.as_ref()) {
                true => next.push(one),
                false => others.push(one),
            }
        }
        for one in others.into_iter().rev() {
            queue.waiting.push_front(one);
        }
        next
    }

    /// Whether more wait.
    pub(crate) fn has_more(&self) -> bool {
        !self.journal.queue().waiting.is_empty()
    }

    /// All that wait, for an end.
    pub(crate) fn take_all(&self) -> Vec<Box<dyn QueuedWrite>> {
        self.journal.queue().waiting.drain(..).collect()
    }

    /// Whether nothing waits, which ends the turn.
    pub(crate) fn is_over(&mut self) -> bool {
        let journal = Arc::clone(&self.journal);
        let queue = journal.queue();
        if queue.waiting.is_empty() {
            self.end(queue);
        }
        self.is_over
    }

    fn end(&mut self, mut queue: MutexGuard<'_, WriteQueue>) {
        queue.is_flushing = false;
        self.is_over = true;
        self.journal.is_busy.send_replace(false);
    }
}

impl Drop for JournalTurn {
    fn drop(&mut self) {
        if !self.is_over {
            let journal = Arc::clone(&self.journal);
            self.end(journal.queue());
        }
    }
}
