//! Calls under a key of the caller's, each carried out once in 24 hours, however often and from
//! however many places it is made. The store keeps them; here calls of this process wait for each
//! other.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use footbridge_mcp::canonical_json;
use footbridge_store::{ChangeError, ChangeId, ChangeKey, ChangeState, KnownCall};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::change_store::ChangeStore;
use crate::recent_writes::RecentWrites;

/// The argument that carries the key.
pub(crate) const ARGUMENT: &str = "idempotency_key";
/// Characters that a key may have.
const MAX_KEY: usize = 200;
/// Bytes of the digest of one argument.
const DIGEST_BYTES: usize = 8;

/// A call by what tells it from others. Each text is compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CallKey {
    /// Who calls.
    pub(crate) caller: String,
    /// What is called: the identity of the backend, and the tool.
    pub(crate) tool: String,
    /// The caller's own key.
    pub(crate) key: String,
}

type Locks = Arc<Mutex<HashMap<CallKey, Weak<AsyncMutex<()>>>>>;

/// The keys of all callers. Cheap to clone; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct CallKeys {
    changes: ChangeStore,
    locks: Locks,
    recent: RecentWrites,
}

/// What is known of a key before its call is begun.
#[derive(Debug)]
pub(crate) enum KeyStanding {
    /// Nothing: the call may be carried out.
    Free(HeldKey),
    /// It was carried out before, with this answer.
    Answered(String),
    /// It must not be carried out; why.
    Refused(String),
    /// It was sent, and nobody knows whether it was carried out; what is said of that.
    Unknown(ChangeId, String),
}

/// A key whose call is being carried out; in this process nobody else carries it out meanwhile.
#[derive(Debug)]
pub(crate) struct HeldKey {
    call: CallKey,
    room: String,
    fingerprint: String,
    _lock: OwnedMutexGuard<()>,
}

impl CallKeys {
    pub(crate) fn new(changes: ChangeStore) -> Self {
        Self {
            changes,
            locks: Locks::default(),
            recent: RecentWrites::default(),
        }
    }

    /// The last writes of each session, for calls without a key.
    pub(crate) fn recent(&self) -> &RecentWrites {
        &self.recent
    }

    /// Where changes are kept.
    pub(crate) fn changes(&self) -> ChangeStore {
        self.changes.clone()
    }

    /// Takes a key for a call, unless the call was made before. Waits while the same key is at work
    /// in this process. The call takes place in this room.
    pub(crate) async fn take(
        &self,
        call: CallKey,
        room: String,
        arguments: &Map<String, Value>,
        now: SystemTime,
    ) -> KeyStanding {
        let length = call.key.chars().count();
        if length > MAX_KEY {
            return KeyStanding::Refused(format!(
                "`{ARGUMENT}` has {length} characters; at most {MAX_KEY} are taken. Nothing was done."
            ));
        }
        let store = match self.changes.store().await {
            Ok(store) => store,
            Err(why) => return KeyStanding::Refused(unkept(&why)),
        };
        let lock = self.lock(&call).lock_owned().await;
        let fingerprint = fingerprint(arguments);
        let key = call.of_change(room.clone());
        let known = |fingerprint: String| {
            let (store, caller, key) = (store.clone(), call.caller.clone(), key.clone());
            async move { store.known_call(&caller, &key, &fingerprint, now).await }
        };
        let mut found = known(fingerprint.clone()).await;
        if let Ok(Some(KnownCall::Other {
            fingerprint: before,
            ..
        })) = &found
            && *before == fingerprint_of_before(arguments)
        {
            found = known(before.clone()).await;
        }
        match found {
            Ok(None) => KeyStanding::Free(HeldKey {
                call,
                room,
                fingerprint,
                _lock: lock,
            }),
            Ok(Some(known)) => already_known(known, &call, &fingerprint),
            Err(error) => KeyStanding::Refused(unkept(&error.to_string())),
        }
    }

    /// The lock of a key; the one that others hold, when there is one.
    fn lock(&self, call: &CallKey) -> Arc<AsyncMutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(call).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::new(AsyncMutex::new(()));
        locks.insert(call.clone(), Arc::downgrade(&lock));
        lock
    }
}

impl CallKey {
    /// The key as it is kept with its change.
    fn of_change(&self, room: String) -> ChangeKey {
        ChangeKey {
            key: self.key.clone(),
            target: self.tool.clone(),
            room,
        }
    }
}

impl HeldKey {
    /// The key as it is kept with its change.
    pub(crate) fn of_change(&self) -> ChangeKey {
        self.call.of_change(self.room.clone())
    }

