//! Lists that are walked page by page: by number, by rows to skip, by address, or after a row.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cursor::Bound;
use super::exchange::{self, Answer};
use super::projection::{self, Fields};
use super::request::Prepared;
use super::throttle::{headers, set};
use super::values::{self, Held};
use super::{Inner, under_base};
use crate::connector::{MAX_REQUESTS, Pages, Request, Walk};
use crate::definition::PagingKind;
use crate::failure::CallError;
use crate::jq::{self, Variable, Variables, plain_text};
use crate::json::{Admitted, push_string};
use jaq_json::Val;

/// Items of one page when the caller does not say.
pub(super) const DEFAULT_LIMIT: usize = 50;
/// Rows that one answer may have when jq finds them.
const MAX_PAGE_ROWS: usize = 5_000;
/// Requests that a walk may make when rows are chosen here.
const MAX_CHOOSING_REQUESTS: usize = 10;
/// Bytes of the items of one page; what does not fit is on the next one.
pub(super) const MAX_PAGE_BYTES: usize = 64 << 10;

/// What is wanted of a list.
pub(super) struct Wanted {
    /// Items at most.
    pub(super) limit: usize,
    /// Where it starts.
    pub(super) cursor: Option<String>,
    /// Seals cursors; none when nobody can go on.
    pub(super) bound: Option<Bound>,
    /// Everything up to the limit belongs into one result, however large.
    pub(super) whole: bool,
    /// The rows as the backend sent them are wanted too.
    pub(super) keeps_records: bool,
    pub(super) fields: Fields,
}

/// A list as far as it was read.
#[derive(Default)]
pub(super) struct Listed {
    /// JSON of each item.
    pub(super) items: Vec<String>,
    /// JSON of each row as the backend sent it, when somebody wants them.
    pub(super) records: Vec<Box<str>>,
    total: Option<u64>,
    truncated: bool,
    next: Option<String>,
    /// Why a later page is not there.
    pub(super) note: Option<String>,
    first_page: Option<Val>,
}

impl Listed {
    /// `{"items":[...],"total_count":...,"truncated":true,"next_cursor":...,"note":...}`.
    pub(super) fn json(&self) -> String {
        self.with_items(&self.items)
    }

    /// The same with the rows as the backend sent them.
    pub(super) fn as_sent(&self) -> String {
        self.with_items(&self.records)
    }

    fn with_items<S: AsRef<str>>(&self, items: &[S]) -> String {
        let mut out = String::with_capacity(items.iter().map(|item| item.as_ref().len() + 1).sum::<usize>() + 96);
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
    pub(super) fn value(&self) -> Result<Val, CallError> {
        let value = jq::read_text(&self.json()).map_err(|why| CallError::ours("The answer could not be read.", why))?;
        match (&self.first_page, value) {
            (Some(first), Val::Obj(map)) => {
                let mut map = Arc::unwrap_or_clone(map);
                map.insert(Val::utf8_str("first_page"), first.clone());
                Ok(Val::obj(map))
            }
            (_, value) => Ok(value),
        }
    }
}

/// Where a page starts, and how many of its rows were given already.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    /// Number, offset, address or name; empty for the first page.
    start: String,
    skip: usize,
    size: usize,
}

impl Position {
    fn text(&self) -> String {
        format!("{}:{}:{}", self.skip, self.size, self.start)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (skip, size) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { skip, size, start: parts.next()?.to_owned() })
    }
}

/// One page as it came.
struct Page {
    rows: Vec<Box<str>>,
    total: Option<u64>,
    /// Where the next page starts; none after the last one.
    next: Option<String>,
    body: Held,
}

