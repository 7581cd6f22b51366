//! A JSON object that is put together member by member, without what is not there.

use serde_json::{Map, Value};

/// An object under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct JsonObject(Map<String, Value>);

impl JsonObject {
    /// Adds a member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a member that may not be there.
    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a list that is left out when it is empty.
    pub(crate) fn with_list(self, name: &str, items: Vec<Value>) -> Self {
        match items.is_empty() {
            true => self,
            false => self.with(name, items),
        }
    }
}

impl From<JsonObject> for Value {
    fn from(object: JsonObject) -> Self {
        Self::Object(object.0)
    }
}

impl From<JsonObject> for Map<String, Value> {
    fn from(object: JsonObject) -> Self {
        object.0
    }
}

/// An object to which members are added.
impl From<Map<String, Value>> for JsonObject {
    fn from(members: Map<String, Value>) -> Self {
        Self(members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::JsonObject;

    #[test]
    fn what_is_not_there_is_left_out() {
        let object = JsonObject::default()
            .with("a", 1)
            .with_some("b", None::<i64>)
            .with_some("c", Some("x"))
            .with_list("d", vec![])
            .with_list("e", vec![json!(2)]);
        assert_eq!(Value::from(object), json!({ "a": 1, "c": "x", "e": [2] }));
    }
}
