//! Records that an undo made again under new ids, and the fields of others that name them.

use std::collections::BTreeMap;

use footbridge_connector::{FieldVerdict, PlannedRecord, RecordRef, TouchedRecord};
use serde_json::Value;

/// By deleted record, the id of the one that was made in its place.
#[derive(Debug, Default)]
pub(super) struct Successors(BTreeMap<RecordRef, String>);

impl Successors {
    /// Notes what was made again.
    pub(super) fn note(&mut self, touched: &[TouchedRecord]) {
        for one in touched.iter().filter(|one| !one.record.id.is_empty()) {
            if let Some(deleted) = &one.instead_of {
                self.0.insert(deleted.clone(), one.record.id.clone());
            }
        }
    }

    /// Lets what is put back name the record that was made again: in fields that are called by its
    /// kind, such as `board_id` or `user_story`, and have its id of before, which names nothing now.
    pub(super) fn follow(&self, planned: &mut PlannedRecord) {
        for field in &mut planned.fields {
            let FieldVerdict::Set {
                value: Some(value), ..
            } = &mut field.verdict
            else {
                continue;
            };
            let mut successors = self.0.iter().filter(|(deleted, _)| {
                deleted.connector == planned.record.connector
                    && is_called_by(&field.field, &deleted.kind)
            });
            let successor = successors.find_map(|(deleted, id)| replaced(value, &deleted.id, id));
            if let Some(successor) = successor {
                *value = successor;
            }
        }
    }
}

fn is_called_by(field: &str, kind: &str) -> bool {
    let field = field.strip_suffix("_id").unwrap_or(field);
    let before = field.strip_suffix(kind);
    before.is_some_and(|before| before.is_empty() || before.ends_with('_'))
}

/// The new id, written as the old one, when that is what stands there.
fn replaced(value: &Value, old: &str, new: &str) -> Option<Value> {
    match value {
        Value::String(text) if text == old => Some(Value::from(new)),
        Value::Number(number) if number.to_string() == old => {
            let number = new.parse::<i64>().ok();
            Some(number.map_or_else(|| Value::from(new), Value::from))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_called_by, replaced};

    #[test]
    fn a_field_is_called_by_a_kind_with_or_without_more() {
        for field in ["board", "board_id", "home_board", "home_board_id"] {
            assert!(is_called_by(field, "board"), "{field}");
        }
        for field in ["dashboard", "board_name", "status", "_id", ""] {
            assert!(!is_called_by(field, "board"), "{field}");
        }
    }

    #[test]
    fn an_id_is_written_as_it_was() {
        assert_eq!(replaced(&json!("a"), "a", "b"), Some(json!("b")));
        assert_eq!(replaced(&json!(7), "7", "8"), Some(json!(8)));
        assert_eq!(replaced(&json!("7"), "7", "8"), Some(json!("8")));
        for value in [json!(70), json!(null), json!(["7"]), json!("b")] {
            assert_eq!(replaced(&value, "7", "8"), None, "{value}");
        }
    }
}
