//! The parameters that the dispatcher itself reads, and the `_meta` of a request. Borrowed;
//! arguments stay raw until their tool is known.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::envelope::{text_in, text_of};
use crate::limits;
use crate::log_level::LogLevel;
use crate::protocol_error::{ProtocolError, excerpt};

/// The parameters of every method that is served here, each still as written.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Params<'a> {
    #[serde(borrow, default)]
    pub(crate) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) uri: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) cursor: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "protocolVersion")]
    pub(crate) protocol_version: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "requestId")]
    pub(crate) request_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "inputResponses")]
    pub(crate) input_responses: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "requestState")]
    pub(crate) request_state: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "taskId")]
    pub(crate) task_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) notifications: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) level: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) capabilities: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "clientInfo")]
    pub(crate) client_info: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

impl<'a> Params<'a> {
    /// Reads the parameters of one request; absent ones are empty ones.
    pub(crate) fn read(raw: Option<&'a RawValue>) -> Result<Self, ProtocolError> {
        let Some(raw) = raw else {
            return Ok(Self::default());
        };
        serde_json::from_str(raw.get())
            .map_err(|error| ProtocolError::invalid_params(format!("`params`: {error}")))
    }

    /// The same of a text, such as was kept of a request that was read before.
    pub(crate) fn of_json(json: &'a [u8]) -> Self {
        serde_json::from_slice(json).unwrap_or_default()
    }

    /// The request's `_meta`, empty when there is none.
    pub(crate) fn meta(&self) -> Result<RequestMeta<'a>, ProtocolError> {
        let Some(raw) = self.meta else {
            return Ok(RequestMeta::default());
        };
        if !raw.get().starts_with('{') {
            return Err(ProtocolError::missing_meta("`_meta` must be an object"));
        }
        let meta: RequestMeta<'a> = serde_json::from_str(raw.get())
            .map_err(|error| ProtocolError::missing_meta(format!("`_meta`: {error}")))?;
        Ok(RequestMeta {
            json: Some(raw.get()),
            ..meta
        })
    }

    /// The `_meta` of a request whose parameters may not be readable themselves.
    pub(crate) fn meta_of(
        read: &Result<Self, ProtocolError>,
    ) -> Result<RequestMeta<'a>, ProtocolError> {
        read.as_ref().map_err(Clone::clone)?.meta()
    }

    /// What a method acts on: a tool or a prompt by its name, a resource by its address, a task by
    /// its id. No other parameter speaks for it, however it is called. Source: specification
    /// 2026-07-28, Streamable HTTP, "Request Metadata", and the extension Tasks.
    pub(crate) fn named_by(&self, method: &str) -> Option<&'a RawValue> {
        match NamingParameter::of(method)? {
            NamingParameter::Name => self.name,
            NamingParameter::Uri => self.uri,
            NamingParameter::TaskId => self.task_id,
        }
    }

    /// A parameter that must be a string.
    pub(crate) fn text(
        raw: Option<&'a RawValue>,
        name: &str,
    ) -> Result<Cow<'a, str>, ProtocolError> {
        let raw =
            raw.ok_or_else(|| ProtocolError::invalid_params(format!("`{name}` is missing")))?;
        text_of(raw)
            .ok_or_else(|| ProtocolError::invalid_params(format!("`{name}` must be a string")))
    }
}

/// A method by its name, kept beyond the message. Those that are asked for all the time are not
/// copied.
pub(crate) fn known_method(method: &str) -> Cow<'static, str> {
    Cow::Borrowed(match method {
        "tools/call" => "tools/call",
        "resources/read" => "resources/read",
        "prompts/get" => "prompts/get",
        _ => return Cow::Owned(method.to_owned()),
    })
}

/// The parameter that says what a method acts on.
enum NamingParameter {
    Name,
    Uri,
    TaskId,
}

impl NamingParameter {
    fn of(method: &str) -> Option<Self> {
        match method {
            "tools/call" | "prompts/get" => Some(Self::Name),
            "resources/read" => Some(Self::Uri),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some(Self::TaskId),
            _ => None,
        }
    }
}

/// The parameters of a request, kept beyond the message that they came in: in its bytes, with the
/// places of those that are asked for most.
#[derive(Debug, Default)]
pub(crate) struct KeptParams {
    /// The message, or the parameters alone.
    bytes: Bytes,
    all: ParamPlace,
    /// What the method acts on.
    name: ParamPlace,
    /// The trace that the request is part of.
    traceparent: ParamPlace,
}

/// The place of a part of some bytes; empty where there is none.
#[derive(Debug, Clone, Copy, Default)]
struct ParamPlace {
    start: usize,
    len: usize,
}

impl ParamPlace {
    /// The place of a part of the bytes that begin at `start`. A part of other bytes is not found
    /// where it is looked up.
    fn of(part: &str, start: *const u8) -> Self {
        Self {
            start: (part.as_ptr() as usize).wrapping_sub(start as usize),
            len: part.len(),
        }
    }

