//! Replacing a file as a whole: a new one beside it takes its name when all of it is on the disk.
//! One at a time.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Links that are followed from a name to its file.
const MAX_LINKS: usize = 40;
/// How long another install is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// Beside which name the text is kept that was there before.
pub(crate) fn backup_of(path: &Path) -> PathBuf {
    beside(path, ".footbridge-backup")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// The file that a name leads to, which need not be there.
pub(super) fn followed(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match std::fs::read_link(&path) {
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => return Ok(path),
        }
    }
    Err(Error::new(
        ErrorKind::InvalidInput,
        "its links lead in a circle",
    ))
}

/// Puts a text in place of a file, for its owner alone.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    write(path, text, None)
}

/// Puts a text in place of a file. It has the owner and the mode of the file that it replaces; one
/// that replaces none is for its owner alone.
pub(super) fn write(path: &Path, text: &str, replaces: Option<&Metadata>) -> Result<()> {
    let new = beside(path, &format!(".footbridge-{}", std::process::id()));
    // one that a process of the same number left behind
    let _left = std::fs::remove_file(&new);
    let written = fill(&new, text, replaces).and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        let _left = std::fs::remove_file(&new);
    }
    written?;
    // The name is safe when the folder is; a system that cannot say so has its own ways.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let _synced = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

fn fill(path: &Path, text: &str, replaces: Option<&Metadata>) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(replaces) = replaces {
        #[cfg(unix)]
        keep_owner(&file, replaces)?;
        file.set_permissions(replaces.permissions())?;
    }
    file.sync_all()
}

/// Gives the new file to whom the old one belonged.
#[cfg(unix)]
fn keep_owner(file: &File, replaces: &Metadata) -> Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (replaces.uid(), replaces.gid()) {
        return Ok(());
    }
    fchown(file, Some(replaces.uid()), Some(replaces.gid()))
}

/// What keeps two installs from writing the same file at once.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
    /// What goes with the lock, where a folder itself cannot be locked.
    #[cfg(not(unix))]
    path: PathBuf,
}

impl FileLock {
    /// Locks the folder of the file, which is made where there is none.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        #[cfg(unix)]
        let file = File::open(folder)?;
        #[cfg(not(unix))]
        let lock = beside(path, ".footbridge-lock");
        #[cfg(not(unix))]
        let file = File::create(&lock)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::new(
                        ErrorKind::WouldBlock,
                        "another install is at work there",
                    ));
                }
                // Some file systems have no locks; what is read again before it is replaced is
                // the other half.
                Err(TryLockError::Error(_)) => break,
            }
        }
        Ok(Self {
            _file: file,
            #[cfg(not(unix))]
            path: lock,
        })
    }
}

#[cfg(not(unix))]
impl Drop for FileLock {
    fn drop(&mut self) {
        let _left = std::fs::remove_file(&self.path);
    }
}
