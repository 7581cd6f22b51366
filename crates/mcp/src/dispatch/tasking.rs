//! Requests about tasks, and calls that begin as tasks. Tasks are kept and ended elsewhere.

use std::sync::Arc;

use ::http::StatusCode;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::calling::StartedWork;
use super::request::RequestDispatch;
use super::{Dispatched, MessageAnswer, task_driving};
use crate::call::RequestContext;
use crate::client::Client;
use crate::endpoint::{SeenThings, Started};
use crate::protocol_error::ProtocolError;
use crate::reply::Reply;
use crate::request_meta::Params;
use crate::tasks::{self, Task, Tasks};

impl<C: Send + Sync + 'static> RequestDispatch<'_, C> {
    /// A request about a task.
    pub(super) fn about_task(
        &self,
        params: &Params<'_>,
        context: &Arc<RequestContext>,
    ) -> Result<Dispatched<C>, ProtocolError> {
        let tasks = self
            .tasks
            .ok_or_else(|| ProtocolError::unknown_method(&self.method))?;
        check_knows_tasks(&context.client)?;
        let id = Params::text(params.task_id, "taskId")?;
        let seen = self
            .catalog
            .things_for(self.arrival.caller, || Arc::clone(context));
        let task = self
            .own_task(tasks, &seen, &id)
            .ok_or_else(|| ProtocolError::unknown_task(&id))?;
        let tail = &self.catalog.identity.modern_tail;
        match &*self.method {
            "tasks/get" => {
                let reply = Some(Reply::task(self.id, task.snapshot(), tail));
                return Ok(Dispatched::Answered(MessageAnswer {
                    status: StatusCode::OK,
                    reply,
                }));
            }
            "tasks/update" => task.answer(responses(params.input_responses)?),
            _ => task.cancel(),
        }
        // The tail closes an object that is not empty.
        let acknowledged = tail.strip_prefix(',').unwrap_or(tail);
        Ok(self.ready(format!("{{{acknowledged}").into()))
    }

    /// A task that the caller began with a tool that it still sees. Any other is as unknown as one
    /// that never was.
    pub(super) fn own_task(
        &self,
        tasks: &Tasks,
        seen: &SeenThings<'_, C>,
        id: &str,
    ) -> Option<Arc<Task>> {
        let principal = self
            .catalog
            .identity
            .profile
            .principal_of(self.arrival.caller);
        tasks
            .find(id, principal.as_deref())
            .filter(|task| seen.tool(&task.tool).is_some())
    }

    /// A call that was started, under way: as a task that is handed out at once, or as a call.
    pub(super) fn under_way(&self, started: Started) -> Result<StartedWork<C>, ProtocolError> {
        let Started {
            running,
            structured,
            task,
        } = started;
        let (Some(task), Some(tasks)) = (task, self.tasks) else {
            return Ok(StartedWork::Tool {
                running,
                structured,
            });
        };
        // The work is under way before anybody hears of the task: a connection that ends now
        // leaves no task without work.
        let reply = Reply::created_task(self.id, &task.seed(), &self.catalog.identity.modern_meta);
        if task_driving::go_on(&task, running, structured, &self.catalog) {
            return Ok(StartedWork::Task(reply));
        }
        tasks.forget(&task);
        Err(ProtocolError::internal())
    }
}

/// Refuses a client that does not know tasks.
pub(super) fn check_knows_tasks(client: &Client) -> Result<(), ProtocolError> {
    if tasks::knows_tasks(client) {
        Ok(())
    } else {
        Err(ProtocolError::missing_capability(&tasks::capability()))
    }
}

fn responses(raw: Option<&RawValue>) -> Result<Map<String, Value>, ProtocolError> {
    let raw = raw.ok_or_else(|| ProtocolError::invalid_params("`inputResponses` is missing"))?;
    serde_json::from_str(raw.get())
        .map_err(|error| ProtocolError::invalid_params(format!("`inputResponses`: {error}")))
}
