//! What users of plain.mcp 0.7.1 rely on in requests and their headers, and no other test says.

use footbridge_mcp::{Call, Endpoint, Output, Tool};
use serde_json::{Value, json};

use crate::hall::{Person, hall_of};
use crate::http_client::{Client, Modern, post, server};
use crate::schemas::{self, MODERN};

#[tokio::test]
async fn a_tool_knows_its_client_in_both_eras() {
    let who = Tool::new(
        "who",
        "",
        json!({"type": "object"}),
        |call: Call<Person>| async move {
            let client = call.client();
            let can = client.can("sampling");
            Ok(Output::text(format!(
                "{:?} {:?} {can} {:?}",
                client.name(),
                client.version(),
                call.revision().map(|it| it.as_str())
            )))
        },
    );
    let endpoint = Endpoint::builder("t", "1").tool(who).build().unwrap();
    let hall = hall_of(endpoint, footbridge_mcp::http::SessionLimits::default()).await;
    let session = hall
        .session("2025-06-18", "ada", json!({"sampling": {}}))
        .await;
    let told = session.ask(&crate::hall::call(1, "who", None)).await;
    assert_eq!(
        told["result"]["content"][0]["text"],
        r#"Some("test") Some("1") true Some("2025-06-18")"#
    );
    let mut request = Modern::call("who", json!({}));
    request.message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] =
        json!({"name": "new", "version": "2"});
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let told = hall
        .client()
        .await
        .exchange(&post(&headers, request.message.to_string().as_bytes()))
        .await
        .json();
    assert_eq!(
        told["result"]["content"][0]["text"],
        r#"Some("new") Some("2") false Some("2026-07-28")"#
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_modern_request_is_told_in_the_order_in_which_it_is_read() {
    let server = server().await;
    // Methods of the legacy era, and a name that only looks like one of ours.
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "tools_list",
        "nonsense",
    ] {
        let reply = Modern::new(method, json!({}))
            .send(&server, "EmptyResult")
            .await;
        assert_eq!((reply.status, reply.code()), (404, -32601), "{method}");
        assert_eq!(reply.json()["id"], "m-1");
    }
    for key in [
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    ] {
        // The metadata is looked at before the headers that repeat the body.
        let mut request = Modern::new("tools/list", json!({})).without("Mcp-Method");
        request.message["params"]["_meta"]
            .as_object_mut()
            .unwrap()
            .remove(key);
        let reply = request.send(&server, "ListToolsResult").await;
        assert_eq!((reply.status, reply.code()), (400, -32602), "{key}");
        assert!(reply.message().contains(key), "{}", reply.message());
    }
    let mut request = Modern::new("tools/list", json!({}));
    request.message["params"]
        .as_object_mut()
        .unwrap()
        .remove("_meta");
    let reply = request.send(&server, "ListToolsResult").await;
    assert_eq!(
        (reply.status, reply.code(), reply.json()["id"].clone()),
        (400, -32602, json!("m-1"))
    );
    // A header's name is a header's name in any case.
    let mut request = Modern::call("echo", json!({"message": "x"}));
    request.headers = request
        .headers
        .into_iter()
        .map(|(name, value)| {
            (
                if name == "Mcp-Method" {
                    "mCP-METHOD"
                } else {
                    name
                },
                value,
            )
        })
        .collect();
    assert_eq!(request.send(&server, "CallToolResult").await.status, 200);
}

/// Whatever a notification says, it has no answer.
#[tokio::test]
async fn notifications_have_no_answer_however_they_are_written() {
    let server = server().await;
    for message in [
        json!({"jsonrpc": "2.0", "method": "tools/call"}),
        json!({"jsonrpc": "2.0", "method": "nonsense", "params": {"x": 1}}),
        json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}),
    ] {
        let reply = Client::connect(server.address)
            .await
            .exchange(&post(&[], message.to_string().as_bytes()))
            .await;
        assert_eq!((reply.status, reply.body.len()), (202, 0), "{message}");
    }
}

/// As claude.ai's proxy does it: a legacy client whose requests carry `Mcp-Method` too.
#[tokio::test]
async fn a_legacy_client_may_send_headers_of_the_modern_era() {
    let server = server().await;
    let send = async |headers: &[(&str, &str)], message: Value| {
        Client::connect(server.address)
            .await
            .exchange(&post(headers, message.to_string().as_bytes()))
            .await
    };
    let request = |id: i64, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
    let reply = send(
        &[("Mcp-Method", "initialize")],
        request(0, "initialize", hello),
    )
    .await;
    schemas::check("2025-11-25", "InitializeResult", &reply.json());
    assert_eq!(reply.status, 200);
    let version = ("MCP-Protocol-Version", "2025-11-25");
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(
        send(
            &[version, ("Mcp-Method", "notifications/initialized")],
            initialized
        )
        .await
        .status,
        202
    );
    let listed = send(
        &[version, ("Mcp-Method", "tools/list")],
        request(1, "tools/list", json!({})),
    )
    .await
    .json();
    schemas::check("2025-11-25", "ListToolsResult", &listed);
    for stamp in ["resultType", "_meta", "ttlMs", "cacheScope"] {
        assert!(listed["result"].get(stamp).is_none(), "{stamp}");
    }
    let call = request(
        2,
        "tools/call",
        json!({"name": "echo", "arguments": {"message": "x"}}),
    );
    // Also where the header does not agree: nobody reads it in the legacy era.
    for headers in [
        &[version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "echo")][..],
        &[version, ("Mcp-Method", "ping")],
        &[("Mcp-Method", "x")],
    ] {
        assert_eq!(
            send(headers, call.clone()).await.json()["result"]["content"][0]["text"],
            "x"
        );
    }
    assert_eq!(
        send(&[version], request(3, "ping", json!({}))).await.json()["result"],
        json!({})
    );
    let unknown = send(&[version], request(4, "nonsense", json!({}))).await;
    assert_eq!(
        (
            unknown.status,
            unknown.code(),
            unknown.json()["error"].get("data")
        ),
        (200, -32601, None)
    );
    assert!(!unknown.message().contains("2026"));
    let nameless = send(&[], request(5, "initialize", json!({"capabilities": {}}))).await;
    assert_eq!((nameless.status, nameless.code()), (200, -32602));
    assert!(
        nameless.message().contains("protocolVersion"),
        "{}",
        nameless.message()
    );
    let torn = send(
        &[("MCP-Protocol-Version", MODERN)],
        request(6, "initialize", json!({"protocolVersion": "2025-11-25"})),
    )
    .await;
    assert_eq!((torn.status, torn.code()), (400, -32602));
}
