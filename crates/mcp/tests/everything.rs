//! What the fixture of the conformance suite answers, word for word: the suite itself accepts any
//! text.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly; the exemption for tests covers only the test functions themselves"
)]

#[path = "../examples/everything/asking.rs"]
mod asking;
#[path = "../examples/everything/endpoint.rs"]
mod endpoint;
#[path = "../examples/everything/prompts.rs"]
mod prompts;
#[path = "../examples/everything/resources.rs"]
mod resources;
#[path = "main/schemas.rs"]
#[allow(dead_code, reason = "the other tests need all of it")]
mod schemas;
#[path = "../examples/everything/skills.rs"]
mod skills;
#[path = "../examples/everything/tasks.rs"]
mod tasks;
#[path = "../examples/everything/watching.rs"]
mod watching;
#[path = "main/wire.rs"]
#[allow(dead_code, reason = "the other tests need all of it")]
mod wire;
#[path = "../examples/everything/zoo.rs"]
mod zoo;

#[path = "everything/answers.rs"]
mod answers;
#[path = "everything/over_http.rs"]
mod over_http;
#[path = "everything/questions.rs"]
mod questions;
#[path = "everything/rmcp.rs"]
mod rmcp_client;
#[path = "main/rmcp_wire.rs"]
mod rmcp_wire;
#[path = "everything/things.rs"]
mod things;

use footbridge_mcp::testing::{TestClient, TestError};
use schemas::MODERN;
use serde_json::{Value, json};
use wire::InMemory as _;

/// A client in memory that declares elicitation, sampling and roots.
fn client() -> TestClient<()> {
    endpoint::endpoint().unwrap().client(())
}

/// A result that is what the schema says.
async fn checked(
    client: &TestClient<()>,
    method: &str,
    params: Value,
    definition: &str,
) -> Result<Value, TestError> {
    let result = client.request(method, params).await?.result().clone();
    schemas::check(
        MODERN,
        definition,
        &json!({"jsonrpc": "2.0", "id": 1, "result": result}),
    );
    Ok(result)
}

/// The content of a tool's result, which is no error.
async fn content(client: &TestClient<()>, tool: &str, arguments: Value) -> Value {
    let result = checked(
        client,
        "tools/call",
        json!({"name": tool, "arguments": arguments}),
        "CallToolResult",
    )
    .await
    .unwrap();
    assert_eq!(result.get("isError"), None, "{result}");
    result["content"].clone()
}

fn text(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}
