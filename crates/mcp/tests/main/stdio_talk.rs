//! A whole conversation over stdio: questions, progress, subscriptions, batches, more calls than
//! run at once, and the end in the middle of it.

use std::io::{BufRead as _, BufReader, PipeWriter, Write as _};
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use footbridge_mcp::stdio::Connection;
use footbridge_mcp::{Call, Change, Endpoint, Resource, ResourceBody, limits};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::hall::{Person, builder, call, person, rpc};
use crate::http_client::Modern;
use crate::schemas::{self, MODERN};
use crate::stdio_client::SOON;
use crate::wire::Wire;

const REVISION: &str = "2025-11-25";

/// The hall over stdio.
struct Talk {
    runtime: Runtime,
    input: Option<PipeWriter>,
    lines: std_mpsc::Receiver<String>,
    done: std_mpsc::Receiver<()>,
    wire: Wire,
    endpoint: Endpoint<Person>,
    person: Person,
    told: mpsc::UnboundedReceiver<String>,
}

fn talk() -> Talk {
    let resource = Resource::new("s://a", "text", |_: Call<Person>| async {
        Ok(ResourceBody::from("text"))
    });
    let endpoint = builder()
        .resource(resource)
        .subscriptions()
        .announces_changes()
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (person, told) = person();
    let (input_end, input) = std::io::pipe().unwrap();
    let (output, output_end) = std::io::pipe().unwrap();
    let (done_sender, done) = std_mpsc::channel();
    let (served, caller) = (endpoint.clone(), person.clone());
    runtime.spawn(async move {
        let mut connection = Connection::start(served, caller, input_end, output_end).unwrap();
        connection.ended().await;
        connection.finish(SOON).await;
        // A test that has seen enough no longer listens.
        let _unheard = done_sender.send(());
    });
    let (line_sender, lines) = std_mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            if line_sender.send(line.unwrap()).is_err() {
                break;
            }
        }
    });
    Talk {
        runtime,
        input: Some(input),
        lines,
        done,
        wire: Wire::default(),
        endpoint,
        person,
        told,
    }
}

impl Talk {
    fn send(&mut self, message: &[u8]) {
        self.wire.sent_lines(message);
        let input = self.input.as_mut().unwrap();
        input.write_all(message).unwrap();
        input.write_all(b"\n").unwrap();
    }

    fn say(&mut self, message: &Value) {
        self.send(message.to_string().as_bytes());
    }

    fn next(&mut self) -> Value {
        let message =
            serde_json::from_str(&self.lines.recv_timeout(SOON).expect("a line")).unwrap();
        self.wire.received(&message);
        message
    }

    fn greet(&mut self, revision: &str, capabilities: Value) {
        let info = json!({"name": "test", "version": "1"});
        self.send(&rpc(
            "hello",
            "initialize",
            json!({"protocolVersion": revision, "capabilities": capabilities, "clientInfo": info}),
        ));
        schemas::check(revision, "InitializeResult", &self.next());
    }

    fn told(&mut self) -> String {
        let next = async { tokio::time::timeout(SOON, self.told.recv()).await };
        self.runtime
            .block_on(next)
            .expect("soon")
            .expect("the hall still stands")
    }

    fn nothing_but_a_ping(&mut self) {
        self.send(&rpc("ping", "ping", json!({})));
        assert_eq!(
            self.next(),
            json!({"jsonrpc": "2.0", "id": "ping", "result": {}})
        );
    }

    /// Ends the input, and gives what is still said until the connection ends.
    fn end(mut self) -> Vec<Value> {
        self.input = None;
        self.done.recv_timeout(SOON).expect("the connection ends");
        let mut rest = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(SOON) {
            let message = serde_json::from_str(&line).unwrap();
            self.wire.received(&message);
            rest.push(message);
        }
        rest
    }
}

fn cancelled(id: impl Into<Value>) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id.into()}})
}

fn answer_to(question: &Value) -> Value {
    let result = match question["method"].as_str().unwrap() {
        "elicitation/create" => json!({"action": "accept", "content": {"name": "Ada"}}),
        "roots/list" => json!({"roots": [{"uri": "file:///a"}]}),
        _ => json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "yes"}}),
    };
    json!({"jsonrpc": "2.0", "id": question["id"], "result": result})
}

#[test]
fn the_user_is_asked_and_answers_on_the_same_pipes() {
    let mut talk = talk();
    talk.greet(
        REVISION,
        json!({"elicitation": {}, "sampling": {}, "roots": {}}),
    );
    talk.send(&call("c", "three", None));
    let questions: Vec<Value> = (0..3).map(|_| talk.next()).collect();
    for question in questions.iter().rev() {
        schemas::is_valid(REVISION, "ServerRequest", question);
        talk.say(&answer_to(question));
    }
    let answer = talk.next();
    schemas::check(REVISION, "CallToolResult", &answer);
    assert_eq!(
        answer["result"]["content"][0]["text"],
        r#"Accepted({"name": String("Ada")}) "yes" 1"#
    );

    talk.send(&call("d", "name", None));
    let question = talk.next();
    talk.say(&cancelled("d"));
    talk.say(&answer_to(&question));
    talk.nothing_but_a_ping();
}

