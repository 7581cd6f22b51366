//! One server's entry in a client's file: made of what the table says, and read back.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use url::Url;

use super::{EntryField, KnownClient};

/// How a client reaches the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServerEntry {
    /// It starts this program, with these arguments.
    Starts {
        program: String,
        arguments: Vec<String>,
    },
    /// It connects to this address, with the bearer that a variable holds.
    Connects {
        address: String,
        bearer_variable: Option<String>,
    },
}

impl ServerEntry {
    /// The entry as the client writes it; none when it takes no addresses in its file.
    pub(crate) fn shown_to(&self, client: &KnownClient) -> Option<Map<String, Value>> {
        let fields = match self {
            Self::Starts { .. } => client.program,
            Self::Connects { .. } => client.address?,
        };
        let value = |field: EntryField| match (field, self) {
            (EntryField::Word(word), _) => Some(Value::from(word)),
            (EntryField::On, _) => Some(Value::from(true)),
            (EntryField::Program, Self::Starts { program, .. }) => Some(json!(program)),
            (EntryField::Arguments, Self::Starts { arguments, .. }) => Some(json!(arguments)),
            (EntryField::CommandLine, Self::Starts { program, arguments }) => Some(
                std::iter::once(program)
                    .chain(arguments)
                    .map(String::as_str)
                    .collect(),
            ),
            (EntryField::Address, Self::Connects { address, .. }) => Some(json!(address)),
            (
                EntryField::Headers(reference),
                Self::Connects {
                    bearer_variable: Some(name),
                    ..
                },
            ) => {
                let value = format!("Bearer {}", reference.replace("NAME", name));
                Some(json!({ "Authorization": value }))
            }
            (
                EntryField::BearerVariable,
                Self::Connects {
                    bearer_variable, ..
                },
            ) => bearer_variable.as_ref().map(|name| json!(name)),
            _ => None,
        };
        Some(
            fields
                .iter()
                .filter_map(|(key, field)| Some(((*key).to_owned(), value(*field)?)))
                .collect(),
        )
    }

    /// Reads an entry that may have been written by hand; none when it says neither what to start
    /// nor where to connect.
    pub(crate) fn read(entry: &Value, client: &KnownClient) -> Option<Self> {
        let key_of = |fields: &[(&'static str, EntryField)], wanted: EntryField| {
            fields
                .iter()
                .find(|(_, field)| *field == wanted)
                .map(|(key, _)| *key)
        };
        let texts = |value: &Value| -> Vec<String> {
            let list = value.as_array().into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        if let Some(key) = key_of(client.program, EntryField::CommandLine)
            && let Some(line) = entry.get(key)
        {
            let mut words = texts(line).into_iter();
            return Some(Self::Starts {
                program: words.next()?,
                arguments: words.collect(),
            });
        }
        if let Some(program) = entry.get("command").and_then(Value::as_str) {
            return Some(Self::Starts {
                program: program.to_owned(),
                arguments: entry.get("args").map(texts).unwrap_or_default(),
            });
        }
        let key = key_of(client.address?, EntryField::Address)?;
        Some(Self::Connects {
            address: entry.get(key)?.as_str()?.to_owned(),
            bearer_variable: None,
        })
    }

    /// The program that it starts.
    pub(crate) fn program(&self) -> Option<&str> {
        match self {
            Self::Starts { program, .. } => Some(program),
            Self::Connects { .. } => None,
        }
    }

    /// What it starts or where it connects, for people.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Starts { program, arguments } => std::iter::once(program)
                .chain(arguments)
                .map(|word| quoted(word))
                .collect::<Vec<_>>()
                .join(" "),
            Self::Connects { address, .. } if holds_secret(address) => {
                address_without_secrets(address)
            }
            Self::Connects { address, .. } => address.clone(),
        }
    }
}

/// Words in the names of an address's parameters that may be secrets.
const SECRET_WORDS: [&str; 7] = ["token", "key", "secret", "password", "auth", "sig", "code"];

/// Whether an address has a user's name or password, or a parameter that may be a secret.
pub(crate) fn holds_secret(address: &str) -> bool {
    let Ok(url) = address.parse::<Url>() else {
        return false;
    };
    let is_secret = |name: &str| {
        let name = name.to_lowercase();
        SECRET_WORDS.iter().any(|word| name.contains(word))
    };
    !url.username().is_empty()
        || url.password().is_some()
        || url.query_pairs().any(|(name, _)| is_secret(&name))
}

/// Scheme, host and path.
fn address_without_secrets(address: &str) -> String {
    let Ok(url) = address.parse::<Url>() else {
        return String::new();
    };
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// A word as a shell would need it.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:,=@+~\\".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', "'\\''")))
    }
}
