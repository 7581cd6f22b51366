//! Building an endpoint: every problem is found and listed before anything is served.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;

use super::Endpoint;
use super::catalog::{Catalog, Hook};
use super::entries::{ReadyPrompt, ReadyResource, ReadyTemplate, ReadyTool};
use super::identity::{CacheScope, Identity, Principal};
use super::listing::Listing;
use super::visible::Visible;
use crate::asking::StateKey;
use crate::call::Call;
use crate::icon::Icon;
use crate::method::Method;
use crate::prompt::Prompt;
use crate::resource::Resource;
use crate::tool::Tool;

/// Starts an endpoint whose version is that of the crate in which this stands.
///
/// ```
/// let endpoint = footbridge_mcp::endpoint!("notes").build()?;
/// # let _: footbridge_mcp::Endpoint<()> = endpoint;
/// # Ok::<(), footbridge_mcp::BuildProblems>(())
/// ```
#[macro_export]
macro_rules! endpoint {
    ($name:expr) => {
        $crate::Endpoint::builder($name, env!("CARGO_PKG_VERSION"))
    };
}

/// Collects what an endpoint consists of.
pub struct EndpointBuilder<C> {
    name: String,
    version: String,
    title: Option<String>,
    website: Option<String>,
    icons: Vec<Icon>,
    instructions: Option<String>,
    list_ttl: Duration,
    cache_scope: CacheScope,
    page_size: Option<usize>,
    logging: bool,
    subscriptions: bool,
    announces_changes: bool,
    state_key: Option<StateKey>,
    principal: Principal<C>,
    hook: Option<Hook<C>>,
    tools: Vec<Tool<C>>,
    resources: Vec<Resource<C>>,
    prompts: Vec<Prompt<C>>,
    methods: Vec<Method<C>>,
}

/// One thing that is wrong with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildProblem {
    /// The name of the tool or prompt, or the address of the resource.
    pub name: String,
    /// What is wrong, in one sentence.
    pub problem: String,
}

/// Everything that is wrong with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildProblems(pub Vec<BuildProblem>);

