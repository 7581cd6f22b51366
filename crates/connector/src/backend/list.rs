//! Lists of a model: one page, a page by cursor, or every page in one walk.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::cursor::Bound;
use super::ending::{MAX_HALVINGS, SMALL_PAGE, Says, Tally, Verdict, Why, name};
use super::exchange::{self, Ask};
use super::{Inner, Outcome, row};
use crate::connector::{Model, Paging};
use crate::failure::CallError;
use crate::json::{self, Admitted};
use crate::template;

/// Requests that one walk may make.
pub(super) const MAX_WALK_REQUESTS: usize = 500;
/// Values that all filters of a list may have together.
const MAX_FILTER_VALUES: usize = 100;

pub(super) async fn list(
    inner: &Arc<Inner>,
    model: &Model,
    arguments: Map<String, Value>,
) -> Result<Outcome, CallError> {
    let Some(paging) = &inner.compiled().paging else {
        return Err(CallError::ours(
            "This list has no paging.",
            "compile lets no list through without paging",
        ));
    };
    let mut query = Query::new(model, &arguments)?;
    let home = query.home.take();
    let outcome = asked(inner, model, paging, query, &arguments).await?;
    // what lies in something that is not there, or may not be seen, is refused as that is
    if let Some(home) = home.filter(|_| outcome.json.starts_with("{\"items\":[]")) {
        exchange::json(inner, Ask::get(home)).await?;
    }
    Ok(outcome)
}

/// One page, or every page.
async fn asked(
    inner: &Arc<Inner>,
    model: &Model,
    paging: &Paging,
    query: Query,
    arguments: &Map<String, Value>,
) -> Result<Outcome, CallError> {
    let after = match arguments.get("cursor") {
        Some(Value::String(cursor)) => Some(query.bound.open(cursor)?),
        _ => None,
    };
    let offset = arguments
        .get("offset")
        .filter(|_| after.is_none())
        .and_then(Value::as_u64);
    let all = arguments.get("all") == Some(&Value::Bool(true));
    let limit = arguments
        .get("limit")
        .and_then(Value::as_u64)
        .and_then(|limit| usize::try_from(limit).ok());
    let limit = if all { Some(paging.cap) } else { limit };
    let most = usize::try_from(model.max_limit).unwrap_or(usize::MAX);
    let items = Items::default();
    let shown = row::Shown::new(inner, model);
    ModelWalk {
        inner,
        shown,
        paging,
        query,
        after,
        offset,
        all,
        limit,
        most,
        tally: Tally::default(),
        items,
    }
    .run()
    .await
}

/// A walk over pages: one page where the caller names no limit, else as many as the backend makes
/// of it.
struct ModelWalk<'a> {
    inner: &'a Arc<Inner>,
    shown: row::Shown<'a>,
    paging: &'a Paging,
    query: Query,
    /// The row after which the next page starts.
    after: Option<String>,
    offset: Option<u64>,
    all: bool,
    limit: Option<usize>,
    /// Rows that are asked for in one page, at most.
    most: usize,
    tally: Tally,
    items: Items,
}

