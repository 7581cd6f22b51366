//! Tools described step by step: arguments, queries, values between steps, results, and filters
//! that fail.

use axum::body::Body;
use axum::extract::Path;
use axum::http::Uri;
use axum::routing::get;
use axum::{Json, Router};
use footbridge_connector::{Backend, FILTER_STACK_BYTES, Fault, InProcess, compile};
use serde_json::json;

use crate::fake::call;

const FILE: &str = r#"
format: 1
connector: x
title: X
instructions: X.
settings:
  TENANT: { default: blue }
  TOKEN: { secret: true }
upstream:
  base: "http://localhost/{settings.TENANT}"
  headers: { Authorization: "{settings.TOKEN}" }
  error: [ .message? ]
tools:
  - name: plain
    title: Plain
    description: The thing as it is.
    effect: read
    steps: [{ get: /thing/1 }]
  - name: search
    aliases: [x.search]
    title: Search
    description: Search.
    effect: read
    input:
      q: { type: string, description: Text., required: true, maxLength: 20 }
      size: { type: integer, description: Size., default: 3, minimum: 1, maximum: 9 }
      kind: { type: string, description: Kind., enum: [a, b] }
    steps:
      - get: /echo
        query: { q: $args.q, size: $args.size, kind: $args.kind, tag: '["one", 2]', tenant: $settings.TENANT, on: "true" }
  - name: joined
    title: Joined
    description: Two things.
    effect: read
    input:
      id: { type: string, description: Id., required: true }
    steps:
      - get: "/thing/{id}"
        as: first
      - let: .next + 1
        as: number
      - get: "/thing/{steps.first.next}"
    result: "{first: $steps.first.id, second: .id, number: $steps.number, tenant: $settings.TENANT}"
  - name: unfit
    title: Unfit
    description: Does not fit.
    effect: read
    steps: [{ get: /thing/secret-value }]
    result: .id.x
  - name: failing
    title: Failing
    description: Fails.
    effect: read
    input: { how: { type: string, description: How., required: true } }
    steps: [{ get: /thing/secret-value }]
    result: |
      if $args.how == "error" then .id.x.y
      elif $args.how == "many" then 1, 2
      elif $args.how == "endless" then def f: f; f
      elif $args.how == "nan" then nan
      elif $args.how == "deep" then reduce range(0; 5000) as $i (0; [.])
      else empty end
"#;

fn backend() -> Backend {
    let thing = |Path(id): Path<String>| async move {
        Json(json!({"id": id, "next": id.parse::<i64>().unwrap_or(0) + 1, "note": null}))
    };
    let router = Router::new().route("/blue/thing/{id}", get(thing)).route(
        "/blue/echo",
        get(|uri: Uri| async move { Json(json!({"query": uri.query()})) }),
    );
    let connector = compile("x.yaml", FILE).unwrap();
    let settings = connector
        .settings(&|name| (name == "TOKEN").then(|| "pat_secret".to_owned()))
        .unwrap();
    connector.connect(settings, InProcess::<_, Body>::new(router))
}

/// On a runtime whose threads have the stack that filters are promised.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_stack_size(FILTER_STACK_BYTES)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test)
}

#[test]
fn a_tool_without_filters_hands_on_what_came_less_what_is_empty() {
    assert_eq!(
        run(call(&backend(), "plain", json!({}))).unwrap(),
        json!({"id": "1", "next": 2})
    );
}

