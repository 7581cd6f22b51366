//! The table of the program's settings: where each may stand, what it takes and what it is for.
//! `--help`, the tables of `docs/operating.md`, `.env.example` and the schema of the settings file
//! are made of it or held to it. No setting is decided here.

use clap::builder::{Resettable, StyledStr};
use clap::{Arg, Command};

/// A setting: every place where it may stand.
#[derive(Debug)]
pub(crate) struct SettingRow {
    /// Its flag on the command line, without the dashes.
    pub(crate) flag: Option<&'static str>,
    /// The variable of the environment, or of a `.env` file.
    pub(crate) variable: Option<&'static str>,
    /// Its key in the settings file.
    pub(crate) key: Option<&'static str>,
    pub(crate) kind: SettingValueKind,
    /// What holds where nothing is set, for people.
    pub(crate) default: Option<&'static str>,
    /// What it is for, in one sentence without a full stop.
    pub(crate) sentence: &'static str,
    /// A value that a variable may have, for `.env.example`.
    #[cfg_attr(not(test), expect(dead_code, reason = "only documents show it"))]
    pub(crate) example: &'static str,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "only documents are sorted by it")
    )]
    pub(crate) user: SettingUser,
}

/// The kind of value that a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingValueKind {
    /// One of these words.
    Word(&'static [&'static str]),
    /// Several words of `--allow`.
    Allowed,
    /// An address of this machine.
    Address,
    Port,
    /// A whole number within these.
    Number(u64, u64),
    Text,
    /// Several texts; in a flag or a variable they are separated by commas.
    Texts,
    Path,
    /// There or not; true or false.
    Switch,
    /// A text that is never shown; `NAME_FILE` may name a file that holds it.
    Secret,
}

impl SettingValueKind {
    /// What may be written, in words.
    pub(crate) fn allowed(self) -> String {
        match self {
            Self::Word(words) => words.join(" or "),
            Self::Allowed => "a list of read, propose, write, destroy, and tools as NAME=open, \
                 NAME=propose or NAME=closed"
                .to_owned(),
            Self::Address => "an address such as 127.0.0.1 or 0.0.0.0".to_owned(),
            Self::Port => "a number from 0 to 65535".to_owned(),
            Self::Number(least, most) => format!("a number from {least} to {most}"),
            Self::Text | Self::Secret => "a text".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Switch => "true or false".to_owned(),
        }
    }
}

/// The reader of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingUser {
    /// `serve`, and the commands that call tools as far as it concerns them.
    Server,
    /// The commands that are clients of a running server: `probe` and `actions`.
    Client,
}

/// A row of `serve` without a place, to write the others shorter.
const ROW: SettingRow = SettingRow {
    flag: None,
    variable: None,
    key: None,
    kind: SettingValueKind::Text,
    default: None,
    sentence: "",
    example: "",
    user: SettingUser::Server,
};

