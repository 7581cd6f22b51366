//! A tool of its own: arguments, checks, lookups, the record before, its steps, its result.

mod arguments;
mod done;
mod repeat;
mod result;
mod undo;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use jaq_json::Val;
use serde_json::{Map, Value};

use super::step_list::{self, ItemList, WantedItems};
use super::tidy::TidyRules;
use super::touching::{CallFate, Touching};
use super::values::{self, Held};
use super::{Inner, Options, Outcome, conflict, request, view_columns};
use crate::connector::{Does, Each, Plan, Request, StepPlan};
use crate::definition::{Answer, Failures};
use crate::failure::BackendError;
use crate::fence;
use crate::fence::cut::{self, Window};
use crate::jq::{self, Glue, Variable, Variables};
use crate::touched::WrittenRecords;
use arguments::Paged;
use done::Done;
use result::Finished;
pub(super) use undo::take_back;

/// What a step gave.
#[derive(Clone)]
enum Given {
    Value(Held),
    List(Arc<ItemList>),
}

impl Given {
    fn value(&self) -> Result<Val, BackendError> {
        match self {
            Self::Value(held) => held.value(),
            Self::List(listed) => listed.value(),
        }
    }
}

/// A call on its way.
struct StepsRun<'c> {
    inner: &'c Arc<Inner>,
    plan: &'c Arc<Plan>,
    options: &'c Options,
    variables: Variables,
    paged: Paged,
    named: Vec<(String, Val)>,
    last: Option<Given>,
    done: Done,
    /// Reads that were refused with an optional status, and why.
    unavailable: Mutex<Vec<(String, String)>>,
    /// Texts that the backend answered as they are.
    answered: Mutex<Vec<String>>,
    /// Sentences of ours that stand in values, fences and all.
    own: Mutex<Vec<String>>,
    /// Arguments that could have meant something else, and what they were taken for.
    taken: Vec<(String, String)>,
    /// The records that it touches, where somebody records what it writes.
    touching: Option<Touching>,
    /// Its steps are those that take a call back.
    is_undoing: bool,
}

pub(super) async fn run(
    inner: &Arc<Inner>,
    plan: &Arc<Plan>,
    arguments: Map<String, Value>,
    options: Options,
) -> Result<Outcome, BackendError> {
    let mut run = begin(inner, plan, arguments, &options).await?;
    for batch in &plan.batches {
        if let Err((step, error)) = run.batch(batch).await {
            return Err(run.failed(step, error).await);
        }
    }
    let shown = options.view.as_deref();
    let shown = shown.map(|view| (view, run.variables.clone()));
    let nothing = Done::new(run.done.rules().clone());
    let done = std::mem::replace(&mut run.done, nothing);
    let Some(touching) = run.touching.take().filter(Touching::has_begun) else {
        let finished = result::finish(run)
            .await
            .map_err(|error| done.then(error))?;
        let columns = match shown {
            Some((view, variables)) => view_columns::of(inner, view, &variables).await,
            None => None,
        };
        return Ok(Outcome {
            columns,
            ..finished.outcome
        });
    };
    let variables = run.variables.clone();
    let finished = result::finish(run).await;
    let touched = touching.finish(inner, CallFate::Well).await;
    let after = finished.as_ref().ok().and_then(|done| done.after.clone());
    let undo_values = undo::values(plan, &variables, after.as_deref())?;
    match finished {
        Ok(Finished { outcome, .. }) => Ok(Outcome {
            touched,
            undo_values,
            ..outcome
        }),
        Err(error) => Err(done.then(error).with_written(WrittenRecords {
            touched,
            undo_values,
        })),
    }
}

/// What a person is asked before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// For the person.
    pub text: String,
    /// For a model: fenced, because the backend's words stand in it.
    pub fenced: String,
}

/// What a person is asked before the change; none when the tool has nothing to ask. Changes
/// nothing.
pub(super) async fn confirmation(
    inner: &Arc<Inner>,
    plan: &Arc<Plan>,
    arguments: Map<String, Value>,
) -> Result<Option<Question>, BackendError> {
    let Some(filter) = &plan.confirm else {
        return Ok(None);
    };
    let options = Options::default();
    let run = begin(inner, plan, arguments, &options).await?;
    let sentence = values::one(inner, filter, &Held::Nothing, &run.variables).await?;
    let question = |text: Cow<'_, str>| Question {
        fenced: fence::around(&text),
        text: text.into_owned(),
    };
    Ok(jq::text(&sentence).map(question))
}

