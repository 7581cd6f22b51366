//! Checks of a model in the `models:` section: its names, keys and limits.

use super::{FIELD_PREFIX, settable};
use crate::compile::compilation::Compilation;
use crate::definition::{Field, FieldKind, ModelDefinition, ModelOperation};
use crate::place::Placed;

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
impl<'d> Compilation<'d> {
    pub(super) fn check_model(
        &mut self,
        key: &Placed<String>,
        table: &ModelDefinition,
        part: &str,
    ) {
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
        let pages = self.definition.upstream.paging.get("list").is_some();
        for op in &table.ops {
            if op.value == ModelOperation::List && !pages {
                self.found.add_with_hint(
                    op.place,
                    format!("{part}.ops"),
                    "there is no paging for lists",
                    "describe it as `upstream.paging.list`",
                );
            }
        }
        for (name, field) in table.fields.iter() {
            self.check_model_field(name, field, &format!("{part}.fields.{}", name.value));
            self.check_column(table, field, &format!("{part}.fields.{}", name.value));
        }
        self.check_calling(table, part);
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
            if field.required && !settable(table, table.create.as_deref()).contains(&name.value) {
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

    /// What a record goes by can be looked up, and its group is there.
    fn check_calling(&mut self, table: &ModelDefinition, part: &str) {
        if let Some(name) = &table.goes_by {
            let field = table.fields.get(&name.value);
            let is_text = field.is_some_and(|field| field.kind == FieldKind::String);
            let wire = format!("{FIELD_PREFIX}{}", name.value);
            let is_filter = table.filters.iter().any(|filter| filter.value == wire);
            let has = |wanted| table.ops.iter().any(|op| op.value == wanted);
            let is_found = has(ModelOperation::List) && has(ModelOperation::Read);
            if !(is_text && is_filter && is_found) {
                self.found.add_with_hint(
                    name.place,
                    format!("{part}.goes_by"),
                    format!("no record can be found by `{}`", name.value),
                    format!("it is a `string` among `fields`, `{wire}` is among `filters`, and `ops` has list and read"),
                );
            }
        }
        if let Some(group) = &table.group
            && self.definition.groups.get(&group.value).is_none()
        {
            self.found.add(
                group.place,
                format!("{part}.group"),
                format!("there is no group `{}`", group.value),
            );
        }
    }

    /// The field that names the board does, and boards have columns.
    fn check_column(&mut self, table: &ModelDefinition, field: &Field, part: &str) {
        let Some(board_field) = &field.column_of else {
            return;
        };
        let reference = table
            .fields
            .get(&board_field.value)
            .and_then(|field| field.reference.as_ref());
        let board = reference.and_then(|of| self.definition.models.get(&of.model.value));
        let has_columns = board.is_some_and(|board| {
            let mut fields = board.fields.iter();
            fields.any(|(_, field)| field.kind == FieldKind::Columns)
        });
        if field.kind != FieldKind::String || !has_columns {
            self.found.add_with_hint(
                board_field.place,
                format!("{part}.column_of"),
                format!("`{}` names nothing that has columns", board_field.value),
                "a `string` may hold the column of a record that another field refers to by `ref`, and whose model has a field of the type `columns`",
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

    fn check_model_keys(&mut self, table: &ModelDefinition, keys: &[Placed<String>], part: &str) {
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

    fn check_model_field(&mut self, name: &Placed<String>, field: &Field, part: &str) {
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
