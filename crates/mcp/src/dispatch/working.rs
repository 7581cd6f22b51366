//! The work that a request asks for, out of what it may see: a tool, a resource, a prompt, a
//! completion. Knows no era and no other method.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Dispatched;
use super::calling::{Keep, OpenResult, SealContext, StartedWork};
use super::request::RequestDispatch;
use crate::arguments::ArgumentSchema;
use crate::asking::SealedState;
use crate::asking::sealed_state::{self, RequestIdentity};
use crate::call::{Call, RequestContext};
use crate::completion::{CompletionReference, CompletionRequest, CompletionResult};
use crate::endpoint::fence::Fenced;
use crate::endpoint::{CallError, CalledFrom, List, SeenThings, SentArguments, ToolCall};
use crate::limits;
use crate::output::Failure;
use crate::protocol_error::{ProtocolError, excerpt};
use crate::request_meta::{Params, lies_in};
use crate::resource::Contents;
use crate::revision::Revision;

/// The reason why a call was not started.
enum NotStarted {
    Call(CallError),
    /// Its headers say otherwise than its arguments.
    Headers(ProtocolError),
}

impl From<CallError> for NotStarted {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// The things that a request brings along for its work.
pub(super) struct Brought {
    pub(super) context: Arc<RequestContext>,
    pub(super) waiting: Option<SealContext>,
}

impl<C: Send + Sync + 'static> RequestDispatch<'_, C> {
    /// Starts what a request asks for, out of what it may see.
    pub(super) fn work(
        &self,
        params: &Params<'_>,
        brought: Brought,
        raw: Option<&RawValue>,
    ) -> Result<Dispatched<C>, ProtocolError> {
        let Brought { context, waiting } = brought;
        let argument_bytes = waiting
            .as_ref()
            .and_then(|waiting| waiting.request.arguments.clone());
        let seen = self
            .catalog
            .things_for(self.arrival.caller, || Arc::clone(&context));
        let work = match &*self.method {
            "tools/call" => self.call(params, argument_bytes, &context, &seen)?,
            "resources/read" => self.read(params, &context, &seen)?,
            "prompts/get" => self.prompt(params, &context, &seen)?,
            "completion/complete" => self.complete(raw, &context, &seen)?,
            _ => return Err(ProtocolError::unknown_method(&self.method)),
        };
        Ok(self.calling(work, waiting, context))
    }

    fn call(
        &self,
        params: &Params<'_>,
        argument_bytes: Option<Bytes>,
        context: &Arc<RequestContext>,
        seen: &SeenThings<'_, C>,
    ) -> Result<StartedWork<C>, ProtocolError> {
        let name = Params::text(params.name, "name")?;
        let repeats = context
            .revision
            .is_some_and(Revision::repeats_body_in_headers);
        let headers = self.arrival.origin.headers.filter(|_| repeats);
        let arguments = params.arguments.map(RawValue::get);
        let bytes = || match (&argument_bytes, params.arguments) {
            (Some(bytes), _) => bytes.clone(),
            (None, raw) => raw.map(|raw| self.part(raw)).unwrap_or_default(),
        };
        let started = seen.start(
            ToolCall {
                name: &name,
                arguments: arguments.map_or(SentArguments::Value(Value::Null), |json| {
                    SentArguments::Text(json, &bytes)
                }),
                caller: self.arrival.caller,
                request: context,
                from: CalledFrom::Client(self.tasks),
            },
            |tool, arguments| {
                let Some(headers) = headers else {
                    return Ok(());
                };
                let mut parameters = tool.header_parameters.iter();
                parameters.try_for_each(|parameter| {
                    parameter
                        .check(headers, arguments)
                        .map_err(NotStarted::Headers)
                })
            },
        );
        match started {
            Ok(started) => self.under_way(started),
            Err(NotStarted::Headers(error)) => Err(error),
            Err(NotStarted::Call(error @ CallError::UnknownTool(_))) => {
                Err(self.unseen(seen, List::Tools, context, error.into()))
            }
            Err(NotStarted::Call(error)) => Err(error.into()),
        }
    }

    /// What is said of something that the request does not see. In the modern era, nothing of a
    /// kind that is not offered can be asked for at all.
    fn unseen(
        &self,
        seen: &SeenThings<'_, C>,
        kind: List,
        context: &RequestContext,
        error: ProtocolError,
    ) -> ProtocolError {
        let is_strict = context
            .revision
            .is_some_and(Revision::offers_only_what_there_is);
        if is_strict && !seen.offers(kind) {
            ProtocolError::unknown_method(&self.method)
        } else {
            error
        }
    }

