//! The command line as written: commands, arguments and flags. It is not decided here what they
//! mean together with the environment and the settings file.

mod accounts;
mod board;
mod changes;
mod clients;
mod described;
#[cfg(test)]
mod documented;
mod leases;
mod links;
mod login;
mod older_words;
mod open;
mod options;
mod refusal;
mod surface;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use clap_complete::Shell;
use secrecy::SecretString;

use crate::allow::AllowWord;
use crate::client_rules;
use crate::exit::{self, Exit};
use crate::logging::LogFormat;
use crate::setting_table;
use crate::terminal;
pub(crate) use accounts::{AccountArguments, AccountCommand, TokenArguments, TokenCommand};
pub(crate) use board::BoardArguments;
pub(crate) use changes::{ChangesArguments, ChangesCommand, SelectionOptions};

pub(crate) use clients::{EntryOptions, InstallArguments, InstallScope, UninstallArguments};
pub(crate) use described::command_line;
#[cfg(test)]
pub(crate) use described::with_arguments;
pub(crate) use leases::{
    AuditArguments, AuditCommand, AuditFormat, LeasesArguments, LeasesCommand,
};
pub(crate) use links::LinkedProgram;
pub(crate) use login::{LoginArguments, LogoutArguments, WhoamiArguments};
pub(crate) use open::OpenArguments;
pub(crate) use options::EnvironmentOptions;
pub(crate) use options::{host, port, switch};
pub(crate) use refusal::print_refusal;
pub(crate) use surface::Surface;

/// What is set by the environment alone.
const VARIABLES: &str = "Environment:
  FOOTBRIDGE_TOKEN           Bearer that clients of /mcp must send; or FOOTBRIDGE_TOKEN_FILE
  FOOTBRIDGE_APPROVER_TOKEN  Secret of approvers; or FOOTBRIDGE_APPROVER_TOKEN_FILE
  FOOTBRIDGE_LOG             What is logged, such as info or footbridge=debug [default: warn]
  PRODMCP_TOKEN              Personal access token for prodmcp; or PRODMCP_TOKEN_FILE
  PRODMCP_BASE_URL           Address of the board of prodmcp [default: https://deploysition.cloud]";

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
  1  a backend is down, refuses, or differs from what its connector asks; a client's
     file does not lead to this program, or the client does not take its tools
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
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) env_file: Option<PathBuf>,
    /// The program in whose place this one was started.
    #[arg(skip)]
    linked: Option<&'static LinkedProgram>,
}

impl Cli {
    /// Reads the command line, or shows what its reader has to say and gives the code to end with.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        let mut words: Vec<OsString> = std::env::args_os().collect();
        let linked = words.first().and_then(|name| LinkedProgram::of(name));
        if let Some(linked) = linked {
            if let Some(label) = linked.configuration_label {
                exit::label_configuration(label);
            }
            match linked.words(words.get(1..).unwrap_or_default()) {
                Some(ours) => words = ours,
                None => return Err(exit_after_printing(&linked.help())),
            }
        }
        let (words, is_older) = older_words::modernised(words);
        if is_older {
            terminal::say(older_words::JSON_NOTE);
        }
        // What is good is read without a word about what each setting is, and without the arguments
        // of other verbs: describing them all takes longer than reading a line.
        let refused = match Self::command().try_get_matches_from(&words) {
            Ok(matches) => {
                let read = Self::from_arg_matches(&matches)
                    .map_err(|error| refusal::explained(&error).into());
                return read.map(|cli| Self { linked, ..cli });
            }
            Err(error) => error,
        };
        // Whoever asks for help is also told the variables.
        let command = match refused.kind() {
            ErrorKind::DisplayHelp => setting_table::with_variables(command_line()),
            _ => command_line(),
        };
        let shown = command.try_get_matches_from(&words);
        Err(refusal::explained(&shown.err().unwrap_or(refused)).into())
    }

    /// The program in whose place this one was started.
    pub(crate) fn linked(&self) -> Option<&'static LinkedProgram> {
        self.linked
    }

    /// Whether it logs in: a file in the folder where somebody does must not say where to.
    pub(crate) fn logs_in(&self) -> bool {
        matches!(self.command, Some(Command::Login(_)))
    }

    /// The command line of these words, the program's name first.
    #[cfg(test)]
    fn of_words(words: &[String]) -> Result<Self, clap::Error> {
        let matches = setting_table::describe(Self::command()).try_get_matches_from(words)?;
        Self::from_arg_matches(&matches)
    }

    /// The transport as far as the command line says it; none for a command that does not serve.
    pub(crate) fn serves_by(&self) -> Option<Option<Transport>> {
        match &self.command {
            None => Some(self.serve.transport),
            Some(Command::Serve(arguments)) => Some(arguments.options.transport),
            Some(_) => None,
        }
    }

    /// The command; without one, `serve` the board.
    pub(crate) fn into_command(self) -> Command {
        let mut command = self.command.unwrap_or(Command::Serve(ServeArguments {
            connectors: Vec::new(),
            options: self.serve,
        }));
        if let Command::Install(arguments) = &mut command {
            arguments.env_file = self.env_file;
        }
        command
    }
}

