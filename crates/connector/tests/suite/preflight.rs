//! What is asked before a backend is served: order, patience, exit codes, versions.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::scripted::{Answer, HEAD, Scripted, ok, refused};

const FILE: &str = r#"
settings: { TOKEN: { default: t } }
upstream:
  base: http://localhost
  headers: { Authorization: "Bearer {settings.TOKEN}" }
  error: [.message?]
  preflight:
    - { get: /healthz, open: true, answer: none, exit: 2, patience: 31s }
    - { get: /me, query: { as: $settings.TOKEN }, exit: 3, exit_down: 5 }
    - { get: /meta, exit: 4, at_least: { version: .version, is: 1.9.0 } }
"#;

/// Health fails so many times, then `/me` and `/meta` answer so.
fn backend(failures: usize, me: u16, version: Value) -> Scripted {
    let failed = AtomicUsize::new(0);
    let version = Mutex::new(version);
    Scripted::new(&format!("{HEAD}{FILE}"), move |seen| {
        match seen.path.split('?').next().unwrap_or_default() {
            "/healthz" if failed.fetch_add(1, Ordering::SeqCst) < failures => {
                refused(500, json!({"message": "starting"}))
            }
            "/healthz" => Answer(200, Vec::new(), "ok".into()),
            "/me" if me == 200 => ok(json!({})),
            "/me" => refused(me, json!({"message": "who?"})),
            _ => ok(json!({"version": version.lock().unwrap().clone()})),
        }
    })
}

