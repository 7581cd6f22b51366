//! The HTTP doors beside the endpoint: status, health, readiness, the local board's API. A table of
//! routes, no rules.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use footbridge_mcp::Endpoint;
use footbridge_mcp::http::{McpService, SseService};
use footbridge_store::Store;
use serde_json::{Value, json};

use super::browser::{self, AccountsMcp, BrowserRule, McpOfBrowser, has_page};
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
    /// Where pages are served.
    pub(super) browser: Option<BrowserDoors>,
}

/// What stands at the doors for browsers.
pub(super) struct BrowserDoors {
    pub(super) rule: Arc<BrowserRule>,
    /// The endpoint of the accounts of the board.
    pub(super) accounts: Option<Arc<AccountsMcp>>,
}

impl McpDoors {
    /// The doors; `prefix` is what stands before their paths where clients reach them, such as
    /// `/team`.
    pub(super) fn new(
        streamable: McpService<Caller, SharedBearer>,
        prefix: &str,
        browser: Option<BrowserDoors>,
    ) -> Self {
        let sse = streamable.sse(&format!("{prefix}{SSE_MESSAGES}"));
        Self {
            streamable,
            sse,
            browser,
        }
    }

    /// Ends what would go on for ever, so that the program can end.
    pub(super) fn end_streams(&self) {
        self.streamable.end_streams();
        self.sse.end_streams();
        let browser = self.browser.as_ref();
        if let Some(accounts) = browser.and_then(|browser| browser.accounts.as_ref()) {
            accounts.end_streams();
        }
    }

    /// The routes of the endpoint: by whom a request comes is looked at where pages are served.
    fn at_its_paths(&self, routes: Router) -> Router {
        let shared = || self.streamable.clone();
        let Some(BrowserDoors { rule, accounts }) = &self.browser else {
            let routes = routes.route_service("/mcp", shared());
            return routes.route_service("/mcp/", shared());
        };
        let of_browser = McpOfBrowser {
            shared: shared(),
            accounts: accounts.clone(),
            browser: Arc::clone(rule),
        };
        let routes = routes.route_service("/mcp", of_browser.clone());
        routes.route_service("/mcp/", of_browser)
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
    let mut routes = Router::new().route(HEALTH, get(async || "ok")).route(
        READINESS,
        get(ready).with_state(Arc::new(Awaited {
            readiness_of,
            store,
        })),
    );
    routes = mcp.at_its_paths(routes);
    for path in SSE_PATHS {
        routes = routes.route_service(path, mcp.sse.clone());
    }
    let browser = mcp
        .browser
        .as_ref()
        .map(|browser| Arc::clone(&browser.rule));
    let (rule, of_changes) = (browser.clone(), browser.clone());
    let mut others = Router::new()
        .route(
            "/",
            get(
                async move |head: Parts| match has_page(rule.as_deref(), &head) {
                    true => browser::work(&head.headers),
                    false => is_up(&head.headers, up.as_deref(), status),
                },
            ),
        )
        .merge(actions::routes(
            opened,
            endpoint,
            threshold.action_key.as_ref(),
            base,
        )?)
        .merge(approvals::routes(
            opened,
            Arc::clone(&threshold.approver),
            browser.clone(),
        ))
        .fallback(nothing_here);
    if let Some(browser) = browser {
        let changes = async move |head: Parts| match has_page(of_changes.as_deref(), &head) {
            true => browser::changes(&head.headers),
            false => nothing_here().await.into_response(),
        };
        others = others
            .route("/changes", get(changes).fallback(nothing_here))
            .merge(browser::routes(browser));
    }
    if let Some((local, connector)) = opened.local_board() {
        let board = board_door::routes(local, &opened.trail);
        others = others.merge(board_leases::with_leases(
            board,
            connector,
            local.store.clone(),
        ));
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

pub(super) async fn nothing_here() -> impl IntoResponse {
    let detail: Value = json!({ "detail": "nothing is served here; the MCP endpoint is /mcp" });
    (StatusCode::NOT_FOUND, Json(detail))
}
