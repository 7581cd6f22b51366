//! An endpoint whose calls become tasks, and a client that begins them, asks for them and checks
//! every answer against the schema.

use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{
    Call, Elicited, EndpointBuilder, Failure, Output, Sampling, TaskLimits, TaskUse, Tool,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::hall::{Guard, Hall, Person, builder, form, hall_of, tool};
use crate::http_client::{Modern, post, soon};
use crate::schemas::{self, MODERN};

pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The capabilities of a client that knows tasks and can be asked everything.
pub(crate) fn knowing() -> Value {
    json!({"elicitation": {}, "sampling": {}, "roots": {}, "extensions": {EXTENSION: {}}})
}

async fn job(call: Call<Person>) -> Result<Output, Failure> {
    let mut guard = Guard(call.caller.as_ref().clone(), "cancelled");
    call.caller.tell("started");
    call.caller.gate.acquire().await?.forget();
    guard.1 = "finished";
    Ok(Output::text("done"))
}

fn answered(answer: Elicited) -> String {
    match answer {
        Elicited::Accepted(content) => Value::Object(content).to_string(),
        other => format!("{other:?}"),
    }
}

fn tools() -> Vec<Tool<Person>> {
    vec![
        tool("job", job).task(TaskUse::Optional),
        tool("must", job).task(TaskUse::Required),
        tool("asks", |call| async move { Ok(Output::text(answered(call.elicit("name", form("Who?", "name")).await?))) })
            .task(TaskUse::Optional),
        tool("asks_again", |call| async move {
            let first = answered(call.elicit("name", form("Who?", "name")).await?);
            let second = answered(call.elicit("name", form("Who else?", "name")).await?);
            Ok(Output::text(format!("{first} {second}")))
        })
        .task(TaskUse::Optional),
        tool("three_in_a_task", |call| async move {
            let round =
                call.round().elicit("name", form("Who?", "name")).sample("word", Sampling::text("A word?", 5)).roots("where");
            let mut answers = round.ask().await?;
            let (word, roots) = (answers.sampled("word")?, answers.roots("where")?.len());
            let Elicited::Accepted(name) = answers.elicited("name")? else { return Ok(Output::text("nobody")) };
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            Ok(Output::text(format!("{} {roots} {}", word.text(), text(&name["name"]))))
        })
        .task(TaskUse::Optional),
        tool("gives_up", |call| async move {
            tokio::select! {
                answer = call.elicit("name", form("Who?", "name")) => Ok(Output::text(answered(answer?))),
                _ = call.caller.gate.acquire() => {
                    call.caller.tell("gave up");
                    std::future::pending().await
                }
            }
        })
        .task(TaskUse::Optional),
        tool(
            "samples",
            |call| async move { Ok(Output::text(call.sample("word", Sampling::text("A word?", 5)).await?.as_json().to_string())) },
        )
        .task(TaskUse::Optional),
        tool("asks_first", |call| async move {
            let first = answered(call.elicit("sure", form("Sure?", "sure")).await?);
            call.begin_task().await?;
            call.begin_task().await?;
            let second = answered(call.elicit("sure", form("Really?", "sure")).await?);
            Ok(Output::text(format!("{first} {second}")))
        })
        .task(TaskUse::Required)
        .begins_task(),
        tool("sometimes", |call| async move {
            if call.arguments.contains_key("long") {
                call.begin_task().await?;
            }
            Ok(Output::text("done"))
        })
        .task(TaskUse::Optional)
        .begins_task(),
        tool("tells", |call| async move {
            call.log(footbridge_mcp::LogLevel::Alert, None, json!("a task does not write to the log")).await;
            call.progress(1.0, Some(3.0), None).await;
            call.caller.tell("one");
            call.caller.gate.acquire().await?.forget();
            call.progress(2.0, None, Some("two of them")).await;
            call.caller.tell("two");
            call.caller.gate.acquire().await?.forget();
            Ok(Output::text(format!("{}", call.wants_progress())))
        })
        .task(TaskUse::Optional),
        tool("long", |call| async move {
            let bytes = usize::try_from(call.arguments["bytes"].as_u64().unwrap())?;
            Ok(Output::text("x".repeat(bytes)))
        })
        .task(TaskUse::Optional),
        tool("structured", |_| async { Ok(Output::json(RawValue::from_string("{\"a\":\n1}".to_owned())?)) })
            .output_schema(json!({"type": "object"}))
            .task(TaskUse::Optional),
        tool("panics", |call| async move {
            assert!(call.arguments.contains_key("fine"), "hunter2");
            Ok(Output::text(""))
        })
        .task(TaskUse::Optional),
        Tool::new("strict", "For tests.", json!({"type": "object", "required": ["title"]}), job).task(TaskUse::Optional),
        tool("staff", job).task(TaskUse::Optional).allowed_for(|call: &Call<Person>| call.caller.name != "eve"),
        tool("never_a_task", |call| async move {
            call.begin_task().await?;
            Ok(Output::text("done"))
        }),
    ]
}

pub(crate) fn jobs_builder(limits: TaskLimits) -> EndpointBuilder<Person> {
    builder()
        .tools(
            tools()
                .into_iter()
                .map(|tool| tool.description("For tests of tasks.")),
        )
        .tasks(limits)
}

pub(crate) async fn jobs() -> Hall {
    jobs_with(TaskLimits::default()).await
}

pub(crate) async fn jobs_with(limits: TaskLimits) -> Hall {
    hall_of(
        jobs_builder(limits).build().unwrap(),
        SessionLimits::default(),
    )
    .await
}

/// Which definition an answer to a method has to fit.
pub(crate) fn definition(method: &str, message: &Value) -> &'static str {
    match (method, message["result"]["resultType"].as_str()) {
        ("tasks/get", _) => "GetTaskResult",
        ("tasks/update" | "tasks/cancel", _) => "TaskAcknowledgement",
        ("tools/call", Some("task")) => "CreateTaskResult",
        ("tools/call", Some("input_required")) => "InputRequiredResult",
        ("tools/call", _) => "CallToolResult",
        ("server/discover", _) => "DiscoverResult",
        _ => "Result",
    }
}

