//! The query string of a list, read into the page that is asked for: every problem at once.

use footbridge_store::{AccountId, FieldName, FilterNumber, ListQuery, RecordFilter, RecordId};
use serde_json::Value;

use crate::api_error::{ApiError, shortened_json};
use crate::models::{BoardFieldKind, FilterTarget, ServedModel};

/// The rows of a page when no limit is given.
pub(crate) const DEFAULT_LIMIT: u32 = 50;
/// The longest query, in bytes.
pub(crate) const QUERY_BYTES: usize = 16 * 1024;
/// The longest text of a search, in characters.
pub(crate) const SEARCH_CHARACTERS: usize = 200;
/// How many filter values a query may hold, all filters together.
pub(crate) const FILTER_VALUES: usize = 200;
/// How many rows may be passed over by counting.
pub(crate) const LARGEST_OFFSET: u32 = 100_000;

/// Reads the query of a list of the model's rows.
pub(crate) fn read(
    model: &ServedModel,
    account_id: AccountId,
    query: Option<&str>,
) -> Result<ListQuery, ApiError> {
    let query = query.unwrap_or_default();
    if query.len() > QUERY_BYTES {
        return Err(ApiError::uri_too_long(QUERY_BYTES));
    }
    let mut reading = QueryReading {
        model,
        problems: Vec::new(),
        parameters: ListParameters::default(),
        filters: Vec::new(),
        values: 0,
    };
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        reading.take(&key, value.into_owned());
    }
    reading.finish(account_id)
}

#[derive(Default)]
struct ListParameters {
    limit: Option<String>,
    offset: Option<String>,
    sort: Option<String>,
    q: Option<String>,
    after: Option<String>,
}

struct QueryReading<'a> {
    model: &'a ServedModel,
    problems: Vec<String>,
    parameters: ListParameters,
    filters: Vec<(&'a FilterTarget, Vec<String>)>,
    values: usize,
}

impl<'a> QueryReading<'a> {
    fn take(&mut self, key: &str, value: String) {
        let parameter = match key {
            "limit" => &mut self.parameters.limit,
            "offset" => &mut self.parameters.offset,
            "sort" => &mut self.parameters.sort,
            "q" => &mut self.parameters.q,
            "after" => &mut self.parameters.after,
            _ => return self.take_filter(key, value),
        };
        if parameter.replace(value).is_some() {
            self.problems.push(format!("{key} is given twice"));
        }
    }

    fn take_filter(&mut self, key: &str, value: String) {
        self.values += 1;
        let model: &'a ServedModel = self.model;
        let Some(filter) = model.filter(key) else {
            let problem = format!(
                "{} is no filter of a {}: filter by {}",
                shortened_json(&Value::from(key)),
                model.name,
                if model.filters.is_empty() {
                    "nothing".to_owned()
                } else {
                    model.filter_keys().join(", ")
                },
            );
            if !self.problems.contains(&problem) && self.problems.len() < FILTER_VALUES {
                self.problems.push(problem);
            }
            return;
        };
        match self
            .filters
            .iter_mut()
            .find(|(target, _)| **target == filter.target)
        {
            Some((_, values)) => values.push(value),
            None => self.filters.push((&filter.target, vec![value])),
        }
    }

    fn finish(mut self, account_id: AccountId) -> Result<ListQuery, ApiError> {
        if self.values > FILTER_VALUES {
            return Err(ApiError::bad_request(format!(
                "there are {} filter values, at most {FILTER_VALUES} are allowed",
                self.values
            )));
        }
        let limit = self.limit();
        let offset = self.offset();
        let search = self.search();
        let (sort, descending) = self.sort();
        let after = self.after();
        let mut filters = Vec::with_capacity(self.filters.len());
        for (target, values) in std::mem::take(&mut self.filters) {
            match filter(target, values) {
                Ok(filter) => filters.push(filter),
                Err(problem) => self.problems.push(problem),
            }
        }
        match (self.problems.is_empty(), sort) {
            (true, Some(sort)) => Ok(ListQuery {
                account_id,
                model: self.model.name.clone(),
                filters,
                search,
                sort,
                descending,
                limit,
                offset,
                after,
            }),
            _ => Err(ApiError::problems(&self.problems)),
        }
    }

    fn limit(&mut self) -> u32 {
        let max_limit = self.model.max_limit;
        let Some(text) = self.parameters.limit.take() else {
            return DEFAULT_LIMIT.min(max_limit);
        };
        match text.parse::<i64>() {
            Ok(limit) if limit >= 1 => u32::try_from(limit).unwrap_or(u32::MAX).min(max_limit),
            _ if is_digits(&text) && text.bytes().any(|digit| digit != b'0') => max_limit,
            _ => {
                self.problems.push(format!(
                    "limit must be an integer of at least 1, not {}",
                    shortened_json(&Value::from(text))
                ));
                max_limit
            }
        }
    }

