//! The list that a step names: read page by page, each row chosen and made into an item by the
//! filters and shapes of the connector file.

mod item_list;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use jaq_json::Val;

use super::Inner;
use super::paging::{CursorBinding, PageWalk, WalkTerms};
use super::projection::Fields;
use super::request::Prepared;
use crate::connector::{MAX_REQUESTS, Pages, Request};
use crate::failure::BackendError;
use crate::jq::{self, Variable, Variables};
pub(super) use item_list::ItemList;
use rows::StepRows;

/// Items of one page when the caller does not say.
pub(super) const DEFAULT_LIMIT: usize = 50;
/// Requests that a walk may make when rows are chosen here.
const MAX_CHOOSING_REQUESTS: usize = 10;
/// Bytes of an answer with a list: less than 20,000 tokens.
pub(super) const MAX_ANSWER_BYTES: usize = 40 << 10;

/// What is wanted of a list.
pub(super) struct WantedItems {
    /// Items at most.
    pub(super) limit: usize,
    /// Where it starts.
    pub(super) cursor: Option<String>,
    /// What cursors are bound to; none when nobody can go on.
    pub(super) binding: Option<CursorBinding>,
    /// Everything up to the limit belongs into one result, however large.
    pub(super) is_whole: bool,
    /// The rows as the backend sent them are wanted too.
    pub(super) keeps_records: bool,
    pub(super) fields: Fields,
}

impl WantedItems {
    /// All rows, or as many as the file says, for a list that is not the result.
    pub(super) fn all(pages: &Pages) -> Self {
        Self {
            limit: pages.at_most.unwrap_or(pages.paging.cap),
            cursor: None,
            binding: None,
            is_whole: pages.at_most.is_none(),
            keeps_records: false,
            fields: Fields::default(),
        }
    }
}

/// The list that a request names.
pub(super) async fn read(
    inner: &Arc<Inner>,
    pages: &Pages,
    request: &Request,
    prepared: &Prepared,
    wanted: WantedItems,
    variables: &Variables,
    hints: Option<&Arc<BTreeMap<u16, String>>>,
) -> Result<ItemList, BackendError> {
    let plan = &*pages.paging;
    let filter = pages.filter.as_ref().filter(|_| applies(pages, variables));
    let is_passed = |parameter: Option<&String>| {
        parameter.is_some_and(|name| prepared.query.iter().any(|(key, _)| key == name))
    };
    let (is_alone, has_size) = (
        is_passed(plan.start.as_ref()),
        is_passed(plan.size.as_ref()),
    );
    let size = if filter.is_some() || wanted.is_whole {
        plan.max_size
    } else {
        plan.max_size.min(wanted.limit)
    };
    let terms = WalkTerms {
        limit: Some(wanted.limit.min(plan.cap)),
        is_whole: wanted.is_whole,
        binding: wanted.binding,
        is_choosing: filter.is_some(),
        is_alone,
        is_size_ours: plan.size.is_some() && !has_size && !is_alone,
        requests: if filter.is_some() {
            MAX_CHOOSING_REQUESTS
        } else {
            MAX_REQUESTS
        },
    };
    let cursor = wanted.cursor.clone();
    let rows = StepRows {
        inner,
        pages,
        request,
        prepared,
        variables,
        hints,
        filter,
        has_size,
        list: ItemList::new(&pages.paging, &wanted),
        fields: wanted.fields,
        keeps_records: wanted.keeps_records,
        bytes: 0,
    };
    let walk = PageWalk::new(inner, plan, rows, terms, size, cursor.as_deref())?;
    let (rows, outcome) = walk.walk().await?;
    Ok(rows.list.after(outcome))
}

/// Whether the filter says anything about this call.
fn applies(pages: &Pages, variables: &Variables) -> bool {
    let arguments = variables.get(Variable::Given);
    let is_passed =
        |name: &String| jq::get(arguments, name).is_some_and(|value| *value != Val::Null);
    pages.filter_passed.is_empty() || pages.filter_passed.iter().any(is_passed)
}
