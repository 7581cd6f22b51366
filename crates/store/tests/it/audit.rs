//! The audit: one chain of all processes on a file, and what a check finds of those who meddle with
//! it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use footbridge_store::{
    AuditCheck, AuditEntry, AuditKind, AuditMark, AuditRetention, ChangeEnd, ChangeOutcome,
    ChangedRecord, DATABASE_FILE, Store, StoreOptions,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};

use crate::changes::{begin, end, new, propose};

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn entry(number: u64) -> AuditEntry {
    AuditEntry::new(
        AuditKind::Call,
        &json!({ "tool": "card_create", "n": number }),
    )
}

async fn filled(directory: &Path, count: u64) -> (Store, AuditMark) {
    let store = Store::open(directory).await.unwrap();
    let mut last = None;
    for number in 1..=count {
        last = Some(store.append_audit(entry(number), at(number)).await.unwrap());
    }
    (store, last.unwrap())
}

/// Somebody with a tool of their own.
pub(crate) async fn meddle(directory: &Path, statements: &str) {
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(directory.join(DATABASE_FILE))
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

fn breaks_at(check: &AuditCheck) -> Option<i64> {
    check.broken.as_ref().map(|broken| broken.sequence)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_write_one_chain_and_its_rows_are_read_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let options = || StoreOptions {
        busy_time: Duration::from_secs(60),
        ..StoreOptions::default()
    };
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let store = Store::open_with(directory.path(), options()).await.unwrap();
        for writer in 0..4 {
            let store = store.clone();
            writers.spawn(async move {
                for number in 0..25 {
                    store.append_audit(entry(number), at(writer)).await.unwrap();
                }
            });
        }
    }
    writers.join_all().await;
    let store = Store::open(directory.path()).await.unwrap();
    let check = store.verify_audit(None).await.unwrap();
    assert_eq!((check.rows, check.broken), (200, None));
    let rows = store.audit_rows(0, None).await.unwrap();
    assert_eq!(rows.len(), 200);
    assert!(rows.windows(2).all(|two| two[1].previous == two[0].digest));
    assert_eq!(store.audit_rows(150, None).await.unwrap(), rows[150..]);
    let since = store.audit_rows(0, Some(at(3))).await.unwrap();
    assert_eq!(since.len(), 50);
}

#[tokio::test]
async fn what_nobody_waits_for_is_written_too_and_a_long_detail_is_cut() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for number in 0..50 {
        store.append_audit_later(entry(number), at(number));
    }
    let long = AuditEntry::new(AuditKind::Refusal, &json!("é".repeat(20_000)));
    store.append_audit(long, at(60)).await.unwrap();
    let rows = store.audit_rows(0, None).await.unwrap();
    assert_eq!(rows.len(), 51);
    assert_eq!(rows[50].kind, AuditKind::Refusal);
    let detail: Value = serde_json::from_str(&rows[50].detail).unwrap();
    assert_eq!(detail["bytes"], 40_002);
    assert_eq!(store.verify_audit(None).await.unwrap().broken, None);
}

#[tokio::test]
async fn retention_leaves_an_anchor_from_which_the_chain_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (store, last) = filled(directory.path(), 10).await;
    store.close().await;
    let options = StoreOptions {
        audit: AuditRetention {
            age: Duration::from_secs(60),
            ..AuditRetention::default()
        },
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    assert_eq!(store.forget_old_audit(at(64)).await.unwrap(), 3);
    assert_eq!(store.forget_old_audit(at(64)).await.unwrap(), 0);
    let check = store.verify_audit(Some(&last)).await.unwrap();
    assert_eq!(
        (check.anchor.sequence, check.rows, check.broken),
        (3, 7, None)
    );
    // Also when none is left.
    assert_eq!(store.forget_old_audit(at(1000)).await.unwrap(), 7);
    let check = store.verify_audit(Some(&last)).await.unwrap();
    assert_eq!((&check.last, check.broken), (&last, None));
    let next = store.append_audit(entry(11), at(1001)).await.unwrap();
    assert_eq!(next.sequence, 11);
    assert_eq!(store.verify_audit(None).await.unwrap().rows, 1);
    // An anchor that is taken away leaves a gap.
    meddle(directory.path(), "DELETE FROM audit_anchor").await;
    let check = store.verify_audit(None).await.unwrap();
    assert_eq!(breaks_at(&check), Some(11));
}

