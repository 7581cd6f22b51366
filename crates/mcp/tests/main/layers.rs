//! Layers around requests and calls: what they see, what they may do, and how one that misbehaves
//! ends.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use footbridge_mcp::http::{AllowedHosts, McpService};
use footbridge_mcp::{
    Call, Endpoint, EndpointBuilder, EndpointRequest, ErrorKind, Messages, Method, Next,
    OutcomeKind, Output, Prompt, RequestOutcome, Resource, ResourceBody, Tool, fail, limits,
};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower_service::Service as _;

use crate::wire::InMemory as _;

const INTERNAL: &str = "internal error; the server's log has the details";
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn tool(
    name: &str,
    function: fn(&Call<&'static str>) -> Result<Output, &'static str>,
) -> Tool<&'static str> {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    Tool::new(name, "", schema, move |call: Call<&'static str>| {
        let said = function(&call);
        async move { said.map_err(fail) }
    })
}

fn builder() -> EndpointBuilder<&'static str> {
    Endpoint::builder("layered", "1")
        .tool(tool("say", |call| {
            Ok(Output::text(call.arguments["n"].to_string()))
        }))
        .tool(tool("fail", |_| Err("it is closed")))
        .tool(tool("trace", |call| {
            Ok(Output::text(format!("{:?}", call.traceparent())))
        }))
        .tool(Tool::new(
            "sleep",
            "",
            json!({"type": "object"}),
            async |_| {
                tokio::time::sleep(limits::LAYER_TIME * 2).await;
                Ok(Output::text("slept"))
            },
        ))
        .resource(Resource::new("a://b", "b", async |_| {
            Ok(ResourceBody::from("text"))
        }))
        .prompt(Prompt::new("begin", "", async |_| {
            Ok(Messages::user("hello"))
        }))
        .method(Method::new("own/method", async |_, _: Value| {
            Ok(json!({"own": true}))
        }))
}

/// An endpoint whose outermost layer notes what it sees.
fn audited(
    notes: &Arc<Mutex<Vec<String>>>,
    layers: impl FnOnce(EndpointBuilder<&'static str>) -> EndpointBuilder<&'static str>,
) -> Endpoint<&'static str> {
    let notes = Arc::clone(notes);
    let audit = move |request: EndpointRequest<&'static str>, next: Next| {
        let notes = Arc::clone(&notes);
        async move {
            let outcome = next.run().await;
            let line = format!(
                "{} {} {} {}: {:?}",
                request.caller(),
                request.method(),
                request.name().unwrap_or("-"),
                request.arguments(),
                outcome.kind()
            );
            assert!(outcome.bytes() > 0, "{line}");
            notes.lock().unwrap().push(line);
            Ok(outcome)
        }
    };
    layers(builder().layer(audit)).build().unwrap()
}

#[tokio::test]
async fn a_layer_sees_every_request_and_how_it_ended() {
    let notes = Arc::default();
    let endpoint = audited(&notes, |builder| builder);
    let client = endpoint.client("ada");
    client.tools().await.unwrap();
    client.call("say", json!({"n": "7"})).await.unwrap();
    client.call("say", json!({"n": "x"})).await.unwrap();
    client.call("fail", json!({})).await.unwrap();
    client.call("ghost", json!({})).await.unwrap_err();
    client.read("a://b").await.unwrap();
    client.get("begin", json!({})).await.unwrap();
    client.request("server/discover", json!({})).await.unwrap();
    client.request("own/method", json!({})).await.unwrap();
    client.request("no/method", json!({})).await.unwrap_err();
    let own = endpoint.call("say", json!({"n": 8}), "eve").await.unwrap();
    assert_eq!(own.first_text(), Some("8"));
    endpoint.call("ghost", json!({}), "eve").await.unwrap_err();
    assert_eq!(
        *notes.lock().unwrap(),
        [
            "ada tools/list - null: Answered",
            r#"ada tools/call say {"n":"7"}: Answered"#,
            r#"ada tools/call say {"n":"x"}: ToolFailed(Arguments)"#,
            "ada tools/call fail {}: ToolFailed(Tool)",
            "ada tools/call ghost {}: Refused(-32602)",
            "ada resources/read a://b null: Answered",
            "ada prompts/get begin {}: Answered",
            "ada server/discover - null: Answered",
            "ada own/method - null: Answered",
            "ada no/method - null: Refused(-32601)",
            r#"eve tools/call say {"n":8}: Answered"#,
            "eve tools/call ghost {}: Refused(-32602)",
        ]
    );
}

