//! A change whose answer never came: its records are read as they are now, and the planner says
//! whether it happened.

use std::time::SystemTime;

use footbridge_connector::{Backend, PastChange, RecordRef, UnknownVerdict, decide_unknown};
use footbridge_store::{ChangeDetail, ChangeEnd, ChangeError, ChangeOutcome, ChangeState, Store};

use super::recording::transition;

/// What a client reads of a change that was found carried out.
const FOUND: &str = "its answer never came; it was found carried out";
const NOT_FOUND: &str = "its answer never came; it was found not carried out";

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
    let mut verdicts = Vec::new();
    for past in &pasts {
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
    let resolved = if all(|verdict| *verdict == UnknownVerdict::Done) {
        ResolvedChange::Happened
    } else if all(|verdict| matches!(verdict, UnknownVerdict::NeverHappened { .. })) {
        ResolvedChange::NeverHappened
    } else {
        return Err("nobody knows whether it was carried out, and its records are neither as before nor as after it, or cannot be read".to_owned());
    };
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
