//! The addresses under which a browser reaches the program, the cookie of each, and the rule that a
//! request with that cookie comes from our own pages.

use ::http::request::Parts;
use ::http::{HeaderName, Request, header};
use footbridge_mcp::http::{AllowedHosts, AllowedOrigins};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::super::forwarded::is_forwarded;

/// A browser says with this where a request comes from; programs do not.
pub(in crate::serve) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What the name of a cookie begins with.
const NAME: &str = "footbridge";
/// Bytes of the digest of a path prefix that tell cookies of one host apart.
const PREFIX_BYTES: usize = 4;

/// The addresses of this server.
#[derive(Debug)]
pub(in crate::serve) struct OwnAddresses {
    port: u16,
    /// The public address, without a slash at its end, and its origin.
    public: Option<PublicAddress>,
    hosts: AllowedHosts,
    /// The origins of our own pages: none that the operator let in beside them.
    origins: AllowedHosts,
    direct_cookie: CookiePlace,
}

/// The address that people have, behind a proxy.
#[derive(Debug)]
struct PublicAddress {
    base: String,
    origin: String,
    host: String,
    cookie: CookiePlace,
}

/// The cookie of an address: its name, and where a browser sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CookiePlace {
    pub(super) name: String,
    path: String,
    is_secure: bool,
}

impl CookiePlace {
    /// The header that sets it, for so many seconds.
    pub(super) fn set(&self, value: &str, seconds: u64) -> String {
        let Self {
            name,
            path,
            is_secure,
        } = self;
        let secure = if *is_secure { "; Secure" } else { "" };
        format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }

    /// The header that takes it away.
    pub(super) fn clear(&self) -> String {
        self.set("", 0)
    }
}

impl OwnAddresses {
    pub(in crate::serve) fn new(port: u16, public: Option<&Url>, hosts: AllowedHosts) -> Self {
        let public = public.and_then(PublicAddress::of);
        let allowed_origins = AllowedOrigins::own()
            .advice("behind a proxy, the operator says the address of its pages with --public-url");
        let named = public
            .as_ref()
            .map(|public| allowed_origins.clone().and(&public.origin));
        let origins = AllowedHosts::loopback().origins(match named {
            Some(Ok(named)) => named,
            _ => allowed_origins,
        });
        Self {
            port,
            public,
            hosts,
            origins,
            direct_cookie: CookiePlace {
                name: format!("{NAME}-{port}"),
                path: "/".to_owned(),
                is_secure: false,
            },
        }
    }

    /// Whether a request comes from our own pages, as the browser says.
    ///
    /// # Errors
    /// A sentence that names the header and its value.
    pub(super) fn check(&self, head: &Parts) -> Result<(), String> {
        let origins = head.headers.get_all(header::ORIGIN).iter().count();
        let sites: Vec<_> = head.headers.get_all(SEC_FETCH_SITE).iter().collect();
        if origins > 1 || (origins == 0 && sites.is_empty()) {
            return Err(
                "who is known by a cookie must ask from our own page: the header Origin is missing, \
                 or there twice"
                    .to_owned(),
            );
        }
        if sites.iter().any(|site| site.as_bytes() != b"same-origin") {
            return Err(
                "who is known by a cookie must ask from our own page: the header Sec-Fetch-Site says \
                 that this is another"
                    .to_owned(),
            );
        }
        self.origins
            .check_origin(head)
            .map_err(|why| format!("who is known by a cookie must ask from our own page: {why}"))
    }

    /// The cookies that may be ours, that of the address that a request came to before the other.
    pub(super) fn cookies(&self, head: &Parts) -> impl Iterator<Item = &CookiePlace> {
        let here = self.cookie(head);
        let public = self.public.as_ref().map(|public| &public.cookie);
        let others = public.into_iter().chain([&self.direct_cookie]);
        let others = others.filter(move |other| other.name != here.name);
        [here].into_iter().chain(others)
    }

    /// The cookie of the address that a request came to.
    pub(super) fn cookie(&self, head: &Parts) -> &CookiePlace {
        match &self.public {
            Some(public) if public.is_asked(head) => &public.cookie,
            _ => &self.direct_cookie,
        }
    }

    /// Whether an address, such as `http://127.0.0.1:8000`, is one of this server.
    pub(super) fn has(&self, base: &str) -> bool {
        if self
            .public
            .as_ref()
            .is_some_and(|public| public.base == base)
        {
            return true;
        }
        let Ok(url) = Url::parse(base) else {
            return false;
        };
        if url.scheme() != "http" || url.path() != "/" {
            return false;
        }
        let request = Request::get(url.as_str()).body(());
        url.port_or_known_default() == Some(self.port)
            && request.is_ok_and(|request| self.hosts.check_host(&request.into_parts().0).is_ok())
    }
}

