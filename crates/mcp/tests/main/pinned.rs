//! What users of plain.mcp 0.7.1 rely on and no other test says. Where we differ,
//! docs/differences.md says why.

use std::collections::HashMap;
use std::sync::Arc;

use footbridge_mcp::{Call, Effect, Endpoint, Failure, Icon, Output, Resource, Run, Theme, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hall::{Person, hall_of, rpc};
use crate::http_client::{Client, Modern, post, server};
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

#[tokio::test]
async fn a_tool_knows_its_client_in_both_eras() {
    let who = Tool::new(
        "who",
        "",
        json!({"type": "object"}),
        |call: Call<Person>| async move {
            let client = call.client();
            let can = client.can("sampling");
            Ok(Output::text(format!(
                "{:?} {:?} {can} {:?}",
                client.name(),
                client.version(),
                call.revision().map(|it| it.as_str())
            )))
        },
    );
    let endpoint = Endpoint::builder("t", "1").tool(who).build().unwrap();
    let hall = hall_of(endpoint, footbridge_mcp::http::SessionLimits::default()).await;
    let session = hall
        .session("2025-06-18", "ada", json!({"sampling": {}}))
        .await;
    let told = session.ask(&crate::hall::call(1, "who", None)).await;
    assert_eq!(
        told["result"]["content"][0]["text"],
        r#"Some("test") Some("1") true Some("2025-06-18")"#
    );
    let mut request = Modern::call("who", json!({}));
    request.message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] =
        json!({"name": "new", "version": "2"});
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let told = hall
        .client()
        .await
        .exchange(&post(&headers, request.message.to_string().as_bytes()))
        .await
        .json();
    assert_eq!(
        told["result"]["content"][0]["text"],
        r#"Some("new") Some("2") false Some("2026-07-28")"#
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_modern_request_is_told_in_the_order_in_which_it_is_read() {
    let server = server().await;
    // Methods of the legacy era, and a name that only looks like one of ours.
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "tools_list",
        "nonsense",
    ] {
        let reply = Modern::new(method, json!({}))
            .send(&server, "EmptyResult")
            .await;
        assert_eq!((reply.status, reply.code()), (404, -32601), "{method}");
        assert_eq!(reply.json()["id"], "m-1");
    }
    for key in [
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    ] {
        // The metadata is looked at before the headers that repeat the body.
        let mut request = Modern::new("tools/list", json!({})).without("Mcp-Method");
        request.message["params"]["_meta"]
            .as_object_mut()
            .unwrap()
            .remove(key);
        let reply = request.send(&server, "ListToolsResult").await;
        assert_eq!((reply.status, reply.code()), (400, -32602), "{key}");
        assert!(reply.message().contains(key), "{}", reply.message());
    }
    let mut request = Modern::new("tools/list", json!({}));
    request.message["params"]
        .as_object_mut()
        .unwrap()
        .remove("_meta");
    let reply = request.send(&server, "ListToolsResult").await;
    assert_eq!(
        (reply.status, reply.code(), reply.json()["id"].clone()),
        (400, -32602, json!("m-1"))
    );
    // A header's name is a header's name in any case.
    let mut request = Modern::call("echo", json!({"message": "x"}));
    request.headers = request
        .headers
        .into_iter()
        .map(|(name, value)| {
            (
                if name == "Mcp-Method" {
                    "mCP-METHOD"
                } else {
                    name
                },
                value,
            )
        })
        .collect();
    assert_eq!(request.send(&server, "CallToolResult").await.status, 200);
}

/// Whatever a notification says, it has no answer.
#[tokio::test]
async fn notifications_have_no_answer_however_they_are_written() {
    let server = server().await;
    for message in [
        json!({"jsonrpc": "2.0", "method": "tools/call"}),
        json!({"jsonrpc": "2.0", "method": "nonsense", "params": {"x": 1}}),
        json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}),
    ] {
        let reply = Client::connect(server.address)
            .await
            .exchange(&post(&[], message.to_string().as_bytes()))
            .await;
        assert_eq!((reply.status, reply.body.len()), (202, 0), "{message}");
    }
}

/// As claude.ai's proxy does it: a legacy client whose requests carry `Mcp-Method` too.
#[tokio::test]
async fn a_legacy_client_may_send_headers_of_the_modern_era() {
    let server = server().await;
    let send = async |headers: &[(&str, &str)], message: Value| {
        Client::connect(server.address)
            .await
            .exchange(&post(headers, message.to_string().as_bytes()))
            .await
    };
    let request = |id: i64, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}});
    let reply = send(
        &[("Mcp-Method", "initialize")],
        request(0, "initialize", hello),
    )
    .await;
    schemas::check("2025-11-25", "InitializeResult", &reply.json());
    assert_eq!(reply.status, 200);
    let version = ("MCP-Protocol-Version", "2025-11-25");
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(
        send(
            &[version, ("Mcp-Method", "notifications/initialized")],
            initialized
        )
        .await
        .status,
        202
    );
    let listed = send(
        &[version, ("Mcp-Method", "tools/list")],
        request(1, "tools/list", json!({})),
    )
    .await
    .json();
    schemas::check("2025-11-25", "ListToolsResult", &listed);
    for stamp in ["resultType", "_meta", "ttlMs", "cacheScope"] {
        assert!(listed["result"].get(stamp).is_none(), "{stamp}");
    }
    let call = request(
        2,
        "tools/call",
        json!({"name": "echo", "arguments": {"message": "x"}}),
    );
    // Also where the header does not agree: nobody reads it in the legacy era.
    for headers in [
        &[version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "echo")][..],
        &[version, ("Mcp-Method", "ping")],
        &[("Mcp-Method", "x")],
    ] {
        assert_eq!(
            send(headers, call.clone()).await.json()["result"]["content"][0]["text"],
            "x"
        );
    }
    assert_eq!(
        send(&[version], request(3, "ping", json!({}))).await.json()["result"],
        json!({})
    );
    let unknown = send(&[version], request(4, "nonsense", json!({}))).await;
    assert_eq!(
        (
            unknown.status,
            unknown.code(),
            unknown.json()["error"].get("data")
        ),
        (200, -32601, None)
    );
    assert!(!unknown.message().contains("2026"));
    let nameless = send(&[], request(5, "initialize", json!({"capabilities": {}}))).await;
    assert_eq!((nameless.status, nameless.code()), (200, -32602));
    assert!(
        nameless.message().contains("protocolVersion"),
        "{}",
        nameless.message()
    );
    let torn = send(
        &[("MCP-Protocol-Version", MODERN)],
        request(6, "initialize", json!({"protocolVersion": "2025-11-25"})),
    )
    .await;
    assert_eq!((torn.status, torn.code()), (400, -32602));
}
