//! The HTTP doors beside the endpoint: status, health, readiness, the local board's API. A table of
//! routes, no rules.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use footbridge_mcp::Endpoint;
use footbridge_mcp::http::{McpService, SseService};
use footbridge_store::Store;
use serde_json::{Value, json};

use super::shared_bearer::SharedBearer;
use super::threshold::Threshold;
use super::{actions, approvals, board_door, board_leases};
use crate::caller::Caller;
use crate::exit::Trouble;
use crate::opened::Opened;
use crate::readiness::Readiness;

/// The MCP endpoint at its two kinds of door.
pub(super) struct McpDoors {
    pub(super) streamable: McpService<Caller, SharedBearer>,
    pub(super) sse: SseService<Caller, SharedBearer>,
}

impl McpDoors {
    /// The doors; `prefix` is what stands before their paths where clients reach them, such as
    /// `/team`.
    pub(super) fn new(streamable: McpService<Caller, SharedBearer>, prefix: &str) -> Self {
        let sse = streamable.sse(&format!("{prefix}{SSE_MESSAGES}"));
        Self { streamable, sse }
    }

    /// Ends what would go on for ever, so that the program can end.
    pub(super) fn end_streams(&self) {
        self.streamable.end_streams();
        self.sse.end_streams();
    }
}

/// The path that says whether the process lives.
pub(super) const HEALTH: &str = "/healthz";
/// The path that says whether it can do its work.
pub(super) const READINESS: &str = "/readyz";

/// The path to which clients of HTTP+SSE send their messages, behind that of the public URL.
const SSE_MESSAGES: &str = "/sse/messages/";

/// The paths of HTTP+SSE: the channel, where messages go, and names that clients have for the
/// latter.
const SSE_PATHS: [&str; 5] = [
    "/sse",
    "/sse/",
    SSE_MESSAGES,
    "/messages/",
    "/sse/sse/messages/",
];

/// All doors; before those that are neither MCP nor health stands the threshold.
pub(super) fn routes(
    mcp: &McpDoors,
    opened: &Opened,
    endpoint: &Endpoint<Caller>,
    threshold: Threshold,
    base: &str,
) -> Result<Router, Trouble> {
    let names: Vec<_> = opened
        .served
        .iter()
        .map(|served| served.name.as_str())
        .collect();
    let status = json!({ "name": "footbridge", "version": env!("CARGO_PKG_VERSION"), "connectors": names, "mcp": "/mcp", "sse": "/sse" });
    let up = up(opened);
    let store = opened.local.as_ref().map(|local| local.store.clone());
    let readiness_of = opened
        .served
        .iter()
        .map(|served| (served.name.clone(), served.readiness.clone()))
        .collect();
    let mut routes = Router::new()
        .route(HEALTH, get(async || "ok"))
        .route(
            READINESS,
            get(ready).with_state(Arc::new(Awaited {
                readiness_of,
                store,
            })),
        )
        .route_service("/mcp", mcp.streamable.clone())
        .route_service("/mcp/", mcp.streamable.clone());
    for path in SSE_PATHS {
        routes = routes.route_service(path, mcp.sse.clone());
    }
    let mut others = Router::new()
        .route(
            "/",
            get(async move |headers: HeaderMap| is_up(&headers, up.as_deref(), status)),
        )
        .merge(actions::routes(
            opened,
            endpoint,
            threshold.action_key.as_ref(),
            base,
        )?)
        .merge(approvals::routes(opened, Arc::clone(&threshold.approver)))
        .fallback(nothing_here);
    if let Some((local, connector)) = opened.local_board() {
        let board = board_door::routes(local);
        others = others.merge(board_leases::told(board, connector, local.store.clone()));
    }
    Ok(routes.merge(threshold.before(others)))
}

/// The line that the one connector served has for whoever watches the program.
fn up(opened: &Opened) -> Option<String> {
    match opened.served.as_slice() {
        [only] => only.backend.connector().greeting().map(str::to_owned),
        _ => None,
    }
}

/// The status as JSON; the reference's line where there is one and JSON is not asked for.
fn is_up(headers: &HeaderMap, up: Option<&str>, status: Value) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    match up.filter(|_| !accept.contains("application/json")) {
        Some(up) => up.to_owned().into_response(),
        None => Json(status).into_response(),
    }
}

/// The connectors and the store that are waited for before the program is ready.
#[derive(Debug)]
struct Awaited {
    /// The connectors, whose backends are asked before they are served.
    readiness_of: Vec<(String, Readiness)>,
    store: Option<Store>,
}

/// Ready when the checks before serving are through and the local board can be read and written; a
/// backend elsewhere is asked again only when somebody calls.
async fn ready(State(awaited): State<Arc<Awaited>>) -> (StatusCode, String) {
    let held: Vec<_> = awaited
        .readiness_of
        .iter()
        .filter(|(_, readiness)| readiness.is_held())
        .map(|(name, _)| name.as_str())
        .collect();
    if !held.is_empty() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the checks of {} are not through", held.join(", ")),
        );
    }
    let Some(store) = &awaited.store else {
        return (StatusCode::OK, "ready".to_owned());
    };
    match store.ready().await {
        Ok(()) => (StatusCode::OK, "ready".to_owned()),
        Err(error) => {
            tracing::error!(%error, cause = std::error::Error::source(&error).map(tracing::field::display), "the store is not ready");
            (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
    }
}

async fn nothing_here() -> impl IntoResponse {
    let detail: Value = json!({ "detail": "nothing is served here; the MCP endpoint is /mcp" });
    (StatusCode::NOT_FOUND, Json(detail))
}
