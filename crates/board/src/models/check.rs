//! The check of a table of models: whether the board's database can keep and find what it asks for,
//! every problem at once.

use footbridge_store::{FieldName, SortKey};
use indexmap::IndexMap;

use super::board_model::{BoardField, BoardFieldKind, BoardModel};
use super::{BoardFilter, FilterTarget, ServedModel};

/// The largest page cap a table may name.
const LARGEST_MAX_LIMIT: u32 = 1000;
/// The order of a list when neither the request nor the table names one.
const DEFAULT_SORT: &str = "created_at";

/// What is wrong with a model table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the models section cannot be used: {}", .problems.join("; "))]
pub struct ModelsError {
    /// Each problem, with the model and the key it is about.
    pub problems: Vec<String>,
}

pub(super) fn served(
    models: Vec<BoardModel>,
) -> Result<IndexMap<String, ServedModel>, ModelsError> {
    let names: Vec<String> = models.iter().map(|model| model.name.clone()).collect();
    let mut problems = ModelProblems::default();
    if names.is_empty() {
        problems.note("it names no model".to_owned());
    }
    let mut by_name = IndexMap::with_capacity(models.len());
    for model in models {
        let name = model.name.clone();
        let model = served_model(model, &names, &mut problems);
        if by_name.insert(name.clone(), model).is_some() {
            problems.note(format!("{name}: the model is there twice"));
        }
    }
    if problems.0.is_empty() {
        Ok(by_name)
    } else {
        Err(ModelsError {
            problems: problems.0,
        })
    }
}

#[derive(Default)]
struct ModelProblems(Vec<String>);

impl ModelProblems {
    fn note(&mut self, problem: String) {
        self.0.push(problem);
    }

    /// What there is of a result; its problem is noted.
    fn value_of<T>(&mut self, result: Result<T, String>, place: &str) -> Option<T> {
        result
            .map_err(|problem| self.note(format!("{place}: {problem}")))
            .ok()
    }
}

fn served_model(
    model: BoardModel,
    model_names: &[String],
    problems: &mut ModelProblems,
) -> ServedModel {
    check_itself(&model, problems);
    let name = model.name;
    let mut fields: IndexMap<String, BoardField> = IndexMap::with_capacity(model.fields.len());
    let mut searched = Vec::new();
    let mut references = Vec::new();
    for field in model.fields {
        let place = format!("{name}.fields.{}", field.name);
        check_field(&field, &place, model_names, problems);
        if let Some(field_name) = FieldName::parse(&field.name) {
            match (&field.kind, &field.reference) {
                (_, Some(model)) => references.push((field_name, model.clone())),
                (BoardFieldKind::Text { .. }, None) => searched.push(field_name),
                _ => {}
            }
        } else {
            problems.note(format!(
                "{place}: a field's name is lower-case letters, digits and underscores, at most 40"
            ));
        }
        if fields.insert(field.name.clone(), field).is_some() {
            problems.note(format!("{place}: the field is there twice"));
        }
    }
    for (list, names) in [("create", &model.create), ("update", &model.update)] {
        for unknown in names.iter().filter(|name| !fields.contains_key(*name)) {
            problems.note(format!("{name}.{list}: there is no field {unknown:?}"));
        }
    }
    let place = format!("{name}.filters");
    let filters = model
        .filters
        .iter()
        .filter_map(|key| problems.value_of(filter_from(key, &fields), &place))
        .collect();
    let place = format!("{name}.sorts");
    let sorts: Vec<(String, SortKey)> = model
        .sorts
        .iter()
        .filter_map(|key| {
            let sort = problems.value_of(sort_from(key, &fields), &place)?;
            Some((key.clone(), sort))
        })
        .collect();
    let default_sort = model
        .default_sort
        .unwrap_or_else(|| DEFAULT_SORT.to_owned());
    if !model.sorts.contains(&default_sort) {
        problems.note(format!(
            "{name}.default_sort: {default_sort:?} is not among the sorts"
        ));
    }
    ServedModel {
        name,
        operations: model.operations,
        fields,
        create: model.create,
        update: model.update,
        filters,
        sorts,
        default_sort,
        max_limit: model.max_limit,
        searched,
        references,
    }
}

