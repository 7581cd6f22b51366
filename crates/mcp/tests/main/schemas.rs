//! The specification's own JSON schemas, one file a revision, and the check that a message of ours is what they say.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Value, json};

pub(crate) const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
pub(crate) const MODERN: &str = "2026-07-28";

/// Checks a message that answers a request: the envelope and the named result, or the error with its code's own definition.
pub(crate) fn check(revision: &str, result: &str, message: &Value) {
    if message.get("error").is_some() {
        return check_error(revision, message);
    }
    is_valid(revision, if is_old(revision) { "JSONRPCResponse" } else { "JSONRPCResultResponse" }, message);
    is_valid(revision, result, &message["result"]);
}

/// Checks an error. Revisions before 2025-11-25 have no word for an error without a known request, so there JSON-RPC's own `id: null` stands
/// (decision 0040); everything else about such a message must still hold.
pub(crate) fn check_error(revision: &str, message: &Value) {
    let mut message = message.clone();
    if is_old(revision) && message["id"].is_null() {
        assert!(message.get("id").is_some(), "JSON-RPC asks for `id: null`: {message}");
        message["id"] = json!(0);
    }
    is_valid(revision, if is_old(revision) { "JSONRPCError" } else { "JSONRPCErrorResponse" }, &message);
    if revision == MODERN {
        match message["error"]["code"].as_i64().unwrap() {
            -32020 => is_valid(revision, "HeaderMismatchError", &message),
            -32021 => is_valid(revision, "MissingRequiredClientCapabilityError", &message),
            -32022 => is_valid(revision, "UnsupportedProtocolVersionError", &message),
            -32602 => is_valid(revision, "InvalidParamsError", &message["error"]),
            -32601 => is_valid(revision, "MethodNotFoundError", &message["error"]),
            -32600 => is_valid(revision, "InvalidRequestError", &message["error"]),
            -32700 => is_valid(revision, "ParseError", &message["error"]),
            -32603 => is_valid(revision, "InternalError", &message["error"]),
            other => panic!("{other} is not a code of {revision}: {message}"),
        }
    }
}

fn is_old(revision: &str) -> bool {
    revision < "2025-11-25"
}

pub(crate) fn is_valid(revision: &str, definition: &str, value: &Value) {
    static VALIDATORS: OnceLock<Mutex<HashMap<(String, String), &'static Validator>>> = OnceLock::new();
    let key = (revision.to_owned(), definition.to_owned());
    let validator = *VALIDATORS
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .entry(key)
        .or_insert_with(|| Box::leak(Box::new(compile(revision, definition))));
    let problems: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(problems.is_empty(), "not a {definition} of {revision}: {problems:?}\n{value:#}");
}

fn compile(revision: &str, definition: &str) -> Validator {
    let text = match revision {
        "2024-11-05" => include_str!("../schemas/schema-2024-11-05.json"),
        "2025-03-26" => include_str!("../schemas/schema-2025-03-26.json"),
        "2025-06-18" => include_str!("../schemas/schema-2025-06-18.json"),
        "2025-11-25" => include_str!("../schemas/schema-2025-11-25.json"),
        "2026-07-28" => include_str!("../schemas/schema-2026-07-28.json"),
        other => panic!("there is no revision {other}"),
    };
    let mut schema: Value = serde_json::from_str(text).unwrap();
    if revision == MODERN {
        // The core's schema does not know the extension; these definitions are what the extension's text says of its messages.
        let tasks: Value = serde_json::from_str(include_str!("../schemas/tasks-2026-07-28.json")).unwrap();
        let definitions = schema["$defs"].as_object_mut().unwrap();
        for (name, definition) in tasks.as_object().unwrap() {
            assert!(definitions.insert(name.clone(), definition.clone()).is_none(), "{name} is a name of the core's");
        }
    }
    let place = if is_old(revision) { "definitions" } else { "$defs" };
    assert!(schema[place].get(definition).is_some(), "{revision} defines no {definition}");
    schema["$ref"] = json!(format!("#/{place}/{definition}"));
    jsonschema::validator_for(&schema).unwrap()
}

/// The check itself must be able to fail.
#[test]
fn a_wrong_message_is_caught() {
    let caught = |revision: &'static str, result: &'static str, message: Value| {
        std::panic::catch_unwind(move || check(revision, result, &message)).is_err()
    };
    for revision in LEGACY.into_iter().chain([MODERN]) {
        assert!(caught(revision, "CallToolResult", json!({"jsonrpc": "2.0", "id": 1, "result": {"content": 3}})), "{revision}");
        assert!(caught(revision, "CallToolResult", json!({"jsonrpc": "2.0", "result": {"content": []}})), "{revision}");
        assert!(caught(revision, "CallToolResult", json!({"jsonrpc": "2.0", "id": 1, "error": {"code": "x"}})), "{revision}");
    }
    assert!(caught(MODERN, "CallToolResult", json!({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})), "no resultType");
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
        &[("status", json!("input_required")), ("inputRequests", json!({}))],
        &[("result", json!({"content": [], "resultType": "complete"}))],
    ] {
        assert!(caught(MODERN, "GetTaskResult", message(wrong)), "{wrong:?}");
    }
    assert!(caught(MODERN, "TaskAcknowledgement", message(&[])), "nothing of the task in it");
}
