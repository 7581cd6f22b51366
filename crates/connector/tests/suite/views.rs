//! Views: held against what they name, chosen by the call, drawn from what came; a table and what
//! is missing where something is.

use std::sync::Arc;

use footbridge_connector::{
    Connector, ConnectorView, Drawing, DrawnKind, Options, ViewColumn, ViewColumns, compile,
};
use serde_json::{Map, Value, json};

use crate::fake::Fake;
use crate::golden::connector_file;
use crate::scripted::{HEAD, Scripted, ok, refused};

const PARTS: &str = r##"
upstream:
  base: http://localhost
  paging: { all: { kind: page, page: page, size: size, max_size: 9, rows: .rows } }
sources:
  project: { get: "/projects/{in}", keep: 5m }
  everywhere: { get: /statuses }
lookups:
  status: { from: project, rows: ".statuses[]" }
  state: { from: everywhere, rows: ".[]" }
  number: { one: { get: /number, query: { n: $value } } }
shapes:
  card: { id: integer, title: string, status: string, status_id: { type: integer, from: .status_ref, on_request: true }, due: string }
  curve: { p50: string, points: array }
records:
  card: { get: "/cards/{id}", patch: "/cards/{id}", create: { post: /cards, with: [project] }, delete: "/cards/{id}", fields: [title, status] }
tools:
  - &list
    name: cards
    title: List cards
    description: D
    effect: read
    fields: true
    input:
      project: { type: integer, description: P, required: true }
      status: { type: string, description: S, lookup: status, within: $args.project }
      mine: { type: boolean, description: M }
    steps: [{ get: /cards, query: { project: $args.project }, pages: all, row: card }]
    output: card
  - { <<: *list, name: all_cards, input: {} , steps: [{ get: /cards, pages: all, row: card }] }
  - name: card_change
    title: T
    description: D
    effect: write
    input:
      card: { type: integer, description: C, required: true }
      title: { type: string, description: T }
      status: { type: string, description: S }
      version: { type: integer, description: V }
    steps: [{ patch: "/cards/{card}", body: { title: $args.title, status: $args.status } }]
    changes: { card: $args.card }
  - name: card_make
    title: T
    description: D
    effect: write
    input:
      project: { type: integer, description: P, required: true }
      title: { type: string, description: T, required: true }
      status: { type: string, description: S, lookup: status, within: $args.project }
    steps: [{ post: /cards, body: { title: $args.title } }]
    makes: card
  - { name: open_card, title: T, description: D, effect: read, input: { id: { type: integer, description: I } }, steps: [{ get: "/cards/{id}" }], output: card }
  - { name: forecast, title: F, description: D, effect: read, fields: true, steps: [{ get: /forecast }], output: curve }
  - { name: burn, title: B, description: D, effect: read, input: { by_day: { type: boolean, description: D } }, steps: [{ get: /burn }], result: "{days: .days, total: .total}", output: object }
"##;

const BOARD: &str = r##"
views:
  cards:
    board: cards
    with: { fields: [title, status, status_id] }
    ask: { project: all_cards }
    group: status
    group_id: status_id
    columns: { lookup: status, limit: .limit, closed: .done }
    card: [title, due]
    move: card_change
    open: open_card
  mine: { board: cards, with: { mine: true }, group: status, columns: status, card: [title] }
  everything: { board: all_cards, group: status, columns: state, card: [title] }
  curve: { chart: forecast, title: Forecast, with: { fields: [points] }, rows: .points, x: day, y: share, marks: { P50: .p50 } }
  burn: { chart: burn, rows: [.days], x: day, y: [open, ideal], bars: true }
"##;

