//! Tools described one by one: arguments, steps, result, undo.

pub(super) mod arguments;
pub(super) mod steps;
pub(super) mod undoing;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::compilation::Compilation;
use super::scope::FilterScope;
use super::shapes;
use crate::connector::{Action, Annotations, ConnectorTool, Does, MAX_REQUESTS, Plan, StepPlan};
use crate::definition::{self, Definition, JsonType, ToolEffect};
use crate::fence::cut;
use crate::jq::Variable;
use crate::place::Placed;
use steps::StepsOwner;

/// Steps that a tool may have.
const MAX_STEPS: usize = 50;

impl<'d> Compilation<'d> {
    pub(super) fn step_tools(&mut self) -> Vec<Placed<ConnectorTool>> {
        let mut tools = Vec::new();
        let untrusted = untrusted(self.definition);
        for tool in &self.definition.tools {
            self.check_tool(tool);
            let value = self.step_tool(tool, &untrusted);
            tools.push(Placed {
                value,
                place: tool.name.place,
            });
        }
        tools
    }

    fn check_tool(&mut self, tool: &definition::ToolDefinition) {
        let part = &tool.name.value;
        self.check_name(&tool.name, part);
        if tool.steps.is_empty() || tool.steps.len() > MAX_STEPS {
            self.found.add(
                tool.name.place,
                part,
                format!(
                    "a tool has 1 to {MAX_STEPS} steps, this one has {}",
                    tool.steps.len()
                ),
            );
        }
        if tool.undo.len() > MAX_STEPS {
            self.found.add(
                tool.name.place,
                part,
                format!(
                    "an undo has at most {MAX_STEPS} steps, this one has {}",
                    tool.undo.len()
                ),
            );
        }
        for alias in &tool.aliases {
            if alias.value.is_empty()
                || !alias
                    .value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
            {
                self.found.add(
                    alias.place,
                    part,
                    format!(
                        "`{}` is not an alias: letters, digits, `_`, `-` and `.`",
                        alias.value
                    ),
                );
            }
        }
        for (what, text) in [("title", &tool.title), ("description", &tool.description)] {
            if text.trim().is_empty() {
                self.found.add(
                    tool.name.place,
                    part,
                    format!("the {what} must not be empty"),
                );
            }
        }
        self.check_icon(tool.icon.as_ref(), Some(part));
        if let Some(group) = &tool.group
            && self.definition.groups.get(&group.value).is_none()
        {
            self.found.add(
                group.place,
                part,
                format!("there is no group `{}`", group.value),
            );
        }
        if tool.effect.value == ToolEffect::Read {
            self.check_undo_keys_of_read(tool);
            let keys = [tool.confirm.as_ref().map(|k| (k.place, "confirm"))];
            let idempotency_key = tool
                .idempotency_key
                .then_some((tool.name.place, "idempotency_key"));
            for (place, key) in keys.into_iter().flatten().chain(idempotency_key) {
                self.found
                    .add(place, part, format!("a tool that reads has no `{key}`"));
            }
            return;
        }
        if tool.text_from {
            self.found.add(
                tool.name.place,
                part,
                "only a tool that reads has `text_from`",
            );
        }
        if !tool.steps.iter().any(|step| undoing::writes(&step.value)) {
            self.found.add(
                tool.effect.place,
                part,
                "a tool with this effect needs a step that writes",
            );
        }
        self.check_undo_keys(tool);
    }

