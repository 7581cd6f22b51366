//! Custom attributes: definitions, and the values of one item with their own version.

use serde_json::{Value, json};

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::change;
use super::item::Kind;
use super::lists;
use super::recording;
use super::world::World;

pub(crate) fn definitions(world: &World, asked: &Asked, me: Option<u64>, kind: Kind) -> Reply {
    let project = asked.id_parameter("project");
    let is_shown = |(of, row): &(Kind, &serde_json::Map<String, Value>)| {
        let home = row["project"].as_u64().unwrap_or_default();
        *of == kind && project.is_none_or(|id| id == home) && world.may_see(home, me)
    };
    let rows = world
        .attributes
        .iter()
        .map(|((of, _), row)| (*of, row))
        .filter(is_shown);
    lists::page(
        asked,
        rows.map(|(_, row)| Value::Object(row.clone())).collect(),
    )
}

pub(crate) fn define(world: &mut World, asked: &Asked, me: u64, kind: Kind) -> Reply {
    let body = asked.object()?;
    Answer::require(&body, &["name", "project"], asked.required())?;
    change::may_write(world, body["project"].as_u64().unwrap_or_default(), me)?;
    let (id, at) = (world.next_id("attribute"), world.tick());
    let mut row = recording::record("create us custom attribute");
    row.extend(body);
    row.insert("id".into(), json!(id));
    row.insert("created_date".into(), json!(at));
    row.insert("modified_date".into(), json!(at));
    world.attributes.insert((kind, id), row.clone());
    Ok(Answer::created(Value::Object(row)))
}

pub(crate) fn undefine(world: &mut World, me: u64, kind: Kind, id: u64) -> Reply {
    let row = world
        .attributes
        .get(&(kind, id))
        .ok_or_else(|| Answer::missing(""))?;
    change::may_write(world, row["project"].as_u64().unwrap_or_default(), me)?;
    world.attributes.remove(&(kind, id));
    for item in world.items.values_mut().filter(|item| item.kind == kind) {
        item.attributes.shift_remove(&id.to_string());
    }
    Ok(Answer::empty(204))
}

fn show(world: &World, kind: Kind, id: u64) -> Reply {
    let item = world
        .items
        .get(&(kind, id))
        .ok_or_else(|| Answer::missing(""))?;
    let own = if kind == Kind::Story {
        "user_story"
    } else {
        kind.singular()
    };
    Ok(Answer::ok(
        json!({ "attributes_values": item.attributes, "version": item.attributes_version, own: id }),
    ))
}

pub(crate) fn values(world: &World, me: Option<u64>, kind: Kind, id: u64) -> Reply {
    let item = world
        .items
        .get(&(kind, id))
        .ok_or_else(|| Answer::missing(""))?;
    if world.may_see(item.project, me) {
        show(world, kind, id)
    } else {
        Err(Answer::not_permitted())
    }
}

/// Replaces the whole map. Any two changes of values touch the same field, so a stale one never
/// merges.
pub(crate) fn set_values(world: &mut World, asked: &Asked, me: u64, kind: Kind, id: u64) -> Reply {
    let item = world
        .items
        .get(&(kind, id))
        .ok_or_else(|| Answer::missing(""))?;
    change::may_write(world, item.project, me)?;
    let body = asked.object()?;
    let changes: Vec<_> = (2..=item.attributes_version)
        .map(|version| (version, vec!["attributes_values".to_owned()]))
        .collect();
    let version = change::version(&body, item.attributes_version, &changes)?;
    change::merge(version, &body)?;
    let values = body
        .get("attributes_values")
        .and_then(Value::as_object)
        .filter(|values| !values.is_empty());
    let values = values
        .ok_or_else(|| Answer::invalid("attributes_values", "This field cannot be blank."))?;
    let is_known = |key: &String| {
        key.parse()
            .is_ok_and(|id: u64| world.attributes.contains_key(&(kind, id)))
    };
    if !values.keys().all(is_known) {
        return Err(Answer::invalid(
            "attributes_values",
            "It contains invalid custom fields.",
        ));
    }
    let item = world.items.get_mut(&(kind, id)).unwrap();
    item.attributes = values.clone();
    item.attributes_version += 1;
    show(world, kind, id)
}
