//! Undoing: fields put back around what people changed, records made again and deleted, calls taken
//! back by steps and by other tools.

use std::sync::{Arc, Mutex};

use footbridge_connector::{
    CallWay, ChangePlan, FieldVerdict, Obstacle, RecordAct, RecordNow, Touch, Transition,
};
use serde_json::{Value, json};

use crate::golden::connector_file;
use crate::guide;
use crate::scripted::HEAD;
use crate::undo_world::{Manner, Served};

const STORY: &str = "/api/v1/userstories/7";
const ATTRIBUTES: &str = "/api/v1/userstories/custom-attributes-values/7";
const CARD: &str = "/xapi2/data/card/c1";

/// The one field that somebody else has changed, with its three values.
fn conflict(plan: &ChangePlan) -> (String, [Option<Value>; 3]) {
    let conflicts: Vec<_> = plan.conflicts().collect();
    let [(_, field)] = conflicts.as_slice() else {
        panic!("{conflicts:?}");
    };
    let FieldVerdict::Conflict { before, ours, now } = field.verdict.clone() else {
        panic!("{field:?}");
    };
    (field.field.clone(), [before, ours, now])
}

#[tokio::test]
async fn what_people_changed_and_added_stays_and_the_rest_is_as_before() {
    let taiga = Served::taiga();
    let arguments = json!({"user_story_id": 7, "subject": "Log in", "status": "9", "tags": ["web", "auth"],
        "custom_attributes": {"Size": "large", "Risk": "high"}});
    let mut arguments = arguments;
    arguments["status"] = json!(9);
    let outcome = taiga
        .write("taiga_stories_update", arguments)
        .await
        .unwrap();
    // a person gives the story another subject, an attribute another value, and adds one
    taiga.person_changes(STORY, json!({"subject": "Enter", "milestone": 4}));
    let mut values = taiga.record(ATTRIBUTES)["attributes_values"].clone();
    values["2"] = json!("web");
    values["8"] = json!("theirs");
    taiga.person_changes(ATTRIBUTES, json!({ "attributes_values": values }));

    let plan = taiga.plan(&[&outcome.touched]).await;
    let (field, values) = conflict(&plan);
    assert_eq!(field, "subject");
    let three = ["Sign in", "Log in", "Enter"].map(|value| Some(json!(value)));
    assert_eq!(values, three);
    let at = taiga.scripted.seen().len();
    let undone = taiga.restore(&plan).await.unwrap();
    let story = taiga.record(STORY);
    assert_eq!(
        (&story["subject"], &story["milestone"], &story["status"]),
        (&json!("Enter"), &json!(4), &json!(1))
    );
    assert_eq!(story["tags"], json!(["web"]));
    assert_eq!(
        taiga.record(ATTRIBUTES)["attributes_values"],
        json!({"1": "small", "2": "web", "8": "theirs"}),
        "what is put back stands in the map as it is now"
    );
    let sent: Vec<_> = taiga
        .scripted
        .seen()
        .split_off(at)
        .into_iter()
        .filter(|seen| seen.method == "PATCH")
        .map(|seen| seen.body)
        .collect();
    let patch = json!({"status": 1, "tags": ["web"], "version": 5});
    assert!(sent.contains(&patch), "{sent:?}");

    // the undo is a change and is undone: what it put back is as the agent had left it
    let again = taiga.plan(&[&undone]).await;
    assert_eq!(again.conflicts().count(), 0);
    taiga.restore(&again).await.unwrap();
    let story = taiga.record(STORY);
    assert_eq!(
        (&story["subject"], &story["status"]),
        (&json!("Enter"), &json!(9))
    );
    assert_eq!(
        taiga.record(ATTRIBUTES)["attributes_values"],
        json!({"1": "large", "2": "web", "8": "theirs", "3": "high"})
    );
}

