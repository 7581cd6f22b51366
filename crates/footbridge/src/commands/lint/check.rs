//! Tools of a connector file against the rules of a client, each problem at its place in the file.
//! The rules are in `client_rules`.

use footbridge_connector::{LintedTool, Problem};

use crate::client_rules::ClientRules;
use crate::client_rules::check::{ListedTool, RuleBreach, breaches, too_many};
use crate::clients::SERVER_NAME;

/// Every problem that the client would have with these tools.
pub(super) fn tools(tools: &[LintedTool], client: &ClientRules) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |linted: &LintedTool, breach: RuleBreach| {
        let name = &linted.tool.name;
        let (place, part) = match &breach.argument {
            None => (linted.place, name.clone()),
            Some(argument) => (
                linted.place_of(argument),
                format!("{name}.input.{argument}"),
            ),
        };
        problems.push(Problem {
            place,
            part,
            what: breach.what,
            hint: Some(breach.hint.to_owned()),
        });
    };
    let listed = tools.iter().filter(|linted| linted.tool.is_listed);
    let first_over = client.most_tools.and_then(|most| listed.clone().nth(most));
    if let (Some(first_over), Some(breach)) = (first_over, too_many(listed.count(), client)) {
        add(first_over, breach);
    }
    for linted in tools {
        let tool = ListedTool {
            name: &linted.tool.name,
            description: &linted.tool.description,
            input_schema: &linted.tool.input_schema,
            output_schema: linted.tool.output_schema.as_deref(),
        };
        for breach in breaches(&tool, client, SERVER_NAME) {
            add(linted, breach);
        }
    }
    problems
}
