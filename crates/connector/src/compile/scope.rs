//! What a filter or a path may name at the place where it stands.

use super::filters::Filters;
use crate::definition::{Definition, ToolDefinition};
use crate::jq::{Use, Variable};
use crate::place::Placed;
use crate::problem::Found;

/// The names of one place.
#[derive(Clone)]
pub(super) struct FilterScope<'d> {
    definition: &'d Definition,
    /// The arguments there are.
    arguments: Option<Vec<&'d str>>,
    /// Variables beside `$settings`, `$me` and `$today`.
    variables: Vec<Variable>,
    /// Steps whose values are known.
    steps: Vec<&'d str>,
    /// Arguments whose names are not ids yet.
    unresolved: Vec<&'d str>,
    sees_secrets: bool,
}

impl<'d> FilterScope<'d> {
    pub(super) fn new(definition: &'d Definition, variables: &[Variable]) -> Self {
        let variables = variables.to_vec();
        Self {
            definition,
            arguments: None,
            variables,
            steps: Vec::new(),
            unresolved: Vec::new(),
            sees_secrets: false,
        }
    }

    pub(super) fn of_tool(
        definition: &'d Definition,
        tool: &'d ToolDefinition,
        variables: &[Variable],
    ) -> Self {
        Self::of_names(definition, tool.input.keys().collect(), variables)
    }

    /// The place knows `$args` of these names.
    pub(super) fn of_names(
        definition: &'d Definition,
        names: Vec<&'d str>,
        variables: &[Variable],
    ) -> Self {
        Self {
            arguments: Some(names),
            ..Self::new(definition, variables)
        }
    }

    pub(super) fn with(mut self, variable: Variable) -> Self {
        self.variables.push(variable);
        self
    }

    pub(super) fn with_secrets(mut self) -> Self {
        self.sees_secrets = true;
        self
    }

    pub(super) fn without(mut self, unresolved: Vec<&'d str>) -> Self {
        self.unresolved = unresolved;
        self
    }

    pub(super) fn add_step(&mut self, name: &'d str) {
        self.steps.push(name);
    }

    pub(super) fn has_step(&self, name: &str) -> bool {
        self.steps.contains(&name)
    }

    /// Reports what a filter names and may not; `uses` are the variables it names.
    pub(super) fn check(
        &self,
        filter: &Placed<String>,
        uses: &[Use],
        part: &str,
        filters: &Filters<'_>,
        found: &mut Found,
    ) {
        for Use { variable, key } in uses {
            let Some(problem) = self.problem(*variable, key.as_deref()) else {
                continue;
            };
            let name = variable.name();
            let whole = key
                .as_ref()
                .map_or_else(|| name.to_owned(), |key| format!("{name}.{key}"));
            let byte = filter
                .value
                .find(&whole)
                .or_else(|| filter.value.find(name))
                .unwrap_or_default();
            found.add(filters.place(filter, byte), part, problem);
        }
    }

    fn problem(&self, variable: Variable, key: Option<&str>) -> Option<String> {
        match (variable, key) {
            (Variable::Today, _) | (Variable::Settings, None) => None,
            (Variable::Settings, Some(name)) => self.setting(name),
            (Variable::Me, _) => self.me(),
            _ if !self.variables.contains(&variable) => {
                Some(format!("there is no {} here", variable.name()))
            }
            (Variable::Steps, Some(name)) => self.step(name),
            (Variable::Args | Variable::Given, Some(name)) => {
                self.argument(name, variable == Variable::Args)
            }
            _ => None,
        }
    }

    fn setting(&self, name: &str) -> Option<String> {
        match self.definition.settings.get(name) {
            Some(setting) if setting.secret && !self.sees_secrets => Some(format!(
                "`{name}` is a secret; only headers and the login may carry it"
            )),
            Some(_) => None,
            None => Some(format!("there is no setting `{name}`")),
        }
    }

    fn me(&self) -> Option<String> {
        let upstream = &self.definition.upstream;
        let known = upstream.me.is_some()
            || upstream
                .login
                .as_ref()
                .is_some_and(|login| login.value.me.is_some());
        (!known).then(|| "nothing says who $me is: add `me` to `upstream` or to its login".into())
    }

    fn step(&self, name: &str) -> Option<String> {
        (!self.has_step(name)).then(|| format!("there is no step `{name}` before this"))
    }

    fn argument(&self, name: &str, resolved: bool) -> Option<String> {
        match self.arguments.as_ref().map(|names| names.contains(&name)) {
            Some(false) => Some(format!("there is no argument `{name}`")),
            Some(true) if resolved && self.unresolved.contains(&name) => Some(format!(
                "the id of `{name}` is not known yet: its lookup needs what comes later"
            )),
            _ => None,
        }
    }

    /// Reports what a path names and may not.
    pub(super) fn check_name(&self, name: &str) -> Option<String> {
        let (head, rest) = name
            .split_once('.')
            .map_or((name, None), |(head, rest)| (head, Some(rest)));
        let first = rest.map(|rest| rest.split('.').next().unwrap_or_default());
        let has = |variable: &str| {
            self.variables
                .iter()
                .any(|known| known.name().strip_prefix('$') == Some(variable))
        };
        match (head, first) {
            ("settings", Some(setting)) => self.setting(setting),
            ("me", Some(_)) => self.me(),
            ("steps", Some(step)) if has("steps") => self.step(step),
            ("before" | "after", Some(_)) if has(head) => None,
            ("item", _) if has("item") => None,
            ("in" | "value", None) if has(head) => None,
            (_, None) if has("args") => self.argument(name, true).or_else(|| {
                self.arguments
                    .is_none()
                    .then(|| format!("there is no argument `{name}`"))
            }),
            _ => Some(format!("there is no `{name}` here")),
        }
    }
}
