//! What a user of one of the five systems meets first, walked on the running program: verbs, who
//! answers, which transport, which names of a host, words for true. What is not as in the system
//! that is replaced has its line in docs/differences.md.

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, initialize};
use crate::harness::shown::Shown::Differs;
use crate::harness::shown::all_are_shown;
use crate::harness::sse::SseClient;

/// The line of docs/differences.md that says so.
fn differs(promise: &str, line: &'static str) {
    all_are_shown(
        env!("CARGO_MANIFEST_DIR"),
        std::iter::once((promise, &[Differs(line)][..])),
    );
}

#[test]
fn verbs_that_are_not_there_have_their_line() {
    let home = Home::new();
    let help = home.succeed(&["--help"]);
    let has = |verb: &str| {
        help.lines()
            .any(|line| line.split_whitespace().next() == Some(verb))
    };
    for verb in [
        "serve", "doctor", "tools", "version", "update", "login", "logout", "whoami",
    ] {
        assert!(has(verb), "the reference has {verb} too: {help}");
    }
    assert!(!home.path().join(".prodmcp").exists());
    differs("state files", "its state in files under `~/.prodmcp`");
    assert_eq!(home.succeed(&["version"]).lines().count(), 2);
    differs("version", "`version` prints five lines");
}

#[test]
fn every_connector_answers_as_footbridge_with_the_backend_in_its_title() {
    let home = Home::new();
    for (connector, title) in [
        ("board", "Production Board"),
        ("prodmcp", "Production Board"),
    ] {
        let mut running = Running::start_piped(&mut home.command(&["serve", connector]));
        running.send(initialize(REVISION).to_string());
        let answer: Value = serde_json::from_str(&running.line().unwrap()).unwrap();
        let server = &answer["result"]["serverInfo"];
        assert_eq!(
            (
                &server["name"],
                server["title"].as_str().unwrap().contains(title)
            ),
            (&json!("footbridge"), true),
            "{server}"
        );
        running.close_input();
        assert_eq!(running.ended().code, Some(0));
    }
    differs(
        "who answers",
        "`serverInfo` has the name and version of each server",
    );
    differs("TruePPM", "`serverInfo` is `trueppm`");
}

/// What stdin is decides; each kind of stdin has its test in `transport_choice`.
#[test]
fn stdin_decides_the_transport_unless_a_flag_does() {
    let home = Home::new();
    let mut by_pipe = Running::start_piped(&mut home.command(&["serve"]));
    by_pipe.send(initialize(REVISION).to_string());
    assert!(by_pipe.line().unwrap().contains("protocolVersion"));
    by_pipe.close_input();
    assert_eq!(by_pipe.ended().code, Some(0));
    let mut by_nothing = Running::start(home.command(&["serve"]).env("PORT", "0"));
    assert!(by_nothing.address().starts_with("http://127.0.0.1:"));
    by_nothing.stop();
    differs(
        "transport",
        "a terminal, `/dev/null` or a closed stdin means HTTP",
    );
}

#[test]
fn a_host_that_nobody_named_is_refused_whatever_is_served() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve", "board"]));
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let answer = http::post(&base, "/mcp", &ping)
        .header("host", "taiga.example.org")
        .send();
    assert_eq!(answer.status, 403, "{answer:?}");
    differs("Host", "check no `Host` and take no bearer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_names_its_own_address_for_messages() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve", "board"]));
    let client = SseClient::connect(&base).await;
    assert!(
        client
            .address
            .starts_with(&format!("{base}/sse/messages/?session_id=")),
        "{}",
        client.address
    );
    differs(
        "the address in the endpoint event",
        "Taiga's SSE stream names",
    );
}

/// Each word is tried in `settings` of the connector's tests; here that the program takes and
/// refuses them.
#[test]
fn words_for_true_and_false_are_those_of_the_line() {
    let home = Home::new();
    for (word, is_taken) in [
        ("on", true),
        ("N", true),
        ("f", true),
        ("maybe", false),
        ("enabled", false),
    ] {
        let mut command = home.command(&["tools", "-c", "ptm"]);
        let ended = Running::start(command.env("PTM_MCP_READ_ONLY", word)).ended();
        assert_eq!(ended.code == Some(0), is_taken, "{word}: {ended:?}");
    }
    differs("words", "each has its own words for true and false");
    differs("words of discovery", "takes any \"falsy\" word");
}

#[test]
fn a_null_in_a_filter_is_left_out_and_refused_in_a_list() {
    let home = Home::new();
    home.succeed(&["call", "card_create", "title=One", "status=todo"]);
    let listed = |filter: Value| {
        home.run(&[
            "call",
            "card_list",
            "--json",
            &json!({ "filter": filter }).to_string(),
        ])
    };
    for filter in [
        json!({ "status": null }),
        json!({ "data__status": null, "is_archived": null }),
        json!({ "status": "todo", "tags": null }),
    ] {
        let ended = listed(filter.clone());
        assert!(
            ended.code == Some(0) && ended.stdout.contains("One"),
            "{filter}: {ended:?}"
        );
    }
    let ended = listed(json!({ "status": ["todo", null] }));
    assert!(
        ended.code == Some(1) && ended.stderr.contains("filter.status[1]"),
        "{ended:?}"
    );
    differs("a null in a filter", "a null in a filter is dropped");
}

/// What no test of the program can walk has its line all the same.
#[test]
fn what_is_seen_elsewhere_has_its_line_too() {
    for (promise, line) in [
        (
            "User-Agent of prodmcp",
            "says `prodmcp/1.0.2 (mcp; …)` as its User-Agent",
        ),
        (
            "sentences of ptm",
            "403, 404, 409 and 422 have a sentence each",
        ),
        (
            "replaced methods",
            "`initialize` and `ping` can be replaced",
        ),
        (
            "cookies without Origin",
            "with `auth::SameOrigin`, a request without `Origin` is refused",
        ),
    ] {
        differs(promise, line);
    }
}
