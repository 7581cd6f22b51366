//! Tools described one by one: arguments, steps, result. They read.

use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::filters::Filters;
use super::name;
use crate::connector::{Action, Annotations, Does, Step, Steps, Tool};
use crate::definition::{self, Argument, ArgumentKind, Definition, Effect};
use crate::jq;
use crate::place::Placed;
use crate::problem::Found;

/// Steps that a tool may have.
const MAX_STEPS: usize = 50;

pub(super) fn settle<'d>(definition: &'d Definition, filters: &mut Filters<'d>, found: &mut Found) -> Vec<Placed<Tool>> {
    let mut tools = Vec::new();
    for tool in &definition.tools {
        let part = &tool.name.value;
        name(&tool.name, part, found);
        if tool.effect.value != Effect::Read {
            let hint = "a tool described step by step has `effect: read`; models make the tools that write";
            found.add_with_hint(tool.effect.place, part, "this tool may only read", hint);
        }
        if tool.steps.is_empty() || tool.steps.len() > MAX_STEPS {
            found.add(tool.name.place, part, format!("a tool has 1 to {MAX_STEPS} steps, this one has {}", tool.steps.len()));
        }
        for alias in &tool.aliases {
            if alias.value.is_empty() || !alias.value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
                found.add(alias.place, part, format!("`{}` is not an alias: letters, digits, `_`, `-` and `.`", alias.value));
            }
        }
        for (argument, rules) in tool.input.iter() {
            check_argument(argument, rules, part, found);
        }
        let value = settle_one(definition, tool, filters, found);
        tools.push(Placed { value, place: tool.name.place });
    }
    tools
}

fn settle_one<'d>(definition: &'d Definition, tool: &'d definition::Tool, filters: &mut Filters<'d>, found: &mut Found) -> Tool {
    let mut steps = Vec::new();
    let mut before: Vec<&str> = Vec::new();
    for (index, written) in tool.steps.iter().enumerate() {
        let part = format!("{}.steps[{index}]", tool.name.value);
        let step = &written.value;
        for (key, filter) in step.query.iter() {
            check_steps(filter, &before, &format!("{part}.query.{}", key.value), filters, found);
        }
        let does = match (&step.get, &step.value) {
            (Some(path), None) => {
                let query = step
                    .query
                    .iter()
                    .map(|(key, filter)| (key.value.clone(), filters.add(filter, format!("{part}.query.{}", key.value))));
                let query = query.collect();
                path_template(definition, tool, path, &before, &part, filters, found).map(|path| Does::Get { path, query })
            }
            (None, Some(filter)) => {
                check_steps(filter, &before, &format!("{part}.let"), filters, found);
                if !step.query.is_empty() {
                    found.add(written.place, part.clone(), "`let` sends nothing, so it has no `query`");
                }
                Some(Does::Let(filters.add(filter, format!("{part}.let"))))
            }
            _ => {
                found.add(written.place, part.clone(), "a step has exactly one of `get` and `let`");
                None
            }
        };
        if let Some(name) = &step.name {
            super::name(name, &part, found);
            if before.contains(&name.value.as_str()) {
                found.add(name.place, part, format!("there is a step `{}` already", name.value));
            }
            before.push(&name.value);
        }
        steps.extend(does.map(|does| Step { name: step.name.as_ref().map(|name| name.value.clone()), does }));
    }
    let result = tool.result.as_ref().map(|filter| {
        let part = format!("{}.result", tool.name.value);
        check_steps(filter, &before, &part, filters, found);
        filters.add(filter, part)
    });
    let defaults = tool.input.iter().filter_map(|(name, argument)| Some((name.value.clone(), argument.default.clone()?)));
    Tool {
        name: tool.name.value.clone(),
        aliases: tool.aliases.iter().map(|alias| alias.value.clone()).collect(),
        title: tool.title.clone(),
        description: tool.description.clone(),
        effect: Effect::Read,
        input_schema: schema(tool),
        nullable: Vec::new(),
        annotations: Annotations { read_only: true, destructive: false, idempotent: true, open_world: true },
        action: Action::Steps(Arc::new(Steps { steps, result, defaults: defaults.collect() })),
    }
}

