//! The errors of a data directory that could not be opened: one line each, naming the path and the
//! next step.

use std::path::{Path, PathBuf};

use sqlx::migrate::MigrateError;

use crate::store_error::{
    Cause, SQLITE_BUSY, SQLITE_CANTOPEN, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_LOCKED, SQLITE_NOTADB,
    SQLITE_PERM, SQLITE_READONLY, primary_code,
};

/// Why [`Store::open`](crate::Store::open) refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory is absent and could not be made, or a file is in its place.
    #[error("cannot create the data directory {}: {source}; name another directory or change its permissions", path.display())]
    DirectoryNotCreated {
        /// The data directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The directory is there, but the database in it cannot be made or written.
    #[error("cannot write the database {}: {source}; make it and its directory writable, or name another data directory", path.display())]
    NotWritable {
        /// The database file.
        path: PathBuf,
        /// What the operating system or SQLite said.
        source: Cause,
    },
    /// The file is something else, or damaged.
    #[error("{} is not a database of Footbridge or is damaged; restore it from a copy, or move it away to start afresh", path.display())]
    NotADatabase {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: Cause,
    },
    /// A later Footbridge wrote the file.
    #[error(
        "the database {} has schema {found}, this Footbridge knows up to {known}; use the newer Footbridge, or name another data directory",
        path.display()
    )]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// The schema version in the file.
        found: i64,
        /// The newest schema version known here.
        known: i64,
    },
    /// The file's schema is not one that a released Footbridge made.
    #[error(
        "the database {} was made by a Footbridge whose schema differs at version {version}; move it away to start afresh, or use that program",
        path.display()
    )]
    OtherSchema {
        /// The database file.
        path: PathBuf,
        /// The schema version that differs.
        version: i64,
    },
    /// Another program holds the file.
    #[error("the database {} is locked by another program; stop that program, or name another data directory", path.display())]
    Locked {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: Cause,
    },
    /// No room to make or migrate the file.
    #[error("the disk that holds {} is full; free some space, or name a data directory on another disk", path.display())]
    DiskFull {
        /// The database file.
        path: PathBuf,
        /// What SQLite or the operating system said.
        source: Cause,
    },
    /// Anything else.
    #[error("cannot open the database {}: {source}; check the disk that holds it", path.display())]
    Failed {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: Cause,
    },
}

impl OpenError {
    pub(crate) fn from_sqlite(path: &Path, error: sqlx::Error) -> OpenError {
        let path = path.to_owned();
        let code = primary_code(&error);
        let is_out_of_time = matches!(error, sqlx::Error::PoolTimedOut);
        let source: Cause = match error.as_database_error() {
            Some(database_error) => database_error.message().into(),
            None => error.into(),
        };
        match code {
            Some(SQLITE_NOTADB | SQLITE_CORRUPT) => OpenError::NotADatabase { path, source },
            Some(SQLITE_BUSY | SQLITE_LOCKED) => OpenError::Locked { path, source },
            Some(SQLITE_FULL) => OpenError::DiskFull { path, source },
            Some(SQLITE_CANTOPEN | SQLITE_READONLY | SQLITE_PERM) => {
                OpenError::NotWritable { path, source }
            }
            _ if is_out_of_time => OpenError::Locked { path, source },
            _ => OpenError::Failed { path, source },
        }
    }

    pub(crate) fn from_migration(path: &Path, source: MigrateError) -> OpenError {
        match source {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                OpenError::from_sqlite(path, error)
            }
            MigrateError::VersionMismatch(version) => OpenError::OtherSchema {
                path: path.to_owned(),
                version,
            },
            other => OpenError::Failed {
                path: path.to_owned(),
                source: other.into(),
            },
        }
    }

    pub(crate) fn is_locked(&self) -> bool {
        matches!(self, OpenError::Locked { .. })
    }
}
