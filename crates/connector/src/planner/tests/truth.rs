//! The table of truth: what undoing a record's changes over its now sends and leaves, case by case.

use serde_json::json;

use super::{changed, current, current_with, deleted, found, image, lines, made, past, story};
use super::{undone, unselected};
use crate::planner::{
    Attached, Obstacle, PastChange, PlannedRecord, RecordAct, RecordNow, RecordRef, RecordTraits,
    Transition, plan_undo, records_to_read,
};

fn obstacles(plan: &PlannedRecord) -> Vec<&Obstacle> {
    plan.obstacles
        .iter()
        .map(|obstacle| &obstacle.why)
        .collect()
}

#[test]
fn one_change_of_one_field() {
    let cases = [
        // before, after, now
        (
            json!({"a": 1}),
            json!({"a": 2}),
            json!({"a": 2}),
            &["a: 1 over 2"][..],
        ),
        (
            json!({"a": 1}),
            json!({"a": 2}),
            json!({"a": 1}),
            &["a: already"],
        ),
        (
            json!({"a": 1}),
            json!({"a": 2}),
            json!({"a": 3}),
            &["a: conflict 1 2 3"],
        ),
        // not ours, whatever it is now
        (
            json!({"a": 1, "b": 1}),
            json!({"a": 1, "b": 2}),
            json!({"a": 3, "b": 2}),
            &["b: 1 over 2"],
        ),
        // absent, null and empty are three things
        (
            json!({}),
            json!({"a": 2}),
            json!({"a": 2}),
            &["a: - over 2"],
        ),
        (json!({"a": 1}), json!({}), json!({}), &["a: 1 over -"]),
        (
            json!({"a": null}),
            json!({"a": 2}),
            json!({"a": 2}),
            &["a: null over 2"],
        ),
        (
            json!({"a": 1}),
            json!({"a": null}),
            json!({}),
            &["a: conflict 1 null -"],
        ),
        (
            json!({"a": ""}),
            json!({"a": "x"}),
            json!({"a": null}),
            &["a: conflict \"\" \"x\" null"],
        ),
        (
            json!({}),
            json!({"a": null}),
            json!({"a": null}),
            &["a: - over null"],
        ),
        (
            json!({"a": []}),
            json!({"a": [1]}),
            json!({"a": null}),
            &["a: conflict [] [1] null"],
        ),
        // how a number is written tells nothing, how a text is written all
        (
            json!({"a": 1}),
            json!({"a": 2}),
            json!({"a": 2.0}),
            &["a: 1 over 2.0"],
        ),
        (json!({"a": 1}), json!({"a": 1.0}), json!({"a": 3}), &[]),
        (
            json!({"a": "1"}),
            json!({"a": "2"}),
            json!({"a": "2 "}),
            &["a: conflict \"1\" \"2\" \"2 \""],
        ),
        (
            json!({"a": 1}),
            json!({"a": 2}),
            json!({"a": "2"}),
            &["a: conflict 1 2 \"2\""],
        ),
        (
            json!({"a": 18_446_744_073_709_551_614_u64}),
            json!({"a": 18_446_744_073_709_551_615_u64}),
            json!({"a": 18_446_744_073_709_551_614_u64}),
            &["a: already"],
        ),
        // maps have no order, lists have one
        (
            json!({"a": {}}),
            json!({"a": {"x": 1, "y": [2]}}),
            json!({"a": {"y": [2.0], "x": 1}}),
            &["a: {} over {\"y\":[2.0],\"x\":1}"],
        ),
        (
            json!({"a": []}),
            json!({"a": [1, 2]}),
            json!({"a": [2, 1]}),
            &["a: conflict [] [1,2] [2,1]"],
        ),
        // a person's key in an open map is none of ours
        (
            json!({}),
            json!({"a": 1}),
            json!({"a": 1, "theirs": 5}),
            &["a: - over 1"],
        ),
    ];
    for (before, after, now, expected) in cases {
        let case = format!("{before} {after} {now}");
        let plan = undone(&[changed("c1", before, after)], found(now));
        assert_eq!(lines(&plan), expected, "{case}");
        let sends = expected.iter().any(|line| line.contains(" over "));
        let act = if sends {
            RecordAct::Change
        } else {
            RecordAct::Nothing
        };
        assert_eq!(plan.act, act, "{case}");
    }
}

