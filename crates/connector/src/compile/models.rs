//! Models → tools: up to five for each table, in the order list, read, create, update, delete.

mod inputs;
mod records;

use std::sync::Arc;
use std::time::Duration;

use super::compilation::Compilation;
use crate::connector::{Action, Annotations, FilterKey, Model, Tool};
use crate::definition::{self, Definition, Effect, FieldKind, Operation};
use crate::place::Placed;

/// Rows that a page may have when the table does not say.
const DEFAULT_MAX_LIMIT: u32 = 100;
/// Columns of every row, beside the fields.
const COLUMNS: [&str; 10] = [
    "id",
    "type",
    "status",
    "owned_by",
    "created_by",
    "updated_by",
    "is_archived",
    "is_deleted",
    "created_at",
    "updated_at",
];
/// Columns that are keys of an item, so that no field may have their names.
const ITEM_COLUMNS: [&str; 4] = ["id", "created_at", "updated_at", "is_archived"];
/// What a filter or sort key of a field starts with.
pub(super) const FIELD_PREFIX: &str = "data__";
/// Order of the tools of a model.
const ORDER: [Operation; 5] = [
    Operation::List,
    Operation::Read,
    Operation::Create,
    Operation::Update,
    Operation::Delete,
];

impl<'d> Compilation<'d> {
    pub(super) fn model_tools(&mut self) -> Vec<Placed<Tool>> {
        let pages = self.definition.upstream.paging.get("list").is_some();
        let mut tools = Vec::new();
        for (key, table) in self.definition.models.iter() {
            let part = format!("models.{}", key.value);
            self.check_model(key, table, &part);
            let record = self.model_record(key, table);
            let model = Arc::new(Model {
                record,
                ..model(self.definition, &key.value, table)
            });
            for op in &table.ops {
                if op.value == Operation::List && !pages {
                    self.found.add_with_hint(
                        op.place,
                        format!("{part}.ops"),
                        "there is no paging for lists",
                        "describe it as `upstream.paging.list`",
                    );
                }
            }
            for op in ORDER {
                if table.ops.iter().any(|wanted| wanted.value == op) {
                    let tool = Tool {
                        undoing: self.model_undoing(op, table, record),
                        ..tool(op, table, &model)
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
        }
        tools
    }
}

fn model(definition: &Definition, name: &str, table: &definition::Model) -> Model {
    let mut fields = vec!["id".to_owned()];
    fields.extend(table.fields.keys().map(str::to_owned));
    fields.extend(["created_at".to_owned(), "updated_at".to_owned()]);
    let clearable = |field: &&str| table.fields.get(field).is_some_and(|field| !field.required);
    Model {
        name: name.to_owned(),
        path: table.path.value.clone(),
        fields,
        filters: filter_keys(definition, table),
        max_limit: table
            .max_limit
            .as_ref()
            .map_or(DEFAULT_MAX_LIMIT, |limit| limit.value),
        nullable: writable(table, table.update.as_deref())
            .filter(clearable)
            .map(str::to_owned)
            .collect(),
        record: None,
    }
}

/// A field's own name belongs to the field; a column of the row has it only when no field claims
/// it.
fn filter_keys(definition: &Definition, table: &definition::Model) -> Vec<FilterKey> {
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
        let is_read = other.ops.iter().any(|op| op.value == Operation::Read);
        is_read.then(|| other.path.value.clone())
    };
    let key = |wire: &str| FilterKey {
        wire: wire.to_owned(),
        friendly: friendly(wire),
        refers_to: refers_to(wire),
    };
    wires().map(key).collect()
}

/// A field's own name sorts too, as it filters, unless a column has it.
fn friendly_sorts(table: &definition::Model) -> Vec<(String, String, String)> {
    let is_key = |name: &str| table.sorts.iter().any(|key| key.value == name);
    let of_fields = table
        .sorts
        .iter()
        .filter_map(|key| Some((key.value.strip_prefix(FIELD_PREFIX)?, &key.value)));
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

/// The fields that a create or update takes, in its order; all of them when the table does not say.
fn writable<'t>(
    table: &'t definition::Model,
    listed: Option<&'t [Placed<String>]>,
) -> impl Iterator<Item = &'t str> {
    let all = table.fields.keys().filter(move |_| listed.is_none());
    listed
        .into_iter()
        .flatten()
        .map(|name| name.value.as_str())
        .chain(all)
}

fn tool(op: Operation, table: &definition::Model, model: &Arc<Model>) -> Tool {
    let m = &model.name;
    let (suffix, title, description, effect) = match op {
        Operation::List => (
            "list",
            format!("List {m} objects"),
            format!(
                "Lists {m} objects as {{items, next_cursor?}}, those that match every filter. Safe to repeat."
            ),
            Effect::Read,
        ),
        Operation::Read => (
            "get",
            format!("Get one {m}"),
            format!("Reads one {m} by id. Safe to repeat."),
            Effect::Read,
        ),
        Operation::Create => (
            "create",
            format!("Create a {m}"),
            format!("Creates a {m} and returns it. Ask the user first."),
            Effect::Write,
        ),
        Operation::Update => (
            "update",
            format!("Update a {m}"),
            format!(
                "Changes a {m} and returns it: only the fields you pass, and null clears one. Ask the user first."
            ),
            Effect::Write,
        ),
        Operation::Delete => (
            "delete",
            format!("Delete a {m}"),
            format!("Deletes a {m} by id; lists and reads no longer show it. Ask the user first."),
            Effect::Destroy,
        ),
    };
    let model = Arc::clone(model);
    Tool {
        name: format!("{m}_{suffix}"),
        aliases: Vec::new(),
        title,
        description,
        effect,
        input_schema: inputs::schema(op, table, &model),
        output_schema: None,
        argument_aliases: Vec::new(),
        value_aliases: if op == Operation::List {
            friendly_sorts(table)
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
        nullable: if op == Operation::Update {
            model.nullable.clone()
        } else {
            Vec::new()
        },
        unlisted_arguments: Vec::new(),
        undoing: None,
        annotations: Annotations {
            read_only: effect == Effect::Read,
            destructive: effect == Effect::Destroy,
            idempotent: op != Operation::Create,
            open_world: true,
        },
        action: match op {
            Operation::List => Action::List(model),
            Operation::Read => Action::Read(model),
            Operation::Create => Action::Create(model),
            Operation::Update => Action::Update(model),
            Operation::Delete => Action::Delete(model),
        },
    }
}

impl<'d> Compilation<'d> {
    fn check_model(&mut self, key: &Placed<String>, table: &definition::Model, part: &str) {
        self.check_name(key, part);
        self.check_model_path(&table.path, &format!("{part}.path"));
        if table.ops.is_empty() {
            self.found.add(
                key.place,
                format!("{part}.ops"),
                "a model needs at least one operation",
            );
        }
        for (index, op) in table.ops.iter().enumerate() {
            if table
                .ops
                .iter()
                .take(index)
                .any(|before| before.value == op.value)
            {
                self.found.add(
                    op.place,
                    format!("{part}.ops"),
                    "the operation is there twice",
                );
            }
        }
        for (name, field) in table.fields.iter() {
            self.check_model_field(name, field, &format!("{part}.fields.{}", name.value));
        }
        for (list, names) in [("create", &table.create), ("update", &table.update)] {
            for name in names.iter().flatten() {
                if table.fields.get(&name.value).is_none() {
                    self.found.add(
                        name.place,
                        format!("{part}.{list}"),
                        format!("there is no field `{}`", name.value),
                    );
                }
            }
        }
        for (name, field) in table.fields.iter() {
            if field.required
                && !writable(table, table.create.as_deref()).any(|listed| listed == name.value)
            {
                self.found.add(
                    name.place,
                    format!("{part}.create"),
                    format!("the required field `{}` is not listed", name.value),
                );
            }
        }
        for (list, keys) in [("filters", &table.filters), ("sorts", &table.sorts)] {
            self.check_model_keys(table, keys, &format!("{part}.{list}"));
        }
        if let Some(sort) = &table.default_sort
            && !table.sorts.iter().any(|key| {
                Some(key.value.as_str()) == sort.value.strip_prefix('-').or(Some(&sort.value))
            })
        {
            self.found.add(
                sort.place,
                format!("{part}.default_sort"),
                format!("`{}` is not one of `sorts`", sort.value),
            );
        }
        if let Some(limit) = &table.max_limit
            && !(1..=1_000).contains(&limit.value)
        {
            self.found.add(
                limit.place,
                format!("{part}.max_limit"),
                format!("must be 1 to 1000, is {}", limit.value),
            );
        }
    }

    /// A literal path: nothing in it is filled in, and it names no other place.
    fn check_model_path(&mut self, path: &Placed<String>, part: &str) {
        let text = &path.value;
        let good = text.strip_prefix('/').is_some_and(|rest| {
            rest.split('/')
                .all(|segment| !matches!(segment, "" | "." | ".."))
        });
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b));
        if !good || !plain {
            self.found.add_with_hint(
                path.place,
                part,
                format!("`{text}` is not a path of a collection"),
                "write it like `/data/card`",
            );
        }
    }

