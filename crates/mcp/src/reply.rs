//! Answers as bytes: one spliced from ready-made parts, or written once. Decides no status and no
//! content.

use ::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::output::{ErrorKind, Output};
use crate::protocol_error::ProtocolError;
use crate::question::Questions;
use crate::revision::Revision;

/// The bytes of one JSON-RPC message, in up to three pieces so that a shared result is never
/// copied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    /// All of it, or what stands before its result.
    head: Bytes,
    result: Bytes,
    /// Whether a brace is still to close it, after its result.
    is_open: bool,
    pub(crate) kind: OutcomeKind,
}

/// An answer with the HTTP status it has over HTTP; no reply for a notification.
#[derive(Debug)]
pub(crate) struct MessageAnswer {
    pub(crate) status: StatusCode,
    pub(crate) reply: Option<Reply>,
}

/// The kind of end that a request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OutcomeKind {
    /// With a result that is no error.
    #[default]
    Answered,
    /// With the result of a tool that is an error, of this kind.
    ToolFailed(ErrorKind),
    /// With an error of the protocol, of this code.
    Refused(i32),
    /// With questions: the client answers them and asks again.
    InputRequired,
    /// With a task, which goes on.
    BecameTask,
}

impl OutcomeKind {
    pub(crate) fn of(output: &Output) -> Self {
        output.error_kind().map_or(Self::Answered, Self::ToolFailed)
    }
}

/// A task as it stands in a message: a JSON object without its braces, and the result that belongs
/// to its end.
pub(crate) struct TaskSnapshot {
    pub(crate) fields: String,
    pub(crate) result: Option<Bytes>,
}

impl Reply {
    /// A result that is the same for every request: only the id is new.
    pub(crate) fn ready(id: &str, result: Bytes) -> Self {
        Self {
            head: Bytes::from(head(id, 0)),
            result,
            is_open: true,
            kind: OutcomeKind::Answered,
        }
    }

    /// The result of a tool call; `modern_tail` closes it on 2026-07-28.
    pub(crate) fn output(
        id: &str,
        output: &Output,
        structured: bool,
        modern_tail: Option<&str>,
    ) -> Self {
        let mut bytes = head(id, room_for(output, structured, modern_tail));
        append_output(&mut bytes, output, structured, modern_tail);
        bytes.push(b'}');
        Self::whole(bytes, OutcomeKind::of(output))
    }

