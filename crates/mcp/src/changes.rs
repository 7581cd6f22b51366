//! The hub of changes: who listens, and to what. A listener that is gone costs one look.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::sync::Notify;

use crate::ending::Ending;

/// Something that clients may want to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The lists of resources and templates.
    Resources,
    /// The list of prompts.
    Prompts,
    /// One resource, by its address.
    Resource(String),
}

impl Change {
    fn method(&self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Resources => "notifications/resources/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resource(_) => "notifications/resources/updated",
        }
    }

    /// The notification, with the subscription it belongs to on 2026-07-28.
    pub(crate) fn notification(&self, subscription: Option<&Value>) -> Bytes {
        let mut params = Map::new();
        if let Some(id) = subscription {
            params.insert(
                "_meta".to_owned(),
                serde_json::json!({ "io.modelcontextprotocol/subscriptionId": id }),
            );
        }
        if let Self::Resource(uri) = self {
            params.insert("uri".to_owned(), Value::from(uri.as_str()));
        }
        let mut message = Map::new();
        message.insert("jsonrpc".to_owned(), Value::from("2.0"));
        message.insert("method".to_owned(), Value::from(self.method()));
        if !params.is_empty() {
            message.insert("params".to_owned(), Value::Object(params));
        }
        Bytes::from(Value::Object(message).to_string())
    }
}

/// Somebody who wants to hear of changes. Told from any thread; must not wait.
pub(crate) trait Listener: Send + Sync {
    fn tell(&self, change: &Change);

    /// Whether it hears of this.
    fn wants(&self, change: &Change) -> bool;
}

/// The listeners of one endpoint.
#[derive(Default)]
pub(crate) struct Hub {
    listeners: Mutex<Vec<Weak<dyn Listener>>>,
    /// Somebody listens, or listens to more.
    listens_more: Notify,
    ending: Ending,
}

impl Hub {
    /// Ends every subscription that is a request of its own.
    pub(crate) fn end(&self) {
        self.ending.announce();
    }

    /// Completes when subscriptions end.
    pub(crate) async fn ended(&self) {
        self.ending.wait().await;
    }

    /// Listens until the listener is dropped.
    pub(crate) fn add(&self, listener: &Arc<dyn Listener>) {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if listeners.len() == listeners.capacity() {
            listeners.retain(|listener| listener.strong_count() > 0);
        }
        listeners.push(Arc::downgrade(listener));
        drop(listeners);
        self.listens_more();
    }

    /// Says that a listener hears of more than before.
    pub(crate) fn listens_more(&self) {
        self.listens_more.notify_waiters();
    }

    /// Whether anybody hears of this.
    pub(crate) fn is_heard(&self, change: &Change) -> bool {
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut listeners = listeners.iter().filter_map(Weak::upgrade);
        listeners.any(|listener| listener.wants(change))
    }

    /// Completes when somebody hears of this; at once when somebody does.
    pub(crate) async fn heard(&self, change: &Change) {
        loop {
            let mut listens_more = std::pin::pin!(self.listens_more.notified());
            // Waited for before the look, so that nobody who comes between the two is missed.
            listens_more.as_mut().enable();
            if self.is_heard(change) {
                return;
            }
            listens_more.await;
        }
    }

    pub(crate) fn tell(&self, change: &Change) {
        let listeners: Vec<_> = {
            let mut listeners = self
                .listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            listeners.retain(|listener| listener.strong_count() > 0);
            listeners.iter().filter_map(Weak::upgrade).collect()
        };
        listeners.iter().for_each(|listener| listener.tell(change));
    }
}
