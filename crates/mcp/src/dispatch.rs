//! The one dispatcher of both eras: a message and where it came from become an answer, or a call under way. Knows no sockets and no threads.

use std::borrow::Cow;
use std::sync::Arc;

use ::http::{HeaderMap, StatusCode};
use futures_util::future::join_all;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::asking::sealed_state::{self, RequestIdentity};
use crate::asking::{Asking, InputRequired, Questions, SealedState};
use crate::call::{Client, RequestContext};
use crate::conversation::Conversation;
use crate::endpoint::{CallError, Catalog, Endpoint, Entry, Running};
use crate::envelope::{self, Arrived, Malformed, Message};
use crate::http::headers;
use crate::outlet::Outlet;
use crate::protocol_error::{ProtocolError, excerpt};
use crate::reply::Reply;
use crate::request_meta::{self, Params, RequestMeta};
use crate::{Revision, limits};

/// Where a message came from, and what that place knows of the conversation.
pub(crate) struct Arrival<'a, C> {
    pub(crate) origin: Origin<'a>,
    pub(crate) caller: &'a Arc<C>,
    /// Where messages go that precede the answer; none when the client takes nothing but the answer.
    pub(crate) outlet: Option<Arc<dyn Outlet>>,
}

/// The two kinds of place.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// One HTTP request, with its headers, outside of any session.
    Http(&'a HeaderMap),
    /// A stdio connection, with its conversation.
    Stdio(&'a Arc<Conversation>),
}

/// An answer with the HTTP status it has over HTTP; no reply for a notification.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) reply: Option<Reply>,
}

/// What a message leads to.
pub(crate) enum Step<C> {
    /// The answer is known.
    Answered(Answer),
    /// A tool was started; [`Calling::finish`] gives the answer.
    Calling(Calling<C>),
    /// The client takes back a request, by the JSON of its id (stdio).
    Cancel(String),
    /// A batch of messages.
    Batch(Vec<Step<C>>),
}

/// A tool call under way. Owns all it needs.
pub(crate) struct Calling<C> {
    pub(crate) id: String,
    modern: bool,
    structured: bool,
    running: Running,
    waiting: Option<Waiting>,
    endpoint: Endpoint<C>,
}

/// What is sealed when a call has to wait for answers: which request it is, and the state it came with.
struct Waiting {
    request: RequestIdentity,
    before: Option<SealedState>,
}

impl<C: Send + Sync + 'static> Calling<C> {
    /// Waits for the tool and writes its answer.
    pub(crate) async fn finish(self) -> Answer {
        let Self { id, modern, structured, running, waiting, endpoint } = self;
        let ready = &endpoint.catalog().ready;
        match running.await {
            Ok(output) => {
                let tail = modern.then_some(ready.modern_tail.as_str());
                Answer { status: StatusCode::OK, reply: Some(Reply::output(&id, &output, structured, tail)) }
            }
            Err(CallError::InputRequired(required)) => {
                match waiting.and_then(|waiting| seal(*required, waiting, endpoint.catalog())) {
                    Some((questions, state)) => {
                        let reply = Reply::input_required(&id, &questions, &state, &ready.modern_meta);
                        Answer { status: StatusCode::OK, reply: Some(reply) }
                    }
                    None => refusal(Some(&id), None, modern, &ProtocolError::internal()),
                }
            }
            Err(CallError::MissingCapability(capabilities)) => {
                refusal(Some(&id), None, modern, &ProtocolError::missing_capability(&capabilities))
            }
            Err(error) => refusal(Some(&id), None, modern, &ProtocolError::invalid_params(error.to_string())),
        }
    }
}

fn seal<C>(required: InputRequired, waiting: Waiting, catalog: &Catalog<C>) -> Option<(Questions, String)> {
    let InputRequired { questions, answers } = required;
    let state = SealedState::next(waiting.request.digest(), sealed_state::now(), waiting.before.as_ref(), answers);
    Some((questions, state.seal(&catalog.state_key)?))
}

impl<C: Send + Sync + 'static> Step<C> {
    /// Waits for whatever is still under way.
    pub(crate) async fn finish(self) -> Answer {
        match self {
            Self::Answered(answer) => answer,
            Self::Calling(calling) => calling.finish().await,
            Self::Cancel(_) => accepted(),
            Self::Batch(steps) => {
                let answers = join_all(steps.into_iter().map(|step| Box::pin(step.finish()))).await;
                let replies: Vec<Reply> = answers.into_iter().filter_map(|answer| answer.reply).collect();
                if replies.is_empty() {
                    return accepted();
                }
                Answer { status: StatusCode::OK, reply: Some(Reply::batch(&replies)) }
            }
        }
    }
}

