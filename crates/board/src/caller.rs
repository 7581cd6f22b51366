//! The caller of the board: a bearer token over HTTP, or, in process, the account that the service
//! acts for.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use footbridge_store::{Access, AccountId, Credential, Scopes, SessionUse, TokenHolder};
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;

use crate::api_error::ApiError;
use crate::route_state::RouteState;

/// The header that carries a session's successor.
pub(crate) static REFRESH_HEADER: HeaderName = HeaderName::from_static("x-auth-refresh-token");

/// The mark of a request made in process. It is a value of a type that only this crate can make, so
/// no bytes from a socket can bring it about.
#[derive(Clone, Copy)]
pub(crate) struct ActingAs(pub(crate) AccountId);

/// Where a request comes from, as an extension of it, for whoever serves the router and knows it.
/// Wrong passwords then slow down their own address; without it, every address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The account behind a request, and what it may do.
#[derive(Clone)]
pub(crate) struct BoardCaller {
    pub(crate) account_id: AccountId,
    /// The account's name; none for a call in process.
    pub(crate) name: Option<Arc<str>>,
    /// What the client calls itself.
    pub(crate) client: Option<Arc<str>>,
    scopes: Scopes,
}

impl BoardCaller {
    /// Refuses what the token was not made for.
    pub(crate) fn may(&self, model: &str, access: Access) -> Result<(), ApiError> {
        if self.scopes.allow(model, access) {
            return Ok(());
        }
        let access = access.as_str();
        Err(ApiError::forbidden(format!(
            "the token may not {access} {model} rows: use one with the scope {model}:{access}"
        )))
    }
}

/// Lets known callers in, and offers a session's successor with a good answer.
pub(crate) async fn authenticate(
    State(shared): State<Arc<RouteState>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if let Some(ActingAs(account_id)) = request.extensions().get::<ActingAs>().copied() {
        request.extensions_mut().insert(BoardCaller {
            account_id,
            name: None,
            client: None,
            scopes: Scopes::All,
        });
        return Ok(next.run(request).await);
    }
    let bearer = bearer(request.headers())?;
    let principal = shared.store.authenticate(bearer).await?;
    let Some(TokenHolder {
        account,
        scopes,
        credential,
    }) = principal
    else {
        return Err(ApiError::unauthorized(
            "the token is unknown, expired or revoked: log in again or use another token",
        ));
    };
    let client = request.headers().get(USER_AGENT);
    let client = client
        .and_then(|client| client.to_str().ok())
        .map(Arc::from);
    request.extensions_mut().insert(BoardCaller {
        account_id: account.id,
        name: Some(account.name.into()),
        client,
        scopes,
    });
    let mut response = next.run(request).await;
    if let (true, Credential::Session(session)) = (response.status().is_success(), &credential) {
        offer_successor(&shared, session, response.headers_mut()).await;
    }
    Ok(response)
}

/// The answer stands whether or not a successor can be made: the session stays valid without one.
async fn offer_successor(shared: &RouteState, session: &SessionUse, headers: &mut HeaderMap) {
    match shared.store.refresh(session).await {
        Ok(None) => {}
        Ok(Some(successor)) => {
            if let Ok(mut value) = HeaderValue::from_str(successor.expose_secret()) {
                value.set_sensitive(true);
                headers.insert(REFRESH_HEADER.clone(), value);
            }
        }
        Err(error) => tracing::warn!(error = %error, "a session could not be refreshed"),
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Err(ApiError::unauthorized(
            "there is no token: send it as Authorization: Bearer TOKEN",
        ));
    };
    let bearer = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match bearer {
        Some((_, token)) if !token.trim().is_empty() => Ok(token.trim()),
        _ => Err(ApiError::unauthorized(
            "the Authorization header holds no token: send it as Authorization: Bearer TOKEN",
        )),
    }
}
