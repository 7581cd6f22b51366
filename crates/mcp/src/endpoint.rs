//! An endpoint: one MCP server surface and the one road to its tools. Knows no transport and no JSON-RPC.

mod builder;
mod catalog;
mod running;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use builder::{BuildProblem, BuildProblems, CacheScope, EndpointBuilder};
pub(crate) use catalog::Catalog;
pub use running::Running;

/// One MCP server surface: a name, instructions and tools for callers `C`. Cheap to clone; made by [`Endpoint::builder`].
pub struct Endpoint<C> {
    catalog: Arc<Catalog<C>>,
}

/// Why a call never reached a tool. Everything that goes wrong inside a tool is an [`crate::Output`] with `is_error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No tool of this name is visible to the caller.
    #[error("unknown tool: {0}")]
    UnknownTool(String),
    /// The arguments are not a JSON object.
    #[error("`arguments` must be an object")]
    ArgumentsNotAnObject,
}

impl<C: Send + Sync + 'static> Endpoint<C> {
    /// Starts an endpoint with the name and version it reports to clients.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> EndpointBuilder<C> {
        EndpointBuilder::new(name.into(), version.into())
    }

    /// Calls a tool: the one road that every transport, the embedding program and the tests take.
    ///
    /// The arguments are coerced along the tool's schema and validated; problems with them come back as an [`crate::Output`] with `is_error` that
    /// names them all. The call is bounded by the tool's time limit, and a panic in the tool ends this call and nothing else. Dropping the
    /// returned future cancels the call.
    ///
    /// # Errors
    /// [`CallError::UnknownTool`] when the caller sees no tool of that name, [`CallError::ArgumentsNotAnObject`] for other JSON.
    pub fn call(&self, tool: &str, arguments: Value, caller: impl Into<Arc<C>>) -> Running {
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            Value::Null => Map::new(),
            _ => return Running::refused(CallError::ArgumentsNotAnObject),
        };
        match self.catalog.find(tool) {
            Some(entry) => entry.start(arguments, caller.into()),
            None => Running::refused(CallError::UnknownTool(tool.to_owned())),
        }
    }

    /// The name this endpoint reports to clients.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.catalog.name
    }

    /// What `tools/list` answers: a JSON object with the key `tools`.
    #[must_use]
    pub fn tool_list(&self) -> &str {
        &self.catalog.tool_list
    }

    pub(crate) fn catalog(&self) -> &Catalog<C> {
        &self.catalog
    }
}

impl<C> Clone for Endpoint<C> {
    fn clone(&self) -> Self {
        Self { catalog: Arc::clone(&self.catalog) }
    }
}

impl<C> std::fmt::Debug for Endpoint<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Endpoint").field("name", &self.catalog.name).finish_non_exhaustive()
    }
}
