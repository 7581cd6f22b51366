//! The end of a server with streams open: their clients are told, calls are answered, and it ends
//! within its limit, without anybody who kept a handle of the service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use footbridge_mcp::{Call, Endpoint, Output, Tool};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::http_client::{Client, Modern, request, soon};

/// Within which the server ends here, far below its limit.
const AT_ONCE: Duration = Duration::from_secs(3);

struct Ending {
    address: SocketAddr,
    /// Lets the slow tool answer.
    go: Arc<Notify>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

async fn ending(by_axum: bool) -> Ending {
    let go = Arc::new(Notify::new());
    let waited = Arc::clone(&go);
    let slow = Tool::new("slow", "", json!({"type": "object"}), move |_: Call<()>| {
        let waited = Arc::clone(&waited);
        async move {
            waited.notified().await;
            Ok(Output::text("done"))
        }
    });
    let endpoint = Endpoint::builder("ending", "1")
        .tool(slow)
        .announces_changes()
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let signal = async { stopped.await.unwrap_or_default() };
    let mcp = McpService::public(endpoint, || (), AllowedHosts::loopback());
    let sse = mcp.sse("/messages/");
    let serving = if by_axum {
        let end = mcp.end_streams_after(sse.end_streams_after(signal));
        let app = axum::Router::new()
            .route_service("/mcp", mcp)
            .fallback_service(sse);
        let server = axum::serve(listener, app).with_graceful_shutdown(end);
        tokio::spawn(async move { server.await.unwrap() })
    } else {
        let app = axum::Router::new()
            .route_service("/mcp", mcp)
            .fallback_service(sse);
        let limits = ServerLimits::default().shutdown_time(Duration::from_secs(20));
        tokio::spawn(serve(listener, app, limits, signal))
    };
    Ending {
        address,
        go,
        stop,
        serving,
    }
}

const HEADERS: [(&str, &str); 3] = [
    ("Host", "localhost"),
    ("Content-Type", "application/json"),
    ("Accept", "application/json, text/event-stream"),
];

fn to(line: &str, further: &[(&str, &str)], message: &Value) -> Vec<u8> {
    let body = if message.is_null() {
        Vec::new()
    } else {
        message.to_string().into_bytes()
    };
    request(line, &[&HEADERS[..], further].concat(), &body)
}

fn modern(request: &Modern) -> Vec<u8> {
    let headers: Vec<(&str, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    to("POST /mcp", &headers, &request.message)
}

async fn ends_by_itself(by_axum: bool) {
    let Ending {
        address,
        go,
        stop,
        serving,
    } = ending(by_axum).await;
    // A legacy session with its own stream open.
    let mut first = Client::connect(address).await;
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}
    }});
    let greeted = first.exchange(&to("POST /mcp", &[], &hello)).await;
    let session = greeted.header("mcp-session-id").unwrap().to_owned();
    let of_session = [
        ("Mcp-Session-Id", session.as_str()),
        ("MCP-Protocol-Version", "2025-11-25"),
    ];
    let mut stream = Client::connect(address).await;
    stream
        .open(&to("GET /mcp", &of_session, &Value::Null))
        .await;
    stream.event().await.unwrap();
    // A subscription of 2026-07-28.
    let mut listener = Client::connect(address).await;
    let listen = Modern::new(
        "subscriptions/listen",
        json!({"notifications": {"toolsListChanged": true}}),
    );
    listener.open(&modern(&listen)).await;
    let acknowledged = listener.message().await.unwrap();
    assert_eq!(
        acknowledged["method"],
        "notifications/subscriptions/acknowledged"
    );
    // A channel of 2024-11-05.
    let mut channel = Client::connect(address).await;
    channel.open(&to("GET /sse", &[], &Value::Null)).await;
    channel.event().await.unwrap();
    // A call under way.
    let mut caller = Client::connect(address).await;
    let call = Modern::call("slow", json!({}));
    caller.send(&modern(&call)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;

    let start = Instant::now();
    stop.send(()).unwrap();
    assert!(soon(stream.event()).await.is_none(), "its stream ends");
    let result = soon(listener.message()).await.unwrap();
    assert_eq!(result["result"]["resultType"], "complete", "{result}");
    assert!(soon(channel.event()).await.is_none(), "its channel ends");
    go.notify_one();
    let answer = soon(caller.receive()).await.unwrap().json();
    assert_eq!(answer["result"]["content"][0]["text"], "done");
    soon(serving).await.unwrap();
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn serve_ends_with_streams_open() {
    ends_by_itself(false).await;
}

#[tokio::test]
async fn axum_ends_with_streams_open() {
    ends_by_itself(true).await;
}

/// One of two servers of the same service.
#[tokio::test]
async fn the_streams_of_another_server_go_on() {
    let endpoint = Endpoint::<()>::builder("two", "1")
        .announces_changes()
        .build()
        .unwrap();
    let mcp = McpService::public(endpoint.clone(), || (), AllowedHosts::loopback());
    let mut servers = Vec::new();
    for _ in 0..2 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let signal = async { stopped.await.unwrap_or_default() };
        let serving = tokio::spawn(serve(
            listener,
            mcp.clone(),
            ServerLimits::default(),
            signal,
        ));
        let mut client = Client::connect(address).await;
        let listen = Modern::new(
            "subscriptions/listen",
            json!({"notifications": {"toolsListChanged": true}}),
        );
        client.open(&modern(&listen)).await;
        client.message().await.unwrap();
        servers.push((stop, serving, client));
    }
    let (_other_stop, _serving, mut other) = servers.pop().unwrap();
    let (stop, serving, mut client) = servers.pop().unwrap();
    stop.send(()).unwrap();
    let result = soon(client.message()).await.unwrap();
    assert_eq!(result["result"]["resultType"], "complete");
    soon(serving).await.unwrap();
    endpoint.lists_changed(&footbridge_mcp::Change::Tools);
    let told = soon(other.message()).await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed");
}
