//! HTTP responses made of answers, streams and refusals. Decides none of them.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::ReplyBody;
use super::request_body::Unread;
use crate::dispatch::MessageAnswer;
use crate::limits;
use crate::mirrored_headers;
use crate::protocol_error::ProtocolError;
use crate::reply::Reply;
use crate::revision::Revision;

/// An answer that is all there is to say.
pub(super) fn respond(answer: MessageAnswer) -> Response<ReplyBody> {
    let MessageAnswer { status, reply } = answer;
    let Some(reply) = reply else {
        return with_status(status, ReplyBody::empty());
    };
    let mut response = with_status(status, ReplyBody::from(reply));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// The bytes of an answer.
pub(super) fn whole(answer: MessageAnswer) -> Option<Bytes> {
    answer.reply.map(|reply| {
        let mut bytes = Vec::with_capacity(reply.len());
        reply.append_to(&mut bytes);
        Bytes::from(bytes)
    })
}

/// The beginning of a stream.
pub(super) fn stream(events: impl Into<ReplyBody>) -> Response<ReplyBody> {
    let mut response = with_status(StatusCode::OK, events.into());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// A refusal before any message was read: still a JSON-RPC error, so that a client shows its
/// sentence.
pub(super) fn refused(
    head: &Parts,
    status: StatusCode,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> Response<ReplyBody> {
    error_response(head, status, &ProtocolError::invalid_request(message))
}

/// The answer to a request whose body did not come.
pub(super) fn no_body(head: &Parts, unread: &Unread) -> Response<ReplyBody> {
    match unread {
        Unread::TooLarge(most) => too_large(head, *most),
        Unread::TooSlow => {
            let limit = limits::HTTP_BODY_TIME.as_secs();
            refused(
                head,
                StatusCode::REQUEST_TIMEOUT,
                format!("the body did not arrive within {limit} s"),
            )
        }
        Unread::Busy => unavailable(
            head,
            "too many requests with large bodies are under way; try again later".to_owned(),
        ),
        Unread::OverBudget => unavailable(head, super::OverBudget.to_string()),
        Unread::Broken => refused(
            head,
            StatusCode::BAD_REQUEST,
            "the body ended before its end",
        ),
    }
}

fn unavailable(head: &Parts, message: String) -> Response<ReplyBody> {
    let mut response = refused(head, StatusCode::SERVICE_UNAVAILABLE, message);
    response.headers_mut().insert(
        header::RETRY_AFTER,
        HeaderValue::from(limits::HTTP_RETRY_SECONDS),
    );
    response
}

fn too_large(head: &Parts, most: usize) -> Response<ReplyBody> {
    error_response(
        head,
        StatusCode::PAYLOAD_TOO_LARGE,
        &ProtocolError::too_large(most),
    )
}

fn error_response(head: &Parts, status: StatusCode, error: &ProtocolError) -> Response<ReplyBody> {
    let revision = mirrored_headers::protocol_version(&head.headers).and_then(Revision::parse);
    respond(MessageAnswer {
        status,
        reply: Some(Reply::error(None, revision, error)),
    })
}

/// A response with this status and body.
pub(super) fn with_status(status: StatusCode, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
