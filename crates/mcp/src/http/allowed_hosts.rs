//! The rule for the headers `Host` and `Origin`: which of them a browser may have been led to us
//! with. It guards against DNS rebinding and is no authentication.

use http::header;
use http::request::Parts;
use http::uri::Authority;

use super::AllowedOrigins;
use crate::protocol_error::excerpt;

/// The host names under which this server may be addressed, without ports. Compared without regard
/// to case.
///
/// Source: specification 2026-07-28, Streamable HTTP, "Security & Endpoint".
#[derive(Debug, Clone)]
pub struct AllowedHosts {
    hosts: Vec<String>,
    advice: Option<String>,
    pub(super) origins: AllowedOrigins,
}

impl AllowedHosts {
    /// `localhost`, `127.0.0.1` and `[::1]`, for pages of the server's own origin.
    #[must_use]
    pub fn loopback() -> Self {
        let hosts = ["localhost", "127.0.0.1", "[::1]"]
            .map(str::to_owned)
            .to_vec();
        Self {
            hosts,
            advice: None,
            origins: AllowedOrigins::own(),
        }
    }

    /// Adds a host: a name or an IP address, without scheme and port; an IPv6 address may stand
    /// with or without brackets.
    #[must_use]
    pub fn and(mut self, host: &str) -> Self {
        let bare = host.trim().to_ascii_lowercase();
        let host = if bare.parse::<std::net::Ipv6Addr>().is_ok() {
            format!("[{bare}]")
        } else {
            bare
        };
        // What is no host is no name that anybody reaches us by.
        let is_host = host
            .parse::<Authority>()
            .is_ok_and(|authority| authority.host() == host);
        if is_host && !self.hosts.contains(&host) {
            self.hosts.push(host);
        }
        self
    }

    /// What the refusal of a host adds: how the operator lets it in, such as `the operator adds it
    /// with --allowed-host`.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Whose pages may ask, in a browser. Hosts and origins have nothing to do with each other: a
    /// host is how this server is addressed, an origin where a page came from.
    #[must_use]
    pub fn origins(self, origins: AllowedOrigins) -> Self {
        Self { origins, ..self }
    }

    /// Checks the head of one request. A request of HTTP/2 names its host as its target's
    /// authority, and one of HTTP/1.1 may do so besides.
    ///
    /// # Errors
    /// A sentence that names the header and the value that was refused.
    pub fn check(&self, head: &Parts) -> Result<(), String> {
        self.check_host(head)?;
        self.check_origin(head)
    }

    /// The host alone, where something else than the host says that a request was meant for this
    /// server.
    ///
    /// # Errors
    /// As [`AllowedHosts::check`].
    pub fn check_host(&self, head: &Parts) -> Result<(), String> {
        let headers = &head.headers;
        match head.uri.authority() {
            None if !headers.contains_key(header::HOST) => {
                return Err("the Host header is missing".to_owned());
            }
            Some(target) if !self.allows(target.as_str()) => {
                return Err(refusal("Host", target.as_str(), self.advice.as_deref()));
            }
            _ => {}
        }
        for host in headers.get_all(header::HOST) {
            let host = host.to_str().unwrap_or_default();
            if !self.allows(host) {
                return Err(refusal("Host", host, self.advice.as_deref()));
            }
        }
        Ok(())
    }

    /// The origin alone, if there is one.
    ///
    /// # Errors
    /// As [`AllowedHosts::check`].
    pub fn check_origin(&self, head: &Parts) -> Result<(), String> {
        for origin in head.headers.get_all(header::ORIGIN) {
            if !self.origins.allow(head, origin) {
                let origin = origin.to_str().unwrap_or_default();
                return Err(refusal("Origin", origin, self.origins.advised()));
            }
        }
        Ok(())
    }

    fn allows(&self, authority: &str) -> bool {
        let authority = authority.trim_end_matches('/');
        // A host that is allowed, and a port or none: that needs no parser.
        let host = match authority.rsplit_once(':') {
            Some((host, port))
                if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                // A port that no host has is a name that nobody reaches us by.
                if port.parse::<u16>().is_err() {
                    return false;
                }
                host
            }
            _ => authority,
        };
        self.hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host))
    }
}

