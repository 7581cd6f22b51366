//! What hangs on records that are to be deleted: what the same plan does not take away keeps them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::change::RecordRef;
use super::current::{Attached, CurrentRecords, RecordNow};
use super::plan::{FieldVerdict, PlannedRecord, RecordAct};

/// Things that are named of those that hang on a record.
const NAMED: usize = 3;

/// By record, what hangs on it and stays, in words.
#[derive(Debug, Default)]
pub(super) struct Hanging(BTreeMap<RecordRef, String>);

impl Hanging {
    /// What no plan takes away.
    pub(super) fn of(current: &CurrentRecords) -> Self {
        let mut hanging = Self::default();
        for (record, now) in current {
            let RecordNow::Found { attached, .. } = &now.now else {
                continue;
            };
            let others = attached.iter();
            let others: Vec<_> = others
                .filter(|one| matches!(one, Attached::Other(_)))
                .collect();
            hanging
                .0
                .extend(in_words(&others).map(|words| (record.clone(), words)));
        }
        hanging
    }

    pub(super) fn on(&self, record: &RecordRef) -> Option<&str> {
        self.0.get(record).map(String::as_str)
    }

    /// Takes up what stays on records that are to be deleted by this plan. False when there is none
    /// that was not known.
    pub(super) fn keep<'p>(
        &mut self,
        planned: impl Iterator<Item = &'p PlannedRecord> + Clone,
        current: &CurrentRecords,
    ) -> bool {
        let mut is_new = false;
        let deleted = planned
            .clone()
            .filter(|record| record.act == RecordAct::Delete);
        for whole in deleted {
            let Some(RecordNow::Found { attached, .. }) =
                current.get(&whole.record).map(|current| &current.now)
            else {
                continue;
            };
            let staying: Vec<&Attached> = attached
                .iter()
                .filter(|one| match one {
                    Attached::Record(record) => !planned
                        .clone()
                        .any(|other| other.record == *record && leaves(other, &whole.record)),
                    Attached::Other(_) => true,
                })
                .collect();
            if let Some(words) = in_words(&staying) {
                is_new |= self.0.insert(whole.record.clone(), words).is_none();
            }
        }
        is_new
    }
}

/// Whether a record no longer hangs on another when its plan was carried out: it is gone, or a
/// field that named the other one names something else.
fn leaves(planned: &PlannedRecord, whole: &RecordRef) -> bool {
    let names_it = |value: &Option<Value>| match value {
        Some(Value::String(id)) => *id == whole.id,
        Some(Value::Number(id)) => id.to_string() == whole.id,
        _ => false,
    };
    planned.act == RecordAct::Delete
        || planned.fields.iter().any(|field| match &field.verdict {
            FieldVerdict::Set { value, now, .. } => names_it(now) && !names_it(value),
            _ => false,
        })
}

/// The first few, and how many there are beside them.
fn in_words(attached: &[&Attached]) -> Option<String> {
    let named = attached.iter().take(NAMED).map(ToString::to_string);
    let mut named: Vec<String> = named.collect();
    match attached.len().checked_sub(NAMED) {
        None | Some(0) => {}
        Some(more) => named.push(format!("{more} more")),
    }
    let last = named.pop()?;
    Some(match named.is_empty() {
        true => last,
        false => format!("{} and {last}", named.join(", ")),
    })
}
