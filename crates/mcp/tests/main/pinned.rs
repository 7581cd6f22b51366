//! What users of plain.mcp 0.7.1 rely on and no other test says. Where we differ,
//! docs/differences.md says why.

use std::collections::HashMap;
use std::sync::Arc;

use footbridge_mcp::{Call, Effect, Endpoint, Failure, Icon, Output, Resource, Run, Theme, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hall::{Person, hall_of, rpc};
use crate::http_client::{Modern, post};
use crate::schemas::{self, LEGACY, MODERN};
use crate::wire::InMemory as _;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Bucket {
    All,
    Recent,
}

/// Take what there is.
///
/// In two paragraphs.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "whether it can be made is all that is asked")]
struct Take {
    count: i64,
    flag: bool,
    bucket: Bucket,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    numbers: Vec<i64>,
    #[serde(default)]
    anything: Value,
    #[serde(default)]
    inner: Option<HashMap<String, i64>>,
}

impl<C: Send + Sync + 'static> Run<C> for Take {
    type Output = &'static str;

    async fn run(self, _: &Call<C>) -> Result<&'static str, Failure> {
        Ok("taken")
    }
}

#[derive(Deserialize, JsonSchema)]
struct Open {
    named: i64,
    #[serde(flatten)]
    rest: HashMap<String, Value>,
}

impl<C: Send + Sync + 'static> Run<C> for Open {
    type Output = String;

    async fn run(self, _: &Call<C>) -> Result<String, Failure> {
        Ok(format!("{} and {} more", self.named, self.rest.len()))
    }
}

