//! The marks that a proxy leaves on a request. A proxy that leaves none cannot be told from a
//! client of this machine.

use ::http::HeaderMap;

/// Whether a header of the request is one that only proxies add.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| is_of_proxies(name.as_str()))
}

/// RFC 7239 and 9110; what servers add by custom (nginx, Apache, Traefik, Envoy, HAProxy); and the
/// services that lead the world to a machine at home (Cloudflare, Akamai, Fastly, Fly, Azure,
/// Google, Tailscale).
fn is_of_proxies(name: &str) -> bool {
    name.starts_with("x-forwarded")
        || matches!(
            name,
            "forwarded"
                | "via"
                | "x-real-ip"
                | "x-client-ip"
                | "x-cluster-client-ip"
                | "x-original-forwarded-for"
                | "x-original-host"
                | "x-envoy-external-address"
                | "x-proxyuser-ip"
                | "client-ip"
                | "true-client-ip"
                | "cf-connecting-ip"
                | "cf-connecting-ipv6"
                | "cf-ray"
                | "cdn-loop"
                | "fastly-client-ip"
                | "fly-client-ip"
                | "x-azure-clientip"
                | "x-appengine-user-ip"
                | "tailscale-user-login"
        )
}

#[cfg(test)]
mod tests {
    use ::http::{HeaderMap, HeaderName, HeaderValue};

    use super::is_forwarded;

    fn with(name: &str) -> HeaderMap {
        let name: HeaderName = name.parse().unwrap();
        [
            (
                HeaderName::from_static("host"),
                HeaderValue::from_static("localhost"),
            ),
            (name, HeaderValue::from_static("")),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn what_proxies_add_is_seen_and_what_clients_send_is_not() {
        for name in [
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Forwarded",
            "X-Real-IP",
            "Via",
            "CF-Ray",
        ] {
            assert!(is_forwarded(&with(name)), "{name}");
        }
        for name in [
            "Origin",
            "Authorization",
            "User-Agent",
            "Mcp-Session-Id",
            "X-Api-Key",
            "Accept",
            "X-Request-Id",
            "Traceparent",
        ] {
            assert!(!is_forwarded(&with(name)), "{name}");
        }
        assert!(!is_forwarded(&HeaderMap::new()));
    }
}
