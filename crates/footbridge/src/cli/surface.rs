//! What clients see of the tools: all that are listed anyway, or what one kind of client asks for.

use clap::ValueEnum;
use serde::Deserialize;

/// The tools that are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Surface {
    // Those of what is served, as groups say.
    #[default]
    Full,
    // `search` and `fetch` alone, as ChatGPT's deep research asks for.
    Chatgpt,
}

impl Surface {
    /// What it is called on a command line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Chatgpt => "chatgpt",
        }
    }
}
