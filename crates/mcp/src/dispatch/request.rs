//! One request on its way to an answer: its era, its method, what it may see, the work it starts.

use std::borrow::Cow;
use std::sync::Arc;

use ::http::StatusCode;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::calling::{DirectCalling, SealContext, StartedWork, Voice};
use super::listening::{self, Filter, ListeningEnds};
use super::tasking::check_knows_tasks;
use super::working::Brought;
use super::{Arrival, Calling, Dispatched, MessageAnswer, custom, refusal};
use crate::call::{Asking, RequestContext};
use crate::changes::Hub;
use crate::client::Client;
use crate::endpoint::fence::{self, Fenced};
use crate::endpoint::{Catalog, Endpoint, List, Unlisted};
use crate::limits;
use crate::method::Method;
use crate::mirrored_headers;
use crate::protocol_error::ProtocolError;
use crate::reply::Reply;
use crate::request_meta::{
    self, Params, ReadParts, RequestMeta, SentMeta, known_method, read_parts,
};
use crate::revision::Revision;
use crate::tasks::Tasks;

/// One request.
pub(super) struct RequestDispatch<'a, C> {
    pub(super) catalog: Arc<Catalog<C>>,
    hub: &'a Arc<Hub>,
    pub(super) tasks: Option<&'a Arc<Tasks>>,
    pub(super) id: &'a str,
    /// The revision that its place speaks.
    spoken: Option<Revision>,
    pub(super) method: Cow<'a, str>,
    /// The list that it asks for.
    list: Option<List>,
    pub(super) arrival: &'a Arrival<'a, C>,
}

