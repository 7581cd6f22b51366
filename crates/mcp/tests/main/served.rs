//! What an endpoint serves to each caller: visibility, resources and their templates, capabilities.
//! Most of it is what users of plain.mcp rely on.

use crate::wire::InMemory as _;
use footbridge_mcp::testing::TestClient;
use footbridge_mcp::{Call, Endpoint, Failure, Output, Prompt, Resource, Tool, fail};
use serde_json::{Value, json};

/// The caller: how much they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum May {
    Nothing,
    Read,
    All,
}

fn tool(name: &str, least: May) -> Tool<May> {
    Tool::new(name, "Does it.", json!({"type": "object"}), async |_| {
        Ok(Output::text("done"))
    })
    .allowed_for(move |call| *call.caller >= least)
}

fn builder() -> footbridge_mcp::EndpointBuilder<May> {
    let least = |least: May| move |call: &Call<May>| *call.caller >= least;
    Endpoint::builder("served", "1.0.0")
        .tool(tool("look", May::Read))
        .tool(tool("purge", May::All))
        .tool(tool("ask", May::Read).requires(json!({"elicitation": {}, "sampling": {}})))
        .resource(
            Resource::new("app://version", "version", async |_| Ok("1.0".into()))
                .allowed_for(least(May::Read)),
        )
        .resource(
            Resource::new("app://logo", "logo", async |_| Ok(vec![0xff, 0x00].into()))
                .allowed_for(least(May::Read)),
        )
        .resource(
            Resource::new("app://key", "key", async |_| Ok("k".into()))
                .allowed_for(least(May::All)),
        )
        .resource(
            Resource::template("items://{id}", "item", async |call: Call<May>| {
                match call.parameter::<u32>("id")? {
                    9 => Err(fail("item 9 is being moved; try again")),
                    7 => Err(Failure::NotFound),
                    id => Ok(format!("item {id}").into()),
                }
            })
            .parameter::<u32>("id")
            .allowed_for(least(May::Read)),
        )
        .resource(
            Resource::template("items://{name}", "named item", async |call: Call<May>| {
                Ok(format!("named {}", call.parameter::<String>("name")?).into())
            })
            .allowed_for(least(May::Read)),
        )
        .prompt(
            Prompt::new("begin", "Begins.", async |_| {
                Ok(footbridge_mcp::Messages::user("Begin."))
            })
            .allowed_for(least(May::All)),
        )
}

fn client(may: May) -> TestClient<May> {
    builder().build().unwrap().client(may)
}

fn names(list: &[Value]) -> Vec<&str> {
    list.iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect()
}

#[tokio::test]
async fn capabilities_are_those_of_the_caller() {
    let table = [
        (May::Nothing, json!([])),
        (May::Read, json!(["tools", "resources"])),
    ];
    for (may, expected) in table {
        let discovered = client(may)
            .request("server/discover", Value::Null)
            .await
            .unwrap();
        let capabilities = discovered.result()["capabilities"].as_object().unwrap();
        assert_eq!(
            json!(capabilities.keys().collect::<Vec<_>>()),
            expected,
            "{may:?}"
        );
        assert!(discovered.result().get("instructions").is_none());
    }
}

#[tokio::test]
async fn one_set_serves_lists_and_calls_and_hidden_reads_like_unknown() {
    assert_eq!(
        names(&client(May::All).tools().await.unwrap()),
        ["look", "purge", "ask"]
    );
    assert_eq!(
        names(&client(May::Read).tools().await.unwrap()),
        ["look", "ask"]
    );
    assert_eq!(
        names(&client(May::Nothing).tools().await.unwrap()),
        Vec::<&str>::new()
    );
    assert_eq!(
        names(&client(May::Read).resources().await.unwrap()),
        ["version", "logo"]
    );
    assert_eq!(
        names(&client(May::Read).prompts().await.unwrap()),
        Vec::<&str>::new()
    );

    let reader = client(May::Read);
    let pairs = [
        (
            reader.call("purge", json!({})).await,
            reader.call("xurge", json!({})).await,
            ("purge", "xurge"),
            -32602,
        ),
        (
            reader.read("app://key").await,
            reader.read("app://kex").await,
            ("app://key", "app://kex"),
            -32602,
        ),
        // It sees no prompt at all, so there are no prompts.
        (
            reader.get("begin", json!({})).await,
            reader.get("begix", json!({})).await,
            ("begin", "begix"),
            -32601,
        ),
    ];
    for (hidden, unknown, (name, other), code) in pairs {
        let (hidden, unknown) = (hidden.unwrap_err(), unknown.unwrap_err());
        assert_eq!(
            format!("{hidden:?}").replace(name, other),
            format!("{unknown:?}")
        );
        assert_eq!(hidden.code, code);
    }
    assert_eq!(
        client(May::All)
            .call("purge", json!({}))
            .await
            .unwrap()
            .text(),
        "done"
    );
}