/// The list that a request names.
pub(super) async fn walk(
    inner: &Arc<Inner>,
    pages: &Pages,
    request: &Request,
    prepared: &Prepared,
    wanted: Wanted,
    variables: &Variables,
    hints: Option<&Arc<BTreeMap<u16, String>>>,
) -> Result<Listed, CallError> {
    let way = &pages.walk;
    let filter = pages.filter.as_ref().filter(|_| applies(pages, variables));
    let names = |name: Option<&String>| name.is_some_and(|name| prepared.query.iter().any(|(key, _)| key == name));
    // the caller chose the page: it is read alone
    let alone = names(way.start.as_ref());
    let size = if filter.is_some() || wanted.whole { way.max_size } else { way.max_size.min(wanted.limit) };
    let mut at = match (&wanted.cursor, &wanted.bound) {
        (Some(cursor), Some(bound)) => {
            let unreadable =
                || CallError::caller("`cursor` is not one of ours: pass the `next_cursor` of the page before, unchanged.");
            Position::read(&bound.open(cursor)?).ok_or_else(unreadable)?
        }
        _ => Position { start: first(way.kind), skip: 0, size },
    };
    let from_start = wanted.cursor.is_none() && !alone;
    let limit = wanted.limit.min(way.cap);
    let mut listed = Listed::default();
    let mut bytes = 0usize;
    let most = if filter.is_some() { MAX_CHOOSING_REQUESTS } else { MAX_REQUESTS };
    for count in 0..most {
        let page = fetch(inner, way, request, prepared, &at, alone, names(way.size.as_ref()), variables, hints).await;
        let page = match page {
            Ok(page) => page,
            Err(error) if count == 0 => return Err(error),
            Err(error) => {
                listed.note = Some(format!("A later page failed: {error}"));
                listed.truncated = true;
                listed.next = wanted.bound.map(|bound| bound.seal(&at.text()));
                return Ok(listed);
            }
        };
        if count == 0 {
            listed.total = page.total.filter(|_| filter.is_none());
            if pages.keeps_first_page {
                listed.first_page = Some(without_rows(way, &page.body)?);
            }
        }
        let had = page.rows.len();
        let candidates: Vec<Box<str>> = page.rows.into_iter().skip(at.skip).collect();
        let chosen = choose(inner, filter, &candidates, variables).await?;
        let room = limit - listed.items.len();
        let mut used = 0;
        let mut rows = Vec::new();
        for (row, keep) in candidates.into_iter().zip(chosen) {
            if rows.len() == room {
                break;
            }
            used += 1;
            if keep {
                rows.push((used, row));
            }
        }
        let positions: Vec<usize> = rows.iter().map(|(used, _)| *used).collect();
        let rows: Vec<Box<str>> = rows.into_iter().map(|(_, row)| row).collect();
        if wanted.keeps_records {
            listed.records.extend(rows.iter().cloned());
        }
        let kept = projection::rows(inner, &pages.row, &wanted.fields, rows, variables).await?;
        let mut full = false;
        for (item, position) in kept.rows.into_iter().zip(positions) {
            bytes += item.len();
            // who wants the records takes them as they are, and cannot follow a cursor
            let has_end = !wanted.whole && !wanted.keeps_records && wanted.bound.is_some();
            if bytes > MAX_PAGE_BYTES && has_end && !listed.items.is_empty() {
                used = position - 1;
                full = true;
                break;
            }
            listed.items.push(item);
        }
        listed.records.truncate(listed.items.len());
        full |= listed.items.len() >= limit;
        let position = if at.skip + used < had {
            Some(Position { skip: at.skip + used, ..at.clone() })
        } else {
            page.next.map(|start| Position { start, skip: 0, size: at.size })
        };
        let Some(next) = position else {
            if listed.total.is_none() && from_start {
                listed.total = Some(listed.items.len() as u64);
            }
            return Ok(listed);
        };
        if alone {
            listed.truncated = next.start == at.start;
            return Ok(listed);
        }
        // a backend that hands the same page out again would be walked forever
        if next == at {
            listed.truncated = true;
            return Ok(listed);
        }
        at = next;
        if full {
            break;
        }
    }
    listed.next = wanted.bound.map(|bound| bound.seal(&at.text()));
    listed.truncated = listed.next.is_none() || wanted.whole;
    Ok(listed)
}

