//! What a request must be before its message is read: path, Host, Origin, method, content type,
//! size. And the messages that are none.

use footbridge_mcp::limits;
use serde_json::json;

use crate::http_client::{Client, Reply, Server, chunked, post, request, server};
use crate::schemas;
use crate::world::nested;

const PING: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const JSON: (&str, &str) = ("Content-Type", "application/json");
const HOST: (&str, &str) = ("Host", "localhost");

async fn send(server: &Server, bytes: &[u8]) -> Reply {
    Client::connect(server.address).await.exchange(bytes).await
}

#[tokio::test]
async fn the_path_is_served_with_and_without_a_slash() {
    let server = server().await;
    for (line, status) in [
        ("POST /mcp", 200),
        ("POST /mcp/", 200),
        ("POST /mcp?key=value", 200),
        ("POST /", 404),
        ("POST /mcp/more", 404),
        ("POST /MCP", 404),
        ("GET /elsewhere", 404),
    ] {
        assert_eq!(
            send(&server, &request(line, &[HOST, JSON], PING))
                .await
                .status,
            status,
            "{line}"
        );
    }
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_forbidden() {
    let server = server().await;
    let port = server.address.port();
    let (named, numbered) = (format!("localhost:{port}"), format!("127.0.0.1:{port}"));
    let own = format!("http://{named}");
    for (headers, status) in [
        (&[("Host", named.as_str())][..], 200),
        (&[("Host", &numbered)], 200),
        (&[("Host", "[::1]:8000")], 200),
        (&[("Host", named.as_str()), ("Origin", own.as_str())], 200),
        (
            &[("Host", "localhost"), ("Origin", "http://localhost")],
            200,
        ),
        (
            &[("Host", "localhost"), ("Origin", "http://localhost:6274")],
            403,
        ),
        (
            &[("Host", "localhost"), ("Origin", "https://localhost")],
            403,
        ),
        (
            &[("Host", "localhost"), ("Origin", "http://127.0.0.1")],
            403,
        ),
        (&[("Host", "evil.example")], 403),
        (&[("Host", "localhost.evil.example")], 403),
        (&[], 403),
        (&[("Host", "localhost"), ("Host", "evil.example")], 403),
        (
            &[("Host", "localhost"), ("Origin", "https://evil.example")],
            403,
        ),
        (&[("Host", "localhost"), ("Origin", "null")], 403),
        (
            &[("Host", "evil.example"), ("Origin", "http://localhost")],
            403,
        ),
    ] {
        let reply = send(
            &server,
            &request("POST /mcp", &[&[JSON], headers].concat(), PING),
        )
        .await;
        assert_eq!(reply.status, status, "{headers:?}");
        if status == 403 {
            assert_eq!(reply.code(), -32600);
        }
    }
    for (target, status) in [
        ("http://localhost/mcp", 200),
        ("http://evil.example/mcp", 403),
    ] {
        let reply = send(
            &server,
            &request(&format!("POST {target}"), &[HOST, JSON], PING),
        )
        .await;
        assert_eq!(reply.status, status, "{target}");
    }
    let reply = send(
        &server,
        &post(
            &[
                ("Origin", "https://evil.example"),
                ("MCP-Protocol-Version", "2026-07-28"),
            ],
            PING,
        ),
    )
    .await;
    assert_eq!(reply.json().get("id"), None);
    assert_eq!(
        reply.message(),
        "the Origin 'https://evil.example' is not one that this server answers to"
    );
    schemas::check_error("2026-07-28", &reply.json());
}

#[tokio::test]
async fn only_post_is_served() {
    let server = server().await;
    for method in ["GET", "DELETE", "PUT", "PATCH", "OPTIONS"] {
        let reply = send(
            &server,
            &request(
                &format!("{method} /mcp"),
                &[HOST, ("Accept", "text/event-stream")],
                b"",
            ),
        )
        .await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some("POST")),
            "{method}"
        );
        assert_eq!(reply.code(), -32600);
    }
}

#[tokio::test]
async fn the_content_type_must_be_json() {
    let server = server().await;
    for (content_type, status) in [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON ;charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonp", 415),
        ("", 415),
    ] {
        let reply = send(
            &server,
            &request("POST /mcp", &[HOST, ("Content-Type", content_type)], PING),
        )
        .await;
        assert_eq!(reply.status, status, "{content_type}");
    }
    let reply = send(&server, &request("POST /mcp", &[HOST], PING)).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (
            415,
            "the Content-Type must be application/json; it is missing"
        )
    );
}

#[tokio::test]
async fn any_accept_header_is_answered_in_json() {
    let server = server().await;
    assert_eq!(
        send(&server, &post(&[], PING)).await.json()["result"],
        json!({})
    );
    for accept in [
        "*/*",
        "application/json",
        "text/event-stream",
        "application/json, text/event-stream",
        "text/html",
        "",
    ] {
        assert_eq!(
            send(&server, &post(&[("Accept", accept)], PING))
                .await
                .json()["result"],
            json!({}),
            "{accept}"
        );
    }
}

/// A ping with exactly this many bytes.
fn padded(bytes: usize) -> Vec<u8> {
    let mut body = PING.to_vec();
    body.resize(bytes, b' ');
    body
}