    fn part(self, bytes: &[u8]) -> Option<&[u8]> {
        bytes.get(self.start..self.start.checked_add(self.len)?)
    }

    fn is_empty(self) -> bool {
        self.len == 0
    }
}

impl KeptParams {
    /// The parameters of a request that acts on `named`, as they lie in `message`; from elsewhere
    /// they are copied.
    pub(crate) fn of(
        sent: Option<&RawValue>,
        read: ReadParts<'_, '_>,
        named: Option<&RawValue>,
        message: Option<&Bytes>,
    ) -> Self {
        let Some(sent) = sent.map(RawValue::get) else {
            return Self::default();
        };
        let (bytes, start) = match message {
            Some(message) if lies_in(message, sent) => (message.clone(), message.as_ptr()),
            _ => (Bytes::copy_from_slice(sent.as_bytes()), sent.as_ptr()),
        };
        let place = |part: Option<&RawValue>| match part {
            Some(part) => ParamPlace::of(part.get(), start),
            None => ParamPlace::default(),
        };
        Self {
            bytes,
            all: ParamPlace::of(sent, start),
            name: place(named),
            traceparent: place(read.ok().and_then(|(_, meta)| meta.traceparent)),
        }
    }

    /// All of them, as JSON; empty where there are none.
    pub(crate) fn json(&self) -> &[u8] {
        self.all.part(&self.bytes).unwrap_or_default()
    }

    /// The name of what the method acts on, if it is one.
    #[inline]
    pub(crate) fn name(&self) -> Option<Cow<'_, str>> {
        self.text(self.name)
    }

    /// The trace that the request is part of, as [`traceparent`].
    #[inline]
    pub(crate) fn traceparent(&self) -> Option<Cow<'_, str>> {
        self.text(self.traceparent)
    }

    /// Lets go of the message.
    pub(crate) fn forget(&mut self) {
        self.bytes = Bytes::new();
    }

    #[inline]
    fn text(&self, place: ParamPlace) -> Option<Cow<'_, str>> {
        if place.is_empty() {
            return None;
        }
        text_in(std::str::from_utf8(place.part(&self.bytes)?).ok()?)
    }
}

/// Whether a text is a part of these bytes, and not a copy of one.
pub(crate) fn lies_in(bytes: &[u8], part: &str) -> bool {
    let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    start <= bytes.len() && part.len() <= bytes.len() - start
}

/// What every request of 2026-07-28 says of itself. Source: specification 2026-07-28, Overview,
/// "Per-request protocol fields".
#[derive(Debug, Default, Deserialize)]
pub(crate) struct RequestMeta<'a> {
    /// All of it, as it was sent.
    #[serde(skip)]
    json: Option<&'a str>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientInfo")]
    client: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/logLevel")]
    log_level: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "progressToken")]
    progress_token: Option<&'a RawValue>,
    #[serde(borrow, default)]
    traceparent: Option<&'a RawValue>,
}

/// The parameters of a request and its metadata, or what is wrong with them.
pub(crate) type ReadParts<'r, 'a> =
    Result<(&'r Params<'a>, &'r RequestMeta<'a>), &'r ProtocolError>;

/// The parameters and the metadata of a request, which are read one after the other.
pub(crate) fn read_parts<'r, 'a>(
    params: &'r Result<Params<'a>, ProtocolError>,
    meta: &'r Result<RequestMeta<'a>, ProtocolError>,
) -> ReadParts<'r, 'a> {
    Ok((params.as_ref()?, meta.as_ref()?))
}

impl<'a> RequestMeta<'a> {
    /// All of it as it was sent, if it was sent.
    pub(crate) fn json(&self) -> Option<&'a str> {
        self.json
    }

    /// Whether the request carries any of the metadata of 2026-07-28.
    pub(crate) fn is_modern(&self) -> bool {
        self.version.is_some() || self.client.is_some() || self.capabilities.is_some()
    }

    /// The revision's name, which is required, as the declared capabilities are.
    pub(crate) fn required(&self) -> Result<Cow<'a, str>, ProtocolError> {
        let version = self.version.and_then(text_of).ok_or_else(|| {
            ProtocolError::missing_meta(
                "`_meta` needs `io.modelcontextprotocol/protocolVersion`, a string",
            )
        })?;
        let has_capabilities = self
            .capabilities
            .is_some_and(|raw| raw.get().starts_with('{'));
        if !has_capabilities {
            return Err(ProtocolError::missing_meta(
                "`_meta` needs `io.modelcontextprotocol/clientCapabilities`, an object",
            ));
        }
        Ok(version)
    }

    /// What the client says of itself, as JSON.
    pub(crate) fn client(&self) -> Option<&'a str> {
        self.client.map(RawValue::get)
    }

    /// What the client declares that it can do, as JSON.
    pub(crate) fn capabilities(&self) -> Option<&'a str> {
        self.capabilities.map(RawValue::get)
    }

    /// The token under which the client wants to hear of progress, as JSON: a string or an integer.
    pub(crate) fn progress_token(&self) -> Option<&'a str> {
        self.progress_token.map(RawValue::get).filter(|token| {
            token.len() <= limits::ID_BYTES && !token.starts_with(['{', '[', 'n', 't', 'f'])
        })
    }

    /// The least severe messages that the client wants; none when it does not say.
    pub(crate) fn log_level(&self) -> Result<Option<LogLevel>, ProtocolError> {
        self.log_level.map(read_level).transpose()
    }
}