#[test]
fn several_changes_are_one_request() {
    let history = [
        changed("c1", json!({"a": 1, "b": 1}), json!({"a": 2, "b": 1})),
        changed("c2", json!({"a": 2, "b": 1}), json!({"a": 3, "b": 2})),
    ];
    let plan = undone(&history, found(json!({"a": 3, "b": 2, "version": 9})));
    assert_eq!(lines(&plan), ["a: 1 over 3", "b: 1 over 2"]);
    assert_eq!(
        (plan.changes, plan.version),
        (vec!["c2".to_owned(), "c1".to_owned()], Some(json!(9)))
    );
    // A-B-A by us alone
    let history = [
        changed("c1", json!({"a": 1}), json!({"a": 2})),
        changed("c2", json!({"a": 2}), json!({"a": 1})),
    ];
    assert_eq!(
        lines(&undone(&history, found(json!({"a": 1})))),
        ["a: already"]
    );
}

#[test]
fn a_conflict_closes_the_field_for_older_changes() {
    let history = [
        changed("c1", json!({"a": 1, "b": 1}), json!({"a": 2, "b": 2})),
        changed("c2", json!({"a": 2, "b": 2}), json!({"a": 3, "b": 3})),
    ];
    // what older changes left is not to be taken for untouched
    let plan = undone(&history, found(json!({"a": 9, "b": 3})));
    assert_eq!(lines(&plan), ["a: conflict 2 3 9", "b: 1 over 3"]);
    // a person between two of ours: the newer is undone, and what the person said is back
    let history = [
        changed("c1", json!({"a": 1}), json!({"a": 2})),
        changed("c2", json!({"a": 5}), json!({"a": 3})),
    ];
    let plan = undone(&history, found(json!({"a": 3})));
    assert_eq!(lines(&plan), ["a: conflict 1 2 5", "a: 5 over 3"]);
    let values = plan.fields.iter().map(|planned| planned.change.as_deref());
    assert_eq!(values.collect::<Vec<_>>(), [Some("c1"), Some("c2")]);
    // and so it is when a newer change is not selected
    let history = [
        changed("c1", json!({"a": 1}), json!({"a": 2})),
        unselected(changed("c2", json!({"a": 2}), json!({"a": 3}))),
    ];
    assert_eq!(
        lines(&undone(&history, found(json!({"a": 3})))),
        ["a: conflict 1 2 3"]
    );
}

#[test]
fn a_version_that_moved_is_told_and_makes_no_conflict() {
    let history = [changed(
        "c1",
        json!({"a": 1, "version": 1}),
        json!({"a": 2, "version": 2}),
    )];
    let at = |a: u8, version: u8| found(json!({"a": a, "version": version}));
    assert_eq!(lines(&undone(&history, at(2, 2))), ["a: 1 over 2"]);
    assert_eq!(
        lines(&undone(&history, at(2, 4))),
        ["a: 1 over 2, changed since"]
    );
    assert_eq!(
        lines(&undone(&history, at(1, 3))),
        ["a: already, changed since"]
    );
    assert_eq!(lines(&undone(&history, at(3, 3))), ["a: conflict 1 2 3"]);
    // our own steps are no others'
    let later = changed(
        "c2",
        json!({"b": 1, "version": 2}),
        json!({"b": 2, "version": 3}),
    );
    let both = [history[0].clone(), unselected(later)];
    assert_eq!(lines(&undone(&both, at(2, 3))), ["a: 1 over 2"]);
    assert_eq!(
        lines(&undone(&both, at(2, 4))),
        ["a: 1 over 2, changed since"]
    );
    // what happened between two of ours concerns the older
    let apart = [
        history[0].clone(),
        changed(
            "c2",
            json!({"a": 2, "b": 1, "version": 5}),
            json!({"a": 2, "b": 2, "version": 6}),
        ),
    ];
    let plan = undone(&apart, found(json!({"a": 2, "b": 2, "version": 6.0})));
    assert_eq!(lines(&plan), ["a: 1 over 2, changed since", "b: 1 over 2"]);
}

