//! Arguments of a tool: their rules, their JSON Schema, and the order in which their names become
//! ids.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::compilation::Compilation;
use super::super::scope::FilterScope;
use crate::connector;
use crate::definition::{Argument, JsonType, ToolDefinition};
use crate::fence::cut;
use crate::jq::{self, Variable};
use crate::place::Placed;

/// Forms of a text that arguments may have.
const FORMATS: [&str; 5] = ["date", "date-time", "uuid", "email", "uri"];
/// Arguments that are added to lists, and to tools with `fields`, `idempotency_key`, `confirm` or
/// `text_from`.
pub(super) const OWN: [&str; 6] = [
    "limit",
    "cursor",
    "fields",
    "idempotency_key",
    "confirm",
    cut::ARGUMENT,
];

pub(super) struct DeclaredArguments<'d> {
    pub(super) list: Vec<connector::ArgumentPlan>,
    /// Places of those with a lookup: first the ones that need no `$before`.
    pub(super) first: Vec<usize>,
    pub(super) later: Vec<usize>,
    /// Names of the latter.
    pub(super) resolved_later: Vec<&'d str>,
}

impl<'d> Compilation<'d> {
    pub(super) fn arguments(&mut self, tool: &'d ToolDefinition) -> DeclaredArguments<'d> {
        let part = |key: &str| format!("{}.input.{key}", tool.name.value);
        let looked_up: Vec<&str> = tool
            .input
            .iter()
            .filter(|(_, a)| a.lookup.is_some())
            .map(|(key, _)| key.value.as_str())
            .collect();
        let order = self.lookup_order(tool, &looked_up);
        let mut all: BTreeSet<&str> = BTreeSet::new();
        let mut list = Vec::new();
        for (key, argument) in tool.input.iter() {
            let part = part(&key.value);
            self.check_argument(key, argument, &part);
            for word in std::iter::once(key).chain(&argument.aliases) {
                if !all.insert(&word.value) {
                    self.found.add(
                        word.place,
                        part.clone(),
                        format!("there is more than one argument called `{}`", word.value),
                    );
                }
            }
            let lookup = argument.lookup.as_ref().and_then(|wanted| {
                let at = self
                    .definition
                    .lookups
                    .keys()
                    .position(|name| name == wanted.value);
                if at.is_none() {
                    self.found.add(
                        wanted.place,
                        part.clone(),
                        format!("there is no lookup `{}`", wanted.value),
                    );
                }
                let needs = argument
                    .within
                    .iter()
                    .flat_map(|within| jq::uses(&within.value));
                let needs = needs
                    .filter(|used| used.variable == Variable::Args)
                    .find_map(|used| used.key);
                let scope = FilterScope::of_tool(
                    self.definition,
                    tool,
                    if tool.before.is_some() {
                        &[Variable::Args, Variable::Given, Variable::Before]
                    } else {
                        &[Variable::Args, Variable::Given]
                    },
                );
                let within = argument
                    .within
                    .as_ref()
                    .map(|within| self.filter(within, &format!("{part}.within"), &scope));
                Some(connector::Resolve {
                    lookup: at?,
                    within,
                    needs,
                })
            });
            if let Some(within) = argument
                .within
                .as_ref()
                .filter(|_| argument.lookup.is_none())
            {
                self.found.add(
                    within.place,
                    part.clone(),
                    "`within` is the scope of a `lookup`",
                );
            }
            list.push(connector::ArgumentPlan {
                name: key.value.clone(),
                aliases: argument
                    .aliases
                    .iter()
                    .map(|alias| alias.value.clone())
                    .collect(),
                default: argument.default.clone(),
                clear: argument.clear,
                is_date: argument
                    .format
                    .as_ref()
                    .is_some_and(|format| format.value == "date"),
                lookup,
                read: argument.read.as_ref().map(|read| {
                    self.filter(
                        read,
                        &format!("{part}.read"),
                        &FilterScope::of_names(self.definition, Vec::new(), &[]),
                    )
                }),
                fills: argument.fills.as_ref().map(|fills| fills.value.clone()),
                required: argument.required,
            });
            if let Some(fills) = &argument.fills {
                self.check_filling(tool, argument, fills, &part);
            }
        }
        let place = |name: &&str| tool.input.keys().position(|key| key == *name);
        DeclaredArguments {
            list,
            first: order.first.iter().filter_map(place).collect(),
            later: order.later.iter().filter_map(place).collect(),
            resolved_later: order.later,
        }
    }
}

impl Compilation<'_> {
    /// An argument may stand in for another one of the tool, by its lookup.
    fn check_filling(
        &mut self,
        tool: &ToolDefinition,
        argument: &Argument,
        fills: &Placed<String>,
        part: &str,
    ) {
        let other = tool.input.get(&fills.value);
        let is_free = other.is_some_and(|other| other.fills.is_none() && other.default.is_none());
        if argument.lookup.is_none() || argument.required || !is_free {
            self.found.add_with_hint(
                fills.place,
                part,
                format!("cannot stand in for `{}`", fills.value),
                "`fills` is for an argument with a `lookup` that is not required; it names another \
                 argument of the tool, one without a default",
            );
        }
    }
}

