//! Personal access tokens: shown once, kept as digests, ended by time and by revoking.

use footbridge_store::{
    Access, AccountId, Credential, DATABASE_FILE, NewAccount, NewToken, OwnedRecords, Scope, Store,
    TokenError,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

async fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    (directory, store)
}

fn new_token() -> NewToken {
    NewToken {
        account_id: AccountId::local(),
        name: "editor".to_owned(),
        scopes: vec![
            Scope::parse("card:write").unwrap(),
            Scope::parse("board:read").unwrap(),
        ],
        expires_at: None,
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_known_again_by_its_digest() {
    let (directory, store) = store().await;
    let issued = store.create_token(new_token()).await.unwrap();
    let secret = issued.secret.expose_secret();
    assert!(
        secret.starts_with("pat_") && secret.len() == 47,
        "{}",
        secret.len()
    );
    assert!(!format!("{issued:?}").contains(secret));

    let principal = store.authenticate(secret).await.unwrap().unwrap();
    assert_eq!(principal.account.name, "local");
    assert!(matches!(principal.credential, Credential::PersonalToken));
    assert!(
        principal.scopes.allow("card", Access::Write)
            && !principal.scopes.allow("board", Access::Write)
    );

    let listed = store.tokens(AccountId::local()).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&issued.token));
    assert!(secret.starts_with(&listed[0].prefix) && listed[0].prefix.len() == 12);

    store.close().await;
    let file = std::fs::read(directory.path().join(DATABASE_FILE)).unwrap();
    let random = &secret.as_bytes()[12..];
    assert!(!file.windows(random.len()).any(|window| window == random));
}

#[tokio::test]
async fn other_texts_stand_for_nobody() {
    let (_directory, store) = store().await;
    let issued = store.create_token(new_token()).await.unwrap();
    let digest = issued.token.id.clone();
    let other_case = issued.secret.expose_secret().to_uppercase();
    for text in [
        "",
        "pat_",
        "ses_",
        " ",
        &issued.token.prefix,
        &digest,
        &other_case,
        &"x".repeat(100_000),
    ] {
        assert!(
            store.authenticate(text).await.unwrap().is_none(),
            "{text:.20}"
        );
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_stays_in_the_list() {
    let (_directory, store) = store().await;
    let kept = store.create_token(new_token()).await.unwrap();
    for by_id in [true, false] {
        let issued = store.create_token(new_token()).await.unwrap();
        let key = if by_id {
            &issued.token.id
        } else {
            &issued.token.prefix
        };
        store.revoke_token(AccountId::local(), key).await.unwrap();
        assert!(
            store
                .authenticate(issued.secret.expose_secret())
                .await
                .unwrap()
                .is_none()
        );
        assert!(matches!(
            store.revoke_token(AccountId::local(), key).await,
            Err(TokenError::Unknown(_))
        ));
    }
    assert!(
        store
            .authenticate(kept.secret.expose_secret())
            .await
            .unwrap()
            .is_some()
    );
    let listed = store.tokens(AccountId::local()).await.unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|token| token.revoked_at.is_some())
            .collect::<Vec<_>>(),
        [false, true, true]
    );
}

#[tokio::test]
async fn a_token_may_end_by_itself_but_not_in_the_past() {
    let (directory, store) = store().await;
    let now = Timestamp::now();
    let past = NewToken {
        expires_at: Some(now - SignedDuration::from_secs(1)),
        ..new_token()
    };
    assert!(matches!(
        store.create_token(past).await,
        Err(TokenError::Expired(_))
    ));

    let lasting = || NewToken {
        expires_at: Some(now + SignedDuration::from_hours(1)),
        ..new_token()
    };
    let (over, later) = (
        store.create_token(lasting()).await.unwrap(),
        store.create_token(lasting()).await.unwrap(),
    );
    assert!(
        store
            .authenticate(over.secret.expose_secret())
            .await
            .unwrap()
            .is_some()
    );
    // Its hour has passed: the clock cannot be moved, so its end is.
    let mut database = SqliteConnectOptions::new()
        .filename(directory.path().join(DATABASE_FILE))
        .connect()
        .await
        .unwrap();
    let moved = sqlx::query("UPDATE token SET expires_at = $1 WHERE id = $2");
    let moved = moved
        .bind(format!("{now:.6}"))
        .bind(&over.token.id)
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(moved.rows_affected(), 1);
    assert!(
        store
            .authenticate(over.secret.expose_secret())
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .authenticate(later.secret.expose_secret())
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_token_needs_a_name_a_scope_and_an_account() {
    let (_directory, store) = store().await;
    for name in ["", &"x".repeat(65), "a\nb"] {
        assert!(matches!(
            store
                .create_token(NewToken {
                    name: name.to_owned(),
                    ..new_token()
                })
                .await,
            Err(TokenError::Name(_))
        ));
    }
    store
        .create_token(NewToken {
            name: "x".repeat(64),
            ..new_token()
        })
        .await
        .unwrap();
    assert!(matches!(
        store
            .create_token(NewToken {
                scopes: vec![],
                ..new_token()
            })
            .await,
        Err(TokenError::NoScope)
    ));
    let nobody = AccountId::parse("0193e8a0-5d4c-7b6a-8f10-2c3d4e5f6071").unwrap();
    assert!(matches!(
        store
            .create_token(NewToken {
                account_id: nobody,
                ..new_token()
            })
            .await,
        Err(TokenError::UnknownAccount(_))
    ));
}

#[tokio::test]
async fn tokens_end_with_their_account_and_belong_to_it_alone() {
    let (_directory, store) = store().await;
    let anna = store
        .add_account(NewAccount {
            name: "anna".to_owned(),
            ..NewAccount::default()
        })
        .await
        .unwrap();
    let issued = store
        .create_token(NewToken {
            account_id: anna.id,
            ..new_token()
        })
        .await
        .unwrap();
    assert!(matches!(
        store
            .revoke_token(AccountId::local(), &issued.token.id)
            .await,
        Err(TokenError::Unknown(_))
    ));
    assert!(store.tokens(AccountId::local()).await.unwrap().is_empty());
    store
        .remove_account("anna", OwnedRecords::Refuse)
        .await
        .unwrap();
    assert!(
        store
            .authenticate(issued.secret.expose_secret())
            .await
            .unwrap()
            .is_none()
    );
}
