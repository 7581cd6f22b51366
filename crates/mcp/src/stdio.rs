//! The stdio transport: one JSON-RPC message a line, a thread that reads, a thread that writes, and
//! a task only for a call that has to wait.
//!
//! The thread that reads starts each call and answers at once when the tool is ready at once; a
//! call that waits moves to the runtime, so it never delays the next line. Nothing but protocol
//! lines goes to the output.

mod calls;
mod input;
mod output;

use std::future::Future;
use std::io::{Read, Write};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};

use crate::changes::{Change, Listener};
use crate::conversation::Conversation;
use crate::dispatch::{self, Arrival, Dispatched, MessageOrigin};
use crate::endpoint::Endpoint;
use crate::limits;
use crate::outlet::Outlet;
use crate::protocol_error::ProtocolError;
use crate::reply::Reply;
use calls::{CallRefusal, ConnectionCalls};
use input::{Line, Lines};
use output::Outbox;

/// A connection over a pair of byte streams, usually stdin and stdout.
///
/// ```no_run
/// use footbridge_mcp::stdio::Connection;
/// use std::time::Duration;
///
/// # async fn run(endpoint: footbridge_mcp::Endpoint<()>) -> std::io::Result<()> {
/// // Nothing else may print to stdout from here on.
/// let mut connection = Connection::start(endpoint, (), std::io::stdin(), std::io::stdout())?;
/// connection.ended().await;
/// connection.finish(Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
pub struct Connection {
    calls: Arc<ConnectionCalls>,
    outbox: Arc<Outbox>,
    conversation: Arc<Conversation>,
    /// Listens to changes as long as the connection lasts.
    _listener: Arc<dyn Listener>,
    ended: watch::Receiver<bool>,
    /// Completes when the writing thread drops its end.
    written: oneshot::Receiver<()>,
}

