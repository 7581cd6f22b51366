//! Undoing: what a plan says of a record is sent over the record as it is at that moment, and read
//! back.

use std::sync::Arc;

use http::Method;
use jaq_json::Val;
use serde_json::{Map, Value};

use super::attached;
use super::exchange::Ask;
use super::image::{self, AttachedReading, ImageScope, RecordFound};
use super::request;
use super::touching::AfterFrom;
use super::values::{self, Held};
use super::{Backend, Inner, MAX_REQUESTS, Options, Outcome, WriteWitness, steps, touching};
use crate::connector::{Action, FieldsPlan, RecordPlan, Request, UndoWay};
use crate::failure::BackendError;
use crate::jq;
use crate::planner::{
    CurrentRecord, FieldValues, FieldVerdict, Image, PlannedRecord, RecordAct, RecordRef,
};
use crate::touched::{Touch, TouchedRecord, WrittenRecords};

/// A record as it is now.
pub(super) async fn read(
    inner: &Arc<Inner>,
    kind: &str,
    id: &str,
) -> Result<CurrentRecord, BackendError> {
    image::current(inner, plan(inner, kind)?, id, AttachedReading::Left).await
}

/// Sends what a plan says of a record.
pub(super) async fn send(
    inner: &Arc<Inner>,
    planned: &PlannedRecord,
    witness: Option<Arc<dyn WriteWitness>>,
) -> Result<Vec<TouchedRecord>, BackendError> {
    if planned.record.connector != inner.compiled().name {
        return Err(BackendError::caller(format!(
            "{} is a record of the connector {}, not of {}.",
            planned.record,
            planned.record.connector,
            inner.compiled().name
        )));
    }
    let plan = plan(inner, &planned.record.kind)?;
    let restoring = Restoring {
        inner,
        plan,
        planned,
        witness,
    };
    let _turn = inner.turns.take([planned.record.to_string()]).await;
    match planned.act {
        RecordAct::Nothing => Ok(Vec::new()),
        RecordAct::Change => Ok(Vec::from_iter(restoring.change().await?)),
        RecordAct::Make => Ok(vec![restoring.make().await?]),
        RecordAct::Delete => Ok(vec![restoring.delete().await?]),
    }
}

pub(super) fn plan<'i>(inner: &'i Inner, kind: &str) -> Result<&'i RecordPlan, BackendError> {
    let mut plans = inner.compiled().records.iter();
    plans.find(|plan| plan.kind.name == kind).ok_or_else(|| {
        BackendError::caller(format!(
            "The connector {} has no record `{kind}` any more.",
            inner.compiled().name
        ))
    })
}

/// One record on its way.
struct Restoring<'r> {
    inner: &'r Arc<Inner>,
    plan: &'r RecordPlan,
    planned: &'r PlannedRecord,
    witness: Option<Arc<dyn WriteWitness>>,
}

/// A record as it is at this moment.
struct Present {
    held: Held,
    image: Image,
    name: Option<String>,
}

/// How an open map loses its last keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Emptying {
    WithoutKeys,
    WithNulls,
}

