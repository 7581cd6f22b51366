//! Calls that take a while and calls that ask first: progress for clients that want it, consent
//! where the client can show a form.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::harness::process::{Home, Running};

/// A backend whose run is done at its fourth look; each look says how far it is.
fn backend() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut looks = 0;
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            reader.read_line(&mut line).unwrap();
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if header.trim().is_empty() {
                    break;
                }
            }
            reader.take(length).read_to_end(&mut Vec::new()).unwrap();
            let body = if line.starts_with("POST") {
                looks = 0;
                json!({"key": "r1"})
            } else {
                looks += 1;
                let (status, tests) = [
                    ("running", 0),
                    ("running", 1),
                    ("running", 1),
                    ("running", 2),
                    ("done", 3),
                ][looks];
                json!({"key": "r1", "status": status, "tests": tests})
            };
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            connection
                .write_all(format!("{head}{body}").as_bytes())
                .unwrap();
        }
    });
    base
}

const TOOL: &str = r#"
tools:
  - name: run
    title: Run
    description: Run.
    effect: write
    steps:
      - { as: started, post: /runs }
      - { get: "/runs/{steps.started.key}", until: .status == "done", every: 1ms, progress: '{done: .tests, total: 3, message: .status}' }
    no_undo: It is a run.
"#;

/// A conversation over stdio with a client that declares these capabilities.
struct Talk(Running);

impl Talk {
    fn start(home: &Home, arguments: &[&str], capabilities: &Value) -> Self {
        let mut talk = Self(Running::start_piped(&mut home.command(arguments)));
        let client = json!({"name": "test", "version": "1"});
        talk.send(&json!({"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client}}));
        assert_eq!(talk.hear()["id"], "i");
        talk.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        talk
    }

    fn send(&mut self, message: &Value) {
        self.0.send(message.to_string());
    }

    fn hear(&mut self) -> Value {
        serde_json::from_str(&self.0.line().expect("it goes on")).unwrap()
    }

    fn call(&mut self, id: u64, tool: &str, arguments: &Value, meta: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments, "_meta": meta}}));
    }
}

#[test]
fn progress_reaches_a_client_that_asks_for_it_and_no_other() {
    let home = Home::new();
    let file = format!(
        "format: 1\nconnector: runner\ntitle: Runner\ninstructions: Runs.\nupstream: {{ base: \"{}\" }}\n{TOOL}",
        backend()
    );
    let path = home.file("runner.yaml", file);
    let mut talk = Talk::start(
        &home,
        &["serve", path.to_str().unwrap(), "--allow", "write"],
        &json!({}),
    );
    talk.call(1, "run", &json!({}), &json!({"progressToken": "p"}));
    let mut steps = Vec::new();
    let answer = loop {
        let message = talk.hear();
        if message["method"] != "notifications/progress" {
            break message;
        }
        assert_eq!(
            (
                &message["params"]["progressToken"],
                &message["params"]["total"]
            ),
            (&json!("p"), &json!(3.0)),
            "{message}"
        );
        steps.push((
            message["params"]["progress"].as_f64().unwrap(),
            message["params"]["message"].as_str().unwrap().to_owned(),
        ));
    };
    assert_eq!(answer["result"]["isError"], Value::Null, "{answer}");
    assert_eq!(
        (steps.len(), steps[0].0, steps[3].0),
        (4, 1.0, 3.0),
        "{steps:?}"
    );
    assert!(
        steps.windows(2).all(|pair| pair[0].0 < pair[1].0),
        "{steps:?}"
    );
    assert_eq!(
        (steps[2].1.as_str(), steps[3].1.as_str()),
        ("running", "done")
    );
    talk.call(2, "run", &json!({}), &json!({}));
    assert_eq!(
        talk.hear()["id"],
        2,
        "no progress for a client that did not ask"
    );
}

#[test]
fn a_deletion_asks_the_user_where_the_client_shows_forms() {
    let home = Home::new();
    let arguments = ["serve", "--transport", "stdio", "--allow", "write,destroy"];
    let mut talk = Talk::start(&home, &arguments, &json!({"elicitation": {}}));
    talk.call(1, "card_create", &json!({"title": "Precious"}), &json!({}));
    let created = talk.hear();
    let text = created["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("{created}"));
    let id = serde_json::from_str::<Value>(text).unwrap()["id"].clone();
    for (number, (result, goes)) in [
        (json!({"action": "decline"}), false),
        (json!({"action": "cancel"}), false),
        (
            json!({"action": "accept", "content": {"confirm": false}}),
            false,
        ),
        (json!({"action": "accept", "content": {}}), true),
    ]
    .into_iter()
    .enumerate()
    {
        talk.call(
            10 + number as u64,
            "card_delete",
            &json!({"id": id}),
            &json!({}),
        );
        let question = talk.hear();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let message = question["params"]["message"].as_str().unwrap();
        assert!(
            message.contains("elete") && message.contains(id.as_str().unwrap()),
            "{message}"
        );
        talk.send(&json!({"jsonrpc": "2.0", "id": question["id"], "result": result}));
        let answer = talk.hear();
        assert_eq!(
            answer["result"]["isError"] == true,
            !goes,
            "{result}: {answer}"
        );
        if !goes {
            assert!(
                answer.to_string().contains("nothing was changed"),
                "{answer}"
            );
        }
    }
    // a client that only opens pages for its user shows no forms, and one that says nothing of
    // asking is not asked
    for capabilities in [json!({"elicitation": {"url": {}}}), json!({})] {
        let mut talk = Talk::start(&home, &arguments, &capabilities);
        talk.call(1, "card_delete", &json!({"id": id}), &json!({}));
        let answer = talk.hear();
        assert_eq!(answer["id"], 1, "{capabilities}: {answer}");
    }
}
