//! What is kept and shown: limits of images, digests of long values and of plans, and JSON.

use serde_json::{Value, json};

use super::{changed, current, current_with, deleted, found, image, lines, made, past, undone};
use crate::planner::{
    ChangePlan, FieldEquality, Image, PastChange, RecordNow, RecordTraits, Transition, plan_undo,
};

#[test]
fn long_values_are_compared_by_their_digests() {
    let equality = FieldEquality::default();
    let short = |text: &str| {
        image(json!({"a": 1, "text": text.repeat(20)})).without_long_values(50, &equality)
    };
    let change = |change: &str, before: Image, after: Image| {
        past(change, Transition::Changed { before, after })
    };
    assert_eq!(short("long").digests.len(), 1);
    let whole = image(json!({"a": 1, "text": "was"}));
    let plan = undone(
        &[change("c1", whole.clone(), short("long"))],
        found(json!({"a": 1, "text": "long".repeat(20)})),
    );
    assert_eq!(plan.values()["text"], Some(json!("was")));
    let plan = undone(
        &[change("c1", whole.clone(), short("long"))],
        found(json!({"a": 1, "text": "long"})),
    );
    assert!(plan.fields[0].is_conflict());
    let plan = undone(
        &[change("c1", short("long"), whole.clone())],
        found(json!({"a": 1, "text": "was"})),
    );
    assert_eq!(lines(&plan), ["text: cannot: TooLong"]);
    // one in the middle does no harm
    let history = [
        change("c1", whole, short("long")),
        change("c2", short("long"), image(json!({"a": 1, "text": "is"}))),
    ];
    assert_eq!(
        lines(&undone(&history, found(json!({"a": 1, "text": "is"})))),
        ["text: \"was\" over \"is\""]
    );
}

#[test]
fn images_have_limits() {
    assert_eq!(image(json!({"a": 1})).check_size(), Ok(()));
    let many = (0..1_001).map(|n| (format!("f{n}"), Value::Null));
    assert_eq!(
        Image::new(many, None).check_size(),
        Err("has 1001 fields, and at most 1000 are kept".to_owned())
    );
    let large = image(json!({"a": ["x".repeat(200_000), {"b": "x".repeat(100_000)}]}));
    assert_eq!(
        large.check_size(),
        Err("has 293 KiB of values, and at most 256 are kept".to_owned())
    );
    let as_counted = image(json!({"é": ["x", -1.5, null, true, {"a": {}}]}));
    let text = serde_json::to_string(&as_counted.fields).unwrap();
    assert!(text.len() < 60, "{text}");
}

#[test]
fn the_digest_is_of_what_was_seen_and_decided() {
    let history = [changed(
        "c1",
        json!({"a": 1, "tags": []}),
        json!({"a": 2, "tags": ["x", "y"]}),
    )];
    let traits = RecordTraits {
        equality: FieldEquality::default().unordered("tags"),
        ..RecordTraits::default()
    };
    let digest = |history: &[PastChange], now: Value| {
        plan_undo(history, &current_with(found(now), traits.clone())).digest
    };
    let seen = digest(
        &history,
        json!({"a": 2, "tags": ["x", "y"], "b": 1, "version": 2}),
    );
    assert_eq!(seen.len(), 22);
    // another field, the version, the order of a set, how a number is written
    assert_eq!(
        seen,
        digest(
            &history,
            json!({"a": 2.0, "tags": ["y", "x"], "b": 5, "version": 3})
        )
    );
    assert_ne!(seen, digest(&history, json!({"a": 3, "tags": ["x", "y"]})));
    assert_ne!(seen, digest(&history, json!({"a": 1, "tags": ["x", "y"]})));
    let conflict = digest(&history, json!({"a": 4, "tags": ["x", "y"]}));
    assert_ne!(
        conflict,
        digest(&history, json!({"a": 5, "tags": ["x", "y"]}))
    );
    let more = [
        history[0].clone(),
        changed("c2", json!({"b": 1}), json!({"b": 2})),
    ];
    assert_ne!(
        seen,
        digest(&more, json!({"a": 2, "tags": ["x", "y"], "b": 2}))
    );
}

#[test]
fn plans_and_changes_go_through_json() {
    let history = [
        made("c0", json!({"a": null})),
        changed(
            "c1",
            json!({"a": null, "b": 1}),
            json!({"a": 2, "c": 5, "version": 7}),
        ),
        deleted("c2", json!({"a": null})),
        past(
            "c3",
            Transition::NotKept {
                why: "too large".to_owned(),
            },
        ),
    ];
    let text = serde_json::to_string(&history).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<PastChange>>(&text).unwrap(),
        history
    );
    let traits = RecordTraits {
        can_change: false,
        ..RecordTraits::default()
    };
    for current in [
        current(found(json!({"a": 2, "b": null, "c": 5, "version": 9}))),
        current_with(found(json!({"a": 2, "c": 5})), traits),
        current(RecordNow::Gone),
    ] {
        for history in [&history[..], &history[..2], &history[1..2]] {
            let plan = plan_undo(history, &current);
            let text = serde_json::to_string(&plan).unwrap();
            assert_eq!(
                serde_json::from_str::<ChangePlan>(&text).unwrap(),
                plan,
                "{text}"
            );
        }
    }
    let plan = undone(
        &history[1..2],
        found(json!({"a": 2, "b": null, "c": 5, "version": 9})),
    );
    assert_eq!(
        serde_json::to_value(&plan).unwrap(),
        json!({
            "record": {"connector": "taiga", "kind": "story", "id": "7"},
            "name": "#7 Sign in",
            "changes": ["c1"],
            "act": "change",
            "version": 9,
            "fields": [
                {
                    "field": "a", "change": "c1", "verdict": "set",
                    "value": null, "now": 2, "changed_since": true,
                },
                {"field": "b", "change": "c1", "verdict": "conflict", "before": 1, "now": null},
                {"field": "c", "change": "c1", "verdict": "set", "now": 5, "changed_since": true},
            ],
        })
    );
}