impl fmt::Display for BuildProblems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, BuildProblem { name, problem }) in self.0.iter().enumerate() {
            let break_before = if index == 0 { "" } else { "\n" };
            write!(formatter, "{break_before}{name:?}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildProblems {}

impl<C: Send + Sync + 'static> EndpointBuilder<C> {
    pub(super) fn new(name: String, version: String) -> Self {
        Self {
            name,
            version,
            title: None,
            website: None,
            icons: Vec::new(),
            instructions: None,
            list_ttl: Duration::from_secs(60),
            cache_scope: CacheScope::Private,
            page_size: None,
            logging: false,
            subscriptions: false,
            announces_changes: false,
            state_key: None,
            principal: None,
            hook: None,
            tools: Vec::new(),
            resources: Vec::new(),
            prompts: Vec::new(),
            methods: Vec::new(),
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Where people read about this server.
    #[must_use]
    pub fn website(mut self, url: impl Into<String>) -> Self {
        self.website = Some(url.into());
        self
    }

    /// Adds a picture for people.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Guidance for the model. Some clients read only the first 512 characters.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// How long a client may keep the lists, and for whom. Default: 60 s, [`CacheScope::Private`].
    #[must_use]
    pub fn list_cache(mut self, ttl: Duration, scope: CacheScope) -> Self {
        self.list_ttl = ttl;
        self.cache_scope = scope;
        self
    }

    /// How many things a page of a list has; without it, a list is one page.
    #[must_use]
    pub fn page_size(mut self, size: std::num::NonZeroUsize) -> Self {
        self.page_size = Some(size.get());
        self
    }

    /// Announces that tools write to the client's log with [`Call::log`].
    #[must_use]
    pub fn logging(mut self) -> Self {
        self.logging = true;
        self
    }

    /// Lets clients subscribe to resources; tell them with [`Endpoint::resource_updated`].
    #[must_use]
    pub fn subscriptions(mut self) -> Self {
        self.subscriptions = true;
        self
    }

    /// Tells clients when lists change, as [`Endpoint::lists_changed`] says.
    #[must_use]
    pub fn announces_changes(mut self) -> Self {
        self.announces_changes = true;
        self
    }

    /// The key that seals the state of calls that wait for answers. Servers behind one address share it; without one, it is new at each start.
    #[must_use]
    pub fn state_key(mut self, key: StateKey) -> Self {
        self.state_key = Some(key);
        self
    }

    /// What tells one caller from another, such as a user's id: the state of a waiting call is good for the caller who began it only.
    #[must_use]
    pub fn principal(mut self, principal: impl Fn(&C) -> String + Send + Sync + 'static) -> Self {
        self.principal = Some(Arc::new(principal));
        self
    }

    /// A rule over the whole endpoint: it receives what a request may see by the rules of each thing, and returns what it does see. It can
    /// narrow the set, replace it, or add tools for this request.
    #[must_use]
    pub fn visible(mut self, hook: impl Fn(&Call<C>, Visible<C>) -> Visible<C> + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Adds a tool; things are listed in the order they were added.
    #[must_use]
    pub fn tool(mut self, tool: Tool<C>) -> Self {
        self.tools.push(tool);
        self
    }

    /// Adds several tools.
    #[must_use]
    pub fn tools(mut self, tools: impl IntoIterator<Item = Tool<C>>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Adds a resource, or a template of resources.
    #[must_use]
    pub fn resource(mut self, resource: Resource<C>) -> Self {
        self.resources.push(resource);
        self
    }

    /// Adds a prompt.
    #[must_use]
    pub fn prompt(mut self, prompt: Prompt<C>) -> Self {
        self.prompts.push(prompt);
        self
    }

    /// Adds a method of the application's own, or replaces one of the protocol.
    #[must_use]
    pub fn method(mut self, method: Method<C>) -> Self {
        self.methods.push(method);
        self
    }

    /// Lets a plugin add to the endpoint: a function, often of another crate, over every context that can serve what it adds.
    ///
    /// ```
    /// use footbridge_mcp::{Call, Endpoint, EndpointBuilder, Failure, Run, Tool};
    ///
    /// /// What the plugin needs of a context.
    /// pub trait Visits: Send + Sync + 'static {
    ///     fn visits(&self) -> u64;
    /// }
    ///
    /// /// Count the visits.
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct CountVisits;
    ///
    /// impl<C: Visits> Run<C> for CountVisits {
    ///     type Output = String;
    ///     async fn run(self, call: &Call<C>) -> Result<String, Failure> {
    ///         Ok(call.caller.visits().to_string())
    ///     }
    /// }
    ///
    /// pub fn visits<C: Visits>(endpoint: EndpointBuilder<C>) -> EndpointBuilder<C> {
    ///     endpoint.tool(Tool::of::<CountVisits>())
    /// }
    ///
    /// struct Site;
    /// impl Visits for Site {
    ///     fn visits(&self) -> u64 { 7 }
    /// }
    /// let endpoint: Endpoint<Site> = footbridge_mcp::endpoint!("site").plugin(visits).build()?;
    /// # Ok::<(), footbridge_mcp::BuildProblems>(())
    /// ```
    #[must_use]
    pub fn plugin(self, add: impl FnOnce(Self) -> Self) -> Self {
        add(self)
    }

    /// Checks everything and makes the endpoint.
    ///
    /// # Errors
    /// Every problem at once: names that clients refuse, names used twice, schemas and templates that are not valid, `x-mcp-header` where it may
    /// not stand.
    pub fn build(self) -> Result<Endpoint<C>, BuildProblems> {
        let mut problems = Vec::new();
        let (templates, resources): (Vec<_>, Vec<_>) = self.resources.into_iter().partition(|resource| resource.is_template);
        let names = |tool: &Tool<C>| std::iter::once(&tool.name).chain(&tool.aliases).cloned().collect();
        let tools = ready(self.tools, names, ReadyTool::new, &mut problems);
        let address = |resource: &Resource<C>| vec![resource.address.clone()];
        let resources = ready(resources, address, ReadyResource::new, &mut problems);
        let templates = ready(templates, address, |one| ReadyResource::new(one).map(ReadyTemplate), &mut problems);
        let prompts = ready(self.prompts, |prompt| vec![prompt.name.clone()], ReadyPrompt::new, &mut problems);
        let mut further_capabilities = Map::new();
        let mut methods = HashMap::new();
        for method in self.methods {
            let mut problem = |text: String| problems.push(BuildProblem { name: method.name.clone(), problem: text });
            method.problem().into_iter().for_each(&mut problem);
            if methods.contains_key(&method.name) {
                problem("the method is there twice".to_owned());
            }
            if let Some((name, value)) = &method.capability {
                further_capabilities.insert(name.clone(), value.clone());
            }
            methods.insert(method.name.clone(), Arc::new(method));
        }
        let state_key = self.state_key.map_or_else(StateKey::random, Ok).map_err(|error| {
            problems.push(BuildProblem { name: String::new(), problem: format!("no random bytes for the state key: {error}") });
        });
        match state_key {
            Ok(state_key) if problems.is_empty() => {
                let identity = Identity {
                    name: self.name,
                    version: self.version,
                    title: self.title,
                    website: self.website,
                    icons: self.icons,
                    instructions: self.instructions,
                    list_ttl: self.list_ttl,
                    cache_scope: self.cache_scope,
                    page_size: self.page_size,
                    logging: self.logging,
                    further_capabilities,
                    subscriptions: self.subscriptions,
                    announces_changes: self.announces_changes,
                    state_key,
                    principal: self.principal,
                    modern_meta: String::new(),
                    modern_tail: String::new(),
                };
                let catalog = Catalog::new(identity.complete(), tools, resources, templates, prompts, self.hook, methods);
                Ok(Endpoint { catalog: Arc::new(catalog), hub: Arc::default() })
            }
            _ => Err(BuildProblems(problems)),
        }
    }
}

/// Makes things of one kind ready, and notes what is wrong with them and names that are used twice. The first name of each is its own.
fn ready<S, T>(
    sources: Vec<S>,
    names: impl Fn(&S) -> Vec<String>,
    make: impl Fn(S) -> Result<T, Vec<String>>,
    problems: &mut Vec<BuildProblem>,
) -> Listing<T> {
    let (mut entries, mut by_name) = (Vec::new(), HashMap::new());
    for source in sources {
        let names = names(&source);
        let own = names.first().cloned().unwrap_or_default();
        let mut problem = |text: String| problems.push(BuildProblem { name: own.clone(), problem: text });
        for name in names {
            if by_name.insert(name.clone(), entries.len()).is_some() {
                problem(format!("the name {name:?} is used twice"));
            }
        }
        match make(source) {
            Err(texts) => texts.into_iter().for_each(problem),
            Ok(entry) => entries.push(Arc::new(entry)),
        }
    }
    Listing::new(entries, by_name)
}

impl<C> fmt::Debug for EndpointBuilder<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EndpointBuilder").field("name", &self.name).field("tools", &self.tools).finish_non_exhaustive()
    }
}