struct Order<'d> {
    first: Vec<&'d str>,
    later: Vec<&'d str>,
}

impl<'d> Compilation<'d> {
    /// A lookup whose scope needs another argument's id comes after it; one that needs `$before`, after
    /// `before`.
    fn lookup_order(&mut self, tool: &'d ToolDefinition, looked_up: &[&'d str]) -> Order<'d> {
        let uses = |name: &str| {
            tool.input
                .get(name)
                .and_then(|argument| argument.within.as_ref())
                .map(|w| jq::uses(&w.value))
                .unwrap_or_default()
        };
        let needs = |name: &str| {
            let named = |used: jq::Use| used.key.filter(|_| used.variable == Variable::Args);
            uses(name)
                .into_iter()
                .filter_map(named)
                .filter(|other| looked_up.contains(&other.as_str()))
                .collect::<Vec<_>>()
        };
        let mut done: Vec<&str> = Vec::new();
        let mut left: Vec<&str> = looked_up.to_vec();
        while !left.is_empty() {
            let ready: Vec<&str> = left
                .iter()
                .copied()
                .filter(|name| {
                    needs(name)
                        .iter()
                        .all(|other| done.contains(&other.as_str()))
                })
                .collect();
            if ready.is_empty() {
                if let Some((key, _)) = tool
                    .input
                    .iter()
                    .find(|(key, _)| left.contains(&key.value.as_str()))
                {
                    let part = format!("{}.input.{}", tool.name.value, key.value);
                    self.found.add(
                        key.place,
                        part,
                        format!(
                            "its lookup and those of {} wait for each other",
                            left.join(", ")
                        ),
                    );
                }
                break;
            }
            left.retain(|name| !ready.contains(name));
            done.extend(ready);
        }
        let mut order = Order {
            first: Vec::new(),
            later: Vec::new(),
        };
        for name in done {
            let waits = uses(name)
                .iter()
                .any(|used| used.variable == Variable::Before)
                || needs(name)
                    .iter()
                    .any(|other| order.later.contains(&other.as_str()));
            if waits {
                order.later.push(name)
            } else {
                order.first.push(name)
            }
        }
        order
    }

    fn check_argument(&mut self, key: &Placed<String>, argument: &Argument, part: &str) {
        self.check_name(key, part);
        for alias in &argument.aliases {
            self.check_name(alias, part);
        }
        let is = |kinds: &[JsonType]| kinds.contains(&argument.kind);
        let mut only = |there: bool, kinds: &[JsonType], what: &str| {
            if there && !is(kinds) {
                self.found.add(key.place, part, what);
            }
        };
        let numbers = [JsonType::Integer, JsonType::Number];
        only(
            argument.minimum.is_some() || argument.maximum.is_some(),
            &numbers,
            "only a number has `minimum` and `maximum`",
        );
        let texts = argument.max_length.is_some()
            || argument.min_length.is_some()
            || argument.choices.is_some();
        let texts = texts || argument.pattern.is_some() || argument.format.is_some();
        only(
            texts,
            &[JsonType::String],
            "only a string has `minLength`, `maxLength`, `enum`, `pattern` and `format`",
        );
        let lists = argument.items.is_some()
            || argument.min_items.is_some()
            || argument.max_items.is_some();
        only(
            lists,
            &[JsonType::Array],
            "only an array has `items`, `minItems` and `maxItems`",
        );
        only(
            argument.lookup.is_some(),
            &[JsonType::String, JsonType::Integer, JsonType::Array],
            "only a string, an integer or a list of them has a `lookup`",
        );
        if argument.kind == JsonType::Array && argument.items.is_none() {
            self.found.add_with_hint(
                key.place,
                part,
                "an array needs `items`",
                "clients refuse a list that does not say what its items are",
            );
        }
        if argument.description.trim().is_empty() {
            self.found
                .add(key.place, part, "the description must not be empty");
        }
        if let Some(read) = argument.read.as_ref().filter(|_| argument.lookup.is_some()) {
            self.found.add(
                read.place,
                part,
                "has `lookup`, which says what is meant by a name, and `read`",
            );
        }
        if argument.required && argument.default.is_some() {
            self.found.add(
                key.place,
                part,
                "has a default and is required: it can be only one of the two",
            );
        }
        if argument.clear && (argument.default.is_some() || argument.required) {
            self.found.add(
                key.place,
                part,
                "null is a value for it, so it has no default and is not required",
            );
        }
        if let Some(format) = &argument.format
            && !FORMATS.contains(&format.value.as_str())
        {
            self.found.add(
                format.place,
                part,
                format!("`{}` is not one of {}", format.value, FORMATS.join(", ")),
            );
        }
        if let Some(pattern) = &argument.pattern
            && !is_regular_expression(&pattern.value)
        {
            self.found.add(
                pattern.place,
                part,
                format!("`{}` is not a regular expression", pattern.value),
            );
        }
        if let Some(default) = &argument.default {
            let fits = match argument.kind {
                JsonType::String => default.is_string(),
                JsonType::Integer => default.is_i64() || default.is_u64(),
                JsonType::Number => default.is_number(),
                JsonType::Boolean => default.is_boolean(),
                JsonType::Array => default.is_array(),
                JsonType::Object => default.is_object(),
            };
            if !fits {
                self.found.add(
                    key.place,
                    part,
                    format!("the default {default} does not fit `type`"),
                );
            }
        }
    }
}

