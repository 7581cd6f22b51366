//! Resources, templates, prompts and completions as a client meets them.

use std::time::Duration;

use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{
    CacheScope, Call, Endpoint, Failure, Messages, Prompt, PromptArgument, Resource, ResourceBody,
    limits,
};
use serde_json::{Value, json};

use crate::hall::{Hall, Person, hall_of, rpc};
use crate::http_client::{Modern, post};
use crate::schemas::{self, MODERN};

async fn said(what: &str, call: Call<Person>) -> Result<ResourceBody, Failure> {
    Ok(ResourceBody::from(format!(
        "{what} {}",
        Value::Object(call.arguments.into_map())
    )))
}

async fn things() -> Hall {
    let values = |count: usize| {
        move |_: Call<Person>, typed: String| async move {
            Ok((0..count).map(|n| format!("{typed}{n}")).collect())
        }
    };
    let builder = Endpoint::builder("hall", "1")
        .list_ttl(Duration::from_secs(60))
        .cache_scope(CacheScope::Public)
        .resource(
            Resource::new("t://fixed", "fixed", |call| said("fixed", call))
                .mime_type("text/plain")
                .ttl(Duration::from_secs(5)),
        )
        .resource(Resource::new(
            "t://bytes",
            "bytes",
            |_: Call<Person>| async { Ok(ResourceBody::from(vec![0, 255, 1])) },
        ))
        .resource(Resource::new("t://gone", "gone", |_: Call<Person>| async {
            Err(Failure::NotFound)
        }))
        .resource(Resource::new(
            "t://broken",
            "broken",
            |_: Call<Person>| async { Err(std::io::Error::other("hunter2").into()) },
        ))
        .resource(Resource::new("t://early", "early", |call: Call<Person>| {
            assert!(call.arguments.contains_key("fine"), "hunter2");
            async { Ok(ResourceBody::from("")) }
        }))
        .resource(
            Resource::template("t://n/{id}", "number", |call| said("number", call))
                .parameter::<u32>("id")
                .complete("id", values(100)),
        )
        .resource(
            Resource::template("t://n/{name}", "word", |call| said("word", call))
                .complete("name", values(101)),
        )
        .prompt(
            Prompt::new("letter", "A letter.", |call: Call<Person>| async move {
                Ok(Messages::user(
                    Value::Object(call.arguments.into_map()).to_string(),
                ))
            })
            .argument(PromptArgument::required("to", "To whom").complete(values(2)))
            .argument(PromptArgument::required("about", "About what"))
            .argument(PromptArgument::new("tone", "How")),
        );
    hall_of(builder.build().unwrap(), SessionLimits::default()).await
}

async fn modern(hall: &Hall, method: &str, params: Value, result: &str) -> Value {
    let mut request = Modern::new(method, params.clone());
    if let Some(uri) = params["uri"].as_str() {
        request = request.with("Mcp-Name", uri);
    }
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let reply = hall
        .client()
        .await
        .exchange(&post(&headers, request.message.to_string().as_bytes()))
        .await;
    schemas::check(MODERN, result, &reply.json());
    reply.json()
}

async fn legacy(hall: &Hall, method: &str, params: Value, result: &str) -> Value {
    let reply = hall
        .client()
        .await
        .exchange(&post(
            &[("MCP-Protocol-Version", "2025-11-25")],
            &rpc(1, method, params),
        ))
        .await;
    schemas::check("2025-11-25", result, &reply.json());
    reply.json()
}

async fn read(hall: &Hall, uri: &str) -> Value {
    let params = json!({ "uri": uri });
    let (new, old) = (
        modern(hall, "resources/read", params.clone(), "ReadResourceResult").await,
        legacy(hall, "resources/read", params, "ReadResourceResult").await,
    );
    if new.get("error").is_none() {
        assert_eq!(
            new["result"]["contents"], old["result"]["contents"],
            "the same in both eras"
        );
    }
    new
}

