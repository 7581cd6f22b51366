//! The door of the local board, `/xapi2`: the board's own routes, and the operator's word before
//! them. The board itself finds out who is asking.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use footbridge_board::RowOperation;
use footbridge_connector::ToolEffect;
use serde_json::json;

use crate::audit_trail::AuditTrail;
use crate::board_journal::BoardJournal;
use crate::gate::Gate;
use crate::opened::LocalBoard;

/// The path of the rows. What else is posted to changes none: a login, and usage data that is
/// dropped.
const ROWS: &str = "/xapi2/data/";

/// The operator's word, and the tools that do what the routes do.
#[derive(Clone)]
struct OperatorWord {
    gate: Gate,
    journal: Arc<BoardJournal>,
    trail: AuditTrail,
}

/// The board's routes; what the operator's word closes is closed here too, for every token.
pub(super) fn routes(local: &LocalBoard, trail: &AuditTrail) -> Router {
    let routes = local.board.router();
    let is_closed = |effect| local.gate.is_closed_by_word(effect, None);
    if !is_closed(ToolEffect::Write) && !is_closed(ToolEffect::Destroy) && !local.gate.names_any() {
        return routes;
    }
    let word = OperatorWord {
        gate: local.gate.clone(),
        journal: Arc::clone(&local.journal),
        trail: trail.clone(),
    };
    routes.layer(from_fn_with_state(word, hold_to_word))
}

async fn hold_to_word(State(word): State<OperatorWord>, request: Request, next: Next) -> Response {
    let Some((tool, detail)) = word.refusal(request.method(), request.uri().path()) else {
        return next.run(request).await;
    };
    let client = request.headers().get(header::USER_AGENT);
    let client = client.and_then(|client| client.to_str().ok());
    let row = word.journal.refused(&tool, client);
    word.trail.refused_row(row, "gate", &detail);
    (StatusCode::FORBIDDEN, Json(json!({ "detail": detail }))).into_response()
}

impl OperatorWord {
    /// Why a request may not be carried out, and the name of what it does.
    fn refusal(&self, method: &Method, path: &str) -> Option<(String, String)> {
        let rows = path.strip_prefix(ROWS)?;
        let (operation, effect) = match *method {
            Method::POST => (RowOperation::Create, ToolEffect::Write),
            Method::PATCH => (RowOperation::Update, ToolEffect::Write),
            Method::DELETE => (RowOperation::Delete, ToolEffect::Destroy),
            _ => return None,
        };
        let model = rows.split('/').next().unwrap_or_default();
        let tool = self.journal.tool(model, operation);
        if !self.gate.is_closed_by_word(effect, tool) {
            return None;
        }
        let name = self.journal.tool_name(model, operation);
        if let Some(tool) = tool.filter(|tool| self.gate.names(tool)) {
            let why = format!(
                "what {tool} does is closed, whatever the token: the operator closed {tool} by its name, with --allow"
            );
            return Some((name, why));
        }
        let what = match effect {
            ToolEffect::Destroy => "deleting is",
            ToolEffect::Read | ToolEffect::Write => "creating and changing are",
        };
        let why = format!(
            "{what} closed, whatever the token: the operator opens that by starting footbridge with {}",
            self.gate.switch_for(effect)
        );
        Some((name, why))
    }
}
