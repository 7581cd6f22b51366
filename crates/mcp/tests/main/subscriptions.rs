//! Hearing of changes: `resources/subscribe` of the legacy era and `subscriptions/listen`, over
//! HTTP.

use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{Call, Change, Messages, Prompt, Resource, ResourceBody};
use serde_json::{Value, json};

use crate::hall::{Hall, Person, builder, hall_of, rpc};
use crate::http_client::{Client, Modern, post, soon};
use crate::schemas::{self, MODERN};

fn resource(uri: &str) -> Resource<Person> {
    Resource::new(uri, "text", |_: Call<Person>| async {
        Ok(ResourceBody::from("text"))
    })
}

async fn telling() -> Hall {
    let secret =
        resource("s://secret").allowed_for(|call: &Call<Person>| call.caller.name == "ada");
    let prompt = Prompt::new("p", "For tests.", |_: Call<Person>| async {
        Ok(Messages::user("p"))
    });
    let builder = builder()
        .resource(resource("s://a"))
        .resource(resource("s://b"))
        .resource(secret)
        .prompt(prompt);
    hall_of(
        builder.subscriptions().announces_changes().build().unwrap(),
        SessionLimits::default(),
    )
    .await
}

fn listen(user: &str, notifications: &Value) -> Vec<u8> {
    let request = Modern::new(
        "subscriptions/listen",
        json!({ "notifications": notifications }),
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
    client.open(&listen(user, &notifications)).await;
    let first = soon(client.message()).await.unwrap();
    schemas::is_valid(MODERN, "SubscriptionsAcknowledgedNotification", &first);
    assert_eq!(
        first["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        "m-1"
    );
    (client, first["params"]["notifications"].clone())
}

#[tokio::test]
async fn a_listener_hears_what_it_asked_for_and_nothing_else() {
    let hall = telling().await;
    let (mut lists, honoured) = listening(
        &hall,
        "ada",
        json!({"toolsListChanged": true, "promptsListChanged": true}),
    )
    .await;
    assert_eq!(
        honoured,
        json!({"toolsListChanged": true, "promptsListChanged": true})
    );
    let (mut one, honoured) = listening(
        &hall,
        "ada",
        json!({"resourceSubscriptions": ["s://a"], "toolsListChanged": false}),
    )
    .await;
    assert_eq!(honoured, json!({"resourceSubscriptions": ["s://a"]}));
    hall.endpoint.lists_changed(&Change::Resources);
    hall.endpoint.resource_updated("s://b");
    hall.endpoint.resource_updated("s://a");
    hall.endpoint.lists_changed(&Change::Prompts);
    hall.endpoint.lists_changed(&Change::Tools);
    let updated = soon(one.message()).await.unwrap();
    schemas::is_valid(MODERN, "ResourceUpdatedNotification", &updated);
    assert_eq!(
        (
            &updated["params"]["uri"],
            &updated["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"]
        ),
        (&json!("s://a"), &json!("m-1"))
    );
    let (prompts, tools) = (
        soon(lists.message()).await.unwrap(),
        soon(lists.message()).await.unwrap(),
    );
    schemas::is_valid(MODERN, "PromptListChangedNotification", &prompts);
    schemas::is_valid(MODERN, "ToolListChangedNotification", &tools);

    hall.service.end_streams();
    for client in [&mut lists, &mut one] {
        let result = soon(client.message()).await.unwrap();
        schemas::check(MODERN, "SubscriptionsListenResult", &result);
        assert!(soon(client.event()).await.is_none());
    }
}

#[tokio::test]
async fn what_a_listener_may_not_see_or_nobody_tells_is_left_out() {
    let hall = telling().await;
    let wishes = json!({"resourceSubscriptions": ["s://secret", "s://a", "s://nothing"], "moonPhaseChanged": true});
    assert_eq!(
        listening(&hall, "ada", wishes.clone()).await.1,
        json!({"resourceSubscriptions": ["s://a", "s://secret"]})
    );
    let (mut eve, honoured) = listening(&hall, "eve", wishes).await;
    assert_eq!(honoured, json!({"resourceSubscriptions": ["s://a"]}));
    hall.endpoint.resource_updated("s://secret");
    hall.endpoint.resource_updated("s://a");
    assert_eq!(soon(eve.message()).await.unwrap()["params"]["uri"], "s://a");

    let quiet = hall_of(
        builder()
            .resource(resource("s://a"))
            .subscriptions()
            .build()
            .unwrap(),
        SessionLimits::default(),
    )
    .await;
    let wishes = json!({"toolsListChanged": true, "resourceSubscriptions": ["s://a"]});
    let (mut client, honoured) = listening(&quiet, "ada", wishes).await;
    assert_eq!(honoured, json!({"resourceSubscriptions": ["s://a"]}));
    quiet.endpoint.lists_changed(&Change::Tools);
    quiet.endpoint.resource_updated("s://a");
    assert_eq!(
        soon(client.message()).await.unwrap()["method"],
        "notifications/resources/updated"
    );
}

#[tokio::test]
async fn what_is_no_request_to_listen_is_refused() {
    let hall = telling().await;
    for bad in [
        json!(null),
        json!([]),
        json!({"resourceSubscriptions": "s://a"}),
        json!({"toolsListChanged": "yes"}),
    ] {
        let reply = hall.client().await.exchange(&listen("ada", &bad)).await;
        schemas::check_error(MODERN, &reply.json());
        assert_eq!(reply.code(), -32602, "{bad}");
    }
    let many = |count: usize| json!({"resourceSubscriptions": (0..count).map(|number| format!("s://{number}")).collect::<Vec<_>>()});
    assert_eq!(listening(&hall, "ada", many(1000)).await.1, json!({}));
    assert_eq!(
        hall.client()
            .await
            .exchange(&listen("ada", &many(1001)))
            .await
            .code(),
        -32602
    );
    let none = crate::hall::hall().await;
    let reply = none
        .client()
        .await
        .exchange(&listen("ada", &json!({})))
        .await;
    assert_eq!((reply.status, reply.code()), (404, -32601));
}

/// It is told no more, and told so by the result, instead of holding up everybody.
#[tokio::test]
async fn a_listener_that_does_not_read_is_ended_with_a_result() {
    let hall = telling().await;
    let (mut slow, _) = listening(&hall, "ada", json!({"resourceSubscriptions": ["s://a"]})).await;
    for _ in 0..2000 {
        hall.endpoint.resource_updated("s://a");
    }
    let mut heard = 0;
    let result = loop {
        let message = soon(slow.message()).await.unwrap();
        if message.get("result").is_some() {
            break message;
        }
        heard += 1;
    };
    schemas::check(MODERN, "SubscriptionsListenResult", &result);
    assert_eq!(heard, footbridge_mcp::limits::WAITING_MESSAGES);
    assert!(soon(slow.event()).await.is_none());
}

#[tokio::test]
async fn a_session_hears_of_what_it_subscribed_to_until_it_does_not() {
    let hall = telling().await;
    let (one, other) = (
        hall.session("2025-11-25", "ada", json!({})).await,
        hall.session("2025-11-25", "ada", json!({})).await,
    );
    let (mut own, mut others) = (
        one.stream(&one.get(None)).await,
        other.stream(&other.get(None)).await,
    );
    let change = |method: &str, uri: &str| rpc(1, method, json!({ "uri": uri }));
    for uri in ["s://a", "s://b"] {
        let done = one.ask(&change("resources/subscribe", uri)).await;
        schemas::check("2025-11-25", "EmptyResult", &done);
        assert_eq!(done["result"], json!({}));
    }
    assert_eq!(
        one.ask(&change("resources/unsubscribe", "s://a")).await["result"],
        json!({})
    );
    assert_eq!(
        one.ask(&change("resources/unsubscribe", "s://never")).await["result"],
        json!({})
    );
    hall.endpoint.resource_updated("s://a");
    hall.endpoint.resource_updated("s://b");
    let updated = soon(own.message()).await.unwrap();
    schemas::is_valid("2025-11-25", "ResourceUpdatedNotification", &updated);
    assert_eq!(updated["params"]["uri"], "s://b");
    hall.endpoint.lists_changed(&Change::Tools);
    assert_eq!(
        soon(others.message()).await.unwrap()["method"],
        "notifications/tools/list_changed",
        "the other heard of no resource"
    );
    let outside = hall
        .client()
        .await
        .exchange(&post(&[], &change("resources/subscribe", "s://a")))
        .await;
    assert_eq!(
        outside.code(),
        -32602,
        "outside of a session there is nothing to tell"
    );
}

/// A program follows what costs something only while somebody hears of it.
#[tokio::test]
async fn what_is_in_no_list_and_announced_to_nobody_is_heard_of_by_those_who_know_of_it() {
    let endpoint = builder()
        .resource(resource("s://known").unlisted())
        .unannounced_subscriptions()
        .build()
        .unwrap();
    let hall = hall_of(endpoint, SessionLimits::default()).await;
    let session = hall.session("2025-11-25", "ada", json!({})).await;
    let listed = session.ask(&rpc(1, "resources/list", json!({}))).await;
    assert_eq!(listed["result"]["resources"], json!([]));
    let discovered = Modern::new("server/discover", json!({}));
    let headers: Vec<_> = discovered
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain([("X-User", "ada")])
        .collect();
    let discovered = post(&headers, discovered.message.to_string().as_bytes());
    let discovered = hall.client().await.exchange(&discovered).await.json();
    let capabilities = &discovered["result"]["capabilities"];
    assert!(capabilities["tools"].is_object(), "{discovered}");
    assert_eq!(capabilities["resources"], Value::Null, "{discovered}");
    let read = rpc(2, "resources/read", json!({ "uri": "s://known" }));
    assert_eq!(
        session.ask(&read).await["result"]["contents"][0]["text"],
        "text"
    );

    assert!(!hall.endpoint.is_resource_subscribed("s://known"));
    let endpoint = hall.endpoint.clone();
    let waiting = tokio::spawn(async move { endpoint.resource_subscribed("s://known").await });
    let wishes = json!({ "resourceSubscriptions": ["s://known"] });
    let (mut client, honoured) = listening(&hall, "ada", wishes.clone()).await;
    assert_eq!(honoured, wishes);
    soon(waiting).await.unwrap();
    assert!(!hall.endpoint.is_resource_subscribed("s://other"));
    hall.endpoint.resource_updated("s://known");
    let told = soon(client.message()).await.unwrap();
    assert_eq!(told["params"]["uri"], "s://known");
    drop(client);
    while hall.endpoint.is_resource_subscribed("s://known") {
        tokio::task::yield_now().await;
    }

    let endpoint = hall.endpoint.clone();
    let waiting = tokio::spawn(async move { endpoint.resource_subscribed("s://known").await });
    let subscribe = rpc(3, "resources/subscribe", json!({ "uri": "s://known" }));
    assert_eq!(session.ask(&subscribe).await["result"], json!({}));
    soon(waiting).await.unwrap();
}
