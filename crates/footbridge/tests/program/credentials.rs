//! `login`, `logout` and `whoami` against a real board: what is kept where, what it is used for, and
//! where it never goes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, Uri};
use serde_json::{Value, json};

use crate::harness::process::{Ended, Home, Running};
use crate::harness::session::Session;
use crate::harness::stand_in::{Reserved, Standing};

const PASSWORD: &str = "planted-pass-phrase";

/// A board of somebody's, with an account that has a password.
struct BoardOf {
    home: Home,
    _running: Running,
    base: String,
}

fn board() -> BoardOf {
    let home = Home::new();
    let mut adding = Running::start_piped(&mut home.command(&[
        "account",
        "add",
        "ana",
        "--email",
        "ana@example.org",
        "--password",
    ]));
    adding.send(PASSWORD);
    assert_eq!(adding.ended().code, Some(0));
    let (running, base) = Running::start_http(&mut home.command(&["serve", "board"]));
    BoardOf {
        home,
        _running: running,
        base,
    }
}

fn at(home: &Home, base: &str, arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    command.env("PRODMCP_BASE_URL", base);
    command
}

fn run(home: &Home, base: &str, arguments: &[&str]) -> Ended {
    Running::start(&mut at(home, base, arguments)).ended()
}

/// Runs it with these lines on stdin.
fn answer(command: &mut Command, lines: &[&str]) -> Ended {
    let mut running = Running::start_piped(command);
    for line in lines {
        running.send(line);
    }
    running.close_input();
    running.ended()
}

fn kept(home: &Home) -> PathBuf {
    home.data().join("credentials/prodmcp.json")
}

fn kept_value(home: &Home) -> Value {
    let text = std::fs::read_to_string(kept(home)).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["credentials"][0].take()
}

#[test]
fn a_token_is_kept_used_and_forgotten() {
    let board = board();
    let (home, token) = (Home::new(), board.home.token("ana"));
    let before = run(&home, &board.base, &["whoami"]);
    assert_eq!(
        (before.code, before.stderr.trim()),
        (Some(3), "not signed in")
    );

    let ended = answer(
        &mut at(&home, &board.base, &["login", "prodmcp", "--token", "-"]),
        &[&token],
    );
    assert_eq!(
        (ended.code, ended.stderr.trim(), ended.stdout.as_str()),
        (Some(0), "ok signed in as ana@example.org", ""),
        "{ended:?}"
    );
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&kept(&home)), 0o600);
    assert_eq!(mode(kept(&home).parent().unwrap()), 0o700);
    let value = kept_value(&home);
    assert_eq!(
        (&value["kind"], &value["origin"]),
        (&json!("token"), &json!(board.base))
    );

    let who = run(&home, &board.base, &["whoami"]);
    let user: Value = serde_json::from_str(&who.stdout).unwrap();
    assert_eq!(
        (who.code, &user["email"]),
        (Some(0), &json!("ana@example.org"))
    );
    assert!(who.stdout.starts_with("{\n  \""), "{}", who.stdout);
    let shown = run(&home, &board.base, &["whoami", "--json"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["credential"]["from"], "login");
    let called = run(&home, &board.base, &["call", "-c", "prodmcp", "whoami"]);
    assert!(called.stdout.contains("ana@example.org"), "{called:?}");
    let mut session = Session::start(&mut at(&home, &board.base, &["serve", "prodmcp"]));
    session.call("board_list", json!({})).unwrap();
    assert_eq!(session.finish().stderr, "");

    let out = run(&home, &board.base, &["logout"]);
    assert_eq!((out.code, out.stderr.trim()), (Some(0), "ok signed out"));
    let out = run(&home, &board.base, &["logout"]);
    assert_eq!((out.code, out.stderr.trim()), (Some(0), "not signed in"));
    assert_eq!(run(&home, &board.base, &["whoami"]).code, Some(3));
}

