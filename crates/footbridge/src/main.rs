//! The `footbridge` program: reads the command line, runs one command, chooses the exit code.
//! Everything else is in the modules.

// The modules in layers, from the top down: a module uses its own layer and those below.

// The verbs: the doors, and the commands beside them.
mod commands;
mod serve;
// The MCP endpoint over everything that was opened.
mod endpoint;
// What stands between a call and its connector, and the names of its tools.
mod tool_names;
mod undoing;
mod write_road;
// Connectors bound to their upstreams, and what the operator opened of each.
mod opened;
// What the served connectors want of the environment, before the program opens any of them.
mod scrub;
// What is decided of flag, environment, file and default.
mod settings;
// Who may do what and how much, calls that are carried out once, rows of the board as changes, the
// audit, the upkeep of the store, and the waits of clients.
mod audit_trail;
mod board_journal;
mod brakes;
mod call_keys;
mod change_store;
mod changes_page;
mod gate;
mod metrics;
mod recent_writes;
mod upkeep;
mod waits;
// What is written: the command line, the connector files that it names, and the models of the
// local board's.
mod board_models;
mod cli;
mod connectors;
// The environment and the log, the table of settings, the rules of clients and
// where their files are, a client of our own, the pages for people.
mod client_rules;
mod clients;
mod credentials;
mod environment;
mod logging;
mod mcp_client;
mod pages;
mod setting_table;
// Ground: how the program ends and what it prints, who is asking, who waits for whom.
mod allow;
mod build;
mod caller;
mod change_json;
mod client_file;
mod exit;
mod json_object;
mod readiness;
mod selection;
mod shortened;
mod small_file;
mod spelling;
mod terminal;
// The one reader of the switch for golden files, which the tests beside `src` have too.
#[cfg(test)]
#[path = "../tests/harness/golden.rs"]
mod golden_file;

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
    let linked = cli.linked();
    let completed = settings::with_environment(cli, serve::suggested_transport);
    let (mut command, has_environment_file) = match completed {
        Ok(completed) => completed,
        Err(trouble) => {
            terminal::complain(&trouble);
            return trouble.exit().into();
        }
    };
    if let Command::Call(arguments) = &mut command {
        commands::call::find_connector(arguments);
    }
    // Before any thread and before anything is read from stdin: the program may start again here.
    let scrubbed = scrub::drop_unneeded(&command);
    if let (Some(linked), Command::Serve(_)) = (linked, &command) {
        terminal::say(linked.notice());
    }
    let log = command.log();
    let level = scrubbed.as_ref().ok().copied().flatten();
    let is_logging = logging::start(level, log.log_format, log.log_file.as_deref());
    let outcome = scrubbed
        .and(is_logging)
        .and_then(|()| run(command, has_environment_file));
    match outcome {
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
            Command::Login(arguments) => commands::login::run(arguments).await,
            Command::Logout(arguments) => commands::logout::run(arguments),
            Command::Whoami(arguments) => commands::whoami::run(arguments).await,
            Command::Install(arguments) => commands::install::run(arguments),
            Command::Uninstall(arguments) => commands::install::remove(&arguments),
            Command::Probe(arguments) => commands::probe::run(arguments).await,
            Command::Open(arguments) => commands::open::run(arguments).await,
            Command::Actions(arguments) => commands::actions::run(arguments).await,
            Command::Account(arguments) => commands::account::run(arguments).await,
            Command::Token(arguments) => commands::token::run(arguments).await,
            Command::Changes(arguments) => commands::changes::run(arguments).await,
            Command::Board(arguments) => commands::board::run(arguments).await,
            Command::Leases(arguments) => commands::leases::run(arguments).await,
            Command::Audit(arguments) => commands::audit::run(arguments).await,
            Command::Update(arguments) => commands::update::run(arguments).await,
            Command::Completions(arguments) => commands::completions::run(&arguments),
            Command::Version(arguments) => commands::version::run(arguments).await,
        }
    });
    // A thread that waits for input must not keep the program.
    runtime.shutdown_background();
    outcome
}
