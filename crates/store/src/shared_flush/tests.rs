//! What becomes of writes that share a transaction, and of one that is alone in its own, whose last
//! statement takes the commit along.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::journal::SharedWrite;
use crate::write_transaction::WriteTransaction;
use crate::{DATABASE_FILE, Store, StoreError, StoreOptions};

mod joined;

const ADD: &str = "INSERT INTO lease \
     (connector, kind, record, caller, holder, digest, claimed_at, until) \
     VALUES ('c', 'k', $1, '', '', $1, '', '')";
const COUNT: &str = "SELECT count(*) FROM lease";

/// How a write ends behind its first row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TestEnding {
    /// With a second row, its last statement.
    Kept,
    /// With a statement that does not work.
    Failed,
    /// The same, and it is the last.
    FailedAtLast,
    Refused,
    /// By a defect: behind its last statement.
    RefusedBehindLast,
}

struct TwoRows {
    name: String,
    ending: TestEnding,
}

impl SharedWrite for TwoRows {
    type Answer = u64;
    type Error = StoreError;

    const IS_LEFT_OUT_WHEN_DROPPED: bool = false;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<u64, StoreError>, sqlx::Error> {
        let first = sqlx::query(ADD)
            .bind(&self.name)
            .execute(&mut *transaction)
            .await?;
        assert_eq!(first.rows_affected(), 1, "its own rows alone");
        let is_last = matches!(
            self.ending,
            TestEnding::Kept | TestEnding::RefusedBehindLast
        );
        match self.ending {
            TestEnding::Refused => return Ok(Err(StoreError::Crowded)),
            TestEnding::Failed | TestEnding::FailedAtLast => {
                let is_last = self.ending == TestEnding::FailedAtLast;
                let again = sqlx::query(ADD).bind(&self.name);
                again.execute(transaction.last(is_last)).await?;
            }
            TestEnding::Kept | TestEnding::RefusedBehindLast => {}
        }
        let second = sqlx::query(ADD).bind(format!("{} more", self.name));
        let second = second.execute(transaction.last(is_last)).await?;
        Ok(match self.ending {
            TestEnding::RefusedBehindLast => Err(StoreError::Crowded),
            _ => Ok(second.rows_affected()),
        })
    }
}

async fn opened(directory: &tempfile::TempDir) -> Store {
    let options = StoreOptions {
        busy_time: Duration::from_millis(50),
        ..StoreOptions::default()
    };
    Store::open_with(directory.path(), options).await.unwrap()
}

async fn other(directory: &tempfile::TempDir) -> SqliteConnection {
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(directory.path().join(DATABASE_FILE))
        .connect()
        .await
        .unwrap()
}

async fn write(store: &Store, name: &str, ending: TestEnding) -> Result<u64, StoreError> {
    let name = name.to_owned();
    store.share_write(TwoRows { name, ending }).await
}

/// The rows that others see.
async fn rows(directory: &tempfile::TempDir) -> i64 {
    let mut connection = other(directory).await;
    sqlx::query_scalar(COUNT)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn of_one_that_is_alone_all_is_kept_or_nothing_and_the_next_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    assert_eq!(write(&store, "a", TestEnding::Kept).await.unwrap(), 1);
    assert_eq!(rows(&directory).await, 2);
    let refused = write(&store, "b", TestEnding::Refused).await.unwrap_err();
    assert!(matches!(refused, StoreError::Crowded), "{refused}");
    for ending in [TestEnding::Failed, TestEnding::FailedAtLast] {
        let failed = write(&store, "c", ending).await.unwrap_err();
        assert!(matches!(failed, StoreError::Failed(_)), "{failed}");
        assert_eq!(rows(&directory).await, 2);
        store.ready().await.unwrap();
    }
    assert_eq!(write(&store, "c", TestEnding::Kept).await.unwrap(), 1);
    assert_eq!(rows(&directory).await, 4);
    assert!(!store.last_write_failed().load(Ordering::Relaxed));
}

