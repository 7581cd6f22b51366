//! A resource: one read, handed out as a text.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::values::{self, Held};
use super::{Inner, request};
use crate::connector::Resource;
use crate::failure::BackendError;
use crate::jq::{self, Variable};

/// The text of a resource: what its filter gives, a text as it is and anything else as JSON.
pub(super) async fn read(
    inner: &Arc<Inner>,
    resource: &Resource,
    given: &Map<String, Value>,
) -> Result<String, BackendError> {
    let mut variables = inner.variables();
    variables.set(Variable::Args, jq::from_json(&Value::Object(given.clone())));
    let answer = request::simple(inner, &resource.request, &variables).await?;
    let held = match &resource.result {
        Some(filter) => Held::Made(values::one(inner, filter, &answer, &variables).await?),
        None => answer,
    };
    let value = held.value()?;
    jq::text(&value).map_or_else(|| held.json(), |text| Ok(text.into_owned()))
}
