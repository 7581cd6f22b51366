//! `/actions/NAME`: tools of a connector under REST paths of their own, for programs that hold the
//! key. Which actions there are and how they read a request is the connector's; that the call
//! passes the endpoint, the write road's.

mod document;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get, on};
use axum::{Json, Router};
use footbridge_connector::{Backend, Fault, Outcome, RestAction};
use footbridge_mcp::{CallError, Endpoint, limits};
use http_body_util::LengthLimitError;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::caller::Caller;
use crate::exit::Trouble;
use crate::opened::{Opened, Served};
use crate::settings::DoorSecret;
use crate::write_road::{self, FAILED_INSIDE};

/// Bytes that the body of a request may have.
const MAX_BODY_BYTES: usize = 1 << 20;
const KEY: &str = "x-api-key";

/// Where the actions are described, to everybody: an action of that name cannot be, for the dot.
const DOCUMENT: &str = "/actions/openapi.json";

/// One connector's actions.
#[derive(Debug)]
struct Facade {
    backend: Backend,
    endpoint: Endpoint<Caller>,
    key: Option<DoorSecret>,
}

/// A request that is refused: the status, and the sentence under `error`.
type Refused = (StatusCode, String);

/// The routes of every action of every connector that is served. Without a key each answers 503.
pub(super) fn routes(
    opened: &Opened,
    key: Option<&DoorSecret>,
    base: &str,
) -> Result<Router, Trouble> {
    let mut routes = Router::new();
    if let Some(document) = document::document(&opened.served, base) {
        routes = routes.route(DOCUMENT, get(async || Json(document)));
    }
    for served in &opened.served {
        let actions = served.backend.connector().actions();
        if actions.is_empty() {
            continue;
        }
        let endpoint = Endpoint::builder("footbridge", env!("CARGO_PKG_VERSION"))
            .tools(write_road::tools_of_actions(served, &opened.keys))
            .build();
        let endpoint = endpoint.map_err(|problems| {
            Trouble::usage(format!(
                "the actions of {} cannot be served: {problems}",
                served.name
            ))
        })?;
        let facade = Arc::new(Facade {
            backend: served.backend.clone(),
            endpoint,
            key: key.cloned(),
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
            let answers = Arc::new(action.clone());
            let act = async move |State(facade): State<Arc<Facade>>, request: Request| {
                act(&facade, &answers, request).await
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

async fn act(facade: &Facade, action: &RestAction, request: Request) -> Response {
    match answer(facade, action, request).await {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err((status, error)) => (
            status,
            [(header::CONTENT_TYPE, "application/json")],
            json!({ "error": error }).to_string(),
        )
            .into_response(),
    }
}

/// The key first, before anything is read.
async fn answer(facade: &Facade, action: &RestAction, request: Request) -> Result<String, Refused> {
    let (head, body) = request.into_parts();
    admit(facade.key.as_ref(), &head.headers)?;
    let query = query(head.uri.query().unwrap_or_default());
    let body = if head.method == Method::GET {
        Value::Null
    } else {
        object(body).await?
    };
    let request = json!({ "query": query, "body": body });
    let wanted = facade
        .backend
        .action_arguments(&action.name, request)
        .await
        .map_err(|error| refused(&error))?;
    let mut calls = Vec::with_capacity(wanted.len());
    for arguments in wanted {
        let outcome = call(facade, action, arguments.clone()).await?;
        calls.push((arguments, outcome));
    }
    facade
        .backend
        .action_answer(&action.name, calls)
        .await
        .map_err(|error| refused(&error))
}

pub(super) fn admit(key: Option<&DoorSecret>, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(key) = key else {
        return Err((
            StatusCode::SERVICE_UNAVAILABLE,
            "Proxy API key is not configured".to_owned(),
        ));
    };
    let given = headers
        .get(KEY)
        .map(header::HeaderValue::as_bytes)
        .unwrap_or_default();
    if given.is_empty() {
        return Err((
            StatusCode::UNAUTHORIZED,
            "Missing X-Api-Key header".to_owned(),
        ));
    }
    let is_it = std::str::from_utf8(given).is_ok_and(|given| key.is(&SecretString::from(given)));
    if is_it {
        Ok(())
    } else {
        Err((StatusCode::UNAUTHORIZED, "Invalid API key".to_owned()))
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
async fn object(body: Body) -> Result<Value, Refused> {
    let read = tokio::time::timeout(limits::HTTP_BODY_TIME, to_bytes(body, MAX_BODY_BYTES)).await;
    let seconds = limits::HTTP_BODY_TIME.as_secs();
    let late = |_| {
        (
            StatusCode::REQUEST_TIMEOUT,
            format!("Request body must arrive within {seconds} s"),
        )
    };
    let bytes = read.map_err(late)?.map_err(|error| unread(&error))?;
    match serde_json::from_slice(&bytes) {
        Ok(body @ Value::Object(_)) => Ok(body),
        Ok(_) => Err((
            StatusCode::BAD_REQUEST,
            "Request body must be a JSON object".to_owned(),
        )),
        Err(_) => Err((
            StatusCode::BAD_REQUEST,
            "Request body must be valid JSON".to_owned(),
        )),
    }
}

fn unread(error: &axum::Error) -> Refused {
    let is_too_large =
        std::error::Error::source(error).is_some_and(|source| source.is::<LengthLimitError>());
    match is_too_large {
        true => (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("Request body must have at most {MAX_BODY_BYTES} bytes"),
        ),
        false => (
            StatusCode::BAD_REQUEST,
            "Request body ended before its end".to_owned(),
        ),
    }
}

/// One call by the endpoint. Whatever the backend refuses is a 400, as the clients of the reference
/// expect.
async fn call(
    facade: &Facade,
    action: &RestAction,
    arguments: Map<String, Value>,
) -> Result<Outcome, Refused> {
    let output = facade
        .endpoint
        .call(&action.tool, Value::Object(arguments), Caller::ActionClient)
        .await;
    let output = output.map_err(|error| {
        let status = if matches!(error, CallError::Forbidden(_)) {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::BAD_REQUEST
        };
        (status, error.to_string())
    })?;
    let text = output.first_text().unwrap_or_default();
    if text == FAILED_INSIDE {
        return Err((StatusCode::INTERNAL_SERVER_ERROR, text.to_owned()));
    }
    if output.is_error() {
        return Err((StatusCode::BAD_REQUEST, text.to_owned()));
    }
    Ok(Outcome {
        json: text.to_owned(),
        records: None,
    })
}

fn refused(error: &footbridge_connector::CallError) -> Refused {
    match error.fault() {
        Fault::Us => {
            tracing::error!(detail = error.detail(), "an action failed by our fault");
            (StatusCode::INTERNAL_SERVER_ERROR, FAILED_INSIDE.to_owned())
        }
        Fault::Caller | Fault::Backend => (StatusCode::BAD_REQUEST, error.for_people().to_owned()),
    }
}
