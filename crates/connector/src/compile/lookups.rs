//! Sources and lookups: what names are chosen from.

use std::time::Duration;

use super::duration;
use super::filters::Filters;
use super::paging::Ways;
use super::scope::Scope;
use super::tools::steps;
use crate::connector::{Lookup, Pages, Request, Row, Source};
use crate::definition::Definition;
use crate::jq::Glue;
use crate::problem::Found;

/// Time for which a source is kept when the file does not say.
const DEFAULT_KEEP: Duration = Duration::from_secs(5 * 60);
/// Time for which a file may keep a source.
const MAX_KEEP: Duration = Duration::from_secs(60 * 60);

pub(super) fn sources<'d>(
    definition: &'d Definition,
    ways: &Ways,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Vec<Source> {
    let mut sources = Vec::new();
    for (name, source) in definition.sources.iter() {
        let part = format!("sources.{}", name.value);
        super::name(name, &part, found);
        let scope = Scope::new(definition, &["$in"]);
        let path = filters.path(&source.get, &format!("{part}.get"), &scope, found);
        let query = steps::query(&source.query, &part, &scope, filters, found);
        let pages = source.pages.as_ref().and_then(|paging| {
            let walk = ways.walks.get(&paging.value).cloned();
            if walk.is_none() {
                found.add(
                    paging.place,
                    part.clone(),
                    format!("there is no paging `{}`", paging.value),
                );
            }
            Some(Pages {
                walk: walk?,
                row: Row::Whole,
                filter: None,
                filter_passed: Vec::new(),
                at_most: None,
                is_main: false,
                keeps_first_page: false,
                empty: None,
            })
        });
        let keep = duration::read(
            source.keep.as_ref(),
            DEFAULT_KEEP,
            MAX_KEEP,
            &format!("{part}.keep"),
            found,
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
        sources.push(Source {
            request,
            keep,
            collection,
        });
    }
    sources
}

pub(super) fn settle<'d>(
    definition: &'d Definition,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Vec<Lookup> {
    let mut lookups = Vec::new();
    for (name, lookup) in definition.lookups.iter() {
        let part = format!("lookups.{}", name.value);
        super::name(name, &part, found);
        let rows_of = Scope::new(definition, &["$in"]);
        let source = lookup.from.as_ref().and_then(|from| {
            let at = definition
                .sources
                .keys()
                .position(|name| name == from.value);
            if at.is_none() {
                found.add(
                    from.place,
                    part.clone(),
                    format!("there is no source `{}`", from.value),
                );
            }
            at
        });
        if lookup.from.is_none() && lookup.one.is_none() {
            found.add(
                name.place,
                part.clone(),
                "a lookup needs `from`, a source to choose from, or `one`, which asks the backend",
            );
        }
        let own = Glue::of_format;
        let id = lookup.id.as_ref().map_or_else(
            || own(".id"),
            |id| filters.add(id, &format!("{part}.id"), &rows_of, found),
        );
        let rows = lookup.rows.as_ref().map_or_else(
            || own("."),
            |rows| filters.add(rows, &format!("{part}.rows"), &rows_of, found),
        );
        let mut names: Vec<Glue> = Vec::new();
        for (index, filter) in lookup.names.iter().enumerate() {
            names.push(filters.add(filter, &format!("{part}.names[{index}]"), &rows_of, found));
        }
        if names.is_empty() {
            names.push(own(".name"));
        }
        let asked = Scope::new(definition, &["$in", "$value"]);
        let one = lookup.one.as_ref().and_then(|one| {
            steps::reading(&one.value, &format!("{part}.one"), &asked, filters, found)
        });
        let why = lookup.why.as_ref().and_then(|why| {
            steps::reading(&why.value, &format!("{part}.why"), &asked, filters, found)
        });
        let row = lookup.row.as_ref().map_or_else(
            || own("."),
            |row| filters.add(row, &format!("{part}.row"), &asked, found),
        );
        if let Some(row) = lookup.row.as_ref().filter(|_| lookup.one.is_none()) {
            found.add(row.place, part.clone(), "`row` is for the answer to `one`");
        }
        let mut words = Vec::new();
        for (word, filter) in lookup.words.iter() {
            words.push((
                word.value.to_lowercase(),
                filters.add(
                    filter,
                    &format!("{part}.words.{}", word.value),
                    &rows_of,
                    found,
                ),
            ));
        }
        let noun = lookup
            .noun
            .clone()
            .unwrap_or_else(|| name.value.replace('_', " "));
        lookups.push(Lookup {
            noun,
            source,
            rows,
            id,
            names,
            one,
            row,
            why,
            words,
        });
    }
    lookups
}
