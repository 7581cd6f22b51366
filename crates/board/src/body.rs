//! Reading a request's body: a limit on its size, then one JSON object. What the object means is for others.

use axum::body::Body;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::api_error::{ApiError, shown};

/// The largest body of a request, in bytes.
pub(crate) const BODY_BYTES: usize = 1024 * 1024;

/// The whole body, if it is within the limit.
pub(crate) async fn bytes(body: Body) -> Result<Bytes, ApiError> {
    match Limited::new(body, BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::payload_too_large(BODY_BYTES)),
        Err(_) => Err(ApiError::bad_request("the body could not be read to its end: send it again")),
    }
}

/// The body as a JSON object. Without a content type it is taken for JSON.
pub(crate) async fn json_object(parts: &Parts, body: Body) -> Result<Map<String, Value>, ApiError> {
    if let Some(given) = parts.headers.get(CONTENT_TYPE) {
        let given = given.to_str().unwrap_or("(not text)");
        let media_type = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media_type != "application/json" && !(media_type.starts_with("application/") && media_type.ends_with("+json")) {
            return Err(ApiError::unsupported_media_type(given));
        }
    }
    let bytes = bytes(body).await?;
    if bytes.is_empty() {
        return Err(ApiError::bad_request("the body is empty: send a JSON object with the fields"));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(ApiError::bad_request(format!("the body is {}: send a JSON object with the fields", shown(&other)))),
        Err(error) => Err(ApiError::bad_request(format!("the body is not JSON: {error}"))),
    }
}
