//! `footbridge probe`: a real client before our own server, one of the other era, and what is no
//! server at all.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::process::{Ended, Home, Running};

const TAIGA: [(&str, &str); 3] = [
    ("TAIGA_BASE_URL", "http://127.0.0.1:1/api/v1"),
    ("TAIGA_USERNAME", "nobody"),
    ("TAIGA_PASSWORD", "planted"),
];

fn probe(home: &Home, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    Running::start(
        home.command(&[&["probe"], arguments].concat())
            .envs(variables.iter().copied()),
    )
    .ended()
}

#[test]
fn our_own_server_answers_in_the_modern_era() {
    let home = Home::new();
    let mut command = home.command(&["serve", "taiga"]);
    let (_running, base) = Running::start_http(
        command
            .envs(TAIGA)
            .env("FOOTBRIDGE_TOKEN", "planted-bearer"),
    );
    let url = format!("{base}/mcp");
    let bearer = [("MCP_TOKEN", "planted-bearer"), ("MCP_URL", url.as_str())];
    let ended = probe(&home, &[], &bearer);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "hello\n"),
        "{ended:?}"
    );
    assert!(
        ended
            .stderr
            .contains(&format!("{url} speaks MCP 2026-07-28: footbridge")),
        "{ended:?}"
    );
    assert_eq!(
        probe(&home, &[&url, "--message", "Grüße"], &bearer).stdout,
        "Grüße\n"
    );
    let dumped: Value =
        serde_json::from_str(&probe(&home, &["--message", "x", "--json"], &bearer).stdout).unwrap();
    assert_eq!(dumped["content"][0], json!({ "type": "text", "text": "x" }));
    let listed = probe(&home, &["--list-tools"], &bearer).stdout;
    assert!(
        listed
            .lines()
            .any(|line| line.starts_with("taiga_stories_list  ")),
        "{listed}"
    );
    let listed: Value =
        serde_json::from_str(&probe(&home, &["--list-tools", "--json"], &bearer).stdout).unwrap();
    assert!(
        listed
            .as_array()
            .unwrap()
            .iter()
            .any(|tool| tool["name"] == "echo" && tool["inputSchema"].is_object())
    );
    // Who sends nothing, the bearer of another door, or the wrong one is told what to set, and sees
    // no bearer.
    for variables in [
        &[("MCP_URL", url.as_str())][..],
        &[("FOOTBRIDGE_TOKEN", "planted-bearer"), ("MCP_URL", &url)],
    ] {
        let ended = probe(&home, &[], variables);
        assert!(
            ended.code == Some(1) && ended.stderr.contains("401"),
            "{ended:?}"
        );
        assert!(!ended.stderr.contains("planted"), "{ended:?}");
    }
}

/// HTTP+SSE is not spoken: what it is and where to ask instead is said, by our own server's address
/// and by that of one that has nothing else.
#[test]
fn an_address_of_http_sse_is_named_with_the_one_to_ask_instead() {
    let home = Home::new();
    let mut command = home.command(&["serve", "taiga"]);
    let (_running, base) = Running::start_http(
        command
            .envs(TAIGA)
            .env("FOOTBRIDGE_TOKEN", "planted-bearer"),
    );
    let bearer = [("MCP_TOKEN", "planted-bearer")];
    let streams_alone = serve(|line, _, _| match line.starts_with("GET") {
        true => (
            200,
            "Content-Type: text/event-stream\r\n",
            "event: endpoint\ndata: /m\n\n".to_owned(),
        ),
        false => (405, "", String::new()),
    });
    let streams_alone = streams_alone.trim_end_matches("/mcp");
    for base in [base.as_str(), streams_alone] {
        for path in ["/sse", "/sse/"] {
            let url = format!("{base}{path}");
            let ended = probe(&home, &[&url, "--list-tools"], &bearer);
            let said = format!("{url} is an address of HTTP+SSE");
            assert!(
                ended.code == Some(1)
                    && ended.stderr.contains(&said)
                    && ended.stderr.contains(&format!("{base}/mcp"))
                    && !ended.stderr.contains("planted"),
                "{ended:?}"
            );
        }
    }
    // who may not even ask is told that first
    let ended = probe(&home, &[&format!("{base}/sse")], &[]);
    assert!(
        ended.code == Some(1) && ended.stderr.contains("401"),
        "{ended:?}"
    );
}

#[test]
fn a_server_without_echo_is_named_and_a_message_to_it_fails() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let url = format!("{base}/mcp");
    let ended = probe(&home, &[&url], &[]);
    assert!(
        ended.code == Some(0) && ended.stderr.contains("--list-tools"),
        "{ended:?}"
    );
    let ended = probe(&home, &[&url, "--message", "x"], &[]);
    assert!(
        ended.code == Some(1) && ended.stderr.contains("no tool echo"),
        "{ended:?}"
    );
}

