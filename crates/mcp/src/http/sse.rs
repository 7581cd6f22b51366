//! HTTP+SSE, the transport of 2024-11-05: one long stream for everything the server says, POST for
//! everything the client says. Source: specification 2024-11-05, Transports, "HTTP with SSE".

use std::future::Future;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};

use super::answers::{refused, stream, whole, with_status};
use super::connection::ServerEnding;
use super::cross_origin::preflight;
use super::front::{AdmittedRequest, Front, tower_service};
use super::request_body::BodyRoom;
use super::service::ServiceShared;
use super::session_body::SessionBody;
use super::sessions::{SessionLimits, Sessions};
use super::{AllowedOrigins, Authenticate, ReplyBody};
use crate::changes::Listener;
use crate::dispatch::{self, Arrival, Dispatched, MessageAnswer, MessageOrigin};
use crate::outlet::Outlet;
use crate::session::StreamReading;

/// An endpoint over HTTP+SSE. Made by [`super::McpService::sse`].
///
/// A channel is its GET: when that connection ends, so do the channel and the calls under way on
/// it. A client that leaves its channel unread stops being read from, and is cut off by the
/// server's write limit ([`super::ServerLimits::write_time`]).
pub struct SseService<C, A> {
    shared: Arc<ServiceShared<C, A>>,
    channels: Arc<Sessions>,
    messages: Arc<str>,
}

impl<C: Send + Sync + 'static, A: Authenticate<C>> SseService<C, A> {
    pub(super) fn new(shared: Arc<ServiceShared<C, A>>, messages: &str) -> Self {
        Self {
            shared,
            channels: Arc::new(Sessions::new(SessionLimits::default())),
            messages: Arc::from(messages),
        }
    }

    /// How many channels there may be at the same time. Call it before the service is cloned.
    #[must_use]
    pub fn channels(self, most: usize) -> Self {
        let limits = SessionLimits::default().sessions(most);
        Self {
            channels: Arc::new(Sessions::new(limits)),
            ..self
        }
    }

    /// Ends every channel once the calls under way on it are answered, so that a server which stops
    /// need not wait for idle ones. [`super::serve`] does it for the channels that it serves.
    pub fn end_streams(&self) {
        self.channels.end_all();
    }

    /// The same once a signal comes, as [`super::McpService::end_streams_after`].
    pub fn end_streams_after<S: Future<Output = ()>>(
        &self,
        signal: S,
    ) -> impl Future<Output = ()> + use<S, C, A> {
        let service = self.clone();
        async move {
            signal.await;
            service.end_streams();
        }
    }

    /// A channel lasts as long as its connection.
    fn open(&self, head: &Parts, caller: &C) -> Response<ReplyBody> {
        let Some(session) = self.channels.open_channel(self.shared.principal(caller)) else {
            return refused(
                head,
                StatusCode::SERVICE_UNAVAILABLE,
                "there are as many channels as there may be; try again later",
            );
        };
        let listener: Arc<dyn Listener> = Arc::clone(&session) as Arc<dyn Listener>;
        self.shared.endpoint.hub().add(&listener);
        let events = session.own_stream();
        let (reader, _) = events.begin_reading(None);
        let messages = format!("{}?session_id={}", self.messages, session.id);
        let (channels, known) = (Arc::clone(&self.channels), Arc::clone(&session));
        let until: Box<dyn FnOnce() + Send + Sync> = Box::new(move || channels.remove(&session));
        let reading = StreamReading {
            stream: events,
            reader,
            until: Some(until),
        };
        stream(SessionBody::channel(reading, &messages).until(ServerEnding::of(head), &known))
    }

    /// The answer goes to the channel; the reply here only says that the message came.
    async fn take(&self, request: AdmittedRequest<'_, C>) -> Response<ReplyBody> {
        let AdmittedRequest {
            head,
            bytes,
            held,
            caller,
        } = request;
        let query = head.uri.query().unwrap_or_default();
        let Some(id) = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("session_id="))
        else {
            return refused(
                head,
                StatusCode::BAD_REQUEST,
                "session_id is missing; post to the address that the channel's first event names",
            );
        };
        let Some(session) = self
            .channels
            .find(id, self.shared.principal(&caller).as_deref())
        else {
            return refused(
                head,
                StatusCode::NOT_FOUND,
                "there is no such channel any more; open a new one with GET",
            );
        };
        let answering = session.answering();
        let outlet: Arc<dyn Outlet> = session.own_stream();
        let origin = MessageOrigin::channel(&session.conversation);
        let arrival = Arrival {
            origin,
            caller: &caller,
            body: Some(&bytes),
            outlet: Some(Arc::clone(&outlet)),
            opening: None,
            ending: None,
        };
        match dispatch::take(&self.shared.endpoint, &bytes, &arrival).enter(&session.calls) {
            Dispatched::Answered(answer) => {
                say(&outlet, answer).await;
                session.conversation.answers_left();
            }
            step => drop(tokio::spawn(async move {
                let answer = step.finish().await;
                drop(held);
                say(&outlet, answer).await;
                session.conversation.answers_left();
                drop(answering);
            })),
        }
        with_status(StatusCode::ACCEPTED, ReplyBody::empty())
    }
}

async fn say(outlet: &Arc<dyn Outlet>, answer: MessageAnswer) {
    if let Some(message) = whole(answer) {
        outlet.send(message).await;
    }
}

impl<C: Send + Sync + 'static, A: Authenticate<C>> Front<C> for SseService<C, A> {
    async fn admit(&self, head: &Parts) -> Result<Arc<C>, Response<ReplyBody>> {
        if let Err(problem) = self.shared.hosts.check(head) {
            return Err(refused(head, StatusCode::FORBIDDEN, problem));
        }
        if let Some(answer) = preflight(&self.shared.hosts.origins, head, "GET, POST") {
            return Err(answer);
        }
        if !matches!(head.method, Method::GET | Method::POST) {
            let mut response = refused(
                head,
                StatusCode::METHOD_NOT_ALLOWED,
                "GET opens a channel, POST sends on it",
            );
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
            return Err(response);
        }
        self.shared.caller(head).await
    }

    fn origins(&self) -> &AllowedOrigins {
        &self.shared.hosts.origins
    }

    fn room(&self) -> &BodyRoom {
        &self.shared.room
    }

    async fn answer(&self, request: AdmittedRequest<'_, C>) -> Response<ReplyBody> {
        match request.head.method {
            Method::GET => self.open(request.head, &request.caller),
            _ => self.take(request).await,
        }
    }
}

tower_service!(SseService);

impl<C, A> Clone for SseService<C, A> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            channels: Arc::clone(&self.channels),
            messages: Arc::clone(&self.messages),
        }
    }
}

impl<C, A> std::fmt::Debug for SseService<C, A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SseService")
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}
