//! The rules for how far the HTTP door may be opened: which names and pages it answers to, and that
//! nobody beyond this machine writes unless the operator said how.

use std::net::IpAddr;

use footbridge_mcp::http::{AllowedHosts, AllowedOrigins, ProxyNetwork, TrustedProxies};
use url::Url;

use super::decided::Decided;
use crate::exit::Trouble;

/// The facts that decide whether the door may be opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exposed<'a> {
    /// Under which name other machines reach it, as far as the settings say.
    pub(crate) beyond: Option<&'a str>,
    pub(crate) writes_are_open: bool,
    pub(crate) has_token: bool,
    pub(crate) no_auth: bool,
}

impl Exposed<'_> {
    /// Refuses a door beyond this machine at which anybody could write, and gives a warning where
    /// anybody could read.
    pub(crate) fn check(self) -> Result<Option<String>, Trouble> {
        let Self {
            beyond,
            writes_are_open,
            has_token,
            no_auth,
        } = self;
        let Some(name) = beyond.filter(|_| !has_token) else {
            return Ok(None);
        };
        if writes_are_open && !no_auth {
            return Err(Trouble::usage(format!(
                "{name} is reachable from other machines and writes are open: set FOOTBRIDGE_TOKEN to a secret that clients send as a bearer, \
                 or close writes with --allow read, or say --no-auth if everybody who reaches it may write"
            )));
        }
        Ok(Some(format!(
            "footbridge: warning: {name} is reachable from other machines and asks nobody who they are; put a reverse proxy with TLS and \
             authentication before it, or set FOOTBRIDGE_TOKEN"
        )))
    }
}

/// The first name of the settings under which other machines reach the door; none when it is for
/// this machine alone.
pub(super) fn beyond(host: IpAddr, public_url: Option<&Url>, further: &[String]) -> Option<String> {
    let listens = (!host.to_canonical().is_loopback()).then(|| host.to_string());
    let public = public_url
        .and_then(Url::host_str)
        .filter(|name| !is_this_machine(name));
    let further = further
        .iter()
        .map(|name| name.trim())
        .find(|name| !is_this_machine(name));
    listens
        .or_else(|| public.map(|name| format!("{name} (of --public-url)")))
        .or_else(|| further.map(|name| format!("{name} (of --allowed-host)")))
}

/// Whether a name is one that no other machine reaches this one by.
fn is_this_machine(name: &str) -> bool {
    if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// The address under which clients reach the program, without anything that a client's
/// configuration must not show.
pub(super) fn public_url(text: &str) -> Result<Url, Trouble> {
    let example = "such as https://board.example.org";
    let url = Url::parse(text)
        .ok()
        .filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some_and(|host| !host.is_empty())
        })
        .ok_or_else(|| {
            Trouble::usage(format!(
                "the public URL must be an address {example}, is {text:?}"
            ))
        })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Trouble::usage(format!(
            "the public URL must not hold a user name or password: write it {example}"
        )));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Trouble::usage(format!(
            "the public URL must have neither ? nor #, is {text:?}"
        )));
    }
    Ok(url)
}

