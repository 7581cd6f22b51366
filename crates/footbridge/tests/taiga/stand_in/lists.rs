//! Lists of items: the filters Taiga knows, and the pages of every list.

use serde_json::Value;

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::item::{Item, Kind};
use super::world::World;

const PAGE: usize = 30;
const LARGEST_PAGE: usize = 1000;

/// The page that was asked for, with Taiga's headers.
pub(crate) fn page(asked: &Asked, rows: Vec<Value>) -> Reply {
    if asked.header("x-disable-pagination").is_some() {
        return Ok(Answer::ok(Value::Array(rows)));
    }
    let size = asked
        .parameter("page_size")
        .and_then(|size| size.parse().ok())
        .filter(|size| *size > 0);
    let size = size.unwrap_or(PAGE).min(LARGEST_PAGE);
    let pages = rows.len().div_ceil(size).max(1);
    let current = match asked.parameter("page") {
        None => 1,
        Some("last") => pages,
        Some(number) => number
            .parse()
            .ok()
            .filter(|number| (1..=pages).contains(number))
            .ok_or_else(past_the_end)?,
    };
    let count = rows.len();
    let shown = rows
        .into_iter()
        .skip((current - 1) * size)
        .take(size)
        .collect();
    let mut answer = Answer::ok(Value::Array(shown));
    if asked.header("x-lazy-pagination").is_none() {
        answer = answer.with("x-pagination-count", count);
    }
    answer = answer
        .with("x-paginated", "true")
        .with("x-paginated-by", size)
        .with("x-pagination-current", current);
    if current < pages {
        answer = answer.with("x-pagination-next", link(asked, current + 1));
    }
    if current > 1 {
        answer = answer.with("x-pagination-prev", link(asked, current - 1));
    }
    Ok(answer)
}

fn past_the_end() -> Answer {
    Answer::missing("Page is not 'last', nor can it be converted to an int.")
}

fn link(asked: &Asked, page: usize) -> String {
    let others = asked.query.iter().filter(|(name, _)| name != "page");
    let host = asked.header("host").unwrap_or("taiga.test");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .extend_pairs(others)
        .append_pair("page", &page.to_string());
    format!("http://{host}/api/v1{}?{}", asked.path, query.finish())
}

/// `GET /userstories` and its kin.
pub(crate) fn items(world: &World, asked: &Asked, me: Option<u64>, kind: Kind) -> Reply {
    let mut found = Vec::new();
    for item in world
        .items
        .values()
        .filter(|item| item.kind == kind && world.may_see(item.project, me))
    {
        if is_wanted(world, asked, item)? {
            found.push(item);
        }
    }
    sort(asked.parameter("order_by"), &mut found);
    let dashboard = asked.parameter("dashboard") == Some("true") && kind == Kind::Story;
    if dashboard {
        found.retain(|item| me.is_some_and(|me| world.is_member(item.project, me)));
    }
    let row = |item: &&Item| {
        if asked.parameter("only_ref").is_some() {
            serde_json::json!({ "id": item.id, "ref": item.reference })
        } else if dashboard {
            Value::Object(item.light(world, "stories dashboard"))
        } else {
            Value::Object(item.row(world))
        }
    };
    let mut answer = page(asked, found.iter().map(row).collect())?;
    if kind == Kind::Story && !dashboard {
        answer = answer.with("taiga-info-userstories-without-swimlane", "false");
        if asked.parameter("milestone") == Some("null") {
            answer = answer.with("taiga-info-backlog-total-userstories", found.len());
        }
    }
    Ok(answer)
}

fn sort(order: Option<&str>, found: &mut [&Item]) {
    let Some(order) = order else { return };
    let (name, is_descending) = order
        .strip_prefix('-')
        .map_or((order, false), |name| (name, true));
    match name {
        "modified_date" => found.sort_by(|a, b| a.modified.cmp(&b.modified)),
        "created_date" => found.sort_by(|a, b| a.created.cmp(&b.created)),
        "priority" | "severity" | "type" | "status" => found.sort_by_key(|item| item.id_in(name)),
        "backlog_order" | "sprint_order" | "kanban_order" => found.sort_by_key(|item| item.order),
        "subject" => found.sort_by(|a, b| a.subject().cmp(b.subject())),
        _ => return,
    }
    if is_descending {
        found.reverse();
    }
}

fn is_wanted(world: &World, asked: &Asked, item: &Item) -> Result<bool, Answer> {
    for (name, _) in &asked.query {
        let Some(value) = asked.parameter(name).filter(|value| !value.is_empty()) else {
            continue;
        };
        let keeps = match name.as_str() {
            "project" => ids(value, "Wrong arguments.")?.contains(&Some(item.project)),
            "project__slug" => world.projects[&item.project].slug == value,
            "milestone" if item.kind != Kind::Epic => {
                let wanted = ids(value, "Error in filter params types.")?;
                wanted.contains(&world.sprint_of(item))
            }
            "status" | "assigned_to" | "type" | "priority" | "severity" | "user_story" => {
                ids(value, "Wrong arguments.")?.contains(&item.id_in(name))
            }
            "owner" => ids(value, "Wrong arguments.")?.contains(&Some(item.owner)),
            "assigned_users" => {
                let wanted = ids(value, "Wrong arguments.")?;
                let mut given = item
                    .field("assigned_users")
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_u64)
                    .collect::<Vec<_>>();
                given.extend(item.id_in("assigned_to"));
                if given.is_empty() {
                    wanted.contains(&None)
                } else {
                    given.into_iter().any(|user| wanted.contains(&Some(user)))
                }
            }
            "status__is_closed" | "is_closed" => is_true(value) == item.is_closed(world),
            "status__is_archived" if item.kind == Kind::Story => {
                let is_archived = item
                    .status(world)
                    .is_some_and(|status| status["is_archived"] == true);
                is_true(value) == is_archived
            }
            "tags" => value
                .split(',')
                .any(|tag| item.tags().any(|known| known == tag.to_lowercase())),
            "epic" if item.kind == Kind::Story => {
                let wanted = ids(value, "Wrong arguments.")?;
                let mut of = world
                    .links
                    .iter()
                    .filter(|link| link.story == item.id)
                    .map(|link| Some(link.epic))
                    .peekable();
                if of.peek().is_none() {
                    wanted.contains(&None)
                } else {
                    of.any(|epic| wanted.contains(&epic))
                }
            }
            "q" => matches_words(item, value),
            "modified_date__gte" => item.modified.as_str() >= value,
            _ => true,
        };
        if !keeps {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "1")
}

/// A comma list of ids; `null` is none.
fn ids(value: &str, complaint: &str) -> Result<Vec<Option<u64>>, Answer> {
    let id = |part: &str| match part {
        "null" => Ok(None),
        number => number
            .parse()
            .map(Some)
            .map_err(|_| Answer::bad_request(complaint)),
    };
    value.split(',').map(id).collect()
}

/// Every word begins some word of the subject, the tags, the number or the description.
pub(crate) fn matches_words(item: &Item, text: &str) -> bool {
    let mut words = vec![item.reference.to_string()];
    let texts = [
        item.subject(),
        item.field("description").as_str().unwrap_or_default(),
    ];
    for text in texts.into_iter().chain(item.tags()) {
        words.extend(
            text.split(|letter: char| !letter.is_alphanumeric())
                .map(str::to_lowercase),
        );
    }
    text.split_whitespace()
        .map(str::to_lowercase)
        .all(|wanted| words.iter().any(|word| word.starts_with(&wanted)))
}
