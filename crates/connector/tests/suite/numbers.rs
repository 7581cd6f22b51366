//! Arguments that stand in for another, lists of names, steps that read a source, and what shapes say
//! without jq.

use serde_json::{Value, json};

use crate::scripted::{Answer, HEAD, Scripted, ok, refused};

const FILE: &str = r##"
upstream: { base: http://localhost }
sources:
  home: { get: "/homes/{in}", keep: 5m }
lookups:
  number:
    noun: story
    text_ids: true
    none: Numbers belong to one project.
    one: { get: /by-number, query: { n: '$value | ltrimstr("#")', project: $in }, optional: [404] }
  person: { noun: person, from: home, rows: ".people[]" }
shapes:
  story:
    id: integer
    tags: { type: array, each: first }
    epics: { type: array, from: .links.epics, each: [id, name] }
    blocked: { type: boolean, from: .is_blocked, only_true: true }
    people: { type: array, at_least: 2 }
tools:
  - name: rename
    title: T
    description: D
    effect: write
    input:
      project: { type: integer, description: P }
      ref: { type: string, description: R, lookup: number, within: $args.project, fills: id }
      id: { type: integer, description: I, required: true }
      people: { type: array, items: { type: string }, description: W, lookup: person, within: $args.project }
    steps:
      - { as: home, source: home, within: $args.project }
      - { patch: "/stories/{id}", body: { people: $args.people, home: $steps.home.name } }
    output: story
    no_undo: A test.
"##;

fn scripted() -> Scripted {
    Scripted::new(&format!("{HEAD}{FILE}"), |seen| {
        match seen.path.as_str() {
        "/by-number?n=42&project=1" => ok(json!({ "id": 7 })),
        path if path.starts_with("/by-number") => refused(404, json!({})),
        "/homes/1" => ok(json!({ "name": "Home", "people": [{ "id": 5, "name": "Ana" }, { "id": 6, "name": "Bo" }] })),
        _ => Answer(
            200,
            vec![],
            r#"{"id":7,"tags":[["web","red"],"plain",[],null],"links":{"epics":[{"name":"E","id":3,"color":"x"},4]},"is_blocked":false,"people":[5]}"#.into(),
        ),
    }
    })
}

async fn call(scripted: &Scripted, arguments: Value) -> Result<String, String> {
    let arguments = arguments.as_object().unwrap().clone();
    let called = scripted.backend.call("rename", arguments).await;
    called
        .map(|outcome| outcome.json)
        .map_err(|error| error.message().to_owned())
}

#[tokio::test]
async fn an_argument_stands_in_for_another_by_its_lookup() {
    let scripted = scripted();
    for number in ["42", "#42"] {
        call(&scripted, json!({ "project": 1, "ref": number }))
            .await
            .unwrap();
    }
    let seen = scripted.seen();
    assert_eq!(seen.last().unwrap().path, "/stories/7");
    assert_eq!(seen.last().unwrap().body["home"], "Home");
    let homes = seen.iter().filter(|one| one.path == "/homes/1").count();
    assert_eq!(homes, 1, "a source is kept");
    for (arguments, needle) in [
        (json!({ "project": 1 }), "`ref` or `id` is required"),
        (
            json!({ "project": 1, "ref": "42", "id": 7 }),
            "pass one of them",
        ),
        (json!({ "ref": "42" }), "`project` is required"),
        (
            json!({ "project": 1, "ref": "43" }),
            "Numbers belong to one project.",
        ),
    ] {
        let refusal = call(&scripted, arguments).await.unwrap_err();
        assert!(refusal.contains(needle), "{refusal}");
    }
    call(&scripted, json!({ "id": 9 })).await.unwrap();
    let last = scripted.seen().pop().unwrap();
    assert_eq!(
        (last.path.as_str(), last.body.get("home")),
        ("/stories/9", None)
    );
}

#[tokio::test]
async fn every_name_of_a_list_becomes_an_id() {
    let scripted = scripted();
    let people = json!({ "project": 1, "id": 7, "people": ["Bo", "ana"] });
    call(&scripted, people).await.unwrap();
    assert_eq!(
        scripted.seen().last().unwrap().body["people"],
        json!([6, 5])
    );
    let people = json!({ "project": 1, "id": 7, "people": ["Bo", "Cy"] });
    let refusal = call(&scripted, people).await.unwrap_err();
    assert!(refusal.contains("no person called \"Cy\""), "{refusal}");
}

#[tokio::test]
async fn shapes_keep_parts_of_lists_without_jq() {
    let scripted = scripted();
    let story = call(&scripted, json!({ "id": 7 })).await.unwrap();
    let story: Value = serde_json::from_str(&story).unwrap();
    let tags = story["tags"].as_array().unwrap();
    assert_eq!(tags[..2], [json!("web"), json!("plain")], "{story}");
    assert_eq!(story["epics"], json!([{ "id": 3, "name": "E" }, 4]));
    assert!(
        story.get("blocked").is_none() && story.get("people").is_none(),
        "{story}"
    );
}

#[test]
fn what_cannot_stand_in_is_a_problem_of_the_file() {
    for (from, to, needle) in [
        (
            "fills: id",
            "fills: nothing",
            "cannot stand in for `nothing`",
        ),
        ("each: first", "each: second", "first"),
        (
            "source: home, within",
            "source: nowhere, within",
            "there is no source `nowhere`",
        ),
        (
            "{ type: array, each: first }",
            "{ type: array, from: '[.tags[]?]', each: first }",
            "plain path",
        ),
    ] {
        let text = format!("{HEAD}{}", FILE.replacen(from, to, 1));
        let problems = footbridge_connector::compile("x.yaml", &text).unwrap_err();
        let problems = problems.to_string();
        assert!(problems.contains(needle), "{needle}: {problems}");
    }
}
