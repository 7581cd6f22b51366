//! The audit: one chain of all processes on a file, which a check of it proves whole, or names where
//! it is not; and the brakes and headers whose refusals are in it.

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, Session, outcome, tool_call};

fn session(home: &Home, arguments: &[&str]) -> Session {
    Session::start(home.command(&["serve", "board"]).args(arguments))
}

/// The rows, each with its detail read.
pub(crate) fn rows(home: &Home) -> Vec<Value> {
    let exported = home.succeed(&["audit", "export"]);
    exported
        .lines()
        .map(|line| {
            let mut row: Value = serde_json::from_str(line).unwrap();
            row["detail"] = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
            row
        })
        .collect()
}

fn kinds(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["kind"].as_str().unwrap())
        .collect()
}

#[test]
fn two_processes_write_one_chain_and_a_row_that_was_changed_is_named() {
    let home = Home::new();
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            let home = &home;
            scope.spawn(move || {
                let mut agent = session(home, &[]);
                for number in 0..20 {
                    let card = json!({ "title": format!("{name} {number}") });
                    agent.call("card_create", card).unwrap();
                    assert!(agent.call("card_delete", json!({ "id": "7" })).is_err());
                }
                agent.finish();
            });
        }
    });
    let rows = rows(&home);
    let kinds = kinds(&rows);
    for (kind, count) in [("start", 2), ("call", 40), ("refusal", 40)] {
        let found = kinds.iter().filter(|found| **found == kind).count();
        assert_eq!(found, count, "{kind}: {kinds:?}");
    }
    for (number, row) in (1..).zip(&rows) {
        assert_eq!(row["sequence"], number);
    }
    let verified = home.succeed(&["audit", "verify", "--json"]);
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(
        (&verified["whole"], &verified["rows"]),
        (&json!(true), &json!(82))
    );
    let last = verified["last"].as_str().unwrap();
    home.succeed(&["audit", "verify", "--known", last]);

    // somebody writes another tool into every refusal
    let bytes = std::fs::read(home.database()).unwrap();
    let (from, to) = (br#""tool":"card_delete""#, br#""tool":"card_create""#);
    let mut meddled = bytes.clone();
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            meddled[at..at + to.len()].copy_from_slice(to);
        }
    }
    std::fs::write(home.database(), meddled).unwrap();
    let broken = home.run(&["audit", "verify", "--json"]);
    assert_eq!(broken.code, Some(3), "{broken:?}");
    let broken: Value = serde_json::from_str(&broken.stdout).unwrap();
    let sequence = broken["broken"]["sequence"].as_i64().unwrap();
    let changed = self::rows(&home)
        .into_iter()
        .find(|row| row["kind"] == "refusal" && row["detail"]["tool"] == "card_create");
    assert_eq!(changed.unwrap()["sequence"], sequence);
    let sentence = home.run(&["audit", "verify"]);
    assert!(
        sentence
            .stdout
            .contains(&format!("broken at row {sequence}")),
        "{sentence:?}"
    );
    let known = home.run(&["audit", "verify", "--known", "7"]);
    assert!(known.complaint(2).contains("SEQUENCE:DIGEST"), "{known:?}");
}

#[test]
fn what_was_decided_and_tried_is_in_it_and_reads_only_when_asked() {
    let home = Home::new();
    home.succeed(&["call", "card_create", "title=One"]);
    let (running, base) = Running::start_http(
        home.command(&["serve", "board", "--allow", "propose"])
            .env("FOOTBRIDGE_TOKEN", "the-shared-bearer"),
    );
    let refused = http::post(&base, "/mcp", &tool_call(1, "whoami", &json!({})))
        .header("mcp-protocol-version", REVISION)
        .bearer("another")
        .send();
    assert_eq!(refused.status, 401);
    let login = json!({ "email": "nobody@example.org", "password": "planted-secret" });
    assert_eq!(
        http::post(&base, "/xapi2/auth/login", &login).send().status,
        401
    );
    let proposed = http::post(
        &base,
        "/mcp",
        &tool_call(1, "card_create", &json!({ "title": "Two" })),
    )
    .header("mcp-protocol-version", REVISION)
    .bearer("the-shared-bearer")
    .send();
    assert!(outcome(&proposed.json()).is_ok());
    running.stop();
    home.succeed(&["changes", "decline", "2", "--reason", "no"]);
    home.succeed(&["call", "card_list"]);
    let rows = rows(&home);
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let detail = &row["detail"];
            let what = [&detail["state"], &detail["door"], &detail["transport"]];
            let what = what
                .iter()
                .find_map(|what| what.as_str())
                .unwrap_or_default();
            format!("{} {what}", row["kind"].as_str().unwrap())
        })
        .collect();
    let mut sorted = shown.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "call done",
            "call proposed",
            "call withdrawn",
            "login mcp",
            "login xapi2",
            "start http"
        ],
        "{shown:?}"
    );
    assert_eq!(rows[0]["detail"]["door"], "terminal");
    let exported = home.succeed(&["audit", "export"]);
    for secret in ["planted-secret", "the-shared-bearer", "another"] {
        assert!(!exported.contains(secret), "{secret}");
    }
    assert!(!exported.contains("Two"), "it holds no values");

    let mut agent = Session::start(
        home.command(&["serve", "board"])
            .env("FOOTBRIDGE_AUDIT_READS", "true"),
    );
    agent.call("card_list", json!({})).unwrap();
    assert!(agent.call("card_get", json!({ "id": "7" })).is_err());
    agent.finish();
    let after = self::rows(&home);
    let reads: Vec<&Value> = after
        .iter()
        .filter(|row| row["detail"]["effect"] == "read")
        .map(|row| &row["detail"]["state"])
        .collect();
    assert_eq!(reads, ["done", "failed"]);
    home.succeed(&["audit", "verify"]);

    let csv = home.succeed(&["audit", "export", "--format", "csv", "--since", "1h"]);
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("sequence,at,kind,detail,previous,digest")
    );
    assert_eq!(lines.count(), after.len());
    let none = home.succeed(&["audit", "export", "--since", "2100-01-01T00:00:00Z"]);
    assert_eq!(none.trim(), "");
}

