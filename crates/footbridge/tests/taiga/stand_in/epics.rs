//! Which stories belong to which epics: a route of its own, since a story's body has no say in it.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::item::Kind;
use super::lists;
use super::world::{Link, World};
use super::{bulk, change};

fn show(link: &Link) -> Value {
    json!({ "epic": link.epic, "user_story": link.story, "order": link.order })
}

fn project_of(world: &World, epic: u64) -> Result<u64, Answer> {
    world
        .items
        .get(&(Kind::Epic, epic))
        .map(|epic| epic.project)
        .ok_or_else(|| Answer::missing("No Epic matches the given query."))
}

pub(crate) fn list(world: &World, asked: &Asked, epic: u64) -> Reply {
    project_of(world, epic)?;
    lists::page(
        asked,
        world
            .links
            .iter()
            .filter(|link| link.epic == epic)
            .map(show)
            .collect(),
    )
}

/// The body must name the epic again.
pub(crate) fn link(world: &mut World, asked: &Asked, me: u64, epic: u64) -> Reply {
    change::may_write(world, project_of(world, epic)?, me)?;
    let body = asked.object()?;
    Answer::require(&body, &["epic", "user_story"], asked.required())?;
    let story = body["user_story"]
        .as_u64()
        .filter(|id| world.items.contains_key(&(Kind::Story, *id)));
    let story = story
        .ok_or_else(|| Answer::invalid("user_story", "Invalid pk - object does not exist."))?;
    if world
        .links
        .iter()
        .any(|link| (link.epic, link.story) == (epic, story))
    {
        return Err(Answer::invalid(
            "__all__",
            "Related user story with this User story and Epic already exists.",
        ));
    }
    let order = world.order();
    world.links.push(Link { epic, story, order });
    Ok(Answer::created(show(world.links.last().unwrap())))
}

pub(crate) fn unlink(world: &mut World, me: u64, epic: u64, story: u64) -> Reply {
    change::may_write(world, project_of(world, epic)?, me)?;
    let before = world.links.len();
    world
        .links
        .retain(|link| (link.epic, link.story) != (epic, story));
    if world.links.len() < before {
        Ok(Answer::empty(204))
    } else {
        Err(Answer::missing(""))
    }
}

/// New stories from lines, linked at once.
pub(crate) fn create_stories(world: &mut World, asked: &Asked, me: u64, epic: u64) -> Reply {
    project_of(world, epic)?;
    let body = asked.object()?;
    Answer::require(&body, &["project_id", "bulk_userstories"], asked.required())?;
    let project = body["project_id"].as_u64().unwrap_or_default();
    change::may_write(world, project, me)?;
    let mut made = Vec::new();
    for subject in bulk::lines(&body["bulk_userstories"]) {
        let fields = Map::from_iter([("subject".to_owned(), json!(subject))]);
        let story = change::insert(world, Kind::Story, project, me, fields);
        let order = world.order();
        world.links.push(Link { epic, story, order });
        made.push(show(world.links.last().unwrap()));
    }
    Ok(Answer::ok(Value::Array(made)))
}
