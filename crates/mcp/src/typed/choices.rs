//! Enums in the form that clients take: names with documentation as one `enum`, and a choice among
//! objects as the one object that a list of tools can show. Generates no schema.

use schemars::Schema;
use serde_json::{Map, Value, json};

/// Writes a choice of documented names as one `enum`, with what was said of each in the
/// description.
///
/// Source: clients that do not read `oneOf` with `const` (Gemini, Cursor) read this, and a value
/// that is none of them is refused with all of them named.
pub(super) fn list_names(schema: &mut Schema) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    // An optional enum: what is said of the field goes before what is said of the type, and takes
    // the words about its values with it.
    if keywords.contains_key("description") {
        let choices = keywords.get("anyOf").and_then(Value::as_array);
        let words = choices.into_iter().flatten().find_map(Names::of);
        if let Some(Names { words, .. }) = words {
            say(keywords, &words);
        }
    }
    if let Some(Names { names, words }) = Names::of(&Value::Object(keywords.clone())) {
        keywords.remove("oneOf");
        keywords.insert("type".to_owned(), json!("string"));
        keywords.insert("enum".to_owned(), Value::from(names));
        say(keywords, &words);
    }
}

/// Names, and a line about each that has documentation.
struct Names {
    names: Vec<String>,
    words: Vec<String>,
}

impl Names {
    /// The names that a schema chooses among, if it chooses among names only.
    fn of(schema: &Value) -> Option<Self> {
        let choices = schema.get("oneOf")?.as_array()?;
        if schema.get("type").is_some() || choices.is_empty() {
            return None;
        }
        let (mut names, mut words) = (Vec::new(), Vec::new());
        for choice in choices {
            if choice.get("type").is_some_and(|kind| kind != "string") {
                return None;
            }
            let listed = choice.get("enum").and_then(Value::as_array);
            let of_choice: Option<Vec<&str>> = match (choice.get("const"), listed) {
                (Some(name), None) => name.as_str().map(|name| vec![name]),
                (None, Some(names)) => names.iter().map(Value::as_str).collect(),
                _ => None,
            };
            let of_choice = of_choice?;
            if let (Some(about), [name]) = (about(choice), of_choice.as_slice()) {
                words.push(format!("- `{name}`: {about}"));
            }
            names.extend(of_choice.into_iter().map(str::to_owned));
        }
        Some(Self { names, words })
    }
}

/// What is said of a schema, on one line.
fn about(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

/// Adds lines to a description.
fn say(keywords: &mut Map<String, Value>, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let before = keywords
        .get("description")
        .and_then(Value::as_str)
        .map(|text| format!("{text}\n\n"));
    let text = format!("{}{}", before.unwrap_or_default(), lines.join("\n"));
    keywords.insert("description".to_owned(), Value::from(text));
}

/// The one object that stands for a choice among objects at the root of arguments, where clients
/// take no choice: every property that any of them has, required where all of them require it. The
/// property that tells them apart lists its values and says what goes with each.
///
/// Nothing where the root is no such choice. Source: the Anthropic API takes no `oneOf`, `allOf` or
/// `anyOf` at the root (github/copilot-cli#2581, makenotion/notion-mcp-server#340).
pub(super) fn as_one_object(schema: &Value) -> Option<Value> {
    let mut root = schema.as_object()?.clone();
    let choices = ["oneOf", "anyOf"]
        .into_iter()
        .find_map(|keyword| root.remove(keyword))?;
    let choices: Vec<&Map<String, Value>> = choices
        .as_array()?
        .iter()
        .map(|choice| choice.as_object().filter(|choice| is_object(choice)))
        .collect::<Option<_>>()?;
    let mut merged = root
        .get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let mut required = names_in(&root, "required");
    let (first, rest) = choices.split_first()?;
    let of_all = names_in(first, "required").into_iter().filter(|name| {
        rest.iter()
            .all(|choice| names_in(choice, "required").contains(name))
    });
    for name in of_all.collect::<Vec<_>>() {
        if !required.contains(&name) {
            required.push(name);
        }
    }
    for choice in &choices {
        for (name, property) in choice.get("properties")?.as_object()? {
            match merged.get_mut(name) {
                Some(there) => join(there, property),
                None => {
                    merged.insert(name.clone(), property.clone());
                }
            }
        }
    }
    let tags: Vec<&String> = merged
        .keys()
        .filter(|name| choices.iter().all(|choice| word_of(choice, name).is_some()))
        .collect();
    let lines = |tag: &String| -> Vec<String> {
        let line = |choice: &&Map<String, Value>| {
            let word = word_of(choice, tag)?;
            let whole = Value::Object((*choice).clone());
            let mut parts: Vec<String> = about(&whole).into_iter().collect();
            let needs: Vec<String> = names_in(choice, "required")
                .into_iter()
                .filter(|name| name != tag)
                .map(|name| format!("`{name}`"))
                .collect();
            if !needs.is_empty() {
                parts.push(format!("Needs {}.", needs.join(", ")));
            }
            (!parts.is_empty()).then(|| format!("- `{word}`: {}", parts.join(" ")))
        };
        choices.iter().filter_map(line).collect()
    };
    let tag_lines = tags.first().map(|tag| ((*tag).clone(), lines(tag)));
    if let Some((tag, lines)) = tag_lines
        && let Some(property) = merged.get_mut(&tag).and_then(Value::as_object_mut)
    {
        say(property, &lines);
    }
    let is_closed = choices
        .iter()
        .all(|choice| choice.get("additionalProperties") == Some(&Value::Bool(false)));
    root.insert("type".to_owned(), json!("object"));
    root.insert("properties".to_owned(), Value::Object(merged));
    root.remove("required");
    if !required.is_empty() {
        root.insert("required".to_owned(), Value::from(required));
    }
    if is_closed {
        root.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    Some(Value::Object(root))
}

/// A choice among objects as a schema of objects.
pub(super) fn of_objects(mut schema: Value) -> Value {
    if let Some(root) = schema.as_object_mut() {
        root.insert("type".to_owned(), json!("object"));
    }
    schema
}

fn is_object(schema: &Map<String, Value>) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object") && schema.contains_key("properties")
}

fn names_in(schema: &Map<String, Value>, keyword: &str) -> Vec<String> {
    let names = schema.get(keyword).and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

/// The only text that a property of a choice may be.
fn word_of<'c>(choice: &'c Map<String, Value>, property: &str) -> Option<&'c str> {
    choice
        .get("properties")?
        .get(property)?
        .get("const")?
        .as_str()
}

