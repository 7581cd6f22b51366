//! Leases: one holder for each record, known by a token, until a time.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use footbridge_store::{
    ClaimedLease, LeaseClaim, LeaseError, LeaseLimits, LeaseStanding, RecordAddress, Store,
    StoreOptions,
};
use secrecy::ExposeSecret as _;

const MINUTE: Duration = Duration::from_secs(60);

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn claim(caller: &str, ids: &[&str]) -> LeaseClaim {
    LeaseClaim {
        connector: "taiga".into(),
        kind: "story".into(),
        ids: ids.iter().map(|&id| id.to_owned()).collect(),
        caller: caller.into(),
        holder: caller.into(),
        life: MINUTE,
        note: None,
    }
}

fn story(id: &str) -> RecordAddress {
    RecordAddress {
        connector: "taiga".into(),
        kind: "story".into(),
        id: id.into(),
    }
}

async fn claimed(store: &Store, claim: LeaseClaim, seconds: u64) -> ClaimedLease {
    store.claim_lease(claim, at(seconds)).await.unwrap()
}

#[tokio::test]
async fn a_record_has_one_holder_who_is_known_by_a_token() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let first = claimed(&store, claim("codex-2", &["7"]), 0).await;
    let token = first.token.expose_secret();
    assert_eq!(first.lease.until, "2027-01-15T08:01:00.000000Z");
    let of_token = store.lease_of_token(token, at(1)).await.unwrap();
    assert_eq!(of_token.as_ref(), Some(&first.lease));
    assert!(token.starts_with("lea_") && token.len() < 30, "{token}");

    // The same caller without the token is another holder: over HTTP all callers are one.
    let held = store
        .claim_lease(claim("codex-2", &["7"]), at(1))
        .await
        .unwrap_err();
    assert_eq!(
        held.to_string(),
        "leased by codex-2 until 2027-01-15T08:01:00.000000Z"
    );
    let standing = async |token, seconds| {
        store
            .lease_standing(&story("7"), token, at(seconds))
            .await
            .unwrap()
    };
    assert_eq!(
        standing(Some(token), 1).await,
        LeaseStanding::Own(first.lease.clone())
    );
    let other = LeaseStanding::HeldByOther(first.lease.clone());
    assert_eq!(standing(None, 1).await, other);
    assert_eq!(standing(Some("lea_guessed"), 1).await, other);

    let renewed = store.renew_lease(token, MINUTE, at(30)).await.unwrap();
    assert_eq!(renewed.until, "2027-01-15T08:01:30.000000Z");
    assert!(matches!(
        standing(Some(token), 80).await,
        LeaseStanding::Own(_)
    ));
    assert_eq!(
        store.leases(Some("taiga"), at(80)).await.unwrap(),
        [renewed]
    );
    assert_eq!(store.leases(Some("board"), at(80)).await.unwrap(), []);

    let note = Some("half done: see the branch");
    store.release_lease(token, note, at(81)).await.unwrap();
    assert_eq!(standing(None, 81).await, LeaseStanding::Free);
    assert_eq!(standing(Some(token), 81).await, LeaseStanding::Ended);
    let next = claimed(&store, claim("claude-1", &["7"]), 82).await;
    let before = next.before.unwrap();
    assert_eq!(
        (before.caller.as_str(), before.note.as_deref()),
        ("codex-2", note)
    );
}

#[tokio::test]
async fn a_lease_that_ended_is_fenced_by_its_token() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let first = claimed(&store, claim("a", &["7"]), 0).await;
    let token = first.token.expose_secret();
    let ended = async |seconds| {
        for refused in [
            store.renew_lease(token, MINUTE, at(seconds)).await,
            store.release_lease(token, None, at(seconds)).await,
        ] {
            assert!(matches!(refused, Err(LeaseError::Ended)), "{refused:?}");
        }
        store
            .lease_standing(&story("7"), Some(token), at(seconds))
            .await
            .unwrap()
    };
    assert_eq!(ended(60).await, LeaseStanding::Ended);
    let second = claimed(&store, claim("b", &["7"]), 61).await;
    assert_eq!(
        ended(62).await,
        LeaseStanding::HeldByOther(second.lease.clone())
    );
    assert_eq!(
        store.end_lease(&story("7"), at(63)).await.unwrap(),
        Some(footbridge_store::Lease {
            until: "2027-01-15T08:01:03.000000Z".into(),
            ..second.lease
        })
    );
    assert_eq!(store.end_lease(&story("7"), at(64)).await.unwrap(), None);
    let token = second.token.expose_secret();
    assert!(matches!(
        store.renew_lease(token, MINUTE, at(64)).await,
        Err(LeaseError::Ended)
    ));
}