#[tokio::test]
async fn a_record_that_was_made_is_deleted_unless_somebody_changed_it() {
    let board = Served::board();
    let made = board
        .write("card_create", json!({"title": "Two"}))
        .await
        .unwrap();
    let path = format!("/xapi2/data/card/{}", made.touched[0].record.id);
    board.person_changes(&path, json!({"title": "Zwei"}));
    let plan = board.plan(&[&made.touched]).await;
    assert_eq!(plan.records[0].obstacles[0].why, Obstacle::FieldsDiffer);
    assert!(!plan.has_work());

    let made = board
        .write("card_create", json!({"title": "Three", "position": 2}))
        .await
        .unwrap();
    let path = format!("/xapi2/data/card/{}", made.touched[0].record.id);
    let plan = board.plan(&[&made.touched]).await;
    assert_eq!(plan.records[0].act, RecordAct::Delete);
    // somebody changes it after the plan
    board.person_changes(&path, json!({"title": "Drei"}));
    let error = board.restore(&plan).await.unwrap_err();
    assert!(
        error.is_conflict() && error.message().contains("it changed since"),
        "{error}"
    );
    board.person_changes(&path, json!({"title": "Three"}));
    let plan = board.plan(&[&made.touched]).await;
    assert_eq!(
        plan.records[0].obstacles[0].why,
        Obstacle::ChangedSince,
        "its version says that somebody was there"
    );

    let made = board
        .write("card_create", json!({"title": "Four"}))
        .await
        .unwrap();
    let path = format!("/xapi2/data/card/{}", made.touched[0].record.id);
    let plan = board.plan(&[&made.touched]).await;
    let undone = board.restore(&plan).await.unwrap();
    assert_eq!(board.record(&path), Value::Null);
    assert_eq!(undone[0].touch, Touch::Deletes);
    // and made again by undoing that
    let plan = board.plan(&[&undone]).await;
    let again = board.restore(&plan).await.unwrap();
    assert_eq!(again[0].name.as_deref(), Some("Four"));
    assert_eq!(again[0].instead_of, Some(undone[0].record.clone()));
}

#[tokio::test]
async fn a_deleted_record_is_made_again_with_what_only_that_needs() {
    let taiga = Served::taiga();
    let deleted = taiga
        .write("taiga_tasks_delete", json!({"task_id": 9}))
        .await
        .unwrap();
    let plan = taiga.plan(&[&deleted.touched]).await;
    assert_eq!(
        plan.records[0].lost.as_deref(),
        Some("Its number, comments, attachments and history.")
    );
    let made = taiga.restore(&plan).await.unwrap();
    let posted = taiga.scripted.seen();
    let posted = posted.iter().rfind(|seen| seen.method == "POST").unwrap();
    assert_eq!(
        posted.body,
        json!({"milestone": 2, "project": 1, "status": 4, "subject": "Draw", "tags": [], "user_story": 7}),
        "what there was not is not sent"
    );
    let Transition::Made { instead_of, .. } = made[0].transition() else {
        panic!("{made:?}");
    };
    assert_eq!(instead_of, Some(deleted.touched[0].record.clone()));
    assert_ne!(made[0].record.id, "9");
}

#[tokio::test]
async fn who_is_quicker_on_another_field_is_no_conflict_and_on_the_same_one_is() {
    let taiga = Served::taiga();
    let arguments = json!({"user_story_id": 7, "subject": "Log in"});
    let outcome = taiga
        .write("taiga_stories_update", arguments)
        .await
        .unwrap();
    let plan = taiga.plan(&[&outcome.touched]).await;
    let quicker =
        |body: Value| taiga.world.lock().unwrap().quicker = Some((STORY.to_owned(), body));
    quicker(json!({"subject": "Enter"}));
    let error = taiga.restore(&plan).await.unwrap_err();
    assert!(
        error.is_conflict()
            && error.message().contains("story 7 (#12 Log in)")
            && error.message().contains("subject changed since"),
        "{error}"
    );
    assert_eq!(taiga.record(STORY)["subject"], "Enter");
    taiga.person_changes(STORY, json!({"subject": "Log in"}));
    quicker(json!({"milestone": 8}));
    let undone = taiga.restore(&plan).await.unwrap();
    assert_eq!(
        undone[0].before.as_ref().unwrap().fields["milestone"],
        json!(8)
    );
    let story = taiga.record(STORY);
    assert_eq!(
        (&story["subject"], &story["milestone"]),
        (&json!("Sign in"), &json!(8))
    );
}

