//! Writes whose texts are known before: they go to the database as one text, and by themselves where
//! one of them does not get through.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::SystemTime;

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::*;
use crate::change::{BegunChange, ChangeEnd, ChangedRecord, NewChange};
use crate::joined_text::{JoinedValues, KnownTexts};
use crate::shared_flush::{MOST_TOGETHER, write_joined};
use crate::write_transaction::StatementStep;
use crate::{ChangeOutcome, ChangeState};

/// As many as go together at most.
const MOST_JOINED: usize = 8;
const NOTE: &str = "UPDATE lease SET note = $1 WHERE digest = $2";

/// What the second of its texts does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SecondText {
    ChangesItsRow,
    ChangesNothing,
    DoesNotWork,
}

/// A row and its note.
struct NotedRow {
    name: String,
    second: SecondText,
    /// Counts those that were written by themselves.
    by_themselves: Arc<AtomicUsize>,
}

impl NotedRow {
    fn noted(&self) -> String {
        match self.second {
            SecondText::ChangesNothing => "nobody's".to_owned(),
            _ => self.name.clone(),
        }
    }
}

impl SharedWrite for NotedRow {
    type Answer = u64;
    type Error = StoreError;

    const IS_LEFT_OUT_WHEN_DROPPED: bool = true;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<u64, StoreError>, sqlx::Error> {
        self.by_themselves.fetch_add(1, Ordering::Relaxed);
        let row = sqlx::query(ADD).bind(&self.name);
        row.execute(&mut *transaction).await?;
        if self.second == SecondText::DoesNotWork {
            let again = sqlx::query(ADD).bind(&self.name);
            again.execute(&mut *transaction).await?;
        }
        let note = sqlx::query(NOTE).bind("n").bind(self.noted());
        let note = note.execute(transaction).await?;
        Ok(match note.rows_affected() {
            0 => Err(StoreError::Crowded),
            rows => Ok(rows),
        })
    }

    fn known_texts(&self) -> KnownTexts {
        &[ADD, NOTE]
    }

    fn bind_known(&self, values: &mut JoinedValues) -> Result<bool, sqlx::Error> {
        let name = match self.second {
            SecondText::DoesNotWork => None,
            _ => Some(&self.name),
        };
        values.bind(|query| query.bind(name))?;
        values.bind(|query| query.bind("n").bind(self.noted()))?;
        Ok(true)
    }

    fn known_answer(&self, given: &[StatementStep]) -> Result<Option<u64>, sqlx::Error> {
        let [row, note] = given else {
            panic!("{} statements", given.len());
        };
        let changed = |step: &StatementStep| step.as_ref().left().unwrap().rows_affected();
        assert_eq!(changed(row), 1);
        Ok((changed(note) == 1).then_some(1))
    }
}

/// So many at once, of which one is odd; their ends, and how many were written by themselves.
async fn at_once(
    store: &Store,
    name: &str,
    count: usize,
    odd: Option<(usize, SecondText)>,
) -> (Vec<Result<u64, StoreError>>, usize) {
    let by_themselves = Arc::new(AtomicUsize::new(0));
    let writes = (0..count).map(|number| {
        store.share_write(NotedRow {
            name: format!("{name} {number}"),
            second: match odd {
                Some((place, second)) if place == number => second,
                _ => SecondText::ChangesItsRow,
            },
            by_themselves: Arc::clone(&by_themselves),
        })
    });
    let ends = join_all(writes).await;
    (ends, by_themselves.load(Ordering::Relaxed))
}

#[tokio::test]
async fn those_at_once_go_together_and_each_by_itself_beside_an_odd_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    for count in [2, 6, MOST_JOINED] {
        let (ends, by_themselves) = at_once(&store, &count.to_string(), count, None).await;
        assert!(ends.iter().all(Result::is_ok), "{ends:?}");
        assert_eq!(by_themselves, 0, "of {count}");
    }
    // one more than go together, and more than go into a transaction
    for count in [MOST_JOINED + 1, MOST_TOGETHER + MOST_JOINED] {
        let name = format!("{count} of");
        let (ends, by_themselves) = at_once(&store, &name, count, None).await;
        assert!(ends.iter().all(Result::is_ok), "{ends:?}");
        assert_eq!(by_themselves, count % MOST_JOINED);
    }
    for second in [SecondText::ChangesNothing, SecondText::DoesNotWork] {
        for place in 0..MOST_JOINED {
            let before = rows(&directory).await;
            let name = format!("{second:?} {place}");
            let odd = Some((place, second));
            let (ends, by_themselves) = at_once(&store, &name, MOST_JOINED, odd).await;
            assert_eq!(by_themselves, MOST_JOINED);
            for (number, end) in ends.into_iter().enumerate() {
                match (number == place, second) {
                    (false, _) => assert_eq!(end.unwrap(), 1),
                    (true, SecondText::ChangesNothing) => {
                        assert!(matches!(end.unwrap_err(), StoreError::Crowded));
                    }
                    (true, _) => assert!(matches!(end.unwrap_err(), StoreError::Failed(_))),
                }
            }
            assert_eq!(rows(&directory).await, before + 7);
        }
    }
}

/// Another connection's transaction may come between what is taken back and what is written then.
#[tokio::test]
async fn beside_an_odd_one_behind_others_those_are_kept_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    for second in [SecondText::ChangesNothing, SecondText::DoesNotWork] {
        let before = rows(&directory).await;
        let name = format!("{second:?}");
        let others = (0..2).map(|number| {
            let (store, name) = (store.clone(), format!("other {name} {number}"));
            async move { write(&store, &name, TestEnding::Kept).await }
        });
        let odd = Some((1, second));
        let (others, (ends, by_themselves)) =
            tokio::join!(join_all(others), at_once(&store, &name, 3, odd));
        assert!(others.iter().all(Result::is_ok), "{others:?}");
        let kept: Vec<bool> = ends.iter().map(Result::is_ok).collect();
        assert_eq!((kept, by_themselves), (vec![true, false, true], 3));
        assert_eq!(rows(&directory).await, before + 6);
    }
}

