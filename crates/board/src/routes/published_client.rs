//! The routes that the published client asks besides rows, and the API's own description. None
//! needs a token.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use crate::api_error::ApiError;
use crate::body;
use crate::route_state::RouteState;

/// The version that the published client compares with its own. Any other answer makes it replace
/// itself.
const VERSION: &str = r#"{"version":"1.0.2"}"#;

pub(super) async fn version() -> Response {
    json(VERSION)
}

/// There is no script to hand out: the client keeps the one it has.
pub(super) async fn script() -> ApiError {
    ApiError::not_found("there is no script here: keep the client as it is")
}

/// Usage data is read, so that the connection stays in order, and dropped.
pub(super) async fn track(request: Request) -> Result<StatusCode, ApiError> {
    let (parts, body) = request.into_parts();
    body::discard(&parts, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn openapi(State(shared): State<Arc<RouteState>>) -> Response {
    json(shared.openapi())
}

fn json(body: impl IntoResponse) -> Response {
    (
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body,
    )
        .into_response()
}
