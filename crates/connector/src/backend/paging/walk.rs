//! A walk over the pages of a list: asking for page after page, what is taken of each, where it
//! stops, and what the caller is told of that.

use std::borrow::Cow;
use std::sync::Arc;

use super::cursor::{self, CursorBinding};
use super::page::{PageAnswer, PageInPlace, PageStart, ReadPage, Remainder};
use super::position::Position;
use super::scheme::{self, PagingScheme};
use super::tally::{LeaveReason, Tally, Verdict, shortfall};
use crate::backend::Inner;
use crate::backend::exchange::Ask;
use crate::connector::PagingPlan;
use crate::failure::BackendError;

/// Times that the size of a page is halved in one call, because the backend takes too long over it
/// or says too much.
const MAX_HALVINGS: usize = 3;
/// Rows of a page that is small enough: what fails with it fails for another reason.
const SMALL_PAGE: usize = 50;

/// A list whose rows a walk brings: how a page is asked for, how its answer is read, and what
/// becomes of a row.
pub(in crate::backend) trait RowList: Send {
    /// The request for a page of so many rows, 0 for as many as the backend likes.
    fn ask(&self, start: PageStart<'_>, size: usize) -> Result<Ask, BackendError>;

    /// The rows of an answer, and what it says about further ones.
    fn read<'b>(
        &mut self,
        answer: &'b PageAnswer,
    ) -> impl Future<Output = Result<ReadPage<'b>, BackendError>> + Send;

    /// Keeps the wanted ones of the rows at these places of a page, at most so many; gives the
    /// place of the first row that is left for later.
    fn keep(
        &mut self,
        rows: &[Cow<'_, str>],
        places: &[usize],
        room: usize,
        at: &Position,
    ) -> impl Future<Output = Result<Option<usize>, BackendError>> + Send;

    /// Rows that were kept.
    fn count(&self) -> usize;
}

/// What a walk may do, and what is wanted of it.
pub(in crate::backend) struct WalkTerms {
    /// Rows that are kept, at most; none for one page, however large.
    pub(in crate::backend) limit: Option<usize>,
    /// Everything up to the limit belongs into one result, however large.
    pub(in crate::backend) is_whole: bool,
    /// What cursors are bound to; none when nobody can go on.
    pub(in crate::backend) binding: Option<CursorBinding>,
    /// Rows are chosen here: what the backend counts says nothing about what is kept.
    pub(in crate::backend) is_choosing: bool,
    /// The caller chose the page: it is read alone.
    pub(in crate::backend) is_alone: bool,
    /// How many rows a page has is ours to say, and not the caller's or the backend's.
    pub(in crate::backend) is_size_ours: bool,
    /// Requests that it may send.
    pub(in crate::backend) requests: usize,
}

/// What became of a walk, beside the rows that were kept.
#[derive(Debug, Default)]
pub(in crate::backend) struct WalkOutcome {
    /// Rows in all, where that is known.
    pub(in crate::backend) total: Option<u64>,
    /// Rows are missing.
    pub(in crate::backend) is_truncated: bool,
    /// Where the list goes on.
    pub(in crate::backend) cursor: Option<String>,
    /// Why rows are missing.
    pub(in crate::backend) note: Option<String>,
    /// A later page failed.
    pub(in crate::backend) has_failed: bool,
}

impl WalkOutcome {
    /// The list stops at a bound of ours, and goes on at this cursor.
    pub(in crate::backend) fn cut(cursor: Option<String>, note: String) -> Self {
        Self {
            is_truncated: true,
            cursor,
            note: Some(note),
            ..Self::default()
        }
    }
}

/// Why a walk stopped.
enum WalkEnd {
    /// The list is at its end.
    Ended,
    /// It was left before its end, if it has one.
    Left { reason: LeaveReason, goes_on: bool },
    /// A later page failed.
    Failed(BackendError),
    /// The caller has what was asked for.
    Full,
    /// What was asked for is larger than one answer.
    TooLarge,
    /// One call sends no more requests for a list.
    OutOfRequests,
    /// The page was the caller's own choice.
    Alone { is_cut: bool },
}

/// A walk on its way.
pub(in crate::backend) struct PageWalk<'a, L> {
    inner: &'a Arc<Inner>,
    plan: &'a PagingPlan,
    scheme: &'static dyn PagingScheme,
    list: L,
    terms: WalkTerms,
    /// It began with the first page.
    is_from_start: bool,
    /// Where the next page starts.
    at: Position,
    tally: Tally,
    /// What the last page said; none before the first.
    remainder: Option<Remainder>,
    /// Rows of all pages up to here.
    received: u64,
    /// Those of them that an earlier page had.
    repeated: u64,
    /// Rows of the largest page so far.
    largest: usize,
    /// Rows in all, as the backend said last.
    total: Option<u64>,
}

