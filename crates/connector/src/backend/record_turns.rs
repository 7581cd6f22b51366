//! Turns at records: calls of one backend that write to the same record do so one after another, so
//! that what each looked at before is what it changed, in the order in which they are recorded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// So many names are kept before those that nobody writes to are dropped.
const MOST_NAMES: usize = 256;

/// Who is at which record.
#[derive(Debug, Default)]
pub(super) struct RecordTurns(Mutex<HashMap<String, Weak<AsyncMutex<()>>>>);

/// A turn at some records; it ends when this is dropped.
#[derive(Debug, Default)]
pub(super) struct RecordTurn {
    held: Vec<OwnedMutexGuard<()>>,
    /// Somebody else was there before.
    pub(super) has_waited: bool,
}

impl RecordTurns {
    /// Waits for a turn at all of these. They are taken in one order by everybody, so that no two
    /// wait for each other.
    pub(super) async fn take(&self, records: impl IntoIterator<Item = String>) -> RecordTurn {
        let mut records: Vec<String> = records.into_iter().collect();
        records.sort_unstable();
        records.dedup();
        let mut turn = RecordTurn::default();
        for record in records {
            let place = self.place(record);
            let held = match Arc::clone(&place).try_lock_owned() {
                Ok(held) => held,
                Err(_) => {
                    turn.has_waited = true;
                    place.lock_owned().await
                }
            };
            turn.held.push(held);
        }
        turn
    }

    fn place(&self, record: String) -> Arc<AsyncMutex<()>> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(&record).and_then(Weak::upgrade) {
            return place;
        }
        if places.len() >= MOST_NAMES {
            places.retain(|_, place| place.strong_count() > 0);
        }
        let place = Arc::default();
        places.insert(record, Arc::downgrade(&place));
        place
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::{MOST_NAMES, RecordTurns};

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[tokio::test]
    async fn one_after_another_at_the_same_record_and_at_once_at_others() {
        let turns = RecordTurns::default();
        let first = turns.take(named(&["b", "a", "a"])).await;
        assert!(!first.has_waited);
        let second = turns.take(named(&["a", "b"]));
        tokio::pin!(second);
        assert!(second.as_mut().now_or_never().is_none());
        assert!(!turns.take(named(&["c"])).await.has_waited);
        drop(first);
        assert!(second.await.has_waited);
        assert!(!turns.take(named(&["a"])).await.has_waited);
    }

    #[tokio::test]
    async fn names_that_nobody_is_at_are_forgotten() {
        let turns = RecordTurns::default();
        let held = turns.take(named(&["held"])).await;
        for number in 0..3 * MOST_NAMES {
            drop(turns.take([number.to_string()]).await);
        }
        assert!(turns.0.lock().unwrap().len() <= MOST_NAMES);
        let waiting = turns.take(named(&["held"]));
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(held);
    }
}
