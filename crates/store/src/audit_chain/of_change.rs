//! A step of a change as the audit has it: who, what, which records and what became of it, without
//! their values.

use std::time::SystemTime;

use serde_json::{Map, Value};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{AuditEntry, AuditKind};
use crate::ChangeState;
use crate::audit_mark::AuditMark;
use crate::write_transaction::WriteTransaction;

/// Records that an entry names; of more it says how many.
pub(crate) const NAMED_RECORDS: usize = 20;
/// Characters of a message that are kept.
const MESSAGE_CHARACTERS: usize = 300;

/// A change that came into a state.
#[derive(Debug)]
pub(crate) struct AuditedStep<'a> {
    pub(crate) id: i64,
    pub(crate) state: ChangeState,
    pub(crate) door: &'a str,
    pub(crate) caller: &'a str,
    pub(crate) client: Option<&'a str>,
    pub(crate) connector: &'a str,
    pub(crate) tool: &'a str,
    pub(crate) effect: &'a str,
    /// Digests of the arguments, as JSON.
    pub(crate) fingerprint: &'a str,
    pub(crate) undoes: Option<i64>,
    pub(crate) decided_by: Option<&'a str>,
    pub(crate) message: Option<&'a str>,
    /// The records that are on record, each by its kind and id.
    pub(crate) named: Vec<String>,
    /// The last row of the audit, where the same statement read it.
    pub(crate) last: Option<AuditMark>,
}

impl<'a> AuditedStep<'a> {
    /// The step that a statement made, from the columns that it gives back.
    pub(crate) fn of_row(row: &'a SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            state: ChangeState::decode(row.try_get("state")?)?,
            door: row.try_get("door")?,
            caller: row.try_get("caller")?,
            client: row.try_get("client")?,
            connector: row.try_get("connector")?,
            tool: row.try_get("tool")?,
            effect: row.try_get("effect")?,
            fingerprint: row.try_get("fingerprint")?,
            undoes: row.try_get("undoes")?,
            decided_by: row.try_get("decided_by")?,
            message: row.try_get("message")?,
            named: serde_json::from_str(row.try_get("named")?).unwrap_or_default(),
            last: row
                .try_get::<Option<&str>, _>("audit_last")
                .ok()
                .flatten()
                .and_then(AuditMark::parse),
        })
    }

    /// Writes it at the end of the chain, with its records as [`Self::entry`] has them, in the last
    /// statement of its write or before that.
    pub(crate) async fn append<'r>(
        mut self,
        transaction: &mut WriteTransaction,
        records: impl Iterator<Item = (&'r str, &'r str)>,
        now: SystemTime,
        is_last: bool,
    ) -> Result<(), sqlx::Error> {
        let last = self.last.take();
        let entry = self.entry(records);
        match last {
            Some(last) => {
                let last = Some(last);
                entry.append_after(transaction, last, now, is_last).await
            }
            None => entry.append(transaction, now, is_last).await,
        }
        .map(drop)
    }

    /// The entry with its records, each by its kind and id: those that are on record, and these.
    pub(crate) fn entry<'r>(
        mut self,
        records: impl Iterator<Item = (&'r str, &'r str)>,
    ) -> AuditEntry {
        let mut named = std::mem::take(&mut self.named);
        let mut count = 0;
        for (kind, id) in records {
            count += 1;
            if count > NAMED_RECORDS {
                continue;
            }
            let name = format!("{kind}:{id}");
            if named.len() < NAMED_RECORDS && !named.contains(&name) {
                named.push(name);
            }
        }
        let mut detail = Map::new();
        let mut say = |name: &str, value: Value| {
            if !matches!(value, Value::Null) {
                detail.insert(name.to_owned(), value);
            }
        };
        say("change", self.id.into());
        say("state", self.state.as_str().into());
        say("door", self.door.into());
        say("caller", self.caller.into());
        say("client", self.client.into());
        say("connector", self.connector.into());
        say("tool", self.tool.into());
        say("effect", self.effect.into());
        say("arguments", digests(self.fingerprint));
        say("undoes", self.undoes.into());
        say("decided_by", self.decided_by.into());
        let message = self.message.map(|message| {
            let cut: String = message.chars().take(MESSAGE_CHARACTERS).collect();
            cut
        });
        say("message", message.into());
        if count > NAMED_RECORDS {
            say("record_count", count.into());
        }
        if !named.is_empty() {
            say("records", named.into());
        }
        AuditEntry::new(AuditKind::Call, &Value::Object(detail))
    }
}

/// The digests of the arguments; null where there are none.
fn digests(fingerprint: &str) -> Value {
    match serde_json::from_str(fingerprint) {
        Ok(digests) => digests,
        Err(_) if fingerprint.is_empty() => Value::Null,
        Err(_) => fingerprint.into(),
    }
}
