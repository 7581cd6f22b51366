//! A change as JSON, for programs: a row of a list, or all of it.

use footbridge_store::{ChangeDetail, ChangeId, ChangedRecord, RecordedChange};
use serde_json::{Map, Value, json};

use crate::json_object::JsonObject;

/// The row of a list, as JSON.
pub(crate) fn row(change: &RecordedChange) -> Value {
    Value::Object(members(change))
}

fn members(change: &RecordedChange) -> Map<String, Value> {
    let records: Vec<String> = change
        .records
        .iter()
        .map(|record| format!("{}:{}", record.kind, record.id))
        .collect();
    JsonObject::default()
        .with("id", change.id.number())
        .with("at", change.at.as_str())
        .with("state", change.state.as_str())
        .with("connector", change.connector.as_str())
        .with("tool", change.tool.as_str())
        .with("caller", change.caller.as_str())
        .with("client", json!(change.client))
        .with("door", change.door.as_str())
        .with("records", records)
        .with_some("undoes", change.undoes.map(ChangeId::number))
        .with_some("message", change.message.as_deref())
        .with_some("expires_at", change.expires_at.as_deref())
        .with_some("decided_by", change.decided_by.as_deref())
        .into()
}

/// All of a change, as JSON.
pub(crate) fn detail(detail: &ChangeDetail) -> Value {
    let change = &detail.change;
    let records: Vec<Value> = detail.records.iter().map(record).collect();
    JsonObject::from(members(change))
        .with("address", change.address.as_str())
        .with("client_version", json!(change.client_version))
        .with("ended_at", json!(change.ended_at))
        .with("arguments", read(&detail.arguments))
        .with("records", records)
        .into()
}

fn record(changed: &ChangedRecord) -> Value {
    JsonObject::default()
        .with("kind", changed.kind.as_str())
        .with("id", changed.id.as_str())
        .with_some("name", changed.name.as_deref())
        .with_some("before", changed.before.as_deref().map(read))
        .with_some("after", changed.after.as_deref().map(read))
        .with_some("ignored", changed.ignored.as_deref().map(read))
        .with_some("not_kept", changed.without_image.as_deref())
        .into()
}

/// The fields that differ, with both values as JSON. Of a record that was made or deleted those
/// that held something.
pub(crate) fn differences(changed: &ChangedRecord) -> Vec<(String, String, String)> {
    let fields = |image: &Option<String>| match image.as_deref().map(read) {
        Some(Value::Object(mut image)) => match image.remove("fields") {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        },
        _ => Map::new(),
    };
    let (before, after) = (fields(&changed.before), fields(&changed.after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let text = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::to_string);
    let is_one_alone = changed.before.is_none() || changed.after.is_none();
    let says_something = |name: &str| {
        let (before, after) = (before.get(name), after.get(name));
        before != after && !(is_one_alone && before.or(after).is_some_and(Value::is_null))
    };
    names
        .into_iter()
        .filter(|name| says_something(name))
        .map(|name| (name.clone(), text(before.get(name)), text(after.get(name))))
        .collect()
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}
