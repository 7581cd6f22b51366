//! The fields of a create or an update, checked from its body: every problem at once, and the rows
//! that must be there.

use footbridge_store::{FieldName, RecordReference};
use serde_json::{Map, Value};

use crate::api_error::shortened_json;
use crate::models::ServedModel;
use crate::value;

/// Fields that may be stored.
#[derive(Debug)]
pub(crate) struct CheckedFields {
    pub(crate) values: Map<String, Value>,
    pub(crate) references: Vec<RecordReference>,
}

/// The fields of a new row. Null is the same as absent.
pub(crate) fn for_create(
    model: &ServedModel,
    mut body: Map<String, Value>,
) -> Result<CheckedFields, Vec<String>> {
    body.retain(|_, value| !value.is_null());
    let mut problems: Vec<String> = model
        .fields
        .values()
        .filter(|field| field.is_required && !body.contains_key(field.name.as_str()))
        .map(|field| format!("{} is required", field.name))
        .collect();
    problems.extend(problems_of(model, &model.create, &body));
    checked(model, body, problems)
}

/// The fields that an update names. Null clears an optional field.
pub(crate) fn for_update(
    model: &ServedModel,
    body: Map<String, Value>,
) -> Result<CheckedFields, Vec<String>> {
    let problems = problems_of(model, &model.update, &body);
    checked(model, body, problems)
}

fn checked(
    model: &ServedModel,
    values: Map<String, Value>,
    problems: Vec<String>,
) -> Result<CheckedFields, Vec<String>> {
    if !problems.is_empty() {
        return Err(problems);
    }
    let references = model
        .references
        .iter()
        .filter_map(|(field, model)| reference(field, model, &values))
        .collect();
    Ok(CheckedFields { values, references })
}

fn reference(
    field: &FieldName,
    model: &str,
    values: &Map<String, Value>,
) -> Option<RecordReference> {
    let id = values.get(field.as_str())?.as_str()?;
    Some(RecordReference {
        field: field.clone(),
        model: model.to_owned(),
        id: id.to_owned(),
    })
}

fn problems_of(model: &ServedModel, settable: &[String], body: &Map<String, Value>) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, value) in body {
        let field = model.fields.get(name).filter(|_| settable.contains(name));
        match field {
            None => problems.push(format!(
                "{} is no field of a {}: the fields are {}",
                shortened_json(&Value::from(name.as_str())),
                model.name,
                settable.join(", ")
            )),
            Some(field) if value.is_null() && field.is_required => {
                problems.push(format!("{name} is required and cannot be cleared"))
            }
            Some(_) if value.is_null() => {}
            Some(field) => {
                if let Err(problem) = value::check(&field.kind, field.is_required, value) {
                    problems.push(format!("{name} {problem}"));
                }
            }
        }
    }
    problems
}
