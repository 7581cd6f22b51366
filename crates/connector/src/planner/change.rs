//! A change as the planner takes it: which record it touched, and what it did to it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::image::Image;

/// Which record: of which connector, of which kind, under which id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordRef {
    /// The connector's name.
    pub connector: String,
    /// The kind's name in the connector file's `records`.
    pub kind: String,
    /// The backend's id; empty for a record that is yet to be made.
    pub id: String,
}

impl RecordRef {
    /// A record of a connector.
    pub fn new(
        connector: impl Into<String>,
        kind: impl Into<String>,
        id: impl Into<String>,
    ) -> Self {
        Self {
            connector: connector.into(),
            kind: kind.into(),
            id: id.into(),
        }
    }
}

/// The kind and the id, such as `story 7`.
impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.id.is_empty() {
            return write!(f, "a new {}", self.kind);
        }
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// What a change did to one record, or is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum Transition {
    /// It was there and is there. Where the answer is not known, `after` is
    /// [`Image::with`] of what was sent.
    Changed {
        /// What it was.
        before: Image,
        /// What it became.
        after: Image,
    },
    /// It was made.
    Made {
        /// What it was then.
        after: Image,
        /// It was made in the place of this record, which had been deleted: an undo did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<RecordRef>,
    },
    /// It was deleted.
    Deleted {
        /// What it was.
        before: Image,
    },
    /// What it did was not kept.
    NotKept {
        /// Why, to be said behind "because".
        why: String,
    },
}

impl Transition {
    /// What would lead back. Doing a change is undoing what leads back from it.
    #[must_use]
    pub(super) fn reversed(&self) -> Self {
        match self.clone() {
            Self::Changed { before, after } => Self::Changed {
                before: after,
                after: before,
            },
            Self::Made { after, .. } => Self::Deleted { before: after },
            Self::Deleted { before } => Self::Made {
                after: before,
                instead_of: None,
            },
            Self::NotKept { why } => Self::NotKept { why },
        }
    }
}

/// What one change did to one record. A change that touched several records is as many of these,
/// under one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastChange {
    /// The change's name.
    pub change: String,
    /// The record it touched.
    pub record: RecordRef,
    /// What it did.
    #[serde(flatten)]
    pub transition: Transition,
    /// It is to be undone. A change that is not explains what happened to the record: its steps of
    /// versions are ours, and what it made stands for what was deleted.
    pub is_selected: bool,
}
