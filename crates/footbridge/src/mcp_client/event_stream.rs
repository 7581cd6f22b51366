//! Messages in a finished answer of the kind `text/event-stream`, in which a server of Streamable
//! HTTP may put others before the one that is waited for. Leaves what an event is to `sse-stream`.

use std::convert::Infallible;
use std::future::ready;

use axum::body::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use sse_stream::SseStream;

/// The messages, as far as they can be read.
pub(super) async fn messages(body: &Bytes) -> Vec<Value> {
    let events = events(body).await;
    let messages = events.iter().map(|data| serde_json::from_str(data));
    messages.filter_map(Result::ok).collect()
}

/// The data of each event that has some. Source: HTML, server-sent events, "Interpreting an event
/// stream"; the last event needs no empty line behind it. The lines are given one by one: what
/// `sse-stream` refuses, it refuses together with all that came with it, and a line that is of no
/// field says nothing.
async fn events(body: &Bytes) -> Vec<String> {
    let lines: Vec<Bytes> = body
        .split_inclusive(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|line| body.slice_ref(line))
        .chain([Bytes::from_static(b"\n\n")])
        .collect();
    SseStream::from_bytes_stream(stream::iter(lines).map(Ok::<_, Infallible>))
        .filter_map(|event| ready(event.ok().and_then(|event| event.data)))
        .collect()
        .await
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use serde_json::{Value, json};

    use super::{events, messages};

    #[tokio::test]
    async fn messages_are_found_among_events() {
        let stream = ": hello\n\nevent: message\nid: 1\ndata: {\"a\":\ndata: 1}\n\n\
                      data:\n\nretry: 5\ndata:{\"b\":2}\r\n\r\n";
        let found = async |text: &'static str| messages(&Bytes::from_static(text.as_bytes())).await;
        assert_eq!(found(stream).await, [json!({ "a": 1 }), json!({ "b": 2 })]);
        assert_eq!(found("data: {\"cut\": 1}").await, [json!({ "cut": 1 })]);
        assert_eq!(found("data: {\"cut\": ").await, Vec::<Value>::new());
    }

    #[tokio::test]
    async fn events_are_read_among_lines_that_say_nothing() {
        let stream = ": hello\n\nevent: message\nid: 1\ndata: {\"a\":\ndata: 1}\n\n\
                      data:\n\nretry: 5\r\nevent:é\r\ndata:x:y\r\n\r\nid: 7\n\n\
                      <html>\ndata: z\rcolour: red\r\rdata: last";
        assert_eq!(
            events(&Bytes::from_static(stream.as_bytes())).await,
            ["{\"a\":\n1}", "", "x:y", "z", "last"]
        );
    }
}
