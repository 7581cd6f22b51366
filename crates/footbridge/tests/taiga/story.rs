//! What a user of Taiga does, through the program: by names, in complete lists, past a version
//! conflict.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::served::{Served, Via, items, settings};
use crate::stand_in::StandIn;

pub(crate) const OPEN: &str = "write,destroy";

#[tokio::test(flavor = "multi_thread")]
async fn a_story_by_names_from_finding_the_project_to_its_epic() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let served = Served::over(via, OPEN, settings(&stand_in)).await;
        tell_a_story(&stand_in, &served).await;
        contest_a_story(&stand_in, &served).await;
        served.end().await;
    }
}

async fn tell_a_story(stand_in: &StandIn, served: &Served) {
    let found = served
        .succeed("taiga_projects_list", json!({ "search": "example 1" }))
        .await;
    assert_eq!(
        items(&found)
            .iter()
            .map(|project| &project["slug"])
            .collect::<Vec<_>>(),
        ["project-1"]
    );
    let project = "project example 1";

    let in_progress = served
        .succeed(
            "taiga_stories_list",
            json!({ "project_id": project, "status": "IN PROGRESS" }),
        )
        .await;
    assert_eq!(in_progress["total_count"], 7);
    assert!(
        items(&in_progress)
            .iter()
            .all(|story| story["status"] == "In progress"),
        "{in_progress}"
    );

    let epic_ref = stand_in
        .world()
        .items
        .values()
        .find(|item| item.kind.path() == "epics" && item.project == 1)
        .unwrap()
        .reference;
    let epic_number = format!("#{epic_ref}");
    let new = json!({ "project_id": project, "subject": "Sort by age", "status": "ready", "tags": ["Wish"], "epic_id": epic_number });
    let story = served.succeed("taiga_stories_create", new).await;
    assert_eq!(
        (&story["status"], &story["tags"], &story["version"]),
        (&json!("Ready"), &json!(["wish"]), &json!(1))
    );
    let id = story["id"].clone();

    let assigned = served
        .succeed(
            "taiga_stories_update",
            json!({ "user_story_id": id, "assigned_to": "begoña flores" }),
        )
        .await;
    assert_eq!(assigned["assigned_to"], "Begoña Flores");
    let comment = served
        .succeed(
            "taiga_comments_add",
            json!({ "type": "story", "id": id, "comment": "Over to you, @user1" }),
        )
        .await;
    assert_eq!(
        (&comment["by"], &comment["item"]["id"]),
        (&json!("Administrator"), &id)
    );
    let moved = served
        .succeed(
            "taiga_stories_update",
            json!({ "user_story_id": id, "status": "in-progress", "sprint": "Sprint 2026-10-12" }),
        )
        .await;
    assert_eq!(
        (&moved["status"], &moved["sprint"]),
        (&json!("In progress"), &json!("Sprint 2026-10-12"))
    );

    let task = served
        .succeed(
            "taiga_tasks_create",
            json!({ "user_story_id": id, "subject": "Draw it", "status": "in progress" }),
        )
        .await;
    assert_eq!(
        (&task["user_story"], &task["status"]),
        (&id, &json!("In progress"))
    );

    let item = served
        .succeed(
            "taiga_item_get",
            json!({ "project": project, "ref": format!("#{}", story["ref"]) }),
        )
        .await;
    assert_eq!((&item["kind"], &item["id"]), (&json!("story"), &id));
    assert!(
        item["comments"][0]["comment"]
            .as_str()
            .unwrap()
            .contains("Over to you"),
        "{item}"
    );
    assert!(
        item["tasks"][0]["subject"]
            .as_str()
            .unwrap()
            .contains("Draw it"),
        "{item}"
    );
    assert_eq!(item["epics"][0]["ref"], epic_ref, "{item}");

    let of_epic = served
        .succeed(
            "taiga_stories_list",
            json!({ "project_id": project, "epic_id": epic_number }),
        )
        .await;
    assert!(
        items(&of_epic).iter().any(|story| story["id"] == id),
        "{of_epic}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_complete_page_by_page() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    for number in 0..40 {
        served
            .succeed(
                "taiga_stories_create",
                json!({ "project_id": 1, "subject": format!("Extra {number}") }),
            )
            .await;
    }
    let mut seen = Vec::new();
    let mut arguments = json!({ "project_id": "project-1", "limit": 25 });
    loop {
        let page = served
            .succeed("taiga_stories_list", arguments.clone())
            .await;
        assert_eq!(page["total_count"], 68);
        seen.extend(
            items(&page)
                .iter()
                .map(|story| story["id"].as_u64().unwrap()),
        );
        match page.get("next_cursor") {
            Some(cursor) if seen.len() < 100 => arguments["cursor"] = cursor.clone(),
            _ => break,
        }
    }
    assert_eq!(seen.len(), 68);
    assert_eq!(
        seen.into_iter().collect::<BTreeSet<_>>().len(),
        68,
        "none twice"
    );
    assert_eq!(
        stand_in.world().seen.logins,
        1,
        "one login serves every call"
    );
    served.end().await;
}

