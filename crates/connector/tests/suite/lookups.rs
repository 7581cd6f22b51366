//! Names → ids: what matches, what is said when nothing does, and what is kept.

use serde_json::{Value, json};

use crate::fake::Seen;
use crate::scripted::{HEAD, Scripted, ok, refused};

pub(crate) const FILE: &str = r##"
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
  shelf: { from: projects, names: [.slug, .name] }
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
      shelf: { type: string, description: S, lookup: shelf }
    steps:
      - get: /echo
        query: { project: $args.project, status: $args.status, member: $args.member, story: $args.story, sprint: $args.sprint, shelf: $args.shelf, said: $given.status }
  - name: change
    title: T
    description: D
    effect: write
    input: { path: { type: string, description: P, required: true } }
    steps: [{ post: "/{path}/9" }]
    no_undo: It is a test.
  - name: put
    title: T
    description: D
    effect: write
    input: { project: { type: string, description: P, lookup: project }, shelf: { type: string, description: S, lookup: shelf } }
    steps: [{ put: /echo, body: { project: $args.project, shelf: $args.shelf } }]
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

pub(crate) fn scripted() -> Scripted {
    Scripted::new(&format!("{HEAD}{FILE}"), answer)
}

pub(crate) async fn query(scripted: &Scripted, arguments: Value) -> String {
    scripted.call("t", arguments).await.unwrap()["query"]
        .as_str()
        .unwrap()
        .to_owned()
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
        assert!(
            found.starts_with(&format!("project=8&status={id}&member=0&said=")),
            "{status}: {found}"
        );
    }
    assert!(
        query(&scripted, json!({"project": "a-team", "member": "FIRST"}))
            .await
            .contains("member=30")
    );
    assert!(
        query(&scripted, json!({"project": "hidden"}))
            .await
            .starts_with("project=70&"),
        "asked one by one"
    );
    assert!(
        query(&scripted, json!({"project": "9"}))
            .await
            .starts_with("project=9&"),
        "the id of Gamma"
    );
    assert!(
        query(&scripted, json!({"project": "7"}))
            .await
            .starts_with("project=9&"),
        "a text is a name first"
    );
    assert!(
        query(&scripted, json!({"project": "id:7"}))
            .await
            .starts_with("project=7&"),
        "unless it says that it is an id"
    );
    assert!(
        query(&scripted, json!({"project": 7}))
            .await
            .starts_with("project=7&"),
        "and a number is an id"
    );
    assert!(
        query(&scripted, json!({"project": 99}))
            .await
            .starts_with("project=99&"),
        "a number is not looked up"
    );
    assert!(
        query(&scripted, json!({"project": "99"}))
            .await
            .starts_with("project=99&"),
        "the list is not all there is"
    );
    assert!(
        query(&scripted, json!({"project": 7, "story": "#12"}))
            .await
            .contains("story=1200")
    );
    assert!(
        query(&scripted, json!({"project": 7, "story": "12"}))
            .await
            .contains("story=12"),
        "digits need no question"
    );
    assert!(
        query(&scripted, json!({"project": 7, "sprint": "sprint 2"}))
            .await
            .contains("sprint=51")
    );
    assert!(
        query(&scripted, json!({"status": "5"}))
            .await
            .contains("status=5"),
        "an id needs no project"
    );
}

#[tokio::test]
async fn what_matches_nothing_is_refused_with_what_there_is() {
    let scripted = scripted();
    let mut lines = Vec::new();
    for arguments in [
        json!({"project": 7, "status": "in progres"}),
        json!({"project": 7, "status": "test"}),
        json!({"project": 7, "status": "99"}),
        json!({"project": 7, "status": " "}),
        json!({"project": 7, "status": "x".repeat(501)}),
        json!({"project": 7, "status": "nEw"}),
        json!({"project": 7, "member": "ana ruiz"}),
        json!({"project": 7, "member": "later"}),
        json!({"project": 7, "story": "#13"}),
        json!({"project": "Delta"}),
        json!({"project": "a-taem"}),
        json!({"project": "Gamme"}),
        json!({"status": "New"}),
    ] {
        lines.push(scripted.refusal("t", arguments).await);
    }
    insta::assert_snapshot!(lines.join("\n"));
}

