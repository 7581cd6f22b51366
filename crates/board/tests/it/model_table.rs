//! The model table comes as data: another table makes another API, and a wrong one is refused with
//! every problem.

use footbridge_board::Models;
use footbridge_store::StoreOptions;
use serde_json::{Value, json};

use crate::harness::{TestBoard, column, create, get, refused, send};

fn notes() -> Models {
    let section = json!({ "note": {
        "path": "/data/note",
        "ops": ["list", "read", "create"],
        "fields": {
            "text": { "type": "string", "description": "What is noted" },
            "link": { "type": "url", "max_len": 40 },
            "stars": { "type": "integer" },
            "weight": { "type": "number" },
            "is_done": { "type": "bool" },
            "extra": { "type": "any" },
            "secret": { "type": "string" },
        },
        "create": ["text", "link", "stars", "weight", "is_done", "extra"],
        "filters": ["data__stars", "data__is_done", "data__weight", "data__link"],
        "sorts": ["created_at", "data__stars", "data__is_done"],
    }});
    Models::from_json(&section).unwrap()
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
    let section: Value = json!({
        "note": {
            "path": "/notes",
            "ops": ["list"],
            "fields": {
                "Bad": { "type": "string" },
                "kind": { "type": "enum" },
                "size": { "type": "integer", "max_len": 3, "values": ["a"] },
                "parent": { "type": "integer", "ref": { "model": "folder" } },
                "map": { "type": "dict" },
            },
            "create": ["none"],
            "filters": ["data__none", "data__map", "title"],
            "sorts": ["data__map", "name"],
            "max_limit": 0,
        },
        "Other": { "path": "/data/Other", "ops": [], "fields": {}, "sorts": ["created_at"] },
        "third": { "path": "/data/third", "ops": ["list"], "fields": {}, "sorts": ["created_at"], "color": "red" },
    });
    let error = Models::from_json(&section).unwrap_err();
    for named in [
        "note.path",
        "note.fields.Bad",
        "note.fields.kind.values",
        "note.fields.size.max_len",
        "note.fields.size.values",
        "note.fields.parent.ref.model",
        "note.fields.parent.ref",
        "note.create",
        "\"data__none\"",
        "\"data__map\" cannot",
        "\"title\"",
        "\"data__map\" has no order",
        "\"name\"",
        "note.max_limit",
        "note.default_sort",
        "Other: a model's name",
        "third: unknown field `color`",
    ] {
        assert!(
            error.problems.iter().any(|problem| problem.contains(named)),
            "{named} in {error:#?}"
        );
    }
    assert!(Models::from_json(&json!([])).is_err());
    assert!(Models::from_json(&json!({})).is_err());
}
