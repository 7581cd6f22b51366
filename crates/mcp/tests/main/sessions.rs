//! Sessions of the legacy era: opened, found, bounded and ended; streams that a client leaves and
//! comes back to.

use std::time::Duration;

use footbridge_mcp::Change;
use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::limits;
use serde_json::{Value, json};

use crate::hall::{CHATTER, Session, builder, call, hall, hall_of, rpc};
use crate::http_client::{Client, Modern, post, soon};
use crate::schemas;

const REVISION: &str = "2025-11-25";

fn is_answer(message: &Value, text: &str) {
    schemas::check(REVISION, "CallToolResult", message);
    assert_eq!(message["result"]["content"][0]["text"], text);
}

#[tokio::test]
async fn a_session_begins_with_initialize_and_ends_with_delete() {
    let hall = hall().await;
    let plain = hall
        .client()
        .await
        .exchange(&post(&[], &rpc(1, "tools/list", json!({}))))
        .await;
    assert_eq!((plain.status, plain.header("mcp-session-id")), (200, None));
    let failed = hall
        .client()
        .await
        .exchange(&post(&[], &rpc(1, "initialize", json!({}))))
        .await;
    assert_eq!(
        (failed.code(), failed.header("mcp-session-id")),
        (-32602, None),
        "what fails opens nothing"
    );

    let (one, other) = (
        hall.session(REVISION, "ada", json!({})).await,
        hall.session(REVISION, "ada", json!({})).await,
    );
    assert_ne!(one.id, other.id);
    assert!(one.id.bytes().all(|byte| byte.is_ascii_graphic()) && one.id.len() >= 32);
    assert_eq!((one.status().await, other.status().await), (200, 200));
    assert_eq!(
        hall.client().await.exchange(&one.delete()).await.status,
        204
    );
    assert_eq!((one.status().await, other.status().await), (404, 200));
    assert_eq!(
        hall.client().await.exchange(&one.delete()).await.status,
        404
    );
    assert_eq!(
        hall.client().await.exchange(&one.get(None)).await.status,
        404
    );
}

#[tokio::test]
async fn a_session_of_somebody_else_is_unknown() {
    let hall = hall().await;
    let own = hall.session(REVISION, "ada", json!({})).await;
    let mut stolen = own.clone();
    stolen.user = "eve".to_owned();
    let mut invented = own.clone();
    invented.id = "A".repeat(own.id.len());
    let ways: [fn(&Session) -> Vec<u8>; 3] = [
        |one| one.post(&rpc(1, "ping", json!({}))),
        |one| one.get(None),
        |one| one.delete(),
    ];
    for bytes in ways {
        let (one, other) = (
            hall.client().await.exchange(&bytes(&stolen)).await,
            hall.client().await.exchange(&bytes(&invented)).await,
        );
        assert_eq!(
            (one.status, &one.body),
            (404, &other.body),
            "nothing tells the two apart"
        );
        schemas::check_error(REVISION, &one.json());
    }
    assert_eq!(own.status().await, 200, "and it still stands");
}

