//! The client of a request, by what it says of itself: its name and its capabilities. Nobody
//! vouches for that, so it is for display and for what to offer, never for rights.

use std::sync::{Arc, LazyLock, OnceLock};

use memchr::memmem::Finder;
use serde_json::Value;

use crate::page;
use crate::request_meta::{RequestMeta, SentMeta};

/// The capability under which extensions are declared.
const EXTENSIONS: &str = "extensions";

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
            self.said_last(self.capabilities.as_deref(), |meta| {
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

    /// Whether the client shows pages inside the conversation: it declared the extension
    /// `io.modelcontextprotocol/ui` with the media type of pages. See [`crate::Tool::page`].
    #[must_use]
    pub fn shows_pages(&self) -> bool {
        let declared = self.extension(page::EXTENSION);
        let media_types = declared.and_then(|declared| declared.get("mimeTypes")?.as_array());
        media_types.is_some_and(|types| types.iter().any(|media| media == page::MEDIA_TYPE))
    }

    /// What the client declares of an extension, if it declares it.
    pub(crate) fn extension(&self, name: &str) -> Option<&Value> {
        if !self.may_declare_extensions() {
            return None;
        }
        self.capabilities().get(EXTENSIONS)?.get(name)
    }

    /// Whether its JSON could declare extensions, without reading it: most clients declare none,
    /// and each request of 2026-07-28 says so anew.
    fn may_declare_extensions(&self) -> bool {
        static KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(EXTENSIONS));
        let json = self.meta.as_deref().or(self.capabilities.as_deref());
        json.map(str::as_bytes)
            .is_some_and(|json| KEY.find(json).is_some() || memchr::memchr(b'\\', json).is_some())
    }

    fn info(&self) -> &Value {
        self.read_info
            .get_or_init(|| self.said_last(self.info.as_deref(), |meta| read(meta.client())))
    }

    /// What it said once, or with the request.
    fn said_last(&self, once: Option<&str>, in_meta: impl Fn(&RequestMeta<'_>) -> Value) -> Value {
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
