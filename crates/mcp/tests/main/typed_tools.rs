//! Tools that are types, through the client in memory.

use footbridge_mcp::testing::TestClient;
use footbridge_mcp::{
    Call, Content, Effect, Endpoint, Failure, Icon, Json, LogLevel, ResourceLink, Run, Theme, Tool,
    fail,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::schemas::{self, MODERN};
use crate::wire::InMemory as _;

/// The caller.
#[derive(Debug, Clone)]
struct Person {
    name: &'static str,
    is_admin: bool,
}

/// Greet somebody.
///
/// Twice when asked to.
#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// Whom to greet.
    name: String,
    /// How often.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 3))]
    times: u8,
    tone: Option<Tone>,
}

fn once() -> u8 {
    1
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Warm,
    Cold,
}

impl<C: Send + Sync + 'static> Run<C> for Greet {
    type Output = String;

    async fn run(self, _: &Call<C>) -> Result<String, Failure> {
        let word = match self.tone {
            None => "Hello",
            Some(Tone::Warm) => "Dear",
            Some(Tone::Cold) => "Attention",
        };
        Ok(vec![format!("{word}, {}!", self.name); self.times.into()].join(" "))
    }
}

#[derive(Serialize, JsonSchema)]
struct Order {
    id: u32,
    note: Option<String>,
}

/// Find orders.
#[derive(Deserialize, JsonSchema)]
struct FindOrders {
    least_id: u32,
}

impl Run<Person> for FindOrders {
    type Output = Json<Vec<Order>>;

    async fn run(self, call: &Call<Person>) -> Result<Json<Vec<Order>>, Failure> {
        if self.least_id > 100 {
            return Err(fail(format!(
                "{} has no orders from {} on",
                call.caller.name, self.least_id
            )));
        }
        Ok(Json(vec![Order {
            id: self.least_id,
            note: None,
        }]))
    }
}

#[derive(Deserialize, JsonSchema)]
struct Purge;

impl Run<Person> for Purge {
    type Output = &'static str;

    async fn run(self, _: &Call<Person>) -> Result<&'static str, Failure> {
        Err(std::io::Error::other("the disk of host-7 is gone"))?;
        Ok("purged")
    }

    fn allowed_for(call: &Call<Person>) -> bool {
        call.caller.is_admin
    }
}

/// Draw something.
#[derive(Deserialize, JsonSchema)]
struct Draw {}

impl Run<Person> for Draw {
    type Output = Vec<Content>;

    async fn run(self, call: &Call<Person>) -> Result<Vec<Content>, Failure> {
        assert!(call.arguments.is_empty());
        call.progress(1.0, Some(2.0), None).await;
        call.log(LogLevel::Info, None, json!("drawing")).await;
        let link = ResourceLink::new("art://1", "first").size(3);
        Ok(vec![
            Content::image(b"png", "image/png"),
            Content::bytes_resource("art://2", "image/png", b"png"),
            link.into(),
        ])
    }
}

/// Only even numbers become one.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Even(u32);

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        if number % 2 == 0 {
            Ok(Self(number))
        } else {
            Err(serde::de::Error::custom(format!("{number} is odd")))
        }
    }
}

#[derive(Deserialize, JsonSchema)]
struct Halve {
    number: Even,
}

impl Run<Person> for Halve {
    type Output = String;

    async fn run(self, _: &Call<Person>) -> Result<String, Failure> {
        Ok((self.number.0 / 2).to_string())
    }
}

fn client(is_admin: bool) -> TestClient<Person> {
    let endpoint = Endpoint::builder("typed", "1.0.0")
        .logging()
        .tool(Tool::of::<Greet>().effect(Effect::Read).title("Greet"))
        .tool(Tool::of::<FindOrders>())
        .tool(
            Tool::of::<Purge>()
                .named("purge_all")
                .description("Delete everything.")
                .effect(Effect::Destroy),
        )
        .tool(
            Tool::of::<Draw>().icon(
                Icon::new("https://example.org/i.png")
                    .size("48x48")
                    .theme(Theme::Dark),
            ),
        )
        .tool(Tool::of::<Halve>().meta("example.org/cost", json!(3)))
        .build()
        .unwrap();
    endpoint.client(Person {
        name: "Ada",
        is_admin,
    })
}

#[tokio::test]
async fn what_a_client_sees_of_typed_tools() {
    insta::assert_json_snapshot!(client(true).tools().await.unwrap());
}

#[tokio::test]
async fn hints_hold_in_any_order_and_alone() {
    let tool = || Tool::<Person>::of::<Greet>();
    let all = json!({"readOnlyHint": false, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false});
    for (tool, hints) in [
        (
            tool()
                .effect(Effect::Write)
                .idempotent(true)
                .open_world(false),
            all.clone(),
        ),
        (
            tool()
                .idempotent(true)
                .open_world(false)
                .effect(Effect::Write),
            all,
        ),
        (tool().idempotent(true), json!({"idempotentHint": true})),
        (tool().open_world(false), json!({"openWorldHint": false})),
        (
            tool().effect(Effect::Read).effect(Effect::Destroy),
            json!({"readOnlyHint": false, "destructiveHint": true, "idempotentHint": false, "openWorldHint": true}),
        ),
    ] {
        let endpoint = Endpoint::builder("hints", "1").tool(tool).build().unwrap();
        let ada = Person {
            name: "Ada",
            is_admin: false,
        };
        let listed = endpoint.client(ada).tools().await.unwrap();
        assert_eq!(listed[0]["annotations"], hints);
    }
}

