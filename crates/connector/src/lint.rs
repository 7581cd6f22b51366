//! A whole look at a connector file: every problem, the traps of its filters, and its tools with
//! their places. What clients take is not known here.

use crate::compile;
use crate::connector::ConnectorTool;
use crate::jq::traps::{self, Trap};
use crate::place::Place;
use crate::problem::{Found, Problem};

/// What a look at a connector file found.
#[derive(Debug)]
pub struct Linted {
    /// What is wrong, and what will cost more than it seems, in the order of their places; empty
    /// for a clean file.
    pub problems: Vec<Problem>,
    /// Its tools, as far as they can be made of it, in their order.
    pub tools: Vec<LintedTool>,
}

/// A tool and where it stands.
#[derive(Debug)]
pub struct LintedTool {
    /// The tool as a client may see it.
    pub tool: ConnectorTool,
    /// Where its name stands; for a tool that a model makes, the model's.
    pub place: Place,
    arguments: Vec<(String, Place)>,
}

impl LintedTool {
    /// Where an argument stands; the tool's place for one that the engine adds.
    pub fn place_of(&self, argument: &str) -> Place {
        self.arguments
            .iter()
            .find(|(name, _)| name == argument)
            .map_or(self.place, |(_, place)| *place)
    }
}

/// Looks at a connector file. Unlike [`compile()`](crate::compile()) it also names what works and
/// should not be there: filters that recurse, go through everything, change the order of keys, or
/// hold or make what is very large.
///
/// ```
/// let linted = footbridge_connector::lint("format: 1\nconnector: a\ntitel: A\n");
/// assert!(linted.problems.iter().any(|problem| problem.hint.as_deref() == Some("did you mean `title`?")));
/// ```
pub fn lint(yaml: &str) -> Linted {
    let mut found = Found::default();
    let mut trapped = Found::default();
    let mut tools = Vec::new();
    compile::compile_and_look(yaml, &mut found, &mut |definition, made, filters| {
        for (filter, part) in filters.iter() {
            for Trap { byte, what, hint } in traps::of_filter(&filter.value) {
                trapped.add_with_hint(filters.place(filter, byte), part, what, hint);
            }
        }
        if let Some(shared) = &definition.defs {
            for Trap { byte, what, hint } in traps::of_definitions(&shared.value) {
                trapped.add_with_hint(filters.place(shared, byte), "defs", what, hint);
            }
        }
        for placed in made {
            let written = definition
                .tools
                .iter()
                .find(|tool| tool.name.value == placed.value.name);
            let arguments = written.into_iter().flat_map(|tool| tool.input.iter());
            tools.push(LintedTool {
                tool: placed.value.clone(),
                place: placed.place,
                arguments: arguments
                    .map(|(name, _)| (name.value.clone(), name.place))
                    .collect(),
            });
        }
    });
    found.append(trapped);
    Linted {
        problems: found.into_list(),
        tools,
    }
}
