//! Who may reach the HTTP door: the rules for addresses beyond this machine, the names it answers to, the shared bearer.
//! Source: the design, section 7.

use std::net::IpAddr;
use std::sync::Arc;

use ::http::request::Parts;
use footbridge_mcp::auth::{Challenge, bearer_token, same_secret};
use footbridge_mcp::http::{AllowedHosts, Authenticate, Refusal};
use secrecy::SecretString;
use url::Url;

use crate::caller::Caller;
use crate::exit::Trouble;

/// What decides whether an address may be listened on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exposed {
    pub(super) host: IpAddr,
    pub(super) writes_are_open: bool,
    pub(super) has_token: bool,
    pub(super) no_auth: bool,
}

impl Exposed {
    /// Refuses an address beyond this machine on which anybody could write, and gives a warning where anybody could read.
    pub(super) fn check(self) -> Result<Option<String>, Trouble> {
        let Self { host, writes_are_open, has_token, no_auth } = self;
        if host.is_loopback() || has_token {
            return Ok(None);
        }
        if writes_are_open && !no_auth {
            return Err(Trouble::usage(format!(
                "{host} is reachable from other machines and writes are open: set FOOTBRIDGE_TOKEN to a secret that clients send as a bearer, \
                 or close writes with --allow read, or say --no-auth if everybody who reaches it may write"
            )));
        }
        Ok(Some(format!(
            "footbridge: warning: {host} is reachable from other machines and asks nobody who they are; put a reverse proxy with TLS and \
             authentication before it, or set FOOTBRIDGE_TOKEN"
        )))
    }
}

/// The address under which clients reach the program, without anything that a client's configuration must not show.
pub(super) fn public_url(text: &str) -> Result<Url, Trouble> {
    let example = "such as https://board.example.org";
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty()))
        .ok_or_else(|| Trouble::usage(format!("the public URL must be an address {example}, is {text:?}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Trouble::usage(format!("the public URL must not hold a user name or password: write it {example}")));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Trouble::usage(format!("the public URL must have neither ? nor #, is {text:?}")));
    }
    Ok(url)
}

/// A host name or an address, as the `Host` header has it before its port.
fn checked_host(host: &str) -> Result<&str, Trouble> {
    let is_name =
        |host: &str| !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let is_address = |host: &str| host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if is_name(host) || is_address(host) {
        return Ok(host);
    }
    Err(Trouble::usage(format!("an allowed host must be a name without scheme and port, such as board.example.org, is {host:?}")))
}

/// The hosts that requests may name: this machine's, the address listened on, the public one, and those that the operator adds.
pub(super) fn allowed_hosts(host: IpAddr, public_url: Option<&Url>, further: &[String]) -> Result<AllowedHosts, Trouble> {
    let mut hosts = AllowedHosts::loopback().advice("the operator adds a host with --allowed-host");
    if !host.is_unspecified() {
        hosts = hosts.and(&host.to_string());
    }
    if let Some(public) = public_url.and_then(Url::host_str) {
        hosts = hosts.and(public);
    }
    further.iter().try_fold(hosts, |hosts, host| Ok(hosts.and(checked_host(host.trim())?)))
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
        bearer_token(head).is_some_and(|given| same_secret(&given, token))
    }
}

impl Authenticate<Caller> for SharedBearer {
    async fn authenticate(&self, head: &Parts) -> Result<Arc<Caller>, Refusal> {
        if self.admits(head) {
            return Ok(Arc::new(Caller::HttpClient));
        }
        Err(Refusal::unauthorized(
            Challenge::bearer().realm("footbridge"),
            "this server wants its shared token: send the header Authorization: Bearer TOKEN with the value of FOOTBRIDGE_TOKEN",
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use ::http::Request;
    use secrecy::SecretString;

    use super::{Exposed, SharedBearer, checked_host, public_url};

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
    fn a_public_url_is_an_address_that_a_client_can_be_given() {
        for good in ["https://board.example.org", "http://board.example.org:8080/mcp-servers/", "https://[2001:db8::1]"] {
            assert!(public_url(good).is_ok(), "{good}");
        }
        for bad in ["board.example.org", "ftp://board.example.org", "https://", "https://x/?a", "https://x/#a", ""] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
        let error = public_url("https://user:planted@board.example.org").unwrap_err().to_string();
        assert!(!error.contains("planted"), "{error}");
    }

    #[test]
    fn an_allowed_host_is_a_name_or_an_address() {
        for good in ["board.example.org", "BOARD", "192.0.2.1", "2001:db8::1", "[2001:db8::1]"] {
            assert!(checked_host(good).is_ok(), "{good}");
        }
        for bad in ["", "https://board.example.org", "board.example.org:8000", "*.example.org", "a b", "a/b"] {
            assert!(checked_host(bad).is_err(), "{bad}");
        }
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
