//! Changes: recorded before they are sent and after, one state after the other, found again, told
//! to those who wait, and forgotten in time.

use std::time::{Duration, SystemTime};

use footbridge_store::{
    BegunChange, CallerRate, ChangeEnd, ChangeError, ChangeId, ChangeKey, ChangeOutcome,
    ChangeQuery, ChangeRetention, ChangeSelection, ChangeState, ChangedRecord, MAX_IMAGE,
    NewChange, OpenChange, Proposal, ProposedChange, RecordAddress, Store, StoreOptions,
};
use proptest::prelude::*;

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
    }
}

pub(crate) async fn begin(store: &Store, change: NewChange, seconds: u64) -> OpenChange {
    match store.begin_change(change, at(seconds)).await.unwrap() {
        BegunChange::Open(open) => open,
        known => panic!("{known:?}"),
    }
}

async fn record(store: &Store, change: NewChange, seconds: u64) -> ChangeId {
    let open = begin(store, change, seconds).await;
    let id = open.id();
    open.end(end(ChangeOutcome::Done), at(seconds))
        .await
        .unwrap();
    id
}

async fn propose(store: &Store, change: NewChange) -> ChangeId {
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

async fn listed(store: &Store, selection: ChangeSelection) -> Vec<i64> {
    let query = ChangeQuery {
        selection,
        limit: 100,
        after: None,
    };
    let page = store.changes(&query).await.unwrap();
    page.changes
        .iter()
        .map(|change| change.id.number())
        .collect()
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
async fn a_selection_finds_by_each_of_its_parts_newest_first() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let mut other = NewChange {
        client: Some("claude".into()),
        connector: "board".into(),
        ..new("bob", "card_move")
    };
    other.records.push(ChangedRecord {
        kind: "card".into(),
        id: "c".into(),
        ..ChangedRecord::default()
    });
    record(&store, new("ann", "story_update"), 0).await;
    record(&store, new("ann", "story_create"), 10).await;
    record(&store, other, 20).await;
    let failed = begin(&store, new("bob", "story_update"), 30).await;
    failed
        .end(end(ChangeOutcome::Failed), at(31))
        .await
        .unwrap();
    let undo = NewChange {
        undoes: Some(ChangeId::from_number(2)),
        ..new("ann", "story_delete")
    };
    record(&store, undo, 40).await;

    let all = ChangeSelection::default;
    let story = RecordAddress {
        connector: "taiga".into(),
        kind: "story".into(),
        id: "7".into(),
    };
    let text = |value: &str| Some(value.to_owned());
    let cases = [
        (all(), vec![5, 4, 3, 2, 1]),
        (
            ChangeSelection {
                ids: [4, 1, 9].map(ChangeId::from_number).to_vec(),
                ..all()
            },
            vec![4, 1],
        ),
        (
            ChangeSelection {
                caller: text("ann"),
                ..all()
            },
            vec![5, 2, 1],
        ),
        (
            ChangeSelection {
                client: text("claude"),
                ..all()
            },
            vec![3],
        ),
        (
            ChangeSelection {
                connector: text("board"),
                ..all()
            },
            vec![3],
        ),
        (
            ChangeSelection {
                tool: text("story_update"),
                ..all()
            },
            vec![4, 1],
        ),
        (
            ChangeSelection {
                tool: text("story_update"),
                caller: text("ann"),
                ..all()
            },
            vec![1],
        ),
        (
            ChangeSelection {
                record: Some(story.clone()),
                ..all()
            },
            vec![5, 4, 2, 1],
        ),
        (
            ChangeSelection {
                record: Some(story),
                since: Some(at(30)),
                ..all()
            },
            vec![5, 4],
        ),
        (
            ChangeSelection {
                states: vec![ChangeState::Failed],
                ..all()
            },
            vec![4],
        ),
        (
            ChangeSelection {
                states: vec![ChangeState::Failed, ChangeState::Done],
                ..all()
            },
            vec![5, 4, 3, 2, 1],
        ),
        (
            ChangeSelection {
                states: vec![ChangeState::Failed, ChangeState::Sent],
                ..all()
            },
            vec![4],
        ),
        (
            ChangeSelection {
                since: Some(at(10)),
                until: Some(at(30)),
                ..all()
            },
            vec![3, 2],
        ),
        (
            ChangeSelection {
                undoes: Some(ChangeId::from_number(2)),
                ..all()
            },
            vec![5],
        ),
    ];
    for (selection, found) in cases {
        assert_eq!(
            listed(&store, selection.clone()).await,
            found,
            "{selection:?}"
        );
        let mut pages = Vec::new();
        let mut query = ChangeQuery {
            selection: selection.clone(),
            limit: 1,
            after: None,
        };
        loop {
            let page = store.changes(&query).await.unwrap();
            pages.extend(page.changes.iter().map(|change| change.id.number()));
            query.after = page.changes.last().map(|change| change.id);
            if !page.has_more {
                break;
            }
        }
        assert_eq!(pages, found, "one by one: {selection:?}");
    }
    let query = ChangeQuery {
        selection: all(),
        limit: 3,
        after: None,
    };
    let page = store.changes(&query).await.unwrap();
    let names: Vec<_> = page.changes[2]
        .records
        .iter()
        .map(|record| (record.kind.as_str(), record.id.as_str()))
        .collect();
    assert_eq!(names, [("card", "c"), ("story", "7")]);
}

#[tokio::test]
async fn a_clock_that_goes_back_neither_hides_nor_repeats_a_change() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for seconds in [0, 5000, 10, 5000, 20] {
        record(&store, new("ann", "t"), seconds).await;
    }
    let mut query = ChangeQuery {
        selection: ChangeSelection::default(),
        limit: 2,
        after: None,
    };
    let mut found = Vec::new();
    loop {
        let page = store.changes(&query).await.unwrap();
        found.extend(page.changes.iter().map(|change| change.id.number()));
        query.after = page.changes.last().map(|change| change.id);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(
        found,
        [4, 2, 5, 3, 1],
        "by their times, then by their numbers"
    );
}

#[tokio::test]
async fn who_waits_is_told_of_every_step_by_this_process_and_by_others() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let other = Store::open(directory.path()).await.unwrap();
    assert_eq!(store.last_change_step().await.unwrap(), 0);
    for (writer, waits) in [(store.clone(), 100), (other, 2000)] {
        let last = store.last_change_step().await.unwrap();
        let waiting = store.change_step_after(last);
        let writing = async {
            tokio::task::yield_now().await;
            begin(&writer, new("ann", "t"), 0).await
        };
        let both = async { tokio::join!(waiting, writing) };
        let (step, open) = tokio::time::timeout(Duration::from_millis(waits), both)
            .await
            .unwrap();
        let step = step.unwrap();
        let id = open.id();
        let since = store.changes_since(last, 10).await.unwrap();
        assert_eq!((since.len(), since[0].id), (1, id));
        open.end(end(ChangeOutcome::Done), at(1)).await.unwrap();
        let since = store.changes_since(step, 10).await.unwrap();
        assert_eq!(
            (since.len(), since[0].id, since[0].state),
            (1, id, ChangeState::Done)
        );
    }
}

