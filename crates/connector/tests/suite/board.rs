//! The committed `connectors/prodmcp.yaml`: its eleven tools, called over a service in this process.

use axum::body::Body;
use footbridge_connector::{
    FieldKind, InProcess, ModelField, ModelOperation, ModelReference, ToolEffect, compile,
};
use serde_json::{Value, json};

use crate::fake::{Fake, call};
use crate::golden::connector_file;

/// Name and title of every tool of the reference, in its order.
const REFERENCE: [(&str, &str); 11] = [
    ("board_list", "List board objects"),
    ("board_get", "Get one board"),
    ("board_create", "Create a board"),
    ("board_update", "Update a board"),
    ("board_delete", "Delete a board"),
    ("card_list", "List card objects"),
    ("card_get", "Get one card"),
    ("card_create", "Create a card"),
    ("card_update", "Update a card"),
    ("card_delete", "Delete a card"),
    ("whoami", "Current signed-in user"),
];

#[test]
fn the_tools_are_those_of_the_reference_in_its_order() {
    let connector = compile("prodmcp.yaml", &connector_file("prodmcp.yaml")).unwrap();
    let tools: Vec<(&str, &str)> = connector
        .tools()
        .iter()
        .map(|tool| (tool.name.as_str(), tool.title.as_str()))
        .collect();
    assert_eq!(tools, REFERENCE);
    for tool in connector.tools() {
        let effect = match tool.name.as_str() {
            name if name.ends_with("_delete") => ToolEffect::Destroy,
            name if name.ends_with("_create") || name.ends_with("_update") => ToolEffect::Write,
            _ => ToolEffect::Read,
        };
        assert_eq!(tool.effect, effect, "{}", tool.name);
        assert_eq!(tool.annotations.read_only, effect == ToolEffect::Read);
        assert_eq!(tool.annotations.destructive, effect == ToolEffect::Destroy);
    }
    assert_eq!(
        connector.tool("board_create").unwrap().input_schema["required"],
        json!(["name"])
    );
    assert_eq!(
        connector.tool("card_create").unwrap().input_schema["required"],
        json!(["title"])
    );
    let nullable = &connector.tool("card_update").unwrap().nullable;
    assert!(
        nullable.contains(&"due_date".to_owned()) && !nullable.contains(&"title".to_owned()),
        "{nullable:?}"
    );
    assert!(connector.tool("card_create").unwrap().nullable.is_empty());
}

