//! The specification's own JSON schemas, one file a revision, and the check that a message of ours
//! is what they say.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use jsonschema::Validator;
use serde_json::{Value, json};

pub(crate) const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
pub(crate) const MODERN: &str = "2026-07-28";

/// Checks a message that answers a request: the envelope and the named result, or the error with
/// its code's own definition.
pub(crate) fn check(revision: &str, result: &str, message: &Value) {
    fine(&answer_problems(revision, result, message), message);
}

/// Checks an error.
pub(crate) fn check_error(revision: &str, message: &Value) {
    fine(&error_problems(revision, message), message);
}

pub(crate) fn is_valid(revision: &str, definition: &str, value: &Value) {
    fine(&problems(revision, definition, value), value);
}

fn fine(problems: &[String], value: &Value) {
    assert!(problems.is_empty(), "{problems:#?}\n{value:#}");
}

/// What is wrong with the answer to a request.
pub(crate) fn answer_problems(revision: &str, result: &str, message: &Value) -> Vec<String> {
    if message.get("error").is_some() {
        return error_problems(revision, message);
    }
    let envelope = if is_old(revision) {
        "JSONRPCResponse"
    } else {
        "JSONRPCResultResponse"
    };
    [
        problems(revision, envelope, message),
        problems(revision, result, &message["result"]),
    ]
    .concat()
}

/// What is wrong with an error. Revisions before 2025-11-25 have no word for an error without a
/// known request, so there JSON-RPC's own `id: null` stands (decision 0040); everything else about
/// such a message must still hold.
pub(crate) fn error_problems(revision: &str, message: &Value) -> Vec<String> {
    let mut message = message.clone();
    if is_old(revision) && message["id"].is_null() {
        if message.get("id").is_none() {
            return vec![format!("{revision}: JSON-RPC asks for `id: null`")];
        }
        message["id"] = json!(0);
    }
    let mut found = problems(
        revision,
        if is_old(revision) {
            "JSONRPCError"
        } else {
            "JSONRPCErrorResponse"
        },
        &message,
    );
    if revision == MODERN {
        found.extend(match message["error"]["code"].as_i64() {
            Some(-32020) => problems(revision, "HeaderMismatchError", &message),
            Some(-32021) => problems(revision, "MissingRequiredClientCapabilityError", &message),
            Some(-32022) => problems(revision, "UnsupportedProtocolVersionError", &message),
            Some(-32602) => problems(revision, "InvalidParamsError", &message["error"]),
            Some(-32601) => problems(revision, "MethodNotFoundError", &message["error"]),
            Some(-32600) => problems(revision, "InvalidRequestError", &message["error"]),
            Some(-32700) => problems(revision, "ParseError", &message["error"]),
            Some(-32603) => problems(revision, "InternalError", &message["error"]),
            other => vec![format!("{other:?} is not a code of {revision}")],
        });
    }
    found
}

fn is_old(revision: &str) -> bool {
    revision < "2025-11-25"
}

/// What is wrong with a value that should be what a revision defines under this name.
pub(crate) fn problems(revision: &str, definition: &str, value: &Value) -> Vec<String> {
    /// By revision and definition; none where the revision does not define it.
    type Known = HashMap<(String, String), Option<&'static Validator>>;
    static VALIDATORS: OnceLock<Mutex<Known>> = OnceLock::new();
    let key = (revision.to_owned(), definition.to_owned());
    let validator = *VALIDATORS
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .entry(key)
        .or_insert_with(|| {
            compile(revision, definition).map(|validator| &*Box::leak(Box::new(validator)))
        });
    let Some(validator) = validator else {
        return vec![format!("{revision} defines no {definition}")];
    };
    let found = validator.iter_errors(value);
    found
        .map(|error| {
            format!(
                "not a {definition} of {revision}: {error} at {}",
                error.instance_path()
            )
        })
        .collect()
}

fn compile(revision: &str, definition: &str) -> Option<Validator> {
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
        // The core's schema does not know the extension; these definitions are what the extension's
        // text says of its messages.
        let tasks: Value =
            serde_json::from_str(include_str!("../schemas/tasks-2026-07-28.json")).unwrap();
        let definitions = schema["$defs"].as_object_mut().unwrap();
        for (name, definition) in tasks.as_object().unwrap() {
            assert!(
                definitions
                    .insert(name.clone(), definition.clone())
                    .is_none(),
                "{name} is a name of the core's"
            );
        }
    }
    let place = if is_old(revision) {
        "definitions"
    } else {
        "$defs"
    };
    schema[place].get(definition)?;
    schema["$ref"] = json!(format!("#/{place}/{definition}"));
    Some(jsonschema::validator_for(&schema).unwrap())
}
