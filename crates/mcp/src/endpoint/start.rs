//! The one start of a call: every door hands its call to [`SeenThings::start`], which admits it and
//! sets the tool to work. Knows no door and writes no answer.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::entries::ReadyTool;
use super::running::Running;
use super::{CallError, SeenThings};
use crate::arguments::{ArgumentSchema, Arguments, IncomingArguments};
use crate::call::{Call, RequestContext};
use crate::revision::Revision;
use crate::tasks::{self, Prospect, Task, TaskUse, Tasks};

/// A call of a tool, as a door hands it over.
pub(crate) struct ToolCall<'a, C> {
    pub(crate) name: &'a str,
    pub(crate) arguments: SentArguments<'a>,
    pub(crate) caller: &'a Arc<C>,
    pub(crate) request: &'a Arc<RequestContext>,
    pub(crate) from: CalledFrom<'a>,
}

/// The side a call comes from, as far as tasks go.
#[derive(Clone, Copy)]
pub(crate) enum CalledFrom<'a> {
    /// The program itself, which waits for any tool.
    Program,
    /// A client; with the tasks of the endpoint, if it has some.
    Client(Option<&'a Arc<Tasks>>),
}

/// The arguments as they came.
pub(crate) enum SentArguments<'a> {
    /// From within the program; null is none.
    Value(Value),
    /// From a client: a JSON text, and its bytes, to be kept.
    Text(&'a str, &'a dyn Fn() -> Bytes),
}

/// A call that was admitted.
pub(crate) struct Started {
    pub(crate) running: Running,
    /// Whether its result carries `structuredContent`.
    pub(crate) structured: bool,
    /// The task that it is from its beginning on.
    pub(crate) task: Option<Arc<Task>>,
}

impl<C: Send + Sync + 'static> SeenThings<'_, C> {
    /// Admits a call and starts its tool: the tool is visible, its own rule and the door's `check`
    /// admit the call, the client can what the tool needs, the arguments fit. From then on the call
    /// is bounded in time and fenced against panics.
    pub(crate) fn start<E: From<CallError>>(
        &self,
        call: ToolCall<'_, C>,
        check: impl FnOnce(&ReadyTool<C>, &IncomingArguments) -> Result<(), E>,
    ) -> Result<Started, E> {
        let ToolCall {
            name,
            arguments,
            caller,
            request,
            from,
        } = call;
        let tool = self
            .tool(name)
            .ok_or_else(|| CallError::UnknownTool(name.to_owned()))?;
        let incoming = incoming(tool, arguments)?;
        if let Some(rule) = &tool.admission {
            let unread = call_with(Arguments::default(), caller, request);
            if let Err(failure) = rule(&unread) {
                return Ok(tool.ended(Running::refused_by_rule(tool.name(), failure)));
            }
        }
        if let Some(missing) = tool
            .required_capabilities
            .as_ref()
            .and_then(|required| missing(request.client.capabilities(), required))
        {
            Err(CallError::MissingCapability(missing))?;
        }
        check(tool, &incoming)?;
        let task = self.task_of(tool, caller, request, from)?;
        let arguments = match incoming {
            IncomingArguments::Fitting(arguments) => arguments,
            IncomingArguments::Unchecked(arguments) => {
                match tool.arguments.admit(&tool.name, tool.as_meant(arguments)) {
                    Ok(arguments) => arguments.into(),
                    // Wrong arguments are told at once, and no task comes of them.
                    Err(problems) => {
                        if let (Some(task), CalledFrom::Client(Some(tasks))) = (&task, from) {
                            tasks.forget(task);
                        }
                        return Ok(tool.ended(Running::unfit(tool.name(), problems)));
                    }
                }
            }
        };
        let call = call_with(arguments, caller, request);
        let work = (tool.function)(call);
        Ok(Started {
            running: Running::tool(&tool.name, work, tool.time_limit, request),
            structured: tool.structured_for(request, self.identity().profile.announces_pages),
            task,
        })
    }

