//! The words of `footbridge actions`: options made of what an action takes, and JSON made of the
//! options that were used. Sends nothing.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use footbridge_connector::{ActionInput, RestAction};
use http::Method;
use serde_json::{Map, Value};

use crate::exit::Trouble;

/// The option that says null. No input has that name: names have no hyphen in front and this one is
/// checked beside them.
const NULL: &str = "null";

/// The command with one subcommand for each action.
pub(super) fn command(connector: &str, actions: &[RestAction]) -> Command {
    Command::new("footbridge actions")
        .about(format!("The actions of {connector}"))
        .no_binary_name(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100)
        .subcommands(actions.iter().map(subcommand))
}

fn subcommand(action: &RestAction) -> Command {
    let options = action.input.iter().map(option);
    let command = Command::new(action.command.clone())
        .about(action.description.clone())
        .args(options);
    let nullable: Vec<PossibleValue> = action
        .input
        .iter()
        .filter(|input| has_type(input, "null"))
        .map(|input| PossibleValue::new(option_name(input)).alias(hyphens(&input.name)))
        .collect();
    if action.method == Method::GET || nullable.is_empty() {
        return command;
    }
    let null = Arg::new(NULL)
        .long(NULL)
        .value_name("FIELD")
        .action(ArgAction::Append)
        .value_parser(PossibleValuesParser::new(nullable));
    command.arg(null.help("Send null for this field, which clears it; may be repeated"))
}

fn option(input: &ActionInput) -> Arg {
    let description = input
        .schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let whole = hyphens(&input.name);
    let arg = Arg::new(input.name.clone())
        .required(input.required)
        .help(description.to_owned())
        .allow_hyphen_values(true);
    if !has_type(input, "array") {
        return arg.long(whole);
    }
    // One value a time is one of them: --tag a --tag b.
    let (arg, name) = (arg.action(ArgAction::Append), option_name(input));
    if name == whole {
        arg.long(whole)
    } else {
        arg.long(name).alias(whole)
    }
}

/// The name of its option: of a list that of one item.
fn option_name(input: &ActionInput) -> String {
    let whole = hyphens(&input.name);
    match whole.strip_suffix('s').filter(|_| has_type(input, "array")) {
        Some(singular) => singular.to_owned(),
        None => whole,
    }
}

fn hyphens(name: &str) -> String {
    name.replace('_', "-")
}

fn has_type(input: &ActionInput, wanted: &str) -> bool {
    match input.schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|kind| kind == wanted),
        Some(kind) => kind == wanted,
        None => false,
    }
}

/// What was given, by the names that the action knows.
pub(super) fn fields(
    action: &RestAction,
    options: &ArgMatches,
) -> Result<Map<String, Value>, Trouble> {
    let mut fields = Map::new();
    let nulls: Vec<&String> = options
        .try_get_many(NULL)
        .ok()
        .flatten()
        .map(Iterator::collect)
        .unwrap_or_default();
    for input in &action.input {
        let names = [option_name(input), hyphens(&input.name)];
        let is_null = nulls.iter().any(|null| names.contains(null));
        let values: Vec<&String> = options
            .get_many(&input.name)
            .map(Iterator::collect)
            .unwrap_or_default();
        if is_null && !values.is_empty() {
            let option = option_name(input);
            return Err(Trouble::usage(format!(
                "--{option} and --null {option} are both given: give one of them"
            )));
        }
        let value = match (is_null, values.as_slice()) {
            (true, _) => Value::Null,
            (false, []) => continue,
            (false, values) if has_type(input, "array") => Value::Array(
                values
                    .iter()
                    .map(|text| Value::from(text.as_str()))
                    .collect(),
            ),
            (false, [first, ..]) => value(input, first)?,
        };
        fields.insert(input.name.clone(), value);
    }
    Ok(fields)
}

/// A text as the type of the input; a whole number goes before a text where both may be.
fn value(input: &ActionInput, text: &str) -> Result<Value, Trouble> {
    let is = |kind: &str| has_type(input, kind);
    let wrong = |wanted: &str| {
        Trouble::usage(format!(
            "--{} must be {wanted}, is {text:?}",
            hyphens(&input.name)
        ))
    };
    if is("integer") {
        match text.parse::<i64>() {
            Ok(number) => return Ok(Value::from(number)),
            Err(_) if is("string") => {}
            Err(_) => return Err(wrong("a whole number")),
        }
    } else if is("number") {
        return text
            .parse::<f64>()
            .map(Value::from)
            .map_err(|_| wrong("a number"));
    } else if is("boolean") {
        return text
            .parse::<bool>()
            .map(Value::from)
            .map_err(|_| wrong("true or false"));
    } else if is("object") {
        return serde_json::from_str(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| wrong("a JSON object"));
    }
    Ok(Value::from(text))
}

