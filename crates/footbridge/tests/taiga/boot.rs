//! What is asked of Taiga before it is served: a refusal ends the start, a Taiga that is down does
//! not, and nobody waits for either.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use serde_json::json;

use crate::harness::process::{Ended, Home, Running};
use crate::harness::session::{Session, tool_call};
use crate::harness::stand_in::{Reserved, Standing};
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{Odd, PASSWORD, StandIn};

/// A client on stdio is told instead, see `login`.
const TRANSPORTS: [&str; 2] = ["http", "sse"];
/// More answers than any call asks for.
const AT_MOST: usize = 100;
const PLACE: &str = "TAIGA_BASE_URL";

fn ended(arguments: &[&str], variables: impl IntoIterator<Item = (&'static str, String)>) -> Ended {
    let mut command = Home::new().command(&["serve", "taiga", "--port", "0"]);
    let ended = Running::start_piped(command.args(arguments).envs(variables)).ended();
    has_no_secret(&format!("{ended:?}"));
    ended
}

/// The settings with another address.
fn at(url: &str) -> [(&'static str, String); 3] {
    [
        (PLACE, url.to_owned()),
        ("TAIGA_USERNAME", "admin".to_owned()),
        ("TAIGA_PASSWORD", PASSWORD.to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_ends_the_start_over_http() {
    let stand_in = StandIn::start().await;
    let password = ("TAIGA_PASSWORD", "planted-and-wrong".to_owned());
    let token = [
        (PLACE, stand_in.api()),
        ("TAIGA_TOKEN", "planted-and-wrong".to_owned()),
    ];
    for transport in TRANSPORTS {
        let wrong = settings(&stand_in)
            .into_iter()
            .take(2)
            .chain([password.clone()]);
        let ended_by_login = ended(&["--transport", transport], wrong);
        let said = ended_by_login.complaint(1);
        assert!(
            said.contains("Taiga refused the login")
                && said.contains("Check TAIGA_USERNAME and TAIGA_PASSWORD"),
            "{said}"
        );
        let ended_by_token = ended(&["--transport", transport], token.clone());
        let said = ended_by_token.complaint(1);
        assert!(
            said.contains("401") && said.contains("TAIGA_TOKEN"),
            "{said}"
        );
    }
    let nobody = Reserved::new();
    let joined = ended(
        &["trueppm", "--transport", "http"],
        [
            token.to_vec(),
            vec![
                ("TRUEPPM_API_URL", nobody.url()),
                ("TRUEPPM_API_TOKEN", "planted-token".to_owned()),
            ],
        ]
        .concat(),
    );
    assert!(
        joined.code == Some(1) && joined.stderr.contains("footbridge: taiga: "),
        "{joined:?}"
    );
}

/// Each further request would log in again, and Taiga counts refused logins.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_stops_at_a_refused_login_and_says_so() {
    let stand_in = StandIn::start().await;
    let wrong = settings(&stand_in)
        .into_iter()
        .take(2)
        .chain([("TAIGA_PASSWORD", "planted-and-wrong".to_owned())]);
    let home = Home::new();
    let ended = Running::start(home.command(&["doctor", "taiga"]).envs(wrong)).ended();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("checks   failed: Taiga refused the login"),
        "{ended:?}"
    );
    assert!(
        ended
            .stdout
            .contains("paths    not asked: each request would log in again"),
        "{ended:?}"
    );
    assert!(
        !ended.stdout.contains("untrusted-content") && !ended.stdout.contains("document"),
        "{ended:?}"
    );
    assert_eq!(stand_in.world().seen.lines(), ["POST /auth"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_no_taiga_ends_the_start() {
    let nothing = Standing::serve((), |_| Router::new()).await;
    let welcome = Standing::serve((), |_| {
        Router::new().fallback(async || {
            (
                [(CONTENT_TYPE, "text/html")],
                "<!doctype html><title>Welcome</title>",
            )
        })
    })
    .await;
    for (url, needle) in [
        (&nothing.url, "404"),
        (&welcome.url, "a web page where JSON was expected"),
    ] {
        let ended = ended(&["--transport", "http"], at(url));
        let said = ended.complaint(1);
        assert!(said.contains(needle) && said.contains("address"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_down_is_served_and_its_calls_say_so_until_it_is_back() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        stand_in.world().turned.odd =
            vec![("POST /auth", Odd::body(503, "<html>Back soon</html>")); AT_MOST];
        let served = Served::over(via, "read", settings(&stand_in)).await;
        served
            .refuse("taiga_projects_list", json!({}), &["503"])
            .await;
        stand_in.world().turned.odd.clear();
        served.succeed("taiga_projects_list", json!({})).await;
        let log = served.end().await;
        assert!(
            log.contains("footbridge: warning: taiga is down, so its calls fail until it is back"),
            "{via:?}"
        );
    }
    let nobody = Reserved::new();
    for transport in TRANSPORTS {
        let ended = ended(
            &["--transport", transport, "--require-all"],
            at(&nobody.url()),
        );
        assert!(
            ended.complaint(1).contains("cannot be reached"),
            "{ended:?}"
        );
    }
}

/// The first line of a request, all of which is read: a connection that is closed with something
/// unread may take its answer with it.
fn whole_request(connection: &TcpStream) -> String {
    let mut reader = BufReader::new(connection);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line
    };
    let first = line();
    let headers: Vec<String> =
        std::iter::from_fn(|| Some(line()).filter(|line| !line.trim().is_empty())).collect();
    let length = headers.iter().find_map(|header| {
        header
            .to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .trim()
            .parse()
            .ok()
    });
    reader
        .read_exact(&mut vec![0; length.unwrap_or_default()])
        .unwrap();
    first
}

/// Taiga does not answer before the client has its answers; the call behind them waits.
#[test]
fn a_client_is_answered_while_the_login_runs() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Home::new().command(&["serve", "taiga", "--transport", "stdio"]);
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut session = Session::start(command.envs(at(&url)));
    assert!(!session.tools().is_empty());
    session
        .running
        .send(tool_call(9, "taiga_projects_list", &json!({})).to_string());
    // What was read before this is under way.
    session.request("ping", &json!({}));
    let (mut connection, _) = listener.accept().unwrap();
    let first = whole_request(&connection);
    assert!(first.starts_with("POST /api/v1/auth "), "{first}");
    let body = r#"{"detail":"No active account","code":"invalid_credentials"}"#;
    write!(
        connection,
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let answer = session.running.line().unwrap();
    assert!(
        answer.contains(r#""id":9"#)
            && answer.contains("refused the login")
            && answer.contains("isError"),
        "{answer}"
    );
    // it stays, and says so to each call; a refused password is not sent again
    let said = session.call("taiga_projects_list", json!({})).unwrap_err();
    assert!(said.contains("footbridge login taiga"), "{said}");
    session.running.close_input();
    assert_eq!(session.running.ended().code, Some(0));
}
