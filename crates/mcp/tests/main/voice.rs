//! What a call says before its answer: progress, log messages, and the stream that carries them.
//! Silent afterwards.

use std::time::Duration;

use bytes::Bytes;
use footbridge_mcp::http::{AllowedHosts, McpService};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::hall::{builder, call, hall, person};
use crate::http_client::{Client, Modern, post, soon};
use crate::schemas::{self, MODERN};
use crate::wire::Wire;

const STEPS: &str = "steps";

fn modern(tool: &str, meta: &Value) -> Vec<u8> {
    modern_taking(tool, meta, "application/json, text/event-stream")
}

fn modern_taking(tool: &str, meta: &Value, accept: &str) -> Vec<u8> {
    let mut request = Modern::call(tool, json!({})).with("Accept", accept);
    for (key, value) in meta.as_object().unwrap() {
        request.message["params"]["_meta"][key] = value.clone();
    }
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    post(&headers, request.message.to_string().as_bytes())
}

async fn rest(stream: &mut Client) -> Vec<Value> {
    let mut messages = Vec::new();
    while let Some(message) = soon(stream.message()).await {
        messages.push(message);
    }
    messages
}

fn progress_of(messages: &[Value]) -> Vec<(Value, Value)> {
    let is_progress = |message: &&Value| message["method"] == "notifications/progress";
    let of = |message: &Value| {
        schemas::is_valid(MODERN, "ProgressNotification", message);
        (
            message["params"]["progressToken"].clone(),
            message["params"]["progress"].clone(),
        )
    };
    messages.iter().filter(is_progress).map(of).collect()
}

