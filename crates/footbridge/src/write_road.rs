//! The write road: what stands between a call and its connector. The effect gate, the user's
//! consent, keys of calls, progress; every connector tool passes here and nowhere else.

mod consent;
mod gate;
mod keys;
mod progress;
mod second_call;

use std::sync::Arc;
use std::time::SystemTime;

use footbridge_connector::{Backend, CallError, Effect, Fault, Options, Tool as ConnectorTool};
use footbridge_mcp::{Call, Failure, Output, Tool, ToolResult, fail, limits};
use footbridge_store::CallKey;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::caller::Caller;
use crate::endpoint::Names;
use crate::opened::Served;
use crate::readiness::Readiness;
pub(crate) use gate::Gate;
pub(crate) use keys::Keys;
use keys::{ARGUMENT, Begun};
use second_call::Asked;

/// What an action answers when the way to the backend, or we, failed; the log says more.
pub(crate) const FAILED_INSIDE: &str = "Internal server error";

/// What every call of one tool passes.
#[derive(Debug)]
struct Road {
    backend: Backend,
    tool: String,
    title: String,
    effect: Effect,
    takes_key: bool,
    /// The connector file says how a person is asked before it acts.
    asks: bool,
    asked: Asked,
    is_structured: bool,
    keys: Keys,
    readiness: Readiness,
}

/// What a call is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The result as the connector file shapes it.
    Result,
    /// The backend's own records, for a program.
    Records,
}

impl Road {
    fn new(served: &Served, tool: &ConnectorTool, keys: &Keys) -> Arc<Self> {
        Arc::new(Self {
            backend: served.backend.clone(),
            tool: tool.name.clone(),
            title: tool.title.clone(),
            effect: tool.effect,
            takes_key: tool.takes_key,
            asks: tool.asks && tool.effect != Effect::Read,
            asked: Asked::default(),
            is_structured: tool.structured,
            keys: keys.clone(),
            readiness: served.readiness.clone(),
        })
    }

    /// The caller's key for this call, when it has one; an empty one is none.
    fn key(&self, call: &Call<Caller>, arguments: &mut Map<String, Value>) -> Option<CallKey> {
        let key = self.takes_key.then(|| arguments.remove(ARGUMENT))??;
        let key = key.as_str().filter(|key| !key.is_empty())?.to_owned();
        let tool = format!("{} {}", self.backend.identity(), self.tool);
        Some(CallKey {
            caller: call.caller.name().to_owned(),
            tool,
            key,
        })
    }
}

/// The tools of a served connector: the open ones as clients see them, the closed ones unlisted and
/// answering with the switch that opens them.
pub(crate) fn tools(served: &Served, names: &Names, keys: &Keys) -> Vec<Tool<Caller>> {
    let tools = served.backend.connector().tools().iter();
    tools
        .map(|tool| {
            if served.gate.is_open(tool.effect) {
                open(served, tool, names, keys)
            } else {
                closed(served, tool, names)
            }
        })
        .collect()
}

/// The tools that the actions of a served connector call. They answer with the backend's own
/// records. The key of the actions opens them, whatever they do, unless the operator said that
/// there is only reading.
pub(crate) fn tools_of_actions(served: &Served, keys: &Keys) -> Vec<Tool<Caller>> {
    let connector = served.backend.connector();
    let is_called = |tool: &&ConnectorTool| {
        connector
            .actions()
            .iter()
            .any(|action| action.tool == tool.name)
    };
    let tools = connector.tools().iter().filter(is_called);
    tools
        .map(|tool| {
            let road = Road::new(served, tool, keys);
            let is_closed = served.gate.only_reads() && tool.effect != Effect::Read;
            let made = Tool::new(tool.name.as_str(), tool.description.as_str(), tool.input_schema.clone(), move |call: Call<Caller>| {
                let road = Arc::clone(&road);
                async move {
                    if is_closed {
                        let message = "This action is closed: the operator allows reading alone. To open it, start footbridge without --allow read.";
                        return Err(Failure::Forbidden(message.to_owned()));
                    }
                    run(&road, call, Wanted::Records).await
                }
            });
            taking(made, tool)
        })
        .collect()
}

/// What a tool takes beside its schema, and for how long it may run.
fn taking(made: Tool<Caller>, tool: &ConnectorTool) -> Tool<Caller> {
    let made = made
        .nullable(tool.nullable.iter().map(String::as_str))
        .or_integer(tool.takes_ids.iter().map(String::as_str));
    let made = made.time_limit(limits::TOOL_TIME + tool.longest_wait);
    let made = tool
        .argument_aliases
        .iter()
        .fold(made, |made, (alias, name)| made.argument_alias(alias, name));
    tool.value_aliases
        .iter()
        .fold(made, |made, (name, alias, value)| {
            made.value_alias(name, alias, value)
        })
}

