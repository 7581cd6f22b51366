//! What a caller may not see is the same as what is not there, in every answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{
    CacheScope, Call, Endpoint, EndpointBuilder, Messages, Method, Output, Prompt, PromptArgument,
    Resource, ResourceBody, Tool,
};
use serde_json::{Value, json};

use crate::hall::{Hall, Person, builder, hall_of, rpc};
use crate::http_client::{Modern, post};
use crate::schemas::{self, MODERN};

fn is_ada(call: &Call<Person>) -> bool {
    call.caller.name == "ada"
}

fn tool(name: &str) -> Tool<Person> {
    let name_said = name.to_owned();
    Tool::new(
        name,
        "For tests.",
        json!({"type": "object"}),
        move |_: Call<Person>| {
            let said = name_said.clone();
            async move { Ok(Output::text(said)) }
        },
    )
}

fn text(uri: &str) -> Resource<Person> {
    Resource::new(uri, "text", |_: Call<Person>| async {
        Ok(ResourceBody::from("text"))
    })
}

fn template(uri: &str) -> Resource<Person> {
    Resource::template(uri, "template", |_: Call<Person>| async {
        Ok(ResourceBody::from("made"))
    })
    .complete("id", |_: Call<Person>, _| async {
        Ok(vec!["1".to_owned()])
    })
}

fn prompt(name: &str) -> Prompt<Person> {
    Prompt::new(name, "For tests.", |_: Call<Person>| async {
        Ok(Messages::user("prompt"))
    })
    .argument(
        PromptArgument::new("word", "A word")
            .complete(|_: Call<Person>, _| async { Ok(vec!["w".to_owned()]) }),
    )
}

async fn serve(builder: EndpointBuilder<Person>) -> Hall {
    hall_of(builder.build().unwrap(), SessionLimits::default()).await
}

/// Something of every kind that only Ada sees.
fn guarded() -> EndpointBuilder<Person> {
    Endpoint::builder("hall", "1")
        .principal(|person: &Person| person.name.clone())
        .subscriptions()
        .tool(tool("secret").alias("old_secret").allowed_for(is_ada))
        .resource(text("s://secret").allowed_for(is_ada))
        .resource(template("s://t/{id}").allowed_for(is_ada))
        .prompt(prompt("secret_prompt").allowed_for(is_ada))
        .method(
            Method::new("secrets/list", async |_: Call<Person>, _: Value| {
                Ok(json!({"secrets": []}))
            })
            .capability("secrets", json!({}))
            .allowed_for(is_ada),
        )
}

async fn modern(hall: &Hall, user: &str, method: &str, params: &Value) -> (u16, Value) {
    let mut request = Modern::new(method, params.clone());
    if let Some(uri) = params["uri"].as_str() {
        request = request.with("Mcp-Name", uri);
    }
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain([("X-User", user)])
        .collect();
    let reply = hall
        .client()
        .await
        .exchange(&post(&headers, request.message.to_string().as_bytes()))
        .await;
    (reply.status, reply.json())
}

async fn legacy(hall: &Hall, user: &str, method: &str, params: &Value) -> (u16, Value) {
    let reply = hall
        .client()
        .await
        .exchange(&post(
            &[("X-User", user)],
            &rpc("m-1", method, params.clone()),
        ))
        .await;
    (reply.status, reply.json())
}

/// Every request that could tell something, with the result that its answer is.
fn requests() -> Vec<(&'static str, Value, &'static str)> {
    let complete = |reference: Value, name: &str| json!({"ref": reference, "argument": {"name": name, "value": ""}});
    vec![
        ("tools/list", json!({}), "ListToolsResult"),
        ("resources/list", json!({}), "ListResourcesResult"),
        (
            "resources/templates/list",
            json!({}),
            "ListResourceTemplatesResult",
        ),
        ("prompts/list", json!({}), "ListPromptsResult"),
        (
            "tools/call",
            json!({"name": "secret", "arguments": {}}),
            "CallToolResult",
        ),
        (
            "tools/call",
            json!({"name": "old_secret", "arguments": {}}),
            "CallToolResult",
        ),
        (
            "resources/read",
            json!({"uri": "s://secret"}),
            "ReadResourceResult",
        ),
        (
            "resources/read",
            json!({"uri": "s://t/1"}),
            "ReadResourceResult",
        ),
        (
            "prompts/get",
            json!({"name": "secret_prompt"}),
            "GetPromptResult",
        ),
        (
            "completion/complete",
            complete(
                json!({"type": "ref/prompt", "name": "secret_prompt"}),
                "word",
            ),
            "CompleteResult",
        ),
        (
            "completion/complete",
            complete(json!({"type": "ref/resource", "uri": "s://t/{id}"}), "id"),
            "CompleteResult",
        ),
        ("secrets/list", json!({}), "Result"),
    ]
}