#[cfg(test)]
mod tests {
    use footbridge_connector::Connector;
    use serde_json::{Value, json};

    use super::{command, fields};

    fn connector() -> Connector {
        let file = r#"
format: 1
connector: things
title: Things
instructions: None.
upstream: { base: "http://localhost" }
sources: { states: { get: /states } }
lookups: { state: { from: states } }
tools:
  - name: change
    title: Change
    description: Changes a thing.
    effect: write
    input:
      id: { type: integer, description: Id, required: true }
      owner: { type: string, description: Owner, clear: true }
      tags: { type: array, items: { type: string }, description: Tags, clear: true }
      weight: { type: number, description: Weight }
      done: { type: boolean, description: Done }
      more: { type: object, description: More }
      state: { type: string, description: State, lookup: state }
    steps: [{ patch: "/things/{id}", body: { owner: $args.owner } }]
    no_undo: It is a test.
actions:
  change_thing: { method: post, tool: change, args: .body, input: { thing_id: { argument: id, required: true }, owner: {}, tags: {}, weight: {}, done: {}, more: {}, state: {} } }
  list_changes: { method: post, tool: change, args: .body, command: changes }
"#;
        footbridge_connector::compile("things.yaml", file)
            .unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn given(words: &[&str]) -> Result<Value, String> {
        let connector = connector();
        let matches = command("things", connector.actions())
            .try_get_matches_from(words)
            .map_err(|error| error.to_string())?;
        let (name, matches) = matches.subcommand().unwrap();
        let action = connector
            .actions()
            .iter()
            .find(|action| action.command == name)
            .unwrap();
        fields(action, matches)
            .map(Value::Object)
            .map_err(|trouble| trouble.to_string())
    }

    #[test]
    fn options_become_json_of_their_types() {
        let change = |more: &[&str]| given(&[&["change-thing", "--thing-id", "7"], more].concat());
        assert_eq!(change(&[]), Ok(json!({ "thing_id": 7 })));
        assert_eq!(
            change(&[
                "--tag",
                "a",
                "--tags",
                "b",
                "--weight",
                "1.5",
                "--done",
                "true",
                "--more",
                "{\"a\":1}",
                "--owner",
                "-x"
            ]),
            Ok(
                json!({ "thing_id": 7, "owner": "-x", "tags": ["a", "b"], "weight": 1.5, "done": true, "more": { "a": 1 } })
            )
        );
        assert_eq!(
            change(&["--state", "3"]),
            Ok(json!({ "thing_id": 7, "state": 3 }))
        );
        assert_eq!(
            change(&["--state", "Done"]),
            Ok(json!({ "thing_id": 7, "state": "Done" }))
        );
        assert_eq!(
            change(&["--null", "owner"]),
            Ok(json!({ "thing_id": 7, "owner": null }))
        );
        for tags in ["tag", "tags"] {
            assert_eq!(
                change(&["--null", tags]),
                Ok(json!({ "thing_id": 7, "tags": null }))
            );
        }
        assert_eq!(given(&["changes"]), Ok(json!({})));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (words, named) in [
            (&["change-thing"][..], "--thing-id"),
            (
                &["change-thing", "--thing-id", "x"],
                "--thing-id must be a whole number, is \"x\"",
            ),
            (
                &["change-thing", "--thing-id", "1", "--weight", "x"],
                "--weight must be a number",
            ),
            (
                &["change-thing", "--thing-id", "1", "--done", "x"],
                "--done must be true or false",
            ),
            (
                &["change-thing", "--thing-id", "1", "--more", "[]"],
                "--more must be a JSON object",
            ),
            (
                &["change-thing", "--thing-id", "1", "--null", "weight"],
                "owner",
            ),
            (
                &[
                    "change-thing",
                    "--thing-id",
                    "1",
                    "--null",
                    "owner",
                    "--owner",
                    "x",
                ],
                "are both given",
            ),
            (&["nothing"], "nothing"),
            (&[], "change-thing"),
        ] {
            let error = given(words).unwrap_err();
            assert!(error.contains(named), "{words:?}: {error}");
        }
    }
}
