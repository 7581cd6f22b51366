//! Names, descriptions and JSON Schemas made of types, in the form that clients take: one object
//! without references where that can be.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::{InputType, choices};
use crate::resource::StructField;
use crate::subschemas;

/// The type's name in `snake_case`.
pub(super) fn name<T: JsonSchema>() -> String {
    snake_case(&T::schema_name())
}

/// The type's documentation.
pub(super) fn description<T: JsonSchema>() -> String {
    let schema = generated::<T>(SchemaSettings::draft2020_12().for_deserialize());
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The schema of arguments: an object, closed at every depth unless the type is open there. An
/// optional property may be left out, and a null there means just that: the type need not say so,
/// and some clients cannot read it.
pub(super) fn input<T: JsonSchema>() -> Value {
    let mut schema = generated::<T>(SchemaSettings::draft2020_12().for_deserialize());
    if is_null(&schema) {
        return json!({ "type": "object", "additionalProperties": false });
    }
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
        object.remove("description");
    }
    close_objects(&mut schema, true);
    schema
}

/// Closes objects at every depth and takes null out of what may be left out.
fn close_objects(schema: &mut Value, may_close: bool) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let required = object
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        let optional = properties
            .iter_mut()
            .filter(|(name, _)| !required.iter().any(|required| required == *name));
        optional.for_each(|(_, property)| subschemas::take_null_out(property));
    }
    let is_whole = ![
        "$ref",
        "allOf",
        "anyOf",
        "oneOf",
        "unevaluatedProperties",
        "patternProperties",
    ]
    .iter()
    .any(|keyword| object.contains_key(*keyword));
    let is_object = object
        .get("type")
        .is_some_and(|kind| mentions(kind, "object"));
    if may_close && is_object && is_whole && !object.contains_key("additionalProperties") {
        object.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    // A choice is of the whole object only where nothing beside it says more of that.
    let has = |keyword: &&str| object.contains_key(*keyword);
    let says_more = [
        "$ref",
        "allOf",
        "properties",
        "additionalProperties",
        "unevaluatedProperties",
        "patternProperties",
    ]
    .iter()
    .any(has);
    let is_choice = !says_more && !["anyOf", "oneOf"].iter().all(has);
    subschemas::each(schema, |keyword, schema| {
        let may_close = match keyword {
            "anyOf" | "oneOf" => may_close && is_choice,
            "allOf" | "not" | "if" | "then" | "else" => false,
            _ => true,
        };
        close_objects(schema, may_close);
    });
}

/// The fields of a struct, in their order.
pub(super) fn fields<T: JsonSchema>() -> Vec<StructField> {
    let schema = input::<T>();
    let required = schema.get("required").and_then(Value::as_array);
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let field = |(name, property): (&String, &Value)| StructField {
        name: name.clone(),
        description: property
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        is_required: required
            .is_some_and(|required| required.iter().any(|required| required == name)),
    };
    properties.map(field).collect()
}

/// The schema of a form for the user: an object of texts, numbers, booleans and choices. The error
/// is one sentence for the developer. Source: specification 2026-07-28, Elicitation, "Requested
/// Schema".
pub(super) fn form<T: JsonSchema>() -> Result<Value, String> {
    let mut schema = input::<T>();
    let named = |field: &str, why: &str| format!("`{field}` of `{}` {why}", T::schema_name());
    let root = schema.as_object_mut().filter(|root| {
        root.get("type").is_some_and(|kind| kind == "object") && !root.contains_key("anyOf")
    });
    let root =
        root.ok_or_else(|| format!("`{}` is no form: it must be a struct", T::schema_name()))?;
    root.shift_remove("additionalProperties");
    root.shift_remove("$defs");
    let properties = root.entry("properties").or_insert_with(|| json!({}));
    for (name, property) in properties.as_object().into_iter().flatten() {
        let has_kind = |schema: &Value, kinds: &[&str]| {
            let kind = schema.get("type").and_then(Value::as_str);
            kind.is_some_and(|kind| kinds.contains(&kind))
        };
        let is_list_of_words = property
            .get("items")
            .is_some_and(|items| has_kind(items, &["string"]) && items.get("enum").is_some());
        let is_simple = has_kind(property, &["string", "integer", "number", "boolean"]);
        if !is_simple && !is_list_of_words {
            return Err(named(
                name,
                "cannot stand in a form, which has texts, numbers, booleans, enums without data and \
                 lists of such enums",
            ));
        }
    }
    Ok(schema)
}

/// A type from the object that is its JSON; a struct without fields and braces is read from a null.
pub(super) fn read<T: InputType>(object: Value) -> serde_json::Result<T> {
    let json = if is_unit::<T::Derived>() {
        Value::Null
    } else {
        object
    };
    serde_json::from_value(json).map(T::of)
}