/// The JSON Schema of a tool's arguments, with those that the engine adds.
pub(super) fn schema(tool: &ToolDefinition, list: Option<usize>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, argument) in tool.input.iter() {
        properties.insert(name.value.clone(), property(argument));
        let fills = |(_, other): (&_, &Argument)| {
            let fills = other.fills.as_ref();
            fills.is_some_and(|fills| fills.value == name.value)
        };
        if argument.required && !tool.input.iter().any(fills) {
            required.push(name.value.as_str());
        }
    }
    if let Some(most) = list {
        properties.insert(
            "limit".into(),
            json!({"type": "integer", "minimum": 1, "maximum": most, "description": "Most items of one page."}),
        );
        properties.insert(
            "cursor".into(),
            json!({"type": "string", "description": "next_cursor of the page before, with the same other arguments."}),
        );
    }
    if tool.fields {
        properties.insert(
            "fields".into(),
            json!({"type": "array", "items": {"type": "string"}, "maxItems": 50, "description": "Fields to return; the backend's own names work too."}),
        );
    }
    if tool.text_from {
        let (name, schema) = text_from();
        properties.insert(name.into(), schema);
    }
    if tool.idempotency_key {
        properties.insert(
            "idempotency_key".into(),
            json!({"type": "string", "description": "Repeats with this key change nothing."}),
        );
    }
    of_arguments(properties, required)
}

