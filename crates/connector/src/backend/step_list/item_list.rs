//! The list of a step as far as it was read, and as the caller gets it.

use std::sync::Arc;

use jaq_json::Val;

use super::WantedItems;
use crate::backend::paging::{self, CursorBinding, Position, WalkOutcome};
use crate::connector::PagingPlan;
use crate::failure::BackendError;
use crate::jq;
use crate::json::push_string;

/// Items, and what is told beside them.
#[derive(Default)]
pub(in crate::backend) struct ItemList {
    /// JSON of each item.
    pub(in crate::backend) items: Vec<String>,
    /// JSON of each row as the backend sent it, when somebody wants them.
    pub(super) records: Vec<Box<str>>,
    /// The first answer without its rows, when a filter names it.
    pub(super) first_page: Option<Val>,
    /// Where each item begins, in a list that can be gone on from.
    pub(super) places: Option<ItemPlaces>,
    walked: WalkOutcome,
}

/// Where the items of a list begin.
pub(super) struct ItemPlaces {
    plan: Arc<PagingPlan>,
    binding: CursorBinding,
    pub(super) pages: Vec<Position>,
    /// Of each item: the place of its page, and the rows of that page before it.
    pub(super) items: Vec<(usize, usize)>,
}

impl ItemList {
    /// A list without items. Who wants the records takes them as they are, and cannot follow a
    /// cursor.
    pub(super) fn new(plan: &Arc<PagingPlan>, wanted: &WantedItems) -> Self {
        let places = wanted
            .binding
            .filter(|_| !wanted.is_whole && !wanted.keeps_records)
            .map(|binding| ItemPlaces {
                plan: Arc::clone(plan),
                binding,
                pages: Vec::new(),
                items: Vec::new(),
            });
        Self {
            places,
            ..Self::default()
        }
    }

    /// The list after its walk.
    pub(super) fn after(self, walked: WalkOutcome) -> Self {
        Self { walked, ..self }
    }

    /// Why rows are missing.
    pub(in crate::backend) fn note(&self) -> Option<&String> {
        self.walked.note.as_ref()
    }

    /// Whether a later page failed.
    pub(in crate::backend) fn has_failed(&self) -> bool {
        self.walked.has_failed
    }

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
        if let Some(total) = self.walked.total {
            out.push_str(&format!(",\"total_count\":{total}"));
        }
        if self.walked.is_truncated {
            out.push_str(",\"truncated\":true");
        }
        for (name, text) in [
            ("next_cursor", &self.walked.cursor),
            ("note", &self.walked.note),
        ] {
            if let Some(text) = text {
                out.push_str(&format!(",\"{name}\":"));
                push_string(&mut out, text);
            }
        }
        out.push('}');
        out
    }

    /// For filters: the same, with `first_page`.
    pub(in crate::backend) fn value(&self) -> Result<Val, BackendError> {
        let value = jq::read_text(&self.json())
            .map_err(|why| BackendError::ours("The answer could not be read.", why))?;
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
        let note = format!("{}: there are more.", paging::too_large(items));
        let cursor = paging::cursor(&places.plan, places.binding, &at);
        Some(Self {
            items: self.items.iter().take(items).cloned().collect(),
            first_page: self.first_page.clone(),
            walked: WalkOutcome {
                total: self.walked.total,
                ..WalkOutcome::cut(cursor, note)
            },
            ..Self::default()
        })
    }
}
