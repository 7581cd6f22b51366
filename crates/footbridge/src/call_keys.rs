//! Calls under a key of the caller's, each carried out once in 24 hours, however often and from
//! however many places it is made. The store keeps them; here calls of this process wait for each
//! other.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use footbridge_mcp::canonical_json;
use footbridge_store::{
    BegunChange, ChangeEnd, ChangeError, ChangeKey, ChangeOutcome, KnownCall, NewChange,
    OpenChange, Store,
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex as AsyncMutex, OnceCell, OwnedMutexGuard};

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
pub(crate) struct CallKeys(Arc<SharedCallKeys>);

#[derive(Debug)]
struct SharedCallKeys {
    place: CallStore,
    locks: Locks,
}

/// The place where calls are kept.
#[derive(Debug)]
enum CallStore {
    /// In a store that is open anyway.
    Open(Store),
    /// Nowhere; why.
    Nowhere(String),
    /// In the store of that directory, opened by the first call that has a key.
    Directory {
        path: PathBuf,
        store: OnceCell<Store>,
    },
}

/// The way on for a call under a key.
#[derive(Debug)]
pub(crate) enum Begun {
    /// Carry it out, and say how it ended.
    Go(ReservedCall),
    /// It was carried out before, with this answer.
    Answered(String),
    /// It must not be carried out; why.
    Refused(String),
}

/// A call that is being carried out; nobody else carries it out meanwhile.
#[derive(Debug)]
pub(crate) struct ReservedCall {
    tool: String,
    change: OpenChange,
    _lock: OwnedMutexGuard<()>,
}

impl CallKeys {
    pub(crate) fn in_store(store: Store) -> Self {
        Self::at(CallStore::Open(store))
    }

    pub(crate) fn in_directory(path: PathBuf) -> Self {
        Self::at(CallStore::Directory {
            path,
            store: OnceCell::new(),
        })
    }

    /// A call that has a key is told why it cannot be kept.
    pub(crate) fn nowhere(why: String) -> Self {
        Self::at(CallStore::Nowhere(why))
    }

    fn at(place: CallStore) -> Self {
        Self(Arc::new(SharedCallKeys {
            place,
            locks: Locks::default(),
        }))
    }

    async fn store(&self) -> Result<Store, String> {
        let unkept = |why: String| {
            format!("The call could not be kept under its {ARGUMENT}, so nothing was done: {why}.")
        };
        match &self.0.place {
            CallStore::Open(store) => Ok(store.clone()),
            CallStore::Nowhere(why) => Err(unkept(why.clone())),
            CallStore::Directory { path, store } => {
                let opened = store.get_or_try_init(|| Store::open(path)).await;
                opened.cloned().map_err(|error| unkept(error.to_string()))
            }
        }
    }

    /// Notes that a call begins, unless it was made before. Waits while the same key is at work in
    /// this process. It takes place in this room.
    pub(crate) async fn begin(
        &self,
        call: CallKey,
        room: &str,
        arguments: &Map<String, Value>,
        now: SystemTime,
    ) -> Begun {
        let length = call.key.chars().count();
        if length > MAX_KEY {
            return Begun::Refused(format!(
                "`{ARGUMENT}` has {length} characters; at most {MAX_KEY} are taken. Nothing was done."
            ));
        }
        let store = match self.store().await {
            Ok(store) => store,
            Err(why) => return Begun::Refused(why),
        };
        let lock = self.lock(&call).lock_owned().await;
        let fingerprint = fingerprint(arguments);
        let change = |fingerprint: &str| new_change(&call, room, fingerprint);
        let mut begun = store.begin_change(change(&fingerprint), now).await;
        if let Ok(BegunChange::Known(KnownCall::Other {
            fingerprint: before,
            ..
        })) = &begun
            && *before == fingerprint_of_before(arguments)
        {
            begun = store.begin_change(change(before), now).await;
        }
        match begun {
            Ok(BegunChange::Open(change)) => Begun::Go(ReservedCall {
                tool: call.tool,
                change,
                _lock: lock,
            }),
            Ok(BegunChange::Known(known)) => already_known(known, &call, &fingerprint),
            Err(error) => {
                let next = match &error {
                    ChangeError::KeysFull(_) => {
                        " Wait until the oldest are a day old, or call without a key."
                    }
                    _ => "",
                };
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a call cannot be kept"
                );
                Begun::Refused(format!(
                    "The call could not be kept under its {ARGUMENT}, so nothing was done: {error}.{next}"
                ))
            }
        }
    }

    /// The lock of a key; the one that others hold, when there is one.
    fn lock(&self, call: &CallKey) -> Arc<AsyncMutex<()>> {
        let mut locks = self.0.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = locks.get(call).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::new(AsyncMutex::new(()));
        locks.insert(call.clone(), Arc::downgrade(&lock));
        lock
    }

    /// Closes what was opened for keys alone.
    pub(crate) async fn close(&self) {
        if let CallStore::Directory { store, .. } = &self.0.place
            && let Some(store) = store.get()
        {
            store.close().await;
        }
    }
}

