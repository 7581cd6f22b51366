//! The headers that repeat the body: missing, different, in the Base64 form, and those that a
//! tool's schema asks for.

use serde_json::{Value, json};

use crate::http_client::{Modern, server};

#[tokio::test]
async fn a_required_header_that_is_missing_is_refused() {
    let server = server().await;
    for missing in ["MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"] {
        let reply = Modern::call("echo", json!({}))
            .without(missing)
            .send(&server, "CallToolResult")
            .await;
        assert_eq!((reply.status, reply.code()), (400, -32020), "{missing}");
        assert!(
            reply.message().contains(&missing.to_lowercase()),
            "{}",
            reply.message()
        );
        assert_eq!(reply.json()["id"], "m-1");
    }
}

#[tokio::test]
async fn a_header_that_says_something_else_is_refused() {
    let server = server().await;
    for (header, value) in [
        ("MCP-Protocol-Version", "2025-11-25"),
        ("MCP-Protocol-Version", "2099-01-01"),
        ("Mcp-Method", "tools/list"),
        ("Mcp-Method", "TOOLS/CALL"),
        ("Mcp-Method", "=?base64?dG9vbHMvY2FsbA==?="),
        ("MCP-Protocol-Version", "=?base64?MjAyNi0wNy0yOA==?="),
        ("Mcp-Name", "wait"),
        ("Mcp-Name", "=?base64?d2FpdA==?="),
        ("Mcp-Name", "=?base64?ZWNobw?="),
        ("Mcp-Name", "=?base64?ZW!obw==?="),
        ("Mcp-Name", "=?BASE64?ZWNobw==?="),
        ("Mcp-Name", ""),
    ] {
        let reply = Modern::call("echo", json!({}))
            .with(header, value)
            .send(&server, "CallToolResult")
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, -32020),
            "{header}: {value}"
        );
    }
    let mut twice = Modern::call("echo", json!({}));
    twice.headers.push(("mcp-name", "wait".to_owned()));
    assert_eq!(
        twice.send(&server, "CallToolResult").await.code(),
        -32020,
        "which one would a proxy have believed?"
    );
}

#[tokio::test]
async fn the_name_may_come_in_the_base64_form() {
    let server = server().await;
    let reply = Modern::call("echo", json!({"message": "x"}))
        .with("Mcp-Name", "=?base64?ZWNobw==?=")
        .send(&server, "CallToolResult")
        .await;
    assert_eq!(reply.status, 200);
    // A name that no header can carry as it is: the headers agree, so it is the tool that is
    // unknown.
    let mut request = Modern::call("größe", json!({}));
    request.headers.retain(|(name, _)| *name != "Mcp-Name");
    let reply = request
        .with("Mcp-Name", "=?base64?Z3LDtsOfZQ==?=")
        .send(&server, "CallToolResult")
        .await;
    assert_eq!(
        (reply.status, reply.code(), reply.message().as_str()),
        (200, -32602, "unknown tool: größe")
    );
}

#[tokio::test]
async fn arguments_that_are_repeated_in_headers_are_compared() {
    let server = server().await;
    type Headers = &'static [(&'static str, &'static str)];
    let table: [(Value, Headers, u16); 22] = [
        (json!({"region": "eu"}), &[("Mcp-Param-Region", "eu")], 200),
        (json!({"region": "eu"}), &[("mcp-param-region", "eu")], 200),
        (json!({"region": "eu"}), &[], 400),
        (json!({"region": "eu"}), &[("Mcp-Param-Region", "us")], 400),
        (json!({"region": "eu"}), &[("Mcp-Param-Region", "EU")], 400),
        (
            json!({"region": "Köln\n"}),
            &[("Mcp-Param-Region", "=?base64?S8O2bG4K?=")],
            200,
        ),
        (
            json!({"region": "Köln"}),
            &[("Mcp-Param-Region", "=?base64?S8O2bG4?=")],
            400,
        ),
        (
            json!({"region": "Köln"}),
            &[("Mcp-Param-Region", "=?base64?S8O2 bG4=?=")],
            400,
        ),
        (json!({"region": null}), &[], 200),
        (json!({"region": null}), &[("Mcp-Param-Region", "eu")], 400),
        (json!({}), &[], 200),
        (json!({}), &[("Mcp-Param-Region", "eu")], 400),
        (json!({}), &[("Mcp-Param-Unheard-Of", "eu")], 200),
        (json!({"count": 42}), &[("Mcp-Param-Count", "42")], 200),
        (json!({"count": 42}), &[("Mcp-Param-Count", "42.0")], 200),
        (json!({"count": 42.0}), &[("Mcp-Param-Count", "42")], 200),
        (json!({"count": 42}), &[("Mcp-Param-Count", "43")], 400),
        (
            json!({"count": 42}),
            &[("Mcp-Param-Count", "forty-two")],
            400,
        ),
        (
            json!({"count": 9_007_199_254_740_993_i64}),
            &[("Mcp-Param-Count", "9007199254740993")],
            200,
        ),
        (
            json!({"count": 9_007_199_254_740_993_i64}),
            &[("Mcp-Param-Count", "9007199254740992")],
            400,
        ),
        (json!({"dry": true}), &[("Mcp-Param-Dry", "true")], 200),
        (json!({"dry": true}), &[("Mcp-Param-Dry", "True")], 400),
    ];
    for (arguments, headers, status) in table {
        let mut request = Modern::call("regional", arguments.clone());
        request.headers.extend(
            headers
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let reply = request.send(&server, "CallToolResult").await;
        assert_eq!(reply.status, status, "{arguments} {headers:?}");
        if status == 400 {
            assert_eq!(reply.code(), -32020);
        } else {
            assert_eq!(reply.json()["result"].get("isError"), None, "{arguments}");
        }
    }
}
