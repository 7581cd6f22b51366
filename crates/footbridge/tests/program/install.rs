//! `footbridge install` and `uninstall`: realistic files of every client get our entry and lose it
//! again with all else kept, and the very command that stands in them is started and answers.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::process::{Ended, Home, PROGRAM, Running};
use crate::harness::session::Session;

/// A file as its user has it: where, and what else is in it.
struct Theirs {
    client: &'static str,
    file: &'static str,
    text: &'static str,
    /// Where our entry stands.
    key: &'static str,
}

const THEIRS: [Theirs; 9] = [
    Theirs {
        client: "claude-code",
        file: ".claude.json",
        text: "{\n  \"numStartups\": 12,\n  \"projects\": {\n    \"/home/u/a b\": { \"history\": [\"say \\\"hi\\\"\"] }\n  },\n  \"mcpServers\": {}\n}",
        key: "mcpServers",
    },
    Theirs {
        client: "claude-desktop",
        file: ".config/Claude/claude_desktop_config.json",
        text: "\u{feff}{\r\n\t\"mcpServers\": {\r\n\t\t\"filesystem\": {\r\n\t\t\t\"command\": \"npx\",\r\n\t\t\t\"args\": [\"-y\", \"server\", \"C:\\\\Users\\\\u\"]\r\n\t\t}\r\n\t}\r\n}\r\n",
        key: "mcpServers",
    },
    Theirs {
        client: "codex",
        file: ".codex/config.toml",
        text: "# my codex\nmodel = \"best\" # of all\n\n[mcp_servers.docs]\ncommand = 'npx'\nargs = [\n  \"-y\", # yes\n  \"docs\",\n]\n[mcp_servers.docs.env]\nTOKEN = \"planted\"\n\n[projects.\"/home/u\"]\ntrust_level = \"trusted\"\n# the end\n",
        key: "mcp_servers",
    },
    Theirs {
        client: "vscode",
        file: ".config/Code/User/mcp.json",
        text: "{\n\t// servers of mine\n\t\"servers\": {\n\t\t\"docs\": { \"type\": \"http\", \"url\": \"https://docs.example/mcp\" }, // keep\n\t},\n\t\"inputs\": [ { \"id\": \"key\", \"type\": \"promptString\", \"password\": true } ],\n}\n",
        key: "servers",
    },
    Theirs {
        client: "cursor",
        file: ".cursor/mcp.json",
        text: "{\"mcpServers\":{\"docs\":{\"url\":\"https://docs.example/mcp\",\"headers\":{\"X\":\"planted\"}}}}",
        key: "mcpServers",
    },
    Theirs {
        client: "gemini-cli",
        file: ".gemini/settings.json",
        text: "{\n    \"theme\": \"GitHub\",\n    /* servers follow */\n    \"mcpServers\": {\n        \"docs\": {\n            \"httpUrl\": \"https://docs.example/mcp\"\n        }\n        // no more\n    },\n\n    \"selectedAuthType\": \"oauth-personal\"\n}\n",
        key: "mcpServers",
    },
    Theirs {
        client: "zed",
        file: ".config/zed/settings.json",
        text: "// Zed settings\n//\n// For information, see the documentation.\n{\n  \"telemetry\": { \"metrics\": false },\n  \"theme\": \"One Dark\",\n}\n",
        key: "context_servers",
    },
    Theirs {
        client: "opencode",
        file: ".config/opencode/opencode.jsonc",
        text: "{\n  \"$schema\": \"https://opencode.ai/config.json\",\n  \"mcp\": {\n    \"docs\": { \"type\": \"remote\", \"url\": \"https://docs.example/mcp\", \"enabled\": false }\n  }\n}",
        key: "mcp",
    },
    Theirs {
        client: "windsurf",
        file: ".codeium/windsurf/mcp_config.json",
        text: "{\n  \"mcpServers\": {\n  }\n}\n",
        key: "mcpServers",
    },
];

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn backup_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap().to_str().unwrap();
    path.with_file_name(format!("{name}.footbridge-backup"))
}

fn install(home: &Home, arguments: &[&str]) -> Value {
    let shown = home.succeed(&[&["install"], arguments, &["--json"]].concat());
    serde_json::from_str(&shown).unwrap()
}

