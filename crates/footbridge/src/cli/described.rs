//! The command line with all that describes it: the arguments of every verb, what each setting is,
//! and the version. A good line is read without it.

use clap::builder::Resettable;
use clap::{Command, CommandFactory as _};

use super::Cli;
use crate::build;
use crate::setting_table;

/// The command line with what is not written beside the types: what each setting is, the commit,
/// and that the options of `serve` stand in its own help alone.
pub(crate) fn command_line() -> Command {
    let command = Cli::command().version(build::version());
    let command = command.mut_args(|argument| {
        let is_of_serve = argument.get_long().is_some_and(|long| long != "env-file");
        argument.hide(is_of_serve)
    });
    setting_table::describe(with_arguments(command))
}

/// The command with the arguments of every verb, which else come when the verb is asked for.
pub(crate) fn with_arguments(mut command: Command) -> Command {
    let sentences = |verb: &Command| {
        let name = verb.get_name().to_owned();
        (
            name,
            verb.get_about().cloned(),
            verb.get_long_about().cloned(),
        )
    };
    let verbs: Vec<_> = command.get_subcommands().map(sentences).collect();
    command.build();
    // With its arguments came what is said of a group of them, in the place of the verb's own.
    verbs
        .into_iter()
        .fold(command, |command, (name, about, long_about)| {
            command.mut_subcommand(name, |verb| {
                verb.about(Resettable::from(about))
                    .long_about(Resettable::from(long_about))
            })
        })
}
