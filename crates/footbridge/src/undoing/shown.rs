//! The plan and the end of an undo as they are shown: one JSON for programs and clients, lines for
//! people.

use footbridge_connector::{CallWay, FieldVerdict, PlannedField, PlannedRecord, RecordAct};
use serde_json::{Map, Value, json};

use footbridge_store::ChangeId;

use super::{UndoPlan, UndoStep, Undone};
use crate::json_object::JsonObject;
use crate::shortened;

/// Characters of a value that a person reads in a line.
const VALUE_CHARACTERS: usize = 60;

impl UndoPlan {
    /// The plan as JSON.
    pub(crate) fn json(&self) -> Value {
        Value::Object(self.members())
    }

    /// The members of the plan as JSON.
    pub(crate) fn members(&self) -> Map<String, Value> {
        let conflicts = self
            .conflicts()
            .filter_map(|(record, field)| match &field.verdict {
                FieldVerdict::Conflict { before, ours, now } => Some(json!({
                    "record": name(record),
                    "field": field.field,
                    "before": before,
                    "ours": ours,
                    "now": now,
                })),
                _ => None,
            });
        let refused = self
            .left
            .iter()
            .map(|(change, why)| json!({ "change": change.number(), "because": why }));
        let unsettable = self.unsettable().map(
            |(record, field, why)| json!({ "record": name(record), "field": field, "because": why }),
        );
        let left = refused
            .chain(obstacles(&self.records.records))
            .chain(unsettable);
        let lost = self.records.records.iter().filter_map(|record| {
            let lost = record
                .lost
                .as_ref()
                .filter(|_| record.act == RecordAct::Make)?;
            Some(json!({ "record": name(record), "lost": lost }))
        });
        let lost_with_calls = self.lost_with_calls();
        let lost = lost.chain(
            lost_with_calls
                .map(|(change, lost)| json!({ "change": change.number(), "lost": lost })),
        );
        JsonObject::default()
            .with(
                "undo",
                self.steps
                    .iter()
                    .map(|one| Value::Object(step(one)))
                    .collect::<Vec<_>>(),
            )
            .with_list("conflicts", conflicts.collect())
            .with_list("left", left.collect())
            .with_list("lost", lost.collect())
            .with("digest", self.digest.as_str())
            .into()
    }

    /// Fields that people changed since.
    fn conflicts(&self) -> impl Iterator<Item = (&PlannedRecord, &PlannedField)> {
        let taken_back = self.taken_back_conflicts.iter();
        self.records
            .conflicts()
            .chain(taken_back.map(|(record, field)| (record, field)))
    }

    /// What calls do not bring back that are taken back.
    fn lost_with_calls(&self) -> impl Iterator<Item = (ChangeId, &str)> {
        self.steps.iter().filter_map(|step| match step {
            UndoStep::Call { change, lost, .. } => Some((*change, lost.as_deref()?)),
            UndoStep::Record { .. } => None,
        })
    }

    /// Fields that cannot be put back, and why.
    fn unsettable(&self) -> impl Iterator<Item = (&PlannedRecord, &str, String)> {
        self.records.records.iter().flat_map(|record| {
            record.fields.iter().filter_map(move |field| {
                let why = match &field.verdict {
                    FieldVerdict::Gone => "the record is gone".to_owned(),
                    FieldVerdict::Cannot { why } => why.to_string(),
                    FieldVerdict::Set { .. }
                    | FieldVerdict::Already { .. }
                    | FieldVerdict::Conflict { .. } => return None,
                };
                Some((record, field.field.as_str(), why))
            })
        })
    }

    /// The plan as lines for a person.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.steps.iter().map(line).collect();
        lines.extend(self.left_lines());
        if lines.is_empty() {
            lines.push("nothing is left to undo: all is as it was before".to_owned());
        }
        lines
    }

    /// What it leaves and what does not come back, as lines for a person.
    pub(crate) fn left_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (record, field) in self.conflicts() {
            if let FieldVerdict::Conflict { before, ours, now } = &field.verdict {
                lines.push(format!(
                    "leave {} {}: it was {}, the change made it {}, and it is {} now",
                    name(record),
                    field.field,
                    short(before.as_ref()),
                    short(ours.as_ref()),
                    short(now.as_ref())
                ));
            }
        }
        lines.extend(
            self.left
                .iter()
                .map(|(change, why)| format!("leave change {change}: {why}")),
        );
        for (record, field, why) in self.unsettable() {
            lines.push(format!("leave {} {field}, because {why}", name(record)));
        }
        for record in &self.records.records {
            let obstacles = record.obstacles.iter();
            lines.extend(obstacles.map(|obstacle| {
                format!(
                    "leave change {} of {}, because {}",
                    obstacle.change,
                    name(record),
                    obstacle.why
                )
            }));
            if let Some(lost) = record
                .lost
                .as_ref()
                .filter(|_| record.act == RecordAct::Make)
            {
                lines.push(format!("lost with {}: {lost}", name(record)));
            }
        }
        let lost_with_calls = self.lost_with_calls();
        lines.extend(
            lost_with_calls.map(|(change, lost)| format!("lost with change {change}: {lost}")),
        );
        lines
    }
}

