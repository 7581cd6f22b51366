//! Ways in which a real Taiga is not what the reference takes it for, where no story of a user
//! comes by. All of them are in `ledger`.

use serde_json::{Value, json};

use crate::harness::listening::Listening;
use crate::harness::sse::SseClient;
use crate::served::{Served, Via, items, settings};
use crate::stand_in::{PASSWORD, StandIn};

#[tokio::test(flavor = "multi_thread")]
async fn people_of_a_project_are_its_members_whoever_asks() {
    let stand_in = StandIn::start().await;
    for (account, sees_addresses) in [("admin", true), ("mcpbot", false)] {
        let variables = [
            ("TAIGA_BASE_URL", stand_in.api()),
            ("TAIGA_USERNAME", account.to_owned()),
            ("TAIGA_PASSWORD", PASSWORD.to_owned()),
        ];
        let served = Served::over(Via::Stdio, "read", variables).await;
        let people = served
            .succeed("taiga_users_list", json!({ "project_id": 1 }))
            .await;
        assert_eq!(
            (items(&people).len(), &people["total_count"]),
            (7, &json!(7)),
            "{account}"
        );
        assert!(
            items(&people)
                .iter()
                .all(|one| one["email"].is_string() == sees_addresses),
            "{account}: {people}"
        );
        assert!(
            items(&people)
                .iter()
                .all(|one| one["role"].is_string() && one["username"].is_string()),
            "{people}"
        );
        served.end().await;
    }
    assert!(
        !stand_in
            .world()
            .seen
            .lines()
            .contains(&"GET /projects/1/users"),
        "no such route"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_the_account_is_no_member_of_is_reached_by_its_id() {
    let stand_in = StandIn::start().await;
    stand_in
        .world()
        .projects
        .get_mut(&2)
        .unwrap()
        .members
        .retain(|member| *member != 12);
    let variables = [
        ("TAIGA_BASE_URL", stand_in.api()),
        ("TAIGA_USERNAME", "mcpbot".to_owned()),
        ("TAIGA_PASSWORD", PASSWORD.to_owned()),
    ];
    let served = Served::over(Via::Stdio, "read", variables).await;
    let mine = served.succeed("taiga_projects_list", json!({})).await;
    assert!(
        items(&mine).iter().all(|project| project["id"] != 2),
        "{mine}"
    );
    let found = served.succeed("taiga_projects_search", json!({})).await;
    let public = items(&found)
        .iter()
        .find(|project| project["id"] == 2)
        .unwrap();
    for id in [json!(2), json!("2"), public["slug"].clone()] {
        assert_eq!(
            served
                .succeed("taiga_projects_get", json!({ "project_id": id }))
                .await["slug"],
            public["slug"]
        );
        served
            .succeed(
                "taiga_stories_list",
                json!({ "project_id": id, "status": "new" }),
            )
            .await;
    }
    // Taiga itself says what may not be seen and what is not there.
    served
        .refuse(
            "taiga_projects_get",
            json!({ "project_id": 3 }),
            &["403", "This account may not do that"],
        )
        .await;
    served
        .refuse(
            "taiga_projects_get",
            json!({ "project_id": 99 }),
            &["404", "not visible to this account"],
        )
        .await;
    served
        .refuse(
            "taiga_projects_get",
            json!({ "project_id": "Projekt" }),
            &["there is no project called"],
        )
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_taiga_would_take_and_not_do_is_refused() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write").await;
    served
        .succeed(
            "taiga_comments_add",
            json!({ "type": "story", "id": 1, "comment": "First" }),
        )
        .await;
    for comment in ["", " \n\t"] {
        let empty = json!({ "type": "story", "id": 1, "comment": comment });
        served
            .refuse(
                "taiga_comments_add",
                empty,
                &["comment must hold some text"],
            )
            .await;
    }
    assert_eq!(stand_in.world().seen.of("PATCH /userstories/1").len(), 1);
    for (tool, arguments) in [
        ("taiga_stories_list", json!({ "project_id": 1, "page": 99 })),
        ("taiga_tasks_list", json!({ "project_id": 1, "page": 99 })),
        ("taiga_projects_search", json!({ "page": 99 })),
    ] {
        served
            .refuse(
                tool,
                arguments,
                &["404", "There is no such page", "leave it out"],
            )
            .await;
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_comes_with_the_item_not_with_the_list() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write").await;
    let new = json!({ "project_id": 1, "subject": "Described", "description": "At length." });
    let story = served.succeed("taiga_stories_create", new).await;
    let page = served
        .succeed(
            "taiga_stories_list",
            json!({ "project_id": 1, "limit": 100 }),
        )
        .await;
    let row = items(&page)
        .iter()
        .find(|row| row["id"] == story["id"])
        .unwrap();
    assert_eq!(
        (row.get("description"), row.get("epic")),
        (None, None),
        "Taiga has neither in a list"
    );
    let item = served
        .succeed(
            "taiga_item_get",
            json!({ "project": 1, "ref": story["ref"].to_string() }),
        )
        .await;
    assert!(
        item["description"].as_str().unwrap().contains("At length."),
        "{item}"
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_an_item_is_whole_or_counted() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write").await;
    let story = served
        .succeed(
            "taiga_stories_create",
            json!({ "project_id": 1, "subject": "Large" }),
        )
        .await;
    for (more, shown, said) in [
        (60, 60, Value::Null),
        (140, 200, Value::Null),
        (1, 200, json!(201)),
    ] {
        for number in 0..more {
            served
                .succeed(
                    "taiga_tasks_create",
                    json!({ "user_story_id": story["id"], "subject": format!("T{number}") }),
                )
                .await;
        }
        let item = served
            .succeed(
                "taiga_item_get",
                json!({ "project": 1, "ref": story["ref"].to_string() }),
            )
            .await;
        assert_eq!(
            (item["tasks"].as_array().unwrap().len(), &item["of"]),
            (shown, &said),
            "{more}"
        );
        assert!(
            item["tasks"][0]["subject"].as_str().unwrap().contains("T0"),
            "{item}"
        );
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_taken_at_every_address_that_was_ever_documented() {
    let stand_in = StandIn::start().await;
    let listening = Listening::start("taiga", &[], settings(&stand_in));
    for path in ["/sse/messages/", "/sse/sse/messages/", "/messages/"] {
        let mut client = SseClient::connect(&listening.url).await;
        assert!(
            client.address.contains("/sse/messages/?session_id="),
            "{}",
            client.address
        );
        client.address = client.address.replace("/sse/messages/", path);
        let tools = client.ask("tools/list", json!({})).await;
        assert!(
            tools["tools"]
                .as_array()
                .is_some_and(|tools| tools.len() > 10),
            "{path}"
        );
        let echo = client
            .ask(
                "tools/call",
                json!({ "name": "echo", "arguments": { "message": path } }),
            )
            .await;
        assert_ne!(echo["isError"], Value::Bool(true), "{path}");
    }
}
