//! Tools that answer without asking.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::endpoint::{PNG, WAV};
use crate::{checked, client, content, text};

#[tokio::test]
async fn tools_answer_with_every_kind_of_content() {
    let client = client();
    let (picture, sound) = (STANDARD.encode(PNG), STANDARD.encode(WAV));
    let picture = json!({"type": "image", "data": picture, "mimeType": "image/png"});
    assert_eq!(
        content(&client, "test_simple_text", json!({})).await,
        text("This is a simple text response for testing.")
    );
    assert_eq!(
        content(&client, "test_image_content", json!({})).await,
        json!([picture])
    );
    let sound = json!({"type": "audio", "data": sound, "mimeType": "audio/wav"});
    assert_eq!(
        content(&client, "test_audio_content", json!({})).await,
        json!([sound])
    );
    let resource = |uri: &str, mime_type: &str, text: &str| json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": text}});
    let embedded = resource(
        "test://embedded-resource",
        "text/plain",
        "This is an embedded resource content.",
    );
    assert_eq!(
        content(&client, "test_embedded_resource", json!({})).await,
        json!([embedded])
    );
    let data = resource(
        "test://mixed-content-resource",
        "application/json",
        r#"{"test":"data","value":123}"#,
    );
    let mixed = json!([{"type": "text", "text": "Multiple content types test:"}, picture, data]);
    assert_eq!(
        content(&client, "test_multiple_content_types", json!({})).await,
        mixed
    );
}

#[tokio::test]
async fn a_picture_and_a_sound_are_what_they_say() {
    assert!(PNG.starts_with(b"\x89PNG\r\n\x1a\n") && PNG.ends_with(b"IEND\xaeB`\x82"));
    assert!(WAV.starts_with(b"RIFF") && &WAV[8..16] == b"WAVEfmt ");
    assert_eq!(
        u32::from_le_bytes(WAV[4..8].try_into().unwrap()) as usize,
        WAV.len() - 8
    );
}

#[tokio::test]
async fn an_error_is_a_result() {
    let params = json!({"name": "test_error_handling", "arguments": {}});
    let result = checked(&client(), "tools/call", params, "CallToolResult")
        .await
        .unwrap();
    assert_eq!(result["isError"], true);
    assert_eq!(
        result["content"],
        text("This tool intentionally returns an error for testing")
    );
}

#[tokio::test(start_paused = true)]
async fn progress_comes_in_three_steps_and_only_to_who_wants_it() {
    let done = client()
        .call("test_tool_with_progress", json!({}))
        .await
        .unwrap();
    let steps: Vec<&Value> = done
        .messages()
        .iter()
        .map(|message| &message["params"])
        .collect();
    let step =
        |progress: f64| json!({"progressToken": "test", "progress": progress, "total": 100.0});
    assert_eq!(steps, [&step(0.0), &step(50.0), &step(100.0)]);
    assert!(
        done.messages()
            .iter()
            .all(|message| message["method"] == "notifications/progress")
    );
    assert_eq!(done.text(), "Everything is done.");
}

