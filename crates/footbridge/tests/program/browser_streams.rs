//! Streams by the cookie of a browser: from our own page alone, and no longer than the session.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use crate::browser::{cookie_of, of_page, signed_in};
use crate::harness::http::{get, post};
use crate::harness::process::{DEADLINE, Home, Running};
use crate::harness::session::{REVISION, initialize};

const TOKEN: &str = "a-bearer-that-clients-share";

/// A stream that goes on: the status, and the rest of it.
struct Stream {
    status: u16,
    rest: BufReader<TcpStream>,
}

/// Listens by `subscriptions/listen`, with these headers.
fn listen(base: &str, headers: &[(&str, &str)]) -> Stream {
    let request = json!({
        "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
        "params": {
            "notifications": { "resourceSubscriptions": ["footbridge://changes/latest"] },
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": { "name": "page", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        },
    });
    let fixed = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "subscriptions/listen"),
        ("content-type", "application/json"),
    ];
    open(
        base,
        "POST",
        &[&fixed, headers].concat(),
        &request.to_string(),
    )
}

fn open(base: &str, method: &str, headers: &[(&str, &str)], body: &str) -> Stream {
    let address = base.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut head = format!(
        "{method} /mcp HTTP/1.1\r\nhost: {address}\r\naccept: application/json, text/event-stream\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(body.as_bytes()).unwrap();
    let mut rest = BufReader::new(connection);
    let mut first = String::new();
    rest.read_line(&mut first).unwrap();
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    let mut line = String::from(".");
    while !line.trim().is_empty() {
        line.clear();
        rest.read_line(&mut line).unwrap();
    }
    Stream { status, rest }
}

impl Stream {
    /// Waits for the next event that holds this.
    fn hears(&mut self, part: &str) {
        let mut line = String::new();
        while !(line.starts_with("data: ") && line.contains(part)) {
            line.clear();
            let length = self.rest.read_line(&mut line).unwrap();
            assert!(length > 0, "it ended before {part}");
        }
    }

    /// Waits for its end.
    fn ends(mut self) {
        let mut rest = String::new();
        self.rest.read_to_string(&mut rest).unwrap();
        assert!(
            rest.trim_end().ends_with('0'),
            "the last piece is empty: {rest:?}"
        );
    }
}

#[test]
fn no_other_page_listens() {
    let home = Home::new();
    let mut command = home.command(&["serve", "board"]);
    let (_running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN));
    let cookie = signed_in(&base, &json!({ "token": TOKEN }));
    let by_cookie = ("cookie", cookie.as_str());
    for headers in [
        &[by_cookie][..],
        &[by_cookie, ("origin", "https://evil.example")],
        &[
            by_cookie,
            ("origin", "http://127.0.0.1:3000"),
            ("sec-fetch-site", "same-site"),
        ],
        &[by_cookie, ("sec-fetch-site", "cross-site")],
        &[by_cookie, ("sec-fetch-site", "none")],
    ] {
        assert_eq!(listen(&base, headers).status, 403, "{headers:?}");
    }
    assert_eq!(
        listen(&base, &[("origin", &base)]).status,
        401,
        "without the cookie"
    );
}

#[test]
fn a_stream_is_for_our_own_page_and_ends_with_the_session() {
    let home = Home::new();
    let mut command = home.command(&["serve", "board"]);
    let (_running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN));
    let cookie = signed_in(&base, &json!({ "token": TOKEN }));
    let opened = of_page(post(&base, "/mcp", &initialize(REVISION)), &base, &cookie).send();
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let fixed = [
        ("mcp-session-id", session.as_str()),
        ("cookie", cookie.as_str()),
        ("connection", "close"),
    ];
    let foreign = [&fixed[..], &[("origin", "https://evil.example")]].concat();
    assert_eq!(open(&base, "GET", &foreign, "").status, 403);
    assert_eq!(
        open(&base, "GET", &fixed, "").status,
        403,
        "nothing says whose page it is"
    );
    let own = [&fixed[..], &[("sec-fetch-site", "same-origin")]].concat();
    let stream = open(&base, "GET", &own, "");
    assert_eq!(stream.status, 200);
    // signing in anew takes the old session's place
    let again = post(&base, "/session", &json!({ "token": TOKEN }));
    let next = cookie_of(&of_page(again, &base, &cookie).send());
    stream.ends();
    let own: Vec<_> = own
        .into_iter()
        .map(|(name, value)| match name {
            "cookie" => (name, next.as_str()),
            _ => (name, value),
        })
        .collect();
    let stream = open(&base, "GET", &own, "");
    assert_eq!(stream.status, 200);
    let out = of_page(get(&base, "/session").method("DELETE"), &base, &next).send();
    assert_eq!(out.status, 204);
    stream.ends();
}

/// What the pages listen to.
#[test]
fn a_page_hears_of_changes_until_it_signs_out() {
    let home = Home::new();
    let mut command = home.command(&["serve", "board"]);
    let (_running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN));
    let cookie = signed_in(&base, &json!({ "token": TOKEN }));
    let own = [
        ("cookie", cookie.as_str()),
        ("origin", base.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("connection", "close"),
    ];
    let mut stream = listen(&base, &own);
    assert_eq!(stream.status, 200);
    stream.hears("acknowledged");
    home.succeed(&["call", "card_create", "title=By another process"]);
    stream.hears("footbridge://changes/latest");
    let out = of_page(get(&base, "/session").method("DELETE"), &base, &cookie).send();
    assert_eq!(out.status, 204);
    stream.ends();
}
