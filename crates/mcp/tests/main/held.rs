//! The checks that other tests rely on must be able to fail, and nobody may go around them.

use serde_json::{Value, json};

use crate::schemas::{LEGACY, MODERN, check};
use crate::wire::Wire;

#[test]
fn a_wrong_message_is_caught() {
    let caught = |revision: &'static str, result: &'static str, message: Value| {
        std::panic::catch_unwind(move || check(revision, result, &message)).is_err()
    };
    for revision in LEGACY.into_iter().chain([MODERN]) {
        assert!(
            caught(
                revision,
                "CallToolResult",
                json!({"jsonrpc": "2.0", "id": 1, "result": {"content": 3}})
            ),
            "{revision}"
        );
        assert!(
            caught(
                revision,
                "CallToolResult",
                json!({"jsonrpc": "2.0", "result": {"content": []}})
            ),
            "{revision}"
        );
        assert!(
            caught(
                revision,
                "CallToolResult",
                json!({"jsonrpc": "2.0", "id": 1, "error": {"code": "x"}})
            ),
            "{revision}"
        );
    }
    assert!(
        caught(
            MODERN,
            "CallToolResult",
            json!({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
        ),
        "no resultType"
    );
    let moment = "2026-07-28T00:00:00Z";
    let task = json!({"taskId": "t", "status": "working", "createdAt": moment, "lastUpdatedAt": moment, "ttlMs": 1, "resultType": "complete"});
    let message = |changes: &[(&str, Value)]| {
        let mut result = task.clone();
        for (key, value) in changes {
            result[*key] = value.clone();
        }
        json!({"jsonrpc": "2.0", "id": 1, "result": result})
    };
    check(MODERN, "GetTaskResult", &message(&[]));
    for wrong in [
        &[("status", json!("done"))][..],
        &[("ttlMs", json!(0.5))],
        &[("createdAt", json!("yesterday"))],
        &[("resultType", json!("task"))],
        &[("requestState", json!("s"))],
        &[("status", json!("completed"))],
        &[("status", json!("failed"))],
        &[
            ("status", json!("input_required")),
            ("inputRequests", json!({})),
        ],
        &[("result", json!({"content": [], "resultType": "complete"}))],
    ] {
        assert!(caught(MODERN, "GetTaskResult", message(wrong)), "{wrong:?}");
    }
    assert!(
        caught(MODERN, "TaskAcknowledgement", message(&[])),
        "nothing of the task in it"
    );
}

#[test]
fn a_conversation_that_goes_wrong_is_caught() {
    let caught = |sent: &[&Value], received: Value| {
        let sent: Vec<Value> = sent.iter().copied().cloned().collect();
        std::panic::catch_unwind(move || {
            let mut wire = Wire::default();
            wire.sent(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-03-26"}}));
            let info = json!({"name": "t", "version": "1"});
            let hello = json!({"protocolVersion": "2025-03-26", "capabilities": {}, "serverInfo": info});
            wire.received(&json!({"jsonrpc": "2.0", "id": 0, "result": hello}));
            sent.iter().for_each(|message| wire.sent(message));
            wire.received(&received);
        })
        .is_err()
    };
    let modern = json!({"io.modelcontextprotocol/protocolVersion": MODERN});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t"}});
    let modern_call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "_meta": modern}});
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let answer = |result: Value| json!({"jsonrpc": "2.0", "id": 1, "result": result});
    let (plain, modern_plain) = (
        json!({"content": []}),
        json!({"content": [], "resultType": "complete"}),
    );
    assert!(!caught(&[&call], answer(plain.clone())));
    assert!(caught(&[], answer(plain.clone())), "nobody asked");
    assert!(
        caught(&[&list], answer(plain.clone())),
        "the answer to something else"
    );
    assert!(
        !caught(&[&list, &call], answer(plain.clone())),
        "an id may be used again"
    );
    assert!(
        caught(
            &[&call],
            answer(json!({"content": [{"type": "resource_link", "uri": "a:b", "name": "n"}]}))
        ),
        "too early"
    );
    assert!(!caught(&[&modern_call], answer(modern_plain)));
    assert!(
        caught(&[&modern_call], answer(plain)),
        "the answer of another era"
    );
    assert!(!caught(&[&call], json!([answer(json!({"content": []}))])));
    assert!(caught(&[], json!([])), "a batch of nothing");
    let notification =
        |method: &str, params: Value| json!({"jsonrpc": "2.0", "method": method, "params": params});
    assert!(!caught(
        &[],
        notification(
            "notifications/progress",
            json!({"progressToken": 1, "progress": 1})
        )
    ));
    assert!(caught(
        &[],
        notification("notifications/progress", json!({"progress": 1}))
    ));
    assert!(caught(
        &[],
        notification("notifications/made_up", json!({}))
    ));
    assert!(
        caught(&[], notification("notifications/tasks", json!({}))),
        "not of this revision"
    );
    let tagged = json!({"io.modelcontextprotocol/subscriptionId": 1});
    assert!(!caught(
        &[&modern_call],
        notification("notifications/tools/list_changed", json!({"_meta": tagged}))
    ));
    let question = |method: &str, params: Value| json!({"jsonrpc": "2.0", "id": "q", "method": method, "params": params});
    assert!(!caught(&[], question("roots/list", json!({}))));
    assert!(caught(&[], question("sampling/createMessage", json!({}))));
    let form = json!({"message": "?", "requestedSchema": {"type": "object", "properties": {}}});
    assert!(
        caught(&[], question("elicitation/create", form)),
        "came with 2025-06-18"
    );
    assert!(!caught(
        &[],
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "?"}})
    ));
    assert!(
        caught(
            &[],
            json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "?"}})
        ),
        "2025-03-26 asks for an id"
    );
}

/// A client in memory that is not held to the schemas would be a way around them.
#[test]
fn every_client_in_memory_is_held_to_the_schemas() {
    let own = concat!(".", "test(");
    let mut folders = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests"
    ))];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("wire.rs")
            {
                seen += 1;
                assert!(
                    !std::fs::read_to_string(&path).unwrap().contains(own),
                    "{} goes around `Endpoint::client`",
                    path.display()
                );
            }
        }
    }
    assert!(seen > 40, "{seen} files");
}
