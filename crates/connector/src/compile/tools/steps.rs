//! Steps: what each sends, what it may name, and which of them run together.

use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::super::compilation::Compilation;
use super::super::scope::FilterScope;
use crate::connector::{BodyPlan, Does, Each, EntryPlan, Pages, Request, Row, StepPlan, Until};
use crate::definition::{self, Answer, Reading, ToolDefinition, ToolEffect};
use crate::jq::{self, Glue, Variable};
use crate::place::{Place, Placed, Table};
use crate::template::Template;

/// Values that a `for_each` may have when the file does not say.
const DEFAULT_ITEMS: u32 = 50;
/// Values that a file may allow.
const MAX_ITEMS: u32 = 200;
/// Time between two repetitions of a read when the file does not say.
const DEFAULT_EVERY: Duration = Duration::from_secs(2);
/// Time for all repetitions of a read, whatever the file says.
const MAX_UNTIL: Duration = Duration::from_secs(10 * 60);

/// The tool whose steps are compiled.
#[derive(Clone, Copy)]
pub(super) struct StepsOwner<'d> {
    pub(super) tool: &'d ToolDefinition,
    /// The only list of the tool is its last step: `limit` and `cursor` are its own.
    pub(super) has_main: bool,
    pub(super) keeps_first_page: bool,
}

/// A step, where it stands.
struct PlacedStep<'s, 'd> {
    owner: StepsOwner<'d>,
    step: &'d definition::Step,
    place: Place,
    /// Its place among the steps, from 1.
    number: usize,
    is_last: bool,
    part: &'s str,
}

impl PlacedStep<'_, '_> {
    /// `limit` and `cursor` of the tool are those of this step's list.
    fn is_main_list(&self) -> bool {
        self.is_last && self.owner.has_main
    }
}

/// A plain GET.
pub(in crate::compile) fn get(path: Template) -> Request {
    Request {
        method: Method::GET,
        reads: true,
        path,
        query: Vec::new(),
        body: None,
        condition: None,
        optional: Vec::new(),
        answer: Answer::Json,
        open: false,
        pages: None,
        until: None,
    }
}

impl<'d> Compilation<'d> {
    pub(in crate::compile) fn query(
        &mut self,
        written: &'d Table<Placed<String>>,
        part: &str,
        scope: &FilterScope<'d>,
    ) -> Vec<(String, Glue)> {
        let mut query = Vec::new();
        for (key, filter) in written.iter() {
            let part = format!("{part}.query.{}", key.value);
            self.check_parameter(filter, &part);
            query.push((key.value.clone(), self.filter(filter, &part, scope)));
        }
        query
    }

    /// A parameter is a text, a number or a list of them. `{page}`, as a path has it, makes an object
    /// here, and every call would fail.
    fn check_parameter(&mut self, filter: &Placed<String>, part: &str) {
        let form = jq::form::of_filter(&filter.value);
        let is_object = |form: Option<&serde_json::Value>| {
            form.and_then(|form| form.get("type"))
                .is_some_and(|kind| kind == "object")
        };
        if is_object(Some(&form)) || is_object(form.get("items")) {
            let name = filter
                .value
                .trim()
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
                .map(str::trim);
            let name = name.filter(|name| {
                !name.is_empty()
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            });
            let hint = name.map_or_else(
                || "it takes a text, a number, true or false, or a list of them".to_owned(),
                |name| format!("parameters are jq: write `$args.{name}`; braces are for paths"),
            );
            self.found.add_with_hint(
                filter.place,
                part,
                format!(
                    "`{}` makes an object, which no parameter can be",
                    filter.value
                ),
                hint,
            );
        }
    }

    fn statuses(&mut self, written: &[Placed<u16>], part: &str) -> Vec<u16> {
        for status in written {
            if !(400..=599).contains(&status.value) {
                self.found.add(
                    status.place,
                    part,
                    format!("`{}` is not an HTTP status of an error", status.value),
                );
            }
        }
        written.iter().map(|status| status.value).collect()
    }

    /// One read, such as `before`.
    pub(in crate::compile) fn reading(
        &mut self,
        written: &'d Reading,
        part: &str,
        scope: &FilterScope<'d>,
    ) -> Option<Request> {
        let path = self.path(&written.get, part, scope);
        let query = self.query(&written.query, part, scope);
        let condition =
            self.optional_filter(written.condition.as_ref(), &format!("{part}.if"), scope);
        let optional = self.statuses(&written.optional, part);
        Some(Request {
            query,
            condition,
            optional,
            ..get(path?)
        })
    }

