//! What goes wrong under an open store: it says what became of a change, and goes on when what was
//! wrong is mended.

use std::path::Path;

use footbridge_store::{
    AccountId, DATABASE_FILE, FieldName, ListQuery, NewRecord, Record, RecordError, RecordId,
    SortKey, Store, StoreError, StoreOptions,
};
use serde_json::json;

async fn add(store: &Store, title: &str) -> Result<Record, RecordError> {
    let data = json!({ "title": title }).as_object().unwrap().clone();
    let searched = [FieldName::parse("title").unwrap()];
    store
        .create_record(NewRecord {
            account_id: AccountId::local(),
            model: "card",
            data,
            searched: &searched,
            references: &[],
        })
        .await
}

async fn is_there(store: &Store, id: RecordId) -> bool {
    store
        .record(AccountId::local(), "card", id)
        .await
        .unwrap()
        .is_some()
}

fn everything() -> ListQuery {
    ListQuery {
        account_id: AccountId::local(),
        model: "card".to_owned(),
        filters: vec![],
        search: None,
        sort: SortKey::CreatedAt,
        descending: false,
        limit: 1000,
        offset: 0,
        after: None,
    }
}

fn is_gone(error: &RecordError) -> bool {
    matches!(error, RecordError::Store(StoreError::Gone(_)))
}

#[tokio::test]
async fn a_write_that_found_no_room_leaves_the_next_one_alone() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        largest_database_bytes: Some(512 * 1024),
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    let large = "x".repeat(600 * 1024);
    for round in 0..3 {
        let error = add(&store, &large).await.unwrap_err();
        assert!(
            matches!(error, RecordError::Store(StoreError::DiskFull(_))),
            "{error:?}"
        );
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        let small = add(&store, &format!("small {round}")).await.unwrap();
        assert!(is_there(&store, small.id).await);
        store.ready().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_when_the_files_were_removed() {
    for name in [DATABASE_FILE, "footbridge.db-wal"] {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        add(&store, "kept").await.unwrap();
        std::fs::remove_file(directory.path().join(name)).unwrap();
        let error = add(&store, "lost").await.unwrap_err();
        assert!(
            is_gone(&error) && error.to_string().contains("nothing was changed"),
            "{name}: {error:?}"
        );
        assert!(
            matches!(store.ready().await, Err(StoreError::Gone(_))),
            "{name}"
        );
        store.close().await;
    }
}

fn copy_files(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// The operator restores a copy while the program runs, by removing the database and putting the
/// copy in its place.
#[tokio::test]
async fn a_restored_copy_is_not_changed_by_the_log_of_the_file_before() {
    let directory = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let old = add(&store, "in the copy").await.unwrap();
    store.close().await;
    copy_files(directory.path(), copy.path());

    let store = Store::open(directory.path()).await.unwrap();
    let new = add(&store, "after the copy").await.unwrap();
    std::fs::remove_file(directory.path().join(DATABASE_FILE)).unwrap();
    copy_files(copy.path(), directory.path());
    let error = add(&store, "lost").await.unwrap_err();
    assert!(is_gone(&error), "{error:?}");
    let error = store.records(&everything()).await.unwrap_err();
    assert!(error.to_string().contains("removed or replaced"), "{error}");
    store.close().await;

    let restored = std::fs::read(directory.path().join(DATABASE_FILE)).unwrap();
    assert_eq!(
        restored,
        std::fs::read(copy.path().join(DATABASE_FILE)).unwrap()
    );
    let aside = |name: &str| name.starts_with("footbridge.db-wal.of-replaced-file-");
    let names = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        names.filter(|name| aside(name)).count(),
        1,
        "what was in the log is kept aside"
    );
    let store = Store::open(directory.path()).await.unwrap();
    assert!(is_there(&store, old.id).await);
    assert!(!is_there(&store, new.id).await);
    assert_eq!(store.records(&everything()).await.unwrap().records.len(), 1);
    add(&store, "goes on").await.unwrap();
}

#[tokio::test]
async fn damaged_pages_end_writing_and_readiness() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for number in 0..300 {
        add(&store, &format!("{number} {}", "x".repeat(2000)))
            .await
            .unwrap();
    }
    store.close().await;
    let path = directory.path().join(DATABASE_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2 / 4096 * 4096;
    bytes[half..].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();

    let store = Store::open(directory.path()).await.unwrap();
    // Each time some rows more are read.
    let mut looks = 0;
    let error = loop {
        match store.ready().await {
            Ok(()) => looks += 1,
            Err(error) => break error,
        }
        assert!(looks < 10, "damage that a tenth look does not meet");
    };
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
    let error = add(&store, "refused").await.unwrap_err();
    assert!(
        matches!(error, RecordError::Store(StoreError::Damaged(_))),
        "{error:?}"
    );
    assert!(error.to_string().contains("nothing was changed"), "{error}");
}

#[tokio::test]
async fn a_list_that_meets_a_damaged_page_ends_writing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for number in 0..300 {
        add(&store, &format!("{number} {}", "x".repeat(2000)))
            .await
            .unwrap();
    }
    store.close().await;
    let path = directory.path().join(DATABASE_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2 / 4096 * 4096;
    bytes[half..].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let error = store.records(&everything()).await.unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    let error = add(&store, "refused").await.unwrap_err();
    assert!(
        matches!(error, RecordError::Store(StoreError::Damaged(_))),
        "{error:?}"
    );
}

/// A write that is dropped in its middle leaves neither half of it nor a stuck connection.
#[tokio::test]
async fn a_dropped_write_is_there_whole_or_not_at_all_and_the_next_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for steps in 1..60 {
        let mut write = Box::pin(add(&store, "dropped"));
        for _ in 0..steps {
            if futures_now(&mut write).await {
                break;
            }
        }
        drop(write);
        add(&store, "after").await.unwrap();
    }
    let records = store.records(&everything()).await.unwrap().records;
    assert_eq!(
        records
            .iter()
            .filter(|record| record.data.contains("after"))
            .count(),
        59
    );
}

/// Polls once, after giving other tasks a turn; true when it is done.
async fn futures_now<T>(future: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> bool {
    tokio::task::yield_now().await;
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_ready()))
        .await
}
