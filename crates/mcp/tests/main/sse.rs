//! HTTP+SSE as a client of 2024-11-05 meets it: one stream for all that the server says, POST for
//! all that the client says.

use footbridge_mcp::http::ServerLimits;
use footbridge_mcp::{Call, Resource, ResourceBody};
use serde_json::{Value, json};

use crate::channel::{Channel, sse_hall, sse_hall_with};
use crate::hall::{Person, builder, call, rpc};
use crate::http_client::soon;
use crate::schemas::{self, LEGACY};

const OLDEST: &str = "2024-11-05";

fn cancelled(id: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
}

#[tokio::test]
async fn a_conversation_goes_out_by_post_and_comes_back_on_the_channel() {
    let hall = sse_hall().await;
    for revision in LEGACY {
        let mut channel = hall.greeted(revision, json!({})).await;
        assert!(
            channel.messages.starts_with("/sse/messages/?session_id="),
            "{}",
            channel.messages
        );
        channel.send(&rpc(1, "tools/list", json!({}))).await;
        schemas::check(revision, "ListToolsResult", &channel.next().await);
        channel
            .send(&rpc(
                "two",
                "tools/call",
                json!({"name": "echo", "arguments": {"a": "hé"}}),
            ))
            .await;
        let answer = channel.next().await;
        schemas::check(revision, "CallToolResult", &answer);
        assert_eq!(
            (&answer["id"], &answer["result"]["content"][0]["text"]),
            (&json!("two"), &json!(r#"{"a":"hé"}"#))
        );
        channel.send(&rpc(3, "nonsense", json!({}))).await;
        let answer = channel.next().await;
        schemas::check_error(revision, &answer);
        assert_eq!(answer["error"]["code"], -32601);
        channel.nothing_but_a_ping().await;
    }
}

#[tokio::test]
async fn what_is_no_message_is_told_on_the_channel() {
    let hall = sse_hall().await;
    let mut channel = hall.greeted(OLDEST, json!({})).await;
    for (body, code) in [
        (&b"{"[..], -32700),
        (b"5", -32600),
        (b"\xff", -32700),
        (br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
    ] {
        channel.send(body).await;
        let answer = channel.next().await;
        schemas::check_error(OLDEST, &answer);
        assert_eq!(
            answer["error"]["code"],
            code,
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    channel.nothing_but_a_ping().await;
}

#[tokio::test]
async fn progress_and_log_messages_come_before_the_answer() {
    let mut hall = sse_hall().await;
    let mut channel = hall.greeted(OLDEST, json!({})).await;
    channel.send(&call(1, "steps", Some("t"))).await;
    assert_eq!(hall.told().await, "said");
    hall.person.gate.add_permits(1);
    let mut methods = Vec::new();
    let answer = loop {
        let message = channel.next().await;
        match message["method"].as_str() {
            Some("notifications/progress") => {
                schemas::is_valid(OLDEST, "ProgressNotification", &message)
            }
            Some(_) => schemas::is_valid(OLDEST, "LoggingMessageNotification", &message),
            None => break message,
        }
        methods.push(
            message["method"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned(),
        );
    };
    assert_eq!(
        methods,
        [
            "progress", "progress", "progress", "message", "message", "progress"
        ]
    );
    schemas::check(OLDEST, "CallToolResult", &answer);
    assert_eq!(
        (&answer["id"], &answer["result"]["content"][0]["text"]),
        (&json!(1), &json!("arrived"))
    );
}

#[tokio::test]
async fn the_user_is_asked_on_the_channel_and_answers_by_post() {
    const REVISION: &str = "2025-11-25";
    let hall = sse_hall().await;
    let mut channel = hall
        .greeted(
            REVISION,
            json!({"elicitation": {}, "sampling": {}, "roots": {}}),
        )
        .await;
    channel.send(&call("c", "three", None)).await;
    let mut asked = Vec::new();
    for _ in 0..3 {
        let question = channel.next().await;
        schemas::is_valid(REVISION, "ServerRequest", &question);
        asked.push(question);
    }
    for question in asked.iter().rev() {
        let result = match question["method"].as_str().unwrap() {
            "elicitation/create" => json!({"action": "accept", "content": {"name": "Ada"}}),
            "roots/list" => json!({"roots": []}),
            _ => {
                json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "yes"}})
            }
        };
        channel
            .notify(&json!({"jsonrpc": "2.0", "id": question["id"], "result": result}))
            .await;
    }
    let answer = channel.next().await;
    schemas::check(REVISION, "CallToolResult", &answer);
    assert_eq!(
        answer["result"]["content"][0]["text"],
        r#"Accepted({"name": String("Ada")}) "yes" 0"#
    );
}

/// Nobody answers on another's channel, and a question ends with its channel.
#[tokio::test]
async fn a_question_belongs_to_its_channel() {
    let mut hall = sse_hall().await;
    let mut one = hall.greeted("2025-11-25", json!({"elicitation": {}})).await;
    let mut other = hall.greeted("2025-11-25", json!({"elicitation": {}})).await;
    one.send(&call("c", "name", None)).await;
    let question = one.next().await;
    let decline = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "decline"}});
    other.notify(&decline).await;
    other.nothing_but_a_ping().await;
    one.nothing_but_a_ping().await;
    one.notify(&decline).await;
    assert_eq!(one.next().await["result"]["content"][0]["text"], "Declined");

    one.send(&call("w", "wait", None)).await;
    one.send(&call("d", "name", None)).await;
    assert_eq!(hall.told().await, "started");
    assert_eq!(one.next().await["method"], "elicitation/create");
    drop(one);
    assert_eq!(
        hall.told().await,
        "cancelled",
        "the end of the channel is the end of its calls"
    );
    other.nothing_but_a_ping().await;
}

