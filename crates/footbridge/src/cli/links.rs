//! The names of programs that Footbridge takes the place of: a link of that name to the program is
//! a command line of their kind, which becomes one of ours here.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::ValueEnum as _;

use super::Transport;

/// A program whose name a link may have.
#[derive(Debug)]
pub(crate) struct LinkedProgram {
    /// Its name, and that of the link.
    name: &'static str,
    connector: &'static str,
    /// How that program is reached where nobody says otherwise.
    transport: Transport,
    /// The commands that it has; none for a program that only serves.
    verbs: &'static [LinkedVerb],
    /// The version whose command line this is, where that program prints one.
    pub(crate) version: Option<&'static str>,
    /// What its mistakes in settings begin with, where programs look for that.
    pub(crate) configuration_label: Option<&'static str>,
    /// What it writes, and which word opens that.
    writes: &'static str,
}

/// A command of a linked program, and ours. What is typed after it follows.
#[derive(Debug)]
struct LinkedVerb {
    name: &'static str,
    words: &'static [&'static str],
    about: &'static str,
}

/// What opens writing, in the words of most.
const OPENS: &str = "only reading is open; --allow write,destroy opens creating, changing and \
                     deleting";

static LINKED_PROGRAMS: [LinkedProgram; 4] = [
    LinkedProgram {
        name: "prodmcp",
        connector: "prodmcp",
        transport: Transport::Stdio,
        verbs: &[
            LinkedVerb {
                name: "login",
                words: &["login", "prodmcp"],
                about: "Keep a token, or log in",
            },
            LinkedVerb {
                name: "logout",
                words: &["logout", "prodmcp"],
                about: "Forget what was kept",
            },
            LinkedVerb {
                name: "whoami",
                words: &["whoami", "prodmcp"],
                about: "Print who the token is for",
            },
            LinkedVerb {
                name: "version",
                words: &["version", "--linked", "prodmcp"],
                about: "Print the version, the server and what it has",
            },
            LinkedVerb {
                name: "tools",
                words: &["tools", "--connector", "prodmcp", "--json"],
                about: "Print the tools as JSON",
            },
            LinkedVerb {
                name: "doctor",
                words: &["doctor", "prodmcp"],
                about: "Check the server and the token",
            },
            LinkedVerb {
                name: "update",
                words: &["update"],
                about: "Replace the program by a newer one",
            },
        ],
        version: Some("1.0.2"),
        configuration_label: None,
        writes: OPENS,
    },
    LinkedProgram {
        name: "trueppm-mcp",
        connector: "trueppm",
        transport: Transport::Stdio,
        verbs: &[],
        version: None,
        configuration_label: Some("Configuration error"),
        writes: "its tools only read; there is nothing for --allow write,destroy to open",
    },
    LinkedProgram {
        name: "ptm-mcp",
        connector: "ptm",
        transport: Transport::Stdio,
        verbs: &[],
        version: None,
        configuration_label: Some("Configuration error"),
        writes: "writing is open where PTM_MCP_READ_ONLY=false or --allow write,destroy says so",
    },
    LinkedProgram {
        name: "taiga-mcp",
        connector: "taiga",
        transport: Transport::Http,
        verbs: &[],
        version: None,
        configuration_label: None,
        writes: OPENS,
    },
];

