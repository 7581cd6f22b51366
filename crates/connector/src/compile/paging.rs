//! The `upstream.paging` section, settled: what a file must say for each kind of paging, and the
//! one that lists of models use.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compilation::Compilation;
use super::scope::FilterScope;
use crate::connector::{ModelPaging, PagingPlan};
use crate::definition::{Paging, PagingKind};
use crate::jq::{Glue, Variable};
use crate::place::{Place, Placed};

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

/// The ways of paging of a file.
#[derive(Default)]
pub(super) struct PagingPlans {
    pub(super) by_name: BTreeMap<String, Arc<PagingPlan>>,
    /// How lists of models are paged.
    pub(super) of_models: Option<ModelPaging>,
}

/// What a file must say for a kind of paging, and what it may.
struct KindRules {
    /// The key that names the parameter for the start of a page.
    start: Option<&'static str>,
    needs_next: bool,
    needs_size: bool,
    may_have_more: bool,
}

fn rules(kind: PagingKind) -> KindRules {
    let numbered = |key| KindRules {
        start: Some(key),
        needs_next: false,
        needs_size: true,
        may_have_more: false,
    };
    match kind {
        PagingKind::Page => numbered("page"),
        PagingKind::Offset => numbered("offset"),
        PagingKind::Link => KindRules {
            start: None,
            needs_next: true,
            needs_size: false,
            may_have_more: false,
        },
        PagingKind::After => KindRules {
            start: Some("after"),
            needs_next: false,
            needs_size: false,
            may_have_more: true,
        },
    }
}

impl<'d> Compilation<'d> {
    /// Every way of paging of the file.
    pub(super) fn paging(&mut self) -> PagingPlans {
        let definition = self.definition;
        let mut plans = PagingPlans::default();
        for (name, written) in definition.upstream.paging.iter() {
            let part = format!("upstream.paging.{}", name.value);
            let is_of_models = name.value == OF_MODELS && !definition.models.is_empty();
            self.check_paging(name.place, written, is_of_models, &part);
            let plan = Arc::new(self.paging_plan(written, &part));
            if is_of_models {
                plans.of_models = self.model_paging(name.place, written, &plan, &part);
            }
            plans.by_name.insert(name.value.clone(), plan);
        }
        plans
    }

    /// Every key that the kind needs is there, and none that is for another kind.
    fn check_paging(&mut self, place: Place, written: &Paging, is_of_models: bool, part: &str) {
        let rules = rules(written.kind);
        for (key, parameter) in start_parameters(written) {
            let is_own = rules.start == Some(key);
            let is_taken = is_own || (is_of_models && key == "offset");
            match parameter {
                Some(parameter) if !is_taken => {
                    let what = format!("`{key}` is for another kind of paging");
                    self.found.add(parameter.place, part, what);
                }
                None if is_own => {
                    let what =
                        format!("this kind of paging needs `{key}`, the name of a parameter");
                    self.found.add(place, part, what);
                }
                _ => {}
            }
        }
        if rules.needs_next && written.next.is_none() {
            self.found.add(
                place,
                part,
                "this kind of paging needs `next`, where the address of the next page stands",
            );
        }
        if let Some(more) = written.more.as_ref().filter(|_| !rules.may_have_more) {
            self.found
                .add(more.place, part, "`more` is for the kind `after`");
        }
        if rules.needs_size && written.size.is_none() {
            self.found.add(
                place,
                part,
                "this kind of paging needs `size`, the name of the parameter for the rows a page",
            );
        }
    }