/// The schema of arguments: these and no others.
pub(in crate::compile) fn of_arguments(
    properties: Map<String, Value>,
    required: Vec<&str>,
) -> Value {
    let required = (!required.is_empty()).then(|| ("required", Value::from(required)));
    let schema = [
        ("type", Value::from("object")),
        ("properties", properties.into()),
    ];
    let closed = ("additionalProperties", Value::from(false));
    schema.into_iter().chain(required).chain([closed]).collect()
}

/// The argument that shows long texts whole, or on from where they were cut.
pub(super) fn text_from() -> (&'static str, Value) {
    (
        cut::ARGUMENT,
        json!({"type": "integer", "description": "Show long texts from here; 0: all"}),
    )
}

/// The argument of a list whose rows have no choice of fields: `shape` says what they can have.
pub(in crate::compile) fn shape_alone() -> (&'static str, Value) {
    (
        "fields",
        json!({"type": "array", "items": {"type": "string", "enum": ["shape"]}, "description": "shape: what rows can have"}),
    )
}

fn property(argument: &Argument) -> Value {
    let mut property = Map::new();
    property.insert("type".into(), json!(argument.kind));
    let mut add =
        |key: &str, value: Option<Value>| value.map(|value| property.insert(key.to_owned(), value));
    add("items", argument.items.as_ref().map(|items| json!(items)));
    add(
        "enum",
        argument.choices.as_ref().map(|choices| json!(choices)),
    );
    add("minimum", argument.minimum.map(number));
    add("maximum", argument.maximum.map(number));
    add("minLength", argument.min_length.map(Value::from));
    add("maxLength", argument.max_length.map(Value::from));
    add(
        "pattern",
        argument
            .pattern
            .as_ref()
            .map(|pattern| pattern.value.clone().into()),
    );
    add(
        "format",
        argument
            .format
            .as_ref()
            .map(|format| format.value.clone().into()),
    );
    add("minItems", argument.min_items.map(Value::from));
    add("maxItems", argument.max_items.map(Value::from));
    add("default", argument.default.clone());
    add("description", Some(argument.description.clone().into()));
    property.into()
}

/// Whole numbers without a fraction.
fn number(value: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and small"
    )]
    if value.fract() == 0.0 && value.abs() < 9e15 {
        Value::from(value as i64)
    } else {
        Value::from(value)
    }
}

/// Whether a pattern is a regular expression. Most are of plain signs, and need no schema to be
/// built of them, nor the meta-schema that it would be held against.
fn is_regular_expression(pattern: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b" _-.^$[]()+*?{},|/:@#".contains(&byte);
    let is_repeated = |pair: &[u8]| pair.iter().all(|byte| b"*+?{}".contains(byte));
    let is_short = pattern.len() <= 100 && pattern.bytes().all(is_plain);
    // one group may be repeated a few times; more could grow beyond what the engine takes
    let repeated_groups = pattern.matches("){").count();
    let most_digits = if repeated_groups == 0 { 2 } else { 1 };
    let is_large =
        |part: &str| part.len() > most_digits && part.bytes().all(|byte| byte.is_ascii_digit());
    let has_traps = pattern.as_bytes().windows(2).any(is_repeated)
        || pattern.split(['{', ',', '}']).any(is_large)
        || repeated_groups > 1
        || ["--", "(?"].iter().any(|trap| pattern.contains(trap));
    is_short && !has_traps && regex_syntax::parse(pattern).is_ok()
        || jsonschema::draft202012::new(&json!({ "pattern": pattern })).is_ok()
}
