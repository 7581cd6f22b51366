//! `footbridge doctor --client`: whether a client's own file leads it to this program, and whether
//! the client takes what it finds there. Starts what the file says, if that is this program.

mod entry_checks;
mod reached;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::InstallScope;
use crate::client_file::{ClientFile, JsonExtras};
use crate::clients::entry::ServerEntry;
use crate::clients::{self, KnownClient};
use crate::commands::install;
use crate::commands::install::program::is_ours;
use crate::exit::{Exit, Trouble};
use crate::terminal;

/// Something that was looked at.
pub(super) struct ClientFinding {
    /// What it is about, in a word.
    about: &'static str,
    what: String,
    /// What to do about it; nothing where all is well.
    mend: Option<String>,
}

impl ClientFinding {
    fn good(about: &'static str, what: impl Into<String>) -> Self {
        Self {
            about,
            what: what.into(),
            mend: None,
        }
    }

    fn wrong(about: &'static str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            about,
            what: what.into(),
            mend: Some(mend.into()),
        }
    }
}

/// What was found of a client's files.
pub(super) struct ExaminedClient {
    client: &'static KnownClient,
    files: Vec<ExaminedFile>,
}

/// What was found of one file.
struct ExaminedFile {
    path: PathBuf,
    findings: Vec<ClientFinding>,
}

impl ExaminedClient {
    /// Looks at the user's file, and at the one of the project in this folder where there is one.
    pub(super) async fn of(name: &str, ca_file: Option<&Path>) -> Result<Self, Trouble> {
        let client = clients::named(name).ok_or_else(|| install::unknown(name))?;
        let user = install::path_of(client, InstallScope::User)?;
        let project = install::path_of(client, InstallScope::Project)
            .ok()
            .filter(|path| path.exists() && *path != user);
        let mut files = Vec::new();
        for (path, scope) in [
            (Some(user), InstallScope::User),
            (project, InstallScope::Project),
        ] {
            if let Some(path) = path {
                let findings = findings(client, &path, scope, ca_file).await;
                files.push(ExaminedFile { path, findings });
            }
        }
        // A file without us is nothing wrong where the other one has us.
        if files.len() > 1 && files.iter().any(|file| file.has_entry()) {
            files.retain(ExaminedFile::has_entry);
        }
        Ok(Self { client, files })
    }

    pub(super) fn exit(&self) -> Exit {
        let mut findings = self.files.iter().flat_map(|file| &file.findings);
        match findings.any(|finding| finding.mend.is_some()) {
            true => Exit::Failed,
            false => Exit::Done,
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for file in &self.files {
            lines.push(format!("{}: {}", self.client.title, file.path.display()));
            for ClientFinding { about, what, mend } in &file.findings {
                lines.push(match mend {
                    None => format!("  {about:<9}{}", terminal::harmless(what)),
                    Some(mend) => format!("  {about:<9}{}: {mend}", terminal::harmless(what)),
                });
            }
        }
        lines
    }

    pub(super) fn as_json(&self) -> Value {
        let findings = |file: &ExaminedFile| -> Value {
            let finding = |finding: &ClientFinding| {
                json!({
                    "about": finding.about, "is_well": finding.mend.is_none(),
                    "says": finding.what, "mend": finding.mend
                })
            };
            file.findings.iter().map(finding).collect()
        };
        let files: Value = self
            .files
            .iter()
            .map(|file| {
                json!({ "file": file.path.display().to_string(), "findings": findings(file) })
            })
            .collect();
        json!({ "client": self.client.name, "title": self.client.title, "files": files })
    }
}

impl ExaminedFile {
    fn has_entry(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.about == "entry" && finding.mend.is_none())
    }
}

/// Everything about one file of a client.
async fn findings(
    client: &KnownClient,
    path: &Path,
    scope: InstallScope,
    ca_file: Option<&Path>,
) -> Vec<ClientFinding> {
    let add = match scope {
        InstallScope::User => format!("footbridge install {} adds it", client.name),
        InstallScope::Project => {
            format!("footbridge install {} --scope project adds it", client.name)
        }
    };
    let file = match ClientFile::read(path, client.format) {
        Ok(file) if !file.is_there() => {
            return vec![ClientFinding::wrong("file", "there is none", add)];
        }
        Ok(file) => file,
        Err(trouble) => {
            return vec![ClientFinding::wrong(
                "file",
                trouble.to_string(),
                format!("{} does not read it either", client.title),
            )];
        }
    };
    let mut findings = Vec::new();
    if client.format.has_more_than(client.reads, file.text()) {
        let (what, mend) = match client.reads {
            JsonExtras::Nothing => (
                "it has comments, or a comma behind the last",
                format!("{} reads plain JSON alone: take them out", client.title),
            ),
            _ => (
                "it has a comma behind the last",
                format!("{} does not read that: take it out", client.title),
            ),
        };
        findings.push(ClientFinding::wrong("file", what, mend));
    }
    let servers = match file.value_at(&[client.key]) {
        Ok(servers) => servers.unwrap_or_default(),
        Err(trouble) => {
            let mend = format!("{} does not read it either", client.title);
            findings.push(ClientFinding::wrong("file", trouble.to_string(), mend));
            return findings;
        }
    };
    let ours: Vec<(&String, &Value, Option<ServerEntry>)> = servers
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, entry)| (name, entry, ServerEntry::read(entry, client)))
        .filter(|(name, _, read)| may_be_ours(name, read.as_ref()))
        .collect();
    if ours.is_empty() {
        let elsewhere = entry_checks::elsewhere(&file, client);
        findings.push(elsewhere.unwrap_or_else(|| {
            ClientFinding::wrong(
                "entry",
                format!("{} has no server of ours", client.key),
                add,
            )
        }));
    }
    for (name, entry, read) in ours {
        let Some(read) = read else {
            findings.push(ClientFinding::wrong(
                "entry",
                format!("{name} says neither what to start nor where to connect"),
                format!("footbridge uninstall {0}, then install {0}", client.name),
            ));
            continue;
        };
        findings.push(ClientFinding::good(
            "entry",
            format!("{name}: {}", read.line()),
        ));
        findings.extend(entry_checks::of(client, scope, entry, &read));
        findings.extend(reached::findings(client, name, entry, &read, ca_file).await);
    }
    findings
}

/// An entry that starts us, or has our name.
fn may_be_ours(name: &str, read: Option<&ServerEntry>) -> bool {
    match read {
        Some(read @ ServerEntry::Starts { .. }) => {
            is_ours(read) || entry_checks::split_program(read).is_some()
        }
        _ => name == clients::SERVER_NAME,
    }
}
