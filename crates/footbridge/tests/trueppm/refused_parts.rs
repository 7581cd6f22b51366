//! What may not be read, or is gone, is said and never answered with an empty list.

use serde_json::json;

use crate::served::Served;
use crate::stand_in::sample::{ELSEWHERE, HARDENING, PLATFORM};
use crate::stand_in::{Odd, StandIn};
use crate::story::NOWHERE;

/// An empty list means that there is nothing, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_refused_and_not_empty() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    stand_in.world().opted_out.insert(HARDENING.into());
    let tools = [
        "list_tasks",
        "list_risks",
        "list_sprints",
        "get_board_state",
        "get_schedule_summary",
        "get_project",
    ];
    let tools = tools.into_iter().chain([
        "get_monte_carlo_forecast",
        "get_release_forecast",
        "list_blocked_work",
        "list_decisions",
    ]);
    for (project, needles) in [
        (HARDENING, ["403", "policy refusal (capability_scope)"]),
        (ELSEWHERE, ["403", "You must be a member of this project"]),
        (NOWHERE, ["404", "No Project matches the given query"]),
    ] {
        let mut said: Option<String> = None;
        for tool in tools.clone() {
            let refusal = served
                .refuse(tool, json!({ "project_id": project }), &needles)
                .await;
            assert!(
                !refusal.contains("Platform Migration"),
                "no list of others: {refusal}"
            );
            assert_eq!(
                said.get_or_insert_with(|| refusal.clone()),
                &refusal,
                "one sentence for all: {tool}"
            );
        }
    }
    for tool in ["get_program_health", "list_program_backlog"] {
        let refusal = served
            .refuse(
                tool,
                json!({ "program_id": NOWHERE }),
                &["404", "No Program matches"],
            )
            .await;
        assert!(!refusal.contains("(id "), "no list of others: {refusal}");
    }
    // what says nothing of who may read it, and is empty
    stand_in.world().opted_out.clear();
    let of_project = |view: &str| format!("projects/{PLATFORM}/{view}/");
    for (path, tool) in [
        ("tasks/search/".to_owned(), "search_tasks"),
        (of_project("blocked"), "list_blocked_work"),
        (of_project("decisions"), "list_decisions"),
    ] {
        for empty in [
            json!({ "count": 0, "next": null, "results": [] }),
            json!([]),
        ] {
            let empty = || Odd::body(200, empty.to_string());
            let arguments = || match tool {
                "search_tasks" => json!({ "project_id": PLATFORM, "q": "x" }),
                _ => json!({ "project_id": PLATFORM }),
            };
            stand_in.world().answer_oddly(&path, empty());
            assert_eq!(
                served.succeed(tool, arguments()).await,
                json!({ "items": [], "total_count": 0 })
            );
            stand_in.world().opted_out.insert(PLATFORM.into());
            stand_in.world().answer_oddly(&path, empty());
            served
                .refuse(
                    tool,
                    arguments(),
                    &["403", "policy refusal (capability_scope)"],
                )
                .await;
            stand_in.world().opted_out.clear();
        }
    }
    stand_in.world().risks.clear();
    let none = served
        .succeed("list_risks", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(none, json!({ "items": [], "total_count": 0 }));
    served.end().await;
}

/// A part that may not be read is named; the others are there.
#[tokio::test(flavor = "multi_thread")]
async fn a_summary_says_which_of_its_parts_are_missing() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let refused = Odd::body(403, r#"{"detail":"Your role may not read that."}"#);
    stand_in
        .world()
        .answer_oddly(&format!("projects/{PLATFORM}/monte-carlo/latest/"), refused);
    let summary = served
        .succeed("get_schedule_summary", json!({ "project_id": PLATFORM }))
        .await;
    let unavailable = summary["unavailable"]["simulation"]
        .as_str()
        .unwrap_or_else(|| panic!("{summary}"));
    assert!(
        unavailable.contains("Your role may not read that"),
        "{unavailable}"
    );
    assert_eq!(
        (&summary["cpm_finish"], &summary["p80"], summary.get("p95")),
        (&json!("2026-12-19"), &json!("2026-12-28"), None)
    );
    // never simulated: nothing is missing, there is nothing
    stand_in.world().simulations.clear();
    let summary = served
        .succeed("get_schedule_summary", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(summary.get("unavailable"), None);
    served.end().await;
}

/// Closed to agents after it was listed, and so still known by its name: an empty list is not
/// believed.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_was_closed_a_moment_ago_is_refused_and_not_empty() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let tools = [
        "list_tasks",
        "list_risks",
        "list_sprints",
        "get_board_state",
        "get_project",
        "get_monte_carlo_forecast",
    ];
    for tool in tools.into_iter().take(4) {
        served
            .succeed(tool, json!({ "project_id": PLATFORM }))
            .await;
    }
    let columns = format!("GET projects/{PLATFORM}/board-config/");
    let asked = stand_in
        .world()
        .lines()
        .into_iter()
        .filter(|line| *line == columns)
        .count();
    assert_eq!(
        asked, 1,
        "by the board itself: what is not empty is not asked about"
    );
    stand_in.world().opted_out.insert(PLATFORM.into());
    for tool in tools {
        served
            .refuse(
                tool,
                json!({ "project_id": PLATFORM }),
                &["403", "policy refusal (capability_scope)"],
            )
            .await;
    }
    served.end().await;
}
