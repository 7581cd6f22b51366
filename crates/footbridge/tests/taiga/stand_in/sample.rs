//! What is in the stand-in from the start: the people, projects and items that the recording speaks
//! of, in numbers that agree with it. Texts of items are ours.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::item::{Item, Kind};
use super::world::{Project, Sprint, User, World};

pub(crate) const START: &str = "2026-11-21T05:47:00Z";

/// The password of every account.
pub(crate) const PASSWORD: &str = "stand-in password";

const ADMIN: u64 = 5;
const BOT: u64 = 12;
const MEMBERS: [u64; 7] = [ADMIN, 11, 7, 6, 9, 10, BOT];

const SUBJECTS: [&str; 7] = [
    "Sign in with a passkey",
    "Support for bulk actions",
    "Export the report as a table",
    "Show who changed a field",
    "Search in comments",
    "Undo the last move",
    "Warn before a sprint overflows",
];

/// Name, whether it closes, colour.
type StatusRow = (&'static str, bool, &'static str);

const STORY_STATUSES: [StatusRow; 6] = [
    ("New", false, "#70728F"),
    ("Ready", false, "#E44057"),
    ("In progress", false, "#E47C40"),
    ("Ready for test", false, "#E4CE40"),
    ("Done", true, "#A8E440"),
    ("Archived", true, "#5C3566"),
];
const TASK_STATUSES: [StatusRow; 5] = [
    ("New", false, "#70728F"),
    ("In progress", false, "#E47C40"),
    ("Ready for test", false, "#E4CE40"),
    ("Closed", true, "#A8E440"),
    ("Needs Info", false, "#5178D3"),
];
const ISSUE_STATUSES: [StatusRow; 7] = [
    ("New", false, "#70728F"),
    ("In progress", false, "#40A8E4"),
    ("Ready for test", false, "#E47C40"),
    ("Closed", true, "#A8E440"),
    ("Needs Info", false, "#E44057"),
    ("Rejected", true, "#A9AABC"),
    ("Postponed", false, "#5178D3"),
];
const EPIC_STATUSES: [StatusRow; 5] = [
    ("New", false, "#70728F"),
    ("Ready", false, "#E44057"),
    ("In progress", false, "#E47C40"),
    ("Ready for test", false, "#E4CE40"),
    ("Done", true, "#A8E440"),
];
const POINTS: [(&str, Option<f64>); 12] = [
    ("?", None),
    ("0", Some(0.0)),
    ("1/2", Some(0.5)),
    ("1", Some(1.0)),
    ("2", Some(2.0)),
    ("3", Some(3.0)),
    ("5", Some(5.0)),
    ("8", Some(8.0)),
    ("10", Some(10.0)),
    ("13", Some(13.0)),
    ("20", Some(20.0)),
    ("40", Some(40.0)),
];

pub(crate) fn users() -> Vec<User> {
    let user = |id, username, full_name, email| User {
        id,
        username,
        full_name,
        email,
        is_superuser: id == ADMIN,
    };
    vec![
        user(ADMIN, "admin", "Administrator", "admin@admin.com"),
        user(BOT, "mcpbot", "MCP Bot", "mcpbot@taigaio.demo"),
        user(11, "user5", "Angela Perez", "user5@taigaio.demo"),
        user(7, "user1", "Begoña Flores", "user1@taigaio.demo"),
        user(10, "user4", "Enrique Crespo", "user4@taigaio.demo"),
        user(8, "user2", "Catalina Fernandez", "user2@taigaio.demo"),
        user(9, "user3", "Enrique Soto", "user3@taigaio.demo"),
        user(6, "user0", "Vanesa Torres", "user0@taigaio.demo"),
    ]
}

