//! Records → what a shape keeps of them. Paths are picked while the record is read, values copied
//! as written; only what a path cannot say goes through jq, over no more of the record than it
//! looks at.

use std::collections::BTreeSet;
use std::sync::Arc;

use jaq_json::Val;

use super::Inner;
use super::values::{self, Held};
use crate::connector::{ColumnOrigin, ColumnPlan, Row, ShapePlan, Want};
use crate::failure::BackendError;
use crate::jq::{self, Key, Variables};
use crate::json::{self, Admitted, push_string};

/// Rows of one list, kept as JSON.
pub(super) struct KeptRows {
    pub(super) rows: Vec<String>,
}

/// What a caller wants of a record, when not all of the shape.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    /// Names in their order; empty is all that the shape shows.
    names: Vec<String>,
}

impl Fields {
    pub(super) fn new(names: Vec<String>) -> Self {
        let mut seen = BTreeSet::new();
        let id = (!names.is_empty()).then(|| "id".to_owned());
        Self {
            names: id
                .into_iter()
                .chain(names)
                .filter(|name| seen.insert(name.clone()))
                .collect(),
        }
    }

    fn is_all(&self) -> bool {
        self.names.is_empty()
    }
}

/// What is kept of each row. Names in `fields` that no row and no shape has are an error.
pub(super) async fn rows(
    inner: &Arc<Inner>,
    row: &Row,
    fields: &Fields,
    rows: Vec<Box<str>>,
    variables: &Variables,
) -> Result<KeptRows, BackendError> {
    let needs_jq = match row {
        Row::Whole => false,
        Row::Filter(glue) => glue.needs_jq(),
        Row::Shape(shape) => shape
            .columns
            .iter()
            .any(|column| matches!(column.from, ColumnOrigin::Glue(_))),
    };
    let (row, fields, variables) = (row.clone(), fields.clone(), variables.clone());
    let work = move |inner: &Inner| keep(inner, &row, &fields, &rows, &variables);
    if needs_jq {
        values::blocking(inner, work).await
    } else {
        work(inner)
    }
}

fn keep(
    inner: &Inner,
    row: &Row,
    fields: &Fields,
    rows: &[Box<str>],
    variables: &Variables,
) -> Result<KeptRows, BackendError> {
    let mut missing: BTreeSet<&str> = fields
        .names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "id")
        .collect();
    let mut lines = Vec::with_capacity(rows.len());
    let mut slots = Vec::new();
    for record in rows {
        let mut out = String::new();
        match row {
            Row::Shape(shape) => project(
                inner,
                shape,
                fields,
                record,
                variables,
                &mut slots,
                &mut missing,
                &mut out,
            )?,
            Row::Whole => whole(record, fields, &mut missing, &mut out),
            Row::Filter(glue) => {
                let json = Admitted::new(String::from(&**record).into());
                let input = json.map_err(|why| {
                    BackendError::ours("The answer could not be read.", why.to_string())
                })?;
                let projected = values::run(inner, glue, &Held::received(input), variables)?
                    .unwrap_or_default();
                whole(
                    &values::to_json(&projected)?,
                    fields,
                    &mut missing,
                    &mut out,
                );
            }
        }
        lines.push(out);
    }
    if !missing.is_empty() && !rows.is_empty() {
        return Err(unknown(
            row,
            &missing,
            rows.first().map(|row| &**row).unwrap_or_default(),
        ));
    }
    Ok(KeptRows { rows: lines })
}

/// One record by a shape.
pub(super) async fn record(
    inner: &Arc<Inner>,
    shape: Option<&Arc<ShapePlan>>,
    fields: &Fields,
    json: String,
    variables: &Variables,
) -> Result<String, BackendError> {
    let row = shape.map_or(Row::Whole, |shape| Row::Shape(Arc::clone(shape)));
    let projected = rows(inner, &row, fields, vec![json.into()], variables).await?;
    Ok(projected.rows.into_iter().next().unwrap_or_default())
}

