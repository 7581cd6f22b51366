//! Steps: what each sends, what it may name, and which of them run together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::super::duration;
use super::super::filters::Filters;
use super::super::paging::Ways;
use super::super::scope::Scope;
use super::super::shapes::Shapes;
use crate::connector::{Body, Does, Each, Entry, Pages, Request, Row, Step, Until};
use crate::definition::{self, Answer, Effect, Reading, Tool};
use crate::jq::{self, Glue};
use crate::place::{Placed, Table};
use crate::problem::Found;
use crate::template::Template;

/// Values that a `for_each` may have when the file does not say.
const DEFAULT_ITEMS: u32 = 50;
/// Values that a file may allow.
const MAX_ITEMS: u32 = 200;
/// Time between two repetitions of a read when the file does not say.
const DEFAULT_EVERY: Duration = Duration::from_secs(2);
/// Time for all repetitions of a read, whatever the file says.
const MAX_UNTIL: Duration = Duration::from_secs(10 * 60);

/// What steps of a tool are settled with.
pub(super) struct Context<'c, 'd> {
    pub(super) tool: &'d Tool,
    pub(super) ways: &'c Ways,
    pub(super) shapes: &'c Shapes,
    /// The only list of the tool is its last step: `limit` and `cursor` are its own.
    pub(super) has_main: bool,
    pub(super) keeps_first_page: bool,
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

pub(in crate::compile) fn query<'d>(
    written: &'d Table<Placed<String>>,
    part: &str,
    scope: &Scope<'d>,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Vec<(String, Glue)> {
    let mut query = Vec::new();
    for (key, filter) in written.iter() {
        check_parameter(filter, &format!("{part}.query.{}", key.value), found);
        query.push((
            key.value.clone(),
            filters.add(filter, &format!("{part}.query.{}", key.value), scope, found),
        ));
    }
    query
}