/// The words that a client would start.
fn words(entry: &Value) -> Vec<String> {
    let list = |value: &Value| -> Vec<String> {
        let words = value.as_array().unwrap().iter();
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    match &entry["command"] {
        Value::String(program) => [vec![program.clone()], list(&entry["args"])].concat(),
        line => list(line),
    }
}

#[test]
fn every_clients_file_keeps_all_else_and_comes_back_byte_for_byte() {
    for theirs in THEIRS {
        let home = Home::new();
        let path = home.file(theirs.file, theirs.text);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let report = install(&home, &[theirs.client]);
        let client = theirs.client;
        assert_eq!(report["outcome"], "added", "{client}");
        assert_eq!(report["file"], path.to_str().unwrap(), "{client}");
        let with = read(&path);
        assert!(
            with.contains(theirs.key) && with.contains(PROGRAM),
            "{with}"
        );
        for line in theirs.text.lines().map(str::trim) {
            let piece = line.trim_end_matches(['}', ' ']).trim_end_matches('{');
            assert!(with.contains(piece), "{client}: {piece:?} in {with}");
        }
        assert_eq!(mode(&path), 0o640, "{client}");
        let backup = backup_of(&path);
        assert_eq!(
            (read(&backup).as_str(), mode(&backup)),
            (theirs.text, 0o600)
        );

        let again = install(&home, &[client]);
        assert_eq!(again["outcome"], "unchanged", "{client}");
        assert_eq!(read(&path), with, "{client}");
        home.succeed(&["uninstall", client]);
        assert_eq!(read(&path), theirs.text, "{client}");
        assert_eq!(mode(&path), 0o640, "{client}");
        let absent = home.succeed(&["uninstall", client]);
        assert!(absent.contains("there is no footbridge in"), "{absent}");
    }
}

#[test]
fn the_very_command_that_is_written_is_started_and_answers() {
    for theirs in THEIRS {
        let home = Home::new();
        let report = install(&home, &[theirs.client]);
        let line = words(&report["entry"]);
        let command = &mut home.other_program(&line[0], &[]);
        let mut session = Session::start(command.args(&line[1..]));
        assert!(!session.tools().is_empty(), "{}", theirs.client);
        assert_eq!(session.finish().code, Some(0));
        let path = PathBuf::from(report["file"].as_str().unwrap());
        assert_eq!(mode(&path), 0o600, "{}", theirs.client);
        home.succeed(&["uninstall", theirs.client]);
        assert!(!path.exists(), "{}: the file was ours alone", theirs.client);
    }
}

#[test]
fn a_program_with_spaces_and_quotes_in_its_path_is_started_from_every_file() {
    let home = Home::new();
    let folder = home.path().join("my \"odd\" tools' \\place");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("footbridge");
    symlink(PROGRAM, &program).unwrap();
    for theirs in THEIRS {
        let ended =
            Running::start(&mut home.other_program(&program, &["install", theirs.client])).ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let text = read(&home.path().join(match theirs.client {
            "opencode" => ".config/opencode/opencode.json",
            _ => theirs.file,
        }));
        let entry = match theirs.client {
            "codex" => toml(&text)[theirs.key]["footbridge"].clone(),
            _ => serde_json::from_str::<Value>(&text).unwrap()[theirs.key]["footbridge"].clone(),
        };
        let line = words(&entry);
        assert_eq!(line[0], program.to_str().unwrap(), "links are kept");
        let command = &mut home.other_program(&line[0], &[]);
        let mut session = Session::start(command.args(&line[1..]));
        assert!(!session.tools().is_empty(), "{}", theirs.client);
    }
}

/// TOML as Python reads it, which did not write it.
fn toml(text: &str) -> Value {
    let program = "import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.argv[1])))";
    let output = Command::new("python3")
        .args(["-c", program, text])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?} of {text}"))
}

#[test]
fn what_came_later_stays_when_we_go() {
    let home = Home::new();
    let path = home.file(
        ".cursor/mcp.json",
        "{\n  \"mcpServers\": {\n    \"a\": { \"command\": \"a\" }\n  }\n}\n",
    );
    install(&home, &["cursor"]);
    let later = read(&path).replacen(
        "\"mcpServers\": {",
        "\"new\": 1,\n  \"mcpServers\": {\n    \"b\": { \"command\": \"b\" },",
        1,
    );
    std::fs::write(&path, &later).unwrap();
    home.succeed(&["uninstall", "cursor"]);
    let left: Value = serde_json::from_str(&read(&path)).unwrap();
    assert_eq!(
        left,
        json!({ "new": 1, "mcpServers": { "b": { "command": "b" }, "a": { "command": "a" } } })
    );
    assert_eq!(read(&backup_of(&path)), later);
}

