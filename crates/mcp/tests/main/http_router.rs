//! Several endpoints at several paths of one router, with callers of different types: they share
//! nothing.

use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use footbridge_mcp::{Call, Endpoint, Output, Tool};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::hall::{ByHeader, builder, person, rpc};
use crate::http_client::{Client, Reply, request, soon};

/// The caller of the second endpoint, which is no [`crate::hall::Person`].
struct Staff(u32);

fn staff() -> Endpoint<Staff> {
    let number = Tool::new(
        "number",
        "For tests.",
        json!({"type": "object"}),
        |call: Call<Staff>| async move { Ok(Output::text(call.caller.0.to_string())) },
    );
    Endpoint::builder("staff", "2")
        .tool(number)
        .announces_changes()
        .build()
        .unwrap()
}

const ACCEPT: (&str, &str) = ("Accept", "application/json, text/event-stream");

fn to(line: &str, session: Option<&str>, body: &[u8]) -> Vec<u8> {
    let headers = [
        ("Host", "localhost"),
        ("Content-Type", "application/json"),
        ACCEPT,
    ];
    let session = session.map(|session| {
        [
            ("Mcp-Session-Id", session),
            ("MCP-Protocol-Version", "2025-11-25"),
        ]
    });
    request(
        line,
        &[
            &headers[..],
            session.as_ref().map_or(&[][..], |session| session),
        ]
        .concat(),
        body,
    )
}

#[tokio::test]
async fn endpoints_of_one_router_share_nothing() {
    let (person, _told) = person();
    let (first, second) = (builder().announces_changes().build().unwrap(), staff());
    let hall = McpService::new(first.clone(), ByHeader(person), AllowedHosts::loopback());
    let staff = McpService::public(second.clone(), || Staff(7), AllowedHosts::loopback());
    let router = axum::Router::new()
        .route(
            "/",
            axum::routing::get(|| async { "The application's own." }),
        )
        .route_service("/mcp", hall.clone())
        .route_service("/staff/mcp", staff.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        router,
        ServerLimits::default(),
        std::future::pending(),
    ));
    let exchange =
        async |bytes: &[u8]| -> Reply { Client::connect(address).await.exchange(bytes).await };

    let info = json!({"name": "test", "version": "1"});
    let hello = rpc(
        1,
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}),
    );
    let mut sessions = Vec::new();
    for (line, name) in [("POST /mcp", "hall"), ("POST /staff/mcp", "staff")] {
        let reply = exchange(&to(line, None, &hello)).await;
        assert_eq!(reply.json()["result"]["serverInfo"]["name"], name);
        sessions.push(reply.header("mcp-session-id").unwrap().to_owned());
    }
    let [own, other] = &*sessions else {
        panic!("two sessions")
    };
    let ping = rpc(2, "ping", json!({}));
    for (line, own, other) in [("POST /mcp", own, other), ("POST /staff/mcp", other, own)] {
        assert_eq!(
            exchange(&to(line, Some(own), &ping)).await.status,
            200,
            "{line}"
        );
        assert_eq!(
            exchange(&to(line, Some(other), &ping)).await.status,
            404,
            "{line}: a session is its endpoint's"
        );
    }
    let number = rpc(3, "tools/call", json!({"name": "number"}));
    assert_eq!(
        exchange(&to("POST /staff/mcp", Some(other), &number))
            .await
            .json()["result"]["content"][0]["text"],
        "7"
    );
    assert_eq!(
        exchange(&to("POST /mcp", Some(own), &number)).await.code(),
        -32602,
        "a tool too"
    );

    let (mut heard, mut unheard) = (
        Client::connect(address).await,
        Client::connect(address).await,
    );
    heard.open(&to("GET /staff/mcp", Some(other), b"")).await;
    unheard.open(&to("GET /mcp", Some(own), b"")).await;
    second.change().remove_tool("number").apply().unwrap();
    let told: Value = soon(heard.message()).await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed");
    staff.end_streams();
    assert!(soon(heard.message()).await.is_none());
    // What the other is told first is its own change.
    first
        .change()
        .remove_tool("echo")
        .remove_tool("wait")
        .apply()
        .unwrap();
    assert_eq!(
        soon(unheard.message()).await.unwrap()["method"],
        "notifications/tools/list_changed"
    );
    hall.end_streams();
    assert!(soon(unheard.message()).await.is_none(), "and nothing else");
}

/// Whatever was made of a service before, what is said of it holds.
#[tokio::test]
async fn a_service_can_be_told_its_path_and_its_sessions_after_it_was_cloned() {
    let (person, _told) = person();
    let service = McpService::new(
        builder().build().unwrap(),
        ByHeader(person),
        AllowedHosts::loopback(),
    );
    let (before, _sse) = (service.clone(), service.sse("/messages"));
    let told = service.at("/mcp").sessions(None);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new()
        .route_service("/before", before)
        .fallback_service(told);
    tokio::spawn(serve(
        listener,
        router,
        ServerLimits::default(),
        std::future::pending(),
    ));
    let info = json!({"name": "test", "version": "1"});
    let hello = rpc(
        1,
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}),
    );
    for (line, status, has_session) in [
        ("POST /mcp", 200, false),
        ("POST /elsewhere", 404, false),
        ("POST /before", 200, true),
    ] {
        let reply = Client::connect(address)
            .await
            .exchange(&to(line, None, &hello))
            .await;
        assert_eq!(
            (reply.status, reply.header("mcp-session-id").is_some()),
            (status, has_session),
            "{line}"
        );
    }
}
