//! The record of a model, made from its table: what its tools touch, and how that is undone.

use std::sync::Arc;

use http::Method;

use super::super::compilation::Compilation;
use super::super::tools::steps::get;
use super::FIELD_PREFIX;
use crate::connector::{AttachedPlan, CreationPlan, FieldsPlan, RecordKind, RecordPlan, Request};
use crate::connector::{FieldKind, Model, ModelOperation};
use crate::connector::{TouchPlan, UndoWay, Undoing};
use crate::definition::Answer;
use crate::jq::Glue;
use crate::template::Template;
use crate::touched::Touch;

/// What a row that is made again does not have.
const LOST: &str = "Its id, and who made it and when.";

impl Compilation<'_> {
    /// The record of a model; none when one cannot be read.
    pub(super) fn model_record(&mut self, model: &Model) -> Option<usize> {
        if !has(model, ModelOperation::Read) {
            return None;
        }
        let one = Template::parse(&format!("{}/{{id}}", model.path)).ok()?;
        let all = Template::parse(&model.path).ok()?;
        let send = |method: Method, path: &Template| Request {
            reads: false,
            answer: if method == Method::POST {
                Answer::Json
            } else {
                Answer::None
            },
            method,
            ..get(path.clone())
        };
        let fields = &model.update;
        let extra = model.create.iter().filter(|name| !fields.contains(name));
        let change = has(model, ModelOperation::Update).then(|| send(Method::PATCH, &one));
        let create = has(model, ModelOperation::Create).then(|| CreationPlan {
            request: send(Method::POST, &all),
            extra: extra.map(|name| in_row(name)).collect(),
        });
        let delete = has(model, ModelOperation::Delete).then(|| send(Method::DELETE, &one));
        let mut fields_of_model = model.fields.iter();
        let called =
            fields_of_model.find(|field| field.kind == FieldKind::String && field.is_required);
        let sets = model.fields.iter();
        let sets =
            sets.filter(|field| field.kind == FieldKind::Tags && fields.contains(&field.name));
        self.records.push(RecordPlan {
            sets: sets.map(|field| field.name.clone()).collect(),
            attached: Vec::new(),
            kind: RecordKind {
                name: model.name.clone(),
                can_change: change.is_some(),
                can_make: create.is_some(),
                can_delete: delete.is_some(),
                lost: create.is_some().then(|| LOST.to_owned()),
                fields: Some(fields.clone()),
                part_of: None,
            },
            get: get(one),
            change,
            create,
            delete,
            id: Glue::of_format(".id"),
            version: Some(Glue::of_format(".updated_at")),
            version_name: None,
            name: called.map(|field| in_row(&field.name).1),
            fields: FieldsPlan::Listed(fields.iter().map(|name| in_row(name)).collect()),
        });
        Some(self.records.len() - 1)
    }

    /// What hangs on the rows of models: those of others that name one by a field which may be
    /// filtered by.
    pub(super) fn attach_models(&mut self, models: &[Arc<Model>]) {
        for other in models
            .iter()
            .filter(|model| has(model, ModelOperation::List))
        {
            for field in &other.fields {
                let filter = format!("{FIELD_PREFIX}{}", field.name);
                let may_filter = other.filters.iter().any(|key| key.wire == filter);
                let whole = field.reference.as_ref().filter(|_| may_filter);
                let whole = whole.and_then(|whole| {
                    models
                        .iter()
                        .find(|model| model.name == whole.model)?
                        .record
                });
                let plan = whole.and_then(|place| self.records.get_mut(place));
                let (Some(plan), Ok(path)) = (plan, Template::parse(&other.path)) else {
                    continue;
                };
                plan.attached.push(AttachedPlan {
                    noun: other.name.clone(),
                    list: Request {
                        query: vec![(filter, Glue::of_format("$args.id"))],
                        ..get(path)
                    },
                    rows: Glue::of_format(".data"),
                });
            }
        }
    }

    /// How what a tool of a model does is undone.
    pub(super) fn model_undoing(&self, op: ModelOperation, model: &Model) -> Option<Undoing> {
        let (touch, needed, lacks) = match op {
            ModelOperation::List | ModelOperation::Read => return None,
            ModelOperation::Create => (Touch::Makes, ModelOperation::Delete, "delete"),
            ModelOperation::Update => (Touch::Changes, ModelOperation::Update, "update"),
            ModelOperation::Delete => (Touch::Deletes, ModelOperation::Create, "create"),
        };
        let not = |why: String| Undoing {
            way: UndoWay::Not(why),
            touches: Vec::new(),
            undone: None,
            lost: None,
        };
        let Some(record) = model.record else {
            return Some(not("Its model has no `read`.".into()));
        };
        let name = self.records.get(record)?.kind.name.clone();
        if !has(model, needed) {
            return Some(Undoing {
                touches: vec![(touch, name)],
                ..not(format!("Its model has no `{lacks}`."))
            });
        }
        let touched = [TouchPlan {
            record,
            touch,
            ids: None,
            step: 0,
        }];
        Some(Undoing {
            way: UndoWay::Records,
            touches: vec![(touch, name)],
            undone: Some(self.records_undone(&touched)),
            lost: (touch == Touch::Deletes).then(|| LOST.to_owned()),
        })
    }
}

fn has(model: &Model, op: ModelOperation) -> bool {
    model.operations.contains(&op)
}

/// A field with where a row has it.
fn in_row(name: &str) -> (String, Glue) {
    (name.to_owned(), Glue::of_format(&format!(".data.{name}")))
}
