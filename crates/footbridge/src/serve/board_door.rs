//! The door of the local board, `/xapi2`: the board's own routes, and the operator's word before
//! them. The board itself finds out who is asking.

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use footbridge_connector::Effect;
use serde_json::json;

use crate::gate::Gate;
use crate::opened::LocalBoard;

/// The path of the rows. What else is posted to changes none: a login, and usage data that is
/// dropped.
const ROWS: &str = "/xapi2/data/";

/// The board's routes; what the operator's word closes is closed here too, for every token.
pub(super) fn routes(local: &LocalBoard) -> Router {
    let routes = local.board.router();
    let is_closed = |effect| local.gate.is_closed_by_word(effect);
    if !is_closed(Effect::Write) && !is_closed(Effect::Destroy) {
        return routes;
    }
    routes.layer(from_fn_with_state(local.gate.clone(), hold_to_word))
}

async fn hold_to_word(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let effect = if request.uri().path().starts_with(ROWS) {
        effect(request.method())
    } else {
        Effect::Read
    };
    if !gate.is_closed_by_word(effect) {
        return next.run(request).await;
    }
    let (what, switch) = (
        if effect == Effect::Destroy {
            "deleting is"
        } else {
            "creating and changing are"
        },
        gate.switch_for(effect),
    );
    let detail = format!(
        "{what} closed, whatever the token: the operator opens that by starting footbridge with {switch}"
    );
    (StatusCode::FORBIDDEN, Json(json!({ "detail": detail }))).into_response()
}

fn effect(method: &Method) -> Effect {
    match *method {
        Method::POST | Method::PATCH => Effect::Write,
        Method::DELETE => Effect::Destroy,
        _ => Effect::Read,
    }
}