#[tokio::test]
async fn of_too_many_rows_the_oldest_are_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let (store, last) = filled(directory.path(), 10).await;
    store.close().await;
    let options = StoreOptions {
        audit: AuditRetention {
            rows: 4,
            ..AuditRetention::default()
        },
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    assert_eq!(store.forget_old_audit(at(64)).await.unwrap(), 6);
    assert_eq!(store.forget_old_audit(at(64)).await.unwrap(), 0);
    let check = store.verify_audit(Some(&last)).await.unwrap();
    assert_eq!(
        (check.anchor.sequence, check.rows, check.broken),
        (6, 4, None)
    );
}

/// Who, what, which records, and what became of it; no values.
#[tokio::test]
async fn each_change_is_in_the_audit_with_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let done = begin(&store, new("ann", "story_update"), 0).await;
    let mut touched = end(ChangeOutcome::Done);
    touched.records = new("ann", "t").records;
    done.end(touched, at(1)).await.unwrap();
    let failed = begin(&store, new("bob", "story_update"), 2).await;
    let mut refused = end(ChangeOutcome::Failed);
    refused.message = Some("x".repeat(5_000));
    failed.end(refused, at(3)).await.unwrap();
    let declined = propose(&store, new("ann", "story_create")).await;
    store
        .withdraw_change(declined, "carl", Some("not now"), at(4))
        .await
        .unwrap();
    propose(&store, new("ann", "story_create")).await;
    assert_eq!(store.expire_proposals(at(100)).await.unwrap(), 1);
    drop(begin(&store, new("ann", "story_delete"), 101).await);
    // What was dropped is written behind the others that wait.
    let approved = propose(&store, new("ann", "story_move")).await;
    let approved = store
        .begin_proposed_change(approved, "carl", vec![], at(5))
        .await
        .unwrap();
    approved.end(end(ChangeOutcome::Done), at(6)).await.unwrap();

    let rows = store.audit_rows(0, None).await.unwrap();
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let detail: Value = serde_json::from_str(&row.detail).unwrap();
            assert_eq!(detail["records"], json!(["story:7"]), "{detail}");
            assert_eq!(detail["client"], "codex");
            assert!(row.detail.len() < 800 && !row.detail.contains("subject"));
            let by = detail["decided_by"].as_str().unwrap_or_default();
            format!(
                "{} {} {by}",
                detail["change"],
                detail["state"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "1 done ",
            "2 failed ",
            "3 proposed ",
            "3 withdrawn carl",
            "4 proposed ",
            "4 expired ",
            "5 unknown ",
            "6 proposed ",
            "6 sent carl",
            "6 done carl",
        ]
    );
    assert_eq!(store.verify_audit(None).await.unwrap().broken, None);
}

#[tokio::test]
async fn rows_that_are_taken_from_the_end_are_missed_by_who_knows_one() {
    let directory = tempfile::tempdir().unwrap();
    let (store, last) = filled(directory.path(), 5).await;
    meddle(directory.path(), "DELETE FROM audit WHERE sequence > 3").await;
    assert_eq!(store.verify_audit(None).await.unwrap().broken, None);
    let check = store.verify_audit(Some(&last)).await.unwrap();
    assert_eq!(breaks_at(&check), Some(5));
    // Others in their place are not those.
    for number in 4..=5 {
        store.append_audit(entry(number), at(99)).await.unwrap();
    }
    assert_eq!(store.verify_audit(None).await.unwrap().broken, None);
    let check = store.verify_audit(Some(&last)).await.unwrap();
    assert_eq!(breaks_at(&check), Some(5));
}

#[derive(Clone, Debug)]
enum Meddling {
    Change(&'static str, i64),
    Remove(i64),
    Swap(i64, i64),
    Insert(i64),
}

fn meddling() -> impl Strategy<Value = Meddling> {
    let row = 1..20_i64;
    prop_oneof![
        (
            prop::sample::select(vec!["at", "kind", "detail", "previous", "digest"]),
            row.clone()
        )
            .prop_map(|(column, row)| Meddling::Change(column, row)),
        row.clone().prop_map(Meddling::Remove),
        (row.clone(), 1..20_i64)
            .prop_filter("two rows", |(one, other)| one != other)
            .prop_map(|(one, other)| Meddling::Swap(one, other)),
        row.prop_map(Meddling::Insert),
    ]
}

impl Meddling {
    fn statements(&self) -> String {
        match self {
            Meddling::Change("kind", row) => {
                format!("UPDATE audit SET kind = 'login' WHERE sequence = {row}")
            }
            Meddling::Change(column, row) => {
                format!("UPDATE audit SET {column} = {column} || '0' WHERE sequence = {row}")
            }
            Meddling::Remove(row) => format!("DELETE FROM audit WHERE sequence = {row}"),
            Meddling::Swap(one, other) => format!(
                "UPDATE audit SET sequence = -1 WHERE sequence = {one};
                 UPDATE audit SET sequence = {one} WHERE sequence = {other};
                 UPDATE audit SET sequence = {other} WHERE sequence = -1"
            ),
            Meddling::Insert(row) => format!(
                "UPDATE audit SET sequence = -sequence - 1 WHERE sequence > {row};
                 UPDATE audit SET sequence = -sequence WHERE sequence < 0;
                 INSERT INTO audit SELECT sequence + 1, at, kind, detail, previous, digest
                 FROM audit WHERE sequence = {row}"
            ),
        }
    }

