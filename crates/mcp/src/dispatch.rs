//! The one dispatcher of both eras: a message and where it came from become an answer, or a call under way. Knows no sockets and no threads.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use ::http::{HeaderMap, StatusCode};
use futures_util::future::join_all;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::endpoint::{CallError, Catalog, Endpoint, Running};
use crate::envelope::{self, Arrived, Malformed, Message};
use crate::http::headers;
use crate::protocol_error::ProtocolError;
use crate::reply::Reply;
use crate::request_meta::{Params, RequestMeta};
use crate::{Revision, limits};

/// Where a message came from, and what that place knows of the conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// One HTTP request, with its headers.
    Http(&'a HeaderMap),
    /// A stdio connection, with the revision its handshake agreed on.
    Stdio(&'a Negotiated),
}

/// The legacy revision that a stdio connection agreed on; none before `initialize`.
#[derive(Debug, Default)]
pub(crate) struct Negotiated(AtomicU8);

impl Negotiated {
    fn set(&self, revision: Revision) {
        let position = Revision::ALL.iter().position(|known| *known == revision).unwrap_or_default();
        self.0.store(u8::try_from(position + 1).unwrap_or_default(), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Option<Revision> {
        let position = usize::from(self.0.load(Ordering::Relaxed)).checked_sub(1)?;
        Revision::ALL.get(position).copied()
    }
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
    endpoint: Endpoint<C>,
}

impl<C: Send + Sync + 'static> Calling<C> {
    /// Waits for the tool and writes its answer.
    pub(crate) async fn finish(self) -> Answer {
        let Self { id, modern, structured, running, endpoint } = self;
        match running.await {
            Ok(output) => {
                let tail = modern.then_some(endpoint.catalog().ready.modern_tail.as_str());
                Answer { status: StatusCode::OK, reply: Some(Reply::output(&id, &output, structured, tail)) }
            }
            Err(error) => refusal(Some(&id), None, modern, &ProtocolError::invalid_params(error.to_string())),
        }
    }
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
pub(crate) fn take<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    bytes: &[u8],
    origin: Origin<'_>,
    caller: &Arc<C>,
) -> Step<C> {
    match envelope::read(bytes) {
        Arrived::One(message) => take_message(endpoint, message, origin, caller),
        Arrived::Batch(batch) => take_batch(endpoint, &batch, origin, caller),
    }
}

/// Only 2025-03-26 has batches; over HTTP that is also the revision of a client that names none.
fn take_batch<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    batch: &[&RawValue],
    origin: Origin<'_>,
    caller: &Arc<C>,
) -> Step<C> {
    let revision = known_revision(origin);
    let refused = |message: String| Step::Answered(refusal(None, revision, false, &ProtocolError::invalid_request(message)));
    let may_batch = match origin {
        Origin::Http(headers) => headers::protocol_version(headers).is_none_or(|named| named == Revision::V2025_03_26.as_str()),
        Origin::Stdio(negotiated) => negotiated.get() == Some(Revision::V2025_03_26),
    };
    if !may_batch {
        return refused("a batch is part of revision 2025-03-26 only; send one message at a time".to_owned());
    }
    if batch.is_empty() || batch.len() > limits::BATCH_MESSAGES {
        return refused(format!("a batch has 1 to {} messages, not {}", limits::BATCH_MESSAGES, batch.len()));
    }
    let take_one = |raw: &&RawValue| take_message(endpoint, envelope::read_message(raw.get()), origin, caller);
    Step::Batch(batch.iter().map(take_one).collect())
}

fn take_message<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    message: Result<Message<'_>, Malformed<'_>>,
    origin: Origin<'_>,
    caller: &Arc<C>,
) -> Step<C> {
    match message {
        Ok(Message::Request { id, method, params }) => {
            let request = Request { endpoint, id: id.get(), method, origin, caller };
            request.take(params)
        }
        Ok(Message::Notification { method, params }) => take_notification(&method, params, origin),
        Ok(Message::Response) => Step::Answered(accepted()),
        Err(Malformed { id, error }) => Step::Answered(refusal(id.map(RawValue::get), known_revision(origin), false, &error)),
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
    origin: Origin<'a>,
    caller: &'a Arc<C>,
}

impl<C: Send + Sync + 'static> Request<'_, C> {
    fn take(&self, params: Option<&RawValue>) -> Step<C> {
        let mut modern = matches!(self.origin, Origin::Http(headers) if headers::names_modern_revision(headers));
        let outcome = Params::read(params).and_then(|params| {
            let meta = params.meta()?;
            modern |= meta.is_some();
            if modern { self.take_modern(&params, meta.as_ref()) } else { self.take_legacy(&params) }
        });
        outcome.unwrap_or_else(|error| Step::Answered(refusal(Some(self.id), known_revision(self.origin), modern, &error)))
    }

    /// 2026-07-28: everything about the request is in the request.
    fn take_modern(&self, params: &Params<'_>, meta: Option<&RequestMeta<'_>>) -> Result<Step<C>, ProtocolError> {
        let meta = meta.ok_or_else(|| ProtocolError::missing_meta("a request of 2026-07-28 needs `params._meta`"))?;
        let (version, capabilities) = meta.required()?;
        if let Origin::Http(headers) = self.origin {
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
            "tools/call" => self.call(params, Some(capabilities)),
            _ => Err(ProtocolError::unknown_method(&self.method)),
        }
    }

    /// The four revisions with a handshake. Served without a session, so a method works before `initialize` too.
    fn take_legacy(&self, params: &Params<'_>) -> Result<Step<C>, ProtocolError> {
        if let Origin::Http(headers) = self.origin {
            headers::check_legacy_version(headers)?;
        }
        match &*self.method {
            "initialize" => {
                let requested = Params::text(params.protocol_version, "protocolVersion")?;
                let revision = Revision::negotiate(&requested);
                if let Origin::Stdio(negotiated) = self.origin {
                    negotiated.set(revision);
                }
                Ok(self.ready(self.catalog().ready.initialize(revision)))
            }
            "ping" => Ok(self.ready(bytes::Bytes::from_static(b"{}"))),
            "tools/list" => {
                only_first_page(params)?;
                Ok(self.ready(self.catalog().ready.tool_list_legacy.clone()))
            }
            "tools/call" => self.call(params, None),
            // Clients ask for these whether or not the capability was announced.
            "resources/list" => Ok(self.ready(bytes::Bytes::from_static(br#"{"resources":[]}"#))),
            "resources/templates/list" => Ok(self.ready(bytes::Bytes::from_static(br#"{"resourceTemplates":[]}"#))),
            "prompts/list" => Ok(self.ready(bytes::Bytes::from_static(br#"{"prompts":[]}"#))),
            _ => Err(ProtocolError::unknown_method(&self.method)),
        }
    }

    /// `tools/call`; the client's capabilities are known on 2026-07-28 only.
    fn call(&self, params: &Params<'_>, capabilities: Option<&RawValue>) -> Result<Step<C>, ProtocolError> {
        let name = Params::text(params.name, "name")?;
        let entry = self
            .catalog()
            .find(&name)
            .ok_or_else(|| ProtocolError::invalid_params(format!("unknown tool: {}", crate::protocol_error::excerpt(&name))))?;
        let arguments = match params.arguments {
            None => Value::Null,
            Some(raw) => serde_json::from_str::<Value>(raw.get())
                .map_err(|error| ProtocolError::invalid_params(format!("`arguments`: {error}")))?,
        };
        if !matches!(arguments, Value::Object(_) | Value::Null) {
            return Err(ProtocolError::invalid_params(CallError::ArgumentsNotAnObject.to_string()));
        }
        if let Some(declared) = capabilities {
            if let Some(required) = &entry.required_capabilities {
                check_capabilities(declared, required)?;
            }
            if let Origin::Http(headers) = self.origin {
                entry.header_parameters.iter().try_for_each(|parameter| parameter.check(headers, &arguments))?;
            }
        }
        Ok(Step::Calling(Calling {
            id: self.id.to_owned(),
            modern: capabilities.is_some(),
            structured: entry.is_structured(),
            running: self.endpoint.call(&name, arguments, Arc::clone(self.caller)),
            endpoint: self.endpoint.clone(),
        }))
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

fn check_capabilities(declared: &RawValue, required: &Value) -> Result<(), ProtocolError> {
    let declared: Value = serde_json::from_str(declared.get())
        .map_err(|error| ProtocolError::missing_meta(format!("`io.modelcontextprotocol/clientCapabilities`: {error}")))?;
    match missing(&declared, required) {
        None => Ok(()),
        Some(missing) => Err(ProtocolError::missing_capability(&missing)),
    }
}

/// The part of the required capabilities that is not declared, e.g. `{"elicitation": {"url": {}}}` where `{"elicitation": {}}` is.
fn missing(declared: &Value, required: &Value) -> Option<Value> {
    let Value::Object(required) = required else { return None };
    let Value::Object(declared) = declared else { return Some(Value::Object(required.clone())) };
    let missing: serde_json::Map<String, Value> = required
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
        Origin::Stdio(negotiated) => negotiated.get(),
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
