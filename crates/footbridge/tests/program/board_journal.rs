//! What programs write at `/xapi2` is on record like any other change, and the operator undoes it.

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, call_over_http};

fn list(home: &Home) -> Vec<Value> {
    let listed = home.succeed(&["changes", "list", "--json"]);
    let mut listed: Value = serde_json::from_str(&listed).unwrap();
    let changes: Vec<Value> = serde_json::from_value(listed["changes"].take()).unwrap();
    changes
}

/// The status and the card.
fn write(base: &str, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = http::post(base, path, &body).method(method).bearer(token);
    let answer = request.header("user-agent", "importer/2").send();
    let body = serde_json::from_str(&answer.body).unwrap_or_default();
    (answer.status, body)
}

#[test]
fn each_row_that_is_written_is_a_change_of_its_account() {
    let home = Home::new();
    home.succeed(&["account", "add", "ada"]);
    let token = home.token("ada");
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", "write,destroy"]));
    let put = |method: &str, path: &str, body: Value| write(&base, &token, method, path, body);
    let (status, card) = put("POST", "/xapi2/data/card", json!({ "title": "One" }));
    assert_eq!(status, 201, "{card}");
    let path = format!("/xapi2/data/card/{}", card["id"].as_str().unwrap());
    assert_eq!(put("PATCH", &path, json!({ "title": "Two" })).0, 200);
    // nothing is written, so nothing is on record
    assert_eq!(put("PATCH", &path, json!({ "title": "Two" })).0, 200);
    assert_eq!(put("PATCH", &path, json!({ "title": 2 })).0, 400);
    assert_eq!(put("DELETE", &path, json!({})).0, 204);
    assert_eq!(put("DELETE", &path, json!({})).0, 404);

    let changes = list(&home);
    let row = |change: &Value| {
        let fields = ["tool", "state", "door", "caller", "client"];
        fields.map(|field| change[field].as_str().unwrap_or_default().to_owned())
    };
    let expected = ["card_delete", "card_update", "card_create"]
        .map(|tool| [tool, "done", "xapi2", "account ada", "importer/2"].map(str::to_owned));
    let rows: Vec<_> = changes.iter().map(row).collect();
    assert_eq!(rows, expected, "{changes:?}");
    let shown = home.succeed(&["changes", "show", "2", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let record = &shown["records"][0];
    assert_eq!(
        (
            &record["before"]["fields"]["title"],
            &record["after"]["fields"]["title"]
        ),
        (&json!("One"), &json!("Two"))
    );
    assert_eq!(shown["arguments"]["title"], "Two");

    // no client sees them, whoever it is
    let seen = call_over_http(&base, "changes_list", &json!({})).unwrap();
    assert_eq!(seen["items"], json!([]));
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    let seen = agent.call("changes_list", json!({})).unwrap();
    assert_eq!(seen["items"], json!([]));
    agent.finish();

    // the operator undoes them as the account that they were made as
    home.succeed(&["changes", "undo", "3", "--yes"]);
    let rows = http::get(&base, "/xapi2/data/card")
        .bearer(&token)
        .send()
        .json();
    let titles: Vec<&Value> = rows["data"].as_array().unwrap().iter().collect();
    assert_eq!(titles.len(), 1, "{rows}");
    assert_eq!(titles[0]["data"]["title"], "Two");
    home.succeed(&["changes", "undo", "2", "--yes"]);
    let rows = http::get(&base, "/xapi2/data/card")
        .bearer(&token)
        .send()
        .json();
    assert_eq!(rows["data"][0]["data"]["title"], "One", "{rows}");
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    assert_eq!(
        agent.titles(),
        Vec::<String>::new(),
        "nothing of it is ours"
    );
    agent.finish();
    running.stop();
}

#[test]
fn what_a_program_writes_between_is_somebody_else_s() {
    let home = Home::new();
    let token = home.token("local");
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", "write,destroy"]));
    let mut agent =
        Session::start(&mut home.command(&["serve", "board", "--allow", "write,destroy"]));
    let card = agent
        .call("card_create", json!({ "title": "One", "status": "todo" }))
        .unwrap();
    let id = card["id"].as_str().unwrap();
    agent
        .call(
            "card_update",
            json!({ "id": id, "title": "Two", "status": "doing" }),
        )
        .unwrap();
    let path = format!("/xapi2/data/card/{id}");
    let body = json!({ "title": "Person's" });
    assert_eq!(write(&base, &token, "PATCH", &path, body).0, 200);
    let plan = agent.call("changes_undo", json!({ "ids": [2] })).unwrap();
    assert_eq!(plan["conflicts"][0]["now"], "Person's", "{plan}");
    home.succeed(&["changes", "undo", "2", "--yes"]);
    let card = agent.call("card_get", json!({ "id": id })).unwrap();
    assert_eq!(
        (&card["title"], &card["status"]),
        (&json!("Person's"), &json!("todo"))
    );
    // newest first, all of it
    home.succeed(&["changes", "undo", "3", "--yes"]);
    let card = agent.call("card_get", json!({ "id": id })).unwrap();
    assert_eq!(card["title"], "Two");
    agent.finish();
    running.stop();
}

#[test]
fn a_tool_that_is_closed_by_its_name_does_not_undo_either() {
    let home = Home::new();
    home.succeed(&["call", "card_create", "title=One"]);
    let undo = ["changes", "undo", "1", "--yes", "--allow"];
    let refused = home.run(&[&undo[..], &["write,destroy,card_delete=closed"]].concat());
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused
            .stdout
            .contains("as card_delete does, and the operator closed card_delete"),
        "{refused:?}"
    );
    home.succeed(&[&undo[..], &["write,card_delete=open"]].concat());
}

#[test]
fn whoever_comes_through_a_proxy_without_a_secret_sees_no_changes() {
    let home = Home::new();
    let (running, base) =
        Running::start_http(&mut home.command(&["serve", "board", "--allow", "write"]));
    call_over_http(&base, "card_create", &json!({ "title": "One" })).unwrap();
    let own = call_over_http(&base, "changes_list", &json!({})).unwrap();
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    for (tool, arguments, expected) in [
        ("changes_list", json!({}), r#"{"items":[]}"#),
        (
            "changes_show",
            json!({ "id": 1 }),
            "There is no change 1 of yours",
        ),
    ] {
        let call = crate::harness::session::tool_call(1, tool, &arguments);
        let request = http::post(&base, "/mcp", &call)
            .header("mcp-protocol-version", crate::harness::session::REVISION)
            .header("x-forwarded-for", "192.0.2.1");
        let answer = request.send();
        let text = answer.json()["result"]["content"][0]["text"].clone();
        assert!(text.as_str().unwrap().starts_with(expected), "{text}");
    }
    running.stop();
}

#[test]
fn an_account_that_writes_too_fast_is_told_how_long_to_wait() {
    let home = Home::new();
    home.succeed(&["account", "add", "ada"]);
    let (ada, local) = (home.token("ada"), home.token("local"));
    let start = || {
        let mut command = home.command(&["serve", "board", "--allow", "write"]);
        Running::start_http(command.env("FOOTBRIDGE_WRITES_PER_MINUTE", "2"))
    };
    let (running, base) = start();
    let path = "/xapi2/data/card";
    let card = |title: &str| json!({ "title": title });
    // what the board refuses anyway is no write
    assert_eq!(write(&base, &ada, "POST", path, card("")).0, 400);
    for title in ["One", "Two"] {
        assert_eq!(write(&base, &ada, "POST", path, card(title)).0, 201);
    }
    let request = http::post(&base, path, &card("Three")).bearer(&ada);
    let held = request.header("user-agent", "importer/2").send();
    let why = held.json()["detail"].as_str().unwrap().to_owned();
    let wait = held.header("retry-after").unwrap();
    assert_eq!(held.status, 429, "{why}");
    assert!(
        why.starts_with("Whoever writes as ada made 2 writes in the last minute")
            && why.contains(&format!("try again in {wait} s")),
        "{why}"
    );
    // reading goes on, and so do others
    let rows = http::get(&base, path).bearer(&ada).send();
    assert_eq!(rows.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(write(&base, &local, "POST", path, card("Mine")).0, 201);
    call_over_http(&base, "card_create", &card("An agent's")).unwrap();
    // deleting is closed, whoever asks
    let request = http::post(&base, "/xapi2/data/card/1", &json!({})).method("DELETE");
    assert_eq!(request.bearer(&ada).send().status, 403);
    running.stop();

    // a start knows what was written before it
    let (running, base) = start();
    assert_eq!(write(&base, &ada, "POST", path, card("Three")).0, 429);
    running.stop();
    let refused: Vec<Value> = crate::audit::rows(&home)
        .into_iter()
        .filter(|row| row["kind"] == "refusal")
        .map(|row| row["detail"].clone())
        .collect();
    let row = |detail: &Value| {
        ["by", "door", "caller", "client", "tool"]
            .map(|name| detail[name].as_str().unwrap_or_default().to_owned())
    };
    let expected = [
        [
            "brakes",
            "xapi2",
            "account ada",
            "importer/2",
            "card_create",
        ],
        ["gate", "xapi2", "", "", "card_delete"],
        [
            "brakes",
            "xapi2",
            "account ada",
            "importer/2",
            "card_create",
        ],
    ];
    let rows: Vec<_> = refused.iter().map(row).collect();
    assert_eq!(rows, expected.map(|row| row.map(str::to_owned)));
}
