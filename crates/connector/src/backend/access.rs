//! Cloudflare Access in front of a backend: its challenge told from an answer of the backend, and
//! the token that passes it. Running `cloudflared` is in `cloudflared`; sending again is
//! `exchange`.

mod cloudflared;

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use url::Url;

use super::{Inner, sentence};
use crate::failure::BackendError;

/// The header that carries a user's token.
pub(super) const TOKEN_HEADER: HeaderName = HeaderName::from_static("cf-access-token");
/// The header that carries the id of a service token.
const SERVICE_HEADER: HeaderName = HeaderName::from_static("cf-access-client-id");
/// Where Cloudflare sends those who have not signed in.
const DOMAIN: &str = ".cloudflareaccess.com";
/// Bytes of a page that are looked at.
const LOOKED_AT: usize = 16 << 10;

/// The token that `cloudflared` gave, kept until it is challenged.
#[derive(Default)]
pub(super) struct KeptAccess {
    /// `cloudflared` may be asked.
    discovers: bool,
    kept: Mutex<Option<AccessToken>>,
    /// Times that `cloudflared` was asked.
    asked: AtomicU64,
}

/// A token as a header carries it.
#[derive(Clone)]
pub(super) struct AccessToken {
    pub(super) header: HeaderValue,
    generation: u64,
}

impl KeptAccess {
    pub(super) fn new(discovers: bool) -> Self {
        Self {
            discovers,
            ..Self::default()
        }
    }

    /// The token, when one was needed before.
    pub(super) async fn token(&self) -> Option<AccessToken> {
        if self.asked.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.kept.lock().await.clone()
    }

    /// A token for a request that was challenged, carrying `sent`. Many challenged requests ask
    /// `cloudflared` once.
    ///
    /// # Errors
    /// When the settings hold what should have passed, or switch discovery off, or `cloudflared`
    /// gives no token: what to do next.
    pub(super) async fn discover(
        &self,
        inner: &Inner,
        sent: Option<&AccessToken>,
    ) -> Result<(), BackendError> {
        let title = &inner.compiled().title;
        let app = inner.settings.base.as_str();
        if let Some(name) = explicit(inner) {
            let message = format!(
                "{title} stands behind Cloudflare Access, which did not accept what the header {name} carries. Check the setting for it: it may have expired or be meant for another application."
            );
            return Err(BackendError::backend(message, false));
        }
        let login = format!("run `cloudflared access login {app}` and try again");
        if !self.discovers {
            let message = format!(
                "{title} stands behind Cloudflare Access. Set a service token, or allow discovery and {login}."
            );
            return Err(BackendError::backend(message, false));
        }
        let mut token_slot = self.kept.lock().await;
        if token_slot
            .as_ref()
            .is_some_and(|token| sent.is_none_or(|sent| sent.generation != token.generation))
        {
            return Ok(());
        }
        *token_slot = None;
        let generation = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        let failed = |why: cloudflared::CloudflaredFailure| {
            let message = format!(
                "{title} stands behind Cloudflare Access, and {why}: {login}, or set a service token."
            );
            BackendError::backend(message, false)
        };
        let secret = cloudflared::token(app).await.map_err(failed)?;
        let mut header = HeaderValue::from_str(secret.expose_secret())
            .map_err(|_| failed(cloudflared::CloudflaredFailure::NoToken))?;
        header.set_sensitive(true);
        inner.secrets.set_access(secret.expose_secret());
        *token_slot = Some(AccessToken { header, generation });
        Ok(())
    }
}

/// What is said when a token that `cloudflared` just gave does not pass.
pub(super) fn refused(inner: &Inner) -> BackendError {
    let (title, app) = (&inner.compiled().title, inner.settings.base.as_str());
    let message = format!(
        "{title} stands behind Cloudflare Access, which did not accept the token of `cloudflared`: run `cloudflared access login {app}` and try again."
    );
    BackendError::backend(message, false)
}