/// The name of one thing and the id of another: a read says which it took, a change is refused with
/// both.
#[tokio::test]
async fn a_name_that_is_an_id_too_is_told_where_it_is_read_and_refused_where_it_writes() {
    let scripted = scripted();
    let read = scripted.call("t", json!({"project": "7"})).await.unwrap();
    assert_eq!(
        read["taken"],
        json!({"project": "the project called \"7\", whose id is 9; not the one whose id is 7"})
    );
    let read = scripted
        .call("t", json!({"project": "Beta", "status": "2026"}))
        .await
        .unwrap();
    assert_eq!(
        read["taken"],
        json!({"status": "the story status called \"2026\", whose id is 4"})
    );
    for plain in [
        json!("8"),
        json!("beta"),
        json!(7),
        json!("id:7"),
        json!("9"),
    ] {
        let read = scripted.call("t", json!({"project": plain})).await.unwrap();
        assert_eq!(read.get("taken"), None, "{plain}");
    }
    let before = scripted.lines().len();
    for argument in ["project", "shelf"] {
        let refusal = scripted.refusal("put", json!({(argument): "7"})).await;
        assert!(
            refusal.contains("\"7\" is the name of one") && refusal.contains("7 (id 9)"),
            "{refusal}"
        );
        assert!(
            refusal.contains("a-team (id 7)")
                && refusal.contains("\"id:9\"")
                && refusal.contains("\"id:7\""),
            "{refusal}"
        );
    }
    assert!(
        scripted
            .lines()
            .iter()
            .skip(before)
            .all(|line| !line.starts_with("PUT")),
        "nothing was changed"
    );
    for (given, id) in [
        (json!(7), 7),
        (json!("id:7"), 7),
        (json!("id:9"), 9),
        (json!(9), 9),
        (json!("Gamma"), 9),
    ] {
        scripted
            .call("put", json!({"project": given, "shelf": given}))
            .await
            .unwrap();
        assert_eq!(
            scripted.seen().pop().unwrap().body,
            json!({"project": id, "shelf": id}),
            "{given}"
        );
    }
    for unknown in ["id:4", "id:Alpha", "id:"] {
        let refusal = scripted.refusal("put", json!({"shelf": unknown})).await;
        assert!(refusal.contains("there is no shelf called"), "{refusal}");
    }
}

/// Names that differ in capitals alone: the one that is written so, else none of them.
#[tokio::test]
async fn capitals_decide_where_they_can() {
    let scripted = scripted();
    assert!(
        query(&scripted, json!({"project": 7, "status": "New"}))
            .await
            .contains("status=1")
    );
    assert!(
        query(&scripted, json!({"project": 7, "status": "NEW"}))
            .await
            .contains("status=5")
    );
    assert!(
        scripted
            .refusal("t", json!({"project": 7, "status": "nEW"}))
            .await
            .contains("more than one story status")
    );
}

