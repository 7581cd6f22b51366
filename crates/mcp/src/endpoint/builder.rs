//! The builder of an endpoint: every problem is found and listed before anything is served.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::Endpoint;
use super::catalog::{Catalog, Hook};
use super::identity::Identity;
use super::layers::{EndpointRequest, Next, RequestLayer, RequestOutcome};
use super::listing::{Edit, Listing, ServedThing};
use super::profile::{CacheScope, Profile};
use super::things::Things;
use super::visible::Visible;
use crate::asking::StateKey;
use crate::build_problem::{BuildProblem, BuildProblems};
use crate::call::Call;
use crate::icon::Icon;
use crate::method::Method;
use crate::output::Failure;
use crate::prompt::Prompt;
use crate::resource::Resource;
#[cfg(feature = "skills")]
use crate::skill::Skills;
use crate::tasks::TaskLimits;
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
    profile: Profile<C>,
    state_key: Option<StateKey>,
    hook: Option<Hook<C>>,
    layers: Vec<Arc<dyn RequestLayer<C>>>,
    tools: Vec<Tool<C>>,
    resources: Vec<Resource<C>>,
    prompts: Vec<Prompt<C>>,
    methods: Vec<Method<C>>,
    #[cfg(feature = "skills")]
    skills: Vec<Skills<C>>,
}

