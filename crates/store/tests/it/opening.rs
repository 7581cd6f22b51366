//! Opening a data directory: what is made, what is refused, and who may share it.

use std::path::Path;
use std::time::Instant;

use footbridge_store::{
    AccountId, DATABASE_FILE, NewRecord, OpenError, Store, StoreError, StoreOptions,
};
use serde_json::{Map, Value, json};

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn add_card(store: &Store, title: &str) -> Result<String, footbridge_store::RecordError> {
    let new = NewRecord {
        account_id: AccountId::local(),
        model: "card",
        data: fields(json!({ "title": title })),
        searched: &[],
        references: &[],
    };
    Ok(store.create_record(new).await?.id.to_string())
}

#[cfg(unix)]
#[tokio::test]
async fn the_directory_and_the_file_are_private_to_the_user() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("deep/er");
    let store = Store::open(&directory).await.unwrap();
    add_card(&store, "one").await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join(DATABASE_FILE)), 0o600);
    assert_eq!(mode(&directory.join("footbridge.db-wal")), 0o600);
}

#[tokio::test]
async fn what_was_kept_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let id = add_card(&store, "kept").await.unwrap();
    store.close().await;

    let started = Instant::now();
    let store = Store::open(directory.path()).await.unwrap();
    println!("opening an existing database: {:?}", started.elapsed());
    let id = footbridge_store::RecordId::parse(&id).unwrap();
    let record = store
        .record(AccountId::local(), "card", id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.data, r#"{"title":"kept"}"#);
}

