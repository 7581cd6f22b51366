//! Events. The library writes them and reads none, so a reader made after the HTML standard reads
//! what it wrote: whatever is said arrives, once and whole. And `Last-Event-ID`, which is what the
//! library does read of a stream: any value is a place in it or is refused.
//!
//! Input: the place in the first line, what is said in the others.
#![no_main]

use http::{HeaderValue, Method, StatusCode};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|data: &[u8]| {
    let (place, text) = data
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or((data, &[][..]), |end| (&data[..end], &data[end + 1..]));
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let body = fuzz::request(
        "tools/call",
        json!({"name": "say", "arguments": {"text": text}}),
    );
    let mut headers = fuzz::headers(Some("tools/call"));
    headers.insert("mcp-name", HeaderValue::from_static("say"));
    let answer = fuzz::ask(Method::POST, headers, body.to_string().as_bytes());
    let messages = read(&answer.body);
    let [progress, log, last] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!(progress["params"]["message"], text);
    assert_eq!(
        (&log["params"]["data"], &log["params"]["logger"]),
        (&json!(text), &json!(text))
    );
    assert_eq!(last["result"]["content"][0]["text"], text);

    let Ok(place) = HeaderValue::from_bytes(place) else {
        return;
    };
    let opening = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "fuzz", "version": "1"}}});
    let opened = fuzz::ask(
        Method::POST,
        fuzz::headers(None),
        opening.to_string().as_bytes(),
    );
    let mut headers = fuzz::headers(None);
    headers.insert("mcp-session-id", opened.headers["mcp-session-id"].clone());
    // Nothing was said yet in this session, so there is no place in it to come back to.
    let mut returning = headers.clone();
    returning.insert("last-event-id", place);
    assert_eq!(
        fuzz::ask(Method::GET, returning, b"").status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        fuzz::ask(Method::DELETE, headers, b"").status,
        StatusCode::NO_CONTENT
    );
});

/// Reads a whole stream. Source: HTML standard, "Interpreting an event stream".
fn read(stream: &[u8]) -> Vec<Value> {
    let stream = std::str::from_utf8(stream)
        .expect("a stream is UTF-8")
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let (mut messages, mut data) = (Vec::new(), Vec::new());
    for line in stream.lines() {
        if line.is_empty() {
            if !data.is_empty() {
                messages
                    .push(serde_json::from_str(&data.join("\n")).expect("an event is a message"));
            }
            data.clear();
        } else if let Some(("data", value)) = line.split_once(':') {
            data.push(value.strip_prefix(' ').unwrap_or(value).to_owned());
        }
    }
    assert!(data.is_empty(), "the last event does not end");
    messages
}
