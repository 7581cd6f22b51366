//! Sprints (Taiga calls them milestones): no versions, stories inside the records, statistics,
//! moving stories between them.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Reply};
use super::asked::Asked;
use super::change;
use super::item::{Item, Kind, project_info};
use super::lists;
use super::world::{Sprint, World};

/// A sprint closes itself when everything in it is closed.
pub(crate) fn is_closed(world: &World, id: u64) -> bool {
    if world.sprints.get(&id).is_some_and(|sprint| sprint.closed) {
        return true;
    }
    let mut inside = world
        .items
        .values()
        .filter(|item| item.id_in("milestone") == Some(id))
        .peekable();
    inside.peek().is_some() && inside.all(|item| item.is_closed(world))
}

fn record(world: &World, sprint: &Sprint) -> Value {
    let stories = world.stories_of_sprint(sprint.id);
    let points = |stories: &mut dyn Iterator<Item = &&Item>| {
        stories
            .filter_map(|story| story.total_points(world))
            .reduce(|a, b| a + b)
    };
    json!({
        "project": sprint.project, "project_extra_info": project_info(world, sprint.project), "id": sprint.id, "name": sprint.name,
        "slug": sprint.slug, "owner": sprint.owner, "estimated_start": sprint.estimated_start,
        "estimated_finish": sprint.estimated_finish, "created_date": sprint.created, "modified_date": sprint.modified,
        "closed": is_closed(world, sprint.id), "disponibility": 0.0, "order": sprint.id,
        "user_stories": stories.iter().map(|story| story.light(world, "milestone get")).collect::<Vec<_>>(),
        "total_points": points(&mut stories.iter()),
        "closed_points": points(&mut stories.iter().filter(|story| story.is_closed(world))),
    })
}

/// Newest start first, with the counts of open and closed ones.
pub(crate) fn list(world: &World, asked: &Asked, me: Option<u64>) -> Reply {
    let project = asked.id_parameter("project");
    let wanted = asked
        .parameter("closed")
        .map(|closed| closed.eq_ignore_ascii_case("true"));
    let of_project = |sprint: &&Sprint| {
        project.is_none_or(|id| sprint.project == id) && world.may_see(sprint.project, me)
    };
    let mut found: Vec<_> = world.sprints.values().filter(of_project).collect();
    let closed = found
        .iter()
        .filter(|sprint| is_closed(world, sprint.id))
        .count();
    let open = found.len() - closed;
    found.retain(|sprint| wanted.is_none_or(|wanted| is_closed(world, sprint.id) == wanted));
    found.sort_by(|a, b| b.estimated_start.cmp(&a.estimated_start));
    let answer = lists::page(
        asked,
        found
            .into_iter()
            .map(|sprint| record(world, sprint))
            .collect(),
    )?;
    Ok(answer
        .with("taiga-info-total-opened-milestones", open)
        .with("taiga-info-total-closed-milestones", closed))
}

fn seen(world: &World, me: Option<u64>, id: u64) -> Result<&Sprint, Answer> {
    let sprint = world
        .sprints
        .get(&id)
        .ok_or_else(|| Answer::missing("No Milestone matches the given query."))?;
    if world.may_see(sprint.project, me) {
        Ok(sprint)
    } else {
        Err(Answer::not_permitted())
    }
}

pub(crate) fn get(world: &World, me: Option<u64>, id: u64) -> Reply {
    Ok(Answer::ok(record(world, seen(world, me, id)?)))
}

pub(crate) fn create(world: &mut World, asked: &Asked, me: u64) -> Reply {
    let body = asked.object()?;
    Answer::require(
        &body,
        &["project", "name", "estimated_start", "estimated_finish"],
        asked.required(),
    )?;
    let project = body["project"].as_u64().unwrap_or_default();
    change::may_write(world, project, me)?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (name, estimated_start, estimated_finish) = (
        text("name"),
        text("estimated_start"),
        text("estimated_finish"),
    );
    dates(&estimated_start, &estimated_finish)?;
    if world
        .sprints
        .values()
        .any(|sprint| sprint.project == project && sprint.name == name)
    {
        return Err(Answer::invalid("name", "Duplicated name"));
    }
    let (id, created) = (world.next_id("sprint"), world.tick());
    let slug = name.to_lowercase().replace(' ', "-");
    let modified = created.clone();
    let sprint = Sprint {
        id,
        project,
        name,
        slug,
        owner: me,
        estimated_start,
        estimated_finish,
        created,
        modified,
        closed: body.get("closed") == Some(&json!(true)),
    };
    world.sprints.insert(id, sprint);
    Ok(Answer::created(record(world, &world.sprints[&id])))
}

fn dates(start: &str, finish: &str) -> Result<(), Answer> {
    for (name, text) in [("estimated_start", start), ("estimated_finish", finish)] {
        let date = text.parse::<jiff::civil::Date>();
        date.map_err(|_| {
            Answer::invalid(
                name,
                "Date has wrong format. Use one of these formats instead: YYYY[-MM[-DD]]",
            )
        })?;
    }
    let message = "The estimated start must be previous to the estimated finish.";
    if start <= finish {
        Ok(())
    } else {
        Err(Answer::invalid("__all__", message))
    }
}

