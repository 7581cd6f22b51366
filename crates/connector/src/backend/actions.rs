//! Actions: an HTTP request → the arguments of calls, and what the calls gave → the answer. Calls
//! nothing itself.

use std::sync::Arc;

use jaq_json::Val;
use serde_json::{Map, Value};

use super::values::{self, Held, to_json};
use super::{Inner, Outcome};
use crate::connector::RestAction;
use crate::failure::BackendError;
use crate::jq::{self, Variables};
use crate::json::Admitted;

/// Calls that one request may make.
const MAX_CALLS: usize = 50;

/// The arguments of each call that the request wants. `request` is `{query: {name: [values]},
/// body}`.
pub(super) async fn arguments(
    inner: &Arc<Inner>,
    action: &RestAction,
    request: &Value,
) -> Result<Vec<Map<String, Value>>, BackendError> {
    let input = Held::Made(jq::from_json(request));
    let found = if action.is_several {
        values::several(
            inner,
            &action.arguments,
            &input,
            &Variables::default(),
            MAX_CALLS + 1,
        )
        .await?
    } else {
        vec![values::one(inner, &action.arguments, &input, &Variables::default()).await?]
    };
    if found.len() > MAX_CALLS {
        return Err(BackendError::caller(format!(
            "The request makes more than {MAX_CALLS} calls. Ask in parts."
        )));
    }
    found.iter().map(object).collect()
}

fn object(value: &Val) -> Result<Map<String, Value>, BackendError> {
    if *value == Val::Null {
        return Ok(Map::new());
    }
    let read = serde_json::from_str(&to_json(value)?);
    read.map_err(|error| {
        BackendError::ours(
            "This action does not make arguments of the request.",
            error.to_string(),
        )
    })
}

/// The answer for what the calls gave, each with its arguments.
pub(super) async fn answer(
    inner: &Arc<Inner>,
    action: &RestAction,
    calls: Vec<(Map<String, Value>, Outcome)>,
) -> Result<String, BackendError> {
    let value = |outcome: Outcome| {
        let json = outcome.records.unwrap_or(outcome.json);
        let admitted = Admitted::new(json.into());
        admitted
            .map(Held::received)
            .map_err(|why| BackendError::ours("The result could not be read.", why.to_string()))
    };
    let input = if action.is_several {
        let mut list = Vec::new();
        for (arguments, outcome) in calls {
            let pair = [
                ("args", jq::from_json(&Value::Object(arguments))),
                ("result", value(outcome)?.value()?),
            ];
            list.push(Val::obj(
                pair.into_iter()
                    .map(|(name, value)| (Val::utf8_str(name), value))
                    .collect(),
            ));
        }
        Held::Made(list.into_iter().collect())
    } else {
        calls
            .into_iter()
            .next()
            .map_or(Ok(Held::Nothing), |(_, outcome)| value(outcome))?
    };
    match &action.result {
        Some(filter) => to_json(&values::one(inner, filter, &input, &Variables::default()).await?),
        None => input.json(),
    }
}
