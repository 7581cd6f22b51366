//! Plain schemas: those of which a look at each word shows that they are valid, and whose words our
//! own validator knows. Most are. It never says yes to one that another validator could not be built
//! of.

use serde_json::{Map, Value};

/// The depth to which a plain schema is nested.
const MAX_DEPTH: usize = 100;
/// Bytes of a plain pattern.
const MAX_PATTERN_BYTES: usize = 100;
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const KINDS: [&str; 7] = [
    "null", "boolean", "string", "array", "object", "integer", "number",
];

/// Whether a schema is surely valid.
pub(super) fn is_plain(schema: &Value) -> bool {
    let Some(keywords) = schema.as_object() else {
        return false;
    };
    keywords
        .iter()
        .all(|(keyword, value)| match keyword.as_str() {
            "$schema" => value == DIALECT,
            _ => is_plain_word(schema, keyword, value, 0),
        })
}

/// Whether the schema of a property of the root is surely valid.
pub(super) fn is_plain_property(root: &Value, property: &Value) -> bool {
    is_plain_within(root, property, 1)
}

/// Whether a schema somewhere in the root is surely valid.
fn is_plain_within(root: &Value, schema: &Value, depth: usize) -> bool {
    match schema {
        Value::Bool(_) => true,
        Value::Object(keywords) => {
            depth < MAX_DEPTH
                && keywords
                    .iter()
                    .all(|(keyword, value)| is_plain_word(root, keyword, value, depth))
        }
        _ => false,
    }
}

fn is_plain_word(root: &Value, keyword: &str, value: &Value, depth: usize) -> bool {
    let is_schema = |schema: &Value| is_plain_within(root, schema, depth + 1);
    let are_schemas = |named: &Map<String, Value>| named.values().all(is_schema);
    match keyword {
        "title" | "description" | "$comment" => value.is_string(),
        "format" => value.as_str().is_some_and(is_held),
        "multipleOf" => value.as_u64().is_some_and(|step| step > 0),
        "patternProperties" => value.as_object().is_some_and(|named| {
            named.keys().all(|pattern| is_plain_pattern(pattern)) && are_schemas(named)
        }),
        "default" | "const" => true,
        "deprecated" | "readOnly" | "writeOnly" | "uniqueItems" => value.is_boolean(),
        "enum" | "examples" => value.is_array(),
        "type" => match value {
            Value::String(kind) => KINDS.contains(&kind.as_str()),
            Value::Array(_) => is_set_of_texts(value, |kind| KINDS.contains(&kind), 1),
            _ => false,
        },
        "required" => is_set_of_texts(value, |_| true, 0),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            value.is_u64()
        }
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
        "pattern" => value.as_str().is_some_and(is_plain_pattern),
        "items" | "additionalProperties" | "propertyNames" | "not" | "contains" => is_schema(value),
        "properties" | "$defs" => value.as_object().is_some_and(are_schemas),
        "anyOf" | "oneOf" | "allOf" | "prefixItems" => value
            .as_array()
            .is_some_and(|schemas| !schemas.is_empty() && schemas.iter().all(is_schema)),
        "$ref" => value
            .as_str()
            .is_some_and(|target| is_defined(root, target)),
        // words of our own, which say nothing to a validator
        _ => keyword.starts_with("x-") && !value.is_object() && !value.is_array(),
    }
}

/// Whether a format is held by our own validator, or by none.
fn is_held(format: &str) -> bool {
    const BY_ANOTHER: [&str; 9] = [
        "idn-email",
        "idn-hostname",
        "iri",
        "iri-reference",
        "json-pointer",
        "regex",
        "relative-json-pointer",
        "uri-reference",
        "uri-template",
    ];
    cfg!(not(feature = "every-schema")) || !BY_ANOTHER.contains(&format)
}

