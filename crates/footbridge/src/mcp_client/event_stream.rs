//! HTTP+SSE, the transport of revision 2024-11-05, from the client's side: one stream of events
//! that says where messages go and carries the answers to them. Sends nothing itself, and leaves
//! what an event is to `sse-stream`.

use axum::body::Bytes;
use footbridge_connector::{Arriving, Network, Unanswered};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use http::{Request, StatusCode, header};
use serde_json::Value;
use sse_stream::SseStream;
use url::Url;

use super::LIMITS;
use crate::exit::Trouble;

/// An open stream. All of it has no more bytes than one answer may have, and each piece no more
/// time.
pub(super) struct EventStream {
    events: BoxStream<'static, Result<Event, Unanswered>>,
    url: Url,
    /// Where messages go.
    pub(super) messages: Url,
}

impl EventStream {
    /// Opens the stream of a server; none when what answers there is no such stream.
    ///
    /// # Errors
    /// When it names a place for messages that is not its own.
    pub(super) async fn open(
        network: &Network,
        url: &Url,
        request: Request<Bytes>,
    ) -> Result<Option<Self>, Trouble> {
        let Ok(Ok(arriving)) = tokio::time::timeout(LIMITS.time, network.open(request)).await
        else {
            return Ok(None);
        };
        let kind = arriving
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if arriving.status() != StatusCode::OK || !kind.starts_with("text/event-stream") {
            return Ok(None);
        }
        let mut events = events(pieces(arriving)).boxed();
        let Some(Ok(first)) = events.next().await else {
            return Ok(None);
        };
        if first.name != "endpoint" {
            return Ok(None);
        }
        let messages = url
            .join(first.data.trim())
            .ok()
            .filter(|messages| messages.origin() == url.origin());
        let messages = messages.ok_or_else(|| {
            Trouble::failed(format!("{url} names another place for its messages, where nothing is sent; is that an MCP server?"))
        })?;
        Ok(Some(Self {
            events,
            url: url.clone(),
            messages,
        }))
    }

    /// The answer with that id.
    pub(super) async fn answer(&mut self, id: u64) -> Result<Value, Trouble> {
        while let Some(event) = self.events.next().await {
            let event = event.map_err(|why| super::unreached(&self.url, &why))?;
            match serde_json::from_str::<Value>(&event.data) {
                Ok(message)
                    if message.get("id").and_then(Value::as_u64) == Some(id)
                        && message.get("method").is_none() =>
                {
                    return Ok(message);
                }
                _ => {}
            }
        }
        Err(Trouble::failed(format!(
            "{} ended its stream before it answered; is the server running?",
            self.url
        )))
    }
}

/// The pieces of an answer as they come.
fn pieces(arriving: Arriving) -> impl Stream<Item = Result<Bytes, Unanswered>> {
    stream::try_unfold(
        (arriving, LIMITS.bytes),
        |(mut arriving, left)| async move {
            let piece = tokio::time::timeout(LIMITS.time, arriving.chunk())
                .await
                .unwrap_or(Err(Unanswered::TimedOut))?;
            let Some(piece) = piece else { return Ok(None) };
            let left = left.checked_sub(piece.len()).ok_or(Unanswered::TooLarge)?;
            Ok(Some((piece, (arriving, left))))
        },
    )
}

/// A server-sent event that has data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its kind; empty when it says none.
    pub(super) name: String,
    pub(super) data: String,
}

/// The events in these pieces. Source: HTML, server-sent events, "Interpreting an event stream".
pub(super) fn events(
    pieces: impl Stream<Item = Result<Bytes, Unanswered>>,
) -> impl Stream<Item = Result<Event, Unanswered>> {
    let events = SseStream::from_bytes_stream(pieces.map_ok(lines).try_flatten());
    events.filter_map(async |event| match event {
        Ok(event) => event.data.map(|data| {
            Ok(Event {
                name: event.event.unwrap_or_default(),
                data,
            })
        }),
        Err(sse_stream::Error::Body(why)) => Some(Err(why
            .downcast()
            .map_or_else(|why| Unanswered::Broken(why.to_string()), |why| *why))),
        // A line that is of no field, or of one that it does not know, says nothing; so the
        // standard.
        Err(_) => None,
    })
}

/// A piece line by line: what `sse-stream` refuses, it refuses together with all that came with it.
fn lines(piece: Bytes) -> impl Stream<Item = Result<Bytes, Unanswered>> {
    let lines: Vec<Bytes> = piece
        .split_inclusive(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|line| piece.slice_ref(line))
        .collect();
    stream::iter(lines).map(Ok)
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures_util::{TryStreamExt as _, stream};

    use super::{Event, events};

    const STREAM: &str = ": hello\n\nevent: message\nid: 1\ndata: {\"a\":\ndata: 1}\n\ndata:\n\nretry: 5\r\nevent:é\r\ndata:x:y\r\n\r\nid: 7\n\n<html>\ndata: z\rcolour: red\r\rdata: cut";

    fn expected() -> Vec<Event> {
        let event = |name: &str, data: &str| Event {
            name: name.to_owned(),
            data: data.to_owned(),
        };
        vec![
            event("message", "{\"a\":\n1}"),
            event("", ""),
            event("é", "x:y"),
            event("", "z"),
        ]
    }

    #[tokio::test]
    async fn events_are_read_however_they_are_cut() {
        for size in 1..=STREAM.len() {
            let pieces: Vec<_> = STREAM
                .as_bytes()
                .chunks(size)
                .map(|piece| Ok(Bytes::copy_from_slice(piece)))
                .collect();
            let found: Vec<Event> = events(stream::iter(pieces)).try_collect().await.unwrap();
            assert_eq!(found, expected(), "{size}");
        }
    }
}
