//! Arguments of a model's tools as JSON Schema, within the profile that every known client takes:
//! one type and a description for each property, no combinators, enums of texts only.

use serde_json::{Map, Value, json};

use super::FIELD_PREFIX;
use crate::compile::tools::arguments::of_arguments;
use crate::connector::{FieldKind, Model, ModelField, ModelOperation};

pub(super) fn schema(op: ModelOperation, model: &Model) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    if !matches!(op, ModelOperation::List | ModelOperation::Create) {
        properties.insert(
            "id".into(),
            json!({"type": "string", "description": match model.goes_by {
                Some(_) => format!("Name or id of the {}.", model.name),
                None => format!("Id of the {}.", model.name),
            }}),
        );
        required.push("id");
    }
    match op {
        ModelOperation::List => list(&mut properties, model),
        ModelOperation::Create | ModelOperation::Update => {
            let create = op == ModelOperation::Create;
            let names = if create { &model.create } else { &model.update };
            for field in names.iter().filter_map(|name| model.field(name)) {
                properties.insert(field.name.clone(), property(field));
                if create && field.is_required {
                    required.push(&field.name);
                }
            }
        }
        ModelOperation::Read | ModelOperation::Delete => {}
    }
    of_arguments(properties, required)
}

pub(super) fn property(field: &ModelField) -> Value {
    let mut schema = match field.kind {
        FieldKind::String | FieldKind::Url | FieldKind::Any => json!({"type": "string"}),
        FieldKind::Integer => json!({"type": "integer"}),
        FieldKind::Number => json!({"type": "number"}),
        FieldKind::Boolean => json!({"type": "boolean"}),
        FieldKind::Enum => {
            json!({"type": "string", "enum": field.values})
        }
        FieldKind::Dict => json!({"type": "object"}),
        FieldKind::Tags => json!({"type": "array", "items": {"type": "string"}}),
        FieldKind::Columns => json!({"type": "array", "maxItems": 50, "items": {
            "type": "object",
            "properties": {
                "key": {"type": "string", "maxLength": 64, "description": "Value that the column stands for."},
                "title": {"type": "string", "maxLength": 200, "description": "Name that people see."},
                "wip_limit": {"type": "integer", "minimum": 1, "description": "Most that may be in it at once."}
            },
            "required": ["key", "title"],
            "additionalProperties": false
        }}),
    };
    if let Some(schema) = schema.as_object_mut() {
        if let Some(length) = field.max_length {
            schema.insert("maxLength".into(), length.into());
        }
        schema.insert("description".into(), describe(field).into());
    }
    schema
}

fn describe(field: &ModelField) -> String {
    match (&field.description, &field.reference) {
        (Some(text), _) => text.clone(),
        (None, Some(reference)) => format!("Id of a {}.", reference.model),
        (None, None) => {
            let words = field.name.replace('_', " ");
            let mut letters = words.chars();
            letters
                .next()
                .map(|first| format!("{}{}.", first.to_ascii_uppercase(), letters.as_str()))
                .unwrap_or_default()
        }
    }
}

fn list(properties: &mut Map<String, Value>, model: &Model) {
    let mut add = |name: &str, schema: Value| properties.insert(name.to_owned(), schema);
    if !model.filters.is_empty() {
        add("filter", filter(model));
    }
    add(
        "q",
        json!({"type": "string", "description": "Text to search for in all text fields."}),
    );
    if !model.sorts.is_empty() {
        let keys: Vec<String> = model
            .sorts
            .iter()
            .flat_map(|key| [key.clone(), format!("-{key}")])
            .collect();
        let default = model
            .default_sort
            .as_ref()
            .map(|sort| format!("; {sort} by default"))
            .unwrap_or_default();
        add(
            "sort",
            json!({"type": "string", "enum": keys, "description": format!("Order, with - for descending{default}.")}),
        );
    }
    add(
        "limit",
        json!({"type": "integer", "minimum": 1, "maximum": model.max_limit, "description": "Most items of one page."}),
    );
    add(
        "cursor",
        json!({"type": "string", "description": "next_cursor of the page before, with the same other arguments."}),
    );
    add(
        "offset",
        json!({"type": "integer", "minimum": 0, "description": "Items to skip; prefer cursor."}),
    );
    add(
        "all",
        json!({"type": "boolean", "description": "Every page in one result, up to 5000 items."}),
    );
}

/// One property for each friendly key; a wire key passes too.
fn filter(model: &Model) -> Value {
    let mut properties = Map::new();
    for key in &model.filters {
        let Some(friendly) = &key.friendly else {
            continue;
        };
        let field = key
            .wire
            .strip_prefix(FIELD_PREFIX)
            .and_then(|name| model.field(name));
        let description = field.map_or_else(|| column(friendly, &model.name), describe);
        let item = match field.map(|field| (field.kind, field)) {
            Some((FieldKind::Enum, field)) => Some(json!({"type": "string", "enum": field.values})),
            Some((FieldKind::Integer, _)) => Some(json!({"type": "integer"})),
            Some((FieldKind::Number, _)) => Some(json!({"type": "number"})),
            Some((FieldKind::Boolean, _)) => None,
            None if friendly.starts_with("is_") => None,
            _ => Some(json!({"type": "string"})),
        };
        let kind = if item.is_some() { "array" } else { "boolean" };
        let schema = [("type", Value::from(kind))].into_iter();
        let schema = schema.chain(item.map(|items| ("items", items)));
        let schema = schema.chain([("description", description.into())]);
        properties.insert(friendly.clone(), schema.collect());
    }
    let description = "Exact matches; one value or several, any of which matches.";
    let schema = [
        ("type", Value::from("object")),
        ("properties", properties.into()),
        ("description", description.into()),
    ];
    schema.into_iter().collect()
}

fn column(name: &str, model: &str) -> String {
    match name {
        "status" => format!("State of the {model}'s row."),
        "is_archived" => format!("Whether the {model} is archived."),
        "owned_by" => format!("Id of the account that owns the {model}."),
        other => format!("The row's {}.", other.replace('_', " ")),
    }
}
