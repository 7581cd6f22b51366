//! Measures lists of a tool with steps: rows kept as they are, by a shape of paths, by a shape with
//! a jq field, and by jq alone. `cargo bench -p footbridge-connector --bench rows` prints medians;
//! nothing here can fail a build.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a measuring program prints its figures and may fail loudly"
)]

use std::convert::Infallible;
use std::time::{Duration, Instant};

use bytes::Bytes;
use footbridge_connector::{FILTER_STACK_BYTES, InProcess, compile};
use http_body_util::Full;
use serde_json::{Map, json};

const ROUNDS: usize = 500;

const FILE: &str = r#"
format: 1
connector: x
title: X
instructions: X.
upstream: { base: http://localhost, paging: { pages: { kind: page, page: page, size: size, total: '$headers["x-total"] | tonumber?' } } }
shapes:
  paths: { id: integer, ref: integer, subject: { type: string, text: true }, project: integer, user_story: integer, status: { type: string, from: .status_extra_info.name }, assigned_to: { type: string, from: .assigned_to_extra_info.full_name_display }, due_date: string, modified_date: string, version: integer }
  glued: { id: integer, ref: integer, subject: { type: string, text: true }, project: integer, user_story: integer, status: { type: string, from: .status_extra_info.name }, tags: { type: array, from: "[.tags[]? | .[0]]" }, version: integer }
tools:
  - { name: one, title: T, description: D, effect: read, output: paths, steps: [{ get: /one }] }
  - { name: paths, title: T, description: D, effect: read, output: paths, steps: [{ get: /rows, pages: pages, row: paths }] }
  - { name: glued, title: T, description: D, effect: read, output: glued, steps: [{ get: /rows, pages: pages, row: glued }] }
  - { name: filtered, title: T, description: D, effect: read, steps: [{ get: /rows, pages: pages, row: '{id, ref, subject, project, user_story, status: .status_extra_info.name, version}' }] }
"#;

fn main() {
    let row = |n: usize| {
        json!({"id": n, "ref": n, "subject": format!("Task number {n}"), "project": 7, "user_story": 5, "status": 3,
            "status_extra_info": {"name": "In progress", "color": "#999999", "is_closed": false},
            "assigned_to": 9, "assigned_to_extra_info": {"username": "ana", "full_name_display": "Ana Ruiz", "photo": null, "gravatar_id": "0123456789abcdef"},
            "tags": [["backend", null], ["urgent", "#ff0000"]], "due_date": "2026-12-01", "modified_date": "2026-11-21T09:00:00.000Z", "version": 4,
            "description_html": "<p>What is to be done.</p>".repeat(70), "neighbors": {"previous": {"id": 1}, "next": {"id": 2}}})
    };
    let page = json!((0..50).map(row).collect::<Vec<_>>()).to_string();
    println!("a page of 50 rows has {} bytes", page.len());
    let (page, one) = (Bytes::from(page), Bytes::from(row(1).to_string()));
    let service = tower::service_fn(move |request: http::Request<Full<Bytes>>| {
        let body = if request.uri().path() == "/rows" {
            page.clone()
        } else {
            one.clone()
        };
        let mut response = http::Response::new(Full::new(body));
        response
            .headers_mut()
            .insert("x-total", http::HeaderValue::from_static("50"));
        async move { Ok::<_, Infallible>(response) }
    });
    let connector = compile("x.yaml", FILE).unwrap();
    let backend = connector.connect(
        connector.settings(&|_| None).unwrap(),
        InProcess::new(service),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_stack_size(FILTER_STACK_BYTES)
        .enable_all()
        .build()
        .unwrap();
    for tool in ["one", "paths", "glued", "filtered"] {
        let mut times: Vec<Duration> = (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                runtime.block_on(backend.call(tool, Map::new())).unwrap();
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("{tool}: {:?}", times[times.len() / 2]);
    }
}
