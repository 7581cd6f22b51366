//! Questions of a task: how they stand open, are answered in parts, again, too often, or not at
//! all; and those before there is a task.

use footbridge_mcp::limits;
use serde_json::{Value, json};

use crate::hall::Hall;
use crate::jobs::jobs;

fn accept(property: &str, value: &str) -> Value {
    json!({"action": "accept", "content": {property: value}})
}

fn keys(state: &Value) -> Vec<&str> {
    assert_eq!(state["status"], "input_required", "{state}");
    state["inputRequests"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

async fn update(hall: &Hall, id: &str, answers: Value) {
    hall.result(
        "ada",
        "tasks/update",
        json!({"taskId": id, "inputResponses": answers}),
    )
    .await;
}

fn text(state: &Value) -> &str {
    assert_eq!(state["status"], "completed", "{state}");
    state["result"]["content"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn a_question_waits_in_the_task_until_it_is_answered() {
    let hall = jobs().await;
    for (answer, said) in [
        (accept("name", "Ada"), r#"{"name":"Ada"}"#),
        (json!({"action": "decline"}), "Declined"),
        (json!({"action": "cancel"}), "Cancelled"),
    ] {
        let id = hall.begin("ada", "asks", json!({})).await;
        let state = hall.until("ada", &id, "input_required").await;
        assert_eq!(keys(&state), ["name"]);
        let question = &state["inputRequests"]["name"];
        assert_eq!(
            (&question["method"], &question["params"]["message"]),
            (&json!("elicitation/create"), &json!("Who?"))
        );
        assert_eq!(
            hall.get("ada", &id).await,
            state,
            "asked for again, it is the same question"
        );
        update(&hall, &id, json!({ "name": answer, "nobody asked": 1 })).await;
        assert_eq!(text(&hall.until("ada", &id, "completed").await), said);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_leaves_the_question_open_under_a_new_key() {
    let hall = jobs().await;
    let id = hall.begin("ada", "asks", json!({})).await;
    let first = hall.until("ada", &id, "input_required").await;
    for (number, wrong) in [
        json!(null),
        json!("Ada"),
        json!({"action": "accept"}),
        accept("other", "Ada"),
    ]
    .into_iter()
    .enumerate()
    {
        let state = hall.get("ada", &id).await;
        let key = keys(&state)[0].to_owned();
        update(&hall, &id, json!({ key.clone(): wrong })).await;
        let again = hall.get("ada", &id).await;
        assert_eq!(keys(&again), [format!("name-{}", number + 2)]);
        assert_eq!(
            again["inputRequests"][keys(&again)[0]],
            first["inputRequests"]["name"],
            "the same question"
        );
        // An answer to the key that was answered is passed over.
        update(&hall, &id, json!({ key: accept("name", "late") })).await;
        assert_eq!(hall.get("ada", &id).await, again);
    }
    update(&hall, &id, json!({"name-5": accept("name", "Ada")})).await;
    assert_eq!(
        text(&hall.until("ada", &id, "completed").await),
        r#"{"name":"Ada"}"#
    );
}

#[tokio::test]
async fn a_name_that_is_asked_twice_has_two_keys() {
    let hall = jobs().await;
    let id = hall.begin("ada", "asks_again", json!({})).await;
    assert_eq!(
        keys(&hall.until("ada", &id, "input_required").await),
        ["name"]
    );
    update(
        &hall,
        &id,
        json!({"name": accept("name", "Ada"), "name-2": accept("name", "early")}),
    )
    .await;
    let state = loop {
        let state = hall.until("ada", &id, "input_required").await;
        if keys(&state) != ["name"] {
            break state;
        }
    };
    assert_eq!(keys(&state), ["name-2"]);
    assert_eq!(
        state["inputRequests"]["name-2"]["params"]["message"],
        "Who else?"
    );
    update(&hall, &id, json!({"name-2": accept("name", "Eve")})).await;
    assert_eq!(
        text(&hall.until("ada", &id, "completed").await),
        r#"{"name":"Ada"} {"name":"Eve"}"#
    );
}

#[tokio::test]
async fn questions_of_one_round_are_answered_in_parts_and_in_any_order() {
    let hall = jobs().await;
    let id = hall.begin("ada", "three_in_a_task", json!({})).await;
    assert_eq!(
        keys(&hall.until("ada", &id, "input_required").await),
        ["name", "where", "word"]
    );
    update(&hall, &id, json!({"word": {"role": "assistant", "model": "m", "content": {"type": "text", "text": "yes"}}})).await;
    assert_eq!(keys(&hall.get("ada", &id).await), ["name", "where"]);
    update(&hall, &id, json!({"where": {"roots": []}})).await;
    assert_eq!(keys(&hall.get("ada", &id).await), ["name"]);
    update(&hall, &id, json!({})).await;
    assert_eq!(keys(&hall.get("ada", &id).await), ["name"]);
    update(&hall, &id, json!({"name": accept("name", "Ada")})).await;
    assert_eq!(
        text(&hall.until("ada", &id, "completed").await),
        "yes 0 Ada"
    );
}

#[tokio::test]
async fn a_task_asks_so_often_and_no_more() {
    let hall = jobs().await;
    let id = hall.begin("ada", "asks", json!({})).await;
    hall.until("ada", &id, "input_required").await;
    for _ in 1..limits::TASK_QUESTIONS {
        let key = keys(&hall.get("ada", &id).await)[0].to_owned();
        update(&hall, &id, json!({ key: null })).await;
    }
    let state = hall.get("ada", &id).await;
    assert_eq!(keys(&state), [format!("name-{}", limits::TASK_QUESTIONS)]);
    update(&hall, &id, json!({ keys(&state)[0]: null })).await;
    let state = hall.until("ada", &id, "completed").await;
    assert_eq!(state["result"]["isError"], true);
    assert!(text(&state).contains("too often"), "{state}");
}

#[tokio::test]
async fn a_question_that_the_tool_no_longer_waits_for_is_taken_back() {
    let mut hall = jobs().await;
    let id = hall.begin("ada", "gives_up", json!({})).await;
    hall.until("ada", &id, "input_required").await;
    hall.person.gate.add_permits(1);
    assert_eq!(hall.told().await, "gave up");
    assert_eq!(hall.get("ada", &id).await["status"], "working");
    hall.result("ada", "tasks/cancel", json!({ "taskId": id }))
        .await;
    let asking = hall.begin("ada", "asks", json!({})).await;
    hall.until("ada", &asking, "input_required").await;
    hall.result("ada", "tasks/cancel", json!({ "taskId": asking }))
        .await;
    let state = hall.get("ada", &asking).await;
    assert_eq!(
        (&state["status"], state.get("inputRequests")),
        (&json!("cancelled"), None)
    );
}

/// What decides whether there is a task at all is asked before there is one, by an input-required
/// result.
#[tokio::test]
async fn questions_before_a_task_and_in_it_are_told_apart() {
    let hall = jobs().await;
    let call = |more: Value| {
        let mut params = json!({"name": "asks_first", "arguments": {}});
        params
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        params
    };
    let asked = hall.result("ada", "tools/call", call(json!({}))).await;
    assert_eq!(
        (&asked["resultType"], asked.get("taskId")),
        (&json!("input_required"), None)
    );
    assert_eq!(asked["inputRequests"]["sure"]["params"]["message"], "Sure?");
    let bring = json!({"inputResponses": {"sure": accept("sure", "yes")}, "requestState": asked["requestState"]});
    let result = hall.result("ada", "tools/call", call(bring)).await;
    assert_eq!(
        (&result["resultType"], &result["status"]),
        (&json!("task"), &json!("working"))
    );
    let id = result["taskId"].as_str().unwrap();
    let state = hall.until("ada", id, "input_required").await;
    assert_eq!(
        state["inputRequests"]["sure"]["params"]["message"], "Really?",
        "the first answer is not the second's"
    );
    update(&hall, id, json!({"sure": accept("sure", "really")})).await;
    assert_eq!(
        text(&hall.until("ada", id, "completed").await),
        r#"{"sure":"yes"} {"sure":"really"}"#
    );
}