    /// The first row that is not as it was.
    fn first(&self) -> i64 {
        match *self {
            Meddling::Change(_, row) => row,
            Meddling::Remove(row) | Meddling::Insert(row) => row + 1,
            Meddling::Swap(one, other) => one.min(other),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_is_done_to_a_row_is_found_there(meddling in meddling()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let (store, _) = filled(directory.path(), 20).await;
            store.close().await;
            meddle(directory.path(), &meddling.statements()).await;
            let store = Store::open(directory.path()).await.unwrap();
            let check = store.verify_audit(None).await.unwrap();
            prop_assert_eq!(breaks_at(&check), Some(meddling.first()), "{:?}", meddling);
            store.close().await;
            Ok(())
        })?;
    }
}

/// Whether the end of the chain is the one that was seen last, or another process went on, is not
/// to be seen in what is written.
#[tokio::test]
async fn an_end_says_the_same_wherever_the_chain_ended_and_stands_there_once() {
    let directory = tempfile::tempdir().unwrap();
    let first = Store::open(directory.path()).await.unwrap();
    let second = Store::open(directory.path()).await.unwrap();
    let story = |kind: &str, id: &str| ChangedRecord {
        kind: kind.into(),
        id: id.into(),
        ..ChangedRecord::default()
    };
    let made = || {
        let mut change = new("ann", "t");
        change.records.push(story("task", "2"));
        change.records.push(story("story", "10"));
        change.client = None;
        change
    };
    let ended = || ChangeEnd {
        message: Some("why".into()),
        records: vec![story("task", "2"), story("comment", "1")],
        ..end(ChangeOutcome::Failed)
    };
    // the first of a process looks where the chain ends; the second knows; then another went on
    for store in [&first, &first, &second, &first, &second, &second] {
        let bare = begin(store, new("ann", "t"), 0).await;
        bare.end(end(ChangeOutcome::Done), at(1)).await.unwrap();
        let full = begin(store, made(), 0).await;
        full.end(ended(), at(1)).await.unwrap();
    }
    // several in one transaction, one of them not allowed
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(begin(&first, made(), 0).await);
    }
    let taken = open[1].id();
    meddle(
        directory.path(),
        &format!("UPDATE change SET state = 'withdrawn' WHERE id = {taken}"),
    )
    .await;
    let ends = open.into_iter().map(|open| open.end(ended(), at(1)));
    let ends = futures_util::future::join_all(ends).await;
    let refused: Vec<bool> = ends.iter().map(Result::is_err).collect();
    assert_eq!(refused, [false, true, false, false]);
    let alone = begin(&first, new("ann", "t"), 0).await;
    meddle(
        directory.path(),
        &format!(
            "UPDATE change SET state = 'withdrawn' WHERE id = {}",
            alone.id()
        ),
    )
    .await;
    assert!(alone.end(end(ChangeOutcome::Done), at(1)).await.is_err());

    let check = first.verify_audit(None).await.unwrap();
    assert_eq!((breaks_at(&check), check.rows), (None, 6 * 2 + 3));
    let mut details: Vec<Value> = Vec::new();
    for row in first.audit_rows(0, None).await.unwrap() {
        let mut detail: Value = serde_json::from_str(&row.detail).unwrap();
        assert!(detail["change"].take().is_i64());
        details.push(detail);
    }
    let (bare, full) = (details[0].clone(), details[1].clone());
    assert_eq!(
        full["records"],
        json!(["story:10", "story:7", "task:2", "comment:1"])
    );
    for (place, detail) in details.into_iter().enumerate() {
        let is_bare = place < 12 && place % 2 == 0;
        assert_eq!(&detail, if is_bare { &bare } else { &full }, "{place}");
    }
}