const WHY: &str = r##"
upstream: { base: http://localhost, error: [.detail], hints: { "403": Ask its owner. } }
sources: { boxes: { get: /boxes } }
lookups:
  box: { from: boxes, text_ids: true, one: { get: "/boxes/{value}", optional: [404] }, why: { get: "/boxes/{value}/lid", if: '$value | test("^b-")' } }
  person: { from: boxes, names: [.owner], one: { get: /mails }, row: 'first(.[] | select(.mail == $value)) // null' }
tools:
  - name: t
    title: T
    description: D
    effect: read
    input: { box: { type: string, description: B, lookup: box }, person: { type: string, description: P, lookup: person } }
    steps: [{ get: /echo, query: { box: $args.box, person: $args.person } }]
"##;

/// What may not be seen is refused in the backend's words; nothing else is listed.
#[tokio::test]
async fn what_may_not_be_seen_is_refused_with_its_reason() {
    let scripted = Scripted::new(&format!("{HEAD}{WHY}"), |seen| match seen.path.as_str() {
        "/boxes" => ok(
            json!([{"id": "b-1", "name": "First", "owner": "Ana"}, {"id": "b-2", "name": "7", "owner": "Bo"}]),
        ),
        "/boxes/b-9/lid" => refused(403, json!({"detail": "It is closed"})),
        "/boxes/b-8/lid" => ok(json!({"open": true})),
        "/mails" => ok(json!([{"id": 5, "mail": "ana@example.org"}])),
        path if path.starts_with("/boxes/") => refused(404, json!({"detail": "No such box"})),
        path => ok(json!({"query": path.split_once('?').map(|(_, query)| query)})),
    });
    let refusal = scripted.refusal("t", json!({"box": "b-9"})).await;
    assert!(
        refusal.contains("403")
            && refusal.contains("It is closed")
            && refusal.contains("Ask its owner"),
        "{refusal}"
    );
    assert!(!refusal.contains("First"), "{refusal}");
    let refusal = scripted.refusal("t", json!({"box": "b-7"})).await;
    assert!(
        refusal.contains("404") && refusal.contains("No such box") && !refusal.contains("First"),
        "{refusal}"
    );
    assert_eq!(
        query(&scripted, json!({"box": "b-8"})).await,
        "box=b-8",
        "it can be seen after all"
    );
    assert!(
        scripted
            .refusal("t", json!({"box": "Frist"}))
            .await
            .contains("Did you mean")
    );
    assert_eq!(
        query(&scripted, json!({"person": "ana@example.org"})).await,
        "person=5",
        "of an answer with many rows"
    );
    assert!(
        scripted
            .refusal("t", json!({"person": "bo@example.org"}))
            .await
            .contains("there is no person")
    );
    let takes = |tool: &str| {
        scripted
            .backend
            .connector()
            .tool(tool)
            .unwrap()
            .takes_ids
            .clone()
    };
    assert_eq!(
        takes("t"),
        ["person"],
        "where ids are texts, a number is a name"
    );
}

#[tokio::test]
async fn an_id_beyond_the_rows_that_were_looked_at_is_taken_at_its_word() {
    let file = FILE.replace("max_size: 2", "max_size: 1000").replace(
        ", one: { get: /by_slug, query: { slug: $value }, optional: [404] }",
        "",
    );
    for (there, is_cut) in [(1_000, false), (1_001, true)] {
        let rows: Vec<Value> = (1..=there)
            .map(|id| json!({"id": id, "slug": format!("p{id}"), "name": format!("P {id}")}))
            .collect();
        let scripted = Scripted::new(&format!("{HEAD}{file}"), move |seen| {
            match seen.path.as_str() {
                "/projects?page=1&size=1000" => ok(json!({"total": there, "rows": rows[..1_000]})),
                "/projects?page=2&size=1000" => ok(json!({"total": there, "rows": rows[1_000..]})),
                path => ok(json!({"query": path.split_once('?').map(|(_, query)| query)})),
            }
        });
        assert!(
            query(&scripted, json!({"project": "P 1000"}))
                .await
                .starts_with("project=1000&")
        );
        let beyond = scripted.call("t", json!({"project": "1001"})).await;
        assert_eq!(beyond.is_ok(), is_cut, "{beyond:?}");
        let refusal = scripted.refusal("t", json!({"project": "P 1001"})).await;
        assert_eq!(
            refusal.contains("Only the first 1000 were looked at: pass the id."),
            is_cut,
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn a_list_that_is_read_at_once_is_looked_at_to_its_limit() {
    for (there, is_cut) in [(5_000, false), (5_001, true), (6_000, true)] {
        let rows: Vec<Value> = (1..=there).map(|n| json!({"id": n, "n": n})).collect();
        let scripted = Scripted::new(&format!("{HEAD}{FILE}"), move |seen| {
            match seen.path.as_str() {
                "/sprints?project=7" => ok(json!(rows)),
                path => ok(json!({"query": path.split_once('?').map(|(_, query)| query)})),
            }
        });
        assert!(
            query(&scripted, json!({"project": 7, "sprint": "sprint 5000"}))
                .await
                .contains("sprint=5000")
        );
        let refusal = scripted
            .refusal("t", json!({"project": 7, "sprint": "sprint 9000"}))
            .await;
        assert!(
            refusal.contains("there is no sprint called \"sprint 9000\""),
            "{refusal}"
        );
        assert_eq!(
            refusal.contains("Only the first 5000 were looked at: pass the id."),
            is_cut,
            "{refusal}"
        );
    }
}
