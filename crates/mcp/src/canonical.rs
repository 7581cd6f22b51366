//! The canonical spelling of a JSON value, so that a client may write a request anew and it is
//! still the same request: what keys, second calls and sealed questions are compared by. Not for
//! the wire.

use serde_json::{Number, Value};

/// The one spelling of a JSON value: keys in order at every depth, no white space, each character
/// and each number in one way. `1`, `1.0` and `1e0` are one number, and so are `0` and `-0`; whole
/// numbers of any size stay apart, and texts are the same to the byte or not at all.
///
/// Two values have one spelling when, and only when, a tool could not tell them apart by more than
/// how a number was written or a map was ordered.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => text.push_str(&spelled(number)),
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (place, (key, value)) in members.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

/// 1, 1.0 and 1e0 are one number: what a tool is called with is the same for all of them.
fn spelled(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float == 0.0 => "0".to_owned(),
        Some(float) if number.is_f64() && float.fract() == 0.0 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
    use proptest::{collection, prop_assert_eq, prop_assert_ne};
    use serde_json::Value;

    use super::canonical_json;

    fn canonical(text: &str) -> String {
        canonical_json(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_value_has_one_spelling() {
        for spellings in [
            &[
                r#"{"a":1,"b":[2,{"c":"é","d":null}]}"#,
                " {\"b\" : [2.0, {\"d\":null,\n\"c\":\"\\u00e9\"}], \"a\":1e0} ",
            ][..],
            &["0", "-0", "0.0", "-0.0", "0e9"],
            &["100000000000000000000", "1e20", "1.0E+20"],
            &["-1808395677945473", "-1808395677945473.0"],
            &["0.1", "1e-1", "0.10"],
            &[r#""a/b""#, r#""a\/b""#],
            &[r#"{"a":1,"a":2}"#, r#"{"a":2}"#],
        ] {
            for spelling in spellings {
                assert_eq!(canonical(spelling), canonical(spellings[0]), "{spelling}");
            }
        }
        let others = [
            "1",
            "9007199254740992",
            "9007199254740993",
            "-9007199254740993",
            "18446744073709551615",
            "1.8446744073709552e19",
            "1.0000000000000002",
            "\"A\"",
            "\"a\"",
            r#""a\u0301""#,
            r#""\u00e1""#,
            "1.5",
            "\"1\"",
            "[1]",
            "[1,2]",
            "[[1],2]",
            "[12]",
            "{}",
            "[]",
            "null",
            "true",
            "\"\"",
            r#"{"a":1}"#,
            r#"{"1":"a"}"#,
        ];
        for (place, one) in others.iter().enumerate() {
            for other in &others[place + 1..] {
                assert_ne!(canonical(one), canonical(other));
            }
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            (-1000_i32..1000).prop_map(|number| Value::from(f64::from(number))),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| members.into_iter().collect::<Value>()),
            ]
        })
    }

    /// The same value as another program might write it: members the other way round, white space,
    /// whole numbers with a point, everything escaped.
    fn written_anew(value: &Value) -> String {
        match value {
            Value::Array(items) => {
                format!(
                    "[ {} ]",
                    items
                        .iter()
                        .map(written_anew)
                        .collect::<Vec<_>>()
                        .join(" ,\n")
                )
            }
            Value::Object(object) => {
                let members = object.iter().rev();
                let members = members
                    .map(|(key, value)| format!("{} : {}", escaped(key), written_anew(value)));
                format!("{{\t{}\r\n}}", members.collect::<Vec<_>>().join(" , "))
            }
            Value::String(text) => escaped(text),
            Value::Number(number)
                if number
                    .as_i64()
                    .is_some_and(|number| number.unsigned_abs() < 1 << 53) =>
            {
                format!("{number}.0")
            }
            Value::Number(number)
                if number
                    .as_f64()
                    .is_some_and(|float| float.fract() == 0.0 && float.abs() < 1e15) =>
            {
                format!("{:.0}", number.as_f64().unwrap())
            }
            other => other.to_string(),
        }
    }

    /// The values inside of a value, itself first.
    fn nodes(value: &Value) -> usize {
        let inside: usize = match value {
            Value::Array(items) => items.iter().map(nodes).sum(),
            Value::Object(object) => object.values().map(nodes).sum(),
            _ => 0,
        };
        inside + 1
    }

    fn node<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
        if *at == 0 {
            return Some(value);
        }
        *at -= 1;
        match value {
            Value::Array(items) => items.iter_mut().find_map(|item| node(item, at)),
            Value::Object(object) => object.values_mut().find_map(|member| node(member, at)),
            _ => None,
        }
    }

    fn change(value: &mut Value) {
        match value {
            Value::Null => *value = Value::Bool(false),
            Value::Bool(truth) => *truth = !*truth,
            Value::Number(number) => *value = Value::from(number.to_string()),
            Value::String(text) => text.push(' '),
            Value::Array(items) => items.push(Value::Null),
            Value::Object(object) => drop(object.insert(
                object.keys().cloned().collect::<String>() + "more",
                Value::Null,
            )),
        }
    }

    fn escaped(text: &str) -> String {
        let units: String = text
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        format!("\"{units}\"")
    }

    proptest! {
        #[test]
        fn however_it_is_written_it_is_the_same(value in value()) {
            prop_assert_eq!(canonical(&written_anew(&value)), canonical(&value.to_string()));
        }

        #[test]
        fn a_change_anywhere_is_another_spelling(value in value(), at in 0_usize..1000) {
            let mut changed = value.clone();
            change(node(&mut changed, &mut (at % nodes(&value))).unwrap());
            prop_assert_ne!(canonical(&written_anew(&changed)), canonical(&value.to_string()));
        }
    }
}
