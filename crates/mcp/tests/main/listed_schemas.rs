//! The schemas of listed tools, in the form that every client takes, and calls held against them.

use std::collections::BTreeMap;

use footbridge_mcp::{Call, Endpoint, Failure, Json, Output, Run, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::wire::InMemory as _;

/// Create an order.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct CreateOrder {
    customer: Customer,
    lines: Vec<Line>,
    shipping: Option<Shipping>,
    /// Anything.
    any: Option<Value>,
    names: Option<Vec<Option<String>>>,
    by_name: Option<BTreeMap<String, Option<Line>>>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Customer {
    name: String,
    address: Option<Address>,
    #[serde(default)]
    extra: serde_json::Map<String, Value>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Address {
    street: Option<String>,
    floor: Option<i32>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Line {
    article: String,
    #[serde(default)]
    count: Option<u32>,
    #[serde(flatten)]
    marks: BTreeMap<String, i64>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
enum Shipping {
    Post { stamps: u32, note: Option<String> },
    Courier { company: String },
}

impl<C: Send + Sync + 'static> Run<C> for CreateOrder {
    type Output = Json<Self>;

    async fn run(self, _: &Call<C>) -> Result<Json<Self>, Failure> {
        Ok(Json(self))
    }
}

fn by_hand() -> Tool<()> {
    let schema = json!({
        "type": "object",
        "properties": {"any": true, "rows": {"type": "array", "items": true}, "note": {"type": ["string", "null"]}},
        "additionalProperties": true
    });
    Tool::new(
        "by_hand",
        "By hand.",
        schema.clone(),
        async |call: Call<()>| {
            Ok(Output::json(serde_json::value::to_raw_value(
                &call.arguments.into_map(),
            )?))
        },
    )
    .output_schema(schema)
}

fn endpoint() -> Endpoint<()> {
    let entry = json!({"name": "forwarded", "inputSchema": {"type": "object", "properties": {"any": true}}});
    let forwarded = Tool::from_entry(entry, async |_| Ok(Output::text("forwarded"))).unwrap();
    Endpoint::builder("shop", "1")
        .tool(Tool::of::<CreateOrder>())
        .tool(by_hand())
        .tool(forwarded)
        .build()
        .unwrap()
}

/// Where a schema is a boolean, or lists null beside other types. Knows keywords by the few that
/// have values and no schemas.
fn faults(schema: &Value, place: &str, is_input: bool, found: &mut Vec<String>) {
    match schema {
        Value::Bool(_) => found.push(place.to_owned()),
        Value::Array(schemas) => schemas
            .iter()
            .for_each(|schema| faults(schema, place, is_input, found)),
        Value::Object(keywords) => {
            if is_input && (schema["type"].is_array() || schema["type"] == "null") {
                found.push(format!("{place}/type"));
            }
            for (keyword, value) in keywords {
                let has_no_schema = ["const", "enum", "default", "examples", "uniqueItems"]
                    .contains(&keyword.as_str());
                let closes = keyword == "additionalProperties" && *value == false;
                if !has_no_schema && !closes {
                    faults(value, &format!("{place}/{keyword}"), is_input, found);
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn no_listed_schema_is_a_boolean_and_no_argument_is_null() {
    let tools = endpoint().client(()).tools().await.unwrap();
    assert_eq!(tools.len(), 3);
    let mut found = Vec::new();
    for tool in &tools {
        let name = tool["name"].as_str().unwrap();
        faults(&tool["inputSchema"], name, true, &mut found);
        faults(&tool["outputSchema"], name, false, &mut found);
    }
    assert_eq!(found, Vec::<String>::new());
    let order = &tools[0]["inputSchema"]["properties"];
    assert_eq!(order["any"], json!({"description": "Anything."}));
    assert_eq!(
        order["names"],
        json!({"type": "array", "items": {"type": "string"}})
    );
    assert_eq!(
        order["customer"]["properties"]["address"]["properties"]["floor"],
        json!({"type": "integer"})
    );
    assert_eq!(tools[1]["inputSchema"]["properties"]["any"], json!({}));
    assert_eq!(tools[2]["inputSchema"]["properties"]["any"], json!({}));
}

async fn called(arguments: Value) -> Result<Value, String> {
    let result = endpoint()
        .client(())
        .call("create_order", arguments)
        .await
        .unwrap();
    if result.is_error() {
        Err(result.text())
    } else {
        Ok(serde_json::from_str(&result.text()).unwrap())
    }
}

#[tokio::test]
async fn a_name_that_is_not_known_is_an_error_at_any_depth() {
    let order = |customer: Value, line: Value, shipping: Value| json!({"customer": customer, "lines": [line], "shipping": shipping});
    let (bob, tea) = (json!({"name": "Bob"}), json!({"article": "tea"}));
    let post = json!({"by": "post", "stamps": 2});
    let refused = [
        (
            order(
                json!({"name": "Bob", "adress": {}}),
                tea.clone(),
                post.clone(),
            ),
            "`customer.adress` is not known; did you mean `address`?",
        ),
        (
            order(
                json!({"name": "Bob", "address": {"stret": "x"}}),
                tea.clone(),
                post.clone(),
            ),
            "`customer.address.stret` is not known; did you mean `street`?",
        ),
        (
            order(bob.clone(), tea.clone(), json!({"by": "post", "stamp": 2})),
            "`shipping.stamp` is not known; did you mean `stamps`?",
        ),
        (
            order(bob.clone(), tea.clone(), json!({"by": "pots", "stamps": 2})),
            "`shipping.by` is \"pots\", but must be one of: post, courier; did you mean `post`?",
        ),
        (
            order(bob.clone(), tea.clone(), json!({"stamps": 2})),
            "`shipping.by` is required, one of: post, courier",
        ),
        (
            order(
                bob.clone(),
                json!({"article": "tea", "weight": "x"}),
                post.clone(),
            ),
            "`lines[0].weight` is \"x\", but must be an integer",
        ),
    ];
    for (arguments, sentence) in refused {
        let problems = called(arguments.clone()).await.expect_err(sentence);
        assert!(problems.contains(sentence), "{arguments}\n{problems}");
    }
    // What is open in the type stays open.
    let open = order(
        json!({"name": "Bob", "extra": {"anything": [1]}}),
        json!({"article": "tea", "weight": 3}),
        post,
    );
    let order = called(open).await.unwrap();
    assert_eq!(
        (
            &order["customer"]["extra"]["anything"],
            &order["lines"][0]["weight"]
        ),
        (&json!([1]), &json!(3))
    );
}

#[tokio::test]
async fn null_means_left_out_at_any_depth() {
    let order = called(json!({
        "customer": {"name": "Bob", "address": {"street": null, "floor": "3"}},
        "lines": [{"article": "tea", "count": null}],
        "shipping": {"by": "post", "stamps": "2", "note": null},
        "any": null,
        "names": ["a", null],
        "by_name": {"a": {"article": 7}, "b": null}
    }))
    .await
    .unwrap();
    assert_eq!(
        order["customer"]["address"],
        json!({"street": null, "floor": 3})
    );
    assert_eq!(order["lines"], json!([{"article": "tea", "count": null}]));
    assert_eq!(
        order["shipping"],
        json!({"by": "post", "stamps": 2, "note": null})
    );
    assert_eq!(order["names"], json!(["a", null]));
    assert_eq!(order["by_name"]["b"], Value::Null);
    let given = json!({"any": [true, null], "rows": [1, null], "note": null, "more": 1});
    let result = endpoint()
        .client(())
        .call("by_hand", given.clone())
        .await
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&result.text()).unwrap(),
        given,
        "a schema made by hand says what it takes"
    );
}
