//! Accounts of the board in the browser: they reach the board's tools alone, as themselves.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::browser::{create, of_page, sign_in, signed_in, titles, who};
use crate::harness::http::{get, post};
use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, outcome, tool_call};

const TOKEN: &str = "a-bearer-that-clients-share";
const PASSWORD: &str = "correct horse battery";

fn add(home: &Home, name: &str) {
    let email = format!("{name}@example.org");
    let arguments = ["account", "add", name, "--email", &email, "--password"];
    let mut adding = Running::start_piped(&mut home.command(&arguments));
    let input = adding.input.as_mut().unwrap();
    input.write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    adding.close_input();
    assert_eq!(adding.ended().code, Some(0));
}

fn as_account(base: &str, name: &str) -> String {
    let email = format!("{name}@example.org");
    signed_in(base, &json!({ "email": email, "password": PASSWORD }))
}

fn tools(base: &str, cookie: &str) -> Vec<String> {
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let list = post(base, "/mcp", &list).header("mcp-protocol-version", REVISION);
    let listed = of_page(list, base, cookie).send().json();
    let tools = listed["result"]["tools"].as_array().unwrap().iter();
    tools
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

fn call(base: &str, cookie: &str, tool: &str, arguments: &Value) -> Value {
    let call = post(base, "/mcp", &tool_call(1, tool, arguments));
    let call = call.header("mcp-protocol-version", REVISION);
    of_page(call, base, cookie).send().json()
}

#[test]
fn an_account_acts_as_itself_and_sees_its_own_rows_alone() {
    let home = Home::new();
    add(&home, "anna");
    add(&home, "ben");
    let mut command = home.command(&[
        "serve",
        "board",
        "--groups",
        "all",
        "--allow",
        "write,destroy",
    ]);
    let (_running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN));
    let [anna, ben] = ["anna", "ben"].map(|name| as_account(&base, name));
    let shared = signed_in(&base, &json!({ "token": TOKEN }));
    let is = who(&base, &anna);
    assert_eq!(
        (&is["who"], &is["signed_in"]),
        (&json!("anna"), &json!(true)),
        "{is}"
    );
    for (cookie, title) in [(&anna, "Anna's"), (&ben, "Ben's"), (&shared, "Everybody's")] {
        let created = of_page(create(&base, title), &base, cookie).send();
        assert!(outcome(&created.json()).is_ok(), "{created:?}");
    }
    assert_eq!(titles(&base, &anna), ["Anna's"]);
    assert_eq!(titles(&base, &ben), ["Ben's"]);
    assert_eq!(titles(&base, &shared), ["Everybody's"]);
    // neither reads nor writes what is another's
    let cards = outcome(&call(&base, &shared, "card_list", &json!({ "all": true }))).unwrap();
    let id = &cards["items"][0]["id"];
    for (tool, arguments) in [
        ("card_get", json!({ "card_id": id })),
        (
            "card_update",
            json!({ "card_id": id, "title": "Anna's too" }),
        ),
        ("card_delete", json!({ "card_id": id })),
    ] {
        let refused = call(&base, &anna, tool, &arguments);
        assert_eq!(refused["result"]["isError"], true, "{tool}: {refused}");
    }
    assert_eq!(titles(&base, &shared), ["Everybody's"]);
    // a key of one gives nobody else its answer
    let keyed = |cookie: &str| {
        let mut create = tool_call(1, "card_create", &json!({ "title": "Keyed" }));
        create["params"]["_meta"] = json!({ "footbridge/idempotency_key": "k1" });
        let create = post(&base, "/mcp", &create).header("mcp-protocol-version", REVISION);
        outcome(&of_page(create, &base, cookie).send().json()).unwrap()["id"].clone()
    };
    assert_eq!(keyed(&anna), keyed(&anna), "once");
    assert_ne!(keyed(&anna), keyed(&ben));
    // on record as the board's own door has it
    let changes = home.succeed(&["changes", "list", "--caller", "account anna", "--json"]);
    let changes: Value = serde_json::from_str(&changes).unwrap();
    let callers = changes["changes"].as_array().unwrap().iter();
    let callers: Vec<_> = callers.map(|change| &change["caller"]).collect();
    assert!(!callers.is_empty() && callers.iter().all(|caller| *caller == "account anna"));
    let undone = changes["changes"].as_array().unwrap().last().unwrap();
    let number = undone["id"].to_string();
    home.succeed(&[
        "changes",
        "undo",
        &number,
        "--yes",
        "--allow",
        "write,destroy",
    ]);
    assert_eq!(titles(&base, &anna), ["Keyed"]);
}

