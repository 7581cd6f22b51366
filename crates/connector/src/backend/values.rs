//! Values between steps, and the filters over them: without jq where a filter is only a path, else
//! on a thread that may block.

use std::sync::{Arc, OnceLock};

use jaq_json::Val;

use super::Inner;
use crate::failure::BackendError;
use crate::jq::{self, Evaluation, FilterOrigin, Glue, Misfit, Program, Stop, Variables};
use crate::json::Admitted;

/// What is said of a filter that failed: its own text may hold values of the answer.
const UNEXPECTED: &str = "The answer did not have the form that this tool expects.";
/// Characters of a sentence that a filter may hand out.
const MAX_REFUSAL: usize = 500;

/// A value: as received, or made by a filter.
#[derive(Clone, Default)]
pub(super) enum Held {
    #[default]
    Nothing,
    Received(Arc<Received>),
    Made(Val),
}

/// JSON as received, and as a value once a filter asked for it.
pub(super) struct Received {
    pub(super) json: Admitted,
    value: OnceLock<Val>,
}

impl Held {
    pub(super) fn received(json: Admitted) -> Self {
        Self::Received(Arc::new(Received {
            json,
            value: OnceLock::new(),
        }))
    }

    pub(super) fn is_nothing(&self) -> bool {
        match self {
            Self::Nothing | Self::Made(Val::Null) => true,
            Self::Received(received) => received.json.text().trim() == "null",
            Self::Made(_) => false,
        }
    }

    /// The value, read when it was not.
    pub(super) fn value(&self) -> Result<Val, BackendError> {
        match self {
            Self::Nothing => Ok(Val::Null),
            Self::Made(value) => Ok(value.clone()),
            Self::Received(received) => {
                if let Some(value) = received.value.get() {
                    return Ok(value.clone());
                }
                let value = jq::read(&received.json)
                    .map_err(|why| BackendError::ours("The answer could not be read.", why))?;
                Ok(received.value.get_or_init(|| value).clone())
            }
        }
    }

    /// The value as JSON.
    pub(super) fn json(&self) -> Result<String, BackendError> {
        match self {
            Self::Nothing => Ok("null".into()),
            Self::Received(received) => Ok(received.json.text().trim().to_owned()),
            Self::Made(value) => to_json(value),
        }
    }
}

/// A value as JSON.
pub(super) fn to_json(value: &Val) -> Result<String, BackendError> {
    let mut out = String::new();
    jq::write(&mut out, value).map_err(|why| BackendError::ours(UNEXPECTED, why))?;
    Ok(out)
}

/// Filters, each with its input.
pub(super) type FilterRuns = Vec<(Glue, Held)>;

/// The value of one filter; null when it gives none.
pub(super) async fn one(
    inner: &Arc<Inner>,
    glue: &Glue,
    input: &Held,
    variables: &Variables,
) -> Result<Val, BackendError> {
    let values = each(inner, vec![(glue.clone(), input.clone())], variables).await?;
    Ok(values.into_iter().next().flatten().unwrap_or_default())
}

/// True when the filter gives anything but null and false.
pub(super) async fn is_true(
    inner: &Arc<Inner>,
    glue: &Glue,
    variables: &Variables,
) -> Result<bool, BackendError> {
    Ok(jq::is_true(
        &one(inner, glue, &Held::Nothing, variables).await?,
    ))
}

/// The value of each filter.
pub(super) async fn each(
    inner: &Arc<Inner>,
    runs: FilterRuns,
    variables: &Variables,
) -> Result<Vec<Option<Val>>, BackendError> {
    if runs.iter().all(|(glue, _)| !glue.needs_jq()) {
        return runs
            .iter()
            .map(|(glue, input)| run(inner, glue, input, variables))
            .collect();
    }
    let variables = variables.clone();
    blocking(inner, move |inner| {
        runs.iter()
            .map(|(glue, input)| run(inner, glue, input, &variables))
            .collect()
    })
    .await
}

/// The first values of a filter, or the first items of the one list it gives; at most `limit`.
pub(super) async fn several(
    inner: &Arc<Inner>,
    glue: &Glue,
    input: &Held,
    variables: &Variables,
    limit: usize,
) -> Result<Vec<Val>, BackendError> {
    let (glue, input, variables) = (glue.clone(), input.clone(), variables.clone());
    let mut values = blocking(inner, move |inner| match glue.evaluation() {
        Evaluation::Filter(filter) => {
            let input = input.value()?;
            filtered(inner, &glue, |program| {
                program.run_first(*filter, &variables, input, limit)
            })
        }
        _ => Ok(run(inner, &glue, &input, &variables)?.into_iter().collect()),
    })
    .await?;
    match values.as_slice() {
        [Val::Arr(list)] => Ok(list.iter().take(limit).cloned().collect()),
        [Val::Null] => Ok(Vec::new()),
        _ => Ok(std::mem::take(&mut values)),
    }
}

