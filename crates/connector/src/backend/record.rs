//! Read, create, update and delete of one record of a model.

use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value};

use super::exchange::{self, Ask};
use super::{Inner, Outcome, row};
use crate::connector::Model;
use crate::failure::BackendError;
use crate::fence::cut;
use crate::json::{Admitted, push_string};
use crate::template;

/// What a write without a body answers.
const DONE: &str = r#"{"done":true}"#;

pub(super) async fn read(
    inner: &Arc<Inner>,
    model: &Model,
    arguments: &Map<String, Value>,
) -> Result<Outcome, BackendError> {
    let (path, _) = path(model, arguments)?;
    match exchange::json(inner, Ask::get(path)).await? {
        Some(body) => Ok(flattened(inner, model, &body)),
        None => Err(BackendError::backend(
            format!(
                "{} answered nothing where a {} was expected.",
                inner.compiled().title,
                model.name
            ),
            true,
        )),
    }
}

pub(super) async fn create(
    inner: &Arc<Inner>,
    model: &Model,
    mut arguments: Map<String, Value>,
) -> Result<Outcome, BackendError> {
    arguments.retain(|_, value| !value.is_null());
    write(inner, model, Method::POST, model.path.clone(), arguments).await
}

/// Only what was passed; a null is sent for a field that may be cleared.
pub(super) async fn update(
    inner: &Arc<Inner>,
    model: &Model,
    mut arguments: Map<String, Value>,
) -> Result<Outcome, BackendError> {
    let (path, _) = path(model, &arguments)?;
    arguments
        .retain(|name, value| name != "id" && (!value.is_null() || model.nullable.contains(name)));
    write(inner, model, Method::PATCH, path, arguments).await
}

pub(super) async fn delete(
    inner: &Arc<Inner>,
    model: &Model,
    arguments: &Map<String, Value>,
) -> Result<Outcome, BackendError> {
    let (path, id) = path(model, arguments)?;
    exchange::send(inner, Ask::new(Method::DELETE, path, None)).await?;
    let mut json = String::from("{\"deleted\":");
    push_string(&mut json, &id);
    json.push('}');
    Ok(Outcome::new(json))
}

async fn write(
    inner: &Arc<Inner>,
    model: &Model,
    method: Method,
    path: String,
    fields: Map<String, Value>,
) -> Result<Outcome, BackendError> {
    cut::refuse(&fields, None)?;
    let body = Some(Value::Object(fields).to_string());
    match exchange::json(inner, Ask::new(method, path, body)).await? {
        Some(body) => Ok(flattened(inner, model, &body)),
        None => Ok(Outcome::new(DONE.into())),
    }
}

/// The record's path and its id.
fn path(model: &Model, arguments: &Map<String, Value>) -> Result<(String, String), BackendError> {
    let id = match arguments.get("id") {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => {
            return Err(BackendError::caller(format!(
                "`id` is missing: pass the id of a {}.",
                model.name
            )));
        }
    };
    let segment = template::segment("id", &id)
        .map_err(|why| BackendError::caller(format!("{why}: pass the id of a {}.", model.name)))?;
    Ok((format!("{}/{segment}", model.path), id))
}

fn flattened(inner: &Inner, model: &Model, body: &Admitted) -> Outcome {
    let row = body.text().trim();
    let mut json = String::with_capacity(row.len());
    row::push(
        &mut json,
        &row::Shown::new(inner, model),
        row,
        &mut Vec::new(),
    );
    Outcome::new(json)
}
