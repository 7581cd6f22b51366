//! An endpoint: one MCP server surface and the one road to its tools. Knows no transport and no
//! JSON-RPC.

mod builder;
mod catalog;
mod changing;
mod entries;
pub(crate) mod fence;
mod identity;
mod listing;
mod profile;
mod running;
mod things;
mod visible;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Map, Value};

use crate::arguments::Given;
use crate::call::RequestContext;
use crate::changes::{Change, Hub};
use crate::question::InputRequired;
use crate::tasks::Tasks;

pub use builder::EndpointBuilder;
pub(crate) use catalog::{Catalog, List, Seen, Unlisted};
pub use changing::Changes;
pub use entries::{ReadyPrompt, ReadyResource, ReadyTool};
pub(crate) use identity::Identity;
pub use profile::CacheScope;
pub use running::Running;
pub use visible::Visible;

/// One MCP server surface: a name, instructions and tools for callers `C`. Cheap to clone; made by
/// [`Endpoint::builder`].
pub struct Endpoint<C> {
    shared: Arc<Shared<C>>,
}

/// What the clones of an endpoint share.
struct Shared<C> {
    /// For what never changes.
    identity: Arc<Identity<C>>,
    catalog: RwLock<Arc<Catalog<C>>>,
    /// Held by whoever makes the next catalog of the present one.
    changing: Mutex<()>,
    hub: Arc<Hub>,
    tasks: Option<Arc<Tasks>>,
}

/// Why a call never reached a tool. Everything that goes wrong inside a tool is an
/// [`crate::Output`] with `is_error`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No tool of this name is visible to the caller.
    #[error("unknown tool: {0}")]
    UnknownTool(String),
    /// The arguments are not a JSON object.
    #[error("`arguments` must be an object")]
    ArgumentsNotAnObject,
    /// The user has to be asked first. Only a client of 2026-07-28 gets this far; it answers and
    /// calls again.
    #[error("the user has to be asked first")]
    InputRequired(Box<InputRequired>),
    /// The client did not declare these capabilities.
    #[error("the client did not declare a capability that this needs")]
    MissingCapability(Value),
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
}

impl<C: Send + Sync + 'static> Endpoint<C> {
    /// Starts an endpoint with the name and version it reports to clients.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> EndpointBuilder<C> {
        EndpointBuilder::new(name.into(), version.into())
    }

    /// Calls a tool: the one road that every transport, the embedding program and the tests take.
    ///
    /// The arguments are coerced along the tool's schema and validated; problems with them come
    /// back as an [`crate::Output`] with `is_error` that names them all. The call is bounded by the
    /// tool's time limit, and a panic in the tool ends this call and nothing else. Dropping the
    /// returned future cancels the call.
    ///
    /// # Errors
    /// [`CallError::UnknownTool`] when the caller sees no tool of that name,
    /// [`CallError::ArgumentsNotAnObject`] for other JSON.
    pub fn call(&self, tool: &str, arguments: Value, caller: impl Into<Arc<C>>) -> Running {
        self.call_within(tool, arguments, caller.into(), Arc::default())
    }

    /// The same for a request of a client.
    fn call_within(
        &self,
        tool: &str,
        arguments: Value,
        caller: Arc<C>,
        request: Arc<RequestContext>,
    ) -> Running {
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            Value::Null => Map::new(),
            _ => return Running::refused(CallError::ArgumentsNotAnObject),
        };
        let catalog = self.catalog();
        let seen = catalog.seen(&caller, || Arc::clone(&request));
        match seen.tool(tool) {
            Some(ready) => ready.start(Given::Unchecked(arguments), caller, request),
            None => Running::refused(CallError::UnknownTool(tool.to_owned())),
        }
    }

    /// The name this endpoint reports to clients.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.identity.profile.name
    }

    /// What `tools/list` answers this caller: a JSON object with the key `tools`.
    #[must_use]
    pub fn tool_list(&self, caller: impl Into<Arc<C>>) -> String {
        let list = self
            .catalog()
            .seen(&caller.into(), Arc::default)
            .list(List::Tools, None, None);
        String::from_utf8(list.unwrap_or_default().to_vec()).unwrap_or_default()
    }

    /// Tells every client that subscribed to it that a resource changed.
    pub fn resource_updated(&self, uri: impl Into<String>) {
        self.shared.hub.tell(&Change::Resource(uri.into()));
    }

    /// Tells the clients that a list may look different now, for instance because rights changed.
    /// Needs [`EndpointBuilder::announces_changes`].
    pub fn lists_changed(&self, change: &Change) {
        if self.shared.identity.profile.announces_changes {
            self.shared.hub.tell(change);
        }
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.shared.hub
    }

    pub(crate) fn tasks(&self) -> Option<&Arc<Tasks>> {
        self.shared.tasks.as_ref()
    }

    /// What is served now. A request looks once, so that all of it sees the same.
    pub(crate) fn catalog(&self) -> Arc<Catalog<C>> {
        Arc::clone(
            &self
                .shared
                .catalog
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn of(catalog: Catalog<C>) -> Self {
        let identity = Arc::clone(&catalog.identity);
        let tasks = identity.profile.tasks.clone();
        let tasks = tasks.map(|limits| Arc::new(Tasks::new(limits)));
        let catalog = RwLock::new(Arc::new(catalog));
        let shared = Shared {
            identity,
            catalog,
            changing: Mutex::default(),
            hub: Arc::default(),
            tasks,
        };
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl<C> Clone for Endpoint<C> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<C> std::fmt::Debug for Endpoint<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Endpoint")
            .field("name", &self.shared.identity.profile.name)
            .finish_non_exhaustive()
    }
}