pub(crate) fn fill(world: &mut World) {
    for (id, is_private, is_blocked) in [
        (1, false, false),
        (2, false, false),
        (3, true, false),
        (4, false, true),
    ] {
        let members = if id == 3 {
            vec![ADMIN, 11]
        } else {
            MEMBERS.to_vec()
        };
        let project = Project {
            id,
            name: format!("Project Example {id}"),
            slug: format!("project-{id}"),
            description: format!("Project example {id} description"),
            is_private,
            is_blocked,
            admins: BTreeSet::from([ADMIN, 11]),
            members,
            catalogues: catalogues(id),
            last_ref: 0,
        };
        world.projects.insert(id, project);
    }
    sprints(world);
    items(world);
    for kind in [Kind::Epic, Kind::Story, Kind::Task, Kind::Issue] {
        for id in 1..=5 {
            attribute(world, kind, id);
        }
    }
    // The next ones are those that the recording made.
    world.projects.get_mut(&1).unwrap().last_ref = 93;
    for (what, last) in [
        ("story", 89),
        ("epic", 15),
        ("task", 114),
        ("issue", 57),
        ("sprint", 9),
        ("attribute", 14),
    ] {
        world.last_ids.insert(what, last);
    }
    let epic = world
        .items
        .values()
        .find(|item| item.kind == Kind::Epic && item.project == 1)
        .unwrap()
        .id;
    for story in [2, 9, 16, 23] {
        let order = world.order();
        world.links.push(super::world::Link { epic, story, order });
    }
}

fn statuses(project: u64, rows: &[StatusRow], is_story: bool) -> Vec<Map<String, Value>> {
    let first = (project - 1) * rows.len() as u64 + 1;
    let row = |(position, (name, is_closed, color)): (usize, &StatusRow)| {
        let slug = name.to_lowercase().replace(' ', "-");
        let id = first + position as u64;
        let mut row = object(
            json!({ "id": id, "name": name, "slug": slug, "order": position + 1, "is_closed": is_closed }),
        );
        if is_story {
            row.insert("is_archived".into(), json!(*name == "Archived"));
        }
        row.insert("color".into(), json!(color));
        if is_story {
            row.insert("wip_limit".into(), Value::Null);
        }
        row.insert("project".into(), json!(project));
        row
    };
    rows.iter().enumerate().map(row).collect()
}

fn named(project: u64, names: &[&str]) -> Vec<Map<String, Value>> {
    let first = (project - 1) * names.len() as u64 + 1;
    let row = |(position, name): (usize, &&str)| {
        let id = first + position as u64;
        object(
            json!({ "id": id, "name": name, "order": position + 1, "color": "#70728F", "project": project }),
        )
    };
    names.iter().enumerate().map(row).collect()
}

fn catalogues(project: u64) -> BTreeMap<&'static str, Vec<Map<String, Value>>> {
    let points = POINTS.iter().enumerate().map(|(position, (name, value))| {
        let id = (project - 1) * POINTS.len() as u64 + position as u64 + 1;
        object(json!({ "id": id, "name": name, "order": position + 1, "value": value, "project": project }))
    });
    let roles = ["UX", "Design", "Front", "Back", "Product Owner", "Stakeholder"].iter().enumerate().map(|(position, name)| {
        let id = (project - 1) * 6 + position as u64 + 1;
        let slug = name.to_lowercase().replace(' ', "-");
        object(json!({
            "id": id, "name": name, "slug": slug, "project": project, "order": (position + 1) * 10, "computable": position < 4,
            "permissions": ["add_issue", "modify_issue"], "members_count": 1
        }))
    });
    BTreeMap::from([
        ("epic-statuses", statuses(project, &EPIC_STATUSES, false)),
        (
            "userstory-statuses",
            statuses(project, &STORY_STATUSES, true),
        ),
        ("task-statuses", statuses(project, &TASK_STATUSES, false)),
        ("issue-statuses", statuses(project, &ISSUE_STATUSES, false)),
        ("priorities", named(project, &["Low", "Normal", "High"])),
        (
            "severities",
            named(
                project,
                &["Wishlist", "Minor", "Normal", "Important", "Critical"],
            ),
        ),
        (
            "issue-types",
            named(project, &["Bug", "Question", "Enhancement"]),
        ),
        ("points", points.collect()),
        ("roles", roles.collect()),
    ])
}