#[test]
fn who_only_reads_makes_no_file() {
    let home = Home::new();
    let mut command = home.command(&["serve", "prodmcp"]);
    command
        .env("PRODMCP_BASE_URL", "http://127.0.0.1:1")
        .env("PRODMCP_TOKEN", "x");
    let mut agent = Session::start(&mut command);
    assert!(!agent.tools().is_empty());
    agent.finish();
    assert!(!home.database().exists());
}

#[test]
fn too_much_in_a_minute_is_refused_with_the_time_to_wait() {
    let home = Home::new();
    let limited = |home: &Home| {
        Session::start(
            home.command(&["serve", "board"])
                .env("FOOTBRIDGE_WRITES_PER_MINUTE", "2"),
        )
    };
    let mut agent = limited(&home);
    for number in 0..2 {
        let card = json!({ "title": format!("x {number}") });
        agent.call("card_create", card).unwrap();
    }
    let why = agent
        .call("card_create", json!({ "title": "x" }))
        .unwrap_err();
    assert!(
        why.contains("2 writes in the last minute") && why.contains("try again in "),
        "{why}"
    );
    agent.call("card_list", json!({})).unwrap();
    assert_eq!(agent.titles().len(), 2);
    agent.finish();
    // another process knows of them
    let mut agent = limited(&home);
    assert!(agent.call("card_create", json!({ "title": "x" })).is_err());
    agent.finish();
    // a person is not held
    home.succeed(&["call", "card_create", "title=x"]);
    let by: Vec<Value> = rows(&home)
        .into_iter()
        .filter(|row| row["kind"] == "refusal")
        .map(|row| row["detail"]["by"].clone())
        .collect();
    assert_eq!(by, ["brakes", "brakes"]);
    let wrong = home
        .command(&["serve", "board"])
        .env("FOOTBRIDGE_WRITES_PER_MINUTE", "many")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        wrong.status.code() == Some(2) && said.contains("FOOTBRIDGE_WRITES_PER_MINUTE is \"many\""),
        "{said}"
    );
}

#[test]
fn a_header_only_tightens() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve", "board"]));
    let call = |headers: &[(&'static str, &str)], tool: &str, arguments: Value| {
        let message = tool_call(1, tool, &arguments);
        let request = http::post(&base, "/mcp", &message).header("mcp-protocol-version", REVISION);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(name, *value)
        });
        let answer = request.send().json();
        match answer.get("error") {
            Some(error) => Err(error["message"].as_str().unwrap_or_default().to_owned()),
            None => outcome(&answer),
        }
    };
    let one = || json!({ "title": "One" });
    for headers in [
        &[("x-mcp-readonly", "true")][..],
        &[("footbridge-allow", "read")][..],
        &[("footbridge-allow", "destroy")][..],
        &[("footbridge-allow", "write"), ("x-mcp-readonly", "1")][..],
    ] {
        let why = call(headers, "card_create", one()).unwrap_err();
        assert!(why.contains("X-MCP-Readonly"), "{headers:?}: {why}");
        assert!(call(headers, "claim", json!({ "record": "card:1" })).is_err());
        call(headers, "card_list", json!({})).unwrap();
    }
    let proposed = call(&[("footbridge-allow", "propose")], "card_create", one()).unwrap();
    assert!(
        proposed
            .as_str()
            .unwrap()
            .starts_with("Nothing was changed yet")
    );
    let why = call(
        &[("footbridge-allow", "write,destroy")],
        "card_delete",
        json!({ "id": "7" }),
    );
    assert!(
        why.unwrap_err().contains("--allow write,destroy"),
        "it opens nothing"
    );
    call(&[("footbridge-allow", "write")], "card_create", one()).unwrap();
    let cards = call(&[], "card_list", json!({})).unwrap();
    assert_eq!(cards["items"].as_array().unwrap().len(), 1);
}
