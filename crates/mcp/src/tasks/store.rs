//! The tasks of one endpoint: a map, swept when it is looked into. Which of them a request may see
//! depends on who asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use tokio::time::Instant;

use super::{Task, TaskLimits};
use crate::protocol_error::ProtocolError;

/// The tasks of an endpoint. Ends what still runs when it is dropped.
pub(crate) struct Tasks {
    limits: TaskLimits,
    table: Mutex<TaskTable>,
    room: Arc<Room>,
}

#[derive(Default)]
struct TaskTable {
    tasks: HashMap<String, Arc<Task>>,
    /// How many tasks each caller has.
    of_callers: HashMap<String, usize>,
    /// When the next of them ends its time.
    next_sweep: Option<Instant>,
}

impl Tasks {
    pub(crate) fn new(limits: TaskLimits) -> Self {
        let room = Room {
            of_a_result: limits.result_bytes,
            of_all_results: limits.all_result_bytes,
            taken: AtomicUsize::new(0),
        };
        Self {
            limits,
            table: Mutex::default(),
            room: Arc::new(room),
        }
    }

    /// A new task that is under way; the error says that there are too many.
    pub(crate) fn create(
        &self,
        owner: Option<String>,
        tool: &str,
    ) -> Result<Arc<Task>, ProtocolError> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes).map_err(|_| ProtocolError::internal())?;
        let id = URL_SAFE_NO_PAD.encode(bytes);
        let mut table = self.swept_table();
        let too_many = |limit| ProtocolError::too_many_tasks(limit);
        if table.tasks.len() >= self.limits.tasks {
            return Err(too_many(self.limits.tasks));
        }
        if let Some(owner) = &owner {
            if table
                .of_callers
                .get(owner)
                .is_some_and(|count| *count >= self.limits.tasks_of_a_caller)
            {
                return Err(too_many(self.limits.tasks_of_a_caller));
            }
            *table.of_callers.entry(owner.clone()).or_default() += 1;
        }
        let task = Arc::new(Task::new(
            id,
            owner,
            tool,
            &self.limits,
            Arc::clone(&self.room),
        ));
        table.next_sweep = table.next_sweep.or(Some(task.expires));
        table.tasks.insert(task.id.clone(), Arc::clone(&task));
        Ok(task)
    }

    /// The task of this id, when it belongs to this caller.
    pub(crate) fn find(&self, id: &str, owner: Option<&str>) -> Option<Arc<Task>> {
        let table = self.swept_table();
        table
            .tasks
            .get(id)
            .filter(|task| task.owner.as_deref() == owner)
            .map(Arc::clone)
    }

    /// Ends a task before its time.
    pub(crate) fn forget(&self, task: &Task) {
        self.swept_table().remove(&task.id);
    }

    /// The tasks, without those whose time is over.
    fn swept_table(&self) -> MutexGuard<'_, TaskTable> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if table.next_sweep.is_some_and(|next| next <= now) {
            let over: Vec<String> = table
                .tasks
                .values()
                .filter(|task| task.expires <= now)
                .map(|task| task.id.clone())
                .collect();
            over.iter().for_each(|id| table.remove(id));
            table.next_sweep = table.tasks.values().map(|task| task.expires).min();
        }
        table
    }
}

impl TaskTable {
    fn remove(&mut self, id: &str) {
        let Some(task) = self.tasks.remove(id) else {
            return;
        };
        task.stop();
        if let Some(owner) = &task.owner
            && let Some(count) = self.of_callers.get_mut(owner)
        {
            *count -= 1;
            if *count == 0 {
                self.of_callers.remove(owner);
            }
        }
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        let table = self.table.get_mut().unwrap_or_else(PoisonError::into_inner);
        table.tasks.values().for_each(|task| task.stop());
    }
}

/// The room for results: how many bytes may be kept, and how many are.
pub(super) struct Room {
    of_a_result: usize,
    of_all_results: usize,
    taken: AtomicUsize,
}

/// A result that takes room until it is dropped.
pub(super) struct Stored {
    pub(super) bytes: Bytes,
    room: Arc<Room>,
}

impl Room {
    /// Takes room for a result; the error says why there is none.
    pub(super) fn store(self: &Arc<Self>, bytes: Vec<u8>) -> Result<Stored, ProtocolError> {
        let size = bytes.len();
        if size > self.of_a_result {
            return Err(ProtocolError::result_too_large(size, self.of_a_result));
        }
        let taken = self.taken.fetch_add(size, Ordering::Relaxed);
        // From here on the room is given back by dropping.
        let stored = Stored {
            bytes: Bytes::from(bytes),
            room: Arc::clone(self),
        };
        if taken.saturating_add(size) > self.of_all_results {
            Err(ProtocolError::no_room_for_result())
        } else {
            Ok(stored)
        }
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.room
            .taken
            .fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}
