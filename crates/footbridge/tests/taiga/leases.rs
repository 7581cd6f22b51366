//! Leases of Taiga's records: the same as of the board's, though they are another's.

use serde_json::{Value, json};

use crate::served::{Served, Via, items, settings};
use crate::stand_in::StandIn;

/// Programs at the actions are told, and not held.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_told_who_has_the_story() {
    let stand_in = StandIn::start().await;
    let key = ("ACTION_PROXY_API_KEY", "planted-action-key".to_owned());
    let variables = settings(&stand_in).into_iter().chain([key]);
    let served = Served::over(Via::Http, "write", variables).await;
    let claim = json!({ "record": "story:1", "as": "codex-2" });
    served.succeed("claim", claim).await;
    let update = json!({ "story_id": 1, "subject": "A program's" });
    let sent = crate::harness::client::http()
        .post(format!("{}/actions/update_story", served.url()))
        .header("X-Api-Key", "planted-action-key")
        .body(update.to_string())
        .send()
        .await
        .unwrap();
    let header = sent.headers().get("footbridge-lease").cloned();
    assert!(sent.status().is_success(), "{sent:?}");
    let header = header.unwrap().to_str().unwrap().to_owned();
    assert!(header.contains("is leased by codex-2 until "), "{header}");
    served.end().await;
}

/// A program that writes too much is told to come back, and that it may.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_too_many_is_refused_for_a_while() {
    let stand_in = StandIn::start().await;
    let more = [
        ("ACTION_PROXY_API_KEY", "planted-action-key".to_owned()),
        ("FOOTBRIDGE_WRITES_PER_MINUTE", "1".to_owned()),
    ];
    let variables = settings(&stand_in).into_iter().chain(more);
    let served = Served::over(Via::Http, "write", variables).await;
    let update = async |subject: &str| {
        let update = json!({ "story_id": 1, "subject": subject });
        crate::harness::client::http()
            .post(format!("{}/actions/update_story", served.url()))
            .header("X-Api-Key", "planted-action-key")
            .body(update.to_string())
            .send()
            .await
            .unwrap()
    };
    assert!(update("One").await.status().is_success());
    let refused = update("Two").await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["footbridge-retry"], "safe");
    let why = String::from_utf8(refused.bytes().await.unwrap().to_vec()).unwrap();
    assert!(why.contains("try again in "), "{why}");
    assert_eq!(stand_in.world().seen.of("PATCH /userstories/1").len(), 1);
    // a client over MCP is another caller
    let update = json!({ "user_story_id": 1, "subject": "Three" });
    served.succeed("taiga_stories_update", update).await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_that_is_claimed_is_written_by_its_holder_alone() {
    for via in [Via::Stdio, Via::Http] {
        let stand_in = StandIn::start().await;
        let served = Served::over(via, "write", settings(&stand_in)).await;
        let stories = served
            .succeed("taiga_stories_list", json!({ "project_id": 1 }))
            .await;
        let first = items(&stories)[0].clone();
        let id = first["id"].as_i64().unwrap();
        let next = json!({
            "tool": "taiga_stories_list",
            "arguments": { "project_id": 1 },
            "kind": "story",
            "as": "codex-2",
        });
        let claimed = served.succeed("claim_next", next.clone()).await;
        assert_eq!(claimed["record"], format!("story:{id}"), "{claimed}");
        let another = served.succeed("claim_next", next).await;
        assert_ne!(another["record"], claimed["record"]);

        let update = |subject: &str| json!({ "user_story_id": id, "subject": subject });
        let with = |subject: &str, token: &Value| {
            let mut update = update(subject);
            update["lease"] = token.clone();
            update
        };
        let needles = ["is leased by codex-2 until", "Nothing was sent"];
        served
            .refuse("taiga_stories_update", update("Theirs"), &needles)
            .await;
        // its attributes are a record of their own at Taiga, and a part of it here
        let attributes =
            json!({ "user_story_id": id, "custom_attributes": { "Attribute 1": "x" } });
        served
            .refuse("taiga_stories_update", attributes, &needles)
            .await;
        let part = json!({ "record": format!("story_attributes:{id}") });
        let needles = ["a part of story", "claim story:ID"];
        served.refuse("claim", part, &needles).await;
        assert!(
            stand_in
                .world()
                .seen
                .of(&format!("PATCH /userstories/{id}"))
                .is_empty()
        );
        served
            .succeed("taiga_stories_update", with("Ours", &claimed["lease"]))
            .await;
        let sent = stand_in
            .world()
            .seen
            .last(&format!("PATCH /userstories/{id}"))
            .body
            .clone();
        assert!(sent.get("lease").is_none(), "the token is ours: {sent}");
        // what is not claimed is free
        let task = json!({ "user_story_id": id, "subject": "A task" });
        served.succeed("taiga_tasks_create", task).await;

        let release = json!({ "lease": claimed["lease"], "note": "half done" });
        served.succeed("release", release).await;
        served
            .refuse(
                "taiga_stories_update",
                with("Late", &claimed["lease"]),
                &["The lease of this token ended"],
            )
            .await;
        served.succeed("taiga_stories_update", update("Free")).await;
        let again = json!({ "record": format!("story:{id}") });
        let again = served.succeed("claim", again).await;
        assert_eq!(again["hand_over"]["by"], "codex-2");
        served.end().await;
    }
}