#[test]
fn a_name_and_a_password_give_a_session_and_a_refusal_leaves_the_earlier_one() {
    let board = board();
    let home = Home::new();
    let ended = answer(
        &mut at(&home, &board.base, &["login"]),
        &["", "ana@example.org", PASSWORD],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "Paste your personal access token (pat_...): Email: Password: "
    );
    assert!(
        ended.stderr.ends_with("ok signed in as ana@example.org\n"),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains(&board.base),
        "it says where the password goes: {ended:?}"
    );
    let first = kept_value(&home);
    assert_eq!(first["kind"], "session");
    let text = std::fs::read_to_string(kept(&home)).unwrap();
    assert!(
        !text.contains(PASSWORD) && !text.contains("access_token"),
        "{text}"
    );

    for (lines, code, said) in [
        (
            &["", "ana@example.org", "planted-and-wrong"][..],
            1,
            "login failed: ",
        ),
        (&["", "", ""], 2, "email is required"),
        (&[], 130, ""),
        (&["", "ana@example.org"], 130, ""),
    ] {
        let ended = answer(&mut at(&home, &board.base, &["login"]), lines);
        assert_eq!(ended.code, Some(code), "{lines:?} {ended:?}");
        assert!(
            ended.stderr.lines().last().unwrap().starts_with(said),
            "{ended:?}"
        );
        assert!(!format!("{ended:?}").contains("planted-"), "{ended:?}");
    }
    let refused = run(
        &home,
        &board.base,
        &["login", "--token", "pat_planted-and-wrong"],
    );
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("stays in the shell's history"),
        "{refused:?}"
    );
    assert!(!refused.stderr.contains("planted"), "{refused:?}");
    assert_eq!(kept_value(&home), first);
    assert_eq!(run(&home, &board.base, &["whoami"]).code, Some(0));
}

/// What a board elsewhere was asked for, with the credential that came along.
type Asked = Vec<(String, Option<String>)>;

