//! Every request that the published client is known to send, as it sends it, and what it needs to
//! read.

use serde_json::{Value, json};

use crate::harness::{TestBoard, create, id};

#[tokio::test]
async fn the_version_route_always_answers_the_client_s_own_version() {
    let board = TestBoard::new().await;
    let answer = board.client("GET", "/xapi2/mcp/version", None, None).await;
    assert_eq!(answer.status_line, "HTTP/1.1 200 OK");
    assert_eq!(answer.text, r#"{"version":"1.0.2"}"#);
}

#[tokio::test]
async fn there_is_no_script_to_replace_the_client_with() {
    let board = TestBoard::new().await;
    let request = format!(
        "GET /xapi2/mcp/script HTTP/1.1\r\nAccept-Encoding: identity\r\nHost: {}\r\nUser-Agent: prodmcp/1.0.2 (mcp; linux; py3.11.7)\r\nConnection: close\r\n\r\n",
        board.address
    );
    let answer = board.raw(request.as_bytes()).await;
    assert_eq!(answer.status_line, "HTTP/1.1 404 Not Found");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(!answer.detail().is_empty());
}

#[tokio::test]
async fn usage_data_is_answered_and_dropped() {
    let board = TestBoard::new().await;
    let event = r#"{"device_id": "3f0c", "session_id": "9a", "events": [{"type": "mcp.serve_start", "ts_client": 1780000000, "meta": {}}], "meta": {"channel": "mcp"}}"#;
    for body in [event, "not json at all", ""] {
        let answer = board
            .client("POST", "/xapi2/analytics/track", None, Some(body))
            .await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    }
}

#[tokio::test]
async fn a_board_and_its_cards_are_made_read_changed_and_deleted() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    let token = Some(token.as_str());

    let me = board
        .client("GET", "/xapi2/auth/me", token, None)
        .await
        .json();
    assert_eq!(
        (&me["name"], &me["email"], &me["role"]),
        (&json!("local"), &Value::Null, &json!("admin"))
    );

    let made = board
        .client(
            "POST",
            "/xapi2/data/board",
            token,
            Some(r#"{"name": "R\u00e9lease", "accent": "blue"}"#),
        )
        .await;
    assert_eq!(made.status_line, "HTTP/1.1 201 Created");
    let made = made.json();
    let board_id = id(&made);
    assert_eq!(made["data"], json!({ "name": "Rélease", "accent": "blue" }));

    let card = format!(
        r#"{{"title": "Ship it", "status": "todo", "board_id": "{board_id}", "position": 1.0}}"#
    );
    let card = board
        .client("POST", "/xapi2/data/card", token, Some(&card))
        .await
        .json();
    let path = format!("/xapi2/data/card/{}", id(&card));
    assert_eq!(board.client("GET", &path, token, None).await.json(), card);

    let moved = board
        .client("PATCH", &path, token, Some(r#"{"status": "done"}"#))
        .await
        .json();
    assert_eq!(moved["data"]["status"], "done");
    assert_eq!(moved["data"]["title"], "Ship it");
    assert_eq!(moved["created_at"], card["created_at"]);
    assert!(moved["updated_at"].as_str() > card["updated_at"].as_str());

    let unchanged = board.client("PATCH", &path, token, Some("{}")).await;
    assert_eq!((unchanged.status, unchanged.json()), (200, moved));

    let deleted = board.client("DELETE", &path, token, None).await;
    assert_eq!(
        (deleted.status_line.as_str(), deleted.text.as_str()),
        ("HTTP/1.1 204 No Content", "")
    );
    for method in ["GET", "DELETE"] {
        let answer = board.client(method, &path, token, None).await;
        assert_eq!(answer.status_line, "HTTP/1.1 404 Not Found", "{method}");
        assert!(answer.detail().contains(&id(&card)));
    }
    assert_eq!(
        board
            .client("GET", "/xapi2/data/card?", token, None)
            .await
            .json(),
        json!({ "data": [], "meta": { "count": 0, "has_more": false } })
    );
}

#[tokio::test]
async fn a_row_has_the_columns_that_the_client_knows() {
    let board = TestBoard::new().await;
    let row = create(&board.local(), "card", json!({ "title": "One" })).await;
    let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "type",
            "status",
            "owned_by",
            "created_by",
            "updated_by",
            "is_archived",
            "is_deleted",
            "created_at",
            "updated_at",
            "data"
        ]
    );
    assert_eq!(
        (&row["type"], &row["status"]),
        (&json!("card"), &json!("active"))
    );
    assert_eq!(
        (&row["is_archived"], &row["is_deleted"]),
        (&json!(false), &json!(false))
    );
    let time: jiff::Timestamp = row["created_at"].as_str().unwrap().parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(time).as_secs() < 60);
}

