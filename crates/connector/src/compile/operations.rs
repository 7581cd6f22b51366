//! Every request that a file speaks of, with its method, path and keys; those of an undo and of a
//! login too.

use std::collections::BTreeSet;

use http::Method;

use super::paging::start_parameter;
use crate::definition::{self, Body, Definition, Reading};
use crate::operation::{BackendOperation, Sent, nameless};
use crate::place::{Placed, Table};

/// Collects them in the order of the file; to be compared only, so what is wrong with them is found
/// elsewhere.
pub(super) fn collect(definition: &Definition) -> Vec<BackendOperation> {
    let mut all = Operations {
        definition,
        list: Vec::new(),
    };
    let upstream = &definition.upstream;
    for check in &upstream.preflight {
        all.add(
            Method::GET,
            &check.get.value,
            false,
            "preflight",
            Some(keys(&check.query)),
            Some(BTreeSet::new()),
        );
    }
    if let Some(login) = &upstream.login {
        let renew = login.value.renew.as_ref().map(|renew| &renew.post);
        for path in std::iter::once(&login.value.post).chain(renew) {
            all.add(
                Method::POST,
                &path.value,
                false,
                "login",
                Some(BTreeSet::new()),
                None,
            );
        }
    }
    if let Some(me) = &upstream.me {
        all.reading(&me.value, "me");
    }
    for (name, source) in definition.sources.iter() {
        let query = all.with_paging(&source.query, source.pages.as_ref());
        all.add(
            Method::GET,
            &source.get.value,
            source.assumed,
            &format!("source {}", name.value),
            Some(query),
            Some(BTreeSet::new()),
        );
    }
    for (name, lookup) in definition.lookups.iter() {
        for one in lookup.one.iter().chain(&lookup.why) {
            all.reading(&one.value, &format!("lookup {}", name.value));
        }
    }
    for (name, model) in definition.models.iter() {
        all.model(&name.value, model);
    }
    for tool in &definition.tools {
        let name = &tool.name.value;
        if let Some(before) = &tool.before {
            all.reading(&before.value, name);
        }
        tool.steps
            .iter()
            .for_each(|step| all.step(&step.value, name));
        tool.undo
            .iter()
            .for_each(|step| all.step(&step.value, &format!("undo of {name}")));
    }
    for (name, record) in definition.records.iter() {
        all.record(&name.value, record);
    }
    for resource in &definition.resources {
        let by = format!("resource {}", resource.name.value);
        let query = Some(keys(&resource.query));
        all.add(
            Method::GET,
            &resource.get.value,
            resource.assumed,
            &by,
            query,
            Some(BTreeSet::new()),
        );
    }
    all.list
}

struct Operations<'d> {
    definition: &'d Definition,
    list: Vec<BackendOperation>,
}

