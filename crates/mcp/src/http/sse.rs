//! HTTP+SSE, the transport of 2024-11-05: one long stream for everything the server says, POST for everything the client says.
//! Source: specification 2024-11-05, Transports, "HTTP with SSE".

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;

use super::request_body::{self, Read};
use super::service::{Shared, no_body, refused, stream, whole, with_status};
use super::session_body::SessionBody;
use super::sessions::{SessionLimits, Sessions};
use super::{Authenticate, ReplyBody};
use crate::changes::Listener;
use crate::dispatch::{self, Answer, Arrival, Origin, Step};
use crate::outlet::Outlet;
use crate::session::{Reading, Session};

/// An endpoint over HTTP+SSE. Made by [`super::McpService::sse`].
pub struct SseService<C, A> {
    shared: Arc<Shared<C, A>>,
    channels: Arc<Sessions>,
    messages: Arc<str>,
}

impl<C: Send + Sync + 'static, A: Authenticate<C>> SseService<C, A> {
    pub(super) fn new(shared: Arc<Shared<C, A>>, messages: &str) -> Self {
        Self { shared, channels: Arc::new(Sessions::new(SessionLimits::default())), messages: Arc::from(messages) }
    }

    /// Ends every channel, so that a server which stops need not wait for them.
    pub fn end_streams(&self) {
        self.channels.end_all();
    }

    async fn answer<B>(&self, request: Request<B>) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let mut body = std::pin::pin!(body);
        let caller = match self.admit(&head).await {
            Ok(caller) => caller,
            Err(refusal) => {
                request_body::discard(&head, body).await;
                return refusal;
            }
        };
        if head.method == Method::GET {
            return self.open(&head, &caller);
        }
        match request_body::read(&head, body.as_mut(), &self.shared.large_bodies).await {
            Ok(Read { bytes, turn: _turn }) => self.take(&head, &bytes, &caller).await,
            Err(unread) => no_body(&head, &unread),
        }
    }

    async fn admit(&self, head: &Parts) -> Result<Arc<C>, Response<ReplyBody>> {
        if let Err(problem) = self.shared.hosts.check(&head.headers) {
            return Err(refused(head, StatusCode::FORBIDDEN, problem));
        }
        if !matches!(head.method, Method::GET | Method::POST) {
            let mut response = refused(head, StatusCode::METHOD_NOT_ALLOWED, "GET opens a channel, POST sends on it");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
            return Err(response);
        }
        self.shared.caller(head).await
    }

    /// A channel lasts as long as its connection.
    fn open(&self, head: &Parts, caller: &C) -> Response<ReplyBody> {
        let Some(session) = self.channels.open(Arc::default(), self.shared.principal(caller)) else {
            return refused(head, StatusCode::SERVICE_UNAVAILABLE, "there are as many channels as there may be; try again later");
        };
        let listener: Arc<dyn Listener> = Arc::clone(&session) as Arc<dyn Listener>;
        self.shared.endpoint.hub().add(&listener);
        let events = session.own_stream();
        let (reader, _) = events.begin_reading(None);
        let messages = format!("{}?session_id={}", self.messages, session.id);
        let channels = Arc::clone(&self.channels);
        let until: Box<dyn FnOnce() + Send + Sync> = Box::new(move || channels.remove(&session));
        stream(SessionBody::channel(Reading { stream: events, reader, until: Some(until) }, &messages))
    }

    /// The answer goes to the channel; the reply here only says that the message came.
    async fn take(&self, head: &Parts, bytes: &[u8], caller: &Arc<C>) -> Response<ReplyBody> {
        let query = head.uri.query().unwrap_or_default();
        let id = query.split('&').find_map(|pair| pair.strip_prefix("session_id="));
        let Some(id) = id else {
            return refused(
                head,
                StatusCode::BAD_REQUEST,
                "session_id is missing; post to the address that the channel's first event names",
            );
        };
        let Some(session) = self.channels.find(id, self.shared.principal(caller).as_deref()) else {
            return refused(head, StatusCode::NOT_FOUND, "there is no such channel any more; open a new one with GET");
        };
        let events = session.own_stream();
        let outlet: Arc<dyn Outlet> = Arc::clone(&events) as Arc<dyn Outlet>;
        let origin = Origin::channel(&session.conversation);
        let arrival = Arrival { origin, caller, outlet: Some(Arc::clone(&outlet)), opening: None };
        match dispatch::take(&self.shared.endpoint, bytes, &arrival) {
            Step::Answered(answer) => say(&outlet, answer).await,
            Step::Cancel(id) => session.cancel(&id),
            step => {
                if !start(&session, step, outlet) {
                    return refused(
                        head,
                        StatusCode::TOO_MANY_REQUESTS,
                        "too many calls run on this channel, or one with this id does",
                    );
                }
            }
        }
        with_status(StatusCode::ACCEPTED, ReplyBody::empty())
    }
}

fn start<C: Send + Sync + 'static>(session: &Arc<Session>, step: Step<C>, outlet: Arc<dyn Outlet>) -> bool {
    let id = match &step {
        Step::Calling(calling) => calling.id.clone(),
        // A batch has no id; this is no JSON, so it cannot be one.
        _ => "batch".to_owned(),
    };
    session.start(&id, async move { say(&outlet, step.finish().await).await })
}

async fn say(outlet: &Arc<dyn Outlet>, answer: Answer) {
    if let Some(message) = whole(answer) {
        outlet.send(message).await;
    }
}

impl<C, A> Clone for SseService<C, A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), channels: Arc::clone(&self.channels), messages: Arc::clone(&self.messages) }
    }
}

impl<C, A> std::fmt::Debug for SseService<C, A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SseService").field("messages", &self.messages).finish_non_exhaustive()
    }
}

impl<C, A, B> tower_service::Service<Request<B>> for SseService<C, A>
where
    C: Send + Sync + 'static,
    A: Authenticate<C>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}
