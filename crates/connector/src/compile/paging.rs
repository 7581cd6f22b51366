//! Ways of paging: what each kind needs, and the one that lists of models use.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::filters::Filters;
use super::scope::Scope;
use crate::connector::{ModelPaging, PagingPlan};
use crate::definition::{self, Definition, PagingKind};
use crate::jq::Glue;
use crate::place::{Place, Placed};
use crate::problem::Found;

/// Rows that one walk over pages may read, whatever the file says.
pub(crate) const MAX_WALK_ROWS: u32 = 5_000;
/// Rows of one walk when the file does not say.
const DEFAULT_CAP: u32 = 1_000;
/// Rows that one page may have when the file does not say.
const DEFAULT_SIZE: u32 = 100;
/// Rows that a file may ask for in one page.
const MAX_SIZE: u32 = 1_000;
/// The paging that lists of models use.
const OF_MODELS: &str = "list";

/// Ways of paging by name.
#[derive(Default)]
pub(super) struct Ways {
    pub(super) walks: BTreeMap<String, Arc<PagingPlan>>,
    /// How lists of models are paged.
    pub(super) of_models: Option<ModelPaging>,
}

pub(super) fn settle<'d>(
    definition: &'d Definition,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Ways {
    let mut ways = Ways {
        walks: BTreeMap::new(),
        of_models: None,
    };
    for (name, paging) in definition.upstream.paging.iter() {
        let part = format!("upstream.paging.{}", name.value);
        let is_used = name.value == OF_MODELS && !definition.models.is_empty();
        let walk = Arc::new(walk(
            definition, name.place, paging, is_used, &part, filters, found,
        ));
        if is_used {
            ways.of_models = of_models(name.place, paging, &walk, &part, found);
        }
        ways.walks.insert(name.value.clone(), walk);
    }
    ways
}

fn figure(
    written: Option<&Placed<u32>>,
    default: u32,
    most: u32,
    key: &str,
    part: &str,
    found: &mut Found,
) -> usize {
    if let Some(figure) = written
        && !(1..=most).contains(&figure.value)
    {
        found.add(
            figure.place,
            part,
            format!("`{key}` must be 1 to {most}, is {}", figure.value),
        );
    }
    usize::try_from(written.map_or(default, |figure| figure.value)).unwrap_or_default()
}

fn walk<'d>(
    definition: &'d Definition,
    place: Place,
    paging: &'d definition::Paging,
    models: bool,
    part: &str,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> PagingPlan {
    let kind = paging.kind;
    let parameters = [
        (PagingKind::Page, "page", &paging.page),
        (PagingKind::Offset, "offset", &paging.offset),
        (PagingKind::After, "after", &paging.after),
    ];
    let mut start = None;
    for (of, key, parameter) in parameters {
        match parameter {
            Some(parameter) if of == kind => start = Some(parameter.value.clone()),
            Some(parameter) if !(models && key == "offset") => {
                found.add(
                    parameter.place,
                    part,
                    format!("`{key}` is for another kind of paging"),
                );
            }
            None if of == kind => found.add(
                place,
                part,
                format!("this kind of paging needs `{key}`, the name of a parameter"),
            ),
            _ => {}
        }
    }
    if kind == PagingKind::Link && paging.next.is_none() {
        found.add(
            place,
            part,
            "this kind of paging needs `next`, where the address of the next page stands",
        );
    }
    if let Some(more) = paging.more.as_ref().filter(|_| kind != PagingKind::After) {
        found.add(more.place, part, "`more` is for the kind `after`");
    }
    if matches!(kind, PagingKind::Page | PagingKind::Offset) && paging.size.is_none() {
        found.add(
            place,
            part,
            "this kind of paging needs `size`, the name of the parameter for the rows a page",
        );
    }
    let scope = Scope::new(definition, &["$headers"]);
    let mut add = |filter: &'d Option<Placed<String>>, key: &str| {
        filter
            .as_ref()
            .map(|filter| filters.add(filter, &format!("{part}.{key}"), &scope, found))
    };
    let (rows, total, next, more) = (
        add(&paging.rows, "rows"),
        add(&paging.total, "total"),
        add(&paging.next, "next"),
        add(&paging.more, "more"),
    );
    let identity = add(&paging.identity, "identity");
    if let (Some(glue), Some(written)) = (&identity, &paging.identity)
        && names(glue).is_none_or(|names| names.is_empty())
    {
        let hint = "names joined by dots, such as `.id`";
        found.add_with_hint(
            written.place,
            format!("{part}.identity"),
            format!("`{}` is not a plain path", written.value),
            hint,
        );
    }
    PagingPlan {
        kind,
        start,
        size: paging.size.as_ref().map(|size| size.value.clone()),
        rows: rows.unwrap_or_else(|| Glue::of_format(".")),
        total,
        next,
        more,
        identity: identity.as_ref().and_then(names),
        max_size: figure(
            paging.max_size.as_ref(),
            DEFAULT_SIZE,
            MAX_SIZE,
            "max_size",
            part,
            found,
        ),
        cap: figure(
            paging.cap.as_ref(),
            DEFAULT_CAP,
            MAX_WALK_ROWS,
            "cap",
            part,
            found,
        ),
    }
}

/// The names of a plain path.
fn names(glue: &Glue) -> Option<Vec<String>> {
    Some(
        glue.of_input()?
            .iter()
            .map(|key| key.name.clone())
            .collect(),
    )
}

/// Lists of models are read in place: they need the kind `after` and plain paths.
fn of_models(
    place: Place,
    paging: &definition::Paging,
    walk: &Arc<PagingPlan>,
    part: &str,
    found: &mut Found,
) -> Option<ModelPaging> {
    if paging.kind != PagingKind::After {
        found.add(
            place,
            part,
            "lists of models need a paging of the kind `after`",
        );
        return None;
    }
    let plain =
        |filter: &Option<Placed<String>>, glue: Option<&Glue>, key: &str, found: &mut Found| {
            let names = glue.and_then(names);
            if names.is_none() {
                let (place, text) = filter.as_ref().map_or((place, "nothing"), |filter| {
                    (filter.place, filter.value.as_str())
                });
                let hint = "names joined by dots, such as `.meta.has_more`";
                found.add_with_hint(
                    place,
                    format!("{part}.{key}"),
                    format!("`{text}` is not a plain path, which lists of models need"),
                    hint,
                );
            }
            names
        };
    let rows = plain(&paging.rows, Some(&walk.rows), "rows", found);
    let more = plain(&paging.more, walk.more.as_ref(), "more", found);
    for (key, parameter) in [("size", &paging.size), ("offset", &paging.offset)] {
        if parameter.is_none() {
            found.add(
                place,
                part,
                format!("lists of models need `{key}`, the name of a parameter"),
            );
        }
    }
    Some(ModelPaging {
        plan: Arc::clone(walk),
        offset: paging.offset.as_ref()?.value.clone(),
        rows: rows?,
        more: more?,
    })
}
