//! The same questions in the legacy era: requests of the server, on a session's stream and over
//! stdio.

use serde_json::{Value, json};

use crate::hall::{Hall, Person, Session, builder, call, hall, hall_of};
use crate::http_client::{Client, Modern, post, soon};
use crate::schemas;
use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{Call, Output, Tool};

const REVISION: &str = "2025-11-25";

async fn asked(hall: &Hall, tool: &str, questions: usize) -> (Session, Client, Vec<Value>) {
    let session = hall
        .session(
            REVISION,
            "ada",
            json!({"elicitation": {}, "sampling": {}, "roots": {}}),
        )
        .await;
    let mut stream = session.stream(&session.post(&call("c", tool, None))).await;
    let mut asked = Vec::new();
    for _ in 0..questions {
        let question = soon(stream.message()).await.unwrap();
        assert!(question["id"].is_string(), "{question}");
        schemas::is_valid(REVISION, "ServerRequest", &question);
        asked.push(question);
    }
    (session, stream, asked)
}

fn answer(question: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": question["id"], "result": result})
}

async fn last(stream: &mut Client) -> Value {
    let message = soon(stream.message()).await.unwrap();
    schemas::check(REVISION, "CallToolResult", &message);
    assert_eq!(message["id"], "c");
    assert!(soon(stream.event()).await.is_none());
    message["result"].clone()
}

#[tokio::test]
async fn an_answer_reaches_the_handler_that_asked() {
    let hall = hall().await;
    for (given, said) in [
        (
            json!({"action": "accept", "content": {"name": "Ada"}}),
            r#"Accepted({"name": String("Ada")})"#,
        ),
        (json!({"action": "decline"}), "Declined"),
        (json!({"action": "cancel"}), "Cancelled"),
    ] {
        let (session, mut stream, questions) = asked(&hall, "name", 1).await;
        assert_eq!(questions[0]["method"], "elicitation/create");
        session.notify(&answer(&questions[0], given)).await;
        assert_eq!(last(&mut stream).await["content"][0]["text"], said);
    }
}

#[tokio::test]
async fn several_questions_go_out_together_and_are_answered_in_any_order() {
    let hall = hall().await;
    let (session, mut stream, mut questions) = asked(&hall, "three", 3).await;
    questions.reverse();
    for question in &questions {
        let result = match question["method"].as_str().unwrap() {
            "elicitation/create" => json!({"action": "accept", "content": {"name": "Ada"}}),
            "roots/list" => json!({"roots": []}),
            _ => {
                json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "yes"}})
            }
        };
        session.notify(&answer(question, result)).await;
    }
    assert_eq!(
        last(&mut stream).await["content"][0]["text"],
        r#"Accepted({"name": String("Ada")}) "yes" 0"#
    );
}

#[tokio::test]
async fn a_refusal_and_an_answer_that_does_not_fit_end_the_call_with_a_sentence() {
    let hall = hall().await;
    let error = |question: &Value| json!({"jsonrpc": "2.0", "id": question["id"], "error": {"code": -1, "message": "no"}});
    let garbage = |question: &Value| {
        answer(
            question,
            json!({"action": "accept", "content": {"name": 7}}),
        )
    };
    for reply in [&error as &dyn Fn(&Value) -> Value, &garbage] {
        let (session, mut stream, questions) = asked(&hall, "name", 1).await;
        session.notify(&reply(&questions[0])).await;
        let result = last(&mut stream).await;
        assert_eq!(result["isError"], true);
        assert_eq!(
            result["content"][0]["text"],
            "the client did not answer the question \"name\""
        );
    }
}

#[tokio::test]
async fn nobody_answers_for_another_session() {
    let hall = hall().await;
    let (_session, mut stream, questions) = asked(&hall, "name", 1).await;
    let (other, _other_stream, _) = asked(&hall, "name", 1).await;
    other
        .notify(&answer(&questions[0], json!({"action": "decline"})))
        .await;
    let (third, mut third_stream, third_questions) = asked(&hall, "name", 1).await;
    third
        .notify(&answer(&third_questions[0], json!({"action": "decline"})))
        .await;
    assert_eq!(
        last(&mut third_stream).await["content"][0]["text"],
        "Declined"
    );
    let more = tokio::time::timeout(std::time::Duration::from_millis(100), stream.event()).await;
    assert!(more.is_err(), "the first still waits: {more:?}");
}

#[tokio::test]
async fn a_question_that_nobody_answers_ends_with_its_call_or_its_session() {
    let hall = hall().await;
    let (session, mut stream, questions) = asked(&hall, "name", 1).await;
    session.notify(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "c"}})).await;
    assert!(
        soon(stream.event()).await.is_none(),
        "no answer to what was taken back"
    );
    session
        .notify(&answer(&questions[0], json!({"action": "decline"})))
        .await;

    let (session, mut stream, _) = asked(&hall, "name", 1).await;
    hall.client().await.exchange(&session.delete()).await;
    assert!(soon(stream.event()).await.is_none());
}

#[tokio::test]
async fn who_cannot_be_asked_is_told_so() {
    let hall = hall().await;
    let session = hall.session(REVISION, "ada", json!({})).await;
    let refused = session.ask(&call("c", "name", None)).await;
    schemas::check_error(REVISION, &refused);
    assert_eq!(refused["error"]["code"], -32021);
    let outside = hall
        .client()
        .await
        .exchange(&post(&[], &call("c", "name", None)))
        .await;
    schemas::check(REVISION, "CallToolResult", &outside.json());
    assert_eq!(
        outside.json()["result"]["isError"],
        true,
        "outside of a session there is no way to ask"
    );
}

/// The same in both eras: what is missing is named. A client without a session said nothing of
/// itself.
#[tokio::test]
async fn what_a_tool_requires_is_what_initialize_declared() {
    let tool = Tool::new(
        "needs",
        "For tests.",
        json!({"type": "object"}),
        |_: Call<Person>| async { Ok(Output::text("had it")) },
    )
    .requires(json!({"elicitation": {"url": {}}, "sampling": {}}));
    let hall = hall_of(
        builder().tool(tool).build().unwrap(),
        SessionLimits::default(),
    )
    .await;
    for (declared, missing) in [
        (
            json!({}),
            json!({"elicitation": {"url": {}}, "sampling": {}}),
        ),
        (
            json!({"elicitation": {}, "sampling": {}}),
            json!({"elicitation": {"url": {}}}),
        ),
        (
            json!({"elicitation": {"url": {}}, "sampling": {}}),
            Value::Null,
        ),
    ] {
        let session = hall.session(REVISION, "ada", declared.clone()).await;
        let answer = session.ask(&call("c", "needs", None)).await;
        schemas::check(REVISION, "CallToolResult", &answer);
        assert_eq!(
            answer["error"]["data"]["requiredCapabilities"], missing,
            "{declared}"
        );
        assert_eq!(
            answer["error"]["code"],
            if missing.is_null() {
                Value::Null
            } else {
                json!(-32021)
            }
        );
        let mut modern = Modern::call("needs", json!({}));
        modern.message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = declared;
        let headers: Vec<_> = modern
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = hall
            .client()
            .await
            .exchange(&post(&headers, modern.message.to_string().as_bytes()))
            .await
            .json();
        assert_eq!(answer["error"]["data"]["requiredCapabilities"], missing);
    }
    let outside = hall
        .client()
        .await
        .exchange(&post(&[], &call("c", "needs", None)))
        .await;
    assert_eq!((outside.status, outside.code()), (200, -32021));
}
