//! Views that TruePPM makes for its pages, and that tokens of agents read: health of all projects,
//! what is blocked, load by week, and those of a sprint.

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::Asked;
use super::routes::Caller;
use super::world::{Record, World};

/// Windows that the heatmap has.
const WINDOWS: [&str; 4] = ["4", "8", "12", "16"];
const PEOPLE: [(&str, i64); 3] = [("Dan Ortiz", 125), ("Ben Lee", 80), ("Cleo Ng", 60)];

/// A bare list: one row for each project that the caller is a member of.
pub(crate) fn health_summary(world: &World, caller: Caller<'_>) -> Value {
    let is_seen = |project: &&Record| {
        let id = project["id"].as_str().unwrap();
        world.is_member(caller, id) && !world.is_closed(caller, id)
    };
    let rows = world.projects.iter().filter(is_seen).map(|project| {
        let tasks = world.tasks_of(project["id"].as_str().unwrap());
        let critical = tasks
            .iter()
            .filter(|task| task["is_critical"] == true)
            .count();
        let band = if critical > 5 { "critical" } else { "on_track" };
        json!({
            "id": project["id"], "name": project["name"], "health_band": band,
            "health_band_source": "derived", "at_risk_count": 0, "critical_count": critical,
        })
    });
    rows.collect()
}

pub(crate) fn blocked(world: &World, project: &str) -> Vec<Record> {
    let tasks = world.tasks_of(project).into_iter();
    let blocked = tasks.filter(|task| task["is_blocked"] == true);
    let row = |task: Record| {
        let row = json!({
            "task_id": task["id"], "task_short_id": task["short_id_display"], "task_name": task["name"],
            "is_blocked": true, "blocked_reason": task["blocked_reason"], "blocker_type": task["blocker_type"],
            "blocked_since": task["blocked_since"], "assignee": task["assignee"],
        });
        row.as_object().unwrap().clone()
    };
    blocked.map(row).collect()
}

pub(crate) fn product_backlog(world: &World, project: &str) -> Vec<Record> {
    let tasks = world.tasks_of(project).into_iter();
    let waiting = tasks.filter(|task| task["status"] == "BACKLOG");
    let row = |task: Record| {
        let row = json!({ "id": task["id"], "short_id": task["short_id_display"], "task_name": task["name"], "story_points": task["story_points"] });
        row.as_object().unwrap().clone()
    };
    waiting.map(row).collect()
}

/// Whole percents, a number for each week.
pub(crate) fn heatmap(world: &World, asked: &Asked, project: &str) -> Result<Value, Answer> {
    let window = asked.parameter("weeks").unwrap_or("8");
    if !WINDOWS.contains(&window) {
        return Err(Answer::json(
            400,
            json!({ "weeks": ["Choose 4, 8, 12 or 16."] }),
        ));
    }
    if world.tasks_of(project).is_empty() {
        return Err(Answer::detail(409, "The schedule has not been run."));
    }
    let weeks: usize = window.parse().unwrap();
    let first: jiff::civil::Date = asked
        .parameter("start")
        .unwrap_or("2026-11-30")
        .parse()
        .unwrap();
    let label = |week: usize| {
        let day = first
            .checked_add(jiff::Span::new().weeks(i64::try_from(week).unwrap()))
            .unwrap();
        let week = day.iso_week_date();
        format!("{}-W{:02}", week.year(), week.week())
    };
    let person = |(name, load): &(&str, i64)| {
        json!({
            "id": format!("r-{name}"), "name": name, "initials": "XX", "job_role": "Engineer", "color": "#4f46e5",
            "calendar_differs_from_project": false, "util": vec![load; weeks],
        })
    };
    Ok(json!({
        "weeks": (0..weeks).map(label).collect::<Vec<_>>(),
        "resources": PEOPLE.iter().map(person).collect::<Vec<_>>(), "group_by": "none",
    }))
}

