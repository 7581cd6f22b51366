//! What TruePPM computes of a project: overview, board, forecasts, what-if, derivations. Figures
//! are the recorded ones where no state stands behind them.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::asked::Asked;
use super::recording::body;
use super::sample::{PILOT, PLATFORM};
use super::world::{Record, World};

/// Simulations that one run may have.
const CAP: i64 = 1_000;
const OF_TASKS: [&str; 7] = [
    "early_start",
    "early_finish",
    "late_start",
    "late_finish",
    "total_float",
    "free_float",
    "scheduled_start",
];
const OF_SIMULATIONS: [&str; 3] = ["p50", "p80", "p95"];

fn count(tasks: &[Record], is_counted: impl Fn(&Record) -> bool) -> usize {
    tasks.iter().filter(|task| is_counted(task)).count()
}

pub(crate) fn overview(world: &World, project: &str) -> Value {
    let mut overview = body("dana", &format!("projects/{PLATFORM}/overview/"));
    let tasks = world.tasks_of(project);
    overview["critical_task_count"] = json!(count(&tasks, |task| task["is_critical"] == true));
    overview["total_tasks"] = json!(tasks.len());
    overview["complete_tasks"] = json!(count(&tasks, |task| task["status"] == "COMPLETE"));
    overview["open_risk_count"] = json!(count(&world.risks, |risk| risk["project"] == project));
    overview
}

pub(crate) fn board(world: &World, project: &str) -> Value {
    let mut board = body("dana", &format!("projects/{PLATFORM}/board-config/"));
    let tasks = world.tasks_of(project);
    for column in board["columns"].as_array_mut().unwrap() {
        column["current_count"] = json!(count(&tasks, |task| task["status"] == column["status"]));
    }
    board
}

/// The team sees its velocity; others see that it is hidden.
pub(crate) fn forecast(world: &World, account: &str, project: &str) -> Value {
    let account = if world.in_team.contains(account) {
        "maya"
    } else {
        "dana"
    };
    let mut forecast = body(account, &format!("projects/{PLATFORM}/forecast/"));
    if project != PLATFORM {
        forecast["velocity"]["sprints"] = json!([]);
    }
    forecast
}

pub(crate) fn release(world: &World, account: &str, project: &str) -> Value {
    let is_shown = world.in_team.contains(account) && project == PLATFORM;
    body(
        if is_shown { "maya" } else { "dana" },
        &format!("projects/{PLATFORM}/sprint-forecast/"),
    )
}

fn number(asked: &Asked, name: &str) -> Result<Option<i64>, Answer> {
    let Some(text) = asked.parameter(name) else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| Answer::json(400, json!({ name: ["A valid integer is required."] })))
}

pub(crate) fn whatif(world: &World, asked: &Asked, project: &str) -> Result<Value, Answer> {
    let (delta, new) = (
        number(asked, "duration_delta")?,
        number(asked, "new_duration")?,
    );
    if delta.is_some() == new.is_some() {
        let text = "Supply exactly one of 'duration_delta' or 'new_duration'.";
        return Err(Answer::json(400, json!({ "non_field_errors": [text] })));
    }
    let runs = number(asked, "n_simulations")?.unwrap_or(CAP);
    if runs > CAP {
        let message = format!("This instance runs at most {CAP} simulations.");
        return Err(Answer::json(
            402,
            json!({ "error": "simulation_cap_exceeded", "tier": "community", "message": message }),
        ));
    }
    let id = asked.parameter("task_id").unwrap_or_default();
    let task = world
        .tasks
        .iter()
        .find(|task| task["id"] == id && task["project"] == project);
    let task = task.ok_or_else(|| {
        Answer::json(
            400,
            json!({ "task_id": ["This task is not part of the project."] }),
        )
    })?;
    if task["status"] == "BACKLOG" || task["is_milestone"] == true {
        return Err(Answer::json(
            400,
            json!({ "task_id": ["Only committed tasks can be perturbed."] }),
        ));
    }
    let recorded = format!(
        "projects/{PLATFORM}/monte-carlo/whatif/?task_id={PILOT}&duration_delta=5&n_simulations=500"
    );
    let mut answer = body("dana", &recorded);
    let base = task["duration"].as_i64().unwrap();
    let changed = new.unwrap_or(base + delta.unwrap_or_default());
    answer["task_id"] = json!(id);
    answer["runs"] = json!(runs);
    answer["applied"] = json!({ "base_duration_days": base, "duration_delta_days": changed - base, "new_duration_days": changed });
    if changed != base && world.slip != 0 {
        answer["critical_path_changed"] = json!(true);
        for key in ["p50", "p80", "p95", "cpm_finish"] {
            answer["delta_vs_current"][key] = json!(world.slip);
        }
    }
    Ok(answer)
}

pub(crate) fn derivation(world: &World, asked: &Asked, project: &str) -> Result<Value, Answer> {
    let quantity = asked.parameter("quantity").unwrap_or_default();
    if OF_SIMULATIONS.contains(&quantity) {
        let simulation = world
            .simulations
            .get(project)
            .ok_or_else(|| Answer::missing("MonteCarloRun"))?;
        let drivers = &simulation["sensitivity"];
        return Ok(json!({
            "quantity": quantity, "value": simulation[quantity], "pass": "monte_carlo", "cpm_finish": simulation["cpm_finish"],
            "delta_vs_cpm_days": simulation["delta_vs_cpm"][quantity], "drivers": drivers, "runs": simulation["runs"],
            "last_run_at": simulation["last_run_at"],
        }));
    }
    if !OF_TASKS.contains(&quantity) {
        let allowed: Vec<&str> = OF_TASKS.into_iter().chain(OF_SIMULATIONS).collect();
        return Err(Answer::detail(
            400,
            &format!("quantity must be one of: {}", allowed.join(", ")),
        ));
    }
    let Some(id) = asked.parameter("task_id") else {
        return Err(Answer::json(
            400,
            json!({ "task_id": ["This field is required."] }),
        ));
    };
    let task = world
        .tasks
        .iter()
        .find(|task| task["id"] == id && task["project"] == project);
    let task = task.ok_or_else(|| Answer::missing("Task"))?;
    let mut answer: Map<String, Value> = body(
        "dana",
        &format!("projects/{PLATFORM}/schedule/derivation/?task_id={PILOT}&quantity=early_start"),
    )
    .as_object()
    .unwrap()
    .clone();
    if id != PILOT || quantity != "early_start" {
        answer.insert("value".into(), task[quantity].clone());
    }
    answer.insert("task_id".into(), json!(id));
    answer.insert("task_name".into(), task["name"].clone());
    answer.insert("quantity".into(), json!(quantity));
    Ok(Value::Object(answer))
}