    /// The steps of a tool or of its undo, in groups that run together.
    pub(super) fn steps(
        &mut self,
        owner: StepsOwner<'d>,
        written: &'d [Placed<definition::Step>],
        part: &str,
        scope: &mut FilterScope<'d>,
    ) -> Vec<Vec<StepPlan>> {
        let mut batches: Vec<Vec<StepPlan>> = Vec::new();
        for (index, placed) in written.iter().enumerate() {
            let part = format!("{part}[{index}]");
            let placed_step = PlacedStep {
                owner,
                step: &placed.value,
                place: placed.place,
                number: index + 1,
                is_last: index + 1 == written.len(),
                part: &part,
            };
            let step = self.step(&placed_step, scope);
            if let Some(name) = &placed.value.name {
                self.check_name(name, &part);
                if scope.has_step(&name.value) {
                    self.found.add(
                        name.place,
                        part,
                        format!("there is a step `{}` already", name.value),
                    );
                }
                scope.add_step(&name.value);
            }
            let Some(step) = step else { continue };
            let joins = |batch: &&mut Vec<StepPlan>| {
                let reads = |step: &StepPlan| matches!(&step.does, Does::Send(request) if request.reads && request.until.is_none());
                reads(&step)
                    && batch
                        .iter()
                        .all(|other| reads(other) && !names(&placed.value, other.name.as_deref()))
            };
            match batches.last_mut().filter(joins) {
                Some(batch) => batch.push(step),
                None => batches.push(vec![step]),
            }
        }
        batches
    }
}

/// True when the step needs the value of the step called `other`.
fn names(step: &definition::Step, other: Option<&str>) -> bool {
    let in_filters = filters_of(step)
        .into_iter()
        .flat_map(|filter| jq::uses(&filter.value))
        .any(|used| {
            used.variable == Variable::Steps && (used.key.is_none() || used.key.as_deref() == other)
        });
    let Some(other) = other else {
        return in_filters;
    };
    let path = step.get.as_ref().or(step.post.as_ref());
    in_filters || path.is_some_and(|path| path.value.contains(&format!("{{steps.{other}")))
}

/// Every filter of a step.
pub(super) fn filters_of(step: &definition::Step) -> Vec<&Placed<String>> {
    let mut all: Vec<&Placed<String>> = step.query.iter().map(|(_, filter)| filter).collect();
    match &step.body {
        Some(definition::Body::Filter(filter)) => all.push(filter),
        Some(definition::Body::Map(map)) => all.extend(map.iter().map(|(_, filter)| filter)),
        None => {}
    }
    let others = [
        &step.value,
        &step.condition,
        &step.row,
        &step.filter,
        &step.for_each,
        &step.until,
        &step.progress,
        &step.within,
    ];
    all.extend(others.into_iter().flatten());
    all
}

