//! Questions on 2026-07-28: input-required results, the answers that come back, and the sealed
//! state between the two.

use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{Call, Resource, StateKey};
use serde_json::{Value, json};

use crate::hall::{Hall, Person, builder, form, hall, hall_of};
use crate::http_client::{Modern, post};
use crate::schemas::{self, MODERN};

/// Calls a tool of the asking kind with what the client brings; checks the answer against the
/// schema.
async fn ask(hall: &Hall, user: &str, tool: &str, bring: &Value) -> (u16, Value) {
    let mut request = Modern::call(tool, json!({}));
    let capabilities = json!({"elicitation": {}, "sampling": {}, "roots": {}});
    request.message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    for (key, value) in bring.as_object().unwrap() {
        request.message["params"][key] = value.clone();
    }
    send(hall, user, &request).await
}

async fn send(hall: &Hall, user: &str, request: &Modern) -> (u16, Value) {
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain([("X-User", user)])
        .collect();
    let reply = hall
        .client()
        .await
        .exchange(&post(&headers, request.message.to_string().as_bytes()))
        .await;
    let message = reply.json();
    let kind = if message["result"]["resultType"] == "input_required" {
        "InputRequiredResult"
    } else {
        "CallToolResult"
    };
    schemas::check(MODERN, kind, &message);
    (reply.status, message)
}

fn questions(message: &Value) -> Vec<&str> {
    assert_eq!(
        message["result"]["resultType"], "input_required",
        "{message}"
    );
    message["result"]["inputRequests"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn text(message: &Value) -> &str {
    message["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("{message}"))
}

fn accept(property: &str, value: &str) -> Value {
    json!({"action": "accept", "content": {property: value}})
}

#[tokio::test]
async fn a_question_ends_the_call_and_its_answer_begins_it_again() {
    let hall = hall().await;
    let (status, asked) = ask(&hall, "ada", "name", &json!({})).await;
    assert_eq!((status, questions(&asked)), (200, vec!["name"]));
    assert_eq!(
        asked["result"]["inputRequests"]["name"]["method"],
        "elicitation/create"
    );
    let state = &asked["result"]["requestState"];
    for (answer, said) in [
        (
            accept("name", "Ada"),
            r#"Accepted({"name": String("Ada")})"#,
        ),
        (json!({"action": "decline"}), "Declined"),
        (json!({"action": "cancel"}), "Cancelled"),
    ] {
        let bring = json!({"inputResponses": {"name": answer}, "requestState": state});
        assert_eq!(text(&ask(&hall, "ada", "name", &bring).await.1), said);
        let bring =
            json!({"inputResponses": {"name": answer, "nobody asked": 1}, "requestState": state});
        assert_eq!(
            text(&ask(&hall, "ada", "name", &bring).await.1),
            said,
            "extra answers do no harm"
        );
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_again() {
    let hall = hall().await;
    let state = ask(&hall, "ada", "name", &json!({})).await.1["result"]["requestState"].clone();
    for answer in [
        json!({"other": accept("name", "Ada")}),
        json!({}),
        json!({"name": null}),
        json!({"name": "Ada"}),
        json!({"name": {"action": "accept"}}),
        json!({"name": {"action": "accept", "content": {"name": 7}}}),
        json!({"name": {"action": "accept", "content": {}}}),
        json!({"name": {"action": "shrug"}}),
    ] {
        let (_, again) = ask(
            &hall,
            "ada",
            "name",
            &json!({"inputResponses": answer, "requestState": state}),
        )
        .await;
        assert_eq!(questions(&again), ["name"], "{answer}");
    }
    for garbage in [json!([]), json!("x"), json!(7)] {
        let (_, refused) = ask(
            &hall,
            "ada",
            "name",
            &json!({"inputResponses": garbage, "requestState": state}),
        )
        .await;
        assert_eq!(refused["error"]["code"], -32602, "{garbage}");
    }
}

#[tokio::test]
async fn two_rounds_carry_the_first_answer_in_the_state() {
    let hall = hall().await;
    let (_, first) = ask(&hall, "ada", "name_then_color", &json!({})).await;
    let bring = json!({"inputResponses": {"name": accept("name", "Ada")}, "requestState": first["result"]["requestState"]});
    let (_, second) = ask(&hall, "ada", "name_then_color", &bring).await;
    assert_eq!(
        (questions(&first), questions(&second)),
        (vec!["name"], vec!["color"])
    );
    assert_ne!(
        first["result"]["requestState"],
        second["result"]["requestState"]
    );
    let bring = json!({"inputResponses": {"color": accept("color", "red")}, "requestState": second["result"]["requestState"]});
    assert_eq!(
        text(&ask(&hall, "ada", "name_then_color", &bring).await.1),
        "\"Ada\" \"red\""
    );
    let bring = json!({"inputResponses": {"color": accept("color", "red")}, "requestState": first["result"]["requestState"]});
    assert_eq!(
        questions(&ask(&hall, "ada", "name_then_color", &bring).await.1),
        ["name"],
        "the first state knows no name"
    );
}

#[tokio::test]
async fn several_questions_are_one_round_and_may_be_answered_in_parts() {
    let hall = hall().await;
    let (_, asked) = ask(&hall, "ada", "three", &json!({})).await;
    assert_eq!(questions(&asked), ["name", "where", "word"]);
    let word =
        json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "yes"}});
    let part = json!({"name": accept("name", "Ada"), "word": word});
    let bring = json!({"inputResponses": part, "requestState": asked["result"]["requestState"]});
    let (_, rest) = ask(&hall, "ada", "three", &bring).await;
    assert_eq!(questions(&rest), ["where"]);
    let roots = json!({"roots": [{"uri": "file:///a"}, {"uri": "file:///b", "name": "b"}]});
    let bring =
        json!({"inputResponses": {"where": roots}, "requestState": rest["result"]["requestState"]});
    assert_eq!(
        text(&ask(&hall, "ada", "three", &bring).await.1),
        r#"Accepted({"name": String("Ada")}) "yes" 2"#
    );
}

#[tokio::test]
async fn a_client_that_cannot_be_asked_is_told_which_capability_it_lacks() {
    let hall = hall().await;
    for (tool, declared, lacking) in [
        ("name", json!({}), json!({"elicitation": {}})),
        (
            "name",
            json!({"elicitation": {"url": {}}}),
            json!({"elicitation": {"form": {}}}),
        ),
        (
            "three",
            json!({"elicitation": {"form": {}}, "roots": {}}),
            json!({"sampling": {}}),
        ),
    ] {
        let mut request = Modern::call(tool, json!({}));
        request.message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = declared;
        let (status, refused) = send(&hall, "ada", &request).await;
        assert_eq!((status, &refused["error"]["code"]), (400, &json!(-32021)));
        assert_eq!(refused["error"]["data"]["requiredCapabilities"], lacking);
    }
    let mut request = Modern::call("name", json!({}));
    request.message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"elicitation": {"url": {}, "form": {}}});
    assert_eq!(questions(&send(&hall, "ada", &request).await.1), ["name"]);
}

