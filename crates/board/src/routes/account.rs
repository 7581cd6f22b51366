//! The routes of an account: logging in, and who one is.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use footbridge_store::{Account, AuditEntry, AuditKind, LogInError};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::body;
use crate::caller::{BoardCaller, ClientAddress};
use crate::route_state::RouteState;

pub(super) async fn me(
    State(shared): State<Arc<RouteState>>,
    Extension(caller): Extension<BoardCaller>,
) -> Result<Json<Value>, ApiError> {
    let account = shared.store.account(caller.account_id).await?;
    let account = account
        .ok_or_else(|| ApiError::unauthorized("the account is gone: log in with another"))?;
    Ok(Json(shown_account(&account)))
}

pub(super) async fn log_in(
    State(shared): State<Arc<RouteState>>,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    let (parts, body) = request.into_parts();
    let body = body::json_bytes(&parts, body, body::LOG_IN_BYTES).await?;
    let sent: LogIn<'_> =
        serde_json::from_slice(&body).map_err(|_| ApiError::bad_request(NO_LOG_IN))?;
    let email = text(sent.email, "email")?;
    let password = SecretString::from(text(sent.password, "password")?);
    let from = parts
        .extensions
        .get::<ClientAddress>()
        .map(|address| address.0);
    let session = shared.store.log_in(&email, password, from).await;
    if !matches!(
        &session,
        Err(LogInError::TooMany | LogInError::TooManyWrong { .. })
    ) {
        let detail = json!({
            "door": "xapi2",
            "let_in": session.is_ok(),
            "email": email.chars().take(AUDITED_CHARACTERS).collect::<String>(),
            "from": from,
        });
        let entry = AuditEntry::new(AuditKind::Login, &detail);
        shared.store.append_audit_later(entry, SystemTime::now());
    }
    let session = session?;
    let answer = Json(json!({
        "access_token": session.secret.expose_secret(),
        "token_type": "bearer",
        "expires_at": session.expires_at,
        "user": shown_account(&session.account),
    }));
    Ok((
        [(CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        answer,
    ))
}

/// Characters of an e-mail address that are audited.
const AUDITED_CHARACTERS: usize = 100;

/// What a login says. Whatever else it says is passed over unread.
#[derive(Deserialize)]
struct LogIn<'a> {
    #[serde(borrow)]
    email: Option<&'a RawValue>,
    #[serde(borrow)]
    password: Option<&'a RawValue>,
}

/// What the body itself says is not shown: it may be a password.
const NO_LOG_IN: &str = "the body is no JSON object: send one with email and password";

/// The value itself is not shown: it may be a password.
fn text(value: Option<&RawValue>, name: &str) -> Result<String, ApiError> {
    let text = value.and_then(|value| serde_json::from_str(value.get()).ok());
    text.ok_or_else(|| ApiError::bad_request(format!("{name} is required and must be a string")))
}

fn shown_account(account: &Account) -> Value {
    json!({ "id": account.id.to_string(), "name": account.name, "email": account.email, "role": account.role.as_str() })
}
