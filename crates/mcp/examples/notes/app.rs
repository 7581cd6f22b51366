//! The router: one endpoint of notes, at one door for bearers and at another for the application's
//! own pages.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use footbridge_mcp::auth::{Bearer, Granted, SameOrigin, cookie};
use footbridge_mcp::http::{AllowedHosts, Authenticate, McpService, Refusal};
use http::request::Parts;
use secrecy::{ExposeSecret as _, SecretString};

use crate::page::{self, SignIn};
use crate::store::{Store, User};
use crate::tools;

/// Who is asking, with what is needed to serve them.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) store: Store,
}

/// The whole application; `origin` is where people and programs reach it.
pub(crate) fn router(store: &Store, origin: &str) -> Result<Router, Box<dyn std::error::Error>> {
    let endpoint = tools::endpoint()?;
    let tokens = store.clone();
    let bearer = Bearer::new(move |token: SecretString| {
        let store = tokens.clone();
        async move {
            let user = store.user_of_token(token.expose_secret()).await?;
            Ok(user.map(|user| Granted::to(Caller { user, store }).scopes(["notes"])))
        }
    })
    .requires_scope("notes");
    let rule = Arc::new(SameOrigin::new([origin]));
    let pages = CookieSession {
        store: store.clone(),
        rule: Arc::clone(&rule),
    };
    let hosts = AllowedHosts::loopback();
    Ok(Router::new()
        .route("/", get(page::show))
        .route(
            "/sign-in",
            post(page::sign_in).with_state(SignIn {
                store: store.clone(),
                rule,
            }),
        )
        .route_service(
            "/mcp",
            McpService::new(endpoint.clone(), bearer, hosts.clone()),
        )
        .route_service("/app/mcp", McpService::new(endpoint, pages, hosts)))
}

/// Lets in whoever is signed in to the application.
struct CookieSession {
    store: Store,
    rule: Arc<SameOrigin>,
}

impl Authenticate<Caller> for CookieSession {
    async fn authenticate(&self, head: &Parts) -> Result<Arc<Caller>, Refusal> {
        self.rule.check(head)?;
        let sign_in = || Refusal::forbidden("nobody is signed in; sign in to Notes first");
        let session = cookie(head, "session").ok_or_else(sign_in)?;
        let user = self.store.user_of_session(session.expose_secret()).await;
        let user = user.map_err(|_| {
            Refusal::unavailable("Notes cannot read its database now; try again later")
        })?;
        Ok(Arc::new(Caller {
            user: user.ok_or_else(sign_in)?,
            store: self.store.clone(),
        }))
    }
}
