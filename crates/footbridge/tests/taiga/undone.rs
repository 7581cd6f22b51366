//! What an agent did to a Taiga is undone around what people changed meanwhile, the undo too, over
//! MCP and from the command line after a restart.

use serde_json::{Map, Value, json};

use crate::harness::process::{Ended, Home, Running};
use crate::harness::served::changes_of;
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{Kind, StandIn, World};

/// Everything that is in it, but for ids, versions and times, which nobody can put back.
fn picture(world: &World) -> Vec<String> {
    let subject = |kind: Kind, id: u64| {
        let item = world.items.get(&(kind, id));
        item.map_or(Value::Null, |item| item.field("subject").clone())
    };
    let items = world.items.values().map(|item| {
        let mut fields = item.fields.clone();
        // Taiga adds to it whoever is assigned
        fields.shift_remove("assigned_users");
        // the colour of a tag is its project's
        let tags = item.field("tags").as_array().unwrap().iter();
        fields.insert("tags".into(), tags.map(|tag| tag[0].clone()).collect());
        if let Some(story) = item.id_in("user_story") {
            fields.insert("user_story".into(), subject(Kind::Story, story));
        }
        let (fields, attributes) = (sorted(fields), sorted(item.attributes.clone()));
        json!([item.kind.path(), fields, attributes]).to_string()
    });
    let links = world.links.iter().map(|link| {
        json!([
            "link",
            subject(Kind::Epic, link.epic),
            subject(Kind::Story, link.story)
        ])
        .to_string()
    });
    let mut lines: Vec<String> = items.chain(links).collect();
    lines.sort();
    lines
}

fn sorted(map: Map<String, Value>) -> Map<String, Value> {
    let mut members: Vec<_> = map.into_iter().collect();
    members.sort_by(|one, other| one.0.cmp(&other.0));
    members.into_iter().collect()
}

fn differences(one: &[String], other: &[String]) -> Vec<String> {
    let only = |here: &[String], there: &[String], sign: char| -> Vec<String> {
        let mut left: Vec<&String> = there.iter().collect();
        let mut found = Vec::new();
        for line in here {
            match left.iter().position(|other| *other == line) {
                Some(place) => drop(left.remove(place)),
                None => found.push(format!("{sign} {line}")),
            }
        }
        found
    };
    [only(one, other, '-'), only(other, one, '+')].concat()
}

