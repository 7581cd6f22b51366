//! What an entry of ours says, held against what its client does with it. Starts nothing.

use std::path::Path;

use serde_json::Value;

use super::ClientFinding;
use crate::cli::InstallScope;
use crate::client_file::ClientFile;
use crate::clients::KnownClient;
use crate::clients::entry::{ServerEntry, holds_secret};
use crate::commands::install::program::is_ours;

/// The other keys under which clients have their servers.
const KEYS: [&str; 5] = [
    "mcpServers",
    "servers",
    "mcp_servers",
    "context_servers",
    "mcp",
];

/// Words in the names of variables that hold secrets.
const SECRET_WORDS: [&str; 5] = ["TOKEN", "PASSWORD", "SECRET", "API_KEY", "CREDENTIAL"];

/// That our server stands under the key of another client.
pub(super) fn elsewhere(file: &ClientFile, client: &KnownClient) -> Option<ClientFinding> {
    let has_ours =
        |key: &&&str| {
            let servers = file.value_at(&[key]).ok().flatten().unwrap_or_default();
            servers.as_object().into_iter().flatten().any(|(_, entry)| {
                ServerEntry::read(entry, client).is_some_and(|read| is_ours(&read))
            })
        };
    let key = KEYS
        .iter()
        .filter(|key| **key != client.key)
        .find(has_ours)?;
    Some(ClientFinding::wrong(
        "entry",
        format!(
            "it stands under {key}, and {} looks under {}",
            client.title, client.key
        ),
        format!("move it, or footbridge install {} adds it", client.name),
    ))
}

pub(super) fn of(
    client: &KnownClient,
    scope: InstallScope,
    entry: &Value,
    read: &ServerEntry,
) -> Vec<ClientFinding> {
    let mut findings = Vec::new();
    let is = |key: &str| entry.get(key).and_then(Value::as_bool);
    if is("disabled") == Some(true) || is("enabled") == Some(false) {
        findings.push(ClientFinding::wrong(
            "entry",
            "it is switched off",
            "switch it on in the client, or take disabled or enabled out of the entry",
        ));
    }
    for kind in ["env", "environment", "headers", "http_headers"] {
        let fields = entry.get(kind).and_then(Value::as_object);
        for (name, value) in fields.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            let is_secret = kind.contains("header") && name.eq_ignore_ascii_case("authorization")
                || SECRET_WORDS
                    .iter()
                    .any(|word| name.to_uppercase().replace('-', "_").contains(word));
            if is_secret && !value.is_empty() && !value.contains('{') && !value.contains('$') {
                findings.push(ClientFinding::wrong(
                    "secret",
                    format!("{kind}.{name} stands there in plain text"),
                    "put it into the settings file, or a file that NAME_FILE names, and take it out of here",
                ));
            }
        }
    }
    if let ServerEntry::Connects { address, .. } = read
        && holds_secret(address)
    {
        findings.push(ClientFinding::wrong(
            "secret",
            "the address holds a secret in plain text",
            "take it out, and name the variable that holds the bearer: install --http URL --bearer-variable NAME",
        ));
    }
    findings.extend(program(client, scope, read));
    findings
}

/// What is wrong with the words that are to be started.
fn program(client: &KnownClient, scope: InstallScope, read: &ServerEntry) -> Option<ClientFinding> {
    let ServerEntry::Starts { program, arguments } = read else {
        return None;
    };
    let again = format!("footbridge install {} writes it anew", client.name);
    let wrong = |what: String| Some(ClientFinding::wrong("program", what, again.clone()));
    if let Some(first) = split_program(read) {
        return wrong(format!(
            "{program:?} is the program and its arguments, or has quotation marks around it, and clients start a program called that; {first} alone is the program"
        ));
    }
    if program.starts_with('~') || program.contains('$') || program.contains('%') {
        return wrong(format!(
            "{program} is not the path itself, and not every client puts in what it stands for"
        ));
    }
    let path = Path::new(program);
    if path.is_absolute() {
        return match path.metadata() {
            Ok(found) if found.is_file() => None,
            _ => wrong(format!("there is no program {program}")),
        };
    }
    if program.contains(['/', '\\']) {
        return wrong(format!(
            "{program} depends on the folder in which the client starts it"
        ));
    }
    if cfg!(windows) && program == "npx" {
        return wrong("npx is a script on Windows, which cmd /c starts".to_owned());
    }
    let is_runner = arguments.iter().any(|word| word.starts_with("footbridge"));
    (scope == InstallScope::User && !is_runner).then(|| {
        ClientFinding::wrong(
            "program",
            format!("{program} is looked for in the client's PATH, and clients with windows have none of yours"),
            again.clone(),
        )
    })
}

/// The program of an entry whose `command` holds its arguments too, or quotation marks.
pub(super) fn split_program(read: &ServerEntry) -> Option<String> {
    let program = read.program()?;
    if Path::new(program).exists() {
        return None;
    }
    let bare = program.trim_matches(['"', '\'']);
    let first = match bare == program {
        // `serve` ends the path, which may have spaces
        true => program
            .split(" serve")
            .next()
            .filter(|first| *first != program)?,
        false => bare,
    };
    let entry = ServerEntry::Starts {
        program: first.to_owned(),
        arguments: Vec::new(),
    };
    is_ours(&entry).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::split_program;
    use crate::clients::entry::ServerEntry;

    #[test]
    fn a_command_line_in_place_of_a_program_is_seen() {
        let split = |program: &str| {
            split_program(&ServerEntry::Starts {
                program: program.to_owned(),
                arguments: Vec::new(),
            })
        };
        assert_eq!(
            split("footbridge serve taiga").as_deref(),
            Some("footbridge")
        );
        assert_eq!(
            split("\"C:\\my tools\\footbridge.exe\"").as_deref(),
            Some("C:\\my tools\\footbridge.exe")
        );
        assert_eq!(split("/opt/footbridge"), None);
        assert_eq!(split("npx serve it"), None);
    }
}
