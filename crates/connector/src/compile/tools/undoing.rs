//! What a tool touches and how its change is taken back: what the file says of it, checked, and
//! the sentences that say it to people.

use std::collections::BTreeSet;

use super::super::compilation::Compilation;
use super::super::operations;
use super::super::scope::FilterScope;
use super::steps;
use crate::connector::{TouchPlan, UndoNames, UndoWay, Undoing};
use crate::definition::{self, ToolEffect};
use crate::jq::{self, Variable};
use crate::operation::nameless;
use crate::place::{Place, Placed};
use crate::touched::Touch;

impl<'d> Compilation<'d> {
    /// Keys that are for tools that write.
    pub(super) fn check_undo_keys_of_read(&mut self, tool: &definition::ToolDefinition) {
        let keys = [
            (tool.undo.first().map(|step| step.place), "undo"),
            (place_of(tool.no_undo.as_ref()), "no_undo"),
            (first_key(&tool.changes), "changes"),
            (place_of(tool.makes.0.first()), "makes"),
            (first_key(&tool.deletes), "deletes"),
            (place_of(tool.inverse.as_ref()), "inverse"),
            (place_of(tool.lost.as_ref()), "lost"),
        ];
        for (place, key) in keys {
            if let Some(place) = place {
                let part = &tool.name.value;
                self.found
                    .add(place, part, format!("a tool that reads has no `{key}`"));
            }
        }
    }

    /// A tool that writes says in one way how that is undone, or why not.
    pub(super) fn check_undo_keys(&mut self, tool: &definition::ToolDefinition) {
        let part = &tool.name.value;
        let ways: Vec<(Place, &str)> = [
            (tool.undo.first().map(|step| step.place), "undo"),
            (place_of(tool.inverse.as_ref()), "inverse"),
            (place_of(tool.no_undo.as_ref()), "no_undo"),
        ]
        .into_iter()
        .filter_map(|(place, key)| place.map(|place| (place, key)))
        .collect();
        let touches =
            !tool.changes.is_empty() || !tool.makes.0.is_empty() || !tool.deletes.is_empty();
        match ways.as_slice() {
            [] if !touches => self.found.add_with_hint(
                tool.name.place,
                part,
                "a tool that writes says how it is undone, or `no_undo` with the reason",
                "`changes`, `makes` and `deletes` name the records that it touches; `inverse` \
                 names another tool; `undo` has steps",
            ),
            [(_, first), (place, second), ..] => self.found.add(
                *place,
                part,
                format!("has `{first}` and `{second}`: it can be only one of the two"),
            ),
            _ => {}
        }
        for (key, text) in [("no_undo", &tool.no_undo), ("lost", &tool.lost)] {
            if let Some(text) = text.as_ref().filter(|text| text.value.trim().is_empty()) {
                let what = if key == "lost" { "what" } else { "why" };
                self.found
                    .add(text.place, part, format!("`{key}` must say {what}"));
            }
        }
        if let (Some(lost), Some(_)) = (&tool.lost, &tool.no_undo) {
            self.found.add(
                lost.place,
                part,
                "`lost` is what undoing does not bring back: with `no_undo` nothing is undone",
            );
        }
        if let Some(inverse) = &tool.inverse {
            self.check_inverse(tool, inverse);
        }
    }

    fn check_inverse(&mut self, tool: &definition::ToolDefinition, inverse: &Placed<String>) {
        let part = &tool.name.value;
        let mut tools = self.definition.tools.iter();
        let Some(other) = tools.find(|other| other.name.value == inverse.value) else {
            self.found.add_with_hint(
                inverse.place,
                part,
                format!("there is no tool `{}`", inverse.value),
                "`inverse` is the name of a tool of this file",
            );
            return;
        };
        if other.effect.value == ToolEffect::Read {
            self.found.add(
                inverse.place,
                part,
                format!(
                    "the tool `{}` only reads, so it undoes nothing",
                    inverse.value
                ),
            );
        }
        let strange =
            other
                .input
                .iter()
                .find(|(name, argument)| match tool.input.get(&name.value) {
                    Some(known) => known.kind != argument.kind,
                    None => argument.required,
                });
        if let Some((name, _)) = strange {
            self.found.add_with_hint(
                inverse.place,
                part,
                format!(
                    "the tool `{}` takes another `{}` than this one",
                    inverse.value, name.value
                ),
                "it is called with the arguments of this tool",
            );
        }
    }

