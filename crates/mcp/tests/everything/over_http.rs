//! What takes a connection to be seen: who listens hears of changes, and the door is that of the
//! program itself.

use std::time::Duration;

use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use serde_json::{Value, json};

use crate::wire::Wire;
use crate::{endpoint, schemas};

/// Serves the fixture, and gives its address.
pub(crate) async fn served() -> String {
    // Another test of this process may have been first.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let service = McpService::public(
        endpoint::endpoint().unwrap(),
        || (),
        AllowedHosts::loopback(),
    )
    .at("/mcp");
    tokio::spawn(serve(
        listener,
        service,
        ServerLimits::default(),
        std::future::pending(),
    ));
    url
}

/// One request's answer, plain or a stream, held to the schemas.
struct Reply {
    response: reqwest::Response,
    text: String,
    wire: Wire,
}

async fn post(url: &str, method: &str, mut params: Value) -> Reply {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": schemas::MODERN,
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let mut wire = Wire::with_header(Some(schemas::MODERN));
    wire.sent(&message);
    let mut request = reqwest::Client::new()
        .post(url)
        .header("Content-Type", "application/json")
        .header("MCP-Protocol-Version", schemas::MODERN)
        .header("Mcp-Method", method);
    if let Some(name) = params["name"].as_str() {
        request = request.header("Mcp-Name", name);
    }
    Reply {
        response: request.body(message.to_string()).send().await.unwrap(),
        text: String::new(),
        wire,
    }
}

impl Reply {
    /// The answer of a request that is not a stream.
    async fn answer(mut self) -> Value {
        let message = serde_json::from_str(&self.response.text().await.unwrap()).unwrap();
        self.wire.received(&message);
        message
    }

    /// The next message of a stream.
    async fn message(&mut self) -> Value {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event
                    .lines()
                    .find_map(|line| line.strip_prefix("data: "))
                    .map(str::to_owned);
                self.text = rest.to_owned();
                if let Some(data) = data.filter(|data| !data.is_empty()) {
                    let message = serde_json::from_str(&data).unwrap();
                    self.wire.received(&message);
                    return message;
                }
                continue;
            }
            // A hang is a failure, not a wait without end.
            let chunk = tokio::time::timeout(Duration::from_secs(60), self.response.chunk())
                .await
                .expect("an event")
                .unwrap();
            self.text
                .push_str(std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap());
        }
    }
}

#[tokio::test]
async fn tools_that_tell_of_changes_are_heard_by_who_listens() {
    let url = served().await;
    let kinds = json!({"toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["test://watched-resource"]});
    let mut stream = post(
        &url,
        "subscriptions/listen",
        json!({ "notifications": kinds }),
    )
    .await;
    assert_eq!(stream.message().await["params"]["notifications"], kinds);
    for (tool, arguments, definition) in [
        (
            "test_trigger_tool_change",
            json!({}),
            "ToolListChangedNotification",
        ),
        (
            "test_trigger_prompt_change",
            json!({}),
            "PromptListChangedNotification",
        ),
        (
            "test_update_resource",
            json!({"uri": "test://watched-resource"}),
            "ResourceUpdatedNotification",
        ),
    ] {
        let reply = post(
            &url,
            "tools/call",
            json!({"name": tool, "arguments": arguments}),
        )
        .await
        .answer()
        .await;
        assert_eq!(reply["result"]["content"][0]["text"], "Told.");
        schemas::is_valid(schemas::MODERN, definition, &stream.message().await);
    }
}
