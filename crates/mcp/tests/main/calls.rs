//! The one road to a tool, `Endpoint::call`, as an embedding program takes it; and what `build`
//! refuses.

use std::time::Duration;

use footbridge_mcp::{
    BuildProblem, Call, CallError, Endpoint, Messages, Output, Prompt, PromptArgument, Resource,
    Tool, limits,
};
use serde_json::{Value, json};

use crate::world::{Event, World, endpoint, tools};

async fn call(endpoint: &Endpoint<World>, tool: &str, arguments: Value) -> Output {
    let (world, _events) = World::new();
    endpoint.call(tool, arguments, world).await.unwrap()
}

fn text(output: &Output) -> &str {
    output.first_text().unwrap()
}

#[tokio::test]
async fn what_never_reaches_a_tool_is_an_error_of_the_caller() {
    let (world, _events) = World::new();
    let unknown = endpoint()
        .call("nobody", json!({}), world.clone())
        .await
        .unwrap_err();
    assert_eq!(unknown, CallError::UnknownTool("nobody".to_owned()));
    for wrong in [json!([]), json!("x"), json!(1), json!(true)] {
        assert_eq!(
            endpoint()
                .call("echo", wrong, world.clone())
                .await
                .unwrap_err(),
            CallError::ArgumentsNotAnObject
        );
    }
    assert!(
        !endpoint()
            .call("echo", Value::Null, world)
            .await
            .unwrap()
            .is_error(),
        "null is no arguments"
    );
}

#[tokio::test]
async fn all_problems_with_the_arguments_are_named_at_once() {
    let output = call(
        &endpoint(),
        "picky",
        json!({"titel": "x", "count": "many", "priority": "urgent"}),
    )
    .await;
    assert!(output.is_error());
    let text = text(&output);
    assert!(
        text.starts_with("picky: the arguments have 4 problems."),
        "{text}"
    );
    for problem in [
        "`titel` is not known; did you mean `title`?",
        "`title` is required",
        "`count` is \"many\", but must be an integer",
        "`priority` is \"urgent\", but must be one of: low, high",
    ] {
        assert!(text.contains(problem), "{problem} is not in\n{text}");
    }
    assert!(
        !call(
            &endpoint(),
            "picky",
            json!({"title": 7, "count": "3", "priority": "HIGH"})
        )
        .await
        .is_error()
    );
}

