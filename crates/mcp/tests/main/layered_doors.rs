//! Requests within layers over HTTP, where most are taken before their layers are asked: whatever a
//! layer does before it goes on, what it goes around is the same.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use footbridge_mcp::http::{AllowedHosts, McpService};
use footbridge_mcp::{
    Call, Endpoint, EndpointBuilder, EndpointRequest, Messages, Next, Output, Prompt, Resource,
    ResourceBody, Tool, fail,
};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower_service::Service as _;

use crate::http_client::Modern;
use crate::layers::with_gate;

fn tool<F, R>(name: &str, function: F) -> Tool<()>
where
    F: Fn(Call<()>) -> R + Send + Sync + 'static,
    R: Future<Output = footbridge_mcp::ToolResult> + Send + 'static,
{
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    Tool::new(name, "", schema, function)
}

fn builder() -> EndpointBuilder<()> {
    Endpoint::builder("doors", "1")
        .tool(tool("say", async |call| {
            Ok(Output::text(call.arguments["n"].to_string()))
        }))
        .tool(tool("fail", async |_| Err(fail("it is closed"))))
        .tool(tool("wait", async |_| {
            tokio::task::yield_now().await;
            Ok(Output::text("waited"))
        }))
        .tool(tool(
            "panic",
            |_| -> std::future::Ready<footbridge_mcp::ToolResult> { panic!("before it began") },
        ))
        .tool(tool("panic_late", async |_| panic!("late")))
        .tool(tool("tell", async |call| {
            call.progress(1.0, Some(2.0), Some("one")).await;
            call.progress(2.0, Some(2.0), Some("two")).await;
            Ok(Output::text("told"))
        }))
        .tool(tool("tell_and_wait", async |call| {
            call.progress(1.0, Some(2.0), Some("one")).await;
            tokio::task::yield_now().await;
            call.progress(2.0, Some(2.0), Some("two")).await;
            Ok(Output::text("told"))
        }))
        .resource(Resource::new("a://b", "b", async |_| {
            Ok(ResourceBody::from("text"))
        }))
        .prompt(Prompt::new("begin", "", async |_| {
            Ok(Messages::user("hello"))
        }))
}

fn service(endpoint: Endpoint<()>) -> McpService<(), impl footbridge_mcp::http::Authenticate<()>> {
    McpService::public(endpoint, || (), AllowedHosts::loopback())
}

/// What a request is answered with over HTTP, as it is sent.
async fn answer(
    service: &McpService<(), impl footbridge_mcp::http::Authenticate<()>>,
    is_modern: bool,
    method: &str,
    params: &Value,
) -> String {
    let mut modern = Modern::new(method, params.clone());
    modern.message["params"]["_meta"]["progressToken"] = json!("t");
    let mut request = http::Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    if is_modern {
        for (name, value) in modern.headers {
            request = request.header(name, value);
        }
    } else {
        modern.message["params"]["_meta"] = json!({"progressToken": "t"});
    }
    let request = request
        .body(Full::new(Bytes::from(modern.message.to_string())))
        .unwrap();
    let response = service.clone().call(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    format!("{status} {}", std::str::from_utf8(&body).unwrap())
}

fn call(name: &str, arguments: Value) -> (&'static str, Value) {
    ("tools/call", json!({"name": name, "arguments": arguments}))
}

#[tokio::test]
async fn what_layers_go_around_is_the_same_whatever_they_do_before() {
    let ways: [(&str, EndpointBuilder<()>); 6] = [
        ("none", builder()),
        (
            "goes on",
            builder().layer(async |_: EndpointRequest<()>, next: Next| Ok(next.run().await)),
        ),
        (
            "waits first",
            builder().layer(async |_: EndpointRequest<()>, next: Next| {
                tokio::task::yield_now().await;
                Ok(next.run().await)
            }),
        ),
        (
            "waits last",
            builder().layer(async |_: EndpointRequest<()>, next: Next| {
                let outcome = next.run().await;
                tokio::task::yield_now().await;
                Ok(outcome)
            }),
        ),
        (
            "goes on elsewhere",
            builder().layer(async |_: EndpointRequest<()>, next: Next| {
                Ok(tokio::spawn(next.run()).await?)
            }),
        ),
        (
            "two, of which the inner waits",
            builder()
                .layer(async |_: EndpointRequest<()>, next: Next| Ok(next.run().await))
                .layer(async |_: EndpointRequest<()>, next: Next| {
                    tokio::task::yield_now().await;
                    Ok(next.run().await)
                }),
        ),
    ];
    let requests = [
        ("tools/list", json!({})),
        ("tools/list", json!({"cursor": "made up"})),
        ("prompts/list", json!({})),
        call("say", json!({"n": "7"})),
        call("say", json!({"n": "x"})),
        call("fail", json!({})),
        call("wait", json!({})),
        call("panic", json!({})),
        call("panic_late", json!({})),
        call("tell", json!({})),
        call("tell_and_wait", json!({})),
        call("ghost", json!({})),
        ("tools/call", json!({})),
        ("resources/read", json!({"uri": "a://b"})),
        ("prompts/get", json!({"name": "begin"})),
        ("no/method", json!({})),
        ("ping", json!({})),
    ];
    let mut expected = Vec::new();
    for (way, layered) in ways {
        let service = service(layered.build().unwrap());
        let mut answers = Vec::new();
        for is_modern in [false, true] {
            for (method, params) in &requests {
                answers.push(answer(&service, is_modern, method, params).await);
            }
        }
        if way == "none" {
            let told = answers.iter().find(|answer| answer.contains("told"));
            let told = told.expect("it was called");
            let places = ["one", "two", "told"].map(|said| told.find(said));
            assert!(places.is_sorted() && places[0].is_some(), "{told}");
            expected = answers;
        } else {
            for (answer, expected) in answers.iter().zip(&expected) {
                assert_eq!(answer, expected, "{way}");
            }
        }
    }
    assert_eq!(expected.len(), 2 * requests.len());
}

/// Also what runs before a function returns its future.
#[tokio::test]
async fn nothing_of_a_tool_runs_where_a_layer_refuses_its_call() {
    let begun = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&begun);
    let count = Tool::new("count", "", json!({"type": "object"}), move |_: Call<()>| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(Output::text("counted")))
    });
    let endpoint =
        builder()
            .tool(count)
            .layer(async |request: EndpointRequest<()>, next: Next| {
                match request.arguments()["force"].is_null() {
                    true => Err(fail("too many calls")),
                    false => Ok(next.run().await),
                }
            })
            .build()
            .unwrap();
    let service = service(endpoint);
    for is_modern in [false, true] {
        let (method, params) = call("count", json!({}));
        let refused = answer(&service, is_modern, method, &params).await;
        assert!(refused.contains("too many calls"), "{refused}");
    }
    assert_eq!(begun.load(Ordering::Relaxed), 0);
    let (method, params) = call("count", json!({"force": 1}));
    answer(&service, true, method, &params).await;
    assert_eq!(begun.load(Ordering::Relaxed), 1);
}

