//! Creating, changing and deleting items: which fields count, what their values may be, and
//! versions with disjoint merge.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::history::Entry;
use super::item::{Item, Kind};
use super::world::World;

const BAD_VERSION: &str = "The version parameter is not valid";
const STALE_VERSION: &str = "The version doesn't match with the current one";

/// What is wrong with a version.
pub(crate) enum Version {
    Current,
    /// The fields that changed since.
    Behind(Vec<String>),
}

/// Reads the version of a change against the current one.
pub(crate) fn version(
    body: &Map<String, Value>,
    current: i64,
    changes: &[(i64, Vec<String>)],
) -> Result<Version, Answer> {
    let given = match body.get("version") {
        None | Some(Value::Null) => return Err(Answer::invalid_alone("version", BAD_VERSION)),
        Some(value) => value.as_i64().or_else(|| value.as_str()?.parse().ok()),
    };
    let given = given.ok_or_else(|| Answer::invalid("version", "Enter a whole number."))?;
    if given < 0 || given > current {
        return Err(Answer::invalid_alone("version", BAD_VERSION));
    }
    if given == current {
        return Ok(Version::Current);
    }
    let since = changes.iter().filter(|(version, _)| *version > given);
    Ok(Version::Behind(
        since.flat_map(|(_, fields)| fields.clone()).collect(),
    ))
}

/// Fails when a stale change touches what changed since; other stale changes are merged.
pub(crate) fn merge(version: Version, touched: &Map<String, Value>) -> Result<(), Answer> {
    match version {
        Version::Behind(changed) if changed.iter().any(|field| touched.contains_key(field)) => {
            Err(Answer::invalid_alone("version", STALE_VERSION))
        }
        Version::Current | Version::Behind(_) => Ok(()),
    }
}

/// Whether that account may write into that project.
pub(crate) fn may_write(world: &World, project: u64, me: u64) -> Result<(), Answer> {
    let home = world
        .projects
        .get(&project)
        .ok_or_else(|| Answer::invalid("project", "Invalid pk - object does not exist."))?;
    if !home.members.contains(&me) && !world.user(me).is_superuser {
        return Err(Answer::not_permitted());
    }
    if home.is_blocked {
        return Err(Answer::refused(451, "Blocked", "Blocked element"));
    }
    Ok(())
}

pub(crate) fn create(world: &mut World, asked: &Asked, me: u64, kind: Kind) -> Reply {
    let body = asked.object()?;
    Answer::require(&body, &["project", "subject"], asked.required())?;
    let project = body["project"]
        .as_u64()
        .ok_or_else(|| Answer::invalid("project", "Invalid pk - object does not exist."))?;
    may_write(world, project, me)?;
    let fields = admitted(world, kind, project, &body)?;
    let id = insert(world, kind, project, me, fields);
    Ok(Answer::created(Value::Object(
        world.items[&(kind, id)].written(world),
    )))
}

/// Puts a new item into the world.
pub(crate) fn insert(
    world: &mut World,
    kind: Kind,
    project: u64,
    me: u64,
    fields: Map<String, Value>,
) -> u64 {
    let mut item = Item::new(world, kind, project, me);
    apply(&mut item, fields);
    let id = item.id;
    world.items.insert((kind, id), item);
    id
}

/// Stories and tasks tell the new orders of their columns in a header.
pub(crate) fn patch(
    world: &mut World,
    asked: &Asked,
    me: u64,
    kind: Kind,
    id: u64,
    is_whole: bool,
) -> Reply {
    let mark = |answer: Answer| match kind {
        Kind::Story | Kind::Task if answer.status == 200 || answer.is_about("points") => {
            answer.with("taiga-info-order-updated", "{}")
        }
        _ => answer,
    };
    patched(world, asked, me, kind, id, is_whole)
        .map(mark)
        .map_err(mark)
}

