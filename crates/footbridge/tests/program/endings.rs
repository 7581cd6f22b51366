//! How the program ends: when the input ends, when a signal comes, when nobody reads. What runs is
//! finished first.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{DEADLINE, Home, PROGRAM, Running};
use crate::harness::session::{Session, outcome, tool_call};
use crate::harness::wire::Wire;

/// Writes that are under way at an end: many, and yet done within its five seconds where each takes
/// a tenth of one.
const WRITES: u64 = 40;
/// What is logged when those five seconds were not enough.
const OUT_OF_TIME: &str = "did not finish in time and were stopped seconds=5";

const SIGNALS: [(Signal, i32); 3] = [(Signal::TERM, 0), (Signal::HUP, 0), (Signal::INT, 130)];

/// `serve`, which hears SIGHUP whether or not the tests themselves are run so that they do not.
fn serve(home: &Home) -> Command {
    home.other_program("env", &["--default-signal=HUP", PROGRAM, "serve"])
}

#[test]
fn the_end_of_the_input_is_a_good_end() {
    let home = Home::new();
    let ended = Session::start(&mut home.command(&["serve"])).finish();
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
}

#[test]
fn a_last_line_without_its_line_end_is_answered() {
    let home = Home::new();
    let mut running = Running::start_piped(&mut home.command(&["serve"]));
    let ping = br#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
    running.is_told(ping);
    running.input.as_mut().unwrap().write_all(ping).unwrap();
    running.close_input();
    let ended = running.ended();
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n"),
        "{ended:?}"
    );
}

#[test]
fn signals_end_stdio() {
    let home = Home::new();
    for (signal, code) in SIGNALS {
        let session = Session::start(&mut serve(&home));
        session.running.signal(signal);
        let ended = session.running.ended();
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(code), ""),
            "{signal:?}: {ended:?}"
        );
    }
}

#[test]
fn signals_end_http_although_a_connection_idles() {
    let home = Home::new();
    for (signal, code) in SIGNALS {
        let (running, base) = Running::start_http(&mut serve(&home));
        let mut idle = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
        idle.set_read_timeout(Some(DEADLINE)).unwrap();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .unwrap();
        let mut answer = [0; 12];
        idle.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        running.signal(signal);
        let ended = running.ended();
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(code), ""),
            "{signal:?}: {ended:?}"
        );
        assert!(
            !ended.stderr.contains(OUT_OF_TIME),
            "an idle connection keeps nobody waiting: {ended:?}"
        );
    }
}

