//! The origins of web pages that may use an endpoint: the server's own, and those that are named.
//! How they are written is checked here too.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, header};

/// The origins whose pages may use an endpoint, each by scheme, host and port: the one under which
/// a request reaches the server, and those that are named. A browser that asks for a page of a
/// named one is told that it may ([`super::AllowedHosts::origins`]).
///
/// ```
/// use footbridge_mcp::http::{AllowedHosts, AllowedOrigins};
///
/// let origins = AllowedOrigins::own().and("https://app.example")?.and("http://localhost:6274")?;
/// let hosts = AllowedHosts::loopback().origins(origins);
/// # let _ = hosts;
/// # Ok::<(), footbridge_mcp::http::BadOrigin>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins {
    named: Vec<HeaderValue>,
    /// Schemes of programs, each with its `://`, whose pages are all let in.
    schemes: Vec<String>,
    advice: Option<String>,
}

/// An origin that no browser would send: the sentence says why, and what it would send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the origin {origin:?} {problem}")]
pub struct BadOrigin {
    origin: String,
    problem: String,
}

impl AllowedOrigins {
    /// The server's own origin alone: a page must have come from where its request goes. That is
    /// `http` and the `Host` of the request; behind TLS, where the server does not see the scheme,
    /// name the address of your pages too.
    #[must_use]
    pub fn own() -> Self {
        Self::default()
    }

    /// Names an origin as browsers send it, such as `https://app.example`, `http://localhost:6274`
    /// or `vscode-webview://id`: exact, with its port unless that is the scheme's. `null` lets
    /// pages in that hide where they come from, which any page can.
    ///
    /// A program whose pages have a scheme of their own, and another name each time, is named by
    /// the scheme alone: `vscode-webview:` lets in every page that an editor shows.
    ///
    /// ```
    /// use footbridge_mcp::http::AllowedOrigins;
    ///
    /// let origins = AllowedOrigins::own().and("vscode-webview:")?.and("null")?;
    /// # let _ = origins;
    /// assert!(AllowedOrigins::own().and("https:").is_err());
    /// # Ok::<(), footbridge_mcp::http::BadOrigin>(())
    /// ```
    ///
    /// # Errors
    /// An origin that no browser would send.
    pub fn and(mut self, origin: &str) -> Result<Self, BadOrigin> {
        let bad = |problem: String| BadOrigin {
            origin: origin.to_owned(),
            problem,
        };
        if let Some(scheme) = origin.strip_suffix(':').filter(|scheme| is_scheme(scheme)) {
            if OF_THE_WEB.contains(&scheme) {
                return Err(bad(
                    "is the scheme of pages of anybody, which are let in by name alone: write each \
                     origin, such as http://localhost:6274"
                        .to_owned(),
                ));
            }
            let scheme = format!("{scheme}://");
            if !self.schemes.contains(&scheme) {
                self.schemes.push(scheme);
            }
            return Ok(self);
        }
        check(origin).map_err(bad)?;
        let value = HeaderValue::from_str(origin).map_err(|_| bad(AS_SENT.to_owned()))?;
        if !self.named.contains(&value) {
            self.named.push(value);
        }
        Ok(self)
    }

    /// What the refusal of an origin adds: how the operator lets it in.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    pub(super) fn advised(&self) -> Option<&str> {
        self.advice.as_deref()
    }

    /// Whether a page of this origin may make this request.
    pub(super) fn allow(&self, head: &Parts, origin: &HeaderValue) -> bool {
        self.is_named(origin) || origin.to_str().is_ok_and(|origin| is_own(head, origin))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty() && self.schemes.is_empty()
    }

    /// The origin of a request, where it is one of those that are named and the only one.
    pub(super) fn named_by<'h>(&self, head: &'h Parts) -> Option<&'h HeaderValue> {
        let mut origins = head.headers.get_all(header::ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return None;
        };
        self.is_named(origin).then_some(origin)
    }

    fn is_named(&self, origin: &HeaderValue) -> bool {
        let is_of = |scheme: &String| {
            let host = origin
                .to_str()
                .ok()
                .and_then(|text| text.strip_prefix(scheme.as_str()));
            host.is_some_and(is_host)
        };
        self.named.contains(origin) || self.schemes.iter().any(is_of)
    }
}

