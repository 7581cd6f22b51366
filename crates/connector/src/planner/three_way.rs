//! The comparison of three values that everything else here is made of: what a field is to be, what
//! it would be if nobody else had touched it, and what it is.

use super::equality::FieldEquality;
use super::image::{FieldTrace, FieldValues, Image};
use super::plan::{FieldVerdict, PlannedField};

/// What three values say of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThreeWay {
    /// It is to be what it would be anyway: the change is not about it.
    NotOurs,
    /// Nobody else touched it, as far as values tell.
    Untouched,
    /// It already is what it is to be.
    Already,
    /// Somebody else gave it another value.
    Conflict,
}

/// `target` is what the field is to be, `expected` what it is if nobody else touched it.
pub(super) fn three_way(
    equality: &FieldEquality,
    field: &str,
    target: Option<FieldTrace<'_>>,
    expected: Option<FieldTrace<'_>>,
    now: Option<FieldTrace<'_>>,
) -> ThreeWay {
    if equality.is_kept_same(field, target, expected) {
        ThreeWay::NotOurs
    } else if equality.is_kept_same(field, now, expected) {
        ThreeWay::Untouched
    } else if equality.is_kept_same(field, now, target) {
        ThreeWay::Already
    } else {
        ThreeWay::Conflict
    }
}

/// Merges a write that the backend refused because the record has another version: what may be
/// sent once more over the record as it is now, and what conflicts. Fields that the write does not
/// change are not listed.
///
/// ```
/// use footbridge_connector::{FieldEquality, FieldVerdict, Image, merge_write};
/// use serde_json::json;
///
/// let image = |subject: &str, status: u8, version: u8| {
///     let fields = [("subject", json!(subject)), ("status", json!(status))];
///     Image::new(fields.map(|(name, value)| (name.to_owned(), value)), Some(json!(version)))
/// };
/// let wanted = [("status".to_owned(), Some(json!(3)))].into();
/// let (before, now) = (image("Sign in", 1, 7), image("Sign in again", 1, 8));
///
/// let merged = merge_write(&before, &wanted, &now, &FieldEquality::default());
/// assert_eq!(merged[0].field, "status");
/// assert!(matches!(merged[0].verdict, FieldVerdict::Set { changed_since: true, .. }));
/// ```
#[must_use]
pub fn merge_write(
    before: &Image,
    wanted: &FieldValues,
    now: &Image,
    equality: &FieldEquality,
) -> Vec<PlannedField> {
    let changed_since = has_moved(before, now);
    let merged = wanted.iter().filter_map(|(field, value)| {
        let target = value.as_ref().map(FieldTrace::Whole);
        let (expected, now) = (before.get(field), now.get(field));
        let shown = |field_value: Option<FieldTrace<'_>>| field_value.map(FieldTrace::shown);
        let verdict = match three_way(equality, field, target, expected, now) {
            ThreeWay::NotOurs => return None,
            ThreeWay::Untouched => FieldVerdict::Set {
                value: value.clone(),
                now: shown(now),
                changed_since,
            },
            ThreeWay::Already => FieldVerdict::Already { changed_since },
            ThreeWay::Conflict => FieldVerdict::Conflict {
                before: shown(expected),
                ours: value.clone(),
                now: shown(now),
            },
        };
        Some(PlannedField {
            field: field.clone(),
            change: None,
            verdict,
        })
    });
    merged.collect()
}

/// Whether the versions of two images say that something happened in between. Where one of them
/// has none, nothing is known.
pub(super) fn has_moved(one: &Image, other: &Image) -> bool {
    match (&one.version, &other.version) {
        (Some(one), Some(other)) => {
            !FieldEquality::default().is_same("version", Some(one), Some(other))
        }
        _ => false,
    }
}