/// A board that is somebody else's, or that hands out a next token with each answer.
async fn elsewhere() -> Standing<Asked> {
    Standing::serve(Vec::new(), |world: Arc<Mutex<Asked>>| {
        Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
            let authorization = headers
                .get("authorization")
                .map(|value| value.to_str().unwrap().to_owned());
            let mut world = world.lock().unwrap();
            world.push((uri.path().to_owned(), authorization));
            let next = format!("planted-next-{}", world.len());
            async move {
                let user = json!({ "id": "1", "email": "eve@example.org", "data": [], "meta": {} });
                ([("x-auth-refresh-token", next)], axum::Json(user))
            }
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_goes_nowhere_else() {
    let (board, stranger) = (board(), elsewhere().await);
    let (home, token) = (Home::new(), board.home.token("ana"));
    assert_eq!(
        run(&home, &board.base, &["login", "--token", &token]).code,
        Some(0)
    );
    // as a project's client file or its `.env` would have it
    home.file(".env", format!("PRODMCP_BASE_URL={}\n", stranger.url));
    let in_project = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.current_dir(home.path());
        command
    };
    for arguments in [
        &["whoami"][..],
        &["call", "-c", "prodmcp", "board_list"],
        &["doctor", "prodmcp"],
        &["serve", "prodmcp", "--transport", "http", "--port", "0"],
    ] {
        for mut command in [in_project(arguments), at(&home, &stranger.url, arguments)] {
            let ended = Running::start(&mut command).ended();
            assert_eq!(ended.code, Some(2), "{arguments:?} {ended:?}");
            assert!(
                ended.stderr.contains(&board.base) && ended.stderr.contains(&stranger.url),
                "{ended:?}"
            );
        }
    }
    let mut session = Session::start(&mut at(&home, &stranger.url, &["serve", "prodmcp"]));
    assert_eq!(session.tools().len(), 5);
    let said = session.call("board_list", json!({})).unwrap_err();
    assert!(
        said.contains(&board.base) && said.contains(&stranger.url),
        "{said}"
    );
    session.finish();
    // a file of the same name
    let own = format!(
        "format: 1\nconnector: prodmcp\ntitle: X\ninstructions: X\nsettings: {{ T: {{ secret: true }} }}\n\
         upstream: {{ base: \"{}\", token: T, headers: {{ Authorization: \"Bearer {{settings.T}}\" }} }}\n\
         tools: [{{ name: t, title: T, description: D, effect: read, steps: [{{ get: /x }}] }}]\n",
        stranger.url
    );
    let own = home.file("prodmcp.yaml", own);
    let ended = home.run(&["call", "-c", own.to_str().unwrap(), "t"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("goes nowhere else"), "{ended:?}");
    // the folder does not say where somebody logs in
    let ended = answer(
        &mut in_project(&["login", "--token", "-"]),
        &["pat_planted"],
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(*stranger.world(), []);
    assert_eq!(run(&home, &board.base, &["whoami"]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_rolls_on_and_the_environment_wins_and_is_never_stored() {
    let board = elsewhere().await;
    let home = Home::new();
    let ended = answer(
        &mut at(&home, &board.url, &["login", "--token", "-"]),
        &["planted-session"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        kept_value(&home)["token"],
        "planted-next-1",
        "it came with the answer"
    );
    assert_eq!(run(&home, &board.url, &["whoami"]).code, Some(0));
    assert_eq!(kept_value(&home)["token"], "planted-next-2");
    let mut with_variable = at(&home, &board.url, &["whoami"]);
    let ended = Running::start(with_variable.env("PRODMCP_TOKEN", "planted-variable")).ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(kept_value(&home)["token"], "planted-next-2");
    let shown: Vec<_> = board
        .world()
        .iter()
        .map(|(_, shown)| shown.clone().unwrap())
        .collect();
    assert_eq!(
        shown,
        [
            "Bearer planted-session",
            "Bearer planted-next-1",
            "Bearer planted-variable"
        ]
    );
    // one that is pasted and begins so never rolls
    let mut pasting = at(&home, &board.url, &["login", "--token", "-"]);
    let ended = answer(
        pasting.env("PRODMCP_TOKEN", "planted-variable"),
        &["pat_planted"],
    );
    assert!(ended.stderr.contains("PRODMCP_TOKEN is set"), "{ended:?}");
    let value = kept_value(&home);
    assert_eq!(
        (&value["kind"], &value["token"]),
        (&json!("token"), &json!("pat_planted"))
    );
    let said = format!("{ended:?}");
    assert!(!said.contains("planted"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_of_the_reference_is_not_sent_elsewhere_and_never_written() {
    let stranger = elsewhere().await;
    let home = Home::new();
    let text = r#"{"token":"planted-reference","kind":"session","email":"ana@example.org"}"#;
    let theirs = home.file(".prodmcp/credentials.json", text);
    for arguments in [&["whoami"][..], &["call", "-c", "prodmcp", "board_list"]] {
        let ended = run(&home, &stranger.url, arguments);
        assert!(!format!("{ended:?}").contains("planted"), "{ended:?}");
    }
    assert!(stranger.world().iter().all(|(_, shown)| shown.is_none()));
    assert!(!kept(&home).exists());
    // its own place is not asked by a test: nobody is there
    let nobody = Reserved::new();
    let mut default = home.command(&["whoami"]);
    let ended = Running::start(default.env("HTTPS_PROXY", nobody.url())).ended();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("was taken over for https://deploysition.cloud"),
        "{ended:?}"
    );
    assert_eq!(kept_value(&home)["origin"], "https://deploysition.cloud");
    let ended = Running::start(default.env("HTTPS_PROXY", nobody.url())).ended();
    assert!(!ended.stderr.contains("taken over"), "once: {ended:?}");
    assert_eq!(home.run(&["logout"]).code, Some(0));
    let ended = home.run(&["whoami"]);
    assert_eq!(
        (ended.code, ended.stderr.trim()),
        (Some(3), "not signed in")
    );
    assert_eq!(std::fs::read_to_string(theirs).unwrap(), text);
}

#[test]
fn a_home_that_takes_nothing_loses_nothing() {
    let board = board();
    let token = board.home.token("ana");
    let home = Home::new();
    home.file(".local/share/footbridge", "a file where a folder belongs");
    let ended = answer(
        &mut at(&home, &board.base, &["login", "--token", "-"]),
        &[&token],
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("the login is good, but the credentials cannot be written"),
        "{ended:?}"
    );

    // a disk that is full
    let home = Home::new();
    let login = |lines: &[&str], limit: &str| {
        let program = crate::harness::process::PROGRAM;
        let script = format!("trap '' XFSZ; {limit} exec {program} login --token -");
        let mut command = home.other_program("sh", &["-c", &script]);
        answer(command.env("PRODMCP_BASE_URL", &board.base), lines)
    };
    assert_eq!(login(&[&token], "").code, Some(0));
    let before = std::fs::read_to_string(kept(&home)).unwrap();
    let other = board.home.token("local");
    let ended = login(&[&other], "ulimit -f 0;");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("what was kept before stays"),
        "{ended:?}"
    );
    assert_eq!(std::fs::read_to_string(kept(&home)).unwrap(), before);
    assert_eq!(
        std::fs::read_dir(kept(&home).parent().unwrap())
            .unwrap()
            .count(),
        1
    );

    // what somebody wrote into it is said, and a login mends it
    std::fs::write(kept(&home), "planted").unwrap();
    let ended = run(&home, &board.base, &["whoami"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains("login prodmcp writes them anew"),
        "{ended:?}"
    );
    assert_eq!(login(&[&token], "").code, Some(0));
    assert_eq!(run(&home, &board.base, &["whoami"]).code, Some(0));
}

#[test]
fn two_at_once_both_end_well() {
    let board = board();
    let (home, token) = (Home::new(), board.home.token("ana"));
    let mut all: Vec<Running> = (0..4)
        .map(|_| Running::start_piped(&mut at(&home, &board.base, &["login", "--token", "-"])))
        .collect();
    for one in &mut all {
        one.send(&token);
    }
    for one in all {
        assert_eq!(one.ended().code, Some(0));
    }
    assert_eq!(run(&home, &board.base, &["whoami"]).code, Some(0));
}

#[test]
fn what_takes_no_login_says_so() {
    let home = Home::new();
    for (arguments, said) in [
        (&["login", "board"][..], "needs no login"),
        (
            &["login", "taiga", "--token", "x"],
            "TAIGA_BASE_URL is not set",
        ),
        (&["whoami", "taiga"], "TAIGA_BASE_URL is not set"),
        (&["login", "taigo"], "taiga"),
    ] {
        let ended = home.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?} {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments:?} {ended:?}");
    }
}

/// A secret is in no file but its own, no output, no log, no list of processes and no environment.
#[test]
fn a_planted_secret_is_in_its_own_file_alone() {
    let board = board();
    let (home, token) = (Home::new(), board.home.token("ana"));
    let mut said = String::new();
    let ended = answer(
        at(&home, &board.base, &["login", "--token", "-"]).env("FOOTBRIDGE_LOG", "trace"),
        &[&token],
    );
    said.push_str(&format!("{ended:?}"));
    let mut command = at(&home, &board.base, &["serve", "prodmcp"]);
    let log = home.path().join("footbridge.log");
    let logging = command
        .env("FOOTBRIDGE_LOG", "trace")
        .args(["--log-format", "json", "--log-file"])
        .arg(&log);
    let mut session = Session::start(logging);
    session.call("board_list", json!({})).unwrap();
    for name in ["cmdline", "environ"] {
        let path = format!("/proc/{}/{name}", session.running.id());
        said.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
    }
    said.push_str(&format!("{:?}", session.finish()));
    for arguments in [
        &["whoami", "--json"][..],
        &["doctor", "prodmcp"],
        &["doctor", "prodmcp", "--json"],
    ] {
        let mut command = at(&home, &board.base, arguments);
        let ended = Running::start(command.env("FOOTBRIDGE_LOG", "trace")).ended();
        said.push_str(&format!("{ended:?}"));
    }
    assert!(!said.contains(&token), "{said}");
    let lines = std::fs::read_to_string(&log).unwrap();
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{lines}"
    );
    let call = lines
        .lines()
        .find(|line| line.contains("board_list"))
        .unwrap();
    let call: Value = serde_json::from_str(call).unwrap();
    assert_eq!(
        (&call["tool"], &call["outcome"], &call["client"]),
        (&json!("board_list"), &json!("answered"), &json!("test"))
    );
    assert!(call["ms"].is_u64() && call["bytes"].is_u64(), "{call}");
    let mut holding = Vec::new();
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains(&token) {
                holding.push(path);
            }
        }
    }
    assert_eq!(holding, [kept(&home)]);
}

/// A client that started it without a login is told what to do, and need not be started again.
#[test]
fn a_client_is_told_what_is_missing_and_the_next_call_works() {
    let board = board();
    let (home, token) = (Home::new(), board.home.token("ana"));
    let mut running = Running::start_piped(&mut home.command(&["serve", "prodmcp"]));
    running.send(crate::harness::session::initialize("2025-11-25").to_string());
    let answer: Value = serde_json::from_str(&running.line().unwrap()).unwrap();
    let instructions = answer["result"]["instructions"].as_str().unwrap();
    assert!(
        instructions.starts_with("prodmcp: nobody is logged in: run footbridge login prodmcp"),
        "{instructions}"
    );
    drop(running);

    let mut session = Session::start(&mut home.command(&["serve", "prodmcp"]));
    assert_eq!(session.tools().len(), 5);
    for _ in 0..2 {
        let said = session.call("board_list", json!({})).unwrap_err();
        assert!(
            said.contains("footbridge login prodmcp") && said.contains("settings.yaml"),
            "{said}"
        );
    }
    // an address in the settings file, and a login there
    let settings = |base: &str| {
        let text =
            format!("connectors:\n  prodmcp:\n    settings: {{ PRODMCP_BASE_URL: \"{base}\" }}\n");
        home.file(".config/footbridge/settings.yaml", text);
    };
    settings(&board.base);
    let mut login = Running::start_piped(&mut home.command(&["login", "--token", "-"]));
    login.send(&token);
    assert_eq!(login.ended().code, Some(0));
    session.call("board_list", json!({})).unwrap();
    // what is wrong later is said too, and mended
    settings("not an address");
    let said = session.call("board_list", json!({})).unwrap_err();
    assert!(
        said.contains("PRODMCP_BASE_URL must be an address"),
        "{said}"
    );
    settings(&board.base);
    session.call("board_list", json!({})).unwrap();
    assert_eq!(home.run(&["logout"]).code, Some(0));
    session.call("board_list", json!({})).unwrap_err();
    let ended = session.finish();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("warning: prodmcp: nobody is logged in"),
        "{ended:?}"
    );
}

/// A change is undone by the account that made it, and recorded as that of whoever is logged in.
#[test]
fn a_change_is_not_undone_by_another_login() {
    let (board, home) = (board(), Home::new());
    let add = ["account", "add", "ben", "--email", "ben@example.org"];
    board.home.succeed(&add);
    let log_in = |account: &str| {
        let token = board.home.token(account);
        let mut login = at(&home, &board.base, &["login", "prodmcp", "--token", "-"]);
        assert_eq!(answer(&mut login, &[&token]).code, Some(0));
    };
    let make = ["call", "-c", "prodmcp", "--allow", "write", "board_create"];
    let undo = ["changes", "undo", "1", "--yes", "--allow", "write,destroy"];
    log_in("ana");
    let made = run(&home, &board.base, &[&make[..], &["name=One"]].concat());
    assert_eq!(made.code, Some(0), "{made:?}");
    log_in("ben");
    let refused = run(&home, &board.base, &undo);
    let told = refused.stdout + &refused.stderr;
    assert!(told.contains("other settings than those of"), "{told}");
    log_in("ana");
    let undone = run(&home, &board.base, &undo);
    assert_eq!(undone.code, Some(0), "{undone:?}");
}
