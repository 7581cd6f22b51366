//! The road of an approver over HTTP: the proposals that wait, and the decision about one. Not a
//! tool: who may call tools may not approve.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use footbridge_store::{ChangeError, ChangeId, ChangeQuery, ChangeSelection, ChangeState, Store};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::approver::{Approver, ApproverRule, NoApprover, SESSION_LIFE};
use super::browser::BrowserRule;
use crate::change_json;
use crate::change_store::ChangeStore;
use crate::opened::{Opened, Served};
use crate::write_road::proposals::{self, ProposalTarget};
use ::http::request::Parts;

/// Bytes that the body of a request may have.
const MAX_BODY_BYTES: usize = 16 << 10;
/// Characters of a reason.
const MAX_REASON: usize = 1_000;
/// Proposals of a page where no number is said, and at most.
const LISTED: u32 = 50;
const MOST_LISTED: u32 = 200;

/// What the routes work with.
#[derive(Debug)]
struct ApprovalDesk {
    rule: Arc<ApproverRule>,
    browser: Option<Arc<BrowserRule>>,
    changes: ChangeStore,
    served: Vec<Served>,
}

/// A status and a sentence.
type ApprovalRefusal = (StatusCode, String);

/// The routes, behind the rule who may approve.
pub(super) fn routes(
    opened: &Opened,
    rule: Arc<ApproverRule>,
    browser: Option<Arc<BrowserRule>>,
) -> Router {
    let desk = Arc::new(ApprovalDesk {
        rule,
        browser,
        changes: opened.changes.clone(),
        served: opened.served.clone(),
    });
    Router::new()
        .route("/approvals", get(list))
        .route("/approvals/session", post(begin_session))
        .route("/approvals/{id}", get(show))
        .route("/approvals/{id}/approve", post(approve))
        .route("/approvals/{id}/decline", post(decline))
        .route_layer(from_fn_with_state(Arc::clone(&desk), admit))
        .with_state(desk)
}

/// Who is no approver learns nothing of what waits.
async fn admit(State(desk): State<Arc<ApprovalDesk>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let by_cookie = match desk.admit_cookie(&head) {
        Ok(is_approver) => is_approver,
        Err(why) => return refused((StatusCode::FORBIDDEN, why)),
    };
    let admitted = match by_cookie {
        true => Ok(Approver::BySession),
        false => desk.rule.admit(&head),
    };
    let (status, why) = match admitted {
        Ok(approver) => {
            let mut request = Request::from_parts(head, body);
            request.extensions_mut().insert(approver);
            return next.run(request).await;
        }
        Err(NoApprover::Closed) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "nobody approves over HTTP here: the operator sets FOOTBRIDGE_APPROVER_TOKEN, or approves with footbridge changes approve",
        ),
        Err(NoApprover::Unknown) => (
            StatusCode::UNAUTHORIZED,
            "only an approver may do this: send the header Authorization: Bearer TOKEN with the value of FOOTBRIDGE_APPROVER_TOKEN, or with a \
             session of it",
        ),
    };
    let mut response = refused((status, why.to_owned()));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"footbridge approvals\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A session for whoever shows the secret itself.
async fn begin_session(
    State(desk): State<Arc<ApprovalDesk>>,
    Extension(approver): Extension<Approver>,
) -> Response {
    if approver != Approver::BySecret {
        let why = "a session begins none: show FOOTBRIDGE_APPROVER_TOKEN itself".to_owned();
        return refused((StatusCode::FORBIDDEN, why));
    }
    match desk.rule.sessions.begin() {
        Ok(token) => {
            let session = json!({
                "token": token.expose_secret(),
                "expires_in": SESSION_LIFE.as_secs(),
            });
            let no_store = [(header::CACHE_CONTROL, "no-store")];
            (StatusCode::CREATED, no_store, Json(session)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "no random bytes for a session");
            let why = "the system gives no random bytes: try again".to_owned();
            refused((StatusCode::INTERNAL_SERVER_ERROR, why))
        }
    }
}

async fn list(State(desk): State<Arc<ApprovalDesk>>, RawQuery(query): RawQuery) -> Response {
    answered(desk.list(query.as_deref().unwrap_or_default()).await)
}

async fn show(State(desk): State<Arc<ApprovalDesk>>, Path(id): Path<String>) -> Response {
    answered(desk.show(&id).await)
}

async fn approve(State(desk): State<Arc<ApprovalDesk>>, Path(id): Path<String>) -> Response {
    // what was begun is ended, whether or not the approver waits for it
    let approving = tokio::spawn(async move { desk.approve(&id).await });
    answered(approving.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an approval did not end");
        let why = "it broke off; look at the change".to_owned();
        Err((StatusCode::INTERNAL_SERVER_ERROR, why))
    }))
}

async fn decline(
    State(desk): State<Arc<ApprovalDesk>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    answered(desk.decline(&id, request.into_body()).await)
}

