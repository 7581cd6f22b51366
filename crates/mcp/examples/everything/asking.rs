//! The fixture's tools that ask the user something, of both eras. Their texts are the suite's.

use footbridge_mcp::{
    Call, Elicitation, Elicited, Failure, Output, Sampling, Tool, ToolResult, fail,
};
use serde_json::{Value, json};

/// All of them.
pub(crate) fn tools() -> Vec<Tool<()>> {
    vec![
        tool(
            "test_input_required_result_elicitation",
            |call| async move {
                let name = name(&call, "user_name").await?;
                Ok(Output::text(format!("Hello, {name}!")))
            },
        ),
        tool("test_streaming_elicitation", |call| async move {
            let name = name(&call, "user_name").await?;
            Ok(Output::text(format!("Hello, {name}!")))
        }),
        tool("test_input_required_result_sampling", |call| async move {
            let answer = call.sample("capital_question", capital()).await?;
            Ok(Output::text(answer.text()))
        }),
        tool("test_input_required_result_list_roots", |call| async move {
            let roots = call.roots("client_roots").await?;
            let uris: Vec<_> = roots.into_iter().map(|root| root.uri).collect();
            Ok(Output::text(format!("Roots: {}", uris.join(", "))))
        }),
        tool(
            "test_input_required_result_request_state",
            |call| async move {
                confirmed(&call).await?;
                Ok(Output::text("state-ok"))
            },
        ),
        tool(
            "test_input_required_result_tampered_state",
            |call| async move {
                confirmed(&call).await?;
                Ok(Output::text("state-ok"))
            },
        ),
        tool(
            "test_input_required_result_multiple_inputs",
            multiple_inputs,
        ),
        tool(
            "test_input_required_result_multi_round",
            |call| async move {
                let name = name(&call, "step1").await?;
                let color = accepted(
                    call.elicit(
                        "step2",
                        form("What is your favourite color?", "color", "string"),
                    )
                    .await?,
                )?;
                Ok(Output::text(format!(
                    "{name} likes {}",
                    color
                        .get("color")
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                )))
            },
        ),
        tool(
            "test_input_required_result_capabilities",
            |call| async move {
                let mut round = call.round();
                if call.client().can("elicitation") {
                    round = round.elicit("user_name", form("What is your name?", "name", "string"));
                }
                if call.client().can("sampling") {
                    round = round.sample("capital_question", capital());
                }
                round.ask().await?;
                Ok(Output::text("Everything was answered."))
            },
        ),
        asks_with("test_sampling", "prompt", |call, prompt| async move {
            let answer = call.sample("prompt", Sampling::text(prompt, 100)).await?;
            Ok(Output::text(format!("LLM response: {}", answer.text())))
        }),
        asks_with("test_elicitation", "message", |call, message| async move {
            let schema = json!({
                "type": "object",
                "properties": {
                    "username": {"type": "string", "description": "User's response"},
                    "email": {"type": "string", "description": "User's email address"}
                },
                "required": ["username", "email"]
            });
            let answer = call
                .elicit("user", Elicitation::form(message, schema))
                .await?;
            Ok(Output::text(format!("User response: {}", told(&answer))))
        }),
        tool("test_elicitation_sep1034_defaults", |call| async move {
            let schema = json!({
                "type": "object",
                "properties": {
                    "name": {"type": "string", "default": "John Doe"},
                    "age": {"type": "integer", "default": 30},
                    "score": {"type": "number", "default": 95.5},
                    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
                    "verified": {"type": "boolean", "default": true}
                }
            });
            let answer = call
                .elicit(
                    "defaults",
                    Elicitation::form("Please check these values", schema),
                )
                .await?;
            Ok(Output::text(format!(
                "Elicitation completed: {}",
                told(&answer)
            )))
        }),
        tool("test_elicitation_sep1330_enums", |call| async move {
            let answer = call
                .elicit("enums", Elicitation::form("Please choose", enums()))
                .await?;
            Ok(Output::text(format!(
                "Elicitation completed: {}",
                told(&answer)
            )))
        }),
    ]
}

async fn multiple_inputs(call: Call<()>) -> ToolResult {
    let round = call
        .round()
        .elicit("user_name", form("What is your name?", "name", "string"))
        .sample("greeting", Sampling::text("Write a short greeting.", 50))
        .roots("client_roots");
    let mut answers = round.ask().await?;
    let name = accepted(answers.elicited("user_name")?)?;
    let greeting = answers.sampled("greeting")?.text();
    let roots = answers.roots("client_roots")?.len();
    let name = name.get("name").and_then(Value::as_str).unwrap_or_default();
    Ok(Output::text(format!("{greeting} {name}, {roots} roots")))
}

async fn name(call: &Call<()>, question: &str) -> Result<String, Failure> {
    let answer = accepted(
        call.elicit(question, form("What is your name?", "name", "string"))
            .await?,
    )?;
    Ok(answer
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned())
}

async fn confirmed(call: &Call<()>) -> Result<(), Failure> {
    accepted(
        call.elicit("confirm", form("Please confirm", "ok", "boolean"))
            .await?,
    )
    .map(|_| ())
}

fn accepted(answer: Elicited) -> Result<serde_json::Map<String, Value>, Failure> {
    match answer {
        Elicited::Accepted(content) => Ok(content),
        Elicited::Declined | Elicited::Cancelled => Err(fail("the user did not answer")),
    }
}

fn told(answer: &Elicited) -> String {
    match answer {
        Elicited::Accepted(content) => {
            format!("action=accept, content={}", Value::Object(content.clone()))
        }
        Elicited::Declined => "action=decline, content={}".to_owned(),
        Elicited::Cancelled => "action=cancel, content={}".to_owned(),
    }
}

fn form(message: &str, property: &str, kind: &str) -> Elicitation {
    Elicitation::form(
        message,
        json!({"type": "object", "properties": {property: {"type": kind}}, "required": [property]}),
    )
}

fn capital() -> Sampling {
    Sampling::text("What is the capital of France?", 100)
}

fn enums() -> Value {
    let titled = json!([
        {"const": "value1", "title": "First Option"}, {"const": "value2", "title": "Second Option"}, {"const": "value3", "title": "Third Option"}
    ]);
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
            "titledSingle": {"type": "string", "oneOf": titled},
            "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]},
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2", "option3"]}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled}}
        }
    })
}

fn tool<F, R>(name: &str, function: F) -> Tool<()>
where
    F: Fn(Call<()>) -> R + Send + Sync + 'static,
    R: Future<Output = ToolResult> + Send + 'static,
{
    let nothing = json!({"type": "object", "additionalProperties": false});
    Tool::new(name, "Asks before it answers.", nothing, function)
}

fn asks_with<F, R>(name: &str, argument: &'static str, function: F) -> Tool<()>
where
    F: Fn(Call<()>, String) -> R + Send + Sync + 'static,
    R: Future<Output = ToolResult> + Send + 'static,
{
    let schema = json!({"type": "object", "properties": {argument: {"type": "string", "description": "What to ask"}}, "required": [argument]});
    Tool::new(
        name,
        "Asks what it is told to ask.",
        schema,
        move |call: Call<()>| {
            let text = call
                .arguments
                .get(argument)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            function(call, text)
        },
    )
}
