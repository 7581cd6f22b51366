//! The HTTP doors beside the endpoint: status, health, readiness, the local board's API. A table of routes, no rules.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use footbridge_mcp::http::McpService;
use footbridge_store::Store;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::actions;
use super::exposure::SharedBearer;
use crate::caller::Caller;
use crate::exit::Trouble;
use crate::opened::Opened;

/// All doors.
pub(super) fn routes(
    mcp: McpService<Caller, SharedBearer>,
    opened: &Opened,
    action_key: Option<&SecretString>,
) -> Result<Router, Trouble> {
    let names: Vec<_> = opened.served.iter().map(|served| served.name).collect();
    let status = json!({ "name": "footbridge", "version": env!("CARGO_PKG_VERSION"), "connectors": names, "mcp": "/mcp" });
    let store = opened.local.as_ref().map(|local| local.store.clone());
    let mut routes = Router::new()
        .route("/", get(async || Json(status)))
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready).with_state(store))
        .route_service("/mcp", mcp.clone())
        .route_service("/mcp/", mcp)
        .fallback(nothing_here);
    if let Some(local) = &opened.local {
        routes = routes.merge(local.board.router());
    }
    Ok(routes.merge(actions::routes(opened, action_key)?))
}

/// Ready when the local board can be read; a backend elsewhere is asked only when somebody calls.
async fn ready(State(store): State<Option<Store>>) -> (StatusCode, &'static str) {
    let Some(store) = store else { return (StatusCode::OK, "ready") };
    match store.ready().await {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(error) => {
            tracing::error!(%error, "the store is not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read; the server's log says why")
        }
    }
}

async fn nothing_here() -> impl IntoResponse {
    let detail: Value = json!({ "detail": "nothing is served here; the MCP endpoint is /mcp" });
    (StatusCode::NOT_FOUND, Json(detail))
}
