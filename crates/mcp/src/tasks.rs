//! Tasks, calls that go on after their answer: what is kept of one, and for how long. Reads no
//! request. Source: extension `io.modelcontextprotocol/tasks`, revision 2026-07-28.

mod prospect;
mod store;
mod task;
mod timestamp;
mod watch;

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::limits;
pub(crate) use prospect::Prospect;
pub(crate) use store::Tasks;
pub(crate) use task::Task;
pub(crate) use watch::Watch;

/// The name of the extension among the capabilities of both sides.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// The use of tasks by a tool: whether its calls can do without becoming one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskUse {
    /// A client that knows tasks gets one; any other waits for the answer as for every tool.
    Optional,
    /// A client that does not know tasks is refused with -32021.
    Required,
}

/// How many tasks an endpoint keeps, for how long, and how much of them. They are kept in memory: a
/// restart forgets them.
#[derive(Debug, Clone)]
pub struct TaskLimits {
    pub(crate) ttl: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) tasks: usize,
    pub(crate) tasks_of_a_caller: usize,
    pub(crate) result_bytes: usize,
    pub(crate) all_result_bytes: usize,
}

impl Default for TaskLimits {
    fn default() -> Self {
        Self {
            ttl: limits::TASK_TIME,
            poll_interval: limits::TASK_POLL_INTERVAL,
            tasks: limits::TASKS,
            tasks_of_a_caller: limits::TASKS_OF_A_CALLER,
            result_bytes: limits::TASK_RESULT_BYTES,
            all_result_bytes: limits::ALL_TASK_RESULT_BYTES,
        }
    }
}

impl TaskLimits {
    /// How long a task is kept from its creation on, under way or done; work that is not done by
    /// then is stopped. It takes the place of the tool's time limit. Default: 1 hour.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How often clients are told to ask how it stands. Default: 1 s.
    #[must_use]
    pub fn poll_interval(mut self, poll_interval: Duration) -> Self {
        self.poll_interval = poll_interval;
        self
    }

    /// Most tasks at the same time. Default: 1000.
    #[must_use]
    pub fn tasks(mut self, tasks: usize) -> Self {
        self.tasks = tasks;
        self
    }

    /// Most tasks of one caller, as [`crate::EndpointBuilder::principal`] tells them apart; without
    /// that there is no such limit. Default: 100.
    #[must_use]
    pub fn tasks_of_a_caller(mut self, tasks_of_a_caller: usize) -> Self {
        self.tasks_of_a_caller = tasks_of_a_caller;
        self
    }

    /// Most bytes of one result; a longer one makes the task fail. Default: 4 MiB.
    #[must_use]
    pub fn result_bytes(mut self, result_bytes: usize) -> Self {
        self.result_bytes = result_bytes;
        self
    }

    /// Most bytes of all results together; one that has no room makes its task fail. Default: 64
    /// MiB.
    #[must_use]
    pub fn all_result_bytes(mut self, all_result_bytes: usize) -> Self {
        self.all_result_bytes = all_result_bytes;
        self
    }
}

impl TaskLimits {
    /// What of it cannot be.
    pub(crate) fn problems(&self) -> Vec<String> {
        let times = Duration::from_millis(1)..=limits::LONGEST_TASK_TIME;
        let wrong = [("ttl", self.ttl), ("poll interval", self.poll_interval)]
            .into_iter()
            .filter(|(_, time)| !times.contains(time));
        let longest = limits::LONGEST_TASK_TIME.as_secs();
        wrong
            .map(|(what, time)| {
                format!("the {what} of tasks must be 1 ms to {longest} s; it is {time:?}")
            })
            .collect()
    }
}

/// Whether a client knows tasks, by the capabilities of its request.
pub(crate) fn knows_tasks(client: &Client) -> bool {
    client.extension(EXTENSION).is_some_and(Value::is_object)
}

/// What a client that does not know tasks would have to declare.
pub(crate) fn capability() -> Value {
    json!({ "extensions": { EXTENSION: {} } })
}