/// Everything before the first step: arguments, checks, lookups, the record before.
async fn begin<'c>(
    inner: &'c Arc<Inner>,
    plan: &'c Arc<Plan>,
    arguments: Map<String, Value>,
    options: &'c Options,
) -> Result<StepsRun<'c>, BackendError> {
    let mut variables = inner.variables();
    let arguments = arguments::read(inner, plan, arguments, &variables).await?;
    let (given, paged) = arguments::admit(plan, arguments)?;
    variables.set(
        Variable::Given,
        jq::from_json(&Value::Object(given.clone())),
    );
    let maybe_part = plan.writes && cut::refuse(&given, None).is_err();
    let written = maybe_part.then(|| given.clone());
    variables.set(Variable::Args, arguments::with_defaults(plan, given));
    variables.set(Variable::Steps, Val::obj(jaq_json::Map::default()));
    for (unless, say) in &plan.checks {
        if !values::is_true(inner, unless, &variables).await? {
            return Err(BackendError::caller(say.clone()));
        }
    }
    if plan.uses_me {
        let me = inner.session.me(inner).await?;
        variables.set(Variable::Me, me);
    }
    let mut run = StepsRun {
        paged,
        ..idle(inner, plan, options, variables)
    };
    run.lookups(&plan.first_lookups).await?;
    if let Some(before) = &plan.before {
        let read = request::read(inner, before, &run.variables).await?;
        if let (Some(touching), Some((held, path))) = (&run.touching, &read) {
            touching.saw(path, held);
        }
        let image = read.map_or(Ok(Val::Null), |(held, _)| held.value())?;
        run.variables.set(Variable::Before, image);
    }
    if let Some(written) = &written {
        let image = Some(run.variables.get(Variable::Before)).filter(|image| **image != Val::Null);
        let stored = image
            .map(values::to_json)
            .transpose()?
            .map(|json| serde_json::from_str::<Value>(&json).unwrap_or_default());
        cut::refuse(written, stored.as_ref())?;
    }
    run.lookups(&plan.later_lookups).await?;
    Ok(run)
}

/// A run that has done nothing yet.
fn idle<'c>(
    inner: &'c Arc<Inner>,
    plan: &'c Arc<Plan>,
    options: &'c Options,
    variables: Variables,
) -> StepsRun<'c> {
    StepsRun {
        inner,
        plan,
        options,
        variables,
        paged: Paged::default(),
        named: Vec::new(),
        last: None,
        done: Done::new(TidyRules {
            window: Window {
                from: None,
                limit: inner.compiled().text_limit.min(done::MAX_TOLD),
                goes_on: false,
            },
            keeps_empty: false,
            ..TidyRules::whole(inner.fencing, Arc::clone(&plan.untrusted))
        }),
        unavailable: Mutex::default(),
        answered: Mutex::default(),
        own: Mutex::default(),
        taken: Vec::new(),
        touching: options
            .witness
            .as_ref()
            .filter(|_| plan.writes)
            .map(Touching::new),
        is_undoing: false,
    }
}

