//! The clients that a server is added to, as a table: where each keeps its servers, under which
//! key, and what an entry looks like. Read from their documentation and their programs in 2026.

pub(crate) mod entry;
pub(crate) mod place;

use crate::client_file::{JsonExtras, TextFormat};
use place::{Base, SystemPaths, UserFile};

/// What a server is called in a client where nobody says otherwise; the prefixes of `client_rules`
/// are made of it.
pub(crate) const SERVER_NAME: &str = "footbridge";

/// A client whose file is known.
#[derive(Debug)]
pub(crate) struct KnownClient {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// The user's own file.
    pub(crate) user: UserFile,
    /// The file of a project, from its folder.
    pub(crate) project: Option<&'static str>,
    pub(crate) format: TextFormat,
    /// What it reads in its JSON beside JSON.
    pub(crate) reads: JsonExtras,
    /// The key under which its servers stand.
    pub(crate) key: &'static str,
    /// An entry that starts a program.
    pub(crate) program: &'static [(&'static str, EntryField)],
    /// An entry that names an address.
    pub(crate) address: Option<&'static [(&'static str, EntryField)]>,
    /// Whose rules in `client_rules` are its own.
    pub(crate) rules: Option<&'static str>,
    /// What the user does so that it reads its file again.
    pub(crate) then: &'static str,
}

