//! Connections over time: silence, disconnects, too many at once, clients that do not read, and the
//! end of the server.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits};
use footbridge_mcp::limits;
use futures_util::StreamExt as _;
use http_body_util::{Full, StreamBody};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tower_service::Service as _;

use crate::http_client::{Client, chunked, post, server, server_with, soon};
use crate::world::{self, Event, World};

const PING: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const SHORT: Duration = Duration::from_millis(50);
/// Short, and long enough for a client to say something first.
const HEAD: Duration = Duration::from_secs(2);
/// Longer than any test waits: what ends within a test did not end because of this.
const LONG: Duration = Duration::from_secs(600);

fn wait(name: &str) -> Vec<u8> {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "wait", "arguments": {"name": name}}});
    post(&[], call.to_string().as_bytes())
}

fn started(name: &str) -> Option<Event> {
    Some(Event::Started(name.to_owned()))
}

fn cancelled(name: &str) -> Option<Event> {
    Some(Event::Cancelled(name.to_owned()))
}

#[tokio::test]
async fn half_a_head_and_then_silence_ends_the_connection() {
    let server = server_with(ServerLimits::default().head_time(HEAD)).await;
    for bytes in [&b""[..], b"POST /mcp HTTP/1.1\r\nHost: local"] {
        let mut client = Client::connect(server.address).await;
        client.send(bytes).await;
        assert!(
            client
                .receive()
                .await
                .is_none_or(|reply| reply.status == 408)
        );
    }
    let mut client = Client::connect(server.address).await;
    assert_eq!(client.exchange(&post(&[], PING)).await.status, 200);
    assert!(
        client.receive().await.is_none(),
        "an idle connection is not kept for ever"
    );
}

/// On a stopped clock, so that the limit is the real one and the test takes no time.
#[tokio::test(start_paused = true)]
async fn half_a_body_and_then_silence_is_408() {
    let (world, _events) = World::new();
    let mut service = McpService::public(
        world::endpoint(),
        move || world.clone(),
        AllowedHosts::loopback(),
    );
    let request = http::Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json");
    let half = futures_util::stream::iter([Ok::<_, Infallible>(http_body::Frame::data(
        Bytes::from_static(b"{\"jsonrpc\""),
    ))]);
    let silence = half.chain(futures_util::stream::pending());
    let from = tokio::time::Instant::now();
    let reply = service
        .call(request.body(StreamBody::new(silence)).unwrap())
        .await
        .unwrap();
    assert_eq!(
        (reply.status().as_u16(), from.elapsed().as_secs()),
        (408, limits::HTTP_BODY_TIME.as_secs())
    );

    // A byte now and then is no way around it.
    let request = http::Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json");
    let drip = futures_util::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        Some((
            Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(b" "))),
            (),
        ))
    });
    let reply = service
        .call(request.body(StreamBody::new(drip)).unwrap())
        .await
        .unwrap();
    assert_eq!(reply.status().as_u16(), 408);
}

#[tokio::test]
async fn half_a_body_and_then_the_end_leaves_the_server_standing() {
    let server = server().await;
    let mut client = Client::connect(server.address).await;
    let whole = post(&[], PING);
    client.send(&whole[..whole.len() - 10]).await;
    client.stream.shutdown().await.unwrap();
    assert!(
        client
            .receive()
            .await
            .is_none_or(|reply| reply.status == 400)
    );
    assert_eq!(
        Client::connect(server.address)
            .await
            .exchange(&whole)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_call() {
    let mut server = server().await;
    let mut client = Client::connect(server.address).await;
    client.send(&wait("lost")).await;
    assert_eq!(soon(server.events.recv()).await, started("lost"));
    drop(client);
    assert_eq!(soon(server.events.recv()).await, cancelled("lost"));
    assert_eq!(
        Client::connect(server.address)
            .await
            .exchange(&post(&[], PING))
            .await
            .status,
        200
    );
}

/// A call that waits, in a body of this size.
fn wait_in(bytes: usize, name: &str) -> Vec<u8> {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "wait", "arguments": {"name": name}}});
    let mut body = call.to_string().into_bytes();
    body.resize(bytes, b' ');
    body
}

#[tokio::test]
async fn only_so_many_large_bodies_are_under_way() {
    let mut server = server().await;
    let small = usize::try_from(limits::HTTP_SMALL_BODY_BYTES).unwrap();
    let mut clients = Vec::new();
    for _ in 0..limits::HTTP_LARGE_BODIES {
        let mut client = Client::connect(server.address).await;
        client.send(&post(&[], &wait_in(small + 1, "large"))).await;
        assert_eq!(soon(server.events.recv()).await, started("large"));
        clients.push(client);
    }
    let mut next = Client::connect(server.address).await;
    next.send(&post(&[], &wait_in(small + 1, "next"))).await;
    let mut other = Client::connect(server.address).await;
    other.send(&post(&[], &wait_in(small, "small"))).await;
    assert_eq!(
        soon(server.events.recv()).await,
        started("small"),
        "a small body waits for nobody"
    );
    for _ in 0..50 {
        assert_eq!(
            Client::connect(server.address)
                .await
                .exchange(&post(&[], PING))
                .await
                .status,
            200
        );
    }
    assert!(
        server.events.try_recv().is_err(),
        "one more large body was let in"
    );
    drop(clients.pop());
    assert_eq!(soon(server.events.recv()).await, cancelled("large"));
    assert_eq!(soon(server.events.recv()).await, started("next"));
}

