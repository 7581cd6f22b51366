//! The command line as written. What it means together with the environment and the settings file
//! is `settings`.

mod variables;

use std::convert::Infallible;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use secrecy::SecretString;

use crate::commands::lint::client_names;
use crate::connectors;
use crate::environment;
use crate::exit::{self, Exit, Trouble};
use crate::serve::suggested_transport;
use crate::terminal;

/// What is set by the environment alone.
const VARIABLES: &str = "Environment:
  FOOTBRIDGE_TOKEN    Bearer that clients of /mcp must send; or FOOTBRIDGE_TOKEN_FILE
  FOOTBRIDGE_LOG      What is logged on stderr, such as info or footbridge=debug [default: warn]
  PRODMCP_TOKEN       Personal access token for prodmcp; or PRODMCP_TOKEN_FILE
  PRODMCP_BASE_URL    Address of the board of prodmcp [default: https://deploysition.cloud]";

/// What is set by the environment alone when a server is probed.
const PROBE_VARIABLES: &str = "Environment:
  MCP_URL    Address to probe when none is given
  MCP_TOKEN  Bearer to send; or MCP_TOKEN_FILE";

/// What is set by the environment alone when actions are called.
const ACTION_VARIABLES: &str = "Environment:
  ACTION_PROXY_API_KEY  Key to send; or ACTION_PROXY_API_KEY_FILE";

/// How a doctor ends.
const DOCTOR_EXITS: &str = "Exit codes:
  0  nothing is wrong
  1  a backend is down, refuses, or differs from what its connector asks
  2  the command or the settings are wrong; nothing was asked
  3  nothing is wrong as far as it is known: paths that the connector assumes were
     not compared, as the backend serves no document";

/// Footbridge lets AI clients work in the backends a team already runs.
///
/// Without a command it serves the built-in board: over stdio when a client started it, over HTTP
/// otherwise.
#[derive(Debug, Parser)]
#[command(name = "footbridge", version, max_term_width = 100, args_conflicts_with_subcommands = true, after_help = VARIABLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeOptions,
    /// A file of variables, NAME=value in each line [default: .env, if there, unless a client
    /// started it]
    #[arg(long, value_name = "FILE", global = true)]
    env_file: Option<PathBuf>,
    #[arg(skip)]
    pub(crate) has_environment_file: bool,
}

impl Cli {
    /// Reads the command line and the `.env` file, or shows what its reader has to say and gives
    /// the code to end with.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        let written: Vec<OsString> = std::env::args_os().collect();
        let (mut command, matches) = Self::matches(&written)?;
        let mut cli =
            Self::from_arg_matches(&matches).map_err(|error| exit::of_command_line(&error))?;
        let has_file = cli.load_environment().map_err(|trouble| {
            terminal::complain(&trouble);
            ExitCode::from(trouble.exit())
        })?;
        let more = if has_file {
            variables::from_file(&command, &matches)
        } else {
            Vec::new()
        };
        if !more.is_empty() {
            let all = variables::with_more(&written, more);
            let parsed = command
                .try_get_matches_from_mut(&all)
                .and_then(|matches| Self::from_arg_matches(&matches));
            cli =
                parsed.map_err(
                    |error| match variables::complaint(&error, &command, &written) {
                        Some(complaint) => {
                            terminal::complain(&Trouble::usage(complaint));
                            Exit::Usage.into()
                        }
                        None => exit::of_command_line(&error),
                    },
                )?;
        }
        cli.has_environment_file = has_file;
        Ok(cli)
    }

    fn matches(written: &[OsString]) -> Result<(clap::Command, clap::ArgMatches), ExitCode> {
        let mut command = variables::without_empty(Self::command());
        let complaint = |error: &clap::Error, command: &clap::Command| {
            variables::complaint(error, command, written)
        };
        let refused = match command.try_get_matches_from_mut(written) {
            Ok(matches) => return Ok((command, matches)),
            Err(error) => error,
        };
        if let Some(name) = connector_for_a_command(&refused) {
            terminal::complain(&Trouble::usage(format!(
                "{name} is a connector and no command: footbridge serve {name} serves it"
            )));
            return Err(Exit::Usage.into());
        }
        let Some(first) = complaint(&refused, &command) else {
            return Err(exit::of_command_line(&refused));
        };
        // The variables of `serve` without its name are no concern of another command.
        let mut command = variables::without_own(command);
        let complaint = match command.try_get_matches_from_mut(written) {
            Ok(matches) if matches.subcommand_name().is_some() => return Ok((command, matches)),
            Ok(_) => first,
            Err(error) => complaint(&error, &command).unwrap_or(first),
        };
        terminal::complain(&Trouble::usage(complaint));
        Err(Exit::Usage.into())
    }

    /// Reads the `.env` file, if there is one. A client starts us over stdio in whatever folder it
    /// has open, and a file that lies there must not say where credentials go: then only a file
    /// that is named is read.
    fn load_environment(&self) -> Result<bool, Trouble> {
        match &self.env_file {
            Some(path) => environment::load(path, true),
            None if self.is_for_a_client() => Ok(false),
            None => environment::load(Path::new(environment::DEFAULT_FILE), false),
        }
    }

    fn is_for_a_client(&self) -> bool {
        let options = match &self.command {
            None => &self.serve,
            Some(Command::Serve(arguments)) => &arguments.options,
            Some(_) => return false,
        };
        options.transport.unwrap_or_else(suggested_transport) == Transport::Stdio
    }

    /// The command; without one, `serve` the board.
    pub(crate) fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Serve(ServeArguments {
            connectors: Vec::new(),
            options: self.serve,
        }))
    }
}