fn sprints(world: &mut World) {
    let sprint = |id: u64, project: u64, start: &str, finish: &str| Sprint {
        id,
        project,
        name: format!("Sprint {start}"),
        slug: format!("sprint-{start}"),
        owner: 7,
        estimated_start: start.to_owned(),
        estimated_finish: finish.to_owned(),
        created: "2026-09-27T05:45:13.727Z".into(),
        modified: "2026-11-21T05:45:13.732Z".into(),
        closed: false,
    };
    let mut first = sprint(1, 1, "2026-09-27", "2026-10-12");
    first.slug = "sprint-2026-9-27".into();
    for sprint in [
        first,
        sprint(2, 1, "2026-10-12", "2026-10-27"),
        sprint(3, 1, "2026-10-27", "2026-11-11"),
        sprint(4, 2, "2026-10-12", "2026-10-27"),
        sprint(5, 2, "2026-10-27", "2026-11-11"),
    ] {
        world.sprints.insert(sprint.id, sprint);
    }
}

fn items(world: &mut World) {
    for number in 0..28 {
        let subject = SUBJECTS[number % SUBJECTS.len()];
        let mut fields = object(json!({
            "subject": format!("{subject} {}", number + 1),
            "description": format!("What it takes to **{}**.", subject.to_lowercase()),
            "status": number % 4 + 1,
            "tags": [["platform", null], ["sample", "#98f4c9"]],
        }));
        fields.insert(
            "milestone".into(),
            if number < 7 {
                json!(1)
            } else if number < 15 {
                json!(number % 2 + 2)
            } else {
                Value::Null
            },
        );
        if number % 4 != 3 {
            fields.insert("assigned_to".into(), json!(MEMBERS[number % MEMBERS.len()]));
        }
        add(world, Kind::Story, 1, &fields);
    }
    for number in 0..40 {
        let story = number % 22 + 1;
        let fields = object(json!({
            "subject": format!("{} {}", SUBJECTS[number % SUBJECTS.len()], number + 1), "status": number % 3 + 1, "user_story": story,
            "tags": [["platform", null]], "assigned_to": MEMBERS[number % MEMBERS.len()],
        }));
        add(world, Kind::Task, 1, &fields);
    }
    for number in 0..19 {
        let fields = object(json!({
            "subject": SUBJECTS[number % SUBJECTS.len()], "status": number % 5 + 1, "type": number % 3 + 1, "severity": number % 5 + 1,
            "priority": number % 3 + 1, "assigned_to": MEMBERS[number % MEMBERS.len()],
        }));
        add(world, Kind::Issue, 1, &fields);
    }
    for number in 0..5 {
        let fields = object(
            json!({ "subject": SUBJECTS[number % SUBJECTS.len()], "status": number % 5 + 1, "color": "#ce5c00" }),
        );
        add(world, Kind::Epic, 1, &fields);
    }
    for kind in [Kind::Story, Kind::Task, Kind::Issue, Kind::Epic] {
        add(
            world,
            kind,
            2,
            &object(json!({ "subject": "In another project" })),
        );
        add(
            world,
            kind,
            3,
            &object(json!({ "subject": "In a private project" })),
        );
    }
}

fn add(world: &mut World, kind: Kind, project: u64, fields: &Map<String, Value>) {
    let mut item = Item::new(world, kind, project, ADMIN);
    item.fields.extend(fields.clone());
    if let Some(user) = item.id_in("assigned_to").filter(|_| kind == Kind::Story) {
        item.fields.insert("assigned_users".into(), json!([user]));
    }
    world.items.insert((kind, item.id), item);
}

fn attribute(world: &mut World, kind: Kind, id: u64) {
    let at = world.tick();
    let definition = object(json!({
        "id": id, "name": format!("Attribute {id}"), "description": "", "type": "text", "order": 1, "project": 1, "extra": null,
        "created_date": at, "modified_date": at
    }));
    world.attributes.insert((kind, id), definition);
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}
