//! Finding things in a project: by number, by text, by what the resolver takes.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::item::{Item, Kind};
use super::lists;
use super::world::{Project, World};

/// The most rows of each kind in a search.
const MOST: usize = 150;

/// `by_ref?ref=&project=` or `&project__slug=`.
pub(crate) fn by_reference(world: &World, asked: &Asked, me: Option<u64>, kind: Kind) -> Reply {
    let slug = asked.parameter("project__slug");
    let project = asked.id_parameter("project").or_else(|| {
        world
            .projects
            .values()
            .find(|home| Some(home.slug.as_str()) == slug)
            .map(|home| home.id)
    });
    let reference = asked.id_parameter("ref");
    let is_it = |item: &&Item| {
        item.kind == kind && Some(item.project) == project && Some(item.reference) == reference
    };
    let item = world
        .items
        .values()
        .find(is_it)
        .filter(|item| world.may_see(item.project, me));
    let item = item
        .ok_or_else(|| Answer::missing(&format!("No {} matches the given query.", kind.model())))?;
    let mut record = item.detail(world);
    item.include(world, asked, &mut record);
    Ok(Answer::ok(Value::Object(record)))
}

pub(crate) fn search(world: &World, asked: &Asked, me: Option<u64>) -> Reply {
    let project = asked
        .id_parameter("project")
        .filter(|id| world.projects.contains_key(id) && world.may_see(*id, me));
    let project = project.ok_or_else(|| Answer::missing(""))?;
    let text = asked.parameter("text").unwrap_or_default();
    let mut answer = Map::new();
    let mut count = 0;
    for kind in Kind::ALL {
        let found = world.items.values().filter(|item| {
            item.kind == kind && item.project == project && lists::matches_words(item, text)
        });
        let row = |item: &Item| {
            let mut row = json!({ "id": item.id, "ref": item.reference, "subject": item.subject(), "status": item.field("status") });
            if kind == Kind::Story {
                let sprint = item
                    .id_in("milestone")
                    .and_then(|id| world.sprints.get(&id));
                row["total_points"] = json!(item.total_points(world));
                row["milestone_name"] = json!(sprint.map(|sprint| &sprint.name));
                row["milestone_slug"] = json!(sprint.map(|sprint| &sprint.slug));
            } else {
                row["assigned_to"] = item.field("assigned_to").clone();
            }
            row
        };
        let rows: Vec<Value> = found.take(MOST).map(row).collect();
        count += rows.len();
        answer.insert(kind.path().into(), Value::Array(rows));
    }
    answer.insert("wikipages".into(), json!([]));
    answer.insert("count".into(), json!(count));
    Ok(Answer::ok(Value::Object(answer)))
}

/// An unknown `ref` answers the project alone; an unknown number of a named kind is not found.
pub(crate) fn resolve(world: &World, asked: &Asked, me: Option<u64>) -> Reply {
    let slug = asked.parameter("project").unwrap_or_default();
    let project = world
        .projects
        .values()
        .find(|home| home.slug == slug && world.may_see(home.id, me));
    let project: &Project = project.ok_or_else(|| Answer::missing(""))?;
    let of = |kind: Kind, reference: Option<u64>| {
        let is_it = |item: &&Item| {
            item.kind == kind && item.project == project.id && Some(item.reference) == reference
        };
        world.items.values().find(is_it).map(|item| item.id)
    };
    let keys = [
        ("epic", Kind::Epic),
        ("us", Kind::Story),
        ("task", Kind::Task),
        ("issue", Kind::Issue),
    ];
    let mut answer = Map::from_iter([("project".to_owned(), json!(project.id))]);
    for (key, kind) in keys {
        if asked.parameter(key).is_some() {
            answer.insert(
                key.into(),
                json!(of(kind, asked.id_parameter(key)).ok_or_else(|| Answer::missing(""))?),
            );
        }
    }
    if let Some(slug) = asked.parameter("milestone") {
        let sprint = world
            .sprints
            .values()
            .find(|sprint| sprint.project == project.id && sprint.slug == slug);
        answer.insert(
            "milestone".into(),
            json!(sprint.ok_or_else(|| Answer::missing(""))?.id),
        );
    }
    let found = keys
        .iter()
        .find_map(|(key, kind)| Some((*key, of(*kind, asked.id_parameter("ref"))?)));
    if let Some((key, id)) = found.filter(|_| asked.parameter("ref").is_some()) {
        answer.insert(key.into(), json!(id));
    }
    Ok(Answer::ok(Value::Object(answer)))
}
