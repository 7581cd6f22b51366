//! `footbridge install` into files that cannot be read or written, twice at once, or with words
//! that nobody knows: a sentence each, and nothing lost.

use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};

use super::faults::FailingDisk;
use crate::harness::process::{Home, Running};

#[test]
fn a_file_that_cannot_be_edited_is_left_as_it_is() {
    let home = Home::new();
    let large = format!("{{\"a\": \"{}\"", "x".repeat(5 << 20));
    for (text, word) in [
        (
            b"{\"mcpServers\": {\"a\": {\"comm".as_slice(),
            "Unterminated",
        ),
        (b"hello", "JSON"),
        (b"[1, 2]", "the file is no object"),
        (b"{\"mcpServers\": [1]}", "mcpServers is no object"),
        (b"{\"mcpServers\": {}, \"mcpServers\": {}}", "twice"),
        (b"{\"mcpServers\": {\"footbridge\": 1}}", "is no entry"),
        (
            b"{\"mcpServers\": {\"footbridge\": {\"command\": \"/bin/other\"}}}",
            "/bin/other",
        ),
        (b"{\"a\": \"\xff\"}", "UTF-8"),
        (b"\xff\xfe{\0}\0", "UTF-8"),
        (b"\0\0\0", "JSON"),
        (large.as_bytes(), "Unterminated"),
        ("[".repeat(100_000).as_bytes(), "depth"),
    ] {
        let path = home.file(".cursor/mcp.json", text);
        for verb in ["install", "uninstall"] {
            let ended = home.run(&[verb, "cursor"]);
            let complaint = ended.complaint(1);
            assert!(complaint.contains(word), "{complaint}");
            assert!(complaint.contains(path.to_str().unwrap()), "{complaint}");
            assert_eq!(std::fs::read(&path).unwrap(), text);
        }
    }
    let names: Vec<_> = home.path().join(".cursor").read_dir().unwrap().collect();
    assert_eq!(names.len(), 1, "nothing was left beside it: {names:?}");
    home.file(".codex/config.toml", "[mcp_servers.a\n");
    let ended = home.run(&["install", "codex"]);
    assert!(ended.complaint(1).contains("TOML") && ended.complaint(1).contains("line 1"));
}

#[test]
fn a_file_of_five_megabytes_is_edited_as_any_other() {
    let home = Home::new();
    let history = "    \"a line of a conversation, with \\\"quotes\\\"\",\n".repeat(110_000);
    let text = format!("{{\n  \"history\": [\n{history}    1\n  ]\n}}\n");
    assert!(text.len() > 5 << 20);
    let path = home.file(".claude.json", &text);
    home.succeed(&["install", "claude-code"]);
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with(text.trim_end_matches(
                "
}
"
            ))
    );
    home.succeed(&["uninstall", "claude-code"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn what_is_no_file_or_read_only_is_said_so() {
    let home = Home::new();
    let path = home.file(".cursor/mcp.json", "{}");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o444)).unwrap();
    let ended = home.run(&["install", "cursor"]);
    assert!(
        ended
            .complaint(1)
            .contains("is read-only, so nothing was changed"),
        "{ended:?}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}");

    std::fs::create_dir_all(home.path().join(".gemini/settings.json")).unwrap();
    let ended = home.run(&["install", "gemini-cli"]);
    assert!(ended.complaint(1).contains("it is a folder"), "{ended:?}");

    std::fs::create_dir_all(home.path().join(".codex")).unwrap();
    symlink("config.toml", home.path().join(".codex/config.toml")).unwrap();
    let ended = home.run(&["install", "codex"]);
    assert!(ended.complaint(1).contains("circle"), "{ended:?}");

    std::fs::create_dir_all(home.path().join(".config/zed")).unwrap();
    symlink("/dev/zero", home.path().join(".config/zed/settings.json")).unwrap();
    let ended = home.run(&["install", "zed"]);
    assert!(ended.complaint(1).contains("it is no file"), "{ended:?}");
}

