//! What becomes of a client's file: our entry in it, or taken out of it. Writes nothing.

use serde_json::Value;

use super::program;
use crate::client_file::{ClientFile, backup_of};
use crate::clients::KnownClient;
use crate::clients::entry::ServerEntry;
use crate::exit::Trouble;

/// What was done, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EditKind {
    Added,
    Changed,
    Unchanged,
    Removed,
    /// There was nothing to remove.
    Absent,
}

/// A file's text after an edit.
#[derive(Debug)]
pub(super) struct FileEdit {
    pub(super) kind: EditKind,
    /// None when the file goes.
    pub(super) after: Option<String>,
    /// The entry that was there before.
    pub(super) before: Option<Value>,
}

impl FileEdit {
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self.kind, EditKind::Unchanged | EditKind::Absent)
    }
}

/// The file with our entry. Of an entry that is there already, what we do not write stays.
pub(super) fn installed(
    file: &ClientFile,
    client: &KnownClient,
    name: &str,
    entry: &ServerEntry,
) -> Result<FileEdit, Trouble> {
    let path = [client.key, name];
    let before = our_entry(file, client, name)?;
    let written = entry.shown_to(client).unwrap_or_default();
    let Some(found) = &before else {
        let after = client
            .format
            .set(file.text(), &path, &Value::Object(written));
        return Ok(FileEdit {
            kind: EditKind::Added,
            after: Some(file.explained(after)?),
            before,
        });
    };
    let mut after = file.text().to_owned();
    let (form, other_form) = match entry {
        ServerEntry::Starts { .. } => (client.program, client.address.unwrap_or_default()),
        ServerEntry::Connects { .. } => (client.address.unwrap_or_default(), client.program),
    };
    let is_of_form = |key: &str| form.iter().any(|(field, _)| *field == key);
    for (key, _) in other_form.iter().filter(|(key, _)| !is_of_form(key)) {
        if found.get(key).is_some() {
            let edited = client.format.remove(&after, &[client.key, name, key]);
            after = file.explained(edited)?;
        }
    }
    for (key, value) in &written {
        let edited = client.format.set(&after, &[client.key, name, key], value);
        after = file.explained(edited)?;
    }
    let kind = match after == file.text() {
        true => EditKind::Unchanged,
        false => EditKind::Changed,
    };
    Ok(FileEdit {
        kind,
        after: Some(after),
        before,
    })
}

/// The file without our entry. Where nothing else has changed since it was added, the file is what
/// it was then.
pub(super) fn uninstalled(
    file: &ClientFile,
    client: &KnownClient,
    name: &str,
) -> Result<FileEdit, Trouble> {
    let path = [client.key, name];
    let before = our_entry(file, client, name)?;
    let Some(entry) = &before else {
        return Ok(FileEdit {
            kind: EditKind::Absent,
            after: Some(file.text().to_owned()),
            before,
        });
    };
    let adding_gives_this = |text: &str| {
        let is_without = matches!(client.format.value_at(text, &path), Ok(None));
        is_without
            && client
                .format
                .set(text, &path, entry)
                .is_ok_and(|with| with == file.text())
    };
    let backup = ClientFile::read(&backup_of(file.target()), client.format)
        .ok()
        .filter(|backup| backup.is_there() && backup.has_mark() == file.has_mark())
        .filter(|backup| adding_gives_this(backup.text()));
    let after = match backup {
        Some(backup) => Some(backup.text().to_owned()),
        // there was no file
        None if adding_gives_this("") && !file.has_mark() => None,
        None => Some(file.explained(client.format.remove(file.text(), &path))?),
    };
    Ok(FileEdit {
        kind: EditKind::Removed,
        after,
        before,
    })
}

/// The entry of that name, which must be one of ours.
fn our_entry(
    file: &ClientFile,
    client: &KnownClient,
    name: &str,
) -> Result<Option<Value>, Trouble> {
    let Some(entry) = file.value_at(&[client.key, name])? else {
        return Ok(None);
    };
    let read = ServerEntry::read(&entry, client);
    if entry.is_object() && read.as_ref().is_none_or(program::is_ours) {
        return Ok(Some(entry));
    }
    let what = match read {
        Some(read) => format!("starts {}", read.program().unwrap_or_default()),
        None => "is no entry of a server".to_owned(),
    };
    Err(Trouble::failed(format!(
        "{} has a server called {name} that is not ours, as it {what}; nothing was changed: choose another name with --name",
        file.path.display()
    )))
}
