//! Tools against the rules of a client: names, descriptions, schemas. Knows neither where a tool
//! was written nor who lists it.

use serde_json::{Map, Value};

use super::{ClientRules, Letters, SchemaRule};

/// What a client sees of a tool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListedTool<'t> {
    pub(crate) name: &'t str,
    pub(crate) description: &'t str,
    pub(crate) input_schema: &'t Value,
    pub(crate) output_schema: Option<&'t Value>,
}

/// What a client would not take of a tool.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RuleBreach {
    /// The argument that it is about.
    pub(crate) argument: Option<String>,
    pub(crate) what: String,
    pub(crate) hint: &'static str,
}

/// That more tools are listed than the client takes.
pub(crate) fn too_many(listed: usize, client: &ClientRules) -> Option<RuleBreach> {
    let most = client.most_tools.filter(|most| listed > *most)?;
    Some(RuleBreach {
        argument: None,
        what: format!("{listed} tools are listed; {}", client.takes(most)),
        hint: "put tools that few need into a group that is not listed",
    })
}

/// Everything that the client would have against a tool of a server of that name.
pub(crate) fn breaches(
    tool: &ListedTool<'_>,
    client: &ClientRules,
    server: &str,
) -> Vec<RuleBreach> {
    let mut breaches = Vec::new();
    let mut add = |argument: Option<String>, what: String, hint: &'static str| {
        breaches.push(RuleBreach {
            argument,
            what,
            hint,
        });
    };
    for (what, hint) in name(tool.name, client, server)
        .into_iter()
        .chain(description(tool.description, client))
    {
        add(None, what, hint);
    }
    for (argument, what) in schema(tool.input_schema, client) {
        add(
            argument,
            format!("{what}; {}", client.refuses()),
            "write it plainer, or leave it out",
        );
    }
    let output = tool.output_schema;
    if client.schema.contains(&SchemaRule::NoBooleans) && output.is_some_and(has_boolean) {
        add(
            None,
            format!(
                "a schema that is true or false in the output; {}",
                client.refuses()
            ),
            "write `{}` for any value",
        );
    }
    if output.is_some_and(|schema| schema.get("type") != Some(&Value::from("object"))) {
        add(
            None,
            "the output schema is not that of an object; clients refuse the whole list".to_owned(),
            "name a shape or `object`",
        );
    }
    breaches
}

fn name(name: &str, client: &ClientRules, server: &str) -> Option<(String, &'static str)> {
    let prefix = client.prefix_for(server);
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let fits = match client.letters {
        Letters::LowerCase => {
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        }
        Letters::Word => !name.is_empty() && name.bytes().all(word),
        Letters::WordFromLetter => {
            format!("{prefix}{name}")
                .starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.bytes().all(word)
        }
    };
    if !fits {
        return Some((
            client.refuses_name(name),
            "letters, digits and `_`, the first a letter",
        ));
    }
    let length = prefix.len() + name.chars().count();
    (length > client.longest_name).then(|| {
        let shown = format!("{prefix}{name}");
        (
            format!(
                "`{shown}` has {length} characters; {}",
                client.takes(client.longest_name)
            ),
            "choose a shorter name",
        )
    })
}

fn description(text: &str, client: &ClientRules) -> Option<(String, &'static str)> {
    let most = client
        .longest_description
        .filter(|most| text.len() > *most)?;
    let what = format!(
        "the description has {} bytes; {}",
        text.len(),
        client.takes(most)
    );
    Some((
        what,
        "say what the tool is for; what an argument is for goes to the argument",
    ))
}

/// What breaks a rule, each with the argument it is about.
fn schema(schema: &Value, client: &ClientRules) -> Vec<(Option<String>, String)> {
    const COMBINATORS: [&str; 3] = ["anyOf", "oneOf", "allOf"];
    const REFERENCES: [&str; 2] = ["$ref", "$defs"];
    let mut found = Vec::new();
    let none = Map::new();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    for rule in client.schema {
        match rule {
            SchemaRule::PlainRoot => {
                let keys = COMBINATORS
                    .into_iter()
                    .filter(|key| schema.get(key).is_some());
                found.extend(
                    keys.map(|key| (None, format!("`{key}` at the root of the arguments"))),
                );
            }
            SchemaRule::Arguments if properties.is_empty() => {
                found.push((None, "a tool without arguments".to_owned()))
            }
            SchemaRule::Arguments => {}
            _ => {
                for (argument, property) in properties {
                    let what = match rule {
                        SchemaRule::NoCombinators => held(property, &COMBINATORS),
                        SchemaRule::NoReferences => held(property, &REFERENCES),
                        SchemaRule::TextEnums => {
                            let values = property.get("enum").and_then(Value::as_array);
                            values
                                .filter(|values| !values.iter().all(Value::is_string))
                                .map(|_| "an `enum` of other than texts".into())
                        }
                        SchemaRule::Typed => {
                            let is_typed = property.get("type").is_some();
                            (!is_typed && !takes_any_json(property)).then(|| "no `type`".into())
                        }
                        SchemaRule::Described => {
                            let text = property
                                .get("description")
                                .and_then(Value::as_str)
                                .unwrap_or_default();
                            text.trim().is_empty().then(|| "no description".into())
                        }
                        SchemaRule::PlainItems => items(property),
                        SchemaRule::NoBooleans => (property.is_boolean() || has_boolean(property))
                            .then(|| "a schema that is true or false".into()),
                        SchemaRule::OneType => {
                            has_types(property).then(|| "a list of types".into())
                        }
                        SchemaRule::PlainRoot | SchemaRule::Arguments => None,
                    };
                    found.extend(what.map(|what| (Some(argument.clone()), what)));
                }
            }
        }
    }
    found
}

