//! Skills beside connector files: served where the settings name them, with nothing else of what
//! lies there.

use serde_json::{Value, json};

use crate::harness::process::{Home, Running};

const REVISION: &str = "2026-07-28";
const CONNECTOR: &str = "format: 1\nconnector: mine\ntitle: Mine\ninstructions: One tool.\n\
    settings: { MINE_URL: { is: url, default: \"http://127.0.0.1:9\" } }\n\
    upstream: { base: \"{settings.MINE_URL}\" }\ntools:\n  - name: status\n    title: Status\n    \
    description: The status.\n    effect: read\n    steps: [{ get: / }]\n    result: .name\n";
const SKILL: &str = "---\nname: triage\ndescription: Sort what came in.\n---\nSee `words.md`.\n";

/// A home with a connector file of its own, a skill beside it and much that is none.
fn home() -> Home {
    let home = Home::new();
    for (path, text) in [
        ("own/mine.yaml", CONNECTOR),
        ("own/mine/skills/triage/SKILL.md", SKILL),
        ("own/mine/skills/triage/words.md", "Words."),
        ("own/mine/skills/triage/.env", "SECRET=1"),
        ("own/mine/skills/.hidden/SKILL.md", "no"),
        ("own/mine/skills/readme.txt", "beside"),
        ("own/mine/notes.md", "outside"),
        ("own/other/skills/other/SKILL.md", SKILL),
    ] {
        home.file(path, text);
    }
    home
}

/// Asks over stdio, as a client of 2026-07-28 that knows skills, or does not.
fn asked(home: &Home, arguments: &[&str], knows: bool, requests: &[(&str, Value)]) -> Vec<Value> {
    let file = home.path().join("own/mine.yaml");
    let mut words = vec!["serve", file.to_str().unwrap(), "--transport", "stdio"];
    words.extend(arguments);
    let mut running = Running::start_piped(&mut home.command(&words));
    let extensions = if knows {
        json!({ "extensions": { "io.modelcontextprotocol/skills": {} } })
    } else {
        json!({})
    };
    let mut answers = Vec::new();
    for (method, params) in requests {
        let mut params = params.clone();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientCapabilities": extensions,
        });
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        running.send(request.to_string());
        answers.push(serde_json::from_str(&running.line().expect("it answers")).unwrap());
    }
    running.close_input();
    assert_eq!(running.ended().code, Some(0));
    answers
}

#[test]
fn the_skills_beside_a_file_are_served_where_that_is_named() {
    let home = home();
    let read = |uri: &str| ("resources/read", json!({ "uri": uri }));
    let answers = asked(
        &home,
        &["--skills", "mine"],
        true,
        &[
            ("server/discover", json!({})),
            ("skills/list", json!({})),
            read("skill://mine/triage/words.md"),
            read("skill://mine/triage/.env"),
            read("skill://mine/triage/../../notes.md"),
            read("skill://mine/notes.md"),
        ],
    );
    let extensions = &answers[0]["result"]["capabilities"]["extensions"];
    assert_eq!(
        extensions["io.modelcontextprotocol/skills"],
        json!({"directoryRead": true})
    );
    let skills = &answers[1]["result"]["skills"];
    assert_eq!(skills.as_array().unwrap().len(), 1, "{skills}");
    assert_eq!(skills[0]["uri"], "skill://mine/triage/SKILL.md");
    assert_eq!(
        skills[0]["resources"].as_array().unwrap().len(),
        2,
        "{skills}"
    );
    assert_eq!(answers[2]["result"]["contents"][0]["text"], "Words.");
    for refused in &answers[3..] {
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
    }

    // To who does not know them, and without the setting, everything is as it was.
    let list = ("server/discover", json!({}));
    let without = asked(
        &home,
        &[],
        true,
        &[list.clone(), ("skills/list", json!({}))],
    );
    assert_eq!(without[1]["error"]["code"], -32601);
    assert_eq!(
        asked(&home, &["--skills", "mine"], false, &[list])[0],
        without[0]
    );
    home.file(".config/footbridge/settings.yaml", "skills: [mine]\n");
    let by_file = asked(&home, &[], true, &[("skills/list", json!({}))]);
    assert_eq!(
        by_file[0]["result"]["skills"][0]["uri"],
        "skill://mine/triage/SKILL.md"
    );
}

#[test]
fn skills_that_cannot_be_served_are_said_at_the_start() {
    let home = home();
    let file = home.path().join("own/mine.yaml");
    let complaint = |names: &str, code: i32| {
        let words = ["serve", file.to_str().unwrap(), "board", "--skills", names];
        let mut command = home.command(&words);
        let ended = Running::start(command.args(["--transport", "stdio"])).ended();
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(code), ""),
            "{ended:?}"
        );
        // a problem a line
        assert!(
            ended
                .stderr
                .lines()
                .all(|line| line.starts_with("footbridge: "))
        );
        ended.stderr
    };
    let unknown = complaint("other", 2);
    assert!(
        unknown.contains("\"other\"") && unknown.contains("there are: mine"),
        "{unknown}"
    );
    let built_in = complaint("board", 2);
    assert!(
        built_in.contains("board is no connector file of your own"),
        "{built_in}"
    );
    home.file("own/mine/skills/triage/SKILL.md", "No front matter.");
    home.file(
        "own/mine/skills/large/SKILL.md",
        "x".repeat(10 * 1024 * 1024),
    );
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        "/etc/passwd",
        home.path().join("own/mine/skills/triage/passwd"),
    )
    .unwrap();
    let wrong = complaint("mine", 1);
    for part in [
        "it has no front matter",
        "it has more than 4194304 bytes",
        "it is a link",
    ] {
        assert!(wrong.contains(part), "{part} is not in {wrong}");
    }
}
