//! Changes as they are found again: by selections, by those who wait, counted, and forgotten in
//! time.

use std::time::Duration;

use footbridge_store::{
    CallerRate, ChangeId, ChangeOutcome, ChangeQuery, ChangeRetention, ChangeSelection,
    ChangeState, ChangedRecord, FeedClients, FeedQuery, FeedSource, NewChange, RecordAddress,
    Store, StoreOptions,
};

use crate::changes::{at, begin, end, new, propose, record};

pub(crate) async fn listed(store: &Store, selection: ChangeSelection) -> Vec<i64> {
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
        let since = store.changes_since(&heard("ann", last)).await.unwrap();
        assert_eq!(since, [], "whoever sends it knows that");
        open.end(end(ChangeOutcome::Done), at(1)).await.unwrap();
        for caller in ["ann", "bob"] {
            let since = store.changes_since(&heard(caller, step)).await.unwrap();
            assert_eq!(
                (since.len(), since[0].id, since[0].state),
                (1, id, ChangeState::Done)
            );
        }
    }
}

/// What somebody hears of who may read the stories of Taiga as `ann`.
fn heard(caller: &str, after: i64) -> FeedQuery {
    FeedQuery {
        after,
        caller: caller.to_owned(),
        sources: vec![FeedSource {
            connector: "taiga".to_owned(),
            address: "https://taiga.example".to_owned(),
            account: Some("ann".to_owned()),
            kinds: vec!["task".to_owned(), "story".to_owned()],
        }],
        limit: 10,
        ..FeedQuery::default()
    }
}

#[tokio::test]
async fn of_others_is_heard_what_may_have_changed_a_record_that_may_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let of_others = |change: NewChange| NewChange {
        caller: "bob".to_owned(),
        ..change
    };
    let kind = |kind: &str| ChangedRecord {
        kind: kind.to_owned(),
        id: "8".to_owned(),
        ..ChangedRecord::default()
    };
    record(&store, new("ann", "own"), 0).await;
    record(&store, of_others(new("", "seen")), 0).await;
    for (tool, unseen) in [
        (
            "address",
            NewChange {
                address: "https://other.example".to_owned(),
                ..new("", "")
            },
        ),
        (
            "account",
            NewChange {
                account: Some("eve".to_owned()),
                ..new("", "")
            },
        ),
        (
            "kind",
            NewChange {
                records: vec![kind("secret")],
                ..new("", "")
            },
        ),
        (
            "none",
            NewChange {
                records: vec![],
                ..new("", "")
            },
        ),
    ] {
        let tool = tool.to_owned();
        record(&store, of_others(NewChange { tool, ..unseen }), 0).await;
    }
    for (tool, outcome) in [
        ("failed", ChangeOutcome::Failed),
        ("unknown", ChangeOutcome::Unknown),
    ] {
        let open = begin(&store, of_others(new("", tool)), 0).await;
        open.end(end(outcome), at(1)).await.unwrap();
    }
    propose(&store, of_others(new("", "proposed"))).await;
    propose(&store, new("ann", "own proposal")).await;

    let tools = async |query: FeedQuery| -> Vec<String> {
        let changes = store.changes_since(&query).await.unwrap();
        changes.into_iter().map(|change| change.tool).collect()
    };
    let all = || heard("ann", 0);
    assert_eq!(
        tools(all()).await,
        ["own", "seen", "unknown", "own proposal"]
    );
    let text = |text: &str| Some(text.to_owned());
    let cases: [(FeedQuery, &[&str]); 8] = [
        (
            FeedQuery {
                by: Some(FeedClients::Others(text("codex"))),
                ..all()
            },
            &["seen", "unknown"],
        ),
        (
            FeedQuery {
                by: Some(FeedClients::Own(text("codex"))),
                ..all()
            },
            &["own", "own proposal"],
        ),
        (
            FeedQuery {
                by: Some(FeedClients::Own(None)),
                ..all()
            },
            &[],
        ),
        (
            FeedQuery {
                sources: vec![],
                ..all()
            },
            &["own", "own proposal"],
        ),
        (
            FeedQuery {
                connector: text("board"),
                ..all()
            },
            &[],
        ),
        (
            FeedQuery {
                kind: text("task"),
                ..all()
            },
            &[],
        ),
        (
            FeedQuery {
                kind: text("story"),
                record: text("7"),
                limit: 1,
                ..all()
            },
            &["own"],
        ),
        (
            FeedQuery {
                change: Some(ChangeId::from_number(1)),
                ..all()
            },
            &["own"],
        ),
    ];
    for (query, wanted) in cases {
        assert_eq!(tools(query.clone()).await, wanted, "{query:?}");
    }
    let newest = store.newest_change(&all()).await.unwrap().unwrap();
    assert_eq!(newest.0.number(), 10, "the own proposal");
    assert_eq!(newest.1, store.last_change_step().await.unwrap());
    let after_all = heard("ann", newest.1);
    assert_eq!(store.newest_change(&after_all).await.unwrap(), None);
}

#[tokio::test]
async fn of_many_who_wait_each_is_told_and_one_who_leaves_is_in_nobody_s_way() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let other = Store::open(directory.path()).await.unwrap();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.change_step_after(0).await.unwrap() })
        })
        .collect();
    let leaving = tokio::spawn({
        let store = store.clone();
        async move { store.change_step_after(0).await }
    });
    tokio::task::yield_now().await;
    leaving.abort();
    record(&other, new("ann", "t"), 0).await;
    for one in waiting {
        assert!(one.await.unwrap() > 0);
    }
    store.close().await;
    assert!(store.change_step_after(99).await.is_err(), "it is closed");
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
    // What a clock that was ahead wrote is not lately for one that is right again.
    record(&store, new("carl", "t"), 100_000).await;
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
