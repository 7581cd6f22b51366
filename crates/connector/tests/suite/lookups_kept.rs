//! What lookups keep of the rows that they read: for how long, and for whom.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::lookups::{FILE, query, scripted};
use crate::scripted::{HEAD, Scripted, ok, refused};

/// Projects that a test changes, in a file whose lookup asks about one too.
fn changing() -> (Scripted, Arc<Mutex<Vec<Value>>>) {
    let rows = Arc::new(Mutex::new(vec![
        json!({"id": 1, "name": "alpha", "slug": "a"}),
    ]));
    let shared = Arc::clone(&rows);
    let scripted = Scripted::new(&format!("{HEAD}{FILE}"), move |seen| {
        match seen.path.as_str() {
            "/projects?page=1&size=2" => {
                let rows = shared.lock().unwrap().clone();
                ok(json!({"total": rows.len(), "rows": rows}))
            }
            path if path.starts_with("/by_") => refused(404, json!({})),
            path => ok(json!({"query": path.split_once('?').map(|(_, query)| query)})),
        }
    });
    (scripted, rows)
}

/// How often the projects were read.
fn reads(scripted: &Scripted) -> usize {
    let lines = scripted.lines();
    let is_read = |line: &&String| line.starts_with("GET /projects?");
    lines.iter().filter(is_read).count()
}

#[tokio::test]
async fn what_was_made_or_renamed_meanwhile_is_found_by_lookups_that_ask_about_one_too() {
    let (scripted, rows) = changing();
    assert!(
        query(&scripted, json!({"project": "alpha"}))
            .await
            .starts_with("project=1&")
    );
    rows.lock()
        .unwrap()
        .push(json!({"id": 2, "name": "2026", "slug": "b"}));
    assert!(
        query(&scripted, json!({"project": "2026"}))
            .await
            .starts_with("project=2&"),
        "a name of digits, too"
    );
    rows.lock().unwrap()[0]["name"] = json!("renamed");
    assert!(
        query(&scripted, json!({"project": "renamed"}))
            .await
            .starts_with("project=1&")
    );
    assert_eq!(reads(&scripted), 3);
    // a wrong name costs the list once more, and an id that the list need not have costs that once
    assert!(
        scripted
            .refusal("t", json!({"project": "wrong"}))
            .await
            .contains("there is no project called")
    );
    assert_eq!(reads(&scripted), 4);
    for _ in 0..5 {
        assert!(
            query(&scripted, json!({"project": "77"}))
                .await
                .starts_with("project=77&")
        );
    }
    assert_eq!(reads(&scripted), 5);
    let nowhere = || json!({"project": "nowhere"}).as_object().unwrap().clone();
    let at_once: Vec<_> = (0..50)
        .map(|_| scripted.backend.call("t", nowhere()))
        .collect();
    assert!(join_all(at_once).await.iter().all(Result::is_err));
    assert_eq!(
        reads(&scripted),
        6,
        "fifty calls that began before it was read share what was read"
    );
}

/// A name that another has in other capitals is not that other's, when there is one of its own.
#[tokio::test]
async fn a_name_in_other_capitals_is_looked_for_once_more() {
    let (scripted, rows) = changing();
    assert!(
        query(&scripted, json!({"project": "a"}))
            .await
            .starts_with("project=1&")
    );
    rows.lock()
        .unwrap()
        .push(json!({"id": 2, "name": "ALPHA", "slug": "b"}));
    assert!(
        query(&scripted, json!({"project": "ALPHA"}))
            .await
            .starts_with("project=2&")
    );
    assert!(
        scripted
            .refusal("t", json!({"project": "Alpha"}))
            .await
            .contains("more than one project is called")
    );
    rows.lock().unwrap().pop();
    for _ in 0..5 {
        assert!(
            query(&scripted, json!({"project": "Alpha"}))
                .await
                .starts_with("project=1&")
        );
    }
    assert_eq!(
        reads(&scripted),
        4,
        "what is merely alike costs the list once more, once"
    );
}

#[tokio::test]
async fn one_request_serves_everybody_and_is_kept() {
    let scripted = scripted();
    let calls = join_all((0..50).map(|_| {
        scripted.call(
            "t",
            json!({"project": "Beta", "status": "New", "member": "Bo"}),
        )
    }))
    .await;
    assert!(calls.iter().all(Result::is_ok));
    let count = |line: &str| {
        scripted
            .lines()
            .iter()
            .filter(|seen| seen.starts_with(line))
            .count()
    };
    assert_eq!(
        (
            count("GET /projects/8"),
            count("GET /projects?page=1"),
            count("GET /projects?page=2"),
            count("GET /echo")
        ),
        (1, 1, 1, 50)
    );
    scripted
        .call("change", json!({"path": "stories"}))
        .await
        .unwrap();
    query(&scripted, json!({"project": "Beta", "status": "New"})).await;
    assert_eq!(
        count("GET /projects/8"),
        1,
        "another collection was changed"
    );
    scripted
        .call("change", json!({"path": "projects"}))
        .await
        .unwrap();
    query(&scripted, json!({"project": "Beta", "status": "New"})).await;
    assert_eq!(
        (count("GET /projects/8"), count("GET /projects?page=1")),
        (2, 2),
        "a write to the same collection empties it"
    );
}

#[tokio::test]
async fn what_is_kept_is_read_again_before_a_name_is_refused() {
    let statuses = Arc::new(Mutex::new(vec![json!({"id": 1, "name": "New"})]));
    let (shared, refuses) = (Arc::clone(&statuses), Arc::new(AtomicBool::new(false)));
    let (refusing, reads) = (Arc::clone(&refuses), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&reads);
    let scripted = Scripted::new(&format!("{HEAD}{FILE}"), move |seen| {
        match seen.path.as_str() {
            "/projects/7" => {
                counted.fetch_add(1, Ordering::SeqCst);
                ok(json!({"statuses": shared.lock().unwrap().clone()}))
            }
            path if path.starts_with("/echo") && refusing.load(Ordering::SeqCst) => {
                refused(403, json!({}))
            }
            path => ok(json!({"query": path})),
        }
    });
    query(&scripted, json!({"project": 7, "status": "New"})).await;
    statuses
        .lock()
        .unwrap()
        .push(json!({"id": 2, "name": "Done"}));
    assert!(
        query(&scripted, json!({"project": 7, "status": "Done"}))
            .await
            .contains("status=2")
    );
    assert_eq!(reads.load(Ordering::SeqCst), 2);
    assert!(
        scripted
            .refusal("t", json!({"project": 7, "status": "Nope"}))
            .await
            .contains("Done (id 2)")
    );
    assert_eq!(reads.load(Ordering::SeqCst), 3);
    refuses.store(true, Ordering::SeqCst);
    assert!(
        scripted
            .call("t", json!({"project": 7, "status": "New"}))
            .await
            .is_err()
    );
    refuses.store(false, Ordering::SeqCst);
    query(&scripted, json!({"project": 7, "status": "New"})).await;
    assert_eq!(
        reads.load(Ordering::SeqCst),
        4,
        "a credential that was refused sees nothing that was kept"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_grows_old() {
    let scripted = scripted();
    let reads = || {
        scripted
            .lines()
            .iter()
            .filter(|line| *line == "GET /projects/7")
            .count()
    };
    for (seconds, expected) in [(0, 1), (299, 1), (2, 2)] {
        tokio::time::advance(std::time::Duration::from_secs(seconds)).await;
        query(&scripted, json!({"project": 7, "status": "New"})).await;
        assert_eq!(reads(), expected, "{seconds}");
    }
}
