//! Questions that are types, answers that are types, and whatever is an error with `?`.

use footbridge_mcp::{Call, Elicited, Endpoint, Failure, Output, Sampling, Tool, ToolResult, fail};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::wire::InMemory as _;

/// How urgent it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Urgency {
    /// Today.
    High,
    Low,
}

/// About the order.
#[derive(Debug, Deserialize, JsonSchema)]
struct OrderDetails {
    /// How many.
    #[schemars(range(min = 1, max = 9))]
    count: u8,
    urgency: Urgency,
    note: Option<String>,
    #[serde(default)]
    copies: Vec<Urgency>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Sure;

#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "it cannot be asked")]
struct Nested {
    inner: OrderDetails,
}

fn tool<R>(name: &str, function: fn(Call<()>) -> R) -> Tool<()>
where
    R: Future<Output = ToolResult> + Send + 'static,
{
    Tool::new(name, "", json!({"type": "object"}), function)
}

async fn order(call: Call<()>) -> ToolResult {
    let said = match call.ask::<OrderDetails>("Which?").await? {
        Elicited::Accepted(details) => {
            let OrderDetails {
                count,
                urgency,
                note,
                copies,
            } = details;
            format!("{count} {urgency:?} {note:?} {copies:?}")
        }
        Elicited::Declined => "declined".to_owned(),
        Elicited::Cancelled => "cancelled".to_owned(),
    };
    Ok(Output::text(said))
}

async fn sure(call: Call<()>) -> ToolResult {
    let mut sure = Vec::new();
    for name in ["a", "b"] {
        let answer = call.ask::<Sure>(format!("Erase {name}?")).await?;
        sure.push(answer.accepted().is_some());
    }
    Ok(Output::text(format!("{sure:?}")))
}

async fn nested(call: Call<()>) -> ToolResult {
    call.ask::<Nested>("?").await?;
    Ok(Output::text(""))
}

async fn sample(call: Call<()>) -> ToolResult {
    let answer = call.sample("word", Sampling::text("A word?", 5)).await?;
    let text = format!(
        "{} {:?} {:?}",
        answer.text(),
        answer.model(),
        answer.stop_reason()
    );
    Ok(Output::text(text))
}

/// As `anyhow::Error` is: no error itself, and made into one.
#[derive(Debug)]
struct AnyError(&'static str);

impl From<AnyError> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: AnyError) -> Self {
        error.0.into()
    }
}

async fn fails(call: Call<()>) -> ToolResult {
    match call.arguments["how"].as_str() {
        Some("any") => Err(AnyError("of the disk"))?,
        Some("boxed") => Err(Box::<dyn std::error::Error + Send + Sync>::from(
            "of the disk",
        ))?,
        Some("io") => Err(std::io::Error::other("of the disk"))?,
        Some("text") => Err("of the disk")?,
        Some("own") => Err(Failure::NotFound)?,
        _ => Err(fail("say how"))?,
    }
    Ok(Output::text(""))
}

fn endpoint() -> Endpoint<()> {
    Endpoint::builder("asking", "1")
        .tool(tool("order", order))
        .tool(tool("sure", sure))
        .tool(tool("nested", nested))
        .tool(tool("sample", sample))
        .tool(tool("fails", fails))
        .build()
        .unwrap()
}

async fn answered(tool: &str, question: &str, answer: Value) -> String {
    let client = endpoint().client(()).answer(question, answer);
    client.call(tool, json!({})).await.unwrap().text()
}

#[tokio::test]
async fn a_struct_is_a_form_and_its_answer() {
    let content = json!({"count": 3, "urgency": "high", "copies": ["low"]});
    let text = answered(
        "order",
        "order_details",
        json!({"action": "accept", "content": content}),
    );
    assert_eq!(text.await, "3 High None [Low]");
    for (action, said) in [("decline", "declined"), ("cancel", "cancelled")] {
        assert_eq!(
            answered("order", "order_details", json!({"action": action})).await,
            said
        );
    }
    // The form itself, as a client that does not answer sees it.
    let unanswered = endpoint()
        .client(())
        .call("order", json!({}))
        .await
        .unwrap_err();
    let question = unanswered.data.unwrap();
    assert_eq!(question["params"]["message"], "Which?");
    let about = "How urgent it is.\n\n- `high`: Today.";
    assert_eq!(
        question["params"]["requestedSchema"],
        json!({
            "type": "object",
            "properties": {
                "count": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."},
                "urgency": {"type": "string", "enum": ["low", "high"], "description": about},
                "note": {"type": "string"},
                "copies": {
                    "type": "array",
                    "items": {"type": "string", "enum": ["low", "high"], "description": about}
                }
            },
            "required": ["count", "urgency"]
        })
    );
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_asked_for_again() {
    let client = endpoint().client(());
    let wrong = json!({"action": "accept", "content": {"count": 10, "urgency": "high"}});
    let error = client
        .answer("order_details", wrong)
        .call("order", json!({}))
        .await;
    assert_eq!(error.unwrap_err().message, "asked more than 16 times");
}

#[tokio::test]
async fn each_message_is_a_question_of_its_own() {
    assert_eq!(
        answered("sure", "sure", json!({"action": "accept", "content": {}})).await,
        "[true, true]"
    );
    assert_eq!(
        answered("sure", "sure", json!({"action": "decline"})).await,
        "[false, false]"
    );
    let unanswered = endpoint()
        .client(())
        .call("sure", json!({}))
        .await
        .unwrap_err();
    let name = |error: &str| error.split('"').nth(1).map(str::to_owned).unwrap();
    let first = name(&unanswered.message);
    assert!(first.starts_with("sure-"), "{first}");
    // The answer to the first question is none to the second.
    let accepts = json!({"action": "accept", "content": {}});
    let client = endpoint().client(()).answer(first.clone(), accepts);
    let second = client.call("sure", json!({})).await.unwrap_err();
    assert_ne!(name(&second.message), first);
}

#[tokio::test]
async fn a_type_that_is_no_form_is_an_error_inside() {
    let text = answered("nested", "nested", json!({"action": "decline"})).await;
    assert!(
        text.starts_with("nested failed inside the server"),
        "{text}"
    );
}

#[tokio::test]
async fn the_text_of_a_sample_is_at_hand() {
    for content in [
        json!({"type": "text", "text": "Paris"}),
        json!([{"type": "text", "text": "Par"}, {"type": "image"}, {"type": "text", "text": "is"}]),
    ] {
        let answer =
            json!({"role": "assistant", "content": content, "model": "m", "stopReason": "endTurn"});
        let text = answered("sample", "word", answer).await;
        assert_eq!(text, r#"Paris Some("m") Some("endTurn")"#);
    }
}

#[tokio::test]
async fn whatever_is_an_error_is_handed_on() {
    let endpoint = endpoint();
    for (how, said) in [
        ("any", "failed inside the server"),
        ("boxed", "failed inside the server"),
        ("io", "failed inside the server"),
        ("text", "failed inside the server"),
        ("own", "there is nothing of that name"),
        ("", "say how"),
    ] {
        let output = endpoint
            .call("fails", json!({"how": how}), ())
            .await
            .unwrap();
        let text = output.first_text().unwrap();
        assert!(output.is_error() && text.contains(said), "{how}: {text}");
        assert!(!text.contains("disk"), "{text}");
    }
}
