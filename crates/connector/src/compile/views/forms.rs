//! The tools that a page offers beside a board: those that read, change and make a card.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::held::properties;
use crate::connector::{Action, ConnectorTool, FormTool, Model, MoveTool, OpenTool};
use crate::definition::{Definition, ToolEffect};
use crate::place::Placed;

/// Arguments that are no field of a card.
const NO_FIELDS: [&str; 2] = ["version", "idempotency_key"];

/// A tool as a form; what stands in for its id is no field.
pub(super) fn form(tool: &ConnectorTool, id: Option<String>) -> FormTool {
    let filling = match &tool.action {
        Action::Steps(plan) => plan
            .arguments
            .iter()
            .filter_map(|argument| {
                let fills = argument.fills.as_ref()?;
                (Some(fills) == id.as_ref()).then_some(argument)
            })
            .collect(),
        _ => Vec::new(),
    };
    let is_filling = |name: &String| {
        let scope = |within: &crate::connector::Resolve| within.needs.as_ref() == Some(name);
        filling
            .iter()
            .any(|argument| argument.name == *name || argument.lookup.as_ref().is_some_and(scope))
    };
    let listed = tool.input_schema.get("properties");
    let listed = listed.and_then(Value::as_object).into_iter().flatten();
    let fields: Map<String, Value> = listed
        .filter(|(name, _)| Some(*name) != id.as_ref())
        .filter(|(name, _)| !NO_FIELDS.contains(&name.as_str()) && !is_filling(name))
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    let required = tool.input_schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    let required = required
        .filter(|name| fields.contains_key(*name))
        .map(str::to_owned)
        .collect();
    FormTool {
        tool: tool.name.clone(),
        id,
        fields,
        required,
        taken: Vec::new(),
        column: None,
    }
}

/// The tool that reads one row of a model.
pub(super) fn model_opener(
    list: &ConnectorTool,
    tools: &[Placed<ConnectorTool>],
) -> Option<OpenTool> {
    let Action::List(model) = &list.action else {
        return None;
    };
    let mut all = tools.iter().map(|tool| &tool.value);
    let reads =
        |tool: &&ConnectorTool| matches!(&tool.action, Action::Read(of) if Arc::ptr_eq(of, model));
    all.find(reads).map(|tool| OpenTool {
        tool: tool.name.clone(),
        id: "id".to_owned(),
        arguments: Map::new(),
    })
}

/// The tool that makes a row of a model. What a person chose for the board, the row has too.
pub(super) fn model_maker<'a>(
    model: &Arc<Model>,
    asked: impl Iterator<Item = &'a str>,
    group: Option<&str>,
    tools: &[Placed<ConnectorTool>],
) -> Option<FormTool> {
    let mut all = tools.iter().map(|tool| &tool.value);
    let makes = |tool: &&ConnectorTool| matches!(&tool.action, Action::Create(of) if Arc::ptr_eq(of, model));
    let tool = all.find(makes)?;
    let known = properties(tool);
    let taken = asked.filter_map(|path| {
        let name = path.strip_prefix("filter.")?.to_owned();
        known.contains(&name).then(|| (name, path.to_owned()))
    });
    Some(FormTool {
        taken: taken.collect(),
        ..in_column(form(tool, None), group)
    })
}

/// The tool that makes what another one changes. What both call by the same name and look up alike,
/// such as the project, it takes of the board's call.
pub(super) fn step_maker(
    definition: &Definition,
    list: &ConnectorTool,
    mover: &MoveTool,
    group: Option<&str>,
    tools: &[Placed<ConnectorTool>],
) -> Option<FormTool> {
    let written = |name: &str| {
        let mut all = definition.tools.iter();
        all.find(|tool| tool.name.value == name)
    };
    let changed = written(&mover.tool)?.changes.keys().next()?;
    let mut makers = definition.tools.iter().filter(|tool| {
        let makes = &tool.makes.0;
        tool.effect.value == ToolEffect::Write
            && matches!(makes.as_slice(), [only] if only.value == changed)
    });
    let maker = makers.next()?;
    let mut all = tools.iter().map(|tool| &tool.value);
    let tool = all.find(|tool| tool.name == maker.name.value)?;
    let lookup = |tool: &crate::definition::ToolDefinition, name: &str| {
        let lookup = tool.input.get(name)?.lookup.as_ref()?;
        Some(lookup.value.clone())
    };
    let read = written(&list.name)?;
    let common = maker.input.keys().filter(|name| {
        let (own, others) = (lookup(maker, name), lookup(read, name));
        own.is_some() && own == others && Some(*name) != group
    });
    let taken = common.map(|name| (name.to_owned(), name.to_owned()));
    Some(FormTool {
        taken: taken.collect(),
        ..in_column(form(tool, None), group)
    })
}

/// The form with the argument that says the column, where it has one.
fn in_column(form: FormTool, group: Option<&str>) -> FormTool {
    let column = group.filter(|group| form.fields.contains_key(*group));
    FormTool {
        column: column.map(str::to_owned),
        ..form
    }
}
