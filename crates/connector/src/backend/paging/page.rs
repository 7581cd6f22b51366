//! One page of a list: its answer as it came, and what was read in it.

use std::borrow::Cow;

use http::HeaderMap;

use super::position::Position;
use crate::backend::Inner;
use crate::backend::exchange::{self, Ask};
use crate::backend::values::Held;
use crate::connector::PagingPlan;
use crate::failure::BackendError;

/// How a request says where its page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::backend) enum PageStart<'p> {
    /// It does not: the list begins there.
    Unsaid,
    /// By a parameter of this name and value.
    Parameter(&'p str, &'p str),
    /// By the address itself, path and query below the backend's.
    Address(&'p str),
}

/// The answer to the request for a page.
pub(in crate::backend) struct PageAnswer {
    /// JSON as received.
    pub(in crate::backend) body: Held,
    pub(in crate::backend) headers: HeaderMap,
    /// The address that gave it.
    pub(in crate::backend) from: String,
}

impl PageAnswer {
    pub(super) async fn fetch(
        inner: &std::sync::Arc<Inner>,
        ask: Ask,
    ) -> Result<Self, BackendError> {
        let answer = exchange::send(inner, ask).await?;
        let json = exchange::admitted(inner, answer.body, true)?;
        Ok(Self {
            body: Held::received(json.ok_or_else(|| Self::is_no_list(inner))?),
            headers: answer.headers,
            from: answer.from,
        })
    }

    /// The body as it is written.
    pub(in crate::backend) fn text(&self) -> &str {
        match &self.body {
            Held::Received(received) => received.json.text(),
            Held::Nothing | Held::Made(_) => "null",
        }
    }

    /// The error for an answer without rows where rows were asked for.
    pub(in crate::backend) fn is_no_list(inner: &Inner) -> BackendError {
        let title = &inner.compiled().title;
        BackendError::backend(
            format!(
                "{title} answered something that is not a list. Check that its address is that of the API."
            ),
            false,
        )
    }
}

/// What an answer names as the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::backend) enum NextPage {
    /// Answers name none, whether there is one or not.
    Untold,
    /// There is none.
    Nothing,
    /// There is one, of this name where it is a text or a number.
    Named(Option<String>),
}

/// The rows of a page, and what stands beside them.
pub(in crate::backend) struct ReadPage<'b> {
    /// JSON of each row, as written where it was not made by a filter.
    pub(in crate::backend) rows: Vec<Cow<'b, str>>,
    /// Rows in all, as the backend counts them.
    pub(in crate::backend) total: Option<u64>,
    pub(in crate::backend) next: NextPage,
    /// Whether more rows follow, where the answer says it.
    pub(in crate::backend) more: Option<bool>,
}

/// What an answer says about the rows that follow its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remainder {
    /// More rows; with where they begin, when `is_named`.
    More { is_named: bool },
    /// It was the last page.
    Nothing,
    /// Neither.
    Untold,
}

/// A page that was read, at its place in the list.
pub(super) struct PageInPlace<'p> {
    pub(super) inner: &'p Inner,
    pub(super) plan: &'p PagingPlan,
    pub(super) at: &'p Position,
    /// Rows that a page has, as far as is known.
    pub(super) typical: usize,
    /// The address that gave it.
    pub(super) from: &'p str,
    pub(super) read: &'p ReadPage<'p>,
}

impl PageInPlace<'_> {
    /// What the answer says by the page that it names, else by the rows that it counts.
    pub(super) fn remainder(&self) -> Remainder {
        match &self.read.next {
            NextPage::Named(_) => Remainder::More { is_named: true },
            NextPage::Nothing => Remainder::Nothing,
            NextPage::Untold => self.counted(),
        }
    }

    /// What the rows received so far say, where the backend counts them.
    fn counted(&self) -> Remainder {
        let received = self.at.received.saturating_add(self.read.rows.len() as u64);
        match self.read.total {
            Some(total) if received < total => Remainder::More { is_named: false },
            Some(_) => Remainder::Nothing,
            None => Remainder::Untold,
        }
    }
}