#[tokio::test]
async fn of_eight_at_once_each_gets_its_own_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    for odd in [TestEnding::Failed, TestEnding::Refused] {
        for place in 0..8 {
            let before = rows(&directory).await;
            let mut kept_before = store.journal().follow();
            let writes = (0..8).map(|number| {
                let (store, name) = (store.clone(), format!("{odd:?} {place} {number}"));
                let ending = if number == place {
                    odd
                } else {
                    TestEnding::Kept
                };
                async move { write(&store, &name, ending).await }
            });
            let ends = futures_util::future::join_all(writes).await;
            for (number, end) in ends.into_iter().enumerate() {
                assert_eq!(end.is_err(), number == place, "{odd:?} {place} {number}");
            }
            assert_eq!(rows(&directory).await, before + 14);
            assert!(kept_before.has_changed().unwrap());
            let first = *kept_before.borrow_and_update();
            write(&store, &format!("{odd:?} {place}"), TestEnding::Kept)
                .await
                .unwrap();
            let second = *kept_before.borrow_and_update();
            assert_eq!(second, first + 1, "one transaction for one write");
        }
    }
}

/// The row may be there: that is not called "nothing was changed".
#[tokio::test]
async fn a_write_that_is_refused_behind_its_last_statement_is_told_as_undecided() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    let ending = TestEnding::RefusedBehindLast;
    let told = write(&store, "a", ending).await.unwrap_err();
    assert!(told.may_have_changed(), "{told}");
    assert_eq!(write(&store, "b", TestEnding::Kept).await.unwrap(), 1);
    // among others it is taken back
    let (one, two) = tokio::join!(
        write(&store, "c", ending),
        write(&store, "d", TestEnding::Kept)
    );
    assert!(matches!(one.unwrap_err(), StoreError::Crowded));
    two.unwrap();
    assert_eq!(rows(&directory).await, 6);
}

/// A violation that is deferred is found by the commit.
#[tokio::test]
async fn what_the_commit_finds_is_told_and_nothing_is_kept() {
    const ORPHAN: &str =
        "INSERT INTO change_record (change, connector, kind, record) VALUES (99, 'c', 'k', $1)";
    struct Orphan;
    impl SharedWrite for Orphan {
        type Answer = ();
        type Error = StoreError;

        const IS_LEFT_OUT_WHEN_DROPPED: bool = false;

        async fn write(
            &mut self,
            transaction: &mut WriteTransaction,
        ) -> Result<Result<(), StoreError>, sqlx::Error> {
            sqlx::query("PRAGMA defer_foreign_keys = ON")
                .execute(&mut *transaction)
                .await?;
            sqlx::query(ORPHAN)
                .bind("7")
                .execute(transaction.last(true))
                .await
                .map(|_| Ok(()))
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    let told = store.share_write(Orphan).await.unwrap_err();
    assert!(matches!(told, StoreError::Failed(_)), "{told}");
    let (alone, with) = (
        Orphan,
        TwoRows {
            name: "a".into(),
            ending: TestEnding::Kept,
        },
    );
    let (alone, with) = tokio::join!(store.share_write(alone), store.share_write(with));
    assert!(alone.is_err() && with.is_err(), "they share its end");
    let mut connection = other(&directory).await;
    let orphans: i64 = sqlx::query_scalar("SELECT count(*) FROM change_record")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!((orphans, rows(&directory).await), (0, 0));
    assert_eq!(write(&store, "a", TestEnding::Kept).await.unwrap(), 1);
}

#[tokio::test]
async fn all_that_wait_are_told_at_once_that_another_program_writes() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    let mut other = other(&directory).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    for others in [0, 7] {
        let writes = (0..=others).map(|number| {
            let (store, name) = (store.clone(), number.to_string());
            async move { write(&store, &name, TestEnding::Kept).await }
        });
        for end in futures_util::future::join_all(writes).await {
            let told = end.unwrap_err();
            assert!(matches!(told, StoreError::Busy(_)), "{told}");
        }
    }
    other.close().await.unwrap();
    assert_eq!(write(&store, "a", TestEnding::Kept).await.unwrap(), 1);
    assert_eq!(rows(&directory).await, 2);
}
