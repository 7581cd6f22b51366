//! Fields that are sets, such as tags: what a change added to one and took from it is undone item
//! by item, and whatever else is in it stays.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use serde_json::Value;

use super::equality::{FieldEquality, spelling};
use super::image::FieldTrace;
use super::three_way::{ThreeWay, three_way};

/// The set as it is with what leads from `expected` to `target` done to it: what that adds is in
/// it, what it takes away is not, all else is as it was, in its order. None where one of the three
/// is no list, or the field is no set.
pub(super) fn merged(
    equality: &FieldEquality,
    field: &str,
    target: Option<FieldTrace<'_>>,
    expected: Option<FieldTrace<'_>>,
    now: Option<FieldTrace<'_>>,
) -> Option<Value> {
    if !equality.is_set(field) {
        return None;
    }
    let (target, expected, now) = (items(target)?, items(expected)?, items(now)?);
    let spelled = |items: &[Value]| -> BTreeSet<String> { items.iter().map(spelling).collect() };
    let (wanted, left, there) = (spelled(target), spelled(expected), spelled(now));
    let stays = |item: &&Value| {
        let item = spelling(item);
        wanted.contains(&item) || !left.contains(&item)
    };
    let is_new = |item: &&Value| {
        let item = spelling(item);
        !left.contains(&item) && !there.contains(&item)
    };
    let staying = now.iter().filter(stays);
    Some(
        staying
            .chain(target.iter().filter(is_new))
            .cloned()
            .collect(),
    )
}

/// As [`three_way`], and of a set by its items: untouched where all that leads from `expected` to
/// `target` is still to be done, and already so where all of it is.
pub(super) fn three_way_by_items(
    equality: &FieldEquality,
    field: &str,
    target: Option<FieldTrace<'_>>,
    expected: Option<FieldTrace<'_>>,
    now: Option<FieldTrace<'_>>,
) -> ThreeWay {
    let whole = three_way(equality, field, target, expected, now);
    if whole != ThreeWay::Conflict {
        return whole;
    }
    let leaves_as_is = |to: Option<FieldTrace<'_>>, from: Option<FieldTrace<'_>>| {
        let merged = merged(equality, field, to, from, now);
        merged.is_some_and(|merged| is_as(equality, field, &merged, now))
    };
    if leaves_as_is(target, expected) {
        ThreeWay::Already
    } else if leaves_as_is(expected, target) {
        ThreeWay::Untouched
    } else {
        ThreeWay::Conflict
    }
}

/// Whether a set has the items of `now`.
pub(super) fn is_as(
    equality: &FieldEquality,
    field: &str,
    set: &Value,
    now: Option<FieldTrace<'_>>,
) -> bool {
    let is_empty = |kept| items(kept).is_some_and(<[Value]>::is_empty);
    equality.is_kept_same(field, Some(FieldTrace::Whole(set)), now)
        || is_empty(Some(FieldTrace::Whole(set))) && is_empty(now)
}

/// The items of a set; null is one without any.
fn items(kept: Option<FieldTrace<'_>>) -> Option<&[Value]> {
    match kept {
        None | Some(FieldTrace::Whole(Value::Null)) => Some(&[]),
        Some(FieldTrace::Whole(Value::Array(items))) => Some(items),
        Some(FieldTrace::Whole(_) | FieldTrace::Digest(_)) => None,
    }
}

/// Values that were made while planning, which live as long as the plan is being made: one behind
/// the other.
#[derive(Debug, Default)]
pub(super) struct MergedSets {
    first: OnceCell<Box<(Value, MergedSets)>>,
}

impl MergedSets {
    pub(super) fn keep(&self, value: Value) -> &Value {
        let mut end = self;
        while let Some(merged) = end.first.get() {
            end = &merged.1;
        }
        &end.first
            .get_or_init(|| Box::new((value, Self::default())))
            .0
    }
}
