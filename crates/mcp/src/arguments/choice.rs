//! The choice among the schemas of an `anyOf` or `oneOf` that a value is meant to be, by the names
//! it has and the tag it carries. Whether the value fits is not judged here.

use serde_json::{Map, Value};

/// The place and the schema of the only choice that a value can be meant to be.
pub(super) fn meant<'s>(choices: &'s Value, value: &Value) -> Option<(usize, &'s Value)> {
    let mut others = choices
        .as_array()?
        .iter()
        .enumerate()
        .filter(|(_, choice)| !is_null(choice));
    let first = others.next()?;
    let rest: Vec<_> = others.collect();
    if rest.is_empty() {
        return Some(first);
    }
    let object = value.as_object()?;
    let mut fitting = std::iter::once(first)
        .chain(rest)
        .filter(|(_, choice)| may_be(choice, object));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// The only choice that there is, null aside.
pub(super) fn only(choices: &Value) -> Option<&Value> {
    let mut others = choices.as_array()?.iter().filter(|choice| !is_null(choice));
    let first = others.next()?;
    others.next().is_none().then_some(first)
}

/// Whether every choice is an object, null aside.
pub(super) fn are_objects(choices: &Value) -> bool {
    let Some(choices) = choices.as_array() else {
        return false;
    };
    let is_object = |choice: &Value| choice.get("type").is_some_and(|kind| kind == "object");
    choices.iter().any(is_object)
        && choices
            .iter()
            .all(|choice| is_object(choice) || is_null(choice))
}

/// What each choice takes, in a few characters; nothing where one of them takes something else.
pub(super) fn words(choices: &Value) -> Option<Vec<String>> {
    let choices = choices.as_array()?.iter().filter(|choice| !is_null(choice));
    let mut words = Vec::new();
    for choice in choices {
        if let Some(word) = only_word(choice) {
            words.push(word.to_owned());
        } else if let Some(members) = choice.get("enum").and_then(Value::as_array) {
            let texts: Option<Vec<_>> = members.iter().map(Value::as_str).collect();
            words.extend(texts?.into_iter().map(str::to_owned));
        } else {
            let required = choice.get("required").and_then(Value::as_array);
            match required.map(Vec::as_slice) {
                Some([Value::String(name)]) => words.push(format!("an object with `{name}`")),
                _ => return None,
            }
        }
    }
    (!words.is_empty()).then_some(words)
}

/// The property that tells all choices apart, and its values.
pub(super) fn tag(choices: &Value) -> Option<(&str, Vec<&str>)> {
    let choices: Vec<&Map<String, Value>> = choices
        .as_array()?
        .iter()
        .filter(|choice| !is_null(choice))
        .map(|choice| choice.get("properties").and_then(Value::as_object))
        .collect::<Option<_>>()?;
    let names = choices.first()?.keys();
    let words_of = |name: &String| {
        choices
            .iter()
            .map(|properties| only_word(properties.get(name)?))
            .collect::<Option<Vec<_>>>()
    };
    names
        .filter_map(|name| Some((name.as_str(), words_of(name)?)))
        .next()
}

/// Whether an object has what a choice requires, and no tag of another.
fn may_be(choice: &Value, object: &Map<String, Value>) -> bool {
    let Some(properties) = choice.get("properties").and_then(Value::as_object) else {
        return false;
    };
    let mut required = choice
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let is_other =
        |(name, property): (&String, &Value)| match (only_word(property), object.get(name)) {
            (Some(word), Some(value)) => value != word,
            _ => false,
        };
    let tags: Vec<&String> = properties
        .iter()
        .filter(|(_, property)| only_word(property).is_some())
        .map(|(name, _)| name)
        .collect();
    let has_what_is_required = if tags.is_empty() {
        required.all(|name| object.contains_key(name))
    } else {
        tags.into_iter().all(|name| object.contains_key(name))
    };
    has_what_is_required && !properties.iter().any(is_other)
}

/// The one text that a schema takes.
fn only_word(schema: &Value) -> Option<&str> {
    match (
        schema.get("const"),
        schema
            .get("enum")
            .and_then(Value::as_array)
            .map(Vec::as_slice),
    ) {
        (Some(Value::String(word)), _) | (None, Some([Value::String(word)])) => Some(word),
        _ => None,
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{meant, tag};

    #[test]
    fn a_value_is_the_only_choice_that_it_can_be() {
        let circle = json!({"type": "object", "properties": {"kind": {"const": "circle"}, "radius": {}}, "required": ["kind", "radius"]});
        let square = json!({"type": "object", "properties": {"kind": {"enum": ["square"]}, "side": {}}, "required": ["kind", "side"]});
        let shapes = json!([circle, square]);
        let outer = json!([
            {"properties": {"Circle": {}}, "required": ["Circle"]}, {"properties": {"Square": {}}, "required": ["Square"]}
        ]);
        let open = json!([{"properties": {"a": {}}}, {"properties": {"b": {}}}]);
        let optional = json!([{"type": "integer"}, {"type": "null"}]);
        let table: [(&Value, Value, Option<usize>); 9] = [
            (&shapes, json!({"kind": "circle"}), Some(0)),
            (&shapes, json!({"kind": "square", "radius": 1}), Some(1)),
            (&shapes, json!({"kind": "cirle"}), None),
            (&shapes, json!({}), None),
            (&shapes, json!("circle"), None),
            (&outer, json!({"Square": 1}), Some(1)),
            (&outer, json!({"Square": 1, "Circle": 1}), None),
            (&open, json!({"a": 1}), None),
            (&optional, json!("5"), Some(0)),
        ];
        for (choices, value, expected) in table {
            assert_eq!(
                meant(choices, &value).map(|(place, _)| place),
                expected,
                "{choices} {value}"
            );
        }
        assert_eq!(tag(&shapes), Some(("kind", vec!["circle", "square"])));
        assert_eq!(tag(&outer), None);
        assert_eq!(tag(&optional), None);
    }
}
