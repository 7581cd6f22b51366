//! `idempotency_key`: a call that carries one is carried out once, at the same time, one after
//! another, and after a restart; and what is said when that cannot be promised. How long it is kept
//! is the store's, which its own crate tests.

use std::path::Path;

use serde_json::{Value, json};

use crate::served::{Served, Via, settings};
use crate::stand_in::{Odd, StandIn};

/// Serves the stand-in with its data kept in that directory.
async fn serve(via: Via, stand_in: &StandIn, data: &Path) -> Served {
    let data = ("FOOTBRIDGE_DATA", data.to_str().unwrap().to_owned());
    Served::over(via, "write", settings(stand_in).into_iter().chain([data])).await
}

fn task(key: &str, subject: &str) -> Value {
    json!({ "user_story_id": 1, "subject": subject, "idempotency_key": key })
}

fn created(stand_in: &StandIn) -> usize {
    stand_in.world().seen.of("POST /tasks").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_is_carried_out_once_however_often_it_is_made() {
    for via in [Via::Stdio, Via::Http] {
        let stand_in = StandIn::start().await;
        let data = tempfile::tempdir().unwrap();
        let served = serve(via, &stand_in, data.path()).await;
        let calls = (0..8).map(|_| served.succeed("taiga_tasks_create", task("k1", "Once")));
        let answers = futures_util::future::join_all(calls).await;
        assert_eq!(created(&stand_in), 1, "{via:?}: eight at once");
        assert!(
            answers
                .iter()
                .all(|answer| answer == &answers[0] && answer["subject"].is_string()),
            "{answers:?}"
        );
        let mut other_order = task("k1", "Once");
        other_order["user_story_id"] = json!("1");
        assert_eq!(
            served.succeed("taiga_tasks_create", other_order).await,
            answers[0],
            "what it means counts, not how it is written"
        );
        served.end().await;
        let served = serve(via, &stand_in, data.path()).await;
        assert_eq!(
            served
                .succeed("taiga_tasks_create", task("k1", "Once"))
                .await,
            answers[0],
            "{via:?}: after a restart"
        );
        assert_eq!(created(&stand_in), 1);
        served
            .succeed("taiga_tasks_create", task("k2", "Once"))
            .await;
        served.succeed("taiga_tasks_create", task("", "Once")).await;
        let mut twice = task("", "Once");
        twice["again"] = json!(true);
        served.succeed("taiga_tasks_create", twice).await;
        assert_eq!(
            created(&stand_in),
            4,
            "another key is another call, and an empty one is none"
        );
        let sent = stand_in.world().seen.last("POST /tasks").body.clone();
        assert!(
            sent.get("idempotency_key").is_none(),
            "the key is ours: {sent}"
        );
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_call_with_the_same_key_is_refused_and_the_difference_named() {
    let stand_in = StandIn::start().await;
    let data = tempfile::tempdir().unwrap();
    let served = serve(Via::Stdio, &stand_in, data.path()).await;
    served.succeed("taiga_tasks_create", task("k", "One")).await;
    let mut other = task("k", "Two");
    other["description"] = json!("More");
    let needles = [
        "\"k\" belongs to another call",
        "`subject` had another value",
        "`description` was not passed",
        "Nothing was done",
    ];
    let text = served.refuse("taiga_tasks_create", other, &needles).await;
    assert!(!text.contains("One"), "{text}");
    assert_eq!(created(&stand_in), 1);
    let long = "k".repeat(201);
    served
        .refuse(
            "taiga_tasks_create",
            task(&long, "One"),
            &["`idempotency_key` has 201 characters; at most 200"],
        )
        .await;
    served
        .succeed("taiga_tasks_create", task(&"k".repeat(200), "One"))
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_changed_nothing_may_be_made_again_and_one_that_may_have_is_told_so() {
    let stand_in = StandIn::start().await;
    let data = tempfile::tempdir().unwrap();
    let served = serve(Via::Stdio, &stand_in, data.path()).await;
    let mut misnamed = task("a", "One");
    misnamed["status"] = json!("Nowhere");
    served
        .refuse("taiga_tasks_create", misnamed, &["Nowhere"])
        .await;
    stand_in.world().turned.odd.push((
        "POST /tasks",
        Odd::body(400, r#"{"_error_message": "not today"}"#),
    ));
    served
        .refuse("taiga_tasks_create", task("a", "One"), &["not today"])
        .await;
    served.succeed("taiga_tasks_create", task("a", "One")).await;

    stand_in
        .world()
        .turned
        .odd
        .push(("POST /tasks", Odd::body(500, "")));
    served
        .refuse("taiga_tasks_create", task("b", "One"), &["is not known"])
        .await;
    let before = created(&stand_in);
    served
        .refuse(
            "taiga_tasks_create",
            task("b", "One"),
            &["\"b\" was begun at 20", "how it ended is not known"],
        )
        .await;
    assert_eq!(
        created(&stand_in),
        before,
        "nobody tries again by themselves"
    );
    served.end().await;

    // the program ends while the backend is at work
    stand_in
        .world()
        .turned
        .odd
        .push(("POST /tasks", Odd::Nothing));
    let served = serve(Via::Http, &stand_in, data.path()).await;
    let asked = served.call("taiga_tasks_create", task("c", "One"));
    let arrived = async {
        while created(&stand_in) == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        called = asked => panic!("nothing answers: {called:?}"),
        () = arrived => {}
    }
    drop(served);
    let served = serve(Via::Http, &stand_in, data.path()).await;
    served
        .refuse(
            "taiga_tasks_create",
            task("c", "One"),
            &["\"c\" was begun at 20", "it was interrupted"],
        )
        .await;
    assert_eq!(created(&stand_in), before + 1);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_kept_is_refused_before_anything_is_done() {
    let stand_in = StandIn::start().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let served = serve(Via::Stdio, &stand_in, &file).await;
    served
        .refuse(
            "taiga_tasks_create",
            task("k", "One"),
            &["could not be kept", "nothing was done"],
        )
        .await;
    assert_eq!(created(&stand_in), 0);
    served
        .refuse(
            "taiga_tasks_create",
            json!({ "user_story_id": 1, "subject": "One" }),
            &["could not be recorded", "nothing was sent", "--data"],
        )
        .await;
    assert_eq!(created(&stand_in), 0);
    served
        .succeed("taiga_tasks_list", json!({ "user_story_id": 1 }))
        .await;
    served.end().await;
}
