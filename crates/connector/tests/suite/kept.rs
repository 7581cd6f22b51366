//! Sessions that are kept between runs: taken up, renewed, rolled on by a header of good answers,
//! shared with other programs, and ended.

use std::sync::{Arc, Mutex, PoisonError};

use footbridge_connector::{SessionKeeper, SessionTokens};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::scripted::{HEAD, Scripted, ok, refused};

const LOGIN: &str = r#"settings:
  NAME: { required: true, unless: TOKEN }
  PASSWORD: { required: true, secret: true, unless: TOKEN }
  TOKEN: { secret: true }
upstream:
  base: http://localhost/api
  headers: { Authorization: "Bearer {settings.TOKEN}" }
  token: TOKEN
  me: { get: /me }
  login:
    asks: [NAME, PASSWORD]
    post: /auth
    body: '{name: $settings.NAME, password: $settings.PASSWORD}'
    token: .token
    renew: { post: /renew, body: '{refresh: $login.refresh}', token: .token }
    rolls: { header: X-Next-Token, except: pat_ }
  preflight: [{ get: /me, with: TOKEN }]
tools:
  - { name: t, title: T, description: D, effect: read, steps: [{ get: /thing }] }
"#;

/// What is kept, as tests write and read it.
#[derive(Debug, Default)]
struct Kept(Mutex<Option<(String, String)>>);

impl Kept {
    fn of(token: &str, renewal: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some((token.into(), renewal.into())))))
    }

    fn now(&self) -> Option<(String, String)> {
        self.0.lock().unwrap().clone()
    }
}

impl SessionKeeper for Kept {
    fn tokens(&self) -> Option<SessionTokens> {
        let (token, renewal) = self.now()?;
        Some(SessionTokens {
            token: token.into(),
            renewal: renewal.into(),
        })
    }

    fn keep(&self, tokens: SessionTokens) {
        let text = |secret: &secrecy::SecretString| secret.expose_secret().to_owned();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((text(&tokens.token), text(&tokens.renewal)));
    }
}

/// A backend with a kept session; `good` is the token that it takes, `refresh` what it renews for.
fn backend(keeper: Arc<Kept>, good: &'static str, settings: &[(&str, &str)]) -> Scripted {
    let scripted = Scripted::later(
        &format!("{HEAD}{LOGIN}"),
        &[("TOKEN", "of-no-use-here")],
        move |seen| {
            let answer = match seen.path.as_str() {
                "/api/auth" if seen.body["password"] == "hunter2-hunter2" => ok(json!({
                    "token": "token-of-login", "refresh": "refresh-of-login", "email": "a@b"
                })),
                "/api/renew" if seen.body == json!({ "refresh": "refresh-good" }) => {
                    ok(json!({ "token": "token-renewed", "refresh": "refresh-next" }))
                }
                "/api/auth" | "/api/renew" => refused(401, json!({})),
                path => match seen.authorization.as_deref() {
                    Some("Bearer token-rolls") => {
                        ok(json!({ "path": path })).with("x-next-token", "token-rolled")
                    }
                    Some(given)
                        if given == format!("Bearer {good}")
                            || given == "Bearer token-renewed"
                            || given == "Bearer token-rolled"
                            || given == "Bearer token-of-login" =>
                    {
                        ok(json!({ "path": path, "said": "token-renewed" }))
                    }
                    _ => refused(401, json!({})),
                },
            };
            Box::pin(async move { answer })
        },
    );
    let value = |name: &str| {
        let found = settings.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let connector = scripted.backend.connector();
    let settings = connector.settings_with_session(&value, keeper).unwrap();
    scripted.backend.set(settings);
    scripted
}

#[tokio::test]
async fn a_kept_session_is_sent_without_a_login() {
    let kept = Kept::of("token-kept", "{}");
    let scripted = backend(Arc::clone(&kept), "token-kept", &[]);
    scripted.call("t", json!({})).await.unwrap();
    assert_eq!(scripted.lines(), ["GET /api/thing"]);
    scripted.backend.preflight().await.unwrap();
    assert_eq!(scripted.lines(), ["GET /api/thing", "GET /api/me"]);
    assert_eq!(kept.now(), Some(("token-kept".into(), "{}".into())));
    assert!(!scripted.backend.logs_in());
}

#[tokio::test]
async fn one_that_is_refused_is_renewed_and_the_next_one_is_kept_and_hidden() {
    let kept = Kept::of("token-old", r#"{"refresh":"refresh-good"}"#);
    let scripted = backend(Arc::clone(&kept), "-", &[]);
    let answer = scripted.call("t", json!({})).await.unwrap();
    assert_eq!(answer["said"], "[secret]");
    let (token, renewal) = kept.now().unwrap();
    assert_eq!(token, "token-renewed");
    assert_eq!(renewal, r#"{"refresh":"refresh-next"}"#);
}

#[tokio::test]
async fn one_that_cannot_be_renewed_has_ended_and_the_next_one_is_found() {
    let kept = Kept::of("token-old", r#"{"refresh":"refresh-bad"}"#);
    let scripted = backend(Arc::clone(&kept), "token-new", &[]);
    let error = scripted.call("t", json!({})).await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    assert!(error.message().contains("log in again"), "{error}");
    // as another program would do it
    *kept.0.lock().unwrap() = Some(("token-new".into(), "{}".into()));
    scripted.call("t", json!({})).await.unwrap();
    // and as logging out does
    *kept.0.lock().unwrap() = None;
    scripted.call("t", json!({})).await.unwrap();
}

#[tokio::test]
async fn what_a_login_gives_is_kept_without_the_password_and_without_the_rest_of_the_answer() {
    let kept: Arc<Kept> = Arc::default();
    let account = [("NAME", "ana"), ("PASSWORD", "hunter2-hunter2")];
    let scripted = backend(Arc::clone(&kept), "-", &account);
    assert!(scripted.backend.logs_in());
    assert_eq!(scripted.backend.me().await.unwrap()["path"], "/api/me");
    assert_eq!(
        kept.now(),
        Some((
            "token-of-login".into(),
            r#"{"refresh":"refresh-of-login"}"#.into()
        ))
    );
}

#[tokio::test]
async fn the_next_token_comes_by_a_header_and_keeps_what_renews_it() {
    let kept = Kept::of("token-rolls", r#"{"refresh":"refresh-good"}"#);
    let scripted = backend(Arc::clone(&kept), "-", &[]);
    scripted.call("t", json!({})).await.unwrap();
    scripted.call("t", json!({})).await.unwrap();
    let shown: Vec<_> = scripted
        .seen()
        .into_iter()
        .map(|seen| seen.authorization.unwrap())
        .collect();
    assert_eq!(shown, ["Bearer token-rolls", "Bearer token-rolled"]);
    let (token, renewal) = kept.now().unwrap();
    assert_eq!(token, "token-rolled");
    assert_eq!(renewal, r#"{"refresh":"refresh-good"}"#);
    let connector = scripted.backend.connector();
    assert!(connector.may_roll("eyJ") && !connector.may_roll("pat_1"));
}

#[tokio::test]
async fn a_secret_of_the_settings_goes_before_what_is_kept() {
    let kept = Kept::of("token-kept", "{}");
    let scripted = backend(Arc::clone(&kept), "token-set", &[("TOKEN", "token-set")]);
    scripted.call("t", json!({})).await.unwrap();
    let shown = scripted.seen().pop().unwrap().authorization;
    assert_eq!(shown.as_deref(), Some("Bearer token-set"));
}