#[tokio::test]
async fn an_endpoint_narrows_and_adds_for_a_request() {
    let endpoint = builder()
        .visible(|call, mut visible| {
            visible.retain_tools(|tool| tool.name() != "look");
            if *call.caller == May::All
                && let Ok(extra) = tool("extra", May::All).ready()
            {
                visible.add_tool(extra);
            }
            visible
        })
        .build()
        .unwrap();
    assert_eq!(
        names(&endpoint.client(May::All).tools().await.unwrap()),
        ["purge", "ask", "extra"]
    );
    assert_eq!(
        names(&endpoint.client(May::Read).tools().await.unwrap()),
        ["ask"]
    );
    assert_eq!(
        endpoint
            .client(May::All)
            .call("extra", json!({}))
            .await
            .unwrap()
            .text(),
        "done"
    );
    assert!(
        endpoint
            .client(May::Read)
            .call("extra", json!({}))
            .await
            .is_err()
    );
    assert!(
        endpoint
            .client(May::Read)
            .call("look", json!({}))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn only_the_capabilities_that_are_missing_are_named() {
    let ask = async |capabilities: Value| {
        client(May::Read)
            .capabilities(capabilities)
            .call("ask", json!({}))
            .await
    };
    let required = async |capabilities| {
        ask(capabilities).await.unwrap_err().data.unwrap()["requiredCapabilities"].take()
    };
    assert_eq!(
        required(json!({})).await,
        json!({"elicitation": {}, "sampling": {}})
    );
    assert_eq!(
        required(json!({"sampling": {}})).await,
        json!({"elicitation": {}})
    );
    assert_eq!(
        ask(json!({"sampling": {}, "elicitation": {}}))
            .await
            .unwrap()
            .text(),
        "done"
    );
    assert_eq!(
        client(May::Read)
            .capabilities(json!({}))
            .call("look", json!({}))
            .await
            .unwrap()
            .text(),
        "done"
    );
}

#[tokio::test]
async fn resources_are_text_or_bytes() {
    let contents =
        async |uri: &str| client(May::Read).read(uri).await.unwrap().result()["contents"].clone();
    assert_eq!(
        contents("app://version").await,
        json!([{"uri": "app://version", "text": "1.0"}])
    );
    assert_eq!(
        contents("app://logo").await,
        json!([{"uri": "app://logo", "blob": "/wA="}])
    );
    let missing = client(May::Read)
        .request("resources/read", json!({}))
        .await
        .unwrap_err();
    assert_eq!((missing.code, missing.data), (-32602, None));
    let unknown = client(May::Read).read("app://nowhere").await.unwrap_err();
    assert_eq!(
        (unknown.code, unknown.data),
        (-32602, Some(json!({"uri": "app://nowhere"})))
    );
}

#[tokio::test]
async fn templates_are_typed_decoded_and_tried_in_their_order() {
    let reader = client(May::Read);
    let templates = reader.templates().await.unwrap();
    assert_eq!(names(&templates), ["item", "named item"]);
    assert_eq!(templates[0]["uriTemplate"], "items://{id}");
    let read = async |uri: &str| reader.read(uri).await.map(|read| read.text());
    assert_eq!(read("items://12").await.unwrap(), "item 12");
    // Not a number, so the next template that fits has it.
    assert_eq!(read("items://twelve").await.unwrap(), "named twelve");
    assert_eq!(read("items://a%20b%2Fc").await.unwrap(), "named a b/c");
    for absent in ["items://7", "items://a/b", "items://", "items:/a"] {
        assert_eq!(
            read(absent).await.unwrap_err().data,
            Some(json!({"uri": absent})),
            "{absent}"
        );
    }
    assert_eq!(
        read("items://9").await.unwrap_err().message,
        "item 9 is being moved; try again"
    );
}

#[tokio::test]
async fn lists_may_be_kept_for_a_while_and_calls_may_not() {
    let reader = client(May::Read);
    for method in [
        "server/discover",
        "tools/list",
        "resources/list",
        "resources/templates/list",
    ] {
        let result = reader.request(method, Value::Null).await.unwrap();
        assert_eq!(
            (&result.result()["ttlMs"], &result.result()["cacheScope"]),
            (&json!(60_000), &json!("private")),
            "{method}"
        );
        assert_eq!(result.result()["resultType"], "complete", "{method}");
        assert_eq!(
            result.result()["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
            "served",
            "{method}"
        );
    }
    assert_eq!(
        reader.read("app://version").await.unwrap().result()["ttlMs"],
        0
    );
    assert!(
        reader
            .call("look", json!({}))
            .await
            .unwrap()
            .result()
            .get("ttlMs")
            .is_none()
    );
}

#[tokio::test]
async fn arguments_that_are_no_object_never_reach_a_tool() {
    for arguments in [json!([1]), json!("x"), json!(3)] {
        assert_eq!(
            client(May::Read)
                .call("look", arguments)
                .await
                .unwrap_err()
                .code,
            -32602
        );
    }
    assert_eq!(
        client(May::Read)
            .call("look", Value::Null)
            .await
            .unwrap()
            .text(),
        "done"
    );
    assert_eq!(
        client(May::Read)
            .request("tools/call", json!({}))
            .await
            .unwrap_err()
            .code,
        -32602
    );
}
