//! Logins: exchanged once, renewed once, carried nowhere else, shown nowhere.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use serde_json::json;

use crate::fake::Seen;
use crate::scripted::{Answer, HEAD, Scripted, ok, refused};

fn file(login: &str) -> String {
    format!(
        r#"{HEAD}settings:
  NAME: {{ required: true, unless: TOKEN }}
  PASSWORD: {{ required: true, secret: true, unless: TOKEN }}
  TOKEN: {{ secret: true }}
upstream:
  base: http://localhost/api
  error: [.detail?]
  headers: {{ Authorization: "Bearer {{settings.TOKEN}}" }}
  me: {{ get: /me }}
  login:
    post: /auth
    body: '{{name: $settings.NAME, password: $settings.PASSWORD}}'
    token: .token
{login}
tools:
  - {{ name: t, title: T, description: D, effect: read, steps: [{{ get: /thing }}] }}
  - {{ name: mine, title: T, description: D, effect: read, steps: [{{ get: /things, query: {{ owner: $me.id }} }}] }}
"#
    )
}

const RENEWED: &str = "    renew: { post: /renew, body: '{refresh: $login.refresh}', token: .token }\n    me: '{id: .user}'\n";
const CREDENTIALS: &[(&str, &str)] = &[("NAME", "ana"), ("PASSWORD", "hunter2-hunter2")];

/// A server whose tokens can be revoked, and whose refresh tokens are good once.
#[derive(Default)]
struct Tokens {
    count: usize,
    good: Option<String>,
    refresh: Option<String>,
}

impl Tokens {
    fn give(&mut self) -> Answer {
        self.count += 1;
        self.good = Some(format!("access-{}", self.count));
        self.refresh = Some(format!("refresh-{}", self.count));
        ok(json!({"token": self.good, "refresh": self.refresh, "user": 9}))
    }
}

fn server(login: &str, settings: &[(&str, &str)]) -> (Scripted, Arc<Mutex<Tokens>>) {
    let tokens: Arc<Mutex<Tokens>> = Arc::default();
    let shared = Arc::clone(&tokens);
    let scripted = Scripted::later(&file(login), settings, move |seen: Seen| {
        let answer = answer(&mut shared.lock().unwrap(), &seen);
        Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        })
    });
    (scripted, tokens)
}

fn answer(tokens: &mut Tokens, seen: &Seen) -> Answer {
    match seen.path.as_str() {
        "/api/auth" if seen.body == json!({"name": "ana", "password": "hunter2-hunter2"}) => {
            tokens.give()
        }
        "/api/renew"
            if tokens.refresh.is_some()
                && seen.body["refresh"].as_str() == tokens.refresh.as_deref() =>
        {
            tokens.give()
        }
        "/api/auth" | "/api/renew" => {
            refused(401, json!({"detail": format!("not known: {}", seen.body)}))
        }
        _ => {
            let good = tokens.good.as_ref().map(|good| format!("Bearer {good}"));
            match seen.authorization.as_deref() {
                Some("Bearer pat_own-token") => ok(json!({"path": seen.path, "id": 3})),
                given if given.is_some() && given == good.as_deref() => {
                    ok(json!({"path": seen.path}))
                }
                given => refused(401, json!({"detail": format!("{given:?} is not good")})),
            }
        }
    }
}

/// A server whose tokens are good for so many requests, and whose renewals say no more than
/// `renewed`.
fn short_lived(login: &str, uses: usize, renewed: serde_json::Value) -> Scripted {
    let state = Mutex::new((0, 0));
    Scripted::later(&file(login), CREDENTIALS, move |seen: Seen| {
        let (number, left) = &mut *state.lock().unwrap();
        let mut give = |answer: serde_json::Value| {
            (*number, *left) = (*number + 1, uses);
            let mut answer = answer;
            answer["token"] = json!(format!("access-{number}"));
            ok(answer)
        };
        let answer = match seen.path.as_str() {
            "/api/auth" => give(
                json!({"refresh": "refresh-1", "user": 9, "person": {"name": "Ana", "mail": "a@example.org"}}),
            ),
            "/api/renew" if seen.body["refresh"] == "refresh-1" => give(renewed.clone()),
            "/api/me" => ok(json!({"id": 3})),
            path if seen.authorization == Some(format!("Bearer access-{number}")) && *left > 0 => {
                *left -= 1;
                ok(json!({"path": path}))
            }
            _ => refused(401, json!({"detail": "expired"})),
        };
        Box::pin(async move { answer })
    })
}