/// What stands in a field of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryField {
    /// This word.
    Word(&'static str),
    /// True.
    On,
    /// The program, and its arguments in a list of their own.
    Program,
    Arguments,
    /// The program and its arguments in one list.
    CommandLine,
    Address,
    /// Headers, with a bearer whose value is a variable that the client puts in: how it writes one,
    /// with `NAME` in its place.
    Headers(&'static str),
    /// The name of the variable that holds the bearer.
    BearerVariable,
}

use EntryField::{Address, Arguments, BearerVariable, CommandLine, Headers, On, Program, Word};

/// A program with its arguments, as most clients have it.
const COMMAND: &[(&str, EntryField)] = &[("command", Program), ("args", Arguments)];

/// What a client shows of a program that it has no file for here.
pub(crate) const ANY: KnownClient = KnownClient {
    name: "any",
    title: "Another client",
    user: UserFile {
        systems: SystemPaths::everywhere(&[]),
        moved_by: None,
    },
    project: None,
    format: TextFormat::Json,
    reads: JsonExtras::Nothing,
    key: "mcpServers",
    program: COMMAND,
    address: Some(&[
        ("type", Word("http")),
        ("url", Address),
        ("headers", Headers("${NAME}")),
    ]),
    rules: None,
    then: "start the client anew",
};

pub(crate) const CLIENTS: [KnownClient; 9] = [
    KnownClient {
        name: "claude-code",
        title: "Claude Code",
        user: UserFile {
            systems: SystemPaths::everywhere(&[(Base::Home, ".claude.json")]),
            moved_by: Some(("CLAUDE_CONFIG_DIR", ".claude.json")),
        },
        project: Some(".mcp.json"),
        format: TextFormat::Json,
        reads: JsonExtras::Nothing,
        key: "mcpServers",
        program: &[
            ("type", Word("stdio")),
            ("command", Program),
            ("args", Arguments),
        ],
        address: ANY.address,
        rules: Some("claude-code"),
        then: "start claude anew, or type /mcp in it",
    },
    // Addresses are added in its settings, and reached from Anthropic's cloud.
    KnownClient {
        name: "claude-desktop",
        title: "Claude Desktop",
        user: UserFile {
            systems: SystemPaths::everywhere(&[(
                Base::Configuration,
                "Claude/claude_desktop_config.json",
            )]),
            moved_by: None,
        },
        project: None,
        format: TextFormat::Json,
        reads: JsonExtras::Nothing,
        key: "mcpServers",
        program: COMMAND,
        address: None,
        rules: Some("claude"),
        then: "quit Claude Desktop and open it again; its log of the server is mcp-server-footbridge.log",
    },
    KnownClient {
        name: "codex",
        title: "Codex",
        user: UserFile {
            systems: SystemPaths::everywhere(&[(Base::Home, ".codex/config.toml")]),
            moved_by: Some(("CODEX_HOME", "config.toml")),
        },
        project: Some(".codex/config.toml"),
        format: TextFormat::Toml,
        reads: JsonExtras::CommentsAndCommas,
        key: "mcp_servers",
        program: COMMAND,
        address: Some(&[("url", Address), ("bearer_token_env_var", BearerVariable)]),
        rules: Some("codex"),
        then: "start codex anew",
    },
    KnownClient {
        name: "vscode",
        title: "VS Code",
        user: UserFile {
            systems: SystemPaths::everywhere(&[(Base::Configuration, "Code/User/mcp.json")]),
            moved_by: None,
        },
        project: Some(".vscode/mcp.json"),
        format: TextFormat::Json,
        reads: JsonExtras::CommentsAndCommas,
        key: "servers",
        program: &[
            ("type", Word("stdio")),
            ("command", Program),
            ("args", Arguments),
        ],
        address: Some(&[
            ("type", Word("http")),
            ("url", Address),
            ("headers", Headers("${env:NAME}")),
        ]),
        rules: Some("vscode"),
        then: "run MCP: List Servers from the command palette, and start it there",
    },
    KnownClient {
        name: "cursor",
        title: "Cursor",
        user: UserFile {
            systems: SystemPaths::everywhere(&[(Base::Home, ".cursor/mcp.json")]),
            moved_by: None,
        },
        project: Some(".cursor/mcp.json"),
        format: TextFormat::Json,
        reads: JsonExtras::CommentsAndCommas,
        key: "mcpServers",
        program: COMMAND,
        address: Some(&[("url", Address), ("headers", Headers("${env:NAME}"))]),
        rules: Some("cursor"),
        then: "switch it on in Cursor's settings, under MCP",
    },
    // `url` alone would mean HTTP+SSE.
    KnownClient {
        name: "gemini-cli",
        title: "Gemini CLI",
        user: UserFile {
            systems: SystemPaths::everywhere(&[(Base::Home, ".gemini/settings.json")]),
            moved_by: None,
        },
        project: Some(".gemini/settings.json"),
        format: TextFormat::Json,
        reads: JsonExtras::Comments,
        key: "mcpServers",
        program: COMMAND,
        address: Some(&[("httpUrl", Address), ("headers", Headers("${NAME}"))]),
        rules: Some("gemini-cli"),
        then: "start gemini anew, or type /mcp in it",
    },
    KnownClient {
        name: "zed",
        title: "Zed",
        user: UserFile {
            systems: SystemPaths {
                linux: &[(Base::Hidden, "zed/settings.json")],
                macos: &[(Base::Hidden, "zed/settings.json")],
                windows: &[(Base::Configuration, "Zed/settings.json")],
            },
            moved_by: None,
        },
        project: Some(".zed/settings.json"),
        format: TextFormat::Json,
        reads: JsonExtras::CommentsAndCommas,
        key: "context_servers",
        program: COMMAND,
        address: Some(&[("url", Address)]),
        rules: None,
        then: "open the agent panel's settings in Zed: a dot shows that it runs",
    },
    // It reads both files where both are; the second one wins.
    KnownClient {
        name: "opencode",
        title: "opencode",
        user: UserFile {
            systems: SystemPaths::everywhere(&[
                (Base::Hidden, "opencode/opencode.jsonc"),
                (Base::Hidden, "opencode/opencode.json"),
            ]),
            moved_by: None,
        },
        project: Some("opencode.json"),
        format: TextFormat::Json,
        reads: JsonExtras::CommentsAndCommas,
        key: "mcp",
        program: &[
            ("type", Word("local")),
            ("command", CommandLine),
            ("enabled", On),
        ],
        address: Some(&[
            ("type", Word("remote")),
            ("url", Address),
            ("headers", Headers("{env:NAME}")),
            ("enabled", On),
        ]),
        rules: None,
        then: "start opencode anew",
    },
    // A `url`, as Cursor has it, is not connected to.
    KnownClient {
        name: "windsurf",
        title: "Windsurf",
        user: UserFile {
            systems: SystemPaths::everywhere(&[(Base::Home, ".codeium/windsurf/mcp_config.json")]),
            moved_by: None,
        },
        project: None,
        format: TextFormat::Json,
        reads: JsonExtras::Nothing,
        key: "mcpServers",
        program: COMMAND,
        address: Some(&[("serverUrl", Address), ("headers", Headers("${env:NAME}"))]),
        rules: Some("windsurf"),
        then: "press the refresh button among Cascade's MCP servers",
    },
];

/// The client of that name.
pub(crate) fn named(name: &str) -> Option<&'static KnownClient> {
    CLIENTS.iter().find(|client| client.name == name)
}

/// The names of all of them.
pub(crate) fn names() -> [&'static str; CLIENTS.len()] {
    CLIENTS.map(|client| client.name)
}

#[cfg(test)]
mod published;
