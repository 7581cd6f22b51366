//! Who may reach the HTTP door: the rules for addresses beyond this machine, the names it answers to, the shared bearer.
//! Source: the design, section 7.

use std::net::IpAddr;
use std::sync::Arc;

use ::http::header::{AUTHORIZATION, HeaderValue};
use ::http::request::Parts;
use footbridge_mcp::http::{AllowedHosts, Authenticate, Refusal};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::caller::Caller;
use crate::exit::Trouble;
use crate::terminal;

/// What decides whether an address may be listened on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exposed {
    pub(super) host: IpAddr,
    pub(super) writes_are_open: bool,
    pub(super) has_token: bool,
    pub(super) no_auth: bool,
}

impl Exposed {
    /// Refuses an address beyond this machine on which anybody could write, and warns where anybody could read.
    pub(super) fn check(self) -> Result<(), Trouble> {
        let Self { host, writes_are_open, has_token, no_auth } = self;
        if host.is_loopback() || has_token {
            return Ok(());
        }
        if writes_are_open && !no_auth {
            return Err(Trouble::usage(format!(
                "{host} is reachable from other machines and writes are open: set FOOTBRIDGE_TOKEN to a secret that clients send as a bearer, \
                 or close writes with --allow read, or say --no-auth if everybody who reaches it may write"
            )));
        }
        terminal::say(format_args!(
            "footbridge: warning: {host} is reachable from other machines and asks nobody who they are; put a reverse proxy with TLS and \
             authentication before it, or set FOOTBRIDGE_TOKEN"
        ));
        Ok(())
    }
}

/// The hosts that requests may name: this machine's, the address listened on, the public one, and those that the operator adds.
pub(super) fn allowed_hosts(host: IpAddr, public_url: Option<&Url>, further: &[String]) -> AllowedHosts {
    let mut hosts = AllowedHosts::loopback();
    if !host.is_unspecified() {
        hosts = hosts.and(&host.to_string());
    }
    if let Some(public) = public_url.and_then(Url::host_str) {
        hosts = hosts.and(public);
    }
    further.iter().fold(hosts, |hosts, host| hosts.and(host))
}

/// Lets in whoever sends the shared bearer; without one, everybody.
#[derive(Debug)]
pub(super) struct SharedBearer {
    token: Option<SecretString>,
}

impl SharedBearer {
    pub(super) fn new(token: Option<SecretString>) -> Self {
        Self { token }
    }

    fn admits(&self, head: &Parts) -> bool {
        let Some(token) = &self.token else { return true };
        let given = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let (scheme, given) = given.split_at_checked("Bearer ".len()).unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(given.ct_eq(token.expose_secret().as_bytes()))
    }
}

impl Authenticate<Caller> for SharedBearer {
    async fn authenticate(&self, head: &Parts) -> Result<Arc<Caller>, Refusal> {
        if self.admits(head) {
            return Ok(Arc::new(Caller::HttpClient));
        }
        Err(Refusal {
            challenge: HeaderValue::from_static(r#"Bearer realm="footbridge""#),
            message: "this server wants its shared token: send the header Authorization: Bearer TOKEN with the value of FOOTBRIDGE_TOKEN"
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use ::http::Request;
    use secrecy::SecretString;

    use super::{Exposed, SharedBearer};

    #[test]
    fn an_address_beyond_this_machine_needs_a_token_or_a_word_before_anybody_may_write() {
        let check = |host: &str, writes_are_open, has_token, no_auth| {
            Exposed { host: host.parse::<IpAddr>().unwrap(), writes_are_open, has_token, no_auth }.check().is_ok()
        };
        assert!(check("127.0.0.1", true, false, false) && check("::1", true, false, false));
        assert!(!check("0.0.0.0", true, false, false) && !check("192.0.2.1", true, false, false));
        assert!(check("0.0.0.0", false, false, false));
        assert!(check("0.0.0.0", true, true, false));
        assert!(check("0.0.0.0", true, false, true));
    }

    #[test]
    fn only_the_exact_bearer_is_let_in() {
        let bearer = SharedBearer::new(Some(SecretString::from("s3cret")));
        let admits = |value: Option<&str>| {
            let request = value.iter().fold(Request::builder(), |request, value| request.header("authorization", *value));
            bearer.admits(&request.body(()).unwrap().into_parts().0)
        };
        assert!(admits(Some("Bearer s3cret")) && admits(Some("bearer s3cret")));
        for refused in
            [None, Some(""), Some("Bearer "), Some("Bearer s3cre"), Some("Bearer s3crets"), Some("Basic s3cret"), Some("s3cret")]
        {
            assert!(!admits(refused), "{refused:?}");
        }
        assert!(!format!("{bearer:?}").contains("s3cret"));
    }
}
