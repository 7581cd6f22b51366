//! Backends that say back what they were sent: a credential in an answer never reaches the caller.

use serde_json::{Map, json};

use crate::fake::Seen;
use crate::scripted::{Answer, HEAD, Scripted, ok};

const KEY: &str = "key-of-the-settings";
const PASSWORD: &str = "swordfish";
const TOKEN: &str = "tok/en+of=the.login";
const REFRESH: &str = "what-renews-the-login";

fn file() -> String {
    format!(
        r#"{HEAD}settings:
  KEY: {{ required: true, secret: true }}
  PASSWORD: {{ required: true, secret: true }}
upstream:
  base: http://localhost
  headers: {{ X-Key: "{{settings.KEY}}" }}
  login:
    post: /auth
    body: '{{password: $settings.PASSWORD}}'
    token: .token
    renew: {{ post: /renew, body: '{{refresh: $login.refresh}}', token: .token }}
    me: .
  paging: {{ pages: {{ kind: page, page: page, size: size, next: '$headers["x-next"]' }} }}
shapes:
  row: {{ id: integer, by: {{ type: string, from: .sent.by }}, glued: {{ type: string, from: '"<\(.sent.key)>"' }} }}
tools:
  - {{ name: whole, title: T, description: D, effect: read, steps: [{{ get: /record }}] }}
  - {{ name: shaped, title: T, description: D, effect: read, output: row, steps: [{{ get: /record }}] }}
  - {{ name: filtered, title: T, description: D, effect: read, steps: [{{ get: /record }}], result: '{{all: .sent, text: tojson}}' }}
  - {{ name: rows, title: T, description: D, effect: read, output: row, steps: [{{ get: /rows, pages: pages, row: row }}] }}
  - {{ name: text, title: T, description: D, effect: read, steps: [{{ get: /text, answer: text }}] }}
  - {{ name: mine, title: T, description: D, effect: read, steps: [{{ let: $me }}] }}
  - {{ name: made, title: T, description: D, effect: write, no_undo: N., steps: [{{ post: /record }}, {{ post: /fails }}] }}
resources:
  - {{ uri: "x://record", name: record, title: T, description: D, mime: application/json, get: /record }}
"#
    )
}

fn scripted() -> Scripted {
    let record = || json!({"id": 7, "sent": {"key": KEY, "by": format!("Bearer {TOKEN}, once {PASSWORD}"), "again": [REFRESH]}, KEY: 1});
    Scripted::later(
        &file(),
        &[("KEY", KEY), ("PASSWORD", PASSWORD)],
        move |seen: Seen| {
            let answer = match seen.path.split('?').next().unwrap() {
                "/auth" => ok(
                    json!({"token": TOKEN, "refresh": REFRESH, "name": "Ana", "password": PASSWORD}),
                ),
                "/record" => Answer(200, Vec::new(), record().to_string().replace('/', "\\/")),
                "/rows" => ok(json!([record()])).with("x-next", ""),
                "/fails" => Answer(500, Vec::new(), String::new()),
                _ => Answer(
                    200,
                    Vec::new(),
                    format!("Sent: {TOKEN}, {KEY}; swordfishing for {PASSWORD}."),
                ),
            };
            Box::pin(async move { answer })
        },
    )
}

fn assert_hidden(text: &str, what: &str) {
    for secret in [KEY, TOKEN, REFRESH, &TOKEN.replace('/', "\\/")] {
        assert!(!text.contains(secret), "{what} shows {secret}: {text}");
    }
    assert!(text.contains("[secret]"), "{what}: {text}");
}

#[tokio::test]
async fn no_result_shows_a_credential() {
    let scripted = scripted();
    let (by, key) = ("Bearer [secret], once [secret]", "[secret]");
    for (tool, expected) in [
        (
            "whole",
            json!({"id": 7, "sent": {"key": key, "by": by, "again": [key]}, key: 1}),
        ),
        ("shaped", json!({"id": 7, "by": by, "glued": "<[secret]>"})),
        (
            "rows",
            json!({"items": [{"id": 7, "by": by, "glued": "<[secret]>"}], "total_count": 1}),
        ),
        (
            "text",
            json!(
                "<untrusted-content>Sent: [secret], [secret]; swordfishing for [secret].</untrusted-content>"
            ),
        ),
        (
            "mine",
            json!({"token": key, "refresh": key, "name": "Ana", "password": key}),
        ),
    ] {
        assert_eq!(
            scripted.call(tool, json!({})).await.unwrap(),
            expected,
            "{tool}"
        );
    }
    let filtered = scripted
        .call("filtered", json!({}))
        .await
        .unwrap()
        .to_string();
    assert_hidden(&filtered, "filtered");
    // what was sent is still what the backend gave
    assert_eq!(
        scripted.seen().last().unwrap().authorization.as_deref(),
        Some(format!("Bearer {TOKEN}").as_str())
    );
}

#[tokio::test]
async fn no_resource_and_no_report_of_changes_shows_a_credential() {
    let scripted = scripted();
    assert_hidden(
        &scripted
            .backend
            .read_resource("record", Map::new())
            .await
            .unwrap(),
        "resource",
    );
    assert_hidden(&scripted.refusal("made", json!({})).await, "what was done");
}

#[tokio::test]
async fn records_for_a_program_are_without_credentials_too() {
    let options = footbridge_connector::Options {
        keeps_records: true,
        ..Default::default()
    };
    let outcome = scripted()
        .backend
        .call_with("shaped", Map::new(), options)
        .await
        .unwrap();
    assert_hidden(&outcome.records.unwrap(), "records");
}
