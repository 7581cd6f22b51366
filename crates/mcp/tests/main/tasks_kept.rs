//! How many tasks are kept, for how long, and how much of them. In memory, on a clock that the
//! tests move.

use std::time::Duration;

use footbridge_mcp::testing::{TestClient, TestError};
use footbridge_mcp::{Endpoint, Output, TaskLimits, TaskUse, limits};
use serde_json::{Value, json};
use tokio::time::advance;

use crate::hall::{Person, builder, person, tool};
use crate::jobs::{definition, jobs_builder, knowing};
use crate::schemas::{self, MODERN};
use crate::wire::InMemory as _;

struct Kept {
    endpoint: Endpoint<Person>,
    person: Person,
    told: tokio::sync::mpsc::UnboundedReceiver<String>,
}

fn kept(limits: TaskLimits) -> Kept {
    let (person, told) = person();
    Kept {
        endpoint: jobs_builder(limits).build().unwrap(),
        person,
        told,
    }
}

impl Kept {
    fn client(&self, user: &str) -> TestClient<Person> {
        let person = Person {
            name: user.to_owned(),
            ..self.person.clone()
        };
        self.endpoint.client(person).capabilities(knowing())
    }

    async fn request(&self, user: &str, method: &str, params: Value) -> Result<Value, TestError> {
        let result = self
            .client(user)
            .request(method, params)
            .await?
            .result()
            .clone();
        let message = json!({"jsonrpc": "2.0", "id": 1, "result": result});
        schemas::check(MODERN, definition(method, &message), &message);
        Ok(result)
    }

    async fn begin(&self, user: &str, tool: &str, arguments: Value) -> Result<String, TestError> {
        let result = self
            .request(
                user,
                "tools/call",
                json!({"name": tool, "arguments": arguments}),
            )
            .await?;
        assert_eq!(result["resultType"], "task", "{result}");
        Ok(result["taskId"].as_str().unwrap().to_owned())
    }

    async fn get(&self, user: &str, task: &str) -> Result<Value, TestError> {
        self.request(user, "tasks/get", json!({ "taskId": task }))
            .await
    }