#[test]
fn what_was_made_is_deleted_when_nobody_touched_it() {
    let history = [made("c1", json!({"a": 1, "b": null, "version": 1}))];
    let now = json!({"a": 1, "b": null, "version": 1});
    let plan = undone(&history, found(now.clone()));
    assert_eq!(
        (plan.act, plan.fields.len(), plan.version),
        (RecordAct::Delete, 0, Some(json!(1)))
    );

    let plan = undone(
        &history,
        found(json!({"a": 1, "b": 2, "more": 0, "version": 2})),
    );
    assert_eq!(plan.act, RecordAct::Nothing);
    assert_eq!(
        lines(&plan),
        ["b: conflict - null 2", "more: conflict - - 0"]
    );
    assert_eq!(obstacles(&plan), [&Obstacle::FieldsDiffer]);
    // a comment moves the version and shows in no field
    let plan = undone(&history, found(json!({"a": 1, "b": null, "version": 2})));
    assert_eq!(
        (plan.act, obstacles(&plan)),
        (RecordAct::Nothing, vec![&Obstacle::ChangedSince])
    );
    let attached = RecordNow::Found {
        image: image(now.clone()),
        attached: vec![Attached::Other("2 tasks".to_owned())],
    };
    let plan = undone(&history, attached);
    assert_eq!(
        obstacles(&plan),
        [&Obstacle::Attached("2 tasks".to_owned())]
    );
    let plan = undone(&history, RecordNow::Gone);
    assert_eq!(
        (plan.act, plan.is_already, obstacles(&plan).len()),
        (RecordAct::Nothing, true, 0)
    );
    let traits = RecordTraits {
        can_delete: false,
        ..RecordTraits::default()
    };
    let plan = plan_undo(&history, &current_with(found(now), traits));
    assert_eq!(obstacles(&plan.records[0]), [&Obstacle::NoWayToDelete]);
}

#[test]
fn what_was_made_and_changed_goes_too_and_else_is_as_it_was_made() {
    let history = [
        made("c1", json!({"a": 1, "b": 1, "version": 1})),
        changed(
            "c2",
            json!({"a": 1, "b": 1, "version": 1}),
            json!({"a": 2, "b": 1, "version": 2}),
        ),
    ];
    let plan = undone(&history, found(json!({"a": 2, "b": 1, "version": 2})));
    assert_eq!((plan.act, lines(&plan).len()), (RecordAct::Delete, 0));
    let plan = undone(&history, found(json!({"a": 2, "b": 9, "version": 3})));
    assert_eq!(plan.act, RecordAct::Change);
    assert_eq!(
        lines(&plan),
        ["a: 1 over 2, changed since", "b: conflict - 1 9"]
    );
    // undone in two parts: the second knows of the first
    let first_part = changed(
        "u2",
        json!({"a": 2, "b": 1, "version": 2}),
        json!({"a": 1, "b": 1, "version": 3}),
    );
    let history = [
        history[0].clone(),
        unselected(history[1].clone()),
        unselected(first_part),
    ];
    assert_eq!(
        undone(&history, found(json!({"a": 1, "b": 1, "version": 3}))).act,
        RecordAct::Delete
    );
    // gone already: no field of it need be put back
    let plan = undone(&history, RecordNow::Gone);
    assert!(plan.is_already && plan.fields.is_empty());
}

