//! A walk over the pages of a list: what is taken of each, where it stops, and what the caller is
//! told of that.

use std::sync::Arc;

use jaq_json::Val;

use super::listed::{ItemPlaces, Listed, too_large};
use super::page::{Page, PageAsk};
use super::position::{Position, print};
use super::{MAX_CHOOSING_REQUESTS, MAX_PAGE_BYTES, Wanted};
use crate::backend::ending::{self, MAX_HALVINGS, Says, Tally, Verdict, Why};
use crate::backend::values::{self, Held};
use crate::backend::{Inner, projection};
use crate::connector::{MAX_REQUESTS, Pages, Walk};
use crate::definition::PagingKind;
use crate::failure::CallError;
use crate::jq::{self, Variables};
use crate::json::Admitted;

/// Why a walk stopped.
enum WalkEnd {
    /// The list is at its end.
    Ended,
    /// It was left before its end, if it has one.
    Left { why: Why, goes_on: bool },
    /// A later page failed.
    Failed(CallError),
    /// The caller has what was asked for.
    Full,
    /// What was asked for is larger than one answer.
    TooLarge,
    /// One call sends no more requests for a list.
    Requests(usize),
    /// The page was the caller's own choice.
    Alone { cut: bool },
}

/// A walk on its way.
pub(super) struct Walking<'a> {
    asked: PageAsk<'a>,
    pages: &'a Pages,
    filter: Option<&'a jq::Glue>,
    wanted: Wanted,
    limit: usize,
    from_start: bool,
    /// Where the next page starts.
    at: Position,
    tally: Tally,
    /// Rows of all pages up to here.
    received: u64,
    /// Rows of the largest page so far.
    largest: usize,
    /// Rows in all, as the backend said last.
    total: Option<u64>,
    bytes: usize,
    listed: Listed,
}

impl<'a> Walking<'a> {
    pub(super) fn new(
        asked: PageAsk<'a>,
        pages: &'a Pages,
        filter: Option<&'a jq::Glue>,
        wanted: Wanted,
        from_start: bool,
        at: Position,
    ) -> Self {
        // who wants the records takes them as they are, and cannot follow a cursor
        let bound = wanted
            .bound
            .filter(|_| !wanted.whole && !wanted.keeps_records);
        let places = bound.map(|bound| ItemPlaces {
            bound,
            pages: Vec::new(),
            items: Vec::new(),
        });
        Self {
            limit: wanted.limit.min(pages.walk.cap),
            received: at.received,
            asked,
            pages,
            filter,
            wanted,
            from_start,
            at,
            tally: Tally::default(),
            largest: 0,
            total: None,
            bytes: 0,
            listed: Listed {
                places,
                ..Listed::default()
            },
        }
    }

    pub(super) async fn walk(mut self) -> Result<Listed, CallError> {
        let stop = self.run().await?;
        Ok(self.finish(stop))
    }

    async fn run(&mut self) -> Result<WalkEnd, CallError> {
        let most = if self.filter.is_some() {
            MAX_CHOOSING_REQUESTS
        } else {
            MAX_REQUESTS
        };
        let (mut halvings, mut is_first) = (0, true);
        for _ in 0..most {
            let page = match self.asked.fetch(&self.at, self.typical()).await {
                Ok(page) => page,
                Err(error) => {
                    let may_halve = error.is_too_much() && halvings < MAX_HALVINGS;
                    if let Some(smaller) = may_halve.then(|| self.asked.smaller(&self.at)).flatten()
                    {
                        self.at = smaller;
                        halvings += 1;
                        continue;
                    }
                    if error.status() == Some(404) && self.asked.is_guess(&self.at) {
                        return Ok(WalkEnd::Ended);
                    }
                    return if is_first {
                        Err(error)
                    } else {
                        Ok(WalkEnd::Failed(error))
                    };
                }
            };
            if is_first && self.pages.keeps_first_page {
                self.listed.first_page = Some(without_rows(self.asked.way, &page.body)?);
            }
            is_first = false;
            if let Some(stop) = self.take(page).await? {
                return Ok(stop);
            }
        }
        Ok(WalkEnd::Requests(most))
    }

    /// Rows that a page has, as far as is known.
    fn typical(&self) -> usize {
        if self.largest == 0 {
            self.at.size
        } else {
            self.largest
        }
    }

