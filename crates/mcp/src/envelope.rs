//! The JSON-RPC envelope, read once and borrowed from the bytes it came in. What a method's
//! parameters mean is not known here.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::limits;
use crate::protocol_error::ProtocolError;

/// One JSON-RPC message.
#[derive(Debug)]
pub(crate) enum JsonRpcMessage<'a> {
    /// Wants an answer with this id.
    Request {
        id: &'a RawValue,
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
    },
    /// Wants none.
    Notification {
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
    },
    /// Answers a request of ours: its id, and the result unless it is an error.
    Response {
        id: Option<&'a RawValue>,
        result: Option<&'a RawValue>,
    },
}

/// A message that is no request, with the id to answer to where one could be read.
#[derive(Debug)]
pub(crate) struct Malformed<'a> {
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) error: ProtocolError,
}

/// The content of one HTTP body or one line: a message, or a batch of them (2025-03-26).
#[derive(Debug)]
pub(crate) enum Arrived<'a> {
    One(Result<JsonRpcMessage<'a>, Malformed<'a>>),
    Batch(Vec<&'a RawValue>),
}

/// Reads the bytes of one HTTP body or one line.
pub(crate) fn read(bytes: &[u8]) -> Arrived<'_> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let message = format!(
                "the message is not UTF-8: invalid byte at position {}",
                error.valid_up_to()
            );
            return Arrived::One(Err(Malformed {
                id: None,
                error: ProtocolError::parse(message),
            }));
        }
    };
    if !text.trim_start().starts_with('[') {
        return Arrived::One(read_message(text));
    }
    match serde_json::from_str::<Vec<&RawValue>>(text) {
        Ok(batch) => Arrived::Batch(batch),
        Err(error) => Arrived::One(Err(Malformed {
            id: None,
            error: not_json(&error),
        })),
    }
}

/// Reads one message, alone or out of a batch.
pub(crate) fn read_message(text: &str) -> Result<JsonRpcMessage<'_>, Malformed<'_>> {
    let fields: EnvelopeFields<'_> = serde_json::from_str(text).map_err(|error| Malformed {
        id: None,
        error: match error.classify() {
            serde_json::error::Category::Data => {
                ProtocolError::invalid_request(format!("not a JSON-RPC message: {error}"))
            }
            _ => not_json(&error),
        },
    })?;
    let id = match fields.id {
        Some(id) => Some(readable_id(id)?),
        None => None,
    };
    let invalid = |message: &'static str| Malformed {
        id,
        error: ProtocolError::invalid_request(message),
    };
    if fields.jsonrpc.map(RawValue::get) != Some(r#""2.0""#) {
        return Err(invalid(r#"`jsonrpc` must be "2.0""#));
    }
    let Some(method) = fields.method else {
        if fields.result.is_some() || fields.error.is_some() {
            return Ok(JsonRpcMessage::Response {
                id,
                result: fields.result,
            });
        }
        return Err(invalid("`method` is missing"));
    };
    let method = text_of(method).ok_or_else(|| invalid("`method` must be a string"))?;
    let params = fields.params.filter(|params| params.get() != "null");
    if params.is_some_and(|params| !params.get().starts_with('{')) {
        let error = match id {
            Some(_) => ProtocolError::invalid_params("`params` must be an object"),
            None => ProtocolError::invalid_request("`params` must be an object"),
        };
        return Err(Malformed { id, error });
    }
    Ok(match id {
        Some(id) => JsonRpcMessage::Request { id, method, params },
        None => JsonRpcMessage::Notification { method, params },
    })
}

/// The text of a JSON string, borrowed when it has no escapes; `None` for anything but a valid
/// string.
pub(crate) fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    text_in(raw.get())
}

/// The same of the JSON of one value.
pub(crate) fn text_in(json: &str) -> Option<Cow<'_, str>> {
    let inside = json.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') {
        serde_json::from_str(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inside))
    }
}

#[derive(Deserialize)]
#[serde(expecting = "struct Fields")]
struct EnvelopeFields<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Keeps an explicit `null` apart from an absent key.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// An id is a string or an integer; anything else is named and answered without it.
fn readable_id(id: &RawValue) -> Result<&RawValue, Malformed<'_>> {
    let text = id.get();
    let wrong = |message: String| {
        Err(Malformed {
            id: None,
            error: ProtocolError::invalid_request(message),
        })
    };
    if text.len() > limits::ID_BYTES {
        return wrong(format!("`id` is longer than {} bytes", limits::ID_BYTES));
    }
    let is_integer = text
        .strip_prefix('-')
        .unwrap_or(text)
        .bytes()
        .all(|byte| byte.is_ascii_digit());
    if is_integer || text_of(id).is_some() {
        Ok(id)
    } else {
        wrong(format!("`id` must be a string or an integer, not {}", text))
    }
}

fn not_json(error: &serde_json::Error) -> ProtocolError {
    ProtocolError::parse(format!("the message is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Arrived, JsonRpcMessage, read, read_message, text_of};

    fn code(text: &str) -> i32 {
        read_message(text).expect_err(text).error.code
    }

    #[test]
    fn messages_are_told_apart() {
        assert!(matches!(
            read_message(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#),
            Ok(JsonRpcMessage::Request { params: None, .. })
        ));
        assert!(matches!(
            read_message(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
            Ok(JsonRpcMessage::Notification { .. })
        ));
        assert!(matches!(
            read_message(r#"{"jsonrpc":"2.0","id":"s","result":null}"#),
            Ok(JsonRpcMessage::Response { .. })
        ));
        assert!(
            matches!(read(br#" [{"jsonrpc":"2.0"}, 3]"#), Arrived::Batch(batch) if batch.len() == 2)
        );
    }

    #[test]
    fn bad_input_has_its_code() {
        for text in [
            "",
            "{",
            "{]",
            "nul",
            r#"{"jsonrpc":"2.0","id":NaN}"#,
            r#"{"id":1}}"#,
        ] {
            assert_eq!(code(text), -32700, "{text}");
        }
        for text in [
            "3",
            "\"x\"",
            "null",
            "{}",
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"\ud800"}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
        ] {
            assert_eq!(code(text), -32600, "{text}");
        }
        assert_eq!(
            code(r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#),
            -32602
        );
        assert_eq!(
            code(r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}"#),
            -32602
        );
    }

    #[test]
    fn an_id_is_kept_for_the_answer_where_it_could_be_read() {
        let malformed = read_message(r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#)
            .expect_err("jsonrpc is wrong");
        assert_eq!(malformed.id.map(|id| id.get()), Some("\"a\""));
    }

    #[test]
    fn an_id_may_have_256_bytes_and_no_more() {
        let message = |length: usize| {
            format!(
                r#"{{"jsonrpc":"2.0","id":{},"method":"ping"}}"#,
                "9".repeat(length)
            )
        };
        assert!(read_message(&message(256)).is_ok());
        assert_eq!(code(&message(257)), -32600);
        assert_eq!(code(&message(5000)), -32600);
    }

    #[test]
    fn nesting_ten_thousand_deep_is_carried_and_not_walked() {
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"a":{}{}}}}}"#,
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        assert!(read_message(&deep).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn any_text_reads_back_from_its_json(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let raw: &serde_json::value::RawValue = serde_json::from_str(&json).unwrap();
            assert_eq!(text_of(raw).as_deref(), Some(text.as_str()));
        }
    }
}
