//! The last step's value → the result: filter, shape, fields, and the last touch; always valid JSON
//! that is not too large.

use std::sync::{Arc, PoisonError};

use super::super::projection::{self, Fields};
use super::super::tidy::{self, TidyRules};
use super::super::values::{self, Held};
use super::super::{Inner, Outcome, step_list};
use super::{Given, StepsRun};
use crate::failure::BackendError;
use crate::fence::cut::{self, Window};
use crate::json::push_string;

/// Bytes that a result may have before it is cut to a smaller one.
const MAX_RESULT_BYTES: usize = 100 << 10;
/// Characters of a text and items of a list in the smaller results, tried in this order.
const SMALLER: [(usize, usize); 3] = [(500, 50), (200, 20), (100, 5)];
/// Bytes that a result may have when long texts were asked for.
const MAX_PARTS_BYTES: usize = 512 << 10;
/// Characters of a text in the smaller results then.
const SMALLER_PARTS: [(usize, usize); 3] = [(20_000, usize::MAX), (5_000, usize::MAX), (2_000, 50)];

/// A result, and the value that it was made of.
pub(super) struct Finished {
    pub(super) outcome: Outcome,
    /// As JSON, when undoing needs it.
    pub(super) after: Option<String>,
}

pub(super) async fn finish(run: StepsRun<'_>) -> Result<Finished, BackendError> {
    let (inner, plan) = (run.inner, run.plan);
    let keeps_root = plan.result.is_some() || matches!(run.last, Some(Given::List(_)));
    let from = run.paged.text_from;
    let limit = if from.is_some() {
        cut::MOST
    } else {
        inner.compiled().text_limit
    };
    let rules = TidyRules {
        fences_root: plan.asks_backend,
        answered: std::mem::take(&mut *run.answered.lock().unwrap_or_else(PoisonError::into_inner)),
        own: std::mem::take(&mut *run.own.lock().unwrap_or_else(PoisonError::into_inner)),
        window: Window {
            from,
            limit,
            goes_on: plan.takes_text_from,
        },
        keeps_root,
        keeps_empty: false,
        ..TidyRules::whole(inner.fencing, plan.untrusted.clone())
    };
    let (mut result, mut records) = result_json(&run, run.last.clone(), &rules).await?;
    if let (true, Some(Given::List(listed))) = (run.plan.is_list, &run.last) {
        let mut items = listed.items.len();
        let most = inner.most_bytes(step_list::MAX_ANSWER_BYTES);
        while result.len() > most {
            // about as many as fit, and in any case fewer than before
            items = (items * most / result.len())
                .min(items.saturating_sub(1))
                .max(1);
            let Some(fewer) = listed.first(items) else {
                break;
            };
            let (smaller, its_records) =
                result_json(&run, Some(Given::List(Arc::new(fewer))), &rules).await?;
            if smaller.len() >= result.len() {
                break;
            }
            (result, records) = (smaller, its_records);
            if items == 1 {
                break;
            }
        }
    }
    let unavailable = run
        .unavailable
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let result = with(result, "unavailable", &unavailable);
    let result = Outcome::new(with(result, "taken", &run.taken));
    let after = records.clone().filter(|_| run.plan.undo_names.after);
    let records = records.filter(|_| run.options.keeps_records);
    Ok(Finished {
        outcome: Outcome { records, ..result },
        after,
    })
}

/// The tidy result of a last value, and the rows as they were sent when somebody wants them.
async fn result_json(
    run: &StepsRun<'_>,
    last: Option<Given>,
    rules: &TidyRules,
) -> Result<(String, Option<String>), BackendError> {
    let (inner, plan) = (run.inner, run.plan);
    let mut records = None;
    let json = match (&plan.result, last) {
        (None, Some(Given::List(listed))) => {
            if run.options.keeps_records {
                records = Some(listed.as_sent());
            }
            let json = listed.json();
            match &plan.output {
                Some(shape) if !plan.has_shaped_rows => of_items(run, shape, json).await?,
                _ => json,
            }
        }
        (filter, last) => {
            let input = match &last {
                Some(Given::Value(held)) => held.clone(),
                Some(list) => Held::Made(list.value()?),
                None => Held::Nothing,
            };
            let held = match filter {
                Some(filter) => {
                    Held::Made(values::one(inner, filter, &input, &run.variables).await?)
                }
                None => input,
            };
            let json = held.json()?;
            if run.options.keeps_records || run.plan.undo_names.after {
                records = Some(json.clone());
            }
            shaped(run, json).await?
        }
    };
    Ok((within(inner, &json, rules, plan.is_list)?, records))
}

