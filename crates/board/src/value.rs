//! The check of one value of a field by its kind. A problem is a phrase that follows the field's
//! name.

use http::Uri;
use serde_json::{Map, Value};

use crate::api_error::shortened_json;
use crate::models::BoardFieldKind;

/// How many tags a row may have.
pub(crate) const TAGS: usize = 50;
/// The longest tag, in characters.
pub(crate) const TAG_CHARACTERS: usize = 100;
/// The largest object, as JSON, in bytes.
pub(crate) const OBJECT_BYTES: usize = 64 * 1024;
/// How deep objects and lists may stand in each other.
pub(crate) const OBJECT_DEPTH: usize = 16;
/// How many columns a board may have.
pub(crate) const COLUMNS: usize = 50;
/// The longest key of a column, in characters.
pub(crate) const COLUMN_KEY_CHARACTERS: usize = 64;
/// The longest title of a column, in characters.
pub(crate) const COLUMN_TITLE_CHARACTERS: usize = 200;

/// What is wrong with a value, or nothing. The value is not null.
pub(crate) fn check(kind: &BoardFieldKind, is_required: bool, value: &Value) -> Result<(), String> {
    match (kind, value) {
        (BoardFieldKind::Text { max_characters }, Value::String(text)) => {
            check_text(text, usize::from(is_required), *max_characters)
        }
        (BoardFieldKind::Text { .. }, _) => {
            Err(format!("must be a string, not {}", shortened_json(value)))
        }
        (BoardFieldKind::Url { max_characters }, Value::String(text)) => {
            check_text(text, usize::from(is_required), *max_characters)
                .and_then(|()| check_url(text))
        }
        (BoardFieldKind::Url { .. }, _) => Err(format!(
            "must be a URL as a string, not {}",
            shortened_json(value)
        )),
        (BoardFieldKind::Integer, value) if value.is_i64() => Ok(()),
        (BoardFieldKind::Integer, _) => Err(format!(
            "must be an integer of 64 bits, not {}",
            shortened_json(value)
        )),
        (BoardFieldKind::Number, Value::Number(number))
            if number.as_f64().is_some_and(f64::is_finite) =>
        {
            Ok(())
        }
        (BoardFieldKind::Number, _) => {
            Err(format!("must be a number, not {}", shortened_json(value)))
        }
        (BoardFieldKind::Boolean, Value::Bool(_)) => Ok(()),
        (BoardFieldKind::Boolean, _) => Err(format!(
            "must be true or false, not {}",
            shortened_json(value)
        )),
        (BoardFieldKind::Choice(values), Value::String(text)) if values.contains(text) => Ok(()),
        (BoardFieldKind::Choice(values), _) => Err(format!(
            "must be one of {}, not {}",
            values.join(", "),
            shortened_json(value)
        )),
        (BoardFieldKind::Object, Value::Object(_)) | (BoardFieldKind::Any, _) => {
            check_object(value)
        }
        (BoardFieldKind::Object, _) => {
            Err(format!("must be an object, not {}", shortened_json(value)))
        }
        (BoardFieldKind::Tags, Value::Array(tags)) => check_tags(tags),
        (BoardFieldKind::Tags, _) => Err(format!(
            "must be a list of strings, not {}",
            shortened_json(value)
        )),
        (BoardFieldKind::Columns, Value::Array(columns)) => check_columns(columns),
        (BoardFieldKind::Columns, _) => Err(format!(
            "must be a list of {{key, title, wip_limit?}}, not {}",
            shortened_json(value)
        )),
    }
}

fn check_text(text: &str, min_characters: usize, max_characters: usize) -> Result<(), String> {
    let characters = text.chars().count();
    if characters > max_characters {
        return Err(format!(
            "has {characters} characters, at most {max_characters} are allowed"
        ));
    }
    if min_characters > 0 && text.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.contains('\0') {
        Err("must not contain the character U+0000".to_owned())
    } else {
        Ok(())
    }
}