#[tokio::test]
async fn progress_carries_the_token_as_it_came_and_the_answer_is_last() {
    let hall = hall().await;
    for token in [json!("t"), json!(7), json!("7")] {
        let mut client = hall.client().await;
        hall.person.gate.add_permits(1);
        client
            .open(&modern(STEPS, &json!({ "progressToken": token })))
            .await;
        let messages = rest(&mut client).await;
        let steps: Vec<_> = [1.0, 1.0, 2.5, 3.0]
            .map(|step| (token.clone(), json!(step)))
            .to_vec();
        assert_eq!(progress_of(&messages), steps);
        assert_eq!(messages.len(), 5, "no log without a level");
        schemas::check(MODERN, "CallToolResult", messages.last().unwrap());
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_client_that_did_not_ask_or_takes_json_only() {
    let hall = hall().await;
    hall.person.gate.add_permits(2);
    let asked = json!({"progressToken": "t", "io.modelcontextprotocol/logLevel": "debug"});
    for bytes in [
        modern(STEPS, &json!({})),
        modern_taking(STEPS, &asked, "application/json"),
    ] {
        let reply = hall.client().await.exchange(&bytes).await;
        schemas::check(MODERN, "CallToolResult", &reply.json());
    }
}

#[tokio::test]
async fn the_log_has_what_is_severe_enough_in_both_eras() {
    let mut hall = hall().await;
    for (level, count) in [
        ("debug", 2),
        ("info", 2),
        ("notice", 1),
        ("error", 1),
        ("emergency", 0),
    ] {
        hall.person.gate.add_permits(2);
        let mut client = hall.client().await;
        client
            .open(&modern(
                STEPS,
                &json!({"io.modelcontextprotocol/logLevel": level, "progressToken": 1}),
            ))
            .await;
        let logged = |messages: &[Value]| {
            messages
                .iter()
                .filter(|message| message["method"] == "notifications/message")
                .count()
        };
        let messages = rest(&mut client).await;
        messages
            .iter()
            .filter(|one| one["method"] == "notifications/message")
            .for_each(|one| {
                schemas::is_valid(MODERN, "LoggingMessageNotification", one);
            });
        assert_eq!(logged(&messages), count, "{level}");

        let session = hall.session("2025-11-25", "ada", json!({})).await;
        let set = session
            .ask(&crate::hall::rpc(
                1,
                "logging/setLevel",
                json!({ "level": level }),
            ))
            .await;
        assert_eq!(set["result"], json!({}));
        let mut stream = session
            .stream(&session.post(&call(1, STEPS, Some("t"))))
            .await;
        assert_eq!(
            logged(&rest(&mut stream).await),
            count,
            "{level} in a session"
        );
    }
    while hall.has_told().is_some() {}
    let session = hall.session("2025-11-25", "ada", json!({})).await;
    for bad in [json!("loud"), json!(3), json!(null)] {
        let refused = session
            .ask(&crate::hall::rpc(
                1,
                "logging/setLevel",
                json!({ "level": bad }),
            ))
            .await;
        assert_eq!(refused["error"]["code"], -32602, "{bad}");
    }
}

#[tokio::test]
async fn an_endpoint_that_does_not_announce_a_log_writes_none() {
    let speaks = footbridge_mcp::Tool::new(
        "speaks",
        "d",
        json!({"type": "object"}),
        |call: footbridge_mcp::Call<_>| async move {
            call.log(footbridge_mcp::LogLevel::Alert, None, json!("x"))
                .await;
            Ok(footbridge_mcp::Output::text("said"))
        },
    );
    let endpoint = footbridge_mcp::Endpoint::builder("hall", "1")
        .tool(speaks)
        .build()
        .unwrap();
    let hall = crate::hall::hall_of(endpoint, footbridge_mcp::http::SessionLimits::default()).await;
    let session = hall.session("2025-11-25", "ada", json!({})).await;
    assert_eq!(
        session.ask(&call(1, "speaks", None)).await["result"]["content"][0]["text"],
        "said"
    );
    let reply = hall
        .client()
        .await
        .exchange(&modern(
            "speaks",
            &json!({"io.modelcontextprotocol/logLevel": "debug"}),
        ))
        .await;
    assert_eq!(reply.json()["result"]["content"][0]["text"], "said");
}

#[tokio::test]
async fn a_client_that_leaves_the_stream_cancels_its_call() {
    let mut hall = hall().await;
    let legacy = post(
        &[("Accept", "application/json, text/event-stream")],
        &call(1, STEPS, Some("t")),
    );
    for bytes in [modern(STEPS, &json!({"progressToken": 1})), legacy] {
        let mut client = hall.client().await;
        client.open(&bytes).await;
        soon(client.message()).await.unwrap();
        assert_eq!(hall.told().await, "said");
        drop(client);
        assert_eq!(hall.told().await, "cancelled");
    }
}

/// A task that outlives its call has no way to speak of it any more.
#[tokio::test]
async fn after_the_answer_nothing_is_said() {
    let mut hall = hall().await;
    let session = hall.session("2025-11-25", "ada", json!({})).await;
    let mut stream = session
        .stream(&session.post(&call(1, "talks_on", Some("t"))))
        .await;
    let in_session = rest(&mut stream).await;
    let mut client = hall.client().await;
    client
        .open(&modern("talks_on", &json!({"progressToken": 1})))
        .await;
    let outside = rest(&mut client).await;
    hall.person.gate.add_permits(2);
    assert_eq!(
        (hall.told().await, hall.told().await),
        ("spoke".to_owned(), "spoke".to_owned())
    );
    assert_eq!((in_session.len(), outside.len()), (2, 2));
    let mut back = session.stream(&session.get(Some("1-0"))).await;
    assert_eq!(rest(&mut back).await.len(), 2, "nor is it kept for later");
}

/// On a stopped clock, so that the limit is the real one and the test takes no time.
#[tokio::test(start_paused = true)]
async fn a_quiet_stream_is_kept_open_by_comments() {
    let (person, mut told) = person();
    let caller = person.clone();
    let mut service = McpService::public(
        builder().build().unwrap(),
        move || caller.clone(),
        AllowedHosts::loopback(),
    );
    let body = Bytes::from(call(1, STEPS, Some("t")));
    let mut wire = Wire::default();
    wire.sent_text(&body);
    let mut held = |frame: &[u8]| {
        let data = std::str::from_utf8(frame)
            .unwrap()
            .strip_prefix("event: message\ndata: ")
            .unwrap();
        wire.received(&serde_json::from_str(data.trim_end()).unwrap());
    };
    let request = http::Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json");
    let reply = service
        .call(request.body(Full::new(body)).unwrap())
        .await
        .unwrap();
    let mut body = reply.into_body();
    for _ in 0..3 {
        held(&body.frame().await.unwrap().unwrap().into_data().unwrap());
    }
    assert_eq!(told.recv().await.unwrap(), "said");
    for _ in 0..3 {
        let from = tokio::time::Instant::now();
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(
            (&frame[..], from.elapsed()),
            (&b":\n\n"[..], Duration::from_secs(15))
        );
    }
    person.gate.add_permits(1);
    let mut frames = 0;
    while let Some(frame) = body.frame().await {
        held(&frame.unwrap().into_data().unwrap());
        frames += 1;
    }
    assert_eq!(frames, 2, "the last step and the answer");
}
