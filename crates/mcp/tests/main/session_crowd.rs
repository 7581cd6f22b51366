//! As many sessions as there may be: opened, used, listened to and closed, against the service
//! itself.

use std::sync::Arc;

use bytes::Bytes;
use footbridge_mcp::http::{AllowedHosts, McpService, ReplyBody};
use footbridge_mcp::{Call, Change, Endpoint, Output, Tool, limits};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_service::Service;

use crate::hall::rpc;
use crate::http_client::soon;
use crate::wire::Wire;

async fn send(
    service: &mut impl Crowded,
    method: Method,
    session: Option<&str>,
    body: Vec<u8>,
) -> Response<ReplyBody> {
    let mut request = Request::builder()
        .method(method)
        .uri("/mcp")
        .header("host", "localhost");
    request = request
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    if let Some(session) = session {
        request = request
            .header("mcp-session-id", session)
            .header("mcp-protocol-version", "2025-11-25");
    }
    service
        .call(request.body(Full::new(Bytes::from(body))).unwrap())
        .await
        .unwrap()
}

/// The service under test.
trait Crowded:
    Service<Request<Full<Bytes>>, Response = Response<ReplyBody>, Error = std::convert::Infallible>
{
}
impl<
    S: Service<Request<Full<Bytes>>, Response = Response<ReplyBody>, Error = std::convert::Infallible>,
> Crowded for S
{
}

fn hello() -> Vec<u8> {
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    rpc(1, "initialize", params)
}

async fn open(service: &mut impl Crowded) -> Option<String> {
    let reply = send(service, Method::POST, None, hello()).await;
    assert_eq!(reply.status(), StatusCode::OK);
    let session = reply
        .headers()
        .get("mcp-session-id")
        .map(|id| id.to_str().unwrap().to_owned());
    answer(reply, &hello()).await;
    session
}

/// The answer to a request, held to the schemas.
async fn answer(reply: Response<ReplyBody>, request: &[u8]) -> Value {
    let mut wire = Wire::with_header(Some("2025-11-25"));
    wire.sent_text(request);
    let answer =
        serde_json::from_slice(&reply.into_body().collect().await.unwrap().to_bytes()).unwrap();
    wire.received(&answer);
    answer
}

async fn frame(body: &mut ReplyBody) -> String {
    String::from_utf8(
        soon(body.frame())
            .await
            .unwrap()
            .unwrap()
            .into_data()
            .unwrap()
            .to_vec(),
    )
    .unwrap()
}

#[tokio::test]
async fn ten_thousand_sessions_are_opened_used_and_closed() {
    let tool = Tool::new(
        "t",
        "For tests.",
        json!({"type": "object"}),
        |_: Call<()>| async { Ok(Output::text("done")) },
    );
    let endpoint = Endpoint::builder("crowded", "1")
        .tool(tool)
        .announces_changes()
        .build()
        .unwrap();
    let mut service = McpService::public(endpoint.clone(), || (), AllowedHosts::loopback());
    let mut sessions = Vec::new();
    for _ in 0..limits::SESSIONS {
        sessions.push(Arc::<str>::from(
            open(&mut service).await.expect("a session"),
        ));
    }
    assert_eq!(limits::SESSIONS, 10_000);
    assert_eq!(
        open(&mut service).await,
        None,
        "one more is served without a session"
    );

    let mut listening = Vec::new();
    for (number, session) in sessions.iter().enumerate() {
        let call = rpc(number, "tools/call", json!({"name": "t"}));
        let answer = answer(
            send(&mut service, Method::POST, Some(session), call.clone()).await,
            &call,
        )
        .await;
        assert_eq!(
            (&answer["id"], &answer["result"]["content"][0]["text"]),
            (&json!(number), &json!("done"))
        );
        if number % 10 == 0 {
            let mut body = send(&mut service, Method::GET, Some(session), Vec::new())
                .await
                .into_body();
            assert!(frame(&mut body).await.starts_with("id: 0-0\n"));
            listening.push(body);
        }
    }
    endpoint.lists_changed(&Change::Tools);
    for body in &mut listening {
        let frame = frame(body).await;
        let data = frame
            .lines()
            .find_map(|line| line.strip_prefix("data: "))
            .unwrap();
        assert!(data.contains("notifications/tools/list_changed"));
        Wire::with_header(Some("2025-11-25")).received(&serde_json::from_str(data).unwrap());
    }

    for session in &sessions {
        assert_eq!(
            send(&mut service, Method::DELETE, Some(session), Vec::new())
                .await
                .status(),
            StatusCode::NO_CONTENT
        );
    }
    for mut body in listening {
        assert!(
            soon(body.frame()).await.is_none(),
            "the end of a session ends its stream"
        );
    }
    let gone = send(
        &mut service,
        Method::POST,
        Some(&sessions[17]),
        rpc(1, "ping", json!({})),
    )
    .await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert!(answer(gone, &rpc(1, "ping", json!({}))).await["error"]["code"].is_i64());
    assert!(open(&mut service).await.is_some(), "there is room again");
}
