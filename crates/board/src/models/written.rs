//! The model table as written in JSON, and the way from there to [`Models`](super::Models): every
//! problem at once.

use footbridge_store::{FieldName, SortKey};
use indexmap::IndexMap;
use serde::Deserialize;

use super::{BoardField, BoardFieldKind, BoardFilter, BoardModel, FilterTarget, RowOperation};

/// The page cap of a model that names none.
const MAX_LIMIT: u32 = 100;
/// The largest page cap a table may name.
const LARGEST_MAX_LIMIT: u32 = 1000;
/// The length of a text field that names none, in characters.
const TEXT_CHARACTERS: usize = 10_000;
/// The length of a URL field that names none, in characters.
const URL_CHARACTERS: usize = 2_048;

/// What is wrong with a model table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the models section cannot be used: {}", .problems.join("; "))]
pub struct ModelsError {
    /// Each problem, with the model and the key it is about.
    pub problems: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelWritten {
    path: String,
    ops: Vec<RowOperation>,
    fields: IndexMap<String, FieldWritten>,
    create: Option<Vec<String>>,
    update: Option<Vec<String>>,
    #[serde(default)]
    filters: Vec<String>,
    #[serde(default)]
    sorts: Vec<String>,
    default_sort: Option<String>,
    max_limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldWritten {
    r#type: TypeWritten,
    max_len: Option<usize>,
    values: Option<Vec<String>>,
    r#ref: Option<ReferenceWritten>,
    #[serde(default)]
    required: bool,
    description: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TypeWritten {
    String,
    Url,
    Integer,
    Number,
    #[serde(alias = "bool")]
    Boolean,
    Enum,
    Dict,
    Tags,
    Columns,
    Any,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceWritten {
    model: String,
    /// Rows are invisible to other accounts, so a reference always names an own row.
    #[serde(default, rename = "owned")]
    _owned: bool,
    /// Whether a value is needed is what `required` says.
    #[serde(default, rename = "optional")]
    _optional: bool,
}

pub(super) fn read(
    section: &serde_json::Value,
) -> Result<IndexMap<String, BoardModel>, ModelsError> {
    let mut problems = ModelProblems::default();
    let Some(section) = section.as_object() else {
        return Err(ModelsError {
            problems: vec!["it is not an object of models by name".to_owned()],
        });
    };
    let mut written: IndexMap<&str, ModelWritten> = IndexMap::new();
    for (name, model) in section {
        match ModelWritten::deserialize(model) {
            Ok(model) => {
                written.insert(name, model);
            }
            Err(error) => problems.note(format!("{name}: {error}")),
        }
    }
    let models = written
        .iter()
        .map(|(name, model)| {
            (
                (*name).to_owned(),
                model_from(name, model, section, &mut problems),
            )
        })
        .collect();
    if section.is_empty() {
        problems.note("it names no model".to_owned());
    }
    if problems.0.is_empty() {
        Ok(models)
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
}

fn model_from(
    name: &str,
    written: &ModelWritten,
    section: &serde_json::Map<String, serde_json::Value>,
    problems: &mut ModelProblems,
) -> BoardModel {
    if FieldName::parse(name).is_none() {
        problems.note(format!(
            "{name}: a model's name is lower-case letters, digits and underscores, at most 40"
        ));
    }
    if written.path != format!("/data/{name}") {
        problems.note(format!(
            "{name}.path: it is {:?} but the board serves the model at \"/data/{name}\"",
            written.path
        ));
    }
    let mut fields = IndexMap::new();
    for (field_name, field) in &written.fields {
        if let Some(field) = field_from(
            &format!("{name}.fields.{field_name}"),
            field_name,
            field,
            section,
            problems,
        ) {
            fields.insert(field_name.clone(), field);
        }
    }
    let max_limit = written.max_limit.unwrap_or(MAX_LIMIT);
    if !(1..=LARGEST_MAX_LIMIT).contains(&max_limit) {
        problems.note(format!(
            "{name}.max_limit: {max_limit} is not between 1 and {LARGEST_MAX_LIMIT}"
        ));
    }
    let filters = written
        .filters
        .iter()
        .filter_map(|key| {
            noted(
                filter_from(key, &fields),
                &format!("{name}.filters"),
                problems,
            )
        })
        .collect();
    let sorts: Vec<(String, SortKey)> = written
        .sorts
        .iter()
        .filter_map(|key| {
            noted(sort_from(key, &fields), &format!("{name}.sorts"), problems)
                .map(|sort| (key.clone(), sort))
        })
        .collect();
    let default_sort = written
        .default_sort
        .clone()
        .unwrap_or_else(|| "created_at".to_owned());
    if !written.sorts.contains(&default_sort) {
        problems.note(format!(
            "{name}.default_sort: {default_sort:?} is not among the sorts"
        ));
    }
    let settable = |list: &Option<Vec<String>>, key: &str, problems: &mut ModelProblems| {
        let list = list
            .clone()
            .unwrap_or_else(|| written.fields.keys().cloned().collect());
        for unknown in list
            .iter()
            .filter(|field| !written.fields.contains_key(*field))
        {
            problems.note(format!("{name}.{key}: there is no field {unknown:?}"));
        }
        list
    };
    let create = settable(&written.create, "create", problems);
    let update = settable(&written.update, "update", problems);
    let searched = fields.values().filter(|field: &&BoardField| {
        matches!(field.kind, BoardFieldKind::Text { .. }) && field.reference.is_none()
    });
    let searched = searched.map(|field| field.name.clone()).collect();
    BoardModel {
        name: name.to_owned(),
        operations: written.ops.clone(),
        create,
        update,
        filters,
        sorts,
        default_sort,
        max_limit,
        searched,
        fields,
    }
}

fn noted<T>(result: Result<T, String>, place: &str, problems: &mut ModelProblems) -> Option<T> {
    result
        .map_err(|problem| problems.note(format!("{place}: {problem}")))
        .ok()
}

fn field_from(
    place: &str,
    name: &str,
    written: &FieldWritten,
    section: &serde_json::Map<String, serde_json::Value>,
    problems: &mut ModelProblems,
) -> Option<BoardField> {
    let max_characters = written.max_len;
    let kind = match written.r#type {
        TypeWritten::String => BoardFieldKind::Text {
            max_characters: max_characters.unwrap_or(TEXT_CHARACTERS),
        },
        TypeWritten::Url => BoardFieldKind::Url {
            max_characters: max_characters.unwrap_or(URL_CHARACTERS),
        },
        TypeWritten::Integer => BoardFieldKind::Integer,
        TypeWritten::Number => BoardFieldKind::Number,
        TypeWritten::Boolean => BoardFieldKind::Boolean,
        TypeWritten::Enum => BoardFieldKind::Choice(written.values.clone().unwrap_or_default()),
        TypeWritten::Dict => BoardFieldKind::Object,
        TypeWritten::Tags => BoardFieldKind::Tags,
        TypeWritten::Columns => BoardFieldKind::Columns,
        TypeWritten::Any => BoardFieldKind::Any,
    };
    if max_characters.is_some()
        && !matches!(
            kind,
            BoardFieldKind::Text { .. } | BoardFieldKind::Url { .. }
        )
    {
        problems.note(format!(
            "{place}.max_len: only a string or a url has a length"
        ));
    }
    if max_characters == Some(0) {
        problems.note(format!("{place}.max_len: it must be at least 1"));
    }
    match (&kind, &written.values) {
        (BoardFieldKind::Choice(values), _)
            if values.is_empty() || values.iter().any(String::is_empty) =>
        {
            problems.note(format!(
                "{place}.values: an enum needs values that are not empty"
            ));
        }
        (BoardFieldKind::Choice(_), _) | (_, None) => {}
        (_, Some(_)) => problems.note(format!("{place}.values: only an enum has values")),
    }
    if let Some(reference) = &written.r#ref {
        if !section.contains_key(&reference.model) {
            problems.note(format!(
                "{place}.ref.model: there is no model {:?}",
                reference.model
            ));
        }
        if written.r#type != TypeWritten::String {
            problems.note(format!("{place}.ref: only a string can name a row"));
        }
    }
    let Some(name) = FieldName::parse(name) else {
        problems.note(format!(
            "{place}: a field's name is lower-case letters, digits and underscores, at most 40"
        ));
        return None;
    };
    let reference = written
        .r#ref
        .as_ref()
        .map(|reference| reference.model.clone());
    Some(BoardField {
        name,
        kind,
        is_required: written.required,
        reference,
        description: written.description.clone(),
    })
}

fn filter_from(key: &str, fields: &IndexMap<String, BoardField>) -> Result<BoardFilter, String> {
    let target = match (key, key.strip_prefix("data__")) {
        ("status", _) => FilterTarget::Status,
        ("is_archived", _) => FilterTarget::IsArchived,
        ("owned_by", _) => FilterTarget::OwnedBy,
        (_, Some(field)) => {
            let field = fields
                .get(field)
                .ok_or_else(|| format!("{key:?} names no field"))?;
            if matches!(
                field.kind,
                BoardFieldKind::Object | BoardFieldKind::Columns | BoardFieldKind::Any
            ) {
                return Err(format!(
                    "{key:?} cannot be compared: its field is neither text, number, boolean nor tags"
                ));
            }
            FilterTarget::Field(field.name.clone(), field.kind.clone())
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
            let field = fields
                .get(field)
                .ok_or_else(|| format!("{key:?} names no field"))?;
            match &field.kind {
                BoardFieldKind::Choice(values) => {
                    Ok(SortKey::Rank(field.name.clone(), values.clone()))
                }
                BoardFieldKind::Object
                | BoardFieldKind::Columns
                | BoardFieldKind::Any
                | BoardFieldKind::Tags => Err(format!("{key:?} has no order")),
                _ => Ok(SortKey::Field(field.name.clone())),
            }
        }
        _ => Err(format!(
            "{key:?} is neither data__ and a field, nor created_at or updated_at"
        )),
    }
}
