//! Calls under a key: carried out once, told for what they are, forgotten after their time, and
//! bounded.

use std::time::{Duration, SystemTime};

use footbridge_store::{
    BegunChange, ChangeEnd, ChangeError, ChangeId, ChangeKey, ChangeOutcome, ChangeState,
    KEPT_TIME, KnownCall, MAX_KEPT_ANSWER, MAX_KEPT_CHARACTERS, NewChange, OpenChange, Store,
    StoreOptions,
};

fn call(key: &str) -> NewChange {
    NewChange {
        caller: "local".into(),
        connector: "taiga".into(),
        tool: "taiga_tasks_create".into(),
        effect: "write".into(),
        arguments: "{}".into(),
        fingerprint: "f".into(),
        key: Some(ChangeKey {
            key: key.into(),
            target: "taiga taiga_tasks_create".into(),
            room: "r".into(),
        }),
        ..NewChange::default()
    }
}

fn other_call(key: &str) -> NewChange {
    NewChange {
        fingerprint: "g".into(),
        ..call(key)
    }
}

fn of_room(room: &str, key: &str) -> NewChange {
    let mut call = call(key);
    if let Some(key) = &mut call.key {
        key.room = room.into();
    }
    call
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn ended(outcome: ChangeOutcome, answer: Option<&str>) -> ChangeEnd {
    ChangeEnd {
        outcome,
        message: None,
        answer: answer.map(str::to_owned),
        records: vec![],
        undo_values: None,
    }
}

/// Begins one whose key is new.
async fn open(store: &Store, call: NewChange, now: SystemTime) -> OpenChange {
    match store.begin_change(call, now).await.unwrap() {
        BegunChange::Open(open) => open,
        known => panic!("{known:?}"),
    }
}

async fn known(store: &Store, call: NewChange, now: SystemTime) -> KnownCall {
    match store.begin_change(call, now).await.unwrap() {
        BegunChange::Known(known) => known,
        open => panic!("{open:?}"),
    }
}

fn done(change: ChangeId, answer: Option<&str>) -> KnownCall {
    KnownCall::Done {
        change,
        answer: answer.map(str::to_owned),
    }
}

async fn finish(open: OpenChange, answer: &str) -> ChangeId {
    let id = open.id();
    let end = ended(ChangeOutcome::Done, Some(answer));
    open.end(end, at(0)).await.unwrap();
    id
}

#[tokio::test]
async fn a_key_is_begun_done_and_answered_again_even_by_another_process() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let change = open(&store, call("k"), at(0)).await;
    assert_eq!(
        known(&store, call("k"), at(1)).await,
        KnownCall::Unfinished {
            change: change.id(),
            state: ChangeState::Sent,
            at: "2027-01-15T08:00:00.000000Z".into()
        }
    );
    assert_eq!(
        known(&store, other_call("k"), at(1)).await,
        KnownCall::Other {
            change: change.id(),
            fingerprint: "f".into()
        }
    );
    let id = finish(change, r#"{"id":1}"#).await;
    store.close().await;
    let store = Store::open(directory.path()).await.unwrap();
    assert_eq!(
        known(&store, call("k"), at(2)).await,
        done(id, Some(r#"{"id":1}"#))
    );
    let mut elsewhere = call("k");
    elsewhere.key.as_mut().unwrap().target = "taiga echo".into();
    for other in [
        NewChange {
            caller: "http".into(),
            ..call("k")
        },
        elsewhere,
        call("K"),
    ] {
        open(&store, other, at(2)).await;
    }
}

#[tokio::test]
async fn a_call_is_forgotten_after_its_time_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let end = KEPT_TIME.as_secs();
    let id = finish(open(&store, call("k"), at(0)).await, "1").await;
    assert_eq!(
        known(&store, call("k"), at(end - 1)).await,
        done(id, Some("1"))
    );
    let again = open(&store, call("k"), at(end)).await;
    assert!(again.id() > id);
    let first = store.change(id).await.unwrap();
    assert_eq!(
        (first.change.state, first.key),
        (ChangeState::Done, None),
        "the change stays without its key"
    );
}

#[tokio::test]
async fn a_call_that_changed_nothing_frees_its_key_and_a_done_one_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let failed = open(&store, call("k"), at(0)).await;
    let end = ended(ChangeOutcome::Failed, None);
    failed.end(end, at(0)).await.unwrap();
    let id = finish(open(&store, other_call("k"), at(0)).await, "1").await;
    for again in [
        ended(ChangeOutcome::Failed, None),
        ended(ChangeOutcome::Done, Some("2")),
    ] {
        let refused = store.resolve_change(id, again, at(0)).await.unwrap_err();
        assert!(
            matches!(
                refused,
                ChangeError::NotAllowed {
                    from: ChangeState::Done,
                    ..
                }
            ),
            "{refused:?}"
        );
    }
    assert_eq!(
        known(&store, other_call("k"), at(0)).await,
        done(id, Some("1"))
    );
}

#[tokio::test]
async fn a_call_of_which_nobody_knows_keeps_its_key_until_that_is_resolved() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for (key, outcome) in [("a", ChangeOutcome::Done), ("b", ChangeOutcome::Failed)] {
        let change = open(&store, call(key), at(0)).await;
        let id = change.id();
        let end = ended(ChangeOutcome::Unknown, None);
        change.end(end, at(0)).await.unwrap();
        assert!(matches!(
            known(&store, call(key), at(1)).await,
            KnownCall::Unfinished { change, state: ChangeState::Unknown, .. } if change == id
        ));
        let end = ended(outcome, Some("read"));
        store.resolve_change(id, end, at(2)).await.unwrap();
        match outcome {
            ChangeOutcome::Done => assert_eq!(
                known(&store, call(key), at(3)).await,
                done(id, Some("read"))
            ),
            _ => drop(open(&store, call(key), at(3)).await),
        }
    }
}

