//! The fixture's endpoint, and its tools that only answer. Their texts are the suite's. Opens no
//! door.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use footbridge_mcp::{
    Call, Change, Content, Effect, Endpoint, Failure, Json, LogLevel, Output, Run, TaskLimits, Tool,
};
use serde_json::{Value, json};

use crate::{asking, prompts, resources, skills, tasks, watching, zoo};

/// One red pixel.
pub(crate) const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 12, b'I', b'D', b'A', b'T',
    0x08, 0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0, 0, 0x03, 0x01, 0x01, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0,
    0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// No sound at all.
pub(crate) const WAV: &[u8] = &[
    b'R', b'I', b'F', b'F', 36, 0, 0, 0, b'W', b'A', b'V', b'E', b'f', b'm', b't', b' ', 16, 0, 0,
    0, 1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0, b'd', b'a', b't', b'a', 0, 0,
    0, 0,
];

/// Answers with the values that it was given, whatever they are.
#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
struct TestAnyValue {
    /// Any value.
    any: Option<Value>,
    nested: Option<Nested>,
}

#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
struct Nested {
    any: Value,
    note: Option<String>,
}

impl<C: Send + Sync + 'static> Run<C> for TestAnyValue {
    type Output = Json<Self>;

    async fn run(self, _: &Call<C>) -> Result<Json<Self>, Failure> {
        Ok(Json(self))
    }
}

/// The endpoint; there is one in a process.
pub(crate) fn endpoint() -> Result<Endpoint<()>, Box<dyn Error>> {
    let endpoint = Endpoint::builder("everything", "1.0.0")
        .title("Everything")
        .instructions("The fixture of the conformance suite: every tool answers with a fixed text.")
        .tool(fixed(
            "test_simple_text",
            "Answers with a line of text.",
            || Output::text("This is a simple text response for testing."),
        ))
        .tool(fixed(
            "test_image_content",
            "Answers with a picture.",
            || Output::content(vec![Content::image(PNG, "image/png")]),
        ))
        .tool(fixed("test_audio_content", "Answers with a sound.", || {
            Output::content(vec![Content::audio(WAV, "audio/wav")])
        }))
        .tool(fixed(
            "test_embedded_resource",
            "Answers with a resource.",
            || {
                let text = "This is an embedded resource content.";
                Output::content(vec![Content::text_resource(
                    "test://embedded-resource",
                    "text/plain",
                    text,
                )])
            },
        ))
        .tool(fixed(
            "test_multiple_content_types",
            "Answers with text, a picture and a resource.",
            || {
                let data = json!({"test": "data", "value": 123}).to_string();
                Output::content(vec![
                    Content::text("Multiple content types test:"),
                    Content::image(PNG, "image/png"),
                    Content::text_resource(
                        "test://mixed-content-resource",
                        "application/json",
                        data,
                    ),
                ])
            },
        ))
        .tool(fixed(
            "test_error_handling",
            "Answers with an error.",
            || Output::error("This tool intentionally returns an error for testing"),
        ))
        .tool(
            fixed(
                "test_missing_capability",
                "Needs a client that can sample.",
                || Output::text("The client can sample."),
            )
            .requires(json!({"sampling": {}})),
        )
        .logging()
        .subscriptions()
        .announces_changes()
        .tool(changing("test_trigger_tool_change", Change::Tools))
        .tool(changing("test_trigger_prompt_change", Change::Prompts))
        .tool(Tool::of::<TestAnyValue>().effect(Effect::Read))
        .tool(reconnection())
        .tool(custom_header())
        .tool(with_progress())
        .tool(with_logging("test_tool_with_logging"))
        .tool(with_logging("test_logging_tool"))
        .tools(asking::tools())
        .tools(watching::tools())
        .tasks(TaskLimits::default())
        .tools(tasks::tools())
        .resource(resources::text())
        .resource(resources::binary())
        .resource(resources::watched())
        .resource(resources::template())
        .skills(skills::skills())
        .tool(Tool::of::<zoo::ZooKeep>())
        .tool(Tool::of::<zoo::Inside>().named("zoo_inside"))
        .prompt(prompts::simple())
        .prompt(prompts::with_arguments())
        .prompt(prompts::with_embedded_resource())
        .prompt(prompts::with_image(PNG))
        .prompt(prompts::asking())
        .tool(Tool::new(
            "json_schema_2020_12_tool",
            "Shows a schema of JSON Schema 2020-12.",
            schema_2020_12(),
            |call: Call<()>| async move {
                Ok(Output::text(
                    Value::Object(call.arguments.into_map()).to_string(),
                ))
            },
        ))
        .build()?;
    Ok(SERVED.get_or_init(|| endpoint).clone())
}