impl<'a, L: RowList> PageWalk<'a, L> {
    /// A walk by pages of this size, 0 for as many rows as the backend likes, from the position of
    /// a cursor on, or from the first page.
    pub(in crate::backend) fn new(
        inner: &'a Arc<Inner>,
        plan: &'a PagingPlan,
        list: L,
        terms: WalkTerms,
        size: usize,
        cursor: Option<&str>,
    ) -> Result<Self, BackendError> {
        let scheme = scheme::of(plan.kind);
        let mut at = match (cursor, terms.binding) {
            (Some(cursor), Some(binding)) => binding.open(cursor)?,
            _ => Position {
                start: scheme.first().to_owned(),
                ..Position::default()
            },
        };
        if !scheme.admits(&at.start, &inner.settings.base) {
            return Err(cursor::unreadable());
        }
        if at.size == 0 {
            at.size = size;
        }
        Ok(Self {
            inner,
            plan,
            scheme,
            list,
            is_from_start: cursor.is_none() && !terms.is_alone,
            terms,
            received: at.received,
            at,
            tally: Tally::default(),
            remainder: None,
            repeated: 0,
            largest: 0,
            total: None,
        })
    }

    /// Walks to the end, or to where it is left: the list with what was kept, and what became of
    /// the walk.
    ///
    /// # Errors
    /// When the first page does not come.
    pub(in crate::backend) async fn walk(mut self) -> Result<(L, WalkOutcome), BackendError> {
        let end = self.run().await?;
        let outcome = self.outcome(end);
        Ok((self.list, outcome))
    }

    async fn run(&mut self) -> Result<WalkEnd, BackendError> {
        let mut halvings = 0;
        for _ in 0..self.terms.requests {
            let end = match self.page().await {
                Ok(end) => end,
                Err(error) => {
                    let may_halve = error.is_too_much() && halvings < MAX_HALVINGS;
                    if let Some(smaller) = may_halve.then(|| self.smaller()).flatten() {
                        self.at = smaller;
                        halvings += 1;
                        continue;
                    }
                    if error.status() == Some(404) && self.is_guess() {
                        return Ok(WalkEnd::Ended);
                    }
                    return if self.remainder.is_none() {
                        Err(error)
                    } else {
                        Ok(WalkEnd::Failed(error))
                    };
                }
            };
            if let Some(end) = end? {
                return Ok(end);
            }
        }
        Ok(WalkEnd::OutOfRequests)
    }

    /// Asks for the next page and takes it. The outer error is that no page came, the inner one
    /// that nothing could be made of its rows.
    async fn page(&mut self) -> Result<Result<Option<WalkEnd>, BackendError>, BackendError> {
        // a page of the caller's choice is asked for by the caller's parameters
        let start = if self.terms.is_alone {
            PageStart::Unsaid
        } else {
            self.scheme.start(self.plan, &self.at)
        };
        let ask = self.list.ask(start, self.at.size)?;
        let answer = PageAnswer::fetch(self.inner, ask).await?;
        let read = self.list.read(&answer).await?;
        let page = PageInPlace {
            inner: self.inner,
            plan: self.plan,
            at: &self.at,
            typical: self.typical(),
            from: &answer.from,
            read: &read,
        };
        let (remainder, next) = self.scheme.next(&page)?;
        self.remainder = Some(remainder);
        Ok(self.take(&read, remainder, next).await)
    }