/// Whether it is a struct without fields and braces.
pub(super) fn is_unit<T: JsonSchema>() -> bool {
    is_null(&generated::<T>(
        SchemaSettings::draft2020_12().for_deserialize(),
    ))
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

/// The schema of what a type is written as.
pub(super) fn output<T: JsonSchema>() -> Value {
    let mut schema = generated::<T>(SchemaSettings::draft2020_12().for_serialize());
    if let Some(object) = schema.as_object_mut() {
        object.remove("title");
    }
    schema
}

fn generated<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let settings = settings.with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        settings
            .transforms
            .push(Box::new(RecursiveTransform(take_number_format_out)));
        settings
            .transforms
            .push(Box::new(RecursiveTransform(choices::list_names)));
    });
    Schema::into(settings.into_generator().into_root_schema_for::<T>())
}

/// `uint32` and its like are words of this language, which validators of others warn about; the
/// bounds stay.
fn take_number_format_out(schema: &mut Schema) {
    if schema.get("type").is_some_and(|kind| {
        ["integer", "number"]
            .iter()
            .any(|number| mentions(kind, number))
    }) {
        schema.remove("format");
    }
}

fn mentions(kind: &Value, name: &str) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| kind == name),
        kind => kind == name,
    }
}

/// `SearchHTTPLog2` becomes `search_http_log2`.
fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, &character) in characters.iter().enumerate() {
        let before = index
            .checked_sub(1)
            .and_then(|before| characters.get(before))
            .copied();
        let begins_word = character.is_uppercase()
            && before.is_some_and(|before| {
                let next_is_small = characters
                    .get(index + 1)
                    .is_some_and(|next| next.is_lowercase());
                before != '_' && (!before.is_uppercase() || next_is_small)
            });
        if begins_word {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::{description, input, name, output, snake_case};

    #[test]
    fn names_are_words_in_small_letters() {
        let table = [
            ("Greet", "greet"),
            ("SearchOrders", "search_orders"),
            ("HTTPLog", "http_log"),
            ("SearchHTTPLog2", "search_http_log2"),
            ("Top10Notes", "top10_notes"),
            ("already_small", "already_small"),
            ("Page_For_Note", "page_for_note"),
        ];
        for (given, expected) in table {
            assert_eq!(snake_case(given), expected);
        }
    }

    #[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Bucket {
        #[default]
        All,
        Recent,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only their schema is looked at")]
    struct Place {
        /// A street.
        street: Option<String>,
    }

    /// Search orders.
    ///
    /// Newest first.
    #[derive(Debug, Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only their schema is looked at")]
    struct SearchOrders {
        /// Text to match.
        query: String,
        /// How many at most.
        #[serde(default = "ten")]
        #[schemars(range(min = 1, max = 100))]
        limit: u32,
        /// Only these.
        bucket: Option<Bucket>,
        #[serde(default)]
        note: Option<String>,
        places: Vec<Place>,
    }

    fn ten() -> u32 {
        10
    }

    #[test]
    fn arguments_are_one_closed_object() {
        assert_eq!(name::<SearchOrders>(), "search_orders");
        assert_eq!(
            description::<SearchOrders>(),
            "Search orders.\n\nNewest first."
        );
        insta::assert_json_snapshot!(input::<SearchOrders>());
    }

    #[test]
    fn what_is_open_stays_open() {
        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Open {
            #[serde(flatten)]
            rest: HashMap<String, i64>,
        }
        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        #[serde(tag = "by", rename_all = "snake_case")]
        enum By {
            Name { name: String },
            Number { number: i64 },
        }
        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Flat {
            #[serde(flatten)]
            by: By,
        }
        assert_ne!(input::<Open>()["additionalProperties"], json!(false));
        let flat = input::<Flat>();
        assert_eq!(flat["type"], "object", "{flat}");
        assert!(flat.get("additionalProperties").is_none(), "{flat}");
    }

    #[test]
    fn a_struct_without_fields_takes_nothing() {
        #[derive(Deserialize, JsonSchema)]
        struct Unit;
        #[derive(Deserialize, JsonSchema)]
        struct Braces {}
        let nothing = json!({"type": "object", "additionalProperties": false});
        assert_eq!(input::<Unit>(), nothing);
        assert_eq!(input::<Braces>(), nothing);
    }

    #[test]
    fn outputs_keep_their_nulls() {
        #[derive(Serialize, JsonSchema)]
        struct Answer {
            text: Option<String>,
        }
        let expected = json!({"type": "object", "properties": {"text": {"type": ["string", "null"]}}, "required": ["text"]});
        assert_eq!(output::<Answer>(), expected);
    }
}