/// The connector that was named where a command stands.
fn connector_for_a_command(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    connectors::names_one(name).then(|| name.clone())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve connectors to AI clients
    #[command(after_help = VARIABLES)]
    Serve(ServeArguments),
    /// Call one tool and print its result
    Call(CallArguments),
    /// List the tools as clients see them
    Tools(ToolsArguments),
    /// Say everything that is wrong with connector files
    Lint(LintArguments),
    /// Check backends, and compare their OpenAPI documents with what connectors ask
    #[command(after_help = DOCTOR_EXITS)]
    Doctor(DoctorArguments),
    /// Ask an MCP server what it has, and send its echo a message
    #[command(after_help = PROBE_VARIABLES)]
    Probe(ProbeArguments),
    /// Call the actions of a running server, as footbridge actions list-projects
    #[command(after_help = ACTION_VARIABLES)]
    Actions(ActionsArguments),
    /// Manage the accounts of the local board
    Account(AccountArguments),
    /// Manage the personal access tokens of the local board
    Token(TokenArguments),
    /// Print the version
    Version(VersionArguments),
}

impl Command {
    /// The connectors that it opens, and the options of all commands that do; none for other
    /// commands.
    pub(crate) fn opens(&self) -> Option<(Vec<String>, &CommonOptions)> {
        match self {
            Self::Serve(arguments) => {
                Some((arguments.connectors.clone(), &arguments.options.common))
            }
            Self::Call(arguments) => Some((
                arguments.connector.iter().cloned().collect(),
                &arguments.options,
            )),
            Self::Tools(arguments) => Some((
                arguments.connector.iter().cloned().collect(),
                &arguments.options,
            )),
            Self::Doctor(arguments) => Some((arguments.connectors.clone(), &arguments.options)),
            Self::Lint(_)
            | Self::Probe(_)
            | Self::Actions(_)
            | Self::Account(_)
            | Self::Token(_)
            | Self::Version(_) => None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// What to serve: board, prodmcp, taiga, trueppm, ptm, or a connector file such as ./my.yaml
    /// [default: board]
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connectors: Vec<String>,
    #[command(flatten)]
    pub(crate) options: ServeOptions,
}

/// Settings of `serve`; each may also stand in the environment or in the settings file.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeOptions {
    /// How clients reach it [default: stdio when stdin is a pipe or socket, else http]
    #[arg(long, value_enum, env = "FOOTBRIDGE_TRANSPORT")]
    pub(crate) transport: Option<Transport>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS", env = "FOOTBRIDGE_HOST", value_parser = host)]
    pub(crate) host: Option<IpAddr>,
    /// Port to listen on; 0 takes a free one [default: 8000]
    #[arg(long, env = "PORT")]
    pub(crate) port: Option<u16>,
    /// Serve over HTTP to everybody who reaches it, writes included
    #[arg(long)]
    pub(crate) no_auth: bool,
    /// The address under which clients reach it, behind a reverse proxy
    #[arg(long, value_name = "URL", env = "FOOTBRIDGE_PUBLIC_URL")]
    pub(crate) public_url: Option<String>,
    /// A further host name that clients may use; may be repeated
    #[arg(
        long = "allowed-host",
        value_name = "HOST",
        value_delimiter = ',',
        env = "FOOTBRIDGE_ALLOWED_HOSTS"
    )]
    pub(crate) allowed_hosts: Vec<String>,
    /// An origin whose pages may use it in a browser, such as http://localhost:6274; may be
    /// repeated
    #[arg(
        long = "allowed-origin",
        value_name = "ORIGIN",
        value_delimiter = ',',
        env = "FOOTBRIDGE_ALLOWED_ORIGINS"
    )]
    pub(crate) allowed_origins: Vec<String>,
    /// A proxy whose word about its clients' addresses is taken, as an address or a network such as
    /// 10.0.0.0/8; may be repeated
    #[arg(
        long = "trusted-proxy",
        value_name = "ADDRESS",
        value_delimiter = ',',
        env = "FOOTBRIDGE_TRUSTED_PROXIES"
    )]
    pub(crate) trusted_proxies: Vec<String>,
    /// Do not start while a backend is down; without it, several connectors start without those
    /// that are
    #[arg(long, env = "FOOTBRIDGE_REQUIRE_ALL")]
    pub(crate) require_all: bool,
    #[command(flatten)]
    pub(crate) common: CommonOptions,
}