#[tokio::test]
async fn a_renewal_that_gives_a_token_alone_keeps_who_we_are() {
    let renew = "    renew: { post: /renew, body: '{refresh: $login.refresh}', token: .token }\n";
    let mes = [
        "    me: '{id: .user}'\n",
        "    me: '{id: .user, name: .person.name}'\n",
        "    me: '{id: (.user + 0)}'\n",
    ];
    for me in mes {
        for renewed in [
            json!({}),
            json!({"user": null, "person": {"name": null}}),
            json!({"person": {}}),
        ] {
            let scripted = short_lived(&format!("{renew}{me}"), 2, renewed);
            for _ in 0..7 {
                assert_eq!(
                    scripted.call("mine", json!({})).await.unwrap()["path"],
                    "/api/things?owner=9",
                    "{me}"
                );
            }
            // one of which the backend has not said again is good for the next renewal, too
            assert_eq!(
                (
                    count(&scripted, "POST /api/auth"),
                    count(&scripted, "POST /api/renew")
                ),
                (1, 3),
                "{me}"
            );
        }
    }
}

#[tokio::test]
async fn a_login_that_does_not_say_who_we_are_asks() {
    let scripted = short_lived("    me: '{id: .nobody, name: .none}'\n", 2, json!({}));
    for _ in 0..5 {
        assert_eq!(
            scripted.call("mine", json!({})).await.unwrap()["path"],
            "/api/things?owner=3"
        );
    }
    assert_eq!(
        (
            count(&scripted, "POST /api/auth"),
            count(&scripted, "GET /api/me")
        ),
        (3, 1)
    );
}

fn count(scripted: &Scripted, line: &str) -> usize {
    scripted
        .lines()
        .iter()
        .filter(|seen| seen.as_str() == line)
        .count()
}

#[tokio::test]
async fn one_login_serves_ten_thousand_calls() {
    let (scripted, _) = server(RENEWED, CREDENTIALS);
    for _ in 0..10 {
        let calls = join_all((0..1_000).map(|_| scripted.call("t", json!({})))).await;
        assert!(calls.iter().all(Result::is_ok));
    }
    assert_eq!(
        (
            count(&scripted, "POST /api/auth"),
            count(&scripted, "GET /api/thing")
        ),
        (1, 10_000)
    );
    assert_eq!(
        scripted.seen()[0].authorization,
        None,
        "the login carries no token"
    );
    assert_eq!(
        scripted.call("mine", json!({})).await.unwrap()["path"],
        "/api/things?owner=9"
    );
}

#[tokio::test]
async fn many_calls_that_are_refused_renew_once() {
    let (scripted, tokens) = server(RENEWED, CREDENTIALS);
    scripted.call("t", json!({})).await.unwrap();
    for round in 1..=3 {
        tokens.lock().unwrap().good = None;
        let calls = join_all((0..100).map(|_| scripted.call("t", json!({})))).await;
        assert!(calls.iter().all(Result::is_ok), "{calls:?}");
        assert_eq!(
            (
                count(&scripted, "POST /api/auth"),
                count(&scripted, "POST /api/renew")
            ),
            (1, round)
        );
    }
    // a refresh token that is no longer good leads to a new login, and we are still the same
    *tokens.lock().unwrap() = Tokens {
        count: 10,
        ..Tokens::default()
    };
    assert_eq!(
        scripted.call("mine", json!({})).await.unwrap()["path"],
        "/api/things?owner=9"
    );
    assert_eq!(count(&scripted, "POST /api/auth"), 2);
}

#[tokio::test]
async fn without_a_renewal_the_login_is_made_again() {
    let (scripted, tokens) = server("", CREDENTIALS);
    scripted.call("t", json!({})).await.unwrap();
    tokens.lock().unwrap().good = None;
    scripted.call("t", json!({})).await.unwrap();
    assert_eq!(count(&scripted, "POST /api/auth"), 2);
    let asked = scripted.call("mine", json!({})).await.unwrap();
    assert_eq!(
        asked["path"], "/api/things",
        "nothing says who we are but /me, which has no id here"
    );
    scripted.call("mine", json!({})).await.unwrap();
    assert_eq!(
        count(&scripted, "GET /api/me"),
        1,
        "who we are is asked once"
    );
}

