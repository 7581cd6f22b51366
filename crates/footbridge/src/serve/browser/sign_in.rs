//! Signing a browser in and out, at `/session`: by the shared bearer, by the approver's secret, by a
//! code of the terminal, or as an account of the board.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::http::request::Parts;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Json, Router};
use footbridge_board::ClientAddress;
use footbridge_mcp::limits;
use footbridge_store::{AccountId, LogInError};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::doors::nothing_here;
use super::BrowserRule;
use super::sessions::SessionRights;

/// The path of signing in.
pub(in crate::serve) const SESSION: &str = "/session";
/// Bytes that the body of a request may have.
const MAX_BODY_BYTES: usize = 8 << 10;
/// Characters of the digest of a code.
const DIGEST_CHARACTERS: usize = 43;
/// The names under which tries are counted.
const BEARER: &str = "bearer";
const APPROVER: &str = "approver";

/// The one way in a request that it tries.
enum SignIn {
    Token(SecretString),
    Code(SecretString),
    Approver(SecretString),
    Account {
        email: String,
        password: SecretString,
    },
}

/// The body of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignInBody {
    token: Option<String>,
    code: Option<String>,
    approver: Option<String>,
    email: Option<String>,
    password: Option<String>,
}

/// The reason why nobody is signed in: a status, a sentence, and when to come back.
struct SignInRefusal {
    status: StatusCode,
    why: String,
    retry_after: Option<Duration>,
}

impl SignInRefusal {
    fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self {
            status,
            why: why.into(),
            retry_after: None,
        }
    }

    fn bad(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    fn wrong(why: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, why)
    }

    fn too_many(wait: Duration) -> Self {
        Self {
            retry_after: Some(wait),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!(
                    "too many wrong ones were tried: try again in {} s",
                    wait.as_secs()
                ),
            )
        }
    }

    fn into_response(self) -> Response {
        let body = Json(json!({ "detail": self.why }));
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"footbridge\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The route of signing in and out, and of who one is.
pub(in crate::serve) fn routes(browser: Arc<BrowserRule>) -> Router {
    Router::new()
        .route(SESSION, any(session))
        .with_state(browser)
}

async fn session(State(browser): State<Arc<BrowserRule>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if !browser.is_open_to(&head) {
        return nothing_here().await.into_response();
    }
    let answered = match head.method {
        Method::GET | Method::HEAD => browser.who(&head).await,
        Method::POST => browser.sign_in(&head, body).await,
        Method::DELETE => browser.sign_out(&head),
        _ => {
            let allow = [(header::ALLOW, "GET, POST, DELETE")];
            let why = "a session is read with GET, begun with POST and ended with DELETE";
            let body = Json(json!({ "detail": why }));
            Ok((StatusCode::METHOD_NOT_ALLOWED, allow, body).into_response())
        }
    };
    let mut response = answered.unwrap_or_else(SignInRefusal::into_response);
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What every answer about a session has.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::VARY, "Cookie, Origin, Sec-Fetch-Site"),
];

impl BrowserRule {
    /// Who asks, and how one signs in here.
    async fn who(&self, head: &Parts) -> Result<Response, SignInRefusal> {
        let session = self.session(head).map_err(forbidden)?;
        let session = session.as_deref();
        let account = match session.and_then(|session| self.account(session)) {
            Some(account_id) => self.account_name(account_id).await,
            None => None,
        };
        let passes = session.is_some_and(|session| self.passes(session));
        let is_approver = session.is_some_and(|session| self.is_approver(session));
        let needs = if self.token.is_some() {
            "token"
        } else {
            "none"
        };
        let is_in = passes || account.is_some();
        let who = account.or_else(|| (passes || self.token.is_none()).then(|| "local".to_owned()));
        let ways = [
            ("token", self.token.is_some()),
            ("account", self.accounts.is_some()),
            ("approver", self.approver.secret.is_some()),
            ("code", true),
        ];
        let takes: Vec<&str> = ways.iter().filter(|way| way.1).map(|way| way.0).collect();
        let mut answer = json!({
            "signed_in": is_in,
            "needs": needs,
            "is_approver": is_approver,
            "who": who,
            "takes": takes,
        });
        if let (Some(digest), Some(answer)) = (asked_code(head), answer.as_object_mut()) {
            let knows = self.knows_code(&digest).await;
            answer.insert("knows_code".to_owned(), Value::Bool(knows));
        }
        Ok(Json(answer).into_response())
    }

