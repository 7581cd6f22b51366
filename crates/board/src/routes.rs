//! The table of routes, all under `/xapi2`. None redirects; what is not in the table is a 404 with
//! a sentence.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use http::{Method, Uri};

use crate::api_error::ApiError;
use crate::caller::authenticate;
use crate::route_state::RouteState;

mod account;
mod published_client;
mod rows;

pub(crate) fn router(shared: &Arc<RouteState>) -> Router {
    let known_callers = Router::new()
        .route("/xapi2/data/{type}", get(rows::list).post(rows::create))
        .route(
            "/xapi2/data/{type}/{id}",
            get(rows::read).patch(rows::update).delete(rows::delete),
        )
        .route("/xapi2/auth/me", get(account::me))
        .route_layer(from_fn_with_state(Arc::clone(shared), authenticate));
    Router::new()
        .merge(known_callers)
        .route("/xapi2/auth/login", post(account::log_in))
        .route("/xapi2/mcp/version", get(published_client::version))
        .route("/xapi2/mcp/script", get(published_client::script))
        .route("/xapi2/analytics/track", post(published_client::track))
        .route("/xapi2/openapi.json", get(published_client::openapi))
        .route("/xapi2", any(unknown))
        .route("/xapi2/", any(unknown))
        .route("/xapi2/{*rest}", any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::clone(shared))
}

async fn unknown(uri: Uri) -> ApiError {
    ApiError::not_found(format!(
        "there is nothing at {}: see /xapi2/openapi.json for what there is",
        path(&uri)
    ))
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::method_not_allowed(
        format!(
            "{} does not take {method}: the Allow header names what it takes",
            path(&uri)
        ),
        None,
    )
}

/// A path as a message shows it, cut when long.
fn path(uri: &Uri) -> String {
    const CHARACTERS: usize = 120;
    uri.path().chars().take(CHARACTERS).collect()
}
