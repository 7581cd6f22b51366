//! The actions from a shell, by the script of `packaging/actions`: its commands before a server,
//! and what it says when something is missing.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::door::{Door, KEY};
use crate::stand_in::StandIn;

async fn run(words: &[&str], variables: &[(&str, &str)]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/actions/actions.sh");
    tokio::process::Command::new(script)
        .args(words)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .envs(variables.iter().copied())
        .output()
        .await
        .expect("the script, and curl, are to be had")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scripts_commands_do_what_they_say() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let act = async |words: &[&str]| -> Value {
        let ended = run(
            words,
            &[
                ("TAIGA_PROXY_BASE_URL", door.url()),
                ("ACTION_PROXY_API_KEY", KEY),
            ],
        )
        .await;
        assert!(ended.status.success(), "{words:?}: {ended:?}");
        serde_json::from_slice(&ended.stdout).unwrap()
    };
    let found = act(&["list-projects", "example 1"]).await;
    assert_eq!(found["projects"][0]["slug"], "project-1");
    let epics = act(&["list-epics", "2", "1"]).await;
    assert_eq!(epics["epics"][0]["project_id"], 2);
    let statuses = act(&["list-statuses", "1"]).await;
    assert_eq!(statuses["statuses"][2]["name"], "In progress");

    let (subject, description) = ("\"Quoted\" \\ and 100 % & more", "one\n\ttwo");
    let created = act(&["create-story", "1", subject, description]).await;
    assert_eq!(created["story"]["subject"], json!(subject));
    let id = created["story"]["id"].to_string();
    let link = act(&[
        "add-story-to-epic",
        &epics["epics"][0]["id"].to_string(),
        &id,
    ])
    .await;
    assert_eq!(link["link"]["user_story"], created["story"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_wrong_is_a_sentence() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let base = ("TAIGA_PROXY_BASE_URL", door.url());
    let key = ("ACTION_PROXY_API_KEY", KEY);
    for (words, variables, code, names) in [
        (&["list-projects"][..], &[key][..], 2, "--base-url"),
        (&["list-projects"], &[base], 2, "ACTION_PROXY_API_KEY"),
        (&["fly"], &[base, key], 2, "'fly' is no command"),
        (
            &["create-story", "one", "x"],
            &[base, key],
            2,
            "'one' is no id",
        ),
        (&["list-epics"], &[base, key], 2, "list-epics PROJECT_ID"),
        (&[], &[base, key], 2, "list-projects [SEARCH]"),
    ] {
        let ended = run(words, variables).await;
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{words:?}: {told}");
        assert!(told.contains(names), "{words:?}: {told}");
    }
    // the server's own words, and a code that tells that it refused
    let ended = run(
        &["list-statuses", "0"],
        &[base, ("ACTION_PROXY_API_KEY", "another")],
    )
    .await;
    assert!(!ended.status.success());
    assert!(!String::from_utf8_lossy(&ended.stdout).is_empty());
}
