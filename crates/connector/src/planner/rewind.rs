//! One record's changes gone through from the newest to the oldest, over the record as it is now:
//! every step is undone in memory as far as it may be, and the plan is what differs at the end.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::change::{RecordRef, Transition};
use super::current::{CurrentRecord, RecordNow, RecordTraits};
use super::equality::FieldEquality;
use super::image::{FieldTrace, Image, fields_of_both};
use super::plan::{
    FieldVerdict, Obstacle, PlannedField, PlannedObstacle, PlannedRecord, RecordAct,
};
use super::sets::{self, MergedSets};
use super::three_way::{ThreeWay, three_way};

/// Whether changes are undone or done. A change is done by undoing what leads back from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Back,
    Forth,
}

/// A change to be gone through.
#[derive(Debug)]
pub(super) struct RewindStep<'a> {
    pub(super) change: &'a str,
    /// Where it stands in what was given.
    pub(super) place: usize,
    pub(super) transition: Cow<'a, Transition>,
    pub(super) is_selected: bool,
}

/// What is known of a field that was set or already is so.
#[derive(Debug, Clone, Copy)]
struct Touched<'a> {
    change: &'a str,
    changed_since: bool,
}

struct Rewind<'a> {
    direction: Direction,
    traits: &'a RecordTraits,
    /// Sets that were made of others while going through.
    sets: &'a MergedSets,
    now: Option<&'a Image>,
    attached: Option<&'a str>,
    /// The record as it would be, as far as the changes have been gone through; none when it is
    /// gone.
    record: Option<BTreeMap<&'a str, FieldTrace<'a>>>,
    /// Others deleted it, or a change of ours that stays: undoing an older one does not bring it
    /// back.
    stays_deleted: bool,
    touched: BTreeMap<&'a str, Touched<'a>>,
    /// Fields that met a conflict.
    closed: BTreeSet<&'a str>,
    fields: Vec<PlannedField>,
    obstacles: Vec<PlannedObstacle>,
    is_already: bool,
    /// The version that the next older change must have left, unless something else happened.
    expected_version: Option<&'a Value>,
    /// Something else happened.
    changed_since: bool,
    /// The change whose undoing makes or deletes the record, and its place.
    decisive: Option<(&'a str, usize)>,
}

