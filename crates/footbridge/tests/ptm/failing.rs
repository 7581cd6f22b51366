//! The program before a backend that is down, slow, flapping, too old or garbled, and interrupted
//! while it asks: each exit code as a shell sees it.

use std::net::TcpListener;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::odd::Odd;
use crate::harness::process::{Home, Running};
use crate::harness::session::{Session, tool_call};
use crate::harness::stand_in::Reserved;
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{OWNER, StandIn};

const TRANSPORTS: [&str; 2] = ["stdio", "http"];

/// How the program ended, serving the connector with this patience on a transport: its code, and
/// what it said but for the log.
pub(crate) fn ended(
    transport: &str,
    patience: &str,
    variables: &[(&str, String)],
) -> (Option<i32>, String) {
    let home = Home::new();
    let file = include_str!("../../../../connectors/ptm.yaml");
    assert!(file.contains("patience: 31s"));
    let path = home.file(
        "ptm.yaml",
        file.replace("patience: 31s", &format!("patience: {patience}")),
    );
    let mut command = home.command(&[
        "serve",
        path.to_str().unwrap(),
        "--transport",
        transport,
        "--port",
        "0",
    ]);
    let ended =
        Running::start_piped(command.envs(variables.iter().map(|(name, value)| (name, value))))
            .ended();
    assert_eq!(ended.stdout, "", "{ended:?}");
    has_no_secret(&ended.stderr);
    assert!(
        !ended.stderr.contains("untrusted-content"),
        "a person reads it: {ended:?}"
    );
    (ended.code, ended.stderr)
}

