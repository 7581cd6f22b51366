//! A resource: one read, handed out as a text.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::values::{self, Held};
use super::{Backend, Inner, MAX_REQUESTS, request};
use crate::connector::ConnectorResource;
use crate::failure::BackendError;
use crate::jq::{self, Variable};

impl Backend {
    /// The text of a resource, by its name and the values of its address.
    ///
    /// # Errors
    /// As [`Backend::call`]; a value that does not fit its pattern is the caller's fault.
    pub fn read_resource(
        &self,
        name: &str,
        values: Map<String, Value>,
    ) -> impl Future<Output = Result<String, BackendError>> + Send + 'static + use<> {
        let inner = self.begin(MAX_REQUESTS);
        let at = inner
            .compiled()
            .resources
            .iter()
            .position(|resource| resource.name == name);
        let unknown = BackendError::caller(format!("There is no resource `{name}`."));
        async move {
            let resource = at.and_then(|at| inner.compiled().resources.get(at));
            let Some(resource) = resource.filter(|resource| resource.admits(&values)) else {
                return Err(unknown);
            };
            read(&inner, resource, &values).await
        }
    }
}

/// The text of a resource: what its filter gives, a text as it is and anything else as JSON.
async fn read(
    inner: &Arc<Inner>,
    resource: &ConnectorResource,
    variables_of_uri: &Map<String, Value>,
) -> Result<String, BackendError> {
    let mut variables = inner.variables();
    variables.set(
        Variable::Args,
        jq::from_json(&Value::Object(variables_of_uri.clone())),
    );
    let answer = request::simple(inner, &resource.request, &variables).await?;
    let held = match &resource.result {
        Some(filter) => Held::Made(values::one(inner, filter, &answer, &variables).await?),
        None => answer,
    };
    let value = held.value()?;
    jq::text(&value).map_or_else(|| held.json(), |text| Ok(text.into_owned()))
}
