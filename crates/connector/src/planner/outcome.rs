//! What became of a write: which fields the backend ignored, and whether a write whose answer never
//! came has happened.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::Transition;
use super::current::RecordNow;
use super::equality::FieldEquality;
use super::image::{FieldTrace, FieldValues, Image, fields_of_both};
use super::plan::{FieldVerdict, PlannedField};
use super::sets::three_way_by_items;
use super::three_way::{ThreeWay, has_moved};

/// A field that does not have the value that was sent, though the backend said that all went well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NotTaken {
    /// The field's name.
    pub field: String,
    /// What was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Value>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<Value>,
    /// It is what it was before: the backend ignored it. Otherwise it made something else of it.
    pub is_ignored: bool,
}

/// Reads a write back: the fields that do not have the values that were sent. `answered` is the
/// record as the backend answered it, or as it was read afterwards.
///
/// ```
/// use footbridge_connector::{FieldEquality, Image, read_back};
/// use serde_json::json;
///
/// let image = |tags| Image::new([("tags".to_owned(), tags)], None);
/// let (before, answered) = (image(json!([])), image(json!(["web"])));
/// let sent = [("tags".to_owned(), Some(json!(["Web"])))].into();
///
/// let not_taken = read_back(Some(&before), &sent, &answered, &FieldEquality::default());
/// assert_eq!(not_taken[0].answered, Some(json!(["web"])));
/// assert!(!not_taken[0].is_ignored);
/// ```
#[must_use]
pub fn read_back(
    before: Option<&Image>,
    sent: &FieldValues,
    answered: &Image,
    equality: &FieldEquality,
) -> Vec<NotTaken> {
    let not_taken = sent.iter().filter_map(|(field, value)| {
        let wanted = value.as_ref().map(FieldTrace::Whole);
        let is = answered.get(field);
        if equality.is_kept_same(field, wanted, is) {
            return None;
        }
        let was_so = |before: &Image| equality.is_kept_same(field, before.get(field), is);
        Some(NotTaken {
            field: field.clone(),
            sent: value.clone(),
            answered: is.map(FieldTrace::shown),
            is_ignored: before.is_some_and(was_so),
        })
    });
    not_taken.collect()
}

/// What became of a write whose answer never came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum UnknownVerdict {
    /// It never happened: all is as it was before.
    NeverHappened {
        /// The record's version says that something else did, or that the write did happen and was
        /// put back, which values do not tell apart.
        changed_since: bool,
    },
    /// It was done: all is as it was to be.
    Done,
    /// Some of it is neither, or some of it is the one and some the other.
    Conflict {
        /// The fields that the write was about, with the three values.
        fields: Vec<PlannedField>,
    },
    /// The record was to be changed and is gone.
    Gone,
    /// It cannot be told.
    CannotTell {
        /// Why, to be said behind "because".
        why: String,
    },
}

/// Decides a change whose answer never came, from the record as it is now. What it was to become
/// is, for a record that was changed, [`Image::with`] of what was sent; for one that was made, what
/// was sent.
///
/// ```
/// use footbridge_connector::{
///     FieldEquality, Image, RecordNow, Transition, UnknownVerdict, decide_unknown,
/// };
/// use serde_json::json;
///
/// let image = |status: u8| Image::new([("status".to_owned(), json!(status))], None);
/// let sent = Transition::Changed { before: image(1), after: image(2) };
/// let decided = |status| {
///     let now = RecordNow::Found { image: image(status), attached: Vec::new() };
///     decide_unknown(&sent, &now, &FieldEquality::default())
/// };
/// assert_eq!(decided(1), UnknownVerdict::NeverHappened { changed_since: false });
/// assert_eq!(decided(2), UnknownVerdict::Done);
/// assert!(matches!(decided(3), UnknownVerdict::Conflict { .. }));
/// ```
#[must_use]
pub fn decide_unknown(
    sent: &Transition,
    now: &RecordNow,
    equality: &FieldEquality,
) -> UnknownVerdict {
    let cannot_tell = |why: &str| UnknownVerdict::CannotTell {
        why: why.to_owned(),
    };
    match (sent, now) {
        (_, RecordNow::Unread { why }) => cannot_tell(&format!("it could not be read: {why}")),
        (Transition::NotKept { why }, _) => cannot_tell(&format!("nothing of it was kept: {why}")),
        (Transition::Changed { before, after }, RecordNow::Found { image, .. }) => {
            decide_changed(before, after, image, equality)
        }
        (Transition::Changed { .. }, RecordNow::Gone) => UnknownVerdict::Gone,
        (Transition::Made { after, .. }, RecordNow::Found { image, .. }) => {
            let fields = after.values().map(|(field, _)| field);
            let (_, fields) = compared(fields, &Image::default(), after, image, equality);
            // what was not sent, the backend filled in
            let differs = |planned: &PlannedField| planned.is_conflict();
            match fields.iter().any(differs) {
                true => UnknownVerdict::Conflict { fields },
                false => UnknownVerdict::Done,
            }
        }
        (Transition::Made { .. }, RecordNow::Gone) => UnknownVerdict::NeverHappened {
            changed_since: false,
        },
        (Transition::Deleted { .. }, RecordNow::Gone) => UnknownVerdict::Done,
        (Transition::Deleted { before }, RecordNow::Found { image, .. }) => {
            UnknownVerdict::NeverHappened {
                changed_since: has_moved(before, image),
            }
        }
    }
}

fn decide_changed(
    before: &Image,
    after: &Image,
    now: &Image,
    equality: &FieldEquality,
) -> UnknownVerdict {
    let fields = fields_of_both(before, after);
    let (found, fields) = compared(fields, before, after, now, equality);
    let changed_since = has_moved(before, now);
    if found.is_empty() {
        return match (&before.version, &now.version) {
            (Some(_), Some(_)) if !changed_since => UnknownVerdict::NeverHappened { changed_since },
            _ => UnknownVerdict::CannotTell {
                why: "it was to change none of the fields that are kept".to_owned(),
            },
        };
    }
    if found.iter().all(|three| *three == ThreeWay::Already) {
        UnknownVerdict::Done
    } else if found.iter().all(|three| *three == ThreeWay::Untouched) {
        UnknownVerdict::NeverHappened { changed_since }
    } else {
        UnknownVerdict::Conflict { fields }
    }
}

/// The fields that the write was about, each as what was found and as a conflict, which it is when
/// the whole is one; a field that is as it was to be is listed as such.
fn compared<'a>(
    fields: impl IntoIterator<Item = &'a str>,
    before: &'a Image,
    after: &'a Image,
    now: &'a Image,
    equality: &FieldEquality,
) -> (Vec<ThreeWay>, Vec<PlannedField>) {
    let compared = fields.into_iter().filter_map(|field| {
        let values = (after.get(field), before.get(field), now.get(field));
        let (target, expected, is) = values;
        let found = three_way_by_items(equality, field, target, expected, is);
        let verdict = match found {
            ThreeWay::NotOurs => return None,
            ThreeWay::Already => FieldVerdict::Already {
                changed_since: false,
            },
            ThreeWay::Untouched | ThreeWay::Conflict => FieldVerdict::Conflict {
                before: expected.map(FieldTrace::shown),
                ours: target.map(FieldTrace::shown),
                now: is.map(FieldTrace::shown),
            },
        };
        let planned = PlannedField {
            field: field.to_owned(),
            change: None,
            verdict,
        };
        Some((found, planned))
    });
    compared.unzip()
}
