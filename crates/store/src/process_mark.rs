//! The mark of a process that has changes under way: a file beside the database that is locked for
//! as long as the process lives. The system takes the lock from one that was killed, so that nobody
//! has to guess by age. No SQLite.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// What stands between the name of the database and the name of the process.
const INFIX: &str = "-process-";

/// The mark of this process, or of one of several stores in it.
#[derive(Debug)]
pub(crate) struct ProcessMark {
    name: String,
    path: PathBuf,
    /// Holds the lock.
    _locked: File,
}

impl ProcessMark {
    /// Makes and locks the file.
    pub(crate) fn set(database: &Path) -> std::io::Result<ProcessMark> {
        let name = Uuid::now_v7().simple().to_string();
        let path = path_of(database, &name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        file.try_lock()?;
        Ok(ProcessMark {
            name,
            path,
            _locked: file,
        })
    }

    /// The name by which changes are marked.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for ProcessMark {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Whether the process of that name lives. Where that cannot be found out, it does.
pub(crate) fn is_alive(database: &Path, name: &str) -> bool {
    is_name(name) && is_locked(&path_of(database, name))
}

/// Removes the marks of processes that ended without doing so.
pub(crate) fn remove_dead(database: &Path) {
    let (Some(directory), Some(prefix)) = (database.parent(), database.file_name()) else {
        return;
    };
    let mut prefix = prefix.to_string_lossy().into_owned();
    prefix.push_str(INFIX);
    for entry in directory.read_dir().into_iter().flatten().flatten() {
        let is_mark = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix(&prefix))
            .is_some_and(is_name);
        if is_mark && !is_locked(&entry.path()) {
            remove(&entry.path());
        }
    }
}

fn path_of(database: &Path, name: &str) -> PathBuf {
    let mut path = OsString::from(database);
    path.push(INFIX);
    path.push(name);
    path.into()
}

fn is_name(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_locked(path: &Path) -> bool {
    match File::open(path).map(|file| file.try_lock()) {
        Ok(Ok(())) => false,
        Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => true,
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::debug!(%error, "the mark {} of a process stays", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_lives_as_long_as_who_holds_it_and_a_dead_one_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("footbridge.db");
        let mark = ProcessMark::set(&database).unwrap();
        let name = mark.name().to_owned();
        assert!(is_alive(&database, &name));
        remove_dead(&database);
        assert!(is_alive(&database, &name));
        drop(mark);
        assert!(!is_alive(&database, &name));
        assert!(!is_alive(&database, "../../etc/passwd"));

        let killed = path_of(&database, &name);
        std::fs::write(&killed, "").unwrap();
        assert!(!is_alive(&database, &name));
        remove_dead(&database);
        assert!(!killed.exists());
    }
}
