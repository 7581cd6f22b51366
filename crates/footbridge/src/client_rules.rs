//! The table of rules that clients have for a list of tools. Read from their documentation and
//! issue trackers in 2026; these limits drift, so each is a line here and nowhere else.

pub(crate) mod check;

use crate::clients::SERVER_NAME;

/// The rules of one client, or of all of them.
#[derive(Debug)]
pub(crate) struct ClientRules {
    pub(crate) name: &'static str,
    /// What it is called; the rules of all of them have no one name.
    pub(crate) title: Option<&'static str>,
    pub(crate) letters: Letters,
    /// Characters that a name may have, its prefix included.
    pub(crate) longest_name: usize,
    /// What the client puts before the tools of a server that is called `footbridge`, as in the
    /// configuration that `serve` prints.
    pub(crate) prefix: &'static str,
    /// Tools that may be listed.
    pub(crate) most_tools: Option<usize>,
    /// Bytes that a description may have.
    pub(crate) longest_description: Option<usize>,
    pub(crate) schema: &'static [SchemaRule],
}

impl ClientRules {
    /// What the client puts before the tools of a server of this name.
    pub(crate) fn prefix_for(&self, server: &str) -> String {
        self.prefix.replace(SERVER_NAME, server)
    }

    /// That it takes so many and no more.
    pub(crate) fn takes(&self, most: usize) -> String {
        self.title.map_or_else(
            || format!("some clients take no more than {most}"),
            |title| format!("{title} takes {most}"),
        )
    }

    pub(crate) fn refuses(&self) -> String {
        self.title.map_or_else(
            || "some clients refuse that".to_owned(),
            |title| format!("{title} refuses that"),
        )
    }

    pub(crate) fn refuses_name(&self, name: &str) -> String {
        match self.title {
            Some(title) => format!("{title} does not take the name `{name}`"),
            None => format!("not every client takes the name `{name}`"),
        }
    }
}

/// The letters that a name is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Letters {
    /// `^[a-z][a-z0-9_]*$`
    LowerCase,
    /// `^[a-zA-Z0-9_-]+$`
    Word,
    /// `^[a-zA-Z_][a-zA-Z0-9_-]*$`
    WordFromLetter,
}

/// A rule about the schema of a tool's arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaRule {
    /// No `anyOf`, `oneOf`, `allOf` at the root.
    PlainRoot,
    /// None anywhere.
    NoCombinators,
    /// No `$ref`, `$defs`.
    NoReferences,
    /// The values of an `enum` are texts.
    TextEnums,
    /// Every argument has a `type`, but for one that takes any JSON and says so.
    Typed,
    /// Every argument has a description.
    Described,
    /// A list says what its items are, and they are no lists.
    PlainItems,
    /// No schema is `true` or `false`, in what is sent and in what is answered;
    /// `additionalProperties: false` is what every client knows.
    NoBooleans,
    /// No list of types: what may be null too may be left out.
    OneType,
    /// A tool has an argument.
    Arguments,
}

use Letters::{LowerCase, Word, WordFromLetter};
use SchemaRule::{
    Arguments, Described, NoBooleans, NoCombinators, NoReferences, OneType, PlainItems, PlainRoot,
    TextEnums, Typed,
};

/// The strictest rules of all, and what a list of tools should look like by default. A tool without
/// arguments passes: of the clients, gateways before Vertex AI alone refuse it.
pub(crate) const SAFE: ClientRules = ClientRules {
    name: "safe",
    title: None,
    letters: LowerCase,
    longest_name: 40,
    prefix: "",
    most_tools: Some(30),
    longest_description: Some(2_048),
    schema: &[
        PlainRoot,
        NoCombinators,
        NoReferences,
        TextEnums,
        Typed,
        Described,
        PlainItems,
        NoBooleans,
        OneType,
    ],
};

