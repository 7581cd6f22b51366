//! The database's file as the operating system has it: private to its user, the one that was
//! opened, on a disk with room. No SQLite.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{OpenError, StoreError};

/// The name of the database file in the data directory.
pub const DATABASE_FILE: &str = "footbridge.db";

/// Bytes that must be free before a write is begun: enough for the largest row with all that is
/// kept beside it.
pub(crate) const LEAST_ROOM: u64 = 512 * 1024;

/// Device and number of a file; the same for as long as it is there.
type FileIdentity = (u64, u64);

/// The file that was opened, whatever stands under its path now.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    log: PathBuf,
    identity: Option<FileIdentity>,
    opened_log: Mutex<OpenedLog>,
    open_connections: AtomicUsize,
    is_damaged: AtomicBool,
}

/// The write-ahead log beside the file, once a connection has it open.
#[derive(Debug, Default)]
struct OpenedLog {
    identity: Option<FileIdentity>,
    /// What it was renamed to, when another file took the place of the database.
    aside: Option<PathBuf>,
}

impl DatabaseFile {
    /// Makes the directory and an empty database file, private to the user, where they are not
    /// there.
    pub(crate) fn prepare(data_directory: &Path) -> Result<DatabaseFile, OpenError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(data_directory)
            .map_err(|source| OpenError::DirectoryNotCreated {
                path: data_directory.to_owned(),
                source,
            })?;

        let path = data_directory.join(DATABASE_FILE);
        let mut file = OpenOptions::new();
        file.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
        match file.open(&path) {
            Ok(_) => {}
            Err(source) if source.kind() == ErrorKind::AlreadyExists => {}
            Err(source) if source.kind() == ErrorKind::StorageFull => {
                return Err(OpenError::DiskFull {
                    path,
                    source: source.into(),
                });
            }
            Err(source) => {
                return Err(OpenError::NotWritable {
                    path,
                    source: source.into(),
                });
            }
        }
        let identity = identity(&path).ok().flatten();
        let mut log = OsString::from(&path);
        log.push("-wal");
        Ok(DatabaseFile {
            path,
            log: log.into(),
            identity,
            opened_log: Mutex::default(),
            open_connections: AtomicUsize::new(0),
            is_damaged: AtomicBool::new(false),
        })
    }

    /// What was there before keeps the mode that it has; the operator is told when others may
    /// change it, or read what is in it.
    pub(crate) fn warn_of_others(&self) {
        if let Some(data_directory) = self.path.parent() {
            warn_of_others(data_directory, &self.path);
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of the file and its log; none where the system does not say.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let file = std::fs::metadata(&self.path).ok()?.len();
        let log = std::fs::metadata(&self.log).map_or(0, |log| log.len());
        Some(file.saturating_add(log))
    }

    /// Refuses when the path of the file or of its log names another file, or none: what is written
    /// into an open file that was removed is lost with the program, and a connection opened now
    /// would bring the old log over the new file.
    pub(crate) fn check_is_the_opened_one(&self) -> Result<(), StoreError> {
        let now = identity(&self.path).map_err(|error| StoreError::Gone(error.into()))?;
        if now != self.identity {
            self.set_log_aside();
            return Err(StoreError::Gone("another file stands in its place".into()));
        }
        if self.open_connections.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let mut opened = self.opened_log();
        if let Some(aside) = opened.aside.take()
            && let Err(error) = put_back(&aside, &self.log)
        {
            opened.aside = Some(aside);
            return Err(StoreError::Gone(error.into()));
        }
        if opened.identity.is_some()
            && identity(&self.log).map_err(|error| StoreError::Gone(error.into()))?
                != opened.identity
        {
            return Err(StoreError::Gone(
                "another file stands in the place of its write-ahead log".into(),
            ));
        }
        Ok(())
    }

    /// Refuses when the file is damaged, when the disk is full, or may not be written.
    pub(crate) fn check_may_be_written(&self) -> Result<(), StoreError> {
        if self.is_damaged() {
            return Err(StoreError::Damaged(
                "a page was found to be damaged before".into(),
            ));
        }
        check_disk(&self.path)
    }

    fn opened_log(&self) -> MutexGuard<'_, OpenedLog> {
        self.opened_log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection is open: the log is there from now on, and is the same for as long as one of
    /// them is.
    pub(crate) fn connection_opened(&self) {
        if self.open_connections.fetch_add(1, Ordering::Relaxed) == 0 {
            *self.opened_log() = OpenedLog {
                identity: identity(&self.log).ok().flatten(),
                aside: None,
            };
        }
    }

    pub(crate) fn connection_closed(&self) {
        self.open_connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// From now on nothing is written: what would be said to be kept might be lost.
    pub(crate) fn found_damaged(&self) {
        self.is_damaged.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }

    /// Another file stands where ours was. Our log still lies beside it, and SQLite would bring it
    /// over that file when it is opened next: it is renamed, not deleted, as its changes may be
    /// nowhere else.
    fn set_log_aside(&self) {
        let mut opened = self.opened_log();
        if opened.aside.is_some()
            || opened.identity.is_none()
            || identity(&self.log).ok().flatten() != opened.identity
        {
            return;
        }
        let mut aside = OsString::from(&self.log);
        aside.push(format!(
            ".of-replaced-file-{}",
            crate::time::now().replace(':', "")
        ));
        let aside = PathBuf::from(aside);
        match std::fs::rename(&self.log, &aside) {
            Ok(()) => {
                tracing::error!(
                    "{} was replaced while it was open; its write-ahead log was renamed to {}, so that it does not change the new file",
                    self.path.display(),
                    aside.display()
                );
                opened.aside = Some(aside);
            }
            Err(error) => {
                tracing::error!(%error, "the log of the replaced {} cannot be renamed", self.path.display())
            }
        }
    }
}

/// The file is back in its place, and its log with it, unless another one is there.
fn put_back(aside: &Path, log: &Path) -> std::io::Result<()> {
    match log.try_exists()? {
        true => Err(std::io::Error::new(
            ErrorKind::AlreadyExists,
            "another write-ahead log is there",
        )),
        false => std::fs::rename(aside, log),
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<Option<FileIdentity>> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|file| Some((file.dev(), file.ino())))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> std::io::Result<Option<FileIdentity>> {
    std::fs::metadata(path).map(|_| None)
}

/// A file system that does not say how large it is has room until it says that it has none.
#[cfg(unix)]
fn check_disk(path: &Path) -> Result<(), StoreError> {
    use rustix::fs::StatVfsMountFlags;
    let disk = rustix::fs::statvfs(path).map_err(|error| StoreError::InputOutput(error.into()))?;
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(StoreError::ReadOnly(
            "the file system is mounted for reading alone".into(),
        ));
    }
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if disk.f_blocks > 0 && free < LEAST_ROOM {
        return Err(StoreError::DiskFull(
            format!("{free} bytes are free, {LEAST_ROOM} are needed").into(),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_disk(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(unix)]
fn warn_of_others(data_directory: &Path, file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for (what, path, open, private) in [
        ("data directory", data_directory, 0o022, "700"),
        ("database", file, 0o066, "600"),
    ] {
        let Ok(found) = std::fs::metadata(path) else {
            continue;
        };
        let mode = found.permissions().mode() & 0o777;
        if mode & open != 0 {
            let path = path.display();
            tracing::warn!(
                "the {what} {path} is open to other users of this machine (mode {mode:o}): chmod {private} {path}"
            );
        }
    }
}

#[cfg(not(unix))]
fn warn_of_others(_: &Path, _: &Path) {}
