//! What a call touches: read before its first write, told to the witness, read back after it.

use footbridge_connector::{Fault, Touch, Transition, compile};
use serde_json::json;

use crate::guide;
use crate::scripted::{HEAD, Scripted, ok, refused};
use crate::undo_world::{Manner, Served};

const STORY: &str = "/api/v1/userstories/7";
const ATTRIBUTES: &str = "/api/v1/userstories/custom-attributes-values/7";
const CARD: &str = "/xapi2/data/card/c1";

#[tokio::test]
async fn a_record_is_read_once_before_and_its_answer_is_what_it_is_after() {
    let taiga = Served::taiga();
    let arguments = json!({"user_story_id": 7, "subject": "Log in", "tags": ["web", "auth"]});
    let outcome = taiga
        .write("taiga_stories_update", arguments)
        .await
        .unwrap();
    assert_eq!(
        taiga.lines(),
        [format!("GET {STORY}"), format!("PATCH {STORY}")],
        "the image before is the tool's own, the image after its answer"
    );
    let [story] = outcome.touched.as_slice() else {
        panic!("{:?}", outcome.touched);
    };
    assert_eq!(
        (story.record.kind.as_str(), story.record.id.as_str()),
        ("story", "7")
    );
    assert_eq!(story.name.as_deref(), Some("#12 Log in"));
    let (before, after) = (
        story.before.as_ref().unwrap(),
        story.after.as_ref().unwrap(),
    );
    assert_eq!(
        (&before.version, &after.version),
        (&Some(json!(3)), &Some(json!(4)))
    );
    assert_eq!(
        (&before.fields["subject"], &after.fields["subject"]),
        (&json!("Sign in"), &json!("Log in"))
    );
    assert_eq!(before.fields["tags"], json!(["web"]), "as it is written");
    assert_eq!(
        before.fields.len(),
        12,
        "declared fields alone: {:?}",
        before.fields
    );
    assert!(story.not_taken.is_empty() && story.not_kept.is_none());
    let begun = taiga.witness.begun.lock().unwrap();
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0][0].before, story.before);
    assert_eq!(begun[0][0].sent["subject"], Some(json!("Log in")));
}

#[tokio::test]
async fn each_key_of_an_open_map_is_a_field() {
    let taiga = Served::taiga();
    let arguments = json!({"user_story_id": 7, "custom_attributes": {"Size": "large"}});
    let outcome = taiga
        .write("taiga_stories_update", arguments)
        .await
        .unwrap();
    let attributes = outcome
        .touched
        .iter()
        .find(|touched| touched.record.kind == "story_attributes")
        .unwrap();
    assert_eq!(attributes.record.id, "7");
    assert_eq!(
        json!(attributes.before.as_ref().unwrap().fields),
        json!({"1": "small", "2": "ops"})
    );
    assert_eq!(
        json!(attributes.after.as_ref().unwrap().fields),
        json!({"1": "large", "2": "ops"})
    );
    let reads = format!("GET {ATTRIBUTES}");
    let lines = taiga.lines();
    assert_eq!(
        lines.iter().filter(|line| **line == reads).count(),
        1,
        "{lines:?}"
    );
}

#[tokio::test]
async fn what_is_made_and_deleted_is_told_with_what_it_takes_to_make_it_again() {
    let taiga = Served::taiga();
    let arguments = json!({"user_story_id": 7, "subject": "Paint"});
    let outcome = taiga.write("taiga_tasks_create", arguments).await.unwrap();
    let made = &outcome.touched[0];
    assert_eq!(
        (made.touch, made.record.kind.as_str()),
        (Touch::Makes, "task")
    );
    assert!(!made.record.id.is_empty());
    assert_eq!(
        made.after.as_ref().unwrap().fields["subject"],
        json!("Paint")
    );
    assert!(
        taiga.witness.begun.lock().unwrap()[0][0]
            .record
            .id
            .is_empty()
    );

    let outcome = taiga
        .write("taiga_tasks_delete", json!({"task_id": 9}))
        .await
        .unwrap();
    let deleted = &outcome.touched[0];
    let before = deleted.before.as_ref().unwrap();
    assert_eq!(
        (
            deleted.touch,
            &before.fields["project"],
            &before.fields["milestone"]
        ),
        (Touch::Deletes, &json!(1), &json!(2))
    );
    assert_eq!(deleted.after, None);
    assert!(matches!(deleted.transition(), Transition::Deleted { .. }));
}