fn patched(
    world: &mut World,
    asked: &Asked,
    me: u64,
    kind: Kind,
    id: u64,
    is_whole: bool,
) -> Reply {
    if let Some((field, value)) = world.turned.meddle_with_next_patch.take() {
        touch(
            world,
            me,
            kind,
            id,
            Map::from_iter([(field.to_owned(), value)]),
            String::new(),
        );
    }
    let no_such = || Answer::missing(&format!("No {} matches the given query.", kind.model()));
    let item = world.items.get(&(kind, id)).ok_or_else(no_such)?;
    may_write(world, item.project, me)?;
    let mut body = asked.object()?;
    if is_whole {
        Answer::require(&body, &["project", "subject"], asked.required())?;
        for (name, value) in reset_by_put(kind) {
            body.entry(name).or_insert(value);
        }
    }
    let version = version(&body, item.version, &item.changes)?;
    let target = body
        .get("project")
        .and_then(Value::as_u64)
        .filter(|target| *target != item.project);
    if let Some(target) = target {
        return move_to(world, kind, id, target, me, &body);
    }
    if body
        .get("subject")
        .is_some_and(|subject| subject.is_null() || subject == "")
    {
        return Err(Answer::invalid("subject", asked.required()));
    }
    let fields = admitted(world, kind, item.project, &body)?;
    merge(version, &fields)?;
    let comment = body
        .get("comment")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    touch(world, me, kind, id, fields, comment);
    Ok(Answer::ok(Value::Object(
        world.items[&(kind, id)].written(world),
    )))
}

/// Changes fields, counts the version, remembers what happened.
pub(crate) fn touch(
    world: &mut World,
    me: u64,
    kind: Kind,
    id: u64,
    fields: Map<String, Value>,
    comment: String,
) {
    let mut item = world.items.remove(&(kind, id)).unwrap();
    let before = item.fields.clone();
    apply(&mut item, fields);
    let moved = |name: &&String| before.get(*name) != item.fields.get(*name);
    let changed: Vec<String> = item.fields.keys().filter(moved).cloned().collect();
    let diff: Map<_, _> = changed
        .iter()
        .map(|name| {
            (
                name.clone(),
                json!([before.get(name), item.fields.get(name)]),
            )
        })
        .collect();
    item.version += 1;
    item.changes.push((item.version, changed));
    item.modified = world.tick();
    // what is in a sprint decides anew whether that is closed
    let sprints = [before.get("milestone"), item.fields.get("milestone")];
    for id in sprints.into_iter().flatten().filter_map(Value::as_u64) {
        if let Some(sprint) = world.sprints.get_mut(&id) {
            sprint.closed = false;
        }
    }
    if !diff.is_empty() || !comment.is_empty() {
        item.history.push(Entry::new(world, me, diff, comment));
    }
    world.items.insert((kind, id), item);
}

fn apply(item: &mut Item, fields: Map<String, Value>) {
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("points", Value::Object(points)) => {
                if let Some(Value::Object(known)) = item.fields.get_mut("points") {
                    known.extend(points);
                }
            }
            (_, value) => drop(item.fields.insert(name, value)),
        }
    }
    if item.kind == Kind::Story
        && item
            .field("assigned_users")
            .as_array()
            .is_some_and(Vec::is_empty)
        && let Some(user) = item.id_in("assigned_to")
    {
        item.fields.insert("assigned_users".into(), json!([user]));
    }
}

fn reset_by_put(kind: Kind) -> Map<String, Value> {
    let mut fields = kind.fields();
    for kept in [
        "subject",
        "description",
        "status",
        "due_date",
        "points",
        "type",
        "priority",
        "severity",
        "user_story",
        "color",
    ] {
        fields.shift_remove(kept);
    }
    fields
}