#[tokio::test]
async fn the_client_s_filter_forms_are_understood() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    let service = board.local();
    for (title, status, tags) in [
        ("One two", "to do", json!(["a", "b"])),
        ("Three", "done", json!(["b"])),
        ("Four", "doing", json!([])),
    ] {
        create(
            &service,
            "card",
            json!({ "title": title, "status": status, "tags": tags }),
        )
        .await;
    }
    let cases = [
        ("?", 3),
        ("?data__status=to+do", 1),
        ("?status=to+do", 1),
        ("?status=to%20do&status=done", 2),
        ("?data__tags=b", 2),
        ("?tags=a&tags=none", 1),
        ("?is_archived=False", 3),
        ("?is_archived=True", 0),
        ("?is_archived=True&is_archived=False", 3),
        ("?q=one+two", 1),
        ("?limit=9999", 3),
        ("?sort=&q=", 3),
        ("?assignee=", 3),
        ("?data__status=done&data__tags=a", 0),
        ("?owned_by=somebody", 0),
    ];
    for (query, count) in cases {
        let page = board
            .client(
                "GET",
                &format!("/xapi2/data/card{query}"),
                Some(&token),
                None,
            )
            .await;
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        let page = page.json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}");
        assert_eq!(
            page["meta"],
            json!({ "count": count, "has_more": false }),
            "{query}"
        );
    }
}

/// Follows `after` as the client's `all` does: the same query each time, the last row's id added.
async fn walk(board: &TestBoard, token: &str, query: &str) -> (usize, Vec<String>) {
    let mut rows = Vec::new();
    let mut requests = 0;
    loop {
        let after = rows
            .last()
            .map(|last| format!("&after={last}"))
            .unwrap_or_default();
        let page = board
            .client(
                "GET",
                &format!("/xapi2/data/card?{query}{after}"),
                Some(token),
                None,
            )
            .await
            .json();
        requests += 1;
        rows.extend(page["data"].as_array().unwrap().iter().map(id));
        if page["meta"]["has_more"] == false || page["data"].as_array().unwrap().is_empty() {
            return (requests, rows);
        }
    }
}

#[tokio::test]
async fn all_450_cards_come_in_three_requests_and_offset_bites_on_each_page() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    let service = board.local();
    for number in 0..450 {
        create(
            &service,
            "card",
            json!({ "title": format!("Card {number}"), "position": number % 7 }),
        )
        .await;
    }
    let (requests, mut rows) = walk(&board, &token, "limit=200").await;
    rows.sort();
    rows.dedup();
    assert_eq!((requests, rows.len()), (3, 450));

    let (requests, rows) = walk(&board, &token, "limit=100&offset=10").await;
    assert_eq!((requests, rows.len()), (5, 400));

    let (requests, rows) = walk(&board, &token, "").await;
    assert_eq!((requests, rows.len()), (9, 450));
}

#[tokio::test]
async fn names_of_headers_may_have_any_case_and_analytics_headers_are_no_trouble() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    let request = format!(
        "GET /xapi2/auth/me HTTP/1.1\r\nhost: {}\r\nAUTHORIZATION: bearer {token}\r\nX-Analytics-Device-Id: 3f\r\nX-Analytics-Session-Id: 9a\r\n\
         X-Mcp-Channel: mcp\r\nX-Mcp-Version: 1.0.2\r\nConnection: close\r\n\r\n",
        board.address
    );
    let answer = board.raw(request.as_bytes()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-auth-refresh-token"), None);
}