fn exit_after_printing(text: &str) -> ExitCode {
    match terminal::print(text) {
        Ok(()) => Exit::Done.into(),
        Err(trouble) => {
            terminal::complain(&trouble);
            trouble.exit().into()
        }
    }
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
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
    /// Log in to a backend, and keep the login
    #[command(after_help = login::EXITS)]
    Login(LoginArguments),
    /// Forget the login that is kept for a backend
    Logout(LogoutArguments),
    /// Say who is logged in to a backend
    #[command(after_help = login::WHOAMI_EXITS)]
    Whoami(WhoamiArguments),
    /// Add it to an AI client, in the client's own file
    #[command(after_help = clients::EXITS)]
    Install(InstallArguments),
    /// Take it out of a client's file again
    #[command(after_help = clients::EXITS)]
    Uninstall(UninstallArguments),
    /// Ask an MCP server what it has, and send its echo a message
    #[command(after_help = PROBE_VARIABLES)]
    Probe(ProbeArguments),
    /// Open the pages of a running server in the browser, signed in
    #[command(after_help = open::EXITS)]
    Open(OpenArguments),
    /// Call the actions of a running server, as footbridge actions list-projects
    #[command(after_help = ACTION_VARIABLES)]
    Actions(ActionsArguments),
    /// Draw the local board: its columns, limits and cards
    Board(BoardArguments),
    /// List what was changed through any door, and undo it
    Changes(ChangesArguments),
    /// List who has which record to work on, and end that
    Leases(LeasesArguments),
    /// Check and print the audit: what was done and refused
    Audit(AuditArguments),
    /// Manage the accounts of the local board
    Account(AccountArguments),
    /// Manage the personal access tokens of the local board
    Token(TokenArguments),
    /// Replace the program by a newer release of it
    Update(UpdateArguments),
    /// Print the completions of a shell, for its file of completions
    Completions(CompletionsArguments),
    /// Print the version
    Version(VersionArguments),
}

impl Command {
    /// How it logs, and where.
    pub(crate) fn log(&self) -> LogOptions {
        match self {
            Self::Serve(arguments) => arguments.options.log.clone(),
            _ => LogOptions::default(),
        }
    }

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
            Self::Tools(arguments) => Some((arguments.all_connectors(), &arguments.options)),
            Self::Doctor(arguments) => Some((arguments.connectors.clone(), &arguments.options)),
            Self::Board(_)
            | Self::Changes(_)
            | Self::Leases(_)
            | Self::Audit(_)
            | Self::Login(_)
            | Self::Logout(_)
            | Self::Whoami(_)
            | Self::Lint(_)
            | Self::Install(_)
            | Self::Uninstall(_)
            | Self::Probe(_)
            | Self::Open(_)
            | Self::Actions(_)
            | Self::Account(_)
            | Self::Token(_)
            | Self::Update(_)
            | Self::Completions(_)
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
    #[arg(long, value_enum)]
    pub(crate) transport: Option<Transport>,
    #[arg(long, value_name = "ADDRESS", value_parser = host)]
    pub(crate) host: Option<IpAddr>,
    #[arg(long, value_parser = port)]
    pub(crate) port: Option<u16>,
    #[arg(long)]
    pub(crate) no_auth: bool,
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    #[arg(long = "allowed-host", value_name = "HOST", value_delimiter = ',')]
    pub(crate) allowed_hosts: Vec<String>,
    #[arg(long = "allowed-origin", value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) allowed_origins: Vec<String>,
    #[arg(long = "trusted-proxy", value_name = "ADDRESS", value_delimiter = ',')]
    pub(crate) trusted_proxies: Vec<String>,
    #[arg(
        long,
        value_name = "ON",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = switch
    )]
    pub(crate) page: Option<bool>,
    #[arg(long, num_args = 0, default_missing_value = "true", value_parser = switch)]
    pub(crate) require_all: Option<bool>,
    #[command(flatten)]
    pub(crate) log: LogOptions,
    /// The flags that the command line did not have: what they hold stands in the environment.
    #[arg(skip)]
    pub(crate) by_variable: BTreeSet<&'static str>,
    #[command(flatten)]
    pub(crate) common: CommonOptions,
}

