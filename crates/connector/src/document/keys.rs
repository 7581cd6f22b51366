//! The keys that a document gives to parameters and bodies: which there are, and which a request
//! must have.

use std::collections::BTreeSet;

use serde_json::Value;

/// References, and parts of a schema, that are followed one after another.
const MAX_DEPTH: usize = 16;

/// The keys of the parameters, or of the body, of an operation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// Those there are; none when the document admits any.
    pub(super) known: Option<BTreeSet<String>>,
    pub(super) required: BTreeSet<String>,
}

impl Keys {
    pub(super) fn of_query<'v>(
        root: &'v Value,
        parameters: impl Iterator<Item = &'v Value>,
    ) -> Self {
        let mut keys = Self {
            known: Some(BTreeSet::new()),
            required: BTreeSet::new(),
        };
        for parameter in parameters {
            let named = resolved(root, parameter)
                .and_then(|parameter| Some((parameter, parameter.get("name")?.as_str()?)));
            let Some((parameter, name)) = named else {
                keys.known = None;
                continue;
            };
            if parameter.get("in").and_then(Value::as_str) != Some("query") {
                continue;
            }
            // the keys of an object are parameters of their own
            let schema = parameter
                .get("schema")
                .and_then(|schema| resolved(root, schema));
            if parameter.get("content").is_some()
                || schema.is_some_and(|schema| schema.get("type") == Some(&Value::from("object")))
            {
                keys.known = None;
            }
            if let Some(known) = &mut keys.known {
                known.insert(name.to_owned());
            }
            if parameter.get("required") == Some(&Value::Bool(true)) {
                keys.required.insert(name.to_owned());
            }
        }
        keys
    }

    /// `written` is the body of version 3; version 2 has it among the parameters.
    pub(super) fn of_body<'v>(
        root: &'v Value,
        written: Option<&'v Value>,
        mut parameters: impl Iterator<Item = &'v Value>,
    ) -> Self {
        let in_content = || {
            let content = resolved(root, written?)?.get("content")?.as_object()?;
            let is_json = |kind: &str| {
                kind.starts_with("application/json")
                    || kind.starts_with("*/*")
                    || kind.ends_with("+json")
            };
            content
                .iter()
                .find(|(kind, _)| is_json(kind))?
                .1
                .get("schema")
        };
        let in_parameters = || {
            let body =
                |parameter: &&Value| parameter.get("in").and_then(Value::as_str) == Some("body");
            parameters
                .find_map(|parameter| resolved(root, parameter).filter(body))?
                .get("schema")
        };
        in_content()
            .or_else(in_parameters)
            .map(|schema| Self::of_schema(root, schema, MAX_DEPTH))
            .unwrap_or_default()
    }

    fn of_schema(root: &Value, schema: &Value, depth: usize) -> Self {
        let Some(schema) = resolved(root, schema).filter(|_| depth > 0) else {
            return Self::default();
        };
        let texts = |value: Option<&Value>| -> BTreeSet<String> {
            value
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect()
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let is_closed = ["oneOf", "anyOf", "not", "patternProperties", "if"]
            .iter()
            .all(|key| schema.get(*key).is_none())
            && matches!(
                schema.get("additionalProperties"),
                None | Some(Value::Bool(false))
            );
        let mut keys = Self {
            known: properties
                .filter(|_| is_closed)
                .map(|properties| properties.keys().cloned().collect()),
            required: texts(schema.get("required")),
        };
        let parts = schema
            .get("allOf")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for (number, part) in parts.iter().enumerate() {
            let part = Self::of_schema(root, part, depth - 1);
            keys.required.extend(part.required);
            keys.known = match (keys.known.take(), part.known) {
                (Some(known), Some(more)) => Some(known.into_iter().chain(more).collect()),
                // a schema that only joins others has no properties of its own
                (None, more) if number == 0 && properties.is_none() && is_closed => more,
                _ => None,
            };
        }
        keys
    }
}

