//! A change whose answer never came: its records are read as they are now, and the planner says
//! whether it happened.

use std::time::{Duration, SystemTime};

use footbridge_connector::{Backend, PastChange, RecordRef, UnknownVerdict, decide_unknown};
use footbridge_store::{ChangeDetail, ChangeEnd, ChangeError, ChangeOutcome, ChangeState, Store};

use super::recording::transition;

/// What a client reads of a change that was found carried out.
const FOUND: &str = "its answer never came; it was found carried out";
const NOT_FOUND: &str = "its answer never came; it was found not carried out";

/// A request whose connection broke may still be with its backend, read and not yet carried out. So
/// long after it was sent, or after its process was found ended, nothing is said not to have happened.
const AT_WORK: Duration = Duration::from_secs(5);

/// What was found out, and is on record now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResolvedChange {
    Happened,
    NeverHappened,
}

impl ResolvedChange {
    /// In words.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Happened => FOUND,
            Self::NeverHappened => NOT_FOUND,
        }
    }
}

/// Finds out how a change ended, and records it. `answer` is what is answered from then on when
/// the call is made again under its key.
///
/// # Errors
/// Why that cannot be known, as a part of a sentence.
pub(crate) async fn resolve(
    store: &Store,
    backend: &Backend,
    detail: &ChangeDetail,
    answer: Option<String>,
) -> Result<ResolvedChange, String> {
    let pasts = past_changes(detail, true);
    if pasts.is_empty() {
        return Err(
            "nobody knows whether it was carried out, and it names no record that could be looked at"
                .to_owned(),
        );
    }
    let mut resolved = look(backend, &pasts).await?;
    let wait = still_at_work(detail, backend, SystemTime::now());
    if resolved == ResolvedChange::NeverHappened && !wait.is_zero() {
        tokio::time::sleep(wait).await;
        resolved = look(backend, &pasts).await?;
    }
    let (outcome, answer) = match resolved {
        ResolvedChange::Happened => (ChangeOutcome::Done, answer),
        ResolvedChange::NeverHappened => (ChangeOutcome::Failed, None),
    };
    let end = ChangeEnd {
        outcome,
        message: Some(resolved.as_str().to_owned()),
        answer,
        records: Vec::new(),
        undo_values: None,
    };
    match store
        .resolve_change(detail.change.id, end, SystemTime::now())
        .await
    {
        Ok(()) => Ok(resolved),
        // somebody else found it out meanwhile
        Err(ChangeError::NotAllowed {
            from: ChangeState::Done,
            ..
        }) => Ok(ResolvedChange::Happened),
        Err(ChangeError::NotAllowed {
            from: ChangeState::Failed,
            ..
        }) => Ok(ResolvedChange::NeverHappened),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads the records as they are now, and tells by all of them.
async fn look(backend: &Backend, pasts: &[PastChange]) -> Result<ResolvedChange, String> {
    let mut verdicts = Vec::new();
    for past in pasts {
        let record = &past.record;
        let now = backend.read_image(&record.kind, &record.id).await;
        let now = now.map_err(|error| {
            let why = error.for_people();
            format!("nobody knows whether it was carried out, and {record} cannot be read: {why}")
        })?;
        let verdict = decide_unknown(&past.transition, &now.now, &now.traits.equality);
        verdicts.push(verdict);
    }
    let all = |wanted: fn(&UnknownVerdict) -> bool| verdicts.iter().all(wanted);
    if all(|verdict| *verdict == UnknownVerdict::Done) {
        Ok(ResolvedChange::Happened)
    } else if all(|verdict| matches!(verdict, UnknownVerdict::NeverHappened { .. })) {
        Ok(ResolvedChange::NeverHappened)
    } else {
        Err("nobody knows whether it was carried out, and its records are neither as before nor as after it, or cannot be read".to_owned())
    }
}

/// How long the backend may still be at work on a change, at most [`AT_WORK`], whatever a clock
/// says that jumped. One in this process ended with its call.
fn still_at_work(detail: &ChangeDetail, backend: &Backend, now: SystemTime) -> Duration {
    if backend.is_in_process() {
        return Duration::ZERO;
    }
    let change = &detail.change;
    let since = change.ended_at.as_ref().unwrap_or(&change.at);
    let since = since.parse::<jiff::Timestamp>().map(SystemTime::from);
    let passed = since.ok().and_then(|since| now.duration_since(since).ok());
    AT_WORK.saturating_sub(passed.unwrap_or_default())
}

/// What each record of a change went through.
pub(crate) fn past_changes(detail: &ChangeDetail, is_selected: bool) -> Vec<PastChange> {
    let change = &detail.change;
    let records = detail.records.iter().map(|record| PastChange {
        change: change.id.to_string(),
        record: RecordRef::new(&change.connector, &record.kind, &record.id),
        transition: transition(&change.connector, record),
        is_selected,
    });
    records.collect()
}