fn unknown(row: &Row, missing: &BTreeSet<&str>, first: &str) -> BackendError {
    let mut known: Vec<String> = match row {
        Row::Shape(shape) => shape
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        Row::Whole | Row::Filter(_) => Vec::new(),
    };
    if let Row::Shape(_) | Row::Whole = row {
        let first_fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(first).unwrap_or_default();
        known.extend(
            first_fields
                .into_iter()
                .map(|(key, _)| key)
                .filter(|key| !known.contains(key))
                .collect::<Vec<_>>(),
        );
    }
    let missing = missing.iter().copied().collect::<Vec<_>>().join("`, `");
    BackendError::caller(format!(
        "There is no field `{missing}`. The fields are: {}.",
        known.join(", ")
    ))
}

/// A record as it is, or those of its keys that were asked for.
fn whole<'f>(record: &str, fields: &'f Fields, missing: &mut BTreeSet<&'f str>, out: &mut String) {
    if fields.is_all() {
        out.push_str(record);
        return;
    }
    let mut slots = vec![None; fields.names.len()];
    if !json::pick_into(record, &fields.names, &mut slots) {
        out.push_str(record);
        return;
    }
    let mut entries = ObjectWriter::new(out);
    for (name, value) in fields.names.iter().zip(slots) {
        if let Some(value) = value {
            missing.remove(name.as_str());
            entries.push(name, value);
        }
    }
    entries.close();
}

#[expect(
    clippy::too_many_arguments,
    reason = "the inner loop over rows shares its scratch space"
)]
fn project<'r, 'f>(
    inner: &Inner,
    shape: &ShapePlan,
    fields: &'f Fields,
    record: &'r str,
    variables: &Variables,
    slots: &mut Vec<Option<&'r str>>,
    missing: &mut BTreeSet<&'f str>,
    out: &mut String,
) -> Result<(), BackendError> {
    slots.clear();
    slots.resize(shape.slots(), None);
    if !pick(&shape.wanted, record, slots) {
        out.push_str(record);
        return Ok(());
    }
    let mut input: Option<Held> = None;
    let mut entries = ObjectWriter::new(out);
    let mut push =
        |entries: &mut ObjectWriter<'_>, column: &ColumnPlan| -> Result<(), BackendError> {
            match &column.from {
                ColumnOrigin::Slot(slot) => {
                    let is_long = |value: &str| {
                        let items = json::items(value).map_or(0, |items| items.len());
                        column.at_least == 0 || items >= column.at_least
                    };
                    let is_true = |value: &str| !column.only_true || value == "true";
                    let shown =
                        |value: &&str| !json::is_empty(value) && is_true(value) && is_long(value);
                    if let Some(value) = slots.get(*slot).copied().flatten().filter(shown) {
                        entries.push(&column.name, value);
                    }
                }
                ColumnOrigin::FirstOfEach(slot) => {
                    let list = slots.get(*slot).copied().flatten();
                    if let Some(list) = list.and_then(|list| of_each(list, push_first)) {
                        entries.push(&column.name, &list);
                    }
                }
                ColumnOrigin::KeysOfEach(slot, keys) => {
                    let list = slots.get(*slot).copied().flatten();
                    let push = |out: &mut String, item: &str| push_keys(out, item, keys);
                    if let Some(list) = list.and_then(|list| of_each(list, push)) {
                        entries.push(&column.name, &list);
                    }
                }
                ColumnOrigin::Glue(glue) => {
                    if input.is_none() {
                        input = Some(looked_at(shape, record, slots)?);
                    }
                    let value = values::run(
                        inner,
                        glue,
                        input.as_ref().unwrap_or(&Held::Nothing),
                        variables,
                    )?
                    .unwrap_or_default();
                    let is_false = column.only_true && value != Val::Bool(true);
                    if !is_empty(&value) && !is_false {
                        entries.push(&column.name, &values::to_json(&value)?);
                    }
                }
            }
            Ok(())
        };
    if fields.is_all() {
        for column in shape.columns.iter().filter(|column| !column.on_request) {
            push(&mut entries, column)?;
        }
    } else {
        for name in &fields.names {
            match shape.columns.iter().find(|column| column.name == *name) {
                Some(column) => {
                    missing.remove(name.as_str());
                    push(&mut entries, column)?;
                }
                None => {
                    if let Some([Some(value)]) = json::pick(record, [name.as_str()]) {
                        missing.remove(name.as_str());
                        entries.push(name, value);
                    }
                }
            }
        }
    }
    entries.close();
    Ok(())
}

