//! The client of a request, by what it says of itself: its name and its capabilities. Nobody
//! vouches for that, so it is for display and for what to offer, never for rights.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::request_meta::{RequestMeta, SentMeta};

/// The client behind a request. Read from its JSON only when somebody asks.
#[derive(Debug, Default)]
pub struct Client {
    info: Option<Box<str>>,
    capabilities: Option<Box<str>>,
    /// The metadata of the request that says both, in place of them.
    meta: Option<Arc<str>>,
    read_info: OnceLock<Value>,
    read_capabilities: OnceLock<Value>,
}

impl Client {
    pub(crate) fn new(info: Option<&str>, capabilities: Option<&str>) -> Self {
        Self {
            info: info.map(Box::from),
            capabilities: capabilities.map(Box::from),
            ..Self::default()
        }
    }

    /// The client that the metadata of a request speaks of.
    pub(crate) fn of_meta(meta: &SentMeta) -> Self {
        Self {
            meta: meta.json().cloned(),
            ..Self::default()
        }
    }

    /// The client's name, when it gave one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.info().get("name").and_then(Value::as_str)
    }

    /// The client's version, when it gave one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.info().get("version").and_then(Value::as_str)
    }

    /// What the client declared that it can do: a `ClientCapabilities` object, empty when it
    /// declared nothing.
    #[must_use]
    pub fn capabilities(&self) -> &Value {
        self.read_capabilities.get_or_init(|| {
            self.told(self.capabilities.as_deref(), |meta| {
                read(meta.capabilities())
            })
        })
    }

    /// Whether the client declared a capability, by its key, such as `elicitation`.
    #[must_use]
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities()
            .get(capability)
            .is_some_and(|declared| !declared.is_null())
    }

    fn info(&self) -> &Value {
        self.read_info
            .get_or_init(|| self.told(self.info.as_deref(), |meta| read(meta.client())))
    }

    /// What it said once, or with the request.
    fn told(&self, once: Option<&str>, in_meta: impl Fn(&RequestMeta<'_>) -> Value) -> Value {
        let meta = self.meta.as_deref();
        let meta: Option<RequestMeta<'_>> = meta.and_then(|json| serde_json::from_str(json).ok());
        match meta {
            Some(meta) => in_meta(&meta),
            None => read(once),
        }
    }
}

fn read(json: Option<&str>) -> Value {
    json.and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_else(|| Value::Object(serde_json::Map::new()))
}