#[test]
fn a_home_that_takes_nothing_is_named() {
    let home = Home::new();
    let file = home.file("no-folder/.cursor", "");
    for place in ["/proc", file.parent().unwrap().to_str().unwrap()] {
        let ended = Running::start(home.command(&["install", "cursor"]).env("HOME", place)).ended();
        let complaint = ended.complaint(1);
        assert!(
            complaint.contains(&format!("{place}/.cursor")),
            "{complaint}"
        );
    }
    let no_home = &mut home.command(&["install", "cursor"]);
    let ended = Running::start(no_home.env("HOME", "relative")).ended();
    assert!(ended.complaint(2).contains("set HOME"), "{ended:?}");
}

#[test]
fn a_full_disk_loses_nothing() {
    const FULL: i32 = 28;
    let home = Home::new();
    let Some(disk) = FailingDisk::built(&home) else {
        return;
    };
    let text = "{\n  \"mcpServers\": {}\n}\n";
    let path = home.file(".cursor/mcp.json", text);
    let folder = path.parent().unwrap().to_owned();
    let mut is_reached = false;
    for call in 1..20 {
        disk.fail(call, 100, FULL);
        let command = &mut home.command(&["install", "cursor"]);
        disk.under(command, &folder);
        let ended = Running::start(command).ended();
        disk.mend();
        if ended.code == Some(0) {
            is_reached = true;
            break;
        }
        let complaint = ended.complaint(1);
        assert!(complaint.contains("No space left"), "{complaint}");
        assert!(complaint.contains("nothing was changed"), "{complaint}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    assert!(is_reached && disk.calls() > 4);
    let names: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "the file and its backup: {names:?}");
}

#[test]
fn installs_at_once_all_have_their_entry() {
    const AT_ONCE: usize = 12;
    let home = Home::new();
    let path = home.file(
        ".cursor/mcp.json",
        "{\"mcpServers\": {\"a\": {\"command\": \"a\"}}}",
    );
    let names: Vec<String> = (0..AT_ONCE)
        .map(|number| format!("board-{number}"))
        .collect();
    let running: Vec<Running> = names
        .iter()
        .map(|name| Running::start(&mut home.command(&["install", "cursor", "--name", name])))
        .collect();
    for one in running {
        let ended = one.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let whole: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let servers = whole["mcpServers"].as_object().unwrap();
    assert_eq!(servers.len(), AT_ONCE + 1);
    assert_eq!(servers["a"], json!({ "command": "a" }));
    let shown = home.succeed(&["install", "cursor", "--dry-run"]);
    assert!(shown.contains("board-7 starts it too: footbridge uninstall cursor --name board-7"));
    for name in &names {
        home.succeed(&["uninstall", "cursor", "--name", name]);
    }
    let left: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(left, json!({ "mcpServers": { "a": { "command": "a" } } }));
}

#[test]
fn a_word_that_nobody_knows_is_answered_with_the_one_that_was_meant() {
    let home = Home::new();
    let elsewhere = Home::new();
    let faulty = elsewhere.file("faulty.yaml", "connector: [");
    let faulty = faulty.to_str().unwrap();
    for (arguments, word) in [
        (["install", "curser"].as_slice(), "did you mean cursor?"),
        (
            &["install", "claude"],
            "did you mean claude-code or claude-desktop?",
        ),
        (&["install", "vim"], "--print prints the entry"),
        (&["uninstall", "zedd"], "did you mean zed?"),
        (&["uninstall", "chatgpt"], "remove it there"),
        (&["install", "zed", "tiaga"], "did you mean taiga"),
        (&["install", "zed", "./gone.yaml"], "gone.yaml"),
        (&["install", "zed", faulty], "faulty.yaml says why"),
        (&["install", "zed", "--http", "ftp://a/"], "http or https"),
        (&["install", "zed", "--http", "nowhere"], "write an address"),
    ] {
        let ended = home.run(arguments);
        assert!(ended.complaint(2).contains(word), "{ended:?}");
    }
    for arguments in [
        ["install", "zed", "--name", "a b"].as_slice(),
        &["install", "zed", "--name", ""],
        &[
            "install",
            "zed",
            "--http",
            "http://h/",
            "--bearer-variable",
            "the bearer",
        ],
    ] {
        assert_eq!(home.run(arguments).code, Some(2));
    }
    assert_eq!(home.path().read_dir().unwrap().count(), 0);
}
