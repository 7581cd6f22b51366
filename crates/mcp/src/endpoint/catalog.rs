//! What an endpoint serves, with everything that does not depend on a request serialised once: the list, the handshakes, the discovery.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::Running;
use crate::Revision;
use crate::arguments::ArgumentSchema;
use crate::asking::StateKey;
use crate::call::{Call, RequestContext};
use crate::http::HeaderParameter;
use crate::tool::ToolFunction;

/// The tools of an endpoint and its ready-made results.
pub(crate) struct Catalog<C> {
    pub(crate) name: String,
    pub(super) entries: Vec<Entry<C>>,
    pub(super) by_name: HashMap<String, usize>,
    pub(super) tool_list: String,
    pub(crate) ready: ReadyResults,
    pub(crate) state_key: StateKey,
    /// Whether tools write to the client's log.
    pub(crate) logging: bool,
    pub(crate) principal: Principal<C>,
}

/// What tells one caller from another in the state of a request that waits for answers.
pub(crate) type Principal<C> = Option<Arc<dyn Fn(&C) -> String + Send + Sync>>;

/// Results that are the same for every request of a kind.
pub(crate) struct ReadyResults {
    pub(super) initialize: Vec<(Revision, Bytes)>,
    pub(crate) discover: Bytes,
    pub(crate) tool_list_legacy: Bytes,
    pub(crate) tool_list_modern: Bytes,
    /// What closes every other result of 2026-07-28, from its comma on.
    pub(crate) modern_tail: String,
    /// The `_meta` of every result of 2026-07-28, with its key.
    pub(crate) modern_meta: String,
}

impl ReadyResults {
    /// The result of `initialize` for the revision agreed on.
    pub(crate) fn initialize(&self, revision: Revision) -> Bytes {
        self.initialize.iter().find(|(known, _)| *known == revision).map(|(_, result)| result.clone()).unwrap_or_default()
    }
}

impl<C> Catalog<C> {
    /// The tool of that name or alias.
    pub(crate) fn find(&self, name: &str) -> Option<&Entry<C>> {
        self.by_name.get(name).and_then(|index| self.entries.get(*index))
    }
}

/// One tool, ready to be called.
pub(crate) struct Entry<C> {
    pub(super) name: String,
    pub(super) arguments: ArgumentSchema,
    pub(crate) header_parameters: Vec<HeaderParameter>,
    pub(crate) required_capabilities: Option<Value>,
    pub(super) structured: bool,
    pub(super) time_limit: Duration,
    pub(super) function: ToolFunction<C>,
}

impl<C: Send + Sync + 'static> Entry<C> {
    /// Admits the arguments and starts the tool.
    pub(super) fn start(&self, arguments: Map<String, Value>, caller: Arc<C>, request: Arc<RequestContext>) -> Running {
        let arguments = match self.arguments.admit(&self.name, arguments) {
            Ok(arguments) => arguments,
            Err(problems) => return Running::answered(problems),
        };
        let call = Call { arguments, caller, request };
        let function = &self.function;
        // The function itself may panic before it returns its future.
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| function(call))) {
            Ok(future) => Running::tool(&self.name, future, self.time_limit),
            Err(panic) => Running::tool(&self.name, Box::pin(async move { std::panic::resume_unwind(panic) }), self.time_limit),
        }
    }

    /// Whether results carry `structuredContent`.
    pub(crate) fn is_structured(&self) -> bool {
        self.structured
    }
}
