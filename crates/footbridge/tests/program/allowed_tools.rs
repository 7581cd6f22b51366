//! Words of `--allow` for single tools: what one tool may do, whatever its effect may do, through
//! every door.

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::Session;

/// A session with the board, opened so far.
fn board(home: &Home, allow: &str) -> Session {
    Session::start(&mut home.command(&["serve", "board", "--allow", allow]))
}

fn listed(session: &mut Session) -> Vec<String> {
    let tools = session.tools();
    let name = |tool: &Value| tool["name"].as_str().unwrap().to_owned();
    tools.iter().map(name).collect()
}

#[test]
fn one_tool_is_open_and_the_others_of_its_effect_are_not() {
    let home = Home::new();
    let mut session = board(&home, "read,card_create=open");
    let tools = listed(&mut session);
    assert!(tools.contains(&"card_create".to_owned()), "{tools:?}");
    assert!(!tools.contains(&"card_update".to_owned()), "{tools:?}");
    let card = session
        .call("card_create", json!({ "title": "a" }))
        .unwrap();
    let refused = session.call("card_update", json!({ "id": card["id"], "title": "b" }));
    let why = refused.unwrap_err();
    assert!(why.contains("card_update is closed"), "{why}");
    session.finish();
}

#[test]
fn one_tool_is_closed_and_the_others_of_its_effect_are_not() {
    let home = Home::new();
    let mut session = board(&home, "write,card_update=closed");
    let card = session
        .call("card_create", json!({ "title": "a" }))
        .unwrap();
    let refused = session.call("card_update", json!({ "id": card["id"], "title": "b" }));
    assert!(refused.unwrap_err().contains("card_update is closed"));
    session.finish();
}

#[test]
fn a_form_alone_confirms_a_delete_where_the_operator_says_so() {
    let home = Home::new();
    let mut command = home.command(&["serve", "board", "--allow", "write,destroy"]);
    let mut session = Session::start(command.env("FOOTBRIDGE_CONFIRM_BY_FORM", "true"));
    let card = session
        .call("card_create", json!({ "title": "a" }))
        .unwrap();
    let id = card["id"].as_str().unwrap().to_owned();
    let why = session
        .call("card_delete", json!({ "id": id }))
        .unwrap_err();
    assert!(why.contains("this client shows no form"), "{why}");
    assert_eq!(session.titles(), ["a"]);
    // who types a command has decided
    let id = format!("id={id}");
    let mut typed = home.command(&["call", "card_delete", &id, "--allow", "write,destroy"]);
    let ended = Running::start(typed.env("FOOTBRIDGE_CONFIRM_BY_FORM", "true")).ended();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    session.finish();
}

#[test]
fn instructions_name_the_tools_that_go_their_own_way() {
    let home = Home::new();
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "--allow", "card_create=open"]));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}});
    let answer = http::post(&base, "/mcp", &body).send();
    assert!(
        answer
            .body
            .contains("On board, creating, changing and deleting are closed (except card_create);"),
        "{}",
        answer.body
    );
    running.stop();
}

#[test]
fn the_settings_file_says_it_for_one_connector() {
    let home = Home::new();
    home.file(
        ".config/footbridge/settings.yaml",
        "connectors: { board: { allow: [read, card_create=open] } }",
    );
    let mut session = Session::start(&mut home.command(&["serve", "board"]));
    assert!(session.call("card_create", json!({ "title": "a" })).is_ok());
    assert!(
        session
            .call("board_create", json!({ "name": "b" }))
            .is_err()
    );
    session.finish();
}

#[test]
fn a_tool_that_there_is_not_is_named_with_the_one_that_was_meant() {
    let home = Home::new();
    let ended = home.run(&["serve", "board", "--allow", "card_creat=open"]);
    assert_eq!(
        ended.complaint(2),
        "allow: there is no tool \"card_creat\" in board; did you mean card_create?"
    );
    let ended = home.run(&["tools", "--allow", "read,zzz=closed"]);
    assert_eq!(
        ended.complaint(2),
        "allow: there is no tool \"zzz\" in board"
    );
}

#[test]
fn a_word_that_would_close_a_read_is_refused() {
    let home = Home::new();
    for word in ["card_list=closed", "card_list=propose"] {
        let allowed = format!("write,{word}");
        let ended = home.run(&["tools", "board", "--allow", &allowed]);
        assert_eq!(
            ended.complaint(2),
            format!(
                "allow: {word} would do nothing, as card_list only reads, and reading is always \
                 open; leave {word} out"
            )
        );
    }
    let open = home.run(&["tools", "board", "--allow", "card_list=open"]);
    assert_eq!(open.code, Some(0), "{open:?}");
}