/// Work for a thread that may block and has the stack that filters need.
pub(super) async fn blocking<T: Send + 'static>(
    inner: &Arc<Inner>,
    work: impl FnOnce(&Inner) -> Result<T, BackendError> + Send + 'static,
) -> Result<T, BackendError> {
    let inner = Arc::clone(inner);
    let done = tokio::task::spawn_blocking(move || work(&inner)).await;
    done.map_err(|error| {
        BackendError::ours("A filter of this tool ended badly.", error.to_string())
    })?
}

/// The value of one filter, on this thread.
pub(super) fn run(
    inner: &Inner,
    glue: &Glue,
    input: &Held,
    variables: &Variables,
) -> Result<Option<Val>, BackendError> {
    let misfit = |Misfit(why): Misfit| failed(inner, glue, &why);
    let unread = match input {
        Held::Received(received) if received.value.get().is_none() => Some(received.json.text()),
        _ => None,
    };
    match (glue.evaluation(), unread) {
        (Evaluation::Plain(plain), Some(text)) => {
            return plain.value_in(variables, text).map_err(misfit);
        }
        (Evaluation::Either(a, b), Some(text)) => {
            return jq::either_in(a, b, variables, text).map_err(misfit);
        }
        _ => {}
    }
    match glue.evaluation() {
        Evaluation::Plain(plain) => plain.value(variables, &input.value()?).map_err(misfit),
        Evaluation::Either(a, b) => jq::either(a, b, variables, &input.value()?).map_err(misfit),
        Evaluation::Filter(filter) => {
            let input = input.value()?;
            let one = |program: &Program| {
                program
                    .run_one(*filter, variables, input)
                    .map(Vec::from_iter)
            };
            Ok(filtered(inner, glue, one)?.pop())
        }
    }
}

/// What a filter gives, within what the call may spend.
fn filtered(
    inner: &Inner,
    glue: &Glue,
    run: impl FnOnce(&Program) -> Result<Vec<Val>, Stop>,
) -> Result<Vec<Val>, BackendError> {
    inner.budget.filter()?;
    let program = &inner.compiled().program;
    program.prepare();
    let started = jq::worked();
    let found = run(program);
    inner.budget.filtered(jq::worked().saturating_sub(started));
    sound(inner, glue, found)
}

/// Values that can be passed on.
fn sound(
    inner: &Inner,
    glue: &Glue,
    found: Result<Vec<Val>, Stop>,
) -> Result<Vec<Val>, BackendError> {
    match found {
        Ok(values) => {
            let fault = values.iter().find_map(|value| jq::sound(value).err());
            fault.map_or(Ok(values), |why| {
                Err(failed(
                    inner,
                    glue,
                    &format!("made a value that cannot be passed on: {why}"),
                ))
            })
        }
        Err(Stop::Refused(sentence)) => Err(BackendError::caller(
            sentence.chars().take(MAX_REFUSAL).collect::<String>(),
        )),
        Err(Stop::Spent(spent)) => Err(failed(inner, glue, &format!("was ended: {spent:?}"))),
        Err(Stop::Many) => Err(failed(inner, glue, "gave more than one value")),
        Err(Stop::Failed(message)) => {
            let code = origin(inner, glue).map_or("", |origin| origin.code.as_str());
            Err(failed(inner, glue, &jq::without_values(&message, code)))
        }
    }
}

fn origin<'i>(inner: &'i Inner, glue: &Glue) -> Option<&'i FilterOrigin> {
    inner.compiled().origins.get(glue.origin?)
}

/// A filter that failed: a model reads that the answer was not as expected, a person and the log
/// which filter it was, and why.
fn failed(inner: &Inner, glue: &Glue, why: &str) -> BackendError {
    let name = &inner.compiled().name;
    let detail = match origin(inner, glue) {
        Some(FilterOrigin { part, line, .. }) => {
            format!("the filter {part} of connector {name} (line {line}): {why}")
        }
        None => format!("a filter of connector {name}: {why}"),
    };
    let plain = format!("{UNEXPECTED} For whoever wrote the connector file: {detail}.");
    BackendError::ours(UNEXPECTED, detail).with_plain(plain)
}
