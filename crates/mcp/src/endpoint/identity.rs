//! The identity of an endpoint: its profile, and the results made of that, such as handshakes,
//! discovery and what closes each result. Holds no tools.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::entries::to_json;
use super::profile::{CacheScope, OfferedKinds, Profile};
use crate::asking::StateKey;
use crate::method::Method;
use crate::revision::Revision;
use crate::tasks;

/// The words of an endpoint about itself, with what is made of them once.
pub(crate) struct Identity<C> {
    pub(crate) profile: Profile<C>,
    pub(crate) state_key: StateKey,
    /// The `_meta` of every result that is marked, with its key.
    pub(crate) modern_meta: String,
    /// What closes every other result that is marked, from its comma on.
    pub(crate) modern_tail: String,
}

impl<C> Identity<C> {
    pub(super) fn new(profile: Profile<C>, state_key: StateKey) -> Self {
        let server_info = to_json(&profile.server_info(Revision::NEWEST_MODERN));
        let modern_meta =
            format!(r#""_meta":{{"io.modelcontextprotocol/serverInfo":{server_info}}}"#);
        let modern_tail = format!(r#","resultType":"complete",{modern_meta}}}"#);
        Self {
            profile,
            state_key,
            modern_meta,
            modern_tail,
        }
    }

    /// The result of `initialize`.
    pub(super) fn initialize(
        &self,
        revision: Revision,
        kinds: OfferedKinds,
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
            capabilities: Value::Object(self.profile.capabilities(kinds, methods)),
            server_info: self.profile.server_info(revision),
            instructions: self.profile.instructions.as_deref(),
        }))
    }

    /// The result of `server/discover`.
    pub(super) fn discover(&self, kinds: OfferedKinds, methods: &[&Arc<Method<C>>]) -> Bytes {
        let mut capabilities = self.profile.capabilities(kinds, methods);
        if self.profile.tasks.is_some()
            && let Value::Object(extensions) = capabilities
                .entry("extensions")
                .or_insert_with(|| json!({}))
        {
            extensions.insert(tasks::EXTENSION.to_owned(), json!({}));
        }
        let mut discovered = json!({ "supportedVersions": Revision::ALL.map(Revision::as_str), "capabilities": capabilities });
        if let (Some(instructions), Some(object)) =
            (&self.profile.instructions, discovered.as_object_mut())
        {
            object.insert(
                "instructions".to_owned(),
                Value::from(instructions.as_str()),
            );
        }
        let mut open = to_json(&discovered);
        open.pop();
        self.cacheable(open, self.profile.list_ttl, self.profile.cache_scope)
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
    pub(crate) fn list(&self, mut open: String, revision: Option<Revision>) -> Bytes {
        if revision.is_some_and(Revision::marks_results) {
            return self.cacheable(open, self.profile.list_ttl, self.profile.cache_scope);
        }
        open.push('}');
        Bytes::from(open)
    }
}
