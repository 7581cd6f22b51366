//! The parameters that the dispatcher itself reads, and the `_meta` of a request. Borrowed; arguments stay raw until their tool is known.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::envelope::text_of;
use crate::protocol_error::ProtocolError;

/// The parameters of every method that is served here, each still as written.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Params<'a> {
    #[serde(borrow, default)]
    pub(crate) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) cursor: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "protocolVersion")]
    pub(crate) protocol_version: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "requestId")]
    pub(crate) request_id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

impl<'a> Params<'a> {
    /// Reads the parameters of one request; absent ones are empty ones.
    pub(crate) fn read(raw: Option<&'a RawValue>) -> Result<Self, ProtocolError> {
        let Some(raw) = raw else { return Ok(Self::default()) };
        serde_json::from_str(raw.get()).map_err(|error| ProtocolError::invalid_params(format!("`params`: {error}")))
    }

    /// The per-request metadata of 2026-07-28, when the request carries any of it.
    pub(crate) fn meta(&self) -> Result<Option<RequestMeta<'a>>, ProtocolError> {
        let Some(raw) = self.meta else { return Ok(None) };
        if !raw.get().starts_with('{') {
            return Err(ProtocolError::missing_meta("`_meta` must be an object"));
        }
        let meta: RequestMeta<'a> =
            serde_json::from_str(raw.get()).map_err(|error| ProtocolError::missing_meta(format!("`_meta`: {error}")))?;
        Ok(meta.is_present().then_some(meta))
    }

    /// A parameter that must be a string.
    pub(crate) fn text(raw: Option<&'a RawValue>, name: &str) -> Result<Cow<'a, str>, ProtocolError> {
        let raw = raw.ok_or_else(|| ProtocolError::invalid_params(format!("`{name}` is missing")))?;
        text_of(raw).ok_or_else(|| ProtocolError::invalid_params(format!("`{name}` must be a string")))
    }
}

/// What every request of 2026-07-28 says of itself. Source: specification 2026-07-28, Overview, "Per-request protocol fields".
#[derive(Debug, Deserialize)]
pub(crate) struct RequestMeta<'a> {
    #[serde(borrow, default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientInfo")]
    client: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
}

impl<'a> RequestMeta<'a> {
    fn is_present(&self) -> bool {
        self.version.is_some() || self.client.is_some() || self.capabilities.is_some()
    }

    /// The revision's name and the declared capabilities, both of which are required.
    pub(crate) fn required(&self) -> Result<(Cow<'a, str>, &'a RawValue), ProtocolError> {
        let version = self
            .version
            .and_then(text_of)
            .ok_or_else(|| ProtocolError::missing_meta("`_meta` needs `io.modelcontextprotocol/protocolVersion`, a string"))?;
        let capabilities = self.capabilities.filter(|raw| raw.get().starts_with('{')).ok_or_else(|| {
            ProtocolError::missing_meta("`_meta` needs `io.modelcontextprotocol/clientCapabilities`, an object")
        })?;
        Ok((version, capabilities))
    }
}
