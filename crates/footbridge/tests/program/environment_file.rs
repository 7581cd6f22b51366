//! The `.env` file: what it sets, what goes before it, when it is not read, and lines that cannot
//! be read.

use std::collections::BTreeSet;
use std::path::Path;

use crate::harness::process::{Home, Running};

/// The board is kept where the variable says: a command that makes it shows which was taken.
fn keeps_its_board_in(home: &Home, variables: &[(&str, &str)], arguments: &[&str], folder: &str) {
    let ended = Running::start(
        home.command(arguments)
            .current_dir(home.path())
            .envs(variables.iter().copied()),
    )
    .ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let database = home.path().join(folder).join("footbridge.db");
    assert!(
        database.exists(),
        "{arguments:?}: no {}",
        database.display()
    );
    std::fs::remove_dir_all(home.path().join(folder)).unwrap();
}

#[test]
fn the_file_sets_what_neither_flag_nor_environment_sets() {
    let home = Home::new();
    home.file(".env", "FOOTBRIDGE_DATA=from-file\n");
    home.file(
        "other.env",
        "export FOOTBRIDGE_DATA='from other'\nFOOTBRIDGE_ALLOW=write,destroy\n",
    );
    keeps_its_board_in(&home, &[], &["call", "whoami"], "from-file");
    keeps_its_board_in(
        &home,
        &[("FOOTBRIDGE_DATA", "from-environment")],
        &["call", "whoami"],
        "from-environment",
    );
    keeps_its_board_in(
        &home,
        &[("FOOTBRIDGE_DATA", "")],
        &["call", "whoami"],
        ".local/share/footbridge",
    );
    keeps_its_board_in(
        &home,
        &[],
        &["call", "whoami", "--data", "from-flag"],
        "from-flag",
    );
    keeps_its_board_in(
        &home,
        &[],
        &["call", "whoami", "--env-file", "other.env"],
        "from other",
    );
    keeps_its_board_in(
        &home,
        &[],
        &["call", "--env-file", "other.env", "whoami", "--"],
        "from other",
    );
    let run = |arguments: &[&str]| {
        Running::start(home.command(arguments).current_dir(home.path())).ended()
    };
    let all = run(&["tools", "--env-file", "other.env"]).stdout;
    assert_eq!(all.lines().count(), 12, "{all}");
    // A switch is there or not.
    for (value, starts) in [("true", true), ("false", true), ("perhaps", false)] {
        home.file(
            ".env",
            format!("FOOTBRIDGE_REQUIRE_ALL={value}\nFOOTBRIDGE_TRANSPORT=stdio\n"),
        );
        let ended = run(&["serve"]);
        assert_eq!(
            (
                ended.code == Some(0),
                ended.stderr.contains("--require-all")
            ),
            (starts, !starts),
            "{ended:?}"
        );
    }
    // A secret of a connector, and one of the door.
    home.file(".env", "PRODMCP_TOKEN_FILE=/nowhere/token\n");
    assert!(
        run(&["tools", "-c", "prodmcp"])
            .complaint(2)
            .contains("/nowhere/token")
    );
    home.file(".env", "FOOTBRIDGE_TOKEN='two words'\n");
    let ended = Running::start(home.command(&["serve"]).current_dir(home.path())).ended();
    assert!(
        ended.stderr.contains("FOOTBRIDGE_TOKEN") && !ended.stderr.contains("two"),
        "{ended:?}"
    );
}

#[test]
fn whoever_serves_http_says_that_there_is_a_file_and_a_client_over_stdio_brings_none() {
    let home = Home::new();
    home.file(
        ".env",
        "FOOTBRIDGE_ALLOW=write,destroy\nFOOTBRIDGE_DATA=kept\n",
    );
    let (running, _) = Running::start_http(home.command(&["serve"]).current_dir(home.path()));
    assert!(
        running.said().contains("an environment file"),
        "{}",
        running.said()
    );
    drop(running);
    assert!(home.path().join("kept/footbridge.db").exists());
    let count = |arguments: &[&str]| {
        let mut session = crate::harness::session::Session::start(
            home.command(arguments).current_dir(home.path()),
        );
        session.tools().len()
    };
    assert_eq!(count(&["serve"]), 10);
    assert_eq!(count(&["serve", "--env-file", ".env"]), 12);
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_not_shown() {
    let home = Home::new();
    let run = |arguments: &[&str]| {
        Running::start(home.command(arguments).current_dir(home.path())).ended()
    };
    home.file(".env", "A=1\nplanted secret\n");
    let ended = run(&["tools"]);
    let complaint = ended.complaint(2);
    assert!(
        complaint.contains(".env")
            && complaint.contains("line 2")
            && !complaint.contains("planted"),
        "{complaint}"
    );
    home.file(".env", b"A=\xff\n");
    assert!(run(&["tools"]).complaint(2).contains("UTF-8"));
    home.file(".env", format!("A={}\n", "x".repeat((64 << 10) - 3)));
    assert_eq!(run(&["tools"]).code, Some(0));
    home.file(".env", format!("A={}\n", "x".repeat((64 << 10) - 2)));
    assert!(
        run(&["tools"])
            .complaint(2)
            .contains("larger than 65536 bytes")
    );
    // A value is blamed on its variable, as in the environment.
    home.file(".env", "PORT=eighty\n");
    assert!(
        run(&["serve"])
            .complaint(2)
            .contains("the variable PORT is \"eighty\"")
    );
    assert_eq!(run(&["tools"]).code, Some(0));
    std::fs::remove_file(home.path().join(".env")).unwrap();
    std::fs::create_dir(home.path().join(".env")).unwrap();
    assert_eq!(run(&["tools"]).code, Some(0));
    assert!(
        run(&["tools", "--env-file", "gone"])
            .complaint(2)
            .contains("gone")
    );
}

/// `.env.example` names what there is to set, all of it, and nothing else.
#[test]
fn the_example_holds_every_variable_and_can_be_used_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let example = read(".env.example");
    let names: BTreeSet<String> = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        })
        .collect();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for row in read("docs/operating.md")
        .lines()
        .filter(|line| line.starts_with('|'))
    {
        let words = row.split('`').skip(1).step_by(2);
        known.extend(
            words
                .filter(|word| {
                    word.len() > 3 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
                })
                .map(str::to_owned),
        );
    }
    for name in ["prodmcp.yaml", "taiga.yaml", "trueppm.yaml", "ptm.yaml"] {
        let connector =
            footbridge_connector::compile(name, &read(&format!("connectors/{name}"))).unwrap();
        known.extend(
            connector
                .setting_rules()
                .iter()
                .filter(|setting| !setting.asked)
                .map(|setting| setting.name.clone()),
        );
    }
    // A file instead of a value is the same setting.
    known.retain(|name| {
        !name.ends_with("_FILE")
            || ["FOOTBRIDGE_CA_FILE", "FOOTBRIDGE_LOG_FILE"].contains(&name.as_str())
    });
    assert_eq!(names, known);
    let home = Home::new();
    home.file(".env", &example);
    let ended = Running::start(home.command(&["tools"]).current_dir(home.path())).ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