/// The named exception from types: an argument that takes any JSON, as a field of
/// `serde_json::Value` does, has none to say. It says so in words.
fn takes_any_json(property: &Value) -> bool {
    const WORDS: [&str; 5] = ["title", "description", "default", "examples", "deprecated"];
    let keywords = property.as_object();
    keywords.is_some_and(|keywords| {
        keywords.contains_key("description")
            && keywords
                .keys()
                .all(|keyword| WORDS.contains(&keyword.as_str()))
    })
}

/// The first of these keys that stands anywhere inside.
fn held(value: &Value, keys: &[&str]) -> Option<String> {
    match value {
        Value::Object(map) => map.iter().find_map(|(key, inner)| {
            if keys.contains(&key.as_str()) {
                Some(format!("`{key}`"))
            } else {
                held(inner, keys)
            }
        }),
        Value::Array(list) => list.iter().find_map(|inner| held(inner, keys)),
        _ => None,
    }
}

/// Whether a schema inside of this one is a boolean, other than one that closes an object.
fn has_boolean(schema: &Value) -> bool {
    schemas_in(schema).any(|(keyword, inner)| match inner {
        Value::Bool(opens) => *opens || keyword != "additionalProperties",
        inner => has_boolean(inner),
    })
}

/// Whether this schema or one inside of it has a list of types.
fn has_types(schema: &Value) -> bool {
    schema.get("type").is_some_and(Value::is_array)
        || schemas_in(schema).any(|(_, inner)| has_types(inner))
}

/// The schemas that stand directly inside of one, each with its keyword. Source: JSON Schema
/// 2020-12, Core, 10.
fn schemas_in(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    const ONE: [&str; 6] = [
        "items",
        "additionalProperties",
        "not",
        "contains",
        "propertyNames",
        "unevaluatedProperties",
    ];
    const LISTS: [&str; 4] = ["prefixItems", "anyOf", "oneOf", "allOf"];
    const NAMED: [&str; 3] = ["properties", "patternProperties", "$defs"];
    schema
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(keyword, value)| {
            let keyword = keyword.as_str();
            let single = ONE.contains(&keyword).then_some(value);
            let list = value.as_array().filter(|_| LISTS.contains(&keyword));
            let named = value.as_object().filter(|_| NAMED.contains(&keyword));
            let inside = single
                .into_iter()
                .chain(list.into_iter().flatten())
                .chain(named.into_iter().flat_map(Map::values));
            inside.map(move |inner| (keyword, inner))
        })
}

