//! Who may see and do what: tokens, scopes, and rows that belong to their account.

use axum::body::Body;
use footbridge_store::AccountId;
use http::Request;
use serde_json::json;
use tower::ServiceExt;

use crate::harness::{TestBoard, column, create, get, id, refused};

#[tokio::test]
async fn without_a_good_token_nothing_is_shown() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    let unknown = format!("{token}x");
    let huge = "pat_".to_owned() + &"x".repeat(4000);
    for bad in [
        None,
        Some("pat_unknown"),
        Some("something"),
        Some(unknown.as_str()),
        Some(huge.as_str()),
    ] {
        for (method, target) in [
            ("GET", "/xapi2/data/card"),
            ("POST", "/xapi2/data/card"),
            ("GET", "/xapi2/auth/me"),
            ("GET", "/xapi2/data/none"),
        ] {
            let answer = board.client(method, target, bad, Some("{}")).await;
            assert_eq!(answer.status_line, "HTTP/1.1 401 Unauthorized");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert!(
                answer.detail().contains("token") && !answer.text.contains("pat_"),
                "{}",
                answer.text
            );
        }
    }
    let basic = format!(
        "GET /xapi2/auth/me HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {token}\r\nConnection: close\r\n\r\n",
        board.address
    );
    assert_eq!(board.raw(basic.as_bytes()).await.status, 401);
}

#[tokio::test]
async fn a_revoked_token_ends_at_once() {
    let board = TestBoard::new().await;
    let token = board.full_token().await;
    assert_eq!(
        board
            .client("GET", "/xapi2/auth/me", Some(&token), None)
            .await
            .status,
        200
    );
    let listed = board.store.tokens(AccountId::local()).await.unwrap();
    board
        .store
        .revoke_token(AccountId::local(), &listed[0].prefix)
        .await
        .unwrap();
    assert_eq!(
        board
            .client("GET", "/xapi2/auth/me", Some(&token), None)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_and_the_refusal_names_the_missing_one() {
    let board = TestBoard::new().await;
    let reader = board.token(AccountId::local(), &["card:read"]).await;
    let writer = board
        .token(AccountId::local(), &["card:write", "board:read"])
        .await;
    let card = r#"{"title": "One"}"#;

    let answer = board
        .client("POST", "/xapi2/data/card", Some(&reader), Some(card))
        .await;
    assert_eq!(answer.status_line, "HTTP/1.1 403 Forbidden");
    assert!(answer.detail().contains("card:write"), "{}", answer.text);
    assert_eq!(
        board
            .client("GET", "/xapi2/data/card", Some(&reader), None)
            .await
            .status,
        200
    );
    let answer = board
        .client("GET", "/xapi2/data/board", Some(&reader), None)
        .await;
    assert_eq!(answer.status, 403);
    assert!(answer.detail().contains("board:read"), "{}", answer.text);

    let made = board
        .client("POST", "/xapi2/data/card", Some(&writer), Some(card))
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(
        board
            .client("GET", "/xapi2/data/card", Some(&writer), None)
            .await
            .status,
        200
    );
    assert_eq!(
        board
            .client(
                "POST",
                "/xapi2/data/board",
                Some(&writer),
                Some(r#"{"name": "B"}"#)
            )
            .await
            .status,
        403
    );
    assert_eq!(
        board
            .client(
                "DELETE",
                &format!("/xapi2/data/card/{}", id(&made.json())),
                Some(&reader),
                None
            )
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn rows_of_another_account_are_not_there() {
    let board = TestBoard::new().await;
    let (_, anna) = board.account("anna").await;
    let (_, ben) = board.account("ben").await;
    let annas_board = create(&anna, "board", json!({ "name": "Anna's" })).await;
    let card = create(
        &anna,
        "card",
        json!({ "title": "Anna's card", "board_id": id(&annas_board) }),
    )
    .await;
    assert_ne!(card["owned_by"], AccountId::local().to_string());

    let path = format!("/xapi2/data/card/{}", id(&card));
    for (method, body) in [
        ("GET", None),
        ("PATCH", Some(json!({ "title": "Ben's now" }))),
        ("DELETE", None),
    ] {
        let detail = refused(&ben, method, &path, body.as_ref(), 404).await;
        assert!(detail.contains(&id(&card)), "{detail}");
    }
    assert_eq!(get(&ben, "/xapi2/data/card").await["meta"]["count"], 0);
    let owner = card["owned_by"].as_str().unwrap();
    assert_eq!(
        get(&ben, &format!("/xapi2/data/card?owned_by={owner}")).await["meta"]["count"],
        0
    );
    assert_eq!(
        get(&anna, &format!("/xapi2/data/card?owned_by={owner}")).await["meta"]["count"],
        1
    );
    let detail = refused(
        &ben,
        "GET",
        &format!("/xapi2/data/card?after={}", id(&card)),
        None,
        400,
    )
    .await;
    assert!(detail.contains("after"), "{detail}");
    let foreign = json!({ "title": "Spy", "board_id": id(&annas_board) });
    let detail = refused(&ben, "POST", "/xapi2/data/card", Some(&foreign), 400).await;
    assert!(
        detail.contains("board_id") && detail.contains(&id(&annas_board)),
        "{detail}"
    );
    assert_eq!(
        column(&get(&anna, "/xapi2/data/card").await, "title"),
        ["Anna's card"]
    );
}

#[tokio::test]
async fn the_account_acted_for_in_process_cannot_be_named_from_outside() {
    let board = TestBoard::new().await;
    let id = AccountId::local().to_string();
    for header in [
        "ActingAs",
        "X-Acting-As",
        "Acting-As",
        "X-Account-Id",
        "X-Forwarded-User",
    ] {
        let request = format!(
            "GET /xapi2/auth/me HTTP/1.1\r\nHost: {}\r\n{header}: {id}\r\nConnection: close\r\n\r\n",
            board.address
        );
        assert_eq!(board.raw(request.as_bytes()).await.status, 401, "{header}");
    }
    let request = Request::get("/xapi2/auth/me")
        .extension(AccountId::local())
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        board
            .board
            .router()
            .oneshot(request)
            .await
            .unwrap()
            .status(),
        401
    );
    assert_eq!(get(&board.local(), "/xapi2/auth/me").await["id"], id);
}
