//! A call inside another one, whose answer goes to a filter and not to the caller: it only reads,
//! and spends of the budget that all such calls of one query have.

use footbridge_connector::{SharedBudget, ToolEffect};
use footbridge_mcp::{Failure, fail};

/// What a call inside another has beside its arguments; sent along by the tools that call others
/// alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct ComposedCall(SharedBudget);

impl ComposedCall {
    /// Refuses what changes something, whatever was looked at before.
    pub(super) fn check(&self, effect: ToolEffect, tool: &str) -> Result<(), Failure> {
        match effect {
            ToolEffect::Read => Ok(()),
            ToolEffect::Write | ToolEffect::Destroy => Err(fail(format!(
                "{tool} changes things, and inside another call there is only reading"
            ))),
        }
    }

    pub(super) fn budget(self) -> SharedBudget {
        self.0
    }
}