impl<'a, C: Send + Sync + 'static> RequestDispatch<'a, C> {
    pub(super) fn new(
        endpoint: &'a Endpoint<C>,
        catalog: Arc<Catalog<C>>,
        (id, spoken): (&'a str, Option<Revision>),
        method: Cow<'a, str>,
        arrival: &'a Arrival<'a, C>,
    ) -> Self {
        Self {
            catalog,
            hub: endpoint.hub(),
            tasks: endpoint.tasks(),
            id,
            spoken,
            list: List::of_method(&method),
            method,
            arrival,
        }
    }

    pub(super) fn take(&self, params: Option<&RawValue>) -> Dispatched<C> {
        let read = Params::read(params);
        let meta = Params::meta_of(&read);
        self.take_read(params, read_parts(&read, &meta))
    }

    /// The same with the parameters as they were read.
    pub(super) fn take_read(
        &self,
        params: Option<&RawValue>,
        read: ReadParts<'_, '_>,
    ) -> Dispatched<C> {
        let mut revision = self.spoken;
        let outcome = read.map_err(Clone::clone).and_then(|(read, meta)| {
            if meta.is_modern() {
                // What it says is read with the other metadata.
                revision = revision
                    .filter(|revision| revision.carries_metadata())
                    .or(Some(Revision::NEWEST_MODERN));
            }
            let carries_metadata = revision.is_some_and(Revision::carries_metadata);
            // The application's rules and functions are called here; a panic in one ends this
            // request and nothing else.
            let taken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                if carries_metadata {
                    self.take_modern(read, meta, params)
                } else {
                    self.take_legacy(read, meta, params)
                }
            }));
            taken.unwrap_or_else(|panic| {
                tracing::error!(method = %self.method, panic = fence::text(&*panic), "a request panicked");
                Err(ProtocolError::internal())
            })
        });
        outcome
            .unwrap_or_else(|error| Dispatched::Answered(refusal(Some(self.id), revision, &error)))
    }

    /// The modern era: everything about the request is in the request.
    fn take_modern(
        &self,
        params: &Params<'_>,
        meta: &RequestMeta<'_>,
        raw: Option<&RawValue>,
    ) -> Result<Dispatched<C>, ProtocolError> {
        let version = meta.required()?;
        if let Some(headers) = self.arrival.origin.headers {
            mirrored_headers::check_standard(
                headers,
                &version,
                &self.method,
                params.named_by(&self.method),
            )?;
        }
        let revision = Revision::parse(&version)
            .filter(|revision| revision.carries_metadata())
            .ok_or_else(|| ProtocolError::unsupported_version(&version))?;
        let log_level = meta
            .log_level()?
            .filter(|_| self.catalog.identity.profile.logging);
        let context = |asking| {
            let sent = SentMeta::of(meta.json());
            let client = Arc::new(Client::of_meta(&sent));
            Arc::new(RequestContext {
                revision: Some(revision),
                meta: sent,
                progress_token: meta.progress_token().map(Box::from),
                log_level,
                outlet: self.arrival.outlet.clone(),
                asking,
                ..RequestContext::of(client)
            })
        };
        if let Some(method) = self.catalog.method(&self.method) {
            return self.custom(method, raw, context(Asking::Impossible));
        }
        if let Some(list) = self.list {
            return self.list(list, params, Some(revision), || context(Asking::Impossible));
        }
        match &*self.method {
            "server/discover" => {
                let seen = self
                    .catalog
                    .things_for(self.arrival.caller, || context(Asking::Impossible));
                Ok(self.ready(seen.discover()))
            }
            "tools/call" | "resources/read" | "prompts/get" => {
                let (waiting, answers) = self.brought_back(params)?;
                let context = context(Asking::ByResult(answers));
                self.work(
                    params,
                    Brought {
                        context,
                        waiting: Some(waiting),
                    },
                    raw,
                )
            }
            "tasks/get" | "tasks/update" | "tasks/cancel" => {
                self.about_task(params, &context(Asking::Impossible))
            }
            "subscriptions/listen" => self.listen(params, || context(Asking::Impossible)),
            "skills/list" | "skills/get" | "resources/directory/read" => {
                self.about_skills(params, Some(revision), context(Asking::Impossible))
            }
            "completion/complete" => self.work(
                params,
                Brought {
                    context: context(Asking::Impossible),
                    waiting: None,
                },
                raw,
            ),
            _ => Err(ProtocolError::unknown_method(&self.method)),
        }
    }

    /// The method, kept beyond the message.
    pub(super) fn known_method(&self) -> Cow<'static, str> {
        self.list
            .map_or_else(|| known_method(&self.method), |list| list.method().into())
    }

    /// What the method acts on, as it was sent.
    pub(super) fn named_by<'r>(&self, read: ReadParts<'_, 'r>) -> Option<&'r RawValue> {
        match (self.list, read) {
            (None, Ok((params, _))) => params.named_by(&self.method),
            _ => None,
        }
    }

    /// Whether it can be taken before anybody says that it shall be carried out: nothing of the
    /// application runs before its work is polled, and nothing comes of it before. Work that has to
    /// find its place among other calls is not polled where it is taken.
    pub(super) fn begins_quietly(&self) -> bool {
        let is_quiet = match &*self.method {
            _ if self.list.is_some() => true,
            "tools/call" | "resources/read" | "prompts/get" => self.arrival.origin.is_alone(),
            _ => false,
        };
        is_quiet && self.catalog.begins_quietly() && self.catalog.method(&self.method).is_none()
    }

    fn listen(
        &self,
        params: &Params<'_>,
        context: impl FnOnce() -> Arc<RequestContext>,
    ) -> Result<Dispatched<C>, ProtocolError> {
        let identity = &self.catalog.identity;
        if !identity.profile.announces_changes
            && !identity.profile.subscriptions
            && self.tasks.is_none()
        {
            return Err(ProtocolError::unknown_method(&self.method));
        }
        let filter = params
            .notifications
            .ok_or_else(|| ProtocolError::invalid_params("`notifications` is missing"))?;
        // A sequence would be read as the fields in their order.
        if !filter.get().starts_with('{') {
            return Err(ProtocolError::invalid_params(
                "`notifications` must be an object",
            ));
        }
        let filter: Filter = serde_json::from_str(filter.get())
            .map_err(|error| ProtocolError::invalid_params(format!("`notifications`: {error}")))?;
        let context = context();
        let seen = self
            .catalog
            .things_for(self.arrival.caller, || Arc::clone(&context));
        let mut filter = filter.honoured(
            identity.profile.announces_changes,
            identity.profile.subscriptions,
            |uri| seen.has_resource(uri),
        )?;
        let tasks = match self.tasks {
            Some(tasks) if filter.names_tasks() => {
                check_knows_tasks(&context.client)?;
                filter.watched(|id| self.own_task(tasks, &seen, id))?
            }
            _ => filter.watched(|_| None)?,
        };
        let outlet = self.arrival.outlet.clone();
        let outlet = outlet.ok_or_else(|| {
            ProtocolError::invalid_params("listening needs a client that takes text/event-stream")
        })?;
        let id = serde_json::from_str(self.id).map_err(|_| ProtocolError::internal())?;
        let ends = ListeningEnds {
            conversation: self.arrival.origin.conversation.map(Arc::clone),
            server: self.arrival.ending.map(Arc::clone),
        };
        let hub = Arc::clone(self.hub);
        let work = StartedWork::Subscription(Box::pin(listening::listen(
            id, filter, tasks, outlet, hub, ends,
        )));
        Ok(self.calling(work, None, context))
    }

    /// The four revisions with a handshake. A method works before `initialize` too.
    fn take_legacy(
        &self,
        params: &Params<'_>,
        meta: &RequestMeta<'_>,
        raw: Option<&RawValue>,
    ) -> Result<Dispatched<C>, ProtocolError> {
        mirrored_headers::check_legacy_version(self.arrival.origin.named)?;
        let context = || self.legacy_context(meta);
        if let Some(method) = self.catalog.method(&self.method) {
            return self.custom(method, raw, context());
        }
        if let Some(list) = self.list {
            return self.list(list, params, self.spoken, context);
        }
        match &*self.method {
            "initialize" => {
                let requested = Params::text(params.protocol_version, "protocolVersion")?;
                let revision = Revision::negotiate(&requested);
                let opened = self
                    .arrival
                    .opening
                    .map(|opening| opening.get_or_init(Arc::default));
                let client = || {
                    Client::new(
                        params.client_info.map(RawValue::get),
                        params.capabilities.map(RawValue::get),
                    )
                };
                if let Some(conversation) = self.arrival.origin.conversation.or(opened) {
                    conversation.begin(revision, client());
                }
                let greeted = || {
                    let mut context = self.legacy_request_context(meta);
                    context.client = Arc::new(client());
                    Arc::new(context)
                };
                Ok(self.ready(
                    self.catalog
                        .things_for(self.arrival.caller, greeted)
                        .initialize(revision),
                ))
            }
            "ping" => Ok(self.ready(Bytes::from_static(b"{}"))),
            "skills/list" | "skills/get" | "resources/directory/read" => {
                self.about_skills(params, self.spoken, context())
            }
            "logging/setLevel" if self.catalog.identity.profile.logging => {
                let level = params
                    .level
                    .ok_or_else(|| ProtocolError::invalid_params("`level` is missing"))?;
                let level = request_meta::read_level(level)?;
                if let Some(conversation) = self.arrival.origin.conversation {
                    conversation.set_log_level(level);
                }
                Ok(self.ready(Bytes::from_static(b"{}")))
            }
            "resources/subscribe" | "resources/unsubscribe"
                if self.catalog.identity.profile.subscriptions =>
            {
                self.subscribe(params, context)
            }
            "tools/call" | "resources/read" | "prompts/get" | "completion/complete" => self.work(
                params,
                Brought {
                    context: context(),
                    waiting: None,
                },
                raw,
            ),
            _ => Err(ProtocolError::unknown_method(&self.method)),
        }
    }

    /// A method of the application's own.
    fn custom(
        &self,
        method: &Arc<Method<C>>,
        raw: Option<&RawValue>,
        context: Arc<RequestContext>,
    ) -> Result<Dispatched<C>, ProtocolError> {
        if self
            .catalog
            .things_for(self.arrival.caller, || Arc::clone(&context))
            .method(&method.name)
            .is_none()
        {
            return Err(ProtocolError::unknown_method(&self.method));
        }
        let params = custom::params(raw)?;
        custom::check_name(
            method,
            self.arrival.origin.headers.filter(|_| {
                context
                    .revision
                    .is_some_and(Revision::repeats_body_in_headers)
            }),
            &params,
        )?;
        let call = self.call_with(params, &context);
        let method = Arc::clone(method);
        // The function itself may panic before it returns its future.
        let working = Box::pin({
            let method = Arc::clone(&method);
            async move { method.start(call).await }
        });
        let work = StartedWork::Custom {
            work: Fenced::new(working, method.time_limit, &context),
            method,
        };
        Ok(self.calling(work, None, context))
    }

    /// A subscription lasts as long as the conversation; without one there is nothing to tell.
    fn subscribe(
        &self,
        params: &Params<'_>,
        context: impl FnOnce() -> Arc<RequestContext>,
    ) -> Result<Dispatched<C>, ProtocolError> {
        let uri = Params::text(params.uri, "uri")?;
        let Some(conversation) = self.arrival.origin.conversation else {
            return Err(ProtocolError::invalid_params(
                "a subscription needs a session; open one with `initialize`",
            ));
        };
        let is_done = match &*self.method {
            // Who may not see a resource does not hear of it either.
            "resources/subscribe"
                if !self
                    .catalog
                    .things_for(self.arrival.caller, context)
                    .has_resource(&uri) =>
            {
                return Err(ProtocolError::resource_not_found(&uri, self.spoken));
            }
            "resources/subscribe" => conversation.subscribe(&uri),
            _ => {
                conversation.unsubscribe(&uri);
                true
            }
        };
        if !is_done {
            return Err(ProtocolError::invalid_params(format!(
                "a session has at most {} subscriptions",
                limits::SUBSCRIPTIONS
            )));
        }
        self.hub.listens_more();
        Ok(self.ready(Bytes::from_static(b"{}")))
    }

    fn legacy_context(&self, meta: &RequestMeta<'_>) -> Arc<RequestContext> {
        Arc::new(self.legacy_request_context(meta))
    }

    fn legacy_request_context(&self, meta: &RequestMeta<'_>) -> RequestContext {
        let conversation = self.arrival.origin.conversation;
        let client = conversation.map(|known| known.client()).unwrap_or_default();
        let mut context = RequestContext {
            revision: self.spoken,
            meta: SentMeta::of(meta.json()),
            progress_token: meta.progress_token().map(Box::from),
            outlet: self.arrival.outlet.clone(),
            ..RequestContext::of(client)
        };
        if let Some(conversation) = conversation {
            context.log_level = self
                .catalog
                .identity
                .profile
                .logging
                .then(|| conversation.log_level());
            context.asking = Asking::ByRequest(Arc::clone(conversation));
        }
        context
    }

    fn list(
        &self,
        list: List,
        params: &Params<'_>,
        revision: Option<Revision>,
        context: impl FnOnce() -> Arc<RequestContext>,
    ) -> Result<Dispatched<C>, ProtocolError> {
        let seen = self.catalog.things_for(self.arrival.caller, context);
        let cursor = cursor_of(params)?;
        let list = seen
            .list(list, cursor.as_deref(), revision)
            .map_err(|unlisted| self.unlisted(unlisted))?;
        Ok(self.ready(list))
    }

    pub(super) fn unlisted(&self, unlisted: Unlisted) -> ProtocolError {
        match unlisted {
            Unlisted::NotOffered => ProtocolError::unknown_method(&self.method),
            Unlisted::Cursor => ProtocolError::invalid_params(
                "`cursor` is not one that this server gave out; leave it out",
            ),
        }
    }

    /// Work under way for this request.
    pub(super) fn calling(
        &self,
        work: StartedWork<C>,
        waiting: Option<SealContext>,
        context: Arc<RequestContext>,
    ) -> Dispatched<C> {
        Dispatched::Calling(Calling::Direct(Box::new(DirectCalling {
            id: self.id.into(),
            work,
            waiting,
            voice: Voice(context),
            catalog: Arc::clone(&self.catalog),
        })))
    }

    pub(super) fn ready(&self, result: Bytes) -> Dispatched<C> {
        Dispatched::Answered(MessageAnswer {
            status: StatusCode::OK,
            reply: Some(Reply::ready(self.id, result)),
        })
    }
}

/// The place in a list from where a request goes on.
pub(super) fn cursor_of<'a>(params: &Params<'a>) -> Result<Option<Cow<'a, str>>, ProtocolError> {
    let cursor = params.cursor.filter(|cursor| cursor.get() != "null");
    cursor
        .map(|cursor| Params::text(Some(cursor), "cursor"))
        .transpose()
}