fn refusal(header: &str, value: &str, advice: Option<&str>) -> String {
    let advice = advice
        .map(|advice| format!("; {advice}"))
        .unwrap_or_default();
    format!(
        "the {header} '{}' is not one that this server answers to{advice}",
        excerpt(value)
    )
}

#[cfg(test)]
mod tests {
    use http::request::Parts;

    use super::super::AllowedOrigins;
    use super::AllowedHosts;

    fn head(target: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(http::Request::post(target), |request, (name, value)| {
                request.header(*name, *value)
            });
        request.body(()).unwrap().into_parts().0
    }

    fn allows(hosts: &AllowedHosts, host: &str, origin: Option<&str>) -> bool {
        let origin = origin.map(|origin| ("origin", origin));
        let headers: Vec<_> = [("host", host)].into_iter().chain(origin).collect();
        hosts.check(&head("/mcp", &headers)).is_ok()
    }

    #[test]
    fn loopback_is_allowed_on_any_port_and_nothing_else() {
        let hosts = AllowedHosts::loopback();
        for host in [
            "localhost",
            "LOCALHOST:8000",
            "127.0.0.1:1",
            "[::1]:8000",
            "[::1]",
            "localhost:65535",
        ] {
            assert!(allows(&hosts, host, None), "{host}");
        }
        for host in [
            "localhost:65536",
            "localhost:99999999",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "localhost:80:90",
            "localhost@evil",
            "",
        ] {
            assert!(!allows(&hosts, host, None), "{host}");
        }
        assert_eq!(
            hosts.check(&head("/mcp", &[])).unwrap_err(),
            "the Host header is missing"
        );
    }

    /// HTTP/2 has no `Host`: its `:authority` is the authority of the target.
    #[test]
    fn the_authority_of_the_target_is_a_host_too() {
        let hosts = AllowedHosts::loopback();
        for (target, headers, is_allowed) in [
            ("https://localhost:8443/mcp", &[][..], true),
            (
                "https://localhost:8443/mcp",
                &[("host", "localhost:8443")],
                true,
            ),
            ("https://evil.example/mcp", &[], false),
            ("https://evil.example/mcp", &[("host", "localhost")], false),
            ("https://localhost/mcp", &[("host", "evil.example")], false),
            (
                "https://localhost/mcp",
                &[("origin", "https://localhost")],
                true,
            ),
            (
                "https://localhost/mcp",
                &[("origin", "http://localhost")],
                false,
            ),
            (
                "https://localhost/mcp",
                &[("origin", "https://evil.example")],
                false,
            ),
        ] {
            assert_eq!(
                hosts.check(&head(target, headers)).is_ok(),
                is_allowed,
                "{target} {headers:?}"
            );
        }
        let refused = hosts
            .check(&head("https://evil.example/mcp", &[]))
            .unwrap_err();
        assert_eq!(
            refused,
            "the Host 'evil.example' is not one that this server answers to"
        );
    }

    #[test]
    fn an_origin_must_be_allowed_too() {
        let origins = AllowedOrigins::own().and("http://localhost:6274").unwrap();
        let hosts = AllowedHosts::loopback()
            .and("board.example")
            .and("fe80::1")
            .origins(origins);
        assert!(allows(
            &hosts,
            "board.example",
            Some("http://board.example")
        ));
        assert!(allows(
            &hosts,
            "[fe80::1]:80",
            Some("http://localhost:6274")
        ));
        for origin in [
            "null",
            "https://evil.example",
            "http://board.example.evil",
            "file://localhost",
            "",
            "http://localhost",
        ] {
            assert!(!allows(&hosts, "board.example", Some(origin)), "{origin}");
        }
        assert!(
            !allows(&hosts, "localhost:6274", Some("http://evil.example")),
            "a host that is named is no origin"
        );
    }
}
