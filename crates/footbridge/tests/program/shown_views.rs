//! The board on a page: which tools carry a page, what a page is told, and that a client that shows
//! none sees what it saw.

use serde_json::{Value, json};

use crate::harness::process::Home;
use crate::harness::session::{Session, shows_pages};

const WORK: &str = "ui://footbridge/work";
const CHANGES: &str = "ui://footbridge/changes";
const OPEN: &[&str] = &[
    "serve",
    "board",
    "--allow",
    "write,destroy",
    "--groups",
    "changes",
];

fn page_of(tools: &[Value], name: &str) -> Value {
    let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
    tool["_meta"]["ui"]["resourceUri"].clone()
}

/// A board with three columns, of which one is empty, and a card that is in none.
fn garden(session: &mut Session) -> Value {
    let columns = json!([
        { "key": "todo", "title": "To do" }, { "key": "doing", "title": "Doing", "wip_limit": 2 },
        { "key": "done", "title": "Done" }
    ]);
    let board = json!({ "name": "Garden", "columns": columns });
    let board = session.call("board_create", board).unwrap()["id"].clone();
    for (title, status) in [("Dig", "todo"), ("<img onerror=alert(1)>", "done")] {
        let card = json!({ "title": title, "status": status, "board_id": board, "position": 1 });
        session.call("card_create", card).unwrap();
    }
    board
}

#[test]
fn who_shows_pages_is_told_which_tool_has_one_and_nobody_else() {
    let home = Home::new();
    let mut shows = Session::declaring(&mut home.command(OPEN), &shows_pages());
    let mut tools = shows.tools();
    for name in ["card_list", "card_get", "board_list"] {
        assert_eq!(page_of(&tools, name), WORK, "{name}");
    }
    for name in ["changes_list", "changes_show", "changes_undo"] {
        assert_eq!(page_of(&tools, name), CHANGES, "{name}");
    }
    for name in ["card_create", "card_delete"] {
        assert_eq!(page_of(&tools, name), Value::Null, "{name}");
    }
    for (address, title) in [(WORK, "Footbridge"), (CHANGES, "Changes")] {
        let page = shows.read(address);
        assert_eq!(page["mimeType"], "text/html;profile=mcp-app");
        assert_eq!(page["_meta"], json!({ "ui": { "prefersBorder": true } }));
        assert!(page["text"].as_str().unwrap().contains(title));
    }
    let listed = shows.request("resources/list", &json!({}));
    assert!(!listed.to_string().contains("footbridge/work"), "{listed}");

    let mut other = Session::start(&mut home.command(OPEN));
    for tool in &mut tools {
        let tool = tool.as_object_mut().unwrap();
        if let Some(meta) = tool.get_mut("_meta").and_then(Value::as_object_mut) {
            meta.remove("ui");
            if meta.is_empty() {
                tool.remove("_meta");
            }
        }
    }
    assert_eq!(
        other.tools(),
        tools,
        "without the pages it is the same list"
    );
    let board = garden(&mut other);
    let filter = json!({ "filter": { "board_id": [board] } });
    let result = other.result("card_list", filter.clone());
    assert_eq!(
        result.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["content"]
    );
    assert_eq!(
        result["content"],
        shows.result("card_list", filter)["content"]
    );
}