/// Settings of every command that calls tools.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CommonOptions {
    /// What tools may do beside reading: write, destroy [default: write on the local board, nothing
    /// elsewhere]
    #[arg(
        long,
        value_enum,
        value_name = "EFFECTS",
        value_delimiter = ',',
        env = "FOOTBRIDGE_ALLOW"
    )]
    pub(crate) allow: Option<Vec<Allow>>,
    #[command(flatten)]
    pub(crate) directory: DirectoryOption,
    /// Groups of tools to list beside those listed anyway; -NAME leaves one out, all means every
    /// group
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        allow_hyphen_values = true,
        env = "FOOTBRIDGE_GROUPS"
    )]
    pub(crate) groups: Vec<String>,
    #[command(flatten)]
    pub(crate) files: FileOptions,
    /// A file with further root certificates, in PEM
    #[arg(long, value_name = "FILE", env = "FOOTBRIDGE_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// Where connectors of the user's own are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DirectoryOption {
    /// A directory of connector files of your own; one named as a built-in connector replaces it
    #[arg(long = "connectors", value_name = "DIR", env = "FOOTBRIDGE_CONNECTORS")]
    pub(crate) connectors_directory: Option<PathBuf>,
}

/// Where things are kept.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FileOptions {
    /// Where the local board is kept [default: footbridge in the user's data directory]
    #[arg(long, value_name = "DIR", env = "FOOTBRIDGE_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// The settings file [default: footbridge/settings.yaml in the user's configuration directory,
    /// if there]
    #[arg(long, value_name = "FILE", env = "FOOTBRIDGE_SETTINGS")]
    pub(crate) settings: Option<PathBuf>,
}

