//! How the program starts and ends before a backend: what is closed, how much is logged, who the
//! backend sees.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::http::{get, post};
use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, Session, call_over_http, initialize, tool_call};
use crate::planted::calls;
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{OWNER, Seen, StandIn};

/// How serving ptm over stdio to somebody who says nothing ends by itself, at the finest log level:
/// the exit code and stderr.
pub(crate) fn ended(variables: &[(&str, String)]) -> (Option<i32>, String) {
    let home = Home::new();
    let mut command = home.command(&["serve", "ptm", "--transport", "stdio"]);
    let ended = Running::start_piped(
        command
            .env("FOOTBRIDGE_LOG", "trace")
            .envs(variables.iter().cloned()),
    )
    .ended();
    has_no_secret(&ended.stderr);
    assert_eq!(ended.stdout, "");
    (ended.code, ended.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_is_closed_until_the_backends_own_setting_opens_it() {
    let stand_in = StandIn::start().await;
    for said in [None, Some("true")] {
        let mut closed: Vec<_> = settings(&stand_in, OWNER)
            .into_iter()
            .filter(|(name, _)| *name != "PTM_MCP_READ_ONLY")
            .collect();
        closed.extend(said.map(|said| ("PTM_MCP_READ_ONLY", said.to_owned())));
        let served = Served::over(Via::Stdio, closed).await;
        let listed = served.tool_names().await;
        // the program's own `query` is among them
        assert_eq!(listed.len(), 14);
        served.succeed("list_providers", json!({})).await;
        let before = stand_in.lines().len();
        let (open, closed): (Vec<_>, Vec<_>) = calls()
            .into_iter()
            .partition(|(tool, _)| listed.iter().any(|one| one == tool));
        assert_eq!((open.len(), closed.len()), (13, 11));
        for (tool, arguments) in closed {
            served
                .refuse(tool, arguments, &["PTM_MCP_READ_ONLY=false"])
                .await;
        }
        assert_eq!(stand_in.lines().len(), before);
        served.end().await;
    }
    let served = Served::start(&stand_in, OWNER).await;
    assert_eq!(served.tool_names().await.len(), 25);
    assert!(
        served
            .tools()
            .await
            .iter()
            .all(|tool| tool["annotations"]["destructiveHint"] != true),
        "none destroys"
    );
    served.end().await;
}

/// The backend's own word for how much is logged, unless ours says it.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_the_level_of_its_setting() {
    let stand_in = StandIn::start().await;
    let logged = |variables: &[(&'static str, &str)]| {
        let home = Home::new();
        let mut command = home.command(&["serve", "ptm", "--transport", "stdio"]);
        command
            .envs(settings(&stand_in, OWNER))
            .envs(variables.iter().copied());
        let mut session = Session::start(&mut command);
        session
            .call("get_prompt", json!({ "prompt_id": "nothing" }))
            .unwrap_err();
        let said = session.finish().stderr;
        ["DEBUG", "INFO"].map(|level| {
            said.lines()
                .any(|line| line.split_whitespace().nth(1) == Some(level))
        })
    };
    assert_eq!(logged(&[]), [false, true], "INFO when nothing is said");
    assert_eq!(logged(&[("PTM_MCP_LOG_LEVEL", "debug")]), [true, true]);
    for quiet in ["WARNING", "ERROR", "CRITICAL"] {
        assert_eq!(
            logged(&[("PTM_MCP_LOG_LEVEL", quiet)]),
            [false, false],
            "{quiet}"
        );
    }
    assert_eq!(
        logged(&[("PTM_MCP_LOG_LEVEL", "DEBUG"), ("FOOTBRIDGE_LOG", "warn")]),
        [false, false]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_says_who_asks_in_one_session() {
    let first = session_of_one_process().await;
    assert_eq!(first.len(), 36, "{first}");
    assert_eq!(
        (
            first.as_bytes()[14],
            b"89ab".contains(&first.as_bytes()[19])
        ),
        (b'4', true),
        "a random UUID: {first}"
    );
    assert_ne!(first, session_of_one_process().await);
}

async fn session_of_one_process() -> String {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OWNER).await;
    served.succeed("list_providers", json!({})).await;
    served.end().await;
    let seen = stand_in.world().seen.clone();
    assert_eq!(
        seen.iter()
            .map(|seen| seen.line.as_str())
            .collect::<Vec<_>>(),
        [
            "GET /healthz",
            "GET /auth/me",
            "GET /meta",
            "GET /providers"
        ]
    );
    let header = |seen: &Seen, name: &str| seen.headers[name].to_str().unwrap().to_owned();
    let sessions: std::collections::BTreeSet<_> = seen
        .iter()
        .map(|seen| header(seen, "x-ptm-mcp-session"))
        .collect();
    assert_eq!(sessions.len(), 1);
    assert!(
        seen.iter()
            .all(|seen| header(seen, "x-ptm-client").starts_with("ptm-mcp/0.4.0+footbridge."))
    );
    assert!(
        seen.iter()
            .all(|seen| header(seen, "authorization") == format!("Bearer {OWNER}")),
        "on the checks too"
    );
    sessions.into_iter().next().unwrap()
}

/// Takes the next request, which must be for this path, and answers it.
fn backend_says(listener: &TcpListener, path: &str, status: &str, body: &str) {
    let (mut connection, _) = listener.accept().unwrap();
    let mut head = Vec::new();
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    while !head.ends_with(b"\r\n\r\n") {
        reader.read_until(b'\n', &mut head).unwrap();
    }
    assert!(
        String::from_utf8(head)
            .unwrap()
            .starts_with(&format!("GET {path} "))
    );
    write!(
        connection,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

/// The first check is not answered before the client has its answer to `initialize`; the call
/// behind it waits for the checks.
#[test]
fn a_client_is_answered_while_the_checks_run_and_calls_wait_for_them() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new();
    let mut command = home.command(&["serve", "ptm", "--transport", "stdio"]);
    command
        .env(
            "PTM_API_BASE_URL",
            format!("http://{}", listener.local_addr().unwrap()),
        )
        .env("PTM_API_TOKEN", OWNER);
    let mut session = Session::start(&mut command);
    session
        .running
        .send(tool_call(2, "list_providers", &json!({})).to_string());
    // What was read before this is under way.
    session.request("ping", &json!({}));
    // now the backend begins to answer: well at first, then it refuses the token
    backend_says(&listener, "/healthz", "200 OK", "\"ok\"");
    backend_says(
        &listener,
        "/auth/me",
        "401 Unauthorized",
        r#"{"detail": "who?"}"#,
    );
    let answer: Value = serde_json::from_str(&session.running.line().unwrap()).unwrap();
    assert_eq!(
        (&answer["id"], &answer["result"]["isError"]),
        (&json!(2), &json!(true)),
        "{answer}"
    );
    assert!(
        answer.to_string().contains("<untrusted-content>who?"),
        "a model is told whose words these are: {answer}"
    );
    let ended = session.running.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    has_no_secret(&ended.stderr);
}

/// The same over HTTP: the door is open before the first check is answered, `/readyz` says that it
/// is not yet, and nobody is invited.
#[test]
fn over_http_too_a_client_is_answered_while_the_checks_run_and_calls_wait_for_them() {
    for passes in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let home = Home::new();
        let mut command = home.command(&["serve", "ptm", "--transport", "http", "--port", "0"]);
        command
            .env(
                "PTM_API_BASE_URL",
                format!("http://{}", listener.local_addr().unwrap()),
            )
            .env("PTM_API_TOKEN", OWNER);
        let mut running = Running::start(command.env("FOOTBRIDGE_LOG", "debug"));
        let listens =
            running.error_line(|line| line.contains("listening; calls wait for the checks"));
        let address = listens.rsplit_once("address=").unwrap().1.to_owned();
        let base = format!("http://{address}");
        let answer = post(&base, "/mcp", &initialize(REVISION)).send().json();
        assert_eq!(answer["result"]["protocolVersion"], REVISION, "{answer}");
        let health = |path: &str| {
            let response = get(&base, path).send();
            (response.status, response.body)
        };
        assert_eq!(
            health("/readyz"),
            (503, "the checks of ptm are not through".to_owned())
        );
        assert_eq!(health("/healthz").0, 200);
        let calling = std::thread::spawn({
            let base = base.clone();
            move || call_over_http(&base, "list_providers", &json!({}))
        });
        running.error_line(|line| line.contains("a call waits for the checks"));
        assert!(
            !running.said().contains("/mcp"),
            "nobody is invited before they are through: {}",
            running.said()
        );
        backend_says(&listener, "/healthz", "200 OK", "\"ok\"");
        if passes {
            backend_says(&listener, "/auth/me", "200 OK", "{}");
            backend_says(&listener, "/meta", "200 OK", r#"{"version": "1.9.0"}"#);
            backend_says(&listener, "/providers", "200 OK", r#"{"items": ["a"]}"#);
            assert_eq!(calling.join().unwrap(), Ok(json!({ "items": ["a"] })));
            assert_eq!(running.address(), base);
            assert_eq!(health("/readyz"), (200, "ready".to_owned()));
            assert_eq!(running.stop().code, Some(0));
        } else {
            backend_says(
                &listener,
                "/auth/me",
                "401 Unauthorized",
                r#"{"detail": "who?"}"#,
            );
            let why = calling.join().unwrap().unwrap_err();
            assert!(
                why.contains("ptm cannot be served") && why.contains("who?"),
                "{why}"
            );
            let ended = running.ended();
            assert_eq!(ended.code, Some(3), "{ended:?}");
            assert!(!ended.stderr.contains("Add it to a client"), "{ended:?}");
        }
    }
}
