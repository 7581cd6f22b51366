//! What a team lead asks of single items of Taiga: read whole, found by number, triaged, and taken
//! out of an epic.

use serde_json::{Value, json};

use crate::lead::{OPEN, day, reference};
use crate::served::{Served, items};
use crate::stand_in::{Kind, StandIn};

#[tokio::test(flavor = "multi_thread")]
async fn items_are_read_and_changed_by_their_numbers() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let [story, task, issue, epic] = {
        let world = stand_in.world();
        [Kind::Story, Kind::Task, Kind::Issue, Kind::Epic].map(|kind| reference(&world, kind, 2))
    };
    let here = |number: u64| json!({ "project": "project-1", "ref": format!("#{number}") });
    let with = |number: u64, more: Value| {
        let mut arguments = here(number);
        arguments
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        arguments
    };
    for (tool, number, change) in [
        (
            "taiga_stories_update",
            story,
            json!({ "status": "Done", "due_date": "2099-01-31" }),
        ),
        ("taiga_tasks_update", task, json!({ "subject": "Renamed" })),
        ("taiga_issues_update", issue, json!({ "priority": "High" })),
        ("taiga_epics_update", epic, json!({ "color": "#a1b2c3" })),
        ("taiga_comments_add", issue, json!({ "comment": "Seen." })),
    ] {
        let changed = served.succeed(tool, with(number, change)).await;
        let told = if tool == "taiga_comments_add" {
            &changed["item"]
        } else {
            &changed
        };
        assert_eq!(told["ref"], number, "{tool}: {changed}");
    }
    let comments = served.succeed("taiga_comments_list", here(issue)).await;
    assert_eq!(items(&comments).len(), 1);
    let tasks = json!({ "project": 1, "ref": story });
    served.succeed("taiga_tasks_list", tasks).await;
    let task_of_story = json!({ "project": 1, "ref": story, "subject": "By number" });
    let made = served.succeed("taiga_tasks_create", task_of_story).await;
    assert_eq!(made["user_story"], 2);
    // a number is of one project and one kind of item
    for (tool, number) in [
        ("taiga_stories_update", task),
        ("taiga_stories_update", 9_999),
        ("taiga_tasks_update", story),
    ] {
        let change = with(number, json!({ "subject": "Not here" }));
        let needles = [
            "there is no",
            &number.to_string(),
            "one project",
            "taiga_item_get",
        ];
        served.refuse(tool, change, &needles).await;
    }
    let elsewhere = json!({ "project": 2, "ref": epic, "comment": "Where?" });
    served
        .refuse(
            "taiga_comments_add",
            elsewhere,
            &["There is no item", "in this project"],
        )
        .await;
    let neither = json!({ "subject": "Of what?" });
    served
        .refuse(
            "taiga_stories_update",
            neither,
            &["`ref` or `user_story_id` is required"],
        )
        .await;
    let both = with(story, json!({ "user_story_id": 2, "subject": "Which?" }));
    served
        .refuse("taiga_stories_update", both, &["pass one of them"])
        .await;
    let alone = json!({ "ref": story, "subject": "Whose?" });
    served
        .refuse("taiga_stories_update", alone, &["`project` is required"])
        .await;
    let words = json!({ "project": 1, "ref": "the login page", "subject": "Which?" });
    served
        .refuse("taiga_stories_update", words, &["digits"])
        .await;
    for (tool, number) in [("taiga_tasks_delete", task), ("taiga_issues_delete", issue)] {
        assert_eq!(served.confirmed(tool, here(number)).await["ref"], number);
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_read_whole_in_three_requests() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let number = {
        let mut world = stand_in.world();
        // nothing is defined beside, so nothing is asked about it
        world.attributes.clear();
        reference(&world, Kind::Story, 1)
    };
    let change = json!({
        "project_id": 1, "refs": [number], "points": { "Front": 8 }, "watchers": ["Angela Perez"], "blocked": "Waits.",
        "assigned_users": ["Begoña Flores", "me"], "comment": "And a word."
    });
    served.succeed("taiga_items_update", change).await;
    let asked_before = stand_in.world().seen.sent.len();
    let item = served
        .succeed("taiga_item_get", json!({ "project": 1, "ref": number }))
        .await;
    let asked: Vec<String> = stand_in.world().seen.lines()[asked_before..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect();
    assert_eq!(
        asked,
        [
            "GET /resolver",
            "GET /userstories/1",
            "GET /history/userstory/1"
        ]
    );
    assert_eq!(item["kind"], "story");
    assert_eq!(item["points_by_role"], json!({ "Front": "8" }));
    assert_eq!(item["watchers"], json!(["Angela Perez"]));
    assert_eq!(
        item["assigned_users"],
        json!(["Begoña Flores", "Administrator"])
    );
    assert_eq!(item["owner"], "Administrator");
    assert_eq!(
        (
            &item["blocked"],
            item["blocked_note"].as_str().unwrap().contains("Waits.")
        ),
        (&json!(true), true)
    );
    assert!(item["tasks"][0]["status"].is_string(), "{item}");
    assert!(
        item["comments"][0]["comment"]
            .as_str()
            .unwrap()
            .contains("And a word.")
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_attributes_of_every_kind_are_told_where_there_are_any() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let kinds = [
        (Kind::Story, "taiga_stories_update"),
        (Kind::Task, "taiga_tasks_update"),
        (Kind::Issue, "taiga_issues_update"),
        (Kind::Epic, "taiga_epics_update"),
    ];
    for (kind, tool) in kinds {
        let number = {
            let mut world = stand_in.world();
            world.attach(kind, 3, "plan.pdf", 2_048);
            world.attributes.get_mut(&(kind, 2)).unwrap()["type"] = json!("number");
            reference(&world, kind, 3)
        };
        let here = json!({ "project": 1, "ref": number });
        let mut change = here.clone();
        change["custom_attributes"] = json!({ "Attribute 1": "red", "attribute 2": 4 });
        served.succeed(tool, change.clone()).await;
        let item = served.succeed("taiga_item_get", here).await;
        assert_eq!(
            item["custom_attributes"],
            json!({ "Attribute 1": "red", "Attribute 2": 4 }),
            "{tool}"
        );
        assert_eq!(
            (
                &item["attachments"][0]["name"],
                &item["attachments"][0]["size"]
            ),
            (&json!("plan.pdf"), &json!(2048))
        );
        change["custom_attributes"] = json!({ "Attribute 2": "many" });
        served
            .refuse(tool, change.clone(), &["Attribute 2 is a number"])
            .await;
        change["custom_attributes"] = json!({ "Colour": "red" });
        served
            .refuse(tool, change, &["no custom attribute Colour", "Attribute 1"])
            .await;
    }
    let issue = { reference(&stand_in.world(), Kind::Issue, 3) };
    let issue = served
        .succeed(
            "taiga_item_get",
            json!({ "project": 1, "ref": issue, "comments": 0 }),
        )
        .await;
    for key in ["type", "priority", "severity", "owner"] {
        assert!(issue[key].is_string(), "{key}: {issue}");
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn triage_finds_what_nobody_has_what_is_blocked_and_what_changed() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    {
        let mut world = stand_in.world();
        let story = world.items.get_mut(&(Kind::Story, 4)).unwrap();
        story.fields.insert("is_blocked".into(), json!(true));
        story.fields.insert("due_date".into(), json!("2026-01-31"));
        let other = world.items.get_mut(&(Kind::Story, 5)).unwrap();
        other.fields.insert("assigned_to".into(), json!(11));
        other.fields.insert("assigned_users".into(), json!([11, 5]));
    }
    let find = async |mut more: Value| {
        more["project_id"] = json!(1);
        let page = served.succeed("taiga_stories_list", more).await;
        items(&page).to_vec()
    };
    let unassigned = find(json!({ "assigned_to": "nobody" })).await;
    assert!(
        !unassigned.is_empty()
            && unassigned
                .iter()
                .all(|story| story.get("assigned_to").is_none())
    );
    let mine = find(json!({ "assigned_to": "me" })).await;
    let shared = mine
        .iter()
        .find(|story| story["id"] == 5)
        .expect("a co-assignee is found");
    assert_eq!(shared["assigned_users"], json!([11, 5]));
    let blocked = find(json!({ "blocked": true })).await;
    assert_eq!((blocked.len(), &blocked[0]["blocked"]), (1, &json!(true)));
    let late = find(json!({ "due_before": day(0), "closed": false })).await;
    assert_eq!(late.len(), 1);
    assert!(find(json!({ "owner": "Angela Perez" })).await.is_empty());
    assert!(find(json!({ "changed_since": day(1) })).await.is_empty());
    let ordered = find(json!({ "order_by": "-created_date", "limit": 2 })).await;
    assert!(ordered[0]["id"].as_u64() > ordered[1]["id"].as_u64());
    let work = served.succeed("taiga_my_work", json!({})).await;
    let kinds: Vec<&str> = items(&work)
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    assert!(
        ["story", "task", "issue"]
            .iter()
            .all(|kind| kinds.contains(kind)),
        "{work}"
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_leaves_its_epic_by_number() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let (epic, id, story) = {
        let world = stand_in.world();
        let link = &world.links[0];
        (
            reference(&world, Kind::Epic, link.epic),
            link.epic,
            reference(&world, Kind::Story, link.story),
        )
    };
    let link = json!({ "project": 1, "epic_id": format!("#{epic}"), "ref": story });
    let gone = served
        .succeed("taiga_epics_remove_user_story", link.clone())
        .await;
    assert_eq!(gone["epic"], id);
    served
        .refuse(
            "taiga_epics_remove_user_story",
            link.clone(),
            &["does not belong to this epic"],
        )
        .await;
    served.succeed("taiga_epics_add_user_story", link).await;
    served.end().await;
}
