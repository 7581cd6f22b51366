//! The questions that a project manager asks of TruePPM: the calls by default tools, and what the
//! answers cost a model. `docs/questions-trueppm.md` is made from here; `INSTA_UPDATE=always` writes
//! it anew.

use serde_json::{Value, json};

use crate::harness::questions::{Asked, QuestionPage, one};
use crate::served::Served;
use crate::stand_in::sample::{GA_LAUNCH, PLATFORM, SPRINT};
use crate::stand_in::{StandIn, World};

/// A plan with a baseline, something late, a sprint under way.
pub(crate) fn lively(world: &mut World) {
    for task in &mut world.tasks {
        if task["project"] != PLATFORM {
            continue;
        }
        let is_pilot = task["short_id_display"] == "T-10";
        task.insert("is_blocked".into(), json!(is_pilot));
        if is_pilot {
            task.insert("blocked_reason".into(), json!("Waits for the vendor."));
        }
        if task["status"] == "COMPLETE" {
            task.insert("edited_at".into(), json!("2026-11-20T10:00:00Z"));
        }
    }
    let sprint = world
        .sprints
        .iter_mut()
        .find(|sprint| sprint["id"] == SPRINT)
        .unwrap();
    sprint.insert("state".into(), json!("ACTIVE"));
    // risks of one project alone were recorded, and it is in no program
    let homes = world.projects.iter();
    let homes = homes.filter(|project| project["program"] == GA_LAUNCH);
    let homes: Vec<Value> = homes.map(|project| project["id"].clone()).collect();
    let mut of_program = world.risks.clone();
    for (number, (risk, home)) in of_program.iter_mut().zip(homes.iter().cycle()).enumerate() {
        risk.insert("id".into(), json!(format!("risk-{number}")));
        risk.insert("project".into(), home.clone());
    }
    world.risks.append(&mut of_program);
}

fn questions() -> Vec<Asked> {
    let here = |mut more: Value| {
        more["project_id"] = json!("Platform Migration");
        more
    };
    let tasks = |question, more: Value| one(question, "list_tasks", here(more));
    let sprint = |question, tool| one(question, tool, here(json!({ "sprint_id": "current" })));
    let launch = "1.0 GA Launch";
    vec![
        tasks(
            "What is late?",
            json!({ "late": true, "limit": 10, "fields": ["short_id", "name", "finish", "variance"] }),
        ),
        one(
            "When do we finish, with P80?",
            "get_monte_carlo_forecast",
            here(json!({ "fields": ["cpm_finish", "p50", "p80", "p95"] })),
        ),
        one(
            "Which projects are behind P80?",
            "get_portfolio",
            json!({ "behind": true }),
        ),
        tasks(
            "What is critical, and what nearly?",
            json!({ "is_critical": true, "limit": 10, "fields": ["short_id", "name", "finish", "total_float"] }),
        ),
        one(
            "What is on my plate this sprint?",
            "list_my_work",
            json!({ "limit": 10, "fields": ["short_id", "name", "status", "due"] }),
        ),
        one(
            "Which grave risks has a program?",
            "list_program_risks",
            json!({ "program_id": launch, "min_severity": 12 }),
        ),
        one(
            "What if T-10 slips five days?",
            "whatif",
            here(json!({ "task_id": "T-10", "duration_delta": 5 })),
        ),
        (
            "Which risk threatens the milestone, and why?",
            Ok(vec![
                (
                    "list_risks",
                    here(json!({ "fields": ["title", "severity", "status", "tasks"] })),
                ),
                (
                    "list_tasks",
                    here(
                        json!({ "milestone": true, "fields": ["short_id", "name", "finish", "linked_risks_count"] }),
                    ),
                ),
            ]),
        ),
        one(
            "Why does T-10 end when it does?",
            "get_schedule_derivation",
            here(json!({ "task_id": "T-10", "quantity": "early_finish" })),
        ),
        tasks(
            "What was done since Friday?",
            json!({ "status": ["COMPLETE"], "updated_after": "LAST", "fields": ["short_id", "name"] }),
        ),
        sprint("Will the sprint make it?", "get_sprint_reforecast"),
        sprint(
            "How did the scope of the sprint change?",
            "list_sprint_scope_changes",
        ),
        sprint(
            "What changed in the sprint since yesterday?",
            "get_sprint_daily_delta",
        ),
        one(
            "What is blocked, and by what?",
            "list_blocked_work",
            here(json!({})),
        ),
        one(
            "Who is overloaded next month?",
            "get_resource_heatmap",
            here(json!({ "start": "2026-11-30", "weeks": 4, "over": true })),
        ),
        one(
            "Which people do projects share?",
            "list_resource_contention",
            json!({ "program_id": launch, "start": "2026-11-30", "weeks": 8 }),
        ),
        one(
            "Which milestones come next in a program, and does it make its target?",
            "get_portfolio",
            json!({ "program_id": launch }),
        ),
        tasks(
            "How far is the plan from its baseline?",
            json!({ "late": true, "limit": 10, "fields": ["short_id", "baseline_finish", "finish", "variance"] }),
        ),
        one(
            "Who owns T-10?",
            "list_tasks",
            here(
                json!({ "search": "pilot data", "fields": ["short_id", "name", "who", "status"] }),
            ),
        ),
        one(
            "Where is T-10, of whichever project?",
            "find",
            json!({ "q": "T-10" }),
        ),
        (
            "How did P80 move in a month?",
            Err(
                "TruePPM keeps that in `monte-carlo/history`, which tokens of agents do not reach (401).",
            ),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_questions_of_a_project_manager_take_a_call_and_some_hundred_tokens() {
    let stand_in = StandIn::start().await;
    lively(&mut stand_in.world());
    let served = Served::start(&stand_in).await;
    let page = QuestionPage {
        file: "questions-trueppm.md",
        title: "What a project manager asks of TruePPM",
        place: "in a project of 32 tasks among nine projects",
        words: &[("LAST", "2026-11-20".to_owned())],
    };
    page.hold(&served, questions()).await;
    served.end().await;
}