async fn shaped(run: &StepsRun<'_>, json: String) -> Result<String, BackendError> {
    let plan = run.plan;
    match &plan.output {
        Some(shape) if plan.lists_items => of_items(run, shape, json).await,
        _ if plan.has_fields_of_rows => Ok(json),
        shape if json.starts_with('{') && (shape.is_some() || plan.has_fields) && !plan.is_list => {
            projection::record(
                run.inner,
                shape.as_ref(),
                &run.paged.fields,
                json,
                &run.variables,
            )
            .await
        }
        _ => Ok(json),
    }
}

/// The shape over `items` of an object; the object's other keys stay.
async fn of_items(
    run: &StepsRun<'_>,
    shape: &Arc<crate::connector::ShapePlan>,
    json: String,
) -> Result<String, BackendError> {
    let Ok(object) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&json)
    else {
        return Ok(json);
    };
    let Some([Some(items)]) = crate::json::pick(&json, ["items"]) else {
        return Ok(json);
    };
    let Some(rows) = projection::items(items) else {
        return Ok(json);
    };
    let fields = if run.plan.is_list {
        Fields::default()
    } else {
        run.paged.fields.clone()
    };
    let row = crate::connector::Row::Shape(shape.clone());
    let projected = projection::rows(run.inner, &row, &fields, rows, &run.variables).await?;
    let mut out = format!("{{\"items\":[{}]", projected.rows.join(","));
    for (name, value) in object.iter().filter(|(name, _)| *name != "items") {
        out.push(',');
        push_string(&mut out, name);
        out.push(':');
        out.push_str(&value.to_string());
    }
    out.push('}');
    Ok(out)
}

/// An object says which of its parts could not be read, and what its arguments were taken for.
fn with(json: String, name: &str, entries: &[(String, String)]) -> String {
    let Some(open) = json.strip_suffix('}').filter(|_| !entries.is_empty()) else {
        return json;
    };
    let mut out = String::from(open);
    out.push_str(if open.ends_with('{') { "" } else { "," });
    push_string(&mut out, name);
    out.push_str(":{");
    for (index, (part, what)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_string(&mut out, part);
        out.push(':');
        push_string(&mut out, what);
    }
    out.push_str("}}");
    out
}

/// The tidy result; a smaller one when it is too large.
fn within(
    inner: &Inner,
    json: &str,
    rules: &TidyRules,
    is_whole: bool,
) -> Result<String, BackendError> {
    let mut out = String::with_capacity(json.len().min(step_list::MAX_ANSWER_BYTES) + 64);
    tidy::push(&mut out, json, rules);
    let (most, smaller) = if rules.window.from.is_some() {
        (MAX_PARTS_BYTES, SMALLER_PARTS)
    } else {
        (inner.most_bytes(MAX_RESULT_BYTES), SMALLER)
    };
    if out.len() <= most || is_whole {
        return Ok(out);
    }
    for (limit, max_items) in smaller {
        let window = Window {
            limit: limit.min(rules.window.limit),
            ..rules.window
        };
        let rules = TidyRules {
            window,
            max_items,
            ..rules.clone()
        };
        let mut smaller = String::new();
        tidy::push(&mut smaller, json, &rules);
        if smaller.len() <= most {
            if let Some(open) = smaller.strip_suffix('}') {
                let comma = if open.ends_with('{') { "" } else { "," };
                return Ok(format!("{open}{comma}\"truncated\":true}}"));
            }
            return Ok(smaller);
        }
    }
    Err(BackendError::caller(format!(
        "The result has {} KiB; at most {} KiB are given. Ask for less, with `fields` where the tool has it.",
        out.len() >> 10,
        most >> 10
    )))
}
