//! Lists of a model: one page, a page by cursor, or every page in one walk.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::cursor::Bound;
use super::exchange::{self, Ask};
use super::{Inner, Outcome, row};
use crate::connector::{Model, Paging};
use crate::failure::CallError;
use crate::json::{self, Admitted};

/// Requests that one walk may make.
pub(super) const MAX_WALK_REQUESTS: usize = 500;
/// Values that all filters of a list may have together.
const MAX_FILTER_VALUES: usize = 100;

pub(super) async fn list(inner: &Arc<Inner>, model: &Model, arguments: Map<String, Value>) -> Result<Outcome, CallError> {
    let Some(paging) = &inner.compiled().paging else {
        return Err(CallError::ours("This list has no paging.", "compile lets no list through without paging"));
    };
    let query = Query::new(model, &arguments)?;
    let after = match arguments.get("cursor") {
        Some(Value::String(cursor)) => Some(query.bound.open(cursor)?),
        _ => None,
    };
    let offset = arguments.get("offset").filter(|_| after.is_none()).and_then(Value::as_u64);
    if arguments.get("all") == Some(&Value::Bool(true)) {
        return walk(inner, model, paging, &query, after, offset).await;
    }
    let limit = arguments.get("limit").and_then(Value::as_u64);
    let body = exchange::json(inner, Ask::get(query.path(paging, limit, offset, after.as_deref()))).await?;
    let page = Page::read(inner, paging, body.as_ref())?;
    let shown = row::Shown::new(inner, model);
    let mut result = Items::new(page.rows.iter().map(|row| row.len()).sum());
    result.push(&shown, page.rows.iter().copied());
    let next = page.last_id().filter(|_| page.more);
    let truncated = page.more && next.is_none();
    Ok(result.finish(next.map(|id| query.bound.seal(&id)), truncated, None))
}

/// Every page up to the cap. Stops when a page brings nothing new: a backend that ignores `after` ends here.
async fn walk(
    inner: &Arc<Inner>,
    model: &Model,
    paging: &Paging,
    query: &Query,
    mut after: Option<String>,
    mut offset: Option<u64>,
) -> Result<Outcome, CallError> {
    let shown = row::Shown::new(inner, model);
    let mut result = Items::new(0);
    let mut seen: HashSet<String> = HashSet::new();
    let mut count = 0;
    for request in 0..MAX_WALK_REQUESTS {
        let path = query.path(paging, Some(model.max_limit.into()), offset.take(), after.as_deref());
        let body = match exchange::json(inner, Ask::get(path)).await {
            Ok(body) => body,
            Err(error) if request == 0 => return Err(error),
            Err(error) => {
                let note = format!("A later page failed: {error}");
                return Ok(result.finish(after.map(|id| query.bound.seal(&id)), true, Some(&note)));
            }
        };
        let page = Page::read(inner, paging, body.as_ref())?;
        let room = paging.cap - count;
        let fresh: Vec<(&str, Option<String>)> = page
            .rows
            .iter()
            .map(|row| (*row, id(row)))
            .filter(|(_, id)| id.as_ref().is_none_or(|id| !seen.contains(id)))
            .collect();
        let cut = fresh.len() > room;
        let kept = fresh.get(..room.min(fresh.len())).unwrap_or_default();
        result.push(&shown, kept.iter().map(|(row, _)| *row));
        count += kept.len();
        let last = kept.last().and_then(|(_, id)| id.clone());
        let progress = !kept.is_empty();
        seen.extend(kept.iter().filter_map(|(_, id)| id.clone()));
        if !page.more && !cut {
            return Ok(result.finish(None, false, None));
        }
        match last {
            Some(last) if progress => after = Some(last),
            _ => return Ok(result.finish(None, true, None)),
        }
        if count >= paging.cap {
            break;
        }
    }
    Ok(result.finish(after.map(|id| query.bound.seal(&id)), true, None))
}

