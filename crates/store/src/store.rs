//! The store: the opening of its data directory, and the handle that everything else hangs on. No
//! statements of its own.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use sqlx::migrate::{Migrate, Migration};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::Mutex;

use crate::audit_mark::AuditMark;
use crate::connections::Connections;
use crate::database_file::DatabaseFile;
use crate::journal::Journal;
use crate::migrations::MIGRATIONS;
use crate::password::PasswordGate;
use crate::process_mark::{self, ProcessMark};
use crate::step_watch::StepWatch;
use crate::{
    AccountId, AuditRetention, ChangeRetention, LeaseLimits, OpenError, SessionPolicy, StoreError,
    StoreOptions, sql, time,
};

/// Connections that read at the same time; writes have one of their own.
const READERS: u32 = 4;

/// Connections for lists that may have to look at every row, as a search may; the others do not
/// wait for these.
pub(crate) const SCANNERS: u32 = 2;

/// How long the end waits for what is still to be written.
const WRITING: Duration = Duration::from_secs(1);

/// The page size of a new database, SQLite's default.
const PAGE_BYTES: u64 = 4096;

/// The open data directory. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<StoreParts>,
}

struct StoreParts {
    readers: Arc<Connections>,
    scanners: Arc<Connections>,
    writer: Arc<Connections>,
    file: Arc<DatabaseFile>,
    last_write_failed: AtomicBool,
    /// Where the chain of the audit ended with the last write of this process.
    audit_end: StdMutex<Option<AuditMark>>,
    journal: Arc<Journal>,
    step_watch: StepWatch,
    /// Set by the first change that is sent.
    process_mark: StdMutex<Option<ProcessMark>>,
    /// Where the next look at the rows begins.
    next_row: Mutex<i64>,
    passwords: PasswordGate,
    sessions: SessionPolicy,
    kept_calls: u32,
    change_retention: ChangeRetention,
    lease_limits: LeaseLimits,
    audit: AuditRetention,
    scan_time: Duration,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the data directory, making it (mode 0700) and its database (mode 0600) when absent,
    /// and brings the schema up to date.
    ///
    /// Several processes may have one data directory open; their writes take turns.
    ///
    /// # Errors
    /// [`OpenError`] names the path and the next step.
    pub async fn open(data_directory: &Path) -> Result<Store, OpenError> {
        Store::open_with(data_directory, StoreOptions::default()).await
    }

    /// Like [`Store::open`], with choices.
    ///
    /// # Errors
    /// [`OpenError`] names the path and the next step.
    pub async fn open_with(
        data_directory: &Path,
        options: StoreOptions,
    ) -> Result<Store, OpenError> {
        let file = Arc::new(DatabaseFile::prepare(data_directory)?);
        let connect = connect_options(file.path(), &options);
        let first = migrate_patiently(&connect, file.path(), options.busy_time).await?;
        file.warn_of_others();
        let connections =
            |most, crowded| Connections::new(&file, &connect, most, options.busy_time, crowded);
        let inner = StoreParts {
            readers: connections(READERS, || StoreError::Crowded),
            scanners: connections(SCANNERS, || StoreError::Crowded),
            writer: connections(1, || {
                StoreError::Busy("the writes before it took too long".into())
            }),
            step_watch: StepWatch::new(connections(1, || StoreError::Crowded)),
            file,
            last_write_failed: AtomicBool::new(false),
            audit_end: StdMutex::default(),
            journal: Arc::new(Journal::new()),
            process_mark: StdMutex::default(),
            next_row: Mutex::new(0),
            passwords: PasswordGate::new(),
            sessions: options.sessions,
            kept_calls: options.kept_calls,
            change_retention: options.changes,
            lease_limits: options.leases,
            audit: options.audit,
            scan_time: options.scan_time,
        };
        inner
            .writer
            .take_in(first)
            .await
            .map_err(|error| OpenError::from_sqlite(inner.file.path(), error))?;
        let store = Store {
            inner: Arc::new(inner),
        };
        let settled = store.settle_interrupted_changes(SystemTime::now());
        if let Err(error) = settled.await {
            tracing::warn!(%error, "whether changes were interrupted was not found out");
        }
        process_mark::remove_dead(store.file().path());
        Ok(store)
    }

    /// Closes the database; later calls fail. A statement that is still running is not waited for
    /// for long.
    pub async fn close(&self) {
        // Whether the file was replaced meanwhile is looked at once more: its log must not be
        // brought over another file.
        drop(self.inner.file.check_is_the_opened_one());
        drop(tokio::time::timeout(WRITING, self.inner.journal.idle()).await);
        for connections in [
            self.inner.step_watch.connections(),
            &self.inner.scanners,
            &self.inner.readers,
            &self.inner.writer,
        ] {
            connections.close().await;
        }
        *self.process_mark() = None;
        process_mark::remove_dead(self.inner.file.path());
    }

    /// For what an index finds.
    pub(crate) fn readers(&self) -> &Arc<Connections> {
        &self.inner.readers
    }

    /// For what may take long.
    pub(crate) fn scanners(&self) -> &Arc<Connections> {
        &self.inner.scanners
    }

    pub(crate) fn writer(&self) -> &Arc<Connections> {
        &self.inner.writer
    }

    pub(crate) fn file(&self) -> &DatabaseFile {
        &self.inner.file
    }

    pub(crate) fn last_write_failed(&self) -> &AtomicBool {
        &self.inner.last_write_failed
    }

