//! The kind of paging whose answers name the address of the next page.

use url::Url;

use super::super::page::{NextPage, PageInPlace, PageStart, Remainder};
use super::super::position::Position;
use super::{PagingScheme, without_size};
use crate::backend::under_base;
use crate::connector::PagingPlan;
use crate::failure::BackendError;

/// Pages by their addresses, each as its path and query below the backend's address.
pub(super) struct ByLink;

impl PagingScheme for ByLink {
    /// Only what stays below the backend's address: a cursor is no way to another one.
    fn admits(&self, start: &str, base: &Url) -> bool {
        let below = || {
            let address = format!("{}{start}", base.as_str().trim_end_matches('/'));
            Url::parse(&address).is_ok_and(|address| under_base::is_under(base, &address))
        };
        start.is_empty() || (start.starts_with('/') && below())
    }

    fn start<'p>(&self, _plan: &'p PagingPlan, at: &'p Position) -> PageStart<'p> {
        if at.start.is_empty() {
            PageStart::Unsaid
        } else {
            PageStart::Address(&at.start)
        }
    }

    fn is_told(&self, _plan: &PagingPlan) -> bool {
        true
    }

    fn next(&self, page: &PageInPlace<'_>) -> Result<(Remainder, Option<String>), BackendError> {
        let NextPage::Named(Some(link)) = &page.read.next else {
            return Ok((Remainder::Nothing, None));
        };
        let base = &page.inner.settings.base;
        let start = under_base::next_page(base, page.from, link).ok_or_else(|| {
            let title = &page.inner.compiled().title;
            BackendError::backend(
                format!(
                    "{title} named a next page outside its own address, which is never followed."
                ),
                false,
            )
        })?;
        Ok((Remainder::More { is_named: true }, Some(start)))
    }

    fn halved(&self, at: &Position) -> Option<Position> {
        let size = at.size / 2;
        // the address of a later page says its size itself
        (at.start.is_empty() && at.skip < size).then(|| Position { size, ..at.clone() })
    }

    fn sealed(&self, plan: &PagingPlan, at: &Position) -> Position {
        without_size(plan, at)
    }
}

#[cfg(test)]
mod tests {
    use super::{ByLink, PagingScheme, Url};

    #[test]
    fn a_cursor_leads_nowhere_else() {
        for (base, good, bad) in [
            ("https://h.example", "/rows?at=2", "@other.example/rows"),
            ("https://h.example/", "/rows", ".other.example/rows"),
            ("https://h.example", "//rows", ":81/rows"),
            ("https://h.example/v1", "/rows/x?at=/../2", "/../admin"),
            ("https://h.example/v1", "", "/%2e%2e/admin"),
            ("https://h.example/v1", "/a/../rows", "0/rows"),
        ] {
            let base = Url::parse(base).unwrap();
            assert!(ByLink.admits(good, &base), "{base} {good}");
            assert!(!ByLink.admits(bad, &base), "{base} {bad}");
        }
    }
}
