//! What the tests of the reference pin, word for word, and no other test of ours shows: what goes
//! out to Taiga, and what comes back. Which of its 49 behaviours is shown where is in `ledger`.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::door::{Door, KEY, refusal};
use crate::served::{Served, items};
use crate::stand_in::{Kind, Odd, StandIn, World};

const OPEN: &str = "write,destroy";
/// The account's id.
const ME: &str = "5";

fn texts(value: &Value, key: &str) -> Vec<String> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[key].as_str().unwrap().to_owned())
        .collect()
}

fn epic_of_project_1(world: &World) -> u64 {
    world
        .items
        .values()
        .find(|item| item.kind == Kind::Epic && item.project == 1)
        .unwrap()
        .id
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_mine_unless_a_member_is_named_and_the_search_stays_here() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let (_, mine) = door.get("list_projects?search=EXAMPLE").await;
    assert!(
        texts(&mine["projects"], "name")
            .iter()
            .all(|name| name.contains("Example")),
        "{mine}"
    );
    {
        let world = stand_in.world();
        let sent = world.seen.last("GET /projects");
        assert_eq!(
            (
                sent.values("member"),
                sent.values("search"),
                sent.values("q")
            ),
            (vec![ME], vec![], vec![])
        );
    }
    let (_, theirs) = door
        .get("list_projects?member=11&search=example&order_by=-name&q=exam")
        .await;
    assert!(
        !theirs["projects"].as_array().unwrap().is_empty(),
        "{theirs}"
    );
    {
        let world = stand_in.world();
        let sent = world.seen.last("GET /projects");
        assert_eq!(sent.values("member"), ["11"]);
        assert_eq!(
            (
                sent.values("order_by"),
                sent.values("q"),
                sent.values("search")
            ),
            (vec!["-name"], vec!["exam"], vec![])
        );
    }
    let (status, unknown) = door.get("list_projects?colour=red").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        unknown["error"]
            .as_str()
            .unwrap()
            .contains("no parameter colour"),
        "{unknown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_only_the_keys_that_are_there() {
    let stand_in = StandIn::start().await;
    let row = json!([{ "id": 7, "name": "Bare", "members": [1, 2], "tags": [] }]);
    stand_in
        .world()
        .turned
        .odd
        .push(("GET /projects", Odd::body(200, row.to_string())));
    let door = Door::open(&stand_in, Some(KEY), &[]);
    assert_eq!(
        door.get("list_projects").await.1,
        json!({ "projects": [{ "id": 7, "name": "Bare" }] })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_of_stories_are_read_and_passed_on() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let epic = epic_of_project_1(&stand_in.world());
    for (epic_by, search_by, tag_by) in [("epic_id", "search", "tag"), ("epic", "q", "tags")] {
        let query = format!(
            "project_id=1&{epic_by}={epic}&{search_by}=bulk&{tag_by}=sample&{tag_by}=platform&page=1&page_size=5"
        );
        let (status, answer) = door.get(&format!("list_stories?{query}")).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let world = stand_in.world();
        let sent = world.seen.last("GET /userstories");
        assert_eq!(
            (sent.values("project"), sent.values("epic")),
            (vec!["1"], vec![epic.to_string().as_str()])
        );
        assert_eq!(
            (sent.values("q"), sent.values("tags"), sent.values("search")),
            (vec!["bulk"], vec!["sample,platform"], vec![])
        );
        assert_eq!(
            (sent.values("page"), sent.values("page_size")),
            (vec!["1"], vec!["5"])
        );
    }
    for name in ["epic_id", "page", "page_size"] {
        assert_eq!(
            door.get(&format!("list_stories?project_id=1&{name}=x"))
                .await,
            refusal(&format!("{name} must be an integer"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_taiga_refuses_is_a_400_with_its_message() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let refused = || {
        Odd::body(
            418,
            json!({ "_error_message": "Taiga says no", "_error_type": "x" }).to_string(),
        )
    };
    for (line, action, body) in [
        ("GET /userstories", "list_stories?project_id=1", None),
        (
            "POST /userstories",
            "create_story",
            Some(json!({ "project_id": 1, "subject": "x" })),
        ),
    ] {
        stand_in.world().turned.odd.push((line, refused()));
        let (status, answer) = match body {
            None => door.get(action).await,
            Some(body) => door.post(action, body).await,
        };
        assert_eq!(status, StatusCode::BAD_REQUEST, "{action}");
        let text = answer["error"].as_str().unwrap();
        assert!(
            text.contains("Taiga says no") && text.contains("418"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_passes_both_ids_and_answers_with_the_link() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let epic = epic_of_project_1(&stand_in.world());
    let link = door
        .done(
            "add_story_to_epic",
            json!({ "epic_id": epic, "user_story_id": "1" }),
        )
        .await;
    assert_eq!(
        (&link["link"]["epic"], &link["link"]["user_story"]),
        (&json!(epic), &json!(1))
    );
    let world = stand_in.world();
    let sent = world.seen.last("POST /epics/");
    assert_eq!(sent.line, format!("POST /epics/{epic}/related_userstories"));
    assert_eq!(sent.body, json!({ "epic": epic, "user_story": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_sends_what_was_given_and_the_version_that_was_read() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let id_of = |kind: Kind| {
        stand_in
            .world()
            .items
            .values()
            .find(|item| item.kind == kind && item.project == 1)
            .unwrap()
            .id
    };
    for (kind, name, path, status, expected) in [
        (Kind::Story, "story", "userstories", json!("in-progress"), 3),
        (Kind::Task, "task", "tasks", json!(2), 2),
        (Kind::Issue, "issue", "issues", json!(4), 4),
        (Kind::Epic, "epic", "epics", json!(2), 2),
    ] {
        let id = id_of(kind);
        // Not the first version, so that a constant is found out.
        let _first = door
            .done(
                &format!("update_{name}"),
                json!({ format!("{name}_id"): id, "subject": "Once more" }),
            )
            .await;
        let version = stand_in.world().items[&(kind, id)].version;
        door.done(
            &format!("update_{name}"),
            json!({ format!("{name}_id"): id, "status": status }),
        )
        .await;
        let world = stand_in.world();
        assert_eq!(
            world.seen.last(&format!("PATCH /{path}/{id}")).body,
            json!({ "status": expected, "version": version }),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_created_is_sent_as_it_was_given() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let sent = |line: &'static str| stand_in.world().seen.last(line).body.clone();
    door.done(
        "create_task",
        json!({ "project_id": 1, "subject": "x", "user_story_id": 1, "tags": ["a"] }),
    )
    .await;
    assert_eq!(
        sent("POST /tasks"),
        json!({ "project": 1, "user_story": 1, "subject": "x", "tags": ["a"] })
    );
    let issue = door
        .done(
            "create_issue",
            json!({ "project_id": 1, "subject": "x", "severity": 4, "type": 2 }),
        )
        .await;
    assert_eq!(
        sent("POST /issues"),
        json!({ "project": 1, "subject": "x", "type": 2, "severity": 4 })
    );
    assert_eq!(
        (&issue["issue"]["type"], &issue["issue"]["issue_type"]),
        (&json!(2), &json!(2))
    );
    door.done(
        "create_epic",
        json!({ "project_id": 1, "subject": "x", "status": 2, "assigned_to": null }),
    )
    .await;
    assert_eq!(
        sent("POST /epics"),
        json!({ "project": 1, "subject": "x", "status": 2 })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_texts_are_taken_as_the_reference_takes_them() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    for project in [
        json!(1),
        json!("1"),
        json!(" 1 "),
        json!("+1"),
        json!(1.9),
        json!(true),
    ] {
        door.done(
            "create_story",
            json!({ "project_id": project, "subject": 5 }),
        )
        .await;
        let world = stand_in.world();
        assert_eq!(
            world.seen.last("POST /userstories").body,
            json!({ "project": 1, "subject": "5" }),
            "{project}"
        );
    }
    for project in [json!("1.0"), json!("one"), json!([1]), json!({})] {
        let refused = door
            .post(
                "create_story",
                json!({ "project_id": project, "subject": "x" }),
            )
            .await;
        assert_eq!(
            refused,
            refusal("project_id must be an integer"),
            "{project}"
        );
    }
    let epic = json!({ "epic_id": -1.9, "subject": "x" });
    assert_eq!(
        door.post("update_epic", epic).await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        stand_in.world().seen.last("GET /epics/").line,
        "GET /epics/-1",
        "cut, not rounded down"
    );
    // Null clears tags and text where Taiga knows how.
    let story = door
        .done(
            "create_story",
            json!({ "project_id": 1, "subject": "x", "tags": ["a"], "description": "d" }),
        )
        .await;
    let cleared = json!({ "story_id": story["story"]["id"], "tags": null, "description": null });
    let cleared = door.done("update_story", cleared).await;
    assert_eq!(
        (&cleared["story"]["tags"], &cleared["story"]["description"]),
        (&json!([]), &json!(""))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_update_reaches_every_field() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let story = served
        .succeed(
            "taiga_stories_create",
            json!({ "project_id": 1, "subject": "All of it" }),
        )
        .await;
    let id = story["id"].as_u64().unwrap();
    let change = json!({
        "user_story_id": id, "status": "In Progress", "tags": ["x"], "milestone_id": 1, "custom_attributes": { "1": "value" }
    });
    served.succeed("taiga.stories.update", change).await;
    {
        let world = stand_in.world();
        let body = &world.seen.last("PATCH /userstories/").body;
        assert_eq!(
            body["attributes_values"],
            json!({ "1": "value" }),
            "attributes go their own way"
        );
        let body = &world.seen.last(&format!("PATCH /userstories/{id}")).body;
        assert_eq!(
            body,
            &json!({ "status": 3, "tags": ["x"], "milestone": 1, "version": 1 })
        );
    }
    let cleared = json!({ "user_story_id": id, "tags": null, "assigned_to": null, "milestone_id": null, "status": null });
    let cleared = served.succeed("taiga.stories.update", cleared).await;
    assert_eq!(
        (
            &cleared["status"],
            cleared.get("tags"),
            cleared.get("sprint")
        ),
        (&json!("New"), None, None)
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_takes_names_and_dates_and_a_409_names_the_latest_version() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let new = json!({ "user_story_id": 1, "subject": "Due", "status": "In progress", "due_date": "2026-12-24" });
    let task = served.succeed("taiga.tasks.create", new).await;
    {
        let world = stand_in.world();
        let expected = json!({ "project": 1, "user_story": 1, "subject": "Due", "status": 2, "due_date": "2026-12-24" });
        assert_eq!(world.seen.last("POST /tasks").body, expected);
    }
    let count = stand_in.world().seen.of("POST /tasks").len();
    let late = json!({ "user_story_id": 1, "subject": "Never", "due_date": "24/12/2026" });
    served
        .refuse("taiga.tasks.create", late, &["due_date"])
        .await;
    assert_eq!(
        stand_in.world().seen.of("POST /tasks").len(),
        count,
        "nothing was sent"
    );

    stand_in.world().turned.odd.push((
        "PATCH /tasks/",
        Odd::body(409, json!({ "version": "conflict" }).to_string()),
    ));
    let change = json!({ "task_id": task["id"], "subject": "Twice", "version": 1 });
    served
        .refuse("taiga.tasks.update", change, &["latest version is 1"])
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_and_sprints_and_people_are_found() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "read").await;
    let tasks =
        json!({ "project_id": 1, "status": "In Progress", "page_size": 3, "assigned_to": null });
    let page = served.succeed("taiga.tasks.list", tasks).await;
    {
        let world = stand_in.world();
        let sent = world.seen.last("GET /tasks");
        assert_eq!(
            (sent.values("status"), sent.values("page_size")),
            (vec!["2"], vec!["3"])
        );
        let all = world.items.values().filter(|item| {
            item.kind == Kind::Task && item.project == 1 && item.id_in("status") == Some(2)
        });
        assert_eq!(page["total_count"], all.count());
    }
    assert!(
        items(&page).len() == 3 && page["next_cursor"].is_string(),
        "{page}"
    );

    let by_slug = served
        .succeed(
            "taiga.milestones.list",
            json!({ "project_id": 1, "search": "SPRINT-2026-10" }),
        )
        .await;
    assert!(
        !items(&by_slug).is_empty()
            && items(&by_slug)
                .iter()
                .all(|sprint| sprint["slug"].as_str().unwrap().contains("2026-10")),
        "{by_slug}"
    );

    // The members are in the project's own record; without the memberships their e-mails alone are
    // missing.
    stand_in.world().turned.odd.push((
        "GET /memberships",
        Odd::body(403, json!({ "_error_message": "no" }).to_string()),
    ));
    let people = served
        .succeed(
            "taiga.users.list",
            json!({ "project_id": 1, "search": "flores" }),
        )
        .await;
    assert_eq!(
        (items(&people).len(), &people["items"][0]["username"]),
        (1, &json!("user1")),
        "{people}"
    );
    assert_eq!(people["items"][0].get("email"), None);
    assert!(
        people["unavailable"]["memberships"]
            .as_str()
            .unwrap()
            .contains("403"),
        "{people}"
    );
    served.end().await;
}