fn check_itself(model: &BoardModel, problems: &mut ModelProblems) {
    let name = &model.name;
    if FieldName::parse(name).is_none() {
        problems.note(format!(
            "{name}: a model's name is lower-case letters, digits and underscores, at most 40"
        ));
    }
    if model.path != format!("/data/{name}") {
        problems.note(format!(
            "{name}.path: it is {:?} but the board serves the model at \"/data/{name}\"",
            model.path
        ));
    }
    if !(1..=LARGEST_MAX_LIMIT).contains(&model.max_limit) {
        problems.note(format!(
            "{name}.max_limit: {} is not between 1 and {LARGEST_MAX_LIMIT}",
            model.max_limit
        ));
    }
}

fn check_field(
    field: &BoardField,
    place: &str,
    model_names: &[String],
    problems: &mut ModelProblems,
) {
    match &field.kind {
        BoardFieldKind::Text { max_characters: 0 } | BoardFieldKind::Url { max_characters: 0 } => {
            problems.note(format!("{place}.max_len: it must be at least 1"));
        }
        BoardFieldKind::Choice(values)
            if values.is_empty() || values.iter().any(String::is_empty) =>
        {
            problems.note(format!(
                "{place}.values: an enum needs values that are not empty"
            ));
        }
        _ => {}
    }
    let Some(reference) = &field.reference else {
        return;
    };
    if !model_names.contains(reference) {
        problems.note(format!(
            "{place}.ref.model: there is no model {reference:?}"
        ));
    }
    if !matches!(field.kind, BoardFieldKind::Text { .. }) {
        problems.note(format!("{place}.ref: only a string can name a row"));
    }
}

fn filter_from(key: &str, fields: &IndexMap<String, BoardField>) -> Result<BoardFilter, String> {
    let target = match (key, key.strip_prefix("data__")) {
        ("status", _) => FilterTarget::Status,
        ("is_archived", _) => FilterTarget::IsArchived,
        ("owned_by", _) => FilterTarget::OwnedBy,
        (_, Some(field)) => {
            let (name, field) =
                field_named(field, fields).ok_or_else(|| format!("{key:?} names no field"))?;
            if matches!(
                field.kind,
                BoardFieldKind::Object | BoardFieldKind::Columns | BoardFieldKind::Any
            ) {
                return Err(format!(
                    "{key:?} cannot be compared: its field is neither text, number, boolean nor \
                     tags"
                ));
            }
            FilterTarget::Field(name, field.kind.clone())
        }
        _ => {
            return Err(format!(
                "{key:?} is neither data__ and a field, nor status, is_archived or owned_by"
            ));
        }
    };
    Ok(BoardFilter {
        wire: key.to_owned(),
        friendly: key.strip_prefix("data__").unwrap_or(key).to_owned(),
        target,
    })
}

fn sort_from(key: &str, fields: &IndexMap<String, BoardField>) -> Result<SortKey, String> {
    match (key, key.strip_prefix("data__")) {
        ("created_at", _) => Ok(SortKey::CreatedAt),
        ("updated_at", _) => Ok(SortKey::UpdatedAt),
        (_, Some(field)) => {
            let (name, field) =
                field_named(field, fields).ok_or_else(|| format!("{key:?} names no field"))?;
            match &field.kind {
                BoardFieldKind::Choice(values) => Ok(SortKey::Rank(name, values.clone())),
                BoardFieldKind::Object
                | BoardFieldKind::Columns
                | BoardFieldKind::Any
                | BoardFieldKind::Tags => Err(format!("{key:?} has no order")),
                _ => Ok(SortKey::Field(name)),
            }
        }
        _ => Err(format!(
            "{key:?} is neither data__ and a field, nor created_at or updated_at"
        )),
    }
}

fn field_named<'f>(
    name: &str,
    fields: &'f IndexMap<String, BoardField>,
) -> Option<(FieldName, &'f BoardField)> {
    Some((FieldName::parse(name)?, fields.get(name)?))
}
