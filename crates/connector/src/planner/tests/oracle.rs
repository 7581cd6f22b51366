//! What an undo must leave, told by who wrote what: a write goes when it is selected and nothing
//! but writes that go stands on it. It looks at writers where values are all different, and at
//! values where they come again.

use std::collections::BTreeSet;

use serde_json::Value;

use super::world::{BEING, Broken, FIELDS, ITEMS, SET, Thing, Write, Writer, equality};
use crate::planner::{FieldVerdict, Image, PastChange, PlannedRecord, RecordAct, Transition};

/// One record, before and after its undo.
pub(super) struct Seen<'a> {
    pub(super) history: &'a [PastChange],
    pub(super) selected: &'a BTreeSet<usize>,
    /// Which of the changes are undos.
    pub(super) undos: &'a BTreeSet<usize>,
    pub(super) before: &'a Thing,
    pub(super) after: &'a Thing,
    pub(super) planned: &'a PlannedRecord,
}

/// How many of a field's writes stay when those of these changes go that are newer than `since`.
pub(super) fn left_in_effect(writes: &[Write], going: &BTreeSet<usize>, since: usize) -> usize {
    let mut left = writes.len();
    while let Some(write) = left.checked_sub(1).map(|top| &writes[top]) {
        let goes = matches!(write.writer, Writer::Ours(change) if going.contains(&change));
        if write.time <= since {
            break;
        } else if goes {
            left -= 1;
        } else if write.cancels > 0 {
            left -= 1 + write.cancels;
        } else {
            break;
        }
    }
    left
}

pub(super) fn value_left(writes: &[Write], left: usize) -> Option<Value> {
    match left.checked_sub(1) {
        Some(top) => writes[top].after.clone(),
        None => writes.first().and_then(|write| write.before.clone()),
    }
}

/// Whether a record is to be there, and which of the selected changes can go at all.
pub(super) struct Being {
    pub(super) is_there: bool,
    pub(super) going: BTreeSet<usize>,
    /// What we made and others touched.
    blocked: BTreeSet<usize>,
    /// It is gone by a later change of ours than the one that is to be undone: it comes back as
    /// that one left it, because being gone is but one value.
    pub(super) is_by_value: bool,
}

pub(super) fn being(thing: &Thing, history: &[PastChange], selected: &BTreeSet<usize>) -> Being {
    let is_kept =
        |change: &&usize| !matches!(history[**change].transition, Transition::NotKept { .. });
    let mut going: BTreeSet<usize> = selected.iter().filter(is_kept).copied().collect();
    let writes = &thing.writes[BEING];
    let (mut is_there, mut left) = (thing.is_there, writes.len());
    let (mut gone_through, mut blocked) = (BTreeSet::new(), BTreeSet::new());
    // the deletion that was gone through last: the record comes back with the set that it had then
    let mut deleted: Option<(usize, &Image)> = None;
    while let Some(write) = left.checked_sub(1).map(|top| &writes[top]) {
        match write.writer {
            Writer::Ours(change) if going.contains(&change) => {
                let after = match &history[change].transition {
                    Transition::Made { after, .. } => after,
                    transition => {
                        if let Transition::Deleted { before } = transition {
                            deleted = Some((change, before));
                        }
                        is_there = true;
                        left -= 1;
                        gone_through.insert(change);
                        continue;
                    }
                };
                let is_untouched = FIELDS.iter().all(|field| {
                    let writes = &thing.writes[field];
                    let left = left_in_effect(writes, &going, write.time);
                    value_left(writes, left).as_ref() == after.fields.get(*field)
                });
                let is_in = |item: &str| {
                    let (end, was_in) = match deleted {
                        Some((end, before)) => (end, has_item(before, item)),
                        None => (usize::MAX, thing.set.contains(item)),
                    };
                    let goes =
                        |past: &&usize| (change + 1..end).contains(*past) && going.contains(*past);
                    is_left_in(history, thing.changes.iter().filter(goes), item, was_in)
                };
                let is_untouched = is_untouched
                    && ITEMS
                        .iter()
                        .all(|item| is_in(item) == has_item(after, item));
                let is_untold = thing.version.is_some()
                    && thing.unexplained_at.iter().any(|time| *time > write.time);
                if is_there && (!is_untouched || thing.is_there && (is_untold || thing.is_attached))
                {
                    going.remove(&change);
                    blocked.insert(change);
                    continue;
                }
                is_there = false;
                left -= 1;
                gone_through.insert(change);
            }
            _ if write.cancels > 0 => left -= 1 + write.cancels,
            _ => break,
        }
    }
    let stays = |change: &usize| {
        let transition = &history[*change].transition;
        !matches!(transition, Transition::Changed { .. }) && !gone_through.contains(change)
    };
    let stays_deleted = |write: &Write| match write.writer {
        Writer::Ours(change) => write.after.is_none() && going.contains(&change) && stays(&change),
        Writer::Start | Writer::Others => false,
    };
    let is_by_value = !thing.is_there && !is_there && writes.iter().any(stays_deleted);
    going.retain(|change| !stays(change));
    Being {
        is_there,
        going,
        blocked,
        is_by_value,
    }
}

