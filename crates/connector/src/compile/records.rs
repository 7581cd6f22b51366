//! Records: paths over an id, filters over a record, and the fields that may be put back.

use http::Method;

use super::compilation::Compilation;
use super::scope::FilterScope;
use super::tools::steps::get;
use crate::connector::{
    AttachedPlan, CreationPlan, FieldsPlan, MAX_FIELDS, RecordKind, RecordPlan, Request,
};
use crate::definition::{Answer, RecordField, RecordFields, RecordRules};
use crate::jq::{self, Glue, Variable};
use crate::place::Placed;

/// Kinds of records that a file may have.
const MAX_RECORDS: usize = 100;
/// What paths of records call the id.
const ID: &str = "id";

impl<'d> Compilation<'d> {
    /// Reads every record.
    pub(super) fn add_records(&mut self) {
        for (index, (name, rules)) in self.definition.records.iter().enumerate() {
            if index == MAX_RECORDS {
                self.found.add(
                    name.place,
                    "records",
                    format!("a file has at most {MAX_RECORDS} records"),
                );
            }
            self.check_name(name, "records");
            if self.definition.models.get(&name.value).is_some() {
                self.found.add_with_hint(
                    name.place,
                    "records",
                    format!("the model `{}` has made this record already", name.value),
                    "leave it out, or give it another name",
                );
            }
            let plan = self.record(name, rules);
            self.records.extend(plan);
        }
    }

    fn record(&mut self, name: &Placed<String>, rules: &'d RecordRules) -> Option<RecordPlan> {
        let part = format!("records.{}", name.value);
        let read = self.record_path(&rules.get, &format!("{part}.get"), true);
        let change = self.record_change(rules, &part);
        let delete = rules
            .delete
            .as_ref()
            .and_then(|path| self.record_path(path, &format!("{part}.delete"), true));
        let id = match &rules.id {
            Some(filter) => self.record_filter(filter, &format!("{part}.id")),
            None => Glue::of_format(".id"),
        };
        let version = rules
            .version
            .as_ref()
            .map(|filter| self.record_filter(filter, &format!("{part}.version")));
        let called = rules
            .name
            .as_ref()
            .map(|filter| self.record_filter(filter, &format!("{part}.name")));
        let fields = self.record_fields(name, &rules.fields, &part);
        let create = self.record_creation(rules, &fields, &part);
        for (key, text) in [("lost", &rules.lost)] {
            if let Some(text) = text.as_ref().filter(|text| text.value.trim().is_empty()) {
                self.found
                    .add(text.place, format!("{part}.{key}"), "must not be empty");
            }
        }
        if let Some(lost) = rules.lost.as_ref().filter(|_| rules.create.is_none()) {
            self.found.add(
                lost.place,
                &part,
                "`lost` is what making it again cannot bring back: there is no `create`",
            );
        }
        self.check_whole(name, rules, &part);
        let sets = self.record_sets(rules, &fields, &part);
        let attached = self.attached(rules, &part);
        let names = match &fields {
            FieldsPlan::Listed(list) => Some(list.iter().map(|(name, _)| name.clone()).collect()),
            FieldsPlan::Open { .. } => None,
        };
        Some(RecordPlan {
            kind: RecordKind {
                name: name.value.clone(),
                fields: names,
                can_change: change.is_some(),
                can_make: create.is_some(),
                can_delete: delete.is_some(),
                lost: rules.lost.as_ref().map(|lost| lost.value.clone()),
                part_of: rules.part_of.as_ref().map(|whole| whole.value.clone()),
            },
            get: get(read?),
            change,
            create,
            delete: delete.map(|path| Request {
                method: Method::DELETE,
                reads: false,
                answer: Answer::None,
                ..get(path)
            }),
            id,
            version_name: version.as_ref().and_then(single_name),
            version,
            name: called,
            fields,
            sets,
            attached,
        })
    }