    /// The records that a tool touches.
    pub(super) fn touches(&mut self, tool: &'d definition::ToolDefinition) -> Vec<TouchPlan> {
        let part = &tool.name.value;
        let mut scope = FilterScope::of_tool(
            self.definition,
            tool,
            &[Variable::Args, Variable::Given, Variable::Steps],
        );
        if tool.before.is_some() {
            scope = scope.with(Variable::Before);
        }
        let reads = |step: &&Placed<definition::Step>| !writes(&step.value);
        for step in tool.steps.iter().take_while(reads) {
            if let Some(name) = &step.value.name {
                scope.add_step(&name.value);
            }
        }
        let mut touches = Vec::new();
        for (key, touch, named) in [
            ("changes", Touch::Changes, &tool.changes),
            ("deletes", Touch::Deletes, &tool.deletes),
        ] {
            for (name, filter) in named.iter() {
                let part = format!("{part}.{key}.{}", name.value);
                let ids = self.filter(filter, &part, &scope);
                let Some(record) = self.touched_record(tool, name, touch, &part) else {
                    continue;
                };
                touches.push(TouchPlan {
                    record,
                    touch,
                    ids: Some(ids),
                    step: 0,
                });
            }
        }
        for name in &tool.makes.0 {
            let part = format!("{part}.makes");
            if let Some(record) = self.touched_record(tool, name, Touch::Makes, &part) {
                let step = self.making_step(tool, record).unwrap_or_else(|| {
                    self.found.add(
                        name.place,
                        &part,
                        "what is made is the answer to a `post`: the tool needs a step with one",
                    );
                    0
                });
                touches.push(TouchPlan {
                    record,
                    touch: Touch::Makes,
                    ids: None,
                    step,
                });
            }
        }
        touches
    }

    /// The place of a record, which must be able to undo what is done to it where nothing else
    /// does.
    fn touched_record(
        &mut self,
        tool: &definition::ToolDefinition,
        name: &Placed<String>,
        touch: Touch,
        part: &str,
    ) -> Option<usize> {
        let place = self
            .records
            .iter()
            .position(|record| record.kind.name == name.value);
        let Some(record) = place else {
            // one that is there has faults of its own
            if self.definition.records.get(&name.value).is_none() {
                let known = self.records.iter().map(|record| record.kind.name.as_str());
                let known: Vec<&str> = known.collect();
                let hint = match known.as_slice() {
                    [] => "describe it under `records`".to_owned(),
                    known => format!("there are: {}", known.join(", ")),
                };
                self.found.add_with_hint(
                    name.place,
                    part,
                    format!("there is no record `{}`", name.value),
                    hint,
                );
            }
            return None;
        };
        let by_records = tool.undo.is_empty() && tool.inverse.is_none() && tool.no_undo.is_none();
        let kind = self.records.get(record).map(|record| &record.kind)?;
        let (has, key) = match touch {
            Touch::Changes => (kind.can_change, "patch"),
            Touch::Makes => (kind.can_delete, "delete"),
            Touch::Deletes => (kind.can_make, "create"),
        };
        if by_records && !has {
            self.found.add_with_hint(
                name.place,
                part,
                format!(
                    "the record `{}` has no `{key}`, which undoing this needs",
                    name.value
                ),
                "add it, or say `undo`, `inverse` or `no_undo`",
            );
        }
        Some(record)
    }

    /// The step that makes a record: the one that posts where the record is made, else the first
    /// that posts.
    fn making_step(&self, tool: &definition::ToolDefinition, record: usize) -> Option<usize> {
        let name = &self.records.get(record)?.kind.name;
        let rules = self.definition.records.get(name);
        let model = self.definition.models.get(name);
        let path = rules
            .and_then(|rules| rules.create.as_ref())
            .map(|create| nameless(&create.post.value))
            .or_else(|| model.map(|model| model.path.value.clone()));
        let posts = || {
            tool.steps
                .iter()
                .enumerate()
                .filter(|(_, step)| step.value.safe.is_none())
                .filter_map(|(index, step)| Some((index + 1, step.value.post.as_ref()?)))
        };
        posts()
            .find(|(_, post)| Some(nameless(&post.value)) == path)
            .or_else(|| posts().next())
            .map(|(number, _)| number)
    }

