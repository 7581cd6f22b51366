//! The page of counts at `/metrics`, for whoever shows the bearer; where there is none, for this
//! machine's own programs, as everything is then.

use std::sync::Arc;

use ::http::request::Parts;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use footbridge_mcp::auth::bearer_token;
use footbridge_mcp::http::AllowedHosts;

use super::forwarded::is_forwarded;
use crate::audit_trail::AuditTrail;
use crate::metrics::Metrics;
use crate::settings::DoorSecret;

/// Where the counts are.
const METRICS: &str = "/metrics";
/// The form of them.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The counts, and the rule who may read them.
#[derive(Debug)]
pub(super) struct MetricsPage {
    pub(super) metrics: Metrics,
    pub(super) trail: AuditTrail,
    pub(super) token: Option<DoorSecret>,
    pub(super) no_auth: bool,
    pub(super) hosts: AllowedHosts,
}

impl MetricsPage {
    pub(super) fn routes(self) -> Router {
        Router::new().route(METRICS, get(show).with_state(Arc::new(self)))
    }

    /// Why these may not read it. Whoever has the bearer may come by any name, such as that of a
    /// pod.
    fn refuse(&self, head: &Parts) -> Result<(), (StatusCode, String)> {
        let forbidden = |why: String| (StatusCode::FORBIDDEN, why);
        self.hosts.check_origin(head).map_err(forbidden)?;
        match &self.token {
            Some(token) if bearer_token(head).is_some_and(|sent| token.is(&sent)) => Ok(()),
            Some(_) => Err((
                StatusCode::UNAUTHORIZED,
                "the counts are for who sends Authorization: Bearer TOKEN with the value of FOOTBRIDGE_TOKEN"
                    .to_owned(),
            )),
            None if is_forwarded(&head.headers) && !self.no_auth => Err(forbidden(
                "the counts are not for who comes by way of a proxy while no bearer is set".to_owned(),
            )),
            None => self.hosts.check_host(head).map_err(forbidden),
        }
    }
}

async fn show(State(page): State<Arc<MetricsPage>>, head: Parts) -> Response {
    if let Err((status, why)) = page.refuse(&head) {
        let mut response = (status, format!("{why}\n")).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"footbridge\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        return response;
    }
    let text = page.metrics.text(&page.trail.refusals());
    ([(header::CONTENT_TYPE, TEXT)], text).into_response()
}