#[tokio::test]
async fn hidden_is_the_same_as_unknown_everywhere() {
    let guarded = serve(guarded()).await;
    let empty = serve(Endpoint::builder("hall", "1").subscriptions()).await;
    for (method, params, result) in requests() {
        let (status, seen) = modern(&guarded, "ada", method, &params).await;
        schemas::check(MODERN, result, &seen);
        assert_eq!(
            (status, seen.get("error")),
            (200, None),
            "{method} {params}"
        );
        let hidden = modern(&guarded, "eve", method, &params).await;
        schemas::check(MODERN, result, &hidden.1);
        assert_eq!(
            hidden,
            modern(&empty, "eve", method, &params).await,
            "{method} {params}"
        );

        let seen = legacy(&guarded, "ada", method, &params).await;
        schemas::check("2025-03-26", result, &seen.1);
        assert_eq!(seen.1.get("error"), None, "{method} {params}");
        assert_eq!(
            legacy(&guarded, "eve", method, &params).await,
            legacy(&empty, "eve", method, &params).await,
            "{method} {params}"
        );
    }
    for (method, params, _) in requests() {
        // What is not offered is no method in the modern era; clients of the legacy era ask for
        // every list all the same.
        let (status, hidden) = modern(&guarded, "eve", method, &params).await;
        assert_eq!(
            (status, &hidden["error"]["code"]),
            (404, &json!(-32601)),
            "{method} {params}"
        );
        let (_, hidden) = legacy(&guarded, "eve", method, &params).await;
        assert_eq!(
            hidden.get("error").is_none(),
            method != "secrets/list" && method.ends_with("/list"),
            "{hidden}"
        );
    }
    let discovered = |hall, user| async move {
        modern(hall, user, "server/discover", &json!({})).await.1["result"]["capabilities"].clone()
    };
    assert_eq!(
        discovered(&guarded, "eve").await,
        discovered(&empty, "eve").await
    );
    let of_ada = discovered(&guarded, "ada").await;
    assert_eq!(
        of_ada.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["secrets", "tools", "resources", "prompts", "completions"]
    );
    let eve = guarded.session("2025-11-25", "eve", json!({})).await;
    let subscribe = |uri: &str| rpc(1, "resources/subscribe", json!({"uri": uri}));
    for uri in ["s://secret", "s://t/1", "s://nothing"] {
        let refused = eve.ask(&subscribe(uri)).await;
        assert_eq!(
            (&refused["error"]["code"], &refused["error"]["data"]["uri"]),
            (&json!(-32002), &json!(uri))
        );
    }
    let ada = guarded.session("2025-11-25", "ada", json!({})).await;
    assert_eq!(ada.ask(&subscribe("s://t/1")).await["result"], json!({}));
}

/// A hidden thing before a visible one of the same name does not stand in its way.
#[tokio::test]
async fn a_hidden_resource_leaves_its_address_to_a_visible_template() {
    let open = Resource::template("s://{id}", "open", |_: Call<Person>| async {
        Ok(ResourceBody::from("open"))
    });
    let hall = serve(guarded().resource(open)).await;
    for (user, text) in [("ada", "text"), ("eve", "open")] {
        let (_, read) = legacy(&hall, user, "resources/read", &json!({"uri": "s://secret"})).await;
        assert_eq!(read["result"]["contents"][0]["text"], text);
    }
}