#[tokio::test(start_paused = true)]
async fn the_checks_go_in_order_and_an_open_one_carries_no_credential() {
    let scripted = backend(0, 200, json!("1.10.0"));
    assert!(scripted.backend.connector().has_preflight());
    scripted.backend.preflight().await.unwrap();
    assert_eq!(
        scripted.lines(),
        ["GET /healthz", "GET /me?as=t", "GET /meta"]
    );
    let sent: Vec<bool> = scripted
        .seen()
        .iter()
        .map(|seen| seen.authorization.is_some())
        .collect();
    assert_eq!(sent, [false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_is_tried_again_for_as_long_as_the_file_says() {
    let started = Instant::now();
    backend(5, 200, json!("2"))
        .backend
        .preflight()
        .await
        .unwrap();
    assert_eq!(
        started.elapsed(),
        Duration::from_secs(31),
        "1, 2, 4, 8 and 16 s"
    );
    let down = backend(6, 200, json!("2"));
    let failure = down.backend.preflight().await.unwrap_err();
    assert_eq!(
        (failure.exit, failure.is_down, down.lines().len()),
        (2, true, 6)
    );
    assert!(failure.to_string().contains("starting"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn a_definite_answer_is_not_asked_for_again() {
    for status in [401, 403, 404] {
        let refusing = backend(0, status, json!("2"));
        let failure = refusing.backend.preflight().await.unwrap_err();
        assert_eq!(
            (failure.exit, failure.is_down, refusing.lines().len()),
            (3, false, 2),
            "{status}"
        );
    }
    let busy = backend(0, 503, json!("2"));
    let failure = busy.backend.preflight().await.unwrap_err();
    assert_eq!(
        (failure.exit, failure.is_down),
        (5, true),
        "no patience, but it may pass"
    );
}

#[tokio::test]
async fn a_backend_that_is_too_old_or_does_not_say_is_refused() {
    for good in [json!("1.9.0"), json!("v1.9"), json!("1.10.0rc1"), json!(2)] {
        assert!(
            backend(0, 200, good.clone())
                .backend
                .preflight()
                .await
                .is_ok(),
            "{good}"
        );
    }
    for (bad, said) in [
        (json!("1.8.9"), "has version 1.8.9; at least 1.9.0"),
        (json!("nightly"), "\"nightly\""),
        (Value::Null, "at least 1.9.0"),
    ] {
        let failure = backend(0, 200, bad).backend.preflight().await.unwrap_err();
        assert_eq!((failure.exit, failure.is_down), (4, false));
        assert!(failure.to_string().contains(said), "{failure}");
    }
    let garbled = Scripted::new(&format!("{HEAD}{FILE}"), |seen| {
        let body = if seen.path == "/meta" { "<html>" } else { "{}" };
        Answer(200, Vec::new(), body.into())
    });
    let failure = garbled.backend.preflight().await.unwrap_err();
    assert_eq!((failure.exit, failure.is_down), (4, false));
}

#[test]
fn checks_that_cannot_be_made_are_problems_of_the_file() {
    let file = concat!(
        "upstream:\n  base: http://localhost\n  kinds: [scrub_environment, scrub_environment]\n  preflight:\n",
        "    - { get: healthz, exit: 0 }\n",
        "    - { get: /a, exit: 126, exit_down: 0, patience: 6m }\n",
        "    - { get: /a, query: { a: $args.a }, at_least: { version: .v | , is: newest } }\n",
        "    - { get: /a, with: TOKN, answer: none, at_least: { version: .v, is: 1.9.0 } }\n",
    );
    insta::assert_snapshot!(
        footbridge_connector::compile("x.yaml", &format!("{HEAD}{file}"))
            .unwrap_err()
            .to_string()
    );
}

#[tokio::test]
async fn a_warning_is_given_for_a_good_answer_and_a_failure_is_nothing() {
    let yaml = format!(
        "{HEAD}upstream:\n  base: http://localhost\n  preflight:\n    - {{ get: /me }}\n    - {{ get: /secret, warning: it reaches too far }}\n"
    );
    for (status, warnings) in [
        (200, vec!["it reaches too far"]),
        (401, vec![]),
        (500, vec![]),
    ] {
        let scripted = Scripted::new(&yaml, move |seen| match seen.path.as_str() {
            "/secret" => refused(status, json!({})),
            _ => ok(json!({})),
        });
        assert_eq!(
            scripted.backend.preflight().await.unwrap(),
            warnings,
            "{status}"
        );
    }
    for more in [
        "exit: 3",
        "exit_down: 3",
        "patience: 1s",
        "may_be_down: true",
    ] {
        let problems = footbridge_connector::compile(
            "x.yaml",
            &yaml.replace("warning:", &format!("{more}, warning:")),
        )
        .unwrap_err();
        assert!(
            problems
                .to_string()
                .contains("a check with `warning` ends nothing"),
            "{problems}"
        );
    }
}

const WITH_TOKEN: &str = r#"
settings: { SECRET: { secret: true } }
upstream:
  base: http://localhost
  headers: { Authorization: "Bearer {settings.SECRET}" }
  preflight:
    - { get: /me, with: SECRET, may_be_down: true }
"#;

#[tokio::test]
async fn a_check_that_needs_a_setting_is_not_made_without_it() {
    for (secret, lines) in [("", vec![]), ("  ", vec![]), ("planted", vec!["GET /me"])] {
        let scripted = Scripted::later(
            &format!("{HEAD}{WITH_TOKEN}"),
            &[("SECRET", secret)],
            |_| Box::pin(async { ok(json!({})) }),
        );
        scripted.backend.preflight().await.unwrap();
        assert_eq!(scripted.lines(), lines, "{secret:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_web_page_or_nothing_in_place_of_the_api_is_refused_and_a_backend_that_is_down_is_down() {
    for (status, body, is_down) in [
        (200, "<!doctype html><title>Welcome</title>", false),
        (200, "", false),
        (401, "{}", false),
        (404, "<html>", false),
        (503, "<html>", true),
        (500, "", true),
        (429, "{}", true),
    ] {
        let scripted = Scripted::later(
            &format!("{HEAD}{WITH_TOKEN}"),
            &[("SECRET", "planted")],
            move |_| Box::pin(async move { Answer(status, Vec::new(), body.into()) }),
        );
        let failure = scripted.backend.preflight().await.unwrap_err();
        assert_eq!(
            (failure.is_down, failure.may_be_down),
            (is_down, true),
            "{status} {body:?}: {failure}"
        );
        assert!(
            status != 200
                || failure
                    .to_string()
                    .contains("Check that its address is that of the API"),
            "{failure}"
        );
    }
}

const WITH_LOGIN: &str = r#"
settings: { PASSWORD: { secret: true } }
upstream:
  base: http://localhost
  login: { post: /auth, body: '{password: $settings.PASSWORD}', token: .token }
  preflight:
    - { get: /me, may_be_down: true }
"#;

#[tokio::test(start_paused = true)]
async fn a_login_that_is_down_is_down_and_one_that_refuses_refuses() {
    for (status, is_down) in [
        (400, false),
        (401, false),
        (403, false),
        (429, true),
        (500, true),
        (502, true),
    ] {
        let scripted = Scripted::later(
            &format!("{HEAD}{WITH_LOGIN}"),
            &[("PASSWORD", "planted")],
            move |_| Box::pin(async move { refused(status, json!({})) }),
        );
        let failure = scripted.backend.preflight().await.unwrap_err();
        assert_eq!(
            (failure.is_down, failure.error.may_have_changed()),
            (is_down, false),
            "{status}: {failure}"
        );
    }
}