pub(crate) fn delete(world: &mut World, me: u64, kind: Kind, id: u64) -> Reply {
    let item = world
        .items
        .get(&(kind, id))
        .ok_or_else(|| Answer::missing(""))?;
    may_write(world, item.project, me)?;
    world.items.remove(&(kind, id));
    world.links.retain(|link| {
        if kind == Kind::Epic {
            link.epic != id
        } else {
            kind != Kind::Story || link.story != id
        }
    });
    if kind == Kind::Story {
        world
            .items
            .retain(|_, item| item.kind != Kind::Task || item.id_in("user_story") != Some(id));
    }
    Ok(Answer::empty(204))
}

/// The status is looked up where the item comes from, and carried over by its slug; without one, or
/// in a sprint, it is refused.
fn move_to(
    world: &mut World,
    kind: Kind,
    id: u64,
    target: u64,
    me: u64,
    body: &Map<String, Value>,
) -> Reply {
    may_write(world, target, me)?;
    let item = &world.items[&(kind, id)];
    let refusal = || {
        Answer::denied(format!(
            "You don't have permissions to set this status to this {}.",
            kind.words()
        ))
    };
    let wanted = body
        .get("status")
        .and_then(Value::as_u64)
        .filter(|_| item.id_in("milestone").is_none())
        .ok_or_else(refusal)?;
    let catalogues = &world.projects[&item.project].catalogues[kind.statuses()];
    let slug = catalogues
        .iter()
        .find(|row| row["id"] == wanted)
        .map(|row| row["slug"].clone());
    let there = &world.projects[&target].catalogues[kind.statuses()];
    let status = there
        .iter()
        .find(|row| Some(&row["slug"]) == slug.as_ref())
        .unwrap_or(&there[0])["id"]
        .clone();
    let home = world.projects.get_mut(&target).unwrap();
    home.last_ref += 1;
    let reference = home.last_ref;
    let item = world.items.get_mut(&(kind, id)).unwrap();
    (item.project, item.reference) = (target, reference);
    touch(
        world,
        me,
        kind,
        id,
        Map::from_iter([("status".to_owned(), status)]),
        String::new(),
    );
    Ok(Answer::ok(Value::Object(
        world.items[&(kind, id)].written(world),
    )))
}

/// The fields of a body that count, as they are kept; unknown ones are dropped without a word.
pub(crate) fn admitted(
    world: &World,
    kind: Kind,
    project: u64,
    body: &Map<String, Value>,
) -> Result<Map<String, Value>, Answer> {
    let known = kind.fields();
    let mut fields = Map::new();
    for (name, value) in body.iter().filter(|(name, _)| known.contains_key(*name)) {
        fields.insert(name.clone(), admit(world, kind, project, name, value)?);
    }
    Ok(fields)
}

fn admit(
    world: &World,
    kind: Kind,
    project: u64,
    name: &str,
    value: &Value,
) -> Result<Value, Answer> {
    let home = &world.projects[&project];
    match name {
        "description" | "blocked_note" if value.is_null() => Ok(json!("")),
        "status" if value.is_null() => Ok(home.catalogues[kind.statuses()][0]["id"].clone()),
        "status" => of_project(world, kind, project, name, kind.statuses(), value),
        "type" => of_project(world, kind, project, name, "issue-types", value),
        "priority" => of_project(world, kind, project, name, "priorities", value),
        "severity" => of_project(world, kind, project, name, "severities", value),
        "milestone" | "user_story" if value.is_null() => Ok(Value::Null),
        "milestone" => {
            let sprint = value
                .as_u64()
                .and_then(|id| world.sprints.get(&id))
                .filter(|sprint| sprint.project == project);
            sprint
                .map(|sprint| json!(sprint.id))
                .ok_or_else(|| foreign(kind, "sprint"))
        }
        "user_story" => {
            let story = value
                .as_u64()
                .and_then(|id| world.items.get(&(Kind::Story, id)))
                .filter(|story| story.project == project);
            story
                .map(|story| json!(story.id))
                .ok_or_else(|| foreign(kind, "user story"))
        }
        "assigned_to" if !value.is_null() => {
            let member = value.as_u64().filter(|user| home.members.contains(user));
            member
                .map(|user| json!(user))
                .ok_or_else(|| Answer::invalid("assigned_to", "The user must be a project member."))
        }
        "due_date" if value == "" => Ok(Value::Null),
        "due_date" if !value.is_null() => {
            let date = value
                .as_str()
                .and_then(|text| text.parse::<jiff::civil::Date>().ok());
            let message = "Date has wrong format. Use one of these formats instead: YYYY[-MM[-DD]]";
            date.map(|date| json!(date.to_string()))
                .ok_or_else(|| Answer::invalid("due_date", message))
        }
        "watchers" => {
            let is_member =
                |user: &Value| user.as_u64().is_some_and(|id| home.members.contains(&id));
            if value
                .as_array()
                .is_some_and(|users| users.iter().all(is_member))
            {
                Ok(value.clone())
            } else {
                Err(Answer::invalid(
                    "watchers",
                    "Watchers contains invalid users",
                ))
            }
        }
        "tags" => tags(value),
        "points" => points(home.catalogues["roles"].as_slice(), value),
        _ => Ok(value.clone()),
    }
}

