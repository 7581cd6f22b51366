//! What was changed is on record, whatever door it came through, and is undone around what people
//! changed: over MCP on stdio, over HTTP, and from the command line after a restart.

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::questions::tokens;
use crate::harness::session::{Session, call_over_http};

fn session(home: &Home) -> Session {
    Session::start(&mut home.command(&["serve", "board", "--allow", "write,destroy"]))
}

fn create(session: &mut Session, title: &str) -> String {
    let card = session.call("card_create", json!({ "title": title, "status": "todo" }));
    card.unwrap()["id"].as_str().unwrap().to_owned()
}

fn card(session: &mut Session, id: &str) -> Value {
    session.call("card_get", json!({ "id": id })).unwrap()
}

/// The plan of an undo, then its end.
fn undo(session: &mut Session, mut arguments: Value) -> (Value, Value) {
    let plan = session.call("changes_undo", arguments.clone()).unwrap();
    arguments["digest"] = plan["digest"].clone();
    let end = session.call("changes_undo", arguments).unwrap();
    (plan, end)
}

#[test]
fn every_write_is_one_change_and_its_answer_has_a_receipt() {
    let home = Home::new();
    let mut session = session(&home);
    let id = create(&mut session, "One");
    let answer = session.request(
        "tools/call",
        &json!({ "name": "card_update", "arguments": { "id": id, "title": "Two" } }),
    );
    let content = answer["result"]["content"].as_array().unwrap();
    assert_eq!(
        (content.len(), &content[1]["text"]),
        (2, &json!("change 2"))
    );
    let read = session.request(
        "tools/call",
        &json!({ "name": "card_get", "arguments": { "id": id } }),
    );
    assert_eq!(read["result"]["content"].as_array().unwrap().len(), 1);
    let listed = session.call("changes_list", json!({})).unwrap();
    let tools: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["tool"].as_str().unwrap())
        .collect();
    assert_eq!(tools, ["card_update", "card_create"]);
    let shown = session.call("changes_show", json!({ "id": 2 })).unwrap();
    assert_eq!(shown["records"][0]["before"]["title"], "One");
    assert_eq!(shown["records"][0]["after"]["title"], "Two");
    session.finish();
}

/// A call with a key in its `_meta`; its first text, whole.
fn keyed(session: &mut Session, key: &str, tool: &str, arguments: Value) -> (bool, String) {
    let meta = json!({ "footbridge/idempotency_key": key });
    let parameters = json!({ "name": tool, "arguments": arguments, "_meta": meta });
    let answer = session.request("tools/call", &parameters);
    let result = &answer["result"];
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    (result["isError"] == true, text)
}

#[test]
fn a_write_under_a_key_is_done_once_whatever_the_tool_lists() {
    let home = Home::new();
    let mut agent = session(&home);
    let card = || json!({ "title": "One" });
    let (_, first) = keyed(&mut agent, "k", "card_create", card());
    assert_eq!(
        keyed(&mut agent, "k", "card_create", card()),
        (false, first.clone())
    );
    let (is_error, why) = keyed(&mut agent, "k", "card_create", json!({ "title": "Two" }));
    assert!(
        is_error && why.contains("`title` had another value"),
        "{why}"
    );
    assert_eq!(agent.titles(), ["One"]);
    agent.finish();

    // another process, after a restart
    let mut agent = session(&home);
    assert_eq!(
        keyed(&mut agent, "k", "card_create", card()),
        (false, first.clone())
    );
    let id: Value = serde_json::from_str(&first).unwrap();
    let arguments = json!({ "id": id["id"] });
    let (_, gone) = keyed(&mut agent, "d", "card_delete", arguments.clone());
    assert_eq!(
        keyed(&mut agent, "d", "card_delete", arguments),
        (false, gone)
    );
    let (is_error, why) = keyed(&mut agent, &"k".repeat(201), "card_create", card());
    assert!(is_error && why.contains("201 characters"), "{why}");
    let listed = agent.call("changes_list", json!({})).unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
    agent.finish();
}

#[test]
fn what_others_changed_since_stays_and_is_named() {
    let home = Home::new();
    let mut agent = session(&home);
    let id = create(&mut agent, "Mine");
    agent
        .call(
            "card_update",
            json!({ "id": id, "title": "Renamed", "status": "doing" }),
        )
        .unwrap();
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", "write"]));
    call_over_http(&base, "card_update", &json!({ "id": id, "status": "done" })).unwrap();
    running.stop();

    let (plan, end) = undo(&mut agent, json!({ "ids": [2] }));
    assert_eq!(plan["undo"][0]["set"], json!({ "title": "Mine" }));
    let conflict = &plan["conflicts"][0];
    assert_eq!(
        [
            &conflict["field"],
            &conflict["before"],
            &conflict["ours"],
            &conflict["now"]
        ],
        ["status", "todo", "doing", "done"]
    );
    assert_eq!(end["undone"][0]["changes"], json!([2]));
    let now = card(&mut agent, &id);
    assert_eq!(
        (&now["title"], &now["status"]),
        (&json!("Mine"), &json!("done"))
    );

    // an undo is a change, and is undone
    let undone = end["undone"][0]["change"].clone();
    undo(&mut agent, json!({ "ids": [undone] }));
    let now = card(&mut agent, &id);
    assert_eq!(
        (&now["title"], &now["status"]),
        (&json!("Renamed"), &json!("done"))
    );
    agent.finish();
}