    fn paging_plan(&mut self, written: &'d Paging, part: &str) -> PagingPlan {
        let scope = FilterScope::new(self.definition, &[Variable::Headers]);
        let mut filter = |filter: &'d Option<Placed<String>>, key: &str| {
            self.optional_filter(filter.as_ref(), &format!("{part}.{key}"), &scope)
        };
        let rows = filter(&written.rows, "rows");
        let total = filter(&written.total, "total");
        let next = filter(&written.next, "next");
        let more = filter(&written.more, "more");
        let identity = filter(&written.identity, "identity");
        if let (Some(glue), Some(written)) = (&identity, &written.identity)
            && names(glue).is_none_or(|names| names.is_empty())
        {
            self.found.add_with_hint(
                written.place,
                format!("{part}.identity"),
                format!("`{}` is not a plain path", written.value),
                "names joined by dots, such as `.id`",
            );
        }
        let start = start_parameter(written);
        let (max_size, cap) = (written.max_size.as_ref(), written.cap.as_ref());
        PagingPlan {
            kind: written.kind,
            start: start.map(|parameter| parameter.value.clone()),
            size: written.size.as_ref().map(|size| size.value.clone()),
            rows: rows.unwrap_or_else(|| Glue::of_format(".")),
            total,
            next,
            more,
            identity: identity.as_ref().and_then(names),
            max_size: self.figure(max_size, DEFAULT_SIZE, MAX_SIZE, "max_size", part),
            cap: self.figure(cap, DEFAULT_CAP, MAX_WALK_ROWS, "cap", part),
        }
    }

    /// A number of the file within its bounds.
    fn figure(
        &mut self,
        written: Option<&Placed<u32>>,
        default: u32,
        most: u32,
        key: &str,
        part: &str,
    ) -> usize {
        if let Some(figure) = written.filter(|figure| !(1..=most).contains(&figure.value)) {
            let what = format!("`{key}` must be 1 to {most}, is {}", figure.value);
            self.found.add(figure.place, part, what);
        }
        usize::try_from(written.map_or(default, |figure| figure.value)).unwrap_or_default()
    }

    /// Lists of models are read in place: they need the kind `after` and plain paths.
    fn model_paging(
        &mut self,
        place: Place,
        written: &Paging,
        plan: &Arc<PagingPlan>,
        part: &str,
    ) -> Option<ModelPaging> {
        if written.kind != PagingKind::After {
            let what = "lists of models need a paging of the kind `after`";
            self.found.add(place, part, what);
            return None;
        }
        let mut plain = |filter: &Option<Placed<String>>, glue: Option<&Glue>, key: &str| {
            let names = glue.and_then(names);
            if names.is_none() {
                let (place, text) = filter.as_ref().map_or((place, "nothing"), |filter| {
                    (filter.place, filter.value.as_str())
                });
                self.found.add_with_hint(
                    place,
                    format!("{part}.{key}"),
                    format!("`{text}` is not a plain path, which lists of models need"),
                    "names joined by dots, such as `.meta.has_more`",
                );
            }
            names
        };
        let rows = plain(&written.rows, Some(&plan.rows), "rows");
        let more = plain(&written.more, plan.more.as_ref(), "more");
        for (key, parameter) in [("size", &written.size), ("offset", &written.offset)] {
            if parameter.is_none() {
                let what = format!("lists of models need `{key}`, the name of a parameter");
                self.found.add(place, part, what);
            }
        }
        Some(ModelPaging {
            plan: Arc::clone(plan),
            offset: written.offset.as_ref()?.value.clone(),
            rows: rows?,
            more: more?,
        })
    }
}

/// The parameter for the start of a page; none where the kind has none, or the file names none.
pub(super) fn start_parameter(written: &Paging) -> Option<&Placed<String>> {
    let own = rules(written.kind).start?;
    let (_, parameter) = start_parameters(written)
        .into_iter()
        .find(|(key, _)| *key == own)?;
    parameter.as_ref()
}

/// The keys that name a parameter for the start of a page, each of one kind.
fn start_parameters(written: &Paging) -> [(&'static str, &Option<Placed<String>>); 3] {
    [
        ("page", &written.page),
        ("offset", &written.offset),
        ("after", &written.after),
    ]
}

/// The names of a plain path.
fn names(glue: &Glue) -> Option<Vec<String>> {
    let keys = glue.of_input()?.iter();
    Some(keys.map(|key| key.name.clone()).collect())
}
