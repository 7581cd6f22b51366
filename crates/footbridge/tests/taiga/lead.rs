//! What a team lead does with Taiga: a sprint planned, run and closed, and items found and changed by
//! the numbers that people use; with the slips that are made on the way.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::served::Served;
use crate::stand_in::{Kind, Odd, StandIn, World};

pub(crate) const OPEN: &str = "write,destroy";
/// Calls for a whole sprint.
const MOST_CALLS: usize = 15;
/// Stories of the sprint.
const STORIES: usize = 40;

/// A day from today in UTC, as Footbridge counts it.
pub(crate) fn day(days: i64) -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let days = jiff::Span::new().days(days);
    today.date().checked_add(days).unwrap().to_string()
}

pub(crate) fn reference(world: &World, kind: Kind, id: u64) -> u64 {
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
