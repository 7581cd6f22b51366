//! Who may write through the HTTP doors: nobody beyond this machine unless the operator said how,
//! whatever the door and the era.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::http::{Request, Response, get, post};
use crate::harness::process::{DEADLINE, Home, Running};
use crate::harness::session::{REVISION, call_over_http, initialize, outcome, tool_call};

/// What proxies add; any of it is enough.
const FORWARDED: [(&str, &str); 5] = [
    ("forwarded", "for=192.0.2.1"),
    ("x-forwarded-for", "192.0.2.1"),
    ("x-forwarded-proto", "https"),
    ("x-real-ip", "192.0.2.1"),
    ("via", "1.1 proxy"),
];

fn create(title: &str) -> Value {
    tool_call(1, "card_create", &json!({ "title": title }))
}

fn legacy<'a>(base: &'a str, message: &Value) -> Request<'a> {
    post(base, "/mcp", message).header("mcp-protocol-version", REVISION)
}

fn modern<'a>(base: &'a str, tool: &'a str, arguments: &Value) -> Request<'a> {
    let mut message = tool_call(1, tool, arguments);
    message["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let request = post(base, "/mcp", &message).header("mcp-protocol-version", "2026-07-28");
    request
        .header("accept", "application/json")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
}

fn titles(base: &str) -> Vec<String> {
    let cards = call_over_http(base, "card_list", &json!({ "all": true })).unwrap();
    cards["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| card["title"].as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn names_the_setting(response: &Response) {
    assert_eq!(response.status, 403, "{response:?}");
    is_sentence(&response.json());
}

#[track_caller]
fn is_sentence(answer: &Value) {
    assert_eq!(
        (&answer["id"], &answer["error"]["code"]),
        (&json!(1), &json!(-32600)),
        "{answer}"
    );
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(
        ["card_create", "proxy", "FOOTBRIDGE_TOKEN", "--no-auth"]
            .iter()
            .all(|part| message.contains(part)),
        "{message}"
    );
}

/// An HTTP+SSE channel, and the address that it gives for messages.
struct Channel {
    lines: std::io::Lines<BufReader<TcpStream>>,
    messages: String,
}

impl Channel {
    fn open(base: &str) -> Self {
        let mut connection = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
        connection.set_read_timeout(Some(DEADLINE)).unwrap();
        connection
            .write_all(b"GET /sse HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n")
            .unwrap();
        let mut channel = Self {
            lines: BufReader::new(connection).lines(),
            messages: String::new(),
        };
        channel.messages = channel.data();
        channel
    }

    /// What the next event holds.
    fn data(&mut self) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        lines
            .find_map(|line| line.strip_prefix("data: ").map(str::to_owned))
            .unwrap()
    }

    fn answer(&mut self) -> Value {
        serde_json::from_str(&self.data()).unwrap()
    }
}

#[test]
fn a_public_name_is_served_with_a_bearer_or_a_word_or_reads_alone() {
    let home = Home::new();
    let starts = |arguments: &[&str], token: Option<&str>| {
        let mut command =
            home.command(&[&["serve", "--allowed-host", "board.example.org"], arguments].concat());
        let (mut running, base) =
            Running::start_http(command.envs(token.map(|token| ("FOOTBRIDGE_TOKEN", token))));
        running.error_line(|line| line.starts_with("Add it"));
        (running.said().to_owned(), running, base)
    };
    let by_name = |base: &str| {
        legacy(base, &create("by name"))
            .header("host", "board.example.org")
            .send()
    };

    let (said, _running, base) = starts(&[], Some("s3cret"));
    assert!(!said.contains("warning"), "{said}");
    assert_eq!(by_name(&base).status, 401);
    let written = legacy(&base, &create("by name"))
        .header("host", "board.example.org")
        .bearer("s3cret")
        .send();
    assert!(outcome(&written.json()).is_ok());

    for (word, writes) in [(&["--no-auth"][..], true), (&["--allow", "read"], false)] {
        let (said, _running, base) = starts(word, None);
        assert!(
            said.starts_with(
                "footbridge: warning: board.example.org (of --allowed-host) is reachable"
            ),
            "{said}"
        );
        assert_eq!(outcome(&by_name(&base).json()).is_ok(), writes, "{word:?}");
    }

    // The settings file says the same.
    home.file(
        ".config/footbridge/settings.yaml",
        "public_url: https://board.example.org\n",
    );
    let ended = Running::start(
        home.command(&["serve"])
            .env("PORT", "0")
            .env("FOOTBRIDGE_TRANSPORT", "http"),
    )
    .ended();
    assert!(
        ended
            .complaint(2)
            .contains("board.example.org (of --public-url)"),
        "{ended:?}"
    );
}

#[test]
fn names_of_this_machine_need_no_word() {
    let home = Home::new();
    let arguments = [
        "serve",
        "--allowed-host",
        "board.localhost",
        "--allowed-host",
        "127.0.0.2",
    ];
    let (mut running, base) = Running::start_http(&mut home.command(&arguments));
    running.error_line(|line| line.starts_with("Add it"));
    assert!(!running.said().contains("warning"), "{}", running.said());
    let written = legacy(&base, &create("here"))
        .header("host", "board.localhost")
        .send();
    assert!(outcome(&written.json()).is_ok());
}

#[test]
fn who_comes_through_a_proxy_reads_and_does_not_write() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    for (name, value) in FORWARDED {
        names_the_setting(&legacy(&base, &create("legacy")).header(name, value).send());
        names_the_setting(
            &modern(&base, "card_create", &json!({ "title": "modern" }))
                .header(name, value)
                .send(),
        );
        let read = legacy(&base, &tool_call(1, "card_list", &json!({})))
            .header(name, value)
            .send();
        assert!(outcome(&read.json()).is_ok(), "{read:?}");
        let read = modern(&base, "card_list", &json!({}))
            .header(name, value)
            .send();
        assert!(outcome(&read.json()).is_ok(), "{read:?}");
    }
    // A bearer that nobody set is no valid one.
    let guess = legacy(&base, &create("guess"))
        .header("via", "1.1 proxy")
        .bearer("guess")
        .send();
    names_the_setting(&guess);
    assert_eq!(titles(&base), [""; 0]);
}

