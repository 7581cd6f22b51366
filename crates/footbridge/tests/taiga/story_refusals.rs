//! What a user of Taiga is refused, and in which words: names, tokens, writes, paths.

use serde_json::json;

use crate::served::Served;
use crate::stand_in::StandIn;
use crate::story::OPEN;

#[tokio::test(flavor = "multi_thread")]
async fn unknown_and_ambiguous_names_are_answered_with_the_choices() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let by_status = |status: &str| json!({ "project_id": 1, "status": status });
    served
        .refuse("taiga_stories_list", by_status("Redy"), &["Redy", "Ready"])
        .await;
    let by_member = json!({ "project_id": 1, "assigned_to": "Somebody" });
    served
        .refuse(
            "taiga_stories_list",
            by_member,
            &["Somebody", "Angela Perez"],
        )
        .await;
    served
        .refuse(
            "taiga_stories_list",
            json!({ "project_id": "Projekt" }),
            &["Projekt"],
        )
        .await;
    served
        .refuse(
            "taiga_projects_get",
            json!({ "project_id": 1, "slug": "project-1" }),
            &["Provide either project_id or slug, but not both"],
        )
        .await;
    served
        .refuse(
            "taiga_tasks_list",
            json!({ "status": "New" }),
            &["project_id is required when filtering by status name"],
        )
        .await;
    served
        .refuse(
            "taiga_stories_update",
            json!({ "user_story_id": 1 }),
            &["At least one field must be provided to update the story"],
        )
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_end_and_throttling_passes_without_the_user_seeing_it() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    served.succeed("taiga_projects_list", json!({})).await;
    stand_in.world().expire_access_tokens();
    served.succeed("taiga_projects_list", json!({})).await;
    let logins = stand_in.world().seen.logins;
    let seen = (logins, stand_in.world().seen.refreshes);
    assert_eq!(seen, (1, 1));
    stand_in.world().turn_throttle(1, 1);
    served.succeed("taiga_projects_list", json!({})).await;
    stand_in.world().turn_throttle(1, 4000);
    served
        .refuse(
            "taiga_projects_list",
            json!({}),
            &["after 20", "(in 67 min)"],
        )
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_waits_for_the_operator() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "read").await;
    let names: Vec<_> = served
        .tools()
        .await
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        names.contains(&"taiga_stories_list".to_owned())
            && !names.contains(&"taiga_stories_create".to_owned()),
        "{names:?}"
    );
    served
        .refuse(
            "taiga_stories_create",
            json!({ "project_id": 1, "subject": "x" }),
            &["--allow"],
        )
        .await;
    served.succeed("taiga.projects.list", json!({})).await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_never_leaves_its_place() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    for name in [
        "../auth/me",
        "1/../../users/me",
        "1?member=1",
        "1#x",
        "%2e%2e/users",
        ".",
        "..",
        "1&project=2",
    ] {
        served
            .refuse("taiga_stories_list", json!({ "project_id": name }), &[])
            .await;
        served
            .refuse("taiga_item_get", json!({ "project": 1, "ref": name }), &[])
            .await;
    }
    served
        .refuse(
            "taiga_stories_update",
            json!({ "user_story_id": "1/../2", "subject": "x" }),
            &["user_story_id"],
        )
        .await;
    let known = [
        "/auth",
        "/users/me",
        "/projects",
        "/projects/1",
        "/projects/by_slug",
        "/userstories/by_ref",
        "/tasks/by_ref",
        "/issues/by_ref",
        "/epics/by_ref",
    ];
    let strays: Vec<_> = stand_in
        .world()
        .seen
        .lines()
        .into_iter()
        .filter(|line| !known.contains(&line.split(' ').nth(1).unwrap()))
        .map(str::to_owned)
        .collect();
    assert!(strays.is_empty(), "{strays:?}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_taiga_refuses_is_told_in_its_own_words_and_a_failed_login_in_ours() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let blocked = json!({ "project_id": "project-4", "subject": "x" });
    served
        .refuse(
            "taiga_stories_create",
            blocked,
            &["451", "Blocked element", "administrator"],
        )
        .await;
    served
        .refuse(
            "taiga_stories_update",
            json!({ "user_story_id": 99999, "subject": "x" }),
            &["404"],
        )
        .await;
    let foreign = json!({ "project_id": 1, "subject": "x", "assigned_to": "8" });
    served.refuse("taiga_stories_create", foreign, &["8"]).await;
    stand_in.world().expire_access_tokens();
    stand_in.world().refresh_tokens.clear();
    stand_in.world().turned.refuse_logins = true;
    served
        .refuse("taiga_projects_list", json!({}), &["TAIGA_PASSWORD"])
        .await;
    stand_in.world().turned.refuse_logins = false;
    served.succeed("taiga_projects_list", json!({})).await;
    served.end().await;
}
