//! The endpoint under test and its caller, through which a test sees a tool start and end and lets
//! it go on.

use std::sync::Arc;

use footbridge_mcp::{Call, Content, Effect, Endpoint, Failure, Output, Tool, fail};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

/// What a waiting tool reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Started(String),
    /// It went through its gate and answered.
    Answered(String),
    /// It was dropped while it waited.
    Cancelled(String),
}

/// The caller of the test endpoint.
#[derive(Debug, Clone)]
pub(crate) struct World {
    events: mpsc::UnboundedSender<Event>,
    pub(crate) gate: Arc<Semaphore>,
}

impl World {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, seen) = mpsc::unbounded_channel();
        (
            Self {
                events,
                gate: Arc::new(Semaphore::new(0)),
            },
            seen,
        )
    }

    /// Lets this many waiting calls go on.
    pub(crate) fn open(&self, calls: usize) {
        self.gate.add_permits(calls);
    }
}

/// Reports how a waiting call ended.
struct Guard {
    name: String,
    answered: bool,
    events: mpsc::UnboundedSender<Event>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        let event = if self.answered {
            Event::Answered(name)
        } else {
            Event::Cancelled(name)
        };
        // A test that has seen enough no longer listens.
        let _unheard = self.events.send(event);
    }
}

/// Waits at the gate.
async fn wait(call: Call<World>) -> Result<Output, Failure> {
    let name = call
        .arguments
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let mut guard = Guard {
        name: name.clone(),
        answered: false,
        events: call.caller.events.clone(),
    };
    call.caller.events.send(Event::Started(name.clone()))?;
    call.caller.gate.acquire().await?.forget();
    guard.answered = true;
    Ok(Output::text(format!("waited: {name}")))
}

pub(crate) fn tools() -> Vec<Tool<World>> {
    let message = json!({"type": "object", "properties": {"message": {"type": "string"}}, "additionalProperties": false});
    let named = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    let regional = json!({"type": "object", "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "dry": {"type": "boolean", "x-mcp-header": "Dry"}
    }});
    let picky = json!({"type": "object", "properties": {
        "title": {"type": "string"}, "count": {"type": "integer"}, "priority": {"type": "string", "enum": ["low", "high"]}
    }, "required": ["title"], "additionalProperties": false});
    let nothing = json!({"type": "object"});
    let said = |call: &Call<World>| {
        call.arguments
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    vec![
        Tool::new(
            "echo",
            "Says the message again.",
            message,
            move |call: Call<World>| {
                let text = said(&call);
                async move { Ok(Output::text(text)) }
            },
        )
        .effect(Effect::Read)
        .title("Echo"),
        Tool::new("wait", "Waits for the test.", named, wait).effect(Effect::Write),
        Tool::new(
            "report",
            "Answers structured content over several lines.",
            nothing.clone(),
            |_: Call<World>| async {
                Ok(Output::json(RawValue::from_string(
                    "{\n  \"lines\": [\r\n    \"a\\nb\"\n  ]\n}".to_owned(),
                )?))
            },
        )
        .output_schema(json!({"type": "object", "properties": {"lines": {"type": "array"}}})),
        Tool::new(
            "picture",
            "Answers with several kinds of content.",
            nothing.clone(),
            |_: Call<World>| async {
                Ok(Output::content(vec![
                    Content::text("two"),
                    Content::image(b"png", "image/png"),
                    Content::text_resource("test://notes", "text/plain", "n"),
                ]))
            },
        ),
        Tool::new("picky", "Has rules.", picky, |_: Call<World>| async {
            Ok(Output::text("fine"))
        }),
        Tool::new(
            "regional",
            "Repeats arguments in headers.",
            regional,
            |call: Call<World>| async move {
                Ok(Output::text(
                    Value::Object(call.arguments.into_map()).to_string(),
                ))
            },
        ),
        Tool::new(
            "sampler",
            "Needs sampling.",
            nothing.clone(),
            |_: Call<World>| async { Ok(Output::text("sampled")) },
        )
        .requires(json!({"sampling": {}})),
        Tool::new(
            "asker",
            "Needs a part of a capability.",
            nothing.clone(),
            |_: Call<World>| async { Ok(Output::text("asked")) },
        )
        .requires(json!({"elicitation": {"url": {}}, "sampling": {}})),
        Tool::new(
            "wide",
            "Takes anything.",
            nothing.clone(),
            |_: Call<World>| async { Ok(Output::text("taken")) },
        ),
        Tool::new(
            "told",
            "Refuses with a sentence.",
            nothing.clone(),
            |_: Call<World>| async { Err(fail("There is no such card. Use card_list.")) },
        ),
        Tool::new(
            "broken",
            "Fails inside.",
            nothing.clone(),
            |_: Call<World>| async {
                Err(std::io::Error::other("password=hunter2 in /etc/secret").into())
            },
        ),
        Tool::new(
            "panics_early",
            "Panics before it has a future.",
            nothing.clone(),
            |call: Call<World>| {
                assert!(call.arguments.contains_key("fine"), "early hunter2");
                async { Ok(Output::text("")) }
            },
        ),
        Tool::new(
            "panics_late",
            "Panics while it runs.",
            nothing,
            |call: Call<World>| async move {
                assert!(call.arguments.contains_key("fine"), "late hunter2");
                Ok(Output::text(""))
            },
        ),
    ]
}

pub(crate) fn endpoint() -> Endpoint<World> {
    Endpoint::builder("tested", "1.2.3")
        .title("Under test")
        .instructions("Use the tools.")
        .tools(tools())
        .build()
        .unwrap()
}

/// A chain of arrays, `depth` deep.
pub(crate) fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}
