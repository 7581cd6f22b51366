//! One page of a list: asked for, read, and what it says about what follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use jaq_json::Val;

use super::position::Position;
use crate::backend::Inner;
use crate::backend::ending::{Says, name};
use crate::backend::exchange::{self, Answer};
use crate::backend::projection;
use crate::backend::request::Prepared;
use crate::backend::throttle::{headers, set};
use crate::backend::values::{self, Held};
use crate::connector::{Request, Walk};
use crate::definition::PagingKind;
use crate::failure::CallError;
use crate::jq::{self, Variable, Variables, plain_text};

/// Rows that one answer may have when jq finds them.
const MAX_PAGE_ROWS: usize = 5_000;

/// One page as it came.
pub(super) struct Page {
    pub(super) rows: Vec<Box<str>>,
    pub(super) total: Option<u64>,
    pub(super) says: Says,
    /// Where the next page would start; none when nothing says so.
    pub(super) next: Option<String>,
    pub(super) body: Held,
}

/// A list that is asked for page by page.
pub(super) struct PageAsk<'a> {
    pub(super) inner: &'a Arc<Inner>,
    pub(super) way: &'a Walk,
    pub(super) request: &'a Request,
    pub(super) prepared: &'a Prepared,
    pub(super) variables: &'a Variables,
    pub(super) hints: Option<&'a Arc<BTreeMap<u16, String>>>,
    /// The caller chose the page: it is read alone.
    pub(super) alone: bool,
    /// The caller chose its size.
    pub(super) has_size: bool,
}

impl PageAsk<'_> {
    /// `typical` are the rows that a page has.
    pub(super) async fn fetch(&self, at: &Position, typical: usize) -> Result<Page, CallError> {
        let way = self.way;
        let size = at.size.to_string();
        let mut more: Vec<(&str, &str)> = Vec::new();
        if let Some(name) = way
            .start
            .as_ref()
            .filter(|_| !self.alone && !at.start.is_empty())
        {
            more.push((name, &at.start));
        }
        if let Some(name) = way.size.as_ref().filter(|_| !self.has_size) {
            more.push((name, &size));
        }
        let mut ask = self.prepared.ask(&more, self.hints, self.request)?;
        if way.kind == PagingKind::Link && !at.start.is_empty() {
            ask.path.clone_from(&at.start);
        }
        let answer = exchange::send(self.inner, ask).await?;
        self.read(answer, at, typical).await
    }

    /// The same place by smaller pages, where the size is ours to choose.
    pub(super) fn smaller(&self, at: &Position) -> Option<Position> {
        let ours = self.way.size.is_some() && !self.has_size && !self.alone;
        ours.then(|| at.halved(self.way)).flatten()
    }

    /// Whether nobody said that there is such a page: we only looked for one.
    pub(super) fn is_guess(&self, at: &Position) -> bool {
        let way = self.way;
        let tells = way.kind == PagingKind::Link || way.next.is_some() || way.more.is_some();
        !tells && !self.alone && !at.is_first(way.kind)
    }

    async fn read(&self, answer: Answer, at: &Position, typical: usize) -> Result<Page, CallError> {
        let (inner, way) = (self.inner, self.way);
        let title = &inner.compiled().title;
        let wrong = || {
            CallError::backend(
                format!(
                    "{title} answered something that is not a list. Check that its address is that of the API."
                ),
                false,
            )
        };
        let from = answer.from;
        let mut variables = self.variables.clone();
        set(
            &mut variables,
            Variable::Headers,
            headers(inner, &answer.headers),
        );
        let json = exchange::admitted(inner, answer.body, true)?.ok_or_else(wrong)?;
        let body = Held::received(json);
        let rows = match (way.rows.of_input(), &body) {
            (Some(path), Held::Received(received)) => {
                projection::inside(received.json.text(), path).and_then(projection::items)
            }
            _ => {
                let found =
                    values::several(inner, &way.rows, &body, &variables, MAX_PAGE_ROWS + 1).await?;
                if found.len() > MAX_PAGE_ROWS {
                    let message = format!(
                        "{title} answered a page of more than {MAX_PAGE_ROWS} rows. Ask for less, with a smaller limit or a filter."
                    );
                    return Err(CallError::backend(message, false));
                }
                Some(
                    found
                        .iter()
                        .map(|value| values::to_json(value).map(String::into_boxed_str))
                        .collect::<Result<_, _>>()?,
                )
            }
        };
        let rows: Vec<Box<str>> = rows.ok_or_else(wrong)?;
        let value = async |filter: &Option<jq::Glue>| match filter {
            Some(filter) => values::one(inner, filter, &body, &variables)
                .await
                .map(Some),
            None => Ok(None),
        };
        let total = value(&way.total)
            .await?
            .as_ref()
            .and_then(plain_text)
            .and_then(|text| text.parse::<u64>().ok());
        let (next, more) = (value(&way.next).await?, value(&way.more).await?);
        let (says, next) = self.following((&from, at, typical), &rows, total, next, more)?;
        Ok(Page {
            rows,
            total,
            says,
            next,
            body,
        })
    }

    /// What the answer says about what follows, and where that would start.
    fn following(
        &self,
        (from, at, typical): (&str, &Position, usize),
        rows: &[Box<str>],
        total: Option<u64>,
        next: Option<Val>,
        more: Option<Val>,
    ) -> Result<(Says, Option<String>), CallError> {
        let way = self.way;
        let next = next.map(|next| {
            jq::is_true(&next)
                .then_some(next)
                .filter(|next| jq::text(next).is_none_or(|text| !text.is_empty()))
        });
        // what the rows received so far say, where the backend counts them
        let counted = match total {
            Some(total) if at.received.saturating_add(rows.len() as u64) < total => {
                Says::More { named: false }
            }
            Some(_) => Says::Last,
            None => Says::Nothing,
        };
        let said = |next: &Option<Val>| {
            if next.is_some() {
                Says::More { named: true }
            } else {
                Says::Last
            }
        };
        let number = || at.start.parse::<u64>().unwrap_or_default();
        Ok(match way.kind {
            PagingKind::Page => (
                next.as_ref().map_or(counted, said),
                Some(number().saturating_add(1).to_string()),
            ),
            PagingKind::Offset => {
                // an empty page has no rows to skip, but stands for as many as others have
                let passed = if rows.is_empty() { typical } else { rows.len() };
                (
                    next.as_ref().map_or(counted, said),
                    Some(number().saturating_add(passed as u64).to_string()),
                )
            }
            PagingKind::Link => match next.flatten().as_ref().and_then(plain_text) {
                Some(link) => (
                    Says::More { named: true },
                    Some(super::pinned(self.inner, from, &link)?),
                ),
                None => (Says::Last, None),
            },
            PagingKind::After => {
                let named = next.as_ref().and_then(Option::as_ref).and_then(plain_text);
                let last = || {
                    rows.last()
                        .and_then(|row| name(row, way.identity.as_deref()))
                };
                match (&more, &next) {
                    (Some(more), _) if !jq::is_true(more) => (Says::Last, None),
                    (Some(_), _) => (
                        Says::More {
                            named: named.is_some(),
                        },
                        named.or_else(last),
                    ),
                    (None, Some(next)) => (said(next), named),
                    (None, None) => (counted, last()),
                }
            }
        })
    }
}
