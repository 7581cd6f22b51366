//! The brakes at `/xapi2`: those of all other callers, for each account that writes rows there.

use std::sync::Arc;
use std::time::Duration;

use footbridge_board::{RowBrakes, RowHeld, RowPassing, RowWanted};

use super::BoardJournal;
use crate::audit_trail::{AuditTrail, AuditedRow};
use crate::brakes::Brakes;
use crate::caller::account_name;

/// What holds the accounts of the local board that write rows too fast.
#[derive(Debug)]
pub(crate) struct BoardBrakes {
    pub(crate) brakes: Brakes,
    pub(crate) trail: AuditTrail,
    pub(crate) journal: Arc<BoardJournal>,
}

impl RowBrakes for BoardBrakes {
    fn pass<'a>(&'a self, wanted: RowWanted<'a>) -> RowPassing<'a> {
        Box::pin(async move {
            let connector = &self.journal.connector;
            let passed = self.brakes.pass_account(wanted.account_name, connector);
            let refusal = match passed.await {
                Ok(permit) => return Ok(Box::new(permit) as _),
                Err(refusal) => refusal,
            };
            let why = refusal.to_string();
            let tool = self.journal.tool_name(wanted.model, wanted.operation);
            let row = AuditedRow {
                caller: Some(&account_name(wanted.account_name)),
                ..self.journal.refused(&tool, wanted.client)
            };
            self.trail.refused_row(row, "brakes", &why);
            Err(RowHeld {
                why,
                retry_after: Duration::from_secs(refusal.wait),
            })
        })
    }
}
