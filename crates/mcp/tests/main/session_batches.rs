//! Batches in a session of 2025-03-26: each member is a call of its own.

use footbridge_mcp::limits;
use serde_json::{Value, json};

use crate::hall::{call, hall};
use crate::http_client::Client;
use crate::schemas;

const REVISION: &str = "2025-03-26";

fn one(id: &str, tool: &str) -> Value {
    serde_json::from_slice(&call(id, tool, None)).unwrap()
}

fn cancelled(id: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
}

fn ids(answers: &Value) -> Vec<&str> {
    schemas::is_valid(REVISION, "JSONRPCBatchResponse", answers);
    answers
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_member_of_a_batch_is_cancelled_by_its_id_and_the_others_are_answered() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut client = hall.client().await;
    let batch = json!([one("a", "wait"), one("b", "wait"), one("c", "echo")]);
    client
        .send(&session.post(batch.to_string().as_bytes()))
        .await;
    assert_eq!(
        (hall.told().await, hall.told().await),
        ("started".to_owned(), "started".to_owned())
    );
    session.notify(&cancelled("a")).await;
    assert_eq!(hall.told().await, "cancelled");
    hall.person.gate.add_permits(1);
    assert_eq!(hall.told().await, "finished");
    let reply = client.receive().await.unwrap();
    assert_eq!((reply.status, ids(&reply.json())), (200, vec!["b", "c"]));
}

#[tokio::test]
async fn a_batch_may_take_back_what_stands_before_it() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut client = hall.client().await;
    client
        .send(&session.post(&call("before", "wait", None)))
        .await;
    assert_eq!(hall.told().await, "started");
    let batch = json!([
        one("in", "wait"),
        cancelled("before"),
        cancelled("in"),
        one("c", "echo")
    ]);
    let answers = session.ask(batch.to_string().as_bytes()).await;
    assert_eq!(ids(&answers), ["c"]);
    assert_eq!(hall.told().await, "cancelled");
    assert_eq!(client.receive().await.unwrap().status, 202);

    let all = json!([one("x", "wait"), cancelled("x")]);
    let reply = hall
        .client()
        .await
        .exchange(&session.post(all.to_string().as_bytes()))
        .await;
    assert_eq!(
        (reply.status, reply.body.len()),
        (202, 0),
        "nothing is left to answer"
    );
}

#[tokio::test]
async fn the_members_of_a_batch_count_and_one_too_many_is_refused_alone() {
    let mut hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let mut clients = Vec::new();
    for id in 0..limits::SESSION_CALLS_IN_FLIGHT - 1 {
        let mut client = Client::connect(hall.address).await;
        client.send(&session.post(&call(id, "wait", None))).await;
        assert_eq!(hall.told().await, "started");
        clients.push(client);
    }
    let batch = json!([one("fits", "echo"), one("over", "echo")]);
    let answers = session.ask(batch.to_string().as_bytes()).await;
    assert_eq!(ids(&answers), ["fits", "over"]);
    assert!(answers[0].get("result").is_some());
    assert_eq!(answers[1]["error"]["code"], -32603);
    hall.person
        .gate
        .add_permits(limits::SESSION_CALLS_IN_FLIGHT);
}
