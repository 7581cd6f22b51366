//! A backend with records that are read, changed, made and deleted by their paths, people who
//! change them meanwhile, and a witness of what calls write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use footbridge_connector::{
    BackendError, BoxFuture, ChangePlan, Options, Outcome, PastChange, TouchedRecord, WriteWitness,
    plan_undo, records_to_read,
};
use serde_json::{Map, Value, json};

use crate::fake::Seen;
use crate::golden::connector_file;
use crate::scripted::{Answer, Scripted, ok, refused};

/// How the backend behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    #[default]
    Well,
    /// Answers 200 to every change and does nothing.
    Idle,
    /// Carries every change out and breaks the answer.
    Mute,
    /// Refuses every change but the first.
    Tired,
}

/// Records by path.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) records: BTreeMap<String, Value>,
    pub(crate) manner: Manner,
    /// Done before the next change is looked at, as by somebody who is quicker.
    pub(crate) quicker: Option<(String, Value)>,
    changes: usize,
    clock: u64,
}

impl World {
    /// A person changes a record; what stands under `data` where it has that.
    pub(crate) fn change(&mut self, path: &str, body: &Value) {
        self.clock += 1;
        let record = self.records.get_mut(path).unwrap();
        if let Some(version) = record.get("version").and_then(Value::as_u64) {
            record["version"] = json!(version + 1);
        }
        let fields = if record.get("data").is_some() {
            record["updated_at"] = json!(format!("t{}", self.clock));
            &mut record["data"]
        } else {
            record
        };
        for (name, value) in body.as_object().into_iter().flatten() {
            if name != "version" {
                fields[name] = value.clone();
            }
        }
    }

    fn answer(&mut self, seen: &Seen) -> Answer {
        let path = seen.path.split('?').next().unwrap().to_owned();
        if seen.method == "GET" {
            return match self.records.get(&path) {
                Some(record) => ok(record.clone()),
                None => refused(404, json!({"detail": "Not found."})),
            };
        }
        if let Some((path, body)) = self.quicker.take() {
            self.change(&path, &body);
        }
        self.changes += 1;
        match (self.manner, self.changes) {
            (Manner::Idle, _) => {
                return ok(self.records.get(&path).cloned().unwrap_or_default());
            }
            (Manner::Tired, 2..) => return refused(400, json!({"detail": "Enough."})),
            _ => {}
        }
        let answer = self.carried_out(seen, &path);
        if self.manner == Manner::Mute {
            return Answer(200, Vec::new(), "<html>".to_owned());
        }
        answer
    }

    fn carried_out(&mut self, seen: &Seen, path: &str) -> Answer {
        match seen.method.as_str() {
            "POST" => {
                let id = 100 + self.records.len();
                let is_row = path.contains("/data/");
                let record = if is_row {
                    json!({"id": id.to_string(), "updated_at": "t0", "data": seen.body})
                } else {
                    let mut record = seen.body.clone();
                    record["id"] = json!(id);
                    record["version"] = json!(1);
                    record
                };
                self.records.insert(format!("{path}/{id}"), record.clone());
                ok(record)
            }
            "DELETE" => match self.records.remove(path) {
                Some(_) => Answer(204, Vec::new(), String::new()),
                None => refused(404, json!({"detail": "Not found."})),
            },
            _ => {
                let Some(record) = self.records.get(path) else {
                    return refused(404, json!({"detail": "Not found."}));
                };
                let version = record.get("version");
                if version.is_some() && seen.body.get("version") != version {
                    let what = "The version doesn't match with the current one";
                    return refused(400, json!({ "version": what }));
                }
                self.change(path, &seen.body);
                ok(self.records[path].clone())
            }
        }
    }
}

/// A connector over a world.
pub(crate) struct Served {
    pub(crate) scripted: Scripted,
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) witness: Arc<Witness>,
}

/// Writes down what calls are about to write.
#[derive(Default)]
pub(crate) struct Witness {
    pub(crate) begun: Mutex<Vec<Vec<TouchedRecord>>>,
    pub(crate) refuses: Mutex<Option<String>>,
}

impl WriteWitness for Witness {
    fn begin<'w>(&'w self, touched: &'w [TouchedRecord]) -> BoxFuture<'w, Result<(), String>> {
        self.begun.lock().unwrap().push(touched.to_vec());
        let refused = self.refuses.lock().unwrap().clone();
        Box::pin(async move { refused.map_or(Ok(()), Err) })
    }
}

