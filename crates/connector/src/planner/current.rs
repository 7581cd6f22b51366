//! A record as it is now, and what its kind lets us do with it.

use std::collections::BTreeMap;
use std::fmt;

use super::change::RecordRef;
use super::equality::FieldEquality;
use super::image::Image;

/// What hangs on a record and would go with it when it is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// A record, which the same undo may take away first.
    Record(RecordRef),
    /// Something else, such as `attachments (3)`.
    Other(String),
}

/// In words, such as `task 9`.
impl fmt::Display for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(record) => record.fmt(f),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// What was found when the record was read.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordNow {
    /// It is there.
    Found {
        /// What it is.
        image: Image,
        /// What hangs on it and would go with it; nothing where nobody looked.
        attached: Vec<Attached>,
    },
    /// The backend says that there is none.
    Gone,
    /// It could not be read.
    Unread {
        /// Why, to be said behind "because".
        why: String,
    },
}

/// What is known of a kind of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordTraits {
    /// When two values of a field are the same.
    pub equality: FieldEquality,
    /// Its fields can be changed.
    pub can_change: bool,
    /// One can be made.
    pub can_make: bool,
    /// One can be deleted.
    pub can_delete: bool,
    /// What making one again cannot bring back.
    pub lost: Option<String>,
}

/// A record whose fields can be changed, and which can be made and deleted.
impl Default for RecordTraits {
    fn default() -> Self {
        Self {
            equality: FieldEquality::default(),
            can_change: true,
            can_make: true,
            can_delete: true,
            lost: None,
        }
    }
}

/// A record as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct CurrentRecord {
    /// What was found.
    pub now: RecordNow,
    /// What people call it, such as `#12 Sign in`.
    pub name: Option<String>,
    /// What its kind lets us do.
    pub traits: RecordTraits,
}

/// The records that a plan is made over, as they are now.
pub type CurrentRecords = BTreeMap<RecordRef, CurrentRecord>;
