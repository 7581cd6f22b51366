//! The kind of paging whose pages start after what the request names: what the answer before gave
//! as its next page, or the last row of that answer.

use std::borrow::Cow;

use url::Url;

use super::super::page::{NextPage, PageInPlace, Remainder};
use super::super::position::Position;
use super::super::tally::row_name;
use super::{PagingScheme, without_size};
use crate::connector::PagingPlan;
use crate::failure::BackendError;

/// Pages by the row or the mark before them.
pub(super) struct ByRow;

impl PagingScheme for ByRow {
    fn admits(&self, _start: &str, _base: &Url) -> bool {
        true
    }

    fn next(&self, page: &PageInPlace<'_>) -> Result<(Remainder, Option<String>), BackendError> {
        let named = match &page.read.next {
            NextPage::Named(name) => name.clone(),
            NextPage::Untold | NextPage::Nothing => None,
        };
        let last = || {
            let last = page.read.rows.last()?;
            row_name(last, page.plan.identity.as_deref())
        };
        Ok(match page.read.more {
            Some(false) => (Remainder::Nothing, None),
            Some(true) => {
                let is_named = named.is_some();
                (Remainder::More { is_named }, named.or_else(last))
            }
            None if page.plan.next.is_some() => (page.remainder(), named),
            None => (page.remainder(), last()),
        })
    }

    /// A page that ends with the very row after which it starts.
    fn comes_again(&self, plan: &PagingPlan, at: &Position, rows: &[Cow<'_, str>]) -> bool {
        let last = || row_name(rows.last()?, plan.identity.as_deref());
        starts_after_rows(plan) && !at.start.is_empty() && last().is_some_and(|row| row == at.start)
    }

    /// After the row itself, where rows say where a page starts: what is changed before it changes
    /// nothing then.
    fn behind(
        &self,
        plan: &PagingPlan,
        at: &Position,
        rows: &[Cow<'_, str>],
        skip: usize,
    ) -> Position {
        let row = skip.checked_sub(1).and_then(|before| rows.get(before));
        let name = row
            .filter(|_| starts_after_rows(plan))
            .and_then(|row| row_name(row, plan.identity.as_deref()));
        match name {
            Some(start) => Position {
                start,
                skip: 0,
                received: at.received.saturating_add(skip as u64),
                ..at.clone()
            },
            None => Position { skip, ..at.clone() },
        }
    }

    fn halved(&self, at: &Position) -> Option<Position> {
        let size = at.size / 2;
        (at.skip < size).then(|| Position { size, ..at.clone() })
    }

    fn sealed(&self, plan: &PagingPlan, at: &Position) -> Position {
        without_size(plan, at)
    }
}

/// Whether a page starts after a row, and not after a mark that the backend gives.
fn starts_after_rows(plan: &PagingPlan) -> bool {
    plan.next.is_none()
}
