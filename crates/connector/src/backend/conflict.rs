//! Two people change one record: the change is made again when they changed different fields, and
//! refused with names when not.

use std::sync::Arc;

use jaq_json::Val;

use super::Inner;
use super::image::{self, ImageScope};
use super::request::{self, Prepared};
use super::touching::{self, MAX_TOUCHED};
use super::values::{self, Held};
use crate::connector::{RecordPlan, Request, TouchPlan};
use crate::failure::BackendError;
use crate::jq::{self, Variable, Variables};
use crate::planner::{PlannedField, merge_write};
use crate::touched::Touch;

/// What to do about a conflict.
pub(super) enum Way {
    /// Send this, with the record as it is now as `$before`.
    Again(Prepared, Val),
    Refuse(BackendError),
}

/// Reads the record again and decides. `before` is how it is read, `sent` what was refused.
pub(super) async fn decide(
    inner: &Arc<Inner>,
    request: &Request,
    before: &Request,
    sent: &Prepared,
    touches: &[TouchPlan],
    variables: &Variables,
    error: BackendError,
) -> Result<Way, BackendError> {
    if sent.body.is_none() {
        // nothing was compared with a version: what the backend says of it is all there is
        return Ok(Way::Refuse(error));
    }
    let image = variables.get(Variable::Before).clone();
    let Ok(now) = request::simple(inner, before, variables).await else {
        return Ok(Way::Refuse(error));
    };
    let now = now.value()?;
    let version = |record: &Val| {
        let (filter, record) = (inner.compiled().version.clone(), Held::Made(record.clone()));
        async move {
            match filter {
                Some(filter) => values::one(inner, &filter, &record, &Variables::default()).await,
                None => Ok(Val::Null),
            }
        }
    };
    let (old, new) = (version(&image).await?, version(&now).await?);
    let mut fresh = variables.clone();
    fresh.set(Variable::Before, now.clone());
    let again = request::prepare(inner, request, &fresh).await?;
    let merged = merged(inner, touches, sent, variables, &image, &now).await;
    let fields = match merged.ok().flatten() {
        Some((plan, mut conflicts)) => {
            let is_left = |name: &String| !plan.has_field(name);
            let others = changed(sent.body.as_ref(), &image, &now, &old);
            conflicts.extend(others.into_iter().filter(is_left));
            conflicts
        }
        None => changed(sent.body.as_ref(), &image, &now, &old),
    };
    let latest = jq::plain_text(&new)
        .map(|version| format!(" The latest version is {version}."))
        .unwrap_or_default();
    // the same body again means that the caller, not the record, gave the version
    let callers_own = old == Val::Null || again.body == sent.body;
    if !callers_own && fields.is_empty() && old != new {
        return Ok(Way::Again(again, now));
    }
    let title = &inner.compiled().title;
    let passed = match &sent.body {
        Some(body) if callers_own => version(body).await?,
        _ => Val::Null,
    };
    if let (Val::Num(passed), Val::Num(latest)) = (&passed, &new)
        && passed > latest
    {
        let message = format!(
            "{title} refused the change: it was made for version {passed}, which this record never had; \
             the latest is {latest}. Read it, and pass that version or none."
        );
        return Ok(Way::Refuse(error.with_message(message)));
    }
    let what = match fields.as_slice() {
        // what it was at the caller's version is known to nobody any more
        [] => match others_than_sent(sent.body.as_ref(), &now, &passed).as_slice() {
            [] => String::new(),
            fields => format!(
                " Of what you change, this is otherwise now: {}.",
                fields.join(", ")
            ),
        },
        fields => format!(" Changed meanwhile: {}.", fields.join(", ")),
    };
    let message = format!(
        "{title} refused the change: the record was changed by someone else since it was read.{what}{latest} Read it, then decide."
    );
    Ok(Way::Refuse(error.with_message(message)))
}

/// The record that the request changes, as the file describes it, with the fields that somebody
/// else has given another value; none when the file describes none.
async fn merged<'i>(
    inner: &'i Arc<Inner>,
    touches: &[TouchPlan],
    sent: &Prepared,
    variables: &Variables,
    before: &Val,
    now: &Val,
) -> Result<Option<(&'i RecordPlan, Vec<String>)>, BackendError> {
    for touch in touches.iter().filter(|touch| touch.touch == Touch::Changes) {
        let plan = inner.compiled().records.get(touch.record);
        let (Some(plan), Some(ids)) = (plan, &touch.ids) else {
            continue;
        };
        let Some(change) = &plan.change else {
            continue;
        };
        let ids = values::several(inner, ids, &Held::Nothing, variables, MAX_TOUCHED).await?;
        let is_own = |id: &String| {
            let path = image::path_of(inner, change, id);
            path.is_ok_and(|path| path == sent.path)
        };
        if !ids.iter().filter_map(jq::plain_text).any(|id| is_own(&id)) {
            continue;
        }
        let picture = |record: &Val| {
            let record = Held::Made(record.clone());
            async move { image::picture(inner, plan, &record, ImageScope::Fields).await }
        };
        let (Ok(before), Ok(now)) = (picture(before).await?.image, picture(now).await?.image)
        else {
            return Ok(None);
        };
        let wanted = touching::sent_values(plan, sent.body.as_ref(), Some(&before))?;
        let merged = merge_write(&before, &wanted, &now, &image::traits(plan).equality);
        let conflicts = merged.into_iter().filter(PlannedField::is_conflict);
        return Ok(Some((plan, conflicts.map(|field| field.field).collect())));
    }
    Ok(None)
}

/// Fields of the body that the record has otherwise; none where the version is not the caller's.
fn others_than_sent(body: Option<&Val>, now: &Val, passed: &Val) -> Vec<String> {
    let (Some(Val::Obj(body)), Val::Num(_)) = (body, passed) else {
        return Vec::new();
    };
    let sent = body.iter().filter(|(_, value)| *value != passed);
    let keys = sent.filter_map(|(key, value)| Some((jq::text(key)?, value)));
    keys.filter(|(key, value)| jq::get(now, key).is_some_and(|now| now != *value))
        .map(|(key, _)| key.into_owned())
        .collect()
}

/// Fields of the body that differ between the two images.
fn changed(body: Option<&Val>, before: &Val, now: &Val, version: &Val) -> Vec<String> {
    let Some(Val::Obj(body)) = body else {
        return Vec::new();
    };
    let keys = body
        .iter()
        .filter(|(_, value)| *value != version || *version == Val::Null)
        .filter_map(|(key, _)| jq::text(key));
    keys.filter(|key| jq::get(before, key) != jq::get(now, key))
        .map(|key| key.into_owned())
        .collect()
}
