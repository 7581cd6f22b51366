//! What is known of a tool before it is called: the fields of its rows, its arguments, the one that
//! is an id.

use serde_json::Value;

use crate::connector::{Action, ConnectorTool};
use crate::definition::{self, Definition};
use crate::jq::{self, Glue};

/// What a result has, as far as the file says it.
pub(super) struct RowForm {
    /// The fields of a row.
    row: Option<Vec<String>>,
    /// What stands at the top of the result.
    top: Option<Vec<String>>,
    /// What `fields` may name.
    fields: Option<Vec<String>>,
}

impl RowForm {
    pub(super) fn of(definition: &Definition, tool: &ConnectorTool) -> Self {
        let list = ["items", "total_count", "truncated", "next_cursor", "note"];
        let list = || Some(list.map(str::to_owned).to_vec());
        if let Action::List(model) | Action::Read(model) = &tool.action {
            let row = Some(model.item_keys.clone());
            let is_list = matches!(tool.action, Action::List(_));
            let top = if is_list { list() } else { row.clone() };
            return Self {
                fields: None,
                row,
                top,
            };
        }
        let mut written = definition.tools.iter();
        let Some(written) = written.find(|written| written.name.value == tool.name) else {
            return Self {
                row: None,
                top: None,
                fields: None,
            };
        };
        let fields_of = |name: &str| {
            let shape = definition.shapes.get(name)?;
            Some(shape.keys().map(str::to_owned).collect::<Vec<_>>())
        };
        let output = written.output.as_ref();
        let output = output.and_then(|output| fields_of(&output.value));
        let mut lists = written
            .steps
            .iter()
            .filter(|step| step.value.pages.is_some());
        let rows = match (lists.next(), lists.next()) {
            (Some(only), None) => only.value.row.as_ref(),
            _ => None,
        };
        let rows = rows.and_then(|row| fields_of(&row.value));
        let steps = &written.steps;
        let is_list = steps.last().is_some_and(|step| step.value.pages.is_some());
        let result_keys = written.result.as_ref().and_then(|result| {
            let form = jq::form::of_filter(&result.value);
            let keys = form.get("properties")?.as_object()?.keys();
            Some(keys.cloned().collect::<Vec<_>>())
        });
        let top = match (&output, is_list) {
            (_, true) => list().filter(|_| written.result.is_none()),
            (Some(_), false) => output.clone(),
            (None, false) => result_keys,
        };
        let of_rows = rows.or_else(|| output.clone());
        let fields = match tool_takes_fields(written) {
            true if is_list || output.is_none() => of_rows.clone(),
            true => output,
            false => None,
        };
        Self {
            row: of_rows,
            top,
            fields,
        }
    }

    pub(super) fn row(&self) -> Option<&Vec<String>> {
        self.row.as_ref()
    }

    pub(super) fn top(&self) -> Option<&Vec<String>> {
        self.top.as_ref()
    }

    pub(super) fn fields(&self) -> Option<&Vec<String>> {
        self.fields.as_ref()
    }
}

fn tool_takes_fields(written: &definition::ToolDefinition) -> bool {
    written.fields
}

/// The arguments that a tool lists.
pub(super) fn properties(tool: &ConnectorTool) -> Vec<String> {
    names(&tool.input_schema)
}

fn names(schema: &Value) -> Vec<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flat_map(|properties| properties.keys().cloned())
        .collect()
}

/// The same, and what is inside those that are objects, with dots.
pub(super) fn paths(tool: &ConnectorTool) -> Vec<String> {
    let mut paths = properties(tool);
    let properties = tool.input_schema.get("properties");
    for (name, inner) in properties.and_then(Value::as_object).into_iter().flatten() {
        paths.extend(names(inner).into_iter().map(|key| format!("{name}.{key}")));
    }
    paths
}

/// The scope of a lookup as an argument of the tool has it.
pub(super) fn scope_of(tool: &ConnectorTool, lookup: usize) -> Option<Glue> {
    let Action::Steps(plan) = &tool.action else {
        return None;
    };
    let mut resolved = plan.arguments.iter().filter_map(|one| one.lookup.as_ref());
    let resolved = resolved.find(|resolve| resolve.lookup == lookup)?;
    resolved.within.clone()
}

/// The argument that takes the id of the record which a tool changes.
pub(super) fn id_argument(
    tool: &ConnectorTool,
    written: Option<&definition::ToolDefinition>,
) -> Option<String> {
    let known = properties(tool);
    let changes = written
        .into_iter()
        .flat_map(|written| written.changes.iter());
    let mut named = changes.filter_map(|(_, filter)| {
        let glue = Glue::of_format(&filter.value);
        glue.argument().map(str::to_owned)
    });
    named
        .find(|name| known.contains(name))
        .or_else(|| known.contains(&"id".to_owned()).then(|| "id".to_owned()))
}