fn file(views: &str) -> String {
    format!("{HEAD}{PARTS}{views}")
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn view_of(connector: &Connector, tool: &str, arguments: Value) -> Arc<ConnectorView> {
    let view = connector.view_of(tool, &object(arguments));
    Arc::clone(view.unwrap_or_else(|| panic!("{tool} has no view")))
}

fn column(id: i64, name: &str) -> ViewColumn {
    ViewColumn {
        id: json!(id),
        name: name.to_owned(),
        limit: None,
        is_closed: None,
    }
}

#[test]
fn what_is_wrong_with_views_is_all_named_at_once() {
    let wrong = r##"
views:
  both: { board: cards, chart: forecast }
  nowhere: { board: crads, group: status, columns: status, card: [title] }
  writing: { board: card_change, group: status, columns: status, card: [title] }
  fields: { board: cards, id: number, group: state, group_id: stat_id, columns: status, card: [titel] }
  no_card: { board: cards, group: status, columns: status }
  no_group: { board: cards, columns: status, card: [title] }
  columns: { board: cards, group: status, columns: statuses, card: [title] }
  asks_one: { board: cards, group: status, columns: number, card: [title] }
  scope: { board: all_cards, group: status, columns: status, card: [title] }
  filters: { board: cards, group: status, columns: { lookup: status, within: $args.projekt, limit: ".a |" }, card: [title] }
  reading: { board: cards, group: status, columns: status, card: [title], move: open_card }
  moving: { board: cards, group: due, columns: status, card: [title], move: card_change, open: { tool: open_card, id: nr, with: { kind: x } } }
  arguments: { board: cards, with: { project: 1, colour: red, fields: [titel] }, ask: { projekt: all_cards, project: nothing }, group: status, columns: status, card: [title] }
  mixed: { board: cards, group: status, columns: status, card: [title], x: a, y: b, marks: { A: .a } }
  bare: { chart: forecast, group: a, card: [b] }
  paths: { chart: forecast, rows: ".points[]", x: day, y: share, marks: { P: .p5O } }
  made: { chart: burn, rows: .dayz, x: day, y: open }
  list: { chart: cards, x: dew, y: status }
  order: { board: cards, group: status, columns: status, card: [title], move: card_change, order: titel }
  placed: { board: cards, group: status, columns: status, card: [title], order: title }
"##;
    let problems = compile("views.yaml", &file(wrong)).unwrap_err();
    insta::assert_snapshot!(problems.to_string());
}

#[test]
fn a_call_is_shown_by_the_view_that_is_about_the_most_of_it() {
    let connector = compile("views.yaml", &file(BOARD)).unwrap();
    let name = |tool, arguments: Value| {
        let view = connector.view_of(tool, &object(arguments));
        view.map(|view| view.name.clone())
    };
    assert_eq!(name("cards", json!({"project": 1})).unwrap(), "cards");
    assert_eq!(name("cards", json!({"mine": false})).unwrap(), "cards");
    assert_eq!(name("cards", json!({"mine": true})).unwrap(), "mine");
    assert_eq!(name("open_card", json!({})), None);
    let board = view_of(&connector, "cards", json!({}));
    assert_eq!(
        board.whole(&object(json!({"project": 1, "fields": ["due"]}))),
        object(json!({"project": 1, "fields": ["title", "status", "status_id"]}))
    );
    let board = board.board().unwrap();
    let mover = board.mover.as_ref().unwrap();
    assert_eq!((&*mover.id, &*mover.column), ("card", "status"));
    assert_eq!(mover.order, None);
    let (editor, maker) = (
        board.editor.as_ref().unwrap(),
        board.maker.as_ref().unwrap(),
    );
    let fields = |fields: &Map<String, Value>| fields.keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&editor.fields), ["title", "status"]);
    assert_eq!(
        (&*maker.tool, &*maker.required),
        ("card_make", &["project".to_owned(), "title".to_owned()][..])
    );
    assert_eq!(maker.column.as_deref(), Some("status"));
    assert_eq!(board.opener.as_ref().unwrap().tool, "open_card");
}

fn script(seen: &crate::fake::Seen) -> crate::scripted::Answer {
    let statuses = json!([
        {"id": 3, "name": "New", "limit": 5, "done": false}, {"id": 1, "name": "Ready"},
        {"id": 2, "name": "Ready", "limit": null, "done": true}
    ]);
    match seen.path.as_str() {
        "/projects/7" => ok(json!({"statuses": statuses})),
        "/projects/8" => refused(403, json!({})),
        path if path.starts_with("/cards?") => ok(json!({"rows": [
            {"id": 10, "title": "A", "status": "Ready", "status_ref": 2},
            {"id": 11, "title": "B", "status": "New", "status_ref": 3}
        ]})),
        _ => ok(json!([])),
    }
}

