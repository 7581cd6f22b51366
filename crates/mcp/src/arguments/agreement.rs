//! Tests that arguments checked as a text and as a tree come to the same end, on random schemas and
//! random documents.

use bytes::Bytes;
use proptest::collection::{hash_map, vec};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;
use proptest::{option, prop_assert, prop_assert_eq};
use serde_json::{Map, Value, json};

use std::borrow::Cow;

use super::{ArgumentRules, ArgumentSchema, Arguments};
use crate::validator::Validator;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn fitting(schema: &ArgumentSchema, text: &str) -> Option<Arguments> {
    schema.fitting(text, || Bytes::copy_from_slice(text.as_bytes()))
}

/// A schema of one value, of all the words that are common and some that are not.
fn schema_of_a_value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        (-5_i64..5).prop_map(Value::from),
        (-5.0..5.0).prop_map(|float: f64| Value::from((float * 4.0).round() / 4.0))
    ];
    let word = select(vec!["a", "b", "low", "HIGH"]);
    let text = (option::of(0_u64..3), option::of(2_u64..6)).prop_map(|(least, most)| {
        let mut schema = json!({"type": "string", "title": "A text"});
        if most.is_some() {
            schema["format"] = json!("email");
        }
        least
            .into_iter()
            .for_each(|least| schema["minLength"] = json!(least));
        most.into_iter()
            .for_each(|most| schema["maxLength"] = json!(most));
        schema
    });
    let bounded = (
        select(vec!["integer", "number"]),
        select(vec![
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
        ]),
        number,
    )
        .prop_map(|(kind, bound, limit)| json!({"type": kind, bound: limit}));
    let leaf = prop_oneof![
        Just(json!({})),
        Just(json!(true)),
        Just(json!(false)),
        select(vec![
            "string", "integer", "number", "boolean", "array", "object", "null"
        ])
        .prop_map(|kind| json!({"type": kind})),
        vec(select(vec!["string", "integer", "null", "boolean"]), 1..3).prop_map(|mut kinds| {
            kinds.sort_unstable();
            kinds.dedup();
            json!({"type": kinds})
        }),
        text,
        bounded,
        vec(word, 1..3).prop_map(|mut words| {
            words.sort_unstable();
            words.dedup();
            json!({"type": "string", "enum": words})
        }),
        Just(json!({"enum": ["a", null]})),
        Just(json!({"enum": [1, "a"]})),
        Just(json!({"type": "string", "pattern": "^[a-c]+$"})),
        Just(json!({"type": "integer", "multipleOf": 2})),
        Just(json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true})),
        Just(json!({"$ref": "#/$defs/row"})),
        Just(json!({"oneOf": [{"type": "integer"}, {"const": "a"}]})),
        Just(json!({"const": "a"})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), option::of(0_u64..2), option::of(1_u64..4)).prop_map(
                |(items, least, most)| {
                    let mut schema = json!({"type": "array", "items": items});
                    least
                        .into_iter()
                        .for_each(|least| schema["minItems"] = json!(least));
                    most.into_iter()
                        .for_each(|most| schema["maxItems"] = json!(most));
                    schema
                }
            ),
            schema_of_an_object(inner.clone().boxed()),
            inner
                .clone()
                .prop_map(|schema| json!({"anyOf": [schema, {"type": "null"}]})),
            inner
                .clone()
                .prop_map(|schema| json!({"anyOf": [schema], "description": "one"})),
            vec(inner, 2..3).prop_map(|schemas| json!({"allOf": schemas})),
        ]
    })
}

fn schema_of_an_object(inner: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    let others = option::of(prop_oneof![
        Just(json!(false)),
        Just(json!(true)),
        inner.clone()
    ]);
    (hash_map("[a-d]", inner, 0..4), others, any::<u8>()).prop_map(
        |(properties, others, required)| {
            let names: Vec<&String> = properties.keys().collect();
            let required: Vec<&String> = names
                .into_iter()
                .enumerate()
                .filter(|(place, _)| required & 1 << place != 0 && required & 64 == 0)
                .map(|(_, name)| name)
                .collect();
            let mut schema =
                json!({"type": "object", "required": required, "properties": properties});
            others
                .into_iter()
                .for_each(|others| schema["additionalProperties"] = others);
            schema
        },
    )
}

/// A value as it might be sent for a schema: often right, sometimes meant well, sometimes neither.
fn value_for(schema: Value, seed: u64) -> Value {
    let mut state = seed;
    value_from(&schema, &mut state, 0)
}

