//! Names → ids: what matches, what is said when nothing does, and what is kept.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::fake::Seen;
use crate::scripted::{HEAD, Scripted, ok, refused};

const FILE: &str = r##"
upstream:
  base: http://localhost
  paging: { all: { kind: page, page: page, size: size, max_size: 2, total: .total, rows: .rows } }
sources:
  project: { get: "/projects/{in}", keep: 5m }
  projects: { get: /projects, pages: all }
  sprints: { get: /sprints, query: { project: $in } }
lookups:
  project: { from: projects, names: [.slug, .name], one: { get: /by_slug, query: { slug: $value }, optional: [404] } }
  status: { noun: story status, from: project, rows: ".statuses[]", names: [.name, .slug] }
  member: { from: project, rows: ".members[]", names: [.full_name], words: { nobody: '0', first: first.id, later: '.[99].id' } }
  story: { one: { get: /by_ref, query: { ref: '$value | ltrimstr("#")', project: $in }, if: '$value | test("^#[0-9]+$")', optional: [404] } }
  sprint: { from: sprints, names: ['"Sprint \(.n)"'] }
tools:
  - name: t
    title: T
    description: D
    effect: read
    input:
      status: { type: string, description: S, lookup: status, within: $args.project }
      project: { type: string, description: P, lookup: project }
      member: { type: string, description: M, lookup: member, within: $args.project, default: nobody }
      story: { type: string, description: S, lookup: story, within: $args.project }
      sprint: { type: string, description: S, lookup: sprint, within: $args.project }
    steps:
      - get: /echo
        query: { project: $args.project, status: $args.status, member: $args.member, story: $args.story, sprint: $args.sprint, said: $given.status }
  - name: change
    title: T
    description: D
    effect: write
    input: { path: { type: string, description: P, required: true } }
    steps: [{ post: "/{path}/9" }]
    no_undo: It is a test.
"##;

fn project() -> Value {
    json!({
        "id": 7,
        "statuses": [
            {"id": 1, "name": "New", "slug": "new"},
            {"id": 2, "name": "In progress", "slug": "in-progress"},
            {"id": 3, "name": "Ready for test", "slug": "ready"},
            {"id": 4, "name": "2026", "slug": "year"},
            {"id": 5, "name": "NEW", "slug": "new-2"},
        ],
        "members": [{"id": 30, "full_name": "Ana Ruiz"}, {"id": 31, "full_name": "Ana Ruiz"}, {"id": 32, "full_name": "Bo"}]
    })
}

fn answer(seen: &Seen) -> crate::scripted::Answer {
    let names = [("Alpha", "a-team"), ("Beta", "beta"), ("Gamma", "7")];
    let rows = |from: usize| -> Vec<Value> {
        names
            .iter()
            .enumerate()
            .skip(from)
            .take(2)
            .map(|(at, (name, slug))| json!({"id": at + 7, "name": name, "slug": slug}))
            .collect()
    };
    match seen.path.as_str() {
        "/projects?page=1&size=2" => ok(json!({"total": 3, "rows": rows(0)})),
        "/projects?page=2&size=2" => ok(json!({"total": 3, "rows": rows(2)})),
        path if path.starts_with("/projects/") => ok(project()),
        "/by_slug?slug=hidden" => ok(json!({"id": 70, "slug": "hidden"})),
        "/by_ref?ref=12&project=7" => ok(json!({"id": 1200})),
        path if path.starts_with("/by_") => refused(404, json!({})),
        "/sprints?project=7" => ok(json!([{"id": 50, "n": 1}, {"id": 51, "n": 2}])),
        path => ok(json!({"query": path.split_once('?').map(|(_, query)| query)})),
    }
}

fn scripted() -> Scripted {
    Scripted::new(&format!("{HEAD}{FILE}"), answer)
}

