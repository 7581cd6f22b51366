//! The actions, `/actions/NAME`: tools of a connector under REST paths of their own, for programs
//! that hold the key. The connector says which there are and how a request is read; each call
//! enters the endpoint like any other.

mod document;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get, on};
use axum::{Json, Router};
use footbridge_connector::{Backend, Fault, Outcome, RestAction, ToolEffect};
use footbridge_mcp::{CallError, Endpoint, ErrorKind, limits};
use http_body_util::LengthLimitError;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::board_leases::{LEASE, header_value};
use crate::audit_trail::AuditTrail;
use crate::caller::{Caller, ResultReader};
use crate::exit::Trouble;
use crate::opened::{Opened, Served};
use crate::settings::DoorSecret;
use crate::tool_names::ToolNames;
use crate::write_road::{CallAnswer, CallEnd, CallFailure, Refuser};

/// Bytes that the body of a request may have.
const MAX_BODY_BYTES: usize = 1 << 20;
const KEY: &str = "x-api-key";

/// The path of their description, for everybody: no action has such a name, for the dot.
const DOCUMENT: &str = "/actions/openapi.json";

/// One connector's actions.
#[derive(Debug)]
struct Facade {
    backend: Backend,
    endpoint: Endpoint<Caller>,
    key: Option<DoorSecret>,
    trail: AuditTrail,
}

/// One action and the tool behind it.
#[derive(Debug)]
struct ActionRoute {
    action: RestAction,
    /// The tool's name at the endpoint.
    tool: String,
    /// The tool changes nothing.
    only_reads: bool,
}

/// The sentence that a request reads when the way to the backend, or we, failed; the log says more.
const FAILED_INSIDE: &str = "Internal server error";
/// The header of a refusal that says what the same request again would do.
const RETRY: HeaderName = HeaderName::from_static("footbridge-retry");

/// A request that is refused.
#[derive(Debug)]
pub(super) struct ActionRefusal {
    pub(super) status: StatusCode,
    /// The sentence under `error`.
    pub(super) error: String,
    retry: Retry,
}

/// The effect of the same request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// No good, as far as anybody knows.
    Unsaid,
    /// No harm, and maybe it helps.
    Safe,
    /// It may do twice what was done: look first.
    LookFirst,
}

impl ActionRefusal {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
            retry: Retry::Unsaid,
        }
    }

    fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// A call that failed.
    fn of(failure: CallFailure) -> Self {
        let retry = match (failure.retry_is_safe, failure.may_have_changed) {
            (true, _) => Retry::Safe,
            (false, true) => Retry::LookFirst,
            (false, false) => Retry::Unsaid,
        };
        let refusal = if failure.is_inside() {
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, FAILED_INSIDE)
        } else {
            Self::bad_request(failure.message)
        };
        Self { retry, ..refusal }
    }
}

impl IntoResponse for ActionRefusal {
    fn into_response(self) -> Response {
        let error = json!({ "error": self.error }).to_string();
        let json = [(header::CONTENT_TYPE, "application/json")];
        let retry = match self.retry {
            Retry::Unsaid => None,
            Retry::Safe => Some([(RETRY, "safe")]),
            Retry::LookFirst => Some([(RETRY, "look-first")]),
        };
        match retry {
            None => (self.status, json, error).into_response(),
            Some(retry) => (self.status, json, retry, error).into_response(),
        }
    }
}

