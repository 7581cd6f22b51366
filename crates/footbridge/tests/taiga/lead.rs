//! What a team lead does with Taiga: a sprint planned, run and closed, and items found and changed by
//! the numbers that people use; with the slips that are made on the way.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::served::{Served, items};
use crate::stand_in::{Kind, Odd, StandIn, World};

const OPEN: &str = "write,destroy";
/// Calls for a whole sprint.
const MOST_CALLS: usize = 15;
/// Stories of the sprint.
const STORIES: usize = 40;

/// A day from today in UTC, as Footbridge counts it.
fn day(days: i64) -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let days = jiff::Span::new().days(days);
    today.date().checked_add(days).unwrap().to_string()
}

fn reference(world: &World, kind: Kind, id: u64) -> u64 {
    world.items[&(kind, id)].reference
}

fn refs(outcome: &Value) -> Vec<String> {
    let done = outcome["done"].as_array().unwrap();
    done.iter().map(|one| one["ref"].to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sprint_of_forty_stories_is_planned_run_and_closed_by_names_and_numbers() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let calls = Cell::new(0);
    let call = async |tool: &str, mut arguments: Value| {
        calls.set(calls.get() + 1);
        arguments["project_id"] = json!("Project Example 1");
        served.succeed(tool, arguments).await
    };
    // planned
    let sprint = json!({ "name": "Sprint of the lead", "start": day(-3), "finish": day(11) });
    let sprint = call("taiga_sprints_create", sprint).await;
    assert_eq!(sprint["name"], "Sprint of the lead");
    let next = json!({ "name": "The one after", "start": day(12), "finish": day(26) });
    call("taiga_sprints_create", next).await;
    let subjects: Vec<String> = (1..=STORIES)
        .map(|number| format!("Story {number}"))
        .collect();
    let made = call(
        "taiga_items_create",
        json!({ "subjects": subjects, "sprint": "Sprint of the lead", "status": "Ready" }),
    )
    .await;
    let numbers = refs(&made);
    assert_eq!((numbers.len(), &made["failed"]), (STORIES, &json!([])));
    let points = json!({ "refs": numbers, "points": { "Back": 3, "ux": "1/2" } });
    let pointed = call("taiga_items_update", points).await;
    assert_eq!(refs(&pointed).len(), STORIES);
    for (person, part) in [("Angela Perez", 0..20), ("me", 20..40)] {
        let part = json!({ "refs": numbers[part], "assigned_to": person });
        call("taiga_items_update", part).await;
    }
    // two leave, and come back from the backlog
    let out = json!({ "refs": numbers[..2], "sprint": "backlog" });
    call("taiga_items_update", out).await;
    let in_again = json!({ "refs": numbers[..2], "sprint": "current" });
    call("taiga_items_update", in_again).await;
    // run
    let done =
        json!({ "refs": numbers[..30], "status": "done", "comment": "Shown in the review." });
    assert_eq!(
        call("taiga_items_update", done).await["done"][0]["status"],
        "Done"
    );
    let blocked = json!({ "refs": [numbers[30]], "blocked": "Waits for the contract." });
    call("taiga_items_update", blocked).await;
    let report = call("taiga_sprints_get", json!({ "burndown": true })).await;
    assert_eq!(
        report["points"],
        json!({ "total": 140.0, "done": 105.0 }),
        "{report}"
    );
    assert_eq!(report["stories"], json!({ "total": 40, "done": 30 }));
    assert_eq!(
        report["open_by_person"],
        json!({ "Administrator": { "stories": 10, "points": 35.0 } })
    );
    assert_eq!(report["blocked"][0]["ref"].to_string(), numbers[30]);
    assert_eq!(report["burndown"].as_array().unwrap().len(), 15);
    let board = call("taiga_board_get", json!({ "sprint": "current", "most": 3 })).await;
    let column = |name: &str| {
        let columns = board["columns"].as_array().unwrap();
        let found = columns.iter().find(|column| column["status"] == name);
        found.unwrap_or_else(|| panic!("{board}")).clone()
    };
    assert_eq!(
        (&column("Done")["count"], &column("Ready")["count"]),
        (&json!(30), &json!(10))
    );
    assert_eq!(column("Ready")["items"].as_array().unwrap().len(), 3);
    // closed
    let close = json!({ "sprint": "current", "closed": true, "move_open_to": "next" });
    let closed = call("taiga_sprints_update", close).await;
    assert_eq!(
        (&closed["closed"], &closed["failed"]),
        (&json!(true), &json!([])),
        "{closed}"
    );
    assert_eq!(closed["moved"].as_array().unwrap().len(), 10);
    let after = call("taiga_sprints_get", json!({ "sprint": "The one after" })).await;
    assert_eq!(after["stories"], json!({ "total": 10, "done": 0 }));
    assert!(calls.get() <= MOST_CALLS, "{} calls", calls.get());
    served.end().await;
}

/// Ids and fields of a story, without what counts its changes.
fn fields(world: &World, id: u64) -> Value {
    Value::Object(world.items[&(Kind::Story, id)].fields.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_or_made_together_is_undone_together() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let undo = async |tool: &str| {
        let mut of_tool = json!({ "tool": tool });
        let plan = served.succeed("changes_undo", of_tool.clone()).await;
        of_tool["digest"] = plan["digest"].clone();
        served.succeed("changes_undo", of_tool).await
    };
    let (numbers, before): (Vec<u64>, Value) = {
        let world = stand_in.world();
        let numbers = [1, 2, 3].map(|id| reference(&world, Kind::Story, id));
        (numbers.to_vec(), fields(&world, 2))
    };
    let change = json!({
        "project_id": 1, "refs": numbers, "sprint": "backlog", "points": { "UX": 5 }, "due_date": day(5), "blocked": "Rain",
        "watchers": ["me"]
    });
    served.succeed("taiga_items_update", change).await;
    assert_ne!(fields(&stand_in.world(), 2), before);
    undo("taiga_items_update").await;
    assert_eq!(fields(&stand_in.world(), 2), before);
    let count = stand_in.world().items.len();
    let many = json!({ "project_id": 1, "type": "issue", "subjects": ["One", "Two", "Three"] });
    served.succeed("taiga_items_create", many).await;
    assert_eq!(stand_in.world().items.len(), count + 3);
    undo("taiga_items_create").await;
    assert_eq!(stand_in.world().items.len(), count);
    // a sprint that was closed is open again, with its stories
    let close =
        json!({ "project_id": 1, "sprint": "id:1", "closed": true, "move_open_to": "id:2" });
    served.succeed("taiga_sprints_update", close).await;
    assert_eq!(fields(&stand_in.world(), 2)["milestone"], 2);
    assert!(stand_in.world().sprints[&1].closed);
    undo("taiga_sprints_update").await;
    assert_eq!(fields(&stand_in.world(), 2), before);
    assert!(!stand_in.world().sprints[&1].closed);
    served.end().await;
}

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
async fn of_ten_changes_the_third_is_refused_and_the_others_are_made() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let numbers: Vec<u64> = {
        let world = stand_in.world();
        (1..=10)
            .map(|id| reference(&world, Kind::Story, id))
            .collect()
    };
    let refusal = Odd::body(
        403,
        r#"{"_error_message":"You do not have permission to perform this action."}"#,
    );
    stand_in.world().turned.odd = vec![("PATCH /userstories/3", refusal)];
    let change = json!({ "project_id": 1, "refs": numbers, "status": "Done" });
    let outcome = served.succeed("taiga_items_update", change).await;
    assert_eq!(outcome["done"].as_array().unwrap().len(), 9, "{outcome}");
    let failed = outcome["failed"].as_array().unwrap();
    assert_eq!(
        (failed.len(), &failed[0]["ref"]),
        (1, &json!(numbers[2].to_string())),
        "{outcome}"
    );
    assert!(
        failed[0]["error"]
            .as_str()
            .unwrap()
            .contains("You do not have permission")
    );
    // and of many that are made
    let refusal = Odd::body(400, r#"{"subject":["Not this one."]}"#);
    stand_in.world().turned.odd = vec![("POST /tasks", refusal)];
    let subjects = json!({ "project_id": 1, "type": "task", "story": numbers[0], "subjects": ["One", "Two", "Three"] });
    let outcome = served.succeed("taiga_items_create", subjects).await;
    assert_eq!(outcome["done"].as_array().unwrap().len(), 2, "{outcome}");
    assert!(
        outcome["failed"][0]["subject"]
            .as_str()
            .unwrap()
            .contains("One")
    );
    // a number that is none here is told beside those that were changed
    let change = json!({ "project_id": 1, "refs": [numbers[0], 9_999], "status": "New" });
    let outcome = served.succeed("taiga_items_update", change).await;
    assert_eq!(
        (&outcome["done"][0]["status"], &outcome["failed"][0]["ref"]),
        (&json!("New"), &json!("9999"))
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slips_are_answered_with_a_sentence_each() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let number = { reference(&stand_in.world(), Kind::Story, 1) };
    // two sprints of one name
    let sprint = json!({ "project_id": 1, "name": "Twice", "start": day(1), "finish": day(9) });
    served.succeed("taiga_sprints_create", sprint.clone()).await;
    let mut again = sprint;
    again["again"] = json!(true);
    served
        .refuse(
            "taiga_sprints_create",
            again,
            &["Duplicated name", "no two sprints of one name"],
        )
        .await;
    {
        let mut world = stand_in.world();
        let twin = world.sprint_like(1, 77, "twice");
        world.sprints.insert(77, twin);
    }
    let ambiguous = json!({ "project_id": 1, "refs": [number], "sprint": "TWICE" });
    served
        .refuse(
            "taiga_items_update",
            ambiguous,
            &["more than one sprint", "77"],
        )
        .await;
    // a role and points that there are not
    let role = json!({ "project_id": 1, "refs": [number], "points": { "Tester": 3 } });
    served
        .refuse(
            "taiga_items_update",
            role,
            &["no role Tester", "UX, Design, Front, Back"],
        )
        .await;
    let points = json!({ "project_id": 1, "refs": [number], "points": { "UX": 4 } });
    served
        .refuse("taiga_items_update", points, &["no points of 4", "1/2"])
        .await;
    // dates: one of yesterday is set, and told; one before its start is not
    let past = json!({ "project_id": 1, "refs": [number], "due_date": day(-1) });
    let told = served.succeed("taiga_items_update", past).await;
    assert!(
        told["note"]
            .as_str()
            .unwrap()
            .contains("is in the past: today is"),
        "{told}"
    );
    assert_eq!(told["done"].as_array().unwrap().len(), 1);
    let past = json!({ "project": 1, "ref": number, "due_date": day(-1) });
    let told = served.succeed("taiga_stories_update", past).await;
    assert!(
        told["note"].is_string() && told["due_date"] == day(-1),
        "{told}"
    );
    let backwards =
        json!({ "project_id": 1, "name": "Backwards", "start": day(9), "finish": day(1) });
    served
        .refuse(
            "taiga_sprints_create",
            backwards,
            &["start must not be after finish"],
        )
        .await;
    // sprints by words
    let current = json!({ "project_id": 1, "sprint": "current" });
    served
        .refuse(
            "taiga_sprints_get",
            current,
            &["There is no current sprint", "Twice"],
        )
        .await;
    let itself =
        json!({ "project_id": 1, "sprint": "id:1", "closed": true, "move_open_to": "id:1" });
    served
        .refuse("taiga_sprints_update", itself, &["the sprint itself"])
        .await;
    // statuses, blanks, colours
    let status = json!({ "project_id": 1, "refs": [number], "status": "Nearly" });
    served
        .refuse(
            "taiga_items_update",
            status,
            &["no story status called Nearly", "Ready for test"],
        )
        .await;
    let blank = json!({ "project_id": 1, "subject": "  " });
    served
        .refuse(
            "taiga_stories_create",
            blank,
            &["subject must hold some text"],
        )
        .await;
    let colour = json!({ "project_id": 1, "subject": "Bright", "color": "red" });
    served
        .refuse("taiga_epics_create", colour, &["color"])
        .await;
    let ownerless = json!({ "project_id": 1, "subject": "Whose?", "user_story_id": null });
    served
        .refuse(
            "taiga_tasks_create",
            ownerless,
            &["user_story_id cannot be null"],
        )
        .await;
    let nothing = json!({ "issue_id": 1, "priority": null });
    served
        .refuse(
            "taiga_issues_update",
            nothing,
            &["always has a type, priority"],
        )
        .await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_one_of_every_create() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    for (tool, create) in [
        ("taiga_stories_create", json!({ "subject": "Once" })),
        ("taiga_issues_create", json!({ "subject": "Once" })),
        ("taiga_epics_create", json!({ "subject": "Once" })),
        ("taiga_tasks_create", json!({ "subject": "Once" })),
        ("taiga_items_create", json!({ "subjects": ["One", "Two"] })),
        (
            "taiga_sprints_create",
            json!({ "name": "Once", "start": day(1), "finish": day(2) }),
        ),
    ] {
        let mut create = create;
        create["project_id"] = json!(1);
        create["idempotency_key"] = json!(format!("key of {tool}"));
        let first = served.succeed(tool, create.clone()).await;
        assert_eq!(served.succeed(tool, create).await, first, "{tool}");
    }
    served.end().await;
}
