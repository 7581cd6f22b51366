//! A tree with structural faults, made readable: what does not fit is taken out, what is missing is
//! made up. The rest of the file can then be looked at too, and every problem of it named at once.
//! What was made up stands where the fault does, and is never served.

use std::collections::HashSet;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Value, json};

use super::tree::Node;
use crate::place::Placed;

/// Looks at the whole tree. Each takes out or makes up everything that the one before brought to
/// light.
const ROUNDS: usize = 8;

/// Whether the tree fits now.
pub(super) fn repair(tree: &mut Placed<Node>, validator: &Validator) -> bool {
    let mut repairs = 0;
    for _ in 0..ROUNDS {
        let document = tree.value.json();
        let mut missing: Vec<(Vec<String>, String)> = Vec::new();
        let mut unfit: Vec<Vec<String>> = Vec::new();
        for error in validator.iter_errors(&document) {
            let path = super::steps(&error.instance_path().to_string());
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    unfit.extend(
                        unexpected
                            .iter()
                            .map(|key| [path.clone(), vec![key.clone()]].concat()),
                    );
                }
                ValidationErrorKind::Required { property } => {
                    missing.push((path, property.as_str().unwrap_or_default().to_owned()));
                }
                _ => unfit.push(path),
            }
        }
        if missing.is_empty() && unfit.is_empty() {
            return true;
        }
        for (path, key) in missing {
            if let Some(Placed {
                value: Node::Map(map),
                place,
            }) = tree.at_mut(&path)
            {
                repairs += 1;
                let value = make(&key, map, repairs);
                map.push((
                    Placed {
                        value: key,
                        place: *place,
                    },
                    Node::unwritten(&value, *place),
                ));
            }
        }
        // From the last item of a list to the first, so that the places of the others stay.
        unfit.sort_by_cached_key(|path| {
            path.iter()
                .map(|step| (step.parse::<usize>().ok(), step.clone()))
                .collect::<Vec<_>>()
        });
        unfit.dedup();
        unfit.reverse();
        let above = |path: &[String]| path.split_last().map(|(_, above)| above.to_vec());
        for beside in unfit.chunk_by(|a, b| above(a) == above(b)) {
            let Some(above) = beside.first().and_then(|path| above(path)) else {
                return false;
            };
            match tree.at_mut(&above).map(|node| &mut node.value) {
                Some(Node::Map(map)) => {
                    let keys: HashSet<&String> =
                        beside.iter().filter_map(|path| path.last()).collect();
                    map.retain(|(key, _)| !keys.contains(&key.value));
                }
                Some(Node::List(list)) => {
                    let places = beside
                        .iter()
                        .filter_map(|path| path.last()?.parse::<usize>().ok());
                    for place in places {
                        if place < list.len() {
                            list.remove(place);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    false
}

/// A value for a key that is missing beside others: one that brings no problem of its own, if there
/// is one.
fn make(key: &str, beside: &[(Placed<String>, Placed<Node>)], count: usize) -> Value {
    let has = |keys: &[&str]| {
        beside
            .iter()
            .any(|(key, _)| keys.contains(&key.value.as_str()))
    };
    let writes = || {
        let steps = beside.iter().find(|(key, _)| key.value == "steps");
        let steps = steps
            .map(|(_, steps)| steps.value.json())
            .unwrap_or_default();
        let is_write = |step: &Value| {
            ["post", "put", "patch", "delete"]
                .iter()
                .any(|verb| step.get(verb).is_some())
        };
        has(&["changes", "makes", "deletes", "inverse"])
            || has(&["undo", "no_undo", "confirm"])
            || steps
                .as_array()
                .is_some_and(|steps| steps.iter().any(is_write))
    };
    match key {
        "format" => json!(1),
        "upstream" => json!({ "base": "https://localhost" }),
        "base" => json!("https://localhost"),
        "steps" => json!([{ "let": "." }]),
        "effect" => json!(if writes() { "write" } else { "read" }),
        "type" if has(&["minimum", "maximum"]) => json!("number"),
        "type" if has(&["items", "minItems", "maxItems"]) => json!("array"),
        "type" => json!("string"),
        "get" | "post" | "path" => json!("/"),
        "method" => json!("post"),
        "unless" => json!("true"),
        "ops" => json!(["list"]),
        "fields" if has(&["get"]) => json!(["unnamed"]),
        "fields" | "query" => json!({}),
        "kind" => json!("page"),
        _ => json!(format!("unnamed_{count}")),
    }
}
