//! Streamable HTTP: a request alone or in its session, the streams of a session, its beginning and
//! its end. Says nothing of who may ask.

use std::future::{Future, ready};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::answers::{refused, respond, stream, whole, with_status};
use super::connection::ServerEnding;
use super::event_stream::{AnswerEvents, AnswerFuture, First};
use super::front::AdmittedRequest;
use super::request_body::BodyHold;
use super::session_body::SessionBody;
use super::{Authenticate, McpService, ReplyBody};
use crate::changes::Listener;
use crate::conversation::Conversation;
use crate::dispatch::{self, Arrival, Dispatched, MessageAnswer, MessageOrigin};
use crate::mirrored_headers;
use crate::outlet::{EventQueue, Outlet};
use crate::revision::Revision;
use crate::session::{ClientSession, SessionStream, StreamReading};

impl<C: Send + Sync + 'static, A: Authenticate<C>> McpService<C, A> {
    /// Answers a request that may enter.
    pub(super) async fn take(&self, request: AdmittedRequest<'_, C>) -> Response<ReplyBody> {
        let AdmittedRequest {
            head,
            bytes,
            held,
            caller,
        } = request;
        let session = match self.session_of(head, &caller) {
            Ok(session) => session,
            Err(refusal) => return refusal,
        };
        if head.method != Method::POST {
            return self.without_body(head, session);
        }
        match session {
            Some(session) => self.answer_in(&session, head, bytes, held, &caller).await,
            None => self.answer_alone(head, bytes, held, &caller).await,
        }
    }

    /// A request outside of any session: its own connection is all there is.
    async fn answer_alone(
        &self,
        head: &Parts,
        bytes: Bytes,
        held: BodyHold,
        caller: &Arc<C>,
    ) -> Response<ReplyBody> {
        let events = takes_events(&head.headers).then(|| Arc::new(EventQueue::default()));
        let outlet = events.clone().map(|events| events as Arc<dyn Outlet>);
        let opening = OnceLock::new();
        let arrival = Arrival {
            origin: MessageOrigin::http(&head.headers, None),
            caller,
            body: Some(&bytes),
            outlet,
            opening: Some(&opening),
            ending: ServerEnding::of(head),
        };
        let step = dispatch::take(&self.shared.endpoint, &bytes, &arrival);
        drop(arrival);
        drop(bytes);
        let answering = match step {
            Dispatched::Answered(answer) => {
                return self.with_session(respond(answer), opening.into_inner(), caller);
            }
            Dispatched::Done(answer) => {
                return match events.filter(|events| !events.is_empty()) {
                    // What was said before the answer is sent before it.
                    Some(said) => stream(AnswerEvents::new(Box::pin(ready(answer)), said)),
                    None => respond(answer),
                };
            }
            // Only layers that wait answer `initialize` later than at once.
            step if opening.get().is_some() => {
                let answer = Box::pin(step.finish()).await;
                drop(held);
                return self.with_session(respond(answer), opening.into_inner(), caller);
            }
            // Polled where it lies: most calls do not wait.
            Dispatched::Calling(calling) => calling,
            step => {
                let answering = step.answering(held);
                return Box::pin(first_of(answering, (), events)).await;
            }
        };
        // A large body keeps its place until its answer is known.
        first_of(answering, held, events).await
    }

    /// A request of a session: once its reply is a stream, the client can go and come back for the
    /// rest.
    async fn answer_in(
        &self,
        session: &Arc<ClientSession>,
        head: &Parts,
        bytes: Bytes,
        held: BodyHold,
        caller: &Arc<C>,
    ) -> Response<ReplyBody> {
        let events = takes_events(&head.headers).then(|| session.new_stream());
        let outlet = events.clone().map(|events| events as Arc<dyn Outlet>);
        let origin = MessageOrigin::http(&head.headers, Some(&session.conversation));
        let arrival = Arrival {
            origin,
            caller,
            body: Some(&bytes),
            outlet,
            opening: None,
            ending: ServerEnding::of(head),
        };
        let step = dispatch::take(&self.shared.endpoint, &bytes, &arrival).enter(&session.calls);
        drop(arrival);
        drop(bytes);
        if let Dispatched::Answered(answer) = step {
            return respond(answer);
        }
        let mut answering = SessionCall {
            answering: Some(step.answering(held)),
            events: events.clone(),
            session: Arc::clone(session),
        };
        let Some(events) = events else {
            return respond(answering.run().await);
        };
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
            Some(answer) => session.end_stream(&events, whole(answer)),
            // Neither the end of this connection nor the end of the reply's stream is the end of
            // the call.
            None => answering.go_on(),
        }
        session_stream(session, head, events, None)
    }

    /// GET opens the session's own stream or comes back to one of its streams; DELETE ends the
    /// session.
    fn without_body(
        &self,
        head: &Parts,
        session: Option<Arc<ClientSession>>,
    ) -> Response<ReplyBody> {
        let (Some(session), Some(sessions)) = (session, &self.sessions) else {
            return only_post(head);
        };
        if head.method == Method::DELETE {
            sessions.remove(&session);
            return with_status(StatusCode::NO_CONTENT, ReplyBody::empty());
        }
        if !takes_events(&head.headers) {
            return refused(
                head,
                StatusCode::NOT_ACCEPTABLE,
                "a stream is text/event-stream; accept it",
            );
        }
        let Some(last) = head.headers.get(LAST_EVENT_ID) else {
            return session_stream(&session, head, session.own_stream(), None);
        };
        match session.after(last.to_str().unwrap_or_default()) {
            Some((stream, after)) => session_stream(&session, head, stream, Some(after)),
            None => refused(
                head,
                StatusCode::BAD_REQUEST,
                "there is no stream with this Last-Event-ID any more; open a new one without it",
            ),
        }
    }

    /// The session that a request names; none when it names none or is of the modern era, which has
    /// none.
    #[allow(
        clippy::result_large_err,
        reason = "the error is the answer itself, moved once"
    )]
    fn session_of(
        &self,
        head: &Parts,
        caller: &C,
    ) -> Result<Option<Arc<ClientSession>>, Response<ReplyBody>> {
        let (Some(sessions), Some(id)) = (&self.sessions, head.headers.get(SESSION_ID)) else {
            return Ok(None);
        };
        if mirrored_headers::names_modern_revision(&head.headers) {
            return Ok(None);
        }
        let found = sessions.find(
            id.to_str().unwrap_or_default(),
            self.shared.principal(caller).as_deref(),
        );
        let gone = || {
            refused(
                head,
                StatusCode::NOT_FOUND,
                "there is no such session any more; open a new one with `initialize`",
            )
        };
        found.map(Some).ok_or_else(gone)
    }

    /// Opens the session that an `initialize` began, if a revision was agreed on.
    fn with_session(
        &self,
        mut response: Response<ReplyBody>,
        opening: Option<Arc<Conversation>>,
        caller: &C,
    ) -> Response<ReplyBody> {
        let begun = opening.filter(|conversation| conversation.revision().is_some());
        let (Some(sessions), Some(conversation)) = (&self.sessions, begun) else {
            return response;
        };
        match sessions.open(conversation, self.shared.principal(caller)) {
            Some(session) => {
                // Whoever knows the id has the answer that brings it.
                session.conversation.answers_left();
                let listener: Arc<dyn Listener> = Arc::clone(&session) as Arc<dyn Listener>;
                self.shared.endpoint.hub().add(&listener);
                if let Ok(id) = HeaderValue::from_str(&session.id) {
                    response.headers_mut().insert(SESSION_ID, id);
                }
            }
            // The client is served all the same, without what needs a session.
            None if sessions.is_worth_telling() => {
                tracing::warn!(
                    "there are as many sessions as there may be; clients are served without one"
                );
            }
            None => {}
        }
        response
    }
}

pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The reply to a request outside of any session, by what it brings first.
async fn first_of(
    answering: impl Future<Output = MessageAnswer> + Send + Unpin + 'static,
    held: impl Send + 'static,
    events: Option<Arc<EventQueue>>,
) -> Response<ReplyBody> {
    let Some(events) = events else {
        return respond(answering.await);
    };
    match First::of(answering, &events).await {
        First::Answer(answer) => respond(answer),
        First::Event(answering) => {
            let answering = Box::pin(answering.inspect(move |_| drop(held)));
            stream(AnswerEvents::new(answering, events))
        }
    }
}

/// A client that does not say what it takes gets JSON or events, as the request needs; one that
/// says JSON only gets the answer alone.
fn takes_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT);
    let mut named = accepted
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .peekable();
    named.peek().is_none()
        || named.any(|media| {
            let mut parts = media.split(|byte| *byte == b';');
            matches!(
                parts.next().map(<[u8]>::trim_ascii),
                Some(b"text/event-stream" | b"text/*" | b"*/*")
            )
        })
}

pub(super) fn only_post(head: &Parts) -> Response<ReplyBody> {
    let message = "this MCP endpoint takes POST; GET and DELETE belong to a session, which Mcp-ClientSession-Id names";
    let mut response = refused(head, StatusCode::METHOD_NOT_ALLOWED, message);
    response
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// A call of a session. The end of the connection that brought it is not its end.
struct SessionCall {
    answering: Option<AnswerFuture>,
    events: Option<Arc<SessionStream>>,
    session: Arc<ClientSession>,
}

impl SessionCall {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<MessageAnswer> {
        let Some(answering) = &mut self.answering else {
            return Poll::Pending;
        };
        let polled = answering.as_mut().poll(context);
        if polled.is_ready() {
            self.answering = None;
        }
        polled
    }

    async fn run(&mut self) -> MessageAnswer {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// Goes on without the connection; the answer goes to the stream.
    fn go_on(mut self) {
        self.leave();
    }

    fn leave(&mut self) {
        // Without a runtime the whole program is ending.
        let (Some(answering), Ok(runtime)) =
            (self.answering.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let (events, session) = (self.events.clone(), Arc::clone(&self.session));
        drop(runtime.spawn(async move {
            let answer = answering.await;
            if let Some(events) = events {
                session.end_stream(&events, whole(answer));
            }
        }));
    }
}

impl Drop for SessionCall {
    /// The client went before anything was said, so it has nothing to come back with: nobody will
    /// read the stream.
    fn drop(&mut self) {
        if let (Some(_), Some(events)) = (&self.answering, &self.events) {
            events.abandon();
        }
        self.leave();
    }
}

fn session_stream(
    session: &Arc<ClientSession>,
    head: &Parts,
    events: Arc<SessionStream>,
    after: Option<u64>,
) -> Response<ReplyBody> {
    let primed = session
        .conversation
        .revision()
        .is_some_and(Revision::streams_begin_with_id);
    let (reader, after) = events.begin_reading(after);
    let reading = StreamReading {
        stream: events,
        reader,
        until: None,
    };
    stream(SessionBody::new(reading, primed, after).until(ServerEnding::of(head), session))
}