/// Versions merge when the fields are disjoint, and refuse when not.
async fn contest_a_story(stand_in: &StandIn, served: &Served) {
    let story = served
        .succeed(
            "taiga_stories_create",
            json!({ "project_id": 1, "subject": "Contested" }),
        )
        .await;
    let id = story["id"].clone();
    let update = |fields: Value| {
        let mut arguments = json!({ "user_story_id": id });
        arguments
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        arguments
    };
    served
        .succeed(
            "taiga_stories_update",
            update(json!({ "subject": "Theirs" })),
        )
        .await;
    let merged = served
        .succeed(
            "taiga_stories_update",
            update(json!({ "description": "Ours", "version": 1 })),
        )
        .await;
    assert_eq!(merged["version"], 3);
    served
        .refuse(
            "taiga_stories_update",
            update(json!({ "subject": "Ours", "version": 1 })),
            &["version", "3"],
        )
        .await;

    // Somebody changes the same field between our read and our write.
    stand_in.world().turned.meddle_with_next_patch = Some(("subject", json!("Theirs again")));
    served
        .refuse(
            "taiga_stories_update",
            update(json!({ "subject": "Ours" })),
            &["subject"],
        )
        .await;
    // Somebody changes another one.
    stand_in.world().turned.meddle_with_next_patch = Some(("description", json!("Theirs")));
    let merged = served
        .succeed(
            "taiga_stories_update",
            update(json!({ "subject": "Ours at last" })),
        )
        .await;
    assert!(
        merged["subject"].as_str().unwrap().contains("Ours at last"),
        "{merged}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_attributes_go_by_name_and_leave_the_others_alone() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let story = served
        .succeed(
            "taiga_stories_create",
            json!({ "project_id": 1, "subject": "With attributes" }),
        )
        .await;
    let id = story["id"].as_u64().unwrap();
    for (name, value) in [("Attribute 1", "one"), ("attribute 2", "two")] {
        served
            .succeed(
                "taiga_stories_update",
                json!({ "user_story_id": id, "custom_attributes": { name: value } }),
            )
            .await;
    }
    let kept = stand_in.world().items[&(crate::stand_in::Kind::Story, id)]
        .attributes
        .clone();
    assert_eq!(Value::Object(kept), json!({ "1": "one", "2": "two" }));
    let unknown = json!({ "user_story_id": id, "subject": "Not written", "custom_attributes": { "Colour": "red" } });
    served
        .refuse("taiga_stories_update", unknown, &["Colour", "Attribute 1"])
        .await;
    assert_eq!(
        stand_in.world().items[&(crate::stand_in::Kind::Story, id)].subject(),
        "With attributes",
        "nothing was half done"
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epic_is_linked_through_its_own_route_and_only_once() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let (epic, story) = {
        let world = stand_in.world();
        let epic = world
            .items
            .values()
            .find(|item| item.kind.path() == "epics" && item.project == 1)
            .unwrap();
        (epic.id, 1)
    };
    let link = json!({ "epic_id": epic, "user_story_id": story });
    let linked = served
        .succeed("taiga_epics_add_user_story", link.clone())
        .await;
    assert_eq!(
        (&linked["epic"], &linked["user_story"]),
        (&json!(epic), &json!(story))
    );
    served
        .refuse("taiga_epics_add_user_story", link, &["already"])
        .await;
    // The update sees that it is linked and goes on.
    let same = json!({ "user_story_id": story, "epic_id": epic });
    served.succeed("taiga_stories_update", same).await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reading_tool_answers_and_every_deleted_thing_is_gone() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let project = json!({ "project_id": "project-1" });
    let details = served.succeed("taiga_projects_get", project.clone()).await;
    assert_eq!(details["members"].as_array().unwrap().len(), 7);
    assert_eq!(
        details["story_statuses"],
        json!([
            "New",
            "Ready",
            "In progress",
            "Ready for test",
            "Done",
            "Archived"
        ])
    );
    for (tool, count) in [
        ("taiga_epics_list", 5),
        ("taiga_milestones_list", 3),
        ("taiga_tasks_list", 40),
        ("taiga_issues_list", 19),
        ("taiga_users_list", 7),
    ] {
        let page = served.succeed(tool, project.clone()).await;
        assert_eq!(
            (items(&page).len(), &page["total_count"]),
            (count, &json!(count)),
            "{tool}"
        );
    }
    let users = served
        .succeed(
            "taiga_users_list",
            json!({ "project_id": 1, "search": "USER1@" }),
        )
        .await;
    assert_eq!(
        (&users["items"][0]["full_name"], items(&users).len()),
        (&json!("Begoña Flores"), 1)
    );
    let everyone = served
        .succeed("taiga_users_list", json!({ "search": "perez" }))
        .await;
    assert_eq!(everyone["items"][0]["username"], "user5");
    let bugs = served
        .succeed(
            "taiga_issues_list",
            json!({ "project_id": 1, "type": "bug" }),
        )
        .await;
    assert!(
        items(&bugs).iter().all(|issue| issue["type"] == "Bug"),
        "{bugs}"
    );
    let statuses = served
        .succeed(
            "taiga_statuses_list",
            json!({ "project_id": 1, "type": "issue" }),
        )
        .await;
    assert_eq!(items(&statuses).len(), 7);
    let comments = served
        .succeed("taiga_comments_list", json!({ "type": "story", "id": 1 }))
        .await;
    assert_eq!(items(&comments).len(), 0);
    assert_eq!(
        served.text("echo", json!({ "message": "hello" })).await,
        "hello"
    );

    let issue = json!({ "project_id": 1, "subject": "Broken", "type": "Bug", "priority": "high", "severity": "minor" });
    let issue = served.succeed("taiga_issues_create", issue).await;
    assert_eq!(
        (&issue["type"], &issue["priority"], &issue["severity"]),
        (&json!("Bug"), &json!("High"), &json!("Minor"))
    );
    let changed = served
        .succeed(
            "taiga_issues_update",
            json!({ "issue_id": issue["id"], "type": "question" }),
        )
        .await;
    assert_eq!(changed["type"], "Question");
    let epic = served
        .succeed(
            "taiga_epics_create",
            json!({ "project_id": 1, "subject": "Large" }),
        )
        .await;
    served
        .succeed(
            "taiga_epics_update",
            json!({ "epic_id": epic["id"], "status": "ready" }),
        )
        .await;
    let story = served
        .succeed(
            "taiga_stories_create",
            json!({ "project_id": 1, "subject": "Short-lived" }),
        )
        .await;
    let task = served
        .succeed(
            "taiga_tasks_create",
            json!({ "project_id": 1, "subject": "On its own" }),
        )
        .await;
    let task_id = task["id"].clone();
    let due = served
        .succeed(
            "taiga_tasks_update",
            json!({ "task_id": task_id, "due_date": "2026-12-24" }),
        )
        .await;
    assert_eq!(due["due_date"], "2026-12-24");
    for (tool, argument, id) in [
        ("taiga_issues_delete", "issue_id", &issue["id"]),
        ("taiga_epics_delete", "epic_id", &epic["id"]),
        ("taiga_stories_delete", "user_story_id", &story["id"]),
        ("taiga_tasks_delete", "task_id", &task_id),
    ] {
        let deleted = served.confirmed(tool, json!({ argument: id })).await;
        assert_eq!(&deleted["deleted"], id);
        served.refuse(tool, json!({ argument: id }), &["404"]).await;
    }
    served.end().await;
}