impl<'d> Compilation<'d> {
    fn step(&mut self, placed: &PlacedStep<'_, 'd>, scope: &FilterScope<'d>) -> Option<StepPlan> {
        let PlacedStep { step, part, .. } = *placed;
        let each = step.for_each.as_ref().map(|items| Each {
            items: self.filter(items, &format!("{part}.for_each"), scope),
            at_most: self.at_most(step, part),
            failures: step
                .failures
                .as_ref()
                .map(|failures| failures.value)
                .unwrap_or_default(),
        });
        for (place, key) in [
            (step.at_most.as_ref().map(|p| p.place), "at_most"),
            (step.failures.as_ref().map(|p| p.place), "failures"),
        ] {
            let lists = key == "at_most" && step.pages.is_some() && !placed.is_main_list();
            if let Some(place) = place.filter(|_| each.is_none() && !lists) {
                self.found.add(
                    place,
                    part,
                    format!("`{key}` is for a step with `for_each`"),
                );
            }
        }
        let condition = self.optional_filter(step.condition.as_ref(), &format!("{part}.if"), scope);
        let inner = if each.is_some() {
            scope.clone().with(Variable::Item)
        } else {
            scope.clone()
        };
        let mut sends = step.requests();
        if let Some(within) = step.within.as_ref().filter(|_| step.source.is_none()) {
            self.found
                .add(within.place, part, "`within` is the scope of a `source`");
        }
        let sent = step.body.is_some()
            || !step.query.is_empty()
            || step.pages.is_some()
            || !step.optional.is_empty()
            || step.assumed
            || step.until.is_some()
            || each.is_some();
        let does = match (sends.next(), sends.next(), &step.value) {
            (None, None, None) if step.source.is_some() => {
                if sent {
                    self.found.add(
                        placed.place,
                        part,
                        "`source` has only `within`, `as` and `if`",
                    );
                }
                let within = step.within.as_ref();
                let within = self.optional_filter(within, &format!("{part}.within"), &inner);
                let source = step.source.as_ref()?;
                let at = self.place_of_source(source, part);
                at.map(|at| Does::Keep(at, within))
            }
            (Some((method, path)), None, None) if step.source.is_none() => self
                .request(placed, method, path, &inner)
                .map(|request| Does::Send(Box::new(request))),
            (None, None, Some(filter)) if step.source.is_none() => {
                if sent {
                    self.found.add(
                        placed.place,
                        part,
                        "`let` sends nothing: it has only `as` and `if`",
                    );
                }
                Some(Does::Let(self.filter(
                    filter,
                    &format!("{part}.let"),
                    &inner,
                )))
            }
            _ => {
                self.found.add(
                    placed.place,
                    part,
                    "a step has exactly one of `get`, `post`, `put`, `patch`, `delete`, `let` and `source`",
                );
                None
            }
        };
        Some(StepPlan {
            number: placed.number,
            name: step.name.as_ref().map(|name| name.value.clone()),
            condition,
            each,
            does: does?,
        })
    }

    fn at_most(&mut self, step: &definition::Step, part: &str) -> usize {
        if let Some(most) = step
            .at_most
            .as_ref()
            .filter(|most| !(1..=MAX_ITEMS).contains(&most.value))
        {
            self.found.add(
                most.place,
                part,
                format!("`at_most` must be 1 to {MAX_ITEMS}, is {}", most.value),
            );
        }
        usize::try_from(
            step.at_most
                .as_ref()
                .map_or(DEFAULT_ITEMS, |most| most.value),
        )
        .unwrap_or_default()
    }

    fn request(
        &mut self,
        placed: &PlacedStep<'_, 'd>,
        method: Method,
        path: &'d Placed<String>,
        scope: &FilterScope<'d>,
    ) -> Option<Request> {
        let PlacedStep {
            owner, step, part, ..
        } = *placed;
        let is_get = method == Method::GET;
        let effect = &owner.tool.effect;
        if effect.value == ToolEffect::Read
            && !is_get
            && !(method == Method::POST && step.safe.is_some())
        {
            let hint = "a POST that changes nothing says why as `safe`; a tool that changes something has the effect `write` or `destroy`";
            self.found.add_with_hint(
                path.place,
                part,
                "a tool with `effect: read` may only `get`",
                hint,
            );
        }
        if let Some(safe) = step.safe.as_ref()
            && (method != Method::POST || safe.value.trim().is_empty())
        {
            self.found.add(
                safe.place,
                part,
                "`safe` is the reason why a `post` changes nothing",
            );
        }
        let body = match &step.body {
            Some(definition::Body::Filter(filter)) => Some(BodyPlan::Filter(self.filter(
                filter,
                &format!("{part}.body"),
                scope,
            ))),
            Some(definition::Body::Map(map)) => {
                let mut entries = Vec::new();
                for (key, filter) in map.iter() {
                    let value = self.filter(filter, &format!("{part}.body.{}", key.value), scope);
                    let clear = value.argument().filter(|name| {
                        owner
                            .tool
                            .input
                            .get(name)
                            .is_some_and(|argument| argument.clear)
                    });
                    entries.push(EntryPlan {
                        name: key.value.clone(),
                        clear: clear.map(str::to_owned),
                        value,
                    });
                }
                Some(BodyPlan::Map(entries))
            }
            None => None,
        };
        if is_get && body.is_some() {
            self.found.add(path.place, part, "a `get` has no `body`");
        }
        let template = self.path(path, part, scope);
        let pages = self.pages(placed, path, is_get, scope);
        let until = self.until(placed, path, is_get && pages.is_none(), scope);
        Some(Request {
            reads: is_get || step.safe.is_some(),
            method,
            path: template?,
            query: self.query(&step.query, part, scope),
            body,
            condition: None,
            optional: self.statuses(&step.optional, part),
            answer: step.answer,
            open: false,
            pages,
            until,
        })
    }