/// What a session or a channel may do is asked for each request, not once when it is opened.
#[test]
fn each_request_of_a_session_and_of_a_channel_is_asked_for_itself() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let opened = post(&base, "/mcp", &initialize(REVISION)).send();
    let session = opened.header("mcp-session-id").unwrap();
    let in_session = |title: &str| legacy(&base, &create(title)).header("mcp-session-id", session);
    names_the_setting(
        &in_session("forwarded")
            .header("x-forwarded-for", "192.0.2.1")
            .send(),
    );
    assert!(
        outcome(
            &in_session("of a session")
                .header("accept", "application/json")
                .send()
                .json()
        )
        .is_ok()
    );

    let mut channel = Channel::open(&base);
    let messages = channel.messages.clone();
    let forwarded = post(&base, &messages, &create("forwarded"))
        .header("x-forwarded-for", "192.0.2.1")
        .send();
    assert_eq!(forwarded.status, 202, "the answer comes on the channel");
    is_sentence(&channel.answer());
    assert_eq!(
        post(&base, &messages, &create("of a channel"))
            .send()
            .status,
        202
    );
    assert!(outcome(&channel.answer()).is_ok());
    assert_eq!(titles(&base), ["of a session", "of a channel"]);
}

#[test]
fn the_bearer_or_the_operators_word_opens_writing_through_a_proxy() {
    let home = Home::new();
    let writes = |command: &mut Command, token: Option<&str>| {
        let (_running, base) = Running::start_http(command);
        let request = legacy(&base, &create("by a proxy")).header("x-forwarded-for", "192.0.2.1");
        let response = token
            .iter()
            .fold(request, |request, token| request.bearer(token))
            .send();
        (
            response.status,
            response.status == 200 && outcome(&response.json()).is_ok(),
        )
    };
    assert_eq!(
        writes(&mut home.command(&["serve", "--no-auth"]), None),
        (200, true)
    );
    let with_token = || {
        let mut command = home.command(&["serve"]);
        command.env("FOOTBRIDGE_TOKEN", "s3cret");
        command
    };
    assert_eq!(writes(&mut with_token(), Some("s3cret")), (200, true));
    assert_eq!(writes(&mut with_token(), None), (401, false));
}