    /// The resource at the address, or the first template that the address fits.
    fn read(
        &self,
        params: &Params<'_>,
        context: &Arc<RequestContext>,
        seen: &SeenThings<'_, C>,
    ) -> Result<StartedWork<C>, ProtocolError> {
        let uri = Params::text(params.uri, "uri")?;
        let not_found = ProtocolError::resource_not_found(&uri, context.revision);
        let fixed = seen.resource(&uri).map(|resource| (resource, Map::new()));
        let found = fixed.or_else(|| seen.template(|template| template.parameters_in(&uri)));
        let Some((resource, parameters)) = found else {
            return Err(self.unseen(seen, List::Resources, context, not_found));
        };
        let mime_type = resource.resource.mime_type.clone();
        let reading = (resource.function())(self.call_with(parameters, context));
        let uri = uri.into_owned();
        let work = Box::pin(async move {
            let body = reading.await?;
            open(
                &serde_json::json!({ "contents": [Contents::new(&uri, mime_type.as_deref(), body)] }),
            )
        });
        let work = Fenced::new(work, resource.resource.time_limit, context);
        Ok(StartedWork::Method {
            name: self.method.to_string(),
            work,
            keep: Keep::For(resource.resource.ttl),
            not_found,
        })
    }

    fn prompt(
        &self,
        params: &Params<'_>,
        context: &Arc<RequestContext>,
        seen: &SeenThings<'_, C>,
    ) -> Result<StartedWork<C>, ProtocolError> {
        let name = Params::text(params.name, "name")?;
        let unknown =
            || ProtocolError::invalid_params(format!("unknown prompt: {}", excerpt(&name)));
        let prompt = seen
            .prompt(&name)
            .ok_or_else(|| self.unseen(seen, List::Prompts, context, unknown()))?;
        let prompt = &prompt.prompt;
        let arguments = arguments(params)?;
        prompt
            .check(&arguments)
            .map_err(ProtocolError::invalid_params)?;
        let getting = (prompt.function)(self.call_with(arguments, context));
        let description = prompt.description.clone();
        let work = Box::pin(async move {
            let messages = getting.await?;
            let meta = messages.meta.clone();
            let messages = serde_json::to_value(messages)?;
            let mut result = Map::new();
            if !description.is_empty() {
                result.insert("description".to_owned(), Value::from(description));
            }
            if let Value::Object(messages) = messages {
                result.extend(messages);
            }
            open(&result).map(|json| OpenResult { meta, ..json })
        });
        let work = Fenced::new(work, prompt.time_limit, context);
        Ok(StartedWork::Method {
            name: self.method.to_string(),
            work,
            keep: Keep::No,
            not_found: unknown(),
        })
    }

    fn complete(
        &self,
        raw: Option<&RawValue>,
        context: &Arc<RequestContext>,
        seen: &SeenThings<'_, C>,
    ) -> Result<StartedWork<C>, ProtocolError> {
        if !seen.completes() {
            return Err(ProtocolError::unknown_method(&self.method));
        }
        let request: CompletionRequest = serde_json::from_str(raw.map_or("{}", RawValue::get))
            .map_err(|error| ProtocolError::invalid_params(format!("`params`: {error}")))?;
        let CompletionRequest {
            reference,
            argument,
            context: typed,
        } = request;
        let (function, not_found) = match &reference {
            CompletionReference::Prompt { name } => {
                let unknown =
                    ProtocolError::invalid_params(format!("unknown prompt: {}", excerpt(name)));
                let Some(prompt) = seen.prompt(name) else {
                    return Err(unknown);
                };
                let known = prompt
                    .prompt
                    .arguments
                    .iter()
                    .find(|known| known.name() == argument.name);
                (known.map(|known| known.completion.clone()), unknown)
            }
            CompletionReference::Resource { uri } => {
                let unknown = ProtocolError::invalid_params(format!(
                    "unknown resource template: {}",
                    excerpt(uri)
                ));
                let found =
                    seen.template(|template| (template.resource.address == *uri).then_some(()));
                let Some((template, ())) = found else {
                    return Err(unknown);
                };
                let is_known = template
                    .template
                    .iter()
                    .flat_map(|template| template.names())
                    .any(|name| name == argument.name);
                (
                    is_known.then(|| template.completions().get(&argument.name).cloned()),
                    unknown,
                )
            }
        };
        let Some(function) = function else {
            return Err(ProtocolError::invalid_params(format!(
                "there is no argument named {}",
                excerpt(&argument.name)
            )));
        };
        let completing = function
            .map(|function| function(self.call_with(typed.arguments, context), argument.value));
        let work = Box::pin(async move {
            let values = match completing {
                Some(completing) => completing.await?,
                None => Vec::new(),
            };
            open(&CompletionResult::new(values))
        });
        let work = Fenced::new(work, limits::TOOL_TIME, context);
        Ok(StartedWork::Method {
            name: self.method.to_string(),
            work,
            keep: Keep::No,
            not_found,
        })
    }

