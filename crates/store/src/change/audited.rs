//! What the audit says of a change, whatever becomes of it: known to whoever began it.

use super::{ChangeId, NewChange};
use crate::ChangeState;
use crate::audit_chain::{AuditedStep, NAMED_RECORDS};

/// What every entry of one change says.
#[derive(Debug)]
pub(super) struct AuditedChange {
    door: String,
    caller: String,
    client: Option<String>,
    pub(super) connector: String,
    tool: String,
    effect: String,
    fingerprint: String,
    undoes: Option<ChangeId>,
    named: Vec<String>,
}

impl AuditedChange {
    pub(super) fn of(change: &NewChange) -> AuditedChange {
        AuditedChange {
            door: change.door.clone(),
            caller: change.caller.clone(),
            client: change.client.clone(),
            connector: change.connector.clone(),
            tool: change.tool.clone(),
            effect: change.effect.clone(),
            fingerprint: change.fingerprint.clone(),
            undoes: change.undoes,
            named: Vec::new(),
        }
    }

    /// With the records that are on record, named as the statement of a step names them.
    pub(super) fn with_records(mut self, change: &NewChange) -> AuditedChange {
        let records = change.records.iter();
        let mut ids: Vec<_> = records.map(|record| (&record.kind, &record.id)).collect();
        ids.sort_unstable();
        ids.dedup();
        let first = ids.into_iter().take(NAMED_RECORDS);
        self.named = first.map(|(kind, id)| format!("{kind}:{id}")).collect();
        self
    }

    /// That it came into this state.
    pub(super) fn step<'a>(
        &'a self,
        id: ChangeId,
        state: ChangeState,
        message: Option<&'a str>,
    ) -> AuditedStep<'a> {
        AuditedStep {
            id: id.number(),
            state,
            door: &self.door,
            caller: &self.caller,
            client: self.client.as_deref(),
            connector: &self.connector,
            tool: &self.tool,
            effect: &self.effect,
            fingerprint: &self.fingerprint,
            undoes: self.undoes.map(ChangeId::number),
            decided_by: None,
            message,
            named: self.named.clone(),
            last: None,
        }
    }
}
