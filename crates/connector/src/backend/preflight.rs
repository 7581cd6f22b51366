//! What is asked before a backend is served: each check in its order, tried again while its failure
//! may pass.

use std::time::Duration;

use super::values;
use super::{Backend, request};
use crate::connector::{CheckPlan, MAX_REQUESTS};
use crate::failure::{BackendError, Fault};
use crate::jq::plain_text;
use crate::version::Version;

/// Wait before a check is tried again; twice as long before each further time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// A check that failed before the backend was served.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
pub struct PreflightFailure {
    /// Exit code of the program, as the connector file says.
    pub exit: u8,
    /// The backend did not answer, or not well; the failure may pass. Otherwise it answered, and
    /// refused.
    pub is_down: bool,
    /// The connector file gives the check an exit code.
    pub ends_start: bool,
    /// The connector file lets the backend be served although it is down.
    pub may_be_down: bool,
    /// What failed.
    pub error: BackendError,
}

pub(super) async fn run(backend: &Backend) -> Result<Vec<String>, PreflightFailure> {
    let mut warnings = Vec::new();
    let shared = backend.shared();
    // a session is as good as the setting in whose place it is kept
    let has = |setting: &String| {
        shared.settings.has(setting)
            || (shared.compiled().token_setting.as_ref() == Some(setting)
                && shared.settings.session.is_some())
    };
    let is_asked = |check: &&CheckPlan| check.with.as_ref().is_none_or(has);
    for check in shared.compiled().preflight.iter().filter(is_asked) {
        if let Some(warning) = &check.warning {
            warnings.extend(one(backend, check).await.is_ok().then(|| warning.clone()));
            continue;
        }
        let fail = |error: BackendError| {
            let is_down = error.fault() == Fault::Backend && error.retry_is_safe();
            let exit = if is_down { check.exit_down } else { check.exit };
            PreflightFailure {
                exit,
                is_down,
                ends_start: check.ends_start,
                may_be_down: check.may_be_down,
                error,
            }
        };
        patiently(backend, check).await.map_err(fail)?;
    }
    Ok(warnings)
}

async fn patiently(backend: &Backend, check: &CheckPlan) -> Result<(), BackendError> {
    let (mut wait, mut waited) = (FIRST_WAIT, Duration::ZERO);
    loop {
        let error = match one(backend, check).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if !error.retry_is_safe() || waited + wait > check.patience {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        waited += wait;
        wait *= 2;
    }
}

async fn one(backend: &Backend, check: &CheckPlan) -> Result<(), BackendError> {
    let inner = &backend.begin(MAX_REQUESTS);
    let variables = inner.variables();
    let answer = request::check(inner, &check.request, &variables).await?;
    let Some(oldest) = &check.oldest else {
        return Ok(());
    };
    // an answer of another form says no version
    let version = values::one(inner, &oldest.of, &answer, &variables)
        .await
        .unwrap_or_default();
    let title = &inner.compiled().title;
    let version = plain_text(&version).unwrap_or_default();
    let version = inner.secrets.hide_in_sentence(&version);
    match Version::parse(&version) {
        Some(found) if found.is_at_least(&oldest.version) => Ok(()),
        Some(_) => Err(BackendError::caller(format!(
            "{title} has version {}; at least {} is needed. Update it.",
            start_of(&version),
            oldest.written
        ))),
        None => Err(BackendError::caller(format!(
            "{title} does not say a version that can be compared ({:?}); at least {} is needed. Check its address and update it.",
            start_of(&version),
            oldest.written
        ))),
    }
}

/// The start of a text of the backend, on one line.
fn start_of(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(40)
        .collect()
}
