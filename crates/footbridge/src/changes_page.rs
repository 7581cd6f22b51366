//! The address of the page of changes, which is known once the program serves it: what a client is
//! told of a change leads there.

use std::fmt;
use std::sync::{Arc, OnceLock};

use footbridge_store::ChangeId;

/// Where people see changes; nowhere, until the page is served. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChangesPage(Arc<OnceLock<String>>);

/// A change by its number and, where there is a page, its address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkedChange<'a> {
    change: ChangeId,
    page: Option<&'a str>,
}

impl ChangesPage {
    /// The page is served under the program's own address.
    pub(crate) fn is_under(&self, base: &str) {
        self.0.get_or_init(|| format!("{base}/changes"));
    }

    pub(crate) fn link(&self, change: ChangeId) -> LinkedChange<'_> {
        let page = self.0.get().map(String::as_str);
        LinkedChange { change, page }
    }
}

impl LinkedChange<'_> {
    /// The address of the change on the page.
    pub(crate) fn address(&self) -> Option<String> {
        let page = self.page?;
        Some(format!("{page}#{}", self.change))
    }
}

impl fmt::Display for LinkedChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "change {}", self.change)?;
        match self.address() {
            Some(address) => write!(f, " ({address})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use footbridge_store::ChangeId;

    use super::ChangesPage;

    #[test]
    fn a_change_has_an_address_once_the_page_is_served() {
        let page = ChangesPage::default();
        let change: ChangeId = ChangeId::parse("12").unwrap();
        assert_eq!(page.link(change).to_string(), "change 12");
        page.is_under("https://board.example");
        assert_eq!(
            page.link(change).to_string(),
            "change 12 (https://board.example/changes#12)"
        );
    }
}
