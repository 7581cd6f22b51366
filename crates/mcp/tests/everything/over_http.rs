//! What takes a connection to be seen: who listens hears of changes, and the door is that of the program itself.

use std::time::Duration;

use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use serde_json::{Value, json};

use crate::{endpoint, schemas};

/// Serves the fixture, and gives its address.
pub(crate) async fn served() -> String {
    // Another test of this process may have been first.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let service = McpService::public(endpoint::endpoint().unwrap(), || (), AllowedHosts::loopback()).at("/mcp");
    tokio::spawn(serve(listener, service, ServerLimits::default(), std::future::pending()));
    url
}

async fn post(url: &str, method: &str, mut params: Value) -> reqwest::Response {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": schemas::MODERN,
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let mut request = reqwest::Client::new()
        .post(url)
        .header("Content-Type", "application/json")
        .header("MCP-Protocol-Version", schemas::MODERN)
        .header("Mcp-Method", method);
    if let Some(name) = params["name"].as_str() {
        request = request.header("Mcp-Name", name);
    }
    request.body(body).send().await.unwrap()
}

/// The next message of a stream.
async fn message(stream: &mut reqwest::Response) -> Value {
    let mut text = String::new();
    loop {
        if let Some(line) =
            text.split_once("\n\n").and_then(|(event, _)| event.lines().find_map(|line| line.strip_prefix("data: ")))
        {
            return serde_json::from_str(line).unwrap();
        }
        // A hang is a failure, not a wait without end.
        let chunk = tokio::time::timeout(Duration::from_secs(20), stream.chunk()).await.expect("an event").unwrap();
        text.push_str(std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap());
    }
}

#[tokio::test]
async fn tools_that_tell_of_changes_are_heard_by_who_listens() {
    let url = served().await;
    let kinds =
        json!({"toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["test://watched-resource"]});
    let mut stream = post(&url, "subscriptions/listen", json!({ "notifications": kinds })).await;
    assert_eq!(message(&mut stream).await["params"]["notifications"], kinds);
    for (tool, arguments, definition) in [
        ("test_trigger_tool_change", json!({}), "ToolListChangedNotification"),
        ("test_trigger_prompt_change", json!({}), "PromptListChangedNotification"),
        ("test_update_resource", json!({"uri": "test://watched-resource"}), "ResourceUpdatedNotification"),
    ] {
        let reply: Value = serde_json::from_str(
            &post(&url, "tools/call", json!({"name": tool, "arguments": arguments})).await.text().await.unwrap(),
        )
        .unwrap();
        schemas::check(schemas::MODERN, "CallToolResult", &reply);
        assert_eq!(reply["result"]["content"][0]["text"], "Told.");
        schemas::is_valid(schemas::MODERN, definition, &message(&mut stream).await);
    }
}
