//! A request of a step with its values: path, parameters and body filled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{Method, StatusCode};
use jaq_json::Val;

use super::exchange::{self, Ask};
use super::values::{self, FilterRuns, Held, to_json};
use super::{Inner, charset};
use crate::connector::{BodyPlan, Request};
use crate::definition::Answer;
use crate::failure::BackendError;
use crate::jq::{self, Variable, Variables, plain_text};

/// Characters that all parameters of a request may have together.
const MAX_QUERY: usize = 16 << 10;

/// A request whose values are known.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Option<Val>,
}

impl Prepared {
    /// What is sent, with more parameters.
    pub(super) fn ask(
        &self,
        more: &[(&str, &str)],
        hints: Option<&Arc<BTreeMap<u16, String>>>,
        request: &Request,
    ) -> Result<Ask, BackendError> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(&self.query).extend_pairs(more);
        let query = pairs.finish();
        if query.len() > MAX_QUERY {
            return Err(BackendError::caller(format!(
                "The arguments make {} characters of parameters; at most {MAX_QUERY} are sent. Pass fewer or shorter values.",
                query.len()
            )));
        }
        let path = if query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{query}", self.path)
        };
        let body = self.body.as_ref().map(to_json).transpose()?;
        let ask = Ask::new(self.method.clone(), path, body);
        Ok(Ask {
            reads: request.reads,
            open: request.open,
            takes_any: request.answer != Answer::Json,
            takes_text: request.answer == Answer::Text,
            hints: hints.cloned(),
            ..ask
        })
    }
}

/// Fills a request in.
pub(super) async fn prepare(
    inner: &Arc<Inner>,
    request: &Request,
    variables: &Variables,
) -> Result<Prepared, BackendError> {
    let path = request.path.path(|name| value(inner, name, variables));
    let path = path.map_err(|why| BackendError::caller(format!("{why}: pass another value.")))?;
    let nothing = Held::Nothing;
    let mut runs: FilterRuns = request
        .query
        .iter()
        .map(|(_, filter)| (filter.clone(), nothing.clone()))
        .collect();
    match &request.body {
        Some(BodyPlan::Filter(filter)) => runs.push((filter.clone(), nothing)),
        Some(BodyPlan::Map(entries)) => runs.extend(
            entries
                .iter()
                .map(|entry| (entry.value.clone(), nothing.clone())),
        ),
        None => {}
    }
    let mut values = values::each(inner, runs, variables).await?.into_iter();
    let mut query = Vec::new();
    for ((key, _), value) in request.query.iter().zip(values.by_ref()) {
        parameters(&mut query, key, value.unwrap_or_default())?;
    }
    let body = match &request.body {
        Some(BodyPlan::Filter(_)) => Some(values.next().flatten().unwrap_or_default()),
        Some(BodyPlan::Map(entries)) => {
            let arguments_given = variables.get(Variable::Given);
            let cleared = |name: &String| jq::get(arguments_given, name) == Some(&Val::Null);
            let sent = entries.iter().zip(values).filter_map(|(entry, value)| {
                let value = value.unwrap_or_default();
                let goes = value != Val::Null || entry.clear.as_ref().is_some_and(cleared);
                goes.then(|| (Val::utf8_str(entry.name.clone()), value))
            });
            Some(Val::obj(sent.collect()))
        }
        None => None,
    };
    if let Some(name) = body.as_ref().and_then(with_null_character) {
        return Err(BackendError::caller(format!(
            "{name} holds the character NUL (U+0000), which no backend keeps: leave it out."
        )));
    }
    Ok(Prepared {
        method: request.method.clone(),
        path,
        query,
        body,
    })
}

/// The member of a body in which the character NUL is, which databases refuse after the request was
/// taken.
fn with_null_character(body: &Val) -> Option<String> {
    fn holds(value: &Val) -> bool {
        match value {
            Val::TStr(text) => text.contains(&0),
            Val::Arr(items) => items.iter().any(holds),
            Val::Obj(members) => members
                .iter()
                .any(|(name, value)| holds(name) || holds(value)),
            _ => false,
        }
    }
    match body {
        Val::Obj(members) => members
            .iter()
            .find(|(name, value)| holds(name) || holds(value))
            .map(|(name, _)| jq::text(name).unwrap_or_default().replace('\0', "")),
        other => holds(other).then(|| "What was passed".to_owned()),
    }
}

