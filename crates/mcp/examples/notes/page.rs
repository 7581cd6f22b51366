//! The application's own page: signing in, and a list of notes that the page gets from the endpoint
//! with its cookie.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use footbridge_mcp::auth::SameOrigin;
use http::request::Parts;
use http::{HeaderName, StatusCode, header};

use crate::store::Store;

/// Who may sign in, and from where.
#[derive(Clone)]
pub(crate) struct SignIn {
    pub(crate) store: Store,
    pub(crate) rule: Arc<SameOrigin>,
}

/// The page. A browser adds the cookie and its `Origin` by itself; the rest is one request of
/// 2026-07-28.
pub(crate) async fn show() -> impl IntoResponse {
    // Nothing from elsewhere may run in the page or frame it.
    let policy = "default-src 'self'; script-src 'unsafe-inline'; frame-ancestors 'none'";
    (
        [(header::CONTENT_SECURITY_POLICY, policy)],
        Html(include_str!("page.html")),
    )
}

/// Takes a token, and gives a cookie for it.
pub(crate) async fn sign_in(
    State(SignIn { store, rule }): State<SignIn>,
    head: Parts,
    token: Bytes,
) -> Response {
    if let Err(refusal) = rule.check(&head) {
        return (refusal.status(), refusal.message().to_owned()).into_response();
    }
    let token = String::from_utf8_lossy(&token);
    match store.sign_in(token.trim()).await {
        Ok(Some(session)) => {
            // Not for scripts, and not for requests that another site causes. Behind TLS, add
            // `Secure`.
            let cookie = format!("session={session}; Path=/; HttpOnly; SameSite=Strict");
            (
                [
                    (header::SET_COOKIE, cookie),
                    (
                        HeaderName::from_static("cache-control"),
                        "no-store".to_owned(),
                    ),
                ],
                "signed in",
            )
                .into_response()
        }
        Ok(None) => (StatusCode::FORBIDDEN, "nobody has this token").into_response(),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Notes cannot read its database now; try again later",
        )
            .into_response(),
    }
}
