//! The threshold of every HTTP door but the MCP endpoint, which has the same of its own: by which
//! name a request came, from which page, and how much memory is left for it. The doors find out who
//! is asking.

use std::sync::Arc;

use ::http::request::Parts;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use footbridge_board::ClientAddress;
use footbridge_mcp::auth::bearer_token;
use footbridge_mcp::http::{AllowedHosts, MemoryBudget, OverBudget, Peer, TrustedProxies};
use footbridge_store::Store;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::actions;
use super::approver::ApproverRule;
use super::browser::SEC_FETCH_SITE;
use super::forwarded::is_forwarded;
use crate::settings::DoorSecret;

/// The path of the status. Programs that watch a server ask for it by whatever name they know.
const STATUS: &str = "/";
/// After how many seconds a client for whose body there is no memory is asked to come back.
const COME_BACK_AFTER: u64 = 5;

/// The things that decide whether a request may come in.
#[derive(Debug)]
pub(super) struct Threshold {
    pub(super) hosts: AllowedHosts,
    pub(super) proxies: TrustedProxies,
    pub(super) memory: MemoryBudget,
    pub(super) action_key: Option<DoorSecret>,
    pub(super) approver: Arc<ApproverRule>,
    pub(super) store: Option<Store>,
}

impl Threshold {
    /// Puts it before every route, and before what is answered where there is none.
    pub(super) fn before(self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(Arc::new(self), pass))
    }

    /// Why a request may not come in.
    async fn refuse(&self, head: &Parts) -> Result<(), String> {
        self.hosts.check_origin(head)?;
        match self.hosts.check_host(head) {
            Err(_) if is_for_status(head) || self.is_meant_for_us(head).await => Ok(()),
            checked => checked,
        }
    }

    /// Whether a request carries what only somebody of ours has. A page that a browser was misled
    /// to reach us with has neither.
    async fn is_meant_for_us(&self, head: &Parts) -> bool {
        if self.action_key.is_some()
            && actions::admit(self.action_key.as_ref(), &head.headers).is_ok()
        {
            return true;
        }
        if self.approver.admit(head).is_ok() {
            return true;
        }
        let (Some(store), Some(token)) = (&self.store, bearer_token(head)) else {
            return false;
        };
        store
            .authenticate(token.expose_secret())
            .await
            .is_ok_and(|principal| principal.is_some())
    }

    /// Where a request comes from, if that tells it from others.
    fn client(&self, head: &Parts) -> Option<ClientAddress> {
        let Peer(peer) = head.extensions.get::<Peer>()?;
        // A proxy that is not named has everybody behind it.
        let is_hidden =
            is_forwarded(&head.headers) && !self.proxies.names(peer.ip().to_canonical());
        self.proxies
            .client(head)
            .filter(|_| !is_hidden)
            .map(ClientAddress)
    }
}

async fn pass(State(threshold): State<Arc<Threshold>>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let shape = ErrorShape::of(head.uri.path());
    if let Err(problem) = threshold.refuse(&head).await {
        tracing::info!(
            path = head.uri.path(),
            status = 403,
            "a request was refused at the door"
        );
        return shape.refused(StatusCode::FORBIDDEN, &problem);
    }
    if let Some(client) = threshold.client(&head) {
        head.extensions.insert(client);
    }
    if body.is_end_stream() {
        return next.run(Request::from_parts(head, body)).await;
    }
    let charge = threshold.memory.charge();
    let body = Body::new(charge.body(body));
    let response = next.run(Request::from_parts(head, body)).await;
    if !charge.is_over() {
        return response;
    }
    let mut response = shape.refused(StatusCode::SERVICE_UNAVAILABLE, &OverBudget.to_string());
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(COME_BACK_AFTER));
    response
}

fn is_for_status(head: &Parts) -> bool {
    let is_of_a_page =
        head.headers.contains_key(header::ORIGIN) || head.headers.contains_key(SEC_FETCH_SITE);
    head.uri.path() == STATUS && matches!(head.method, Method::GET | Method::HEAD) && !is_of_a_page
}

/// The key under which a door says what is wrong.
#[derive(Clone, Copy)]
enum ErrorShape {
    Detail,
    Error,
}

impl ErrorShape {
    fn of(path: &str) -> Self {
        if path.starts_with("/actions") {
            Self::Error
        } else {
            Self::Detail
        }
    }

    fn refused(self, status: StatusCode, sentence: &str) -> Response {
        let body = match self {
            Self::Detail => json!({ "detail": sentence }),
            Self::Error => json!({ "error": sentence }),
        };
        (status, Json(body)).into_response()
    }
}
