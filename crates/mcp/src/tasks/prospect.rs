//! A call that may become a task, and the task it became. Does not decide when.

use std::sync::{Arc, OnceLock, Weak};

use super::{Task, Tasks};
use crate::protocol_error::ProtocolError;

/// The things it takes to make a task of a call.
pub(crate) struct Prospect {
    /// The tasks hold the work and the work holds this, so it holds the tasks weakly.
    tasks: Weak<Tasks>,
    owner: Option<String>,
    tool: String,
    begun: OnceLock<Arc<Task>>,
}

impl Prospect {
    pub(crate) fn new(tasks: &Arc<Tasks>, owner: Option<String>, tool: &str) -> Self {
        Self {
            tasks: Arc::downgrade(tasks),
            owner,
            tool: tool.to_owned(),
            begun: OnceLock::new(),
        }
    }

    /// The task that the call became.
    pub(crate) fn task(&self) -> Option<&Arc<Task>> {
        self.begun.get()
    }

    /// Makes the task.
    pub(crate) fn begin(&self) -> Result<(), ProtocolError> {
        let tasks = self.tasks.upgrade().ok_or_else(ProtocolError::stopping)?;
        let task = tasks.create(self.owner.clone(), &self.tool)?;
        if let Err(second) = self.begun.set(task) {
            tasks.forget(&second);
        }
        Ok(())
    }
}
