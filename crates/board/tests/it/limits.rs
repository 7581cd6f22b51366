//! Every limit, on both sides of its edge.

use serde_json::{Value, json};

use crate::harness::{TestBoard, create, get, id, refused, send};

async fn accepted(board: &TestBoard, model: &str, body: &Value) -> bool {
    let (status, answer) = send(
        &board.local(),
        "POST",
        &format!("/xapi2/data/{model}"),
        Some(body),
    )
    .await;
    assert!(
        status == 201 || (status == 400 && answer["detail"].is_string()),
        "{status}: {answer}"
    );
    status == 201
}

#[tokio::test]
async fn texts_are_counted_in_characters() {
    let board = TestBoard::new().await;
    for (model, field, most) in [
        ("board", "name", 200),
        ("board", "description", 2000),
        ("card", "title", 200),
        ("card", "description", 4000),
        ("card", "status", 64),
        ("card", "due_date", 32),
    ] {
        for (length, expected) in [(most, true), (most + 1, false)] {
            let mut body = json!({ "name": "B" });
            if model == "card" {
                body = json!({ "title": "C" });
            }
            body[field] = Value::from("ü".repeat(length));
            assert_eq!(
                accepted(&board, model, &body).await,
                expected,
                "{model}.{field} {length}"
            );
        }
    }
}

