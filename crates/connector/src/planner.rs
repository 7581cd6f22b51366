//! The planner: decides field by field what a write may set, what already is so, what conflicts and
//! what cannot be done. Pure: images go in, verdicts come out; it reads and sends nothing, and
//! knows no clock.
//!
//! A field has three values: what it is to be, what it is if nobody else touched it, and what it
//! is now.
//!
//! | now | verdict |
//! |---|---|
//! | what it is if nobody else touched it | set it |
//! | what it is to be | it already is so |
//! | anything else | a conflict, named with the three values, and left |
//!
//! Which values stand for the first two tells the uses apart:
//!
//! | use | to be | if nobody else touched it |
//! |---|---|---|
//! | [`plan_undo`] a change | as before it | as after it |
//! | [`plan_proposal`] | as proposed | as when it was proposed |
//! | [`merge_write`] on a conflict of versions | as wanted | as read |
//! | [`decide_unknown`], the answer never came | as sent | as before it |
//! | [`read_back`] | as sent | as before it |
//!
//! Where a field is a set, such as tags, an undo takes out what the change added and puts in what it
//! took away; what is in it otherwise stays, and nothing of it conflicts. A write or an approval sends
//! the whole set, so there it conflicts as any other value.
//!
//! Values that repeat do not tell: where somebody put a field back to the value that a change gave
//! it, it counts as untouched. Where the record has a version, that says so (`changed_since`),
//! though it moves with an edit of any other field too; so it is named and makes no conflict.
//! Deleting a record would take what no field shows, so there it does.

mod change;
mod current;
mod equality;
mod hanging;
mod image;
mod outcome;
mod plan;
mod rewind;
mod sets;
mod three_way;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub use change::{PastChange, RecordRef, Transition};
pub use current::{Attached, CurrentRecord, CurrentRecords, RecordNow, RecordTraits};
pub use equality::FieldEquality;
use hanging::Hanging;
pub use image::{FieldValues, Image};
pub use outcome::{NotTaken, UnknownVerdict, decide_unknown, read_back};
pub use plan::{
    ChangePlan, FieldVerdict, Obstacle, PlannedField, PlannedObstacle, PlannedRecord, RecordAct,
};
use rewind::{Direction, RewindStep, rewind};
pub use three_way::merge_write;

/// Plans the undoing of a selection of changes.
///
/// `history` has, from the oldest to the newest, the selected changes, and every other change that
/// whoever undoes has made to the same records ([`PastChange::is_selected`]); changes of others are
/// left out, they count as what happened to the record. `current` has the records that
/// [`records_to_read`] names.
///
/// Each record's changes are undone from the newest to the oldest, and what differs in the end is
/// planned, so that a record is sent once. A field that met a conflict is closed for older changes.
/// An undo is a change like any other, and is undone the same way.
///
/// ```
/// use footbridge_connector::{
///     CurrentRecord, FieldVerdict, Image, PastChange, RecordNow, RecordRef, RecordTraits,
///     Transition, plan_undo,
/// };
/// use serde_json::json;
///
/// let image = |status: &str, points: u8| {
///     let fields = [("status", json!(status)), ("points", json!(points))];
///     Image::new(fields.map(|(name, value)| (name.to_owned(), value)), None)
/// };
/// let story = RecordRef::new("taiga", "story", "7");
/// let change = PastChange {
///     change: "c1".to_owned(),
///     record: story.clone(),
///     transition: Transition::Changed { before: image("new", 1), after: image("done", 5) },
///     is_selected: true,
/// };
/// // a person gave it eight points since
/// let now = RecordNow::Found { image: image("done", 8), attached: Vec::new() };
/// let current = CurrentRecord { now, name: None, traits: RecordTraits::default() };
///
/// let plan = plan_undo(&[change], &[(story, current)].into());
/// assert_eq!(plan.records[0].values(), [("status".to_owned(), Some(json!("new")))].into());
/// let (_, conflict) = plan.conflicts().next().unwrap();
/// assert_eq!(conflict.field, "points");
/// let (before, ours, now) = (Some(json!(1)), Some(json!(5)), Some(json!(8)));
/// assert_eq!(conflict.verdict, FieldVerdict::Conflict { before, ours, now });
/// ```
#[must_use]
pub fn plan_undo(history: &[PastChange], current: &CurrentRecords) -> ChangePlan {
    let mut by_record = steps_by_record(history);
    for (_, steps) in &mut by_record {
        steps.reverse();
    }
    let mut hanging = Hanging::of(current);
    loop {
        let planned = by_record.iter().filter_map(|(record, steps)| {
            let attached = hanging.on(record);
            planned_record(record, steps, current, Direction::Back, attached)
        });
        let mut planned: Vec<_> = planned.collect();
        // what stays where it hangs keeps that from being deleted, which may keep more
        if !hanging.keep(planned.iter().map(|(_, record, _)| record), current) {
            planned.sort_by_key(|(place, _, _)| std::cmp::Reverse(*place));
            return sealed(planned);
        }
    }
}