fn next(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

fn value_from(schema: &Value, state: &mut u64, depth: usize) -> Value {
    let anything = [
        json!(null),
        json!(true),
        json!("a"),
        json!("b "),
        json!("low"),
        json!("7"),
        json!(1),
        json!(-3),
        json!(2.0),
        json!(0.5),
        json!([1, 1]),
        json!({"a": 1}),
        json!("[1]"),
        json!(u64::MAX),
        json!(1e20),
        json!("é".repeat(4)),
    ];
    if depth > 6 || next(state, 14) == 0 {
        return anything[usize::try_from(next(state, anything.len() as u64)).unwrap()].clone();
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(schemas) = schema.get(choice).and_then(Value::as_array) {
            let place = next(state, schemas.len() as u64);
            return value_from(&schemas[usize::try_from(place).unwrap()], state, depth + 1);
        }
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words[usize::try_from(next(state, words.len() as u64)).unwrap()].clone();
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => {
            kinds[usize::try_from(next(state, kinds.len() as u64)).unwrap()].clone()
        }
        Some(kind) => kind.clone(),
        None => json!("anything"),
    };
    match kind.as_str().unwrap() {
        "string" => {
            json!(["", "a", "abc", "éa", "HIGH", "low"][usize::try_from(next(state, 6)).unwrap()])
        }
        "integer" => json!(i64::try_from(next(state, 12)).unwrap() - 6),
        "number" => [json!(1), json!(-2.25), json!(3.5), json!(0.0)]
            [usize::try_from(next(state, 4)).unwrap()]
        .clone(),
        "boolean" => json!(next(state, 2) == 0),
        "null" => Value::Null,
        "array" => {
            let items = schema.get("items").cloned().unwrap_or(json!({}));
            (0..next(state, 4))
                .map(|_| value_from(&items, state, depth + 1))
                .collect()
        }
        "object" => {
            let mut object = Map::new();
            for (name, schema) in schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if next(state, 5) > 0 {
                    object.insert(name.clone(), value_from(schema, state, depth + 1));
                }
            }
            if next(state, 6) == 0 {
                object.insert(
                    "e".to_owned(),
                    value_from(
                        schema.get("additionalProperties").unwrap_or(&json!({})),
                        state,
                        depth + 1,
                    ),
                );
            }
            Value::Object(object)
        }
        _ => anything[usize::try_from(next(state, anything.len() as u64)).unwrap()].clone(),
    }
}

/// The JSON of a value with white space wherever it may be.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!(
            "[ {}\n]",
            items.iter().map(spaced).collect::<Vec<_>>().join(" ,\t")
        ),
        Value::Object(object) => {
            let members = object
                .iter()
                .map(|(name, value)| format!("{}\r\n : {}", json!(name), spaced(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(" , "))
        }
        other => other.to_string(),
    }
}

fn tool_schema() -> impl Strategy<Value = (ArgumentSchema, Value)> {
    (
        schema_of_an_object(schema_of_a_value().boxed()),
        any::<bool>(),
    )
        .prop_filter_map("not a schema", |(mut schema, nullable)| {
            schema["$defs"] = json!({"row": {"type": "integer"}});
            let nullable: Vec<String> = object(&schema["properties"])
                .keys()
                .filter(|name| nullable && "ab".contains(name.as_str()))
                .cloned()
                .collect();
            ArgumentSchema::compile(&schema, &nullable)
                .ok()
                .map(|compiled| (compiled, schema))
        })
}