    fn step_tool(
        &mut self,
        tool: &'d definition::ToolDefinition,
        untrusted: &Arc<[String]>,
    ) -> ConnectorTool {
        let part = &tool.name.value;
        let arguments = self.arguments(tool);
        let argument_scope =
            FilterScope::of_tool(self.definition, tool, &[Variable::Args, Variable::Given]);
        let mut checks = Vec::new();
        for (index, check) in tool.check.iter().enumerate() {
            checks.push((
                self.filter(
                    &check.unless,
                    &format!("{part}.check[{index}]"),
                    &argument_scope,
                ),
                check.say.value.clone(),
            ));
            if check.say.value.trim().is_empty() {
                self.found
                    .add(check.say.place, part, "a check needs a sentence to say");
            }
        }
        let early = argument_scope
            .clone()
            .without(arguments.resolved_later.clone());
        let before = tool
            .before
            .as_ref()
            .and_then(|before| self.reading(&before.value, &format!("{part}.before"), &early));
        let mut scope = argument_scope.with(Variable::Steps);
        if tool.before.is_some() {
            scope = scope.with(Variable::Before);
        }
        let lists = tool
            .steps
            .iter()
            .filter(|step| step.value.pages.is_some())
            .count();
        let has_main = lists == 1
            && tool
                .steps
                .last()
                .is_some_and(|step| step.value.pages.is_some());
        let keeps_first_page = tool.result.iter().chain(
            tool.steps
                .iter()
                .flat_map(|step| steps::filters_of(&step.value)),
        );
        let keeps_first_page = keeps_first_page
            .into_iter()
            .any(|filter| filter.value.contains("first_page"));
        let owner = StepsOwner {
            tool,
            has_main,
            keeps_first_page,
        };
        let batches = self.steps(owner, &tool.steps, &format!("{part}.steps"), &mut scope);
        let result = self.optional_filter(tool.result.as_ref(), &format!("{part}.result"), &scope);
        let confirming = if tool.before.is_some() {
            &[Variable::Args, Variable::Given, Variable::Before][..]
        } else {
            &[Variable::Args, Variable::Given]
        };
        let confirm = FilterScope::of_tool(self.definition, tool, confirming);
        let confirm =
            self.optional_filter(tool.confirm.as_ref(), &format!("{part}.confirm"), &confirm);
        let mut undoing = scope.clone().with(Variable::After);
        let undo = StepsOwner {
            has_main: false,
            ..owner
        };
        let undo_steps = self.steps(undo, &tool.undo, &format!("{part}.undo"), &mut undoing);
        let touches = match tool.effect.value {
            ToolEffect::Read => Vec::new(),
            ToolEffect::Write | ToolEffect::Destroy => self.touches(tool),
        };
        let is_list = tool
            .steps
            .last()
            .is_some_and(|step| step.value.pages.is_some());
        let output = tool.output.as_ref().and_then(|output| {
            let shape = self.shapes.get(&output.value).cloned();
            if shape.is_none() && output.value != "object" {
                self.found.add(
                    output.place,
                    part,
                    format!("there is no shape `{}`", output.value),
                );
            }
            shape
        });
        let has_fields_of_rows =
            tool.fields && lists == 1 && !has_main && result.is_some() && output.is_none();
        let most = main_list(&batches).filter(|_| has_main);
        self.check_own_arguments(tool, has_main);
        if tool.structured && tool.output.is_none() {
            self.found.add(
                tool.name.place,
                part,
                "`structured` publishes the schema of `output`, which is not there",
            );
        }
        let written = tool
            .output
            .as_ref()
            .map(|output| shapes::schema(self.definition.shapes.get(&output.value), is_list));
        let effect = tool.effect.value;
        let takes_text_from = effect == ToolEffect::Read && tool.input.get(cut::ARGUMENT).is_none();
        let mut unlisted = Vec::new();
        if takes_text_from && !tool.text_from {
            unlisted.push(arguments::text_from());
        }
        let has_rows = effect == ToolEffect::Read && (is_list || has_fields_of_rows);
        if has_rows && !tool.fields && tool.input.get("fields").is_none() {
            unlisted.push(arguments::shape_alone());
        }
        let row_form = self.row_form(tool).filter(|_| effect == ToolEffect::Read);
        ConnectorTool {
            name: tool.name.value.clone(),
            aliases: tool
                .aliases
                .iter()
                .map(|alias| alias.value.clone())
                .collect(),
            title: tool.title.clone(),
            icon: tool.icon.as_ref().map(|icon| icon.value.clone()),
            description: tool.description.clone(),
            effect,
            input_schema: arguments::schema(tool, most).into(),
            unlisted_arguments: unlisted,
            row_form,
            output_schema: written.map(Into::into),
            argument_aliases: argument_aliases(tool, has_main),
            value_aliases: Vec::new(),
            structured: tool.structured,
            longest_wait: longest_wait(&batches),
            takes_key: tool.idempotency_key,
            asks: tool.confirm.is_some(),
            nullable: tool
                .input
                .iter()
                .filter(|(_, argument)| argument.clear)
                .map(|(name, _)| name.value.clone())
                .collect(),
            takes_ids: tool
                .input
                .iter()
                .filter(|(_, argument)| takes_ids(self.definition, argument))
                .map(|(name, _)| name.value.clone())
                .collect(),
            is_listed: tool
                .group
                .as_ref()
                .and_then(|group| self.definition.groups.get(&group.value))
                .copied()
                .unwrap_or(true),
            group: tool.group.as_ref().map(|group| group.value.clone()),
            no_undo: tool.no_undo.as_ref().map(|reason| reason.value.clone()),
            annotations: Annotations {
                read_only: effect == ToolEffect::Read,
                destructive: effect == ToolEffect::Destroy,
                idempotent: tool.idempotent.unwrap_or_else(|| {
                    !tool
                        .steps
                        .iter()
                        .any(|step| step.value.post.is_some() && step.value.safe.is_none())
                }),
                open_world: true,
            },
            undoing: self.undoing(tool, &touches),
            action: Action::Steps(Arc::new(Plan {
                tool: tool.name.value.clone(),
                writes: effect != ToolEffect::Read,
                asks_backend: batches
                    .iter()
                    .flatten()
                    .any(|step| matches!(step.does, Does::Send(_) | Does::Keep(..))),
                takes_text_from,
                untrusted: Arc::clone(untrusted),
                arguments: arguments.list,
                first_lookups: arguments.first,
                later_lookups: arguments.later,
                checks,
                before,
                result,
                has_shaped_rows: output.is_some() && has_shaped_rows(tool),
                lists_items: is_list,
                uses_me: uses_me(self.definition, tool),
                output,
                is_list: has_main,
                has_fields: tool.fields,
                has_fields_of_rows,
                takes_key: tool.idempotency_key,
                hints: Arc::new(self.hints(&tool.hints, &format!("{part}.hints"))),
                requests: requests(&batches),
                batches,
                confirm,
                touches,
                undo: undo_steps,
                undo_names: undoing::undo_names(tool),
                has_inverse: tool.inverse.is_some(),
            })),
        }
    }
}

