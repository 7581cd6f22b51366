//! Every door starts a call by the same rules: whether a client sends it or the program makes it,
//! the same is admitted, refused and ended alike.

use std::time::Duration;

use footbridge_mcp::{Call, CallError, Endpoint, ErrorKind, Failure, Output, Tool, fail};
use serde_json::{Value, json};

use crate::wire::InMemory as _;

/// Whether the operator opened everything to the caller.
type May = bool;

/// What the tool says to the program that called it.
#[derive(Debug, Clone, PartialEq)]
struct Told(&'static str);

fn endpoint() -> Endpoint<May> {
    let object = || json!({"type": "object"});
    let strict = json!({
        "type": "object",
        "properties": {"year": {"type": "integer"}},
        "required": ["year"],
        "additionalProperties": false
    });
    let done = |_: Call<May>| async { Ok(Output::text("done")) };
    let panics = |call: Call<May>| {
        assert!(!call.arguments.is_empty(), "hunter2");
        async { Ok(Output::text("done")) }
    };
    let waits = |_: Call<May>| std::future::pending();
    let breaks = |_: Call<May>| async { Err(Failure::Internal("hunter2".into())) };
    let tells = |_: Call<May>| async {
        Ok(Output::error("nobody answered")
            .meta("example.org/retry", json!("safe"))
            .with_extension(Told("three attempts")))
    };
    let closed = |call: &Call<May>| match *call.caller {
        true => Ok(()),
        false => Err(fail("it is closed; the operator opens it")),
    };
    let forbidden = |call: &Call<May>| match *call.caller {
        true => Ok(()),
        false => Err(Failure::Forbidden("not by you".to_owned())),
    };
    Endpoint::builder("starts", "1.0.0")
        .tool(Tool::new("hidden", "", object(), done).allowed_for(|call| *call.caller))
        .tool(Tool::new("able", "", object(), done).requires(json!({"sampling": {"tools": {}}})))
        .tool(Tool::new("strict", "", strict.clone(), done))
        .tool(Tool::new("closed", "", strict.clone(), done).admits(closed))
        .tool(Tool::new("forbidden", "", strict, done).admits(forbidden))
        .tool(Tool::new("panics", "", object(), panics))
        .tool(Tool::new("breaks", "", object(), breaks))
        .tool(Tool::new("tells", "", object(), tells))
        .tool(Tool::new("waits", "", object(), waits).time_limit(Duration::from_millis(20)))
        .build()
        .unwrap()
}

/// How a call of the program ended: its text and kind, or the code that a client has for it.
async fn by_program(tool: &str, arguments: Value) -> Result<(String, Option<ErrorKind>), i64> {
    match endpoint().call(tool, arguments, false).await {
        Ok(output) => {
            let text = output.first_text().unwrap_or_default().to_owned();
            Ok((text, output.error_kind()))
        }
        Err(CallError::MissingCapability(_)) => Err(-32021),
        Err(CallError::Forbidden(_)) => Err(-32600),
        Err(_) => Err(-32602),
    }
}

/// The same of a client that declares nothing.
async fn by_client(tool: &str, arguments: Value) -> Result<(String, bool), i64> {
    let endpoint = endpoint();
    let client = endpoint.client(false).capabilities(json!({}));
    let result = client.call(tool, arguments).await;
    result
        .map(|result| (result.text(), result.is_error()))
        .map_err(|error| error.code)
}

#[tokio::test]
async fn the_program_and_a_client_are_admitted_refused_and_stopped_alike() {
    for (tool, arguments, kind) in [
        ("hidden", json!({}), Err(-32602)),
        ("nobody", json!({}), Err(-32602)),
        ("able", json!({}), Err(-32021)),
        ("strict", json!([]), Err(-32602)),
        ("strict", json!({"year": "1815"}), Ok(None)),
        (
            "strict",
            json!({"yaer": 1815}),
            Ok(Some(ErrorKind::Arguments)),
        ),
        // A rule is asked before the arguments are looked at.
        ("closed", json!({"yaer": 1815}), Ok(Some(ErrorKind::Tool))),
        ("forbidden", json!({"yaer": 1815}), Err(-32600)),
        ("panics", json!({}), Ok(Some(ErrorKind::Internal))),
        ("panics", json!({"a": 1}), Ok(None)),
        ("breaks", json!({}), Ok(Some(ErrorKind::Internal))),
        ("waits", json!({}), Ok(Some(ErrorKind::Time))),
        ("tells", json!({}), Ok(Some(ErrorKind::Tool))),
    ] {
        let program = by_program(tool, arguments.clone()).await;
        let client = by_client(tool, arguments).await;
        let expected = program.clone().map(|(text, kind)| (text, kind.is_some()));
        assert_eq!(client, expected, "{tool}");
        assert!(!format!("{program:?}").contains("hunter2"));
        assert_eq!(program.map(|(_, kind)| kind), kind, "{tool}");
    }
}

#[tokio::test]
async fn a_rule_opens_to_whom_it_admits() {
    let output = endpoint().call("closed", json!({"year": 1815}), true).await;
    assert_eq!(output.unwrap().first_text(), Some("done"));
    let output = endpoint().call("closed", json!({}), true).await.unwrap();
    assert_eq!(output.error_kind(), Some(ErrorKind::Arguments));
}

#[tokio::test]
async fn what_a_tool_says_to_the_program_no_client_reads() {
    let mut output = endpoint().call("tells", json!({}), false).await.unwrap();
    assert_eq!(output.take_extension(), Some(Told("three attempts")));
    assert_eq!(output.extension::<Told>(), None);
    let endpoint = endpoint();
    let result = endpoint.client(false).call("tells", json!({})).await;
    let result = result.unwrap();
    assert!(!format!("{result:?}").contains("attempts"));
    let meta = &result.result()["_meta"];
    assert_eq!(meta["example.org/retry"], "safe");
    let server = &meta["io.modelcontextprotocol/serverInfo"]["name"];
    assert_eq!(server, "starts", "what every result has stays beside it");
}
