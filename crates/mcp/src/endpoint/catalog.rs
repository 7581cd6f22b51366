//! The catalog of an endpoint: what it serves at one moment; what does not depend on a request is
//! serialised once, when it is first asked for.

use std::cell::OnceCell;
use std::sync::Arc;

use bytes::Bytes;

use super::entries::{ReadyPrompt, ReadyResource, ReadyTool};
use super::identity::Identity;
use super::listing::{Listed, Listing, ServedThing, ToldExtensions, page};
use super::profile::{CacheScope, OfferedKinds};
use super::ready_results::{List, ListRequest, ReadyResults, Unlisted};
use super::skills::{self, ReadySkill};
use super::things::Things;
use super::visible::Visible;
use crate::arguments::Arguments;
use crate::build_problem::{BuildProblem, BuildProblems};
use crate::call::{Call, RequestContext};
use crate::client::Client;
use crate::method::Method;
use crate::revision::Revision;
use crate::tasks::TaskUse;

/// Narrows, replaces or widens what a request may see.
pub(crate) type Hook<C> = Arc<dyn Fn(&Call<C>, Visible<C>) -> Visible<C> + Send + Sync>;

/// The things of an endpoint and what it says of itself. Never changes: a change of what is served
/// makes another one.
pub(crate) struct Catalog<C> {
    pub(crate) identity: Arc<Identity<C>>,
    pub(super) things: Things<C>,
    pub(super) hook: Option<Hook<C>>,
    /// Whether requests may differ in what they see.
    is_ruled: bool,
    /// Whether nothing of the application runs before the work of a request begins, and nothing
    /// comes of its beginning.
    begins_quietly: bool,
    /// Whether there is a page, or a tool that has to do with pages, or a hook may add one.
    may_have_pages: bool,
    /// By the extensions that clients are told of; those that nobody is told of are missing.
    ready: Vec<(ToldExtensions, ReadyResults)>,
}

