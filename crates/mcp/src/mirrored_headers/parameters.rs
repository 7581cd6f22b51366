//! Arguments that a client mirrors into `Mcp-Param-*` headers, as the tool's schema asks with
//! `x-mcp-header`. Source: specification 2026-07-28, Streamable HTTP, "Custom Headers from Tool
//! Parameters".

use std::collections::HashSet;

use http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::decoded;
use crate::arguments::IncomingArguments;
use crate::protocol_error::{ProtocolError, excerpt};

const ANNOTATION: &str = "x-mcp-header";

/// One annotated property: where its value stands in the arguments and which header repeats it.
#[derive(Debug, Clone)]
pub(crate) struct HeaderParameter {
    header: HeaderName,
    path: Vec<String>,
}

impl HeaderParameter {
    /// All annotated properties of an input schema; the error is one sentence for the developer.
    pub(crate) fn all_in(schema: &Value) -> Result<Vec<Self>, String> {
        let mut found = Vec::new();
        collect(schema, &mut Vec::new(), &mut found)?;
        let reachable = found.len();
        let annotated = count_annotations(schema);
        if annotated != reachable {
            return Err(format!(
                "`{ANNOTATION}` may stand only on properties reached through `properties` from the root"
            ));
        }
        let mut seen = HashSet::new();
        match found
            .iter()
            .find(|parameter| !seen.insert(parameter.header.clone()))
        {
            Some(twice) => Err(format!(
                "two properties have the same `{ANNOTATION}` ({})",
                twice.header
            )),
            None => Ok(found),
        }
    }

    /// Compares the header with the argument as the client sent it.
    pub(crate) fn check(
        &self,
        headers: &HeaderMap,
        arguments: &IncomingArguments,
    ) -> Result<(), ProtocolError> {
        let value = self.path.split_first().and_then(|(first, rest)| {
            rest.iter()
                .try_fold(arguments.get(first)?, |value, name| value.get(name))
                .filter(|value| !value.is_null())
        });
        let header = decoded(headers, &self.header)?;
        let name = self.path.join(".");
        match (value, header) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(ProtocolError::header_mismatch(format!(
                "header {} is given, but the argument `{name}` is not",
                self.header
            ))),
            (Some(_), None) => Err(ProtocolError::header_mismatch(format!(
                "header {} is missing; it repeats the argument `{name}`",
                self.header
            ))),
            (Some(value), Some(header)) if is_same(value, &header) => Ok(()),
            (Some(value), Some(header)) => Err(ProtocolError::header_mismatch(format!(
                "header {} is '{}', but the argument `{name}` is {}",
                self.header,
                excerpt(&header),
                excerpt(&value.to_string())
            ))),
        }
    }
}

/// Integers are compared as numbers, so `42.0` is `42`; large ones exactly, because two of them may
/// be one float.
fn is_same(value: &Value, header: &str) -> bool {
    match value {
        Value::String(text) => text == header,
        Value::Bool(word) => header == if *word { "true" } else { "false" },
        Value::Number(number) => {
            let written = number.to_string();
            written == header
                || match (whole(&written), whole(header)) {
                    (Some(argument), Some(header)) => argument == header,
                    _ => {
                        matches!((number.as_f64(), header.parse::<f64>()), (Some(argument), Ok(header)) if argument == header)
                    }
                }
        }
        _ => false,
    }
}

/// An integer in decimal notation, with or without a fraction of zeros.
fn whole(text: &str) -> Option<i128> {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.bytes().all(|digit| digit == b'0') {
        integer.parse().ok()
    } else {
        None
    }
}

fn collect(
    schema: &Value,
    path: &mut Vec<String>,
    found: &mut Vec<HeaderParameter>,
) -> Result<(), String> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(());
    };
    for (name, property) in properties {
        path.push(name.clone());
        if let Some(annotation) = property.get(ANNOTATION) {
            found.push(HeaderParameter {
                header: header_name(annotation, property)?,
                path: path.clone(),
            });
        }
        collect(property, path, found)?;
        path.pop();
    }
    Ok(())
}

fn header_name(annotation: &Value, property: &Value) -> Result<HeaderName, String> {
    let name = annotation
        .as_str()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| format!("`{ANNOTATION}` must be a text, not {annotation}"))?;
    let kind = property
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or("any");
    if !matches!(kind, "string" | "integer" | "boolean") {
        return Err(format!(
            "`{ANNOTATION}: {name}` needs a property of type string, integer or boolean, not {kind}"
        ));
    }
    HeaderName::from_bytes(format!("mcp-param-{name}").as_bytes())
        .map_err(|_| format!("`{ANNOTATION}: {name}` is not a header name"))
}

fn count_annotations(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| match name.as_str() {
                ANNOTATION => usize::from(!value.is_object()),
                "enum" | "const" | "default" | "examples" => 0,
                _ => count_annotations(value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(count_annotations).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::{Value, json};

    use super::HeaderParameter;
    use crate::arguments::IncomingArguments;

    fn one(kind: &str) -> HeaderParameter {
        let schema = json!({"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": kind, "x-mcp-header": "Region"}}}}});
        HeaderParameter::all_in(&schema).unwrap().remove(0)
    }

    fn check(kind: &str, argument: Value, header: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(
                HeaderName::from_static("mcp-param-region"),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        one(kind)
            .check(
                &headers,
                &IncomingArguments::Unchecked(
                    json!({"a": {"b": argument}}).as_object().unwrap().clone(),
                ),
            )
            .is_ok()
    }

    #[test]
    fn values_are_compared_as_the_specification_says() {
        assert!(check("string", json!("us-west1"), Some("us-west1")));
        assert!(check("string", json!("ä"), Some("=?base64?w6Q=?=")));
        assert!(check("integer", json!(42), Some("42.0")));
        assert!(check("boolean", json!(true), Some("true")));
        assert!(check("string", Value::Null, None));
        assert!(!check("string", json!("us-west1"), None));
        assert!(!check("string", json!("us-west1"), Some("eu")));
        assert!(!check("string", Value::Null, Some("eu")));
        assert!(!check("boolean", json!(true), Some("True")));
    }

    #[test]
    fn annotations_in_the_wrong_place_are_refused() {
        for bad in [
            json!({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}),
            json!({"properties": {"a": {"type": "string", "x-mcp-header": ""}}}),
            json!({"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}}),
            json!({"properties": {"a": {"type": "string", "x-mcp-header": "A"}, "b": {"type": "string", "x-mcp-header": "a"}}}),
            json!({"properties": {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}}}),
            json!({"anyOf": [{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]}),
        ] {
            assert!(HeaderParameter::all_in(&bad).is_err(), "{bad}");
        }
    }
}