#[tokio::test]
async fn a_layer_may_answer_and_refuse_in_place_of_what_it_goes_around() {
    let endpoint = builder()
        .layer(async |request: EndpointRequest<&'static str>, next: Next| {
            match (request.method(), request.name()) {
                ("tools/call", Some("say")) => {
                    Ok(request.with_output(Output::text("said already")))
                }
                ("tools/call", Some("fail")) => Err(fail("too many calls; wait a minute")),
                ("resources/read", _) => Err(fail("too many reads")),
                ("tools/list", _) => {
                    let outcome = next.run().await;
                    let mut result = outcome.result().unwrap();
                    result.insert("_meta".to_owned(), json!({"example.org/page": 1}));
                    Ok(request.answered(result))
                }
                _ => Ok(next.run().await),
            }
        })
        .build()
        .unwrap();
    let client = endpoint.client("ada");
    assert_eq!(
        client.call("say", json!({})).await.unwrap().text(),
        "said already"
    );
    let refused = client.call("fail", json!({})).await.unwrap();
    assert!(refused.is_error() && refused.text() == "too many calls; wait a minute");
    assert_eq!(
        client.read("a://b").await.unwrap_err().message,
        "too many reads"
    );
    let list = client.request("tools/list", json!({})).await.unwrap();
    let meta = &list.result()["_meta"];
    assert_eq!(meta["example.org/page"], 1);
    assert_eq!(
        meta["io.modelcontextprotocol/serverInfo"]["name"],
        "layered"
    );
    let own = async |tool| endpoint.call(tool, json!({}), "ada").await.unwrap();
    assert_eq!(own("say").await.first_text(), Some("said already"));
    assert!(own("fail").await.is_error());
}

#[tokio::test]
async fn the_first_layer_is_the_outermost() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let noting = |name: &'static str| {
        let order = Arc::clone(&order);
        move |_: EndpointRequest<&'static str>, next: Next| {
            let order = Arc::clone(&order);
            async move {
                order.lock().unwrap().push(format!("{name} before"));
                let outcome = next.run().await;
                order.lock().unwrap().push(format!("{name} after"));
                Ok(outcome)
            }
        }
    };
    let endpoint = builder()
        .layer(noting("outer"))
        .layer(noting("inner"))
        .build()
        .unwrap();
    endpoint.client("ada").call("say", json!({})).await.unwrap();
    let expected = ["outer before", "inner before", "inner after", "outer after"];
    assert_eq!(*order.lock().unwrap(), expected);
}