    /// What is said when another process began the same call in the meantime.
    pub(crate) fn known(&self, known: KnownCall) -> KeyStanding {
        already_known(known, &self.call, &self.fingerprint)
    }
}

/// What is said of a call with a new key where there is no room for one more.
pub(crate) fn no_room(error: &ChangeError) -> String {
    let unkept = unkept(&error.to_string());
    format!("{unkept} Wait until the oldest are a day old, or call without a key.")
}

fn unkept(why: &str) -> String {
    format!("The call could not be kept under its {ARGUMENT}, so nothing was done: {why}.")
}

/// What is said of a call that was made before under its key.
fn already_known(known: KnownCall, call: &CallKey, fingerprint: &str) -> KeyStanding {
    match known {
        KnownCall::Done {
            answer: Some(answer),
            ..
        } => KeyStanding::Answered(answer),
        KnownCall::Done { answer: None, .. } => KeyStanding::Refused(format!(
            "This call was carried out already under the {ARGUMENT} {:?}; its answer was too large to keep, or never came. Read the object.",
            call.key
        )),
        KnownCall::Unfinished { at, change, state } => {
            let why = format!(
                "A call with the {ARGUMENT} {:?} was begun at {at}, and how it ended is not known: it was interrupted, or it is still at work. Look whether it was carried out. If it was not, make the call with another key.",
                call.key
            );
            match state {
                ChangeState::Unknown => KeyStanding::Unknown(change, why),
                _ => KeyStanding::Refused(why),
            }
        }
        KnownCall::Other {
            fingerprint: before,
            ..
        } => KeyStanding::Refused(format!(
            "The {ARGUMENT} {:?} belongs to another call of the last 24 hours: {}. Nothing was done. Make this call with another key, or the same call again.",
            call.key,
            difference(&before, fingerprint)
        )),
    }
}

/// The digest of every argument by its name, as JSON: what tells two calls apart, and says in what
/// they differ, without their words.
pub(crate) fn fingerprint(arguments: &Map<String, Value>) -> String {
    digests(arguments, canonical_json)
}

/// The fingerprint as it was made before `1` and `1.0` were one number. A database may hold such
/// ones for a day after this program took the place of one of before.
fn fingerprint_of_before(arguments: &Map<String, Value>) -> String {
    digests(arguments, |value| {
        let mut sorted = value.clone();
        sorted.sort_all_objects();
        sorted.to_string()
    })
}

fn digests(arguments: &Map<String, Value>, spelled: impl Fn(&Value) -> String) -> String {
    let digests: BTreeMap<&str, String> = arguments
        .iter()
        .filter(|(name, _)| *name != ARGUMENT)
        .map(|(name, value)| {
            let digest = Sha256::digest(spelled(value).as_bytes());
            (
                name.as_str(),
                digest
                    .iter()
                    .take(DIGEST_BYTES)
                    .map(|byte| format!("{byte:02x}"))
                    .collect(),
            )
        })
        .collect();
    serde_json::to_string(&digests).unwrap_or_default()
}