    /// Takes of a page what is new and wanted, and moves on.
    async fn take(&mut self, page: Page) -> Result<Option<WalkEnd>, CallError> {
        let way = self.asked.way;
        let had = page.rows.len();
        self.largest = self.largest.max(had);
        self.total = page.total.or(self.total);
        let is_numbered =
            matches!(way.kind, PagingKind::Page | PagingKind::Offset) && !self.asked.alone;
        let print = if is_numbered && had > 0 {
            print(&page.rows)
        } else {
            self.at.before.clone()
        };
        let comes_again = is_numbered && had > 0 && print == self.at.before;
        let mut fresh = self.tally.fresh(&page.rows, way.identity.as_deref());
        if comes_again {
            fresh.fill(false);
        }
        let new = fresh
            .iter()
            .skip(self.at.skip)
            .filter(|fresh| **fresh)
            .count();
        self.tally.repeated += (had.saturating_sub(self.at.skip) - new) as u64;
        let verdict =
            self.tally
                .verdict(page.says, had, fresh.iter().filter(|fresh| **fresh).count());
        if verdict == Verdict::GoesOn
            && (self.filter.is_some() || new < self.limit - self.listed.items.len())
        {
            self.tally.remember(&page.rows, way.identity.as_deref());
        }
        let rows = page
            .rows
            .into_iter()
            .zip(fresh)
            .enumerate()
            .skip(self.at.skip);
        let (places, rows) = rows
            .filter(|(_, (_, fresh))| *fresh)
            .map(|(place, (row, _))| (place, row))
            .unzip();
        let rest = self.keep(places, rows).await?;
        if self.asked.alone {
            return Ok(Some(WalkEnd::Alone {
                cut: rest.is_some(),
            }));
        }
        let is_full = self.listed.items.len() >= self.limit;
        if let Some(skip) = rest {
            self.at.skip = skip;
            return Ok(Some(if is_full {
                WalkEnd::Full
            } else {
                WalkEnd::TooLarge
            }));
        }
        self.received = self.at.received.saturating_add(had as u64);
        let next = page.next.map(|start| Position {
            start,
            skip: 0,
            size: self.at.size,
            received: self.received,
            before: print,
        });
        Ok(match (verdict, next) {
            (Verdict::Ended, _) => Some(WalkEnd::Ended),
            (Verdict::GoesOn, None) => Some(WalkEnd::Left {
                why: Why::Unnamed,
                goes_on: false,
            }),
            (Verdict::GoesOn, Some(next)) if next.start == self.at.start => Some(WalkEnd::Left {
                why: Why::Repeats,
                goes_on: false,
            }),
            (Verdict::GoesOn, Some(next)) => {
                self.at = next;
                // where nothing is told, only the next page says whether there are more
                let must_look = page.says == Says::Nothing
                    && (self.wanted.whole || self.wanted.bound.is_none());
                (is_full && !must_look).then_some(WalkEnd::Full)
            }
            (Verdict::Left(why), next) => {
                let is_named = page.says == Says::More { named: true };
                let is_within =
                    |next: &Position| is_named || next.row(way.kind, self.typical()) < self.total;
                let next = next.filter(|next| why == Why::Barren && is_within(next));
                let goes_on = next.is_some();
                self.at = next.unwrap_or_else(|| self.at.clone());
                Some(WalkEnd::Left { why, goes_on })
            }
        })
    }

    /// Keeps of these rows, which have these places on the page, those that the filter chooses and
    /// that fit; gives the first place that is left for later.
    async fn keep(
        &mut self,
        places: Vec<usize>,
        rows: Vec<Box<str>>,
    ) -> Result<Option<usize>, CallError> {
        let (inner, variables) = (self.asked.inner, self.asked.variables);
        let chosen = choose(inner, self.filter, &rows, variables).await?;
        let room = self.limit - self.listed.items.len();
        let mut rest = None;
        let (mut kept, mut kept_places) = (Vec::new(), Vec::new());
        for ((row, place), keep) in rows.into_iter().zip(places).zip(chosen) {
            if kept.len() == room {
                rest = Some(place);
                break;
            }
            if keep {
                kept.push(row);
                kept_places.push(place);
            }
        }
        if self.wanted.keeps_records {
            self.listed.records.extend(kept.iter().cloned());
        }
        let items = projection::rows(inner, &self.pages.row, &self.wanted.fields, kept, variables)
            .await?
            .rows;
        if let Some(places) = &mut self.listed.places {
            places.pages.push(self.at.clone());
        }
        for (item, place) in items.into_iter().zip(kept_places) {
            self.bytes += item.len();
            if let Some(places) = &mut self.listed.places {
                if self.bytes > MAX_PAGE_BYTES && !self.listed.items.is_empty() {
                    rest = Some(place);
                    break;
                }
                places.items.push((places.pages.len() - 1, place));
            }
            self.listed.items.push(item);
        }
        self.listed.records.truncate(self.listed.items.len());
        Ok(rest)
    }