#[test]
fn another_install_changes_what_is_ours_and_leaves_what_the_user_put_into_it() {
    let home = Home::new();
    let path = home.file(
        ".cursor/mcp.json",
        "{\"mcpServers\": {\"footbridge\": {\"command\": \"footbridge\", \"args\": [\"serve\"], \"env\": {\"A\": \"planted\"}}}}",
    );
    let shown = home.succeed(&[
        "install",
        "cursor",
        "taiga",
        "--allow",
        "write",
        "--dry-run",
    ]);
    assert!(
        shown.contains("would be changed") && !shown.contains("planted"),
        "{shown}"
    );
    let report = install(&home, &["cursor", "taiga", "--allow", "write"]);
    assert_eq!(report["outcome"], "changed");
    let entry = |path: &Path| {
        let whole: Value = serde_json::from_str(&read(path)).unwrap();
        whole["mcpServers"]["footbridge"].clone()
    };
    assert_eq!(
        entry(&path),
        json!({
            "command": PROGRAM, "env": { "A": "planted" },
            "args": ["serve", "taiga", "--transport", "stdio", "--allow", "write"],
        })
    );
    install(
        &home,
        &[
            "cursor",
            "--http",
            "https://mcp.example/mcp",
            "--bearer-variable",
            "MY_BEARER",
        ],
    );
    assert_eq!(
        entry(&path),
        json!({
            "env": { "A": "planted" }, "url": "https://mcp.example/mcp",
            "headers": { "Authorization": "Bearer ${env:MY_BEARER}" },
        })
    );
    let shown = home.succeed(&["uninstall", "cursor", "--dry-run"]);
    assert!(
        shown.contains("would be removed") && !shown.contains("planted"),
        "{shown}"
    );
}

#[test]
fn a_dry_run_shows_the_difference_and_changes_nothing() {
    for theirs in THEIRS {
        let home = Home::new();
        let path = home.file(theirs.file, theirs.text);
        let before = path.metadata().unwrap();
        let shown = home.succeed(&["install", theirs.client, "--dry-run"]);
        assert!(shown.contains("would be added to"), "{shown}");
        assert!(
            shown.contains("\n+ ") && shown.contains("--transport"),
            "{shown}"
        );
        assert!(!shown.contains("planted"), "{shown}");
        let after = path.metadata().unwrap();
        assert_eq!(
            (read(&path).as_str(), before.ino()),
            (theirs.text, after.ino())
        );
        assert!(!backup_of(&path).exists());
    }
    let home = Home::new();
    home.succeed(&["install", "cursor", "--dry-run"]);
    assert_eq!(home.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_link_stays_and_its_file_is_edited() {
    let home = Home::new();
    let real = home.file("dotfiles/zed.json", "{\n  // mine\n}\n");
    let link = home.path().join(".config/zed/settings.json");
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("../../dotfiles/zed.json", &link).unwrap();
    install(&home, &["zed"]);
    assert!(link.is_symlink() && read(&real).contains("context_servers"));
    assert!(backup_of(&real).exists() && !backup_of(&link).exists());
    home.succeed(&["uninstall", "zed"]);
    assert_eq!(read(&real), "{\n  // mine\n}\n");
    assert!(link.is_symlink());
}

#[test]
fn a_projects_file_has_the_command_by_name() {
    let home = Home::new();
    home.file(
        "project/mine.yaml",
        read(Path::new("tests/../../../connectors/trueppm.yaml")),
    );
    let project = home.path().join("project");
    let run = |arguments: &[&str]| {
        let ended = Running::start(home.command(arguments).current_dir(&project)).ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    };
    for (client, file) in [
        ("claude-code", ".mcp.json"),
        ("codex", ".codex/config.toml"),
        ("vscode", ".vscode/mcp.json"),
        ("cursor", ".cursor/mcp.json"),
        ("gemini-cli", ".gemini/settings.json"),
        ("zed", ".zed/settings.json"),
        ("opencode", "opencode.json"),
    ] {
        run(&["install", client, "./mine.yaml", "--scope", "project"]);
        let text = read(&project.join(file));
        assert!(
            text.contains("\"footbridge\"") && text.contains("\"./mine.yaml\""),
            "{text}"
        );
        assert!(
            !text.contains(PROGRAM) && !text.contains(home.path().to_str().unwrap()),
            "{text}"
        );
        run(&["uninstall", client, "--scope", "project"]);
        assert!(!project.join(file).exists());
    }
    run(&["install", "cursor", "./mine.yaml"]);
    let text = read(&home.path().join(".cursor/mcp.json"));
    assert!(
        text.contains(project.join("mine.yaml").to_str().unwrap()),
        "{text}"
    );
    let refused = home.run(&["install", "windsurf", "--scope", "project"]);
    assert!(refused.complaint(2).contains("leave --scope project out"));
}

#[test]
fn what_stands_in_the_environment_goes_with_the_users_entry_and_no_secret_does() {
    let home = Home::new();
    let data = home.path().join("boards");
    let run = |arguments: &[&str]| -> Ended {
        let command = &mut home.command(arguments);
        command
            .env("FOOTBRIDGE_DATA", &data)
            .env("PRODMCP_TOKEN", "planted-token")
            .env("FOOTBRIDGE_TOKEN", "planted-bearer");
        Running::start(command).ended()
    };
    for client in ["cursor", "codex", "zed"] {
        let ended = run(&["install", client, "board", "prodmcp"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            ended.stdout.contains("PRODMCP_TOKEN"),
            "what is not set there is named: {ended:?}"
        );
        assert!(!format!("{ended:?}").contains("planted"), "{ended:?}");
    }
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let text = read(&entry.path());
                assert!(!text.contains("planted"), "{}", entry.path().display());
                assert!(text.contains(data.to_str().unwrap()), "{text}");
            }
        }
    }
    for url in ["https://u:planted@h/mcp", "https://h/mcp?api_key=planted"] {
        let ended = run(&["install", "cursor", "--http", url]);
        assert!(!ended.complaint(2).contains("planted"), "{ended:?}");
    }
}

