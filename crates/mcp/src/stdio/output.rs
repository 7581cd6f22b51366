//! The queue to the output: answers wait here as bytes, and one thread writes them. Whole lines
//! only.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::limits;
use crate::outlet::Outlet;

/// Bytes on their way to the client.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<OutboxState>,
    /// Something to write, or the end.
    filled: Condvar,
    /// Room again, or the end.
    drained: Condvar,
    /// The same for tasks.
    room: Notify,
}

#[derive(Debug, Default)]
struct OutboxState {
    pending: Vec<u8>,
    closed: bool,
    /// Nothing is written any more: the client is gone, or the end was reached.
    broken: bool,
}

impl Outbox {
    /// Queues whole lines and empties `bytes`. Waits while the client leaves too much unread. False
    /// when the output is gone.
    pub(super) fn push(&self, bytes: &mut Vec<u8>) -> bool {
        let mut state = self.lock();
        while state.pending.len() > limits::STDIO_PENDING_BYTES && !state.broken {
            state = self
                .drained
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.queue(state, bytes)
    }

    /// Queues whole lines without waiting: what a finished call has to say is already in memory.
    pub(super) fn push_now(&self, bytes: &mut Vec<u8>) {
        self.queue(self.lock(), bytes);
    }

    fn push_line(&self, message: &[u8]) {
        let mut line = Vec::with_capacity(message.len() + 1);
        line.extend_from_slice(message);
        line.push(b'\n');
        self.push_now(&mut line);
    }

    fn has_room(&self) -> bool {
        let state = self.lock();
        state.broken || state.pending.len() <= limits::STDIO_PENDING_BYTES
    }

    fn queue(&self, mut state: MutexGuard<'_, OutboxState>, bytes: &mut Vec<u8>) -> bool {
        if bytes.is_empty() || state.broken {
            bytes.clear();
            return !state.broken;
        }
        let was_empty = state.pending.is_empty();
        if was_empty {
            std::mem::swap(&mut state.pending, bytes);
        } else {
            state.pending.append(bytes);
        }
        drop(state);
        if was_empty {
            self.filled.notify_one();
        }
        true
    }

    /// Ends the writing thread once everything is written.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// The writing thread.
    pub(super) fn write_all_to(&self, mut output: impl Write) {
        let mut writing = Vec::new();
        loop {
            let mut state = self.lock();
            while state.pending.is_empty() {
                if state.closed {
                    state.broken = true;
                    drop(state);
                    self.tell_drained();
                    return;
                }
                state = self
                    .filled
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut state.pending, &mut writing);
            drop(state);
            self.tell_drained();
            if let Err(error) = output.write_all(&writing).and_then(|()| output.flush()) {
                tracing::info!(%error, "the client does not read any more");
                self.lock().broken = true;
                self.tell_drained();
                return;
            }
            writing.clear();
            writing.shrink_to(limits::STDIO_PENDING_BYTES / 64);
        }
    }

    fn tell_drained(&self) {
        self.drained.notify_all();
        self.room.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, OutboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for Outbox {
    fn send(&self, message: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let mut room = std::pin::pin!(self.room.notified());
                room.as_mut().enable();
                if self.has_room() {
                    break;
                }
                room.await;
            }
            self.push_line(&message);
        })
    }

    fn try_send(&self, message: Bytes) -> bool {
        let has_room = self.has_room();
        if has_room {
            self.push_line(&message);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::Outbox;
    use crate::limits;

    #[test]
    fn whoever_reads_waits_while_too_much_is_unread_and_not_before() {
        let outbox = Arc::new(Outbox::default());
        outbox.push_now(&mut vec![b'a'; limits::STDIO_PENDING_BYTES]);
        assert!(
            outbox.push(&mut vec![b'b']),
            "at the limit there is no wait"
        );
        let (done, pushed) = channel();
        let reader = std::thread::spawn({
            let outbox = Arc::clone(&outbox);
            move || done.send(outbox.push(&mut vec![b'c'])).unwrap()
        });
        assert!(
            pushed.recv_timeout(Duration::from_millis(50)).is_err(),
            "over the limit nothing more is taken"
        );
        outbox.push_now(&mut vec![b'd']);
        outbox.close();
        let mut written = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| outbox.write_all_to(&mut written));
            assert!(
                pushed.recv_timeout(Duration::from_secs(60)).is_ok(),
                "what was written makes room"
            );
        });
        reader.join().unwrap();
        assert!(written.starts_with(b"aaa"));
        assert_eq!(
            written
                .iter()
                .filter(|byte| **byte != b'a')
                .take(2)
                .collect::<Vec<_>>(),
            [&b'b', &b'd']
        );
    }

    #[test]
    fn once_it_has_ended_nobody_waits() {
        let outbox = Outbox::default();
        outbox.close();
        outbox.write_all_to(std::io::sink());
        outbox.push_now(&mut vec![b'a'; limits::STDIO_PENDING_BYTES + 1]);
        assert!(!outbox.push(&mut vec![b'b']));
    }
}