/// Why a schema that is not plain is not taken without the other validator.
#[cfg(not(feature = "every-schema"))]
pub(super) fn unusual(schema: &Value) -> String {
    let mut waiting = vec![(schema, String::new())];
    while let Some((value, place)) = waiting.pop() {
        let Some(members) = value.as_object() else {
            continue;
        };
        for (keyword, word) in members {
            let here = format!("{place}/{keyword}");
            match (keyword.as_str(), word) {
                ("properties" | "$defs" | "patternProperties", Value::Object(named)) => {
                    let inner = named
                        .iter()
                        .map(|(name, word)| (word, format!("{here}/{name}")));
                    waiting.extend(inner);
                }
                ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                    let inner = schemas.iter().enumerate();
                    waiting.extend(inner.map(|(place, word)| (word, format!("{here}/{place}"))));
                }
                ("items" | "additionalProperties" | "propertyNames" | "not" | "contains", word) => {
                    waiting.push((word, here));
                }
                ("$schema", word) if place.is_empty() && word == DIALECT => {}
                _ if is_plain_word(schema, keyword, word, 0) => {}
                _ => {
                    let shown: String = word.to_string().chars().take(100).collect();
                    return format!(
                        "`{here}` is {shown}, which is wrong, or a word that only the feature \
                         `every-schema` of footbridge-mcp knows"
                    );
                }
            }
        }
    }
    "it is wrong, or only the feature `every-schema` of footbridge-mcp can hold it".to_owned()
}

/// Whether a value is a list of different texts, of at least so many, each of which is one of those
/// meant.
fn is_set_of_texts(value: &Value, is_meant: impl Fn(&str) -> bool, least: usize) -> bool {
    let Some(texts) = value.as_array().filter(|texts| texts.len() >= least) else {
        return false;
    };
    texts.iter().enumerate().all(|(place, text)| {
        text.as_str().is_some_and(&is_meant)
            && !texts.iter().skip(place + 1).any(|other| other == text)
    })
}

/// Whether a reference leads to the root, or to a definition there by a name that needs no escapes.
fn is_defined(root: &Value, target: &str) -> bool {
    let is_simple = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    if target == "#" {
        return true;
    }
    target
        .strip_prefix("#/$defs/")
        .filter(|name| is_simple(name))
        .and_then(|name| root.get("$defs")?.get(name))
        .is_some()
}