/// Plans the doing of a proposed change, over the records as they are now. What it was proposed
/// over stands in `before` of each [`Transition`], what is to become of it in `after`, which is
/// [`Image::with`] of what is to be sent. All of it counts as selected.
///
/// The records come in the order in which they were proposed. `current` has those of them that are
/// not yet to be made.
#[must_use]
pub fn plan_proposal(proposed: &[PastChange], current: &CurrentRecords) -> ChangePlan {
    let mut planned = Vec::new();
    for (record, mut steps) in steps_by_record(proposed) {
        for step in &mut steps {
            step.transition = Cow::Owned(step.transition.reversed());
            step.is_selected = true;
        }
        planned.extend(planned_record(
            &record,
            &steps,
            current,
            Direction::Forth,
            None,
        ));
    }
    planned.sort_by_key(|(place, _, _)| *place);
    sealed(planned)
}

/// The records that must be read before [`plan_undo`]: those of the selected changes, and for one
/// that was deleted and made again, the one that stands for it now.
#[must_use]
pub fn records_to_read(history: &[PastChange]) -> BTreeSet<RecordRef> {
    let successors = successors(history);
    let selected = history.iter().filter(|past| past.is_selected);
    selected
        .map(|past| standing_for(&past.record, &successors).clone())
        .collect()
}

/// A record's place in the order of sending, its plan, and its part of the digest.
type Ranked = (usize, PlannedRecord, String);

fn planned_record(
    record: &RecordRef,
    steps: &[RewindStep<'_>],
    current: &CurrentRecords,
    direction: Direction,
    attached: Option<&str>,
) -> Option<Ranked> {
    if !steps.iter().any(|step| step.is_selected) {
        return None;
    }
    let yet_to_be_made = CurrentRecord {
        now: RecordNow::Gone,
        name: None,
        traits: RecordTraits::default(),
    };
    let current = match record.id.is_empty() {
        true => Some(&yet_to_be_made),
        false => current.get(record),
    };
    let (plan, place) = rewind(record, steps, current, direction, attached);
    let equality = current.map(|current| current.traits.equality.clone());
    let part = plan.seal(&equality.unwrap_or_default());
    Some((place, plan, part))
}

fn sealed(planned: Vec<Ranked>) -> ChangePlan {
    ChangePlan::sealed(
        planned
            .into_iter()
            .map(|(_, record, part)| (record, part))
            .collect(),
    )
}

/// Each record's changes in their order. A record that was deleted and made again is one, under
/// its present id.
fn steps_by_record(history: &[PastChange]) -> Vec<(RecordRef, Vec<RewindStep<'_>>)> {
    let successors = successors(history);
    let mut groups: Vec<(RecordRef, Vec<RewindStep<'_>>)> = Vec::new();
    let mut group_of: BTreeMap<&RecordRef, usize> = BTreeMap::new();
    for (place, past) in history.iter().enumerate() {
        let record = standing_for(&past.record, &successors);
        let step = RewindStep {
            change: &past.change,
            place,
            transition: Cow::Borrowed(&past.transition),
            is_selected: past.is_selected,
        };
        // records that are yet to be made have no ids that would tell them apart
        let known = group_of.get(record).filter(|_| !record.id.is_empty());
        match known.and_then(|group| groups.get_mut(*group)) {
            Some((_, steps)) => steps.push(step),
            None => {
                group_of.insert(record, groups.len());
                groups.push((record.clone(), vec![step]));
            }
        }
    }
    groups
}

/// By deleted record, the one that was made in its place.
fn successors(history: &[PastChange]) -> BTreeMap<&RecordRef, &RecordRef> {
    let successors = history.iter().filter_map(|past| match &past.transition {
        Transition::Made {
            instead_of: Some(deleted),
            ..
        } => Some((deleted, &past.record)),
        _ => None,
    });
    successors.collect()
}

/// The record that stands for this one now.
fn standing_for<'a>(
    record: &'a RecordRef,
    successors: &BTreeMap<&'a RecordRef, &'a RecordRef>,
) -> &'a RecordRef {
    let mut standing = record;
    // no chain is longer than the map, unless it goes round
    for _ in 0..successors.len() {
        match successors.get(standing) {
            Some(next) => standing = next,
            None => break,
        }
    }
    standing
}
