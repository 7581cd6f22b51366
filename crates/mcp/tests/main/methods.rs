//! Methods of an application's own, in both eras.

use std::time::Duration;

use crate::wire::{InMemory as _, Wire};
use footbridge_mcp::http::{AllowedHosts, McpService};
use footbridge_mcp::testing::TestClient;
use footbridge_mcp::{Call, Endpoint, Failure, Method, fail};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_service::Service as _;

#[derive(Deserialize)]
struct ShowWidget {
    id: String,
}

async fn show(call: Call<()>, ShowWidget { id }: ShowWidget) -> Result<Value, Failure> {
    assert!(call.arguments.is_empty());
    match &*id {
        "lost" => Err(fail("there is no widget lost; widgets/list has them")),
        "hidden" => Err(Failure::NotFound),
        "broken" => Err(std::io::Error::other("the disk of host-7 is gone"))?,
        "panic" => panic!("widget"),
        "text" => Ok(json!("not an object")),
        _ => Ok(json!({"id": id, "_meta": {"example.org/own": 1}})),
    }
}

fn endpoint() -> Endpoint<()> {
    Endpoint::builder("widgets", "1.0.0")
        .method(
            Method::new("widgets/list", async |_: Call<()>, _: Value| Ok(json!({})))
                .capability("widgets", json!({"colours": true}))
                .ttl(Duration::from_secs(3)),
        )
        .method(Method::new("widgets/show", show).name_header("id"))
        .method(Method::new("tools/list", async |_: Call<()>, _: Value| {
            Ok(json!({"tools": [], "ttlMs": 9, "cacheScope": "public"}))
        }))
        .method(
            Method::new("widgets/wait", async |_: Call<()>, _: Value| {
                std::future::pending::<Result<Value, Failure>>().await
            })
            .time_limit(Duration::from_millis(5)),
        )
        .build()
        .unwrap()
}

fn client() -> TestClient<()> {
    endpoint().client(())
}

#[tokio::test]
async fn results_are_completed_and_say_their_own_words() {
    let server = json!({"name": "widgets", "version": "1.0.0"});
    let list = client().request("widgets/list", Value::Null).await.unwrap();
    assert_eq!(
        list.result(),
        &json!({
            "_meta": {"io.modelcontextprotocol/serverInfo": server}, "resultType": "complete", "ttlMs": 3000, "cacheScope": "private"
        })
    );
    let show = client()
        .request("widgets/show", json!({"id": "a"}))
        .await
        .unwrap();
    assert_eq!(
        show.result(),
        &json!({
            "id": "a", "_meta": {"example.org/own": 1, "io.modelcontextprotocol/serverInfo": server}, "resultType": "complete"
        })
    );
    let replaced = client().request("tools/list", json!({})).await.unwrap();
    assert_eq!(
        (
            &replaced.result()["ttlMs"],
            &replaced.result()["cacheScope"]
        ),
        (&json!(9), &json!("public"))
    );
    let discovered = client()
        .request("server/discover", json!({}))
        .await
        .unwrap();
    assert_eq!(
        discovered.result()["capabilities"],
        json!({"widgets": {"colours": true}})
    );
}

#[tokio::test]
async fn each_failure_has_its_code() {
    let table = [
        (
            "widgets/show",
            json!({"id": "lost"}),
            -32602,
            "there is no widget lost; widgets/list has them",
        ),
        ("widgets/show", json!({}), -32602, "missing field `id`"),
        (
            "widgets/show",
            json!({"id": "hidden"}),
            -32601,
            "widgets/show",
        ),
        (
            "widgets/show",
            json!({"id": "broken"}),
            -32603,
            "internal error",
        ),
        (
            "widgets/show",
            json!({"id": "panic"}),
            -32603,
            "internal error",
        ),
        (
            "widgets/show",
            json!({"id": "text"}),
            -32603,
            "internal error",
        ),
        ("widgets/wait", json!({}), -32603, "time limit"),
        ("widgets/drop", json!({}), -32601, "widgets/drop"),
    ];
    for (method, params, code, says) in table {
        let error = client().request(method, params.clone()).await.unwrap_err();
        assert_eq!(error.code, code, "{method} {params}");
        assert!(
            error.message.contains(says) && !error.message.contains("host-7"),
            "{error}"
        );
    }
}

async fn post(headers: &[(&str, &str)], body: Value) -> (u16, Value) {
    let mut service = McpService::public(endpoint(), || (), AllowedHosts::loopback());
    let mut request = Request::builder()
        .method("POST")
        .uri("/")
        .header("host", "localhost")
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = service
        .call(request.body(Full::from(body.to_string())).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let answer =
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    let mut wire = Wire::with_header(
        headers
            .iter()
            .find(|(name, _)| *name == "mcp-protocol-version")
            .map(|(_, version)| *version),
    );
    wire.sent(&body);
    wire.received(&answer);
    (status, answer)
}

#[tokio::test]
async fn the_name_header_repeats_the_parameter() {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "widgets/show", "params": {"id": "a", "_meta": meta}});
    let standard = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "widgets/show"),
    ];
    for (name, status) in [(Some("a"), 200), (Some("b"), 400), (None, 400)] {
        let headers: Vec<_> = standard
            .into_iter()
            .chain(name.map(|name| ("mcp-name", name)))
            .collect();
        let (answered, reply) = post(&headers, body.clone()).await;
        assert_eq!(answered, status, "{name:?} {reply}");
        assert_eq!(
            reply["error"]["code"],
            if status == 200 {
                Value::Null
            } else {
                json!(-32020)
            }
        );
    }
}

#[tokio::test]
async fn the_legacy_era_has_them_too_without_the_stamps_of_the_modern() {
    let (status, reply) = post(
        &[],
        json!({"jsonrpc": "2.0", "id": 1, "method": "widgets/list"}),
    )
    .await;
    assert_eq!((status, &reply["result"]), (200, &json!({})));
    let (_, reply) = post(
        &[],
        json!({"jsonrpc": "2.0", "id": 1, "method": "widgets/show", "params": {"id": "a"}}),
    )
    .await;
    assert_eq!(
        reply["result"],
        json!({"id": "a", "_meta": {"example.org/own": 1}})
    );
}

#[test]
fn what_cannot_be_a_method_is_a_build_error() {
    let method = |name: &str| Method::new(name, async |_: Call<()>, _: Value| Ok(json!({})));
    let names = [
        "initialize",
        "ping",
        "server/discover",
        "subscriptions/listen",
        "notifications/x",
        "",
        "a b",
        "a/b",
        "a/b",
    ];
    let builder = names
        .iter()
        .fold(Endpoint::builder("w", "1"), |builder, name| {
            builder.method(method(name))
        });
    let problems = builder.build().unwrap_err().0;
    assert_eq!(problems.len(), 8, "{problems:?}");
    assert_eq!(problems.last().unwrap().name, "a/b");
}