/// Takes one HTTP body or one line.
pub(crate) fn take<C: Send + Sync + 'static>(endpoint: &Endpoint<C>, bytes: &[u8], arrival: &Arrival<'_, C>) -> Step<C> {
    match envelope::read(bytes) {
        Arrived::One(message) => take_message(endpoint, message, arrival),
        Arrived::Batch(batch) => take_batch(endpoint, &batch, arrival),
    }
}

/// Only 2025-03-26 has batches; over HTTP that is also the revision of a client that names none.
fn take_batch<C: Send + Sync + 'static>(endpoint: &Endpoint<C>, batch: &[&RawValue], arrival: &Arrival<'_, C>) -> Step<C> {
    let revision = known_revision(arrival.origin);
    let refused = |message: String| Step::Answered(refusal(None, revision, false, &ProtocolError::invalid_request(message)));
    let may_batch = match arrival.origin {
        Origin::Http(headers) => headers::protocol_version(headers).is_none_or(|named| named == Revision::V2025_03_26.as_str()),
        Origin::Stdio(conversation) => conversation.revision() == Some(Revision::V2025_03_26),
    };
    if !may_batch {
        return refused("a batch is part of revision 2025-03-26 only; send one message at a time".to_owned());
    }
    if batch.is_empty() || batch.len() > limits::BATCH_MESSAGES {
        return refused(format!("a batch has 1 to {} messages, not {}", limits::BATCH_MESSAGES, batch.len()));
    }
    let take_one = |raw: &&RawValue| take_message(endpoint, envelope::read_message(raw.get()), arrival);
    Step::Batch(batch.iter().map(take_one).collect())
}

fn take_message<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    message: Result<Message<'_>, Malformed<'_>>,
    arrival: &Arrival<'_, C>,
) -> Step<C> {
    match message {
        Ok(Message::Request { id, method, params }) => Request { endpoint, id: id.get(), method, arrival }.take(params),
        Ok(Message::Notification { method, params }) => take_notification(&method, params, arrival.origin),
        Ok(Message::Response { id, result }) => {
            if let (Some(id), Origin::Stdio(conversation)) = (id, arrival.origin) {
                conversation.answered(id.get(), result.and_then(|result| serde_json::from_str(result.get()).ok()));
            }
            Step::Answered(accepted())
        }
        Err(Malformed { id, error }) => {
            Step::Answered(refusal(id.map(RawValue::get), known_revision(arrival.origin), false, &error))
        }
    }
}

/// Notifications are never answered. Over HTTP a request is cancelled by closing its connection, so only stdio heeds `notifications/cancelled`.
fn take_notification<C>(method: &str, params: Option<&RawValue>, origin: Origin<'_>) -> Step<C> {
    if let ("notifications/cancelled", Origin::Stdio(_)) = (method, origin)
        && let Ok(Params { request_id: Some(id), .. }) = Params::read(params)
    {
        return Step::Cancel(id.get().to_owned());
    }
    Step::Answered(accepted())
}

/// One request on its way to an answer.
struct Request<'a, C> {
    endpoint: &'a Endpoint<C>,
    id: &'a str,
    method: Cow<'a, str>,
    arrival: &'a Arrival<'a, C>,
}

impl<C: Send + Sync + 'static> Request<'_, C> {
    fn take(&self, params: Option<&RawValue>) -> Step<C> {
        let origin = self.arrival.origin;
        let mut modern = matches!(origin, Origin::Http(headers) if headers::names_modern_revision(headers));
        let outcome = Params::read(params).and_then(|params| {
            let meta = params.meta()?;
            modern |= meta.is_modern();
            if modern { self.take_modern(&params, &meta) } else { self.take_legacy(&params, &meta) }
        });
        outcome.unwrap_or_else(|error| Step::Answered(refusal(Some(self.id), known_revision(origin), modern, &error)))
    }

    /// 2026-07-28: everything about the request is in the request.
    fn take_modern(&self, params: &Params<'_>, meta: &RequestMeta<'_>) -> Result<Step<C>, ProtocolError> {
        let (version, capabilities) = meta.required()?;
        if let Origin::Http(headers) = self.arrival.origin {
            headers::check_standard(headers, &version, &self.method, params.name)?;
        }
        if Revision::parse(&version).is_none_or(|revision| !revision.is_modern()) {
            return Err(ProtocolError::unsupported_version(&version));
        }
        let ready = &self.catalog().ready;
        match &*self.method {
            "server/discover" => Ok(self.ready(ready.discover.clone())),
            "tools/list" => {
                only_first_page(params)?;
                Ok(self.ready(ready.tool_list_modern.clone()))
            }
            "tools/call" => self.call_modern(params, meta, capabilities),
            _ => Err(ProtocolError::unknown_method(&self.method)),
        }
    }

