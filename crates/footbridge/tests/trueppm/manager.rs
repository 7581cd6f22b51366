//! What a project manager asks of TruePPM: of all projects at once, of tasks and sprints by the names
//! and numbers that people use, of load and of what is late.

use serde_json::{Value, json};

use crate::served::{Served, items};
use crate::stand_in::StandIn;
use crate::stand_in::sample::{PILOT, SPRINT};

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_asks_by_names_and_numbers_over_projects_and_over_a_sprint() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    stand_in.world().no_budgets();
    let portfolio = served.succeed("get_portfolio", json!({})).await;
    let first = &items(&portfolio)[0];
    assert_eq!(
        (&first["finish"], &first["p80"]),
        (&json!("2026-12-19"), &json!("2026-12-28"))
    );
    assert_eq!(
        (&first["p80_days_late"], &first["late"]),
        (&json!(9), &json!(10))
    );
    let here = |more: Value| {
        let mut more = more;
        more["project_id"] = json!("platform migration");
        more
    };
    for named in [
        json!("T-10"),
        json!("t-10"),
        json!("10"),
        json!("Pilot data sync"),
    ] {
        let task = served
            .succeed("get_task", here(json!({ "task_id": named })))
            .await;
        assert_eq!(task["id"], PILOT, "{named}");
    }
    served
        .refuse(
            "get_task",
            here(json!({ "task_id": "T-987" })),
            &["there is no task called \"T-987\"", "find"],
        )
        .await;
    served
        .refuse(
            "get_task",
            json!({ "task_id": "T-10" }),
            &["`project_id` is required"],
        )
        .await;
    let found = served.succeed("find", json!({ "q": "T-10" })).await;
    assert!(
        items(&found).iter().any(|hit| hit["id"] == PILOT),
        "{found}"
    );
    let sprint = served
        .succeed("get_sprint", json!({ "sprint_id": SPRINT }))
        .await;
    let named = json!({ "sprint_id": sprint["name"] });
    let same = served.succeed("get_sprint", here(named)).await;
    assert_eq!(
        (&same["id"], &same["short_id"]),
        (&json!(SPRINT), &sprint["short_id"])
    );
    assert!(
        sprint["short_id"].as_str().unwrap().starts_with("SP-"),
        "{sprint}"
    );
    served
        .refuse(
            "get_sprint",
            here(json!({ "sprint_id": "No such" })),
            &["sprint"],
        )
        .await;
    for (tool, key) in [
        ("get_sprint_daily_delta", "completed"),
        ("get_sprint_reforecast", "p80"),
        ("get_sprint_outcome", "commitment"),
        ("list_sprint_carryover", "items"),
        ("get_sprint_capacity", "members"),
    ] {
        let answer = served.succeed(tool, json!({ "sprint_id": SPRINT })).await;
        assert!(answer.get(key).is_some(), "{tool}: {answer}");
    }
    for tool in ["list_product_backlog", "get_utilization"] {
        served.succeed(tool, here(json!({}))).await;
    }
    let over = json!({ "start": "2026-11-30", "weeks": 4, "over": true });
    let over = served.succeed("get_resource_heatmap", here(over)).await;
    assert_eq!(
        over["weeks"],
        json!(["2026-W49", "2026-W50", "2026-W51", "2026-W52"])
    );
    assert_eq!(over["resources"].as_array().unwrap().len(), 1, "{over}");
    served
        .refuse(
            "get_resource_heatmap",
            here(json!({ "weeks": 5 })),
            &["weeks is one of 4, 8, 12 and 16"],
        )
        .await;
    let shared = served
        .succeed(
            "list_resource_contention",
            json!({ "program_id": "1.0 GA Launch" }),
        )
        .await;
    assert_eq!(shared["total_count"], 1, "{shared}");
    let risks = served
        .succeed(
            "list_program_risks",
            json!({ "program_id": "1.0 GA Launch" }),
        )
        .await;
    assert!(risks["items"].is_array(), "{risks}");
    let late = served
        .succeed(
            "list_tasks",
            here(json!({ "late": true, "fields": ["short_id", "who", "variance", "status"] })),
        )
        .await;
    assert!(
        !items(&late).is_empty() && items(&late).iter().all(|task| task["status"] != "COMPLETE"),
        "{late}"
    );
    let several = json!({ "status": ["REVIEW", "IN_PROGRESS"], "finish_before": "2026-12-31", "search": "a" });
    let several = served.succeed("list_tasks", here(several)).await;
    let known = [json!("REVIEW"), json!("IN_PROGRESS")];
    assert!(
        items(&several)
            .iter()
            .all(|task| known.contains(&task["status"])),
        "{several}"
    );
    served.end().await;
}