impl ModelWalk<'_> {
    async fn run(mut self) -> Result<Outcome, CallError> {
        let (mut halvings, mut is_first, mut is_guess) = (0, true, false);
        for _ in 0..MAX_WALK_REQUESTS {
            let room = self.limit.map(|limit| limit - self.items.count);
            let size = if self.all {
                Some(self.most)
            } else {
                room.map(|room| room.min(self.most))
            };
            let path = self.query.path(
                self.paging,
                size,
                self.offset.filter(|_| is_first),
                self.after.as_deref(),
            );
            let body = match exchange::json(self.inner, Ask::get(path)).await {
                Ok(body) => body,
                Err(error) => {
                    if let Some(half) = size.filter(|size| *size > SMALL_PAGE).map(|size| size / 2)
                        && error.is_too_much()
                        && halvings < MAX_HALVINGS
                    {
                        (self.most, halvings) = (half, halvings + 1);
                        continue;
                    }
                    // nobody said that there is such a page: we only looked for one
                    if is_guess && error.status() == Some(404) {
                        return Ok(self.ended());
                    }
                    if is_first {
                        return Err(error);
                    }
                    return Ok(self.left(&format!("A later page failed: {error}"), true));
                }
            };
            let page = Page::read(self.inner, self.paging, body.as_ref())?;
            is_first = false;
            is_guess = page.says == Says::Nothing;
            if let Some(outcome) = self.take(&page) {
                return Ok(outcome);
            }
        }
        let note = format!(
            "The list was left after {MAX_WALK_REQUESTS} requests, which is the most for one call: there are more."
        );
        Ok(self.left(&note, true))
    }

    /// Takes what is new of a page, and moves on; the outcome when the walk is over.
    fn take(&mut self, page: &Page<'_>) -> Option<Outcome> {
        let identity = self.paging.identity.as_deref();
        let last = page.rows.last().and_then(|row| name(row, identity));
        let ignores_position = last.is_some() && last == self.after;
        let fresh = if ignores_position {
            vec![false; page.rows.len()]
        } else {
            self.tally.fresh(&page.rows, identity)
        };
        let new: Vec<&str> = page
            .rows
            .iter()
            .zip(&fresh)
            .filter(|(_, fresh)| **fresh)
            .map(|(row, _)| *row)
            .collect();
        let room = self
            .limit
            .map_or(new.len(), |limit| limit - self.items.count);
        let kept = new.get(..room).unwrap_or(&new);
        self.items.push(&self.shown, kept);
        if let Some(row) = kept.last().filter(|_| kept.len() < new.len()) {
            let next = name(row, identity);
            return Some(if next.is_some() {
                self.full(next)
            } else {
                self.unnamed()
            });
        }
        let title = &self.inner.compiled().title;
        match self.tally.verdict(page.says, page.rows.len(), new.len()) {
            Verdict::Ended => return Some(self.ended()),
            Verdict::Left(why) => return Some(self.left(&why.sentence(title), false)),
            Verdict::GoesOn if last.is_none() => return Some(self.unnamed()),
            Verdict::GoesOn => {}
        }
        if self.limit.is_none_or(|limit| self.items.count >= limit) {
            return Some(self.full(last));
        }
        self.tally.remember(&page.rows, identity);
        self.after = last;
        None
    }

    fn ended(&mut self) -> Outcome {
        std::mem::take(&mut self.items).finish(None, false, None)
    }

    /// The caller has what was asked for, or as much as one answer may have.
    fn full(&mut self, next: Option<String>) -> Outcome {
        let note = format!(
            "The list was cut after {} rows, which is the most for one answer: there are more.",
            self.items.count
        );
        self.after = next;
        let cursor = self.cursor();
        let truncated = self.all || cursor.is_none();
        std::mem::take(&mut self.items).finish(
            cursor,
            truncated,
            truncated.then_some(note.as_str()),
        )
    }

    fn unnamed(&mut self) -> Outcome {
        self.left(&Why::Unnamed.sentence(&self.inner.compiled().title), false)
    }

    fn left(&mut self, note: &str, goes_on: bool) -> Outcome {
        let cursor = self.cursor().filter(|_| goes_on);
        std::mem::take(&mut self.items).finish(cursor, true, Some(note))
    }

    fn cursor(&self) -> Option<String> {
        self.after
            .as_ref()
            .and_then(|after| self.query.bound.seal(after))
    }
}

/// The rows of one answer.
struct Page<'b> {
    rows: Vec<&'b str>,
    says: Says,
}

