//! Taking a call back by steps of its tool, or by another tool: what is kept of the call for it,
//! and the run.

use std::sync::Arc;

use jaq_json::Val;
use serde_json::{Map, Value, json};

use super::super::request::Prepared;
use super::super::touching::{CallFate, MAX_TOUCHED, Sending, WantedTouch};
use super::super::values::{self, Held};
use super::super::{Inner, Options, Outcome, image};
use super::{StepsRun, Touching, idle};
use crate::connector::{Does, Plan, StepPlan, TouchPlan};
use crate::failure::BackendError;
use crate::jq::{self, Variable, Variables};
use crate::planner::Image;
use crate::touched::{Touch, WrittenRecords};

/// What undoing by steps or by another tool needs of a call, as JSON; none when it is too large.
pub(super) fn values(
    plan: &Plan,
    variables: &Variables,
    after: Option<&str>,
) -> Result<Option<String>, BackendError> {
    if plan.undo.is_empty() && !plan.has_inverse {
        return Ok(None);
    }
    let value = |variable: Variable| image::to_value(variables.get(variable));
    let mut undo_values = Map::new();
    undo_values.insert("args".into(), value(Variable::Args)?);
    undo_values.insert("given".into(), value(Variable::Given)?);
    if plan.undo_names.before {
        undo_values.insert("before".into(), value(Variable::Before)?);
    }
    if let Some(after) = after {
        let after = serde_json::from_str(after).unwrap_or_default();
        undo_values.insert("after".into(), after);
    }
    let mut steps = Map::new();
    for name in &plan.undo_names.steps {
        let step = jq::get(variables.get(Variable::Steps), name);
        let step = step.map_or(Ok(Value::Null), image::to_value)?;
        steps.insert(name.clone(), step);
    }
    undo_values.insert("steps".into(), steps.into());
    let text = Value::Object(undo_values).to_string();
    Ok((text.len() <= Image::MAX_BYTES).then_some(text))
}

/// Runs the steps that take a call back, with what was kept of it.
pub(in crate::backend) async fn take_back(
    inner: &Arc<Inner>,
    plan: &Arc<Plan>,
    undo_values: &Map<String, Value>,
    options: Options,
) -> Result<Outcome, BackendError> {
    let mut variables = inner.variables();
    for (name, variable) in [
        ("args", Variable::Args),
        ("given", Variable::Given),
        ("before", Variable::Before),
        ("after", Variable::After),
        ("steps", Variable::Steps),
    ] {
        let value = undo_values.get(name).map_or(Val::Null, jq::from_json);
        variables.set(variable, value);
    }
    if plan.uses_me {
        variables.set(Variable::Me, inner.session.me(inner).await?);
    }
    let mut run = idle(inner, plan, &options, variables);
    if let Some(Value::Object(steps)) = undo_values.get("steps") {
        run.named = steps
            .iter()
            .map(|(name, value)| (name.clone(), jq::from_json(value)))
            .collect();
    }
    run.is_undoing = true;
    for batch in &plan.undo {
        if let Err((step, error)) = run.batch(batch).await {
            return Err(run.failed(step, error).await);
        }
    }
    let touched = match run.touching.take().filter(Touching::has_begun) {
        Some(touching) => touching.finish(inner, CallFate::Well).await,
        None => Vec::new(),
    };
    let has_sent = run.done.has_some();
    Ok(Outcome {
        touched,
        ..Outcome::new(json!({ "undone": has_sent }).to_string())
    })
}