    async fn account_name(&self, account_id: AccountId) -> Option<String> {
        let account = self.accounts.as_ref()?.account(account_id).await;
        Some(account.ok().flatten()?.name)
    }

    /// Whether this server looks for codes where one was kept, for the program that made it.
    async fn knows_code(&self, digest: &str) -> bool {
        let Some(store) = self.changes.if_there().await else {
            return false;
        };
        let known = store.has_sign_in_code(digest, SystemTime::now()).await;
        known.unwrap_or_default()
    }

    async fn sign_in(&self, head: &Parts, body: Body) -> Result<Response, SignInRefusal> {
        self.addresses.check(head).map_err(forbidden)?;
        let sign_in = SignIn::read(head, body).await?;
        let before = self.session_of(head);
        let from = head.extensions.get::<ClientAddress>().map(|from| from.0);
        let rights_before = before.as_ref().map(|before| before.rights.clone());
        let rights = self
            .rights(sign_in, rights_before.unwrap_or_default(), from)
            .await;
        let is_let_in = rights.is_ok();
        let is_looked_at = !matches!(&rights, Err(refusal) if refusal.retry_after.is_some());
        if is_looked_at {
            let from = self.proxies.client(head).map(|address| address.to_string());
            self.trail.logged_in("page", from, is_let_in);
        }
        let id = self.begin(rights?, before.as_ref()).map_err(no_random)?;
        let cookie = self.addresses.cookie(head);
        let whole = self.doors.sessions.times().whole;
        with_cookie(&cookie.set(id.expose_secret(), whole.as_secs()))
    }

    /// What a session has from now, beside what it had.
    async fn rights(
        &self,
        sign_in: SignIn,
        before: SessionRights,
        from: Option<IpAddr>,
    ) -> Result<SessionRights, SignInRefusal> {
        let pace = &self.doors.pace;
        match sign_in {
            SignIn::Token(sent) => {
                let token = self.token.as_ref().ok_or_else(|| {
                    SignInRefusal::bad("this server has no shared token: nothing is to be shown")
                })?;
                let right = pace
                    .compare(BEARER, &sent, from, |sent| token.is(sent))
                    .await;
                if !right.map_err(SignInRefusal::too_many)? {
                    return Err(SignInRefusal::wrong(
                        "this is not the token of this server, the value of FOOTBRIDGE_TOKEN",
                    ));
                }
                Ok(SessionRights {
                    bearer: Some(sent),
                    account: None,
                    ..before
                })
            }
            SignIn::Approver(sent) => {
                if self.approver.secret.is_none() {
                    return Err(SignInRefusal::bad(
                        "this server has no approver's secret: the operator sets FOOTBRIDGE_APPROVER_TOKEN, or signs in by footbridge open",
                    ));
                }
                let is_right = |sent: &SecretString| self.approver.takes(sent) == Some(true);
                let right = pace.compare(APPROVER, &sent, from, is_right).await;
                if !right.map_err(SignInRefusal::too_many)? {
                    return Err(SignInRefusal::wrong(
                        "this is not the approver's secret, the value of FOOTBRIDGE_APPROVER_TOKEN",
                    ));
                }
                self.with_approver(before)
            }
            SignIn::Code(code) => {
                if !self.take_code(&code).await? {
                    return Err(SignInRefusal::wrong(
                        "this code is none, or was used, or its two minutes are over: run footbridge open again",
                    ));
                }
                self.with_approver(SessionRights {
                    bearer: self.token.as_ref().map(|token| token.current()),
                    account: None,
                    ..before
                })
            }
            SignIn::Account { email, password } => {
                let store = self
                    .accounts
                    .as_ref()
                    .ok_or_else(|| SignInRefusal::bad("no board with accounts is served here"))?;
                let account = store.check_password(&email, password, from).await;
                let account = account.map_err(refused_password)?;
                Ok(SessionRights {
                    bearer: None,
                    account: Some(account.id),
                    ..before
                })
            }
        }
    }

