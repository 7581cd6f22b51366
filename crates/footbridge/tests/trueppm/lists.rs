//! Lists of TruePPM: filters that do what they say, pages that are complete and cheap, links that
//! are only followed at home.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::served::{Served, Via, items, settings};
use crate::stand_in::sample::{HARDENING, PILOT, PLATFORM, SPRINT};
use crate::stand_in::{Odd, StandIn};

/// Requests for tasks, as the stand-in saw them.
fn asked_for_tasks(stand_in: &StandIn) -> Vec<String> {
    stand_in
        .world()
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("GET tasks/"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_that_trueppm_has_are_sent_and_unset_ones_are_not() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    served
        .succeed("list_tasks", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(
        asked_for_tasks(&stand_in),
        [format!(
            "GET tasks/?project={PLATFORM}&ordering=wbs_path&page_size=50"
        )]
    );
    let all = json!({ "project_id": PLATFORM, "status": "review", "sprint": SPRINT, "is_critical": false, "type": "Story", "limit": 5 });
    served.succeed("list_tasks", all).await;
    let sent = format!(
        "GET tasks/?project={PLATFORM}&status=REVIEW&sprint={SPRINT}&is_critical=false&type=story&ordering=wbs_path&page_size=5"
    );
    assert_eq!(asked_for_tasks(&stand_in), [sent]);
    served
        .refuse(
            "list_tasks",
            json!({ "project_id": PLATFORM, "status": "TODO" }),
            &["TODO", "NOT_STARTED"],
        )
        .await;
    served
        .refuse(
            "list_tasks",
            json!({ "project_id": PLATFORM, "type": "feature" }),
            &["feature", "tech_debt"],
        )
        .await;
    assert_eq!(asked_for_tasks(&stand_in), [""; 0]);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn assignee_and_updated_after_are_applied_here() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    {
        let mut world = stand_in.world();
        for (index, task) in world.tasks.iter_mut().enumerate() {
            task.insert(
                "assignee".into(),
                if index % 4 == 0 { json!(7) } else { json!(71) },
            );
            for key in ["edited_at", "status_changed_at", "latest_note_at"] {
                task.insert(key.into(), Value::Null);
            }
            task.insert("edited_at".into(), json!("2026-11-01T10:00:00.123456Z"));
        }
        world
            .task(PILOT)
            .insert("status_changed_at".into(), json!("2026-11-20T23:30:00Z"));
    }
    let mine = served
        .succeed(
            "list_tasks",
            json!({ "project_id": PLATFORM, "assignee": "7" }),
        )
        .await;
    let count = items(&mine).len();
    assert!(
        count > 4 && items(&mine).iter().all(|task| task["assignee"] == 7),
        "{mine}"
    );
    assert_eq!(mine["total_count"], json!(count));
    stand_in.world().lines();
    let by_word = served
        .succeed(
            "list_tasks",
            json!({ "project_id": PLATFORM, "assignee": "Me" }),
        )
        .await;
    assert_eq!(items(&by_word), items(&mine));
    assert!(
        asked_for_tasks(&stand_in)
            .iter()
            .all(|line| !line.contains("mine")),
        "that is about resources"
    );
    let number = served
        .succeed(
            "list_tasks",
            json!({ "project_id": PLATFORM, "assignee": 7 }),
        )
        .await;
    assert_eq!(items(&number), items(&mine));
    served
        .refuse(
            "list_tasks",
            json!({ "project_id": PLATFORM, "assignee": PILOT }),
            &["assignee"],
        )
        .await;

    let since = async |when: &str| {
        let found = served
            .succeed(
                "list_tasks",
                json!({ "project_id": PLATFORM, "updated_after": when }),
            )
            .await;
        items(&found)
            .iter()
            .map(|task| task["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for when in [
        "2026-11-20",
        "2026-11-20T23:30:00",
        "2026-11-20T23:29:59.9Z",
        "2026-11-21T01:30:00+02:00",
    ] {
        assert_eq!(since(when).await, [PILOT], "{when}");
    }
    for when in [
        "2026-11-21",
        "2026-11-20T23:30:01Z",
        "2026-11-20T23:30:00-00:01",
    ] {
        assert_eq!(since(when).await, [""; 0], "{when}");
    }
    assert_eq!(since("2026-11-01T10:00:00Z").await.len(), 32);
    let old = served
        .succeed(
            "list_tasks",
            json!({ "project_id": PLATFORM, "since": "2026-11-20" }),
        )
        .await;
    assert_eq!(items(&old)[0]["id"], PILOT);
    // the alias beside the name is a contradiction
    served
        .refuse(
            "list_tasks",
            json!({ "project_id": PLATFORM, "since": "2026-01-01", "updated_after": "2026-11-20" }),
            &["updated_after"],
        )
        .await;
    let wrong = json!({ "project_id": PLATFORM, "updated_after": "yesterday" });
    served
        .refuse(
            "list_tasks",
            wrong,
            &["updated_after must be a date or time"],
        )
        .await;
    served.end().await;
}

/// A thousand rows: every one once, in pages with a cursor, with at most three requests a page.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tasks_come_in_pages() {
    let stand_in = StandIn::start().await;
    {
        let mut world = stand_in.world();
        world.fill(HARDENING, 1_120);
        world.no_budgets();
        // links that name another host are followed at home
        world.host = Some("10.0.0.7:8000".into());
    }
    let served = Served::start(&stand_in).await;
    for limit in [50, 200, 1_000] {
        let (mut seen, mut cursor, mut pages) = (BTreeSet::new(), Value::Null, 0);
        loop {
            stand_in.world().lines();
            let page = served
                .succeed(
                    "list_tasks",
                    json!({ "project_id": HARDENING, "limit": limit, "cursor": cursor }),
                )
                .await;
            let requests = asked_for_tasks(&stand_in).len();
            assert!(requests <= 3, "{requests} requests for a page of {limit}");
            assert_eq!(page["total_count"], 1_120);
            for task in items(&page) {
                assert!(seen.insert(task["id"].to_string()), "twice: {task}");
            }
            pages += 1;
            cursor = page["next_cursor"].clone();
            if cursor.is_null() {
                break;
            }
            assert!(!items(&page).is_empty() && pages < 60);
        }
        assert_eq!(seen.len(), 1_120, "in pages of {limit}");
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_of_more_cards_than_fit_says_so() {
    let stand_in = StandIn::start().await;
    stand_in.world().fill(HARDENING, 200);
    let served = Served::start(&stand_in).await;
    let board = served
        .succeed("get_board_state", json!({ "project_id": HARDENING }))
        .await;
    assert_eq!(
        asked_for_tasks(&stand_in),
        [format!("GET tasks/?project={HARDENING}&page_size=200")]
    );
    assert_eq!(
        (
            board["cards"].as_array().unwrap().len(),
            board.get("cards_truncated")
        ),
        (200, None)
    );
    stand_in.world().fill(HARDENING, 201);
    let board = served
        .succeed("get_board_state", json!({ "project_id": HARDENING }))
        .await;
    assert_eq!(board["cards"].as_array().unwrap().len(), 200);
    assert_eq!(
        (&board["cards_truncated"], &board["total_card_count"]),
        (&json!(true), &json!(201))
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_bring_back_any_field() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let wanted = json!({ "project_id": PLATFORM, "limit": 1, "fields": ["wbs_path", "duration", "assignments"] });
    let found = served.succeed("list_tasks", wanted).await;
    let keys: BTreeSet<&str> = items(&found)[0]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert!(
        keys.is_superset(&BTreeSet::from(["id", "wbs_path", "duration"])),
        "{found}"
    );
    let task = served
        .succeed(
            "get_task",
            json!({ "task_id": PILOT, "fields": ["server_version", "can_edit"] }),
        )
        .await;
    let keys: BTreeSet<&str> = task
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        BTreeSet::from(["id", "server_version", "can_edit"]),
        "{task}"
    );
    let board = json!({ "project_id": PLATFORM, "fields": ["wbs_path", "name"] });
    let board = served.succeed("get_board_state", board).await;
    assert_eq!(
        (
            board["columns"].as_array().unwrap().len(),
            board["cards"].as_array().unwrap().len()
        ),
        (5, 32)
    );
    let keys: BTreeSet<&str> = board["cards"][0]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, BTreeSet::from(["id", "wbs_path", "name"]), "{board}");
    served
        .refuse(
            "get_board_state",
            json!({ "project_id": PLATFORM, "fields": ["colour"] }),
            &["colour", "wbs_path"],
        )
        .await;
    let project = served
        .succeed(
            "get_project",
            json!({ "project_id": PLATFORM, "fields": ["effective_mcp_enabled", "my_role"] }),
        )
        .await;
    assert_eq!(
        (
            &project["effective_mcp_enabled"],
            project["my_role"].is_number()
        ),
        (&json!(true), true),
        "{project}"
    );
    let curve =
        json!({ "project_id": PLATFORM, "fields": ["confidence_curve", "histogram_buckets"] });
    let curve = served.succeed("get_monte_carlo_forecast", curve).await;
    assert_eq!(curve["confidence_curve"].as_array().unwrap().len(), 60);
    served
        .refuse(
            "list_tasks",
            json!({ "project_id": PLATFORM, "fields": ["colour"] }),
            &["colour", "wbs_path"],
        )
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn my_work_goes_on_page_by_page() {
    let stand_in = StandIn::start().await;
    let variables = settings(&stand_in, "tom");
    let served = Served::over(Via::Stdio, variables).await;
    let (mut seen, mut cursor) = (BTreeSet::new(), Value::Null);
    for _ in 0..3 {
        let page = served
            .succeed("list_my_work", json!({ "limit": 5, "cursor": cursor }))
            .await;
        assert_eq!(page["total_count"], 13);
        assert!(page.get("first_page").is_none());
        seen.extend(items(&page).iter().map(|task| task["id"].to_string()));
        cursor = page["next_cursor"].clone();
    }
    assert_eq!((seen.len(), cursor), (13, Value::Null));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_its_label_else_its_number_else_left_out() {
    let stand_in = StandIn::start().await;
    {
        let mut world = stand_in.world();
        for (index, (label, number)) in [
            (json!("Viewer"), json!(1)),
            (Value::Null, json!(300)),
            (Value::Null, Value::Null),
        ]
        .into_iter()
        .enumerate()
        {
            let number_too = number.clone();
            world.projects[index].extend([
                ("my_role_label".to_owned(), label),
                ("my_role".to_owned(), number_too),
            ]);
        }
    }
    let served = Served::start(&stand_in).await;
    let found = served.succeed("list_projects", json!({})).await;
    let roles: Vec<Option<&Value>> = items(&found)
        .iter()
        .take(3)
        .map(|project| project.get("caller_role"))
        .collect();
    assert_eq!(roles, [Some(&json!("Viewer")), Some(&json!(300)), None]);
    assert!(
        items(&found)
            .iter()
            .all(|project| project.get("my_role").is_none())
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_that_names_a_next_one_is_no_end() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let whole = served
        .succeed("list_tasks", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(asked_for_tasks(&stand_in).len(), 1);
    let next = format!(
        "{}/api/v1/tasks/?ordering=wbs_path&page=1&project={PLATFORM}",
        stand_in.url
    );
    let odd = json!({ "count": 7, "next": next, "previous": null, "results": [] }).to_string();
    stand_in.world().answer_oddly("tasks/", Odd::body(200, odd));
    let found = served
        .succeed("list_tasks", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(
        (items(&found), found.get("next_cursor")),
        (items(&whole), None)
    );
    assert_eq!(asked_for_tasks(&stand_in).len(), 2);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_fails_once_is_asked_for_again() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    stand_in.world().answer_oddly("tasks/", Odd::body(503, ""));
    assert_eq!(
        served
            .succeed("list_tasks", json!({ "project_id": PLATFORM }))
            .await["total_count"],
        32
    );
    assert_eq!(asked_for_tasks(&stand_in).len(), 2);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_what_if_sends_exactly_what_was_given() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    stand_in.world().lines();
    let asked = json!({ "project_id": PLATFORM, "task_id": PILOT, "new_duration": 0 });
    let found = served.succeed("whatif", asked).await;
    assert_eq!(
        (&found["applied"]["new_duration_days"], &found["runs"]),
        (&json!(0), &json!(1_000))
    );
    let line = stand_in.world().lines().pop().unwrap();
    assert_eq!(
        line,
        format!("GET projects/{PLATFORM}/monte-carlo/whatif/?task_id={PILOT}&new_duration=0")
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_derivation_of_every_quantity_is_passed_on() {
    let stand_in = StandIn::start().await;
    stand_in
        .world()
        .task(PILOT)
        .insert("scheduled_start".into(), json!("2026-10-13"));
    let served = Served::start(&stand_in).await;
    for quantity in [
        "early_start",
        "early_finish",
        "late_start",
        "late_finish",
        "total_float",
        "free_float",
        "scheduled_start",
    ] {
        let asked = json!({ "project_id": PLATFORM, "task_id": PILOT, "quantity": quantity });
        let found = served.succeed("get_schedule_derivation", asked).await;
        assert_eq!(
            (
                &found["quantity"],
                found["contributions"].as_array().unwrap().len()
            ),
            (&json!(quantity), 4)
        );
        if quantity == "scheduled_start" {
            assert_eq!(found["value"], "2026-10-13");
        }
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sprint_has_the_health_of_its_project() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    stand_in.world().signals.insert(
        PLATFORM.into(),
        vec![json!({ "kind": "scope", "band": "at_risk" })],
    );
    let sprint = served
        .succeed("get_sprint", json!({ "sprint_id": SPRINT }))
        .await;
    assert_eq!(sprint["health"]["signals"][0]["band"], "at_risk");
    let mut alone = stand_in
        .world()
        .sprints
        .iter()
        .find(|sprint| sprint["id"] == SPRINT)
        .unwrap()
        .clone();
    alone.insert("project".into(), Value::Null);
    stand_in
        .world()
        .answer_oddly("sprints/", Odd::body(200, Value::Object(alone).to_string()));
    stand_in.world().lines();
    let sprint = served
        .succeed("get_sprint", json!({ "sprint_id": SPRINT }))
        .await;
    assert_eq!(
        (sprint.get("health"), stand_in.world().lines().len()),
        (None, 1)
    );
    served.end().await;
}

/// Upstream's guide tells clients to parse structured content; others would pay for it twice.
#[tokio::test(flavor = "multi_thread")]
async fn results_are_structured_content_too_where_the_operator_says_so() {
    let stand_in = StandIn::start().await;
    for (value, is_there) in [("true", true), ("false", false)] {
        let more = ("FOOTBRIDGE_STRUCTURED_RESULTS", value.to_owned());
        let variables = settings(&stand_in, "dana").into_iter().chain([more]);
        let served = Served::over(Via::Stdio, variables).await;
        let tools = served.tools().await;
        let lists = tools
            .iter()
            .find(|tool| tool["name"] == "list_tasks")
            .unwrap();
        assert_eq!(lists.get("outputSchema").is_some(), is_there, "{lists}");
        let arguments = json!({ "project_id": PLATFORM, "limit": 3 });
        let (text, structured) = served.both_forms("list_tasks", arguments).await;
        assert_eq!(structured.is_some(), is_there);
        if let Some(structured) = structured {
            assert_eq!(text, structured, "the same in both forms");
        }
        served.end().await;
    }
}
