//! Tools of models: up to five for each, in the order list, read, create, update, delete.

use std::sync::Arc;
use std::time::Duration;

use super::{FIELD_PREFIX, inputs};
use crate::compile::compilation::Compilation;
use crate::compile::tools::arguments::shape_alone;
use crate::connector::{Action, Annotations, ConnectorTool, Model, ModelOperation};
use crate::definition::{ModelTitles, ToolEffect};
use crate::place::Placed;

/// Order of the tools of a model.
const ORDER: [ModelOperation; 5] = [
    ModelOperation::List,
    ModelOperation::Read,
    ModelOperation::Create,
    ModelOperation::Update,
    ModelOperation::Delete,
];

impl<'d> Compilation<'d> {
    /// The tools of the models, which are in the order of the file.
    pub(in crate::compile) fn model_tools(
        &mut self,
        models: &[Arc<Model>],
    ) -> Vec<Placed<ConnectorTool>> {
        let mut tools = Vec::new();
        for ((key, table), model) in self.definition.models.iter().zip(models) {
            let part = format!("models.{}", key.value);
            self.check_icon(table.icon.as_ref(), Some(&part));
            let group = table.group.as_ref().map(|group| group.value.clone());
            let is_listed = group
                .as_ref()
                .and_then(|group| self.definition.groups.get(group));
            let is_listed = is_listed.copied().unwrap_or(true);
            for op in ORDER {
                if !model.operations.contains(&op) {
                    continue;
                }
                let plain = tool(op, model);
                let tool = ConnectorTool {
                    title: table.titles.of(op).unwrap_or(plain.title),
                    icon: table.icon.as_ref().map(|icon| icon.value.clone()),
                    group: group.clone(),
                    is_listed,
                    undoing: self.model_undoing(op, model),
                    ..plain
                };
                self.check_name(
                    &Placed {
                        value: tool.name.clone(),
                        place: key.place,
                    },
                    &part,
                );
                tools.push(Placed {
                    value: tool,
                    place: key.place,
                });
            }
        }
        tools
    }
}

impl ModelTitles {
    fn of(&self, op: ModelOperation) -> Option<String> {
        let title = match op {
            ModelOperation::List => &self.list,
            ModelOperation::Read => &self.read,
            ModelOperation::Create => &self.create,
            ModelOperation::Update => &self.update,
            ModelOperation::Delete => &self.delete,
        };
        title.clone()
    }
}

/// A field's own name sorts too, as it filters, unless a column has it.
fn friendly_sorts(model: &Model) -> Vec<(String, String, String)> {
    let is_key = |name: &str| model.sorts.iter().any(|key| key == name);
    let of_fields = model
        .sorts
        .iter()
        .filter_map(|key| Some((key.strip_prefix(FIELD_PREFIX)?, key)));
    let directions = |(name, wire): (&str, &String)| {
        ["", "-"].map(|sign| {
            (
                "sort".to_owned(),
                format!("{sign}{name}"),
                format!("{sign}{wire}"),
            )
        })
    };
    of_fields
        .filter(|(name, _)| !is_key(name))
        .flat_map(directions)
        .collect()
}

/// What a row of the model can have.
fn row_form(model: &Model) -> serde_json::Value {
    let form = |key: &String| {
        let field = model.field(key).map(inputs::property);
        let kind = field.as_ref().and_then(|field| field.get("type")?.as_str());
        let values = field
            .as_ref()
            .and_then(|field| field.get("enum")?.as_array());
        let words = values
            .into_iter()
            .flatten()
            .filter_map(|value| value.as_str());
        let words = words.collect::<Vec<_>>().join(", ");
        let separator = if words.is_empty() { "" } else { ": " };
        let form = format!("{}{separator}{words}", kind.unwrap_or("string"));
        (key.clone(), form.into())
    };
    serde_json::Value::Object(model.item_keys.iter().map(form).collect())
}

fn tool(op: ModelOperation, model: &Arc<Model>) -> ConnectorTool {
    let m = &model.name;
    let (suffix, title, description, effect) = match op {
        ModelOperation::List => (
            "list",
            format!("List {m} objects"),
            format!(
                "Lists {m} objects as {{items, next_cursor?}}, those that match every filter. Safe to repeat."
            ),
            ToolEffect::Read,
        ),
        ModelOperation::Read => (
            "get",
            format!("Get one {m}"),
            format!("Reads one {m} by id. Safe to repeat."),
            ToolEffect::Read,
        ),
        ModelOperation::Create => (
            "create",
            format!("Create a {m}"),
            format!("Creates a {m} and returns it. Ask the user first."),
            ToolEffect::Write,
        ),
        ModelOperation::Update => (
            "update",
            format!("Update a {m}"),
            format!(
                "Changes a {m} and returns it: only the fields you pass, and null clears one. Ask the user first."
            ),
            ToolEffect::Write,
        ),
        ModelOperation::Delete => (
            "delete",
            format!("Delete a {m}"),
            format!("Deletes a {m} by id; lists and reads no longer show it. Ask the user first."),
            ToolEffect::Destroy,
        ),
    };
    let model = Arc::clone(model);
    ConnectorTool {
        name: format!("{m}_{suffix}"),
        aliases: Vec::new(),
        title,
        icon: None,
        description,
        effect,
        input_schema: inputs::schema(op, &model).into(),
        output_schema: None,
        argument_aliases: Vec::new(),
        value_aliases: if op == ModelOperation::List {
            friendly_sorts(&model)
        } else {
            Vec::new()
        },
        group: None,
        structured: false,
        longest_wait: Duration::ZERO,
        takes_key: false,
        asks: false,
        is_listed: true,
        no_undo: None,
        takes_ids: Vec::new(),
        nullable: if op == ModelOperation::Update {
            model.nullable.clone()
        } else {
            Vec::new()
        },
        unlisted_arguments: match op {
            ModelOperation::List => vec![shape_alone()],
            _ => Vec::new(),
        },
        row_form: (op == ModelOperation::List).then(|| row_form(&model)),
        undoing: None,
        annotations: Annotations {
            read_only: effect == ToolEffect::Read,
            destructive: effect == ToolEffect::Destroy,
            idempotent: op != ModelOperation::Create,
            open_world: true,
        },
        action: match op {
            ModelOperation::List => Action::List(model),
            ModelOperation::Read => Action::Read(model),
            ModelOperation::Create => Action::Create(model),
            ModelOperation::Update => Action::Update(model),
            ModelOperation::Delete => Action::Delete(model),
        },
    }
}
