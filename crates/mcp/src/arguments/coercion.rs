//! Coercion along a schema: a value that plainly was meant as something else becomes what the
//! schema says. Changes values, never judges them.

use serde_json::{Map, Number, Value};

use super::choice;

/// The depth to which coercion follows nested schemas; deeper values are left to the validator.
const DEPTH: usize = 8;

/// Coerces the arguments along their schema, of which these may be null.
pub(super) fn coerce_object(schema: &Value, object: &mut Map<String, Value>, nullable: &[String]) {
    coerce_members(schema, object, nullable, 0);
    let mut whole = Value::Object(std::mem::take(object));
    coerce_choice(schema, &mut whole, 0);
    if let Value::Object(coerced) = whole {
        *object = coerced;
    }
}

/// Coerces the members of an object along its schema's `properties` and `additionalProperties`. An
/// explicit null for an optional member that cannot be null is dropped, and so is an empty text for
/// an optional member that is one of several words.
fn coerce_members(
    schema: &Value,
    object: &mut Map<String, Value>,
    nullable: &[String],
    depth: usize,
) {
    let nothing = Map::new();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&nothing);
    let others = schema.get("additionalProperties");
    let required = schema.get("required").and_then(Value::as_array);
    object.retain(|name, value| {
        let is_required =
            required.is_some_and(|names| names.iter().any(|required| required == name));
        let takes_null = nullable.contains(name) || properties.get(name).is_none_or(allows_null);
        let is_nothing = match value {
            Value::Null => !takes_null,
            // Clients send an empty text for a choice that nobody made.
            Value::String(text) => {
                text.trim().is_empty()
                    && !nullable.contains(name)
                    && properties.get(name).is_some_and(is_choice_of_words)
            }
            _ => false,
        };
        !is_nothing || is_required
    });
    for (name, value) in object.iter_mut() {
        if let Some(schema) = properties.get(name).or(others) {
            coerce(schema, value, depth);
        }
    }
}

pub(super) fn coerce(schema: &Value, value: &mut Value, depth: usize) {
    if depth > DEPTH || value.is_null() {
        return;
    }
    if let Some(kind) = only_kind(schema, value) {
        coerce_to_kind(schema, kind, value, depth);
    }
    coerce_choice(schema, value, depth);
}

/// Coerces a value along the choice that it is meant to be. An object may come as a text, and the
/// word of its tag in other letters.
fn coerce_choice(schema: &Value, value: &mut Value, depth: usize) {
    for choices in ["anyOf", "oneOf"]
        .iter()
        .filter_map(|keyword| schema.get(keyword))
    {
        if let Value::String(text) = value
            && choice::are_objects(choices)
            && let Some(object) = parsed(text, Value::is_object)
        {
            *value = object;
        }
        if let Some((name, words)) = choice::tag(choices)
            && let Some(Value::String(word)) = value.get_mut(name)
            && let Some(meant) = same_word(word, &words)
        {
            *word = meant.to_owned();
        }
        if let Some((_, choice)) = choice::meant(choices, value) {
            coerce(choice, value, depth + 1);
        }
    }
}

/// The one of several words that a word is but for case and white space.
fn same_word<'w>(word: &str, words: &[&'w str]) -> Option<&'w str> {
    let word = word.trim().to_lowercase();
    let mut fitting = words.iter().filter(|known| known.to_lowercase() == word);
    let first = fitting.next()?;
    fitting.next().is_none().then_some(*first)
}

/// Whether a schema takes one of several words, none of them empty, null aside.
fn is_choice_of_words(schema: &Value) -> bool {
    let Some(members) = schema.get("enum").and_then(Value::as_array) else {
        let choices = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key));
        return match choices.map(|choices| choice::only(choices)) {
            Some(Some(only)) => is_choice_of_words(only),
            _ => false,
        };
    };
    let is_word = |member: &Value| {
        let word = member.as_str();
        member.is_null() || word.is_some_and(|word| !word.trim().is_empty())
    };
    members.iter().all(is_word)
}