impl ReservedCall {
    /// It was carried out, with this answer.
    pub(crate) async fn finish(self, answer: &str) {
        self.end(ChangeOutcome::Done, Some(answer.to_owned())).await;
    }

    /// It failed. When nothing was changed, the key is free again; otherwise nobody knows, and the
    /// next call is told so.
    pub(crate) async fn fail(self, may_have_changed: bool) {
        let outcome = match may_have_changed {
            true => ChangeOutcome::Unknown,
            false => ChangeOutcome::Failed,
        };
        self.end(outcome, None).await;
    }

    async fn end(self, outcome: ChangeOutcome, answer: Option<String>) {
        let end = ChangeEnd {
            outcome,
            message: None,
            answer,
            records: Vec::new(),
        };
        if let Err(error) = self.change.end(end, SystemTime::now()).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                tool = self.tool,
                "the end of a call was not kept"
            );
        }
    }
}

/// The change that a call is.
fn new_change(call: &CallKey, room: &str, fingerprint: &str) -> NewChange {
    let connector = call.tool.split(' ').next().unwrap_or_default();
    let tool = call.tool.rsplit(' ').next().unwrap_or_default();
    NewChange {
        caller: call.caller.clone(),
        connector: connector.to_owned(),
        tool: tool.to_owned(),
        effect: "write".to_owned(),
        arguments: "{}".to_owned(),
        fingerprint: fingerprint.to_owned(),
        key: Some(ChangeKey {
            key: call.key.clone(),
            target: call.tool.clone(),
            room: room.to_owned(),
        }),
        ..NewChange::default()
    }
}

/// What is said of a call that was made before under its key.
fn already_known(known: KnownCall, call: &CallKey, fingerprint: &str) -> Begun {
    match known {
        KnownCall::Done {
            answer: Some(answer),
            ..
        } => Begun::Answered(answer),
        KnownCall::Done { answer: None, .. } => Begun::Refused(format!(
            "This call was carried out already under the {ARGUMENT} {:?}; its answer was too large to keep. Read the object.",
            call.key
        )),
        KnownCall::Unfinished { at, .. } => Begun::Refused(format!(
            "A call with the {ARGUMENT} {:?} was begun at {at}, and how it ended is not known: it was interrupted, or it is still at work. Look whether it was carried out. If it was not, make the call with another key.",
            call.key
        )),
        KnownCall::Other {
            fingerprint: before,
            ..
        } => Begun::Refused(format!(
            "The {ARGUMENT} {:?} belongs to another call of the last 24 hours: {}. Nothing was done. Make this call with another key, or the same call again.",
            call.key,
            difference(&before, fingerprint)
        )),
    }
}

/// The digest of every argument by its name, as JSON: what tells two calls apart, and says in what
/// they differ, without their words.
fn fingerprint(arguments: &Map<String, Value>) -> String {
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

    use footbridge_store::{BegunChange, ChangeEnd, ChangeOutcome, Store};
    use serde_json::{Map, Value, json};

    use super::{
        Begun, CallKey, CallKeys, difference, fingerprint, fingerprint_of_before, new_change,
    };

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
        let begun = store.begin_change(new_change(&call, "room", &before), now);
        let BegunChange::Open(change) = begun.await.unwrap() else {
            panic!("the key is new");
        };
        let end = ChangeEnd {
            outcome: ChangeOutcome::Done,
            message: None,
            answer: Some("done".to_owned()),
            records: vec![],
        };
        change.end(end, now).await.unwrap();
        let keys = CallKeys::in_store(store);
        let again = keys.begin(call.clone(), "room", arguments, now).await;
        assert!(matches!(again, Begun::Answered(answer) if answer == "done"));
        let other = json!({"points": 4.0});
        let other = keys
            .begin(call, "room", other.as_object().unwrap(), now)
            .await;
        assert!(matches!(other, Begun::Refused(why) if why.contains("`points` had another value")));
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
