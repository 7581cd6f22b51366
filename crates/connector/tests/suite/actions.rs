//! Actions: requests become calls, records become answers; and what a file must say of them.

use footbridge_connector::{Options, Outcome, compile};
use serde_json::{Map, Value, json};

use crate::scripted::{HEAD, Scripted, ok};

const FILE: &str = r#"
upstream: { base: http://localhost, paging: { all: { kind: page, page: page, size: size } } }
sources: { people: { get: /people } }
lookups: { who: { from: people } }
shapes: { row: { id: integer, state: { type: string, from: .state.name } } }
tools:
  - { name: list, title: T, description: Lists., effect: read, input: { of: { type: string, description: O } }, output: row, steps: [{ get: /rows, query: { of: $args.of }, pages: all, row: row }] }
  - { name: make, title: T, description: Makes., effect: write, input: { name: { type: string, description: N }, owner: { type: string, description: Whose, maxLength: 9, lookup: who } }, output: row, steps: [{ as: made, post: /rows, body: { name: $args.name } }, { post: /log }], result: $steps.made, no_undo: It is a test. }
actions:
  list_rows: { method: get, tool: list, args: '{of: (.query.of[-1] // error("of is required"))}', result: '{rows: [.items[] | {id, state}]}' }
  list_many: { method: get, tool: list, calls: '.query.of[] | {of: .}', result: '{rows: [.[] as $call | $call.result.items[] | {id, of: $call.args.of}]}' }
  make_row: { method: post, tool: make, args: .body }
"#;

fn scripted() -> Scripted {
    Scripted::new(&format!("{HEAD}{FILE}"), |seen| {
        match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", _) => ok(json!([{"id": 1, "state": {"name": "New", "x": null}}])),
            (_, "/rows") => ok(json!({"id": 2, "name": seen.body["name"], "note": null})),
            _ => ok(json!({"logged": true})),
        }
    })
}

async fn act(scripted: &Scripted, action: &str, request: Value) -> Result<Value, String> {
    let backend = &scripted.backend;
    let tool = backend
        .connector()
        .actions()
        .iter()
        .find(|known| known.name == action)
        .unwrap()
        .tool
        .clone();
    let wanted = backend
        .action_arguments(action, request)
        .await
        .map_err(|error| error.message().to_owned())?;
    let mut calls: Vec<(Map<String, Value>, Outcome)> = Vec::new();
    for arguments in wanted {
        let options = Options {
            keeps_records: true,
            ..Options::default()
        };
        calls.push((
            arguments.clone(),
            backend.call_with(&tool, arguments, options).await.unwrap(),
        ));
    }
    Ok(serde_json::from_str(&backend.action_answer(action, calls).await.unwrap()).unwrap())
}

#[tokio::test]
async fn an_action_answers_with_the_backends_own_records() {
    let scripted = scripted();
    let one = act(
        &scripted,
        "list_rows",
        json!({"query": {"of": ["a"]}, "body": null}),
    )
    .await;
    assert_eq!(
        one,
        Ok(json!({"rows": [{"id": 1, "state": {"name": "New", "x": null}}]}))
    );
    let many = act(&scripted, "list_many", json!({"query": {"of": ["a", "b"]}})).await;
    assert_eq!(
        many,
        Ok(json!({"rows": [{"id": 1, "of": "a"}, {"id": 1, "of": "b"}]}))
    );
    let made = act(
        &scripted,
        "make_row",
        json!({"query": {}, "body": {"name": "x"}}),
    )
    .await;
    assert_eq!(made, Ok(json!({"id": 2, "name": "x", "note": null})));
    assert_eq!(
        act(&scripted, "list_rows", json!({"query": {}})).await,
        Err("of is required".into())
    );
}

#[tokio::test]
async fn calls_have_a_limit_on_both_sides() {
    let scripted = scripted();
    for (count, good) in [(50, true), (51, false), (300, false)] {
        let of: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        let wanted = scripted
            .backend
            .action_arguments("list_many", json!({"query": {"of": of}}))
            .await;
        let wanted = wanted
            .map(|calls| calls.len())
            .map_err(|error| error.message().to_owned());
        let refusal = "The request makes more than 50 calls. Ask in parts.".to_owned();
        assert_eq!(wanted, if good { Ok(count) } else { Err(refusal) });
    }
    assert!(
        scripted
            .backend
            .action_arguments("nope", json!({}))
            .await
            .is_err()
    );
}

#[test]
fn what_an_action_may_not_say_is_named() {
    let text = format!(
        "{HEAD}{}  bad Name: {{ method: get, tool: make, args: . }}\n  two: {{ method: post, tool: nope, args: ., calls: .a | }}\n  none: {{ method: post, tool: make, result: $args }}\n",
        FILE.trim_start()
    );
    insta::assert_snapshot!(compile("x.yaml", &text).unwrap_err().to_string());
}

