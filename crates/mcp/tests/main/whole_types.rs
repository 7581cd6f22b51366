//! What serde and schemars can say, as arguments and as whole tools: listed in a form that clients
//! take, coerced, and refused with the values named.

use footbridge_mcp::testing::TestClient;
use footbridge_mcp::{Call, Endpoint, Failure, Json, Output, Prompt, Run, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::wire::InMemory as _;

/// In which order.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// The newest first.
    Newest,
    /// The oldest
    /// first.
    Oldest,
    Random,
}

/// A shape.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Shape {
    /// Round.
    Circle {
        radius: f64,
    },
    Square {
        side: f64,
        tilt: Option<i32>,
    },
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
enum Plain {
    Nothing,
    Text(String),
    Size { width: u32 },
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
enum Beside {
    Number(u32),
    Words(Vec<String>),
}

/// Draw.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Draw {
    /// How to sort.
    order: Option<Order>,
    then: Option<Order>,
    shape: Option<Shape>,
    plain: Option<Plain>,
    beside: Option<Beside>,
    #[serde(default, alias = "colour", alias = "hue")]
    color: Option<String>,
    /// Anything.
    any: Option<Value>,
}

impl Run<()> for Draw {
    type Output = Json<Value>;

    async fn run(self, _: &Call<()>) -> Result<Json<Value>, Failure> {
        let mut drawn = serde_json::to_value(self)?;
        if let Some(members) = drawn.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        Ok(Json(drawn))
    }
}

/// Change a card.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
enum ChangeCard {
    /// Puts it into a column.
    Move { card: u32, column: String },
    /// Takes it away.
    Delete { card: u32 },
}

impl Run<()> for ChangeCard {
    type Output = Json<Value>;

    async fn run(self, _: &Call<()>) -> Result<Json<Value>, Failure> {
        Ok(Json(serde_json::to_value(self)?))
    }
}

/// Find what a condition is true of.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Find {
    All { of: Vec<Find> },
    Not { one: Box<Find> },
    Word { word: String },
}

impl Run<()> for Find {
    type Output = Json<Value>;

    async fn run(self, _: &Call<()>) -> Result<Json<Value>, Failure> {
        Ok(Json(serde_json::to_value(self)?))
    }
}

impl Run<()> for Plain {
    type Output = String;

    async fn run(self, _: &Call<()>) -> Result<String, Failure> {
        Ok(String::new())
    }
}

fn endpoint() -> Endpoint<()> {
    Endpoint::builder("zoo", "1")
        .tool(Tool::of::<Draw>())
        .tool(Tool::of::<ChangeCard>())
        .tool(Tool::of::<Find>())
        .prompt(Prompt::of::<Greet>())
        .build()
        .unwrap()
}

/// Greet.
#[derive(Deserialize, JsonSchema)]
struct Greet {
    name: String,
}

impl footbridge_mcp::Begin<()> for Greet {
    async fn begin(self, _: &Call<()>) -> footbridge_mcp::PromptResult {
        Ok(footbridge_mcp::Messages::user(format!(
            "Greet {}.",
            self.name
        )))
    }
}

fn client() -> TestClient<()> {
    endpoint().client(())
}

async fn listed(name: &str) -> Value {
    let tools = client().tools().await.unwrap();
    let tool = tools.into_iter().find(|tool| tool["name"] == name);
    tool.unwrap()["inputSchema"].clone()
}

/// What a tool got, or what it was refused with.
async fn drawn(tool: &str, arguments: Value) -> Result<Value, String> {
    let result = client().call(tool, arguments).await.unwrap();
    if result.is_error() {
        return Err(result.text());
    }
    Ok(result.structured().unwrap()["result"].clone())
}