#[tokio::test]
async fn what_a_caller_wrote_lately_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for seconds in [0, 1, 3000, 3550, 3600] {
        record(&store, new("ann", "t"), seconds).await;
    }
    record(&store, new("bob", "t"), 3600).await;
    assert_eq!(
        store.caller_rate("ann", at(3600)).await.unwrap(),
        CallerRate { minute: 2, hour: 4 }
    );
    assert_eq!(
        store.caller_rate("carl", at(3600)).await.unwrap(),
        CallerRate { minute: 0, hour: 0 }
    );
}

#[tokio::test]
async fn old_changes_are_forgotten_by_age_and_size_but_those_that_have_not_ended() {
    let directory = tempfile::tempdir().unwrap();
    let options = |age, bytes| StoreOptions {
        changes: ChangeRetention {
            age: Duration::from_secs(age),
            bytes,
        },
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options(100, u64::MAX))
        .await
        .unwrap();
    let large = NewChange {
        arguments: "x".repeat(9_000),
        ..new("ann", "t")
    };
    record(&store, new("ann", "t"), 0).await;
    let sent = begin(&store, new("ann", "t"), 0).await;
    propose(&store, new("ann", "t")).await;
    let unknown = begin(&store, new("ann", "t"), 0).await;
    unknown
        .end(end(ChangeOutcome::Unknown), at(0))
        .await
        .unwrap();
    for seconds in 50..60 {
        record(&store, large.clone(), seconds).await;
    }
    assert_eq!(store.forget_old_changes(at(120)).await.unwrap(), 1);
    assert_eq!(store.forget_old_changes(at(120)).await.unwrap(), 0);
    let all = ChangeSelection::default();
    assert_eq!(listed(&store, all.clone()).await.len(), 13);
    sent.end(end(ChangeOutcome::Done), at(121)).await.unwrap();
    store.close().await;

    let store = Store::open_with(directory.path(), options(10_000, 50_000))
        .await
        .unwrap();
    let forgotten = store.forget_old_changes(at(120)).await.unwrap();
    assert!((6..9).contains(&forgotten), "{forgotten}");
    let left = listed(&store, all.clone()).await;
    assert!(left.contains(&3) && left.contains(&4), "{left:?}");
    assert_eq!(left[0], 14, "the newest stay: {left:?}");
    store.close().await;

    // The last stays in any case: numbers are not used twice.
    let store = Store::open_with(directory.path(), options(0, 0))
        .await
        .unwrap();
    store.forget_old_changes(at(10_000)).await.unwrap();
    let left = listed(&store, all).await;
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(record(&store, new("ann", "t"), 9).await.number() > 14);
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
