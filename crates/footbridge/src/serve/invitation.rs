//! The text that a person reads when the HTTP door opens: the addresses, what is open, and a client
//! configuration to paste.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::json;
use url::Url;

use crate::endpoint::closed_sentence;
use crate::opened::Opened;

/// The lines for stderr.
pub(super) fn text(
    address: SocketAddr,
    public_url: Option<&Url>,
    has_token: bool,
    has_page: bool,
    opened: &Opened,
) -> String {
    let here = from_this_machine(address);
    let base = base(address, public_url);
    let names: Vec<_> = opened
        .served
        .iter()
        .map(|served| served.name.as_str())
        .collect();
    let mut lines = vec![
        format!(
            "footbridge {} serves {}",
            env!("CARGO_PKG_VERSION"),
            names.join(", ")
        ),
        format!("  MCP    {base}/mcp"),
        format!("  SSE    {base}/sse   (for clients of HTTP+SSE)"),
    ];
    if opened.local.is_some() {
        lines.push(format!(
            "  REST   {base}/xapi2   (a token: footbridge token create NAME)"
        ));
    }
    if has_page {
        lines.push(format!(
            "  pages  {base}/   (for people, in a browser: footbridge open)"
        ));
    }
    lines.push(format!(
        "  status {base}/   health {base}/healthz   ready {base}/readyz"
    ));
    if public_url.is_some() || here != address {
        lines.push(format!("  listening on {address}"));
    }
    if public_url.is_none() && here != address {
        lines.push("  Other machines may name it only by a host that --public-url or --allowed-host gives.".to_owned());
    }
    lines.push("Add it to a client:".to_owned());
    lines.push(format!("  {}", client_configuration(&base, has_token)));
    lines.extend(opened.served.iter().filter_map(closed_sentence));
    lines.join("\n")
}

/// The address under which clients reach it, without a slash at its end.
pub(super) fn base(address: SocketAddr, public_url: Option<&Url>) -> String {
    let here = from_this_machine(address);
    public_url.map_or_else(
        || format!("http://{here}"),
        |url| url.as_str().trim_end_matches('/').to_owned(),
    )
}

/// An address that means every interface is none that a client can name.
fn from_this_machine(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The form that most clients read; the token itself is never printed.
fn client_configuration(base: &str, has_token: bool) -> String {
    let mut server = json!({ "type": "http", "url": format!("{base}/mcp") });
    if let (true, Some(server)) = (has_token, server.as_object_mut()) {
        server.insert(
            "headers".to_owned(),
            json!({ "Authorization": "Bearer ${FOOTBRIDGE_TOKEN}" }),
        );
    }
    json!({ "mcpServers": { "footbridge": server } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::{base, client_configuration};

    #[test]
    fn the_base_is_what_a_client_can_use() {
        let base = |address: &str, public: Option<&str>| {
            base(
                address.parse().unwrap(),
                public.map(|url| url.parse().unwrap()).as_ref(),
            )
        };
        assert_eq!(base("0.0.0.0:1", None), "http://127.0.0.1:1");
        assert_eq!(base("[::]:1", None), "http://[::1]:1");
        assert_eq!(
            base("127.0.0.1:1", Some("https://x.example/prefix/")),
            "https://x.example/prefix"
        );
    }

    #[test]
    fn the_configuration_to_paste() {
        assert_eq!(
            client_configuration("http://127.0.0.1:8000", false),
            r#"{"mcpServers":{"footbridge":{"type":"http","url":"http://127.0.0.1:8000/mcp"}}}"#
        );
        assert!(
            client_configuration("https://board.example", true)
                .contains("Bearer ${FOOTBRIDGE_TOKEN}")
        );
    }
}
