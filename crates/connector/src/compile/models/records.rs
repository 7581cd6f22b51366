//! The record of a model, made from its table: what its tools touch, and how that is undone.

use http::Method;

use super::super::compilation::Compilation;
use super::super::tools::steps::get;
use super::writable;
use crate::connector::{CreationPlan, FieldsPlan, RecordKind, RecordPlan, Request};
use crate::connector::{TouchPlan, UndoWay, Undoing};
use crate::definition::{self, Answer, FieldKind, Operation};
use crate::jq::Glue;
use crate::place::Placed;
use crate::template::Template;
use crate::touched::Touch;

/// What a row that is made again does not have.
const LOST: &str = "Its id, and who made it and when.";

impl Compilation<'_> {
    /// The record of a model; none when one cannot be read.
    pub(super) fn model_record(
        &mut self,
        name: &Placed<String>,
        table: &definition::Model,
    ) -> Option<usize> {
        if !has(table, Operation::Read) {
            return None;
        }
        let one = Template::parse(&format!("{}/{{id}}", table.path.value)).ok()?;
        let all = Template::parse(&table.path.value).ok()?;
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
        let fields: Vec<String> = writable(table, table.update.as_deref())
            .map(str::to_owned)
            .collect();
        let extra: Vec<String> = writable(table, table.create.as_deref())
            .filter(|name| !fields.iter().any(|known| known == name))
            .map(str::to_owned)
            .collect();
        let change = has(table, Operation::Update).then(|| send(Method::PATCH, &one));
        let create = has(table, Operation::Create).then(|| CreationPlan {
            request: send(Method::POST, &all),
            extra: extra.iter().map(|name| in_row(name)).collect(),
        });
        let delete = has(table, Operation::Delete).then(|| send(Method::DELETE, &one));
        let text = |field: &&str| {
            table
                .fields
                .get(field)
                .is_some_and(|field| field.kind == FieldKind::String && field.required)
        };
        let called = table.fields.keys().find(text);
        self.records.push(RecordPlan {
            kind: RecordKind {
                name: name.value.clone(),
                can_change: change.is_some(),
                can_make: create.is_some(),
                can_delete: delete.is_some(),
                lost: create.is_some().then(|| LOST.to_owned()),
                fields: Some(fields.clone()),
            },
            get: get(one),
            change,
            create,
            delete,
            id: Glue::of_format(".id"),
            version: Some(Glue::of_format(".updated_at")),
            version_name: None,
            name: called.map(|name| in_row(name).1),
            fields: FieldsPlan::Listed(fields.iter().map(|name| in_row(name)).collect()),
        });
        Some(self.records.len() - 1)
    }

    /// How what a tool of a model does is undone.
    pub(super) fn model_undoing(
        &self,
        op: Operation,
        table: &definition::Model,
        record: Option<usize>,
    ) -> Option<Undoing> {
        let (touch, needed, lacks) = match op {
            Operation::List | Operation::Read => return None,
            Operation::Create => (Touch::Makes, Operation::Delete, "delete"),
            Operation::Update => (Touch::Changes, Operation::Update, "update"),
            Operation::Delete => (Touch::Deletes, Operation::Create, "create"),
        };
        let not = |why: String| Undoing {
            way: UndoWay::Not(why),
            touches: Vec::new(),
            undone: None,
            lost: None,
        };
        let Some(record) = record else {
            return Some(not("Its model has no `read`.".into()));
        };
        let name = self.records.get(record)?.kind.name.clone();
        if !has(table, needed) {
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

fn has(table: &definition::Model, op: Operation) -> bool {
    table.ops.iter().any(|known| known.value == op)
}

/// A field with where a row has it.
fn in_row(name: &str) -> (String, Glue) {
    (name.to_owned(), Glue::of_format(&format!(".data.{name}")))
}
