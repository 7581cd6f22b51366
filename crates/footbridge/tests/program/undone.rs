//! Twelve changes of an agent on the board, by a real client of MCP, undone around what a person
//! changed by `/xapi2` meanwhile; the undo too, and from the command line after a restart.

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::served::{Served, Via, changes_of, items};

async fn agent(home: Home, allow: &str) -> Served {
    let arguments = ["board", "--allow", allow];
    Served::at(home, Via::Stdio, &arguments, [], |_| {}).await
}

/// All boards and cards, but for ids and times.
async fn picture(served: &Served) -> Vec<String> {
    let boards = served.succeed("board_list", json!({ "all": true })).await;
    let cards = served.succeed("card_list", json!({ "all": true })).await;
    let name_of = |id: &Value| {
        let mut boards = items(&boards).iter();
        let board = boards.find(|board| board["id"] == *id);
        board.map_or(Value::Null, |board| board["name"].clone())
    };
    let mut rows = Vec::new();
    for row in items(&boards).iter().chain(items(&cards)) {
        let mut row = row.clone();
        let fields = row.as_object_mut().unwrap();
        for own in ["id", "created_at", "updated_at", "created_by"] {
            fields.remove(own);
        }
        if let Some(board) = fields.get_mut("board_id") {
            *board = name_of(board);
        }
        rows.push(row.to_string());
    }
    rows.sort();
    rows
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}

/// What was there before the agent came.
struct Before {
    board: String,
    cards: Vec<String>,
}

async fn a_board(served: &Served) -> Before {
    let columns = json!([{ "key": "todo", "title": "To do" }, { "key": "doing", "title": "Doing", "wip_limit": 2 }]);
    let new = json!({ "name": "Release", "columns": columns, "settings": { "own": { "b": 1, "a": [1.5, null] } } });
    let board = id(&served.succeed("board_create", new).await);
    let mut cards = Vec::new();
    for number in 0..6 {
        let new = json!({
            "title": format!("Zürich 日本 {number}"), "status": "todo", "board_id": board, "position": number,
            "tags": ["a", "b"], "description": "Two\nlines", "priority": "high"
        });
        cards.push(id(&served.succeed("card_create", new).await));
    }
    Before { board, cards }
}

