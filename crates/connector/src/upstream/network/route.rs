//! The route to an address: straight or through a proxy, with the system's certificates or without.
//! Sends nothing.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// What a client is made for: those of one kind share their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    /// Past every proxy.
    pub(super) is_direct: bool,
    /// Something on the route shows a certificate.
    pub(super) has_tls: bool,
}

impl Route {
    /// How many there are.
    pub(super) const COUNT: usize = 4;

    /// Its place among the others.
    pub(super) fn index(self) -> usize {
        usize::from(self.is_direct) + 2 * usize::from(self.has_tls)
    }
}

/// The proxies of the environment, or of the system where it keeps some.
#[derive(Debug)]
pub(super) struct Proxies {
    matcher: Matcher,
    /// `NO_PROXY` names everything.
    none: bool,
}

impl Proxies {
    pub(super) fn of_the_system() -> Self {
        let excepted = ["NO_PROXY", "no_proxy"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok())
            .unwrap_or_default();
        Self::new(Matcher::from_system(), &excepted)
    }

    fn new(matcher: Matcher, excepted: &str) -> Self {
        // the matcher takes the star for names alone, and not for addresses
        Self {
            matcher,
            none: excepted.split(',').any(|one| one.trim() == "*"),
        }
    }

    /// The proxy that an address is reached through, without its credentials. Never one for this
    /// machine: what goes to it in the clear would leave it, the credential too.
    pub(super) fn before(&self, address: &Uri) -> Option<Uri> {
        if self.none || address.host().is_none_or(is_loopback) {
            return None;
        }
        self.matcher
            .intercept(address)
            .map(|proxy| proxy.uri().clone())
    }

    pub(super) fn route(&self, address: &Uri) -> Route {
        let proxy = self.before(address);
        let is_tls = |address: &Uri| address.scheme_str() == Some("https");
        Route {
            is_direct: proxy.is_none(),
            has_tls: is_tls(address) || proxy.as_ref().is_some_and(is_tls),
        }
    }
}

/// Whether a host is this machine by its name or address.
fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(&name);
    address
        .parse::<IpAddr>()
        .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use hyper_util::client::proxy::matcher::Matcher;

    use super::{Proxies, Route};

    const PROXY: &str = "http://user:planted@proxy.example:3128/";

    fn proxies(excepted: &str) -> Proxies {
        Proxies::new(Matcher::builder().all(PROXY).no(excepted).build(), excepted)
    }

    #[test]
    fn this_machine_is_reached_straight() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            for scheme in ["http", "https"] {
                let address = format!("{scheme}://{host}:8000/x").parse().unwrap();
                assert_eq!(proxies("").before(&address), None, "{address}");
            }
        }
        for host in [
            "example.org",
            "localhost.example.org",
            "10.0.0.1",
            "128.0.0.1",
            "[::2]",
            "notlocalhost",
        ] {
            let address = format!("http://{host}/x").parse().unwrap();
            let proxy = proxies("").before(&address).unwrap().to_string();
            assert_eq!(proxy, "http://proxy.example:3128/", "{host}");
        }
    }

    #[test]
    fn a_star_excepts_names_and_addresses() {
        for excepted in ["*", " a.example , * "] {
            for address in [
                "http://example.org/",
                "https://10.0.0.1/",
                "http://[fd00::1]:9/",
            ] {
                assert_eq!(
                    proxies(excepted).before(&address.parse().unwrap()),
                    None,
                    "{address}"
                );
            }
        }
        assert!(
            proxies("*.example.org")
                .before(&"http://10.0.0.1/".parse().unwrap())
                .is_some()
        );
    }

    #[test]
    fn certificates_are_for_those_who_see_one() {
        let route = |address: &str| proxies("direct.example").route(&address.parse().unwrap());
        let routes = [
            "http://direct.example/",
            "https://direct.example/",
            "http://example.org/",
            "https://example.org/",
        ]
        .map(route);
        assert_eq!(
            routes.map(|route| (route.is_direct, route.has_tls)),
            [(true, false), (true, true), (false, false), (false, true)]
        );
        let mut places = routes.map(Route::index);
        places.sort_unstable();
        assert_eq!(places, [0, 1, 2, 3]);
        let behind = Proxies::new(Matcher::builder().all("https://proxy.example").build(), "");
        assert!(
            behind
                .route(&"http://example.org/".parse().unwrap())
                .has_tls
        );
    }
}