    /// The fields that are sets, which must be fields.
    fn record_sets(
        &mut self,
        rules: &'d RecordRules,
        fields: &FieldsPlan,
        part: &str,
    ) -> Vec<String> {
        let part = format!("{part}.sets");
        let known: Vec<&str> = match fields {
            FieldsPlan::Listed(fields) => fields.iter().map(|(name, _)| name.as_str()).collect(),
            FieldsPlan::Open { .. } => Vec::new(),
        };
        let mut sets: Vec<String> = Vec::new();
        for set in &rules.sets {
            let name = &set.value;
            if sets.contains(name) {
                self.found
                    .add(set.place, &part, format!("`{name}` is there twice"));
            } else if !known.contains(&name.as_str()) {
                self.found
                    .add(set.place, &part, format!("`{name}` is none of `fields`"));
            }
            sets.push(name.clone());
        }
        sets
    }

    /// What hangs on a record.
    fn attached(&mut self, rules: &'d RecordRules, part: &str) -> Vec<AttachedPlan> {
        let mut attached = Vec::new();
        for (noun, list) in rules.attached.iter() {
            let part = format!("{part}.attached.{}", noun.value);
            if rules.delete.is_none() {
                self.found.add(
                    noun.place,
                    &part,
                    "what would go with it is asked for before it is deleted: there is no `delete`",
                );
            }
            let scope = FilterScope::of_names(
                self.definition,
                vec![ID],
                &[Variable::Args, Variable::Before],
            );
            let query = self.query(&list.query, &part, &scope);
            let rows = match &list.rows {
                Some(rows) => self.record_filter(rows, &format!("{part}.rows")),
                None => Glue::of_format("."),
            };
            let names_it = list.get.value.contains("{id}");
            let path = self.record_path(&list.get, &format!("{part}.get"), names_it);
            attached.extend(path.map(|path| AttachedPlan {
                noun: noun.value.clone(),
                list: Request { query, ..get(path) },
                rows,
            }));
        }
        attached
    }

    /// What it is a part of is a record of the file, which is a part of nothing itself.
    fn check_whole(&mut self, name: &Placed<String>, rules: &RecordRules, part: &str) {
        let Some(whole) = &rules.part_of else {
            return;
        };
        let problem = match self.definition.records.get(&whole.value) {
            None => format!("there is no record `{}`", whole.value),
            Some(_) if whole.value == name.value => "is a part of itself".to_owned(),
            Some(found) if found.part_of.is_some() => {
                format!("`{}` is a part of another record itself", whole.value)
            }
            Some(_) => return,
        };
        let whole_records = self.definition.records.iter();
        let names: Vec<&str> = whole_records
            .filter(|(other, rules)| rules.part_of.is_none() && other.value != name.value)
            .map(|(other, _)| other.value.as_str())
            .collect();
        let part = format!("{part}.part_of");
        match names.as_slice() {
            [] => self.found.add(whole.place, part, problem),
            names => self.found.add_with_hint(
                whole.place,
                part,
                problem,
                format!("it may be a part of {}", names.join(", ")),
            ),
        }
    }

    fn record_change(&mut self, rules: &'d RecordRules, part: &str) -> Option<Request> {
        let (method, key, path) = match (&rules.patch, &rules.put) {
            (None, None) => return None,
            (Some(path), None) => (Method::PATCH, "patch", path),
            (None, Some(path)) => (Method::PUT, "put", path),
            (Some(_), Some(path)) => {
                self.found.add(
                    path.place,
                    part,
                    "has `patch` and `put`: it can be only one of the two",
                );
                (Method::PUT, "put", path)
            }
        };
        let path = self.record_path(path, &format!("{part}.{key}"), true)?;
        Some(Request {
            method,
            reads: false,
            answer: Answer::None,
            ..get(path)
        })
    }

    fn record_creation(
        &mut self,
        rules: &'d RecordRules,
        fields: &FieldsPlan,
        part: &str,
    ) -> Option<CreationPlan> {
        let create = rules.create.as_ref()?;
        let part = format!("{part}.create");
        let FieldsPlan::Listed(known) = fields else {
            self.found.add(
                create.post.place,
                part,
                "a record whose fields are an open map cannot be made",
            );
            return None;
        };
        let path = self.record_path(&create.post, &format!("{part}.post"), false);
        let extra = self.field_filters(&create.extra, &format!("{part}.with"));
        for ((name, _), written) in extra.iter().zip(&create.extra) {
            if known.iter().any(|(known, _)| known == name) {
                self.found.add(
                    written.name.place,
                    format!("{part}.with"),
                    format!("`{name}` is one of `fields` already"),
                );
            }
        }
        Some(CreationPlan {
            request: Request {
                method: Method::POST,
                reads: false,
                ..get(path?)
            },
            extra,
        })
    }

