//! What an endpoint says of itself, and the results made of that: handshakes, discovery, what
//! closes each result. Holds no tools.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::entries::to_json;
use crate::asking::StateKey;
use crate::icon::Icon;
use crate::method::Method;
use crate::revision::Revision;
use crate::tasks;

/// Who may keep a copy of a list. Source: specification 2026-07-28, Caching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// What tells one caller from another in the state of a request that waits for answers.
pub(crate) type Principal<C> = Option<Arc<dyn Fn(&C) -> String + Send + Sync>>;

/// An endpoint without what it serves.
pub(crate) struct Identity<C> {
    pub(crate) name: String,
    pub(super) version: String,
    pub(super) title: Option<String>,
    pub(super) website: Option<String>,
    pub(super) icons: Vec<Icon>,
    pub(super) instructions: Option<String>,
    pub(super) list_ttl: Duration,
    pub(crate) cache_scope: CacheScope,
    pub(super) page_size: Option<usize>,
    pub(crate) logging: bool,
    /// Whether clients may subscribe to resources.
    pub(crate) subscriptions: bool,
    /// Whether clients are told when lists change.
    pub(crate) announces_changes: bool,
    /// Whether calls may become tasks.
    pub(super) tasks: bool,
    pub(crate) state_key: StateKey,
    pub(crate) principal: Principal<C>,
    /// The `_meta` of every result that is marked, with its key.
    pub(crate) modern_meta: String,
    /// What closes every other result that is marked, from its comma on.
    pub(crate) modern_tail: String,
}

/// Which kinds of things are offered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kinds {
    pub(crate) tools: bool,
    pub(crate) resources: bool,
    pub(crate) prompts: bool,
    pub(crate) completions: bool,
}

impl<C> Identity<C> {
    /// Fills in what is made of the rest.
    pub(super) fn complete(mut self) -> Self {
        let server_info = to_json(&self.server_info(Revision::NEWEST_MODERN));
        self.modern_meta =
            format!(r#""_meta":{{"io.modelcontextprotocol/serverInfo":{server_info}}}"#);
        self.modern_tail = format!(r#","resultType":"complete",{}}}"#, self.modern_meta);
        self
    }

    /// The result of `initialize`.
    pub(super) fn initialize(
        &self,
        revision: Revision,
        kinds: Kinds,
        methods: &[&Arc<Method<C>>],
    ) -> Bytes {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct InitializeResult<'a> {
            protocol_version: &'static str,
            capabilities: Value,
            server_info: Value,
            #[serde(skip_serializing_if = "Option::is_none")]
            instructions: Option<&'a str>,
        }
        Bytes::from(to_json(&InitializeResult {
            protocol_version: revision.as_str(),
            capabilities: Value::Object(self.capabilities(kinds, methods)),
            server_info: self.server_info(revision),
            instructions: self.instructions.as_deref(),
        }))
    }

    /// The result of `server/discover`.
    pub(super) fn discover(&self, kinds: Kinds, methods: &[&Arc<Method<C>>]) -> Bytes {
        let mut capabilities = self.capabilities(kinds, methods);
        if self.tasks
            && let Value::Object(extensions) = capabilities
                .entry("extensions")
                .or_insert_with(|| json!({}))
        {
            extensions.insert(tasks::EXTENSION.to_owned(), json!({}));
        }
        let mut discovered = json!({ "supportedVersions": Revision::ALL.map(Revision::as_str), "capabilities": capabilities });
        if let (Some(instructions), Some(object)) = (&self.instructions, discovered.as_object_mut())
        {
            object.insert(
                "instructions".to_owned(),
                Value::from(instructions.as_str()),
            );
        }
        let mut open = to_json(&discovered);
        open.pop();
        self.cacheable(open, self.list_ttl, self.cache_scope)
    }

    /// What closes a result, from its comma on, where results are marked.
    pub(crate) fn tail(&self, revision: Option<Revision>) -> Option<&str> {
        revision
            .filter(|revision| revision.marks_results())
            .map(|_| self.modern_tail.as_str())
    }

    /// A marked result that a client may keep, from its JSON without the closing brace.
    pub(crate) fn cacheable(&self, mut open: String, ttl: Duration, scope: CacheScope) -> Bytes {
        open.push_str(&format!(
            r#","ttlMs":{},"cacheScope":"{}""#,
            ttl.as_millis(),
            scope.as_str()
        ));
        open.push_str(&self.modern_tail);
        Bytes::from(open)
    }

    /// A list, from its JSON without the closing brace.
    pub(super) fn list(&self, mut open: String, revision: Option<Revision>) -> Bytes {
        if revision.is_some_and(Revision::marks_results) {
            return self.cacheable(open, self.list_ttl, self.cache_scope);
        }
        open.push('}');
        Bytes::from(open)
    }

    fn capabilities(&self, kinds: Kinds, methods: &[&Arc<Method<C>>]) -> Map<String, Value> {
        let own = methods
            .iter()
            .filter_map(|method| method.capability.clone());
        let mut capabilities: Map<String, Value> = own.collect();
        let list = if self.announces_changes {
            json!({ "listChanged": true })
        } else {
            json!({})
        };
        let mut resources = list.clone();
        if let (true, Some(resources)) = (self.subscriptions, resources.as_object_mut()) {
            resources.insert("subscribe".to_owned(), Value::from(true));
        }
        let known = [
            ("tools", kinds.tools, list.clone()),
            ("resources", kinds.resources, resources),
            ("prompts", kinds.prompts, list),
            ("completions", kinds.completions, json!({})),
            ("logging", self.logging, json!({})),
        ];
        for (name, _, value) in known.into_iter().filter(|(_, is_there, _)| *is_there) {
            capabilities.insert(name.to_owned(), value);
        }
        capabilities
    }

    /// What a revision has words for.
    fn server_info(&self, revision: Revision) -> Value {
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