#[test]
fn a_modern_client_is_asked_by_a_result() {
    let mut talk = talk();
    let mut request = Modern::call("name", json!({})).message;
    request["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"elicitation": {"form": {}}});
    talk.say(&request);
    let asked = talk.next();
    schemas::check(MODERN, "InputRequiredResult", &asked);
    request["params"]["requestState"] = asked["result"]["requestState"].clone();
    request["params"]["inputResponses"] =
        json!({"name": {"action": "accept", "content": {"name": "Ada"}}});
    talk.say(&request);
    assert_eq!(
        talk.next()["result"]["content"][0]["text"],
        r#"Accepted({"name": String("Ada")})"#
    );
}

#[test]
fn progress_and_log_messages_come_before_the_answer() {
    for revision in schemas::LEGACY {
        let mut talk = talk();
        talk.greet(revision, json!({}));
        talk.person.gate.add_permits(1);
        talk.send(&call(1, "steps", Some("t")));
        let mut count = 0;
        let answer = loop {
            let message = talk.next();
            match message["method"].as_str() {
                Some("notifications/progress") => {
                    schemas::is_valid(revision, "ProgressNotification", &message)
                }
                Some(_) => schemas::is_valid(revision, "LoggingMessageNotification", &message),
                None => break message,
            }
            count += 1;
        };
        assert_eq!(
            (count, &answer["result"]["content"][0]["text"]),
            (6, &json!("arrived")),
            "{revision}"
        );
    }
}

#[test]
fn a_legacy_client_hears_of_what_it_subscribed_to_until_it_does_not() {
    let mut talk = talk();
    talk.endpoint.lists_changed(&Change::Tools);
    talk.greet(REVISION, json!({}));
    talk.nothing_but_a_ping();
    talk.endpoint.resource_updated("s://a");
    talk.send(&rpc(1, "resources/subscribe", json!({"uri": "s://a"})));
    assert_eq!(talk.next()["result"], json!({}));
    talk.endpoint.resource_updated("s://a");
    talk.endpoint.resource_updated("s://b");
    talk.endpoint.lists_changed(&Change::Tools);
    let (updated, listed) = (talk.next(), talk.next());
    schemas::is_valid(REVISION, "ResourceUpdatedNotification", &updated);
    schemas::is_valid(REVISION, "ToolListChangedNotification", &listed);
    talk.send(&rpc(2, "resources/unsubscribe", json!({"uri": "s://a"})));
    assert_eq!(talk.next()["result"], json!({}));
    talk.endpoint.resource_updated("s://a");
    talk.nothing_but_a_ping();
}

fn listen(id: &str, notifications: Value) -> Value {
    let mut request = Modern::new(
        "subscriptions/listen",
        json!({ "notifications": notifications }),
    )
    .message;
    request["id"] = json!(id);
    request
}

#[test]
fn a_modern_client_listens_until_it_takes_that_back_or_the_input_ends() {
    let mut talk = talk();
    talk.say(&listen("one", json!({"toolsListChanged": true})));
    let acknowledged = talk.next();
    schemas::is_valid(
        MODERN,
        "SubscriptionsAcknowledgedNotification",
        &acknowledged,
    );
    talk.say(&listen("two", json!({"resourceSubscriptions": ["s://a"]})));
    assert_eq!(
        talk.next()["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        "two"
    );
    talk.endpoint.resource_updated("s://a");
    talk.endpoint.lists_changed(&Change::Tools);
    let subscription = |message: &Value| {
        message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let mut heard = [subscription(&talk.next()), subscription(&talk.next())];
    heard.sort();
    assert_eq!(heard, ["one", "two"], "each its own, in whatever order");

    talk.say(&cancelled("one"));
    talk.nothing_but_a_ping();
    // What changes while it is being stopped may still be told; soon nothing is.
    let mut rounds = 0;
    loop {
        talk.endpoint.lists_changed(&Change::Tools);
        talk.endpoint.resource_updated("s://a");
        let first = talk.next();
        if subscription(&first) == "two" {
            schemas::is_valid(MODERN, "ResourceUpdatedNotification", &first);
            break;
        }
        assert_eq!(subscription(&talk.next()), "two");
        rounds += 1;
        assert!(rounds < 10_000, "who no longer listens hears nothing");
    }
    let rest = talk.end();
    assert_eq!((rest.len(), &rest[0]["id"]), (1, &json!("two")), "{rest:?}");
    schemas::check(MODERN, "SubscriptionsListenResult", &rest[0]);
}

#[test]
fn a_member_of_a_batch_is_cancelled_by_its_id() {
    let mut talk = talk();
    talk.greet("2025-03-26", json!({}));
    let one =
        |id: &str, tool: &str| serde_json::from_slice::<Value>(&call(id, tool, None)).unwrap();
    talk.say(&json!([
        one("a", "wait"),
        one("b", "wait"),
        one("c", "echo")
    ]));
    assert_eq!(
        (talk.told(), talk.told()),
        ("started".to_owned(), "started".to_owned())
    );
    talk.say(&cancelled("a"));
    assert_eq!(talk.told(), "cancelled");
    talk.person.gate.add_permits(1);
    let answers = talk.next();
    schemas::is_valid("2025-03-26", "JSONRPCBatchResponse", &answers);
    let ids: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["id"].clone())
        .collect();
    assert_eq!(ids, ["b", "c"]);
    talk.say(&json!([one("x", "wait"), cancelled("x")]));
    talk.nothing_but_a_ping();
}

/// Every call that runs asks its user something, and more calls wait: the answers are read all the
/// same, so nothing is stuck.
#[test]
fn what_running_calls_wait_for_is_read_although_others_wait_for_their_turn() {
    let mut talk = talk();
    talk.greet(REVISION, json!({"elicitation": {}}));
    let all = limits::CALLS_IN_FLIGHT + 50;
    for id in 0..all {
        talk.send(&call(id, "name", None));
    }
    let mut answered = 0;
    let mut asked = 0;
    while answered < all {
        let message = talk.next();
        if message.get("method").is_some() {
            asked += 1;
            talk.say(&answer_to(&message));
        } else {
            assert_eq!(
                message["result"]["content"][0]["text"],
                r#"Accepted({"name": String("Ada")})"#
            );
            answered += 1;
        }
    }
    assert_eq!(asked, all);
}

#[test]
fn the_end_of_the_input_lets_calls_run_that_wait_for_their_turn() {
    let mut talk = talk();
    talk.greet(REVISION, json!({}));
    for id in 0..limits::CALLS_IN_FLIGHT {
        talk.send(&call(id, "wait", None));
        assert_eq!(talk.told(), "started");
    }
    talk.send(&call("waits", "echo", None));
    talk.send(&call("never", "echo", None));
    talk.say(&cancelled("never"));
    talk.nothing_but_a_ping();
    talk.person.gate.add_permits(limits::CALLS_IN_FLIGHT);
    let rest = talk.end();
    assert_eq!(rest.len(), limits::CALLS_IN_FLIGHT + 1);
    assert!(
        rest.iter().any(|answer| answer["id"] == "waits")
            && rest.iter().all(|answer| answer["id"] != "never")
    );
}

/// A call that does not finish is stopped and not answered; a question nobody answers is told to
/// the model. On a stopped clock: it goes on when whatever can be done at once has been done.
#[test]
fn the_end_of_the_input_ends_questions_at_once_and_calls_in_time() {
    let plain = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let stopped = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let (person, mut told) = person();
    let (input_end, mut input) = std::io::pipe().unwrap();
    let (output, output_end) = std::io::pipe().unwrap();
    let mut connection = {
        let _inside = stopped.enter();
        Connection::start(builder().build().unwrap(), person, input_end, output_end).unwrap()
    };
    let mut wire = Wire::default();
    let mut say = |wire: &mut Wire, message: &[u8]| {
        wire.sent_lines(message);
        input.write_all(&[message, b"\n"].concat()).unwrap();
    };
    let mut lines = BufReader::new(output).lines();
    let mut next = |wire: &mut Wire| -> Option<Value> {
        let message = serde_json::from_str(&lines.next()?.unwrap()).unwrap();
        wire.received(&message);
        Some(message)
    };
    let client = json!({"protocolVersion": REVISION, "capabilities": {"elicitation": {}}, "clientInfo": {"name": "t", "version": "1"}});
    say(&mut wire, &rpc("hello", "initialize", client));
    assert_eq!(next(&mut wire).unwrap()["id"], "hello");
    say(&mut wire, &call("w", "wait", None));
    assert_eq!(told.blocking_recv().as_deref(), Some("started"));
    say(&mut wire, &call("q", "name", None));
    assert_eq!(next(&mut wire).unwrap()["method"], "elicitation/create");
    drop(input);
    // That is seen by a thread, for which the clock would not wait.
    plain.block_on(connection.ended());
    let told = stopped.block_on(async {
        connection.finish(Duration::from_millis(200)).await;
        tokio::task::yield_now().await;
        told.try_recv()
    });
    assert_eq!(told.as_deref(), Ok("cancelled"));
    let answer = next(&mut wire).unwrap();
    assert_eq!(
        (&answer["id"], &answer["result"]["isError"]),
        (&json!("q"), &json!(true)),
        "{answer}"
    );
    assert_eq!(next(&mut wire), None);
}