/// One request: its first line, its headers in lower case, its body.
fn request(stream: &TcpStream) -> Option<(String, String, Value)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or_default() == 0 {
        return None;
    }
    let mut headers = String::new();
    while !headers.ends_with("\r\n\r\n") && headers != "\r\n" {
        reader.read_line(&mut headers).unwrap();
    }
    let headers = headers.to_lowercase();
    let length = headers
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Some((
        first,
        headers,
        serde_json::from_slice(&body).unwrap_or_default(),
    ))
}

/// Answers each request by `answer`: status, headers, body. One request a connection, and all of
/// them at once.
fn serve(
    answer: impl Fn(&str, &str, &Value) -> (u16, &'static str, String) + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
            std::thread::spawn(move || {
                let Some((first, headers, body)) = request(&stream) else {
                    return;
                };
                let (status, headers, body) = answer(&first, &headers, &body);
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
                );
                // The client may have gone.
                let _sent = stream.write_all(format!("{head}{body}").as_bytes());
            });
        }
    });
    format!("http://{address}/mcp")
}

#[test]
fn a_server_of_the_other_era_is_spoken_to_in_its_own_way() {
    let home = Home::new();
    let url = serve(|first, headers, body| {
        let id = &body["id"];
        let event = |result: Value| {
            let message = json!({ "jsonrpc": "2.0", "id": id, "result": result });
            format!(
                ": hello\n\nevent: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}}\n\nevent: message\ndata: {message}\n\n"
            )
        };
        const STREAM: &str = "Content-Type: text/event-stream\r\n";
        match body["method"].as_str() {
            Some("initialize") => {
                assert_eq!(body["params"]["protocolVersion"], "2025-11-25");
                let result = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": { "name": "old", "version": "1\u{1b}[2J" } });
                (200, "Content-Type: text/event-stream\r\nMcp-Session-Id: s1\r\n", event(result))
            }
            Some("notifications/initialized") => (202, "", String::new()),
            Some("tools/list") => {
                assert!(
                    headers.contains("mcp-session-id: s1") && headers.contains("mcp-protocol-version: 2025-06-18"),
                    "{headers}"
                );
                let page = match body["params"]["cursor"].as_str() {
                    None => json!({ "tools": [{ "name": "first" }], "nextCursor": "2" }),
                    Some(_) => json!({ "tools": [{ "name": "echo", "description": "Says\nit" }] }),
                };
                (200, STREAM, event(page))
            }
            Some("tools/call") => {
                (200, STREAM, event(json!({ "content": [{ "type": "text", "text": body["params"]["arguments"]["message"] }] })))
            }
            _ if first.starts_with("DELETE") => (200, "", String::new()),
            _ => (
                400,
                "Content-Type: application/json\r\n",
                json!({ "jsonrpc": "2.0", "id": "server-error", "error": { "code": -32600, "message": "Missing session ID" } })
                    .to_string(),
            ),
        }
    });
    let ended = probe(&home, &[&url, "--message", "hi"], &[]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "hi\n"),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("speaks MCP 2025-06-18: old 1 [2J"),
        "{ended:?}"
    );
    assert_eq!(
        probe(&home, &[&url, "--list-tools"], &[]).stdout,
        "first\necho   Says\n"
    );
}

#[test]
fn what_is_no_server_is_said_with_what_to_do() {
    let home = Home::new();
    let json = "Content-Type: application/json\r\n";
    let page = serve(|_, _, _| (200, "Content-Type: text/html\r\n", "<html>".to_owned()));
    let gone = serve(|_, _, _| (404, "", String::new()));
    let moved = serve(|_, _, _| {
        (
            307,
            "Location: http://elsewhere.example/mcp\r\n",
            String::new(),
        )
    });
    let large = serve(move |_, _, _| (200, json, " ".repeat((8 << 20) + 1)));
    let endless = serve(move |_, _, body| {
        (200, json, json!({ "jsonrpc": "2.0", "id": body["id"], "result": { "tools": [], "nextCursor": "x" } }).to_string())
    });
    for (url, code, named) in [
        (page.as_str(), 1, "is that an MCP server?"),
        (&gone, 1, "often ends in /mcp"),
        (&moved, 1, "http://elsewhere.example/mcp"),
        (&large, 1, "too large"),
        (&endless, 1, "more than 50 pages"),
        (
            "http://127.0.0.1:1/mcp",
            1,
            "cannot reach http://127.0.0.1:1/mcp",
        ),
        ("127.0.0.1:8000", 2, "such as http://127.0.0.1:8000/mcp"),
    ] {
        let ended = probe(&home, &[url, "--list-tools"], &[("MCP_TOKEN", "planted")]);
        assert_eq!(ended.code, Some(code), "{url}: {ended:?}");
        assert!(
            ended.stderr.contains(named) && !ended.stderr.contains("planted"),
            "{url}: {ended:?}"
        );
    }
}
