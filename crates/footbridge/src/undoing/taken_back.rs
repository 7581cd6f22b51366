//! Calls that are taken back whole, by steps or by another tool: which of them may be, beside the
//! records that are put back field by field.

use std::collections::BTreeSet;

use footbridge_connector::{
    ChangePlan, CurrentRecords, FieldEquality, FieldVerdict, Image, Obstacle, PastChange,
    PlannedField, PlannedRecord, RecordAct, RecordNow, Transition, plan_undo,
};
use footbridge_store::ChangeId;

use super::plan::UndoStep;

/// What became of the calls of a plan.
pub(super) struct SettledCalls {
    /// The plan of the records, without what calls take back themselves.
    pub(super) records: ChangePlan,
    /// The calls that are taken back.
    pub(super) calls: Vec<UndoStep>,
    /// Fields for whose sake a call is left, each with its record.
    pub(super) conflicts: Vec<(PlannedRecord, PlannedField)>,
    /// Changes that are left, and why.
    pub(super) left: Vec<(ChangeId, String)>,
}

/// Plans the records, and with them the calls: a call is left when somebody changed since what it
/// changed, and is superfluous when all is as before it already.
pub(super) fn settle(
    past: &mut [PastChange],
    current: &mut CurrentRecords,
    calls: Vec<UndoStep>,
) -> SettledCalls {
    let mut settled = SettledCalls {
        records: plan_undo(past, current),
        calls,
        conflicts: Vec::new(),
        left: Vec::new(),
    };
    if settled.calls.is_empty() {
        return settled;
    }
    settled
        .calls
        .sort_by_key(|call| std::cmp::Reverse(call.newest()));
    // what only calls touched, their steps can put back
    for planned in &settled.records.records {
        let is_of_calls = planned.changes.iter().all(|id| is_call(&settled.calls, id));
        if let Some(current) = current.get_mut(&planned.record).filter(|_| is_of_calls) {
            (current.traits.can_change, current.traits.can_make) = (true, true);
        }
    }
    settled.records = plan_undo(past, current);
    // a call that stays is history for those before it
    while let Some((place, held)) = settled.first_held(past, current) {
        let call = settled.calls.remove(place);
        let Some(id) = call.newest() else { continue };
        let name = id.to_string();
        for one in past.iter_mut().filter(|one| one.change == name) {
            one.is_selected = false;
        }
        settled.left.push((id, held.why));
        settled.conflicts.extend(held.conflicts);
        settled.records = plan_undo(past, current);
    }
    settled.drop_superfluous(past);
    settled.strip(past);
    settled
}

/// Why a call is left.
struct HeldCall {
    why: String,
    conflicts: Vec<(PlannedRecord, PlannedField)>,
}

impl SettledCalls {
    fn first_held(
        &self,
        past: &[PastChange],
        current: &CurrentRecords,
    ) -> Option<(usize, HeldCall)> {
        let mut calls = self.calls.iter().enumerate();
        calls.find_map(|(place, call)| Some((place, self.held(call, past, current)?)))
    }

    fn held(
        &self,
        call: &UndoStep,
        past: &[PastChange],
        current: &CurrentRecords,
    ) -> Option<HeldCall> {
        let id = call.newest()?;
        let name = id.to_string();
        let mut conflicts = Vec::new();
        for planned in self.planned_of(&name) {
            let obstacles = planned.obstacles.iter();
            let mut own_obstacles = obstacles.filter(|obstacle| obstacle.change == name);
            if let Some(obstacle) = own_obstacles.find(|one| one.why != Obstacle::NoDifference) {
                return Some(HeldCall {
                    why: obstacle.why.to_string(),
                    conflicts: Vec::new(),
                });
            }
            let is_gone = |field: &PlannedField| {
                field.verdict == FieldVerdict::Gone && field.change.as_deref() == Some(&name)
            };
            if planned.fields.iter().any(is_gone) {
                return Some(HeldCall {
                    why: format!("{} is gone", planned.record),
                    conflicts: Vec::new(),
                });
            }
            for one in past.iter().filter(|one| one.change == name) {
                let differing = differing(&one.transition);
                if one.record.kind != planned.record.kind {
                    continue;
                }
                let met = planned.fields.iter().filter(|field| {
                    let by = field.change.as_deref().and_then(ChangeId::parse);
                    matches!(field.verdict, FieldVerdict::Conflict { .. })
                        && by.is_some_and(|by| by >= id)
                        && differing.contains(field.field.as_str())
                });
                conflicts.extend(met.map(|field| (bare(planned), field.clone())));
                if differing.is_empty() && has_moved(&one.transition, planned, current) {
                    return Some(HeldCall {
                        why: format!(
                            "{} was changed since, and what this call did shows in none of its fields",
                            planned.record
                        ),
                        conflicts: Vec::new(),
                    });
                }
            }
        }
        let fields: Vec<&str> = conflicts
            .iter()
            .map(|(_, field)| field.field.as_str())
            .collect();
        let fields = fields.join(", ");
        (!fields.is_empty()).then(|| HeldCall {
            why: format!(
                "it is taken back whole or not at all, and somebody changed {fields} since"
            ),
            conflicts,
        })
    }