    /// The task that a call begins as, where it has to; a call that its tool may make one later is
    /// prepared for that.
    fn task_of(
        &self,
        tool: &ReadyTool<C>,
        caller: &Arc<C>,
        request: &RequestContext,
        from: CalledFrom<'_>,
    ) -> Result<Option<Arc<Task>>, CallError> {
        let (Some(task_use), CalledFrom::Client(tasks)) = (tool.task, from) else {
            return Ok(None);
        };
        let knows_tasks = request.revision.is_some_and(Revision::has_tasks)
            && tasks::knows_tasks(&request.client);
        let Some(tasks) = tasks.filter(|_| knows_tasks) else {
            return match task_use {
                TaskUse::Required => Err(CallError::MissingCapability(tasks::capability())),
                TaskUse::Optional => Ok(None),
            };
        };
        let prospect = Prospect::new(
            tasks,
            self.identity().profile.principal_of(caller),
            tool.name(),
        );
        if !tool.begins_task {
            prospect
                .begin()
                .map_err(|error| CallError::NoTask(error.message.into_owned()))?;
        }
        let prospect = request.prospect.get_or_init(|| Box::new(prospect));
        Ok(prospect.task().cloned())
    }
}

impl<C> ReadyTool<C> {
    /// Whether results carry `structuredContent`: where a schema says so, and for a page.
    fn structured_for(&self, request: &RequestContext, announces_pages: bool) -> bool {
        self.structured
            || self.concerns_pages() && (announces_pages || request.client.shows_pages())
    }

    /// A call of it that ended before its function was asked.
    fn ended(&self, running: Running) -> Started {
        Started {
            running,
            structured: self.structured,
            task: None,
        }
    }
}

fn call_with<C>(arguments: Arguments, caller: &Arc<C>, request: &Arc<RequestContext>) -> Call<C> {
    Call {
        arguments,
        caller: Arc::clone(caller),
        request: Arc::clone(request),
    }
}

/// The arguments as they are read. Most are right as they are sent, and then they stay a text.
fn incoming<C: Send + Sync + 'static>(
    tool: &ReadyTool<C>,
    arguments: SentArguments<'_>,
) -> Result<IncomingArguments, CallError> {
    let value = match arguments {
        SentArguments::Value(value) => value,
        SentArguments::Text(json, bytes) => match tool.fitting(json, bytes) {
            Some(fitting) => return Ok(IncomingArguments::Fitting(fitting)),
            None => serde_json::from_str(json)
                .map_err(|error| CallError::ArgumentsUnreadable(error.to_string()))?,
        },
    };
    match value {
        Value::Null => Ok(IncomingArguments::Unchecked(Map::new())),
        Value::Object(arguments) => Ok(IncomingArguments::Unchecked(arguments)),
        // Some clients send the object as a text.
        Value::String(text) => ArgumentSchema::object_in(&text)
            .map(IncomingArguments::Unchecked)
            .ok_or(CallError::ArgumentsNotAnObject),
        _ => Err(CallError::ArgumentsNotAnObject),
    }
}

/// The part of the required capabilities that is not declared, e.g. `{"elicitation": {"url": {}}}`
/// where `{"elicitation": {}}` is.
fn missing(declared: &Value, required: &Value) -> Option<Value> {
    let Value::Object(required) = required else {
        return None;
    };
    let Value::Object(declared) = declared else {
        return Some(Value::Object(required.clone()));
    };
    let missing: Map<String, Value> = required
        .iter()
        .filter_map(|(name, required)| match declared.get(name) {
            None | Some(Value::Null) => Some((name.clone(), required.clone())),
            Some(declared) => missing(declared, required).map(|part| (name.clone(), part)),
        })
        .collect();
    (!missing.is_empty()).then_some(Value::Object(missing))
}
