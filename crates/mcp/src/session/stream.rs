//! One stream of a session: numbered messages, read by whoever is connected, kept for one who comes
//! back.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::sync::Notify;

use super::backlog::Backlog;
use super::ledger::Ledger;
use crate::outlet::Outlet;

/// One stream.
pub(crate) struct SessionStream {
    number: u64,
    state: Mutex<StreamState>,
    room: Notify,
}

struct StreamState {
    messages: Backlog,
    /// Who reads: each connection is one more, and the older ones end.
    reader: u64,
    /// The reader's task. Only that of the newest reader, so that one which ends cannot take its
    /// place.
    waker: Option<Waker>,
    is_read: bool,
    ended: bool,
    /// The reader shall go and come back.
    paused: bool,
}

/// The thing that a reader finds.
pub(crate) enum NextMessage {
    Message(u64, Bytes),
    /// Nothing yet.
    Nothing,
    /// The stream has ended, or another connection reads it now.
    End,
}

impl SessionStream {
    pub(super) fn new(number: u64, ledger: &Arc<Ledger>) -> Self {
        Self::with(number, Backlog::new(true, ledger))
    }

    /// A stream that nobody can come back to.
    pub(super) fn channel(number: u64, ledger: &Arc<Ledger>) -> Self {
        Self::with(number, Backlog::new(false, ledger))
    }