/// The routes of every action of every connector that is served. Without a key each answers 503.
pub(super) fn routes(
    opened: &Opened,
    endpoint: &Endpoint<Caller>,
    key: Option<&DoorSecret>,
    base: &str,
) -> Result<Router, Trouble> {
    let names = ToolNames::of(&opened.served)?;
    let mut routes = Router::new();
    if let Some(document) = document::document(&opened.served, base) {
        routes = routes.route(DOCUMENT, get(async || Json(document)));
    }
    for served in &opened.served {
        let actions = served.backend.connector().actions();
        if actions.is_empty() {
            continue;
        }
        let facade = Arc::new(Facade {
            backend: served.backend.clone(),
            endpoint: endpoint.clone(),
            key: key.cloned(),
            trail: opened.trail.clone(),
        });
        for action in actions {
            let has_it = |other: &&Served| {
                other
                    .backend
                    .connector()
                    .actions()
                    .iter()
                    .any(|known| known.name == action.name)
            };
            if let Some(other) = opened
                .served
                .iter()
                .take_while(|other| other.name != served.name)
                .find(has_it)
            {
                return Err(Trouble::usage(format!(
                    "{} and {} cannot be served together over HTTP, as both have the action {}: start footbridge once for each",
                    other.name, served.name, action.name
                )));
            }
            let method = MethodFilter::try_from(action.method.clone()).map_err(|error| {
                Trouble::failed(format!(
                    "the action {} cannot be served: {error}",
                    action.name
                ))
            })?;
            let connector = served.backend.connector();
            let route = Arc::new(ActionRoute {
                tool: names.published(&served.name, &action.tool),
                only_reads: connector
                    .tool(&action.tool)
                    .is_some_and(|tool| tool.effect == ToolEffect::Read),
                action: action.clone(),
            });
            let act = async move |State(facade): State<Arc<Facade>>, request: Request| {
                act(&facade, &route, request).await
            };
            routes = routes.merge(
                Router::new()
                    .route(&format!("/actions/{}", action.name), on(method, act))
                    .with_state(facade.clone()),
            );
        }
    }
    Ok(routes)
}

async fn act(facade: &Facade, route: &ActionRoute, request: Request) -> Response {
    match answer(facade, route, request).await {
        Ok((json, leased)) => {
            let json = ([(header::CONTENT_TYPE, "application/json")], json);
            let mut response = json.into_response();
            if let Some(value) = leased.and_then(|leased| header_value(&leased)) {
                response.headers_mut().insert(LEASE, value);
            }
            response
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// The key first, before anything is read. Gives the answer, and who has a record leased that was
/// written.
async fn answer(
    facade: &Facade,
    route: &ActionRoute,
    request: Request,
) -> Result<(String, Option<String>), ActionRefusal> {
    let (head, body) = request.into_parts();
    admit(facade.key.as_ref(), &head.headers).inspect_err(|refusal| {
        if refusal.status == StatusCode::UNAUTHORIZED {
            facade.trail.logged_in("actions", None, false);
        }
    })?;
    let query = query(head.uri.query().unwrap_or_default());
    let body = if head.method == Method::GET {
        Value::Null
    } else {
        object(body).await?
    };
    let request = json!({ "query": query, "body": body });
    let action = &route.action.name;
    let calls = facade.backend.action_arguments(action, request).await;
    let calls = calls.map_err(|error| refused(&error))?;
    let mut outcomes = Vec::with_capacity(calls.len());
    let mut leased = None;
    for arguments in calls {
        let called = call(facade, &route.tool, arguments.clone()).await;
        let CallAnswer { text, receipt } = called.map_err(|refusal| {
            // what was changed before would be changed again
            let is_first = outcomes.is_empty() || route.only_reads;
            let retry = if is_first {
                refusal.retry
            } else {
                Retry::LookFirst
            };
            ActionRefusal { retry, ..refusal }
        })?;
        leased = leased.or(receipt.and_then(|receipt| receipt.leased));
        let outcome = Outcome {
            json: text,
            ..Outcome::default()
        };
        outcomes.push((arguments, outcome));
    }
    let answer = facade.backend.action_answer(action, outcomes).await;
    let answer = answer.map_err(|error| refused(&error))?;
    Ok((answer, leased))
}

pub(super) fn admit(key: Option<&DoorSecret>, headers: &HeaderMap) -> Result<(), ActionRefusal> {
    let Some(key) = key else {
        return Err(ActionRefusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Proxy API key is not configured",
        ));
    };
    let sent_key = headers
        .get(KEY)
        .map(header::HeaderValue::as_bytes)
        .unwrap_or_default();
    if sent_key.is_empty() {
        return Err(ActionRefusal::new(
            StatusCode::UNAUTHORIZED,
            "Missing X-Api-Key header".to_owned(),
        ));
    }
    let is_right =
        std::str::from_utf8(sent_key).is_ok_and(|text| key.is(&SecretString::from(text)));
    if is_right {
        Ok(())
    } else {
        Err(ActionRefusal::new(
            StatusCode::UNAUTHORIZED,
            "Invalid API key",
        ))
    }
}

/// Every value of every parameter, in their order.
fn query(text: &str) -> Map<String, Value> {
    let mut query = Map::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let values = query.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(json!(value));
        }
    }
    query
}

