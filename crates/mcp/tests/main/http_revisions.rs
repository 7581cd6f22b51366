//! Both eras on one endpoint: the handshakes of the four older revisions, and every rule of
//! 2026-07-28 about a request's own metadata.

use serde_json::{Value, json};

use crate::http_client::{Client, Modern, legacy, post, server};
use crate::schemas::{self, LEGACY, MODERN};

#[tokio::test]
async fn every_legacy_revision_is_agreed_to_and_served() {
    let server = server().await;
    for revision in LEGACY {
        let hello = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let reply = legacy(&server, revision, "initialize", hello, "InitializeResult")
            .await
            .json();
        assert_eq!(reply["result"]["protocolVersion"], revision);
        assert_eq!(reply["result"]["capabilities"], json!({"tools": {}}));
        assert_eq!(reply["result"]["serverInfo"]["name"], "tested");
        assert_eq!(
            reply["result"]["serverInfo"].get("title").is_some(),
            revision >= "2025-06-18"
        );

        let reply = legacy(&server, revision, "ping", json!({}), "EmptyResult")
            .await
            .json();
        assert_eq!(reply["result"], json!({}));
        let reply = legacy(
            &server,
            revision,
            "tools/list",
            json!({}),
            "ListToolsResult",
        )
        .await
        .json();
        assert_eq!(reply["result"]["tools"][0]["name"], "echo");
        assert_eq!(
            reply["result"].get("resultType"),
            None,
            "that word is of {MODERN}"
        );
        for (tool, arguments) in [
            ("echo", json!({"message": "hé\n"})),
            ("picture", json!({})),
            ("report", json!({})),
        ] {
            let call = json!({"name": tool, "arguments": arguments});
            let reply = legacy(&server, revision, "tools/call", call, "CallToolResult").await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.json()["result"].get("isError"), None);
        }
    }
}

