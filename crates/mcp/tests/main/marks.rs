//! What goes with a block, a resource's contents and a result beside themselves: annotations and
//! `_meta`.

use bytes::Bytes;
use footbridge_mcp::http::{AllowedHosts, McpService};
use footbridge_mcp::{
    Audience, Call, Content, Endpoint, Messages, Output, Prompt, Resource, ResourceAnnotations,
    ResourceBody, ResourceLink, Tool,
};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::wire::InMemory as _;

fn endpoint() -> Endpoint<()> {
    let marked = |block: Content| {
        let annotations = ResourceAnnotations::default()
            .audience([Audience::User])
            .priority(0.5);
        block
            .annotated(annotations)
            .meta("example.org/block", json!(1))
    };
    let blocks = Tool::new(
        "blocks",
        "",
        json!({"type": "object"}),
        move |_: Call<()>| {
            let blocks = [
                Content::text("text"),
                Content::image(b"i", "image/png"),
                Content::audio(b"a", "audio/wav"),
                Content::text_resource("a://b", "text/plain", "t"),
                ResourceLink::new("a://b", "b").into(),
            ];
            let output = Output::content(blocks.map(marked).into());
            async move { Ok(output.meta("example.org/result", json!(2))) }
        },
    );
    let contents = Resource::new("a://csv", "csv", async |_| {
        Ok(ResourceBody::from("a,b")
            .mime_type("text/csv")
            .meta("example.org/rows", json!(1)))
    });
    let begin = Prompt::new("begin", "", async |_| {
        Ok(Messages::user("hello").meta("example.org/prompt", json!(3)))
    });
    Endpoint::builder("marks", "1")
        .tool(blocks)
        .resource(contents.mime_type("text/plain"))
        .prompt(begin)
        .build()
        .unwrap()
}

#[tokio::test]
async fn blocks_contents_and_results_carry_what_is_said_of_them() {
    let client = endpoint().client(());
    let called = client.call("blocks", json!({})).await.unwrap();
    let blocks = called.result()["content"].as_array().unwrap();
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        assert_eq!(
            block["annotations"],
            json!({"audience": ["user"], "priority": 0.5}),
            "{block}"
        );
        assert_eq!(block["_meta"], json!({"example.org/block": 1}), "{block}");
    }
    assert_eq!(called.result()["_meta"]["example.org/result"], 2);
    let read = client.read("a://csv").await.unwrap();
    assert_eq!(
        read.result()["contents"],
        json!([{"uri": "a://csv", "mimeType": "text/csv", "text": "a,b", "_meta": {"example.org/rows": 1}}])
    );
    let begun = client.get("begin", json!({})).await.unwrap();
    let meta = &begun.result()["_meta"];
    assert_eq!(meta["example.org/prompt"], 3);
    assert_eq!(meta["io.modelcontextprotocol/serverInfo"]["name"], "marks");
    assert_eq!(begun.result()["resultType"], "complete");
}

#[tokio::test]
async fn they_do_so_in_the_legacy_era_too() {
    let mut service = McpService::public(endpoint(), || (), AllowedHosts::loopback());
    let message =
        json!({"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": "begin"}});
    let request = http::Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(message.to_string())))
        .unwrap();
    let response = service.call(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        answer["result"]["_meta"],
        json!({"example.org/prompt": 3}),
        "{answer}"
    );
}
