//! An endpoint: one MCP server surface, what it serves, and the one start of a call. Knows no
//! transport.

mod builder;
mod call_error;
mod catalog;
mod changing;
mod entries;
pub(crate) mod fence;
mod identity;
pub(crate) mod layers;
mod listing;
mod profile;
mod ready_results;
mod running;
mod skills;
mod start;
mod things;
mod visible;

use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use ::http::Extensions;
use serde_json::Value;

use crate::call::RequestContext;

use crate::changes::{Change, Hub};
use crate::tasks::Tasks;

pub use builder::EndpointBuilder;
pub use call_error::CallError;
pub(crate) use catalog::{Catalog, SeenThings};
pub use changing::Changes;
pub use entries::{ReadyPrompt, ReadyResource, ReadyTool};
pub(crate) use identity::Identity;
pub use layers::{EndpointRequest, Next, RequestOutcome};
pub use profile::CacheScope;
pub(crate) use ready_results::{List, Unlisted};
pub use running::Running;
pub(crate) use start::{CalledFrom, SentArguments, Started, ToolCall};
pub use visible::Visible;

/// One MCP server surface: a name, instructions and tools for callers `C`. Cheap to clone; made by
/// [`Endpoint::builder`].
pub struct Endpoint<C> {
    shared: Arc<EndpointShared<C>>,
}

/// The parts that the clones of an endpoint share.
struct EndpointShared<C> {
    /// For what never changes.
    identity: Arc<Identity<C>>,
    catalog: RwLock<Arc<Catalog<C>>>,
    /// Held by whoever makes the next catalog of the present one.
    changing: Mutex<()>,
    hub: Arc<Hub>,
    tasks: Option<Arc<Tasks>>,
}