/// Who is booked on which task of which project of a program.
pub(crate) fn contention(world: &World, asked: &Asked, program: &str) -> Value {
    let homes: Vec<&Record> = world
        .projects
        .iter()
        .filter(|project| project["program"] == program)
        .collect();
    let spans = |count: usize| {
        let spans = homes.iter().take(count).map(|home| {
            json!({ "task_id": "t", "task_name": "Some work", "project_id": home["id"], "project_name": home["name"],
                "early_start": "2026-12-01", "early_finish": "2026-12-11", "units": "0.50" })
        });
        spans.collect::<Vec<_>>()
    };
    json!({
        "program_id": program,
        "window_start": asked.parameter("start").unwrap_or("2026-11-30"),
        "window_end": asked.parameter("end").unwrap_or("2027-01-25"),
        "resources": [
            { "id": "r1", "name": "Dan Ortiz", "max_units": "1.00", "tasks": spans(2) },
            { "id": "r2", "name": "Ben Lee", "max_units": "1.00", "tasks": spans(1) },
        ],
    })
}

/// Remaining points, a number for each day that a sprint has had: in the form that `me/work` was
/// recorded to have.
pub(crate) fn burndown(sprint: &Record) -> Value {
    /// Points done on each day of two weeks.
    const DONE: [i64; 14] = [0, 0, 3, 0, 5, 2, 0, 0, 0, 5, 3, 8, 0, 2];
    let first: jiff::civil::Date = sprint["start_date"].as_str().unwrap().parse().unwrap();
    let committed = sprint["committed_points"].as_i64().unwrap_or_default();
    let mut remaining = committed;
    let series = first
        .series(jiff::Span::new().days(1))
        .zip(DONE)
        .map(|(day, done)| {
            remaining = (remaining - done).max(0);
            json!({ "date": day.to_string(), "remaining_points": remaining })
        });
    json!({ "series": series.collect::<Vec<_>>(), "committed_points": committed })
}

/// A view of a sprint; none where it has no such.
pub(crate) fn of_sprint(sprint: &Record, view: &str) -> Option<Value> {
    Some(match view {
        "scope-changes" => json!({
            "summary": { "points_added": 3, "points_removed": 0, "added_mid_sprint_count": 1, "total": 1 },
            "events": [{ "id": "e1", "item_name": "Hotfix", "story_points": 3, "added_by_name": "Raj Patel",
                "added_at": "2026-11-16T09:00:00Z", "goal_impact": false, "status": "accepted" }],
        }),
        "reforecast-preview" => json!({
            "basis": "velocity_band", "cpm_finish": sprint["finish_date"], "p50": sprint["finish_date"],
            "p80": "2026-12-08", "p95": "2026-12-14", "velocity_low": 18, "velocity_high": 27,
            "unmodeled_dependency": false, "unmodeled_predecessor_ids": [],
        }),
        // a form of our own
        "daily-delta" => json!({
            "since": "2026-11-20T00:00:00Z", "completed": [{ "task_id": "t1", "task_name": "Pilot data sync" }], "blocked": [], "added": [],
        }),
        "outcome" => json!({
            "sprint_id": sprint["id"], "state": sprint["state"], "provisional": true, "outcome_recorded": true, "name": sprint["name"],
            "commitment": { "committed_points": 21, "completed_points": 13 }, "velocity": null,
            "didnt_ship": [{ "task_id": "t1", "task_short_id": "T-12", "task_title": "Cutover rehearsal", "final_status": "IN_PROGRESS", "disposition": "carried" }],
            "didnt_ship_summary": { "carried_count": 1, "dropped_count": 0 },
        }),
        "incoming_carryover" => json!({
            "prior_sprint": { "id": "s0", "short_id_display": "SP-17", "name": "Sprint 0", "start_date": "2026-09-01", "finish_date": "2026-09-14" },
            "tasks": [{ "id": "t1", "short_id": "T-12", "name": "Cutover rehearsal", "story_points": 5, "pulled_in_to_current": false }],
        }),
        "capacity" => json!({
            "members": [{ "member_id": "m1", "member_name": "Dan Ortiz", "initials": "DO", "committed_hours": 70, "available_hours": 64, "ratio": 1.09, "is_over": true }],
            "totals": { "committed_hours": 70, "available_hours": 64, "ratio": 1.09, "buffer_hours": -6, "label": "over_capacity", "pto_days": 0 },
            "working_days": 10, "hours_per_day": 8,
        }),
        _ => return None,
    })
}
