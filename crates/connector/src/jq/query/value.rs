//! The values of queries: the results of calls, which stay the text they are until a filter looks at
//! them, and what a filter makes of them.

use std::sync::Arc;

use jaq_json::Val;

use super::super::{sound, text, write};
use super::QueryFault;
use crate::json::{self, Admitted, Walk, unquoted};

/// The result of a call, which is JSON. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueryResult {
    json: Admitted,
    rows: RowPlaces,
    has_more: bool,
    /// How many rows there are in all, as the result says it.
    total: Option<String>,
}

/// The places of a result's rows in its text: who has read of one what it wants goes on at its end.
#[derive(Debug, Clone, Default)]
pub(in crate::jq) struct RowPlaces {
    /// The place of the list's first byte.
    pub(in crate::jq) list: usize,
    /// The place behind each row.
    pub(in crate::jq) ends: Arc<[usize]>,
}

impl QueryResult {
    /// A JSON text that this crate made: that of an [`Outcome`](crate::Outcome).
    pub fn of_outcome(json: String) -> Self {
        let (mut rows, mut has_more, mut total) = (RowPlaces::default(), false, None);
        let mut walk = Walk::new(&json);
        if walk.peek() == Some(b'[') {
            rows = RowPlaces::next(&mut walk, &json);
        } else if walk.steps(b'{') {
            while let Some(name) = walk.name() {
                match &*unquoted(name) {
                    "items" => rows = RowPlaces::next(&mut walk, &json),
                    "total_count" => total = Some(walk.value().to_owned()),
                    name => {
                        has_more |= matches!(name, "truncated" | "next_cursor");
                        walk.value();
                    }
                }
            }
        }
        Self {
            json: Admitted::of_own_text(json),
            rows,
            has_more,
            total,
        }
    }

    /// Items of a list, or of an object's `items`; none for what is neither.
    pub fn rows(&self) -> usize {
        self.rows.ends.len()
    }

    /// Whether it is a list that says it has more rows than these.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// The `total_count` that it tells, as JSON.
    pub fn total(&self) -> Option<&str> {
        self.total.as_deref()
    }

    pub(in crate::jq) fn json(&self) -> &Admitted {
        &self.json
    }

    pub(in crate::jq) fn row_places(&self) -> &RowPlaces {
        &self.rows
    }

    /// An object of named results as compact JSON, without a filter: as they were read.
    pub fn object_json(names: &[&str], results: &[Self]) -> String {
        let bytes = results.iter().map(|result| result.json.text().len() + 16);
        let mut out = String::with_capacity(bytes.sum::<usize>() + 2);
        out.push('{');
        for (name, result) in names.iter().zip(results) {
            if out.len() > 1 {
                out.push(',');
            }
            json::push_string(&mut out, name);
            out.push(':');
            // each was read from a compact JSON text
            out.push_str(result.json.text());
        }
        out.push('}');
        out
    }
}

impl RowPlaces {
    /// Those of the list that comes next, which is stepped over; none of what is no list.
    fn next(walk: &mut Walk<'_>, text: &str) -> Self {
        let next = walk.peek();
        let list = walk.place_in(text);
        if next != Some(b'[') {
            walk.value();
            return Self::default();
        }
        walk.steps(b'[');
        let mut ends = Vec::new();
        while walk.goes_on() {
            walk.value();
            ends.push(walk.place_in(text));
        }
        let ends = ends.into();
        Self { list, ends }
    }
}

pub(super) fn unreadable() -> QueryFault {
    QueryFault {
        line: None,
        what: "an answer could not be read".to_owned(),
    }
}

/// A value that a filter made, which JSON can say. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueryValue(pub(super) Val);

impl QueryValue {
    pub(in crate::jq) fn checked(value: Val) -> Result<Self, QueryFault> {
        match sound(&value) {
            Ok(()) => Ok(Self(value)),
            Err(why) => Err(QueryFault {
                line: None,
                what: format!("it made a value that cannot be given: {why}"),
            }),
        }
    }

    /// A list of these.
    ///
    /// # Errors
    /// When it is too large or nested too deep.
    pub fn list(items: Vec<Self>) -> Result<Self, QueryFault> {
        Self::checked(items.into_iter().map(|item| item.0).collect())
    }

    /// As compact JSON.
    ///
    /// # Errors
    /// When JSON cannot say it.
    pub fn json(&self) -> Result<String, QueryFault> {
        let mut out = String::new();
        write(&mut out, &self.0).map_err(|_| unreadable())?;
        Ok(out)
    }

    /// Whether any text or name in it is not one of those that `known_text` holds word for word, so that
    /// it may be somebody else's.
    pub fn has_text_beside(&self, known_text: &str) -> bool {
        has_text_beside(&self.0, known_text)
    }
}

fn has_text_beside(value: &Val, known_text: &str) -> bool {
    let is_other = |value: &Val| text(value).is_some_and(|text| !known_text.contains(&*text));
    match value {
        Val::Null | Val::Bool(_) | Val::Num(_) => false,
        Val::TStr(_) => is_other(value),
        Val::BStr(_) => true,
        Val::Arr(items) => items.iter().any(|item| has_text_beside(item, known_text)),
        Val::Obj(members) => members
            .iter()
            .any(|(name, value)| is_other(name) || has_text_beside(value, known_text)),
    }
}
