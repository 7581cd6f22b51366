//! Taiga on a page: its stories and a sprint by status, burndown, and what becomes of a view that
//! lacks something.

use serde_json::{Value, json};

use crate::harness::process::Home;
use crate::harness::session::{Session, shows_pages};
use crate::served::settings;
use crate::stand_in::{Kind, StandIn};

const PROJECT: &str = "Project Example 1";

fn session(home: &Home, stand_in: &StandIn, allow: &str) -> Session {
    let mut command = home.command(&["serve", "taiga", "--allow", allow]);
    Session::declaring(command.envs(settings(stand_in)), &shows_pages())
}

fn columns(view: &Value) -> Vec<String> {
    let columns = view["columns"].as_array().unwrap().iter();
    columns
        .map(|column| column["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn stories_are_a_board_by_the_statuses_of_their_project() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    let mut session = session(&home, &stand_in, "write");
    let view = session.view("taiga_stories_list", json!({ "project_id": PROJECT }));
    assert_eq!(
        [&view["kind"], &view["name"], &view["group"], &view["by"]],
        ["board", "stories", "status", "name"]
    );
    let names = columns(&view);
    assert!(
        names.contains(&"New".to_owned()) && names.len() > 3,
        "{names:?}"
    );
    assert!(
        view["columns"]
            .as_array()
            .unwrap()
            .iter()
            .all(|column| column["is_closed"].is_boolean())
    );
    let moving =
        json!({ "tool": "taiga_stories_update", "id": "user_story_id", "column": "status" });
    assert_eq!(view["move"], moving);
    assert_eq!(
        view["read"],
        json!({ "tool": "taiga_item_get", "id": "id", "arguments": { "type": "story" } })
    );
    assert_eq!(view["create"]["tool"], "taiga_stories_create");
    assert_eq!(view["create"]["arguments"]["project_id"], PROJECT);
    assert_eq!(view["edit"]["fields"].get("user_story_id"), None);
    assert_eq!(
        view["edit"]["fields"].get("ref"),
        None,
        "it stands in for the id"
    );

    // the whole view is by id, which goes into the call that moves
    let fields = json!(["subject", "status", "status_id"]);
    let arguments = json!({ "project_id": PROJECT, "fields": fields, "limit": 5 });
    let view = session.view("taiga_stories_list", arguments.clone());
    assert_eq!([&view["group"], &view["by"]], ["status_id", "id"]);
    let stories = session.call("taiga_stories_list", arguments).unwrap();
    let story = stories["items"][0]["id"].as_u64().unwrap();
    let is_other = |column: &&Value| column["value"] != stories["items"][0]["status_id"];
    let column = view["columns"]
        .as_array()
        .unwrap()
        .iter()
        .find(is_other)
        .unwrap();
    let call = json!({ "user_story_id": story, "status": column["value"] });
    let moved = session.call("taiga_stories_update", call).unwrap();
    assert_eq!(moved["status"], column["name"]);

    // what was asked for lacks the column: a table, and the call that mends it
    let arguments = json!({ "project_id": PROJECT, "fields": ["subject"] });
    let view = session.view("taiga_stories_list", arguments);
    assert_eq!([&view["kind"], &view["rows"]], ["table", "items"]);
    assert!(
        view["problem"].as_str().unwrap().contains("`status`"),
        "{view}"
    );
    assert_eq!(view["again"]["tool"], "taiga_stories_list");
    let again = view["again"]["arguments"].clone();
    assert_eq!(again["project_id"], PROJECT);
    assert_eq!(session.view("taiga_stories_list", again)["kind"], "board");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sprint_is_a_board_and_its_burndown_a_chart() {
    let stand_in = StandIn::start().await;
    {
        let mut world = stand_in.world();
        let sprint = world.sprint_like(1, 50, "Sprint of now");
        world.sprints.insert(50, sprint);
        let story = world.items.get_mut(&(Kind::Story, 1)).unwrap();
        story.fields.insert("milestone".into(), json!(50));
    }
    let home = Home::new();
    let mut session = session(&home, &stand_in, "read");
    let in_sprint = json!({ "project_id": PROJECT, "sprint": "Sprint of now" });
    let view = session.view("taiga_stories_list", in_sprint.clone());
    assert_eq!(
        [&view["kind"], &view["name"], &view["title"]],
        ["board", "sprint", "Sprint"]
    );
    assert_eq!(
        (view.get("move"), view.get("create")),
        (None, None),
        "only reading is open"
    );

    let mut arguments = in_sprint;
    let view = session.view("taiga_sprints_get", arguments.clone());
    assert_eq!(view["kind"], "record", "who asks for figures gets them");
    arguments["burndown"] = json!(true);
    let view = session.view("taiga_sprints_get", arguments);
    assert_eq!(
        [&view["kind"], &view["rows"], &view["x"]],
        ["chart", "burndown", "day"]
    );
    assert_eq!(
        [&view["y"], &view["line"]],
        [&json!(["open", "ideal"]), &json!(true)]
    );

    let views = session.read("footbridge://views");
    let views: Value = serde_json::from_str(views["text"].as_str().unwrap()).unwrap();
    let names = views["views"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|view| view["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["stories", "sprint", "burndown"]);
    assert_eq!(
        views["views"][0]["choices"][0]["tool"],
        "taiga_projects_list"
    );
    assert_eq!(views["views"][1]["arguments"]["sprint"], "current");
}
