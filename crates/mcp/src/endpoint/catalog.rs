//! What an endpoint serves, with everything that does not depend on a request serialised once.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Map;

use super::entries::{ReadyPrompt, ReadyResource, ReadyTemplate, ReadyTool};
use super::identity::{Identity, Kinds};
use super::listing::{Listed, Listing, page};
use super::visible::Visible;
use crate::Revision;
use crate::call::{Call, RequestContext};
use crate::method::Method;

/// Narrows, replaces or widens what a request may see.
pub(crate) type Hook<C> = Arc<dyn Fn(&Call<C>, Visible<C>) -> Visible<C> + Send + Sync>;

/// The things of an endpoint.
pub(crate) struct Catalog<C> {
    pub(crate) identity: Identity<C>,
    pub(crate) tools: Listing<ReadyTool<C>>,
    pub(crate) resources: Listing<ReadyResource<C>>,
    pub(crate) templates: Listing<ReadyTemplate<C>>,
    pub(crate) prompts: Listing<ReadyPrompt<C>>,
    pub(super) hook: Option<Hook<C>>,
    methods: HashMap<String, Arc<Method<C>>>,
    /// Ready-made results, where every request sees the same.
    ready: Option<ReadyResults>,
}

/// Results that are the same for every request of a kind.
struct ReadyResults {
    initialize: Vec<(Revision, Bytes)>,
    discover: Bytes,
    /// In the order of [`List`], legacy and modern.
    lists: Vec<(Bytes, Bytes)>,
}

/// The four lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Tools,
    Resources,
    Templates,
    Prompts,
}

impl List {
    const ALL: [Self; 4] = [Self::Tools, Self::Resources, Self::Templates, Self::Prompts];
}

impl<C: Send + Sync + 'static> Catalog<C> {
    pub(super) fn new(
        identity: Identity<C>,
        tools: Listing<ReadyTool<C>>,
        resources: Listing<ReadyResource<C>>,
        templates: Listing<ReadyTemplate<C>>,
        prompts: Listing<ReadyPrompt<C>>,
        hook: Option<Hook<C>>,
        methods: HashMap<String, Arc<Method<C>>>,
    ) -> Self {
        let mut catalog = Self { identity, tools, resources, templates, prompts, hook, methods, ready: None };
        catalog.ready = catalog.is_uniform().then(|| catalog.ready_results());
        catalog
    }

    /// Whether every request sees everything, on one page.
    fn is_uniform(&self) -> bool {
        fn open<C, T: Listed<C>>(listing: &Listing<T>) -> bool {
            listing.entries().iter().all(|entry| entry.policy().is_none())
        }
        self.hook.is_none()
            && self.identity.page_size.is_none()
            && open(&self.tools)
            && open(&self.resources)
            && open(&self.templates)
            && open(&self.prompts)
    }

    fn ready_results(&self) -> ReadyResults {
        let seen = Seen { catalog: self, visible: None };
        let legacy = Revision::ALL.into_iter().filter(|revision| !revision.is_modern());
        let list = |list| {
            let open = seen.page(list, None).unwrap_or_default();
            (self.identity.list(&open, false), self.identity.list(&open, true))
        };
        ReadyResults {
            initialize: legacy.map(|revision| (revision, self.identity.initialize(revision, seen.kinds()))).collect(),
            discover: self.identity.discover(seen.kinds()),
            lists: List::ALL.map(list).to_vec(),
        }
    }

    /// Whether the endpoint has anything of a list's kind, for whomever.
    pub(crate) fn has(&self, list: List) -> bool {
        match list {
            List::Tools => !self.tools.entries().is_empty(),
            List::Resources | List::Templates => !self.resources.entries().is_empty() || !self.templates.entries().is_empty(),
            List::Prompts => !self.prompts.entries().is_empty(),
        }
    }

    /// A method of the application's own.
    pub(crate) fn method(&self, name: &str) -> Option<&Arc<Method<C>>> {
        self.methods.get(name)
    }

    /// What a request may see.
    pub(crate) fn seen(&self, caller: &Arc<C>, request: impl FnOnce() -> Arc<RequestContext>) -> Seen<'_, C> {
        if self.ready.is_some() {
            return Seen { catalog: self, visible: None };
        }
        let viewer = Call { arguments: Map::new(), caller: Arc::clone(caller), request: request() };
        let allowed = Visible::allowed(self, &viewer);
        let visible = match &self.hook {
            Some(hook) => hook(&viewer, allowed),
            None => allowed,
        };
        Seen { catalog: self, visible: Some(visible) }
    }
}