#[tokio::test(start_paused = true)]
async fn log_messages_tell_of_three_stages() {
    for tool in ["test_tool_with_logging", "test_logging_tool"] {
        let done = client().call(tool, json!({})).await.unwrap();
        let told: Vec<Value> = done
            .messages()
            .iter()
            .map(|message| {
                json!([
                    message["method"],
                    message["params"]["level"],
                    message["params"]["data"]
                ])
            })
            .collect();
        let stage = |stage: &str| json!(["notifications/message", "info", stage]);
        let stages = [
            "Tool execution started",
            "Tool processing data",
            "Tool execution completed",
        ]
        .map(stage);
        assert_eq!(
            (told.as_slice(), done.text().as_str()),
            (&stages[..], "Everything is logged."),
            "{tool}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_the_tools_answer_too() {
    let client = client();
    assert_eq!(
        content(&client, "test_reconnection", json!({})).await,
        text("Reconnection worked.")
    );
    assert_eq!(
        content(&client, "test_custom_header", json!({"value": "über"})).await,
        text("über")
    );
    assert_eq!(
        content(&client, "test_missing_capability", json!({})).await,
        text("The client can sample.")
    );
    let refused = client
        .capabilities(json!({"elicitation": {}}))
        .call("test_missing_capability", json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code, refused.data),
        (
            -32021,
            Some(json!({"requiredCapabilities": {"sampling": {}}}))
        )
    );
}

#[tokio::test]
async fn the_tool_of_the_schema_says_it_as_it_is_and_holds_to_it() {
    let client = client();
    let tools = client.tools().await.unwrap();
    let listed = tools
        .iter()
        .find(|tool| tool["name"] == "json_schema_2020_12_tool")
        .unwrap();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {
            "$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}
        }},
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"}
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false
    });
    assert_eq!(listed["inputSchema"], schema);
    let given = json!({"name": "Ada", "contactMethod": "phone", "phone": "1", "address": {"city": "London"}});
    let answer = content(&client, "json_schema_2020_12_tool", given.clone()).await;
    assert_eq!(
        serde_json::from_str::<Value>(answer[0]["text"].as_str().unwrap()).unwrap(),
        given
    );
    for wrong in [
        json!({}),
        json!({"phone": "1"}),
        json!({"contactMethod": "phone", "email": "a@b"}),
        json!({"email": "a@b", "x": 1}),
    ] {
        assert!(
            client
                .call("json_schema_2020_12_tool", wrong.clone())
                .await
                .unwrap()
                .is_error(),
            "{wrong}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_come_to_the_texts_of_their_tools() {
    let client = client().follow_tasks();
    let accept = |content: Value| json!({"action": "accept", "content": content});
    assert_eq!(
        content(&client, "greet", json!({"name": "World"})).await,
        text("Hello, World!")
    );
    for seconds in [json!(0), json!(2)] {
        let arguments = json!({"seconds": seconds, "label": "l"});
        assert_eq!(
            content(&client, "slow_compute", arguments).await,
            text(&format!("Computed l for {seconds} s."))
        );
    }
    let failed = client.call("failing_job", json!({})).await.unwrap();
    assert_eq!(
        (failed.is_error(), failed.text().as_str()),
        (true, "The job failed, as it always does.")
    );
    for (confirm, said) in [(true, "Deleted a.txt."), (false, "Kept a.txt.")] {
        let client = crate::client()
            .follow_tasks()
            .answer("confirm", accept(json!({"confirm": confirm})));
        assert_eq!(
            content(&client, "confirm_delete", json!({"filename": "a.txt"})).await,
            text(said)
        );
    }
    let client = client
        .answer("first", accept(json!({"name": "Ada"})))
        .answer("second", accept(json!({"name": "Grace"})))
        .answer("user_name", accept(json!({"name": "Alice"})));
    assert_eq!(
        content(&client, "multi_input", json!({})).await,
        text("Hello, Ada and Grace!")
    );
    assert_eq!(
        content(&client, "test_tool_with_task", json!({})).await,
        text("Hello, Alice!")
    );
    // As the suite's client declares itself: elicitation and sampling, no roots.
    let client = client
        .capabilities(json!({"elicitation": {}, "sampling": {}}))
        .follow_tasks();
    let failed = client
        .call("protocol_error_job", json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (failed.code, failed.data),
        (-32021, Some(json!({"requiredCapabilities": {"roots": {}}})))
    );
}

/// Who gets a task, and who does not.
#[tokio::test(start_paused = true)]
async fn calls_become_tasks_as_the_suite_expects() {
    let knowing = client().capabilities(
        json!({"elicitation": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}}),
    );
    let kind =
        async |client: &footbridge_mcp::testing::TestClient<()>, tool: &str, arguments: Value| {
            let params = json!({"name": tool, "arguments": arguments});
            let answer = client.request("tools/call", params).await;
            answer
                .map(|answer| answer.result()["resultType"].as_str().unwrap().to_owned())
                .map_err(|error| error.code)
        };
    let slow = |seconds: u32| json!({"seconds": seconds, "label": "l"});
    for (tool, arguments, knows, not) in [
        (
            "greet",
            json!({"name": "World"}),
            Ok("complete"),
            Ok("complete"),
        ),
        ("slow_compute", slow(0), Ok("complete"), Ok("complete")),
        ("slow_compute", slow(60), Ok("task"), Ok("complete")),
        ("failing_job", json!({}), Ok("task"), Err(-32021)),
        ("protocol_error_job", json!({}), Ok("task"), Err(-32021)),
        (
            "confirm_delete",
            json!({"filename": "a"}),
            Ok("task"),
            Err(-32603),
        ),
        ("multi_input", json!({}), Ok("task"), Err(-32603)),
    ] {
        let expected = |kind: Result<&str, i64>| kind.map(str::to_owned);
        assert_eq!(
            kind(&knowing, tool, arguments.clone()).await,
            expected(knows),
            "{tool} {arguments}"
        );
        let plain = client().capabilities(json!({"elicitation": {}}));
        // -32603 is the test client's own: it has no answer to the question that such a call ends
        // with.
        assert_eq!(kind(&plain, tool, arguments).await, expected(not), "{tool}");
    }
}