/// Held by both threads: whichever ends first, and however, ends the connection.
struct ConnectionGuard(watch::Sender<bool>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// Answers to lines that came together are sent together, up to about this many bytes.
const BYTES_TOGETHER: usize = 256 * 1024;

impl Connection {
    /// Starts serving one caller. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start<C, R, W>(
        endpoint: Endpoint<C>,
        caller: impl Into<Arc<C>>,
        input: R,
        output: W,
    ) -> std::io::Result<Self>
    where
        C: Send + Sync + 'static,
        R: Read + Send + 'static,
        W: Write + Send + 'static,
    {
        let runtime = Handle::current();
        let calls = Arc::new(ConnectionCalls::default());
        let outbox = Arc::new(Outbox::default());
        let (ended_sender, ended) = watch::channel(false);
        let (written_sender, written) = oneshot::channel();
        std::thread::Builder::new()
            .name("mcp-stdio-writer".to_owned())
            .spawn({
                let (outbox, ending) = (Arc::clone(&outbox), ConnectionGuard(ended_sender.clone()));
                move || {
                    outbox.write_all_to(output);
                    drop::<(ConnectionGuard, oneshot::Sender<()>)>((ending, written_sender));
                }
            })?;
        let conversation = Arc::<Conversation>::default();
        let listener: Arc<dyn Listener> = Arc::new(StdioListener {
            conversation: Arc::clone(&conversation),
            outbox: Arc::clone(&outbox),
        });
        endpoint.hub().add(&listener);
        let serving = Serving {
            endpoint,
            caller: caller.into(),
            conversation: Arc::clone(&conversation),
            calls: Arc::clone(&calls),
            outbox: Arc::clone(&outbox),
            runtime,
        };
        let ending = ConnectionGuard(ended_sender);
        std::thread::Builder::new()
            .name("mcp-stdio-reader".to_owned())
            .spawn(move || {
                serving.read_all(input);
                drop((serving, ending));
            })?;
        Ok(Self {
            calls,
            outbox,
            conversation,
            _listener: listener,
            ended,
            written,
        })
    }

    /// Completes at the end of the input, or when the output is gone.
    pub async fn ended(&mut self) {
        // An error means that both threads are gone, which is the same end.
        let _ended = self.ended.wait_for(|ended| *ended).await;
    }

    /// Starts no more calls, lets those that run finish and writes what is still to be written, all
    /// of it at most this long: the last tenth is for writing. Neither an input that goes on nor an
    /// output that is stuck holds it up.
    pub async fn finish(self, within: Duration) {
        let end = Instant::now() + within;
        self.calls.close();
        self.conversation.end();
        if timeout_at(end - within / 10, self.calls.idle())
            .await
            .is_err()
        {
            tracing::warn!(
                seconds = within.as_secs(),
                "some calls did not finish in time and were stopped"
            );
            self.calls.by_id.close();
        }
        self.outbox.close();
        if timeout_at(end, self.written).await.is_err() {
            tracing::warn!("the client did not read its last answers");
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Connection")
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

/// Tells a client of the legacy era what changes; one of 2026-07-28 asks for it.
struct StdioListener {
    conversation: Arc<Conversation>,
    outbox: Arc<Outbox>,
}

impl Listener for StdioListener {
    fn tell(&self, change: &Change) {
        if self.conversation.hears_of(change) {
            // A client that does not read misses it: it has more than enough to read already.
            let _told = self.outbox.try_send(change.notification(None));
        }
    }

    fn wants(&self, change: &Change) -> bool {
        self.conversation.wants(change)
    }
}

/// The things that the reading thread needs.
struct Serving<C> {
    endpoint: Endpoint<C>,
    caller: Arc<C>,
    conversation: Arc<Conversation>,
    calls: Arc<ConnectionCalls>,
    outbox: Arc<Outbox>,
    runtime: Handle,
}

impl<C> Drop for Serving<C> {
    fn drop(&mut self) {
        self.calls.end_reading();
    }
}

impl<C: Send + Sync + 'static> Serving<C> {
    fn read_all(&self, input: impl Read) {
        // Tools may use timers and sockets of the runtime when they are first polled here.
        let _runtime = self.runtime.enter();
        let mut lines = Lines::new(input, self.endpoint.message_bytes());
        let mut answers = Vec::new();
        loop {
            match lines.next_buffered() {
                Some(line) => {
                    self.take(line, &mut answers);
                    if answers.len() >= BYTES_TOGETHER && !self.outbox.push(&mut answers) {
                        return;
                    }
                }
                None => {
                    if !self.outbox.push(&mut answers) {
                        return;
                    }
                    self.conversation.answers_left();
                    self.calls.end_reading();
                    match lines.fill() {
                        Ok(true) => self.calls.begin_reading(),
                        Ok(false) => break,
                        Err(error) => {
                            tracing::warn!(%error, "stdin could not be read");
                            break;
                        }
                    }
                }
            }
        }
        self.calls.begin_reading();
        if let Some(line) = lines.last() {
            self.take(line, &mut answers);
        }
        self.outbox.push(&mut answers);
    }

    fn take(&self, line: Line<'_>, answers: &mut Vec<u8>) {
        let bytes = match line {
            Line::Message(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => return,
            Line::Message(bytes) => bytes,
            Line::TooLong => {
                let error = ProtocolError::too_large(self.endpoint.message_bytes());
                return write(
                    &Reply::error(None, self.conversation.revision(), &error),
                    answers,
                );
            }
        };
        let size = bytes.len();
        match dispatch::take(&self.endpoint, bytes, &self.arrival()) {
            Dispatched::Answered(answer) => write_some(answer.reply.as_ref(), answers),
            Dispatched::Cancel(id) => self.calls.by_id.take_back(&id),
            Dispatched::Calling(calling) => {
                let id = Arc::clone(calling.id());
                self.start(Some(&id), 1, size, calling, answers);
            }
            batch => {
                let batch = batch.enter(&self.calls.by_id);
                self.start(None, batch.calls(), size, batch.finish(), answers);
            }
        }
    }

    fn arrival(&self) -> Arrival<'_, C> {
        let outlet: Arc<dyn Outlet> = Arc::clone(&self.outbox) as Arc<dyn Outlet>;
        Arrival {
            origin: MessageOrigin::channel(&self.conversation),
            caller: &self.caller,
            body: None,
            outlet: Some(outlet),
            opening: None,
            ending: None,
        }
    }

    /// Polls a call once where it is, if it need not wait for a place; only one that waits becomes
    /// a task. A batch has no id; the calls in it have theirs, and take as many places.
    fn start(
        &self,
        id: Option<&str>,
        calls: u32,
        size: usize,
        call: impl Future<Output = dispatch::MessageAnswer> + Send + 'static,
        answers: &mut Vec<u8>,
    ) {
        let place = match self.calls.place(id, calls, size) {
            Ok(place) => place,
            Err(refused) => return self.refuse(id, &refused, answers),
        };
        let mut call = Box::pin(call);
        if place.is_free()
            && let Poll::Ready(answer) = call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            return write_some(answer.reply.as_ref(), answers);
        }
        let task = async move {
            let mut bytes = Vec::new();
            write_some(call.await.reply.as_ref(), &mut bytes);
            bytes
        };
        let under_way = id.and_then(|id| self.calls.by_id.begin(id));
        self.calls.spawn(
            &self.runtime,
            under_way,
            place,
            task,
            Arc::clone(&self.outbox),
        );
    }

    fn refuse(&self, id: Option<&str>, refused: &CallRefusal, answers: &mut Vec<u8>) {
        let error = match refused {
            CallRefusal::IdInUse => ProtocolError::invalid_request(format!(
                "a request with the id {} is still running",
                id.unwrap_or_default()
            )),
            CallRefusal::TooMany => ProtocolError::busy(limits::CALLS_IN_FLIGHT),
            CallRefusal::Closed => ProtocolError::stopping(),
        };
        write(
            &Reply::error(id, self.conversation.revision(), &error),
            answers,
        );
    }
}

fn write_some(reply: Option<&Reply>, answers: &mut Vec<u8>) {
    if let Some(reply) = reply {
        write(reply, answers);
    }
}

fn write(reply: &Reply, answers: &mut Vec<u8>) {
    reply.append_to(answers);
    answers.push(b'\n');
}
