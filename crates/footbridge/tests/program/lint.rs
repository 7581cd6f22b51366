//! `footbridge lint`: what it prints, in which form, and how it ends.

use serde_json::{Value, json};

use crate::harness::process::{Home, Running};

const GOOD: &str = "format: 1\nconnector: mine\ntitle: Mine\ninstructions: None.\nupstream: { base: \"http://localhost\" }\ntools:\n  \
    - name: look\n    title: Look\n    description: Look.\n    effect: read\n    steps: [{ get: /x }]\n";

#[test]
fn a_clean_file_and_the_built_in_ones_end_well() {
    let home = Home::new();
    let good = home.file("good.yaml", GOOD);
    let ended = home.run(&[
        "lint",
        good.to_str().unwrap(),
        "board",
        "prodmcp",
        "taiga",
        "ptm",
    ]);
    assert_eq!(
        (ended.code, ended.stdout.as_str(), ended.stderr.as_str()),
        (Some(0), "", "no problems in 5 files\n")
    );
    for client in [
        "claude",
        "claude-code",
        "codex",
        "cursor",
        "vscode",
        "copilot-cli",
        "gemini-cli",
        "gemini-api",
        "windsurf",
    ] {
        let ended = home.run(&["lint", "--client", client, "board", "taiga", "ptm"]);
        assert_eq!(ended.code, Some(0), "{client}: {ended:?}");
    }
}

#[test]
fn problems_are_lines_on_stdout_or_json_and_the_code_is_one() {
    let home = Home::new();
    home.file(
        "bad.yaml",
        format!("{GOOD}    result: 'del(.a)'\n    titel: x\n"),
    );
    let run = |arguments: &[&str]| {
        Running::start(home.command(arguments).current_dir(home.path())).ended()
    };
    let ended = run(&["lint", "bad.yaml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "bad.yaml:12:14: look.result: `del` of a key moves the last key to its place: write `without([\"a\"])` over the object that has them",
            "bad.yaml:13:5: tools[0]: there is no key `titel` here: did you mean `title`?",
        ]
    );
    assert_eq!(ended.stderr, "2 problems in 1 file\n");
    let ended = run(&["lint", "--json", "bad.yaml"]);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    assert_eq!(
        found[1],
        json!({ "file": "bad.yaml", "line": 13, "column": 5, "part": "tools[0]", "what": "there is no key `titel` here", "hint": "did you mean `title`?" })
    );
    assert_eq!(found.as_array().unwrap().len(), 2);
    assert_eq!(run(&["lint", "--json", "board"]).stdout, "[]\n");
}

#[test]
fn a_client_takes_what_it_takes() {
    let home = Home::new();
    let named = |name: &str| GOOD.replace("name: look", &format!("name: {name}"));
    let file = home.file("long.yaml", named(&"l".repeat(40)));
    let lint = |client: Option<&str>| {
        let mut arguments = vec!["lint", file.to_str().unwrap()];
        arguments.extend(client.into_iter().flat_map(|client| ["--client", client]));
        home.run(&arguments)
    };
    assert_eq!(lint(None).code, Some(0));
    assert_eq!(lint(Some("windsurf")).code, Some(0));
    let ended = lint(Some("vertex"));
    assert!(
        ended.stdout.contains(":7:11: ")
            && ended.stdout.contains("a tool without arguments; Vertex"),
        "{ended:?}"
    );
    let many: String = (0..31)
        .map(|index| format!("  - {{ name: look_{index}, title: L, description: L, effect: read, steps: [{{ get: /x }}] }}\n"))
        .collect();
    let many = home.file(
        "many.yaml",
        GOOD.replace("tools:\n", &format!("tools:\n{many}")),
    );
    let ended = home.run(&["lint", many.to_str().unwrap()]);
    assert!(
        ended
            .stdout
            .contains(":37:13: look_30: 32 tools are listed; some clients take no more than 30"),
        "{ended:?}"
    );
    let ended = home.run(&["lint", "--client", "netscape", "board"]);
    assert!(
        ended.code == Some(2) && ended.stderr.contains("claude-code"),
        "{ended:?}"
    );
}

#[test]
fn what_cannot_be_read_is_wrong_usage_and_does_not_hide_the_others() {
    let home = Home::new();
    let bad = home.file("bad.yaml", GOOD.replace("effect: read", "effect: reads"));
    let ended = home.run(&["lint", "./gone.yaml", bad.to_str().unwrap()]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stdout.contains("is \"reads\"") && ended.stderr.contains("gone.yaml"),
        "{ended:?}"
    );
    let ended = home.run(&["lint"]);
    assert!(
        ended.code == Some(2) && ended.stderr.contains("<FILE>"),
        "{ended:?}"
    );
}