#[test]
fn what_was_deleted_is_made_again_with_older_changes_undone() {
    let history = [
        changed("c1", json!({"a": 1, "b": 1}), json!({"a": 2, "b": 1})),
        deleted("c2", json!({"a": 2, "b": 1})),
    ];
    let traits = RecordTraits {
        lost: Some("Its comments.".to_owned()),
        ..RecordTraits::default()
    };
    let plan = plan_undo(&history, &current_with(RecordNow::Gone, traits.clone()));
    assert_eq!(plan.records[0].act, RecordAct::Make);
    assert_eq!(lines(&plan.records[0]), ["a: 1 over -", "b: 1 over -"]);
    assert_eq!(plan.records[0].lost.as_deref(), Some("Its comments."));
    let plan = undone(&history, found(json!({"a": 2, "b": 5})));
    assert!(plan.is_already && plan.lost.is_none());
    assert_eq!(lines(&plan), ["a: 1 over 2"]);
    let traits = RecordTraits {
        can_make: false,
        ..traits
    };
    let plan = plan_undo(&history, &current_with(RecordNow::Gone, traits));
    assert_eq!(obstacles(&plan.records[0]), [&Obstacle::NoWayToMake]);
    assert!(!plan.has_work());
    // made and deleted: nothing is to be done
    let history = [made("c1", json!({"a": 1})), deleted("c2", json!({"a": 1}))];
    assert_eq!(undone(&history, RecordNow::Gone).act, RecordAct::Nothing);
    assert_eq!(
        undone(&history, found(json!({"a": 1}))).act,
        RecordAct::Delete
    );
}

#[test]
fn what_was_made_again_stands_for_what_was_deleted() {
    let again = RecordRef::new("taiga", "story", "8");
    let instead_of = Some(story());
    let made_again = PastChange {
        record: again.clone(),
        ..past(
            "u2",
            Transition::Made {
                after: image(json!({"a": 2})),
                instead_of,
            },
        )
    };
    let history = [
        changed("c1", json!({"a": 1}), json!({"a": 2})),
        deleted("c2", json!({"a": 2})),
        unselected(made_again),
    ];
    assert_eq!(records_to_read(&history), [again.clone()].into());
    let now = |now| [(again.clone(), current(now).remove(&story()).unwrap())].into();
    let plan = plan_undo(&history, &now(found(json!({"a": 2}))));
    let record = &plan.records[0];
    assert_eq!(
        (&record.record, record.act, record.is_already),
        (&again, RecordAct::Change, true)
    );
    assert_eq!(lines(record), ["a: 1 over 2"]);
    // somebody deleted it since, and it stays so
    let plan = plan_undo(&history, &now(RecordNow::Gone));
    assert_eq!(plan.records[0].act, RecordAct::Nothing);
    assert_eq!(obstacles(&plan.records[0]), [&Obstacle::Gone]);
    assert_eq!(lines(&plan.records[0]), ["a: gone"]);
}

#[test]
fn what_is_gone_unread_or_was_not_kept_is_named() {
    let change = changed("c1", json!({"a": 1}), json!({"a": 2}));
    let history = std::slice::from_ref(&change);
    assert_eq!(lines(&undone(history, RecordNow::Gone)), ["a: gone"]);
    let plan = undone(
        history,
        RecordNow::Unread {
            why: "it is down".to_owned(),
        },
    );
    assert_eq!(
        obstacles(&plan),
        [&Obstacle::Unread("it is down".to_owned())]
    );
    let plan = plan_undo(history, &[].into());
    assert_eq!(
        obstacles(&plan.records[0]),
        [&Obstacle::Unread("it was not looked for".to_owned())]
    );
    let traits = RecordTraits {
        can_change: false,
        ..RecordTraits::default()
    };
    let plan = plan_undo(history, &current_with(found(json!({"a": 2})), traits));
    assert_eq!(lines(&plan.records[0]), ["a: cannot: NoWayToChange"]);
    assert_eq!(plan.records[0].act, RecordAct::Nothing);

    let not_kept = past(
        "c2",
        Transition::NotKept {
            why: "the record has 5,120 KiB".to_owned(),
        },
    );
    let plan = undone(&[change, not_kept], found(json!({"a": 2})));
    assert_eq!(lines(&plan), ["a: 1 over 2"]);
    assert_eq!(
        plan.obstacles[0].why.to_string(),
        "what it did was not kept: the record has 5,120 KiB"
    );
    let comment = |after: u8| {
        changed(
            "c1",
            json!({"a": 1, "version": 1}),
            json!({"a": 1, "version": after}),
        )
    };
    let plan = undone(&[comment(2)], found(json!({"a": 1, "version": 2})));
    assert_eq!(obstacles(&plan), [&Obstacle::NoDifference]);
    assert_eq!(
        obstacles(&undone(&[comment(1)], found(json!({"a": 1})))).len(),
        0
    );
}

