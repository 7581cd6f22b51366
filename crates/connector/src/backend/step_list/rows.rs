//! The rows of a step's list on their way: a page asked for and read, rows chosen by a filter, and
//! items made of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jaq_json::Val;

use super::item_list::ItemList;
use crate::backend::Inner;
use crate::backend::exchange::Ask;
use crate::backend::paging::{NextPage, PageAnswer, PageStart, Position, ReadPage, RowList};
use crate::backend::projection::{self, Fields};
use crate::backend::request::Prepared;
use crate::backend::throttle::headers;
use crate::backend::values::{self, Held};
use crate::connector::{Pages, PagingPlan, Request};
use crate::failure::BackendError;
use crate::jq::{self, Variable, Variables, plain_text};
use crate::json::{self, Admitted};

/// Rows that one answer may have when jq finds them.
const MAX_PAGE_ROWS: usize = 5_000;
/// Bytes of the items of one page, before they are tidied; what does not fit is on the next one.
const MAX_PAGE_BYTES: usize = 64 << 10;

/// A step's list while it is read.
pub(super) struct StepRows<'a> {
    pub(super) inner: &'a Arc<Inner>,
    pub(super) pages: &'a Pages,
    pub(super) request: &'a Request,
    pub(super) prepared: &'a Prepared,
    pub(super) variables: &'a Variables,
    pub(super) hints: Option<&'a Arc<BTreeMap<u16, String>>>,
    /// Chooses rows; none where it says nothing about this call.
    pub(super) filter: Option<&'a jq::Glue>,
    pub(super) fields: Fields,
    pub(super) keeps_records: bool,
    /// The caller chose how many rows a page has.
    pub(super) has_size: bool,
    /// Bytes of the items so far.
    pub(super) bytes: usize,
    pub(super) list: ItemList,
}

impl RowList for StepRows<'_> {
    fn ask(&self, start: PageStart<'_>, size: usize) -> Result<Ask, BackendError> {
        let size = size.to_string();
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        if let PageStart::Parameter(name, value) = start {
            parameters.push((name, value));
        }
        let size_name = self.pages.paging.size.as_ref();
        if let Some(name) = size_name.filter(|_| !self.has_size) {
            parameters.push((name, &size));
        }
        let mut ask = self.prepared.ask(&parameters, self.hints, self.request)?;
        if let PageStart::Address(address) = start {
            ask.path = address.to_owned();
        }
        Ok(ask)
    }

    async fn read<'b>(&mut self, answer: &'b PageAnswer) -> Result<ReadPage<'b>, BackendError> {
        let (inner, plan) = (self.inner, &*self.pages.paging);
        let mut variables = self.variables.clone();
        variables.set(Variable::Headers, headers(inner, &answer.headers));
        let rows = self.rows(answer, &variables).await?;
        let value = async |filter: &Option<jq::Glue>| match filter {
            Some(filter) => values::one(inner, filter, &answer.body, &variables)
                .await
                .map(Some),
            None => Ok(None),
        };
        let total = value(&plan.total)
            .await?
            .as_ref()
            .and_then(plain_text)
            .and_then(|text| text.parse::<u64>().ok());
        let next = match value(&plan.next).await? {
            None => NextPage::Untold,
            Some(next) if !names_a_page(&next) => NextPage::Nothing,
            Some(next) => NextPage::Named(plain_text(&next)),
        };
        let more = value(&plan.more).await?.as_ref().map(jq::is_true);
        if self.pages.keeps_first_page && self.list.first_page.is_none() {
            self.list.first_page = Some(without_rows(plan, &answer.body)?);
        }
        Ok(ReadPage {
            rows,
            total,
            next,
            more,
        })
    }

    async fn keep(
        &mut self,
        rows: &[Cow<'_, str>],
        places: &[usize],
        room: usize,
        at: &Position,
    ) -> Result<Option<usize>, BackendError> {
        let inner = self.inner;
        let placed: Vec<(usize, &str)> = places
            .iter()
            .filter_map(|place| Some((*place, &**rows.get(*place)?)))
            .collect();
        let is_chosen = self.choose(&placed).await?;
        let mut rest = None;
        let (mut wanted, mut wanted_places) = (Vec::new(), Vec::new());
        for ((place, row), is_chosen) in placed.into_iter().zip(is_chosen) {
            if wanted.len() == room {
                rest = Some(place);
                break;
            }
            if is_chosen {
                wanted.push(Box::from(row));
                wanted_places.push(place);
            }
        }
        if self.keeps_records {
            self.list.records.extend(wanted.iter().cloned());
        }
        let row = &self.pages.row;
        let items = projection::rows(inner, row, &self.fields, wanted, self.variables)
            .await?
            .rows;
        if let Some(places) = &mut self.list.places {
            places.pages.push(at.clone());
        }
        for (item, place) in items.into_iter().zip(wanted_places) {
            self.bytes += item.len();
            if let Some(places) = &mut self.list.places {
                if self.bytes > inner.most_bytes(MAX_PAGE_BYTES) && !self.list.items.is_empty() {
                    rest = Some(place);
                    break;
                }
                places.items.push((places.pages.len() - 1, place));
            }
            self.list.items.push(item);
        }
        self.list.records.truncate(self.list.items.len());
        Ok(rest)
    }

    fn count(&self) -> usize {
        self.list.items.len()
    }
}