impl Restoring<'_> {
    fn id(&self) -> &str {
        &self.planned.record.id
    }

    /// What is told of the record, before anything is sent.
    fn touched(&self, touch: Touch) -> TouchedRecord {
        TouchedRecord {
            record: self.planned.record.clone(),
            name: self.planned.name.clone(),
            touch,
            before: None,
            after: None,
            sent: FieldValues::new(),
            not_taken: Vec::new(),
            instead_of: None,
            not_kept: None,
        }
    }

    async fn begin(&self, touched: &TouchedRecord) -> Result<(), BackendError> {
        let Some(witness) = &self.witness else {
            return Ok(());
        };
        let begun = witness.begin(std::slice::from_ref(touched)).await;
        begun.map_err(|why| {
            BackendError::ours(
                why,
                "whoever records writes refused this one; nothing was sent",
            )
        })
    }

    async fn present(&self, scope: ImageScope) -> Result<Option<Present>, BackendError> {
        let RecordFound::There(held) = image::read(self.inner, self.plan, self.id()).await? else {
            return Ok(None);
        };
        let pictured = image::picture(self.inner, self.plan, &held, scope).await?;
        match pictured.image {
            Ok(image) => Ok(Some(Present {
                held,
                image,
                name: pictured.name,
            })),
            Err(why) => Err(BackendError::caller(format!(
                "{} cannot be put back: {why}.",
                self.planned.record
            ))),
        }
    }

    /// None when all is as it is to be by now.
    async fn change(&self) -> Result<Option<TouchedRecord>, BackendError> {
        let request = self
            .plan
            .change
            .as_ref()
            .ok_or_else(|| self.lacks("change"))?;
        let Some(mut now) = self.present(ImageScope::Fields).await? else {
            return Err(self.moved("it is gone"));
        };
        let mut touched = self.touched(Touch::Changes);
        touched.sent = self.wanted(&now.image)?;
        touched.name = now.name.take().or(touched.name);
        touched.before = Some(now.image.clone());
        if touched.sent.is_empty() {
            return Ok(None);
        }
        self.begin(&touched).await?;
        let mut is_second = false;
        let mut emptying = Emptying::WithoutKeys;
        loop {
            let body = self.changed_body(&now, &touched.sent, emptying)?;
            let is_empty = self.is_empty_map(&body);
            let Err(error) = self.ask(request, self.id(), Some(body)).await else {
                break;
            };
            // some take no empty map: its last keys stay, with nothing in them
            if is_empty
                && emptying == Emptying::WithoutKeys
                && matches!(error.status(), Some(400 | 422))
            {
                emptying = Emptying::WithNulls;
                continue;
            }
            // somebody was quicker: planned again, once
            if error.is_conflict() && !is_second {
                is_second = true;
                let Some(again) = self.present(ImageScope::Fields).await? else {
                    return Err(self.moved("it is gone"));
                };
                touched.sent = self.wanted(&again.image)?;
                touched.before = Some(again.image.clone());
                now = again;
                continue;
            }
            return Err(unfinished(error, touched));
        }
        self.read_back(&mut touched).await;
        Ok(Some(touched))
    }

    /// The values that are to be sent, when the record is still as the plan saw it.
    fn wanted(&self, now: &Image) -> Result<FieldValues, BackendError> {
        let equality = image::traits(self.plan).equality;
        let mut wanted = FieldValues::new();
        let mut changed = Vec::new();
        for planned in &self.planned.fields {
            let FieldVerdict::Set {
                value, now: seen, ..
            } = &planned.verdict
            else {
                continue;
            };
            if !self.may_be_set(&planned.field) {
                continue;
            }
            let (field, is) = (&planned.field, now.fields.get(&planned.field));
            if equality.is_same(field, is, seen.as_ref()) {
                wanted.insert(field.clone(), value.clone());
            } else if !equality.is_same(field, is, value.as_ref()) {
                changed.push(field.as_str());
            }
        }
        if changed.is_empty() {
            return Ok(wanted);
        }
        Err(self.moved(&format!("{} changed since", changed.join(", "))))
    }

    fn may_be_set(&self, field: &str) -> bool {
        match &self.plan.fields {
            FieldsPlan::Listed(fields) => fields.iter().any(|(name, _)| name == field),
            FieldsPlan::Open { .. } => true,
        }
    }

    /// Whether a body leaves nothing of an open map.
    fn is_empty_map(&self, body: &Val) -> bool {
        match &self.plan.fields {
            FieldsPlan::Listed(_) => false,
            FieldsPlan::Open { name, .. } => {
                matches!(jq::get(body, name), Some(Val::Obj(map)) if map.is_empty())
            }
        }
    }

    /// The fields that are put back, or all of them where the whole record is written, with the
    /// version of now.
    fn changed_body(
        &self,
        now: &Present,
        sent: &FieldValues,
        emptying: Emptying,
    ) -> Result<Val, BackendError> {
        let mut body = jaq_json::Map::default();
        let is_whole = self
            .plan
            .change
            .as_ref()
            .is_some_and(|request| request.method == Method::PUT);
        match &self.plan.fields {
            FieldsPlan::Listed(fields) => {
                for (name, _) in fields {
                    let planned_value = sent
                        .get(name)
                        .map(|value| value.clone().unwrap_or_default());
                    let current_value = now.image.fields.get(name).filter(|_| is_whole).cloned();
                    let value = planned_value.or(current_value);
                    body.extend(value.map(|value| (key(name), jq::from_json(&value))));
                }
            }
            FieldsPlan::Open { name, .. } => {
                // the map as it is, in its order, with ours changed
                let mut map = self.open_map(now)?;
                for (name, value) in sent {
                    match value {
                        Some(value) => {
                            map.insert(key(name), jq::from_json(value));
                        }
                        None => {
                            map.shift_remove(&key(name));
                        }
                    }
                }
                if emptying == Emptying::WithNulls && map.is_empty() {
                    map.extend(sent.keys().map(|name| (key(name), Val::Null)));
                }
                body.insert(key(name), Val::obj(map));
            }
        }
        if let (Some(name), Some(version)) = (&self.plan.version_name, &now.image.version) {
            body.insert(key(name), jq::from_json(version));
        }
        Ok(Val::obj(body))
    }

    /// The open map of the record as it is, its values as they were written.
    fn open_map(&self, now: &Present) -> Result<jaq_json::Map, BackendError> {
        let FieldsPlan::Open { name, .. } = &self.plan.fields else {
            return Ok(jaq_json::Map::default());
        };
        match jq::get(&now.held.value()?, name) {
            Some(Val::Obj(map)) => Ok(map.as_ref().clone()),
            Some(Val::Null) | None => Ok(jaq_json::Map::default()),
            Some(_) => Err(self.moved(&format!("its `{name}` is not a map"))),
        }
    }

    async fn make(&self) -> Result<TouchedRecord, BackendError> {
        let creation = self
            .plan
            .create
            .as_ref()
            .ok_or_else(|| self.lacks("make"))?;
        let mut touched = self.touched(Touch::Makes);
        touched.record.id.clear();
        touched.instead_of = Some(self.planned.record.clone());
        let values = self.planned.values().into_iter();
        // what there was not is not sent
        touched.sent = values
            .filter(|(name, value)| {
                let is_extra = creation.extra.iter().any(|(known, _)| known == name);
                (is_extra || self.may_be_set(name)) && value.as_ref().is_some_and(|v| !v.is_null())
            })
            .collect();
        self.begin(&touched).await?;
        let body = touched.sent.iter();
        let body: jaq_json::Map = body
            .filter_map(|(name, value)| Some((key(name), jq::from_json(value.as_ref()?))))
            .collect();
        let body = Some(Val::obj(body));
        let answer = match self.ask(&creation.request, "", body).await {
            Ok(answer) => answer,
            Err(error) => return Err(unfinished(error, touched)),
        };
        let image = image::picture(self.inner, self.plan, &answer, ImageScope::Fields).await;
        match image.ok().and_then(|image| image.id) {
            Some(id) => touched.record.id = id,
            None => {
                touched.not_kept = Some("the backend did not say its id".to_owned());
                return Ok(touched);
            }
        }
        if self.read_back(&mut touched).await {
            return Ok(touched);
        }
        let message = format!(
            "{} answered that {} was made again as {}, and it is not there.",
            self.inner.compiled().title,
            self.planned.record,
            touched.record.id
        );
        let error = BackendError::backend(message, false).with_change();
        Err(unfinished(error, touched))
    }

    async fn delete(&self) -> Result<TouchedRecord, BackendError> {
        let request = self
            .plan
            .delete
            .as_ref()
            .ok_or_else(|| self.lacks("delete"))?;
        let Some(now) = self.present(ImageScope::Whole).await? else {
            return Err(self.moved("it is gone"));
        };
        if let (Some(seen), Some(is)) = (&self.planned.version, &now.image.version)
            && seen != is
        {
            return Err(self.moved("it changed since"));
        }
        let hanging = attached::read(self.inner, self.plan, self.id(), &now.held).await?;
        if let Some(first) = hanging.first() {
            return Err(self.moved(&format!("{first} hangs on it, and would go with it")));
        }
        let mut touched = self.touched(Touch::Deletes);
        touched.name = now.name.or(touched.name);
        touched.before = Some(now.image);
        self.begin(&touched).await?;
        if let Err(error) = self.ask(request, self.id(), None).await {
            return Err(unfinished(error, touched));
        }
        if let Ok(RecordFound::There(_)) = image::read(self.inner, self.plan, self.id()).await {
            let message = format!(
                "{} answered that {} was deleted, and it is still there.",
                self.inner.compiled().title,
                self.planned.record
            );
            return Err(unfinished(BackendError::backend(message, false), touched));
        }
        Ok(touched)
    }

    /// What became of the record; what cannot be read is not known. False when it is not there.
    async fn read_back(&self, touched: &mut TouchedRecord) -> bool {
        let held = match image::read(self.inner, self.plan, &touched.record.id).await {
            Ok(RecordFound::There(held)) => held,
            Ok(RecordFound::Gone) => return false,
            Err(_) => return true,
        };
        let pictured = image::picture(self.inner, self.plan, &held, ImageScope::Fields).await;
        let Ok(pictured) = pictured else {
            return true;
        };
        touched.name = pictured.name.or(touched.name.take());
        if let Ok(after) = pictured.image {
            touching::note_after(self.plan, touched, after, AfterFrom::LaterRead);
            touched
                .not_taken
                .retain(|not_taken| self.may_be_set(&not_taken.field));
        }
        true
    }

    async fn ask(
        &self,
        request: &Request,
        id: &str,
        body: Option<Val>,
    ) -> Result<Held, BackendError> {
        let path = image::path_of(self.inner, request, id)?;
        let body = body.as_ref().map(values::to_json).transpose()?;
        let ask = Ask {
            takes_any: request.answer != crate::definition::Answer::Json,
            ..Ask::new(request.method.clone(), path, body)
        };
        request::send(self.inner, ask, request).await
    }

    fn lacks(&self, what: &str) -> BackendError {
        BackendError::caller(format!(
            "The connector {} has no way to {what} a {} any more.",
            self.inner.compiled().name,
            self.plan.kind.name
        ))
    }

    /// The record is no longer as the plan saw it; nothing was sent.
    fn moved(&self, what: &str) -> BackendError {
        BackendError::caller(format!(
            "{} is not as it was when this was planned: {what}. Nothing of it was sent; plan again.",
            described(&self.planned.record, self.planned.name.as_deref())
        ))
        .with_conflict()
    }
}