fn check_url(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let is_absolute = text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    });
    if is_absolute {
        Ok(())
    } else {
        Err(format!(
            "must be an http or https URL, not {}",
            shortened_json(&Value::from(text))
        ))
    }
}

fn check_object(value: &Value) -> Result<(), String> {
    if depth_exceeds(value, OBJECT_DEPTH) {
        return Err(format!("is nested deeper than {OBJECT_DEPTH} levels"));
    }
    let bytes = value.to_string().len();
    if bytes > OBJECT_BYTES {
        return Err(format!(
            "has {bytes} bytes as JSON, at most {OBJECT_BYTES} are allowed"
        ));
    }
    if holds_null_character(value) {
        Err("must not contain the character U+0000".to_owned())
    } else {
        Ok(())
    }
}

/// The JSON reader has bounded the depth already, so this recursion is bounded too.
fn depth_exceeds(value: &Value, levels: usize) -> bool {
    match (value, levels.checked_sub(1)) {
        (Value::Array(_) | Value::Object(_), None) => true,
        (Value::Array(items), Some(left)) => items.iter().any(|item| depth_exceeds(item, left)),
        (Value::Object(members), Some(left)) => {
            members.values().any(|member| depth_exceeds(member, left))
        }
        _ => false,
    }
}

fn holds_null_character(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_null_character),
        Value::Object(members) => members
            .iter()
            .any(|(key, member)| key.contains('\0') || holds_null_character(member)),
        _ => false,
    }
}

fn check_tags(tags: &[Value]) -> Result<(), String> {
    if tags.len() > TAGS {
        return Err(format!(
            "has {} entries, at most {TAGS} are allowed",
            tags.len()
        ));
    }
    for tag in tags {
        let Value::String(text) = tag else {
            return Err(format!(
                "must be a list of strings, but holds {}",
                shortened_json(tag)
            ));
        };
        check_text(text, 1, TAG_CHARACTERS)
            .map_err(|problem| format!("holds {}, which {problem}", shortened_json(tag)))?;
    }
    Ok(())
}

fn check_columns(columns: &[Value]) -> Result<(), String> {
    if columns.len() > COLUMNS {
        return Err(format!(
            "has {} entries, at most {COLUMNS} are allowed",
            columns.len()
        ));
    }
    let mut keys: Vec<&str> = Vec::with_capacity(columns.len());
    for (place, column) in (1..).zip(columns) {
        let Value::Object(column) = column else {
            return Err(format!(
                "must be a list of {{key, title, wip_limit?}}, but its entry {place} is {}",
                shortened_json(column)
            ));
        };
        let key = check_column(column)
            .map_err(|problem| format!("is wrong at its entry {place}: {problem}"))?;
        if keys.contains(&key) {
            return Err(format!(
                "has the key {} twice",
                shortened_json(&Value::from(key))
            ));
        }
        keys.push(key);
    }
    Ok(())
}

fn check_column(column: &Map<String, Value>) -> Result<&str, String> {
    if let Some(unknown) = column
        .keys()
        .find(|name| !matches!(name.as_str(), "key" | "title" | "wip_limit"))
    {
        return Err(format!(
            "{} is none of key, title and wip_limit",
            shortened_json(&Value::from(unknown.as_str()))
        ));
    }
    let text = |name: &str, characters| match column.get(name) {
        None => Err(format!("{name} is required")),
        Some(Value::String(text)) => check_text(text, 1, characters)
            .map(|()| text.as_str())
            .map_err(|problem| format!("{name} {problem}")),
        Some(other) => Err(format!(
            "{name} must be a string, not {}",
            shortened_json(other)
        )),
    };
    let key = text("key", COLUMN_KEY_CHARACTERS)?;
    text("title", COLUMN_TITLE_CHARACTERS)?;
    match column.get("wip_limit") {
        None => Ok(key),
        Some(limit) if limit.as_i64().is_some_and(|limit| limit >= 1) => Ok(key),
        Some(other) => Err(format!(
            "wip_limit must be an integer of at least 1, not {}",
            shortened_json(other)
        )),
    }
}