/// A list repeats the key; null is not sent.
fn parameters(
    query: &mut Vec<(String, String)>,
    key: &str,
    value: Val,
) -> Result<(), BackendError> {
    let values = match &value {
        Val::Arr(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    for value in values.iter().filter(|value| **value != Val::Null) {
        let Some(text) = plain_text(value) else {
            return Err(BackendError::ours(
                "A parameter of this tool is neither a text, a number nor a list of them.",
                format!("the query parameter {key}"),
            ));
        };
        query.push((key.to_owned(), text));
    }
    Ok(())
}

/// A name of a path template.
fn value(inner: &Inner, name: &str, variables: &Variables) -> Option<String> {
    let variable = |variable: Variable| variables.get(variable);
    let (head, rest) = name
        .split_once('.')
        .map_or((name, None), |(head, rest)| (head, Some(rest)));
    let root = match (head, rest) {
        ("settings", Some(name)) => return inner.settings.open.get(name).cloned(),
        ("steps", Some(_)) => variable(Variable::Steps),
        ("before", Some(_)) => variable(Variable::Before),
        ("after", Some(_)) => variable(Variable::After),
        ("me", Some(_)) => variable(Variable::Me),
        ("item", _) => variable(Variable::Item),
        ("in", None) => variable(Variable::In),
        ("value", None) => variable(Variable::Value),
        _ => return plain_text(jq::get(variable(Variable::Args), name)?),
    };
    plain_text(
        rest.into_iter()
            .flat_map(|rest| rest.split('.'))
            .try_fold(root, |value, key| jq::get(value, key))?,
    )
}

/// Whether everything that its path names is there.
pub(super) fn has_values(inner: &Inner, request: &Request, variables: &Variables) -> bool {
    request
        .path
        .names()
        .all(|name| value(inner, name, variables).is_some())
}

/// One read outside the steps of a tool, such as `before`: null when it is skipped or optional.
pub(super) async fn simple(
    inner: &Arc<Inner>,
    request: &Request,
    variables: &Variables,
) -> Result<Held, BackendError> {
    let read = read(inner, request, variables).await?;
    Ok(read.map_or(Held::Nothing, |(held, _)| held))
}

/// The same with the path and parameters that it was read under; none when it was skipped.
pub(super) async fn read(
    inner: &Arc<Inner>,
    request: &Request,
    variables: &Variables,
) -> Result<Option<(Held, String)>, BackendError> {
    if let Some(condition) = &request.condition
        && !values::is_true(inner, condition, variables).await?
    {
        return Ok(None);
    }
    let ask = prepare(inner, request, variables)
        .await?
        .ask(&[], None, request)?;
    let path = ask.path.clone();
    match send(inner, ask, request).await {
        Err(error) if is_optional(request, &error) => Ok(Some((Held::Nothing, path))),
        sent => Ok(Some((sent?, path))),
    }
}

/// One check before the backend is served: sent once, whatever comes.
pub(super) async fn check(
    inner: &Arc<Inner>,
    request: &Request,
    variables: &Variables,
) -> Result<Held, BackendError> {
    let ask = prepare(inner, request, variables)
        .await?
        .ask(&[], None, request)?;
    send(
        inner,
        Ask {
            is_check: true,
            ..ask
        },
        request,
    )
    .await
}

/// True for a status that means null.
pub(super) fn is_optional(request: &Request, error: &BackendError) -> bool {
    error
        .status()
        .is_some_and(|status| request.optional.contains(&status))
}

/// Sends it and reads the answer as the request wants it.
pub(super) async fn send(
    inner: &Arc<Inner>,
    ask: Ask,
    request: &Request,
) -> Result<Held, BackendError> {
    let reads = ask.reads;
    let collection = (!reads).then(|| ask.path.clone());
    let answer = exchange::send(inner, ask).await?;
    if let Some(path) = collection {
        inner.sources.wrote(inner, &path);
    }
    match request.answer {
        Answer::None => Ok(Held::Nothing),
        Answer::Text => {
            let text = charset::text(&answer.headers, &answer.body);
            let text = text.map_err(|what| {
                exchange::unreadable(inner, &format!("{what}, where a text was expected"), reads)
            })?;
            Ok(Held::Made(Val::utf8_str(
                inner.secrets.hide_in_text(&text).into_owned(),
            )))
        }
        Answer::Json => match exchange::admitted(inner, answer.body, reads)? {
            Some(json) => Ok(Held::received(json)),
            // what was changed is changed, whatever is said of it; a read that says nothing went
            // somewhere else
            None if !reads || answer.status == StatusCode::NO_CONTENT => Ok(Held::Nothing),
            None => {
                let title = &inner.compiled().title;
                let message = format!(
                    "{title} answered nothing where JSON was expected. Check that its address is that of the API."
                );
                Err(BackendError::backend(message, false))
            }
        },
    }
}