proptest! {
    /// Our own validator and another one come to the same verdict on every plain schema.
    #[test]
    fn both_validators_agree((_, schema) in tool_schema(), seeds in vec(any::<u64>(), 1..12)) {
        let own = Validator::of(&schema).unwrap();
        let options = jsonschema::options()
            .with_pattern_options(jsonschema::PatternOptions::regex())
            .should_validate_formats(true);
        let other = options.build(&schema).unwrap();
        for seed in seeds {
            let value = value_for(schema.clone(), seed);
            let own = own.built(|| Cow::Borrowed(&schema)).unwrap();
            prop_assert_eq!(own.is_valid(&value), other.is_valid(&value), "{} {}", schema, value);
            let mut problems = 0;
            own.problems(&value, &mut |_| problems += 1);
            prop_assert_eq!(problems == 0, own.is_valid(&value), "{} {}", schema, value);
        }
    }

    /// What is taken as a text would have been taken as a tree, unchanged.
    #[test]
    fn a_text_that_fits_is_the_tree_that_was_admitted((compiled, schema) in tool_schema(), seeds in vec(any::<u64>(), 1..12)) {
        for seed in seeds {
            let given = value_for(schema.clone(), seed);
            let Value::Object(given) = given else { continue };
            for text in [Value::Object(given.clone()).to_string(), spaced(&Value::Object(given.clone()))] {
                let Some(arguments) = fitting(&compiled, &text) else { continue };
                let admitted = compiled.admit("t", given.clone());
                prop_assert!(admitted.is_ok(), "{schema}\n{text}");
                prop_assert_eq!(admitted.unwrap(), given.clone(), "{} {}", schema, text);
                for (name, value) in &given {
                    prop_assert_eq!(arguments.get(name), Some(value));
                }
                prop_assert_eq!(arguments.clone().read::<Value>().unwrap(), Value::Object(given.clone()));
                prop_assert_eq!(arguments.into_map(), given.clone());
            }
        }
    }

    /// Where only common words are used, everything that is right and needs no coercion is taken as
    /// a text.
    #[test]
    fn what_is_right_stays_a_text((compiled, schema) in tool_schema(), seed in any::<u64>()) {
        let Value::Object(given) = value_for(schema.clone(), seed) else { return Ok(()) };
        let text = Value::Object(given.clone()).to_string();
        let is_common = ["$ref", "allOf", "oneOf", "pattern", "anyOf", "false"].iter().all(|word| !schema.to_string().contains(word));
        // 2.0 is an integer and 2: it is coerced only where the schema names one type.
        let has_no_fraction = [".0", "e20", "e+20"].iter().all(|whole| !text.contains(whole));
        if is_common && has_no_fraction && compiled.admit("t", given.clone()).is_ok_and(|admitted| admitted == given) {
            prop_assert!(fitting(&compiled, &text).is_some(), "{schema}\n{text}");
        }
    }

    /// Whatever the bytes are, a text that fits is JSON.
    #[test]
    fn what_fits_is_json(text in "[ {}\\[\\]\":,a-c0-9\\\\ue.-]{0,40}") {
        let anything = ArgumentSchema::compile(&json!({"type": "object"}), &[]).unwrap();
        if let Some(arguments) = fitting(&anything, &text) {
            let tree: Map<String, Value> = serde_json::from_str(&text).unwrap();
            prop_assert!(tree.iter().all(|(name, value)| arguments.get(name) == Some(value)));
        }
    }
}

/// Each word alone, on values on both sides of its edge: what fits is what the tree would let pass
/// unchanged, no more and no less.
#[test]
fn each_word_draws_the_line_where_the_validator_does() {
    let schemas = [
        json!({}),
        json!(true),
        json!({"type": "null"}),
        json!({"type": "boolean"}),
        json!({"type": "string"}),
        json!({"type": "integer"}),
        json!({"type": "number"}),
        json!({"type": "array"}),
        json!({"type": "object"}),
        json!({"type": ["string", "null"]}),
        json!({"type": ["integer", "boolean"]}),
        json!({"type": "string", "enum": ["a", "bc"]}),
        json!({"enum": ["a", null]}),
        json!({"type": ["string", "null"], "enum": ["a"]}),
        json!({"type": "string", "minLength": 2}),
        json!({"type": "string", "maxLength": 2}),
        json!({"minLength": 2, "maxLength": 2}),
        json!({"type": "number", "minimum": 2}),
        json!({"type": "number", "maximum": 2}),
        json!({"type": "number", "exclusiveMinimum": 2}),
        json!({"type": "number", "exclusiveMaximum": 2}),
        json!({"type": "number", "minimum": 1.5, "maximum": 2.5}),
        json!({"type": "number", "exclusiveMinimum": 1.5, "exclusiveMaximum": 2.5}),
        json!({"minimum": 2}),
        json!({"type": "integer", "minimum": 2, "maximum": 3}),
        json!({"type": "array", "items": {"type": "integer"}}),
        json!({"type": "array", "minItems": 2}),
        json!({"type": "array", "maxItems": 1}),
        json!({"items": false}),
        json!({"type": "object", "properties": {"a": {"type": "integer"}}}),
        json!({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]}),
        json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false}),
        json!({"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        json!({"anyOf": [{"type": "null"}, {"type": "string", "enum": ["a"]}]}),
        json!({"type": "string", "x-mark": {}, "default": 1}),
        json!({"type": "integer", "format": "int32"}),
        // Judged by the validator in their place.
        json!({"type": "string", "pattern": "^a"}),
        json!({"type": "string", "format": "email"}),
        json!({"type": "string", "format": "date"}),
        json!({"type": "integer", "multipleOf": 2}),
        json!({"enum": [1, "a", [1]]}),
        json!({"oneOf": [{"type": "string"}, {"type": "boolean"}]}),
        json!({"type": "object", "patternProperties": {"^a": {"type": "integer"}}}),
        json!({"type": "array", "uniqueItems": true}),
        json!({"const": "a"}),
    ];
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(""),
        json!("a"),
        json!("A"),
        json!("bc"),
        json!("éé"),
        json!("bcd"),
        json!("a@b.example"),
        json!("2026-11-21"),
        json!("20261121"),
        json!("5"),
        json!("[1]"),
        json!(-1),
        json!(1),
        json!(2),
        json!(3),
        json!(4),
        json!(1.25),
        json!(1.5),
        json!(2.25),
        json!(2.5),
        json!(2.75),
        json!(u64::MAX),
        json!([]),
        json!([1]),
        json!(["a"]),
        json!([1, 2]),
        json!([1, 1]),
        json!([[1]]),
        json!({}),
        json!({"a": 1}),
        json!({"a": "x"}),
        json!({"b": 1}),
        json!({"b": "x"}),
        json!({"a": 1, "b": "x"}),
        json!({"c": null}),
    ];
    let mut fitted = 0;
    for schema in schemas {
        for (required, nullable) in [(false, false), (true, false), (false, true)] {
            let required = if required { vec!["p"] } else { vec![] };
            let nullable = if nullable {
                vec!["p".to_owned()]
            } else {
                vec![]
            };
            let whole = json!({"type": "object", "properties": {"p": schema}, "required": required, "additionalProperties": false});
            let compiled = match ArgumentSchema::compile(&whole, &nullable) {
                Ok(compiled) => compiled,
                // Not a plain one: left to the other validator, where that is there.
                Err(_) if cfg!(not(feature = "every-schema")) => continue,
                Err(error) => panic!("{whole}: {error:?}"),
            };
            for value in &values {
                let given = json!({ "p": value });
                let passes = compiled
                    .admit("t", object(&given))
                    .is_ok_and(|admitted| Value::Object(admitted) == given);
                assert_eq!(
                    fitting(&compiled, &given.to_string()).is_some(),
                    passes,
                    "{whole} {nullable:?} {given}"
                );
                fitted += usize::from(passes);
            }
            for given in [json!({}), json!({"q": 1})] {
                let passes = compiled.admit("t", object(&given)).is_ok();
                assert_eq!(
                    fitting(&compiled, &given.to_string()).is_some(),
                    passes,
                    "{whole} {given}"
                );
            }
        }
    }
    assert!(fitted > 1000, "{fitted}");
}