#[tokio::test]
async fn a_record_that_is_gone_and_one_that_never_was_are_told() {
    let board = Served::board();
    let update = json!({"id": "c1", "status": "doing"});
    let outcome = board.write("card_update", update).await.unwrap();
    let plan = board.plan(&[&outcome.touched]).await;
    board.world.lock().unwrap().records.remove(CARD);
    let error = board.restore(&plan).await.unwrap_err();
    assert!(
        error.is_conflict() && error.message().contains("it is gone"),
        "{error}"
    );
    let plan = board.plan(&[&outcome.touched]).await;
    assert_eq!(plan.records[0].fields[0].verdict, FieldVerdict::Gone);
    let backend = &board.scripted.backend;
    let gone = backend.read_image("card", "c1").await.unwrap();
    assert_eq!(gone.now, RecordNow::Gone);
    let error = backend.read_image("nowhere", "1").await.unwrap_err();
    assert!(
        error.message().contains("no record `nowhere` any more"),
        "{error}"
    );
    let mut other = plan.records[0].clone();
    other.record.connector = "elsewhere".to_owned();
    let error = backend.restore(&other, None).await.unwrap_err();
    assert!(
        error.message().contains("of the connector elsewhere"),
        "{error}"
    );
}

#[tokio::test]
async fn a_backend_that_answers_well_and_does_nothing_is_found_out() {
    let board = Served::board();
    let update = json!({"id": "c1", "status": "doing"});
    let outcome = board.write("card_update", update).await.unwrap();
    let made = board
        .write("card_create", json!({"title": "Two"}))
        .await
        .unwrap();
    let changed = board.plan(&[&outcome.touched]).await;
    let created = board.plan(&[&made.touched]).await;
    board.behaves(Manner::Idle);
    let undone = board.restore(&changed).await.unwrap();
    assert_eq!(undone[0].ignored().collect::<Vec<_>>(), ["status"]);
    let error = board.restore(&created).await.unwrap_err();
    assert!(error.message().contains("it is still there"), "{error}");
    // nothing is sent that cannot be recorded
    *board.witness.refuses.lock().unwrap() = Some("The disk is full.".to_owned());
    let at = board.lines().len();
    let error = board.restore(&changed).await.unwrap_err();
    assert_eq!(error.message(), "The disk is full.");
    assert_eq!(board.lines()[at..], [format!("GET {CARD}")]);
}

#[tokio::test]
async fn a_whole_record_is_put_where_the_backend_takes_no_parts() {
    let yaml = "upstream: { base: http://localhost }\nrecords:\n  note: { get: \"/notes/{id}\", put: \"/notes/{id}\", fields: [title, text] }\ntools:\n  - { name: t, title: T, description: D, effect: write, steps: [{ put: /notes/1, body: { title: '\"New\"', text: '\"a\"' } }], changes: { note: '1' } }\n";
    let notes = json!({"/notes/1": {"id": 1, "title": "Old", "text": "a"}});
    let served = Served::new(&format!("{HEAD}{yaml}"), notes);
    let outcome = served.write("t", json!({})).await.unwrap();
    served.person_changes("/notes/1", json!({"text": "theirs"}));
    let plan = served.plan(&[&outcome.touched]).await;
    served.restore(&plan).await.unwrap();
    let seen = served.scripted.seen();
    let put = seen.iter().rfind(|seen| seen.method == "PUT").unwrap();
    assert_eq!(put.body, json!({"title": "Old", "text": "theirs"}));
}

