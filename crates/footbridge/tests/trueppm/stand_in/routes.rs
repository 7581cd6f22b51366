//! Which request is answered how: who asks, what their token reaches, then the records. Reads only;
//! every change is refused.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply, Size};
use super::asked::Asked;
use super::recording::body;
use super::schedule;
use super::tasks;
use super::views;
use super::world::{Record, Scope, World};

/// Views that agents do not reach.
const NOT_FOR_AGENTS: [&str; 6] = [
    "dependencies",
    "calendars",
    "members",
    "velocity",
    "baselines",
    "agent-actions",
];
/// Views that compute, and have a budget of their own.
const COMPUTED: [&str; 4] = ["forecast", "sprint-forecast", "latest", "whatif"];

/// Answers one request.
pub(crate) fn answer(world: &mut World, asked: &Asked) -> Answer {
    let Some(path) = asked.path.strip_suffix('/') else {
        let to = format!("/api/v1/{}/", asked.path);
        return Answer::json(301, json!({})).with("location", to);
    };
    let path: Vec<&str> = path.split('/').collect();
    checked(world, asked, &path).unwrap_or_else(|refusal| refusal)
}

fn checked(world: &mut World, asked: &Asked, path: &[&str]) -> Reply {
    let Some(bearer) = asked.bearer() else {
        return Err(
            Answer::detail(401, "Authentication credentials were not provided.")
                .with("www-authenticate", "Bearer"),
        );
    };
    let digits = bearer
        .strip_prefix("tppm_")
        .filter(|digits| digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if digits.is_none() {
        return Err(
            Answer::detail(401, "Given token not valid for any token type")
                .with("www-authenticate", "Bearer"),
        );
    }
    let token = world
        .tokens
        .get(bearer)
        .cloned()
        .ok_or_else(Answer::not_accepted)?;
    match token.scope {
        Scope::Project => {
            let detail = "Token is not authorized for the MCP read surface.";
            return Err(Answer::refused(401, detail, "identity", "token_identity"));
        }
        Scope::McpRead if NOT_FOR_AGENTS.contains(&path[0]) => {
            let detail = "This token is not accepted here.";
            return Err(Answer::refused(401, detail, "identity", "token_identity"));
        }
        Scope::McpRead if !matches!(asked.method.as_str(), "GET" | "HEAD" | "OPTIONS") => {
            return Err(Answer::refused(
                403,
                "This token may only read.",
                "policy",
                "capability_scope",
            ));
        }
        Scope::LegacyFull if NOT_FOR_AGENTS.contains(&path[0]) => {
            return Ok(Answer::page(asked, &[], Size::Fixed));
        }
        Scope::McpRead | Scope::LegacyFull => {}
    }
    if asked.method != "GET" {
        return Err(Answer::detail(
            405,
            &format!("Method \"{}\" not allowed.", asked.method),
        ));
    }
    let is_computed = path.last().is_some_and(|last| COMPUTED.contains(last));
    if let Some(seconds) = world.spend(bearer, is_computed) {
        return Err(Answer::throttled(seconds));
    }
    let caller = Caller {
        account: &token.account,
        is_agent: token.scope == Scope::McpRead,
    };
    reading(world, asked, caller, path)
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'t> {
    pub(crate) account: &'t str,
    pub(crate) is_agent: bool,
}

impl World {
    pub(crate) fn is_member(&self, caller: Caller<'_>, project: &str) -> bool {
        self.members
            .contains(&(caller.account.to_owned(), project.to_owned()))
    }

    pub(crate) fn is_closed(&self, caller: Caller<'_>, project: &str) -> bool {
        caller.is_agent && self.opted_out.contains(project)
    }
}

pub(crate) fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12]
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn reading(world: &World, asked: &Asked, caller: Caller<'_>, path: &[&str]) -> Reply {
    let answer = match path {
        ["auth", "me"] => Answer::ok(world.accounts[caller.account].clone()),
        ["projects"] => projects(world, asked, caller),
        ["projects", "health-summary"] => Answer::ok(views::health_summary(world, caller)),
        ["projects", id] => project(world, caller, id)?,
        ["projects", id, view @ ..] => {
            let rest = view.join("/");
            of_project(world, asked, caller, &is_known(world, id)?, &rest)?
        }
        ["tasks"] => tasks::list(world, asked, caller)?,
        ["tasks", "search"] => tasks::search(world, asked, caller)?,
        ["tasks", id] => tasks::one(world, asked, caller, id)?,
        ["sprints", id, view @ ..] => sprint(world, caller, id, view)?,
        ["me", "work"] => my_work(world, asked, caller),
        ["me", "search"] => search(world, asked, caller)?,
        ["programs"] => Answer::page(asked, &world.programs, Size::Fixed),
        ["programs", id, view @ ..] => program(world, asked, id, view)?,
        _ => return Err(Answer::no_route()),
    };
    Ok(answer)
}

