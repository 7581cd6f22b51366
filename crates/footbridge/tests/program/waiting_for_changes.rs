//! Waiting for a change: whoever records it, in this process or another one on the same file. Of
//! others' changes nothing is told but the record and the time.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, call_over_http, outcome, tool_call};

const LATEST: &str = "footbridge://changes/latest";

fn listening(home: &Home, arguments: &[&str]) -> (Running, String) {
    Running::start_http(home.command(&["serve", "board"]).args(arguments))
}

fn stdio(home: &Home, arguments: &[&str]) -> Session {
    Session::start(home.command(&["serve", "board"]).args(arguments))
}

fn latest(answer: &Value) -> i64 {
    answer["latest"]
        .as_i64()
        .unwrap_or_else(|| panic!("latest in {answer}"))
}

/// Waits from the beginning of all changes, which answers at once where there is one.
fn until_now(agent: &mut Session) -> i64 {
    latest(&agent.call("wait_for", json!({ "since": 0 })).unwrap())
}

#[test]
fn what_another_process_records_ends_the_wait_and_tells_record_and_time_alone() {
    let home = Home::new();
    let mut agent = stdio(&home, &[]);
    let (running, base) = listening(&home, &[]);
    agent.call("board_create", json!({ "name": "B" })).unwrap();
    let since = until_now(&mut agent);

    let (told, card) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let card = json!({ "title": "Nobody's business", "tags": ["secret"] });
            call_over_http(&base, "card_create", &card).unwrap()
        });
        let told = agent.call("wait_for", json!({ "since": since, "up_to": 50 }));
        (told.unwrap(), writing.join().unwrap())
    });
    let record = format!("card:{}", card["id"].as_str().unwrap());
    assert_eq!(told["changes"].as_array().unwrap().len(), 1, "{told}");
    let change = &told["changes"][0];
    assert_eq!(change["records"], json!([record]));
    assert_eq!(change["at"].as_str().unwrap().len(), 19, "{told}");
    let members: Vec<&String> = change.as_object().unwrap().keys().collect();
    assert_eq!(members, ["at", "records"], "{told}");

    // whoever did it is told what it was
    let own = json!({ "since": since });
    let own = call_over_http(&base, "wait_for", &own).unwrap();
    assert_eq!(own["changes"][0]["tool"], "card_create", "{own}");
    assert!(own["changes"][0]["id"].is_i64(), "{own}");
    assert_eq!(latest(&own), latest(&told));

    // filters, and the time that is over
    for (filter, count) in [
        (json!({ "record": record }), 1),
        (json!({ "kind": "card", "connector": "board" }), 1),
        (json!({ "by": "others" }), 1),
        (json!({ "by": "me" }), 0),
        (json!({ "kind": "board" }), 0),
        (json!({ "record": "card:other" }), 0),
        (json!({ "change": 1 }), 0),
    ] {
        let arguments = json!({ "since": since, "filter": filter, "up_to": 1 });
        let told = agent.call("wait_for", arguments).unwrap();
        let changes = told["changes"].as_array().unwrap();
        assert_eq!(changes.len(), count, "{filter}: {told}");
        assert_eq!(latest(&told), latest(&own), "it was looked at: {told}");
    }
    running.stop();
    agent.finish();
}

