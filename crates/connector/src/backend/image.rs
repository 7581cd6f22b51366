//! The image of a record: its declared fields and version, picked of an answer, or read.

use std::sync::Arc;

use jaq_json::Val;
use serde_json::Value;

use super::values::{self, FilterRuns, Held};
use super::{Inner, attached, request, secrets};
use crate::connector::{FieldsPlan, RecordPlan, Request};
use crate::failure::BackendError;
use crate::jq::{self, Glue, Variable, Variables};
use crate::planner::{
    Attached, CurrentRecord, FieldEquality, Image, RecordNow, RecordRef, RecordTraits,
};

/// What an answer holds of a record.
pub(super) struct Pictured {
    /// As the record itself says it.
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    /// Or why it cannot be kept, to be said behind "because".
    pub(super) image: Result<Image, String>,
}

/// Which fields are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImageScope {
    /// Those that may be put back.
    Fields,
    /// These, and what only making it again needs.
    Whole,
}

/// What is found where a record should be.
pub(super) enum RecordFound {
    There(Held),
    Gone,
}

/// The image of the record that `held` is.
pub(super) async fn picture(
    inner: &Arc<Inner>,
    plan: &RecordPlan,
    held: &Held,
    scope: ImageScope,
) -> Result<Pictured, BackendError> {
    let mut wanted: Vec<&Glue> = vec![&plan.id];
    wanted.extend(&plan.name);
    wanted.extend(&plan.version);
    let mut names: Vec<&str> = Vec::new();
    match &plan.fields {
        FieldsPlan::Listed(fields) => {
            let extra = plan.create.iter().flat_map(|create| &create.extra);
            let extra = extra.filter(|_| scope == ImageScope::Whole);
            for (name, glue) in fields.iter().chain(extra) {
                names.push(name);
                wanted.push(glue);
            }
        }
        FieldsPlan::Open { map, .. } => wanted.push(map),
    }
    let runs: FilterRuns = wanted
        .into_iter()
        .map(|glue| (glue.clone(), held.clone()))
        .collect();
    let picked = values::each(inner, runs, &inner.variables()).await?;
    let mut picked = picked.into_iter().map(Option::unwrap_or_default);
    let id = picked.next().as_ref().and_then(jq::plain_text);
    let mut next = |is_there: bool| {
        is_there
            .then(|| picked.next())
            .flatten()
            .filter(|value| *value != Val::Null)
    };
    let name = next(plan.name.is_some());
    let name = name.as_ref().and_then(jq::plain_text);
    let version = next(plan.version.is_some())
        .as_ref()
        .map(to_value)
        .transpose()?;
    let image = match &plan.fields {
        FieldsPlan::Listed(_) => {
            let mut fields = Vec::new();
            for (name, value) in names.into_iter().zip(picked) {
                fields.push((name.to_owned(), to_value(&value)?));
            }
            Ok(Image::new(fields, version))
        }
        FieldsPlan::Open { name, .. } => match picked.next().unwrap_or_default() {
            Val::Obj(map) if map.len() > Image::MAX_FIELDS => Err(format!(
                "it has {} fields, and at most {} are kept",
                map.len(),
                Image::MAX_FIELDS
            )),
            Val::Obj(map) => {
                let mut fields = Vec::new();
                for (key, value) in map.iter() {
                    let key = jq::text(key).unwrap_or_default().into_owned();
                    fields.push((key, to_value(value)?));
                }
                Ok(Image::new(fields, version))
            }
            Val::Null => Ok(Image::new([], version)),
            _ => Err(format!("its `{name}` is not a map")),
        },
    };
    let image = image.and_then(|image| match image.check_size() {
        Ok(()) if image.fields.values().any(holds_mark) => {
            Err("a field of it holds a credential of ours, which is hidden".to_owned())
        }
        Ok(()) => Ok(image),
        Err(why) => Err(format!("it {why}")),
    });
    Ok(Pictured { id, name, image })
}

