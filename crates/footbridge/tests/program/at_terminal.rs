//! The commands at a terminal: secrets that are typed and not shown, Ctrl-C at every question, the
//! question about the login of `prodmcp`, and tables for people beside JSON for programs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::harness::process::{Home, Running};
use crate::harness::session::Session;
use crate::harness::stand_in::Standing;
use crate::harness::terminal::AtTerminal;

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const TOKEN_QUESTION: &str = "Paste your personal access token (pat_...): ";

/// The credentials that a backend was shown.
type Shown = Vec<String>;

/// A backend that takes whatever begins with "pat_good", and the password "planted-password".
async fn backend() -> Standing<Shown> {
    Standing::serve(Vec::new(), |world: Arc<Mutex<Shown>>| {
        Router::new()
            .route(
                "/xapi2/auth/login",
                axum::routing::post(|body: axum::Json<Value>| async move {
                    match body["password"] == "planted-password" {
                        true => Ok(axum::Json(json!({
                            "access_token": "planted-session", "refresh_token": "planted-refresh",
                            "user": { "id": "1", "email": "ana@example.org" }
                        }))),
                        false => Err(StatusCode::UNAUTHORIZED),
                    }
                }),
            )
            .fallback(move |headers: HeaderMap| {
                let shown = headers.get("authorization");
                let shown = shown.map_or("", |shown| shown.to_str().unwrap()).to_owned();
                world.lock().unwrap().push(shown.clone());
                let is_good = shown.contains("good") || shown.contains("session");
                async move {
                    match is_good {
                        true => Ok(axum::Json(json!({ "id": "1", "email": "ana@example.org" }))),
                        false => Err(StatusCode::UNAUTHORIZED),
                    }
                }
            })
    })
    .await
}

