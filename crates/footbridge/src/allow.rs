//! Words of `--allow`: an effect, or a tool by its name with what becomes of its calls.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Characters that the name of a tool may have, aliases with dots among them.
const MAX_TOOL_NAME: usize = 128;

/// What an operator opens beside reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AllowedEffect {
    /// Nothing: reading is always open.
    Read,
    /// Every change, as a proposal that a person approves.
    Propose,
    /// Creating and changing.
    Write,
    /// Deleting.
    Destroy,
}

/// What becomes of a call that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It is carried out.
    Open,
    /// It is kept as a proposal until a person approves it.
    Proposed,
    /// It is refused.
    Closed,
}

impl Passage {
    /// The one of both that lets less pass.
    pub(crate) fn tighter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Closed, _) | (_, Self::Closed) => Self::Closed,
            (Self::Proposed, _) | (_, Self::Proposed) => Self::Proposed,
            (Self::Open, Self::Open) => Self::Open,
        }
    }
}

/// One word of `--allow`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum AllowWord {
    /// `read`, `propose`, `write` or `destroy`.
    Effect(AllowedEffect),
    /// `NAME=open`, `NAME=propose` or `NAME=closed`.
    Tool(String, Passage),
}

impl FromStr for AllowWord {
    /// A sentence that names the text and what may be written.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (tool, passage) = match text {
            "read" => return Ok(Self::Effect(AllowedEffect::Read)),
            "propose" => return Ok(Self::Effect(AllowedEffect::Propose)),
            "write" => return Ok(Self::Effect(AllowedEffect::Write)),
            "destroy" => return Ok(Self::Effect(AllowedEffect::Destroy)),
            _ => match text.split_once('=') {
                Some((tool, "open")) => (tool, Passage::Open),
                Some((tool, "propose")) => (tool, Passage::Proposed),
                Some((tool, "closed")) => (tool, Passage::Closed),
                _ => ("", Passage::Closed),
            },
        };
        let is_name = tool.starts_with(|first: char| first.is_ascii_alphabetic())
            && tool.len() <= MAX_TOOL_NAME
            && tool
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if is_name {
            Ok(Self::Tool(tool.to_owned(), passage))
        } else {
            Err(format!(
                "{text:?} is neither read, propose, write, destroy nor a tool with what becomes \
                 of it: NAME=open, NAME=propose or NAME=closed"
            ))
        }
    }
}

/// The word as it is written.
impl fmt::Display for AllowWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Effect(effect) => f.write_str(match effect {
                AllowedEffect::Read => "read",
                AllowedEffect::Propose => "propose",
                AllowedEffect::Write => "write",
                AllowedEffect::Destroy => "destroy",
            }),
            Self::Tool(tool, passage) => {
                let passage = match passage {
                    Passage::Open => "open",
                    Passage::Proposed => "propose",
                    Passage::Closed => "closed",
                };
                write!(f, "{tool}={passage}")
            }
        }
    }
}

impl TryFrom<String> for AllowWord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::{AllowWord, AllowedEffect, MAX_TOOL_NAME, Passage};

    #[test]
    fn a_word_is_an_effect_or_a_tool() {
        let tool = |name: &str, passage| Ok(AllowWord::Tool(name.to_owned(), passage));
        assert_eq!("write".parse(), Ok(AllowWord::Effect(AllowedEffect::Write)));
        assert_eq!(
            " propose".parse(),
            Ok(AllowWord::Effect(AllowedEffect::Propose))
        );
        assert_eq!(
            "card_create=open".parse(),
            tool("card_create", Passage::Open)
        );
        assert_eq!(
            "card_delete=propose".parse(),
            tool("card_delete", Passage::Proposed)
        );
        assert_eq!(
            "taiga.stories.delete=closed".parse(),
            tool("taiga.stories.delete", Passage::Closed)
        );
    }

    #[test]
    fn a_word_is_written_as_it_is_read() {
        for text in [
            "read",
            "propose",
            "write",
            "destroy",
            "a=open",
            "a.b=propose",
            "c=closed",
        ] {
            let word: AllowWord = text.parse().unwrap();
            assert_eq!(word.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_word_is_named_with_what_is() {
        let long = "a".repeat(MAX_TOOL_NAME + 1);
        let long = format!("{long}=open");
        for text in [
            "",
            "wirte",
            "=propose",
            "a=b",
            "1=open",
            "card create=open",
            "é=open",
            &long,
        ] {
            let error = text.parse::<AllowWord>().unwrap_err();
            assert!(
                error.starts_with(&format!("{text:?} is neither read")),
                "{error}"
            );
        }
        let fits = format!("{}=open", "a".repeat(MAX_TOOL_NAME));
        assert!(fits.parse::<AllowWord>().is_ok());
    }
}