/// The header that the settings already send to Cloudflare.
fn explicit(inner: &Inner) -> Option<HeaderName> {
    [TOKEN_HEADER, SERVICE_HEADER]
        .into_iter()
        .find(|name| inner.settings.headers.contains_key(name))
}

/// Whether this answer comes from Cloudflare Access and not from the backend. Where no web page is
/// expected, a good answer may be one of its pages.
pub(super) fn is_challenge(from: &str, answer: &Response<Bytes>, wants_no_page: bool) -> bool {
    let status = answer.status();
    if status.is_redirection() {
        let target = answer
            .headers()
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok());
        let target = target.and_then(|target| Url::parse(from).ok()?.join(target).ok());
        return target.is_some_and(|target| target.host_str().is_some_and(is_cloudflare));
    }
    let refuses = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let named = || {
        answer
            .headers()
            .keys()
            .any(|name| name.as_str().starts_with("cf-access-"))
    };
    let asks_for_access = || {
        let challenges = answer.headers().get_all(header::WWW_AUTHENTICATE).iter();
        challenges
            .filter_map(|value| value.to_str().ok())
            .any(|value| starts_with_ignoring_case(value.trim_start(), "cloudflare-access"))
    };
    (refuses && (named() || asks_for_access()))
        || ((refuses || (status == StatusCode::OK && wants_no_page))
            && is_login_page(answer.body()))
}

fn is_cloudflare(host: &str) -> bool {
    host.len() > DOMAIN.len() && host.to_ascii_lowercase().ends_with(DOMAIN)
}

fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// A web page that belongs to Cloudflare's sign-in.
fn is_login_page(body: &[u8]) -> bool {
    if !sentence::is_web_page(body) {
        return false;
    }
    let start = String::from_utf8_lossy(body.get(..LOOKED_AT).unwrap_or(body)).to_ascii_lowercase();
    start.contains(DOMAIN)
        || start.contains("/cdn-cgi/access/")
        || start.contains("cloudflare access")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::is_challenge;

    const FROM: &str = "https://ptm.example.com/prompts";

    fn answer(status: u16, headers: &[(&str, &str)], body: &'static str) -> Response<Bytes> {
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        answer.body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_challenge_is_known_in_each_of_its_forms() {
        let page = "<!DOCTYPE html><a href=\"https://team.cloudflareaccess.com/cdn-cgi/access/login\">Sign in</a>";
        for (status, headers, body) in [
            (
                302,
                &[(
                    "location",
                    "https://team.cloudflareaccess.com/cdn-cgi/access/login/x?a=b",
                )][..],
                "",
            ),
            (
                401,
                &[(
                    "www-authenticate",
                    "Cloudflare-Access resource_metadata=\"x\"",
                )],
                "",
            ),
            (403, &[("cf-access-aud", "1")], "Forbidden"),
            (200, &[("content-type", "text/html")], page),
            (403, &[], page),
        ] {
            assert!(
                is_challenge(FROM, &answer(status, headers, body), true),
                "{status} {headers:?}"
            );
        }
    }

    #[test]
    fn what_the_backend_says_is_no_challenge() {
        for (status, headers, body) in [
            (302, &[("location", "/prompts/")][..], ""),
            (
                302,
                &[("location", "https://cloudflareaccess.com.example.org/")],
                "",
            ),
            (302, &[], ""),
            (401, &[("www-authenticate", "Bearer")], "{}"),
            (403, &[], "{\"detail\": \"see team.cloudflareaccess.com\"}"),
            (500, &[("cf-access-aud", "1")], ""),
            (200, &[], "{\"text\": \"/cdn-cgi/access/\"}"),
            (
                200,
                &[("content-type", "text/html")],
                "<html>a report</html>",
            ),
        ] {
            assert!(
                !is_challenge(FROM, &answer(status, headers, body), true),
                "{status} {headers:?}"
            );
        }
        let report = "<html>a report on https://team.cloudflareaccess.com</html>";
        assert!(
            !is_challenge(FROM, &answer(200, &[], report), false),
            "a report may be a page about anything"
        );
        assert!(is_challenge(FROM, &answer(200, &[], report), true));
    }
}