/// What one request may see: everything, or a set of its own.
pub(crate) struct Seen<'a, C> {
    catalog: &'a Catalog<C>,
    visible: Option<Visible<C>>,
}

impl<C: Send + Sync + 'static> Seen<'_, C> {
    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ReadyTool<C>>> {
        match &self.visible {
            None => self.catalog.tools.find(name),
            Some(visible) => visible.tool(name),
        }
    }

    pub(crate) fn prompt(&self, name: &str) -> Option<&Arc<ReadyPrompt<C>>> {
        match &self.visible {
            None => self.catalog.prompts.find(name),
            Some(visible) => visible.prompts.iter().find(|prompt| prompt.key() == name),
        }
    }

    pub(crate) fn resource(&self, uri: &str) -> Option<&Arc<ReadyResource<C>>> {
        match &self.visible {
            None => self.catalog.resources.find(uri),
            Some(visible) => visible.resources.iter().find(|resource| resource.key() == uri),
        }
    }

    pub(crate) fn templates(&self) -> &[Arc<ReadyTemplate<C>>] {
        self.visible.as_ref().map_or(self.catalog.templates.entries(), |visible| &visible.templates)
    }

    /// The result of `initialize`.
    pub(crate) fn initialize(&self, revision: Revision) -> Bytes {
        let ready = self.ready().and_then(|ready| ready.initialize.iter().find(|(known, _)| *known == revision));
        ready.map_or_else(|| self.catalog.identity.initialize(revision, self.kinds()), |(_, result)| result.clone())
    }

    /// The result of `server/discover`.
    pub(crate) fn discover(&self) -> Bytes {
        self.ready().map_or_else(|| self.catalog.identity.discover(self.kinds()), |ready| ready.discover.clone())
    }

    /// A page of a list; `None` for a cursor that this server never gave out.
    pub(crate) fn list(&self, list: List, cursor: Option<&str>, modern: bool) -> Option<Bytes> {
        match self.ready().and_then(|ready| ready.lists.get(list as usize)).filter(|_| cursor.is_none()) {
            Some((legacy_list, modern_list)) => Some(if modern { modern_list.clone() } else { legacy_list.clone() }),
            None => Some(self.catalog.identity.list(&self.page(list, cursor)?, modern)),
        }
    }

    pub(crate) fn kinds(&self) -> Kinds {
        let Catalog { tools, resources, templates, prompts, .. } = self.catalog;
        let [tools, resources, templates, prompts] = match &self.visible {
            None => [tools.entries().len(), resources.entries().len(), templates.entries().len(), prompts.entries().len()],
            Some(seen) => [seen.tools.len(), seen.resources.len(), seen.templates.len(), seen.prompts.len()],
        };
        let resources = resources > 0 || templates > 0;
        Kinds { tools: tools > 0, resources, prompts: prompts > 0, completions: resources || prompts > 0 }
    }

    fn page(&self, list: List, cursor: Option<&str>) -> Option<String> {
        let size = self.catalog.identity.page_size;
        let Catalog { tools, resources, prompts, .. } = self.catalog;
        let visible = self.visible.as_ref();
        match list {
            List::Tools => page(visible.map_or(tools.entries(), |seen| &seen.tools).iter(), cursor, size),
            List::Resources => page(visible.map_or(resources.entries(), |seen| &seen.resources).iter(), cursor, size),
            List::Templates => page(self.templates().iter(), cursor, size),
            List::Prompts => page(visible.map_or(prompts.entries(), |seen| &seen.prompts).iter(), cursor, size),
        }
    }

    fn ready(&self) -> Option<&ReadyResults> {
        self.catalog.ready.as_ref()
    }
}