#[test]
fn writes_before_the_end_of_the_input_are_all_carried_out_and_answered() {
    let home = Home::new();
    let mut running = Running::start_piped(&mut home.command(&["serve"]));
    for id in 0..WRITES {
        running.send(
            tool_call(id, "card_create", &json!({ "title": format!("card {id}") })).to_string(),
        );
    }
    running.close_input();
    let ended = running.ended();
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    let answers: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let answered: BTreeSet<_> = answers
        .iter()
        .map(|answer| answer["id"].as_u64().unwrap())
        .collect();
    assert_eq!(
        (answers.len() as u64, answered),
        (WRITES, (0..WRITES).collect())
    );
    let created: BTreeSet<_> = answers
        .iter()
        .map(|answer| {
            outcome(answer).unwrap()["title"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let kept: BTreeSet<_> = Session::start(&mut home.command(&["serve"]))
        .titles()
        .into_iter()
        .collect();
    assert_eq!(kept, created);
}

#[test]
fn what_a_signal_cuts_short_was_answered_or_never_begun() {
    for (signal, code) in SIGNALS {
        let home = Home::new();
        let mut running = Running::start_piped(&mut serve(&home));
        for id in 0..WRITES {
            running.send(
                tool_call(id, "card_create", &json!({ "title": format!("card {id}") })).to_string(),
            );
        }
        running.line().unwrap();
        running.signal(signal);
        let ended = running.ended();
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let answers: Vec<Value> = ended
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let (refused, done): (Vec<_>, Vec<_>) = answers
            .iter()
            .partition(|answer| answer.get("error").is_some());
        for answer in refused {
            assert!(
                answer["error"]["message"]
                    .as_str()
                    .unwrap()
                    .contains("was not carried out"),
                "{answer}"
            );
        }
        let created: BTreeSet<_> = done
            .into_iter()
            .map(|answer| {
                outcome(answer).unwrap()["title"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        let kept: BTreeSet<_> = Session::start(&mut home.command(&["serve"]))
            .titles()
            .into_iter()
            .collect();
        assert_eq!(kept, created, "{signal:?}");
    }
}

/// A call under way when the signal comes: the request is held open until the signal has been sent.
#[test]
fn a_request_that_is_under_way_is_answered_before_the_end() {
    for (signal, code) in SIGNALS {
        let home = Home::new();
        let (running, base) = Running::start_http(&mut serve(&home));
        let body = tool_call(1, "card_create", &json!({ "title": "under way" })).to_string();
        let (first, rest) = body.split_at(20);
        let mut connection = under_way(&base, body.len());
        connection.write_all(first.as_bytes()).unwrap();
        running.signal(signal);
        connection.write_all(rest.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(
            answer.contains("HTTP/1.1 200") && answer.contains("under way"),
            "{signal:?}: {answer}"
        );
        let mut wire = Wire::default();
        wire.sent_text(body.as_bytes());
        wire.received(&serde_json::from_str(answer.rsplit_once("\r\n\r\n").unwrap().1).unwrap());
        assert_eq!(running.ended().code, Some(code));
        assert_eq!(
            Session::start(&mut home.command(&["serve"])).titles(),
            ["under way"]
        );
    }
}

/// A connection on which the server works on a request whose body, of this many bytes, has not
/// come.
fn under_way(base: &str, bytes: usize) -> TcpStream {
    let mut connection = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    connection.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {bytes}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    // The server asks for the body: from here on it works on this request.
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    connection
}

/// Whoever presses Ctrl-C once more does not want to wait for what is under way.
#[test]
fn a_second_interruption_ends_it_at_once() {
    let home = Home::new();
    for signal in [Signal::INT, Signal::TERM] {
        let (running, base) = Running::start_http(&mut serve(&home));
        let _held = under_way(&base, 9);
        running.signal(signal);
        let started = Instant::now();
        // The first was heard when nobody new is let in.
        while TcpStream::connect(base.strip_prefix("http://").unwrap()).is_ok() {
            assert!(started.elapsed() < DEADLINE);
        }
        running.signal(Signal::INT);
        let ended = running.ended();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert!(!ended.stderr.contains(OUT_OF_TIME), "{signal:?}: {ended:?}");
    }
}

#[test]
fn a_second_interruption_ends_stdio_at_once() {
    let home = Home::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let backend = format!("http://{}", silent.local_addr().unwrap());
    let mut session = Session::start(
        home.command(&["serve", "prodmcp"])
            .env("PRODMCP_BASE_URL", backend),
    );
    session
        .running
        .send(tool_call(1, "card_list", &json!({})).to_string());
    let _held = silent.accept().unwrap();
    session.running.signal(Signal::INT);
    // The first was heard when no new call is carried out.
    let started = Instant::now();
    for id in 2.. {
        assert!(started.elapsed() < DEADLINE);
        session
            .running
            .send(tool_call(id, "card_get", &json!({})).to_string());
        if session
            .running
            .line()
            .unwrap()
            .contains("was not carried out")
        {
            break;
        }
    }
    session.running.signal(Signal::INT);
    let ended = session.running.ended();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(!ended.stderr.contains(OUT_OF_TIME), "{ended:?}");
}

/// The end of a terminal is no end for what was started with `nohup`.
#[test]
fn an_ignored_hang_up_stays_ignored() {
    let home = Home::new();
    let (running, base) = Running::start_http(
        &mut home.other_program("env", &["--ignore-signal=HUP", PROGRAM, "serve"]),
    );
    running.signal(Signal::HUP);
    running.signal(Signal::HUP);
    assert_eq!(http::get(&base, "/healthz").send().status, 200);
    assert_eq!(running.stop().code, Some(0));
}

#[test]
fn a_request_that_never_comes_does_not_hold_the_end_up_for_more_than_five_seconds() {
    let home = Home::new();
    let (running, base) = Running::start_http(&mut home.command(&["serve"]));
    let mut connection = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    connection.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    connection.write_all(head.as_bytes()).unwrap();
    connection.read_exact(&mut [0; 12]).unwrap();
    running.signal(Signal::TERM);
    let ended = running.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains(OUT_OF_TIME), "{ended:?}");
}

#[test]
fn a_client_that_closed_its_end_ends_the_program() {
    let home = Home::new();
    // `head` reads one answer and goes; the pipe to the program stays open.
    let script = "\"$0\" serve 2>error | head -c 1 >answer; exit ${PIPESTATUS[0]}";
    let mut command = home.other_program("bash", &["-c", script, PROGRAM]);
    let mut running = Running::start_piped(command.current_dir(home.path()));
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut input = running.input.take().unwrap();
    // Goes on until nobody takes it any more.
    let started = Instant::now();
    while input
        .write_all(ping)
        .and_then(|()| input.write_all(b"\n"))
        .is_ok()
    {
        assert!(
            started.elapsed() < DEADLINE,
            "it still reads although nobody reads its answers"
        );
    }
    assert_eq!(running.ended().code, Some(0));
    assert_eq!(
        std::fs::read_to_string(home.path().join("error")).unwrap(),
        ""
    );
}

#[test]
fn a_signal_does_not_lose_what_was_answered() {
    let home = Home::new();
    let (running, base) = Running::start_http(&mut home.command(&["serve"]));
    let card =
        crate::harness::session::call_over_http(&base, "card_create", &json!({ "title": "kept" }))
            .unwrap();
    assert_eq!(running.stop().code, Some(0));
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    assert_eq!(
        crate::harness::session::call_over_http(&base, "card_get", &json!({ "id": card["id"] }))
            .unwrap(),
        card
    );
    assert_eq!(http::get(&base, "/readyz").send().status, 200);
}