#[tokio::test]
async fn those_that_left_before_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    let by_themselves = Arc::new(AtomicUsize::new(0));
    let mut writes: Vec<_> = (0..MOST_JOINED)
        .map(|number| {
            Box::pin(store.share_write(NotedRow {
                name: number.to_string(),
                second: SecondText::ChangesItsRow,
                by_themselves: Arc::clone(&by_themselves),
            }))
        })
        .collect();
    for write in &mut writes {
        assert!(write.as_mut().now_or_never().is_none());
    }
    let left: Vec<_> = writes.drain(..2).collect();
    drop(left);
    for end in join_all(writes).await {
        assert_eq!(end.unwrap(), 1);
    }
    assert_eq!(rows(&directory).await, 6);
    assert_eq!(by_themselves.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn all_are_told_that_another_program_writes_or_that_the_disk_is_full() {
    let directory = tempfile::tempdir().unwrap();
    let store = opened(&directory).await;
    let mut other = other(&directory).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let (ends, by_themselves) = at_once(&store, "busy", MOST_JOINED, None).await;
    for end in ends {
        let told = end.unwrap_err();
        assert!(matches!(told, StoreError::Busy(_)), "{told}");
    }
    assert_eq!(by_themselves, 0);
    other.close().await.unwrap();
    store.close().await;

    let options = StoreOptions {
        largest_database_bytes: Some(1),
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    let long = "x".repeat(100_000);
    let (ends, _) = at_once(&store, &long, MOST_JOINED, None).await;
    for end in ends {
        let told = end.unwrap_err();
        assert!(matches!(told, StoreError::DiskFull(_)), "{told}");
    }
    assert_eq!(rows(&directory).await, 0);
    let (ends, _) = at_once(&store, "short", 2, None).await;
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");
}

fn changed(id: &str) -> ChangedRecord {
    ChangedRecord {
        kind: "story".into(),
        id: id.into(),
        before: Some(r#"{"subject":"A"}"#.into()),
        ..ChangedRecord::default()
    }
}

fn new_change(records: Vec<ChangedRecord>) -> NewChange {
    NewChange {
        door: "mcp".into(),
        caller: "ann".into(),
        client: None,
        client_version: None,
        connector: "taiga".into(),
        address: "https://taiga.example".into(),
        account: None,
        tool: "story_update".into(),
        effect: "write".into(),
        arguments: "{}".into(),
        fingerprint: "f".into(),
        key: None,
        undoes: None,
        planned: None,
        records,
    }
}

/// Writes what waits, which is so much, by one text.
async fn together(store: &Store, count: usize) {
    let turn = store.journal().take_turn().unwrap();
    let mut next = turn.next(MOST_TOGETHER);
    assert_eq!(next.len(), count);
    let mut write = store.begin_write().await.unwrap();
    let joined = write_joined(&mut write, &mut next, store.journal()).await;
    assert!(joined.unwrap(), "none was refused");
    write.commit().await.unwrap();
    for one in next {
        one.tell();
    }
}

/// Beginnings and ends with as many records as have known texts go through as one text. They are
/// queued outside of the runtime, where nobody else begins to write them.
#[test]
fn changes_are_begun_and_ended_together() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let store = runtime.block_on(opened(&directory));
    let now = SystemTime::now();
    // the end of the audit is known from the first entry on
    let first = crate::AuditEntry::new(crate::AuditKind::Start, &"start".into());
    runtime.block_on(store.append_audit(first, now)).unwrap();
    runtime.block_on(store.journal().idle());
    for (begun_with, ended_with) in [(0, 0), (1, 0), (1, 1), (1, 2)] {
        let records = |count: usize| ["7", "8"].map(changed).into_iter().take(count).collect();
        let mut begins: Vec<_> = (0..MOST_JOINED)
            .map(|_| Box::pin(store.begin_change(new_change(records(begun_with)), now)))
            .collect();
        for begin in &mut begins {
            assert!(begin.as_mut().now_or_never().is_none());
        }
        runtime.block_on(together(&store, MOST_JOINED));
        let open = begins
            .into_iter()
            .map(|begin| match begin.now_or_never().unwrap().unwrap() {
                BegunChange::Open(open) => open,
                known => panic!("{known:?}"),
            });
        let (ids, mut ends): (Vec<_>, Vec<_>) = open
            .map(|open| {
                let end = ChangeEnd {
                    outcome: ChangeOutcome::Done,
                    message: None,
                    answer: None,
                    records: records(ended_with),
                    undo_values: None,
                };
                (open.id(), Box::pin(open.end(end, now)))
            })
            .unzip();
        for end in &mut ends {
            assert!(end.as_mut().now_or_never().is_none());
        }
        runtime.block_on(together(&store, MOST_JOINED));
        for (id, end) in ids.into_iter().zip(ends) {
            end.now_or_never().unwrap().unwrap();
            let detail = runtime.block_on(store.change(id)).unwrap();
            assert_eq!(detail.change.state, ChangeState::Done);
            assert_eq!(detail.records.len(), begun_with.max(ended_with));
        }
        let check = runtime.block_on(store.verify_audit(None)).unwrap();
        assert_eq!(check.broken, None);
    }
}
