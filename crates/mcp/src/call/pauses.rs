//! The pauses of a call, in which it waits for its user: its time limit does not run then. Bounds
//! nothing itself.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// The pauses of one request.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Mutex<PauseTimes>);

#[derive(Debug, Default)]
struct PauseTimes {
    /// Questions that wait for their answers.
    open: usize,
    /// Since when there are any.
    since: Option<Instant>,
    /// How long there were, before.
    past: Duration,
    /// Who wants to know when there are none.
    waker: Option<Waker>,
}

impl Pauses {
    /// Begins a pause; it lasts until what is returned is dropped.
    pub(crate) fn begin(&self) -> Pause<'_> {
        self.open();
        Pause(self)
    }

    /// The same for who closes it.
    pub(crate) fn open(&self) {
        let mut state = self.lock();
        state.open += 1;
        state.since.get_or_insert_with(Instant::now);
    }

    /// Ends a pause that was opened.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.open = state.open.saturating_sub(1);
        if state.open > 0 {
            return;
        }
        let took = state
            .since
            .take()
            .map(|since| since.elapsed())
            .unwrap_or_default();
        state.past = state.past.saturating_add(took);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// How long the pauses took; `None` while there is one, and then the task is woken at its end.
    pub(crate) fn past(&self, context: &Context<'_>) -> Option<Duration> {
        let mut state = self.lock();
        if state.open == 0 {
            return Some(state.past);
        }
        state.waker = Some(context.waker().clone());
        None
    }

    fn lock(&self) -> MutexGuard<'_, PauseTimes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A pause under way.
pub(crate) struct Pause<'a>(&'a Pauses);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use bytes::Bytes;
    use serde_json::{Value, json};
    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    use crate::call::Call;
    use crate::client::Client;
    use crate::conversation::Conversation;
    use crate::dispatch::{self, Arrival, MessageOrigin};
    use crate::limits::QUESTION_TIME;
    use crate::outlet::Outlet;
    use crate::{Elicitation, Endpoint, Output, Revision, Sampling, Tool};

    /// The messages that the client was sent before the answer.
    #[derive(Default)]
    struct Heard(Mutex<Vec<Value>>);

    impl Outlet for Heard {
        fn send(&self, message: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            self.try_send(message);
            Box::pin(std::future::ready(()))
        }

        fn try_send(&self, message: Bytes) -> bool {
            self.0
                .lock()
                .unwrap()
                .push(serde_json::from_slice(&message).unwrap());
            true
        }
    }

    /// Works 600 ms, asks two questions at once, and works on for so many milliseconds. It has a
    /// second.
    fn asker(after: u64) -> Tool<()> {
        let form = || Elicitation::form("Go on?", json!({"type": "object", "properties": {}}));
        Tool::new(
            "ask",
            "Asks.",
            json!({"type": "object"}),
            move |call: Call<()>| async move {
                sleep(Duration::from_millis(600)).await;
                call.round()
                    .elicit("form", form())
                    .sample("word", Sampling::text("A word?", 1))
                    .ask()
                    .await?;
                sleep(Duration::from_millis(after)).await;
                Ok(Output::text("done"))
            },
        )
        .time_limit(Duration::from_secs(1))
    }

    fn call(tool: Tool<()>) -> (Arc<Conversation>, Arc<Heard>, JoinHandle<String>) {
        let endpoint = Endpoint::builder("asking", "1").tool(tool).build().unwrap();
        let (conversation, heard) = (
            Arc::new(Conversation::default()),
            Arc::new(Heard::default()),
        );
        conversation.begin(
            Revision::V2025_11_25,
            Client::new(None, Some(r#"{"elicitation": {}, "sampling": {}}"#)),
        );
        let outlet = Some(Arc::clone(&heard) as Arc<dyn Outlet>);
        let arrival = Arrival {
            origin: MessageOrigin::channel(&conversation),
            caller: &Arc::new(()),
            body: None,
            outlet,
            opening: None,
            ending: None,
        };
        let request = br#"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": {}}}"#;
        let step = dispatch::take(&endpoint, request, &arrival);
        let answered = tokio::spawn(async move {
            let mut bytes = Vec::new();
            step.finish().await.reply.unwrap().append_to(&mut bytes);
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            answer["result"]["content"][0]["text"]
                .as_str()
                .unwrap()
                .to_owned()
        });
        (conversation, heard, answered)
    }

    fn answer(conversation: &Conversation, heard: &Heard, method: &str) {
        let heard = heard.0.lock().unwrap();
        let question = heard
            .iter()
            .find(|message| message["method"] == method)
            .expect("it was asked");
        let result = match method {
            "elicitation/create" => json!({"action": "decline"}),
            _ => {
                json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "yes"}})
            }
        };
        conversation.answered(&question["id"].to_string(), Some(result));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_user_takes_is_not_the_tools_time() {
        for (after, said) in [(399, "done"), (401, "ask was stopped after 1 s")] {
            let (conversation, heard, answered) = call(asker(after));
            sleep(Duration::from_secs(300)).await;
            answer(&conversation, &heard, "elicitation/create");
            sleep(Duration::from_secs(300)).await;
            assert!(!answered.is_finished(), "one question is open still");
            answer(&conversation, &heard, "sampling/createMessage");
            let said_then = answered.await.unwrap();
            assert!(said_then.starts_with(said), "{after}: {said_then}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_before_the_question_counts() {
        let tool = asker(0).time_limit(Duration::from_millis(599));
        let (_conversation, heard, answered) = call(tool);
        assert!(
            answered
                .await
                .unwrap()
                .starts_with("ask was stopped after 0.599 s")
        );
        assert!(heard.0.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_waits_a_quarter_of_an_hour_and_is_taken_back() {
        let asked_at = Duration::from_millis(600);
        for (wait, said, taken_back) in [
            (
                asked_at + QUESTION_TIME - Duration::from_millis(1),
                "done",
                0,
            ),
            (
                asked_at + QUESTION_TIME + Duration::from_millis(1),
                "the client did not answer the question \"form\"",
                2,
            ),
        ] {
            let (conversation, heard, answered) = call(asker(100));
            sleep(wait).await;
            for method in ["elicitation/create", "sampling/createMessage"] {
                answer(&conversation, &heard, method);
            }
            assert_eq!(answered.await.unwrap(), said);
            let heard = heard.0.lock().unwrap();
            let cancelled = heard
                .iter()
                .filter(|message| message["method"] == "notifications/cancelled");
            let ids: Vec<&Value> = cancelled
                .map(|message| &message["params"]["requestId"])
                .collect();
            assert_eq!(ids.len(), taken_back);
            assert!(
                ids.iter()
                    .all(|id| heard.iter().any(|message| message["id"] == **id)),
                "{heard:?}"
            );
        }
    }
}