    /// The four revisions with a handshake. Served without a session, so a method works before `initialize` too.
    fn take_legacy(&self, params: &Params<'_>, meta: &RequestMeta<'_>) -> Result<Step<C>, ProtocolError> {
        if let Origin::Http(headers) = self.arrival.origin {
            headers::check_legacy_version(headers)?;
        }
        match &*self.method {
            "initialize" => {
                let requested = Params::text(params.protocol_version, "protocolVersion")?;
                let revision = Revision::negotiate(&requested);
                if let Origin::Stdio(conversation) = self.arrival.origin {
                    let client = Client::new(params.client_info.map(RawValue::get), params.capabilities.map(RawValue::get));
                    conversation.begin(revision, client);
                }
                Ok(self.ready(self.catalog().ready.initialize(revision)))
            }
            "ping" => Ok(self.ready(bytes::Bytes::from_static(b"{}"))),
            "tools/list" => {
                only_first_page(params)?;
                Ok(self.ready(self.catalog().ready.tool_list_legacy.clone()))
            }
            "tools/call" => self.call_legacy(params, meta),
            "logging/setLevel" if self.catalog().logging => {
                let level = params.level.ok_or_else(|| ProtocolError::invalid_params("`level` is missing"))?;
                let level = request_meta::read_level(level)?;
                if let Origin::Stdio(conversation) = self.arrival.origin {
                    conversation.set_log_level(level);
                }
                Ok(self.ready(bytes::Bytes::from_static(b"{}")))
            }
            // Clients ask for these whether or not the capability was announced.
            "resources/list" => Ok(self.ready(bytes::Bytes::from_static(br#"{"resources":[]}"#))),
            "resources/templates/list" => Ok(self.ready(bytes::Bytes::from_static(br#"{"resourceTemplates":[]}"#))),
            "prompts/list" => Ok(self.ready(bytes::Bytes::from_static(br#"{"prompts":[]}"#))),
            _ => Err(ProtocolError::unknown_method(&self.method)),
        }
    }

    fn call_modern(
        &self,
        params: &Params<'_>,
        meta: &RequestMeta<'_>,
        capabilities: &RawValue,
    ) -> Result<Step<C>, ProtocolError> {
        let (name, entry, arguments) = self.tool(params)?;
        let client = Client::new(meta.client(), Some(capabilities.get()));
        if let Some(required) = &entry.required_capabilities {
            check_capabilities(&client, required)?;
        }
        if let Origin::Http(headers) = self.arrival.origin {
            entry.header_parameters.iter().try_for_each(|parameter| parameter.check(headers, &arguments))?;
        }
        let (waiting, answers) = self.brought_back(params, &name)?;
        let request = RequestContext {
            revision: Some(Revision::V2026_07_28),
            client: Arc::new(client),
            progress_token: meta.progress_token().map(Box::from),
            log_level: meta.log_level()?,
            outlet: self.arrival.outlet.clone(),
            asking: Asking::ByResult(answers),
        };
        Ok(self.start(&name, entry.is_structured(), arguments, request, Some(waiting)))
    }

    fn call_legacy(&self, params: &Params<'_>, meta: &RequestMeta<'_>) -> Result<Step<C>, ProtocolError> {
        let (name, entry, arguments) = self.tool(params)?;
        let mut request = RequestContext {
            revision: known_revision(self.arrival.origin),
            progress_token: meta.progress_token().map(Box::from),
            outlet: self.arrival.outlet.clone(),
            ..RequestContext::default()
        };
        if let Origin::Stdio(conversation) = self.arrival.origin {
            request.client = conversation.client();
            request.log_level = Some(conversation.log_level());
            request.asking = Asking::ByRequest(Arc::clone(conversation));
        }
        Ok(self.start(&name, entry.is_structured(), arguments, request, None))
    }

    /// The tool that a call names, and its arguments as the client sent them.
    fn tool<'p>(&self, params: &Params<'p>) -> Result<(Cow<'p, str>, &Entry<C>, Value), ProtocolError> {
        let name = Params::text(params.name, "name")?;
        let entry = self
            .catalog()
            .find(&name)
            .ok_or_else(|| ProtocolError::invalid_params(format!("unknown tool: {}", excerpt(&name))))?;
        let arguments = match params.arguments {
            None => Value::Null,
            Some(raw) => serde_json::from_str::<Value>(raw.get())
                .map_err(|error| ProtocolError::invalid_params(format!("`arguments`: {error}")))?,
        };
        if !matches!(arguments, Value::Object(_) | Value::Null) {
            return Err(ProtocolError::invalid_params(CallError::ArgumentsNotAnObject.to_string()));
        }
        Ok((name, entry, arguments))
    }

    /// The answers that a client brings to questions it was asked before, and what the next state is sealed with.
    fn brought_back(&self, params: &Params<'_>, name: &str) -> Result<(Waiting, Map<String, Value>), ProtocolError> {
        let catalog = self.catalog();
        let mut waiting = Waiting {
            request: RequestIdentity {
                method: self.method.to_string(),
                name: name.to_owned(),
                arguments: params.arguments.map(|raw| Box::from(raw.get())),
                principal: catalog.principal.as_ref().map(|principal| principal(self.arrival.caller)),
            },
            before: None,
        };
        let mut answers = Map::new();
        if let Some(state) = params.request_state {
            let text = Params::text(Some(state), "requestState")?;
            let state = SealedState::open(&text, &catalog.state_key, &waiting.request.digest(), sealed_state::now())
                .map_err(|error| ProtocolError::invalid_params(error.to_string()))?;
            answers = state.answers.clone();
            waiting.before = Some(state);
        }
        if let Some(responses) = params.input_responses {
            let brought: Map<String, Value> = serde_json::from_str(responses.get())
                .map_err(|error| ProtocolError::invalid_params(format!("`inputResponses`: {error}")))?;
            answers.extend(brought);
        }
        Ok((waiting, answers))
    }

    fn start(
        &self,
        name: &str,
        structured: bool,
        arguments: Value,
        request: RequestContext,
        waiting: Option<Waiting>,
    ) -> Step<C> {
        let modern = request.revision.is_some_and(Revision::is_modern);
        let running = self.endpoint.call_within(name, arguments, Arc::clone(self.arrival.caller), Arc::new(request));
        Step::Calling(Calling { id: self.id.to_owned(), modern, structured, running, waiting, endpoint: self.endpoint.clone() })
    }

    fn catalog(&self) -> &Catalog<C> {
        self.endpoint.catalog()
    }

    fn ready(&self, result: bytes::Bytes) -> Step<C> {
        Step::Answered(Answer { status: StatusCode::OK, reply: Some(Reply::ready(self.id, result)) })
    }
}

/// Lists have one page, so no cursor is ours.
fn only_first_page(params: &Params<'_>) -> Result<(), ProtocolError> {
    match params.cursor {
        None => Ok(()),
        Some(cursor) if cursor.get() == "null" => Ok(()),
        Some(_) => Err(ProtocolError::invalid_params("`cursor` is not one that this server gave out; leave it out")),
    }
}

fn check_capabilities(client: &Client, required: &Value) -> Result<(), ProtocolError> {
    match missing(client.capabilities(), required) {
        None => Ok(()),
        Some(missing) => Err(ProtocolError::missing_capability(&missing)),
    }
}

/// The part of the required capabilities that is not declared, e.g. `{"elicitation": {"url": {}}}` where `{"elicitation": {}}` is.
fn missing(declared: &Value, required: &Value) -> Option<Value> {
    let Value::Object(required) = required else { return None };
    let Value::Object(declared) = declared else { return Some(Value::Object(required.clone())) };
    let missing: Map<String, Value> = required
        .iter()
        .filter_map(|(name, required)| match declared.get(name) {
            None | Some(Value::Null) => Some((name.clone(), required.clone())),
            Some(declared) => missing(declared, required).map(|part| (name.clone(), part)),
        })
        .collect();
    (!missing.is_empty()).then_some(Value::Object(missing))
}

/// The revision that the place of arrival speaks of, before or without reading the message.
fn known_revision(origin: Origin<'_>) -> Option<Revision> {
    match origin {
        Origin::Http(headers) => headers::protocol_version(headers).and_then(Revision::parse),
        Origin::Stdio(conversation) => conversation.revision(),
    }
}

fn refusal(id: Option<&str>, revision: Option<Revision>, modern: bool, error: &ProtocolError) -> Answer {
    let modern = modern || revision.is_some_and(Revision::is_modern);
    let revision = if modern { Some(Revision::V2026_07_28) } else { revision };
    Answer { status: error.http_status(modern), reply: Some(Reply::error(id, revision, error)) }
}

fn accepted() -> Answer {
    Answer { status: StatusCode::ACCEPTED, reply: None }
}
