//! One task: its status, its open questions, its end, and how it stands on the wire. Knows nothing
//! of other tasks.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::store::{Room, Stored};
use super::{TaskLimits, Watch, timestamp};
use crate::limits;
use crate::output::{Failure, fail};
use crate::protocol_error::ProtocolError;
use crate::question::{ClientQuestion, Questions};
use crate::reply::TaskSnapshot;

/// A task.
pub(crate) struct Task {
    pub(super) id: String,
    pub(super) owner: Option<String>,
    /// The tool that it is a call of.
    pub(crate) tool: String,
    pub(super) expires: Instant,
    created_at: String,
    ttl: Duration,
    poll_interval: Duration,
    room: Arc<Room>,
    state: Mutex<TaskState>,
}

struct TaskState {
    end: Option<End>,
    /// What stops the work while it is under way.
    work: Option<AbortHandle>,
    message: Option<String>,
    updated: SystemTime,
    /// By their keys.
    questions: BTreeMap<String, OpenQuestion>,
    /// Every key there ever was: none is used twice.
    keys: HashSet<String>,
    rounds: u64,
    watches: Vec<Weak<Watch>>,
}

/// The end of a task; never changes.
enum End {
    Completed(Stored),
    /// With the JSON of its error.
    Failed(String),
    Cancelled,
}

/// A question that waits for its answer.
struct OpenQuestion {
    name: String,
    question: ClientQuestion,
    round: u64,
    answer: oneshot::Sender<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskFields<'a> {
    task_id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    created_at: &'a str,
    last_updated_at: String,
    ttl_ms: u64,
    poll_interval_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_requests: Option<BTreeMap<&'a str, &'a ClientQuestion>>,
}

