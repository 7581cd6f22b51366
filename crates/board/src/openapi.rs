//! The API's OpenAPI document, built from the model table and the table of routes.

use serde_json::{Map, Value, json};

use crate::models::{BoardField, BoardFieldKind, RowOperation, ServedModel};
use crate::value::{COLUMN_KEY_CHARACTERS, COLUMN_TITLE_CHARACTERS, COLUMNS, TAG_CHARACTERS, TAGS};
use crate::{Models, list_request};

/// The OpenAPI 3.1 document of a board with these models.
pub fn openapi(models: &Models) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for model in models.by_name.values() {
        paths.insert(format!("/xapi2/data/{}", model.name), rows_path(model));
        paths.insert(
            format!("/xapi2/data/{}/{{id}}", model.name),
            row_path(model),
        );
        schemas.insert(
            format!("{}_fields", model.name),
            fields_schema(model, &model.create, true),
        );
        schemas.insert(
            format!("{}_changes", model.name),
            fields_schema(model, &model.update, false),
        );
        schemas.insert(model.name.clone(), row_schema(model));
    }
    paths.extend(fixed_paths());
    schemas.insert(
        "error".to_owned(),
        json!({ "type": "object", "required": ["detail"], "properties": { "detail": { "type": "string" } } }),
    );
    schemas.insert("account".to_owned(), account_schema());
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Footbridge board", "version": "1.0.2", "description": "A work board: the Production Board REST API." },
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "description": "A personal access token (pat_...) or a login's token." } },
            "schemas": schemas,
        },
    })
}

fn rows_path(model: &ServedModel) -> Value {
    let name = &model.name;
    let mut path = Map::new();
    if model.operations.contains(&RowOperation::List) {
        let page = json!({ "type": "object", "required": ["data", "meta"], "properties": {
            "data": { "type": "array", "items": reference(name) },
            "meta": { "type": "object", "required": ["count", "has_more"], "properties": {
                "count": { "type": "integer", "description": "The rows on this page." },
                "has_more": { "type": "boolean" },
            } },
        } });
        path.insert("get".to_owned(), json!({
            "operationId": format!("list_{name}"), "summary": format!("List {name} rows"), "parameters": list_parameters(model),
            "responses": answers(&[("200", Some(page)), ("400", None)]),
        }));
    }
    if model.operations.contains(&RowOperation::Create) {
        path.insert("post".to_owned(), json!({
            "operationId": format!("create_{name}"), "summary": format!("Create a {name}"), "requestBody": body(&format!("{name}_fields")),
            "responses": answers(&[("201", Some(reference(name))), ("400", None), ("413", None), ("415", None), ("429", None), ("507", None)]),
        }));
    }
    Value::Object(path)
}

fn row_path(model: &ServedModel) -> Value {
    let name = &model.name;
    let mut path = Map::new();
    path.insert(
        "parameters".to_owned(),
        json!([{ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } }]),
    );
    if model.operations.contains(&RowOperation::Read) {
        path.insert(
            "get".to_owned(),
            json!({
                "operationId": format!("get_{name}"), "summary": format!("Get one {name}"),
                "responses": answers(&[("200", Some(reference(name))), ("404", None)]),
            }),
        );
    }
    if model.operations.contains(&RowOperation::Update) {
        path.insert("patch".to_owned(), json!({
            "operationId": format!("update_{name}"), "summary": format!("Change the fields that are given; null clears an optional one"),
            "requestBody": body(&format!("{name}_changes")),
            "responses": answers(&[("200", Some(reference(name))), ("400", None), ("404", None), ("413", None), ("415", None), ("429", None), ("507", None)]),
        }));
    }
    if model.operations.contains(&RowOperation::Delete) {
        path.insert(
            "delete".to_owned(),
            json!({
                "operationId": format!("delete_{name}"), "summary": format!("Delete a {name}"),
                "responses": answers(&[("204", None), ("404", None), ("429", None), ("507", None)]),
            }),
        );
    }
    Value::Object(path)
}