#[tokio::test]
async fn a_call_is_cancelled_by_notice_and_not_answered() {
    let mut hall = sse_hall().await;
    let (mut channel, mut other) = (
        hall.greeted(OLDEST, json!({})).await,
        hall.greeted(OLDEST, json!({})).await,
    );
    channel.send(&call("a", "wait", None)).await;
    assert_eq!(hall.told().await, "started");
    other.notify(&cancelled("a")).await;
    other.nothing_but_a_ping().await;
    assert!(
        hall.told.try_recv().is_err(),
        "an id means something on its own channel only"
    );
    channel.notify(&cancelled("a")).await;
    assert_eq!(hall.told().await, "cancelled");
    channel.notify(&cancelled("a")).await;
    channel.nothing_but_a_ping().await;
    // Its id is free again.
    channel.send(&call("a", "echo", None)).await;
    assert_eq!(channel.next().await["id"], "a");
}

#[tokio::test]
async fn batches_are_of_one_revision_and_each_member_can_be_cancelled() {
    let mut hall = sse_hall().await;
    let one =
        |id: &str, tool: &str| serde_json::from_slice::<Value>(&call(id, tool, None)).unwrap();
    let batch = json!([one("a", "wait"), {"jsonrpc": "2.0", "method": "notifications/initialized"}, one("b", "echo")]);
    for revision in LEGACY {
        let mut channel = hall.greeted(revision, json!({})).await;
        channel.notify(&batch).await;
        if revision != "2025-03-26" {
            let answer = channel.next().await;
            schemas::check_error(revision, &answer);
            assert_eq!(answer["error"]["code"], -32600);
            channel.nothing_but_a_ping().await;
            continue;
        }
        assert_eq!(hall.told().await, "started");
        channel.notify(&cancelled("a")).await;
        assert_eq!(hall.told().await, "cancelled");
        let answers = channel.next().await;
        schemas::is_valid(revision, "JSONRPCBatchResponse", &answers);
        let ids: Vec<_> = answers
            .as_array()
            .unwrap()
            .iter()
            .map(|answer| answer["id"].clone())
            .collect();
        assert_eq!(ids, ["b"]);
        channel.nothing_but_a_ping().await;
    }
}

#[tokio::test]
async fn a_channel_hears_of_what_it_subscribed_to_and_of_lists() {
    let resource = Resource::new("s://a", "text", |_: Call<Person>| async {
        Ok(ResourceBody::from("text"))
    });
    let endpoint = builder()
        .resource(resource)
        .subscriptions()
        .announces_changes()
        .build()
        .unwrap();
    let hall = sse_hall_with(endpoint, 100, ServerLimits::default()).await;
    let mut early = Channel::open(hall.address, "ada").await;
    let mut channel = hall.greeted(OLDEST, json!({})).await;
    channel
        .send(&rpc(1, "resources/subscribe", json!({"uri": "s://a"})))
        .await;
    schemas::check(OLDEST, "EmptyResult", &channel.next().await);
    hall.endpoint.resource_updated("s://a");
    hall.endpoint.lists_changed(&footbridge_mcp::Change::Tools);
    let (updated, listed) = (channel.next().await, channel.next().await);
    schemas::is_valid(OLDEST, "ResourceUpdatedNotification", &updated);
    schemas::is_valid(OLDEST, "ToolListChangedNotification", &listed);
    early.nothing_but_a_ping().await;
}

#[tokio::test]
async fn a_server_that_stops_ends_idle_channels_and_lets_calls_answer() {
    let mut hall = sse_hall().await;
    let mut idle = hall.greeted(OLDEST, json!({})).await;
    let mut busy = hall.greeted("2025-11-25", json!({"elicitation": {}})).await;
    for id in ["one", "two"] {
        busy.send(&call(id, "wait", None)).await;
        assert_eq!(hall.told().await, "started");
    }
    busy.send(&call("asks", "name", None)).await;
    assert_eq!(busy.next().await["method"], "elicitation/create");
    hall.service.end_streams();
    assert!(soon(idle.events.event()).await.is_none());
    assert_eq!(idle.post(&rpc(1, "ping", json!({}))).await.status, 404);
    let answer = busy.next().await;
    assert_eq!(
        (&answer["id"], &answer["result"]["isError"]),
        (&json!("asks"), &json!(true)),
        "a question ends at once"
    );
    // One that is opened all the same ends at once, so that it holds nothing up.
    let mut late = Channel::open(hall.address, "ada").await;
    assert!(soon(late.events.event()).await.is_none());
    busy.nothing_but_a_ping().await;
    hall.stop.send(()).unwrap();
    hall.person.gate.add_permits(2);
    let mut ids = [busy.next().await, busy.next().await]
        .map(|answer| answer["id"].as_str().unwrap().to_owned());
    ids.sort();
    assert_eq!(ids, ["one", "two"]);
    assert!(soon(busy.events.event()).await.is_none(), "then it ends");
    soon(hall.serving).await.unwrap();
}
