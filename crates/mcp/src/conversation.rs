//! A conversation of the legacy era: what is remembered of a client between its requests, which is
//! the revision, what it said of itself, the log level and the questions it was asked. There is one
//! for each stdio connection and each HTTP session; the modern era needs none.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::changes::Change;
use crate::client::Client;
use crate::ending::Ending;
use crate::limits;
use crate::log_level::LogLevel;
use crate::outlet::Outlet;
use crate::question::{ClientQuestion, QUESTION_PREFIX};
use crate::revision::Revision;

/// A conversation that opened with `initialize`, or has yet to.
#[derive(Default)]
pub(crate) struct Conversation {
    number: ConversationNumber,
    /// One more than the revision's place in [`Revision::ALL`]; 0 before `initialize`.
    revision: AtomicU8,
    /// The answer to `initialize` is on its way, so that other messages can follow it.
    is_greeted: AtomicBool,
    client: OnceLock<Arc<Client>>,
    /// The level's place in the order; 0, the lowest, until the client says otherwise.
    log_level: AtomicU8,
    next_question: AtomicU64,
    questions: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    /// The addresses of resources that the client wants to hear of.
    subscribed: Mutex<HashSet<String>>,
    ending: Ending,
}

/// A number that no other conversation of this process has.
struct ConversationNumber(u64);

impl Default for ConversationNumber {
    fn default() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

impl Conversation {
    /// What tells it from others of this process.
    pub(crate) fn number(&self) -> u64 {
        self.number.0
    }

    /// Remembers what `initialize` agreed on.
    pub(crate) fn begin(&self, revision: Revision, client: Client) {
        let place = Revision::ALL
            .iter()
            .position(|known| *known == revision)
            .unwrap_or_default();
        self.revision.store(
            u8::try_from(place + 1).unwrap_or_default(),
            Ordering::Relaxed,
        );
        // A second `initialize` on one connection changes the revision only.
        let _first = self.client.set(Arc::new(client));
    }

    /// The answers to all messages so far are on their way, that to `initialize` too if it was
    /// among them.
    pub(crate) fn answers_left(&self) {
        if self.revision().is_some() {
            self.is_greeted.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn revision(&self) -> Option<Revision> {
        let place = usize::from(self.revision.load(Ordering::Relaxed)).checked_sub(1)?;
        Revision::ALL.get(place).copied()
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        self.client.get().map(Arc::clone).unwrap_or_default()
    }

    pub(crate) fn set_log_level(&self, level: LogLevel) {
        self.log_level.store(level as u8, Ordering::Relaxed);
    }

    /// The least severe messages that the client wants; everything until it says otherwise.
    pub(crate) fn log_level(&self) -> LogLevel {
        LogLevel::from_place(self.log_level.load(Ordering::Relaxed))
    }

    /// Ends what would go on for ever.
    pub(crate) fn end(&self) {
        self.ending.announce();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ending.has_come()
    }

    /// Completes when the conversation ends.
    pub(crate) async fn ended(&self) {
        self.ending.wait().await;
    }

    /// Whether the client hears of a change: of lists always, of a resource when it subscribed.
    /// Nothing before the answer to `initialize`.
    pub(crate) fn hears_of(&self, change: &Change) -> bool {
        self.wants(change) && self.is_greeted.load(Ordering::Relaxed)
    }

    /// The same, at the latest after that answer.
    pub(crate) fn wants(&self, change: &Change) -> bool {
        match change {
            Change::Resource(uri) => self.is_subscribed(uri),
            Change::Tools | Change::Resources | Change::Prompts => true,
        }
    }

    /// Subscribes to a resource; false when there are too many subscriptions.
    pub(crate) fn subscribe(&self, uri: &str) -> bool {
        let mut subscribed = self
            .subscribed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if subscribed.len() >= limits::SUBSCRIPTIONS && !subscribed.contains(uri) {
            return false;
        }
        subscribed.insert(uri.to_owned());
        true
    }

    pub(crate) fn unsubscribe(&self, uri: &str) {
        self.subscribed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(uri);
    }

    fn is_subscribed(&self, uri: &str) -> bool {
        self.subscribed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(uri)
    }

    /// Sends a question and waits for its answer; `None` when the conversation ends first, the
    /// client refuses or does not answer in time.
    pub(crate) async fn ask(
        &self,
        question: &ClientQuestion,
        outlet: &Arc<dyn Outlet>,
    ) -> Option<Value> {
        let number = self.next_question.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, answer);
        let _forget = Forget {
            conversation: self,
            number,
        };
        let message = question.as_request(number)?;
        let question_and_answer = async {
            outlet.send(Bytes::from(message)).await;
            tokio::select! {
                answer = answered => answer.ok(),
                () = self.ended() => None,
            }
        };
        if let Ok(answer) = tokio::time::timeout(limits::QUESTION_TIME, question_and_answer).await {
            return answer;
        }
        // The question need not stand before the user any more. Source: specification 2025-11-25,
        // Lifecycle, "Timeouts".
        let taken_back = serde_json::json!({
            "jsonrpc": "2.0",
            "method": "notifications/cancelled",
            "params": { "requestId": format!("{QUESTION_PREFIX}{number}"), "reason": "the question was not answered in time" }
        });
        outlet.try_send(Bytes::from(taken_back.to_string()));
        None
    }

    /// Hands the answer to a question to whoever waits for it.
    pub(crate) fn answered(&self, id: &str, result: Option<Value>) {
        let number = id
            .trim_matches('"')
            .strip_prefix(QUESTION_PREFIX)
            .and_then(|number| number.parse().ok());
        let Some(number) = number else { return };
        let waiting = self
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&number);
        if let (Some(waiting), Some(result)) = (waiting, result) {
            // Nobody waits any more when the call was cancelled meanwhile.
            let _delivered = waiting.send(result);
        }
    }
}

/// Takes a question back when whoever asked it goes away.
struct Forget<'a> {
    conversation: &'a Conversation,
    number: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.conversation
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.number);
    }
}
