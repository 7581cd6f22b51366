//! Sources and lookups: what names are chosen from.

use std::time::Duration;

use super::compilation::Compilation;
use super::scope::FilterScope;
use super::tools::steps;
use crate::connector::{LookupPlan, Pages, Request, Row, SourcePlan};
use crate::jq::{Glue, Variable};
use crate::place::Placed;

/// Time for which a source is kept when the file does not say.
const DEFAULT_KEEP: Duration = Duration::from_secs(5 * 60);
/// Time for which a file may keep a source.
const MAX_KEEP: Duration = Duration::from_secs(60 * 60);

impl<'d> Compilation<'d> {
    pub(super) fn sources(&mut self) -> Vec<SourcePlan> {
        let mut sources = Vec::new();
        for (name, source) in self.definition.sources.iter() {
            let part = format!("sources.{}", name.value);
            self.check_name(name, &part);
            let scope = FilterScope::new(self.definition, &[Variable::In]);
            let path = self.path(&source.get, &format!("{part}.get"), &scope);
            let query = self.query(&source.query, &part, &scope);
            let pages = source.pages.as_ref().and_then(|paging| {
                let plan = self.paging.by_name.get(&paging.value).cloned();
                if plan.is_none() {
                    self.found.add(
                        paging.place,
                        part.clone(),
                        format!("there is no paging `{}`", paging.value),
                    );
                }
                Some(Pages {
                    paging: plan?,
                    row: Row::Whole,
                    filter: None,
                    filter_passed: Vec::new(),
                    at_most: None,
                    is_main: false,
                    keeps_first_page: false,
                    empty: None,
                })
            });
            let keep = self.duration(
                source.keep.as_ref(),
                DEFAULT_KEEP,
                MAX_KEEP,
                &format!("{part}.keep"),
            );
            let Some(path) = path else { continue };
            let collection = path
                .head()
                .trim_start_matches('/')
                .split('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            let request = Request {
                query,
                pages,
                ..steps::get(path)
            };
            sources.push(SourcePlan {
                request,
                keep,
                collection,
            });
        }
        sources
    }

    /// The place of a source by its name.
    pub(super) fn place_of_source(&mut self, name: &Placed<String>, part: &str) -> Option<usize> {
        let mut names = self.definition.sources.keys();
        let at = names.position(|known| known == name.value);
        if at.is_none() {
            let problem = format!("there is no source `{}`", name.value);
            self.found.add(name.place, part, problem);
        }
        at
    }

    pub(super) fn lookups(&mut self) -> Vec<LookupPlan> {
        let mut lookups = Vec::new();
        for (name, lookup) in self.definition.lookups.iter() {
            let part = format!("lookups.{}", name.value);
            self.check_name(name, &part);
            let rows_of = FilterScope::new(self.definition, &[Variable::In]);
            let source = lookup.from.as_ref();
            let source = source.and_then(|from| self.place_of_source(from, &part));
            if lookup.from.is_none() && lookup.one.is_none() {
                self.found.add(
                name.place,
                part.clone(),
                "a lookup needs `from`, a source to choose from, or `one`, which asks the backend",
            );
            }
            let format_filter = Glue::of_format;
            let id = lookup.id.as_ref().map_or_else(
                || format_filter(".id"),
                |id| self.filter(id, &format!("{part}.id"), &rows_of),
            );
            let rows = lookup.rows.as_ref().map_or_else(
                || format_filter("."),
                |rows| self.filter(rows, &format!("{part}.rows"), &rows_of),
            );
            let mut names: Vec<Glue> = Vec::new();
            for (index, filter) in lookup.names.iter().enumerate() {
                names.push(self.filter(filter, &format!("{part}.names[{index}]"), &rows_of));
            }
            if names.is_empty() {
                names.push(format_filter(".name"));
            }
            let value_scope = FilterScope::new(self.definition, &[Variable::In, Variable::Value]);
            let one = lookup
                .one
                .as_ref()
                .and_then(|one| self.reading(&one.value, &format!("{part}.one"), &value_scope));
            let why = lookup
                .why
                .as_ref()
                .and_then(|why| self.reading(&why.value, &format!("{part}.why"), &value_scope));
            let row = lookup.row.as_ref().map_or_else(
                || format_filter("."),
                |row| self.filter(row, &format!("{part}.row"), &value_scope),
            );
            if let Some(row) = lookup.row.as_ref().filter(|_| lookup.one.is_none()) {
                self.found
                    .add(row.place, part.clone(), "`row` is for the answer to `one`");
            }
            let form = FilterScope::new(self.definition, &[Variable::Value]);
            let is_id = lookup
                .is_id
                .as_ref()
                .map(|is_id| self.filter(is_id, &format!("{part}.is_id"), &form));
            let mut words = Vec::new();
            for (word, filter) in lookup.words.iter() {
                words.push((
                    word.value.to_lowercase(),
                    self.filter(filter, &format!("{part}.words.{}", word.value), &rows_of),
                ));
            }
            let noun = lookup
                .noun
                .clone()
                .unwrap_or_else(|| name.value.replace('_', " "));
            lookups.push(LookupPlan {
                noun,
                source,
                rows,
                id,
                names,
                one,
                row,
                why,
                words,
                is_id,
                text_ids: lookup.text_ids,
                none: lookup.none.clone(),
            });
        }
        lookups
    }
}