#[tokio::test]
async fn arguments_become_the_struct_and_its_answer_the_result() {
    let client = client(false);
    let text = async |arguments: Value| client.call("greet", arguments).await.unwrap().text();
    assert_eq!(text(json!({"name": "Bo"})).await, "Hello, Bo!");
    assert_eq!(
        text(json!({"name": "Bo", "times": 2.0, "tone": "warm"})).await,
        "Dear, Bo! Dear, Bo!"
    );
    assert_eq!(
        text(json!({"name": "Bo", "times": "1", "tone": null})).await,
        "Hello, Bo!"
    );
    assert_eq!(
        text(json!({"name": "Bo", "tone": "cold"})).await,
        "Attention, Bo!"
    );
}

#[tokio::test]
async fn every_problem_is_named_before_the_struct_is_made() {
    let refused = client(false)
        .call("greet", json!({"nam": "Bo", "times": 9, "tone": "icy"}))
        .await
        .unwrap();
    assert!(refused.is_error());
    for named in ["name", "nam", "times", "tone"] {
        assert!(
            refused.text().contains(named),
            "{named}: {}",
            refused.text()
        );
    }
    let odd = client(false)
        .call("halve", json!({"number": 7}))
        .await
        .unwrap();
    assert!(
        odd.is_error() && odd.text().contains("7 is odd"),
        "{}",
        odd.text()
    );
    assert_eq!(
        client(false)
            .call("halve", json!({"number": 8}))
            .await
            .unwrap()
            .text(),
        "4"
    );
}

#[tokio::test]
async fn structured_output_is_sent_with_its_text() {
    let found = client(false)
        .call("find_orders", json!({"least_id": 7}))
        .await
        .unwrap();
    assert_eq!(
        found.structured(),
        Some(&json!({"result": [{"id": 7, "note": null}]}))
    );
    assert_eq!(found.text(), r#"{"result":[{"id":7,"note":null}]}"#);
    let failed = client(false)
        .call("find_orders", json!({"least_id": 101}))
        .await
        .unwrap();
    assert!(failed.is_error());
    assert_eq!(failed.text(), "Ada has no orders from 101 on");
    assert_eq!(failed.structured(), None);
}

#[tokio::test]
async fn hidden_is_the_same_as_unknown_and_a_bug_says_nothing() {
    let hidden = client(false)
        .call("purge_all", json!({}))
        .await
        .unwrap_err();
    let unknown = client(false)
        .call("purge_nil", json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        hidden.message.replace("purge_all", "purge_nil"),
        unknown.message
    );
    assert_eq!((hidden.code, hidden.data), (unknown.code, unknown.data));
    let broken = client(true).call("purge_all", json!({})).await.unwrap();
    assert!(broken.is_error());
    assert_eq!(
        broken.text(),
        "purge_all failed inside the server; its log has the details. The arguments were not at fault."
    );
    let names = |tools: Vec<Value>| {
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(!names(client(false).tools().await.unwrap()).contains(&"purge_all".to_owned()));
}

#[tokio::test]
async fn a_rule_said_at_registration_joins_the_rule_of_the_type() {
    let endpoint = Endpoint::builder("typed", "1.0.0")
        .tool(Tool::of::<Purge>().allowed_for(|call| call.caller.name == "Ada"))
        .build()
        .unwrap();
    for (name, is_admin, sees) in [("Ada", true, 1), ("Ada", false, 0), ("Bo", true, 0)] {
        assert_eq!(
            endpoint
                .client(Person { name, is_admin })
                .tools()
                .await
                .unwrap()
                .len(),
            sees,
            "{name} {is_admin}"
        );
    }
}

#[tokio::test]
async fn content_is_typed_and_encoded_and_messages_come_first() {
    let drawn = client(false).call("draw", json!({})).await.unwrap();
    assert_eq!(
        drawn.result()["content"],
        json!([
            {"type": "image", "data": "cG5n", "mimeType": "image/png"},
            {"type": "resource", "resource": {"uri": "art://2", "mimeType": "image/png", "blob": "cG5n"}},
            {"type": "resource_link", "uri": "art://1", "name": "first", "size": 3}
        ])
    );
    let methods: Vec<&Value> = drawn
        .messages()
        .iter()
        .map(|message| &message["method"])
        .collect();
    assert_eq!(methods, ["notifications/progress", "notifications/message"]);
    let refused = client(false)
        .call("draw", json!({"colour": "red"}))
        .await
        .unwrap();
    assert!(
        refused.is_error() && refused.text().contains("colour"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn what_is_sent_fits_the_schema_of_the_revision() {
    let endpoint = Endpoint::builder("typed", "1.0.0")
        .icon(
            Icon::new("https://example.org/i.svg")
                .mime_type("image/svg+xml")
                .size("any"),
        )
        .tool(
            Tool::of::<Draw>()
                .icon(Icon::new("https://example.org/i.png"))
                .meta("example.org/cost", json!(3)),
        )
        .tool(Tool::of::<FindOrders>())
        .build()
        .unwrap();
    let client = endpoint.client(Person {
        name: "Ada",
        is_admin: false,
    });
    let table = [
        ("server/discover", json!({}), "DiscoverResult"),
        ("tools/list", json!({}), "ListToolsResult"),
        ("tools/call", json!({"name": "draw"}), "CallToolResult"),
        (
            "tools/call",
            json!({"name": "find_orders", "arguments": {"least_id": 1}}),
            "CallToolResult",
        ),
    ];
    for (method, params, name) in table {
        let result = client.request(method, params).await.unwrap();
        schemas::check(
            MODERN,
            name,
            &json!({"jsonrpc": "2.0", "id": 1, "result": result.result()}),
        );
        if method == "server/discover" {
            let info = &result.result()["_meta"]["io.modelcontextprotocol/serverInfo"];
            assert_eq!(
                info["icons"],
                json!([{"src": "https://example.org/i.svg", "mimeType": "image/svg+xml", "sizes": ["any"]}])
            );
        }
    }
}
