//! An endpoint as a tower service over HTTP: guard, authentication, body, dispatcher, answer. Works under hyper directly or as a route of axum.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::event_stream::{Answering, EventStream, First};
use super::request_body::{self, Read, Unread};
use super::session_body::SessionBody;
use super::sessions::{SessionLimits, Sessions};
use super::sse::SseService;
use super::{AllowedHosts, Refusal, ReplyBody, headers};
use crate::changes::Listener;
use crate::conversation::Conversation;
use crate::dispatch::{self, Answer, Arrival, Origin, Step};
use crate::endpoint::Endpoint;
use crate::outlet::{EventQueue, Outlet};
use crate::protocol_error::ProtocolError;
use crate::reply::Reply;
use crate::session::{Reading, Session, SessionStream};
use crate::{Revision, limits};

/// Finds out who is asking, from the head of a request.
pub trait Authenticate<C>: Send + Sync + 'static {
    /// The caller, or the answer that refuses the request.
    ///
    /// # Errors
    /// A [`Refusal`] for a caller who may not enter.
    fn authenticate(&self, head: &Parts) -> impl Future<Output = Result<Arc<C>, Refusal>> + Send;
}

/// Lets everybody in as the same caller.
#[derive(Debug)]
pub struct Public<F>(F);

impl<C: Send + Sync + 'static, F: Fn() -> C + Send + Sync + 'static> Authenticate<C> for Public<F> {
    async fn authenticate(&self, _: &Parts) -> Result<Arc<C>, Refusal> {
        Ok(Arc::new((self.0)()))
    }
}

/// An endpoint over HTTP.
pub struct McpService<C, A> {
    shared: Arc<Shared<C, A>>,
}

pub(super) struct Shared<C, A> {
    pub(super) endpoint: Endpoint<C>,
    authenticate: A,
    pub(super) hosts: AllowedHosts,
    path: Option<String>,
    sessions: Option<Sessions>,
    pub(super) large_bodies: Arc<Semaphore>,
}

impl<C: Send + Sync + 'static, A: Authenticate<C>> McpService<C, A> {
    /// Serves an endpoint to the callers that `authenticate` lets in.
    pub fn new(endpoint: Endpoint<C>, authenticate: A, hosts: AllowedHosts) -> Self {
        let large_bodies = Arc::new(Semaphore::new(limits::HTTP_LARGE_BODIES));
        let sessions = Some(Sessions::new(SessionLimits::default()));
        Self { shared: Arc::new(Shared { endpoint, authenticate, hosts, path: None, sessions, large_bodies }) }
    }

    /// Answers at this path only, with and without a slash at its end, and 404 elsewhere. Without it, every path is the endpoint's: a router decides.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        let shared = match Arc::try_unwrap(self.shared) {
            Ok(shared) => shared,
            Err(shared) => return Self { shared },
        };
        let path = Some(path.trim_end_matches('/').to_owned());
        Self { shared: Arc::new(Shared { path, ..shared }) }
    }

    /// How many sessions clients of the legacy era may have, or none at all: they are then served without what needs one, such as questions to
    /// the user. Call it before the service is cloned.
    #[must_use]
    pub fn sessions(self, limits: Option<SessionLimits>) -> Self {
        let shared = match Arc::try_unwrap(self.shared) {
            Ok(shared) => shared,
            Err(shared) => return Self { shared },
        };
        Self { shared: Arc::new(Shared { sessions: limits.map(Sessions::new), ..shared }) }
    }

    /// The same endpoint for clients of 2024-11-05, over HTTP+SSE: GET opens a channel, and POST to `messages` (a path, as clients reach it)
    /// sends on it. Route both there.
    #[must_use]
    pub fn sse(&self, messages: &str) -> SseService<C, A> {
        SseService::new(Arc::clone(&self.shared), messages)
    }

    /// Ends every stream that would go on for ever, so that a server which stops need not wait for them. Calls under way go on.
    pub fn end_streams(&self) {
        self.shared.endpoint.hub().end();
        if let Some(sessions) = &self.shared.sessions {
            sessions.end_all();
        }
    }
}

impl<C: Send + Sync + 'static, F: Fn() -> C + Send + Sync + 'static> McpService<C, Public<F>> {
    /// Serves an endpoint to everybody; `caller` makes the caller of each request.
    pub fn public(endpoint: Endpoint<C>, caller: F, hosts: AllowedHosts) -> Self {
        Self::new(endpoint, Public(caller), hosts)
    }
}