impl StepsRun<'_> {
    /// Steps that run together; the first failure in written order counts.
    async fn batch<'s>(
        &mut self,
        batch: &'s [StepPlan],
    ) -> Result<(), (&'s StepPlan, BackendError)> {
        let ran: Vec<Result<Option<Given>, BackendError>> = match batch {
            [step] => vec![self.step(step).await],
            steps => {
                let run = &*self;
                join_all(steps.iter().map(|step| run.read(step))).await
            }
        };
        for (step, ran) in batch.iter().zip(ran) {
            let step_value = ran.map_err(|error| (step, error))?;
            if let Some(name) = &step.name {
                let value = step_value
                    .as_ref()
                    .map_or(Ok(Val::Null), Given::value)
                    .map_err(|error| (step, error))?;
                self.named.push((name.clone(), value));
            }
            if step_value.is_some() {
                self.last = step_value;
            }
        }
        if batch.iter().any(|step| step.name.is_some()) {
            let steps = self
                .named
                .iter()
                .map(|(name, value)| (Val::utf8_str(name.clone()), value.clone()));
            self.variables
                .set(Variable::Steps, Val::obj(steps.collect()));
        }
        Ok(())
    }

    /// One step; none when it was skipped.
    async fn step(&mut self, step: &StepPlan) -> Result<Option<Given>, BackendError> {
        if !self.goes(step).await? {
            return Ok(None);
        }
        match &step.does {
            Does::Let(filter) => {
                let input = match &self.last {
                    Some(Given::Value(held)) => held.clone(),
                    Some(list) => Held::Made(list.value()?),
                    None => Held::Nothing,
                };
                let value = values::one(self.inner, filter, &input, &self.variables).await?;
                Ok(Some(Given::Value(Held::Made(value))))
            }
            Does::Keep(source, within) => {
                let value = self.source_value(*source, within.as_ref()).await?;
                Ok(Some(Given::Value(Held::Made(value))))
            }
            Does::Send(request) => match &step.each {
                Some(each) => self.each(step, each, request).await.map(Some),
                None if request.reads => self.get(step, request).await.map(Some),
                None => {
                    let value = self.write(step, request, None).await?;
                    self.done.add(step, &value)?;
                    Ok(Some(Given::Value(value)))
                }
            },
        }
    }

    /// What a source has, in a scope; null without one that it needs.
    async fn source_value(
        &self,
        source: usize,
        within: Option<&Glue>,
    ) -> Result<Val, BackendError> {
        let scope = match within {
            Some(within) => {
                values::one(self.inner, within, &Held::Nothing, &self.variables).await?
            }
            None => Val::Null,
        };
        if within.is_some() && scope == Val::Null {
            return Ok(Val::Null);
        }
        let text = jq::plain_text(&scope).unwrap_or_default();
        let me = self.variables.get(Variable::Me).clone();
        let sources = &self.inner.sources;
        let loaded = sources.load(self.inner, source, (&text, &scope), &me, None);
        Ok(loaded.await?.value)
    }

    async fn goes(&self, step: &StepPlan) -> Result<bool, BackendError> {
        match &step.condition {
            Some(condition) => values::is_true(self.inner, condition, &self.variables).await,
            None => Ok(true),
        }
    }

    /// A step that only reads.
    async fn read(&self, step: &StepPlan) -> Result<Option<Given>, BackendError> {
        if !self.goes(step).await? {
            return Ok(None);
        }
        match (&step.does, &step.each) {
            (Does::Send(request), None) => self.get(step, request).await.map(Some),
            (Does::Send(request), Some(each)) => self.read_each(each, request).await.map(Some),
            (Does::Let(_) | Does::Keep(..), _) => Ok(None),
        }
    }

    /// What a read gives: null for an optional status, which is told unless it only means that
    /// nothing is there. Of a list that is not the result, the page that failed is told too.
    async fn get(&self, step: &StepPlan, request: &Request) -> Result<Given, BackendError> {
        let tell = |why: &str| {
            let unavailable = (done::label(step), why.to_owned());
            self.unavailable
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(unavailable);
        };
        match self.ask(request).await {
            Err(error) if request::is_optional(request, &error) => {
                if !matches!(error.status(), Some(404 | 410)) {
                    tell(error.message());
                }
                Ok(Given::Value(Held::Nothing))
            }
            Ok(Given::List(listed)) => {
                let is_result = request.pages.as_ref().is_some_and(|pages| pages.is_main);
                if let Some(note) = listed.note() {
                    self.says(note);
                    if !is_result {
                        tell(note);
                    }
                }
                Ok(Given::List(listed))
            }
            asked => asked,
        }
    }

    /// A sentence of ours stands in a value from now on.
    fn says(&self, sentence: &str) {
        self.own
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sentence.to_owned());
    }

    fn says_why<T>(&self, ran: &Result<T, BackendError>) {
        if let Err(error) = ran {
            self.says(error.message());
        }
    }

    async fn ask(&self, request: &Request) -> Result<Given, BackendError> {
        let prepared = request::prepare(self.inner, request, &self.variables).await?;
        if let Some(pages) = &request.pages {
            let wanted = if pages.is_main {
                self.paged
                    .wanted(&self.plan.tool, pages, self.options.keeps_records)
            } else if self.plan.has_fields_of_rows {
                WantedItems {
                    fields: self.paged.fields.clone(),
                    ..WantedItems::all(pages)
                }
            } else {
                WantedItems::all(pages)
            };
            let listed = step_list::read(
                self.inner,
                pages,
                request,
                &prepared,
                wanted,
                &self.variables,
                Some(&self.plan.hints),
            )
            .await?;
            // what names nothing is not asked about; the tool's hints are about its own requests
            if let Some(empty) = pages.empty.as_ref().filter(|_| listed.items.is_empty())
                && request::has_values(self.inner, empty, &self.variables)
            {
                request::simple(self.inner, empty, &self.variables).await?;
            }
            return Ok(Given::List(Arc::new(listed)));
        }
        if let Some(until) = &request.until {
            return self
                .until(request, &prepared, until)
                .await
                .map(Given::Value);
        }
        let ask = prepared.ask(&[], Some(&self.plan.hints), request)?;
        let path = self.touching.as_ref().map(|_| ask.path.clone());
        let value = request::send(self.inner, ask, request).await?;
        self.hears(request, &value);
        if let (Some(touching), Some(path)) = (&self.touching, path) {
            touching.saw(&path, &value);
        }
        Ok(Given::Value(value))
    }

    /// What the backend said is a text of its own, wherever a filter puts it.
    fn hears(&self, request: &Request, value: &Held) {
        if let (Answer::Text, Held::Made(text)) = (request.answer, value)
            && let Some(text) = jq::text(text)
        {
            self.answered
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(text.into_owned());
        }
    }

    /// A change; made again once when the record moved on without touching the same fields.
    async fn write(
        &mut self,
        step: &StepPlan,
        request: &Request,
        item: Option<&Val>,
    ) -> Result<Held, BackendError> {
        let mut variables = self.variables.clone();
        if let Some(item) = item {
            variables.set(Variable::Item, item.clone());
        }
        let prepared = request::prepare(self.inner, request, &variables).await?;
        let ask = prepared.ask(&[], Some(&self.plan.hints), request)?;
        self.begin_writing(step, &prepared).await?;
        let error = match request::send(self.inner, ask, request).await {
            Ok(value) => {
                self.hears(request, &value);
                self.wrote(step, &prepared, &value);
                return Ok(value);
            }
            Err(error) if request::is_optional(request, &error) => return Ok(Held::Nothing),
            Err(error) => error,
        };
        if error
            .status()
            .is_some_and(|status| (400..500).contains(&status))
        {
            self.was_refused(step, &prepared);
        }
        let Some(before) = self.plan.before.as_ref().filter(|_| error.is_conflict()) else {
            return Err(error);
        };
        match conflict::decide(
            self.inner,
            request,
            before,
            &prepared,
            &self.plan.touches,
            &variables,
            error,
        )
        .await?
        {
            conflict::Way::Refuse(error) => Err(error),
            conflict::Way::Again(prepared, now) => {
                if let Some(touching) = &mut self.touching {
                    let read = request::prepare(self.inner, before, &self.variables).await?;
                    let held = Held::Made(now.clone());
                    if read.query.is_empty() {
                        touching.read_again(self.inner, &read.path, &held).await?;
                    }
                }
                self.variables.set(Variable::Before, now);
                self.begin_writing(step, &prepared).await?;
                let ask = prepared.ask(&[], Some(&self.plan.hints), request)?;
                let value = request::send(self.inner, ask, request).await?;
                self.wrote(step, &prepared, &value);
                Ok(value)
            }
        }
    }

    async fn items(&self, each: &Each) -> Result<Vec<Val>, BackendError> {
        let items = values::several(
            self.inner,
            &each.items,
            &Held::Nothing,
            &self.variables,
            each.at_most + 1,
        )
        .await?;
        if items.len() > each.at_most {
            let message = format!(
                "There are more than {} items to go through; nothing was done with them. Do it in parts.",
                each.at_most
            );
            return Err(BackendError::caller(message));
        }
        Ok(items)
    }

    /// Once for each item, one at a time.
    async fn each(
        &mut self,
        step: &StepPlan,
        each: &Each,
        request: &Request,
    ) -> Result<Given, BackendError> {
        if request.reads {
            return self.read_each(each, request).await;
        }
        let mut outcomes = Vec::new();
        for item in self.items(each).await? {
            let ran = self.write(step, request, Some(&item)).await;
            if let Ok(value) = &ran {
                self.done.add_item(step, &item, value)?;
            }
            self.says_why(&ran);
            let stops = ran.is_err() && each.failures == Failures::Stop;
            outcomes.push((item, ran.and_then(|held| held.value())));
            if stops {
                break;
            }
        }
        done::of_items(each.failures, outcomes)
    }

    async fn read_each(&self, each: &Each, request: &Request) -> Result<Given, BackendError> {
        let mut outcomes = Vec::new();
        for item in self.items(each).await? {
            let mut variables = self.variables.clone();
            variables.set(Variable::Item, item.clone());
            let read = async {
                let ask = request::prepare(self.inner, request, &variables)
                    .await?
                    .ask(&[], Some(&self.plan.hints), request)?;
                match request::send(self.inner, ask, request).await {
                    Err(error) if request::is_optional(request, &error) => Ok(Val::Null),
                    sent => {
                        let value = sent?;
                        self.hears(request, &value);
                        value.value()
                    }
                }
            };
            let ran = read.await;
            self.says_why(&ran);
            let stops = ran.is_err() && each.failures == Failures::Stop;
            outcomes.push((item, ran));
            if stops {
                break;
            }
        }
        done::of_items(each.failures, outcomes)
    }
}
