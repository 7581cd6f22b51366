//! The edges of streams that a client leaves, comes back to, or never reads.

use std::time::Duration;

use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use footbridge_mcp::{Change, limits};
use serde_json::json;
use tokio::net::TcpListener;

use crate::hall::{ByHeader, Hall, Session, builder, call, hall, person, rpc};
use crate::http_client::{Client, post, soon};

const REVISION: &str = "2025-11-25";

/// The events of a finished call of `steps`: their ids, oldest first.
async fn finished(hall: &mut Hall, session: &Session) -> Vec<String> {
    hall.person.gate.add_permits(1);
    let mut stream = session
        .stream(&session.post(&call(7, "steps", Some("t"))))
        .await;
    let mut ids = Vec::new();
    while let Some(event) = soon(stream.event()).await {
        ids.push(event.id.expect("an id"));
    }
    while hall.told().await != "finished" {}
    ids
}

async fn replayed(session: &Session, last: &str) -> usize {
    let mut back = session.stream(&session.get(Some(last))).await;
    let mut count = 0;
    while back.message().await.is_some() {
        count += 1;
    }
    count
}

#[tokio::test]
async fn each_place_of_a_stream_is_followed_by_what_came_after_it() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let ids = finished(&mut hall, &session).await;
    assert_eq!(
        ids.len(),
        8,
        "a beginning, six messages and the answer: {ids:?}"
    );
    for (place, id) in ids.iter().enumerate() {
        assert_eq!(replayed(&session, id).await, ids.len() - 1 - place, "{id}");
    }
    let (stream, _) = ids[0].split_once('-').unwrap();
    assert_eq!(
        replayed(&session, &format!("{stream}-99")).await,
        0,
        "beyond the end there is nothing"
    );
    assert_eq!(
        replayed(&session, &format!("{stream}-{}", u64::MAX)).await,
        0
    );
    for bad in [
        format!("{stream}-18446744073709551616"),
        format!("{stream}--1"),
        "99-1".to_owned(),
    ] {
        assert_eq!(
            hall.client()
                .await
                .exchange(&session.get(Some(&bad)))
                .await
                .status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_place_means_something_in_its_own_session_only() {
    let mut hall = hall().await;
    let (one, other) = (
        hall.session(REVISION, "ada", json!({})).await,
        hall.session(REVISION, "eve", json!({})).await,
    );
    let ids = finished(&mut hall, &one).await;
    assert_eq!(
        hall.client()
            .await
            .exchange(&other.get(Some(&ids[0])))
            .await
            .status,
        400
    );
    assert_eq!(replayed(&one, &ids[0]).await, 7);
}

#[tokio::test]
async fn streams_that_ended_long_ago_are_gone_and_the_last_ones_are_not() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut firsts = Vec::new();
    for _ in 0..=limits::ENDED_STREAMS {
        firsts.push(finished(&mut hall, &session).await.remove(0));
    }
    assert_eq!(
        hall.client()
            .await
            .exchange(&session.get(Some(&firsts[0])))
            .await
            .status,
        400
    );
    for first in &firsts[1..] {
        assert_eq!(replayed(&session, first).await, 7);
    }
}

/// What was read long ago is dropped; who asks for it gets the rest, each message once.
#[tokio::test]
async fn a_place_before_what_is_kept_is_followed_by_what_is_kept() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut stream = session
        .stream(&session.post(&call(1, "chatter", Some("t"))))
        .await;
    let first = soon(stream.event()).await.unwrap().id.unwrap();
    // Far more than is kept was read when this many were said.
    for _ in 0..2 * (limits::WAITING_MESSAGES + limits::KEPT_MESSAGES) {
        soon(stream.event()).await.unwrap();
    }
    drop(stream);
    let mut back = session.stream(&session.get(Some(&first))).await;
    soon(back.event()).await.unwrap();
    let mut places = Vec::new();
    for _ in 0..limits::KEPT_MESSAGES {
        let id = soon(back.event()).await.unwrap().id.unwrap();
        places.push(id.split_once('-').unwrap().1.parse::<u64>().unwrap());
    }
    assert!(places[0] > limits::WAITING_MESSAGES as u64, "{places:?}");
    assert!(
        places.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{places:?}"
    );
    hall.client().await.exchange(&session.delete()).await;
    while hall.told().await == "step" {}
}

