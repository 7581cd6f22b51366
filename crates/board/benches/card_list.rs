//! Measures lists, searches and writes with 100,000 cards stored, through the board's service in
//! process. Prints medians; no harness.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement fails loudly and prints"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::Body;
use footbridge_board::{Board, BoardService, Models};
use footbridge_store::{AccountId, Store};
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

#[path = "../tests/it/production_board.rs"]
mod production_board;

const BOARDS: usize = 10;
const STATUSES: [&str; 5] = ["backlog", "todo", "doing", "review", "done"];
const CARDS: usize = 100_000;
const ROUNDS: usize = 101;

#[tokio::main]
async fn main() {
    // Stored in memory where that is possible: the cards are made one by one, each with its own
    // commit.
    let memory = Path::new("/dev/shm");
    let directory = if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    };
    let store = timed("first open", Store::open(directory.path()))
        .await
        .unwrap();
    store.close().await;
    let store = timed("open again", Store::open(directory.path()))
        .await
        .unwrap();
    let models = Models::new(production_board::production_board()).unwrap();
    measure_writes(&models).await;
    let board = Board::new(store, models);
    let service = board.service_for(AccountId::local());

    let started = Instant::now();
    let mut boards = Vec::new();
    for number in 0..BOARDS {
        let made = call(
            &service,
            "POST",
            "/xapi2/data/board",
            Some(json!({ "name": format!("Board {number}") })),
        )
        .await;
        boards.push(made["id"].as_str().unwrap().to_owned());
    }
    for number in 0..CARDS {
        let card = json!({
            "title": format!("Card {number}: a title of the usual length"),
            "description": "What is to be done here, in two sentences. The second one says why it matters to the team.",
            "status": STATUSES[number / BOARDS % STATUSES.len()],
            "position": (number * 7919 % CARDS) as f64,
            "priority": if number % 5000 == 1 { "low" } else { "high" },
            "tags": ["backend", if number % 5000 == 2 { "few" } else { "urgent" }],
            "assignee": if number % 5000 == 3 { "anna" } else { "" },
            "due_date": format!("2026-{:03}", number % 365),
            "board_id": boards[number % BOARDS],
        });
        call(&service, "POST", "/xapi2/data/card", Some(card)).await;
    }
    println!(
        "{CARDS} cards made in {:.1} s",
        started.elapsed().as_secs_f64()
    );

    let board = &boards[3];
    let by_status = format!("/xapi2/data/card?limit=200&data__board_id={board}&data__status=doing");
    let page = call(&service, "GET", &by_status, None).await;
    assert_eq!(page["meta"], json!({ "count": 200, "has_more": true }));
    let last = page["data"][199]["id"].as_str().unwrap();
    measure(&service, "by board and status", &by_status).await;
    measure(
        &service,
        "the page after",
        &format!("{by_status}&after={last}"),
    )
    .await;
    measure(
        &service,
        "by board, status, newest first",
        &format!("{by_status}&sort=-created_at"),
    )
    .await;
    measure(
        &service,
        "by board, status and tag",
        &format!("{by_status}&tags=urgent"),
    )
    .await;
    measure(
        &service,
        "by board and two statuses",
        &format!("{by_status}&data__status=todo"),
    )
    .await;
    measure(
        &service,
        "by board",
        &format!("/xapi2/data/card?limit=200&data__board_id={board}"),
    )
    .await;
    measure(&service, "all, by position", "/xapi2/data/card?limit=200").await;
    measure(
        &service,
        "all, by creation",
        "/xapi2/data/card?limit=200&sort=created_at",
    )
    .await;
    measure(
        &service,
        "all, by priority",
        "/xapi2/data/card?limit=200&sort=-data__priority",
    )
    .await;
    measure(
        &service,
        "all, search",
        "/xapi2/data/card?limit=200&q=99999",
    )
    .await;
    measure_single(&service).await;
    measure_searches(&service).await;
    let card = format!("/xapi2/data/card/{last}");
    let alone = measure(&service, "one card", &card).await;
    for (what, q) in [
        ("three characters", "99999"),
        ("two characters that are nowhere", "zq"),
    ] {
        measure_beside(&service, &card, what, q, alone).await;
    }
}

