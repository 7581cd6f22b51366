//! Fields that are sets: what people put in stays, and what they took out stays out.

use serde_json::{Value, json};

use super::{changed, current_with, deleted, found, image, lines, made};
use crate::planner::{
    FieldEquality, PastChange, PlannedRecord, RecordTraits, Transition, UnknownVerdict,
    decide_unknown, plan_proposal, plan_undo,
};

fn equality() -> FieldEquality {
    FieldEquality::default().unordered("tags")
}

fn traits() -> RecordTraits {
    RecordTraits {
        equality: equality(),
        ..RecordTraits::default()
    }
}

fn tags(tags: &[&str]) -> Value {
    json!({ "tags": tags })
}

fn undone(history: &[PastChange], now: Value) -> PlannedRecord {
    let plan = plan_undo(history, &current_with(found(now), traits()));
    plan.records.into_iter().next().unwrap()
}

#[test]
fn what_a_change_added_goes_and_what_it_took_comes_back() {
    let replaced = [changed("c1", tags(&["web", "old"]), tags(&["web", "new"]))];
    let lines_of = |now: &[&str]| lines(&undone(&replaced, tags(now)));
    // others put one in, took one out, did it themselves, or gave them another order
    let cases: [(&[&str], &str); 5] = [
        (
            &["web", "new", "theirs"],
            r#"tags: ["web","theirs","old"] over ["web","new","theirs"]"#,
        ),
        (&["new"], r#"tags: ["old"] over ["new"]"#),
        (&["old", "theirs"], "tags: already"),
        (&["new", "web"], r#"tags: ["web","old"] over ["new","web"]"#),
        (&[], r#"tags: ["old"] over []"#),
    ];
    for (now, line) in cases {
        assert_eq!(lines_of(now), [line], "{now:?}");
    }
    assert!(undone(&replaced, tags(&[])).obstacles.is_empty());
}

#[test]
fn a_set_that_is_none_is_one_without_items() {
    let first = [changed("c1", json!({ "tags": null }), tags(&["x"]))];
    let line = |now: Value| lines(&undone(&first, now));
    assert_eq!(line(tags(&["x"])), [r#"tags: null over ["x"]"#]);
    assert_eq!(line(tags(&["x", "y"])), [r#"tags: ["y"] over ["x","y"]"#]);
    assert_eq!(line(tags(&[])), ["tags: already"]);
    // what is no list is a value like any other
    assert_eq!(
        line(json!({ "tags": "x" })),
        [r#"tags: conflict null ["x"] "x""#]
    );
}

#[test]
fn several_changes_of_a_set_are_undone_item_by_item() {
    let history = [
        changed("c1", tags(&["a"]), tags(&["a", "b"])),
        changed("c2", tags(&["a", "b", "p"]), tags(&["b", "p"])),
        changed("c3", tags(&["b", "p", "q"]), tags(&["c", "q"])),
    ];
    assert_eq!(
        lines(&undone(&history, tags(&["c", "q", "r"]))),
        [r#"tags: ["q","r","p","a"] over ["c","q","r"]"#]
    );
    // gone on with after a part of it
    assert_eq!(
        lines(&undone(&history, tags(&["q", "r", "p", "a"]))),
        ["tags: already"]
    );
}

#[test]
fn a_record_with_a_set_comes_and_goes_as_any_other() {
    let was_made = [made("c1", tags(&["a", "b"]))];
    assert_eq!(
        lines(&undone(&was_made, tags(&["b", "a"]))),
        Vec::<String>::new()
    );
    assert_eq!(
        lines(&undone(&was_made, tags(&["a"]))),
        [r#"tags: conflict - ["a","b"] ["a"]"#]
    );
    let history = [
        changed("c1", tags(&["a"]), tags(&["a", "b"])),
        deleted("c2", tags(&["a", "b", "theirs"])),
    ];
    let gone = current_with(crate::planner::RecordNow::Gone, traits());
    let plan = plan_undo(&history, &gone);
    assert_eq!(lines(&plan.records[0]), [r#"tags: ["a","theirs"] over -"#]);
}

/// A write and an approval send the whole list that they were given, so others lose nothing by
/// them unseen.
#[test]
fn an_approval_of_a_set_that_others_changed_is_a_conflict() {
    let proposed = [changed("p1", tags(&["a"]), tags(&["a", "x"]))];
    let line = |now: &[&str]| {
        let plan = plan_proposal(&proposed, &current_with(found(tags(now)), traits()));
        lines(&plan.records[0])
    };
    assert_eq!(line(&["a"]), [r#"tags: ["a","x"] over ["a"]"#]);
    assert_eq!(line(&["x", "a"]), ["tags: already"]);
    assert_eq!(
        line(&["a", "theirs"]),
        [r#"tags: conflict ["a"] ["a","x"] ["a","theirs"]"#]
    );
}

#[test]
fn a_write_of_a_set_without_an_answer_is_decided_item_by_item() {
    let (before, after) = (image(tags(&["a", "b"])), image(tags(&["a", "x"])));
    let sent = Transition::Changed { before, after };
    let decided = |now: &[&str]| decide_unknown(&sent, &found(tags(now)), &equality());
    let never = UnknownVerdict::NeverHappened {
        changed_since: false,
    };
    assert_eq!(decided(&["a", "x", "theirs"]), UnknownVerdict::Done);
    assert_eq!(decided(&["b", "theirs"]), never);
    let both = decided(&["b", "x"]);
    assert!(matches!(both, UnknownVerdict::Conflict { .. }), "{both:?}");
}
