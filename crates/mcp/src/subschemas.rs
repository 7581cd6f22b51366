//! The places where schemas stand inside of a schema. Source: JSON Schema 2020-12, Core, 10, with
//! the words of older drafts. What the keywords mean is not known here.

use serde_json::Value;

/// What stands under a keyword.
enum Under {
    /// One schema, or a list of them.
    Schemas,
    /// A schema under each name.
    NamedSchemas,
    /// No schema.
    Other,
}

fn under(keyword: &str) -> Under {
    match keyword {
        "additionalItems"
        | "additionalProperties"
        | "allOf"
        | "anyOf"
        | "contains"
        | "contentSchema"
        | "else"
        | "if"
        | "items"
        | "not"
        | "oneOf"
        | "prefixItems"
        | "propertyNames"
        | "then"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "disallow" => Under::Schemas,
        "$defs" | "definitions" | "dependencies" | "dependentSchemas" | "patternProperties"
        | "properties" => Under::NamedSchemas,
        _ => Under::Other,
    }
}

/// Hands out every schema that stands directly inside of this one, with the keyword that it stands
/// under.
pub(crate) fn each(schema: &mut Value, mut act: impl FnMut(&str, &mut Value)) {
    for (keyword, value) in schema.as_object_mut().into_iter().flatten() {
        match (under(keyword), value) {
            (Under::Schemas, Value::Array(schemas)) => {
                schemas.iter_mut().for_each(|schema| act(keyword, schema));
            }
            (Under::Schemas, schema) => act(keyword, schema),
            (Under::NamedSchemas, Value::Object(named)) => {
                named.values_mut().for_each(|schema| act(keyword, schema));
            }
            (Under::NamedSchemas | Under::Other, _) => {}
        }
    }
}

/// Whether any schema that stands directly inside of this one is such a schema.
pub(crate) fn any(schema: &Value, mut is_such: impl FnMut(&str, &Value) -> bool) -> bool {
    let mut keywords = schema.as_object().into_iter().flatten();
    keywords.any(|(keyword, value)| match (under(keyword), value) {
        (Under::Schemas, Value::Array(schemas)) => {
            schemas.iter().any(|schema| is_such(keyword, schema))
        }
        (Under::Schemas, schema) => is_such(keyword, schema),
        (Under::NamedSchemas, Value::Object(named)) => {
            named.values().any(|schema| is_such(keyword, schema))
        }
        (Under::NamedSchemas | Under::Other, _) => false,
    })
}

/// Whether there may be a null to take out of what a value may be.
pub(crate) fn may_have_null(schema: &Value) -> bool {
    let mut keywords = schema.as_object().into_iter().flatten();
    keywords.any(|(keyword, value)| match keyword.as_str() {
        "type" => value.is_array(),
        "anyOf" | "oneOf" => true,
        "default" => value.is_null(),
        "enum" => value
            .as_array()
            .is_some_and(|members| members.iter().any(Value::is_null)),
        _ => false,
    })
}

/// Takes null out of what a value may be, where that leaves something to say.
pub(crate) fn take_null_out(schema: &mut Value) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(kinds)) = keywords.get_mut("type")
        && kinds.iter().any(|kind| kind != "null")
    {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            keywords.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(members)) = keywords.get_mut("enum")
        && members.iter().any(|member| !member.is_null())
    {
        members.retain(|member| !member.is_null());
    }
    for keyword in ["anyOf", "oneOf"] {
        let Some(Value::Array(choices)) = keywords.get_mut(keyword) else {
            continue;
        };
        if !choices.iter().any(is_null) || choices.iter().all(is_null) {
            continue;
        }
        choices.retain(|choice| !is_null(choice));
        if let [Value::Object(only)] = choices.as_slice() {
            // What was said beside the choice goes before what is said in it, if it is about
            // reading; all else must not contradict.
            let only = only.clone();
            if only
                .keys()
                .all(|keyword| is_about_reading(keyword) || !keywords.contains_key(keyword))
            {
                keywords.remove(keyword);
                only.into_iter().for_each(|(keyword, value)| {
                    keywords.entry(keyword).or_insert(value);
                });
            }
        }
    }
    if keywords.get("default").is_some_and(Value::is_null) {
        keywords.remove("default");
    }
}

/// Whether a schema takes null and nothing else.
fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
        || schema.get("const").is_some_and(Value::is_null)
}

/// Whether a keyword says something to who reads the schema, and nothing of the value.
fn is_about_reading(keyword: &str) -> bool {
    [
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "$comment",
    ]
    .contains(&keyword)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{each, take_null_out};

    #[test]
    fn what_is_no_schema_is_not_handed_out() {
        let mut schema = json!({
            "type": "object", "default": true, "const": true, "enum": [true], "examples": [true], "uniqueItems": true, "required": ["properties"],
            "properties": {"items": {"default": true}, "if": true},
            "items": [{"const": true}, false], "dependencies": {"a": ["b"], "c": true}, "not": true, "anyOf": [true, {}]
        });
        let mut seen = Vec::new();
        each(&mut schema, |keyword, schema| {
            seen.push(format!("{keyword} {schema}"))
        });
        seen.sort();
        let expected = [
            r#"anyOf true"#,
            r#"anyOf {}"#,
            r#"dependencies ["b"]"#,
            r#"dependencies true"#,
            r#"items false"#,
            r#"items {"const":true}"#,
            r#"not true"#,
            r#"properties true"#,
            r#"properties {"default":true}"#,
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn null_goes_where_something_else_is_left() {
        let table = [
            (
                json!({"type": ["string", "null"]}),
                json!({"type": "string"}),
            ),
            (
                json!({"type": ["string", "integer", "null"]}),
                json!({"type": ["string", "integer"]}),
            ),
            (json!({"type": "null"}), json!({"type": "null"})),
            (json!({"type": ["null"]}), json!({"type": ["null"]})),
            (
                json!({"enum": ["a", null], "default": null}),
                json!({"enum": ["a"]}),
            ),
            (
                json!({"anyOf": [{"type": "object", "description": "inner"}, {"type": "null"}], "description": "outer"}),
                json!({"type": "object", "description": "outer"}),
            ),
            (
                json!({"oneOf": [{"const": null}, {"type": "string"}]}),
                json!({"type": "string"}),
            ),
            (
                json!({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}),
                json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
            ),
            // Both say what a text must be, and merged one of them would be lost.
            (
                json!({"maxLength": 3, "anyOf": [{"maxLength": 5}, {"type": "null"}]}),
                json!({"maxLength": 3, "anyOf": [{"maxLength": 5}]}),
            ),
            (
                json!({"anyOf": [{"type": "null"}]}),
                json!({"anyOf": [{"type": "null"}]}),
            ),
            (json!(true), json!(true)),
        ];
        for (mut given, expected) in table {
            take_null_out(&mut given);
            assert_eq!(given, expected);
        }
        let mut untouched: Value = json!({"properties": {"a": {"type": ["string", "null"]}}});
        take_null_out(&mut untouched);
        assert_eq!(
            untouched["properties"]["a"]["type"],
            json!(["string", "null"]),
            "one schema alone"
        );
    }
}