#[tokio::test]
async fn a_call_is_taken_back_by_its_steps_or_by_another_tool() {
    let parcel = json!({"id": 1, "label": "P", "tags": [], "depot": {"id": 1}, "revision": 1});
    let served = Served::new(
        &guide::file(),
        json!({"/v1/parcels/1": parcel, "/v1/parcels/1/hold": {}, "/v1/parcels/1/remarks/1": {}}),
    );
    let backend = &served.scripted.backend;
    let held = served.write("parcel_hold", json!({"id": 1})).await.unwrap();
    let values = held.undo_values.unwrap();
    let undone = backend.undo_call("parcel_hold", &values, CallWay::Back, served.options());
    assert_eq!(undone.await.unwrap().json, r#"{"released":1}"#);
    assert_eq!(served.lines().last().unwrap(), "DELETE /v1/parcels/1/hold");
    let kept =
        json!({"args": {"id": 1, "text": "x"}, "given": {}, "after": {"number": 1}, "steps": {}});
    let kept = kept.to_string();
    let undone = backend.undo_call("parcel_remark", &kept, CallWay::Back, served.options());
    assert_eq!(undone.await.unwrap().json, r#"{"undone":true}"#);
    assert_eq!(
        served.lines().last().unwrap(),
        "DELETE /v1/parcels/1/remarks/1"
    );
    for (tool, values, sentence) in [
        ("nowhere", "{}", "The tool `nowhere` is gone"),
        ("parcel_hold", "[1", "cannot be read"),
        (
            "parcel_print",
            "{}",
            "not undone by steps or by another tool",
        ),
        (
            "parcel_update",
            "{}",
            "not undone by steps or by another tool",
        ),
    ] {
        let error = backend.undo_call(tool, values, CallWay::Back, served.options());
        let error = error.await.unwrap_err();
        assert!(error.message().contains(sentence), "{tool}: {error}");
    }
}

#[tokio::test]
async fn steps_undo_only_what_the_call_itself_did() {
    let prompt = |shared: bool| {
        let prompt =
            json!({"id": "p", "name": "P", "owner": "ana", "shared": shared, "active_version": 1});
        let records = json!({"/prompts/p": prompt, "/prompts/p/share": {}});
        Served::new(&connector_file("ptm.yaml"), records)
    };
    for (was_shared, undone) in [(false, r#"{"undone":true}"#), (true, r#"{"undone":false}"#)] {
        let ptm = prompt(was_shared);
        let shared = ptm.write("share_prompt", json!({"prompt_id": "p"}));
        let shared = shared.await.unwrap();
        assert_eq!(shared.touched[0].record.kind, "prompt");
        let values = shared.undo_values.unwrap();
        let kept: Value = serde_json::from_str(&values).unwrap();
        assert_eq!(kept["before"]["shared"], was_shared);
        let backend = &ptm.scripted.backend;
        let taken = backend.undo_call("share_prompt", &values, CallWay::Back, ptm.options());
        assert_eq!(taken.await.unwrap().json, undone);
    }
}

#[tokio::test]
async fn numbers_of_others_are_written_back_as_they_were_written() {
    let yaml = "upstream: { base: http://localhost }\nrecords:\n  bag: { get: \"/bags/{id}\", patch: \"/bags/{id}\", fields: .things }\ntools:\n  - { name: t, title: T, description: D, effect: write, steps: [{ patch: /bags/1, body: '{things: {b: 1}}' }], changes: { bag: '1' } }\n";
    let bodies: Arc<Mutex<Vec<String>>> = Arc::default();
    let (state, sent) = (Arc::new(Mutex::new("0")), Arc::clone(&bodies));
    let stage = Arc::clone(&state);
    let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let (sent, stage) = (Arc::clone(&sent), Arc::clone(&stage));
        async move {
            if request.method() == http::Method::PATCH {
                let body = axum::body::to_bytes(request.into_body(), 1 << 16).await;
                let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
                sent.lock().unwrap().push(body);
                *stage.lock().unwrap() = "1";
            }
            let b = *stage.lock().unwrap();
            format!(r#"{{"id":1,"things":{{"z":1.10,"b":{b},"a":12345678901234567890123}}}}"#)
        }
    });
    let connector = footbridge_connector::compile("x.yaml", &format!("{HEAD}{yaml}")).unwrap();
    let settings = connector.settings(&|_| None).unwrap();
    let upstream = footbridge_connector::InProcess::<_, axum::body::Body>::new(router);
    let backend = connector.connect(settings, upstream);
    let options = footbridge_connector::Options {
        witness: Some(Arc::new(crate::undo_world::Witness::default())),
        ..Default::default()
    };
    let called = backend.call_with("t", serde_json::Map::new(), options);
    let touched = called.await.unwrap().touched.remove(0);
    let history = [footbridge_connector::PastChange {
        change: "c".to_owned(),
        record: touched.record.clone(),
        transition: touched.transition(),
        is_selected: true,
    }];
    let now = backend.read_image("bag", "1").await.unwrap();
    let plan = footbridge_connector::plan_undo(&history, &[(touched.record, now)].into());
    backend.restore(&plan.records[0], None).await.unwrap();
    assert_eq!(
        bodies.lock().unwrap().last().unwrap(),
        r#"{"things":{"z":1.10,"b":0,"a":12345678901234567890123}}"#
    );
}
