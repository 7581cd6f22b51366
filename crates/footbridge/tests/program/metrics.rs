//! Counts for whoever watches a server: off unless somebody wants them, behind the bearer, and true.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::http::{Response, get, post};
use crate::harness::process::{Home, Running};
use crate::harness::session::{call_over_http, tool_call};

/// Every sample by its name and labels; each family has its help and its type before it.
fn samples(response: &Response) -> BTreeMap<String, f64> {
    assert_eq!(response.status, 200, "{response:?}");
    let kind = response.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = &response.body;
    let mut family = String::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap().to_owned();
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with(&family), "{line} is not of {family}");
            let is_new = samples.insert(name.to_owned(), value.parse().unwrap());
            assert!(is_new.is_none(), "{line} stands there twice");
        }
    }
    samples
}

#[test]
fn counts_are_there_for_whoever_has_the_bearer() {
    let home = Home::new();
    let mut command = home.command(&["serve", "board", "--allow", "read"]);
    command
        .env("FOOTBRIDGE_METRICS", "true")
        .env("FOOTBRIDGE_TOKEN", "planted-bearer");
    let (running, base) = Running::start_http(&mut command);
    let read = || get(&base, "/metrics").bearer("planted-bearer").send();
    for refused in [
        get(&base, "/metrics").send(),
        get(&base, "/metrics").bearer("planted-bearex").send(),
    ] {
        assert_eq!(refused.status, 401, "{refused:?}");
        assert!(refused.header("www-authenticate").is_some(), "{refused:?}");
    }
    let before = samples(&read());
    assert_eq!(before["footbridge_requests_under_way"], 0.0);
    let call = |tool: &str, arguments: &serde_json::Value| {
        let message = tool_call(1, tool, arguments);
        post(&base, "/mcp", &message)
            .bearer("planted-bearer")
            .header("mcp-protocol-version", "2025-06-18")
            .send()
    };
    for _ in 0..3 {
        call("card_list", &json!({}));
    }
    call("card_create", &json!({ "title": "planted-title" }));
    call("card_list", &json!({ "planted_argument": 1 }));
    for made_up in ["planted_tool", "planted\"tool\n"] {
        call(made_up, &json!({}));
    }
    // whoever is not let in is counted, and not among the requests
    post(&base, "/mcp", &tool_call(1, "card_list", &json!({})))
        .header("mcp-protocol-version", "2025-06-18")
        .send();
    let last = read();
    let text = &last.body;
    assert!(!text.contains("planted"), "{text}");
    let after = samples(&last);
    let requests = |tool: &str, outcome: &str| {
        let labels = format!("method=\"tools/call\",tool=\"{tool}\",outcome=\"{outcome}\"");
        after.get(&format!("footbridge_requests_total{{{labels}}}"))
    };
    assert_eq!(requests("card_list", "answered"), Some(&3.0), "{text}");
    assert_eq!(requests("card_list", "failed"), Some(&1.0), "{text}");
    assert_eq!(requests("card_create", "failed"), Some(&1.0), "{text}");
    assert_eq!(after["footbridge_refusals_total{by=\"gate\"}"], 1.0);
    assert_eq!(after["footbridge_refusals_total{by=\"door\"}"], 1.0);
    let took = "method=\"tools/call\",tool=\"card_list\"";
    let count = format!("footbridge_request_duration_seconds_count{{{took}}}");
    assert_eq!(after[&count], 4.0, "{text}");
    let seconds = format!("footbridge_request_duration_seconds_sum{{{took}}}");
    assert!(after[&seconds] > 0.0, "{text}");
    running.stop();
}

#[test]
fn counts_are_off_and_without_a_bearer_for_this_machine_alone() {
    let home = Home::new();
    let (off, base) = Running::start_http(&mut home.command(&["serve", "board"]));
    assert_eq!(get(&base, "/metrics").send().status, 404);
    off.stop();

    home.file(".config/footbridge/settings.yaml", "metrics: true\n");
    let (running, base) = Running::start_http(&mut home.command(&["serve", "board"]));
    call_over_http(&base, "board_list", &json!({})).unwrap();
    samples(&get(&base, "/metrics").send());
    for (header, value) in [
        ("host", "board.example"),
        ("origin", "https://evil.example"),
        ("x-forwarded-for", "192.0.2.1"),
    ] {
        let refused = get(&base, "/metrics").header(header, value).send();
        assert_eq!(refused.status, 403, "{header} {refused:?}");
    }
    running.stop();
    // a pod is asked by its address
    let mut command = home.command(&["serve", "board"]);
    command.env("FOOTBRIDGE_TOKEN", "planted-bearer");
    let (running, base) = Running::start_http(&mut command);
    let by_address = get(&base, "/metrics")
        .header("host", "10.1.2.3:8000")
        .bearer("planted-bearer");
    samples(&by_address.send());
    running.stop();
}
