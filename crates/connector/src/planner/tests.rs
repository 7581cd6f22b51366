//! The planner held to its table of truth and to random histories.

mod hanging;
mod histories;
mod kept;
mod oracle;
mod sets;
mod truth;
mod uses;
mod world;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    CurrentRecord, FieldVerdict, Image, PastChange, PlannedRecord, RecordNow, RecordRef,
    RecordTraits, Transition, plan_undo,
};

fn story() -> RecordRef {
    RecordRef::new("taiga", "story", "7")
}

/// An image of the members of a map; `version` among them is its version.
fn image(fields: Value) -> Image {
    let Value::Object(mut fields) = fields else {
        panic!("fields are a map");
    };
    let version = fields.remove("version");
    Image::new(fields, version)
}

fn changed(change: &str, before: Value, after: Value) -> PastChange {
    let (before, after) = (image(before), image(after));
    past(change, Transition::Changed { before, after })
}

fn made(change: &str, after: Value) -> PastChange {
    let (after, instead_of) = (image(after), None);
    past(change, Transition::Made { after, instead_of })
}

fn deleted(change: &str, before: Value) -> PastChange {
    past(
        change,
        Transition::Deleted {
            before: image(before),
        },
    )
}

fn past(change: &str, transition: Transition) -> PastChange {
    PastChange {
        change: change.to_owned(),
        record: story(),
        transition,
        is_selected: true,
    }
}

fn unselected(past: PastChange) -> PastChange {
    PastChange {
        is_selected: false,
        ..past
    }
}

fn found(fields: Value) -> RecordNow {
    RecordNow::Found {
        image: image(fields),
        attached: Vec::new(),
    }
}

fn current(now: RecordNow) -> BTreeMap<RecordRef, CurrentRecord> {
    current_with(now, RecordTraits::default())
}

fn current_with(now: RecordNow, traits: RecordTraits) -> BTreeMap<RecordRef, CurrentRecord> {
    let name = Some("#7 Sign in".to_owned());
    [(story(), CurrentRecord { now, name, traits })].into()
}

/// The plan of a history over one record.
fn undone(history: &[PastChange], now: RecordNow) -> PlannedRecord {
    let plan = plan_undo(history, &current(now));
    assert_eq!(plan.records.len(), 1);
    plan.records.into_iter().next().unwrap()
}

/// What a plan says of each field, in a line.
fn lines(plan: &PlannedRecord) -> Vec<String> {
    let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
    let since = |changed_since: &bool| {
        if *changed_since {
            ", changed since"
        } else {
            ""
        }
    };
    let line = |verdict: &FieldVerdict| match verdict {
        FieldVerdict::Set {
            value,
            now,
            changed_since,
        } => {
            format!(
                "{} over {}{}",
                shown(value),
                shown(now),
                since(changed_since)
            )
        }
        FieldVerdict::Already { changed_since } => format!("already{}", since(changed_since)),
        FieldVerdict::Conflict { before, ours, now } => {
            format!("conflict {} {} {}", shown(before), shown(ours), shown(now))
        }
        FieldVerdict::Gone => "gone".to_owned(),
        FieldVerdict::Cannot { why } => format!("cannot: {why:?}"),
    };
    let fields = plan.fields.iter();
    fields
        .map(|planned| format!("{}: {}", planned.field, line(&planned.verdict)))
        .collect()
}
