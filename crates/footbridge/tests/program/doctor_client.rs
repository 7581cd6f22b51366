//! `footbridge doctor --client`: a file that `install` wrote is well, and every way in which a
//! client's file goes wrong is said with what to do; what is not this program is never started.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::process::{Ended, Home, PROGRAM, Running};

const CLIENTS: [&str; 9] = [
    "claude-code",
    "claude-desktop",
    "codex",
    "vscode",
    "cursor",
    "gemini-cli",
    "zed",
    "opencode",
    "windsurf",
];

fn doctor(home: &Home, client: &str) -> Ended {
    home.run(&["doctor", "--client", client])
}

#[test]
fn what_was_installed_is_well_in_every_client() {
    for client in CLIENTS {
        let home = Home::new();
        let before = doctor(&home, client);
        assert_eq!(before.code, Some(1), "{client}: {before:?}");
        assert!(
            before
                .stdout
                .contains(&format!("footbridge install {client} adds it"))
        );
        home.succeed(&["install", client]);
        let ended = doctor(&home, client);
        assert_eq!(ended.code, Some(0), "{client}: {ended:?}");
        for word in [PROGRAM, "answers in", "tools", "MCP 2025-11-25"] {
            assert!(ended.stdout.contains(word), "{word}: {ended:?}");
        }
        let shown = home.succeed(&["doctor", "--client", client, "--json"]);
        let found: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(found["client"], client);
        let findings = found["files"][0]["findings"].as_array().unwrap();
        assert!(
            findings
                .iter()
                .all(|finding| finding["is_well"] == json!(true)),
            "{found}"
        );
        home.succeed(&["uninstall", client]);
        assert_eq!(doctor(&home, client).code, Some(1));
    }
}

#[test]
fn every_finding_comes_with_what_to_do() {
    let servers = |entry: &Value| json!({ "mcpServers": { "footbridge": entry } }).to_string();
    let good = json!({ "command": PROGRAM, "args": ["serve", "--transport", "stdio"] });
    let with = |key: &str, value: Value| {
        let mut entry = good.clone();
        entry[key] = value;
        servers(&entry)
    };
    for (client, file, text, words) in [
        (
            "cursor",
            ".cursor/mcp.json",
            with("command", json!("/gone/footbridge")),
            [
                "there is no program /gone/footbridge",
                "footbridge install cursor writes it anew",
            ],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            with("command", json!("\"/opt/my tools/footbridge\"")),
            [
                "quotation marks",
                "/opt/my tools/footbridge alone is the program",
            ],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            with("command", json!("footbridge serve taiga")),
            [
                "is the program and its arguments",
                "footbridge alone is the program",
            ],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            with("command", json!("~/bin/footbridge")),
            ["is not the path itself", "writes it anew"],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            with("command", json!("./footbridge")),
            ["depends on the folder", "was not started"],
        ),
        (
            "claude-desktop",
            ".config/Claude/claude_desktop_config.json",
            with("command", json!("footbridge")),
            ["clients with windows have none of yours", "writes it anew"],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            with("env", json!({ "TAIGA_PASSWORD": "planted" })),
            [
                "env.TAIGA_PASSWORD stands there in plain text",
                "settings file",
            ],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            with("disabled", json!(true)),
            ["it is switched off", "switch it on"],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            with("args", json!(["serve", "--settings", "/gone.yaml"])),
            [
                "it ended without an answer; it says: footbridge: cannot read the settings file /gone.yaml",
                "start it in a terminal",
            ],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            with("args", json!(["version"])),
            [
                "no message of MCP to its standard output: footbridge",
                "start it in a terminal",
            ],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            "{\"mcpServers\": {".to_owned(),
            ["line 1", "Cursor does not read it either"],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            "{\"mcpServers\": []}".to_owned(),
            [
                "mcpServers has no server of ours",
                "footbridge install cursor adds it",
            ],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            servers(&json!({ "url": 1 })),
            ["neither what to start nor where", "uninstall cursor"],
        ),
        (
            "vscode",
            ".config/Code/User/mcp.json",
            servers(&good),
            [
                "stands under mcpServers, and VS Code looks under servers",
                "move it",
            ],
        ),
        (
            "windsurf",
            ".codeium/windsurf/mcp_config.json",
            servers(&json!({ "url": "http://h/mcp" })),
            ["neither what to start nor where", "uninstall windsurf"],
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            servers(&json!({ "url": "http://u:planted@127.0.0.1:9/mcp" })),
            ["the address holds a secret", "--bearer-variable"],
        ),
        (
            "gemini-cli",
            ".gemini/settings.json",
            format!("{{\"mcpServers\": {{\"footbridge\": {good}}},}} // mine"),
            ["a comma behind the last", "take it out"],
        ),
        (
            "claude-desktop",
            ".config/Claude/claude_desktop_config.json",
            format!("{} // mine", servers(&good)),
            ["it has comments", "take them out"],
        ),
    ] {
        let home = Home::new();
        home.file(file, &text);
        let ended = doctor(&home, client);
        assert_eq!(ended.code, Some(1), "{text}: {ended:?}");
        for word in words {
            assert!(ended.stdout.contains(word), "{word:?} of {text}: {ended:?}");
        }
        assert!(!ended.stdout.contains("planted"), "{ended:?}");
    }
}

