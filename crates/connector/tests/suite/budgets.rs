//! What one call may spend: requests over everything that it is made of, and bytes of answers. Both
//! sides of each edge.

use std::sync::atomic::{AtomicUsize, Ordering};

use footbridge_connector::Fault;
use serde_json::{Value, json};

use crate::scripted::{HEAD, Scripted, ok, refused};

/// Requests that a call may send.
const REQUESTS: usize = 50;

fn file(tools: &str) -> String {
    format!(
        "{HEAD}upstream:\n  base: http://localhost\n  error: [.message?]\n  paging: {{ pages: {{ kind: page, page: page, size: size, max_size: 1, cap: 5000 }} }}\n\
         sources:\n  names: {{ get: /names, pages: pages }}\n\
         lookups:\n  name: {{ from: names }}\ntools:\n{tools}"
    )
}

/// Reads so many records one by one, by steps that need each other; and one before them, perhaps.
fn chain(count: usize, before: &str) -> String {
    let needs = |n: usize| {
        if n == 0 {
            String::new()
        } else {
            format!(", if: '$steps.s{} != null'", n - 1)
        }
    };
    let steps: String = (0..count)
        .map(|n| format!("      - {{ as: s{n}, get: \"/one/{n}\"{} }}\n", needs(n)))
        .collect();
    format!(
        "  - name: chain\n    title: T\n    description: D\n    effect: read\n{before}    steps:\n{steps}"
    )
}

