//! Projects and their catalogues.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::item::{Kind, person};
use super::lists;
use super::recording;
use super::world::{Project, World};

/// The catalogues of a project's detail, by the names of their routes.
const IN_DETAIL: [(&str, &str); 9] = [
    ("epic_statuses", "epic-statuses"),
    ("us_statuses", "userstory-statuses"),
    ("task_statuses", "task-statuses"),
    ("issue_statuses", "issue-statuses"),
    ("issue_types", "issue-types"),
    ("priorities", "priorities"),
    ("severities", "severities"),
    ("points", "points"),
    ("roles", "roles"),
];

pub(crate) fn list(world: &World, asked: &Asked, me: Option<u64>) -> Reply {
    let member = asked.id_parameter("member");
    let words = asked.parameter("q").unwrap_or_default().to_lowercase();
    let is_shown = |project: &&Project| {
        world.may_see(project.id, me)
            && member.is_none_or(|member| project.members.contains(&member))
            && words
                .split_whitespace()
                .all(|word| project.name.to_lowercase().contains(word))
    };
    let label = if asked.parameter("slight") == Some("true") {
        "projects slight"
    } else {
        "projects"
    };
    let row = |project: &Project| {
        let mut record = own(world, recording::record(label), project, me);
        record.insert("members".into(), json!(project.members));
        Value::Object(record)
    };
    lists::page(
        asked,
        world.projects.values().filter(is_shown).map(row).collect(),
    )
}

/// By id a project that one may not see is forbidden.
pub(crate) fn by_id(world: &World, me: Option<u64>, id: u64) -> Reply {
    let project = world
        .projects
        .get(&id)
        .ok_or_else(|| Answer::missing("No Project matches the given query."))?;
    if !world.may_see(id, me) {
        return Err(Answer::not_permitted());
    }
    Ok(Answer::ok(detail(world, project, me)))
}

/// By slug a project that one may not see does not exist.
pub(crate) fn by_slug(world: &World, asked: &Asked, me: Option<u64>) -> Reply {
    let wanted = asked.parameter("slug").unwrap_or_default();
    let project = world
        .projects
        .values()
        .find(|project| project.slug == wanted && world.may_see(project.id, me));
    project
        .map(|project| Answer::ok(detail(world, project, me)))
        .ok_or_else(|| Answer::missing(""))
}

fn own(
    world: &World,
    mut record: Map<String, Value>,
    project: &Project,
    me: Option<u64>,
) -> Map<String, Value> {
    let first = |catalogue: &str| project.catalogues[catalogue][0]["id"].clone();
    for (key, value) in [
        ("id", json!(project.id)),
        ("name", json!(project.name)),
        ("slug", json!(project.slug)),
        ("description", json!(project.description)),
        ("is_private", json!(project.is_private)),
        (
            "blocked_code",
            json!(project.is_blocked.then_some("blocked-by-staff")),
        ),
        ("owner", person(world, 11)),
        (
            "i_am_admin",
            json!(me.is_some_and(|me| project.admins.contains(&me))),
        ),
        (
            "i_am_member",
            json!(me.is_some_and(|me| project.members.contains(&me))),
        ),
        ("default_us_status", first("userstory-statuses")),
        ("default_task_status", first("task-statuses")),
        ("default_issue_status", first("issue-statuses")),
        ("default_epic_status", first("epic-statuses")),
        ("default_issue_type", first("issue-types")),
        ("default_points", first("points")),
    ] {
        record.insert(key.into(), value);
    }
    record
}

fn detail(world: &World, project: &Project, me: Option<u64>) -> Value {
    let mut record = own(world, recording::record("project"), project, me);
    let role = &project.catalogues["roles"][3];
    let member = |id: &u64| {
        let user = world.user(*id);
        json!({
            "role": role["id"], "role_name": role["name"], "full_name": user.full_name, "full_name_display": user.full_name,
            "is_active": true, "id": id, "color": "", "username": user.username, "photo": null, "gravatar_id": format!("{id:032x}")
        })
    };
    record.insert(
        "members".into(),
        project.members.iter().map(member).collect(),
    );
    for (key, catalogue) in IN_DETAIL {
        let rows = project.catalogues[catalogue].iter().map(|row| {
            let mut row = row.clone();
            row.shift_remove("members_count");
            row.shift_remove("project");
            row.insert("project_id".into(), json!(project.id));
            Value::Object(row)
        });
        record.insert(key.into(), rows.collect());
    }
    for (key, kind) in [
        ("epic_custom_attributes", Kind::Epic),
        ("userstory_custom_attributes", Kind::Story),
        ("task_custom_attributes", Kind::Task),
        ("issue_custom_attributes", Kind::Issue),
    ] {
        let of_project = world
            .attributes
            .iter()
            .filter(|((of, _), row)| *of == kind && row["project"] == project.id);
        let rows = of_project.map(|(_, row)| {
            let mut row = row.clone();
            row.shift_remove("project");
            row.insert("project_id".into(), json!(project.id));
            Value::Object(row)
        });
        record.insert(key.into(), rows.collect());
    }
    let sprints = world
        .sprints
        .values()
        .filter(|sprint| sprint.project == project.id);
    let show = |sprint: &super::world::Sprint| json!({ "id": sprint.id, "slug": sprint.slug, "name": sprint.name, "closed": super::sprints::is_closed(world, sprint.id) });
    record.insert("milestones".into(), sprints.map(show).collect());
    Value::Object(record)
}

/// `GET /userstory-statuses?project=1` and its kin.
pub(crate) fn catalogue(world: &World, asked: &Asked, me: Option<u64>, name: &str) -> Reply {
    let wanted = match asked.parameter("project") {
        Some(text) => Some(
            text.parse::<u64>()
                .map_err(|_| Answer::bad_request("'project' must be an integer value."))?,
        ),
        None => None,
    };
    let is_shown = |project: &&Project| {
        wanted.is_none_or(|id| id == project.id) && world.may_see(project.id, me)
    };
    let rows = world
        .projects
        .values()
        .filter(is_shown)
        .flat_map(|project| project.catalogues[name].iter().cloned().map(Value::Object));
    lists::page(asked, rows.collect())
}