#[test]
fn an_address_is_written_in_each_clients_own_words() {
    let home = Home::new();
    let entry = |client: &str| {
        let arguments = [
            client,
            "--http",
            "http://127.0.0.1:8000/mcp",
            "--bearer-variable",
            "B",
        ];
        install(&home, &arguments)["entry"].clone()
    };
    let url = "http://127.0.0.1:8000/mcp";
    let bearer = |reference: &str| json!({ "Authorization": format!("Bearer {reference}") });
    assert_eq!(
        entry("claude-code"),
        json!({ "type": "http", "url": url, "headers": bearer("${B}") })
    );
    assert_eq!(
        entry("codex"),
        json!({ "url": url, "bearer_token_env_var": "B" })
    );
    assert_eq!(
        entry("gemini-cli"),
        json!({ "httpUrl": url, "headers": bearer("${B}") })
    );
    assert_eq!(
        entry("windsurf"),
        json!({ "serverUrl": url, "headers": bearer("${env:B}") })
    );
    assert_eq!(
        entry("opencode"),
        json!({ "type": "remote", "url": url, "headers": bearer("{env:B}"), "enabled": true })
    );
    let refused = home.run(&["install", "claude-desktop", "--http", url]);
    assert!(
        refused.complaint(2).contains("in its settings"),
        "{refused:?}"
    );
    let both = home.run(&["install", "cursor", "taiga", "--http", url]);
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn an_entry_is_printed_for_any_client_and_steps_for_chatgpt() {
    let home = Home::new();
    let printed: Value =
        serde_json::from_str(&home.succeed(&["install", "emacs", "taiga", "--print"])).unwrap();
    assert_eq!(printed["mcpServers"]["footbridge"]["command"], PROGRAM);
    let toml = home.succeed(&["install", "codex", "--print", "--name", "my-board"]);
    assert!(
        toml.starts_with("[mcp_servers.my-board]\ncommand = "),
        "{toml}"
    );
    let steps = home.succeed(&["install", "chatgpt"]);
    assert!(steps.contains("Developer mode"), "{steps}");
    assert_eq!(
        home.path().read_dir().unwrap().count(),
        0,
        "nothing was written"
    );
}

#[test]
fn what_the_page_about_clients_shows_is_true() {
    let page = read(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/clients.md"
    )));
    let home = Home::new();
    let (mut blocks, mut commands) = (0, 0);
    for (index, block) in page
        .split("```")
        .enumerate()
        .filter(|(index, _)| index % 2 == 1)
    {
        let (language, text) = block.split_once('\n').unwrap();
        let printed = |client: &str| {
            home.succeed(&["install", client, "--print"])
                .replace(PROGRAM, "/usr/bin/footbridge")
        };
        match language {
            "json" => {
                let shown: Value = serde_json::from_str(text).unwrap();
                let client = if shown.get("mcp").is_some() {
                    "opencode"
                } else {
                    "claude-code"
                };
                assert_eq!(
                    shown,
                    serde_json::from_str::<Value>(&printed(client)).unwrap()
                );
            }
            "toml" => assert_eq!(text, printed("codex")),
            "yaml" => {
                let secret = home.file("password", "planted");
                let text = text.replace(
                    "/home/ada/.config/footbridge/taiga-password",
                    secret.to_str().unwrap(),
                );
                home.file(".config/footbridge/settings.yaml", text);
                let shown = home.succeed(&["install", "zed", "taiga", "--dry-run"]);
                assert!(!shown.contains("not set"), "{shown}");
            }
            "sh" => {
                for line in text.lines() {
                    let line = line.split('#').next().unwrap();
                    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
                    let ended = home.run(&words);
                    // what the doctor starts of Taiga has nobody to talk to
                    assert!(ended.code == Some(0) || words[0] == "doctor", "{ended:?}");
                    commands += 1;
                }
            }
            other => panic!("block {index} is {other:?}"),
        }
        blocks += 1;
    }
    assert!(blocks >= 5 && commands >= 4);
}
