//! Resources and prompts that are types, and everything that a listed one can carry.

use std::time::Duration;

use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{
    Audience, Begin, CacheScope, Call, Endpoint, EndpointBuilder, Failure, Icon, Messages, Prompt,
    PromptArgument, PromptResult, Read, Resource, ResourceAnnotations, ResourceResult, fail,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::hall::{Hall, Person, hall_of, rpc};
use crate::http_client::{Modern, post};
use crate::schemas::{self, MODERN};
use crate::wire::InMemory as _;

/// The version that is deployed.
#[derive(Deserialize, JsonSchema)]
struct AppVersion;

impl<C: Send + Sync + 'static> Read<C> for AppVersion {
    const ADDRESS: &'static str = "app://version";

    async fn read(self, _: &Call<C>) -> ResourceResult {
        Ok("1.2.3".into())
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Year {
    This,
    Last,
}

/// An order by its number.
#[derive(Deserialize, JsonSchema)]
struct Order {
    year: Year,
    id: u32,
}

impl Read<Person> for Order {
    const ADDRESS: &'static str = "orders://{year}/{id}";

    async fn read(self, call: &Call<Person>) -> ResourceResult {
        assert!(call.arguments.is_empty());
        match self.id {
            7 => Err(Failure::NotFound),
            9 => Err(fail("order 9 is being moved; try again")),
            id => Ok(format!(
                "order {id} of {:?} year, for {}",
                self.year, call.caller.name
            )
            .into()),
        }
    }

    fn allowed_for(call: &Call<Person>) -> bool {
        call.caller.name == "ada"
    }
}

#[derive(Deserialize, JsonSchema)]
struct AnyOrder {
    year: String,
    word: String,
}

impl Read<Person> for AnyOrder {
    const ADDRESS: &'static str = "orders://{year}/{word}";

    async fn read(self, _: &Call<Person>) -> ResourceResult {
        Ok(format!("{} {}", self.year, self.word).into())
    }
}

/// A letter.
#[derive(Deserialize, JsonSchema)]
struct Letter {
    /// To whom.
    to: String,
    /// How many pages.
    pages: Option<u8>,
    year: Option<Year>,
}

impl Begin<Person> for Letter {
    async fn begin(self, call: &Call<Person>) -> PromptResult {
        assert!(call.arguments.is_empty());
        if self.to == "nobody" {
            return Err(fail("nobody reads no letters"));
        }
        Ok(Messages::user(format!(
            "to {} on {:?} pages, {:?}",
            self.to, self.pages, self.year
        )))
    }
}

fn builder() -> EndpointBuilder<Person> {
    let annotations = ResourceAnnotations::default()
        .audience([Audience::User])
        .priority(0.5)
        .last_modified("2026-07-28T00:00:00Z");
    let icon = || {
        Icon::new("https://shop.example/order.png")
            .mime_type("image/png")
            .size("48x48")
    };
    Endpoint::builder("shop", "1")
        .resource(
            Resource::of::<AppVersion>()
                .title("Version")
                .mime_type("text/plain")
                .size(5)
                .icon(icon())
                .meta("shop.example/shelf", json!(3))
                .annotations(annotations)
                .ttl(Duration::from_secs(60)),
        )
        .resource(
            Resource::of::<Order>()
                .title("Order")
                .icon(icon())
                .meta("shop.example/shelf", json!(4))
                .complete("id", |_: Call<Person>, typed| async move {
                    Ok(vec![format!("{typed}1")])
                }),
        )
        .resource(Resource::of::<AnyOrder>())
        .prompt(
            Prompt::of::<Letter>()
                .title("Letter")
                .icon(icon())
                .meta("shop.example/shelf", json!(5))
                .complete("to", |_: Call<Person>, typed| async move {
                    Ok(vec![format!("{typed}da")])
                }),
        )
        .prompt(
            Prompt::new("plain", "", |_: Call<Person>| async {
                Ok(Messages::user("plain"))
            })
            .argument(PromptArgument::new("word", "").title("Word")),
        )
}

async fn hall() -> Hall {
    hall_of(builder().build().unwrap(), SessionLimits::default()).await
}

async fn ask(hall: &Hall, user: &str, method: &str, params: Value, result: &str) -> Value {
    let legacy = post(
        &[("MCP-Protocol-Version", "2025-11-25"), ("X-User", user)],
        &rpc("m-1", method, params.clone()),
    );
    let legacy = hall.client().await.exchange(&legacy).await.json();
    schemas::check("2025-11-25", result, &legacy);
    let mut request = Modern::new(method, params.clone());
    if let Some(name) = params["uri"].as_str().or(params["name"].as_str()) {
        request = request.with("Mcp-Name", name);
    }
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain([("X-User", user)])
        .collect();
    let modern = hall
        .client()
        .await
        .exchange(&post(&headers, request.message.to_string().as_bytes()))
        .await
        .json();
    schemas::check(MODERN, result, &modern);
    for key in [
        "resources",
        "resourceTemplates",
        "prompts",
        "contents",
        "messages",
        "completion",
    ] {
        assert_eq!(
            modern["result"][key], legacy["result"][key],
            "the same in both eras"
        );
    }
    modern
}

#[tokio::test]
async fn what_a_client_sees_of_typed_resources_and_prompts() {
    let hall = hall().await;
    let mut seen = serde_json::Map::new();
    for (method, result, key) in [
        ("resources/list", "ListResourcesResult", "resources"),
        (
            "resources/templates/list",
            "ListResourceTemplatesResult",
            "resourceTemplates",
        ),
        ("prompts/list", "ListPromptsResult", "prompts"),
    ] {
        seen.insert(
            key.to_owned(),
            ask(&hall, "ada", method, json!({}), result).await["result"][key].clone(),
        );
    }
    insta::assert_json_snapshot!(seen);
}

#[tokio::test]
async fn parameters_are_fields_and_the_next_is_tried_where_they_do_not_read() {
    let hall = hall().await;
    let hall = &hall;
    let read = |user, uri: &'static str| async move {
        ask(
            hall,
            user,
            "resources/read",
            json!({ "uri": uri }),
            "ReadResourceResult",
        )
        .await
    };
    for (user, uri, text) in [
        ("ada", "app://version", "1.2.3"),
        ("ada", "orders://this/8", "order 8 of This year, for ada"),
        (
            "ada",
            "orders://l%61st/%38",
            "order 8 of Last year, for ada",
        ),
        ("ada", "orders://next/8", "next 8"),
        ("ada", "orders://this/4294967296", "this 4294967296"),
        ("ada", "orders://this/-1", "this -1"),
        ("eve", "orders://this/8", "this 8"),
    ] {
        assert_eq!(
            read(user, uri).await["result"]["contents"][0]["text"],
            text,
            "{user} {uri}"
        );
    }
    assert_eq!(
        read("ada", "app://version").await["result"]["ttlMs"],
        60_000
    );
    assert_eq!(
        read("ada", "orders://this/7").await["error"]["data"]["uri"],
        "orders://this/7"
    );
    assert_eq!(
        read("ada", "orders://this/9").await["error"]["message"],
        "order 9 is being moved; try again"
    );
    let reference = json!({"type": "ref/resource", "uri": "orders://{year}/{id}"});
    let params = json!({"ref": reference, "argument": {"name": "id", "value": "2"}});
    assert_eq!(
        ask(
            hall,
            "ada",
            "completion/complete",
            params.clone(),
            "CompleteResult"
        )
        .await["result"]["completion"]["values"][0],
        "21"
    );
    assert_eq!(
        ask(hall, "eve", "completion/complete", params, "CompleteResult").await["error"]["code"],
        -32602
    );
}

#[tokio::test]
async fn arguments_of_a_prompt_are_fields() {
    let hall = hall().await;
    let hall = &hall;
    let get = |arguments: Value| async move {
        ask(
            hall,
            "ada",
            "prompts/get",
            json!({"name": "letter", "arguments": arguments}),
            "GetPromptResult",
        )
        .await
    };
    for (arguments, text) in [
        (json!({"to": "Ada"}), "to Ada on None pages, None"),
        (
            json!({"to": "7", "pages": "7", "year": "last"}),
            "to 7 on Some(7) pages, Some(Last)",
        ),
    ] {
        assert_eq!(
            get(arguments).await["result"]["messages"][0]["content"]["text"],
            text
        );
    }
    for (arguments, says) in [
        (
            json!({"to": "Ada", "pages": "many"}),
            r#"`pages`: "many" is not a whole number from 0 to 255"#,
        ),
        (
            json!({"to": "Ada", "year": "next"}),
            r#"`year`: "next" is not one of this, last"#,
        ),
        (
            json!({"pages": "7", "colour": "red"}),
            "letter: `to` is required; `colour` is not known",
        ),
        (json!({"to": "nobody"}), "nobody reads no letters"),
    ] {
        let refused = get(arguments).await;
        assert_eq!(
            (&refused["error"]["code"], &refused["error"]["message"]),
            (&json!(-32602), &json!(says))
        );
    }
    let params = json!({"ref": {"type": "ref/prompt", "name": "letter"}, "argument": {"name": "to", "value": "A"}});
    assert_eq!(
        ask(hall, "ada", "completion/complete", params, "CompleteResult").await["result"]["completion"]
            ["values"][0],
        "Ada"
    );
}

#[test]
fn what_does_not_fit_together_is_a_build_error() {
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "it is never read")]
    struct Lost {
        id: u32,
        shelf: u32,
        note: Option<String>,
    }
    impl Read<Person> for Lost {
        const ADDRESS: &'static str = "lost://{id}/{row}";
        async fn read(self, _: &Call<Person>) -> ResourceResult {
            Ok("".into())
        }
    }
    let complete = |_: Call<Person>, _: String| async { Ok(Vec::new()) };
    let problems = Endpoint::builder("t", "1")
        .resource(Resource::of::<Lost>())
        .prompt(Prompt::of::<Letter>().complete("colour", complete))
        .build()
        .unwrap_err();
    let problems: Vec<_> = problems
        .0
        .iter()
        .map(|problem| (&*problem.name, &*problem.problem))
        .collect();
    assert_eq!(
        problems,
        [
            (
                "lost://{id}/{row}",
                r#"the field `shelf` stands nowhere in "lost://{id}/{row}""#
            ),
            ("lost://{id}/{row}", "there is no field for {row}"),
            ("letter", r#"there is no argument "colour" to complete"#),
        ]
    );
}

/// The rule of a type cannot be seen from outside, so public lists need a word that there is none.
#[tokio::test]
async fn public_lists_of_types_take_a_word_for_everybody() {
    let public = || {
        Endpoint::<Person>::builder("t", "1")
            .list_ttl(Duration::from_secs(1))
            .cache_scope(CacheScope::Public)
    };
    assert_eq!(
        public()
            .resource(Resource::of::<AppVersion>())
            .prompt(Prompt::of::<Letter>())
            .build()
            .unwrap_err()
            .0
            .len(),
        2
    );
    let open = public()
        .resource(Resource::of::<Order>().for_everybody())
        .prompt(Prompt::of::<Letter>().for_everybody());
    let eve = Person {
        name: "eve".to_owned(),
        ..crate::hall::person().0
    };
    let client = open.build().unwrap().client(eve);
    assert_eq!(client.templates().await.unwrap().len(), 1);
    assert_eq!(
        client
            .request("prompts/list", json!({}))
            .await
            .unwrap()
            .result()["cacheScope"],
        "public"
    );
}