    /// The same place by smaller pages, where the size is ours to choose.
    fn smaller(&self) -> Option<Position> {
        (self.terms.is_size_ours && self.at.size > SMALL_PAGE)
            .then(|| self.scheme.halved(&self.at))
            .flatten()
    }

    /// Whether nobody said that there is such a page: we only looked for one.
    fn is_guess(&self) -> bool {
        let is_first = self.at.start == self.scheme.first();
        let is_untold = !self.scheme.is_told(self.plan) && !self.terms.is_alone && !is_first;
        is_untold || self.remainder == Some(Remainder::Untold)
    }

    /// Rows that a page has, as far as is known.
    fn typical(&self) -> usize {
        if self.largest == 0 {
            self.at.size
        } else {
            self.largest
        }
    }

    /// Rows that may still be kept.
    fn room(&self) -> usize {
        self.terms
            .limit
            .map_or(usize::MAX, |limit| limit.saturating_sub(self.list.count()))
    }

    /// Takes of a page what is new and wanted, and moves on.
    async fn take(
        &mut self,
        page: &ReadPage<'_>,
        remainder: Remainder,
        next: Option<String>,
    ) -> Result<Option<WalkEnd>, BackendError> {
        let (rows, identity) = (&page.rows, self.plan.identity.as_deref());
        self.largest = self.largest.max(rows.len());
        self.total = page.total.or(self.total);
        let mut is_fresh = self.tally.fresh(rows, identity);
        if self.comes_again(rows) {
            is_fresh.fill(false);
        }
        let fresh = is_fresh.iter().filter(|is_fresh| **is_fresh).count();
        let places: Vec<usize> = is_fresh
            .into_iter()
            .enumerate()
            .skip(self.at.skip)
            .filter_map(|(place, is_fresh)| is_fresh.then_some(place))
            .collect();
        self.repeated += (rows.len().saturating_sub(self.at.skip) - places.len()) as u64;
        let verdict = self.tally.verdict(remainder, rows.len(), fresh);
        let room = self.room();
        let needs_more = self.terms.limit.is_some() && places.len() < room;
        if verdict == Verdict::GoesOn && (self.terms.is_choosing || needs_more) {
            self.tally.remember(rows, identity);
        }
        let rest = self.list.keep(rows, &places, room, &self.at).await?;
        if self.terms.is_alone {
            let is_cut = rest.is_some();
            return Ok(Some(WalkEnd::Alone { is_cut }));
        }
        let is_full = self.room() == 0 || self.terms.limit.is_none();
        if let Some(skip) = rest {
            self.at = self.scheme.behind(self.plan, &self.at, rows, skip);
            return Ok(Some(if is_full {
                WalkEnd::Full
            } else {
                WalkEnd::TooLarge
            }));
        }
        self.received = self.at.received.saturating_add(rows.len() as u64);
        let next = next.filter(|_| verdict != Verdict::Ended);
        let fingerprint = next.as_ref().and_then(|_| self.scheme.fingerprint(rows));
        let next = next.map(|start| Position {
            start,
            skip: 0,
            size: self.at.size,
            received: self.received,
            page_before: fingerprint.unwrap_or_else(|| self.at.page_before.clone()),
        });
        Ok(self.goes_on(verdict, remainder, next, is_full))
    }

