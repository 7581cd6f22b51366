//! What a filter makes, as far as its text says: objects with their keys, lists, texts, numbers.
//! For documents; no value is checked by it.

use jaq_core::load::parse;
use jaq_core::ops::Math;
use serde_json::{Map, Value, json};

use super::meter::Term;
use super::program::{term, text};

/// A JSON Schema of what the filter gives; `{}` where its text does not say.
pub(crate) fn of_filter(code: &str) -> Value {
    term(code).map_or_else(|| json!({}), |term| form(&term))
}

fn form(term: &Term<'_>) -> Value {
    match term {
        Term::Obj(entries) => object(entries),
        Term::Arr(None) => json!({ "type": "array", "items": {} }),
        Term::Arr(Some(inner)) => {
            let schema = [("type", Value::from("array")), ("items", form(inner))];
            schema.into_iter().collect()
        }
        Term::Str(..) => json!({ "type": "string" }),
        Term::Num(_) => json!({ "type": "number" }),
        Term::Call("only", arguments) => match arguments.as_slice() {
            [Term::Arr(Some(names))] => {
                texts(names).map_or_else(|| json!({ "type": "object" }), |names| with_keys(&names))
            }
            _ => json!({ "type": "object" }),
        },
        Term::BinOp(_, parse::BinaryOp::Pipe(_), right) => form(right),
        Term::BinOp(left, parse::BinaryOp::Math(Math::Add), right) => {
            joined(form(left), form(right))
        }
        _ => json!({}),
    }
}

fn object(entries: &[(Term<'_>, Option<Term<'_>>)]) -> Value {
    let mut properties = Map::new();
    for (key, value) in entries {
        let Some(name) = text(key) else {
            return json!({ "type": "object" });
        };
        properties.insert(
            name.to_owned(),
            value.as_ref().map_or_else(|| json!({}), form),
        );
    }
    with_properties(properties)
}

fn with_keys(names: &[&str]) -> Value {
    let properties: Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({})))
        .collect();
    with_properties(properties)
}

/// The schema of an object with these keys.
pub(crate) fn with_properties(properties: Map<String, Value>) -> Value {
    let schema = [
        ("type", Value::from("object")),
        ("properties", properties.into()),
    ];
    schema.into_iter().collect()
}

/// Two objects added: the keys of both, when those of both are known.
fn joined(mut left: Value, mut right: Value) -> Value {
    let keys = |form: &mut Value| {
        form.get_mut("properties")
            .and_then(Value::as_object_mut)
            .map(std::mem::take)
    };
    match (keys(&mut left), keys(&mut right)) {
        (Some(mut all), Some(more)) => {
            all.extend(more);
            with_properties(all)
        }
        _ => json!({}),
    }
}

/// Texts with commas between them.
fn texts<'s>(term: &Term<'s>) -> Option<Vec<&'s str>> {
    match term {
        Term::BinOp(left, parse::BinaryOp::Comma, right) => {
            Some([texts(left)?, texts(right)?].concat())
        }
        one => text(one).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of_filter;

    #[test]
    fn the_text_of_a_filter_says_what_it_makes() {
        let keys = |names: &[&str]| {
            let properties: serde_json::Map<_, _> = names
                .iter()
                .map(|name| ((*name).to_owned(), json!({})))
                .collect();
            json!({ "type": "object", "properties": properties })
        };
        for (code, form) in [
            (
                "{a: [.items[] | {id, name}]}",
                json!({ "type": "object", "properties": { "a": { "type": "array", "items": keys(&["id", "name"]) } } }),
            ),
            (
                r#"{a: only(["x", "y"])}"#,
                json!({ "type": "object", "properties": { "a": keys(&["x", "y"]) } }),
            ),
            (
                r#"only(["x"]) + {y: 1}"#,
                json!({ "type": "object", "properties": { "x": {}, "y": { "type": "number" } } }),
            ),
            ("{(.a): 1}", json!({ "type": "object" })),
            ("only($args.names)", json!({ "type": "object" })),
            ("{a: .} + .b", json!({})),
            (".a", json!({})),
            ("\"a\\(.b)\"", json!({ "type": "string" })),
            ("[]", json!({ "type": "array", "items": {} })),
            ("{a:", json!({})),
        ] {
            assert_eq!(of_filter(code), form, "{code}");
        }
    }
}
