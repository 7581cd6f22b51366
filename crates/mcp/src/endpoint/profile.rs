//! The profile of an endpoint: what its builder was told of it, beside the things it serves. Every
//! field stands here and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::layers::Layers;
use super::skills;
use crate::icon::Icon;
use crate::limits;
use crate::method::Method;
use crate::page;
use crate::revision::Revision;
use crate::tasks::TaskLimits;

/// Who may keep a copy of a list. Source: specification 2026-07-28, Caching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheScope {
    /// The lists are the same for every caller, so nothing in them has a rule about who sees it.
    Public,
    /// The lists are for the caller that asked.
    Private,
}

impl CacheScope {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// The name that tells one caller from another.
pub(crate) type CallerName<C> = Arc<dyn Fn(&C) -> String + Send + Sync>;

/// An endpoint without what it serves.
pub(crate) struct Profile<C> {
    pub(crate) name: String,
    pub(super) version: String,
    pub(super) title: Option<String>,
    pub(super) website: Option<String>,
    pub(super) icons: Vec<Icon>,
    pub(super) instructions: Option<String>,
    pub(super) list_ttl: Duration,
    pub(crate) cache_scope: CacheScope,
    pub(super) page_size: Option<usize>,
    /// Largest message of a client.
    pub(crate) message_bytes: usize,
    pub(crate) logging: bool,
    /// Whether clients may subscribe to resources.
    pub(crate) subscriptions: bool,
    /// Whether they are told so.
    pub(super) announces_subscriptions: bool,
    /// Whether clients are told when lists change.
    pub(crate) announces_changes: bool,
    /// Whether clients are told of skills that do not say that they know them.
    pub(super) announces_skills: bool,
    /// Whether clients are told of pages that do not say that they show them.
    pub(super) announces_pages: bool,
    /// How calls may become tasks, where they may.
    pub(super) tasks: Option<TaskLimits>,
    pub(super) principal: Option<CallerName<C>>,
    /// What goes around every request, the outermost first.
    pub(crate) layers: Layers<C>,
}

/// Which kinds of things are offered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfferedKinds {
    pub(crate) tools: bool,
    pub(crate) resources: bool,
    pub(crate) prompts: bool,
    pub(crate) completions: bool,
    /// Whether skills are, with whether their folders can be read.
    pub(crate) skills: Option<bool>,
    pub(crate) pages: bool,
}

impl<C> Profile<C> {
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
            message_bytes: limits::MESSAGE_BYTES,
            logging: false,
            subscriptions: false,
            announces_subscriptions: false,
            announces_changes: false,
            announces_skills: false,
            announces_pages: false,
            tasks: None,
            principal: None,
            layers: Arc::new([]),
        }
    }

    /// What tells this caller from others, where the endpoint tells callers apart.
    pub(crate) fn principal_of(&self, caller: &C) -> Option<String> {
        self.principal.as_ref().map(|principal| principal(caller))
    }

    /// What the endpoint declares of what it offers.
    pub(super) fn capabilities(
        &self,
        kinds: OfferedKinds,
        methods: &[&Arc<Method<C>>],
    ) -> Map<String, Value> {
        let of_methods = methods
            .iter()
            .filter_map(|method| method.capability.clone());
        let mut capabilities: Map<String, Value> = of_methods.collect();
        let list = if self.announces_changes {
            json!({ "listChanged": true })
        } else {
            json!({})
        };
        let mut resources = list.clone();
        if let (true, Some(resources)) = (self.announces_subscriptions, resources.as_object_mut()) {
            resources.insert("subscribe".to_owned(), Value::from(true));
        }
        let of_kinds = [
            ("tools", kinds.tools, list.clone()),
            ("resources", kinds.resources, resources),
            ("prompts", kinds.prompts, list),
            ("completions", kinds.completions, json!({})),
            ("logging", self.logging, json!({})),
        ];
        for (name, _, value) in of_kinds.into_iter().filter(|(_, is_there, _)| *is_there) {
            capabilities.insert(name.to_owned(), value);
        }
        let of_skills = kinds.skills.map(|reads_folders| {
            let settings = if reads_folders {
                json!({ "directoryRead": true })
            } else {
                json!({})
            };
            (skills::EXTENSION, settings)
        });
        let of_pages = kinds.pages.then(|| (page::EXTENSION, json!({})));
        for (name, settings) in of_skills.into_iter().chain(of_pages) {
            let extensions = capabilities
                .entry("extensions")
                .or_insert_with(|| json!({}));
            if let Value::Object(extensions) = extensions {
                extensions.insert(name.to_owned(), settings);
            }
        }
        capabilities
    }

    /// What a revision has words for.
    pub(super) fn server_info(&self, revision: Revision) -> Value {
        let mut info = Map::new();
        info.insert("name".to_owned(), Value::from(self.name.as_str()));
        if let Some(title) = self.title.as_deref().filter(|_| revision.has_titles()) {
            info.insert("title".to_owned(), Value::from(title));
        }
        info.insert("version".to_owned(), Value::from(self.version.as_str()));
        if let Some(website) = self.website.as_deref().filter(|_| revision.has_icons()) {
            info.insert("websiteUrl".to_owned(), Value::from(website));
        }
        if !self.icons.is_empty() && revision.has_icons() {
            info.insert("icons".to_owned(), json!(self.icons));
        }
        Value::Object(info)
    }
}
