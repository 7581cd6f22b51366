//! Requests for methods of an application's own: their parameters, their header rule, the form of
//! their results.

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::endpoint::Identity;
use crate::method::Method;
use crate::mirrored_headers;
use crate::protocol_error::ProtocolError;
use crate::revision::Revision;

/// The parameters of a request, without `_meta`.
pub(super) fn params(raw: Option<&RawValue>) -> Result<Map<String, Value>, ProtocolError> {
    let Some(raw) = raw else {
        return Ok(Map::new());
    };
    let mut params: Map<String, Value> = serde_json::from_str(raw.get())
        .map_err(|error| ProtocolError::invalid_params(format!("`params`: {error}")))?;
    params.shift_remove("_meta");
    Ok(params)
}

/// `Mcp-Name` must repeat the parameter that the method names.
pub(super) fn check_name<C>(
    method: &Method<C>,
    headers: Option<&::http::HeaderMap>,
    params: &Map<String, Value>,
) -> Result<(), ProtocolError> {
    let (Some(headers), Some(parameter)) = (headers, &method.name_header) else {
        return Ok(());
    };
    match params.get(parameter).and_then(Value::as_str) {
        Some(name) => mirrored_headers::check_name(headers, name),
        // The function says what is wrong with the parameter.
        None => Ok(()),
    }
}

/// A whole result; what it says itself of the modern era's own keys stands.
pub(super) fn result<C>(
    ttl: Option<Duration>,
    mut result: Map<String, Value>,
    identity: &Identity<C>,
    revision: Option<Revision>,
) -> String {
    if revision.is_some_and(Revision::marks_results) {
        let of_endpoint: Map<String, Value> =
            serde_json::from_str(&format!("{{{}}}", identity.modern_meta)).unwrap_or_default();
        for (key, value) in of_endpoint {
            match (result.get_mut(&key), value) {
                (Some(Value::Object(there)), Value::Object(ours)) => {
                    for (key, value) in ours {
                        there.entry(key).or_insert(value);
                    }
                }
                (Some(_), _) => {}
                (None, value) => {
                    result.insert(key, value);
                }
            }
        }
        result
            .entry("resultType")
            .or_insert_with(|| json!("complete"));
        if let Some(ttl) = ttl {
            let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
            result.entry("ttlMs").or_insert_with(|| json!(ttl));
            result
                .entry("cacheScope")
                .or_insert_with(|| json!(identity.profile.cache_scope.as_str()));
        }
    }
    Value::Object(result).to_string()
}