fn id(row: &str) -> Option<String> {
    let [id] = json::pick(row, ["id"])?;
    let id = id?;
    if id.starts_with('"') { serde_json::from_str(id).ok() } else { (id != "null").then(|| id.to_owned()) }
}

/// The rows of one answer.
struct Page<'b> {
    rows: Vec<&'b str>,
    more: bool,
}

impl<'b> Page<'b> {
    fn read(inner: &Inner, paging: &Paging, body: Option<&'b Admitted>) -> Result<Self, CallError> {
        let wrong = || {
            let title = &inner.compiled().title;
            CallError::backend(
                format!("{title} answered something that is not a list. Check that its address is that of the API."),
                false,
            )
        };
        let text = body.ok_or_else(wrong)?.text().trim();
        if let Some(rows) = json::items(text) {
            return Ok(Self { rows, more: false });
        }
        let first = |path: &'_ [String]| path.first().map(String::as_str).unwrap_or_default().to_owned();
        let (rows_at, more_at) = (first(&paging.rows), first(&paging.more));
        let [rows, more] = json::pick(text, [rows_at.as_str(), more_at.as_str()]).ok_or_else(wrong)?;
        // the same first key for both fills only its first slot
        let more = if rows_at == more_at { rows } else { more };
        let rows = inside(rows, &paging.rows).ok_or_else(wrong)?;
        let rows = json::items(rows).ok_or_else(wrong)?;
        let more = inside(more, &paging.more) == Some("true");
        Ok(Self { rows, more })
    }

    fn last_id(&self) -> Option<String> {
        self.rows.last().and_then(|row| id(row))
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
        pairs.append(&mut filters);
        let bound =
            Bound::to([model.name.as_str()].into_iter().chain(pairs.iter().flat_map(|(name, value)| [*name, value.as_str()])));
        let parameters = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        Ok(Self { path: model.path.clone(), parameters, bound })
    }

    fn path(&self, paging: &Paging, limit: Option<u64>, offset: Option<u64>, after: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(self.parameters.clone());
        for (name, number) in [(&paging.size, limit), (&paging.offset, offset)] {
            if let Some(number) = number {
                query.append_pair(name, &number.to_string());
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

/// Filters by their wire keys; a list of values repeats the key, and null is no filter.
fn filters<'m>(model: &'m Model, filter: Option<&Value>) -> Result<Vec<(&'m str, String)>, CallError> {
    let filter = match filter {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(filter)) => filter,
        Some(_) => return Err(CallError::caller("`filter` must be an object, such as {\"status\": \"todo\"}.")),
    };
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for (name, value) in filter {
        let by_friendly = model.filters.iter().find(|key| key.friendly.as_ref() == Some(name));
        let Some(key) = by_friendly.or_else(|| model.filters.iter().find(|key| &key.wire == name)) else {
            unknown.push(name);
            continue;
        };
        let values = match value {
            Value::Array(values) if values.is_empty() => {
                return Err(CallError::caller(format!("The filter `{name}` has no values: pass one or more, or leave it out.")));
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
        let known: Vec<&str> = model.filters.iter().filter_map(|key| key.friendly.as_deref()).collect();
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
struct Items {
    json: String,
    count: usize,
}

impl Items {
    fn new(bytes: usize) -> Self {
        let mut json = String::with_capacity(bytes + 128);
        json.push_str("{\"items\":[");
        Self { json, count: 0 }
    }

    fn push<'r>(&mut self, shown: &row::Shown<'_>, rows: impl Iterator<Item = &'r str>) {
        let mut slots = Vec::new();
        for row in rows {
            if self.count > 0 {
                self.json.push(',');
            }
            self.count += 1;
            row::push(&mut self.json, shown, row, &mut slots);
        }
    }

    fn finish(mut self, next: Option<String>, truncated: bool, note: Option<&str>) -> Outcome {
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