/// What becomes of a call, and what the layer around the layer at fault hears of it.
async fn faulty<F, R>(layer: F) -> (String, Vec<String>)
where
    F: Fn(EndpointRequest<&'static str>, Next) -> R + Send + Sync + 'static,
    R: Future<Output = Result<RequestOutcome, footbridge_mcp::Failure>> + Send + 'static,
{
    let notes = Arc::default();
    let endpoint = audited(&notes, |builder| builder.layer(layer));
    let of_client = endpoint
        .client("ada")
        .call("say", json!({}))
        .await
        .unwrap_err();
    let of_program = endpoint.call("say", json!({}), "eve").await.unwrap();
    assert_eq!(of_program.error_kind(), Some(ErrorKind::Internal));
    let notes = notes.lock().unwrap().clone();
    (of_client.message, notes)
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_misbehaves_ends_its_request_and_nothing_else() {
    let refused = [
        "ada tools/call say {}: Refused(-32603)",
        "eve tools/call say {}: Refused(-32603)",
    ];
    let at_once = faulty(|_, _| -> std::future::Pending<_> { panic!("before it began") }).await;
    let before = faulty(async |_, _| panic!("before")).await;
    let after = faulty(async |_, next: Next| {
        next.run().await;
        panic!("after")
    })
    .await;
    for (said, notes) in [at_once, before, after] {
        assert_eq!(
            (said.as_str(), notes),
            (INTERNAL, refused.map(str::to_owned).to_vec())
        );
    }
    let never = faulty(async |_, _| pending().await).await;
    let never_again = faulty(async |_, next: Next| {
        next.run().await;
        pending().await
    })
    .await;
    for (said, notes) in [never, never_again] {
        assert_eq!(said, "stopped after 30 s, the time limit");
        assert_eq!(notes, refused);
    }
}

#[tokio::test]
async fn one_answer_goes_out_whatever_a_layer_gives() {
    // It keeps the outcome of one request and gives it to the next.
    let kept: Arc<Mutex<Option<RequestOutcome>>> = Arc::default();
    let endpoint = builder()
        .layer(move |request: EndpointRequest<&'static str>, next: Next| {
            let kept = Arc::clone(&kept);
            async move {
                let outcome = next.run().await;
                let before = kept.lock().unwrap().replace(outcome);
                Ok(before.unwrap_or_else(|| request.with_output(Output::text("first"))))
            }
        })
        .build()
        .unwrap();
    let client = endpoint.client("ada");
    let first = client.call("say", json!({"n": 1})).await.unwrap();
    assert_eq!(first.text(), "first");
    let second = client.call("say", json!({"n": 2})).await.unwrap_err();
    assert_eq!(second.message, INTERNAL);

    // It answers, and lets the request run on: the answer is the layer's.
    let ran = Arc::new(Mutex::new(Vec::new()));
    let running = Arc::clone(&ran);
    let endpoint = builder()
        .layer(move |request: EndpointRequest<&'static str>, next: Next| {
            let running = Arc::clone(&running);
            tokio::spawn(async move {
                let kind = next.run().await.kind();
                running.lock().unwrap().push(kind);
            });
            std::future::ready(Ok(request.with_output(Output::text("at once"))))
        })
        .build()
        .unwrap();
    let answer = endpoint.client("ada").call("say", json!({})).await.unwrap();
    assert_eq!(answer.text(), "at once");
    while ran.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(*ran.lock().unwrap(), [OutcomeKind::Answered]);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_what_it_goes_around_is_not_the_layers() {
    let endpoint = builder()
        .layer(async |_, next: Next| Ok(next.run().await))
        .build()
        .unwrap();
    let slept = endpoint
        .client("ada")
        .call("sleep", json!({}))
        .await
        .unwrap();
    assert_eq!(slept.text(), "slept");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_takes_its_layers_along() {
    struct Noted(Arc<Mutex<bool>>);
    impl Drop for Noted {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    let dropped = Arc::new(Mutex::new(false));
    let note = Arc::clone(&dropped);
    let endpoint = builder()
        .layer(move |_: EndpointRequest<&'static str>, next: Next| {
            let guard = Noted(Arc::clone(&note));
            async move {
                let _guard = guard;
                Ok(next.run().await)
            }
        })
        .build()
        .unwrap();
    let call = endpoint.call("sleep", json!({}), "ada");
    let late = tokio::time::timeout(Duration::from_secs(1), call).await;
    assert!(late.is_err() && *dropped.lock().unwrap());
}

/// A request over HTTP: its status, its session and its body.
async fn exchange(
    service: &McpService<&'static str, impl footbridge_mcp::http::Authenticate<&'static str>>,
    message: &Value,
) -> (u16, bool, Value) {
    let request = http::Request::post("/mcp")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(Full::new(Bytes::from(message.to_string())))
        .unwrap();
    let response = service.clone().call(request).await.unwrap();
    let status = response.status().as_u16();
    let has_session = response.headers().contains_key("mcp-session-id");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (
        status,
        has_session,
        serde_json::from_slice(&body).unwrap_or_default(),
    )
}

fn initialize() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}
    }})
}

