//! Calls under a key: carried out once, told for what they are, forgotten after their time, and
//! bounded.

use std::time::{Duration, SystemTime};

use footbridge_store::{
    CallKey, KEPT_TIME, KeepError, KeptCall, MAX_KEPT_ANSWER, MAX_KEPT_CHARACTERS, Store,
    StoreOptions,
};

fn call(key: &str) -> CallKey {
    CallKey {
        caller: "local".into(),
        tool: "taiga taiga_tasks_create".into(),
        key: key.into(),
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

#[tokio::test]
async fn a_key_is_begun_done_and_answered_again_even_by_another_process() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    assert_eq!(
        store
            .begin_kept_call(&call("k"), "r", "f", at(0))
            .await
            .unwrap(),
        KeptCall::Begun
    );
    let again = store
        .begin_kept_call(&call("k"), "r", "f", at(1))
        .await
        .unwrap();
    assert_eq!(
        again,
        KeptCall::Unfinished("2027-01-15T08:00:00.000000Z".into())
    );
    assert_eq!(
        store
            .begin_kept_call(&call("k"), "r", "g", at(1))
            .await
            .unwrap(),
        KeptCall::Other("f".into())
    );
    store
        .finish_kept_call(&call("k"), r#"{"id":1}"#)
        .await
        .unwrap();
    store.close().await;
    let store = Store::open(directory.path()).await.unwrap();
    assert_eq!(
        store
            .begin_kept_call(&call("k"), "r", "f", at(2))
            .await
            .unwrap(),
        KeptCall::Done(Some(r#"{"id":1}"#.into()))
    );
    for other in [
        CallKey {
            caller: "http".into(),
            ..call("k")
        },
        CallKey {
            tool: "taiga echo".into(),
            ..call("k")
        },
        call("K"),
    ] {
        assert_eq!(
            store
                .begin_kept_call(&other, "r", "f", at(2))
                .await
                .unwrap(),
            KeptCall::Begun,
            "{other:?}"
        );
    }
}

#[tokio::test]
async fn a_call_is_forgotten_after_its_time_and_not_before() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let end = KEPT_TIME.as_secs();
    store
        .begin_kept_call(&call("k"), "r", "f", at(0))
        .await
        .unwrap();
    store.finish_kept_call(&call("k"), "1").await.unwrap();
    assert_eq!(
        store
            .begin_kept_call(&call("k"), "r", "f", at(end - 1))
            .await
            .unwrap(),
        KeptCall::Done(Some("1".into()))
    );
    assert_eq!(
        store
            .begin_kept_call(&call("k"), "r", "f", at(end))
            .await
            .unwrap(),
        KeptCall::Begun
    );
}

#[tokio::test]
async fn a_call_that_changed_nothing_frees_its_key_and_a_done_one_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    store
        .begin_kept_call(&call("k"), "r", "f", at(0))
        .await
        .unwrap();
    store.forget_kept_call(&call("k")).await.unwrap();
    assert_eq!(
        store
            .begin_kept_call(&call("k"), "r", "g", at(0))
            .await
            .unwrap(),
        KeptCall::Begun
    );
    store.finish_kept_call(&call("k"), "1").await.unwrap();
    store.forget_kept_call(&call("k")).await.unwrap();
    store.finish_kept_call(&call("k"), "2").await.unwrap();
    assert_eq!(
        store
            .begin_kept_call(&call("k"), "r", "g", at(0))
            .await
            .unwrap(),
        KeptCall::Done(Some("1".into()))
    );
}

#[tokio::test]
async fn an_answer_has_a_limit_and_all_of_them_have_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let largest = "x".repeat(MAX_KEPT_ANSWER);
    let count = usize::try_from(MAX_KEPT_CHARACTERS).unwrap() / MAX_KEPT_ANSWER;
    for number in 0..count {
        let call = call(&number.to_string());
        assert_eq!(
            store.begin_kept_call(&call, "r", "f", at(0)).await.unwrap(),
            KeptCall::Begun,
            "{number}"
        );
        store.finish_kept_call(&call, &largest).await.unwrap();
    }
    assert_eq!(
        store
            .begin_kept_call(&call("0"), "r", "f", at(1))
            .await
            .unwrap(),
        KeptCall::Done(Some(largest.clone()))
    );
    let full = store
        .begin_kept_call(&call("more"), "r", "f", at(1))
        .await
        .unwrap_err();
    assert!(matches!(full, KeepError::Full(_)), "{full:?}");
    let later = at(KEPT_TIME.as_secs());
    assert_eq!(
        store
            .begin_kept_call(&call("more"), "r", "f", later)
            .await
            .unwrap(),
        KeptCall::Begun,
        "the old ones are gone"
    );
    store
        .finish_kept_call(&call("more"), &format!("{largest}x"))
        .await
        .unwrap();
    assert_eq!(
        store
            .begin_kept_call(&call("more"), "r", "f", later)
            .await
            .unwrap(),
        KeptCall::Done(None)
    );
}

#[tokio::test]
async fn only_so_many_calls_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        kept_calls: 2,
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    for key in ["a", "b"] {
        assert_eq!(
            store
                .begin_kept_call(&call(key), "r", "f", at(0))
                .await
                .unwrap(),
            KeptCall::Begun
        );
    }
    let full = store
        .begin_kept_call(&call("c"), "r", "f", at(0))
        .await
        .unwrap_err();
    assert!(
        matches!(full, KeepError::Full(2)) && full.to_string().contains('2'),
        "{full:?}"
    );
    store.forget_kept_call(&call("a")).await.unwrap();
    assert_eq!(
        store
            .begin_kept_call(&call("c"), "r", "f", at(0))
            .await
            .unwrap(),
        KeptCall::Begun
    );
}

