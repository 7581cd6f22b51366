//! Field tables: which columns are picked while a record is read, and which need jq.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::compilation::Compilation;
use super::scope::FilterScope;
use crate::connector::{ColumnOrigin, ColumnPlan, ShapePlan, Want};
use crate::definition::{self, EachItem};
use crate::jq::{Reach, form};

pub(super) type Shapes = BTreeMap<String, Arc<ShapePlan>>;

impl<'d> Compilation<'d> {
    /// Reads every field table.
    pub(super) fn add_shapes(&mut self) {
        let reach = Reach::new(self.filters.shared());
        for (name, table) in self.definition.shapes.iter() {
            self.check_name(name, "shapes");
            if name.value == "object" {
                self.found.add(
                    name.place,
                    "shapes",
                    "`object` stands for any record, so no shape can have this name",
                );
            }
            if table.is_empty() {
                self.found.add(
                    name.place,
                    format!("shapes.{}", name.value),
                    "a shape needs at least one field",
                );
            }
            let shape = Arc::new(self.shape(&name.value, table, &reach));
            self.shapes.insert(name.value.clone(), shape);
        }
    }

    fn shape(&mut self, name: &str, table: &'d definition::Shape, reach: &Reach<'_>) -> ShapePlan {
        let scope = FilterScope::new(self.definition, &[]);
        let mut slots = Slots::default();
        let mut columns = Vec::new();
        let mut read: Option<BTreeSet<String>> = Some(BTreeSet::new());
        for (key, column) in table.iter() {
            let from = match &column.from {
                None => ColumnOrigin::Slot(slots.add([key.value.as_str()])),
                Some(filter) => {
                    let glue = self.filter(filter, &format!("shapes.{name}.{}", key.value), &scope);
                    match glue.of_input().filter(|keys| !keys.is_empty()) {
                        Some(keys) => {
                            ColumnOrigin::Slot(slots.add(keys.iter().map(|key| key.name.as_str())))
                        }
                        None => {
                            match (reach.keys(&filter.value), &mut read) {
                                (Some(keys), Some(read)) => read.extend(keys),
                                _ => read = None,
                            }
                            ColumnOrigin::Glue(glue)
                        }
                    }
                }
            };
            let from = match (&column.each, from) {
                (None, from) => from,
                (Some(each), ColumnOrigin::Slot(slot)) => match &each.value {
                    EachItem::First => ColumnOrigin::FirstOfEach(slot),
                    EachItem::Keys(keys) => ColumnOrigin::KeysOfEach(slot, keys.clone()),
                },
                (Some(each), from) => {
                    self.found.add(
                        each.place,
                        format!("shapes.{name}.{}", key.value),
                        "`each` is about the list that `from` leads to, which must be a plain path",
                    );
                    from
                }
            };
            columns.push(ColumnPlan {
                name: key.value.clone(),
                from,
                on_request: column.on_request,
                only_true: column.only_true,
                at_least: usize::try_from(column.at_least.unwrap_or_default()).unwrap_or_default(),
            });
        }
        let needs_whole = read.is_none();
        let glue_keys = read.unwrap_or_default().into_iter().map(|key| {
            let slot = slots.add([key.as_str()]);
            (key, slot)
        });
        let glue_keys = glue_keys.collect();
        ShapePlan {
            columns,
            needs_whole,
            glue_keys,
            wanted: slots.wanted,
        }
    }
}

/// Paths into a record, each with its slot.
#[derive(Default)]
struct Slots {
    wanted: Vec<Want>,
    count: usize,
}

impl Slots {
    fn add<'k>(&mut self, keys: impl IntoIterator<Item = &'k str>) -> usize {
        let mut last: Option<&mut Want> = None;
        for key in keys {
            let level = match last {
                Some(want) => &mut want.inside,
                None => &mut self.wanted,
            };
            let at = level
                .iter()
                .position(|want| want.key == key)
                .unwrap_or_else(|| {
                    level.push(Want {
                        key: key.to_owned(),
                        ..Want::default()
                    });
                    level.len() - 1
                });
            last = level.get_mut(at);
        }
        let count = &mut self.count;
        last.map_or(0, |want| {
            *want.slot.get_or_insert_with(|| {
                *count += 1;
                *count - 1
            })
        })
    }
}

/// What a row of this shape can have: each field with its type, and what it is.
pub(super) fn row_form(shape: &definition::Shape) -> Value {
    let fields = shape.iter().map(|(name, column)| {
        let kind = json!(column.kind);
        let kind = kind.as_str().unwrap_or_default();
        let form = match (&column.description, column.on_request) {
            (Some(description), false) => format!("{kind}: {description}"),
            (Some(description), true) => format!("{kind}, when `fields` names it: {description}"),
            (None, true) => format!("{kind}, when `fields` names it"),
            (None, false) => kind.to_owned(),
        };
        (name.value.clone(), form.into())
    });
    Value::Object(fields.collect())
}

/// The output schema of a record, or of a list of them.
pub(super) fn schema(shape: Option<&definition::Shape>, is_list: bool) -> Value {
    let Some(shape) = shape else {
        return json!({"type": "object"});
    };
    let mut properties = Map::new();
    for (name, column) in shape.iter() {
        let mut property = Map::new();
        property.insert("type".into(), json!(column.kind));
        if let Some(description) = &column.description {
            property.insert("description".into(), description.as_str().into());
        }
        properties.insert(name.value.clone(), property.into());
    }
    let record = form::with_properties(properties);
    if !is_list {
        return record;
    }
    let items = [("type", Value::from("array")), ("items", record)];
    let mut properties = Map::new();
    properties.insert("items".into(), items.into_iter().collect());
    for (name, kind) in [
        ("total_count", "integer"),
        ("truncated", "boolean"),
        ("next_cursor", "string"),
        ("note", "string"),
    ] {
        properties.insert(name.into(), json!({ "type": kind }));
    }
    form::with_properties(properties)
}