pub(crate) fn patch(world: &mut World, asked: &Asked, me: u64, id: u64) -> Reply {
    let project = seen(world, Some(me), id)?.project;
    change::may_write(world, project, me)?;
    let body = asked.object()?;
    let is_taken = |sprint: &&Sprint| {
        sprint.project == project
            && sprint.id != id
            && body.get("name") == Some(&json!(sprint.name))
    };
    if world.sprints.values().any(|sprint| is_taken(&sprint)) {
        return Err(Answer::invalid("name", "Duplicated name"));
    }
    let modified = world.tick();
    let sprint = world.sprints.get_mut(&id).unwrap();
    let text = |name: &str, known: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .unwrap_or(known)
            .to_owned()
    };
    let (start, finish) = (
        text("estimated_start", &sprint.estimated_start),
        text("estimated_finish", &sprint.estimated_finish),
    );
    dates(&start, &finish)?;
    (sprint.estimated_start, sprint.estimated_finish) = (start, finish);
    sprint.name = text("name", &sprint.name);
    if let Some(closed) = body.get("closed").and_then(Value::as_bool) {
        sprint.closed = closed;
    }
    sprint.modified = modified;
    Ok(Answer::ok(record(world, &world.sprints[&id])))
}

/// The stories go back to the backlog.
pub(crate) fn delete(world: &mut World, me: u64, id: u64) -> Reply {
    let project = seen(world, Some(me), id)?.project;
    change::may_write(world, project, me)?;
    world.sprints.remove(&id);
    for item in world
        .items
        .values_mut()
        .filter(|item| item.id_in("milestone") == Some(id))
    {
        item.fields.insert("milestone".into(), Value::Null);
    }
    Ok(Answer::empty(204))
}

pub(crate) fn statistics(world: &World, me: Option<u64>, id: u64) -> Reply {
    let sprint = seen(world, me, id)?;
    let stories = world.stories_of_sprint(id);
    let tasks = |closed: bool| {
        let inside = |task: &&Item| {
            task.kind == Kind::Task
                && stories
                    .iter()
                    .any(|story| task.id_in("user_story") == Some(story.id))
        };
        world
            .items
            .values()
            .filter(inside)
            .filter(|task| !closed || task.is_closed(world))
            .count()
    };
    let total: f64 = stories
        .iter()
        .filter_map(|story| story.total_points(world))
        .sum();
    let done = stories.iter().filter(|story| story.is_closed(world));
    let completed: Vec<f64> = done
        .clone()
        .filter_map(|story| story.total_points(world))
        .collect();
    // a story is done from the day on that it has as its end, if it has one
    let is_done_on = |story: &Item, day: jiff::civil::Date| {
        let end = story.fields.get("finish_date").and_then(Value::as_str);
        story.is_closed(world) && end.is_none_or(|end| *end <= *format!("{day}T23:59:59Z"))
    };
    let done_on = |day| -> f64 {
        let done = stories.iter().filter(|story| is_done_on(story, day));
        done.filter_map(|story| story.total_points(world)).sum()
    };
    let (start, finish) = (
        sprint.estimated_start.parse::<jiff::civil::Date>(),
        sprint.estimated_finish.parse::<jiff::civil::Date>(),
    );
    let (start, finish) = (start.unwrap(), finish.unwrap());
    let length = f64::from(start.until(finish).unwrap().get_days().max(1));
    let days = start.series(jiff::Span::new().days(1)).take_while(|day| *day <= finish).enumerate().map(|(number, day)| {
        let ideal = total * (1.0 - number as f64 / length);
        json!({ "day": day.to_string(), "name": day.day(), "open_points": total - done_on(day), "optimal_points": ideal })
    });
    Ok(Answer::ok(json!({
        "name": sprint.name, "estimated_start": sprint.estimated_start, "estimated_finish": sprint.estimated_finish,
        "total_points": { "2": total }, "completed_points": completed, "total_userstories": stories.len(),
        "completed_userstories": done.count(), "total_tasks": tasks(false), "completed_tasks": tasks(true), "iocaine_doses": 0,
        "days": days.collect::<Vec<_>>()
    })))
}

/// Moves stories to another sprint; no versions are checked or counted.
pub(crate) fn move_stories(world: &mut World, asked: &Asked, me: u64) -> Reply {
    let body = asked.object()?;
    Answer::require(
        &body,
        &["project_id", "milestone_id", "bulk_stories"],
        asked.required(),
    )?;
    let project = body["project_id"].as_u64().unwrap_or_default();
    change::may_write(world, project, me)?;
    let target = body["milestone_id"].as_u64().filter(|id| {
        world
            .sprints
            .get(id)
            .is_some_and(|sprint| sprint.project == project)
    });
    let target = target.ok_or_else(|| {
        Answer::invalid("milestone_id", "The milestone isn't valid for the project")
    })?;
    let stories = body["bulk_stories"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|story| story["us_id"].as_u64());
    set_on(
        world,
        stories.collect(),
        &Map::from_iter([("milestone".to_owned(), json!(target))]),
    );
    Ok(Answer::empty(204))
}

/// Sets fields on stories the way bulk routes do: the version stays.
pub(crate) fn set_on(world: &mut World, stories: Vec<u64>, fields: &Map<String, Value>) {
    for id in stories {
        if let Some(story) = world.items.get_mut(&(Kind::Story, id)) {
            story.fields.extend(fields.clone());
        }
    }
}
