//! HTTP+SSE under clients that mean harm or do not care: foreign channels, foreign hosts, too many,
//! and none that reads.

use std::time::Duration;

use footbridge_mcp::http::ServerLimits;
use footbridge_mcp::limits;
use serde_json::json;

use crate::channel::{Channel, get, post_to, sse_hall, sse_hall_with};
use crate::hall::{CHATTER, builder, call, rpc};
use crate::http_client::{Client, request, soon};
use crate::schemas;

const OLDEST: &str = "2024-11-05";

#[tokio::test]
async fn a_channel_that_is_foreign_unknown_or_ended_is_404_and_none_is_400() {
    let mut hall = sse_hall().await;
    let mut own = hall.greeted(OLDEST, json!({})).await;
    let ping = rpc(1, "ping", json!({}));
    let ask = async |messages: &str, user: &str| {
        let bytes = post_to(messages, &[("Host", "localhost"), ("X-User", user)], &ping);
        let reply = Client::connect(hall.address).await.exchange(&bytes).await;
        schemas::check_error(OLDEST, &reply.json());
        reply
    };
    let foreign = ask(&own.messages, "eve").await;
    let (path, id) = own.messages.split_once('=').unwrap();
    let unknown = ask(&format!("{path}={}", "A".repeat(id.len())), "ada").await;
    assert_eq!(
        (foreign.status, &foreign.body),
        (404, &unknown.body),
        "nothing tells the two apart"
    );
    for missing in [
        "/sse/messages/",
        "/sse/messages/?",
        "/sse/messages/?other=1",
        "/sse?session=x",
    ] {
        assert_eq!(ask(missing, "ada").await.status, 400, "{missing}");
    }
    own.nothing_but_a_ping().await;

    own.send(&call("w", "wait", None)).await;
    assert_eq!(hall.told().await, "started");
    let messages = own.messages.clone();
    drop(own);
    assert_eq!(hall.told().await, "cancelled");
    let bytes = post_to(&messages, &[("Host", "localhost")], &ping);
    assert_eq!(
        Client::connect(hall.address)
            .await
            .exchange(&bytes)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_foreign_host_or_origin_enters_neither_way() {
    let hall = sse_hall().await;
    let mut channel = hall.channel().await;
    let ping = rpc(1, "ping", json!({}));
    let foreign: [&[(&str, &str)]; 3] = [
        &[("Host", "evil.example")],
        &[("Host", "localhost"), ("Origin", "https://evil.example")],
        &[("Host", "localhost"), ("Origin", "null")],
    ];
    for headers in foreign {
        let accepting = [headers, &[("Accept", "text/event-stream")]].concat();
        for bytes in [
            request("GET /sse", &accepting, b""),
            post_to(&channel.messages, headers, &ping),
        ] {
            let reply = Client::connect(hall.address).await.exchange(&bytes).await;
            assert_eq!(reply.status, 403, "{headers:?}");
            schemas::check_error(OLDEST, &reply.json());
        }
    }
    channel.nothing_but_a_ping().await;
    for method in ["PUT", "DELETE", "OPTIONS"] {
        let bytes = request(&format!("{method} /sse"), &[("Host", "localhost")], b"");
        let reply = Client::connect(hall.address).await.exchange(&bytes).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some("GET, POST"))
        );
    }
}

#[tokio::test]
async fn channels_are_capped_and_one_that_ends_makes_room() {
    let mut hall = sse_hall_with(builder().build().unwrap(), 2, ServerLimits::default()).await;
    let (one, mut other) = (hall.greeted(OLDEST, json!({})).await, hall.channel().await);
    let refused = Client::connect(hall.address)
        .await
        .exchange(&get("ada", "localhost"))
        .await;
    assert_eq!(refused.status, 503);
    schemas::check_error(OLDEST, &refused.json());
    one.send(&call("w", "wait", None)).await;
    assert_eq!(hall.told().await, "started");
    drop(one);
    assert_eq!(hall.told().await, "cancelled");
    hall.channel().await.nothing_but_a_ping().await;
    other.nothing_but_a_ping().await;
}

