//! What a call has changed so far, told when a later step fails.

use jaq_json::Val;

use super::super::tidy::{self, TidyRules};
use super::super::values::{Held, to_json};
use super::Given;
use crate::connector::StepPlan;
use crate::definition::Failures;
use crate::failure::BackendError;
use crate::jq;
use crate::json::push_string;

/// Bytes of a value that are told.
pub(super) const MAX_TOLD: usize = 500;

/// Changes that were made.
pub(super) struct Done {
    list: Vec<String>,
    /// What is done to their values before anybody reads them.
    rules: TidyRules,
}

impl Done {
    /// Nothing yet.
    pub(super) fn new(rules: TidyRules) -> Self {
        Self {
            list: Vec::new(),
            rules,
        }
    }

    /// Something was changed.
    pub(super) fn has_some(&self) -> bool {
        !self.list.is_empty()
    }

    pub(super) fn rules(&self) -> &TidyRules {
        &self.rules
    }

    pub(super) fn add(&mut self, step: &StepPlan, value: &Held) -> Result<(), BackendError> {
        self.push(step, None, value)
    }

    pub(super) fn add_item(
        &mut self,
        step: &StepPlan,
        item: &Val,
        value: &Held,
    ) -> Result<(), BackendError> {
        self.push(step, Some(item), value)
    }

    fn push(
        &mut self,
        step: &StepPlan,
        item: Option<&Val>,
        value: &Held,
    ) -> Result<(), BackendError> {
        let entry = self
            .entry(step, item, value)
            .map_err(BackendError::with_change)?;
        self.list.push(entry);
        Ok(())
    }

    fn entry(
        &self,
        step: &StepPlan,
        item: Option<&Val>,
        value: &Held,
    ) -> Result<String, BackendError> {
        let mut out = String::from("{\"step\":");
        push_string(&mut out, &label(step));
        if let Some(item) = item {
            out.push_str(",\"item\":");
            out.push_str(&value_in_short(item)?);
        }
        let value = value.value()?;
        if value != Val::Null {
            out.push_str(",\"value\":");
            out.push_str(&value_in_short(&value)?);
        }
        out.push('}');
        let mut tidied = String::with_capacity(out.len());
        tidy::push(&mut tidied, &out, &self.rules);
        Ok(tidied)
    }

    /// The failure of a step, with what was done before it.
    pub(super) fn failed(&self, step: &StepPlan, error: BackendError) -> BackendError {
        self.with_done(
            "Only a part was done; it was not taken back.",
            &label(step),
            error,
        )
    }

    /// The failure of the result, with what was done.
    pub(super) fn then(&self, error: BackendError) -> BackendError {
        self.with_done(
            "Everything was done, but the result cannot be shown.",
            "result",
            error,
        )
    }

    fn with_done(&self, what: &str, step: &str, error: BackendError) -> BackendError {
        if self.list.is_empty() {
            return error;
        }
        let (mut failed, mut why) = (String::new(), String::new());
        push_string(&mut failed, step);
        push_string(&mut why, error.message());
        let message = format!(
            "{what} {{\"done\":[{}],\"failed\":{{\"step\":{failed},\"error\":{why}}}}}",
            self.list.join(",")
        );
        error.with_message(message).with_change()
    }
}

pub(super) fn label(step: &StepPlan) -> String {
    step.name
        .clone()
        .unwrap_or_else(|| format!("step {}", step.number))
}

/// A value in short: as it is, or what identifies it.
fn value_in_short(value: &Val) -> Result<String, BackendError> {
    let json = to_json(value)?;
    if json.len() <= MAX_TOLD {
        return Ok(json);
    }
    let short = ["id", "ref", "name", "title", "subject"]
        .into_iter()
        .filter_map(|key| {
            let inner = jq::get(value, key)?;
            let json = to_json(inner).ok().filter(|json| json.len() <= MAX_TOLD)?;
            Some(format!("\"{key}\":{json}"))
        });
    Ok(format!("{{{}}}", short.collect::<Vec<_>>().join(",")))
}

/// What a `for_each` gave.
pub(super) fn of_items(
    failures: Failures,
    outcomes: Vec<(Val, Result<Val, BackendError>)>,
) -> Result<Given, BackendError> {
    let text = |text: &str| Val::utf8_str(text.to_owned());
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (item, outcome) in outcomes {
        match outcome {
            Ok(value) => done.push(Val::obj(
                [(text("item"), item), (text("value"), value)]
                    .into_iter()
                    .collect(),
            )),
            Err(error) if failures == Failures::Stop => return Err(error),
            Err(error) => {
                let error = text(error.message());
                failed.push(Val::obj(
                    [(text("item"), item), (text("error"), error)]
                        .into_iter()
                        .collect(),
                ));
            }
        }
    }
    let both = [
        (text("done"), done.into_iter().collect()),
        (text("failed"), failed.into_iter().collect()),
    ];
    Ok(Given::Value(Held::Made(Val::obj(
        both.into_iter().collect(),
    ))))
}