#[tokio::test]
async fn sessions_are_capped_and_the_idle_ones_give_way() {
    let limits = SessionLimits::default()
        .sessions(2)
        .idle_time(Duration::from_secs(3600));
    let hall = hall_of(builder().build().unwrap(), limits).await;
    let (one, other) = (
        hall.session(REVISION, "ada", json!({})).await,
        hall.session(REVISION, "ada", json!({})).await,
    );
    let hello = json!({"protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let third = hall
        .client()
        .await
        .exchange(&post(&[], &rpc(1, "initialize", hello)))
        .await;
    assert_eq!(
        (third.status, third.header("mcp-session-id")),
        (200, None),
        "served all the same, without a session"
    );
    assert_eq!((one.status().await, other.status().await), (200, 200));
    hall.client().await.exchange(&one.delete()).await;
    hall.session(REVISION, "ada", json!({})).await;

    let limits = SessionLimits::default()
        .sessions(1)
        .idle_time(Duration::ZERO);
    let hall = hall_of(builder().build().unwrap(), limits).await;
    let one = hall.session(REVISION, "ada", json!({})).await;
    hall.session(REVISION, "ada", json!({})).await;
    assert_eq!(one.status().await, 404);
}

#[tokio::test]
async fn a_request_of_2026_does_not_look_at_the_session() {
    let hall = hall().await;
    let request = Modern::call("echo", json!({}));
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain([("Mcp-Session-Id", "none")])
        .collect();
    let reply = hall
        .client()
        .await
        .exchange(&post(&headers, request.message.to_string().as_bytes()))
        .await;
    schemas::check("2026-07-28", "CallToolResult", &reply.json());
    assert_eq!((reply.status, reply.header("mcp-session-id")), (200, None));
}

/// The client leaves in the middle of the stream of its request, the call goes on, and the rest is
/// there when it comes back.
#[tokio::test]
async fn a_lost_stream_is_no_cancellation_and_can_be_come_back_to() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut stream = session
        .stream(&session.post(&call(7, "steps", Some("t"))))
        .await;
    let primer = soon(stream.event()).await.unwrap();
    assert_eq!(
        (&*primer.data, primer.retry.is_some(), primer.id.is_some()),
        ("", true, true),
        "an id to come back with, first of all"
    );
    let first = soon(stream.event()).await.unwrap();
    assert_eq!(first.json()["params"]["progress"], 1.0);
    assert_eq!(hall.told().await, "said");
    drop(stream);
    hall.person.gate.add_permits(1);
    assert_eq!(hall.told().await, "finished");

    let mut back = session.stream(&session.get(first.id.as_deref())).await;
    let mut rest = Vec::new();
    while let Some(message) = back.message().await {
        rest.push(message);
    }
    let methods: Vec<_> = rest
        .iter()
        .map(|message| message["method"].as_str().unwrap_or("answer"))
        .collect();
    let (progress, log) = ("notifications/progress", "notifications/message");
    assert_eq!(
        methods,
        [progress, progress, log, log, progress, "answer"],
        "neither one twice nor one lost"
    );
    is_answer(rest.last().unwrap(), "arrived");

    let mut again = session.stream(&session.get(primer.id.as_deref())).await;
    let mut count = 0;
    while again.message().await.is_some() {
        count += 1;
    }
    assert_eq!(count, 7, "the whole stream, a second time");
}

#[tokio::test]
async fn a_client_that_goes_before_anything_was_said_does_not_cancel_either() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    for accept in ["application/json, text/event-stream", "application/json"] {
        let mut client = hall.client().await;
        let bytes = String::from_utf8(session.post(&call(1, "wait", None))).unwrap();
        client
            .send(
                bytes
                    .replace("application/json, text/event-stream", accept)
                    .as_bytes(),
            )
            .await;
        assert_eq!(hall.told().await, "started");
        drop(client);
        assert_eq!(session.status().await, 200);
        hall.person.gate.add_permits(1);
        assert_eq!(hall.told().await, "finished", "{accept}");
    }
}

#[tokio::test]
async fn a_call_of_a_session_is_cancelled_by_notice() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let other = hall.session(REVISION, "ada", json!({})).await;
    let mut client = hall.client().await;
    client.send(&session.post(&call("a", "wait", None))).await;
    assert_eq!(hall.told().await, "started");
    let notice = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "a"}});
    other.notify(&notice).await;
    assert_eq!(
        hall.has_told(),
        None,
        "an id means something in its own session only"
    );
    session.notify(&notice).await;
    assert_eq!(hall.told().await, "cancelled");
    let reply = client.receive().await.unwrap();
    assert_eq!(
        (reply.status, reply.body.len()),
        (202, 0),
        "what was taken back is not answered"
    );

    let mut stream = session
        .stream(&session.post(&call("a", "steps", Some("t"))))
        .await;
    assert_eq!(hall.told().await, "said");
    session.notify(&notice).await;
    assert_eq!(hall.told().await, "cancelled");
    let mut last = Value::Null;
    while let Some(message) = stream.message().await {
        last = message;
    }
    assert_eq!(
        last["method"], "notifications/message",
        "the stream ends without an answer"
    );
}

