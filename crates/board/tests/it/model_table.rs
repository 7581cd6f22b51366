//! The model table comes as data: another table makes another API, and a wrong one is refused with
//! every problem.

use footbridge_board::{BoardField, BoardFieldKind, BoardModel, Models, RowOperation};
use footbridge_store::StoreOptions;
use serde_json::json;

use crate::harness::{TestBoard, column, create, get, refused, send};

fn notes() -> Models {
    let text = BoardField {
        description: Some("What is noted".to_owned()),
        ..BoardField::new("text", BoardFieldKind::text(None))
    };
    let note = BoardModel {
        create: ["text", "link", "stars", "weight", "is_done", "extra"]
            .map(str::to_owned)
            .to_vec(),
        filters: ["data__stars", "data__is_done", "data__weight", "data__link"]
            .map(str::to_owned)
            .to_vec(),
        sorts: ["created_at", "data__stars", "data__is_done"]
            .map(str::to_owned)
            .to_vec(),
        ..BoardModel::new(
            "note",
            &[RowOperation::List, RowOperation::Read, RowOperation::Create],
            vec![
                text,
                BoardField::new("link", BoardFieldKind::url(Some(40))),
                BoardField::new("stars", BoardFieldKind::Integer),
                BoardField::new("weight", BoardFieldKind::Number),
                BoardField::new("is_done", BoardFieldKind::Boolean),
                BoardField::new("extra", BoardFieldKind::Any),
                BoardField::new("secret", BoardFieldKind::text(None)),
            ],
        )
    };
    Models::new(vec![note]).unwrap()
}

#[tokio::test]
async fn an_invented_table_is_served_with_its_own_types() {
    let board = TestBoard::with(notes(), StoreOptions::default()).await;
    let service = board.local();
    for (stars, weight, is_done) in [
        (3, 1.5, true),
        (-1, 2.0, false),
        (9_007_199_254_740_993_i64, 0.0, true),
    ] {
        create(
            &service,
            "note",
            json!({ "stars": stars, "weight": weight, "is_done": is_done, "link": "https://example.org/a?b" }),
        )
        .await;
    }
    let cases: [(&str, &[i64]); 8] = [
        ("sort=-data__stars", &[9_007_199_254_740_993, 3, -1]),
        ("stars=3&stars=-1&sort=data__stars", &[-1, 3]),
        ("data__stars=3.0", &[3]),
        ("stars=9007199254740993", &[9_007_199_254_740_993]),
        ("is_done=True&sort=data__stars", &[3, 9_007_199_254_740_993]),
        ("is_done=false", &[-1]),
        ("weight=2", &[-1]),
        (
            "link=https%3A%2F%2Fexample.org%2Fa%3Fb&sort=-created_at",
            &[9_007_199_254_740_993, -1, 3],
        ),
    ];
    for (query, stars) in cases {
        assert_eq!(
            column(
                &get(&service, &format!("/xapi2/data/note?{query}")).await,
                "stars"
            ),
            stars,
            "{query}"
        );
    }
}

#[tokio::test]
async fn operations_and_fields_that_the_table_leaves_out_are_closed() {
    let board = TestBoard::with(notes(), StoreOptions::default()).await;
    let service = board.local();
    let note = create(&service, "note", json!({ "text": "One" })).await;
    let path = format!("/xapi2/data/note/{}", note["id"].as_str().unwrap());
    refused(
        &service,
        "PATCH",
        &path,
        Some(&json!({ "text": "Two" })),
        405,
    )
    .await;
    refused(&service, "DELETE", &path, None, 405).await;
    let answer = board
        .client(
            "DELETE",
            &path,
            Some(
                &board
                    .token(footbridge_store::AccountId::local(), &["note:write"])
                    .await,
            ),
            None,
        )
        .await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")));
    let detail = refused(
        &service,
        "POST",
        "/xapi2/data/note",
        Some(&json!({ "secret": "x" })),
        400,
    )
    .await;
    assert!(
        detail.contains("\"secret\" is no field of a note"),
        "{detail}"
    );
    refused(&service, "GET", "/xapi2/data/card", None, 404).await;
}