/// The profile that every known client takes.
fn safe(schema: &Value, at: &str) {
    let kind = schema["type"]
        .as_str()
        .unwrap_or_else(|| panic!("{at}: one type"));
    assert!(
        ["string", "integer", "number", "boolean", "object", "array"].contains(&kind),
        "{at}: {kind}"
    );
    for banned in ["anyOf", "oneOf", "allOf", "not", "$ref", "$defs", "const"] {
        assert!(schema.get(banned).is_none(), "{at}: {banned}");
    }
    if let Some(values) = schema.get("enum") {
        assert!(
            kind == "string" && values.as_array().unwrap().iter().all(Value::is_string),
            "{at}: enum"
        );
    }
    assert_eq!(
        kind == "array",
        schema.get("items").is_some(),
        "{at}: items"
    );
    if let Some(items) = schema.get("items") {
        safe(items, at);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        assert!(
            property["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{at}.{name}: description"
        );
        safe(property, &format!("{at}.{name}"));
    }
}

#[test]
fn every_schema_keeps_to_the_safe_profile() {
    let connector = compile("prodmcp.yaml", &connector_file("prodmcp.yaml")).unwrap();
    for tool in connector.tools() {
        safe(&tool.input_schema, &tool.name);
        assert_eq!(tool.input_schema["type"], "object");
        assert_eq!(
            tool.input_schema["additionalProperties"], false,
            "{}",
            tool.name
        );
        assert!(tool.description.len() < 300, "{}", tool.name);
    }
}

#[test]
fn the_models_are_handed_over_as_written() {
    let connector = compile("prodmcp.yaml", &connector_file("prodmcp.yaml")).unwrap();
    let model = |name: &str| {
        let mut models = connector.models();
        models.find(|model| model.name == name).unwrap()
    };
    let field = |of: &str, name: &str| {
        let mut fields = model(of).fields.iter();
        fields.find(|field| field.name == name).unwrap()
    };
    assert_eq!(model("card").path, "/data/card");
    assert_eq!(
        *field("card", "title"),
        ModelField {
            column_of: None,
            name: "title".to_owned(),
            kind: FieldKind::String,
            max_length: Some(200),
            values: Vec::new(),
            reference: None,
            is_required: true,
            description: Some("Title of the card.".to_owned()),
        }
    );
    assert_eq!(
        field("card", "board_id").reference,
        Some(ModelReference {
            model: "board".to_owned(),
            is_owned: true,
            is_optional: true
        })
    );
    assert_eq!(
        field("card", "priority").values,
        ["low", "medium", "high", "critical"]
    );
    let fields = model("board").fields.iter();
    assert_eq!(
        fields.map(|field| field.name.as_str()).collect::<Vec<_>>(),
        [
            "name",
            "description",
            "accent",
            "settings",
            "tags",
            "columns"
        ]
    );
    assert_eq!(
        (
            model("board").max_limit,
            model("board").default_sort.as_deref()
        ),
        (50, Some("created_at"))
    );
    assert_eq!(
        model("board").operations,
        [
            ModelOperation::List,
            ModelOperation::Read,
            ModelOperation::Create,
            ModelOperation::Update,
            ModelOperation::Delete
        ]
    );
}

#[tokio::test]
async fn a_card_lives_and_dies() {
    let fake = Fake::default();
    let board = fake.board();
    let made = call(
        &board,
        "card_create",
        json!({"title": "One", "status": "todo", "due_date": null, "position": 1}),
    )
    .await
    .unwrap();
    assert_eq!(
        made,
        json!({"id": "id-00001", "title": "One", "status": "todo", "position": 1, "created_at": "c", "updated_at": "u"})
    );
    let moved = call(
        &board,
        "card_update",
        json!({"id": "id-00001", "status": "done", "due_date": null, "title": null}),
    )
    .await
    .unwrap();
    assert_eq!(
        (&moved["status"], &moved["title"]),
        (&json!("done"), &json!("One"))
    );
    assert_eq!(
        call(&board, "card_get", json!({"id": "id-00001"}))
            .await
            .unwrap(),
        moved
    );
    assert_eq!(
        call(&board, "card_delete", json!({"id": "id-00001"}))
            .await
            .unwrap(),
        json!({"deleted": "id-00001"})
    );
    let gone = call(&board, "card_get", json!({"id": "id-00001"}))
        .await
        .unwrap_err();
    assert!(gone.message().contains("There is no such card"), "{gone}");
    let seen = fake.requests();
    assert_eq!(
        seen[0].body,
        json!({"title": "One", "status": "todo", "position": 1}),
        "a null in a create is left out"
    );
    assert_eq!(
        seen[1].body,
        json!({"status": "done", "due_date": null}),
        "a null clears an optional field only"
    );
    let methods: Vec<&str> = seen.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(methods, ["POST", "PATCH", "GET", "DELETE", "GET"]);
    assert!(
        seen.iter()
            .all(|seen| seen.authorization.as_deref() == Some("Bearer pat_secret"))
    );
    assert_eq!(
        call(&board, "whoami", json!({})).await.unwrap()["email"],
        "a@example.org"
    );
}

#[tokio::test]
async fn an_id_cannot_leave_its_path() {
    let fake = Fake::default();
    let board = fake.board();
    call(&board, "card_get", json!({"id": "../../auth/me"}))
        .await
        .unwrap_err();
    assert_eq!(
        fake.requests()[0].path,
        "/xapi2/data/card/..%2F..%2Fauth%2Fme"
    );
    for id in ["", ".", ".."] {
        assert!(
            call(&board, "card_delete", json!({"id": id}))
                .await
                .is_err()
        );
    }
    assert_eq!(fake.requests().len(), 1, "nothing more was sent");
}

#[tokio::test]
async fn filters_go_out_by_their_wire_keys() {
    let fake = Fake::with_cards(3);
    let board = fake.board();
    for filter in [
        json!({"status": "todo"}),
        json!({"data__status": ["todo"]}),
        json!({"status": ["todo", "done"], "is_archived": false, "assignee": "a b&c"}),
    ] {
        let list = call(
            &board,
            "card_list",
            json!({"filter": filter, "sort": "-created_at", "q": "é"}),
        )
        .await
        .unwrap();
        assert_eq!(list["items"].as_array().unwrap().len(), 3);
    }
    let paths: Vec<String> = fake.requests().into_iter().map(|seen| seen.path).collect();
    assert_eq!(
        paths[0],
        "/xapi2/data/card?sort=-created_at&q=%C3%A9&data__status=todo"
    );
    assert_eq!(
        paths[1], paths[0],
        "the friendly and the wire key mean the same"
    );
    assert_eq!(
        paths[2],
        "/xapi2/data/card?sort=-created_at&q=%C3%A9&data__assignee=a+b%26c&data__status=done&data__status=todo&is_archived=false"
    );
    let boards = call(
        &board,
        "board_list",
        json!({"filter": {"status": "active"}}),
    )
    .await
    .unwrap();
    assert_eq!(boards["items"].as_array().unwrap().len(), 3);
    assert_eq!(
        fake.requests()[3].path,
        "/xapi2/data/board?status=active",
        "a board has no status of its own"
    );
    let error = call(
        &board,
        "card_list",
        json!({"filter": {"colour": "x", "size": 1}}),
    )
    .await
    .unwrap_err();
    assert_eq!(
        error.message(),
        "There is no filter `colour`, `size` for a card. The filters are: status, priority, tags, assignee, board_id, is_archived, owned_by."
    );
}

pub(crate) fn ids(list: &Value) -> Vec<String> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// An empty list of a board that is not there is the refusal of that board.
#[tokio::test]
async fn cards_of_a_board_that_is_not_there_are_refused() {
    let fake = Fake::with_cards(2);
    let board = fake.board();
    for wanted in [json!({}), json!({"all": true}), json!({"limit": 1})] {
        let mut wanted = wanted;
        wanted["filter"] = json!({"board_id": "nowhere", "status": "none of them"});
        let refusal = call(&board, "card_list", wanted).await.unwrap_err();
        assert_eq!(refusal.status(), Some(404), "{refusal}");
        assert!(
            refusal.message().contains("There is no such card"),
            "in the backend's words: {refusal}"
        );
    }
    assert!(
        fake.requests()
            .iter()
            .any(|seen| seen.path == "/xapi2/data/board/nowhere")
    );
    // a board that is there is empty; several boards, or none, say nothing of any of them
    for id in [
        json!("id-00001"),
        json!(["nowhere", "elsewhere"]),
        json!(""),
    ] {
        let found = call(
            &board,
            "card_list",
            json!({"filter": {"board_id": id, "status": "none of them"}}),
        )
        .await
        .unwrap();
        assert_eq!(ids(&found), [""; 0], "{id}");
    }
    // what has rows is not asked about
    let before = fake.requests().len();
    call(
        &board,
        "card_list",
        json!({"filter": {"board_id": "id-00001", "status": "todo"}}),
    )
    .await
    .unwrap();
    assert_eq!(fake.requests().len(), before + 1);
}

#[tokio::test]
async fn filters_have_a_limit_of_values() {
    let board = Fake::default().board();
    for (count, good) in [(100, true), (101, false)] {
        let values: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        let result = call(&board, "card_list", json!({"filter": {"assignee": values}})).await;
        assert_eq!(result.is_ok(), good, "{count}");
    }
    for filter in [
        json!({"status": []}),
        json!({"status": {"a": 1}}),
        json!({"status": [["a"]]}),
        json!("todo"),
    ] {
        assert!(
            call(&board, "card_list", json!({"filter": filter}))
                .await
                .is_err(),
            "{filter}"
        );
    }
    for filter in [
        json!(null),
        json!({}),
        json!({"status": null}),
        json!({"status": [null, "todo"]}),
    ] {
        assert!(
            call(&board, "card_list", json!({"filter": filter}))
                .await
                .is_ok(),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn without_a_token_no_header_is_sent() {
    let fake = Fake::with_cards(1);
    let connector = compile("prodmcp.yaml", &connector_file("prodmcp.yaml")).unwrap();
    let settings = connector.settings(&|_| None).unwrap();
    assert_eq!(settings.base(), "https://deploysition.cloud/xapi2");
    let upstream = std::sync::Arc::new(InProcess::<_, Body>::new(fake.router()));
    let (one, two) = (
        connector.connect(settings.clone(), upstream.clone()),
        connector.connect(settings, upstream),
    );
    call(&one, "card_list", json!({})).await.unwrap();
    call(&two.clone(), "card_get", json!({"id": "id-00001"}))
        .await
        .unwrap();
    assert!(
        fake.requests().len() == 2
            && fake
                .requests()
                .iter()
                .all(|seen| seen.authorization.is_none())
    );
}

#[test]
fn a_call_can_be_sent_to_another_task() {
    fn needs<F: Future + Send + 'static>(_: &F) {}
    let board = Fake::default().board();
    let future = board.call("card_list", serde_json::Map::new());
    drop(board);
    needs(&future);
}
