//! A record that a call touched: what it was before, what was sent, what it is after.

use serde::{Deserialize, Serialize};

use crate::planner::{FieldValues, Image, NotTaken, RecordRef, Transition};

/// What a tool does to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Touch {
    /// Makes it.
    Makes,
    /// Changes it.
    Changes,
    /// Deletes it.
    Deletes,
}

/// A record that a call touches, as far as it is known: before the first request that writes, what
/// it is then; after the call, also what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TouchedRecord {
    /// Which; without an id for one that is yet to be made.
    pub record: RecordRef,
    /// What people call it; untrusted.
    pub name: Option<String>,
    /// What is done to it.
    pub touch: Touch,
    /// What it was before; none for one that was made.
    pub before: Option<Image>,
    /// What it is after; none for one that was deleted, and where it is not known.
    pub after: Option<Image>,
    /// What was sent for its fields so far; before the call, what its first request is about to
    /// send.
    pub sent: FieldValues,
    /// Fields that do not have the value that was sent, though the backend said that all went well.
    pub not_taken: Vec<NotTaken>,
    /// It was made in the place of this one, which had been deleted.
    pub instead_of: Option<RecordRef>,
    /// Why what it was or is could not be kept, to be said behind "because"; such a change cannot
    /// be undone.
    pub not_kept: Option<String>,
}

impl TouchedRecord {
    /// What the call did to it, as the planner takes it. Where what it is after is not known, that
    /// is what it was with what was sent.
    #[must_use]
    pub fn transition(&self) -> Transition {
        let not_kept = |why: &str| Transition::NotKept {
            why: why.to_owned(),
        };
        if let Some(why) = &self.not_kept {
            return not_kept(why);
        }
        match (self.touch, &self.before, &self.after) {
            (Touch::Makes, _, after) => Transition::Made {
                after: after
                    .clone()
                    .unwrap_or_else(|| Image::default().with(&self.sent)),
                instead_of: self.instead_of.clone(),
            },
            (_, None, _) => not_kept("it was not read before the change"),
            (Touch::Changes, Some(before), after) => Transition::Changed {
                before: before.clone(),
                after: after.clone().unwrap_or_else(|| before.with(&self.sent)),
            },
            (Touch::Deletes, Some(before), _) => Transition::Deleted {
                before: before.clone(),
            },
        }
    }

    /// The fields that the backend left as they were, though they were sent.
    pub fn ignored(&self) -> impl Iterator<Item = &str> {
        self.not_taken
            .iter()
            .filter(|not_taken| not_taken.is_ignored)
            .map(|not_taken| not_taken.field.as_str())
    }
}

/// What a call that writes did, for whoever records it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct WrittenRecords {
    pub(crate) touched: Vec<TouchedRecord>,
    /// What undoing by steps or by another tool needs, as JSON.
    pub(crate) undo_values: Option<String>,
}
