//! A list as far as it was read, and as the caller gets it.

use std::sync::Arc;

use jaq_json::Val;

use super::position::Position;
use crate::backend::cursor::Bound;
use crate::failure::CallError;
use crate::jq;
use crate::json::push_string;

/// A list as far as it was read.
#[derive(Default)]
pub(in crate::backend) struct Listed {
    /// JSON of each item.
    pub(in crate::backend) items: Vec<String>,
    /// JSON of each row as the backend sent it, when somebody wants them.
    pub(in crate::backend) records: Vec<Box<str>>,
    pub(super) total: Option<u64>,
    pub(super) truncated: bool,
    pub(super) next: Option<String>,
    /// Why rows are missing.
    pub(in crate::backend) note: Option<String>,
    /// A later page failed.
    pub(in crate::backend) has_failed: bool,
    pub(super) first_page: Option<Val>,
    /// Where each item begins, in a list that can be gone on from.
    pub(super) places: Option<ItemPlaces>,
}

/// Where the items of a list begin.
pub(super) struct ItemPlaces {
    pub(super) bound: Bound,
    pub(super) pages: Vec<Position>,
    /// Of each item: the place of its page, and the rows of that page before it.
    pub(super) items: Vec<(usize, usize)>,
}

impl Listed {
    /// `{"items":[...],"total_count":...,"truncated":true,"next_cursor":...,"note":...}`.
    pub(in crate::backend) fn json(&self) -> String {
        self.with_items(&self.items)
    }

    /// The same with the rows as the backend sent them.
    pub(in crate::backend) fn as_sent(&self) -> String {
        self.with_items(&self.records)
    }

    fn with_items<S: AsRef<str>>(&self, items: &[S]) -> String {
        let mut out = String::with_capacity(
            items
                .iter()
                .map(|item| item.as_ref().len() + 1)
                .sum::<usize>()
                + 96,
        );
        out.push_str("{\"items\":[");
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            out.push_str(item.as_ref());
        }
        out.push(']');
        if let Some(total) = self.total {
            out.push_str(&format!(",\"total_count\":{total}"));
        }
        if self.truncated {
            out.push_str(",\"truncated\":true");
        }
        for (name, text) in [("next_cursor", &self.next), ("note", &self.note)] {
            if let Some(text) = text {
                out.push_str(&format!(",\"{name}\":"));
                push_string(&mut out, text);
            }
        }
        out.push('}');
        out
    }

    /// For filters: the same, with `first_page`.
    pub(in crate::backend) fn value(&self) -> Result<Val, CallError> {
        let value = jq::read_text(&self.json())
            .map_err(|why| CallError::ours("The answer could not be read.", why))?;
        match (&self.first_page, value) {
            (Some(first), Val::Obj(map)) => {
                let mut map = Arc::unwrap_or_clone(map);
                map.insert(Val::utf8_str("first_page"), first.clone());
                Ok(Val::obj(map))
            }
            (_, value) => Ok(value),
        }
    }

    /// The list without all but its first items, which goes on after them; none where nobody could
    /// go on.
    pub(in crate::backend) fn first(&self, items: usize) -> Option<Self> {
        let places = self.places.as_ref()?;
        let (page, skip) = *places.items.get(items)?;
        let at = Position {
            skip,
            ..places.pages.get(page)?.clone()
        };
        let mut cut = Self {
            items: self.items.iter().take(items).cloned().collect(),
            total: self.total,
            first_page: self.first_page.clone(),
            ..Self::default()
        };
        let cursor = places.bound.seal(&at.text());
        cut.ends_at(
            cursor,
            Some(format!("{}: there are more.", too_large(items))),
        );
        Some(cut)
    }

    /// The list stops at a bound of ours, and goes on at this cursor.
    pub(super) fn ends_at(&mut self, cursor: Option<String>, note: Option<String>) {
        self.truncated = true;
        self.next = cursor;
        self.note = note;
    }
}

/// The sentence about a list whose further items do not fit.
pub(super) fn too_large(items: usize) -> String {
    format!("The answer ends after {items} rows because of its size")
}
