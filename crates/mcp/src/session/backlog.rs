//! The backlog of one stream: its messages, numbered, those that were read first, both kinds
//! bounded in number and in bytes, alone and with those of all other streams. Knows no reader.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::ledger::Ledger;
use crate::limits;

/// The messages of one stream.
pub(super) struct Backlog {
    messages: VecDeque<(u64, Bytes)>,
    last: u64,
    /// Up to which number they were read.
    read: u64,
    unread: Measure,
    replayable: Measure,
    /// What was read is kept for one who comes back.
    is_replayed: bool,
    ledger: Arc<Ledger>,
}

/// A number of messages and of their bytes.
#[derive(Default, Clone, Copy)]
struct Measure {
    messages: usize,
    bytes: usize,
}

impl Measure {
    fn add(&mut self, message: &Bytes) {
        self.messages += 1;
        self.bytes += message.len();
    }

    fn remove(&mut self, message: &Bytes) {
        self.messages -= 1;
        self.bytes -= message.len();
    }
}

impl Backlog {
    pub(super) fn new(is_replayed: bool, ledger: &Arc<Ledger>) -> Self {
        let (unread, replayable) = Default::default();
        Self {
            messages: VecDeque::new(),
            last: 0,
            read: 0,
            unread,
            replayable,
            is_replayed,
            ledger: Arc::clone(ledger),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The bytes of all messages that are here.
    pub(super) fn bytes(&self) -> usize {
        self.unread.bytes + self.replayable.bytes
    }

    /// Whether the last message is still here for one who has read up to a number. Of what came
    /// between, the oldest may be gone.
    pub(super) fn can_be_followed_from(&self, number: u64) -> bool {
        number >= self.last || !self.messages.is_empty()
    }

    /// Goes on after a number, or where reading stopped; gives the place.
    pub(super) fn read_after(&mut self, number: Option<u64>) -> u64 {
        // A message that was never sent cannot be the last one that was read.
        self.read = number.unwrap_or(self.read).min(self.last);
        (self.unread, self.replayable) = Default::default();
        for (number, message) in &self.messages {
            if *number > self.read {
                self.unread.add(message)
            } else {
                self.replayable.add(message)
            }
        }
        self.read
    }

    /// Reads the next message.
    pub(super) fn next(&mut self) -> Option<(u64, Bytes)> {
        let read = self.read;
        let (number, message) = self
            .messages
            .iter()
            .find(|(number, _)| *number > read)
            .cloned()?;
        self.read = number;
        self.unread.remove(&message);
        self.replayable.add(&message);
        let (most, bytes) = if self.is_replayed {
            (limits::KEPT_MESSAGES, limits::KEPT_MESSAGE_BYTES)
        } else {
            (0, 0)
        };
        while (self.replayable.messages > most || self.replayable.bytes > bytes)
            && self.forget_oldest()
        {}
        self.make_room_for(0);
        Some((number, message))
    }

    /// Whether one more message would be too much for a client that does not read. A single one
    /// never is.
    pub(super) fn is_full_for(&self, message: &Bytes) -> bool {
        let is_too_large = self.unread.bytes + message.len() > limits::WAITING_MESSAGE_BYTES
            || self.ledger.is_full_for(message.len());
        self.unread.messages >= limits::WAITING_MESSAGES
            || (self.unread.messages > 0 && is_too_large)
    }

    pub(super) fn push(&mut self, message: Bytes) {
        self.last += 1;
        self.ledger.add(message.len());
        self.unread.add(&message);
        self.messages.push_back((self.last, message));
    }

    /// Lets go of what was read and is kept, the oldest first, while all streams together hold too
    /// much for so many bytes more.
    pub(super) fn make_room_for(&mut self, bytes: usize) {
        while self.replayable.messages > 0 && self.ledger.is_full_for(bytes) && self.forget_oldest()
        {
        }
    }

    /// Adds a message; when too many are unread, the oldest give way.
    pub(super) fn push_or_replace(&mut self, message: Bytes) {
        while self.is_full_for(&message) && self.forget_oldest() {}
        self.push(message);
    }

    /// Drops the oldest message; false when there is none.
    fn forget_oldest(&mut self) -> bool {
        let Some((number, message)) = self.messages.pop_front() else {
            return false;
        };
        self.ledger.remove(message.len());
        if number > self.read {
            self.unread.remove(&message);
        } else {
            self.replayable.remove(&message);
        }
        true
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.ledger.remove(self.bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::Backlog;
    use crate::limits::{
        KEPT_MESSAGE_BYTES, KEPT_MESSAGES, WAITING_MESSAGE_BYTES, WAITING_MESSAGES,
    };

    const SMALL: Bytes = Bytes::from_static(b"x");

    fn backlog(is_replayed: bool) -> Backlog {
        Backlog::new(is_replayed, &Arc::default())
    }

    fn read_all(backlog: &mut Backlog) -> Vec<u64> {
        std::iter::from_fn(|| backlog.next())
            .map(|(number, _)| number)
            .collect()
    }

    #[test]
    fn unread_messages_and_kept_ones_are_bounded_in_number() {
        let mut backlog = backlog(true);
        for _ in 0..WAITING_MESSAGES {
            assert!(!backlog.is_full_for(&SMALL));
            backlog.push(SMALL);
        }
        assert!(backlog.is_full_for(&SMALL));
        assert_eq!(read_all(&mut backlog).len(), WAITING_MESSAGES);
        assert_eq!(backlog.messages.len(), KEPT_MESSAGES);
    }

    #[test]
    fn unread_messages_and_kept_ones_are_bounded_in_bytes() {
        let mut backlog = backlog(true);
        let half = Bytes::from(vec![b'x'; WAITING_MESSAGE_BYTES / 2]);
        backlog.push(half.clone());
        assert!(!backlog.is_full_for(&half), "at the limit");
        backlog.push(half.clone());
        assert!(backlog.is_full_for(&SMALL), "one byte over it");
        assert_eq!(read_all(&mut backlog), [1, 2]);
        assert_eq!(
            backlog.bytes(),
            KEPT_MESSAGE_BYTES,
            "both are kept, which is as much as may be"
        );
        backlog.push(SMALL);
        assert_eq!(read_all(&mut backlog), [3]);
        assert_eq!(backlog.bytes(), half.len() + 1, "the first had to go");
        assert!(
            [0, 1, 3, 9]
                .into_iter()
                .all(|place| backlog.can_be_followed_from(place))
        );
    }

    #[test]
    fn a_single_message_may_be_larger_and_is_then_not_kept() {
        let mut backlog = backlog(true);
        let huge = Bytes::from(vec![b'x'; WAITING_MESSAGE_BYTES + 1]);
        assert!(!backlog.is_full_for(&huge));
        backlog.push(huge);
        assert!(backlog.is_full_for(&SMALL) && backlog.can_be_followed_from(0));
        assert_eq!((read_all(&mut backlog), backlog.bytes()), (vec![1], 0));
        assert!(
            !backlog.can_be_followed_from(0) && backlog.can_be_followed_from(1),
            "who has not read it has lost it"
        );
    }

    #[test]
    fn who_comes_back_to_an_earlier_place_is_bounded_by_what_is_unread_then() {
        let mut backlog = backlog(true);
        (0..WAITING_MESSAGES).for_each(|_| backlog.push(SMALL));
        read_all(&mut backlog);
        let place = (WAITING_MESSAGES - KEPT_MESSAGES) as u64;
        assert_eq!(backlog.read_after(Some(place)), place);
        for _ in 0..WAITING_MESSAGES - KEPT_MESSAGES {
            assert!(!backlog.is_full_for(&SMALL));
            backlog.push(SMALL);
        }
        assert!(backlog.is_full_for(&SMALL));
        assert_eq!(read_all(&mut backlog).len(), WAITING_MESSAGES);
        assert_eq!(backlog.read_after(Some(u64::MAX)), backlog.last);
    }

    #[test]
    fn what_gives_way_is_the_oldest_by_number_and_by_bytes() {
        let mut backlog = backlog(true);
        (0..=WAITING_MESSAGES).for_each(|_| backlog.push_or_replace(SMALL));
        assert_eq!(backlog.next().map(|(number, _)| number), Some(2));
        backlog.push_or_replace(Bytes::from(vec![b'x'; WAITING_MESSAGE_BYTES - 1]));
        assert_eq!(
            (read_all(&mut backlog).len(), backlog.unread.bytes),
            (2, 0),
            "one byte beside it fits"
        );
    }

    #[test]
    fn nothing_is_kept_of_what_was_read_where_nobody_comes_back() {
        let mut backlog = backlog(false);
        backlog.push(SMALL);
        backlog.push(SMALL);
        assert_eq!(
            (backlog.next().map(|(number, _)| number), backlog.bytes()),
            (Some(1), 1)
        );
    }
}