#[test]
fn what_programs_write_is_told_where_it_can_be_read() {
    let home = Home::new();
    let (running, base) = listening(&home, &[]);
    let mut agent = stdio(&home, &[]);
    agent.call("board_create", json!({ "name": "B" })).unwrap();
    let since = until_now(&mut agent);
    home.succeed(&["account", "add", "eve"]);
    let post = |account: &str| {
        let bearer = home.token(account);
        let made = http::post(&base, "/xapi2/data/card", &json!({ "title": account }))
            .bearer(&bearer)
            .send();
        assert_eq!(made.status, 201, "{made:?}");
        made.json()
    };
    post("eve");
    let own = post("local");
    let id = own["id"].as_str().unwrap_or_else(|| panic!("{own}"));
    let told = agent.call("wait_for", json!({ "since": since })).unwrap();
    let changes = told["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "of eve's cards nobody else hears: {told}");
    assert_eq!(changes[0]["records"], json!([format!("card:{id}")]));
    assert!(changes[0].get("tool").is_none(), "{told}");
    running.stop();
    agent.finish();
}

#[test]
fn whoever_proposed_hears_of_the_decision() {
    let home = Home::new();
    let mut agent = stdio(&home, &["--allow", "propose"]);
    let proposed = agent.call("card_create", json!({ "title": "Please" }));
    let proposed = proposed.unwrap().to_string();
    assert!(proposed.contains("proposed as change 1"), "{proposed}");
    let since = until_now(&mut agent);
    let told = std::thread::scope(|scope| {
        let deciding = scope.spawn(|| home.succeed(&["changes", "approve", "1", "--yes"]));
        let arguments = json!({ "since": since, "filter": { "change": 1 }, "up_to": 50 });
        let told = agent.call("wait_for", arguments).unwrap();
        deciding.join().unwrap();
        told["changes"][0].clone()
    });
    assert_eq!(
        (&told["id"], &told["tool"], &told["state"]),
        (&json!(1), &json!("card_create"), &Value::Null),
        "it is done: {told}"
    );
    agent.finish();
}

#[test]
fn what_cannot_be_waited_for_is_refused_in_a_sentence() {
    let home = Home::new();
    let mut agent = stdio(&home, &[]);
    for (arguments, needle) in [
        (json!({ "up_to": 51 }), "50"),
        (json!({ "up_to": 0 }), "up_to"),
        (json!({ "since": 99 }), "after the last change, which is 0"),
        (json!({ "since": -1 }), "since"),
        (
            json!({ "filter": { "kind": "cart" } }),
            "did you mean card?",
        ),
        (
            json!({ "filter": { "connector": "taiga" } }),
            "there are: board",
        ),
        (json!({ "filter": { "record": "card" } }), "KIND:ID"),
        (
            json!({ "filter": { "record": "card:1", "kind": "board" } }),
            "another kind",
        ),
        (json!({ "filter": { "tool": "x" } }), "tool"),
    ] {
        let why = agent.call("wait_for", arguments.clone()).unwrap_err();
        assert!(why.contains(needle), "{arguments}: {why}");
    }
    agent.finish();
}

#[test]
fn a_few_wait_for_each_client_in_nobody_s_way_until_they_are_taken_back_or_the_server_ends() {
    let home = Home::new();
    let mut agent = stdio(&home, &[]);
    let wait = json!({ "up_to": 50 });
    for id in 100..105 {
        let call = tool_call(id, "wait_for", &wait);
        agent.running.send(call.to_string());
    }
    let refused: Value = serde_json::from_str(&agent.running.line().unwrap()).unwrap();
    let why = outcome(&refused).unwrap_err();
    assert!(why.starts_with("4 calls of this client wait"), "{why}");
    let mut waiting: Vec<u64> = (100..105).filter(|id| refused["id"] != *id).collect();
    assert_eq!(agent.titles(), [""; 0], "others go on");
    let taken_back = waiting.remove(0);
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": taken_back } });
    agent.running.send(cancel.to_string());
    let shortly = json!({ "up_to": 1 });
    loop {
        // the place is free once the call is gone
        match agent.call("wait_for", shortly.clone()) {
            Ok(told) => break assert_eq!(told["changes"], json!([])),
            Err(why) => assert!(why.starts_with("4 calls of this client wait"), "{why}"),
        }
    }
    agent.running.close_input();
    for _ in 0..3 {
        let answer: Value = serde_json::from_str(&agent.running.line().unwrap()).unwrap();
        let id = answer["id"].as_u64().unwrap();
        assert!(waiting.contains(&id), "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(text, r#"{"latest":0,"changes":[]}"#);
    }
    let ended = agent.running.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("did not finish"), "{ended:?}");

    let (running, base) = listening(&home, &[]);
    std::thread::scope(|scope| {
        let waits = || loop {
            let told = call_over_http(&base, "wait_for", &wait);
            if let Ok(told) = told {
                break told;
            }
        };
        let waiting: Vec<_> = (0..4).map(|_| scope.spawn(waits)).collect();
        // all four wait once a fifth is refused
        while call_over_http(&base, "wait_for", &shortly).is_ok() {}
        running.signal(Signal::TERM);
        for one in waiting {
            assert_eq!(one.join().unwrap()["changes"], json!([]));
        }
    });
    let ended = running.ended();
    assert!(!ended.stderr.contains("did not finish"), "{ended:?}");
}

#[test]
fn whoever_subscribed_hears_of_every_process_and_reads_how_new_the_newest_is() {
    let home = Home::new();
    let mut agent = stdio(&home, &[]);
    let listed = agent.request("resources/list", &json!({}));
    assert!(!listed.to_string().contains(LATEST), "{listed}");
    let read = |agent: &mut Session| -> Value {
        let read = agent.request("resources/read", &json!({ "uri": LATEST }));
        let text = read["result"]["contents"][0]["text"].as_str();
        serde_json::from_str(text.unwrap_or_else(|| panic!("{read}"))).unwrap()
    };
    assert_eq!(read(&mut agent), json!({ "latest": null, "step": 0 }));
    let subscribe = json!({ "jsonrpc": "2.0", "id": "s", "method": "resources/subscribe", "params": { "uri": LATEST } });
    agent.running.send(subscribe.to_string());
    let mut lines: Vec<Value> = Vec::new();
    let mut next = |agent: &mut Session| -> Value {
        let line = agent.running.line().expect("a line");
        lines.push(serde_json::from_str(&line).unwrap());
        lines.last().unwrap().clone()
    };
    // its answer, and the first notice, that it is followed from now on
    let both = [next(&mut agent), next(&mut agent)];
    assert!(both.iter().any(|line| line["id"] == "s"), "{both:?}");
    assert!(
        both.iter()
            .any(|line| line["method"] == "notifications/resources/updated"
                && line["params"]["uri"] == LATEST),
        "{both:?}"
    );
    home.succeed(&["call", "card_create", "title=One"]);
    let told = next(&mut agent);
    assert_eq!(told["params"]["uri"], LATEST, "{told}");
    agent.running.signal(Signal::TERM);
    let ended = agent.running.ended();
    assert!(!ended.stderr.contains("WARN"), "{ended:?}");

    let mut agent = stdio(&home, &["--groups", "changes"]);
    let listed = agent.request("resources/list", &json!({}));
    assert!(listed.to_string().contains(LATEST), "{listed}");
    let newest = read(&mut agent);
    assert_eq!(newest["latest"], 1, "{newest}");
    assert!(newest["step"].as_i64().unwrap() > 0, "{newest}");
    let listed = agent.tools();
    let tool = listed.iter().find(|tool| tool["name"] == "wait_for");
    assert!(tool.is_some(), "it is of the group: {listed:?}");
    agent.finish();
}