fn key(name: &str) -> Val {
    Val::utf8_str(name.to_owned())
}

fn described(record: &RecordRef, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{record} ({name})"),
        None => record.to_string(),
    }
}

/// A request that failed, with the record that it may have changed.
fn unfinished(error: BackendError, touched: TouchedRecord) -> BackendError {
    if !error.may_have_changed() {
        return error;
    }
    error.with_written(WrittenRecords {
        touched: vec![touched],
        undo_values: None,
    })
}

/// What is done about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallWay {
    /// It is taken back.
    Back,
    /// It is made again, as it was taken back.
    Again,
}

/// Undoes a call by steps of its tool or by another tool, or makes it again with the arguments that
/// it was given.
pub(super) async fn call(
    backend: &Backend,
    tool: &str,
    values: &str,
    way: CallWay,
    options: Options,
) -> Result<Outcome, BackendError> {
    let unreadable = || {
        BackendError::caller(format!(
            "What was kept of this call of `{tool}` cannot be read."
        ))
    };
    let Ok(Value::Object(mut values)) = serde_json::from_str::<Value>(values) else {
        return Err(unreadable());
    };
    match way {
        CallWay::Back => take_back(backend, tool, values, options).await,
        CallWay::Again => match values.remove("given") {
            Some(Value::Object(arguments)) => {
                Box::pin(backend.call_with(tool, arguments, options)).await
            }
            _ => Err(unreadable()),
        },
    }
}

