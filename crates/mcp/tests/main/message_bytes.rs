//! The largest message, where an endpoint says it: over HTTP and over stdio.

use std::io::{BufRead as _, BufReader, Write as _};

use bytes::Bytes;
use footbridge_mcp::Endpoint;
use footbridge_mcp::http::{AllowedHosts, McpService};
use footbridge_mcp::stdio::Connection;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_service::Service as _;

const MOST: usize = 200;

fn endpoint() -> Endpoint<()> {
    Endpoint::builder("small", "1")
        .message_bytes(MOST)
        .build()
        .unwrap()
}

/// A ping of so many bytes.
fn ping(bytes: usize) -> String {
    let empty =
        json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": ""}}).to_string();
    empty.replace(
        r#""x":"""#,
        &format!(r#""x":"{}""#, "x".repeat(bytes - empty.len())),
    )
}

const SAID: &str = "the message is longer than 200 bytes; send less in one call";

#[tokio::test]
async fn a_body_may_be_so_long_and_no_longer() {
    let mut service = McpService::public(endpoint(), || (), AllowedHosts::loopback());
    for (bytes, status) in [(MOST, 200), (MOST + 1, 413)] {
        let request = http::Request::post("/mcp")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(ping(bytes))))
            .unwrap();
        let response = service.call(request).await.unwrap();
        assert_eq!(response.status(), status);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer.get("error").is_some(), bytes > MOST, "{answer}");
        if bytes > MOST {
            assert_eq!(answer["error"]["message"], SAID);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_line_may_be_so_long_and_no_longer() {
    let (input_end, mut input) = std::io::pipe().unwrap();
    let (output, output_end) = std::io::pipe().unwrap();
    let _connection = Connection::start(endpoint(), (), input_end, output_end).unwrap();
    let mut lines = BufReader::new(output).lines();
    for (bytes, is_error) in [(MOST, false), (MOST + 1, true)] {
        input
            .write_all(format!("{}\n", ping(bytes)).as_bytes())
            .unwrap();
        let answer: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer.get("error").is_some(), is_error, "{answer}");
    }
}