#[test]
fn what_a_request_may_carry_is_as_the_tools_argument_says_and_the_file_beside_it() {
    let with = |input: &str| {
        let file =
            format!("{HEAD}{FILE}").replace("args: .body }", &format!("args: .body, {input} }}"));
        let file = file.replace(
            "name: { type: string, description: N }",
            "name: { type: string, description: N, maxLength: 5, clear: true }",
        );
        compile("bad.yaml", &file)
    };
    let made = |input: &str| {
        let connector = with(input).unwrap_or_else(|problems| panic!("{problems}"));
        let action = connector
            .actions()
            .iter()
            .find(|action| action.name == "make_row")
            .unwrap()
            .clone();
        (
            action.command,
            action
                .input
                .into_iter()
                .map(|input| json!([input.name, input.required, input.schema]))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(made("input: {}"), ("make-row".to_owned(), vec![]));
    let plain = json!({ "maxLength": 5, "description": "N", "type": ["string", "null"] });
    assert_eq!(
        made("input: { name: {} }").1,
        [json!(["name", false, plain])]
    );
    assert_eq!(
        made("input: { title: { argument: name, required: true } }").1,
        [json!(["title", true, plain])]
    );
    let id = json!({ "description": "Whose", "type": ["integer", "string"] });
    assert_eq!(
        made("input: { owner: {} }").1,
        [json!(["owner", false, id])],
        "who has the id says the id"
    );
    let number = json!({ "description": "Id", "type": "integer" });
    assert_eq!(
        made("input: { owner: { type: integer, description: Id } }").1,
        [json!(["owner", false, number])]
    );
    let list = json!({ "type": "array", "items": { "type": "string" } });
    assert_eq!(
        made("input: { others: { type: array } }, command: add").1,
        [json!(["others", false, list])]
    );
    assert_eq!(made("command: add").0, "add");
    for (input, wrong) in [
        (
            "input: { nothing: {} }",
            "the tool has no argument `nothing`: name one by `argument`, or say the `type`",
        ),
        (
            "input: { name: { argument: nothing } }",
            "the tool has no argument `nothing`",
        ),
        ("input: { Name: { type: string } }", "`Name` is not a name"),
        ("command: Make", "`Make` is not the name of a command"),
        (
            "command: list-rows",
            "its command `list-rows` is that of list_rows, too",
        ),
    ] {
        let problems = with(input)
            .err()
            .unwrap_or_else(|| panic!("{input} compiles"))
            .to_string();
        assert!(problems.contains(wrong), "{problems}");
    }
}

#[test]
fn the_answer_of_an_action_is_described_by_its_filter() {
    let connector = compile("a.yaml", &format!("{HEAD}{FILE}")).unwrap();
    let of = |name: &str| {
        connector
            .actions()
            .iter()
            .find(|action| action.name == name)
            .unwrap()
            .answer
            .clone()
    };
    let rows = json!({ "type": "object", "properties": { "rows": { "type": "array", "items": { "type": "object", "properties": { "id": {}, "state": {} } } } } });
    assert_eq!(of("list_rows"), rows);
    assert_eq!(of("make_row"), json!({}));
}

#[test]
fn what_a_filter_does_not_say_of_its_keys_stands_beside_it() {
    let with = |types: &str| {
        let file = format!("{HEAD}{FILE}").replace("  list_rows:", &format!("  typed:\n    method: get\n    tool: list\n    args: '{{}}'\n    result: '{{rows: [.items[] | only([\"id\", \"of\"])], all: ., n: 1}}'\n    types: {types}\n  list_rows:"));
        compile("bad.yaml", &file)
    };
    let connector = with("{ id: integer, of: integer or null, all: object }")
        .unwrap_or_else(|problems| panic!("{problems}"));
    let typed = connector
        .actions()
        .iter()
        .find(|action| action.name == "typed")
        .unwrap();
    let row = json!({ "id": { "type": "integer" }, "of": { "type": ["integer", "null"] } });
    let keys = json!({
        "rows": { "type": "array", "items": { "type": "object", "properties": row } }, "all": { "type": "object" }, "n": { "type": "number" }
    });
    assert_eq!(
        typed.answer,
        json!({ "type": "object", "properties": keys })
    );
    for (types, wrong) in [
        (
            "{ id: int }",
            "actions.typed.types.id: `int` is no type: it is one of string, integer",
        ),
        (
            "{ ids: integer }",
            "actions.typed.types.ids: the result has no key `ids` whose type is not known",
        ),
        (
            "{ n: integer }",
            "the result has no key `n` whose type is not known",
        ),
    ] {
        let problems = with(types)
            .err()
            .unwrap_or_else(|| panic!("{types} compiles"))
            .to_string();
        assert!(problems.contains(wrong), "{problems}");
    }
}
