//! The kinds of paging: what a walk must know of each, and the one place that lists them.

mod after;
mod link;
mod offset;
mod page;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

use super::page::{PageInPlace, PageStart, Remainder};
use super::position::Position;
use crate::connector::PagingPlan;
use crate::definition::PagingKind;
use crate::failure::BackendError;

/// Characters of the fingerprint of a page.
const FINGERPRINT: usize = 8;

/// One kind of paging.
pub(super) trait PagingScheme: Sync {
    /// Where the first page starts; empty where its request does not say it.
    fn first(&self) -> &'static str {
        ""
    }

    /// Whether a start that a caller passed, in a cursor, may be asked for.
    fn admits(&self, start: &str, base: &Url) -> bool;

    /// How the request for a page says where that starts.
    fn start<'p>(&self, plan: &'p PagingPlan, at: &'p Position) -> PageStart<'p> {
        match &plan.start {
            Some(name) if !at.start.is_empty() => PageStart::Parameter(name, &at.start),
            _ => PageStart::Unsaid,
        }
    }

    /// Whether answers say themselves if there is a next page.
    fn is_told(&self, plan: &PagingPlan) -> bool {
        plan.next.is_some() || plan.more.is_some()
    }

    /// What a page says about what follows it, and where that would start; none when nothing says
    /// so.
    fn next(&self, page: &PageInPlace<'_>) -> Result<(Remainder, Option<String>), BackendError>;

    /// What tells a page with rows from others, in a later call too.
    fn fingerprint(&self, _rows: &[Cow<'_, str>]) -> Option<String> {
        None
    }

    /// Whether the page at a position is the one before it, come again.
    fn comes_again(&self, _plan: &PagingPlan, at: &Position, rows: &[Cow<'_, str>]) -> bool {
        let has_page_before = !at.page_before.is_empty();
        let fingerprint = has_page_before.then(|| self.fingerprint(rows)).flatten();
        fingerprint.is_some_and(|fingerprint| fingerprint == at.page_before)
    }

    /// Where a list goes on behind so many rows of a page.
    fn behind(
        &self,
        _plan: &PagingPlan,
        at: &Position,
        _rows: &[Cow<'_, str>],
        skip: usize,
    ) -> Position {
        Position { skip, ..at.clone() }
    }

    /// The same row by pages of half the size; none where nothing says on which page it would be.
    fn halved(&self, at: &Position) -> Option<Position>;

    /// Rows before a page by its number, where pages have so many; none where it has no number.
    fn rows_before(&self, _start: &str, _typical: usize) -> Option<u64> {
        None
    }

    /// What a cursor holds of a position.
    fn sealed(&self, _plan: &PagingPlan, at: &Position) -> Position {
        at.clone()
    }
}

/// The scheme of a kind.
pub(super) fn of(kind: PagingKind) -> &'static dyn PagingScheme {
    match kind {
        PagingKind::Page => &page::ByNumber,
        PagingKind::Offset => &offset::ByOffset,
        PagingKind::Link => &link::ByLink,
        PagingKind::After => &after::ByRow,
    }
}

/// The fingerprint of a page with rows: how many there are, the first and the last one.
fn fingerprint(rows: &[Cow<'_, str>]) -> Option<String> {
    let (first, last) = (rows.first()?, rows.last()?);
    let mut hash = Sha256::new();
    hash.update(rows.len().to_le_bytes());
    for row in [first, last] {
        hash.update(row.len().to_le_bytes());
        hash.update(row.as_bytes());
    }
    let mut fingerprint = URL_SAFE_NO_PAD.encode(hash.finalize());
    fingerprint.truncate(FINGERPRINT);
    Some(fingerprint)
}

/// A position of a kind whose pages do not depend on their size.
fn without_size(plan: &PagingPlan, at: &Position) -> Position {
    Position {
        // the rows behind us are those of a page of this size
        size: if at.skip > 0 { at.size } else { 0 },
        // only a total is compared with them
        received: if plan.total.is_some() { at.received } else { 0 },
        ..at.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, of};
    use crate::definition::PagingKind;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]
        /// Half the size starts at the same row, whatever the backend made of the size before.
        #[test]
        fn a_smaller_page_starts_at_the_same_row(
            page in 1u64..1_000,
            size in 1usize..600,
            most in 1u64..600,
            skip in 0u64..600,
        ) {
            let came = most.min(size as u64);
            let skip = skip % came;
            let received = (page - 1) * came;
            let at = Position {
                start: page.to_string(),
                skip: skip as usize,
                size,
                received,
                page_before: String::new(),
            };
            if let Some(halved) = of(PagingKind::Page).halved(&at) {
                let number: u64 = halved.start.parse().unwrap();
                prop_assert_eq!((number - 1) * halved.size as u64, halved.received);
                prop_assert_eq!(halved.received + halved.skip as u64, received + skip);
                prop_assert!(halved.size <= size / 2 && halved.size > 0);
                prop_assert!(page == 1 || halved.size as u64 <= came / 2);
            }
        }
        #[test]
        fn no_number_is_too_large_for_it(
            start in any::<u64>(),
            skip in any::<usize>(),
            size in any::<usize>(),
            received in any::<u64>(),
        ) {
            for kind in [
                PagingKind::Page,
                PagingKind::Offset,
                PagingKind::After,
                PagingKind::Link,
            ] {
                let start = start.to_string();
                let at = Position { start, skip, size, received, page_before: String::new() };
                let _no_overflow = of(kind).halved(&at);
            }
        }
    }
}
