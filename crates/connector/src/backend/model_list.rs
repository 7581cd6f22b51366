//! The list of a model: its rows copied from what the backend sent, without a tree of their values.

mod query;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::exchange::{self, Ask};
use super::paging::{
    NextPage, PageAnswer, PageStart, PageWalk, Position, ReadPage, RowList, WalkOutcome, WalkTerms,
};
use super::{Inner, Outcome, row};
use crate::connector::{Model, ModelPaging};
use crate::failure::BackendError;
use crate::json;
use query::Query;

/// Requests that one walk may make.
pub(super) const MAX_WALK_REQUESTS: usize = 500;

/// One page, or every page.
pub(super) async fn read(
    inner: &Arc<Inner>,
    model: &Model,
    arguments: Map<String, Value>,
) -> Result<Outcome, BackendError> {
    let Some(paging) = &inner.compiled().paging else {
        return Err(BackendError::ours(
            "This list has no paging.",
            "compile lets no list through without paging",
        ));
    };
    let mut query = Query::new(model, &arguments)?;
    let home = query.home.take();
    let cursor = arguments.get("cursor").and_then(Value::as_str);
    let is_whole = arguments.get("all") == Some(&Value::Bool(true));
    let limit = arguments
        .get("limit")
        .and_then(Value::as_u64)
        .and_then(|limit| usize::try_from(limit).ok());
    let limit = if is_whole {
        Some(paging.plan.cap)
    } else {
        limit
    };
    // who names no limit leaves the size to the backend
    let most = usize::try_from(model.max_limit).unwrap_or(usize::MAX);
    let size = limit.map_or(0, |limit| limit.min(most));
    let terms = WalkTerms {
        limit,
        is_whole,
        binding: Some(query.binding),
        is_choosing: false,
        is_alone: false,
        is_size_ours: true,
        requests: MAX_WALK_REQUESTS,
    };
    let rows = ModelRows {
        inner,
        paging,
        shown: row::Shown::new(inner, model),
        query,
        items: ItemText::default(),
    };
    let walk = PageWalk::new(inner, &paging.plan, rows, terms, size, cursor)?;
    let (rows, walked) = walk.walk().await?;
    let is_empty = rows.items.count == 0;
    // what lies in something that is not there, or may not be seen, is refused as that is
    if let Some(home) = home.filter(|_| is_empty) {
        exchange::json(inner, Ask::get(home)).await?;
    }
    Ok(rows.items.finish(&walked))
}

/// A model's list while it is read.
struct ModelRows<'a> {
    inner: &'a Inner,
    paging: &'a ModelPaging,
    shown: row::Shown<'a>,
    query: Query,
    items: ItemText,
}

impl RowList for ModelRows<'_> {
    fn ask(&self, start: PageStart<'_>, size: usize) -> Result<Ask, BackendError> {
        Ok(Ask::get(self.query.page(self.paging, start, size)))
    }

    async fn read<'b>(&mut self, answer: &'b PageAnswer) -> Result<ReadPage<'b>, BackendError> {
        let text = answer.text().trim();
        let (rows, more) = match json::items(text) {
            // nothing stands beside the rows
            Some(rows) => (Some(rows), None),
            None => self.rows_and_more(text),
        };
        let rows = rows.ok_or_else(|| PageAnswer::is_no_list(self.inner))?;
        Ok(ReadPage {
            rows: rows.into_iter().map(Cow::Borrowed).collect(),
            total: None,
            next: NextPage::Untold,
            more,
        })
    }

    async fn keep(
        &mut self,
        rows: &[Cow<'_, str>],
        places: &[usize],
        room: usize,
        _at: &Position,
    ) -> Result<Option<usize>, BackendError> {
        let (kept, rest) = places.split_at_checked(room).unwrap_or((places, &[]));
        let rows = kept.iter().filter_map(|place| rows.get(*place));
        self.items.push(&self.shown, rows.map(|row| &**row));
        Ok(rest.first().copied())
    }

    fn count(&self) -> usize {
        self.items.count
    }
}

impl ModelRows<'_> {
    /// What stands at the places of the rows and of what says whether more follow.
    fn rows_and_more<'b>(&self, text: &'b str) -> (Option<Vec<&'b str>>, Option<bool>) {
        let first = |path: &'_ [String]| path.first().cloned().unwrap_or_default();
        let (rows_at, more_at) = (first(&self.paging.rows), first(&self.paging.more));
        let Some([rows, more]) = json::pick(text, [rows_at.as_str(), more_at.as_str()]) else {
            return (None, None);
        };
        // the same first key for both fills only its first slot
        let more = if rows_at == more_at { rows } else { more };
        let more = match inside(more, &self.paging.more) {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        (inside(rows, &self.paging.rows).and_then(json::items), more)
    }
}

/// Follows a path whose first name has been followed.
fn inside<'b>(value: Option<&'b str>, path: &[String]) -> Option<&'b str> {
    let mut value = value?;
    for name in path.iter().skip(1) {
        let [inner] = json::pick(value, [name.as_str()])?;
        value = inner?;
    }
    Some(value)
}

/// `{"items":[...],"next_cursor":...,"note":...,"truncated":true}` while it is being written.
#[derive(Default)]
struct ItemText {
    json: String,
    count: usize,
}

impl ItemText {
    fn push<'r>(&mut self, shown: &row::Shown<'_>, rows: impl Iterator<Item = &'r str> + Clone) {
        if self.json.is_empty() {
            let bytes = rows.clone().map(str::len).sum::<usize>();
            self.json.reserve(bytes + 128);
        }
        let mut slots = Vec::new();
        for row in rows {
            self.open();
            if self.count > 0 {
                self.json.push(',');
            }
            self.count += 1;
            row::push(&mut self.json, shown, row, &mut slots);
        }
    }

    fn open(&mut self) {
        if self.json.is_empty() {
            self.json.push_str("{\"items\":[");
        }
    }

    fn finish(mut self, walked: &WalkOutcome) -> Outcome {
        self.open();
        self.json.push(']');
        for (name, text) in [("next_cursor", &walked.cursor), ("note", &walked.note)] {
            if let Some(text) = text {
                self.json.push_str(",\"");
                self.json.push_str(name);
                self.json.push_str("\":");
                json::push_string(&mut self.json, text);
            }
        }
        if walked.is_truncated {
            self.json.push_str(",\"truncated\":true");
        }
        self.json.push('}');
        Outcome::new(self.json)
    }
}