impl Undone {
    /// How far it came, as JSON.
    pub(crate) fn json(&self) -> Value {
        let done = self.done.iter().map(|done| {
            let ignored = done.ignored.iter().map(|name| json!(name));
            JsonObject::from(step(&done.step))
                .with_some("change", done.change.map(ChangeId::number))
                .with_list("ignored", ignored.collect())
                .into()
        });
        let failed = self
            .failed
            .as_ref()
            .map(|(at, why)| json!({ "undo": step(at), "because": why }));
        let left = self.left.iter().map(|step| Value::Object(self::step(step)));
        JsonObject::default()
            .with("undone", done.collect::<Vec<Value>>())
            .with_some("failed", failed)
            .with_list("not_tried", left.collect())
            .into()
    }

    /// How far it came, as lines for a person.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .done
            .iter()
            .map(|done| {
                let sentence = match done.change {
                    Some(change) => format!("done, as change {change}: {}", line(&done.step)),
                    None => format!("nothing was left to send: {}", line(&done.step)),
                };
                match done.ignored.as_slice() {
                    [] => sentence,
                    ignored => format!(
                        "{sentence}; but the backend left {} as it was, though it said that all went well",
                        ignored.join(", ")
                    ),
                }
            })
            .collect();
        if let Some((at, why)) = &self.failed {
            lines.push(format!("failed: {}: {why}", line(at)));
            lines.extend(
                self.left
                    .iter()
                    .map(|left| format!("not tried: {}", line(left))),
            );
        }
        lines
    }
}

fn obstacles(records: &[PlannedRecord]) -> Vec<Value> {
    let of = |record: &PlannedRecord| {
        let record_name = name(record);
        let obstacles = record.obstacles.iter().map(move |obstacle| {
            json!({
                "change": obstacle.change.parse::<i64>().ok(),
                "record": record_name,
                "because": obstacle.why.to_string(),
            })
        });
        obstacles.collect::<Vec<_>>()
    };
    records.iter().flat_map(of).collect()
}

/// A record by its kind, its id and its name.
fn name(record: &PlannedRecord) -> String {
    match &record.name {
        Some(name) => format!("{} {}", record.record, name),
        None => record.record.to_string(),
    }
}

fn step(step: &UndoStep) -> Map<String, Value> {
    let numbers: Vec<i64> = step
        .changes()
        .iter()
        .filter_map(|id| id.parse().ok())
        .collect();
    let shown = JsonObject::default().with("changes", numbers);
    match step {
        UndoStep::Record { planned, .. } => {
            let values = planned.values();
            let is_told = !values.is_empty() && planned.act != RecordAct::Delete;
            shown
                .with("record", name(planned))
                .with("act", act(planned.act))
                .with_some("set", is_told.then(|| json!(values)))
        }
        UndoStep::Call { tool, way, .. } => match way {
            CallWay::Back => shown.with("take_back", tool.as_str()),
            CallWay::Again => shown.with("call_again", tool.as_str()),
        },
    }
    .into()
}

fn act(act: RecordAct) -> &'static str {
    match act {
        RecordAct::Nothing => "nothing",
        RecordAct::Change => "put back",
        RecordAct::Make => "make again",
        RecordAct::Delete => "delete",
    }
}

fn line(step: &UndoStep) -> String {
    match step {
        UndoStep::Record { planned, .. } => {
            let values = planned.values();
            let set: Vec<String> = match planned.act {
                RecordAct::Change => values
                    .iter()
                    .map(|(field, value)| format!("{field} = {}", short(value.as_ref())))
                    .collect(),
                _ => Vec::new(),
            };
            let set = match set.is_empty() {
                true => String::new(),
                false => format!(": {}", set.join(", ")),
            };
            format!("{} {}{set}", act(planned.act), name(planned))
        }
        UndoStep::Call {
            tool, change, way, ..
        } => match way {
            CallWay::Back => format!("take back change {change} of {tool}"),
            CallWay::Again => format!("call {tool} again, which change {change} took back"),
        },
    }
}

fn short(value: Option<&Value>) -> String {
    shortened::value(value, VALUE_CHARACTERS)
}
