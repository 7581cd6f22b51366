//! The address that a request comes from: the other side of its connection or, behind a proxy that
//! is named, the one that the proxy forwards. It tells one crowd from another and is no
//! authentication.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::HeaderMap;
use http::header::{self, HeaderName};
use http::request::Parts;

/// The other side of a connection, which [`super::serve`] puts into the extensions of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The proxies whose word about the addresses behind them is taken.
///
/// ```
/// use footbridge_mcp::http::TrustedProxies;
///
/// let proxies: TrustedProxies = ["127.0.0.1", "10.0.0.0/8"].iter().map(|network| network.parse().unwrap()).collect();
/// # let _ = proxies;
/// ```
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<ProxyNetwork>,
}

/// An address, or all addresses that begin as it does (`10.0.0.0/8`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyNetwork {
    first: u128,
    /// How many bits of the 128 are the network's.
    bits: u32,
}

/// A text that is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address such as 192.0.2.1 nor a network such as 192.0.2.0/24")]
pub struct BadProxyNetwork(String);

/// How many addresses at the end of an IPv6 address are one client's: whoever has one has 2^64.
const CLIENT_BITS: u32 = 64;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
impl FromStr for ProxyNetwork {
    type Err = BadProxyNetwork;

    fn from_str(text: &str) -> Result<Self, BadProxyNetwork> {
        let bad = || BadProxyNetwork(text.to_owned());
        let (address, length) = text
            .trim()
            .split_once('/')
            .map_or((text.trim(), None), |(address, length)| {
                (address, Some(length))
            });
        let address = address
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .map_err(|_| bad())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => most,
            Some(length)
                if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                length
                    .parse::<u32>()
                    .ok()
                    .filter(|length| *length <= most)
                    .ok_or_else(bad)?
            }
            Some(_) => return Err(bad()),
        };
        let bits = length + 128 - most;
        Ok(Self {
            first: number(address) & mask(bits),
            bits,
        })
    }
}

impl FromIterator<ProxyNetwork> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = ProxyNetwork>>(networks: I) -> Self {
        Self {
            networks: networks.into_iter().collect(),
        }
    }
}

impl TrustedProxies {
    /// Whether this is the address of such a proxy.
    #[must_use]
    pub fn names(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| number(address) & mask(network.bits) == network.first)
    }

    /// Where a request comes from: its peer, or the last address that a trusted one forwards and
    /// that is no trusted one itself. Of an IPv6 address, the network of its client. `None` when
    /// everybody comes by the same address as far as can be seen: the peer is this machine, or a
    /// trusted proxy that forwards nothing. A proxy that is not trusted is a peer like any other.
    #[must_use]
    pub fn client(&self, head: &Parts) -> Option<IpAddr> {
        let Peer(peer) = head.extensions.get::<Peer>()?;
        let peer = peer.ip().to_canonical();
        if self.names(peer) {
            return self.forwarded(&head.headers).map(client);
        }
        (!peer.is_loopback()).then(|| client(peer))
    }

    fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let named = if headers.contains_key(FORWARDED_FOR) {
            FORWARDED_FOR
        } else {
            header::FORWARDED
        };
        for value in headers.get_all(&named).iter().rev() {
            for part in value.to_str().ok()?.rsplit(',') {
                let node = if named == FORWARDED_FOR {
                    Some(part)
                } else {
                    forwarded_for(part)
                };
                // What cannot be read hides who stands behind it.
                let address = address(node?)?;
                if !self.names(address) {
                    return Some(address);
                }
            }
        }
        None
    }
}

/// The node that an element of `Forwarded` names. Source: RFC 7239, section 4.
fn forwarded_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    })
}

/// An address with or without quotes, brackets and port.
fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim().trim_matches('"');
    let address = match node.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0.parse().ok(),
        None => node
            .parse()
            .ok()
            .or_else(|| node.rsplit_once(':')?.0.parse().ok()),
    };
    address.map(|address: IpAddr| address.to_canonical())
}

