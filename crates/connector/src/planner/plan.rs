//! A plan: what is to be sent for each record, what conflicts, what already is, what cannot be done
//! and what is lost.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::change::RecordRef;
use super::equality::{FieldEquality, spelling};
use super::image::FieldValues;

/// Bytes of the digest of a plan.
const SEAL_BYTES: usize = 16;

/// What undoing or doing a selection of changes would send, and what it would leave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangePlan {
    /// The records, in the order in which they are to be sent.
    pub records: Vec<PlannedRecord>,
    /// The digest of what was decided and of the values it was decided by. Plans with the same
    /// digest write the same over the same; whoever applies one makes it again, and refuses when
    /// the digest is another. Edits of fields that the changes did not touch leave it as it is.
    pub digest: String,
}

/// What is to become of one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedRecord {
    /// The record; of one that was made again, the one that stands for it now.
    pub record: RecordRef,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The selected changes of it, in the order in which they are gone through.
    pub changes: Vec<String>,
    /// What is to be sent.
    pub act: RecordAct,
    /// The version of now, to be sent with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Value>,
    /// It already is there, or already is gone, as it would be after one of the changes was undone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_already: bool,
    /// Field by field. A field of which newer changes are undone and older ones conflict is here
    /// twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<PlannedField>,
    /// Changes that cannot be undone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<PlannedObstacle>,
    /// What making it again does not bring back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
}

/// What is to be sent for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordAct {
    /// Nothing.
    Nothing,
    /// [`PlannedRecord::values`], over the record as it is.
    Change,
    /// [`PlannedRecord::values`], as a new record.
    Make,
    /// That it be deleted.
    Delete,
}

/// What is to become of one field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedField {
    /// The field's name.
    pub field: String,
    /// The change that decided: the oldest whose value is put back, or the one that met a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// What is to become of it.
    #[serde(flatten)]
    pub verdict: FieldVerdict,
}

/// What is to become of a field. A value that is none is that of a field that is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum FieldVerdict {
    /// It is to have this value.
    Set {
        /// What it is to be; absent, where an open map had no such key.
        #[serde(
            default,
            deserialize_with = "value",
            skip_serializing_if = "Option::is_none"
        )]
        value: Option<Value>,
        /// What it is.
        #[serde(
            default,
            deserialize_with = "value",
            skip_serializing_if = "Option::is_none"
        )]
        now: Option<Value>,
        /// The record's version says that something happened to it after the change: another field
        /// was edited, or this one was edited and put back, which values do not tell apart.
        #[serde(default, skip_serializing_if = "is_false")]
        changed_since: bool,
    },
    /// It already is so.
    Already {
        /// As in `Set`.
        #[serde(default, skip_serializing_if = "is_false")]
        changed_since: bool,
    },
    /// Somebody else gave it another value, which stays.
    Conflict {
        /// What it was before the change.
        #[serde(
            default,
            deserialize_with = "value",
            skip_serializing_if = "Option::is_none"
        )]
        before: Option<Value>,
        /// What the change made of it, or is to make of it.
        #[serde(
            default,
            deserialize_with = "value",
            skip_serializing_if = "Option::is_none"
        )]
        ours: Option<Value>,
        /// What it is: after newer changes of the plan have been undone.
        #[serde(
            default,
            deserialize_with = "value",
            skip_serializing_if = "Option::is_none"
        )]
        now: Option<Value>,
    },
    /// The record is gone.
    Gone,
    /// It cannot be set.
    Cannot {
        /// Why.
        why: Obstacle,
    },
}

/// A change that cannot be undone, or not for this record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedObstacle {
    /// The change.
    pub change: String,
    /// Why not.
    pub why: Obstacle,
}

/// Why something cannot be done. As text it is the end of a sentence, behind "because".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", content = "detail", rename_all = "snake_case")]
pub enum Obstacle {
    /// What the change did was not kept, for this reason.
    NotKept(String),
    /// The change touched none of the fields that are kept.
    NoDifference,
    /// The record could not be read, for this reason.
    Unread(String),
    /// The record was there again after the change, and was deleted since: by somebody else, or
    /// by a change that is not selected.
    Gone,
    /// It would have to be deleted, and its version says that something happened to it that its
    /// fields do not show.
    ChangedSince,
    /// It would have to be deleted, and somebody else gave it other values.
    FieldsDiffer,
    /// It would have to be deleted, and this hangs on it.
    Attached(String),
    /// The connector has no way to change such a record.
    NoWayToChange,
    /// The connector has no way to make such a record.
    NoWayToMake,
    /// The connector has no way to delete such a record.
    NoWayToDelete,
    /// The value was too long to be kept.
    TooLong,
}

