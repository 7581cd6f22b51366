//! A small Production Board in memory, over axum: enough of the REST contract to page, filter,
//! create, change and delete.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use footbridge_connector::{Backend, BackendError, Connector, InProcess, compile};
use serde_json::{Map, Value, json};

use crate::golden::connector_file;

/// What a backend saw: method, path with query, `Authorization`, body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

#[derive(Clone, Default)]
pub(crate) struct Fake {
    pub(crate) rows: Arc<Mutex<Vec<Value>>>,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
    /// Answers every page as if `after` were not there.
    pub(crate) ignores_after: bool,
    /// Rows of every page, whatever was asked for.
    pub(crate) page_rows: Option<usize>,
    /// Fails the requests of these numbers, from 1.
    pub(crate) fails: std::ops::Range<usize>,
}

impl Fake {
    pub(crate) fn with_cards(count: usize) -> Self {
        let fake = Self::default();
        for number in 1..=count {
            fake.rows.lock().unwrap().push(row(
                number,
                json!({"title": format!("Card {number}"), "status": "todo", "position": number}),
            ));
        }
        fake
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/xapi2/data/{model}", get(list).post(create))
            .route(
                "/xapi2/data/{model}/{id}",
                get(read).patch(update).delete(remove),
            )
            .route(
                "/xapi2/auth/me",
                get(|| async {
                    Json(json!({"id": "u1", "email": "a@example.org", "role": "user"}))
                }),
            )
            .layer(axum::middleware::from_fn_with_state(self.clone(), record))
            .with_state(self.clone())
    }

    /// The committed board connector over this service.
    pub(crate) fn board(&self) -> Backend {
        self.behind(&compile("prodmcp.yaml", &connector_file("prodmcp.yaml")).unwrap())
    }

    /// A connector over this service, whose texts are the user's own.
    pub(crate) fn behind(&self, connector: &Connector) -> Backend {
        self.stranger(connector).with_own_texts()
    }

    /// A connector over this service, whose texts are a stranger's.
    pub(crate) fn stranger(&self, connector: &Connector) -> Backend {
        let settings = connector
            .settings(&|name| (name == "PRODMCP_TOKEN").then(|| "pat_secret".to_owned()))
            .unwrap();
        connector.connect(settings, InProcess::<_, Body>::new(self.router()))
    }
}

fn row(number: usize, data: Value) -> Value {
    let id = format!("id-{number:05}");
    json!({"id": id, "type": "card", "status": "active", "owned_by": "u1", "is_archived": false, "created_at": "c", "updated_at": "u", "data": data})
}

async fn record(
    State(fake): State<Fake>,
    headers: HeaderMap,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let authorization = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap().to_owned());
    let seen = Seen {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        authorization,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let count = {
        let mut all = fake.seen.lock().unwrap();
        all.push(seen);
        all.len()
    };
    if fake.fails.contains(&count) {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"detail": "down for a moment"})),
        )
            .into_response();
    }
    next.run(axum::extract::Request::from_parts(head, Body::from(body)))
        .await
}

async fn list(
    State(fake): State<Fake>,
    Query(pairs): Query<Vec<(String, String)>>,
    _uri: Uri,
) -> Response {
    let value = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    let number =
        |name: &str, default: usize| value(name).map_or(default, |text| text.parse().unwrap());
    let limit = fake
        .page_rows
        .unwrap_or_else(|| number("limit", 25).min(200));
    let statuses: Vec<&String> = pairs
        .iter()
        .filter(|(key, _)| key == "data__status")
        .map(|(_, value)| value)
        .collect();
    let rows = fake.rows.lock().unwrap().clone();
    let mut rows: Vec<Value> = rows
        .into_iter()
        .filter(|row| {
            statuses.is_empty()
                || statuses
                    .iter()
                    .any(|status| row["data"]["status"] == **status)
        })
        .collect();
    if let Some(after) = value("after").filter(|_| !fake.ignores_after) {
        let at = rows.iter().position(|row| row["id"] == *after).unwrap();
        rows.drain(..=at);
    }
    rows.drain(..number("offset", 0).min(rows.len()));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let count = rows.len();
    Json(json!({"data": rows, "meta": {"count": count, "has_more": more}})).into_response()
}

async fn create(State(fake): State<Fake>, Json(body): Json<Map<String, Value>>) -> Response {
    if body
        .get("priority")
        .is_some_and(|priority| priority == "urgent")
    {
        let detail = "priority must be one of low, medium, high, critical; is \"urgent\"";
        return (StatusCode::BAD_REQUEST, Json(json!({"detail": detail}))).into_response();
    }
    let mut rows = fake.rows.lock().unwrap();
    let row = row(rows.len() + 1, Value::Object(body));
    rows.push(row.clone());
    (StatusCode::CREATED, Json(row)).into_response()
}

fn missing() -> Response {
    (
        StatusCode::NOT_FOUND,
        Json(json!({"i18n": {"en": "There is no such card"}, "detail": "not_found"})),
    )
        .into_response()
}

async fn read(State(fake): State<Fake>, Path((_, id)): Path<(String, String)>) -> Response {
    match fake.rows.lock().unwrap().iter().find(|row| row["id"] == id) {
        Some(row) => Json(row.clone()).into_response(),
        None => missing(),
    }
}

async fn update(
    State(fake): State<Fake>,
    Path((_, id)): Path<(String, String)>,
    Json(body): Json<Map<String, Value>>,
) -> Response {
    match fake
        .rows
        .lock()
        .unwrap()
        .iter_mut()
        .find(|row| row["id"] == id)
    {
        Some(row) => {
            row["data"].as_object_mut().unwrap().extend(body);
            Json(row.clone()).into_response()
        }
        None => missing(),
    }
}

async fn remove(State(fake): State<Fake>, Path((_, id)): Path<(String, String)>) -> Response {
    let mut rows = fake.rows.lock().unwrap();
    let before = rows.len();
    rows.retain(|row| row["id"] != id);
    if rows.len() == before {
        missing()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// Calls a tool with the arguments of a JSON object; the result as a value.
pub(crate) async fn call(
    backend: &Backend,
    tool: &str,
    arguments: Value,
) -> Result<Value, BackendError> {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object")
    };
    let outcome = backend.call(tool, arguments).await?;
    Ok(serde_json::from_str(&outcome.json).unwrap())
}