#[test]
fn the_board_is_drawn_by_its_columns_and_a_card_moves_by_what_the_page_is_told() {
    let home = Home::new();
    let mut session = Session::declaring(&mut home.command(OPEN), &shows_pages());
    let board = garden(&mut session);
    let filter = json!({ "filter": { "board_id": [board] }, "all": true });
    let view = session.view("card_list", filter.clone());
    assert_eq!(
        [
            &view["kind"],
            &view["name"],
            &view["connector"],
            &view["title"],
            &view["tool"]
        ],
        ["board", "board", "board", "Board", "card_list"]
    );
    assert_eq!(view["arguments"], filter);
    assert_eq!(
        [&view["rows"], &view["id"], &view["group"], &view["by"]],
        ["items", "id", "status", "id"]
    );
    assert_eq!(
        view["columns"],
        json!([
            { "id": "todo", "value": "todo", "name": "To do" },
            { "id": "doing", "value": "doing", "name": "Doing", "limit": 2 },
            { "id": "done", "value": "done", "name": "Done" }
        ])
    );
    assert_eq!(
        view["card"],
        json!(["title", "assignee", "priority", "due_date", "tags"])
    );
    assert_eq!(
        view["move"],
        json!({ "tool": "card_update", "id": "id", "column": "status", "order": "position" })
    );
    assert_eq!(view["read"]["tool"], "card_get");
    let (edit, create) = (&view["edit"], &view["create"]);
    assert_eq!(edit["fields"]["title"]["type"], "string");
    assert_eq!(edit["fields"].get("id"), None);
    assert_eq!(
        [&create["required"], &create["arguments"], &create["column"]],
        [
            &json!(["title"]),
            &json!({ "board_id": board }),
            &json!("status")
        ]
    );
    assert_eq!(view.get("problem"), None);

    // the page calls the same tool, so the change is on record as any other
    let cards = session.call("card_list", filter).unwrap();
    let dig = &cards["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|card| card["title"] == "Dig")
        .unwrap()["id"];
    let moving = json!({ "id": dig, "status": view["columns"][1]["value"] });
    session.call("card_update", moving).unwrap();
    let changes = session.view("changes_list", json!({}));
    assert_eq!(changes, Value::Null, "it has a page of its own");

    // not of one board: the cards say what columns there are
    let view = session.view("card_list", json!({}));
    assert_eq!(
        (&view["kind"], view.get("columns")),
        (&json!("board"), None)
    );
    assert!(
        view["problem"]
            .as_str()
            .unwrap()
            .contains("not of one board alone")
    );
    // no view, so a table and a record
    let view = session.view("board_list", json!({}));
    assert_eq!(
        (&view["kind"], &view["rows"]),
        (&json!("table"), &json!("items"))
    );
    let view = session.view("card_get", json!({ "id": dig }));
    assert_eq!((&view["kind"], view.get("rows")), (&json!("record"), None));
    let refused = session.result("card_get", json!({ "id": "nothing" }));
    assert_eq!(
        (refused.get("structuredContent"), refused.get("_meta")),
        (None, None)
    );
}

#[test]
fn a_page_is_offered_what_is_open_and_no_more() {
    let home = Home::new();
    let mut session = Session::start(&mut home.command(OPEN));
    let board = garden(&mut session);
    session.finish();
    let mut reading = home.command(&["serve", "board", "--allow", "read"]);
    let mut session = Session::declaring(&mut reading, &shows_pages());
    let view = session.view("card_list", json!({ "filter": { "board_id": board } }));
    assert_eq!(view["columns"].as_array().unwrap().len(), 3);
    for closed in ["move", "edit", "create"] {
        assert_eq!(view.get(closed), None, "{closed}");
    }
    assert_eq!(view["read"]["tool"], "card_get");
}

#[test]
fn a_page_reads_what_there_is_to_open() {
    let home = Home::new();
    let mut session = Session::declaring(&mut home.command(OPEN), &shows_pages());
    let read = session.read("footbridge://views");
    assert_eq!(read["mimeType"], "application/json");
    let views: Value = serde_json::from_str(read["text"].as_str().unwrap()).unwrap();
    assert_eq!(
        views["views"],
        json!([{
            "name": "board", "connector": "board", "title": "Board", "kind": "board", "tool": "card_list",
            "arguments": { "all": true }, "required": {},
            "choices": [{
                "argument": "filter.board_id", "is_argument": true, "tool": "board_list", "takes": [],
                "id": "id", "name": "name"
            }]
        }])
    );
    assert_eq!(views["has_changes"], true);
    let tools = views["tools"].as_array().unwrap();
    let tool = |name: &str| tools.iter().find(|tool| tool["tool"] == name).unwrap();
    assert_eq!(tool("board_list")["kind"], "table");
    assert_eq!(tool("card_get")["required"]["id"]["type"], "string");
    assert!(tools.iter().all(|tool| tool["tool"] != "card_create"));
}
