//! Which request is answered where. What the state does not know is answered as recorded, or not at
//! all (501).

use serde_json::{Value, json};

use super::answer::{Answer, Content, Reply};
use super::asked::Asked;
use super::item::Kind;
use super::world::{Attachment, World};
use super::{
    attributes, bulk, change, epics, find, history, lists, people, projects, recording, sprints,
};

/// Marks an answer that no state stands behind.
pub(crate) const AS_RECORDED: &str = "x-as-recorded";

const CATALOGUES: [&str; 9] = [
    "epic-statuses",
    "userstory-statuses",
    "task-statuses",
    "issue-statuses",
    "priorities",
    "severities",
    "issue-types",
    "points",
    "roles",
];

/// Answers one request.
pub(crate) fn answer(world: &mut World, asked: &Asked) -> Answer {
    if world.turned.throttle_next > 0 {
        world.turned.throttle_next -= 1;
        let wait = world.turned.throttle_wait_seconds;
        let message = format!(
            "Request was throttled.Expected available in {} seconds.",
            wait.saturating_sub(1)
        );
        return Answer::refused(429, "Throttled", message).with("x-throttle-wait-seconds", wait);
    }
    if asked.path.ends_with('/') {
        return Answer::no_route();
    }
    if asked
        .header("accept")
        .is_some_and(|accept| !accept.contains("json") && !accept.contains("*/*"))
    {
        return Answer::refused(
            406,
            "NotAcceptable",
            "Could not satisfy the request's Accept header",
        );
    }
    world.use_token(asked);
    of_state(world, asked)
        .unwrap_or_else(|| as_recorded(asked))
        .unwrap_or_else(|refusal| refusal)
}

fn with_query(asked: &Asked) -> String {
    if asked.query_text.is_empty() {
        asked.path.clone()
    } else {
        format!("{}?{}", asked.path, asked.query_text)
    }
}

fn as_recorded(asked: &Asked) -> Reply {
    let path = with_query(asked);
    let Some(received) = recording::answer_to(&asked.method, &path, &asked.body) else {
        return Err(Answer::json(
            501,
            serde_json::json!({ "error": format!("the stand-in does not know {} {path}", asked.method) }),
        ));
    };
    let content = match &received.body {
        Some(Value::String(_)) => return Err(Answer::no_route()),
        Some(body) => Content::Json(recording::whole(body.clone())),
        None => Content::Nothing,
    };
    Ok(Answer {
        status: received.status,
        headers: Vec::new(),
        content,
    }
    .with(AS_RECORDED, "yes"))
}

/// The answer of the state; none where it keeps none.
fn of_state(world: &mut World, asked: &Asked) -> Option<Reply> {
    let path: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    match (asked.method.as_str(), path.as_slice()) {
        ("POST", ["auth"]) => return Some(people::login(world, asked)),
        ("POST", ["auth", "refresh"]) => return Some(people::refresh(world, asked)),
        _ => {}
    }
    let me = match people::who(world, asked) {
        Ok(me) => me,
        Err(refusal) => return Some(Err(refusal)),
    };
    if let ("GET", ["history", kind, item, verb @ "comment_versions"]) =
        (asked.method.as_str(), path.as_slice())
    {
        let Some(me) = me else {
            return Some(Err(Answer::not_authenticated()));
        };
        return Some(history::mend(
            world,
            asked,
            me,
            singular(kind)?,
            id(item)?,
            verb,
        ));
    }
    if asked.method == "GET" {
        return reading(world, asked, me, &path);
    }
    let is_of_state = Kind::of_path(path[0]).is_some()
        || matches!(path[0], "milestones" | "history")
        || path[0].ends_with("-custom-attributes");
    match me {
        Some(me) => writing(world, asked, me, &path),
        None if is_of_state => Some(Err(Answer::not_authenticated())),
        None => None,
    }
}

