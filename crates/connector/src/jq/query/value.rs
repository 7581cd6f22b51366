//! The values of queries: the results of calls, which stay the text they are until a filter looks at
//! them, and what a filter makes of them.

use jaq_json::Val;

use super::super::{sound, text, write};
use super::QueryFault;
use crate::json::{self, Admitted, Walk, said};

/// The result of a call, which is JSON. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueryResult {
    json: Admitted,
    rows: usize,
    has_more: bool,
    /// How many rows there are in all, as the result says it.
    total: Option<String>,
}

impl QueryResult {
    /// A JSON text that this crate made, such as [`Outcome::json`](crate::Outcome).
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn read(json: String) -> Result<Self, QueryFault> {
        let json = Admitted::new(json.into()).map_err(|_| unreadable())?;
        let mut result = Self {
            rows: 0,
            has_more: false,
            total: None,
            json: json.clone(),
        };
        let mut walk = Walk::new(json.text());
        if walk.peek() == Some(b'[') {
            result.rows = count(&mut walk);
        } else if walk.steps(b'{') {
            while let Some(name) = walk.name() {
                match &*said(name) {
                    "items" => result.rows = count(&mut walk),
                    "total_count" => result.total = Some(walk.value().to_owned()),
                    name => {
                        result.has_more |= matches!(name, "truncated" | "next_cursor");
                        walk.value();
                    }
                }
            }
        }
        Ok(result)
    }

    /// Items of a list, or of an object's `items`; none for what is neither.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether it is a list that says it has more rows than these.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// The `total_count` that it tells, as JSON.
    pub fn total(&self) -> Option<&str> {
        self.total.as_deref()
    }

    pub(super) fn json(&self) -> &Admitted {
        &self.json
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

/// Items of the list that comes next, which is stepped over; none of what is no list.
fn count(walk: &mut Walk<'_>) -> usize {
    if !walk.steps(b'[') {
        walk.value();
        return 0;
    }
    let mut items = 0;
    while walk.goes_on() {
        walk.value();
        items += 1;
    }
    items
}

pub(super) fn unreadable() -> QueryFault {
    QueryFault {
        line: None,
        what: "an answer could not be read".to_owned(),
    }
}

/// A value that a filter made. Cheap to clone.
#[derive(Debug, Clone)]
pub struct QueryValue(pub(super) Val);

impl QueryValue {
    pub(in crate::jq) fn made(value: Val) -> Self {
        Self(value)
    }

    /// A list of these.
    pub fn list(items: Vec<Self>) -> Self {
        Self(items.into_iter().map(|item| item.0).collect())
    }

    /// As compact JSON.
    ///
    /// # Errors
    /// When JSON cannot say it.
    pub fn json(&self) -> Result<String, QueryFault> {
        let mut out = String::new();
        match sound(&self.0).and_then(|()| write(&mut out, &self.0)) {
            Ok(()) => Ok(out),
            Err(why) => Err(QueryFault {
                line: None,
                what: format!("it made a value that cannot be given: {why}"),
            }),
        }
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
