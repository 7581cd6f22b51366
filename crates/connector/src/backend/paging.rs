//! Reading a list page by page: one walk for every list, whatever a row is made into, and one type
//! for each kind of paging.
//!
//! What a walk needs to know of a list is [`RowList`]: the request for a page, what its answer
//! says, and what is kept of a row. What it needs to know of a kind is [`scheme::PagingScheme`].

mod cursor;
mod page;
mod position;
mod scheme;
mod tally;
mod walk;

use crate::connector::PagingPlan;

pub(super) use cursor::CursorBinding;
pub(super) use page::{NextPage, PageAnswer, PageStart, ReadPage};
pub(super) use position::Position;
pub(super) use walk::{PageWalk, RowList, WalkOutcome, WalkTerms};

/// Where a list goes on, as the caller gets it; none when that is longer than a cursor may be.
pub(super) fn cursor(plan: &PagingPlan, binding: CursorBinding, at: &Position) -> Option<String> {
    binding.seal(&scheme::of(plan.kind).sealed(plan, at))
}

/// The sentence about a list whose further rows do not fit.
pub(super) fn too_large(rows: usize) -> String {
    format!("The answer ends after {rows} rows because of its size")
}