/// A step may only be named after it ran.
fn check_steps(filter: &Placed<String>, before: &[&str], part: &str, filters: &Filters<'_>, found: &mut Found) {
    for name in jq::steps_named(&filter.value) {
        if !before.contains(&name.as_str()) {
            let place = filters.place(filter, filter.value.find(&format!("$steps.{name}")).unwrap_or_default());
            found.add(place, part, format!("there is no step `{name}` before this"));
        }
    }
}

fn path_template(
    definition: &Definition,
    tool: &definition::Tool,
    path: &Placed<String>,
    before: &[&str],
    part: &str,
    filters: &Filters<'_>,
    found: &mut Found,
) -> Option<crate::template::Template> {
    let template = filters.template(path, part, found)?;
    if !template.head().starts_with('/') || template.head().starts_with("//") {
        found.add_with_hint(
            path.place,
            part,
            format!("`{}` is not a path", path.value),
            "it goes under `base` and starts with one `/`",
        );
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%:@!$&'()*+,;=".contains(&b);
    let dots = path.value.split('/').any(|segment| matches!(segment, "." | ".."));
    if dots || !template.literals().all(|text| text.bytes().all(plain)) {
        let hint = "no `?`, `#`, `.` or `..`; parameters go into `query`";
        found.add_with_hint(path.place, part, format!("`{}` is not a plain path", path.value), hint);
    }
    for name in template.names() {
        let problem = match name.split_once('.') {
            None if tool.input.get(name).is_some() => None,
            None => Some(format!("there is no argument `{name}`")),
            Some(("settings", setting)) => match definition.settings.get(setting) {
                Some(setting) if !setting.secret => None,
                Some(_) => Some(format!("`{setting}` is a secret; only headers may carry it")),
                None => Some(format!("there is no setting `{setting}`")),
            },
            Some(("steps", step)) => {
                let step = step.split('.').next().unwrap_or_default();
                (!before.contains(&step)).then(|| format!("there is no step `{step}` before this"))
            }
            Some(_) => Some(format!("there is no `{name}`")),
        };
        if let Some(problem) = problem {
            let byte = path.value.find(&format!("{{{name}}}")).unwrap_or_default();
            found.add(filters.place(path, byte), part, problem);
        }
    }
    Some(template)
}

fn check_argument(key: &Placed<String>, argument: &Argument, tool: &str, found: &mut Found) {
    let part = format!("{tool}.input.{}", key.value);
    name(key, &part, found);
    let is_number = matches!(argument.kind, ArgumentKind::Integer | ArgumentKind::Number);
    if (argument.minimum.is_some() || argument.maximum.is_some()) && !is_number {
        found.add(key.place, part.clone(), "only a number has `minimum` and `maximum`");
    }
    if (argument.max_length.is_some() || argument.choices.is_some()) && argument.kind != ArgumentKind::String {
        found.add(key.place, part.clone(), "only a string has `maxLength` and `enum`");
    }
    if argument.required && argument.default.is_some() {
        found.add(key.place, part.clone(), "has a default and is required: it can be only one of the two");
    }
    if let Some(default) = &argument.default {
        let fits = match argument.kind {
            ArgumentKind::String => default.is_string(),
            ArgumentKind::Integer => default.is_i64() || default.is_u64(),
            ArgumentKind::Number => default.is_number(),
            ArgumentKind::Boolean => default.is_boolean(),
        };
        if !fits {
            found.add(key.place, part, format!("the default {default} does not fit `type`"));
        }
    }
}

fn schema(tool: &definition::Tool) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, argument) in tool.input.iter() {
        let mut property = Map::new();
        property.insert("type".into(), json!(argument.kind));
        let mut add = |key: &str, value: Option<Value>| value.map(|value| property.insert(key.to_owned(), value));
        add("enum", argument.choices.as_ref().map(|choices| json!(choices)));
        add("minimum", argument.minimum.map(number));
        add("maximum", argument.maximum.map(number));
        add("maxLength", argument.max_length.map(Value::from));
        add("default", argument.default.clone());
        add("description", Some(argument.description.clone().into()));
        properties.insert(name.value.clone(), property.into());
        if argument.required {
            required.push(name.value.as_str());
        }
    }
    let mut schema = json!({"type": "object", "properties": properties});
    if let Some(schema) = schema.as_object_mut() {
        if !required.is_empty() {
            schema.insert("required".into(), required.into());
        }
        schema.insert("additionalProperties".into(), false.into());
    }
    schema
}

/// Whole numbers without a fraction.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}
