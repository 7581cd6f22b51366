//! Tasks: the filters that TruePPM has, and those that it takes and ignores; one task with and
//! without its project.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply, Size};
use super::asked::Asked;
use super::routes::{Caller, is_uuid};
use super::world::{Record, World};

const STATUSES: [&str; 6] = [
    "BACKLOG",
    "NOT_STARTED",
    "IN_PROGRESS",
    "REVIEW",
    "ON_HOLD",
    "COMPLETE",
];
const TYPES: [&str; 6] = ["epic", "story", "task", "bug", "spike", "tech_debt"];
/// What is only there when the project is named.
const OF_PROJECT: [&str; 5] = [
    "baseline_start",
    "baseline_finish",
    "spi",
    "spi_band",
    "schedule_variance_days",
];

fn invalid_uuid() -> Answer {
    Answer::json(400, json!(["Invalid input."]))
}

pub(crate) fn list(world: &World, asked: &Asked, caller: Caller<'_>) -> Reply {
    let Some(project) = asked.parameter("project") else {
        return Err(Answer::json(
            400,
            json!({ "project": ["This filter is required."] }),
        ));
    };
    Ok(Answer::page(
        asked,
        &chosen(world, asked, caller, project)?,
        Size::Chosen,
    ))
}

fn chosen(
    world: &World,
    asked: &Asked,
    caller: Caller<'_>,
    project: &str,
) -> Result<Vec<Record>, Answer> {
    if !is_uuid(project) {
        return Err(invalid_uuid());
    }
    if !world.is_member(caller, project) || world.is_closed(caller, project) {
        return Ok(Vec::new());
    }
    if let Some(sprint) = asked
        .parameter("sprint")
        .filter(|sprint| *sprint != "none" && !is_uuid(sprint))
    {
        return Err(Answer::json(
            400,
            json!({ "sprint": [format!("“{sprint}” is not a valid UUID.")] }),
        ));
    }
    let mut rows = world.tasks_of(project);
    // a value that is none of the choices matches nothing
    for (name, known) in [("status", &STATUSES), ("type", &TYPES)] {
        let values: Vec<&str> = asked.parameters(name).collect();
        if !values.is_empty() {
            // one of several will do
            let is_one = |value: &&&str| known.contains(*value);
            let values: Vec<&&str> = values.iter().filter(is_one).collect();
            rows.retain(|task| values.iter().any(|value| task[name] == **value));
        }
    }
    for (name, field, is_least) in [
        ("start__gte", "early_start", true),
        ("finish__lte", "early_finish", false),
    ] {
        if let Some(day) = asked.parameter(name) {
            let fits = |of: &str| if is_least { of >= day } else { of <= day };
            rows.retain(|task| task[field].as_str().is_some_and(fits));
        }
    }
    if let Some(words) = asked.parameter("search") {
        rows.retain(|task| has_in_its_name(task, words));
    }
    if let Some(short) = asked.parameter("short_id") {
        rows.retain(|task| task["short_id"] == short);
    }
    match asked.parameter("is_critical") {
        Some("true") => rows.retain(|task| task["is_critical"] == true),
        Some("false") => rows.retain(|task| task["is_critical"] == false),
        _ => {}
    }
    match asked.parameter("sprint") {
        Some("none") => rows.retain(|task| task["sprint"].is_null()),
        Some(sprint) => rows.retain(|task| task["sprint"] == sprint),
        None => {}
    }
    if asked.parameter("mine") == Some("true") {
        // those on which one is booked as a resource, whoever they are assigned to
        let me = &world.accounts[caller.account]["display_name"];
        let is_mine = |task: &Record| {
            task["assignments"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one["resource_name"] == *me))
        };
        rows.retain(is_mine);
    }
    rows.sort_by_key(|task| task["id"].as_str().unwrap().to_owned());
    if asked.parameter("ordering") == Some("wbs_path") {
        let place = |task: &Record| -> Vec<u32> {
            let path = task["wbs_path"].as_str().unwrap_or_default();
            path.split('.')
                .map(|part| part.parse().unwrap_or(u32::MAX))
                .collect()
        };
        rows.sort_by_key(place);
    }
    Ok(rows)
}

/// By words of the name; a form of our own.
pub(crate) fn search(world: &World, asked: &Asked, caller: Caller<'_>) -> Reply {
    let (Some(project), Some(words)) = (asked.parameter("project"), asked.parameter("q")) else {
        return Err(Answer::detail(400, "project and q are required."));
    };
    let mut rows = chosen(world, asked, caller, project)?;
    rows.retain(|task| has_in_its_name(task, words));
    // its number in the form of the API alone
    for row in &mut rows {
        row.remove("short_id_display");
    }
    Ok(Answer::page(asked, &rows, Size::Fixed))
}

pub(crate) fn one(world: &World, asked: &Asked, caller: Caller<'_>, id: &str) -> Reply {
    let missing = || Answer::missing("Task");
    let found = world
        .tasks
        .iter()
        .find(|task| task["id"] == id)
        .ok_or_else(missing)?;
    let project = found["project"].as_str().unwrap();
    if !world.is_member(caller, project) || world.is_closed(caller, project) {
        return Err(missing());
    }
    let mut task = found.clone();
    if asked.parameter("project") != Some(project) {
        for key in OF_PROJECT {
            task.insert(key.into(), Value::Null);
        }
        if task["readiness"] == "baselined" {
            task.insert("readiness".into(), json!("estimated"));
        }
    }
    Ok(Answer::ok(Value::Object(task)))
}

fn has_in_its_name(task: &Map<String, Value>, words: &str) -> bool {
    let name = task["name"].as_str().unwrap().to_lowercase();
    name.contains(&words.to_lowercase())
}
