//! Answers and arguments that nobody meant well, through tools with steps, shapes and lists.

use serde_json::{Value, json};

use crate::scripted::{Answer, HEAD, Scripted, ok};

const FILE: &str = r#"
upstream: { base: http://localhost/api, error: [.message?], paging: { all: { kind: page, page: page, size: size } } }
shapes:
  row: { id: integer, name: { type: string, text: true }, tag: { type: string, from: '.tags[0]' }, deep: { type: object, from: .a.b.c } }
tools:
  - { name: one, title: T, description: D, effect: read, input: { id: { type: string, description: I } }, output: row, steps: [{ get: "/x/{id}" }] }
  - { name: list, title: T, description: D, effect: read, output: row, fields: true, steps: [{ get: /x, pages: all, row: row }] }
  - { name: chosen, title: T, description: D, effect: read, steps: [{ get: /x, pages: all, where: .id != null, row: '{id}' }] }
  - { name: raw, title: T, description: D, effect: read, steps: [{ get: /x }] }
  - { name: made, title: T, description: D, effect: read, steps: [{ get: /x }], result: '[.]' }
"#;

const TOOLS: [&str; 5] = ["one", "list", "chosen", "raw", "made"];

fn answering(body: impl Into<String>) -> Scripted {
    let body = body.into();
    Scripted::new(&format!("{HEAD}{FILE}"), move |_| {
        Answer(200, vec![], body.clone())
    })
}

#[tokio::test]
async fn every_tool_has_an_answer_to_what_is_not_json() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    for body in [
        "<!doctype html><p>no",
        "NaN",
        "{\"a\":1,}",
        "[1] [2]",
        "\u{feff}\u{feff}{}",
        &nested(129),
        &nested(100_000),
    ] {
        let scripted = answering(body);
        for tool in TOOLS {
            let message = scripted.refusal(tool, json!({"id": "1"})).await;
            assert!(
                message.contains("where JSON was expected"),
                "{tool}: {message}"
            );
        }
    }
    for body in [
        "",
        " \n",
        "null",
        "5",
        "\"text\"",
        "{}",
        "\u{feff}{}",
        "[]",
        &nested(100),
    ] {
        let scripted = answering(body);
        for tool in TOOLS {
            if let Err(error) = scripted.call(tool, json!({"id": "1"})).await {
                assert!(
                    [
                        "not a list",
                        "did not have the form",
                        "answered nothing where JSON was expected"
                    ]
                    .iter()
                    .any(|what| error.message().contains(what)),
                    "{tool} {body}: {error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_read_that_says_nothing_is_an_error_and_no_content_is_null() {
    for (status, body, is_error) in [
        (200, "", true),
        (200, " \r\n", true),
        (204, "", false),
        (200, "null", false),
    ] {
        let scripted = Scripted::new(&format!("{HEAD}{FILE}"), move |_| {
            Answer(status, vec![], body.to_owned())
        });
        for tool in ["raw", "one"] {
            let called = scripted.call(tool, json!({"id": "1"})).await;
            assert_eq!(
                called.is_err(),
                is_error,
                "{tool} {status} {body:?}: {called:?}"
            );
            if let Err(error) = called {
                assert!(
                    error
                        .message()
                        .contains("X answered nothing where JSON was expected. Check that"),
                    "{error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn numbers_and_texts_of_any_size_pass_as_they_are() {
    let digits = "9".repeat(5_000);
    let row = format!(
        r#"{{"id":{digits},"name":"\ud83d","tags":["\u0000\"\\"],"a":{{"b":{{"c":{{"n":1e400}}}}}}}}"#
    );
    for (tool, body) in [("one", row.clone()), ("list", format!("[{row}]"))] {
        let scripted = answering(body);
        let outcome = scripted
            .backend
            .call(tool, json!({"id": "1"}).as_object().unwrap().clone())
            .await
            .unwrap();
        let text = &outcome.json;
        assert!(
            text.contains(&digits) && text.contains("1e400") && text.contains("\\ufffd")
                || text.contains('\u{fffd}'),
            "{tool}"
        );
    }
    for tool in ["raw", "made"] {
        let outcome = answering(row.clone())
            .backend
            .call(tool, serde_json::Map::new())
            .await
            .unwrap();
        assert!(outcome.json.contains(&digits), "{tool}");
    }
}

#[tokio::test]
async fn rows_that_are_no_records_and_keys_twice_do_no_harm() {
    let scripted = answering(
        r#"[1, null, "x", [2], {"id": 1, "id": 2, "name": null, "a": 5, "tags": {}}, {"a": {"b": []}, "tags": null}]"#,
    );
    let list = scripted.call("list", json!({})).await;
    if let Ok(list) = &list {
        assert_eq!(list["items"].as_array().unwrap().len(), 6);
    }
    let clean = answering(r#"[1, "x", {"id": 1, "id": 2, "a": 5}]"#);
    let list = clean.call("list", json!({})).await.unwrap();
    assert_eq!(list["items"], json!([1, "x", {"id": 2}]));
}

#[tokio::test]
async fn an_id_never_leaves_its_segment() {
    let scripted = Scripted::new(&format!("{HEAD}{FILE}"), |seen| {
        ok(json!({"id": 1, "name": seen.path}))
    });
    for id in [
        "../auth/me",
        "a/b",
        "a?x=1",
        "a#b",
        "%2e%2e",
        "..%2f",
        "a\\b",
        "é",
        " ",
        "a\r\nHost: x",
    ] {
        scripted.call("one", json!({"id": id})).await.unwrap();
        let path = scripted.seen().last().unwrap().path.clone();
        assert_eq!(path.matches('/').count(), 3, "{id}: {path}");
        assert!(
            path.starts_with("/api/x/") && !path.contains(['?', '#', '\\', ' ']),
            "{id}: {path}"
        );
    }
    for id in ["", ".", ".."] {
        assert!(
            scripted.call("one", json!({"id": id})).await.is_err(),
            "{id:?}"
        );
    }
}

#[tokio::test]
async fn arguments_of_any_kind_are_refused_or_taken() {
    let scripted = Scripted::new(&format!("{HEAD}{FILE}"), |_| ok(json!([])));
    for arguments in [
        json!({"limit": 0}),
        json!({"limit": -1}),
        json!({"limit": "many"}),
        json!({"limit": u64::MAX}),
        json!({"cursor": 5}),
        json!({"cursor": "x".repeat(5_000)}),
        json!({"fields": "id"}),
        json!({"fields": [1, null, {}]}),
        json!({"fields": vec!["x"; 5_000]}),
        json!({"unknown": Value::Null}),
    ] {
        if let Err(error) = scripted.call("list", arguments.clone()).await {
            assert!(
                error.message().starts_with("`cursor` is not one of ours"),
                "{arguments}: {error}"
            );
        }
    }
}
