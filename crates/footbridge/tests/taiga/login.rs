//! `footbridge login taiga`: a name and a password become a session that is kept, renewed and shared,
//! and a client that started the server too early is told and need not start it again.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::process::{Ended, Home, Running};
use crate::harness::session::Session;
use crate::served::has_no_secret;
use crate::stand_in::{PASSWORD, StandIn};

fn at(home: &Home, stand_in: &StandIn, arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    command.env("TAIGA_BASE_URL", stand_in.api());
    command
}

fn login(home: &Home, stand_in: &StandIn, lines: &[&str]) -> Ended {
    let mut running = Running::start_piped(&mut at(home, stand_in, &["login", "taiga"]));
    for line in lines {
        running.send(line);
    }
    running.close_input();
    let ended = running.ended();
    has_no_secret(&format!("{ended:?}"));
    ended
}

fn kept(home: &Home) -> Value {
    let text = std::fs::read_to_string(home.data().join("credentials/taiga.json")).unwrap();
    assert!(!text.contains(PASSWORD), "{text}");
    serde_json::from_str::<Value>(&text).unwrap()["credentials"][0].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_kept_renewed_and_shared() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    let ended = login(&home, &stand_in, &["admin", PASSWORD]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "User name or e-mail: Password of that user: ");
    assert!(
        ended.stderr.ends_with("ok signed in as admin\n"),
        "{ended:?}"
    );
    let first = kept(&home);
    assert_eq!(first["kind"], "session");
    assert!(first["renewal"]["refresh"].is_string(), "{first}");
    assert_eq!(first["renewal"].as_object().unwrap().len(), 1, "{first}");

    let mut session = Session::start(&mut at(&home, &stand_in, &["serve", "taiga"]));
    session.call("taiga_projects_list", json!({})).unwrap();
    assert_eq!(kept(&home), first);
    stand_in.world().expire_access_tokens();
    session.call("taiga_projects_list", json!({})).unwrap();
    let second = kept(&home);
    assert_ne!(
        (&second["token"], &second["renewal"]),
        (&first["token"], &first["renewal"])
    );
    // another program goes on with what this one renewed
    let who = Running::start(&mut at(&home, &stand_in, &["whoami", "taiga"])).ended();
    assert!(
        who.code == Some(0) && who.stdout.contains("admin"),
        "{who:?}"
    );
    assert_eq!(kept(&home), second);
    session.finish();
    let world = stand_in.world();
    let lines = world.seen.lines();
    let logins = lines.iter().filter(|line| **line == "POST /auth").count();
    assert_eq!(logins, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_what_is_missing_and_what_is_refused() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    let mut session = Session::start(&mut home.command(&["serve", "taiga"]));
    assert!(session.tools().len() > 10);
    let said = session.call("taiga_projects_list", json!({})).unwrap_err();
    for word in [
        "TAIGA_BASE_URL is not set",
        "footbridge login taiga",
        "settings.yaml",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let settings = |more: &str| {
        let text = format!(
            "connectors:\n  taiga:\n    settings: {{ TAIGA_BASE_URL: \"{}\"{more} }}\n",
            stand_in.api()
        );
        home.file(".config/footbridge/settings.yaml", text);
    };
    settings("");
    let said = session.call("taiga_projects_list", json!({})).unwrap_err();
    assert!(
        said.contains("or log in: footbridge login taiga") && !said.contains("TAIGA_BASE_URL is"),
        "{said}"
    );
    // a refused password is sent once, and again only when something changed
    settings(", TAIGA_USERNAME: admin, TAIGA_PASSWORD: planted-and-wrong");
    for _ in 0..3 {
        let said = session.call("taiga_projects_list", json!({})).unwrap_err();
        assert!(
            said.contains("refused the login") && said.contains("footbridge login taiga"),
            "{said}"
        );
    }
    assert_eq!(stand_in.world().seen.lines(), ["POST /auth"]);
    settings("");
    assert_eq!(login(&home, &stand_in, &["admin", PASSWORD]).code, Some(0));
    session.call("taiga_projects_list", json!({})).unwrap();
    let ended = session.finish();
    has_no_secret(&format!("{ended:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_leaves_the_earlier_one() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    assert_eq!(login(&home, &stand_in, &["admin", PASSWORD]).code, Some(0));
    let before = kept(&home);
    let ended = login(&home, &stand_in, &["admin", "planted-and-wrong"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("login failed: Taiga refused the login"),
        "{ended:?}"
    );
    assert_eq!(kept(&home), before);
}