/// A JSON object, whatever the content type says.
async fn object(body: Body) -> Result<Value, ActionRefusal> {
    let read = tokio::time::timeout(limits::HTTP_BODY_TIME, to_bytes(body, MAX_BODY_BYTES)).await;
    let seconds = limits::HTTP_BODY_TIME.as_secs();
    let late = |_| {
        ActionRefusal::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("Request body must arrive within {seconds} s"),
        )
    };
    let bytes = read.map_err(late)?.map_err(|error| unread(&error))?;
    match serde_json::from_slice(&bytes) {
        Ok(body @ Value::Object(_)) => Ok(body),
        Ok(_) => Err(ActionRefusal::new(
            StatusCode::BAD_REQUEST,
            "Request body must be a JSON object".to_owned(),
        )),
        Err(_) => Err(ActionRefusal::new(
            StatusCode::BAD_REQUEST,
            "Request body must be valid JSON".to_owned(),
        )),
    }
}

fn unread(error: &axum::Error) -> ActionRefusal {
    let is_too_large =
        std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>());
    match is_too_large {
        true => ActionRefusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("Request body must have at most {MAX_BODY_BYTES} bytes"),
        ),
        false => ActionRefusal::new(
            StatusCode::BAD_REQUEST,
            "Request body ended before its end".to_owned(),
        ),
    }
}

/// One call of the tool behind an action; what it gives, as JSON. Whatever the backend refuses
/// is a 400, as the clients of the reference expect.
async fn call(
    facade: &Facade,
    tool: &str,
    arguments: Map<String, Value>,
) -> Result<CallAnswer, ActionRefusal> {
    let running = facade
        .endpoint
        .call(tool, Value::Object(arguments), Caller::ActionClient);
    let mut output = running.await.map_err(|error| match error {
        CallError::Forbidden(why) => ActionRefusal::new(StatusCode::FORBIDDEN, why),
        other => ActionRefusal::bad_request(other.to_string()),
    })?;
    let text = output.first_text().unwrap_or_default().to_owned();
    match (output.take_extension(), output.error_kind()) {
        (Some(CallEnd::Answered(answer)), _) => Ok(answer),
        (Some(CallEnd::Refused(refusal)), _) if refusal.by == Refuser::Brakes => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            Err(ActionRefusal {
                retry: Retry::Safe,
                ..ActionRefusal::new(status, refusal.message)
            })
        }
        (Some(CallEnd::Refused(refusal)), _) => Err(ActionRefusal::bad_request(refusal.message)),
        (Some(CallEnd::Proposed(proposed)), _) => Err(ActionRefusal::bad_request(proposed.message)),
        (Some(CallEnd::Failed(failure)), _) => Err(ActionRefusal::of(failure)),
        (None, Some(ErrorKind::Arguments | ErrorKind::Tool)) => {
            Err(ActionRefusal::bad_request(text))
        }
        // stopped in the middle, or broken inside
        (None, _) => Err(ActionRefusal {
            retry: Retry::LookFirst,
            ..ActionRefusal::new(StatusCode::INTERNAL_SERVER_ERROR, text)
        }),
    }
}

/// What is wrong with a request before its calls, or with making an answer of theirs.
fn refused(error: &footbridge_connector::BackendError) -> ActionRefusal {
    if error.fault() == Fault::Us {
        tracing::error!(detail = error.detail(), "an action failed by our fault");
    }
    ActionRefusal::of(CallFailure::new(error, ResultReader::Program))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::IntoResponse as _;

    use super::{ActionRefusal, RETRY, Retry};

    #[test]
    fn a_refusal_says_whether_the_same_request_again_is_safe() {
        for (retry, header) in [
            (Retry::Unsaid, None),
            (Retry::Safe, Some("safe")),
            (Retry::LookFirst, Some("look-first")),
        ] {
            let refusal = ActionRefusal {
                retry,
                ..ActionRefusal::new(StatusCode::BAD_REQUEST, "not now")
            };
            let response = refusal.into_response();
            let said = response.headers().get(RETRY);
            assert_eq!(said.and_then(|said| said.to_str().ok()), header);
        }
    }
}
