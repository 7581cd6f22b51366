//! The likeness of JSON values: whether two are the same, of which kind one is, and how a number stands
//! to a limit.

use serde_json::Value;

use super::problem::SchemaFault;

pub(super) fn number_fault<'v>(
    keyword: &str,
    limit: &Value,
    value: &Value,
) -> Option<SchemaFault<'v>> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = compare(value, limit)?;
    if keyword == "multipleOf" {
        let text = || SchemaFault::Other(format!("{value} is not a multiple of {limit}"));
        return (!is_multiple(value, limit)).then(text);
    }
    let edge = match keyword {
        "exclusiveMinimum" => "less than or equal to the minimum",
        "exclusiveMaximum" => "greater than or equal to the maximum",
        _ => "",
    };
    let text = || SchemaFault::Other(format!("{value} is {edge} of {limit}"));
    match (keyword, order) {
        ("minimum", Less) => Some(SchemaFault::TooSmall(limit.clone())),
        ("maximum", Greater) => Some(SchemaFault::TooLarge(limit.clone())),
        ("exclusiveMinimum", Less | Equal) | ("exclusiveMaximum", Greater | Equal) => Some(text()),
        _ => None,
    }
}

/// Whether a number is a multiple of a whole one.
fn is_multiple(value: &Value, step: &Value) -> bool {
    match (whole(value), whole(step)) {
        (Some(value), Some(step)) => value.checked_rem(step) == Some(0),
        _ => match (value.as_f64(), step.as_f64()) {
            (Some(value), Some(step)) => value % step == 0.0,
            _ => false,
        },
    }
}

/// Two numbers, whole ones exactly.
fn compare(one: &Value, other: &Value) -> Option<std::cmp::Ordering> {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn whole(value: &Value) -> Option<i128> {
    let small = value.as_i64().map(i128::from);
    small.or_else(|| value.as_u64().map(i128::from))
}

pub(super) fn kinds(word: &Value) -> Vec<&str> {
    match word {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn is_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            whole(value).is_some() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    }
}

/// Whether two values are the same; 1 and 1.0 are.
pub(super) fn is_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => {
            compare(one, other) == Some(std::cmp::Ordering::Equal)
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_in = |(name, value): (&String, &Value)| {
                other.get(name).is_some_and(|other| is_equal(value, other))
            };
            one.len() == other.len() && one.iter().all(is_in)
        }
        _ => one == other,
    }
}
