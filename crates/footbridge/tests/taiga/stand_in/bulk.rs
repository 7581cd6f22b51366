//! Routes that make or move many items at once. No versions are checked or counted.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::item::Kind;
use super::world::World;
use super::{change, sprints};

/// One subject a line; empty lines do not count.
pub(crate) fn lines(text: &Value) -> Vec<String> {
    text.as_str()
        .unwrap_or_default()
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

pub(crate) fn create(world: &mut World, asked: &Asked, me: u64, kind: Kind) -> Reply {
    let body = asked.object()?;
    let (list, required): (_, &[&str]) = match kind {
        Kind::Epic => ("bulk_epics", &["project_id", "bulk_epics"]),
        Kind::Story => ("bulk_stories", &["project_id", "bulk_stories"]),
        Kind::Task => ("bulk_tasks", &["project_id", "milestone_id", "bulk_tasks"]),
        Kind::Issue => ("bulk_issues", &["project_id", "bulk_issues"]),
    };
    Answer::require(&body, required, asked.required())?;
    let project = body["project_id"].as_u64().unwrap_or_default();
    change::may_write(world, project, me)?;
    let mut wanted = Map::new();
    for (key, field) in [
        ("status_id", "status"),
        ("milestone_id", "milestone"),
        ("us_id", "user_story"),
        ("swimlane_id", "swimlane"),
    ] {
        if let Some(value) = body.get(key).filter(|value| !value.is_null()) {
            wanted.insert(field.to_owned(), value.clone());
        }
    }
    if kind == Kind::Task
        && let Some(story) = body.get("us_id").and_then(Value::as_u64)
        && world
            .items
            .get(&(Kind::Story, story))
            .and_then(|story| story.id_in("milestone"))
            != body["milestone_id"].as_u64()
    {
        return Err(Answer::invalid(
            "us_id",
            "The user story isn't valid for the milestone",
        ));
    }
    let fields = change::admitted(world, kind, project, &wanted)?;
    let mut made = Vec::new();
    for subject in lines(&body[list]) {
        let mut fields = fields.clone();
        fields.insert("subject".into(), json!(subject));
        let id = change::insert(world, kind, project, me, fields);
        made.push(Value::Object(world.items[&(kind, id)].written(world)));
    }
    Ok(Answer::ok(Value::Array(made)))
}

fn stories(world: &World, body: &Map<String, Value>, me: u64) -> Result<Vec<u64>, Answer> {
    let project = body["project_id"].as_u64().unwrap_or_default();
    change::may_write(world, project, me)?;
    let ids: Vec<u64> = body["bulk_userstories"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let is_known = |id: &u64| {
        world
            .items
            .get(&(Kind::Story, *id))
            .is_some_and(|story| story.project == project)
    };
    let message = "All stories must be from the same project";
    if ids.iter().all(is_known) {
        Ok(ids)
    } else {
        Err(Answer::invalid("bulk_userstories", message))
    }
}

/// Without a sprint: back to the backlog.
pub(crate) fn backlog_order(world: &mut World, asked: &Asked, me: u64) -> Reply {
    let body = asked.object()?;
    Answer::require(&body, &["project_id", "bulk_userstories"], asked.required())?;
    let ids = stories(world, &body, me)?;
    let sprint = body.get("milestone_id").cloned().unwrap_or_default();
    sprints::set_on(
        world,
        ids.clone(),
        &Map::from_iter([("milestone".to_owned(), sprint.clone())]),
    );
    let row = |(position, id): (usize, &u64)| json!({ "id": id, "milestone": sprint, "backlog_order": position + 1 });
    Ok(Answer::ok(ids.iter().enumerate().map(row).collect()))
}

pub(crate) fn kanban_order(world: &mut World, asked: &Asked, me: u64) -> Reply {
    let body = asked.object()?;
    Answer::require(
        &body,
        &["project_id", "status_id", "bulk_userstories"],
        asked.required(),
    )?;
    let ids = stories(world, &body, me)?;
    let status = body["status_id"].clone();
    sprints::set_on(
        world,
        ids.clone(),
        &Map::from_iter([("status".to_owned(), status.clone())]),
    );
    let row = |(position, id): (usize, &u64)| json!({ "id": id, "swimlane": null, "status": status, "kanban_order": position + 1 });
    Ok(Answer::ok(ids.iter().enumerate().map(row).collect()))
}

/// The task is gone afterwards, the issue stays. Answers the numbers of the new stories.
pub(crate) fn promote(world: &mut World, me: u64, kind: Kind, id: u64) -> Reply {
    let item = world
        .items
        .get(&(kind, id))
        .ok_or_else(|| Answer::missing(""))?;
    let project = item.project;
    change::may_write(world, project, me)?;
    let copied = [
        "subject",
        "description",
        "tags",
        "milestone",
        "assigned_to",
        "watchers",
    ];
    let fields = copied
        .iter()
        .map(|name| ((*name).to_owned(), item.field(name).clone()))
        .collect();
    if kind == Kind::Task {
        world.items.remove(&(kind, id));
    }
    let story = change::insert(world, Kind::Story, project, me, fields);
    Ok(Answer::ok(json!([
        world.items[&(Kind::Story, story)].reference
    ])))
}
