//! A page of a list that is claimed from: the ids of its records, and where it goes on.

use std::time::{Duration, SystemTime};

use footbridge_store::ClaimedLease;
use serde_json::Value;

/// By how much the clock may have been set back while a list was read.
const SLACK: Duration = Duration::from_secs(2);

/// A page of a list.
pub(super) struct ListedPage {
    pub(super) ids: Vec<String>,
    pub(super) next: Option<Value>,
}

impl ListedPage {
    /// What a list tool gave, read as a page; none where it holds no records with ids.
    pub(super) fn of(shown: Value) -> Option<Self> {
        let (rows, next) = match shown {
            Value::Array(rows) => (rows, None),
            Value::Object(mut page) => {
                let next = page.remove("next_cursor").filter(|next| !next.is_null());
                let rows = page.into_iter().find_map(|(_, value)| match value {
                    Value::Array(rows) => Some(rows),
                    _ => None,
                });
                (rows?, next)
            }
            _ => return None,
        };
        let id = |row: &Value| match row.get("id")? {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        };
        let ids = rows.iter().map(id).collect::<Option<Vec<_>>>()?;
        Some(Self { ids, next })
    }
}

/// Whether somebody had the record after the list began to be read.
pub(super) fn was_had_since(claimed: &ClaimedLease, began: SystemTime) -> bool {
    let before = claimed.before.as_ref();
    let until = before.and_then(|before| before.until.parse::<jiff::Timestamp>().ok());
    until.is_some_and(|until| SystemTime::from(until) + SLACK >= began)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::ListedPage;

    #[test]
    fn the_ids_of_a_page_are_found_whatever_it_is_called() {
        let ids = |shown: Value| ListedPage::of(shown).map(|page| (page.ids, page.next));
        let two = vec!["1".to_owned(), "b".to_owned()];
        let rows = || json!([{ "id": 1 }, { "id": "b", "x": [] }]);
        assert_eq!(ids(rows()), Some((two.clone(), None)));
        let page = json!({ "next_cursor": "c", "items": rows() });
        assert_eq!(ids(page), Some((two, Some(json!("c")))));
        assert_eq!(ids(json!([])), Some((vec![], None)));
        for none in [json!({ "id": 1 }), json!([{ "name": "x" }]), json!(1)] {
            assert_eq!(ids(none), None);
        }
    }
}