fn first(kind: PagingKind) -> String {
    match kind {
        PagingKind::Page => "1".into(),
        PagingKind::Offset => "0".into(),
        PagingKind::Link | PagingKind::After => String::new(),
    }
}

#[expect(clippy::too_many_arguments, reason = "a page is what the way of paging, the request and the place in the list say")]
async fn fetch(
    inner: &Arc<Inner>,
    way: &Walk,
    request: &Request,
    prepared: &Prepared,
    at: &Position,
    alone: bool,
    has_size: bool,
    variables: &Variables,
    hints: Option<&Arc<BTreeMap<u16, String>>>,
) -> Result<Page, CallError> {
    let size = at.size.to_string();
    let mut more: Vec<(&str, &str)> = Vec::new();
    if let Some(name) = way.start.as_ref().filter(|_| !alone && !at.start.is_empty()) {
        more.push((name, &at.start));
    }
    if let Some(name) = way.size.as_ref().filter(|_| !has_size) {
        more.push((name, &size));
    }
    let mut ask = prepared.ask(&more, hints, request)?;
    if way.kind == PagingKind::Link && !at.start.is_empty() {
        ask.path.clone_from(&at.start);
    }
    let answer = exchange::send(inner, ask).await?;
    read(inner, way, answer, at, variables).await
}

async fn read(inner: &Arc<Inner>, way: &Walk, answer: Answer, at: &Position, variables: &Variables) -> Result<Page, CallError> {
    let title = &inner.compiled().title;
    let wrong = || {
        CallError::backend(
            format!("{title} answered something that is not a list. Check that its address is that of the API."),
            false,
        )
    };
    let from = answer.from;
    let mut variables = variables.clone();
    set(&mut variables, Variable::Headers, headers(inner, &answer.headers));
    let json = exchange::admitted(inner, answer.body, true)?.ok_or_else(wrong)?;
    let body = Held::received(json);
    let rows = match (way.rows.of_input(), &body) {
        (Some(path), Held::Received(received)) => projection::inside(received.json.text(), path).and_then(projection::items),
        _ => {
            let found = values::several(inner, &way.rows, &body, &variables, MAX_PAGE_ROWS + 1).await?;
            if found.len() > MAX_PAGE_ROWS {
                let message = format!(
                    "{title} answered a page of more than {MAX_PAGE_ROWS} rows. Ask for less, with a smaller limit or a filter."
                );
                return Err(CallError::backend(message, false));
            }
            Some(found.iter().map(|value| values::to_json(value).map(String::into_boxed_str)).collect::<Result<_, _>>()?)
        }
    };
    let rows: Vec<Box<str>> = rows.ok_or_else(wrong)?;
    let value = async |filter: &Option<jq::Glue>| match filter {
        Some(filter) => values::one(inner, filter, &body, &variables).await.map(Some),
        None => Ok(None),
    };
    let total = value(&way.total).await?.as_ref().and_then(plain_text).and_then(|text| text.parse::<u64>().ok());
    let (next, more) = (value(&way.next).await?, value(&way.more).await?);
    let next = following(inner, way, (&from, at), &rows, total, next, more)?;
    Ok(Page { rows, total, next, body })
}