impl StepRows<'_> {
    /// The rows of an answer: as they stand in it where the file names a path, else what its filter
    /// finds.
    async fn rows<'b>(
        &self,
        answer: &'b PageAnswer,
        variables: &Variables,
    ) -> Result<Vec<Cow<'b, str>>, BackendError> {
        let (inner, filter) = (self.inner, &self.pages.paging.rows);
        if let Some(path) = filter.of_input() {
            let rows = projection::inside(answer.text(), path).and_then(json::items);
            let rows = rows.ok_or_else(|| PageAnswer::is_no_list(inner))?;
            return Ok(rows.into_iter().map(Cow::Borrowed).collect());
        }
        let limit = MAX_PAGE_ROWS + 1;
        let found = values::several(inner, filter, &answer.body, variables, limit).await?;
        if found.len() > MAX_PAGE_ROWS {
            let title = &inner.compiled().title;
            let message = format!(
                "{title} answered a page of more than {MAX_PAGE_ROWS} rows. Ask for less, with a smaller limit or a filter."
            );
            return Err(BackendError::backend(message, false));
        }
        found
            .iter()
            .map(|value| values::to_json(value).map(Cow::Owned))
            .collect()
    }

    /// Which rows are kept.
    async fn choose(&self, rows: &[(usize, &str)]) -> Result<Vec<bool>, BackendError> {
        let Some(filter) = self.filter else {
            return Ok(vec![true; rows.len()]);
        };
        let (filter, variables) = (filter.clone(), self.variables.clone());
        let rows: Vec<String> = rows.iter().map(|(_, row)| (*row).to_owned()).collect();
        values::blocking(self.inner, move |inner| {
            let is_chosen = |row: String| {
                let row = Admitted::new(row.into()).map_err(|why| {
                    BackendError::ours("The answer could not be read.", why.to_string())
                })?;
                let value = values::run(inner, &filter, &Held::received(row), &variables)?;
                Ok(value.is_some_and(|value| jq::is_true(&value)))
            };
            rows.into_iter().map(is_chosen).collect()
        })
        .await
    }
}

/// Whether what stands at the place of the next page says that there is one.
fn names_a_page(next: &Val) -> bool {
    jq::is_true(next) && jq::text(next).is_none_or(|text| !text.is_empty())
}

/// The first body without its rows, for what stands beside them.
fn without_rows(plan: &PagingPlan, body: &Held) -> Result<Val, BackendError> {
    let value = body.value()?;
    let key = plan
        .rows
        .of_input()
        .and_then(|path| path.first())
        .map(|key| key.name.as_str());
    match value {
        Val::Obj(map) => Ok(Val::obj(
            map.iter()
                .filter(|(name, _)| jq::text(name).as_deref() != key)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )),
        _ => Ok(Val::Null),
    }
}