/// What a value refers to, or the value; none when it refers to nothing in the document, or in a
/// circle.
pub(super) fn resolved<'v>(root: &'v Value, mut value: &'v Value) -> Option<&'v Value> {
    for _ in 0..MAX_DEPTH {
        let Some(reference) = value.get("$ref") else {
            return Some(value);
        };
        value = root.pointer(reference.as_str()?.strip_prefix('#')?)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Keys, MAX_DEPTH, resolved};

    fn of(schema: Value) -> (Option<Vec<String>>, Vec<String>) {
        let root = json!({"components": {"schemas": {
            "base": {"properties": {"a": {}, "b": {}}, "required": ["a"]},
            "circle": {"$ref": "#/components/schemas/circle"},
            "inside": {"allOf": [{"$ref": "#/components/schemas/inside"}]}
        }}});
        let body = json!({"content": {"application/json; charset=utf-8": {"schema": schema}}});
        let keys = Keys::of_body(&root, Some(&body), std::iter::empty());
        (
            keys.known.map(|known| known.into_iter().collect()),
            keys.required.into_iter().collect(),
        )
    }

    #[test]
    fn keys_of_a_body_are_known_where_the_schema_closes_them() {
        let list = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let base = json!({"$ref": "#/components/schemas/base"});
        assert_eq!(of(base.clone()), (Some(list(&["a", "b"])), list(&["a"])));
        let joined = json!({"allOf": [base, {"properties": {"c": {}}, "required": ["c"]}]});
        assert_eq!(
            of(joined),
            (Some(list(&["a", "b", "c"])), list(&["a", "c"]))
        );
        for open in [
            json!({"additionalProperties": true}),
            json!({"anyOf": []}),
            json!({"patternProperties": {}}),
        ] {
            let mut schema = json!({"properties": {"a": {}}, "required": ["a"]});
            schema
                .as_object_mut()
                .unwrap()
                .extend(open.as_object().unwrap().clone());
            assert_eq!(of(schema), (None, list(&["a"])));
        }
        for odd in [
            json!({"$ref": "#/components/schemas/circle"}),
            json!({"$ref": "#/components/schemas/inside"}),
            json!({}),
            json!(7),
        ] {
            assert_eq!(of(odd.clone()), (None, list(&[])), "{odd}");
        }
    }

    #[test]
    fn a_body_of_version_two_is_among_the_parameters() {
        let root = json!({"definitions": {"x": {"properties": {"a": {}}}}});
        let parameters = [
            json!({"in": "path", "name": "id"}),
            json!({"in": "body", "name": "b", "schema": {"$ref": "#/definitions/x"}}),
        ];
        assert_eq!(
            Keys::of_body(&root, None, parameters.iter()).known,
            Some(["a".to_owned()].into())
        );
        assert_eq!(
            Keys::of_query(&root, parameters.iter()).known,
            Some([].into())
        );
    }

    #[test]
    fn references_are_followed_so_far_and_no_further() {
        let chain = |length: usize| {
            let mut root = json!({"0": {"end": true}});
            for step in 1..=length {
                root[step.to_string()] = json!({"$ref": format!("#/{}", step - 1)});
            }
            root
        };
        for (length, found) in [(MAX_DEPTH - 1, true), (MAX_DEPTH, false)] {
            let root = chain(length);
            assert_eq!(resolved(&root, &root[length.to_string()]).is_some(), found);
        }
    }

    #[test]
    fn an_object_among_the_parameters_admits_any() {
        let plain =
            json!({"in": "query", "name": "q", "required": true, "schema": {"type": "string"}});
        let object = json!({"in": "query", "name": "filter", "schema": {"type": "object"}});
        let root = json!({"p": plain});
        let by_reference = json!({"$ref": "#/p"});
        let keys = Keys::of_query(&root, [&by_reference].into_iter());
        assert_eq!(
            (keys.known, keys.required),
            (Some(["q".to_owned()].into()), ["q".to_owned()].into())
        );
        assert_eq!(
            Keys::of_query(&root, [&plain, &object].into_iter()).known,
            None
        );
    }
}