/// A number that is passed is an id.
fn takes_ids(definition: &Definition, argument: &definition::Argument) -> bool {
    let lookup = argument
        .lookup
        .as_ref()
        .and_then(|lookup| definition.lookups.get(&lookup.value));
    argument.kind == JsonType::String && lookup.is_some_and(|lookup| !lookup.text_ids)
}

/// The last list keeps of its rows what the result keeps.
fn has_shaped_rows(tool: &definition::ToolDefinition) -> bool {
    let row = tool
        .steps
        .last()
        .and_then(|step| step.value.row.as_ref())
        .map(|row| row.value.as_str());
    row.is_some() && row == tool.output.as_ref().map(|output| output.value.as_str())
}

/// Someone asks who we are: a filter or path of the tool, or what its lookups choose from.
fn uses_me(definition: &Definition, tool: &definition::ToolDefinition) -> bool {
    let names = |filter: &Placed<String>| filter.value.contains("$me");
    let reads = |reading: &definition::Reading| {
        reading.get.value.contains("{me.")
            || reading
                .query
                .iter()
                .map(|(_, filter)| filter)
                .chain(&reading.condition)
                .any(names)
    };
    let source = |source: &definition::Source| {
        source.get.value.contains("{me.") || source.query.iter().any(|(_, filter)| names(filter))
    };
    let steps = |step: &Placed<definition::Step>| {
        let step = &step.value;
        let source_rules = step.source.as_ref();
        let source_rules = source_rules.and_then(|name| definition.sources.get(&name.value));
        let paths = [&step.get, &step.post, &step.put, &step.patch, &step.delete];
        paths
            .into_iter()
            .flatten()
            .any(|path| path.value.contains("{me."))
            || steps::filters_of(step).into_iter().any(names)
            || source_rules.is_some_and(source)
    };
    let lookup = |argument: &definition::Argument| {
        let lookup = argument
            .lookup
            .as_ref()
            .and_then(|lookup| definition.lookups.get(&lookup.value));
        lookup.is_some_and(|lookup| {
            let from = lookup
                .from
                .as_ref()
                .and_then(|from| definition.sources.get(&from.value));
            from.is_some_and(source)
                || lookup.words.iter().any(|(_, filter)| names(filter))
                || lookup
                    .names
                    .iter()
                    .chain(&lookup.rows)
                    .chain(&lookup.id)
                    .chain(&lookup.row)
                    .any(names)
                || lookup
                    .one
                    .iter()
                    .chain(&lookup.why)
                    .any(|one| reads(&one.value))
        })
    };
    let in_defs = definition.defs.as_ref().is_some_and(names);
    in_defs
        || tool.steps.iter().chain(&tool.undo).any(steps)
        || tool
            .before
            .as_ref()
            .is_some_and(|before| reads(&before.value))
        || tool.changes.iter().any(|(_, ids)| names(ids))
        || tool.deletes.iter().any(|(_, ids)| names(ids))
        || tool.check.iter().any(|check| names(&check.unless))
        || tool.result.iter().chain(&tool.confirm).any(names)
        || tool
            .input
            .iter()
            .any(|(_, argument)| lookup(argument) || argument.within.as_ref().is_some_and(names))
}