    /// How the change is undone, in words.
    pub(super) fn undoing(
        &self,
        tool: &definition::ToolDefinition,
        touches: &[TouchPlan],
    ) -> Option<Undoing> {
        if tool.effect.value == ToolEffect::Read {
            return None;
        }
        let way = match (&tool.no_undo, &tool.inverse) {
            (Some(reason), _) => UndoWay::Not(reason.value.clone()),
            (None, Some(inverse)) => UndoWay::Inverse(inverse.value.clone()),
            (None, None) if tool.undo.is_empty() => UndoWay::Records,
            (None, None) => UndoWay::Steps,
        };
        let undone = match &way {
            UndoWay::Not(_) => None,
            UndoWay::Inverse(inverse) => {
                Some(format!("Calls `{inverse}` with the same arguments."))
            }
            UndoWay::Steps => Some(format!(
                "Sends {}, whole or not at all.",
                operations::in_words(&tool.undo)
            )),
            UndoWay::Records => Some(self.records_undone(touches)),
        };
        let is_undone = undone.is_some();
        let of_records = touches
            .iter()
            .filter(|touch| touch.touch == Touch::Deletes && is_undone)
            .filter_map(|touch| self.records.get(touch.record)?.kind.lost.as_deref());
        let lost: Vec<&str> = of_records
            .chain(tool.lost.as_ref().map(|lost| lost.value.as_str()))
            .collect();
        Some(Undoing {
            way,
            touches: touches
                .iter()
                .filter_map(|touch| {
                    let record = self.records.get(touch.record)?;
                    Some((touch.touch, record.kind.name.clone()))
                })
                .collect(),
            undone,
            lost: (!lost.is_empty()).then(|| lost.join(" ")),
        })
    }

    /// What undoing by records does, in a sentence for each.
    pub(in crate::compile) fn records_undone(&self, touches: &[TouchPlan]) -> String {
        let sentences = touches.iter().filter_map(|touch| {
            let plan = self.records.get(touch.record)?;
            let kind = &plan.kind;
            let name = &kind.name;
            Some(match (touch.touch, &kind.fields) {
                (Touch::Makes, _) if plan.attached.is_empty() => {
                    format!("Deletes the {name}, unless it was changed since.")
                }
                (Touch::Makes, _) => {
                    let hangs = plan.attached.iter().map(|attached| attached.noun.as_str());
                    let hangs = hangs.collect::<BTreeSet<_>>();
                    let hangs = hangs.into_iter().collect::<Vec<_>>().join(", ");
                    format!(
                        "Deletes the {name}, unless it was changed since, or something of others hangs on it ({hangs})."
                    )
                }
                (Touch::Deletes, _) => format!("Makes the {name} again."),
                (Touch::Changes, Some(fields)) => {
                    let put_back = format!(
                        "Puts back {} of the {name}, each unless it was changed since",
                        fields.join(", ")
                    );
                    match plan.sets.as_slice() {
                        [] => put_back + ".",
                        sets => format!(
                            "{put_back}; of {} only what was added and taken away.",
                            sets.join(", ")
                        ),
                    }
                }
                (Touch::Changes, None) => {
                    format!("Puts back each key of the {name}, unless it was changed since.")
                }
            })
        });
        sentences.collect::<Vec<_>>().join(" ")
    }
}

/// The step changes something.
pub(super) fn writes(step: &definition::Step) -> bool {
    step.put.is_some()
        || step.patch.is_some()
        || step.delete.is_some()
        || (step.post.is_some() && step.safe.is_none())
}

/// What the steps of an undo name of the call that they undo.
pub(super) fn undo_names(tool: &definition::ToolDefinition) -> UndoNames {
    let mut names = UndoNames::default();
    let step_names: Vec<&str> = tool
        .undo
        .iter()
        .filter_map(|step| step.value.name.as_ref().map(|name| name.value.as_str()))
        .collect();
    let add_step = |name: &str, steps: &mut Vec<String>| {
        if !step_names.contains(&name) && !steps.iter().any(|known| known == name) {
            steps.push(name.to_owned());
        }
    };
    let all = || {
        tool.steps
            .iter()
            .filter_map(|step| step.value.name.as_ref().map(|name| name.value.as_str()))
    };
    for step in &tool.undo {
        for filter in steps::filters_of(&step.value) {
            // `touched` compares the two
            let compares = filter.value.contains("touched");
            names.before |= compares;
            names.after |= compares;
            for used in jq::uses(&filter.value) {
                match (used.variable, used.key.as_deref()) {
                    (Variable::Before, _) => names.before = true,
                    (Variable::After, _) => names.after = true,
                    (Variable::Steps, Some(name)) => add_step(name, &mut names.steps),
                    (Variable::Steps, None) => {
                        all().for_each(|name| add_step(name, &mut names.steps));
                    }
                    _ => {}
                }
            }
        }
        for (_, path) in step.value.requests() {
            names.before |= path.value.contains("{before.");
            names.after |= path.value.contains("{after.");
            for (_, rest) in path
                .value
                .match_indices("{steps.")
                .map(|(at, found)| (at, path.value.get(at + found.len()..).unwrap_or_default()))
            {
                let name = rest.split(['.', '}']).next().unwrap_or_default();
                add_step(name, &mut names.steps);
            }
        }
    }
    names
}

fn place_of<T>(key: Option<&Placed<T>>) -> Option<Place> {
    key.map(|key| key.place)
}

fn first_key(table: &crate::place::Table<Placed<String>>) -> Option<Place> {
    table.iter().next().map(|(name, _)| name.place)
}
