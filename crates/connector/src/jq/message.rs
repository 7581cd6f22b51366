//! Why a filter failed, for its author: jq's message with every value cut out, as a value may be
//! anything that a backend said.

use jaq_json::Val;

use crate::json::push_string;

/// Words that follow a value in a message, such as `string` or `iterable (array or object)`.
const MAX_TYPE: usize = 40;

/// The kind of a value, for a sentence.
pub(super) fn kind(value: &Val) -> &'static str {
    match value {
        Val::Null => "null",
        Val::Bool(_) => "a boolean",
        Val::Num(_) => "a number",
        Val::TStr(_) | Val::BStr(_) => "a text",
        Val::Arr(_) => "a list",
        Val::Obj(_) => "an object",
    }
}

/// jq's message without the values in it. `code` is the filter: a key that it names may be shown,
/// because its author wrote it.
pub(crate) fn without_values(message: &str, code: &str) -> String {
    if let Some(rest) = message.strip_prefix("cannot index ") {
        let (subject, rest) = first_value(rest);
        let key = rest
            .and_then(|rest| rest.strip_prefix(" with "))
            .map(|key| named(key, code));
        return format!(
            "cannot index {subject}{}",
            key.map(|key| format!(" with {key}")).unwrap_or_default()
        );
    }
    if let Some(rest) = message.strip_prefix("cannot use ") {
        let (subject, rest) = first_value(rest);
        let wanted = rest
            .and_then(|rest| rest.strip_prefix(" as "))
            .filter(|wanted| is_type(wanted));
        return format!(
            "cannot use {subject}{}",
            wanted
                .map(|wanted| format!(" as {wanted}"))
                .unwrap_or_default()
        );
    }
    if let Some(rest) = message.strip_prefix("cannot calculate ") {
        let (left, rest) = first_value(rest);
        let operation = rest.and_then(|rest| rest.strip_prefix(' ')?.split_once(' '));
        return match operation.filter(|(sign, _)| sign.len() == 1) {
            Some((sign, right)) => {
                format!("cannot calculate {left} {sign} {}", first_value(right).0)
            }
            None => format!("cannot calculate with {left}"),
        };
    }
    if let Some(rest) = message.strip_prefix("cannot parse ") {
        return format!("cannot parse {}", first_value(rest).0);
    }
    if let Some(rest) = message.strip_prefix("invalid path expression with input ") {
        return format!(
            "invalid path expression with {} as input",
            first_value(rest).0
        );
    }
    match message.strip_suffix(" has no length") {
        Some(value) => format!("{} has no length", first_value(value).0),
        None => "failed; what jq says of it may hold values, so it is not shown".to_owned(),
    }
}

/// The kind of the JSON value that a text begins with, and what follows it where its end is
/// certain.
fn first_value(text: &str) -> (&'static str, Option<&str>) {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let rest = values
        .next()
        .and_then(Result::ok)
        .and_then(|_| text.get(values.byte_offset()..));
    let kind = match text.bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b'n') if !text.starts_with("nan") => "null",
        Some(b't' | b'f') => "a boolean",
        _ => "a number",
    };
    (kind, rest)
}

/// A key as the filter has it, else its kind.
fn named(key: &str, code: &str) -> String {
    let text = serde_json::from_str::<String>(key)
        .ok()
        .filter(|text| !text.is_empty() && code.contains(text.as_str()));
    text.map_or_else(|| first_value(key).0.to_owned(), |text| quoted(&text))
}

/// A text as JSON has it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::new();
    push_string(&mut out, text);
    out
}

fn is_type(text: &str) -> bool {
    text.len() <= MAX_TYPE
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || b" ()".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::Value;

    use super::without_values;
    use crate::jq::{FilterId, Stop, Variables, compile, from_json};

    /// What is said of a filter that fails over a value.
    fn said(code: &str, input: &Value) -> String {
        let program = compile("", &[code]).unwrap();
        let variables = Variables::default();
        match program.run_one(FilterId(0), &variables, from_json(input)) {
            Err(Stop::Failed(message)) => without_values(&message, code),
            other => panic!("{code} over {input} should fail: {other:?}"),
        }
    }

    #[test]
    fn each_message_names_kinds_and_keys_of_the_filter() {
        let secret = serde_json::json!({"a": "planted with planted", "n": 77, "l": ["planted"], "o": {"planted": 1}, "k": "x"});
        for (code, message) in [
            (".a.b", r#"cannot index a text with "b""#),
            (".n.b", r#"cannot index a number with "b""#),
            (".n[.k]", "cannot index a number with a text"),
            (".n[]", "cannot use a number as iterable (array or object)"),
            (".a | tonumber", "cannot parse a text"),
            (".o - 1", "cannot calculate an object - a number"),
            (".l * .o", "cannot calculate a list * an object"),
            (".a | ltrimstr(1)", "cannot use a number as string"),
            ("true | length", "a boolean has no length"),
        ] {
            assert_eq!(said(code, &secret), message, "{code}");
        }
    }

    proptest! {
        /// Whatever stands in a value stays out of the message.
        #[test]
        fn no_text_of_a_value_is_told(text in "[ -~é]{3,40}", number in any::<i32>()) {
            let planted = format!("Q{text}Q");
            let value = serde_json::json!({"a": planted, "n": number, "o": {planted.as_str(): 1}});
            for code in [".a.b", ".a[]", ".a - 1", ".o - .a", ".n[.a]", ".a | tonumber", ".o | tonumber", ".a | fromjson | .x.y"] {
                let program = compile("", &[code]).unwrap();
                let variables = Variables::default();
                if let Err(Stop::Failed(message)) = program.run_one(FilterId(0), &variables, from_json(&value)) {
                    let told = without_values(&message, code);
                    assert!(!told.contains('Q'), "{code}: {told}");
                }
            }
        }
    }
}