    fn planned_of<'s>(&'s self, change: &str) -> impl Iterator<Item = &'s PlannedRecord> {
        let planned = self.records.records.iter();
        let change = change.to_owned();
        planned.filter(move |planned| planned.changes.contains(&change))
    }

    /// Leaves out the calls before which all is as it is now.
    fn drop_superfluous(&mut self, past: &[PastChange]) {
        let calls = std::mem::take(&mut self.calls);
        let (needed, superfluous): (Vec<_>, Vec<_>) = calls
            .into_iter()
            .partition(|call| call.newest().is_none_or(|id| self.is_needed(id, past)));
        self.calls = needed;
        let named = superfluous.iter().filter_map(UndoStep::newest);
        let left = named.map(|id| (id, "all is as it was before it already".to_owned()));
        self.left.extend(left);
    }

    fn is_needed(&self, id: ChangeId, past: &[PastChange]) -> bool {
        let name = id.to_string();
        let own_records: Vec<&PastChange> = past.iter().filter(|one| one.change == name).collect();
        let planned: Vec<&PlannedRecord> = self.planned_of(&name).collect();
        own_records.is_empty()
            || planned.iter().any(|planned| {
                let of_kind = || {
                    own_records
                        .iter()
                        .filter(|one| one.record.kind == planned.record.kind)
                };
                of_kind().any(|one| match &one.transition {
                    Transition::Deleted { .. } => {
                        planned.act == RecordAct::Make && decisive(planned, past) == Some(id)
                    }
                    transition => {
                        let differing = differing(transition);
                        let is_set = |field: &PlannedField| {
                            differing.contains(field.field.as_str())
                                && !matches!(field.verdict, FieldVerdict::Already { .. })
                        };
                        differing.is_empty() || planned.fields.iter().any(is_set)
                    }
                })
            })
    }

    /// Takes out of the records' plan what calls do themselves. What was done to a record before a
    /// call deleted it waits until that is taken back: it comes back under another id.
    fn strip(&mut self, past: &[PastChange]) {
        let Self {
            records,
            calls,
            left,
            ..
        } = self;
        for planned in &mut records.records {
            planned
                .obstacles
                .retain(|obstacle| !is_call(calls, &obstacle.change));
            let maker = match planned.act {
                RecordAct::Make => decisive(planned, past),
                RecordAct::Nothing | RecordAct::Change | RecordAct::Delete => None,
            };
            if let Some(maker) = maker.filter(|maker| is_call(calls, &maker.to_string())) {
                let older = planned.changes.iter().filter_map(|id| ChangeId::parse(id));
                left.extend(older.filter(|id| *id < maker).map(|id| {
                    let why = format!(
                        "{} comes back under another id by taking back change {maker}: undo this one after that",
                        planned.record
                    );
                    (id, why)
                }));
                planned.act = RecordAct::Nothing;
                planned.fields.clear();
                planned.lost = None;
            }
            let is_own = |field: &PlannedField| {
                !field.change.as_deref().is_some_and(|id| is_call(calls, id))
            };
            planned.fields.retain(is_own);
            let sets = |field: &PlannedField| matches!(field.verdict, FieldVerdict::Set { .. });
            if planned.act == RecordAct::Change && !planned.fields.iter().any(sets) {
                planned.act = RecordAct::Nothing;
            }
        }
    }
}

fn is_call(calls: &[UndoStep], change: &str) -> bool {
    let id = ChangeId::parse(change);
    calls.iter().any(|call| call.newest() == id)
}

/// The newest selected change that deleted it.
fn decisive(planned: &PlannedRecord, past: &[PastChange]) -> Option<ChangeId> {
    let kind = &planned.record.kind;
    let deleted = past.iter().filter(|one| {
        matches!(one.transition, Transition::Deleted { .. })
            && one.record.kind == *kind
            && planned.changes.contains(&one.change)
    });
    deleted.filter_map(|one| ChangeId::parse(&one.change)).max()
}

/// The fields that a change gave another value.
fn differing(transition: &Transition) -> BTreeSet<&str> {
    let Transition::Changed { before, after } = transition else {
        return BTreeSet::new();
    };
    let names = before.fields.keys().chain(after.fields.keys());
    let equality = FieldEquality::default();
    let differs = |name: &&String| {
        let (before, after) = (before.fields.get(*name), after.fields.get(*name));
        !equality.is_same(name, before, after)
    };
    names.filter(differs).map(String::as_str).collect()
}

/// A record is not as a change left it that shows in none of its fields.
fn has_moved(transition: &Transition, planned: &PlannedRecord, current: &CurrentRecords) -> bool {
    let Transition::Changed { after, .. } = transition else {
        return false;
    };
    match current.get(&planned.record).map(|current| &current.now) {
        Some(RecordNow::Found { image, .. }) => !is_same_image(after, image),
        Some(RecordNow::Gone | RecordNow::Unread { .. }) | None => true,
    }
}

fn is_same_image(one: &Image, other: &Image) -> bool {
    let mut names = one.fields.keys().chain(other.fields.keys());
    let equality = FieldEquality::default();
    names.all(|name| equality.is_same(name, one.fields.get(name), other.fields.get(name)))
}

/// The record of a conflict, by its name alone.
fn bare(planned: &PlannedRecord) -> PlannedRecord {
    PlannedRecord {
        fields: Vec::new(),
        obstacles: Vec::new(),
        changes: Vec::new(),
        ..planned.clone()
    }
}