/// A host name or an address, as the `Host` header has it before its port.
fn checked_host(host: &str) -> Result<&str, Trouble> {
    let is_name = |host: &str| {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    let is_address = |host: &str| host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if is_name(host) || is_address(host) {
        return Ok(host);
    }
    Err(Trouble::usage(format!(
        "an allowed host must be a name without scheme and port, such as board.example.org, is {host:?}"
    )))
}

/// Hosts that are each a name or an address.
pub(super) fn checked_hosts(hosts: Vec<String>) -> Result<Vec<String>, Trouble> {
    hosts
        .iter()
        .map(|host| checked_host(host.trim()).map(str::to_owned))
        .collect()
}

/// The hosts that requests may name: this machine's, the address listened on, the public one, and
/// those that the operator adds.
pub(super) fn allowed_hosts(
    host: IpAddr,
    public_url: Option<&Url>,
    further: &[String],
) -> AllowedHosts {
    let mut hosts = AllowedHosts::loopback().advice("the operator adds a host with --allowed-host");
    if !host.is_unspecified() {
        hosts = hosts.and(&host.to_string());
    }
    if let Some(public) = public_url.and_then(Url::host_str) {
        hosts = hosts.and(public);
    }
    further.iter().fold(hosts, |hosts, host| hosts.and(host))
}

/// The same hosts, with the pages that may ask in a browser: those of the public address, and
/// those that the operator names.
pub(super) fn with_pages(
    hosts: AllowedHosts,
    public_url: Option<&Url>,
    pages: Option<Decided<Vec<String>>>,
) -> Result<AllowedHosts, Trouble> {
    let mut origins =
        AllowedOrigins::own().advice("the operator lets its pages in with --allowed-origin");
    if let Some(url) = public_url {
        origins = origins
            .and(&url.origin().ascii_serialization())
            .map_err(|error| Trouble::usage(format!("--public-url: {error}")))?;
    }
    if let Some(pages) = pages {
        origins = pages.checked(|pages| {
            pages.iter().try_fold(origins, |origins, page| {
                origins.and(page.trim()).map_err(Trouble::usage)
            })
        })?;
    }
    Ok(hosts.origins(origins))
}

/// The proxies whose word about the addresses behind them is taken.
pub(super) fn trusted_proxies(named: &[String]) -> Result<TrustedProxies, Trouble> {
    let network = |name: &String| {
        name.parse::<ProxyNetwork>().map_err(|error| {
            Trouble::usage(format!(
                "a trusted proxy must be an address or a network: {error}"
            ))
        })
    };
    named.iter().map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::{Exposed, allowed_hosts, beyond, checked_host, public_url, with_pages};
    use crate::settings::decided::{Decided, SettingOrigin};

    fn reached(host: &str, public_url: Option<&str>, further: &[&str]) -> Option<String> {
        let further: Vec<_> = further.iter().map(|host| (*host).to_owned()).collect();
        beyond(
            host.parse().unwrap(),
            public_url.map(|url| url.parse().unwrap()).as_ref(),
            &further,
        )
    }

    #[test]
    fn a_door_beyond_this_machine_needs_a_token_or_a_word_before_anybody_may_write() {
        let check = |beyond, writes_are_open, has_token, no_auth| {
            Exposed {
                beyond,
                writes_are_open,
                has_token,
                no_auth,
            }
            .check()
            .map(|warning| warning.is_some())
            .ok()
        };
        assert_eq!(check(None, true, false, false), Some(false));
        assert_eq!(check(Some("0.0.0.0"), true, false, false), None);
        assert_eq!(check(Some("0.0.0.0"), false, false, false), Some(true));
        assert_eq!(check(Some("0.0.0.0"), true, true, false), Some(false));
        assert_eq!(check(Some("0.0.0.0"), true, false, true), Some(true));
    }

    #[test]
    fn what_no_other_machine_can_name_is_not_beyond_this_one() {
        for host in ["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(
                reached(
                    host,
                    Some("http://localhost:9000/team"),
                    &["LOCALHOST", "board.localhost", "[::1]", "::1", "127.0.0.9"]
                ),
                None
            );
        }
        assert_eq!(
            reached("0.0.0.0", Some("https://x.example"), &[]).unwrap(),
            "0.0.0.0"
        );
        assert_eq!(reached("::", None, &[]).unwrap(), "::");
        assert_eq!(
            reached("::1", Some("https://board.example.org/team"), &[]).unwrap(),
            "board.example.org (of --public-url)"
        );
        for name in [
            "board.example.org",
            "192.0.2.1",
            "2001:db8::1",
            "[2001:db8::1]",
            "localhost.evil.example",
        ] {
            assert_eq!(
                reached("127.0.0.1", None, &["localhost", name]).unwrap(),
                format!("{name} (of --allowed-host)")
            );
        }
    }

    #[test]
    fn the_pages_of_the_public_address_and_those_that_are_named_may_ask() {
        let url = "https://Tools.example.org:443/team".parse().unwrap();
        let allowed = |page: &str| {
            let pages = ["http://localhost:6274".to_owned()];
            let pages = Decided {
                value: pages.to_vec(),
                origin: SettingOrigin::Flag("allowed-origin"),
            };
            let hosts = allowed_hosts([127, 0, 0, 1].into(), Some(&url), &[]);
            let hosts = with_pages(hosts, Some(&url), Some(pages)).unwrap();
            let request = ::http::Request::post("/mcp")
                .header("host", "tools.example.org")
                .header("origin", page);
            hosts
                .check(&request.body(()).unwrap().into_parts().0)
                .is_ok()
        };
        assert!(
            allowed("https://tools.example.org")
                && allowed("http://localhost:6274")
                && allowed("http://tools.example.org")
        );
        assert!(
            !allowed("http://localhost:6275")
                && !allowed("https://tools.example.org:8443")
                && !allowed("null")
        );
    }

    #[test]
    fn a_public_url_is_an_address_that_a_client_can_be_given() {
        for good in [
            "https://board.example.org",
            "http://board.example.org:8080/mcp-servers/",
            "https://[2001:db8::1]",
        ] {
            assert!(public_url(good).is_ok(), "{good}");
        }
        for bad in [
            "board.example.org",
            "ftp://board.example.org",
            "https://",
            "https://x/?a",
            "https://x/#a",
            "",
        ] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
        let error = public_url("https://user:planted@board.example.org")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("planted"), "{error}");
    }

    #[test]
    fn an_allowed_host_is_a_name_or_an_address() {
        for good in [
            "board.example.org",
            "BOARD",
            "192.0.2.1",
            "2001:db8::1",
            "[2001:db8::1]",
        ] {
            assert!(checked_host(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://board.example.org",
            "board.example.org:8000",
            "*.example.org",
            "a b",
            "a/b",
        ] {
            assert!(checked_host(bad).is_err(), "{bad}");
        }
    }
}