impl ApprovalDesk {
    /// Whether a request comes by the cookie of an approver.
    ///
    /// # Errors
    /// A sentence, where it did not come from our own page.
    fn admit_cookie(&self, head: &Parts) -> Result<bool, String> {
        let Some(browser) = &self.browser else {
            return Ok(false);
        };
        let session = browser.session(head)?;
        Ok(session.is_some_and(|session| browser.is_approver(&session)))
    }

    async fn store(&self) -> Result<Store, ApprovalRefusal> {
        let store = self.changes.store().await;
        store.map_err(|why| {
            let why = format!("the changes cannot be read: {why}");
            (StatusCode::SERVICE_UNAVAILABLE, why)
        })
    }

    async fn list(&self, query: &str) -> Result<Value, ApprovalRefusal> {
        let (mut limit, mut after) = (LISTED, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "limit" => {
                    let number = value.parse::<u32>().ok();
                    let within = number.filter(|number| (1..=MOST_LISTED).contains(number));
                    limit = within.ok_or_else(|| {
                        bad(format!(
                            "limit is a number from 1 to {MOST_LISTED}, is {value:?}"
                        ))
                    })?;
                }
                "before" => after = Some(change(&value)?),
                _ => {
                    return Err(bad(format!(
                        "there is no parameter {name:?}: there are limit and before"
                    )));
                }
            }
        }
        let store = self.store().await?;
        proposals::expire(&store).await.map_err(failed)?;
        let selection = ChangeSelection {
            states: vec![ChangeState::Proposed],
            ..ChangeSelection::default()
        };
        let query = ChangeQuery {
            selection,
            limit,
            after,
        };
        let page = store
            .changes(&query)
            .await
            .map_err(|e| failed(e.to_string()))?;
        let rows: Vec<Value> = page.changes.iter().map(change_json::row).collect();
        Ok(json!({ "approvals": rows, "has_more": page.has_more }))
    }

    async fn show(&self, id: &str) -> Result<Value, ApprovalRefusal> {
        let id = change(id)?;
        let store = self.store().await?;
        let detail = store.change(id).await.map_err(|error| unknown(&error))?;
        Ok(change_json::detail(&detail))
    }

    async fn approve(&self, id: &str) -> Result<Value, ApprovalRefusal> {
        let id = change(id)?;
        let store = self.store().await?;
        let detail = store.change(id).await.map_err(|error| unknown(&error))?;
        let connector = detail.change.connector.clone();
        let served = self.served.iter().find(|served| served.name == connector);
        let served = served.ok_or_else(|| {
            let why = format!("it was proposed on {connector}, which is not served here");
            (StatusCode::CONFLICT, why)
        })?;
        served.readiness.wait().await.map_err(failed)?;
        let target = ProposalTarget::of(served, &detail.change);
        let changes = self.changes.clone();
        let done = proposals::approve(&store, changes, target, detail, proposals::APPROVER);
        let done = done.await.map_err(|why| (StatusCode::CONFLICT, why))?;
        let answer = serde_json::from_str(&done.text).unwrap_or(Value::String(done.text));
        Ok(json!({ "change": id.number(), "state": "done", "answer": answer }))
    }

    async fn decline(&self, id: &str, body: Body) -> Result<Value, ApprovalRefusal> {
        let id = change(id)?;
        let reason = reason(body).await?;
        let store = self.store().await?;
        store.change(id).await.map_err(|error| unknown(&error))?;
        let declined = proposals::decline(&store, id, proposals::APPROVER, reason.as_deref()).await;
        declined.map_err(|why| (StatusCode::CONFLICT, why))?;
        Ok(json!({ "change": id.number(), "state": "withdrawn" }))
    }
}

/// The reason in a body, which may be empty.
async fn reason(body: Body) -> Result<Option<String>, ApprovalRefusal> {
    let wrong = || {
        bad(format!(
            "the body is empty, or an object with a reason of at most {MAX_REASON} characters"
        ))
    };
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| wrong())?;
    if body.is_empty() {
        return Ok(None);
    }
    let body: Value = serde_json::from_slice(&body).map_err(|_| wrong())?;
    let members = body.as_object().ok_or_else(wrong)?;
    if members.keys().any(|name| name != "reason") {
        return Err(wrong());
    }
    match members.get("reason") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= MAX_REASON => Ok(Some(text.clone())),
        Some(_) => Err(wrong()),
    }
}

fn change(id: &str) -> Result<ChangeId, ApprovalRefusal> {
    crate::selection::change(id).map_err(bad)
}

fn bad(why: String) -> ApprovalRefusal {
    (StatusCode::BAD_REQUEST, why)
}

fn failed(why: String) -> ApprovalRefusal {
    (StatusCode::SERVICE_UNAVAILABLE, why)
}

fn unknown(error: &ChangeError) -> ApprovalRefusal {
    let status = match error {
        ChangeError::Missing(_) => StatusCode::NOT_FOUND,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, error.to_string())
}

fn answered(answer: Result<Value, ApprovalRefusal>) -> Response {
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refused(refusal),
    }
}

fn refused((status, detail): ApprovalRefusal) -> Response {
    (status, Json(json!({ "detail": detail }))).into_response()
}