    fn pages(
        &mut self,
        placed: &PlacedStep<'_, 'd>,
        path: &Placed<String>,
        is_get: bool,
        scope: &FilterScope<'d>,
    ) -> Option<Pages> {
        let PlacedStep {
            owner, step, part, ..
        } = *placed;
        let Some(paging) = &step.pages else {
            for filter in [&step.row, &step.filter].into_iter().flatten() {
                self.found.add(
                    filter.place,
                    part,
                    "`row` and `where` are for a step with `pages`",
                );
            }
            for name in &step.where_passed {
                self.found.add(
                    name.place,
                    part,
                    "`where_passed` is for a step with `where`",
                );
            }
            if let Some(empty) = &step.empty {
                self.found
                    .add(empty.place, part, "`empty` is for a step with `pages`");
            }
            return None;
        };
        if !is_get || step.answer != Answer::Json || step.for_each.is_some() || step.until.is_some()
        {
            self.found.add(
                path.place,
                part,
                "a list is a `get` of JSON, without `for_each` and `until`",
            );
        }
        let plan = self.paging.by_name.get(&paging.value).map(Arc::clone);
        if plan.is_none() {
            self.found.add(
                paging.place,
                part,
                format!("there is no paging `{}`", paging.value),
            );
        }
        let row = match &step.row {
            None => Row::Whole,
            Some(row) => match self.shapes.get(&row.value) {
                Some(shape) => Row::Shape(Arc::clone(shape)),
                None => Row::Filter(self.filter(row, &format!("{part}.row"), scope)),
            },
        };
        let filter = self.optional_filter(step.filter.as_ref(), &format!("{part}.where"), scope);
        for name in &step.where_passed {
            if filter.is_none() {
                self.found.add(
                    name.place,
                    part,
                    "`where_passed` is for a step with `where`",
                );
            } else if owner.tool.input.get(&name.value).is_none() {
                self.found.add(
                    name.place,
                    part,
                    format!("there is no argument `{}`", name.value),
                );
            }
        }
        let empty = step
            .empty
            .as_ref()
            .and_then(|path| self.path(path, &format!("{part}.empty"), scope));
        Some(Pages {
            paging: plan?,
            row,
            filter,
            filter_passed: step
                .where_passed
                .iter()
                .map(|name| name.value.clone())
                .collect(),
            at_most: step.at_most.as_ref().map(|_| self.at_most(step, part)),
            is_main: placed.is_main_list(),
            keeps_first_page: owner.keeps_first_page,
            empty: empty.map(|path| Box::new(get(path))),
        })
    }

    fn until(
        &mut self,
        placed: &PlacedStep<'_, 'd>,
        path: &Placed<String>,
        is_plain_get: bool,
        scope: &FilterScope<'d>,
    ) -> Option<Until> {
        let PlacedStep { step, part, .. } = *placed;
        let every = self.duration(
            step.every.as_ref(),
            DEFAULT_EVERY,
            MAX_UNTIL,
            &format!("{part}.every"),
        );
        let up_to = self.duration(
            step.up_to.as_ref(),
            MAX_UNTIL,
            MAX_UNTIL,
            &format!("{part}.up_to"),
        );
        let progress =
            self.optional_filter(step.progress.as_ref(), &format!("{part}.progress"), scope);
        let Some(done) = &step.until else {
            for key in [&step.every, &step.up_to, &step.progress]
                .into_iter()
                .flatten()
            {
                self.found.add(
                    key.place,
                    part,
                    "`every`, `up_to` and `progress` are for a step with `until`",
                );
            }
            return None;
        };
        if !is_plain_get || step.for_each.is_some() {
            self.found.add(
                path.place,
                part,
                "only a `get` of one record is repeated `until` something",
            );
        }
        Some(Until {
            done: self.filter(done, &format!("{part}.until"), scope),
            every,
            up_to,
            progress,
        })
    }
}
