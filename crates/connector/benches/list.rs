//! Measures the engine alone: compiling the board, and calls over a service that answers ready-made
//! bytes. `cargo bench -p footbridge-connector` prints medians; nothing here can fail a build.
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
use footbridge_connector::{InProcess, compile};
use http_body_util::Full;
use serde_json::{Map, json};

const ROUNDS: usize = 3000;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() {
    let file = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../connectors/prodmcp.yaml"
    ))
    .unwrap();
    let compiled = (0..20).map(|_| {
        let start = Instant::now();
        compile("board.yaml", &file).unwrap();
        start.elapsed()
    });
    println!("compile board.yaml: {:?}", median(compiled.collect()));

    let row = |n: usize| {
        json!({"id": format!("0192f0c0-0000-7000-8000-{n:012}"), "type": "card", "status": "active", "owned_by": "0192f0c0-0000-7000-8000-000000000000",
            "created_by": "0192f0c0-0000-7000-8000-000000000000", "updated_by": "0192f0c0-0000-7000-8000-000000000000", "is_archived": false,
            "is_deleted": false, "created_at": "2026-11-21T09:00:00.000Z", "updated_at": "2026-11-21T09:00:00.000Z",
            "data": {"title": format!("Card number {n}"), "description": "What is to be done. ".repeat(10), "status": "todo", "position": n,
                "priority": "high", "tags": ["one", "two"], "assignee": "ana", "board_id": "0192f0c0-0000-7000-8000-000000000001"}})
    };
    let page = json!({"data": (0..200).map(row).collect::<Vec<_>>(), "meta": {"count": 200, "has_more": true}}).to_string();
    println!("a page of 200 cards has {} bytes", page.len());
    let (page, one) = (Bytes::from(page), Bytes::from(row(1).to_string()));
    let service = tower::service_fn(move |request: http::Request<Full<Bytes>>| {
        let body = if request.uri().path().ends_with("/card") {
            page.clone()
        } else {
            one.clone()
        };
        async move { Ok::<_, Infallible>(http::Response::new(Full::new(body))) }
    });
    let connector = compile("board.yaml", &file).unwrap();
    let backend = connector.connect(
        connector.settings(&|_| None).unwrap(),
        InProcess::new(service),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (tool, arguments) in [
        (
            "card_list",
            json!({"filter": {"board_id": "x", "status": "todo"}, "limit": 200}),
        ),
        ("card_get", json!({"id": "1"})),
    ] {
        let arguments: Map<_, _> = arguments.as_object().unwrap().clone();
        let times = (0..ROUNDS).map(|_| {
            let start = Instant::now();
            runtime
                .block_on(backend.call(tool, arguments.clone()))
                .unwrap();
            start.elapsed()
        });
        println!("{tool}: {:?}", median(times.collect()));
    }
}