/// What a list leaves out of a project.
const OF_DETAIL: [&str; 6] = [
    "start_floor",
    "program_detail",
    "my_facets",
    "is_sample",
    "unresolved_assignee_count",
    "recalculated_at",
];

fn projects(world: &World, asked: &Asked, caller: Caller<'_>) -> Answer {
    let is_seen = |project: &&Record| {
        let id = project["id"].as_str().unwrap();
        world.is_member(caller, id) && !world.is_closed(caller, id)
    };
    let row = |project: &Record| -> Record {
        project
            .iter()
            .filter(|(key, _)| !OF_DETAIL.contains(&key.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    let rows: Vec<Record> = world.projects.iter().filter(is_seen).map(row).collect();
    Answer::page(asked, &rows, Size::Fixed)
}

fn is_known(world: &World, id: &str) -> Result<String, Answer> {
    match world.projects.iter().any(|project| project["id"] == id) {
        true => Ok(id.to_owned()),
        false => Err(Answer::missing("Project")),
    }
}

fn project(world: &World, caller: Caller<'_>, id: &str) -> Reply {
    let id = is_known(world, id)?;
    if !world.is_member(caller, &id) || world.is_closed(caller, &id) {
        return Err(Answer::missing("Project"));
    }
    let mut found = world
        .projects
        .iter()
        .find(|project| project["id"] == id.as_str())
        .unwrap()
        .clone();
    // counted for lists alone
    found.insert("open_task_count".into(), Value::Null);
    Ok(Answer::ok(Value::Object(found)))
}

fn of_project(world: &World, asked: &Asked, caller: Caller<'_>, id: &str, view: &str) -> Reply {
    if !world.is_member(caller, id) {
        return Err(Answer::no_member());
    }
    let is_closed = world.is_closed(caller, id);
    let of = |records: &[Record]| -> Vec<Record> {
        records
            .iter()
            .filter(|record| record["project"] == id && !is_closed)
            .cloned()
            .collect()
    };
    match view {
        "risks" => return Ok(Answer::page(asked, &of(&world.risks), Size::Fixed)),
        "sprints" => return Ok(Answer::page(asked, &of(&world.sprints), Size::Fixed)),
        _ if is_closed => return Err(Answer::not_for_agents()),
        _ => {}
    }
    Ok(Answer::ok(match view {
        "overview" => schedule::overview(world, id),
        "board-config" => schedule::board(world, id),
        "forecast" => schedule::forecast(world, caller.account, id),
        "sprint-forecast" => schedule::release(world, caller.account, id),
        "sprint-health" => json!({ "signals": world.signals.get(id).cloned().unwrap_or_default() }),
        "monte-carlo/latest" => Value::Object(
            world
                .simulations
                .get(id)
                .cloned()
                .ok_or_else(|| Answer::missing("MonteCarloRun"))?,
        ),
        "monte-carlo/whatif" => schedule::whatif(world, asked, id)?,
        "schedule/derivation" => schedule::derivation(world, asked, id)?,
        "resources/heatmap" => views::heatmap(world, asked, id)?,
        // forms of our own: nobody recorded these
        "blocked" => return Ok(Answer::page(asked, &views::blocked(world, id), Size::Fixed)),
        "product-backlog" => {
            return Ok(Answer::page(
                asked,
                &views::product_backlog(world, id),
                Size::Fixed,
            ));
        }
        "utilization" => {
            json!({ "resources": [{ "resource_name": "Dan Ortiz", "utilization_pct": 92 }] })
        }
        "decisions" => {
            json!([{ "id": "d1", "title": "Cut over at night", "rationale": "Fewer users." }])
        }
        _ => return Err(Answer::no_route()),
    }))
}

fn sprint(world: &World, caller: Caller<'_>, id: &str, view: &[&str]) -> Reply {
    let found = world
        .sprints
        .iter()
        .find(|sprint| sprint["id"] == id)
        .ok_or_else(|| Answer::missing("Sprint"))?;
    let project = found["project"].as_str().unwrap();
    if !world.is_member(caller, project) || world.is_closed(caller, project) {
        return Err(Answer::missing("Sprint"));
    }
    Ok(Answer::ok(match view {
        [] => Value::Object(found.clone()),
        ["burndown"] => views::burndown(found),
        [view] => views::of_sprint(found, view).ok_or_else(Answer::no_route)?,
        _ => return Err(Answer::no_route()),
    }))
}

fn program(world: &World, asked: &Asked, id: &str, view: &[&str]) -> Reply {
    let found = world
        .programs
        .iter()
        .find(|program| program["id"] == id)
        .ok_or_else(|| Answer::missing("Program"))?;
    Ok(match view {
        [] => Answer::ok(Value::Object(found.clone())),
        ["rollup"] => {
            let mut rollup = body("dana", &format!("programs/{id}/rollup/"));
            rollup["aggregation_policy"] = found["rollup_aggregation_policy"].clone();
            Answer::ok(rollup)
        }
        ["backlog-items"] => {
            let rows: Vec<Record> = world
                .backlog
                .iter()
                .filter(|item| item["program"] == id)
                .cloned()
                .collect();
            Answer::page(asked, &rows, Size::Fixed)
        }
        ["backlog-items", item] => {
            let is_it = |found: &&Record| found["program"] == id && found["id"] == *item;
            let found = world.backlog.iter().find(is_it);
            let found = found.ok_or_else(|| Answer::missing("BacklogItem"))?;
            Answer::ok(Value::Object(found.clone()))
        }
        ["resource-contention"] => Answer::ok(views::contention(world, asked, id)),
        ["schedule"] => {
            let projects = world
                .projects
                .iter()
                .filter(|project| project["program"] == id);
            Answer::ok(
                json!({ "projects": projects.map(|p| json!({ "id": p["id"], "name": p["name"] })).collect::<Vec<_>>() }),
            )
        }
        _ => return Err(Answer::no_route()),
    })
}

fn my_work(world: &World, asked: &Asked, caller: Caller<'_>) -> Answer {
    let work = &world.work[caller.account];
    let rows: Vec<Record> = work["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_object().unwrap().clone())
        .collect();
    let answer = Answer::page(asked, &rows, Size::Offset);
    let mut whole = work.clone();
    if let (Some(page), Some(whole)) = (
        answer.body.as_ref().and_then(Value::as_object),
        whole.as_object_mut(),
    ) {
        whole.extend(page.clone());
    }
    Answer {
        body: Some(whole),
        ..answer
    }
}

/// Tasks and items of backlogs by their names, as its own pages ask for them: short ids match
/// nothing, and a single letter is too little.
fn search(world: &World, asked: &Asked, caller: Caller<'_>) -> Reply {
    const LEAST: usize = 2;
    let words = asked.parameter("q").unwrap_or_default().to_lowercase();
    if words.chars().count() < LEAST {
        return Ok(Answer::page(asked, &[], Size::Fixed));
    }
    let is_named = |name: &Value| name.as_str().unwrap().to_lowercase().contains(&words);
    let title_of = |records: &[Record], id: &Value| {
        let found = records.iter().find(|record| record["id"] == *id);
        found.map(|record| record["name"].clone())
    };
    let tasks = world.tasks.iter().filter(|task| {
        let project = task["project"].as_str().unwrap();
        let is_seen = world.is_member(caller, project) && !world.is_closed(caller, project);
        is_seen && is_named(&task["name"])
    });
    let tasks = tasks.map(|task| {
        let home = world.projects.iter().find(|project| project["id"] == task["project"]);
        let program = home.map(|home| home["program"].clone()).unwrap_or_default();
        json!({
            "id": task["id"], "kind": "task", "type": task["type"], "title": task["name"],
            "program_id": program, "program_name": title_of(&world.programs, &program),
            "project_id": task["project"], "project_name": title_of(&world.projects, &task["project"]),
            "parent_epic_id": null, "parent_epic_name": null,
        })
    });
    let items = world.backlog.iter().filter(|item| is_named(&item["title"]));
    let items = items.map(|item| {
        json!({
            "id": item["id"], "kind": "backlog_item", "type": item["item_type"], "title": item["title"],
            "program_id": item["program"], "program_name": title_of(&world.programs, &item["program"]),
            "project_id": null, "project_name": null, "parent_epic_id": null, "parent_epic_name": null,
        })
    });
    let found: Vec<Map<String, Value>> = tasks
        .chain(items)
        .map(|hit| hit.as_object().unwrap().clone())
        .collect();
    Ok(Answer::page(asked, &found, Size::Fixed))
}