/// Every sort and every single filter, the first page of 50 and the last.
async fn measure_single(service: &BoardService) {
    let sorts = [
        "created_at",
        "updated_at",
        "data__position",
        "data__status",
        "data__priority",
        "data__due_date",
    ];
    let sorts = sorts
        .iter()
        .flat_map(|sort| [format!("sort={sort}"), format!("sort=-{sort}")]);
    let filters = [
        "status=doing",
        "status=nowhere",
        "assignee=anna",
        "assignee=",
        "priority=low",
        "tags=few",
        "tags=backend",
        "is_archived=true",
    ];
    for query in sorts.chain(filters.iter().map(|filter| (*filter).to_owned())) {
        let path = format!("/xapi2/data/card?limit=50&{query}");
        measure(service, &format!("50 by {query}"), &path).await;
        // The last page begins where the list read backwards ends.
        let backwards = match query.strip_prefix("sort=") {
            Some(sort) => format!(
                "sort={}",
                sort.strip_prefix('-')
                    .map_or_else(|| format!("-{sort}"), str::to_owned)
            ),
            None => format!("{query}&sort=-data__position"),
        };
        let end = call(
            service,
            "GET",
            &format!("/xapi2/data/card?limit=50&{backwards}"),
            None,
        )
        .await;
        if let Some(row) = end["data"].as_array().unwrap().last() {
            let id = row["id"].as_str().unwrap();
            measure(
                service,
                &format!("50 by {query}, last page"),
                &format!("{path}&after={id}"),
            )
            .await;
        }
    }
}

async fn measure_searches(service: &BoardService) {
    for (what, q) in [
        ("one hit", "99999"),
        ("no hit", "xyzzy"),
        ("hits everywhere", "usual"),
        ("two characters, hits everywhere", "ti"),
        ("two characters, no hit", "zq"),
    ] {
        measure(
            service,
            &format!("50 by a search, {what}"),
            &format!("/xapi2/data/card?limit=50&q={q}"),
        )
        .await;
    }
}

/// One card, read while fifty search.
async fn measure_beside(service: &BoardService, card: &str, what: &str, q: &str, alone: Duration) {
    let mut searches = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (service, path) = (service.clone(), format!("/xapi2/data/card?q={q}"));
        searches.spawn(async move {
            loop {
                let request = Request::get(&path).body(Body::empty()).unwrap();
                service.clone().oneshot(request).await.unwrap();
            }
        });
    }
    let beside = measure(
        service,
        &format!("one card beside fifty searches, {what}"),
        card,
    )
    .await;
    searches.shutdown().await;
    println!(
        "one card beside fifty searches, {what}: {:.1} × alone",
        beside.as_secs_f64() / alone.as_secs_f64()
    );
}

/// What a create costs where it must reach a disk before it is answered.
async fn measure_writes(models: &Models) {
    let directory = tempfile::tempdir().unwrap();
    let board = Board::new(Store::open(directory.path()).await.unwrap(), models.clone());
    let service = board.service_for(AccountId::local());
    let mut times: Vec<Duration> = Vec::with_capacity(ROUNDS);
    for number in 0..ROUNDS {
        let started = Instant::now();
        call(
            &service,
            "POST",
            "/xapi2/data/card",
            Some(json!({ "title": format!("Card {number}") })),
        )
        .await;
        times.push(started.elapsed());
    }
    print_median("a create, flushed to disk", times);
}

async fn timed<T>(what: &str, future: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let value = future.await;
    println!("{what}: {:.2} ms", started.elapsed().as_secs_f64() * 1000.0);
    value
}

async fn measure(service: &BoardService, what: &str, path: &str) -> Duration {
    let mut times: Vec<Duration> = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        times.push(started.elapsed());
        assert!(bytes.len() > 20);
    }
    print_median(what, times)
}

fn print_median(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{what}: median {:.3} ms, 95th {:.3} ms",
        milliseconds(times[ROUNDS / 2]),
        milliseconds(times[ROUNDS * 95 / 100])
    );
    times[ROUNDS / 2]
}

async fn call(service: &BoardService, method: &str, path: &str, body: Option<Value>) -> Value {
    let request = Request::builder().method(method).uri(path);
    let request = request
        .header("content-type", "application/json")
        .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
        .unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    assert!(
        response.status().is_success(),
        "{method} {path}: {}",
        response.status()
    );
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}
