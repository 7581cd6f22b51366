//! References from an argument to what an earlier call gave: `{"$from": "a", "path": ".items[0].id"}`.

use footbridge_connector::{QueryFilter, QueryResult};
use serde_json::Value;

use super::request::sentence;

/// The key that makes an object a reference.
const FROM: &str = "$from";
/// The key of the filter over what the call gave.
const PATH: &str = "path";
/// References in the arguments of one call.
const MAX_REFERENCES: usize = 50;

/// Where a value of the arguments comes from.
#[derive(Debug)]
pub(super) struct ArgumentReference {
    /// The place of the value in the arguments, as a JSON pointer.
    place: String,
    /// The earlier call, by its place among all.
    pub(super) call: usize,
    name: String,
    path: String,
    filter: QueryFilter,
}

/// The references in the arguments of a call, whose earlier calls have these names; else what is
/// wrong with them.
pub(super) fn find(arguments: &Value, earlier: &[&str]) -> Result<Vec<ArgumentReference>, String> {
    let mut found = Vec::new();
    collect(arguments, String::new(), earlier, &mut found)?;
    Ok(found)
}

fn collect(
    value: &Value,
    place: String,
    earlier: &[&str],
    found: &mut Vec<ArgumentReference>,
) -> Result<(), String> {
    match value {
        Value::Object(members) if members.contains_key(FROM) => {
            if found.len() == MAX_REFERENCES {
                return Err(format!("it has more than {MAX_REFERENCES} references"));
            }
            let text = |key: &str| members.get(key).and_then(Value::as_str);
            let others = members.keys().any(|key| key != FROM && key != PATH);
            let (Some(name), false) = (text(FROM), others) else {
                return Err(format!(
                    "a reference is {{\"{FROM}\": \"NAME\", \"{PATH}\": \".items[0].id\"}}, with the \
                     name of an earlier call"
                ));
            };
            let path = match members.get(PATH) {
                None => ".",
                Some(Value::String(path)) => path,
                Some(_) => {
                    return Err(format!(
                        "the {PATH} of a reference is a jq filter, as a text"
                    ));
                }
            };
            let call = earlier.iter().position(|known| *known == name);
            let call = call.ok_or_else(|| match earlier {
                [] => format!("it refers to {name:?}, and there is no call before it"),
                earlier => format!(
                    "it refers to {name:?}, which is no call before it; those are {}",
                    earlier.join(", ")
                ),
            })?;
            let filter = QueryFilter::compile(path, &[])
                .map_err(|fault| format!("the path {path:?}: {}", sentence(&fault)))?;
            found.push(ArgumentReference {
                place,
                call,
                name: name.to_owned(),
                path: path.to_owned(),
                filter,
            });
            Ok(())
        }
        Value::Object(members) => members.iter().try_for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            collect(value, format!("{place}/{key}"), earlier, found)
        }),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            collect(item, format!("{place}/{index}"), earlier, found)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

impl ArgumentReference {
    /// Puts what the earlier call gave into the arguments. Runs a filter: see
    /// [`QueryFilter::run_over`].
    pub(super) fn resolve(
        &self,
        arguments: &mut Value,
        result: &QueryResult,
    ) -> Result<(), String> {
        let Self { name, path, .. } = self;
        let refers = format!("it refers to {path} of {name}");
        let found = self.filter.run_over(result, 1);
        let found = found.map_err(|fault| format!("{refers}: {}", sentence(&fault)))?;
        let value = match found.as_slice() {
            [value, ..] => value
                .json()
                .map_err(|fault| format!("{refers}: {}", sentence(&fault)))?,
            [] => "null".to_owned(),
        };
        match serde_json::from_str(&value) {
            // null would say that the argument was left out, and everything would come
            Ok(Value::Null) | Err(_) => Err(format!("{refers}, and there is nothing")),
            Ok(value) => {
                if let Some(slot) = arguments.pointer_mut(&self.place) {
                    *slot = value;
                }
                Ok(())
            }
        }
    }
}