async fn query(scripted: &Scripted, arguments: Value) -> String {
    scripted.call("t", arguments).await.unwrap()["query"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn names_slugs_words_and_ids_are_taken() {
    let scripted = scripted();
    for (status, id) in [
        ("New", 1),
        ("NEW", 5),
        ("in PROGRESS", 2),
        ("In-Progress!", 2),
        ("ready", 3),
        ("ready_for_test", 3),
        ("2026", 4),
        ("2", 2),
    ] {
        let found = query(&scripted, json!({"project": "Beta", "status": status})).await;
        assert!(found.starts_with(&format!("project=8&status={id}&member=0&said=")), "{status}: {found}");
    }
    assert!(query(&scripted, json!({"project": "a-team", "member": "FIRST"})).await.contains("member=30"));
    assert!(query(&scripted, json!({"project": "hidden"})).await.starts_with("project=70&"), "asked one by one");
    assert!(query(&scripted, json!({"project": "9"})).await.starts_with("project=9&"), "the id of Gamma");
    assert!(query(&scripted, json!({"project": "7"})).await.starts_with("project=7&"), "an id goes before a slug of digits");
    assert!(query(&scripted, json!({"project": 99})).await.starts_with("project=99&"), "a number is not looked up");
    assert!(query(&scripted, json!({"project": "99"})).await.starts_with("project=99&"), "the list is not all there is");
    assert!(query(&scripted, json!({"project": "7", "story": "#12"})).await.contains("story=1200"));
    assert!(query(&scripted, json!({"project": "7", "story": "12"})).await.contains("story=12"), "digits need no question");
    assert!(query(&scripted, json!({"project": "7", "sprint": "sprint 2"})).await.contains("sprint=51"));
    assert!(query(&scripted, json!({"status": "5"})).await.contains("status=5"), "an id needs no project");
}

#[tokio::test]
async fn what_matches_nothing_is_refused_with_what_there_is() {
    let scripted = scripted();
    let mut lines = Vec::new();
    for arguments in [
        json!({"project": "7", "status": "in progres"}),
        json!({"project": "7", "status": "test"}),
        json!({"project": "7", "status": "99"}),
        json!({"project": "7", "status": " "}),
        json!({"project": "7", "status": "x".repeat(501)}),
        json!({"project": "7", "status": "nEw"}),
        json!({"project": "7", "member": "ana ruiz"}),
        json!({"project": "7", "member": "later"}),
        json!({"project": "7", "story": "#13"}),
        json!({"project": "Delta"}),
        json!({"project": "a-taem"}),
        json!({"project": "Gamme"}),
        json!({"status": "New"}),
    ] {
        lines.push(scripted.refusal("t", arguments).await);
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn one_request_serves_everybody_and_is_kept() {
    let scripted = scripted();
    let calls = join_all((0..50).map(|_| scripted.call("t", json!({"project": "Beta", "status": "New", "member": "Bo"})))).await;
    assert!(calls.iter().all(Result::is_ok));
    let count = |line: &str| scripted.lines().iter().filter(|seen| seen.starts_with(line)).count();
    assert_eq!(
        (count("GET /projects/8"), count("GET /projects?page=1"), count("GET /projects?page=2"), count("GET /echo")),
        (1, 1, 1, 50)
    );
    scripted.call("change", json!({"path": "stories"})).await.unwrap();
    query(&scripted, json!({"project": "Beta", "status": "New"})).await;
    assert_eq!(count("GET /projects/8"), 1, "another collection was changed");
    scripted.call("change", json!({"path": "projects"})).await.unwrap();
    query(&scripted, json!({"project": "Beta", "status": "New"})).await;
    assert_eq!((count("GET /projects/8"), count("GET /projects?page=1")), (2, 2), "a write to the same collection empties it");
}

#[tokio::test]
async fn what_is_kept_is_read_again_before_a_name_is_refused() {
    let statuses = Arc::new(Mutex::new(vec![json!({"id": 1, "name": "New"})]));
    let (shared, refuses) = (Arc::clone(&statuses), Arc::new(AtomicBool::new(false)));
    let (refusing, reads) = (Arc::clone(&refuses), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&reads);
    let scripted = Scripted::new(&format!("{HEAD}{FILE}"), move |seen| match seen.path.as_str() {
        "/projects/7" => {
            counted.fetch_add(1, Ordering::SeqCst);
            ok(json!({"statuses": shared.lock().unwrap().clone()}))
        }
        path if path.starts_with("/echo") && refusing.load(Ordering::SeqCst) => refused(403, json!({})),
        path => ok(json!({"query": path})),
    });
    query(&scripted, json!({"project": 7, "status": "New"})).await;
    statuses.lock().unwrap().push(json!({"id": 2, "name": "Done"}));
    assert!(query(&scripted, json!({"project": 7, "status": "Done"})).await.contains("status=2"));
    assert_eq!(reads.load(Ordering::SeqCst), 2);
    assert!(scripted.refusal("t", json!({"project": 7, "status": "Nope"})).await.contains("Done (id 2)"));
    assert_eq!(reads.load(Ordering::SeqCst), 3);
    refuses.store(true, Ordering::SeqCst);
    assert!(scripted.call("t", json!({"project": 7, "status": "New"})).await.is_err());
    refuses.store(false, Ordering::SeqCst);
    query(&scripted, json!({"project": 7, "status": "New"})).await;
    assert_eq!(reads.load(Ordering::SeqCst), 4, "a credential that was refused sees nothing that was kept");
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_grows_old() {
    let scripted = scripted();
    let reads = || scripted.lines().iter().filter(|line| *line == "GET /projects/7").count();
    for (seconds, expected) in [(0, 1), (299, 1), (2, 2)] {
        tokio::time::advance(std::time::Duration::from_secs(seconds)).await;
        query(&scripted, json!({"project": 7, "status": "New"})).await;
        assert_eq!(reads(), expected, "{seconds}");
    }
}

#[tokio::test]
async fn an_id_beyond_the_rows_that_were_looked_at_is_taken_at_its_word() {
    let file = FILE
        .replace("max_size: 2", "max_size: 1000")
        .replace(", one: { get: /by_slug, query: { slug: $value }, optional: [404] }", "");
    for (there, is_cut) in [(1_000, false), (1_001, true)] {
        let rows: Vec<Value> =
            (1..=there).map(|id| json!({"id": id, "slug": format!("p{id}"), "name": format!("P {id}")})).collect();
        let scripted = Scripted::new(&format!("{HEAD}{file}"), move |seen| match seen.path.as_str() {
            "/projects?page=1&size=1000" => ok(json!({"total": there, "rows": rows[..1_000]})),
            "/projects?page=2&size=1000" => ok(json!({"total": there, "rows": rows[1_000..]})),
            path => ok(json!({"query": path.split_once('?').map(|(_, query)| query)})),
        });
        assert!(query(&scripted, json!({"project": "P 1000"})).await.starts_with("project=1000&"));
        let beyond = scripted.call("t", json!({"project": "1001"})).await;
        assert_eq!(beyond.is_ok(), is_cut, "{beyond:?}");
        let refusal = scripted.refusal("t", json!({"project": "P 1001"})).await;
        assert_eq!(refusal.contains("Only the first 1000 were looked at: pass the id."), is_cut, "{refusal}");
    }
}

#[tokio::test]
async fn a_list_that_is_read_at_once_is_looked_at_to_its_limit() {
    for (there, is_cut) in [(5_000, false), (5_001, true), (6_000, true)] {
        let rows: Vec<Value> = (1..=there).map(|n| json!({"id": n, "n": n})).collect();
        let scripted = Scripted::new(&format!("{HEAD}{FILE}"), move |seen| match seen.path.as_str() {
            "/sprints?project=7" => ok(json!(rows)),
            path => ok(json!({"query": path.split_once('?').map(|(_, query)| query)})),
        });
        assert!(query(&scripted, json!({"project": 7, "sprint": "sprint 5000"})).await.contains("sprint=5000"));
        let refusal = scripted.refusal("t", json!({"project": 7, "sprint": "sprint 9000"})).await;
        assert!(refusal.contains("there is no sprint called \"sprint 9000\""), "{refusal}");
        assert_eq!(refusal.contains("Only the first 5000 were looked at: pass the id."), is_cut, "{refusal}");
    }
}