    /// What the caller gets, and is told.
    fn finish(self, stop: WalkEnd) -> Listed {
        let title = &self.asked.inner.compiled().title;
        let mut listed = self.listed;
        let distinct = self.received.saturating_sub(self.tally.repeated);
        let missing = self.total.filter(|total| *total > distinct);
        let short = || missing.map(|total| ending::short(title, total, distinct));
        let cursor = self
            .wanted
            .bound
            .and_then(|bound| bound.seal(&self.at.text()));
        let seen_all = matches!(stop, WalkEnd::Ended) && self.from_start && missing.is_none();
        listed.total = match self.total {
            _ if seen_all => Some(listed.items.len() as u64),
            Some(total) if self.filter.is_none() && total >= distinct => Some(total),
            _ => None,
        };
        let goes_on = |what: String, cursor: &Option<String>| match cursor {
            Some(_) => format!("{what}: there are more."),
            None => format!("{what}."),
        };
        match stop {
            WalkEnd::Ended => {
                listed.note = short();
                listed.truncated = listed.note.is_some();
            }
            WalkEnd::Left { why, goes_on } => {
                let told = short().filter(|_| why != Why::Repeats && !goes_on);
                let note = told.unwrap_or_else(|| why.sentence(title));
                listed.ends_at(cursor.filter(|_| goes_on), Some(note));
            }
            WalkEnd::Failed(error) => {
                listed.has_failed = true;
                listed.ends_at(cursor, Some(format!("A later page failed: {error}")));
            }
            WalkEnd::Full => {
                listed.truncated = cursor.is_none() || self.wanted.whole;
                let rows = listed.items.len();
                let told = listed.truncated && self.wanted.bound.is_some();
                listed.note = told.then(|| {
                    goes_on(
                        format!(
                            "The list was cut after {rows} rows, which is the most for one answer"
                        ),
                        &cursor,
                    )
                });
                listed.next = cursor;
            }
            WalkEnd::TooLarge => {
                let note = goes_on(too_large(listed.items.len()), &cursor);
                listed.ends_at(cursor, Some(note));
            }
            WalkEnd::Requests(most) => {
                let note = goes_on(
                    format!(
                        "The list was left after {most} requests, which is the most for one call"
                    ),
                    &cursor,
                );
                listed.ends_at(cursor, Some(note));
            }
            WalkEnd::Alone { cut } => listed.truncated = cut,
        }
        listed
    }
}

/// Which rows are kept.
async fn choose(
    inner: &Arc<Inner>,
    filter: Option<&jq::Glue>,
    rows: &[Box<str>],
    variables: &Variables,
) -> Result<Vec<bool>, CallError> {
    let Some(filter) = filter else {
        return Ok(vec![true; rows.len()]);
    };
    let (filter, variables) = (filter.clone(), variables.clone());
    let rows: Vec<String> = rows.iter().map(|row| String::from(&**row)).collect();
    values::blocking(inner, move |inner| {
        let keeps = |row: String| {
            let row = Admitted::new(row.into())
                .map_err(|why| CallError::ours("The answer could not be read.", why.to_string()))?;
            Ok(
                values::run(inner, &filter, &Held::received(row), &variables)?
                    .is_some_and(|value| jq::is_true(&value)),
            )
        };
        rows.into_iter().map(keeps).collect()
    })
    .await
}

/// The first body without its rows, for what stands beside them.
fn without_rows(way: &Walk, body: &Held) -> Result<Val, CallError> {
    let value = body.value()?;
    let key = way
        .rows
        .of_input()
        .and_then(|path| path.first())
        .map(|key| key.name.as_str());
    match value {
        Val::Obj(map) => Ok(Val::obj(
            map.iter()
                .filter(|(name, _)| jq::text(name).as_deref() != key)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
        )),
        _ => Ok(Val::Null),
    }
}