impl Served {
    pub(crate) fn new(yaml: &str, records: Value) -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        for (path, record) in records.as_object().unwrap() {
            let mut world = world.lock().unwrap();
            world.records.insert(path.clone(), record.clone());
        }
        let answering = Arc::clone(&world);
        let settings = [
            ("TAIGA_BASE_URL", "http://localhost"),
            ("TAIGA_TOKEN", "taiga-token-of-tests"),
            ("PRODMCP_BASE_URL", "http://localhost"),
            ("PRODMCP_TOKEN", "pat_of_the_tests_of_undoing"),
            ("PARCEL_URL", "http://localhost"),
            ("PARCEL_KEY", "key-of-parcel"),
            ("PTM_API_BASE_URL", "http://localhost"),
            ("PTM_API_TOKEN", "ptm-token-of-tests"),
        ];
        let scripted = Scripted::later(yaml, &settings, move |seen| {
            let answer = answering.lock().unwrap().answer(&seen);
            Box::pin(async move { answer })
        });
        Self {
            scripted,
            world,
            witness: Arc::default(),
        }
    }

    /// A story of Taiga with custom attributes, and a task.
    pub(crate) fn taiga() -> Self {
        Self::new(
            &connector_file("taiga.yaml"),
            json!({
                "/api/v1/users/me": {"id": 5, "username": "ana"},
                "/api/v1/userstories/7": {"id": 7, "ref": 12, "project": 1, "subject": "Sign in", "description": "",
                    "status": 1, "tags": [["web", null]], "assigned_to": null, "assigned_users": [], "milestone": null, "due_date": null,
                    "points": {}, "is_blocked": false, "blocked_note": "", "watchers": [], "version": 3},
                "/api/v1/userstories/custom-attributes-values/7":
                    {"attributes_values": {"1": "small", "2": "ops"}, "version": 5, "user_story": 7},
                "/api/v1/userstory-custom-attributes": [{"id": 1, "name": "Size"}, {"id": 2, "name": "Team"}, {"id": 3, "name": "Risk"}],
                "/api/v1/tasks/9": {"id": 9, "ref": 13, "project": 1, "subject": "Draw", "status": 4, "tags": [],
                    "user_story": 7, "milestone": 2, "version": 1},
            }),
        )
    }

    /// A card of a board.
    pub(crate) fn board() -> Self {
        Self::new(
            &connector_file("prodmcp.yaml"),
            json!({
                "/xapi2/data/card/c1": {"id": "c1", "created_at": "t0", "updated_at": "t0", "is_archived": false,
                    "data": {"title": "One", "status": "todo", "position": 1.5, "tags": ["a"]}}
            }),
        )
    }

    pub(crate) fn record(&self, path: &str) -> Value {
        let world = self.world.lock().unwrap();
        world.records.get(path).cloned().unwrap_or_default()
    }

    pub(crate) fn person_changes(&self, path: &str, body: Value) {
        self.world.lock().unwrap().change(path, &body);
    }

    pub(crate) fn behaves(&self, manner: Manner) {
        self.world.lock().unwrap().manner = manner;
    }

    /// Calls a tool before the witness.
    pub(crate) async fn write(
        &self,
        tool: &str,
        arguments: Value,
    ) -> Result<Outcome, BackendError> {
        let options = self.options();
        let arguments: Map<String, Value> = arguments.as_object().unwrap().clone();
        let backend = &self.scripted.backend;
        backend.call_with(tool, arguments, options).await
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            witness: Some(self.witness.clone()),
            ..Options::default()
        }
    }

    /// A plan to undo what calls touched, newest last, over the records as they are now.
    pub(crate) async fn plan(&self, touched: &[&[TouchedRecord]]) -> ChangePlan {
        let mut history = Vec::new();
        for (number, touched) in touched.iter().enumerate() {
            history.extend(touched.iter().map(|touched| PastChange {
                change: format!("c{number}"),
                record: touched.record.clone(),
                transition: touched.transition(),
                is_selected: true,
            }));
        }
        let mut current = BTreeMap::new();
        for record in records_to_read(&history) {
            let backend = &self.scripted.backend;
            let now = backend.read_image(&record.kind, &record.id).await.unwrap();
            current.insert(record, now);
        }
        plan_undo(&history, &current)
    }

    /// Sends a whole plan; what it touched.
    pub(crate) async fn restore(
        &self,
        plan: &ChangePlan,
    ) -> Result<Vec<TouchedRecord>, BackendError> {
        let mut touched = Vec::new();
        for planned in &plan.records {
            let witness: Arc<dyn WriteWitness> = self.witness.clone();
            let backend = &self.scripted.backend;
            touched.extend(backend.restore(planned, Some(witness)).await?);
        }
        Ok(touched)
    }

    /// The requests, without that for who we are.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.scripted.lines().into_iter();
        lines.filter(|line| !line.ends_with("/users/me")).collect()
    }
}
