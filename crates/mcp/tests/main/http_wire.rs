//! What an HTTP connection carries, told to the conversation that it belongs to: a session's, a
//! channel's, or its own. Not a client.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use crate::http_client::{Reply, StreamEvent};
use crate::wire::Wire;

type Shared = Arc<Mutex<Wire>>;

/// One connection.
#[derive(Default)]
pub(crate) struct HttpWire {
    /// What was sent and is no whole request yet.
    begun: Vec<u8>,
    /// The conversations of the requests that wait for their answer.
    waiting: VecDeque<Shared>,
    /// That of the answer that came last, whose stream may go on.
    current: Option<Shared>,
}

/// Sessions by their id, channels by the address that messages go to: both are random.
fn conversations() -> MutexGuard<'static, HashMap<String, Shared>> {
    static CONVERSATIONS: OnceLock<Mutex<HashMap<String, Shared>>> = OnceLock::new();
    CONVERSATIONS
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn open(shared: &Shared) -> MutexGuard<'_, Wire> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HttpWire {
    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
        while let Some((head, body)) = whole_request(&mut self.begun) {
            let wire = conversation_of(&head);
            open(&wire).sent_text(&body);
            self.waiting.push_back(wire);
        }
    }

    pub(crate) fn answered(&mut self, reply: &Reply) {
        if reply.status == 100 {
            return;
        }
        // An answer to a request that is not whole is one of any revision.
        let wire = self
            .waiting
            .pop_front()
            .unwrap_or_else(|| Arc::new(Mutex::new(Wire::anything())));
        if let Some(session) = reply.header("mcp-session-id") {
            conversations().insert(session.to_owned(), Arc::clone(&wire));
        }
        if reply.header("content-type") == Some("application/json") {
            let message: Value = serde_json::from_slice(&reply.body).expect("the body is JSON");
            // All other JSON that this crate serves is the metadata of a protected resource.
            if message.get("authorization_servers").is_none() {
                open(&wire).received(&message);
            }
        }
        self.current = Some(wire);
    }

    pub(crate) fn heard(&mut self, event: &StreamEvent) {
        if event.kind == "endpoint" {
            let wire = Arc::new(Mutex::new(Wire::default()));
            conversations().insert(event.data.clone(), Arc::clone(&wire));
            self.current = Some(wire);
        } else if !event.data.is_empty() {
            let message = serde_json::from_str(&event.data).expect("an event holds JSON");
            open(self.current.as_ref().expect("a stream is an answer")).received(&message);
        }
    }
}

/// The conversation that a request says it belongs to.
fn conversation_of(head: &str) -> Shared {
    let header = |name: &str| {
        let lines = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        lines
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    };
    let path = head.split(' ').nth(1).unwrap_or_default();
    let known = conversations();
    let version = header("mcp-protocol-version");
    // 2026-07-28 has no sessions: a request of it stands alone, whatever else its head holds.
    let session = header("mcp-session-id").filter(|_| version != Some(crate::schemas::MODERN));
    let found = session
        .and_then(|session| known.get(session))
        .or_else(|| known.get(path));
    found
        .cloned()
        .unwrap_or_else(|| Arc::new(Mutex::new(Wire::with_header(version))))
}

/// Takes the first request off, once it is there to its end.
fn whole_request(bytes: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let lower = head.to_ascii_lowercase();
    let (body, end) = if lower.contains("transfer-encoding: chunked") {
        chunks(bytes, head_end)?
    } else {
        let length = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let end = head_end + length.map_or(0, |length| length.trim().parse().unwrap_or(0));
        (bytes.get(head_end..end)?.to_vec(), end)
    };
    bytes.drain(..end);
    Some((head, body))
}

/// The body that is sent in chunks from a place on, and where it ends.
fn chunks(bytes: &[u8], mut place: usize) -> Option<(Vec<u8>, usize)> {
    let mut body = Vec::new();
    loop {
        let line_end = place
            + bytes
                .get(place..)?
                .windows(2)
                .position(|window| window == b"\r\n")?;
        let length =
            usize::from_str_radix(std::str::from_utf8(&bytes[place..line_end]).ok()?, 16).ok()?;
        let chunk = bytes.get(line_end + 2..line_end + 2 + length)?;
        body.extend_from_slice(chunk);
        place = line_end + 2 + length + 2;
        if length == 0 {
            return (bytes.len() >= place).then_some((body, place));
        }
    }
}