async fn take_back(
    backend: &Backend,
    tool: &str,
    mut values: Map<String, Value>,
    options: Options,
) -> Result<Outcome, BackendError> {
    let connector = backend.connector();
    let Some(known) = connector.tool(tool) else {
        return Err(BackendError::caller(format!(
            "The tool `{tool}` is gone, so what it did cannot be undone by it."
        )));
    };
    match (known.undoing().map(|undoing| &undoing.way), &known.action) {
        (Some(UndoWay::Steps), Action::Steps(plan)) => {
            let requests = plan.requests.saturating_add(touching::READS);
            let inner = backend.begin(requests);
            let mut outcome = Box::pin(steps::take_back(&inner, plan, &values, options)).await?;
            let reading = backend.begin(MAX_REQUESTS);
            attached::note_what_came_along(&reading, &mut outcome.touched).await;
            Ok(outcome)
        }
        (Some(UndoWay::Inverse(inverse)), _) => {
            let takes = |name: &str| {
                let inverse = connector.tool(inverse);
                let schema = inverse.and_then(|tool| tool.input_schema.get("properties"));
                schema.is_some_and(|properties| properties.get(name).is_some())
            };
            let arguments = match values.remove("args") {
                Some(Value::Object(arguments)) => arguments,
                _ => Map::new(),
            };
            let arguments = arguments.into_iter().filter(|(name, _)| takes(name));
            Box::pin(backend.call_with(inverse, arguments.collect(), options)).await
        }
        _ => Err(BackendError::caller(format!(
            "What `{tool}` does is not undone by steps or by another tool any more."
        ))),
    }
}
