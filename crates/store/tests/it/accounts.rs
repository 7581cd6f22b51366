//! Accounts: what a name may be, and what goes with an account that is removed.

use footbridge_store::{
    Account, AccountError, AccountId, NewAccount, NewRecord, OwnedRecords, Role, Store,
};
use secrecy::SecretString;
use serde_json::Map;

async fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    (directory, store)
}

fn named(name: &str) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        ..NewAccount::default()
    }
}

async fn add_card(store: &Store, account: &Account) -> footbridge_store::RecordId {
    let new = NewRecord {
        account_id: account.id,
        model: "card",
        data: Map::new(),
        searched: &[],
        references: &[],
    };
    store.create_record(new).await.unwrap().id
}

#[tokio::test]
async fn a_fresh_store_knows_the_user_of_the_machine() {
    let (_directory, store) = store().await;
    let accounts = store.accounts().await.unwrap();
    assert_eq!(
        accounts
            .iter()
            .map(|account| account.name.as_str())
            .collect::<Vec<_>>(),
        ["local"]
    );
    assert_eq!(
        (accounts[0].id, accounts[0].role, accounts[0].has_password),
        (AccountId::local(), Role::Admin, false)
    );
}

#[tokio::test]
async fn names_and_addresses_are_checked_and_unique() {
    let (_directory, store) = store().await;
    for bad in [
        "",
        " anna",
        "anna ",
        "an\u{7}na",
        "anna@home",
        &"x".repeat(65),
    ] {
        assert!(
            matches!(
                store.add_account(named(bad)).await,
                Err(AccountError::Name(_))
            ),
            "{bad:?}"
        );
    }
    for bad in [
        "anna",
        "@example.org",
        "anna@",
        "a b@example.org",
        "a@b@c",
        &format!("{}@example.org", "x".repeat(250)),
    ] {
        let new = NewAccount {
            email: Some(bad.to_owned()),
            ..named("anna")
        };
        assert!(
            matches!(store.add_account(new).await, Err(AccountError::Email(_))),
            "{bad:?}"
        );
    }
    store.add_account(named(&"x".repeat(64))).await.unwrap();
    let anna = NewAccount {
        email: Some("Anna@Example.org".to_owned()),
        ..named("anna")
    };
    let anna = store.add_account(anna).await.unwrap();
    assert_eq!(anna.email.as_deref(), Some("anna@example.org"));
    assert!(matches!(
        store.add_account(named("anna")).await,
        Err(AccountError::Taken(_))
    ));
    let twin = NewAccount {
        email: Some("ANNA@example.org".to_owned()),
        ..named("twin")
    };
    assert!(matches!(
        store.add_account(twin).await,
        Err(AccountError::Taken(_))
    ));
    assert_eq!(store.account_named("anna").await.unwrap(), anna);
    assert_eq!(store.account_named("ANNA@example.org").await.unwrap(), anna);
    assert!(matches!(
        store.account_named("nobody").await,
        Err(AccountError::Unknown(_))
    ));
}

#[tokio::test]
async fn a_password_needs_an_address_and_is_never_shown() {
    let (directory, store) = store().await;
    let password = || Some(SecretString::from("planted secret"));
    let without = NewAccount {
        password: password(),
        ..named("anna")
    };
    assert!(matches!(
        store.add_account(without).await,
        Err(AccountError::PasswordWithoutEmail)
    ));
    let new = NewAccount {
        password: password(),
        email: Some("anna@example.org".to_owned()),
        ..named("anna")
    };
    assert!(!format!("{new:?}").contains("planted"));
    let anna = store.add_account(new).await.unwrap();
    assert!(
        anna.has_password
            && !format!("{anna:?}").contains("planted")
            && !format!("{anna:?}").contains("argon2")
    );
    let short = NewAccount {
        password: Some(SecretString::from("short")),
        email: Some("b@example.org".to_owned()),
        ..named("ben")
    };
    let error = store.add_account(short).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the password must have 8 to 256 characters"
    );
    store.close().await;
    let file = std::fs::read(directory.path().join(footbridge_store::DATABASE_FILE)).unwrap();
    assert!(!file.windows(7).any(|window| window == b"planted"));
}

#[tokio::test]
async fn an_account_with_records_goes_only_when_they_may_be_erased() {
    let (_directory, store) = store().await;
    let anna = store.add_account(named("anna")).await.unwrap();
    let card = add_card(&store, &anna).await;
    let error = store
        .remove_account("anna", OwnedRecords::Refuse)
        .await
        .unwrap_err();
    assert!(
        matches!(error, AccountError::OwnsRecords { count: 1, .. }),
        "{error:?}"
    );
    assert!(store.record(anna.id, "card", card).await.unwrap().is_some());
    assert_eq!(
        store
            .remove_account("anna", OwnedRecords::Erase)
            .await
            .unwrap(),
        1
    );
    assert!(store.record(anna.id, "card", card).await.unwrap().is_none());
    assert!(store.account(anna.id).await.unwrap().is_none());
    assert!(matches!(
        store.remove_account("anna", OwnedRecords::Erase).await,
        Err(AccountError::Unknown(_))
    ));
}

#[tokio::test]
async fn deleted_records_do_not_hold_an_account() {
    let (_directory, store) = store().await;
    let anna = store.add_account(named("anna")).await.unwrap();
    let card = add_card(&store, &anna).await;
    assert!(store.delete_record(anna.id, "card", card).await.unwrap());
    assert_eq!(
        store
            .remove_account("anna", OwnedRecords::Refuse)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn the_user_of_the_machine_stays() {
    let (_directory, store) = store().await;
    for records in [OwnedRecords::Refuse, OwnedRecords::Erase] {
        assert!(matches!(
            store.remove_account("local", records).await,
            Err(AccountError::LocalStays)
        ));
    }
    assert!(store.account(AccountId::local()).await.unwrap().is_some());
}