#[test]
fn a_card_that_was_made_goes_and_one_that_was_deleted_comes_back() {
    let home = Home::new();
    let mut session = session(&home);
    create(&mut session, "Stays");
    let gone = create(&mut session, "Gone");
    session.call("card_delete", json!({ "id": gone })).unwrap();
    assert_eq!(session.titles(), ["Stays"]);
    let (plan, _) = undo(&mut session, json!({ "ids": [3] }));
    assert_eq!(plan["undo"][0]["act"], "make again");
    assert!(
        plan["lost"][0]["lost"].as_str().unwrap().contains("id"),
        "{plan}"
    );
    assert_eq!(session.titles(), ["Stays", "Gone"]);
    undo(&mut session, json!({ "ids": [1] }));
    assert_eq!(session.titles(), ["Gone"]);
    session.finish();
}

#[test]
fn the_terminal_undoes_what_an_agent_did_after_a_restart() {
    let home = Home::new();
    let mut agent = session(&home);
    let id = create(&mut agent, "Before");
    agent
        .call("card_update", json!({ "id": id, "title": "After" }))
        .unwrap();
    agent.finish();

    let listed: Value =
        serde_json::from_str(&home.succeed(&["changes", "list", "--json"])).unwrap();
    assert_eq!(listed["changes"][0]["tool"], "card_update");
    let shown = home.succeed(&["changes", "show", "2"]);
    assert!(shown.contains("title: \"Before\" -> \"After\""), "{shown}");
    let made = home.succeed(&["changes", "show", "1"]);
    assert!(
        made.contains("title: absent -> \"Before\"") && !made.contains("null"),
        "what a new card does not have says nothing: {made}"
    );
    let refused = home.run(&["changes", "undo", "2"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let plan: Value =
        serde_json::from_str(&home.succeed(&["changes", "undo", "2", "--dry-run", "--json"]))
            .unwrap();
    let digest = plan["digest"].as_str().unwrap();
    let other = home.run(&["changes", "undo", "2", "--plan", "0123"]);
    assert_eq!(other.code, Some(1));
    assert!(
        other.stderr.contains(digest) && other.stderr.contains("nothing was sent"),
        "{other:?}"
    );
    let done = home.succeed(&["changes", "undo", "2", "--plan", digest]);
    assert!(
        done.starts_with("done, as change 3: put back card"),
        "{done}"
    );

    let mut agent = session(&home);
    assert_eq!(card(&mut agent, &id)["title"], "Before");
    agent.finish();
}

#[test]
fn a_plan_that_is_not_of_now_is_shown_and_not_sent() {
    let home = Home::new();
    let mut agent = session(&home);
    let id = create(&mut agent, "One");
    agent
        .call("card_update", json!({ "id": id, "title": "Two" }))
        .unwrap();
    let plan = agent.call("changes_undo", json!({ "ids": [2] })).unwrap();
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", "write"]));
    call_over_http(&base, "card_update", &json!({ "id": id, "title": "Three" })).unwrap();
    running.stop();
    let refused = agent.call(
        "changes_undo",
        json!({ "ids": [2], "digest": plan["digest"] }),
    );
    let why = refused.unwrap_err();
    assert!(
        why.contains("Nothing was sent") && why.contains("\"now\":\"Three\""),
        "{why}"
    );
    assert_eq!(card(&mut agent, &id)["title"], "Three");
    agent.finish();
}

#[test]
fn an_error_of_the_store_ends_an_undo_with_nothing_sent() {
    let home = Home::new();
    let mut agent = session(&home);
    let ids = [create(&mut agent, "One"), create(&mut agent, "Two")];
    for id in &ids {
        let update = json!({ "id": id, "title": "Changed" });
        agent.call("card_update", update).unwrap();
    }
    let plan = agent
        .call("changes_undo", json!({ "ids": [3, 4] }))
        .unwrap();
    assert_eq!(plan["undo"].as_array().unwrap().len(), 2, "{plan}");
    let elsewhere = home.path().join("moved.db");
    std::fs::rename(home.database(), &elsewhere).unwrap();
    let undo = json!({ "ids": [3, 4], "digest": plan["digest"] });
    let why = agent.call("changes_undo", undo).unwrap_err();
    assert!(why.contains("removed or replaced"), "{why}");
    std::fs::rename(&elsewhere, home.database()).unwrap();
    for id in &ids {
        assert_eq!(card(&mut agent, id)["title"], "Changed");
    }
    agent.finish();
}

#[test]
fn callers_of_one_kind_see_nothing_of_the_others() {
    let home = Home::new();
    let mut local = session(&home);
    create(&mut local, "Local");
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", "write"]));
    let listed = call_over_http(&base, "changes_list", &json!({})).unwrap();
    assert_eq!(listed["items"], json!([]));
    for (tool, arguments) in [
        ("changes_show", json!({ "id": 1 })),
        ("changes_undo", json!({ "ids": [1] })),
    ] {
        let refused = call_over_http(&base, tool, &arguments).unwrap_err();
        assert!(
            refused
                .to_lowercase()
                .contains("there is no change 1 of yours"),
            "{refused}"
        );
    }
    running.stop();
    local.finish();
}

#[test]
fn undoing_passes_the_gate_by_what_it_sends() {
    let home = Home::new();
    let mut agent = session(&home);
    create(&mut agent, "Made");
    agent.finish();
    let refused = home.run(&["changes", "undo", "1", "--yes", "--allow", "write"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stdout.contains("--allow write,destroy"),
        "{refused:?}"
    );
    home.succeed(&["changes", "undo", "1", "--yes", "--allow", "write,destroy"]);
    let mut agent = session(&home);
    assert_eq!(agent.titles(), Vec::<String>::new());
    agent.finish();
}

#[test]
fn selections_that_say_nothing_right_are_answered_with_a_sentence() {
    let home = Home::new();
    let mut agent = session(&home);
    create(&mut agent, "One");
    for (arguments, named) in [
        (json!({}), "Which changes?"),
        (json!({ "ids": [99] }), "there is no change 99"),
        (json!({ "since": "soon" }), "\"soon\" is no time"),
        (
            json!({ "record": "card" , "connector": "board" }),
            "KIND:ID",
        ),
        (json!({ "record": "card:1" }), "which connector"),
        (json!({ "tool": "nobody" }), "no change matches"),
    ] {
        let refused = agent.call("changes_undo", arguments.clone()).unwrap_err();
        assert!(refused.contains(named), "{arguments}: {refused}");
    }
    agent.finish();
    for (arguments, named) in [
        (&["changes", "show", "x"][..], "\"x\" is no change"),
        (&["changes", "show", "99"], "there is no change 99"),
        (&["changes", "undo"], "which changes?"),
        (
            &["changes", "list", "--state", "dne"],
            "\"dne\" is no state",
        ),
        (&["changes", "list", "--since", "2y"], "\"2y\" is no time"),
    ] {
        let ended = home.run(arguments);
        assert!(
            ended.code != Some(0) && ended.stderr.contains(named),
            "{ended:?}"
        );
    }
}

#[test]
fn tools_over_changes_are_listed_where_their_group_is() {
    let home = Home::new();
    let has = |arguments: &[&str]| {
        let mut session = Session::start(&mut home.command(arguments));
        let tools = session.tools();
        session.finish();
        tools
            .iter()
            .filter(|tool| tool["name"].as_str().unwrap().starts_with("changes_"))
            .count()
    };
    assert_eq!(has(&["serve", "board"]), 0);
    assert_eq!(has(&["serve", "board", "--groups", "changes"]), 3);
}

#[test]
fn a_write_that_cannot_be_recorded_is_not_sent() {
    let home = Home::new();
    let file = home.file("taken", "");
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", "write"]));
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(http::post(&base, "/mcp", &body).send().status, 200);
    running.stop();
    let ended = home.run(&[
        "call",
        "card_create",
        "title=x",
        "--data",
        file.to_str().unwrap(),
    ]);
    assert_ne!(ended.code, Some(0), "{ended:?}");
}

/// A list of changes costs little, and so does what stands behind the answer of a write.
#[test]
fn a_row_of_the_list_and_a_receipt_are_small() {
    let home = Home::new();
    let mut session = session(&home);
    for number in 0..25 {
        let id = create(
            &mut session,
            &format!("A card with a title of the usual length {number}"),
        );
        let moved = json!({ "id": id, "status": "in_progress", "assignee": "ada" });
        let call = json!({ "name": "card_update", "arguments": moved });
        let answer = session.request("tools/call", &call);
        let receipt = answer["result"]["content"][1]["text"].as_str().unwrap();
        assert!(tokens(receipt) <= 40, "{receipt}");
        let linked = format!("{receipt} (http://127.0.0.1:8000/changes#{number})");
        assert!(tokens(&linked) <= 40, "{linked}");
    }
    let call = json!({ "name": "changes_list", "arguments": { "limit": 50 } });
    let answer = session.request("tools/call", &call);
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    let listed: Value = serde_json::from_str(text).unwrap();
    let rows = listed["items"].as_array().unwrap().len();
    assert_eq!(rows, 50);
    assert!(
        tokens(text) <= 45 * rows,
        "{} of {rows}: {text}",
        tokens(text)
    );
    session.finish();
}
