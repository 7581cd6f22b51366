//! All 18 tools, and those of the groups that are off, by a real client on stdio, Streamable HTTP
//! and HTTP+SSE.

use serde_json::json;

use crate::served::{Served, Via, items, settings};
use crate::stand_in::StandIn;
use crate::stand_in::sample::{GA_LAUNCH, HARDENING, MIGRATION, PILOT, PLATFORM, SPRINT, TOOLING};

pub(crate) const NOWHERE: &str = "00000000-0000-0000-0000-000000000000";

/// The tools of the reference.
pub(crate) const NAMES: [&str; 27] = [
    "find",
    "get_portfolio",
    "get_resource_heatmap",
    "get_sprint_daily_delta",
    "get_sprint_reforecast",
    "list_blocked_work",
    "list_program_risks",
    "list_resource_contention",
    "list_sprint_scope_changes",
    "list_projects",
    "get_project",
    "list_tasks",
    "get_task",
    "get_board_state",
    "get_schedule_summary",
    "list_risks",
    "get_monte_carlo_forecast",
    "whatif",
    "get_schedule_derivation",
    "get_release_forecast",
    "list_sprints",
    "get_sprint",
    "list_my_work",
    "list_programs",
    "get_program_health",
    "list_program_backlog",
    "whoami",
];

fn fenced(text: &str) -> String {
    format!("<untrusted-content>{text}</untrusted-content>")
}

async fn projects(served: &Served) {
    let found = served.succeed("list_projects", json!({})).await;
    assert_eq!((items(&found).len(), &found["total_count"]), (9, &json!(9)));
    let first = &items(&found)[0];
    assert_eq!(
        (&first["name"], &first["caller_role"]),
        (
            &json!(fenced("GA Marketing & Launch")),
            &json!("Project Manager")
        )
    );
    assert!(first.get("my_role").is_none() && first.get("my_role_label").is_none());
    for id in [PLATFORM, "Platform Migration", "platform-migration"] {
        let project = served
            .succeed("get_project", json!({ "project_id": id }))
            .await;
        assert_eq!(
            (&project["id"], &project["overview"]["spi"]),
            (&json!(PLATFORM), &json!(0.588)),
            "{project}"
        );
        assert!(project["caller_role"].is_string(), "{project}");
    }
}