    pub(crate) fn audit_end(&self) -> MutexGuard<'_, Option<AuditMark>> {
        let end = self.inner.audit_end.lock();
        end.unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue of writes that share a flush.
    pub(crate) fn journal(&self) -> &Arc<Journal> {
        &self.inner.journal
    }

    /// The look for what other processes did.
    pub(crate) fn step_watch(&self) -> &StepWatch {
        &self.inner.step_watch
    }

    /// The name by which others find out whether this process lives; empty where the system locks
    /// no files.
    pub(crate) fn process_name(&self) -> String {
        let mut mark = self.process_mark();
        if mark.is_none() {
            match ProcessMark::set(self.inner.file.path()) {
                Ok(set) => *mark = Some(set),
                Err(error) => tracing::warn!(%error, "this process cannot be marked as living"),
            }
        }
        mark.as_ref()
            .map_or_else(String::new, |mark| mark.name().to_owned())
    }

    fn process_mark(&self) -> MutexGuard<'_, Option<ProcessMark>> {
        self.inner
            .process_mark
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_row(&self) -> &Mutex<i64> {
        &self.inner.next_row
    }

    pub(crate) fn passwords(&self) -> &PasswordGate {
        &self.inner.passwords
    }

    pub(crate) fn kept_calls(&self) -> u32 {
        self.inner.kept_calls
    }

    pub(crate) fn change_retention(&self) -> &ChangeRetention {
        &self.inner.change_retention
    }

    pub(crate) fn lease_limits(&self) -> &LeaseLimits {
        &self.inner.lease_limits
    }

    pub(crate) fn audit_retention(&self) -> &AuditRetention {
        &self.inner.audit
    }

    pub(crate) fn scan_time(&self) -> Duration {
        self.inner.scan_time
    }

    pub(crate) fn sessions(&self) -> &SessionPolicy {
        &self.inner.sessions
    }
}

fn connect_options(path: &Path, options: &StoreOptions) -> SqliteConnectOptions {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(options.busy_time)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    match options.largest_database_bytes {
        Some(bytes) => connect.pragma("max_page_count", (bytes / PAGE_BYTES).max(1).to_string()),
        None => connect,
    }
}

/// Two programs that make the same database at once get in each other's way, which SQLite reports
/// without waiting.
async fn migrate_patiently(
    connect: &SqliteConnectOptions,
    path: &Path,
    busy_time: Duration,
) -> Result<SqliteConnection, OpenError> {
    let started = Instant::now();
    loop {
        match migrate(connect, path).await {
            Err(error) if error.is_locked() && started.elapsed() < busy_time => {
                tokio::time::sleep(Duration::from_millis(5)).await
            }
            outcome => return outcome,
        }
    }
}

/// The connection that did it, for more.
async fn migrate(
    connect: &SqliteConnectOptions,
    path: &Path,
) -> Result<SqliteConnection, OpenError> {
    let failed = |error| OpenError::from_sqlite(path, error);
    let mut connection = connect.connect().await.map_err(failed)?;
    if missing_migrations(&mut connection, path).await?.is_empty() {
        check_writable(&mut connection, path).await?;
        return Ok(connection);
    }
    let mut transaction = connection
        .begin_with(sql::BEGIN_WRITE)
        .await
        .map_err(failed)?;
    let table = MIGRATIONS.table_name.as_ref();
    transaction
        .ensure_migrations_table(table)
        .await
        .map_err(|error| OpenError::from_migration(path, error))?;
    for migration in missing_migrations(&mut transaction, path).await? {
        transaction
            .apply(table, migration)
            .await
            .map_err(|error| OpenError::from_migration(path, error))?;
    }
    sqlx::query(sql::ACCOUNT_ADD_LOCAL)
        .bind(AccountId::local().to_string())
        .bind(time::now())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(connection)
}

/// SQLite opens a file that it may not write for reading, without a word: better to say so now than
/// at the first write.
async fn check_writable(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    sqlx::query(sql::WRITABLE)
        .execute(connection)
        .await
        .map_err(|error| OpenError::from_sqlite(path, error))?;
    Ok(())
}

/// The migrations that the file lacks, in order; an error when it holds one that is unknown here.
async fn missing_migrations(
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<Vec<&'static Migration>, OpenError> {
    let tables: i64 = sqlx::query_scalar(sql::MIGRATION_TABLES)
        .bind(MIGRATIONS.table_name.as_ref())
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| OpenError::from_sqlite(path, error))?;
    if tables == 0 {
        return Ok(MIGRATIONS.iter().collect());
    }
    let applied = connection
        .list_applied_migrations(&MIGRATIONS.table_name)
        .await
        .map_err(|error| OpenError::from_migration(path, error))?;
    let known = MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    if let Some(newer) = applied
        .iter()
        .map(|migration| migration.version)
        .filter(|version| *version > known)
        .max()
    {
        return Err(OpenError::NewerSchema {
            path: path.to_owned(),
            found: newer,
            known,
        });
    }
    if let Some(other) = applied.iter().find(|one| {
        !MIGRATIONS
            .iter()
            .any(|ours| ours.version == one.version && ours.checksum == one.checksum)
    }) {
        return Err(OpenError::OtherSchema {
            path: path.to_owned(),
            version: other.version,
        });
    }
    Ok(MIGRATIONS
        .iter()
        .filter(|ours| !applied.iter().any(|one| one.version == ours.version))
        .collect())
}
