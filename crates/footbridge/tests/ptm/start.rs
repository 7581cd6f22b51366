//! How the program starts and ends before a backend: exit codes seen from outside, settings, what is closed, who the backend sees.

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};

use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, tool_call};
use crate::served::{Served, has_no_secret, settings};
use crate::stand_in::{OWNER, StandIn};

/// Serves ptm over stdio to somebody who says nothing, and gives the exit code and stderr. `file` is served in place of the built-in one.
pub(crate) fn ended(file: Option<&str>, variables: &[(&str, String)]) -> (Option<i32>, String) {
    let home = Home::new();
    let path = file.map(|file| home.file("ptm.yaml", file));
    let connector = path.as_ref().map_or("ptm", |path| path.to_str().unwrap());
    let mut command = home.command(&["serve", connector, "--transport", "stdio"]);
    let ended = Running::start(command.env("FOOTBRIDGE_LOG", "trace").envs(variables.iter().cloned())).ended();
    has_no_secret(&ended.stderr);
    assert_eq!(ended.stdout, "");
    (ended.code, ended.stderr)
}

/// The connector file with no patience, so that no test waits for it.
fn impatient() -> String {
    let file = include_str!("../../../../connectors/ptm.yaml");
    let changed = file.replace("patience: 31s", "patience: 0s");
    assert_ne!(changed, file);
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_has_its_code() {
    let stand_in = StandIn::start().await;
    let own = settings(&stand_in, OWNER);
    assert_eq!(ended(None, &own).0, Some(0), "a client that leaves");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut unreachable = own.clone();
    unreachable[0].1 = format!("http://{nobody}");
    let (code, said) = ended(Some(&impatient()), &unreachable);
    assert!(code == Some(2) && said.contains("cannot be reached"), "{code:?} {said}");
    stand_in.world().failing = usize::MAX;
    assert_eq!(ended(Some(&impatient()), &own).0, Some(2), "down");
    stand_in.world().failing = 0;
    let (code, said) = ended(None, &settings(&stand_in, "planted-and-unknown"));
    assert!(code == Some(3) && said.contains("this token is not known"), "{code:?} {said}");
    for (version, good) in
        [("1.9.0", true), ("v1.9", true), ("1.10.0rc1", true), ("1.8.9", false), ("nightly", false), ("", false)]
    {
        stand_in.world().version = json!(version);
        assert_eq!(ended(None, &own).0, Some(if good { 0 } else { 4 }), "{version}");
    }
    stand_in.world().garbled = Some("<<<");
    assert_eq!(ended(None, &own).0, Some(4), "garbled");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_all_named_at_once_and_never_shown() {
    let (code, said) = ended(None, &[]);
    assert!(code == Some(2) && said.contains("PTM_API_BASE_URL") && said.contains("PTM_API_TOKEN"), "{code:?} {said}");
    let wrong = [
        ("PTM_API_BASE_URL", "ptm.example.com"),
        ("PTM_API_TOKEN", "planted-\ntoken"),
        ("PTM_MCP_READ_ONLY", "maybe"),
        ("PTM_MCP_LOG_LEVEL", "LOUD"),
        ("CF_ACCESS_CLIENT_ID", "planted-id"),
    ];
    for (name, seconds) in [("PTM_MCP_TIMEOUT_SECONDS", "0"), ("PTM_MCP_TIMEOUT_SECONDS", "601")] {
        let all = wrong.iter().map(|(name, value)| (*name, (*value).to_owned())).chain([(name, seconds.to_owned())]);
        let (code, said) = ended(None, &all.collect::<Vec<_>>());
        assert_eq!(code, Some(2));
        for name in wrong.iter().map(|(name, _)| *name).chain([name, "CF_ACCESS_CLIENT_SECRET"]) {
            assert!(said.contains(name), "no {name} in {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_is_closed_until_the_backends_own_setting_opens_it() {
    let stand_in = StandIn::start().await;
    let closed: Vec<_> = settings(&stand_in, OWNER).into_iter().filter(|(name, _)| *name != "PTM_MCP_READ_ONLY").collect();
    let served = Served::over(crate::served::Via::Stdio, closed).await;
    assert_eq!(served.tools().await.len(), 13);
    let before = stand_in.lines().len();
    served.refuse("update_prompt", json!({ "prompt_id": "greeting" }), &["PTM_MCP_READ_ONLY=false"]).await;
    assert_eq!(stand_in.lines().len(), before);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_says_who_asks_in_one_session() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OWNER).await;
    served.succeed("list_providers", json!({})).await;
    let seen = stand_in.world().seen.clone();
    assert_eq!(
        seen.iter().map(|seen| seen.line.as_str()).collect::<Vec<_>>(),
        ["GET /healthz", "GET /auth/me", "GET /meta", "GET /providers"]
    );
    let sessions: std::collections::BTreeSet<_> =
        seen.iter().map(|seen| seen.headers["x-ptm-mcp-session"].to_str().unwrap()).collect();
    assert_eq!(sessions.len(), 1);
    assert!(seen.iter().all(|seen| seen.headers["x-ptm-client"].to_str().unwrap().starts_with("ptm-mcp/0.4.0+footbridge.")));
    served.end().await;
}

/// The first check is not answered before the client has its answer to `initialize`; the call behind it waits for the checks.
#[test]
fn a_client_is_answered_while_the_checks_run_and_calls_wait_for_them() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new();
    let mut command = home.command(&["serve", "ptm", "--transport", "stdio"]);
    command.env("PTM_API_BASE_URL", format!("http://{}", listener.local_addr().unwrap())).env("PTM_API_TOKEN", OWNER);
    let mut session = Session::start(&mut command);
    session.running.send(tool_call(2, "list_providers", &json!({})).to_string());
    // now the backend begins to answer: well at first, then it refuses the token
    for (path, status, body) in [("/healthz", "200 OK", "\"ok\""), ("/auth/me", "401 Unauthorized", r#"{"detail": "who?"}"#)] {
        let (mut connection, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        while !head.ends_with(b"\r\n\r\n") {
            reader.read_until(b'\n', &mut head).unwrap();
        }
        assert!(String::from_utf8(head).unwrap().starts_with(&format!("GET {path} ")));
        write!(connection, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).unwrap();
    }
    let answer: Value = serde_json::from_str(&session.running.line().unwrap()).unwrap();
    assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!(2), &json!(true)), "{answer}");
    assert!(answer.to_string().contains("who?"), "{answer}");
    let ended = session.running.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    has_no_secret(&ended.stderr);
}
