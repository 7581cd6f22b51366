//! The errors of a call that never reached a tool, for the program that made it and as errors of
//! the protocol.

use serde_json::Value;

use crate::protocol_error::{ProtocolError, excerpt};
use crate::question::InputRequired;

/// The reason why a call never reached a tool. Everything that goes wrong inside a tool is an
/// [`crate::Output`] with [`crate::Output::error_kind`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No tool of this name is visible to the caller.
    #[error("unknown tool: {0}")]
    UnknownTool(String),
    /// The arguments are not a JSON object.
    #[error("`arguments` must be an object")]
    ArgumentsNotAnObject,
    /// The arguments are JSON that cannot be read, such as one that is nested too deeply; the
    /// reader's own words.
    #[error("`arguments`: {0}")]
    ArgumentsUnreadable(String),
    /// The user has to be asked first. Only a client of 2026-07-28 gets this far; it answers and
    /// calls again.
    #[error("the user has to be asked first")]
    InputRequired(Box<InputRequired>),
    /// The client did not declare these capabilities. A call from within the program declares none.
    #[error("the client did not declare a capability that this needs")]
    MissingCapability(Value),
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// The call must become a task, and there is no room for one more; why.
    #[error("{0}")]
    NoTask(String),
}

impl From<CallError> for ProtocolError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::UnknownTool(name) => {
                Self::invalid_params(format!("unknown tool: {}", excerpt(&name)))
            }
            CallError::MissingCapability(capabilities) => Self::missing_capability(&capabilities),
            CallError::Forbidden(message) => Self::forbidden(message),
            CallError::NoTask(message) => Self::no_task(message),
            // Whoever can ask the client has asked it before this.
            CallError::InputRequired(_) => Self::internal(),
            CallError::ArgumentsNotAnObject | CallError::ArgumentsUnreadable(_) => {
                Self::invalid_params(error.to_string())
            }
        }
    }
}