    fn record_fields(
        &mut self,
        name: &Placed<String>,
        fields: &'d RecordFields,
        part: &str,
    ) -> FieldsPlan {
        let part = format!("{part}.fields");
        match fields {
            RecordFields::Listed(fields) => {
                if fields.is_empty() || fields.len() > MAX_FIELDS {
                    self.found.add(
                        name.place,
                        &part,
                        format!(
                            "a record has 1 to {MAX_FIELDS} fields, this one has {}",
                            fields.len()
                        ),
                    );
                }
                FieldsPlan::Listed(self.field_filters(fields, &part))
            }
            RecordFields::Open(map) => {
                let glue = self.record_filter(map, &part);
                let name = single_name(&glue);
                if name.is_none() {
                    self.found.add_with_hint(
                        map.place,
                        &part,
                        format!("`{}` is not the name of a map in the record", map.value),
                        "write one name, such as `.values`; the same name is written",
                    );
                }
                FieldsPlan::Open {
                    name: name.unwrap_or_default(),
                    map: glue,
                }
            }
        }
    }

    fn field_filters(&mut self, fields: &'d [RecordField], part: &str) -> Vec<(String, Glue)> {
        let mut filters: Vec<(String, Glue)> = Vec::new();
        for field in fields {
            let name = &field.name;
            if name.value.is_empty() {
                self.found.add(name.place, part, "a field needs a name");
            }
            if filters.iter().any(|(known, _)| *known == name.value) {
                self.found
                    .add(name.place, part, format!("`{}` is there twice", name.value));
            }
            for other in &field.others {
                self.found.add_with_hint(
                    other.place,
                    part,
                    format!("`{}` is a second name of one field", other.value),
                    "write each as `{ name: filter }` of its own",
                );
            }
            let glue = match &field.from {
                Some(filter) => self.record_filter(filter, &format!("{part}.{}", name.value)),
                None => Glue::of_input_key(&name.value),
            };
            filters.push((name.value.clone(), glue));
        }
        filters
    }

    /// A filter over a record, which sees nothing else but settings.
    fn record_filter(&mut self, filter: &'d Placed<String>, part: &str) -> Glue {
        let uses = jq::uses(&filter.value);
        if uses.iter().any(|used| used.variable == Variable::Me) {
            self.found.add(
                filter.place,
                part,
                "a filter over a record sees the record alone: there is no $me here",
            );
        }
        let scope = FilterScope::new(self.definition, &[]);
        self.filter(filter, part, &scope)
    }

    /// A path of a record, which names its id or, where one is made, does not.
    fn record_path(
        &mut self,
        path: &'d Placed<String>,
        part: &str,
        of_one: bool,
    ) -> Option<crate::template::Template> {
        let template = self.template(path, part)?;
        let allowed = if of_one {
            "`{id}` and settings"
        } else {
            "settings"
        };
        let mut is_sound = true;
        for name in template.names() {
            if (of_one && name == ID) || name.starts_with("settings.") {
                continue;
            }
            is_sound = false;
            let byte = path.value.find(&format!("{{{name}}}")).unwrap_or_default();
            let place = self.filters.place(path, byte);
            self.found.add_with_hint(
                place,
                part,
                format!("there is no `{name}` here"),
                format!("this path of a record names {allowed} alone"),
            );
        }
        if of_one && is_sound && !template.names().any(|name| name == ID) {
            is_sound = false;
            self.found.add_with_hint(
                path.place,
                part,
                format!("`{}` does not say which record", path.value),
                "its id goes where the path has `{id}`",
            );
        }
        if !is_sound {
            return None;
        }
        let scope = FilterScope::of_names(self.definition, vec![ID], &[Variable::Args]);
        self.path(path, part, &scope)
    }
}

/// The name, when the filter is one name below the record and nothing else.
pub(super) fn single_name(glue: &Glue) -> Option<String> {
    match glue.of_input()? {
        [key] => Some(key.name.clone()),
        _ => None,
    }
}
