//! Actions: which tool each calls, and how a request becomes arguments and a record an answer.

use http::Method;
use serde_json::{Value, json};

use super::compilation::Compilation;
use super::scope::FilterScope;
use crate::connector::{ActionInput, ConnectorTool, RestAction};
use crate::definition::{self, ActionMethod, JsonType, ToolEffect};
use crate::jq::{self, Glue};
use crate::place::Placed;

impl<'d> Compilation<'d> {
    pub(super) fn actions(&mut self, tools: &[Placed<ConnectorTool>]) -> Vec<RestAction> {
        let scope = FilterScope::new(self.definition, &[]);
        let mut actions = Vec::new();
        for (name, action) in self.definition.actions.iter() {
            let part = format!("actions.{}", name.value);
            self.check_name(name, &part);
            let tool = tools
                .iter()
                .find(|tool| tool.value.name == action.tool.value)
                .map(|tool| &tool.value);
            if tool.is_none() {
                self.found.add(
                    action.tool.place,
                    part.clone(),
                    format!("there is no tool `{}`", action.tool.value),
                );
            }
            let method = match action.method.value {
                ActionMethod::Get => Method::GET,
                ActionMethod::Post => Method::POST,
                ActionMethod::Put => Method::PUT,
                ActionMethod::Patch => Method::PATCH,
                ActionMethod::Delete => Method::DELETE,
            };
            if method == Method::GET && tool.is_some_and(|tool| tool.effect != ToolEffect::Read) {
                self.found.add(
                    action.method.place,
                    part.clone(),
                    "a tool that changes something is not called by `get`",
                );
            }
            let arguments = match (&action.args, &action.calls) {
                (Some(args), None) => self.filter(args, &format!("{part}.args"), &scope),
                (None, Some(calls)) => self.filter(calls, &format!("{part}.calls"), &scope),
                _ => {
                    self.found.add(
                        name.place,
                        part.clone(),
                        "an action has exactly one of `args` and `calls`",
                    );
                    Glue::literal(jaq_json::Val::Null)
                }
            };
            let command = action.command.as_ref().map_or_else(
                || name.value.replace('_', "-"),
                |command| command.value.clone(),
            );
            if let Some(command) = action
                .command
                .as_ref()
                .filter(|command| !is_command(&command.value))
            {
                let hint = "letters, digits and `-`, all in lower case, the first a letter";
                self.found.add_with_hint(
                    command.place,
                    part.clone(),
                    format!("`{}` is not the name of a command", command.value),
                    hint,
                );
            }
            if let Some(other) = actions
                .iter()
                .find(|other: &&RestAction| other.command == command)
            {
                self.found.add(
                    name.place,
                    part.clone(),
                    format!("its command `{command}` is that of {}, too", other.name),
                );
            }
            actions.push(RestAction {
                name: name.value.clone(),
                method,
                tool: action.tool.value.clone(),
                description: action
                    .description
                    .clone()
                    .or_else(|| tool.map(|tool| tool.description.clone()))
                    .unwrap_or_default(),
                command,
                input: tool
                    .map(|tool| self.action_inputs(action, tool, &part))
                    .unwrap_or_default(),
                answer: self.action_answer(action, &part),
                arguments,
                is_several: action.calls.is_some(),
                result: action
                    .result
                    .as_ref()
                    .map(|result| self.filter(result, &format!("{part}.result"), &scope)),
            });
        }
        actions
    }

    /// What the answer is: as its filter says, and the table of types beside it.
    fn action_answer(&mut self, action: &definition::RestActionDefinition, part: &str) -> Value {
        let mut answer = action
            .result
            .as_ref()
            .map_or_else(|| json!({}), |result| jq::form::of_filter(&result.value));
        for (name, written) in action.types.iter() {
            let part = format!("{part}.types.{}", name.value);
            let types: Vec<&str> = written.value.split(" or ").map(str::trim).collect();
            if let Some(unknown) = types.iter().find(|kind| !TYPES.contains(kind)) {
                let hint = format!("it is one of {}, or several with `or`", TYPES.join(", "));
                self.found.add_with_hint(
                    written.place,
                    part.clone(),
                    format!("`{unknown}` is no type"),
                    hint,
                );
            }
            let schema = match types.as_slice() {
                [one] => json!({ "type": one }),
                several => json!({ "type": several }),
            };
            if !fill_type(&mut answer, &name.value, &schema) {
                self.found.add(
                    name.place,
                    part,
                    format!(
                        "the result has no key `{}` whose type is not known",
                        name.value
                    ),
                );
            }
        }
        answer
    }
}

