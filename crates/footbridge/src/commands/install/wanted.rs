//! What an install is to write: the connectors and the options of the command line as a client
//! hands them back to `serve`.

use std::path::{Path, PathBuf};

use footbridge_connector::Declaration;
use url::Url;

use super::program;
use crate::cli::{CommonOptions, InstallArguments, InstallScope};
use crate::clients::entry::{ServerEntry, holds_secret};
use crate::connectors::Reached;
use crate::exit::Trouble;
use crate::settings::Settings;

/// What the entry says, and what the user should know beside it.
pub(super) struct WantedEntry {
    pub(super) entry: ServerEntry,
    pub(super) notes: Vec<String>,
}

pub(super) fn of(arguments: &InstallArguments) -> Result<WantedEntry, Trouble> {
    match &arguments.http {
        Some(url) => Ok(WantedEntry {
            entry: ServerEntry::Connects {
                address: address(url)?,
                bearer_variable: arguments.bearer_variable.clone(),
            },
            notes: Vec::new(),
        }),
        None => started(arguments),
    }
}

/// An address as it may stand in a file that other programs read.
fn address(text: &str) -> Result<String, Trouble> {
    let wrong = |what: &str| Trouble::usage(format!("--http {text:?}: {what}"));
    let url: Url = text.parse().map_err(|error| {
        wrong(&format!(
            "{error}; write an address such as http://127.0.0.1:8000/mcp"
        ))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("write an http or https address"));
    }
    if holds_secret(text) {
        // not shown again
        return Err(Trouble::usage(
            "the address of --http holds a secret, and none is written into a client's file: leave it out, and name the variable that holds the bearer with --bearer-variable",
        ));
    }
    Ok(text.to_owned())
}

fn started(arguments: &InstallArguments) -> Result<WantedEntry, Trouble> {
    let options = &arguments.options;
    let is_absolute = arguments.entry.scope == InstallScope::User;
    let settings = Settings::new(options.clone())?;
    let connectors = settings.connectors()?;
    let (program, mut words) = program::words(arguments.entry.scope)?;
    words.push("serve".to_owned());
    let mut notes = Vec::new();
    for wanted in &arguments.connectors {
        let file = connectors.find(wanted)?;
        let (name, declaration) = file.declaration().ok_or_else(|| {
            Trouble::usage(format!(
                "{0} is no connector file that can be served: footbridge lint {0} says why",
                file.file
            ))
        })?;
        words.push(match file.is_named_by_path() {
            true => text_of(Path::new(wanted), is_absolute)?,
            false => wanted.clone(),
        });
        if file.reached == Reached::Network {
            notes.extend(unset(&settings, &name, &declaration));
        }
    }
    words.extend(["--transport".to_owned(), "stdio".to_owned()]);
    words.extend(options_of(options, is_absolute)?);
    if let Some(path) = &arguments.env_file {
        words.extend(["--env-file".to_owned(), text_of(path, is_absolute)?]);
    }
    Ok(WantedEntry {
        entry: ServerEntry::Starts {
            program,
            arguments: words,
        },
        notes,
    })
}

/// The options that were given, as they are written on a command line.
fn options_of(options: &CommonOptions, is_absolute: bool) -> Result<Vec<String>, Trouble> {
    let mut words = Vec::new();
    if let Some(allow) = &options.allow {
        let allowed: Vec<String> = allow.iter().map(ToString::to_string).collect();
        words.extend(["--allow".to_owned(), allowed.join(",")]);
    }
    if !options.groups.is_empty() {
        words.push(format!("--groups={}", options.groups.join(",")));
    }
    if !options.skills.is_empty() {
        words.extend(["--skills".to_owned(), options.skills.join(",")]);
    }
    if let Some(surface) = options.surface {
        words.extend(["--surface".to_owned(), surface.word().to_owned()]);
    }
    let paths: [(&str, &Option<PathBuf>); 4] = [
        ("--connectors", &options.directory.connectors_directory),
        ("--data", &options.files.data),
        ("--settings", &options.files.settings),
        ("--ca-file", &options.roots.ca_file),
    ];
    for (flag, path) in paths {
        if let Some(path) = path {
            words.extend([flag.to_owned(), text_of(path, is_absolute)?]);
        }
    }
    Ok(words)
}

/// A path as a client's file can hold it; a client starts programs in a folder of its own.
fn text_of(path: &Path, is_absolute: bool) -> Result<String, Trouble> {
    let wrong = |what: &str| Trouble::usage(format!("{}: {what}", path.display()));
    let path = match is_absolute {
        true => std::path::absolute(path).map_err(|error| wrong(&error.to_string()))?,
        false => path.to_owned(),
    };
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| wrong("the path is no UTF-8, which clients' files are"))
}

/// What the server would miss when a client starts it, which has not this shell's variables: where
/// no secret is in the settings file, the settings that have no default.
fn unset(settings: &Settings, name: &str, declaration: &Declaration) -> Option<String> {
    const MAX_NAMED: usize = 8;
    let in_file: Vec<&str> = settings.names_in_file(name).collect();
    let is_set = |setting: &str| {
        let file_of = format!("{setting}_FILE");
        in_file.iter().any(|key| *key == setting || *key == file_of)
    };
    let mut secrets = declaration
        .settings
        .iter()
        .filter(|setting| setting.secret)
        .peekable();
    secrets.peek()?;
    if secrets.any(|secret| is_set(&secret.name)) {
        return None;
    }
    let missing: Vec<&str> = declaration
        .settings
        .iter()
        .filter(|setting| setting.default.is_none() && !is_set(&setting.name))
        .map(|setting| setting.name.as_str())
        .take(MAX_NAMED)
        .collect();
    let path = settings.file_path()?;
    Some(format!(
        "{name} needs settings that its client does not hand it: of {}, put those that you use into {} under connectors.{name}.settings",
        missing.join(", "),
        path.display()
    ))
}