    fn check_model_keys(&mut self, table: &definition::Model, keys: &[Placed<String>], part: &str) {
        for (index, key) in keys.iter().enumerate() {
            let known = match key.value.strip_prefix(FIELD_PREFIX) {
                Some(field) => table.fields.get(field).is_some(),
                None => COLUMNS.contains(&key.value.as_str()),
            };
            if !known {
                let hint = format!(
                    "`{FIELD_PREFIX}` and a field, or one of {}",
                    COLUMNS.join(", ")
                );
                self.found.add_with_hint(
                    key.place,
                    part,
                    format!("there is nothing called `{}`", key.value),
                    hint,
                );
            }
            if keys
                .iter()
                .take(index)
                .any(|before| before.value == key.value)
            {
                self.found
                    .add(key.place, part, format!("`{}` is there twice", key.value));
            }
        }
    }

    fn check_model_field(&mut self, name: &Placed<String>, field: &definition::Field, part: &str) {
        self.check_name(name, part);
        if ITEM_COLUMNS.contains(&name.value.as_str()) {
            self.found.add(
                name.place,
                part,
                format!("every row has `{}` already", name.value),
            );
        }
        match (&field.values, field.kind) {
            (None, FieldKind::Enum) => self.found.add(name.place, part, "an enum needs `values`"),
            (Some(values), FieldKind::Enum) if values.value.is_empty() => {
                self.found
                    .add(values.place, part, "an enum needs at least one value")
            }
            (Some(values), kind) if kind != FieldKind::Enum => {
                self.found
                    .add(values.place, part, "only an enum has `values`")
            }
            _ => {}
        }
        if let Some(length) = &field.max_len {
            if !matches!(field.kind, FieldKind::String | FieldKind::Url) {
                self.found
                    .add(length.place, part, "only a string or url has `max_len`");
            } else if length.value == 0 {
                self.found
                    .add(length.place, part, "`max_len` must be at least 1");
            }
        }
        if let Some(reference) = &field.reference
            && self.definition.models.get(&reference.model.value).is_none()
        {
            self.found.add(
                reference.model.place,
                part,
                format!("there is no model `{}`", reference.model.value),
            );
        }
    }
}