async fn shown(scripted: &Scripted, tool: &str, arguments: Value) -> (Value, Drawing) {
    let view = view_of(scripted.backend.connector(), tool, arguments.clone());
    let options = Options {
        view: Some(Arc::clone(&view)),
        ..Options::default()
    };
    let called = scripted.backend.call_with(tool, object(arguments), options);
    let outcome = called.await.unwrap();
    let result = serde_json::from_str(&outcome.json).unwrap();
    let drawing = view.drawn(&result, outcome.columns);
    (result, drawing)
}

#[tokio::test]
async fn the_columns_of_a_board_come_with_its_cards_in_one_call() {
    let scripted = Scripted::new(&file(BOARD), script);
    let fields = json!(["title", "status", "status_id"]);
    let arguments = json!({"project": 7, "fields": fields});
    let (result, drawing) = shown(&scripted, "cards", arguments.clone()).await;
    assert_eq!(result["items"][0]["status_id"], 2);
    assert_eq!((drawing.kind, &drawing.problem), (DrawnKind::Board, &None));
    assert_eq!(
        Value::Object(drawing.members),
        json!({
            "rows": "items", "id": "id", "group": "status_id", "by": "id", "card": ["title", "due"],
            "columns": [
                {"id": "3", "value": 3, "name": "New", "limit": 5, "is_closed": false},
                {"id": "1", "value": 1, "name": "Ready", "is_closed": false},
                {"id": "2", "value": 2, "name": "Ready", "is_closed": true}
            ]
        })
    );
    // kept, as for any lookup
    shown(&scripted, "cards", arguments).await;
    let asked: Vec<String> = scripted
        .seen()
        .iter()
        .map(|seen| seen.path.clone())
        .collect();
    assert_eq!(
        asked.iter().filter(|path| *path == "/projects/7").count(),
        1,
        "{asked:?}"
    );

    // by the name alone two columns are one, and the whole view mends that
    let (_, drawing) = shown(&scripted, "cards", json!({"project": 7})).await;
    assert_eq!((drawing.kind, drawing.is_partial), (DrawnKind::Board, true));
    assert_eq!(
        (&drawing.members["group"], &drawing.members["by"]),
        (&json!("status"), &json!("name"))
    );
    assert!(
        drawing
            .problem
            .unwrap()
            .contains("Two columns are called \"Ready\"")
    );
}

#[tokio::test]
async fn a_board_whose_columns_cannot_be_read_is_grouped_by_what_its_cards_say() {
    let scripted = Scripted::new(&file(BOARD), script);
    let (_, drawing) = shown(&scripted, "cards", json!({"project": 8})).await;
    assert_eq!(drawing.kind, DrawnKind::Board);
    assert_eq!(drawing.members.get("columns"), None);
    assert!(drawing.problem.unwrap().contains("403"));
    // the cards are there all the same, and a call without a view asks nothing more
    let called = scripted
        .backend
        .call("cards", object(json!({"project": 8})));
    assert!(called.await.unwrap().columns.is_none());
}

#[tokio::test]
async fn a_model_is_a_board_by_the_columns_of_the_one_that_was_asked_for() {
    let fake = Fake::with_cards(2);
    let backend = fake.board();
    let view = view_of(backend.connector(), "card_list", json!({}));
    let board = view.board().unwrap();
    let tools = [
        &board.mover.as_ref().unwrap().tool,
        &board.opener.as_ref().unwrap().tool,
    ];
    assert_eq!(tools, ["card_update", "card_get"]);
    let maker = board.maker.as_ref().unwrap();
    assert_eq!(
        maker.taken,
        [("board_id".to_owned(), "filter.board_id".to_owned())]
    );
    let call = async |arguments: Value| {
        let options = Options {
            view: Some(Arc::clone(&view)),
            ..Options::default()
        };
        let called = backend.call_with("card_list", object(arguments), options);
        called.await.unwrap().columns.unwrap()
    };
    for arguments in [json!({}), json!({"filter": {"board_id": ["a", "b"]}})] {
        let why = call(arguments).await.unwrap_err();
        assert!(why.contains("not of one board alone"), "{why}");
    }
    let requests = fake.requests().len();
    let _of_a_card = call(json!({"filter": {"board_id": "id-00001"}})).await;
    let asked = fake.requests();
    assert!(
        asked[requests..]
            .iter()
            .any(|seen| seen.path.ends_with("/data/board/id-00001"))
    );
}

