//! The `footbridge` program: reads the command line, runs one command, chooses the exit code.
//! Everything else is in the modules.

mod cli;
mod commands;
mod environment;
mod exit;
mod logging;
mod setting_table;
mod terminal;

mod settings;

mod caller;
mod connectors;
mod endpoint;
mod mcp_client;
mod opened;
mod readiness;
mod scrub;
mod write_road;

mod serve;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Trouble};

fn main() -> ExitCode {
    #[cfg(unix)]
    if let Err(trouble) = environment::handed_over::take_over() {
        terminal::complain(&trouble);
        return trouble.exit().into();
    }
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let completed = settings::with_environment(cli, serve::suggested_transport);
    let (command, has_environment_file) = match completed {
        Ok(completed) => completed,
        Err(trouble) => {
            terminal::complain(&trouble);
            return trouble.exit().into();
        }
    };
    // Before any thread and before anything is read from stdin: the program may start again here.
    let settled = scrub::settle(&command);
    logging::start(settled.as_ref().ok().copied().flatten());
    match settled.and_then(|_| run(command, has_environment_file)) {
        Ok(exit) => exit.into(),
        Err(trouble) => {
            terminal::complain(&trouble);
            trouble.exit().into()
        }
    }
}

fn run(command: Command, has_environment_file: bool) -> Result<Exit, Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(footbridge_connector::FILTER_STACK_BYTES)
        .build()
        .map_err(|error| Trouble::failed(format!("could not start: {error}")))?;
    let outcome = runtime.block_on(async {
        match command {
            Command::Serve(arguments) => serve::run(arguments, has_environment_file).await,
            Command::Call(arguments) => commands::call::run(arguments).await,
            Command::Tools(arguments) => commands::tools::run(arguments).await,
            Command::Lint(arguments) => commands::lint::run(&arguments),
            Command::Doctor(arguments) => commands::doctor::run(arguments).await,
            Command::Probe(arguments) => commands::probe::run(arguments).await,
            Command::Actions(arguments) => commands::actions::run(arguments).await,
            Command::Account(arguments) => commands::account::run(arguments).await,
            Command::Token(arguments) => commands::token::run(arguments).await,
            Command::Version(arguments) => commands::version::run(&arguments),
        }
    });
    // A thread that waits for input must not keep the program.
    runtime.shutdown_background();
    outcome
}
