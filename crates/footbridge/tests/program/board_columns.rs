//! The local board by MCP: a card's status is a column of its board, a board goes by its name, and
//! a column that is full is told. `/xapi2` takes what it took. The board is drawn in a terminal.

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, outcome};
use crate::harness::terminal::Terminal;

/// A board with three columns, its id.
fn work(agent: &mut Session, name: &str) -> String {
    let columns = json!([
        { "key": "todo", "title": "To do" },
        { "key": "doing", "title": "Doing", "wip_limit": 2 },
        { "key": "done", "title": "Done" },
    ]);
    let made = agent.call("board_create", json!({ "name": name, "columns": columns }));
    made.unwrap()["id"].as_str().unwrap().to_owned()
}

/// The second block of an answer.
fn receipt(agent: &mut Session, tool: &str, arguments: Value) -> String {
    let parameters = json!({ "name": tool, "arguments": arguments });
    let answer = agent.request("tools/call", &parameters);
    outcome(&answer).unwrap();
    let receipt = answer["result"]["content"][1]["text"].as_str();
    receipt.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn a_status_is_a_column_of_the_board_or_says_which_was_meant() {
    let home = Home::new();
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    let board = work(&mut agent, "Work");
    let create = |agent: &mut Session, arguments: Value| agent.call("card_create", arguments);
    let new = |status: Value| json!({ "title": "A", "board_id": board, "status": status });

    let why = create(&mut agent, new(json!("tood"))).unwrap_err();
    assert!(
        why.contains("did you mean todo?")
            && why.contains("the board Work")
            && why.contains("todo (To do), doing (Doing), done (Done)")
            && why.contains("Nothing was sent"),
        "{why}"
    );
    let status = |made: Value| made["status"].clone();
    for (number, (written, kept)) in [
        (json!("doing"), "doing"),
        (json!("To Do"), "todo"),
        (json!(" DONE "), "done"),
        (Value::Null, "todo"),
        (json!(""), "todo"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut card = new(written.clone());
        card["title"] = json!(number.to_string());
        let made = create(&mut agent, card).unwrap();
        assert_eq!(status(made), kept, "{written}");
    }
    // cards without a board, and boards without columns, have any
    let free = json!({ "title": "B", "status": "anything" });
    let free = create(&mut agent, free).unwrap();
    let plain = agent
        .call("board_create", json!({ "name": "Plain" }))
        .unwrap();
    let on_plain = json!({ "title": "C", "board_id": plain["id"], "status": "whatever" });
    assert_eq!(status(create(&mut agent, on_plain).unwrap()), "whatever");

    let update = |agent: &mut Session, arguments: Value| agent.call("card_update", arguments);
    let id = free["id"].clone();
    let why = update(&mut agent, json!({ "id": id, "board_id": board })).unwrap_err();
    assert!(why.contains("Pass status too"), "{why}");
    let moved = json!({ "id": id, "board_id": board, "status": "Doing" });
    assert_eq!(status(update(&mut agent, moved).unwrap()), "doing");
    for bad in [json!("tood"), Value::Null, json!("")] {
        let why = update(&mut agent, json!({ "id": id, "status": bad })).unwrap_err();
        assert!(why.contains("no column of the board Work"), "{bad}: {why}");
    }
    let gone = json!({ "id": id, "board_id": null, "status": "anything" });
    assert_eq!(status(update(&mut agent, gone).unwrap()), "anything");
    let renamed = json!({ "id": id, "title": "Renamed" });
    assert_eq!(status(update(&mut agent, renamed).unwrap()), "anything");

    // two columns of one name: which is not guessed
    let twins = json!([{ "key": "a", "title": "Same" }, { "key": "b", "title": "Same" }]);
    let twins = json!({ "name": "Twins", "columns": twins });
    let twins = agent.call("board_create", twins).unwrap();
    let same = json!({ "title": "D", "board_id": twins["id"], "status": "same" });
    let why = create(&mut agent, same).unwrap_err();
    assert!(why.contains("a (Same), b (Same)"), "{why}");
    agent.finish();
}

#[test]
fn what_is_put_back_and_what_programs_write_may_have_any_status() {
    let home = Home::new();
    let (running, base) = Running::start_http(&mut home.command(&["serve", "board"]));
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    let board = work(&mut agent, "Work");
    let bearer = home.token("local");
    let card = json!({ "title": "Elsewhere", "status": "review", "board_id": board });
    let made = http::post(&base, "/xapi2/data/card", &card)
        .bearer(&bearer)
        .send();
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].clone();
    let moved = json!({ "id": id, "status": "done" });
    agent.call("card_update", moved).unwrap();
    home.succeed(&["changes", "undo", "3", "--yes"]);
    let card = agent.call("card_get", json!({ "id": id })).unwrap();
    assert_eq!(card["status"], "review", "as the program wrote it");
    running.stop();
    agent.finish();
}

#[test]
fn a_board_goes_by_its_name_wherever_it_is_named() {
    let home = Home::new();
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    let id = work(&mut agent, "Work");
    let read = agent.call("board_get", json!({ "id": "work" })).unwrap();
    assert_eq!(read["id"], json!(id));
    let card = json!({ "title": "A", "board_id": "Work" });
    let card = agent.call("card_create", card).unwrap();
    assert_eq!(card["board_id"], json!(id));
    let listed = json!({ "filter": { "board_id": ["Work"], "status": "todo" } });
    let listed = agent.call("card_list", listed).unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    let renamed = json!({ "id": "Work", "description": "Ours" });
    agent.call("board_update", renamed).unwrap();
    let shown = home.succeed(&["changes", "show", "3", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert!(
        shown.to_string().contains(&id),
        "by its id on record: {shown}"
    );

    for tool in ["board_get", "board_update"] {
        let why = agent.call(tool, json!({ "id": "Wrok" })).unwrap_err();
        assert!(
            why.contains("There is no board \"Wrok\"; did you mean Work?"),
            "{why}"
        );
    }
    let other = work(&mut agent, "Work");
    let why = agent
        .call("card_create", json!({ "title": "B", "board_id": "Work" }))
        .unwrap_err();
    assert!(why.contains(&id) && why.contains(&other), "{why}");
    agent.finish();
}

#[test]
fn a_column_that_is_full_is_told() {
    let home = Home::new();
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    work(&mut agent, "Work");
    let card =
        |title: &str, status: &str| json!({ "title": title, "board_id": "Work", "status": status });
    let said = receipt(&mut agent, "card_create", card("A", "doing"));
    assert_eq!(said, "change 2");
    let said = receipt(&mut agent, "card_create", card("B", "doing"));
    assert_eq!(said, "change 3; Doing has 2 of 2");
    let waiting = agent.call("card_create", card("C", "todo")).unwrap();
    let moved = json!({ "id": waiting["id"], "status": "doing" });
    let said = receipt(&mut agent, "card_update", moved);
    assert_eq!(said, "change 5; Doing has 3 of 2");
    let renamed = json!({ "id": waiting["id"], "title": "D" });
    assert_eq!(receipt(&mut agent, "card_update", renamed), "change 6");
    agent.finish();
}

#[test]
fn comments_and_blockers_are_of_groups_and_of_their_cards() {
    let home = Home::new();
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    let names = |agent: &mut Session| -> Vec<String> {
        let tools = agent.tools();
        let names = tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    let listed = names(&mut agent);
    assert!(
        !listed.iter().any(|name| name.starts_with("comment")),
        "{listed:?}"
    );
    let card = agent.call("card_create", json!({ "title": "A" })).unwrap();
    let other = agent.call("card_create", json!({ "title": "B" })).unwrap();
    let said = json!({ "card_id": card["id"], "text": "Looks good", "author": "ana" });
    agent.call("comment_create", said).unwrap();
    let blocked = json!({ "card_id": card["id"], "blocked_by": other["id"] });
    agent.call("blocker_create", blocked).unwrap();
    let of_card = json!({ "filter": { "card_id": card["id"] } });
    let comments = agent.call("comment_list", of_card.clone()).unwrap();
    assert_eq!(comments["items"][0]["text"], "Looks good");
    let blockers = agent.call("blocker_list", of_card).unwrap();
    assert_eq!(blockers["items"][0]["blocked_by"], other["id"]);
    let lost = json!({ "card_id": "none", "text": "x" });
    let why = agent.call("comment_create", lost).unwrap_err();
    assert!(why.contains("card_id"), "{why}");
    agent.finish();
    let groups = ["serve", "board", "--groups", "comments,blocked_by"];
    let mut agent = Session::start(&mut home.command(&groups));
    let listed = names(&mut agent);
    for name in [
        "comment_create",
        "comment_list",
        "blocker_create",
        "blocker_list",
    ] {
        assert!(listed.iter().any(|listed| listed == name), "{listed:?}");
    }
    agent.finish();
}

#[test]
fn the_board_is_drawn_for_a_pipe_a_program_and_a_terminal_of_any_width() {
    let home = Home::new();
    let none = home.run(&["board"]);
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""), "{none:?}");
    assert!(none.stderr.contains("there is no board yet"), "{none:?}");
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    work(&mut agent, "Work");
    for title in ["Sweep the floor", "\u{1b}[31mEvil\u{202e}", "Third"] {
        let card =
            json!({ "title": title, "board_id": "Work", "status": "doing", "priority": "high" });
        agent.call("card_create", card).unwrap();
    }
    agent.finish();
    let drawn = home.succeed(&["board"]);
    assert!(drawn.starts_with("Work\n"), "{drawn}");
    for needle in [
        "To do 0",
        "Doing 3 of 2!",
        "Done 0",
        "Sweep the floor",
        "high",
    ] {
        assert!(drawn.contains(needle), "{needle}: {drawn}");
    }
    assert!(
        !drawn.contains('\u{1b}') && !drawn.contains('\u{202e}'),
        "{drawn:?}"
    );
    assert_eq!(drawn, home.succeed(&["board", "work"]));
    let wrong = home.run(&["board", "Wrok"]);
    assert!(
        wrong.complaint(2).contains("did you mean Work?"),
        "{wrong:?}"
    );
    let whole: Value = serde_json::from_str(&home.succeed(&["board", "--json"])).unwrap();
    assert_eq!(whole["board"]["name"], "Work");
    let doing = &whole["columns"][1];
    assert_eq!(
        (&doing["key"], &doing["limit"], &doing["count"]),
        (&json!("doing"), &json!(2), &json!(3))
    );
    assert_eq!(doing["cards"][2]["title"], "Third");

    let terminal = |columns: u16, environment: &[(&str, &str)]| -> String {
        let terminal = Terminal::new(columns);
        let mut command = home.command(&["board"]);
        command
            .env("TERM", "xterm")
            .envs(environment.iter().copied());
        let mut child = command.stdout(terminal.side()).spawn().unwrap();
        drop(command);
        assert!(child.wait().unwrap().success());
        terminal.shown()
    };
    let wide = terminal(80, &[]);
    assert!(
        wide.contains("\u{1b}[1;31mDoing 3 of 2!\u{1b}[0m"),
        "{wide:?}"
    );
    let plain = terminal(80, &[("NO_COLOR", "1")]);
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    let heading = plain.lines().find(|line| line.contains("To do")).unwrap();
    assert!(
        heading.contains("Doing") && heading.contains("Done"),
        "{plain}"
    );
    let narrow = terminal(30, &[("NO_COLOR", "1")]);
    let heading = narrow.lines().find(|line| line.contains("To do")).unwrap();
    assert!(!heading.contains("Doing"), "one below the other: {narrow}");
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 30),
        "{narrow}"
    );
}
