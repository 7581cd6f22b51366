//! The part of a connector in `search` and `fetch`: what its file may not say, and what is made of
//! results that hold anything.

use footbridge_connector::{Backend, Options, SearchHit, compile};
use serde_json::{Value, json};

use crate::scripted::{HEAD, Scripted, ok};

const FILE: &str = r#"
settings: { WEB: { is: url, default: "https://web.example" } }
upstream: { base: "http://localhost/api" }
text: { untrusted: [owner], limit: 50 }
tools:
  - { name: find, title: T, description: Finds., effect: read, input: { q: { type: string, description: Q, required: true } }, steps: [{ get: /find, query: { q: $args.q } }], output: object }
  - { name: thing, title: T, description: Reads., effect: read, text_from: true, input: { id: { type: string, description: I, required: true } }, steps: [{ get: "/things/{id}" }], output: object }
  - { name: change, title: T, description: Changes., effect: write, steps: [{ post: /things }], no_undo: It is a test. }
search:
  finds:
    - { tool: find, args: '{q: .}', results: '.hits[] | {kind, id, title: "\(.title) for \($value)", url: "\($settings.WEB)/\(.id)"}' }
  documents:
    thing: { tool: thing, args: '{id: ., text_from: 0}', title: .name, text: .text, url: '"/things/\(.id)"', metadata: '{owner, state}' }
"#;

fn scripted() -> Scripted {
    Scripted::new(&format!("{HEAD}{FILE}"), |seen| {
        match seen.path.split('?').next().unwrap() {
            "/api/find" => ok(json!({"hits": [
                {"kind": "thing", "id": 7, "title": "Seven"},
                {"kind": "thing", "id": "a:b", "title": "No such id"},
                {"kind": "nothing", "id": 8, "title": "No such kind"},
                {"kind": "thing", "id": "x y", "title": "No address"},
                {"kind": "thing", "id": "i-9", "title": "n".repeat(400)},
                {"title": "Nothing"}, null
            ]})),
            _ => ok(
                json!({"id": 7, "name": "Seven", "text": "long ".repeat(100), "owner": "Ana", "state": "open", "none": null}),
            ),
        }
    })
}

async fn call(backend: &Backend, tool: &str, arguments: serde_json::Map<String, Value>) -> String {
    let options = Options {
        composed: Some(footbridge_connector::SharedBudget::default()),
        ..Options::default()
    };
    backend
        .call_with(tool, arguments, options)
        .await
        .unwrap()
        .json
}

#[tokio::test]
async fn what_is_found_has_a_kind_and_an_id_that_can_be_fetched() {
    let backend = scripted().backend;
    let part = backend.connector().search().unwrap();
    assert_eq!(part.finds[0].tool, "find");
    let arguments = backend.find_arguments(0, "wörds").await.unwrap();
    assert_eq!(Value::from(arguments.clone()), json!({"q": "wörds"}));
    let result = call(&backend, "find", arguments).await;
    let hits = backend.hits((0, "wörds"), result, None).await.unwrap();
    let titles: Vec<&str> = hits.iter().map(|hit| hit.title.as_str()).collect();
    assert_eq!((hits.len(), titles[0]), (2, "Seven for wörds"), "{hits:?}");
    assert_eq!(titles[1].chars().count(), 301);
    let first = SearchHit {
        kind: "thing".into(),
        id: "7".into(),
        title: titles[0].into(),
        url: "https://web.example/7".into(),
    };
    assert_eq!(hits[0], first);
    assert!(backend.find_arguments(1, "x").await.is_err());
    assert!(
        backend
            .hits((0, "x"), "{\"hits\": 5}".into(), None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_record_is_read_whole_and_what_is_known_of_it_is_fenced() {
    let backend = scripted().backend;
    let arguments = backend.fetch_arguments("thing", "7").await.unwrap();
    let result = call(&backend, "thing", arguments).await;
    let base = backend.address();
    let read = backend.fetched("thing", result.clone(), Some(&base), false);
    let read = read.await.unwrap();
    assert_eq!((read.title.as_str(), read.text.len()), ("Seven", 500));
    assert_eq!(read.url, "http://localhost/api/things/7");
    let metadata = read.metadata.unwrap();
    assert_eq!(
        metadata,
        r#"{"owner":"<untrusted-content>Ana</untrusted-content>","state":"open"}"#
    );
    let plain = backend.fetched("thing", result, None, true).await.unwrap();
    assert_eq!(
        plain.metadata.as_deref(),
        Some(r#"{"owner":"Ana","state":"open"}"#)
    );
    assert_eq!(plain.url, "", "there is nothing that its path goes under");
    let error = backend.fetch_arguments("other", "7").await.unwrap_err();
    assert!(error.message().contains("no records of kind"), "{error}");
}

#[test]
fn what_a_file_says_wrongly_is_named_with_its_place() {
    let bad = FILE
        .replace(
            "{ tool: find, args: '{q: .}'",
            "{ tool: finds, args: '{q: .}'",
        )
        .replace(
            "{ tool: thing, args: '{id: ., text_from: 0}'",
            "{ tool: thing, args: '{idd: .}'",
        )
        .replace("text: .text", "text: $args.text")
        + "    other: { tool: change, args: '{}', title: .a |, text: .a, url: .a }\n";
    let problems = compile("bad.yaml", &format!("{HEAD}{bad}")).unwrap_err();
    insta::assert_snapshot!(problems.to_string());
    let empty =
        FILE.split("search:").next().unwrap().to_owned() + "search: { finds: [], documents: {} }\n";
    let problems = compile("bad.yaml", &format!("{HEAD}{empty}")).unwrap_err();
    insta::assert_snapshot!(problems.to_string());
}
