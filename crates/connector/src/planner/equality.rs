//! Sameness of a field's values: how a number is written and how a map is ordered tells nothing,
//! and where a field is a set, neither does the order of its items.

use std::collections::BTreeSet;

use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

use super::image::FieldTrace;

/// When two values of a field are the same.
///
/// A field that is absent, null and empty are three things, and texts are the same to the byte or
/// not at all. `1`, `1.0` and `1e0` are one number, `0` and `-0` too. Lists are the same in the
/// same order, except in fields that are sets.
///
/// ```
/// use footbridge_connector::FieldEquality;
/// use serde_json::json;
///
/// let equality = FieldEquality::default().unordered("tags");
/// let same = |field, a, b| equality.is_same(field, Some(&a), Some(&b));
/// assert!(same("points", json!(1), json!(1.0)));
/// assert!(same("tags", json!(["a", "b"]), json!(["b", "a"])));
/// assert!(!same("steps", json!(["a", "b"]), json!(["b", "a"])));
/// assert!(!equality.is_same("due", None, Some(&json!(null))));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldEquality {
    unordered: BTreeSet<String>,
}

impl FieldEquality {
    /// The same, with a field whose lists are sets: their order tells nothing.
    #[must_use]
    pub fn unordered(mut self, field: impl Into<String>) -> Self {
        self.unordered.insert(field.into());
        self
    }

    /// Whether the lists of this field are sets.
    pub(super) fn is_set(&self, field: &str) -> bool {
        self.unordered.contains(field)
    }

    /// Whether two values of this field are the same; none stands for a field that is absent.
    #[must_use]
    pub fn is_same(&self, field: &str, one: Option<&Value>, other: Option<&Value>) -> bool {
        self.is_kept_same(
            field,
            one.map(FieldTrace::Whole),
            other.map(FieldTrace::Whole),
        )
    }

    pub(super) fn is_kept_same(
        &self,
        field: &str,
        one: Option<FieldTrace<'_>>,
        other: Option<FieldTrace<'_>>,
    ) -> bool {
        match (one, other) {
            (None, None) => true,
            (Some(FieldTrace::Whole(one)), Some(FieldTrace::Whole(other))) => {
                one == other
                    || may_be_spelled_alike(one, other)
                        && self.spelled(field, one) == self.spelled(field, other)
            }
            (Some(FieldTrace::Digest(one)), Some(FieldTrace::Digest(other))) => one == other,
            (Some(FieldTrace::Whole(value)), Some(FieldTrace::Digest(digest)))
            | (Some(FieldTrace::Digest(digest)), Some(FieldTrace::Whole(value))) => {
                self.digest(field, value) == digest
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }

    /// What stands for a value that is too long to be kept: values that are the same have one.
    pub(super) fn digest(&self, field: &str, value: &Value) -> String {
        hex(&Sha256::digest(self.spelled(field, value)))
    }

    /// The one spelling of all values of this field that are the same.
    pub(super) fn spelled(&self, field: &str, value: &Value) -> String {
        let mut text = String::new();
        match value {
            Value::Array(items) if self.is_set(field) => {
                let mut spelled: Vec<String> = items.iter().map(spelling).collect();
                spelled.sort_unstable();
                text.push('[');
                text.push_str(&spelled.join(","));
                text.push(']');
            }
            _ => write(value, &mut text),
        }
        text
    }
}

/// Values that are not equal as they stand may be so when spelled: numbers, and what holds some.
fn may_be_spelled_alike(one: &Value, other: &Value) -> bool {
    matches!(
        (one, other),
        (Value::Number(_), Value::Number(_))
            | (Value::Array(_), Value::Array(_))
            | (Value::Object(_), Value::Object(_))
    )
}

/// A value's one spelling, lists in their order.
pub(super) fn spelling(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => text.push_str(&number_spelling(number)),
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (place, (key, value)) in members.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

fn number_spelling(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float == 0.0 => "0".to_owned(),
        Some(float) if number.is_f64() && float.fract() == 0.0 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // writing to a text cannot fail
        write!(text, "{byte:02x}").ok();
        text
    })
}
