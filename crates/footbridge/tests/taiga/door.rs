//! `/actions` of the program in front of a stand-in, and a client of them that holds the key.
//! Judges nothing but success.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::listening::Listening;
use crate::served::{has_no_secret, settings};
use crate::stand_in::StandIn;

pub(crate) const KEY: &str = "planted-action-key";

/// A client of the actions.
pub(crate) struct Door {
    listening: Listening,
    http: Client,
}

impl Door {
    pub(crate) fn open(stand_in: &StandIn, key: Option<&str>, more: &[&str]) -> Self {
        let key = key.map(|key| ("ACTION_PROXY_API_KEY", key.to_owned()));
        let listening = Listening::start("taiga", more, settings(stand_in).into_iter().chain(key));
        Self {
            listening,
            http: crate::harness::client::http(),
        }
    }

    /// `http://127.0.0.1:1234`.
    pub(crate) fn url(&self) -> &str {
        &self.listening.url
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        action: &str,
        key: Option<&str>,
        body: Option<&str>,
    ) -> (StatusCode, Value) {
        let mut request = self
            .http
            .request(method, format!("{}/actions/{action}", self.listening.url));
        if let Some(key) = key {
            request = request.header("X-Api-Key", key);
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap();
        has_no_secret(&text);
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    pub(crate) async fn get(&self, action: &str) -> (StatusCode, Value) {
        self.send(Method::GET, action, Some(KEY), None).await
    }

    pub(crate) async fn post(&self, action: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, action, Some(KEY), Some(&body.to_string()))
            .await
    }

    pub(crate) async fn done(&self, action: &str, body: Value) -> Value {
        let (status, answer) = self.post(action, body).await;
        assert_eq!(status, StatusCode::OK, "{action}: {answer}");
        answer
    }
}

pub(crate) fn refusal(text: &str) -> (StatusCode, Value) {
    (StatusCode::BAD_REQUEST, json!({ "error": text }))
}
