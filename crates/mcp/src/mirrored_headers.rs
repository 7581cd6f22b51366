//! The headers that mirror a request's body, checked against it. Source: specification 2026-07-28,
//! Streamable HTTP, "Request Metadata".

mod parameters;

use std::borrow::Cow;

use base64::Engine as _;
use http::{HeaderMap, HeaderName};
use serde_json::value::RawValue;

use crate::envelope::text_of;
use crate::protocol_error::{ProtocolError, excerpt};
use crate::revision::Revision;
pub(crate) use parameters::HeaderParameter;

const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The revision that the request's header names, as written; `None` when there is no such header.
pub(crate) fn protocol_version(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(PROTOCOL_VERSION)
        .map(|value| value.to_str().unwrap_or_default())
}

/// Whether the header alone says that this is a request of the modern era.
pub(crate) fn names_modern_revision(headers: &HeaderMap) -> bool {
    protocol_version(headers)
        .and_then(Revision::parse)
        .is_some_and(Revision::carries_metadata)
}

/// A client of the legacy era may leave the header out (it came with 2025-06-18), but may not name
/// there a revision that does not exist.
pub(crate) fn check_legacy_version(named: Option<&str>) -> Result<(), ProtocolError> {
    match named {
        Some(named) if Revision::parse(named).is_none() => {
            Err(ProtocolError::unsupported_version(named))
        }
        _ => Ok(()),
    }
}

/// `MCP-Protocol-Version`, `Mcp-Method` and, where the body names what the method acts on,
/// `Mcp-Name`.
pub(crate) fn check_standard(
    headers: &HeaderMap,
    version: &str,
    method: &str,
    name: Option<&RawValue>,
) -> Result<(), ProtocolError> {
    check(
        &PROTOCOL_VERSION,
        single(headers, &PROTOCOL_VERSION)?,
        version,
    )?;
    check(&METHOD, single(headers, &METHOD)?, method)?;
    // The method itself says what is wrong with a name that is missing or no text.
    name.and_then(text_of)
        .map_or(Ok(()), |name| check_name(headers, &name))
}

/// `Mcp-Name` must be what the body names.
pub(crate) fn check_name(headers: &HeaderMap, name: &str) -> Result<(), ProtocolError> {
    check(&NAME, decoded(headers, &NAME)?.as_deref(), name)
}

fn malformed(header: &HeaderName, problem: &str) -> ProtocolError {
    ProtocolError::header_mismatch(format!("header {header}: {problem}"))
}

/// The single value of a header, as it stands there.
fn single<'a>(
    headers: &'a HeaderMap,
    header: &HeaderName,
) -> Result<Option<&'a str>, ProtocolError> {
    let mut values = headers.get_all(header).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(malformed(header, "given more than once"));
    }
    let invisible = "has characters that are not visible ASCII; use the =?base64?...?= form";
    value
        .to_str()
        .map(Some)
        .map_err(|_| malformed(header, invisible))
}

/// The single value of a header that may come in the Base64 form: `Mcp-Name` and `Mcp-Param-*`.
pub(crate) fn decoded<'a>(
    headers: &'a HeaderMap,
    header: &HeaderName,
) -> Result<Option<Cow<'a, str>>, ProtocolError> {
    let Some(text) = single(headers, header)? else {
        return Ok(None);
    };
    let Some(encoded) = text
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    else {
        return Ok(Some(Cow::Borrowed(text)));
    };
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .map_err(|error| {
            malformed(
                header,
                &format!("is not Base64 between =?base64? and ?=: {error}"),
            )
        })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| malformed(header, "is Base64 of bytes that are not UTF-8"))?;
    Ok(Some(Cow::Owned(text)))
}

fn check(header: &HeaderName, value: Option<&str>, body: &str) -> Result<(), ProtocolError> {
    match value {
        Some(value) if value == body => Ok(()),
        Some(value) => Err(ProtocolError::header_mismatch(format!(
            "header {header} is '{}', but the body says '{}'",
            excerpt(value),
            excerpt(body)
        ))),
        None => Err(ProtocolError::header_mismatch(format!(
            "header {header} is missing; the body says '{}'",
            excerpt(body)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use http::{HeaderMap, HeaderName, HeaderValue};
    use proptest::prelude::{any, proptest};

    use super::{decoded, protocol_version};

    fn headers(value: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("mcp-name", HeaderValue::from_bytes(value).unwrap());
        headers
    }

    const NAME: HeaderName = HeaderName::from_static("mcp-name");

    #[test]
    fn the_base64_form_is_read_and_its_faults_are_named() {
        assert_eq!(
            decoded(
                &headers("=?base64?SGVsbG8sIOS4lueVjA==?=".as_bytes()),
                &NAME
            )
            .unwrap()
            .unwrap(),
            "Hello, 世界"
        );
        assert_eq!(
            decoded(&headers(b"plain"), &NAME).unwrap().unwrap(),
            "plain"
        );
        for bad in ["=?base64?SGVsbG8?=", "=?base64?!!!!?=", "=?base64?/w==?="] {
            let error = decoded(&headers(bad.as_bytes()), &NAME).unwrap_err();
            assert_eq!(error.code, -32020, "{bad}");
        }
        assert_eq!(
            decoded(&headers("ä".as_bytes()), &NAME).unwrap_err().code,
            -32020
        );
        let mut twice = headers(b"a");
        twice.append("mcp-name", HeaderValue::from_static("b"));
        assert_eq!(decoded(&twice, &NAME).unwrap_err().code, -32020);
        assert_eq!(protocol_version(&twice), None);
    }

    proptest! {
        #[test]
        fn any_text_survives_the_base64_form(text in any::<String>()) {
            let encoded = format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(&text));
            assert_eq!(decoded(&headers(encoded.as_bytes()), &NAME).unwrap().unwrap(), text);
        }
    }
}
