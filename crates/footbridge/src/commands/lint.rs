//! `footbridge lint`: all problems of connector files, and all that a client would refuse of their
//! tools.

mod check;

use footbridge_connector::{LintedTool, Problem, lint};
use serde_json::{Value, json};

use crate::cli::LintArguments;
use crate::client_rules::{self, ClientRules};
use crate::connectors::{ConnectorFile, Connectors};
use crate::exit::{Exit, Trouble};
use crate::terminal;

pub(crate) fn run(arguments: &LintArguments) -> Result<Exit, Trouble> {
    let client = match &arguments.client {
        None => &client_rules::SAFE,
        Some(name) => client_rules::named(name).ok_or_else(|| {
            Trouble::usage(format!(
                "there are no rules for the client {name:?}; there are: {}",
                client_rules::names().join(", ")
            ))
        })?,
    };
    let connectors =
        Connectors::with_directory(arguments.directory.connectors_directory.as_deref())?;
    let mut files = Vec::new();
    let mut is_unread = false;
    for wanted in &arguments.files {
        match connectors.find(wanted) {
            Ok(file) => files.push(file),
            Err(trouble) => {
                terminal::complain(&trouble);
                is_unread = true;
            }
        }
    }
    let mut found: Vec<(String, Problem)> = Vec::new();
    for file in &files {
        found.extend(
            problems(file, client)
                .into_iter()
                .map(|problem| (file.file.clone(), problem)),
        );
    }
    if arguments.json {
        terminal::print(Value::Array(
            found
                .iter()
                .map(|(file, problem)| as_json(file, problem))
                .collect(),
        ))?;
    } else {
        let styled = terminal::is_coloured();
        for (file, problem) in &found {
            terminal::print(if styled {
                coloured(file, problem)
            } else {
                problem.in_file(file)
            })?;
        }
        if arguments.undo {
            for file in &files {
                print_undoing(file)?;
            }
        }
        if !files.is_empty() {
            terminal::say(format_args!(
                "{} in {}",
                counted(found.len(), "problem"),
                counted(files.len(), "file")
            ));
        }
    }
    Ok(match (is_unread, found.is_empty()) {
        (true, _) => Exit::Usage,
        (false, false) => Exit::Failed,
        (false, true) => Exit::Done,
    })
}

fn problems(file: &ConnectorFile, client: &ClientRules) -> Vec<Problem> {
    let linted = lint(&file.text);
    let mut problems = linted.problems;
    problems.extend(check::tools(&linted.tools, client));
    problems.sort_by_key(|problem| problem.place);
    problems
}

/// What undoing does for each tool that writes, a line each.
fn print_undoing(file: &ConnectorFile) -> Result<(), Trouble> {
    for LintedTool { tool, .. } in lint(&file.text).tools {
        if let Some(undoing) = tool.undoing() {
            terminal::print(format!("{}: {}: {undoing}", file.file, tool.name))?;
        }
    }
    Ok(())
}

fn as_json(file: &str, problem: &Problem) -> Value {
    json!({
        "file": file, "line": problem.place.line, "column": problem.place.column,
        "part": problem.part, "what": problem.what, "hint": problem.hint
    })
}

/// The same line as without colours: the place bold, the part cyan, the hint dim.
fn coloured(file: &str, problem: &Problem) -> String {
    let place = format!("{file}:{}:{}:", problem.place.line, problem.place.column);
    let part = if problem.part.is_empty() {
        String::new()
    } else {
        format!(" \x1b[36m{}:\x1b[0m", problem.part)
    };
    let hint = problem
        .hint
        .as_ref()
        .map(|hint| format!("\x1b[2m: {hint}\x1b[0m"))
        .unwrap_or_default();
    format!("\x1b[1m{place}\x1b[0m{part} {}{hint}", problem.what)
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use footbridge_connector::{Place, Problem};

    use super::{coloured, counted};

    #[test]
    fn colours_change_nothing_but_colours() {
        let problem = |part: &str, hint: Option<&str>| Problem {
            place: Place { line: 3, column: 7 },
            part: part.to_owned(),
            what: "is wrong".to_owned(),
            hint: hint.map(str::to_owned),
        };
        for problem in [problem("a.b", Some("mend it")), problem("", None)] {
            let mut plain = coloured("x.yaml", &problem);
            for code in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[36m"] {
                plain = plain.replace(code, "");
            }
            assert_eq!(plain, problem.in_file("x.yaml"));
        }
        assert_eq!(
            [counted(0, "file"), counted(1, "file"), counted(2, "file")],
            ["no files", "1 file", "2 files"]
        );
    }
}
