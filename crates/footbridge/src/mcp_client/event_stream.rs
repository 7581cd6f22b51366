//! HTTP+SSE, the transport of revision 2024-11-05, from the client's side: one stream of events that says where messages go and carries the
//! answers to them. Sends nothing itself.

use std::collections::VecDeque;

use axum::body::Bytes;
use footbridge_connector::{Arriving, Network, Unanswered};
use http::{Request, StatusCode, header};
use serde_json::Value;
use url::Url;

use super::LIMITS;
use crate::exit::Trouble;

/// An open stream. All of it has no more bytes than one answer may have, and each event no more time.
#[derive(Debug)]
pub(super) struct EventStream {
    arriving: Arriving,
    url: Url,
    /// Where messages go.
    pub(super) messages: Url,
    events: Events,
    waiting: VecDeque<Event>,
    bytes: usize,
}

impl EventStream {
    /// Opens the stream of a server; none when what answers there is no such stream.
    ///
    /// # Errors
    /// When it names a place for messages that is not its own.
    pub(super) async fn open(network: &Network, url: &Url, request: Request<Bytes>) -> Result<Option<Self>, Trouble> {
        let Ok(Ok(arriving)) = tokio::time::timeout(LIMITS.time, network.open(request)).await else { return Ok(None) };
        let kind = arriving.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if arriving.status() != StatusCode::OK || !kind.starts_with("text/event-stream") {
            return Ok(None);
        }
        let (events, waiting) = (Events::default(), VecDeque::new());
        let mut stream = Self { arriving, url: url.clone(), messages: url.clone(), events, waiting, bytes: 0 };
        let Ok(Some(first)) = stream.next().await else { return Ok(None) };
        if first.name != "endpoint" {
            return Ok(None);
        }
        let messages = url.join(first.data.trim()).ok().filter(|messages| messages.origin() == url.origin());
        stream.messages = messages.ok_or_else(|| {
            Trouble::failed(format!("{url} names another place for its messages, where nothing is sent; is that an MCP server?"))
        })?;
        Ok(Some(stream))
    }

    /// The answer with that id.
    pub(super) async fn answer(&mut self, id: u64) -> Result<Value, Trouble> {
        while let Some(event) = self.next().await? {
            match serde_json::from_str::<Value>(&event.data) {
                Ok(message) if message.get("id").and_then(Value::as_u64) == Some(id) && message.get("method").is_none() => {
                    return Ok(message);
                }
                _ => {}
            }
        }
        Err(Trouble::failed(format!("{} ended its stream before it answered; is the server running?", self.url)))
    }

    async fn next(&mut self) -> Result<Option<Event>, Trouble> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            let piece = tokio::time::timeout(LIMITS.time, self.arriving.chunk()).await.unwrap_or(Err(Unanswered::TimedOut));
            let Some(piece) = piece.map_err(|why| super::unreached(&self.url, &why))? else { return Ok(None) };
            self.bytes += piece.len();
            if self.bytes > LIMITS.bytes {
                return Err(super::unreached(&self.url, &Unanswered::TooLarge));
            }
            self.waiting.extend(self.events.take(&piece));
        }
    }
}

/// A server-sent event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its kind; empty when it says none.
    pub(super) name: String,
    pub(super) data: String,
}

/// Reads a stream of events as it comes. Source: HTML, server-sent events, "Interpreting an event stream".
#[derive(Debug, Default)]
pub(super) struct Events {
    /// A line that has not ended.
    line: Vec<u8>,
    name: String,
    data: Option<String>,
}

impl Events {
    /// The events that end in this piece.
    pub(super) fn take(&mut self, piece: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                events.extend(self.line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r'])));
            }
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            return self.data.take().map(|data| Event { name, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Events};

    const STREAM: &str =
        ": hello\n\nevent: message\nid: 1\ndata: {\"a\":\ndata: 1}\n\ndata:\n\nretry: 5\r\nevent:é\r\ndata:x:y\r\n\r\ndata: cut";

    fn expected() -> Vec<Event> {
        let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
        vec![event("message", "{\"a\":\n1}"), event("", ""), event("é", "x:y")]
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        assert_eq!(Events::default().take(STREAM.as_bytes()), expected());
        for size in 1..STREAM.len() {
            let mut events = Events::default();
            let found: Vec<Event> = STREAM.as_bytes().chunks(size).flat_map(|piece| events.take(piece)).collect();
            assert_eq!(found, expected(), "{size}");
        }
    }
}