pub(crate) const TRANSPORT: SettingRow = SettingRow {
    flag: Some("transport"),
    variable: Some("FOOTBRIDGE_TRANSPORT"),
    key: Some("transport"),
    kind: SettingValueKind::Word(&["stdio", "http"]),
    default: Some("stdio when stdin is a pipe or socket, else http"),
    sentence: "How clients reach it",
    example: "http",
    ..ROW
};
pub(crate) const HOST: SettingRow = SettingRow {
    flag: Some("host"),
    variable: Some("FOOTBRIDGE_HOST"),
    key: Some("host"),
    kind: SettingValueKind::Address,
    default: Some("127.0.0.1"),
    sentence: "Address to listen on",
    example: "127.0.0.1",
    ..ROW
};
pub(crate) const PORT: SettingRow = SettingRow {
    flag: Some("port"),
    variable: Some("PORT"),
    key: Some("port"),
    kind: SettingValueKind::Port,
    default: Some("8000"),
    sentence: "Port to listen on; 0 takes a free one",
    example: "8000",
    ..ROW
};
pub(crate) const NO_AUTH: SettingRow = SettingRow {
    flag: Some("no-auth"),
    kind: SettingValueKind::Switch,
    sentence: "Serve over HTTP to everybody who reaches it, writes included",
    ..ROW
};
pub(crate) const PUBLIC_URL: SettingRow = SettingRow {
    flag: Some("public-url"),
    variable: Some("FOOTBRIDGE_PUBLIC_URL"),
    key: Some("public_url"),
    sentence: "The address under which clients reach it, behind a reverse proxy",
    example: "https://mcp.example.org",
    ..ROW
};
pub(crate) const ALLOWED_HOSTS: SettingRow = SettingRow {
    flag: Some("allowed-host"),
    variable: Some("FOOTBRIDGE_ALLOWED_HOSTS"),
    key: Some("allowed_hosts"),
    kind: SettingValueKind::Texts,
    sentence: "A further host name that clients may use; may be repeated",
    example: "mcp.example.org",
    ..ROW
};
pub(crate) const ALLOWED_ORIGINS: SettingRow = SettingRow {
    flag: Some("allowed-origin"),
    variable: Some("FOOTBRIDGE_ALLOWED_ORIGINS"),
    key: Some("allowed_origins"),
    kind: SettingValueKind::Texts,
    sentence: "An origin whose pages may use it in a browser, such as http://localhost:6274; \
               may be repeated",
    example: "http://localhost:6274",
    ..ROW
};
pub(crate) const TRUSTED_PROXIES: SettingRow = SettingRow {
    flag: Some("trusted-proxy"),
    variable: Some("FOOTBRIDGE_TRUSTED_PROXIES"),
    key: Some("trusted_proxies"),
    kind: SettingValueKind::Texts,
    sentence: "A proxy whose word about its clients' addresses is taken, as an address or a \
               network such as 10.0.0.0/8; may be repeated",
    example: "10.0.0.5,172.16.0.0/12",
    ..ROW
};
pub(crate) const PAGE: SettingRow = SettingRow {
    flag: Some("page"),
    variable: Some("FOOTBRIDGE_PAGE"),
    key: Some("page"),
    kind: SettingValueKind::Switch,
    default: Some("on, but not beyond this machine without a bearer"),
    sentence: "Serve the pages for people at /, beyond this machine too; with --page=false, nowhere",
    example: "true",
    ..ROW
};
pub(crate) const METRICS: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_METRICS"),
    key: Some("metrics"),
    kind: SettingValueKind::Switch,
    default: Some("false"),
    sentence: "Serve counts of requests, refusals and durations at /metrics, as Prometheus reads \
               them, to whoever has the bearer",
    example: "true",
    ..ROW
};
pub(crate) const SESSION_IDLE_MINUTES: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_SESSION_IDLE_MINUTES"),
    key: Some("session_idle_minutes"),
    kind: SettingValueKind::Number(1, 10_080),
    default: Some("720"),
    sentence: "How long a sign-in on the pages lasts without a request, in minutes",
    example: "60",
    ..ROW
};
pub(crate) const SESSION_HOURS: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_SESSION_HOURS"),
    key: Some("session_hours"),
    kind: SettingValueKind::Number(1, 720),
    default: Some("168"),
    sentence: "How long a sign-in on the pages lasts in any case, in hours",
    example: "24",
    ..ROW
};
pub(crate) const REQUIRE_ALL: SettingRow = SettingRow {
    flag: Some("require-all"),
    variable: Some("FOOTBRIDGE_REQUIRE_ALL"),
    key: Some("require_all"),
    kind: SettingValueKind::Switch,
    sentence: "Do not start while a backend is down; without it, several connectors start \
               without those that are",
    example: "true",
    ..ROW
};
pub(crate) const ALLOW: SettingRow = SettingRow {
    flag: Some("allow"),
    variable: Some("FOOTBRIDGE_ALLOW"),
    key: Some("allow"),
    kind: SettingValueKind::Allowed,
    default: Some("write on the local board, nothing elsewhere"),
    sentence: "What tools may do beside reading: write, destroy, propose (a person approves \
               each change), and single tools by NAME=open, NAME=propose or NAME=closed",
    example: "write,destroy",
    ..ROW
};
pub(crate) const CONNECTORS: SettingRow = SettingRow {
    flag: Some("connectors"),
    variable: Some("FOOTBRIDGE_CONNECTORS"),
    key: Some("connectors_directory"),
    kind: SettingValueKind::Path,
    sentence: "A directory of connector files of your own; one named as a built-in connector \
               replaces it",
    example: "/path/to/connectors",
    ..ROW
};
pub(crate) const CONFIRM_BY_FORM: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_CONFIRM_BY_FORM"),
    key: Some("confirm_by_form"),
    kind: SettingValueKind::Switch,
    default: Some("false"),
    sentence: "Refuse deletes and large changes of clients that show their user no form, in the \
               place of taking a second call for the user's word",
    example: "true",
    ..ROW
};
pub(crate) const SKILLS: SettingRow = SettingRow {
    flag: Some("skills"),
    variable: Some("FOOTBRIDGE_SKILLS"),
    key: Some("skills"),
    kind: SettingValueKind::Texts,
    sentence: "A connector file of your own, by its name, whose folder NAME/skills beside it is \
               served as skills; may be repeated",
    example: "ourtracker",
    ..ROW
};
pub(crate) const GROUPS: SettingRow = SettingRow {
    flag: Some("groups"),
    variable: Some("FOOTBRIDGE_GROUPS"),
    key: Some("groups"),
    kind: SettingValueKind::Texts,
    sentence: "Groups of tools to list beside those listed anyway; -NAME leaves one out, all \
               means every group",
    example: "changes,-query",
    ..ROW
};
pub(crate) const SURFACE: SettingRow = SettingRow {
    flag: Some("surface"),
    variable: Some("FOOTBRIDGE_SURFACE"),
    key: Some("surface"),
    kind: SettingValueKind::Word(&["full", "chatgpt"]),
    default: Some("full"),
    sentence: "Which tools are listed: those of what is served, or for chatgpt search and fetch \
               over all of it",
    example: "chatgpt",
    ..ROW
};
pub(crate) const QUERY_CALLS: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_QUERY_CALLS"),
    key: Some("query_calls"),
    kind: SettingValueKind::Number(1, 50),
    default: Some("12"),
    sentence: "Reads that one call of query may compose",
    example: "12",
    ..ROW
};
pub(crate) const STRUCTURED_RESULTS: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_STRUCTURED_RESULTS"),
    key: Some("structured_results"),
    kind: SettingValueKind::Switch,
    default: Some("false"),
    sentence: "Send results as structured content too, for clients that parse it; others pay for \
               both",
    example: "true",
    ..ROW
};
pub(crate) const DATA: SettingRow = SettingRow {
    flag: Some("data"),
    variable: Some("FOOTBRIDGE_DATA"),
    key: Some("data"),
    kind: SettingValueKind::Path,
    default: Some("footbridge in the user's data directory"),
    sentence: "Where the local board is kept",
    example: "/path/to/data",
    ..ROW
};
pub(crate) const SETTINGS_FILE: SettingRow = SettingRow {
    flag: Some("settings"),
    variable: Some("FOOTBRIDGE_SETTINGS"),
    kind: SettingValueKind::Path,
    default: Some("footbridge/settings.yaml in the user's configuration directory, if there"),
    sentence: "The settings file",
    example: "/path/to/settings.yaml",
    ..ROW
};
pub(crate) const CA_FILE: SettingRow = SettingRow {
    flag: Some("ca-file"),
    variable: Some("FOOTBRIDGE_CA_FILE"),
    key: Some("ca_file"),
    kind: SettingValueKind::Path,
    sentence: "A file with further root certificates, in PEM",
    example: "/path/to/roots.pem",
    ..ROW
};
pub(crate) const ENVIRONMENT_FILE: SettingRow = SettingRow {
    flag: Some("env-file"),
    kind: SettingValueKind::Path,
    default: Some(".env, if there, unless a client started it"),
    sentence: "A file of variables, NAME=value in each line",
    ..ROW
};
pub(crate) const BEARER: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_TOKEN"),
    kind: SettingValueKind::Secret,
    sentence: "Bearer that clients of /mcp must send",
    ..ROW
};
pub(crate) const APPROVER_TOKEN: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_APPROVER_TOKEN"),
    kind: SettingValueKind::Secret,
    default: Some("/approvals answers 503"),
    sentence: "Secret of whoever approves proposals at /approvals",
    ..ROW
};
pub(crate) const ACTION_KEY: SettingRow = SettingRow {
    variable: Some("ACTION_PROXY_API_KEY"),
    kind: SettingValueKind::Secret,
    default: Some("/actions answers 503"),
    sentence: "Key that clients of /actions must send",
    ..ROW
};
pub(crate) const LOG: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_LOG"),
    default: Some("warn"),
    sentence: "What is logged on stderr, such as info or footbridge=debug",
    example: "info",
    ..ROW
};
pub(crate) const LOG_FORMAT: SettingRow = SettingRow {
    flag: Some("log-format"),
    variable: Some("FOOTBRIDGE_LOG_FORMAT"),
    kind: SettingValueKind::Word(&["text", "json"]),
    default: Some("text"),
    sentence: "How each line of the log is written",
    example: "json",
    ..ROW
};
pub(crate) const LOG_FILE: SettingRow = SettingRow {
    flag: Some("log-file"),
    variable: Some("FOOTBRIDGE_LOG_FILE"),
    kind: SettingValueKind::Path,
    sentence: "A file that the log is added to, in place of stderr",
    example: "/path/to/footbridge.log",
    ..ROW
};
pub(crate) const WRITES_PER_MINUTE: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_WRITES_PER_MINUTE"),
    key: Some("writes_per_minute"),
    kind: SettingValueKind::Number(1, 1_000_000),
    default: Some("3000"),
    sentence: "Writes that one kind of caller may make in a minute",
    example: "3000",
    ..ROW
};
pub(crate) const WRITES_PER_HOUR: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_WRITES_PER_HOUR"),
    key: Some("writes_per_hour"),
    kind: SettingValueKind::Number(1, 10_000_000),
    default: Some("30000"),
    sentence: "Writes that one kind of caller may make in an hour",
    example: "30000",
    ..ROW
};
pub(crate) const WRITES_AT_ONCE: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_WRITES_AT_ONCE"),
    key: Some("writes_at_once"),
    kind: SettingValueKind::Number(1, 1_000),
    default: Some("32"),
    sentence: "Writes that run at one backend at once; others wait",
    example: "32",
    ..ROW
};
pub(crate) const LEASES_PER_CALLER: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_LEASES_PER_CALLER"),
    key: Some("leases_per_caller"),
    kind: SettingValueKind::Number(1, 1_000),
    default: Some("100"),
    sentence: "Records that one kind of caller may have claimed at once",
    example: "100",
    ..ROW
};
pub(crate) const LEASE_MINUTES: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_LEASE_MINUTES"),
    key: Some("lease_minutes"),
    kind: SettingValueKind::Number(1, 1_440),
    default: Some("480"),
    sentence: "The longest that a claim of a record lasts, in minutes",
    example: "480",
    ..ROW
};
pub(crate) const KEEP_CHANGES_DAYS: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_KEEP_CHANGES_DAYS"),
    key: Some("keep_changes_days"),
    kind: SettingValueKind::Number(1, 36_500),
    default: Some("90"),
    sentence: "How long changes are kept, in days",
    example: "90",
    ..ROW
};
pub(crate) const KEEP_CHANGES_MIB: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_KEEP_CHANGES_MIB"),
    key: Some("keep_changes_mib"),
    kind: SettingValueKind::Number(1, 1_000_000),
    default: Some("512"),
    sentence: "How much is kept of changes, in MiB: the oldest go first",
    example: "512",
    ..ROW
};
pub(crate) const KEEP_AUDIT_DAYS: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_KEEP_AUDIT_DAYS"),
    key: Some("keep_audit_days"),
    kind: SettingValueKind::Number(1, 36_500),
    default: Some("365"),
    sentence: "How long rows of the audit are kept, in days",
    example: "365",
    ..ROW
};
pub(crate) const KEEP_AUDIT_ROWS: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_KEEP_AUDIT_ROWS"),
    key: Some("keep_audit_rows"),
    kind: SettingValueKind::Number(1_000, 1_000_000_000),
    default: Some("1000000"),
    sentence: "How many rows of the audit are kept: the oldest go first",
    example: "1000000",
    ..ROW
};
pub(crate) const AUDIT_READS: SettingRow = SettingRow {
    variable: Some("FOOTBRIDGE_AUDIT_READS"),
    key: Some("audit_reads"),
    kind: SettingValueKind::Switch,
    default: Some("false"),
    sentence: "Write calls that only read into the audit too",
    example: "true",
    ..ROW
};
pub(crate) const PROBE_URL: SettingRow = SettingRow {
    variable: Some("MCP_URL"),
    default: Some("http://127.0.0.1:8000/mcp"),
    sentence: "Address that probe asks when none is given",
    example: "http://127.0.0.1:8000/mcp",
    user: SettingUser::Client,
    ..ROW
};
pub(crate) const PROBE_BEARER: SettingRow = SettingRow {
    variable: Some("MCP_TOKEN"),
    kind: SettingValueKind::Secret,
    sentence: "Bearer that probe sends",
    user: SettingUser::Client,
    ..ROW
};
pub(crate) const ACTIONS_URL: SettingRow = SettingRow {
    flag: Some("base-url"),
    variable: Some("TAIGA_PROXY_BASE_URL"),
    sentence: "Address of the server",
    example: "http://127.0.0.1:8000",
    user: SettingUser::Client,
    ..ROW
};