fn foreign(kind: Kind, what: &str) -> Answer {
    let message = format!(
        "You don't have permissions to set this {what} to this {}.",
        kind.words()
    );
    match kind {
        Kind::Story | Kind::Issue => Answer::denied(message),
        Kind::Task | Kind::Epic => Answer::refused(400, "WrongArguments", message),
    }
}

fn of_project(
    world: &World,
    kind: Kind,
    project: u64,
    name: &str,
    catalogue: &str,
    value: &Value,
) -> Result<Value, Answer> {
    let id = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let id = id.ok_or_else(|| Answer::invalid(name, "Incorrect type. Expected pk value."))?;
    let (home, row) = world
        .catalogue_row(catalogue, id)
        .ok_or_else(|| Answer::invalid(name, "Invalid pk - object does not exist."))?;
    if home.id == project {
        Ok(row["id"].clone())
    } else {
        Err(foreign(kind, name))
    }
}

/// Plain names or pairs of name and colour; kept as pairs, in small letters.
fn tags(value: &Value) -> Result<Value, Answer> {
    let list = match value {
        Value::Null => return Ok(json!([])),
        Value::Array(list) => list,
        _ => {
            return Err(Answer::json(
                500,
                json!({ "error": "Server application error" }),
            ));
        }
    };
    let tag = |tag: &Value| match (tag.as_str(), tag[0].as_str(), &tag[1]) {
        (Some(name), ..) => Ok(json!([name.to_lowercase(), null])),
        (None, Some(name), colour) if colour.is_null() || is_colour(colour) => {
            Ok(json!([name.to_lowercase(), colour]))
        }
        (None, Some(name), colour) => {
            let colour = colour.as_str().unwrap_or_default();
            let message = format!(
                "Invalid tag '['{name}', '{colour}']'. The color is not a valid HEX color or null."
            );
            Err(Answer::invalid("tags", message))
        }
        _ => Err(Answer::invalid("tags", "Invalid tag.")),
    };
    Ok(Value::Array(
        list.iter().map(tag).collect::<Result<_, _>>()?,
    ))
}

fn is_colour(value: &Value) -> bool {
    let digits = value.as_str().and_then(|text| text.strip_prefix('#'));
    digits.is_some_and(|digits| {
        matches!(digits.len(), 3 | 6) && digits.chars().all(|digit| digit.is_ascii_hexdigit())
    })
}

fn points(roles: &[Map<String, Value>], value: &Value) -> Result<Value, Answer> {
    for role in value.as_object().into_iter().flat_map(Map::keys) {
        if !roles
            .iter()
            .any(|known| known["id"].as_u64() == role.parse().ok())
        {
            return Err(Answer::invalid_alone(
                "points",
                format!("Invalid role id '{role}'"),
            ));
        }
    }
    Ok(value.clone())
}