/// How a server logs, and where.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LogOptions {
    #[arg(long, value_enum)]
    pub(crate) log_format: Option<LogFormat>,
    #[arg(long, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
}

/// Settings of every command that calls tools.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct CommonOptions {
    #[arg(long, value_name = "EFFECTS", value_delimiter = ',')]
    pub(crate) allow: Option<Vec<AllowWord>>,
    #[command(flatten)]
    pub(crate) directory: DirectoryOption,
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    pub(crate) groups: Vec<String>,
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) skills: Vec<String>,
    #[arg(long, value_enum)]
    pub(crate) surface: Option<Surface>,
    #[command(flatten)]
    pub(crate) files: FileOptions,
    #[command(flatten)]
    pub(crate) roots: RootsOption,
}

/// Where connectors of the user's own are.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DirectoryOption {
    #[arg(long = "connectors", value_name = "DIR")]
    pub(crate) connectors_directory: Option<PathBuf>,
}

/// Which certificates are believed.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RootsOption {
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// Which running server a client asks.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServerOption {
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
}

/// Where things are kept.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FileOptions {
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
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

#[derive(Debug, Args)]
pub(crate) struct CallArguments {
    /// The connector that has the tool, or its file [default: board]
    #[arg(short, long, value_name = "CONNECTOR")]
    pub(crate) connector: Option<String>,
    /// The tool
    pub(crate) tool: String,
    /// Arguments as key=value; a key given twice is a list
    #[arg(value_name = "KEY=VALUE", conflicts_with = "object")]
    pub(crate) arguments: Vec<String>,
    /// All arguments as one JSON object
    #[arg(long = "arguments", value_name = "OBJECT")]
    pub(crate) object: Option<String>,
    /// Print the answer as JSON, in a terminal too
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ToolsArguments {
    /// The connectors to list as one server, or their files [default: board]
    #[arg(value_name = "CONNECTOR")]
    pub(crate) connectors: Vec<String>,
    /// One more connector, or its file
    #[arg(short = 'c', long = "connector", value_name = "CONNECTOR")]
    pub(crate) more: Vec<String>,
    /// Print what clients receive
    #[arg(long)]
    pub(crate) json: bool,
    /// Print how many tokens (o200k) each costs a model
    #[arg(long)]
    pub(crate) tokens: bool,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

impl ToolsArguments {
    pub(crate) fn all_connectors(&self) -> Vec<String> {
        [&self.connectors[..], &self.more].concat()
    }
}

#[derive(Debug, Args)]
pub(crate) struct LintArguments {
    /// The connector files, or names of connectors
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<String>,
    /// Check names and schemas by the rules of this client [default: the strictest rules]
    #[arg(long, value_name = "CLIENT", value_parser = PossibleValuesParser::new(client_rules::names()))]
    pub(crate) client: Option<String>,
    /// Say of each tool that writes what undoing brings back, and what is lost
    #[arg(long, conflicts_with = "json")]
    pub(crate) undo: bool,
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
    /// Check what this client's own file says of footbridge, start that, and hold its tools to the
    /// client's rules; no connector is checked then unless it is named
    #[arg(long, value_name = "CLIENT")]
    pub(crate) client: Option<String>,
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
    #[command(flatten)]
    pub(crate) roots: RootsOption,
}

#[derive(Debug, Args)]
pub(crate) struct ActionsArguments {
    #[command(flatten)]
    pub(crate) server: ServerOption,
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
    #[command(flatten)]
    pub(crate) roots: RootsOption,
    /// The action and its options; alone, help lists the actions, and after an action --help its
    /// options
    #[arg(
        value_name = "ACTION",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) command: Vec<String>,
}

pub(crate) fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArguments {
    /// Only say whether there is a newer one
    #[arg(long)]
    pub(crate) check: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) roots: RootsOption,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArguments {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// The program in whose words
    #[arg(long, hide = true, value_parser = linked_program)]
    pub(crate) linked: Option<&'static LinkedProgram>,
}

fn linked_program(name: &str) -> Result<&'static LinkedProgram, String> {
    LinkedProgram::named(name).ok_or_else(|| "it is none that a link stands for".to_owned())
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
