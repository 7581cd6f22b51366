//! The reader of a request's body: limits on its size and its time, then one JSON object. Does not
//! know what the object means.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::api_error::{ApiError, shortened_json};

/// The largest body of a request, in bytes.
pub(crate) const BODY_BYTES: usize = 1024 * 1024;

/// The largest body of a login, in bytes: whoever sends it is not known yet.
pub(crate) const LOG_IN_BYTES: usize = 4 * 1024;

/// How long a body may take to arrive.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(30);

/// A JSON body as it was sent, if it is within its limits. A media type must say that it is JSON.
pub(crate) async fn json_bytes(parts: &Parts, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    check_media_type(parts)?;
    let reading = async {
        let body = Limited::new(body, limit)
            .collect()
            .await
            .map_err(|error| unread(&*error, limit))?;
        Ok(body.to_bytes())
    };
    timeout(BODY_TIME, reading)
        .await
        .unwrap_or_else(|_| Err(ApiError::request_timeout(BODY_TIME)))
}

/// Reads a body within its limits without keeping any of it.
pub(crate) async fn discard(parts: &Parts, body: Body) -> Result<(), ApiError> {
    check_media_type(parts)?;
    let reading = async {
        let mut body = Limited::new(body, BODY_BYTES);
        while let Some(frame) = body.frame().await {
            frame.map_err(|error| unread(&*error, BODY_BYTES))?;
        }
        Ok(())
    };
    timeout(BODY_TIME, reading)
        .await
        .unwrap_or_else(|_| Err(ApiError::request_timeout(BODY_TIME)))
}

/// The body as a JSON object.
pub(crate) async fn json_object(parts: &Parts, body: Body) -> Result<Map<String, Value>, ApiError> {
    let bytes = json_bytes(parts, body, BODY_BYTES).await?;
    if bytes.is_empty() {
        return Err(ApiError::bad_request(
            "the body is empty: send a JSON object with the fields",
        ));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(ApiError::bad_request(format!(
            "the body is {}: send a JSON object with the fields",
            shortened_json(&other)
        ))),
        Err(error) => Err(ApiError::bad_request(format!(
            "the body is not JSON: {error}"
        ))),
    }
}

fn check_media_type(parts: &Parts) -> Result<(), ApiError> {
    let Some(content_type) = parts.headers.get(CONTENT_TYPE) else {
        return Err(ApiError::no_media_type());
    };
    let content_type = content_type.to_str().unwrap_or("(not text)");
    let media_type = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    {
        return Ok(());
    }
    Err(ApiError::unsupported_media_type(content_type))
}

fn unread(error: &(dyn std::error::Error + Send + Sync + 'static), limit: usize) -> ApiError {
    match error.is::<LengthLimitError>() {
        true => ApiError::payload_too_large(limit),
        false => ApiError::bad_request("the body could not be read to its end: send it again"),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::response::IntoResponse;
    use tokio::time::Instant;

    use super::*;

    /// A body of which a byte comes every seven seconds.
    fn dripping() -> Body {
        Body::from_stream(futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
        }))
    }

    /// On a stopped clock, so that the limit is the real one and the test takes no time.
    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_in_time_is_408() {
        let (parts, ()) = http::Request::post("/")
            .header(CONTENT_TYPE, "application/json")
            .body(())
            .unwrap()
            .into_parts();
        let from = Instant::now();
        let read = json_bytes(&parts, dripping(), LOG_IN_BYTES)
            .await
            .unwrap_err()
            .into_response();
        assert_eq!((read.status().as_u16(), from.elapsed()), (408, BODY_TIME));
        let discarded = discard(&parts, dripping())
            .await
            .unwrap_err()
            .into_response();
        assert_eq!(
            (discarded.status().as_u16(), from.elapsed()),
            (408, BODY_TIME * 2)
        );
    }
}
