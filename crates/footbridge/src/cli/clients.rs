//! The command line of `install` and `uninstall`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::CommonOptions;
use crate::clients::SERVER_NAME;

/// How `install` and `uninstall` end.
pub(super) const EXITS: &str = "Clients:
  claude-code, claude-desktop, codex, vscode, cursor, gemini-cli, zed, opencode, windsurf;
  chatgpt for the steps, and --print for any other

Exit codes:
  0  done, or there was nothing to do
  1  the client's file could not be read or written; nothing was changed
  2  the command is wrong";

/// Whose file is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum InstallScope {
    /// The user's own file, with the program by its path
    #[default]
    User,
    /// The file of the project in this folder, with the program by its name
    Project,
}

/// Which entry of which file.
#[derive(Debug, Args)]
pub(crate) struct EntryOptions {
    /// Whose file
    #[arg(long, value_enum, default_value_t)]
    pub(crate) scope: InstallScope,
    /// What the server is called there
    #[arg(long, value_name = "NAME", default_value = SERVER_NAME, value_parser = server_name)]
    pub(crate) name: String,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InstallArguments {
    /// The client
    pub(crate) client: String,
    /// What is served to it, as `serve` takes it [default: board]
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connectors: Vec<String>,
    /// Let it connect to a running server at this address, in place of starting one
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = ["connectors", "allow", "connectors_directory", "groups", "skills", "surface", "data", "settings", "ca_file"]
    )]
    pub(crate) http: Option<String>,
    /// The variable from which the client takes the bearer; the bearer itself is never written
    #[arg(long, value_name = "NAME", requires = "http", value_parser = variable_name)]
    pub(crate) bearer_variable: Option<String>,
    /// Print the entry to paste, and write nothing
    #[arg(long)]
    pub(crate) print: bool,
    #[command(flatten)]
    pub(crate) entry: EntryOptions,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
    /// The file of variables that was named.
    #[arg(skip)]
    pub(crate) env_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct UninstallArguments {
    /// The client
    pub(crate) client: String,
    #[command(flatten)]
    pub(crate) entry: EntryOptions,
}

/// A name that every client takes for a server: clients put it before the names of tools.
fn server_name(text: &str) -> Result<String, String> {
    const LONGEST: usize = 32;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(is_word) {
        return Err(format!(
            "write letters, digits, - and _, at most {LONGEST} of them"
        ));
    }
    Ok(text.to_owned())
}

/// The name of a variable, and not the bearer itself.
fn variable_name(text: &str) -> Result<String, String> {
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if !text.starts_with(|first: char| first.is_ascii_uppercase()) || !text.bytes().all(is_letter) {
        return Err("write the name of a variable, such as FOOTBRIDGE_TOKEN".to_owned());
    }
    Ok(text.to_owned())
}