/// The clients, each with where its limits were read.
pub(crate) const CLIENTS: [ClientRules; 10] = [
    // barryw/ImmichMCP#4, sparfenyuk/mcp-proxy#45: 64 with the server's name; a bad name loses the
    // whole list.
    ClientRules {
        name: "claude",
        title: Some("Claude Desktop and claude.ai"),
        letters: Word,
        longest_name: 64,
        prefix: "footbridge__",
        most_tools: None,
        longest_description: None,
        schema: &[PlainRoot],
    },
    // github/copilot-cli#2581 for the rule of the API; names are shown as mcp__server__tool. The
    // TypeScript SDK 1.x, which it and others are built with, refuses a whole list for one property
    // that is `true`.
    ClientRules {
        name: "claude-code",
        title: Some("Claude Code"),
        letters: Word,
        longest_name: 64,
        prefix: "mcp__footbridge__",
        most_tools: None,
        longest_description: Some(2_048),
        schema: &[PlainRoot, NoBooleans],
    },
    // openai/codex#8174, microsoft/vscode-copilot-release#9375.
    ClientRules {
        name: "codex",
        title: Some("Codex and the OpenAI API"),
        letters: Word,
        longest_name: 64,
        prefix: "mcp__footbridge__",
        most_tools: Some(128),
        longest_description: None,
        schema: &[PlainRoot],
    },
    // ComposioHQ/composio#2788, awslabs/mcp#1283: server and tool below 60; Snowflake-Labs/mcp#77:
    // 40 tools, later 80; t8y2/dbx#6233, taylorwilsdon/google_workspace_mcp#1099: no lists of
    // types, nor does Gemini take them.
    ClientRules {
        name: "cursor",
        title: Some("Cursor"),
        letters: Word,
        longest_name: 59,
        prefix: "footbridge_",
        most_tools: Some(80),
        longest_description: None,
        schema: &[PlainRoot, NoCombinators, NoBooleans, OneType],
    },
    // microsoft/vscode#243602, microsoft/vscode#255585.
    ClientRules {
        name: "vscode",
        title: Some("VS Code"),
        letters: Word,
        longest_name: 64,
        prefix: "mcp_footbridge_",
        most_tools: Some(128),
        longest_description: None,
        schema: &[PlainRoot],
    },
    // github/copilot-cli#2581, github/app#1398: beyond 30 tools they are deferred.
    ClientRules {
        name: "copilot-cli",
        title: Some("Copilot CLI"),
        letters: Word,
        longest_name: 128,
        prefix: "footbridge-",
        most_tools: Some(30),
        longest_description: None,
        schema: &[PlainRoot],
    },
    // docs/tools/mcp-server.md of gemini-cli: longer names are cut in the middle.
    ClientRules {
        name: "gemini-cli",
        title: Some("Gemini CLI"),
        letters: WordFromLetter,
        longest_name: 63,
        prefix: "mcp_footbridge_",
        most_tools: None,
        longest_description: None,
        schema: &[
            NoCombinators,
            NoReferences,
            TextEnums,
            Typed,
            PlainItems,
            NoBooleans,
            OneType,
        ],
    },
    // sbroenne/mcp-server-excel#672, thClaws/thClaws#172, wonderwhy-er/DesktopCommanderMCP#79.
    ClientRules {
        name: "gemini-api",
        title: Some("the Gemini API"),
        letters: WordFromLetter,
        longest_name: 64,
        prefix: "",
        most_tools: None,
        longest_description: None,
        schema: &[
            NoCombinators,
            NoReferences,
            TextEnums,
            Typed,
            PlainItems,
            NoBooleans,
            OneType,
        ],
    },
    // docs/compatibility.mdx of mcp-atlassian; some gateways want at least one argument.
    ClientRules {
        name: "vertex",
        title: Some("Vertex AI and ADK"),
        letters: WordFromLetter,
        longest_name: 64,
        prefix: "",
        most_tools: None,
        longest_description: None,
        schema: &[NoCombinators, NoReferences, Typed, PlainItems, Arguments],
    },
    // Zhwt/go-mcp-mysql#3.
    ClientRules {
        name: "windsurf",
        title: Some("Windsurf"),
        letters: Word,
        longest_name: 64,
        prefix: "",
        most_tools: Some(50),
        longest_description: None,
        schema: &[PlainRoot],
    },
];

pub(crate) fn named(name: &str) -> Option<&'static ClientRules> {
    CLIENTS.iter().find(|client| client.name == name)
}

/// The clients whose rules are known.
pub(crate) fn names() -> [&'static str; CLIENTS.len()] {
    CLIENTS.map(|client| client.name)
}