fn row(seen: &crate::fake::Seen, last: usize) -> Value {
    let page: usize = seen
        .path
        .split("page=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .unwrap()
        .parse()
        .unwrap();
    if page > last {
        json!([])
    } else {
        json!([{ "id": page, "name": format!("n{page}") }])
    }
}

#[tokio::test]
async fn a_call_sends_fifty_requests_whatever_they_are_for() {
    for (before, passes) in [("", true), ("    before: { get: /before }\n", false)] {
        let scripted = Scripted::new(&file(&chain(REQUESTS, before)), |_| ok(json!({ "a": 1 })));
        let called = scripted.call("chain", json!({})).await;
        assert_eq!(scripted.seen().len(), REQUESTS);
        assert_eq!(called.is_ok(), passes, "{before}");
        if let Err(error) = called {
            assert_eq!(
                (error.fault(), error.may_have_changed()),
                (Fault::Caller, false)
            );
            assert!(
                error.message().starts_with(
                    "This call has sent 50 requests to X, which is the most for one call."
                ),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn lookups_pages_and_repetitions_draw_on_the_same_fifty() {
    let tools = "  - name: t\n    title: T\n    description: D\n    effect: read\n    input: { name: { lookup: name, type: integer, description: N } }\n\
                 \x20   steps: [{ get: /rows, query: { of: $args.name }, pages: pages }]\n";
    let failed = AtomicUsize::new(0);
    let scripted = Scripted::new(&file(tools), move |seen| {
        match seen.path.starts_with("/names") {
            true => ok(row(seen, 10)),
            false if failed.fetch_add(1, Ordering::SeqCst) == 0 => refused(502, json!({})),
            false => ok(row(seen, 1_000)),
        }
    });
    let list = scripted
        .call("t", json!({ "name": "n7", "limit": 45 }))
        .await
        .unwrap();
    // ten pages of names and an empty one, one repetition: 38 are left
    assert_eq!(
        (list["items"].as_array().unwrap().len(), &list["truncated"]),
        (38, &json!(true))
    );
    assert!(
        list["note"]
            .as_str()
            .unwrap()
            .contains("This call has sent 50 requests"),
        "{list}"
    );
    assert_eq!(scripted.seen().len(), REQUESTS);
    let cursor = list["next_cursor"].as_str().unwrap().to_owned();
    // the names are kept, so the next call has all fifty for itself
    let list = scripted
        .call("t", json!({ "name": "n7", "limit": 45, "cursor": cursor }))
        .await
        .unwrap();
    assert_eq!(
        (
            list["items"].as_array().unwrap().len(),
            &list["items"][0]["id"]
        ),
        (45, &json!(39))
    );
    assert!(list["note"].is_null(), "{list}");
}

#[tokio::test]
async fn a_lookup_whose_choices_cannot_all_be_read_does_not_call_a_name_unknown() {
    let tools = "  - name: t\n    title: T\n    description: D\n    effect: read\n    input: { name: { lookup: name, type: integer, description: N } }\n\
                 \x20   steps: [{ get: /rows, query: { of: $args.name } }]\n";
    let goes = AtomicUsize::new(0);
    let scripted = Scripted::new(&file(tools), move |seen| {
        match seen.path.contains("page=2") && goes.fetch_add(1, Ordering::SeqCst) == 0 {
            true => refused(400, json!({ "message": "not now" })),
            false if seen.path.starts_with("/names") => ok(row(seen, 3)),
            false => ok(json!({ "a": 1 })),
        }
    });
    let refusal = scripted.refusal("t", json!({ "name": "n3" })).await;
    assert!(
        refusal.starts_with("A later page failed:") && refusal.contains("not now"),
        "{refusal}"
    );
    scripted.call("t", json!({ "name": "n3" })).await.unwrap();
}

const WRITES: &str = r#"  - name: t
    title: T
    description: D
    effect: write
    input: { ids: { type: array, items: { type: integer }, description: Ids, required: true } }
    steps:
      - { post: "/first" }
      - { post: "/done/{item}", for_each: "$args.ids[]", at_most: 200 }
      - { get: "/after" }
    no_undo: It is a test.
"#;

#[tokio::test]
async fn a_loop_adds_what_it_may_do_and_what_was_done_is_told() {
    // fifty and as many as the loop may have: every item passes
    let scripted = Scripted::new(&file(WRITES), |_| ok(json!({ "a": 1 })));
    scripted
        .call("t", json!({ "ids": (0..200).collect::<Vec<_>>() }))
        .await
        .unwrap();
    assert_eq!(scripted.seen().len(), 202);
    // one more, and far more: none passes
    for count in [201, 500] {
        let scripted = Scripted::new(&file(WRITES), |_| ok(json!({ "a": 1 })));
        let error = scripted
            .call("t", json!({ "ids": (0..count).collect::<Vec<_>>() }))
            .await
            .unwrap_err();
        assert_eq!(scripted.lines(), ["POST /first"], "{count}");
        assert!(
            error.message().contains(
                "There are more than 200 items to go through; nothing was done with them."
            ),
            "{error}"
        );
    }

    let steps: String = (0..REQUESTS)
        .map(|n| format!("      - {{ post: \"/w/{n}\" }}\n"))
        .collect();
    let head = "  - name: t\n    title: T\n    description: D\n    effect: write\n    no_undo: N.\n    before: { get: /before }\n";
    let tool = format!("{head}    steps:\n{steps}");
    let scripted = Scripted::new(&file(&tool), |seen| ok(json!({ "id": seen.path })));
    let error = scripted.call("t", json!({})).await.unwrap_err();
    assert_eq!(scripted.seen().len(), REQUESTS);
    assert!(error.may_have_changed());
    let message = error.message();
    assert!(
        message.starts_with("Only a part was done; it was not taken back."),
        "{message}"
    );
    let told: Value = serde_json::from_str(message.split_once("back. ").unwrap().1).unwrap();
    assert_eq!(
        (
            told["done"].as_array().unwrap().len(),
            &told["done"][48]["value"]["id"]
        ),
        (REQUESTS - 1, &json!("/w/48"))
    );
    assert_eq!(told["failed"]["step"], "step 50");
    assert!(
        told["failed"]["error"]
            .as_str()
            .unwrap()
            .contains("50 requests"),
        "{told}"
    );
}

#[tokio::test]
async fn a_call_reads_so_many_bytes() {
    // 8 MiB at a time, the last one smaller on one side of the edge
    for (less, passes) in [(1, true), (0, false)] {
        let scripted = Scripted::new(&file(&chain(9, "")), move |seen| {
            let bytes = (8 << 20) - if seen.path == "/one/7" { less } else { 0 };
            crate::scripted::Answer(200, Vec::new(), format!("\"{}\"", "x".repeat(bytes - 2)))
        });
        let called = scripted
            .call("chain", json!({ "a": 1 }))
            .await
            .err()
            .map(|error| error.message().to_owned());
        let spent = called
            .as_deref()
            .is_some_and(|message| message.starts_with("X has answered this call with 64 MiB"));
        assert_eq!(
            (!spent, scripted.seen().len()),
            (passes, if passes { 9 } else { 8 }),
            "{called:?}"
        );
    }
}