#[track_caller]
fn is_same(one: &[String], other: &[String]) {
    let differences = differences(one, other);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

async fn agent(home: Home, stand_in: &StandIn, allow: &str) -> Served {
    let arguments = ["taiga", "--allow", allow];
    Served::at(
        home,
        Via::Stdio,
        &arguments,
        settings(stand_in),
        has_no_secret,
    )
    .await
}

fn terminal(home: &Home, stand_in: &StandIn, arguments: &[&str]) -> Ended {
    let mut command = home.command(arguments);
    Running::start(command.envs(settings(stand_in))).ended()
}

#[track_caller]
fn succeed(home: &Home, stand_in: &StandIn, arguments: &[&str]) -> String {
    let ended = terminal(home, stand_in, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
    has_no_secret(&ended.stdout);
    ended.stdout
}

fn a_person_changes(stand_in: &StandIn, kind: Kind, id: u64, field: &'static str, value: Value) {
    let mut world = stand_in.world();
    world.person_changes(kind, id, field, value);
}

fn attribute(stand_in: &StandIn, story: u64, key: &str, value: Value) {
    let mut world = stand_in.world();
    let item = world.items.get_mut(&(Kind::Story, story)).unwrap();
    item.attributes.insert(key.to_owned(), value);
    item.attributes_version += 1;
}

fn first(stand_in: &StandIn, kind: Kind) -> u64 {
    let world = stand_in.world();
    let mut items = world.items.values();
    items
        .find(|item| item.kind == kind && item.project == 1)
        .unwrap()
        .id
}

/// Eleven changes, beside a deletion that waits for a person.
async fn eleven_changes(stand_in: &StandIn, served: &Served) {
    let epic = first(stand_in, Kind::Epic);
    let of_story = |id: u64, mut fields: Value| {
        fields["user_story_id"] = json!(id);
        ("taiga_stories_update", fields)
    };
    let new = json!({ "project_id": 1, "subject": "Made by the agent", "tags": ["new"] });
    let task = json!({ "user_story_id": 7, "subject": "A task of the agent" });
    let begun = json!({ "task_id": 1, "subject": "Begun", "status": "in progress" });
    let issue = json!({ "issue_id": 1, "priority": "High", "assigned_to": "begoña flores" });
    for (tool, arguments) in [
        ("taiga_stories_create", new),
        of_story(1, json!({ "status": "done" })),
        of_story(2, json!({ "subject": "Renamed by the agent" })),
        of_story(3, json!({ "assigned_to": "enrique crespo" })),
        of_story(
            4,
            json!({ "custom_attributes": { "Attribute 1": "agent" } }),
        ),
        of_story(5, json!({ "custom_attributes": { "Attribute 1": "only" } })),
        of_story(6, json!({ "tags": ["Other"], "milestone_id": null })),
        ("taiga_tasks_create", task),
        ("taiga_tasks_update", begun),
        ("taiga_issues_update", issue),
        (
            "taiga_epics_add_user_story",
            json!({ "epic_id": epic, "user_story_id": 10 }),
        ),
    ] {
        served.succeed(tool, arguments).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_did_is_undone_around_what_people_changed() {
    let stand_in = StandIn::start().await;
    attribute(&stand_in, 4, "2", json!("old"));
    let at_first = picture(&stand_in.world());
    let served = agent(Home::new(), &stand_in, "write,propose").await;
    eleven_changes(&stand_in, &served).await;

    // deleting waits for a person, who approves the one and declines the other
    for (tool, arguments, number) in [
        ("taiga_stories_delete", json!({ "user_story_id": 12 }), 12),
        ("taiga_issues_delete", json!({ "issue_id": 2 }), 13),
    ] {
        let proposed = served.call(tool, arguments).await.text;
        let named = format!("footbridge changes approve {number}.");
        assert!(proposed.contains(&named), "{proposed}");
    }
    let home = served.home();
    succeed(home, &stand_in, &["changes", "approve", "12", "--yes"]);
    succeed(home, &stand_in, &["changes", "decline", "13"]);
    let there = |kind, id| stand_in.world().items.contains_key(&(kind, id));
    assert!(!there(Kind::Story, 12) && there(Kind::Issue, 2));
    let home = served.moves_out().await;

    // with deleting open, the same call again is the yes
    let served = agent(home, &stand_in, "write,destroy").await;
    served
        .confirmed("taiga_tasks_delete", json!({ "task_id": 5 }))
        .await;
    assert!(!there(Kind::Task, 5));

    // meanwhile people change two stories, and give one an attribute
    a_person_changes(&stand_in, Kind::Story, 2, "subject", json!("A person's"));
    a_person_changes(&stand_in, Kind::Story, 3, "subject", json!("Theirs too"));
    attribute(&stand_in, 4, "3", json!("added by a person"));
    let after_all = picture(&stand_in.world());

    let selection = json!({ "since": "1h" });
    let (plan, end) = served.undo(selection.clone()).await;
    let conflicts = plan["conflicts"].as_array().unwrap();
    assert_eq!(conflicts.len(), 1, "{plan}");
    let values = ["before", "ours", "now"].map(|key| conflicts[0][key].to_string());
    assert!(
        conflicts[0]["record"].to_string().contains("story 2")
            && values[0].contains("Support for bulk actions")
            && values[1].contains("Renamed by the agent")
            && values[2].contains("A person's"),
        "{plan}"
    );
    assert!(plan.get("left").is_none(), "{plan}");
    let undone = picture(&stand_in.world());
    let expected = with_people(&at_first);
    is_same(&expected, &undone);

    // the undo is undone: as after all of it
    let changes = changes_of(&end);
    let (_, again) = served.undo(json!({ "ids": changes })).await;
    is_same(&after_all, &picture(&stand_in.world()));

    // and that from the command line, after a restart
    let home = served.moves_out().await;
    let ids: Vec<String> = changes_of(&again).iter().map(Value::to_string).collect();
    let mut arguments = vec!["changes", "undo", "--allow", "write,destroy", "--dry-run"];
    arguments.extend(ids.iter().map(String::as_str));
    succeed(&home, &stand_in, &arguments);
    is_same(&after_all, &picture(&stand_in.world()));
    arguments[4] = "--yes";
    let told = succeed(&home, &stand_in, &arguments);
    let without_tasks = |lines: &[String]| -> Vec<String> {
        let lines = lines.iter();
        // a story that is made again by its record comes without its tasks
        let is_kept = |line: &&String| {
            !line.starts_with(r#"["tasks""#) || !line.contains("Search in comments 12")
        };
        lines.filter(is_kept).cloned().collect()
    };
    let now = picture(&stand_in.world());
    let differences = differences(&without_tasks(&expected), &without_tasks(&now));
    assert!(differences.is_empty(), "{told}\n{}", differences.join("\n"));
}

/// The lines with what people changed since: two subjects and an attribute. Taiga takes no empty
/// map of attributes, so the only one of a story is emptied.
fn with_people(lines: &[String]) -> Vec<String> {
    let changed = lines.iter().map(|line| {
        let by_kind = match line.starts_with(r#"["userstories""#) {
            true => "subject",
            false => "user_story",
        };
        let named = |subject: &str| format!(r#""{by_kind}":"{subject}""#);
        line.replace(r#","Support for bulk actions 2"]"#, r#","A person's"]"#)
            .replace(r#","Export the report as a table 3"]"#, r#","Theirs too"]"#)
            .replace(&named("Support for bulk actions 2"), &named("A person's"))
            .replace(
                &named("Export the report as a table 3"),
                &named("Theirs too"),
            )
            .replace(r#"{"2":"old"}"#, r#"{"2":"old","3":"added by a person"}"#)
    });
    let mut changed: Vec<String> = changed.collect();
    let emptied = changed.iter_mut().find(|line| {
        line.contains("Search in comments 5\"") && line.starts_with(r#"["userstories""#)
    });
    let emptied = emptied.unwrap();
    *emptied = emptied.replace(",{}]", r#",{"1":null}]"#);
    changed.sort();
    changed
}

/// Tags that people put in stay, and what they hung on what an agent made keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn tags_and_files_of_people_stay() {
    let stand_in = StandIn::start().await;
    let served = agent(Home::new(), &stand_in, "write,destroy").await;
    let tags = |id: u64| {
        let world = stand_in.world();
        let tags = world.items[&(Kind::Story, id)].field("tags").clone();
        let tags = tags.as_array().unwrap().iter();
        tags.map(|tag| tag[0].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    a_person_changes(
        &stand_in,
        Kind::Story,
        6,
        "tags",
        json!([["web", null], ["old", null]]),
    );
    let made = async |subject: &str| {
        let new = json!({ "project_id": 1, "subject": subject });
        let made = served.succeed("taiga_stories_create", new).await;
        let id = made["id"].as_u64().unwrap();
        let task = json!({ "user_story_id": id, "subject": "A task of the agent" });
        served.succeed("taiga_tasks_create", task).await;
        id
    };
    let (kept, gone) = (made("Kept").await, made("Gone").await);
    let replaced = json!({ "user_story_id": 6, "tags": ["web", "agent"] });
    served.succeed("taiga_stories_update", replaced).await;
    let theirs = json!([["agent", null], ["people", null], ["web", null]]);
    a_person_changes(&stand_in, Kind::Story, 6, "tags", theirs);
    stand_in.world().attach(Kind::Story, kept, "plan.pdf", 3);
    let home = served.moves_out().await;

    let undo = [
        "changes",
        "undo",
        "1",
        "2",
        "3",
        "4",
        "5",
        "--allow",
        "write,destroy",
    ];
    let shown = succeed(&home, &stand_in, &[&undo[..], &["--dry-run"]].concat());
    assert!(
        shown.contains("attachments (1) would go with it"),
        "{shown}"
    );
    assert_eq!(tags(6), ["agent", "people", "web"], "nothing was sent");
    terminal(&home, &stand_in, &[&undo[..], &["--yes"]].concat());
    assert_eq!(tags(6), ["people", "web", "old"]);
    let world = stand_in.world();
    assert!(world.items.contains_key(&(Kind::Story, kept)));
    assert!(!world.items.contains_key(&(Kind::Story, gone)));
    let mut left = world.items.values();
    assert!(!left.any(|item| item.field("subject") == "A task of the agent"));
}
