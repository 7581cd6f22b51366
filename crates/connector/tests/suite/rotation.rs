//! Secrets from files that are changed while they are in use: read again on change and after a 401,
//! hidden like those before.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use footbridge_connector::Fault;
use serde_json::json;

use crate::scripted::{Answer, HEAD, Scripted, ok, refused};

const FILE: &str = r#"
settings: { X_TOKEN: { secret: true, required: true } }
upstream: { base: http://h, headers: { Authorization: "Bearer {settings.X_TOKEN}" } }
tools:
  - { name: read, title: T, description: D, effect: read, steps: [{ get: /x }] }
  - { name: write, title: T, description: D, effect: write, steps: [{ post: /x }], no_undo: It is a test. }
"#;

const OLD: &str = "old-token-of-the-start";
const NEW: &str = "new-token-that-came-later";

fn scripted(file: &Path, script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Scripted {
    let script = Arc::new(script);
    Scripted::later(
        &format!("{HEAD}{FILE}"),
        &[("X_TOKEN_FILE", file.to_str().unwrap())],
        move |seen| {
            let script = Arc::clone(&script);
            Box::pin(async move { script(&seen.authorization.unwrap()) })
        },
    )
}

fn shown(scripted: &Scripted) -> Vec<String> {
    scripted
        .seen()
        .into_iter()
        .map(|seen| seen.authorization.unwrap())
        .collect()
}

#[tokio::test]
async fn a_changed_file_is_read_before_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, OLD).unwrap();
    let scripted = scripted(&file, |_| ok(json!({"before": OLD, "now": NEW})));
    assert_eq!(
        scripted.call("read", json!({})).await.unwrap(),
        json!({"before": "[secret]", "now": NEW})
    );
    // another file in its place, as orchestrators do it
    std::fs::write(folder.path().join("other"), format!("{NEW}\n")).unwrap();
    std::fs::rename(folder.path().join("other"), &file).unwrap();
    for _ in 0..2 {
        let answer = scripted.call("write", json!({})).await.unwrap();
        assert_eq!(
            answer,
            json!({"before": "[secret]", "now": "[secret]"}),
            "both are hidden"
        );
    }
    assert_eq!(
        shown(&scripted),
        [
            format!("Bearer {OLD}"),
            format!("Bearer {NEW}"),
            format!("Bearer {NEW}")
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_used_leaves_the_credential_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, OLD).unwrap();
    let scripted = scripted(&file, |_| ok(json!({})));
    for text in [
        Some(""),
        Some("two\nlines"),
        Some("<your-token>"),
        Some("tok\u{e9}n"),
        None,
        Some(OLD),
    ] {
        match text {
            Some(text) => std::fs::write(&file, text).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        scripted.call("read", json!({})).await.unwrap();
    }
    assert_eq!(shown(&scripted), vec![format!("Bearer {OLD}"); 6]);
    std::fs::write(&file, NEW).unwrap();
    scripted.call("read", json!({})).await.unwrap();
    assert_eq!(shown(&scripted).last().unwrap(), &format!("Bearer {NEW}"));
}

#[tokio::test]
async fn a_refused_credential_is_read_again_once() {
    for tool in ["read", "write"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, OLD).unwrap();
        let rotated = file.clone();
        // it changes while the request is on its way
        let scripted = scripted(&file, move |shown| {
            if shown.ends_with(NEW) {
                return ok(json!({"n": 1}));
            }
            std::fs::write(&rotated, NEW).unwrap();
            refused(401, json!({}))
        });
        assert_eq!(
            scripted.call(tool, json!({})).await.unwrap()["n"],
            1,
            "a 401 says that nothing was done"
        );
        assert_eq!(
            shown(&scripted),
            [format!("Bearer {OLD}"), format!("Bearer {NEW}")]
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, OLD).unwrap();
    let count = AtomicUsize::new(0);
    let rotated = file.clone();
    let never = scripted(&file, move |_| {
        std::fs::write(
            &rotated,
            format!("token-number-{}", count.fetch_add(1, Ordering::SeqCst) / 2),
        )
        .unwrap();
        refused(401, json!({}))
    });
    let error = never.call("write", json!({})).await.unwrap_err();
    assert_eq!(
        (error.fault(), error.status(), never.lines().len()),
        (Fault::Caller, Some(401), 2),
        "{error}"
    );
    assert!(!error.message().contains("token-number"), "{error}");
}

#[tokio::test]
async fn a_login_shows_the_password_that_the_file_holds_now() {
    const LOGIN: &str = r#"
settings: { X_PASSWORD: { secret: true, required: true } }
upstream:
  base: http://h
  login: { post: /login, body: '{password: $settings.X_PASSWORD}', token: .token, scheme: Bearer }
tools: [{ name: write, title: T, description: D, effect: write, steps: [{ post: /x }], no_undo: It is a test. }]
"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, OLD).unwrap();
    let rotated = file.clone();
    let settings = [("X_PASSWORD_FILE", file.to_str().unwrap())];
    let scripted = Scripted::later(&format!("{HEAD}{LOGIN}"), &settings, move |seen| {
        let rotated = rotated.clone();
        Box::pin(async move {
            match (seen.path.as_str(), seen.authorization.as_deref()) {
                ("/login", _) => ok(
                    json!({"token": format!("token of {}", seen.body["password"].as_str().unwrap())}),
                ),
                (_, Some(shown)) if shown.ends_with(NEW) => ok(json!({"n": 1})),
                _ => {
                    std::fs::write(&rotated, NEW).unwrap();
                    refused(401, json!({}))
                }
            }
        })
    });
    assert_eq!(scripted.call("write", json!({})).await.unwrap()["n"], 1);
    assert_eq!(
        scripted.lines(),
        ["POST /login", "POST /x", "POST /login", "POST /x"]
    );
}

/// The new secret may be somebody else's, and lists that are kept are what the first one saw.
#[tokio::test]
async fn who_we_are_is_asked_again_with_the_new_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, OLD).unwrap();
    let yaml = FILE
        .replace("headers: {", "me: { get: /me }, headers: {")
        .replace(
            "steps: [{ get: /x }] }",
            "steps: [{ get: /x }], result: \"{id: $me.id}\" }",
        );
    let path = file.to_str().unwrap().to_owned();
    let scripted = Scripted::later(
        &format!("{HEAD}{yaml}"),
        &[("X_TOKEN_FILE", &path)],
        move |seen| {
            Box::pin(async move {
                ok(json!({"id": if seen.authorization.unwrap().contains(OLD) { 1 } else { 2 }}))
            })
        },
    );
    for _ in 0..2 {
        assert_eq!(
            scripted.call("read", json!({})).await.unwrap(),
            json!({"id": 1})
        );
    }
    std::fs::write(folder.path().join("other"), NEW).unwrap();
    std::fs::rename(folder.path().join("other"), &file).unwrap();
    for _ in 0..2 {
        assert_eq!(
            scripted.call("read", json!({})).await.unwrap(),
            json!({"id": 2})
        );
    }
    let asked = scripted
        .seen()
        .into_iter()
        .filter(|seen| seen.path.ends_with("/me"))
        .count();
    assert_eq!(asked, 2, "once with each secret");
}
