//! Waiting: throttled requests, reads that are sent again, and reads that are repeated until
//! something is done.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use footbridge_connector::{Options, Progress};
use serde_json::json;
use tokio::time::Instant;

use crate::scripted::{HEAD, Scripted, ok, refused};

const FILE: &str = r#"
upstream:
  base: http://localhost
  error: [.message?]
  throttle: { wait: '$headers["x-wait"] // .wait', longest: 20s }
tools:
  - { name: read, title: T, description: D, effect: read, steps: [{ get: /x }] }
  - { name: write, title: T, description: D, effect: write, steps: [{ post: /x }], no_undo: It is a test. }
  - name: wait
    title: T
    description: D
    effect: read
    steps:
      - get: /run
        until: .status == "done"
        every: 2s
        up_to: 5m
        progress: '{done: .n, total: 9, message: .status}'
"#;

fn file() -> String {
    format!("{HEAD}{FILE}")
}

/// Refuses the first `times` requests.
fn busy(
    times: usize,
    status: u16,
    header: Option<(&'static str, &'static str)>,
    wait: serde_json::Value,
) -> Scripted {
    let count = AtomicUsize::new(0);
    Scripted::new(&file(), move |_| {
        if count.fetch_add(1, Ordering::SeqCst) >= times {
            return ok(json!({"n": 1}));
        }
        let answer = refused(status, json!({"message": "busy", "wait": wait}));
        header
            .into_iter()
            .fold(answer, |answer, (name, value)| answer.with(name, value))
    })
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_waits_as_long_as_it_is_told() {
    for (header, wait, seconds) in [
        (Some(("retry-after", "7")), json!(3), 7),
        (Some(("x-wait", "6")), json!(3), 6),
        (None, json!(3), 3),
        (Some(("retry-after", "soon")), json!(2), 2),
    ] {
        for tool in ["read", "write"] {
            let scripted = busy(1, 429, header, wait.clone());
            let started = Instant::now();
            assert_eq!(
                scripted.call(tool, json!({})).await.unwrap()["n"],
                1,
                "a throttled request was not carried out"
            );
            assert_eq!(started.elapsed().as_secs(), seconds);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_has_a_limit_on_both_sides() {
    for (wait, good) in [("20", true), ("21", false)] {
        let scripted = busy(1, 429, Some(("retry-after", wait)), json!(null));
        let result = scripted.call("read", json!({})).await;
        assert_eq!(result.is_ok(), good);
        if let Err(error) = result {
            assert!(
                error.message().contains("Call again in 21 s.") && error.retry_is_safe(),
                "{error}"
            );
        }
    }
    let scripted = busy(9, 429, Some(("retry-after", "8")), json!(null));
    assert!(
        scripted
            .refusal("read", json!({}))
            .await
            .contains("Call again in 8 s."),
        "all waits of a request have one limit"
    );
    assert_eq!(scripted.lines().len(), 3);
    let silent = busy(1, 429, None, json!(null));
    assert!(
        silent
            .refusal("read", json!({}))
            .await
            .contains("Wait a moment")
    );
}

#[tokio::test(start_paused = true)]
async fn a_date_is_waited_for_and_a_403_that_says_how_long_is_a_wait() {
    const NOW: &str = "Wed, 21 Oct 2026 07:28:00 GMT";
    const SOON: &str = "Wed, 21 Oct 2026 07:28:09 GMT";
    for (status, header, seconds) in [
        (429, SOON, 9),
        (403, SOON, 9),
        (403, "9", 9),
        (429, NOW, 0),
        (403, "1792567689", 9),
    ] {
        for tool in ["read", "write"] {
            let count = AtomicUsize::new(0);
            let scripted = Scripted::new(&file(), move |_| {
                match count.fetch_add(1, Ordering::SeqCst) {
                    0 => refused(status, json!({"message": "busy"}))
                        .with("date", NOW)
                        .with("retry-after", header),
                    _ => ok(json!({"n": 1})),
                }
            });
            let started = Instant::now();
            assert_eq!(
                scripted.call(tool, json!({})).await.unwrap()["n"],
                1,
                "{status} {header}"
            );
            assert_eq!(started.elapsed().as_secs(), seconds, "{status} {header}");
        }
    }
    let forbidden = busy(1, 403, Some(("x-wait", "1")), json!(1));
    assert!(
        forbidden
            .refusal("read", json!({}))
            .await
            .contains("answered 403")
            && forbidden.lines().len() == 1
    );
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_is_far_is_told_as_a_time() {
    let (now, reset) = ("Wed, 21 Oct 2026 07:28:00 GMT", 1_792_567_680_u64);
    for (name, value) in [
        ("retry-after", (reset + 3600).to_string()),
        ("x-wait", ((reset + 3600) * 1000).to_string()),
    ] {
        let scripted = Scripted::new(&file(), move |_| {
            refused(429, json!({}))
                .with("date", now)
                .with(name, value.clone())
        });
        let said = scripted.refusal("read", json!({})).await;
        assert!(
            said.contains("Call again after 20") && said.contains("(in 60 min)."),
            "{said}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn reads_are_sent_again_and_writes_never() {
    for status in [502, 503, 504] {
        assert!(
            busy(2, status, None, json!(null))
                .call("read", json!({}))
                .await
                .is_ok(),
            "{status}"
        );
        let gone = busy(3, status, None, json!(null));
        assert!(gone.call("read", json!({})).await.is_err() && gone.lines().len() == 3);
        let write = busy(1, status, None, json!(null));
        assert!(
            write
                .refusal("write", json!({}))
                .await
                .contains("is not known")
        );
        assert_eq!(write.lines().len(), 1, "{status}");
    }
    let wrong = busy(1, 500, None, json!(null));
    assert!(
        wrong.call("read", json!({})).await.is_err() && wrong.lines().len() == 1,
        "500 does not pass by itself"
    );
}

fn running(done_at: usize) -> Scripted {
    let count = AtomicUsize::new(0);
    Scripted::new(&file(), move |_| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        ok(json!({"n": n, "status": if n >= done_at { "done" } else { "running" }}))
    })
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_until_it_is_done_and_progress_is_told() {
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let noted = Arc::clone(&told);
    let options = || {
        let noted = Arc::clone(&noted);
        let progress: footbridge_connector::OnProgress =
            Arc::new(move |progress| noted.lock().unwrap().push(progress));
        Options {
            progress: Some(progress),
            ..Options::default()
        }
    };
    let scripted = running(3);
    let started = Instant::now();
    let outcome = scripted
        .backend
        .call_with("wait", serde_json::Map::new(), options())
        .await
        .unwrap();
    assert_eq!(
        (outcome.json.as_str(), started.elapsed()),
        (r#"{"n":3,"status":"done"}"#, Duration::from_secs(6))
    );
    assert_eq!(told.lock().unwrap().len(), 4);
    assert_eq!(
        told.lock().unwrap()[1],
        Progress {
            done: 1.0,
            total: Some(9.0),
            message: Some("running".into())
        }
    );
    for (done_at, good) in [(150, true), (151, false)] {
        let result = running(done_at)
            .backend
            .call_with("wait", serde_json::Map::new(), options())
            .await;
        assert_eq!(
            result.is_ok(),
            good,
            "{done_at} repetitions of 2 s in 5 min"
        );
    }
    // without anybody who is told, a call does not wait for minutes
    for (done_at, good) in [(25, true), (26, false)] {
        let result = running(done_at).call("wait", json!({})).await;
        assert_eq!(result.is_ok(), good);
        if let Err(error) = result {
            assert!(error.message().contains("it goes on there"), "{error}");
        }
    }
}