/// The `_meta` of a request as it was sent, kept beyond the message; read when somebody asks.
#[derive(Debug, Default)]
pub(crate) struct SentMeta {
    json: Option<Arc<str>>,
    read: OnceLock<Map<String, Value>>,
}

impl SentMeta {
    pub(crate) fn of(json: Option<&str>) -> Self {
        Self {
            json: json.map(Arc::from),
            read: OnceLock::new(),
        }
    }

    /// All of it as it was sent.
    pub(crate) fn json(&self) -> Option<&Arc<str>> {
        self.json.as_ref()
    }

    /// Its members; none where there is none.
    pub(crate) fn read(&self) -> &Map<String, Value> {
        self.read.get_or_init(|| {
            let json = self.json.as_deref();
            json.and_then(|json| serde_json::from_str(json).ok())
                .unwrap_or_default()
        })
    }
}

/// The trace that a request is part of. Source: specification 2026-07-28, Overview, "Trace
/// Context", and W3C Trace Context.
pub(crate) fn traceparent(meta: &Map<String, Value>) -> Option<&str> {
    meta.get("traceparent").and_then(Value::as_str)
}

/// A log level by its name.
pub(crate) fn read_level(raw: &RawValue) -> Result<LogLevel, ProtocolError> {
    text_of(raw).and_then(|name| LogLevel::parse(&name)).ok_or_else(|| {
        let shown = excerpt(raw.get()).into_owned();
        ProtocolError::invalid_params(format!(
            "{shown} is no log level; levels are debug, info, notice, warning, error, critical, alert, emergency"
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use bytes::Bytes;
    use serde_json::value::RawValue;

    use super::{KeptParams, Params, read_parts};

    /// As they lie in a message, and copied.
    fn kept(json: &str, method: &str) -> [KeptParams; 2] {
        let message = Bytes::from(format!(r#"{{"params": {json}}}"#));
        let sent = std::str::from_utf8(&message[11..message.len() - 1]).unwrap();
        let sent: &RawValue = serde_json::from_str(sent).unwrap();
        let read = Params::read(Some(sent));
        let meta = Params::meta_of(&read);
        [Some(&message), None].map(|message| {
            let parts = read_parts(&read, &meta);
            KeptParams::of(
                Some(sent),
                parts,
                parts.unwrap().0.named_by(method),
                message,
            )
        })
    }

    fn alike<T: PartialEq + std::fmt::Debug>([one, other]: [T; 2]) -> T {
        assert_eq!(one, other, "kept in its message, and copied");
        one
    }

    fn name(json: &str, method: &str) -> Option<String> {
        alike(kept(json, method).map(|params| params.name().map(Cow::into_owned)))
    }

    fn trace(json: &str) -> Option<String> {
        alike(kept(json, "tools/call").map(|params| params.traceparent().map(Cow::into_owned)))
    }

    #[test]
    fn parameters_are_kept_whole() {
        let json = r#"{"name": "a", "arguments": {"b": [1]}}"#;
        let all = alike(kept(json, "tools/call").map(|params| params.json().to_vec()));
        assert_eq!(all, json.as_bytes());
        assert_eq!(KeptParams::default().json(), b"");
    }

    #[test]
    fn a_name_and_a_trace_are_found_however_they_are_written() {
        let params = r#"{"name": "a\"b", "uri": "c", "_meta": {"trace\u0070arent": "00-x"}}"#;
        assert_eq!(name(params, "tools/call").as_deref(), Some("a\"b"));
        assert_eq!(name(params, "resources/read").as_deref(), Some("c"));
        assert_eq!(name(params, "tools/list"), None);
        assert_eq!(name(r#"{"name": 7}"#, "tools/call"), None);
        assert_eq!(trace(params).as_deref(), Some("00-x"));
        let elsewhere = r#"{"name": "traceparent", "arguments": {"traceparent": "00-x"}}"#;
        assert_eq!(trace(elsewhere), None);
        assert_eq!(trace(r#"{"_meta": {"traceparent": 7}}"#), None);
        assert_eq!(trace("[]"), None);
    }
}
