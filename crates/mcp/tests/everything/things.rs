//! Resources, prompts, completions, and what the endpoint says of itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::endpoint::PNG;
use crate::{checked, client, schemas};

#[tokio::test]
async fn what_the_endpoint_says_of_itself() {
    let result = checked(&client(), "server/discover", json!({}), "DiscoverResult")
        .await
        .unwrap();
    let capabilities = json!({
        "tools": {"listChanged": true},
        "resources": {"listChanged": true, "subscribe": true},
        "prompts": {"listChanged": true},
        "completions": {},
        "logging": {},
        "extensions": {
            "io.modelcontextprotocol/skills": {"directoryRead": true},
            "io.modelcontextprotocol/tasks": {}
        }
    });
    assert_eq!(result["capabilities"], capabilities);
    assert_eq!(
        result["supportedVersions"],
        json!([
            "2026-07-28",
            "2025-11-25",
            "2025-06-18",
            "2025-03-26",
            "2024-11-05"
        ])
    );
    let info = json!({"name": "everything", "title": "Everything", "version": "1.0.0"});
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"], info);
    assert_eq!(
        result["instructions"],
        "The fixture of the conformance suite: every tool answers with a fixed text."
    );
}

/// All that the scenarios of the suite call, and the stories of `interop/`.
#[tokio::test]
async fn everything_is_listed_with_a_description() {
    let client = client();
    let lists = [
        client.tools().await,
        client.resources().await,
        client.templates().await,
        client.prompts().await,
    ];
    let [tools, resources, templates, prompts] = lists.map(Result::unwrap);
    for thing in tools
        .iter()
        .chain(&resources)
        .chain(&templates)
        .chain(&prompts)
    {
        assert!(
            thing["description"]
                .as_str()
                .is_some_and(|description| !description.is_empty()),
            "{thing}"
        );
    }
    let names = |things: &[Value]| {
        things
            .iter()
            .map(|thing| thing["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&resources),
        [
            "static-text",
            "static-binary",
            "watched-resource",
            "field-notes",
            "filing"
        ]
    );
    assert_eq!(templates[0]["uriTemplate"], "test://template/{id}/data");
    let expected = [
        "test_simple_prompt",
        "test_prompt_with_arguments",
        "test_prompt_with_embedded_resource",
        "test_prompt_with_image",
        "test_input_required_result_prompt",
    ];
    assert_eq!(names(&prompts), expected);
    let expected = [
        "test_simple_text",
        "test_image_content",
        "test_any_value",
        "test_audio_content",
        "test_embedded_resource",
        "test_multiple_content_types",
        "test_error_handling",
        "test_missing_capability",
        "test_trigger_tool_change",
        "test_trigger_prompt_change",
        "test_reconnection",
        "test_custom_header",
        "test_tool_with_progress",
        "test_tool_with_logging",
        "test_logging_tool",
        "test_input_required_result_elicitation",
        "test_streaming_elicitation",
        "test_input_required_result_sampling",
        "test_input_required_result_list_roots",
        "test_input_required_result_request_state",
        "test_input_required_result_tampered_state",
        "test_input_required_result_multiple_inputs",
        "test_input_required_result_multi_round",
        "test_input_required_result_capabilities",
        "test_sampling",
        "test_elicitation",
        "test_elicitation_sep1034_defaults",
        "test_elicitation_sep1330_enums",
        "test_wait",
        "test_was_cancelled",
        "test_update_resource",
        "greet",
        "slow_compute",
        "failing_job",
        "protocol_error_job",
        "confirm_delete",
        "multi_input",
        "test_tool_with_task",
        "json_schema_2020_12_tool",
        "zoo_keep",
        "zoo_inside",
    ];
    let mut listed = names(&tools);
    let mut expected = expected.map(str::to_owned).to_vec();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn resources_and_the_template() {
    let client = client();
    let read = async |uri: &str| {
        let result = checked(
            &client,
            "resources/read",
            json!({ "uri": uri }),
            "ReadResourceResult",
        )
        .await
        .unwrap();
        result["contents"].clone()
    };
    let plain =
        |uri: &str, text: &str| json!([{"uri": uri, "mimeType": "text/plain", "text": text}]);
    let static_text = plain(
        "test://static-text",
        "This is the content of the static text resource.",
    );
    assert_eq!(read("test://static-text").await, static_text);
    assert_eq!(
        read("test://watched-resource").await,
        plain("test://watched-resource", "Watched.")
    );
    let picture = json!([{"uri": "test://static-binary", "mimeType": "image/png", "blob": STANDARD.encode(PNG)}]);
    assert_eq!(read("test://static-binary").await, picture);
    let contents = read("test://template/123/data").await;
    assert_eq!(
        (&contents[0]["uri"], &contents[0]["mimeType"]),
        (
            &json!("test://template/123/data"),
            &json!("application/json")
        )
    );
    let data: Value = serde_json::from_str(contents[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(
        data,
        json!({"id": "123", "templateTest": true, "data": "Data for ID: 123"})
    );
    for unknown in [
        "test://nothing",
        "test://template//data",
        "test://template/1/2/data",
    ] {
        let error = client.read(unknown).await.unwrap_err();
        assert_eq!(
            (error.code, error.data),
            (-32602, Some(json!({ "uri": unknown })))
        );
    }
}

#[tokio::test]
async fn prompts_word_for_word() {
    let answered = client().answer(
        "user_context",
        json!({"action": "accept", "content": {"context": "a test"}}),
    );
    let get = async |prompt: &str, arguments: Value| {
        let params = json!({"name": prompt, "arguments": arguments});
        let result = checked(&answered, "prompts/get", params, "GetPromptResult")
            .await
            .unwrap();
        result["messages"].clone()
    };
    let said = |content: Value| json!({"role": "user", "content": content});
    let text = |text: &str| said(json!({"type": "text", "text": text}));
    assert_eq!(
        get("test_simple_prompt", json!({})).await,
        json!([text("This is a simple prompt for testing.")])
    );
    let arguments = json!({"arg1": "hello", "arg2": "world"});
    let filled = text("Prompt with arguments: arg1='hello', arg2='world'");
    assert_eq!(
        get("test_prompt_with_arguments", arguments).await,
        json!([filled])
    );
    let embedded = json!({"type": "resource", "resource": {
        "uri": "test://example", "mimeType": "text/plain", "text": "Embedded resource content for testing."
    }});
    let messages = json!([
        said(embedded),
        text("Please process the embedded resource above.")
    ]);
    assert_eq!(
        get(
            "test_prompt_with_embedded_resource",
            json!({"resourceUri": "test://example"})
        )
        .await,
        messages
    );
    let picture = json!({"type": "image", "data": STANDARD.encode(PNG), "mimeType": "image/png"});
    let messages = json!([said(picture), text("Please analyze the image above.")]);
    assert_eq!(get("test_prompt_with_image", json!({})).await, messages);
    assert_eq!(
        get("test_input_required_result_prompt", json!({})).await,
        json!([text("Use this context: a test")])
    );
    let asked = client()
        .get("test_input_required_result_prompt", json!({}))
        .await
        .unwrap_err()
        .data
        .unwrap();
    schemas::is_valid(schemas::MODERN, "InputRequest", &asked);
    let schema = json!({"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]});
    assert_eq!(
        (
            &asked["params"]["message"],
            &asked["params"]["requestedSchema"]
        ),
        (&json!("What is the context?"), &schema)
    );
    for missing in [json!({}), json!({"arg1": "hello"})] {
        assert_eq!(
            client()
                .get("test_prompt_with_arguments", missing)
                .await
                .unwrap_err()
                .code,
            -32602
        );
    }
}

#[tokio::test]
async fn completions_of_a_prompt_and_of_a_template() {
    let client = client();
    let complete = async |reference: Value, name: &str, typed: &str| {
        let params = json!({"ref": reference, "argument": {"name": name, "value": typed}});
        let result = checked(&client, "completion/complete", params, "CompleteResult")
            .await
            .unwrap();
        result["completion"]["values"].clone()
    };
    let prompt = || json!({"type": "ref/prompt", "name": "test_prompt_with_arguments"});
    assert_eq!(
        complete(prompt(), "arg1", "par").await,
        json!(["paris", "park", "party"])
    );
    assert_eq!(complete(prompt(), "arg1", "pari").await, json!(["paris"]));
    assert_eq!(complete(prompt(), "arg2", "par").await, json!([]));
    let template = json!({"type": "ref/resource", "uri": "test://template/{id}/data"});
    assert_eq!(complete(template, "id", "1").await, json!(["11", "12"]));
}