#[tokio::test]
async fn an_answer_has_a_limit_and_all_of_them_have_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let largest = "x".repeat(MAX_KEPT_ANSWER);
    let count = usize::try_from(MAX_KEPT_CHARACTERS).unwrap() / MAX_KEPT_ANSWER;
    let mut first = None;
    for number in 0..count {
        let change = open(&store, call(&number.to_string()), at(0)).await;
        let id = finish(change, &largest).await;
        first.get_or_insert(id);
    }
    assert_eq!(
        known(&store, call("0"), at(1)).await,
        done(first.unwrap(), Some(&largest))
    );
    let full = store.begin_change(call("more"), at(1)).await.unwrap_err();
    assert!(matches!(full, ChangeError::KeysFull(_)), "{full:?}");
    let later = at(KEPT_TIME.as_secs());
    let change = open(&store, call("more"), later).await;
    let id = finish(change, &format!("{largest}x")).await;
    assert_eq!(known(&store, call("more"), later).await, done(id, None));
}

#[tokio::test]
async fn only_so_many_calls_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        kept_calls: 2,
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    let first = open(&store, call("a"), at(0)).await;
    let _second = open(&store, call("b"), at(0)).await;
    let full = store.begin_change(call("c"), at(0)).await.unwrap_err();
    assert!(
        matches!(full, ChangeError::KeysFull(2)) && full.to_string().contains('2'),
        "{full:?}"
    );
    let end = ended(ChangeOutcome::Failed, None);
    first.end(end, at(0)).await.unwrap();
    open(&store, call("c"), at(0)).await;
}

#[tokio::test]
async fn one_client_leaves_the_others_their_room_and_all_together_have_an_end() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        kept_calls: 2,
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    let by =
        |room: usize, key: &str| of_room(&format!("http 192.0.2.{room}"), &format!("{room} {key}"));
    let mut begun = Vec::new();
    for room in 0..16 {
        for key in ["a", "b"] {
            begun.push(open(&store, by(room, key), at(0)).await);
        }
        let full = store.begin_change(by(room, "c"), at(0)).await.unwrap_err();
        assert!(matches!(full, ChangeError::KeysFull(2)), "{full:?}");
    }
    assert!(
        store.begin_change(by(16, "a"), at(0)).await.is_err(),
        "the seventeenth finds no room"
    );
    let end = ended(ChangeOutcome::Failed, None);
    begun.remove(6).end(end, at(0)).await.unwrap();
    let _seventeenth = open(&store, by(16, "a"), at(0)).await;
    let later = at(KEPT_TIME.as_secs());
    // Old ones count no more.
    open(&store, by(17, "a"), later).await;
}

#[tokio::test]
async fn there_are_at_most_a_thousand_rooms_and_those_that_are_there_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for room in 0..1000 {
        let room = room.to_string();
        finish(open(&store, of_room(&room, &room), at(0)).await, "").await;
    }
    assert!(
        store
            .begin_change(of_room("1000", "more"), at(0))
            .await
            .is_err()
    );
    open(&store, of_room("7", "more"), at(0)).await;
}
