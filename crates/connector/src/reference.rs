//! The reference page of the connector format, made from the types and the list of functions. Not
//! the guide, which is written by hand.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value};

use crate::definition;
use crate::jq;

/// Every key of a connector file and every jq function, as Markdown
/// (`docs/connectors/reference.md`).
pub fn reference() -> String {
    let schema = definition::schema();
    let mut out = String::from(
        "# Connector files: reference\n\nMade from the program; the guide is [guide.md](guide.md). `…` after a type means a list, `{name: …}` a map.\n",
    );
    let empty = Map::new();
    let types = schema
        .get("$defs")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    section(&mut out, "The file", &schema);
    for name in order(&schema, types) {
        if let Some(of) = types.get(&name).filter(|of| of.get("properties").is_some()) {
            section(&mut out, &name, of);
        } else if let Some(of) = types.get(&name) {
            words(&mut out, &name, of);
        }
    }
    functions(&mut out);
    out
}

/// Types in the order in which a reader meets them.
fn order(schema: &Value, types: &Map<String, Value>) -> Vec<String> {
    let mut met = Vec::new();
    let mut queue: Vec<&Value> = vec![schema];
    while !queue.is_empty() {
        let mut next = Vec::new();
        for value in queue {
            named(value, &mut |name| {
                if !met.iter().any(|known| known == name)
                    && let Some(of) = types.get(name)
                {
                    met.push(name.to_owned());
                    next.push(of);
                }
            });
        }
        queue = next;
    }
    met
}

/// The types that a schema names.
fn named<'s>(value: &'s Value, meet: &mut impl FnMut(&'s str)) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter().filter(|(key, _)| *key != "$defs") {
                match inner
                    .as_str()
                    .and_then(|text| text.strip_prefix("#/$defs/"))
                    .filter(|_| key == "$ref")
                {
                    Some(name) => meet(name),
                    None => named(inner, meet),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| named(inner, meet)),
        _ => {}
    }
}

fn section(out: &mut String, name: &str, of: &Value) {
    // writing to a text cannot fail
    let _infallible = write!(
        out,
        "\n## {name}\n\n{}\n\n| key | type | meaning |\n|---|---|---|\n",
        described(of)
    );
    let required: BTreeSet<&str> = of
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (key, property) in of
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let must = if required.contains(key.as_str()) {
            " **Required.**"
        } else {
            ""
        };
        let meaning = described(property).replace('|', "\\|");
        let _infallible = writeln!(out, "| `{key}` | {} | {meaning}{must} |", kind(property));
    }
}

fn words(out: &mut String, name: &str, of: &Value) {
    let single = |choice: &Value| {
        choice
            .get("const")
            .and_then(Value::as_str)
            .map(|word| (word.to_owned(), described(choice)))
    };
    let listed = |choice: &Value| {
        choice
            .get("enum")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let choices = of
        .get("oneOf")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut lines: Vec<(String, String)> = choices.iter().filter_map(single).collect();
    let plain = choices.iter().flat_map(listed).chain(listed(of));
    lines.extend(
        plain.filter_map(|word| word.as_str().map(|word| (word.to_owned(), String::new()))),
    );
    let _infallible = write!(out, "\n## {name}\n\n{}\n\n", described(of));
    if let (Some(short), Some(long)) = (of.get("then"), of.get("else")) {
        let _infallible = writeln!(out, "Either {} or {}.", kind(short), kind(long));
    }
    for (word, meaning) in lines {
        let meaning = if meaning.is_empty() {
            meaning
        } else {
            format!(": {meaning}")
        };
        let _infallible = writeln!(out, "- `{word}`{meaning}");
    }
}

fn described(of: &Value) -> String {
    of.get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .split('\n')
        .collect::<Vec<_>>()
        .join(" ")
}

fn kind(of: &Value) -> String {
    if let Some(name) = of
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|text| text.strip_prefix("#/$defs/"))
    {
        return format!("[{name}](#{})", name.to_ascii_lowercase());
    }
    if let Some(choices) = of
        .get("anyOf")
        .or_else(|| of.get("allOf"))
        .and_then(Value::as_array)
    {
        let kinds: Vec<String> = choices
            .iter()
            .map(kind)
            .filter(|kind| kind != "null")
            .collect();
        return kinds.join(" or ");
    }
    let kinds: Vec<&str> = match of.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several
            .iter()
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null")
            .collect(),
        _ => vec!["anything"],
    };
    let kinds = kinds.into_iter().map(|one| match one {
        "array" => format!(
            "{} …",
            of.get("items").map_or_else(|| "anything".into(), kind)
        ),
        "object" => format!(
            "{{name: {}}}",
            of.get("additionalProperties")
                .filter(|inner| inner.is_object())
                .map_or_else(|| "…".into(), kind)
        ),
        other => other.to_owned(),
    });
    kinds.collect::<Vec<_>>().join(" or ")
}

fn functions(out: &mut String) {
    out.push_str("\n## Filters\n\nFilters are jq. They reach no clock, file, environment, network or secret, and each run has a limit on rounds, time and nesting.\n\n### Variables\n\n| variable | value |\n|---|---|\n");
    for variable in jq::Variable::ALL {
        let (name, meaning) = (variable.name(), variable.meaning());
        let _infallible = writeln!(out, "| `{name}` | {meaning} |");
    }
    out.push_str("\n### Functions of ours\n\n| function | meaning |\n|---|---|\n");
    for (name, meaning) in jq::OWN_MEANINGS {
        let _infallible = writeln!(out, "| `{name}` | {meaning} |");
    }
    out.push_str("\n### Functions of jq\n\n");
    let names: Vec<String> = jq::function_names()
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect();
    out.push_str(&names.join(" "));
    out.push('\n');
}