/// Every setting, in the order in which people read of them.
pub(crate) const SETTINGS: [&SettingRow; 44] = [
    &TRANSPORT,
    &HOST,
    &PORT,
    &NO_AUTH,
    &PUBLIC_URL,
    &ALLOWED_HOSTS,
    &ALLOWED_ORIGINS,
    &TRUSTED_PROXIES,
    &PAGE,
    &METRICS,
    &SESSION_IDLE_MINUTES,
    &SESSION_HOURS,
    &REQUIRE_ALL,
    &ALLOW,
    &CONFIRM_BY_FORM,
    &SKILLS,
    &GROUPS,
    &SURFACE,
    &QUERY_CALLS,
    &STRUCTURED_RESULTS,
    &CONNECTORS,
    &DATA,
    &SETTINGS_FILE,
    &CA_FILE,
    &ENVIRONMENT_FILE,
    &BEARER,
    &APPROVER_TOKEN,
    &ACTION_KEY,
    &LOG,
    &LOG_FORMAT,
    &LOG_FILE,
    &WRITES_PER_MINUTE,
    &WRITES_PER_HOUR,
    &WRITES_AT_ONCE,
    &LEASES_PER_CALLER,
    &LEASE_MINUTES,
    &KEEP_CHANGES_DAYS,
    &KEEP_CHANGES_MIB,
    &KEEP_AUDIT_DAYS,
    &KEEP_AUDIT_ROWS,
    &AUDIT_READS,
    &PROBE_URL,
    &PROBE_BEARER,
    &ACTIONS_URL,
];

/// The setting of a flag of the command line; none for what is no setting.
pub(crate) fn setting_of(argument: &Arg) -> Option<&'static SettingRow> {
    let flag = argument.get_long()?;
    SETTINGS.into_iter().find(|row| row.flag == Some(flag))
}

impl SettingRow {
    /// The sentence, with what holds where nothing is set.
    fn help(&self) -> String {
        match self.default {
            Some(default) => format!("{} [default: {default}]", self.sentence),
            None => self.sentence.to_owned(),
        }
    }
}

/// Describes every flag that is a setting, in the command and those below it.
pub(crate) fn describe(command: Command) -> Command {
    command
        .mut_args(|argument| match setting_of(&argument) {
            Some(row) => argument.help(Resettable::Value(StyledStr::from(row.help()))),
            None => argument,
        })
        .mut_subcommands(describe)
}

/// Names the variable of every flag that has one, for those who asked for help.
pub(crate) fn with_variables(command: Command) -> Command {
    command
        .mut_args(
            |argument| match setting_of(&argument).and_then(|row| row.variable) {
                Some(variable) => argument.env(variable),
                None => argument,
            },
        )
        .mut_subcommands(with_variables)
}