#[test]
fn an_account_reaches_no_tool_of_another_connector_nor_what_others_did() {
    let home = Home::new();
    add(&home, "anna");
    let (_other, other) = Running::start_http(&mut home.command(&["serve"]));
    home.file(
        "mine.yaml",
        format!(
            "format: 1\nconnector: mine\ntitle: Mine\ninstructions: Mine.\nupstream:\n  base: \"{other}\"\n\
             tools:\n  - {{ name: mine_status, title: Status, description: The status., effect: read, output: object, steps: [{{ get: / }}] }}\n\
             resources:\n  - {{ uri: \"mine://status\", name: status, title: Status, description: It., get: / }}\n"
        ),
    );
    let mut command = home.command(&["serve", "board", "mine.yaml", "--groups", "all"]);
    command
        .current_dir(home.path())
        .env("FOOTBRIDGE_TOKEN", TOKEN);
    let (_running, base) = Running::start_http(&mut command);
    let anna = as_account(&base, "anna");
    let shared = signed_in(&base, &json!({ "token": TOKEN }));
    assert!(tools(&base, &shared).contains(&"mine_status".to_owned()));
    let own = tools(&base, &anna);
    assert!(own.contains(&"card_list".to_owned()), "{own:?}");
    let is_of_board = |name: &String| name.starts_with("card_") || name.starts_with("board_");
    let others: Vec<_> = own.iter().filter(|name| !is_of_board(name)).collect();
    let all = call(&base, &shared, "mine_status", &json!({}));
    assert_ne!(all["result"]["isError"], true, "{all}");
    for tool in [
        "mine_status",
        "query",
        "changes_list",
        "changes_undo",
        "leases_claim",
        "claim",
    ] {
        let refused = call(&base, &anna, tool, &json!({}));
        assert!(
            refused.get("error").is_some(),
            "{tool}: {refused}; it has {others:?}"
        );
    }
    let read = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": "mine://status" } });
    let read = post(&base, "/mcp", &read).header("mcp-protocol-version", REVISION);
    let read = of_page(read, &base, &anna).send().json();
    assert!(read.get("error").is_some(), "{read}");
    // nor the doors that the bearer or an approver opens
    for path in ["/approvals", "/sse", "/xapi2/data/card"] {
        let refused = of_page(get(&base, path), &base, &anna).send();
        assert!([401, 503].contains(&refused.status), "{path}: {refused:?}");
    }
}

#[test]
fn an_account_waits_for_changes_of_its_own_records_alone() {
    let home = Home::new();
    add(&home, "anna");
    add(&home, "ben");
    let mut command = home.command(&["serve", "board"]);
    let (_running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN));
    let [anna, ben] = ["anna", "ben"].map(|name| as_account(&base, name));
    let shared = signed_in(&base, &json!({ "token": TOKEN }));
    let made = |cookie: &str, title: &str| {
        let made = of_page(create(&base, title), &base, cookie).send().json();
        let card = outcome(&made).unwrap();
        json!([format!("card:{}", card["id"].as_str().unwrap())])
    };
    let wait = |cookie: &str, arguments: &Value| {
        let told = outcome(&call(&base, cookie, "wait_for", arguments)).unwrap();
        let changes = told["changes"].as_array().unwrap().iter();
        let records: Vec<Value> = changes.map(|change| change["records"].clone()).collect();
        (told["latest"].clone(), records)
    };
    let first = made(&anna, "First");
    let (since, told) = wait(&anna, &json!({ "since": 0 }));
    assert_eq!(told, std::slice::from_ref(&first));
    // what others do on their boards does not end the wait, her own does
    let (second, (_, told)) = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&anna, &json!({ "since": since, "up_to": 50 })));
        made(&ben, "Ben's");
        made(&shared, "Everybody's");
        (made(&anna, "Second"), waiting.join().unwrap())
    });
    assert_eq!(told, std::slice::from_ref(&second));
    let (_, all) = wait(&anna, &json!({ "since": 0 }));
    assert_eq!(all, [first, second]);
}

#[test]
fn the_operators_word_and_the_request_s_hold_for_accounts() {
    let home = Home::new();
    add(&home, "anna");
    let serve = |words: &[&str]| {
        let mut command = home.command(&[&["serve", "board"], words].concat());
        let (running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN));
        let cookie = as_account(&base, "anna");
        (running, base, cookie)
    };
    let (_running, base, anna) = serve(&["--allow", "read"]);
    let closed = of_page(create(&base, "No"), &base, &anna).send().json();
    assert_eq!(closed["result"]["isError"], true, "{closed}");
    let (_running, base, anna) = serve(&[]);
    for (name, value) in [("x-mcp-readonly", "true"), ("footbridge-allow", "read")] {
        let tightened = of_page(create(&base, "No").header(name, value), &base, &anna).send();
        assert_eq!(tightened.status, 403, "{tightened:?}");
    }
    assert_eq!(titles(&base, &anna), [""; 0]);
    // what waits is carried out as whom it was proposed
    let (_running, base, anna) = serve(&["--allow", "propose"]);
    let proposed = of_page(create(&base, "Proposed"), &base, &anna)
        .send()
        .json();
    let text = proposed["result"]["content"][0]["text"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, rest) = text.split_once("proposed as change ").unwrap();
    let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let address = format!("({base}/changes#{id})");
    assert!(rest.contains(&address), "{text}");
    home.succeed(&["changes", "approve", &id, "--yes"]);
    assert_eq!(titles(&base, &anna), ["Proposed"]);
}