impl<'b> Page<'b> {
    fn read(inner: &Inner, paging: &Paging, body: Option<&'b Admitted>) -> Result<Self, CallError> {
        let wrong = || {
            let title = &inner.compiled().title;
            CallError::backend(
                format!(
                    "{title} answered something that is not a list. Check that its address is that of the API."
                ),
                false,
            )
        };
        let text = body.ok_or_else(wrong)?.text().trim();
        if let Some(rows) = json::items(text) {
            return Ok(Self {
                rows,
                says: Says::Nothing,
            });
        }
        let first = |path: &'_ [String]| {
            path.first()
                .map(String::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (rows_at, more_at) = (first(&paging.rows), first(&paging.more));
        let [rows, more] =
            json::pick(text, [rows_at.as_str(), more_at.as_str()]).ok_or_else(wrong)?;
        // the same first key for both fills only its first slot
        let more = if rows_at == more_at { rows } else { more };
        let rows = inside(rows, &paging.rows).ok_or_else(wrong)?;
        let rows = json::items(rows).ok_or_else(wrong)?;
        let says = match inside(more, &paging.more) {
            Some("true") => Says::More { named: false },
            Some("false") => Says::Last,
            _ => Says::Nothing,
        };
        Ok(Self { rows, says })
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

/// What a list asks for, apart from where the page starts.
struct Query {
    path: String,
    /// Encoded parameters: sort, q, filters.
    parameters: String,
    bound: Bound,
    /// The one record of another model in which all rows lie, when a filter says so.
    home: Option<String>,
}

impl Query {
    fn new(model: &Model, arguments: &Map<String, Value>) -> Result<Self, CallError> {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        for name in ["sort", "q"] {
            if let Some(Value::String(text)) = arguments.get(name) {
                pairs.push((name, text.clone()));
            }
        }
        let mut filters = filters(model, arguments.get("filter"))?;
        filters.sort();
        let home = home(model, &filters);
        pairs.append(&mut filters);
        let bound = Bound::to(
            [model.name.as_str()].into_iter().chain(
                pairs
                    .iter()
                    .flat_map(|(name, value)| [*name, value.as_str()]),
            ),
        );
        let parameters = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&pairs)
            .finish();
        Ok(Self {
            path: model.path.clone(),
            parameters,
            bound,
            home,
        })
    }

    fn path(
        &self,
        paging: &Paging,
        limit: Option<usize>,
        offset: Option<u64>,
        after: Option<&str>,
    ) -> String {
        let mut query = form_urlencoded::Serializer::new(self.parameters.clone());
        for (name, number) in [
            (&paging.size, limit.map(|limit| limit.to_string())),
            (&paging.offset, offset.map(|offset| offset.to_string())),
        ] {
            if let Some(number) = number {
                query.append_pair(name, &number);
            }
        }
        if let Some(after) = after {
            query.append_pair(&paging.after, after);
        }
        match query.finish().as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

/// The path of the record that a filter on a reference names; none when it names more than one.
fn home(model: &Model, filters: &[(&str, String)]) -> Option<String> {
    let reference = |wire: &str| {
        model
            .filters
            .iter()
            .find(|key| key.wire == wire)
            .and_then(|key| key.refers_to.as_ref())
    };
    let mut homes = filters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(wire, value)| Some((reference(wire)?, value)));
    let (path, id) = homes.next().filter(|_| homes.next().is_none())?;
    Some(format!("{path}/{}", template::segment("id", id).ok()?))
}

/// Filters by their wire keys; a list of values repeats the key, and null is no filter.
fn filters<'m>(
    model: &'m Model,
    filter: Option<&Value>,
) -> Result<Vec<(&'m str, String)>, CallError> {
    let filter = match filter {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(filter)) => filter,
        Some(_) => {
            return Err(CallError::caller(
                "`filter` must be an object, such as {\"status\": \"todo\"}.",
            ));
        }
    };
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for (name, value) in filter {
        let by_friendly = model
            .filters
            .iter()
            .find(|key| key.friendly.as_ref() == Some(name));
        let Some(key) = by_friendly.or_else(|| model.filters.iter().find(|key| &key.wire == name))
        else {
            unknown.push(name);
            continue;
        };
        let values = match value {
            Value::Array(values) if values.is_empty() => {
                return Err(CallError::caller(format!(
                    "The filter `{name}` has no values: pass one or more, or leave it out."
                )));
            }
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            match value {
                Value::Null => {}
                Value::String(text) => pairs.push((&key.wire, text.clone())),
                Value::Bool(_) | Value::Number(_) => pairs.push((&key.wire, value.to_string())),
                Value::Array(_) | Value::Object(_) => {
                    return Err(CallError::caller(format!(
                        "The filter `{name}` takes a text, a number, true or false, or a list of them."
                    )));
                }
            }
        }
    }
    if !unknown.is_empty() {
        let known: Vec<&str> = model
            .filters
            .iter()
            .filter_map(|key| key.friendly.as_deref())
            .collect();
        let unknown = unknown.join("`, `");
        return Err(CallError::caller(format!(
            "There is no filter `{unknown}` for a {}. The filters are: {}.",
            model.name,
            known.join(", ")
        )));
    }
    if pairs.len() > MAX_FILTER_VALUES {
        return Err(CallError::caller(format!(
            "The filters have {} values; at most {MAX_FILTER_VALUES} are taken. Ask in parts.",
            pairs.len()
        )));
    }
    Ok(pairs)
}

/// `{"items":[...],"next_cursor":...,"truncated":true,"note":...}` while it is being written.
#[derive(Default)]
struct Items {
    json: String,
    count: usize,
}

impl Items {
    fn push(&mut self, shown: &row::Shown<'_>, rows: &[&str]) {
        if self.json.is_empty() {
            self.json
                .reserve(rows.iter().map(|row| row.len()).sum::<usize>() + 128);
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

    fn finish(mut self, next: Option<String>, truncated: bool, note: Option<&str>) -> Outcome {
        self.open();
        self.json.push(']');
        for (name, text) in [("next_cursor", next.as_deref()), ("note", note)] {
            if let Some(text) = text {
                self.json.push_str(",\"");
                self.json.push_str(name);
                self.json.push_str("\":");
                json::push_string(&mut self.json, text);
            }
        }
        if truncated {
            self.json.push_str(",\"truncated\":true");
        }
        self.json.push('}');
        Outcome::new(self.json)
    }
}
