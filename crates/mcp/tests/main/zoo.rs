//! Every kind of type that serde and schemars can say, as argument and as output, listed to and
//! called by a client that is not ours, in both eras: no list is refused, no argument is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use footbridge_mcp::{Call, Endpoint, Failure, Json, Run, Tool};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::rmcp_wire::Held;

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Place {
    street: String,
    floor: Option<i32>,
}

/// A pace.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Pace {
    /// As it comes.
    Slow,
    Fast,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Inside {
    Circle { radius: f64 },
    Square { side: f64 },
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
enum Beside {
    Number(u32),
    Nothing,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
enum Outside {
    Text(String),
    Plain,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum Either {
    Number(i64),
    Text(String),
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Newtype(u16);

/// Keep every kind of value.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Keep {
    text: String,
    letter: char,
    whole: i64,
    small: NonZeroU8,
    number: f64,
    yes: bool,
    maybe: Option<String>,
    list: Vec<u32>,
    set: BTreeSet<String>,
    by_name: BTreeMap<String, Place>,
    pair: (u8, String),
    place: Place,
    pace: Pace,
    maybe_pace: Option<Pace>,
    inside: Inside,
    beside: Vec<Beside>,
    outside: Vec<Outside>,
    either: Vec<Either>,
    tree: Option<Tree>,
    new: Newtype,
    any: Value,
}

impl Run<()> for Keep {
    type Output = Json<Self>;

    async fn run(self, _: &Call<()>) -> Result<Json<Self>, Failure> {
        Ok(Json(self))
    }
}

impl Run<()> for Inside {
    type Output = Json<Vec<Self>>;

    async fn run(self, _: &Call<()>) -> Result<Json<Vec<Self>>, Failure> {
        Ok(Json(vec![self]))
    }
}

fn kept() -> Value {
    json!({
        "text": "a", "letter": "b", "whole": -7, "small": 3, "number": 0.5, "yes": true, "maybe": "c",
        "list": [1, 2], "set": ["x", "y"], "by_name": {"home": {"street": "Low", "floor": 2}}, "pair": [1, "z"],
        "place": {"street": "High", "floor": null}, "pace": "slow", "maybe_pace": "fast",
        "inside": {"kind": "circle", "radius": 1.5}, "beside": [{"t": "Number", "c": 5}, {"t": "Nothing"}],
        "outside": [{"Text": "t"}, "Plain"], "either": [1, "one"],
        "tree": {"name": "root", "children": [{"name": "leaf", "children": []}]},
        "new": 9, "any": {"deep": [null, 1.5, {"er": true}]}
    })
}

#[tokio::test]
async fn a_client_that_is_not_ours_lists_and_calls_every_kind_of_type() {
    // Another test of this process may have been first.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let endpoint = Endpoint::builder("zoo", "1")
        .tool(Tool::of::<Keep>())
        .tool(Tool::of::<Inside>())
        .build()
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/mcp", listener.local_addr().unwrap());
    let service = McpService::public(endpoint, || (), AllowedHosts::loopback());
    let limits = ServerLimits::default();
    let serving = tokio::spawn(serve(listener, service, limits, std::future::pending()));
    let modern = ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    };
    for lifecycle in [modern, ClientLifecycleMode::Initialize] {
        let transport = Held::new(StreamableHttpClientTransport::from_uri(uri.clone()));
        let client = ().serve_with_lifecycle(transport, lifecycle).await.unwrap();
        let tools = client.list_all_tools().await.unwrap();
        let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!(names, ["keep", "inside"]);
        for (tool, arguments, answer) in [
            ("keep", kept(), kept()),
            (
                "inside",
                json!({"kind": "square", "side": "2"}),
                json!({"result": [{"kind": "square", "side": 2.0}]}),
            ),
        ] {
            let arguments = arguments.as_object().unwrap().clone();
            let params = CallToolRequestParams::new(tool).with_arguments(arguments);
            let called = client.call_tool(params).await.unwrap();
            assert_eq!(called.structured_content, Some(answer), "{called:?}");
        }
        client.cancel().await.unwrap();
    }
    serving.abort();
}