/// Whether a text is a regular expression in every dialect: sequences of characters, classes and
/// groups, repeated few times.
fn is_plain_pattern(pattern: &str) -> bool {
    const SIGNS: &[u8] = b" _-.^$[]()+*?{},|/:@#";
    // The one escape that means the same to all once it is written out, outside of a class.
    let written_out = pattern.replace("\\d", "[0-9]");
    let pattern = match pattern.contains('[') {
        true => pattern,
        false => &written_out,
    };
    // set operations of one dialect, groups that are no groups, and repetition of repetition, which
    // may be larger than a validator allows
    let is_repeated = |pair: &[u8]| pair.iter().all(|byte| b"*+?{}".contains(byte));
    let is_large = |part: &str| part.len() > 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let has_traps = pattern.as_bytes().windows(2).any(is_repeated)
        || pattern.split(['{', ',', '}']).any(is_large)
        || ["--", "(?", "){"].iter().any(|trap| pattern.contains(trap));
    pattern.len() <= MAX_PATTERN_BYTES
        && !has_traps
        && pattern
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || SIGNS.contains(&byte))
        && regex_syntax::parse(pattern).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
    use proptest::{collection, prop_assert, sample};
    use serde_json::{Map, Value, json};

    use super::{is_plain, is_plain_pattern};
    use crate::validator::any_schema::built as build;

    #[test]
    fn what_tools_are_made_of_is_plain() {
        for schema in [
            json!({"type": "object"}),
            json!({"type": "object", "properties": {
                "id": {"type": "string", "pattern": "^[A-Za-z]+-[0-9]+$", "description": "Key"},
                "key": {"type": "string", "pattern": "^([A-Za-z]{1,10}-)?[0-9]{1,9}$"},
                "name": {"type": "string", "pattern": "^[a-zA-Z0-9_.-]+$", "maxLength": 200},
                "due": {"anyOf": [{"type": "null"}, {"type": "string", "format": "date"}]},
                "tags": {"type": ["array", "null"], "items": {"type": "string"}, "uniqueItems": true},
                "kind": {"enum": ["a", "b", null], "default": "a"},
                "limit": {"type": "integer", "minimum": 1, "maximum": 100.5},
                "of": {"$ref": "#/$defs/Other"}
            }, "required": ["id"], "additionalProperties": false,
            "$defs": {"Other": {"type": "object", "properties": {"other": {"$ref": "#/$defs/Other"}}}},
            "$schema": "https://json-schema.org/draft/2020-12/schema", "x-mcp-header": "Region"}),
            json!({"$ref": "#/$defs/a-b.c", "$defs": {"a-b.c": {"items": {"$ref": "#"}}}}),
        ] {
            assert!(is_plain(&schema), "{schema}");
            build(&schema).unwrap();
        }
    }

    #[test]
    fn what_is_wrong_or_unusual_is_not_plain() {
        for schema in [
            json!(null),
            json!({"type": "text"}),
            json!({"type": []}),
            json!({"type": ["string", "string"]}),
            json!({"minLength": -1}),
            json!({"minimum": "1"}),
            json!({"required": "a"}),
            json!({"required": ["a", "a"]}),
            json!({"properties": []}),
            json!({"properties": {"a": 1}}),
            json!({"anyOf": []}),
            json!({"items": [{}]}),
            json!({"pattern": "("}),
            json!({"pattern": "a{9}{9}"}),
            json!({"pattern": "[a-z]{1,1000}"}),
            json!({"pattern": "\\w"}),
            json!({"pattern": "[\\d]"}),
            json!({"$ref": "#/$defs/Nowhere"}),
            json!({"$ref": "https://example.com/schema"}),
            json!({"$id": "https://example.com/schema"}),
            json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
            json!({"properties": {"a": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}}),
            json!({"multipleOf": 0}),
            json!({"multipleOf": 0.5}),
            json!({"patternProperties": {"(": {}}}),
            json!({"x-other": {"$id": "a"}}),
            json!({"titel": 1}),
        ] {
            assert!(!is_plain(&schema), "{schema}");
        }
    }

    /// A value for a keyword, right more often than not.
    fn word(
        schemas: impl Strategy<Value = Value> + Clone + 'static,
    ) -> impl Strategy<Value = (String, Value)> {
        let named = |keywords: &'static [&'static str]| {
            sample::select(keywords).prop_map(ToOwned::to_owned)
        };
        let kinds = sample::subsequence(super::KINDS.to_vec(), 0..3);
        let list = collection::vec(schemas.clone(), 0..3).prop_map(Value::from);
        let map = collection::vec(("[a-c$]|x-a|items|[$]defs", schemas.clone()), 0..3)
            .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into());
        let count = prop_oneof![
            any::<i8>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
        ];
        let anything = prop_oneof![
            count.clone(),
            kinds.prop_map(|kinds| json!(kinds)),
            sample::select(&super::KINDS[..]).prop_map(Value::from),
            "[#]|[#]/[$]defs/[a-c]".prop_map(Value::from),
            pattern().prop_map(Value::from),
            sample::select(&["date", "regex", "uri", "int32", "of-our-own"][..])
                .prop_map(Value::from),
            list,
            map.clone(),
            schemas,
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
        ];
        prop_oneof![
            (
                named(&["minLength", "maxItems", "minimum", "exclusiveMaximum"]),
                count
            ),
            (named(&["properties", "$defs", "$defs"]), map),
            (
                named(&[
                    "type",
                    "enum",
                    "const",
                    "default",
                    "title",
                    "format",
                    "required",
                    "uniqueItems",
                    "pattern",
                    "items",
                    "not",
                    "contains",
                    "propertyNames",
                    "additionalProperties",
                    "anyOf",
                    "oneOf",
                    "allOf",
                    "prefixItems",
                    "$ref",
                    "x-word",
                    "examples",
                    "maxProperties",
                    "deprecated",
                ]),
                anything
            ),
        ]
    }

    fn schema() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!({})),
            any::<bool>().prop_map(Value::from),
            Just(json!({"type": "string"})),
            Just(json!({"$ref": "#/$defs/a"})),
            Just(json!({"$ref": "#"})),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            collection::vec(word(inner.boxed()), 0..4)
                .prop_map(|words| words.into_iter().collect::<Map<_, _>>().into())
        })
    }

    fn pattern() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[a-z0-9]",
            "[ _.^$\\[\\]()+*?{},|/:@#-]",
            Just("[a-z0-9_.-]".to_owned()),
            Just("(a|b)".to_owned()),
            Just("{1,9}".to_owned()),
        ];
        collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn of_a_plain_schema_a_validator_can_be_built(schema in schema()) {
            prop_assert!(!is_plain(&schema) || build(&schema).is_ok(), "{:?}", build(&schema).err());
        }

        #[test]
        fn a_plain_pattern_is_a_regular_expression(pattern in pattern()) {
            let schema = json!({"pattern": pattern});
            prop_assert!(!is_plain_pattern(&pattern) || build(&schema).is_ok(), "{schema}");
        }
    }
}
