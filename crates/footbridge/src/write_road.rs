//! The write road: what stands between a call and its connector. Today the effect gate; every connector tool passes here and nowhere else.

use footbridge_connector::{Backend, CallError, Effect, Fault, Options, Tool as ConnectorTool};
use footbridge_mcp::{Call, Output, Tool, ToolResult, fail};
use serde_json::json;

use crate::caller::Caller;
use crate::cli::Allow;
use crate::opened::Served;

/// What the operator opened on one connector. Reading is always open.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    allowed: Vec<Allow>,
}

impl Gate {
    pub(crate) fn new(allowed: Vec<Allow>) -> Self {
        Self { allowed }
    }

    pub(crate) fn is_open(&self, effect: Effect) -> bool {
        match effect {
            Effect::Read => true,
            Effect::Write => self.allowed.contains(&Allow::Write),
            Effect::Destroy => self.allowed.contains(&Allow::Destroy),
        }
    }

    /// The value of `--allow` that opens an effect beside what is open already.
    pub(crate) fn switch_for(&self, effect: Effect) -> &'static str {
        match effect {
            Effect::Destroy if self.is_open(Effect::Write) => "--allow write,destroy",
            Effect::Write if self.is_open(Effect::Destroy) => "--allow write,destroy",
            Effect::Destroy => "--allow destroy",
            Effect::Read | Effect::Write => "--allow write",
        }
    }
}

/// The tools of a served connector: the open ones as clients see them, the closed ones unlisted and answering with the switch that opens them.
pub(crate) fn tools(served: &Served) -> Vec<Tool<Caller>> {
    let tools = served.backend.connector().tools().iter();
    tools.map(|tool| if served.gate.is_open(tool.effect) { open(served, tool) } else { closed(served, tool) }).collect()
}

/// What an action answers when the way to the backend, or we, failed; the log says more.
pub(crate) const FAILED_INSIDE: &str = "Internal server error";

const CLOSED_ACTION: &str = "This action is closed:";

/// The tools that the actions of a served connector call. They answer with the backend's own records. The key of the actions opens
/// them, whatever they do, unless the operator said that there is only reading.
pub(crate) fn tools_of_actions(served: &Served) -> Vec<Tool<Caller>> {
    let connector = served.backend.connector();
    let is_called = |tool: &&ConnectorTool| connector.actions().iter().any(|action| action.tool == tool.name);
    let only_reads = served.gate.allowed.contains(&Allow::Read) && served.gate.allowed.len() == 1;
    let tools = connector.tools().iter().filter(is_called);
    tools
        .map(|tool| {
            let (backend, name) = (served.backend.clone(), tool.name.clone());
            let is_closed = only_reads && tool.effect != Effect::Read;
            let made = Tool::new(tool.name.as_str(), tool.description.as_str(), tool.input_schema.clone(), move |call: Call<Caller>| {
                let (backend, name) = (backend.clone(), name.clone());
                async move {
                    if is_closed {
                        return Err(fail(format!("{CLOSED_ACTION} the operator allows reading alone. To open it, start footbridge without --allow read.")));
                    }
                    run_for_records(backend, name, call).await
                }
            });
            tool.argument_aliases
                .iter()
                .fold(made.nullable(tool.nullable.iter().map(String::as_str)), |made, (alias, name)| made.argument_alias(alias, name))
        })
        .collect()
}

/// Whether an error text says that the operator closed an action.
pub(crate) fn is_closing(text: &str) -> bool {
    text.starts_with(CLOSED_ACTION)
}

async fn run_for_records(backend: Backend, tool: String, call: Call<Caller>) -> ToolResult {
    let options = Options { keeps_records: true, ..Options::default() };
    match backend.call_with(&tool, call.arguments, options).await {
        Ok(outcome) => {
            tracing::info!(%tool, caller = ?call.caller, "called");
            Ok(Output::json(outcome.records.unwrap_or(outcome.json)))
        }
        Err(error) => {
            let is_inside = error.fault() == Fault::Us || (error.fault() == Fault::Backend && error.status().is_none());
            told(&tool, &call.caller, &error);
            Err(fail(if is_inside { FAILED_INSIDE } else { error.message() }))
        }
    }
}

