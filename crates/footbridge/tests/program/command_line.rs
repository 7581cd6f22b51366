//! The command line as people type it: what was meant, what is printed for whom, and where help
//! says what.

use serde_json::{Value, json};

use crate::harness::process::Home;

#[test]
fn a_word_that_is_none_is_answered_with_the_one_that_was_meant() {
    let home = Home::new();
    for (words, wanted) in [
        (
            vec!["instal", "codex"],
            "there is no command \"instal\"; did you mean install?",
        ),
        (
            vec!["tiaga"],
            "there is no command \"tiaga\"; did you mean taiga?",
        ),
        (vec!["serve", "tiaga"], "did you mean taiga"),
        (
            vec!["call", "card_lst"],
            "there is no tool \"card_lst\"; did you mean card_list?",
        ),
        (
            vec!["call", "taiga_project_list"],
            "did you mean taiga_projects_list?",
        ),
        (vec!["tools", "--jsn"], "unexpected argument '--jsn' found"),
    ] {
        let ended = home.run(&words);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(2), ""),
            "{ended:?}"
        );
        let first = ended.stderr.lines().next().unwrap();
        assert!(
            first.starts_with("footbridge: ") && first.contains(wanted),
            "{ended:?}"
        );
    }
}

/// Nothing is asked of it: what is missing are the connector's settings.
#[test]
fn a_tool_of_another_connector_finds_it() {
    let home = Home::new();
    let ended = home.run(&["call", "taiga_projects_list"]);
    assert!(ended.stderr.contains("TAIGA_BASE_URL"), "{ended:?}");
    let ended = home.run(&["call", "get_board_state", "project_id=1"]);
    assert!(ended.stderr.contains("TRUEPPM_API_URL"), "{ended:?}");
    // and the board's own stay the board's
    home.succeed(&["call", "card_list"]);
}

#[test]
fn tools_of_connectors_are_listed_by_their_names_as_serve_takes_them() {
    let home = Home::new();
    let one = home.succeed(&["tools", "taiga"]);
    assert!(one.contains("taiga_projects_list"), "{one}");
    assert_eq!(one, home.succeed(&["tools", "-c", "taiga"]));
    let both = home.succeed(&["tools", "taiga", "board", "--json"]);
    assert!(both.contains("taiga_projects_list") && both.contains("card_list"));
    let ended = home.run(&["tools", "tiaga"]);
    assert!(ended.stderr.contains("did you mean taiga"), "{ended:?}");
}

#[test]
fn arguments_are_an_object_and_json_is_an_output() {
    let home = Home::new();
    let board = home.succeed(&[
        "call",
        "board_create",
        "--arguments",
        r#"{"name":"Garden"}"#,
    ]);
    assert!(serde_json::from_str::<Value>(&board).is_ok(), "{board}");
    let older = home.run(&["call", "board_create", "--json", r#"{"name":"Shed"}"#]);
    assert_eq!(older.code, Some(0), "{older:?}");
    assert!(
        older.stderr.contains("note: --arguments OBJECT"),
        "{older:?}"
    );
    let list = home.succeed(&["call", "board_list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let pairs = home.succeed(&["call", "board_list", "--json", r#"filter={"name":"Shed"}"#]);
    let list: Value = serde_json::from_str(&pairs).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[test]
fn the_options_of_serve_stand_in_its_own_help_alone() {
    let home = Home::new();
    let all = home.succeed(&["--help"]);
    assert!(
        !all.contains("--allowed-origin") && !all.contains("--transport"),
        "{all}"
    );
    assert!(
        home.succeed(&["serve", "--help"])
            .contains("--allowed-origin")
    );
    // and are taken all the same
    let ended = home.run(&["--transport", "pigeon"]);
    assert!(ended.stderr.contains("pigeon"), "{ended:?}");
}

#[test]
fn every_shell_has_completions() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = home.succeed(&["completions", shell]);
        assert!(
            script.contains("footbridge") && script.contains("uninstall"),
            "{shell}"
        );
    }
    assert_eq!(home.run(&["completions", "dos"]).code, Some(2));
}

#[test]
fn scopes_and_ends_of_tokens_are_taken_as_help_says_them() {
    let home = Home::new();
    let help = home.succeed(&["token", "create", "--help"]);
    for scope in ["board:read", "board:write", "card:read", "card:write"] {
        assert!(help.contains(scope), "{help}");
        home.succeed(&["token", "create", scope, "--scope", scope]);
    }
    let soon = home.succeed(&["token", "create", "soon", "--expires", "30d", "--json"]);
    let soon: Value = serde_json::from_str(&soon).unwrap();
    let end = soon["expires_at"]
        .as_str()
        .unwrap()
        .parse::<jiff::Timestamp>()
        .unwrap();
    let days = (end - jiff::Timestamp::now())
        .total(jiff::Unit::Hour)
        .unwrap()
        / 24.0;
    assert!((29.5..=30.0).contains(&days), "{days}");
    for wrong in ["30", "0d", "d", "-1d", "30y", "soon"] {
        let ended = home.run(&["token", "create", "x", &format!("--expires={wrong}")]);
        assert_eq!(ended.code, Some(2), "{wrong}: {ended:?}");
        assert!(ended.stderr.contains("30d"), "{ended:?}");
    }
    let prefix = soon["prefix"].as_str().unwrap();
    let revoked = home.succeed(&["token", "revoke", prefix, "--json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&revoked).unwrap(),
        json!({ "revoked": prefix })
    );
}

/// The tests' own build has neither an address nor a key, and nobody's package.
#[test]
fn a_build_without_releases_says_so() {
    let home = Home::new();
    for words in [&["update"][..], &["update", "--check"]] {
        let ended = home.run(words);
        assert!(
            ended.complaint(1).contains("no address of releases"),
            "{ended:?}"
        );
    }
}

#[test]
fn the_version_has_its_revisions() {
    let home = Home::new();
    let version: Value = serde_json::from_str(&home.succeed(&["version", "--json"])).unwrap();
    assert_eq!(version["name"], "footbridge");
    assert!(version.as_object().unwrap().contains_key("commit"));
    assert_eq!(home.succeed(&["version"]).lines().count(), 2);
    assert!(home.succeed(&["--version"]).starts_with("footbridge "));
}