#[tokio::test]
async fn an_unknown_revision_in_the_handshake_gets_the_newest_with_a_handshake() {
    let server = server().await;
    for asked in ["2026-07-28", "1.0.0", "3000-01-01", ""] {
        let hello = json!({"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let reply = legacy(
            &server,
            "2025-03-26",
            "initialize",
            hello,
            "InitializeResult",
        )
        .await
        .json();
        assert_eq!(reply["result"]["protocolVersion"], "2025-11-25", "{asked}");
    }
    for wrong in [
        json!({}),
        json!({"protocolVersion": 3}),
        json!({"protocolVersion": null}),
    ] {
        let reply = legacy(
            &server,
            "2025-11-25",
            "initialize",
            wrong,
            "InitializeResult",
        )
        .await;
        assert_eq!((reply.status, reply.code()), (200, -32602));
    }
}

#[tokio::test]
async fn what_legacy_clients_probe_is_empty() {
    let server = server().await;
    let probes = [
        ("resources/list", "resources", "ListResourcesResult"),
        (
            "resources/templates/list",
            "resourceTemplates",
            "ListResourceTemplatesResult",
        ),
        ("prompts/list", "prompts", "ListPromptsResult"),
    ];
    for revision in LEGACY {
        for (method, list, result) in probes {
            let reply = legacy(&server, revision, method, json!({}), result)
                .await
                .json();
            assert_eq!(reply["result"], json!({list: []}), "{revision}");
        }
    }
}

#[tokio::test]
async fn mistakes_of_legacy_clients_have_their_codes() {
    let server = server().await;
    let table = [
        ("nonsense", json!({}), -32601),
        ("server/discover", json!({}), -32601),
        ("tools/call", json!({}), -32602),
        ("tools/call", json!({"name": 7}), -32602),
        ("tools/call", json!({"name": "nobody"}), -32602),
        (
            "tools/call",
            json!({"name": "echo", "arguments": "x"}),
            -32602,
        ),
        (
            "tools/call",
            json!({"name": "echo", "arguments": [1]}),
            -32602,
        ),
        ("tools/list", json!({"cursor": "abc"}), -32602),
        ("tools/list", json!({"cursor": 3}), -32602),
    ];
    for revision in LEGACY {
        for (method, params, code) in table.clone() {
            let reply = legacy(&server, revision, method, params.clone(), "EmptyResult").await;
            assert_eq!(
                (reply.status, reply.code()),
                (200, code),
                "{revision} {method} {params}"
            );
        }
    }
    let reply = legacy(
        &server,
        "2025-11-25",
        "tools/call",
        json!({"name": "nobody"}),
        "EmptyResult",
    )
    .await;
    assert_eq!(reply.message(), "unknown tool: nobody");
}

#[tokio::test]
async fn a_header_with_an_unknown_revision_is_refused_with_those_we_speak() {
    let server = server().await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    for version in ["2025-06-19", "latest", ""] {
        let reply = Client::connect(server.address)
            .await
            .exchange(&post(&[("MCP-Protocol-Version", version)], body.as_bytes()))
            .await;
        assert_eq!((reply.status, reply.code()), (400, -32022), "{version}");
        assert_eq!(reply.json()["error"]["data"]["requested"], version);
        assert_eq!(reply.json()["error"]["data"]["supported"][0], MODERN);
    }
}

#[tokio::test]
async fn a_request_of_the_modern_era_stands_alone() {
    let server = server().await;
    let reply = Modern::new("server/discover", json!({}))
        .send(&server, "DiscoverResult")
        .await
        .json();
    let supported: Vec<&str> = reply["result"]["supportedVersions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect();
    assert_eq!(
        supported,
        [
            MODERN,
            "2025-11-25",
            "2025-06-18",
            "2025-03-26",
            "2024-11-05"
        ]
    );
    assert_eq!(reply["result"]["instructions"], "Use the tools.");
    assert_eq!(
        (&reply["result"]["ttlMs"], &reply["result"]["cacheScope"]),
        (&json!(60_000), &json!("private"))
    );

    let reply = Modern::new("tools/list", json!({}))
        .send(&server, "ListToolsResult")
        .await
        .json();
    assert_eq!(
        (&reply["result"]["ttlMs"], &reply["result"]["cacheScope"]),
        (&json!(60_000), &json!("private"))
    );
    assert_eq!(reply["result"]["tools"][0]["name"], "echo");

    let reply = Modern::call("echo", json!({"message": "hé"}))
        .send(&server, "CallToolResult")
        .await
        .json();
    assert_eq!(
        reply["result"]["content"],
        json!([{"type": "text", "text": "hé"}])
    );
    let reply = Modern::call("report", json!({}))
        .send(&server, "CallToolResult")
        .await
        .json();
    assert_eq!(
        reply["result"]["structuredContent"],
        json!({"lines": ["a\nb"]})
    );
    let reply = Modern::call("told", json!({}))
        .send(&server, "CallToolResult")
        .await
        .json();
    assert_eq!(reply["result"]["isError"], true);
}

#[tokio::test]
async fn clients_of_both_eras_share_one_connection() {
    let server = server().await;
    let mut client = Client::connect(server.address).await;
    let old = post(
        &[],
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
            .to_string()
            .as_bytes(),
    );
    let modern = Modern::new("tools/list", json!({}));
    let headers: Vec<(&str, &str)> = modern
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let new = post(&headers, modern.message.to_string().as_bytes());
    for _ in 0..3 {
        schemas::check(
            "2025-03-26",
            "ListToolsResult",
            &client.exchange(&old).await.json(),
        );
        schemas::check(
            MODERN,
            "ListToolsResult",
            &client.exchange(&new).await.json(),
        );
    }
}

#[tokio::test]
async fn metadata_that_is_missing_is_400_with_invalid_params() {
    let server = server().await;
    let complete = Modern::new("tools/list", json!({}));
    let spoiled = |change: fn(&mut Value)| {
        let mut request = complete.clone();
        change(&mut request.message["params"]);
        request
    };
    let table = [
        spoiled(|params| drop(params.as_object_mut().unwrap().remove("_meta"))),
        spoiled(|params| params["_meta"] = json!({})),
        spoiled(|params| params["_meta"] = json!(3)),
        spoiled(|params| params["_meta"] = json!({"progressToken": 1})),
        spoiled(|params| {
            drop(
                params["_meta"]
                    .as_object_mut()
                    .unwrap()
                    .remove("io.modelcontextprotocol/protocolVersion"),
            )
        }),
        spoiled(|params| {
            drop(
                params["_meta"]
                    .as_object_mut()
                    .unwrap()
                    .remove("io.modelcontextprotocol/clientCapabilities"),
            )
        }),
        spoiled(|params| {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(20260728)
        }),
        spoiled(|params| {
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!(true)
        }),
    ];
    for request in table {
        let reply = request.send(&server, "ListToolsResult").await;
        assert_eq!((reply.status, reply.code()), (400, -32602), "{request:?}");
        assert_eq!(reply.json()["id"], "m-1");
    }
    let mut nothing = complete.clone();
    nothing.message.as_object_mut().unwrap().remove("params");
    assert_eq!(
        nothing.send(&server, "ListToolsResult").await.code(),
        -32602
    );

    let anonymous = spoiled(|params| {
        drop(
            params["_meta"]
                .as_object_mut()
                .unwrap()
                .remove("io.modelcontextprotocol/clientInfo"),
        )
    });
    assert_eq!(
        anonymous.send(&server, "ListToolsResult").await.status,
        200,
        "a client need not say who it is"
    );
}

#[tokio::test]
async fn an_unknown_revision_is_400_with_those_we_speak() {
    let server = server().await;
    for version in ["2026-07-29", "1900-01-01"] {
        let mut request =
            Modern::new("tools/list", json!({})).with("MCP-Protocol-Version", version);
        request.message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] =
            json!(version);
        let reply = request.send(&server, "ListToolsResult").await;
        assert_eq!((reply.status, reply.code()), (400, -32022));
        let data = &reply.json()["error"]["data"];
        assert_eq!(
            (&data["requested"], &data["supported"][0]),
            (&json!(version), &json!(MODERN))
        );
        assert_eq!(reply.json()["id"], "m-1");
    }
}

#[tokio::test]
async fn methods_that_the_modern_era_does_not_have_are_404() {
    let server = server().await;
    for method in [
        "initialize",
        "ping",
        "nonsense",
        "logging/setLevel",
        "resources/subscribe",
        "prompts/list",
        "resources/list",
    ] {
        let reply = Modern::new(method, json!({"protocolVersion": MODERN}))
            .send(&server, "EmptyResult")
            .await;
        assert_eq!((reply.status, reply.code()), (404, -32601), "{method}");
        assert_eq!(reply.json()["id"], "m-1");
    }
}

#[tokio::test]
async fn a_known_method_with_wrong_parameters_is_never_an_unknown_method() {
    let server = server().await;
    for params in [
        json!({}),
        json!({"name": 3}),
        json!({"name": "echo", "arguments": "x"}),
        json!({"name": "echo", "arguments": []}),
    ] {
        let mut request = Modern::new("tools/call", params.clone());
        if params["name"].as_str().is_none() {
            request = request.without("Mcp-Name");
        }
        let reply = request.send(&server, "CallToolResult").await;
        assert_eq!((reply.status, reply.code()), (200, -32602), "{params}");
    }
    let reply = Modern::call("nobody", json!({}))
        .send(&server, "CallToolResult")
        .await;
    assert_eq!(
        (reply.status, reply.code(), reply.message().as_str()),
        (200, -32602, "unknown tool: nobody")
    );
    let reply = Modern::new("tools/list", json!({"cursor": "x"}))
        .send(&server, "ListToolsResult")
        .await;
    assert_eq!((reply.status, reply.code()), (200, -32602));
}

#[tokio::test]
async fn a_capability_that_a_tool_needs_must_be_declared() {
    let server = server().await;
    let request = Modern::call("sampler", json!({}));
    let reply = request.send(&server, "CallToolResult").await;
    assert_eq!((reply.status, reply.code()), (400, -32021));
    assert_eq!(
        reply.json()["error"]["data"]["requiredCapabilities"],
        json!({"sampling": {}})
    );

    let mut able = request;
    able.message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"sampling": {}});
    assert_eq!(
        able.send(&server, "CallToolResult").await.json()["result"]["content"][0]["text"],
        "sampled"
    );

    for (declared, missing) in [
        (
            json!({}),
            json!({"elicitation": {"url": {}}, "sampling": {}}),
        ),
        (
            json!({"elicitation": {}, "sampling": {}}),
            json!({"elicitation": {"url": {}}}),
        ),
        (
            json!({"elicitation": {"url": {}}, "sampling": null}),
            json!({"sampling": {}}),
        ),
        (
            json!({"elicitation": {"url": {}, "form": {}}, "sampling": {"tools": {}}}),
            json!(null),
        ),
    ] {
        let mut request = Modern::call("asker", json!({}));
        request.message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = declared;
        let reply = request.send(&server, "CallToolResult").await.json();
        assert_eq!(reply["error"]["data"]["requiredCapabilities"], missing);
    }
}

