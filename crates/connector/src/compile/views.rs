//! Views: each held against the tool whose result it shows, the shape of that result, the lookup of
//! its columns and the tools that change a card.

mod forms;
mod held;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::compilation::Compilation;
use super::scope::FilterScope;
use crate::connector::{
    Action, BoardView, ChartView, ColumnsPlan, ConnectorTool, ConnectorView, FormTool, MoveTool,
    OpenTool, ViewChoice, ViewForm,
};
use crate::definition::{self, ToolEffect, ViewRules};
use crate::jq::{Glue, Variable};
use crate::place::{Place, Placed};
use held::RowForm;

/// Columns of what a card shows.
const MAX_CARD: usize = 20;

/// A view while it is being compiled.
struct ViewPart<'c, 'd> {
    part: String,
    place: Place,
    rules: &'d ViewRules,
    /// The tool whose result it shows.
    tool: &'c ConnectorTool,
    form: RowForm,
}

impl<'d> Compilation<'d> {
    pub(super) fn views(&mut self, tools: &[Placed<ConnectorTool>]) -> Vec<Arc<ConnectorView>> {
        let mut views = Vec::new();
        for (name, rules) in self.definition.views.iter() {
            let part = format!("views.{}", name.value);
            self.check_name(name, &part);
            views.extend(self.view(name, rules, part, tools).map(Arc::new));
        }
        views
    }

    fn view(
        &mut self,
        name: &Placed<String>,
        rules: &'d ViewRules,
        part: String,
        tools: &[Placed<ConnectorTool>],
    ) -> Option<ConnectorView> {
        let wanted = match (&rules.board, &rules.chart) {
            (Some(tool), None) | (None, Some(tool)) => tool,
            _ => {
                let what = "a view has exactly one of `board` and `chart`";
                self.found.add(name.place, part, what);
                return None;
            }
        };
        let tool = self.view_tool(wanted, &part, tools, ToolEffect::Read)?;
        let form = RowForm::of(self.definition, tool);
        let view = ViewPart {
            part,
            place: name.place,
            rules,
            tool,
            form,
        };
        self.check_other_keys(&view);
        self.check_arguments(&view);
        let rows = self.rows_of_view(&view);
        let shown_as = match rules.board {
            Some(_) => ViewForm::Board(Box::new(self.board_view(&view, tools)?)),
            None => ViewForm::Chart(self.chart_view(&view, &rows)?),
        };
        Some(ConnectorView {
            name: name.value.clone(),
            title: rules.title.clone().unwrap_or_else(|| tool.title.clone()),
            tool: tool.name.clone(),
            arguments: values(&rules.with),
            choices: self.view_choices(&view, tools),
            shown_as,
            rows,
        })
    }