fn names(list: &Value) -> Vec<&str> {
    list["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_hook_narrows_replaces_and_adds_for_one_request() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let hall = serve(
        builder()
            .tool(tool("one").alias("uno"))
            .tool(tool("two").allowed_for(is_ada))
            .prompt(prompt("p"))
            .resource(text("s://r"))
            .visible(move |viewer, mut seen| {
                counted.fetch_add(1, Ordering::Relaxed);
                match viewer.caller.name.as_str() {
                    "ada" => seen.retain_tools(|tool| ["one", "two"].contains(&tool.name())),
                    "eve" => {
                        seen.retain_tools(|_| false);
                        seen.retain_prompts(|_| false);
                        seen.retain_resources(|_| false);
                    }
                    name => {
                        seen.retain_tools(|tool| tool.name() == "one");
                        seen.add_tool(tool(&format!("for_{name}")).ready().unwrap());
                        seen.add_tool(tool("one").title("another").ready().unwrap());
                    }
                }
                seen
            }),
    )
    .await;
    let hall = &hall;
    let list = |user| async move { modern(hall, user, "tools/list", &json!({})).await.1 };
    assert_eq!(names(&list("ada").await), ["one", "two"]);
    assert_eq!(
        list("eve").await["error"]["code"],
        -32601,
        "no tool is left, so there are no tools"
    );
    let bob = list("bob").await;
    schemas::check(MODERN, "ListToolsResult", &bob);
    assert_eq!(
        (names(&bob), &bob["result"]["tools"][1]["title"]),
        (vec!["for_bob", "one"], &json!("another"))
    );
    let call = |user, name| async move {
        modern(
            hall,
            user,
            "tools/call",
            &json!({"name": name, "arguments": {}}),
        )
        .await
        .1
    };
    assert_eq!(
        call("bob", "for_bob").await["result"]["content"][0]["text"],
        "for_bob"
    );
    for (user, name) in [
        ("ada", "for_bob"),
        ("bob", "two"),
        ("bob", "echo"),
        ("bob", "uno"),
    ] {
        let refused = call(user, name).await;
        assert_eq!(
            refused["error"]["message"],
            format!("unknown tool: {name}"),
            "{user}"
        );
    }
    for name in ["one", "uno"] {
        assert_eq!(call("eve", name).await["error"]["code"], -32601, "{name}");
    }
    asked.store(0, Ordering::Relaxed);
    assert_eq!(
        call("ada", "uno").await["result"]["content"][0]["text"],
        "one"
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1, "one set for a request");
}

#[tokio::test]
async fn the_hook_has_its_say_about_every_kind() {
    let method = |name: &str| Method::new(name, async |_: Call<Person>, _: Value| Ok(json!({})));
    let hall = serve(
        builder()
            .method(method("a/one").capability("a", json!({})))
            .method(method("a/two"))
            .prompt(prompt("p"))
            .visible(|viewer, mut seen| {
                if viewer.caller.name == "eve" {
                    seen.retain_methods(|name| name != "a/one");
                    seen.retain_tools(|tool| tool.name() == "echo");
                    return seen;
                }
                seen.add_resource(text("s://added").ready().unwrap());
                seen.add_resource(template("s://added/{id}").ready().unwrap());
                seen.add_prompt(prompt("added").ready().unwrap());
                seen.add_prompt(prompt("p").title("another").ready().unwrap());
                seen
            }),
    )
    .await;
    let hall = &hall;
    let ask =
        |user, method, params: Value| async move { modern(hall, user, method, &params).await.1 };
    assert_eq!(
        ask("ada", "resources/read", json!({"uri": "s://added"})).await["result"]["contents"][0]["text"],
        "text"
    );
    assert_eq!(
        ask("ada", "resources/read", json!({"uri": "s://added/7"})).await["result"]["contents"][0]
            ["text"],
        "made"
    );
    assert_eq!(
        ask("eve", "resources/read", json!({"uri": "s://added"})).await["error"]["code"],
        -32601
    );
    let prompts = ask("ada", "prompts/list", json!({})).await["result"]["prompts"].clone();
    let listed: Vec<_> = prompts
        .as_array()
        .unwrap()
        .iter()
        .map(|prompt| (&prompt["name"], &prompt["title"]))
        .collect();
    assert_eq!(
        listed,
        [
            (&json!("added"), &Value::Null),
            (&json!("p"), &json!("another"))
        ]
    );
    for (user, method, code) in [
        ("ada", "a/one", Value::Null),
        ("eve", "a/one", json!(-32601)),
        ("eve", "a/two", Value::Null),
    ] {
        assert_eq!(
            ask(user, method, json!({})).await["error"]["code"],
            code,
            "{user} {method}"
        );
    }
    let capabilities = |user| async move {
        ask(user, "server/discover", json!({})).await["result"]["capabilities"].clone()
    };
    assert_eq!(
        capabilities("ada")
            .await
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        [
            "a",
            "tools",
            "resources",
            "prompts",
            "completions",
            "logging"
        ]
    );
    assert_eq!(capabilities("eve").await.get("a"), None);
}

