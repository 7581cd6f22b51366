//! The store against a real folder: modes, replacement, what is broken, two at once.

use secrecy::ExposeSecret as _;

use super::{
    CredentialKind, CredentialStore, FiledSession, FoundCredential, KeptCredential, origin_of,
};
use footbridge_connector::{SessionKeeper as _, SessionTokens};

fn credential(origin: &str, token: &str) -> KeptCredential {
    KeptCredential {
        origin: origin.to_owned(),
        kind: CredentialKind::Session,
        token: token.into(),
        renewal: r#"{"refresh":"r"}"#.into(),
        who: Some("ana".to_owned()),
        saved_at: 5,
        keyring: None,
    }
}

fn store() -> (tempfile::TempDir, CredentialStore) {
    let home = tempfile::tempdir().unwrap();
    let store = CredentialStore::beside(Some(home.path().join("footbridge")));
    (home, store)
}

fn token(found: FoundCredential) -> String {
    match found {
        FoundCredential::Here(kept) => kept.token.expose_secret().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_kept_is_found_at_its_origin_alone() {
    let (_home, store) = store();
    assert!(matches!(
        store.find("x", "https://a.example").unwrap(),
        FoundCredential::Nothing
    ));
    for (origin, value) in [
        ("https://a.example", "one"),
        ("https://b.example", "two"),
        ("https://a.example", "three"),
    ] {
        store.keep("x", credential(origin, value)).unwrap();
    }
    assert_eq!(
        token(store.find("x", "https://a.example").unwrap()),
        "three"
    );
    let FoundCredential::Elsewhere(others) = store.find("x", "https://a.example:8443").unwrap()
    else {
        panic!("it belongs to another port");
    };
    assert_eq!(others, ["https://b.example", "https://a.example"]);
    assert!(matches!(
        store.find("y", "https://a.example").unwrap(),
        FoundCredential::Nothing
    ));
    assert_eq!(store.forget("x").unwrap().origins.len(), 2);
    assert!(store.forget("x").unwrap().origins.is_empty());
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_alone_and_nothing_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_home, store) = store();
    let path = store.path("x").unwrap();
    let folder = path.parent().unwrap();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    store.keep("x", credential("https://a", "planted")).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!((mode(folder) & 0o777, mode(&path) & 0o777), (0o700, 0o600));
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn a_broken_file_is_refused_and_a_login_writes_it_anew() {
    let (_home, store) = store();
    store.keep("x", credential("https://a", "planted")).unwrap();
    let path = store.path("x").unwrap();
    for broken in ["", "[]", "{", r#"{"version": 2}"#, "planted"] {
        std::fs::write(&path, broken).unwrap();
        let trouble = store.find("x", "https://a").unwrap_err().to_string();
        assert!(trouble.contains("login x writes them anew"), "{trouble}");
        assert!(!trouble.contains("planted"), "{trouble}");
    }
    store.keep("x", credential("https://a", "again")).unwrap();
    assert_eq!(token(store.find("x", "https://a").unwrap()), "again");
    assert!(!format!("{:?}", store.find("x", "https://a")).contains("again"));
}

#[test]
fn a_session_that_goes_on_never_undoes_a_login_or_a_logout() {
    let (_home, store) = store();
    let next = |token: &str| SessionTokens {
        token: token.into(),
        renewal: "{}".into(),
    };
    let first = credential("https://a", "first");
    store.keep("x", first.clone()).unwrap();
    let session = FiledSession::new(store.clone(), "x", first.clone());
    session.keep(next("second"));
    assert_eq!(token(store.find("x", "https://a").unwrap()), "second");
    assert!(!session.is(&first));
    store.keep("x", credential("https://a", "other")).unwrap();
    session.keep(next("third"));
    assert_eq!(token(store.find("x", "https://a").unwrap()), "other");
    assert_eq!(session.tokens().unwrap().token.expose_secret(), "other");
    store.forget("x").unwrap();
    session.keep(next("fourth"));
    assert!(matches!(
        store.find("x", "https://a").unwrap(),
        FoundCredential::Nothing
    ));
    assert!(session.tokens().is_none());
}

#[test]
fn many_at_once_leave_one_whole_file() {
    let (_home, store) = store();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = store.clone();
            scope.spawn(move || {
                store
                    .keep("x", credential(&format!("https://{number}"), "t"))
                    .unwrap();
            });
        }
    });
    assert_eq!(store.forget("x").unwrap().origins.len(), 8);
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    for (address, origin) in [
        ("https://a.example/x/api", "https://a.example"),
        ("https://a.example:443/", "https://a.example"),
        ("http://a.example:8080/xapi2", "http://a.example:8080"),
        ("https://A.example", "https://a.example"),
    ] {
        assert_eq!(origin_of(address), origin);
    }
}