/// In what two calls differ.
fn difference(before: &str, now: &str) -> String {
    let read =
        |text: &str| serde_json::from_str::<BTreeMap<String, String>>(text).unwrap_or_default();
    let (before, now) = (read(before), read(now));
    let say = |names: Vec<&String>, what: &str| {
        let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
        (!names.is_empty()).then(|| format!("{} {what}", names.join(", ")))
    };
    let parts = [
        say(
            now.iter()
                .filter(|(name, digest)| before.get(*name).is_some_and(|old| old != *digest))
                .map(|(name, _)| name)
                .collect(),
            "had another value",
        ),
        say(
            now.keys()
                .filter(|name| !before.contains_key(*name))
                .collect(),
            "was not passed",
        ),
        say(
            before
                .keys()
                .filter(|name| !now.contains_key(*name))
                .collect(),
            "was passed, and is not now",
        ),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use footbridge_connector::FieldEquality;
    use footbridge_mcp::canonical_json;
    use footbridge_store::{BegunChange, ChangeEnd, ChangeOutcome, NewChange, Store};
    use serde_json::{Map, Value, json};

    use super::{CallKey, CallKeys, KeyStanding, difference, fingerprint, fingerprint_of_before};
    use crate::change_store::ChangeStore;

    fn of(value: Value) -> String {
        fingerprint(value.as_object().unwrap_or(&Map::new()))
    }

    #[test]
    fn a_fingerprint_is_of_every_argument_and_of_no_order() {
        assert_eq!(
            of(json!({"a": 1, "b": {"x": [1, 2], "y": null}})),
            of(json!({"b": {"y": null, "x": [1, 2]}, "a": 1}))
        );
        assert_eq!(
            of(json!({"a": 1, "idempotency_key": "k"})),
            of(json!({"a": 1.0, "idempotency_key": "l"}))
        );
        for other in [
            json!({"a": "1"}),
            json!({"a": 1, "b": null}),
            json!({}),
            json!({"b": 1}),
        ] {
            assert_ne!(of(json!({"a": 1})), of(other.clone()), "{other}");
        }
        assert_ne!(of(json!({"a": [1, 2]})), of(json!({"a": [2, 1]})));
        assert!(!of(json!({"a": "a word of the user"})).contains("word"));
    }

    /// The digests of `1`, `[1,{"x":2.5,"y":"é"}]` and `1.0`, as the version before kept them.
    #[test]
    fn what_the_version_before_kept_is_known_by_its_fingerprint() {
        let same = json!({"a": 1, "b": [1, {"y": "é", "x": 2.5}]});
        let kept = r#"{"a":"6b86b273ff34fce1","b":"b43f5c77da045607"}"#;
        assert_eq!(of(same.clone()), kept, "most are the same in both");
        assert_eq!(fingerprint_of_before(same.as_object().unwrap()), kept);
        let other = json!({"a": 1.0});
        assert_eq!(of(other.clone()), r#"{"a":"6b86b273ff34fce1"}"#);
        let kept = r#"{"a":"d0ff5974b6aa52cf"}"#;
        assert_eq!(fingerprint_of_before(other.as_object().unwrap()), kept);
    }

    #[tokio::test]
    async fn a_call_that_the_version_before_kept_is_not_carried_out_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        let call = CallKey {
            caller: "c".to_owned(),
            tool: "t".to_owned(),
            key: "k".to_owned(),
        };
        let now = SystemTime::now();
        let arguments = json!({"points": 3.0});
        let arguments = arguments.as_object().unwrap();
        let before = fingerprint_of_before(arguments);
        let change = NewChange {
            caller: call.caller.clone(),
            fingerprint: before,
            key: Some(call.of_change("room".to_owned())),
            ..NewChange::default()
        };
        let begun = store.begin_change(change, now);
        let BegunChange::Open(change) = begun.await.unwrap() else {
            panic!("the key is new");
        };
        let end = ChangeEnd {
            outcome: ChangeOutcome::Done,
            message: None,
            answer: Some("done".to_owned()),
            records: vec![],
            undo_values: None,
        };
        change.end(end, now).await.unwrap();
        let keys = CallKeys::new(ChangeStore::of(store));
        let room = || "room".to_owned();
        let again = keys.take(call.clone(), room(), arguments, now).await;
        assert!(matches!(again, KeyStanding::Answered(answer) if answer == "done"));
        let other = json!({"points": 4.0});
        let other = keys
            .take(call, room(), other.as_object().unwrap(), now)
            .await;
        assert!(
            matches!(other, KeyStanding::Refused(why) if why.contains("`points` had another value"))
        );
    }

    /// Two crates that may not know each other each spell JSON: what is one value to the keys is one
    /// to the planner.
    #[test]
    fn the_keys_and_the_planner_take_the_same_values_for_one() {
        let texts = [
            "1",
            "1.0",
            "1e0",
            "0",
            "-0.0",
            "1.5",
            "1.50",
            "100000000000000000000",
            "1e20",
            "9007199254740993",
            "9007199254740992.0",
            "\"1\"",
            "\"\"",
            "null",
            "true",
            "[]",
            "{}",
            "[1,2]",
            "[1.0,2]",
            "[2,1]",
            r#"{"a":1,"b":{"c":2.50}}"#,
            r#"{"b":{"c":2.5},"a":1.0}"#,
            r#""é""#,
            r#""\u00e9""#,
            r#""e\u0301""#,
        ];
        let values = texts.map(|text| serde_json::from_str::<Value>(text).unwrap());
        let planner = FieldEquality::default();
        for one in &values {
            for other in &values {
                assert_eq!(
                    canonical_json(one) == canonical_json(other),
                    planner.is_same("field", Some(one), Some(other)),
                    "{one} and {other}"
                );
            }
        }
    }

    #[test]
    fn a_difference_is_named() {
        let (before, now) = (
            of(json!({"a": 1, "b": 2, "c": 3})),
            of(json!({"a": 1, "b": 5, "d": 3, "e": 1})),
        );
        assert_eq!(
            difference(&before, &now),
            "`b` had another value; `d`, `e` was not passed; `c` was passed, and is not now"
        );
    }
}
