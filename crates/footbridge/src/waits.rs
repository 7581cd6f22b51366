//! The waits of clients for changes: how many at once, and the end of them all. What is waited for
//! is not known here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Waits of one client at once.
const OF_A_CLIENT: usize = 4;
/// Waits of all clients at once: what a client calls itself is believed.
const OF_ALL: usize = 64;

/// The waits of this process. Cheap to clone; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeWaits(Arc<WaitRooms>);

#[derive(Debug, Default)]
struct WaitRooms {
    /// How many wait in each client's room.
    rooms: Mutex<HashMap<String, usize>>,
    has_ended: watch::Sender<bool>,
}

impl ChangeWaits {
    /// Begins a wait in a client's room; it lasts until what is returned is dropped.
    ///
    /// # Errors
    /// A sentence, when too many wait already.
    pub(crate) fn begin(&self, room: String) -> Result<OpenWait, String> {
        let mut rooms = self.rooms();
        if rooms.get(&room).copied().unwrap_or_default() >= OF_A_CLIENT {
            return Err(format!(
                "{OF_A_CLIENT} calls of this client wait already: let one of them end, or cancel it."
            ));
        }
        if rooms.values().sum::<usize>() >= OF_ALL {
            return Err(format!(
                "{OF_ALL} calls of all clients wait already: try again in a minute."
            ));
        }
        *rooms.entry(room.clone()).or_default() += 1;
        drop(rooms);
        let waits = self.clone();
        Ok(OpenWait { waits, room })
    }

    /// Ends all waits, those that begin later too.
    pub(crate) fn end(&self) {
        self.0.has_ended.send_replace(true);
    }

    /// Completes when waits end.
    pub(crate) async fn ended(&self) {
        let mut has_ended = self.0.has_ended.subscribe();
        // the sender is held by this very value
        drop(has_ended.wait_for(|has_ended| *has_ended).await);
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait, until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenWait {
    waits: ChangeWaits,
    room: String,
}

impl Drop for OpenWait {
    fn drop(&mut self) {
        let mut rooms = self.waits.rooms();
        if let Some(count) = rooms.get_mut(&self.room) {
            *count -= 1;
            if *count == 0 {
                rooms.remove(&self.room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ChangeWaits, OF_A_CLIENT, OF_ALL};

    #[tokio::test]
    async fn a_few_wait_in_each_room_and_all_rooms_have_an_end() {
        let waits = ChangeWaits::default();
        let begin = |room: usize| waits.begin(room.to_string());
        let mut open: Vec<_> = (0..OF_ALL)
            .map(|number| begin(number / OF_A_CLIENT).unwrap())
            .collect();
        let why = begin(0).unwrap_err();
        assert!(why.starts_with("4 calls of this client"), "{why}");
        let why = begin(OF_ALL).unwrap_err();
        assert!(why.starts_with("64 calls of all clients"), "{why}");
        open.pop();
        begin(OF_ALL).unwrap();
        open.clear();
        assert!(waits.rooms().is_empty());
        assert!(futures_util::poll!(Box::pin(waits.ended())).is_pending());
        waits.clone().end();
        waits.ended().await;
    }
}