    fn with(number: u64, messages: Backlog) -> Self {
        let state = StreamState {
            messages,
            reader: 0,
            waker: None,
            is_read: false,
            ended: false,
            paused: false,
        };
        Self {
            number,
            state: Mutex::new(state),
            room: Notify::new(),
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether nothing was said yet, so that a reply can still be plain.
    pub(crate) fn is_untouched(&self) -> bool {
        let state = self.lock();
        state.messages.is_empty() && !state.paused
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    pub(crate) fn is_read(&self) -> bool {
        self.lock().is_read
    }

    /// The bytes of all messages that are here.
    pub(super) fn bytes(&self) -> usize {
        self.lock().messages.bytes()
    }

    /// Whether one who has read up to a message can come back for the last one.
    pub(super) fn can_be_followed_from(&self, number: u64) -> bool {
        self.lock().messages.can_be_followed_from(number)
    }

    /// Begins to read after a message, or after the last one that was read; whoever read before
    /// ends. Gives the reader and where it begins.
    pub(crate) fn begin_reading(&self, after: Option<u64>) -> (u64, u64) {
        let mut state = self.lock();
        if state.reader > 0 {
            state.paused = false;
        }
        state.reader += 1;
        state.is_read = true;
        let begun = (state.reader, state.messages.read_after(after));
        wake(state);
        // Who waits for room may have it now.
        self.room.notify_waiters();
        begun
    }

    /// The connection of a reader is gone.
    pub(crate) fn end_reading(&self, reader: u64) {
        let mut state = self.lock();
        if state.reader == reader {
            state.is_read = false;
        }
    }

    /// Has the task woken when there is something new, as long as nobody reads.
    pub(crate) fn listen(&self, context: &Context<'_>) {
        let mut state = self.lock();
        if state.reader == 0 {
            state.waker = Some(context.waker().clone());
        }
    }

    /// The next message for a reader; when there is none yet, its task is woken once there is.
    pub(crate) fn next(&self, reader: u64, context: &Context<'_>) -> NextMessage {
        let mut state = self.lock();
        if state.reader != reader {
            return NextMessage::End;
        }
        match state.messages.next() {
            Some((number, message)) => {
                drop(state);
                self.room.notify_waiters();
                NextMessage::Message(number, message)
            }
            None if state.ended || state.paused => NextMessage::End,
            None => {
                state.waker = Some(context.waker().clone());
                NextMessage::Nothing
            }
        }
    }

    /// The answer of the request: the last message.
    pub(crate) fn end_with(&self, message: Option<Bytes>) {
        let mut state = self.lock();
        if let Some(message) = message.filter(|_| !state.ended) {
            state.messages.push(message);
        }
        state.ended = true;
        wake(state);
        // Who waits for room waits in vain.
        self.room.notify_waiters();
    }

    /// The session is over.
    pub(crate) fn abandon(&self) {
        self.end_with(None);
    }

    /// Sends the reader away; it comes back when it likes.
    pub(crate) fn pause(&self) {
        let mut state = self.lock();
        state.paused = true;
        wake(state);
    }

    /// Adds a message; when too many are unread, the oldest of them give way.
    pub(super) fn push_or_replace(&self, message: Bytes) {
        let mut state = self.lock();
        if !state.ended {
            state.messages.push_or_replace(message);
        }
        wake(state);
    }

    /// False when the client leaves too much unread. What is said after the end is dropped.
    fn try_push(&self, message: &Bytes) -> bool {
        let mut state = self.lock();
        if !state.ended {
            state.messages.make_room_for(message.len());
            if state.messages.is_full_for(message) {
                return false;
            }
            state.messages.push(message.clone());
        }
        wake(state);
        true
    }

    fn lock(&self) -> MutexGuard<'_, StreamState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the reader, once the state is free again.
fn wake(mut state: MutexGuard<'_, StreamState>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Outlet for SessionStream {
    fn send(&self, message: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let mut room = std::pin::pin!(self.room.notified());
                room.as_mut().enable();
                if self.try_push(&message) {
                    return;
                }
                room.await;
            }
        })
    }

    fn try_send(&self, message: Bytes) -> bool {
        self.try_push(&message)
    }

    fn pause(&self) {
        SessionStream::pause(self);
    }
}

/// A reader's place in a stream, given up when its connection ends.
pub(crate) struct StreamReading {
    pub(crate) stream: Arc<SessionStream>,
    pub(crate) reader: u64,
    /// What ends with the connection, where something does.
    pub(crate) until: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl StreamReading {
    pub(crate) fn poll_next(&self, context: &Context<'_>) -> Poll<Option<(u64, Bytes)>> {
        match self.stream.next(self.reader, context) {
            NextMessage::Message(number, message) => Poll::Ready(Some((number, message))),
            NextMessage::Nothing => Poll::Pending,
            NextMessage::End => Poll::Ready(None),
        }
    }
}

impl Drop for StreamReading {
    fn drop(&mut self) {
        self.stream.end_reading(self.reader);
        if let Some(until) = self.until.take() {
            until();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;

    use super::{SessionStream, StreamReading};
    use crate::limits::WAITING_MESSAGES;
    use crate::outlet::Outlet as _;

    fn read(stream: &Arc<SessionStream>, after: u64) -> StreamReading {
        StreamReading {
            stream: Arc::clone(stream),
            reader: stream.begin_reading(Some(after)).0,
            until: None,
        }
    }

    fn next(reading: &StreamReading) -> Poll<Option<u64>> {
        reading
            .poll_next(&Context::from_waker(Waker::noop()))
            .map(|found| found.map(|(number, _)| number))
    }

    #[tokio::test]
    async fn who_comes_back_reads_on_and_who_read_before_ends() {
        let stream = Arc::new(SessionStream::new(1, &Arc::default()));
        for _ in 0..3 {
            stream.send(Bytes::from_static(b"x")).await;
        }
        let first = read(&stream, 0);
        assert_eq!(next(&first), Poll::Ready(Some(1)));
        let second = read(&stream, 1);
        assert_eq!(next(&first), Poll::Ready(None));
        assert_eq!(
            (next(&second), next(&second), next(&second)),
            (Poll::Ready(Some(2)), Poll::Ready(Some(3)), Poll::Pending)
        );
        stream.end_with(Some(Bytes::from_static(b"answer")));
        assert_eq!(
            (next(&second), next(&second)),
            (Poll::Ready(Some(4)), Poll::Ready(None))
        );
        let third = read(&stream, 3);
        assert_eq!(
            (next(&third), next(&third)),
            (Poll::Ready(Some(4)), Poll::Ready(None))
        );
    }

    #[tokio::test]
    async fn who_speaks_waits_for_room_and_has_it_when_something_was_read() {
        let stream = Arc::new(SessionStream::new(1, &Arc::default()));
        for _ in 0..WAITING_MESSAGES {
            stream.send(Bytes::from_static(b"x")).await;
        }
        let mut waiting = stream.send(Bytes::from_static(b"x"));
        assert!(
            waiting
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        assert!(next(&read(&stream, 0)).is_ready());
        assert!(
            waiting
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready()
        );
    }

    #[test]
    fn an_announcement_never_waits_and_the_oldest_gives_way() {
        let stream = Arc::new(SessionStream::new(0, &Arc::default()));
        for _ in 0..=WAITING_MESSAGES {
            stream.push_or_replace(Bytes::from_static(b"x"));
        }
        assert_eq!(next(&read(&stream, 0)), Poll::Ready(Some(2)));
    }

    /// Counts how often a task is woken.
    #[derive(Default)]
    struct Woken(std::sync::atomic::AtomicUsize);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    #[test]
    fn a_reader_that_ends_does_not_take_the_place_of_the_one_after_it() {
        let stream = Arc::new(SessionStream::new(1, &Arc::default()));
        let (old, new) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let poll = |reading: &StreamReading, woken: &Arc<Woken>| {
            let waker = Waker::from(Arc::clone(woken));
            reading.poll_next(&Context::from_waker(&waker)).is_pending()
        };
        let count = |woken: &Arc<Woken>| woken.0.load(std::sync::atomic::Ordering::Relaxed);
        let first = read(&stream, 0);
        assert!(poll(&first, &old));
        let second = read(&stream, 0);
        assert_eq!(count(&old), 1, "it is told that it ends");
        assert!(poll(&second, &new));
        assert!(!poll(&first, &old), "its task comes last");
        stream.push_or_replace(Bytes::from_static(b"x"));
        assert_eq!(count(&new), 1);
    }

    #[tokio::test]
    async fn a_place_beyond_the_end_is_the_end() {
        let stream = Arc::new(SessionStream::new(1, &Arc::default()));
        let reading = read(&stream, u64::MAX);
        stream.send(Bytes::from_static(b"x")).await;
        assert_eq!(next(&reading), Poll::Ready(Some(1)));
        for _ in 0..WAITING_MESSAGES {
            stream.send(Bytes::from_static(b"x")).await;
        }
        assert!(
            !stream.try_send(Bytes::from_static(b"x")),
            "what is unread is bounded all the same"
        );
    }

    #[tokio::test]
    async fn who_comes_without_a_place_reads_on_and_nothing_twice() {
        let stream = Arc::new(SessionStream::new(0, &Arc::default()));
        stream.push_or_replace(Bytes::from_static(b"x"));
        stream.push_or_replace(Bytes::from_static(b"x"));
        assert_eq!(next(&read(&stream, 0)), Poll::Ready(Some(1)));
        let (reader, after) = stream.begin_reading(None);
        assert_eq!(after, 1);
        let again = StreamReading {
            stream: Arc::clone(&stream),
            reader,
            until: None,
        };
        assert_eq!(
            (next(&again), next(&again)),
            (Poll::Ready(Some(2)), Poll::Pending)
        );
    }

    #[tokio::test]
    async fn the_end_of_a_stream_lets_those_go_who_wait_for_room() {
        let stream = Arc::new(SessionStream::new(1, &Arc::default()));
        for _ in 0..WAITING_MESSAGES {
            stream.send(Bytes::from_static(b"x")).await;
        }
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut waiting = stream.send(Bytes::from_static(b"x"));
        assert!(
            waiting
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        stream.abandon();
        assert_eq!(woken.0.load(std::sync::atomic::Ordering::Relaxed), 1);
        assert!(
            waiting
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready()
        );
    }
}
