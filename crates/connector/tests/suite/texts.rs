//! Texts of a backend as a client reads them, and as the backend gets them back.

use serde_json::{Value, json};

use crate::fake::call;
use crate::scripted::{Answer, HEAD, Scripted};

/// 200 with a body as it is written.
fn written(body: &str) -> Answer {
    Answer(200, Vec::new(), body.to_owned())
}

#[tokio::test]
async fn an_escaped_letter_is_the_letter_in_every_field_and_key() {
    let yaml = format!(
        "{HEAD}{}",
        r#"
upstream:
  base: "https://example.org"
  paging: { list: { kind: page, page: page, size: size, rows: .rows, total: .total } }
shapes: { row: { id: integer, name: { type: string, text: true }, state: string, made: { type: string, from: '"\(.state)!"' }, more: object } }
tools:
  - { name: all, title: All, description: All., effect: read, fields: true, steps: [{ get: /rows, pages: list, row: row }], output: row }
  - { name: one, title: One, description: One., effect: read, steps: [{ get: /one }] }
"#
    );
    let row = r#"{"id":1,"name":"\u0422\u0435\u043c\u0430","state":"\u0433\u043e\u0442\u043e\u0432\u043e","more":{"\u043a\u043b\u044e\u0447":"\ud83d\ude00 \u0022\u0007\\u0041"}}"#;
    let backend = Scripted::new(&yaml, move |seen| match seen.path.as_str() {
        "/one" => written(row),
        _ => written(&format!(r#"{{"rows":[{row}],"total":1}}"#)),
    });
    let one: Value = call(&backend.backend, "one", json!({})).await.unwrap();
    assert_eq!(one["more"]["ключ"], "😀 \"\u{7}\\u0041");
    for (tool, arguments) in [("one", json!({})), ("all", json!({})), ("all", json!({ "fields": ["state", "more", "name"] }))] {
        let Value::Object(arguments) = arguments else { continue };
        let text = backend.backend.call(tool, arguments).await.unwrap().json;
        assert!(["Тема", "готово", "\"ключ\":\"😀 \\"].iter().all(|part| text.contains(part)), "{text}");
        assert!(!text.contains("\\u04") && !text.contains("\\ud83d"), "{text}");
    }
}
