//! The wait of the test client for the end of a task, answering what it asks meanwhile. It waits
//! for news, not for time to pass.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Collected, TestClient, TestError};
use crate::tasks::Watch;

impl<C: Send + Sync + 'static> TestClient<C> {
    /// The result that a task comes to, from the result that handed it out.
    pub(super) async fn outcome(
        &self,
        handed_out: &Value,
        messages: &Arc<Collected>,
    ) -> Result<Value, TestError> {
        let id = handed_out
            .get("taskId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let principal = self
            .endpoint
            .catalog()
            .identity
            .profile
            .principal_of(&self.caller);
        let task = self
            .endpoint
            .tasks()
            .and_then(|tasks| tasks.find(id, principal.as_deref()));
        let task = task.ok_or_else(|| error(-32602, format!("the task {id:?} is not kept")))?;
        let watch = Arc::new(Watch::default());
        task.tell(&watch);
        drop(task);
        let mut params = Map::new();
        params.insert("taskId".to_owned(), Value::from(id));
        params.insert("_meta".to_owned(), self.meta());
        loop {
            watch.next().await;
            let mut state = self.round_trip("tasks/get", &params, messages).await?;
            match state.get("status").and_then(Value::as_str) {
                Some("completed") => {
                    return Ok(state.get_mut("result").map(Value::take).unwrap_or_default());
                }
                Some("failed") => {
                    return Err(TestError::of(
                        state.get_mut("error").map(Value::take).unwrap_or_default(),
                    ));
                }
                Some("cancelled") => {
                    return Err(error(-32603, "the task was cancelled".to_owned()));
                }
                _ => {}
            }
            if let Some(Value::Object(questions)) = state.get("inputRequests") {
                let mut answers = params.clone();
                answers.insert("inputResponses".to_owned(), self.answers_to(questions)?);
                self.round_trip("tasks/update", &answers, messages).await?;
            }
        }
    }
}

/// The capabilities with that of tasks among them.
pub(super) fn with_tasks(mut capabilities: Value) -> Value {
    if let Some(capabilities) = capabilities.as_object_mut()
        && let Some(extensions) = capabilities
            .entry("extensions")
            .or_insert_with(|| json!({}))
            .as_object_mut()
    {
        extensions.insert(crate::tasks::EXTENSION.to_owned(), json!({}));
    }
    capabilities
}

fn error(code: i64, message: String) -> TestError {
    TestError {
        code,
        message,
        data: None,
    }
}
