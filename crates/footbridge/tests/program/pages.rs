//! Pages in a browser: those that the operator names may use the endpoint, those of any other
//! origin may not, on this machine neither.

use serde_json::{Value, json};

use crate::harness::http::{Response, get, post};
use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, initialize, outcome, tool_call};

const PAGE: &str = "http://localhost:6274";

fn preflight(base: &str, path: &str, origin: &str) -> Response {
    get(base, path)
        .method("OPTIONS")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "content-type,mcp-protocol-version",
        )
        .send()
}

fn write(base: &str, origin: &str) -> Response {
    let create: Value = tool_call(1, "card_create", &json!({ "title": "By a page" }));
    post(base, "/mcp", &create)
        .header("mcp-protocol-version", REVISION)
        .header("origin", origin)
        .send()
}

#[test]
fn a_page_of_another_origin_of_this_machine_neither_writes_nor_is_told_that_it_may() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    for origin in [PAGE, "http://127.0.0.1:3000", "null"] {
        for response in [
            preflight(&base, "/mcp", origin),
            preflight(&base, "/sse", origin),
            write(&base, origin),
        ] {
            assert_eq!(response.status, 403, "{response:?}");
            assert_eq!(response.header("access-control-allow-origin"), None);
            assert!(
                response.json()["error"]["message"]
                    .as_str()
                    .unwrap()
                    .contains("--allowed-origin"),
                "{response:?}"
            );
        }
    }
    // The own origin is the address that was asked, whatever its name.
    assert!(outcome(&write(&base, &base).json()).is_ok());
}

#[test]
fn a_named_origin_is_let_in_by_flag_variable_and_file() {
    let home = Home::new();
    let allowed = |arguments: &[&str], variable: &str| {
        let mut command = home.command(arguments);
        let (_running, base) =
            Running::start_http(command.env("FOOTBRIDGE_ALLOWED_ORIGINS", variable));
        [PAGE, "https://app.example", "null"].map(|origin| {
            let (asked, written) = (preflight(&base, "/mcp", origin), write(&base, origin));
            let is_told = asked.header("access-control-allow-origin") == Some(origin);
            assert_eq!(
                (asked.status == 204, written.status == 200),
                (is_told, is_told),
                "{origin}: {asked:?} {written:?}"
            );
            is_told
        })
    };
    assert_eq!(
        allowed(
            &[
                "serve",
                "--allowed-origin",
                PAGE,
                "--allowed-origin",
                "null"
            ],
            ""
        ),
        [true, false, true]
    );
    assert_eq!(
        allowed(&["serve"], "http://localhost:6274, https://app.example"),
        [true, true, false]
    );
    home.file(
        ".config/footbridge/settings.yaml",
        "allowed_origins: [\"https://app.example\"]\n",
    );
    assert_eq!(allowed(&["serve"], ""), [false, true, false]);
    assert_eq!(
        allowed(&["serve", "--allowed-origin", PAGE], ""),
        [true, false, false]
    );
}

/// What a client in a page does: it asks, opens a session whose id it must be able to read, and
/// shows the bearer.
#[test]
fn a_page_opens_a_session_with_the_bearer() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--allowed-origin", PAGE]);
    let (_running, base) = Running::start_http(command.env("FOOTBRIDGE_TOKEN", "s3cret"));
    for path in ["/mcp", "/mcp/", "/sse", "/sse/messages/", "/messages/"] {
        // A browser asks without the bearer.
        let asked = preflight(&base, path, PAGE);
        assert_eq!(
            (asked.status, asked.header("access-control-allow-origin")),
            (204, Some(PAGE)),
            "{path}"
        );
        assert!(
            asked
                .header("access-control-allow-headers")
                .unwrap()
                .contains("authorization")
        );
        assert_eq!(
            (
                asked.header("access-control-allow-credentials"),
                asked.header("vary")
            ),
            (None, Some("Origin"))
        );
    }
    let opened = post(&base, "/mcp", &initialize(REVISION))
        .header("origin", PAGE)
        .bearer("s3cret")
        .send();
    assert_eq!(
        (opened.status, opened.header("access-control-allow-origin")),
        (200, Some(PAGE))
    );
    let exposed = opened.header("access-control-expose-headers").unwrap();
    assert!(
        exposed.contains("mcp-session-id") && opened.header("mcp-session-id").is_some(),
        "{opened:?}"
    );
    // It can read why it was refused.
    let refused = post(&base, "/mcp", &initialize(REVISION))
        .header("origin", PAGE)
        .send();
    assert_eq!(
        (
            refused.status,
            refused.header("access-control-allow-origin")
        ),
        (401, Some(PAGE))
    );
}

#[test]
fn the_pages_of_the_public_address_are_our_own() {
    let home = Home::new();
    let mut command = home.command(&[
        "serve",
        "--no-auth",
        "--public-url",
        "https://tools.example.org/team",
    ]);
    let mut running = Running::start(command.env("PORT", "0"));
    let listening = running.error_line(|line| line.contains("listening on"));
    let base = format!("http://{}", listening.split_whitespace().last().unwrap());
    assert!(outcome(&write(&base, "https://tools.example.org").json()).is_ok());
    assert_eq!(write(&base, "https://tools.example.org:8443").status, 403);
}