    pub(super) fn call_with(
        &self,
        arguments: Map<String, Value>,
        context: &Arc<RequestContext>,
    ) -> Call<C> {
        Call {
            arguments: arguments.into(),
            caller: Arc::clone(self.arrival.caller),
            request: Arc::clone(context),
        }
    }

    fn part(&self, part: &RawValue) -> Bytes {
        shared_if_large(self.arrival.body, part.get())
    }

    /// The answers that a client brings to questions it was asked before, and what the next state
    /// is sealed with.
    pub(super) fn brought_back(
        &self,
        params: &Params<'_>,
    ) -> Result<(SealContext, Map<String, Value>), ProtocolError> {
        let identity = &self.catalog.identity;
        let mut waiting = SealContext {
            request: RequestIdentity {
                method: self.known_method(),
                name: params
                    .named_by(&self.method)
                    .map(|name| name.get().to_owned())
                    .unwrap_or_default(),
                arguments: params.arguments.map(|raw| self.part(raw)),
                principal: identity.profile.principal_of(self.arrival.caller),
            },
            before: None,
        };
        let mut answers = Map::new();
        if let Some(state) = params.request_state {
            let text = Params::text(Some(state), "requestState")?;
            let state = SealedState::open(
                &text,
                &identity.state_key,
                &waiting.request.digest(),
                sealed_state::now(),
            )
            .map_err(|error| ProtocolError::invalid_params(error.to_string()))?;
            answers = state.answers.clone();
            waiting.before = Some(state);
        }
        if let Some(responses) = params.input_responses {
            let brought: Map<String, Value> =
                serde_json::from_str(responses.get()).map_err(|error| {
                    ProtocolError::invalid_params(format!("`inputResponses`: {error}"))
                })?;
            answers.extend(brought);
        }
        Ok((waiting, answers))
    }
}

/// A part of a message, kept beyond it: as it is where it is most of a large one, and copied
/// otherwise, because a small part would keep the whole.
fn shared_if_large(message: Option<&Bytes>, part: &str) -> Bytes {
    let is_worth_it = |message: &&Bytes| {
        part.len() >= limits::SHARED_BYTES
            && part.len() * 2 >= message.len()
            && lies_in(message, part)
    };
    message.filter(is_worth_it).map_or_else(
        || Bytes::copy_from_slice(part.as_bytes()),
        |message| message.slice_ref(part.as_bytes()),
    )
}

/// The arguments as the client sent them; none are empty ones.
fn arguments(params: &Params<'_>) -> Result<Map<String, Value>, ProtocolError> {
    let value = match params.arguments {
        None => Value::Null,
        Some(raw) => serde_json::from_str::<Value>(raw.get())
            .map_err(|error| ProtocolError::invalid_params(format!("`arguments`: {error}")))?,
    };
    let arguments = match value {
        Value::Null => Some(Map::new()),
        Value::Object(arguments) => Some(arguments),
        Value::String(text) => ArgumentSchema::object_in(&text),
        _ => None,
    };
    arguments
        .ok_or_else(|| ProtocolError::invalid_params(CallError::ArgumentsNotAnObject.to_string()))
}

/// A result as a JSON object without its closing brace, which never is empty.
fn open(result: &impl serde::Serialize) -> Result<OpenResult, Failure> {
    let mut json = serde_json::to_string(result)?;
    json.pop();
    Ok(OpenResult {
        json,
        meta: Map::new(),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::shared_if_large;
    use crate::limits::SHARED_BYTES;

    fn is_shared(message: usize, part: usize) -> bool {
        let message = Bytes::from("x".repeat(message));
        let text = std::str::from_utf8(&message).unwrap();
        let (_, end) = text.split_at(text.len() - part);
        let found = shared_if_large(Some(&message), end);
        assert_eq!(found, end);
        found.as_ptr() == end.as_ptr()
    }

    #[test]
    fn most_of_a_large_message_is_kept_without_a_copy() {
        assert!(
            is_shared(SHARED_BYTES, SHARED_BYTES) && is_shared(SHARED_BYTES * 2, SHARED_BYTES),
            "at the limits"
        );
        assert!(!is_shared(SHARED_BYTES, SHARED_BYTES - 1), "too small");
        assert!(
            !is_shared(SHARED_BYTES * 2 + 1, SHARED_BYTES),
            "less than half of it"
        );
    }

    #[test]
    fn a_text_from_elsewhere_is_copied() {
        let (message, other) = (
            Bytes::from("x".repeat(SHARED_BYTES)),
            "y".repeat(SHARED_BYTES),
        );
        assert_eq!(shared_if_large(Some(&message), &other), other);
        assert_eq!(shared_if_large(None, "z"), "z");
    }
}