impl<C: Send + Sync + 'static> EndpointBuilder<C> {
    pub(crate) fn new(name: String, version: String) -> Self {
        Self {
            profile: Profile::new(name, version),
            state_key: None,
            hook: None,
            layers: Vec::new(),
            tools: Vec::new(),
            resources: Vec::new(),
            prompts: Vec::new(),
            methods: Vec::new(),
            #[cfg(feature = "skills")]
            skills: Vec::new(),
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.profile.title = Some(title.into());
        self
    }

    /// Where people read about this server.
    #[must_use]
    pub fn website(mut self, url: impl Into<String>) -> Self {
        self.profile.website = Some(url.into());
        self
    }

    /// Adds a picture for people.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.profile.icons.push(icon);
        self
    }

    /// Guidance for the client. Some clients read only the first 512 characters.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.profile.instructions = Some(instructions.into());
        self
    }

    /// How long a client may keep the lists and what discovery says. Default: 60 s.
    #[must_use]
    pub fn list_ttl(mut self, ttl: Duration) -> Self {
        self.profile.list_ttl = ttl;
        self
    }

    /// For whom a client may keep them. Default: [`CacheScope::Private`].
    #[must_use]
    pub fn cache_scope(mut self, scope: CacheScope) -> Self {
        self.profile.cache_scope = scope;
        self
    }

    /// How many things a page of a list has; without it, a list is one page.
    #[must_use]
    pub fn page_size(mut self, size: std::num::NonZeroUsize) -> Self {
        self.profile.page_size = Some(size.get());
        self
    }

    /// The largest message that a client may send, in bytes: an HTTP body or a line on stdio.
    /// Default: [`crate::limits::MESSAGE_BYTES`].
    #[must_use]
    pub fn message_bytes(mut self, most: usize) -> Self {
        self.profile.message_bytes = most;
        self
    }

    /// Announces that tools write to the client's log with [`Call::log`].
    #[must_use]
    pub fn logging(mut self) -> Self {
        self.profile.logging = true;
        self
    }

    /// Lets clients subscribe to resources; tell them with [`Endpoint::resource_updated`].
    #[must_use]
    pub fn subscriptions(mut self) -> Self {
        self.profile.subscriptions = true;
        self.profile.announces_subscriptions = true;
        self
    }

    /// The same for clients that know of it: nobody is told.
    #[must_use]
    pub fn unannounced_subscriptions(mut self) -> Self {
        self.profile.subscriptions = true;
        self
    }

    /// Tells clients when lists change: after [`Endpoint::change`], and when
    /// [`Endpoint::lists_changed`] says so. Since anything may come while a client listens, such an
    /// endpoint says to everybody that it has tools, resources and prompts.
    #[must_use]
    pub fn announces_changes(mut self) -> Self {
        self.profile.announces_changes = true;
        self
    }

    /// Lets calls of tools that say so with [`Tool::task`] go on as tasks, for clients that know
    /// the extension `io.modelcontextprotocol/tasks` of 2026-07-28. A task is known to the caller
    /// who began it, as [`EndpointBuilder::principal`] tells callers apart; without that, to
    /// whoever knows its id, which cannot be guessed.
    #[must_use]
    pub fn tasks(mut self, limits: TaskLimits) -> Self {
        self.profile.tasks = Some(limits);
        self
    }

    /// The key that seals the state of calls that wait for answers. Servers behind one address
    /// share it; without one, it is new at each start.
    #[must_use]
    pub fn state_key(mut self, key: StateKey) -> Self {
        self.state_key = Some(key);
        self
    }

    /// What tells one caller from another, such as a user's id: the state of a waiting call is good
    /// for the caller who began it only.
    #[must_use]
    pub fn principal(mut self, principal: impl Fn(&C) -> String + Send + Sync + 'static) -> Self {
        self.profile.principal = Some(Arc::new(principal));
        self
    }

    /// A rule over the whole endpoint: it receives what a request may see by the rules of each
    /// thing, and returns what it does see. It can narrow the set, replace it, or add things for
    /// this request.
    #[must_use]
    pub fn visible(
        mut self,
        hook: impl Fn(&Call<C>, Visible<C>) -> Visible<C> + Send + Sync + 'static,
    ) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Puts a function around every request of a client, whatever its method and wherever it comes
    /// in, and around every call of the program with [`Endpoint::call`]: for audit, metrics, limits
    /// and traces. It goes on with [`Next::run`] or ends the request itself: with an outcome of its
    /// own, or with a [`Failure`], which is to the client as one of a tool or method is. Of several,
    /// the first one said is the outermost.
    ///
    /// The layer sees a request before anybody has looked at it, those among them that are refused,
    /// and its outcome as it goes to the client. A request that its client takes back, and a call
    /// that is one too many for it, are dropped with the layer in them. A call that becomes a task ends as [`crate::OutcomeKind::BecameTask`].
    ///
    /// A layer that panics ends its request with an error, and so does one that takes more than
    /// [`crate::limits::LAYER_TIME`] beside what it goes around. An endpoint without layers does
    /// nothing for them.
    ///
    /// ```
    /// use footbridge_mcp::{Call, Endpoint, EndpointRequest, Next, Output, Tool, fail};
    /// use serde_json::json;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let calls = Arc::new(AtomicUsize::new(0));
    /// let counted = Arc::clone(&calls);
    /// let endpoint = Endpoint::builder("counter", "1.0.0")
    ///     .tool(Tool::new("count", "", json!({"type": "object"}), |_: Call<()>| async {
    ///         Ok(Output::text("counted"))
    ///     }))
    ///     // The audit: who did what, how it ended, how large the answer was, how long it took.
    ///     .layer(|request: EndpointRequest<()>, next: Next| async move {
    ///         let start = std::time::Instant::now();
    ///         let outcome = next.run().await;
    ///         println!("{} {:?} {:?}: {:?}, {} bytes, {:?}", request.method(), request.name(),
    ///             request.client().name(), outcome.kind(), outcome.bytes(), start.elapsed());
    ///         Ok(outcome)
    ///     })
    ///     // A limit.
    ///     .layer(move |request: EndpointRequest<()>, next: Next| {
    ///         let count = counted.fetch_add(1, Ordering::Relaxed);
    ///         async move {
    ///             if request.method() == "tools/call" && count >= 1 {
    ///                 return Err(fail("that was the last call of today; come back tomorrow"));
    ///             }
    ///             Ok(next.run().await)
    ///         }
    ///     })
    ///     .build()?;
    /// let client = endpoint.test(());
    /// assert_eq!(client.call("count", json!({})).await?.text(), "counted");
    /// assert!(client.call("count", json!({})).await?.is_error());
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[must_use]
    pub fn layer<F, R>(mut self, layer: F) -> Self
    where
        F: Fn(EndpointRequest<C>, Next) -> R + Send + Sync + 'static,
        R: Future<Output = Result<RequestOutcome, Failure>> + Send + 'static,
    {
        self.layers.push(Arc::new(layer));
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

    /// Tells clients of pages that do not say that they show them, too. Else those see tools and
    /// resources as if there were no pages: see [`Tool::page`].
    #[must_use]
    pub fn pages_for_everybody(mut self) -> Self {
        self.profile.announces_pages = true;
        self
    }

    /// Adds skills: folders of instructions for language models.
    #[cfg(feature = "skills")]
    #[must_use]
    pub fn skills(mut self, skills: Skills<C>) -> Self {
        self.skills.push(skills);
        self
    }

    /// Lets a plugin add to the endpoint: a function, often of another crate, over every context
    /// that can serve what it adds.
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
    /// Every problem at once: names and addresses that clients refuse, names used twice, schemas
    /// and templates that are not valid, `x-mcp-header` where it may not stand, rules about who
    /// sees what where the lists are [`CacheScope::Public`], calls that must become tasks where
    /// there are none, pages of tools that are not served.
    #[cfg_attr(
        not(feature = "skills"),
        expect(unused_mut, reason = "skills add resources")
    )]
    pub fn build(mut self) -> Result<Endpoint<C>, BuildProblems> {
        let mut problems = Vec::new();
        let mut things = Things::default();
        #[cfg(feature = "skills")]
        self.take_skills(&mut things, &mut problems);
        for tool in self.tools {
            let names = std::iter::once(&tool.name)
                .chain(&tool.aliases)
                .cloned()
                .collect();
            add(&mut things.tools, names, tool.ready(), &mut problems);
        }
        for resource in self.resources {
            let listing = if resource.is_template {
                &mut things.templates
            } else {
                &mut things.resources
            };
            add(
                listing,
                vec![resource.address.clone()],
                resource.ready(),
                &mut problems,
            );
        }
        for prompt in self.prompts {
            add(
                &mut things.prompts,
                vec![prompt.name.clone()],
                prompt.ready(),
                &mut problems,
            );
        }
        for method in self.methods {
            add(
                &mut things.methods,
                vec![method.name.clone()],
                method.ready(),
                &mut problems,
            );
        }
        if self.profile.name.trim().is_empty() || self.profile.version.trim().is_empty() {
            problems.push(BuildProblem::new(
                &self.profile.name,
                "an endpoint needs a name and a version: clients are told both".to_owned(),
            ));
        }
        let of_tasks = self.profile.tasks.iter().flat_map(TaskLimits::problems);
        problems.extend(of_tasks.map(|problem| BuildProblem::new(&self.profile.name, problem)));
        let state_key = self
            .state_key
            .map_or_else(StateKey::random, Ok)
            .map_err(|error| {
                problems.push(BuildProblem::new(
                    &self.profile.name,
                    format!("no random bytes for the state key: {error}"),
                ));
            });
        let Ok(state_key) = state_key else {
            return Err(BuildProblems(problems));
        };
        let profile = Profile {
            layers: self.layers.into(),
            ..self.profile
        };
        let identity = Identity::new(profile, state_key);
        match Catalog::new(Arc::new(identity), things, self.hook) {
            Ok(catalog) if problems.is_empty() => Ok(Endpoint::of(catalog)),
            Ok(_) => Err(BuildProblems(problems)),
            Err(BuildProblems(more)) => {
                Err(BuildProblems(problems.into_iter().chain(more).collect()))
            }
        }
    }
}

