//! What a caller passed → `$given` and `$args`: aliases, nulls, defaults, lookups, and the engine's
//! own arguments.

use std::sync::Arc;

use jaq_json::Val;
use serde_json::{Map, Value};

use super::super::Inner;
use super::super::lookup::{self, SoughtName};
use super::super::paging::CursorBinding;
use super::super::projection::Fields;
use super::super::step_list::{DEFAULT_LIMIT, WantedItems};
use super::super::values;
use super::super::values::Held;
use super::StepsRun;
use crate::connector::{ArgumentPlan, LookupPlan, Pages, Plan};
use crate::failure::BackendError;
use crate::fence::cut;
use crate::jq::{self, Variable, Variables};

/// The engine's own arguments.
#[derive(Default)]
pub(super) struct Paged {
    limit: Option<usize>,
    cursor: Option<String>,
    all: bool,
    /// The character from which on long texts are shown.
    pub(super) text_from: Option<usize>,
    pub(super) fields: Fields,
    /// The caller's arguments that decide which rows there are.
    decides: Vec<(String, String)>,
}

/// What is meant by what the caller passed, for arguments that say so.
pub(super) async fn read(
    inner: &Arc<Inner>,
    plan: &Plan,
    mut arguments: Map<String, Value>,
    variables: &Variables,
) -> Result<Map<String, Value>, BackendError> {
    for argument in &plan.arguments {
        let Some(filter) = &argument.read else {
            continue;
        };
        let passed = arguments
            .iter_mut()
            .find(|(name, _)| **name == argument.name || argument.aliases.contains(name));
        let Some((_, value)) = passed.filter(|(_, value)| !value.is_null()) else {
            continue;
        };
        let meant =
            values::one(inner, filter, &Held::Made(jq::from_json(value)), variables).await?;
        let meant = serde_json::from_str(&values::to_json(&meant)?);
        *value = meant.map_err(|error| {
            BackendError::ours(
                "An argument of this tool could not be read.",
                error.to_string(),
            )
        })?;
    }
    Ok(arguments)
}

/// Other names are replaced, and nulls that say nothing left out.
pub(super) fn admit(
    plan: &Plan,
    arguments: Map<String, Value>,
) -> Result<(Map<String, Value>, Paged), BackendError> {
    let mut admitted = Map::new();
    let mut paged = Paged::default();
    for (name, value) in arguments {
        let known = plan
            .arguments
            .iter()
            .find(|argument| argument.name == name || argument.aliases.contains(&name));
        match (known, name.as_str()) {
            (Some(argument), _) => {
                if value.is_null() && !argument.clear {
                    continue;
                }
                let value = if argument.is_date {
                    date(&argument.name, value)?
                } else {
                    value
                };
                if admitted.contains_key(&argument.name) {
                    return Err(BackendError::caller(format!(
                        "`{}` is there twice, once as `{name}`: pass it once.",
                        argument.name
                    )));
                }
                admitted.insert(argument.name.clone(), value);
            }
            (None, "limit" | "page_size") if plan.is_list => {
                paged.limit = value
                    .as_u64()
                    .and_then(|limit| usize::try_from(limit).ok())
                    .filter(|limit| *limit > 0);
            }
            (None, "cursor") if plan.is_list => {
                paged.cursor = value
                    .as_str()
                    .filter(|cursor| !cursor.is_empty())
                    .map(str::to_owned)
            }
            (None, cut::ARGUMENT) if plan.takes_text_from => {
                paged.text_from = value
                    .as_i64()
                    .map(|from| usize::try_from(from).unwrap_or_default());
            }
            // the host's
            (None, "idempotency_key") if plan.takes_key => {}
            (None, "fields") if plan.has_fields => {
                let names = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str);
                paged.fields = Fields::new(names.map(str::to_owned).collect());
            }
            _ => {
                admitted.insert(name, value);
            }
        }
    }
    fillings(plan, &admitted)?;
    paged.all = plan.is_list && admitted.get("all") == Some(&Value::Bool(true));
    paged.decides = admitted
        .iter()
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect();
    paged.decides.sort();
    Ok((admitted, paged))
}

/// Of an argument and those that stand in for it a call has one, where it needs it.
fn fillings(plan: &Plan, arguments: &Map<String, Value>) -> Result<(), BackendError> {
    for argument in &plan.arguments {
        let fills = |other: &&ArgumentPlan| other.fills.as_ref() == Some(&argument.name);
        let others = || plan.arguments.iter().filter(fills).map(|other| &other.name);
        let passed: Vec<&String> = std::iter::once(&argument.name)
            .chain(others())
            .filter(|name| arguments.contains_key(*name))
            .collect();
        let (first, others) = match (others().next(), passed.as_slice()) {
            (Some(other), []) if argument.required => {
                let message = format!("`{other}` or `{}` is required.", argument.name);
                return Err(BackendError::caller(message));
            }
            (Some(_), [first, others @ ..]) => (first, others),
            _ => continue,
        };
        if let Some(other) = others.first() {
            let message = format!("`{first}` and `{other}` name the same thing: pass one of them.");
            return Err(BackendError::caller(message));
        }
    }
    Ok(())
}