#[tokio::test]
async fn a_login_that_fails_is_not_hammered_and_shows_nothing() {
    let (scripted, _) = server(RENEWED, &[("NAME", "ana"), ("PASSWORD", "wrong-password")]);
    let calls = join_all((0..50).map(|_| scripted.call("t", json!({})))).await;
    for call in &calls {
        let error = call.as_ref().unwrap_err();
        assert!(
            error
                .message()
                .starts_with("X refused the login: X answered 401: <untrusted-content>not known"),
            "{error}"
        );
        assert!(
            !format!("{error:?}").contains("wrong-password")
                && error.message().contains("[secret]"),
            "{error:?}"
        );
    }
    assert_eq!(
        count(&scripted, "POST /api/auth"),
        1,
        "those who waited share the failure"
    );
    assert!(scripted.call("t", json!({})).await.is_err());
    assert_eq!(
        count(&scripted, "POST /api/auth"),
        2,
        "a later call tries again"
    );
    assert_eq!(count(&scripted, "GET /api/thing"), 0);
}

#[tokio::test]
async fn a_token_that_stays_bad_is_shown_to_nobody() {
    let logins = AtomicUsize::new(0);
    let scripted = Scripted::later(&file(RENEWED), CREDENTIALS, move |seen| {
        let answer = match seen.path.as_str() {
            "/api/auth" | "/api/renew" => {
                logins.fetch_add(1, Ordering::SeqCst);
                ok(
                    json!({"token": format!("tok-en-{}", logins.load(Ordering::SeqCst)), "refresh": "r", "user": 1}),
                )
            }
            _ => refused(
                401,
                json!({"detail": format!("{:?} expired", seen.authorization)}),
            ),
        };
        Box::pin(async move { answer })
    });
    let error = scripted.call("t", json!({})).await.unwrap_err();
    assert!(
        error.message().contains("[secret] expired") || error.message().contains("[secret]"),
        "{error}"
    );
    assert!(
        !error.message().contains("tok-en")
            && !format!("{:?}", scripted.backend).contains("tok-en"),
        "{error}"
    );
    assert_eq!(
        scripted.lines(),
        [
            "POST /api/auth",
            "GET /api/thing",
            "POST /api/renew",
            "GET /api/thing"
        ]
    );
}

#[tokio::test]
async fn what_renews_a_token_is_as_secret_as_the_token() {
    let scripted = Scripted::later(&file(RENEWED), CREDENTIALS, move |seen| {
        let answer = match seen.path.as_str() {
            "/api/auth" => {
                ok(json!({"token": "access-planted", "refresh": "refresh-planted", "user": 1}))
            }
            _ => refused(
                400,
                json!({"detail": "not with access-planted, refresh-planted or hunter2-hunter2 of ana"}),
            ),
        };
        Box::pin(async move { answer })
    });
    let message = scripted.refusal("t", json!({})).await;
    assert!(
        message.contains("not with [secret], [secret] or [secret] of ana"),
        "{message}"
    );
}

#[tokio::test]
async fn a_token_from_the_settings_needs_no_login() {
    let (scripted, _) = server(RENEWED, &[("TOKEN", "pat_own-token")]);
    assert_eq!(
        scripted.call("mine", json!({})).await.unwrap()["path"],
        "/api/things?owner=3"
    );
    assert_eq!(scripted.lines(), ["GET /api/me", "GET /api/things?owner=3"]);
}

#[tokio::test]
async fn a_login_without_a_token_says_so() {
    for body in [
        json!({}),
        json!({"token": ""}),
        json!({"token": {"a": 1}}),
        json!({"token": "a\nb"}),
    ] {
        let scripted = Scripted::later(&file(RENEWED), CREDENTIALS, move |_| {
            let body = body.clone();
            Box::pin(async move { ok(body) })
        });
        let message = scripted.refusal("t", json!({})).await;
        assert!(
            message.contains("gave no token") || message.contains("no header can carry"),
            "{message}"
        );
    }
}