/// Where the page after this one starts.
fn following(
    inner: &Inner,
    way: &Walk,
    (from, at): (&str, &Position),
    rows: &[Box<str>],
    total: Option<u64>,
    next: Option<Val>,
    more: Option<Val>,
) -> Result<Option<String>, CallError> {
    if rows.is_empty() {
        return Ok(None);
    }
    let said = |value: &Val| jq::is_true(value) && jq::text(value).is_none_or(|text| !text.is_empty());
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    let goes_on = |done: u64| match (&next, total) {
        (Some(next), _) => said(next),
        (None, Some(total)) => done < total,
        (None, None) => rows.len() >= at.size,
    };
    Ok(match way.kind {
        PagingKind::Page => {
            let page = number(&at.start);
            goes_on(page.saturating_mul(at.size as u64)).then(|| (page + 1).to_string())
        }
        PagingKind::Offset => {
            let offset = number(&at.start) + rows.len() as u64;
            goes_on(offset).then(|| offset.to_string())
        }
        PagingKind::Link => match next.as_ref().filter(|next| said(next)).and_then(plain_text) {
            Some(link) => Some(pinned(inner, from, &link)?),
            None => None,
        },
        PagingKind::After => {
            let last = || {
                rows.last().and_then(|row| crate::json::pick(row, ["id"])).and_then(|[id]| id).and_then(|id| {
                    if id.starts_with('"') { serde_json::from_str(id).ok() } else { (id != "null").then(|| id.to_owned()) }
                })
            };
            let named = next.as_ref().filter(|next| said(next)).and_then(plain_text);
            match (&more, &next) {
                (Some(more), _) if !jq::is_true(more) => None,
                (Some(_), _) => named.or_else(last),
                (None, Some(_)) => named,
                (None, None) if rows.len() >= at.size => last(),
                (None, None) => None,
            }
        }
    })
}

/// The path and query of a link that a page names, when it stays under the base.
fn pinned(inner: &Inner, from: &str, link: &str) -> Result<String, CallError> {
    under_base::next_page(&inner.settings.base, from, link).ok_or_else(|| {
        let title = &inner.compiled().title;
        CallError::backend(format!("{title} named a next page outside its own address, which is never followed."), false)
    })
}

/// Whether the filter says anything about this call.
fn applies(pages: &Pages, variables: &Variables) -> bool {
    let given = variables.get(Variable::Given as usize);
    let is_passed = |name: &String| given.and_then(|given| jq::get(given, name)).is_some_and(|value| *value != Val::Null);
    pages.filter_passed.is_empty() || pages.filter_passed.iter().any(is_passed)
}

/// Which rows are kept.
async fn choose(
    inner: &Arc<Inner>,
    filter: Option<&jq::Glue>,
    rows: &[Box<str>],
    variables: &Variables,
) -> Result<Vec<bool>, CallError> {
    let Some(filter) = filter else { return Ok(vec![true; rows.len()]) };
    let (filter, variables) = (filter.clone(), variables.clone());
    let rows: Vec<String> = rows.iter().map(|row| String::from(&**row)).collect();
    values::blocking(inner, move |inner| {
        let keeps = |row: String| {
            let row =
                Admitted::new(row.into()).map_err(|why| CallError::ours("The answer could not be read.", why.to_string()))?;
            Ok(values::run(inner, &filter, &Held::received(row), &variables)?.is_some_and(|value| jq::is_true(&value)))
        };
        rows.into_iter().map(keeps).collect()
    })
    .await
}

/// The first body without its rows, for what stands beside them.
fn without_rows(way: &Walk, body: &Held) -> Result<Val, CallError> {
    let value = body.value()?;
    let key = way.rows.of_input().and_then(|path| path.first()).map(|key| key.name.as_str());
    match value {
        Val::Obj(map) => Ok(Val::obj(
            map.iter().filter(|(name, _)| jq::text(name).as_deref() != key).map(|(k, v)| (k.clone(), v.clone())).collect(),
        )),
        _ => Ok(Val::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::Position;
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_position_reads_back(start in any::<String>(), skip in any::<usize>(), size in any::<usize>()) {
            let position = Position { start, skip, size };
            prop_assert_eq!(Position::read(&position.text()), Some(position));
        }
        #[test]
        fn any_text_is_a_position_or_none(text in any::<String>()) {
            if let Some(position) = Position::read(&text) {
                prop_assert_eq!(Position::read(&position.text()), Some(position));
            }
        }
    }
}