fn id(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn reading(world: &World, asked: &Asked, me: Option<u64>, path: &[&str]) -> Option<Reply> {
    Some(match path {
        ["users", "me"] => people::me(world, me),
        ["users", "by_username"] => people::by_username(world, asked, me),
        ["users"] => people::list(world, asked, me),
        ["users", user] => people::user(world, me, id(user)?),
        ["memberships"] => people::memberships(world, asked, me),
        ["projects"] => projects::list(world, asked, me),
        ["projects", "by_slug"] => projects::by_slug(world, asked, me),
        ["projects", project] => projects::by_id(world, me, id(project)?),
        [catalogue] if CATALOGUES.contains(catalogue) => {
            // A project that the state does not have may have been made while recording; any other
            // is none, and has nothing.
            let is_unknown = asked
                .id_parameter("project")
                .is_some_and(|id| !world.projects.contains_key(&id));
            if is_unknown
                && recording::answer_to(&asked.method, &with_query(asked), &asked.body).is_some()
            {
                return None;
            }
            projects::catalogue(world, asked, me, catalogue)
        }
        ["search"] => find::search(world, asked, me),
        ["resolver"] => find::resolve(world, asked, me),
        ["milestones"] => sprints::list(world, asked, me),
        ["milestones", sprint] => sprints::get(world, me, id(sprint)?),
        ["milestones", sprint, "stats"] => sprints::statistics(world, me, id(sprint)?),
        ["history", kind, item] => history::list(world, asked, singular(kind)?, id(item)?),
        ["epics", epic, "related_userstories"] => epics::list(world, asked, id(epic)?),
        [definitions] if definitions.ends_with("-custom-attributes") => {
            attributes::definitions(world, asked, me, defined(definitions)?)
        }
        [kind, "custom-attributes-values", item] => {
            attributes::values(world, me, Kind::of_path(kind)?, id(item)?)
        }
        [kind, "attachments"] => attachments(world, asked, me, Kind::of_path(kind)?)?,
        [kind, "by_ref"] => find::by_reference(world, asked, me, Kind::of_path(kind)?),
        [kind] => lists::items(world, asked, me, Kind::of_path(kind)?),
        [kind, item] => detail(world, asked, me, Kind::of_path(kind)?, id(item)?),
        _ => return None,
    })
}

/// The files at an item; none where the state has neither files nor the item.
fn attachments(world: &World, asked: &Asked, me: Option<u64>, kind: Kind) -> Option<Reply> {
    let item = asked.id_parameter("object_id")?;
    let files = world.attachments_of(kind, item);
    let project = asked.id_parameter("project")?;
    let is_known = world.items.contains_key(&(kind, item));
    if files.is_empty() && !is_known || !world.may_see(project, me) {
        return None;
    }
    let row = |file: &&Attachment| {
        let mut row = recording::record("attachments list");
        for (key, value) in [
            ("id", json!(file.id)),
            ("name", json!(file.name)),
            ("size", json!(file.size)),
            ("object_id", json!(file.item)),
            ("project", json!(project)),
        ] {
            row.insert(key.to_owned(), value);
        }
        Value::Object(row)
    };
    Some(lists::page(asked, files.iter().map(row).collect()))
}

fn detail(world: &World, asked: &Asked, me: Option<u64>, kind: Kind, id: u64) -> Reply {
    let item = world
        .items
        .get(&(kind, id))
        .ok_or_else(|| Answer::missing(&format!("No {} matches the given query.", kind.model())))?;
    if world.may_see(item.project, me) {
        let mut record = item.detail(world);
        item.include(world, asked, &mut record);
        Ok(Answer::ok(Value::Object(record)))
    } else {
        Err(Answer::not_permitted())
    }
}

fn writing(world: &mut World, asked: &Asked, me: u64, path: &[&str]) -> Option<Reply> {
    Some(match (asked.method.as_str(), path) {
        ("POST", ["milestones"]) => sprints::create(world, asked, me),
        ("PATCH", ["milestones", sprint]) => sprints::patch(world, asked, me, id(sprint)?),
        ("DELETE", ["milestones", sprint]) => sprints::delete(world, me, id(sprint)?),
        ("POST", ["milestones", _, "move_userstories_to_sprint"]) => {
            sprints::move_stories(world, asked, me)
        }
        (
            "POST",
            [
                "history",
                kind,
                item,
                verb @ ("edit_comment" | "delete_comment" | "undelete_comment"),
            ],
        ) => history::mend(world, asked, me, singular(kind)?, id(item)?, verb),
        ("POST", [definitions]) if definitions.ends_with("-custom-attributes") => {
            attributes::define(world, asked, me, defined(definitions)?)
        }
        ("DELETE", [definitions, attribute]) if definitions.ends_with("-custom-attributes") => {
            attributes::undefine(world, me, defined(definitions)?, id(attribute)?)
        }
        ("PATCH", [kind, "custom-attributes-values", item]) => {
            attributes::set_values(world, asked, me, Kind::of_path(kind)?, id(item)?)
        }
        ("POST", ["epics", epic, "related_userstories"]) => {
            epics::link(world, asked, me, id(epic)?)
        }
        ("POST", ["epics", epic, "related_userstories", "bulk_create"]) => {
            epics::create_stories(world, asked, me, id(epic)?)
        }
        ("DELETE", ["epics", epic, "related_userstories", story]) => {
            epics::unlink(world, me, id(epic)?, id(story)?)
        }
        ("POST", [kind, "bulk_create"]) => bulk::create(world, asked, me, Kind::of_path(kind)?),
        ("POST", ["userstories", "bulk_update_milestone"]) => {
            sprints::move_stories(world, asked, me)
        }
        ("POST", ["userstories", "bulk_update_backlog_order"]) => {
            bulk::backlog_order(world, asked, me)
        }
        ("POST", ["userstories", "bulk_update_kanban_order"]) => {
            bulk::kanban_order(world, asked, me)
        }
        ("POST", [kind @ ("tasks" | "issues"), item, "promote_to_user_story"]) => {
            bulk::promote(world, me, Kind::of_path(kind)?, id(item)?)
        }
        ("POST", [kind]) => change::create(world, asked, me, Kind::of_path(kind)?),
        (method @ ("PATCH" | "PUT"), [kind, item]) => change::patch(
            world,
            asked,
            me,
            Kind::of_path(kind)?,
            id(item)?,
            method == "PUT",
        ),
        ("DELETE", [kind, item]) => change::delete(world, me, Kind::of_path(kind)?, id(item)?),
        (method, [kind]) if Kind::of_path(kind).is_some() => Err(Answer::no_method(method)),
        _ => return None,
    })
}

fn singular(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.singular() == name)
}

fn defined(route: &str) -> Option<Kind> {
    singular(route.strip_suffix("-custom-attributes")?)
}