#[cfg(feature = "skills")]
impl<C: Send + Sync + 'static> EndpointBuilder<C> {
    /// Makes resources of the files of skills, and checks both.
    fn take_skills(&mut self, things: &mut Things<C>, problems: &mut Vec<BuildProblem>) {
        for skills in std::mem::take(&mut self.skills) {
            let checked = match skills.checked() {
                Ok(checked) => checked,
                Err(found) => {
                    problems.extend(found);
                    continue;
                }
            };
            self.profile.announces_skills |= checked.is_announced_to_everybody;
            for skill in checked.skills {
                let added = things.skills.edit(Edit::Add(Arc::new(skill.into())));
                problems.extend(added.err().into_iter().flatten());
            }
            let ttl = self.profile.list_ttl;
            self.resources
                .extend(checked.resources.into_iter().map(|file| file.ttl(ttl)));
        }
    }
}

/// Adds one thing, or notes what is wrong with it and that its names are used twice.
fn add<C, T: ServedThing<C>>(
    listing: &mut Listing<T>,
    names: Vec<String>,
    checked: Result<Arc<T>, BuildProblems>,
    problems: &mut Vec<BuildProblem>,
) {
    match checked {
        Ok(thing) => problems.extend(listing.edit(Edit::Add(thing)).err().into_iter().flatten()),
        Err(BuildProblems(more)) => {
            problems.extend(listing.claim(
                names.first().map_or("", String::as_str),
                names.iter().map(String::as_str),
            ));
            problems.extend(more);
        }
    }
}

impl<C> fmt::Debug for EndpointBuilder<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EndpointBuilder")
            .field("name", &self.profile.name)
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}
