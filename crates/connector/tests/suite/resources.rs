//! Resources and prompts, arguments with `read`, and lists with `at_most`.

use serde_json::{Map, Value, json};

use crate::scripted::{Answer, HEAD, Scripted, ok, refused};

const FILE: &str = r#"
upstream:
  base: http://localhost
  paging: { pages: { kind: offset, offset: from, size: size, rows: .rows, total: .total, max_size: 100 } }
tools:
  - name: find
    title: Find
    description: Find.
    effect: read
    input:
      kind: { type: string, description: Kind, aliases: [type], read: ascii_upcase }
      tags: { type: string, description: Tags, read: 'split(",") | map(ltrimstr(" "))' }
      nil: { type: string, description: None, read: 'if . == "none" then null else . end' }
      bad: { type: string, description: Bad, read: 'error("`bad` is never right")' }
    steps:
      - { get: /things, query: { kind: $args.kind, given: $given.kind, tag: $args.tags, nil: $args.nil, bad: $args.bad } }
  - name: count
    title: Count
    description: Count.
    effect: read
    steps:
      - { as: rows, get: /rows, pages: pages, row: .id, at_most: 2 }
      - { as: other, get: /other }
    result: '{count: $steps.rows.total_count, shown: ($steps.rows.items | length), cut: $steps.rows.truncated}'
resources:
  - uri: "ptm://prompts/{prompt_id}"
    name: prompt
    title: A prompt's text
    description: Text of the active version.
    mime: text/plain
    match: { prompt_id: "[a-z0-9_.-]+" }
    get: "/prompts/{prompt_id}"
    query: { of: $args.prompt_id }
    result: .prompt_text
  - { uri: "ptm://runs/{key}/report.html", name: report, title: Report, description: Report., mime: text/html, get: "/runs/{key}.html", answer: text }
  - { uri: "ptm://all", name: all, title: All, description: All., get: /prompts }
prompts:
  - name: improve
    title: Improve a prompt
    description: Propose a better text.
    input:
      prompt_id: { description: Prompt id, required: true }
      goal: { description: What to reach }
    text: "Read ptm://prompts/{prompt_id} and improve it. {goal}"
"#;

fn backend() -> Scripted {
    Scripted::new(&format!("{HEAD}{FILE}"), |seen| {
        match seen.path.split('?').next().unwrap_or_default() {
            "/prompts/a.b" => ok(json!({"prompt_text": "Say <b>hello</b>.\n"})),
            "/runs/7.html" => Answer(200, Vec::new(), "<html>né</html>".into()),
            "/prompts" => Answer(200, Vec::new(), r#" [1.10,{"a":null}] "#.into()),
            "/rows" => ok(json!({"rows": [{"id": 1}, {"id": 2}], "total": 9})),
            "/things" | "/other" => ok(json!({"query": seen.path})),
            _ => refused(404, json!({})),
        }
    })
}

fn values(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn a_resource_is_handed_out_as_the_text_that_it_is() {
    let scripted = backend();
    let read =
        async |name: &str, given: Value| scripted.backend.read_resource(name, values(given)).await;
    assert_eq!(
        read("prompt", json!({"prompt_id": "a.b"})).await.unwrap(),
        "Say <b>hello</b>.\n"
    );
    assert_eq!(
        read("report", json!({"key": "7"})).await.unwrap(),
        "<html>né</html>"
    );
    assert_eq!(
        read("all", json!({})).await.unwrap(),
        r#"[1.10,{"a":null}]"#
    );
    assert_eq!(scripted.lines()[0], "GET /prompts/a.b?of=a.b");
    let gone = read("prompt", json!({"prompt_id": "c"})).await.unwrap_err();
    assert_eq!(gone.status(), Some(404));
    let about: Vec<_> = scripted
        .backend
        .connector()
        .resources()
        .iter()
        .map(|r| (r.mime_type.as_str(), r.is_template))
        .collect();
    assert_eq!(
        about,
        [
            ("text/plain", true),
            ("text/html", true),
            ("application/json", false)
        ]
    );
}

#[tokio::test]
async fn a_value_that_does_not_fit_reaches_no_backend() {
    let scripted = backend();
    for value in ["..", "a/b", "%2e%2e", "A", "a\n", "", "a b"] {
        let read = scripted
            .backend
            .read_resource("prompt", values(json!({"prompt_id": value})))
            .await;
        let expected = if value == ".." {
            "must not be"
        } else {
            "no resource"
        };
        assert!(read.unwrap_err().message().contains(expected), "{value}");
    }
    assert!(
        scripted
            .backend
            .read_resource("prompt", Map::new())
            .await
            .is_err()
    );
    assert!(
        scripted
            .backend
            .read_resource("ghost", Map::new())
            .await
            .is_err()
    );
    assert!(scripted.lines().is_empty());
}

#[test]
fn a_prompt_is_filled_in_and_what_is_left_out_stands_for_nothing() {
    let scripted = backend();
    let prompt = &scripted.backend.connector().prompts()[0];
    assert_eq!(
        prompt.message(&values(json!({"prompt_id": "p", "goal": "Shorter."}))),
        "Read ptm://prompts/p and improve it. Shorter."
    );
    assert_eq!(
        prompt.message(&values(json!({"prompt_id": "{goal}"}))),
        "Read ptm://prompts/{goal} and improve it. "
    );
    assert!(prompt.arguments[0].required && !prompt.arguments[1].required);
}

#[tokio::test]
async fn what_is_meant_by_an_argument_is_read_before_anything_else() {
    let scripted = backend();
    scripted
        .call(
            "find",
            json!({"type": "bug", "tags": "a, b", "nil": "none"}),
        )
        .await
        .unwrap();
    assert_eq!(
        scripted.lines(),
        ["GET /things?kind=BUG&given=BUG&tag=a&tag=b"]
    );
    assert_eq!(
        scripted.refusal("find", json!({"bad": "x"})).await,
        "`bad` is never right"
    );
    assert_eq!(scripted.lines().len(), 1);
}

#[tokio::test]
async fn a_list_that_is_not_the_result_may_be_read_in_part() {
    let scripted = backend();
    let counted = scripted.call("count", json!({})).await.unwrap();
    assert_eq!(counted, json!({"count": 9, "shown": 2, "cut": true}));
    assert_eq!(scripted.lines()[0], "GET /rows?from=0&size=2");
}

#[test]
fn resources_and_prompts_that_cannot_work_are_problems_of_the_file() {
    let file = concat!(
        "upstream: { base: http://localhost }\n",
        "tools:\n",
        "  - name: t\n    title: T\n    description: T\n    effect: read\n",
        "    input: { a: { type: string, description: A, read: .x | , lookup: nowhere }, b: { type: string, description: B, read: $args.a } }\n",
        "    steps: [{ get: /x, at_most: 5 }]\n",
        "resources:\n",
        "  - { uri: \"x://{a}/{a}\", name: One, title: \" \", description: D, match: { b: \"[\", a: \"[\" }, get: \"/x/{c}\", answer: none }\n",
        "  - { uri: nowhere, name: two, title: T, description: D, mime: text, get: x, result: .a | }\n",
        "  - { uri: nowhere, name: two, title: T, description: D, get: /x, query: { q: $args.q } }\n",
        "prompts:\n",
        "  - { name: p, title: T, description: D, text: \"{a} {+b}\" }\n",
        "  - { name: p, title: T, description: D, input: { a: { description: \"\" } }, text: \"{a} {b}\" }\n",
    );
    insta::assert_snapshot!(
        footbridge_connector::compile("x.yaml", &format!("{HEAD}{file}"))
            .unwrap_err()
            .to_string()
    );
}