    /// The task when it has ended.
    async fn ended(&self, task: &str) -> Value {
        loop {
            let state = self.get("ada", task).await.unwrap();
            if state["status"] != "working" {
                return state;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_is_kept_for_its_time_and_not_longer() {
    let mut kept = kept(
        TaskLimits::default()
            .ttl(Duration::from_secs(60))
            .poll_interval(Duration::from_millis(50)),
    );
    let (running, done) = (
        kept.begin("ada", "job", json!({})).await.unwrap(),
        kept.begin("ada", "long", json!({"bytes": 1}))
            .await
            .unwrap(),
    );
    assert_eq!(kept.told.recv().await.unwrap(), "started");
    assert_eq!(kept.ended(&done).await["status"], "completed");
    let state = kept.get("ada", &running).await.unwrap();
    assert_eq!(
        (&state["ttlMs"], &state["pollIntervalMs"]),
        (&json!(60_000), &json!(50))
    );
    advance(Duration::from_millis(59_999)).await;
    assert_eq!(kept.get("ada", &done).await.unwrap()["status"], "completed");
    assert_eq!(
        kept.get("ada", &running).await.unwrap()["status"],
        "working"
    );
    assert!(kept.told.try_recv().is_err());
    advance(Duration::from_millis(1)).await;
    for id in [&running, &done] {
        let error = kept.get("ada", id).await.unwrap_err();
        assert_eq!(
            (error.code, error.message.contains("unknown task")),
            (-32602, true),
            "{error}"
        );
    }
    assert_eq!(
        kept.told.recv().await.unwrap(),
        "cancelled",
        "work past its time is dropped"
    );
}

/// The tool's own time limit is for those who wait for it.
#[tokio::test(start_paused = true)]
async fn a_task_may_take_longer_than_a_call() {
    let mut kept = kept(TaskLimits::default());
    let id = kept.begin("ada", "job", json!({})).await.unwrap();
    assert_eq!(kept.told.recv().await.unwrap(), "started");
    advance(limits::TOOL_TIME * 3).await;
    tokio::task::yield_now().await;
    assert_eq!(kept.get("ada", &id).await.unwrap()["status"], "working");
    kept.person.gate.add_permits(1);
    assert_eq!(
        kept.ended(&id).await["result"]["content"][0]["text"],
        "done"
    );
    // The same tool as a call is stopped.
    let waits = kept.endpoint.client(kept.person.clone());
    let late = waits.call("job", json!({})).await.unwrap();
    assert!(
        late.is_error() && late.text().contains("time limit"),
        "{}",
        late.text()
    );
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_tasks_of_a_caller_and_of_all() {
    let kept = kept(
        TaskLimits::default()
            .tasks(3)
            .tasks_of_a_caller(2)
            .ttl(Duration::from_secs(60)),
    );
    let begin = |user: &'static str, tool: &'static str| kept.begin(user, tool, json!({}));
    let first = begin("ada", "job").await.unwrap();
    advance(Duration::from_secs(30)).await;
    begin("ada", "job").await.unwrap();
    let refused = begin("ada", "job").await.unwrap_err();
    assert_eq!(
        (refused.code, refused.message.contains("2 tasks")),
        (-32603, true),
        "{refused}"
    );
    // Cancelled or done, a task has a place until its time is over: its client may still ask for
    // it.
    kept.request("ada", "tasks/cancel", json!({ "taskId": first }))
        .await
        .unwrap();
    assert_eq!(begin("ada", "job").await.unwrap_err().code, -32603);
    // What was refused before anything ran took no place.
    let wrong = kept.client("eve").call("strict", json!({})).await.unwrap();
    assert!(wrong.is_error());
    begin("eve", "job").await.unwrap();
    let refused = begin("eve", "job").await.unwrap_err();
    assert_eq!(
        (refused.code, refused.message.contains("3 tasks")),
        (-32603, true),
        "{refused}"
    );
    // A tool that begins its task itself tells the model.
    let told = kept
        .client("eve")
        .call("sometimes", json!({"long": true}))
        .await
        .unwrap();
    assert!(
        told.is_error() && told.text().contains("3 tasks"),
        "{}",
        told.text()
    );
    advance(Duration::from_secs(30)).await;
    begin("ada", "job").await.unwrap();
    assert_eq!(begin("ada", "job").await.unwrap_err().code, -32603);
}

#[tokio::test]
async fn a_result_has_its_room_or_its_task_fails() {
    let envelope = {
        let kept = kept(TaskLimits::default());
        let id = kept
            .begin("ada", "long", json!({"bytes": 0}))
            .await
            .unwrap();
        kept.ended(&id).await["result"].to_string().len()
    };
    let kept = kept(
        TaskLimits::default()
            .result_bytes(envelope + 100)
            .all_result_bytes(2 * (envelope + 100)),
    );
    let status = async |bytes: usize| {
        let id = kept
            .begin("ada", "long", json!({ "bytes": bytes }))
            .await
            .unwrap();
        let state = kept.ended(&id).await;
        (
            id,
            state["status"].as_str().unwrap().to_owned(),
            state["error"]["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let (_, failed, why) = status(101).await;
    assert_eq!(
        (
            failed.as_str(),
            why.contains(&format!("{} at most", envelope + 100))
        ),
        ("failed", true),
        "{why}"
    );
    assert_eq!(status(100).await.1, "completed");
    assert_eq!(status(100).await.1, "completed");
    let (_, failed, why) = status(0).await;
    assert_eq!(
        (failed.as_str(), why.contains("no room")),
        ("failed", true),
        "{why}"
    );
}

/// Room is given back with the task.
#[tokio::test(start_paused = true)]
async fn results_that_are_gone_take_no_room() {
    let kept = kept(
        TaskLimits::default()
            .all_result_bytes(1000)
            .ttl(Duration::from_secs(60)),
    );
    for _ in 0..10 {
        let id = kept
            .begin("ada", "long", json!({"bytes": 700}))
            .await
            .unwrap();
        assert_eq!(kept.ended(&id).await["status"], "completed");
        let id = kept
            .begin("ada", "long", json!({"bytes": 700}))
            .await
            .unwrap();
        assert_eq!(kept.ended(&id).await["status"], "failed");
        advance(Duration::from_secs(60)).await;
    }
}

/// The end of the work and its cancellation meet on several threads; there is one end all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_end_once_each() {
    const TASKS: usize = 100;
    let mut kept = kept(TaskLimits::default().tasks_of_a_caller(TASKS));
    let mut ids = Vec::new();
    for _ in 0..TASKS {
        ids.push(kept.begin("ada", "job", json!({})).await.unwrap());
    }
    let opening = tokio::spawn({
        let gate = std::sync::Arc::clone(&kept.person.gate);
        async move {
            for _ in 0..TASKS {
                gate.add_permits(1);
                tokio::task::yield_now().await;
            }
        }
    });
    for id in ids.iter().rev() {
        kept.request("ada", "tasks/cancel", json!({ "taskId": id }))
            .await
            .unwrap();
    }
    opening.await.unwrap();
    let mut cancelled = 0;
    for id in &ids {
        let state = kept.ended(id).await;
        let is_cancelled = state["status"] == "cancelled";
        assert!(
            is_cancelled || state["result"]["content"][0]["text"] == "done",
            "{state}"
        );
        cancelled += usize::from(is_cancelled);
        assert_eq!(kept.get("ada", id).await.unwrap(), state);
    }
    // A task that is done says so after its tool; one that was cancelled at its end may have come
    // to it.
    let mut finished = 0;
    while let Ok(told) = kept.told.try_recv() {
        finished += usize::from(told == "finished");
    }
    assert!(
        finished >= TASKS - cancelled,
        "{finished} finished, {cancelled} were cancelled"
    );
}

/// Tasks live as long as their endpoint: no work goes on that nobody can ask for.
#[tokio::test]
async fn the_end_of_an_endpoint_ends_its_tasks() {
    let mut kept = kept(TaskLimits::default());
    kept.begin("ada", "job", json!({})).await.unwrap();
    assert_eq!(kept.told.recv().await.unwrap(), "started");
    let Kept {
        endpoint,
        mut told,
        person: _person,
    } = kept;
    let other = endpoint.clone();
    drop(endpoint);
    tokio::task::yield_now().await;
    assert!(told.try_recv().is_err(), "one of its handles is left");
    drop(other);
    assert_eq!(told.recv().await.unwrap(), "cancelled");
}

#[tokio::test]
async fn an_endpoint_whose_tasks_could_not_be_is_not_built() {
    let problem = |limits: Option<TaskLimits>, usage: TaskUse| {
        let tool = tool("job", |_| async { Ok(Output::text("done")) }).task(usage);
        let builder = builder().tool(tool);
        let builder = match limits {
            None => builder,
            Some(limits) => builder.tasks(limits),
        };
        builder
            .build()
            .err()
            .map(|problems| problems.to_string())
            .unwrap_or_default()
    };
    assert_eq!(
        problem(None, TaskUse::Required),
        "\"job\": its calls must become tasks, and the endpoint has none; say `EndpointBuilder::tasks`"
    );
    assert_eq!(problem(None, TaskUse::Optional), "");
    let limits_of =
        |ttl, poll_interval| Some(TaskLimits::default().ttl(ttl).poll_interval(poll_interval));
    let (least, most) = (Duration::from_millis(1), limits::LONGEST_TASK_TIME);
    assert_eq!(problem(limits_of(least, least), TaskUse::Required), "");
    assert_eq!(problem(limits_of(most, most), TaskUse::Required), "");
    let below = Duration::from_micros(999);
    assert_eq!(
        problem(limits_of(below, least), TaskUse::Required),
        "\"hall\": the ttl of tasks must be 1 ms to 2592000 s; it is 999µs"
    );
    let above = most + least;
    assert!(
        problem(limits_of(most, above), TaskUse::Required).contains("poll interval"),
        "{above:?}"
    );
    // A tool that is added later is held to the same.
    let endpoint = builder().build().unwrap();
    let late = |usage| tool("late", |_| async { Ok(Output::text("done")) }).task(usage);
    assert!(
        endpoint
            .change()
            .add_tool(late(TaskUse::Required))
            .apply()
            .is_err()
    );
    endpoint
        .change()
        .add_tool(late(TaskUse::Optional))
        .apply()
        .unwrap();
    let endpoint = jobs_builder(TaskLimits::default()).build().unwrap();
    endpoint
        .change()
        .add_tool(late(TaskUse::Required))
        .apply()
        .unwrap();
    let client = endpoint.client(person().0).follow_tasks();
    assert_eq!(client.call("late", json!({})).await.unwrap().text(), "done");
}
