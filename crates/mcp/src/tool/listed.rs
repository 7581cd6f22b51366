//! Schemas as they are listed, in the form that every client takes. A call is held against the
//! schema as it was written.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::subschemas;

/// The schema of arguments: without schemas that are booleans, and without null as one of several
/// types. Where the schema as it was given takes a null, the tool does too.
///
/// Sources: the TypeScript SDK 1.x refuses a whole list for one property that is `true`; Gemini and
/// Cursor refuse lists of types with null in them (t8y2/dbx#6233,
/// taylorwilsdon/google_workspace_mcp#1099).
pub(super) fn input(schema: &Value) -> Cow<'_, Value> {
    if !may_have(schema, &|schema| {
        schema.is_boolean() || subschemas::may_have_null(schema)
    }) {
        return Cow::Borrowed(schema);
    }
    let mut schema = schema.clone();
    without_null(&mut schema);
    without_booleans(&mut schema);
    Cow::Owned(schema)
}

/// The schema of a result: without schemas that are booleans. Nulls stay, since clients hold what
/// they get against it.
pub(super) fn output(schema: &Value) -> Cow<'_, Value> {
    if !may_have(schema, &Value::is_boolean) {
        return Cow::Borrowed(schema);
    }
    let mut schema = schema.clone();
    without_booleans(&mut schema);
    Cow::Owned(schema)
}

/// Whether a schema, or one inside of it, may have to be written otherwise. An object that is
/// closed with `false` has not.
fn may_have(schema: &Value, what: &dyn Fn(&Value) -> bool) -> bool {
    what(schema)
        || subschemas::any(schema, |keyword, schema| {
            let closes = *schema == false && may_close(keyword);
            !closes && may_have(schema, what)
        })
}

fn may_close(keyword: &str) -> bool {
    ["additionalProperties", "unevaluatedProperties"].contains(&keyword)
}

fn without_null(schema: &mut Value) {
    subschemas::take_null_out(schema);
    subschemas::each(schema, |_, schema| without_null(schema));
}

/// `true` is `{}`, `false` is `{"not": {}}`; an object that is closed with `false` is what every
/// client knows.
fn without_booleans(schema: &mut Value) {
    subschemas::each(schema, |keyword, schema| match schema {
        Value::Bool(true) => *schema = json!({}),
        Value::Bool(false) if !may_close(keyword) => *schema = json!({ "not": {} }),
        schema => without_booleans(schema),
    });
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::{input, output};

    #[test]
    fn no_schema_is_a_boolean_at_any_depth() {
        let given = json!({
            "type": "object",
            "properties": {
                "any": true, "none": false, "flag": {"type": "boolean", "default": true, "enum": [true]},
                "rows": {"type": "array", "items": {"type": "object", "properties": {"any": true}, "additionalProperties": true}},
                "pair": {"type": "array", "prefixItems": [true, {"items": false}], "uniqueItems": true},
                "tree": {"$ref": "#/$defs/tree"}
            },
            "$defs": {"tree": {"properties": {"children": true}, "anyOf": [true, {"not": false}], "patternProperties": {"^x": true}}},
            "additionalProperties": false
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "any": {}, "none": {"not": {}}, "flag": {"type": "boolean", "default": true, "enum": [true]},
                "rows": {"type": "array", "items": {"type": "object", "properties": {"any": {}}, "additionalProperties": {}}},
                "pair": {"type": "array", "prefixItems": [{}, {"items": {"not": {}}}], "uniqueItems": true},
                "tree": {"$ref": "#/$defs/tree"}
            },
            "$defs": {"tree": {"properties": {"children": {}}, "anyOf": [{}, {"not": {"not": {}}}], "patternProperties": {"^x": {}}}},
            "additionalProperties": false
        });
        assert_eq!(*input(&given), expected);
        assert_eq!(*output(&given), expected);
    }

    #[test]
    fn null_is_no_type_of_an_argument_and_one_of_a_result() {
        let given = json!({"type": "object", "properties": {
            "names": {"type": "array", "items": {"type": ["string", "null"]}},
            "by_name": {"additionalProperties": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}
        }});
        let expected = json!({"type": "object", "properties": {
            "names": {"type": "array", "items": {"type": "string"}}, "by_name": {"additionalProperties": {"type": "integer"}}
        }});
        assert_eq!(*input(&given), expected);
        assert_eq!(*output(&given), given);
    }

    #[test]
    fn what_stays_as_it_is_is_not_copied() {
        let given = json!({"type": "object", "properties": {
            "names": {"type": "array", "items": {"type": "string", "enum": ["a"]}, "default": []},
            "closed": {"type": "object", "properties": {"true": {"const": true}}, "additionalProperties": false}
        }});
        assert!(matches!(input(&given), Cow::Borrowed(_)));
        assert!(matches!(output(&given), Cow::Borrowed(_)));
    }
}