impl StepsRun<'_> {
    /// Before a request that writes: the first one waits until it is recorded.
    pub(super) async fn begin_writing(
        &mut self,
        step: &StepPlan,
        prepared: &Prepared,
    ) -> Result<(), BackendError> {
        let Some(mut touching) = self.touching.take() else {
            return Ok(());
        };
        let sending = sending(step, prepared);
        let begun = if touching.has_begun() {
            touching.sends(self.inner, sending)
        } else {
            match self.wanted().await {
                Ok(wanted) => touching.begin(self.inner, wanted, sending).await,
                Err(error) => Err(error),
            }
        };
        self.touching = Some(touching);
        begun
    }

    /// It was answered well.
    pub(super) fn wrote(&mut self, step: &StepPlan, prepared: &Prepared, held: &Held) {
        if let Some(touching) = &mut self.touching {
            touching.wrote(sending(step, prepared), held);
        }
    }

    /// It was refused, so it changed nothing.
    pub(super) fn was_refused(&mut self, step: &StepPlan, prepared: &Prepared) {
        if let Some(touching) = &mut self.touching {
            touching.refused(sending(step, prepared));
        }
    }

    /// What the file says that the call touches. Steps that take it back touch what it changed.
    async fn wanted(&self) -> Result<Vec<WantedTouch>, BackendError> {
        let mut wanted: Vec<WantedTouch> = Vec::new();
        for touch in &self.plan.touches {
            let Some(ids) = &touch.ids else {
                if !self.is_undoing {
                    wanted.push(WantedTouch {
                        record: touch.record,
                        touch: touch.touch,
                        id: None,
                        step: touch.step,
                        instead_of: None,
                    });
                }
                continue;
            };
            let maker = self.maker_of(touch);
            if self.is_undoing && touch.touch != Touch::Changes && maker.is_none() {
                continue;
            }
            let nothing = Held::Nothing;
            let most = MAX_TOUCHED + 1;
            let found = values::several(self.inner, ids, &nothing, &self.variables, most).await?;
            for id in found.iter().filter_map(jq::plain_text) {
                if let Some(step) = maker {
                    wanted.push(WantedTouch {
                        record: touch.record,
                        touch: Touch::Makes,
                        id: None,
                        step,
                        instead_of: Some(id),
                    });
                    break;
                }
                let is_known = |other: &WantedTouch| {
                    other.record == touch.record && other.id.as_ref() == Some(&id)
                };
                if !wanted.iter().any(is_known) {
                    wanted.push(WantedTouch {
                        record: touch.record,
                        touch: touch.touch,
                        id: Some(id),
                        step: 0,
                        instead_of: None,
                    });
                }
            }
        }
        if wanted.len() > MAX_TOUCHED {
            return Err(BackendError::caller(format!(
                "This call would touch more than {MAX_TOUCHED} records; nothing was done. Do it in parts."
            )));
        }
        Ok(wanted)
    }

    /// The step that makes a record again which the call deleted: the one that sends what its kind
    /// is made with.
    fn maker_of(&self, touch: &TouchPlan) -> Option<usize> {
        if !self.is_undoing || touch.touch != Touch::Deletes {
            return None;
        }
        let plan = self.inner.compiled().records.get(touch.record)?;
        let creation = plan.create.as_ref()?;
        let mut steps = self.plan.undo.iter().flatten();
        let maker = steps.find(|step| match &step.does {
            Does::Send(request) => {
                let is_same = request.path == creation.request.path;
                is_same && request.method == creation.request.method && step.each.is_none()
            }
            Does::Let(_) | Does::Keep(..) => false,
        });
        maker.map(|step| step.number)
    }

    /// The failure of a step, with what was done before it.
    pub(super) async fn failed(&mut self, step: &StepPlan, error: BackendError) -> BackendError {
        let is_unknown = error.may_have_changed() && error.status().is_none();
        let may_have_changed = error.may_have_changed();
        let error = self.done.failed(step, error);
        let touching = self.touching.take().filter(Touching::has_begun);
        let Some(touching) = touching.filter(|_| error.may_have_changed()) else {
            return error;
        };
        let ended = match (is_unknown, may_have_changed) {
            (true, _) => CallFate::Unknown,
            // an answer that leaves open what was done: the record tells
            (false, true) => CallFate::Well,
            (false, false) => CallFate::HalfWay,
        };
        let touched = touching.finish(self.inner, ended).await;
        let undo_values = values(self.plan, &self.variables, None).ok().flatten();
        error.with_written(WrittenRecords {
            touched,
            undo_values,
        })
    }
}

fn sending<'s>(step: &StepPlan, prepared: &'s Prepared) -> Sending<'s> {
    Sending {
        step: step.number,
        method: &prepared.method,
        path: &prepared.path,
        body: prepared.body.as_ref(),
    }
}