    /// A new task; `meta` is the `_meta` of the result with its key.
    pub(crate) fn created_task(id: &str, seed: &str, meta: &str) -> Self {
        let mut bytes = head(id, 256 + seed.len() + meta.len());
        bytes.extend_from_slice(format!(r#"{{"resultType":"task",{seed},{meta}}}}}"#).as_bytes());
        Self::whole(bytes, OutcomeKind::BecameTask)
    }

    /// A task as it stands.
    pub(crate) fn task(id: &str, task: TaskSnapshot, modern_tail: &str) -> Self {
        let TaskSnapshot { fields, result } = task;
        let result = result.unwrap_or_default();
        let mut bytes = head(id, fields.len() + result.len() + modern_tail.len() + 16);
        bytes.push(b'{');
        bytes.extend_from_slice(fields.as_bytes());
        if !result.is_empty() {
            bytes.extend_from_slice(b",\"result\":");
            bytes.extend_from_slice(&result);
        }
        bytes.extend_from_slice(modern_tail.as_bytes());
        bytes.push(b'}');
        Self::whole(bytes, OutcomeKind::Answered)
    }

    /// A result that asks the client for more before the call can end.
    pub(crate) fn input_required(id: &str, questions: &Questions, state: &str, meta: &str) -> Self {
        let mut bytes = head(id, 512);
        bytes.extend_from_slice(b"{\"resultType\":\"input_required\",\"inputRequests\":");
        if serde_json::to_writer(&mut bytes, questions).is_err() {
            // Questions have text keys only, which always serialise.
            bytes.extend_from_slice(b"{}");
        }
        bytes.extend_from_slice(format!(r#","requestState":"{state}",{meta}}}}}"#).as_bytes());
        Self::whole(bytes, OutcomeKind::InputRequired)
    }

    /// An error; without a request to answer, the id is left out where the revision's schema allows
    /// it, and null before.
    pub(crate) fn error(
        id: Option<&str>,
        revision: Option<Revision>,
        error: &ProtocolError,
    ) -> Self {
        // What failed inside was told to the log where it failed.
        if *error != ProtocolError::internal() {
            tracing::debug!(code = error.code, id, revision = revision.map(Revision::as_str), message = %error.message, "refused");
        }
        let id = match id {
            Some(id) => format!(r#""id":{id},"#),
            None if revision.is_some_and(Revision::error_may_lack_id) => String::new(),
            None => r#""id":null,"#.to_owned(),
        };
        let body = error.to_json();
        Self::whole(
            format!(r#"{{"jsonrpc":"2.0",{id}"error":{body}}}"#).into_bytes(),
            OutcomeKind::Refused(error.code),
        )
    }

    /// Several answers as one batch.
    pub(crate) fn batch(replies: &[Self]) -> Self {
        let mut bytes =
            Vec::with_capacity(2 + replies.iter().map(|reply| reply.len() + 1).sum::<usize>());
        bytes.push(b'[');
        for (index, reply) in replies.iter().enumerate() {
            if index > 0 {
                bytes.push(b',');
            }
            reply.append_to(&mut bytes);
        }
        bytes.push(b']');
        Self::whole(bytes, OutcomeKind::Answered)
    }

    /// How many bytes there are; none of one whose pieces were all taken.
    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.result.len() + usize::from(self.is_open)
    }

    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.head);
        bytes.extend_from_slice(&self.result);
        if self.is_open {
            bytes.push(b'}');
        }
    }

    /// Takes the next piece of it.
    pub(crate) fn next_piece(&mut self) -> Option<Bytes> {
        if let Some(piece) = [&mut self.head, &mut self.result]
            .into_iter()
            .find(|piece| !piece.is_empty())
        {
            return Some(std::mem::take(piece));
        }
        std::mem::take(&mut self.is_open).then(|| Bytes::from_static(b"}"))
    }

    fn whole(bytes: Vec<u8>, kind: OutcomeKind) -> Self {
        Self {
            head: Bytes::from(bytes),
            result: Bytes::new(),
            is_open: false,
            kind,
        }
    }
}

/// The result of a tool call by itself, as a JSON object.
pub(crate) fn tool_result(output: &Output, structured: bool, modern_tail: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(room_for(output, structured, Some(modern_tail)));
    append_output(&mut bytes, output, structured, Some(modern_tail));
    bytes
}

fn structured_of(output: &Output, structured: bool) -> Option<&str> {
    output
        .structured
        .as_deref()
        .filter(|_| structured)
        .map(serde_json::value::RawValue::get)
}

fn room_for(output: &Output, structured: bool, modern_tail: Option<&str>) -> usize {
    let text_bytes = output.first_text().map_or(64, str::len);
    text_bytes
        + text_bytes / 8
        + structured_of(output, structured).map_or(0, str::len)
        + modern_tail.map_or(1, str::len)
        + 96
}

fn append_output(
    bytes: &mut Vec<u8>,
    output: &Output,
    structured: bool,
    modern_tail: Option<&str>,
) {
    bytes.extend_from_slice(b"{\"content\":");
    if serde_json::to_writer(&mut *bytes, &output.content).is_err() {
        // Content is strings only, which always serialise; an empty list keeps the message valid
        // all the same.
        bytes.extend_from_slice(b"[]");
    }
    if let Some(structured) = structured_of(output, structured) {
        bytes.extend_from_slice(b",\"structuredContent\":");
        let start = bytes.len();
        bytes.extend_from_slice(structured.as_bytes());
        join_lines(bytes.get_mut(start..).unwrap_or_default());
    }
    if output.is_error() {
        bytes.extend_from_slice(b",\"isError\":true");
    }
    append_end(bytes, output.meta.as_deref(), modern_tail);
}

/// A result, from its JSON without the closing brace, with what closes it.
pub(crate) fn closed(open: String, meta: Option<&Map<String, Value>>, tail: Option<&str>) -> Bytes {
    let mut bytes = open.into_bytes();
    append_end(&mut bytes, meta.filter(|meta| !meta.is_empty()), tail);
    Bytes::from(bytes)
}

/// What closes the result of a tool: its own `_meta`, joined with that of every modern result.
fn append_end(bytes: &mut Vec<u8>, meta: Option<&Map<String, Value>>, modern_tail: Option<&str>) {
    let meta_json = meta.and_then(|meta| serde_json::to_string(meta).ok());
    match (meta_json, modern_tail) {
        (None, tail) => bytes.extend_from_slice(tail.unwrap_or("}").as_bytes()),
        (Some(meta_json), None) => {
            bytes.extend_from_slice(b",\"_meta\":");
            bytes.extend_from_slice(meta_json.as_bytes());
            bytes.push(b'}');
        }
        // The tail closes `_meta` and the result, in this order.
        (Some(meta_json), Some(tail)) => {
            let open = tail.strip_suffix("}}").unwrap_or(tail);
            bytes.extend_from_slice(open.as_bytes());
            bytes.push(b',');
            bytes.extend_from_slice(meta_json.strip_prefix('{').unwrap_or(&meta_json).as_bytes());
            bytes.push(b'}');
        }
    }
}

/// Makes one line of JSON that may stand on several: a line end inside JSON is white space, because
/// strings hold none.
fn join_lines(json: &mut [u8]) {
    while let Some(line_end) =
        memchr::memchr2(b'\n', b'\r', json).and_then(|found| json.get_mut(found))
    {
        *line_end = b' ';
    }
}

fn head(id: &str, room: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(id.len() + 40 + room);
    bytes.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    bytes.extend_from_slice(id.as_bytes());
    bytes.extend_from_slice(b",\"result\":");
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::append_end;

    #[test]
    fn the_own_meta_of_a_result_stands_beside_that_of_every_result() {
        let own = json!({ "a/b": { "c": "}}" } });
        let closed = |own: Option<&serde_json::Value>, tail| {
            let mut bytes = b"{\"content\":[]".to_vec();
            append_end(&mut bytes, own.and_then(|own| own.as_object()), tail);
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
        };
        let tail = r#","resultType":"complete","_meta":{"s":{"n":1}}}"#;
        let every =
            json!({ "content": [], "resultType": "complete", "_meta": { "s": { "n": 1 } } });
        assert_eq!(closed(None, Some(tail)), every);
        assert_eq!(closed(None, None), json!({ "content": [] }));
        assert_eq!(
            closed(Some(&own), None),
            json!({ "content": [], "_meta": own })
        );
        let mut both = every;
        both["_meta"]["a/b"] = own["a/b"].clone();
        assert_eq!(closed(Some(&own), Some(tail)), both);
    }
}
