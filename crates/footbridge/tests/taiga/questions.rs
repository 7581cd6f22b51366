//! The questions that a lead asks of Taiga every day: the calls by default tools, and what the answers
//! cost a model. `docs/questions-taiga.md` is made from here; `INSTA_UPDATE=always` writes it anew.

use serde_json::{Value, json};

use crate::harness::questions::{Asked, QuestionPage, one};
use crate::served::Served;
use crate::stand_in::{Kind, StandIn, World};

pub(crate) fn day(days: i64) -> String {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let days = jiff::Span::new().days(days);
    today.date().checked_add(days).unwrap().to_string()
}

/// A sprint under way, with what a lead asks about in it.
pub(crate) fn lively(world: &mut World) {
    let mut sprint = world.sprint_like(1, 50, "Sprint of now");
    (sprint.estimated_start, sprint.estimated_finish) = (day(-5), day(9));
    world.sprints.insert(50, sprint);
    for id in 1..=14 {
        let story = world.items.get_mut(&(Kind::Story, id)).unwrap();
        story.fields.insert("milestone".into(), json!(50));
        story
            .fields
            .insert("points".into(), json!({ "1": 4, "2": 6 }));
    }
    for (id, field, value) in [
        (3, "is_blocked", json!(true)),
        (3, "blocked_note", json!("Waits for the contract.")),
        (5, "due_date", json!(day(-2))),
        (6, "status", json!(5)),
    ] {
        let story = world.items.get_mut(&(Kind::Story, id)).unwrap();
        story.fields.insert(field.into(), value);
    }
    let epic = world.links[0].epic;
    let number = world.items[&(Kind::Epic, epic)].reference;
    assert_eq!(number, number_of_epic());
}

/// The number of the epic that has stories.
fn number_of_epic() -> u64 {
    88
}

fn questions() -> Vec<Asked> {
    let here = |mut more: Value| {
        more["project_id"] = json!("Project Example 1");
        more
    };
    let stories = |question, more: Value| one(question, "taiga_stories_list", here(more));
    let short = json!(["ref", "subject", "assigned_to", "due_date"]);
    vec![
        stories(
            "What is late?",
            json!({ "due_before": "TODAY", "closed": false, "fields": short }),
        ),
        one("What is on my plate?", "taiga_my_work", json!({})),
        one(
            "Will the sprint make it?",
            "taiga_sprints_get",
            here(json!({ "burndown": true })),
        ),
        one(
            "Who has how much open in the sprint?",
            "taiga_sprints_get",
            here(json!({})),
        ),
        stories(
            "What is blocked, and by what?",
            json!({ "blocked": true, "fields": ["ref", "subject", "assigned_to", "blocked_note"] }),
        ),
        stories(
            "What in the sprint has nobody?",
            json!({ "assigned_to": "nobody", "sprint": "current", "fields": ["ref", "subject"] }),
        ),
        stories(
            "What was done since Friday?",
            json!({ "closed": true, "changed_since": "LAST", "fields": ["ref", "subject", "assigned_to"] }),
        ),
        stories(
            "What changed since yesterday?",
            json!({ "changed_since": "LAST", "order_by": "-modified_date", "limit": 10, "fields": ["ref", "subject", "status"] }),
        ),
        stories(
            "What comes next in the backlog?",
            json!({ "sprint": "backlog", "order_by": "backlog_order", "limit": 5, "fields": ["ref", "subject", "points"] }),
        ),
        stories(
            "What has Angela Perez in the sprint?",
            json!({ "assigned_to": "Angela Perez", "sprint": "current", "fields": ["ref", "subject", "status", "points"] }),
        ),
        stories(
            "Who made what is open?",
            json!({ "closed": false, "limit": 10, "fields": ["ref", "subject", "owner"] }),
        ),
        one(
            "Who owns #3, and what is the matter with it?",
            "taiga_item_get",
            json!({ "project": "Project Example 1", "ref": "#3" }),
        ),
        one(
            "Which tasks of #3 are left?",
            "taiga_tasks_list",
            json!({ "project_id": "Project Example 1", "ref": 3, "closed": false }),
        ),
        one(
            "What was said about #3?",
            "taiga_comments_list",
            json!({ "project": "Project Example 1", "ref": "#3" }),
        ),
        one(
            "Which grave bugs are open?",
            "taiga_issues_list",
            here(json!({ "type": "Bug", "severity": "Critical", "closed": false })),
        ),
        one(
            "How far are the epics?",
            "taiga_epics_list",
            here(json!({})),
        ),
        one(
            "Which stories does an epic have?",
            "taiga_item_get",
            json!({ "project": "Project Example 1", "ref": number_of_epic() }),
        ),
        one(
            "Which sprints are open?",
            "taiga_milestones_list",
            here(json!({ "closed": false })),
        ),
        one(
            "Who is in the project?",
            "taiga_users_list",
            here(json!({})),
        ),
        (
            "How did the scope of the sprint change?",
            Err(
                "Taiga keeps no scope of a sprint's first day; its history tells of each story alone.",
            ),
        ),
        (
            "When will it be finished?",
            Err("Taiga forecasts nothing; TruePPM does."),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_questions_of_a_lead_take_a_call_and_some_hundred_tokens() {
    let stand_in = StandIn::start().await;
    lively(&mut stand_in.world());
    let served = Served::start(&stand_in, "read").await;
    let page = QuestionPage {
        file: "questions-taiga.md",
        title: "What a team lead asks of Taiga",
        place: "in a project of 28 stories",
        words: &[("TODAY", day(0)), ("LAST", "2026-11-20".to_owned())],
    };
    page.hold(&served, questions()).await;
    served.end().await;
}
