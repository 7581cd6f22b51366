//! The options of a command that stand in the environment: variables of the process and of the
//! `.env` file, read as flags are. The command line is not read again.

use std::error::Error as _;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgAction, Command as ClapCommand};

use crate::cli::{
    AccountCommand, AuditCommand, ChangesCommand, Cli, Command, EnvironmentOptions, InstallScope,
    LeasesCommand, ServeOptions, TokenCommand, Transport,
};
use crate::environment::{self, variable};
use crate::exit::Trouble;
use crate::setting_table::{SETTINGS, SettingValueKind, setting_of};

/// The command with what the environment adds to it, and whether there was a `.env` file.
/// `suggested` is the transport that fits whoever started the program.
///
/// # Errors
/// When the `.env` file cannot be read, or a variable has a value that its flag does not take.
pub(crate) fn with_environment(
    cli: Cli,
    suggested: impl FnOnce() -> Transport,
) -> Result<(Command, bool), Trouble> {
    let has_file = load_file(&cli, suggested)?;
    let mut command = cli.into_command();
    match &mut command {
        Command::Serve(arguments) => complete(&mut arguments.options)?,
        Command::Call(arguments) => complete(&mut arguments.options)?,
        Command::Tools(arguments) => complete(&mut arguments.options)?,
        Command::Doctor(arguments) => complete(&mut arguments.options)?,
        Command::Login(arguments) => complete(&mut arguments.options)?,
        Command::Logout(arguments) => complete(&mut arguments.options)?,
        Command::Whoami(arguments) => complete(&mut arguments.options)?,
        Command::Lint(arguments) => complete(&mut arguments.directory)?,
        // A project's file is for other people too, who have not this environment.
        Command::Install(arguments) => {
            if arguments.entry.scope == InstallScope::User && arguments.http.is_none() {
                complete(&mut arguments.options)?;
            }
        }
        Command::Probe(arguments) => complete(&mut arguments.roots)?,
        Command::Actions(arguments) => {
            complete(&mut arguments.server)?;
            complete(&mut arguments.directory)?;
            complete(&mut arguments.roots)?;
        }
        Command::Account(arguments) => match &mut arguments.command {
            AccountCommand::Add { options, .. }
            | AccountCommand::List { options, .. }
            | AccountCommand::Remove { options, .. } => complete(&mut options.files)?,
        },
        Command::Token(arguments) => match &mut arguments.command {
            TokenCommand::Create { options, .. }
            | TokenCommand::List { options, .. }
            | TokenCommand::Revoke { options, .. } => complete(&mut options.files)?,
        },
        Command::Board(arguments) => complete(&mut arguments.files)?,
        Command::Changes(arguments) => match arguments.command()? {
            ChangesCommand::List { files, .. }
            | ChangesCommand::Show { files, .. }
            | ChangesCommand::Decline { files, .. } => complete(files)?,
            ChangesCommand::Undo { options, .. } | ChangesCommand::Approve { options, .. } => {
                complete(options)?;
            }
        },
        Command::Leases(arguments) => match arguments.command()? {
            LeasesCommand::List { files, .. } | LeasesCommand::End { files, .. } => {
                complete(files)?;
            }
        },
        Command::Audit(arguments) => match &mut arguments.command {
            AuditCommand::Verify { files, .. } | AuditCommand::Export { files, .. } => {
                complete(files)?;
            }
        },
        Command::Open(arguments) => {
            complete(&mut arguments.files)?;
            complete(&mut arguments.roots)?;
        }
        Command::Update(arguments) => complete(&mut arguments.roots)?,
        Command::Uninstall(_) | Command::Completions(_) | Command::Version(_) => {}
    }
    Ok((command, has_file))
}

/// Reads the `.env` file, if there is one. A client starts us over stdio in whatever folder it
/// has open, and a file that lies there must not say where credentials go: then only a file that
/// is named is read, as when somebody logs in.
fn load_file(cli: &Cli, suggested: impl FnOnce() -> Transport) -> Result<bool, Trouble> {
    if let Some(path) = &cli.env_file {
        return environment::load(path, true);
    }
    if cli.logs_in() {
        return Ok(false);
    }
    if let Some(written) = cli.serves_by() {
        let transport = match written {
            Some(transport) => transport,
            None => read::<ServeOptions>()?.transport.unwrap_or_else(suggested),
        };
        if transport == Transport::Stdio {
            return Ok(false);
        }
    }
    environment::load(Path::new(environment::DEFAULT_FILE), false)
}

/// Fills up the options with what the environment says.
fn complete<O: EnvironmentOptions>(options: &mut O) -> Result<(), Trouble> {
    let environment = read::<O>()?;
    *options = std::mem::take(options).or_environment(environment);
    Ok(())
}

/// The options as the environment has them.
fn read<O: EnvironmentOptions>() -> Result<O, Trouble> {
    let empty = ClapCommand::new("environment").no_binary_name(true);
    let mut command = O::augment_args(empty).mut_args(|argument| {
        // A switch is there or not on a command line; a variable says which.
        match setting_of(&argument).map(|row| row.kind) {
            Some(SettingValueKind::Switch)
                if !matches!(argument.get_action(), ArgAction::SetTrue) =>
            {
                argument.num_args(1)
            }
            _ => argument,
        }
    });
    let mut arguments = Vec::new();
    for argument in command.get_arguments() {
        let Some(row) = setting_of(argument) else {
            continue;
        };
        let (Some(flag), Some(name)) = (row.flag, row.variable) else {
            continue;
        };
        if let Some(value) = variable(name)? {
            arguments.push(format!("--{flag}={value}"));
        }
    }
    let options = command
        .try_get_matches_from_mut(arguments)
        .and_then(|matches| O::from_arg_matches(&matches));
    options.map_err(|error| Trouble::usage(complaint(&error)))
}

/// Says which variable has a value that its flag does not take, and what it takes.
fn complaint(error: &clap::Error) -> String {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let shown = named(ContextKind::InvalidArg);
    let flag = shown.split_whitespace().next().unwrap_or_default();
    let row = SETTINGS
        .into_iter()
        .find(|row| row.flag.is_some() && row.flag == flag.strip_prefix("--"));
    let name = row.and_then(|row| row.variable).unwrap_or(flag);
    let why = match (error.get(ContextKind::ValidValue), error.source()) {
        (Some(ContextValue::Strings(values)), _) => format!("it takes: {}", values.join(", ")),
        (_, Some(source)) => source.to_string(),
        _ => "write it as the flag is written".to_owned(),
    };
    let value = named(ContextKind::InvalidValue);
    format!("the variable {name} is {value:?}, which {flag} does not take: {why}")
}