#[tokio::test]
async fn calls_of_a_channel_are_bounded_and_the_refusal_comes_on_it() {
    let mut hall = sse_hall().await;
    let mut channel = hall.greeted(OLDEST, json!({})).await;
    for id in 0..limits::SESSION_CALLS_IN_FLIGHT {
        channel.send(&call(format!("w{id}"), "wait", None)).await;
        assert_eq!(hall.told().await, "started");
    }
    channel.send(&call("more", "wait", None)).await;
    let refused = channel.next().await;
    schemas::check_error(OLDEST, &refused);
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&json!("more"), &json!(-32603))
    );
    channel.notify(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "w7"}})).await;
    assert_eq!(hall.told().await, "cancelled");
    channel.send(&call("more", "wait", None)).await;
    assert_eq!(hall.told().await, "started");
    hall.person
        .gate
        .add_permits(limits::SESSION_CALLS_IN_FLIGHT);
    for _ in 0..limits::SESSION_CALLS_IN_FLIGHT {
        assert!(channel.next().await.get("result").is_some());
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_the_channel_stands() {
    let hall = sse_hall().await;
    let mut channel = hall.greeted(OLDEST, json!({})).await;
    let sized = |bytes: usize| {
        let mut body = call("big", "echo", None);
        body.resize(bytes, b' ');
        body
    };
    let reply = channel.post(&sized(limits::MESSAGE_BYTES + 1)).await;
    assert_eq!(reply.status, 413);
    channel.send(&sized(limits::MESSAGE_BYTES)).await;
    assert_eq!(channel.next().await["id"], "big");
}

/// The tool is stopped by what is unread, then the connection is cut for want of reading, and with
/// it ends the call. Others do not notice.
#[tokio::test]
async fn a_client_that_never_reads_its_channel_loses_it_and_holds_nobody_up() {
    let limits = ServerLimits::default().write_time(Duration::from_millis(300));
    let mut hall = sse_hall_with(builder().build().unwrap(), 100, limits).await;
    let (deaf, mut other) = (
        hall.greeted(OLDEST, json!({})).await,
        hall.greeted(OLDEST, json!({})).await,
    );
    deaf.send(&call("c", "chatter", Some("t"))).await;
    let mut steps = 0;
    while hall.told().await == "step" {
        steps += 1;
        if steps % 1000 == 1 {
            other.nothing_but_a_ping().await;
        }
    }
    assert!(steps < CHATTER as usize, "{steps}");
    assert_eq!(deaf.post(&rpc(1, "ping", json!({}))).await.status, 404);
    other.nothing_but_a_ping().await;
}

/// Answers wait for the reader like everything else, so that not reading bounds what can be asked.
#[tokio::test]
async fn who_does_not_read_is_not_read_from() {
    const COUNT: i64 = 20;
    // Nothing is cut off, and the sockets hold less than is said.
    let limits = ServerLimits::default().write_time(Duration::from_secs(600));
    let hall = sse_hall_with(builder().build().unwrap(), 100, limits).await;
    let mut channel = Channel::on(Client::narrow(hall.address).await, hall.address, "ada").await;
    let big = json!({"name": "echo", "arguments": {"text": "x".repeat(500_000)}});
    let mut posts = Vec::new();
    for id in 0..COUNT {
        let mut client = Client::connect(hall.address).await;
        client
            .send(&post_to(
                &channel.messages,
                &[("Host", "localhost")],
                &rpc(id, "tools/call", big.clone()),
            ))
            .await;
        posts.push(client);
    }
    let mut ids: Vec<i64> = Vec::new();
    for _ in 0..COUNT {
        ids.push(channel.next().await["id"].as_i64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(
        ids,
        (0..COUNT).collect::<Vec<_>>(),
        "everything comes once it is read"
    );
    for mut client in posts {
        assert_eq!(soon(client.receive()).await.unwrap().status, 202);
    }
}
