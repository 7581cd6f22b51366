//! Lists that are walked page by page: by number, by rows to skip, by address, or after a row.

mod listed;
mod page;
mod position;
mod walking;

use std::collections::BTreeMap;
use std::sync::Arc;

use jaq_json::Val;

use super::cursor::Bound;
use super::projection::Fields;
use super::request::Prepared;
use super::{Inner, under_base};
use crate::connector::{Pages, Request};
use crate::failure::CallError;
use crate::jq::{self, Variable, Variables};
pub(super) use listed::Listed;
use page::PageAsk;
use position::Position;
use walking::Walking;

/// Items of one page when the caller does not say.
pub(super) const DEFAULT_LIMIT: usize = 50;
/// Requests that a walk may make when rows are chosen here.
const MAX_CHOOSING_REQUESTS: usize = 10;
/// Bytes of the items of one page, before they are tidied; what does not fit is on the next one.
const MAX_PAGE_BYTES: usize = 64 << 10;
/// Bytes of an answer with such a page: less than 20,000 tokens.
pub(super) const MAX_ANSWER_BYTES: usize = 40 << 10;

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
    let way = &*pages.walk;
    let filter = pages.filter.as_ref().filter(|_| applies(pages, variables));
    let names = |name: Option<&String>| {
        name.is_some_and(|name| prepared.query.iter().any(|(key, _)| key == name))
    };
    let (alone, has_size) = (names(way.start.as_ref()), names(way.size.as_ref()));
    let asked = PageAsk {
        inner,
        way,
        request,
        prepared,
        variables,
        hints,
        alone,
        has_size,
    };
    let size = if filter.is_some() || wanted.whole {
        way.max_size
    } else {
        way.max_size.min(wanted.limit)
    };
    let at = match (&wanted.cursor, &wanted.bound) {
        (Some(cursor), Some(bound)) => {
            let unreadable = || {
                CallError::caller(
                    "`cursor` is not one of ours: pass the `next_cursor` of the page before, unchanged.",
                )
            };
            Position::read(&bound.open(cursor)?).ok_or_else(unreadable)?
        }
        _ => Position::first(way.kind, size),
    };
    let from_start = wanted.cursor.is_none() && !alone;
    Walking::new(asked, pages, filter, wanted, from_start, at)
        .walk()
        .await
}

/// The path and query of a link that a page names, when it stays under the base.
fn pinned(inner: &Inner, from: &str, link: &str) -> Result<String, CallError> {
    under_base::next_page(&inner.settings.base, from, link).ok_or_else(|| {
        let title = &inner.compiled().title;
        CallError::backend(
            format!("{title} named a next page outside its own address, which is never followed."),
            false,
        )
    })
}

/// Whether the filter says anything about this call.
fn applies(pages: &Pages, variables: &Variables) -> bool {
    let given = variables.get(Variable::Given as usize);
    let is_passed = |name: &String| {
        given
            .and_then(|given| jq::get(given, name))
            .is_some_and(|value| *value != Val::Null)
    };
    pages.filter_passed.is_empty() || pages.filter_passed.iter().any(is_passed)
}
