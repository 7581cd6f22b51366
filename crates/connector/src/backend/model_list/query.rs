//! The query of a model's list: sort, words and filters, and where a page of it starts.

use serde_json::{Map, Value};

use crate::backend::paging::{CursorBinding, PageStart};
use crate::connector::{Model, ModelPaging};
use crate::failure::BackendError;
use crate::template;

/// Values that all filters of a list may have together.
const MAX_FILTER_VALUES: usize = 100;

/// What a list asks for, apart from where its pages start.
pub(super) struct Query {
    path: String,
    /// Encoded parameters: sort, q, filters.
    parameters: String,
    pub(super) binding: CursorBinding,
    /// The one record of another model in which all rows lie, when a filter says so.
    pub(super) home: Option<String>,
    /// Rows before the first page.
    offset: Option<u64>,
}

impl Query {
    pub(super) fn new(model: &Model, arguments: &Map<String, Value>) -> Result<Self, BackendError> {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        for name in ["sort", "q"] {
            if let Some(Value::String(text)) = arguments.get(name) {
                pairs.push((name, text.clone()));
            }
        }
        let mut filters = filters(model, arguments.get("filter"))?;
        filters.sort();
        let home = home(model, &filters);
        pairs.append(&mut filters);
        let binding = CursorBinding::to(
            [model.name.as_str()].into_iter().chain(
                pairs
                    .iter()
                    .flat_map(|(name, value)| [*name, value.as_str()]),
            ),
        );
        let parameters = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&pairs)
            .finish();
        Ok(Self {
            path: model.path.clone(),
            parameters,
            binding,
            home,
            offset: arguments.get("offset").and_then(Value::as_u64),
        })
    }

    /// The path and query of a page of so many rows, 0 for as many as the backend likes.
    pub(super) fn page(&self, paging: &ModelPaging, start: PageStart<'_>, size: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(self.parameters.clone());
        if let Some(name) = paging.plan.size.as_ref().filter(|_| size > 0) {
            query.append_pair(name, &size.to_string());
        }
        match (start, self.offset) {
            (PageStart::Parameter(name, value), _) => {
                query.append_pair(name, value);
            }
            (PageStart::Address(address), _) => return address.to_owned(),
            (PageStart::Unsaid, Some(offset)) => {
                query.append_pair(&paging.offset, &offset.to_string());
            }
            (PageStart::Unsaid, None) => {}
        }
        match query.finish().as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

/// The path of the record that a filter on a reference names; none when it names more than one.
fn home(model: &Model, filters: &[(&str, String)]) -> Option<String> {
    let reference = |wire: &str| {
        model
            .filters
            .iter()
            .find(|key| key.wire == wire)
            .and_then(|key| key.refers_to.as_ref())
    };
    let mut homes = filters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(wire, value)| Some((reference(wire)?, value)));
    let (path, id) = homes.next().filter(|_| homes.next().is_none())?;
    Some(format!("{path}/{}", template::segment("id", id).ok()?))
}

/// Filters by their wire keys; a list of values repeats the key, and null is no filter.
fn filters<'m>(
    model: &'m Model,
    filter: Option<&Value>,
) -> Result<Vec<(&'m str, String)>, BackendError> {
    let filter = match filter {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(filter)) => filter,
        Some(_) => {
            return Err(BackendError::caller(
                "`filter` must be an object, such as {\"status\": \"todo\"}.",
            ));
        }
    };
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for (name, value) in filter {
        let by_friendly = model
            .filters
            .iter()
            .find(|key| key.friendly.as_ref() == Some(name));
        let Some(key) = by_friendly.or_else(|| model.filters.iter().find(|key| &key.wire == name))
        else {
            unknown.push(name);
            continue;
        };
        let values = match value {
            Value::Array(values) if values.is_empty() => {
                return Err(BackendError::caller(format!(
                    "The filter `{name}` has no values: pass one or more, or leave it out."
                )));
            }
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            match value {
                Value::Null => {}
                Value::String(text) => pairs.push((&key.wire, text.clone())),
                Value::Bool(_) | Value::Number(_) => pairs.push((&key.wire, value.to_string())),
                Value::Array(_) | Value::Object(_) => {
                    return Err(BackendError::caller(format!(
                        "The filter `{name}` takes a text, a number, true or false, or a list of them."
                    )));
                }
            }
        }
    }
    if !unknown.is_empty() {
        let known: Vec<&str> = model
            .filters
            .iter()
            .filter_map(|key| key.friendly.as_deref())
            .collect();
        let unknown = unknown.join("`, `");
        return Err(BackendError::caller(format!(
            "There is no filter `{unknown}` for a {}. The filters are: {}.",
            model.name,
            known.join(", ")
        )));
    }
    if pairs.len() > MAX_FILTER_VALUES {
        return Err(BackendError::caller(format!(
            "The filters have {} values; at most {MAX_FILTER_VALUES} are taken. Ask in parts.",
            pairs.len()
        )));
    }
    Ok(pairs)
}
