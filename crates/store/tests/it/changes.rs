//! Changes: recorded before they are sent and after, one state after the other, by many at once.

use std::time::{Duration, SystemTime};

use footbridge_store::{
    BegunChange, ChangeEnd, ChangeError, ChangeId, ChangeKey, ChangeOutcome, ChangeQuery,
    ChangeSelection, ChangeState, ChangedRecord, MAX_IMAGE, NewChange, OpenChange, PlannedUndo,
    Proposal, ProposedChange, Store, StoreOptions,
};
use proptest::prelude::*;

use crate::change_lists::listed;

pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

pub(crate) fn new(caller: &str, tool: &str) -> NewChange {
    NewChange {
        door: "mcp".into(),
        caller: caller.into(),
        client: Some("codex".into()),
        client_version: Some("1.0".into()),
        connector: "taiga".into(),
        address: "https://taiga.example".into(),
        account: Some("ann".into()),
        tool: tool.into(),
        effect: "write".into(),
        arguments: r#"{"subject":"B"}"#.into(),
        fingerprint: "f".into(),
        key: None,
        undoes: None,
        planned: None,
        records: vec![ChangedRecord {
            kind: "story".into(),
            id: "7".into(),
            name: Some("#7 A".into()),
            version: Some("3".into()),
            before: Some(r#"{"subject":"A"}"#.into()),
            ..ChangedRecord::default()
        }],
    }
}

pub(crate) fn end(outcome: ChangeOutcome) -> ChangeEnd {
    ChangeEnd {
        outcome,
        message: None,
        answer: None,
        records: vec![],
        undo_values: None,
    }
}

pub(crate) async fn begin(store: &Store, change: NewChange, seconds: u64) -> OpenChange {
    match store.begin_change(change, at(seconds)).await.unwrap() {
        BegunChange::Open(open) => open,
        known => panic!("{known:?}"),
    }
}

pub(crate) async fn record(store: &Store, change: NewChange, seconds: u64) -> ChangeId {
    let open = begin(store, change, seconds).await;
    let id = open.id();
    open.end(end(ChangeOutcome::Done), at(seconds))
        .await
        .unwrap();
    id
}

pub(crate) async fn propose(store: &Store, change: NewChange) -> ChangeId {
    let proposal = Proposal {
        life: Duration::from_secs(60),
        request: r#"{"whole":true}"#.into(),
    };
    match store.propose_change(change, proposal, at(0)).await.unwrap() {
        ProposedChange::Waiting(id) => id,
        known => panic!("{known:?}"),
    }
}

async fn state(store: &Store, id: ChangeId) -> ChangeState {
    store.change(id).await.unwrap().change.state
}

/// What was queued without anybody to wait for it is written before this answers.
async fn settled(store: &Store) {
    record(store, new("settler", "none"), 0).await;
}

#[tokio::test]
async fn a_change_is_recorded_before_and_after_with_what_it_did_to_its_records() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let open = begin(&store, new("ann", "story_update"), 0).await;
    let id = open.id();
    assert_eq!(id.to_string(), "1");
    let before = store.change(id).await.unwrap();
    assert_eq!(before.change.state, ChangeState::Sent);
    assert_eq!(before.records, new("ann", "story_update").records);

    let story = ChangedRecord {
        kind: "story".into(),
        id: "7".into(),
        version: Some("4".into()),
        ignored: Some(r#"["color"]"#.into()),
        after: Some(r#"{"subject":"B"}"#.into()),
        ..ChangedRecord::default()
    };
    let made = ChangedRecord {
        kind: "comment".into(),
        id: "9".into(),
        after: Some("x".repeat(MAX_IMAGE + 1)),
        ..ChangedRecord::default()
    };
    let ended = ChangeEnd {
        records: vec![story, made],
        undo_values: None,
        ..end(ChangeOutcome::Done)
    };
    open.end(ended, at(2)).await.unwrap();
    store.close().await;

    let store = Store::open(directory.path()).await.unwrap();
    let after = store.change(id).await.unwrap();
    assert_eq!(
        after.change.ended_at.as_deref(),
        Some("2027-01-15T08:00:02.000000Z")
    );
    assert_eq!(after.arguments, r#"{"subject":"B"}"#);
    assert_eq!(after.change.record_count, 2);
    let [comment, story] = after.records.as_slice() else {
        panic!("{after:?}");
    };
    assert_eq!(story.name.as_deref(), Some("#7 A"), "said before, and kept");
    assert_eq!(story.version.as_deref(), Some("4"));
    assert_eq!(story.before.as_deref(), Some(r#"{"subject":"A"}"#));
    assert_eq!(story.after.as_deref(), Some(r#"{"subject":"B"}"#));
    assert_eq!(comment.after, None);
    assert!(
        comment
            .without_image
            .as_ref()
            .unwrap()
            .contains("262145 bytes")
    );
    assert!(matches!(
        store.change(ChangeId::from_number(99)).await,
        Err(ChangeError::Missing(_))
    ));
}

#[tokio::test]
async fn what_is_too_large_is_not_recorded_and_so_not_sent() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let change = NewChange {
        arguments: "x".repeat((64 << 10) + 1),
        ..new("ann", "t")
    };
    let refused = store.begin_change(change, at(0)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the bytes of its arguments: 65537, and at most 65536 are kept; ask for less at once"
    );
    assert_eq!(store.last_change_step().await.unwrap(), 0);
}

#[tokio::test]
async fn a_proposal_is_carried_out_once_withdrawn_or_ended_by_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let approved = propose(&store, new("ann", "t")).await;
    let proposal = store.change(approved).await.unwrap();
    assert_eq!(proposal.request.as_deref(), Some(r#"{"whole":true}"#));
    let first = store.begin_proposed_change(approved, "operator", vec![], at(1));
    let second = store.begin_proposed_change(approved, "operator", vec![], at(1));
    let (first, second) = tokio::join!(first, second);
    assert!(
        matches!(
            second.unwrap_err(),
            ChangeError::NotAllowed {
                from: ChangeState::Sent,
                to: ChangeState::Sent,
                ..
            }
        ),
        "two at once"
    );
    first
        .unwrap()
        .end(end(ChangeOutcome::Done), at(2))
        .await
        .unwrap();
    let done = store.change(approved).await.unwrap();
    assert_eq!(done.request, None);
    assert_eq!(done.change.decided_by.as_deref(), Some("operator"));
    assert_eq!(
        done.change.decided_at.as_deref(),
        Some("2027-01-15T08:00:01.000000Z")
    );

    let key = ChangeKey {
        key: "k".into(),
        target: "t".into(),
        room: "r".into(),
    };
    let keyed = NewChange {
        key: Some(key),
        ..new("ann", "t")
    };
    let declined = propose(&store, keyed.clone()).await;
    let reason = Some("not on Fridays");
    store
        .withdraw_change(declined, "operator", reason, at(3))
        .await
        .unwrap();
    let declined = store.change(declined).await.unwrap().change;
    assert_eq!(declined.state, ChangeState::Withdrawn);
    assert_eq!(declined.message.as_deref(), reason);

    let late = propose(&store, keyed).await;
    let refused = store
        .begin_proposed_change(late, "operator", vec![], at(60))
        .await
        .unwrap_err();
    assert!(matches!(refused, ChangeError::TooLate { .. }), "{refused}");
    assert_eq!(state(&store, late).await, ChangeState::Proposed);
    assert_eq!(store.expire_proposals(at(59)).await.unwrap(), 0);
    assert_eq!(store.expire_proposals(at(60)).await.unwrap(), 1);
    assert_eq!(state(&store, late).await, ChangeState::Expired);
    assert!(
        store
            .withdraw_change(late, "ann", None, at(61))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_change_whose_call_is_dropped_is_unknown_and_one_that_nobody_got_failed() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let open = begin(&store, new("ann", "t"), 0).await;
    let id = open.id();
    drop(open);
    settled(&store).await;
    let dropped = store.change(id).await.unwrap().change;
    assert_eq!(dropped.state, ChangeState::Unknown);
    assert!(dropped.message.unwrap().contains("taken back"));

    // Cancelled while it waits for the disk: left out, or recorded as one that was never sent.
    for steps in 0..40 {
        let mut beginning = Box::pin(store.begin_change(new("bob", "t"), at(0)));
        for _ in 0..steps {
            let polled = is_ready_now(beginning.as_mut()).await;
            if polled {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(beginning);
    }
    settled(&store).await;
    settled(&store).await;
    let selection = ChangeSelection {
        caller: Some("bob".into()),
        ..ChangeSelection::default()
    };
    for id in listed(&store, selection).await {
        let state = state(&store, ChangeId::from_number(id)).await;
        assert!(
            [ChangeState::Failed, ChangeState::Unknown].contains(&state),
            "{id} is {state}"
        );
    }
}

/// Polls once; whether it was ready.
async fn is_ready_now<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_ready()))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_at_once_are_all_recorded_and_one_that_is_refused_is_told_alone() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        kept_calls: 5,
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            let (mut kept, mut refused) = (0, 0);
            for number in 0..50 {
                // Every second one asks for a key, of which five find room.
                let key = (number % 2 == 0).then(|| ChangeKey {
                    key: format!("{writer} {number}"),
                    target: "t".into(),
                    room: "r".into(),
                });
                let change = NewChange {
                    key,
                    ..new("ann", "t")
                };
                match store.begin_change(change, at(0)).await {
                    Ok(BegunChange::Open(open)) => {
                        kept += 1;
                        match number % 3 {
                            0 => drop(open),
                            _ => open.end(end(ChangeOutcome::Done), at(1)).await.unwrap(),
                        }
                    }
                    Err(ChangeError::KeysFull(5)) => refused += 1,
                    other => panic!("{other:?}"),
                }
            }
            (kept, refused)
        });
    }
    let counts = writers.join_all().await;
    let kept: usize = counts.iter().map(|(kept, _)| kept).sum();
    let refused: usize = counts.iter().map(|(_, refused)| refused).sum();
    assert_eq!((kept, refused), (8 * 25 + 5, 8 * 25 - 5));
    settled(&store).await;
    let mut query = ChangeQuery {
        selection: ChangeSelection {
            caller: Some("ann".into()),
            ..ChangeSelection::default()
        },
        limit: 50,
        after: None,
    };
    let mut states = Vec::new();
    loop {
        let page = store.changes(&query).await.unwrap();
        states.extend(page.changes.iter().map(|change| change.state));
        query.after = page.changes.last().map(|change| change.id);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(states.len(), kept);
    let count = |wanted| states.iter().filter(|state| **state == wanted).count();
    assert_eq!(count(ChangeState::Sent), 0);
    assert_eq!(count(ChangeState::Unknown) + count(ChangeState::Done), kept);
}

#[tokio::test]
async fn a_full_disk_is_told_to_all_that_wait_and_what_was_there_stays() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        largest_database_bytes: Some(1 << 20),
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    let large = || NewChange {
        arguments: "x".repeat(60_000),
        ..new("ann", "t")
    };
    let mut kept = 0;
    let refused = loop {
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            writers.spawn(async move { store.begin_change(large(), at(0)).await });
        }
        let mut refused = None;
        let mut begun = Vec::new();
        for written in writers.join_all().await {
            match written {
                Ok(BegunChange::Open(open)) => begun.push(open),
                Ok(known) => panic!("{known:?}"),
                Err(error) => refused = Some(error),
            }
        }
        kept += begun.len();
        std::mem::forget(begun);
        if let Some(refused) = refused {
            break refused;
        }
        assert!(kept < 100, "the disk never filled");
    };
    assert!(refused.to_string().contains("disk"), "{refused}");
    assert_eq!(listed(&store, ChangeSelection::default()).await.len(), kept);
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Send,
    End(ChangeOutcome),
    Withdraw,
    Expire,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    use ChangeOutcome::{Done, Failed, Unknown};
    let one = prop::sample::select(vec![
        Move::Send,
        Move::End(Done),
        Move::End(Failed),
        Move::End(Unknown),
        Move::Withdraw,
        Move::Expire,
    ]);
    prop::collection::vec(one, 1..8)
}

impl Move {
    fn to(self) -> ChangeState {
        match self {
            Move::Send => ChangeState::Sent,
            Move::End(outcome) => outcome.into(),
            Move::Withdraw => ChangeState::Withdrawn,
            Move::Expire => ChangeState::Expired,
        }
    }

    /// Whether it was made.
    async fn make(self, store: &Store, id: ChangeId) -> bool {
        match self {
            Move::Send => match store.begin_proposed_change(id, "o", vec![], at(1)).await {
                Ok(open) => {
                    std::mem::forget(open);
                    true
                }
                Err(_) => false,
            },
            Move::End(outcome) => store.resolve_change(id, end(outcome), at(2)).await.is_ok(),
            Move::Withdraw => store.withdraw_change(id, "o", None, at(3)).await.is_ok(),
            Move::Expire => store.expire_proposals(at(61)).await.unwrap() > 0,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn no_series_of_moves_leads_where_the_table_of_states_does_not(series in prop::collection::vec(moves(), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(directory.path()).await.unwrap();
            for moves in series {
                let id = propose(&store, new("ann", "t")).await;
                let mut expected = ChangeState::Proposed;
                for one in moves {
                    let step = store.last_change_step().await.unwrap();
                    let is_allowed = expected.may_become(one.to());
                    prop_assert_eq!(one.make(&store, id).await, is_allowed, "{} {:?}", expected, one);
                    if is_allowed {
                        expected = one.to();
                    }
                    let now = store.change(id).await.unwrap().change;
                    prop_assert_eq!(now.state, expected);
                    prop_assert_eq!(store.last_change_step().await.unwrap() > step, is_allowed);
                }
                if expected == ChangeState::Proposed {
                    store.withdraw_change(id, "o", None, at(3)).await.unwrap();
                }
            }
            store.close().await;
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn two_undos_of_one_change_planned_at_once_are_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let made = begin(&store, new("ann", "t"), 1).await;
    let undone = made.id();
    made.end(end(ChangeOutcome::Done), at(2)).await.unwrap();
    let planned = PlannedUndo {
        step: store.last_change_step().await.unwrap(),
        own: Vec::new(),
    };
    let undo = |planned: &PlannedUndo| NewChange {
        undoes: Some(undone),
        planned: Some(planned.clone()),
        ..new("ann", "changes_undo")
    };
    let first = begin(&store, undo(&planned), 3).await;
    let by = first.id();
    let second = store.begin_change(undo(&planned), at(3)).await.unwrap_err();
    assert!(
        matches!(second, ChangeError::UndoneMeanwhile { by: found, .. } if found == by),
        "{second}"
    );
    // another part of the same undo
    let own = PlannedUndo {
        own: vec![by],
        ..planned.clone()
    };
    let other = begin(&store, undo(&own), 3).await;
    other.end(end(ChangeOutcome::Failed), at(4)).await.unwrap();
    // one that failed is in nobody's way
    first.end(end(ChangeOutcome::Failed), at(4)).await.unwrap();
    let again = begin(&store, undo(&planned), 5).await;
    again.end(end(ChangeOutcome::Done), at(6)).await.unwrap();
}
