//! How long a backend wants us to wait, and waiting.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, header};
use jaq_json::Val;

use super::Inner;
use super::values::{self, Held};
use crate::failure::CallError;
use crate::jq::{Variable, Variables, plain_text};
use crate::json::Admitted;

/// Waits that one request may make.
const MAX_WAITS: usize = 3;

/// What one request may still wait.
pub(super) struct Waits {
    left: usize,
    longest: Duration,
}

impl Waits {
    pub(super) fn new(longest: Duration) -> Self {
        Self { left: MAX_WAITS, longest }
    }
}

/// What came of a wait.
pub(super) enum Wait {
    /// The backend did not say how long.
    NotAsked,
    Over,
    TooLong(CallError),
}

/// Waits as long as the answer asks for, when that is not too long.
pub(super) async fn wait(inner: &Arc<Inner>, answer: &Response<Bytes>, waits: &mut Waits) -> Wait {
    let Some(asked) = asked(inner, answer).await else { return Wait::NotAsked };
    if waits.left == 0 || asked > waits.longest {
        let title = &inner.compiled().title;
        let seconds = asked.as_secs_f64().ceil();
        let message =
            format!("{title} takes no more requests for the moment ({}). Call again in {seconds} s.", answer.status().as_u16());
        return Wait::TooLong(CallError::backend(message, true).with_status(answer.status().as_u16()));
    }
    waits.left -= 1;
    waits.longest -= asked;
    tokio::time::sleep(asked).await;
    Wait::Over
}

/// `Retry-After` in seconds, else what the connector's filter finds.
async fn asked(inner: &Arc<Inner>, answer: &Response<Bytes>) -> Option<Duration> {
    let seconds = |text: &str| text.trim().parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let header = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    if let Some(asked) = header.and_then(seconds) {
        return Some(asked);
    }
    let filter = inner.compiled().wait.as_ref()?;
    let body = Admitted::new(answer.body().clone()).map_or(Held::Nothing, Held::received);
    let variables = answered(inner, answer);
    let found = values::one(inner, filter, &body, &variables).await.ok()?;
    seconds(&plain_text(&found)?)
}

/// `$status` and `$headers` of an answer.
pub(super) fn answered(inner: &Inner, answer: &Response<Bytes>) -> Variables {
    let mut variables = inner.variables();
    set(&mut variables, Variable::Status, Val::from(isize::try_from(answer.status().as_u16()).unwrap_or_default()));
    set(&mut variables, Variable::Headers, headers(inner, answer.headers()));
    variables
}

/// Headers as an object, names in lower case, without secrets.
pub(super) fn headers(inner: &Inner, headers: &HeaderMap) -> Val {
    let texts = headers.iter().filter_map(|(name, value)| {
        Some((
            Val::utf8_str(name.as_str().to_owned()),
            Val::utf8_str(inner.secrets.hide_in_text(value.to_str().ok()?).into_owned()),
        ))
    });
    Val::obj(texts.collect())
}

/// Sets a variable.
pub(super) fn set(variables: &mut Variables, variable: Variable, value: Val) {
    if let Some(slot) = variables.get_mut(variable as usize) {
        *slot = value;
    }
}
