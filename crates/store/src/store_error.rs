//! The errors of the storage itself while it is in use, told apart by what the reader can do.

use sqlx::error::DatabaseError;

// Primary result codes, https://www.sqlite.org/rescode.html
pub(crate) const SQLITE_PERM: u32 = 3;
pub(crate) const SQLITE_BUSY: u32 = 5;
pub(crate) const SQLITE_LOCKED: u32 = 6;
pub(crate) const SQLITE_READONLY: u32 = 8;
pub(crate) const SQLITE_IOERR: u32 = 10;
pub(crate) const SQLITE_CORRUPT: u32 = 11;
pub(crate) const SQLITE_FULL: u32 = 13;
pub(crate) const SQLITE_CANTOPEN: u32 = 14;
pub(crate) const SQLITE_NOTADB: u32 = 26;
const SQLITE_IOERR_FSYNC: u32 = SQLITE_IOERR | (4 << 8);
const SQLITE_IOERR_SHMSIZE: u32 = SQLITE_IOERR | (19 << 8);

/// What lies behind a failure, for the log.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The storage failed. The text is for whoever asked; the source is for the log. Each says what
/// became of a change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room for the write; nothing of it was kept.
    #[error(
        "the disk that holds the database is full: nothing was changed; free some space and try again"
    )]
    DiskFull(#[source] Cause),
    /// Other writes, of this program or of another, took longer than the busy time.
    #[error("the database is busy with other writes: nothing was changed; try again in a moment")]
    Busy(#[source] Cause),
    /// Other reads took longer than the busy time.
    #[error(
        "the database is busy with other lists and searches: nothing was changed; try again in a moment"
    )]
    Crowded,
    /// The file may be read but not written.
    #[error(
        "the database cannot be written: nothing was changed; make the data directory writable and try again"
    )]
    ReadOnly(#[source] Cause),
    /// The operating system refused to read or write the file.
    #[error(
        "reading or writing the database file failed: nothing was changed; check the disk that holds the data directory"
    )]
    InputOutput(#[source] Cause),
    /// The disk failed at the last step of a write, and again when that was to be settled.
    #[error(
        "the disk failed while a change was being kept: whether it was made is not known; check the disk that holds the data directory, then read the object before you try again"
    )]
    Undecided(#[source] Cause),
    /// The file was removed or replaced while it was open.
    #[error(
        "the database file was removed or replaced while Footbridge had it open: nothing was changed; stop Footbridge, put the file back, start it again"
    )]
    Gone(#[source] Cause),
    /// The file's content makes no sense.
    #[error(
        "the database file is damaged: nothing was changed; stop Footbridge and restore the data directory from a copy"
    )]
    Damaged(#[source] Cause),
    /// Anything else; our fault.
    #[error(
        "the database refused a statement that should work: nothing was changed; this is a defect in Footbridge"
    )]
    Failed(#[source] Cause),
}

impl StoreError {
    /// A row whose content makes no sense to its reader.
    pub fn damaged(cause: impl std::error::Error + Send + Sync + 'static) -> StoreError {
        StoreError::Damaged(cause.into())
    }

    /// What a failed commit says. Where the disk refused to flush, the change may lie in the log,
    /// whole.
    pub(crate) fn of_commit(error: sqlx::Error) -> StoreError {
        match code(&error) {
            Some(SQLITE_IOERR_FSYNC) | None => StoreError::Undecided(error.into()),
            Some(_) => error.into(),
        }
    }

    /// The same once more, for each of those who waited for one write.
    pub(crate) fn told_again(&self) -> StoreError {
        let cause_again = |cause: &Cause| Cause::from(cause.to_string());
        match self {
            StoreError::DiskFull(cause) => StoreError::DiskFull(cause_again(cause)),
            StoreError::Busy(cause) => StoreError::Busy(cause_again(cause)),
            StoreError::Crowded => StoreError::Crowded,
            StoreError::ReadOnly(cause) => StoreError::ReadOnly(cause_again(cause)),
            StoreError::InputOutput(cause) => StoreError::InputOutput(cause_again(cause)),
            StoreError::Undecided(cause) => StoreError::Undecided(cause_again(cause)),
            StoreError::Gone(cause) => StoreError::Gone(cause_again(cause)),
            StoreError::Damaged(cause) => StoreError::Damaged(cause_again(cause)),
            StoreError::Failed(cause) => StoreError::Failed(cause_again(cause)),
        }
    }

    /// Whether the change may have been made all the same.
    pub fn may_have_changed(&self) -> bool {
        matches!(self, StoreError::Undecided(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        let variant = match primary_code(&error) {
            Some(SQLITE_FULL) => StoreError::DiskFull,
            Some(SQLITE_BUSY | SQLITE_LOCKED) => StoreError::Busy,
            Some(SQLITE_READONLY | SQLITE_PERM) => StoreError::ReadOnly,
            Some(SQLITE_IOERR | SQLITE_CANTOPEN) => StoreError::InputOutput,
            Some(SQLITE_CORRUPT | SQLITE_NOTADB) => StoreError::Damaged,
            _ if matches!(
                error,
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
            ) =>
            {
                StoreError::Damaged
            }
            _ => StoreError::Failed,
        };
        variant(error.into())
    }
}

/// SQLite's result code, extended where it has an extension.
fn code(error: &sqlx::Error) -> Option<u32> {
    error
        .as_database_error()
        .and_then(DatabaseError::code)?
        .parse()
        .ok()
}

/// SQLite's primary result code, without the extended part. No room for the file that processes
/// share counts as a full disk.
pub(crate) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    match code(error)? {
        SQLITE_IOERR_SHMSIZE => Some(SQLITE_FULL),
        extended => Some(extended & 0xff),
    }
}

/// Whether pages of the file make no sense.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(SQLITE_CORRUPT | SQLITE_NOTADB))
}

/// Whether a unique column already holds the value.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(DatabaseError::is_unique_violation)
}
