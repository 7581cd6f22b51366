//! What hangs on a record that was made: others' things keep it, ours go first.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{found, image};
use crate::planner::{
    Attached, ChangePlan, CurrentRecord, Obstacle, PastChange, RecordAct, RecordNow, RecordRef,
    RecordTraits, Transition, plan_undo,
};

fn story(id: u32) -> RecordRef {
    RecordRef::new("taiga", "story", id.to_string())
}

fn task(id: u32) -> RecordRef {
    RecordRef::new("taiga", "task", id.to_string())
}

fn made(record: RecordRef, after: Value) -> PastChange {
    let (after, instead_of) = (image(after), None);
    PastChange {
        change: format!("c of {record}"),
        record,
        transition: Transition::Made { after, instead_of },
        is_selected: true,
    }
}

/// The plan of undoing a history over records, each with what it is and what hangs on it.
fn undone(history: &[PastChange], now: &[(RecordRef, Value, Vec<Attached>)]) -> ChangePlan {
    let current: BTreeMap<_, _> = now
        .iter()
        .map(|(record, fields, attached)| {
            let RecordNow::Found { image, .. } = found(fields.clone()) else {
                unreachable!()
            };
            let attached = attached.clone();
            let now = RecordNow::Found { image, attached };
            let (name, traits) = (None, RecordTraits::default());
            (record.clone(), CurrentRecord { now, name, traits })
        })
        .collect();
    plan_undo(history, &current)
}

fn acts(plan: &ChangePlan) -> Vec<(String, RecordAct)> {
    let records = plan.records.iter();
    records
        .map(|planned| (planned.record.to_string(), planned.act))
        .collect()
}

fn hang(tasks: &[u32]) -> Vec<Attached> {
    tasks.iter().map(|id| Attached::Record(task(*id))).collect()
}

#[test]
fn what_was_made_on_it_by_the_same_changes_goes_first() {
    let history = [
        made(story(7), json!({ "a": 1 })),
        made(task(8), json!({ "user_story": 7 })),
        made(task(9), json!({ "user_story": 7 })),
    ];
    let rows = |first: Value, attached: &[u32]| {
        [
            (story(7), json!({ "a": 1 }), hang(attached)),
            (task(8), first, vec![]),
            (task(9), json!({ "user_story": 7 }), vec![]),
        ]
    };
    let plan = undone(&history, &rows(json!({ "user_story": 7 }), &[8, 9]));
    let delete = |record: &str| (record.to_owned(), RecordAct::Delete);
    assert_eq!(
        acts(&plan),
        [delete("task 9"), delete("task 8"), delete("story 7")]
    );

    // one that is somebody else's keeps the story, and so does one that somebody changed
    let others = undone(&history, &rows(json!({ "user_story": 7 }), &[8, 9, 10]));
    let changed = json!({ "user_story": 7, "subject": "a person's" });
    let changed = undone(&history, &rows(changed, &[8, 9]));
    for (plan, left, what) in [
        (&others, "task 8", "task 10"),
        (&changed, "task 9", "task 8"),
    ] {
        let kept = plan.records.iter().find(|one| one.record == story(7));
        let kept = kept.unwrap();
        assert_eq!(kept.act, RecordAct::Nothing);
        assert_eq!(kept.obstacles[0].why, Obstacle::Attached(what.to_owned()));
        assert!(acts(plan).contains(&delete(left)), "{plan:?}");
    }
    assert_ne!(others.digest, plan.digest);
}

#[test]
fn what_was_only_moved_to_it_is_moved_back_first() {
    let moved = PastChange {
        transition: Transition::Changed {
            before: image(json!({ "user_story": 3 })),
            after: image(json!({ "user_story": 7 })),
        },
        ..made(task(8), json!({}))
    };
    let history = [made(story(7), json!({ "a": 1 })), moved];
    let now = [
        (story(7), json!({ "a": 1 }), hang(&[8])),
        (task(8), json!({ "user_story": 7 }), vec![]),
    ];
    let plan = undone(&history, &now);
    let expected = [
        ("task 8", RecordAct::Change),
        ("story 7", RecordAct::Delete),
    ];
    assert_eq!(
        acts(&plan),
        expected.map(|(record, act)| (record.to_owned(), act))
    );
}

#[test]
fn what_is_kept_keeps_what_it_hangs_on() {
    let subtask = RecordRef::new("taiga", "subtask", "1");
    let history = [
        made(story(7), json!({})),
        made(task(8), json!({})),
        made(subtask.clone(), json!({})),
    ];
    let file = Attached::Other("1 attachment".to_owned());
    let now = [
        (story(7), json!({}), hang(&[8])),
        (task(8), json!({}), vec![Attached::Record(subtask.clone())]),
        (subtask, json!({}), vec![file]),
    ];
    let plan = undone(&history, &now);
    assert!(!plan.has_work(), "{plan:?}");
    let why = |place: usize| plan.records[place].obstacles[0].why.to_string();
    assert_eq!(why(0), "1 attachment would go with it");
    assert_eq!(why(1), "subtask 1 would go with it");
    assert_eq!(why(2), "task 8 would go with it");
    let many = hang(&[1, 2, 3, 4, 5]);
    let plan = undone(&history[..1], &[(story(7), json!({}), many)]);
    assert_eq!(
        plan.records[0].obstacles[0].why.to_string(),
        "task 1, task 2, task 3 and 2 more would go with it"
    );
}
