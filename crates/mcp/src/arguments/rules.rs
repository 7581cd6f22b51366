//! The rules of a tool's arguments, as the tool says them: the listed schema, and what is taken
//! beside it. They are checked without making the schema that they come to.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::validator;

/// What a tool says of its arguments.
#[derive(Debug, Default)]
pub(crate) struct ArgumentRules {
    /// An object schema, which others may hold too.
    pub(crate) schema: Arc<Value>,
    /// Properties that the schema does not list.
    pub(crate) unlisted: Vec<(String, Value)>,
    /// Properties that may be null.
    pub(crate) nullable: Vec<String>,
    /// Texts that may be whole numbers too.
    pub(crate) or_integer: Vec<String>,
    /// Other names of properties, each with the name it stands for.
    pub(crate) aliases: Vec<(String, String)>,
    pub(crate) value_aliases: Vec<ValueAlias>,
}

/// Another word for a value of a property, which its `enum` does not list.
#[derive(Debug, Clone)]
pub(crate) struct ValueAlias {
    pub(crate) property: String,
    pub(crate) alias: String,
    pub(crate) value: String,
}

impl ArgumentRules {
    /// Whether everything fits the schema; the error is one sentence for the developer.
    pub(super) fn check_schema(&self) -> Result<(), String> {
        let object = self
            .schema
            .as_object()
            .ok_or("the input schema must be a JSON object")?;
        self.check_unlisted(object)?;
        for name in &self.or_integer {
            let kind = self
                .property(name)
                .and_then(|property| property.get("type"));
            if kind.is_none_or(|kind| kind != "string") {
                return Err(format!(
                    "`{name}` is said to be an integer too, but the input schema has no such text"
                ));
            }
        }
        if object.get("type").and_then(Value::as_str) != Some("object") {
            let is_choice = ["oneOf", "anyOf", "enum"]
                .iter()
                .any(|keyword| object.contains_key(*keyword));
            let hint = if is_choice {
                "; of a choice, each must be an object: an enum is one with `#[serde(tag = \"…\")]`"
            } else {
                ""
            };
            return Err(format!(
                "the input schema must have `type: object` at its root{hint}"
            ));
        }
        match self.nullable.iter().find(|name| !self.has(name)) {
            Some(name) => Err(format!(
                "`{name}` is said to be nullable, but the input schema has no such property"
            )),
            None => Ok(()),
        }
    }

    fn check_unlisted(&self, object: &Map<String, Value>) -> Result<(), String> {
        if self.unlisted.is_empty() {
            return Ok(());
        }
        let listed = match object.get("properties") {
            None => None,
            Some(Value::Object(listed)) => Some(listed),
            Some(_) => return Err("`properties` of the input schema must be an object".to_owned()),
        };
        let names = || self.unlisted.iter().map(|(name, _)| name);
        let mut numbered = names().enumerate();
        let is_twice = |(place, name): &(usize, &String)| {
            listed.is_some_and(|listed| listed.contains_key(*name))
                || names().take(*place).any(|other| other == *name)
        };
        match numbered.find(is_twice) {
            Some((_, name)) => Err(format!(
                "`{name}` is a property of the input schema already, so it cannot be an unlisted argument"
            )),
            None => Ok(()),
        }
    }

    /// Whether other names and words stand for what there is; the error is one sentence for the
    /// developer.
    pub(super) fn check_aliases(&self) -> Result<(), String> {
        for (alias, name) in &self.aliases {
            if !self.has(name) || self.has(alias) {
                return Err(format!(
                    "`{alias}` cannot stand for `{name}`: the first must not be a property of the input schema, the second must"
                ));
            }
        }
        for ValueAlias {
            property,
            alias,
            value,
        } in &self.value_aliases
        {
            let words = self
                .property(property)
                .and_then(|schema| schema.get("enum"))
                .and_then(Value::as_array);
            let is_word =
                |word: &String| words.is_some_and(|words| words.iter().any(|known| known == word));
            if is_word(alias) || !is_word(value) {
                return Err(format!(
                    "`{alias}` cannot stand for `{value}` of `{property}`: its `enum` must hold the second, and not the first"
                ));
            }
        }
        Ok(())
    }

    /// Whether the schema that they come to is surely valid.
    pub(super) fn is_plain(&self) -> bool {
        let unlisted = self.unlisted.iter().map(|(_, schema)| schema);
        validator::is_plain_with(&self.schema, unlisted)
    }

    /// The schema that they come to, nulls aside.
    pub(super) fn whole(&self) -> Arc<Value> {
        if self.unlisted.is_empty() && self.or_integer.is_empty() {
            return Arc::clone(&self.schema);
        }
        let mut schema = Value::clone(&self.schema);
        if let Value::Object(keywords) = &mut schema {
            let properties = keywords
                .entry("properties")
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(properties) = properties {
                properties.extend(self.unlisted.iter().cloned());
                for name in &self.or_integer {
                    if let Some(kind) = properties.get_mut(name).and_then(|one| one.get_mut("type"))
                    {
                        *kind = serde_json::json!(["string", "integer"]);
                    }
                }
            }
        }
        schema.into()
    }

    fn has(&self, name: &str) -> bool {
        self.property(name).is_some()
    }

    /// The schema of a property, listed or not.
    fn property(&self, name: &str) -> Option<&Value> {
        let listed = self.schema.get("properties").and_then(|all| all.get(name));
        listed.or_else(|| {
            let mut unlisted = self.unlisted.iter();
            unlisted
                .find(|(known, _)| known == name)
                .map(|(_, schema)| schema)
        })
    }
}