/// The tree's own rules hold for what no text can show.
#[test]
fn what_a_tree_decides_is_left_to_the_tree() {
    let schema = json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer"}, "rows": {"type": "array", "items": {"type": "object"}}, "free": {}, "late": {"pattern": "^a"}
        }
    });
    let compiled = ArgumentSchema::of(ArgumentRules {
        schema: schema.into(),
        aliases: vec![("number".to_owned(), "count".to_owned())],
        ..ArgumentRules::default()
    })
    .unwrap();
    let deep = |depth: usize| format!(r#"{{"free": {}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    for text in [
        r#"{"count": 1, "count": 1}"#,
        r#"{"free": {"a": 1, "b": 2, "a": 3}}"#,
        r#"{"rows": [{"a": 1, "a": 1}]}"#,
        r#"{"late": {"a": 1, "a": 1}}"#,
        r#"{"c\u006funt": 1}"#,
        r#"{"count": 5.0}"#,
        r#"{"count": 18446744073709551616}"#,
        r#"{"count": "5"}"#,
        r#"{"count": null}"#,
        r#"{"number": 1}"#,
        r#"{"free": "\ud800"}"#,
        r#"{"free": 1e999}"#,
        r#"{"late": "b"}"#,
        r#"[]"#,
        r#"null"#,
        &deep(127),
    ] {
        assert!(fitting(&compiled, text).is_none(), "{text}");
    }
    for text in [
        r#"{"count": 5}"#,
        r#"{"count": 18446744073709551615}"#,
        r#"{"free": "\ud83d\ude00"}"#,
        r#"{"late": "ab"}"#,
        "{}",
        &deep(126),
    ] {
        assert!(fitting(&compiled, text).is_some(), "{text}");
    }
}

/// Up to a few names are compared with each other, more are in a set.
#[test]
fn a_name_that_stands_twice_is_found_at_any_distance() {
    let compiled = ArgumentSchema::compile(&json!({"type": "object"}), &[]).unwrap();
    for count in [1, 2, 15, 16, 17, 18, 1000] {
        let members: Vec<String> = (0..count)
            .map(|number| format!(r#""n{number}": 0"#))
            .collect();
        let members = members.join(",");
        assert!(fitting(&compiled, &format!("{{{members}}}")).is_some());
        for twice in [0, count / 2, count - 1] {
            for text in [
                format!(r#"{{{members}, "n{twice}": 0}}"#),
                format!(r#"{{"x": {{{members}, "n{twice}": 0}}}}"#),
            ] {
                assert!(fitting(&compiled, &text).is_none(), "{count} {twice}");
            }
        }
    }
}