async fn tasks(served: &Served) {
    let found = served
        .succeed("list_tasks", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(
        (items(&found).len(), &found["total_count"]),
        (32, &json!(32))
    );
    let found = served
        .succeed(
            "list_tasks",
            json!({ "project_id": PLATFORM, "status": "in_progress" }),
        )
        .await;
    assert_eq!(found["total_count"], 7);
    let found = served
        .succeed(
            "list_tasks",
            json!({ "project_id": PLATFORM, "is_critical": true, "type": "TASK" }),
        )
        .await;
    assert_eq!(found["total_count"], 9);
    let task = served
        .succeed("get_task", json!({ "task_id": PILOT }))
        .await;
    // what TruePPM only says when the project is named
    assert_eq!(
        (&task["baseline_start"], &task["spi"], &task["readiness"]),
        (&json!("2026-10-08"), &json!(0.6), &json!("baselined"))
    );
    assert_eq!(task["name"], fenced("Pilot data sync"));
    let board = served
        .succeed("get_board_state", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(
        (
            board["columns"].as_array().unwrap().len(),
            board["cards"].as_array().unwrap().len()
        ),
        (5, 32)
    );
    assert_eq!(board["columns"][2]["breach"], "over");
}

async fn schedule(served: &Served) {
    let summary = served
        .succeed("get_schedule_summary", json!({ "project_id": PLATFORM }))
        .await;
    let figures = [
        "cpm_finish",
        "p50",
        "p80",
        "p95",
        "spi",
        "critical_task_count",
    ]
    .map(|key| summary[key].clone());
    assert_eq!(
        figures,
        [
            json!("2026-12-19"),
            json!("2026-12-22"),
            json!("2026-12-28"),
            json!("2027-01-04"),
            json!(0.588),
            json!(9)
        ]
    );
    assert!(
        summary["note"]
            .as_str()
            .unwrap()
            .contains("hidden from this role"),
        "{summary}"
    );
    let monte_carlo = served
        .succeed("get_monte_carlo_forecast", json!({ "project_id": TOOLING }))
        .await;
    assert_eq!(monte_carlo["p80"], "2027-02-09");
    assert!(monte_carlo.get("distribution").is_none());
    let whatif = json!({ "project_id": PLATFORM, "task_id": PILOT, "duration_delta": 5, "n_simulations": 500 });
    let whatif = served.succeed("whatif", whatif).await;
    assert_eq!(
        (
            &whatif["applied"]["new_duration_days"],
            &whatif["delta_vs_current"]["p80"]
        ),
        (&json!(19), &json!(0))
    );
    assert_eq!(whatif["critical_path_changed"], false);
    let why = json!({ "project_id": PLATFORM, "task_id": PILOT, "quantity": "early_start" });
    let why = served.succeed("get_schedule_derivation", why).await;
    assert_eq!(
        (&why["binding"]["kind"], &why["task_name"]),
        (&json!("data_date"), &json!(fenced("Pilot data sync")))
    );
    let why = served
        .succeed(
            "get_schedule_derivation",
            json!({ "project_id": PLATFORM, "quantity": "p80" }),
        )
        .await;
    assert_eq!(why["value"], "2026-12-28");
    let release = served
        .succeed("get_release_forecast", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(release["status"], "warming_up");
    assert!(
        release["note"]
            .as_str()
            .unwrap()
            .contains("privacy setting"),
        "{release}"
    );
}

async fn the_rest(served: &Served) {
    let risks = served
        .succeed("list_risks", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(
        (items(&risks).len(), &items(&risks)[0]["response"]),
        (4, &json!("AVOID"))
    );
    let sprints = served
        .succeed("list_sprints", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(items(&sprints).len(), 10);
    let sprint = served
        .succeed("get_sprint", json!({ "sprint_id": SPRINT }))
        .await;
    assert_eq!(
        (&sprint["state"], sprint.get("health")),
        (&json!("ACTIVE"), None)
    );
    let work = served.succeed("list_my_work", json!({})).await;
    assert_eq!(
        (items(&work).len(), &work["due_today_count"]),
        (4, &json!(0))
    );
    assert_eq!(work["signals"]["schedule_health"]["band"], "critical");
    let programs = served.succeed("list_programs", json!({})).await;
    assert_eq!(
        (items(&programs).len(), &items(&programs)[0]["caller_role"]),
        (2, &json!("Program Admin"))
    );
    let health = served
        .succeed(
            "get_program_health",
            json!({ "program_id": "1.0 GA Launch" }),
        )
        .await;
    assert!(
        health["program_health"].is_string() && health["note"].as_str().unwrap().contains("KPI"),
        "{health}"
    );
    assert_eq!(
        served
            .succeed("get_program_health", json!({ "program_id": GA_LAUNCH }))
            .await,
        health
    );
    let backlog = served
        .succeed("list_program_backlog", json!({ "program_id": MIGRATION }))
        .await;
    assert_eq!(
        items(&backlog)[0]["title"],
        fenced("Flaky import on >10k rows")
    );
    assert_eq!(
        served.succeed("whoami", json!({})).await["username"],
        "dana"
    );
}

/// Groups that are off are not listed, and answer by name.
async fn groups(served: &Served) {
    let found = served.succeed("find", json!({ "q": "pilot data" })).await;
    assert_eq!(
        (items(&found).len(), &items(&found)[0]["id"]),
        (1, &json!(PILOT))
    );
    let found = served
        .succeed(
            "find_task",
            json!({ "project_id": PLATFORM, "short_id": "T-10" }),
        )
        .await;
    assert_eq!(items(&found)[0]["id"], PILOT);
    let found = served
        .succeed(
            "search_tasks",
            json!({ "project_id": PLATFORM, "q": "rehearsal" }),
        )
        .await;
    assert_eq!(items(&found)[0]["name"], fenced("Cutover rehearsal"));
    let listed = json!({ "project_id": PLATFORM, "search": "Cutover rehearsal" });
    let listed = served.succeed("list_tasks", listed).await;
    let short_id = &items(&listed)[0]["short_id"];
    assert!(short_id.as_str().unwrap().starts_with("T-"), "{listed}");
    assert_eq!(
        &items(&found)[0]["short_id"],
        short_id,
        "one form everywhere"
    );
    let blocked = served
        .succeed("list_blocked_work", json!({ "project_id": PLATFORM }))
        .await;
    assert!(
        !items(&blocked).is_empty()
            && items(&blocked)
                .iter()
                .all(|task| task["is_blocked"] == true)
    );
    assert_eq!(
        served
            .succeed("get_sprint_burndown", json!({ "sprint_id": SPRINT }))
            .await["committed_points"],
        44
    );
    let changes = served
        .succeed("list_sprint_scope_changes", json!({ "sprint_id": SPRINT }))
        .await;
    assert_eq!(
        (
            &changes["summary"]["total"],
            &changes["events"][0]["item_name"]
        ),
        (&json!(1), &json!(fenced("Hotfix")))
    );
    let decisions = served
        .succeed("list_decisions", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(items(&decisions)[0]["rationale"], fenced("Fewer users."));
    let heatmap = served
        .succeed("get_resource_heatmap", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(heatmap["resources"][0]["util"][0], 125);
    let schedule = served
        .succeed("get_program_schedule", json!({ "program_id": GA_LAUNCH }))
        .await;
    assert!(!schedule["projects"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_answers_on_every_transport_and_only_reads() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let served = Served::over(via, settings(&stand_in, "dana")).await;
        let names: Vec<String> = served
            .tools()
            .await
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect();
        let mut expected = NAMES.map(str::to_owned).to_vec();
        expected.push("query".to_owned());
        let mut listed = names.clone();
        expected.sort();
        listed.sort();
        assert_eq!(listed, expected, "{via:?}");
        projects(&served).await;
        tasks(&served).await;
        stand_in.world().a_minute_passes();
        schedule(&served).await;
        the_rest(&served).await;
        groups(&served).await;
        let log = served.end().await;
        assert!(log.contains("called"), "{log}");
        let world = stand_in.world();
        assert!(
            world.seen.len() > 40 && world.seen.iter().all(|asked| asked.method == "GET"),
            "{via:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_member_sees_the_velocity() {
    let stand_in = StandIn::start().await;
    let served = Served::over(Via::Stdio, settings(&stand_in, "maya")).await;
    let summary = served
        .succeed("get_schedule_summary", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(
        (
            summary.get("note"),
            &summary["velocity"]["rolling_avg_points"]
        ),
        (None, &json!(38.0)),
        "{summary}"
    );
    let release = served
        .succeed("get_release_forecast", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(
        (release.get("note"), &release["p80_date"]),
        (None, &json!("2026-12-17"))
    );
    served.end().await;
}

/// Made or renamed within the minute for which the list is kept; called by digits; called like
/// another one in other capitals.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_found_by_the_name_that_it_has_now() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let id_of = async |name: serde_json::Value| {
        let project = served
            .succeed(
                "get_project",
                json!({ "project_id": name, "fields": ["id"] }),
            )
            .await;
        project["id"].as_str().unwrap().to_owned()
    };
    let rename = |id: &str, name: &str| {
        let mut world = stand_in.world();
        world
            .projects
            .iter_mut()
            .find(|project| project["id"] == id)
            .unwrap()
            .insert("name".into(), json!(name));
    };
    assert_eq!(id_of(json!("Platform Migration")).await, PLATFORM);
    rename(HARDENING, "2026");
    assert_eq!(id_of(json!("2026")).await, HARDENING);
    assert_eq!(
        id_of(json!(2026)).await,
        HARDENING,
        "ids are texts here, so a number is a name"
    );
    rename(TOOLING, "platform migration");
    assert_eq!(
        id_of(json!("platform migration")).await,
        TOOLING,
        "not the one in other capitals"
    );
    served
        .refuse(
            "get_project",
            json!({ "project_id": "PLATFORM MIGRATION" }),
            &["more than one project", PLATFORM, TOOLING],
        )
        .await;
    let lists = || {
        stand_in
            .world()
            .lines()
            .into_iter()
            .filter(|line| line == "GET projects/")
            .count()
    };
    lists();
    served
        .refuse(
            "get_project",
            json!({ "project_id": "Nowhere" }),
            &["no project visible to this account called"],
        )
        .await;
    assert_eq!(lists(), 1, "a wrong name costs one reading of the list");
    served.end().await;
}