#[test]
fn another_program_of_our_name_is_not_started() {
    let home = Home::new();
    let other = home.file("bin/footbridge", "#!/bin/sh\ntouch \"$HOME/started\"\n");
    std::fs::set_permissions(&other, PermissionsExt::from_mode(0o755)).unwrap();
    let project = home.path().join("project");
    for (file, command) in [
        (".cursor/mcp.json", other.to_str().unwrap()),
        (".cursor/mcp.json", "footbridge"),
        ("project/.cursor/mcp.json", "../bin/footbridge"),
    ] {
        let home_path = std::env::join_paths([home.path().join("bin"), "/usr/bin".into()]).unwrap();
        let text = json!({ "mcpServers": { "footbridge": { "command": command, "args": [] } } });
        home.file(file, text.to_string());
        std::fs::create_dir_all(&project).unwrap();
        let command: &mut Command = &mut home.command(&["doctor", "--client", "cursor"]);
        let ended = Running::start(command.current_dir(&project).env("PATH", home_path)).ended();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stdout.contains("was not started"), "{ended:?}");
    }
    assert!(!home.path().join("started").exists());
}

#[test]
fn what_this_shell_alone_has_is_not_handed_on() {
    let home = Home::new();
    home.succeed(&["install", "cursor"]);
    let command = &mut home.command(&["doctor", "--client", "cursor"]);
    // refused by every command that reads it
    let ended = Running::start(command.env("FOOTBRIDGE_HOST", "nonsense")).ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn an_address_is_asked_with_the_bearer_that_the_entry_names() {
    let home = Home::new();
    let (server, base) = Running::start_http(
        home.command(&["serve"])
            .env("FOOTBRIDGE_TOKEN", "a-long-bearer-for-a-test"),
    );
    let url = format!("{base}/mcp");
    for client in [
        "claude-code",
        "codex",
        "cursor",
        "gemini-cli",
        "opencode",
        "windsurf",
    ] {
        home.succeed(&[
            "install",
            client,
            "--http",
            &url,
            "--bearer-variable",
            "MY_BEARER",
        ]);
        let unset = doctor(&home, client);
        assert_eq!(unset.code, Some(1), "{unset:?}");
        assert!(
            unset
                .stdout
                .contains("set MY_BEARER where the client is started"),
            "{unset:?}"
        );
        let command = &mut home.command(&["doctor", "--client", client]);
        let ended = Running::start(command.env("MY_BEARER", "a-long-bearer-for-a-test")).ended();
        assert_eq!(ended.code, Some(0), "{client}: {ended:?}");
        assert!(!format!("{ended:?}").contains("a-long-bearer"), "{ended:?}");
        let wrong = Running::start(command.env("MY_BEARER", "another-bearer")).ended();
        assert_eq!(wrong.code, Some(1), "{wrong:?}");
    }
    assert_eq!(server.stop().code, Some(0));
    let command = &mut home.command(&["doctor", "--client", "zed"]);
    home.succeed(&["install", "zed", "--http", &url]);
    let gone = Running::start(command).ended();
    assert!(gone.stdout.contains("is the server running?"), "{gone:?}");
}

#[test]
fn a_client_and_backends_are_looked_at_together() {
    let home = Home::new();
    home.succeed(&["install", "cursor"]);
    let shown = home.succeed(&["doctor", "board", "--client", "cursor", "--json"]);
    let found: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(found["client"]["client"], "cursor");
    assert_eq!(found["backends"][0]["connector"], "board");
    let unknown = home.run(&["doctor", "--client", "curser"]);
    assert!(
        unknown.complaint(2).contains("did you mean cursor?"),
        "{unknown:?}"
    );
}