#[test]
fn a_query_is_made_of_filters() {
    for name in ["search", "x.search"] {
        let found = run(call(&backend(), name, json!({"q": "a b&c"}))).unwrap();
        assert_eq!(
            found["query"],
            "q=a+b%26c&size=3&tag=one&tag=2&tenant=blue&on=true"
        );
    }
    let found = run(call(
        &backend(),
        "search",
        json!({"q": "x", "size": 5, "kind": "a"}),
    ))
    .unwrap();
    assert_eq!(
        found["query"],
        "q=x&size=5&kind=a&tag=one&tag=2&tenant=blue&on=true"
    );
    let connector = compile("x.yaml", FILE).unwrap();
    assert_eq!(
        *connector.tool("search").unwrap().input_schema,
        json!({
            "type": "object",
            "properties": {
                "q": {"type": "string", "maxLength": 20, "description": "Text."},
                "size": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3, "description": "Size."},
                "kind": {"type": "string", "enum": ["a", "b"], "description": "Kind."}
            },
            "required": ["q"],
            "additionalProperties": false
        })
    );
}

#[test]
fn values_pass_from_step_to_step_and_secrets_do_not() {
    let joined = run(call(&backend(), "joined", json!({"id": "5"}))).unwrap();
    assert_eq!(
        joined,
        json!({"first": "5", "second": "6", "number": 7, "tenant": "blue"})
    );
    let named = FILE.replace("tenant: $settings.TENANT}\"", "secret: $settings.TOKEN}\"");
    let problems = compile("x.yaml", &named).err().unwrap().to_string();
    assert!(
        problems.contains("`TOKEN` is a secret; only headers and the login may carry it"),
        "{problems}"
    );
}

#[test]
fn a_path_is_never_filled_with_nothing() {
    for arguments in [
        json!({}),
        json!({"id": ""}),
        json!({"id": ".."}),
        json!({"id": null}),
        json!({"id": [1]}),
    ] {
        let error = run(call(&backend(), "joined", arguments.clone())).unwrap_err();
        assert_eq!(error.fault(), Fault::Caller, "{arguments}: {error}");
    }
}

/// Tool, key, line and what jq says, for the log and for people; a plain path that does not fit is
/// told in the same way.
#[test]
fn a_filter_that_fails_is_named_to_its_author() {
    let line = |text: &str| FILE.lines().position(|line| line.contains(text)).unwrap() + 1;
    let failing = line("result: |") + 1;
    let error = run(call(&backend(), "failing", json!({"how": "error"}))).unwrap_err();
    let detail = error.detail().unwrap();
    assert!(
        detail.starts_with("the filter failing.result of connector x (line "),
        "{detail}"
    );
    assert!(
        detail.ends_with(r#"cannot index a text with "x""#),
        "{detail}"
    );
    let told: usize = detail
        .split("(line ")
        .nth(1)
        .unwrap()
        .split(')')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        told.abs_diff(failing) <= 1,
        "{told} is not {failing}: {detail}"
    );
    assert!(
        error.for_people().contains(detail),
        "{}",
        error.for_people()
    );
    for (how, what) in [
        ("many", "gave more than one value"),
        ("endless", "was ended"),
        ("nan", "cannot be passed on"),
    ] {
        let error = run(call(&backend(), "failing", json!({"how": how}))).unwrap_err();
        assert!(error.detail().unwrap().contains(what), "{how}: {error:?}");
    }
    let error = run(call(&backend(), "unfit", json!({}))).unwrap_err();
    let detail = error.detail().unwrap();
    assert!(
        detail.starts_with("the filter unfit.result of connector x (line "),
        "{detail}"
    );
    assert!(
        detail.ends_with(r#"cannot index a text with "x""#) && !detail.contains("secret-value"),
        "{detail}"
    );
}

#[test]
fn a_filter_that_fails_says_nothing_of_the_values() {
    for how in ["error", "many", "endless", "nan", "deep"] {
        let error = run(call(&backend(), "failing", json!({"how": how}))).unwrap_err();
        assert_eq!(error.fault(), Fault::Us, "{how}");
        assert_eq!(
            error.message(),
            "The answer did not have the form that this tool expects."
        );
        assert!(
            error.detail().is_some() && !format!("{error:?}").contains("secret-value"),
            "{error:?}"
        );
    }
    assert_eq!(
        run(call(&backend(), "failing", json!({"how": "none"}))).unwrap(),
        json!(null)
    );
}
