//! Links named as the programs that Footbridge takes the place of: each is that program, with its
//! transport, its verbs and its exit codes, and with the gate as it is.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::http;
use crate::harness::process::{Home, PROGRAM, Running};
use crate::harness::session::{REVISION, initialize};

fn link(home: &Home, name: &str) -> PathBuf {
    let path = home.path().join(name);
    symlink(PROGRAM, &path).unwrap();
    path
}

/// A token that nobody has: nothing is asked before these tests end.
fn settings(name: &str) -> Vec<(&'static str, &'static str)> {
    match name {
        "trueppm-mcp" => vec![
            ("TRUEPPM_API_URL", "http://127.0.0.1:1"),
            ("TRUEPPM_API_TOKEN", "tppm_x"),
        ],
        "ptm-mcp" => vec![
            ("PTM_API_BASE_URL", "http://127.0.0.1:1"),
            ("PTM_API_TOKEN", "t"),
        ],
        "taiga-mcp" => vec![
            ("TAIGA_BASE_URL", "http://127.0.0.1:1"),
            ("TAIGA_TOKEN", "t"),
            ("PORT", "0"),
        ],
        _ => vec![("PRODMCP_BASE_URL", "http://127.0.0.1:1")],
    }
}

#[test]
fn a_link_serves_its_connector_and_says_first_what_opens_writing() {
    let home = Home::new();
    for (name, title) in [
        ("prodmcp", Some("Production Board")),
        // a backend that is down ends it, before or after it has answered
        ("trueppm-mcp", None),
        ("ptm-mcp", Some("Prompt Test Manager")),
    ] {
        let mut command = home.other_program(link(&home, name), &[]);
        command.envs(settings(name));
        let mut running = Running::start_piped(&mut command);
        running.send(initialize(REVISION).to_string());
        if let Some(title) = title {
            let answer: Value = serde_json::from_str(&running.line().unwrap()).unwrap();
            let server = &answer["result"]["serverInfo"];
            assert!(
                server["title"].as_str().unwrap().contains(title),
                "{server}"
            );
        }
        running.close_input();
        let ended = running.ended();
        let first = ended.stderr.lines().next().unwrap_or_default();
        assert!(
            first.contains(&format!("in place of {name}"))
                && first.contains("--allow write,destroy"),
            "{name}: {ended:?}"
        );
    }
}

#[test]
fn taigas_serves_over_http() {
    let home = Home::new();
    let mut command = home.other_program(link(&home, "taiga-mcp"), &[]);
    command.envs(settings("taiga-mcp"));
    let mut running = Running::start_piped(&mut command);
    let base = running.address();
    assert!(running.said().contains("in place of taiga-mcp"));
    assert_eq!(http::get(&base, "/healthz").send().status, 200);
    running.stop();
}

/// Writes are open in the program of that name, and closed here until somebody opens them.
#[test]
fn the_gate_stays() {
    let home = Home::new();
    let program = link(&home, "prodmcp");
    let listed = |words: &[&str]| {
        let mut command = home.other_program(&program, words);
        command.envs(settings("prodmcp"));
        let mut running = Running::start_piped(&mut command);
        running.send(initialize(REVISION).to_string());
        running.line().unwrap();
        running.send(json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }).to_string());
        let answer = running.line().unwrap();
        running.close_input();
        running.ended();
        answer.contains("\"card_create\"") && answer.contains("\"card_delete\"")
    };
    assert!(!listed(&[]) && !listed(&["serve"]));
    assert!(listed(&["--allow", "write,destroy"]));
    assert!(listed(&["serve", "--allow", "write,destroy"]));
}

#[test]
fn the_verbs_of_prodmcp_are_there() {
    let home = Home::new();
    let program = link(&home, "prodmcp");
    let run = |words: &[&str]| Running::start(&mut home.other_program(&program, words)).ended();
    let version = run(&["version"]);
    let lines: Vec<&str> = version.stdout.lines().collect();
    assert_eq!((version.code, version.stderr.as_str()), (Some(0), ""));
    assert!(
        lines[0].starts_with("prodmcp 1.0.2 (footbridge "),
        "{lines:?}"
    );
    assert_eq!(lines[1], "server: https://deploysition.cloud");
    assert!(lines[2].starts_with("app: Production Board"));
    assert_eq!(lines[3], "models: 2");
    assert!(lines[4].starts_with("tools: ") && lines.len() == 5);
    let tools: Value = serde_json::from_str(&run(&["tools"]).stdout).unwrap();
    assert!(
        tools
            .as_array()
            .unwrap()
            .iter()
            .any(|tool| tool["name"] == "card_list")
    );
    let help = run(&["--help"]);
    assert_eq!(help.code, Some(0));
    for verb in [
        "login", "logout", "whoami", "version", "tools", "doctor", "update", "serve",
    ] {
        assert!(
            help.stdout.contains(&format!("\n  {verb}")),
            "{}",
            help.stdout
        );
    }
    assert_eq!(run(&["nonsense"]).code, Some(2));
    assert_eq!(run(&["version", "--nonsense"]).code, Some(2));
}

#[test]
fn mistakes_in_settings_begin_as_in_the_program_of_that_name() {
    let home = Home::new();
    let program = link(&home, "trueppm-mcp");
    let ended = Running::start(&mut home.other_program(&program, &["--transport", "http"])).ended();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    let problem = ended.stderr.lines().last().unwrap();
    assert!(
        problem.starts_with("Configuration error: ") && problem.contains("TRUEPPM_API_URL"),
        "{ended:?}"
    );
    let wrong =
        Running::start(&mut home.other_program(&program, &["--transport", "pigeon"])).ended();
    assert_eq!(wrong.code, Some(2));
}
