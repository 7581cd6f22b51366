//! Which transport the program takes: what stdin is, unless somebody says it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::process::{DEADLINE, Ended, Home, Running, Spawned};
use crate::harness::session::{REVISION, initialize};
use crate::harness::terminal::Terminal;
use crate::harness::wire::Wire;

/// It answers the handshake on stdout, and says nothing else.
fn speaks_stdio(mut running: Running) {
    running.is_told(initialize(REVISION).to_string());
    let answer: Value = serde_json::from_str(&running.line().unwrap()).unwrap();
    assert_eq!(answer["result"]["protocolVersion"], REVISION);
    running.close_input();
    let ended = running.ended();
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
}

/// It listens on a free port of this machine and says so.
fn listens(command: &mut Command) -> Ended {
    let mut running = Running::start(command.env("PORT", "0"));
    let base = running.address();
    assert!(base.starts_with("http://127.0.0.1:"), "{base}");
    assert_eq!(
        crate::harness::http::get(&base, "/healthz").send().status,
        200
    );
    let ended = running.stop();
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    ended
}

#[test]
fn a_pipe_is_a_client() {
    let home = Home::new();
    for arguments in [&["serve"][..], &[]] {
        let mut running = Running::start_piped(&mut home.command(arguments));
        running.send(initialize(REVISION).to_string());
        speaks_stdio(running);
    }
}

#[test]
fn a_socket_is_a_client() {
    let home = Home::new();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let running = Running::start(home.command(&["serve"]).stdin(OwnedFd::from(theirs)));
    writeln!(ours, "{}", initialize(REVISION)).unwrap();
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    speaks_stdio(running);
}

#[test]
fn a_socket_both_ways_is_a_client() {
    let home = Home::new();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut command = home.command(&["serve"]);
    command
        .stdin(OwnedFd::from(theirs.try_clone().unwrap()))
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::piped());
    let child = Spawned::start(&mut command);
    ours.set_read_timeout(Some(DEADLINE)).unwrap();
    writeln!(ours, "{}", initialize(REVISION)).unwrap();
    let mut line = String::new();
    BufReader::new(&ours).read_line(&mut line).unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap();
    let mut wire = Wire::default();
    wire.sent(&initialize(REVISION));
    wire.received(&answer);
    assert_eq!(answer["result"]["protocolVersion"], REVISION);
    ours.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(child.ended(), (Some(0), String::new()));
}

#[test]
fn a_file_is_read_to_its_end() {
    let home = Home::new();
    let file = home.file("requests", format!("{}\n", initialize(REVISION)));
    speaks_stdio(Running::start(
        home.command(&["serve"]).stdin(File::open(file).unwrap()),
    ));
}

#[test]
fn no_stdin_means_http_with_a_configuration_to_paste() {
    let home = Home::new();
    let ended = listens(&mut home.command(&["serve"]));
    let configurations: Vec<Value> = ended
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str(line.trim()).ok())
        .collect();
    assert_eq!(configurations.len(), 1, "{ended:?}");
    let url = configurations[0]["mcpServers"]["footbridge"]["url"]
        .as_str()
        .unwrap();
    assert!(
        ended.stderr.contains(&format!("MCP    {url}\n")),
        "{ended:?}"
    );
    for door in ["/sse", "/xapi2", "/healthz", "/readyz"] {
        assert!(ended.stderr.contains(door), "{ended:?}");
    }
}

#[test]
fn a_closed_stdin_means_http() {
    let home = Home::new();
    let mut closed = home.other_program(
        "sh",
        &[
            "-c",
            "exec \"$0\" serve <&-",
            crate::harness::process::PROGRAM,
        ],
    );
    listens(&mut closed);
}

#[test]
fn a_terminal_means_http() {
    let home = Home::new();
    let terminal = Terminal::new(80);
    listens(home.command(&["serve"]).stdin(terminal.side()));
}

#[test]
fn what_is_said_wins_over_what_stdin_is() {
    let home = Home::new();
    let with_pipe = |command: &mut Command| {
        let ended = listens(command.stdin(Stdio::piped()));
        assert!(ended.stderr.contains("/mcp"), "{ended:?}");
    };
    with_pipe(&mut home.command(&["serve", "--transport", "http"]));
    with_pipe(home.command(&["serve"]).env("FOOTBRIDGE_TRANSPORT", "http"));
    home.file(".config/footbridge/settings.yaml", "transport: http\n");
    with_pipe(&mut home.command(&["serve"]));

    // The flag over the environment, the environment over the file.
    with_pipe(
        home.command(&["serve", "--transport", "http"])
            .env("FOOTBRIDGE_TRANSPORT", "stdio"),
    );
    for stdio in [
        Running::start(&mut home.command(&["serve", "--transport", "stdio"])),
        Running::start(
            home.command(&["serve"])
                .env("FOOTBRIDGE_TRANSPORT", "stdio"),
        ),
    ] {
        let ended = stdio.ended();
        assert_eq!(
            (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
            (Some(0), "", ""),
            "{ended:?}"
        );
    }
}