async fn begin(
    store: &Store,
    (call, room): (CallKey, String),
    now: SystemTime,
) -> Result<KeptCall, KeepError> {
    store.begin_kept_call(&call, &room, "f", now).await
}

#[tokio::test]
async fn one_client_leaves_the_others_their_room_and_all_together_have_an_end() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        kept_calls: 2,
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    let by = |room: usize, key: &str| {
        (
            call(&format!("{room} {key}")),
            format!("http 192.0.2.{room}"),
        )
    };
    for room in 0..16 {
        for key in ["a", "b"] {
            assert_eq!(
                begin(&store, by(room, key), at(0)).await.unwrap(),
                KeptCall::Begun,
                "{room}"
            );
        }
        let full = begin(&store, by(room, "c"), at(0)).await.unwrap_err();
        assert!(matches!(full, KeepError::Full(2)), "{full:?}");
    }
    assert!(
        begin(&store, by(16, "a"), at(0)).await.is_err(),
        "the seventeenth finds no room"
    );
    store.forget_kept_call(&by(3, "a").0).await.unwrap();
    assert_eq!(
        begin(&store, by(16, "a"), at(0)).await.unwrap(),
        KeptCall::Begun
    );
    let later = at(KEPT_TIME.as_secs());
    assert_eq!(
        begin(&store, by(17, "a"), later).await.unwrap(),
        KeptCall::Begun,
        "old ones count no more"
    );
}

#[tokio::test]
async fn there_are_at_most_a_thousand_rooms_and_those_that_are_there_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for room in 0..1000 {
        let begun = store
            .begin_kept_call(&call(&room.to_string()), &room.to_string(), "f", at(0))
            .await
            .unwrap();
        assert_eq!(begun, KeptCall::Begun, "{room}");
    }
    assert!(
        store
            .begin_kept_call(&call("more"), "1000", "f", at(0))
            .await
            .is_err()
    );
    assert_eq!(
        store
            .begin_kept_call(&call("more"), "7", "f", at(0))
            .await
            .unwrap(),
        KeptCall::Begun
    );
}