#[tokio::test]
async fn documented_enums_are_lists_with_words() {
    let draw = listed("draw").await;
    let order = json!(["random", "newest", "oldest"]);
    let words = "- `newest`: The newest first.\n- `oldest`: The oldest first.";
    for (property, before) in [("order", "How to sort."), ("then", "In which order.")] {
        let property = &draw["properties"][property];
        assert_eq!(property["type"], "string", "{property}");
        assert_eq!(property["enum"], order, "{property}");
        assert_eq!(property["description"], format!("{before}\n\n{words}"));
    }
    let refused = drawn("draw", json!({"order": "Fr"})).await.unwrap_err();
    assert!(
        refused.contains(r#"`order` is "Fr", but must be one of: random, newest, oldest"#),
        "{refused}"
    );
}

#[tokio::test]
async fn tagged_enums_are_coerced_and_refused_by_their_values() {
    for (given, got) in [
        (
            json!({"shape": {"kind": "circle", "radius": "1.5"}}),
            json!({"shape": {"kind": "circle", "radius": 1.5}}),
        ),
        (
            json!({"shape": {"kind": " Square ", "side": "2", "tilt": "3"}}),
            json!({"shape": {"kind": "square", "side": 2.0, "tilt": 3}}),
        ),
        (
            json!({"shape": r#"{"kind": "circle", "radius": 2}"#}),
            json!({"shape": {"kind": "circle", "radius": 2.0}}),
        ),
        (
            json!({"plain": {"Size": {"width": "7"}}}),
            json!({"plain": {"Size": {"width": 7}}}),
        ),
        (json!({"plain": "Nothing"}), json!({"plain": "Nothing"})),
        (
            json!({"beside": {"t": "number", "c": "5"}}),
            json!({"beside": {"t": "Number", "c": 5}}),
        ),
        (
            json!({"beside": {"t": "Words", "c": "a"}}),
            json!({"beside": {"t": "Words", "c": ["a"]}}),
        ),
    ] {
        assert_eq!(drawn("draw", given.clone()).await, Ok(got), "{given}");
    }
    for (given, words) in [
        (
            json!({"shape": {"kind": "cirle", "radius": 1}}),
            r#"`shape.kind` is "cirle", but must be one of: circle, square; did you mean `circle`?"#,
        ),
        (
            json!({"shape": {"radius": 1}}),
            "`shape.kind` is required, one of: circle, square",
        ),
        (
            json!({"shape": {"kind": "circle", "radius": "wide"}}),
            r#"`shape.radius` is "wide", but must be a number"#,
        ),
        (
            json!({"plain": "Nothin"}),
            r#"`plain` is "Nothin", but must be one of: Nothing, an object with `Text`, an object with `Size`; did you mean `Nothing`?"#,
        ),
        (
            json!({"plain": {"Sise": {}}}),
            "must be one of: Nothing, an object with `Text`, an object with `Size`",
        ),
    ] {
        let refused = drawn("draw", given).await.unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
}

#[tokio::test]
async fn a_tagged_enum_is_a_whole_tool() {
    assert_eq!(
        listed("change_card").await,
        json!({
            "type": "object",
            "properties": {
                "action": {
                    "type": "string", "enum": ["move", "delete"],
                    "description": "- `move`: Puts it into a column. Needs `card`, `column`.\n- `delete`: Takes it away. Needs `card`."
                },
                "card": {"type": "integer", "minimum": 0},
                "column": {"type": "string"}
            },
            "required": ["action", "card"],
            "additionalProperties": false
        })
    );
    assert_eq!(
        drawn(
            "change_card",
            json!({"action": "Move", "card": "7", "column": 3})
        )
        .await,
        Ok(json!({"action": "move", "card": 7, "column": "3"}))
    );
    for (given, words) in [
        (
            json!({"action": "mov", "card": 7}),
            "`action` is \"mov\", but must be one of: move, delete; did you mean `move`?",
        ),
        (json!({}), "`action` is required, one of: move, delete"),
        (
            json!({"action": "move", "card": "x"}),
            "`column` is required",
        ),
        (
            json!({"action": "delete", "card": 7, "colum": "x"}),
            "`colum` is not known; known are: action, card",
        ),
    ] {
        let refused = drawn("change_card", given).await.unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
}

#[tokio::test]
async fn a_recursive_enum_is_a_whole_tool() {
    let schema = listed("find").await;
    assert_eq!(schema["type"], "object", "{schema}");
    assert!(schema.get("oneOf").is_none() && schema.get("anyOf").is_none());
    let found = json!({"is": "all", "of": [{"is": "word", "word": "a"}, {"is": "not", "one": {"is": "word", "word": "b"}}]});
    assert_eq!(drawn("find", found.clone()).await, Ok(found));
    let wrong = json!({"is": "all", "of": [{"is": "wrd", "word": "a"}]});
    let refused = drawn("find", wrong).await.unwrap_err();
    assert!(refused.contains("all, not, word"), "{refused}");
    // Deeper than any reader of JSON goes: a sentence, and no end of the program.
    let mut deep = json!({"is": "word", "word": "a"});
    for _ in 0..130 {
        deep = json!({"is": "not", "one": deep});
    }
    let refused = client().call("find", deep).await;
    let said = refused.map_or_else(|error| error.message, |result| result.text());
    assert!(said.contains("recursion limit"), "{said}");
}

#[tokio::test]
async fn an_empty_text_for_an_optional_enum_is_none() {
    for blank in ["", "  "] {
        let got = drawn("draw", json!({"order": blank, "then": "newest"})).await;
        assert_eq!(got, Ok(json!({"then": "newest"})));
    }
    let schema = json!({
        "type": "object",
        "properties": {
            "must": {"type": "string", "enum": ["a"]}, "may": {"type": "string", "enum": ["a", ""]},
            "clears": {"type": "string", "enum": ["a"]}, "text": {"type": "string"}
        },
        "required": ["must"]
    });
    let echo = Tool::new("echo", "", schema, async |call: Call<()>| {
        Ok(Output::text(
            Value::Object(call.arguments.into_map()).to_string(),
        ))
    })
    .nullable(["clears"]);
    let endpoint = Endpoint::builder("e", "1").tool(echo).build().unwrap();
    let call = async |arguments| endpoint.call("echo", arguments, ()).await.unwrap();
    assert!(call(json!({"must": ""})).await.is_error(), "it is required");
    let cleared = call(json!({"must": "a", "clears": ""})).await;
    assert!(cleared.is_error(), "null clears, and nothing else does");
    let kept = call(json!({"must": "a", "may": "", "text": ""})).await;
    assert_eq!(
        kept.first_text(),
        Some(r#"{"must":"a","may":"","text":""}"#)
    );
}

#[tokio::test]
async fn a_field_goes_by_its_other_names() {
    for name in ["color", "colour", "hue"] {
        let got = drawn("draw", json!({ name: "red" })).await;
        assert_eq!(got, Ok(json!({"color": "red"})), "{name}");
    }
    let listed = listed("draw").await;
    assert!(listed["properties"].get("colour").is_none(), "{listed}");
    let twice = drawn("draw", json!({"hue": "red", "color": "blue"})).await;
    assert!(twice.unwrap_err().contains("`hue` is not known"));
}

#[tokio::test]
async fn arguments_may_be_sent_as_one_text() {
    let text = |arguments: Value| Value::String(arguments.to_string());
    let got = drawn("draw", text(json!({"color": "red", "any": [1]}))).await;
    assert_eq!(got, Ok(json!({"color": "red", "any": [1]})));
    assert_eq!(drawn("draw", json!("")).await, Ok(json!({})));
    let begun = client().get("greet", text(json!({"name": "Ada"}))).await;
    assert_eq!(begun.unwrap().text(), "Greet Ada.");
    for wrong in [json!("red"), json!("[1]"), json!("7"), json!([]), json!(7)] {
        let refused = client().call("draw", wrong.clone()).await.unwrap_err();
        assert_eq!(refused.code, -32602, "{wrong}");
        assert_eq!(refused.message, "`arguments` must be an object");
    }
}

#[test]
fn what_is_wrong_with_types_is_all_said_before_anything_is_served() {
    // A value that is nested so deep takes a stack to be dropped.
    let roomy = std::thread::Builder::new().stack_size(64 * 1024 * 1024);
    roomy.spawn(all_said).unwrap().join().unwrap();
}

fn all_said() {
    let mut deep = json!({"type": "string"});
    for _ in 0..1000 {
        let choices = Value::Array(vec![deep, json!({"type": "null"})]);
        deep = Value::Object([("anyOf".to_owned(), choices)].into_iter().collect());
    }
    let nested = json!({"type": "object", "properties": {"a": deep}});
    let function = async |_: Call<()>| Ok(Output::text(""));
    let problems = Endpoint::builder("zoo", "1")
        .tool(Tool::of::<Plain>())
        .tool(Tool::new("nested", "", nested, function))
        .tool(Tool::new("text", "", json!({"type": "string"}), function))
        .build()
        .unwrap_err()
        .to_string();
    for said in [
        r#""plain": the input schema must have `type: object` at its root; of a choice, each must be an object: an enum is one with `#[serde(tag = "…")]`"#,
        r#""nested": a schema of it is nested 2004 deep"#,
        r#""text": the input schema must have `type: object` at its root"#,
    ] {
        assert!(problems.contains(said), "{problems}");
    }
}

/// Thirty options, one in the other, are one option. A thousand choices are a problem: see above.
#[test]
fn options_in_options_are_one() {
    type Ten<T> = Option<Option<Option<Option<Option<Option<Option<Option<Option<Option<T>>>>>>>>>>;
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Nested {
        a: Ten<Ten<Ten<u8>>>,
    }
    impl Run<()> for Nested {
        type Output = String;

        async fn run(self, _: &Call<()>) -> Result<String, Failure> {
            Ok(String::new())
        }
    }
    let endpoint = Endpoint::builder("zoo", "1")
        .tool(Tool::of::<Nested>())
        .build()
        .unwrap();
    let list = endpoint.tool_list(());
    assert!(list.contains(r#""a":{"type":"integer","#), "{list}");
}