/// An address of this machine, or the name that every machine gives itself.
fn host(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    }
    text.parse()
        .map_err(|_| "write an address such as 127.0.0.1 or 0.0.0.0, or localhost".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    /// Standard input and output
    Stdio,
    /// Streamable HTTP, and HTTP+SSE
    #[value(alias = "sse", alias = "streamable-http")]
    Http,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Allow {
    /// Reading, which is always open
    Read,
    /// Creating and changing
    Write,
    /// Deleting
    Destroy,
}

#[derive(Debug, Args)]
pub(crate) struct CallArguments {
    /// The connector that has the tool, or its file [default: board]
    #[arg(short, long, value_name = "CONNECTOR")]
    pub(crate) connector: Option<String>,
    /// The tool
    pub(crate) tool: String,
    /// Arguments as key=value; a key given twice is a list
    #[arg(value_name = "KEY=VALUE", conflicts_with = "json")]
    pub(crate) arguments: Vec<String>,
    /// All arguments as one JSON object
    #[arg(long, value_name = "OBJECT")]
    pub(crate) json: Option<String>,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ToolsArguments {
    /// The connector to list, or its file [default: board]
    #[arg(short, long, value_name = "CONNECTOR")]
    pub(crate) connector: Option<String>,
    /// Print what clients receive
    #[arg(long)]
    pub(crate) json: bool,
    /// Print how many tokens (o200k) each costs a model
    #[arg(long)]
    pub(crate) tokens: bool,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

#[derive(Debug, Args)]
pub(crate) struct LintArguments {
    /// The connector files, or names of connectors
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
    /// Check names and schemas by the rules of this client [default: the strictest rules]
    #[arg(long, value_name = "CLIENT", value_parser = PossibleValuesParser::new(client_names()))]
    pub(crate) client: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) directory: DirectoryOption,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The connectors to check, or their files [default: board]
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connectors: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArguments {
    /// Address of the MCP endpoint [default: MCP_URL, else http://127.0.0.1:8000/mcp]
    pub(crate) url: Option<String>,
    /// What to send to the tool echo [default: hello]
    #[arg(long, conflicts_with = "list_tools")]
    pub(crate) message: Option<String>,
    /// List the tools
    #[arg(long)]
    pub(crate) list_tools: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// A file with further root certificates, in PEM
    #[arg(long, value_name = "FILE", env = "FOOTBRIDGE_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ActionsArguments {
    /// Address of the server
    #[arg(long, value_name = "URL", env = "TAIGA_PROXY_BASE_URL")]
    pub(crate) base_url: Option<String>,
    /// The key that the server wants [default: ACTION_PROXY_API_KEY]
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub(crate) api_key: Option<SecretString>,
    /// Indent the answer and sort its keys
    #[arg(long)]
    pub(crate) pretty: bool,
    /// The connector whose actions these are, or its file [default: taiga]
    #[arg(short, long, value_name = "CONNECTOR")]
    pub(crate) connector: Option<String>,
    #[command(flatten)]
    pub(crate) directory: DirectoryOption,
    /// A file with further root certificates, in PEM
    #[arg(long, value_name = "FILE", env = "FOOTBRIDGE_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The action and its options; alone, help lists the actions, and after an action --help its
    /// options
    #[arg(
        value_name = "ACTION",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) command: Vec<String>,
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

#[derive(Debug, Args)]
pub(crate) struct AccountArguments {
    #[command(subcommand)]
    pub(crate) command: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Add an account
    Add {
        /// Its name, unique
        name: String,
        /// Its e-mail address, to log in with
        #[arg(long)]
        email: Option<String>,
        /// Ask for a password, or read it from the first line of stdin when that is no terminal
        #[arg(long, requires = "email")]
        password: bool,
        /// Make it an administrator
        #[arg(long)]
        admin: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
    /// List the accounts
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
    /// Remove an account and its tokens
    Remove {
        /// Its name or e-mail address
        name: String,
        /// Erase its boards and cards with it, for good
        #[arg(long)]
        erase_records: bool,
        #[command(flatten)]
        files: FileOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token and print it, this once
    Create {
        /// What to call it
        name: String,
        /// What it may do: model:read or model:write, separated by commas [default: everything]
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<String>,
        /// When it ends, as 2027-01-31T00:00:00Z [default: when it is revoked]
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// Whose token it is
        #[arg(long, default_value = "local")]
        account: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
    /// List the tokens of an account; the tokens themselves are not kept
    List {
        /// Whose tokens
        #[arg(long, default_value = "local")]
        account: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        files: FileOptions,
    },
    /// Revoke a token at once
    Revoke {
        /// Its id, or its first characters as the list shows them
        token: String,
        /// Whose token it is
        #[arg(long, default_value = "local")]
        account: String,
        #[command(flatten)]
        files: FileOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct VersionArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
