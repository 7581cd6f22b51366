//! The arguments of a call as its handler receives them: a text that is read where a handler wants
//! it, or a tree. Validates nothing.

use std::fmt;
use std::ops::{Index, Range};
use std::sync::OnceLock;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The arguments of a call: a JSON object, valid against the schema of what was called.
///
/// Arguments that fit as they were sent stay the text that the client sent. [`Arguments::get`] then
/// reads the one argument that is asked for, and [`Arguments::read`] a type straight from the text.
/// [`Arguments::into_map`] makes a tree of all of them, which takes about ten times the memory of
/// the text where they are many small objects.
///
/// ```
/// use footbridge_mcp::Arguments;
/// use serde_json::json;
///
/// let arguments = Arguments::from(json!({"year": 1815, "names": ["Ada"]}).as_object().cloned().unwrap_or_default());
/// assert_eq!(arguments["year"], 1815);
/// assert_eq!(arguments.get("month"), None);
/// assert_eq!(arguments.into_map()["names"], json!(["Ada"]));
/// ```
#[derive(Clone)]
pub struct Arguments(Form);

#[derive(Clone)]
enum Form {
    Text(ObjectText),
    Tree(Map<String, Value>),
}

/// A JSON object in which no name stands twice nor has escapes.
#[derive(Clone)]
struct ObjectText {
    json: Bytes,
    members: Vec<Member>,
}

/// One member: where it stands in the text, and its value once it was read.
#[derive(Clone)]
struct Member {
    name: Range<usize>,
    value: Range<usize>,
    read: OnceLock<Value>,
}

impl Arguments {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Text(text) => text.members.is_empty(),
            Form::Tree(map) => map.is_empty(),
        }
    }

    /// Whether there is one of this name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        match &self.0 {
            Form::Text(text) => text.member(name).is_some(),
            Form::Tree(map) => map.contains_key(name),
        }
    }

    /// The argument of this name. It is read when it is asked for, once.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        match &self.0 {
            Form::Text(text) => text
                .member(name)
                .map(|member| member.read.get_or_init(|| text.value(member))),
            Form::Tree(map) => map.get(name),
        }
    }

    /// All of them as a tree.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        match self.0 {
            // What was checked as JSON is JSON.
            Form::Text(text) => serde_json::from_slice(&text.json).unwrap_or_default(),
            Form::Tree(map) => map,
        }
    }

    /// All of them as a type.
    ///
    /// # Errors
    /// What serde refuses.
    pub fn read<T: DeserializeOwned>(self) -> serde_json::Result<T> {
        if let Form::Text(text) = &self.0
            && let Ok(read) = serde_json::from_slice(&text.json)
        {
            return Ok(read);
        }
        // The one sentence about what is wrong is that of a tree, which names no place in a text.
        serde_json::from_value(Value::Object(self.into_map()))
    }

    /// Arguments that are a JSON text, of which these are the names as they stand in it.
    pub(crate) fn of_text(json: Bytes, names: &[Range<usize>]) -> Self {
        let end = json
            .iter()
            .rposition(|byte| *byte == b'}')
            .unwrap_or_default();
        let next = names
            .iter()
            .skip(1)
            .map(|name| name.start.saturating_sub(1))
            .chain([end]);
        let member = |(name, next): (&Range<usize>, usize)| {
            let value = json.get(name.end..next).unwrap_or_default();
            // After the name come a quotation mark and a colon, after the value a comma, with white
            // space wherever it may be.
            let begin = value
                .iter()
                .position(|byte| *byte == b':')
                .map_or(0, |colon| name.end + colon + 1);
            let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
            let end = value
                .iter()
                .rposition(|byte| !is_between(byte))
                .map_or(begin, |last| name.end + last + 1);
            Member {
                name: name.clone(),
                value: begin..end,
                read: OnceLock::new(),
            }
        };
        let members = names.iter().zip(next).map(member).collect();
        Self(Form::Text(ObjectText { json, members }))
    }

    fn names(&self) -> Vec<&str> {
        match &self.0 {
            Form::Text(text) => text
                .members
                .iter()
                .map(|member| std::str::from_utf8(text.name(member)).unwrap_or_default())
                .collect(),
            Form::Tree(map) => map.keys().map(String::as_str).collect(),
        }
    }
}

impl ObjectText {
    fn name(&self, member: &Member) -> &[u8] {
        self.json.get(member.name.clone()).unwrap_or_default()
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| self.name(member) == name.as_bytes())
    }

    fn value(&self, member: &Member) -> Value {
        let json = self.json.get(member.value.clone()).unwrap_or_default();
        serde_json::from_slice(json).unwrap_or_default()
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Map::new().into()
    }
}

impl From<Map<String, Value>> for Arguments {
    fn from(map: Map<String, Value>) -> Self {
        Self(Form::Tree(map))
    }
}

/// The argument of a name, or null.
impl Index<&str> for Arguments {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}

/// Names only: values may be secret.
impl fmt::Debug for Arguments {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::Arguments;
    use crate::arguments::ArgumentSchema;

    fn text(json: &str) -> Arguments {
        let schema = ArgumentSchema::compile(&json!({"type": "object"}), &[]).unwrap();
        schema
            .fitting(json, || Bytes::copy_from_slice(json.as_bytes()))
            .unwrap()
    }

    fn tree(json: &str) -> Arguments {
        serde_json::from_str::<Value>(json)
            .unwrap()
            .as_object()
            .unwrap()
            .clone()
            .into()
    }

    /// Both forms of the same arguments.
    fn both(json: &str) -> [Arguments; 2] {
        [text(json), tree(json)]
    }

    #[test]
    fn either_form_gives_the_same() {
        for arguments in both(
            "{ \"a\" : [1, {\"b\": \"}, \\\" :\"}] ,\n\"\" : null, \"c\":\t{}, \"d,:\": -1.5e3 }",
        ) {
            assert_eq!(arguments["a"], json!([1, {"b": "}, \" :"}]));
            assert_eq!(
                (&arguments[""], &arguments["c"], &arguments["d,:"]),
                (&Value::Null, &json!({}), &json!(-1500.0))
            );
            assert_eq!(
                (arguments.get(""), arguments.get("b")),
                (Some(&Value::Null), None)
            );
            assert!(
                arguments.contains_key("") && !arguments.contains_key("b") && !arguments.is_empty()
            );
            assert_eq!(
                arguments.clone().into_map().keys().collect::<Vec<_>>(),
                ["a", "", "c", "d,:"]
            );
            assert_eq!(
                format!("{arguments:?}"),
                r#"["a", "", "c", "d,:"]"#,
                "no value is shown"
            );
        }
        assert!(both("{ }").iter().all(Arguments::is_empty) && Arguments::default().is_empty());
    }

    #[test]
    fn a_type_is_read_from_either_form_and_refused_in_the_same_words() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Month(#[serde(deserialize_with = "month")] u8);

        fn month<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<u8, D::Error> {
            let month = u8::deserialize(reader)?;
            if (1..=12).contains(&month) {
                Ok(month)
            } else {
                Err(serde::de::Error::custom(format!("{month} is no month")))
            }
        }

        for arguments in both(r#"{"x": 3, "y": 12}"#) {
            assert_eq!(
                arguments.read::<BTreeMap<String, Month>>().unwrap()["y"],
                Month(12)
            );
        }
        for arguments in both(r#"{"x": 13}"#) {
            assert_eq!(
                arguments
                    .read::<BTreeMap<String, Month>>()
                    .unwrap_err()
                    .to_string(),
                "13 is no month"
            );
        }
    }
}