    /// The same rights, and those of an approver.
    fn with_approver(&self, before: SessionRights) -> Result<SessionRights, SignInRefusal> {
        let approver = self.approver.sessions.begin().map_err(no_random)?;
        if let Some(before) = &before.approver {
            self.approver.sessions.end(before);
        }
        Ok(SessionRights {
            approver: Some(approver),
            ..before
        })
    }

    /// Uses a code up, which is good where it was made for this very server.
    async fn take_code(&self, code: &SecretString) -> Result<bool, SignInRefusal> {
        let Some(store) = self.changes.if_there().await else {
            return Ok(false);
        };
        let origin = store.take_sign_in_code(code, SystemTime::now()).await;
        let origin = origin.map_err(|error| {
            SignInRefusal::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        })?;
        Ok(origin.is_some_and(|origin| self.addresses.has(&origin)))
    }

    /// Ends the session of a request, if it has one.
    fn sign_out(&self, head: &Parts) -> Result<Response, SignInRefusal> {
        self.addresses.check(head).map_err(forbidden)?;
        if let Some(session) = self.session_of(head) {
            self.end(&session);
        }
        with_cookie(&self.addresses.cookie(head).clear())
    }
}

impl SignIn {
    /// Reads what a page sent. A form of another site cannot send this media type.
    async fn read(head: &Parts, body: Body) -> Result<Self, SignInRefusal> {
        let media_type = head.headers.get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().split(';').next();
        let is_json = media_type
            .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            return Err(SignInRefusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the Content-Type must be application/json",
            ));
        }
        let reading = to_bytes(body, MAX_BODY_BYTES);
        let read = tokio::time::timeout(limits::HTTP_BODY_TIME, reading).await;
        let read = read.map_err(|_| {
            SignInRefusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "the body did not arrive in time",
            )
        })?;
        let bytes = read.map_err(|_| {
            SignInRefusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body has at most {MAX_BODY_BYTES} bytes"),
            )
        })?;
        // what it says is not shown: it may be a secret
        let wrong = || {
            SignInRefusal::bad(
                "the body is a JSON object with one of: token; code; approver; email and password",
            )
        };
        let body: SignInBody = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
        match (
            body.token,
            body.code,
            body.approver,
            body.email,
            body.password,
        ) {
            (Some(token), None, None, None, None) => Ok(Self::Token(token.into())),
            (None, Some(code), None, None, None) => Ok(Self::Code(code.into())),
            (None, None, Some(secret), None, None) => Ok(Self::Approver(secret.into())),
            (None, None, None, Some(email), Some(password)) => Ok(Self::Account {
                email,
                password: password.into(),
            }),
            _ => Err(wrong()),
        }
    }
}

/// The digest of a code that a program asks about.
fn asked_code(head: &Parts) -> Option<String> {
    let query = head.uri.query()?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, digest) = pairs.find(|(name, _)| name == "code")?;
    (digest.len() == DIGEST_CHARACTERS).then(|| digest.into_owned())
}

fn forbidden(why: String) -> SignInRefusal {
    SignInRefusal::new(StatusCode::FORBIDDEN, why)
}

fn refused_password(error: LogInError) -> SignInRefusal {
    match &error {
        LogInError::TooManyWrong { retry_after } => SignInRefusal {
            retry_after: Some(*retry_after),
            ..SignInRefusal::new(StatusCode::TOO_MANY_REQUESTS, error.to_string())
        },
        LogInError::TooMany => SignInRefusal {
            retry_after: Some(Duration::from_secs(5)),
            ..SignInRefusal::new(StatusCode::TOO_MANY_REQUESTS, error.to_string())
        },
        LogInError::Refused => SignInRefusal::wrong(error.to_string()),
        _ => SignInRefusal::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

fn no_random(error: getrandom::Error) -> SignInRefusal {
    tracing::error!(%error, "no random bytes for a session");
    let why = "the system gives no random bytes: try again";
    SignInRefusal::new(StatusCode::INTERNAL_SERVER_ERROR, why)
}

/// An answer without a body that sets this cookie.
fn with_cookie(cookie: &str) -> Result<Response, SignInRefusal> {
    let mut value = HeaderValue::try_from(cookie).map_err(|error| {
        tracing::error!(%error, "a cookie cannot be sent");
        SignInRefusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no cookie can be set here",
        )
    })?;
    value.set_sensitive(true);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, value)]).into_response())
}
