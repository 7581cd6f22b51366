//! A tool of its own: its steps in order, then its result.

use jaq_json::Val;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::sync::Arc;

use super::exchange::{self, Ask};
use super::{Inner, Outcome};
use crate::connector::{Connector, Does, Steps};
use crate::failure::CallError;
use crate::jq::{self, FilterId, Stop, VARIABLES};
use crate::json::{Admitted, push_compact};

/// A value between steps: as received, or made by a filter.
#[derive(Clone)]
enum Held {
    Json(Admitted),
    Made(String),
    Nothing,
}

impl Held {
    fn text(&self) -> &str {
        match self {
            Self::Json(json) => json.text(),
            Self::Made(text) => text,
            Self::Nothing => "null",
        }
    }
}

pub(super) async fn run(inner: &Inner, tool: &Arc<Steps>, mut arguments: Map<String, Value>) -> Result<Outcome, CallError> {
    for (name, default) in &tool.defaults {
        arguments.entry(name.clone()).or_insert_with(|| default.clone());
    }
    let mut run = Run { inner, arguments: Value::Object(arguments), named: Vec::new(), last: Held::Nothing };
    for step in &tool.steps {
        let value = match &step.does {
            Does::Let(filter) => run.filter(*filter).await?,
            Does::Get { path, query } => {
                let path =
                    path.path(|name| run.value(name)).map_err(|why| CallError::caller(format!("{why}: pass another value.")))?;
                let query = run.query(query).await?;
                let path = if query.is_empty() { path } else { format!("{path}?{query}") };
                exchange::json(inner, Ask::get(path)).await?.map_or(Held::Nothing, Held::Json)
            }
        };
        if let Some(name) = &step.name {
            run.named.push((name.clone(), value.clone()));
        }
        run.last = value;
    }
    if let Some(filter) = tool.result {
        run.last = run.filter(filter).await?;
    }
    let raw: &RawValue = serde_json::from_str(run.last.text().trim())
        .map_err(|error| CallError::ours("The result could not be read.", error.to_string()))?;
    let mut json = String::with_capacity(raw.get().len());
    push_compact(&mut json, raw);
    Outcome::new(json)
}

struct Run<'i> {
    inner: &'i Inner,
    arguments: Value,
    named: Vec<(String, Held)>,
    last: Held,
}

impl Run<'_> {
    /// A name in a path.
    fn value(&self, name: &str) -> Option<String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        match name.split_once('.') {
            None => self.arguments.get(name).and_then(text),
            Some(("settings", name)) => self.inner.settings.open.get(name).cloned(),
            Some(("steps", rest)) => {
                let mut keys = rest.split('.');
                let step = keys.next()?;
                let held = &self.named.iter().find(|(name, _)| name == step)?.1;
                let value: Value = serde_json::from_str(held.text()).ok()?;
                text(keys.try_fold(&value, |value, key| value.get(key))?)
            }
            Some(_) => None,
        }
    }

    /// The value of one filter over the last step's value.
    async fn filter(&self, filter: FilterId) -> Result<Held, CallError> {
        let values = self.filters(vec![filter]).await?;
        Ok(values.into_iter().next().flatten().map_or(Held::Nothing, Held::Made))
    }

    async fn query(&self, query: &[(String, FilterId)]) -> Result<String, CallError> {
        if query.is_empty() {
            return Ok(String::new());
        }
        let values = self.filters(query.iter().map(|(_, filter)| *filter).collect()).await?;
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        for ((key, _), value) in query.iter().zip(values) {
            let value: Value = value.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            let values = match value {
                Value::Array(values) => values,
                one => vec![one],
            };
            for value in values {
                match value {
                    Value::Null => {}
                    Value::String(text) => {
                        pairs.append_pair(key, &text);
                    }
                    other => {
                        pairs.append_pair(key, &other.to_string());
                    }
                }
            }
        }
        Ok(pairs.finish())
    }

    /// Runs filters on a thread that may block and has the stack for it.
    async fn filters(&self, filters: Vec<FilterId>) -> Result<Vec<Option<String>>, CallError> {
        let job = Job {
            connector: self.inner.connector.clone(),
            arguments: self.arguments.clone(),
            settings: self.inner.settings.open.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect(),
            named: self.named.clone(),
            last: self.last.clone(),
        };
        let done = tokio::task::spawn_blocking(move || job.run(&filters)).await;
        done.map_err(|error| CallError::ours("A filter of this tool ended badly.", error.to_string()))?
    }
}

/// What filters need, on its way to their thread.
struct Job {
    connector: Connector,
    arguments: Value,
    settings: Map<String, Value>,
    named: Vec<(String, Held)>,
    last: Held,
}

impl Job {
    fn run(self, filters: &[FilterId]) -> Result<Vec<Option<String>>, CallError> {
        let unreadable = |why: &str| CallError::ours("The answer could not be read.", why);
        let read = |held: &Held| match held {
            Held::Json(json) => jq::read(json).map_err(unreadable),
            Held::Made(text) => Admitted::new(text.clone().into())
                .map_err(|why| unreadable(&why.to_string()))
                .and_then(|json| jq::read(&json).map_err(unreadable)),
            Held::Nothing => Ok(Val::Null),
        };
        let mut steps = jaq_json::Map::default();
        for (name, held) in &self.named {
            steps.insert(Val::utf8_str(name.clone()), read(held)?);
        }
        let settings = jq::from_json(&Value::Object(self.settings));
        let variables: [Val; VARIABLES.len()] = [jq::from_json(&self.arguments), settings, Val::obj(steps), Val::Null];
        let last = read(&self.last)?;
        filters.iter().map(|filter| one(&self.connector, *filter, &variables, last.clone())).collect()
    }
}

fn one(
    connector: &Connector,
    filter: FilterId,
    variables: &[Val; VARIABLES.len()],
    input: Val,
) -> Result<Option<String>, CallError> {
    let message = "The answer did not have the form that this tool expects.";
    let name = connector.name();
    let failed = |why: String| CallError::ours(message, format!("filter {} of connector {name} {why}", filter.0));
    match connector.0.program.run(filter, variables, input) {
        Ok(None | Some(Val::Null)) => Ok(None),
        Ok(Some(value)) => {
            let mut text = String::new();
            jq::write(&mut text, &value).map_err(|why| failed(format!("made a value that cannot be passed on: {why}")))?;
            Ok(Some(text))
        }
        Err(Stop::Spent(spent)) => Err(failed(format!("was ended: {spent:?}"))),
        Err(Stop::Many) => Err(failed("gave more than one value".into())),
        // the text may hold values of the answer: it goes nowhere
        Err(Stop::Failed(_)) => Err(failed("failed".into())),
    }
}