#[tokio::test]
async fn the_stream_of_a_session_has_one_reader_and_loses_nothing_between_two() {
    let hall = hall_of(
        builder().announces_changes().build().unwrap(),
        SessionLimits::default(),
    )
    .await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut first = session.stream(&session.get(None)).await;
    soon(first.event()).await.unwrap();
    hall.endpoint.lists_changed(&Change::Tools);
    let told = soon(first.event()).await.unwrap();
    schemas::is_valid(REVISION, "ToolListChangedNotification", &told.json());

    let mut second = session.stream(&session.get(None)).await;
    soon(second.event()).await.unwrap();
    assert!(soon(first.event()).await.is_none(), "the older reader ends");
    drop(first);
    hall.endpoint.lists_changed(&Change::Prompts);
    let next = soon(second.event()).await.unwrap();
    assert_eq!(
        next.json()["method"],
        "notifications/prompts/list_changed",
        "what was read before is not told again"
    );
    drop(second);

    hall.endpoint.lists_changed(&Change::Resources);
    let mut third = session.stream(&session.get(next.id.as_deref())).await;
    assert_eq!(
        soon(third.message()).await.unwrap()["method"],
        "notifications/resources/list_changed"
    );
    let mut fourth = session.stream(&session.get(told.id.as_deref())).await;
    assert_eq!(
        soon(fourth.message()).await.unwrap()["method"],
        "notifications/prompts/list_changed"
    );

    for bad in ["x", "9-1", "-", "0-x", ""] {
        let reply = hall.client().await.exchange(&session.get(Some(bad))).await;
        assert_eq!(
            reply.status, 400,
            "{bad:?}: 404 would say that the session is gone"
        );
    }
    hall.client().await.exchange(&session.delete()).await;
    while soon(fourth.message()).await.is_some() {}
}

#[tokio::test]
async fn a_released_client_comes_back_for_its_answer() {
    let hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut stream = session
        .stream(&session.post(&call(1, "release", None)))
        .await;
    let primer = soon(stream.event()).await.unwrap();
    assert!(soon(stream.event()).await.is_none());
    hall.person.gate.add_permits(1);
    let mut back = session.stream(&session.get(primer.id.as_deref())).await;
    is_answer(&soon(back.message()).await.unwrap(), "released");

    // Without an event id there is nothing to come back with, so an older client is not sent away.
    let old = hall.session("2025-06-18", "ada", json!({})).await;
    hall.person.gate.add_permits(1);
    let answer = old.ask(&call(1, "release", None)).await;
    assert_eq!(answer["result"]["content"][0]["text"], "released");
}

/// The tool is stopped by what its client leaves unread, and goes on when the session ends.
#[tokio::test]
async fn a_client_that_never_comes_back_costs_a_bounded_number_of_messages() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut stream = session
        .stream(&session.post(&call(1, "chatter", Some("t"))))
        .await;
    soon(stream.event()).await.unwrap();
    drop(stream);
    // So many are kept for it. What the connection still took comes before that, and then nothing
    // does.
    let mut steps = 0;
    while steps < limits::WAITING_MESSAGES {
        assert_eq!(hall.told().await, "step");
        steps += 1;
    }
    while let Ok(step) = tokio::time::timeout(Duration::from_millis(300), hall.told()).await {
        assert_eq!(step, "step");
        steps += 1;
    }
    assert!(steps < CHATTER as usize, "{steps}");
    hall.client().await.exchange(&session.delete()).await;
    while hall.told().await == "step" {}
}

#[tokio::test]
async fn too_many_calls_of_one_session_are_refused() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    for id in 0..limits::SESSION_CALLS_IN_FLIGHT {
        let mut client = Client::connect(hall.address).await;
        client.send(&session.post(&call(id, "wait", None))).await;
        assert_eq!(hall.told().await, "started");
    }
    let refused = session.ask(&call("more", "wait", None)).await;
    schemas::check_error(REVISION, &refused);
    assert_eq!(
        (refused["error"]["code"].clone(), refused["id"].clone()),
        (json!(-32603), json!("more"))
    );
    hall.person
        .gate
        .add_permits(limits::SESSION_CALLS_IN_FLIGHT);
}

#[tokio::test]
async fn a_server_that_stops_ends_streams_and_lets_calls_answer() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut own = session.stream(&session.get(None)).await;
    let mut calling = session
        .stream(&session.post(&call(1, "steps", Some("t"))))
        .await;
    assert_eq!(hall.told().await, "said");
    hall.service.end_streams();
    while soon(own.event()).await.is_some() {}
    hall.person.gate.add_permits(1);
    let mut last = Value::Null;
    while let Some(message) = calling.message().await {
        last = message;
    }
    is_answer(&last, "arrived");
}
