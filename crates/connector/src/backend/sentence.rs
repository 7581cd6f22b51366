//! An error answer → the text for the model: our sentence, the backend's own, and what to do.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use jaq_json::Val;

use super::exchange::Ask;
use super::values::{self, Held};
use super::{Inner, throttle};
use crate::failure::BackendError;
use crate::jq::{self, Glue};
use crate::json::Admitted;

/// Characters of the backend's own sentence that are passed on.
const MAX_SENTENCE: usize = 500;
/// What is said of a change that may or may not have been made.
pub(super) const FATE: &str =
    "Whether the change was made is not known: read the object before you try again.";

/// In which a Production Board says on a failure of its own what became of a change, as its
/// sentence does.
const CHANGE: &str = "footbridge-change";

/// The error for an answer that is neither 2xx nor a redirect to follow.
pub(super) async fn refused(
    inner: &Arc<Inner>,
    answer: Response<Bytes>,
    ask: &Ask,
) -> BackendError {
    let (reads, hints) = (ask.reads, ask.hints.as_deref());
    let compiled = inner.compiled();
    let status = answer.status();
    let code = status.as_u16();
    let page = is_web_page(answer.body());
    let change = answer.headers().get(CHANGE).cloned();
    let seen = if page {
        ErrorAnswer::default()
    } else {
        look(inner, &answer).await
    };
    let sentence = seen.sentence.as_deref().map(ended);
    let what = match (&sentence, page) {
        (Some(sentence), _) => format!(
            "{} answered {code}: {}",
            compiled.title,
            inner.fencing.words(sentence)
        ),
        (None, true) => format!("{} answered a web page ({code}).", compiled.title),
        (None, false) => {
            format!(
                "{} answered {code}{}.",
                compiled.title,
                status
                    .canonical_reason()
                    .map(|r| format!(" {r}"))
                    .unwrap_or_default()
            )
        }
    };
    let hint = hints
        .and_then(|hints| hints.get(&code))
        .or_else(|| compiled.hints.get(&code));
    let next: Cow<'_, str> = match hint {
        _ if ask.is_check => next_for_operator(inner, ask, status, page).into(),
        // no hint about records helps when there is no such route
        _ if page && status == StatusCode::NOT_FOUND => ELSEWHERE.into(),
        Some(hint) => hint.into(),
        None if page && status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            ELSEWHERE.into()
        }
        None => next(status, reads).into(),
    };
    let fate = if !reads && status.is_server_error() && change.is_none() {
        FATE
    } else {
        ""
    };
    let joined = |what: &str| {
        [what, &*next, fate]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let message = joined(&what);
    let mine = status.is_client_error()
        && status != StatusCode::REQUEST_TIMEOUT
        && status != StatusCode::TOO_MANY_REQUESTS;
    let error = match mine {
        true => BackendError::caller(message),
        false => BackendError::backend(message, reads || status == StatusCode::TOO_MANY_REQUESTS),
    };
    let is_settled = change.is_some_and(|change| change == "none");
    let is_open = !reads
        && !is_settled
        && (status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT);
    let error = if is_open { error.with_change() } else { error };
    let error = error.with_status(code);
    let error = match sentence {
        Some(sentence) => error.with_plain(joined(&format!(
            "{} answered {code}: {sentence}",
            compiled.title
        ))),
        None => error,
    };
    if seen.is_conflict {
        error.with_conflict()
    } else {
        error
    }
}

/// What whoever starts the program can do about a check that was refused. The hints of the file are
/// about calls of tools, but for that on a credential that is not accepted.
fn next_for_operator(inner: &Inner, ask: &Ask, status: StatusCode, is_page: bool) -> String {
    let rules = &inner.compiled().rules;
    let address = match rules.settings_of_base().collect::<Vec<_>>().join(" and ") {
        names if names.is_empty() => "the address".to_owned(),
        names => format!("the address ({names})"),
    };
    let of_address = format!("Check that {address} is that of the API.");
    match status.as_u16() {
        _ if is_page && status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            of_address
        }
        401 | 403 if ask.open => {
            format!(
                "Nothing was asked of the credential yet: check {address}, and what stands before the backend."
            )
        }
        code @ (401 | 403) => {
            let names: Vec<&str> = rules.secrets_in_use(&inner.settings).collect();
            let credential = if names.is_empty() {
                "the credential".to_owned()
            } else {
                names.join(", ")
            };
            let hint_of_file = inner
                .compiled()
                .hints
                .get(&401)
                .filter(|_| code == 401)
                .map(|hint| format!(" {hint}"))
                .unwrap_or_default();
            format!(
                "Check {credential}: it is not accepted, or may not be used here.{hint_of_file}"
            )
        }
        429 => "Wait a moment, then start again.".to_owned(),
        500.. => "Start again when it is up.".to_owned(),
        _ => of_address,
    }
}