/// A part of it was hidden, and would be written back so.
fn holds_mark(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(secrets::MARK),
        Value::Array(items) => items.iter().any(holds_mark),
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| key.contains(secrets::MARK) || holds_mark(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether an answer holds all that an image is made of, so that nothing needs to be read.
pub(super) fn is_whole(plan: &RecordPlan, held: &Held) -> Result<bool, BackendError> {
    let value = held.value()?;
    let has = |glue: &Glue, name: &str| {
        let key = match glue.of_input() {
            Some([first, ..]) => first.name.as_str(),
            _ => name,
        };
        jq::get(&value, key).is_some()
    };
    let has_version = plan.version.as_ref().is_none_or(|version| {
        let key = version.of_input().and_then(|keys| keys.first());
        key.is_some_and(|key| jq::get(&value, &key.name).is_some_and(|found| *found != Val::Null))
    });
    Ok(has_version
        && match &plan.fields {
            FieldsPlan::Listed(fields) => fields.iter().all(|(name, glue)| has(glue, name)),
            FieldsPlan::Open { name, map } => has(map, name),
        })
}

/// The path of a record's request, filled in with its id.
pub(super) fn path_of(inner: &Inner, request: &Request, id: &str) -> Result<String, BackendError> {
    let filled = request.path.path(|name| match name.split_once('.') {
        Some(("settings", setting)) => inner.settings.open.get(setting).cloned(),
        _ => Some(id.to_owned()),
    });
    filled.map_err(|why| BackendError::caller(format!("{why}: pass another id.")))
}

/// Reads a record; that there is none is no failure.
pub(super) async fn read(
    inner: &Arc<Inner>,
    plan: &RecordPlan,
    id: &str,
) -> Result<RecordFound, BackendError> {
    let mut variables = Variables::default();
    let id = Value::from(id);
    let arguments = std::iter::once(("id".to_owned(), id)).collect();
    variables.set(Variable::Args, jq::from_json(&Value::Object(arguments)));
    match request::simple(inner, &plan.get, &variables).await {
        Ok(held) if held.is_nothing() => Ok(RecordFound::Gone),
        Ok(held) => Ok(RecordFound::There(held)),
        Err(error) if matches!(error.status(), Some(404 | 410)) => Ok(RecordFound::Gone),
        Err(error) => Err(error),
    }
}

/// Whether what hangs on a record is wanted too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttachedReading {
    Wanted,
    Left,
}

async fn attached_of(
    inner: &Arc<Inner>,
    plan: &RecordPlan,
    id: &str,
    held: &Held,
    reading: AttachedReading,
) -> Result<Vec<Attached>, BackendError> {
    match reading {
        AttachedReading::Wanted => attached::read(inner, plan, id, held).await,
        AttachedReading::Left => Ok(Vec::new()),
    }
}

/// A record as it is now, for a plan.
pub(super) async fn current(
    inner: &Arc<Inner>,
    plan: &RecordPlan,
    id: &str,
    reading: AttachedReading,
) -> Result<CurrentRecord, BackendError> {
    let (now, name) = match read(inner, plan, id).await {
        Ok(RecordFound::Gone) => (RecordNow::Gone, None),
        Ok(RecordFound::There(held)) => {
            let pictured = picture(inner, plan, &held, ImageScope::Fields).await?;
            let now = match pictured.image {
                Ok(image) => match attached_of(inner, plan, id, &held, reading).await {
                    Ok(attached) => RecordNow::Found { image, attached },
                    Err(error) => RecordNow::Unread {
                        why: format!("what hangs on it could not be read: {}", error.for_people()),
                    },
                },
                Err(why) => RecordNow::Unread { why },
            };
            (now, pictured.name)
        }
        Err(error) => {
            let why = error.for_people().to_owned();
            (RecordNow::Unread { why }, None)
        }
    };
    Ok(CurrentRecord {
        now,
        name,
        traits: traits(plan),
    })
}

/// What the planner may do with such a record.
pub(super) fn traits(plan: &RecordPlan) -> RecordTraits {
    RecordTraits {
        can_change: plan.kind.can_change,
        can_make: plan.kind.can_make,
        can_delete: plan.kind.can_delete,
        lost: plan.kind.lost.clone(),
        equality: plan
            .sets
            .iter()
            .fold(FieldEquality::default(), FieldEquality::unordered),
    }
}

/// Which record of this backend.
pub(super) fn reference(inner: &Inner, plan: &RecordPlan, id: &str) -> RecordRef {
    RecordRef::new(&inner.compiled().name, &plan.kind.name, id)
}

/// A value of jq as JSON has it.
pub(super) fn to_value(value: &Val) -> Result<Value, BackendError> {
    let json = values::to_json(value)?;
    serde_json::from_str(&json).map_err(|error| {
        BackendError::ours("A value of this record cannot be kept.", error.to_string())
    })
}
