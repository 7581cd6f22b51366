//! Tasks over stdio: the same rules on one channel, and the end of the connection.

use footbridge_mcp::{Endpoint, TaskLimits, TaskUse};
use serde_json::{Value, json};

use crate::http_client::meta;
use crate::jobs::{definition, knowing};
use crate::schemas::{self, MODERN};
use crate::stdio_client::Pipe;
use crate::world::{self, Event, World};

fn endpoint() -> Endpoint<World> {
    let tools = world::tools().into_iter().map(|tool| {
        if tool.name() == "wait" {
            tool.task(TaskUse::Required)
        } else {
            tool
        }
    });
    Endpoint::builder("tested", "1.2.3")
        .tools(tools)
        .tasks(TaskLimits::default())
        .build()
        .unwrap()
}

fn ask(pipe: &mut Pipe, method: &str, mut params: Value) -> Value {
    params["_meta"] = meta();
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = knowing();
    pipe.request(method, method, params);
    let reply = pipe.receive();
    assert_eq!(reply["id"], method);
    schemas::check(MODERN, definition(method, &reply), &reply);
    reply
}

fn begin(pipe: &mut Pipe, name: &str) -> String {
    let reply = ask(
        pipe,
        "tools/call",
        json!({"name": "wait", "arguments": {"name": name}}),
    );
    assert_eq!(reply["result"]["resultType"], "task", "{reply}");
    assert_eq!(pipe.event(), Event::Started(name.to_owned()));
    reply["result"]["taskId"].as_str().unwrap().to_owned()
}

#[test]
fn a_task_over_stdio() {
    let mut pipe = Pipe::start_with(endpoint());
    let (first, second) = (begin(&mut pipe, "first"), begin(&mut pipe, "second"));
    // A cancelled request is not a cancelled task.
    pipe.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "tools/call"}}));
    assert_eq!(
        ask(&mut pipe, "tasks/get", json!({ "taskId": first }))["result"]["status"],
        "working"
    );
    ask(&mut pipe, "tasks/cancel", json!({ "taskId": second }));
    assert_eq!(pipe.event(), Event::Cancelled("second".to_owned()));
    assert_eq!(
        ask(&mut pipe, "tasks/get", json!({ "taskId": second }))["result"]["status"],
        "cancelled"
    );
    assert_eq!(
        ask(&mut pipe, "tasks/get", json!({"taskId": "never was"}))["error"]["code"],
        -32602
    );

    let mut params = json!({"notifications": {"taskIds": [first]}, "_meta": meta()});
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = knowing();
    pipe.request("listening", "subscriptions/listen", params);
    let acknowledged = pipe.receive();
    schemas::is_valid(MODERN, "TasksAcknowledgedNotification", &acknowledged);
    assert_eq!(
        acknowledged["params"]["notifications"],
        json!({"taskIds": [first]})
    );
    let mut told = pipe.receive();
    pipe.world.open(1);
    while told["params"]["status"] == "working" {
        schemas::is_valid(MODERN, "TaskStatusNotification", &told);
        told = pipe.receive();
    }
    schemas::is_valid(MODERN, "TaskStatusNotification", &told);
    assert_eq!(
        told["params"]["result"]["content"][0]["text"],
        "waited: first"
    );
    assert_eq!(
        told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        "listening"
    );
    let state = ask(&mut pipe, "tasks/get", json!({ "taskId": first }))["result"].clone();
    assert_eq!(state["result"], told["params"]["result"]);
    assert_eq!(pipe.event(), Event::Answered("first".to_owned()));
}

/// There is nobody left who could ask for them.
#[test]
fn tasks_end_with_the_connection_that_alone_served_them() {
    let mut pipe = Pipe::start_with(endpoint());
    begin(&mut pipe, "left");
    pipe.end();
    assert_eq!(pipe.event(), Event::Cancelled("left".to_owned()));
    pipe.ended();
}
