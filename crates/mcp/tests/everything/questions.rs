//! Tools that ask, of both eras: each question as it goes out, and what comes of the answer.

use footbridge_mcp::testing::TestClient;
use serde_json::{Value, json};

use crate::{client, content, schemas, text};

fn accept(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

fn sampled(text: &str) -> Value {
    json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": text}})
}

fn form(message: &str, properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    json!({"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}})
}

fn sampling(text: &str, tokens: u32) -> Value {
    let message = json!({"role": "user", "content": {"type": "text", "text": text}});
    json!({"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": tokens}})
}

/// The first question that a client without an answer to it is left with.
async fn question(client: &TestClient<()>, tool: &str, arguments: Value) -> Value {
    let unanswered = client.call(tool, arguments).await.unwrap_err();
    let question = unanswered.data.unwrap();
    schemas::is_valid(schemas::MODERN, "InputRequest", &question);
    question
}

#[tokio::test]
async fn one_question_each() {
    let name = form(
        "What is your name?",
        json!({"name": {"type": "string"}}),
        &["name"],
    );
    let confirm = form(
        "Please confirm",
        json!({"ok": {"type": "boolean"}}),
        &["ok"],
    );
    let roots = json!({"roots": [{"uri": "file:///a"}, {"uri": "file:///b", "name": "b"}]});
    let table = [
        (
            "test_input_required_result_elicitation",
            "user_name",
            name.clone(),
            accept(json!({"name": "Ada"})),
            "Hello, Ada!",
        ),
        (
            "test_streaming_elicitation",
            "user_name",
            name,
            accept(json!({"name": "Ada"})),
            "Hello, Ada!",
        ),
        (
            "test_input_required_result_sampling",
            "capital_question",
            sampling("What is the capital of France?", 100),
            sampled("Paris"),
            "Paris",
        ),
        (
            "test_input_required_result_list_roots",
            "client_roots",
            json!({"method": "roots/list", "params": {}}),
            roots,
            "Roots: file:///a, file:///b",
        ),
        (
            "test_input_required_result_request_state",
            "confirm",
            confirm.clone(),
            accept(json!({"ok": true})),
            "state-ok",
        ),
        (
            "test_input_required_result_tampered_state",
            "confirm",
            confirm,
            accept(json!({"ok": true})),
            "state-ok",
        ),
    ];
    for (tool, name, asked, answer, said) in table {
        assert_eq!(question(&client(), tool, json!({})).await, asked, "{tool}");
        assert_eq!(
            content(&client().answer(name, answer), tool, json!({})).await,
            text(said),
            "{tool}"
        );
    }
    let declined = client().answer("user_name", json!({"action": "decline"}));
    let failed = declined
        .call("test_input_required_result_elicitation", json!({}))
        .await
        .unwrap();
    assert_eq!(
        (failed.is_error(), failed.text().as_str()),
        (true, "the user did not answer")
    );
}

#[tokio::test]
async fn several_questions() {
    let name = || client().answer("user_name", accept(json!({"name": "Ada"})));
    let roots = json!({"roots": [{"uri": "file:///a"}]});
    let tool = "test_input_required_result_multiple_inputs";
    assert_eq!(
        question(&name(), tool, json!({})).await["method"],
        "roots/list"
    );
    let with_roots = name().answer("client_roots", roots);
    assert_eq!(
        question(&with_roots, tool, json!({})).await,
        sampling("Write a short greeting.", 50)
    );
    let all = with_roots.answer("greeting", sampled("Good day,"));
    assert_eq!(
        content(&all, tool, json!({})).await,
        text("Good day, Ada, 1 roots")
    );

    let tool = "test_input_required_result_multi_round";
    let first = client().answer("step1", accept(json!({"name": "Ada"})));
    assert_eq!(
        question(&client(), tool, json!({})).await["params"]["message"],
        "What is your name?"
    );
    let second = form(
        "What is your favourite color?",
        json!({"color": {"type": "string"}}),
        &["color"],
    );
    assert_eq!(question(&first, tool, json!({})).await, second);
    assert_eq!(
        content(
            &first.answer("step2", accept(json!({"color": "blue"}))),
            tool,
            json!({})
        )
        .await,
        text("Ada likes blue")
    );
}

#[tokio::test]
async fn only_what_the_client_can_answer_is_asked() {
    let tool = "test_input_required_result_capabilities";
    let sampling_only = client().capabilities(json!({"sampling": {}}));
    assert_eq!(
        question(&sampling_only, tool, json!({})).await,
        sampling("What is the capital of France?", 100)
    );
    let answered = sampling_only.answer("capital_question", sampled("Paris"));
    assert_eq!(
        content(&answered, tool, json!({})).await,
        text("Everything was answered.")
    );
    assert_eq!(
        content(&client().capabilities(json!({})), tool, json!({})).await,
        text("Everything was answered.")
    );
}

#[tokio::test]
async fn questions_of_the_legacy_scenarios() {
    let arguments = json!({"prompt": "Say hello"});
    assert_eq!(
        question(&client(), "test_sampling", arguments.clone()).await,
        sampling("Say hello", 100)
    );
    let answered = client().answer("prompt", sampled("hello"));
    assert_eq!(
        content(&answered, "test_sampling", arguments).await,
        text("LLM response: hello")
    );

    let arguments = json!({"message": "Who are you?"});
    let fields = json!({
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"}
    });
    assert_eq!(
        question(&client(), "test_elicitation", arguments.clone()).await,
        form("Who are you?", fields, &["username", "email"])
    );
    let answered = client().answer(
        "user",
        accept(json!({"username": "ada", "email": "ada@example.org"})),
    );
    let said =
        r#"User response: action=accept, content={"username":"ada","email":"ada@example.org"}"#;
    assert_eq!(
        content(&answered, "test_elicitation", arguments).await,
        text(said)
    );

    let defaults = json!({
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true}
    });
    let tool = "test_elicitation_sep1034_defaults";
    assert_eq!(
        question(&client(), tool, json!({})).await,
        form("Please check these values", defaults, &[])
    );
    let answered = client().answer("defaults", accept(json!({"name": "Ada"})));
    assert_eq!(
        content(&answered, tool, json!({})).await,
        text(r#"Elicitation completed: action=accept, content={"name":"Ada"}"#)
    );
    let declined = client().answer("defaults", json!({"action": "decline"}));
    assert_eq!(
        content(&declined, tool, json!({})).await,
        text("Elicitation completed: action=decline, content={}")
    );
    let cancelled = client().answer("defaults", json!({"action": "cancel"}));
    assert_eq!(
        content(&cancelled, tool, json!({})).await,
        text("Elicitation completed: action=cancel, content={}")
    );
}

#[tokio::test]
async fn the_five_forms_of_enums() {
    let titled = json!([
        {"const": "value1", "title": "First Option"}, {"const": "value2", "title": "Second Option"}, {"const": "value3", "title": "Third Option"}
    ]);
    let plain = json!(["option1", "option2", "option3"]);
    let fields = json!({
        "untitledSingle": {"type": "string", "enum": plain},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}}
    });
    let tool = "test_elicitation_sep1330_enums";
    assert_eq!(
        question(&client(), tool, json!({})).await,
        form("Please choose", fields, &[])
    );
    let answered = client().answer("enums", accept(json!({"untitledSingle": "option2"})));
    let said = r#"Elicitation completed: action=accept, content={"untitledSingle":"option2"}"#;
    assert_eq!(content(&answered, tool, json!({})).await, text(said));
}