/// A megabyte of mistakes costs neither a long answer nor, beyond a limit, the memory to hold them
/// all.
#[tokio::test]
async fn a_flood_of_problems_is_counted_and_not_spelled_out() {
    let unknown = |count: usize| {
        (0..count)
            .map(|index| (format!("unknown_{index}"), json!(1)))
            .collect::<serde_json::Map<_, _>>()
    };
    let most = limits::EXAMINED_VALUES;
    let output = call(&endpoint(), "picky", Value::Object(unknown(most))).await;
    let named = text(&output);
    assert!(
        named.starts_with(&format!("picky: the arguments have {} problems.", most + 1)),
        "{}",
        named.len()
    );
    assert!(named.ends_with(&format!(
        "\n- and {} more",
        most + 1 - limits::REPORTED_PROBLEMS
    )));
    assert!(named.len() < 8192, "{}", named.len());

    let mut more = unknown(most - 2);
    more.insert("nested".to_owned(), json!([[1], 2]));
    let output = call(&endpoint(), "picky", Value::Object(more)).await;
    assert!(output.is_error());
    assert!(
        text(&output).contains("with more than 50000 values the problems are not named"),
        "{}",
        text(&output).len()
    );

    let mut right = serde_json::Map::new();
    right.insert("free".to_owned(), Value::from(vec![0; 2 * most]));
    assert!(
        !call(&endpoint(), "wide", Value::Object(right))
            .await
            .is_error(),
        "right arguments pass at any number"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_time_limit() {
    let (world, mut events) = World::new();
    let from = tokio::time::Instant::now();
    let output = endpoint()
        .call("wait", json!({"name": "late"}), world)
        .await
        .unwrap();
    assert_eq!(from.elapsed().as_secs(), limits::TOOL_TIME.as_secs());
    assert!(output.is_error());
    assert_eq!(
        text(&output),
        "wait was stopped after 120 s, its time limit. It may have done part of its work: look before you repeat it."
    );
    assert_eq!(events.recv().await, Some(Event::Started("late".to_owned())));
    assert_eq!(
        events.recv().await,
        Some(Event::Cancelled("late".to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_just_within_its_time_limit_is_answered() {
    let nap = |milliseconds: u64| {
        let schema = json!({"type": "object"});
        Tool::new("nap", "Sleeps.", schema, move |_: Call<()>| async move {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            Ok(Output::text("awake"))
        })
        .time_limit(Duration::from_secs(2))
    };
    for (milliseconds, is_late) in [(1_990, false), (2_010, true)] {
        let endpoint = Endpoint::builder("t", "1")
            .tool(nap(milliseconds))
            .build()
            .unwrap();
        let output = endpoint.call("nap", json!({}), ()).await.unwrap();
        assert_eq!(output.is_error(), is_late, "{milliseconds}");
    }
}

#[tokio::test]
async fn dropping_a_call_cancels_it() {
    let (world, mut events) = World::new();
    let mut running = Box::pin(endpoint().call("wait", json!({"name": "x"}), world));
    assert!(futures_util::poll!(&mut running).is_pending());
    assert_eq!(events.recv().await, Some(Event::Started("x".to_owned())));
    drop(running);
    assert_eq!(events.recv().await, Some(Event::Cancelled("x".to_owned())));
}

#[tokio::test]
async fn a_panic_ends_one_call_and_nothing_else() {
    let endpoint = endpoint();
    let (world, mut events) = World::new();
    let mut other = Box::pin(endpoint.call("wait", json!({"name": "other"}), world.clone()));
    assert!(futures_util::poll!(&mut other).is_pending());
    for tool in ["panics_early", "panics_late"] {
        let output = endpoint.call(tool, json!({}), world.clone()).await.unwrap();
        assert!(output.is_error());
        assert_eq!(
            text(&output),
            format!(
                "{tool} failed inside the server; its log has the details. The arguments were not at fault."
            )
        );
        assert!(
            !endpoint
                .call(tool, json!({"fine": true}), world.clone())
                .await
                .unwrap()
                .is_error()
        );
    }
    world.open(1);
    assert_eq!(text(&other.await.unwrap()), "waited: other");
    assert_eq!(
        events.recv().await,
        Some(Event::Started("other".to_owned()))
    );
}

#[tokio::test]
async fn an_internal_error_is_opaque_and_a_told_one_is_not() {
    let output = call(&endpoint(), "broken", json!({})).await;
    assert!(output.is_error());
    assert!(!format!("{output:?}").contains("hunter2"));
    assert!(!format!("{output:?}").contains("/etc"));
    let output = call(&endpoint(), "told", json!({})).await;
    assert_eq!(
        (output.is_error(), text(&output)),
        (true, "There is no such card. Use card_list.")
    );
}

#[tokio::test]
async fn arguments_are_read_before_they_are_held_against_the_schema() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}, "additionalProperties": false});
    let said = |call: Call<World>| async move { Ok(Output::text(call.arguments["a"].to_string())) };
    let without_quotes = |arguments: &mut serde_json::Map<String, Value>| {
        if let Some(Value::String(text)) = arguments.get_mut("a") {
            *text = text.trim_matches('*').to_owned();
        }
    };
    let tool = Tool::new("say", "d", schema, said)
        .read_arguments(|json| json.contains('*'), without_quotes);
    let endpoint = Endpoint::builder("t", "1").tool(tool).build().unwrap();
    for (given, got) in [
        ("*abc*", Some("\"abc\"")),
        ("abc", Some("\"abc\"")),
        ("**", Some("\"\"")),
        ("*abcd*", None),
    ] {
        let output = call(&endpoint, "say", json!({ "a": given })).await;
        match got {
            Some(got) => assert_eq!(text(&output), got),
            None => assert!(output.is_error()),
        }
    }
}

#[tokio::test]
async fn an_unlisted_argument_is_taken_and_checked_and_not_listed() {
    let schema = json!({"type": "object", "properties": {"id": {"type": "integer"}}, "additionalProperties": false});
    let said = |call: Call<World>| async move {
        Ok(Output::text(
            Value::Object(call.arguments.into_map()).to_string(),
        ))
    };
    for listed in [
        schema,
        json!({"type": "object", "additionalProperties": false}),
    ] {
        let tool = Tool::new("remove", "d", listed.clone(), said)
            .unlisted_argument("code", json!({"type": "string", "maxLength": 4}));
        let endpoint = Endpoint::builder("t", "1").tool(tool).build().unwrap();
        let (world, _events) = World::new();
        let list: Value = serde_json::from_str(&endpoint.tool_list(world)).unwrap();
        assert_eq!(list["tools"][0]["inputSchema"], listed);
        assert_eq!(
            text(&call(&endpoint, "remove", json!({"code": 7})).await),
            r#"{"code":"7"}"#
        );
        assert!(
            text(&call(&endpoint, "remove", json!({"code": "12345"})).await).contains("`code`")
        );
        assert!(
            text(&call(&endpoint, "remove", json!({"cod": "1"})).await)
                .contains("`cod` is not known")
        );
    }
}

#[test]
fn every_build_problem_is_listed() {
    let make = |name: &str, schema: Value| {
        Tool::new(name, "d", schema, |_: Call<World>| async {
            Ok(Output::text(""))
        })
    };
    let object = || json!({"type": "object"});
    let header = |kind: &str| json!({"type": "object", "properties": {"a": {"type": kind, "x-mcp-header": "A"}}});
    let problems = Endpoint::builder("t", "1")
        .tools(tools())
        .tool(make("", object()))
        .tool(make("with space", object()))
        .tool(make(&"x".repeat(129), object()))
        .tool(make("echo", object()))
        .tool(make("aliased", object()).alias("wait").alias("größe"))
        .tool(make("list", json!({"type": "array"})))
        .tool(make(
            "typo",
            json!({"type": "object", "properties": {"a": {"type": "strnig"}}}),
        ))
        .tool(make(
            "remote",
            json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/x.json"}}}),
        ))
        .tool(make("float_header", header("number")))
        .tool(make("ghost", object()).nullable(["nobody"]))
        .tool(make("twice", header("string")).unlisted_argument("a", json!({"type": "string"})))
        .tool(make("out", object()).output_schema(json!({"type": "string"})))
        .tool(
            make("out_typo", object())
                .output_schema(json!({"type": "object", "properties": {"a": {"type": "strnig"}}})),
        )
        .tool(
            make("out_nowhere", object())
                .output_schema(json!({"type": "object", "$ref": "#/nowhere"})),
        )
        .tool(make("fine", header("string")))
        .tool(make(&"x".repeat(128), object()))
        .build()
        .unwrap_err();
    let expected = [
        ("", "is not a tool name"),
        ("with space", "is not a tool name"),
        (&"x".repeat(129), "is not a tool name"),
        ("echo", "used twice"),
        ("aliased", "\"wait\" is used twice"),
        ("aliased", "\"größe\" is not a tool name"),
        ("list", "`type: object`"),
        ("typo", "strnig"),
        ("remote", "example.com"),
        ("float_header", "x-mcp-header"),
        ("ghost", "`nobody`"),
        ("twice", "`a` is a property of the input schema already"),
        ("out", "output schema"),
        ("out_typo", "the output schema is not valid"),
        ("out_nowhere", "/nowhere"),
    ];
    let found: Vec<&BuildProblem> = problems.0.iter().collect();
    assert_eq!(found.len(), expected.len(), "{problems}");
    for (problem, (tool, words)) in found.into_iter().zip(expected) {
        assert_eq!(problem.name, tool);
        assert!(
            problem.problem.contains(words),
            "{words} is not in {}",
            problem.problem
        );
    }
    assert_eq!(
        problems.to_string().lines().count(),
        expected.len(),
        "a line each"
    );
}

#[test]
fn problems_of_prompts_and_resources_are_listed_with_the_rest() {
    let prompt =
        |name: &str| Prompt::new(name, "d", |_: Call<World>| async { Ok(Messages::user("")) });
    let resource =
        |uri: &str, name: &str| Resource::new(uri, name, |_: Call<World>| async { Ok("".into()) });
    let template =
        |uri: &str| Resource::template(uri, "t", |_: Call<World>| async { Ok("".into()) });
    let problems = Endpoint::builder("t", "1")
        .prompt(
            prompt("letter")
                .argument(PromptArgument::new("to", ""))
                .argument(PromptArgument::required("to", "")),
        )
        .prompt(prompt("letter"))
        .prompt(prompt("no name"))
        .resource(resource("", "nowhere"))
        .resource(resource("notes", "relative"))
        .resource(resource("1a://b", "no scheme"))
        .resource(resource("a://b c", "blank"))
        .resource(resource("a:b", "short"))
        .resource(resource("a://b", "b"))
        .resource(resource("a://b", "c"))
        .resource(template("a://{b"))
        .resource(template("{b}://c"))
        .resource(template("a://{b}").parameter::<u32>("c"))
        .build()
        .unwrap_err();
    let expected = [
        ("", "needs an address and a name"),
        ("notes", "it is no URI"),
        ("1a://b", "it is no URI"),
        ("a://b c", "it is no URI"),
        ("a://b", "used twice"),
        ("a://{b", "without its"),
        ("{b}://c", "it is no URI"),
        ("a://{b}", "there is no {c}"),
        ("letter", "the argument \"to\" is there twice"),
        ("letter", "used twice"),
        ("no name", "is not a prompt name"),
    ];
    assert_eq!(problems.0.len(), expected.len(), "{problems}");
    for (problem, (name, words)) in problems.0.iter().zip(expected) {
        assert_eq!(problem.name, name);
        assert!(
            problem.problem.contains(words),
            "{words} is not in {}",
            problem.problem
        );
    }
}

#[test]
fn an_endpoint_says_who_it_is() {
    for (name, version) in [("", "1"), (" ", "1"), ("t", "")] {
        let problems = Endpoint::<World>::builder(name, version)
            .build()
            .unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems}");
        assert!(
            problems.0[0].problem.contains("needs a name and a version"),
            "{problems}"
        );
    }
    assert!(Endpoint::<World>::builder("t", "1").build().is_ok());
}
