//! Changes: one row for each write through any door, recorded before it is sent and after it ended,
//! with the records that it touched. What a record's fields mean is the caller's business: images
//! and arguments are JSON texts here.

use std::fmt;

use crate::{ChangeState, StoreError};

mod audited;
mod begin;
mod decision;
mod ending;
mod feed;
mod keys;
mod reading;
mod records;
mod retention;
mod selection;
mod transition;

#[cfg(test)]
mod plans;

pub(crate) use begin::add_done_change;
pub use begin::{BegunChange, Proposal, ProposedChange};
pub use ending::{ChangeEnd, OpenChange};
pub use feed::{CallerRate, FeedClients, FeedQuery, FeedSource};
pub use keys::KEPT_TIME;
pub use reading::{ChangeDetail, ChangePage, RecordName, RecordedChange};
pub use selection::{ChangeQuery, ChangeSelection, RecordAddress};

/// Bytes of the arguments of a change, as they are kept for the eye.
pub const MAX_CHANGE_ARGUMENTS: usize = 64 << 10;
/// Bytes of one image of a record; a larger one is left out, and the change says so.
pub const MAX_IMAGE: usize = 256 << 10;
/// Bytes of all images that are kept of a change when it begins, and again when it ends.
pub const MAX_IMAGES: usize = 4 << 20;
/// Records of one change.
pub const MAX_CHANGED_RECORDS: usize = 1000;
/// Bytes of what a proposal needs to be carried out.
pub const MAX_REQUEST: usize = 1 << 20;
/// Bytes of an answer that is kept under a key.
pub const MAX_KEPT_ANSWER: usize = 128 << 10;
/// Characters of all answers that are kept in one room.
pub const MAX_KEPT_CHARACTERS: u64 = 16 << 20;
/// So many rooms may be full: all of them together have an end.
const ROOMS: u32 = 16;

/// The number of a change: later changes have greater ones, and none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChangeId(i64);

impl ChangeId {
    /// Reads a number; anything else names no change.
    ///
    /// ```
    /// use footbridge_store::ChangeId;
    /// assert_eq!(ChangeId::parse("17").unwrap().to_string(), "17");
    /// assert!(ChangeId::parse("0").is_none() && ChangeId::parse("+1").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<ChangeId> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| is_plain && *number > 0)?;
        Some(ChangeId(number))
    }

    /// The change of that number.
    pub const fn from_number(number: i64) -> ChangeId {
        ChangeId(number)
    }

    /// Its number.
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A change that is to be recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewChange {
    /// Through which door it came.
    pub door: String,
    /// Who calls.
    pub caller: String,
    /// The client's name, as it says.
    pub client: Option<String>,
    /// The client's version, as it says.
    pub client_version: Option<String>,
    /// The connector.
    pub connector: String,
    /// The address of its backend.
    pub address: String,
    /// As whom the backend knows us.
    pub account: Option<String>,
    /// The tool.
    pub tool: String,
    /// What the tool does to the backend.
    pub effect: String,
    /// The arguments as JSON text, without secrets, with long texts cut.
    pub arguments: String,
    /// What tells these arguments from others.
    pub fingerprint: String,
    /// The caller's own key, when it has one.
    pub key: Option<ChangeKey>,
    /// The change that this one undoes.
    pub undoes: Option<ChangeId>,
    /// What was known when the undo was planned: it is refused when another change undid the same
    /// since.
    pub planned: Option<PlannedUndo>,
    /// The records as they were before, where that is known.
    pub records: Vec<ChangedRecord>,
}

/// What whoever undoes knew when that was planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlannedUndo {
    /// The last step of all changes then.
    pub step: i64,
    /// What the same undo did since.
    pub own: Vec<ChangeId>,
}

/// A caller's key. Each text is compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeKey {
    /// The caller's own word; with the caller and the target it is used once.
    pub key: String,
    /// What is called: the tool of one backend, told from others.
    pub target: String,
    /// Whose room it takes: a client that fills its own leaves those of others.
    pub room: String,
}

/// What a change did to one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedRecord {
    /// The kind of record.
    pub kind: String,
    /// The record's id.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its version after the change, or before one that has not ended.
    pub version: Option<String>,
    /// The fields that the backend left as they were, a JSON list.
    pub ignored: Option<String>,
    /// Why there is no image, and so no undoing.
    pub without_image: Option<String>,
    /// Its fields before, a JSON object.
    pub before: Option<String>,
    /// Its fields after, a JSON object.
    pub after: Option<String>,
    /// The id of the record that it was made in the place of.
    pub instead_of: Option<String>,
}

/// What is known of a call under a key that was made before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownCall {
    /// It was carried out; its answer, when that was not too large to keep.
    Done {
        /// The change.
        change: ChangeId,
        /// What was answered.
        answer: Option<String>,
    },
    /// It waits for a decision, is under way, or nobody knows how it ended.
    Unfinished {
        /// The change.
        change: ChangeId,
        /// Where it stands.
        state: ChangeState,
        /// When it began, RFC 3339 UTC.
        at: String,
    },
    /// The key belongs to a call with this other fingerprint.
    Other {
        /// The change.
        change: ChangeId,
        /// Its fingerprint.
        fingerprint: String,
    },
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// No change has this number.
    #[error("there is no change {0}: it never was, or its time is over; list the changes")]
    Missing(ChangeId),
    /// The change is in a state that the other does not follow.
    #[error("change {id} is {from}, so it cannot become {to}")]
    NotAllowed {
        /// The change.
        id: ChangeId,
        /// Where it stands.
        from: ChangeState,
        /// Where it was to go.
        to: ChangeState,
    },
    /// The proposal's time is over.
    #[error("the proposal {id} ended at {at}: make the call again")]
    TooLate {
        /// The change.
        id: ChangeId,
        /// When it ended, RFC 3339 UTC.
        at: String,
    },
    /// Somebody else undid the same since the undo was planned.
    #[error("change {undone} is being undone, or was undone, by change {by}: plan again")]
    UndoneMeanwhile {
        /// The change that was to be undone.
        undone: ChangeId,
        /// The change that undid it.
        by: ChangeId,
    },
    /// As many calls are kept under keys as there is room for.
    #[error(
        "{0} calls of this client, {MAX_KEPT_CHARACTERS} characters of their answers, or {ROOMS} times as much of all clients, are kept already"
    )]
    KeysFull(u32),
    /// It is larger than what is kept.
    #[error("{what}: {size}, and at most {most} are kept; ask for less at once")]
    TooLarge {
        /// What is.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        most: usize,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
