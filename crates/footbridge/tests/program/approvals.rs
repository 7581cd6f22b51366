//! Approving by whoever holds the approver's own secret, over HTTP, and by the person at a client
//! that shows forms. Never by the shared bearer, by coming from this machine, or by a tool.

use serde_json::{Value, json};

use crate::harness::http::{self, Response};
use crate::harness::process::{Home, Running};
use crate::harness::session::call_over_http;

const SECRET: &str = "an-approver-s-own-secret";
const SHARED: &str = "a-bearer-that-clients-share";
const VARIABLE: &str = "FOOTBRIDGE_APPROVER_TOKEN";

fn serve(home: &Home) -> (Running, String) {
    let mut command = home.command(&["serve", "board", "--allow", "propose"]);
    Running::start_http(command.env(VARIABLE, SECRET))
}

fn propose(base: &str, title: &str) {
    let answer = call_over_http(base, "card_create", &json!({ "title": title })).unwrap();
    assert!(
        answer.as_str().unwrap().contains("this is proposed"),
        "{answer}"
    );
}

fn post(base: &str, path: &str, token: &str) -> Response {
    http::post(base, path, &json!({})).bearer(token).send()
}

fn get(base: &str, path: &str, token: &str) -> Response {
    http::get(base, path).bearer(token).send()
}

#[test]
fn an_approver_sees_what_waits_and_decides_it() {
    let home = Home::new();
    let (running, base) = serve(&home);
    propose(&base, "One");
    propose(&base, "Two");
    let listed = get(&base, "/approvals", SECRET).json();
    let ids: Vec<&Value> = listed["approvals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["id"])
        .collect();
    assert_eq!(ids, [2, 1], "{listed}");
    let shown = get(&base, "/approvals/1", SECRET).json();
    assert_eq!(shown["arguments"]["title"], "One", "{shown}");

    let begun = post(&base, "/approvals/session", SECRET);
    assert_eq!(begun.status, 201, "{}", begun.body);
    let session = begun.json()["token"].as_str().unwrap().to_owned();
    let another = post(&base, "/approvals/session", &session);
    assert_eq!(another.status, 403, "{}", another.body);
    let approved = post(&base, "/approvals/1/approve", &session);
    assert_eq!(approved.status, 200, "{}", approved.body);
    let approved = approved.json();
    assert_eq!(
        (&approved["state"], &approved["answer"]["title"]),
        (&json!("done"), &json!("One"))
    );
    let reason = json!({ "reason": "not now" });
    let declined = http::post(&base, "/approvals/2/decline", &reason)
        .bearer(SECRET)
        .send();
    assert_eq!(declined.status, 200, "{}", declined.body);
    for path in [
        "/approvals/1/approve",
        "/approvals/2/approve",
        "/approvals/1/decline",
    ] {
        let again = post(&base, path, SECRET);
        assert_eq!(again.status, 409, "{path}: {}", again.body);
    }
    let cards = call_over_http(&base, "card_list", &json!({})).unwrap();
    assert_eq!(cards["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        get(&base, "/approvals", SECRET).json()["approvals"],
        json!([])
    );
    let show = |id: &str| -> Value {
        serde_json::from_str(&home.succeed(&["changes", "show", id, "--json"])).unwrap()
    };
    assert_eq!(show("1")["decided_by"], "approver");
    assert_eq!(
        (&show("2")["state"], &show("2")["message"]),
        (&json!("withdrawn"), &json!("not now"))
    );

    for (path, status) in [
        ("/approvals/99", 404),
        ("/approvals/x", 400),
        ("/approvals?limit=0", 400),
        ("/approvals?state=done", 400),
    ] {
        let refused = get(&base, path, SECRET);
        assert_eq!(refused.status, status, "{path}: {}", refused.body);
    }
    let wrong = http::post(&base, "/approvals/1/decline", &json!({ "why": 1 }))
        .bearer(SECRET)
        .send();
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    let said = running.stop();
    assert!(!format!("{said:?}").contains(SECRET), "no secret is said");
}

#[test]
fn nobody_else_is_an_approver() {
    let home = Home::new();
    let (running, base) = serve(&home);
    propose(&base, "One");
    let local = home.token("local");
    for (method, path) in [
        ("GET", "/approvals"),
        ("POST", "/approvals/1/approve"),
        ("POST", "/approvals/session"),
    ] {
        let plain = http::post(&base, path, &json!({})).method(method).send();
        assert_eq!(plain.status, 401, "from this machine alone: {}", plain.body);
        for token in [SHARED, &local, "an-approver-s-own-secre", ""] {
            let refused = http::post(&base, path, &json!({}))
                .method(method)
                .bearer(token)
                .send();
            assert_eq!(refused.status, 401, "{path} {token:?}: {}", refused.body);
        }
    }
    running.stop();
    let mut command = home.command(&["serve", "board", "--allow", "propose"]);
    let (running, base) = Running::start_http(&mut command);
    let closed = get(&base, "/approvals", SECRET);
    assert_eq!(closed.status, 503, "{}", closed.body);
    assert!(closed.body.contains(VARIABLE));
    running.stop();
    for (secret, why) in [
        ("short", "has 5 characters"),
        (SHARED, "is the same as FOOTBRIDGE_TOKEN"),
    ] {
        let mut command = home.command(&["serve", "board", "--transport", "http", "--port", "0"]);
        command
            .env(VARIABLE, secret)
            .env("FOOTBRIDGE_TOKEN", SHARED);
        let refused = Running::start(&mut command).ended();
        let said = refused.complaint(2);
        assert!(said.contains(why) && !said.contains(secret), "{said}");
    }
}

#[test]
fn of_two_who_approve_at_once_one_does() {
    let home = Home::new();
    let (running, base) = serve(&home);
    propose(&base, "One");
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let both: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| post(&base, "/approvals/1/approve", SECRET).status))
            .collect();
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let cards = call_over_http(&base, "card_list", &json!({})).unwrap();
    assert_eq!(cards["items"].as_array().unwrap().len(), 1);
    running.stop();
}