fn fixed(name: &str, description: &str, output: fn() -> Output) -> Tool<()> {
    let nothing = json!({"type": "object", "additionalProperties": false});
    Tool::new(name, description, nothing, move |_: Call<()>| async move {
        Ok(output())
    })
    .effect(Effect::Read)
    .open_world(false)
}

fn with_progress() -> Tool<()> {
    let nothing = json!({"type": "object", "additionalProperties": false});
    Tool::new(
        "test_tool_with_progress",
        "Tells how far it is on its way.",
        nothing,
        |call: Call<()>| async move {
            for step in [0.0, 50.0, 100.0] {
                call.progress(step, Some(100.0), None).await;
                tokio::time::sleep(PAUSE).await;
            }
            Ok(Output::text("Everything is done."))
        },
    )
    .effect(Effect::Read)
}

fn with_logging(name: &str) -> Tool<()> {
    let nothing = json!({"type": "object", "additionalProperties": false});
    Tool::new(
        name,
        "Writes to the client's log on its way.",
        nothing,
        |call: Call<()>| async move {
            for stage in [
                "Tool execution started",
                "Tool processing data",
                "Tool execution completed",
            ] {
                call.log(LogLevel::Info, Some("everything"), Value::from(stage))
                    .await;
                tokio::time::sleep(PAUSE).await;
            }
            Ok(Output::text("Everything is logged."))
        },
    )
    .effect(Effect::Read)
}

/// Tells everybody who listens that a list changed.
fn changing(name: &str, change: Change) -> Tool<()> {
    let nothing = json!({"type": "object", "additionalProperties": false});
    Tool::new(
        name,
        "Tells those who listen that a list changed.",
        nothing,
        move |_: Call<()>| {
            let change = change.clone();
            async move {
                if let Some(endpoint) = SERVED.get() {
                    endpoint.lists_changed(&change);
                }
                Ok(Output::text("Told."))
            }
        },
    )
}

/// Sends its client away and has the answer when it comes back.
fn reconnection() -> Tool<()> {
    let nothing = json!({"type": "object", "additionalProperties": false});
    Tool::new(
        "test_reconnection",
        "Sends its client away for a moment.",
        nothing,
        |call: Call<()>| async move {
            call.release_client();
            tokio::time::sleep(PAUSE * 4).await;
            Ok(Output::text("Reconnection worked."))
        },
    )
}

/// The endpoint, once it is made.
pub(crate) static SERVED: OnceLock<Endpoint<()>> = OnceLock::new();

/// What the suite wants between two messages.
const PAUSE: Duration = Duration::from_millis(50);

fn custom_header() -> Tool<()> {
    let schema = json!({
        "type": "object",
        "properties": {"value": {"type": "string", "description": "Repeated in a header", "x-mcp-header": "Value"}},
        "required": ["value"]
    });
    Tool::new(
        "test_custom_header",
        "Answers with its argument, which the client repeats in a header.",
        schema,
        |call: Call<()>| async move {
            Ok(Output::text(
                call.arguments
                    .get("value")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            ))
        },
    )
    .effect(Effect::Read)
}

fn schema_2020_12() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}}
            }
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"}
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false
    })
}
