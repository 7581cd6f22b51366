//! The trail of the audit beside the changes, which are in it by themselves: starts of the program,
//! refusals, logins, and reads where the operator asks for them. Nobody waits for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use footbridge_store::{AuditEntry, AuditKind, Lease, Store};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::caller::Caller;
use crate::change_store::ChangeStore;
use crate::json_object::JsonObject;

/// Refusals, and tries to log in, that are written in a minute; the others are counted.
const MOST_IN_A_MINUTE: u32 = 120;
const MINUTE: Duration = Duration::from_secs(60);
/// Characters of a reason that are kept.
const REASON_CHARACTERS: usize = 300;
/// Characters of what a client calls itself.
const CLIENT_CHARACTERS: usize = 100;
/// What refuses those who try to log in.
const DOOR: &str = "door";
/// How long the end waits for entries whose store is only being opened.
const ENDING: Duration = Duration::from_secs(1);

/// Where entries go. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct AuditTrail(Arc<TrailState>);

#[derive(Debug)]
struct TrailState {
    changes: ChangeStore,
    audits_reads: bool,
    /// The start, until something is written: a program that only reads makes no database.
    start: Mutex<Option<(AuditEntry, SystemTime)>>,
    refusals: Mutex<NotePace>,
    /// How many there were, by what refused them.
    refused: Mutex<BTreeMap<String, u64>>,
    /// Apart from those: who hammers a door hides no refusal.
    log_ins: Mutex<NotePace>,
    /// Entries that wait for the store to be opened.
    pending: Mutex<JoinSet<()>>,
}

/// How much of a kind was written lately: who is refused again and again fills no disk.
#[derive(Debug, Default)]
struct NotePace {
    since: Option<Instant>,
    written: u32,
    left_out: u64,
}

/// A call as the audit names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AuditedCall<'a> {
    pub(crate) caller: Caller,
    pub(crate) client: Option<&'a str>,
    pub(crate) connector: &'a str,
    pub(crate) tool: &'a str,
}

/// A row that a program wanted to write at `/xapi2`, as the audit names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AuditedRow<'a> {
    pub(crate) door: &'a str,
    /// The account, where it is known by then.
    pub(crate) caller: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
    pub(crate) connector: &'a str,
    pub(crate) tool: &'a str,
}

impl AuditTrail {
    pub(crate) fn new(changes: ChangeStore, audits_reads: bool) -> Self {
        Self(Arc::new(TrailState {
            changes,
            audits_reads,
            start: Mutex::default(),
            refusals: Mutex::default(),
            refused: Mutex::default(),
            log_ins: Mutex::default(),
            pending: Mutex::default(),
        }))
    }

    /// Whether reads are audited too.
    pub(crate) fn audits_reads(&self) -> bool {
        self.0.audits_reads
    }

    /// Notes that the program started; it is written with the first thing that is.
    pub(crate) fn started(&self, detail: &Value, now: SystemTime) {
        let entry = AuditEntry::new(AuditKind::Start, detail);
        let mut start = self.0.start.lock().unwrap_or_else(PoisonError::into_inner);
        *start = Some((entry, now));
    }

    /// Writes the start, if it was not.
    pub(crate) fn write_start(&self, store: &Store) {
        let mut start = self.0.start.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((entry, at)) = start.take() {
            store.append_audit_later(entry, at);
        }
    }

    /// Counts what is refused, whether or not there is room for it in the audit.
    fn count_refusal(&self, by: &str) {
        let mut refused = self
            .0
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match refused.get_mut(by) {
            Some(count) => *count += 1,
            None => drop(refused.insert(by.to_owned(), 1)),
        }
    }

