//! Logins over HTTP: the token, its sliding refresh, and what a wrong password gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use footbridge_board::ClientAddress;
use footbridge_store::{NewAccount, Role, SessionPolicy, StoreOptions};
use http::Request;
use secrecy::SecretString;
use serde_json::json;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::harness::{TestBoard, models};

const PASSWORD: &str = "correct horse battery";

async fn board_with_anna(sessions: SessionPolicy) -> TestBoard {
    let board = TestBoard::with(
        models(),
        StoreOptions {
            sessions,
            ..StoreOptions::default()
        },
    )
    .await;
    let anna = NewAccount {
        name: "anna".to_owned(),
        email: Some("Anna@Example.org".to_owned()),
        password: Some(SecretString::from(PASSWORD)),
        role: Role::User,
    };
    board.store.add_account(anna).await.unwrap();
    board
}

async fn log_in(board: &TestBoard) -> String {
    let body = json!({ "email": "anna@example.ORG", "password": PASSWORD }).to_string();
    let answer = board
        .client("POST", "/xapi2/auth/login", None, Some(&body))
        .await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, Some("no-store")),
        "{}",
        answer.text
    );
    let answer = answer.json();
    assert_eq!(
        (&answer["user"]["email"], &answer["user"]["role"]),
        (&json!("anna@example.org"), &json!("user"))
    );
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_login_s_token_may_do_all_and_is_not_refreshed_while_fresh() {
    let board = board_with_anna(SessionPolicy::default()).await;
    let token = log_in(&board).await;
    assert!(!token.starts_with("pat_"));
    let made = board
        .client(
            "POST",
            "/xapi2/data/board",
            Some(&token),
            Some(r#"{"name": "B"}"#),
        )
        .await;
    assert_eq!(
        (made.status, made.header("x-auth-refresh-token")),
        (201, None)
    );
}

#[tokio::test]
async fn wrong_passwords_and_unknown_addresses_get_the_same_answer() {
    let board = board_with_anna(SessionPolicy::default()).await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("anna@example.org", "wrong password"),
        ("nobody@example.org", PASSWORD),
        ("", PASSWORD),
        ("local", PASSWORD),
    ] {
        let body = json!({ "email": email, "password": password }).to_string();
        let answer = board
            .client("POST", "/xapi2/auth/login", None, Some(&body))
            .await;
        assert_eq!(answer.status_line, "HTTP/1.1 401 Unauthorized");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(!answers[0].contains("wrong password"));
}

/// Nothing tells attackers and owner apart but the password: as behind a proxy that does not say
/// who asks.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_logs_in_every_time_while_forty_others_try() {
    let board = Arc::new(board_with_anna(SessionPolicy::default()).await);
    let refused = Arc::new(AtomicUsize::new(0));
    let wrong = async |board: &TestBoard, number: usize| {
        let body =
            json!({ "email": "anna@example.org", "password": format!("wrong password {number}") })
                .to_string();
        let answer = board
            .client("POST", "/xapi2/auth/login", None, Some(&body))
            .await;
        match answer.status {
            429 => assert!(
                answer
                    .header("retry-after")
                    .unwrap()
                    .parse::<u64>()
                    .unwrap()
                    > 0
            ),
            status => assert_eq!(status, 401, "{}", answer.text),
        }
        answer.status
    };
    let mut attackers = JoinSet::new();
    for attacker in 0..40 {
        let (board, refused) = (Arc::clone(&board), Arc::clone(&refused));
        attackers.spawn(async move {
            for number in 0.. {
                if wrong(&board, attacker * 1_000_000 + number).await == 429 {
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    for _ in 0..30 {
        log_in(&board).await;
    }
    attackers.shutdown().await;

    // One alone is slowed down as much, and told when to come back.
    let mut looked_at = 0;
    for number in 0..100 {
        looked_at += u32::from(wrong(&board, number).await == 401);
    }
    assert!(
        looked_at <= 10,
        "{looked_at} of 100 wrong passwords were looked at"
    );
    assert!(refused.load(Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn wrong_passwords_of_one_address_do_not_slow_down_another() {
    let board = board_with_anna(SessionPolicy::default()).await;
    let log_in = async |address: &str, password: &str| {
        let body = json!({ "email": "anna@example.org", "password": password }).to_string();
        let mut request = Request::post("/xapi2/auth/login")
            .header("content-type", "application/json")
            .body(axum::body::Body::from(body))
            .unwrap();
        request
            .extensions_mut()
            .insert(ClientAddress(address.parse().unwrap()));
        board
            .board
            .router()
            .oneshot(request)
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(log_in("192.0.2.1", PASSWORD).await, 200);
    let mut answers = Vec::new();
    for number in 0..20 {
        answers.push(log_in("192.0.2.66", &format!("wrong password {number}")).await);
    }
    assert_eq!(
        (answers[0], answers.last()),
        (401, Some(&429)),
        "{answers:?}"
    );
    assert_eq!(
        log_in("192.0.2.1", "a wrong password too").await,
        401,
        "another address is looked at"
    );
    assert_eq!(
        log_in("192.0.2.66", PASSWORD).await,
        200,
        "the right one is never too late"
    );
}

#[tokio::test]
async fn a_login_without_its_parts_says_which_and_shows_no_password() {
    let board = TestBoard::new().await;
    for (body, named) in [
        (r#"{"password": "hush hush"}"#, "email"),
        (r#"{"email": "a@b.c", "password": 12345678}"#, "password"),
        ("[]", "object"),
    ] {
        let answer = board
            .client("POST", "/xapi2/auth/login", None, Some(body))
            .await;
        assert_eq!(answer.status, 400);
        assert!(
            answer.detail().contains(named)
                && !answer.text.contains("hush")
                && !answer.text.contains("1234"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn an_old_session_is_offered_a_successor_and_lives_until_that_is_used() {
    let policy = SessionPolicy {
        refresh_after: Duration::ZERO,
        offer_again_after: Duration::ZERO,
        grace: Duration::ZERO,
        ..SessionPolicy::default()
    };
    let board = board_with_anna(policy).await;
    let old = log_in(&board).await;

    let refused = board
        .client("GET", "/xapi2/data/card/none", Some(&old), None)
        .await;
    assert_eq!(
        (refused.status, refused.header("x-auth-refresh-token")),
        (404, None),
        "only a good answer offers"
    );

    let lost = board
        .client("GET", "/xapi2/auth/me", Some(&old), None)
        .await;
    assert!(lost.header("x-auth-refresh-token").is_some());
    let offered = board
        .client("GET", "/xapi2/auth/me", Some(&old), None)
        .await;
    let new = offered.header("x-auth-refresh-token").unwrap().to_owned();
    assert_ne!(new, old);

    assert_eq!(
        board
            .client("GET", "/xapi2/auth/me", Some(&old), None)
            .await
            .status,
        200,
        "an offer alone ends nothing"
    );
    assert_eq!(
        board
            .client("GET", "/xapi2/auth/me", Some(&new), None)
            .await
            .status,
        200
    );
    assert_eq!(
        board
            .client("GET", "/xapi2/auth/me", Some(&old), None)
            .await
            .status,
        401,
        "without grace the old one ends at first use"
    );
    assert_eq!(
        board
            .client("GET", "/xapi2/auth/me", Some(&new), None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn with_grace_both_tokens_work_and_offers_keep_their_distance() {
    let policy = SessionPolicy {
        refresh_after: Duration::ZERO,
        ..SessionPolicy::default()
    };
    let board = board_with_anna(policy).await;
    let old = log_in(&board).await;
    let new = board
        .client("GET", "/xapi2/auth/me", Some(&old), None)
        .await
        .header("x-auth-refresh-token")
        .unwrap()
        .to_owned();
    assert_eq!(
        board
            .client("GET", "/xapi2/auth/me", Some(&new), None)
            .await
            .status,
        200
    );
    let again = board
        .client("GET", "/xapi2/auth/me", Some(&old), None)
        .await;
    assert_eq!(
        (again.status, again.header("x-auth-refresh-token")),
        (200, None)
    );
}

#[tokio::test]
async fn a_session_ends_with_its_life() {
    let board = board_with_anna(SessionPolicy {
        life: Duration::ZERO,
        ..SessionPolicy::default()
    })
    .await;
    let token = log_in(&board).await;
    assert_eq!(
        board
            .client("GET", "/xapi2/auth/me", Some(&token), None)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_personal_token_is_never_refreshed() {
    let policy = SessionPolicy {
        refresh_after: Duration::ZERO,
        offer_again_after: Duration::ZERO,
        ..SessionPolicy::default()
    };
    let board = board_with_anna(policy).await;
    let token = board.full_token().await;
    let answer = board
        .client("GET", "/xapi2/auth/me", Some(&token), None)
        .await;
    assert_eq!(
        (answer.status, answer.header("x-auth-refresh-token")),
        (200, None)
    );
}
