//! Protocol mistakes: JSON-RPC errors with their code, text and HTTP status. An error that the
//! client's language model can mend is a result of the tool and not one of these.

use std::borrow::Cow;

use serde_json::Value;

use crate::revision::Revision;

/// A JSON-RPC error as it will be answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProtocolError {
    pub(crate) code: i32,
    pub(crate) message: Cow<'static, str>,
    pub(crate) data: Option<Box<Value>>,
    status: Status,
}

/// Which HTTP status an error has, where the revision decides.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Status {
    /// 200: the transport did its part, the request was at fault.
    InBand,
    /// 400 for every revision.
    BadRequest,
    /// 400 on 2026-07-28, 200 before.
    MissingCapability,
    /// 404 on 2026-07-28, 200 before.
    UnknownMethod,
    /// 403 for every revision.
    Forbidden,
    /// 413 for every revision.
    TooLarge,
}

impl ProtocolError {
    fn new(code: i32, message: impl Into<Cow<'static, str>>, status: Status) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
            status,
        }
    }

    fn with_data(mut self, data: Value) -> Self {
        self.data = Some(Box::new(data));
        self
    }

    /// -32700: the bytes are not JSON.
    pub(crate) fn parse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32700, message, Status::BadRequest)
    }

    /// -32600: JSON, but not a request.
    pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32600, message, Status::BadRequest)
    }

    /// -32600: a request that is in order, of a caller who may not make it.
    pub(crate) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32600, message, Status::Forbidden)
    }

    /// -32600 for a message over the size limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(
            -32600,
            format!("the message is longer than {limit} bytes; send less in one call"),
            Status::TooLarge,
        )
    }

    /// -32601, which is HTTP 404 on 2026-07-28.
    pub(crate) fn unknown_method(method: &str) -> Self {
        Self::new(
            -32601,
            format!("unknown method: {}", excerpt(method)),
            Status::UnknownMethod,
        )
    }

    /// -32602: the method is known, its parameters are wrong.
    pub(crate) fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32602, message, Status::InBand)
    }

    /// -32602 for a request of 2026-07-28 that lacks its required metadata, which is HTTP 400.
    pub(crate) fn missing_meta(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32602, message, Status::BadRequest)
    }

    /// -32603: our fault; the text says nothing of the cause.
    pub(crate) fn internal() -> Self {
        Self::new(
            -32603,
            "internal error; the server's log has the details",
            Status::InBand,
        )
    }

    /// -32603: it took too long.
    pub(crate) fn too_slow(limit: std::time::Duration) -> Self {
        Self::new(
            -32603,
            format!("stopped after {} s, the time limit", limit.as_secs_f64()),
            Status::InBand,
        )
    }

    /// A resource that is not there: its code is the revision's.
    pub(crate) fn resource_not_found(uri: &str, revision: Option<Revision>) -> Self {
        let code = revision
            .unwrap_or(Revision::NEWEST_LEGACY)
            .resource_not_found_code();
        Self::new(code, "resource not found", Status::InBand)
            .with_data(serde_json::json!({ "uri": excerpt(uri) }))
    }

    /// -32603: too much at once.
    pub(crate) fn busy(limit: usize) -> Self {
        Self::new(
            -32603,
            format!("{limit} calls are already running on this connection; wait for one to finish"),
            Status::InBand,
        )
    }

    /// -32603: too many tasks.
    pub(crate) fn too_many_tasks(limit: usize) -> Self {
        let message =
            format!("{limit} tasks are being kept already; wait until one has had its time");
        Self::new(-32603, message, Status::InBand)
    }

    /// -32603: a call that must become a task cannot; why.
    pub(crate) fn no_task(why: String) -> Self {
        Self::new(-32603, why, Status::InBand)
    }

    /// -32603: the result of a task is longer than one may be.
    pub(crate) fn result_too_large(size: usize, limit: usize) -> Self {
        let message = format!(
            "the result is {size} bytes long, and a task keeps {limit} at most; ask for less"
        );
        Self::new(-32603, message, Status::InBand)
    }

    /// -32603: the results of tasks take all the room they may.
    pub(crate) fn no_room_for_result() -> Self {
        Self::new(
            -32603,
            "there is no room for the result beside those of other tasks; call again later",
            Status::InBand,
        )
    }

    /// -32602: a task that is not there, is over, or is another caller's.
    pub(crate) fn unknown_task(id: &str) -> Self {
        Self::invalid_params(format!(
            "unknown task: {}; it never was, or its time is over",
            excerpt(id)
        ))
    }

    /// -32603: the server is about to end.
    pub(crate) fn stopping() -> Self {
        Self::new(
            -32603,
            "the server is stopping; the call was not carried out",
            Status::InBand,
        )
    }

    /// -32020: a header and the body disagree, or a required header is missing.
    pub(crate) fn header_mismatch(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32020, message, Status::BadRequest)
    }

    /// -32021: the tool needs capabilities that the client did not declare.
    pub(crate) fn missing_capability(required: &Value) -> Self {
        Self::new(
            -32021,
            "the client did not declare a capability that this needs",
            Status::MissingCapability,
        )
        .with_data(serde_json::json!({ "requiredCapabilities": required }))
    }

    /// -32022: a revision we do not speak.
    pub(crate) fn unsupported_version(requested: &str) -> Self {
        let supported = Revision::ALL.map(Revision::as_str);
        Self::new(
            -32022,
            format!("unsupported protocol version: {}", excerpt(requested)),
            Status::BadRequest,
        )
        .with_data(serde_json::json!({ "supported": supported, "requested": excerpt(requested) }))
    }

    /// The error as it stands in a message.
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            None => serde_json::json!({ "code": self.code, "message": self.message }),
            Some(data) => {
                serde_json::json!({ "code": self.code, "message": self.message, "data": data })
            }
        }
    }

    /// The HTTP status of this error; a client without a revision is one of the legacy era.
    pub(crate) fn http_status(&self, revision: Option<Revision>) -> ::http::StatusCode {
        let has_own = revision.is_some_and(Revision::has_error_statuses);
        match self.status {
            Status::UnknownMethod if has_own => ::http::StatusCode::NOT_FOUND,
            Status::MissingCapability if has_own => ::http::StatusCode::BAD_REQUEST,
            Status::InBand | Status::UnknownMethod | Status::MissingCapability => {
                ::http::StatusCode::OK
            }
            Status::BadRequest => ::http::StatusCode::BAD_REQUEST,
            Status::Forbidden => ::http::StatusCode::FORBIDDEN,
            Status::TooLarge => ::http::StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}

/// The first characters of something the client sent, so that an error can repeat it without
/// repeating all of it.
pub(crate) fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(crate::limits::REPEATED_CHARACTERS) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::{ProtocolError, excerpt};
    use crate::revision::Revision;

    /// code, HTTP status on the legacy era, HTTP status on the modern era.
    #[test]
    fn codes_and_statuses() {
        let table = [
            (ProtocolError::parse("x"), -32700, 400, 400),
            (ProtocolError::invalid_request("x"), -32600, 400, 400),
            (ProtocolError::forbidden("x"), -32600, 403, 403),
            (ProtocolError::too_large(1), -32600, 413, 413),
            (ProtocolError::unknown_method("x"), -32601, 200, 404),
            (ProtocolError::invalid_params("x"), -32602, 200, 200),
            (ProtocolError::missing_meta("x"), -32602, 400, 400),
            (ProtocolError::internal(), -32603, 200, 200),
            (ProtocolError::busy(1), -32603, 200, 200),
            (ProtocolError::too_many_tasks(1), -32603, 200, 200),
            (ProtocolError::result_too_large(2, 1), -32603, 200, 200),
            (ProtocolError::no_room_for_result(), -32603, 200, 200),
            (ProtocolError::unknown_task("x"), -32602, 200, 200),
            (ProtocolError::stopping(), -32603, 200, 200),
            (ProtocolError::header_mismatch("x"), -32020, 400, 400),
            (
                ProtocolError::missing_capability(&serde_json::json!({})),
                -32021,
                200,
                400,
            ),
            (ProtocolError::unsupported_version("x"), -32022, 400, 400),
        ];
        for (error, code, legacy, modern) in table {
            assert_eq!(error.code, code);
            for revision in [None, Some(Revision::NEWEST_LEGACY)] {
                assert_eq!(error.http_status(revision).as_u16(), legacy, "{error:?}");
            }
            let status = error.http_status(Some(Revision::NEWEST_MODERN));
            assert_eq!(status.as_u16(), modern, "{error:?}");
        }
    }

    #[test]
    fn an_excerpt_is_cut_between_characters() {
        assert_eq!(excerpt("short"), "short");
        let long = "é".repeat(101);
        assert_eq!(excerpt(&long).chars().count(), 101);
        assert!(excerpt(&long).ends_with('…'));
        assert_eq!(excerpt(&"é".repeat(100)), "é".repeat(100));
    }
}
