//! The other uses of three values: merging, proposing, reading back, and deciding a write whose
//! answer never came.

use serde_json::{Value, json};

use super::{changed, current, deleted, found, image, lines, made, past, undone};
use crate::planner::{
    FieldEquality, PastChange, PlannedRecord, RecordAct, RecordNow, RecordRef, Transition,
    UnknownVerdict, decide_unknown, merge_write, plan_proposal, read_back,
};

#[test]
fn a_write_is_merged_over_what_others_changed() {
    let equality = FieldEquality::default().unordered("tags");
    let before = image(json!({"a": 1, "b": 1, "tags": ["x", "y"], "version": 1}));
    let now = image(json!({"a": 1, "b": 2, "tags": ["y", "x"], "other": 3, "version": 2}));
    let merged = |wanted: Value| {
        let Value::Object(wanted) = wanted else {
            panic!()
        };
        let wanted = wanted
            .into_iter()
            .map(|(field, value)| (field, Some(value)))
            .collect();
        let fields = merge_write(&before, &wanted, &now, &equality);
        lines(&PlannedRecord {
            fields,
            ..undone(&[made("c", json!({}))], RecordNow::Gone)
        })
    };
    assert_eq!(
        merged(json!({"a": 5, "tags": []})),
        [
            "a: 5 over 1, changed since",
            "tags: [] over [\"y\",\"x\"], changed since"
        ]
    );
    assert_eq!(merged(json!({"b": 2})), ["b: already, changed since"]);
    assert_eq!(merged(json!({"b": 3})), ["b: conflict 1 3 2"]);
    assert_eq!(
        merged(json!({"b": 1, "tags": ["y", "x"]})),
        Vec::<String>::new()
    );
}

#[test]
fn a_proposal_is_planned_over_now() {
    let before = image(json!({"a": 1, "b": 1, "version": 1}));
    let wanted = [("a".to_owned(), Some(json!(2)))].into();
    let after = before.with(&wanted);
    let proposed = [past(
        "p1",
        Transition::Changed {
            before: before.clone(),
            after,
        },
    )];
    let planned = |now| {
        let plan = plan_proposal(&proposed, &current(now));
        lines(&plan.records[0])
    };
    assert_eq!(
        planned(found(json!({"a": 1, "b": 9, "version": 2}))),
        ["a: 2 over 1, changed since"]
    );
    assert_eq!(
        planned(found(json!({"a": 2, "b": 1, "version": 2}))),
        ["a: already, changed since"]
    );
    assert_eq!(
        planned(found(json!({"a": 3, "b": 1}))),
        ["a: conflict 1 2 3"]
    );
    assert_eq!(planned(RecordNow::Gone), ["a: gone"]);

    let delete = [past("p1", Transition::Deleted { before })];
    let act = |now| plan_proposal(&delete, &current(now)).records[0].clone();
    assert_eq!(
        act(found(json!({"a": 1, "b": 1, "version": 1}))).act,
        RecordAct::Delete
    );
    let plan = act(found(json!({"a": 1, "b": 3, "version": 2})));
    assert_eq!(
        (plan.act, lines(&plan)),
        (RecordAct::Nothing, vec!["b: conflict 1 - 3".to_owned()])
    );
    assert!(act(RecordNow::Gone).is_already);

    let new = || PastChange {
        record: RecordRef::new("taiga", "story", ""),
        ..made("p1", json!({"a": 1}))
    };
    let plan = plan_proposal(&[new(), new()], &[].into());
    assert_eq!(plan.records.len(), 2);
    assert!(
        plan.records
            .iter()
            .all(|record| record.act == RecordAct::Make)
    );
    assert_eq!(plan.records[0].record.to_string(), "a new story");
}

#[test]
fn what_the_backend_ignored_is_told_from_what_it_made_of_it() {
    let before = image(json!({"a": 1, "b": 1, "c": 1, "d": 1}));
    let answered = image(json!({"a": 1, "b": 2, "c": 7, "d": 1}));
    let sent = [
        ("a".to_owned(), Some(json!(2))),
        ("b".to_owned(), Some(json!(2))),
        ("c".to_owned(), Some(json!(2))),
        ("d".to_owned(), None),
    ]
    .into();
    let not_taken = read_back(Some(&before), &sent, &answered, &FieldEquality::default());
    let told: Vec<_> = not_taken
        .iter()
        .map(|field| (field.field.as_str(), field.is_ignored))
        .collect();
    assert_eq!(told, [("a", true), ("c", false), ("d", true)]);
    assert_eq!(
        (&not_taken[1].sent, &not_taken[1].answered),
        (&Some(json!(2)), &Some(json!(7)))
    );
    assert!(!read_back(None, &sent, &answered, &FieldEquality::default())[0].is_ignored);
}

#[test]
fn a_write_without_an_answer_is_decided_by_now() {
    let decided = |past: &PastChange, now: RecordNow| {
        decide_unknown(&past.transition, &now, &FieldEquality::default())
    };
    let never = |changed_since| UnknownVerdict::NeverHappened { changed_since };
    let change = changed(
        "c",
        json!({"a": 1, "b": 1, "c": 1, "version": 1}),
        json!({"a": 2, "b": 2, "c": 1}),
    );
    let at = |a: u8, b: u8, version: u8| found(json!({"a": a, "b": b, "c": 9, "version": version}));
    assert_eq!(decided(&change, at(1, 1, 1)), never(false));
    assert_eq!(decided(&change, at(1, 1, 3)), never(true));
    assert_eq!(decided(&change, at(2, 2, 2)), UnknownVerdict::Done);
    for (a, b) in [(2, 1), (1, 3), (2, 3)] {
        let UnknownVerdict::Conflict { fields } = decided(&change, at(a, b, 2)) else {
            panic!("{a} {b}")
        };
        assert_eq!(fields.len(), 2);
        assert!(fields.iter().any(|field| field.is_conflict()));
    }
    assert_eq!(decided(&change, RecordNow::Gone), UnknownVerdict::Gone);
    let comment = changed("c", json!({"a": 1, "version": 1}), json!({"a": 1}));
    assert_eq!(
        decided(&comment, found(json!({"a": 1, "version": 1}))),
        never(false)
    );
    let unknown = decided(&comment, found(json!({"a": 1, "version": 2})));
    assert!(matches!(unknown, UnknownVerdict::CannotTell { .. }));

    let make = made("c", json!({"a": 1}));
    assert_eq!(decided(&make, RecordNow::Gone), never(false));
    assert_eq!(
        decided(&make, found(json!({"a": 1, "filled": 3}))),
        UnknownVerdict::Done
    );
    assert!(matches!(
        decided(&make, found(json!({"a": 2}))),
        UnknownVerdict::Conflict { .. }
    ));
    let delete = deleted("c", json!({"a": 1, "version": 1}));
    assert_eq!(decided(&delete, RecordNow::Gone), UnknownVerdict::Done);
    assert_eq!(
        decided(&delete, found(json!({"a": 1, "version": 1}))),
        never(false)
    );
    let unread = RecordNow::Unread {
        why: "it is down".to_owned(),
    };
    assert!(matches!(
        decided(&delete, unread),
        UnknownVerdict::CannotTell { .. }
    ));
}