/// Types of values in an answer.
const TYPES: [&str; 7] = [
    "string", "integer", "number", "boolean", "array", "object", "null",
];

/// Puts the schema where a key of that name has none; whether there was one.
fn fill_type(form: &mut Value, name: &str, schema: &Value) -> bool {
    let Some(form) = form.as_object_mut() else {
        return false;
    };
    let mut any = false;
    if let Some(properties) = form.get_mut("properties").and_then(Value::as_object_mut) {
        for (key, value) in properties {
            if key == name && value.as_object().is_some_and(serde_json::Map::is_empty) {
                value.clone_from(schema);
                any = true;
            } else {
                any |= fill_type(value, name, schema);
            }
        }
    }
    form.get_mut("items")
        .is_some_and(|items| fill_type(items, name, schema))
        || any
}

fn is_command(name: &str) -> bool {
    let letters = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    letters && name.starts_with(|first: char| first.is_ascii_lowercase())
}

impl<'d> Compilation<'d> {
    /// What a request may carry: as the tool's arguments say, and the file beside them.
    fn action_inputs(
        &mut self,
        action: &definition::RestActionDefinition,
        tool: &ConnectorTool,
        part: &str,
    ) -> Vec<ActionInput> {
        let written = self
            .definition
            .tools
            .iter()
            .find(|written| written.name.value == tool.name);
        let mut inputs = Vec::new();
        for (name, input) in action.input.iter() {
            let part = format!("{part}.input.{}", name.value);
            self.check_name(name, &part);
            let argument = input
                .argument
                .as_ref()
                .map_or(&name.value, |argument| &argument.value);
            let known = tool
                .input_schema
                .get("properties")
                .and_then(|properties| properties.get(argument));
            match (known, &input.argument, input.kind) {
                (None, Some(argument), _) => {
                    self.found.add(
                        argument.place,
                        part,
                        format!("the tool has no argument `{}`", argument.value),
                    );
                }
                (None, None, None) => {
                    let what = format!("the tool has no argument `{}`", name.value);
                    self.found.add_with_hint(
                        name.place,
                        part,
                        what,
                        "name one by `argument`, or say the `type`",
                    );
                }
                _ => {}
            }
            let mut schema = known
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            let lookup = written
                .and_then(|written| written.input.get(argument))
                .is_some_and(|argument| argument.lookup.is_some());
            let kind = match input.kind {
                Some(kind) => Some(json!(kind)),
                // who has the id says the id
                None => lookup.then(|| json!([JsonType::Integer, JsonType::String])),
            };
            if let Some(kind) = kind {
                let is_list = input.kind == Some(JsonType::Array);
                schema.retain(|key, _| key == "description" || (key == "items" && is_list));
                schema.insert("type".to_owned(), kind);
                if is_list {
                    schema
                        .entry("items")
                        .or_insert_with(|| json!({ "type": "string" }));
                }
            }
            if let Some(description) = &input.description {
                schema.insert("description".to_owned(), json!(description));
            }
            let may_be_null = action.method.value != ActionMethod::Get
                && tool.nullable.iter().any(|name| name == argument);
            if input.clear.unwrap_or(may_be_null) {
                let mut types = match schema.remove("type") {
                    Some(Value::Array(types)) => types,
                    one => one.into_iter().collect(),
                };
                types.push(json!("null"));
                schema.insert("type".to_owned(), types.into());
            }
            inputs.push(ActionInput {
                name: name.value.clone(),
                schema: schema.into(),
                required: input.required,
            });
        }
        inputs
    }
}