fn kept(home: &Home) -> PathBuf {
    home.data().join("credentials/prodmcp.json")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_typed_and_not_shown() {
    let (home, backend) = (Home::new(), backend().await);
    let login = || AtTerminal::start(&home, &["login"], &[("PRODMCP_BASE_URL", &backend.url)]);
    let mut token = login();
    token.until_hidden(TOKEN_QUESTION);
    // a slip, taken back as at any question
    token.types("pat_goodx\u{7f}-planted\r");
    let (code, shown, is_as_it_was) = token.ended();
    assert_eq!((code, is_as_it_was), (Some(0), true), "{shown}");
    assert!(
        shown.ends_with("signed in as ana@example.org\n"),
        "{shown:?}"
    );
    assert!(
        shown.contains("\u{1b}[32mok\u{1b}[0m signed in"),
        "{shown:?}"
    );
    assert!(
        shown.contains(&backend.url),
        "where it goes is said first: {shown:?}"
    );
    assert!(
        !shown.contains("planted") && !shown.contains("good"),
        "{shown:?}"
    );
    assert_eq!(*backend.world(), ["Bearer pat_good-planted"]);

    let mut account = login();
    account.until_hidden(TOKEN_QUESTION);
    account.types("\r");
    account.until("Email: ");
    account.types("ana@example.org\r");
    account.until_hidden("Password: ");
    account.types("planted-password\r");
    let (code, shown, is_as_it_was) = account.ended();
    assert_eq!((code, is_as_it_was), (Some(0), true), "{shown}");
    assert!(shown.contains("Email: ana@example.org\n"), "{shown:?}");
    assert!(!shown.contains("planted"), "{shown:?}");

    // one who mistypes is told so, and what was kept stays
    let before = std::fs::read_to_string(kept(&home)).unwrap();
    let mut wrong = login();
    wrong.until_hidden(TOKEN_QUESTION);
    wrong.types("pat_planted-and-wrong\r");
    let (code, shown, is_as_it_was) = wrong.ended();
    assert_eq!((code, is_as_it_was), (Some(1), true), "{shown}");
    assert!(shown.contains("login failed: "), "{shown:?}");
    assert!(!shown.contains("planted"), "{shown:?}");
    assert_eq!(std::fs::read_to_string(kept(&home)).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_any_question_keeps_the_earlier_login_and_gives_the_terminal_back() {
    let (home, backend) = (Home::new(), backend().await);
    let variables = [("PRODMCP_BASE_URL", backend.url.as_str())];
    let mut first = AtTerminal::start(&home, &["login"], &variables);
    first.until_hidden(TOKEN_QUESTION);
    first.types("pat_good\r");
    assert_eq!(first.ended().0, Some(0));
    let before = std::fs::read_to_string(kept(&home)).unwrap();
    for keys in [CTRL_C, CTRL_D] {
        for question in 0..3 {
            let mut login = AtTerminal::start(&home, &["login"], &variables);
            login.until_hidden(TOKEN_QUESTION);
            if question > 0 {
                login.types("\r");
                login.until("Email: ");
            }
            if question > 1 {
                login.types("ana@example.org\r");
                login.until_hidden("Password: ");
            }
            login.types(keys);
            let (code, shown, is_as_it_was) = login.ended();
            assert_eq!(code, Some(130), "{question} {shown:?}");
            assert!(is_as_it_was, "{question} {shown:?}");
            assert!(shown.ends_with('\n'), "{question} {shown:?}");
        }
    }
    assert_eq!(std::fs::read_to_string(kept(&home)).unwrap(), before);
    assert_eq!(backend.world().len(), 1, "nobody was asked again");

    // nor while the backend takes its time
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let variables = [("PRODMCP_BASE_URL", url.as_str())];
    let mut login = AtTerminal::start(&home, &["login"], &variables);
    login.until_hidden(TOKEN_QUESTION);
    login.types("pat_good\r");
    let accepted = tokio::task::spawn_blocking(move || silent.accept().unwrap());
    let _connection = accepted.await.unwrap();
    login.types(CTRL_C);
    let (code, shown, is_as_it_was) = login.ended();
    assert_eq!((code, is_as_it_was), (Some(130), true), "{shown:?}");
    assert_eq!(std::fs::read_to_string(kept(&home)).unwrap(), before);

    // the other command that asks for a secret
    let adding = [
        "account",
        "add",
        "ana",
        "--email",
        "a@b.example",
        "--password",
    ];
    for _ in 0..3 {
        let mut account = AtTerminal::start(&home, &adding, &[]);
        account.until_hidden("Password: ");
        account.types(CTRL_C);
        let (code, shown, is_as_it_was) = account.ended();
        assert_eq!((code, is_as_it_was), (Some(130), true), "{shown:?}");
    }
    let mut account = AtTerminal::start(&home, &adding, &[]);
    account.until_hidden("Password: ");
    account.types("planted-pass-phrase\r");
    let (code, shown, is_as_it_was) = account.ended();
    assert_eq!((code, is_as_it_was), (Some(0), true), "{shown:?}");
    assert!(!shown.contains("planted"), "{shown:?}");
    assert!(shown.ends_with("added account ana\n"), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_of_the_reference_goes_elsewhere_after_a_yes_alone() {
    let backend = backend().await;
    let text = r#"{"token":"planted-good-reference","kind":"session","email":"ana@example.org"}"#;
    for (answer, is_sent) in [
        ("\r", false),
        ("n\r", false),
        ("Y\r", true),
        ("yes\r", true),
    ] {
        let home = Home::new();
        let theirs = home.file(".prodmcp/credentials.json", text);
        let variables = [("PRODMCP_BASE_URL", backend.url.as_str())];
        let mut login = AtTerminal::start(&home, &["login"], &variables);
        login.until("[y/N] ");
        login.types(answer);
        if !is_sent {
            login.until_hidden(TOKEN_QUESTION);
            login.types(CTRL_C);
        }
        let (code, shown, is_as_it_was) = login.ended();
        let wanted = if is_sent { Some(0) } else { Some(130) };
        assert_eq!((code, is_as_it_was), (wanted, true), "{shown:?}");
        for named in [&backend.url, "https://deploysition.cloud"] {
            assert!(shown.contains(named), "{named} {shown:?}");
        }
        assert!(!shown.contains("planted"), "{shown:?}");
        let sent = std::mem::take(&mut *backend.world());
        assert_eq!(sent.len(), usize::from(is_sent), "{answer:?} {sent:?}");
        assert!(
            sent.iter()
                .all(|sent| sent.contains("planted-good-reference")),
            "{sent:?}"
        );
        assert_eq!(kept(&home).exists(), is_sent);
        assert_eq!(std::fs::read_to_string(theirs).unwrap(), text);
    }
}

/// Every command that says something to people has the same as JSON for programs.
#[test]
fn people_see_tables_and_programs_read_json() {
    let home = Home::new();
    home.succeed(&["account", "add", "ana", "--email", "ana@example.org"]);
    home.token("ana");
    let mut agent = Session::start(&mut home.command(&["serve", "board"]));
    let board = json!({ "name": "Garden" });
    agent.call("board_create", board).unwrap();
    agent.finish();
    let (_, table, _) = AtTerminal::start(&home, &["call", "board_list"], &[]).ended();
    let heading = table.lines().find(|line| line.contains("NAME"));
    assert!(heading.is_some() && table.contains("Garden"), "{table:?}");
    for arguments in [
        &["account", "list"][..],
        &["token", "list", "--account", "ana"],
        &["changes"],
        &["changes", "list"],
        &["changes", "show", "1"],
        &["leases"],
        &["leases", "list"],
        &["audit", "verify"],
        &["board"],
        &["tools"],
        &["lint", "board"],
        &["doctor", "board"],
        &["call", "board_list"],
        &["version"],
        &["install", "claude-code", "board", "--dry-run"],
        &["uninstall", "claude-code", "--dry-run"],
    ] {
        let terminal = AtTerminal::start(&home, arguments, &[("NO_COLOR", "1")]);
        let (code, people, _) = terminal.ended();
        // a line that showed how far it was is gone again
        let people = people.replace("\r\u{1b}[K", "");
        let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let programs = Running::start(&mut home.command(&with_json)).ended();
        assert_eq!(code, Some(0), "{arguments:?} {people}");
        assert_eq!(programs.code, Some(0), "{arguments:?} {programs:?}");
        assert!(!programs.stderr.contains('\u{1b}'), "{programs:?}");
        assert!(
            serde_json::from_str::<Value>(&people).is_err(),
            "{arguments:?} {people}"
        );
        assert!(
            !people.contains('\u{1b}'),
            "somebody said no colours: {arguments:?} {people:?}"
        );
        let json = serde_json::from_str::<Value>(&programs.stdout);
        assert!(json.is_ok(), "{arguments:?} {programs:?}");
    }
    for word in ["changes", "leases"] {
        let ended = home.run(&[word, "--json", "list"]);
        let wanted = format!("{word} list --json");
        assert!(ended.complaint(2).ends_with(&wanted), "{ended:?}");
    }
}
