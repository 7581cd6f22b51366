//! A backend that answers by a script: every request is written down, and a function of the test
//! answers it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use footbridge_connector::{Backend, BoxFuture, InProcess, compile};
use serde_json::Value;

use crate::fake::Seen;

/// What every file of these tests begins with.
pub(crate) const HEAD: &str = "format: 1\nconnector: x\ntitle: X\ninstructions: X.\n";

/// An answer: status, headers, body.
pub(crate) struct Answer(
    pub(crate) u16,
    pub(crate) Vec<(String, String)>,
    pub(crate) String,
);

impl Answer {
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.1.push((name.to_owned(), value.to_string()));
        self
    }
}

/// 200 with a JSON body.
pub(crate) fn ok(body: Value) -> Answer {
    Answer(200, Vec::new(), body.to_string())
}

pub(crate) fn refused(status: u16, body: Value) -> Answer {
    Answer(status, Vec::new(), body.to_string())
}

/// A backend and what it saw.
pub(crate) struct Scripted {
    pub(crate) backend: Backend,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Scripted {
    pub(crate) fn new(
        yaml: &str,
        script: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let script = Arc::new(script);
        Self::later(yaml, &[], move |seen| {
            let script = Arc::clone(&script);
            Box::pin(async move { script(&seen) })
        })
    }

    /// With settings, and a script that may wait.
    pub(crate) fn later(
        yaml: &str,
        settings: &[(&str, &str)],
        script: impl Fn(Seen) -> BoxFuture<'static, Answer> + Send + Sync + 'static,
    ) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (noted, script) = (Arc::clone(&seen), Arc::new(script));
        let router = Router::new().fallback(move |request: Request<Body>| {
            let (noted, script) = (Arc::clone(&noted), Arc::clone(&script));
            async move {
                let (head, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                let one = Seen {
                    method: head.method.to_string(),
                    path: head.uri.to_string(),
                    authorization: head
                        .headers
                        .get("authorization")
                        .map(|value| value.to_str().unwrap().to_owned()),
                    body: serde_json::from_slice(&body).unwrap_or_default(),
                };
                noted.lock().unwrap().push(one.clone());
                let Answer(status, headers, body) = script(one).await;
                let mut response = Response::new(Body::from(body));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                for (name, value) in headers {
                    response.headers_mut().insert(
                        name.parse::<HeaderName>().unwrap(),
                        value.parse::<HeaderValue>().unwrap(),
                    );
                }
                response
            }
        });
        let connector = compile("x.yaml", yaml).unwrap_or_else(|problems| panic!("{problems}"));
        let value = |name: &str| {
            settings
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let settings = connector
            .settings(&value)
            .unwrap_or_else(|problems| panic!("{problems}"));
        Self {
            backend: connector.connect(settings, InProcess::<_, Body>::new(router)),
            seen,
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Method and path of every request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen()
            .iter()
            .map(|seen| format!("{} {}", seen.method, seen.path))
            .collect()
    }

    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: Value,
    ) -> Result<Value, footbridge_connector::BackendError> {
        crate::fake::call(&self.backend, tool, arguments).await
    }

    /// The sentence of a call that fails.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> String {
        self.call(tool, arguments)
            .await
            .unwrap_err()
            .message()
            .to_owned()
    }
}

/// A number in the query of a request; none where it is not there.
pub(crate) fn number(seen: &Seen, name: &str) -> Option<usize> {
    let query = seen.path.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
        .map(|text| text.parse().unwrap())
}

/// The ids of the items of a page.
pub(crate) fn ids(page: &Value) -> Vec<u64> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_u64().unwrap())
        .collect()
}