#[tokio::test]
async fn a_file_in_the_directory_s_place_is_named() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("taken");
    std::fs::write(&file, "text").unwrap();
    for directory in [file.clone(), file.join("below")] {
        let error = Store::open(&directory).await.unwrap_err();
        assert!(
            matches!(error, OpenError::DirectoryNotCreated { .. }),
            "{error:?}"
        );
        assert!(
            error.to_string().contains(directory.to_str().unwrap()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join(DATABASE_FILE)).unwrap();
    let error = Store::open(directory.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
}

/// The superuser may write whatever the mode says, so for them there is nothing to see.
#[cfg(unix)]
#[tokio::test]
async fn a_database_that_may_only_be_read_is_named_at_once() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    Store::open(directory.path()).await.unwrap().close().await;
    let path = directory.path().join(DATABASE_FILE);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    let is_superuser = std::fs::OpenOptions::new().write(true).open(&path).is_ok();
    match Store::open(directory.path()).await {
        Ok(_) => assert!(is_superuser),
        Err(error) => {
            assert!(
                matches!(error, OpenError::NotWritable { .. })
                    && error.to_string().contains(DATABASE_FILE),
                "{error:?}"
            )
        }
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    match Store::open(directory.path()).await {
        Ok(_) => assert!(is_superuser),
        Err(error) => assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}"),
    }
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn other_files_and_damaged_ones_are_refused_and_left_alone() {
    let good = tempfile::tempdir().unwrap();
    Store::open(good.path()).await.unwrap().close().await;
    let mut damaged = std::fs::read(good.path().join(DATABASE_FILE)).unwrap();
    damaged[100..4096].fill(0x5a);
    let texts: [&[u8]; 3] = [
        b"this is a letter, not a database\n",
        &[0xff; 8192],
        &damaged,
    ];
    for content in texts {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(DATABASE_FILE);
        std::fs::write(&path, content).unwrap();
        let error = Store::open(directory.path()).await.unwrap_err();
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
        assert!(
            error.to_string().contains(path.to_str().unwrap()) && !error.to_string().contains('\n'),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}

async fn alter(directory: &Path, statement: &'static str) {
    use sqlx::{ConnectOptions, Connection};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(directory.join(DATABASE_FILE));
    let mut connection = options.connect().await.unwrap();
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    Store::open(directory.path()).await.unwrap().close().await;
    alter(
        directory.path(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (7, 'later', TRUE, x'00', 0)",
    )
    .await;
    let error = Store::open(directory.path()).await.unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::NewerSchema {
                found: 7,
                known: 4,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_schema_of_another_making_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    Store::open(directory.path()).await.unwrap().close().await;
    alter(
        directory.path(),
        "UPDATE _sqlx_migrations SET checksum = x'00'",
    )
    .await;
    let error = Store::open(directory.path()).await.unwrap_err();
    assert!(
        matches!(error, OpenError::OtherSchema { version: 1, .. }),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_open_a_fresh_directory_at_once_and_all_write() {
    let directory = tempfile::tempdir().unwrap();
    let mut openers = tokio::task::JoinSet::new();
    for opener in 0..6 {
        let path = directory.path().to_owned();
        openers.spawn(async move {
            // SQLite lets writers in as it likes: how long one waits is the disk's affair, and not
            // what is looked at.
            let options = StoreOptions {
                busy_time: std::time::Duration::from_secs(60),
                ..StoreOptions::default()
            };
            let store = Store::open_with(&path, options).await.unwrap();
            for card in 0..10 {
                add_card(&store, &format!("{opener}/{card}")).await.unwrap();
            }
        });
    }
    openers.join_all().await;
    let store = Store::open(directory.path()).await.unwrap();
    assert_eq!(store.accounts().await.unwrap().len(), 1);
    let error = store
        .remove_account("local", footbridge_store::OwnedRecords::Refuse)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("cannot be removed"), "{error}");
    let query = footbridge_store::ListQuery {
        account_id: AccountId::local(),
        model: "card".to_owned(),
        filters: vec![],
        search: None,
        sort: footbridge_store::SortKey::CreatedAt,
        descending: false,
        limit: 200,
        offset: 0,
        after: None,
    };
    assert_eq!(store.records(&query).await.unwrap().records.len(), 60);
}

#[tokio::test]
async fn a_database_held_by_another_program_is_named_and_its_write_waited_for() {
    use sqlx::{ConnectOptions, Connection, Executor};
    let directory = tempfile::tempdir().unwrap();
    let brief = || StoreOptions {
        busy_time: std::time::Duration::from_millis(500),
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), brief()).await.unwrap();
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(directory.path().join(DATABASE_FILE));
    let mut other = options.connect().await.unwrap();

    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let error = add_card(&store, "while held").await.unwrap_err();
    assert!(
        matches!(
            error,
            footbridge_store::RecordError::Store(StoreError::Busy(_))
        ),
        "{error:?}"
    );
    let error = Store::open_with(directory.path(), brief())
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
    other.execute("COMMIT").await.unwrap();
    add_card(&store, "after").await.unwrap();
    store.close().await;

    other
        .execute("PRAGMA locking_mode = EXCLUSIVE")
        .await
        .unwrap();
    other
        .execute("UPDATE account SET role = 'admin'")
        .await
        .unwrap();
    let error = Store::open_with(directory.path(), brief())
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
    other.close().await.unwrap();
    Store::open_with(directory.path(), brief()).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_the_write_and_keeps_what_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        largest_database_bytes: Some(512 * 1024),
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    let text = "x".repeat(10_000);
    let mut kept = Vec::new();
    let error = loop {
        match add_card(&store, &text).await {
            Ok(id) => kept.push(id),
            Err(error) => break error,
        }
        assert!(kept.len() < 100, "the disk never filled");
    };
    assert!(
        matches!(
            error,
            footbridge_store::RecordError::Store(StoreError::DiskFull(_))
        ),
        "{error:?}"
    );
    assert!(!kept.is_empty());
    store.close().await;
    let store = Store::open(directory.path()).await.unwrap();
    for id in kept {
        let id = footbridge_store::RecordId::parse(&id).unwrap();
        assert!(
            store
                .record(AccountId::local(), "card", id)
                .await
                .unwrap()
                .is_some()
        );
    }
    add_card(&store, "room again").await.unwrap();
}