/// What a layer waits for may change what is served; what did not change is not taken again.
#[tokio::test]
async fn a_call_is_that_of_the_moment_in_which_its_layer_goes_on() {
    let (endpoint, arrived, leave) = with_gate(builder());
    let service = service(endpoint.clone());
    let change = async |tool: Option<Tool<()>>| {
        arrived.notified().await;
        if let Some(tool) = tool {
            endpoint.change().add_tool(tool).apply().unwrap();
        }
        leave.notify_one();
    };
    let late = || Some(tool("late", async |_| Ok(Output::text("it is there"))));
    let (method, params) = call("late", json!({}));
    let (before, ()) = tokio::join!(answer(&service, true, method, &params), change(None));
    assert!(before.contains("unknown tool"), "{before}");
    let (there, ()) = tokio::join!(answer(&service, true, method, &params), change(late()));
    assert!(there.contains("it is there"), "{there}");
}

/// The facts of a request are used again by a later one, but never while somebody holds them.
#[tokio::test]
async fn a_request_that_a_layer_keeps_stays_what_it_was() {
    let kept: Arc<Mutex<Vec<EndpointRequest<()>>>> = Arc::default();
    let keeps = Arc::clone(&kept);
    let endpoint = builder()
        .layer(move |request: EndpointRequest<()>, next: Next| {
            if request.arguments()["keep"] == json!(true) {
                keeps.lock().unwrap().push(request);
            }
            async move { Ok(next.run().await) }
        })
        .build()
        .unwrap();
    let service = service(endpoint);
    for n in 0..6 {
        let (method, params) = call("say", json!({"n": n, "keep": n % 2 == 0}));
        let said = answer(&service, true, method, &params).await;
        assert!(said.contains(&format!(r#""text":"{n}""#)), "{said}");
        answer(&service, true, "tools/list", &json!({})).await;
    }
    let kept = kept.lock().unwrap();
    let seen: Vec<_> = kept
        .iter()
        .map(|request| (request.name(), request.arguments()["n"].clone()))
        .collect();
    assert_eq!(seen, [0, 2, 4].map(|n| (Some("say"), json!(n))));
}

/// Whoever goes away takes what was begun along.
#[tokio::test]
async fn a_call_within_a_layer_ends_with_its_connection() {
    struct Ended(Arc<Notify>);
    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let (begun, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, ends) = (Arc::clone(&begun), Arc::clone(&ended));
    let endless = Tool::new(
        "endless",
        "",
        json!({"type": "object"}),
        move |_: Call<()>| {
            let (begins, ends) = (Arc::clone(&begins), Ended(Arc::clone(&ends)));
            async move {
                let _ends = ends;
                begins.notify_one();
                std::future::pending().await
            }
        },
    );
    let endpoint = builder()
        .tool(endless)
        .layer(async |_: EndpointRequest<()>, next: Next| Ok(next.run().await))
        .build()
        .unwrap();
    let service = service(endpoint);
    let (method, params) = call("endless", json!({}));
    tokio::select! {
        answer = answer(&service, true, method, &params) => panic!("{answer}"),
        () = begun.notified() => {}
    }
    ended.notified().await;
}