/// Whether a page came from where its request goes.
fn is_own(head: &Parts, origin: &str) -> bool {
    let scheme = head.uri.scheme_str().unwrap_or("http");
    let Some(page) = origin
        .strip_prefix(scheme)
        .and_then(|rest| rest.strip_prefix("://"))
    else {
        return false;
    };
    let target = head.uri.authority().map(Authority::as_str);
    let Some(host) = target.or_else(|| head.headers.get(header::HOST)?.to_str().ok()) else {
        return false;
    };
    let without_default =
        |authority| default_port(scheme).map_or(authority, |port| without_port(authority, port));
    without_default(host).eq_ignore_ascii_case(without_default(page))
}

fn without_port<'a>(authority: &'a str, port: &str) -> &'a str {
    authority
        .strip_suffix(port)
        .and_then(|rest| rest.strip_suffix(':'))
        .unwrap_or(authority)
}

/// The port that browsers leave out.
fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "http" => Some("80"),
        "https" => Some("443"),
        _ => None,
    }
}

const AS_SENT: &str =
    "is none that a browser sends: write scheme, host and port, such as http://localhost:6274";

/// What is wrong with an origin, after its name.
fn check(origin: &str) -> Result<(), String> {
    if origin == "null" {
        return Ok(());
    }
    if origin.contains('*') {
        return Err(
            "is a pattern, and pages are let in by name alone: write each origin, such as http://localhost:6274".to_owned()
        );
    }
    let Some((scheme, authority)) = origin.split_once("://") else {
        return Err(
            "has no scheme: write it as browsers send it, such as http://localhost:6274".to_owned(),
        );
    };
    if let Some((bare, _)) = authority.split_once(['/', '?', '#']) {
        return Err(format!(
            "has a path: write scheme, host and port alone, {:?}",
            format!("{scheme}://{bare}")
        ));
    }
    if authority.contains('@') {
        return Err("has a user name: write scheme, host and port alone".to_owned());
    }
    if !origin.is_ascii() {
        return Err(
            "is not ASCII: write its host as browsers send it, in the form that begins with xn--"
                .to_owned(),
        );
    }
    if origin.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(format!(
            "has capitals, which browsers do not send: write {:?}",
            origin.to_ascii_lowercase()
        ));
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if port.is_some() && port == default_port(scheme) {
        return Err(format!(
            "has the port of its scheme, which browsers leave out: write {:?}",
            format!("{scheme}://{host}")
        ));
    }
    let is_port = |port: &str| {
        !port.starts_with('0')
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    };
    if is_scheme(scheme) && is_host(host) && port.is_none_or(is_port) {
        Ok(())
    } else {
        Err(AS_SENT.to_owned())
    }
}

/// Schemes under which anybody has pages.
const OF_THE_WEB: [&str; 7] = ["http", "https", "ws", "wss", "file", "data", "blob"];

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        })
}

