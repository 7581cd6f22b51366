//! The fixture's tools whose calls become tasks, and the one that does not. Their texts are the
//! suite's.

use std::time::Duration;

use footbridge_mcp::{
    Call, Effect, Elicitation, Elicited, Failure, Output, TaskUse, Tool, ToolResult, fail,
};
use serde_json::{Map, Value, json};

/// All of them.
pub(crate) fn tools() -> Vec<Tool<()>> {
    vec![
        tool(
            "greet",
            "Greets somebody, at once.",
            &["name"],
            |call| async move {
                Ok(Output::text(format!(
                    "Hello, {}!",
                    text(call.arguments.get("name"))
                )))
            },
        )
        .effect(Effect::Read),
        slow_compute(),
        tool("failing_job", "Fails after a moment.", &[], |_| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Err(fail("The job failed, as it always does."))
        })
        .task(TaskUse::Required),
        // The suite's client has no directories to show, which no result can tell.
        tool(
            "protocol_error_job",
            "Needs what no client of the suite declares.",
            &[],
            |call| async move {
                let roots = call.roots("where").await?;
                Ok(Output::text(format!("{} directories", roots.len())))
            },
        )
        .task(TaskUse::Optional),
        tool(
            "confirm_delete",
            "Asks before it deletes.",
            &["filename"],
            confirm_delete,
        )
        .task(TaskUse::Optional),
        tool("multi_input", "Asks two things at once.", &[], multi_input).task(TaskUse::Optional),
        tool(
            "test_tool_with_task",
            "Asks first and becomes a task then.",
            &[],
            |call| async move {
                let asked = call
                    .elicit("user_name", form("What is your name?", "name", "string"))
                    .await?;
                call.begin_task().await?;
                Ok(Output::text(format!(
                    "Hello, {}!",
                    text(accepted(asked)?.get("name"))
                )))
            },
        )
        .task(TaskUse::Required)
        .begins_task(),
    ]
}

/// Takes as long as it is told to; nothing at all is no reason for a task.
fn slow_compute() -> Tool<()> {
    let schema = json!({
        "type": "object",
        "properties": {
            "seconds": {"type": "number", "minimum": 0, "maximum": 600, "description": "How long it takes"},
            "label": {"type": "string", "description": "Repeated in the result"}
        },
        "required": ["seconds"],
        "additionalProperties": false
    });
    Tool::new(
        "slow_compute",
        "Computes slowly.",
        schema,
        |call: Call<()>| async move {
            let seconds = call
                .arguments
                .get("seconds")
                .and_then(Value::as_f64)
                .unwrap_or_default();
            if seconds > 0.0 {
                call.begin_task().await?;
                call.progress(0.0, Some(seconds), None).await;
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            }
            Ok(Output::text(format!(
                "Computed {} for {seconds} s.",
                text(call.arguments.get("label"))
            )))
        },
    )
    .effect(Effect::Read)
    .task(TaskUse::Optional)
    .begins_task()
}

async fn confirm_delete(call: Call<()>) -> ToolResult {
    let filename = text(call.arguments.get("filename")).to_owned();
    let asked = call
        .elicit(
            "confirm",
            form(&format!("Delete {filename}?"), "confirm", "boolean"),
        )
        .await?;
    match accepted(asked)?.get("confirm") {
        Some(Value::Bool(true)) => Ok(Output::text(format!("Deleted {filename}."))),
        _ => Ok(Output::text(format!("Kept {filename}."))),
    }
}

async fn multi_input(call: Call<()>) -> ToolResult {
    let first = form("What is your name?", "name", "string");
    let second = form("What is the other name?", "name", "string");
    let mut answers = call
        .round()
        .elicit("first", first)
        .elicit("second", second)
        .ask()
        .await?;
    let (first, second) = (
        accepted(answers.elicited("first")?)?,
        accepted(answers.elicited("second")?)?,
    );
    Ok(Output::text(format!(
        "Hello, {} and {}!",
        text(first.get("name")),
        text(second.get("name"))
    )))
}

fn accepted(answer: Elicited) -> Result<Map<String, Value>, Failure> {
    match answer {
        Elicited::Accepted(content) => Ok(content),
        Elicited::Declined | Elicited::Cancelled => Err(fail("the user did not answer")),
    }
}

fn form(message: &str, property: &str, kind: &str) -> Elicitation {
    Elicitation::form(
        message,
        json!({"type": "object", "properties": {property: {"type": kind}}, "required": [property]}),
    )
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

fn tool<F, R>(name: &str, description: &str, required: &[&str], function: F) -> Tool<()>
where
    F: Fn(Call<()>) -> R + Send + Sync + 'static,
    R: Future<Output = ToolResult> + Send + 'static,
{
    let properties: Map<String, Value> = required
        .iter()
        .map(|name| ((*name).to_owned(), json!({"type": "string"})))
        .collect();
    let schema = json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    Tool::new(name, description, schema, function)
}
