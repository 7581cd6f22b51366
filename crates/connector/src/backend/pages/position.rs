//! Where a page of a list starts, as it is sealed into a cursor, and the same place by smaller
//! pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::backend::ending::SMALL_PAGE;
use crate::connector::Walk;
use crate::definition::PagingKind;

/// Characters of the print of a page.
const PRINT: usize = 8;

/// Where a page starts, and how many of its rows were given already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// Number, offset, address or name; empty for the first page of those that have no number.
    pub(super) start: String,
    /// Rows of this page that are behind us.
    pub(super) skip: usize,
    /// Rows that are asked for: the same on every page, because a page's number means nothing
    /// without it.
    pub(super) size: usize,
    /// Rows that the pages before this one had.
    pub(super) received: u64,
    /// What tells the page before this one; empty for the first.
    pub(super) before: String,
}

impl Position {
    /// The beginning of a list.
    pub(super) fn first(kind: PagingKind, size: usize) -> Self {
        Self {
            start: first(kind).to_owned(),
            skip: 0,
            size,
            received: 0,
            before: String::new(),
        }
    }

    pub(super) fn is_first(&self, kind: PagingKind) -> bool {
        self.start == first(kind)
    }

    pub(super) fn text(&self) -> String {
        format!(
            "{}:{}:{}:{}:{}",
            self.skip, self.size, self.received, self.before, self.start
        )
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, ':');
        let (skip, size) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let (received, before) = (parts.next()?.parse().ok()?, parts.next()?.to_owned());
        Some(Self {
            skip,
            size,
            received,
            before,
            start: parts.next()?.to_owned(),
        })
    }

    /// Rows before it by its number, where a page has so many; none where it has no number.
    pub(super) fn row(&self, kind: PagingKind, typical: usize) -> Option<u64> {
        let number = self.start.parse::<u64>().ok()?;
        match kind {
            PagingKind::Page => Some(number.saturating_sub(1).saturating_mul(typical as u64)),
            PagingKind::Offset => Some(number),
            PagingKind::Link | PagingKind::After => None,
        }
    }

    /// The same row by pages of half the size; none where nothing says on which page it would be.
    ///
    /// The size is that of the pages that came, which the backend may have capped below what was
    /// asked for.
    pub(super) fn halved(&self, way: &Walk) -> Option<Self> {
        if self.size <= SMALL_PAGE {
            return None;
        }
        let half = self.size / 2;
        match way.kind {
            PagingKind::Page => {
                let page: u64 = self.start.parse().ok()?;
                let pages_before = page.checked_sub(1)?;
                let size = match pages_before {
                    0 => self.size as u64,
                    // pages that were not all of one size: their numbers cannot be translated
                    _ => self
                        .received
                        .is_multiple_of(pages_before)
                        .then(|| self.received.checked_div(pages_before))??,
                };
                let half = size.min(self.size as u64) / 2;
                let row = self.received.checked_add(self.skip as u64)?;
                let before = row.checked_div(half)?;
                Some(Self {
                    start: before.checked_add(1)?.to_string(),
                    skip: usize::try_from(row - before * half).ok()?,
                    size: usize::try_from(half).ok()?,
                    received: before * half,
                    before: self.before.clone(),
                })
            }
            PagingKind::Offset => {
                let skip = self.skip as u64;
                let start = self.start.parse::<u64>().ok()?.checked_add(skip)?;
                let received = self.received.checked_add(skip)?;
                Some(Self {
                    start: start.to_string(),
                    skip: 0,
                    size: half,
                    received,
                    before: self.before.clone(),
                })
            }
            // the address of a later page says its size itself
            PagingKind::Link if !self.start.is_empty() => None,
            PagingKind::Link | PagingKind::After => (self.skip < half).then(|| Self {
                size: half,
                ..self.clone()
            }),
        }
    }
}

fn first(kind: PagingKind) -> &'static str {
    match kind {
        PagingKind::Page => "1",
        PagingKind::Offset => "0",
        PagingKind::Link | PagingKind::After => "",
    }
}

/// What tells a page that comes again, in another call too: how many rows it has, its first and its
/// last one.
pub(super) fn print(rows: &[Box<str>]) -> String {
    let mut hash = Sha256::new();
    hash.update(rows.len().to_le_bytes());
    for row in rows.first().into_iter().chain(rows.last()) {
        hash.update(row.len().to_le_bytes());
        hash.update(row.as_bytes());
    }
    let mut print = URL_SAFE_NO_PAD.encode(hash.finalize());
    print.truncate(PRINT);
    print
}

#[cfg(test)]
mod tests {
    use super::{Position, print};
    use crate::connector::Walk;
    use crate::definition::PagingKind;
    use crate::jq::Glue;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    fn way(kind: PagingKind) -> Walk {
        let rows = Glue::of_format(".");
        let (start, size) = (Some("at".to_owned()), Some("size".to_owned()));
        Walk {
            kind,
            start,
            size,
            rows,
            total: None,
            next: None,
            more: None,
            identity: None,
            max_size: 100,
            cap: 1_000,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_position_reads_back(start in any::<String>(), skip in any::<usize>(), size in any::<usize>(), received in any::<u64>(), row in any::<String>()) {
            let position = Position { start, skip, size, received, before: print(&[row.into()]) };
            prop_assert_eq!(Position::read(&position.text()), Some(position));
        }
        #[test]
        fn any_text_is_a_position_or_none(text in any::<String>()) {
            if let Some(position) = Position::read(&text) {
                prop_assert_eq!(Position::read(&position.text()), Some(position));
            }
        }
        /// Half the size starts at the same row, whatever the backend made of the size before.
        #[test]
        fn a_smaller_page_starts_at_the_same_row(page in 1u64..1_000, size in 1usize..600, most in 1u64..600, skip in 0u64..600) {
            let came = most.min(size as u64);
            let skip = skip % came;
            let received = (page - 1) * came;
            let at = Position { start: page.to_string(), skip: skip as usize, size, received, before: String::new() };
            if let Some(halved) = at.halved(&way(PagingKind::Page)) {
                let number: u64 = halved.start.parse().unwrap();
                prop_assert_eq!((number - 1) * halved.size as u64, halved.received);
                prop_assert_eq!(halved.received + halved.skip as u64, received + skip);
                prop_assert!(halved.size <= size / 2 && (page == 1 || halved.size as u64 <= came / 2) && halved.size > 0);
            }
        }
        #[test]
        fn no_number_is_too_large_for_it(start in any::<u64>(), skip in any::<usize>(), size in any::<usize>(), received in any::<u64>()) {
            for kind in [PagingKind::Page, PagingKind::Offset, PagingKind::After, PagingKind::Link] {
                let _no_overflow = Position { start: start.to_string(), skip, size, received, before: String::new() }.halved(&way(kind));
            }
        }
    }
}
