//! How long a backend wants us to wait, and waiting.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use jaq_json::Val;
use jiff::{SignedDuration, Timestamp, Unit};

use super::Inner;
use super::values::{self, Held};
use crate::failure::BackendError;
use crate::jq::{Variable, Variables, plain_text};
use crate::json::Admitted;

/// Waits that one request may make.
const MAX_WAITS: usize = 3;

/// Waits that are told in seconds; longer ones are told as a time.
const SPOKEN_SECONDS: Duration = Duration::from_secs(120);
/// A number from here on is no wait of thirty years but a point in time, in seconds since 1970.
const EPOCH_SECONDS: f64 = 1e9;
/// The same in milliseconds.
const EPOCH_MILLISECONDS: f64 = 1e12;

/// What one request may still wait.
pub(super) struct Waits {
    left: usize,
    longest: Duration,
}

impl Waits {
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            left: MAX_WAITS,
            longest,
        }
    }
}

/// What came of a wait.
pub(super) enum Wait {
    /// The backend did not say how long.
    NotAsked,
    Over,
    TooLong(BackendError),
}

/// Waits as long as the answer asks for, when that is not too long.
pub(super) async fn wait(inner: &Arc<Inner>, answer: &Response<Bytes>, waits: &mut Waits) -> Wait {
    let now = Timestamp::now();
    let Some(pause) = wait_asked_for(inner, answer, now).await else {
        return Wait::NotAsked;
    };
    if waits.left == 0 || pause > waits.longest {
        let (title, status) = (&inner.compiled().title, answer.status().as_u16());
        let message = format!(
            "{title} takes no more requests for the moment ({status}). Call again {}.",
            when(pause, now)
        );
        return Wait::TooLong(BackendError::backend(message, true).with_status(status));
    }
    waits.left -= 1;
    waits.longest -= pause;
    tokio::time::sleep(pause).await;
    Wait::Over
}

/// Whether an answer is a refusal that passes with time. A 403 is one where it says how long, as
/// GitHub's secondary limits do.
pub(super) fn is_for_a_while(answer: &Response<Bytes>, reads: bool) -> bool {
    match answer.status() {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::SERVICE_UNAVAILABLE => reads,
        StatusCode::FORBIDDEN => answer.headers().contains_key(header::RETRY_AFTER),
        _ => false,
    }
}

/// When to call again, for somebody who reads it now: in so many seconds, or, where that is no
/// number to reckon with, at a time.
fn when(pause: Duration, now: Timestamp) -> String {
    let seconds = pause.as_secs_f64().ceil();
    let at = SignedDuration::try_from(pause)
        .ok()
        .and_then(|pause| now.checked_add(pause).ok());
    match at.filter(|_| pause > SPOKEN_SECONDS) {
        Some(at) => {
            let at = at.round(Unit::Second).unwrap_or(at);
            format!("after {at} (in {} min)", (seconds / 60.0).ceil())
        }
        None => format!("in {seconds} s"),
    }
}

/// `Retry-After` as seconds or a date, else what the connector's filter finds.
async fn wait_asked_for(
    inner: &Arc<Inner>,
    answer: &Response<Bytes>,
    now: Timestamp,
) -> Option<Duration> {
    // the backend's clock, where it shows it: a date is one of that clock
    let text = |name| {
        answer
            .headers()
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let their_now = text(header::DATE)
        .and_then(|date| httpdate::parse_http_date(date.trim()).ok())
        .unwrap_or_else(|| now.into());
    if let Some(pause) = text(header::RETRY_AFTER).and_then(|said| length(said, their_now)) {
        return Some(pause);
    }
    let filter = inner
        .compiled()
        .wait
        .as_ref()
        .filter(|_| answer.status() != StatusCode::FORBIDDEN)?;
    let body = Admitted::new(answer.body().clone()).map_or(Held::Nothing, Held::received);
    let variables = answered(inner, answer);
    let found = values::one(inner, filter, &body, &variables).await.ok()?;
    length(&plain_text(&found)?, their_now)
}

/// How long from now: seconds, a date of HTTP, or a point in time as seconds or milliseconds since
/// 1970. What is past is no wait.
fn length(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let until = |point: SystemTime| point.duration_since(now).unwrap_or_default();
    let Ok(number) = text.parse::<f64>() else {
        return httpdate::parse_http_date(text).ok().map(until);
    };
    let seconds = Duration::try_from_secs_f64(if number >= EPOCH_MILLISECONDS {
        number / 1000.0
    } else {
        number
    })
    .ok()?;
    match number >= EPOCH_SECONDS {
        true => SystemTime::UNIX_EPOCH.checked_add(seconds).map(until),
        false => Some(seconds),
    }
}

/// `$status` and `$headers` of an answer.
pub(super) fn answered(inner: &Inner, answer: &Response<Bytes>) -> Variables {
    let mut variables = inner.variables();
    variables.set(
        Variable::Status,
        Val::from(isize::try_from(answer.status().as_u16()).unwrap_or_default()),
    );
    variables.set(Variable::Headers, headers(inner, answer.headers()));
    variables
}

/// Headers as an object, names in lower case, without secrets.
pub(super) fn headers(inner: &Inner, headers: &HeaderMap) -> Val {
    let texts = headers.iter().filter_map(|(name, value)| {
        Some((
            Val::utf8_str(name.as_str().to_owned()),
            Val::utf8_str(
                inner
                    .secrets
                    .hide_in_text(value.to_str().ok()?)
                    .into_owned(),
            ),
        ))
    });
    Val::obj(texts.collect())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use jiff::Timestamp;

    use super::{length, when};

    #[test]
    fn a_wait_is_read_in_each_of_its_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_905_000);
        for (said, seconds) in [
            ("7", Some(7.0)),
            (" 1.5 ", Some(1.5)),
            ("999999999", Some(999_999_999.0)),
            ("1000000000", Some(0.0)),
            ("1795905379", Some(379.0)),
            ("1795905379.5", Some(379.5)),
            ("1795905379000", Some(379.0)),
            ("Sat, 28 Nov 2026 22:36:40", None),
            ("Sat, 28 Nov 2026 22:36:40 GMT", Some(400.0)),
            ("Saturday, 28-Nov-26 22:36:40 GMT", Some(400.0)),
            ("Sat Nov 28 22:36:40 2026", Some(400.0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(0.0)),
            ("-5", None),
            ("soon", None),
            ("", None),
            ("inf", None),
            ("NaN", None),
        ] {
            assert_eq!(
                length(said, now),
                seconds.map(Duration::from_secs_f64),
                "{said}"
            );
        }
    }

    #[test]
    fn a_long_wait_is_told_as_a_time() {
        let now: Timestamp = "2026-11-28T22:30:00.4Z".parse().unwrap();
        assert_eq!(when(Duration::from_millis(7100), now), "in 8 s");
        assert_eq!(when(Duration::from_secs(120), now), "in 120 s");
        assert_eq!(
            when(Duration::from_secs(121), now),
            "after 2026-11-28T22:32:01Z (in 3 min)"
        );
        assert!(when(Duration::from_secs(900_000_000), now).starts_with("after 2055-"));
        assert_eq!(
            when(Duration::from_secs(u64::MAX), now),
            format!("in {} s", u64::MAX as f64)
        );
    }
}