/// A web page comes from something that is not the API.
const ELSEWHERE: &str = "Check that its address is that of the API.";

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

/// What an error answer says.
#[derive(Default)]
struct ErrorAnswer {
    /// The backend's own sentence; cut, on one line, without secrets.
    sentence: Option<String>,
    is_conflict: bool,
}

async fn look(inner: &Arc<Inner>, answer: &Response<Bytes>) -> ErrorAnswer {
    let compiled = inner.compiled();
    let by_status = matches!(
        answer.status(),
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED
    );
    let plain = ErrorAnswer {
        sentence: None,
        is_conflict: by_status && compiled.conflict.is_none(),
    };
    let needless = compiled.errors.is_empty() && compiled.conflict.is_none();
    if needless || answer.body().is_empty() {
        return plain;
    }
    let Ok(body) = Admitted::new(answer.body().clone()) else {
        return plain;
    };
    let variables = throttle::answered(inner, answer);
    let found = values::blocking(inner, move |inner| {
        let compiled = inner.compiled();
        let body = Held::received(body);
        let value = |filter: &Glue| values::run(inner, filter, &body, &variables).ok().flatten();
        let non_empty_text = |value: Val| {
            jq::text(&value)
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        let sentence = compiled
            .errors
            .iter()
            .find_map(|filter| value(filter).and_then(non_empty_text));
        let is_conflict = compiled.conflict.as_ref().map_or(by_status, |filter| {
            value(filter).is_some_and(|v| jq::is_true(&v))
        });
        Ok((sentence, is_conflict))
    });
    let Ok((sentence, is_conflict)) = found.await else {
        return plain;
    };
    let sentence = sentence
        .map(|text| cut(&inner.secrets.hide_in_sentence(&text)))
        .filter(|text| !text.is_empty());
    ErrorAnswer {
        sentence,
        is_conflict,
    }
}

/// One line of at most [`MAX_SENTENCE`] characters.
fn cut(text: &str) -> String {
    let line = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(MAX_SENTENCE) {
        Some((byte, _)) => format!("{}…", line.get(..byte).unwrap_or_default()),
        None => line,
    }
}

fn ended(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// True for HTML, by its first bytes.
pub(super) fn is_web_page(body: &[u8]) -> bool {
    let start: Vec<u8> = body
        .iter()
        .skip_while(|b| b.is_ascii_whitespace())
        .take(9)
        .map(u8::to_ascii_lowercase)
        .collect();
    start.starts_with(b"<!doctype")
        || start.starts_with(b"<html")
        || start.starts_with(b"<?xml")
        || start.starts_with(b"<head")
}

#[cfg(test)]
mod tests {
    use super::{MAX_SENTENCE, cut, is_web_page};

    #[test]
    fn a_sentence_is_cut_at_its_limit() {
        assert_eq!(cut(&"é".repeat(MAX_SENTENCE)).chars().count(), MAX_SENTENCE);
        let long = cut(&"é".repeat(MAX_SENTENCE + 1));
        assert_eq!(
            (long.chars().count(), long.ends_with('…')),
            (MAX_SENTENCE + 1, true)
        );
        assert_eq!(cut(" a\n\tb\u{0}c "), "a b c");
    }

    #[test]
    fn a_web_page_is_known_by_its_start() {
        assert!(is_web_page(b"\n <!DOCTYPE html>") && is_web_page(b"<HTML lang=en>"));
        assert!(!is_web_page(b"{}") && !is_web_page(b"") && !is_web_page(b"less < more"));
    }
}