/// Over a real socket: announcements never wait, the connection is cut for want of reading, the
/// session stands, and who comes back finds the newest.
#[tokio::test]
async fn a_stream_that_is_never_read_is_cut_and_costs_a_bounded_number_of_messages() {
    let (person, _told) = person();
    let endpoint = builder()
        .announces_changes()
        .subscriptions()
        .build()
        .unwrap();
    let service =
        McpService::new(endpoint.clone(), ByHeader(person), AllowedHosts::loopback()).at("/mcp");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let head_time = Duration::from_secs(600); // the first connection says nothing for a while
    let limits = ServerLimits::default()
        .write_time(Duration::from_millis(100))
        .connections(2)
        .head_time(head_time)
        .patience(head_time);
    let serving = tokio::spawn(serve(listener, service, limits, std::future::pending()));
    let hello = json!({"protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let mut client = Client::connect(address).await;
    let reply = client
        .exchange(&post(&[], &rpc(1, "initialize", hello)))
        .await;
    let id = reply.header("mcp-session-id").unwrap().to_owned();
    let headers = [
        ("Host", "localhost"),
        ("Accept", "text/event-stream"),
        ("Mcp-Session-Id", &*id),
    ];
    let get = crate::http_client::request("GET /mcp", &headers, b"");

    let mut deaf = Client::connect(address).await;
    deaf.open(&get).await;
    // Each round fills a little more of the socket, until nothing goes into it any more and the
    // connection is cut. There are two connections, so a third is let in once one of them has gone.
    let third = async {
        loop {
            let mut third = Client::connect(address).await;
            third.send(&get).await;
            match third.receive().await {
                Some(reply) if reply.status == 200 => return third,
                Some(reply) => assert_eq!(reply.status, 503),
                None => {}
            }
        }
    };
    let mut told = 0;
    let noise = async {
        loop {
            for _ in 0..1000 {
                endpoint.lists_changed(&Change::Tools);
                told += 1;
            }
            tokio::task::yield_now().await;
        }
    };
    let mut third = tokio::select! {
        third = soon(third) => third,
        () = noise => unreachable!(),
    };
    endpoint.lists_changed(&Change::Prompts);
    let mut count = 0;
    while soon(third.message()).await.unwrap()["method"] != "notifications/prompts/list_changed" {
        count += 1;
    }
    assert!(count * 10 < told, "{count} of {told}");
    let ping = post(&[("Mcp-Session-Id", &id)], &rpc(2, "ping", json!({})));
    assert_eq!(
        client.exchange(&ping).await.status,
        200,
        "the session stands"
    );
    serving.abort();
}

#[tokio::test]
async fn a_server_that_ends_lets_the_calls_of_sessions_answer_first() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut own = session.stream(&session.get(None)).await;
    let mut plain = hall.client().await;
    plain.send(&session.post(&call("p", "wait", None))).await;
    assert_eq!(hall.told().await, "started");
    let mut streamed = session
        .stream(&session.post(&call("s", "steps", Some("t"))))
        .await;
    assert_eq!(hall.told().await, "said");
    hall.service.end_streams();
    drop(std::mem::replace(
        &mut hall._stop,
        tokio::sync::oneshot::channel().0,
    ));
    while soon(own.event()).await.is_some() {}
    hall.person.gate.add_permits(2);
    assert_eq!(
        soon(plain.receive()).await.unwrap().json()["result"]["content"][0]["text"],
        "waited"
    );
    let mut last = json!(null);
    while let Some(message) = soon(streamed.message()).await {
        last = message;
    }
    assert_eq!(last["result"]["content"][0]["text"], "arrived");
    assert!(
        soon(plain.receive()).await.is_none(),
        "then the connection ends"
    );
}
