//! The two pages for people: whole HTML documents, as they are served in the browser and shown by
//! clients inside the conversation. They hold no data.

use footbridge_mcp::{HtmlPage, Resource};

use crate::caller::Caller;

/// A page for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Where clients read it.
    pub(crate) address: &'static str,
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) html: &'static str,
}

/// Boards, tables, records and charts.
pub(crate) const WORK: Page = Page {
    address: "ui://footbridge/work",
    name: "work",
    title: "Work",
    html: include_str!("../pages/work.html"),
};

/// What waits for approval, and what was done.
pub(crate) const CHANGES: Page = Page {
    address: "ui://footbridge/changes",
    name: "changes",
    title: "Changes",
    html: include_str!("../pages/changes.html"),
};

/// The pages as clients read them: tools say where, so they stand in no list.
pub(crate) fn resources() -> impl Iterator<Item = Resource<Caller>> {
    [WORK, CHANGES].into_iter().map(|page| {
        let html = HtmlPage::new(page.html).prefers_border(true);
        Resource::page(page.address, page.name, html)
            .title(page.title)
            .unlisted()
    })
}