    fn offset(&mut self) -> u32 {
        let Some(text) = self.parameters.offset.take() else {
            return 0;
        };
        match text.parse::<u32>() {
            Ok(offset) if offset <= LARGEST_OFFSET => offset,
            _ if is_digits(&text) => {
                self.problems
                    .push(format!("offset is larger than {LARGEST_OFFSET}: go on with after and the id of the last row"));
                0
            }
            _ => {
                self.problems.push(format!(
                    "offset must be an integer of at least 0, not {}",
                    shortened_json(&Value::from(text))
                ));
                0
            }
        }
    }

    fn search(&mut self) -> Option<String> {
        let text = self.parameters.q.take().filter(|text| !text.is_empty())?;
        let characters = text.chars().count();
        if characters > SEARCH_CHARACTERS {
            self.problems.push(format!(
                "q has {characters} characters, at most {SEARCH_CHARACTERS} are allowed"
            ));
        }
        Some(text)
    }

    fn sort(&mut self) -> (Option<footbridge_store::SortKey>, bool) {
        let text = self.parameters.sort.take().filter(|text| !text.is_empty());
        let text = text.as_deref().unwrap_or(&self.model.default_sort);
        let (key, descending) = text
            .strip_prefix('-')
            .map_or((text, false), |key| (key, true));
        let sort = self.model.sort(key).cloned();
        if sort.is_none() {
            let keys: Vec<&str> = self
                .model
                .sorts
                .iter()
                .map(|(key, _)| key.as_str())
                .collect();
            let problem = format!(
                "sort must be one of {}, with - before it to reverse, not {}",
                keys.join(", "),
                shortened_json(&Value::from(text))
            );
            self.problems.push(problem);
        }
        (sort, descending)
    }

    fn after(&mut self) -> Option<RecordId> {
        let text = self.parameters.after.take()?;
        let id = RecordId::parse(&text);
        if id.is_none() {
            self.problems.push(format!(
                "after must be the id of a {}, not {}",
                self.model.name,
                shortened_json(&Value::from(text))
            ));
        }
        id
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn filter(target: &FilterTarget, values: Vec<String>) -> Result<RecordFilter, String> {
    match target {
        FilterTarget::Status => Ok(RecordFilter::Status(values)),
        FilterTarget::OwnedBy => Ok(RecordFilter::OwnedBy(values)),
        FilterTarget::IsArchived => Ok(RecordFilter::IsArchived(booleans("is_archived", &values)?)),
        FilterTarget::Field(name, kind) => field_filter(name, kind, values),
    }
}

fn field_filter(
    name: &FieldName,
    kind: &BoardFieldKind,
    values: Vec<String>,
) -> Result<RecordFilter, String> {
    match kind {
        BoardFieldKind::Boolean => Ok(RecordFilter::Boolean(
            name.clone(),
            booleans(name.as_str(), &values)?,
        )),
        BoardFieldKind::Integer | BoardFieldKind::Number => {
            let numbers = values
                .iter()
                .map(|value| number(name, value))
                .collect::<Result<_, _>>()?;
            Ok(RecordFilter::Number(name.clone(), numbers))
        }
        BoardFieldKind::Tags => Ok(RecordFilter::Holds(name.clone(), values)),
        BoardFieldKind::Choice(choices) => match values
            .iter()
            .find(|value| !value.is_empty() && !choices.contains(value))
        {
            Some(other) => Err(format!(
                "{name} must be one of {}, not {}",
                choices.join(", "),
                shortened_json(&Value::from(other.as_str()))
            )),
            None => Ok(RecordFilter::Text(name.clone(), values)),
        },
        _ => Ok(RecordFilter::Text(name.clone(), values)),
    }
}

fn booleans(name: &str, values: &[String]) -> Result<Vec<bool>, String> {
    let boolean = |value: &String| match value.as_str() {
        "true" | "True" => Ok(true),
        "false" | "False" => Ok(false),
        _ => Err(format!(
            "{name} must be true or false, not {}",
            shortened_json(&Value::from(value.as_str()))
        )),
    };
    values.iter().map(boolean).collect()
}

fn number(name: &FieldName, value: &str) -> Result<FilterNumber, String> {
    if let Ok(integer) = value.parse() {
        return Ok(FilterNumber::Integer(integer));
    }
    let real = value.parse::<f64>().ok().filter(|real| real.is_finite());
    real.map(FilterNumber::Real).ok_or_else(|| {
        format!(
            "{name} must be a number, not {}",
            shortened_json(&Value::from(value))
        )
    })
}