impl LinkedProgram {
    /// The program that is meant when ours is started by this name; none for our own name.
    pub(crate) fn of(started_as: &OsStr) -> Option<&'static Self> {
        let name = Path::new(started_as).file_name()?.to_str()?;
        let name = name.strip_suffix(".exe").unwrap_or(name);
        Self::named(name)
    }

    /// The program of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        LINKED_PROGRAMS.iter().find(|linked| linked.name == name)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Its connector.
    pub(crate) fn connector(&self) -> &'static str {
        self.connector
    }

    /// Our command line, for what was typed after the name of the link. None where its help is
    /// asked for.
    pub(super) fn words(&self, typed: &[OsString]) -> Option<Vec<OsString>> {
        let first = typed.first().and_then(|word| word.to_str());
        if !self.verbs.is_empty() && matches!(first, Some("-h" | "--help" | "help")) {
            return None;
        }
        let verb = self.verbs.iter().find(|verb| Some(verb.name) == first);
        let (ours, rest) = match (verb, first) {
            (Some(verb), _) => (
                verb.words.to_vec(),
                typed.get(1..).unwrap_or_default().to_vec(),
            ),
            // a word that is none of its commands stays one that is not known
            (None, Some(word)) if !self.verbs.is_empty() && is_unknown(word) => {
                (Vec::new(), typed.to_vec())
            }
            (None, Some("serve")) if !self.verbs.is_empty() => {
                self.serving(typed.get(1..).unwrap_or_default())
            }
            (None, _) => self.serving(typed),
        };
        Some(
            std::iter::once("footbridge")
                .chain(ours)
                .map(OsString::from)
                .chain(rest)
                .collect(),
        )
    }

    /// The words that serve its connector by its transport, unless another is typed.
    fn serving(&self, typed: &[OsString]) -> (Vec<&'static str>, Vec<OsString>) {
        let mut words = vec!["serve", self.connector];
        let says_transport = typed.iter().any(|word| {
            let word = word.to_string_lossy();
            word == "--transport" || word.starts_with("--transport=")
        });
        if !says_transport {
            words.push("--transport");
            words.push(match self.transport {
                Transport::Stdio => "stdio",
                Transport::Http => "http",
            });
        }
        (words, typed.to_vec())
    }

    /// The first line for whoever serves by it: the program is another, and its gate stays.
    pub(crate) fn notice(&self) -> String {
        format!(
            "footbridge: serving {} in place of {}: {}",
            self.connector, self.name, self.writes
        )
    }

    /// Its commands, for those who ask.
    pub(super) fn help(&self) -> String {
        let mut lines = vec![
            format!(
                "footbridge in place of {}: the connector {} by that program's commands",
                self.name, self.connector
            ),
            String::new(),
            format!("Usage: {} [COMMAND] [OPTIONS]", self.name),
            String::new(),
            "Commands:".to_owned(),
            format!(
                "  {:<9}Serve over {} [default]; footbridge serve --help has its options",
                "serve",
                self.transport
                    .to_possible_value()
                    .map(|value| value.get_name().to_owned())
                    .unwrap_or_default()
            ),
        ];
        let verbs = self.verbs.iter();
        lines.extend(verbs.map(|verb| format!("  {:<9}{}", verb.name, verb.about)));
        lines.join("\n")
    }
}

fn is_unknown(word: &str) -> bool {
    !word.starts_with('-') && word != "serve"
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};

    use super::LinkedProgram;

    fn ours(line: &str) -> String {
        let mut words = line.split(' ').map(OsString::from);
        let started_as = words.next().unwrap();
        let linked = LinkedProgram::of(&started_as).unwrap();
        let typed: Vec<OsString> = words.filter(|word| !word.is_empty()).collect();
        let words = linked.words(&typed).unwrap_or_default();
        words.join(OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn a_link_is_told_by_its_name() {
        let name = |path: &str| LinkedProgram::of(OsStr::new(path)).map(LinkedProgram::name);
        assert_eq!(name("/opt/my tools/prodmcp"), Some("prodmcp"));
        assert_eq!(name("ptm-mcp.exe"), Some("ptm-mcp"));
        for other in ["footbridge", "prodmcp-2", "", "/usr/bin/", "taiga"] {
            assert_eq!(name(other), None, "{other}");
        }
    }

    #[test]
    fn each_link_serves_its_connector_by_its_transport() {
        for (line, wanted) in [
            ("prodmcp", "footbridge serve prodmcp --transport stdio"),
            (
                "prodmcp serve",
                "footbridge serve prodmcp --transport stdio",
            ),
            (
                "trueppm-mcp --transport http --port 9",
                "footbridge serve trueppm --transport http --port 9",
            ),
            (
                "trueppm-mcp --transport=sse",
                "footbridge serve trueppm --transport=sse",
            ),
            ("ptm-mcp", "footbridge serve ptm --transport stdio"),
            (
                "taiga-mcp --allow write",
                "footbridge serve taiga --transport http --allow write",
            ),
        ] {
            assert_eq!(ours(line), wanted);
        }
    }

    #[test]
    fn the_verbs_of_a_program_are_ours_for_its_connector() {
        for (line, wanted) in [
            (
                "prodmcp login --token -",
                "footbridge login prodmcp --token -",
            ),
            ("prodmcp doctor", "footbridge doctor prodmcp"),
            ("prodmcp update --check", "footbridge update --check"),
            ("prodmcp nonsense", "footbridge nonsense"),
            ("prodmcp --help", ""),
        ] {
            assert_eq!(ours(line), wanted);
        }
    }
}