/// Whether something is in an image's set.
fn has_item(image: &Image, item: &str) -> bool {
    let items = image.fields.get(SET).and_then(Value::as_array);
    items.is_some_and(|items| items.contains(&Value::from(item)))
}

/// Whether something is left in a set that has it or not when these changes are undone, given from
/// the oldest: it is in or not, so the first of them that moved it says it.
fn is_left_in<'c>(
    history: &[PastChange],
    going: impl Iterator<Item = &'c usize>,
    item: &str,
    is_in: bool,
) -> bool {
    let mut moved = going.filter_map(|change| {
        let Transition::Changed { before, after } = &history[*change].transition else {
            return None;
        };
        let (was, became) = (has_item(before, item), has_item(after, item));
        (was != became).then_some(was)
    });
    moved.next().unwrap_or(is_in)
}

impl Seen<'_> {
    pub(super) fn check(&self, repeats: bool) -> Result<(), Broken> {
        self.what_is_named_is_so()?;
        self.what_others_put_in_stays()?;
        match repeats {
            true => self.no_value_is_lost_by_value(),
            false => self.all_is_as_writers_tell(),
        }
    }

    /// Of a set, what the selected changes added is out and what they took away is in, and all else
    /// is as it was. Where they made or deleted the record, its fields tell.
    fn what_others_put_in_stays(&self) -> Result<(), Broken> {
        let of_it: BTreeSet<usize> = self
            .selected
            .iter()
            .filter(|change| self.is_of(**change))
            .copied()
            .collect();
        let comes_or_goes = |change: &usize| {
            let transition = &self.history[*change].transition;
            matches!(
                transition,
                Transition::Made { .. } | Transition::Deleted { .. }
            )
        };
        if !self.before.is_there || !self.after.is_there || of_it.iter().any(comes_or_goes) {
            return Ok(());
        }
        for item in ITEMS {
            let (was, is) = (
                self.before.set.contains(item),
                self.after.set.contains(item),
            );
            let going = self.before.changes.iter();
            let going = going.filter(|change| of_it.contains(change));
            let is_to_be = is_left_in(self.history, going, item, was);
            if is != is_to_be {
                return broken(was != is, format!("{item} is in its set: {is}"));
            }
        }
        Ok(())
    }

    /// Values are all different: what is left is known exactly. Only an undo gives back a value
    /// that there was; one that was undone and done again by others of ours is not told from one in
    /// effect.
    fn all_is_as_writers_tell(&self) -> Result<(), Broken> {
        let being = being(self.before, self.history, self.selected);
        if being.is_by_value {
            return Ok(());
        }
        let selects_undo = self
            .selected
            .intersection(self.undos)
            .any(|undo| self.is_of(*undo));
        if being.is_there != self.after.is_there && selects_undo {
            return self.no_value_is_lost_by_value();
        }
        if being.is_there != self.after.is_there {
            let is_lost = self.before.is_there && self.has_value_of_others();
            return broken(is_lost, format!("it is there: {}", self.after.is_there));
        }
        if !being.is_there {
            return Ok(());
        }
        let mut remaining = Vec::new();
        for field in FIELDS {
            let writes = &self.before.writes[field];
            let left = left_in_effect(writes, &being.going, 0);
            let value = value_left(writes, left);
            if value.as_ref() != self.after.values.get(field) {
                let stays = self.before.values.get(field) == self.after.values.get(field);
                let is_left = selects_undo && stays && self.is_conflict(field);
                let is_last_of_others =
                    matches!(writes.last(), Some(write) if write.writer == Writer::Others);
                if is_left || !is_last_of_others && self.undoes_undo(field, |_| true) {
                    continue;
                }
                let is_lost = left > 0 && writes[left - 1].writer == Writer::Others;
                return broken(is_lost, format!("{field} is not {value:?}"));
            }
            remaining.extend(newest_remaining(&writes[..left], &being.going).map(|c| (field, c)));
        }
        for change in self.selected.difference(&being.going) {
            let is_not_kept =
                matches!(self.history[*change].transition, Transition::NotKept { .. });
            let is_blocked = being.blocked.contains(change) && !selects_undo;
            if self.is_of(*change) && (is_not_kept || is_blocked) && !self.has_obstacle(*change) {
                return broken(false, format!("c{change} is not undone and not named"));
            }
        }
        for (field, change) in remaining {
            if !self.is_conflict(field) && !self.has_obstacle(change) {
                return broken(false, format!("the conflict of {field} is not named"));
            }
        }
        Ok(())
    }

    /// Whether one of the selected changes is an undo that left such a value in a field.
    fn undoes_undo(&self, field: &str, is_such: impl Fn(Option<&Value>) -> bool) -> bool {
        let mut undos = self.selected.intersection(self.undos);
        undos.any(|undo| match &self.history[*undo].transition {
            Transition::Changed { before, after } => {
                let (found, left) = (before.fields.get(field), after.fields.get(field));
                self.is_of(*undo) && found != left && is_such(left)
            }
            Transition::Made { after, .. } => self.is_of(*undo) && is_such(after.fields.get(field)),
            _ => false,
        })
    }

    /// Values come again: nothing is overwritten that is not what one of the selected changes
    /// wrote, and where there is a version, it is told that something happened.
    fn no_value_is_lost_by_value(&self) -> Result<(), Broken> {
        let was_deleted_by_others = self.before.writes[BEING]
            .last()
            .is_some_and(|write| write.writer == Writer::Others);
        if was_deleted_by_others && self.after.is_there {
            return broken(true, "others deleted it".to_owned());
        }
        if !self.before.is_there {
            return Ok(());
        }
        for field in FIELDS {
            let (was, is) = (self.before.values.get(field), self.after.values.get(field));
            let stays = self.after.is_there && was == is;
            let writes = &self.before.writes[field];
            let left = left_in_effect(writes, &BTreeSet::new(), 0);
            let is_of_others = left > 0 && writes[left - 1].writer == Writer::Others;
            // an undo of ours that gave it back is ours to be undone
            let goes = matches!(writes.last(), Some(Write { writer: Writer::Ours(change), .. })
                if self.selected.contains(change));
            // what was there before we made it again is kept where it was deleted
            let was_there_before = !self.after.is_there
                && left > 0
                && self
                    .made_at()
                    .is_some_and(|made_at| writes[left - 1].time < made_at);
            let is_told = self.undoes_undo(field, |left| left == was);
            if stays || !is_of_others || goes || was_there_before || is_told {
                continue;
            }
            let is_ours = |change: &&usize| match &self.history[**change].transition {
                Transition::Changed { after, .. } | Transition::Made { after, .. } => {
                    self.is_of(**change) && after.fields.get(field) == was
                }
                _ => false,
            };
            if !self.selected.iter().any(|change| is_ours(&change)) {
                return broken(true, format!("{field} was given {was:?} by others"));
            }
            let is_told = self.planned.fields.iter().any(|planned| {
                let told = matches!(
                    planned.verdict,
                    FieldVerdict::Set {
                        changed_since: true,
                        ..
                    }
                );
                planned.field == field && told
            });
            if self.before.version.is_some() && !is_told {
                return broken(true, format!("{field} was given {was:?} by others, untold"));
            }
        }
        Ok(())
    }

    /// Whatever is named has the values that it names, and what is not named stays.
    fn what_is_named_is_so(&self) -> Result<(), Broken> {
        let planned = self.planned;
        for field in &planned.fields {
            let is = self.after.value(&field.field);
            let same = |one: Option<&Value>, other: Option<&Value>| {
                equality().is_same(&field.field, one, other)
            };
            match &field.verdict {
                FieldVerdict::Conflict { before, ours, now } => {
                    let name = field.change.as_deref().unwrap_or_default();
                    let past = self
                        .history
                        .iter()
                        .find(|past| past.change == name)
                        .unwrap();
                    let (was, became) = match &past.transition {
                        Transition::Changed { before, after } => (
                            before.fields.get(&field.field),
                            after.fields.get(&field.field),
                        ),
                        Transition::Made { after, .. } => (None, after.fields.get(&field.field)),
                        _ => return broken(false, format!("{name} is no change of a field")),
                    };
                    let named = same(before.as_ref(), was) && same(ours.as_ref(), became);
                    if !named || !same(now.as_ref(), is.as_ref()) {
                        return broken(false, format!("{field:?} has other values"));
                    }
                }
                FieldVerdict::Set { value, now, .. } => {
                    let was = self.before.value(&field.field);
                    let is_seen = !self.before.is_there || same(now.as_ref(), was.as_ref());
                    if !same(value.as_ref(), is.as_ref()) || !is_seen {
                        return broken(false, format!("{field:?} is not so"));
                    }
                }
                FieldVerdict::Already { .. } => {
                    if !same(is.as_ref(), self.before.value(&field.field).as_ref()) {
                        return broken(false, format!("{field:?} was not so"));
                    }
                }
                FieldVerdict::Gone if !self.before.is_there || !self.after.is_there => {}
                FieldVerdict::Gone | FieldVerdict::Cannot { .. } => {
                    return broken(false, format!("{field:?} is not so"));
                }
            }
        }
        let values = planned.values();
        let others = FIELDS.iter().filter(|field| !values.contains_key(**field));
        let stay = |field: &str| self.before.values.get(field) == self.after.values.get(field);
        let has_other_set = !values.contains_key(SET) && self.before.set != self.after.set;
        let all_stay = others.into_iter().all(|field| stay(field)) && !has_other_set;
        if planned.act == RecordAct::Change && !all_stay {
            return broken(false, "something else was changed".to_owned());
        }
        Ok(())
    }

    /// When the record came to be as the one that it is.
    fn made_at(&self) -> Option<usize> {
        let mut beings = self.before.writes[BEING].iter().rev();
        beings
            .find(|write| write.after.is_some())
            .map(|write| write.time)
    }

    fn has_value_of_others(&self) -> bool {
        FIELDS.iter().any(|field| {
            let writes = &self.before.writes[field];
            let left = left_in_effect(writes, &BTreeSet::new(), 0);
            left > 0 && writes[left - 1].writer == Writer::Others
        })
    }

    fn is_conflict(&self, field: &str) -> bool {
        let mut fields = self.planned.fields.iter();
        fields.any(|planned| planned.field == field && planned.is_conflict())
    }

    /// Whether a change is one of this record.
    fn is_of(&self, change: usize) -> bool {
        self.planned.changes.contains(&self.history[change].change)
    }

    fn has_obstacle(&self, change: usize) -> bool {
        let name = &self.history[change].change;
        self.planned
            .obstacles
            .iter()
            .any(|obstacle| obstacle.change == *name)
    }
}

/// The newest of the selected writes that stand under one that stays.
fn newest_remaining(writes: &[Write], going: &BTreeSet<usize>) -> Option<usize> {
    let mut left = writes.len();
    while let Some(write) = left.checked_sub(1).map(|top| &writes[top]) {
        match write.writer {
            Writer::Ours(change) if going.contains(&change) => return Some(change),
            _ => left -= 1 + write.cancels,
        }
    }
    None
}

fn broken(is_lost: bool, what: String) -> Result<(), Broken> {
    Err(if is_lost {
        Broken::ValueLost(what)
    } else {
        Broken::Otherwise(what)
    })
}