#[tokio::test]
async fn initialize_ping_and_discover_can_be_wrapped_and_replaced() {
    for replaces in [false, true] {
        let endpoint = builder()
            .layer(move |request: EndpointRequest<&'static str>, next: Next| async move {
                match request.method() {
                    "initialize" => {
                        assert_eq!(request.client().name(), Some("old"));
                        let result = if replaces {
                            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "own", "version": "1"}, "instructions": "Ask first."})
                                .as_object()
                                .unwrap()
                                .clone()
                        } else {
                            let mut result = next.run().await.result().unwrap();
                            result.insert("instructions".to_owned(), json!("Ask first."));
                            result
                        };
                        Ok(request.answered(result))
                    }
                    "ping" => Ok(request.answered(json!({"pong": true}).as_object().unwrap().clone())),
                    "server/discover" => {
                        let mut result = next.run().await.result().unwrap();
                        result.insert("instructions".to_owned(), json!("Ask first."));
                        Ok(request.answered(result))
                    }
                    _ => Ok(next.run().await),
                }
            })
            .build()
            .unwrap();
        let client = endpoint.client("ada");
        let discovered = client.request("server/discover", json!({})).await.unwrap();
        assert_eq!(discovered.result()["instructions"], "Ask first.");
        let service = McpService::public(endpoint, || "ada", AllowedHosts::loopback());
        let (status, has_session, answer) = exchange(&service, &initialize()).await;
        assert_eq!((status, has_session), (200, true), "{answer}");
        assert_eq!(answer["result"]["instructions"], "Ask first.");
        let version = if replaces { "2025-06-18" } else { "2025-11-25" };
        assert_eq!(answer["result"]["protocolVersion"], version);
        let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
        assert_eq!(
            exchange(&service, &ping).await.2["result"],
            json!({"pong": true})
        );
    }
}

/// Whether it goes on at once or waits before, a request is the same.
#[tokio::test]
async fn a_layer_may_wait_before_it_goes_on() {
    let mut seen = Vec::new();
    for waits in [false, true] {
        let endpoint = builder()
            .layer(
                move |request: EndpointRequest<&'static str>, next: Next| async move {
                    if waits {
                        tokio::task::yield_now().await;
                    }
                    let outcome = next.run().await;
                    if waits {
                        tokio::task::yield_now().await;
                    }
                    assert!(request.revision().is_some() || request.method() == "initialize");
                    Ok(outcome)
                },
            )
            .build()
            .unwrap();
        let client = endpoint.client("ada");
        let mut answers = Vec::new();
        for (method, params) in [
            ("tools/list", json!({})),
            ("tools/call", json!({"name": "say", "arguments": {"n": 7}})),
            ("tools/call", json!({"name": "none"})),
            ("resources/read", json!({"uri": "a://b"})),
            ("prompts/get", json!({"name": "begin"})),
            ("own/method", json!({})),
            ("no/method", json!({})),
        ] {
            let answer = client.request(method, params).await;
            answers.push(answer.map_or_else(
                |error| Value::from(error.message),
                |answer| answer.result().clone(),
            ));
        }
        let service = McpService::public(endpoint, || "ada", AllowedHosts::loopback());
        let (status, has_session, answer) = exchange(&service, &initialize()).await;
        assert_eq!((status, has_session), (200, true), "{answer}");
        answers.push(answer);
        let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
        answers.push(exchange(&service, &list).await.2);
        seen.push(answers);
    }
    assert_eq!(seen.first(), seen.last());
}