/// A parameter is a text, a number or a list of them. `{page}`, as a path has it, makes an object
/// here, and every call would fail.
fn check_parameter(filter: &Placed<String>, part: &str, found: &mut Found) {
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
        found.add_with_hint(
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

fn statuses(written: &[Placed<u16>], part: &str, found: &mut Found) -> Vec<u16> {
    for status in written {
        if !(400..=599).contains(&status.value) {
            found.add(
                status.place,
                part,
                format!("`{}` is not an HTTP status of an error", status.value),
            );
        }
    }
    written.iter().map(|status| status.value).collect()
}

/// One read, such as `before`.
pub(in crate::compile) fn reading<'d>(
    written: &'d Reading,
    part: &str,
    scope: &Scope<'d>,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Option<Request> {
    let path = filters.path(&written.get, part, scope, found);
    let query = query(&written.query, part, scope, filters, found);
    let condition = written
        .condition
        .as_ref()
        .map(|filter| filters.add(filter, &format!("{part}.if"), scope, found));
    let optional = statuses(&written.optional, part, found);
    Some(Request {
        query,
        condition,
        optional,
        ..get(path?)
    })
}

/// The steps of a tool or of its undo, in groups that run together.
pub(super) fn settle<'d>(
    context: &Context<'_, 'd>,
    written: &'d [Placed<definition::Step>],
    part: &str,
    scope: &mut Scope<'d>,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Vec<Vec<Step>> {
    let mut batches: Vec<Vec<Step>> = Vec::new();
    for (index, placed) in written.iter().enumerate() {
        let part = format!("{part}[{index}]");
        let step = one(
            context,
            index + 1,
            placed,
            index + 1 == written.len(),
            &part,
            scope,
            filters,
            found,
        );
        if let Some(name) = &placed.value.name {
            super::super::name(name, &part, found);
            if scope.has_step(&name.value) {
                found.add(
                    name.place,
                    part,
                    format!("there is a step `{}` already", name.value),
                );
            }
            scope.add_step(&name.value);
        }
        let Some(step) = step else { continue };
        let joins = |batch: &&mut Vec<Step>| {
            let reads = |step: &Step| matches!(&step.does, Does::Send(request) if request.reads && request.until.is_none());
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

/// True when the step needs the value of the step called `other`.
fn names(step: &definition::Step, other: Option<&str>) -> bool {
    let in_filters = filters_of(step)
        .into_iter()
        .flat_map(|filter| jq::uses(&filter.value))
        .any(|used| {
            used.variable == "$steps" && (used.key.is_none() || used.key.as_deref() == other)
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
    ];
    all.extend(others.into_iter().flatten());
    all
}

#[expect(
    clippy::too_many_arguments,
    reason = "a step is settled in one place, from all there is to know about it"
)]
fn one<'d>(
    context: &Context<'_, 'd>,
    number: usize,
    placed: &'d Placed<definition::Step>,
    is_last: bool,
    part: &str,
    scope: &Scope<'d>,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Option<Step> {
    let step = &placed.value;
    let each = step.for_each.as_ref().map(|items| Each {
        items: filters.add(items, &format!("{part}.for_each"), scope, found),
        at_most: at_most(step, part, found),
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
        let lists = key == "at_most" && step.pages.is_some() && !(is_last && context.has_main);
        if let Some(place) = place.filter(|_| each.is_none() && !lists) {
            found.add(
                place,
                part,
                format!("`{key}` is for a step with `for_each`"),
            );
        }
    }
    let condition = step
        .condition
        .as_ref()
        .map(|filter| filters.add(filter, &format!("{part}.if"), scope, found));
    let inner = if each.is_some() {
        scope.clone().with("$item")
    } else {
        scope.clone()
    };
    let mut sends = step.requests();
    let does = match (sends.next(), sends.next(), &step.value) {
        (Some((method, path)), None, None) => send(
            context, step, method, path, is_last, part, &inner, filters, found,
        )
        .map(|request| Does::Send(Box::new(request))),
        (None, None, Some(filter)) => {
            let sent = step.body.is_some()
                || !step.query.is_empty()
                || step.pages.is_some()
                || !step.optional.is_empty()
                || step.assumed;
            if sent || step.until.is_some() || each.is_some() {
                found.add(
                    placed.place,
                    part,
                    "`let` sends nothing: it has only `as` and `if`",
                );
            }
            Some(Does::Let(filters.add(
                filter,
                &format!("{part}.let"),
                &inner,
                found,
            )))
        }
        _ => {
            found.add(
                placed.place,
                part,
                "a step has exactly one of `get`, `post`, `put`, `patch`, `delete` and `let`",
            );
            None
        }
    };
    Some(Step {
        number,
        name: step.name.as_ref().map(|name| name.value.clone()),
        condition,
        each,
        does: does?,
    })
}

fn at_most(step: &definition::Step, part: &str, found: &mut Found) -> usize {
    if let Some(most) = step
        .at_most
        .as_ref()
        .filter(|most| !(1..=MAX_ITEMS).contains(&most.value))
    {
        found.add(
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

#[expect(
    clippy::too_many_arguments,
    reason = "a request is settled in one place, from all there is to know about it"
)]
fn send<'d>(
    context: &Context<'_, 'd>,
    step: &'d definition::Step,
    method: Method,
    path: &'d Placed<String>,
    is_last: bool,
    part: &str,
    scope: &Scope<'d>,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Option<Request> {
    let is_get = method == Method::GET;
    let effect = &context.tool.effect;
    if effect.value == Effect::Read && !is_get && !(method == Method::POST && step.safe.is_some()) {
        let hint = "a POST that changes nothing says why as `safe`; a tool that changes something has the effect `write` or `destroy`";
        found.add_with_hint(
            path.place,
            part,
            "a tool with `effect: read` may only `get`",
            hint,
        );
    }
    if let Some(safe) = step.safe.as_ref()
        && (method != Method::POST || safe.value.trim().is_empty())
    {
        found.add(
            safe.place,
            part,
            "`safe` is the reason why a `post` changes nothing",
        );
    }
    let body = match &step.body {
        Some(definition::Body::Filter(filter)) => Some(Body::Filter(filters.add(
            filter,
            &format!("{part}.body"),
            scope,
            found,
        ))),
        Some(definition::Body::Map(map)) => {
            let mut entries = Vec::new();
            for (key, filter) in map.iter() {
                let value =
                    filters.add(filter, &format!("{part}.body.{}", key.value), scope, found);
                let clear = value.argument().filter(|name| {
                    context
                        .tool
                        .input
                        .get(name)
                        .is_some_and(|argument| argument.clear)
                });
                entries.push(Entry {
                    name: key.value.clone(),
                    clear: clear.map(str::to_owned),
                    value,
                });
            }
            Some(Body::Map(entries))
        }
        None => None,
    };
    if is_get && body.is_some() {
        found.add(path.place, part, "a `get` has no `body`");
    }
    let template = filters.path(path, part, scope, found);
    let pages = pages(
        context, step, path, is_get, is_last, part, scope, filters, found,
    );
    let until = until(
        step,
        path,
        is_get && pages.is_none(),
        part,
        scope,
        filters,
        found,
    );
    Some(Request {
        reads: is_get || step.safe.is_some(),
        method,
        path: template?,
        query: query(&step.query, part, scope, filters, found),
        body,
        condition: None,
        optional: statuses(&step.optional, part, found),
        answer: step.answer,
        open: false,
        pages,
        until,
    })
}

#[expect(
    clippy::too_many_arguments,
    reason = "a list is settled in one place, from all there is to know about it"
)]
fn pages<'d>(
    context: &Context<'_, 'd>,
    step: &'d definition::Step,
    path: &Placed<String>,
    is_get: bool,
    is_last: bool,
    part: &str,
    scope: &Scope<'d>,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Option<Pages> {
    let Some(paging) = &step.pages else {
        for filter in [&step.row, &step.filter].into_iter().flatten() {
            found.add(
                filter.place,
                part,
                "`row` and `where` are for a step with `pages`",
            );
        }
        for name in &step.where_passed {
            found.add(
                name.place,
                part,
                "`where_passed` is for a step with `where`",
            );
        }
        if let Some(empty) = &step.empty {
            found.add(empty.place, part, "`empty` is for a step with `pages`");
        }
        return None;
    };
    if !is_get || step.answer != Answer::Json || step.for_each.is_some() || step.until.is_some() {
        found.add(
            path.place,
            part,
            "a list is a `get` of JSON, without `for_each` and `until`",
        );
    }
    let walk = context.ways.walks.get(&paging.value);
    if walk.is_none() {
        found.add(
            paging.place,
            part,
            format!("there is no paging `{}`", paging.value),
        );
    }
    let row = match &step.row {
        None => Row::Whole,
        Some(row) => match context.shapes.get(&row.value) {
            Some(shape) => Row::Shape(Arc::clone(shape)),
            None => Row::Filter(filters.add(row, &format!("{part}.row"), scope, found)),
        },
    };
    let filter = step
        .filter
        .as_ref()
        .map(|filter| filters.add(filter, &format!("{part}.where"), scope, found));
    for name in &step.where_passed {
        if filter.is_none() {
            found.add(
                name.place,
                part,
                "`where_passed` is for a step with `where`",
            );
        } else if context.tool.input.get(&name.value).is_none() {
            found.add(
                name.place,
                part,
                format!("there is no argument `{}`", name.value),
            );
        }
    }
    let empty = step
        .empty
        .as_ref()
        .and_then(|path| filters.path(path, &format!("{part}.empty"), scope, found));
    Some(Pages {
        walk: Arc::clone(walk?),
        row,
        filter,
        filter_passed: step
            .where_passed
            .iter()
            .map(|name| name.value.clone())
            .collect(),
        at_most: step.at_most.as_ref().map(|_| at_most(step, part, found)),
        is_main: is_last && context.has_main,
        keeps_first_page: context.keeps_first_page,
        empty: empty.map(|path| Box::new(get(path))),
    })
}