#[tokio::test]
async fn batches_are_of_one_revision() {
    let server = server().await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": "b", "method": "tools/call", "params": {"name": "echo", "arguments": {"message": "x"}}},
        {"jsonrpc": "2.0", "id": 3, "method": "nonsense"},
        5
    ]);
    for headers in [&[][..], &[("MCP-Protocol-Version", "2025-03-26")][..]] {
        let reply = Client::connect(server.address)
            .await
            .exchange(&post(headers, batch.to_string().as_bytes()))
            .await;
        let answers = reply.json();
        let answers = answers.as_array().unwrap();
        assert_eq!((reply.status, answers.len()), (200, 4));
        for (answer, result) in answers.iter().zip([
            "EmptyResult",
            "CallToolResult",
            "EmptyResult",
            "EmptyResult",
        ]) {
            schemas::check("2025-03-26", result, answer);
        }
        let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
        assert_eq!(ids, [&json!(1), &json!("b"), &json!(3), &Value::Null]);
    }
    for revision in [
        "2024-11-05",
        "2025-06-18",
        "2025-11-25",
        MODERN,
        "2030-01-01",
    ] {
        let bytes = post(
            &[("MCP-Protocol-Version", revision)],
            batch.to_string().as_bytes(),
        );
        let reply = Client::connect(server.address).await.exchange(&bytes).await;
        assert_eq!((reply.status, reply.code()), (400, -32600), "{revision}");
        if revision != "2030-01-01" {
            schemas::check_error(revision, &reply.json());
        }
    }
    let quiet = json!([{"jsonrpc": "2.0", "method": "notifications/initialized"}]).to_string();
    let reply = Client::connect(server.address)
        .await
        .exchange(&post(&[], quiet.as_bytes()))
        .await;
    assert_eq!((reply.status, reply.body.len()), (202, 0));
    for (size, status) in [(0, 400), (1, 200), (100, 200), (101, 400)] {
        let batch = vec![json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}); size];
        let reply = Client::connect(server.address)
            .await
            .exchange(&post(&[], json!(batch).to_string().as_bytes()))
            .await;
        assert_eq!(reply.status, status, "{size}");
    }
}

#[tokio::test]
async fn notifications_and_responses_are_accepted_without_a_word() {
    let server = server().await;
    for message in [
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}),
        json!({"jsonrpc": "2.0", "method": "notifications/unheard-of", "params": {"a": 1}}),
        json!({"jsonrpc": "2.0", "id": 4, "result": {}}),
        json!({"jsonrpc": "2.0", "id": 4, "error": {"code": 1, "message": "no"}}),
    ] {
        let reply = Client::connect(server.address)
            .await
            .exchange(&post(&[], message.to_string().as_bytes()))
            .await;
        assert_eq!((reply.status, reply.body.len()), (202, 0), "{message}");
    }
}