fn items(property: &Value) -> Option<String> {
    if property.get("type") != Some(&Value::from("array")) {
        return None;
    }
    match property
        .get("items")
        .and_then(|items| items.get("type"))
        .and_then(Value::as_str)
    {
        None => Some("a list that does not say what its items are".to_owned()),
        Some("array") => Some("a list of lists".to_owned()),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{description, name, schema};
    use crate::client_rules::{CLIENTS, SAFE, SchemaRule, named};
    use crate::clients::{self, SERVER_NAME};

    #[test]
    fn the_rules_of_every_client_are_there() {
        for client in &clients::CLIENTS {
            let rules = client.rules.map(|name| named(name).is_some());
            assert_ne!(rules, Some(false), "{}", client.name);
        }
    }

    #[test]
    fn names_fit_to_the_last_character_with_the_prefix_that_the_client_adds() {
        for client in CLIENTS.iter().chain([&SAFE]) {
            let longest = "a".repeat(client.longest_name - client.prefix.len());
            assert_eq!(name(&longest, client, SERVER_NAME), None, "{}", client.name);
            let (what, _) = name(&format!("{longest}a"), client, SERVER_NAME).unwrap();
            assert!(
                what.contains(&client.longest_name.to_string())
                    && what.contains(client.title.unwrap_or("some clients")),
                "{what}"
            );
            assert!(
                name("a.b", client, SERVER_NAME).is_some()
                    && name("ä", client, SERVER_NAME).is_some(),
                "{}",
                client.name
            );
        }
        assert!(
            name("Get", &SAFE, SERVER_NAME).is_some() && name("1get", &SAFE, SERVER_NAME).is_some()
        );
        assert!(name("Get-1", named("claude").unwrap(), SERVER_NAME).is_none());
        assert!(
            name("1get", named("gemini-api").unwrap(), SERVER_NAME).is_some()
                && name("1get", named("gemini-cli").unwrap(), SERVER_NAME).is_none()
        );
    }

    #[test]
    fn a_servers_own_name_counts() {
        let cursor = named("cursor").unwrap();
        let tool = "a".repeat(40);
        assert_eq!(name(&tool, cursor, "short"), None);
        let (what, _) = name(&tool, cursor, "a-very-long-server-name").unwrap();
        assert!(what.contains("`a-very-long-server-name_aaa"), "{what}");
    }

    #[test]
    fn descriptions_fit_to_the_last_byte() {
        assert_eq!(description(&"x".repeat(2_048), &SAFE), None);
        assert!(
            description(&"x".repeat(2_049), &SAFE)
                .unwrap()
                .0
                .contains("2049 bytes")
        );
        assert_eq!(
            description(&"x".repeat(9_999), named("cursor").unwrap()),
            None
        );
    }

    #[test]
    fn every_rule_about_schemas_names_the_argument() {
        let of = |client: &str, argument: Value| {
            let client = if client == "safe" {
                &SAFE
            } else {
                named(client).unwrap()
            };
            schema(
                &json!({ "type": "object", "properties": { "a": argument } }),
                client,
            )
        };
        for (client, argument, what) in [
            (
                "safe",
                json!({ "description": "A", "minimum": 1 }),
                "no `type`",
            ),
            ("safe", json!({ "type": "string" }), "no description"),
            (
                "safe",
                json!({ "type": "string", "description": " " }),
                "no description",
            ),
            (
                "safe",
                json!({ "type": "integer", "description": "A", "enum": [1] }),
                "other than texts",
            ),
            (
                "cursor",
                json!({ "type": "object", "properties": { "b": { "anyOf": [] } } }),
                "`anyOf`",
            ),
            (
                "gemini-cli",
                json!({ "type": "array", "items": { "type": "array" } }),
                "a list of lists",
            ),
            (
                "gemini-api",
                json!({ "type": "array" }),
                "what its items are",
            ),
            (
                "vertex",
                json!({ "type": "object", "$ref": "#/x" }),
                "`$ref`",
            ),
            ("claude-code", json!(true), "true or false"),
            (
                "claude-code",
                json!({ "type": "object", "additionalProperties": true }),
                "true or false",
            ),
            (
                "cursor",
                json!({ "type": "array", "items": { "properties": { "b": false } } }),
                "true or false",
            ),
            (
                "gemini-api",
                json!({ "type": "object", "properties": { "b": { "type": ["string", "null"] } } }),
                "a list of types",
            ),
        ] {
            let found = of(client, argument.clone());
            assert_eq!(found.len(), 1, "{client} {argument}: {found:?}");
            assert!(
                found[0].0.as_deref() == Some("a") && found[0].1.contains(what),
                "{client} {argument}: {found:?}"
            );
        }
        assert_eq!(of("safe", json!({ "description": "A" })), [], "any JSON");
        for harmless in [
            json!({ "type": "object", "properties": { "b": { "type": "boolean", "default": true } }, "additionalProperties": false }),
            json!({ "type": "array", "items": {}, "uniqueItems": true }),
        ] {
            assert_eq!(of("claude-code", harmless.clone()), [], "{harmless}");
        }
        let good = json!({ "type": "array", "items": { "type": "string", "enum": ["x"] }, "description": "A" });
        for client in CLIENTS.iter().chain([&SAFE]) {
            assert_eq!(
                schema(
                    &json!({ "type": "object", "properties": { "a": good } }),
                    client
                ),
                [],
                "{}",
                client.name
            );
        }
        for client in CLIENTS.iter() {
            // what is safe is what each of them takes, but for tools without arguments
            let beyond: Vec<_> = client
                .schema
                .iter()
                .filter(|rule| !SAFE.schema.contains(rule))
                .collect();
            assert!(
                beyond
                    .iter()
                    .all(|rule| **rule == SchemaRule::Arguments && client.name == "vertex"),
                "{beyond:?}"
            );
            assert!(
                client.prefix.len() + SAFE.longest_name <= client.longest_name,
                "{}",
                client.name
            );
            assert!(
                client
                    .most_tools
                    .is_none_or(|most| SAFE.most_tools <= Some(most)),
                "{}",
                client.name
            );
            assert!(
                client
                    .longest_description
                    .is_none_or(|most| SAFE.longest_description <= Some(most)),
                "{}",
                client.name
            );
        }
        let root = json!({ "type": "object", "properties": {}, "oneOf": [] });
        assert_eq!(schema(&root, named("claude").unwrap()).len(), 1);
        assert_eq!(
            schema(&json!({ "type": "object" }), named("vertex").unwrap()).len(),
            1
        );
    }
}
