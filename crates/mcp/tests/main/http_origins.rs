//! Pages in a browser: the preflight of those that may ask, what their answers carry, and that no
//! other page gets either.

use std::net::SocketAddr;

use footbridge_mcp::http::{AllowedHosts, AllowedOrigins, McpService, ServerLimits, serve};
use serde_json::json;
use tokio::net::TcpListener;

use crate::hall::{ByHeader, builder, person, rpc};
use crate::http_client::{Client, Reply, request};

const PAGE: &str = "http://localhost:6274";
const ACCEPT: (&str, &str) = ("Accept", "application/json, text/event-stream");

/// Both transports, open to pages of these origins.
async fn served(origins: &[&str]) -> SocketAddr {
    let origins = origins
        .iter()
        .try_fold(AllowedOrigins::own(), |origins, origin| origins.and(origin))
        .unwrap();
    let (person, _told) = person();
    let mcp = McpService::new(
        builder().build().unwrap(),
        ByHeader(person),
        AllowedHosts::loopback().origins(origins),
    );
    let sse = mcp.sse("/sse/messages/");
    let router = axum::Router::new()
        .route_service("/mcp", mcp)
        .route_service("/sse", sse.clone())
        .route_service("/sse/messages/", sse);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        router,
        ServerLimits::default(),
        std::future::pending(),
    ));
    address
}

async fn ask(address: SocketAddr, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let headers = [
        &[
            ("Host", "localhost"),
            ("Content-Type", "application/json"),
            ACCEPT,
        ],
        headers,
    ]
    .concat();
    Client::connect(address)
        .await
        .exchange(&request(line, &headers, body))
        .await
}

/// What a browser asks before it lets a page post.
async fn preflight(address: SocketAddr, path: &str, origin: &str, headers: &str) -> Reply {
    let headers = [
        ("Host", "localhost"),
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", headers),
    ];
    Client::connect(address)
        .await
        .exchange(&request(&format!("OPTIONS {path}"), &headers, b""))
        .await
}

#[tokio::test]
async fn a_named_origin_is_told_what_it_may_send_and_read() {
    let address = served(&[PAGE, "https://app.example"]).await;
    for (path, methods) in [
        ("/mcp", "POST, GET, DELETE"),
        ("/sse", "GET, POST"),
        ("/sse/messages/?session_id=x", "GET, POST"),
    ] {
        for origin in [PAGE, "https://app.example"] {
            let reply =
                preflight(address, path, origin, "content-type, mcp-protocol-version").await;
            assert_eq!((reply.status, &*reply.body), (204, &b""[..]), "{path}");
            assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
            assert_eq!(reply.header("access-control-allow-methods"), Some(methods));
            assert_eq!(reply.header("vary"), Some("Origin"));
            assert_eq!(reply.header("access-control-allow-credentials"), None);
            let allowed: Vec<_> = reply
                .header("access-control-allow-headers")
                .unwrap()
                .split(", ")
                .collect();
            for name in [
                "authorization",
                "content-type",
                "last-event-id",
                "mcp-method",
                "mcp-name",
                "mcp-protocol-version",
                "mcp-session-id",
            ] {
                assert!(allowed.contains(&name), "{name}: {allowed:?}");
            }
            assert_eq!(allowed.len(), 8, "and Accept");
        }
    }
}

/// A tool may want its parameters as headers, under names of its own.
#[tokio::test]
async fn parameters_as_headers_are_allowed_by_their_names() {
    let address = served(&[PAGE]).await;
    let reply = preflight(
        address,
        "/mcp",
        PAGE,
        "Mcp-Param-Region, x-other,mcp-param-a b, mcp-param-tier",
    )
    .await;
    let allowed = reply.header("access-control-allow-headers").unwrap();
    assert!(
        allowed.ends_with("mcp-session-id, mcp-param-region, mcp-param-tier"),
        "{allowed}"
    );
}

