//! What a client of the legacy era hears before the answer to its `initialize`: nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::sync::{Arc, OnceLock};

use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use footbridge_mcp::stdio::Connection;
use footbridge_mcp::{Call, Change, Endpoint, Output, Tool};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::channel::Channel;
use crate::wire::Wire;

/// An endpoint whose list of tools changes whenever somebody looks at it.
fn restless() -> Endpoint<()> {
    let own = Arc::new(OnceLock::<Endpoint<()>>::new());
    let known = Arc::clone(&own);
    let tool = Tool::new(
        "t",
        "For tests.",
        json!({"type": "object"}),
        |_: Call<()>| async { Ok(Output::text("")) },
    );
    let tool = tool.allowed_for(move |_: &Call<()>| {
        known
            .get()
            .inspect(|endpoint| endpoint.lists_changed(&Change::Tools));
        true
    });
    let endpoint = Endpoint::builder("restless", "1")
        .tool(tool)
        .announces_changes()
        .build()
        .unwrap();
    assert!(own.set(endpoint.clone()).is_ok());
    endpoint
}

fn hello() -> Value {
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    json!({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn over_stdio_the_answer_to_initialize_comes_first() {
    let (input_end, mut input) = std::io::pipe().unwrap();
    let (output, output_end) = std::io::pipe().unwrap();
    let _connection = Connection::start(restless(), (), input_end, output_end).unwrap();
    let mut lines = BufReader::new(output).lines();
    let mut wire = Wire::default();
    let mut exchange = |message: &Value| -> Value {
        wire.sent(message);
        input.write_all(format!("{message}\n").as_bytes()).unwrap();
        let said = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        wire.received(&said);
        said
    };
    let first = exchange(&hello());
    assert_eq!(first["id"], "hello", "{first}");
    let second = exchange(&json!({"jsonrpc": "2.0", "id": "list", "method": "tools/list"}));
    assert_eq!(
        second["method"], "notifications/tools/list_changed",
        "once it was greeted it hears of changes: {second}"
    );
}

#[tokio::test]
async fn on_a_channel_of_http_sse_the_answer_to_initialize_comes_first() {
    let service = McpService::public(restless(), || (), AllowedHosts::loopback());
    let router = axum::Router::new().fallback_service(service.sse("/messages/"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve(
        listener,
        router,
        ServerLimits::default(),
        std::future::pending(),
    ));
    let mut channel = Channel::open(address, "ada").await;
    channel.notify(&hello()).await;
    assert_eq!(channel.next().await["id"], "hello");
    channel
        .notify(&json!({"jsonrpc": "2.0", "id": "list", "method": "tools/list"}))
        .await;
    assert_eq!(
        channel.next().await["method"],
        "notifications/tools/list_changed"
    );
    serving.abort();
}