/// Rows that the main list may give at once.
fn main_list(batches: &[Vec<StepPlan>]) -> Option<usize> {
    match &batches.last()?.last()?.does {
        Does::Send(request) => request.pages.as_ref().map(|pages| pages.paging.cap),
        Does::Let(_) | Does::Keep(..) => None,
    }
}

/// Time that all repeated reads of a tool may take.
fn longest_wait(batches: &[Vec<StepPlan>]) -> Duration {
    let of_step = |step: &StepPlan| match &step.does {
        Does::Send(request) => request
            .until
            .as_ref()
            .map_or(Duration::ZERO, |until| until.up_to),
        Does::Let(_) | Does::Keep(..) => Duration::ZERO,
    };
    batches.iter().flatten().map(of_step).sum()
}

/// Requests that a call may send: [`MAX_REQUESTS`], and more where a step says that it is done more
/// often.
fn requests(batches: &[Vec<StepPlan>]) -> usize {
    let more = |step: &StepPlan| {
        let items = step.each.as_ref().map_or(0, |each| each.at_most);
        let reads = match &step.does {
            Does::Send(request) => request.until.as_ref().map_or(0, |until| {
                until.up_to.as_nanos() / until.every.as_nanos().max(1)
            }),
            Does::Let(_) | Does::Keep(..) => 0,
        };
        items.saturating_add(usize::try_from(reads).unwrap_or(usize::MAX))
    };
    batches
        .iter()
        .flatten()
        .map(more)
        .fold(MAX_REQUESTS, usize::saturating_add)
}

impl<'d> Compilation<'d> {
    /// What a row of the tool's list can have, as its shape says; none where it has none.
    fn row_form(&self, tool: &definition::ToolDefinition) -> Option<serde_json::Value> {
        let of_steps = tool.steps.iter().rev();
        let named = tool.output.as_ref();
        let named = named.or_else(|| of_steps.filter_map(|step| step.value.row.as_ref()).next())?;
        let shape = self.definition.shapes.get(&named.value)?;
        Some(shapes::row_form(shape))
    }

    /// Names that the engine gives to arguments of its own.
    fn check_own_arguments(&mut self, tool: &definition::ToolDefinition, is_list: bool) {
        for (name, _) in tool.input.iter() {
            let taken = match name.value.as_str() {
                "fields" => tool.fields,
                "idempotency_key" => tool.idempotency_key,
                cut::ARGUMENT => tool.text_from,
                "confirm" => tool.confirm.is_some(),
                _ => is_list,
            };
            if taken && arguments::OWN.contains(&name.value.as_str()) {
                let part = format!("{}.input.{}", tool.name.value, name.value);
                self.found.add(
                    name.place,
                    part,
                    format!("the argument `{}` is there already", name.value),
                );
            }
        }
    }
}

fn argument_aliases(tool: &definition::ToolDefinition, is_list: bool) -> Vec<(String, String)> {
    let written = tool.input.iter().flat_map(|(name, argument)| {
        argument
            .aliases
            .iter()
            .map(move |alias| (alias.value.clone(), name.value.clone()))
    });
    let taken = tool.input.iter().any(|(name, argument)| {
        name.value == "page_size"
            || argument
                .aliases
                .iter()
                .any(|alias| alias.value == "page_size")
    });
    let page_size = (is_list && !taken).then(|| ("page_size".to_owned(), "limit".to_owned()));
    written.chain(page_size).collect()
}

/// Keys whose texts are fenced: those that the file names, and the text fields of its shapes, which
/// records without a shape have too.
pub(super) fn untrusted(definition: &Definition) -> Arc<[String]> {
    let of_shapes = definition.shapes.iter().flat_map(|(_, shape)| shape.iter());
    let of_shapes = of_shapes
        .filter(|(_, column)| column.text)
        .map(|(name, _)| name.value.clone());
    definition
        .text
        .untrusted
        .iter()
        .cloned()
        .chain(of_shapes)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}