/// A list with something of each of its items; none of a list without any, or of no list.
fn of_each(list: &str, push: impl Fn(&mut String, &str)) -> Option<String> {
    let items = json::items(list).filter(|items| !items.is_empty())?;
    let mut out = String::from("[");
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push(&mut out, item);
    }
    out.push(']');
    Some(out)
}

/// The first value of a list; anything else as it is.
fn push_first(out: &mut String, item: &str) {
    let first = match json::items(item) {
        Some(items) => items.first().copied().unwrap_or("null"),
        None => item,
    };
    out.push_str(first);
}

/// An object with these keys of another, as far as it has them.
fn push_keys(out: &mut String, item: &str, keys: &[String]) {
    let mut slots = vec![None; keys.len()];
    if !json::pick_into(item, keys, &mut slots) {
        out.push_str(item);
        return;
    }
    let mut entries = ObjectWriter::new(out);
    for (key, value) in keys.iter().zip(slots) {
        if let Some(value) = value.filter(|value| !json::is_empty(value)) {
            entries.push(key, value);
        }
    }
    entries.close();
}

fn is_empty(value: &Val) -> bool {
    match value {
        Val::Null => true,
        Val::TStr(text) => text.is_empty(),
        Val::Arr(list) => list.is_empty(),
        Val::Obj(map) => map.is_empty(),
        _ => false,
    }
}

/// What the jq columns of a shape look at: the keys they name, or all of the record.
fn looked_at(
    shape: &ShapePlan,
    record: &str,
    slots: &[Option<&str>],
) -> Result<Held, BackendError> {
    let unreadable = |why: String| BackendError::ours("The answer could not be read.", why);
    let text = if shape.needs_whole {
        record.to_owned()
    } else {
        let mut text = String::new();
        let mut entries = ObjectWriter::new(&mut text);
        for (key, slot) in &shape.glue_keys {
            if let Some(value) = slots.get(*slot).copied().flatten() {
                entries.push(key, value);
            }
        }
        entries.close();
        text
    };
    // part of what was admitted, and no deeper
    let value = jq::read_text(&text).map_err(|why| unreadable(why.to_owned()))?;
    Ok(Held::Made(value))
}

/// An object while it is written.
struct ObjectWriter<'o> {
    out: &'o mut String,
    any: bool,
}

impl<'o> ObjectWriter<'o> {
    fn new(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, any: false }
    }

    fn push(&mut self, name: &str, json: &str) {
        if self.any {
            self.out.push(',');
        }
        self.any = true;
        push_string(self.out, name);
        self.out.push(':');
        self.out.push_str(json);
    }

    fn close(self) {
        self.out.push('}');
    }
}

impl ShapePlan {
    /// Slots that its paths fill.
    fn slots(&self) -> usize {
        fn most(wanted: &[Want]) -> usize {
            wanted
                .iter()
                .map(|want| want.slot.map_or(0, |slot| slot + 1).max(most(&want.inside)))
                .max()
                .unwrap_or_default()
        }
        most(&self.wanted)
    }
}

/// Fills the slots from an object; false when the text is none.
fn pick<'r>(wanted: &[Want], text: &'r str, slots: &mut [Option<&'r str>]) -> bool {
    let mut walk = json::Walk::new(text);
    let is_object = walk.steps(b'{');
    if is_object {
        pick_here(wanted, &mut walk, slots);
    }
    is_object
}

/// Fills the slots from an object that was opened.
fn pick_here<'r>(wanted: &[Want], walk: &mut json::Walk<'r>, slots: &mut [Option<&'r str>]) {
    while let Some(name) = walk.name() {
        let name = json::unquoted(name);
        let value = walk.value();
        let Some(want) = wanted.iter().find(|want| want.key == name) else {
            continue;
        };
        if let Some(slot) = want.slot.and_then(|slot| slots.get_mut(slot)) {
            *slot = Some(value);
        }
        if !want.inside.is_empty() {
            pick(&want.inside, value, slots);
        }
    }
}

/// The items of a list as they stand.
pub(super) fn items(text: &str) -> Option<Vec<Box<str>>> {
    Some(json::items(text)?.into_iter().map(Box::from).collect())
}

/// A value inside a text, by its path.
pub(super) fn inside<'t>(text: &'t str, path: &[Key]) -> Option<&'t str> {
    let mut at = text.trim();
    for key in path {
        let [value] = json::pick(at, [key.name.as_str()])?;
        at = value?;
    }
    Some(at)
}