#[tokio::test]
async fn a_body_of_unknown_length_that_is_small_holds_up_nobody() {
    let mut server = server().await;
    let mut clients = Vec::new();
    for _ in 0..=limits::HTTP_LARGE_BODIES {
        let mut client = Client::connect(server.address).await;
        client.send(&chunked(&wait_in(200, "chunked"))).await;
        assert_eq!(soon(server.events.recv()).await, started("chunked"));
        clients.push(client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_body_does_not_wait_for_ever() {
    let (world, mut events) = World::new();
    let caller = world.clone();
    let service = McpService::public(
        world::endpoint(),
        move || caller.clone(),
        AllowedHosts::loopback(),
    );
    let send = |name: &str| {
        let request = http::Request::post("/mcp")
            .header("host", "localhost")
            .header("content-type", "application/json");
        service.clone().call(
            request
                .body(Full::new(Bytes::from(wait_in(100_000, name))))
                .unwrap(),
        )
    };
    for _ in 0..limits::HTTP_LARGE_BODIES {
        tokio::spawn(send("large"));
        assert_eq!(events.recv().await, started("large"));
    }
    let from = tokio::time::Instant::now();
    let reply = send("one more").await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), from.elapsed().as_secs()),
        (503, limits::HTTP_BODY_TIME.as_secs())
    );
    assert_eq!(reply.headers()["retry-after"], "5");

    // What it sent is read all the same, or it would find a reset connection in place of the
    // answer.
    let is_read = Arc::new(AtomicBool::new(false));
    let reading = Arc::clone(&is_read);
    let body = futures_util::stream::once(async move {
        reading.store(true, Ordering::Relaxed);
        Ok::<_, Infallible>(http_body::Frame::data(Bytes::from(wait_in(
            100_000, "unheard",
        ))))
    });
    let request = http::Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json");
    let reply = service
        .clone()
        .call(request.body(StreamBody::new(body)).unwrap())
        .await
        .unwrap();
    assert_eq!(
        (reply.status().as_u16(), is_read.load(Ordering::Relaxed)),
        (503, true)
    );
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_connection() {
    let server = server_with(ServerLimits::default().write_time(SHORT)).await;
    let message = "x".repeat(2_000_000);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {"message": message}}});
    let mut client = Client::connect(server.address).await;
    let bytes = post(&[], call.to_string().as_bytes());
    // More than the sockets of both sides hold: the server cannot write, so it does not read, so
    // this would never end.
    let written = soon(async {
        for _ in 0..50 {
            client.stream.write_all(&bytes).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    assert!(
        written.await.is_err(),
        "the server let go of the connection"
    );
}

#[tokio::test]
async fn the_end_lets_a_running_call_finish() {
    let limits = ServerLimits::default().shutdown_time(LONG).head_time(LONG);
    let mut server = server_with(limits).await;
    let mut idle = Client::connect(server.address).await;
    assert_eq!(idle.exchange(&post(&[], PING)).await.status, 200);
    let mut client = Client::connect(server.address).await;
    client.send(&wait("last")).await;
    assert_eq!(soon(server.events.recv()).await, started("last"));
    server.stop.send(()).unwrap();
    assert!(
        idle.receive().await.is_none(),
        "a connection without a call is closed at once"
    );
    server.world.open(1);
    let reply = client.receive().await.unwrap();
    assert_eq!(reply.json()["result"]["content"][0]["text"], "waited: last");
    soon(server.serving).await.unwrap();
}

#[tokio::test]
async fn a_call_that_does_not_finish_is_stopped_at_the_end() {
    let mut server = server_with(ServerLimits::default().shutdown_time(SHORT)).await;
    let mut client = Client::connect(server.address).await;
    client.send(&wait("endless")).await;
    assert_eq!(soon(server.events.recv()).await, started("endless"));
    server.stop.send(()).unwrap();
    soon(server.serving).await.unwrap();
    assert_eq!(soon(server.events.recv()).await, cancelled("endless"));
    assert!(client.receive().await.is_none());
}

/// Browsers open connections ahead of need.
#[tokio::test]
async fn a_connection_that_never_spoke_does_not_delay_the_end() {
    let limits = ServerLimits::default().shutdown_time(LONG).head_time(LONG);
    let server = server_with(limits).await;
    let mut silent = Client::connect(server.address).await;
    let mut half = Client::connect(server.address).await;
    half.send(b"POST /mcp HT").await;
    // Connections are taken in order, so this one's answer says that those two are in.
    assert_eq!(
        Client::connect(server.address)
            .await
            .exchange(&post(&[], PING))
            .await
            .status,
        200
    );
    server.stop.send(()).unwrap();
    soon(server.serving).await.unwrap();
    assert!(silent.receive().await.is_none());
    assert!(half.receive().await.is_none());
}

#[tokio::test]
async fn dropping_the_server_stops_its_calls() {
    let mut server = server().await;
    let mut client = Client::connect(server.address).await;
    client.send(&wait("dropped")).await;
    assert_eq!(soon(server.events.recv()).await, started("dropped"));
    server.serving.abort();
    assert_eq!(soon(server.events.recv()).await, cancelled("dropped"));
}