/// Lets a property be what another says, too.
fn join(there: &mut Value, other: &Value) {
    if there == other {
        return;
    }
    let words = |schema: &Value| -> Option<Vec<Value>> {
        if let Some(word) = schema.get("const") {
            return word.is_string().then(|| vec![word.clone()]);
        }
        schema.get("enum").and_then(Value::as_array).cloned()
    };
    if let (Some(mut here), Some(more)) = (words(there), words(other)) {
        more.into_iter().for_each(|word| {
            if !here.contains(&word) {
                here.push(word);
            }
        });
        *there = json!({ "type": "string", "enum": here });
        return;
    }
    match there.get_mut("anyOf").and_then(Value::as_array_mut) {
        Some(choices) if choices.contains(other) => {}
        Some(choices) => choices.push(other.clone()),
        None => *there = json!({ "anyOf": [there.take(), other] }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{as_one_object, list_names};

    #[test]
    fn documented_names_are_one_list_with_words() {
        let listed = |schema: serde_json::Value| {
            let mut schema = schemars::Schema::try_from(schema).unwrap();
            list_names(&mut schema);
            schema.to_value()
        };
        assert_eq!(
            listed(json!({"description": "In which order.", "oneOf": [
                {"type": "string", "enum": ["any", "none"]},
                {"type": "string", "const": "new", "description": "The newest\nfirst."}
            ]})),
            json!({
                "description": "In which order.\n\n- `new`: The newest first.",
                "type": "string", "enum": ["any", "none", "new"]
            })
        );
        for other in [
            json!({"oneOf": [{"const": "a"}, {"type": "object"}]}),
            json!({"oneOf": [{"const": 1}]}),
            json!({"oneOf": []}),
            json!({"anyOf": [{"const": "a"}]}),
            json!({"type": "string", "oneOf": [{"const": "a"}]}),
        ] {
            assert_eq!(listed(other.clone()), other);
        }
    }

    #[test]
    fn a_choice_among_objects_is_shown_as_one() {
        let shape = json!({"description": "A shape.", "oneOf": [
            {"type": "object", "description": "Round.", "properties": {
                "kind": {"type": "string", "const": "circle"}, "size": {"type": "number"}
            }, "required": ["kind", "size"], "additionalProperties": false},
            {"type": "object", "properties": {
                "kind": {"type": "string", "const": "text"}, "size": {"type": "string"}, "words": {"type": "string"}
            }, "required": ["kind", "words"], "additionalProperties": false}
        ]});
        assert_eq!(
            as_one_object(&shape).unwrap(),
            json!({
                "description": "A shape.", "type": "object",
                "properties": {
                    "kind": {"type": "string", "enum": ["circle", "text"],
                        "description": "- `circle`: Round. Needs `size`.\n- `text`: Needs `words`."},
                    "size": {"anyOf": [{"type": "number"}, {"type": "string"}]},
                    "words": {"type": "string"}
                },
                "required": ["kind"], "additionalProperties": false
            })
        );
        for other in [
            json!({"type": "object", "properties": {}}),
            json!({"oneOf": [{"type": "object", "properties": {}}, {"type": "string"}]}),
            json!({"oneOf": []}),
            json!(true),
        ] {
            assert_eq!(as_one_object(&other), None, "{other}");
        }
    }
}
