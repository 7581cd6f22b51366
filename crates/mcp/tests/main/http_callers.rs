//! Who is asking over HTTP: a caller that is let in, and one that is refused before any of the body
//! is read.

use std::sync::Arc;

use footbridge_mcp::http::{AllowedHosts, Authenticate, McpService, Refusal, ServerLimits, serve};
use footbridge_mcp::{Call, Endpoint, Failure, Method, Tool};
use http::HeaderValue;
use http::request::Parts;
use serde_json::json;

use crate::http_client::{Client, Server, post, server_of};
use crate::schemas;
use crate::world::{self, World};

struct OneToken(World);

impl Authenticate<World> for OneToken {
    async fn authenticate(&self, head: &Parts) -> Result<Arc<World>, Refusal> {
        match head.headers.get("authorization").map(HeaderValue::as_bytes) {
            Some(b"Bearer right") => Ok(Arc::new(self.0.clone())),
            _ => Err(Refusal::unauthorized(
                HeaderValue::from_static("Bearer realm=\"tested\""),
                "send the token as a bearer token",
            )),
        }
    }
}

async fn guarded() -> Server {
    let (world, events) = World::new();
    let service = McpService::new(
        world::endpoint(),
        OneToken(world.clone()),
        AllowedHosts::loopback(),
    );
    server_of(service, ServerLimits::default(), world, events).await
}

const PING: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[tokio::test]
async fn a_caller_that_is_known_is_let_in() {
    let server = guarded().await;
    let reply = Client::connect(server.address)
        .await
        .exchange(&post(&[("Authorization", "Bearer right")], PING))
        .await;
    assert_eq!(
        (reply.status, reply.json()["result"].clone()),
        (200, json!({}))
    );
}

#[tokio::test]
async fn any_other_is_told_how_to_enter() {
    let server = guarded().await;
    let large = [PING, &vec![b' '; 2_000_000]].concat();
    for (headers, body) in [
        (&[][..], PING),
        (&[("Authorization", "Bearer hunter2")][..], PING),
        (&[], &large),
        (&[], b"{"),
    ] {
        let mut client = Client::connect(server.address).await;
        let reply = client.exchange(&post(headers, body)).await;
        assert_eq!((reply.status, reply.code()), (401, -32600));
        assert_eq!(
            reply.header("www-authenticate"),
            Some("Bearer realm=\"tested\"")
        );
        assert_eq!(reply.message(), "send the token as a bearer token");
        assert!(
            !String::from_utf8(reply.body.clone())
                .unwrap()
                .contains("hunter2")
        );
        schemas::check_error("2025-03-26", &reply.json());
        let reply = client
            .exchange(&post(&[("Authorization", "Bearer right")], PING))
            .await;
        assert_eq!(reply.status, 200, "the connection is still good");
    }
}

/// Whoever may know of a tool and not use it is told by the protocol, before anything is streamed;
/// a plain failure is the model's to read.
#[tokio::test]
async fn a_caller_who_may_not_is_answered_403_in_both_eras() {
    let tool = Tool::new(
        "sign",
        "For tests.",
        json!({"type": "object"}),
        |_: Call<()>| async { Err(Failure::Forbidden("only the owner may sign".to_owned())) },
    );
    let method = Method::new("acme/sign", |_: Call<()>, _: serde_json::Value| async {
        Err::<(), _>(Failure::Forbidden("only the owner may sign".to_owned()))
    });
    let endpoint = Endpoint::builder("test", "1")
        .tool(tool)
        .method(method)
        .build()
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = McpService::public(endpoint, || (), AllowedHosts::loopback()).at("/mcp");
    tokio::spawn(serve(
        listener,
        service,
        ServerLimits::default(),
        std::future::pending(),
    ));
    let accept = ("Accept", "application/json, text/event-stream");
    for (version, method) in [
        ("2025-11-25", "tools/call"),
        ("2026-07-28", "tools/call"),
        ("2026-07-28", "acme/sign"),
    ] {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut message =
            json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"name": "sign"}});
        if version == "2026-07-28" {
            message["params"]["_meta"] = meta;
        }
        let headers = [
            accept,
            ("MCP-Protocol-Version", version),
            ("Mcp-Method", method),
            ("Mcp-Name", "sign"),
        ];
        let reply = Client::connect(address)
            .await
            .exchange(&post(&headers, message.to_string().as_bytes()))
            .await;
        assert_eq!(
            (reply.status, reply.code(), reply.json()["id"].clone()),
            (403, -32600, json!(1)),
            "{version} {method}"
        );
        assert_eq!(reply.message(), "only the owner may sign");
    }
}

/// The guards come before the question who is asking, so a page led here by a trick learns nothing.
#[tokio::test]
async fn a_foreign_host_is_refused_even_with_a_token() {
    let server = guarded().await;
    let bytes = post(
        &[
            ("Authorization", "Bearer right"),
            ("Origin", "https://evil.example"),
        ],
        PING,
    );
    assert_eq!(
        Client::connect(server.address)
            .await
            .exchange(&bytes)
            .await
            .status,
        403
    );
}