impl Operations<'_> {
    fn add(
        &mut self,
        method: Method,
        path: &str,
        is_assumed: bool,
        by: &str,
        query: Option<BTreeSet<String>>,
        body: Option<BTreeSet<String>>,
    ) {
        let sent = Sent {
            by: by.to_owned(),
            query,
            body,
        };
        let bare = nameless(path);
        match self
            .list
            .iter_mut()
            .find(|known| known.method == method && nameless(&known.path) == bare)
        {
            Some(known) => {
                known.is_assumed |= is_assumed;
                known.requests.push(sent);
            }
            None => self.list.push(BackendOperation {
                method,
                path: path.to_owned(),
                is_assumed,
                requests: vec![sent],
            }),
        }
    }

    fn reading(&mut self, reading: &Reading, by: &str) {
        self.add(
            Method::GET,
            &reading.get.value,
            reading.assumed,
            by,
            Some(keys(&reading.query)),
            Some(BTreeSet::new()),
        );
    }

    fn step(&mut self, step: &definition::Step, by: &str) {
        let body = match &step.body {
            None => Some(BTreeSet::new()),
            Some(Body::Map(map)) => Some(keys(map)),
            Some(Body::Filter(_)) => None,
        };
        for (method, path) in step.requests() {
            let query = self.with_paging(&step.query, step.pages.as_ref());
            self.add(
                method,
                &path.value,
                step.assumed,
                by,
                Some(query),
                body.clone(),
            );
        }
    }

    /// The tools that a model makes; which parameters a list sends is known at the call.
    fn model(&mut self, name: &str, model: &definition::ModelDefinition) {
        use definition::ModelOperation as Op;
        let (rows, row) = (
            model.path.value.clone(),
            format!("{}/{{id}}", model.path.value),
        );
        for op in &model.ops {
            let (method, path, word) = match op.value {
                Op::List => (Method::GET, &rows, "list"),
                Op::Read => (Method::GET, &row, "get"),
                Op::Create => (Method::POST, &rows, "create"),
                Op::Update => (Method::PATCH, &row, "update"),
                Op::Delete => (Method::DELETE, &row, "delete"),
            };
            self.add(method, path, false, &format!("{name}_{word}"), None, None);
        }
    }

    /// What undoing asks of a record.
    fn record(&mut self, name: &str, record: &definition::RecordRules) {
        use definition::RecordFields;
        let by = format!("record {name}");
        let none = || Some(BTreeSet::new());
        let names = |fields: &[definition::RecordField]| {
            let names = fields.iter().map(|field| field.name.value.clone());
            names.collect::<BTreeSet<_>>()
        };
        let single = |filter: &str| filter.strip_prefix('.').map(str::to_owned);
        let version = record.version.as_ref();
        let version = version.and_then(|version| single(&version.value));
        let fields: BTreeSet<String> = match &record.fields {
            RecordFields::Listed(fields) => names(fields),
            RecordFields::Open(map) => single(&map.value).into_iter().collect(),
        };
        let changed: BTreeSet<String> = fields.iter().cloned().chain(version).collect();
        self.add(Method::GET, &record.get.value, false, &by, none(), none());
        for (method, path) in [(Method::PATCH, &record.patch), (Method::PUT, &record.put)] {
            if let Some(path) = path {
                let body = Some(changed.clone());
                self.add(method, &path.value, false, &by, none(), body);
            }
        }
        for (_, attached) in record.attached.iter() {
            let query = attached.query.keys().map(str::to_owned).collect();
            self.add(
                Method::GET,
                &attached.get.value,
                false,
                &by,
                Some(query),
                none(),
            );
        }
        if let Some(create) = &record.create {
            let body = fields.iter().cloned().chain(names(&create.extra)).collect();
            self.add(
                Method::POST,
                &create.post.value,
                false,
                &by,
                none(),
                Some(body),
            );
        }
        if let Some(path) = &record.delete {
            self.add(Method::DELETE, &path.value, false, &by, none(), none());
        }
    }

    /// The parameters of a request, with those that walking a list adds.
    fn with_paging(
        &self,
        query: &Table<Placed<String>>,
        pages: Option<&Placed<String>>,
    ) -> BTreeSet<String> {
        let mut keys = keys(query);
        if let Some(paging) =
            pages.and_then(|name| self.definition.upstream.paging.get(&name.value))
        {
            let parameters = [start_parameter(paging), paging.size.as_ref()];
            keys.extend(
                parameters
                    .into_iter()
                    .flatten()
                    .map(|key| key.value.clone()),
            );
        }
        keys
    }
}

fn keys(map: &Table<Placed<String>>) -> BTreeSet<String> {
    map.keys().map(str::to_owned).collect()
}

/// The requests of steps, for a sentence.
pub(super) fn in_words(steps: &[Placed<definition::Step>]) -> String {
    let requests = steps.iter().flat_map(|step| step.value.requests());
    let words = requests
        .filter(|(method, _)| *method != Method::GET)
        .map(|(method, path)| format!("`{method} {}`", path.value));
    words.collect::<Vec<_>>().join(", ")
}
