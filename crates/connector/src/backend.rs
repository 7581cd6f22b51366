//! A connector with settings and an upstream: the place where calls enter. What a call does is in `backend/`.

mod cursor;
mod exchange;
mod list;
mod record;
mod row;
mod sentence;
mod steps;

use std::future::Future;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::connector::{Action, Compiled, Connector};
use crate::failure::CallError;
use crate::settings::Settings;
use crate::upstream::Upstream;

/// What a call gave: one compact JSON value.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The result, as it goes to the client.
    pub json: Box<RawValue>,
}

impl Outcome {
    fn new(json: String) -> Result<Self, CallError> {
        match RawValue::from_string(json) {
            Ok(json) => Ok(Self { json }),
            Err(error) => {
                Err(CallError::ours("The answer could not be written as JSON. This is a fault of Footbridge.", error.to_string()))
            }
        }
    }
}

/// One backend, ready to be called. Cheap to clone; calls share nothing but the upstream.
///
/// Arguments are expected to fit the tool's `input_schema`: they are not validated here. Filters run on the runtime's
/// blocking threads, which need [`crate::FILTER_STACK_BYTES`] of stack.
#[derive(Clone)]
pub struct Backend(Arc<Inner>);

struct Inner {
    connector: Connector,
    settings: Settings,
    upstream: Box<dyn Upstream>,
}

impl Inner {
    fn compiled(&self) -> &Compiled {
        &self.connector.0
    }
}

impl Backend {
    pub(crate) fn new(connector: Connector, settings: Settings, upstream: impl Upstream) -> Self {
        Self(Arc::new(Inner { connector, settings, upstream: Box::new(upstream) }))
    }

    /// The connector that this is.
    pub fn connector(&self) -> &Connector {
        &self.0.connector
    }

    /// Calls a tool by its name or alias. Dropping the future cancels the call.
    ///
    /// # Errors
    /// [`CallError`] with a text for the model, whose fault it was, and whether trying again is safe.
    pub fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
    ) -> impl Future<Output = Result<Outcome, CallError>> + Send + 'static + use<> {
        let inner = Arc::clone(&self.0);
        let action = inner.connector.tool(tool).map(|tool| tool.action.clone());
        let unknown =
            action.is_none().then(|| CallError::caller(format!("There is no tool `{tool}`. List the tools to see their names.")));
        async move {
            if let Some(error) = unknown {
                return Err(error);
            }
            match action {
                Some(Action::List(model)) => list::list(&inner, &model, arguments).await,
                Some(Action::Read(model)) => record::read(&inner, &model, &arguments).await,
                Some(Action::Create(model)) => record::create(&inner, &model, arguments).await,
                Some(Action::Update(model)) => record::update(&inner, &model, arguments).await,
                Some(Action::Delete(model)) => record::delete(&inner, &model, &arguments).await,
                Some(Action::Steps(steps)) => steps::run(&inner, &steps, arguments).await,
                None => Err(CallError::caller("There is no such tool.")),
            }
        }
    }
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend")
            .field("connector", &self.0.connector)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