#[tokio::test]
async fn a_page_of_a_named_origin_opens_a_session_and_uses_it() {
    let address = served(&[PAGE]).await;
    let page = ("Origin", PAGE);
    let info = json!({"name": "test", "version": "1"});
    let hello = rpc(
        1,
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}),
    );
    let opened = ask(address, "POST /mcp", &[page], &hello).await;
    assert_eq!(
        (opened.status, opened.header("access-control-allow-origin")),
        (200, Some(PAGE))
    );
    assert!(
        opened
            .header("access-control-expose-headers")
            .unwrap()
            .contains("mcp-session-id")
    );
    assert_eq!(
        (
            opened.header("vary"),
            opened.header("access-control-allow-credentials")
        ),
        (Some("Origin"), None)
    );
    let session = opened.header("mcp-session-id").unwrap();
    let in_session = [
        page,
        ("Mcp-Session-Id", session),
        ("MCP-Protocol-Version", "2025-11-25"),
    ];
    assert_eq!(
        ask(
            address,
            "POST /mcp",
            &in_session,
            &rpc(2, "ping", json!({}))
        )
        .await
        .status,
        200
    );
    // A page has to read why it was refused, too.
    let refused = ask(
        address,
        "POST /mcp",
        &[page, ("Mcp-Session-Id", "x")],
        &rpc(3, "ping", json!({})),
    )
    .await;
    assert_eq!(
        (
            refused.status,
            refused.header("access-control-allow-origin")
        ),
        (404, Some(PAGE))
    );
    let ended = ask(address, "DELETE /mcp", &in_session, b"").await;
    assert_eq!(
        (ended.status, ended.header("access-control-allow-origin")),
        (204, Some(PAGE))
    );
}

#[tokio::test]
async fn any_other_page_is_refused_and_told_nothing() {
    let address = served(&[PAGE]).await;
    let ping = rpc(1, "ping", json!({}));
    for origin in [
        "http://localhost:3000",
        "http://127.0.0.1:6274",
        "https://localhost:6274",
        "http://evil.example",
        "null",
    ] {
        for reply in [
            preflight(address, "/mcp", origin, "content-type").await,
            preflight(address, "/sse", origin, "content-type").await,
            ask(address, "POST /mcp", &[("Origin", origin)], &ping).await,
            ask(address, "GET /sse", &[("Origin", origin)], b"").await,
            ask(
                address,
                "POST /mcp",
                &[("Origin", PAGE), ("Origin", origin)],
                &ping,
            )
            .await,
        ] {
            assert_eq!(reply.status, 403, "{origin}");
            assert!(
                reply.message().contains(&format!("the Origin '{origin}'")),
                "{}",
                reply.message()
            );
            assert_eq!(
                (
                    reply.header("access-control-allow-origin"),
                    reply.header("vary")
                ),
                (None, Some("Origin"))
            );
        }
    }
    // Neither does the name of a page make a host one of ours.
    let foreign = [
        ("Host", "evil.example"),
        ("Origin", PAGE),
        ("Access-Control-Request-Method", "POST"),
    ];
    let reply = Client::connect(address)
        .await
        .exchange(&request("OPTIONS /mcp", &foreign, b""))
        .await;
    assert_eq!(
        (reply.status, reply.header("access-control-allow-methods")),
        (403, None)
    );
}

#[tokio::test]
async fn without_named_origins_there_is_the_own_one_alone_and_nothing_to_ask() {
    let address = served(&[]).await;
    let ping = rpc(1, "ping", json!({}));
    for (origin, status) in [
        ("http://localhost", 200),
        ("http://localhost:80", 200),
        ("https://localhost", 403),
        (PAGE, 403),
    ] {
        let reply = ask(address, "POST /mcp", &[("Origin", origin)], &ping).await;
        assert_eq!(reply.status, status, "{origin}");
        assert_eq!(
            (
                reply.header("access-control-allow-origin"),
                reply.header("vary")
            ),
            (None, None)
        );
    }
    // A browser does not ask on behalf of the own pages, and nobody else gets an answer.
    assert_eq!(
        preflight(address, "/mcp", "http://localhost", "content-type")
            .await
            .status,
        405
    );
    assert_eq!(ask(address, "OPTIONS /mcp", &[], b"").await.status, 405);
}

#[tokio::test]
async fn the_origin_of_pages_that_hide_it_can_be_named_too() {
    let address = served(&["null", "vscode-webview://0a1b"]).await;
    for origin in ["null", "vscode-webview://0a1b"] {
        let reply = preflight(address, "/mcp", origin, "content-type").await;
        assert_eq!(
            (reply.status, reply.header("access-control-allow-origin")),
            (204, Some(origin))
        );
    }
}
