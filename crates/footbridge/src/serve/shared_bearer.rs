//! The rule of the MCP doors about who may enter: whoever sends the shared bearer; where there is
//! none, everybody, and who comes by way of a proxy reads alone.

use std::sync::Arc;

use ::http::request::Parts;
use footbridge_mcp::auth::{Challenge, bearer_token};
use footbridge_mcp::http::{Authenticate, Refusal, TrustedProxies};

use super::browser::BrowserRule;
use super::forwarded::is_forwarded;
use super::tightened::tightening;
use crate::audit_trail::AuditTrail;
use crate::caller::Caller;
use crate::settings::DoorSecret;

/// The rule who may enter, and whose forwarded addresses count for whose room a caller has.
#[derive(Debug)]
pub(super) struct SharedBearer {
    entrance: Entrance,
    proxies: TrustedProxies,
    /// Where those who may not enter are noted.
    trail: Option<AuditTrail>,
    /// Who a cookie stands for, where pages are served.
    browser: Option<Arc<BrowserRule>>,
}

/// The shared bearer, or that there is none.
#[derive(Debug)]
enum Entrance {
    /// Let in is who sends it.
    Token(DoorSecret),
    /// Everybody is let in, as the operator said.
    Anybody,
    /// Everybody is let in; the operator did not say that other machines may be among them.
    Unsaid,
}

impl SharedBearer {
    pub(super) fn new(token: Option<DoorSecret>, no_auth: bool, proxies: TrustedProxies) -> Self {
        let entrance = match token {
            Some(token) => Entrance::Token(token),
            None if no_auth => Entrance::Anybody,
            None => Entrance::Unsaid,
        };
        Self {
            entrance,
            proxies,
            trail: None,
            browser: None,
        }
    }

    /// The same, with a note of each who may not enter.
    pub(super) fn audited(self, trail: AuditTrail) -> Self {
        Self {
            trail: Some(trail),
            ..self
        }
    }

    /// The same, for whom a cookie stands for too.
    pub(super) fn with_browser(self, browser: Option<Arc<BrowserRule>>) -> Self {
        Self { browser, ..self }
    }

    /// Whether a request comes by the cookie of somebody who showed the bearer.
    ///
    /// # Errors
    /// A sentence, where it did not come from our own page.
    fn passes_by_cookie(&self, head: &Parts) -> Result<bool, String> {
        // the other transport is for clients that are no pages of ours
        let browser = self
            .browser
            .as_ref()
            .filter(|_| head.uri.path().starts_with("/mcp"));
        let Some(browser) = browser else {
            return Ok(false);
        };
        let session = browser.session(head)?;
        Ok(session.is_some_and(|session| browser.passes(&session)))
    }

    /// The caller of a request; none when it may not enter.
    fn caller(&self, head: &Parts, passes_by_cookie: bool) -> Option<Caller> {
        let client = || {
            let address = self.proxies.client(head);
            match tightening(&head.headers) {
                None => Caller::HttpClient(address),
                Some(tightening) => Caller::TightenedClient(address, tightening),
            }
        };
        match &self.entrance {
            Entrance::Token(token) => {
                let shows = bearer_token(head).is_some_and(|sent| token.is(&sent));
                (shows || passes_by_cookie).then(client)
            }
            Entrance::Unsaid if is_forwarded(&head.headers) => Some(Caller::Forwarded),
            Entrance::Anybody | Entrance::Unsaid => Some(client()),
        }
    }
}

impl Authenticate<Caller> for SharedBearer {
    async fn authenticate(&self, head: &Parts) -> Result<Arc<Caller>, Refusal> {
        let passes_by_cookie = self.passes_by_cookie(head).map_err(Refusal::forbidden)?;
        let caller = self.caller(head, passes_by_cookie);
        caller.map(Arc::new).ok_or_else(|| {
            if let Some(trail) = &self.trail {
                let from = self.proxies.client(head).map(|address| address.to_string());
                trail.logged_in("mcp", from, false);
            }
            Refusal::unauthorized(
                Challenge::bearer().realm("footbridge"),
                "this server wants its shared token: send the header Authorization: Bearer TOKEN with the value of FOOTBRIDGE_TOKEN",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use ::http::Request;
    use ::http::request::Parts;
    use footbridge_mcp::http::{Peer, TrustedProxies};

    use super::SharedBearer;
    use crate::caller::Caller::{Forwarded, HttpClient};
    use crate::settings::DoorSecret;

    fn head(headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(Request::builder(), |request, (name, value)| {
                request.header(*name, *value)
            });
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_the_exact_bearer_is_let_in() {
        let bearer = SharedBearer::new(
            Some(DoorSecret::fixed("s3cret")),
            false,
            TrustedProxies::default(),
        );
        let admits = |value: &str| {
            bearer
                .caller(&head(&[("authorization", value)]), false)
                .is_some()
        };
        assert!(admits("Bearer s3cret") && admits("bearer s3cret"));
        for refused in [
            "",
            "Bearer ",
            "Bearer s3cre",
            "Bearer s3crets",
            "Basic s3cret",
            "s3cret",
        ] {
            assert!(!admits(refused), "{refused:?}");
        }
        assert!(bearer.caller(&head(&[]), false).is_none());
        assert!(!format!("{bearer:?}").contains("s3cret"));
    }

    #[test]
    fn who_comes_through_a_proxy_may_write_with_the_bearer_or_the_operators_word() {
        let through = [("x-forwarded-for", "192.0.2.1")];
        assert_eq!(
            SharedBearer::new(None, false, TrustedProxies::default())
                .caller(&head(&through), false),
            Some(Forwarded)
        );
        assert_eq!(
            SharedBearer::new(None, false, TrustedProxies::default()).caller(&head(&[]), false),
            Some(HttpClient(None))
        );
        assert_eq!(
            SharedBearer::new(None, true, TrustedProxies::default()).caller(&head(&through), false),
            Some(HttpClient(None))
        );
        let bearer = SharedBearer::new(
            Some(DoorSecret::fixed("s3cret")),
            false,
            TrustedProxies::default(),
        );
        assert_eq!(
            bearer.caller(
                &head(&[through[0], ("authorization", "Bearer s3cret")]),
                false
            ),
            Some(HttpClient(None))
        );
        assert_eq!(bearer.caller(&head(&through), false), None);
    }

    #[test]
    fn behind_a_named_proxy_each_client_has_a_room_of_its_own() {
        let named: TrustedProxies = ["192.0.2.9".parse().unwrap()].into_iter().collect();
        let through = |client: &str, proxies: &TrustedProxies| {
            let mut head = head(&[("x-forwarded-for", client)]);
            head.extensions.insert(Peer(([192, 0, 2, 9], 4000).into()));
            SharedBearer::new(None, true, proxies.clone())
                .caller(&head, false)
                .unwrap()
        };
        assert_eq!(
            through("198.51.100.7", &named),
            HttpClient(Some([198, 51, 100, 7].into()))
        );
        let nobody = TrustedProxies::default();
        assert_eq!(
            through("198.51.100.7", &nobody),
            through("198.51.100.8", &nobody),
            "any client can write the header"
        );
    }
}
