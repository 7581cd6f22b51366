//! Opening the data directory, and the handle that everything else hangs on. No statements of its own.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::migrate::{Migrate, Migration, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Sqlite, SqliteConnection, SqlitePool, Transaction};

use crate::kept_call::MAX_KEPT_CALLS;
use crate::password::PasswordGate;
use crate::{AccountId, OpenError, SessionPolicy, StoreError, sql, time};

/// The name of the database file in the data directory.
pub const DATABASE_FILE: &str = "footbridge.db";

/// How long a write waits for other writes, when nothing else is chosen.
const BUSY_TIME: Duration = Duration::from_secs(5);

/// Connections that read at the same time; writes have one of their own.
const READERS: u32 = 4;

/// The page size of a new database, SQLite's default.
const PAGE_BYTES: u64 = 4096;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// What may be chosen when a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// How long a write waits for other writes, of this program or of another, before it gives up.
    pub busy_time: Duration,
    /// The largest database in bytes; a write that would exceed it fails as on a full disk. None: as large as the disk.
    pub largest_database_bytes: Option<u64>,
    /// How long a login lasts.
    pub sessions: SessionPolicy,
    /// How many calls are kept under keys of their callers.
    pub kept_calls: u32,
}

impl Default for StoreOptions {
    /// Five seconds for other writes, a database as large as the disk, the default sessions, and 10,000 kept calls.
    fn default() -> StoreOptions {
        StoreOptions {
            busy_time: BUSY_TIME,
            largest_database_bytes: None,
            sessions: SessionPolicy::default(),
            kept_calls: MAX_KEPT_CALLS,
        }
    }
}

/// The open data directory. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    readers: SqlitePool,
    writer: SqlitePool,
    passwords: PasswordGate,
    sessions: SessionPolicy,
    kept_calls: u32,
    path: PathBuf,
    /// The file that was opened, whatever stands under its path now.
    file: Option<FileIdentity>,
}

/// Device and number of a file; the same for as long as it is there.
type FileIdentity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<Option<FileIdentity>> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|file| Some((file.dev(), file.ino())))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> std::io::Result<Option<FileIdentity>> {
    std::fs::metadata(path).map(|_| None)
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the data directory, making it (mode 0700) and its database (mode 0600) when absent, and brings the schema up to date.
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
    pub async fn open_with(data_directory: &Path, options: StoreOptions) -> Result<Store, OpenError> {
        let path = prepare(data_directory)?;
        let connect = connect_options(&path, &options);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(options.busy_time)
                // Waiting for one's turn is not worth a word to the operator before it has been waited for in vain.
                .acquire_slow_threshold(options.busy_time)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        let writer = pool(1).connect_lazy_with(connect.clone());
        let readers = pool(READERS).connect_lazy_with(connect);
        migrate_patiently(&writer, &path, options.busy_time).await?;
        let file = identity(&path).ok().flatten();
        let (passwords, sessions) = (PasswordGate::new(), options.sessions);
        Ok(Store { inner: Arc::new(Inner { readers, writer, passwords, sessions, kept_calls: options.kept_calls, path, file }) })
    }

    /// Waits for running statements and closes the database; later calls fail.
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }

    /// Answers whether the database can be read now, and is still the file in the data directory: an open file that was removed can be read
    /// and written until the program ends, and all of it is lost then.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot, [`StoreError::Gone`] when it is another file or none.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let now = identity(&self.inner.path).map_err(|error| StoreError::Gone(error.into()))?;
        if now != self.inner.file {
            return Err(StoreError::Gone("another file stands in its place".into()));
        }
        sqlx::query(sql::READY).execute(self.readers()).await?;
        Ok(())
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }

    /// Begins a write that no other write can come between.
    pub(crate) async fn begin_write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.inner.writer.begin_with(sql::BEGIN_WRITE).await?)
    }

    pub(crate) fn passwords(&self) -> &PasswordGate {
        &self.inner.passwords
    }

    pub(crate) fn kept_calls(&self) -> u32 {
        self.inner.kept_calls
    }

    pub(crate) fn sessions(&self) -> &SessionPolicy {
        &self.inner.sessions
    }
}

/// Makes the directory and an empty database file, private to the user.
fn prepare(data_directory: &Path) -> Result<PathBuf, OpenError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(data_directory)
        .map_err(|source| OpenError::DirectoryNotCreated { path: data_directory.to_owned(), source })?;

    let path = data_directory.join(DATABASE_FILE);
    let mut file = OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    match file.open(&path) {
        Ok(_) => Ok(path),
        Err(source) if source.kind() == ErrorKind::AlreadyExists => Ok(path),
        Err(source) if source.kind() == ErrorKind::StorageFull => Err(OpenError::DiskFull { path, source: source.into() }),
        Err(source) => Err(OpenError::NotWritable { path, source: source.into() }),
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

/// Two programs that make the same database at once get in each other's way, which SQLite reports without waiting.
async fn migrate_patiently(writer: &SqlitePool, path: &Path, busy_time: Duration) -> Result<(), OpenError> {
    let started = Instant::now();
    loop {
        match migrate(writer, path).await {
            Err(error) if error.is_locked() && started.elapsed() < busy_time => {
                tokio::time::sleep(Duration::from_millis(5)).await
            }
            settled => return settled,
        }
    }
}

async fn migrate(writer: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let mut connection = writer.acquire().await.map_err(|error| OpenError::from_sqlite(path, error))?;
    if missing_migrations(&mut connection, path).await?.is_empty() {
        return check_writable(&mut connection, path).await;
    }
    drop(connection);
    let mut transaction = writer.begin_with(sql::BEGIN_WRITE).await.map_err(|error| OpenError::from_sqlite(path, error))?;
    let table = MIGRATIONS.table_name.as_ref();
    transaction.ensure_migrations_table(table).await.map_err(|error| OpenError::from_migration(path, error))?;
    for migration in missing_migrations(&mut transaction, path).await? {
        transaction.apply(table, migration).await.map_err(|error| OpenError::from_migration(path, error))?;
    }
    sqlx::query(sql::ACCOUNT_ADD_LOCAL)
        .bind(AccountId::local().to_string())
        .bind(time::now())
        .execute(&mut *transaction)
        .await
        .map_err(|error| OpenError::from_sqlite(path, error))?;
    transaction.commit().await.map_err(|error| OpenError::from_sqlite(path, error))
}

/// SQLite opens a file that it may not write for reading, without a word: better to say so now than at the first write.
async fn check_writable(connection: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    sqlx::query(sql::WRITABLE).execute(connection).await.map_err(|error| OpenError::from_sqlite(path, error))?;
    Ok(())
}

/// The migrations that the file lacks, in order; an error when it holds one that is unknown here.
async fn missing_migrations(connection: &mut SqliteConnection, path: &Path) -> Result<Vec<&'static Migration>, OpenError> {
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
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    if let Some(newer) = applied.iter().map(|migration| migration.version).filter(|version| *version > known).max() {
        return Err(OpenError::NewerSchema { path: path.to_owned(), found: newer, known });
    }
    if let Some(other) =
        applied.iter().find(|one| !MIGRATIONS.iter().any(|ours| ours.version == one.version && ours.checksum == one.checksum))
    {
        return Err(OpenError::OtherSchema { path: path.to_owned(), version: other.version });
    }
    Ok(MIGRATIONS.iter().filter(|ours| !applied.iter().any(|one| one.version == ours.version)).collect())
}