    /// Whether a page is the one before it, which the backend gave again.
    fn comes_again(&self, rows: &[Cow<'_, str>]) -> bool {
        !self.terms.is_alone && self.scheme.comes_again(self.plan, &self.at, rows)
    }

    /// Moves on to the next page; why not, when the walk ends here.
    fn goes_on(
        &mut self,
        verdict: Verdict,
        remainder: Remainder,
        next: Option<Position>,
        is_full: bool,
    ) -> Option<WalkEnd> {
        let left = |reason| {
            let goes_on = false;
            Some(WalkEnd::Left { reason, goes_on })
        };
        match (verdict, next) {
            (Verdict::Ended, _) => Some(WalkEnd::Ended),
            (Verdict::GoesOn, None) => left(LeaveReason::Unnamed),
            (Verdict::GoesOn, Some(next)) if next.start == self.at.start => {
                left(LeaveReason::Repeats)
            }
            (Verdict::GoesOn, Some(next)) => {
                self.at = next;
                // where nothing is told, only the next page says whether there are more
                let must_look = remainder == Remainder::Untold
                    && (self.terms.is_whole || self.terms.binding.is_none());
                (is_full && !must_look).then_some(WalkEnd::Full)
            }
            (Verdict::Left(reason), next) => {
                let is_named = remainder == Remainder::More { is_named: true };
                let is_within = |next: &Position| {
                    let before = self.scheme.rows_before(&next.start, self.typical());
                    is_named || before < self.total
                };
                let next = next.filter(|next| reason == LeaveReason::Barren && is_within(next));
                let goes_on = next.is_some();
                self.at = next.unwrap_or_else(|| self.at.clone());
                Some(WalkEnd::Left { reason, goes_on })
            }
        }
    }

    /// What the caller is told.
    fn outcome(&self, end: WalkEnd) -> WalkOutcome {
        let title = &self.inner.compiled().title;
        let distinct = self.received.saturating_sub(self.repeated);
        let missing = self.total.filter(|total| *total > distinct);
        let shortfall = || missing.map(|total| shortfall(title, total, distinct));
        let cursor = self
            .terms
            .binding
            .and_then(|binding| super::cursor(self.plan, binding, &self.at));
        let is_all = matches!(end, WalkEnd::Ended) && self.is_from_start && missing.is_none();
        let total = match self.total {
            _ if is_all => Some(self.list.count() as u64),
            Some(total) if !self.terms.is_choosing && total >= distinct => Some(total),
            _ => None,
        };
        let with_more = |sentence: String, cursor: &Option<String>| match cursor {
            Some(_) => format!("{sentence}: there are more."),
            None => format!("{sentence}."),
        };
        let outcome = match end {
            WalkEnd::Ended => {
                let note = shortfall();
                WalkOutcome {
                    is_truncated: note.is_some(),
                    note,
                    ..WalkOutcome::default()
                }
            }
            WalkEnd::Left { reason, goes_on } => {
                let short = shortfall().filter(|_| reason != LeaveReason::Repeats && !goes_on);
                let note = short.unwrap_or_else(|| reason.sentence(title));
                WalkOutcome::cut(cursor.filter(|_| goes_on), note)
            }
            WalkEnd::Failed(error) => WalkOutcome {
                has_failed: true,
                ..WalkOutcome::cut(cursor, format!("A later page failed: {error}"))
            },
            WalkEnd::Full => {
                let is_truncated = cursor.is_none() || self.terms.is_whole;
                let sentence = format!(
                    "The list was cut after {} rows, which is the most for one answer",
                    self.list.count()
                );
                let is_noted = is_truncated && self.terms.binding.is_some();
                WalkOutcome {
                    is_truncated,
                    note: is_noted.then(|| with_more(sentence, &cursor)),
                    cursor,
                    ..WalkOutcome::default()
                }
            }
            WalkEnd::TooLarge => {
                let note = with_more(super::too_large(self.list.count()), &cursor);
                WalkOutcome::cut(cursor, note)
            }
            WalkEnd::OutOfRequests => {
                let sentence = format!(
                    "The list was left after {} requests, which is the most for one call",
                    self.terms.requests
                );
                let note = with_more(sentence, &cursor);
                WalkOutcome::cut(cursor, note)
            }
            WalkEnd::Alone { is_cut } => WalkOutcome {
                is_truncated: is_cut,
                ..WalkOutcome::default()
            },
        };
        WalkOutcome { total, ..outcome }
    }
}