fn open(served: &Served, tool: &ConnectorTool) -> Tool<Caller> {
    let backend = served.backend.clone();
    let name = tool.name.clone();
    let made = Tool::new(tool.name.as_str(), tool.description.as_str(), tool.input_schema.clone(), move |call: Call<Caller>| {
        run(backend.clone(), name.clone(), call)
    });
    let made = made
        .title(tool.title.as_str())
        .nullable(tool.nullable.iter().map(String::as_str))
        .effect(match tool.effect {
            Effect::Read => footbridge_mcp::Effect::Read,
            Effect::Write => footbridge_mcp::Effect::Write,
            Effect::Destroy => footbridge_mcp::Effect::Destroy,
        })
        .idempotent(tool.annotations.idempotent)
        .open_world(tool.annotations.open_world);
    let made = tool.argument_aliases.iter().fold(made, |made, (alias, name)| made.argument_alias(alias, name));
    let made = if tool.is_listed { made } else { made.unlisted() };
    tool.aliases.iter().fold(made, Tool::alias)
}

fn closed(served: &Served, tool: &ConnectorTool) -> Tool<Caller> {
    let message = format!(
        "{} is closed: it can {} and the operator has not opened that. To open it, start footbridge with {}.",
        tool.name,
        match tool.effect {
            Effect::Destroy => "delete",
            Effect::Read | Effect::Write => "change things",
        },
        served.gate.switch_for(tool.effect)
    );
    let anything = json!({ "type": "object" });
    let made = Tool::new(tool.name.as_str(), tool.description.as_str(), anything, move |_: Call<Caller>| {
        let message = message.clone();
        async move { Err(fail(message)) }
    });
    tool.aliases.iter().fold(made.unlisted(), Tool::alias)
}

async fn run(backend: Backend, tool: String, call: Call<Caller>) -> ToolResult {
    match backend.call(&tool, call.arguments).await {
        Ok(outcome) => {
            tracing::info!(%tool, caller = ?call.caller, "called");
            Ok(Output::json(outcome.json))
        }
        Err(error) => {
            told(&tool, &call.caller, &error);
            Err(fail(error.message()))
        }
    }
}

/// The log says what the caller does not read.
fn told(tool: &str, caller: &Caller, error: &CallError) {
    let (status, detail) = (error.status(), error.detail());
    match error.fault() {
        Fault::Us => tracing::error!(%tool, ?caller, status, detail, "a call failed by our fault"),
        Fault::Caller | Fault::Backend => tracing::info!(%tool, ?caller, status, detail, "a call failed"),
    }
}

#[cfg(test)]
mod tests {
    use footbridge_connector::Effect;

    use super::Gate;
    use crate::cli::Allow;

    #[test]
    fn reading_is_always_open_and_each_other_effect_by_its_own_word() {
        let gate = |allowed: &[Allow]| Gate::new(allowed.to_vec());
        assert!(gate(&[]).is_open(Effect::Read));
        assert!(!gate(&[]).is_open(Effect::Write) && !gate(&[]).is_open(Effect::Destroy));
        assert!(gate(&[Allow::Write]).is_open(Effect::Write) && !gate(&[Allow::Write]).is_open(Effect::Destroy));
        assert!(!gate(&[Allow::Destroy]).is_open(Effect::Write) && gate(&[Allow::Destroy]).is_open(Effect::Destroy));
    }

    #[test]
    fn the_named_switch_opens_what_it_says_and_closes_nothing() {
        assert_eq!(Gate::new(vec![Allow::Write]).switch_for(Effect::Destroy), "--allow write,destroy");
        assert_eq!(Gate::new(vec![]).switch_for(Effect::Destroy), "--allow destroy");
        assert_eq!(Gate::new(vec![]).switch_for(Effect::Write), "--allow write");
        assert_eq!(Gate::new(vec![Allow::Destroy]).switch_for(Effect::Write), "--allow write,destroy");
    }
}