#[test]
fn records_made_and_deleted_follow_the_order_in_which_they_hang_together() {
    let other = |past: PastChange| PastChange {
        record: RecordRef::new("taiga", "task", "3"),
        ..past
    };
    let history = [
        made("c1", json!({"a": 1})),
        other(made("c2", json!({"b": 1}))),
        changed("c3", json!({"a": 1}), json!({"a": 2})),
    ];
    let mut records = current(found(json!({"a": 2})));
    let task = current(found(json!({"b": 1}))).remove(&story()).unwrap();
    records.insert(RecordRef::new("taiga", "task", "3"), task);
    let plan = plan_undo(&history, &records);
    let order: Vec<_> = plan
        .records
        .iter()
        .map(|record| record.record.to_string())
        .collect();
    assert_eq!(order, ["task 3", "story 7"]);
}

#[test]
fn what_was_undone_together_is_already_so() {
    let history = [
        changed("c1", json!({"a": 1}), json!({"a": 2})),
        changed("c2", json!({"a": 2}), json!({"a": 3})),
        unselected(changed("u", json!({"a": 3}), json!({"a": 1}))),
    ];
    assert_eq!(
        lines(&undone(&history, found(json!({"a": 1})))),
        ["a: already"]
    );
    // not over what others did in between
    let history = [
        changed("c1", json!({"a": 1}), json!({"a": 2})),
        changed("c2", json!({"a": 5}), json!({"a": 3})),
    ];
    assert_eq!(
        lines(&undone(&history, found(json!({"a": 1})))),
        ["a: conflict 5 3 1"]
    );
}

/// A change of the story of this id.
fn at(id: &str, past: PastChange) -> PastChange {
    PastChange {
        record: RecordRef::new("taiga", "story", id),
        ..past
    }
}

/// A story that is made anew in the place of the one of this id.
fn again(change: &str, instead_of: &str, a: u8) -> PastChange {
    let instead_of = Some(RecordRef::new("taiga", "story", instead_of));
    let after = image(json!({"a": a}));
    past(change, Transition::Made { after, instead_of })
}

#[test]
fn a_deletion_that_is_not_selected_stays() {
    // deleted, made again, given another value by others, deleted, made again
    let history = [
        deleted("c1", json!({"a": 1})),
        at("8", unselected(again("u1", "7", 1))),
        at("8", unselected(deleted("c2", json!({"a": 5})))),
        at("9", again("u2", "8", 5)),
    ];
    let current = current(found(json!({"a": 5})));
    let record = current[&story()].clone();
    let plan = plan_undo(
        &history,
        &[(RecordRef::new("taiga", "story", "9"), record)].into(),
    );
    assert_eq!(plan.records[0].act, RecordAct::Delete);
    assert_eq!(obstacles(&plan.records[0]), [&Obstacle::Gone]);
}

#[test]
fn what_was_undone_by_making_the_record_anew_is_already_so() {
    // changed twice and deleted, all of that undone, changed and deleted, and the undo undone
    let history = [
        unselected(changed("c1", json!({"a": 1}), json!({"a": 2}))),
        changed("c2", json!({"a": 2}), json!({"a": 3})),
        unselected(deleted("c3", json!({"a": 3}))),
        at("8", unselected(again("u1", "7", 1))),
        at("8", changed("c4", json!({"a": 1}), json!({"a": 4}))),
        at("8", unselected(deleted("c5", json!({"a": 4})))),
        at("9", unselected(again("u2", "8", 3))),
    ];
    let plan_over = |a: u8| {
        let record = current(found(json!({"a": a})))[&story()].clone();
        let now = [(RecordRef::new("taiga", "story", "9"), record)].into();
        plan_undo(&history, &now).records[0].clone()
    };
    assert_eq!(lines(&plan_over(3)), ["a: 2 over 3"]);
    // a value of others stays, whatever was undone
    assert_eq!(lines(&plan_over(5)), ["a: conflict 1 4 5"]);
}