impl<C: Send + Sync + 'static> Endpoint<C> {
    /// Starts an endpoint with the name and version it reports to clients.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> EndpointBuilder<C> {
        EndpointBuilder::new(name.into(), version.into())
    }

    /// Calls a tool from within the program. The call is admitted and started as a client's is.
    ///
    /// The arguments are coerced along the tool's schema and validated; problems with them come
    /// back as an [`crate::Output`] of [`crate::ErrorKind::Arguments`] that names them all. The
    /// call is bounded by the tool's time limit, and a panic in the tool ends this call and nothing
    /// else. Dropping the returned future cancels the call.
    ///
    /// What [`EndpointBuilder::layer`] put around requests goes around the call too.
    ///
    /// The caller is what tells the tool how its result is wanted; what the tool has to say to the
    /// program and not to a client, it says with [`crate::Output::with_extension`].
    ///
    /// # Errors
    /// [`CallError::UnknownTool`] when the caller sees no tool of that name,
    /// [`CallError::ArgumentsNotAnObject`] for other JSON, [`CallError::MissingCapability`] for a
    /// tool that needs something of its client, such as to ask its user: a program declares nothing.
    pub fn call(&self, tool: &str, arguments: Value, caller: impl Into<Arc<C>>) -> Running {
        self.call_in(tool, arguments, caller.into(), Arc::default())
    }

    /// The same with a value for the tool, which finds it with [`crate::Call::extension`]: what the
    /// program has to say beside the arguments, as a client never can.
    ///
    /// ```
    /// use footbridge_mcp::{Call, Endpoint, Output, Tool};
    /// use serde_json::json;
    ///
    /// #[derive(Clone)]
    /// struct Quietly;
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let tool = Tool::new("ring", "", json!({"type": "object"}), |call: Call<()>| async move {
    ///     Ok(Output::text(if call.extension::<Quietly>().is_some() { "..." } else { "Ring!" }))
    /// });
    /// let endpoint = Endpoint::builder("bell", "1.0.0").tool(tool).build()?;
    /// assert_eq!(endpoint.call("ring", json!({}), ()).await?.first_text(), Some("Ring!"));
    /// let quiet = endpoint.call_with("ring", json!({}), (), Quietly).await?;
    /// assert_eq!(quiet.first_text(), Some("..."));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Endpoint::call`].
    pub fn call_with<T: Clone + Send + Sync + 'static>(
        &self,
        tool: &str,
        arguments: Value,
        caller: impl Into<Arc<C>>,
        extension: T,
    ) -> Running {
        let mut extensions = Extensions::new();
        extensions.insert(extension);
        let request = RequestContext {
            extensions,
            ..RequestContext::default()
        };
        self.call_in(tool, arguments, caller.into(), Arc::new(request))
    }

    fn call_in(
        &self,
        tool: &str,
        arguments: Value,
        caller: Arc<C>,
        context: Arc<RequestContext>,
    ) -> Running {
        if !self.has_layers() {
            return self.start(tool, arguments, &caller, &context);
        }
        let layers = Arc::clone(&self.shared.identity.profile.layers);
        let sent = arguments.clone();
        let (endpoint, named, calling) = (self.clone(), tool.to_owned(), Arc::clone(&caller));
        let work = Box::pin(async move { endpoint.start(&named, sent, &calling, &context).await });
        let request = EndpointRequest::of_program(tool, arguments, &caller, work);
        Running::layered(Box::pin(async move {
            layers::within(request, layers, 0).await.into_call()
        }))
    }

    /// Starts a call of the program, within all layers.
    fn start(
        &self,
        tool: &str,
        arguments: Value,
        caller: &Arc<C>,
        request: &Arc<RequestContext>,
    ) -> Running {
        let catalog = self.catalog();
        let started = catalog.things_for(caller, || Arc::clone(request)).start(
            ToolCall {
                name: tool,
                arguments: SentArguments::Value(arguments),
                caller,
                request,
                from: CalledFrom::Program,
            },
            |_, _| Ok(()),
        );
        started.map_or_else(Running::refused, |started| started.running)
    }

    /// The endpoint for a tool of its own, which would hold it forever otherwise.
    #[must_use]
    pub fn downgrade(&self) -> WeakEndpoint<C> {
        WeakEndpoint {
            shared: Arc::downgrade(&self.shared),
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
            .things_for(&caller.into(), Arc::default)
            .list(List::Tools, None, None);
        String::from_utf8(list.unwrap_or_default().to_vec()).unwrap_or_default()
    }

    /// Whether this caller may call a tool of this name, listed or not.
    #[must_use]
    pub fn has_tool(&self, name: &str, caller: impl Into<Arc<C>>) -> bool {
        let catalog = self.catalog();
        let seen = catalog.things_for(&caller.into(), Arc::default);
        seen.tool(name).is_some()
    }

    /// Tells every client that subscribed to it that a resource changed.
    pub fn resource_updated(&self, uri: impl Into<String>) {
        self.shared.hub.tell(&Change::Resource(uri.into()));
    }

    /// Completes when a client is subscribed to this resource; at once when one is. For a resource
    /// that costs something to follow.
    pub async fn resource_subscribed(&self, uri: &str) {
        let change = Change::Resource(uri.to_owned());
        self.shared.hub.heard(&change).await;
    }

    /// Whether a client is subscribed to this resource.
    #[must_use]
    pub fn is_resource_subscribed(&self, uri: &str) -> bool {
        let change = Change::Resource(uri.to_owned());
        self.shared.hub.is_heard(&change)
    }

    /// Tells the clients that a list may look different now, for instance because rights changed.
    /// Needs [`EndpointBuilder::announces_changes`].
    pub fn lists_changed(&self, change: &Change) {
        if self.shared.identity.profile.announces_changes {
            self.shared.hub.tell(change);
        }
    }

    /// The largest message of a client, in bytes.
    pub(crate) fn message_bytes(&self) -> usize {
        self.shared.identity.profile.message_bytes
    }

    /// Whether anything goes around its requests.
    pub(crate) fn has_layers(&self) -> bool {
        !self.shared.identity.profile.layers.is_empty()
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
        let shared = EndpointShared {
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

/// An [`Endpoint`] that does not keep it; made by [`Endpoint::downgrade`].
pub struct WeakEndpoint<C> {
    shared: Weak<EndpointShared<C>>,
}

impl<C> WeakEndpoint<C> {
    /// The endpoint, while anybody else has it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Endpoint<C>> {
        let shared = self.shared.upgrade()?;
        Some(Endpoint { shared })
    }
}

impl<C> Clone for WeakEndpoint<C> {
    fn clone(&self) -> Self {
        Self {
            shared: Weak::clone(&self.shared),
        }
    }
}

impl<C> std::fmt::Debug for WeakEndpoint<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WeakEndpoint")
            .finish_non_exhaustive()
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
