//! The OpenAPI 3.1 document of the actions, `/actions/openapi.json`: what they take and answer, for
//! programs that read such a document before they call.

use footbridge_connector::{ActionInput, RestAction, ToolEffect};
use http::Method;
use serde_json::{Map, Value, json};

use crate::opened::Served;

/// Characters of a description that custom GPTs take.
const MAX_DESCRIPTION: usize = 300;

/// The document; none when nothing that is served has actions. `base` is the address under which
/// clients reach them.
pub(super) fn document(served: &[Served], base: &str) -> Option<Value> {
    let mut paths = Map::new();
    let mut titles = Vec::new();
    for connector in served.iter().map(|served| served.backend.connector()) {
        if !connector.actions().is_empty() {
            titles.push(connector.title());
        }
        for action in connector.actions() {
            let writes = connector
                .tool(&action.tool)
                .is_none_or(|tool| tool.effect != ToolEffect::Read);
            let method = action.method.as_str().to_ascii_lowercase();
            paths.insert(
                format!("/actions/{}", action.name),
                json!({ method: operation(action, writes) }),
            );
        }
    }
    if paths.is_empty() {
        return None;
    }
    Some(json!({
        "openapi": "3.1.0",
        "info": { "title": format!("{} actions", titles.join(", ")), "version": env!("CARGO_PKG_VERSION") },
        "servers": [{ "url": base }],
        "security": [{ "ApiKey": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "ApiKey": { "type": "apiKey", "in": "header", "name": "X-Api-Key" } },
            "schemas": {
                "Error": {
                    "type": "object",
                    "properties": { "error": { "type": "string", "description": "What is wrong, and what to do." } },
                    "required": ["error"]
                }
            }
        }
    }))
}

fn operation(action: &RestAction, writes: bool) -> Value {
    let answer = json!({ "description": "Done.", "content": { "application/json": { "schema": action.answer } } });
    let mut responses = Map::from_iter([("200".to_owned(), answer)]);
    let refusals = [
        ("400", "The request or the backend refuses."),
        ("401", "The key is missing or wrong."),
        ("403", "The operator closed this action."),
        ("500", "The backend could not be reached."),
        ("503", "No key is configured."),
    ];
    for (status, what) in refusals
        .into_iter()
        .filter(|(status, _)| writes || *status != "403")
    {
        let schema = json!({ "$ref": "#/components/schemas/Error" });
        responses.insert(
            status.to_owned(),
            json!({ "description": what, "content": { "application/json": { "schema": schema } } }),
        );
    }
    let mut operation = Map::from_iter([
        ("operationId".to_owned(), json!(action.name)),
        ("summary".to_owned(), json!(summary(&action.name))),
        (
            "description".to_owned(),
            json!(
                action
                    .description
                    .chars()
                    .take(MAX_DESCRIPTION)
                    .collect::<String>()
            ),
        ),
        // Custom GPTs ask their user before they call what is consequential, and offer to ask no
        // more about the others.
        ("x-openai-isConsequential".to_owned(), json!(writes)),
    ]);
    if action.method == Method::GET {
        let parameters: Vec<Value> = action.input.iter().map(parameter).collect();
        operation.insert("parameters".to_owned(), parameters.into());
    } else {
        let content = json!({ "application/json": { "schema": body(&action.input) } });
        operation.insert(
            "requestBody".to_owned(),
            json!({ "required": true, "content": content }),
        );
    }
    operation.insert("responses".to_owned(), responses.into());
    operation.into()
}

/// `list_stories` as `List stories`.
fn summary(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A parameter; the values of a list are repeated.
fn parameter(input: &ActionInput) -> Value {
    let mut schema = input.schema.clone();
    let description = schema
        .as_object_mut()
        .and_then(|schema| schema.shift_remove("description"));
    let mut parameter =
        json!({ "name": input.name, "in": "query", "required": input.required, "schema": schema });
    if let (Some(description), Some(parameter)) = (description, parameter.as_object_mut()) {
        parameter.insert("description".to_owned(), description);
    }
    parameter
}

fn body(input: &[ActionInput]) -> Value {
    let properties: Map<String, Value> = input
        .iter()
        .map(|field| (field.name.clone(), field.schema.clone()))
        .collect();
    let required: Vec<&str> = input
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name.as_str())
        .collect();
    let mut body = json!({ "type": "object", "properties": properties });
    if let (false, Some(body)) = (required.is_empty(), body.as_object_mut()) {
        body.insert("required".to_owned(), json!(required));
    }
    body
}
