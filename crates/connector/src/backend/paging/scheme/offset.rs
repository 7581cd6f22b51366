//! The kind of paging whose pages start after so many rows.

use std::borrow::Cow;

use url::Url;

use super::super::page::{PageInPlace, Remainder};
use super::super::position::Position;
use super::{PagingScheme, fingerprint};
use crate::failure::BackendError;

/// Pages by the rows before them.
pub(super) struct ByOffset;

impl PagingScheme for ByOffset {
    fn first(&self) -> &'static str {
        "0"
    }

    fn admits(&self, start: &str, _base: &Url) -> bool {
        start.parse::<u64>().is_ok()
    }

    fn next(&self, page: &PageInPlace<'_>) -> Result<(Remainder, Option<String>), BackendError> {
        let offset = page.at.start.parse::<u64>().unwrap_or_default();
        // an empty page has no rows to skip, but stands for as many as others have
        let passed = match page.read.rows.len() {
            0 => page.typical,
            rows => rows,
        };
        Ok((
            page.remainder(),
            Some(offset.saturating_add(passed as u64).to_string()),
        ))
    }

    fn fingerprint(&self, rows: &[Cow<'_, str>]) -> Option<String> {
        fingerprint(rows)
    }

    fn halved(&self, at: &Position) -> Option<Position> {
        let skip = at.skip as u64;
        Some(Position {
            start: at.start.parse::<u64>().ok()?.checked_add(skip)?.to_string(),
            skip: 0,
            size: at.size / 2,
            received: at.received.checked_add(skip)?,
            page_before: at.page_before.clone(),
        })
    }

    fn rows_before(&self, start: &str, _typical: usize) -> Option<u64> {
        start.parse().ok()
    }
}
