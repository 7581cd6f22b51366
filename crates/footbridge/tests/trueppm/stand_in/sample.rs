//! The world as it was recorded: the recorded records, and as many made like them as the recorded
//! counts say there were.

use serde_json::{Value, json};

use super::recording::{body, rows};
use super::world::{Record, Scope, World, made_of};

/// The token of each account that the stand-in accepts: `tppm_` and 64 hexadecimal digits.
pub(crate) fn token_of(account: &str) -> String {
    let digits: String = account.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("tppm_{digits:f<64}")
}

pub(crate) const PLATFORM: &str = "5bbfb485-ae8d-4d25-a7a9-8671f1b2c7aa";
pub(crate) const HARDENING: &str = "c51ba6e4-1706-45f6-8908-2907ae40b7a6";
pub(crate) const TOOLING: &str = "8fdf382e-7024-4fe7-8c8d-cb2acbcafe23";
/// Dana is no member of it.
pub(crate) const ELSEWHERE: &str = "35d066f2-182b-49bc-bfab-1ef6bbd1d2f3";
pub(crate) const PILOT: &str = "43202d5c-760b-42e3-8e0b-66a2e3057c1f";
pub(crate) const SPRINT: &str = "7119daec-cfee-4865-bfe9-4cd90a63f2de";
pub(crate) const GA_LAUNCH: &str = "748a3ccd-deba-4e04-8ede-ad648f978bf2";
pub(crate) const MIGRATION: &str = "98c7d98c-3ee9-4ba6-b10f-d7b25eeac065";

impl World {
    pub(crate) fn sample() -> Self {
        let mut world = Self::default();
        accounts(&mut world);
        projects(&mut world);
        tasks(&mut world);
        world.sprints = padded(rows("dana", &format!("projects/{PLATFORM}/sprints/")), 2);
        world
            .sprints
            .push(record(body("dana", &format!("sprints/{SPRINT}/"))));
        let mut seen = std::collections::BTreeSet::new();
        world
            .sprints
            .retain(|sprint| seen.insert(sprint["id"].to_string()));
        let count = rows("dana", &format!("projects/{PLATFORM}/sprints/")).1;
        world.sprints = take_keeping(std::mem::take(&mut world.sprints), count, SPRINT);
        world.risks = padded(rows("dana", &format!("projects/{PLATFORM}/risks/")), 3);
        world.programs = padded(rows("dana", "programs/"), 4);
        world.backlog = padded(
            rows("dana", &format!("programs/{MIGRATION}/backlog-items/")),
            5,
        );
        for (project, account) in [(PLATFORM, "dana"), (TOOLING, "dana")] {
            let simulation = record(body(
                account,
                &format!("projects/{project}/monte-carlo/latest/"),
            ));
            world.simulations.insert(project.into(), long(simulation));
        }
        world
    }
}

fn accounts(world: &mut World) {
    for (account, number) in [
        ("dana", "7"),
        ("maya", "3"),
        ("tom", "5"),
        ("atlas-sam", "12"),
    ] {
        let mut me = body(if account == "maya" { "maya" } else { "dana" }, "auth/me/");
        me["id"] = json!(number);
        me["username"] = json!(account);
        if number != "7" && account != "maya" {
            me["display_name"] = json!(account);
            me["email"] = json!(format!("{account}@trueppm.demo"));
        }
        if account == "maya" {
            me = body("maya", "auth/me/");
        }
        world.accounts.insert(account.into(), me);
        world.add_token(&token_of(account), account, Scope::McpRead);
        let mut work = if account == "maya" {
            body("atlas-sam", "me/work/")
        } else {
            body(account, "me/work/")
        };
        let (count, template) = (
            work["count"].as_u64().unwrap(),
            work["results"].get(0).cloned(),
        );
        let work_rows = work["results"].as_array_mut().unwrap();
        for number in work_rows.len()..usize::try_from(count).unwrap() {
            work_rows.push(Value::Object(made_of(
                template.as_ref().unwrap().as_object().unwrap(),
                6,
                number,
            )));
        }
        world.work.insert(account.into(), work);
    }
    world.in_team.extend(["maya".to_owned(), "tom".to_owned()]);
}

fn projects(world: &mut World) {
    let (mut projects, count) = rows("dana", "projects/");
    let detail = record(body("dana", &format!("projects/{PLATFORM}/")));
    for (id, name) in [
        (PLATFORM, "Platform Migration"),
        (HARDENING, "Subscriptions"),
        (TOOLING, "Migration Tooling"),
    ] {
        if !projects.iter().any(|project| project["id"] == id) {
            let mut project = made_of(&projects[0], 1, projects.len());
            project.insert("id".into(), json!(id));
            project.insert("name".into(), json!(name));
            projects.push(project);
        }
    }
    let mut projects = padded((projects, count), 1);
    for project in &mut projects {
        for (key, value) in &detail {
            if !project.contains_key(key) {
                project.insert(key.clone(), value.clone());
            }
        }
        world
            .members
            .insert(("dana".into(), project["id"].as_str().unwrap().into()));
    }
    for account in ["maya", "tom"] {
        world.members.insert((account.into(), PLATFORM.into()));
    }
    let mut elsewhere = made_of(&projects[0], 1, 99);
    elsewhere.insert("id".into(), json!(ELSEWHERE));
    elsewhere.insert("name".into(), json!("Somebody else's"));
    projects.push(elsewhere);
    world.projects = projects;
}