/// A kind that may come while a client listens is said to everybody from the start.
#[tokio::test]
async fn an_endpoint_that_announces_changes_offers_every_kind() {
    let hall = serve(
        Endpoint::builder("hall", "1")
            .announces_changes()
            .tool(tool("mine").allowed_for(is_ada)),
    )
    .await;
    let (_, discovered) = modern(&hall, "eve", "server/discover", &json!({})).await;
    let list = json!({"listChanged": true});
    assert_eq!(
        discovered["result"]["capabilities"],
        json!({"tools": list, "resources": list, "prompts": list})
    );
    for (method, result, key) in [
        ("tools/list", "ListToolsResult", "tools"),
        ("resources/list", "ListResourcesResult", "resources"),
        (
            "resources/templates/list",
            "ListResourceTemplatesResult",
            "resourceTemplates",
        ),
        ("prompts/list", "ListPromptsResult", "prompts"),
    ] {
        let (status, list) = modern(&hall, "eve", method, &json!({})).await;
        schemas::check(MODERN, result, &list);
        assert_eq!(
            (status, &list["result"][key]),
            (200, &json!([])),
            "{method}"
        );
    }
    let (_, refused) = modern(&hall, "eve", "tools/call", &json!({"name": "mine"})).await;
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["message"]),
        (&json!(-32602), &json!("unknown tool: mine"))
    );
}

#[test]
fn a_rule_and_public_lists_do_not_go_together() {
    let public = |builder: EndpointBuilder<Person>| {
        builder
            .list_ttl(std::time::Duration::ZERO)
            .cache_scope(CacheScope::Public)
            .build()
    };
    let problems = public(guarded().tool(tool("open"))).unwrap_err().0;
    let named: Vec<&str> = problems.iter().map(|problem| &*problem.name).collect();
    assert_eq!(
        named,
        [
            "secret",
            "s://secret",
            "s://t/{id}",
            "secret_prompt",
            "secrets/list"
        ]
    );
    let problems = public(builder().visible(|_, seen| seen)).unwrap_err().0;
    assert_eq!(
        problems
            .iter()
            .map(|problem| &*problem.name)
            .collect::<Vec<_>>(),
        ["hall"]
    );
    assert!(
        problems[0].problem.contains("CacheScope::Private"),
        "{problems:?}"
    );
    let open = public(builder().tool(tool("open"))).unwrap();
    let problems = open
        .change()
        .add_tool(tool("late").allowed_for(is_ada))
        .apply()
        .unwrap_err()
        .0;
    assert_eq!(problems[0].name, "late");
}

#[tokio::test]
async fn a_rule_that_panics_ends_one_request() {
    let hall = serve(builder().tool(tool("mine").allowed_for(|call| {
        assert_ne!(call.caller.name, "eve", "hunter2");
        true
    })))
    .await;
    let (status, refused) = modern(&hall, "eve", "tools/list", &json!({})).await;
    schemas::check_error(MODERN, &refused);
    assert_eq!((status, &refused["error"]["code"]), (200, &json!(-32603)));
    assert!(!refused.to_string().contains("hunter2"));
    assert_eq!(modern(&hall, "ada", "tools/list", &json!({})).await.0, 200);
}

#[tokio::test]
async fn pages_give_everything_that_is_visible_exactly_once() {
    let expected: Vec<String> = (0..7)
        .filter(|number| number % 3 != 0)
        .map(|number| format!("t{number}"))
        .collect();
    for size in 1..=8 {
        let mut builder =
            Endpoint::<Person>::builder("hall", "1").page_size(size.try_into().unwrap());
        for number in 0..7 {
            let one = tool(&format!("t{number}"));
            builder = builder.tool(if number % 3 == 0 {
                one.allowed_for(|_| false)
            } else {
                one
            });
        }
        let hall = serve(builder).await;
        let (mut found, mut cursor, mut pages) = (Vec::new(), Value::Null, 0);
        loop {
            let params = if cursor.is_null() {
                json!({})
            } else {
                json!({ "cursor": cursor })
            };
            let (_, page) = modern(&hall, "ada", "tools/list", &params).await;
            schemas::check(MODERN, "ListToolsResult", &page);
            assert!(names(&page).len() <= size);
            found.extend(names(&page).into_iter().map(str::to_owned));
            pages += 1;
            cursor = page["result"]["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(
            (&found, pages),
            (&expected, expected.len().div_ceil(size)),
            "{size}"
        );
        // The cursor after a hidden tool is the cursor after nothing.
        for bad in [json!("x"), json!(""), json!(7), json!("dDA"), json!("dDk")] {
            let (_, refused) = modern(&hall, "ada", "tools/list", &json!({ "cursor": bad })).await;
            assert_eq!(refused["error"]["code"], -32602, "{bad}");
        }
    }
}
