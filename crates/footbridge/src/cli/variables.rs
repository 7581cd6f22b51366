//! What the environment has to do with the command line: an empty variable is unset, and a bad one
//! is blamed, not its flag.

use std::error::Error as _;
use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::environment;

/// Takes the variables that are empty from the command line's definition. Service managers and
/// compose files set such ones.
pub(super) fn without_empty(command: Command) -> Command {
    let is_empty = |arg: &Arg| {
        arg.get_env()
            .and_then(std::env::var_os)
            .is_some_and(|value| value.is_empty())
    };
    command
        .mut_args(|arg| {
            if is_empty(&arg) {
                arg.env(Resettable::Reset)
            } else {
                arg
            }
        })
        .mut_subcommands(without_empty)
}

/// Takes all variables from the command itself, and none from its subcommands.
pub(super) fn without_own(command: Command) -> Command {
    command.mut_args(|arg| arg.env(Resettable::Reset))
}

/// Says what is wrong when the refused value came from a variable; none when it stands on the
/// command line.
pub(super) fn complaint(
    error: &clap::Error,
    command: &Command,
    written: &[OsString],
) -> Option<String> {
    let ContextValue::String(shown) = error.get(ContextKind::InvalidArg)? else {
        return None;
    };
    let ContextValue::String(value) = error.get(ContextKind::InvalidValue)? else {
        return None;
    };
    let flag = shown.split_whitespace().next()?;
    let is_written = |one: &OsString| {
        let one = one.as_encoded_bytes();
        one.strip_prefix(flag.as_bytes())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"="))
    };
    if written.iter().any(is_written) {
        return None;
    }
    let name = variable_of(command, flag.strip_prefix("--")?)?.to_str()?;
    let why = match (error.get(ContextKind::ValidValue), error.source()) {
        (Some(ContextValue::Strings(values)), _) => format!("it takes: {}", values.join(", ")),
        (_, Some(source)) => source.to_string(),
        _ => return None,
    };
    Some(format!(
        "the variable {name} is {value:?}, which {flag} does not take: {why}"
    ))
}

/// The arguments that the `.env` file alone gives, for the command that was named: those that
/// neither flag nor environment gave.
pub(super) fn from_file(command: &Command, matches: &ArgMatches) -> Vec<OsString> {
    let (mut command, mut matches) = (command, matches);
    while let Some((name, inner)) = matches.subcommand() {
        let Some(found) = command.find_subcommand(name) else {
            return Vec::new();
        };
        (command, matches) = (found, inner);
    }
    let given = |arg: &&Arg| {
        matches!(
            matches.value_source(arg.get_id().as_str()),
            None | Some(ValueSource::DefaultValue)
        )
    };
    let found = command.get_arguments().filter(given).filter_map(|arg| {
        let value = environment::only_in_file(arg.get_env()?.to_str()?)?;
        let flag = format!("--{}", arg.get_long()?);
        // A switch takes no value on a command line: it is there or not.
        match value
            .to_str()
            .filter(|_| matches!(arg.get_action(), ArgAction::SetTrue))
        {
            Some("true") => return Some(OsString::from(flag)),
            Some("false") => return None,
            _ => {}
        }
        let mut argument = OsString::from(format!("{flag}="));
        argument.push(value);
        Some(argument)
    });
    found.collect()
}

/// The command line with more arguments, before the mark after which nothing is a flag.
pub(super) fn with_more(written: &[OsString], more: Vec<OsString>) -> Vec<OsString> {
    let end = written
        .iter()
        .position(|one| one == "--")
        .unwrap_or(written.len());
    let (before, after) = written.split_at(end);
    before
        .iter()
        .cloned()
        .chain(more)
        .chain(after.iter().cloned())
        .collect()
}

fn variable_of<'c>(command: &'c Command, long: &str) -> Option<&'c OsStr> {
    let own = command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(long))
        .and_then(Arg::get_env);
    own.or_else(|| {
        command
            .get_subcommands()
            .find_map(|one| variable_of(one, long))
    })
}