/// The one type of a schema, null aside. What may be a text or a whole number is what it is.
fn only_kind<'s>(schema: &'s Value, value: &Value) -> Option<&'s str> {
    match schema.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => {
            let kinds: Vec<&str> = kinds
                .iter()
                .filter_map(Value::as_str)
                .filter(|kind| *kind != "null")
                .collect();
            match kinds.as_slice() {
                [kind] => Some(kind),
                ["string", "integer"] | ["integer", "string"] => {
                    Some(if is_whole(value) { "integer" } else { "string" })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().and_then(whole).is_some()
}

fn coerce_to_kind(schema: &Value, kind: &str, value: &mut Value, depth: usize) {
    let changed = match (kind, &*value) {
        ("integer", Value::String(text)) => text.trim().parse::<i64>().ok().map(Value::from),
        ("integer", Value::Number(number)) if !number.is_i64() && !number.is_u64() => {
            number.as_f64().and_then(whole)
        }
        ("number", Value::String(text)) => text
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .and_then(Number::from_f64)
            .map(Value::Number),
        ("boolean", Value::String(text)) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "t" | "y" => Some(Value::Bool(true)),
            "false" | "0" | "no" | "off" | "f" | "n" => Some(Value::Bool(false)),
            _ => None,
        },
        // one value in a list of its own; a text may be meant to look like a list, so it stays
        ("boolean" | "integer" | "number", Value::Array(list)) => match list.as_slice() {
            [item @ (Value::Bool(_) | Value::Number(_) | Value::String(_))] => {
                let mut item = item.clone();
                coerce(schema, &mut item, depth + 1);
                Some(item)
            }
            _ => None,
        },
        ("string", Value::Number(number)) => Some(Value::String(number.to_string())),
        ("string", Value::Bool(word)) => Some(Value::String(word.to_string())),
        ("string", Value::String(text)) => enum_member(schema, text).or_else(|| date(schema, text)),
        ("array", Value::String(text)) => {
            Some(parsed(text, Value::is_array).unwrap_or_else(|| Value::Array(vec![value.clone()])))
        }
        ("array", Value::Number(_) | Value::Bool(_) | Value::Object(_)) => {
            Some(Value::Array(vec![value.clone()]))
        }
        ("object", Value::String(text)) => parsed(text, Value::is_object),
        _ => None,
    };
    if let Some(changed) = changed {
        *value = changed;
    }
    match value {
        Value::Array(items) => {
            if let Some(item) = schema.get("items") {
                items
                    .iter_mut()
                    .for_each(|value| coerce(item, value, depth + 1));
            }
        }
        Value::Object(members) => coerce_members(schema, members, &[], depth + 1),
        Value::String(text) if kind == "string" => {
            if let Some(member) = enum_member(schema, text) {
                *value = member;
            }
        }
        _ => {}
    }
}

fn allows_null(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => return kind == "null",
        Some(Value::Array(kinds)) => return kinds.iter().any(|kind| kind == "null"),
        _ => {}
    }
    let choices = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|keyword| schema.get(keyword))
        .filter_map(Value::as_array);
    let members = schema.get("enum").and_then(Value::as_array);
    members.is_none_or(|members| members.contains(&Value::Null))
        && schema.get("const").is_none_or(Value::is_null)
        && choices
            .into_iter()
            .all(|choices| choices.iter().any(allows_null))
}

/// A whole number that a float holds exactly, e.g. `5.0`.
fn whole(number: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT)
        .then(|| format!("{number:.0}").parse::<i64>().ok())
        .flatten()
        .map(Value::from)
}

/// A date without dashes, such as `20261121`, or with blanks around it, in the one form that
/// `format: date` takes.
fn date(schema: &Value, text: &str) -> Option<Value> {
    if schema.get("format").and_then(Value::as_str) != Some("date") {
        return None;
    }
    let plain = text.trim();
    let is_compact = plain.len() == 8 && plain.bytes().all(|byte| byte.is_ascii_digit());
    let parts = || Some((plain.get(..4)?, plain.get(4..6)?, plain.get(6..)?));
    match parts().filter(|_| is_compact) {
        Some((year, month, day)) => Some(format!("{year}-{month}-{day}").into()),
        None => (plain.len() < text.len()).then(|| plain.into()),
    }
}

/// The enum's own spelling of a word that differs only in case or white space, when just one member
/// fits.
fn enum_member(schema: &Value, text: &str) -> Option<Value> {
    let members = schema.get("enum")?.as_array()?;
    if members.iter().any(|member| member == text) {
        return None;
    }
    let word = text.trim().to_lowercase();
    let mut fitting = members.iter().filter(|member| {
        member
            .as_str()
            .is_some_and(|member| member.to_lowercase() == word)
    });
    let first = fitting.next()?;
    fitting.next().is_none().then(|| first.clone())
}