impl<C: Send + Sync + 'static> Catalog<C> {
    /// Checks everything.
    ///
    /// # Errors
    /// A public list of things that not everybody sees, tools that cannot be called.
    pub(super) fn new(
        identity: Arc<Identity<C>>,
        things: Things<C>,
        hook: Option<Hook<C>>,
    ) -> Result<Self, BuildProblems> {
        let mut problems = Vec::new();
        if identity.profile.tasks.is_none() {
            let alone = things
                .tools
                .entries()
                .iter()
                .filter(|tool| tool.task == Some(TaskUse::Required));
            let text = "its calls must become tasks, and the endpoint has none; say `EndpointBuilder::tasks`";
            problems.extend(alone.map(|tool| BuildProblem::new(tool.name(), text.to_owned())));
        }
        let ruled = things.ruled();
        let is_ruled = hook.is_some() || !ruled.is_empty();
        if identity.profile.cache_scope == CacheScope::Public && is_ruled {
            let private = "use `CacheScope::Private`, or take the rule away (`for_everybody`)";
            let of_things = ruled.into_iter().map(|name| {
                BuildProblem::new(
                    name,
                    format!("it has a rule about who sees it, and the lists are `CacheScope::Public`; {private}"),
                )
            });
            let of_hook = hook.iter().map(|_| {
                BuildProblem::new(
                    &identity.profile.name,
                    format!("`visible` decides who sees what, and the lists are `CacheScope::Public`; {private}"),
                )
            });
            problems.extend(of_things.chain(of_hook));
        }
        // What a hook adds is not known here.
        if hook.is_none() {
            problems.extend(things.tools_without_their_page());
        }
        if !problems.is_empty() {
            return Err(BuildProblems(problems));
        }
        let begins_tasks = identity.profile.tasks.is_some();
        let begins_quietly = !is_ruled
            && things
                .tools
                .entries()
                .iter()
                .all(|tool| tool.admission.is_none() && !(begins_tasks && tool.task.is_some()));
        let has_pages = things.has_pages();
        let may_have_pages = has_pages || hook.is_some();
        let has_skills = !things.skills.entries().is_empty();
        let mut ready = Vec::new();
        for skills in [false, true].into_iter().take(1 + usize::from(has_skills)) {
            for pages in [false, true].into_iter().take(1 + usize::from(has_pages)) {
                ready.push((ToldExtensions { skills, pages }, ReadyResults::default()));
            }
        }
        Ok(Self {
            identity,
            things,
            hook,
            is_ruled,
            begins_quietly,
            may_have_pages,
            ready,
        })
    }

    fn has_skills(&self) -> bool {
        !self.things.skills.entries().is_empty()
    }

    /// Of what a client is told: it says that it knows it, or everybody is told.
    fn extensions_told(&self, client: &Client) -> ToldExtensions {
        let profile = &self.identity.profile;
        ToldExtensions {
            skills: self.has_skills()
                && (profile.announces_skills || client.extension(skills::EXTENSION).is_some()),
            pages: self.may_have_pages && (profile.announces_pages || client.shows_pages()),
        }
    }

    /// A whole list as whoever sees everything gets it, made once; nothing is one that is not
    /// offered. Nothing is kept of lists that have pages.
    fn ready_list(
        &self,
        list: List,
        is_marked: bool,
        told: ToldExtensions,
    ) -> Option<Option<Bytes>> {
        if self.identity.profile.page_size.is_some() {
            return None;
        }
        let (_, ready) = self.ready.iter().find(|(known, _)| *known == told)?;
        ready.list(list, is_marked, || {
            let everything = SeenThings {
                catalog: self,
                view: View::Everything,
                told: OnceCell::from(told),
                client: None,
            };
            let request = ListRequest {
                list,
                cursor: None,
                revision: is_marked.then_some(Revision::NEWEST_MODERN),
            };
            everything.made_list(request).ok()
        })
    }

    /// A method of the application's own, whether the request may see it or not.
    pub(crate) fn method(&self, name: &str) -> Option<&Arc<Method<C>>> {
        self.things.methods.find(name)
    }

    /// Whether nothing of the application runs before the work of a request begins, and nothing
    /// comes of its beginning.
    pub(crate) fn begins_quietly(&self) -> bool {
        self.begins_quietly
    }

    /// What a request may see.
    pub(crate) fn things_for(
        &self,
        caller: &Arc<C>,
        request: impl FnOnce() -> Arc<RequestContext>,
    ) -> SeenThings<'_, C> {
        let is_everybody_alike = !self.has_skills() && !self.may_have_pages;
        if !self.is_ruled && is_everybody_alike {
            return SeenThings {
                catalog: self,
                view: View::Everything,
                told: OnceCell::from(ToldExtensions::default()),
                client: None,
            };
        }
        let request = request();
        let client = Some(Arc::clone(&request.client)).filter(|_| !is_everybody_alike);
        let view = if self.is_ruled {
            let viewer = Call {
                arguments: Arguments::default(),
                caller: Arc::clone(caller),
                request,
            };
            match &self.hook {
                None => View::Allowed(viewer),
                Some(hook) => {
                    View::FromHook(hook(&viewer, Visible::allowed(&self.things, &viewer)))
                }
            }
        } else {
            View::Everything
        };
        SeenThings {
            catalog: self,
            view,
            told: OnceCell::new(),
            client,
        }
    }
}

/// The things that one request may see.
pub(crate) struct SeenThings<'a, C> {
    catalog: &'a Catalog<C>,
    view: View<C>,
    /// Looked up when a list or a greeting needs it.
    told: OnceCell<ToldExtensions>,
    /// Missing where nothing depends on it.
    client: Option<Arc<Client>>,
}

enum View<C> {
    Everything,
    /// What the rule of each thing allows. A rule is asked once, when its thing comes up.
    Allowed(Call<C>),
    /// What the endpoint's hook gave.
    FromHook(Visible<C>),
}