/// A date in any of the forms of ISO 8601 as `YYYY-MM-DD`.
fn date(name: &str, value: Value) -> Result<Value, BackendError> {
    let Value::String(text) = &value else {
        return Ok(value);
    };
    let text = text.trim();
    let plain = || {
        text.parse::<jiff::civil::Date>()
            .ok()
            .filter(|_| matches!(text.len(), 8 | 10))
    };
    let week = || {
        text.parse::<jiff::civil::ISOWeekDate>()
            .ok()
            .map(|week| week.date())
    };
    match week().or_else(plain) {
        Some(date) => Ok(date.to_string().into()),
        None => Err(BackendError::caller(format!(
            "{name} must be in YYYY-MM-DD format, such as 2026-11-21"
        ))),
    }
}

/// `$args` before lookups.
pub(super) fn with_defaults(plan: &Plan, mut arguments: Map<String, Value>) -> Val {
    for argument in &plan.arguments {
        if let Some(default) = &argument.default {
            arguments
                .entry(argument.name.clone())
                .or_insert_with(|| default.clone());
        }
    }
    jq::from_json(&Value::Object(arguments))
}

impl Paged {
    /// What is wanted of the tool's list.
    pub(super) fn wanted(&self, tool: &str, pages: &Pages, keeps_records: bool) -> WantedItems {
        let decides = self
            .decides
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        let limit = if self.all {
            pages.paging.cap
        } else {
            self.limit.unwrap_or(DEFAULT_LIMIT)
        };
        WantedItems {
            limit: limit.min(pages.paging.cap),
            cursor: self.cursor.clone(),
            binding: Some(CursorBinding::to(std::iter::once(tool).chain(decides))),
            is_whole: self.all,
            keeps_records,
            fields: self.fields.clone(),
        }
    }
}

impl StepsRun<'_> {
    /// Names of these arguments become ids in `$args`.
    pub(super) async fn lookups(&mut self, places: &[usize]) -> Result<(), BackendError> {
        let inner = self.inner;
        for argument in places
            .iter()
            .filter_map(|place| self.plan.arguments.get(*place))
        {
            let args = self.variables.get(Variable::Args).clone();
            let (Some(resolve), Some(value)) = (&argument.lookup, jq::get(&args, &argument.name))
            else {
                continue;
            };
            let Some(known) = inner
                .compiled()
                .lookups
                .get(resolve.lookup)
                .filter(|_| *value != Val::Null)
            else {
                continue;
            };
            let scope = match &resolve.within {
                Some(within) => values::one(inner, within, &Held::Nothing, &self.variables).await?,
                None => Val::Null,
            };
            let missing = resolve.within.is_some() && scope == Val::Null;
            let needs = resolve.needs.as_deref().filter(|_| missing);
            let id = match value {
                Val::Arr(list) => {
                    let mut ids = Vec::with_capacity(list.len());
                    for value in list.iter() {
                        let name = &argument.name;
                        ids.push(self.resolved(name, known, value, &scope, needs).await?);
                    }
                    ids.into_iter().collect()
                }
                value => {
                    let name = &argument.name;
                    self.resolved(name, known, value, &scope, needs).await?
                }
            };
            if let Val::Obj(map) = args {
                let mut map = Arc::unwrap_or_clone(map);
                if let Some(fills) = &argument.fills {
                    map.insert(Val::utf8_str(fills.clone()), id.clone());
                }
                map.insert(Val::utf8_str(argument.name.clone()), id);
                self.variables.set(Variable::Args, Val::obj(map));
            }
        }
        Ok(())
    }

    /// The id of one name.
    async fn resolved(
        &mut self,
        argument: &str,
        lookup: &LookupPlan,
        value: &Val,
        scope: &Val,
        needs: Option<&str>,
    ) -> Result<Val, BackendError> {
        let sought = SoughtName {
            argument,
            lookup,
            value,
            scope: scope.clone(),
            needs,
            changes: self.plan.writes,
            fencing: self.inner.fencing,
        };
        let found = lookup::resolve(self.inner, &sought, &self.variables).await?;
        let taken = found.taken.map(|taken| (argument.to_owned(), taken));
        self.taken.extend(taken);
        Ok(found.id)
    }
}