fn list_parameters(model: &ServedModel) -> Vec<Value> {
    let sorts: Vec<String> = model
        .sorts
        .iter()
        .flat_map(|(key, _)| [key.clone(), format!("-{key}")])
        .collect();
    let default_limit = list_request::DEFAULT_LIMIT.min(model.max_limit);
    let mut parameters = vec![
        query(
            "limit",
            json!({ "type": "integer", "minimum": 1, "default": default_limit }),
            &format!("Rows on a page; above {} it is reduced.", model.max_limit),
        ),
        query(
            "offset",
            json!({ "type": "integer", "minimum": 0, "maximum": list_request::LARGEST_OFFSET }),
            "Rows to pass over.",
        ),
        query(
            "after",
            json!({ "type": "string", "format": "uuid" }),
            "Only rows after the row with this id, in the same order.",
        ),
        query(
            "sort",
            json!({ "type": "string", "enum": sorts, "default": model.default_sort }),
            "The order; rows without the value come last.",
        ),
        query(
            "q",
            json!({ "type": "string", "maxLength": list_request::SEARCH_CHARACTERS }),
            "A text that one of the text fields holds.",
        ),
    ];
    parameters.extend(model.filters.iter().map(|filter| {
        let mut parameter = query(
            &filter.wire,
            json!({ "type": "array", "items": { "type": "string" } }),
            "Any of these values.",
        );
        if let Value::Object(parameter) = &mut parameter {
            parameter.insert("style".to_owned(), "form".into());
            parameter.insert("explode".to_owned(), true.into());
        }
        parameter
    }));
    parameters
}

fn query(name: &str, schema: Value, description: &str) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn body(schema: &str) -> Value {
    json!({ "required": true, "content": { "application/json": { "schema": reference(schema) } } })
}

/// Answers by status; those of every route with a token are added.
fn answers(known: &[(&str, Option<Value>)]) -> Value {
    let mut answers = Map::new();
    let everywhere = [("401", None), ("403", None), ("500", None), ("503", None)];
    for (status, schema) in known.iter().chain(&everywhere) {
        answers.insert((*status).to_owned(), answer(status, schema.clone()));
    }
    answers.sort_keys();
    Value::Object(answers)
}

fn answer(status: &str, schema: Option<Value>) -> Value {
    let description = match status {
        "200" => "Done.",
        "201" => "Made.",
        "204" => "Done; no content.",
        "400" => "The request is wrong; detail names everything that is.",
        "401" => "The token is missing, unknown, expired or revoked.",
        "403" => "The token lacks the scope.",
        "404" => "There is no such row.",
        "413" => "The body is too large.",
        "415" => "The body is not JSON.",
        "429" => "Too many at once; the answer says when to come back.",
        "503" => "The database is busy; try again.",
        "507" => "The disk is full.",
        _ => "The storage failed.",
    };
    let schema = schema.or_else(|| (!status.starts_with('2')).then(|| reference("error")));
    match schema {
        Some(schema) => {
            json!({ "description": description, "content": { "application/json": { "schema": schema } } })
        }
        None => json!({ "description": description }),
    }
}

fn row_schema(model: &ServedModel) -> Value {
    let text = json!({ "type": "string" });
    let time = json!({ "type": "string", "format": "date-time" });
    let id = json!({ "type": "string", "format": "uuid" });
    let all: Vec<String> = model.fields.keys().cloned().collect();
    json!({ "type": "object", "properties": {
        "id": id, "type": { "const": model.name }, "status": text, "owned_by": id, "created_by": id, "updated_by": id,
        "is_archived": { "type": "boolean" }, "is_deleted": { "type": "boolean" }, "created_at": time, "updated_at": time,
        "data": fields_schema(model, &all, true),
    } })
}

