//! A template and an address: it fits exactly where trying every place finds a fit, and its values
//! are those that the address holds.
//!
//! Input: the template in the first line, the address in the second.
#![no_main]

use footbridge_mcp::{Call, Endpoint, Resource, ResourceBody};
use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// Trying every place takes its time.
const LONGEST: usize = 48;

fuzz_target!(|data: &str| {
    let Some((template, uri)) = data.split_once('\n') else {
        return;
    };
    if template.len() > LONGEST || uri.len() > LONGEST {
        return;
    }
    let resource = Resource::template(template, "thing", |call: Call<()>| async move {
        Ok(ResourceBody::from(
            Value::Object(call.arguments.into_map()).to_string(),
        ))
    });
    let Ok(endpoint) = Endpoint::builder("fuzz", "1.0.0")
        .resource(resource)
        .build()
    else {
        return;
    };
    // Where a literal holds half of an encoded character, what an address means is anybody's guess.
    let Some(parts) = parts(template).filter(|parts| {
        !parts
            .iter()
            .any(|part| matches!(part, Part::Literal(text) if text.contains('%')))
    }) else {
        return;
    };
    let body = fuzz::request("resources/read", json!({ "uri": uri }));
    let mut headers = fuzz::headers(Some("resources/read"));
    let Ok(name) = HeaderValue::from_str(&encoded(uri)) else {
        return;
    };
    headers.insert("mcp-name", name);
    let answer = fuzz::ask_of(endpoint, headers, body.to_string().as_bytes()).json();
    let found: Option<Value> = answer
        .pointer("/result/contents/0/text")
        .and_then(Value::as_str)
        .map(|text| serde_json::from_str(text).unwrap());
    match found {
        None => assert!(
            !fits(&parts, uri, 0, None),
            "{template:?} fits {uri:?}: {answer}"
        ),
        Some(found) => {
            // Put back in place, the values make an address that means the same.
            let values: Vec<&str> = parts
                .iter()
                .filter_map(Part::name)
                .map(|name| found[name].as_str().unwrap())
                .collect();
            assert!(
                fits(&parts, uri, 0, Some(&values)),
                "{template:?} does not fit {uri:?} with {found}"
            );
        }
    }
});

enum Part {
    Literal(String),
    /// Its name, and whether it is written `{+name}` and may hold `/`.
    Variable(String, bool),
}

impl Part {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Variable(name, _) => Some(name),
            Self::Literal(_) => None,
        }
    }
}

fn parts(template: &str) -> Option<Vec<Part>> {
    let (mut parts, mut rest) = (Vec::new(), template);
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let plain = name.strip_prefix('+');
        parts.extend([
            Part::Literal(literal.to_owned()),
            Part::Variable(plain.unwrap_or(name).to_owned(), plain.is_some()),
        ]);
        rest = after;
    }
    parts.push(Part::Literal(rest.to_owned()));
    Some(parts)
}

/// What a piece of an address means as a value, if it can be one.
fn value(piece: &str, is_path: bool) -> Option<String> {
    let decoded = percent_decode_str(piece).decode_utf8().ok()?.into_owned();
    (!piece.is_empty() && (is_path || !piece.contains('/'))).then_some(decoded)
}

/// An encoded byte is one thing: nothing begins or ends inside of it.
fn may_cut(uri: &str, at: usize) -> bool {
    let hex = |place: usize| uri.as_bytes().get(place).is_some_and(u8::is_ascii_hexdigit);
    let encoded =
        |start: usize| uri.as_bytes().get(start) == Some(&b'%') && hex(start + 1) && hex(start + 2);
    uri.is_char_boundary(at) && !(at >= 1 && encoded(at - 1)) && !(at >= 2 && encoded(at - 2))
}

/// Whether the address can be cut so that it fits, with these values where there are some.
fn fits(parts: &[Part], uri: &str, at: usize, values: Option<&[&str]>) -> bool {
    match parts {
        [] => at == uri.len(),
        [Part::Literal(text), rest @ ..] => {
            uri[at..].starts_with(text.as_str()) && fits(rest, uri, at + text.len(), values)
        }
        [Part::Variable(_, is_path), rest @ ..] => (at + 1..=uri.len())
            .filter(|end| may_cut(uri, *end))
            .any(|end| {
                let Some(found) = value(&uri[at..end], *is_path) else {
                    return false;
                };
                let meant = values.is_none_or(|values| values.first() == Some(&found.as_str()));
                meant && fits(rest, uri, end, values.and_then(|values| values.get(1..)))
            }),
    }
}

/// An address as a header repeats it.
fn encoded(uri: &str) -> String {
    use base64::Engine as _;
    format!(
        "=?base64?{}?=",
        base64::engine::general_purpose::STANDARD.encode(uri)
    )
}