fn impatient(seconds: u32, stand_in: &StandIn) -> Vec<(&'static str, String)> {
    let mut variables = settings(stand_in, OWNER);
    variables.push(("PTM_MCP_TIMEOUT_SECONDS", seconds.to_string()));
    variables
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_down_is_2_and_one_line() {
    let stand_in = StandIn::start().await;
    let nobody = Reserved::new();
    let mut unreachable = settings(&stand_in, OWNER);
    unreachable[0].1 = nobody.url();
    for transport in TRANSPORTS {
        let (code, said) = ended(transport, "0s", &unreachable);
        assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
        assert!(
            said.starts_with(
                "footbridge: ptm: Prompt Test Manager cannot be reached at http://127.0.0.1:"
            ),
            "{said}"
        );
        for status in [500, 502, 503, 504, 429] {
            stand_in
                .world()
                .odd
                .insert("/healthz", Odd::body(status, r#"{"message": "not now"}"#));
            let (code, said) = ended(transport, "0s", &settings(&stand_in, OWNER));
            assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
            assert!(
                said.contains(&status.to_string()) && said.contains("not now"),
                "{said}"
            );
        }
        stand_in.world().odd.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_slow_is_2_after_the_time_of_its_setting() {
    let stand_in = StandIn::start().await;
    stand_in.world().odd.insert("/healthz", Odd::Nothing);
    for transport in TRANSPORTS {
        let (code, said) = ended(transport, "0s", &impatient(1, &stand_in));
        assert!(
            code == Some(2) && said.contains("did not answer within 1 s"),
            "{code:?} {said}"
        );
    }
}

/// A later check that is not answered refused nothing: it is no refused token, and no old version.
#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_goes_down_between_the_checks_is_2() {
    let stand_in = StandIn::start().await;
    for path in ["/auth/me", "/meta"] {
        for odd in [Odd::body(503, "{}"), Odd::body(429, "{}"), Odd::Nothing] {
            stand_in.world().odd.insert(path, odd.clone());
            let (code, said) = ended("stdio", "0s", &impatient(1, &stand_in));
            assert_eq!(
                (code, said.lines().count()),
                (Some(2), 1),
                "{path} {odd:?}: {said}"
            );
        }
        stand_in.world().odd.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_passes_is_waited_for_and_a_refusal_is_not() {
    let stand_in = StandIn::start().await;
    stand_in.world().failing = 1;
    let served = Served::over(Via::Http, settings(&stand_in, OWNER)).await;
    assert_eq!(
        stand_in.lines()[..4],
        ["GET /healthz", "GET /healthz", "GET /auth/me", "GET /meta"],
        "asked once more"
    );
    served.succeed("list_providers", json!({})).await;
    served.end().await;
    for (path, code) in [("/healthz", 2), ("/auth/me", 3), ("/meta", 4)] {
        let before = stand_in.lines().len();
        stand_in.world().odd.insert(path, Odd::body(403, "{}"));
        let (found, said) = ended("stdio", "31s", &settings(&stand_in, OWNER));
        assert_eq!(found, Some(code), "{said}");
        let asked = stand_in.lines()[before..]
            .iter()
            .filter(|line| line.ends_with(path))
            .count();
        assert_eq!(asked, 1, "{path}: a definite answer is not asked for again");
        stand_in.world().odd.clear();
    }
}

/// Whoever starts the program can change an address and a token, not the arguments of a call.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_before_serving_is_said_to_who_starts_it() {
    let stand_in = StandIn::start().await;
    const ADDRESS: &str = "the address (PTM_API_BASE_URL) is that of the API";
    for (path, status, hint) in [
        ("/healthz", 404, ADDRESS),
        ("/healthz", 422, ADDRESS),
        ("/auth/me", 403, "Check PTM_API_TOKEN: it is not accepted"),
        ("/auth/me", 401, "Check PTM_API_TOKEN: it is not accepted"),
        ("/meta", 404, ADDRESS),
        ("/meta", 409, ADDRESS),
    ] {
        stand_in
            .world()
            .odd
            .insert(path, Odd::body(status, r#"{"message": "no"}"#));
        let (_, said) = ended("stdio", "0s", &settings(&stand_in, OWNER));
        assert!(
            said.contains(hint) && said.lines().count() == 1,
            "{path} {status}: {said}"
        );
        for of_tools in [
            "prompt ownership",
            "Prompt or resource",
            "prompt_text",
            "fetch again",
        ] {
            assert!(!said.contains(of_tools), "{path} {status}: {said}");
        }
        stand_in.world().odd.clear();
    }
}

/// Patience counts attempts, and each is one request.
#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_of_a_check_is_one_request() {
    let stand_in = StandIn::start().await;
    for odd in [
        Odd::body(503, "{}"),
        Odd::body(502, "{}"),
        Odd::body(429, "{}"),
    ] {
        for (patience, attempts) in [("0s", 1), ("1s", 2)] {
            let before = stand_in.lines().len();
            stand_in.world().odd.insert("/healthz", odd.clone());
            let (code, said) = ended("stdio", patience, &settings(&stand_in, OWNER));
            assert_eq!(
                (code, stand_in.lines().len() - before),
                (Some(2), attempts),
                "{odd:?} {patience}: {said}"
            );
        }
        stand_in.world().odd.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_3_on_each_transport() {
    let stand_in = StandIn::start().await;
    for transport in TRANSPORTS {
        let (code, said) = ended(
            transport,
            "31s",
            &settings(&stand_in, "planted-and-unknown"),
        );
        assert_eq!((code, said.lines().count()), (Some(3), 1), "{said}");
        assert!(
            said.contains("401") && said.contains("this token is not known"),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_too_old_or_none_is_4() {
    let stand_in = StandIn::start().await;
    for version in [
        "1.8.99",
        "v1.8",
        "0.99",
        "1.9.0-rc.1",
        "1.9.0rc1",
        "nightly",
        "1.x",
        "1.9.0.",
        "",
        "-1.9",
        "１.９.0",
    ] {
        stand_in.world().version = json!(version);
        let (code, said) = ended("stdio", "31s", &settings(&stand_in, OWNER));
        assert_eq!(code, Some(4), "{version}: {said}");
        assert!(
            said.contains("at least 1.9.0 is needed") && said.lines().count() == 1,
            "{version}: {said}"
        );
    }
    for version in [
        "1.9.0",
        "v1.9",
        "1.9",
        "1.10.0rc1",
        "2.0.0-beta+7",
        " 1.9.0 ",
        "1.9.0+build",
    ] {
        stand_in.world().version = json!(version);
        let served = Served::start(&stand_in, OWNER).await;
        served.succeed("list_providers", json!({})).await;
        served.end().await;
    }
    for odd in [
        json!(null),
        json!(["1.9.0"]),
        json!({"is": "1.9.0"}),
        json!(true),
        json!(format!("1.{}", "9".repeat(5_000))),
    ] {
        stand_in.world().version = odd.clone();
        let (code, said) = ended("stdio", "31s", &settings(&stand_in, OWNER));
        assert!(code == Some(4) && said.len() < 400, "{odd}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_garbled_is_4_in_words() {
    let stand_in = StandIn::start().await;
    for (body, what) in [
        ("<<<".to_owned(), "where JSON was expected"),
        (String::new(), "nothing where JSON was expected"),
        ("<!DOCTYPE html><title>App</title>".to_owned(), "a web page"),
        ("[".repeat(100_000), "where JSON was expected"),
        ("\"1.9.0\"".to_owned(), "at least 1.9.0 is needed"),
        ("{\"version\": \"1.9".to_owned(), "where JSON was expected"),
    ] {
        stand_in.world().odd.insert("/meta", Odd::body(200, body));
        let (code, said) = ended("stdio", "31s", &settings(&stand_in, OWNER));
        assert_eq!((code, said.lines().count()), (Some(4), 1), "{said}");
        assert!(said.contains(what), "no {what:?} in {said}");
    }
    for is_told in [true, false] {
        stand_in.world().odd.insert(
            "/meta",
            Odd::Long {
                bytes: 200 << 20,
                is_told,
            },
        );
        let (code, said) = ended("http", "31s", &settings(&stand_in, OWNER));
        assert!(
            code == Some(4) && said.contains("more than 8 MiB"),
            "{code:?} {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_check_is_1() {
    let stand_in = StandIn::start().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = home.command(&["serve", "ptm", "--transport", "http", "--port", &port]);
    let ended = Running::start(command.envs(settings(&stand_in, OWNER))).ended();
    assert!(
        ended.complaint(1).contains(&format!("port {port}")),
        "{ended:?}"
    );
}

/// A signal while the first check waits for its answer.
#[test]
fn an_interruption_during_the_checks_is_130_and_an_end_0() {
    for transport in TRANSPORTS {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 0)] {
            let silent = TcpListener::bind("127.0.0.1:0").unwrap();
            let home = Home::new();
            let mut command =
                home.command(&["serve", "ptm", "--transport", transport, "--port", "0"]);
            command
                .env(
                    "PTM_API_BASE_URL",
                    format!("http://{}", silent.local_addr().unwrap()),
                )
                .env("PTM_API_TOKEN", OWNER);
            let running = Running::start_piped(&mut command);
            let (_connection, _) = silent.accept().unwrap();
            running.signal(signal);
            let ended = running.ended();
            assert_eq!(ended.code, Some(code), "{transport} {ended:?}");
            has_no_secret(&ended.stderr);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_after_the_checks_is_130_and_an_end_0_too() {
    let stand_in = StandIn::start().await;
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 0)] {
        let home = Home::new();
        let (running, _) = Running::start_http(
            home.command(&["serve", "ptm"])
                .envs(settings(&stand_in, OWNER)),
        );
        running.signal(signal);
        let ended = running.ended();
        assert_eq!(ended.code, Some(code), "{ended:?}");
    }
}

/// What a call hears that waited for checks which then failed: the sentence of the end.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_waited_hear_why() {
    let stand_in = StandIn::start().await;
    stand_in.world().version = json!("1.0");
    let home = Home::new();
    let mut command = home.command(&["serve", "ptm", "--transport", "stdio"]);
    command.envs(settings(&stand_in, OWNER));
    // While the world is held, the backend answers nobody, so the checks cannot end before the call
    // is under way.
    let world = stand_in.world();
    let mut session = Session::start(&mut command);
    session
        .running
        .send(tool_call(7, "list_providers", &json!({})).to_string());
    session.request("ping", &json!({}));
    drop(world);
    let answer: Value = serde_json::from_str(
        &session
            .running
            .line()
            .expect("a call that waits is answered"),
    )
    .unwrap();
    assert_eq!(
        (&answer["id"], &answer["result"]["isError"]),
        (&json!(7), &json!(true)),
        "{answer}"
    );
    assert!(answer.to_string().contains("at least 1.9.0"), "{answer}");
    let ended = session.running.ended();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(
        stand_in
            .lines()
            .iter()
            .all(|line| !line.contains("providers")),
        "nothing was called"
    );
}
