//! Hearing of tasks: `notifications/tasks` on a `subscriptions/listen` stream.

use footbridge_mcp::limits;
use serde_json::{Value, json};

use crate::hall::Hall;
use crate::http_client::{Client, post, soon};
use crate::jobs::{EXTENSION, jobs, knowing, request};
use crate::schemas::{self, MODERN};

fn listen(user: &str, notifications: &Value, capabilities: &Value) -> Vec<u8> {
    let request = request(
        "subscriptions/listen",
        json!({ "notifications": notifications }),
        capabilities,
    );
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain([("X-User", user)])
        .collect();
    post(&headers, request.message.to_string().as_bytes())
}

/// Listens, and gives what was acknowledged.
async fn listening(hall: &Hall, user: &str, notifications: Value) -> (Client, Value) {
    let mut client = hall.client().await;
    client.open(&listen(user, &notifications, &knowing())).await;
    let first = soon(client.message()).await.unwrap();
    schemas::is_valid(MODERN, "TasksAcknowledgedNotification", &first);
    (client, first["params"]["notifications"].clone())
}

/// The next notification, without the subscription that it belongs to.
async fn heard(client: &mut Client) -> Value {
    let message = soon(client.message()).await.unwrap();
    schemas::is_valid(MODERN, "TaskStatusNotification", &message);
    let mut params = message["params"].clone();
    let meta = params.as_object_mut().unwrap().remove("_meta").unwrap();
    assert_eq!(
        meta,
        json!({"io.modelcontextprotocol/subscriptionId": "m-1"})
    );
    params
}

async fn heard_until(client: &mut Client, status: &str) -> Value {
    loop {
        let state = heard(client).await;
        if state["status"] == status {
            return state;
        }
    }
}

/// What `tasks/get` says, without what belongs to its result alone.
async fn state(hall: &Hall, id: &str) -> Value {
    let mut state = hall.get("ada", id).await;
    for key in ["resultType", "_meta"] {
        state.as_object_mut().unwrap().remove(key);
    }
    state
}

#[tokio::test]
async fn a_listener_hears_how_its_tasks_stand_and_get_on() {
    let hall = jobs().await;
    let asking = hall.begin("ada", "asks", json!({})).await;
    hall.until("ada", &asking, "input_required").await;
    let other = hall.begin("ada", "job", json!({})).await;
    let (mut client, honoured) = listening(&hall, "ada", json!({"taskIds": [asking]})).await;
    assert_eq!(honoured, json!({"taskIds": [asking]}));
    // What came to pass before it listened is not missed.
    assert_eq!(heard(&mut client).await, state(&hall, &asking).await);
    hall.person.gate.add_permits(1);
    hall.until("ada", &other, "completed").await;
    let answers = json!({"name": {"action": "accept", "content": {"name": "Ada"}}});
    hall.result(
        "ada",
        "tasks/update",
        json!({"taskId": asking, "inputResponses": answers}),
    )
    .await;
    let last = heard_until(&mut client, "completed").await;
    assert_eq!(last, state(&hall, &asking).await, "the same as asked for");
    assert_eq!(last["result"]["content"][0]["text"], r#"{"name":"Ada"}"#);

    hall.service.end_streams();
    let result = soon(client.message()).await.unwrap();
    schemas::check(MODERN, "SubscriptionsListenResult", &result);
    assert!(soon(client.event()).await.is_none());
}

#[tokio::test]
async fn every_end_is_heard() {
    let hall = jobs().await;
    let cancelled = hall.begin("ada", "job", json!({})).await;
    let begin = request(
        "tools/call",
        json!({"name": "samples", "arguments": {}}),
        &json!({"extensions": {EXTENSION: {}}}),
    );
    let failed = hall.send("ada", &begin).await.1["result"]["taskId"]
        .as_str()
        .unwrap()
        .to_owned();
    let (mut client, _) = listening(&hall, "ada", json!({"taskIds": [cancelled]})).await;
    hall.result("ada", "tasks/cancel", json!({ "taskId": cancelled }))
        .await;
    assert_eq!(
        heard_until(&mut client, "cancelled").await,
        state(&hall, &cancelled).await
    );
    let (mut client, _) = listening(&hall, "ada", json!({"taskIds": [failed]})).await;
    assert_eq!(
        heard_until(&mut client, "failed").await["error"]["code"],
        -32021
    );
}

#[tokio::test]
async fn tasks_of_others_and_unknown_ones_are_left_out() {
    let hall = jobs().await;
    let (ada, eve) = (
        hall.begin("ada", "job", json!({})).await,
        hall.begin("eve", "job", json!({})).await,
    );
    let (_, honoured) = listening(
        &hall,
        "ada",
        json!({"taskIds": [ada, eve, "never was"], "toolsListChanged": true}),
    )
    .await;
    assert_eq!(honoured, json!({"taskIds": [ada]}));
    let (_, honoured) = listening(&hall, "ada", json!({"taskIds": [eve]})).await;
    assert_eq!(honoured, json!({}));
}

#[tokio::test]
async fn what_is_no_request_to_hear_of_tasks_is_refused() {
    let hall = jobs().await;
    let refused = async |notifications: Value, capabilities: Value| {
        hall.client()
            .await
            .exchange(&listen("ada", &notifications, &capabilities))
            .await
    };
    let reply = refused(json!({"taskIds": ["t"]}), json!({})).await;
    schemas::check_error(MODERN, &reply.json());
    assert_eq!((reply.status, reply.code()), (400, -32021));
    assert_eq!(
        reply.json()["error"]["data"],
        json!({"requiredCapabilities": {"extensions": {EXTENSION: {}}}})
    );
    for bad in [
        json!({"taskIds": "t"}),
        json!({"taskIds": [1]}),
        json!({"taskIds": null}),
    ] {
        assert_eq!(
            refused(bad.clone(), knowing()).await.code(),
            -32602,
            "{bad}"
        );
    }
    let many = |count: usize| json!({"taskIds": (0..count).map(|number| number.to_string()).collect::<Vec<_>>()});
    assert_eq!(
        listening(&hall, "ada", many(limits::LISTENED_TASKS))
            .await
            .1,
        json!({})
    );
    assert_eq!(
        refused(many(limits::LISTENED_TASKS + 1), knowing())
            .await
            .code(),
        -32602
    );
    // An endpoint without tasks tells nobody of them, and need not know who knows them.
    let without = crate::hall::hall().await;
    let reply = without
        .client()
        .await
        .exchange(&listen("ada", &json!({"taskIds": ["t"]}), &json!({})))
        .await;
    assert_eq!((reply.status, reply.code()), (404, -32601));
}