/// The client here writes all of its body before it reads, as many do: it must still get to read
/// the refusal.
#[tokio::test]
async fn a_body_at_the_limit_passes_and_a_longer_one_is_413() {
    let server = server().await;
    let (most, over, far_over) = (
        padded(limits::MESSAGE_BYTES),
        padded(limits::MESSAGE_BYTES + 1),
        padded(3 * limits::MESSAGE_BYTES),
    );
    assert_eq!(
        send(&server, &post(&[], &most)).await.json()["result"],
        json!({})
    );
    assert_eq!(
        send(&server, &chunked(&most)).await.json()["result"],
        json!({})
    );
    for refused in [
        post(&[], &over),
        chunked(&over),
        post(&[], &far_over),
        chunked(&far_over),
    ] {
        let reply = send(&server, &refused).await;
        assert_eq!((reply.status, reply.code()), (413, -32600));
        assert_eq!(
            reply.message(),
            "the message is longer than 4194304 bytes; send less in one call"
        );
    }
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_sends_a_large_body_first() {
    let server = server().await;
    let body = padded(2_000_000);
    for (bytes, status) in [
        (
            request("POST /mcp", &[("Host", "evil.example"), JSON], &body),
            403,
        ),
        (
            request("POST /mcp", &[HOST, ("Content-Type", "text/plain")], &body),
            415,
        ),
        (request("PUT /mcp", &[HOST, JSON], &body), 405),
    ] {
        assert_eq!(send(&server, &bytes).await.status, status);
    }
}

/// A client that asks first is answered at once and need not send what is refused anyway.
#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_spared_the_sending() {
    let server = server().await;
    let mut client = Client::connect(server.address).await;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        limits::MESSAGE_BYTES + 1
    );
    assert_eq!(client.exchange(head.as_bytes()).await.status, 413);
}

#[tokio::test]
async fn a_head_has_limits() {
    let server = server().await;
    let many = |count: usize| vec![("X-Filler", "x"); count];
    // Content-Length, Host and Content-Type are three more.
    assert_eq!(
        send(&server, &post(&many(limits::HTTP_HEADERS - 3), PING))
            .await
            .status,
        200
    );
    assert_eq!(
        send(&server, &post(&many(limits::HTTP_HEADERS - 2), PING))
            .await
            .status,
        431
    );
    let long = |bytes: usize| "x".repeat(bytes);
    assert_eq!(
        send(
            &server,
            &post(&[("X-Long", &long(limits::HTTP_HEAD_BYTES - 1000))], PING)
        )
        .await
        .status,
        200
    );
    assert_eq!(
        send(
            &server,
            &post(&[("X-Long", &long(2 * limits::HTTP_HEAD_BYTES))], PING)
        )
        .await
        .status,
        431
    );
}

#[tokio::test]
async fn what_is_no_message_has_its_code_and_the_connection_lives() {
    let server = server().await;
    let mut client = Client::connect(server.address).await;
    let digits = "9".repeat(5000);
    let deep = nested(10_000);
    let call = |arguments: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo","arguments":{arguments}}}}}"#)
            .into_bytes()
    };
    let table: Vec<(Vec<u8>, u16, i64)> = vec![
        (b"".to_vec(), 400, -32700),
        (b"{".to_vec(), 400, -32700),
        (b"ping".to_vec(), 400, -32700),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#.to_vec(),
            400,
            -32700,
        ),
        (b"\xff\xfe{}".to_vec(), 400, -32700),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\xc3\"}".to_vec(),
            400,
            -32700,
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}"#.to_vec(),
            400,
            -32700,
        ),
        (b"null".to_vec(), 400, -32600),
        (b"{}".to_vec(), 400, -32600),
        (
            br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#.to_vec(),
            400,
            -32600,
        ),
        (
            br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.to_vec(),
            400,
            -32600,
        ),
        (
            br#"{"jsonrpc":"2.0","id":"\ud800","method":"ping"}"#.to_vec(),
            400,
            -32600,
        ),
        (
            format!(r#"{{"jsonrpc":"2.0","id":{digits},"method":"ping"}}"#).into_bytes(),
            400,
            -32600,
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#.to_vec(),
            200,
            -32602,
        ),
        (call(r#"{"message":"\ud800"}"#), 200, -32602),
        (call(&format!(r#"{{"message":{digits}}}"#)), 200, -32602),
        (call(&format!(r#"{{"message":{deep}}}"#)), 200, -32602),
        (call(&deep), 200, -32602),
        (deep.clone().into_bytes(), 200, 0),
    ];
    for (body, status, code) in table {
        let reply = client.exchange(&post(&[], &body)).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        if code == 0 {
            assert_eq!(
                reply.json()[0]["error"]["code"],
                -32600,
                "a batch of one thing that is no message"
            );
            continue;
        }
        assert_eq!((reply.status, reply.code()), (status, code), "{shown}");
        schemas::check_error("2025-03-26", &reply.json());
        let newer = client
            .exchange(&post(&[("MCP-Protocol-Version", "2025-11-25")], &body))
            .await;
        assert_eq!((newer.status, newer.code()), (status, code), "{shown}");
        schemas::check_error("2025-11-25", &newer.json());
    }
    assert_eq!(
        client.exchange(&post(&[], PING)).await.json()["result"],
        json!({})
    );
}