/// A call of a client of 2026-07-28 that shows forms, with what it brings.
fn modern(base: &str, title: &str, bring: &Value) -> Value {
    let mut parameters = json!({
        "name": "card_create",
        "arguments": { "title": title },
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "desk", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
        },
    });
    for (name, value) in bring.as_object().unwrap() {
        parameters[name] = value.clone();
    }
    let message =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters });
    let request = http::post(base, "/mcp", &message)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "card_create");
    let answer = request.send();
    let body =
        answer.body.lines().rev().find_map(|line| {
            serde_json::from_str(line.strip_prefix("data: ").unwrap_or(line)).ok()
        });
    body.unwrap_or_else(|| panic!("{answer:?}"))
}

#[test]
fn the_person_at_a_client_that_shows_forms_decides_there_and_once() {
    let home = Home::new();
    let (running, base) = serve(&home);
    let asked = modern(&base, "One", &json!({}));
    let question = &asked["result"]["inputRequests"]["approve 1"];
    let message = question["params"]["message"]
        .as_str()
        .unwrap_or_else(|| panic!("{asked}"));
    assert!(message.contains("title: absent -> One"), "{message}");
    let state = asked["result"]["requestState"].as_str().unwrap();
    let yes = json!({ "approve 1": { "action": "accept", "content": { "approve": true } } });
    let bring = |state: &str| json!({ "inputResponses": yes, "requestState": state });

    // tampered, and of another call
    let tampered = modern(&base, "One", &bring(&format!("{state}x")));
    assert!(
        tampered
            .to_string()
            .contains("is not one that this server gave out"),
        "{tampered}"
    );
    let foreign = modern(&base, "Two", &bring(state));
    assert!(
        foreign.to_string().contains("belongs to another request"),
        "{foreign}"
    );

    let approved = modern(&base, "One", &bring(state));
    let text = approved["result"]["content"].to_string();
    assert!(
        text.contains("One") && text.contains("change 1"),
        "{approved}"
    );
    let reused = modern(&base, "One", &bring(state));
    assert!(
        reused
            .to_string()
            .contains("that approval was used already"),
        "{reused}"
    );
    let shown: Value =
        serde_json::from_str(&home.succeed(&["changes", "show", "1", "--json"])).unwrap();
    assert_eq!(
        (&shown["state"], &shown["decided_by"]),
        (&json!("done"), &json!("the user of desk"))
    );

    // declined, and decided elsewhere meanwhile
    let asked = modern(&base, "Two", &json!({}));
    let state = asked["result"]["requestState"].as_str().unwrap().to_owned();
    let no = json!({ "approve 2": { "action": "decline" } });
    let declined = modern(
        &base,
        "Two",
        &json!({ "inputResponses": no, "requestState": state }),
    );
    assert!(
        declined.to_string().contains("The user declined change 2"),
        "{declined}"
    );
    let asked = modern(&base, "Three", &json!({}));
    let state = asked["result"]["requestState"].as_str().unwrap().to_owned();
    home.succeed(&["changes", "decline", "3"]);
    let yes = json!({ "approve 3": { "action": "accept", "content": { "approve": true } } });
    let late = modern(
        &base,
        "Three",
        &json!({ "inputResponses": yes, "requestState": state }),
    );
    assert!(late.to_string().contains("it is withdrawn"), "{late}");
    let cards = call_over_http(&base, "card_list", &json!({})).unwrap();
    assert_eq!(cards["items"].as_array().unwrap().len(), 1);
    running.stop();
}

#[test]
fn a_legacy_client_shows_the_form_at_once() {
    let home = Home::new();
    let mut running = Running::start_piped(&mut home.command(&[
        "serve",
        "board",
        "--transport",
        "stdio",
        "--allow",
        "propose",
    ]));
    let client = json!({ "name": "desk", "version": "1" });
    let capabilities = json!({ "elicitation": {} });
    let parameters = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client });
    running.send(
        json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": parameters })
            .to_string(),
    );
    assert!(running.line().is_some());
    running.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    let hear = |line: Option<String>| -> Value { serde_json::from_str(&line.unwrap()).unwrap() };
    for (number, (result, state, said)) in [
        (
            json!({ "action": "cancel" }),
            "proposed",
            "Nothing was changed yet",
        ),
        (
            json!({ "action": "decline" }),
            "withdrawn",
            "The user declined change 1",
        ),
        (
            json!({ "action": "accept", "content": { "approve": false } }),
            "withdrawn",
            "declined change 2",
        ),
        (
            json!({ "action": "accept", "content": {} }),
            "done",
            "change 3",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let call = crate::harness::session::tool_call(
            10 + number as u64,
            "card_create",
            &json!({ "title": "One" }),
        );
        running.send(call.to_string());
        let question = hear(running.line());
        assert_eq!(question["method"], "elicitation/create", "{question}");
        running
            .send(json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }).to_string());
        let answer = hear(running.line());
        assert!(answer.to_string().contains(said), "{answer}");
        // what was cancelled is asked about again, and not proposed twice
        let change = ["1", "1", "2", "3"][number];
        let shown = home.succeed(&["changes", "show", change, "--json"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["state"], state, "{shown}");
    }
}
