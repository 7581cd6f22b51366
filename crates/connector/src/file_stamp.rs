//! What a file looked like when it was read, so that a change of it is noticed without reading it.

use std::fs::Metadata;
use std::path::Path;
use std::time::SystemTime;

/// The marks of a file that its change changes: time, length, and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    modified: Option<SystemTime>,
    length: u64,
    /// Another file under the same name, and a change that keeps time and length.
    inode: Option<(u64, i64, i64)>,
}

impl FileStamp {
    /// The marks of the file at this path; `None` when it is not there or may not be looked at.
    pub fn of(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self {
            modified: file.modified().ok(),
            length: file.len(),
            inode: inode(&file),
        })
    }
}

#[cfg(unix)]
fn inode(file: &Metadata) -> Option<(u64, i64, i64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((file.ino(), file.ctime(), file.ctime_nsec()))
}

#[cfg(not(unix))]
fn inode(_file: &Metadata) -> Option<(u64, i64, i64)> {
    None
}