impl ChangePlan {
    /// A plan of these records, each with its own part of the digest.
    pub(super) fn sealed(records: Vec<(PlannedRecord, String)>) -> Self {
        let mut hash = Sha256::new();
        for (_, part) in &records {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let digest = digest.get(..SEAL_BYTES).unwrap_or(&digest);
        Self {
            digest: URL_SAFE_NO_PAD.encode(digest),
            records: records.into_iter().map(|(record, _)| record).collect(),
        }
    }

    /// Whether there is something to send.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.records
            .iter()
            .any(|record| record.act != RecordAct::Nothing)
    }

    /// Every conflict, with its record.
    pub fn conflicts(&self) -> impl Iterator<Item = (&PlannedRecord, &PlannedField)> {
        self.records.iter().flat_map(|record| {
            record
                .fields
                .iter()
                .filter(|field| field.is_conflict())
                .map(move |field| (record, field))
        })
    }
}

impl PlannedRecord {
    /// The values to be sent, by field.
    #[must_use]
    pub fn values(&self) -> FieldValues {
        let set = self
            .fields
            .iter()
            .filter_map(|planned| match &planned.verdict {
                FieldVerdict::Set { value, .. } => Some((planned.field.clone(), value.clone())),
                _ => None,
            });
        set.collect()
    }

    /// This record's part of the plan's digest.
    pub(super) fn seal(&self, equality: &FieldEquality) -> String {
        let mut parts = vec![
            self.record.connector.clone(),
            self.record.kind.clone(),
            self.record.id.clone(),
            format!("{:?} {}", self.act, self.is_already),
            self.changes.len().to_string(),
        ];
        parts.extend(self.changes.iter().cloned());
        if self.act == RecordAct::Delete {
            parts.extend(self.version.as_ref().map(spelling));
        }
        for planned in &self.fields {
            let spelled = |value: &Option<Value>| {
                let spelled = value
                    .as_ref()
                    .map(|value| equality.spelled(&planned.field, value));
                spelled.unwrap_or_default()
            };
            parts.push(planned.field.clone());
            match &planned.verdict {
                FieldVerdict::Set { value, now, .. } => {
                    parts.extend(["set".to_owned(), spelled(value), spelled(now)]);
                }
                FieldVerdict::Already { .. } => parts.push("already".to_owned()),
                FieldVerdict::Conflict { before, ours, now } => {
                    parts.push("conflict".to_owned());
                    parts.extend([before, ours, now].map(spelled));
                }
                FieldVerdict::Gone => parts.push("gone".to_owned()),
                FieldVerdict::Cannot { why } => parts.push(format!("{why:?}")),
            }
        }
        for obstacle in &self.obstacles {
            parts.push(format!("{} {:?}", obstacle.change, obstacle.why));
        }
        Value::from(parts).to_string()
    }
}

impl PlannedField {
    /// Whether somebody else's value stands here.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.verdict, FieldVerdict::Conflict { .. })
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotKept(why) => return write!(f, "what it did was not kept: {why}"),
            Self::Unread(why) => return write!(f, "the record could not be read: {why}"),
            Self::Attached(what) => return write!(f, "{what} would go with it"),
            Self::NoDifference => "it changed none of the fields that are kept",
            Self::Gone => "the record was there again, and was deleted since",
            Self::ChangedSince => "its version tells of a change since that its fields do not show",
            Self::FieldsDiffer => "the record was changed since",
            Self::NoWayToChange => "the connector has no way to change such a record",
            Self::NoWayToMake => "the connector has no way to make such a record",
            Self::NoWayToDelete => "the connector has no way to delete such a record",
            Self::TooLong => "the value was too long to be kept",
        })
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A value that stands there, null among them: only a missing one is none.
fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
