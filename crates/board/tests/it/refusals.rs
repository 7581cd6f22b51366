//! What is not a good request: always JSON with one sentence, always a reason phrase, never a
//! redirect, and the board lives on.

use footbridge_store::{DATABASE_FILE, Store, StoreOptions};
use serde_json::json;

use crate::harness::{TestBoard, create, get, id, models, refused, send};

#[tokio::test]
async fn what_is_not_there_is_a_404_with_a_sentence_and_never_a_redirect() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    let card = id(&create(&board.local(), "card", json!({ "title": "One" })).await);
    let targets = [
        "/xapi2".to_owned(),
        "/xapi2/".to_owned(),
        "/xapi2/data".to_owned(),
        "/xapi2/data/".to_owned(),
        "/xapi2/data/card/".to_owned(),
        "/xapi2/data/none".to_owned(),
        "/xapi2/data/none/x".to_owned(),
        "/xapi2/data/card/none".to_owned(),
        "/xapi2/data/card/../../auth/me".to_owned(),
        "/xapi2/data/card/%2e%2e%2fme".to_owned(),
        "/xapi2/data/card/%ff".to_owned(),
        "/xapi2/data/card/a/b/c".to_owned(),
        format!("/xapi2/data/card/{card}/"),
        format!("/xapi2/data/board/{card}"),
        format!("/xapi2/data/card/{}", card.to_uppercase()),
        "/xapi2/auth/me/".to_owned(),
        "/xapi2/mcp/version/".to_owned(),
        "/xapi2/mcp/script".to_owned(),
    ];
    for target in targets {
        let answer = board.client("GET", &target, Some(&token), None).await;
        assert_eq!(answer.status_line, "HTTP/1.1 404 Not Found", "{target}");
        assert_eq!(
            (answer.header("location"), answer.header("content-type")),
            (None, Some("application/json")),
            "{target}"
        );
        assert!(!answer.detail().is_empty());
    }
    assert!(
        board
            .client("GET", "/xapi2/data/none", Some(&token), None)
            .await
            .detail()
            .contains("board, card")
    );
}

#[tokio::test]
async fn a_method_that_a_route_does_not_take_is_a_405_that_names_those_it_takes() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    for (method, target, allowed) in [
        ("PUT", "/xapi2/data/card", "GET,HEAD,POST"),
        ("POST", "/xapi2/data/card/x", "GET,HEAD,PATCH,DELETE"),
        ("DELETE", "/xapi2/auth/me", "GET,HEAD"),
        ("GET", "/xapi2/auth/login", "POST"),
        ("POST", "/xapi2/mcp/version", "GET,HEAD"),
        ("GET", "/xapi2/analytics/track", "POST"),
    ] {
        let answer = board.client(method, target, Some(&token), None).await;
        assert_eq!(
            answer.status_line, "HTTP/1.1 405 Method Not Allowed",
            "{target}"
        );
        assert_eq!(answer.header("allow"), Some(allowed), "{target}");
        assert!(answer.detail().contains(method));
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_named() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    let deep = format!(
        r#"{{"title": {}1{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let digits = format!(r#"{{"title": "A", "position": {}}}"#, "9".repeat(5000));
    let cases = [
        ("", "empty"),
        ("{", "not JSON"),
        ("[]", "the body is []"),
        ("null", "the body is null"),
        (r#""title""#, "the body is"),
        (r#"{"title": "\ud800"}"#, "not JSON"),
        (r#"{"title": "A", "position": NaN}"#, "not JSON"),
        (r#"{"title": "A", "position": 1e999}"#, "not JSON"),
        (r#"{"title": "A"} {"title": "B"}"#, "not JSON"),
        (deep.as_str(), "not JSON"),
        (digits.as_str(), "not JSON"),
    ];
    for (body, named) in cases {
        let answer = board
            .client("POST", "/xapi2/data/card", Some(&token), Some(body))
            .await;
        assert_eq!(answer.status_line, "HTTP/1.1 400 Bad Request");
        assert!(
            answer.detail().contains(named),
            "{named} in {}",
            answer.detail()
        );
        assert!(answer.text.len() < 500);
    }
    let head = format!(
        "POST /xapi2/data/card HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n"
    );
    let answer = board
        .raw(&[head.as_bytes(), b"{\"title\":\"\xff\""].concat())
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        get(&board.local(), "/xapi2/data/card").await["meta"]["count"],
        0
    );
}

#[tokio::test]
async fn only_json_is_taken_as_content() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    for (content_type, expected) in [
        ("Content-Type: application/json; charset=utf-8\r\n", 201),
        ("Content-Type: Application/JSON\r\n", 201),
        ("Content-Type: application/merge-patch+json\r\n", 201),
        ("", 415),
        ("Content-Type: text/plain\r\n", 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
        ("Content-Type: application/jsonx\r\n", 415),
    ] {
        let request = format!(
            "POST /xapi2/data/card HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{content_type}Content-Length: 13\r\nConnection: close\r\n\r\n{{\"title\":\"A\"}}"
        );
        let answer = board.raw(request.as_bytes()).await;
        assert_eq!(answer.status, expected, "{content_type}");
        if expected == 415 {
            assert_eq!(answer.status_line, "HTTP/1.1 415 Unsupported Media Type");
            assert!(answer.detail().contains("application/json"));
        }
    }
}

#[tokio::test]
async fn on_a_full_disk_writes_say_so_and_reads_go_on() {
    let options = StoreOptions {
        largest_database_bytes: Some(512 * 1024),
        ..StoreOptions::default()
    };
    let board = TestBoard::with(models(), options).await;
    let token = board.full_token().await;
    let body = json!({ "title": "T", "description": "x".repeat(4000) }).to_string();
    let mut kept = 0;
    let answer = loop {
        let answer = board
            .client("POST", "/xapi2/data/card", Some(&token), Some(&body))
            .await;
        if answer.status != 201 {
            break answer;
        }
        kept += 1;
        assert!(kept < 200, "the disk never filled");
    };
    assert_eq!(answer.status_line, "HTTP/1.1 507 Insufficient Storage");
    assert!(answer.detail().contains("full"), "{}", answer.text);
    let page = get(&board.local(), "/xapi2/data/card?limit=200").await;
    assert_eq!(page["meta"]["count"], kept);
    let (status, _) = send(
        &board.local(),
        "GET",
        &format!("/xapi2/data/card/{}", id(&page["data"][0])),
        None,
    )
    .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_database_that_is_damaged_under_way_is_named_and_the_board_lives() {
    let board = TestBoard::new().await;
    for number in 0..100 {
        create(
            &board.local(),
            "card",
            json!({ "title": format!("Card {number}"), "description": "x".repeat(2000) }),
        )
        .await;
    }
    board.store.close().await;
    let path = board.directory.path().join(DATABASE_FILE);
    let mut file = std::fs::read(&path).unwrap();
    let whole = Store::open(board.directory.path()).await.unwrap();
    let service = footbridge_board::Board::new(whole.clone(), models())
        .service_for(footbridge_store::AccountId::local());
    let half = file.len() / 2 / 4096 * 4096;
    file[half..].fill(0x5a);
    std::fs::write(&path, &file).unwrap();
    let detail = refused(&service, "GET", "/xapi2/data/card?limit=200", None, 500).await;
    assert!(
        detail.contains("damaged") && !detail.contains("SELECT"),
        "{detail}"
    );
    assert_eq!(
        get(&service, "/xapi2/mcp/version").await["version"],
        "1.0.2"
    );
    get(&service, "/xapi2/auth/me").await;
}
