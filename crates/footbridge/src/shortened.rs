//! Texts and values as people read them: shortened for the eye, with a mark where something was
//! left out.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Bytes of the arguments of a change, as they are kept for the eye.
const MAX_ARGUMENTS: usize = footbridge_store::MAX_CHANGE_ARGUMENTS;
/// Characters of one text in them; the rest is left out.
const MAX_ARGUMENT_TEXT: usize = 2_000;
/// Arguments that are named where they are too many to be kept.
const MAX_NAMES: usize = 100;

/// A text of at most so many characters.
pub(crate) fn text(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// A value as JSON of at most so many characters; none stands for a field that is absent.
pub(crate) fn value(value: Option<&Value>, most: usize) -> String {
    match value {
        None => "absent".to_owned(),
        Some(value) => text(&value.to_string(), most).into_owned(),
    }
}

/// The arguments of a change as people read them later: long texts are cut, and all of them where
/// they are too many.
pub(crate) fn arguments(arguments: &Map<String, Value>) -> String {
    let mut shown = Value::Object(arguments.clone());
    cut_texts(&mut shown);
    let text = shown.to_string();
    if text.len() <= MAX_ARGUMENTS {
        return text;
    }
    let names: Vec<&str> = arguments
        .keys()
        .map(String::as_str)
        .take(MAX_NAMES)
        .collect();
    serde_json::json!({ "cut": format!("{} bytes", text.len()), "names": names }).to_string()
}

fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(MAX_ARGUMENT_TEXT) {
                let more = text.chars().count().saturating_sub(MAX_ARGUMENT_TEXT);
                text.truncate(end);
                text.push_str(&format!("… ({more} more characters)"));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(cut_texts),
        Value::Object(fields) => fields.values_mut().for_each(cut_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{MAX_ARGUMENT_TEXT, MAX_ARGUMENTS, arguments, text, value};

    fn shown(written: Value) -> Value {
        serde_json::from_str(&arguments(written.as_object().unwrap())).unwrap()
    }

    #[test]
    fn a_text_is_cut_between_characters_and_says_so() {
        assert_eq!(text("éé", 2), "éé");
        assert_eq!(text("ééé", 2), "éé…");
        assert_eq!(text("", 0), "");
        assert_eq!(value(None, 3), "absent");
        assert_eq!(value(Some(&json!("four")), 3), "\"fo…");
    }

    #[test]
    fn long_texts_are_cut_wherever_they_stand() {
        let fits = "é".repeat(MAX_ARGUMENT_TEXT);
        let long = "é".repeat(MAX_ARGUMENT_TEXT + 3);
        let cut = format!("{fits}… (3 more characters)");
        assert_eq!(
            shown(json!({ "a": fits, "b": [long], "c": { "d": long } })),
            json!({ "a": fits, "b": [cut], "c": { "d": cut } })
        );
    }

    #[test]
    fn arguments_that_are_too_many_are_named() {
        let many: Vec<u32> = (0..20_000).collect();
        let shown = shown(json!({ "ids": many }));
        assert_eq!(shown["names"], json!(["ids"]));
        assert!(shown.to_string().len() < MAX_ARGUMENTS);
    }
}