    /// How many calls and logins were refused, by what refused them.
    pub(crate) fn refusals(&self) -> BTreeMap<String, u64> {
        let refused = self.0.refused.lock();
        refused.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A call was refused, by whom and why.
    pub(crate) fn refused(&self, call: AuditedCall<'_>, by: &str, why: &str) {
        self.note_refusal(call.members(), by, why);
    }

    /// A row was not written, by whom and why.
    pub(crate) fn refused_row(&self, row: AuditedRow<'_>, by: &str, why: &str) {
        let client = row.client.map(|name| cut(name, CLIENT_CHARACTERS));
        let members = JsonObject::default()
            .with("door", row.door)
            .with_some("caller", row.caller)
            .with_some("client", client)
            .with("connector", row.connector)
            .with("tool", row.tool);
        self.note_refusal(members, by, why);
    }

    fn note_refusal(&self, members: JsonObject, by: &str, why: &str) {
        self.count_refusal(by);
        let Some(left_out) = NotePace::admit(&self.0.refusals) else {
            return;
        };
        let detail = members
            .with("by", by)
            .with("why", cut(why, REASON_CHARACTERS))
            .with_some("left_out", Some(left_out).filter(|count| *count > 0));
        self.note(AuditKind::Refusal, detail.into());
    }

    /// Somebody was let in at a door, or not.
    pub(crate) fn logged_in(&self, door: &str, from: Option<String>, is_let_in: bool) {
        if !is_let_in {
            self.count_refusal(DOOR);
        }
        let Some(left_out) = NotePace::admit(&self.0.log_ins) else {
            return;
        };
        let detail = JsonObject::default()
            .with("door", door)
            .with("let_in", is_let_in)
            .with_some("from", from)
            .with_some("left_out", Some(left_out).filter(|count| *count > 0));
        self.note(AuditKind::Login, detail.into());
    }

    /// A call that reads ended.
    pub(crate) fn read(&self, call: AuditedCall<'_>, is_answered: bool) {
        let detail = call
            .members()
            .with("effect", "read")
            .with("state", if is_answered { "done" } else { "failed" });
        self.note(AuditKind::Call, detail.into());
    }

    /// A record was claimed, held longer or released.
    pub(crate) fn leased(&self, call: AuditedCall<'_>, lease: &Lease, state: &str) {
        let record = &lease.record;
        let detail = call
            .members()
            .with("state", state)
            .with("record", format!("{}:{}", record.kind, record.id))
            .with("holder", lease.holder.as_str())
            .with("until", lease.until.as_str());
        self.note(AuditKind::Call, detail.into());
    }

    fn note(&self, kind: AuditKind, detail: Value) {
        let (entry, now) = (AuditEntry::new(kind, &detail), SystemTime::now());
        if let Some(store) = self.0.changes.opened() {
            self.write_start(&store);
            return store.append_audit_later(entry, now);
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let trail = self.clone();
        let mut pending = self
            .0
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while pending.try_join_next().is_some() {}
        pending.spawn(async move {
            match trail.0.changes.store().await {
                Ok(store) => {
                    trail.write_start(&store);
                    store.append_audit_later(entry, now);
                }
                Err(why) => tracing::warn!(%why, "the audit cannot be written"),
            }
        });
    }

    /// Waits for what is still to be written, for a moment.
    pub(crate) async fn finish(&self) {
        let mut pending = {
            let mut pending = self
                .0
                .pending
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *pending)
        };
        let all = async { while pending.join_next().await.is_some() {} };
        drop(tokio::time::timeout(ENDING, all).await);
    }
}

impl NotePace {
    /// How many were left out before this one; none when it is to be left out itself.
    fn admit(pace: &Mutex<Self>) -> Option<u64> {
        let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if pace.since.is_none_or(|since| now - since >= MINUTE) {
            (pace.since, pace.written) = (Some(now), 0);
        }
        if pace.written >= MOST_IN_A_MINUTE {
            pace.left_out += 1;
            return None;
        }
        pace.written += 1;
        Some(std::mem::take(&mut pace.left_out))
    }
}

impl AuditedCall<'_> {
    fn members(&self) -> JsonObject {
        JsonObject::default()
            .with("door", self.caller.door())
            .with("caller", self.caller.name())
            .with_some("account", self.caller.account().map(|id| id.to_string()))
            .with_some(
                "client",
                self.client.map(|name| cut(name, CLIENT_CHARACTERS)),
            )
            .with("connector", self.connector)
            .with("tool", self.tool)
    }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use footbridge_store::{AuditKind, Store};
    use serde_json::{Value, json};

    use super::{AuditTrail, AuditedCall, MINUTE, MOST_IN_A_MINUTE};
    use crate::caller::Caller;
    use crate::change_store::ChangeStore;

    const CALL: AuditedCall<'_> = AuditedCall {
        caller: Caller::LocalUser,
        client: Some("codex"),
        connector: "board",
        tool: "card_delete",
    };

    async fn rows(store: &Store) -> Vec<(AuditKind, Value)> {
        let rows = store.audit_rows(0, None).await.unwrap();
        rows.into_iter()
            .map(|row| (row.kind, serde_json::from_str(&row.detail).unwrap()))
            .collect()
    }

    #[tokio::test]
    async fn the_first_thing_that_is_written_makes_the_file_and_the_start_stands_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("data");
        let changes = ChangeStore::in_directory(folder.clone(), Default::default());
        let trail = AuditTrail::new(changes.clone(), false);
        trail.started(&json!({ "version": "1" }), SystemTime::now());
        trail.finish().await;
        assert!(!folder.exists(), "who only reads writes nothing");
        trail.refused(CALL, "gate", &"x".repeat(10_000));
        trail.finish().await;
        let store = changes.store().await.unwrap();
        trail.logged_in("mcp", Some("192.0.2.1".to_owned()), false);
        trail.read(CALL, true);
        store.close().await;
        let store = Store::open(&folder).await.unwrap();
        let rows = rows(&store).await;
        let kinds: Vec<AuditKind> = rows.iter().map(|(kind, _)| *kind).collect();
        use AuditKind::{Call, Login, Refusal, Start};
        assert_eq!(kinds, [Start, Refusal, Login, Call]);
        let why = rows[1].1["why"].as_str().unwrap();
        assert!(why.len() == 300 && rows[1].1["client"] == "codex");
        assert_eq!(rows[2].1["let_in"], false);
    }

    #[tokio::test]
    async fn who_is_refused_again_and_again_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        let trail = AuditTrail::new(ChangeStore::of(store.clone()), false);
        for _ in 0..MOST_IN_A_MINUTE + 5 {
            trail.refused(CALL, "gate", "closed");
        }
        tokio::time::pause();
        tokio::time::advance(MINUTE + Duration::from_secs(1)).await;
        tokio::time::resume();
        trail.refused(CALL, "gate", "closed");
        store.close().await;
        let store = Store::open(directory.path()).await.unwrap();
        let rows = rows(&store).await;
        assert_eq!(rows.len(), 121);
        assert_eq!(rows[120].1["left_out"], 5);
        assert!(rows[119].1.get("left_out").is_none());
    }
}
