//! What an install or an uninstall came to, for people and for programs.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::difference;
use super::edit::{EditKind, FileEdit};
use super::program::is_ours;
use crate::cli::EntryOptions;
use crate::client_file::ClientFile;
use crate::clients::KnownClient;
use crate::clients::entry::ServerEntry;
use crate::exit::Trouble;
use crate::terminal;

pub(super) struct Report {
    client: &'static KnownClient,
    file: ClientFile,
    edit: FileEdit,
    backup: Option<PathBuf>,
}

impl Report {
    pub(super) fn new(
        client: &'static KnownClient,
        file: ClientFile,
        edit: FileEdit,
        backup: Option<PathBuf>,
    ) -> Self {
        Self {
            client,
            file,
            edit,
            backup,
        }
    }

    pub(super) fn print(
        &self,
        options: &EntryOptions,
        entry: Option<&ServerEntry>,
        notes: &[String],
    ) -> Result<(), Trouble> {
        if options.json {
            return terminal::print(self.as_json(options, entry, notes));
        }
        let mut lines = vec![self.sentence(options)];
        if options.dry_run && !self.edit.is_nothing() {
            lines.push(self.difference());
        }
        let mut say = |word: &str, text: String| lines.push(format!("  {word:<8}{text}"));
        match entry {
            Some(entry @ ServerEntry::Starts { .. }) => say("starts", entry.line()),
            Some(entry) => say("reaches", entry.line()),
            None => {}
        }
        if let Some(backup) = &self.backup {
            say("before", format!("is kept in {}", backup.display()));
        }
        for note in notes {
            say("not set", note.clone());
        }
        for name in self.others(options).iter().filter(|_| entry.is_some()) {
            say(
                "also",
                format!(
                    "{name} starts it too: footbridge uninstall {} --name {name} takes that out",
                    self.client.name
                ),
            );
        }
        if !options.dry_run && !self.edit.is_nothing() {
            say("then", self.client.then.to_owned());
        }
        terminal::print(lines.join("\n"))
    }

    /// Other entries of the file that start this program.
    fn others(&self, options: &EntryOptions) -> Vec<String> {
        let servers = self.file.value_at(&[self.client.key]).ok().flatten();
        let starts_us = |entry: &Value| match ServerEntry::read(entry, self.client) {
            Some(read @ ServerEntry::Starts { .. }) => is_ours(&read),
            _ => false,
        };
        servers
            .as_ref()
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(name, entry)| **name != options.name && starts_us(entry))
            .map(|(name, _)| terminal::harmless(name))
            .collect()
    }

    fn sentence(&self, options: &EntryOptions) -> String {
        let (title, path) = (self.client.title, self.file.path.display());
        let name = &options.name;
        let would = if options.dry_run { "would be" } else { "is" };
        match self.edit.kind {
            EditKind::Added => format!("{title}: {name} {would} added to {path}"),
            EditKind::Changed => format!("{title}: {name} {would} changed in {path}"),
            EditKind::Unchanged => format!("{title}: {name} is in {path} already"),
            EditKind::Removed => format!("{title}: {name} {would} removed from {path}"),
            EditKind::Absent => format!("{title}: there is no {name} in {path}"),
        }
    }

    /// The difference, without what the user put into our entry.
    fn difference(&self) -> String {
        let after = self.edit.after.as_deref().unwrap_or_default();
        let mut shown = difference::difference_text(self.file.text(), after);
        let hiding = ["env", "environment", "headers", "http_headers"];
        let values = hiding
            .iter()
            .filter_map(|key| self.edit.before.as_ref()?.get(key)?.as_object())
            .flat_map(|map| map.values())
            .filter_map(Value::as_str)
            .filter(|value| !value.is_empty());
        for value in values {
            let written = Value::from(value).to_string();
            let inner = written.trim_matches('"');
            shown = shown.replace(inner, "***").replace(value, "***");
        }
        terminal::harmless(&shown)
    }

    fn as_json(
        &self,
        options: &EntryOptions,
        entry: Option<&ServerEntry>,
        notes: &[String],
    ) -> Value {
        let outcome = match self.edit.kind {
            EditKind::Added => "added",
            EditKind::Changed => "changed",
            EditKind::Unchanged => "unchanged",
            EditKind::Removed => "removed",
            EditKind::Absent => "absent",
        };
        json!({
            "client": self.client.name,
            "file": self.file.path.display().to_string(),
            "name": options.name,
            "outcome": outcome,
            "dry_run": options.dry_run,
            "difference": (options.dry_run && !self.edit.is_nothing()).then(|| self.difference()),
            "entry": entry.and_then(|entry| entry.shown_to(self.client)),
            "backup": self.backup.as_ref().map(|path| path.display().to_string()),
            "notes": notes,
            "others": self.others(options),
            "then": self.client.then,
        })
    }
}