#[tokio::test]
async fn what_is_read_is_text_or_bytes_and_may_be_kept_by_its_reader_only() {
    let hall = things().await;
    let fixed = &read(&hall, "t://fixed").await["result"];
    assert_eq!(
        fixed["contents"],
        json!([{"uri": "t://fixed", "mimeType": "text/plain", "text": "fixed {}"}])
    );
    assert_eq!(
        (&fixed["ttlMs"], &fixed["cacheScope"]),
        (&json!(5000), &json!("private"))
    );
    let bytes = &read(&hall, "t://bytes").await["result"];
    assert_eq!(
        (&bytes["contents"], &bytes["ttlMs"]),
        (&json!([{"uri": "t://bytes", "blob": "AP8B"}]), &json!(0))
    );
    let listed = modern(&hall, "resources/list", json!({}), "ListResourcesResult").await;
    assert_eq!(
        (
            &listed["result"]["cacheScope"],
            listed["result"]["resources"].as_array().unwrap().len()
        ),
        (&json!("public"), 5)
    );
    let listed = legacy(
        &hall,
        "resources/templates/list",
        json!({}),
        "ListResourceTemplatesResult",
    )
    .await;
    assert_eq!(
        listed["result"]["resourceTemplates"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn templates_are_tried_in_order_and_their_values_decoded() {
    let hall = things().await;
    for (uri, text) in [
        ("t://n/7", r#"number {"id":"7"}"#),
        ("t://n/%37", r#"number {"id":"7"}"#),
        ("t://n/4294967296", r#"word {"name":"4294967296"}"#),
        ("t://n/a%20%C3%A9%2Fb", r#"word {"name":"a é/b"}"#),
    ] {
        assert_eq!(
            read(&hall, uri).await["result"]["contents"][0]["text"],
            text,
            "{uri}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_named_and_what_fails_inside_is_not() {
    let hall = things().await;
    for uri in [
        "t://nothing",
        "t://gone",
        "t://n/",
        "t://n/a/b",
        "t://n/%ff",
        "",
    ] {
        let params = json!({ "uri": uri });
        for (message, code) in [
            (
                modern(
                    &hall,
                    "resources/read",
                    params.clone(),
                    "ReadResourceResult",
                )
                .await,
                -32602,
            ),
            (
                legacy(&hall, "resources/read", params, "ReadResourceResult").await,
                -32002,
            ),
        ] {
            assert_eq!(
                (&message["error"]["code"], &message["error"]["data"]["uri"]),
                (&json!(code), &json!(uri))
            );
        }
    }
    for uri in ["t://broken", "t://early"] {
        let failed = read(&hall, uri).await;
        assert_eq!(failed["error"]["code"], -32603, "{uri}");
        assert!(!failed.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn all_problems_with_a_prompts_arguments_are_named_at_once() {
    let hall = things().await;
    let params = json!({"name": "letter", "arguments": {"to": 7, "topic": "x"}});
    for message in [
        modern(&hall, "prompts/get", params.clone(), "GetPromptResult").await,
        legacy(&hall, "prompts/get", params, "GetPromptResult").await,
    ] {
        assert_eq!(message["error"]["code"], -32602);
        assert_eq!(
            message["error"]["message"],
            "letter: `about` is required; `topic` is not known; `to` must be a string"
        );
    }
    let params = json!({"name": "letter", "arguments": {"to": "Ada", "about": "bridges"}});
    let letter = modern(&hall, "prompts/get", params, "GetPromptResult").await;
    assert_eq!(
        letter["result"]["messages"][0]["content"]["text"],
        r#"{"to":"Ada","about":"bridges"}"#
    );
    for (params, words) in [
        (json!({"name": "nobody"}), "unknown prompt: nobody"),
        (json!({}), "`name`"),
        (json!({"name": "letter", "arguments": []}), "object"),
    ] {
        let refused = legacy(&hall, "prompts/get", params, "GetPromptResult").await;
        assert!(
            refused["error"]["message"]
                .as_str()
                .unwrap()
                .contains(words),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn completions_give_at_most_a_hundred_values_and_say_how_many_there_are() {
    let hall = things().await;
    let complete = |reference: Value, name: &str| json!({"ref": reference, "argument": {"name": name, "value": "v"}});
    let template = |uri: &str| json!({"type": "ref/resource", "uri": uri});
    let prompt = json!({"type": "ref/prompt", "name": "letter"});
    for (params, sent, total) in [
        (complete(template("t://n/{id}"), "id"), 100, 100),
        (complete(template("t://n/{name}"), "name"), 100, 101),
        (complete(prompt.clone(), "to"), 2, 2),
        (complete(prompt.clone(), "about"), 0, 0),
    ] {
        let found = modern(
            &hall,
            "completion/complete",
            params.clone(),
            "CompleteResult",
        )
        .await["result"]["completion"]
            .clone();
        assert_eq!(
            (
                found["values"].as_array().unwrap().len(),
                &found["total"],
                &found["hasMore"]
            ),
            (sent, &json!(total), &json!(total > sent)),
            "{params}"
        );
        assert_eq!(
            legacy(&hall, "completion/complete", params, "CompleteResult").await["result"]["completion"],
            found
        );
    }
    for bad in [
        complete(prompt.clone(), "nobody"),
        complete(json!({"type": "ref/prompt", "name": "nobody"}), "to"),
        complete(template("t://fixed"), "id"),
        complete(template("t://n/{id}"), "name"),
        complete(json!({"type": "ref/moon"}), "id"),
        json!({"ref": prompt, "argument": {"name": "to"}}),
        json!({}),
    ] {
        let refused = modern(&hall, "completion/complete", bad.clone(), "CompleteResult").await;
        assert_eq!(refused["error"]["code"], -32602, "{bad}");
    }
}

/// A message may hold parameters of other methods. An intermediary that routes or refuses by
/// `Mcp-Name` sees what the method acts on, and no other.
#[tokio::test]
async fn the_header_names_what_the_method_acts_on_whatever_else_is_named() {
    let hall = things().await;
    for (method, params, header, code) in [
        (
            "resources/read",
            json!({"uri": "t://bytes", "name": "t://fixed"}),
            "t://fixed",
            -32020,
        ),
        (
            "resources/read",
            json!({"uri": "t://bytes", "name": "t://fixed"}),
            "t://bytes",
            0,
        ),
        (
            "resources/read",
            json!({"uri": "t://bytes", "taskId": "t://fixed"}),
            "t://fixed",
            -32020,
        ),
        (
            "resources/read",
            json!({"name": "t://fixed"}),
            "t://fixed",
            -32602,
        ),
        (
            "prompts/get",
            json!({"name": "letter", "uri": "t://fixed"}),
            "t://fixed",
            -32020,
        ),
        (
            "prompts/get",
            json!({"uri": "t://fixed"}),
            "t://fixed",
            -32602,
        ),
    ] {
        let request = Modern::new(method, params.clone()).with("Mcp-Name", header);
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let reply = hall
            .client()
            .await
            .exchange(&post(&headers, request.message.to_string().as_bytes()))
            .await;
        assert_eq!(
            reply.code(),
            code,
            "{method} {params} {header}: {}",
            reply.json()
        );
    }
}

#[tokio::test]
async fn a_flood_of_problems_with_a_prompts_arguments_is_counted() {
    let hall = things().await;
    let unknown = |count: usize| {
        (0..count)
            .map(|number| (format!("n{number:02}"), json!("x")))
            .collect::<serde_json::Map<_, _>>()
    };
    let told = async |count: usize| {
        let mut arguments = unknown(count);
        arguments.extend([
            ("to".to_owned(), json!("Ada")),
            ("about".to_owned(), json!("bridges")),
        ]);
        let params = json!({"name": "letter", "arguments": arguments});
        modern(&hall, "prompts/get", params, "GetPromptResult").await["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (at, over) = (
        told(limits::REPORTED_PROBLEMS).await,
        told(limits::REPORTED_PROBLEMS + 2).await,
    );
    assert_eq!(
        at.matches("is not known").count(),
        limits::REPORTED_PROBLEMS
    );
    assert!(!at.contains("more"), "{at}");
    assert_eq!(over, format!("{at}; and 2 more"));
}
