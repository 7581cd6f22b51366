//! MCP for who comes by a cookie: accounts of the board reach an endpoint of their own, over the
//! board alone; a stream ends with the session by which it came.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use ::http::request::Parts;
use ::http::{HeaderValue, Request, Response, header};
use axum::body::Body;
use axum::response::IntoResponse as _;
use footbridge_mcp::auth::Challenge;
use footbridge_mcp::http::{AllowedHosts, Authenticate, McpService, MemoryBudget, Refusal};
use futures_util::StreamExt as _;
use tokio::task::AbortHandle;
use tower_service::Service;

use super::super::doors::nothing_here;
use super::super::shared_bearer::SharedBearer;
use super::super::tightened::tightening;
use super::{BrowserRule, BrowserSession};
use crate::caller::Caller;
use crate::endpoint::{self, AccountParts};

/// The endpoint of accounts, made when the first one asks.
pub(in crate::serve) struct AccountsMcp {
    parts: AccountParts,
    browser: Arc<BrowserRule>,
    hosts: AllowedHosts,
    memory: MemoryBudget,
    made: OnceLock<Option<MadeService>>,
}

/// The endpoint that was made, and what tells whoever listens at it of changes.
struct MadeService {
    service: McpService<Caller, AccountEntrance>,
    telling: AbortHandle,
}

/// Lets in who comes by the cookie of an account.
pub(super) struct AccountEntrance(Arc<BrowserRule>);

impl Authenticate<Caller> for AccountEntrance {
    async fn authenticate(&self, head: &Parts) -> Result<Arc<Caller>, Refusal> {
        let session = self.0.session(head).map_err(Refusal::forbidden)?;
        let account_id = session.and_then(|session| self.0.account(&session));
        let known = match (account_id, &self.0.accounts) {
            (Some(account_id), Some(store)) => {
                let account = store.account(account_id).await.map_err(|error| {
                    tracing::warn!(%error, "an account could not be looked up");
                    Refusal::unavailable(error.to_string())
                })?;
                account.map(|account| account.id)
            }
            _ => None,
        };
        let tightening = tightening(&head.headers);
        let caller = known.map(|account_id| Arc::new(Caller::Account(account_id, tightening)));
        caller.ok_or_else(|| {
            Refusal::unauthorized(
                Challenge::bearer().realm("footbridge"),
                "this account is not there any more: sign in with another",
            )
        })
    }
}

impl AccountsMcp {
    pub(in crate::serve) fn new(
        parts: AccountParts,
        browser: Arc<BrowserRule>,
        hosts: AllowedHosts,
        memory: &MemoryBudget,
    ) -> Self {
        Self {
            parts,
            browser,
            hosts,
            memory: memory.clone(),
            made: OnceLock::new(),
        }
    }

    fn service(&self) -> Option<&McpService<Caller, AccountEntrance>> {
        let make = || {
            let endpoint = endpoint::of_accounts(&self.parts);
            let endpoint = endpoint.inspect_err(|trouble| {
                tracing::error!(%trouble, "the endpoint of accounts cannot be made");
            });
            let entrance = AccountEntrance(Arc::clone(&self.browser));
            let endpoint = endpoint.ok()?;
            let tell = endpoint::latest_change::tell(endpoint.clone(), self.parts.changes.clone());
            let service = McpService::new(endpoint, entrance, self.hosts.clone());
            Some(MadeService {
                service: service.memory_budget(&self.memory),
                telling: tokio::spawn(tell).abort_handle(),
            })
        };
        let made_service = self.made.get_or_init(make).as_ref();
        made_service.map(|made_service| &made_service.service)
    }

    /// Ends what would go on for ever.
    pub(in crate::serve) fn end_streams(&self) {
        if let Some(Some(made)) = self.made.get() {
            made.telling.abort();
            made.service.end_streams();
        }
    }
}

/// The MCP endpoint at its path, for whoever comes by a cookie too.
#[derive(Clone)]
pub(in crate::serve) struct McpOfBrowser {
    pub(in crate::serve) shared: McpService<Caller, SharedBearer>,
    pub(in crate::serve) accounts: Option<Arc<AccountsMcp>>,
    pub(in crate::serve) browser: Arc<BrowserRule>,
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl Service<Request<Body>> for McpOfBrowser {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answering {
        if !request.headers().contains_key(header::COOKIE) {
            let answering = self.shared.call(request);
            return Box::pin(async move { answering.await.map(|answer| answer.map(Body::new)) });
        }
        let mut door = self.clone();
        Box::pin(async move { Ok(door.answer(request).await) })
    }
}

impl McpOfBrowser {
    async fn answer(&mut self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        // why it is refused is said by the service that it goes to, after all else that it checks
        let session = self.browser.session(&head).ok().flatten();
        let is_of_account = session
            .as_ref()
            .is_some_and(|session| self.browser.account(session).is_some());
        let request = Request::from_parts(head, body);
        let answered = match (is_of_account, &self.accounts) {
            (false, _) => self
                .shared
                .call(request)
                .await
                .map(|one| one.map(Body::new)),
            (true, Some(accounts)) => match accounts.service() {
                Some(service) => {
                    let answering = service.clone().call(request);
                    answering.await.map(|one| one.map(Body::new))
                }
                None => Ok(nothing_here().await.into_response()),
            },
            (true, None) => Ok(nothing_here().await.into_response()),
        };
        let answer = answered.unwrap_or_else(|never| match never {});
        match session {
            Some(session) => until_sign_out(answer, session),
            None => answer,
        }
    }
}

/// The same answer; one that goes on ends with the session.
fn until_sign_out(answer: Response<Body>, session: Arc<BrowserSession>) -> Response<Body> {
    let media_type = answer.headers().get(header::CONTENT_TYPE);
    let is_stream = media_type.is_some_and(|media_type: &HeaderValue| {
        media_type.as_bytes().starts_with(b"text/event-stream")
    });
    if !is_stream {
        return answer;
    }
    answer.map(|body| {
        let ended = Box::pin(async move { session.ended().await });
        Body::from_stream(body.into_data_stream().take_until(ended))
    })
}