#[tokio::test]
async fn each_type_refuses_what_it_is_not() {
    let board = TestBoard::with(notes(), StoreOptions::default()).await;
    let service = board.local();
    let cases = [
        ("stars", json!(1.5), "must be an integer"),
        ("stars", json!("1"), "must be an integer"),
        (
            "stars",
            json!(18_446_744_073_709_551_615_u64),
            "must be an integer",
        ),
        ("weight", json!("1"), "must be a number"),
        ("is_done", json!("true"), "must be true or false"),
        ("is_done", json!(1), "must be true or false"),
        ("link", json!("example.org"), "must be an http or https URL"),
        (
            "link",
            json!("ftp://example.org"),
            "must be an http or https URL",
        ),
        (
            "link",
            json!("javascript:alert(1)"),
            "must be an http or https URL",
        ),
        (
            "link",
            json!(format!("https://example.org/{}", "a".repeat(30))),
            "at most 40",
        ),
        ("text", json!({}), "must be a string"),
    ];
    for (field, value, named) in cases {
        let detail = refused(
            &service,
            "POST",
            "/xapi2/data/note",
            Some(&json!({ field: value })),
            400,
        )
        .await;
        assert!(
            detail.starts_with(field) && detail.contains(named),
            "{detail}"
        );
    }
    for value in [json!(7), json!([{ "a": null }]), json!("text")] {
        let (status, row) = send(
            &service,
            "POST",
            "/xapi2/data/note",
            Some(&json!({ "extra": value })),
        )
        .await;
        assert_eq!((status.as_u16(), &row["data"]["extra"]), (201, &value));
    }
}

#[test]
fn a_wrong_table_is_refused_with_every_problem() {
    let refers_to_folder = BoardField {
        reference: Some("folder".to_owned()),
        ..BoardField::new("parent", BoardFieldKind::Integer)
    };
    let note = BoardModel {
        path: "/notes".to_owned(),
        create: vec!["none".to_owned()],
        update: vec!["nothing".to_owned()],
        filters: ["data__none", "data__map", "data__Bad", "title"]
            .map(str::to_owned)
            .to_vec(),
        sorts: ["data__map", "name"].map(str::to_owned).to_vec(),
        max_limit: 0,
        ..BoardModel::new(
            "note",
            &[RowOperation::List],
            vec![
                BoardField::new("Bad", BoardFieldKind::text(None)),
                BoardField::new("kind", BoardFieldKind::Choice(Vec::new())),
                BoardField::new("mood", BoardFieldKind::Choice(vec![String::new()])),
                BoardField::new("short", BoardFieldKind::text(Some(0))),
                BoardField::new("link", BoardFieldKind::url(Some(0))),
                refers_to_folder,
                BoardField::new("map", BoardFieldKind::Object),
                BoardField::new("short", BoardFieldKind::Tags),
            ],
        )
    };
    let wide = BoardModel {
        max_limit: 1001,
        default_sort: Some("-created_at".to_owned()),
        ..BoardModel::new("wide", &[RowOperation::List], Vec::new())
    };
    let other = BoardModel::new("Other", &[], Vec::new());
    let models = vec![note, wide.clone(), other, wide];
    let error = Models::new(models).unwrap_err();
    for named in [
        "note.path",
        "note.fields.Bad",
        "note.fields.kind.values",
        "note.fields.mood.values",
        "note.fields.short.max_len",
        "note.fields.link.max_len",
        "note.fields.parent.ref.model",
        "note.fields.parent.ref:",
        "note.fields.short: the field is there twice",
        "note.create: there is no field \"none\"",
        "note.update: there is no field \"nothing\"",
        "\"data__none\"",
        "\"data__map\" cannot",
        "\"data__Bad\" names no field",
        "\"title\"",
        "\"data__map\" has no order",
        "\"name\"",
        "note.max_limit",
        "note.default_sort",
        "wide.max_limit",
        "wide.default_sort: \"-created_at\"",
        "wide: the model is there twice",
        "Other: a model's name",
    ] {
        assert!(
            error.problems.iter().any(|problem| problem.contains(named)),
            "{named} in {error:#?}"
        );
    }
    assert!(Models::new(Vec::new()).is_err());
}
