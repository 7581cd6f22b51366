//! An endpoint over HTTP: its settings, and who may enter. Works under hyper directly or as a route
//! of axum.

use std::future::Future;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use tokio::sync::Semaphore;

use super::answers::refused;
use super::cross_origin::preflight;
use super::front::{AdmittedRequest, Front, tower_service};
use super::memory_budget::MemoryBudget;
use super::request_body::BodyRoom;
use super::sessions::{SessionLimits, Sessions};
use super::sse::SseService;
use super::streamable::{SESSION_ID, only_post};
use super::{AllowedHosts, AllowedOrigins, Refusal, ReplyBody};
use crate::endpoint::Endpoint;
use crate::limits;

/// Finds out who is asking, from the head of a request: a token, a cookie, or what a layer of your
/// router has put into its extensions.
///
/// ```
/// use footbridge_mcp::http::{AllowedHosts, Authenticate, McpService, Refusal, request::Parts};
/// use std::sync::Arc;
///
/// /// What the application's own layer leaves with a request.
/// #[derive(Clone)]
/// struct User(String);
///
/// struct OfLayer;
///
/// impl Authenticate<User> for OfLayer {
///     async fn authenticate(&self, head: &Parts) -> Result<Arc<User>, Refusal> {
///         let user = head.extensions.get::<User>().cloned();
///         user.map(Arc::new).ok_or_else(|| Refusal::forbidden("sign in first"))
///     }
/// }
///
/// # fn serve(endpoint: footbridge_mcp::Endpoint<User>) {
/// let service = McpService::new(endpoint, OfLayer, AllowedHosts::loopback());
/// # let _ = service;
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not find out who is asking as `{C}`",
    note = "implement `footbridge_mcp::http::Authenticate<{C}>` for it, or take \
            `footbridge_mcp::auth::Bearer`, whose check grants `{C}`"
)]
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

/// An endpoint over HTTP. Clones serve the same endpoint to the same sessions.
pub struct McpService<C, A> {
    pub(super) shared: Arc<ServiceShared<C, A>>,
    path: Option<Arc<str>>,
    pub(super) sessions: Option<Arc<Sessions>>,
}

/// The parts that both transports over HTTP share.
pub(super) struct ServiceShared<C, A> {
    pub(super) endpoint: Endpoint<C>,
    authenticate: A,
    pub(super) hosts: AllowedHosts,
    pub(super) room: BodyRoom,
}

impl<C: Send + Sync + 'static, A: Authenticate<C>> McpService<C, A> {
    /// Serves an endpoint to the callers that `authenticate` lets in.
    pub fn new(endpoint: Endpoint<C>, authenticate: A, hosts: AllowedHosts) -> Self {
        let room = BodyRoom {
            turns: Arc::new(Semaphore::new(limits::HTTP_LARGE_BODIES)),
            memory: MemoryBudget::default(),
            most: endpoint.message_bytes(),
        };
        let sessions = Some(Arc::new(Sessions::new(SessionLimits::default())));
        Self {
            shared: Arc::new(ServiceShared {
                endpoint,
                authenticate,
                hosts,
                room,
            }),
            path: None,
            sessions,
        }
    }

    /// Answers at this path only, with and without a slash at its end, and 404 elsewhere. Without
    /// it, every path is the endpoint's: a router decides.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        Self {
            path: Some(Arc::from(path.trim_end_matches('/'))),
            ..self
        }
    }

    /// How many sessions clients of the legacy era may have, or none at all: they are then served
    /// without what needs one, such as questions to the user. Clones made before keep the sessions
    /// that they have.
    #[must_use]
    pub fn sessions(self, limits: Option<SessionLimits>) -> Self {
        Self {
            sessions: limits.map(|limits| Arc::new(Sessions::new(limits))),
            ..self
        }
    }

    /// The memory that requests may take together, shared with whatever else is given the same
    /// budget. Call it before the service is cloned and before [`McpService::sse`]; afterwards it
    /// has no effect.
    #[must_use]
    pub fn memory_budget(mut self, budget: &MemoryBudget) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.room.memory = budget.clone();
        }
        self
    }

    /// The same endpoint for clients of 2024-11-05, over HTTP+SSE: GET opens a channel, and POST to
    /// `messages` (a path, as clients reach it) sends on it. Route both there.
    #[must_use]
    pub fn sse(&self, messages: &str) -> SseService<C, A> {
        SseService::new(Arc::clone(&self.shared), messages)
    }

    /// Ends every stream that would go on for ever, so that a server which stops need not wait for
    /// them. Calls under way go on. [`super::serve`] does it for the streams that it serves.
    pub fn end_streams(&self) {
        self.shared.endpoint.hub().end();
        if let Some(sessions) = &self.sessions {
            sessions.end_all();
        }
    }
}