/// Plans one record. The steps come in the order in which they are to be undone. The place beside
/// the plan is that of the change which decides when the record's turn is.
pub(super) fn rewind(
    record: &RecordRef,
    steps: &[RewindStep<'_>],
    current: Option<&CurrentRecord>,
    direction: Direction,
    attached: Option<&str>,
) -> (PlannedRecord, usize) {
    let selected = || steps.iter().filter(|step| step.is_selected);
    let mut plan = PlannedRecord {
        record: record.clone(),
        name: current.and_then(|current| current.name.clone()),
        changes: selected().map(|step| step.change.to_owned()).collect(),
        act: RecordAct::Nothing,
        version: None,
        is_already: false,
        fields: Vec::new(),
        obstacles: Vec::new(),
        lost: None,
    };
    let first_place = selected().next().map_or(0, |step| step.place);
    let unread = match current.map(|current| &current.now) {
        Some(RecordNow::Found { .. } | RecordNow::Gone) => None,
        Some(RecordNow::Unread { why }) => Some(why.clone()),
        None => Some("it was not looked for".to_owned()),
    };
    let (None, Some(current)) = (&unread, current) else {
        let why = Obstacle::Unread(unread.unwrap_or_default());
        plan.obstacles = selected()
            .map(|step| PlannedObstacle {
                change: step.change.to_owned(),
                why: why.clone(),
            })
            .collect();
        return (plan, first_place);
    };
    let sets = MergedSets::default();
    let mut rewind = Rewind::new(current, steps, direction, &sets, attached);
    for (index, step) in steps.iter().enumerate() {
        rewind.step(step, steps.get(index + 1..).unwrap_or_default());
    }
    let place = rewind.decisive.map_or(first_place, |(_, place)| place);
    rewind.finish(&mut plan);
    (plan, place)
}

impl<'a> Rewind<'a> {
    fn new(
        current: &'a CurrentRecord,
        steps: &'a [RewindStep<'a>],
        direction: Direction,
        sets: &'a MergedSets,
        attached: Option<&'a str>,
    ) -> Self {
        let now = match &current.now {
            RecordNow::Found { image, .. } => Some(image),
            RecordNow::Gone | RecordNow::Unread { .. } => None,
        };
        let newest_known = steps
            .iter()
            .map(|step| step.transition.as_ref())
            .find(|transition| !matches!(transition, Transition::NotKept { .. }));
        let was_left_there = matches!(
            newest_known,
            Some(Transition::Changed { .. } | Transition::Made { .. })
        );
        Self {
            direction,
            traits: &current.traits,
            sets,
            now,
            attached,
            record: now.map(|image| image.values().collect()),
            stays_deleted: now.is_none() && was_left_there,
            touched: BTreeMap::new(),
            closed: BTreeSet::new(),
            fields: Vec::new(),
            obstacles: Vec::new(),
            is_already: false,
            expected_version: now.and_then(|image| image.version.as_ref()),
            changed_since: false,
            decisive: None,
        }
    }

    fn equality(&self) -> &'a FieldEquality {
        &self.traits.equality
    }

    fn step(&mut self, step: &'a RewindStep<'a>, older: &'a [RewindStep<'a>]) {
        self.follow_version(&step.transition);
        if !step.is_selected {
            // newer changes were undone as far as to where this one had deleted it
            let deletes = matches!(step.transition.as_ref(), Transition::Deleted { .. });
            self.stays_deleted |= deletes && self.now.is_some() && self.record.is_none();
            return;
        }
        match step.transition.as_ref() {
            Transition::Changed { before, after } => self.undo_changed(step, older, before, after),
            Transition::Made { after, .. } => self.undo_made(step, after),
            Transition::Deleted { before } => self.undo_deleted(step, before),
            Transition::NotKept { why } => self.cannot(step, Obstacle::NotKept(why.clone())),
        }
    }

    /// Whether the versions tell of something that happened between this change and the next newer
    /// one that is known.
    fn follow_version(&mut self, transition: &'a Transition) {
        let (left, found) = match transition {
            Transition::Changed { before, after } => (Some(after), Some(before)),
            Transition::Made { after, .. } => (Some(after), None),
            Transition::Deleted { before } => (None, Some(before)),
            // whatever happened then happened after the next older one
            Transition::NotKept { .. } => return,
        };
        let left = left.and_then(|image| image.version.as_ref());
        if let (Some(left), Some(expected)) = (left, self.expected_version) {
            let same = FieldEquality::default().is_same("version", Some(left), Some(expected));
            self.changed_since |= !same;
        }
        self.expected_version = found.and_then(|image| image.version.as_ref());
    }

    fn undo_changed(
        &mut self,
        step: &'a RewindStep<'a>,
        older: &'a [RewindStep<'a>],
        before: &'a Image,
        after: &'a Image,
    ) {
        let mut has_difference = false;
        for field in fields_of_both(before, after) {
            let (target, expected) = (before.get(field), after.get(field));
            if self.equality().is_kept_same(field, target, expected) {
                continue;
            }
            has_difference = true;
            if self.closed.contains(field) {
                continue;
            }
            let Some(record) = &mut self.record else {
                self.closed.insert(field);
                self.field(step, field, FieldVerdict::Gone);
                continue;
            };
            let now = record.get(field).copied();
            let equality = &self.traits.equality;
            let found = three_way(equality, field, target, expected, now);
            let set = match (found, self.direction) {
                (ThreeWay::Conflict, Direction::Back) => {
                    sets::merged(equality, field, target, expected, now)
                }
                _ => None,
            };
            match found {
                ThreeWay::NotOurs => {}
                _ if let Some(set) = set => {
                    if !sets::is_as(equality, field, &set, now) {
                        record.insert(field, FieldTrace::Whole(self.sets.keep(set)));
                    }
                    self.touch(step, field);
                }
                ThreeWay::Untouched => {
                    match target {
                        Some(value) => record.insert(field, value),
                        None => record.remove(field),
                    };
                    self.touch(step, field);
                }
                ThreeWay::Already => self.touch(step, field),
                ThreeWay::Conflict
                    if is_further_back(self.equality(), older, field, target, now) =>
                {
                    self.touch(step, field);
                }
                ThreeWay::Conflict => self.conflict(step, field, target, expected, now),
            }
        }
        let is_same_version = before.version.is_some() && before.version == after.version;
        if !has_difference && !is_same_version && self.direction == Direction::Back {
            self.cannot(step, Obstacle::NoDifference);
        }
    }

    fn undo_made(&mut self, step: &'a RewindStep<'a>, after: &'a Image) {
        let Some(record) = &self.record else {
            self.is_already = true;
            // with the record its fields need not be put back
            self.fields
                .retain(|planned| planned.verdict != FieldVerdict::Gone);
            return;
        };
        let fields: BTreeSet<&'a str> = after
            .values()
            .map(|(field, _)| field)
            .chain(record.keys().copied())
            .collect();
        let differs = |field: &&'a str| {
            let (expected, now) = (after.get(field), record.get(*field).copied());
            !self.equality().is_kept_same(field, now, expected)
        };
        let different: Vec<(&'a str, Option<FieldTrace<'a>>)> = fields
            .into_iter()
            .filter(|field| differs(field) && !self.closed.contains(field))
            .map(|field| (field, record.get(field).copied()))
            .collect();
        for (field, now) in &different {
            self.conflict(step, field, None, after.get(field), *now);
        }
        let obstacle = if !self.closed.is_empty() {
            Some(Obstacle::FieldsDiffer)
        } else if self.now.is_none() {
            None
        } else if self.changed_since {
            Some(Obstacle::ChangedSince)
        } else if let Some(attached) = self.attached {
            Some(Obstacle::Attached(attached.to_owned()))
        } else {
            (!self.traits.can_delete).then_some(Obstacle::NoWayToDelete)
        };
        if let Some(obstacle) = obstacle {
            return self.cannot(step, obstacle);
        }
        self.record = None;
        self.touched.clear();
        self.decisive = Some((step.change, step.place));
    }

    fn undo_deleted(&mut self, step: &'a RewindStep<'a>, before: &'a Image) {
        if self.record.is_some() {
            self.is_already = true;
            return;
        }
        if self.stays_deleted {
            return self.cannot(step, Obstacle::Gone);
        }
        self.record = Some(before.values().collect());
        self.closed.clear();
        self.decisive = Some((step.change, step.place));
    }

    /// What differs between the record as it is and as it would be.
    fn finish(mut self, plan: &mut PlannedRecord) {
        let record = self.record.take();
        plan.version = self.now.and_then(|image| image.version.clone());
        match (self.now, &record) {
            (None, None) => {}
            (Some(_), None) => plan.act = RecordAct::Delete,
            (None, Some(_)) if !self.traits.can_make => {
                if let Some((change, _)) = self.decisive {
                    self.obstacles.push(PlannedObstacle {
                        change: change.to_owned(),
                        why: Obstacle::NoWayToMake,
                    });
                }
            }
            (now, Some(record)) => {
                self.set_fields(now, record);
                plan.lost = self.traits.lost.clone().filter(|_| now.is_none());
                let sets =
                    |planned: &PlannedField| matches!(planned.verdict, FieldVerdict::Set { .. });
                plan.act = match now {
                    None => RecordAct::Make,
                    Some(_) if self.fields.iter().any(sets) => RecordAct::Change,
                    Some(_) => RecordAct::Nothing,
                };
            }
        }
        self.fields
            .sort_by(|one, other| one.field.cmp(&other.field));
        plan.is_already = self.is_already;
        plan.fields = self.fields;
        plan.obstacles = self.obstacles;
    }

    fn set_fields(&mut self, now: Option<&'a Image>, record: &BTreeMap<&'a str, FieldTrace<'a>>) {
        let mut fields: BTreeSet<&'a str> =
            record.keys().chain(self.touched.keys()).copied().collect();
        // of a record that was undone to nothing and back, every field counts
        if let (Some(_), Some(now)) = (self.decisive, now) {
            fields.extend(now.values().map(|(field, _)| field));
        }
        for field in fields {
            let touched = self.touched.get(field).copied();
            let changed_since = touched.is_some_and(|touched| touched.changed_since);
            let (target, found) = (
                record.get(field).copied(),
                now.and_then(|now| now.get(field)),
            );
            let is_same = self.equality().is_kept_same(field, target, found);
            let verdict = match target {
                _ if is_same && (touched.is_none() || now.is_none()) => continue,
                _ if is_same && self.closed.contains(field) => continue,
                _ if is_same => FieldVerdict::Already { changed_since },
                Some(FieldTrace::Digest(_)) => FieldVerdict::Cannot {
                    why: Obstacle::TooLong,
                },
                _ if self.now.is_some() && !self.traits.can_change => FieldVerdict::Cannot {
                    why: Obstacle::NoWayToChange,
                },
                target => FieldVerdict::Set {
                    value: target.map(FieldTrace::shown),
                    now: found.map(FieldTrace::shown),
                    changed_since,
                },
            };
            let change = touched.map(|touched| touched.change);
            self.fields.push(PlannedField {
                field: field.to_owned(),
                change: change
                    .or(self.decisive.map(|(change, _)| change))
                    .map(str::to_owned),
                verdict,
            });
        }
    }

    fn touch(&mut self, step: &RewindStep<'a>, field: &'a str) {
        let newer = self
            .touched
            .get(field)
            .is_some_and(|newer| newer.changed_since);
        let touched = Touched {
            change: step.change,
            changed_since: newer || self.changed_since,
        };
        self.touched.insert(field, touched);
    }

    fn conflict(
        &mut self,
        step: &RewindStep<'a>,
        field: &'a str,
        target: Option<FieldTrace<'a>>,
        expected: Option<FieldTrace<'a>>,
        now: Option<FieldTrace<'a>>,
    ) {
        let (before, ours) = match self.direction {
            Direction::Back => (target, expected),
            Direction::Forth => (expected, target),
        };
        self.closed.insert(field);
        let verdict = FieldVerdict::Conflict {
            before: before.map(FieldTrace::shown),
            ours: ours.map(FieldTrace::shown),
            now: now.map(FieldTrace::shown),
        };
        self.field(step, field, verdict);
    }

    fn field(&mut self, step: &RewindStep<'a>, field: &str, verdict: FieldVerdict) {
        self.fields.push(PlannedField {
            field: field.to_owned(),
            change: Some(step.change.to_owned()),
            verdict,
        });
    }

    fn cannot(&mut self, step: &RewindStep<'a>, why: Obstacle) {
        self.obstacles.push(PlannedObstacle {
            change: step.change.to_owned(),
            why,
        });
    }
}

/// Whether older changes of ours, each over what the next older one left, lead from this value back
/// to what the field is now: it was undone before, together with them.
fn is_further_back<'a>(
    equality: &FieldEquality,
    older: &'a [RewindStep<'a>],
    field: &str,
    mut value: Option<FieldTrace<'a>>,
    now: Option<FieldTrace<'_>>,
) -> bool {
    let mut older = older.iter().map(|step| step.transition.as_ref());
    while let Some(transition) = older.next() {
        let (before, after) = match transition {
            Transition::Changed { before, after } => (before, after),
            Transition::NotKept { .. } => continue,
            // deleted and made anew in its place: one change of all its fields
            Transition::Made { after, instead_of } if instead_of.is_some() => match older.next() {
                Some(Transition::Deleted { before }) => (before, after),
                _ => return false,
            },
            Transition::Made { .. } | Transition::Deleted { .. } => return false,
        };
        let (before, after) = (before.get(field), after.get(field));
        if equality.is_kept_same(field, before, after) {
            continue;
        }
        if !equality.is_kept_same(field, after, value) {
            return false;
        }
        if equality.is_kept_same(field, before, now) {
            return true;
        }
        value = before;
    }
    false
}
