//! An error answer → the text for the model: our sentence, the backend's own, and what to do.

use bytes::Bytes;
use http::StatusCode;
use jaq_json::Val;
use secrecy::ExposeSecret;

use super::Inner;
use crate::failure::CallError;
use crate::jq;
use crate::json::Admitted;

/// Characters of the backend's own sentence that are passed on.
const MAX_SENTENCE: usize = 500;
/// What is said of a change that may or may not have been made.
pub(super) const FATE: &str = "Whether the change was made is not known: read the object before you try again.";
/// Secrets shorter than this are not looked for in a sentence: too much else would match.
const SHORTEST_SECRET: usize = 6;

/// The error for an answer that is neither 2xx nor a redirect to follow.
pub(super) async fn refused(inner: &Inner, status: StatusCode, body: Bytes, reads: bool) -> CallError {
    let compiled = inner.compiled();
    let code = status.as_u16();
    let page = is_web_page(&body);
    let own = if page { None } else { own_sentence(inner, status, body).await };
    let what = match (&own, page) {
        (Some(own), _) => format!("{} answered {code}: {}", compiled.title, ended(own)),
        (None, true) => format!("{} answered a web page ({code}).", compiled.title),
        (None, false) => {
            format!(
                "{} answered {code}{}.",
                compiled.title,
                status.canonical_reason().map(|r| format!(" {r}")).unwrap_or_default()
            )
        }
    };
    let next = match compiled.hints.get(&code) {
        Some(hint) => hint,
        None if page && status.is_client_error() => "Check that its address is that of the API.",
        None => next(status, reads),
    };
    let fate = if !reads && status.is_server_error() { FATE } else { "" };
    let message = [what.as_str(), next, fate].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let mine = status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT && status != StatusCode::TOO_MANY_REQUESTS;
    let error = match mine {
        true => CallError::caller(message),
        false => CallError::backend(message, reads || status == StatusCode::TOO_MANY_REQUESTS),
    };
    error.with_status(code)
}

fn next(status: StatusCode, reads: bool) -> &'static str {
    match status.as_u16() {
        400 | 422 => "Change the arguments and call again.",
        401 => "The credential is missing or not accepted.",
        403 => "The credential may not do this.",
        404 | 410 => "Nothing is there: list the objects to find an id that exists.",
        409 | 412 => "It was changed meanwhile or is there already: read it, then decide.",
        413 => "Send less.",
        429 => "Wait a moment, then call again.",
        500.. if reads => "Call again in a moment.",
        _ => "",
    }
}

/// The sentence that the connector's filters find in the body; cut, on one line, without secrets.
async fn own_sentence(inner: &Inner, status: StatusCode, body: Bytes) -> Option<String> {
    if inner.compiled().errors.is_empty() || body.is_empty() {
        return None;
    }
    let body = Admitted::new(body).ok()?;
    let connector = inner.connector.clone();
    let found = tokio::task::spawn_blocking(move || {
        let compiled = &connector.0;
        let input = jq::read(&body).ok()?;
        let variables = [Val::Null, Val::Null, Val::Null, Val::from(isize::try_from(status.as_u16()).unwrap_or_default())];
        compiled.errors.iter().find_map(|filter| match compiled.program.run(*filter, &variables, input.clone()) {
            Ok(Some(Val::TStr(text))) if !text.is_empty() => Some(String::from_utf8_lossy(&text).into_owned()),
            _ => None,
        })
    });
    let text = found.await.ok().flatten()?;
    Some(cut(&without_secrets(inner, &text))).filter(|text| !text.is_empty())
}

/// One line of at most [`MAX_SENTENCE`] characters.
fn cut(text: &str) -> String {
    let line =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_SENTENCE) {
        Some((byte, _)) => format!("{}…", line.get(..byte).unwrap_or_default()),
        None => line,
    }
}

fn ended(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

fn without_secrets(inner: &Inner, text: &str) -> String {
    let mut text = text.to_owned();
    for secret in &inner.settings.secrets {
        let secret = secret.expose_secret();
        if secret.len() >= SHORTEST_SECRET {
            text = text.replace(secret, "[secret]");
        }
    }
    text
}

/// True for HTML, by its first bytes.
pub(super) fn is_web_page(body: &[u8]) -> bool {
    let start: Vec<u8> = body.iter().skip_while(|b| b.is_ascii_whitespace()).take(9).map(u8::to_ascii_lowercase).collect();
    start.starts_with(b"<!doctype") || start.starts_with(b"<html") || start.starts_with(b"<?xml") || start.starts_with(b"<head")
}

#[cfg(test)]
mod tests {
    use super::{MAX_SENTENCE, cut, is_web_page};

    #[test]
    fn a_sentence_is_cut_at_its_limit() {
        assert_eq!(cut(&"é".repeat(MAX_SENTENCE)).chars().count(), MAX_SENTENCE);
        let long = cut(&"é".repeat(MAX_SENTENCE + 1));
        assert_eq!((long.chars().count(), long.ends_with('…')), (MAX_SENTENCE + 1, true));
        assert_eq!(cut(" a\n\tb\u{0}c "), "a b c");
    }

    #[test]
    fn a_web_page_is_known_by_its_start() {
        assert!(is_web_page(b"\n <!DOCTYPE html>") && is_web_page(b"<HTML lang=en>"));
        assert!(!is_web_page(b"{}") && !is_web_page(b"") && !is_web_page(b"less < more"));
    }
}