#[tokio::test]
async fn arguments_are_checked_before_the_tool_and_every_wrong_one_is_named() {
    let either = json!({"type": "object", "properties": {"id": {"oneOf": [{"type": "integer"}, {"type": "string"}]}}});
    let by_hand = Tool::new("by_hand", "", either, |_: Call<()>| async {
        Ok(Output::text("taken"))
    });
    let endpoint = Endpoint::<()>::builder("t", "1")
        .tool(Tool::of::<Take>())
        .tool(Tool::of::<Open>())
        .tool(by_hand)
        .build()
        .unwrap();
    let client = endpoint.client(());
    let take = async |changed: Value| {
        let mut arguments = json!({"count": 1, "flag": true, "bucket": "all"});
        for (key, value) in changed.as_object().unwrap() {
            arguments[key] = value.clone();
        }
        let taken = client.call("take", arguments).await.unwrap();
        (taken.is_error(), taken.text())
    };
    for fine in [
        json!({}),
        json!({"count": 5.0}),
        json!({"bucket": "recent", "note": "x"}),
        json!({"note": null, "inner": null}),
        json!({"numbers": [1, 2.0], "inner": {"a": 1}}),
        json!({"anything": [{"deep": 1}]}),
        json!({"anything": 7}),
    ] {
        assert_eq!(
            take(fine.clone()).await,
            (false, "taken".to_owned()),
            "{fine}"
        );
    }
    for (wrong, words) in [
        (json!({"count": true}), &["count"][..]),
        (json!({"count": 5.5}), &["count"]),
        (json!({"count": "many"}), &["count"]),
        (json!({"flag": 1}), &["flag"]),
        (json!({"bucket": "older"}), &["bucket", "all", "recent"]),
        (json!({"bucket": true}), &["bucket"]),
        (json!({"note": [1]}), &["note"]),
        (json!({"numbers": [1, "x", 2, []]}), &["numbers", "1", "3"]),
        (json!({"inner": "text"}), &["inner"]),
        (json!({"colour": "red"}), &["colour"]),
    ] {
        let (is_error, text) = take(wrong.clone()).await;
        assert!(
            is_error && words.iter().all(|word| text.contains(word)),
            "{wrong}: {text}"
        );
    }
    let missing = client.call("take", json!({})).await.unwrap();
    assert!(
        missing.is_error()
            && ["count", "flag", "bucket"]
                .iter()
                .all(|name| missing.text().contains(name)),
        "{}",
        missing.text()
    );

    assert_eq!(
        client
            .call("open", json!({"named": 1, "a": [], "b": null}))
            .await
            .unwrap()
            .text(),
        "1 and 2 more"
    );
    assert!(
        client
            .call("open", json!({"named": "x", "a": 1}))
            .await
            .unwrap()
            .is_error()
    );
    for (id, is_error) in [(json!(1), false), (json!("x"), false), (json!([1]), true)] {
        assert_eq!(
            client
                .call("by_hand", json!({ "id": id }))
                .await
                .unwrap()
                .is_error(),
            is_error,
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_name_a_description_and_a_schema_can_be_said_otherwise() {
    let open = Tool::<()>::of::<Open>()
        .named("spread")
        .description("By hand.\n\nTwice.")
        .input_schema(json!({"type": "object"}));
    let endpoint = Endpoint::builder("t", "1")
        .tool(Tool::of::<Take>())
        .tool(Tool::of::<Open>())
        .tool(open)
        .build()
        .unwrap();
    let tools = endpoint.client(()).tools().await.unwrap();
    let seen: Vec<_> = tools
        .iter()
        .map(|tool| (&tool["name"], tool.get("description")))
        .collect();
    assert_eq!(
        seen,
        [
            (
                &json!("take"),
                Some(&json!("Take what there is.\n\nIn two paragraphs."))
            ),
            (&json!("open"), None),
            (&json!("spread"), Some(&json!("By hand.\n\nTwice."))),
        ]
    );
    assert_eq!(tools[2]["inputSchema"], json!({"type": "object"}));
    assert!(
        tools.iter().all(|tool| tool.get("annotations").is_none()),
        "nothing is said of what was not said"
    );
}

/// As an endpoint that stands before another server does it: its tools are listed again as they
/// are, and calls go on.
#[tokio::test]
async fn a_tool_is_made_of_the_entry_that_another_server_lists() {
    let theirs = Tool::<()>::of::<Take>()
        .title("Take it")
        .effect(Effect::Write)
        .icon(
            Icon::new("https://a.example/take.png")
                .mime_type("image/png")
                .size("48x48")
                .theme(Theme::Dark),
        )
        .meta("example.org/since", json!(3))
        .output_schema(json!({"type": "object"}));
    let theirs = Endpoint::builder("theirs", "1")
        .tool(theirs)
        .tool(Tool::of::<Open>())
        .build()
        .unwrap();
    let entries = theirs.client(()).tools().await.unwrap();
    let mut ours = Endpoint::<()>::builder("ours", "1");
    for entry in &entries {
        let (name, theirs) = (
            entry["name"].as_str().unwrap().to_owned(),
            theirs.client(()),
        );
        let theirs = Arc::new(theirs);
        let function = move |call: Call<()>| {
            let (name, theirs) = (name.clone(), Arc::clone(&theirs));
            async move {
                Ok(Output::text(
                    theirs
                        .call(&name, Value::Object(call.arguments.into_map()))
                        .await?
                        .text(),
                ))
            }
        };
        ours = ours.tool(Tool::from_entry(entry.clone(), function).unwrap());
    }
    let client = ours.build().unwrap().client(());
    assert_eq!(client.tools().await.unwrap(), entries);
    assert_eq!(
        client
            .call("open", json!({"named": 1, "a": 2}))
            .await
            .unwrap()
            .text(),
        "1 and 1 more"
    );
    assert!(
        client
            .call("open", json!({"named": "x"}))
            .await
            .unwrap()
            .is_error(),
        "the schema is the entry's"
    );

    // What may be left out has the specification's default, and what is said afterwards goes first.
    let nothing = |_: Call<()>| async { Ok(Output::text("")) };
    let entry = json!({"name": "t", "inputSchema": {"type": "object"}, "annotations": {"title": "T", "readOnlyHint": true}, "execution": {}});
    let listed = |tool: Tool<()>| {
        Endpoint::builder("t", "1")
            .tool(tool)
            .build()
            .map(|endpoint| endpoint.tool_list(()))
    };
    let said = listed(
        Tool::from_entry(entry, nothing)
            .unwrap()
            .description("Ours."),
    )
    .unwrap();
    let hints = json!({"readOnlyHint": true, "destructiveHint": true, "idempotentHint": false, "openWorldHint": true});
    let whole = json!({"name": "t", "title": "T", "description": "Ours.", "inputSchema": {"type": "object"}, "annotations": hints});
    assert_eq!(
        serde_json::from_str::<Value>(&said).unwrap()["tools"][0],
        whole
    );

    for (wrong, says) in [
        (
            json!({"inputSchema": {}}),
            r#""a tool without a name": its entry is not one of `tools/list`: missing field `name`"#,
        ),
        (
            json!({"name": "t"}),
            r#""t": its entry is not one of `tools/list`: missing field `inputSchema`"#,
        ),
        (
            json!({"name": "t", "inputSchema": 3}),
            "invalid type: integer `3`, expected a map",
        ),
        (json!("t"), "expected struct Entry"),
    ] {
        let problem = Tool::from_entry(wrong, nothing).unwrap_err().to_string();
        assert!(problem.contains(says), "{problem}");
    }
    let schema = Tool::from_entry(
        json!({"name": "t", "inputSchema": {"type": "thing"}}),
        nothing,
    )
    .unwrap();
    assert!(
        listed(schema).unwrap_err().to_string().contains("\"t\":"),
        "as that of every other tool"
    );
}

#[tokio::test]
async fn endpoints_share_nothing() {
    let tool = |name: &str| {
        Tool::new(name, "", json!({"type": "object"}), |_: Call<()>| async {
            Ok(Output::text(""))
        })
    };
    let (one, other) = (
        Endpoint::builder("one", "1").tool(tool("a")),
        Endpoint::builder("other", "1").tool(tool("b")),
    );
    let (one, other) = (one.build().unwrap(), other.build().unwrap());
    let resource = Resource::new("s://a", "a", |_: Call<()>| async { Ok("".into()) });
    one.change()
        .add_tool(tool("c"))
        .add_resource(resource)
        .apply()
        .unwrap();
    for (endpoint, tools) in [(&one, ["a", "c"].as_slice()), (&other, &["b"])] {
        let listed = endpoint.client(()).tools().await.unwrap();
        assert_eq!(
            listed
                .iter()
                .map(|tool| tool["name"].as_str().unwrap())
                .collect::<Vec<_>>(),
            tools
        );
    }
    assert!(other.client(()).call("a", json!({})).await.is_err());
    assert_eq!(
        (
            one.client(()).resources().await.unwrap().len(),
            other.client(()).resources().await.unwrap().len()
        ),
        (1, 0)
    );
}

/// Each revision hears what it has a word for.
#[tokio::test]
async fn an_endpoint_says_who_it_is() {
    let bare = Endpoint::<Person>::builder("bare", "3").build().unwrap();
    let discovered = bare
        .client(crate::hall::person().0)
        .request("server/discover", Value::Null)
        .await
        .unwrap();
    let result = discovered.result();
    assert_eq!(
        (&result["capabilities"], result.get("instructions")),
        (&json!({}), None)
    );
    assert_eq!(
        result["supportedVersions"],
        json!([MODERN, LEGACY[3], LEGACY[2], LEGACY[1], LEGACY[0]])
    );
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"],
        json!({"name": "bare", "version": "3"})
    );

    let endpoint = Endpoint::<Person>::builder("hall", "1.2.3")
        .title("The hall")
        .website("https://hall.example")
        .icon(Icon::new("https://hall.example/icon.png"))
        .instructions("Knock first.")
        .build()
        .unwrap();
    let hall = hall_of(endpoint, footbridge_mcp::http::SessionLimits::default()).await;
    let (name, title) = (
        json!({"name": "hall", "version": "1.2.3"}),
        json!("The hall"),
    );
    let (mut titled, mut whole) = (name.clone(), name.clone());
    titled["title"] = title.clone();
    whole["title"] = title;
    whole["websiteUrl"] = json!("https://hall.example");
    whole["icons"] = json!([{"src": "https://hall.example/icon.png"}]);
    for (revision, info) in [
        ("2024-11-05", &name),
        ("2025-03-26", &name),
        ("2025-06-18", &titled),
        ("2025-11-25", &whole),
    ] {
        let params = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let reply = hall
            .client()
            .await
            .exchange(&post(&[], &rpc("hello", "initialize", params)))
            .await
            .json();
        schemas::check(revision, "InitializeResult", &reply);
        assert_eq!(
            (
                &reply["result"]["serverInfo"],
                &reply["result"]["instructions"]
            ),
            (info, &json!("Knock first.")),
            "{revision}"
        );
        assert_eq!(
            (&reply["id"], &reply["result"]["protocolVersion"]),
            (&json!("hello"), &json!(revision))
        );
    }
    let discover = Modern::new("server/discover", json!({}));
    let headers: Vec<_> = discover
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let reply = hall
        .client()
        .await
        .exchange(&post(&headers, discover.message.to_string().as_bytes()))
        .await
        .json();
    schemas::check(MODERN, "DiscoverResult", &reply);
    assert_eq!(
        reply["result"]["_meta"]["io.modelcontextprotocol/serverInfo"],
        whole
    );
    assert_eq!(reply["result"]["instructions"], "Knock first.");
}