/// A layer in which each request waits: it says that one has arrived, and goes on when it may.
pub(crate) fn with_gate<C: Send + Sync + 'static>(
    builder: EndpointBuilder<C>,
) -> (Endpoint<C>, Arc<Notify>, Arc<Notify>) {
    let (arrived, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (arrives, may_leave) = (Arc::clone(&arrived), Arc::clone(&leave));
    let gated = builder.layer(move |_: EndpointRequest<C>, next: Next| {
        let (arrives, may_leave) = (Arc::clone(&arrives), Arc::clone(&may_leave));
        async move {
            arrives.notify_one();
            may_leave.notified().await;
            Ok(next.run().await)
        }
    });
    (gated.build().unwrap(), arrived, leave)
}

/// What a layer waits for may change what is served.
#[tokio::test]
async fn a_list_is_that_of_the_moment_in_which_its_layer_goes_on() {
    let (endpoint, arrived, leave) = with_gate(builder());
    let client = endpoint.client("ada");
    let change = async {
        arrived.notified().await;
        let late = tool("late", |_| Ok(Output::text("late")));
        endpoint.change().add_tool(late).apply().unwrap();
        leave.notify_one();
    };
    let (tools, ()) = tokio::join!(client.tools(), change);
    let tools = tools.unwrap();
    assert!(tools.iter().any(|tool| tool["name"] == "late"), "{tools:?}");
}

/// A rule is a function of the application's own, within its layers.
#[tokio::test]
async fn a_request_that_a_layer_refuses_asks_no_rule() {
    let asked = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&asked);
    let ruled = tool("ruled", |_| Ok(Output::text("ruled"))).allowed_for(move |_| {
        *counted.lock().unwrap() += 1;
        true
    });
    let endpoint = builder()
        .tool(ruled)
        .layer(
            async |request: EndpointRequest<&'static str>, next: Next| match request.caller() {
                caller if **caller == "eve" => Err(fail("too many requests")),
                _ => Ok(next.run().await),
            },
        )
        .build()
        .unwrap();
    endpoint.client("eve").tools().await.unwrap_err();
    assert_eq!(*asked.lock().unwrap(), 0);
    endpoint.client("ada").tools().await.unwrap();
    assert_eq!(*asked.lock().unwrap(), 1);
}

#[tokio::test]
async fn an_initialize_that_a_layer_refuses_opens_no_session() {
    let endpoint = builder()
        .layer(async |_: EndpointRequest<&'static str>, _| Err(fail("closed on Sundays")))
        .build()
        .unwrap();
    let service = McpService::public(endpoint, || "ada", AllowedHosts::loopback());
    let (_, has_session, answer) = exchange(&service, &initialize()).await;
    assert!(!has_session, "{answer}");
    assert_eq!(answer["error"]["message"], "closed on Sundays");
}

#[tokio::test]
async fn the_trace_of_a_request_is_there_at_once() {
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let layered = builder()
        .layer(move |request: EndpointRequest<&'static str>, next: Next| {
            let trace = request.traceparent().map(str::to_owned);
            noted.lock().unwrap().push(trace);
            async move { Ok(next.run().await) }
        })
        .build()
        .unwrap();
    let meta = |version: Option<&str>| {
        let mut meta = json!({"traceparent": TRACE, "example.org/tenant": "t"});
        if let Some(version) = version {
            meta["io.modelcontextprotocol/protocolVersion"] = json!(version);
            meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "trace", "arguments": {}, "_meta": meta}})
    };
    for endpoint in [builder().build().unwrap(), layered] {
        let service = McpService::public(endpoint, || "ada", AllowedHosts::loopback());
        // The headers of the modern era are missing, so it comes over the legacy one here.
        let (_, _, answer) = exchange(&service, &meta(None)).await;
        let text = &answer["result"]["content"][0]["text"];
        assert_eq!(*text, format!("Some({TRACE:?})"), "{answer}");
    }
    let client = builder().build().unwrap().client("ada");
    let untraced = client.call("trace", json!({})).await.unwrap();
    assert_eq!(untraced.text(), "None");
    assert_eq!(*seen.lock().unwrap(), [Some(TRACE.to_owned())]);
}