async fn ten_changes(served: &Served, before: &Before) {
    let Before { board, cards } = before;
    let other = served
        .succeed("board_create", json!({ "name": "Agent's" }))
        .await;
    for (tool, arguments) in [
        (
            "card_create",
            json!({ "title": "Made", "status": "todo", "board_id": other["id"] }),
        ),
        (
            "card_update",
            json!({ "id": cards[0], "status": "doing", "position": 7 }),
        ),
        ("card_update", json!({ "id": cards[1], "title": "Renamed" })),
        (
            "card_update",
            json!({ "id": cards[2], "assignee": "codex", "due_date": "2026-12-01" }),
        ),
        (
            "card_update",
            json!({ "id": cards[3], "tags": [], "description": "Short" }),
        ),
        ("card_update", json!({ "id": cards[3], "tags": ["c"] })),
        (
            "board_update",
            json!({ "id": board, "settings": { "own": { "b": 2 } }, "accent": "rose" }),
        ),
        (
            "board_update",
            json!({ "id": board, "columns": [{ "key": "done", "title": "Done" }] }),
        ),
        (
            "card_update",
            json!({ "id": cards[4], "board_id": other["id"] }),
        ),
    ] {
        served.succeed(tool, arguments).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_changes_are_undone_around_what_a_person_changed() {
    let served = agent(Home::new(), "write").await;
    let before = a_board(&served).await;
    let at_first = picture(&served).await;
    let home = served.moves_out().await;

    let served = agent(home, "write,propose").await;
    ten_changes(&served, &before).await;
    // deleting waits for a person, who approves the one and declines the other
    let (gone, kept) = (&before.cards[5], &before.cards[0]);
    let proposed = served.call("card_delete", json!({ "id": gone })).await;
    let declined = served.call("card_delete", json!({ "id": kept })).await;
    let (number, other) = (number_in(&proposed.text), number_in(&declined.text));
    let home = served.home();
    home.succeed(&["changes", "approve", &number, "--yes"]);
    home.succeed(&["changes", "decline", &other]);

    // meanwhile a person changes two cards and a board, at the board's own door
    let token = home.token("local");
    let (running, base) = Running::start_http(&mut home.command(&["serve", "board"]));
    for (path, body) in [
        (
            format!("card/{}", before.cards[1]),
            json!({ "title": "A person's" }),
        ),
        (
            format!("card/{}", before.cards[2]),
            json!({ "priority": "low" }),
        ),
        (
            format!("board/{}", before.board),
            json!({ "tags": ["people"] }),
        ),
    ] {
        let path = format!("/xapi2/data/{path}");
        let changed = http::post(&base, &path, &body)
            .method("PATCH")
            .bearer(&token)
            .send();
        assert_eq!(changed.status, 200, "{}", changed.body);
    }
    running.stop();
    let home = served.moves_out().await;
    let served = agent(home, "write,destroy").await;
    let after_all = picture(&served).await;

    // the changes of the agent alone: what it did before stays
    let ids: Vec<i64> = (8..=30).collect();
    let (plan, end) = served.undo(json!({ "ids": ids })).await;
    let conflicts = plan["conflicts"].as_array().unwrap();
    assert_eq!(conflicts.len(), 1, "{plan}");
    let values = ["field", "before", "ours", "now"].map(|key| &conflicts[0][key]);
    assert_eq!(
        values,
        ["title", "Zürich 日本 1", "Renamed", "A person's"],
        "{plan}"
    );
    let expected: Vec<String> = with_person(&at_first);
    assert_eq!(picture(&served).await, expected, "{end}");

    let (_, again) = served.undo(json!({ "ids": changes_of(&end) })).await;
    assert_eq!(picture(&served).await, after_all, "{again}");

    // from the command line, after a restart
    let home = served.moves_out().await;
    let ids: Vec<String> = changes_of(&again).iter().map(Value::to_string).collect();
    let mut arguments = vec!["changes", "undo", "--yes", "--allow", "write,destroy"];
    arguments.extend(ids.iter().map(String::as_str));
    let told = home.succeed(&arguments);
    let served = agent(home, "write").await;
    assert_eq!(picture(&served).await, expected, "{told}");
    served.end().await;
}

/// The number of a proposal, of what its caller reads.
fn number_in(text: &str) -> String {
    let (_, rest) = text.split_once("proposed as change ").unwrap();
    rest.chars().take_while(char::is_ascii_digit).collect()
}

fn with_person(rows: &[String]) -> Vec<String> {
    let changed = rows.iter().map(|row| {
        let mut row: Value = serde_json::from_str(row).unwrap();
        if row["title"] == "Zürich 日本 1" {
            row["title"] = json!("A person's");
        }
        if row["title"] == "Zürich 日本 2" {
            row["priority"] = json!("low");
        }
        if row["name"] == "Release" {
            row["tags"] = json!(["people"]);
        }
        row.to_string()
    });
    let mut changed: Vec<String> = changed.collect();
    changed.sort();
    changed
}

/// What a person wrote on a card keeps it, though an agent made it; what the agent wrote goes first.
#[tokio::test(flavor = "multi_thread")]
async fn a_card_with_a_person_s_comment_is_not_deleted() {
    let served = agent(Home::new(), "write,destroy").await;
    let mut cards = Vec::new();
    for title in ["Theirs", "Ours"] {
        let new = json!({ "title": title, "tags": ["a"] });
        let card = id(&served.succeed("card_create", new).await);
        let said = json!({ "card_id": card, "text": "By the agent" });
        served.succeed("comment_create", said).await;
        cards.push(card);
    }
    let home = served.moves_out().await;
    let said = format!("card_id={}", cards[0]);
    home.succeed(&["call", "comment_create", &said, "text=By a person"]);
    let undo = [
        "changes",
        "undo",
        "1",
        "2",
        "3",
        "4",
        "--allow",
        "write,destroy",
    ];
    let shown = home.succeed(&[&undo[..], &["--dry-run"]].concat());
    assert!(shown.contains("would go with it"), "{shown}");
    home.run(&[&undo[..], &["--yes"]].concat());
    let left = home.succeed(&["call", "card_list", "--json"]);
    assert!(left.contains("Theirs") && !left.contains("Ours"), "{left}");
    let left = home.succeed(&["call", "comment_list", "--json"]);
    assert!(
        left.contains("By a person") && !left.contains("By the agent"),
        "{left}"
    );
}