/// What counts as one client.
pub(super) fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask(CLIENT_BITS)))
        }
        address => address,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(bits: u32) -> u128 {
    u128::MAX
        .checked_shl(128_u32.saturating_sub(bits))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::request::Parts;
    use proptest::prelude::{any, proptest};

    use super::{Peer, ProxyNetwork, TrustedProxies};

    fn proxies(names: &[&str]) -> TrustedProxies {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn head(peer: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(http::Request::get("/"), |request, (name, value)| {
                request.header(*name, *value)
            });
        let mut head = request.body(()).unwrap().into_parts().0;
        head.extensions
            .insert(Peer(std::net::SocketAddr::new(peer.parse().unwrap(), 9)));
        head
    }

    fn client(proxies: &TrustedProxies, peer: &str, headers: &[(&str, &str)]) -> Option<String> {
        proxies
            .client(&head(peer, headers))
            .map(|address| address.to_string())
    }

    #[test]
    fn a_network_is_an_address_or_what_begins_as_it() {
        for (network, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.77/24", "192.0.2.255", "192.0.3.0"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "11.0.0.0"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("[::1]", "::1", "::2"),
            ("::/0", "127.0.0.1", ""),
        ] {
            let proxies = proxies(&[network]);
            assert!(proxies.names(inside.parse().unwrap()), "{network} {inside}");
            assert!(
                outside.is_empty() || !proxies.names(outside.parse().unwrap()),
                "{network} {outside}"
            );
        }
        for bad in [
            "",
            "proxy.example",
            "192.0.2.0/33",
            "::/129",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "192.0.2",
            "192.0.2.0/24/8",
        ] {
            let error = bad.parse::<ProxyNetwork>().unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:?}")), "{error}");
        }
    }

    #[test]
    fn a_peer_is_a_client_unless_it_is_this_machine() {
        let nobody = proxies(&[]);
        assert_eq!(
            client(&nobody, "192.0.2.1", &[]).as_deref(),
            Some("192.0.2.1")
        );
        assert_eq!(
            client(&nobody, "::ffff:192.0.2.1", &[]).as_deref(),
            Some("192.0.2.1")
        );
        assert_eq!(
            client(&nobody, "2001:db8::1:2:3:4", &[]).as_deref(),
            Some("2001:db8::")
        );
        for local in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(client(&nobody, local, &[]), None, "{local}");
        }
    }

    #[test]
    fn of_a_proxy_that_is_named_the_last_address_counts() {
        let named = proxies(&["127.0.0.1", "10.0.0.0/8"]);
        for (headers, expected) in [
            (
                &[("x-forwarded-for", "198.51.100.9, 192.0.2.1")][..],
                Some("192.0.2.1"),
            ),
            (
                &[
                    ("x-forwarded-for", "198.51.100.9"),
                    ("x-forwarded-for", "192.0.2.1"),
                ],
                Some("192.0.2.1"),
            ),
            (
                &[("x-forwarded-for", "198.51.100.9, 192.0.2.1, 10.1.2.3")],
                Some("192.0.2.1"),
            ),
            (&[("x-forwarded-for", "192.0.2.1:4711")], Some("192.0.2.1")),
            (
                &[("x-forwarded-for", "[2001:db8::1]:4711")],
                Some("2001:db8::"),
            ),
            (&[("x-forwarded-for", "2001:db8::1")], Some("2001:db8::")),
            (
                &[(
                    "forwarded",
                    "for=198.51.100.9, for=\"[2001:db8::1]:47\";proto=https",
                )],
                Some("2001:db8::"),
            ),
            (
                &[("forwarded", "proto=https;FOR=192.0.2.1")],
                Some("192.0.2.1"),
            ),
            (&[("x-forwarded-for", "192.0.2.1, unknown")], None),
            (&[("forwarded", "for=192.0.2.1, for=_hidden")], None),
            (&[("x-forwarded-for", "10.1.2.3")], None),
            (&[("x-forwarded-for", "")], None),
            (&[], None),
        ] {
            assert_eq!(
                client(&named, "127.0.0.1", headers).as_deref(),
                expected,
                "{headers:?}"
            );
        }
        let stranger = client(&named, "192.0.2.5", &[("x-forwarded-for", "192.0.2.1")]);
        assert_eq!(
            stranger.as_deref(),
            Some("192.0.2.5"),
            "nobody asked this one"
        );
    }

    proptest! {
        #[test]
        fn a_network_has_every_address_that_begins_as_it(address in any::<u32>(), other in any::<u32>(), bits in 0_u32..=32) {
            let [address_of, other_of] = [address, other].map(|bits| IpAddr::from(std::net::Ipv4Addr::from_bits(bits)));
            let network: ProxyNetwork = format!("{address_of}/{bits}").parse().unwrap();
            let begins_alike = u64::from(address ^ other) >> (32 - bits) == 0;
            assert_eq!([network].into_iter().collect::<TrustedProxies>().names(other_of), begins_alike);
        }

        #[test]
        fn no_header_of_a_proxy_breaks_it(value in "[ -~]{0,60}") {
            let named = proxies(&["127.0.0.1"]);
            for name in ["x-forwarded-for", "forwarded"] {
                let _ = client(&named, "127.0.0.1", &[(name, &value)]);
            }
        }
    }
}