impl<C: Send + Sync + 'static> SeenThings<'_, C> {
    pub(super) fn identity(&self) -> &Identity<C> {
        &self.catalog.identity
    }

    /// Of what its client is told.
    fn extensions(&self) -> ToldExtensions {
        *self.told.get_or_init(|| {
            let client = self.client.as_ref();
            client.map_or_else(ToldExtensions::default, |client| {
                self.catalog.extensions_told(client)
            })
        })
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ReadyTool<C>>> {
        match &self.view {
            View::FromHook(visible) => visible.tool(name),
            _ => self.allowed(self.catalog.things.tools.find(name)),
        }
    }

    pub(crate) fn prompt(&self, name: &str) -> Option<&Arc<ReadyPrompt<C>>> {
        match &self.view {
            View::FromHook(visible) => visible.prompts.iter().find(|prompt| prompt.key() == name),
            _ => self.allowed(self.catalog.things.prompts.find(name)),
        }
    }

    pub(crate) fn resource(&self, uri: &str) -> Option<&Arc<ReadyResource<C>>> {
        match &self.view {
            View::FromHook(visible) => visible
                .resources
                .iter()
                .find(|resource| resource.key() == uri),
            _ => self.allowed(self.catalog.things.resources.find(uri)),
        }
    }

    /// The first template that fits something and that the request may see.
    pub(crate) fn template<F>(
        &self,
        fits: impl Fn(&ReadyResource<C>) -> Option<F>,
    ) -> Option<(&Arc<ReadyResource<C>>, F)> {
        let templates = match &self.view {
            View::FromHook(visible) => visible.templates.as_slice(),
            _ => self.catalog.things.templates.entries(),
        };
        templates.iter().find_map(|template| {
            let fit = fits(template)?;
            self.allowed(Some(template)).map(|template| (template, fit))
        })
    }

    /// Whether an address is that of a resource, or one that a template makes.
    pub(crate) fn has_resource(&self, uri: &str) -> bool {
        self.resource(uri).is_some()
            || self
                .template(|template| template.parameters_in(uri))
                .is_some()
    }

    pub(crate) fn method(&self, name: &str) -> Option<&Arc<Method<C>>> {
        match &self.view {
            View::FromHook(visible) => visible.methods.iter().find(|method| method.name == name),
            _ => self.allowed(self.catalog.things.methods.find(name)),
        }
    }

    /// The result of `initialize`.
    pub(crate) fn initialize(&self, revision: Revision) -> Bytes {
        let identity = &self.catalog.identity;
        let make = || identity.initialize(revision, self.kinds(), &self.methods());
        let ready = self
            .ready()
            .and_then(|ready| ready.initialize(revision, make));
        ready.unwrap_or_else(make)
    }

    /// The result of `server/discover`.
    pub(crate) fn discover(&self) -> Bytes {
        let identity = &self.catalog.identity;
        let make = || identity.discover(self.kinds(), &self.methods());
        match self.ready() {
            Some(ready) => ready.discover(make),
            None => make(),
        }
    }

    /// A page of a list.
    pub(crate) fn list(
        &self,
        list: List,
        cursor: Option<&str>,
        revision: Option<Revision>,
    ) -> Result<Bytes, Unlisted> {
        let request = ListRequest {
            list,
            cursor,
            revision,
        };
        if self.sees_everything()
            && let Some(ready) = self.ready_list(request)
        {
            return ready.ok_or(Unlisted::NotOffered);
        }
        self.made_list(request)
    }

    /// The same list as whoever sees everything gets it, where it is kept.
    fn ready_list(&self, request: ListRequest<'_>) -> Option<Option<Bytes>> {
        if request.cursor.is_some() {
            return None;
        }
        let is_marked = request.revision.is_some_and(Revision::marks_results);
        self.catalog
            .ready_list(request.list, is_marked, self.extensions())
    }

    fn made_list(&self, request: ListRequest<'_>) -> Result<Bytes, Unlisted> {
        let Things {
            tools,
            resources,
            templates,
            prompts,
            skills,
            ..
        } = &self.catalog.things;
        let from_hook = if let View::FromHook(visible) = &self.view {
            Some(visible)
        } else {
            None
        };
        match request.list {
            List::Tools => self.write(tools, from_hook.map(|set| &*set.tools), request),
            List::Resources => self.write(resources, from_hook.map(|set| &*set.resources), request),
            List::Templates => self.write(templates, from_hook.map(|set| &*set.templates), request),
            List::Prompts => self.write(prompts, from_hook.map(|set| &*set.prompts), request),
            List::Skills => self.write(skills, from_hook.map(|set| &*set.skills), request),
        }
    }

    fn write<T: Listed<C>>(
        &self,
        listing: &Listing<T>,
        from_hook: Option<&[Arc<T>]>,
        request: ListRequest<'_>,
    ) -> Result<Bytes, Unlisted> {
        let ListRequest {
            list,
            cursor,
            revision,
        } = request;
        let mut seen = from_hook.map_or_else(
            || self.all(listing.entries()),
            |entries| entries.iter().collect(),
        );
        // of this kind, while of another it may not
        let is_everything = !self.sees_everything()
            && seen.len() == listing.entries().len()
            && seen
                .iter()
                .zip(listing.entries())
                .all(|(seen, entry)| Arc::ptr_eq(seen, entry));
        let extensions = self.extensions();
        seen.retain(|entry| entry.is_listed_to(extensions));
        let is_strict = revision.is_some_and(Revision::offers_only_what_there_is);
        if is_strict && seen.is_empty() && !self.offers(list) {
            return Err(Unlisted::NotOffered);
        }
        if is_everything && let Some(Some(ready)) = self.ready_list(request) {
            return Ok(ready);
        }
        let identity = &self.catalog.identity;
        let open = page(
            list.key(),
            &seen,
            cursor,
            identity.profile.page_size,
            extensions,
            identity.modern_tail.len() + 64,
        );
        Ok(identity.list(open.ok_or(Unlisted::Cursor)?, revision))
    }

    /// Whether the endpoint says to this request that it has anything of the list's kind. In the
    /// modern era, what is not offered is no method; clients of the legacy era ask for every list
    /// all the same. Source: specification 2026-07-28, schema, `MethodNotFoundError`.
    pub(crate) fn offers(&self, list: List) -> bool {
        if list == List::Skills {
            return self.has_skills();
        }
        if self.catalog.identity.profile.announces_changes {
            return true;
        }
        let Things {
            tools,
            resources,
            templates,
            prompts,
            ..
        } = &self.catalog.things;
        let from_hook = if let View::FromHook(visible) = &self.view {
            Some(visible)
        } else {
            None
        };
        match list {
            List::Tools => self.any(from_hook.map_or(tools.entries(), |set| &set.tools)),
            List::Resources | List::Templates => {
                self.any_resource(from_hook.map_or(resources.entries(), |set| &set.resources))
                    || self
                        .any_resource(from_hook.map_or(templates.entries(), |set| &set.templates))
            }
            List::Prompts => self.any(from_hook.map_or(prompts.entries(), |set| &set.prompts)),
            List::Skills => self.has_skills(),
        }
    }

    fn kinds(&self) -> OfferedKinds {
        let [tools, resources, prompts] =
            [List::Tools, List::Resources, List::Prompts].map(|list| self.offers(list));
        OfferedKinds {
            tools,
            resources,
            prompts,
            completions: self.completes(),
            skills: (self.extensions().skills && self.has_skills())
                .then(|| self.has_skill_folders()),
            pages: self.extensions().pages && self.has_pages(),
        }
    }

    /// The skills that the request may see.
    pub(super) fn skills(&self) -> Vec<&Arc<ReadySkill<C>>> {
        match &self.view {
            View::FromHook(visible) => visible.skills.iter().collect(),
            _ => self.all(self.catalog.things.skills.entries()),
        }
    }

    /// The files of skills that the request may see.
    pub(super) fn skill_files(&self) -> impl Iterator<Item = &Arc<ReadyResource<C>>> {
        let resources = match &self.view {
            View::FromHook(visible) => visible.resources.as_slice(),
            _ => self.catalog.things.resources.entries(),
        };
        resources
            .iter()
            .filter(|file| file.resource.skill_part.is_some())
            .filter(|file| self.allowed(Some(file)).is_some())
    }

    /// Whether anything completes that the request may see: an argument of a prompt, or a variable
    /// of a template.
    pub(crate) fn completes(&self) -> bool {
        let Things {
            templates, prompts, ..
        } = &self.catalog.things;
        let from_hook = if let View::FromHook(visible) = &self.view {
            Some(visible)
        } else {
            None
        };
        let templates = from_hook.map_or(templates.entries(), |set| &set.templates);
        let prompts = from_hook.map_or(prompts.entries(), |set| &set.prompts);
        templates
            .iter()
            .any(|template| template.completes() && self.allowed(Some(template)).is_some())
            || prompts
                .iter()
                .any(|prompt| prompt.completes() && self.allowed(Some(prompt)).is_some())
    }

    fn methods(&self) -> Vec<&Arc<Method<C>>> {
        match &self.view {
            View::FromHook(visible) => visible.methods.iter().collect(),
            _ => self.all(self.catalog.things.methods.entries()),
        }
    }

    /// What of one kind the request may see.
    fn all<'b, T: ServedThing<C>>(&self, entries: &'b [Arc<T>]) -> Vec<&'b Arc<T>> {
        entries
            .iter()
            .filter(|entry| self.allowed(Some(entry)).is_some())
            .collect()
    }

    /// Whether the request may see a page, or a tool that has to do with pages.
    fn has_pages(&self) -> bool {
        let Things {
            tools, resources, ..
        } = &self.catalog.things;
        let (tools, resources) = match &self.view {
            View::FromHook(visible) => (&*visible.tools, &*visible.resources),
            _ => (tools.entries(), resources.entries()),
        };
        let (mut tools, mut resources) = (tools.iter(), resources.iter());
        tools.any(|tool| tool.concerns_pages() && self.allowed(Some(tool)).is_some())
            || resources.any(|page| page.resource.is_page() && self.allowed(Some(page)).is_some())
    }

    /// Whether there is a resource that is no secret, skills and pages aside where the client is not
    /// told of them. A page is none to who shows pages, in whichever list it stands.
    fn any_resource(&self, resources: &[Arc<ReadyResource<C>>]) -> bool {
        let extensions = self.extensions();
        resources
            .iter()
            .filter(|entry| entry.is_listed_to(extensions))
            .filter(|entry| entry.resource.listed || entry.resource.is_page())
            .any(|entry| self.allowed(Some(entry)).is_some())
    }

    fn any<T: ServedThing<C>>(&self, entries: &[Arc<T>]) -> bool {
        entries
            .iter()
            .any(|entry| self.allowed(Some(entry)).is_some())
    }

    /// One thing, when its rule allows it. The hook's set was filtered before the hook got it.
    fn allowed<'b, T: ServedThing<C>>(&self, entry: Option<&'b Arc<T>>) -> Option<&'b Arc<T>> {
        match &self.view {
            View::Allowed(viewer) => entry.filter(|entry| entry.is_allowed(viewer)),
            View::Everything | View::FromHook(_) => entry,
        }
    }

    fn sees_everything(&self) -> bool {
        matches!(self.view, View::Everything)
    }

    /// What is kept for a request that sees everything, of a client that is told of as much.
    fn ready(&self) -> Option<&ReadyResults> {
        if !self.sees_everything() {
            return None;
        }
        let extensions = self.extensions();
        let mut ready = self.catalog.ready.iter();
        ready
            .find(|(known, _)| *known == extensions)
            .map(|(_, kept)| kept)
    }
}