#[tokio::test]
async fn the_tools_of_a_model_tell_of_its_record() {
    let board = Served::board();
    let arguments = json!({"id": "c1", "status": "doing", "description": null});
    let outcome = board.write("card_update", arguments).await.unwrap();
    assert_eq!(
        board.lines(),
        [format!("GET {CARD}"), format!("PATCH {CARD}")]
    );
    let card = &outcome.touched[0];
    assert_eq!(
        (card.name.as_deref(), card.record.id.as_str()),
        (Some("One"), "c1")
    );
    assert_eq!(
        (
            &card.before.as_ref().unwrap().fields["status"],
            &card.after.as_ref().unwrap().fields["status"]
        ),
        (&json!("todo"), &json!("doing"))
    );
    assert_eq!(card.after.as_ref().unwrap().version, Some(json!("t1")));
    assert!(card.not_taken.is_empty(), "{:?}", card.not_taken);
    let made = board
        .write("card_create", json!({"title": "Two"}))
        .await
        .unwrap();
    assert_eq!(made.touched[0].name.as_deref(), Some("Two"));
    let gone = board
        .write("card_delete", json!({"id": "c1"}))
        .await
        .unwrap();
    assert_eq!(gone.json, r#"{"deleted":"c1"}"#);
    assert_eq!(
        gone.touched[0].before.as_ref().unwrap().fields["status"],
        json!("doing")
    );
}

#[tokio::test]
async fn without_a_witness_nothing_more_is_read() {
    let board = Served::board();
    let update = json!({"id": "c1", "status": "doing"});
    board.scripted.call("card_update", update).await.unwrap();
    let taiga = Served::taiga();
    let task = json!({"user_story_id": 7, "subject": "Paint"});
    taiga
        .scripted
        .call("taiga_tasks_create", task)
        .await
        .unwrap();
    assert_eq!(board.lines(), [format!("PATCH {CARD}")]);
    assert_eq!(
        taiga.lines(),
        [format!("GET {STORY}"), "POST /api/v1/tasks".to_owned()]
    );
}

#[tokio::test]
async fn a_refusal_of_the_witness_ends_the_call_with_nothing_sent() {
    let taiga = Served::taiga();
    *taiga.witness.refuses.lock().unwrap() = Some("The disk is full.".to_owned());
    let arguments = json!({"user_story_id": 7, "subject": "Log in"});
    let error = taiga
        .write("taiga_stories_update", arguments)
        .await
        .unwrap_err();
    assert_eq!(
        (error.fault(), error.message(), error.may_have_changed()),
        (Fault::Us, "The disk is full.", false)
    );
    assert!(error.touched().is_empty());
    assert_eq!(taiga.lines(), [format!("GET {STORY}")]);
    let board = Served::board();
    *board.witness.refuses.lock().unwrap() = Some("No.".to_owned());
    board
        .write("card_delete", json!({"id": "c1"}))
        .await
        .unwrap_err();
    assert_eq!(board.lines(), [format!("GET {CARD}")]);
}

#[tokio::test]
async fn a_tool_that_names_no_records_is_witnessed_too() {
    let tools = "upstream: { base: http://localhost }\ntools:\n  - { name: print, title: P, description: D, effect: write, steps: [{ post: /prints }], no_undo: Paper. }\n  - { name: look, title: L, description: D, effect: read, steps: [{ get: /prints }] }\n";
    let served = Served::new(&format!("{HEAD}{tools}"), json!({"/prints": {}}));
    let outcome = served.write("print", json!({})).await.unwrap();
    assert!(outcome.touched.is_empty() && outcome.undo_values.is_none());
    served.write("look", json!({})).await.unwrap();
    let begun = served.witness.begun.lock().unwrap();
    assert_eq!(begun.as_slice(), [vec![]], "a call that reads is not");
}

#[tokio::test]
async fn what_the_backend_ignored_is_named() {
    let taiga = Served::taiga();
    taiga.behaves(Manner::Idle);
    let arguments =
        json!({"user_story_id": 7, "subject": "Log in", "description": null, "status": 1});
    let outcome = taiga
        .write("taiga_stories_update", arguments)
        .await
        .unwrap();
    let story = &outcome.touched[0];
    assert_eq!(story.ignored().collect::<Vec<_>>(), ["subject"]);
    assert_eq!(story.not_taken.len(), 1, "{:?}", story.not_taken);
}

#[tokio::test]
async fn a_call_that_failed_half_way_says_what_it_touched() {
    let taiga = Served::taiga();
    taiga.behaves(Manner::Tired);
    let arguments =
        json!({"user_story_id": 7, "subject": "Log in", "custom_attributes": {"Size": "large"}});
    let error = taiga
        .write("taiga_stories_update", arguments)
        .await
        .unwrap_err();
    assert!(
        error.message().starts_with("Only a part was done"),
        "{error}"
    );
    let kinds: Vec<_> = error
        .touched()
        .iter()
        .map(|touched| {
            (
                touched.record.kind.as_str(),
                touched.before != touched.after,
            )
        })
        .collect();
    assert_eq!(kinds, [("story", true), ("story_attributes", false)]);
    // a refusal of the first change changed nothing
    let first = taiga
        .write("taiga_tasks_delete", json!({"task_id": 9}))
        .await
        .unwrap_err();
    assert!(first.touched().is_empty() && !first.may_have_changed());
}

#[tokio::test]
async fn a_change_whose_answer_is_no_answer_is_told_as_it_was_sent() {
    for board in [Served::board(), Served::taiga()] {
        board.behaves(Manner::Mute);
        let is_taiga = board.scripted.backend.connector().name() == "taiga";
        let (tool, arguments) = if is_taiga {
            (
                "taiga_tasks_update",
                json!({"task_id": 9, "subject": "Drew"}),
            )
        } else {
            ("card_update", json!({"id": "c1", "title": "Uno"}))
        };
        let error = board.write(tool, arguments).await.unwrap_err();
        assert!(error.may_have_changed(), "{error}");
        let [touched] = error.touched() else {
            panic!("{:?}", error.touched());
        };
        let Transition::Changed { before, after } = touched.transition() else {
            panic!("{touched:?}");
        };
        let name = if is_taiga { "subject" } else { "title" };
        assert_ne!(before.fields[name], after.fields[name]);
    }
}

#[tokio::test]
async fn what_is_too_large_is_changed_and_not_kept() {
    let yaml = format!(
        "{HEAD}upstream: {{ base: http://localhost }}\nrecords:\n  bag: {{ get: \"/bags/{{id}}\", patch: \"/bags/{{id}}\", fields: .things }}\n  book: {{ get: \"/books/{{id}}\", patch: \"/books/{{id}}\", fields: [title, text] }}\ntools:\n  - {{ name: bag, title: B, description: D, effect: write, steps: [{{ patch: /bags/1, body: {{ note: '1' }} }}], changes: {{ bag: '1' }}, result: 'true' }}\n  - {{ name: book, title: B, description: D, effect: write, steps: [{{ patch: /books/1, body: {{ title: '\"New\"' }} }}], changes: {{ book: '1' }}, result: 'true' }}\n"
    );
    let things: serde_json::Map<_, _> = (0..10_000).map(|n| (format!("k{n}"), json!(n))).collect();
    let served = Served::new(
        &yaml,
        json!({"/bags/1": {"id": 1, "things": things}, "/books/1": {"id": 1, "title": "Old", "text": "x".repeat(5 << 20)}}),
    );
    for (tool, why) in [
        ("bag", "it has 10000 fields, and at most 1000 are kept"),
        (
            "book",
            "it has 5121 KiB of values, and at most 256 are kept",
        ),
    ] {
        let outcome = served.write(tool, json!({})).await.unwrap();
        assert_eq!(outcome.touched[0].not_kept.as_deref(), Some(why), "{tool}");
        assert_eq!(
            outcome.touched[0].transition(),
            Transition::NotKept {
                why: why.to_owned()
            }
        );
    }
    assert_eq!(served.record("/books/1")["title"], "New");
}

#[tokio::test]
async fn a_change_of_many_records_tells_of_each() {
    let parcels: serde_json::Map<_, _> = (1..=3)
        .map(|id| {
            let parcel = json!({"id": id, "label": format!("P{id}"), "note": null, "tags": [], "depot": {"id": 1}, "revision": 1});
            (format!("/v1/parcels/{id}"), parcel)
        })
        .collect();
    let served = Served::new(&guide::file(), parcels.into());
    let arguments = json!({"ids": [1, 2, 2, 77, 3], "depot": 2});
    let outcome = served.write("parcel_move_many", arguments).await.unwrap();
    let told: Vec<_> = outcome
        .touched
        .iter()
        .map(|touched| (touched.record.id.as_str(), touched.not_kept.as_deref()))
        .collect();
    let gone = Some("it was not there before the change");
    assert_eq!(told, [("1", None), ("2", None), ("77", gone), ("3", None)]);
    let many: Vec<usize> = (0..201).collect();
    let yaml = "upstream: { base: http://localhost }\nrecords:\n  x: { get: \"/x/{id}\", patch: \"/x/{id}\", fields: [a] }\ntools:\n  - { name: t, title: T, description: D, effect: write, input: { ids: { type: array, items: { type: integer }, description: I } }, steps: [{ post: /x }], changes: { x: $args.ids } }\n";
    let served = Served::new(&format!("{HEAD}{yaml}"), json!({}));
    let error = served.write("t", json!({ "ids": many })).await.unwrap_err();
    assert!(error.message().contains("more than 200 records"), "{error}");
    assert!(served.scripted.lines().is_empty());
}

#[tokio::test]
async fn a_change_that_was_made_again_over_others_tells_what_it_was_made_over() {
    let taiga = Served::taiga();
    // somebody changes another field between the read and the change
    let quicker = (STORY.to_owned(), json!({"milestone": 4}));
    taiga.world.lock().unwrap().quicker = Some(quicker);
    let arguments = json!({"user_story_id": 7, "subject": "Log in"});
    let outcome = taiga
        .write("taiga_stories_update", arguments)
        .await
        .unwrap();
    let before = outcome.touched[0].before.as_ref().unwrap();
    assert_eq!(
        (&before.version, &before.fields["milestone"]),
        (&Some(json!(4)), &json!(4))
    );
}

#[tokio::test]
async fn a_made_record_that_says_no_id_is_not_kept() {
    let yaml = "upstream: { base: http://localhost }\nrecords:\n  x: { get: \"/x/{id}\", delete: \"/x/{id}\", fields: [a] }\ntools:\n  - { name: t, title: T, description: D, effect: write, steps: [{ post: /x, body: { a: '1' } }], makes: x }\n";
    compile("x.yaml", &format!("{HEAD}{yaml}")).unwrap();
    let scripted = Scripted::new(&format!("{HEAD}{yaml}"), |seen| {
        match seen.method.as_str() {
            "POST" => ok(json!({"done": true})),
            _ => refused(404, json!({})),
        }
    });
    let witness = std::sync::Arc::new(crate::undo_world::Witness::default());
    let options = footbridge_connector::Options {
        witness: Some(witness),
        ..Default::default()
    };
    let called = scripted
        .backend
        .call_with("t", serde_json::Map::new(), options);
    let outcome = called.await.unwrap();
    assert_eq!(
        outcome.touched[0].not_kept.as_deref(),
        Some("the backend did not say its id")
    );
}

#[tokio::test]
async fn what_somebody_else_set_to_the_same_is_no_conflict_and_to_another_is() {
    let refused = |other: serde_json::Value| async move {
        let taiga = Served::taiga();
        taiga.world.lock().unwrap().quicker = Some((STORY.to_owned(), other));
        let arguments = json!({"user_story_id": 7, "subject": "Log in", "tags": ["web", "auth"]});
        taiga.write("taiga_stories_update", arguments).await
    };
    // as Taiga has it, and not as it is sent
    let same = json!({"subject": "Log in", "tags": [["web", null], ["auth", "#aabbcc"]]});
    assert!(refused(same).await.is_ok());
    let other = json!({"subject": "Enter", "tags": [["web", null]]});
    let error = refused(other).await.unwrap_err();
    assert!(
        error.is_conflict() && error.message().contains("Changed meanwhile: subject."),
        "{error}"
    );
}

#[tokio::test]
async fn what_cannot_be_kept_ends_no_call() {
    let yaml = "upstream: { base: http://localhost }\nrecords:\n  odd: { get: \"/odd/{id}\", patch: \"/odd/{id}\", fields: [{ a: .deep.a }] }\ntools:\n  - { name: t, title: T, description: D, effect: write, steps: [{ patch: /odd/1, body: { b: '1' } }], changes: { odd: '1' } }\n";
    let odd = json!({"/odd/1": {"id": 1, "deep": "none"}});
    let served = Served::new(&format!("{HEAD}{yaml}"), odd);
    let outcome = served.write("t", json!({})).await.unwrap();
    let why = outcome.touched[0].not_kept.as_deref().unwrap();
    assert!(why.starts_with("it has not the form"), "{why}");

    // a credential that stands in a field is hidden, and would be written back so
    let board = Served::board();
    let token = "Bearer pat_of_the_tests_of_undoing";
    board.person_changes(CARD, json!({ "description": token }));
    let update = json!({"id": "c1", "status": "doing"});
    let outcome = board.write("card_update", update).await.unwrap();
    assert_eq!(
        outcome.touched[0].not_kept.as_deref(),
        Some("a field of it holds a credential of ours, which is hidden")
    );
}