fn open(served: &Served, tool: &ConnectorTool, names: &Names, keys: &Keys) -> Tool<Caller> {
    let road = Road::new(served, tool, keys);
    let name = names.published(&served.name, &tool.name);
    let made = Tool::new(
        name,
        tool.description.as_str(),
        tool.input_schema.clone(),
        move |call: Call<Caller>| {
            let road = Arc::clone(&road);
            async move { run(&road, call, Wanted::Result).await }
        },
    );
    let made = made
        .title(tool.title.as_str())
        .effect(match tool.effect {
            Effect::Read => footbridge_mcp::Effect::Read,
            Effect::Write => footbridge_mcp::Effect::Write,
            Effect::Destroy => footbridge_mcp::Effect::Destroy,
        })
        .idempotent(tool.annotations.idempotent)
        .open_world(tool.annotations.open_world);
    let made = match tool.output_schema.as_ref().filter(|_| tool.structured) {
        Some(schema) => made.output_schema(schema.clone()),
        None => made,
    };
    let made = taking(made, tool);
    let made = if tool.asks {
        made.unlisted_argument(second_call::ARGUMENT, second_call::schema())
    } else {
        made
    };
    let unlisted = tool.unlisted_arguments.iter();
    let made = unlisted.fold(made, |made, (name, schema)| {
        made.unlisted_argument(*name, schema.clone())
    });
    // what a model read in a fence it gives back in one
    let made = made.read_arguments(
        footbridge_connector::may_be_fenced,
        footbridge_connector::unfence,
    );
    let made = if served.lists(tool) {
        made
    } else {
        made.unlisted()
    };
    names
        .aliases(&served.name, tool)
        .into_iter()
        .fold(made, Tool::alias)
}

fn closed(served: &Served, tool: &ConnectorTool, names: &Names) -> Tool<Caller> {
    let name = names.published(&served.name, &tool.name);
    let message = format!(
        "{name} is closed: it can {} and the operator has not opened that. To open it, start footbridge with {}.",
        match tool.effect {
            Effect::Destroy => "delete",
            Effect::Read | Effect::Write => "change things",
        },
        served.gate.switch_for(tool.effect)
    );
    let anything = json!({ "type": "object" });
    let made = Tool::new(
        name,
        tool.description.as_str(),
        anything,
        move |_: Call<Caller>| {
            let message = message.clone();
            async move { Err(fail(message)) }
        },
    );
    names
        .aliases(&served.name, tool)
        .into_iter()
        .fold(made.unlisted(), Tool::alias)
}

/// One call. Questions come before effects, because a client that answers them may begin the call
/// anew.
async fn run(road: &Road, mut call: Call<Caller>, wanted: Wanted) -> ToolResult {
    gate::check_caller(*call.caller, road.effect, &road.tool)?;
    road.readiness.wait().await.map_err(fail)?;
    let mut arguments = std::mem::take(&mut call.arguments).into_map();
    if wanted == Wanted::Result {
        consent::ask(road, &call, &mut arguments).await?;
    }
    let key = road.key(&call, &mut arguments);
    let held = match key {
        None => None,
        Some(key) => match road
            .keys
            .begin(
                key,
                &call.caller.room(call.client().name()),
                &arguments,
                SystemTime::now(),
            )
            .await
        {
            Begun::Go(held) => Some(held),
            Begun::Answered(answer) => return answered(road, answer, wanted),
            Begun::Refused(why) => return Err(fail(why)),
        },
    };
    let keeps_records = wanted == Wanted::Records;
    // marks are for models: a program and a person at a terminal read the words alone
    let is_plain = keeps_records || *call.caller == Caller::Terminal;
    let start = |progress| {
        road.backend.call_with(
            &road.tool,
            arguments,
            Options {
                progress,
                keeps_records,
                is_plain,
            },
        )
    };
    match progress::told(&call, start).await {
        Ok(outcome) => {
            let json = outcome
                .records
                .filter(|_| keeps_records)
                .unwrap_or(outcome.json);
            if let Some(held) = held {
                held.finish(&json).await;
            }
            tracing::info!(tool = %road.tool, caller = ?call.caller, "called");
            answered(road, json, wanted)
        }
        Err(error) => {
            if let Some(held) = held {
                held.fail(error.may_have_changed()).await;
            }
            tell_log(&road.tool, &call.caller, &error);
            let is_inside = error.fault() == Fault::Us
                || (error.fault() == Fault::Backend && error.status().is_none());
            Err(fail(match (keeps_records && is_inside, is_plain) {
                (true, _) => FAILED_INSIDE,
                (false, true) => error.for_people(),
                (false, false) => error.message(),
            }))
        }
    }
}

fn answered(road: &Road, json: String, wanted: Wanted) -> ToolResult {
    if road.is_structured {
        if !json.starts_with('{') {
            return Err(Failure::Internal(
                format!("{} promises an object and gave something else", road.tool).into(),
            ));
        }
        return Ok(Output::json(RawValue::from_string(json)?));
    }
    // A text is read as it is; a record stays the JSON that an action makes its answer of.
    if wanted == Wanted::Result && json.starts_with('"') {
        return Ok(Output::text(serde_json::from_str::<String>(&json)?));
    }
    Ok(Output::text(json))
}

/// The log says what the caller does not read.
fn tell_log(tool: &str, caller: &Caller, error: &CallError) {
    let (status, detail) = (error.status(), error.detail());
    match error.fault() {
        Fault::Us => tracing::error!(%tool, ?caller, status, detail, "a call failed by our fault"),
        Fault::Caller | Fault::Backend => {
            tracing::info!(%tool, ?caller, status, detail, "a call failed")
        }
    }
}
