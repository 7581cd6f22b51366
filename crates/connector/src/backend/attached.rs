//! What hangs on a record and would go with it, listed before an undo deletes the record.

use std::sync::Arc;

use jaq_json::Val;
use serde_json::Value;

use super::image::AttachedReading;
use super::values::{self, Held};
use super::{Backend, Inner, MAX_REQUESTS, image, request, restore};
use crate::connector::{AttachedPlan, RecordPlan};
use crate::failure::BackendError;
use crate::jq::{self, Variable, Variables};
use crate::planner::{Attached, CurrentRecord, FieldValues, RecordNow, RecordRef};
use crate::touched::{Touch, TouchedRecord};

impl Backend {
    /// A record as [`Backend::read_image`] finds it, with what hangs on it: for a plan that may
    /// delete it.
    ///
    /// # Errors
    /// When the connector has no such kind.
    pub fn read_with_attached(
        &self,
        kind: &str,
        id: &str,
    ) -> impl Future<Output = Result<CurrentRecord, BackendError>> + Send + 'static + use<> {
        let (inner, kind, id) = (self.begin(MAX_REQUESTS), kind.to_owned(), id.to_owned());
        async move {
            let plan = restore::plan(&inner, &kind)?;
            image::current(&inner, plan, &id, AttachedReading::Wanted).await
        }
    }
}

/// What hangs on the record that `held` is; of long lists, what their first page has.
pub(super) async fn read(
    inner: &Arc<Inner>,
    plan: &RecordPlan,
    id: &str,
    held: &Held,
) -> Result<Vec<Attached>, BackendError> {
    let mut variables = Variables::default();
    let arguments = std::iter::once(("id".to_owned(), Value::from(id))).collect();
    variables.set(Variable::Args, jq::from_json(&Value::Object(arguments)));
    variables.set(Variable::Before, held.value()?);
    let mut attached = Vec::new();
    for list in &plan.attached {
        for one in listed(inner, list, &variables).await? {
            if !attached.contains(&one) {
                attached.push(one);
            }
        }
    }
    Ok(attached)
}

/// Adds to what steps made again what came with it, such as the tasks of a story, so that it is ours
/// when that is undone. What cannot be read is not.
pub(super) async fn note_what_came_along(inner: &Arc<Inner>, touched: &mut Vec<TouchedRecord>) {
    let made = touched.iter().filter(|one| one.touch == Touch::Makes);
    let made: Vec<RecordRef> = made.map(|one| one.record.clone()).collect();
    for whole in made {
        let Ok(plan) = restore::plan(inner, &whole.kind) else {
            continue;
        };
        if plan.attached.is_empty() {
            continue;
        }
        let current = image::current(inner, plan, &whole.id, AttachedReading::Wanted).await;
        let Ok(RecordNow::Found { attached, .. }) = current.map(|current| current.now) else {
            continue;
        };
        for one in attached {
            let Attached::Record(record) = one else {
                continue;
            };
            if touched.iter().any(|known| known.record == record) {
                continue;
            }
            let Ok(plan) = restore::plan(inner, &record.kind) else {
                continue;
            };
            let current = image::current(inner, plan, &record.id, AttachedReading::Left).await;
            let Ok(CurrentRecord {
                now: RecordNow::Found { image, .. },
                name,
                ..
            }) = current
            else {
                continue;
            };
            touched.push(TouchedRecord {
                record,
                name,
                touch: Touch::Makes,
                before: None,
                after: Some(image),
                sent: FieldValues::new(),
                not_taken: Vec::new(),
                instead_of: None,
                not_kept: None,
            });
        }
    }
}

async fn listed(
    inner: &Arc<Inner>,
    list: &AttachedPlan,
    variables: &Variables,
) -> Result<Vec<Attached>, BackendError> {
    let answer = match request::simple(inner, &list.list, variables).await {
        Ok(answer) => answer,
        Err(error) if matches!(error.status(), Some(404 | 410)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let rows = match values::one(inner, &list.rows, &answer, variables).await? {
        Val::Arr(rows) => rows,
        Val::Null => return Ok(Vec::new()),
        _ => {
            let what = format!("the answer for {} is no list", list.noun);
            return Err(BackendError::backend(what, false));
        }
    };
    let mut plans = inner.compiled().records.iter();
    let Some(kind) = plans.find(|plan| plan.kind.name == list.noun) else {
        let count = rows.len();
        let other = (count > 0).then(|| Attached::Other(format!("{} ({count})", list.noun)));
        return Ok(other.into_iter().collect());
    };
    let mut attached = Vec::new();
    for row in rows.iter() {
        let row = Held::Made(row.clone());
        let id = values::one(inner, &kind.id, &row, variables).await?;
        let id = jq::plain_text(&id).unwrap_or_default();
        attached.push(Attached::Record(image::reference(inner, kind, &id)));
    }
    Ok(attached)
}