#[test]
fn a_field_that_is_missing_makes_a_table_that_says_which() {
    let connector = compile("views.yaml", &file(BOARD)).unwrap();
    let board = view_of(&connector, "cards", json!({}));
    let columns = || -> Option<ViewColumns> { Some(Ok(vec![column(1, "New"), column(2, "Done")])) };
    for (rows, missing) in [
        (json!([{"id": 1, "status": "New"}]), "title"),
        (
            json!([{"id": 1, "title": "A"}, {"id": 2, "title": "B"}]),
            "status",
        ),
        (
            json!([{"id": 1, "title": "A", "status": "New"}, {"title": "B"}]),
            "id",
        ),
    ] {
        let drawing = board.drawn(&json!({ "items": rows }), columns());
        assert_eq!((drawing.kind, drawing.is_partial), (DrawnKind::Table, true));
        let problem = format!("The view `cards` needs `{missing}`, which the rows do not have.");
        assert_eq!(drawing.problem, Some(problem));
    }
    // a value that some rows lack is no missing field, and no rows are a board of empty columns
    for result in [
        json!({"items": [{"id": 1, "title": "A", "status": "New"}, {"id": 2, "title": "B"}]}),
        json!({"items": []}),
        json!({}),
    ] {
        let drawing = board.drawn(&result, columns());
        assert_eq!(
            (drawing.kind, &drawing.problem),
            (DrawnKind::Board, &None),
            "{result}"
        );
        assert_eq!(drawing.members["columns"].as_array().unwrap().len(), 2);
    }
    let curve = view_of(&connector, "forecast", json!({}));
    let drawing = curve.drawn(&json!({"p50": "2026-12-01"}), None);
    assert_eq!(drawing.kind, DrawnKind::Record);
    assert_eq!(
        drawing.problem.as_deref(),
        Some("The view `curve` needs `points`, which the result does not have.")
    );
    let drawing = curve.drawn(&json!({"points": [{"day": "2026-12-01"}]}), None);
    assert_eq!(drawing.kind, DrawnKind::Table);
    assert_eq!(drawing.members["rows"], "points");
    assert!(drawing.problem.unwrap().contains("`share`"));
    let points = json!([{"day": "2026-12-01", "share": 0.5}]);
    let drawing = curve.drawn(&json!({"p50": "2026-12-01", "points": points}), None);
    assert_eq!(
        Value::Object(drawing.members),
        json!({"rows": "points", "x": "day", "y": ["share"], "line": true, "marks": {"P50": "2026-12-01"}})
    );
    let burn = view_of(&connector, "burn", json!({}));
    let drawing = burn.drawn(&json!({"days": [{"day": 1, "open": 3, "ideal": 2}]}), None);
    assert_eq!(
        (&drawing.members["y"], &drawing.members["line"]),
        (&json!(["open", "ideal"]), &json!(false))
    );
}

#[test]
fn sixty_columns_are_shown_and_thousands_are_not() {
    let connector = compile("views.yaml", &file(BOARD)).unwrap();
    let board = view_of(&connector, "cards", json!({}));
    let rows = json!({"items": [{"id": 1, "title": "A", "status": "Column 3"}]});
    let columns = |count: i64| {
        Some(Ok((0..count)
            .map(|n| column(n, &format!("Column {n}")))
            .collect()))
    };
    let drawing = board.drawn(&rows, columns(60));
    assert_eq!(drawing.members["columns"].as_array().unwrap().len(), 60);
    assert_eq!(
        (&drawing.members["by"], drawing.problem),
        (&json!("name"), None)
    );
    let drawing = board.drawn(&rows, columns(3000));
    assert_eq!(drawing.members["columns"].as_array().unwrap().len(), 200);
    assert!(drawing.problem.unwrap().contains("There are 3000 columns"));
}

#[test]
fn the_built_in_connectors_have_the_views_that_people_look_for() {
    let views = |name: &str| {
        let file = format!("{name}.yaml");
        let connector = compile(&file, &connector_file(&file)).unwrap();
        let views = connector.views().iter();
        views.map(|view| view.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(views("board"), ["board"]);
    assert_eq!(views("taiga"), ["stories", "sprint", "burndown"]);
    assert_eq!(views("trueppm"), ["board", "forecast", "burndown"]);
    assert!(views("ptm").is_empty(), "nobody published what a run holds");
}