impl<C: Send + Sync + 'static, A: Authenticate<C>> McpService<C, A> {
    /// Waits for a signal, then ends the streams: for servers other than [`super::serve`], which
    /// would wait for them.
    ///
    /// ```no_run
    /// use footbridge_mcp::http::{AllowedHosts, McpService};
    ///
    /// # async fn run(endpoint: footbridge_mcp::Endpoint<()>) -> std::io::Result<()> {
    /// let mcp = McpService::public(endpoint, || (), AllowedHosts::loopback());
    /// let end = mcp.end_streams_after(async { tokio::signal::ctrl_c().await.unwrap_or_default() });
    /// let app = axum::Router::new().route_service("/mcp", mcp);
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    /// axum::serve(listener, app).with_graceful_shutdown(end).await
    /// # }
    /// ```
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
}

impl<C: Send + Sync + 'static, F: Fn() -> C + Send + Sync + 'static> McpService<C, Public<F>> {
    /// Serves an endpoint to everybody; `caller` makes the caller of each request.
    pub fn public(endpoint: Endpoint<C>, caller: F, hosts: AllowedHosts) -> Self {
        Self::new(endpoint, Public(caller), hosts)
    }
}

impl<C, A> Clone for McpService<C, A> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            path: self.path.clone(),
            sessions: self.sessions.clone(),
        }
    }
}

impl<C, A> std::fmt::Debug for McpService<C, A> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("McpService")
            .field("endpoint", &self.shared.endpoint)
            .finish_non_exhaustive()
    }
}

impl<C: Send + Sync + 'static, A: Authenticate<C>> Front<C> for McpService<C, A> {
    async fn admit(&self, head: &Parts) -> Result<Arc<C>, Response<ReplyBody>> {
        if let Some(answer) = self.answer_to_head(head) {
            return Err(answer);
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
        self.take(request).await
    }
}

tower_service!(McpService);

impl<C: Send + Sync + 'static, A: Authenticate<C>> ServiceShared<C, A> {
    pub(super) fn principal(&self, caller: &C) -> Option<String> {
        self.endpoint
            .catalog()
            .identity
            .profile
            .principal_of(caller)
    }

    /// Who is asking, or the answer that refuses.
    pub(super) async fn caller(&self, head: &Parts) -> Result<Arc<C>, Response<ReplyBody>> {
        self.authenticate
            .authenticate(head)
            .await
            .map_err(|refusal| {
                let mut response = refused(head, refusal.status, refusal.message);
                if let Some(challenge) = refusal.challenge {
                    response
                        .headers_mut()
                        .insert(header::WWW_AUTHENTICATE, challenge);
                }
                if let Some(seconds) = refusal.retry_after {
                    response
                        .headers_mut()
                        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                response
            })
    }
}

impl<C: Send + Sync + 'static, A: Authenticate<C>> McpService<C, A> {
    /// The answer to a request whose head is all that counts.
    fn answer_to_head(&self, head: &Parts) -> Option<Response<ReplyBody>> {
        if let Some(path) = &self.path {
            let path_asked_for = head.uri.path();
            if path_asked_for.strip_suffix('/').unwrap_or(path_asked_for) != &**path {
                return Some(refused(
                    head,
                    StatusCode::NOT_FOUND,
                    format!("nothing is served here; the MCP endpoint is {path}"),
                ));
            }
        }
        if let Err(problem) = self.shared.hosts.check(head) {
            return Some(refused(head, StatusCode::FORBIDDEN, problem));
        }
        let methods = if self.sessions.is_some() {
            "POST, GET, DELETE"
        } else {
            "POST"
        };
        if let Some(answer) = preflight(&self.shared.hosts.origins, head, methods) {
            return Some(answer);
        }
        match head.method {
            Method::POST => {}
            Method::GET | Method::DELETE
                if self.sessions.is_some() && head.headers.contains_key(SESSION_ID) =>
            {
                return None;
            }
            _ => return Some(only_post(head)),
        }
        let content_type = head
            .headers
            .get(header::CONTENT_TYPE)
            .map(|value| value.to_str().unwrap_or_default());
        let mut parts = content_type
            .unwrap_or_default()
            .as_bytes()
            .split(|byte| *byte == b';');
        let media_type = parts.next().unwrap_or_default().trim_ascii();
        if !media_type.eq_ignore_ascii_case(b"application/json") {
            let shown =
                crate::protocol_error::excerpt(content_type.unwrap_or("missing")).into_owned();
            let message = format!("the Content-Type must be application/json; it is {shown}");
            return Some(refused(head, StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        None
    }
}