/// Every recorded task of a list; then what the counts of the board and of the critical path lack.
fn tasks(world: &mut World) {
    let lists = [
        format!("tasks/?project={PLATFORM}"),
        format!("tasks/?project={PLATFORM}&status=IN_PROGRESS"),
        format!("tasks/?project={PLATFORM}&is_critical=true"),
        format!("tasks/?project={HARDENING}"),
        format!("tasks/?page=2&project={HARDENING}"),
    ];
    let mut tasks: Vec<Record> = vec![record(body("dana", &format!("tasks/{PILOT}/")))];
    for list in &lists {
        for row in rows("dana", list).0 {
            tasks.retain(|task| task["id"] != row["id"]);
            tasks.push(row);
        }
    }
    let template = tasks[0].clone();
    let mut number = 0;
    let mut add = |tasks: &mut Vec<Record>, project: &str, status: &str, is_critical: bool| {
        let mut task = made_of(&template, 0, number);
        number += 1;
        task.insert("project".into(), json!(project));
        task.insert("status".into(), json!(status));
        task.insert("is_critical".into(), json!(is_critical));
        tasks.push(task);
    };
    let board = body("dana", &format!("projects/{PLATFORM}/board-config/"));
    let wanted = rows("dana", &lists[2]).1;
    for column in board["columns"].as_array().unwrap() {
        let status = column["status"].as_str().unwrap();
        let of = |tasks: &[Record]| {
            tasks
                .iter()
                .filter(|task| task["project"] == PLATFORM && task["status"] == status)
                .count()
        };
        let count = usize::try_from(column["current_count"].as_u64().unwrap()).unwrap();
        while of(&tasks) < count {
            let critical = tasks
                .iter()
                .filter(|task| task["project"] == PLATFORM && task["is_critical"] == true)
                .count();
            add(
                &mut tasks,
                PLATFORM,
                status,
                critical < wanted && status != "BACKLOG",
            );
        }
    }
    for (project, count) in [(HARDENING, 51), (TOOLING, 24)] {
        while tasks
            .iter()
            .filter(|task| task["project"] == project)
            .count()
            < count
        {
            add(&mut tasks, project, "NOT_STARTED", false);
        }
    }
    tasks.sort_by_key(|task| task["id"].as_str().unwrap().to_owned());
    world.tasks = tasks;
}

fn record(value: Value) -> Record {
    match value {
        Value::Object(record) => record,
        other => panic!("not a record: {other}"),
    }
}

/// As many rows as were counted.
fn padded((mut rows, count): (Vec<Record>, usize), kind: usize) -> Vec<Record> {
    for number in rows.len()..count {
        rows.push(made_of(&rows[0], kind, number));
    }
    rows
}

/// So many rows, one of them for certain.
fn take_keeping(rows: Vec<Record>, count: usize, kept: &str) -> Vec<Record> {
    let (mut first, mut rest): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row["id"] == kept);
    rest.truncate(count - first.len());
    let at = rest
        .iter()
        .position(|row| row["id"].as_str().unwrap().starts_with("e0000000"))
        .unwrap_or(rest.len());
    rest.splice(at..at, first.drain(..));
    rest
}

/// What is left of the doubt from one day to the next.
const DOUBT: f64 = 0.89;

/// A simulation as long as a real one: its lists were cut to six when it was recorded. The curve goes
/// on towards certainty, in shares of one or in percents, as it was recorded.
fn long(mut simulation: Record) -> Record {
    const DAYS: usize = 60;
    let runs = simulation["runs"].as_u64().unwrap();
    for key in ["confidence_curve", "histogram_buckets"] {
        let list = simulation[key].as_array_mut().unwrap();
        let last = list.last().unwrap().clone();
        let from: jiff::civil::Date = last["date"].as_str().unwrap().parse().unwrap();
        for days in 1..=i32::try_from(DAYS - list.len()).unwrap() {
            let mut entry = last.clone();
            let date = from.checked_add(jiff::Span::new().days(days)).unwrap();
            entry["date"] = json!(date.to_string());
            for (share, all) in [("probability", 1.0), ("pct", 100.0)] {
                if let Some(known) = last[share].as_f64() {
                    let sure = all - (all - known) * DOUBT.powi(days);
                    entry[share] = json!((sure * 1e4).round() / 1e4);
                }
            }
            list.push(entry);
        }
    }
    let day = |number: usize| format!("2027-{:02}-{:02}", 1 + number / 28 % 12, 1 + number % 28);
    if let Some(distribution) = simulation
        .get_mut("distribution")
        .and_then(Value::as_array_mut)
    {
        for number in distribution.len()..usize::try_from(runs).unwrap() {
            distribution.push(json!(day(number)));
        }
    }
    simulation
}