/// A name or an address in the one form that browsers give it.
fn is_host(host: &str) -> bool {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return address
            .parse::<Ipv6Addr>()
            .is_ok_and(|parsed| parsed.to_string() == address);
    }
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let looks_like_address = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    is_name && (!looks_like_address || host.parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::request::Parts;
    use proptest::prelude::proptest;

    use super::AllowedOrigins;

    fn head(target: &str, host: Option<&str>) -> Parts {
        let request = host
            .iter()
            .fold(http::Request::post(target), |request, host| {
                request.header("host", *host)
            });
        request.body(()).unwrap().into_parts().0
    }

    fn allows(origins: &AllowedOrigins, host: &str, origin: &str) -> bool {
        origins.allow(
            &head("/mcp", Some(host)),
            &HeaderValue::from_str(origin).unwrap(),
        )
    }

    #[test]
    fn the_own_origin_is_where_the_request_goes() {
        let own = AllowedOrigins::own();
        for (host, origin) in [
            ("localhost:8000", "http://localhost:8000"),
            ("LOCALHOST:8000", "http://localhost:8000"),
            ("localhost", "http://localhost"),
            ("localhost:80", "http://localhost"),
            ("[::1]:8000", "http://[::1]:8000"),
        ] {
            assert!(allows(&own, host, origin), "{host} {origin}");
        }
        for (host, origin) in [
            ("localhost:8000", "http://localhost:6274"),
            ("localhost:8000", "http://localhost"),
            ("localhost:8000", "https://localhost:8000"),
            ("localhost:8000", "http://127.0.0.1:8000"),
            ("localhost", "http://localhost:443"),
            ("localhost", "null"),
            ("localhost", ""),
            ("localhost", "http://"),
            ("localhost", "http://localhost/"),
            ("localhost", "localhost"),
        ] {
            assert!(!allows(&own, host, origin), "{host} {origin}");
        }
        // A request of HTTP/2 says its scheme, and names its host there.
        let origin = HeaderValue::from_static("https://shop.example");
        assert!(own.allow(&head("https://shop.example/mcp", None), &origin));
        assert!(own.allow(&head("https://shop.example:443/mcp", None), &origin));
        assert!(!own.allow(&head("http://shop.example/mcp", None), &origin));
    }

    #[test]
    fn a_named_origin_is_let_in_as_it_is_written() {
        let names = [
            "https://app.example",
            "http://localhost:6274",
            "vscode-webview://1a-b",
            "http://[::1]:6274",
            "http://10.0.0.1",
        ];
        let origins = names
            .iter()
            .try_fold(AllowedOrigins::own(), |origins, name| origins.and(name))
            .unwrap();
        for name in names {
            assert!(allows(&origins, "localhost:8000", name), "{name}");
        }
        for other in [
            "http://app.example",
            "https://app.example:8443",
            "https://sub.app.example",
            "http://localhost:6275",
            "null",
        ] {
            assert!(!allows(&origins, "localhost:8000", other), "{other}");
        }
        assert!(allows(&origins.and("null").unwrap(), "localhost", "null"));
    }

    #[test]
    fn a_scheme_of_a_program_lets_in_whatever_it_shows() {
        let origins = AllowedOrigins::own().and("vscode-webview:").unwrap();
        assert!(!origins.is_empty());
        for page in ["vscode-webview://1a-b", "vscode-webview://0k9"] {
            assert!(allows(&origins, "localhost:8000", page), "{page}");
        }
        for other in [
            "vscode-webview:",
            "vscode-webview://",
            "vscode-webview://a/b",
            "vscode-webview-2://a",
            "https://vscode-webview",
            "null",
        ] {
            assert!(!allows(&origins, "localhost:8000", other), "{other}");
        }
        for scheme in ["http:", "https:", "file:", "ws:", "data:"] {
            let error = AllowedOrigins::own().and(scheme).unwrap_err().to_string();
            assert!(error.contains("by name alone"), "{error}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused_with_what_it_would_send() {
        for (origin, said) in [
            ("*", "a pattern"),
            ("https://*.example", "a pattern"),
            ("localhost:6274", "has no scheme"),
            ("app.example", "has no scheme"),
            ("", "has no scheme"),
            (
                "http://localhost:6274/",
                r#"has a path: write scheme, host and port alone, "http://localhost:6274""#,
            ),
            ("https://app.example?x", r#""https://app.example""#),
            ("https://me@app.example", "has a user name"),
            (
                "https://App.example",
                r#"has capitals, which browsers do not send: write "https://app.example""#,
            ),
            ("https://app.example:443", r#"write "https://app.example""#),
            ("http://localhost:80", r#"write "http://localhost""#),
            ("https://bücher.example", "xn--"),
            ("https://", "none that a browser sends"),
            ("://app.example", "none that a browser sends"),
            ("https://app.example:", "none that a browser sends"),
            ("https://app.example:0080", "none that a browser sends"),
            ("https://app.example:65536", "none that a browser sends"),
            ("https://a b", "none that a browser sends"),
            ("http://[0:0::1]", "none that a browser sends"),
            ("http://127.1", "none that a browser sends"),
            ("https://app.example\n", "none that a browser sends"),
        ] {
            let error = AllowedOrigins::own().and(origin).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("the origin {origin:?} ")) && error.contains(said),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_named_is_an_origin_and_nothing_else_is_let_in(text in "\\PC{0,40}", other in "\\PC{0,40}") {
            if let Ok(origins) = AllowedOrigins::own().and(&text) {
                let let_in = HeaderValue::from_str(&other).is_ok_and(|other| origins.allow(&head("/mcp", Some("own")), &other));
                let is_of_scheme = text.ends_with(':') && other.starts_with(&format!("{text}//"));
                assert!(let_in == (other == text || other == "http://own") || is_of_scheme);
            }
        }
    }
}