/// A request of a client with these capabilities.
pub(crate) fn request(method: &str, params: Value, capabilities: &Value) -> Modern {
    let mut request = Modern::new(method, params);
    request.message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        capabilities.clone();
    request
}

impl Hall {
    pub(crate) async fn send(&self, user: &str, request: &Modern) -> (u16, Value) {
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .chain([("X-User", user)])
            .collect();
        let reply = self
            .client()
            .await
            .exchange(&post(&headers, request.message.to_string().as_bytes()))
            .await;
        let message = reply.json();
        schemas::check(
            MODERN,
            definition(request.message["method"].as_str().unwrap(), &message),
            &message,
        );
        (reply.status, message)
    }

    /// The result of a request of a client that knows tasks.
    pub(crate) async fn result(&self, user: &str, method: &str, params: Value) -> Value {
        let (status, message) = self.send(user, &request(method, params, &knowing())).await;
        assert_eq!((status, message.get("error")), (200, None));
        message["result"].clone()
    }

    /// The HTTP status and the error of a request of a client that knows tasks.
    pub(crate) async fn error(&self, user: &str, method: &str, params: Value) -> (u16, Value) {
        let (status, message) = self.send(user, &request(method, params, &knowing())).await;
        assert!(message.get("error").is_some(), "{message}");
        (status, message["error"].clone())
    }

    /// Calls a tool whose call becomes a task, and gives the task's id.
    pub(crate) async fn begin(&self, user: &str, tool: &str, arguments: Value) -> String {
        let result = self
            .result(
                user,
                "tools/call",
                json!({"name": tool, "arguments": arguments}),
            )
            .await;
        assert_eq!(
            (&result["resultType"], &result["status"]),
            (&json!("task"), &json!("working")),
            "{result}"
        );
        result["taskId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, user: &str, task: &str) -> Value {
        self.result(user, "tasks/get", json!({ "taskId": task }))
            .await
    }

    /// Asks for a task until it has this status; it is never asked for once it has another that is
    /// final.
    pub(crate) async fn until(&self, user: &str, task: &str, status: &str) -> Value {
        soon(async {
            loop {
                let state = self.get(user, task).await;
                match state["status"].as_str() {
                    Some(known) if known == status => return state,
                    Some("working" | "input_required") => {}
                    _ => panic!("not {status}: {state}"),
                }
            }
        })
        .await
    }
}