fn until<'d>(
    step: &'d definition::Step,
    path: &Placed<String>,
    is_plain_get: bool,
    part: &str,
    scope: &Scope<'d>,
    filters: &mut Filters<'d>,
    found: &mut Found,
) -> Option<Until> {
    let every = duration::read(
        step.every.as_ref(),
        DEFAULT_EVERY,
        MAX_UNTIL,
        &format!("{part}.every"),
        found,
    );
    let up_to = duration::read(
        step.up_to.as_ref(),
        MAX_UNTIL,
        MAX_UNTIL,
        &format!("{part}.up_to"),
        found,
    );
    let progress = step
        .progress
        .as_ref()
        .map(|filter| filters.add(filter, &format!("{part}.progress"), scope, found));
    let Some(done) = &step.until else {
        for key in [&step.every, &step.up_to, &step.progress]
            .into_iter()
            .flatten()
        {
            found.add(
                key.place,
                part,
                "`every`, `up_to` and `progress` are for a step with `until`",
            );
        }
        return None;
    };
    if !is_plain_get || step.for_each.is_some() {
        found.add(
            path.place,
            part,
            "only a `get` of one record is repeated `until` something",
        );
    }
    Some(Until {
        done: filters.add(done, &format!("{part}.until"), scope, found),
        every,
        up_to,
        progress,
    })
}

/// Hints by status, as the tool and then the backend have them.
pub(super) fn hints(tool: &Tool, found: &mut Found) -> BTreeMap<u16, String> {
    super::super::upstream::hints(&tool.hints, &format!("{}.hints", tool.name.value), found)
}