#[tokio::test]
async fn a_state_is_good_for_its_request_and_its_caller_and_unchanged_only() {
    let hall = hall().await;
    let state = ask(&hall, "ada", "name", &json!({})).await.1["result"]["requestState"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(!state.contains("ada"));
    let bring = |state: &str| json!({"inputResponses": {"name": accept("name", "Ada")}, "requestState": state});
    let mut flipped = state.clone().into_bytes();
    flipped[3] = if flipped[3] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    for bad in [
        format!("{state}x"),
        flipped,
        state.replace('.', ""),
        String::new(),
        "a.b".to_owned(),
    ] {
        let (_, refused) = ask(&hall, "ada", "name", &bring(&bad)).await;
        assert_eq!(refused["error"]["code"], -32602, "{bad}");
        assert!(!refused.to_string().contains(&state), "it is not repeated");
    }
    assert_eq!(
        ask(&hall, "eve", "name", &bring(&state)).await.1["error"]["code"],
        -32602,
        "another caller"
    );
    assert_eq!(
        ask(&hall, "ada", "name_then_color", &bring(&state)).await.1["error"]["code"],
        -32602,
        "another tool"
    );
    let mut other = bring(&state);
    other["arguments"] = json!({"x": 1});
    assert_eq!(
        ask(&hall, "ada", "name", &other).await.1["error"]["code"],
        -32602,
        "other arguments"
    );
    assert_eq!(
        ask(&hall, "ada", "name", &json!({"requestState": 7}))
            .await
            .1["error"]["code"],
        -32602
    );
    assert_eq!(
        text(&ask(&hall, "ada", "name", &bring(&state)).await.1),
        r#"Accepted({"name": String("Ada")})"#
    );
}

/// A resource is known by its address, whatever else the client names.
#[tokio::test]
async fn the_state_of_one_resource_is_not_that_of_another() {
    let resource = Resource::template("q://{id}", "asking", |call: Call<Person>| async move {
        let answer = call.elicit("name", form("Who?", "name")).await?;
        Ok(format!("{} {answer:?}", call.arguments["id"]).into())
    });
    let hall = hall_of(
        builder().resource(resource).build().unwrap(),
        SessionLimits::default(),
    )
    .await;
    let read = async |uri: &str, bring: Value| {
        let mut request = Modern::new("resources/read", json!({"uri": uri})).with("Mcp-Name", uri);
        request.message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
            json!({"elicitation": {}});
        // Not a parameter of this method.
        request.message["params"]["name"] = json!("the same");
        for (key, value) in bring.as_object().unwrap() {
            request.message["params"][key] = value.clone();
        }
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        hall.client()
            .await
            .exchange(&post(&headers, request.message.to_string().as_bytes()))
            .await
            .json()
    };
    let state = read("q://1", json!({})).await["result"]["requestState"].clone();
    let bring = json!({"inputResponses": {"name": {"action": "decline"}}, "requestState": state});
    assert_eq!(
        read("q://1", bring.clone()).await["result"]["contents"][0]["text"],
        "\"1\" Declined"
    );
    let refused = read("q://2", bring).await;
    assert_eq!(
        refused["error"]["message"],
        "`requestState` belongs to another request; call again without it"
    );
}

/// Clients keep the request as a value and write it again: what they write need not be the same to
/// the byte.
#[tokio::test]
async fn a_request_that_is_written_anew_is_the_same_request() {
    let hall = hall().await;
    let body = |tool: &str, arguments: &str, bring: &str| {
        let meta = Modern::call("name", json!({})).message["params"]["_meta"].to_string();
        let meta = meta.replace(
            r#""io.modelcontextprotocol/clientCapabilities":{}"#,
            r#""io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}"#,
        );
        format!(
            r#"{{"jsonrpc":"2.0","id":"m-1","method":"tools/call","params":{{"name":{tool},"arguments":{arguments},"_meta":{meta}{bring}}}}}"#
        )
    };
    let hall = &hall;
    let send = |body: String| async move {
        let request = Modern::call("name", json!({}));
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        hall.client()
            .await
            .exchange(&post(&headers, body.as_bytes()))
            .await
            .json()
    };
    let answered = |asked: &Value| {
        let state = &asked["result"]["requestState"];
        format!(r#","inputResponses":{{"name":{{"action":"decline"}}}},"requestState":{state}"#)
    };
    let asked = send(body(
        r#""name""#,
        r#"{"a":1,"b":{"c":"\u00e9","d":[2.0]}}"#,
        "",
    ))
    .await;
    let bring = answered(&asked);
    for same in [
        r#"{"a":1,"b":{"c":"é","d":[2.0]}}"#,
        r#"{ "b": {"d": [2], "c": "é"}, "a": 1.0 }"#,
    ] {
        assert_eq!(
            text(&send(body(r#""n\u0061me""#, same, &bring)).await),
            "Declined",
            "{same}"
        );
    }
    for other in [
        "{}",
        "null",
        r#"{"a":1,"b":{"c":"e","d":[2.0]}}"#,
        r#"{"a":"1","b":{"c":"é","d":[2.0]}}"#,
        r#"{"a":1,"b":{"c":"é","d":[2.5]}}"#,
    ] {
        let refused = send(body(r#""name""#, other, &bring)).await;
        assert_eq!(
            refused["error"]["message"],
            "`requestState` belongs to another request; call again without it",
            "{other}"
        );
    }
    let asked = send(body(r#""name""#, "{}", "")).await;
    let bring = answered(&asked);
    assert_eq!(
        text(&send(body(r#""name""#, "null", &bring)).await),
        "Declined",
        "no arguments are empty ones"
    );
}

#[tokio::test]
async fn replicas_with_one_key_read_each_others_states() {
    let replica = |key: [u8; 32]| {
        hall_of(
            builder().state_key(StateKey::new(key)).build().unwrap(),
            SessionLimits::default(),
        )
    };
    let (one, other, foreign) = (
        replica([1; 32]).await,
        replica([1; 32]).await,
        replica([2; 32]).await,
    );
    let state = ask(&one, "ada", "name", &json!({})).await.1["result"]["requestState"].clone();
    let bring = json!({"inputResponses": {"name": {"action": "decline"}}, "requestState": state});
    assert_eq!(
        text(&ask(&other, "ada", "name", &bring).await.1),
        "Declined"
    );
    assert_eq!(
        ask(&foreign, "ada", "name", &bring).await.1["error"]["code"],
        -32602
    );
}