impl Task {
    pub(super) fn new(
        id: String,
        owner: Option<String>,
        tool: &str,
        limits: &TaskLimits,
        room: Arc<Room>,
    ) -> Self {
        let now = SystemTime::now();
        let state = TaskState {
            end: None,
            work: None,
            message: None,
            updated: now,
            questions: BTreeMap::new(),
            keys: HashSet::new(),
            rounds: 0,
            watches: Vec::new(),
        };
        Self {
            id,
            owner,
            tool: tool.to_owned(),
            expires: Instant::now() + limits.ttl,
            created_at: timestamp::text(now),
            ttl: limits.ttl,
            poll_interval: limits.poll_interval,
            room,
            state: Mutex::new(state),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// How long the work may still take.
    pub(crate) fn time_left(&self) -> Duration {
        self.expires.saturating_duration_since(Instant::now())
    }

    pub(crate) fn runs_as(&self, work: AbortHandle) {
        let mut state = self.state();
        if state.end.is_none() {
            state.work = Some(work);
        }
    }

    /// Stops the work, whatever becomes of the task.
    pub(super) fn stop(&self) {
        let work = self.state().work.take();
        if let Some(work) = work {
            work.abort();
        }
    }

    /// Says how far the work is.
    pub(crate) fn say(&self, message: String) {
        let mut state = self.state();
        if state.end.is_none() {
            state.message = Some(message);
            self.changed(&mut state);
        }
    }

    pub(crate) fn complete(&self, result: Vec<u8>) {
        match self.room.store(result) {
            Ok(stored) => drop(self.end(End::Completed(stored), None)),
            Err(error) => self.fail(&error),
        }
    }

    pub(crate) fn fail(&self, error: &ProtocolError) {
        drop(self.end(
            End::Failed(error.to_json().to_string()),
            Some(error.message.to_string()),
        ));
    }

    /// Ends the task on its client's word. One that has ended stays as it ended.
    pub(crate) fn cancel(&self) {
        if let Some(work) = self.end(End::Cancelled, Some("cancelled by the client".to_owned())) {
            work.abort();
        }
    }

    /// Ends the task unless it has ended; gives what stops its work.
    fn end(&self, end: End, message: Option<String>) -> Option<AbortHandle> {
        let mut state = self.state();
        if state.end.is_none() {
            (state.end, state.message) = (Some(end), message);
            state.questions.clear();
            self.changed(&mut state);
        }
        state.work.take()
    }

    /// Asks the client and waits until everything is answered.
    pub(crate) async fn ask(
        &self,
        questions: Questions,
    ) -> Result<BTreeMap<String, Value>, Failure> {
        let mut waiting = Vec::with_capacity(questions.len());
        let round = {
            let mut state = self.state();
            state.rounds += 1;
            let round = state.rounds;
            if state.end.is_some() || state.keys.len() + questions.len() > limits::TASK_QUESTIONS {
                return Err(unanswered());
            }
            for (name, question) in questions {
                let (answer, answered) = oneshot::channel();
                waiting.push((name.clone(), answered));
                state.open(OpenQuestion {
                    name,
                    question,
                    round,
                    answer,
                });
            }
            self.changed(&mut state);
            AskedRound { task: self, round }
        };
        let mut answers = BTreeMap::new();
        for (name, answered) in waiting {
            answers.insert(name, answered.await.map_err(|_| unanswered())?);
        }
        drop(round);
        Ok(answers)
    }

    /// Takes the client's answers. One to a question that is not open is passed over; one that does
    /// not fit its question leaves that open, under another key.
    pub(crate) fn answer(&self, answers: Map<String, Value>) {
        let mut state = self.state();
        let mut is_news = false;
        for (key, answer) in answers {
            let Some(open) = state.questions.remove(&key) else {
                continue;
            };
            is_news = true;
            if open.question.admits(&answer) {
                // Nobody waits any more when the work went another way meanwhile.
                let _delivered = open.answer.send(answer);
            } else if state.keys.len() < limits::TASK_QUESTIONS {
                state.open(open);
            }
        }
        if is_news {
            self.changed(&mut state);
        }
    }

    /// Has a listener hear of every change from now on, and of how the task stands now.
    pub(crate) fn tell(&self, watch: &Arc<Watch>) {
        let mut state = self.state();
        state.watches.retain(|watch| watch.strong_count() > 0);
        state.watches.push(Arc::downgrade(watch));
        watch.mark(&self.id);
    }

    /// The task as a client sees it when it is created.
    pub(crate) fn seed(&self) -> String {
        self.fields(&self.state(), None)
    }

    /// The task as it stands.
    pub(crate) fn snapshot(&self) -> TaskSnapshot {
        let state = self.state();
        let questions = || {
            state
                .questions
                .iter()
                .map(|(key, open)| (key.as_str(), &open.question))
                .collect()
        };
        let mut fields = self.fields(&state, (!state.questions.is_empty()).then(questions));
        let result = match &state.end {
            Some(End::Completed(stored)) => Some(stored.bytes.clone()),
            Some(End::Failed(error)) => {
                fields.push_str(r#","error":"#);
                fields.push_str(error);
                None
            }
            Some(End::Cancelled) | None => None,
        };
        TaskSnapshot { fields, result }
    }

    fn fields(
        &self,
        state: &TaskState,
        input_requests: Option<BTreeMap<&str, &ClientQuestion>>,
    ) -> String {
        let fields = TaskFields {
            task_id: &self.id,
            status: state.status(),
            status_message: state.message.as_deref(),
            created_at: &self.created_at,
            last_updated_at: timestamp::text(state.updated),
            ttl_ms: milliseconds(self.ttl),
            poll_interval_ms: milliseconds(self.poll_interval),
            input_requests,
        };
        let json = serde_json::to_string(&fields).unwrap_or_default();
        json.strip_prefix('{')
            .and_then(|json| json.strip_suffix('}'))
            .unwrap_or_default()
            .to_owned()
    }

    fn changed(&self, state: &mut TaskState) {
        // The clock of the system may go back; the task's does not.
        state.updated = state.updated.max(SystemTime::now());
        for watch in state.watches.iter().filter_map(Weak::upgrade) {
            watch.mark(&self.id);
        }
    }

    fn state(&self) -> MutexGuard<'_, TaskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TaskState {
    fn status(&self) -> &'static str {
        match self.end {
            Some(End::Completed(_)) => "completed",
            Some(End::Failed(_)) => "failed",
            Some(End::Cancelled) => "cancelled",
            None if self.questions.is_empty() => "working",
            None => "input_required",
        }
    }

    /// Opens a question under a key that there never was.
    fn open(&mut self, open: OpenQuestion) {
        let mut key = open.name.clone();
        let mut number = 1;
        while !self.keys.insert(key.clone()) {
            number += 1;
            key = format!("{}-{number}", open.name);
        }
        self.questions.insert(key, open);
    }
}

/// Questions that were asked together; takes back what is unanswered when nobody waits for it any
/// more.
struct AskedRound<'a> {
    task: &'a Task,
    round: u64,
}

impl Drop for AskedRound<'_> {
    fn drop(&mut self) {
        let mut state = self.task.state();
        let before = state.questions.len();
        state.questions.retain(|_, open| open.round != self.round);
        if state.questions.len() != before {
            self.task.changed(&mut state);
        }
    }
}

fn unanswered() -> Failure {
    fail("the user was asked too often in this task, or it has ended; there is no answer")
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