#[tokio::test]
async fn a_caller_has_so_many_and_each_lasts_so_long() {
    let directory = tempfile::tempdir().unwrap();
    let leases = LeaseLimits {
        of_caller: 2,
        longest: MINUTE,
    };
    let options = StoreOptions {
        leases,
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    for id in ["1", "2"] {
        claimed(&store, claim("a", &[id]), 0).await;
    }
    let refused = store
        .claim_lease(claim("a", &["3"]), at(1))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, LeaseError::TooMany { most: 2, .. }),
        "{refused:?}"
    );
    claimed(&store, claim("b", &["3"]), 1).await;
    claimed(&store, claim("a", &["4"]), 60).await;
    for (life, ids, note) in [
        (MINUTE * 2, vec!["5"], None),
        (MINUTE, vec![], None),
        (MINUTE, vec!["5"; 1001], None),
        (MINUTE, vec!["5"], Some("x".repeat(2001))),
    ] {
        let claim = LeaseClaim {
            life,
            note,
            ..claim("c", &ids)
        };
        let refused = store.claim_lease(claim, at(61)).await.unwrap_err();
        assert!(
            matches!(
                refused,
                LeaseError::TooLong(_) | LeaseError::TooLarge { .. } | LeaseError::NoRecord
            ),
            "{refused:?}"
        );
    }
}

/// A clock that was a week ahead for a moment, and one that is an hour back.
#[tokio::test]
async fn a_lease_of_a_clock_that_jumped_does_not_last() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let ahead = 7 * 24 * 60 * 60;
    let first = claimed(&store, claim("a", &["7"]), ahead).await;
    let token = first.token.expose_secret();
    assert!(
        store
            .lease_of_token(token, at(ahead + 1))
            .await
            .unwrap()
            .is_some(),
        "by its own clock it lasts"
    );
    assert_eq!(store.lease_of_token(token, at(0)).await.unwrap(), None);
    assert_eq!(store.leases(None, at(0)).await.unwrap(), []);
    let standing = store.lease_standing(&story("7"), Some(token), at(0)).await;
    assert_eq!(standing.unwrap(), LeaseStanding::Ended);
    assert!(matches!(
        store.release_lease(token, None, at(0)).await,
        Err(LeaseError::Ended)
    ));
    let second = claimed(&store, claim("b", &["7"]), 3600).await;
    // Set back by less than a day it lasts by so much longer, and no more.
    let standing = store.lease_standing(&story("7"), None, at(0)).await;
    assert_eq!(standing.unwrap(), LeaseStanding::HeldByOther(second.lease));
}

/// Twenty who claim from one queue of a thousand, over two stores on one file: each item once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_claim_from_one_queue_each_gets_another_item() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        busy_time: MINUTE,
        leases: LeaseLimits {
            of_caller: 1000,
            longest: MINUTE * 60,
        },
        ..StoreOptions::default()
    };
    let open = async || {
        Store::open_with(directory.path(), options.clone())
            .await
            .unwrap()
    };
    let stores = [open().await, open().await];
    let queue: Vec<String> = (0..1000).map(|item| item.to_string()).collect();
    let mut claimers = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (store, ids) = (stores[number % 2].clone(), queue.clone());
        claimers.spawn(async move {
            let claim = LeaseClaim {
                ids,
                life: MINUTE * 60,
                ..claim(&format!("agent {number}"), &[])
            };
            let mut items = Vec::new();
            loop {
                match store.claim_lease(claim.clone(), at(0)).await {
                    Ok(claimed) => items.push(claimed.lease.record.id),
                    Err(LeaseError::Held(_)) => return items,
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    let items: Vec<String> = claimers.join_all().await.into_iter().flatten().collect();
    assert_eq!(items.len(), 1000);
    assert_eq!(
        items.iter().collect::<BTreeSet<_>>(),
        queue.iter().collect::<BTreeSet<_>>()
    );
}