#[tokio::test]
async fn tags_columns_and_objects_have_their_limits() {
    let board = TestBoard::new().await;
    let columns = |count: usize| {
        (0..count)
            .map(|key| json!({ "key": key.to_string(), "title": "T" }))
            .collect::<Value>()
    };
    let column =
        |key: usize, title: usize| json!([{ "key": "k".repeat(key), "title": "t".repeat(title) }]);
    let deep = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
    let large = |bytes: usize| json!({ "a": "x".repeat(bytes - r#"{"a":""}"#.len()) });
    let cases = [
        ("tags", json!(vec!["t"; 50]), true),
        ("tags", json!(vec!["t"; 51]), false),
        ("tags", json!(["t".repeat(100)]), true),
        ("tags", json!(["t".repeat(101)]), false),
        ("tags", json!([""]), false),
        ("tags", json!([7]), false),
        ("columns", columns(50), true),
        ("columns", columns(51), false),
        ("columns", column(64, 200), true),
        ("columns", column(65, 200), false),
        ("columns", column(64, 201), false),
        ("settings", deep(16), true),
        ("settings", deep(17), false),
        ("settings", large(64 * 1024), true),
        ("settings", large(64 * 1024 + 1), false),
        ("settings", json!([]), false),
        ("description", json!("a\u{0}b"), false),
        ("settings", json!({ "a\u{0}": 1 }), false),
    ];
    for (field, value, expected) in cases {
        let body = json!({ "name": "B", field: value });
        assert_eq!(
            accepted(&board, "board", &body).await,
            expected,
            "{field} {}",
            body.to_string().len()
        );
    }
}

#[tokio::test]
async fn a_page_is_never_larger_than_its_model_allows() {
    let board = TestBoard::new().await;
    let service = board.local();
    for number in 0..51 {
        create(&service, "board", json!({ "name": number.to_string() })).await;
    }
    for (limit, count) in [
        ("1", 1),
        ("49", 49),
        ("50", 50),
        ("51", 50),
        ("9999", 50),
        ("99999999999999999999999", 50),
    ] {
        let page = get(&service, &format!("/xapi2/data/board?limit={limit}")).await;
        assert_eq!(
            page["meta"],
            json!({ "count": count, "has_more": true }),
            "{limit}"
        );
    }
    assert_eq!(
        get(&service, "/xapi2/data/board").await["meta"],
        json!({ "count": 50, "has_more": true })
    );
    assert_eq!(
        get(&service, "/xapi2/data/board?offset=1").await["meta"],
        json!({ "count": 50, "has_more": false })
    );
    assert_eq!(
        get(&service, "/xapi2/data/board?offset=51").await["meta"],
        json!({ "count": 0, "has_more": false })
    );
}

#[tokio::test]
async fn the_parts_of_a_query_have_their_limits() {
    let board = TestBoard::new().await;
    let service = board.local();
    let values = |count: usize| (0..count).map(|_| "status=a").collect::<Vec<_>>().join("&");
    let cases = [
        (format!("q={}", "ü".repeat(200)), None),
        (
            format!("q={}", "a".repeat(201)),
            Some((400, "q has 201 characters, at most 200")),
        ),
        ("offset=100000".to_owned(), None),
        (
            "offset=100001".to_owned(),
            Some((400, "offset is larger than 100000")),
        ),
        (
            "offset=99999999999999999999".to_owned(),
            Some((400, "offset is larger than 100000")),
        ),
        (values(200), None),
        (
            values(201),
            Some((400, "there are 201 filter values, at most 200")),
        ),
        (format!("q={}", "&".repeat(16 * 1024 - 2)), None),
        (
            format!("q={}", "&".repeat(16 * 1024 - 1)),
            Some((414, "longer than 16384 bytes")),
        ),
    ];
    for (query, refusal) in cases {
        let target = format!("/xapi2/data/card?{}", query.replace('ü', "%C3%BC"));
        match refusal {
            None => assert_eq!(get(&service, &target).await["meta"]["count"], 0),
            Some((status, named)) => {
                let detail = refused(&service, "GET", &target, None, status).await;
                assert!(detail.contains(named), "{named} in {detail}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_read_and_one_more_byte_is_not() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    let body = |bytes: usize| {
        let bare = r#"{"title": ""}"#.len();
        format!(r#"{{"title": "{}"}}"#, "x".repeat(bytes - bare))
    };
    for (target, token, most) in [
        ("/xapi2/data/card", Some(token.as_str()), 1024 * 1024),
        ("/xapi2/auth/login", None, 4 * 1024),
    ] {
        let within = board.client("POST", target, token, Some(&body(most))).await;
        assert_eq!(within.status, 400, "{}", within.text);
        let beyond = board
            .client("POST", target, token, Some(&body(most + 1)))
            .await;
        assert_eq!(beyond.status_line, "HTTP/1.1 413 Payload Too Large");
        assert!(beyond.detail().contains(&format!("{most} bytes")));
    }
    for (bytes, status) in [(1024 * 1024, 204), (1024 * 1024 + 1, 413)] {
        assert_eq!(
            board
                .client(
                    "POST",
                    "/xapi2/analytics/track",
                    None,
                    Some(&"x".repeat(bytes))
                )
                .await
                .status,
            status
        );
    }
}

#[tokio::test]
async fn a_media_type_is_asked_for_where_a_body_is_read() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    for (method, target) in [
        ("POST", "/xapi2/auth/login"),
        ("POST", "/xapi2/analytics/track"),
        ("POST", "/xapi2/data/card"),
        (
            "PATCH",
            "/xapi2/data/card/0198c0de-0000-7000-8000-000000000000",
        ),
    ] {
        for (content_type, is_asked_for) in [
            ("", true),
            ("Content-Type: text/plain\r\n", true),
            ("Content-Type: application/json; charset=utf-8\r\n", false),
            ("Content-Type: application/merge-patch+json\r\n", false),
        ] {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{content_type}Content-Length: 2\r\n\
                 Connection: close\r\n\r\n{{}}"
            );
            let answer = board.raw(request.as_bytes()).await;
            assert_eq!(
                answer.status == 415,
                is_asked_for,
                "{target} {content_type:?}: {}",
                answer.text
            );
        }
    }
}

#[tokio::test]
async fn a_long_value_is_cut_in_the_message() {
    let board = TestBoard::new().await;
    let detail = refused(
        &board.local(),
        "POST",
        "/xapi2/data/card",
        Some(&json!({ "title": ["é".repeat(5000)] })),
        400,
    )
    .await;
    assert!(detail.contains("...") && detail.len() < 300, "{detail}");
    let row = create(&board.local(), "card", json!({ "title": "T" })).await;
    assert!(
        refused(
            &board.local(),
            "GET",
            &format!("/xapi2/data/card/{}{}", id(&row), "x".repeat(3000)),
            None,
            404
        )
        .await
        .len()
            < 300
    );
}
