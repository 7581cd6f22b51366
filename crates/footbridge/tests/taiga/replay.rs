//! The recorded exchanges, sent to the stand-in in their order: it answers with the same status,
//! shape and refusals.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::stand_in::recording::{self, Exchange};
use crate::stand_in::{AS_RECORDED, PASSWORD, StandIn};

/// Exchanges that no state stands behind: wiki, attachments, timelines, votes, statistics,
/// notifications, a project that is made and deleted. They prove nothing about the stand-in, and
/// are not counted as agreement.
const AS_RECORDED_IN_ALL: usize = 54;

/// Objects whose keys are data.
const KEYED_BY_DATA: [&str; 9] = [
    "tags_colors",
    "points",
    "total_points",
    "diff",
    "values",
    "values_diff",
    "attributes_values",
    "user_stories_counts",
    "users",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_stand_in_answers_as_the_recorded_instance_did() {
    let stand_in = StandIn::start().await;
    let mut client = Client {
        http: crate::harness::client::http(),
        base: stand_in.api(),
        tokens: BTreeMap::new(),
        refresh: String::new(),
        ids: BTreeMap::new(),
    };
    client.log_in("admin").await;
    client.log_in("mcpbot").await;
    let mut faults = Vec::new();
    let mut as_recorded = 0;
    for exchange in recording::all() {
        if exchange.response.status == 429 {
            stand_in.world().turn_throttle(1, 60);
        }
        let answer = client.send(exchange).await;
        client.learn_ids(exchange, &answer);
        if answer.headers.contains_key(AS_RECORDED) {
            as_recorded += 1;
            continue;
        }
        faults.extend(
            differences(exchange, &answer)
                .into_iter()
                .map(|fault| format!("{}: {fault}", exchange.label)),
        );
    }
    assert!(
        faults.is_empty(),
        "{} differences:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert_eq!(as_recorded, AS_RECORDED_IN_ALL);
}

struct Client {
    http: reqwest::Client,
    base: String,
    tokens: BTreeMap<String, String>,
    refresh: String,
    /// Ids of history entries: as recorded, and as they are here.
    ids: BTreeMap<String, String>,
}

struct Received {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

impl Client {
    async fn log_in(&mut self, account: &str) {
        let body = json!({ "type": "normal", "username": account, "password": PASSWORD });
        let answer = self
            .http
            .post(format!("{}/auth", self.base))
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        self.tokens.insert(
            account.to_owned(),
            body["auth_token"].as_str().unwrap().to_owned(),
        );
        self.refresh = body["refresh"].as_str().unwrap().to_owned();
    }

    /// Numbers of items are the same here; the ids of history entries are not.
    fn learn_ids(&mut self, exchange: &Exchange, answer: &Received) {
        if !exchange.request.path.starts_with("/history/") {
            return;
        }
        let recorded = exchange
            .response
            .body
            .as_ref()
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for (recorded, given) in recorded.zip(answer.body.as_array().into_iter().flatten()) {
            if let (Some(recorded), Some(given)) = (recorded["id"].as_str(), given["id"].as_str()) {
                self.ids.insert(recorded.to_owned(), given.to_owned());
            }
        }
    }

    async fn send(&self, exchange: &Exchange) -> Received {
        let sent = &exchange.request;
        let path = self
            .ids
            .iter()
            .fold(sent.path.clone(), |path, (recorded, given)| {
                path.replace(recorded, given)
            });
        let method = Method::from_bytes(sent.method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(account) = &sent.account {
            request = request.bearer_auth(
                self.tokens
                    .get(account)
                    .map_or("no such token", String::as_str),
            );
        }
        request = if sent.headers.contains_key("accept") {
            request
        } else {
            request.header("accept", "application/json")
        };
        for (name, value) in sent
            .headers
            .iter()
            .filter(|(name, _)| *name != "content-type")
        {
            request = request.header(name, value.as_str().unwrap());
        }
        let body = sent.body.as_ref().map(|body| self.with_secrets(body));
        request = match body {
            Some(Value::String(text)) => request.body(text),
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string()),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let text =
            |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                (name.to_string(), value.to_str().unwrap().to_owned())
            };
        let (status, headers) = (
            answer.status().as_u16(),
            answer.headers().iter().map(text).collect(),
        );
        let bytes = answer.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8(bytes.to_vec()).unwrap()));
        Received {
            status,
            headers,
            body,
        }
    }

    /// The recording holds places instead of secrets.
    fn with_secrets(&self, body: &Value) -> Value {
        let mut body = body.clone();
        for (key, place, secret) in [
            ("password", "<password>", PASSWORD),
            ("refresh", "<jwt>", self.refresh.as_str()),
        ] {
            if body.get(key) == Some(&json!(place)) {
                body[key] = json!(secret);
            }
        }
        body
    }
}

fn differences(exchange: &Exchange, answer: &Received) -> Vec<String> {
    let expected = &exchange.response;
    let mut faults = Vec::new();
    if expected.status != answer.status {
        faults.push(format!(
            "status {} was {}: {}",
            answer.status, expected.status, answer.body
        ));
        return faults;
    }
    for name in [
        "x-paginated",
        "x-paginated-by",
        "x-pagination-current",
        "x-throttle-wait-seconds",
        "www-authenticate",
    ] {
        let (given, recorded) = (
            answer.headers.get(name).map(String::as_str),
            expected.headers.get(name).and_then(Value::as_str),
        );
        if given != recorded {
            faults.push(format!("header {name} {given:?} was {recorded:?}"));
        }
    }
    for (name, _) in &expected.headers {
        if !answer.headers.contains_key(name) {
            faults.push(format!("header {name} is missing"));
        }
    }
    let recorded = expected.body.clone().unwrap_or_else(|| json!(""));
    let is_parse_error = |body: &Value| {
        body["_error_message"]
            .as_str()
            .is_some_and(|text| text.starts_with("JSON parse error - "))
    };
    if expected.status >= 400 {
        let is_same =
            recorded == answer.body || (is_parse_error(&recorded) && is_parse_error(&answer.body));
        if !is_same {
            faults.push(format!("refusal {} was {recorded}", answer.body));
        }
    } else {
        compare(&recorded, &answer.body, "", &mut faults);
    }
    faults
}

/// Same types, same keys; a null on either side says nothing, and lists are compared by their first
/// rows.
fn compare(recorded: &Value, given: &Value, place: &str, faults: &mut Vec<String>) {
    match (recorded, given) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(recorded), Value::Object(given)) => {
            if KEYED_BY_DATA.iter().any(|name| place.ends_with(name)) {
                return;
            }
            for key in recorded.keys().filter(|key| !given.contains_key(*key)) {
                faults.push(format!("{place}.{key} is missing"));
            }
            for key in given.keys().filter(|key| !recorded.contains_key(*key)) {
                faults.push(format!("{place}.{key} is not there in the recording"));
            }
            for (key, value) in given {
                if let Some(known) = recorded.get(key) {
                    compare(known, value, &format!("{place}.{key}"), faults);
                }
            }
        }
        (Value::Array(recorded), Value::Array(given)) => {
            let model = recorded.iter().find(|value| !recording::is_cut_mark(value));
            if let (Some(model), Some(first)) = (model, given.first()) {
                compare(model, first, &format!("{place}[]"), faults);
            }
        }
        (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => faults.push(format!("{place}: {given} was {recorded}")),
    }
}