fn fields_schema(model: &ServedModel, settable: &[String], is_whole: bool) -> Value {
    let fields: Vec<&BoardField> = settable
        .iter()
        .filter_map(|name| model.fields.get(name))
        .collect();
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            (
                field.name.clone(),
                field_schema(field, !is_whole && !field.is_required),
            )
        })
        .collect();
    let mut schema =
        json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.is_required)
        .map(|field| field.name.as_str())
        .collect();
    if let (true, false, Value::Object(schema)) = (is_whole, required.is_empty(), &mut schema) {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

fn field_schema(field: &BoardField, may_be_null: bool) -> Value {
    let (kind, mut schema) = match &field.kind {
        BoardFieldKind::Text { max_characters } => {
            ("string", json!({ "maxLength": max_characters }))
        }
        BoardFieldKind::Url { max_characters } => (
            "string",
            json!({ "format": "uri", "maxLength": max_characters }),
        ),
        BoardFieldKind::Integer => ("integer", json!({})),
        BoardFieldKind::Number => ("number", json!({})),
        BoardFieldKind::Boolean => ("boolean", json!({})),
        BoardFieldKind::Choice(values) => {
            ("string", json!({ "enum": choices(values, may_be_null) }))
        }
        BoardFieldKind::Object => ("object", json!({})),
        BoardFieldKind::Tags => (
            "array",
            json!({ "maxItems": TAGS, "items": { "type": "string", "minLength": 1, "maxLength": TAG_CHARACTERS } }),
        ),
        BoardFieldKind::Columns => (
            "array",
            json!({ "maxItems": COLUMNS, "items": column_schema() }),
        ),
        BoardFieldKind::Any => ("", json!({})),
    };
    if let Value::Object(schema) = &mut schema {
        if !kind.is_empty() {
            schema.insert(
                "type".to_owned(),
                if may_be_null {
                    json!([kind, "null"])
                } else {
                    json!(kind)
                },
            );
        }
        if let Some(description) = &field.description {
            schema.insert("description".to_owned(), description.as_str().into());
        }
    }
    schema
}

fn choices(values: &[String], may_be_null: bool) -> Vec<Value> {
    values
        .iter()
        .map(|value| value.as_str().into())
        .chain(may_be_null.then_some(Value::Null))
        .collect()
}

fn column_schema() -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": ["key", "title"], "properties": {
        "key": { "type": "string", "minLength": 1, "maxLength": COLUMN_KEY_CHARACTERS },
        "title": { "type": "string", "minLength": 1, "maxLength": COLUMN_TITLE_CHARACTERS },
        "wip_limit": { "type": "integer", "minimum": 1 },
    } })
}

fn account_schema() -> Value {
    json!({ "type": "object", "required": ["id", "name", "email", "role"], "properties": {
        "id": { "type": "string", "format": "uuid" }, "name": { "type": "string" }, "email": { "type": ["string", "null"] },
        "role": { "type": "string", "enum": ["user", "admin"] },
    } })
}

fn fixed_paths() -> Map<String, Value> {
    let open = json!([]);
    let log_in = json!({ "type": "object", "required": ["email", "password"], "properties": {
        "email": { "type": "string" }, "password": { "type": "string", "format": "password" },
    } });
    let logged_in = json!({ "type": "object", "required": ["access_token", "user"], "properties": {
        "access_token": { "type": "string" }, "token_type": { "const": "bearer" },
        "expires_at": { "type": "string", "format": "date-time" }, "user": reference("account"),
    } });
    let version = json!({ "type": "object", "properties": { "version": { "const": "1.0.2" } } });
    let paths = json!({
        "/xapi2/auth/me": { "get": { "operationId": "me", "summary": "The signed-in account", "responses": answers(&[("200", Some(reference("account")))]) } },
        "/xapi2/auth/login": { "post": {
            "operationId": "log_in", "summary": "Log in with an e-mail address and a password", "security": open,
            "requestBody": { "required": true, "content": { "application/json": { "schema": log_in } } },
            "responses": { "200": answer("200", Some(logged_in)), "400": answer("400", None), "401": answer("401", None), "429": answer("429", None) },
        } },
        "/xapi2/mcp/version": { "get": { "operationId": "client_version", "summary": "The version of the published client", "security": open, "responses": { "200": answer("200", Some(version)) } } },
        "/xapi2/mcp/script": { "get": { "operationId": "client_script", "summary": "Always absent: the published client keeps the script it has", "security": open, "responses": { "404": answer("404", None) } } },
        "/xapi2/analytics/track": { "post": { "operationId": "track", "summary": "Accepted and dropped", "security": open, "responses": { "204": answer("204", None) } } },
        "/xapi2/openapi.json": { "get": { "operationId": "openapi", "summary": "This document", "security": open, "responses": { "200": answer("200", Some(json!({ "type": "object" }))) } } },
    });
    match paths {
        Value::Object(paths) => paths,
        _ => Map::new(),
    }
}
