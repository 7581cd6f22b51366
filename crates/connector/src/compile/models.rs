//! The way from the `models:` section to models, with what a file leaves out filled in.

mod checks;
mod inputs;
mod records;
mod tools;

use std::sync::Arc;

use super::compilation::Compilation;
use crate::connector::{FilterKey, Model, ModelField, ModelOperation, ModelReference};
use crate::definition::{Definition, Field, ModelDefinition};
use crate::place::Placed;

/// Rows that a page may have when the table does not say.
const DEFAULT_MAX_LIMIT: u32 = 100;
/// What a filter or sort key of a field starts with.
pub(super) const FIELD_PREFIX: &str = "data__";

impl<'d> Compilation<'d> {
    /// The models, in the order of the file.
    pub(super) fn models(&mut self) -> Vec<Arc<Model>> {
        let definition = self.definition;
        let mut models = Vec::new();
        for (key, table) in definition.models.iter() {
            self.check_model(key, table, &format!("models.{}", key.value));
            let model = model(definition, &key.value, table);
            let record = self.model_record(&model);
            models.push(Arc::new(Model { record, ..model }));
        }
        self.attach_models(&models);
        models
    }
}

fn model(definition: &Definition, name: &str, table: &ModelDefinition) -> Model {
    let mut item_keys = vec!["id".to_owned()];
    item_keys.extend(table.fields.keys().map(str::to_owned));
    item_keys.extend(["created_at".to_owned(), "updated_at".to_owned()]);
    let update = settable(table, table.update.as_deref());
    let may_be_cleared =
        |field: &&String| table.fields.get(field).is_some_and(|field| !field.required);
    Model {
        name: name.to_owned(),
        path: table.path.value.clone(),
        operations: values(&table.ops),
        fields: table
            .fields
            .iter()
            .map(|(name, field)| model_field(&name.value, field))
            .collect(),
        create: settable(table, table.create.as_deref()),
        filters: filter_keys(definition, table),
        sorts: values(&table.sorts),
        default_sort: table.default_sort.as_ref().map(|sort| sort.value.clone()),
        max_limit: table
            .max_limit
            .as_ref()
            .map_or(DEFAULT_MAX_LIMIT, |limit| limit.value),
        item_keys,
        nullable: update.iter().filter(may_be_cleared).cloned().collect(),
        goes_by: table.goes_by.as_ref().map(|field| field.value.clone()),
        record: None,
        update,
    }
}

fn model_field(name: &str, field: &Field) -> ModelField {
    let values = field.values.as_ref();
    let reference = field.reference.as_ref();
    ModelField {
        name: name.to_owned(),
        kind: field.kind,
        max_length: field.max_len.as_ref().map(|length| length.value),
        values: values.map_or_else(Vec::new, |values| values.value.clone()),
        reference: reference.map(|reference| ModelReference {
            model: reference.model.value.clone(),
            is_owned: reference.owned,
            is_optional: reference.optional,
        }),
        column_of: field.column_of.as_ref().map(|field| field.value.clone()),
        is_required: field.required,
        description: field.description.clone(),
    }
}

/// The fields that a create or update takes, in its order; all of them when the table does not say.
fn settable(table: &ModelDefinition, listed: Option<&[Placed<String>]>) -> Vec<String> {
    listed.map_or_else(|| table.fields.keys().map(str::to_owned).collect(), values)
}

fn values<T: Clone>(placed: &[Placed<T>]) -> Vec<T> {
    placed.iter().map(|placed| placed.value.clone()).collect()
}

/// A field's own name belongs to the field; a column of the row has it only when no field claims
/// it.
fn filter_keys(definition: &Definition, table: &ModelDefinition) -> Vec<FilterKey> {
    let wires = || table.filters.iter().map(|key| key.value.as_str());
    let friendly = |wire: &str| match wire.strip_prefix(FIELD_PREFIX) {
        Some(field) => Some(field.to_owned()),
        None => (!wires().any(|other| other.strip_prefix(FIELD_PREFIX) == Some(wire)))
            .then(|| wire.to_owned()),
    };
    let refers_to = |wire: &str| {
        let reference = table
            .fields
            .get(wire.strip_prefix(FIELD_PREFIX)?)?
            .reference
            .as_ref()?;
        let other = definition.models.get(&reference.model.value)?;
        let is_read = other.ops.iter().any(|op| op.value == ModelOperation::Read);
        is_read.then(|| other.path.value.clone())
    };
    let key = |wire: &str| FilterKey {
        wire: wire.to_owned(),
        friendly: friendly(wire),
        refers_to: refers_to(wire),
    };
    wires().map(key).collect()
}