impl PublicAddress {
    fn of(url: &Url) -> Option<Self> {
        let port = url.port_or_known_default()?;
        let prefix = url.path().trim_end_matches('/');
        let name = match prefix {
            "" => format!("{NAME}-{port}"),
            // two of one host differ in their path alone, and a browser sends both cookies to one
            _ => {
                let digest = Sha256::digest(prefix.as_bytes());
                let digest = digest.iter().take(PREFIX_BYTES);
                let digest: String = digest.map(|byte| format!("{byte:02x}")).collect();
                format!("{NAME}-{port}-{digest}")
            }
        };
        // what would end the attribute is no path of a cookie
        let is_path = prefix.starts_with('/') && !prefix.contains([';', ',']);
        Some(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            origin: url.origin().ascii_serialization(),
            host: url.authority().to_owned(),
            cookie: CookiePlace {
                name,
                path: if is_path { prefix } else { "/" }.to_owned(),
                is_secure: url.scheme() == "https",
            },
        })
    }

    /// Whether a request came to it: its page asks, or it is named, or a proxy passed it on.
    fn is_asked(&self, head: &Parts) -> bool {
        let is = |name: HeaderName, value: &str| {
            let sent = head.headers.get(name).and_then(|sent| sent.to_str().ok());
            sent.map(|sent| sent.eq_ignore_ascii_case(value))
        };
        is(header::ORIGIN, &self.origin).unwrap_or_else(|| {
            is(header::HOST, &self.host) == Some(true) || is_forwarded(&head.headers)
        })
    }
}

#[cfg(test)]
mod tests {
    use ::http::Request;
    use ::http::request::Parts;
    use footbridge_mcp::http::AllowedHosts;

    use super::OwnAddresses;

    fn head(headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(Request::post("/mcp"), |request, (name, value)| {
                request.header(*name, *value)
            });
        request.body(()).unwrap().into_parts().0
    }

    fn addresses(public: Option<&str>) -> OwnAddresses {
        let public = public.map(|url| url.parse().unwrap());
        let hosts = AllowedHosts::loopback().and("tools.example.org");
        OwnAddresses::new(8000, public.as_ref(), hosts)
    }

    #[test]
    fn only_our_own_pages_ask_with_the_cookie() {
        let own = addresses(Some("https://tools.example.org/team"));
        let asks = |headers: &[(&str, &str)]| {
            let host = [("host", "127.0.0.1:8000")];
            own.check(&head(&[&host, headers].concat())).is_ok()
        };
        let (origin, site) = (("origin", "http://127.0.0.1:8000"), "sec-fetch-site");
        assert!(asks(&[origin]) && asks(&[(site, "same-origin")]));
        assert!(asks(&[origin, (site, "same-origin")]));
        assert!(asks(&[("origin", "https://tools.example.org")]));
        for bad in [
            &[][..],
            &[origin, origin],
            &[origin, (site, "cross-site")],
            &[origin, (site, "same-site")],
            &[(site, "same-site")],
            &[(site, "cross-site")],
            &[(site, "none")],
            &[(site, "same-origin"), (site, "cross-site")],
            &[("origin", "http://127.0.0.1:3000"), (site, "same-origin")],
            &[("origin", "https://127.0.0.1:8000")],
            &[("origin", "http://localhost:8000")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "https://tools.example.org.evil.example")],
        ] {
            assert!(!asks(bad), "{bad:?}");
        }
    }

    #[test]
    fn each_address_has_a_cookie_of_its_own() {
        let set = |public: Option<&str>, headers: &[(&str, &str)]| {
            addresses(public).cookie(&head(headers)).set("x", 60)
        };
        let direct = "footbridge-8000=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict";
        assert_eq!(set(None, &[("host", "127.0.0.1:8000")]), direct);
        let public = Some("https://tools.example.org/team/");
        assert_eq!(set(public, &[("host", "127.0.0.1:8000")]), direct);
        let behind = set(public, &[("origin", "https://tools.example.org")]);
        assert!(behind.starts_with("footbridge-443-"), "{behind}");
        assert!(
            behind.ends_with("=x; Path=/team; Max-Age=60; HttpOnly; SameSite=Strict; Secure"),
            "{behind}"
        );
        for headers in [
            [("host", "tools.example.org"), ("accept", "*/*")],
            [("host", "127.0.0.1:8000"), ("x-forwarded-for", "192.0.2.1")],
        ] {
            assert_eq!(set(public, &headers), behind);
        }
        let own = addresses(public);
        let by_name = head(&[("host", "tools.example.org")]);
        let names: Vec<_> = own.cookies(&by_name).map(|cookie| &cookie.name).collect();
        assert!(
            names.len() == 2 && names[1] == "footbridge-8000",
            "{names:?}"
        );
        let plain = set(
            Some("http://tools.example.org:9000"),
            &[("host", "tools.example.org:9000")],
        );
        assert!(plain.starts_with("footbridge-9000=x; Path=/; ") && !plain.contains("Secure"));
        let other = set(
            Some("https://tools.example.org/a;b"),
            &[("host", "tools.example.org")],
        );
        assert!(other.contains("; Path=/; "), "{other}");
    }

    #[test]
    fn a_code_for_another_server_is_for_no_address_of_ours() {
        let own = addresses(Some("https://tools.example.org/team"));
        for base in [
            "http://127.0.0.1:8000",
            "http://localhost:8000",
            "http://[::1]:8000",
            "http://tools.example.org:8000",
            "https://tools.example.org/team",
        ] {
            assert!(own.has(base), "{base}");
        }
        for base in [
            "http://127.0.0.1:8001",
            "http://127.0.0.1",
            "https://127.0.0.1:8000",
            "http://evil.example:8000",
            "http://127.0.0.1:8000/team",
            "https://tools.example.org",
            "https://tools.example.org/team2",
            "",
        ] {
            assert!(!own.has(base), "{base}");
        }
    }
}
