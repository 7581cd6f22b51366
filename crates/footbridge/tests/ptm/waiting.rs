//! Evaluations and optimisations that take a while: a client that asks for progress hears of it,
//! and no other, over stdio and HTTP.

use serde_json::{Value, json};

use crate::harness::listening::Listening;
use crate::harness::process::Home;
use crate::harness::session::{REVISION, Session};
use crate::served::{has_no_secret, settings};
use crate::stand_in::{OWNER, StandIn};

/// The three tools that wait, each with how its backend says how far it is.
fn long_calls() -> [(&'static str, Value); 3] {
    [
        ("run_prompt_eval", json!({ "prompt_id": "greeting" })),
        (
            "run_manual_eval",
            json!({ "prompt_text": "Hi", "tests": [{ "input": "a" }] }),
        ),
        (
            "submit_optimization",
            json!({ "prompt_id": "greeting", "wait": true }),
        ),
    ]
}

/// A directory with the connector, which asks again without a wait.
fn hasty(home: &Home) -> String {
    let file = include_str!("../../../../connectors/ptm.yaml")
        .replace("every: 2s", "every: 1ms")
        .replace("every: 5s", "every: 1ms");
    home.file("own/ptm.yaml", file)
        .parent()
        .unwrap()
        .display()
        .to_string()
}

fn call(id: u64, tool: &str, arguments: &Value, token: Option<&str>) -> Value {
    let mut parameters = json!({ "name": tool, "arguments": arguments });
    if let Some(token) = token {
        parameters["_meta"] = json!({ "progressToken": token });
    }
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": parameters })
}

/// Each message of a call before its answer, which must be a success.
fn check(tool: &str, messages: &[Value], token: Option<&str>) {
    let (answer, before) = messages.split_last().unwrap();
    assert_eq!(answer["result"]["isError"], Value::Null, "{tool}: {answer}");
    assert!(answer.to_string().contains("completed"), "{tool}: {answer}");
    let Some(token) = token else {
        assert!(before.is_empty(), "{tool}: nobody asked for {before:?}");
        return;
    };
    let steps: Vec<f64> = before
        .iter()
        .map(|message| {
            assert_eq!(
                message["method"], "notifications/progress",
                "{tool}: {message}"
            );
            assert_eq!(
                message["params"]["progressToken"], token,
                "{tool}: {message}"
            );
            message["params"]["progress"].as_f64().unwrap()
        })
        .collect();
    assert!(
        steps.len() >= 2 && steps.windows(2).all(|pair| pair[0] < pair[1]),
        "{tool}: {steps:?}"
    );
    let last = &before.last().unwrap()["params"];
    assert_eq!(
        (&last["progress"], &last["total"]),
        (&json!(3.0), &json!(3.0)),
        "{tool}: {last}"
    );
    assert!(
        last["message"].as_str().unwrap().contains("completed"),
        "{tool}: {last}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_heard_over_stdio_by_who_asks_for_it() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    let own = hasty(&home);
    let mut command = home.command(&["serve", "ptm", "--transport", "stdio", "--connectors", &own]);
    let mut session = Session::start(command.envs(settings(&stand_in, OWNER)));
    for (tool, arguments) in long_calls() {
        for token in [Some("how-far"), None] {
            session
                .running
                .send(call(7, tool, &arguments, token).to_string());
            let mut messages: Vec<Value> = Vec::new();
            while messages
                .last()
                .is_none_or(|message| message.get("id").is_none())
            {
                messages.push(serde_json::from_str(&session.running.line().unwrap()).unwrap());
            }
            check(tool, &messages, token);
        }
    }
    let ended = session.finish();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    has_no_secret(&ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_is_heard_over_http_by_who_asks_for_it() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    let own = hasty(&home);
    let listening = Listening::start("ptm", &["--connectors", &own], settings(&stand_in, OWNER));
    let client = crate::harness::client::http();
    for (tool, arguments) in long_calls() {
        for token in [Some("how-far"), None] {
            let request = client.post(format!("{}/mcp", listening.url));
            let request = request
                .header("content-type", "application/json")
                .header("mcp-protocol-version", REVISION);
            let request = request.header("accept", "application/json, text/event-stream");
            let answer = request
                .body(call(7, tool, &arguments, token).to_string())
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200);
            let is_stream = answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/event-stream");
            let text = answer.text().await.unwrap();
            let messages: Vec<Value> = match is_stream {
                true => {
                    let data = text
                        .lines()
                        .filter_map(|line| line.strip_prefix("data:"))
                        .map(str::trim);
                    data.filter(|data| !data.is_empty())
                        .map(|data| serde_json::from_str(data).unwrap())
                        .collect()
                }
                false => vec![serde_json::from_str(&text).unwrap()],
            };
            check(tool, &messages, token);
        }
    }
    has_no_secret(&listening.stop());
}

/// Without `wait`, an answer at once, and nothing is asked of the run.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_wait_is_answered_at_once() {
    let stand_in = StandIn::start().await;
    let served = crate::served::Served::start(&stand_in, OWNER).await;
    for (tool, arguments) in long_calls() {
        let mut arguments = arguments;
        arguments["wait"] = json!(false);
        assert_eq!(
            served.succeed(tool, arguments).await["status"],
            "running",
            "{tool}"
        );
    }
    assert!(
        stand_in
            .lines()
            .iter()
            .all(|line| !line.starts_with("GET /runs/") && !line.contains("/status"))
    );
    served.end().await;
}
