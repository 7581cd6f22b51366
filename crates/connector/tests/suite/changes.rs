//! Tools that change something: bodies, order, partial failure, conflicts, loops, and what a file
//! must say of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use footbridge_connector::{Fault, compile};
use serde_json::{Value, json};

use crate::scripted::{HEAD, Scripted, ok, refused};

fn file(rest: &str) -> String {
    format!(
        "{HEAD}upstream:\n  base: http://localhost\n  error: [.message?]\n  version: .version\n{rest}"
    )
}

fn one_tool(tool: &str) -> String {
    file(&format!(
        "tools:\n  - name: t\n    title: T\n    description: D\n{tool}"
    ))
}

const UPDATE: &str = r#"
    effect: write
    input:
      id: { type: integer, description: Id, required: true }
      title: { type: string, description: Title, aliases: [name], minLength: 1 }
      note: { type: string, description: Note, clear: true }
      size: { type: integer, description: Size, default: 3 }
      tags: { type: array, items: { type: string }, description: Tags }
      version: { type: integer, description: Version }
    check:
      - unless: passed_or_null(["title", "note", "tags"]) > 0
        say: Pass at least one field
    before: { get: "/items/{id}" }
    steps:
      - patch: "/items/{id}"
        body: { title: $args.title, note: $args.note, size: $args.size, tags: $args.tags, fixed: '"é"', version: $args.version // $before.version }
    undo:
      - patch: "/items/{id}"
        body: '$before | touched({title, note}) + {version: $after.version}'
"#;

fn item(version: i64) -> Value {
    json!({"id": 7, "title": "old", "note": "n", "size": 1, "tags": [], "version": version})
}

#[tokio::test]
async fn a_body_has_what_was_said_and_nothing_else() {
    let scripted = Scripted::new(&one_tool(UPDATE), |seen| {
        if seen.method == "GET" {
            ok(item(4))
        } else {
            ok(seen.body.clone())
        }
    });
    let bodies = [
        (
            json!({"id": 7, "title": "a"}),
            json!({"title": "a", "size": 3, "fixed": "é", "version": 4}),
        ),
        (
            json!({"id": 7, "name": "a", "note": null}),
            json!({"title": "a", "note": null, "size": 3, "fixed": "é", "version": 4}),
        ),
        (
            json!({"id": 7, "title": null, "note": "x", "size": 1}),
            json!({"note": "x", "size": 1, "fixed": "é", "version": 4}),
        ),
        (
            json!({"id": 7, "tags": [], "version": 2}),
            json!({"size": 3, "tags": [], "fixed": "é", "version": 2}),
        ),
    ];
    for (arguments, body) in bodies {
        scripted.call("t", arguments.clone()).await.unwrap();
        assert_eq!(scripted.seen().last().unwrap().body, body, "{arguments}");
    }
    let before = scripted.seen().len();
    assert_eq!(
        scripted.refusal("t", json!({"id": 7, "title": null})).await,
        "Pass at least one field"
    );
    assert!(
        scripted
            .refusal("t", json!({"id": 7, "title": "a", "name": "b"}))
            .await
            .contains("`title` is there twice")
    );
    assert_eq!(
        scripted.seen().len(),
        before,
        "a refused call sends nothing"
    );
    let tool = scripted.backend.connector().tool("t").unwrap();
    assert_eq!(
        (tool.nullable.as_slice(), tool.annotations.idempotent),
        (&["note".to_owned()][..], true)
    );
    assert_eq!(
        tool.argument_aliases,
        [("name".to_owned(), "title".to_owned())]
    );
    assert_eq!(
        tool.input_schema["properties"]["tags"],
        json!({"type": "array", "items": {"type": "string"}, "description": "Tags"})
    );
}

#[tokio::test]
async fn reads_that_do_not_need_each_other_run_together_and_writes_in_their_order() {
    let tool = r#"
    effect: write
    steps:
      - { as: a, get: /a }
      - { as: b, get: /b, query: { q: '"x"' } }
      - { as: c, get: /c, query: { a: $steps.a.n } }
      - { as: w1, post: /w1, body: { c: $steps.c.n } }
      - { as: w2, post: /w2, body: { w: $steps.w1.n } }
      - { get: "/after/{steps.w2.n}" }
    result: '{steps: [$steps.a.n, $steps.b.n, $steps.c.n, $steps.w1.n, $steps.w2.n], last: .n}'
    no_undo: It is a test.
"#;
    let barrier = Arc::new(tokio::sync::Barrier::new(2));
    let count = Arc::new(AtomicI64::new(0));
    let scripted = Scripted::later(&one_tool(tool), &[], move |seen| {
        let (barrier, count) = (Arc::clone(&barrier), Arc::clone(&count));
        Box::pin(async move {
            // neither of the two is answered before the other has arrived
            if seen.path.starts_with("/a?") || seen.path == "/a" || seen.path.starts_with("/b") {
                barrier.wait().await;
            }
            ok(json!({"n": count.fetch_add(1, Ordering::SeqCst), "path": seen.path}))
        })
    });
    let result = scripted.call("t", json!({})).await.unwrap();
    assert_eq!(result["last"], 5);
    let lines = scripted.lines();
    assert_eq!(lines[3..], ["POST /w1", "POST /w2", "GET /after/4"]);
    assert!(lines[2].starts_with("GET /c?a="), "{lines:?}");
}

#[tokio::test]
async fn what_was_done_is_told_when_the_rest_fails() {
    let tool = r#"
    effect: write
    steps:
      - { as: made, post: /made, body: { a: "1" } }
      - { as: link, post: /link, body: { to: $steps.made.id } }
    undo: [{ delete: "/made/{after.id}" }]
"#;
    let scripted = Scripted::new(&one_tool(tool), |seen| match seen.path.as_str() {
        "/made" => ok(json!({"id": 5, "text": "x".repeat(1000)})),
        _ => refused(400, json!({"message": "No such \"thing\""})),
    });
    let error = scripted.call("t", json!({})).await.unwrap_err();
    assert!(!error.retry_is_safe() && error.status() == Some(400));
    let told: Value = serde_json::from_str(
        error
            .message()
            .split_once('{')
            .map(|(_, json)| format!("{{{json}"))
            .unwrap()
            .as_str(),
    )
    .unwrap();
    assert_eq!(told["done"], json!([{"step": "made", "value": {"id": 5}}]));
    assert_eq!(told["failed"]["step"], "link");
    assert!(
        told["failed"]["error"]
            .as_str()
            .unwrap()
            .contains("No such \"thing\""),
        "{error}"
    );
    assert!(
        error.message().starts_with("Only a part was done"),
        "{error}"
    );
}

#[tokio::test]
async fn what_was_done_is_told_when_the_result_cannot_be_shown() {
    let tool = "    effect: write\n    steps: [{ as: made, post: /made }]\n    result: .id.x.y\n    no_undo: It is a test.\n";
    let scripted = Scripted::new(&one_tool(tool), |_| ok(json!({"id": 5})));
    let error = scripted.call("t", json!({})).await.unwrap_err();
    assert_eq!((error.fault(), error.retry_is_safe()), (Fault::Us, false));
    assert!(
        error.message().starts_with("Everything was done, but")
            && error.message().contains("\"value\":{\"id\":5}"),
        "{error}"
    );
}

#[tokio::test]
async fn dates_are_taken_in_the_forms_of_iso_8601() {
    let tool = "    effect: read\n    input: { due: { type: string, format: date, description: D } }\n    steps: [{ get: /x, query: { due: $args.due } }]\n";
    let scripted = Scripted::new(&one_tool(tool), |_| ok(json!({})));
    for (text, date) in [
        ("2026-11-21", "2026-11-21"),
        ("20261121", "2026-11-21"),
        ("2026-W47-6", "2026-11-21"),
        (" 2024-02-29 ", "2024-02-29"),
    ] {
        scripted.call("t", json!({"due": text})).await.unwrap();
        assert_eq!(
            scripted.lines().last().unwrap(),
            &format!("GET /x?due={date}"),
            "{text}"
        );
    }
    for text in [
        "tomorrow",
        "2026-02-30",
        "2026-11-21T10:00",
        "21.11.2026",
        "",
    ] {
        assert!(
            scripted
                .refusal("t", json!({"due": text}))
                .await
                .starts_with("due must be in YYYY-MM-DD format"),
            "{text}"
        );
    }
}

/// Another person changes `field` between the read and the change.
fn contested(field: &'static str) -> Scripted {
    let reads = AtomicUsize::new(0);
    Scripted::new(&one_tool(UPDATE), move |seen| match seen.method.as_str() {
        "GET" => {
            let mut now = item(4);
            if reads.fetch_add(1, Ordering::SeqCst) > 0 {
                now["version"] = json!(5);
                now[field] = json!("theirs");
            }
            ok(now)
        }
        _ if seen.body["version"] == 5 => ok(json!({"id": 7, "version": 6})),
        _ => refused(409, json!({"message": "versions differ"})),
    })
}

#[tokio::test]
async fn a_change_is_made_again_when_others_changed_other_fields() {
    let scripted = contested("tags");
    assert_eq!(
        scripted
            .call("t", json!({"id": 7, "title": "mine"}))
            .await
            .unwrap()["version"],
        6
    );
    assert_eq!(
        scripted.lines(),
        [
            "GET /items/7",
            "PATCH /items/7",
            "GET /items/7",
            "PATCH /items/7"
        ]
    );
}

#[tokio::test]
async fn a_conflict_names_the_fields_and_is_never_forced() {
    let scripted = contested("title");
    let error = scripted
        .call("t", json!({"id": 7, "title": "mine"}))
        .await
        .unwrap_err();
    assert!(
        error.is_conflict()
            && error.message().contains("Changed meanwhile: title.")
            && error.message().contains("latest version is 5"),
        "{error}"
    );
    assert_eq!(
        scripted
            .lines()
            .iter()
            .filter(|line| line.starts_with("PATCH"))
            .count(),
        1
    );
    let own = contested("tags");
    let error = own
        .call("t", json!({"id": 7, "title": "mine", "version": 4}))
        .await
        .unwrap_err();
    assert!(
        error.is_conflict() && error.message().contains("latest version is 5"),
        "{error}"
    );
    assert_eq!(
        own.lines()
            .iter()
            .filter(|line| line.starts_with("PATCH"))
            .count(),
        1,
        "the caller's own version is not replaced"
    );
}

#[tokio::test]
async fn a_backend_may_tell_a_conflict_in_its_own_way() {
    let own = one_tool(UPDATE).replace(
        "  version: .version\n",
        "  version: .version\n  conflict: $status == 400 and (.version? | type) == \"string\"\n",
    );
    let script =
        |seen: &crate::fake::Seen| match (seen.method.as_str(), seen.body["title"].as_str()) {
            ("GET", _) => ok(item(4)),
            (_, Some("stale")) => refused(400, json!({"version": "It does not match"})),
            _ => refused(
                400,
                json!({"version": ["Enter a whole number."], "message": "bad"}),
            ),
        };
    let scripted = Scripted::new(&own, script);
    let error = scripted
        .call("t", json!({"id": 7, "title": "stale"}))
        .await
        .unwrap_err();
    assert!(
        error.is_conflict()
            && error.message().contains("changed by someone else")
            && error.message().contains("latest version is 4"),
        "{error}"
    );
    let error = scripted
        .call("t", json!({"id": 7, "title": "other"}))
        .await
        .unwrap_err();
    assert!(
        !error.is_conflict() && error.message().contains("400: <untrusted-content>bad.<"),
        "{error}"
    );
}

fn each(failures: &str) -> String {
    one_tool(&format!(
        "    effect: write\n    input:\n      names: {{ type: array, items: {{ type: string }}, description: N, required: true }}\n    steps:\n      - {{ as: made, post: \"/make/{{item}}\", for_each: $args.names, at_most: 3, {failures}body: {{ name: $item }} }}\n    no_undo: It is a test.\n"
    ))
}

#[tokio::test]
async fn a_loop_goes_through_its_items_and_says_what_failed() {
    let script = |seen: &crate::fake::Seen| match seen.body["name"].as_str() {
        Some("bad") => refused(422, json!({"message": "bad name"})),
        _ => ok(json!({"id": seen.body["name"]})),
    };
    let report = Scripted::new(&each("failures: report, "), script);
    let result = report
        .call("t", json!({"names": ["a", "bad", "c"]}))
        .await
        .unwrap();
    assert_eq!(
        result["done"],
        json!([{"item": "a", "value": {"id": "a"}}, {"item": "c", "value": {"id": "c"}}])
    );
    assert_eq!(result["failed"][0]["item"], "bad");
    let stop = Scripted::new(&each(""), script);
    let error = stop
        .call("t", json!({"names": ["a", "bad", "c"]}))
        .await
        .unwrap_err();
    assert!(
        error
            .message()
            .contains("\"done\":[{\"step\":\"made\",\"item\":\"a\"")
            && error.message().contains("bad name"),
        "{error}"
    );
    assert_eq!(stop.lines(), ["POST /make/a", "POST /make/bad"]);
    assert!(
        stop.call("t", json!({"names": ["a", "b", "c"]}))
            .await
            .is_ok()
    );
    let before = stop.lines().len();
    assert!(
        stop.refusal("t", json!({"names": ["a", "b", "c", "d"]}))
            .await
            .contains("more than 3 items")
    );
    assert_eq!(stop.lines().len(), before);
}

#[tokio::test]
async fn steps_are_skipped_optional_or_read_as_text() {
    let tool = r#"
    effect: read
    input: { deep: { type: boolean, description: D, default: false } }
    steps:
      - { as: gone, get: /gone, optional: [404] }
      - { as: skipped, get: /skipped, if: $args.deep }
      - { as: text, get: /text, answer: text }
      - { as: asked, post: /ask, safe: It only computes., body: '{n: [1, 2]}' }
    result: '{gone: ($steps.gone == null), skipped: ($steps.skipped == null), text: $steps.text, asked: $steps.asked}'
"#;
    let scripted = Scripted::new(&one_tool(tool), |seen| match seen.path.as_str() {
        "/gone" => refused(404, json!({})),
        "/text" => crate::scripted::Answer(200, vec![], "# Report é".into()),
        _ => ok(seen.body.clone()),
    });
    let result = scripted.call("t", json!({})).await.unwrap();
    assert_eq!(
        result,
        json!({"gone": true, "skipped": true, "text": "<untrusted-content># Report é</untrusted-content>", "asked": {"n": [1, 2]}})
    );
    assert!(!scripted.lines().contains(&"GET /skipped".to_owned()));
    let denied = Scripted::new(&one_tool(tool), |_| {
        refused(403, json!({"message": "not yours"}))
    });
    assert!(
        denied.refusal("t", json!({})).await.contains("not yours"),
        "only the listed statuses are null"
    );
}

#[tokio::test]
async fn what_could_not_be_read_is_named_in_the_result() {
    let tool = r#"
    effect: read
    steps:
      - { as: open, get: /open }
      - { as: closed, get: /closed, optional: [403, 404] }
      - { as: gone, get: /gone, optional: [403, 404] }
    result: '$steps.open + {closed: $steps.closed.n, gone: $steps.gone.n}'
"#;
    let scripted = Scripted::new(&one_tool(tool), |seen| match seen.path.as_str() {
        "/closed" => refused(403, json!({"message": "not \"yours\""})),
        "/gone" => refused(404, json!({})),
        _ => ok(json!({"n": 1})),
    });
    let result = scripted.call("t", json!({})).await.unwrap();
    assert_eq!(result["n"], 1);
    assert_eq!(
        result["unavailable"].as_object().unwrap().len(),
        1,
        "nothing there is not the same as refused"
    );
    assert!(
        result["unavailable"]["closed"]
            .as_str()
            .unwrap()
            .starts_with("X answered 403: <untrusted-content>not \"yours\".<"),
        "{result}"
    );
}

#[tokio::test]
async fn a_filter_may_refuse_with_a_sentence_of_its_own() {
    let tool = "    effect: read\n    input: { n: { type: integer, description: N, required: true } }\n    steps:\n      - get: /x\n      - let: 'if .found then . else error(\"There is no item #\\($args.n).\") end'\n";
    let scripted = Scripted::new(&one_tool(tool), |_| ok(json!({"found": false})));
    let error = scripted.call("t", json!({"n": 5})).await.unwrap_err();
    assert_eq!(
        (error.fault(), error.message()),
        (Fault::Caller, "There is no item #5.")
    );
}

#[tokio::test]
async fn the_question_before_a_change_is_asked_without_making_it() {
    let tool = r#"
    effect: destroy
    input: { id: { type: integer, description: Id, required: true } }
    before: { get: "/items/{id}" }
    steps: [{ delete: "/items/{id}", answer: none }]
    result: '{deleted: $args.id}'
    confirm: '"Delete “\($before.title)”?"'
    no_undo: It is gone.
"#;
    let scripted = Scripted::new(&one_tool(tool), |_| ok(item(1)));
    let arguments = json!({"id": 7}).as_object().unwrap().clone();
    let question = scripted
        .backend
        .confirmation("t", arguments)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(question.text, "Delete “old”?");
    assert_eq!(
        question.fenced,
        "<untrusted-content>Delete “old”?</untrusted-content>"
    );
    assert_eq!(scripted.lines(), ["GET /items/7"]);
    assert_eq!(
        scripted.call("t", json!({"id": 7})).await.unwrap(),
        json!({"deleted": 7})
    );
    let taken = tool.replace(
        "{ id: {",
        "{ confirm: { type: string, description: C }, id: {",
    );
    let problems = compile("x.yaml", &one_tool(&taken)).unwrap_err();
    assert!(
        problems
            .to_string()
            .contains("the argument `confirm` is there already"),
        "{problems}"
    );
}

#[test]
fn what_a_tool_with_steps_may_not_say_is_named_at_once() {
    let text = file(
        r#"
sources: { all: { get: "/all/{in}", pages: nowhere, keep: 2x } }
lookups:
  thing: { from: nothing, names: [.name] }
  empty: {}
  other: { from: all, rows: $args.x }
shapes: { row: { id: integer, odd: { type: string, from: .a | } }, object: { id: integer }, none: {} }
text: { limit: 0 }
groups: { core: true }
tools:
  - name: a
    title: A
    description: D
    effect: write
    group: nowhere
    input:
      p: { type: string, description: P, lookup: thing, within: $args.q }
      q: { type: string, description: Q, lookup: other, within: $args.p }
      r: { type: string, description: R, lookup: other, within: $before.id }
      l: { type: array, description: L }
      n: { type: integer, description: N, pattern: "(", clear: true, required: true }
      s: { type: string, description: S, aliases: [l], format: colour }
    before: { get: "/x/{r}", optional: [200] }
    steps:
      - { as: one, get: "/one/{item}", body: { a: "1" } }
      - { post: /two, query: { x: $steps.three }, at_most: 5, safe: Yes. }
      - { as: three, let: $item, query: { a: "1" } }
      - { get: /list, pages: nowhere, row: .a, for_each: $args.l, at_most: 201 }
      - { get: /x, row: row, until: .done, every: 11m }
      - { get: /y, post: /z }
      - { patch: /y, until: .done }
    result: $after
    output: nothing
    undo: [{ patch: "/x/{after.id}", body: { v: $after.version, w: $steps.nope } }]
    no_undo: Never.
    hints: { "20": x }
  - { name: b, title: B, description: D, effect: read, steps: [{ get: /x }], undo: [{ delete: /x }], confirm: "1" }
  - { name: c, title: C, description: D, effect: write, steps: [{ post: /x }] }
  - { name: d, title: D, description: D, effect: read, input: { fields: { type: string, description: F } }, steps: [{ get: "/{me.id}", query: { a: $me.id } }], fields: true }
"#,
    );
    let problems = compile("x.yaml", &text).unwrap_err().to_string();
    insta::assert_snapshot!(problems);
}

#[test]
fn what_an_upstream_may_not_say_is_named_at_once() {
    let text = format!(
        "{HEAD}{}",
        r#"
settings:
  URL: { is: url, unless: URL }
  COUNT: { is: integer, ensure_suffix: /x, unless: NONE }
  KEY: { secret: true }
upstream:
  base: "{settings.URL}"
  me: { get: "/users/{id}", query: { key: $settings.KEY } }
  throttle: { wait: .a | nofilter, longest: 3m }
  conflict: $args.x
  version: .version | nothing
  error: [$settings.KEY]
  login:
    post: "/auth/{settings.URL}"
    body: '{key: $settings.KEY, last: $login}'
    token: .token + $settings.KEY
    header: "two words"
    scheme: "two words"
    renew: { post: renew, body: $login.refresh, token: .token }
defs: |
  def good: .a;
  def bad: .a | unknown(1);
tools:
  - { name: t, title: T, description: D, effect: read, steps: [{ get: /x, query: { a: good, me: $me.id } }] }
"#
    );
    insta::assert_snapshot!(compile("x.yaml", &text).unwrap_err().to_string());
}
