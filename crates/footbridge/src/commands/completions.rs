//! `footbridge completions`: what a shell completes of our command line.

use clap_complete::generate;

use crate::cli::{self, CompletionsArguments};
use crate::exit::{Exit, Trouble};
use crate::terminal;

pub(crate) fn run(arguments: &CompletionsArguments) -> Result<Exit, Trouble> {
    let mut script = Vec::new();
    generate(
        arguments.shell,
        &mut cli::command_line(),
        "footbridge",
        &mut script,
    );
    terminal::print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
