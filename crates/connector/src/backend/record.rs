//! Read, create, update and delete of one record of a model.

use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value};

use super::exchange::{self, Ask};
use super::touching::{CallFate, Sending, Touching, WantedTouch};
use super::values::Held;
use super::{Inner, Options, Outcome, row};
use crate::connector::Model;
use crate::failure::BackendError;
use crate::fence::cut;
use crate::jq;
use crate::json::{Admitted, push_string};
use crate::template;
use crate::touched::{Touch, WrittenRecords};

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
    options: &Options,
) -> Result<Outcome, BackendError> {
    arguments.retain(|_, value| !value.is_null());
    let write = ModelWrite {
        touch: Touch::Makes,
        method: Method::POST,
        path: model.path.clone(),
        id: None,
        fields: Some(arguments),
    };
    carry_out(inner, model, write, options).await
}

/// Only what was passed; a null is sent for a field that may be cleared.
pub(super) async fn update(
    inner: &Arc<Inner>,
    model: &Model,
    mut arguments: Map<String, Value>,
    options: &Options,
) -> Result<Outcome, BackendError> {
    let (path, id) = path(model, &arguments)?;
    arguments
        .retain(|name, value| name != "id" && (!value.is_null() || model.nullable.contains(name)));
    let write = ModelWrite {
        touch: Touch::Changes,
        method: Method::PATCH,
        path,
        id: Some(id),
        fields: Some(arguments),
    };
    carry_out(inner, model, write, options).await
}

pub(super) async fn delete(
    inner: &Arc<Inner>,
    model: &Model,
    arguments: &Map<String, Value>,
    options: &Options,
) -> Result<Outcome, BackendError> {
    let (path, id) = path(model, arguments)?;
    let mut json = String::from("{\"deleted\":");
    push_string(&mut json, &id);
    json.push('}');
    let write = ModelWrite {
        touch: Touch::Deletes,
        method: Method::DELETE,
        path,
        id: Some(id),
        fields: None,
    };
    let outcome = carry_out(inner, model, write, options).await?;
    Ok(Outcome { json, ..outcome })
}

/// A request that writes one record.
struct ModelWrite {
    touch: Touch,
    method: Method,
    path: String,
    id: Option<String>,
    fields: Option<Map<String, Value>>,
}

/// Sends it, and tells of the record that it touches where there is a witness.
async fn carry_out(
    inner: &Arc<Inner>,
    model: &Model,
    write: ModelWrite,
    options: &Options,
) -> Result<Outcome, BackendError> {
    if let Some(fields) = &write.fields {
        cut::refuse(fields, None)?;
    }
    let body = write.fields.map(Value::Object);
    let text = body.as_ref().map(Value::to_string);
    let ask = Ask::new(write.method.clone(), write.path.clone(), text);
    let Some(witness) = &options.witness else {
        return Ok(answered(inner, model, send(inner, ask).await?));
    };
    let sent = body.as_ref().map(jq::from_json);
    let sending = Sending {
        step: 1,
        method: &write.method,
        path: &write.path,
        body: sent.as_ref(),
    };
    let wanted = model.record.map(|record| WantedTouch {
        record,
        touch: write.touch,
        id: write.id,
        step: 1,
        instead_of: None,
    });
    let mut touching = Touching::new(witness);
    let wanted = Vec::from_iter(wanted);
    touching.begin(inner, wanted, sending).await?;
    match send(inner, ask).await {
        Ok(answer) => {
            let held = answer.clone().map_or(Held::Nothing, Held::received);
            touching.wrote(sending, &held);
            let touched = touching.finish(inner, CallFate::Well).await;
            let outcome = answered(inner, model, answer);
            Ok(Outcome { touched, ..outcome })
        }
        Err(error) if error.may_have_changed() => {
            let written = WrittenRecords {
                touched: touching.finish(inner, CallFate::Unknown).await,
                undo_values: None,
            };
            Err(error.with_written(written))
        }
        Err(error) => Err(error),
    }
}

/// Its answer as JSON, unless it is a deletion's, which says nothing.
async fn send(inner: &Arc<Inner>, ask: Ask) -> Result<Option<Admitted>, BackendError> {
    if ask.method == Method::DELETE {
        exchange::send(inner, ask).await?;
        return Ok(None);
    }
    exchange::json(inner, ask).await
}

fn answered(inner: &Inner, model: &Model, answer: Option<Admitted>) -> Outcome {
    match answer {
        Some(body) => flattened(inner, model, &body),
        None => Outcome::new(DONE.into()),
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