fn parsed(text: &str, is_wanted: fn(&Value) -> bool) -> Option<Value> {
    serde_json::from_str(text).ok().filter(is_wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
    use serde_json::{Value, json};

    use super::{coerce, coerce_object};

    fn coerced(schema: Value, mut value: Value) -> Value {
        coerce(&schema, &mut value, 0);
        value
    }

    #[test]
    fn text_is_never_split() {
        let list = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(coerced(list.clone(), json!("a, b")), json!(["a, b"]));
        assert_eq!(coerced(list, json!("[\"a\", \"b\"]")), json!(["a", "b"]));
        assert_eq!(
            coerced(json!({"type": "string"}), json!("[1]")),
            json!("[1]")
        );
    }

    #[test]
    fn booleans_have_words_and_a_single_value_may_stand_in_a_list() {
        let boolean = json!({"type": "boolean"});
        for (given, meant) in [
            (json!(" On "), json!(true)),
            (json!("y"), json!(true)),
            (json!("1"), json!(true)),
            (json!("off"), json!(false)),
            (json!("F"), json!(false)),
            (json!("n"), json!(false)),
            (json!([false]), json!(false)),
            (json!(["no"]), json!(false)),
            (json!([]), json!([])),
            (json!([true, false]), json!([true, false])),
            (json!([[true]]), json!([[true]])),
            (json!("maybe"), json!("maybe")),
            (json!(1), json!(1)),
        ] {
            assert_eq!(coerced(boolean.clone(), given.clone()), meant, "{given}");
        }
        assert_eq!(coerced(json!({"type": "integer"}), json!(["5"])), json!(5));
        assert_eq!(
            coerced(json!({"type": "string"}), json!(["5"])),
            json!(["5"])
        );
    }

    #[test]
    fn what_may_be_a_text_or_a_number_stays_what_it_is() {
        let either = json!({"type": ["string", "integer"]});
        for value in [json!("7"), json!(7), json!("7.0")] {
            assert_eq!(coerced(either.clone(), value.clone()), value);
        }
        assert_eq!(coerced(either.clone(), json!(7.0)), json!(7));
        assert_eq!(coerced(either.clone(), json!(7.5)), json!("7.5"));
        assert_eq!(coerced(either, json!(true)), json!("true"));
    }

    #[test]
    fn numbers_keep_their_value() {
        assert_eq!(coerced(json!({"type": "integer"}), json!(5.0)), json!(5));
        assert_eq!(coerced(json!({"type": "integer"}), json!(5.5)), json!(5.5));
        assert_eq!(
            coerced(json!({"type": "integer"}), json!(1e300)),
            json!(1e300)
        );
        assert_eq!(
            coerced(
                json!({"type": "integer"}),
                json!(18_446_744_073_709_551_615_u64)
            ),
            json!(18_446_744_073_709_551_615_u64)
        );
        assert_eq!(
            coerced(json!({"type": "number"}), json!("nan")),
            json!("nan")
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn a_date_takes_its_one_form() {
        let schema = || json!({"type": "string", "format": "date"});
        for (given, date) in [
            ("2026-11-21", "2026-11-21"),
            ("20261121", "2026-11-21"),
            ("20261399", "2026-13-99"),
            (" é6112100", "é6112100"),
            (" 2024-02-29 ", "2024-02-29"),
            ("2026-02-30", "2026-02-30"),
            ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
            ("tomorrow", "tomorrow"),
            ("", ""),
        ] {
            assert_eq!(coerced(schema(), json!(given)), json!(date));
        }
        assert_eq!(
            coerced(json!({"type": "string"}), json!("20261121")),
            json!("20261121")
        );
    }

    proptest! {
        /// What is valid is never changed.
        #[test]
        fn valid_values_pass_untouched(value in any_json(), kind in prop_oneof![
            Just("string"), Just("integer"), Just("number"), Just("boolean"), Just("array"), Just("object")
        ]) {
            let schema = json!({"type": kind});
            let is_valid = jsonschema::is_valid(&schema, &value);
            let after = coerced(schema, value.clone());
            if is_valid && !value.as_f64().is_some_and(|number| number.fract() == 0.0) {
                assert_eq!(after, value);
            }
        }

        /// Coercing twice is coercing once.
        #[test]
        fn coercion_settles(value in any_json()) {
            let schema = json!({"properties": {
                "a": {"type": "integer"}, "b": {"type": "array", "items": {"type": "boolean"}},
                "c": {"type": "object", "properties": {"a": {"type": "string", "enum": ["x", "Y"]}}}, "d": {"type": "number"}
            }});
            if let Value::Object(mut once) = value {
                coerce_object(&schema, &mut once, &[]);
                let mut twice = once.clone();
                coerce_object(&schema, &mut twice, &[]);
                assert_eq!(once, twice);
            }
        }
    }
}
