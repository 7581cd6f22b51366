//! The kind of paging whose pages have numbers, from 1.

use std::borrow::Cow;

use url::Url;

use super::super::page::{PageInPlace, Remainder};
use super::super::position::Position;
use super::{PagingScheme, fingerprint};
use crate::failure::BackendError;

/// Pages by their numbers. A number means nothing without the size of the pages, which is therefore
/// the same on every one, and stands in the cursor.
pub(super) struct ByNumber;

impl PagingScheme for ByNumber {
    fn first(&self) -> &'static str {
        "1"
    }

    fn admits(&self, start: &str, _base: &Url) -> bool {
        start.parse::<u64>().is_ok()
    }

    fn next(&self, page: &PageInPlace<'_>) -> Result<(Remainder, Option<String>), BackendError> {
        let number = page.at.start.parse::<u64>().unwrap_or_default();
        Ok((page.remainder(), Some(number.saturating_add(1).to_string())))
    }

    fn fingerprint(&self, rows: &[Cow<'_, str>]) -> Option<String> {
        fingerprint(rows)
    }

    /// The size is that of the pages that came, which the backend may have capped below what was
    /// asked for.
    fn halved(&self, at: &Position) -> Option<Position> {
        let page: u64 = at.start.parse().ok()?;
        let pages_before = page.checked_sub(1)?;
        let size = match pages_before {
            0 => at.size as u64,
            // pages that were not all of one size: their numbers cannot be translated
            _ => at
                .received
                .is_multiple_of(pages_before)
                .then(|| at.received.checked_div(pages_before))??,
        };
        let half = size.min(at.size as u64) / 2;
        let row = at.received.checked_add(at.skip as u64)?;
        let before = row.checked_div(half)?;
        Some(Position {
            start: before.checked_add(1)?.to_string(),
            skip: usize::try_from(row - before * half).ok()?,
            size: usize::try_from(half).ok()?,
            received: before * half,
            page_before: at.page_before.clone(),
        })
    }

    fn rows_before(&self, start: &str, typical: usize) -> Option<u64> {
        let number = start.parse::<u64>().ok()?;
        Some(number.saturating_sub(1).saturating_mul(typical as u64))
    }
}