impl<C, A> Clone for McpService<C, A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<C, A> std::fmt::Debug for McpService<C, A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("McpService").field("endpoint", &self.shared.endpoint).finish_non_exhaustive()
    }
}

impl<C, A, B> tower_service::Service<Request<B>> for McpService<C, A>
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
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { Ok(shared.answer(request).await) })
    }
}

impl<C: Send + Sync + 'static, A: Authenticate<C>> Shared<C, A> {
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
        let Read { bytes, turn } = match request_body::read(&head, body.as_mut(), &self.large_bodies).await {
            Ok(body) => body,
            Err(unread) => return no_body(&head, &unread),
        };
        let session = match self.session_of(&head, &caller) {
            Ok(session) => session,
            Err(refusal) => return refusal,
        };
        if head.method != Method::POST {
            return self.without_body(&head, session);
        }
        match session {
            Some(session) => self.answer_in(&session, &head, bytes, turn, &caller).await,
            None => self.answer_alone(&head, bytes, turn, &caller).await,
        }
    }

    /// A request outside of any session: its own connection is all there is.
    async fn answer_alone(
        &self,
        head: &Parts,
        bytes: Bytes,
        turn: Option<OwnedSemaphorePermit>,
        caller: &Arc<C>,
    ) -> Response<ReplyBody> {
        let events = takes_events(&head.headers).then(|| Arc::new(EventQueue::default()));
        let outlet = events.clone().map(|events| events as Arc<dyn Outlet>);
        let opening = OnceLock::new();
        let arrival = Arrival { origin: Origin::http(&head.headers, None), caller, outlet, opening: Some(&opening) };
        let step = dispatch::take(&self.endpoint, &bytes, &arrival);
        drop(arrival);
        drop(bytes);
        let answering = match step {
            Step::Answered(answer) => return self.with_session(respond(answer), opening.into_inner(), caller),
            // A large body keeps its place until its answer is known.
            step => Box::pin(async move {
                let answer = step.finish().await;
                drop(turn);
                answer
            }),
        };
        match events {
            None => respond(answering.await),
            Some(events) => match First::of(answering, &events).await {
                First::Answer(answer) => respond(answer),
                First::Event(answering) => stream(EventStream::new(answering, events)),
            },
        }
    }

    /// A request of a session: once its reply is a stream, the client can go and come back for the rest.
    async fn answer_in(
        &self,
        session: &Arc<Session>,
        head: &Parts,
        bytes: Bytes,
        turn: Option<OwnedSemaphorePermit>,
        caller: &Arc<C>,
    ) -> Response<ReplyBody> {
        let events = takes_events(&head.headers).then(|| session.new_stream());
        let outlet = events.clone().map(|events| events as Arc<dyn Outlet>);
        let origin = Origin::http(&head.headers, Some(&session.conversation));
        let step = dispatch::take(&self.endpoint, &bytes, &Arrival { origin, caller, outlet, opening: None });
        drop(bytes);
        step.cancelled().for_each(|id| session.cancel(id));
        if let Step::Answered(answer) = step {
            return respond(answer);
        }
        let Some(under_way) = session.begin_call(step.id()) else {
            let error = ProtocolError::busy(limits::SESSION_CALLS_IN_FLIGHT);
            let revision = session.conversation.revision();
            return respond(Answer {
                status: StatusCode::OK,
                reply: Some(Reply::error((!step.id().is_empty()).then_some(step.id()), revision, &error)),
            });
        };
        let answering: Answering = Box::pin(async move {
            let answer = under_way.run(step.finish()).await;
            drop(turn);
            // A request that was taken back is not answered.
            answer.unwrap_or(Answer { status: StatusCode::ACCEPTED, reply: None })
        });
        let mut answering = Kept { answering: Some(answering), events: events.clone() };
        let Some(events) = events else { return respond(answering.run().await) };
        let first = std::future::poll_fn(|context| {
            events.listen(context);
            match answering.poll(context) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending if events.is_untouched() => Poll::Pending,
                Poll::Pending => Poll::Ready(None),
            }
        });
        let answered = match first.await {
            Some(answer) if events.is_untouched() => return respond(answer),
            answered => answered,
        };
        session.keep(&events);
        match answered {
            Some(answer) => events.end_with(whole(answer)),
            // Neither the end of this connection nor the end of the reply's stream is the end of the call.
            None => answering.go_on(),
        }
        session_stream(session, events, None)
    }

    /// GET opens the session's own stream or comes back to one of its streams; DELETE ends the session.
    fn without_body(&self, head: &Parts, session: Option<Arc<Session>>) -> Response<ReplyBody> {
        let (Some(session), Some(sessions)) = (session, &self.sessions) else { return only_post(head) };
        if head.method == Method::DELETE {
            sessions.remove(&session);
            return with_status(StatusCode::NO_CONTENT, ReplyBody::empty());
        }
        if !takes_events(&head.headers) {
            return refused(head, StatusCode::NOT_ACCEPTABLE, "a stream is text/event-stream; accept it");
        }
        let Some(last) = head.headers.get(LAST_EVENT_ID) else { return session_stream(&session, session.own_stream(), None) };
        match session.after(last.to_str().unwrap_or_default()) {
            Some((stream, after)) => session_stream(&session, stream, Some(after)),
            None => refused(
                head,
                StatusCode::BAD_REQUEST,
                "there is no stream with this Last-Event-ID any more; open a new one without it",
            ),
        }
    }

    /// The session that a request names; none when it names none or is of the modern era, which has none.
    #[allow(clippy::result_large_err, reason = "the error is the answer itself, moved once")]
    fn session_of(&self, head: &Parts, caller: &C) -> Result<Option<Arc<Session>>, Response<ReplyBody>> {
        let (Some(sessions), Some(id)) = (&self.sessions, head.headers.get(SESSION_ID)) else { return Ok(None) };
        if headers::names_modern_revision(&head.headers) {
            return Ok(None);
        }
        let found = sessions.find(id.to_str().unwrap_or_default(), self.principal(caller).as_deref());
        let gone = || refused(head, StatusCode::NOT_FOUND, "there is no such session any more; open a new one with `initialize`");
        found.map(Some).ok_or_else(gone)
    }

    /// Opens the session that an `initialize` began.
    fn with_session(
        &self,
        mut response: Response<ReplyBody>,
        opening: Option<Arc<Conversation>>,
        caller: &C,
    ) -> Response<ReplyBody> {
        let (Some(sessions), Some(conversation)) = (&self.sessions, opening) else { return response };
        match sessions.open(conversation, self.principal(caller)) {
            Some(session) => {
                let listener: Arc<dyn Listener> = Arc::clone(&session) as Arc<dyn Listener>;
                self.endpoint.hub().add(&listener);
                if let Ok(id) = HeaderValue::from_str(&session.id) {
                    response.headers_mut().insert(SESSION_ID, id);
                }
            }
            // The client is served all the same, without what needs a session.
            None => tracing::warn!("there are as many sessions as there may be; a client is served without one"),
        }
        response
    }

    pub(super) fn principal(&self, caller: &C) -> Option<String> {
        self.endpoint.catalog().identity.principal.as_ref().map(|principal| principal(caller))
    }

    /// Who is asking, or the answer to a request whose head alone is reason enough to refuse it.
    async fn admit(&self, head: &Parts) -> Result<Arc<C>, Response<ReplyBody>> {
        if let Some(refusal) = self.refuse_head(head) {
            return Err(refusal);
        }
        self.caller(head).await
    }

    /// Who is asking, or the answer that refuses.
    pub(super) async fn caller(&self, head: &Parts) -> Result<Arc<C>, Response<ReplyBody>> {
        self.authenticate.authenticate(head).await.map_err(|refusal| {
            let mut response = refused(head, refusal.status, refusal.message);
            if let Some(challenge) = refusal.challenge {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        })
    }

    fn refuse_head(&self, head: &Parts) -> Option<Response<ReplyBody>> {
        if let Some(path) = &self.path {
            let asked = head.uri.path();
            if asked.strip_suffix('/').unwrap_or(asked) != path {
                return Some(refused(head, StatusCode::NOT_FOUND, format!("nothing is served here; the MCP endpoint is {path}")));
            }
        }
        if let Err(problem) = self.hosts.check(&head.headers) {
            return Some(refused(head, StatusCode::FORBIDDEN, problem));
        }
        match head.method {
            Method::POST => {}
            Method::GET | Method::DELETE if self.sessions.is_some() && head.headers.contains_key(SESSION_ID) => return None,
            _ => return Some(only_post(head)),
        }
        let content_type = head.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            let shown = crate::protocol_error::excerpt(content_type.unwrap_or("missing")).into_owned();
            let message = format!("the Content-Type must be application/json; it is {shown}");
            return Some(refused(head, StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        None
    }
}

fn respond(answer: Answer) -> Response<ReplyBody> {
    let Answer { status, reply } = answer;
    let Some(reply) = reply else { return with_status(status, ReplyBody::empty()) };
    let mut response = with_status(status, ReplyBody::from(reply));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A client that does not say what it takes gets JSON or events, as the request needs; one that says JSON only gets the answer alone.
fn takes_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT);
    let mut named = accepted.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).peekable();
    named.peek().is_none()
        || named.any(|media| matches!(media.split(';').next().map(str::trim), Some("text/event-stream" | "text/*" | "*/*")))
}