/// A token of the board is a secret of its own, and the published client has nothing else.
#[test]
fn a_board_token_writes_through_a_proxy_and_nothing_writes_without_one() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let token = home.token("local");
    let new = || {
        post(&base, "/xapi2/data/card", &json!({ "title": "By token" }))
            .header("x-forwarded-for", "192.0.2.1")
    };
    assert_eq!(new().send().status, 401);
    assert_eq!(new().bearer("pat_guess").send().status, 401);
    assert_eq!(new().bearer(&token).send().status, 201);
    assert_eq!(titles(&base), ["By token"]);
}

#[test]
fn what_the_operator_allows_holds_for_every_board_token() {
    let home = Home::new();
    let token = home.token("local");
    // Creating, changing, deleting, by what the operator said; without a word the token decides.
    for (word, statuses) in [
        (&[][..], [201, 200, 204]),
        (&["--allow", "write,destroy"], [201, 200, 204]),
        (&["--allow", "write"], [201, 200, 403]),
        (&["--allow", "destroy"], [403, 403, 204]),
        (&["--allow", "read"], [403, 403, 403]),
    ] {
        let id = home.succeed(&["call", "card_create", "title=Kept"]);
        let id = serde_json::from_str::<Value>(&id).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let (_running, base) = Running::start_http(&mut home.command(&[&["serve"], word].concat()));
        let row = format!("/xapi2/data/card/{id}");
        let responses = [
            post(&base, "/xapi2/data/card", &json!({ "title": "New" }))
                .bearer(&token)
                .send(),
            post(&base, &row, &json!({ "title": "Changed" }))
                .method("PATCH")
                .bearer(&token)
                .send(),
            get(&base, &row).method("DELETE").bearer(&token).send(),
        ];
        for (response, status) in responses.iter().zip(statuses) {
            assert_eq!(response.status, status, "{word:?}: {response:?}");
            if status == 403 {
                let answer = response.json();
                let detail = answer["detail"].as_str().unwrap();
                assert!(
                    detail.contains("closed") && detail.contains("--allow"),
                    "{detail}"
                );
            }
        }
        // Reading is open, and what is posted without changing anything.
        assert_eq!(
            get(&base, "/xapi2/data/card").bearer(&token).send().status,
            200
        );
        assert_eq!(
            post(&base, "/xapi2/analytics/track", &json!({}))
                .send()
                .status,
            204
        );
    }
    home.file(
        ".config/footbridge/settings.yaml",
        "connectors: { board: { allow: [read] } }\n",
    );
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    assert_eq!(
        post(&base, "/xapi2/data/card", &json!({ "title": "New" }))
            .bearer(&token)
            .send()
            .status,
        403
    );
}

#[test]
fn the_channel_names_the_address_that_clients_reach() {
    let home = Home::new();
    for (url, messages) in [
        (
            "https://tools.example.org/team",
            "/team/sse/messages/?session_id=",
        ),
        (
            "https://tools.example.org/a/b%20c/",
            "/a/b%20c/sse/messages/?session_id=",
        ),
        ("https://tools.example.org", "/sse/messages/?session_id="),
    ] {
        let mut running = Running::start(
            home.command(&["serve", "--no-auth", "--public-url", url])
                .env("PORT", "0"),
        );
        let listening = running.error_line(|line| line.contains("listening on"));
        let base = format!("http://{}", listening.split_whitespace().last().unwrap());
        let mut channel = Channel::open(&base);
        assert!(
            channel.messages.starts_with(messages),
            "{url}: {}",
            channel.messages
        );
        // The proxy takes its prefix off again.
        let path = format!(
            "/sse/messages/{}",
            channel.messages.split_once("/sse/messages/").unwrap().1
        );
        assert_eq!(
            post(
                &base,
                &path,
                &json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })
            )
            .send()
            .status,
            202
        );
        assert_eq!(channel.answer()["result"], json!({}));
    }
}
