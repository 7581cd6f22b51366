//! Codes that sign a browser in: good once, for minutes, for one server.

use std::time::{Duration, SystemTime};

use footbridge_store::{DATABASE_FILE, NewAccount, Role, SIGN_IN_CODE_LIFE, SecretPace, Store};
use secrecy::{ExposeSecret as _, SecretString};

const ORIGIN: &str = "http://127.0.0.1:8000";

#[tokio::test]
async fn a_code_is_good_once_in_any_process_that_has_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let other = Store::open(directory.path()).await.unwrap();
    let now = SystemTime::now();
    let code = store.create_sign_in_code(ORIGIN, now).await.unwrap();
    assert!(code.expose_secret().starts_with("cod_") && code.expose_secret().len() == 47);
    let digest = Store::sign_in_code_digest(&code);
    assert!(other.has_sign_in_code(&digest, now).await.unwrap());
    let (one, two) = tokio::join!(
        store.take_sign_in_code(&code, now),
        other.take_sign_in_code(&code, now)
    );
    let mut taken = [one.unwrap(), two.unwrap()];
    taken.sort();
    assert_eq!(taken, [None, Some(ORIGIN.to_owned())], "once");
    assert!(!other.has_sign_in_code(&digest, now).await.unwrap());
    for guess in [
        "",
        "cod_",
        "cod_guess",
        digest.as_str(),
        &"cod_".repeat(1_000),
    ] {
        let guess = SecretString::from(guess);
        let taken = store.take_sign_in_code(&guess, now).await.unwrap();
        assert_eq!(taken, None, "{}", guess.expose_secret());
    }
    store.close().await;
    other.close().await;
    let bytes = std::fs::read(directory.path().join(DATABASE_FILE)).unwrap();
    let secret = code.expose_secret().as_bytes();
    assert!(!bytes.windows(secret.len()).any(|part| part == secret));
}

#[tokio::test]
async fn a_code_ends_by_itself_and_when_the_clock_was_set_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let now = SystemTime::now();
    for then in [now + SIGN_IN_CODE_LIFE, now - Duration::from_secs(1)] {
        let code = store.create_sign_in_code(ORIGIN, now).await.unwrap();
        let digest = Store::sign_in_code_digest(&code);
        assert!(!store.has_sign_in_code(&digest, then).await.unwrap());
        assert_eq!(store.take_sign_in_code(&code, then).await.unwrap(), None);
    }
    store.close().await;
}

#[tokio::test]
async fn a_password_is_checked_without_a_session_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let new = NewAccount {
        name: "anna".to_owned(),
        email: Some("anna@example.org".to_owned()),
        role: Role::User,
        password: Some(SecretString::from("correct horse")),
    };
    store.add_account(new).await.unwrap();
    let check = async |password: &str| {
        let password = SecretString::from(password.to_owned());
        let checked = store.check_password("Anna@example.org", password, None);
        checked.await.ok().map(|account| account.name)
    };
    assert_eq!(check("correct horse").await.as_deref(), Some("anna"));
    assert_eq!(check("wrong horse").await, None);
    store.close().await;
}

#[tokio::test]
async fn other_secrets_are_tried_at_the_pace_of_passwords() {
    let pace = SecretPace::new().unwrap();
    let from = Some([192, 0, 2, 1].into());
    let compare = async |sent: &str| {
        let sent = SecretString::from(sent.to_owned());
        let is_right = |sent: &SecretString| sent.expose_secret() == "right";
        pace.compare("token", &sent, from, is_right).await
    };
    assert_eq!(compare("right").await, Ok(true));
    let mut refused = 0;
    for guess in 0..20 {
        match compare(&format!("wrong {guess}")).await {
            Ok(is_right) => assert!(!is_right),
            Err(wait) => {
                assert!(wait >= Duration::from_secs(1));
                refused += 1;
            }
        }
    }
    assert!(refused >= 14, "{refused}");
    assert_eq!(compare("right").await, Ok(true), "the owner gets in");
}
