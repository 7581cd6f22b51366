//! Calls that are taken back by steps or by another tool, whole or not at all: not where people
//! changed since what they did.

use std::collections::BTreeMap;

use footbridge_connector::{ChangePlan, FieldVerdict, Obstacle, PlannedField, PlannedRecord};

/// What keeps calls from being taken back, by change.
pub(super) struct Obstructed {
    /// The sentence for each.
    pub(super) reasons: BTreeMap<String, String>,
    /// The fields that people changed since, with their records.
    pub(super) conflicts: Vec<(PlannedRecord, PlannedField)>,
}

/// Looks at a plan over all that is to be undone, these calls among it, as if their records were
/// put back field by field.
pub(super) fn obstructed(plan: &ChangePlan, calls: &[String]) -> Obstructed {
    let mut reasons = BTreeMap::new();
    let mut conflicts = Vec::new();
    for record in &plan.records {
        for field in &record.fields {
            let Some(change) = field
                .change
                .as_ref()
                .filter(|change| calls.contains(change))
            else {
                continue;
            };
            match &field.verdict {
                FieldVerdict::Conflict { .. } => {
                    let why = format!(
                        "{} of {} was changed since, and it is taken back whole or not at all",
                        field.field, record.record
                    );
                    reasons.entry(change.clone()).or_insert(why);
                    conflicts.push((record.clone(), field.clone()));
                }
                FieldVerdict::Gone => {
                    let why = format!("{} is gone", record.record);
                    reasons.entry(change.clone()).or_insert(why);
                }
                FieldVerdict::Set { .. }
                | FieldVerdict::Already { .. }
                | FieldVerdict::Cannot { .. } => {}
            }
        }
        for obstacle in &record.obstacles {
            let obstructs = match &obstacle.why {
                Obstacle::NotKept(_)
                | Obstacle::Unread(_)
                | Obstacle::Gone
                | Obstacle::ChangedSince
                | Obstacle::FieldsDiffer
                | Obstacle::Attached(_) => true,
                // its own steps have ways that its record has not
                Obstacle::NoDifference
                | Obstacle::NoWayToChange
                | Obstacle::NoWayToMake
                | Obstacle::NoWayToDelete
                | Obstacle::TooLong => false,
            };
            if obstructs && calls.contains(&obstacle.change) {
                let why = format!("of {}: {}", record.record, obstacle.why);
                reasons.entry(obstacle.change.clone()).or_insert(why);
            }
        }
    }
    Obstructed { reasons, conflicts }
}
