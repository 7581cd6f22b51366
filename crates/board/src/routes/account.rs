//! Logging in, and who one is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use footbridge_store::Account;
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::api_error::ApiError;
use crate::board::Shared;
use crate::body;
use crate::caller::Caller;

pub(super) async fn me(State(shared): State<Arc<Shared>>, Extension(caller): Extension<Caller>) -> Result<Json<Value>, ApiError> {
    let account = shared.store.account(caller.account_id).await?;
    let account = account.ok_or_else(|| ApiError::unauthorized("the account is gone: log in with another"))?;
    Ok(Json(shown_account(&account)))
}

pub(super) async fn log_in(State(shared): State<Arc<Shared>>, request: Request) -> Result<impl IntoResponse, ApiError> {
    let (parts, body) = request.into_parts();
    let mut body = body::json_object(&parts, body).await?;
    let email = text(&mut body, "email")?;
    let password = SecretString::from(text(&mut body, "password")?);
    let session = shared.store.log_in(&email, password).await?;
    let answer = Json(json!({
        "access_token": session.secret.expose_secret(),
        "token_type": "bearer",
        "expires_at": session.expires_at,
        "user": shown_account(&session.account),
    }));
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], answer))
}

/// The value itself is not shown: it may be a password.
fn text(body: &mut Map<String, Value>, name: &str) -> Result<String, ApiError> {
    match body.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(ApiError::bad_request(format!("{name} is required and must be a string"))),
    }
}

fn shown_account(account: &Account) -> Value {
    json!({ "id": account.id.to_string(), "name": account.name, "email": account.email, "role": account.role.as_str() })
}