#[test]
fn passwords_are_tried_at_their_own_pace_and_who_is_removed_is_out() {
    let home = Home::new();
    add(&home, "anna");
    let mut command = home.command(&["serve", "board"]);
    let (_running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN));
    let anna = as_account(&base, "anna");
    let wrong = json!({ "email": "anna@example.org", "password": "wrong horse battery" });
    let statuses: Vec<u16> = (0..8).map(|_| sign_in(&base, &wrong).status).collect();
    assert!(statuses[0] == 401 && statuses[7] == 429, "{statuses:?}");
    let slowed = sign_in(&base, &wrong);
    assert!(slowed.header("retry-after").is_some(), "{slowed:?}");
    // it is one pace with the board's own door
    let log_in = post(&base, "/xapi2/auth/login", &wrong).send();
    assert_eq!(log_in.status, 429, "{log_in:?}");
    assert_eq!(as_account(&base, "anna").len(), anna.len());
    let nobody = json!({ "email": "nobody@example.org", "password": PASSWORD });
    assert_eq!(sign_in(&base, &nobody).status, 401);
    home.succeed(&["account", "remove", "anna"]);
    let refused = of_page(create(&base, "No"), &base, &anna).send();
    assert_eq!(refused.status, 401, "{refused:?}");
    assert_eq!(who(&base, &anna)["signed_in"], false);
}

#[test]
fn the_pages_of_an_account_hear_of_its_own_records_alone() {
    let home = Home::new();
    add(&home, "anna");
    add(&home, "ben");
    let mut command = home.command(&["serve", "board"]);
    let (_running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN));
    let [anna, ben] = ["anna", "ben"].map(|name| as_account(&base, name));
    let latest = |cookie: &str| {
        let read = json!({
            "jsonrpc": "2.0", "id": 1, "method": "resources/read",
            "params": { "uri": "footbridge://changes/latest" },
        });
        let read = post(&base, "/mcp", &read).header("mcp-protocol-version", REVISION);
        let read = of_page(read, &base, cookie).send().json();
        let text = read["result"]["contents"][0]["text"].as_str().unwrap();
        serde_json::from_str::<Value>(text).unwrap()["latest"].clone()
    };
    assert!(outcome(&of_page(create(&base, "Ben's"), &base, &ben).send().json()).is_ok());
    home.succeed(&["call", "card_create", "title=Everybody's"]);
    assert_eq!((latest(&anna), latest(&ben)), (json!(null), json!(1)));
    assert!(outcome(&of_page(create(&base, "Anna's"), &base, &anna).send().json()).is_ok());
    assert_eq!((latest(&anna), latest(&ben)), (json!(3), json!(1)));
}

#[test]
fn the_pages_of_an_account_open_what_the_board_has() {
    let home = Home::new();
    add(&home, "anna");
    let mut command = home.command(&["serve", "board"]);
    let (_running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN));
    let anna = as_account(&base, "anna");
    let as_page = |method: &str, name: &str, mut parameters: Value| {
        parameters["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "page", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {
                "extensions": { "io.modelcontextprotocol/ui": { "mimeTypes": ["text/html;profile=mcp-app"] } },
            },
        });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let request = post(&base, "/mcp", &message)
            .header("mcp-protocol-version", "2026-07-28")
            .header("accept", "application/json")
            .header("mcp-method", method.to_owned())
            .header("mcp-name", name.to_owned());
        let answer = of_page(request, &base, &anna).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["result"].clone()
    };
    let address = "footbridge://views";
    let views = as_page("resources/read", address, json!({ "uri": address }));
    let views: Value =
        serde_json::from_str(views["contents"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(views["has_changes"], false, "{views}");
    assert!(!views["views"].as_array().unwrap().is_empty(), "{views}");
    let columns = json!([{ "key": "todo", "title": "To do" }, { "key": "done", "title": "Done" }]);
    let board = json!({ "name": "Anna's", "columns": columns });
    let board = outcome(&call(&base, &anna, "board_create", &board)).unwrap();
    let card = json!({ "title": "Dig", "status": "todo", "board_id": board["id"] });
    outcome(&call(&base, &anna, "card_create", &card)).unwrap();
    let listed =
        json!({ "name": "card_list", "arguments": { "filter": { "board_id": board["id"] } } });
    let listed = as_page("tools/call", "card_list", listed);
    let view = &listed["_meta"]["footbridge/view"];
    assert_eq!(
        (&view["kind"], &view["columns"][0]["name"]),
        (&json!("board"), &json!("To do")),
        "{view}"
    );
    assert_eq!(
        listed["structuredContent"]["items"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "{listed}"
    );
}