    /// A tool that a view names, which has this effect.
    fn view_tool<'c>(
        &mut self,
        name: &Placed<String>,
        part: &str,
        tools: &'c [Placed<ConnectorTool>],
        effect: ToolEffect,
    ) -> Option<&'c ConnectorTool> {
        let mut all = tools.iter().map(|tool| &tool.value);
        let Some(tool) = all.find(|tool| tool.name == name.value) else {
            let what = format!("there is no tool `{}`", name.value);
            let known = tools.iter().map(|tool| tool.value.name.as_str());
            self.found.add_near(name, part, what, known);
            return None;
        };
        if (tool.effect == ToolEffect::Read) != (effect == ToolEffect::Read) {
            let what = match effect {
                ToolEffect::Read => format!(
                    "`{}` changes things, and what a page shows is read",
                    name.value
                ),
                _ => format!("`{}` only reads, and moving a card changes it", name.value),
            };
            self.found.add(name.place, part, what);
            return None;
        }
        Some(tool)
    }

    /// Keys that say nothing in a view of this kind.
    fn check_other_keys(&mut self, view: &ViewPart<'_, 'd>) {
        let rules = view.rules;
        let place = |name: &Option<Placed<String>>| name.as_ref().map(|name| name.place);
        let first = |names: &Option<definition::OneOrMore>| {
            let names = names.as_ref()?;
            names.0.first().map(|name| name.place)
        };
        let of_chart = [
            ("x", place(&rules.x)),
            ("y", first(&rules.y)),
            ("bars", rules.bars.then_some(view.place)),
            (
                "marks",
                rules.marks.iter().next().map(|(name, _)| name.place),
            ),
        ];
        let of_board = [
            ("id", place(&rules.id)),
            ("group", place(&rules.group)),
            ("group_id", place(&rules.group_id)),
            (
                "columns",
                rules.columns.as_ref().map(|columns| columns.lookup.place),
            ),
            ("card", rules.card.first().map(|field| field.place)),
            ("move", place(&rules.mover)),
            ("order", place(&rules.order)),
            ("open", rules.open.as_ref().map(|open| open.tool.place)),
        ];
        let (keys, what) = match rules.board {
            Some(_) => (of_chart.to_vec(), "chart"),
            None => (of_board.to_vec(), "board"),
        };
        for (key, place) in keys {
            if let Some(place) = place {
                let text = format!("`{key}` is for a {what}");
                self.found.add(place, view.part.clone(), text);
            }
        }
    }

    /// The paths to the rows; a board's are those of a list.
    fn rows_of_view(&mut self, view: &ViewPart<'_, 'd>) -> Vec<Vec<String>> {
        let Some(written) = &view.rules.rows else {
            return vec![vec!["items".to_owned()]];
        };
        let mut rows = Vec::new();
        for path in &written.0 {
            rows.extend(self.path_of_view(view, path, "rows"));
        }
        rows
    }

    /// A plain path into the result, whose first name the result has as far as that is known.
    fn path_of_view(
        &mut self,
        view: &ViewPart<'_, 'd>,
        path: &Placed<String>,
        key: &str,
    ) -> Option<Vec<String>> {
        let part = format!("{}.{key}", view.part);
        let plain = Glue::of_format(&path.value);
        let names: Option<Vec<String>> = plain.of_input().map(|keys| {
            let names = keys.iter().map(|key| key.name.clone());
            names.collect()
        });
        let Some(names) = names.filter(|names| !names.is_empty()) else {
            let what = format!("`{}` is not a plain path, such as `.cards`", path.value);
            self.found.add(path.place, part, what);
            return None;
        };
        if let (Some(known), Some(first)) = (view.form.top(), names.first())
            && !known.contains(first)
        {
            let what = format!("the result of `{}` has no `{first}`", view.tool.name);
            let known = known.iter().map(String::as_str);
            self.found.add_near(path, part, what, known);
        }
        Some(names)
    }

    /// A field of the rows, as far as those are known.
    fn field_of_view(
        &mut self,
        view: &ViewPart<'_, 'd>,
        field: &Placed<String>,
        key: &str,
    ) -> String {
        if let Some(known) = view.form.row()
            && !known.contains(&field.value)
        {
            let what = format!(
                "the rows of `{}` have no field `{}`",
                view.tool.name, field.value
            );
            let known = known.iter().map(String::as_str);
            let part = format!("{}.{key}", view.part);
            self.found.add_near(field, part, what, known);
        }
        field.value.clone()
    }

    fn board_view(
        &mut self,
        view: &ViewPart<'_, 'd>,
        tools: &[Placed<ConnectorTool>],
    ) -> Option<BoardView> {
        let rules = view.rules;
        let id = match &rules.id {
            Some(id) => self.field_of_view(view, id, "id"),
            None => "id".to_owned(),
        };
        if rules.id.is_none() && view.form.row().is_some_and(|row| !row.contains(&id)) {
            let what = format!(
                "the rows of `{}` have no field `id`: say with `id` what tells cards apart",
                view.tool.name
            );
            self.found.add(view.place, view.part.clone(), what);
        }
        let (Some(group), Some(columns)) = (&rules.group, &rules.columns) else {
            let what = "a board needs `group` and `columns`";
            self.found.add(view.place, view.part.clone(), what);
            return None;
        };
        if rules.card.is_empty() || rules.card.len() > MAX_CARD {
            let what = format!(
                "`card` names 1 to {MAX_CARD} fields, here {}",
                rules.card.len()
            );
            self.found.add(view.place, view.part.clone(), what);
        }
        self.field_of_view(view, group, "group");
        if let (Some(order), None) = (&rules.order, &rules.mover) {
            let what = "`order` needs `move`, the tool that sets it";
            self.found.add(order.place, view.part.clone(), what);
        }
        let group_id = rules
            .group_id
            .as_ref()
            .map(|field| self.field_of_view(view, field, "group_id"));
        let mut card = Vec::new();
        for field in &rules.card {
            card.push(self.field_of_view(view, field, "card"));
        }
        let mover = rules
            .mover
            .as_ref()
            .and_then(|mover| self.mover(view, mover, group, tools));
        let opener = match &rules.open {
            Some(open) => self.opener(view, open, tools),
            None => forms::model_opener(view.tool, tools),
        };
        let is_mover = |tool: &&Placed<ConnectorTool>| {
            let mover = mover.as_ref();
            mover.is_some_and(|mover| tool.value.name == mover.tool)
        };
        let editor = tools.iter().find(is_mover).map(|tool| {
            let id = mover.as_ref().map(|mover| mover.id.clone());
            forms::form(&tool.value, id)
        });
        let maker = self.maker(view, mover.as_ref(), tools);
        Some(BoardView {
            id,
            group: group.value.clone(),
            group_id,
            card,
            mover,
            opener,
            editor,
            maker,
            columns: self.columns_plan(view, columns)?,
        })
    }

    fn columns_plan(
        &mut self,
        view: &ViewPart<'_, 'd>,
        columns: &'d definition::BoardColumnRules,
    ) -> Option<ColumnsPlan> {
        let part = format!("{}.columns", view.part);
        let wanted = &columns.lookup;
        let mut names = self.definition.lookups.keys();
        let Some(lookup) = names.position(|name| name == wanted.value) else {
            let what = format!("there is no lookup `{}`", wanted.value);
            let known = self.definition.lookups.keys();
            self.found.add_near(wanted, part, what, known);
            return None;
        };
        let written = self.definition.lookups.get(&wanted.value)?;
        let Some(source) = &written.from else {
            let what = format!(
                "the lookup `{}` has no `from`, so it cannot say what there is",
                wanted.value
            );
            self.found.add(wanted.place, part, what);
            return None;
        };
        let source = self.definition.sources.get(&source.value);
        let is_scoped = source.is_some_and(|source| {
            let mut query = source.query.iter();
            source.get.value.contains("{in}")
                || query.any(|(_, filter)| filter.value.contains("$in"))
        });
        let properties = held::properties(view.tool);
        let properties: Vec<&str> = self.names_of(view.tool, properties);
        let scope = FilterScope::of_names(
            self.definition,
            properties,
            &[Variable::Args, Variable::Given],
        );
        let scope_filter = columns
            .within
            .as_ref()
            .map(|within| self.filter(within, &format!("{part}.within"), &scope));
        let within = scope_filter.or_else(|| held::scope_of(view.tool, lookup));
        if is_scoped && within.is_none() {
            let what = format!(
                "the lookup `{}` has a scope, and no argument of `{}` has this lookup: say it with `within`",
                wanted.value, view.tool.name
            );
            self.found.add(wanted.place, part.clone(), what);
        }
        let row = FilterScope::new(self.definition, &[Variable::In]);
        let mut filter = |filter: &'d Option<Placed<String>>, key: &str| {
            let filter = filter.as_ref()?;
            Some(self.filter(filter, &format!("{part}.{key}"), &row))
        };
        Some(ColumnsPlan {
            lookup,
            limit: filter(&columns.limit, "limit"),
            closed: filter(&columns.closed, "closed"),
            within: within.filter(|_| is_scoped),
        })
    }

    /// The arguments of a tool as its file writes them.
    fn names_of(&self, tool: &ConnectorTool, others: Vec<String>) -> Vec<&'d str> {
        let mut written = self.definition.tools.iter();
        match written.find(|written| written.name.value == tool.name) {
            Some(written) => written.input.keys().collect(),
            // of a model's tools the arguments are the engine's
            None => ENGINE_ARGUMENTS
                .into_iter()
                .filter(|name| others.iter().any(|other| other == name))
                .collect(),
        }
    }

    fn mover(
        &mut self,
        view: &ViewPart<'_, 'd>,
        name: &Placed<String>,
        group: &Placed<String>,
        tools: &[Placed<ConnectorTool>],
    ) -> Option<MoveTool> {
        let part = format!("{}.move", view.part);
        let tool = self.view_tool(name, &part, tools, ToolEffect::Write)?;
        let known = held::properties(tool);
        if !known.contains(&group.value) {
            let what = format!(
                "`{}` has no argument `{}`, which would put a card into another column",
                tool.name, group.value
            );
            let known = known.iter().map(String::as_str);
            self.found.add_near(name, part, what, known);
            return None;
        }
        let mut written = self.definition.tools.iter();
        let written = written.find(|written| written.name.value == tool.name);
        let Some(id) = held::id_argument(tool, written) else {
            let what = format!(
                "`{}` does not say which of its arguments is the card's id: neither is one called `id`, nor does `changes` name one",
                tool.name
            );
            self.found.add(name.place, part, what);
            return None;
        };
        let order = view.rules.order.as_ref().map(|order| {
            self.field_of_view(view, order, "order");
            if !known.contains(&order.value) {
                let what = format!(
                    "`{}` has no argument `{}`, which would put a card before another",
                    tool.name, order.value
                );
                let known = known.iter().map(String::as_str);
                self.found
                    .add_near(order, format!("{}.order", view.part), what, known);
            }
            order.value.clone()
        });
        Some(MoveTool {
            tool: tool.name.clone(),
            id,
            column: group.value.clone(),
            order,
        })
    }

    fn opener(
        &mut self,
        view: &ViewPart<'_, 'd>,
        open: &'d definition::OpenRules,
        tools: &[Placed<ConnectorTool>],
    ) -> Option<OpenTool> {
        let part = format!("{}.open", view.part);
        let tool = self.view_tool(&open.tool, &part, tools, ToolEffect::Read)?;
        let id = open.id.as_ref().unwrap_or(&open.tool);
        let name = open.id.as_ref().map_or("id", |id| &id.value);
        let known = held::properties(tool);
        for (name, at) in
            std::iter::once((name, id)).chain(open.with.iter().map(|(key, _)| (&*key.value, key)))
        {
            if !known.iter().any(|argument| argument == name) {
                let what = format!("`{}` has no argument `{name}`", tool.name);
                let known = known.iter().map(String::as_str);
                self.found.add_near(at, part.clone(), what, known);
            }
        }
        Some(OpenTool {
            tool: tool.name.clone(),
            id: name.to_owned(),
            arguments: values(&open.with),
        })
    }

    fn maker(
        &self,
        view: &ViewPart<'_, 'd>,
        mover: Option<&MoveTool>,
        tools: &[Placed<ConnectorTool>],
    ) -> Option<FormTool> {
        let group = view.rules.group.as_ref().map(|group| group.value.as_str());
        if let Action::List(model) = &view.tool.action {
            let asked_arguments = view.rules.ask.keys();
            return forms::model_maker(model, asked_arguments, group, tools);
        }
        forms::step_maker(self.definition, view.tool, mover?, group, tools)
    }

    fn chart_view(&mut self, view: &ViewPart<'_, 'd>, rows: &[Vec<String>]) -> Option<ChartView> {
        let rules = view.rules;
        let (Some(x), Some(y)) = (&rules.x, &rules.y) else {
            let what = "a chart needs `x` and `y`";
            self.found.add(view.place, view.part.clone(), what);
            return None;
        };
        if !rows.is_empty()
            && rows
                .iter()
                .all(|path| path.len() == 1 && path[..] == ["items"])
        {
            self.field_of_view(view, x, "x");
            for field in &y.0 {
                self.field_of_view(view, field, "y");
            }
        }
        let mut marks = Vec::new();
        for (name, path) in rules.marks.iter() {
            if let Some(path) = self.path_of_view(view, path, &format!("marks.{}", name.value)) {
                marks.push((name.value.clone(), path));
            }
        }
        Some(ChartView {
            x: x.value.clone(),
            y: y.0.iter().map(|field| field.value.clone()).collect(),
            is_bars: rules.bars,
            marks,
        })
    }

    /// The arguments of the view are arguments of its tool.
    fn check_arguments(&mut self, view: &ViewPart<'_, 'd>) {
        let known = held::properties(view.tool);
        for (name, value) in view.rules.with.iter() {
            let part = format!("{}.with.{}", view.part, name.value);
            if !known.contains(&name.value) {
                let what = format!("`{}` has no argument `{}`", view.tool.name, name.value);
                let known = known.iter().map(String::as_str);
                self.found.add_near(name, part, what, known);
                continue;
            }
            let fields = value.value.as_array().filter(|_| name.value == "fields");
            let Some(shown) = view.form.fields() else {
                continue;
            };
            for field in fields.into_iter().flatten().filter_map(Value::as_str) {
                if !shown.iter().any(|shown_field| shown_field == field) {
                    let wrong = Placed {
                        value: field.to_owned(),
                        place: value.place,
                    };
                    let what = format!("`{}` has no field `{field}`", view.tool.name);
                    let known = shown.iter().map(String::as_str);
                    self.found.add_near(&wrong, part.clone(), what, known);
                }
            }
        }
    }

    fn view_choices(
        &mut self,
        view: &ViewPart<'_, 'd>,
        tools: &[Placed<ConnectorTool>],
    ) -> Vec<ViewChoice> {
        let mut choices: Vec<ViewChoice> = Vec::new();
        for (at, (argument, name)) in view.rules.ask.iter().enumerate() {
            let part = format!("{}.ask.{}", view.part, argument.value);
            let known = held::paths(view.tool);
            let is_argument = known.contains(&argument.value);
            let takes = |(_, name): (&Placed<String>, &Placed<String>)| {
                let mut all = tools.iter().map(|tool| &tool.value);
                let tool = all.find(|tool| tool.name == name.value);
                tool.is_some_and(|tool| held::properties(tool).contains(&argument.value))
            };
            let mut later = view.rules.ask.iter().skip(at + 1);
            if !is_argument && !later.any(takes) {
                let what = format!("`{}` has no argument `{}`", view.tool.name, argument.value);
                let known = known.iter().map(String::as_str);
                self.found.add_near(argument, part.clone(), what, known);
            }
            let Some(tool) = self.view_tool(name, &part, tools, ToolEffect::Read) else {
                continue;
            };
            let form = RowForm::of(self.definition, tool);
            let has = |field: &str| {
                let row = form.row();
                row.is_none_or(|row| row.iter().any(|own| own == field))
            };
            let shown = ["name", "title", "subject"]
                .into_iter()
                .find(|name| has(name));
            let own = held::properties(tool);
            let before = choices.iter().map(|choice| choice.argument.clone());
            let takes = before.filter(|argument| own.contains(argument)).collect();
            choices.push(ViewChoice {
                argument: argument.value.clone(),
                is_argument,
                takes,
                tool: tool.name.clone(),
                id: "id".to_owned(),
                name: shown.unwrap_or("id").to_owned(),
            });
        }
        choices
    }
}

/// Arguments of the tools of models that a scope may name.
const ENGINE_ARGUMENTS: [&str; 7] = ["filter", "q", "sort", "limit", "cursor", "offset", "all"];

fn values(table: &crate::place::Table<Placed<Value>>) -> Map<String, Value> {
    let entries = table.iter();
    entries
        .map(|(name, value)| (name.value.clone(), value.value.clone()))
        .collect()
}
