//! What the reader of the command line has to say: help and version, and what is wrong, with one
//! prefix and the word that was probably meant.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::command_line;
use crate::connectors::{built_in_names, names_one};
use crate::exit::{Exit, Trouble};
use crate::spelling::did_you_mean;
use crate::terminal;

/// Shows what is said of our own command line, mistakes in better words where we have them.
pub(super) fn explained(error: &clap::Error) -> Exit {
    match mistake(error) {
        Some(mistake) => {
            terminal::complain(&Trouble::usage(mistake));
            Exit::Usage
        }
        None => print_refusal(error),
    }
}

/// Shows what is said of a command line: help and version end well, mistakes do not.
pub(crate) fn print_refusal(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        terminal::say(prefixed(&error.to_string()));
        return Exit::Usage;
    }
    // Nobody is left to tell when the terminal is gone.
    let _shown = error.print();
    Exit::Done
}

/// The reader's own words, behind the prefix that all mistakes have.
fn prefixed(text: &str) -> String {
    let text = text.trim_end();
    format!(
        "footbridge: {}",
        text.strip_prefix("error: ").unwrap_or(text)
    )
}

/// A mistake that we have better words for: a connector where a command stands, a command that is
/// none, a flag that stands twice.
fn mistake(error: &clap::Error) -> Option<String> {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => Some(name.as_str()),
        _ => None,
    };
    if let Some(name) = named(ContextKind::InvalidSubcommand) {
        return Some(no_command(name));
    }
    let flag = named(ContextKind::InvalidArg)?;
    let is_twice =
        error.kind() == ErrorKind::ArgumentConflict && named(ContextKind::PriorArg) == Some(flag);
    is_twice.then(|| format!("{flag} stands twice on the command line: write it once"))
}

fn no_command(name: &str) -> String {
    if names_one(name) {
        return format!("{name} is a connector and no command: footbridge serve {name} serves it");
    }
    let command = command_line();
    let commands = command.get_subcommands().map(clap::Command::get_name);
    let meant = did_you_mean(name, commands);
    let meant_connector = did_you_mean(name, built_in_names());
    if meant.is_empty() && !meant_connector.is_empty() {
        return format!(
            "there is no command {name:?}{meant_connector} footbridge serve takes connectors"
        );
    }
    let separator = if meant.is_empty() { ";" } else { "" };
    format!("there is no command {name:?}{meant}{separator} footbridge --help lists them")
}

#[cfg(test)]
mod tests {
    use super::no_command;

    #[test]
    fn a_word_that_is_no_command_is_answered_with_the_one_that_was_meant() {
        for (typed, wanted) in [
            ("instal", "did you mean install? footbridge --help"),
            ("tiaga", "did you mean taiga? footbridge serve"),
            ("xyzzy", "\"xyzzy\"; footbridge --help lists them"),
            ("taiga", "footbridge serve taiga serves it"),
        ] {
            let sentence = no_command(typed);
            assert!(sentence.contains(wanted), "{sentence}");
        }
    }
}