fn only_post(head: &Parts) -> Response<ReplyBody> {
    let message = "this MCP endpoint takes POST; GET and DELETE belong to a session, which Mcp-Session-Id names";
    let mut response = refused(head, StatusCode::METHOD_NOT_ALLOWED, message);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// A call of a session. The end of the connection that brought it is not its end.
struct Kept {
    answering: Option<Answering>,
    events: Option<Arc<SessionStream>>,
}

impl Kept {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Answer> {
        let Some(answering) = &mut self.answering else { return Poll::Pending };
        let polled = answering.as_mut().poll(context);
        if polled.is_ready() {
            self.answering = None;
        }
        polled
    }

    async fn run(&mut self) -> Answer {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// Goes on without the connection; the answer goes to the stream.
    fn go_on(mut self) {
        self.leave();
    }

    fn leave(&mut self) {
        // Without a runtime the whole program is ending.
        let (Some(answering), Ok(runtime)) = (self.answering.take(), tokio::runtime::Handle::try_current()) else { return };
        let events = self.events.clone();
        drop(runtime.spawn(async move {
            let answer = answering.await;
            if let Some(events) = events {
                events.end_with(whole(answer));
            }
        }));
    }
}

impl Drop for Kept {
    /// The client went before anything was said, so it has nothing to come back with: nobody will read the stream.
    fn drop(&mut self) {
        if let (Some(_), Some(events)) = (&self.answering, &self.events) {
            events.abandon();
        }
        self.leave();
    }
}

/// The bytes of an answer.
pub(super) fn whole(answer: Answer) -> Option<Bytes> {
    answer.reply.map(|reply| {
        let mut bytes = Vec::with_capacity(reply.len());
        reply.append_to(&mut bytes);
        Bytes::from(bytes)
    })
}

fn session_stream(session: &Session, events: Arc<SessionStream>, after: Option<u64>) -> Response<ReplyBody> {
    let primed = session.conversation.revision().is_some_and(|revision| revision >= Revision::V2025_11_25);
    let (reader, after) = events.begin_reading(after);
    stream(SessionBody::new(Reading { stream: events, reader, until: None }, primed, after))
}

pub(super) fn stream(events: impl Into<ReplyBody>) -> Response<ReplyBody> {
    let mut response = with_status(StatusCode::OK, events.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// A refusal before any message was read: still a JSON-RPC error, so that a client shows its sentence.
pub(super) fn refused(
    head: &Parts,
    status: StatusCode,
    message: impl Into<std::borrow::Cow<'static, str>>,
) -> Response<ReplyBody> {
    error_response(head, status, &ProtocolError::invalid_request(message))
}

/// The answer to a request whose body did not come.
pub(super) fn no_body(head: &Parts, unread: &Unread) -> Response<ReplyBody> {
    match unread {
        Unread::TooLarge => too_large(head),
        Unread::TooSlow => {
            let limit = limits::HTTP_BODY_TIME.as_secs();
            refused(head, StatusCode::REQUEST_TIMEOUT, format!("the body did not arrive within {limit} s"))
        }
        Unread::Busy => {
            let message = "too many requests with large bodies are under way; try again later";
            refused(head, StatusCode::SERVICE_UNAVAILABLE, message)
        }
        Unread::Broken => refused(head, StatusCode::BAD_REQUEST, "the body ended before its end"),
    }
}

fn too_large(head: &Parts) -> Response<ReplyBody> {
    error_response(head, StatusCode::PAYLOAD_TOO_LARGE, &ProtocolError::too_large(limits::MESSAGE_BYTES))
}

fn error_response(head: &Parts, status: StatusCode, error: &ProtocolError) -> Response<ReplyBody> {
    let revision = headers::protocol_version(&head.headers).and_then(Revision::parse);
    respond(Answer { status, reply: Some(Reply::error(None, revision, error)) })
}

pub(super) fn with_status(status: StatusCode, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
