//! Records, settled: how a thing of the backend is read, changed, made and deleted, which tools
//! touch it, and how what a tool did is taken back. Sends nothing itself.

use std::fmt;

use super::plan::Request;
use crate::jq::Glue;
use crate::touched::Touch;

/// Fields of one record that are kept; a record with more is not.
pub(crate) const MAX_FIELDS: usize = 1_000;

/// A kind of record that tools touch, as a host may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKind {
    /// Its name, such as `story`.
    pub name: String,
    /// The fields that are kept of one, and may be put back; none for an open map, whose keys are
    /// the fields.
    pub fields: Option<Vec<String>>,
    /// Fields can be put back.
    pub can_change: bool,
    /// A deleted one can be made again.
    pub can_make: bool,
    /// One that was made can be deleted.
    pub can_delete: bool,
    /// What making it again cannot bring back.
    pub lost: Option<String>,
    /// The kind of the record that it is a part of, under the same id.
    pub part_of: Option<String>,
}

/// A kind of record, settled.
#[derive(Debug)]
pub(crate) struct RecordPlan {
    pub(crate) kind: RecordKind,
    pub(crate) get: Request,
    /// A PATCH of the fields that change, or a PUT of all of them; without a body.
    pub(crate) change: Option<Request>,
    pub(crate) create: Option<CreationPlan>,
    pub(crate) delete: Option<Request>,
    pub(crate) id: Glue,
    pub(crate) version: Option<Glue>,
    /// The name under which the version is sent with a change.
    pub(crate) version_name: Option<String>,
    pub(crate) name: Option<Glue>,
    pub(crate) fields: FieldsPlan,
    /// Those that are sets.
    pub(crate) sets: Vec<String>,
    /// What hangs on one.
    pub(crate) attached: Vec<AttachedPlan>,
}

impl RecordPlan {
    /// A field of this name is kept of the record, or its open map is called so.
    pub(crate) fn has_field(&self, name: &str) -> bool {
        match &self.fields {
            FieldsPlan::Listed(fields) => fields.iter().any(|(known, _)| known == name),
            FieldsPlan::Open { name: known, .. } => known == name,
        }
    }
}

/// Where the things of one kind are listed that hang on a record, settled.
#[derive(Debug)]
pub(crate) struct AttachedPlan {
    /// What one is called; the kind of a record, where it is one.
    pub(crate) noun: String,
    pub(crate) list: Request,
    pub(crate) rows: Glue,
}

/// How a record is made, settled.
#[derive(Debug)]
pub(crate) struct CreationPlan {
    /// A POST without a body.
    pub(crate) request: Request,
    /// Fields that are sent only then.
    pub(crate) extra: Vec<(String, Glue)>,
}

/// Which fields are kept.
#[derive(Debug)]
pub(crate) enum FieldsPlan {
    /// Each with what gives the value that is written under its name.
    Listed(Vec<(String, Glue)>),
    /// The keys of a map, with the name under which it is written.
    Open { name: String, map: Glue },
}

/// How the change that a tool makes is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoWay {
    /// By the records that it touches, field by field.
    Records,
    /// By another tool, with the same arguments.
    Inverse(String),
    /// By steps of its own, whole or not at all.
    Steps,
    /// Not at all, for this reason.
    Not(String),
}

/// What is known of a tool's change before it is made: what undoing does, and what it does not
/// bring back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoing {
    /// How.
    pub way: UndoWay,
    /// What it touches, by the names of records.
    pub touches: Vec<(Touch, String)>,
    /// What is undone, in a sentence; none when nothing is.
    pub undone: Option<String>,
    /// What is lost, in a sentence.
    pub lost: Option<String>,
}

/// In one line: what is undone and what is lost, or why nothing is undone.
impl fmt::Display for Undoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.way, &self.undone) {
            (UndoWay::Not(why), _) => write!(f, "Is not undone: {why}")?,
            (_, Some(undone)) => f.write_str(undone)?,
            (_, None) => {}
        }
        match &self.lost {
            Some(lost) => write!(f, " Lost: {lost}"),
            None => Ok(()),
        }
    }
}
